"""Colours: each text stands out, none alone carries a meaning, and whoever cannot read them changes them."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pyte.screens import Char
from rich.color import Color, ColorSystem
from rich.style import Style
from textual.pilot import Pilot
from textual.screen import Screen

from screens.dialogs import Confirm, Help, TooSmall
from screens.themes import TERMINAL, THEMES
from tests.screens import samples
from tests.screens.gallery import Picture, gallery, shown
from tests.screens.pty_terminal import PATIENCE, SIZE, Terminal, terminal
from tests.screens.stage import NARROW, opened, settled, text
from wizard import usage
from wizard.errors import WrongUsage

OURS = ("dark", "light")
ENOUGH = 4.5
"""Of contrast for text, WCAG 2.1, 1.4.3 (level AA)."""
BLOCKS = re.compile(r"[\u2580-\u259f\s]+")
"""What has no text in it: blanks, and the thumb of a scroll bar."""


COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")
"""Sets one (ECMA-48, SGR); 39 and 49 are those of the terminal."""


def texts(picture: Picture) -> Iterator[tuple[int, str, Style]]:
    """Row, text and style of each part of a picture in which something can be read."""
    for y, row in enumerate(picture):
        for part in row:
            if BLOCKS.sub("", part.text):
                yield y, part.text, part.style or Style()


# Contrast ---------------------------------------------------------------------------------------------------


def luminance(colour: Color, system: ColorSystem = ColorSystem.TRUECOLOR) -> float:
    """WCAG 2.1, relative luminance, of a colour as a terminal with so many of them gets it."""
    parts = (part / 255 for part in colour.downgrade(system).get_truecolor())
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: float, other: float) -> float:
    """WCAG 2.1, contrast ratio, of two luminances."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def test_the_formula() -> None:
    white, black, grey = (luminance(Color.parse(each)) for each in ("#ffffff", "#000000", "#777777"))
    assert contrast(white, black) == pytest.approx(21)
    assert contrast(grey, white) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", OURS)
async def test_every_text_stands_out(theme: str, tmp_path: Path) -> None:
    """On each step and dialog, with 256 colours and with all of them; dim is a colour of its own by then."""
    weak: dict[str, float] = {}
    for name, picture in (await gallery(tmp_path, theme)).items():
        for _, words, style in texts(picture):
            assert style.color is not None
            assert style.bgcolor is not None
            assert not style.dim
            for system in (ColorSystem.EIGHT_BIT, ColorSystem.TRUECOLOR):
                found = contrast(luminance(style.color, system), luminance(style.bgcolor, system))
                if found < ENOUGH:
                    weak[f"{name}, {system.name}: {words.strip()!r}, {style}"] = found
    assert weak == {}


# Sixteen colours --------------------------------------------------------------------------------------------

MARKS = "✓+!~…✗-"
PALETTES = {
    # Text, what is behind it, and red, green and yellow; the same where bold makes them brighter.
    "Linux console": ("#aaaaaa #000000", "#aa0000 #00aa00 #aa5500", "#ff5555 #55ff55 #ffff55"),
    "PuTTY": ("#bbbbbb #000000", "#bb0000 #00bb00 #bbbb00", "#ff5555 #55ff55 #ffff55"),
    "xterm -rv": ("#ffffff #000000", "#cd0000 #00cd00 #cdcd00", "#ff0000 #00ff00 #ffff00"),
    "xterm": ("#000000 #ffffff", "#cd0000 #00cd00 #cdcd00", "#ff0000 #00ff00 #ffff00"),
    "Tango light": ("#2e3436 #eeeeec", "#cc0000 #4e9a06 #c4a000", "#cc0000 #4e9a06 #c4a000"),
}
"""As these terminals come."""
WEAK = {
    "Linux console": {"- change"},
    "PuTTY": {"- change"},
    "xterm -rv": {"- change"},
    "xterm": {*MARKS, "+ change"},
    "Tango light": {*"✓+!~…", "+ change"},
}
"""What is hard to read there: a mark beside words that are not, or the text of a change behind its mark."""


