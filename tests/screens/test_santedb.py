"""SanteDB's screens: its own questions, what was found, and the review of its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from screens.ask import AskScreen
from screens.review import ReviewScreen
from screens.steps import WORKING
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.sample_santedb import PLAN, OnAnUnknownMono, OnMono
from tests.screens.samples import HOST, WHO
from tests.screens.stage import Size, at_every_size, opened
from wizard.kinds import Raw
from wizard.sheet import Sheet, fill_in
from wizard.targets import Target


def page(key: str, given: Mapping[str, Raw] | None = None, target: type[Target] = OnMono) -> AskScreen:
    shown = next(page for page in target.pages if page.key == key)
    read: Callable[[Mapping[str, Raw]], Sheet[Target]] = partial(fill_in, target, host=HOST)
    return AskScreen(WHO, shown, given or {}, read)


@at_every_size
async def test_what_was_found(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path, target=OnMono), size=size) as pilot:
        await looks_as_before(pilot)


@at_every_size
@pytest.mark.parametrize("key", ["service", "endpoints", "certificate"])
async def test_defaults(size: Size, key: str, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), page(key), size=size) as pilot:
        await looks_as_before(pilot)


@pytest.mark.parametrize(
    ("key", "given", "target"),
    [
        pytest.param("service", {"way": "windows"}, OnMono, id="windows"),
        pytest.param("service", {}, OnAnUnknownMono, id="no mono"),
        pytest.param("endpoints", {"host": "0.0.0.0", "endpoints": ["/hdsi"]}, OnMono, id="opened"),
        pytest.param(
            "endpoints",
            {"host": "a b", "endpoints": ["/none"], "public_url": "http://x"},
            OnMono,
            id="errors",
        ),
        pytest.param("certificate", {"alt_names": ["api.example.org"]}, OnMono, id="a name not answered"),
    ],
)
async def test_answers(
    key: str,
    given: Mapping[str, Raw],
    target: type[Target],
    tmp_path: Path,
    looks_as_before: LooksAsBefore,
) -> None:
    async with opened(samples.world(tmp_path), page(key, given, target)) as pilot:
        await looks_as_before(pilot)


@pytest.mark.parametrize("row", [1, 3, 4])
async def test_review(row: int, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = ReviewScreen(WHO, WORKING)
    async with opened(samples.world(tmp_path), screen) as pilot:
        screen.show(PLAN)
        await pilot.press(*["down"] * row)
        await looks_as_before(pilot)
