"""Shows one after the other whatever the wizard can show: each step and dialog in each of its states."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

from rich.segment import Segment
from textual.pilot import Pilot

from screens.certificates import CertificatesScreen
from screens.dialogs import Confirm, TooSmall
from tests.screens import samples
from tests.screens.samples import EVERY_KIND, WHO
from tests.screens.stage import opened
from tests.screens.test_ask import page, sample_page
from tests.screens.test_certificates import ROWS, WAITING
from tests.screens.test_keys import SCENES, Scene, review, reviewing

Picture: TypeAlias = list[list[Segment]]
"""The parts of each row, every one in a style of its own."""

ASKED = {
    "errors": partial(page, "certificate", {"alt_names": "http://signer", "validity_days": "many"}),
    "a caution": partial(page, "certificate", {"validity_days": "9999"}),
    "another target": partial(page, "service", {"start_script": "/opt/old.sh"}),
    "long options": partial(sample_page, "source", source="own", authority="staging"),
    "a passphrase": partial(sample_page, "authority", source="own"),
    "pasted": partial(sample_page, "answer", source="request", delivered="-----BEGIN CERTIFICATE-----"),
    "certificates": partial(CertificatesScreen, WHO, ROWS, (WAITING,)),
}
SHOWN = {
    **{name: SCENES[name] for name in ("refusal", "applied", "failed", "proving", "proven", "runs")},
    **{name: Scene((), screen=screen) for name, screen in ASKED.items()},
    "every kind of change": Scene((), reviewing(EVERY_KIND), review),
    "review": SCENES["review"],
}
KEYS = {
    "errors": ("shift+home", "delete", "tab", "tab", "tab"),
    "certificates": ("down",),
    "every kind of change": ("down", "down", "down"),
    "review": ("down", "down", "down", "tab", "f1"),
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
            yield f"{name}, {key} {count}"
    pilot.app.push_screen(Confirm("Write 4 changes to this host?", "Write"))
    yield "confirm"
    pilot.app.notify("It is said.", timeout=100)
    pilot.app.notify("It stands in the way.", severity="error", timeout=100)
    yield "said"
    pilot.app.push_screen(TooSmall())
    yield "too small"
