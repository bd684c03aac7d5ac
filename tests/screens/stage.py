"""Puts the app, or one of its screens, before a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from screens.app import WizardApp
from screens.ask import AskScreen
from screens.base import WizardScreen
from screens.journey import Journey
from screens.themes import TERMINAL
from wizard import journal
from wizard.journal import Run
from wizard.state import State
from wizard.world import World

Size: TypeAlias = tuple[int, int]
NORMAL, NARROW, LARGE = (80, 24), (60, 20), (120, 40)


def _name(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


at_every_size = pytest.mark.parametrize("size", [NORMAL, NARROW, LARGE], ids=_name)


@asynccontextmanager
async def opened(
    world: World,
    screen: WizardScreen | None = None,
    *,
    size: Size = NORMAL,
    journey: Journey | None = None,
    theme: str = TERMINAL,
) -> AsyncIterator[Pilot[int]]:
    """The app once it has looked at the host; on another step if one is given."""
    app = WizardApp(world, journey, theme)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        if screen is not None:
            await app.switch_screen(screen)
            await pilot.pause()
        yield pilot


async def settled(pilot: Pilot[int]) -> None:
    """Wait until the workers have ended and what they told has been shown."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def typed(pilot: Pilot[int], text: str) -> None:
    """Put a text in place of what stands in the focused field, as pasting it over does."""
    field = pilot.app.screen.focused
    assert isinstance(field, Input)
    field.value = text
    await paused(pilot)


async def paused(pilot: Pilot[int]) -> None:
    """What stands there after a pause in typing."""
    await pilot.pause()
    if isinstance(pilot.app.screen, AskScreen):
        pilot.app.screen.catch_up()
        await pilot.pause()


def text(pilot: Pilot[int]) -> str:
    """Everything that can be read on the screen."""
    lines = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in lines)


def interrupted_run(state: State) -> Run:
    """Leave what a run leaves that was killed before its first change."""
    state.make()
    return journal.begin(state, target="hub-rest", title="Secure IOTA Hub, REST", steps=(), copies={})
