"""What a sandbox has started ends with it, even when its owner is killed and cannot tidy up.

The owner holds a lock on a file in the folder, which the system releases however it ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = "owner"


@contextmanager
def owning(root: Path) -> Iterator[None]:
    """Be the owner of this folder meanwhile."""
    with (root / _NAME).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def end_with_owner(root: Path) -> None:
    """End this process and remove the folder as soon as its owner has gone; it may have none."""
    if (root / _NAME).exists():
        threading.Thread(target=_wait, args=(root,), daemon=True).start()


def _wait(root: Path) -> None:
    with (root / _NAME).open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        shutil.rmtree(root, ignore_errors=True)
        os.kill(os.getpid(), signal.SIGTERM)
