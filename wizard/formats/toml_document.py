"""TOML files of the Nano node: what stands in them, and what the node reads otherwise.

It reads with a fork of cpptoml (cryptocode/cpptoml 5399650) that keeps values as texts: of one that is not
quoted it takes the whole rest of the line. See nano/lib/tomlconfig.cpp.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from wizard.formats.splice import CannotEdit
from wizard.formats.toml_refusals import BY_HAND, KINDS, not_followed, not_toml, shown, text_of
from wizard.formats.toml_scan import Default, Entry, Header, Lost, Names, Scan, scan

_DIGITS = frozenset(b"+-.0123456789")
_PLACEHOLDERS = (("{{", "}}"), ("${", "}"), ("<", ">"))


@dataclass(frozen=True)
class Document:
    """A TOML file as it was read; all positions are those in `data`."""

    data: bytes = field(repr=False)
    headers: tuple[Header, ...]
    entries: tuple[Entry, ...]
    """The live keys."""
    defaults: tuple[Default, ...]
    """The commented-out ones."""
    torn: tuple[int, ...]
    """Where texts in three quotes begin whose first two lines the node joins."""
    tree: Mapping[str, object] = field(repr=False)
    """The same as nested dictionaries, as `tomllib` reads it."""

    @cached_property
    def tables(self) -> tuple[Names, ...]:
        """The path of every table and array of tables, however it is written."""
        return tuple(dict.fromkeys(_tables(self.tree, ())))

    @cached_property
    def newline(self) -> bytes:
        """The line break that most lines have."""
        with_return = self.data.count(b"\r\n")
        return b"\r\n" if with_return * 2 > self.data.count(b"\n") else b"\n"

    @cached_property
    def indent(self) -> bytes:
        """What most keys are indented with, commented-out ones included."""
        starts = sorted(item.start for item in (*self.entries, *self.defaults))
        indents = Counter(indent_at(self.data, start) for start in starts)
        return indents.most_common(1)[0][0] if indents else b""

    @property
    def complete(self) -> bool:
        """Whether the last line has its line break."""
        return not self.data or self.data.endswith(b"\n")

    def is_torn(self, entry: Entry) -> bool:
        """Whether the node joins two lines of the value."""
        return any(entry.value_start <= start < entry.value_end for start in self.torn)

    def value(self, *path: str) -> object:
        """What is set there: a bool, str, int, float, list or dict; None if nothing is."""
        node: object = self.tree
        for part in path:
            node = node.get(part) if isinstance(node, dict) else None
        return node


def indent_at(data: bytes, line_start: int) -> bytes:
    """The blanks a line begins with."""
    line = data[line_start : data.find(b"\n", line_start) + 1 or len(data)]
    return line[: len(line) - len(line.lstrip(b" \t"))]


def read(data: bytes) -> Document:
    """Read a file. Raises CannotEdit, with line, reason and remedy, when it cannot be edited with certainty,
    or when the node does not load it, although it may be valid TOML."""
    text = text_of(data)
    try:
        found = scan(data)
    except Lost as lost:
        raise not_followed(text, data, lost) from None
    try:
        tree = tomllib.loads(text)
    except ValueError as error:
        raise not_toml(error, data, found=found) from None
    if not _agrees(found, tree):
        raise CannotEdit("This file is written in a way that the wizard does not follow.", BY_HAND)
    for header in found.headers:
        if "" in header.path:
            raise CannotEdit(
                "The node does not load a file with an empty table name.",
                "Give the table a name, or remove it.",
                header.line,
            )
    for entry in found.entries:
        _check(entry)
    return Document(data, found.headers, found.entries, found.defaults, found.torn, tree)


def _agrees(found: Scan, tree: Mapping[str, object]) -> bool:
    try:
        return same(_tree(found), tree)
    except Lost:
        return False


def _tree(found: Scan) -> dict[str, object]:
    """The nested dictionaries that the spans amount to. Raises Lost where they amount to none."""
    root: dict[str, object] = {}
    table, table_depth = root, 0
    for item in sorted([*found.headers, *found.entries], key=lambda item: item.line):
        if isinstance(item, Header):
            parent = _inner(root, item.path[:-1], item.start)
            if item.array:
                elements = parent.setdefault(item.path[-1], [])
                if not isinstance(elements, list):
                    raise Lost(item.start)
                elements.append({})
            table, table_depth = _inner(parent, item.path[-1:], item.start), len(item.path)
        elif isinstance(item, Entry):
            _inner(table, item.path[table_depth:-1], item.start)[item.path[-1]] = item.value
    return root


def _inner(node: dict[str, object], path: Names, at: int) -> dict[str, object]:
    """The table in a table, made if need be; of an array of tables the last."""
    for part in path:
        child = node.setdefault(part, {})
        child = child[-1] if isinstance(child, list) and child else child
        if not isinstance(child, dict):
            raise Lost(at)
        node = child
    return node


def same(one: object, other: object) -> bool:
    """Whether two values are equal, types included: to Python, True is 1 and 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    equal = one == other or repr(one) == repr(other)  # "nan" is not equal to itself
    return equal and type(one) is type(other)


