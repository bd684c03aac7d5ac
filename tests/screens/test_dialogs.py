"""Side questions and help: they lie over the step and never take a yes by accident."""

from __future__ import annotations

from pathlib import Path

from screens.review import ReviewScreen
from screens.steps import WORKING
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.samples import PLAN, WHO
from tests.screens.stage import Size, at_every_size, interrupted_run, opened
from wizard.state import State

# Pictures ---------------------------------------------------------------------------------------------------


async def test_confirm(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = ReviewScreen(WHO, WORKING)
    async with opened(samples.world(tmp_path), screen) as pilot:
        screen.show(PLAN)
        await pilot.press("enter")
        await looks_as_before(pilot)


@at_every_size
async def test_help(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), size=size) as pilot:
        await pilot.press("enter", "tab", "f1")
        await looks_as_before(pilot)


async def test_recovery(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    interrupted_run(State(tmp_path / "state"))
    async with opened(samples.world(tmp_path / "state")) as pilot:
        await looks_as_before(pilot)
