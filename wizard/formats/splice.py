"""The one way in which every format is written: bytes of the original are cut out and others put there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Splice:
    """Bytes `start` to `end` (exclusive) of the original become `new`; an empty span inserts."""

    start: int
    end: int
    new: bytes


class CannotEdit(Exception):
    """A text cannot be edited with certainty.

    `reason` says what was found and why it stops, `remedy` what to do about it, `line` (from 1) where;
    `by_hand` is the text to add by hand, if that is possible.
    """

    def __init__(self, reason: str, remedy: str = "", line: int | None = None, by_hand: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.line = line
        self.by_hand = by_hand


def splice(old: bytes, splices: Iterable[Splice]) -> bytes:
    """Apply all splices at once; all positions refer to `old`, insertions at one position keep their order.

    Raises ValueError when two splices overlap or one lies outside of `old`: a mistake of the caller.
    """
    pieces: list[bytes] = []
    position = 0
    for edit in sorted(splices, key=lambda edit: (edit.start, edit.end)):
        if not position <= edit.start <= edit.end <= len(old):
            raise ValueError(f"splice {edit.start}:{edit.end} overlaps another or lies outside")
        pieces += [old[position : edit.start], edit.new]
        position = edit.end
    return b"".join([*pieces, old[position:]])


def origin(position: int, splices: Iterable[Splice]) -> int:
    """Where a byte of the edited text stood in the original; one that is new, where it was put."""
    shift = 0
    for edit in sorted(splices, key=lambda edit: (edit.start, edit.end)):
        if position < edit.start + shift:
            break
        if position < edit.start + shift + len(edit.new):
            return edit.start
        shift += len(edit.new) - (edit.end - edit.start)
    return position - shift


def line_of(data: bytes, offset: int) -> int:
    """Line number, from 1, of the byte at `offset`."""
    return data.count(b"\n", 0, offset) + 1
