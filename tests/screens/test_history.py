"""Earlier runs: what was done on this host, and what can be taken back."""

from __future__ import annotations

from pathlib import Path

from screens.history import HistoryScreen
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.samples import HOSTILE, HUB, RUNS, WHO
from tests.screens.stage import opened

# Pictures ---------------------------------------------------------------------------------------------------


async def test_nothing_done_yet(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), HistoryScreen(WHO, ())) as pilot:
        await looks_as_before(pilot)


async def test_runs(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), HistoryScreen(WHO, RUNS)) as pilot:
        await looks_as_before(pilot)


async def test_markup_and_control_characters(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    runs = (samples.run(14, title=HOSTILE, folder=HUB / HOSTILE),)
    async with opened(samples.world(tmp_path), HistoryScreen(WHO, runs)) as pilot:
        await looks_as_before(pilot)
