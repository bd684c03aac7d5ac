"""Earlier runs taken up again from the screens: what waits for its certificate, and what is made anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from screens.apply import ApplyScreen
from screens.ask import AskScreen
from screens.certificates import CertificatesScreen
from screens.choose import ChooseScreen
from screens.journey import Journey
from screens.review import ReviewScreen
from tests.conftest import LooksAsBefore
from tests.peers.sandboxed import furnished
from tests.screens import samples
from tests.screens.samples import Kept
from tests.screens.stage import opened, settled, text, typed
from tests.sources.elsewhere import Elsewhere
from tests.targets.grpc_plans import host_of
from wizard.demo.sandbox import Sandbox
from wizard.material.certificates import read_certificates_pem, same_key
from wizard.targets import catalogue
from wizard.world import World

KEPT = Kept()


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return furnished(tmp_path / "box")


@asynccontextmanager
async def app(box: Sandbox, **given: str) -> AsyncIterator[Pilot[int]]:
    """The app before the Hub of a sandbox, with these answers given."""
    answers = {
        "start_script": str(box.hub / "start.sh"),
        "common_name": "hub.example.org",
        "alt_names": "hub.example.org, 127.0.0.1",
        **given,
    }
    world = World(lambda: host_of(box), box.state, (catalogue.HUB_REST,), samples.WHO, KEPT)
    async with opened(world, journey=Journey(given={"hub-rest": answers})) as pilot:
        yield pilot


def step(pilot: Pilot[int]) -> type[object]:
    return type(pilot.app.screen)


async def through_the_questions(pilot: Pilot[int]) -> None:
    """Enter on every page until the review stands."""
    await pilot.press("enter")
    await settled(pilot)
    while step(pilot) is AskScreen:
        await pilot.press("enter")
        await settled(pilot)
    assert step(pilot) is ReviewScreen


async def write(pilot: Pilot[int]) -> None:
    await pilot.press("enter")
    await pilot.click("#yes")
    await settled(pilot)
    assert step(pilot) is ApplyScreen


async def to_certificates(pilot: Pilot[int], key: str) -> None:
    await pilot.press(key)
    await settled(pilot)
    assert step(pilot) is CertificatesScreen


async def test_a_setup_waits(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, ChooseScreen)
        screen.show_found(screen.found, 1, screen.kept, "")
        await looks_as_before(pilot)


async def test_a_request_is_written_waits_and_is_gone_on_with(box: Sandbox, tmp_path: Path) -> None:
    script = (box.hub / "start.sh").read_bytes()
    async with app(box, source="request", organisation="Example Ltd") as pilot:
        assert "W waiting" not in text(pilot)
        await through_the_questions(pilot)
        await write(pilot)
        assert "BEGIN CERTIFICATE REQUEST" in text(pilot) or "Send this request" in text(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert step(pilot) is ChooseScreen, "there is nothing to prove yet"
        assert "1 setup waits for its certificate" in text(pilot)
        assert (box.hub / "start.sh").read_bytes() == script

        await to_certificates(pilot, "w")
        await pilot.press("enter")
        await settled(pilot)
        assert "the authority's answer" in text(pilot)
        elsewhere = Elsewhere(tmp_path / "elsewhere")
        leaf = elsewhere.sign(box.hub / "request.csr")
        await typed(pilot, str(leaf))
        assert "The chain has a gap" in text(pilot)
        await typed(pilot, f"{leaf}, {elsewhere.intermediate}, {elsewhere.root}")
        await pilot.press("enter")
        await settled(pilot)
        assert step(pilot) is ReviewScreen
        await write(pilot)
        assert b"--authMode ssl" in (box.hub / "start.sh").read_bytes()
        await pilot.press("ctrl+q")
    assert "delivered" not in KEPT["hub-rest"], "it was for that one run"


async def test_a_plan_that_waits_leads_back_to_the_first_step(box: Sandbox) -> None:
    async with app(box, source="request") as pilot:
        await through_the_questions(pilot)
        await write(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await through_the_questions(pilot)
        assert "it waits for its certificate" in text(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert step(pilot) is ChooseScreen


@pytest.mark.parametrize(("key", "same"), [("r", True), ("n", False)])
async def test_a_certificate_is_made_again_in_one_step(box: Sandbox, key: str, same: bool) -> None:
    async with app(box) as pilot:
        await through_the_questions(pilot)
        await write(pilot)
        first = read_certificates_pem((box.hub / "cert.pem").read_bytes())[0]
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await to_certificates(pilot, "c")
        await pilot.press(key)
        await settled(pilot)
        assert step(pilot) is ReviewScreen
        assert ("key.pem" in text(pilot).split("stays as it is")[0]) is not same
        await write(pilot)
        second = read_certificates_pem((box.hub / "cert.pem").read_bytes())[0]
        assert second != first
        assert same_key(first.public_key(), second.public_key()) is same
        await pilot.press("ctrl+q")
    assert "reissue" not in KEPT["hub-rest"]


async def test_a_certificate_that_is_made_again_is_still_that_after_a_dropped_line(box: Sandbox) -> None:
    async with app(box) as pilot:
        await through_the_questions(pilot)
        await write(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await to_certificates(pilot, "c")
        await pilot.press("r")
        await settled(pilot)
        assert "cert.pem" in text(pilot).split("stays as it is")[0]
    async with app(box) as pilot:
        assert "Step 3 of 5 (Review), IOTA Hub, REST, hub.example.org." in text(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert step(pilot) is ReviewScreen
        assert "nothing to change" not in text(pilot)
        assert "cert.pem" in text(pilot).split("stays as it is")[0]


async def test_going_back_from_a_certificate_leads_to_the_first_step(box: Sandbox) -> None:
    async with app(box) as pilot:
        await to_certificates(pilot, "c")
        assert "has made no certificate here yet" in text(pilot)
        await pilot.press("enter", "r", "n", "c")
        await pilot.press("escape")
        await settled(pilot)
        assert step(pilot) is ChooseScreen
        assert not pilot.app.screen.query(Input)


async def test_where_there_is_one_choice_the_first_field_to_fill_in_has_the_focus(box: Sandbox) -> None:
    async with app(box, source="private-ca") as pilot:
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("enter", "enter")
        await settled(pilot)
        assert "your own certificate authority" in text(pilot)
        focused = pilot.app.screen.focused
        assert isinstance(focused, Input), "there is nothing to choose from in the first field"
        assert focused.value == "signer CA"
