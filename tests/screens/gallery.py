"""Shows one after the other whatever the wizard can show: each step and dialog in each of its states."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from rich.segment import Segment
from textual.pilot import Pilot
from textual.screen import Screen

from screens.base import WizardScreen
from screens.certificates import CertificatesScreen
from screens.dialogs import Confirm, Help, TooSmall
from tests.screens import samples
from tests.screens.samples import EVERY_KIND, WHO
from tests.screens.stage import opened
from tests.screens.test_ask import page, sample_page
from tests.screens.test_certificates import ROWS, WAITING
from tests.screens.test_keys import SCENES, Scene, review, reviewing

Picture: TypeAlias = list[list[Segment]]
"""The parts of each row, every one in a style of its own."""

ASKED: dict[str, Callable[[], WizardScreen]] = {
    "errors": partial(page, "certificate", {"alt_names": "http://signer", "validity_days": "many"}),
    "a caution": partial(page, "certificate", {"validity_days": "9999"}),
    "options": partial(sample_page, "source", source="own", authority="staging"),
    "pasted": partial(sample_page, "answer", source="request", delivered="-----BEGIN CERTIFICATE-----"),
    "certificates": partial(CertificatesScreen, WHO, ROWS, (WAITING,)),
}
SHOWN = {
    **{name: SCENES[name] for name in ("applied", "failed", "proven")},
    **{name: Scene((), screen=screen) for name, screen in ASKED.items()},
    "every kind of change": Scene((), reviewing(EVERY_KIND), review),
    "review": SCENES["review"],
    "runs": SCENES["runs"],
}
DIALOGS: dict[str, Callable[[], Screen[Any]]] = {
    "confirm": partial(Confirm, "Write 4 changes to this host?", "Write"),
    "help": partial(Help, "Ask", "word " * 400),
    "too small": TooSmall,
}
KEYS = {
    "errors": ("shift+home", "delete"),
    "every kind of change": ("down", "down", "down"),
    "review": ("down", "down", "down", "down", "tab"),
}
"""What is pressed on some, with a picture after each."""


def shown(pilot: Pilot[int]) -> Picture:
    """The screen as it goes to the terminal."""
    return [list(strip) for strip in pilot.app.screen._compositor.render_strips()]


async def gallery(folder: Path, theme: str) -> dict[str, Picture]:
    """Every picture by its name."""
    pictures: dict[str, Picture] = {}
    async with opened(samples.world(folder), theme=theme) as pilot:
        async for name in _hung(pilot):
            await pilot.pause()
            pictures[name] = shown(pilot)
    return pictures


async def _hung(pilot: Pilot[int]) -> AsyncIterator[str]:
    yield "choose"
    for name, scene in SHOWN.items():
        screen = scene.screen()
        assert screen is not None
        await pilot.app.switch_screen(screen)
        await pilot.pause()
        scene.show(pilot)
        yield name
        for count, key in enumerate(KEYS.get(name, ()), 1):
            await pilot.press(key)
            yield f"{name}, {count}: {key}"
    for name, dialog in DIALOGS.items():
        pilot.app.push_screen(dialog())
        yield name
        pilot.app.pop_screen()
    pilot.app.notify("It is said.", timeout=100)
    pilot.app.notify("It stands in the way.", severity="error", timeout=100)
    yield "said"
