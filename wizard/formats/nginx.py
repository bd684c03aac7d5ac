"""Edits of nginx's configuration: arguments are set, directives added and removed by splices.

Everything else stays to the byte: comments, indentation, line endings, Lua. An edit is given out only after
it was read again and holds exactly the directives that were meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from wizard.formats.nginx_scan import Directive, Document, Word, read, walk
from wizard.formats.splice import CannotEdit, Splice, line_of, splice

__all__ = ["Directive", "Document", "Editor", "New", "Word", "read", "walk", "written"]

_PLAIN = re.compile(r"[^\s;{}\"'\\#]+")
_NOTHING_MORE = re.compile(rb"[ \t]*(?:#[^\n]*)?\r?\n")
_LINE_ENDS = re.compile(rb"[ \t]*\r?\n")
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
        self._less: Counter[_Line] = Counter()
        self._more: Counter[_Line] = Counter()

    @cached_property
    def _contexts(self) -> dict[int, _Context]:
        """In which blocks each directive stands, by where it begins."""
        return {directive.start: context for directive, context in _contexts(self.document.directives, ())}

    def set(self, directive: Directive, *arguments: str) -> None:
        """Give a directive other arguments; comments between the old ones stay."""
        if directive.arguments == arguments:
            return
        first, *others = directive.words[1:]
        self._splices.append(Splice(first.start, first.end, _encoded(" ".join(map(_quoted, arguments)))))
        for before, word in pairwise((first, *others)):
            between = self.document.data[before.end : word.start]
            start = word.start if between.strip() else before.end  # what is not blank is a comment
            self._splices.append(Splice(start, word.end, b""))
        context = self._contexts[directive.start]
        self._less[context, *directive.words_text] += 1
        self._more[context, directive.name, *arguments] += 1

    def remove(self, directive: Directive) -> None:
        """Take a directive without a block away, with its line where nothing else stands there."""
        start, end, data = directive.start, directive.end, self.document.data
        rest = _LINE_ENDS.match(data, end)
        if rest and self._begins_line(directive):
            start, end = self._line_start(directive), rest.end()
        self._splices.append(Splice(start, end, b""))
        self._less[self._contexts[directive.start], *directive.words_text] += 1

    def add(self, block: Directive, news: Iterable[New], after: Directive | None = None) -> None:
        """Add directives to a block: behind one in it, else at its beginning."""
        at = after.end if after is not None else block.inside[0]
        style = _Style(self._indentation_in(block, after), self._unit(block), self._line_break)
        context = (*self._contexts[block.start], block.words_text)
        self._insert(at, tuple(news), style, context)

    def add_beside(self, directive: Directive, news: Iterable[New]) -> None:
        """Add directives without blocks behind one, whichever block that stands in."""
        style = _Style(self._indentation_of(directive), "", self._line_break)
        self._insert(directive.end, tuple(news), style, self._contexts[directive.start])

    def add_behind(self, directive: Directive, news: Iterable[New]) -> None:
        """Add blocks behind one that stands beside them, each with an empty line before it."""
        style = _Style(self._indentation_of(directive), self._unit(directive), self._line_break)
        for new in news:
            self._insert(directive.end, (new,), style, self._contexts[directive.start], gap=True)

    def finish(self) -> bytes:
        """The edited file. Raises CannotEdit when it would not read as it was meant."""
        if not self._splices:
            return self.document.data
        after = splice(self.document.data, self._splices)
        meant = Counter(_flat(self.document))
        meant.subtract(self._less)
        meant.update(self._more)
        try:
            found = Counter(_flat(read(after)))
        except CannotEdit:
            found = Counter()
        if found != +meant:
            first = min(edit.start for edit in self._splices)
            raise CannotEdit(
                "It is written in a way in which it cannot be edited with certainty.",
                "Put each directive on a line of its own, then try again.",
                line_of(self.document.data, first),
            )
        return after

    # Where and how ------------------------------------------------------------------------------------

    def _insert(
        self, at: int, news: tuple[New, ...], style: _Style, context: _Context, *, gap: bool = False
    ) -> None:
        text, data = written(news, style.indentation, style.unit, style.line_break), self.document.data
        if rest := _NOTHING_MORE.match(data, at):
            at, text = rest.end(), (style.line_break if gap else "") + text
        elif not data[at:].strip(b" \t\r\n"):  # the last line, without a line break
            text = style.line_break * (2 if gap else 1) + text.removesuffix(style.line_break)
        elif any(new.block is not None or new.remark for new in news):
            text = style.line_break + text + style.indentation
        else:
            text = "".join(f" {line}" for new in news for line in _lines(new, "", ""))
        self._splices.append(Splice(at, at, _encoded(text)))
        for new in news:
            self._more.update(_meant(new, context))

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
        """By how much the content of a block is indented."""
        outer = self._indentation_of(block)
        for each in block.block or ():
            inner = self._indentation_of(each)
            if self._begins_line(each) and inner.startswith(outer) and inner != outer:
                return inner[len(outer) :]
        return "\t" if b"\n\t" in self.document.data else _UNIT


@dataclass(frozen=True, slots=True)
class _Style:
    """How the text around is set."""

    indentation: str
    unit: str
    line_break: str


_Context = tuple[tuple[str, ...], ...]
_Line = tuple[_Context | str, ...]


def _contexts(directives: tuple[Directive, ...], context: _Context) -> Iterator[tuple[Directive, _Context]]:
    """Each directive with the blocks that it stands in."""
    for directive in directives:
        yield directive, context
        yield from _contexts(directive.block or (), (*context, directive.words_text))


def _flat(document: Document) -> Iterator[_Line]:
    """Each directive as what it says and where, and what stands in blocks of Lua."""
    for directive, context in _contexts(document.directives, ()):
        yield context, *directive.words_text
        if directive.block == ():
            start, end = directive.inside
            yield context, directive.name, document.data[start:end].decode("utf-8", "surrogateescape")


def _meant(new: New, context: _Context) -> Iterator[_Line]:
    yield context, *new.words
    for each in new.block or ():
        yield from _meant(each, (*context, new.words))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
