"""Side questions and texts that lie over a step."""

from __future__ import annotations

from textual import containers, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Label

ANYWHERE = "At every step Ctrl+Z goes to the shell until its fg, and Ctrl+L paints the screen again."


class Confirm(ModalScreen[bool]):
    """A question to be answered by an explicit yes; Escape is no, and so is Enter pressed once too often."""

    AUTO_FOCUS = "#no"

    BINDINGS = [
        Binding("escape", "dismiss(False)", "no", show=False),
        Binding("left,right,up,down", "app.focus_next", "other answer", show=False),
    ]
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, question: str, yes: str, no: str = "Back") -> None:
        super().__init__()
        self.question = question
        self.yes = yes
        self.no = no

    def compose(self) -> ComposeResult:
        with containers.Vertical(classes="dialog"):
            yield Label(self.question, markup=False)
            with containers.Horizontal(classes="buttons"):
                yield Button(self.yes, id="yes", compact=True)
                yield Button(self.no, id="no", compact=True)
            yield Label("Arrows choose, Enter answers, Esc is no.", classes="dim", markup=False)

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class Help(ModalScreen[None]):
    """A text to read; any of the usual keys closes it."""

    BINDINGS = [Binding("escape,enter,f1,question_mark,q", "dismiss", "close", show=False)]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.title = title
        self.text = text

    def compose(self) -> ComposeResult:
        with containers.Vertical(classes="dialog"):
            yield Label(self.title or "", classes="title", markup=False)
            with containers.VerticalScroll():
                yield Label(f"{self.text}\n\n{ANYWHERE}", markup=False)
            yield Label("Esc closes. Hold Shift to select text with the mouse.", classes="dim", markup=False)


class TooSmall(ModalScreen[None]):
    """Stands in place of a step that would be cut, and takes the keys, so that none is pressed unseen."""

    COLUMNS, LINES = 40, 12

    def compose(self) -> ComposeResult:
        needs = f"The wizard needs {self.COLUMNS} columns and {self.LINES} lines."
        yield Label(f"{needs} Make the terminal larger; nothing is lost. Ctrl+Q quits.", markup=False)

    @classmethod
    def is_so(cls, size: Size) -> bool:
        """Whether a terminal of this size is."""
        return size.width < cls.COLUMNS or size.height < cls.LINES
