"""Review: every change as it will be written, and nothing secret in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from screens.earlier import UNDO_WORKING
from screens.review import ReviewScreen
from screens.steps import WORKING
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.samples import EVERY_KIND, HOSTILE_PLAN, NOTHING_TO_CHANGE, PLAN, SCRIPT, UNDO, WHO
from tests.screens.stage import Size, at_every_size, opened
from wizard.errors import Refusal
from wizard.plan import Plan

REFUSAL = Refusal(
    SCRIPT,
    "this script has Windows line endings (CR LF): bash does not see the backslashes at the ends of lines.",
    "Convert it with `sed -i 's/\\r$//' start.sh`, look at it once more, and come back.",
    line=3,
    by_hand="--authMode ssl \\\n--sslCert /home/jake/hub/cert.pem \\\n--sslKey /home/jake/hub/key.pem",
)


# Pictures ---------------------------------------------------------------------------------------------------


async def test_making_the_plan(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), ReviewScreen(WHO, WORKING)) as pilot:
        await looks_as_before(pilot)


@at_every_size
async def test_edit_of_the_script(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = ReviewScreen(WHO, WORKING)
    async with opened(samples.world(tmp_path), screen, size=size) as pilot:
        screen.show(PLAN)
        await pilot.press("down", "down", "down")
        await looks_as_before(pilot)


@pytest.mark.parametrize(
    ("plan", "row"),
    [
        pytest.param(PLAN, 0, id="secret"),
        pytest.param(PLAN, 1, id="certificate"),
        pytest.param(PLAN, 4, id="warnings"),
        pytest.param(PLAN, 6, id="advice"),
        pytest.param(EVERY_KIND, 5, id="every kind of change"),
        pytest.param(NOTHING_TO_CHANGE, 2, id="nothing to change"),
        pytest.param(UNDO, 0, id="undo"),
        pytest.param(HOSTILE_PLAN, 0, id="markup and control characters"),
    ],
)
async def test_plan(plan: Plan, row: int, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = ReviewScreen(WHO, WORKING, answered=plan is not UNDO)
    async with opened(samples.world(tmp_path), screen) as pilot:
        screen.show(plan)
        await pilot.press(*["down"] * row)
        await looks_as_before(pilot)


async def test_refusal(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = ReviewScreen(WHO, WORKING)
    async with opened(samples.world(tmp_path), screen) as pilot:
        screen.show(REFUSAL)
        await looks_as_before(pilot)


async def test_looking_at_what_an_undo_changes(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), ReviewScreen(WHO, UNDO_WORKING)) as pilot:
        await looks_as_before(pilot)
