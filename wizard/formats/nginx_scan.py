"""nginx: where directives, their words and their blocks stand, to the byte.

After nginx's own reader, ngx_conf_read_token() in src/core/ngx_conf_file.c, and for blocks of Lua the rules
of openresty/lua-nginx-module, src/ngx_http_lua_directive.c. The scanner finds where things begin and end;
what a directive means, and whether there is one of that name, is for `nginx -t` to say.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from wizard.formats.splice import CannotEdit

DEEPEST = 50
"""How many blocks may stand within each other."""
LONGEST = 4095
"""Bytes of a word (NGX_CONF_BUFFER, less one)."""

_GAP = re.compile(rb"(?:[ \t\r\n]+|#[^\n]*)*")
"""What stands between words; a `#` begins a comment only where a word could begin."""
_WORD = re.compile(rb"(?:\\.|\$+\{*|[^ \t\r\n;{\\$])+", re.DOTALL)
"""A word without quotes: a backslash protects the next byte, and `${` opens no block."""
_QUOTED = {
    ord('"'): re.compile(rb'"((?:\\.|[^"\\])*)"', re.DOTALL),
    ord("'"): re.compile(rb"'((?:\\.|[^'\\])*)'", re.DOTALL),
}
_ESCAPE = re.compile(rb"\\([\"'\\trn])")
_ESCAPED = {b"t": b"\t", b"r": b"\r", b"n": b"\n"}
_AFTER_QUOTE = b" \t\r\n;{)"
_REMARK = re.compile(rb"[ \t]*(#[^\r\n]*)")
_LUA = re.compile(
    rb"--\[(=*)\[.*?\]\1\]|\[(=*)\[.*?\]\2\]|--[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[{}]", re.DOTALL
)
_TEMPLATE = (b"{{", b"{%", b"{#")


@dataclass(frozen=True, slots=True)
class Word:
    """A word, quotes and escapes undone."""

    start: int
    end: int
    text: str
    """As UTF-8; bytes that are none are kept as surrogates."""


@dataclass(frozen=True, slots=True)
class Directive:
    """A name and its arguments, perhaps with a block; from the first word to `;` or `}`, inclusive."""

    words: tuple[Word, ...]
    end: int
    block: tuple[Directive, ...] | None = None
    """What stands in the braces; None where there are none. A block of Lua is empty."""
    inside: tuple[int, int] = (-1, -1)
    """From behind `{` to before `}`."""

    @property
    def start(self) -> int:
        """Where the name begins."""
        return self.words[0].start

    @property
    def name(self) -> str:
        """The first word."""
        return self.words[0].text

    @property
    def words_text(self) -> tuple[str, ...]:
        """The name and the arguments."""
        return tuple(word.text for word in self.words)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The other words."""
        return tuple(word.text for word in self.words[1:])


@dataclass(frozen=True)
class Document:
    """A file of nginx's configuration."""

    data: bytes = field(repr=False)
    directives: tuple[Directive, ...] = field(repr=False)

    def line(self, offset: int) -> int:
        """Line number, from 1, of the byte at `offset`."""
        return bisect_right(self._breaks, offset - 1) + 1

    @cached_property
    def _breaks(self) -> list[int]:
        return [found.start() for found in re.finditer(b"\n", self.data)]

    def remark(self, directive: Directive) -> str:
        """The comment behind a directive, on its line; empty without one."""
        found = _REMARK.match(self.data, directive.end)
        return found[1].decode("utf-8", "replace") if found else ""


