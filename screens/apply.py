"""Apply: short, honest, and not stopped by a lost line."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from screens.base import COMMON_KEYS, WizardScreen, enter
from screens.widgets.lines import advice_lines
from wizard.inert import inert
from wizard.journal import Run
from wizard.plan import Plan
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
        Binding("r", "restart", "restart service", key_display="R"),
        Binding("u", "undo", "undo", key_display="U"),
        Binding("c", "copy", "copy command", key_display="C"),
        Binding("question_mark", "help", "help", show=False),
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
        self.run: Run | None = None
        self.failure = ""
        self.said = ""
        """What came of a restart."""

    def compose_body(self) -> ComposeResult:
        yield Static(self._content(), id="text", markup=False)

    def show_progress(self, progress: Progress) -> None:
        """One more change is made."""
        self.done.append(progress.text)
        self._show()

    def show_done(self, run: Run) -> None:
        """Everything is written."""
        self.run = run
        self._show()

    def show_failed(self, text: str) -> None:
        """Nothing is written; say why."""
        self.failure = text
        self._show()

    def say(self, text: str) -> None:
        """Say what came of the restart."""
        self.said = text
        self._show()

    def _show(self) -> None:
        self.query_one("#text", Static).update(self._content())
        self.refresh_bindings()

    def _content(self) -> Content:
        lines = [self._heading(), Content("")]
        lines += [Content.assemble(("✓ ", "$text-success"), inert(text)) for text in self.done]
        if self.failure:
            lines = [Content.styled("✗ Nothing was changed.", "$text-error"), Content("")]
            lines += [Content(inert(line)) for line in self.failure.split("\n")]
        elif self.run is None:
            lines.append(Content("…"))
        else:
            undo = Content.assemble("Undo brings every byte back: ", (self._undo_command, "bold"))
            lines += [Content(""), undo, Content("")]
            lines += [Content.styled("You do now:", "bold"), *advice_lines(self.plan.advice)]
        if self.said:
            lines += [Content(inert(line)) for line in self.said.split("\n")]
        return Content("\n").join(lines)

    def _heading(self) -> Content:
        count = len(self.plan.changes)
        if self.run is not None:
            return Content.styled(f"Done: {count} change{'' if count == 1 else 's'}.", "bold")
        return Content(f"Writing {count} changes. This finishes even if the connection drops.")

    @property
    def _undo_command(self) -> str:
        return f"tls-wizard undo {self.run.id}" if self.run else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While it is written nothing else can be done; what does not apply is not offered."""
        needs = {
            "next": self.run is not None,
            "undo": self.run is not None and not self.run.undoes,
            "copy": self.run is not None,
            "restart": self.run is not None and self.plan.restart is not None,
            "back": bool(self.failure),
        }
        return needs.get(action, True)

    def action_next(self) -> None:
        self.post_message(self.Next())

    def action_restart(self) -> None:
        self.post_message(self.Restart())

    def action_undo(self) -> None:
        if self.run is not None:
            self.post_message(self.Undo(self.run))

    def action_copy(self) -> None:
        commands = [advice.command for advice in self.plan.advice if advice.command]
        self.copy(commands[0] if commands else self._undo_command, "the first command")
