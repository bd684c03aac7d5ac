"""Apply: short, honest, and not stopped by a lost line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message

from screens.base import COMMON_KEYS, PACE, WizardScreen, enter, letter
from screens.restart import RESTART_KEYS, restarts
from screens.widgets.lines import NOTHING, advice_rows, text_rows
from screens.widgets.marks import mark
from screens.widgets.rows import Row, Rows
from wizard.inert import inert
from wizard.journal import Run
from wizard.plan import Plan
from wizard.preview import how_many

if TYPE_CHECKING:
    from wizard.transaction import Progress


class ApplyScreen(WizardScreen):
    """Shows the writing while it goes on, and what to do afterwards."""

    STEP = "Apply"
    HELP_TEXT = (
        "Everything is written or nothing: on any error, and after a power cut at the next start, the old "
        "files come back. Writing finishes even if the connection drops."
    )
    BINDINGS = [
        enter("next", "next"),
        *RESTART_KEYS,
        *letter("u", "undo", "undo"),
        *letter("c", "copy", "copy"),
        *COMMON_KEYS,
    ]

    class Next(Message):
        """Go on to the proof."""

    class Restart(Message):
        """Restart the service, after asking."""

    @dataclass
    class Undo(Message):
        """Take this run back, after a preview."""

        run: Run

    def __init__(self, who: str, plan: Plan) -> None:
        super().__init__(who)
        self.plan = plan
        self.done: list[str] = []
        self._shown = 0
        """How many of them are on the screen."""
        self.run: Run | None = None
        self.failure = ""
        self.said = ""
        """What came of a restart."""

    AUTO_FOCUS = "Rows"

    def compose_body(self) -> ComposeResult:
        yield Rows("done")

    def on_mount(self) -> None:
        self._show()

    def show_progress(self, progress: Progress) -> None:
        """One more change is made; it is shown with those that soon follow it."""
        if len(self.done) == self._shown:
            self.set_timer(PACE, self._show_more)
        self.done.append(progress.text)

    def show_done(self, run: Run) -> None:
        """Everything is written."""
        self.run = run
        self._show()

    def show_failed(self, text: str) -> None:
        """It did not work; say why, and where things stand."""
        self.failure = text
        self._show()

    def say(self, text: str) -> None:
        """Say what came of the restart."""
        self.said = text
        self._show()

    def _show_more(self) -> None:
        if self.run is None and not self.failure:
            self.query_one(Rows).insert(map(_tick, self.done[self._shown :]))
            self._shown = len(self.done)

    def _show(self) -> None:
        self._shown = len(self.done)
        self.query_one(Rows).show(self._rows())
        self.refresh_bindings()

    def _rows(self) -> Iterator[Row]:
        if self.failure:
            yield from (Row(Content("This did not work."), mark("✗")), NOTHING)
            yield from text_rows(self.failure)
            return
        yield from text_rows(self._heading(), "bold")
        if self.said:  # up here, where it is in view
            yield from text_rows(self.said, "bold")
        yield NOTHING
        for text in self.done:
            yield _tick(text)
        if self.run is None:
            yield from text_rows("…")
            return
        yield from (
            NOTHING,
            Row(Content(self._undo_command), Content("Undo brings every byte back: ")),
            NOTHING,
        )
        if self.plan.advice:
            yield from text_rows("You do now:", "bold")
            yield from advice_rows(self.plan.advice)

    def _heading(self) -> str:
        count = how_many(self.plan)
        if self.run is not None:
            return f"Done: {count}."
        return f"Writing {count}. This finishes even if the connection drops."

    @property
    def _undo_command(self) -> str:
        return f"tls-wizard undo {self.run.id}" if self.run else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While it is written nothing else can be done; what does not apply is not offered."""
        needs = {
            "next": self.run is not None,
            "undo": self.run is not None and not self.run.undoes,
            "copy": self.run is not None,
            "restart": self.run is not None and restarts(self.plan, parameters),
            "back": bool(self.failure),
        }
        return needs.get(action, True)

    def action_next(self) -> None:
        self.post_message(self.Next())

    def action_restart(self, _: str) -> None:
        self.post_message(self.Restart())

    def action_undo(self) -> None:
        if self.run is not None:
            self.post_message(self.Undo(self.run))

    def action_copy(self) -> None:
        commands = [advice.command for advice in self.plan.advice if advice.command]
        self.copy(commands[0] if commands else self._undo_command, "the first command")


def _tick(text: str) -> Row:
    """A change that is made."""
    return Row(Content(inert(text)), mark("✓"))