def read(data: bytes) -> Document:
    """Read a file. Raises CannotEdit where nginx would stop, or a template is not filled in yet."""
    if data.startswith(b"\xef\xbb\xbf"):
        raise CannotEdit(
            "It begins with a byte order mark, which nginx takes for a part of the first directive.",
            "Save it as UTF-8 without a byte order mark.",
            1,
        )
    reader = _Reader(data)
    directives = reader.block(0)
    return Document(data, directives)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def block(self, depth: int) -> tuple[Directive, ...]:
        """The directives up to the `}` of this block, or to the end of the file; `at` is put behind it."""
        if depth > DEEPEST:
            raise self._refusal("Blocks stand more than 50 deep within each other.")
        found: list[Directive] = []
        while True:
            self._gap()
            if self.at >= len(self.data):
                if depth:
                    raise self._refusal('The file ends inside a block: a "}" is missing.')
                return tuple(found)
            if self.data[self.at] == ord("}"):
                if not depth:
                    raise self._refusal('There is a "}" that closes nothing.')
                self.at += 1
                return tuple(found)
            found.append(self._directive(depth))

    def _directive(self, depth: int) -> Directive:
        words: list[Word] = []
        while True:
            self._gap()
            byte = self.data[self.at : self.at + 1]
            if byte in (b";", b"{") and words:
                self.at += 1
                return self._ended(tuple(words), depth, opens=byte == b"{")
            if byte in (b"", b";", b"{", b"}"):
                raise self._misplaced(words, byte)
            words.append(self._word())

    def _ended(self, words: tuple[Word, ...], depth: int, *, opens: bool) -> Directive:
        if not opens:
            return Directive(words, self.at)
        start = self.at
        block = self._lua() if words[0].text.endswith("_by_lua_block") else self.block(depth + 1)
        return Directive(words, self.at, block, (start, self.at - 1))

    def _misplaced(self, words: list[Word], byte: bytes) -> CannotEdit:
        if self.data.startswith(_TEMPLATE, self.at):
            return self._template()
        if words:
            return self._refusal(f'"{words[0].text}" is not closed: a ";" is missing.', words[-1].end)
        return self._refusal(f'There is a "{byte.decode()}" where a directive should begin.')

    def _gap(self) -> None:
        found = _GAP.match(self.data, self.at)
        assert found is not None  # it matches nothing too
        self.at = found.end()

    def _word(self) -> Word:
        start, first = self.at, self.data[self.at]
        if first in _QUOTED:
            found = _QUOTED[first].match(self.data, start)
            if found is None:
                raise self._refusal("A quotation mark is not closed.")
            self.at, raw = found.end(), found[1]
            after = self.data[self.at : self.at + 1]
            if after not in _AFTER_QUOTE:
                raise self._refusal("Behind a closing quotation mark there must be a blank, ; or {.")
        else:
            found = _WORD.match(self.data, start)
            if found is None:  # a backslash at the end of the file
                raise self._refusal("The file ends in the middle of a directive.")
            self.at, raw = found.end(), found[0]
            if self.data.startswith(_TEMPLATE, self.at):
                raise self._template()
        if len(raw) > LONGEST:
            raise self._refusal("This word has more than 4095 bytes, which nginx does not take.", start)
        return Word(start, self.at, _unescaped(raw))

    def _lua(self) -> tuple[Directive, ...]:
        """Pass a block of Lua, whose braces may stand in texts and comments."""
        depth, start = 1, self.at
        for found in _LUA.finditer(self.data, self.at):
            if found[0] in (b"{", b"}"):
                depth += 1 if found[0] == b"{" else -1
            if not depth:
                self.at = found.end()
                return ()
        raise self._refusal("The file ends inside a block of Lua.", start)

    def _template(self) -> CannotEdit:
        return self._refusal(
            "It is a template with placeholders in it, not a configuration.",
            remedy="Give the file that is made from it. If a program makes it, change the template there.",
        )

    def _refusal(self, reason: str, at: int | None = None, remedy: str = "") -> CannotEdit:
        offset = min(self.at if at is None else at, len(self.data))
        line = self.data.count(b"\n", 0, offset) + 1
        return CannotEdit(reason, remedy or "nginx does not start with it; mend it, then try again.", line)


def _unescaped(raw: bytes) -> str:
    if b"\\" in raw:
        raw = _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), raw)
    return raw.decode("utf-8", "surrogateescape")


def walk(directives: tuple[Directive, ...]) -> Iterator[Directive]:
    """All directives, those in blocks behind the one that they stand in."""
    for directive in directives:
        yield directive
        yield from walk(directive.block or ())