async def coloured(folder: Path) -> dict[str, Style]:
    """What has a colour on the terminal's own background: marks, and changed lines with theirs."""
    uses: dict[str, Style] = {}
    for name, picture in (await gallery(folder, TERMINAL)).items():
        marked: dict[int, tuple[int, str]] = {}
        for y, words, style in texts(picture):
            number, behind = numbers(style)
            if behind is not None:
                assert (number, behind) == (0, 7), name  # the cursor and a selection: black on white
            if number is None or behind is not None:
                continue
            row, mark = (y, words.strip()) if words.strip() in MARKS else marked.get(number, (-2, ""))
            # A folded line goes on in the row below its mark.
            assert row in (y, y - 1), f"{name}: only a colour says what {words!r} is"
            assert words.strip() == mark or mark in "+-", f"{name}: {words!r} is hard to read somewhere"
            marked[number] = (y, mark)
            uses[mark if style.bold else f"{mark} change"] = style
    return uses


def numbers(style: Style) -> tuple[int | None, ...]:
    """Of the colour and of the one behind it; None: the terminal's own."""
    return tuple(colour.number if colour is not None else None for colour in (style.color, style.bgcolor))


async def test_there_is_no_blue_which_some_terminals_show_nearly_black(tmp_path: Path) -> None:
    used: set[int | None] = set()
    async with opened(samples.world(tmp_path), size=NARROW) as pilot:
        pilot.app.push_screen(Help("Ask", "word " * 400))
        await pilot.pause()
        used.update(
            number for row in shown(pilot) for part in row for number in numbers(part.style or Style())
        )
    assert used == {None, 0, 7}  # with a scroll bar


async def test_no_meaning_and_no_sentence_depends_on_one_of_sixteen_colours(tmp_path: Path) -> None:
    uses = await coloured(tmp_path)
    assert set(uses) == {*MARKS, "+ change", "- change"}
    for name, (plain, normal, bright) in PALETTES.items():
        text, background = (luminance(Color.parse(each)) for each in plain.split())
        assert contrast(text, background) > ENOUGH
        found = set()
        for use, style in uses.items():
            assert style.color is not None
            assert style.color.number in (1, 2, 3)
            shade = (bright if style.bold else normal).split()[style.color.number - 1]
            if contrast(luminance(Color.parse(shade)), background) < ENOUGH:
                found.add(use)
        assert found == WEAK[name], name


# Choosing ---------------------------------------------------------------------------------------------------


def test_the_command_line_offers_what_there_is() -> None:
    for theme in THEMES:
        assert usage.parsed(["--theme", theme.name]).theme == theme.name
    assert usage.parsed([]).theme == TERMINAL
    with pytest.raises(WrongUsage):
        usage.parsed(["--theme", "nord"])


@pytest.mark.parametrize(("key", "way"), [("f2", ("enter", "tab")), ("ctrl+y", ("enter", "f1"))], ids=str)
async def test_a_key_goes_through_all_of_them_as_if_started_with_each(
    key: str, way: tuple[str, ...], tmp_path: Path
) -> None:
    """In a field, and on a dialog over it."""
    pictures = {}
    for theme in (TERMINAL, *OURS):
        async with opened(samples.world(tmp_path), theme=theme) as pilot:
            await pilot.press(*way)
            await pilot.pause()
            pictures[theme] = looks(pilot)
    async with opened(samples.world(tmp_path)) as pilot:
        await pilot.press(*way)
        for theme in (*OURS, TERMINAL):
            await pilot.press(key)
            await settled(pilot)
            assert pilot.app.theme == theme
            assert looks(pilot) == pictures[theme]


def looks(pilot: Pilot[int]) -> list[list[tuple[str, str]]]:
    """Text and style of everything on the screen."""
    return [[(part.text, str(part.style)) for part in row] for row in shown(pilot)]


