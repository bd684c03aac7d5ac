"""Nothing can be lost: whatever system call is killed, fails, or loses its power.

`python -m tests.crash` prints the same as a table.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.crash import disks, scenario, sweep
from tests.crash.actor import REFUSED
from tests.crash.proofs import MUTANTS, PROOFS, missing, mutant_found
from tests.crash.scenario import tree
from tests.crash.worker import Point, Worker, one_worker
from wizard import journal, transaction
from wizard.journal import Status
from wizard.state import State


@pytest.fixture(autouse=True)
def _able() -> None:
    if missing():
        pytest.skip(f"not run: needs {missing()}")


@pytest.mark.parametrize("name", PROOFS)
def test_nothing_is_lost_when(name: str) -> None:
    tally = sweep.sweep(name, PROOFS[name]())
    assert tally.tried > 0
    assert tally.failures == ()


@pytest.mark.parametrize("name", MUTANTS)
def test_the_sweeps_find_an_engine_with(name: str) -> None:
    assert mutant_found(name).failures


@pytest.fixture
def worker() -> Iterator[Worker]:
    with one_worker() as worker:
        yield worker


Edited: TypeAlias = tuple[bytes, int]
"""Content and mode afterwards."""


def write_into(path: Path) -> Edited:
    path.write_bytes(b"edited in place by somebody else\n")
    return b"edited in place by somebody else\n", 0o750


def write_anew(path: Path) -> Edited:
    other = path.with_name("other")
    other.write_bytes(b"saved by an editor\n")
    other.chmod(0o700)
    other.rename(path)
    return b"saved by an editor\n", 0o700


def add_a_right(path: Path) -> Edited:
    path.chmod(0o777)
    return scenario.SCRIPT, 0o777


@pytest.mark.parametrize("edit", [write_into, write_anew, add_a_right])
def test_an_edit_in_the_instant_before_the_exchange_is_kept(
    worker: Worker, edit: Callable[[Path], Edited]
) -> None:
    (exchange,) = [point for point in sweep.learn("apply") if "RENAME_EXCHANGE" in point.arguments]
    with worker.world() as root:
        script, previous = root / "host/start.sh", root / "host/tls/1234abcd.0"
        before = tree(root / "host")
        code, output, edited = delayed(worker, root, exchange, previous, lambda: edit(script))
        now = tree(root / "host")

        assert code == REFUSED
        assert f"{script}: was edited by somebody else in this instant; the edit is kept." in output
        assert "The old state is back" in output
        assert now.pop("start.sh")[:2] == edited
        assert before.pop("start.sh")[:2] != edited
        assert now == before
        assert journal.history(State(root / "state"))[0].status is Status.ROLLED_BACK


def test_a_file_made_in_the_instant_before_ours_is_kept(worker: Worker) -> None:
    second = [point for point in sweep.learn("apply") if "RENAME_NOREPLACE" in point.arguments][1]
    with worker.world() as root:
        certificate, previous = root / "host/tls/cert.pem", root / "host/tls/key.pem"
        code, output, _ = delayed(worker, root, second, previous, lambda: write_into(certificate))

        assert code == REFUSED
        assert f"{certificate}: was created or removed by somebody else" in output
        assert [path.name for path in (root / "host/tls").iterdir()] == ["cert.pem"]
        assert b"somebody else" in certificate.read_bytes()
        assert transaction.interrupted(State(root / "state")) is None


def delayed(
    worker: Worker, root: Path, point: Point, previous: Path, action: Callable[[], Edited]
) -> tuple[int, str, Edited]:
    """Apply, with one call held up for a second in which something else happens, once `previous` is there."""
    delay = f"inject={point.call}:delay_enter=1000000:when={point.number}"
    strace = worker.attach(root, "apply", "-o", os.devnull, "-e", f"trace={point.call}", "-e", delay)
    worker.go()
    while not os.path.lexists(previous):
        time.sleep(0.001)
    edited = action()
    return *worker.end(strace), edited


def test_only_a_small_disk_of_our_own_is_ever_filled(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="never fill another file system"):
        disks._fill(tmp_path, 0, None)
    assert list(tmp_path.iterdir()) == []


def test_the_scenario_has_one_change_of_each_kind(worker: Worker) -> None:
    with worker.world() as root:
        run = transaction.apply(scenario.plan_for(root / "host"), State(root / "state"))
        done = {(step.kind, step.before is None, step.after is None) for step in run.steps}
    assert done == {
        ("directory", True, False),
        ("file", True, False),
        ("link", True, False),
        ("file", False, False),
        ("file", False, True),
    }
