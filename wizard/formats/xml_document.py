"""XML files as they were read: elements with their positions, and what the file says as a whole.

The standard library's expat tells where each element begins, in bytes; nothing is loaded from elsewhere. A
document type is refused, and with it every entity but the five that XML has by itself.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias
from xml.parsers import expat

from wizard.formats.splice import CannotEdit, line_of
from wizard.formats.xml_tag import Tag, read_tag

Name: TypeAlias = tuple[str, str]
"""Namespace, empty without one, and local name."""

Event: TypeAlias = tuple[object, ...]
"""A part of what the file says, in its order: what it is, then what it says."""

TYPE: Name = ("http://www.w3.org/2001/XMLSchema-instance", "type")
START, END, TEXT, COMMENT = "start", "end", "text", "comment"

_SEPARATOR = "\x1f"
"""Stands between namespace and name; XML 1.0 has no such character."""
_DEEPEST = 200
"""Elements in each other; nobody writes so by hand."""
_REWRITE = "Save it as UTF-8, as SanteDB does itself, and come back."


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """An element; it is compared by identity, since two may say the same."""

    name: Name
    attributes: Mapping[Name, str]
    start: int
    """Of the `<` of its start tag."""
    line: int
    parent: Element | None = field(repr=False)
    event: int = field(repr=False)
    """Where its start stands among the events."""

    def get(self, name: str) -> str | None:
        """The value of an attribute without a namespace."""
        return self.attributes.get(("", name))

    @property
    def local(self) -> str:
        """The name without its namespace."""
        return self.name[1]


@dataclass(frozen=True)
class Document:
    """A file as it was read; all positions are those in `data`."""

    data: bytes = field(repr=False)
    elements: tuple[Element, ...] = field(repr=False)
    """In the order of the file."""
    events: tuple[Event, ...] = field(repr=False)
    closes: Mapping[Element, int] = field(repr=False)
    """Where the end tag of an element begins; for an empty one, which has none, of no use."""

    @property
    def root(self) -> Element:
        """The outermost element."""
        return self.elements[0]

    @cached_property
    def newline(self) -> bytes:
        """The line break that most lines have."""
        with_return = self.data.count(b"\r\n")
        return b"\r\n" if with_return * 2 > self.data.count(b"\n") else b"\n"

    def children(self, parent: Element, name: str = "") -> Iterator[Element]:
        """The elements right below, or those of them with this local name in the parent's namespace."""
        for element in self._below.get(parent, ()):
            if not name or element.name == (parent.name[0], name):
                yield element

    @cached_property
    def _below(self) -> dict[Element | None, list[Element]]:
        below: dict[Element | None, list[Element]] = {}
        for element in self.elements:
            below.setdefault(element.parent, []).append(element)
        return below

    def tag(self, element: Element) -> Tag:
        """How the start tag is written."""
        return read_tag(self.data, element.start)

    def text(self, element: Element) -> str:
        """The text right in the element, without what stands in others below."""
        depth, parts = 0, []
        for event in self.events[element.event + 1 :]:
            if event[0] is END and not depth:
                break
            depth += (event[0] is START) - (event[0] is END)
            if event[0] is TEXT and not depth:
                parts.append(str(event[1]))
        return "".join(parts).strip()

    def end(self, element: Element) -> int:
        """Behind the whole element."""
        tag = self.tag(element)
        return tag.end if tag.empty else self.data.index(b">", self.closes[element]) + 1

    def indent(self, element: Element) -> bytes | None:
        """The blanks before an element that begins its line; None for one that does not."""
        line_start = self.data.rfind(b"\n", 0, element.start) + 1
        before = self.data[line_start : element.start]
        return None if before.strip(b" \t") or not line_start else before


def read(data: bytes) -> Document:
    """Read a file. Raises CannotEdit with line, reason and remedy when it cannot be edited with certainty."""
    _check_encoding(data)
    reader = _Reader(data)
    document = reader.read()
    for element in document.elements:
        _check_positions(document, element)
    return document


def _check_encoding(data: bytes) -> None:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:200]:
        raise CannotEdit("This file is written in UTF-16, in which positions cannot be told.", _REWRITE)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CannotEdit("This file is not in UTF-8.", _REWRITE, line_of(data, error.start)) from None


def _check_positions(document: Document, element: Element) -> None:
    """Raise CannotEdit where the tag found is not the one that the parser has told of."""
    try:
        tag = document.tag(element)
        agrees = tag.name.rpartition(":")[2] == element.local and all(
            (found := tag.attribute(name)) is not None and _plain(found.text(document.data), value)
            for (namespace, name), value in element.attributes.items()
            if not namespace
        )
    except (ValueError, IndexError):
        agrees = False
    if not agrees:
        raise CannotEdit(
            f"The element {element.local} is written in a way that the wizard does not follow.",
            "Make the change by hand.",
            element.line,
        )


def _plain(written: bytes, value: str) -> bool:
    """Whether a value can be what is written, which is certain where no character is escaped or replaced."""
    return any(byte in b"&\t\r\n" for byte in written) or written == value.encode()


class _Reader:
    """Collects what the parser tells."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._elements: list[Element] = []
        self._events: list[Event] = []
        self._closes: dict[Element, int] = {}
        self._open: list[Element] = []
        self._parser = parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._document_type
        parser.StartNamespaceDeclHandler = lambda prefix, uri: self._events.append(("namespace", prefix, uri))
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = lambda text: self._events.append((TEXT, text))
        parser.CommentHandler = lambda text: self._events.append((COMMENT, text))
        parser.ProcessingInstructionHandler = lambda *said: self._events.append(("instruction", *said))

    def read(self) -> Document:
        try:
            self._parser.Parse(self._data, True)
        except expat.ExpatError as error:
            said = expat.ErrorString(error.code)
            raise CannotEdit(
                f"This is not well-formed XML: {said}.", "Mend it, and come back.", error.lineno
            ) from None
        return Document(self._data, tuple(self._elements), tuple(self._events), self._closes)

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.lower() not in ("utf-8", "us-ascii", "ascii"):
            raise CannotEdit(f"This file says that it is written in {encoding}, not in UTF-8.", _REWRITE, 1)

    def _document_type(self, *_: object) -> None:
        raise CannotEdit(
            "This file has a document type, whose entities could stand for anything.",
            "Take <!DOCTYPE ...> out; SanteDB needs none.",
            self._parser.CurrentLineNumber,
        )

    def _start(self, name: str, attributes: list[str]) -> None:
        line = self._parser.CurrentLineNumber
        if len(self._open) == _DEEPEST:
            raise CannotEdit(f"More than {_DEEPEST} elements stand in each other here.", line=line)
        said = dict(zip(map(_name, attributes[::2]), attributes[1::2], strict=True))
        parent = self._open[-1] if self._open else None
        element = Element(_name(name), said, self._parser.CurrentByteIndex, line, parent, len(self._events))
        self._elements.append(element)
        self._open.append(element)
        self._events.append((START, element.name, said))

    def _end(self, _name: str) -> None:
        self._closes[self._open.pop()] = self._parser.CurrentByteIndex
        self._events.append((END,))


def _name(told: str) -> Name:
    namespace, _, local = told.rpartition(_SEPARATOR)
    return namespace, local
