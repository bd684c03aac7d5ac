"""What every screen shares: the frame, the keys, and frugality over a slow line."""

from __future__ import annotations

from dataclasses import dataclass

from textual import containers
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Label

from screens.widgets.keys import Keys
from screens.widgets.place import Place

COMMON_KEYS = [
    Binding("escape", "back", "back", key_display="Esc", tooltip="One step back; nothing is lost"),
    Binding("f1", "help", "help", key_display="F1", tooltip="What this step is for"),
    Binding("question_mark", "help", "help", show=False),
]
"""The keys that mean the same everywhere; each screen lists them after its own."""

PACE = 0.1
"""Seconds for which progress is gathered before it is shown: a slow line need not carry each of 4,000."""


def enter(action: str, words: str) -> Binding:
    """The Enter key for a step: it does the obvious next thing, whatever has the focus."""
    return Binding("enter", action, words, key_display="Enter", priority=True)


def letter(key: str, action: str, words: str) -> tuple[Binding, Binding]:
    """A letter for a step; it is shown as a capital, and a capital does the same."""
    shown = Binding(key, action, words, key_display=key.upper())
    return shown, Binding(key.upper(), action, words, show=False)


class WizardScreen(Screen[None]):
    """A step. It shows what it was given, and says where the user wants to go; the app decides."""

    STEP = ""
    """Its name in the line at the top."""
    HELP_TEXT = ""
    """What F1 shows: what this step is for and what its keys do."""

    AUTO_FOCUS = "#body Input, #body Chooser, #body OptionList"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-high")]

    # Textual repaints the whole screen when the focus moves; the widgets repaint themselves.
    # tests/screens/test_terminal.py counts the bytes of a Tab, so that an upgrade cannot undo this.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    class Back(Message):
        """One step back."""

    @dataclass
    class Help(Message):
        """Explain this step."""

        title: str
        text: str

    class AsRoot(Message):
        """Start again as root."""

    @dataclass
    class Copied(Message):
        """Somebody wants this text on the clipboard."""

        text: str
        what: str
        """What it is, in a few words."""

    def __init__(self, who: str) -> None:
        super().__init__()
        self.who = who
        """`user@host`, for the line at the top."""

    def compose(self) -> ComposeResult:
        yield Place(self.STEP, self.who)
        with containers.VerticalScroll(id="body", can_focus=False):
            yield from self.compose_body()
        yield Keys()

    def compose_body(self) -> ComposeResult:
        """The part between the lines."""
        yield Label("")

    def action_back(self) -> None:
        self.post_message(self.Back())

    def action_help(self) -> None:
        self.post_message(self.Help(self.STEP, self.help_text()))

    def help_text(self) -> str:
        """What F1 shows; a step may add to it."""
        return self.HELP_TEXT

    def action_as_root(self) -> None:
        self.post_message(self.AsRoot())

    def copy(self, text: str, what: str) -> None:
        """Have a text copied that holds no secret."""
        self.post_message(self.Copied(text, what))
