"""Who else has a hand in a place on the disk: who can write in its folders, who made the links to it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from wizard import files
from wizard.plan import Owner


def open_folders(folder: Path, owner: Owner | None) -> Iterator[Path]:
    """The folders, from this one up, in which others than root, the running user and `owner` can write.

    One that does not exist yet is passed over. Above the folder the sticky bit is enough, since it keeps
    others from exchanging what is on the way; in the folder itself they could still take a name first.
    """
    if folder.exists() and _others_can_write(folder, owner):
        yield folder
    for below, above in pairwise((folder, *folder.parents)):
        if (
            above.exists()
            and _others_can_write(above, owner)
            and not _kept_by_sticky_bit(below, above, owner)
        ):
            yield above


def follow(path: Path) -> tuple[Path, Path | None]:
    """Where symbolic links lead to, and the first of them that somebody laid to a place not their own.

    Root, the running user, and the owner of what it leads to may lay one; the kernel trusts the same owners
    in shared folders (proc_sys_fs(5), protected_symlinks). Each link is read once, so that both answers
    belong together whatever is exchanged meanwhile.
    """
    here, rest = Path("/"), list(reversed(path.absolute().parts[1:]))
    strange: Path | None = None
    links = 0
    while rest:
        name = here / rest.pop()
        if name.name == "..":
            here = here.parent
        elif links == _MOST_LINKS or (target := _link_target(name)) is None:
            here = name
        else:
            links += 1
            strange = strange or (name if _strange(name, target) else None)
            here = Path("/") if target.is_absolute() else here
            rest += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    return here, strange


_MOST_LINKS = 40  # as the kernel: path_resolution(7)


def _link_target(name: Path) -> Path | None:
    try:
        return name.readlink()
    except OSError:  # not a link, or not there
        return None


def _strange(link: Path, target: Path) -> bool:
    laid_by = link.lstat().st_uid
    leads_to = link.parent / target
    return laid_by not in {0, os.geteuid()} and not (leads_to.exists() and leads_to.stat().st_uid == laid_by)


def _others_can_write(folder: Path, owner: Owner | None) -> bool:
    status = folder.stat()
    if status.st_uid not in _trusted(owner) or status.st_mode & stat.S_IWOTH:
        return True
    return bool(status.st_mode & stat.S_IWGRP) and not _private_group(status.st_gid, status.st_uid)


def _kept_by_sticky_bit(below: Path, above: Path, owner: Owner | None) -> bool:
    status = above.stat()
    if not status.st_mode & stat.S_ISVTX or status.st_uid not in _trusted(owner):
        return False
    return not below.exists() or below.stat().st_uid in _trusted(owner)


def _trusted(owner: Owner | None) -> set[int]:
    return {0, os.geteuid()} | ({owner.uid} if owner else set())


def _private_group(gid: int, uid: int) -> bool:
    """Whether a group is that of one user alone, as most distributions make one for each user."""
    import grp

    try:
        group = grp.getgrgid(gid)
    except KeyError:
        return False
    name = files.user_name(uid)
    return group.gr_name == name and set(group.gr_mem) <= {name}
