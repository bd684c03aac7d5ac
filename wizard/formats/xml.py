"""Edits of XML files: attributes and texts are set and elements added by splices, everything else stays.

Byte order mark, line breaks, quotes, blanks between attributes, comments and what is commented out are those
of the original. A gate reads the result anew and compares all it says with what was meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from wizard.formats.splice import CannotEdit, Splice, splice
from wizard.formats.xml_document import COMMENT, END, START, TEXT, TYPE, Document, Element, Event, read
from wizard.formats.xml_tag import BLANKS, Tag

__all__ = ["TYPE", "Add", "Document", "Edit", "Element", "SetAttribute", "SetText", "edited", "read"]


@dataclass(frozen=True, slots=True)
class SetAttribute:
    """An attribute without a prefix gets this value; it is added when it is not there."""

    element: Element
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SetText:
    """An element that holds nothing but text gets this one."""

    element: Element
    text: str


@dataclass(frozen=True, slots=True)
class Add:
    """An element is added in a line of its own, in the parent's namespace and indented as its neighbours."""

    parent: Element
    name: str
    text: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    after: Element | None = None
    """The child of `parent` behind which it is put; None: it becomes the first."""


Edit: TypeAlias = SetAttribute | SetText | Add


def edited(document: Document, edits: Iterable[Edit]) -> bytes:
    """The file with these edits; nothing but what they say is changed, and nothing where it is so already.

    Raises CannotEdit when an edit is not certain.
    """
    wanted = tuple(edits)
    new = splice(document.data, [one for edit in wanted for one in _splices(document, edit)])
    try:
        after = read(new)
    except CannotEdit as error:
        raise _doubt() from error
    if _said(after.events) != _said(_meant(document, wanted)):
        raise _doubt()
    return new


def _doubt() -> CannotEdit:
    reason = "The edited file does not read back as it was meant, so nothing is written."
    return CannotEdit(reason, "Make the change by hand.")


# Splices ----------------------------------------------------------------------------------------------------


def _splices(document: Document, edit: Edit) -> Iterator[Splice]:
    if isinstance(edit, SetAttribute):
        yield from _set_attribute(document, edit)
    elif isinstance(edit, SetText):
        yield from _set_text(document, edit)
    else:
        yield from _add(document, edit)


def _set_attribute(document: Document, edit: SetAttribute) -> Iterator[Splice]:
    if edit.element.get(edit.name) == edit.value:
        return
    tag = document.tag(edit.element)
    there = tag.attribute(edit.name)
    if there is None:
        yield Splice(tag.last, tag.last, f' {edit.name}="'.encode() + _escaped(edit.value) + b'"')
    else:
        yield Splice(there.value_start, there.value_end, _escaped(edit.value, there.quote))


def _set_text(document: Document, edit: SetText) -> Iterator[Splice]:
    element, tag = edit.element, document.tag(edit.element)
    if document.text(element) == edit.text:
        return
    if tag.empty:
        yield _opened(document, tag, _escaped(edit.text))
        return
    end = document.closes[element]
    inner = document.data[tag.end : end]
    if b"<" in inner:
        raise CannotEdit(
            f"{element.local} holds more than a text.", "Make the change by hand.", element.line, edit.text
        )
    text = inner.strip()
    start = tag.end + inner.index(text) if text else tag.end
    yield Splice(start, start + len(text) if text else end, _escaped(edit.text))


def _add(document: Document, edit: Add) -> Iterator[Splice]:
    parent, tag = edit.parent, document.tag(edit.parent)
    written = _written(tag.prefix + edit.name, edit)
    neighbour = edit.after or next(document.children(parent), None)
    if neighbour is not None:
        at = document.end(edit.after) if edit.after else tag.end
        yield _own_line(document, at, document.indent(neighbour), written)
        return
    outer = document.indent(parent)
    inner = None if outer is None else outer + _step(document, parent, outer)
    line = _own_line(document, tag.end, inner, written)
    last = b"" if outer is None else document.newline + outer
    if tag.empty:
        child = written if inner is None else document.newline + inner + written
        yield _opened(document, tag, child + last)
    else:
        content = document.data[tag.end : document.closes[parent]]
        yield Splice(line.start, line.end, line.new + (b"" if b"\n" in content else last))


