"""Rights: who may write where, and the exact way out for someone who may not."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from pathlib import Path
from shlex import join
from typing import NoReturn

from wizard.host import Host
from wizard.plan import Owner


def account_owner(name: str) -> Owner:
    """The account with its primary group; raises KeyError when there is none."""
    entry = pwd.getpwnam(name)
    return Owner(entry.pw_uid, entry.pw_gid)


def cannot_write(path: Path, host: Host, target: str) -> str | None:
    """A sentence with the way out when this user may not replace or make the file; else None.

    A file is replaced by renaming a new one over it, so what counts is the folder.
    """
    folder = Path(os.path.realpath(path)).parent
    while not os.path.exists(folder):  # noqa: PTH110 -- Path.exists raises where this user may not look
        folder = folder.parent
    if not folder.is_dir():
        return f"{folder} is a file, so there can be no {path.name} in it."
    if os.access(folder, os.W_OK | os.X_OK) and (not path.exists() or os.access(path, os.R_OK)):
        return None
    if host.root:
        return f"{folder} cannot be written, not even by root: is it mounted read-only, or immutable?"
    return f"{host.user} may not write in {folder}. {as_root(host, target)}"


def as_root(host: Host, target: str) -> str:
    """The way out for someone who needs more rights: the command that goes on as root, with the answers."""
    if host.arguments:
        return f"Run it as root: {join(('sudo', *host.command, *host.arguments))}"
    return f"Leave, then: {join(again_as_root(host, target))}"


def again_as_root(host: Host, target: str | None) -> tuple[str, ...]:
    """The command that opens the wizard as root, with the answers that are kept for a target."""
    taken_along = ("--answers", str(host.state.kept_answers(target))) if target else ()
    return ("sudo", *host.command, *taken_along)


def needs_root(host: Host, problem: str) -> bool:
    """Whether a sentence about a problem says that root could do it, and this user could become root."""
    return bool(host.sudo) and join(("sudo", *host.command)) in problem


def asked_sudo(host: Host, command: tuple[str, ...]) -> bool:
    """Have sudo ask for the password, on the terminal and as often as it likes; whether it lets the user run
    the command of `again_as_root` (sudo(8), `-l COMMAND`). It remembers the password for some minutes.
    """
    print("To go on as root, sudo asks for your password:", flush=True)
    # Ctrl+C is for sudo. A handler, since what is ignored here would be ignored there, too.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        asked = subprocess.run([host.sudo, "-l", *command[1:]], stdout=subprocess.DEVNULL, check=False)
        return asked.returncode == 0
    finally:
        signal.signal(signal.SIGINT, before)


def become_root(host: Host, command: tuple[str, ...]) -> NoReturn:
    """Go on as the command of `again_as_root`, in place of this process."""
    os.execv(host.sudo, command)  # noqa: S606 -- no shell is wanted


def can_read(path: Path, account: str) -> bool:
    """Whether an account may read a file and enter the folders above it, by owner, group and mode."""
    entry = pwd.getpwnam(account)
    groups = set(os.getgrouplist(account, entry.pw_gid))

    def allowed(place: Path, bit: int) -> bool:
        status = place.stat()
        if entry.pw_uid == 0:
            return True
        if status.st_uid == entry.pw_uid:
            return bool(status.st_mode & bit << 6)
        return bool(status.st_mode & (bit << 3 if status.st_gid in groups else bit))

    real = Path(os.path.realpath(path))
    return allowed(real, 4) and all(allowed(folder, 1) for folder in real.parents)
