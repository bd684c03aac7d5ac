"""Choose: what was found speaks first, and the list stands before anything was found."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from screens.app import WizardApp
from screens.journey import Journey
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.samples import BARE_HOST, HOST, HOSTILE, SCRIPT, SampleHub
from tests.screens.stage import NORMAL, Size, at_every_size, opened, settled
from wizard.host import Host
from wizard.plan import Warning
from wizard.targets import Found


class HostileHub(SampleHub):
    @classmethod
    def find(cls, host: Host) -> Found:
        return Found(True, f"runs here: {HOSTILE}", (HOSTILE, "long " * 40), (Warning(HOSTILE, SCRIPT, 1),))


async def test_looking(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    seen = Event()

    def look() -> Host:
        seen.wait()
        return HOST

    async with WizardApp(samples.world(tmp_path, look=look)).run_test(size=NORMAL) as pilot:
        try:
            await looks_as_before(pilot)
        finally:
            seen.set()
            await settled(pilot)


@at_every_size
async def test_found_with_a_warning(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), size=size) as pilot:
        await looks_as_before(pilot)


async def test_not_found(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path, look=lambda: BARE_HOST)) as pilot:
        await looks_as_before(pilot)


async def test_answers_kept_from_last_time(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    journey = Journey(given={"hub-rest": {"common_name": "api"}})
    async with opened(samples.world(tmp_path), journey=journey) as pilot:
        await looks_as_before(pilot)


async def test_markup_and_control_characters_are_inert(
    tmp_path: Path, looks_as_before: LooksAsBefore
) -> None:
    async with opened(samples.world(tmp_path, target=HostileHub)) as pilot:
        await looks_as_before(pilot)
