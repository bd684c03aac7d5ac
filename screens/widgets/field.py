"""One question as a field: a row to answer in, and under it the help, the caution or the error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from textual import containers, events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label

from screens.widgets.chooser import Chooser
from screens.widgets.marks import marked
from wizard.inert import inert_lines
from wizard.kinds import Choice, Raw, Several
from wizard.questions import Question
from wizard.sheet import Entry

LONG = 40
"""Characters that fit in every field at the widths in use."""
PAUSE = 0.3
"""Seconds without a letter after which it is shown what follows from those that were typed."""
ONE_LINE = "{} lines were pasted, and here goes one. Nothing was taken; paste the one that is meant."
YES_NO = (("yes", "yes"), ("no", "no"))

Note: TypeAlias = tuple[str, str]
"""What is said under a field: which sort of thing it is, and the words."""

STYLES = {"help": "$quiet", "made": "bold"}
"""Of those without a mark, by sort. Not by a class of the stylesheet: that takes effect one frame later, and
both are sent."""


class Answer(Input):
    """A line to type in. Keys take effect in the order they are typed, however fast they come.

    Textual lets letters overtake the keys that are bindings: of a burst (a slow line, a fast typist) it
    takes the letters first and then, say, the backspaces before them.
    """

    BINDINGS = [Binding("enter", "submit", "next", key_display="Enter")]

    @dataclass
    class NotTaken(Message):
        """What was pasted cannot stand here."""

        why: str

    OWN_KEYS = BindingsMap([*Input.BINDINGS, *BINDINGS]).key_to_bindings

    def __init__(
        self, text: str = "", placeholder: str = "", *, password: bool = False, several: bool = False
    ) -> None:
        super().__init__(text, placeholder, password=password, compact=True, select_on_focus=False)
        self.several = several
        """Whether it takes more than one line, put behind each other with commas."""
        self.cursor_blink = False
        self.start()

    def start(self) -> None:
        """Put the cursor where one goes on; but a long answer shows its beginning."""
        self.cursor_position = len(self.value) if len(self.value) <= LONG else 0

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where nothing is selected nothing is cut: Textual itself would empty the clipboard."""
        return action != "cut" or bool(self.selected_text)

    def on_paste(self, event: events.Paste) -> None:
        """Textual itself takes the first line and drops the rest."""
        event.stop()
        event.prevent_default()
        self.take(event.text)

    def action_paste(self) -> None:
        self.take(self.app.clipboard)

    def take(self, text: str) -> None:
        """Put a pasted text where the cursor is."""
        lines = [line for line in text.splitlines() if line.strip()]  # a terminal sends carriage returns
        if not self.password:
            lines = ["".join(each if each.isprintable() else " " for each in line) for line in lines]
        if self.several:
            self.replace(", ".join(map(str.strip, lines)), *self.selection)
        elif len(lines) > 1:
            self.post_message(self.NotTaken(ONE_LINE.format(len(lines))))
        else:
            self.replace("".join(lines), *self.selection)

    async def on_key(self, event: events.Key) -> None:
        for binding in self.OWN_KEYS.get(event.key, ())[-1:]:
            if await self.app.run_action(binding.action, self):
                event.stop()


