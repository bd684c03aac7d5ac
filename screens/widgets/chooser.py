"""One of a few: all of them on one line with a mark where they fit, else the chosen one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from wizard.inert import inert

Options: TypeAlias = tuple[tuple[str, str], ...]
"""Value and label of each."""

CHOSEN, OTHER = "(•) ", "( ) "
GAP = "  "


class Chooser(Widget, can_focus=True):
    """Left and right (or space) choose; a click chooses what it hits."""

    BINDINGS = [
        Binding("right,space", "move(1)", "next choice", show=False),
        Binding("left", "move(-1)", "previous choice", show=False),
    ]

    @dataclass
    class Changed(Message):
        """Another option was chosen."""

        value: str

    def __init__(self, options: Options, value: str) -> None:
        super().__init__()
        self.options = options
        self.value = value

    def offer(self, options: Options, value: str) -> None:
        """Show these options, and which one is chosen."""
        if (options, value) == (self.options, self.value):
            return
        self.options, self.value = options, value
        self.refresh(layout=len(self._lines(self.size.width)) != self.size.height)

    def allow_focus(self) -> bool:
        """Where there is nothing to choose, keys have nothing to do."""
        return len(self.options) > 1

    @property
    def chosen(self) -> int:
        """Index of the chosen option; -1 when the value is none of them."""
        return next((i for i, (value, _) in enumerate(self.options) if value == self.value), -1)

    @property
    def chosen_column(self) -> int:
        """Where on its line the chosen option begins."""
        if self._all.cell_length > self.size.width:
            return 0
        before = range(max(0, self.chosen))
        return sum(self._marked(index).cell_length + len(GAP) for index in before)

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """How many lines there are at this width."""
        return len(self._lines(width))

    def _lines(self, width: int) -> list[Content]:
        if self._all.cell_length <= width:
            return [self._all]
        shown = [Content.styled(f"‹ {inert(label)} ›", self._style) for _, label in self.options]
        chosen = shown[self.chosen] if self.chosen >= 0 else Content.styled("‹ … ›", self._style)
        count = f"{self.chosen + 1} of {len(shown)}, ←→ changes"
        # On one line where that goes for each of them, so that what is below stays in its place.
        if max(each.cell_length for each in shown) + len(GAP) + len(count) <= width:
            return [Content.assemble(chosen, GAP, count)]
        return [*chosen.wrap(max(width, 1)), Content(count)]

    @property
    def _all(self) -> Content:
        """All options on one line."""
        return Content(GAP).join(self._marked(index) for index in range(len(self.options)))

    def _marked(self, index: int) -> Content:
        chosen = index == self.chosen
        text = (CHOSEN if chosen else OTHER) + inert(self.options[index][1])
        return Content.styled(text, self._style if chosen else "")

    @property
    def _style(self) -> str:
        return "$focus-style" if self.has_focus else "$chosen-style"

    def action_move(self, by: int) -> None:
        self._choose((self.chosen + by) % len(self.options))

    def on_click(self, event: events.Click) -> None:
        if self._all.cell_length > self.size.width:
            self.action_move(-1 if event.x < len(GAP) else 1)
            return
        column = 0
        for index in range(len(self.options)):
            column += self._marked(index).cell_length + len(GAP)
            if event.x < column:
                self._choose(index)
                return

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def _choose(self, index: int) -> None:
        value = self.options[index][0]
        if value != self.value:
            self.offer(self.options, value)
            self.post_message(self.Changed(value))
