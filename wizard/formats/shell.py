"""Bash scripts: where commands, their words and assignments stand, to the byte.

tree-sitter-bash finds where commands begin. Their words are read by `Reader`, since the grammar misreads,
without telling, a blank after a backslash, words broken by a continuation, and words after a redirection.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import dropwhile, takewhile

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from wizard.formats.words import Command, Reader, Word

_BLOCKS = {"command", "declaration_command", "variable_assignment", "redirected_statement", "negated_command"}
"""Nodes that are no blocks of their own: what stands in them happens whenever the statement does."""
_LOCAL = ("declare", "typeset", "local")
_DECLARING = (*_LOCAL, "export", "readonly")
_SETTING = ("read", "mapfile", "readarray", "getopts", "unset", "let")

ANY = ""
"""In place of a variable's name: whichever it is."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name=value`, `name+=value` or `name=(...)`, and what else sets a variable."""

    name: str
    """The variable, or ANY when it cannot be known which one, as after `eval` or `source`."""
    start: int
    words: tuple[Word, ...] | None
    """The value: one word, the elements of an array, or nothing, as after `local NAME`.
    None: set in a way that cannot be known."""
    array: bool
    append: bool
    block: tuple[int, int]
    """The span within which, after it, the assignment has happened for certain."""
    function: tuple[int, int]
    """The span of the function it stands in, or of the whole script: elsewhere its time is unknown."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A command after which nothing in its block is run: `exit`, `return` or `exec`."""

    text: str
    start: int
    block: tuple[int, int]


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
    functions: Mapping[str, Sequence[tuple[int, int]]]
    """The functions it defines, by name, each with the spans of its definitions."""
    endings: tuple[Ending, ...]


def parse(data: bytes, start: int = 0, end: int | None = None, quote: str = "") -> Script:
    """Read the script in `data[start:end]`; all positions are those in `data`. `quote` is that around it.

    Raises CannotEdit when a quote or an expansion has no end.
    """
    end = len(data) if end is None else end
    masked = b" " * start + _masked(data[start:end]) + b"\n\n"
    root = Parser(Language(tree_sitter_bash.language())).parse(masked).root_node
    spots = list(_walk(root))
    reader = Reader(data, end, _expansions(data, spots))
    functions: dict[str, list[tuple[int, int]]] = {}
    for spot in spots:
        if name := _function_name(spot.node, reader):
            functions.setdefault(name, []).append((spot.node.start_byte, spot.node.end_byte))
    commands: list[Command] = []
    assignments: list[Assignment] = []
    endings: list[Ending] = []
    for spot in spots:
        assignments += _assignments(spot, reader, functions)
        if spot.node.type == "command" or _is_option(spot, reader):
            command = reader.command(spot.node.start_byte)
            commands.append(command)
            text = command.words[0].text if command.words else ""
            if text in ("exit", "return") or (text == "exec" and len(command.words) > 1):
                endings.append(Ending(text, command.start, spot.block))
    known = tuple(_without_doubt(sorted(assignments, key=lambda assignment: assignment.start)))
    return Script(data, start, end, quote, reader, tuple(commands), known, functions, tuple(endings))


def _without_doubt(assignments: Sequence[Assignment]) -> Iterator[Assignment]:
    """The assignments; `local NAME` empties what is new in its function, and else leaves it as it is."""
    seen: set[tuple[str, tuple[int, int]]] = set()
    for assignment in assignments:
        variable = (assignment.name, assignment.function)
        declared = assignment.words == () and not assignment.array
        yield replace(assignment, words=None) if declared and variable in seen else assignment
        seen.add(variable)


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


@dataclass(frozen=True, slots=True)
class _Spot:
    """A node, and what it stands in."""

    node: Node
    parent: str
    """The type of the node around it."""
    block: tuple[int, int]
    function: tuple[int, int]


def _walk(root: Node) -> Iterator[_Spot]:
    """All nodes but those whose output alone is used: what `$(...)` runs is no command of the script."""
    whole = (0, root.end_byte)
    waiting = [_Spot(root, "", whole, whole)]
    while waiting:
        spot = waiting.pop()
        yield spot
        if spot.node.type not in ("command_substitution", "process_substitution"):
            waiting += reversed([*_children(spot)])


def _children(spot: _Spot) -> Iterator[_Spot]:
    node, children = spot.node, spot.node.children
    span = (node.start_byte, node.end_byte)
    function = span if node.type == "function_definition" else spot.function
    # The commands after `then` are children of the same node as those after `else`.
    others = [child.start_byte for child in children if child.type in ("elif_clause", "else_clause")]
    for child in children:
        later = [start for start in others if start > child.start_byte]
        block = spot.block if node.type in _BLOCKS else (span[0], min([*later, span[1]]))
        yield _Spot(child, node.type, block, function)


