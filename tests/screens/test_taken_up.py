"""Earlier runs taken up again from the screens: what waits for its certificate, and what is made anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from screens.app import WizardApp
from screens.apply import ApplyScreen
from screens.ask import AskScreen
from screens.certificates import CertificatesScreen
from screens.choose import ChooseScreen
from screens.journey import Journey
from screens.review import ReviewScreen
from tests.conftest import LooksAsBefore
from tests.peers.sandboxed import furnished
from tests.screens import samples
from tests.screens.stage import opened, settled, text, typed
from tests.sources.elsewhere import Elsewhere
from tests.targets.grpc_plans import host_of
from wizard import answers
from wizard.demo.sandbox import Sandbox
from wizard.kinds import Raw
from wizard.material.certificates import read_certificates_pem, same_key
from wizard.targets import catalogue
from wizard.world import World


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return furnished(tmp_path / "box")


@asynccontextmanager
async def app(box: Sandbox, **given: str) -> AsyncIterator[Pilot[int]]:
    """The app before the Hub of a sandbox, with these answers given."""
    begun = {
        "start_script": str(box.hub / "start.sh"),
        "common_name": "hub.example.org",
        "alt_names": "hub.example.org, 127.0.0.1",
        **given,
    }
    async with opened(world(box), journey=Journey(given={"hub-rest": begun})) as pilot:
        yield pilot


def world(box: Sandbox) -> World:
    keep = partial(answers.keep, box.state)
    return World(lambda: host_of(box), box.state, (catalogue.HUB_REST,), samples.WHO, keep)


def kept(box: Sandbox) -> dict[str, Raw]:
    """The answers with which the next start begins."""
    return answers.kept(box.state)["hub-rest"]


def step(pilot: Pilot[int]) -> type[object]:
    return type(pilot.app.screen)


def journey(pilot: Pilot[int]) -> Journey:
    assert isinstance(pilot.app, WizardApp)
    return pilot.app.journey


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
    assert "delivered" not in kept(box), "it was for that one run"


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
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert "nothing to change" in text(pilot), "it was asked for one run only"
        await pilot.press("ctrl+q")
    assert "reissue" not in kept(box)


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


async def to_a_new_certificate(pilot: Pilot[int], key: str = "r") -> None:
    """From the first step to the review of a certificate that is made again."""
    await to_certificates(pilot, "c")
    await pilot.press(key)
    await settled(pilot)
    assert step(pilot) is ReviewScreen
    assert "nothing to change" not in text(pilot)


async def set_up(pilot: Pilot[int]) -> None:
    """Secure the Hub, and back to the first step."""
    await through_the_questions(pilot)
    await write(pilot)
    await pilot.press("enter")
    await settled(pilot)
    await pilot.press("enter")
    await settled(pilot)
    assert step(pilot) is ChooseScreen


async def back_to_the_first_step(pilot: Pilot[int]) -> None:
    while step(pilot) is AskScreen:
        await pilot.press("escape")
        await settled(pilot)
    assert step(pilot) is ChooseScreen


async def finds_nothing_to_do(pilot: Pilot[int]) -> None:
    """The ordinary way makes no certificate again."""
    await through_the_questions(pilot)
    assert "nothing to change" in text(pilot)


async def test_back_from_a_certificate_made_again_leads_to_the_list_and_leaves_nothing(box: Sandbox) -> None:
    async with app(box) as pilot:
        await set_up(pilot)
        before = journey(pilot).given
        await to_a_new_certificate(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert step(pilot) is CertificatesScreen
        assert journey(pilot).given == before
        await pilot.press("escape")
        await settled(pilot)
        await to_a_new_certificate(pilot, "n")
        await pilot.press("e", "enter")
        await settled(pilot)
        assert step(pilot) is AskScreen
        await pilot.press("enter")
        await settled(pilot)
        assert step(pilot) is ReviewScreen
        assert "nothing to change" not in text(pilot), "it is still made again"
        await pilot.press("e", "enter")
        await settled(pilot)
        await back_to_the_first_step(pilot)
        assert journey(pilot).given == before
        assert isinstance(pilot.app.screen, ChooseScreen)
        assert pilot.app.screen.kept == {"hub-rest": str(box.hub / "start.sh")}
        await finds_nothing_to_do(pilot)


@pytest.mark.parametrize("answer", ["continue", "first step"])
async def test_a_certificate_made_again_is_no_answer_of_the_next_start(box: Sandbox, answer: str) -> None:
    async with app(box) as pilot:
        await set_up(pilot)
        before = journey(pilot).given["hub-rest"]
        await to_a_new_certificate(pilot)
        await pilot.press("ctrl+q")
    assert kept(box).keys() == before.keys()
    assert "reissue" not in kept(box)
    async with opened(world(box)) as pilot:
        assert "Step 3 of 5 (Review), IOTA Hub, REST, hub.example.org." in text(pilot)
        if answer == "continue":
            await pilot.press("enter")
            await settled(pilot)
            assert "cert.pem" in text(pilot).split("stays as it is")[0]
            await pilot.press("escape")
            await settled(pilot)
            assert step(pilot) is CertificatesScreen
            await pilot.press("escape")
        else:
            await pilot.press("right", "enter")
        await settled(pilot)
        await finds_nothing_to_do(pilot)


async def test_a_setup_that_is_not_gone_on_with_leaves_nothing(box: Sandbox, tmp_path: Path) -> None:
    async with app(box, source="request") as pilot:
        await through_the_questions(pilot)
        await write(pilot)
        await pilot.press("enter")
        await settled(pilot)
        before = journey(pilot).given
        leaf = Elsewhere(tmp_path / "elsewhere").sign(box.hub / "request.csr")
        await to_certificates(pilot, "w")
        await pilot.press("enter")
        await settled(pilot)
        await typed(pilot, str(leaf))
        await back_to_the_first_step(pilot)
        assert journey(pilot).given == before


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
