"""The file primitives on which the transaction stands.

Each of them leaves a name as it was or as it should be, never in between. A new content is first written in
full to a second name in the same folder, the *stage*; then the two names trade places:

    take    name  -> stage     rename(2)                        the file is removed
    put     stage -> name      renameat2(2), RENAME_NOREPLACE   the file is created; never overwrites
    swap    stage <-> name     renameat2(2), RENAME_EXCHANGE    the file is replaced; the old is in the stage

Trading twice restores the very inode that was there before: content, owner, mode, attributes and hard links,
without needing any space. Where a kernel or file system refuses the flags (NFS, older ZFS), hard links do the
same in several steps, as dpkg does (lib/dpkg/atomic-file.c); `settle` completes them after an interruption.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wizard.plan import Owner

Attributes = Mapping[str, bytes]
"""Extended attributes by name; access control lists and SELinux labels are among them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is found at a name, enough to recognise it again."""

    kind: Literal["file", "link", "directory", "other"]
    digest: str = ""
    """SHA-256 of a file's content, in hexadecimal; of a symbolic link its target."""
    mode: int = 0
    """Permission bits; 0 for a symbolic link, as are its owner's numbers: Linux does not use them."""
    uid: int = 0
    gid: int = 0

    @property
    def owner(self) -> Owner:
        """Account and group."""
        return Owner(self.uid, self.gid)


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def look(path: Path) -> Entry | None:
    """What is at a name, without following a symbolic link; None if nothing is."""
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return Entry("link", os.readlink(path))  # noqa: PTH115 - a Path would turn "./x" into "x"
        kind: Literal["file", "directory", "other"] = "other"
        content = ""
        if stat.S_ISREG(status.st_mode):
            kind, content = "file", digest(read(path))
        elif stat.S_ISDIR(status.st_mode):
            kind = "directory"
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Entry(kind, content, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)