@pytest.mark.parametrize("dialog", [partial(Confirm, "Write?", "Write"), TooSmall])
async def test_the_key_works_on_every_dialog(dialog: Callable[[], Screen[Any]], tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path)) as pilot:
        pilot.app.push_screen(dialog())
        await pilot.press("f2")
        assert pilot.app.theme == "dark"
        assert type(pilot.app.screen) in (Confirm, TooSmall)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "linux"}, {"TERM": "xterm"}], ids=str)
async def test_where_there_are_no_more_colours_the_terminals_own_are_used(
    variables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    async with opened(samples.world(tmp_path), theme="dark") as pilot:
        assert pilot.app.theme == TERMINAL
        await pilot.press("enter")
        await pilot.pause()
        dimmed = [style for _, _, style in texts(shown(pilot)) if style.dim]
        assert bool(dimmed) == ("TERM" not in variables)  # Linux's console has a grey for it: 2.8 to 1
        before = looks(pilot)
        await pilot.press("f2")
        await pilot.pause()
        assert pilot.app.theme == TERMINAL
        assert "Only its own colours" in text(pilot)
        assert looks(pilot)[: len(before) // 2] == before[: len(before) // 2]


# On the line ------------------------------------------------------------------------------------------------


@contextmanager
def started(folder: Path, *arguments: str, **environment: str) -> Iterator[Terminal]:
    rigged = (sys.executable, "-m", "tests.screens.rigged", "", str(folder), *arguments)
    with terminal(*rigged, TLS_WIZARD_STATE=str(folder / "state"), **environment) as there:
        there.wait_for("runs here:")
        there.settle()
        yield there


def test_no_colour_is_sent_whatever_is_asked_for_where_none_is_wanted(tmp_path: Path) -> None:
    with started(tmp_path, "--theme", "light", NO_COLOR="1", COLORTERM="truecolor") as there:
        there.press("enter")
        there.wait_for("page 1 of 2")
        there.press("\x19")
        there.wait_for("Only its own colours")
        there.press("\x1bOQ")
        there.settle()
        assert not COLOUR.search(there.output)


@pytest.mark.parametrize(
    ("environment", "light"),
    [({}, {"eeeeee", "d7d7ff"}), ({"COLORTERM": "truecolor"}, {"f5f5f5", "d7d7ff"})],
    ids=["256", "truecolor"],
)
def test_a_theme_of_ours_colours_every_cell_and_the_terminals_own_none(
    environment: dict[str, str], light: set[str], tmp_path: Path
) -> None:
    with started(tmp_path, "--theme", "dark", **environment) as there:
        wait_for_backgrounds(there, {"1c1c1c", "3a3a3a"})
        there.press("\x19")
        wait_for_backgrounds(there, light)
        there.press("\x1bOQ")
        wait_for_backgrounds(there, {"default"})
        assert {cell.fg for cell in cells(there)} <= {"default", "red", "green", "brown"}


def cells(there: Terminal) -> list[Char]:
    """Every character of the screen, with its colours."""
    columns, rows = SIZE
    return [there.screen.buffer[y][x] for y in range(rows) for x in range(columns)]


def wait_for_backgrounds(there: Terminal, wanted: set[str]) -> None:
    """Read until these colours, and no others, are behind the characters."""
    deadline = time.monotonic() + PATIENCE
    while {cell.bg for cell in cells(there)} != wanted and time.monotonic() < deadline:
        there.settle()
    assert {cell.bg for cell in cells(there)} == wanted


def test_the_bytes_with_a_theme_of_ours(tmp_path: Path) -> None:
    with started(tmp_path, "--theme", "dark") as there:
        before = len(there.output)
        there.press("enter")
        there.wait_for("page 1 of 2")
        there.settle()
        assert len(there.output) - before <= 6000
        assert there.cost("tab") <= 320
        assert there.cost("\x1b[Z") <= 320
        there.cost("a")  # also says that there is no such file
        assert there.cost("b") <= 266
