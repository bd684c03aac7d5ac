"""Where the wizard remembers what it did: one folder that only its user can read, and the lock in it.

lock            held with flock(2) by the run at work; the kernel lets go of it when that process ends,
                however it ends, so a stale lock cannot block anybody
runs/ID/        one folder for each run, see journal.py
answers/        what was answered, one file for each target, see answers.py
bookmark.json   where somebody was, see bookmark.py
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wizard.errors import Locked, WizardError


@dataclass(frozen=True, slots=True)
class State:
    """The state folder; it is made, mode 0700, when something is first written to it."""

    root: Path

    @classmethod
    def default(cls, environ: Mapping[str, str] = os.environ) -> State:
        """Where this user's state lives.

        `TLS_WIZARD_STATE` if that is set, else /var/lib/tls-wizard for root, else
        `$XDG_STATE_HOME/tls-wizard` (XDG Base Directory Specification: ~/.local/state when unset or not
        absolute).
        """
        if chosen := environ.get("TLS_WIZARD_STATE"):
            return cls(Path(chosen).absolute())
        if os.geteuid() == 0:
            return cls(Path("/var/lib/tls-wizard"))
        base = Path(environ.get("XDG_STATE_HOME", ""))
        return cls((base if base.is_absolute() else Path.home() / ".local" / "state") / "tls-wizard")

    @property
    def runs(self) -> Path:
        """The folder that holds one folder for each run."""
        return self.root / "runs"

    @property
    def bookmark(self) -> Path:
        """The file that keeps where somebody was when the wizard ended."""
        return self.root / "bookmark.json"

    def kept_answers(self, target: str) -> Path:
        """The file that keeps the answers to a target between two starts."""
        return self.root / "answers" / f"{target}.toml"

    @property
    def copied(self) -> Path:
        """The file with what was copied last: many terminals drop what is sent to their clipboard."""
        return self.root / "copied"

    def make(self) -> None:
        """Make the folder, or make an existing one private.

        Raises `WizardError` when it, or the folder of the runs in it, is open to somebody else, who could
        read or change what is kept there; or when it is a folder of others, which must not become private.
        """
        from wizard import files

        self._refuse_what_is_not_its_own()
        for folder in reversed([folder for folder in (self.runs, *self.runs.parents) if not folder.exists()]):
            folder.mkdir(mode=0o700, exist_ok=True)
            files.sync(folder.parent)
        for folder in (self.root, self.runs):
            _refuse_strangers(folder)
        if self.runs.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise WizardError(
                f"{self.runs}: others can write in this folder and could have put a run of theirs there. "
                f"Look at what is in it, then take their right away: chmod 700 {self.runs}"
            )
        if stat.S_IMODE(self.root.stat().st_mode) != 0o700:
            self.root.chmod(0o700)

    def _refuse_what_is_not_its_own(self) -> None:
        """Raise `WizardError` for a folder that holds something else and is not private already."""
        if not self.root.is_dir() or self.runs.exists() or stat.S_IMODE(self.root.stat().st_mode) == 0o700:
            return
        if any(path.name != "lost+found" for path in self.root.iterdir()):  # of a file system of its own
            raise WizardError(
                f"{self.root} holds something else, and would be closed to all others if the wizard kept its "
                "records there. Name a folder of its own in TLS_WIZARD_STATE; it is made when it is needed."
            )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock; raises `Locked`, naming who holds it, when another run is at work."""
        try:
            self.make()
            descriptor = self._open_lock(os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise WizardError(f"The state folder {self.root} cannot be written: {error.strerror}.") from error
        try:
            if not (_try_lock(descriptor, fcntl.LOCK_EX) or _try_lock_once_more(descriptor)):
                raise Locked(f"Another run is at work{_holder(descriptor)}. Wait until it has ended.")
            _sign(descriptor)
            yield
        finally:
            with suppress(OSError):  # it ends with the process at the latest
                os.close(descriptor)

    def busy(self) -> bool:
        """Whether another run holds the lock now."""
        try:
            descriptor = self._open_lock(os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            return not _try_lock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def _open_lock(self, flags: int) -> int:
        path = self.root / "lock"
        # A pipe in its place must not be waited for.
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise WizardError(f"{path} is in the way: it should be a file. If nobody needs it, remove it.")
        return descriptor


def _refuse_strangers(folder: Path) -> None:
    """Raise `WizardError` when somebody else owns the folder, or laid the link to it."""
    from wizard import files

    for uid in (folder.lstat().st_uid, folder.stat().st_uid):
        if uid != os.geteuid():
            raise WizardError(
                f"{folder} belongs to {files.user_name(uid)}, who could change what the wizard keeps there. "
                "Run the wizard as that user, or name another folder in TLS_WIZARD_STATE."
            )


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # some network file systems have no locks
        raise WizardError(f"The lock in the state folder cannot be taken: {error.strerror}.") from error
    return True


def _try_lock_once_more(descriptor: int) -> bool:
    # `busy` holds the lock for an instant, which is no reason to turn a run away.
    time.sleep(0.05)
    return _try_lock(descriptor, fcntl.LOCK_EX)


def _sign(descriptor: int) -> None:
    """Write into the lock who holds it; only ever read to name the holder in a message."""
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    who = json.dumps({"pid": os.getpid(), "uid": os.getuid(), "since": since})
    with suppress(OSError):  # a full disk must not keep anybody from recovering
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, who.encode(), 0)


def _holder(descriptor: int) -> str:
    from wizard import files

    try:
        who = json.loads(os.pread(descriptor, 4096, 0))
        return f": process {who['pid']} of {files.user_name(who['uid'])}, since {who['since']}"
    except (ValueError, KeyError, TypeError):  # it signs just now
        return ""
