"""Run one step of the engine again and again, each time with another system call struck.

strace(1) counts the calls of each name, and strikes the one with a given number: with a signal before it is
carried out, or with an error instead of it. The first run is only watched, to learn which calls there are.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.crash.judge import judge
from tests.crash.worker import Point, Worker, inject, one_worker
from wizard.state import State

ERRORS = ("ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EINTR")
READ_ERRORS = ("EIO", "EACCES", "EINTR")
NO_EXCHANGE = "renameat2:error=EINVAL:when=1+"
"""A file system that knows neither RENAME_EXCHANGE nor RENAME_NOREPLACE."""

_CANNOT_FAIL = {"getpid", "getuid", "geteuid", "getgid", "getegid", "rt_sigprocmask", "rt_sigaction"}


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


# Trials ----------------------------------------------------------------------------------------------------


def strike(
    step: str, point: Point, effect: str, *others: str, mutant: str = "", mounted: bool = False
) -> Trial:
    """A trial: one call of one step struck by a signal or an error."""
    injections = [*others, f"{point.call}:{effect.replace('@', str(point.number))}"]

    def trial(worker: Worker) -> list[str]:
        with worker.world(mounted=mounted) as root:
            code, output = worker.run(root, step, "-o", os.devnull, *inject(injections), mutant=mutant)
            wrong = judge(root, step, code, output, loose="start.sh" if mounted else "")
        assert wrong or "KILL" not in effect or code == -signal.SIGKILL, f"{point} was not reached"
        return wrong

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
            options = ("-o", os.devnull, *inject([kill]))
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
