"""The line at the bottom: the keys that do something here, clickable too."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

GAP = "  "


@dataclass(frozen=True, slots=True)
class Entry:
    """One key and what it does."""

    key: str
    """Textual's name of the key."""
    display: str
    """The name people know it by."""
    words: str

    def __len__(self) -> int:
        """Width in columns."""
        return len(self.display) + 1 + len(self.words)

    def content(self) -> Content:
        """As it is shown."""
        return Content.assemble((self.display, "$key-style"), f" {self.words}")


class Keys(Widget):
    """One line, or as many as it needs, painted again only when what it says has changed.

    Textual's own Footer makes a widget of each key and makes them anew at each change of focus: three
    frames and several kilobytes, which is felt over a slow line.
    """

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[Entry, ...] = ()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        shown = [b for _, b, enabled, _ in screen.active_bindings.values() if b.show and enabled]
        # In the order the screen declares them; what has the focus would else change it.
        order = [binding.key for binding in screen.BINDINGS if isinstance(binding, Binding)]
        shown.sort(key=lambda binding: order.index(binding.key) if binding.key in order else len(order))
        entries = tuple(Entry(b.key, self.app.get_key_display(b), b.description) for b in shown)
        if entries != self._entries:
            height = len(self._lines(self.content_size.width))
            self._entries = entries
            self.refresh(layout=height != len(self._lines(self.content_size.width)))

    def _lines(self, width: int) -> list[list[Entry]]:
        """The entries on as many lines as they need."""
        lines: list[list[Entry]] = [[]]
        for entry in self._entries:
            if lines[-1] and sum(map(len, lines[-1])) + len(lines[-1]) * len(GAP) + len(entry) > width:
                lines.append([])
            lines[-1].append(entry)
        return lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """How many lines there are at this width."""
        return len(self._lines(width))

    def render(self) -> Content:
        lines = self._lines(self.content_size.width)
        return Content("\n").join(Content(GAP).join(entry.content() for entry in line) for line in lines)

    def on_click(self, event: events.Click) -> None:
        """A click on an entry is its key."""
        lines = self._lines(self.content_size.width)
        column = self.content_region.x - self.region.x
        for entry in lines[min(event.y, len(lines) - 1)]:
            if column <= event.x < column + len(entry):
                self.app.simulate_key(entry.key)
            column += len(entry) + len(GAP)
