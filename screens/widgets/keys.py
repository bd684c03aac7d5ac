"""The line at the bottom: the keys that do something here, clickable too."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

GAP = "  "


class Keys(Widget):
    """One line, painted again only when what it says has changed.

    Textual's own Footer makes a widget of each key and makes them anew at each change of focus: three
    frames and several kilobytes, which is felt over a slow line.
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[tuple[str, str, str], ...] = ()
        """(key, the key as people know it, what it does) of each entry."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        shown = tuple(
            (binding.key, self.app.get_key_display(binding), binding.description)
            for _, binding, enabled, _ in screen.active_bindings.values()
            if binding.show and enabled
        )
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def render(self) -> Content:
        return Content(GAP).join(
            Content.assemble((display, "reverse"), f" {words}") for _, display, words in self._shown
        )

    async def on_click(self, event: events.Click) -> None:
        """A click on an entry is its key."""
        column = self.content_region.x - self.region.x
        for key, display, words in self._shown:
            column += len(f"{display} {words}")
            if event.x < column:
                self.app.simulate_key(key)
                return
            column += len(GAP)
