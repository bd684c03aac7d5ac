"""A connector on the screens: its questions, and the texts to paste."""

from __future__ import annotations

from pathlib import Path

from screens.ask import AskScreen
from screens.journey import Journey
from screens.review import ReviewScreen
from tests.conftest import LooksAsBefore
from tests.peers.tls import self_signed
from tests.screens import samples
from tests.screens.stage import Size, at_every_size, opened, settled, text
from wizard.kinds import Raw
from wizard.targets.connector import Connector

URL = "https://api.example.com/status"


def answered(**given: Raw) -> Journey:
    return Journey(given={"connector": {"url": URL, **given}})


@at_every_size
async def test_the_mode_that_verifies_nothing(
    size: Size, tmp_path: Path, looks_as_before: LooksAsBefore
) -> None:
    world = samples.world(tmp_path, target=Connector)
    async with opened(world, journey=answered(mode="skip"), size=size) as pilot:
        await pilot.press("enter")
        await settled(pilot)
        await looks_as_before(pilot)


@at_every_size
async def test_the_files(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    world = samples.world(tmp_path, target=Connector)
    given = answered(directory="/var/lib/connector", client_key="/etc/ssl/client.key")
    async with opened(world, journey=given, size=size) as pilot:
        await pilot.press("enter", "enter")
        await settled(pilot)
        await looks_as_before(pilot)


async def test_the_text_to_paste_stands_in_the_review_and_is_copied(tmp_path: Path) -> None:
    ca = tmp_path / "itself.pem"
    ca.write_bytes(self_signed("api.example.com")[0])
    given = answered(mode="verify-ca", ca=str(ca), directory=str(tmp_path / "texts"))
    world = samples.world(tmp_path / "state", target=Connector)
    async with opened(world, journey=given) as pilot:
        await pilot.press("enter", "enter")
        assert isinstance(pilot.app.screen, AskScreen)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, ReviewScreen)
        assert f"Connector for {URL}, mode" in text(pilot)
        await pilot.press("end")
        assert "-----BEGIN CERTIFICATE-----" in text(pilot)
        await pilot.press("up", "up")
        await pilot.press("c")
        assert pilot.app.clipboard == ca.read_text(), "that of ca.pem, whole"
