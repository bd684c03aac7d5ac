"""Small files: reads those that a user names, whatever stands there; writes those of the wizard itself.

Reading neither hangs nor fills the memory.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LARGEST = 1_000_000
"""Bytes; no script or answers file comes near it."""


def read_small(path: Path, largest: int = LARGEST) -> bytes:
    """The content of a regular file of at most `largest` bytes, symbolic links followed.

    OSError, its reason fit for a sentence: it is something else, is larger, or cannot be read.
    """
    # A pipe without a writer would be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        os.close(descriptor)
        raise IsADirectoryError(errno.EISDIR, "It is a folder, not a file", str(path))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "It is a device or a pipe, not a file", str(path))
        if status.st_size > largest:
            raise OSError(errno.EFBIG, f"It is larger than {largest // 1_000_000} MB", str(path))
        # Those of /proc, which may never end, have the size 0.
        return file.read(status.st_size)


def write_small(path: Path, content: bytes) -> None:
    """Put a file that only its owner can read in the place of what is there: whole, at once, not flushed.

    Raises OSError.
    """
    # A name of its own, for another wizard may write the same file now.
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(partial, flags, 0o600), "wb") as file:
            file.write(content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def version(path: Path) -> tuple[int, int, int]:
    """What changes whenever a file is written: its number, time and size; to keep what was read from it.

    Raises OSError.
    """
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
