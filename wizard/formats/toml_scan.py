"""TOML: where headers, keys, values and commented-out defaults stand, to the byte.

After the TOML specification, version 1.0.0. The scanner finds where things begin and end; whether a text is
valid is for `tomllib` to say.
"""

from __future__ import annotations

import tomllib
from contextlib import suppress
from dataclasses import dataclass, field, replace

DEEPEST = 50
"""How many names and brackets may stand within each other."""
_BLANKS = b" \t"
_BARE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_VALUE_ENDS = frozenset(b",]}#\n")
_TEMPLATES = (b"{{", b"{%", b"${", b"<")
"""What begins a placeholder, and neither a key nor a value of TOML."""

Names = tuple[str, ...]


class Lost(Exception):
    """The scanner cannot follow the text at byte `at`; `kind` says why, where it knows."""

    def __init__(self, at: int, kind: str = "") -> None:
        super().__init__(at, kind)
        self.at = at
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Whole lines, from byte `start` to `end`, the last line break included."""

    path: Names
    """The names that lead there: those of the header above, then its own."""
    line: int
    start: int = -1
    end: int = -1
    section: int
    """Which header they stand under, from 1; 0 is above the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header(Spot):
    """A line `[name]` or `[[name]]`; it begins its section."""

    array: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Spot):
    """A live `key = value`, which may go on over several lines; without `start` and `end` in braces."""

    names: tuple[int, ...]
    """Where each part of the key begins."""
    key_end: int
    value_start: int
    value_end: int
    value: object = field(repr=False)
    members: tuple[Entry, ...] | None = None
    """What is in the braces, if the value is an inline table."""
    text_end: int = -1
    """Where the last line ends, without its break: blanks and a comment may stand behind the value."""

    @property
    def unquoted(self) -> bool:
        """Whether the value is a boolean, a number or a time."""
        return not isinstance(self.value, str | list | dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Default(Spot):
    """A key with its value in a comment of its own, as `--generate_config` prints them."""

    live: bool
    """Whether the key would get this path if it were live: no commented-out header is above it."""


@dataclass(frozen=True, slots=True)
class Scan:
    """All that the scanner found, each in the order in which it stands."""

    headers: tuple[Header, ...]
    entries: tuple[Entry, ...]
    defaults: tuple[Default, ...]
    torn: tuple[int, ...]
    """Where a text in three quotes begins whose first two lines the node joins."""


def scan(data: bytes) -> Scan:
    """Find everything in `data`. Raises Lost where it is no TOML, or nests too deep."""
    scanner = _Scanner(data)
    while scanner.at < len(data):
        scanner.next_line()
    return Scan(tuple(scanner.headers), tuple(scanner.entries), tuple(scanner.defaults), tuple(scanner.torn))


@dataclass(frozen=True, slots=True)
class _Key:
    parts: Names
    starts: tuple[int, ...]
    end: int


class _Scanner:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.line = 1
        self.table: Names = ()
        self.commented: Names | None = None
        """The table a commented-out header names, until the next live one."""
        self.headers: list[Header] = []
        self.entries: list[Entry] = []
        self.defaults: list[Default] = []
        self.torn: list[int] = []

    def next_line(self) -> None:
        start = self.at
        self._blanks()
        if self._sees(b"#"):
            self._comment(start)
        elif self._sees(b"["):
            self._header(start)
        elif not (self._ended or self._sees(b"\n", b"\r\n")):
            self._entry(start)
        else:
            self._finish_line()
        self.line += self.data.count(b"\n", start, self.at)

    def _sees(self, *texts: bytes) -> bool:
        """Whether one of the texts comes next."""
        return self.data.startswith(texts, self.at)

    @property
    def _ended(self) -> bool:
        return self.at >= len(self.data)

    def _take(self, text: bytes) -> None:
        if not self._sees(text):
            raise Lost(self.at)
        self.at += len(text)

    def _blanks(self) -> None:
        while self.at < len(self.data) and self.data[self.at] in _BLANKS:
            self.at += 1

    def _finish_line(self) -> int:
        """Pass blanks, a comment and the line break; the end of the text before the break."""
        self._blanks()
        if self._sees(b"#"):
            end = self.data.find(b"\n", self.at)
            self.at = len(self.data) if end < 0 else end - (self.data[end - 1 : end] == b"\r")
        end = self.at
        if not self._ended:
            self._take(b"\r\n" if self._sees(b"\r") else b"\n")
        return end

    def _comment(self, start: int) -> None:
        hash_at = self.at
        self.at += 1
        self._blanks()
        with suppress(Lost):  # words, not TOML
            self._commented_out(start)
        self.at = hash_at
        self._finish_line()

    def _commented_out(self, start: int) -> None:
        """Note a commented-out header or default. Raises Lost where the comment is neither."""
        if self._sees(b"["):
            closing = b"]]" if self._sees(b"[[") else b"]"
            self.at += len(closing)
            path = self._key().parts
            self._take(closing)
            self.commented = path
            return
        key = self._key()
        self._take(b"=")
        self.defaults.append(
            Default(
                path=(self.commented or self.table) + key.parts,
                line=self.line,
                start=start,
                end=self.data.find(b"\n", self.at) + 1 or len(self.data),
                section=len(self.headers),
                live=self.commented is None,
            )
        )

    def _header(self, start: int) -> None:
        array = self._sees(b"[[")
        self.at += 1 + array
        path = self._key().parts
        self._take(b"]]" if array else b"]")
        self._finish_line()
        section = len(self.headers) + 1
        self.headers.append(
            Header(path=path, line=self.line, start=start, end=self.at, section=section, array=array)
        )
        self.table, self.commented = path, None

    def _entry(self, start: int) -> None:
        pair = self._pair(self.table, len(self.table))
        text_end = self._finish_line()
        self.entries.append(replace(pair, start=start, text_end=text_end, end=self.at))

    def _pair(self, table: Names, depth: int) -> Entry:
        """`key = value`, in a line of its own or in braces."""
        if self._sees(*_TEMPLATES):
            raise Lost(self.at, "placeholder")
        key = self._key()
        self._take(b"=")
        self._blanks()
        if self._sees(*_TEMPLATES):
            raise Lost(self.at, "placeholder")
        path, start = table + key.parts, self.at
        members = self._value(path, depth + len(key.parts))
        return Entry(
            path=path,
            line=self.line,
            section=len(self.headers),
            names=key.starts,
            key_end=key.end,
            value_start=start,
            value_end=self.at,
            value=_read(self.data[start : self.at], start),
            members=members,
        )

    def _key(self) -> _Key:
        """Names with dots between them; the blanks after the last are passed."""
        parts: list[str] = []
        starts: list[int] = []
        while not parts or self._sees(b"."):
            self.at += bool(parts)
            self._blanks()
            starts.append(self.at)
            if self._sees(b'"', b"'"):
                self._string()
                parts += _read_key(self.data[starts[-1] : self.at], starts[-1])
            else:
                while self.at < len(self.data) and self.data[self.at] in _BARE:
                    self.at += 1
                parts.append(self.data[starts[-1] : self.at].decode())
                if not parts[-1]:
                    raise Lost(self.at)
            end = self.at
            self._blanks()
            if len(parts) > DEEPEST:
                raise Lost(self.at, "deep")
        return _Key(tuple(parts), tuple(starts), end)

    def _value(self, path: Names, depth: int) -> tuple[Entry, ...] | None:
        """Pass one value; what is in it, if it is an inline table."""
        if depth > DEEPEST:
            raise Lost(self.at, "deep")
        if self._sees(b"{"):
            return self._inline(path, depth)
        if self._sees(b"["):
            self._array(path, depth)
        elif self._sees(b'"""', b"'''"):
            self._long_string()
        elif self._sees(b'"', b"'"):
            self._string()
        else:
            start = self.at
            while self.at < len(self.data) and self.data[self.at] not in _VALUE_ENDS:
                self.at += 1
            self.at = start + len(self.data[start : self.at].rstrip(b" \t\r"))
            if self.at == start:
                raise Lost(start)
        return None

    def _inline(self, path: Names, depth: int) -> tuple[Entry, ...]:
        members: list[Entry] = []
        self._take(b"{")
        self._blanks()
        while not self._sees(b"}"):
            if members:
                self._take(b",")
                self._blanks()
            members.append(self._pair(path, depth + 1))
            self._blanks()
        self._take(b"}")
        return tuple(members)

    def _array(self, path: Names, depth: int) -> None:
        self._take(b"[")
        self._gap()
        while not self._sees(b"]"):
            self._value(path, depth + 1)
            self._gap()
            if not self._sees(b"]"):
                self._take(b",")
                self._gap()
        self._take(b"]")

    def _gap(self) -> None:
        """Pass blanks, comments and line breaks in an array."""
        self._blanks()
        while self._sees(b"#", b"\n", b"\r\n"):
            self._finish_line()
            self._blanks()

    def _string(self) -> None:
        start, quote = self.at, self.data[self.at]
        self.at += 1
        while self.at < len(self.data) and self.data[self.at] not in (quote, ord("\n")):
            self.at += 2 if self.data[self.at] == ord("\\") and quote == ord('"') else 1
        if self.at >= len(self.data) or self.data[self.at] != quote:
            raise Lost(start)
        self.at += 1

    def _long_string(self) -> None:
        start, quotes = self.at, self.data[self.at : self.at + 3]
        self.at += 3
        while not self._sees(quotes):
            if self._ended:
                raise Lost(start)
            self.at += 2 if self._sees(b"\\") and quotes == b'"""' else 1
        self.at += 3
        if self._sees(quotes[:1]):
            raise Lost(start, "quotes")  # TOML ends it at the last three, the node at the first
        first, line_break, _ = self.data[start + 3 : self.at].partition(b"\n")
        first = first.rstrip(b"\r")
        escapes = first.rstrip(b" \t") if quotes == b'"""' else b""
        goes_on = (len(escapes) - len(escapes.rstrip(b"\\"))) % 2
        if line_break and first and not goes_on:
            self.torn.append(start)


def _read(text: bytes, start: int) -> object:
    try:
        return tomllib.loads(f"v = {text.decode()}")["v"]
    except ValueError as error:
        raise Lost(start) from error


def _read_key(text: bytes, start: int) -> Names:
    try:
        return tuple(tomllib.loads(f"{text.decode()} = 0"))
    except ValueError as error:
        raise Lost(start) from error
