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
from typing import NamedTuple

from wizard.formats.splice import CannotEdit, line_of
from wizard.inert import inert

DEEPEST = 50
"""How many blocks may stand within each other."""
LONGEST = 4095
"""Bytes of a word with its closing quotation mark, or of a comment (NGX_CONF_BUFFER, less one)."""

# A blank or a comment, which begins only where a word could begin; then `;`, `{` or `}`, or a word. In a word
# a backslash protects the next byte, and `${` opens no block; quotation marks count only at its beginning.
_TOKEN = re.compile(
    rb"""
    (?: [ \t\r\n]++ | \#[^\n]{0,4094}+(?![^\n]) )*+
    (?:
        ([;{}])
      | ( (?!["'#]) (?: [^ \t\r\n;{\\$]++ | \\. | \$++\{*+ )++ )
      | " ( (?: [^"\\]++ | \\. )*+ ) " (?=[ \t\r\n;{)]|\Z)
      | ' ( (?: [^'\\]++ | \\. )*+ ) ' (?=[ \t\r\n;{)]|\Z)
    )?
    """,
    re.DOTALL | re.VERBOSE,
)
_MARK, _PLAIN = 1, 2
_CLOSED = re.compile(rb"""(["'])(?:\\.|(?!\1)[^\\])*+\1""", re.DOTALL)
_ESCAPE = re.compile(rb"\\([\"'\\trn])")
_ESCAPED = {b"t": b"\t", b"r": b"\r", b"n": b"\n"}
_REMARK = re.compile(rb"[ \t]*(#[^\r\n]*)")
# A text in quotation marks ends in its line; a quotation mark without another one there means nothing.
_LUA = re.compile(rb"""(?:--)?\[(=*)\[|--[^\n]*|"(?:\\[^\n]|[^"\\\n])*+"|'(?:\\[^\n]|[^'\\\n])*+'|[{}]""")
_OF_LUA = "_by_lua_block"
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_TEMPLATE = (b"{{", b"{%", b"{#")


class Word(NamedTuple):
    """A word, quotes and escapes undone."""

    start: int
    end: int
    text: str
    """As UTF-8; bytes that are none are kept as surrogates."""


class Directive(NamedTuple):
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
    def holds_lua(self) -> bool:
        """Whether Lua stands in its braces."""
        return self.block is not None and self.name.endswith(_OF_LUA)

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
    if data.startswith(_BYTE_ORDER_MARKS):
        raise CannotEdit(
            "It begins with a byte order mark, which nginx takes for a part of the first directive.",
            "Save it as UTF-8 without a byte order mark.",
            1,
        )
    return Document(data, _Reader(data).block(0))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def block(self, depth: int) -> tuple[Directive, ...]:
        """The directives up to the `}` of this block, or to the end of the file; `at` is put behind it."""
        directives: list[Directive] = []
        words: list[Word] = []
        while True:
            found = _TOKEN.match(self.data, self.at)
            assert found is not None  # it matches nothing too
            self.at, kind = found.end(), found.lastindex
            if kind is None:
                self._check_end(words, depth)
                return tuple(directives)
            if kind != _MARK:
                words.append(self._word(found, kind))
            elif found[_MARK] == b"}":
                self._check_close(words, depth)
                return tuple(directives)
            else:
                directives.append(self._directive(tuple(words), depth, opens=found[_MARK] == b"{"))
                words = []

    def _word(self, found: re.Match[bytes], kind: int) -> Word:
        start, raw = found.start(kind), found[kind]
        if self.at - start > LONGEST:
            raise self._too_long("word", start)
        if b"\\" in raw:
            raw = _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), raw)
        return Word(start - (kind != _PLAIN), self.at, raw.decode("utf-8", "surrogateescape"))

    def _directive(self, words: tuple[Word, ...], depth: int, *, opens: bool) -> Directive:
        """One of these words; `at` is behind the `;` or the `{`."""
        lua = bool(words) and words[0].text.endswith(_OF_LUA)
        if opens and not lua and self.data.startswith(_TEMPLATE[: 2 if words else 3], self.at - 1):
            raise self._refusal(
                "It is a template with placeholders in it, not a configuration.",
                remedy="Give the file that is made from it; what makes it must change in the template.",
            )
        if not words:
            mark = "{" if opens else ";"
            raise self._refusal(f'There is a "{mark}" where a directive should begin.')
        if not opens:
            return Directive(words, self.at)
        if depth == DEEPEST:
            raise self._refusal(
                f"More than {DEEPEST} blocks stand within each other here.", remedy="Make the change by hand."
            )
        start = self.at
        block = self._lua() if lua else self.block(depth + 1)
        return Directive(words, self.at, block, (start, self.at - 1))

    def _lua(self) -> tuple[Directive, ...]:
        """Pass a block of Lua, whose braces may stand in texts and comments."""
        depth, start = 1, self.at
        while found := _LUA.search(self.data, self.at):
            self.at = found.end()
            if found.lastindex:
                closing = b"]" + found[1] + b"]"
                at = self.data.find(closing, self.at)
                if at < 0:
                    raise self._refusal("A long bracket of Lua is not closed.", found.start())
                self.at = at + len(closing)
            elif found[0] in (b"{", b"}"):
                depth += 1 if found[0] == b"{" else -1
                if not depth:
                    return ()
        raise self._refusal("The file ends inside a block of Lua.", start)

    # What stops it ------------------------------------------------------------------------------------

    def _check_end(self, words: list[Word], depth: int) -> None:
        """Raises where nothing could be read, unless the file ends there as it should."""
        here = self.data[self.at : self.at + 1]
        if here == b"#":
            raise self._too_long("comment", self.at)
        if here in (b'"', b"'"):
            if _CLOSED.match(self.data, self.at):
                raise self._refusal("Behind a closing quotation mark there must be a blank, ; or {.")
            raise self._refusal("A quotation mark is not closed.")
        if here:  # a backslash at the very end
            raise self._refusal("The file ends in the middle of a directive.")
        if words:
            raise self._not_closed(words)
        if depth:
            raise self._refusal('The file ends inside a block: a "}" is missing.')

    def _check_close(self, words: list[Word], depth: int) -> None:
        if words:
            raise self._not_closed(words)
        if not depth:
            raise self._refusal('There is a "}" that closes nothing.', self.at - 1)

    def _not_closed(self, words: list[Word]) -> CannotEdit:
        name = inert(words[0].text[:40])
        return self._refusal(f'"{name}" is not closed: a ";" is missing.', words[-1].end)

    def _too_long(self, what: str, start: int) -> CannotEdit:
        return self._refusal(f"This {what} has more than {LONGEST} bytes, which nginx does not take.", start)

    def _refusal(self, reason: str, at: int | None = None, remedy: str = "") -> CannotEdit:
        line = line_of(self.data, self.at if at is None else at)
        return CannotEdit(reason, remedy or "nginx does not start with it; mend it, then try again.", line)


def walk(directives: tuple[Directive, ...]) -> Iterator[Directive]:
    """All directives, those in blocks behind the one that they stand in."""
    for directive in directives:
        yield directive
        yield from walk(directive.block or ())
