"""One question as a field: a row to answer in, and under it the help, the caution or the error."""

from __future__ import annotations

from dataclasses import dataclass

from textual import containers, events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap
from textual.message import Message
from textual.widgets import Input, Label

from screens.widgets.chooser import Chooser
from wizard.inert import inert_lines
from wizard.kinds import Choice, YesNo
from wizard.questions import Question
from wizard.sheet import Entry

YES_NO = (("yes", "yes"), ("no", "no"))


class Answer(Input):
    """A line to type in. Keys take effect in the order they are typed, however fast they come.

    Textual lets letters overtake the keys that are bindings: of a burst (a slow line, a fast typist) it
    takes the letters first and then, say, the backspaces before them.
    """

    BINDINGS = [Binding("enter", "submit", "next", key_display="Enter")]

    OWN_KEYS = BindingsMap([*Input.BINDINGS, *BINDINGS]).key_to_bindings

    async def on_key(self, event: events.Key) -> None:
        for binding in self.OWN_KEYS.get(event.key, ())[-1:]:
            event.stop()
            await self.run_action(binding.action)


class Field(containers.Vertical):
    """A question. It shows the entry it is given and says what was typed; it decides nothing."""

    @dataclass
    class Changed(Message):
        """The user changed the answer; empty means the default again."""

        name: str
        text: str

    class Done(Message):
        """Enter was pressed in the field: go on."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(id=entry.question.name)
        self.question: Question = entry.question
        self.default = entry.default
        self._entry = entry
        self._note = ("", "")

    def compose(self) -> ComposeResult:
        with containers.Horizontal(classes="row"):
            yield Label(self.question.label, classes="label", markup=False)
            kind = self.question.kind
            if isinstance(kind, Choice | YesNo):
                options = kind.options if isinstance(kind, Choice) else YES_NO
                yield Chooser(options, self._entry.text, self.question.name)
            else:
                answer = Answer(
                    self._entry.text,
                    placeholder=self.default,
                    compact=True,
                    select_on_focus=False,
                    name=self.question.name,
                )
                answer.cursor_blink = False
                answer.cursor_position = 0  # a long answer shows its beginning
                yield answer
        yield Label(self.question.help, classes="note", markup=False)

    def on_mount(self) -> None:
        self.show(self._entry, tried=False)

    def show(self, entry: Entry, *, tried: bool) -> None:
        """Take over an entry: its default while nothing else was typed, and what there is to say about it.

        What was not answered yet is no error until the user tries to go on (`tried`).
        """
        self.display = entry.applies
        self._follow_default(entry.default)
        if entry.error and (tried or not entry.missing):
            self._say("error", f"✗ {entry.error}")
        elif entry.caution:
            self._say("caution", f"! {entry.caution}")
        else:
            self._say("help", self.question.help)

    def focus_answer(self) -> None:
        """Move the focus into the field."""
        self.query_one("Input, Chooser").focus()

    def _follow_default(self, default: str) -> None:
        """Show a default that changed with an earlier answer, unless something was typed here."""
        if default == self.default:
            return
        for answer in self.query(Input):
            if answer.value == self.default:
                with self.prevent(Input.Changed):
                    answer.value = default
                answer.cursor_position = 0
            answer.placeholder = default
        for chooser in self.query(Chooser):
            if chooser.value == self.default:
                chooser.value = default
        self.default = default

    def _say(self, kind: str, text: str) -> None:
        if (kind, text) == self._note:
            return
        self._note = (kind, text)
        note = self.query_one(".note", Label)
        note.update(inert_lines(text))
        note.set_classes(f"note -{kind}")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._changed(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Done())

    @on(Chooser.Changed)
    def _chosen(self, event: Chooser.Changed) -> None:
        event.stop()
        self._changed(event.value)

    def _changed(self, text: str) -> None:
        self.post_message(self.Changed(self.question.name, "" if text == self.default else text))