def _expansions(data: bytes, spots: list[_Spot]) -> dict[int, int]:
    kinds = ("command_substitution", "process_substitution", "expansion", "arithmetic_expansion")
    spans = [(spot.node.start_byte, spot.node.end_byte) for spot in spots if spot.node.type in kinds]
    # Inside a string the grammar counts the blanks before `$(` to the substitution.
    return {end - len(data[start:end].lstrip()): end for start, end in spans}


def _function_name(node: Node, reader: Reader) -> str:
    name = node.child_by_field_name("name") if node.type == "function_definition" else None
    return reader.text(name.start_byte, name.end_byte) if name else ""


def _is_option(spot: _Spot, reader: Reader) -> bool:
    """Whether it is --name=value at the beginning of a command, which for bash is the name of a program."""
    if spot.node.type != "variable_assignment" or spot.parent == "command":
        return False
    name = spot.node.child_by_field_name("name")
    return name is not None and not _name(reader.text(name.start_byte, name.end_byte))


def _assignments(spot: _Spot, reader: Reader, functions: Collection[str]) -> Iterator[Assignment]:
    node = spot.node
    if _is_option(spot, reader):
        return
    if node.type == "variable_assignment" and spot.parent != "command":
        name = node.child_by_field_name("name")
        operator = next((child for child in node.children if child.type in ("=", "+=")), None)
        if name is None or operator is None:
            return
        text = reader.text(name.start_byte, name.end_byte)
        at = operator.end_byte
        array = reader.data[at : at + 1] == b"("
        words = reader.elements(at + 1) if array else (reader.word(at),)
        known = words if text.isidentifier() else None  # an element set by index
        append = operator.type == "+="
        if append and _makes_local(node.parent, reader):
            known = None  # a new variable has nothing to append to, an old one has
        yield Assignment(_name(text), node.start_byte, known, array, append, spot.block, spot.function)
        return
    names: list[str] = []
    if node.type == "for_statement":
        children = [child for child in node.children if child.type == "variable_name"]
        names = [reader.text(child.start_byte, child.end_byte) for child in children]
    elif node.type == "expansion":
        before, equals, _ = reader.text(node.start_byte, node.end_byte).lstrip()[2:].partition("=")
        names = [_name(before)] if equals and _name(before) in (before, before.rstrip(":")) else []
    elif node.type in ("command", "declaration_command", "unset_command"):
        words = reader.command(node.start_byte).words
        names = list(_set_by(words, functions, known=node.type != "command"))
        for word in words[1:] if _makes_local(node, reader) else ():
            if word.known and word.text.isidentifier():
                yield Assignment(word.text, node.start_byte, (), False, False, spot.block, spot.function)
    for name_text in names:
        # A declaration may change what every assignment to its name does, whenever that stands.
        late = name_text == ANY and node.type == "declaration_command"
        start = reader.end if late else node.start_byte
        yield Assignment(name_text, start, None, False, False, spot.block, spot.function)


def _makes_local(node: Node | None, reader: Reader) -> bool:
    """Whether it declares variables of a function: empty ones, whatever their names mean outside."""
    if node is None or node.type != "declaration_command":
        return False
    program, *rest = (word.text for word in reader.command(node.start_byte).words)
    options = "".join(text for text in rest if text.startswith("-"))
    around = node.parent
    while around is not None and around.type != "function_definition":
        around = around.parent
    # -g is about global ones, and the others only print.
    return around is not None and program in _LOCAL and not {*options} & {*"gpfF"}


def _set_by(words: Sequence[Word], functions: Collection[str], known: bool) -> Iterator[str]:
    """The variables a command sets in ways that cannot be known; `known` are values that it declares."""
    prefix = list(takewhile(lambda word: _name(word.text) and "=" in word.text, words))
    rest = list(words[len(prefix) :])
    while rest and rest[0].text in ("builtin", "command"):
        rest = list(dropwhile(lambda word: word.text.startswith("-"), rest[1:]))
    if not rest:
        return
    program, options = rest[0].text, "".join(w.text[1:] for w in rest[1:] if w.text.startswith("-"))
    if program in functions:
        yield from (_name(word.text) for word in prefix)
    if program in (".", "source", "eval"):
        yield ANY
    elif program in _DECLARING and not known:
        yield from (_name(word.text) if word.text else ANY for word in rest[1:] if word.text[:1] != "-")
    elif program in _DECLARING:
        yield from _declared(rest[1:], "" if program in ("export", "readonly") else options)
    elif program in _SETTING or (program == "printf" and "v" in options):
        for word in rest[1:]:
            name = _name(word.text[2:] if word.text.startswith("-") else word.text)
            if name or not (word.known or word.text):
                yield name


def _declared(words: Sequence[Word], attributes: str) -> Iterator[str]:
    """The variables that are declared by names not known, or to be something else than plain text."""
    for word in words:
        if not (word.known or "=" in word.text) or "n" in attributes:
            yield ANY
        elif {*attributes} & {*"ulic"}:
            yield _name(word.text)


def _name(text: str) -> str:
    """The name that a text begins with."""
    return "".join(takewhile(lambda char: char == "_" or char.isalnum(), text))
