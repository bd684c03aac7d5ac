"""Fewer bytes for the same screen: no row that stands there already, and styles only where they change.

A frame of Textual (textual/_compositor.py) is rows joined by line feeds and, behind them, a move of the
cursor. A row begins with a move to it; each piece of text has its style before it and a reset behind it. A
new screen is painted twice, and every piece names the default colours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ROW = re.compile(r"\x1b\[(\d+);\d+H")
TOKEN = re.compile(r"\x1b\[(?P<style>[0-9;]*)m|(?P<move>\x1b\[[0-9;]*H)|(?P<blank> +)|(?P<text>[^\x1b ]+|.)")
"""What a row consists of."""
RESET = "\x1b[m"
ERASED = 5
"""From how many blanks on it is shorter to erase them, and to step over them from twice as many on."""


@dataclass(frozen=True, slots=True)
class Style:
    """Colours and attributes, in numbers (ECMA-48, SGR); the default ones are none."""

    numbers: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Style:
        """As Rich writes it: after a reset, or a reset itself."""
        numbers = iter(text.split(";"))
        kept: list[str] = []
        for number in numbers:
            if number in ("38", "48"):  # followed by 5 and one number, or by 2 and three
                form = next(numbers)
                kept += [number, form, *(next(numbers) for _ in range(1 if form == "5" else 3))]
            elif number not in ("", "0", "39", "49"):
                kept.append(number)
        return cls(tuple(kept))

    @property
    def shows_on_blanks(self) -> bool:
        """Whether a blank looks different for it; one that is bold or red does not."""
        attributes = {"4", "7", "9", "21", "48", "53", *map(str, (*range(40, 48), *range(100, 108)))}
        return not attributes.isdisjoint(self.numbers)

    def after(self, before: Style) -> str:
        """What changes the terminal from another style to this one."""
        if self == before:
            return ""
        if not self.numbers:
            return RESET
        return f"\x1b[{';'.join(('0', *self.numbers) if before.numbers else self.numbers)}m"


PLAIN = Style()


class Thrift:
    """Remembers what was last sent to each row of the terminal."""

    def __init__(self) -> None:
        self._sent: dict[str, str] = {}

    def forget(self) -> None:
        """The terminal may show something else now."""
        self._sent.clear()

    def frame(self, data: str) -> str:
        """What to send in place of a frame; anything else is sent as it is."""
        body, _, cursor = data.rpartition("\x1b[")
        rows = [(ROW.match(row), row) for row in body.split("\n")]
        if not cursor.endswith("H") or not all(begin for begin, _ in rows):
            return data
        pen = Pen()
        for begin, row in rows:
            assert begin is not None
            if self._sent.get(begin[1]) != row:
                self._sent[begin[1]] = row
                pen.write(row)
        return f"{pen.sent}{PLAIN.after(pen.style)}\x1b[{cursor}"


class Pen:
    """Writes rows one behind the other: moves and styles not before they are needed, blanks by erasing."""

    def __init__(self) -> None:
        self.sent = ""
        self.style = PLAIN
        """The one the terminal has."""

    def write(self, row: str) -> None:
        """Write what has not been said yet of a row."""
        wanted, move, blanks = PLAIN, "", 0
        for token in TOKEN.finditer(row):
            if token["style"] is not None:
                wanted = Style.read(token["style"])
            elif token["move"]:
                self._erase(blanks)
                move, blanks = token["move"], 0
            elif token["blank"] and not wanted.shows_on_blanks:
                self._begin(move, PLAIN if self.style.shows_on_blanks else self.style)
                move, blanks = "", blanks + len(token["blank"])
            else:
                self._pass(blanks)
                self._begin(move, wanted)
                move, blanks = "", 0
                self.sent += token[0]
        self._erase(blanks)

    def _begin(self, move: str, style: Style) -> None:
        self.sent += move + style.after(self.style)
        self.style = style

    def _erase(self, blanks: int) -> None:
        """Blanks behind which the cursor goes elsewhere."""
        self.sent += " " * blanks if blanks < ERASED else f"\x1b[{blanks}X"

    def _pass(self, blanks: int) -> None:
        """Blanks behind which something follows."""
        self.sent += " " * blanks if blanks < 2 * ERASED else f"\x1b[{blanks}X\x1b[{blanks}C"
