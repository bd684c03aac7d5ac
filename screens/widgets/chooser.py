"""One of a few, on one line: all of them with a mark where they fit, else the chosen one."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

CHOSEN, OTHER = "(•) ", "( ) "
GAP = "  "


class Chooser(Widget, can_focus=True):
    """Left and right (or space) choose; a click chooses what it hits."""

    BINDINGS = [
        Binding("right,space", "move(1)", "next choice", show=False),
        Binding("left", "move(-1)", "previous choice", show=False),
    ]

    value: reactive[str] = reactive("")

    @dataclass
    class Changed(Message):
        """Another option was chosen."""

        chooser: Chooser
        value: str

    def __init__(self, options: tuple[tuple[str, str], ...], value: str, name: str) -> None:
        super().__init__(name=name)
        self.options = options
        self.set_reactive(Chooser.value, value)

    @property
    def chosen(self) -> int:
        """Index of the chosen option; -1 when the value is none of them."""
        return next((i for i, (value, _) in enumerate(self.options) if value == self.value), -1)

    def render(self) -> Content:
        line = GAP.join(self._marked(index) for index in range(len(self.options)))
        if len(line) <= self.size.width:
            start = sum(len(self._marked(index)) + len(GAP) for index in range(max(self.chosen, 0)))
            end = start + len(self._marked(self.chosen)) if self.chosen >= 0 else start
            return Content(line).stylize(self._style, start, end)
        label = self.options[self.chosen][1] if self.chosen >= 0 else "…"
        count = f"{GAP}{self.chosen + 1} of {len(self.options)}, ←→ changes"
        return Content.assemble((f"‹ {label} ›", self._style), count)

    @property
    def _style(self) -> str:
        return "reverse" if self.has_focus else "bold"

    def _marked(self, index: int) -> str:
        return (CHOSEN if index == self.chosen else OTHER) + self.options[index][1]

    def action_move(self, by: int) -> None:
        self._choose((self.chosen + by) % len(self.options))

    def on_click(self, event: events.Click) -> None:
        column = 0
        for index in range(len(self.options)):
            column += len(self._marked(index)) + len(GAP)
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
            self.value = value
            self.post_message(self.Changed(self, value))