class Field(containers.Vertical):
    """A question. It shows the entry it is given and says what was answered; it decides nothing."""

    @dataclass
    class Changed(Message):
        """The user changed the answer; None means the default again."""

        name: str
        answer: Raw | None
        typed: bool
        """Letter by letter, so that more may follow at once."""

    class Done(Message):
        """Enter was pressed in the field: go on."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(id=entry.question.name)
        self.entry = entry
        self.tried = False
        """Whether the user has tried to go on: only then what was not answered yet is an error."""
        self._said: Note | None = None
        self._not_taken = ""
        """Why the last paste was not taken; until the answer is changed or the field is left."""

    @property
    def question(self) -> Question:
        """What is asked."""
        return self.entry.question

    def compose(self) -> ComposeResult:
        for label, answer in self.rows():
            with containers.Horizontal(classes="row"):
                yield Label(label, classes="label", markup=False)
                yield answer
        yield Label(classes="note")

    def rows(self) -> Iterable[tuple[str, Widget]]:
        """What is answered in, each with the label before it."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.show(self.entry, tried=self.tried)

    def show(self, entry: Entry, *, tried: bool) -> None:
        """Take over an entry, and say what there is to say about it."""
        self.display = entry.applies
        self.follow(entry)
        self.entry, self.tried = entry, tried
        self.say()

    def follow(self, entry: Entry) -> None:
        """Take over what an earlier answer has changed in the entry; `self.entry` is still the one before."""

    def say(self) -> None:
        """Say what there is to say, unless it is said already."""
        note = self.note()
        if note != self._said:
            self._said = sort, words = note
            style = STYLES.get(sort)
            text = Content.styled(inert_lines(words), style) if style else marked(words)
            self.query_one(".note", Label).update(text)
            if self.has_focus_within:
                self.call_after_refresh(self.scroll_visible, animate=False)

    def on_descendant_focus(self) -> None:
        """Show the whole field, not only the line that has the focus."""
        self.scroll_visible(animate=False)

    def on_descendant_blur(self) -> None:
        if self._not_taken:
            self._not_taken = ""
            self.say()

    def note(self) -> Note:
        """What there is to say."""
        entry = self.entry
        if self._not_taken:
            return "error", f"✗ {self._not_taken}"
        if entry.error and (self.tried or not entry.missing):
            there = f" Ctrl+N goes on with {entry.elsewhere.target}." if entry.elsewhere else ""
            root = "\nCtrl+R does that from here." if entry.needs_root else ""
            return "error", f"✗ {entry.error}{there}{root}"
        if entry.caution:
            return "caution", f"! {entry.caution}"
        return "help", entry.question.help

    def focus_answer(self) -> None:
        """Move the focus into the field."""
        self.query_one("Input, Chooser").focus()

    def change(self, answer: Raw | None, *, typed: bool = False) -> None:
        """Tell the answer, which is the default again when it is None."""
        self._not_taken = ""
        self.post_message(self.Changed(self.question.name, answer, typed))

    @on(Answer.NotTaken)
    def _refused(self, event: Answer.NotTaken) -> None:
        event.stop()
        self._not_taken = event.why
        self.say()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Done())


class TextField(Field):
    """A question that is answered by typing."""

    def rows(self) -> Iterable[tuple[str, Widget]]:
        several = isinstance(self.question.kind, Several)
        yield self.question.label, Answer(self.entry.text, self.entry.default, several=several)

    def follow(self, entry: Entry) -> None:
        """Show a default that changed, unless something was typed here."""
        before = self.entry.default
        if entry.default == before:
            return
        answer = self.query_one(Answer)
        if answer.value == before:
            with self.prevent(Input.Changed):
                answer.value = entry.default
            answer.start()
        answer.placeholder = entry.default

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.change(event.value if event.value not in ("", self.entry.default) else None, typed=True)


class ChoiceField(Field):
    """A question that is answered by choosing one of a few."""

    def rows(self) -> Iterable[tuple[str, Widget]]:
        yield self.question.label, Chooser(self._options(self.entry), self.entry.text)

    @staticmethod
    def _options(entry: Entry) -> tuple[tuple[str, str], ...]:
        kind = entry.question.kind
        return kind.options if isinstance(kind, Choice) else YES_NO

    def follow(self, entry: Entry) -> None:
        """Offer what can be chosen now, and choose a default that changed unless the user has chosen."""
        chooser = self.query_one(Chooser)
        # Of several keys in a burst, the entry may still show what an earlier one chose.
        follows = chooser.value == self.entry.text
        chooser.offer(self._options(entry), entry.text if follows else chooser.value)

    @on(Chooser.Changed)
    def _chosen(self, event: Chooser.Changed) -> None:
        event.stop()
        self.change(event.value if event.value != self.entry.default else None)
