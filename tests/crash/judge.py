"""What a run that was struck may leave, and what it may not."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tests.crash import scenario
from tests.crash.actor import REFUSED
from tests.crash.scenario import Tree, tree
from tests.crash.worker import one_worker
from wizard import journal, transaction
from wizard.errors import WizardError
from wizard.journal import Status
from wizard.state import State


@cache
def trees() -> tuple[Tree, Tree]:
    """The host before and after the plan."""
    with one_worker() as worker, worker.world() as root:
        before = tree(root / "host")
        transaction.apply(scenario.plan_for(root / "host"), State(root / "state"))
        return before, tree(root / "host")


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
            # Done but not tidied: the stages are still there, and after an undo the emptied folder.
            emptied = "tls" if step == "undo" else ""
            now = {name: it for name, it in now.items() if ".tls-wizard-" not in name and name != emptied}
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


def _difference(now: Tree, expected: Tree) -> str:
    names = sorted(name for name in now.keys() | expected.keys() if now.get(name) != expected.get(name))
    return "these differ: " + ", ".join(f"{name} ({str(now.get(name))[:80]})" for name in names)
