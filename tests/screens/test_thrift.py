"""Fewer bytes, and the same screen cell for cell."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from screens.thrift import Thrift
from tests.screens.pty_terminal import seen

COLUMNS, ROWS = 30, 5
STYLES = (
    "39;49", "1;39;49", "2;39;49", "31;49", "1;30;47", "7;39;49", "4;39;49", "9", "48;5;39", "38;5;49",
    "38;2;39;49;0;48;2;1;39;49",
)  # fmt: skip


@st.composite
def written_to(draw: st.DrawFn, row: int) -> str:
    """What Textual writes to a row: pieces with their styles, some of them further right."""
    move, column = f"\x1b[{row};{{}}H", draw(st.integers(1, 9))
    written = move.format(column)
    texts = st.text(" aé─鍵", max_size=9) | st.integers(0, 25).map(lambda count: " " * count)
    for text, jumps in draw(st.lists(st.tuples(texts, st.booleans()), max_size=4)):
        if column + cell_len(text) > COLUMNS:
            break
        if jumps:
            written += move.format(column)
        written += f"\x1b[{draw(st.sampled_from(STYLES))}m{text}\x1b[0m"
        column += cell_len(text)
    return written


@st.composite
def frames(draw: st.DrawFn) -> str:
    """Some rows, from top to bottom."""
    chosen = draw(st.sets(st.integers(1, ROWS), min_size=1))
    return "\n".join(draw(written_to(row)) for row in sorted(chosen)) + "\x1b[2;3H"


class Paper:
    """A terminal that only keeps what is seen."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.Stream(self.screen)

    def write(self, data: str) -> None:
        self._stream.feed(data)


@given(st.lists(frames(), max_size=6))
def test_the_screen_is_the_same_cell_for_cell(told: list[str]) -> None:
    thrift, plain, thrifty = Thrift(), Paper(), Paper()
    for frame in told:
        plain.write(frame)
        thrifty.write(thrift.frame(frame))
        assert seen(thrifty.screen) == seen(plain.screen)


def frame(*written: str, cursor: str = "\x1b[1;1H") -> str:
    return "\n".join(f"\x1b[{y};1H{row}" for y, row in enumerate(written, 1)) + cursor


def test_what_stands_there_is_not_sent_again() -> None:
    thrift = Thrift()
    assert thrift.frame(frame("one", "two")) == "\x1b[m\x1b[1;1Hone\x1b[2;1Htwo\x1b[1;1H"
    assert thrift.frame(frame("one", "two")) == "\x1b[1;1H"
    assert thrift.frame(frame("one", "too")) == "\x1b[2;2Ho\x1b[1;1H"
    assert thrift.frame("\x1b[2;3Hx\x1b[1;1H") == "\x1b[2;3Hx\x1b[1;1H"
    assert thrift.frame(frame("One", "too")) == "\x1b[1;1HO\x1b[2;3Ho\x1b[1;1H"


def test_what_was_forgotten_is_sent_again() -> None:
    thrift = Thrift()
    first = thrift.frame(frame("one", "two"))
    thrift.forget()
    assert thrift.frame(frame("one", "two")) == first


def test_styles_are_sent_as_they_change_and_blanks_are_erased() -> None:
    pieces = ("1;39;49", "name"), ("39;49", " " * 12), ("1;31;49", "x"), ("49", " " * 20)
    row = "".join(f"\x1b[{style}m{text}\x1b[0m" for style, text in pieces)
    sent = "\x1b[1mname\x1b[12X\x1b[12C\x1b[0;1;31mx\x1b[20X\x1b[m"
    assert Thrift().frame(frame(row)) == f"\x1b[m{frame(sent)}"


@pytest.mark.parametrize("wide", ["鍵 key", "e\u0301", "\x1b]8;;https://example.org\x1b\\key\x1b]8;;\x1b\\"])
def test_a_row_of_which_the_width_is_not_certain_is_sent_whole(wide: str) -> None:
    thrift = Thrift()
    thrift.frame(frame("key", "two"))
    for _ in range(2):
        assert thrift.frame(frame(wide, "two")) == f"\x1b[1;1H{wide}\x1b[1;1H"
    assert thrift.frame(frame("key", "two")) == "\x1b[1;1Hkey\x1b[1;1H"


@pytest.mark.parametrize(
    "other", ["", "\x1b[?1049h", "\x1b[?2026h", "\x1b]52;c;eA==\x07", "\x1b[<u", "text\x1b[1;1H", "\x1b[2J"]
)
def test_what_is_no_frame_is_sent_as_it_is(other: str) -> None:
    assert Thrift().frame(other) == other
