"""Certificates from elsewhere on the screen: names of files are typed, a text is pasted whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from screens.journey import Journey
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.sample_targets import SampleAuthority
from tests.screens.samples import Kept
from tests.screens.stage import NARROW, NORMAL, Size, opened, paused, text
from tests.screens.test_ask import note, sample_page, screen
from wizard.kinds import Raw

PEM = "-----BEGIN CERTIFICATE-----\n" + "MIIBszCCAVmgAwIBAgIUTlsW\n" * 20 + "-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nnever shown\n-----END PRIVATE KEY-----\n"
HELP = "Files, with commas; or paste the text. Empty: it has not come yet."

at_two_sizes = pytest.mark.parametrize("size", [NORMAL, NARROW], ids=["80x24", "60x20"])


def delivered(pilot: Pilot[int]) -> Raw | None:
    return screen(pilot).given.get("delivered")


async def paste(pilot: Pilot[int], content: str) -> None:
    """As a terminal does with bracketed paste: newlines come as carriage returns."""
    pilot.app.post_message(events.Paste(content.replace("\n", "\r")))
    await pilot.pause()


# Pictures ---------------------------------------------------------------------------------------------------


@at_two_sizes
async def test_nothing_yet(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), sample_page("answer", source="request"), size=size) as pilot:
        await looks_as_before(pilot)


@at_two_sizes
async def test_a_pasted_text(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), sample_page("answer", source="request"), size=size) as pilot:
        await paste(pilot, PEM + PEM)
        await looks_as_before(pilot)


@at_two_sizes
async def test_a_private_key(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), sample_page("answer", source="request"), size=size) as pilot:
        await paste(pilot, PEM + KEY)
        await looks_as_before(pilot)


# Pasting ----------------------------------------------------------------------------------------------------


async def test_a_pasted_text_goes_in_whole_and_stands_as_one_thing(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("answer", source="request")) as pilot:
        await paste(pilot, f"From the authority:\n\n{PEM}")
        assert delivered(pilot) == f"From the authority:\n\n{PEM}"
        assert f"pasted: 1 certificate, {len(PEM) + 21} characters" in text(pilot)
        assert "MIIB" not in text(pilot)
        assert note(pilot, "delivered") == "Backspace takes the pasted text out again."
        await pilot.press("x", "left", "home")
        assert delivered(pilot) == f"From the authority:\n\n{PEM}", "a letter does not get into it"
        assert screen(pilot).sheet.answers is not None


@pytest.mark.parametrize("key", ["backspace", "delete", "ctrl+u", "ctrl+w", "ctrl+k"])
async def test_it_is_taken_out_as_one(key: str, tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("answer", source="request")) as pilot:
        await paste(pilot, PEM)
        await pilot.press(key)
        assert delivered(pilot) is None
        assert "pasted" not in text(pilot)
        assert note(pilot, "delivered") == HELP
        await pilot.press(*"/a.pem")
        assert delivered(pilot) == "/a.pem"


async def test_what_is_pasted_next_is_put_behind_it(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("answer", source="request")) as pilot:
        await paste(pilot, PEM)
        await paste(pilot, PEM.rstrip("\n"))
        assert delivered(pilot) == PEM + PEM
        assert f"pasted: 2 certificates, {2 * len(PEM):,} characters" in text(pilot)


async def test_a_pasted_text_takes_the_place_of_names(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("answer", source="request")) as pilot:
        await pilot.press(*"/a.pem")
        await paste(pilot, PEM)
        assert delivered(pilot) == PEM
        await pilot.press("backspace")
        assert screen(pilot).query_one("#delivered Input", Input).value == ""


async def test_a_text_without_certificates_says_only_how_long_it_is(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("answer", source="request")) as pilot:
        await paste(pilot, "-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----")
        assert "pasted: 47 characters" in text(pilot)


async def test_a_private_key_is_not_taken(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("answer", source="request")) as pilot:
        await paste(pilot, PEM)
        await paste(pilot, KEY)
        assert delivered(pilot) == PEM
        assert note(pilot, "delivered").startswith("✗ There is a private key in this text")
        await paste(pilot, PEM)
        assert delivered(pilot) == PEM + PEM
        assert "✗" not in text(pilot)


async def test_names_are_typed_or_pasted_as_usual(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("answer", source="request")) as pilot:
        await pilot.press(*"/a.pem, b")
        await paused(pilot)
        assert note(pilot, "delivered").startswith("✗ Write the whole path, beginning with /")
        await pilot.press("backspace", *"/srv/b.pem")
        await paused(pilot)
        assert note(pilot, "delivered") == HELP
        await pilot.press("ctrl+u")
        await paste(pilot, "/a.pem\n/b.pem\n")
        assert delivered(pilot) == "/a.pem, /b.pem"
        await paste(pilot, ", /c.pem")
        assert delivered(pilot) == "/a.pem, /b.pem, /c.pem"


async def test_a_text_that_is_far_too_long_is_refused_in_a_sentence(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("answer", source="request")) as pilot:
        await paste(pilot, PEM * 400)
        assert "too much for certificates. Give a file." in note(pilot, "delivered")
        await pilot.press("backspace")
        assert note(pilot, "delivered") == HELP


async def test_it_is_there_again_after_going_on_and_back_and_is_kept(tmp_path: Path) -> None:
    kept = Kept()
    world = samples.world(tmp_path, target=SampleAuthority, keep=kept)
    async with opened(world, journey=Journey(given={"sample-ca": {"source": "request"}})) as pilot:
        await pilot.press("enter", "enter")
        await paste(pilot, PEM)
        await pilot.press("enter")
        assert "page 3 of 3" in text(pilot)
        await pilot.press("escape")
        assert "pasted: 1 certificate" in text(pilot)
        await pilot.press("ctrl+q")
    assert kept == {"sample-ca": {"source": "request", "delivered": PEM}}
