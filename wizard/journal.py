"""The record of each run: written before the first change, kept for undo.

A run's folder holds

    before-N        the content that step N replaces or removes, 0600
    found-N-DIGEST  what recovery found in a file written in place, if that was neither old nor new
    STATUS.json     the record, which never changes; its *name* is the status

so a status changes by one rename(2), which is atomic and needs no space on a full disk:

    intended  ->  prepared  ->  committed  ->  applied
         `-----------'--->  rolled-back

intended    the record and the copies are on the disk; stages may exist in part; no file has changed
prepared    every stage is whole and on the disk; files may have changed
committed   every file has changed, on the disk; stages may still have to be removed
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from wizard import files
from wizard.errors import WizardError
from wizard.files import Entry
from wizard.kinds import Plain, is_plain
from wizard.state import State

T = TypeVar("T")


class Status(StrEnum):
    """How far a run has come: the name of its record; that it is `UNDONE` follows from another run."""

    INTENDED = "intended"
    PREPARED = "prepared"
    COMMITTED = "committed"
    APPLIED = "applied"
    ROLLED_BACK = "rolled-back"
    UNDONE = "undone"

    @property
    def interrupted(self) -> bool:
        """Whether there is something to recover."""
        return self in {Status.INTENDED, Status.PREPARED, Status.COMMITTED}


@dataclass(frozen=True, slots=True)
class Step:
    """One change, with all that is needed to take it back."""

    path: Path
    """The real path: symbolic links on the way to a file are followed when the run begins."""
    before: Entry | None
    after: Entry | None
    attributes: tuple[tuple[str, bytes], ...] = ()
    """Extended attributes before."""
    in_place: bool = False
    """Written into the file instead of replacing it, since something is mounted on it."""
    about: str = ""
    secret: bool = False
    hidden: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def kind(self) -> str:
        """What is made, changed or removed: "file", "link" or "directory"."""
        entry = self.after or self.before
        return entry.kind if entry else ""

    @property
    def words(self) -> str:
        """What was done, for a colleague: "created cert.pem, 0644, owner jake"."""
        if self.after is None:
            return self.summary
        if self.kind == "link":
            return f"{self.summary} to {self.after.digest}"
        return f"{self.summary}, {self.after.mode:04o}, owner {files.user_name(self.after.uid)}"

    @property
    def summary(self) -> str:
        """The same in short, without asking the account database: "created cert.pem"."""
        done = "removed" if self.after is None else "created" if self.before is None else "changed"
        what = "" if self.kind == "file" else f"{self.kind.replace('directory', 'folder')} "
        # What others have put into it since keeps it there.
        unless = ", if it was empty" if self.kind == "directory" and self.after is None else ""
        return f"{done} {what}{self.path.name}{unless}"


@dataclass(frozen=True, slots=True)
class Run:
    """One application of a plan: what was done, when, and how it ended."""

    id: str
    """Time and target: "20261122-054145-hub-rest"."""
    target: str
    title: str
    time: datetime
    """When it began, UTC."""
    steps: tuple[Step, ...]
    status: Status = Status.INTENDED
    undoes: str = ""
    """The run that this one takes back, if it is an undo."""
    number: int = 1
    """Its place in the history; the clock may have been set back since the run before it."""
    answers: Mapping[str, Plain] = field(default_factory=dict, repr=False)
    """The answers that its plan was made from, by question; none are secret."""
    awaits: Path | None = None
    """The certificate that has to come from elsewhere before this setup can go on."""
    remarks: tuple[str, ...] = ()
    """What recovery found and left alone; only in the answer of the recovery itself."""

    @property
    def files(self) -> tuple[tuple[Path, str], ...]:
        """Every path touched, with what was done there in words."""
        return tuple((step.path, step.words) for step in self.steps)

    def stage(self, number: int) -> Path:
        """The second name of step `number`, in the same folder; the dot hides it from `*.conf`."""
        return self.steps[number].path.with_name(f".tls-wizard-{self.id}-{number}")


def begin(
    state: State,
    *,
    target: str,
    title: str,
    steps: tuple[Step, ...],
    copies: Mapping[int, bytes],
    undoes: str = "",
    answers: Mapping[str, Plain] | None = None,
    awaits: Path | None = None,
) -> Run:
    """Bring a new run's record and copies to the disk; `copies` holds the old content by step number."""
    now = datetime.now(UTC)
    folder = _new_folder(state, f"{now:%Y%m%d-%H%M%S}-{target}")
    number = 1 + max((run.number for run in _all(state)), default=0)
    run = Run(
        folder.name,
        target,
        title,
        now,
        steps,
        undoes=undoes,
        number=number,
        answers=answers or {},
        awaits=awaits,
    )
    try:
        for number, content in copies.items():
            files.create(folder / f"before-{number}", content)
        files.create(folder / "record", _write(run))
        (folder / "record").rename(_name(folder, Status.INTENDED))
        files.sync(folder)
        files.sync(state.runs)
    except BaseException:  # whatever stopped it: no file has been touched, so the run has never been
        _remove(folder)
        raise
    return run


