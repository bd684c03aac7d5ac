"""One run of one step of the engine under strace(1), in a host of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.crash import scenario

SHARED = Path("/dev/shm")

# Memory, and the actor's own calls: a kill there is a kill at the call before.
_OUTSIDE = {"brk", "mmap", "munmap", "mprotect", "madvise", "futex", "getrandom", "exit_group", "readv"}
# How often a child is looked after depends on how soon it ends; a kill there is one at the call before, too.
_WAITING = {"wait4", "clock_nanosleep"}
_CHANGE = {
    "write", "pwrite64", "ftruncate", "mkdir", "rmdir", "rename", "renameat2", "link", "linkat", "symlink",
    "unlink", "fchmod", "chmod", "fchown", "fsetxattr", "fremovexattr", "fsync",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Point:
    """A system call of a step: the `number`th of its name in the process."""

    call: str
    number: int
    arguments: str

    @property
    def changes(self) -> bool:
        """Whether it changes something on the disk."""
        return self.call in _CHANGE or "O_CREAT" in self.arguments

    def __str__(self) -> str:
        return f"{self.call} {self.number} ({self.arguments[:120]})"


class Worker:
    """Runs steps, one after the other, in children of one actor process."""

    def __init__(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="tls-wizard-", dir=SHARED if SHARED.is_dir() else None))
        self.actor = subprocess.Popen(
            [sys.executable, "-S", str(Path(__file__).with_name("actor.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONHASHSEED": "0"},
            text=True,
        )
        self.output = self.place / "output"

    def close(self) -> None:
        """End the actor and remove everything."""
        with self.actor:
            pass  # its input ends
        shutil.rmtree(self.place)

    def run(
        self,
        root: Path,
        step: str,
        *options: str,
        mutant: str = "",
        before: Callable[[], object] = lambda: None,
    ) -> tuple[int, str]:
        """Run a step under strace; answers with exit code (negative: a signal) and what the wizard said.

        `before` is done between what comes before the step and the step.
        """
        strace = self.attach(root, step, *options, mutant=mutant)
        before()
        self.go()
        return self.end(strace)

    def attach(self, root: Path, step: str, *options: str, mutant: str = "") -> subprocess.Popen[str]:
        """Prepare a step, and attach strace to the process that is about to begin it."""
        self.output.write_text("")
        self._tell(f"{step} {root} {self.output} {mutant}")
        strace = subprocess.Popen(
            ["strace", "-p", str(self._hear()), *options], stderr=subprocess.PIPE, text=True
        )
        assert strace.stderr
        first = strace.stderr.readline()
        assert "attached" in first, first
        return strace

    def go(self) -> None:
        """Let the step begin."""
        self._tell("go")

    def end(self, strace: subprocess.Popen[str]) -> tuple[int, str]:
        """Wait until the step has ended, one way or the other."""
        code = self._hear()
        with strace:
            strace.communicate()
        return code, self.output.read_text()

    def _tell(self, line: str) -> None:
        assert self.actor.stdin
        self.actor.stdin.write(line + "\n")
        self.actor.stdin.flush()

    def _hear(self) -> int:
        assert self.actor.stdout
        return int(self.actor.stdout.readline())

    @contextmanager
    def world(self, *, mounted: bool = False) -> Iterator[Path]:
        """A fresh host in memory, where that is possible; its script may be mounted, as in a container."""
        root = self.place / "world"
        script = scenario.make_host(root) / "start.sh"
        if mounted:
            subprocess.run(["mount", "--bind", script, script], check=True)
        try:
            yield root
        finally:
            if mounted:
                unmount(script)
            shutil.rmtree(root)

    def calls(
        self,
        root: Path,
        step: str,
        *injections: str,
        mutant: str = "",
        before: Callable[[], object] = lambda: None,
    ) -> tuple[Point, ...]:
        """Run a step and answer with the system calls it makes, in order."""
        log = self.place / "strace"
        options = ("-s", "200", "-o", str(log), *inject(injections))
        code, output = self.run(root, step, *options, mutant=mutant, before=before)
        assert code == 0, output
        counted: Counter[str] = Counter()
        found: list[Point] = []
        for line in log.read_text().splitlines():
            if call := re.match(r"(\w+)\((.*)", line):
                counted[call[1]] += 1
                found.append(Point(call[1], counted[call[1]], call[2]))
        return tuple(point for point in found if point.call not in _OUTSIDE | _WAITING)


def inject(injections: Iterable[str]) -> list[str]:
    """The options that make strace strike."""
    return [word for injection in injections for word in ("-e", f"inject={injection}")]


@contextmanager
def one_worker() -> Iterator[Worker]:
    """A worker, closed at the end."""
    worker = Worker()
    try:
        yield worker
    finally:
        worker.close()


def unmount(place: Path) -> None:
    """Unmount; a program that another thread is starting holds our files open until its exec."""
    for _ in range(100):
        if subprocess.run(["umount", place], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
        time.sleep(0.01)
    raise AssertionError(f"{place} is busy")
