"""Run one step of the engine again and again, each time with another system call struck; judge what is left.

strace(1) counts the calls of each name, and strikes the one with a given number: with a signal before it is
carried out, or with an error instead of it. The first run is only watched, to learn which calls there are.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from tests.crash import scenario
from tests.crash.actor import REFUSED
from tests.crash.scenario import Tree, tree
from wizard import journal, transaction
from wizard.errors import WizardError
from wizard.journal import Status
from wizard.state import State

STEPS = ("apply", "undo", "recover-prepared", "recover-committed")
ERRORS = ("ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EINTR")
READ_ERRORS = ("EIO", "EACCES", "EINTR")
NOT_REACHED = "the call was not reached in ten runs"
SHARED = Path("/dev/shm")
NO_EXCHANGE = "renameat2:error=EINVAL:when=1+"
"""A file system that knows neither RENAME_EXCHANGE nor RENAME_NOREPLACE."""

# Memory, and the actor's own calls: a kill there is a kill at the call before.
_OUTSIDE = {"brk", "mmap", "munmap", "mprotect", "madvise", "futex", "getrandom", "exit_group", "readv"}
_CANNOT_FAIL = {"getpid", "getuid", "geteuid", "getgid", "getegid", "rt_sigprocmask", "rt_sigaction"}
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


@cache
def trees() -> tuple[Tree, Tree]:
    """The host before and after the plan."""
    with one_worker() as worker, worker.world() as root:
        before = tree(root / "host")
        transaction.apply(scenario.plan_for(root / "host"), State(root / "state"))
        return before, tree(root / "host")


@dataclass(frozen=True, slots=True)
class Tally:
    """The result of a sweep."""

    name: str
    tried: int
    failures: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried, and the trial, which answers with everything that was wrong."""

    title: str
    carry_out: Callable[[Worker], list[str]]


def sweep(name: str, trials: Iterable[Trial], *, until_failure: bool = False) -> Tally:
    """Carry out trials, two at a time (one where tests already run in parallel)."""
    tried, failures = 0, list[str]()
    waiting = iter(trials)
    lock = threading.Lock()

    def work() -> None:
        nonlocal tried
        with one_worker() as worker:
            while not (until_failure and failures):
                with lock:
                    trial = next(waiting, None)
                    tried += trial is not None
                if trial is None:
                    return
                failures.extend(f"{trial.title}: {wrong}" for wrong in trial.carry_out(worker))

    count = 1 if "PYTEST_XDIST_WORKER" in os.environ else 2
    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(work) for _ in range(count)]:
            done.result()
    return Tally(name, tried, tuple(failures))