def mark(state: State, run: Run, status: Status) -> Run:
    """Change a run's status, on the disk before this returns."""
    folder = state.runs / run.id
    _name(folder, run.status).rename(_name(folder, status))
    files.sync(folder)
    return replace(run, status=status)


def kept(state: State, run: Run, number: int) -> bytes:
    """The content that step `number` replaced or removed; raises WizardError when the copy is not that."""
    path, before = state.runs / run.id / f"before-{number}", run.steps[number].before
    try:
        content = files.read(path)
    except FileNotFoundError:
        content = None
    if content is None or before is None or files.digest(content) != before.digest:
        raise WizardError(
            f"{run.steps[number].path}: cannot be put back as it was, since the copy of it, {path}, "
            f"{'is gone' if content is None else 'has been changed'}. Restore the copy from a backup."
        )
    return content


def keep(state: State, run: Run, number: int, content: bytes) -> Path:
    """Keep content that was found where the run's own was expected; answers where it is."""
    # Named by its content: a recovery that is cut short and repeated finds another one, and keeps both.
    path = state.runs / run.id / f"found-{number}-{files.digest(content)[:16]}"
    path.unlink(missing_ok=True)
    files.create(path, content)
    files.sync(path.parent)
    return path


def forget_copies(state: State, run: Run) -> None:
    """Remove the old contents, which a run that was rolled back does not need."""
    for number in range(len(run.steps)):
        (state.runs / run.id / f"before-{number}").unlink(missing_ok=True)


def history(state: State) -> tuple[Run, ...]:
    """Every run, oldest first; one that a later run took back is `UNDONE`."""
    try:
        runs = sorted(_all(state), key=lambda run: run.number)
    except OSError as error:
        raise WizardError(f"The history in {state.runs} cannot be read: {error.strerror}.") from error
    standing = {run.id for run in runs if run.status is Status.APPLIED}
    for run in reversed(runs):
        if run.id in standing:
            standing.discard(run.undoes)
    return tuple(
        replace(run, status=Status.UNDONE) if run.status is Status.APPLIED and run.id not in standing else run
        for run in runs
    )


