"""What stands in the way of a plan, found before the first change and told in plain words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wizard import files
from wizard.errors import Drifted, WizardError
from wizard.exposure import follow, open_folders
from wizard.files import Entry
from wizard.plan import Change, Directory, File, Link, Owner, Plan
from wizard.preview import hides_all


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that was found at a path."""

    path: Path
    sentence: str
    stops: bool = True
    """Whether the plan cannot be applied; otherwise it is only to be known."""
    drifted: bool = False
    """Whether the path has changed since the preview."""

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}"


def preflight(plan: Plan, *, in_place: bool = False, undo: bool = False) -> tuple[Problem, ...]:
    """Everything that would stop the plan, or that the operator should know; changes nothing.

    `in_place` accepts the weaker way of writing for files on which something is mounted; `undo` that secrets
    go back to where they were, whoever can write there.
    """
    ways = [(change, *_way(change)) for change in plan.changes]
    places = [(change, path) for change, path, _ in ways]
    made = {path: change for change, path in places if isinstance(change, Directory) and change.present}
    mounted = files.mount_points()
    problems = list(_repeated(places))
    for change, path, strange in ways:
        try:
            if strange:
                problems.append(_led_astray(change, strange))
            problems += _folder(change, path.parent, made)
            if not undo:
                problems += _exposure(change, path.parent, made)
            match change:
                case Link():
                    problems += _link(change, path)
                case Directory():
                    problems += _directory(change, path)
                case File():
                    problems += _file(change, path, mounted, in_place=in_place)
        except OSError as error:
            problems.append(Problem(change.path, f"cannot be examined: {error.strerror}."))
    return (*problems, *_space(places))


def refuse(problems: Iterable[Problem], opening: str = "") -> None:
    """Raise `WizardError` naming every problem that stops; `Drifted` if one is that a file has changed."""
    stops = [problem for problem in problems if problem.stops]
    if stops:
        kind = Drifted if any(problem.drifted for problem in stops) else WizardError
        raise kind(opening + "\n".join(map(str, stops)))


def real_path(change: Change) -> Path:
    """Where a change happens: a file where symbolic links lead to, a link or folder at its own name."""
    return _way(change)[0]


def safe_path(change: Change) -> Path:
    """The same; raises `WizardError` when a stranger's link has come onto the way since the preflight."""
    path, strange = _way(change)
    if strange:
        raise WizardError(f"Nothing was changed.\n{_led_astray(change, strange)}")
    return path


def _way(change: Change) -> tuple[Path, Path | None]:
    """Where a change happens, and the link that may not choose this place, if one does."""
    if isinstance(change, File):
        path, strange = follow(change.path)
    else:
        folder, strange = follow(change.path.parent)
        path = folder / change.path.name
    secret = isinstance(change, File) and change.secret
    given_away = not isinstance(change, Link) and change.owner is not None
    return path, strange if secret or given_away else None


def drifted(change: File | Link, found: Entry | None) -> bool:
    """Whether what was found is not what the plan was made from."""
    if change.before is None or found is None:
        return found is not None or change.before is not None
    if isinstance(change, Link):
        return found != Entry("link", change.before)
    return (found.kind, found.digest) != ("file", files.digest(change.before))


def _repeated(places: list[tuple[Change, Path]]) -> Iterator[Problem]:
    seen: set[Path] = set()
    for change, path in places:
        if path in seen:
            yield Problem(change.path, "is named twice in the plan, perhaps through a symbolic link.")
        seen.add(path)


# The folder a change happens in -----------------------------------------------------------------------------


def _folder(change: Change, folder: Path, made: dict[Path, Directory]) -> Iterator[Problem]:
    if not folder.exists():
        if folder not in made:
            yield Problem(
                change.path, f"the folder {folder} does not exist. Create it, or choose another one."
            )
    elif not folder.is_dir():
        yield Problem(change.path, f"{folder} is not a folder.")
    elif os.statvfs(folder).f_flag & os.ST_RDONLY:
        yield Problem(
            change.path, f"{folder} is on a file system mounted read-only. Remount it with -o remount,rw."
        )
    elif files.frozen(folder):
        yield Problem(
            change.path, f"the folder {folder} is immutable. If that is not meant: chattr -i -a {folder}"
        )
    elif not os.access(folder, os.W_OK | os.X_OK):
        who = files.user_name(os.geteuid())
        yield Problem(
            change.path, f"{who} may not write in the folder {folder}. Run the wizard as root or its owner."
        )


def _exposure(change: Change, folder: Path, made: dict[Path, Directory]) -> Iterator[Problem]:
    """A secret is written only where nobody else can exchange it."""
    if not isinstance(change, File) or not change.secret or change.after is None:
        return
    exposed = list(open_folders(folder, change.owner))
    if not folder.exists() and folder in made and made[folder].mode & 0o022:
        exposed.append(folder)
    for place in exposed:
        yield Problem(
            change.path,
            f"others can write in the folder {place} and could exchange this secret file. "
            f"Choose another folder, or take their right away: chmod go-w {place}",
        )


