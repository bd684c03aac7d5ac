"""Command lines read the way gflags reads them (gflags/gflags src/gflags.cc).

One dash or two; the value after `=` or in the next word; the last occurrence wins; a string takes the next
word whatever it looks like; `--` ends the flags; other words are passed over; `--flagfile` is read where it
stands. All errors are collected before the program ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

Value: TypeAlias = str | int | bool

_TRUE = frozenset({"1", "t", "true", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "n", "no"})
_TYPE_NAMES = {str: "string", int: "uint32", bool: "bool"}


class FlagErrors(Exception):
    """The command line is wrong; the message is what gflags prints before it ends with code 1."""


def parse(words: Sequence[str], defaults: Mapping[str, Value]) -> dict[str, Value]:
    """Read the words after the program's name; a flag's type is that of its default.

    FlagErrors: unknown flags, missing or illegal values, or a flag file that cannot be read.
    """
    parser = _Parser(defaults)
    parser.read_words(words)
    if parser.errors:
        raise FlagErrors("\n".join(parser.errors[name] for name in sorted(parser.errors)))
    return parser.values


class _Parser:
    def __init__(self, defaults: Mapping[str, Value]) -> None:
        self.values: dict[str, Value] = {**defaults, "flagfile": ""}
        self.errors: dict[str, str] = {}

    def read_words(self, words: Sequence[str]) -> None:
        rest = iter(words)
        for word in rest:
            if word == "--":
                return
            if not word.startswith("-") or word == "-":
                continue
            name, value = self._split(word)
            if name in self.errors:
                continue
            if value is None:
                value = next(rest, None)
            if value is None:
                self.errors[name] = f"ERROR: flag '{word}' is missing its argument"
                return
            self._set(name, value)

    def _split(self, word: str) -> tuple[str, str | None]:
        """Return a flag's name and, where the word itself tells it, the value."""
        name, equals, text = word.removeprefix("-").removeprefix("-").partition("=")
        value = text if equals else None
        if name not in self.values and name.startswith("no") and name[2:] in self.values:
            if isinstance(self.values[name[2:]], bool):
                return name[2:], "0"
            kind = _TYPE_NAMES[type(self.values[name[2:]])]
            self.errors[name] = f"ERROR: boolean value ({name}) specified for {kind} command line flag"
        elif name not in self.values:
            self.errors[name] = f"ERROR: unknown command line flag '{name}'"
        elif value is None and isinstance(self.values[name], bool):
            value = "1"
        return name, value

    def _set(self, name: str, text: str) -> None:
        value = _read(text, type(self.values[name]))
        if value is None:
            kind = _TYPE_NAMES[type(self.values[name])]
            self.errors[name] = f"ERROR: illegal value '{text}' specified for {kind} flag '{name}'"
            return
        self.values[name] = value
        if name == "flagfile":
            for path in filter(None, text.split(",")):
                self._read_file(path)

    def _read_file(self, path: str) -> None:
        try:
            lines = Path(path).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError as error:
            raise FlagErrors(f"{path}: {error.strerror}") from error
        for line in map(str.strip, lines):
            if line.startswith("-"):
                known = dict(self.errors)
                name, value = self._split(line)
                self.errors = known  # in files gflags passes over what it does not know
                if name in self.values and value is not None:
                    self._set(name, value)


def _read(text: str, kind: type[Value]) -> Value | None:
    if kind is str:
        return text
    if kind is bool:
        word = text.lower()
        return word in _TRUE if word in _TRUE | _FALSE else None
    return int(text) if text.isascii() and text.isdigit() else None
