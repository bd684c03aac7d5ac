"""From a line of the review to the answer behind it, and straight back."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import OptionList

from screens.ask import AskScreen
from screens.choose import ChooseScreen
from screens.dialogs import Answers
from screens.journey import Journey
from screens.review import ReviewScreen
from tests.conftest import LooksAsBefore
from tests.peers.sandboxed import furnished
from tests.screens import samples
from tests.screens.sample_targets import OPENS, SampleAuthority
from tests.screens.stage import Size, at_every_size, opened, settled, text, typed
from tests.targets.hub_plans import plan_of, sheet_of
from wizard.kinds import Raw
from wizard.review import answer_behind


@pytest.fixture
def journey(tmp_path: Path) -> Journey:
    """Answers kept from last time, with the files in a folder of the test."""
    return Journey(given={"hub-rest": {"directory": str(tmp_path)}})


def test_the_answer_behind_each_change(tmp_path: Path) -> None:
    box = furnished(tmp_path / "box")
    plan, sheet = plan_of(box), sheet_of(box.hub / "start.sh")
    assert {change.path.name: answer_behind(change, sheet) for change in plan.changes} == {
        "key.pem": "key_type",
        "cert.pem": "common_name",
        "dh.pem": "directory",
        "start.sh": "start_script",
    }


async def test_a_line_leads_to_its_answer_and_enter_straight_back(tmp_path: Path, journey: Journey) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=journey) as pilot:
        await pilot.press("enter", "enter", "enter")
        await settled(pilot)
        await pilot.press("down", "e")  # cert.pem, of which only the folder is known
        assert isinstance(pilot.app.screen, Answers)
        chosen = pilot.app.screen.query_one(OptionList).highlighted
        assert chosen is not None
        assert pilot.app.screen.asked[chosen].question.name == "directory"
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, AskScreen)
        assert pilot.app.screen.page.key == "service"
        (tmp_path / "elsewhere").mkdir()
        await typed(pilot, str(tmp_path / "elsewhere"))
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, ReviewScreen)
        assert pilot.app.screen.plan is not None
        assert {change.path.parent for change in pilot.app.screen.plan.changes} == {tmp_path / "elsewhere"}


async def test_any_other_answer_can_be_chosen(tmp_path: Path, journey: Journey) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=journey) as pilot:
        await pilot.press("enter", "enter", "enter")
        await settled(pilot)
        await pilot.press("e", "end", "enter")
        assert isinstance(pilot.app.screen, AskScreen)
        assert pilot.app.screen.page.key == "certificate"
        assert pilot.app.screen.begin == "source"


async def test_a_wrong_change_stops_on_its_page(tmp_path: Path, journey: Journey) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=journey) as pilot:
        await pilot.press("enter", "enter", "enter")
        await settled(pilot)
        await pilot.press("down", "e", "enter")
        await typed(pilot, "not a path")
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, AskScreen)
        assert "✗ Write the whole path" in text(pilot)


async def test_escape_leaves_the_review_as_it_was(tmp_path: Path, journey: Journey) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=journey) as pilot:
        await pilot.press("enter", "enter", "enter")
        await settled(pilot)
        before = text(pilot)
        await pilot.press("e", "escape")
        assert isinstance(pilot.app.screen, ReviewScreen)
        assert text(pilot) == before
        await pilot.press("escape", "escape", "escape")
        assert isinstance(pilot.app.screen, ChooseScreen)


async def test_an_undo_has_no_answers(tmp_path: Path, journey: Journey) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=journey) as pilot:
        await pilot.press("enter", "enter", "enter")
        await settled(pilot)
        await pilot.press("enter", "left", "enter")
        await settled(pilot)
        await pilot.press("u")
        await settled(pilot)
        assert isinstance(pilot.app.screen, ReviewScreen)
        assert "E answers" not in text(pilot)
        await pilot.press("e")
        assert isinstance(pilot.app.screen, ReviewScreen)


@at_every_size
async def test_answers(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    given: dict[str, dict[str, Raw]] = {
        "sample-ca": {"source": "own", "authority": "example", "passphrase": OPENS}
    }
    world = samples.world(tmp_path / "state", target=SampleAuthority)
    async with opened(world, size=size, journey=Journey(given=given)) as pilot:
        await pilot.press("enter", "enter", "enter", "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, ReviewScreen)
        await pilot.press("e")
        await looks_as_before(pilot)
