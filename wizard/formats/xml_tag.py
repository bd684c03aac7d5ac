"""Where the parts of one start tag stand, in a file that the XML parser has accepted."""

from __future__ import annotations

from dataclasses import dataclass

BLANKS = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute as it is written; positions are those in the file."""

    name: str
    """With its prefix."""
    value_start: int
    value_end: int
    quote: bytes

    def text(self, data: bytes) -> bytes:
        """The value as it is written, between its quotes."""
        return data[self.value_start : self.value_end]


@dataclass(frozen=True, slots=True)
class Tag:
    """A start tag as it is written."""

    name: str
    """With its prefix."""
    name_end: int
    attributes: tuple[Attribute, ...]
    end: int
    """Behind the `>`."""
    empty: bool
    """Whether it ends in `/>`, so that there is no end tag."""

    @property
    def prefix(self) -> str:
        """The prefix with its colon; empty without one."""
        before, colon, _ = self.name.partition(":")
        return before + colon if colon else ""

    @property
    def last(self) -> int:
        """Behind the last attribute, or the name."""
        return self.attributes[-1].value_end + 1 if self.attributes else self.name_end

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name, prefix included."""
        return next((one for one in self.attributes if one.name == name), None)


def read_tag(data: bytes, start: int) -> Tag:
    """Read the start tag whose `<` stands at `start`. ValueError: there is none."""
    at = _name_end(data, start + 1)
    if data[start : start + 1] != b"<" or at == start + 1:
        raise ValueError(f"there is no start tag at byte {start}")
    name, name_end = data[start + 1 : at].decode(), at
    attributes: list[Attribute] = []
    while True:
        at = _past_blanks(data, at)
        if data[at : at + 1] == b">":
            return Tag(name, name_end, tuple(attributes), at + 1, empty=False)
        if data[at : at + 2] == b"/>":
            return Tag(name, name_end, tuple(attributes), at + 2, empty=True)
        attributes.append(_attribute(data, at))
        at = attributes[-1].value_end + 1


def _attribute(data: bytes, start: int) -> Attribute:
    end = _name_end(data, start)
    equals = _past_blanks(data, end)
    at = _past_blanks(data, equals + 1)
    quote = data[at : at + 1]
    if end == start or data[equals : equals + 1] != b"=" or quote not in (b'"', b"'"):
        raise ValueError(f"there is no attribute at byte {start}")
    return Attribute(data[start:end].decode(), at + 1, data.index(quote, at + 1), quote)


def _name_end(data: bytes, at: int) -> int:
    while at < len(data) and data[at] not in BLANKS + b"=/>":
        at += 1
    return at


def _past_blanks(data: bytes, at: int) -> int:
    while at < len(data) and data[at] in BLANKS:
        at += 1
    return at
