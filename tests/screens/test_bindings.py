"""No key of ours is one that a terminal or a multiplexer keeps for itself, or a letter where one types."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode
from textual.widgets import Input

import screens
from screens.ask import AskScreen
from tests.screens import samples
from tests.screens.stage import opened
from tests.screens.test_keys import SCENES, Scene, at

TAKEN = re.compile(
    r"ctrl\+[abp]"  # the prefix of screen, that of tmux, and Textual's own palette
    r"|ctrl\+[hijm]"  # the same bytes as Backspace, Tab and Enter
    r"|ctrl\+(at|backslash|s|t)|(ctrl\+)?f1[01]"  # break, stop and status; menu and full screen
    r"|(alt|super|meta|hyper)\+.*"  # taken by window managers, or Escape and a letter
)


def ours() -> Iterator[type[DOMNode]]:
    """Every class of the screens that has keys."""
    for module in pkgutil.walk_packages(screens.__path__, "screens."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, DOMNode) and value.__module__ == module.name:
                yield value


def keys_of(owner: type[DOMNode]) -> list[Binding]:
    bindings = BindingsMap(vars(owner).get("BINDINGS", ())).key_to_bindings.values()
    return [binding for bound in bindings for binding in bound]


WITH_KEYS = [owner for owner in ours() if keys_of(owner)]


@pytest.mark.parametrize("owner", WITH_KEYS, ids=lambda owner: owner.__name__)
def test_none_is_taken_by_others(owner: type[DOMNode]) -> None:
    assert [binding.key for binding in keys_of(owner) if TAKEN.fullmatch(binding.key)] == []


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
async def test_textuals_palette_is_nowhere(scene: Scene, tmp_path: Path) -> None:
    async with at(scene, tmp_path) as pilot:
        assert "ctrl+p" not in pilot.app.screen.active_bindings


async def test_a_letter_is_text_in_a_field(tmp_path: Path) -> None:
    characters = "?/ wchrsunqWCHRSUNQ"
    async with opened(samples.world(tmp_path)) as pilot:
        await pilot.press("enter", "home", "ctrl+k", *characters)
        assert isinstance(pilot.app.screen, AskScreen)
        assert pilot.app.screen.query_one("#start_script Input", Input).value == characters