def _led_astray(change: Change, link: Path) -> Problem:
    """Nobody chooses by a link of theirs what is made secret there, or given away."""
    who = files.user_name(link.lstat().st_uid)
    return Problem(
        change.path,
        f"the symbolic link {link} belongs to {who}, but not the place it leads to, {follow(link)[0]}. "
        "Choose the place that is meant by its real name.",
    )


# The name itself --------------------------------------------------------------------------------------------


def _link(change: Link, path: Path) -> Iterator[Problem]:
    if drifted(change, files.look(path)):
        yield _changed(change.path)


def _directory(change: Directory, path: Path) -> Iterator[Problem]:
    found = files.look(path)
    if change.present and found is not None and not change.path.is_dir():
        yield Problem(change.path, "is in the way: a folder should be there.")
    if not change.present and found is not None and found.kind != "directory":
        yield Problem(change.path, "is not a folder, so it is not removed.")
    if change.present and found is None:
        yield from _ownership(change.path, change.owner)


def _file(change: File, path: Path, mounted: frozenset[Path], *, in_place: bool) -> Iterator[Problem]:
    if change.path.is_symlink() and not path.exists():
        yield Problem(
            change.path, f"is a symbolic link to {path}, which does not exist. Remove the link, or mend it."
        )
        return
    found = files.look(path)
    if found is not None and found.kind != "file":
        yield Problem(change.path, "is not a regular file.")
        return
    if drifted(change, found):
        yield _changed(change.path)
    if found is not None:
        if change.path.is_symlink():
            yield _through_link(change, path, found)
        yield from _existing(change, path, mounted, in_place=in_place)
    if change.after is not None:
        yield from _ownership(change.path, change.owner or (found.owner if found else None))


def _through_link(change: File, path: Path, found: Entry) -> Problem:
    """Where a link leads only content that is shown is edited: whoever made it may not own what is there."""
    given_away = change.owner not in {None, found.owner}
    widened = change.mode is not None and bool(change.mode & ~found.mode)
    unseen = hides_all(change) and change.before != change.after
    if given_away or widened or unseen:
        return Problem(
            change.path,
            f"is a symbolic link to {path}. A secret, an owner or wider rights are not written through a "
            "link. Remove the link, or name the real file.",
        )
    return Problem(change.path, f"is a symbolic link; the file that changes is {path}.", stops=False)


def _existing(change: File, path: Path, mounted: frozenset[Path], *, in_place: bool) -> Iterator[Problem]:
    if files.frozen(path):
        yield Problem(change.path, f"is immutable. If that is not meant: chattr -i -a {path}")
    if path in mounted and change.after is None:
        yield Problem(change.path, "something is mounted on this file, so it cannot be removed.")
    elif path in mounted:
        yield Problem(
            change.path,
            "something is mounted on this file, as in containers, so it cannot be replaced in one instant, "
            "only written in place: an interruption can leave it torn until `tls-wizard recover` has run"
            + ("." if in_place else "; --in-place accepts that."),
            stops=not in_place,
        )
    if (names := path.stat().st_nlink) > 1:
        yield Problem(
            change.path, f"has {names} names (hard links); the others keep the old content.", stops=False
        )


def _changed(path: Path) -> Problem:
    return Problem(path, "has changed since the preview.", drifted=True)


def _ownership(path: Path, owner: Owner | None) -> Iterator[Problem]:
    """Only root can give files away."""
    if owner is None or os.geteuid() == 0:
        return
    if owner.uid != os.geteuid() or owner.gid not in {os.getegid(), *os.getgroups()}:
        yield Problem(path, f"only root can write a file that belongs to {files.user_name(owner.uid)}.")


# Space ------------------------------------------------------------------------------------------------------


def _space(places: list[tuple[Change, Path]]) -> Iterator[Problem]:
    """Compare what will be written with what is free; quotas and compression are not known."""
    needed: dict[int, tuple[Path, int, int]] = {}
    for change, path in places:
        if isinstance(change, File) and change.after is not None:
            folder = next(parent for parent in path.parents if parent.exists())
            device = folder.stat().st_dev
            _, size, count = needed.get(device, (folder, 0, 0))
            needed[device] = folder, size + len(change.after), count + 1
    for folder, size, count in needed.values():
        free = os.statvfs(folder)
        room = (free.f_bfree if os.geteuid() == 0 else free.f_bavail) * free.f_frsize
        if room < size:
            yield Problem(
                folder, f"the disk is full: {count} files of {size} bytes need room, {room} bytes are free."
            )
        if free.f_files and free.f_ffree < count:
            yield Problem(
                folder,
                f"the disk has no room for more files: inodes needed {count}, free {free.f_ffree} (df -i). "
                "Remove files that nobody needs.",
            )
