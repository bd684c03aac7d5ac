"""Fewer bytes, and the same screen cell for cell."""

from __future__ import annotations

from collections.abc import Iterator

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.thrift import Thrift

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
    texts = st.text(" aé─", max_size=9) | st.integers(0, 25).map(lambda count: " " * count)
    for text, jumps in draw(st.lists(st.tuples(texts, st.booleans()), max_size=4)):
        if jumps:
            written += move.format(column)
        style = draw(st.sampled_from(STYLES))
        padded = text.ljust(draw(st.sampled_from((0, 0, 7))))[: COLUMNS - column]
        written += f"\x1b[{style}m{padded}\x1b[0m"
        column += len(padded)
    return written


@st.composite
def frames(draw: st.DrawFn) -> str:
    """Some rows, from top to bottom."""
    chosen = draw(st.sets(st.integers(1, ROWS), min_size=1))
    return "\n".join(draw(written_to(row)) for row in sorted(chosen)) + "\x1b[2;3H"


class Paper:
    """A terminal that only keeps what is seen."""

    def __init__(self) -> None:
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.Stream(self._screen)

    def write(self, data: str) -> None:
        self._stream.feed(data)

    def seen(self) -> Iterator[tuple[object, ...]]:
        """Each cell; of a blank the colour and weight of what is not there do not count."""
        for row in range(ROWS):
            for column in range(COLUMNS):
                cell = self._screen.buffer[row][column]
                about = cell.bg, cell.reverse, cell.underscore, cell.strikethrough
                yield (cell.data, *about, *((cell.fg, cell.bold) if cell.data != " " else ()))
        yield self._screen.cursor.x, self._screen.cursor.y


@given(st.lists(frames(), max_size=6))
def test_the_screen_is_the_same_cell_for_cell(told: list[str]) -> None:
    thrift, plain, thrifty = Thrift(), Paper(), Paper()
    for frame in told:
        plain.write(frame)
        thrifty.write(thrift.frame(frame))
        assert list(thrifty.seen()) == list(plain.seen())


def frame(*written: str, cursor: str = "\x1b[1;1H") -> str:
    return "\n".join(f"\x1b[{y};1H{row}" for y, row in enumerate(written, 1)) + cursor


def test_a_row_that_stands_there_is_not_sent_again() -> None:
    thrift = Thrift()
    assert thrift.frame(frame("one", "two")) == frame("one", "two").replace("\n", "")
    assert thrift.frame(frame("one", "2")) == "\x1b[2;1H2\x1b[1;1H"
    assert thrift.frame("\x1b[2;3Hx\x1b[1;1H") == "\x1b[2;3Hx\x1b[1;1H"
    assert thrift.frame(frame("one", "2")) == "\x1b[2;1H2\x1b[1;1H", "it was written over meanwhile"


def test_what_was_forgotten_is_sent_again() -> None:
    thrift = Thrift()
    first = thrift.frame(frame("one", "two"))
    thrift.forget()
    assert thrift.frame(frame("one", "two")) == first


def test_styles_are_sent_as_they_change_and_blanks_are_erased() -> None:
    row = (
        f"\x1b[1;39;49mname\x1b[0m\x1b[39;49m{' ' * 12}\x1b[0m\x1b[1;31;49mx\x1b[0m\x1b[49m{' ' * 20}\x1b[0m"
    )
    assert (
        Thrift().frame(frame(row))
        == "\x1b[1;1H\x1b[1mname\x1b[12X\x1b[12C\x1b[0;1;31mx\x1b[20X\x1b[m\x1b[1;1H"
    )


@pytest.mark.parametrize(
    "other", ["", "\x1b[?1049h", "\x1b[?2026h", "\x1b]52;c;eA==\x07", "\x1b[<u", "text\x1b[1;1H", "\x1b[2J"]
)
def test_what_is_no_frame_is_sent_as_it_is(other: str) -> None:
    assert Thrift().frame(other) == other
