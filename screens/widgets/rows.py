"""Text in rows that fold at the edge and go on under their own beginning, so that nothing is cut off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

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


class Rows(ScrollView, can_focus=True):
    """Shows rows and scrolls them. A new text is painted in its place; nothing else is laid out anew."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._folded: list[Content] = []

    def show(self, rows: Iterable[Row]) -> None:
        """Show these rows instead, from the first one on."""
        self._rows = list(rows)
        self._fold()
        self.scroll_to(y=0, animate=False, force=True)
        self.refresh()

    def insert(self, rows: Iterable[Row]) -> None:
        """Put rows above the last one. Only they are folded, and the view stays where it is."""
        more, width = tuple(rows), self.scrollable_content_region.width
        self._rows[-1:-1] = more
        if not width:
            return
        at = len(self._folded) - len(self._rows[-1].folded(width))
        self._folded[at:at] = [line for row in more for line in row.folded(width)]
        self.virtual_size = Size(width, len(self._folded))
        if at < self.scroll_offset.y + self.size.height:  # what is out of view is not sent
            self.refresh()

    @property
    def plain(self) -> str:
        """The text, as it is copied."""
        return "\n".join(Content.assemble(row.before, row.text).plain for row in self._rows)

    def on_resize(self) -> None:
        self._fold()

    def _fold(self) -> None:
        width = self.scrollable_content_region.width
        self._folded = [line for row in self._rows for line in row.folded(width)] if width else []
        self.virtual_size = Size(width, len(self._folded))

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y
        if index >= len(self._folded):
            return Strip.blank(width, self.visual_style.rich_style)
        strips = Visual.to_strips(self, self._folded[index], width, 1, self.visual_style)
        return strips[0] if strips else Strip.blank(width, self.visual_style.rich_style)
