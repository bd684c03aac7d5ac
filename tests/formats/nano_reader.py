"""How the Nano node reads its TOML files, by the rules of its cpptoml with values kept as strings.

It reads line by line. Of a value without quotes it takes the whole rest of the line, with a quote put before
and behind, as a text in double quotes. `RECORDED` in test_toml.py holds answers of the real reader.
"""

from __future__ import annotations

import re
from typing import NoReturn

Read = str | list["Read"] | dict[str, "Read"]

BLANKS = " \t"
ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
DIGITS = r"[0-9](?:_?[0-9])*"
NUMBER = re.compile(
    rf"0x[0-9a-fA-F](?:_?[0-9a-fA-F])*|0[ob]{DIGITS}"
    rf"|[+-]?(?:inf|nan|(?:(?!0[0-9_eE+xob-]){DIGITS})(?:\.{DIGITS})?(?:[eE][+-]?(?!0[0-9_]){DIGITS})?)"
)
TIME = r"\d\d:\d\d:\d\d(?:\.\d+)?"
DATE = re.compile(rf"{TIME}|\d{{4}}-\d\d-\d\d(?:[T ]{TIME}(?:Z|[+-]\d\d:\d\d)?)?")


class NanoRefuses(Exception):
    """The node does not load the file."""


def nano_read(data: bytes) -> dict[str, Read]:
    """What the node reads: every single value is a string. Raises NanoRefuses."""
    return _Reader(data).file()


