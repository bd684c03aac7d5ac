"""The five steps as each sort of terminal shows them; other tests have them in its own sixteen colours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from screens.themes import TERMINAL
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.samples import FAILED, PLAN, WITH_FINDING
from tests.screens.stage import LARGE, NARROW, NORMAL, Size, opened, text
from tests.screens.test_ask import page
from tests.screens.test_keys import Scene, applied, apply, prove, proving, review, reviewing
from wizard.reach import within

ANSWERS = {"alt_names": "signer, 10.0.0.5:50051", "validity_days": "9999"}
"""One that is wrong and one to think about."""
STEPS = {
    "choose": Scene(()),
    "ask": Scene((), screen=partial(page, "certificate", ANSWERS)),
    "review": Scene((), reviewing(PLAN), review),
    "apply": Scene((), applied, apply),
    "prove": Scene((), proving(FAILED, ended=True), prove),
    "finding": Scene((), proving(WITH_FINDING, ended=True), prove),
}
PRESSED = {"review": ("down", "down", "down")}
"""To the edit of the script."""
OURS = ("dark", "light")
TERMINALS = {
    "dark": {"COLORTERM": "truecolor"},
    "light": {"COLORTERM": "truecolor"},
    "no colour": {"NO_COLOR": "1"},
    "ascii": {"LC_ALL": "C"},
}


@dataclass(frozen=True)
class Case:
    """A step in a sort of terminal of some size."""

    kind: str
    step: str
    size: Size

    def __str__(self) -> str:
        return f"{self.kind}-{self.step}-{self.size[0]}x{self.size[1]}"


def cases() -> Iterator[Case]:
    """Every step in every sort, at the sizes in which there is something else to see."""
    for kind, step in product(TERMINALS, STEPS):
        if step != "finding" or kind in OURS:
            one = kind == "light" or step == "finding"
            for size in (NORMAL,) if one else (NORMAL, NARROW, LARGE):
                yield Case(kind, step, size)


@pytest.mark.parametrize("case", list(cases()), ids=str)
async def test_step(
    case: Case, tmp_path: Path, looks_as_before: LooksAsBefore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in TERMINALS[case.kind].items():
        monkeypatch.setenv(name, value)
    scene, theme = STEPS[case.step], case.kind if case.kind in OURS else TERMINAL
    async with opened(samples.world(tmp_path), scene.screen(), size=case.size, theme=theme) as pilot:
        scene.show(pilot)
        await pilot.pause()
        await pilot.press(*PRESSED.get(case.step, ()))
        await looks_as_before(pilot)
        assert case.kind != "ascii" or within(text(pilot)).isascii()
