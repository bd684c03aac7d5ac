"""Where the terminal's cursor stands: on what has the focus, so that screen readers and braille follow it."""

from __future__ import annotations

from textual.geometry import Offset
from textual.widget import Widget
from textual.widgets import Input, OptionList

from screens.widgets.chooser import Chooser


def place(focused: Widget | None) -> Offset:
    """Column and row as the screen is laid out now; the upper left corner if nothing has the focus."""
    if focused is None:
        return Offset(0, 0)
    beginning = focused.content_region.offset
    if isinstance(focused, Input):
        # Behind the last character Textual's own answer is one column too far to the right.
        return focused.cursor_screen_offset - Offset(int(focused.cursor_at_end), 0)
    if isinstance(focused, Chooser):
        return beginning + Offset(focused.chosen_column, 0)
    if isinstance(focused, OptionList) and focused.highlighted is not None:
        # Textual has no public name for the line on which an option begins.
        line = focused._index_to_line.get(focused.highlighted, 0)
        return beginning + Offset(0, line - focused.scroll_offset.y)
    return beginning
