"""Bash scripts: where commands, their words and assignments stand, to the byte.

tree-sitter-bash finds where commands begin. Their words are read by `Reader`, since the grammar misreads,
without telling, a blank after a backslash, words broken by a continuation, and words after a redirection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from wizard.formats.words import Command, Reader, Word

_BLOCKS = {"command", "declaration_command", "variable_assignment", "redirected_statement", "negated_command"}
"""Nodes that are no blocks of their own: what stands in them happens whenever the statement does."""


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

    data: bytes = field(repr=False)
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
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        if node.type not in ("command_substitution", "process_substitution"):
            waiting += reversed(node.children)


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