def read(path: Path) -> bytes:
    """The content of a regular file; a symbolic link is not followed, a pipe not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        return file.read()


def create(
    path: Path,
    content: bytes,
    *,
    mode: int = 0o600,
    owner: Owner | None = None,
    attributes: Attributes | None = None,
) -> None:
    """Write a new file and bring its content to the disk.

    It is made 0600 whatever the umask, and gets its owner, attributes and mode in this order at the end, so
    that nobody can read it who may not: chown(2) clears set-user-ID bits, and an access control list changes
    the mode. Raises `FileExistsError` if there is anything at that name, a dangling symbolic link included.
    """
    with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW) as descriptor:
        _fill(descriptor, content, mode, owner, attributes)


def overwrite(path: Path, content: bytes, *, mode: int, owner: Owner, attributes: Attributes) -> None:
    """Write into an existing file: the weaker way, for a name that cannot be renamed (a mounted file).

    An interruption leaves it torn, so the caller must keep the old content elsewhere, on the disk, before.
    """
    with _opened(path, os.O_WRONLY | os.O_NOFOLLOW) as descriptor:
        _fill(descriptor, content, mode, owner, attributes)


def make_directory(path: Path, *, mode: int, owner: Owner) -> None:
    """Make a folder, private until it has its owner, and bring it to the disk; raises `FileExistsError`."""
    path.mkdir(mode=0o700)
    with _opened(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW) as descriptor:
        os.fchown(descriptor, owner.uid, owner.gid)
        set_attributes(descriptor, {})
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    sync(path.parent)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    """Open a file, a new one 0600, and close it; an error in between names it, as one of open(2) does."""
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    except OSError as error:
        if not isinstance(error.filename, str):
            error.filename = str(path)
        raise
    finally:
        os.close(descriptor)


def _fill(
    descriptor: int, content: bytes, mode: int, owner: Owner | None, attributes: Attributes | None
) -> None:
    rest = memoryview(content)
    while rest:  # a nearly full disk takes a part, and refuses the next write
        rest = rest[os.write(descriptor, rest) :]
    os.ftruncate(descriptor, len(content))
    if owner is not None:
        os.fchown(descriptor, owner.uid, owner.gid)
    if attributes is not None:
        set_attributes(descriptor, attributes)
    os.fchmod(descriptor, mode)
    os.fsync(descriptor)


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """A name for a folder that stays with it, whatever takes the place of it or of one above meanwhile.

    Raises `OSError` when a symbolic link leads to it now, though its path was a real one.
    """
    with _opened(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW) as descriptor:
        name = Path(f"/proc/self/fd/{descriptor}")
        if name.readlink() != folder:
            raise OSError(errno.ELOOP, f"leads to {name.readlink()} now, which was not meant")
        yield name


def sync(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    with _opened(folder, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
        os.fsync(descriptor)


# Extended attributes ----------------------------------------------------------------------------------------

_OF_ONE_CONTENT = {"security.ima", "security.evm"}  # signatures over the content: never right for another one


def get_attributes(file: Path | int) -> dict[str, bytes]:
    """The extended attributes of a file, without following a symbolic link."""
    follow = isinstance(file, int)
    try:
        names = os.listxattr(file, follow_symlinks=follow)
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            return {}
        raise
    return {
        name: os.getxattr(file, name, follow_symlinks=follow) for name in names if name not in _OF_ONE_CONTENT
    }


def set_attributes(descriptor: int, wanted: Attributes) -> None:
    """Give an open file exactly these extended attributes.

    A folder's default access control list adds entries to every file made in it; they go too. Only what the
    kernel itself put into `security.` stays: a SELinux label can be changed but not removed.
    """
    present = get_attributes(descriptor)
    for name in present.keys() - wanted.keys():
        if not name.startswith("security."):
            os.removexattr(descriptor, name)
    for name, value in wanted.items():
        if present.get(name) != value:
            os.setxattr(descriptor, name, value)


# Trading places ---------------------------------------------------------------------------------------------

_RENAME_NOREPLACE, _RENAME_EXCHANGE = 1, 2  # linux/fs.h
_AT_FDCWD = -100  # linux/fcntl.h
_UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
_renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)  # absent from older C libraries


def take(path: Path, stage: Path) -> None:
    """Move what is at `path` to the free name `stage`."""
    path.rename(stage)


def put(stage: Path, path: Path) -> None:
    """Move what is at `stage` to `path`; raises `FileExistsError` when something is there."""
    if not _rename(stage, path, _RENAME_NOREPLACE):
        os.link(stage, path, follow_symlinks=False)
        stage.unlink()


def swap(stage: Path, path: Path) -> None:
    """Exchange what is at the two names; raises `FileNotFoundError` when one of them is free."""
    if not _rename(stage, path, _RENAME_EXCHANGE):
        aside = _aside(stage)
        os.link(path, aside, follow_symlinks=False)
        stage.rename(path)
        aside.rename(stage)


def settle(stage: Path, path: Path) -> None:
    """Complete, or take back, a `put` or `swap` by hard links that was interrupted between its steps."""
    aside = _aside(stage)
    set_aside, staged = _inode(aside), _inode(stage)
    if set_aside and staged:
        aside.unlink()
    elif set_aside:
        aside.rename(stage)
    elif staged and staged == _inode(path):
        stage.unlink()


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def _aside(stage: Path) -> Path:
    return stage.with_name(stage.name + ".old")


def _rename(source: Path, destination: Path, flags: int) -> bool:
    """Call renameat2(2), which Python lacks; False when kernel or file system do not know the flags."""
    if _renameat2 is None:
        return False
    if _renameat2(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(destination), flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(destination))


# What can stand in the way ----------------------------------------------------------------------------------

_FS_IOC_GETFLAGS = 0x80086601  # linux/fs.h; where another code is used the call fails and says nothing
_FS_IMMUTABLE, _FS_APPEND_ONLY = 0x10, 0x20


def frozen(path: Path) -> bool:
    """Whether `chattr +i` or `chattr +a` protects a file or folder, from root too."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        answer = fcntl.ioctl(descriptor, _FS_IOC_GETFLAGS, bytes(8))
    except OSError:  # the file system has no such flags
        return False
    finally:
        os.close(descriptor)
    return bool(int.from_bytes(answer[:4], "little") & (_FS_IMMUTABLE | _FS_APPEND_ONLY))


def mount_points(mountinfo: Path = Path("/proc/self/mountinfo")) -> frozenset[Path]:
    """Every path something is mounted on, files included; see proc_pid_mountinfo(5)."""
    fields = (line.split(b" ")[4] for line in mountinfo.read_bytes().splitlines())
    return frozenset(Path(os.fsdecode(_unescape(field))) for field in fields)


def _unescape(field: bytes) -> bytes:
    # The kernel writes blank, tab, newline and backslash as three octal digits.
    first, *rest = field.split(b"\\")
    return first + b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in rest)


def user_name(uid: int) -> str:
    """The account's name, or its number when it has none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
