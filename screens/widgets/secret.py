"""A passphrase as a field: shown as dots, never copied, and kept in the field only while it is typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from textual import on, work
from textual.binding import Binding
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import get_current_worker

from screens.widgets.field import PAUSE, Answer, Field, Note
from wizard.material.passphrases import Strength, generated, strength
from wizard.secret import Secret
from wizard.sheet import Entry

GIVEN = "given already; type to replace it"
WRITE_IT_DOWN = "Write it down now: it is shown only here."


class SecretLine(Answer):
    """A line whose text reaches neither the screen nor the clipboard."""

    def __init__(self, placeholder: str = "") -> None:
        super().__init__(placeholder=placeholder, password=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action not in ("copy", "cut")

    def on_unmount(self) -> None:
        self.set_reactive(Input.value, "")  # nobody is told any more


class SecretField(Field):
    """A question for a passphrase. One that is made up now is typed twice, judged, or made on Ctrl+G."""

    BINDINGS = [
        Binding("ctrl+g", "generate", "make one", show=False),
        # Before what has the focus, as Tab does: the letters typed after it belong to the second row.
        Binding("enter", "second_row", "next", key_display="Enter", priority=True),
    ]

    @dataclass
    class Judged(Message):
        """What a passphrase is worth."""

        passphrase: Secret
        strength: Strength

    def __init__(self, entry: Entry, known: Callable[[], Iterable[str]]) -> None:
        super().__init__(entry)
        self._known = known
        """Gives what a guesser tries first."""
        self._generated: Secret | None = None
        self._strength: Strength | None = None
        self._pause: Timer | None = None
        self._first, self._again = SecretLine(GIVEN if entry.given and not entry.error else ""), SecretLine()

    def rows(self) -> Iterable[tuple[str, Widget]]:
        yield self.question.label, self._first
        yield "  once more", self._again

    def follow(self, entry: Entry) -> None:
        """Begin anew when one that exists is asked for instead of a new one, or the other way round."""
        if entry.chosen != self.entry.chosen:
            self._fill("")
        row = self._again.parent
        assert isinstance(row, Widget)
        row.display = entry.chosen

    def note(self) -> Note:
        said = super().note()
        if said[0] == "error" and (self._not_taken or not self.entry.missing):
            return said
        if self._generated is not None:
            return "made", f"{self._generated.reveal()}\n{WRITE_IT_DOWN}"
        if self._differ and (self.tried or not self._first.value.startswith(self._again.value)):
            return "error", "✗ The two differ. Type the same in both rows."
        if self._strength is not None and not self.entry.caution:
            return self._judgement(self._strength)
        if self.entry.chosen:
            return said[0], f"{said[1]} Ctrl+G makes one."
        return said

    @staticmethod
    def _judgement(strength: Strength) -> Note:
        if strength.enough:
            return "help", strength.words
        return "caution", f"! {strength.words} Ctrl+G makes a strong one."

    @property
    def _differ(self) -> bool:
        return self.entry.chosen and self._first.value != self._again.value

    def focus_answer(self) -> None:
        """Move the focus into the row that is to be filled in."""
        (self._again if self._first.value and self._differ else self._first).focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != event.input.value:
            return  # more was typed meanwhile, or one was made
        shown, self._generated = self._generated is not None, None  # it goes from the screen at once
        if event.input is self._first:
            self._forget_judgement()
            if self.entry.chosen and event.value:
                self._pause = self.set_timer(PAUSE, self._judge_now)
        agreed = self._first.value and not self._differ
        self.change(Secret(self._first.value) if agreed else None, typed=not shown)

    def _forget_judgement(self) -> None:
        self._first.placeholder = ""
        self._strength = None
        if self._pause is not None:
            self._pause.stop()

    def _judge_now(self) -> None:
        self._judge(Secret(self._first.value), tuple(self._known()))

    @work(thread=True, exclusive=True)
    def _judge(self, passphrase: Secret, known: Iterable[str]) -> None:
        worker = get_current_worker()
        judged = strength(passphrase, known)
        if not worker.is_cancelled:
            self.post_message(self.Judged(passphrase, judged))

    @on(Judged)
    def _judged(self, event: Judged) -> None:
        event.stop()
        if event.passphrase == Secret(self._first.value):
            self._strength = event.strength
            self.say()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where one exists, none is made, and there is no second row."""
        if action == "second_row":
            agree = self._first.value and not self._differ
            return self.entry.chosen and self.screen.focused is self._first and not agree
        return action != "generate" or self.entry.chosen

    def action_second_row(self) -> None:
        self.screen.set_focus(self._again)

    def action_generate(self) -> None:
        """Make a passphrase, and show it as long as the page is not left and nothing is typed over it."""
        made = generated()
        self._fill(made.reveal())
        self._generated = made
        self.change(made)

    def _fill(self, text: str) -> None:
        """Put the same into both rows, without a word to anybody."""
        with self.prevent(Input.Changed):
            self._first.value = self._again.value = text
        self._forget_judgement()
        self._generated = None

    def on_unmount(self) -> None:
        self._generated = self._said = None
