"""Ask: one page of questions, rendered from their declarations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Label

from screens.base import COMMON_KEYS, WizardScreen
from screens.widgets.field import Field
from wizard.inert import inert
from wizard.kinds import Raw
from wizard.questions import Page
from wizard.sheet import Entry, Sheet
from wizard.targets import Target

FillIn: TypeAlias = Callable[[Mapping[str, Raw]], Sheet[Target]]


class AskScreen(WizardScreen):
    """A page of questions. It hands the answers on as they were given, right or not."""

    STEP = "Ask"
    HELP_TEXT = (
        "Every field shows its default; change what does not fit. An emptied field takes its default "
        "again. Nothing is written yet: the next steps show each change before it is made."
    )
    BINDINGS = [
        # Not before what has the focus: the letters typed ahead of it must be taken first.
        Binding("enter", "next", "next", key_display="Enter"),
        # Before it: the letters typed after it belong to the next field.
        Binding("tab", "app.focus_next", "field", key_display="Tab", priority=True),
        Binding("shift+tab", "app.focus_previous", "field before", show=False, priority=True),
        *COMMON_KEYS,
    ]

    @dataclass
    class Answered(Message):
        """The page is filled in; these are all answers so far."""

        given: Mapping[str, Raw]

    @dataclass
    class Kept(Message):
        """Leave the page, keeping the answers so far."""

        given: Mapping[str, Raw]

    def __init__(
        self, who: str, target: type[Target], page: Page, given: Mapping[str, Raw], fill_in: FillIn
    ) -> None:
        super().__init__(who)
        self.target = target
        self.page = page
        self.given = dict(given)
        self.fill_in = fill_in
        self.sheet = fill_in(given)
        self.tried = False

    def compose_body(self) -> ComposeResult:
        pages = self.target.pages
        number = f"page {pages.index(self.page) + 1} of {len(pages)}"
        yield Label(f"{self.target.title}: {self.page.title}, {number}", classes="title", markup=False)
        for entry in self._entries:
            yield Field(entry)
        if self.page.note:
            yield Label(self.page.note, id="page-note", markup=False)

    @property
    def _entries(self) -> tuple[Entry, ...]:
        """The entries of this page, those that do not apply now too: they may after the next answer."""
        return tuple(entry for entry in self.sheet.entries if entry.question.page == self.page.key)

    @on(Field.Changed)
    def _changed(self, event: Field.Changed) -> None:
        self.given.pop(event.name, None)
        if event.text:
            self.given[event.name] = event.text
        self.refill()

    @on(Field.Done)
    def _done(self) -> None:
        self.action_next()

    def refill(self) -> None:
        """Read the answers again, and show what there is to say about each."""
        self.sheet = self.fill_in(self.given)
        for field in self.query(Field):
            field.show(self.sheet[field.question.name], tried=self.tried)

    def action_next(self) -> None:
        self.tried = True
        self.refill()
        wrong = [entry for entry in self.sheet.page(self.page) if entry.error]
        if wrong:
            self.query_one(f"#{wrong[0].question.name}", Field).focus_answer()
        else:
            self.post_message(self.Answered(dict(self.given)))

    def action_back(self) -> None:
        self.post_message(self.Kept(self.given))

    def help_text(self) -> str:
        focused = self.focused
        field = (
            next((node for node in focused.ancestors if isinstance(node, Field)), None) if focused else None
        )
        if field is None:
            return self.HELP_TEXT
        asked = field.question
        default = self.sheet[asked.name].default
        parts = [
            asked.label,
            f"{asked.help} {asked.more}",
            f"Default here: {inert(default)}" if default else "There is no default here.",
            f"Key in an answers file: {asked.name}",
        ]
        return "\n\n".join([*parts, self.HELP_TEXT])