def unmount(place: Path) -> None:
    """Unmount; a program that another thread is starting holds our files open until its exec."""
    for _ in range(100):
        if subprocess.run(["umount", place], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
        time.sleep(0.01)
    raise AssertionError(f"{place} is busy")


@contextmanager
def one_worker() -> Iterator[Worker]:
    """A worker, closed at the end."""
    worker = Worker()
    try:
        yield worker
    finally:
        worker.close()


# One run of a step ------------------------------------------------------------------------------------------


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
        options = ("-s", "200", "-o", str(log), *_inject(injections))
        code, output = self.run(root, step, *options, mutant=mutant, before=before)
        assert code == 0, output
        counted: Counter[str] = Counter()
        found: list[Point] = []
        for line in log.read_text().splitlines():
            if call := re.match(r"(\w+)\((.*)", line):
                counted[call[1]] += 1
                found.append(Point(call[1], counted[call[1]], call[2]))
        return tuple(point for point in found if point.call not in _OUTSIDE)


def _inject(injections: Iterable[str]) -> list[str]:
    return [word for injection in injections for word in ("-e", f"inject={injection}")]


# The judgement ----------------------------------------------------------------------------------------------


def judge(root: Path, step: str, code: int, output: str, *, loose: str = "") -> list[str]:
    """Everything that is wrong with what a struck run left, before and after recovery.

    A file named as `loose` may be torn or absent before recovery.
    """
    host, state = root / "host", State(root / "state")
    wrong = []
    if code > 0 and code != REFUSED:
        wrong.append(f"not a sentence but {output[-600:]}")
    whole = {name for side in trees() for name in side} - {loose}
    wrong += _torn(tree(host), whole) + _exposed(root)
    wrong += _claims(step, tree(host), state, code, output)
    try:
        transaction.recover(state)
    except (WizardError, OSError) as error:
        return [*wrong, f"recovery failed: {error}"]
    return wrong + _ended(step, tree(host), state)


def _torn(now: Tree, names: Iterable[str]) -> list[str]:
    """Every file at any instant is the old one or the new one, whole, with its owner and mode."""
    before, after = trees()
    wrong = []
    for name in names:
        allowed = [side.get(name) for side in (before, after)]
        folder = name in now and now[name][0] is None and None in allowed  # a new folder gets its owner later
        if now.get(name) not in allowed and not folder:
            wrong.append(f"{name} is {'torn' if name in now else 'absent'}: {str(now.get(name))[:200]}")
    return wrong


def _exposed(root: Path) -> list[str]:
    """The key is never in a file that others can read."""
    return [
        f"{path} can be read by others"
        for path in root.rglob("*")
        if path.is_file() and path.stat().st_mode & 0o077 and b"SECRET KEY" in path.read_bytes()
    ]


def _claims(step: str, now: Tree, state: State, code: int, output: str) -> list[str]:
    """What the wizard said is true: "done" means done, "the old state is back" means that."""
    start, goal = _sides(step)
    if code == 0:
        interrupted = transaction.interrupted(state)
        if interrupted and interrupted.status is Status.COMMITTED:
            now = {name: found for name, found in now.items() if ".tls-wizard-" not in name}
            goal = goal if step != "undo" else now if _without(now, "tls") == goal else goal
        return [] if now == goal else [f"said done, but {_difference(now, goal)}"]
    if code == REFUSED and ("old state is back" in output or "Nothing was changed" in output):
        return [] if now == start else [f"said the old state is back, but {_difference(now, start)}"]
    return []


def _ended(step: str, now: Tree, state: State) -> list[str]:
    """After recovery all is old or all is new, as history says, and nothing is left over."""
    start, goal = _sides(step)
    wrong = []
    if transaction.recover(state) is not None:
        wrong.append("recovery had to be repeated")
    runs = journal.history(state)
    made = len(runs) > (1 if step == "undo" else 0) and runs[-1].status is Status.APPLIED
    if step == "recover-prepared" and made:
        wrong.append("was not rolled back")
    if step == "recover-committed" and not made:
        wrong.append("was not completed")
    expected = trees()[0] if step == "recover-prepared" else goal if made else start
    if now != expected:
        wrong.append(f"recovered, but {_difference(now, expected)}")
    return wrong


def _sides(step: str) -> tuple[Tree, Tree]:
    before, after = trees()
    return {"undo": (after, before), "recover-prepared": (after, before)}.get(step, (before, after))


def _without(now: Tree, name: str) -> Tree:
    return {key: found for key, found in now.items() if key != name}


def _difference(now: Tree, expected: Tree) -> str:
    names = sorted(name for name in now.keys() | expected.keys() if now.get(name) != expected.get(name))
    return "these differ: " + ", ".join(f"{name} ({str(now.get(name))[:80]})" for name in names)


# Trials -----------------------------------------------------------------------------------------------------


def strike(
    step: str, point: Point, effect: str, *others: str, mutant: str = "", mounted: bool = False
) -> Trial:
    """A trial: one call of one step struck by a signal or an error."""
    injections = [*others, f"{point.call}:{effect.replace('@', str(point.number))}"]

    def trial(worker: Worker) -> list[str]:
        for _ in range(10):
            with worker.world(mounted=mounted) as root:
                code, output = worker.run(root, step, "-o", os.devnull, *_inject(injections), mutant=mutant)
                wrong = judge(root, step, code, output, loose="start.sh" if mounted else "")
            if wrong or "KILL" not in effect or code == -signal.SIGKILL:
                return wrong
        return [NOT_REACHED]  # how often a child is waited for may vary a little

    return Trial(f"{step}, {effect} at {point}", trial)


def learn(step: str, *injections: str, mutant: str = "", mounted: bool = False) -> tuple[Point, ...]:
    """The points of a step in memory."""
    with one_worker() as worker, worker.world(mounted=mounted) as root:
        return worker.calls(root, step, *injections, mutant=mutant)


def kills(step: str, *, mutant: str = "") -> Iterator[Trial]:
    """Kill at every system call, the last first."""
    for point in reversed(learn(step, mutant=mutant)):
        yield strike(step, point, "signal=KILL:when=@", mutant=mutant)


def kills_without_exchange(step: str) -> Iterator[Trial]:
    """The same where the file system only knows hard links."""
    for point in learn(step, NO_EXCHANGE):
        if point.call != "renameat2":  # refused here, so a kill there is a kill at the call before
            yield strike(step, point, "signal=KILL:when=@", NO_EXCHANGE)


def kills_in_place(step: str) -> Iterator[Trial]:
    """The same where something is mounted on the script, so that it is written in place."""
    for point in learn(step, mounted=True):
        yield strike(step, point, "signal=KILL:when=@", mounted=True)


def kills_of_recovery_over_an_edit() -> Iterator[Trial]:
    """Kill the recovery of a mounted script that somebody has edited since; the edit must be kept."""
    edit = b"edited by somebody after the crash, and not yet saved elsewhere\n"

    def kept(root: Path) -> list[str]:
        found = [path.read_bytes() for path in State(root / "state").runs.glob("*/found-*")]
        return [] if edit in found else ["the edit is lost"]

    return _kills_of_recovery(
        lambda root: (root / "host/start.sh").write_bytes(edit), kept, loose="start.sh", mounted=True
    )


def kills_of_recovery_without_stages() -> Iterator[Trial]:
    """Kill the recovery after somebody has tidied away the files with strange names."""

    def tidy_away(root: Path) -> None:
        for stage in (root / "host").glob(".tls-wizard-*"):
            stage.unlink()

    return _kills_of_recovery(tidy_away, lambda _: [], loose="old.pem")


def _kills_of_recovery(
    disturb: Callable[[Path], object],
    inspect: Callable[[Path], list[str]],
    *,
    loose: str,
    mounted: bool = False,
) -> Iterator[Trial]:
    def trial(worker: Worker, kill: str) -> list[str]:
        with worker.world(mounted=mounted) as root:
            options = ("-o", os.devnull, *_inject([kill]))
            done = worker.run(root, "recover-prepared", *options, before=lambda: disturb(root))
            return judge(root, "recover-prepared", *done, loose=loose) + inspect(root)

    with one_worker() as worker, worker.world(mounted=mounted) as root:
        calls = worker.calls(root, "recover-prepared", before=lambda: disturb(root))
    for point in calls:
        kill = f"{point.call}:signal=KILL:when={point.number}"
        yield Trial(f"disturbed recovery, {kill}", partial(trial, kill=kill))


def signals(step: str, every: int = 5) -> Iterator[Trial]:
    """Hangup and termination, by turns, at every fifth call."""
    for number, point in enumerate(learn(step)[::every]):
        yield strike(step, point, f"signal={('HUP', 'TERM')[number % 2]}:when=@")


def errors(step: str, every: int = 1) -> Iterator[Trial]:
    """Every errno at every call once; a call that only reads does not run out of space."""
    for point in learn(step)[::every]:
        if point.call not in _CANNOT_FAIL:
            for error in ERRORS if point.changes else READ_ERRORS:
                yield strike(step, point, f"error={error}:when=@")


def lasting_errors(step: str) -> Iterator[Trial]:
    """Errnos that stay from one call on, at every call that changes something."""
    for point in learn(step):
        if point.changes:
            for error in ("ENOSPC", "EIO", "EROFS"):
                yield strike(step, point, f"error={error}:when=@+")
