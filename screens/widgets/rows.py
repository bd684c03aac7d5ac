"""Text in rows that fold at the edge and go on under their own beginning, so that nothing is cut off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

LEAST_WIDTH = 10


@dataclass(frozen=True, slots=True)
class Row:
    """A line of text with what stands before it on its first row (a line number, a mark)."""

    text: Content
    before: Content = Content("")  # noqa: RUF009 -- contents are immutable
    code: bool = False
    """Folded anywhere, so that blanks stay as they are; otherwise between words."""

    def folded(self, width: int) -> list[Content]:
        """The rows at this width, in cells."""
        rest = max(LEAST_WIDTH, width - len(self.before))
        parts = (self.text.fold(rest) if self.code else self.text.wrap(rest)) or [Content("")]
        indent = Content(" " * len(self.before))
        return [Content.assemble(indent if i else self.before, part) for i, part in enumerate(parts)]


class Rows(Widget):
    """Shows rows; as high as they need."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._rows: tuple[Row, ...] = ()

    def show(self, rows: Iterable[Row]) -> None:
        """Show these rows instead."""
        self._rows = tuple(rows)
        self.refresh(layout=True)

    @property
    def plain(self) -> str:
        """The text, as it is copied."""
        return "\n".join(Content.assemble(row.before, row.text).plain for row in self._rows)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """How many rows there are at this width."""
        return len(self._folded(width))

    def render(self) -> RenderResult:
        return Content("\n").join(self._folded(self.content_size.width))

    def _folded(self, width: int) -> list[Content]:
        return [line for row in self._rows for line in row.folded(width)]
