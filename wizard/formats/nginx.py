"""Edits of nginx's configuration: arguments are set, directives added and removed by splices.

Everything else stays to the byte: comments, indentation, line endings, Lua. An edit is given out only after
it was read again and holds exactly the directives that were meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import itemgetter

from wizard.formats.nginx_scan import Directive, Document, Word, read, walk
from wizard.formats.splice import CannotEdit, Splice, line_of, splice

__all__ = ["Directive", "Document", "Editor", "New", "Word", "read", "walk", "written"]

_PLAIN = re.compile(r"[^\s;{}\"'\\#]+")
_NOTHING_MORE = re.compile(rb"[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)")
_LINE_ENDS = re.compile(rb"[ \t]*(?:\r?\n|\Z)")
_INDENTATION = re.compile(rb"[ \t]*")
_UNIT = "    "


@dataclass(frozen=True, slots=True)
class New:
    """A directive to be written, perhaps with a block and a comment in the line above it."""

    words: tuple[str, ...]
    block: tuple[New, ...] | None = None
    remark: str = ""


def written(news: Iterable[New], indentation: str = "", unit: str = _UNIT, line_break: str = "\n") -> str:
    """Directives as text, one a line."""
    return "".join(line + line_break for new in news for line in _lines(new, indentation, unit))


def _lines(new: New, indentation: str, unit: str) -> Iterator[str]:
    if new.remark:
        yield f"{indentation}# {new.remark}"
    words = " ".join(map(_quoted, new.words))
    if new.block is None:
        yield f"{indentation}{words};"
        return
    yield f"{indentation}{words} {{"
    for each in new.block:
        yield from _lines(each, indentation + unit, unit)
    yield f"{indentation}}}"


def _quoted(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Editor:
    """Collects the edits of one file."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._splices: list[Splice] = []
        self._instead: dict[int, tuple[str, ...] | None] = {}
        """The words that a directive is to have, by where it begins; None when it is to go."""
        self._new: list[tuple[int, _Line]] = []
        """By where they are put."""

    @cached_property
    def _before(self) -> dict[int, _Line]:
        """What the file says, by where each directive begins."""
        return dict(_flat(self.document))

    def _depth(self, directive: Directive) -> int:
        return self._before[directive.start][0]

    def set(self, directive: Directive, *arguments: str) -> None:
        """Give a directive other arguments; comments between the old ones stay."""
        if directive.arguments == arguments:
            return
        name, *old = directive.words
        text = " ".join(map(_quoted, arguments))
        if old:
            self._splices.append(Splice(old[0].start, old[0].end, _encoded(text)))
        else:
            self._splices.append(Splice(name.end, name.end, _encoded(f" {text}")))
        for before, word in pairwise(old):
            between = self.document.data[before.end : word.start]
            start = word.start if between.strip() else before.end  # what is not blank is a comment
            self._splices.append(Splice(start, word.end, b""))
        self._instead[directive.start] = (directive.name, *arguments)

    def remove(self, directive: Directive) -> None:
        """Take a directive without a block away, with its line where nothing else stands there."""
        start, end, data = directive.start, directive.end, self.document.data
        rest = _LINE_ENDS.match(data, end)
        if rest and self._begins_line(directive):
            start, end = self._line_start(directive), rest.end()
        self._splices.append(Splice(start, end, b""))
        self._instead[directive.start] = None

    def add(self, block: Directive, news: Iterable[New], after: Directive | None = None) -> None:
        """Add directives to a block: behind one in it, else at its beginning."""
        at = after.end if after is not None else block.inside[0]
        assert block.inside[0] <= at <= block.inside[1], "the directive stands in another block"
        style = _Style(self._indentation_in(block, after), self._unit(block), self._line_break)
        self._insert(at, tuple(news), style, self._depth(block) + 1)

    def add_beside(self, directive: Directive, news: Iterable[New]) -> None:
        """Add directives without blocks behind one, whichever block that stands in."""
        style = _Style(self._indentation_of(directive), "", self._line_break)
        self._insert(directive.end, tuple(news), style, self._depth(directive))

    def add_behind(self, directive: Directive, news: Iterable[New]) -> None:
        """Add blocks behind one that stands beside them, each with an empty line before it."""
        style = _Style(self._indentation_of(directive), self._unit(directive), self._line_break)
        for new in news:
            self._insert(directive.end, (new,), style, self._depth(directive), gap=True)

    def finish(self) -> bytes:
        """The edited file. Raises CannotEdit when it would not read as it was meant."""
        if not self._splices:
            return self.document.data
        after = splice(self.document.data, self._splices)
        try:
            as_meant = [line for _, line in _flat(read(after))] == self._meant()
        except CannotEdit:
            as_meant = False
        if not as_meant:
            first = min(edit.start for edit in self._splices)
            raise CannotEdit(
                "It is written in a way in which it cannot be edited with certainty.",
                "Put each directive on a line of its own, then try again.",
                line_of(self.document.data, first),
            )
        return after

    def _meant(self) -> list[_Line]:
        """What the edited file is to say."""
        meant = list(self._new)  # put before what begins at the same byte
        for start, (depth, words, lua) in self._before.items():
            now = self._instead.get(start, words)
            if now is not None:
                meant.append((start, (depth, now, lua)))
        return [line for _, line in sorted(meant, key=itemgetter(0))]

    # Where and how ------------------------------------------------------------------------------------

    def _insert(
        self, at: int, news: tuple[New, ...], style: _Style, depth: int, *, gap: bool = False
    ) -> None:
        text, data = written(news, style.indentation, style.unit, style.line_break), self.document.data
        if rest := _NOTHING_MORE.match(data, at):
            at, text = rest.end(), (style.line_break if gap else "") + text
            if not rest[0].endswith(b"\n"):  # the last line, without a line break
                text = style.line_break + text.removesuffix(style.line_break)
        elif any(new.block is not None or new.remark for new in news):
            text = style.line_break + text + style.indentation
        else:
            text = "".join(f" {line}" for new in news for line in _lines(new, "", ""))
        self._splices.append(Splice(at, at, _encoded(text)))
        self._new += [(at, line) for new in news for line in _lines_of_new(new, depth)]

    @property
    def _line_break(self) -> str:
        end = self.document.data.find(b"\n")
        return "\r\n" if end > 0 and self.document.data[end - 1 : end] == b"\r" else "\n"

    def _line_start(self, directive: Directive) -> int:
        return self.document.data.rfind(b"\n", 0, directive.start) + 1

    def _begins_line(self, directive: Directive) -> bool:
        return not self.document.data[self._line_start(directive) : directive.start].strip(b" \t")

    def _indentation_of(self, directive: Directive) -> str:
        """What stands before it on its line, as far as that is blank."""
        found = _INDENTATION.match(self.document.data, self._line_start(directive))
        assert found is not None  # it matches nothing too
        return found[0].decode()

    def _indentation_in(self, block: Directive, after: Directive | None) -> str:
        beside = (after, *(block.block or ()))
        for each in beside:
            if each is not None and self._begins_line(each):
                return self._indentation_of(each)
        return self._indentation_of(block) + self._unit(block)

    def _unit(self, block: Directive) -> str:
        """By how much the content of a block is indented, or else that of the others."""
        return self._deeper(block) or self._usual_unit

    @cached_property
    def _usual_unit(self) -> str:
        return next(filter(None, map(self._deeper, walk(self.document.directives))), _UNIT)

    def _deeper(self, block: Directive) -> str:
        """By how much the content of this block is indented; empty where that cannot be told."""
        outer = self._indentation_of(block)
        for each in block.block or ():
            inner = self._indentation_of(each)
            if self._begins_line(each) and inner.startswith(outer) and inner != outer:
                return inner[len(outer) :]
        return ""


@dataclass(frozen=True, slots=True)
class _Style:
    """How the text around is set."""

    indentation: str
    unit: str
    line_break: str


_Line = tuple[int, tuple[str, ...], bytes]
"""What a directive says: in how many blocks, its words, its Lua."""


def _flat(document: Document) -> Iterator[tuple[int, _Line]]:
    """What the directives say, each with where it begins."""
    return _lines_of(document.directives, document.data)


def _lines_of(directives: tuple[Directive, ...], data: bytes, depth: int = 0) -> Iterator[tuple[int, _Line]]:
    for each in directives:
        lua = data[slice(*each.inside)] if each.holds_lua else b""
        yield each.start, (depth, each.words_text, lua)
        yield from _lines_of(each.block or (), data, depth + 1)


def _lines_of_new(new: New, depth: int) -> Iterator[_Line]:
    yield depth, new.words, b""
    for each in new.block or ():
        yield from _lines_of_new(each, depth + 1)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
