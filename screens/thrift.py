"""Fewer bytes for the same screen: only the cells that change are sent, and styles only where they change.

A frame of Textual (textual/_compositor.py) is rows joined by line feeds and, behind them, a move of the
cursor. A row begins with a move to it; each piece of text has its style before it and a reset behind it.
Every new screen is painted twice, and a field that gets the focus whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from rich.cells import cell_len

ROW = re.compile(r"\x1b\[(\d+);\d+H")
TOKEN = re.compile(r"\x1b\[(?P<style>[0-9;]*)m|\x1b\[\d+;(?P<column>\d+)H|(?P<text>[^\x1b]+)")
"""What a row consists of."""
RESET = "\x1b[m"
ERASED = 8
"""From how many blanks on it is shorter to erase them."""
STEP = 5
"""Up to how many characters are written again: to step over them is not shorter."""
LINES_AND_SWAP = frozenset(("4", "7", "9", "21", "53"))
"""The attributes by which every colour of a blank is seen."""
BEHIND = frozenset(map(str, (48, *range(40, 48), *range(100, 108))))
"""The colours behind it, which are seen anyway."""


@dataclass(frozen=True, slots=True)
class Style:
    """Colours and attributes, in numbers (ECMA-48, SGR); the default ones are none."""

    numbers: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Style:
        """As Rich writes it: after a reset, or a reset itself."""
        every = _attributes(text.split(";"))
        return cls(tuple(number for one in every if one[0] not in ("", "0", "39", "49") for number in one))

    @property
    def on_blanks(self) -> Style:
        """What of it a blank shows: only the colour behind it, unless a line is drawn or the colours swap."""
        every = tuple(_attributes(self.numbers))
        if any(one[0] in LINES_AND_SWAP for one in every):
            return self
        return Style(tuple(number for one in every if one[0] in BEHIND for number in one))

    def after(self, before: Style) -> str:
        """What changes the terminal from another style to this one."""
        if self == before:
            return ""
        numbers = ("0", *self.numbers) if before.numbers and self.numbers else self.numbers
        return f"\x1b[{';'.join(numbers)}m"


def _attributes(numbers: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Each with what belongs to it: 38 and 48 are followed by 5 and one number, or by 2 and three."""
    left = iter(numbers)
    for number in left:
        if number in ("38", "48"):
            form = next(left)
            yield number, form, *islice(left, 1 if form == "5" else 3)
        else:
            yield (number,)


PLAIN = Style()


class Thrift:
    """Remembers what the terminal shows: for each row the character and style in each column."""

    def __init__(self) -> None:
        self._shown: dict[int, dict[int, tuple[str, Style]]] = {}
        self._lost = True
        """Whether the terminal may have any style now."""

    def forget(self) -> None:
        """The terminal may show something else now."""
        self._shown.clear()
        self._lost = True

    def frame(self, data: str) -> str:
        """What to send in place of a frame; anything else is sent as it is."""
        body, _, cursor = data.rpartition("\x1b[")
        rows = [(ROW.match(text), text) for text in body.split("\n")]
        if not cursor.endswith("H") or not all(begin for begin, _ in rows):
            return data
        pen = Pen()
        for begin, text in rows:
            assert begin is not None
            self._write(int(begin[1]), text, pen)
        reset, self._lost = RESET if self._lost else "", False
        return f"{reset}{pen.ended()}\x1b[{cursor}"

    def _write(self, row: int, text: str, pen: Pen) -> None:
        # Terminals do not agree on how wide some characters are.
        narrow = text.isascii() or all(cell_len(character) == 1 for character in text if character > "\x7f")
        if not narrow or "\x1b]" in text:
            self._shown.pop(row, None)
            pen.write_as_it_is(text)
            return
        shown = self._shown.setdefault(row, {})
        passed: list[tuple[int, tuple[str, Style]]] = []
        for column, cell in _cells(text):
            passed.append((column, cell))
            if shown.get(column) == cell:
                continue
            shown[column] = cell
            if len(passed) <= STEP and pen.is_at(row, passed[0][0]):
                for place, character in passed[:-1]:
                    pen.write(row, place, *character)
            passed = []
            pen.write(row, column, *cell)


def _cells(text: str) -> Iterator[tuple[int, tuple[str, Style]]]:
    """Column, and character and style in it."""
    column, style = 1, PLAIN
    for token in TOKEN.finditer(text):
        if token["style"] is not None:
            style = Style.read(token["style"])
        elif token["column"]:
            column = int(token["column"])
        else:
            on_blanks = style.on_blanks
            for character in token["text"]:
                yield column, (character, on_blanks if character == " " else style)
                column += 1


class Pen:
    """Writes single characters: moves and styles not before they are needed, many blanks by erasing."""

    def __init__(self) -> None:
        self._sent = ""
        self._style = PLAIN
        self._row = self._column = 0
        """Where the terminal's cursor is."""
        self._blanks: list[tuple[int, int]] = []
        """Row and column of blanks that are not written yet, side by side."""

    def is_at(self, row: int, column: int) -> bool:
        """Whether a character can be written here without a move."""
        if self._blanks:
            return self._blanks[-1] == (row, column - 1)
        return (self._row, self._column) == (row, column)

    def write(self, row: int, column: int, character: str, style: Style) -> None:
        """Write a character in its place."""
        blank = character == " " and style == PLAIN
        if self._blanks and not (blank and self._blanks[-1] == (row, column - 1)):
            self._write_blanks()
        if blank:
            self._blanks.append((row, column))
            return
        self._go(row, column)
        if character == " " and self._style.on_blanks == style:
            style = self._style  # it shows the same
        self._sent += style.after(self._style) + character
        self._style = style
        self._column += 1

    def write_as_it_is(self, text: str) -> None:
        """Write a text that begins with a move and ends with a reset."""
        self._sent = self.ended() + text
        self._row = 0

    def ended(self) -> str:
        """All that was written, with the style reset behind it."""
        self._write_blanks()
        self._sent += PLAIN.after(self._style)
        self._style = PLAIN
        return self._sent

    def _write_blanks(self) -> None:
        if not self._blanks:
            return
        self._go(*self._blanks[0])
        count, self._blanks = len(self._blanks), []
        if self._style.on_blanks != PLAIN:
            self._sent += PLAIN.after(self._style)
            self._style = PLAIN
        if count < ERASED:
            self._sent += " " * count
            self._column += count
        else:
            self._sent += f"\x1b[{count}X"

    def _go(self, row: int, column: int) -> None:
        steps = column - self._column
        if row != self._row or steps < 0:
            self._sent += f"\x1b[{row};{column}H"
        elif steps:
            self._sent += f"\x1b[{steps}C"
        self._row, self._column = row, column