class _Reader:
    def __init__(self, data: bytes) -> None:
        lines = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
        self.waiting = lines[:-1] if lines[-1] == "" else lines
        self.number = 0
        self.line = ""
        self.at = 0
        self.growing: list[Read] = []
        """The arrays that headers made; others are not extended."""

    def file(self) -> dict[str, Read]:
        root: dict[str, Read] = {}
        table = root
        while self.next_line():
            if self.next() in ("", "#"):
                continue
            if self.next() == "[":
                table = self.header(root)
            else:
                self.pair(table)
            self.blanks()
            if self.next() not in ("", "#"):
                self.refuse("trailing character")
        return root

    def refuse(self, why: str) -> NoReturn:
        raise NanoRefuses(f"{why} at line {self.number}")

    def next_line(self) -> bool:
        if not self.waiting:
            return False
        self.line, self.at = self.waiting.pop(0), 0
        self.number += 1
        self.blanks()
        return True

    def blanks(self) -> None:
        while self.next() and self.next() in BLANKS:
            self.at += 1

    def next(self, length: int = 1) -> str:
        return self.line[self.at : self.at + length]

    def header(self, root: dict[str, Read]) -> dict[str, Read]:
        closing = "]]" if self.next(2) == "[[" else "]"
        self.at += len(closing)
        parts = self.key("]")
        if self.next(len(closing)) != closing or "" in parts:
            self.refuse("table name")
        self.at += len(closing)
        table, known = root, True
        for part in parts[:-1] if closing == "]]" else parts:
            known = known and part in table
            table = self.inner(table, part)
        if closing == "]":
            if known and (not table or any(isinstance(value, str) for value in table.values())):
                self.refuse("redefinition of table")
            return table
        if parts[-1] not in table:
            table[parts[-1]] = []
            self.growing.append(table[parts[-1]])
        elements, element = table[parts[-1]], dict[str, Read]()
        if not isinstance(elements, list) or not any(elements is growing for growing in self.growing):
            self.refuse("not a table array")
        elements.append(element)
        return element

    def inner(self, table: dict[str, Read], part: str) -> dict[str, Read]:
        found = table.setdefault(part, {})
        found = found[-1] if isinstance(found, list) and found else found
        if not isinstance(found, dict):
            self.refuse("already exists as a value")
        return found

    def pair(self, table: dict[str, Read]) -> None:
        *outer, last = self.key("=")
        for part in outer:
            found = table.setdefault(part, {})
            if not isinstance(found, dict):
                self.refuse("already exists as a value")
            table = found
        if last in table or self.next() != "=":
            self.refuse("already present")
        self.at += 1
        self.blanks()
        table[last] = self.value()
        self.blanks()

    def key(self, end: str) -> list[str]:
        parts: list[str] = []
        while True:
            self.blanks()
            if self.next() in ('"', "'") and self.next():
                parts.append(self.text())
            else:
                start = self.at
                while self.next() and self.next() not in ".=]":
                    self.at += 1
                parts.append(self.line[start : self.at].rstrip(BLANKS))
                if not parts[-1] or any(character in "# \t[" for character in parts[-1]):
                    self.refuse("bare key")
            self.blanks()
            if self.next() in ("", end):
                return parts
            if self.next() != ".":
                self.refuse("character in key")
            self.at += 1

    def value(self) -> Read:
        first = self.next()
        if first and first in "\"'":
            return self.long_text() if self.next(3) == first * 3 else self.text()
        if first == "[":
            return self.array()
        if first == "{":
            return self.braces()
        found = DATE.match(self.line, self.at) or NUMBER.match(self.line, self.at)
        end = self.at + len(next((word for word in ("true", "false") if self.next(len(word)) == word), ""))
        end = found.end() if found else end
        digits = self.line[self.at : end].lstrip("+-").replace("_", "")
        too_large = digits.isdecimal() and (len(digits) > 19 or int(digits) >= 2**63)
        if end == self.at or too_large:
            self.refuse("value")
        rest = _Reader(b"")
        rest.number, rest.line = self.number, f'"{self.line[self.at :]}"'
        self.at = end
        return rest.text()

    def text(self) -> str:
        quote, read = self.next(), ""
        self.at += 1
        while self.next() != quote:
            if not self.next():
                self.refuse("unterminated string")
            read += self.character(quote)
        self.at += 1
        self.blanks()
        return read

    def character(self, quote: str) -> str:
        self.at += 1
        letter = self.line[self.at - 1]
        if letter != "\\" or quote == "'":
            return letter
        kind = self.next()
        self.at += 1
        if kind in ESCAPES:
            return ESCAPES[kind]
        digits = self.next({"u": 4, "U": 8}.get(kind, 0))
        self.at += len(digits)
        if len(digits) not in (4, 8) or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
            self.refuse("escape")
        if int(digits, 16) > 0x10FFFF or 0xD800 <= int(digits, 16) < 0xE000:
            self.refuse("escape")
        return chr(int(digits, 16))

    def long_text(self) -> str:
        quote, read = self.next(), ""
        self.at += 3
        first, joined = True, False
        while True:
            if joined:
                self.blanks()
            joined = joined and not self.next()
            while self.next() and self.next(3) != quote * 3:
                if quote == '"' and self.next() == "\\" and not self.line[self.at + 1 :].strip(BLANKS):
                    joined = True
                    break
                read += self.character(quote)
            if self.next(3) == quote * 3:
                self.at += 3
                return read
            if not first and not joined:
                read += "\n"
            if not self.waiting:
                self.refuse("unterminated string")
            # The indentation belongs to the text, so next_line() with its blanks will not do.
            self.line, self.at, self.number, first = self.waiting.pop(0), 0, self.number + 1, False

    def array(self) -> Read:
        self.at += 1
        self.gap()
        kind = self.next()
        elements: list[Read] = []
        while self.next() != "]":
            if kind in "[{":
                if self.next() != kind:
                    self.refuse("character in array")
                elements.append(self.array() if kind == "[" else self.braces())
            elif kind in "\"'" and self.next() not in ("[", "{"):
                elements.append(self.value())
            else:
                # As texts, numbers are not of the type that the first one announced.
                self.refuse("array of several types")
            self.gap()
            if self.next() != ",":
                break
            self.at += 1
            self.gap()
        if kind in "[{" and self.next() != "]":
            self.refuse("unterminated array")
        self.at += 1
        return elements

    def gap(self) -> None:
        self.blanks()
        while self.next() in ("", "#"):
            if not self.next_line():
                self.refuse("unclosed array")

    def braces(self) -> dict[str, Read]:
        table: dict[str, Read] = {}
        while True:
            self.at += 1
            self.blanks()
            if self.next() not in ("", "}"):
                self.pair(table)
            if self.next() != ",":
                break
        if self.next() != "}":
            self.refuse("unterminated inline table")
        self.at += 1
        self.blanks()
        return table
