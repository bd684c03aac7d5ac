"""Prove: who gets in and who does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from screens.prove import ProveScreen
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.samples import ALL_PASSED, FAILED, HOSTILE_PROOF, PLAN, WHO, WITH_FINDING, checks
from tests.screens.stage import Size, at_every_size, opened
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


async def test_stopped(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = proving()
    async with opened(samples.world(tmp_path), screen) as pilot:
        show(screen, WITH_FINDING, 3)
        screen.show_stopped()
        await looks_as_before(pilot)
