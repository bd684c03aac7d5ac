"""Certificates as a field: names of files, or a pasted text that stands as one thing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual import on
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from screens.widgets.field import Answer, Note, TextField
from wizard.kinds import PEM_BEGINS
from wizard.sheet import Entry

TAKE_OUT = "Backspace takes the pasted text out again."
A_KEY = "There is a private key in this text, so it was not taken. Paste the certificates only."


class DeliveredLine(Answer):
    """A line for names of files that takes a pasted text whole; one more paste is put behind it."""

    @dataclass
    class Pasted(Message):
        """What has been pasted so far; empty: it was taken out again."""

        text: str

    def __init__(self, text: str, placeholder: str) -> None:
        self.pasted = text if PEM_BEGINS in text else ""
        self._empty = placeholder
        shown = "" if self.pasted else text
        super().__init__(shown, described(self.pasted) or placeholder, several=True)
        self.set_class(bool(self.pasted), "-pasted")

    def take(self, text: str) -> None:
        """A pasted text whole; else names of files."""
        if "PRIVATE KEY-----" in text:
            self.post_message(self.NotTaken(A_KEY))
        elif PEM_BEGINS in text:
            self._hold("\n".join([*self.pasted.splitlines(), *text.splitlines(), ""]))
        else:
            super().take(text)

    def replace(self, text: str, start: int, end: int) -> None:
        """Every edit comes by here: what was pasted can only be taken out as a whole."""
        if not self.pasted:
            super().replace(text, start, end)
        elif text:
            self.restricted()
        else:
            self._hold("")

    def _hold(self, text: str) -> None:
        self.pasted = text
        with self.prevent(Input.Changed):
            self.value = ""
        self.placeholder = described(text) or self._empty
        self.set_class(bool(text), "-pasted")
        self.post_message(self.Pasted(text))


class DeliveredField(TextField):
    """A question for certificates from elsewhere."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self._line = DeliveredLine(entry.text, entry.default)

    def rows(self) -> Iterable[tuple[str, Widget]]:
        yield self.question.label, self._line

    def follow(self, entry: Entry) -> None:
        if not self._line.pasted:
            super().follow(entry)

    def note(self) -> Note:
        said = super().note()
        return ("help", TAKE_OUT) if said[0] == "help" and self._line.pasted else said

    @on(DeliveredLine.Pasted)
    def _pasted(self, event: DeliveredLine.Pasted) -> None:
        event.stop()
        self.change(event.text or None)


def described(text: str) -> str:
    """A pasted text in a few words; empty when there is none."""
    if not text:
        return ""
    count = text.count("-----BEGIN CERTIFICATE-----")
    certificates = f"{count} certificate{'' if count == 1 else 's'}, " if count else ""
    return f"pasted: {certificates}{len(text):,} characters"
