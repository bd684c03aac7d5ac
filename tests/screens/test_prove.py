"""Prove: who gets in and who does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from screens.prove import ProveScreen
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.samples import ALL_PASSED, FAILED, HOSTILE_PROOF, PASSED, PLAN, WHO, WITH_FINDING, checks
from tests.screens.stage import Size, at_every_size, opened, settled, text
from wizard.proof import Proof


def proving() -> ProveScreen:
    return ProveScreen(WHO, PLAN.title, PLAN, can_undo=True)


def show(screen: ProveScreen, proof: Proof, count: int | None = None) -> None:
    """Let the first results come in; without a count all of them, and the verdict."""
    screen.begin(checks(proof))
    for result in proof.results[:count]:
        screen.show_result(result)
    if count is None:
        screen.show_proof(proof)


# Pictures ---------------------------------------------------------------------------------------------------


async def test_running(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = proving()
    async with opened(samples.world(tmp_path), screen) as pilot:
        show(screen, WITH_FINDING, 2)
        await looks_as_before(pilot)


@at_every_size
async def test_finding(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = proving()
    async with opened(samples.world(tmp_path), screen, size=size) as pilot:
        show(screen, WITH_FINDING)
        await looks_as_before(pilot)


@pytest.mark.parametrize(
    "proof",
    [
        pytest.param(ALL_PASSED, id="all passed"),
        pytest.param(FAILED, id="still runs with its old settings"),
        pytest.param(HOSTILE_PROOF, id="markup and control characters"),
    ],
)
async def test_proof(proof: Proof, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = proving()
    async with opened(samples.world(tmp_path), screen) as pilot:
        show(screen, proof)
        await looks_as_before(pilot)


async def test_that_a_long_name_is_cut_can_be_seen_and_the_whole_be_read(tmp_path: Path) -> None:
    screen = proving()
    long = replace(PASSED[0], title="A stranger's certificate with its own root is refused")
    async with opened(samples.world(tmp_path), screen) as pilot:
        show(screen, Proof((*PASSED[1:], long)))
        await settled(pilot)
        assert "A stranger's certificate with its own root …" in text(pilot)
        await pilot.press("end")
        assert f" {long.title}\n" in text(pilot)
        await pilot.press("home")
        assert long.title not in text(pilot)


async def test_stopped(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = proving()
    async with opened(samples.world(tmp_path), screen) as pilot:
        show(screen, WITH_FINDING, 3)
        screen.show_stopped()
        await looks_as_before(pilot)