def _tables(node: Mapping[str, object], path: Names) -> Iterator[Names]:
    for name, child in node.items():
        inner = [child] if isinstance(child, dict) else child if isinstance(child, list) else []
        tables = [element for element in inner if isinstance(element, dict)]
        if tables:
            yield (*path, name)
        for table in tables:
            yield from _tables(table, (*path, name))


def _check(entry: Entry) -> None:
    """Raise CannotEdit for a value that shows a template, or that keeps the node from loading the file."""
    for text in _texts(entry.value):
        if any(text.startswith(begin) and text.endswith(end) for begin, end in _PLACEHOLDERS):
            raise CannotEdit(*KINDS["placeholder"], entry.line)
    if _is_refused(entry.value):
        raise CannotEdit(
            f"{shown(entry.path)} is a list of something else than texts, which the node cannot read.",
            "Put each element of the list in quotes, or remove the line.",
            entry.line,
        )


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _is_refused(value: object) -> bool:
    """Whether there is a list in it that the node does not load, or misreads."""
    if isinstance(value, dict):
        return any(map(_is_refused, value.values()))
    if not isinstance(value, list):
        return False
    kinds = {type(element) for element in value}
    return len(kinds) > 1 or not kinds <= {str, list, dict} or any(map(_is_refused, value))


def nano_trouble(document: Document) -> tuple[tuple[int, str], ...]:
    """What the node reads otherwise than TOML has it, each with its line, in the order of the file.

    Where the key is one the node knows, it does not start.
    """
    troubles = [(e.line, said) for e in document.entries if (said := entry_trouble(document, e))]
    return tuple(sorted(troubles))


_BRACES = (
    "In the braces of {}, the node takes what stands behind true, false or a number for a part of it. "
    "Write each key in a line of its own."
)


def entry_trouble(document: Document, entry: Entry) -> str:
    """What the node reads wrongly in this entry, as a sentence, or nothing."""
    name, data = shown(entry.path), document.data
    if document.is_torn(entry):
        return f"The node joins the first two lines of {name}. Write \\n in double quotes instead."
    if not entry.unquoted:
        return _BRACES.format(name) if _has_unquoted(entry.value) else ""
    if data[entry.value_end : entry.text_end].strip():
        return f"The node takes the comment behind {name} for a part of its value. Move it to its own line."
    if entry.value_end < entry.text_end:
        return f"The node takes the blank behind {name} for a part of its value. Remove it."
    if isinstance(entry.value, bool) or _is_plain(entry.value, data[entry.value_start : entry.value_end]):
        return ""
    return f"The node may not understand the value of {name}. Write a number in digits, and text in quotes."


def _is_plain(value: object, text: bytes) -> bool:
    """Whether it is a number as the node understands it: in digits, and not beyond 64 bits."""
    number = isinstance(value, int | float) and abs(value) < 2**63
    return number and _DIGITS.issuperset(text) and len(text) < 100


def _has_unquoted(value: object) -> bool:
    if isinstance(value, list | dict):
        return any(map(_has_unquoted, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, str)
