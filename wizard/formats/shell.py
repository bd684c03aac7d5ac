"""Bash scripts: where commands, their words and assignments stand, to the byte.

tree-sitter-bash finds where commands begin; the words of a command are read here, by bash's own rules
(bash manual, 3.1.2 Quoting and 3.7.1 Simple Command Expansion), since the grammar misreads a blank after a
backslash, words broken by a continuation, and words after a redirection without telling.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from wizard.formats.splice import CannotEdit, line_of

_BLANKS = b" \t"
_WORD_ENDS = b" \t\n;&|()<>"
_REDIRECTIONS = (b"<<<", b"<<-", b"&>>", b"<<", b">>", b"<&", b">&", b"<>", b">|", b"&>", b"<", b">")
_BLOCKS = {"command", "declaration_command", "variable_assignment", "redirected_statement", "negated_command"}
"""Nodes that are no blocks of their own: what stands in them happens whenever the statement does."""

PartKind = Literal["text", "variable", "array", "unknown"]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a word: fixed text, or an expansion."""

    kind: PartKind
    text: str
    """The fixed text, the name of the variable or array, or the default in `${name:-default}`.
    An array without a name is `"$@"` or a part of an array."""
    start: int
    end: int
    quoted: bool = False
    escape: bool = False
    """One character behind a backslash; `start` is that of the backslash."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command, from `start` to `end` (exclusive), quotes included."""

    start: int
    end: int
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The fixed text the word begins with."""
        texts: list[str] = []
        for part in self.parts:
            if part.kind != "text":
                break
            texts.append(part.text)
        return "".join(texts)

    @property
    def known(self) -> bool:
        """Whether the word is fixed text alone."""
        return all(part.kind == "text" for part in self.parts)


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command: its words without redirections."""

    start: int
    words: tuple[Word, ...]
    content_end: int
    """End of its last word or redirection."""
    heredoc: bool
    """Whether a here-document follows on the next lines."""
    end: int
    """Where bash ends it: an operator, a newline, a comment or the end of the script."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name=value`, `name+=value` or `name=(...)`, and what else sets a variable."""

    name: str
    start: int
    words: tuple[Word, ...] | None
    """The value: one word, or the elements of an array. None: set in a way that cannot be known."""
    array: bool
    append: bool
    block: tuple[int, int]
    """The span within which, after it, the assignment has happened for certain."""


@dataclass(frozen=True)
class Script:
    """A script, or one inside a quoted string of another (then `start`, `end` and `quote` say where)."""

    data: bytes
    start: int
    end: int
    quote: str
    reader: Reader
    commands: tuple[Command, ...]
    assignments: tuple[Assignment, ...]
    """In the order in which they stand."""


def parse(data: bytes, start: int = 0, end: int | None = None, quote: str = "") -> Script:
    """Read the script in `data[start:end]`; all positions are those in `data`. `quote` is that around it.

    Raises CannotEdit when a quote or an expansion has no end.
    """
    end = len(data) if end is None else end
    masked = b" " * start + _masked(data[start:end]) + b"\n\n"
    root = Parser(Language(tree_sitter_bash.language())).parse(masked).root_node
    nodes = list(_walk(root))
    reader = Reader(data, end, _expansions(data, nodes))
    commands = tuple(reader.command(node.start_byte) for node in nodes if node.type == "command")
    assignments = [assignment for node in nodes for assignment in _assignments(node, reader)]
    assignments.sort(key=lambda assignment: assignment.start)
    return Script(data, start, end, quote, reader, commands, tuple(assignments))


def _masked(data: bytes) -> bytes:
    """A copy of the same length, free of what the grammar misreads: escaped blanks and backslashes,
    other alphabets, comments in backticks, lines of a backslash alone, a backslash at the very end."""
    masked = bytearray(byte if byte < 0x80 else ord("x") for byte in data)
    position = 0
    while (position := masked.find(b"\\", position)) >= 0:
        if bytes(masked[position + 1 : position + 2]) in (b" ", b"\t", b"\\", b""):
            masked[position : position + 2] = b"x" * len(masked[position : position + 2])
        elif masked[masked.rfind(b"\n", 0, position) + 1 : position + 2].strip() == b"\\":
            masked[position : position + 2] = b"  "
        position += 2
    while (position := masked.find(b"`#")) >= 0:
        close = masked.find(b"`", position + 2)
        stop = position + 2 if close < 0 else close + 1
        masked[position:stop] = b" " * (stop - position)
    return bytes(masked)


def _walk(node: Node) -> Iterator[Node]:
    """All nodes but those whose output alone is used: what `$(...)` runs is no command of the script."""
    yield node
    if node.type not in ("command_substitution", "process_substitution"):
        for child in node.children:
            yield from _walk(child)


