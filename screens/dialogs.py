"""Side questions and texts that lie over a step."""

from __future__ import annotations

from textual import containers, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Label, OptionList
from textual.widgets.option_list import Option

from screens.widgets.options import Options
from wizard.inert import inert
from wizard.kinds import Choice
from wizard.sheet import Entry

ANYWHERE = (
    "At every step F2 or Ctrl+Y changes the colours, Ctrl+L paints the screen again, and Ctrl+Z goes to the "
    "shell until its fg."
)


class Confirm(ModalScreen[bool]):
    """A question to be answered by an explicit yes; Escape is no, and so is Enter pressed once too often."""

    AUTO_FOCUS = "#no"

    BINDINGS = [
        Binding("escape", "dismiss(False)", "no", show=False),
        Binding("left,right,up,down", "app.focus_next", "other answer", show=False),
    ]
    KEYS = "Arrows choose, Enter answers, Esc is no."
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
            yield Label(self.KEYS, classes="dim", markup=False)

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class Continue(Confirm):
    """Whether to go on where one was: that loses nothing, so Enter is yes. Escape leaves it for later."""

    AUTO_FOCUS = "#yes"
    BINDINGS = [Binding("escape", "dismiss", "later", show=False)]
    KEYS = "Arrows choose, Enter answers, Esc is later."


class Answers(ModalScreen[str | None]):
    """All answers, to choose the one that is to be changed; its result is the question's name."""

    BINDINGS = [Binding("escape,e", "dismiss", "close", show=False)]
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, asked: tuple[Entry, ...], first: str) -> None:
        super().__init__()
        self.asked = asked
        self.first = first
        """The question that is chosen at first."""

    def compose(self) -> ComposeResult:
        width = max((len(entry.question.label) for entry in self.asked), default=0) + 2
        lines = (
            Content.assemble(f"{entry.question.label:<{width}}", (inert(self._answer(entry)), "$quiet"))
            for entry in self.asked
        )
        with containers.Vertical(classes="dialog"):
            yield Label("Which answer shall be changed?", classes="title", markup=False)
            yield Options(*map(Option, lines), compact=True)
            yield Label("Enter goes to it, Esc back to the review.", classes="dim", markup=False)

    @staticmethod
    def _answer(entry: Entry) -> str:
        if entry.question.secret:
            return "never shown"
        kind = entry.question.kind
        labels = dict(kind.options) if isinstance(kind, Choice) else {}
        return labels.get(entry.text, entry.text.partition("\n")[0]) or "-"

    def on_mount(self) -> None:
        names = [entry.question.name for entry in self.asked]
        self.query_one(OptionList).highlighted = names.index(self.first) if self.first in names else 0

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.asked[event.option_index].question.name)


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
