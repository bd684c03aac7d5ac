"""Prove: who gets in and who does not, by real connections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from screens.base import COMMON_KEYS, WizardScreen, enter, letter
from screens.restart import RESTART_KEYS, restarts
from screens.widgets.lines import NOTHING, advice_rows, text_rows
from screens.widgets.marks import mark
from screens.widgets.options import Options
from screens.widgets.rows import Row, Rows
from wizard.inert import inert
from wizard.plan import Plan
from wizard.proof import Check, Proof, Result, Verdict, summary

MARKS = {
    Verdict.PASSED: mark("✓"),
    Verdict.FINDING: mark("!"),
    Verdict.FAILED: mark("✗"),
    Verdict.SKIPPED: Content.styled("- ", "$quiet"),
}
TITLE_WIDTH = 44


class ProveScreen(WizardScreen):
    """A table of checks that fills while they are made, and under it what the chosen one means."""

    STEP = "Prove"
    HELP_TEXT = (
        "Each line is a real connection to the service, made now, with what ought to happen and what did.\n\n"
        "✓ as it ought to be, ✗ not so, ! a limit of the service that you should know, - not tried. "
        "Choose a line for its meaning and for the same check as a command; C copies the command. "
        "Ctrl+Q leaves; the service and its files stay as they are."
    )
    BINDINGS = [
        *letter("r", "again", "again"),
        *RESTART_KEYS,
        *letter("c", "copy", "copy"),
        *letter("u", "undo", "undo"),
        enter("done", "done"),
        *COMMON_KEYS,
    ]

    class Again(Message):
        """Make the checks once more."""

    class Restart(Message):
        """Restart the service, after asking."""

    class Undo(Message):
        """Take the run back, after a preview."""

    class Done(Message):
        """Back to the first step."""

    @dataclass
    class Stop(Message):
        """End the checks that are being made."""

    def __init__(self, who: str, title: str, plan: Plan, can_undo: bool) -> None:
        super().__init__(who)
        self.heading = title
        self.plan = plan
        self.can_undo = can_undo
        self.checks: tuple[Check, ...] = ()
        self.results: list[Result] = []
        self.running = True

    def compose_body(self) -> ComposeResult:
        yield Label(self.heading, classes="title", markup=False)
        yield Label("connecting …", id="summary", markup=False)
        yield Options(id="results", compact=True)
        yield Rows("meaning")

    def begin(self, checks: tuple[Check, ...]) -> None:
        """Show what will be checked, before the first result is there."""
        self.checks, self.results, self.running = checks, [], True
        rows = self.query_one(OptionList)
        rows.clear_options()
        dots = Content("… ")
        rows.add_options(Option(self._row(dots, check.title, check.expect.value, "")) for check in checks)
        self._say("connecting … Esc stops it")

    def show_result(self, result: Result) -> None:
        """One more check is made."""
        self.results.append(result)
        row = self._row(MARKS[result.verdict], result.title, result.expect.value, result.got)
        self.query_one(OptionList).replace_option_prompt_at_index(len(self.results) - 1, row)

    def show_proof(self, proof: Proof) -> None:
        """All checks are made; go to the first one that needs attention."""
        self.running = False
        attention = [i for i, r in enumerate(proof.results) if r.verdict in (Verdict.FAILED, Verdict.FINDING)]
        rows = self.query_one(OptionList)
        rows.highlighted = None
        rows.highlighted = attention[0] if attention else 0
        self._say(summary(proof))

    def show_stopped(self) -> None:
        """The user ended the checks."""
        self.running = False
        self._say("Stopped; R checks again.")

    def say(self, text: str) -> None:
        """Say what came of a restart."""
        self._say(text)

    def _say(self, text: str) -> None:
        self.query_one("#summary", Label).update(inert(text))
        self.refresh_bindings()

    def _row(self, verdict: Content, title: str, expected: str, got: str) -> Content:
        name = Content(inert(title)).truncate(TITLE_WIDTH, ellipsis=True, pad=True)
        return Content.assemble(verdict, name, " ", (f"{expected:<8}", "$quiet"), inert(got))

    @on(OptionList.OptionHighlighted)
    def _show_detail(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_index >= len(self.results):
            return
        result = self.results[event.option_index]
        self.query_one(Rows).show(self._detail(result))

    @staticmethod
    def _detail(result: Result) -> Iterator[Row]:
        """What a check saw, what that means, what to do, and the same check as a command; its name where the
        table has it cut.
        """
        if len(result.title) > TITLE_WIDTH:
            yield from text_rows(result.title, "bold")
        for text in filter(None, (result.got, result.meaning)):
            yield from text_rows(text)
        yield NOTHING
        yield from advice_rows(result.advice)
        if result.verdict is not Verdict.SKIPPED:
            yield Row(Content.styled(inert(result.command), "bold"), Content("Try it: "), code=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What does not apply is not offered."""
        needs = {
            "again": not self.running,
            "done": not self.running,
            "undo": not self.running and self.can_undo,
            "restart": not self.running and restarts(self.plan, parameters),
        }
        return needs.get(action, True)

    def action_back(self) -> None:
        self.post_message(self.Stop() if self.running else self.Back())

    def action_again(self) -> None:
        self.post_message(self.Again())

    def action_restart(self, _: str) -> None:
        self.post_message(self.Restart())

    def action_undo(self) -> None:
        self.post_message(self.Undo())

    def action_done(self) -> None:
        if not self.running:
            self.post_message(self.Done())

    def action_copy(self) -> None:
        """Copy the command of the chosen check; advice first, since it is what to do."""
        index = self.query_one(OptionList).highlighted or 0
        if index >= len(self.checks):
            return
        advice = self.results[index].advice if index < len(self.results) else ()
        command = next((item.command for item in advice if item.command), self.checks[index].command)
        self.copy(command, "the command")
