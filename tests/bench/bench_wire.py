"""Prints what each screen and key sends over the line, beside the same form in plain Textual.

Bytes at 80x24 with TERM=xterm-256color, on a terminal that knows synchronized output. test_wire.py holds
the wizard to BUDGETS: what was measured when they were last set, of which nothing may grow by half.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TypeAlias

from tests.screens.pty_terminal import SIZE, Terminal, terminal

WIZARD = (sys.executable, "-m", "wizard", "--demo")
PLAIN = (sys.executable, "-m", "tests.bench.plain_form")
FRAME_ENDS = b"\x1b[?2026l"
QUIET = 0.3
"""Seconds without a byte after which a screen has settled."""
BLINKS = 0.3
"""The same where a cursor blinks, which sends something every half second."""

Spent: TypeAlias = dict[str, int]
"""Bytes by what they were sent for; of what was measured more than once, the most."""

BUDGETS: Spent = {
    "first screen, settled": 2810,
    "first frame": 1270,
    "an arrow: another target": 570,
    "help": 1000,
    "help, closed": 510,
    "earlier runs": 640,
    "earlier runs, back": 2340,
    "certificates": 640,
    "certificates, back": 2340,
    "ask, page 1": 960,
    "Tab": 132,
    "a letter": 105,
    "ask, back to the first screen": 2280,
    "ask, page 2": 920,
    "an arrow: another choice": 104,
    "ask, back to page 1": 760,
    "resize": 2600,
    "review": 1900,  # first that it is being made, where that takes a while; else 1,250
    "an arrow: another change": 780,
    "Tab: other side": 104,
    "review, back": 1280,
    "a question": 760,
    "a question, the other answer": 65,
    "a question, no": 290,
    "apply": 1750,  # with one frame less where it is quick
    "prove": 2570,
    "an arrow: another check": 530,
    "idle, 2 seconds": 0,
}
GOALS: Spent = {"Tab": 300, "a letter": 199, "idle, 2 seconds": 0}
"""What is never to be exceeded, whatever the budget."""


class Meter:
    """Counts what a program sends."""

    def __init__(self, there: Terminal, quiet: float = QUIET) -> None:
        self.there = there
        self.quiet = quiet
        self.spent: Spent = {}

    def settle(self, what: str, *keys: str, seen: str = "") -> None:
        """Everything that is sent until the screen has settled."""
        before = len(self.there.output)
        self.there.press(*keys)
        self.there.wait_for(seen)
        self._wait()
        self._count(what, len(self.there.output) - before)

    def letter(self) -> None:
        """The frame in which a letter appears with the cursor behind it, without what follows after a pause.

        On a busy machine what follows may come in the same frame, so the smallest of a few is meant.
        """
        smallest, typed = 0, 0
        while typed < 5 and (not typed or smallest > GOALS["a letter"]):
            typed += 1
            sizes = [len(frame) for frame in self._frames("x") if b"x\x1b[" in frame]
            smallest = min([*sizes, *([smallest] if smallest else [])], default=0)
        self.there.press(*["backspace"] * typed)
        if smallest:  # where one of a few is chosen, a letter does nothing
            self._count("a letter", smallest + len(FRAME_ENDS))

    def _frames(self, key: str) -> list[bytes]:
        before = len(self.there.output)
        self.there.press(key)
        self._wait()
        return self.there.output[before:].split(FRAME_ENDS)

    def resize(self, what: str, columns: int, rows: int, seen: str) -> None:
        """What is sent when the window gets another size."""
        before = len(self.there.output)
        self.there.resize(columns, rows)
        self.there.wait_for(seen)
        self._wait()
        self._count(what, len(self.there.output) - before)

    def idle(self, seconds: int) -> None:
        """What is sent while nothing is typed."""
        before = len(self.there.output)
        self.there.listen(seconds)
        self._count(f"idle, {seconds} seconds", len(self.there.output) - before)

    def first_frame(self, footer: bytes) -> None:
        """What had been sent when the line at the bottom first stood on the screen."""
        self._count("first frame", self.there.output.index(footer) + len(footer))

    def press(self, *keys: str) -> None:
        """Go on without counting."""
        self.there.press(*keys)
        self._wait()

    def _wait(self) -> None:
        """Until the program is quiet, and not only since others keep the machine busy."""
        self.there.settle(self.quiet)
        while any(_runs(task) for task in Path(f"/proc/{self.there.program.pid}/task").iterdir()):
            self.there.settle(self.quiet)

    def _count(self, what: str, count: int) -> None:
        self.spent[what] = max(self.spent.get(what, 0), count)


def _runs(task: Path) -> bool:
    """Whether a thread runs or would if it were let, by proc(5)."""
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0] == "R"
    except OSError:  # it has just ended
        return False


def wizard() -> Spent:
    """Every screen of the wizard, forth and back, in the sandbox."""
    with terminal(*WIZARD) as there:
        meter = Meter(there)
        meter.settle("first screen, settled", seen="There is no backslash")
        meter.first_frame(b"quit")
        meter.settle("an arrow: another target", "down")
        meter.settle("an arrow: another target", "up")
        meter.settle("help", "f1", seen="Esc closes")
        meter.settle("help, closed", "escape")
        meter.settle("earlier runs", "h", seen="Nothing has been done")
        meter.settle("earlier runs, back", "escape", seen="There is no backslash")
        meter.settle("certificates", "c", seen="no certificate here yet")
        meter.settle("certificates, back", "escape", seen="There is no backslash")
        meter.settle("ask, page 1", "enter", seen="page 1 of 2")
        _fields(meter, 4)
        meter.settle("ask, back to the first screen", "escape", seen="There is no backslash")
        meter.settle("ask, page 1", "enter", seen="page 1 of 2")
        meter.settle("ask, page 2", "enter", seen="page 2 of 2")
        meter.settle("an arrow: another choice", "right")
        meter.settle("an arrow: another choice", "left")
        _fields(meter, 5)
        meter.settle("ask, back to page 1", "escape", seen="page 1 of 2")
        meter.settle("ask, page 2", "enter", seen="page 2 of 2")
        meter.resize("resize", 60, 20, "Ctrl+Q quit")
        meter.resize("resize", *SIZE, "Ctrl+Q quit")
        meter.settle("review", "enter", seen="nothing written yet")
        meter.settle("an arrow: another change", "down", seen="cert.pem")
        meter.settle("Tab: other side", "tab")
        meter.settle("review, back", "escape", seen="page 2 of 2")
        meter.settle("review", "enter", seen="nothing written yet")
        meter.settle("a question", "enter", seen="Write 4 changes")
        meter.settle("a question, the other answer", "left")
        meter.settle("a question, no", "escape")
        there.press("enter")
        there.wait_for("Write 4 changes")
        meter.settle("apply", "left", "enter", seen="Done: 4 changes.")
        meter.settle("prove", "enter", seen="roven:")
        meter.settle("an arrow: another check", "down")
        meter.idle(2)
        return meter.spent


def _fields(meter: Meter, count: int) -> None:
    """Tab through the fields of a page, and then a letter into each, that is taken out again."""
    for _ in range(count):
        meter.settle("Tab", "tab")
    for _ in range(count):
        meter.letter()
        meter.press("tab")


def plain() -> Spent:
    """The same steps in plain Textual, by the same names."""
    with terminal(*PLAIN) as there:
        meter = Meter(there, BLINKS)
        meter.settle("first screen, settled", seen="What shall be secured?")
        meter.first_frame(b"palette")
        meter.press("tab")
        for _ in range(2):
            meter.settle("an arrow: another target", "down")
        meter.settle("help", "f1", seen="Esc closes")
        meter.settle("help, closed", "escape")
        meter.settle("ask, page 1", "enter", seen="page 1 of 2")
        for _ in range(4):
            meter.settle("Tab", "tab")
        meter.letter()
        meter.idle(2)
        meter.settle("ask, page 2", "enter", seen="page 2 of 2")
        meter.resize("resize", 60, 20, "Help")
        meter.resize("resize", *SIZE, "Help")
        meter.settle("ask, back to page 1", "escape", seen="page 1 of 2")
        meter.settle("ask, back to the first screen", "escape", seen="What shall be secured?")
        return meter.spent


if __name__ == "__main__":
    ours, theirs = wizard(), plain()
    print(f"{'bytes at 80x24':<36}{'tls-wizard':>12}{'plain Textual':>15}{'ratio':>8}{'budget':>9}")
    for what, count in ours.items():
        other = theirs.get(what)
        ratio = f"{count / other:.2f}" if other else ""
        budget = BUDGETS.get(what, "")
        print(f"{what:<36}{count:>12,}{'' if other is None else f'{other:,}':>15}{ratio:>8}{budget:>9}")
