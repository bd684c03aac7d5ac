"""The wizard in a terminal, and the ways through its steps by keys."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from tests.screens.pty_terminal import Terminal, terminal

WIZARD = (sys.executable, "-m", "wizard")

Way: TypeAlias = tuple[tuple[tuple[str, ...], str], ...]
"""Keys, and what stands on the screen behind them; one after the other."""

TO_THE_ANSWERS: Way = ((("enter",), "page 1 of 2"), (("enter",), "page 2 of 2"), (("end", "x"), ""))
TO_THE_REVIEW: Way = (*TO_THE_ANSWERS, (("enter",), "nothing written yet"))
TO_THE_WRITING: Way = (*TO_THE_REVIEW, (("enter",), "Write 2 changes"), (("left", "enter"), "2 changes."))
TO_THE_PROOF: Way = (*TO_THE_WRITING, ((), "Done: 2 changes."), (("enter",), "Proven:"))
WAYS: dict[str, Way] = {
    "choose": (),
    "ask": TO_THE_ANSWERS,
    "review": TO_THE_REVIEW,
    "apply": TO_THE_PROOF[:-1],
    "prove": TO_THE_PROOF,
}
BESIDE: Way = (
    (("f1",), "Esc closes"),
    (("escape",), ""),  # alone: a letter behind it would make Alt of it
    (("h",), "Nothing has been done"),
    (("escape",), "What shall be secured?"),
    (("c",), "no certificate here yet"),
    (("escape",), "What shall be secured?"),
)
"""Help, what was done before, and the certificates here."""

OWN_AUTHORITY: Way = (
    (("enter",), "page 1 of 2"),
    (("tab", "right"), "page 1 of 3"),
    (("enter",), "page 2 of 3"),
    (("tab", "tab", "tab"), "Ctrl+G makes one."),
)
"""To the passphrase of a new authority."""

GONE_ON_WITH = {
    "choose": ("", "page 1 of 2"),
    "ask": ("Step 2 of 5 (Ask, page 2 of 2), IOTA Hub, REST", "page 2 of 2"),
    "review": ("Step 3 of 5 (Review), IOTA Hub, REST", "nothing written yet"),
    "apply": ("Step 5 of 5 (Prove), IOTA Hub, REST", "Proven:"),
    "prove": ("", "page 1 of 2"),
}
"""What the next start offers, and where Enter leads; what has been proven is done."""


@contextmanager
def rigged(how: str, folder: Path, **environment: str) -> Iterator[Terminal]:
    """The wizard with a target that writes into a folder of the test, as tests/screens/rigged.py says."""
    arguments = (sys.executable, "-m", "tests.screens.rigged", how, str(folder))
    where = {"TLS_WIZARD_STATE": str(folder / "state"), **environment}
    with terminal(*arguments, **where) as there:
        there.wait_for("runs here:")
        yield there


def go(there: Terminal, way: Way) -> None:
    for keys, seen in way:
        there.press(*keys)
        there.wait_for(seen)
        there.settle()


def is_gone_on_with(way: str, folder: Path, how: str = "") -> None:
    """The next start offers to continue, and leads there."""
    offered, leads_to = GONE_ON_WITH[way]
    with rigged(how, folder) as there:
        there.wait_for(offered)
        there.settle()
        assert ("Continue where you were?" in there.text) == bool(offered)
        there.press("enter")
        there.wait_for(leads_to)


def is_sane(there: Terminal) -> bool:
    """Whether everything is as it was before the program started."""
    return not there.modes_left and there.settings_are_back