def _expansions(data: bytes, nodes: list[Node]) -> dict[int, int]:
    kinds = ("command_substitution", "process_substitution", "expansion", "arithmetic_expansion")
    spans = [(node.start_byte, node.end_byte) for node in nodes if node.type in kinds]
    # Inside a string the grammar counts the blanks before `$(` to the substitution.
    return {end - len(data[start:end].lstrip()): end for start, end in spans}


def _block(node: Node) -> tuple[int, int]:
    block = node.parent
    while block is not None and block.type in _BLOCKS:
        block = block.parent
    if block is None:
        return node.start_byte, node.end_byte
    # The commands after `then` are children of the same node as those after `else`.
    others = [c.start_byte for c in block.children if c.type in ("elif_clause", "else_clause")]
    later = [start for start in others if start > node.start_byte]
    return block.start_byte, min([*later, block.end_byte])


def _assignments(node: Node, reader: Reader) -> Iterator[Assignment]:
    block = _block(node)
    if node.type == "variable_assignment" and node.parent is not None and node.parent.type != "command":
        name = node.child_by_field_name("name")
        operator = next((child for child in node.children if child.type in ("=", "+=")), None)
        if name is None or operator is None:
            return
        text = reader.text(name.start_byte, name.end_byte)
        at = operator.end_byte
        array = reader.data[at : at + 1] == b"("
        words = reader.elements(at + 1) if array else (reader.word(at),)
        known = words if text.isidentifier() else None  # an element set by index
        yield Assignment(text.partition("[")[0], node.start_byte, known, array, operator.type == "+=", block)
    elif node.type in ("for_statement", "unset_command"):
        for child in node.children:
            if child.type == "variable_name":
                name_text = reader.text(child.start_byte, child.end_byte)
                yield Assignment(name_text, node.start_byte, None, False, False, block)
    elif node.type == "command":
        command = reader.command(node.start_byte)
        if command.words and command.words[0].text in ("read", "mapfile", "readarray", "getopts", "printf"):
            for word in command.words[1:]:
                yield Assignment(word.text, node.start_byte, None, False, False, block)


