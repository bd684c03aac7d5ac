"""Ask: one page of questions, rendered from their declarations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Label

from screens.base import COMMON_KEYS, WizardScreen
from screens.widgets.delivered import DeliveredField
from screens.widgets.field import PAUSE, ChoiceField, Field, TextField
from screens.widgets.secret import SecretField
from wizard.errors import WrongAnswer
from wizard.inert import inert
from wizard.kinds import Choice, Delivered, Passphrase, Raw, Text, YesNo
from wizard.questions import Page
from wizard.sheet import Elsewhere, Entry, Sheet
from wizard.targets import Target

UNSEEN = (
    "It is neither shown nor copied nor kept: the next start asks for it again. Where a new one is asked, "
    "Ctrl+G makes one that nobody guesses, and shows it once."
)

FillIn: TypeAlias = Callable[[Mapping[str, Raw]], Sheet[Target]]


class AskScreen(WizardScreen):
    """A page of questions. It hands the answers on as they were given, right or not."""

    STEP = "Ask"
    HELP_TEXT = (
        "Every field shows its default; change what does not fit. An emptied field takes its default "
        "again. Nothing is written yet: the next steps show each change before it is made."
    )
    AUTO_FOCUS = ".-begin Input, .-begin Chooser"
    BINDINGS = [
        # Not before what has the focus: the letters typed ahead of it must be taken first.
        Binding("enter", "next", "next", key_display="Enter"),
        Binding("ctrl+n", "elsewhere", "go on there", key_display="Ctrl+N"),
        Binding("ctrl+r", "as_root", "as root", key_display="Ctrl+R"),
        # Before it: the letters typed after it belong to the next field.
        Binding("tab", "app.focus_next", "field", key_display="Tab", priority=True),
        Binding("shift+tab", "app.focus_previous", "field before", show=False, priority=True),
        *COMMON_KEYS,
    ]

    @dataclass
    class Answered(Message):
        """The page is filled in: go on."""

        screen: AskScreen

    @dataclass
    class WentElsewhere(Message):
        """Go on with another target, with the answers that it can use."""

        screen: AskScreen
        elsewhere: Elsewhere

    @dataclass
    class Kept(Message):
        """Leave the page backwards, keeping the answers so far."""

        screen: AskScreen

    def __init__(
        self,
        who: str,
        page: Page,
        given: Mapping[str, Raw],
        fill_in: FillIn,
        *,
        wrong: WrongAnswer | None = None,
        begin: str = "",
        known: Iterable[str] = (),
    ) -> None:
        super().__init__(who)
        self.page = page
        self.given = dict(given)
        """All answers so far."""
        self.fill_in = fill_in
        self.wrong = wrong
        """The answer that turned out wrong when it was used; until it is changed."""
        self.begin = begin
        """The question that somebody came back for from the review; empty: on the way through all."""
        self.known = tuple(known)
        """Words about this host, which a guesser tries first as a passphrase."""
        self.sheet = self._filled_in()
        self.tried = False
        self._waits: Timer | None = None

    def compose_body(self) -> ComposeResult:
        yield Label(self._title, classes="title", markup=False)
        for entry in self._entries:
            field = self._field(entry)
            field.set_class(entry.question.name == self._begins_with, "-begin")
            yield field
        if self.page.note:
            yield Label(self.page.note, id="page-note", markup=False)

    @property
    def _title(self) -> str:
        pages = self.sheet.target.pages
        number = sum(pages.index(page) <= pages.index(self.page) for page in self.sheet.pages)
        where = f"page {number} of {len(self.sheet.pages)}"
        return f"{self.sheet.target.title}: {self.page.title}, {where}"

    @property
    def _entries(self) -> tuple[Entry, ...]:
        """The entries of this page, those that do not apply now too: they may after the next answer."""
        return tuple(entry for entry in self.sheet.entries if entry.question.page == self.page.key)

    @property
    def _begins_with(self) -> str:
        """The question that has the focus at first: one in which there is something to choose or to type."""
        asked = [
            entry.question.name
            for entry in self.sheet.page(self.page)
            if not isinstance(entry.question.kind, Choice) or len(entry.question.kind.options) > 1
        ]
        first = self.wrong.question if self.wrong is not None else self.begin
        return first if first in asked else next(iter(asked), "")

    def _field(self, entry: Entry) -> Field:
        kind = entry.question.kind
        if isinstance(kind, Choice | YesNo):
            return ChoiceField(entry)
        if isinstance(kind, Passphrase):
            return SecretField(entry, self._guessable)
        return DeliveredField(entry) if isinstance(kind, Delivered) else TextField(entry)

    def _guessable(self) -> tuple[str, ...]:
        """What whoever guesses a passphrase tries first: this host, and the names among the answers."""
        names = (entry.text for entry in self.sheet.asked if isinstance(entry.question.kind, Text))
        return (*self.known, *names)

    @on(Field.Changed)
    def _changed(self, event: Field.Changed) -> None:
        self.given.pop(event.name, None)
        if event.answer is not None:
            self.given[event.name] = event.answer
        if self.wrong is not None and self.wrong.question == event.name:
            self.wrong = None
        if event.typed:
            self._stop_waiting()
            self._waits = self.set_timer(PAUSE, self.refill)
        else:
            self.refill()

    @on(Field.Done)
    def _done(self) -> None:
        self.action_next()

    def on_descendant_blur(self) -> None:
        self.catch_up()

    def catch_up(self) -> None:
        """Show what follows from the last letters, where that still waits for a pause."""
        if self._waits is not None:
            self.refill()

    def _stop_waiting(self) -> None:
        if self._waits is not None:
            self._waits.stop()
            self._waits = None

    def refill(self) -> None:
        """Read the answers again, and show what there is to say about each."""
        self._stop_waiting()
        before, self.sheet = self.sheet, self._filled_in()
        # The passphrase of something that exists is none for something new, which has it typed twice.
        turned = [
            entry.question.name
            for entry in before.entries
            if entry.chosen != self.sheet[entry.question.name].chosen
        ]
        if turned:
            self.given = {name: raw for name, raw in self.given.items() if name not in turned}
            self.sheet = self._filled_in()
        for field in self.query(Field):
            field.show(self.sheet[field.question.name], tried=self.tried)
        if before.wrong != self.sheet.wrong:
            self.refresh_bindings()
        title = self.query_one(".title", Label)
        if title.content != self._title:
            title.update(self._title)

    def _filled_in(self) -> Sheet[Target]:
        sheet, wrong = self.fill_in(self.given), self.wrong
        if wrong is None:
            return sheet
        entries = (
            replace(entry, error=wrong.sentence, missing=False)
            if entry.question.name == wrong.question
            else entry
            for entry in sheet.entries
        )
        return replace(sheet, entries=tuple(entries), answers=None)

    def action_next(self) -> None:
        self.tried = True
        self.refill()
        wrong = [entry for entry in self.sheet.page(self.page) if entry.error]
        if wrong:
            self.query_one(f"#{wrong[0].question.name}", Field).focus_answer()
        else:
            self.post_message(self.Answered(self))

    @property
    def _elsewhere(self) -> Elsewhere | None:
        """The other target that serves where an answer of this page cannot be used."""
        return next((entry.elsewhere for entry in self.sheet.page(self.page) if entry.elsewhere), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What does not apply is not offered."""
        needs = {
            "elsewhere": self._elsewhere is not None,
            "as_root": any(entry.needs_root for entry in self.sheet.page(self.page)),
        }
        return needs.get(action, True)

    def action_elsewhere(self) -> None:
        self.catch_up()
        if self._elsewhere is not None:
            self.post_message(self.WentElsewhere(self, self._elsewhere))

    def action_back(self) -> None:
        self.post_message(self.Kept(self))

    def help_text(self) -> str:
        self.catch_up()
        focused = self.focused
        field = (
            next((node for node in focused.ancestors if isinstance(node, Field)), None) if focused else None
        )
        if field is None:
            return self.HELP_TEXT
        asked = field.question
        default = self.sheet[asked.name].default
        more = f"Default here: {inert(default)}" if default else "There is no default here."
        parts = [
            asked.label,
            f"{asked.help} {asked.more}",
            UNSEEN if asked.secret else more,
            f"Key in an answers file: {asked.key}; flag: {asked.flag}",
        ]
        return "\n\n".join([*parts, self.HELP_TEXT])