def _opened(document: Document, tag: Tag, content: bytes) -> Splice:
    """Write an empty element with content between two tags; the blanks before its `/>` go."""
    slash = tag.end - len(b"/>")
    blanks = len(document.data[:slash]) - len(document.data[:slash].rstrip(BLANKS))
    return Splice(slash - blanks, tag.end, b">" + content + f"</{tag.name}>".encode())


def _own_line(document: Document, at: int, indent: bytes | None, written: bytes) -> Splice:
    """Put it below what ends at `at`, whose line keeps its blanks and its line break; or right there."""
    if indent is None:
        return Splice(at, at, written)
    data = document.data
    rest = data[at : data.find(b"\n", at) + 1]
    if rest.strip():
        return Splice(at, at, document.newline + indent + written)
    line_break = b"\r\n" if rest.endswith(b"\r\n") else b"\n" if rest else document.newline
    at += len(rest) - len(line_break) if rest else 0
    return Splice(at, at, line_break + indent + written)


def _step(document: Document, parent: Element, indent: bytes) -> bytes:
    """By how much an element is indented more than the one it stands in."""
    above = document.indent(parent.parent) if parent.parent else None
    return indent.removeprefix(above) if above is not None and above != indent else b"  "


def _written(name: str, edit: Add) -> bytes:
    said = b"".join(f' {name}="'.encode() + _escaped(value) + b'"' for name, value in edit.attributes)
    if not edit.text:
        return f"<{name}".encode() + said + b" />"
    return f"<{name}".encode() + said + b">" + _escaped(edit.text) + f"</{name}>".encode()


def _escaped(text: str, quote: bytes = b'"') -> bytes:
    """The text as it stands in a file, in an attribute or between tags."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, entity)
    entity = "&quot;" if quote == b'"' else "&apos;"
    return text.replace(quote.decode(), entity).encode()


# The gate ---------------------------------------------------------------------------------------------------


def _meant(document: Document, edits: Iterable[Edit]) -> list[Event]:
    """What the file should say afterwards."""
    replaced: dict[int, Event] = {}
    added: dict[int, list[Event]] = {}
    dropped: set[int] = set()
    for edit in edits:
        if isinstance(edit, SetAttribute):
            at = edit.element.event
            _, name, attributes = replaced.get(at, document.events[at])
            assert isinstance(attributes, dict)
            replaced[at] = (START, name, {**attributes, ("", edit.name): edit.value})
        elif isinstance(edit, SetText):
            at = edit.element.event
            dropped.update(range(at + 1, _end(document.events, at)))
            added.setdefault(at, []).append((TEXT, edit.text))
        else:
            at = edit.parent.event if edit.after is None else _end(document.events, edit.after.event)
            attributes = {("", name): value for name, value in edit.attributes}
            start: Event = (START, (edit.parent.name[0], edit.name), attributes)
            added.setdefault(at, []).extend([start, *([(TEXT, edit.text)] if edit.text else []), (END,)])
    meant: list[Event] = []
    for number, event in enumerate(document.events):
        if number not in dropped:
            meant.append(replaced.get(number, event))
        meant += added.get(number, [])
    return meant


def _end(events: tuple[Event, ...], start: int) -> int:
    """Where the end of the element stands whose start stands there."""
    depth = 0
    for number in range(start, len(events)):
        depth += (events[number][0] is START) - (events[number][0] is END)
        if not depth:
            return number
    raise ValueError("an element has no end")


def _said(events: Iterable[Event]) -> list[Event]:
    """The events without the blanks between elements, and texts in one piece, without blanks around them."""
    said: list[Event] = []
    text = ""
    for event in (*events, (COMMENT, "")):
        if event[0] is TEXT:
            text += str(event[1])
            continue
        if text.strip():
            said.append((TEXT, text.strip()))
        text = ""
        said.append(event)
    return said