class Reader:
    """Reads words as bash does, from a given position up to `end`."""

    def __init__(self, data: bytes, end: int, expansions: dict[int, int]) -> None:
        self.data = data
        self.end = end
        self.expansions = expansions
        """End of each `${...}`, `$(...)`, `$((...))` and `<(...)`, by start."""

    def text(self, start: int, end: int) -> str:
        """The script from `start` to `end`; bytes that are not UTF-8 survive as surrogates."""
        return self.data[start:end].decode("utf-8", "surrogateescape")

    def command(self, start: int) -> Command:
        """The simple command that begins at `start`."""
        words: list[Word] = []
        content_end = at = start
        heredoc = False
        while True:
            at = self._skip_gap(at)
            operator = self._redirection(at)
            if operator:
                heredoc = heredoc or operator in (b"<<", b"<<-")
                target = self.word(self._skip_gap(at + len(operator)))
                content_end = at = target.end
                continue
            word = self.word(at)
            if not word.parts:
                return Command(start, tuple(words), content_end, heredoc, at)
            content_end = at = word.end
            if not (self._redirection(at) and self.data[word.start : word.end].isdigit()):
                words.append(word)

    def elements(self, start: int) -> tuple[Word, ...]:
        """The elements of an array whose first one may begin at `start`."""
        words: list[Word] = []
        at = start
        while (at := self._skip_gap(at, lines=True)) < self.end and self.data[at] != ord(")"):
            word = self.word(at)
            if not word.parts:
                raise CannotEdit(
                    "The array is not closed in a way that can be read.", line=line_of(self.data, at)
                )
            words.append(word)
            at = word.end
        return tuple(words)

    def _skip_gap(self, at: int, lines: bool = False) -> int:
        while at < self.end:
            if self.data[at] in _BLANKS or (lines and self.data[at] == ord("\n")):
                at += 1
            elif self.data.startswith(b"\\\n", at):
                at += 2
            elif lines and self.data[at] == ord("#"):
                newline = self.data.find(b"\n", at, self.end)
                at = self.end if newline < 0 else newline
            elif self.data.startswith(b"`#", at):
                at = self._close(b"`", at + 2) + 1
            else:
                break
        return at

    def _redirection(self, at: int) -> bytes:
        if at in self.expansions:
            return b""
        return next((op for op in _REDIRECTIONS if self.data.startswith(op, at, self.end)), b"")

    def word(self, start: int) -> Word:
        """The word at `start`; it has no parts when there is none (an operator, a comment, the end)."""
        parts: list[Part] = []
        at = end = start
        if self.data[at : at + 1] == b"#":
            return Word(start, start, ())
        while at < self.end:
            if self.data.startswith(b"\\\n", at):
                at += 2
                continue
            if self.data[at] in _WORD_ENDS and at not in self.expansions:
                break
            at = end = self._piece(at, at == start, parts)
        return Word(start, end, tuple(parts))

    def _piece(self, at: int, first: bool, parts: list[Part]) -> int:
        """Read one quoted or plain stretch at `at` onto `parts`; the position after it."""
        char = self.data[at : at + 1]
        if char == b"'":
            close = self._close(b"'", at + 1)
            parts.append(Part("text", self.text(at + 1, close), at + 1, close, quoted=True))
            return close + 1
        if char == b'"':
            return self._double_quoted(at + 1, parts)
        if char == b"\\":
            parts.append(Part("text", self.text(at + 1, at + 2) or "\\", at, at + 2, escape=True))
            return min(at + 2, self.end)
        if char in (b"$", b"`") or at in self.expansions:
            return self._expansion(at, False, parts)
        if char in b"*?[{" or (first and char == b"~"):
            parts.append(Part("unknown", "", at, at + 1))
            return at + 1
        stop = at + 1
        while stop < self.end and self.data[stop] not in _WORD_ENDS + b"'\"\\$`*?[{":
            stop += 1
        parts.append(Part("text", self.text(at, stop), at, stop))
        return stop

    def _double_quoted(self, at: int, parts: list[Part]) -> int:
        parts.append(Part("text", "", at, at, quoted=True))
        while at < self.end:
            char = self.data[at : at + 1]
            if char == b'"':
                return at + 1
            if self.data.startswith(b"\\\n", at):
                at += 2
            elif char == b"\\" and self.data[at + 1 : at + 2] in (b"$", b"`", b'"', b"\\"):
                parts.append(Part("text", self.text(at + 1, at + 2), at, at + 2, quoted=True, escape=True))
                at += 2
            elif char in (b"$", b"`"):
                at = self._expansion(at, True, parts)
            else:
                stop = at + 1
                while stop < self.end and self.data[stop] not in b'"\\$`':
                    stop += 1
                parts.append(Part("text", self.text(at, stop), at, stop, quoted=True))
                at = stop
        raise self._unclosed('"', at)

    def _expansion(self, at: int, quoted: bool, parts: list[Part]) -> int:
        after = self.data[at + 1 : at + 2]
        if at in self.expansions:
            end = self.expansions[at]
        elif self.data[at : at + 1] == b"`":
            end = self._close(b"`", at + 1, escapes=True) + 1
        elif after == b"'" and not quoted:
            end = self._close(b"'", at + 2, escapes=True) + 1
        elif after == b'"' and not quoted:
            return self._double_quoted(at + 2, parts)
        elif after in (b"{", b"("):
            raise self._unclosed(f"${after.decode()}", at)
        else:
            end = at + 1
            while end < self.end and (self.data[end : end + 1].isalnum() or self.data[end] == ord("_")):
                end += 1
            if end == at + 1 and after and after in b"@*#?$!-":
                end += 1
            elif end == at + 1:
                parts.append(Part("text", "$", at, end, quoted))
                return end
        kind, name = _expanded(self.text(at, end))
        whole = quoted or self.data.startswith((b"$((", b"$'"), at)  # one word, whatever it gives
        parts.append(Part(kind, name, at, end, whole))
        return end

    def _close(self, mark: bytes, at: int, escapes: bool = False) -> int:
        start = at
        while at < self.end:
            if self.data.startswith(mark, at):
                return at
            at += 2 if escapes and self.data[at] == ord("\\") else 1
        raise self._unclosed(mark.decode(), start)

    def _unclosed(self, mark: str, at: int) -> CannotEdit:
        return CannotEdit(
            f"What begins with {mark} here has no end that can be found.",
            "Check the quotes of the script.",
            line_of(self.data, at),
        )


def _expanded(text: str) -> tuple[PartKind, str]:
    name = text[2:-1] if text.startswith("${") else text[1:]
    variable, dash, default = name.partition("-")
    if dash and text.startswith("${") and variable.rstrip(":").replace("_", "x").isalnum():
        return "unknown", default
    if "@" in name and text.startswith(("${", "$@")):
        whole = name.endswith("[@]") and name[:-3].isidentifier()
        return "array", name[:-3] if whole else ""
    return ("variable", name) if name.isidentifier() else ("unknown", "")
