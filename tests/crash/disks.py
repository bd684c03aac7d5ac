"""Disks of our own: one that loses its power, and one that is nearly full."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.crash import scenario
from tests.crash.judge import judge
from tests.crash.sweep import Trial
from tests.crash.worker import Point, Worker, one_worker, unmount

# Power ------------------------------------------------------------------------------------------------------

_EXT4 = "loop,noauto_da_alloc,commit=300"
"""Nothing reaches the disk by itself: neither by ext4's help for those who forget fsync nor by time."""


def power_cuts(step: str, *, mutant: str = "") -> Iterator[Trial]:
    """Cut the power before every system call that changes something, and after the last.

    A call that only reads leaves the disk as it is, so a cut there is a cut at the next one that changes it.
    """
    with one_worker() as worker, _disks(worker) as (root, _):
        calls = worker.calls(root, step, mutant=mutant)
    for point in reversed([point for point in calls if point.changes]):
        yield Trial(f"{step}, power cut at {point}", _cut(step, point, mutant))
    yield Trial(f"{step}, power cut when done", _cut(step, None, mutant))


def _cut(step: str, point: Point | None, mutant: str) -> Callable[[Worker], list[str]]:
    def carry_out(worker: Worker) -> list[str]:
        options = ["-e", "trace=none"]
        if point:
            options = ["-e", f"inject={point.call}:signal=KILL:when={point.number}"]
        with _disks(worker) as (root, images):
            code, output = worker.run(root, step, "-o", os.devnull, *options, mutant=mutant)
            for image in images:  # only this has reached the disk; the rest is lost
                shutil.copyfile(image, image.with_suffix(".cut"))
        with _mounted(worker, *(image.with_suffix(".cut") for image in images)) as root:
            wrong = judge(root, step, code, output)
        assert wrong or not point or code == -signal.SIGKILL, f"{point} was not reached"
        return wrong

    return carry_out


@contextmanager
def _disks(worker: Worker) -> Iterator[tuple[Path, tuple[Path, Path]]]:
    """Two fresh ext4 disks, one with the host on it and one for the state: to flush one is not enough."""
    fresh = worker.place / "host.fresh", worker.place / "state.fresh"
    if not fresh[0].exists():
        for image in fresh:
            image.touch()
            os.truncate(image, 4 << 20)
            subprocess.run(["mkfs.ext4", "-q", "-b", "1024", image], check=True)
        with _mounted(worker, *fresh) as root:
            (root / "host/lost+found").rmdir()
            scenario.make_host(root)
    images = worker.place / "host.image", worker.place / "state.image"
    for image, source in zip(images, fresh, strict=True):
        shutil.copyfile(source, image)
    with _mounted(worker, *images) as root:
        yield root, images


@contextmanager
def _mounted(worker: Worker, host: Path, state: Path) -> Iterator[Path]:
    root = worker.place / "disk"
    with ExitStack() as mounts:
        for image, place in (host, root / "host"), (state, root / "state"):
            place.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "-o", _EXT4, image, place], check=True)
            mounts.callback(unmount, place)
        yield root


# Full disks -------------------------------------------------------------------------------------------------


def nearly_full(room: range = range(40)) -> Iterator[Trial]:
    """Apply with so many blocks, or so many inodes, left on the disk of host and state."""
    for left in room:
        yield Trial(f"apply with {left} blocks left", _full("apply", blocks=left))
    for left in range(20):
        yield Trial(f"apply with {left} inodes left", _full("apply", inodes=left))


def recoveries_on_a_full_disk() -> Iterator[Trial]:
    """Recover when there is neither a block nor an inode left."""
    for step in ("recover-prepared", "recover-committed"):
        yield Trial(f"{step} with nothing left", _full(step, blocks=0, inodes=0))


def _full(
    step: str, *, blocks: int | None = None, inodes: int | None = None
) -> Callable[[Worker], list[str]]:
    def carry_out(worker: Worker) -> list[str]:
        with _small_disk(worker) as root:
            scenario.make_host(root)
            options = ("-o", os.devnull, "-e", "trace=none")
            done = worker.run(root, step, *options, before=lambda: _fill(root, blocks, inodes))
            return judge(root, step, *done)

    return carry_out


@contextmanager
def _small_disk(worker: Worker) -> Iterator[Path]:
    place = worker.place / "small"
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,nr_inodes=100", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        unmount(place)


def _fill(root: Path, blocks: int | None, inodes: int | None) -> None:
    """Leave so much room on a disk, which must be a small one of our own."""
    free = os.statvfs(root)
    assert root.is_mount() and free.f_blocks * free.f_frsize <= 1 << 20, "never fill another file system"
    if inodes is not None:
        for number in range(free.f_ffree - inodes - 1):
            (root / f"filler-{number}").touch()
    with (root / "filler").open("wb") as filler:
        if blocks is not None:
            filler.write(bytes((free.f_bfree - blocks) * free.f_frsize))