def waiting(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Those of the runs, given oldest first, whose certificate has not come yet."""
    found: dict[Path, Run] = {}
    for run in runs:
        if run.status is Status.APPLIED and not run.undoes:
            for step in run.steps:
                found.pop(step.path, None)
            if run.awaits:
                found[run.awaits] = run
    return tuple(found.values())


def interrupted(state: State) -> Run | None:
    """The run that has neither been completed nor rolled back; the lock tells whether it is still at work."""
    return next((run for run in _all(state) if run.status.interrupted), None)


def tidy(state: State) -> None:
    """Remove what is left of runs that were interrupted before their record was complete; nothing else."""
    for folder in _folders(state):
        if all(_precedes_record(path) for path in folder.iterdir()):
            _remove(folder)


def _precedes_record(path: Path) -> bool:
    """Whether a run writes such a file before its record has its name."""
    named = path.name == "record" or re.fullmatch(r"before-\d+", path.name)
    return bool(named) and path.is_file() and not path.is_symlink()


def _new_folder(state: State, name: str) -> Path:
    number = 1
    while True:
        folder = state.runs / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:  # two runs in one second
            number += 1
        else:
            return folder


def _folders(state: State) -> tuple[Path, ...]:
    if not state.runs.is_dir():
        return ()
    # Not glob(), which takes a folder that cannot be read for an empty one.
    folders = (path for path in state.runs.iterdir() if path.is_dir() and not path.is_symlink())
    return tuple(sorted(folders))


def _all(state: State) -> tuple[Run, ...]:
    return tuple(run for folder in _folders(state) if (run := _load(folder)))


def _load(folder: Path) -> Run | None:
    for status in Status:  # in the order in which a run at work renames its record
        path = _name(folder, status)
        try:
            return replace(_read(files.read(path)), id=folder.name, status=status)
        except FileNotFoundError:
            continue
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise WizardError(
                f"{path}: the record of a run cannot be read ({error}). The run can neither be undone nor "
                "recovered without it: restore this file from a backup, or move its folder away."
            ) from error
    return None


def _name(folder: Path, status: Status) -> Path:
    return folder / f"{status}.json"


def _remove(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


# The record as JSON; bytes in base64 ------------------------------------------------------------------------

_ACCOUNTS = range(2**32 - 1)
"""Numbers of accounts and groups; the last one would mean that nothing is changed, see chown(2)."""
_ELSE = '"{}" holds what no run writes'


def _write(run: Run) -> bytes:
    record = {
        "format": 1,
        "target": run.target,
        "title": run.title,
        "time": run.time.isoformat(),
        "undoes": run.undoes,
        "number": run.number,
        "answers": dict(run.answers),
        "awaits": str(run.awaits) if run.awaits else "",
        "steps": [
            {
                **asdict(step),
                "path": str(step.path),
                "attributes": [[name, b64encode(value).decode()] for name, value in step.attributes],
                "hidden": [b64encode(value).decode() for value in step.hidden],
            }
            for step in run.steps
        ],
    }
    return json.dumps(record, indent=1).encode()


def _read(content: bytes) -> Run:
    """Raises ValueError, KeyError, TypeError or OverflowError for what no run has written."""
    record = json.loads(content)
    if record["format"] != 1:
        raise ValueError(f"format {record['format']}, written by a newer version")
    answers, steps = record.get("answers", {}), _value(record, "steps", list)
    if not isinstance(answers, dict) or not all(map(is_plain, answers.values())):
        raise TypeError(_ELSE.format("answers"))
    return Run(
        id="",
        target=_text(record, "target", r"[\w-]+"),  # it becomes part of a folder's name
        title=_text(record, "title"),
        time=datetime.fromisoformat(_text(record, "time")).astimezone(UTC),
        undoes=_text(record, "undoes"),
        number=_value(record, "number", int),
        answers=answers,
        awaits=_path(record, "awaits") if record.get("awaits", "") != "" else None,
        steps=tuple(map(_read_step, steps)),
    )


def _read_step(step: dict[str, Any]) -> Step:
    read = Step(
        path=_path(step, "path"),
        before=_read_entry(step["before"]),
        after=_read_entry(step["after"]),
        attributes=tuple((name, b64decode(value)) for name, value in _value(step, "attributes", list)),
        in_place=_value(step, "in_place", bool),
        about=_text(step, "about"),
        secret=_value(step, "secret", bool),
        hidden=tuple(map(b64decode, _value(step, "hidden", list))),
    )
    if read.before == read.after or not all(isinstance(name, str) for name, _ in read.attributes):
        raise ValueError(_ELSE.format("steps"))
    return read


def _read_entry(entry: dict[str, Any] | None) -> Entry | None:
    if entry is None:
        return None
    kind: Any = _text(entry, "kind", "file|link|directory|other")
    mode, uid, gid = (_value(entry, key, int) for key in ("mode", "uid", "gid"))
    if mode not in range(0o10000) or uid not in _ACCOUNTS or gid not in _ACCOUNTS:
        raise ValueError("a mode or an owner that there is not")
    return Entry(kind, _text(entry, "digest"), mode, uid, gid)


def _value(record: dict[str, Any], key: str, kind: type[T]) -> T:
    """What stands behind a key, of exactly this type."""
    value = record[key]
    if type(value) is not kind:  # True would be an int
        raise TypeError(_ELSE.format(key))
    return value


def _text(record: dict[str, Any], key: str, pattern: str = r"[^\0]*") -> str:
    """A text of this form, for instance one that can be the name of a file."""
    text = _value(record, key, str)
    text.encode(errors="surrogateescape")  # as names are told to the system
    if not re.fullmatch(pattern, text):
        raise ValueError(_ELSE.format(key))
    return text


def _path(record: dict[str, Any], key: str) -> Path:
    return Path(_text(record, key, r"/[^\0]*"))
