"""Review: every change before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import join

from textual import containers, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from screens.base import COMMON_KEYS, PACE, WizardScreen, enter, letter
from screens.widgets.lines import NOTHING, advice_rows, change_line, change_rows, text_rows, warning_rows
from screens.widgets.options import Options
from screens.widgets.rows import Row, Rows
from wizard.errors import WizardError
from wizard.inert import inert
from wizard.plan import Change, File, Plan
from wizard.preview import hides_all, how_many, why_nothing


class ReviewScreen(WizardScreen):
    """The list of changes on one side, the one looked at on the other."""

    STEP = "Review"
    HELP_TEXT = (
        "What you see is what will be written, to the byte; nothing is written yet.\n\n"
        "+ is made new, ~ is changed, - is removed; → within a line is a tab. Secrets are never shown. Up "
        "and Down choose a change, Tab goes to its text to scroll it. E goes back to an answer: it lists "
        "them and begins at the one behind the chosen line. Enter asks once more and then writes everything "
        "or nothing; undo brings every byte back."
    )
    BINDINGS = [
        enter("accept", "write"),
        enter("prove", "prove"),
        enter("done", "done"),
        Binding("tab", "other_side", "other side", key_display="Tab"),
        *letter("c", "copy", "copy"),
        *letter("e", "edit", "answers"),
        *COMMON_KEYS,
    ]

    @dataclass
    class Accepted(Message):
        """The user wants this plan."""

        plan: Plan

    @dataclass
    class Edit(Message):
        """Change an answer: the one behind this change, or any."""

        change: Change | None

    def __init__(
        self,
        who: str,
        working: str = "",
        made: Plan | WizardError | None = None,
        *,
        answered: bool = True,
    ) -> None:
        super().__init__(who)
        self.working = working
        self.made = made
        """The plan, or why there is none; None: it is still being made."""
        self.answered = answered
        """Whether it follows from answers, which can be changed; an undo does not."""
        self.plan: Plan | None = None
        self._told = ""
        """How far the making of the plan is, until it is shown."""

    def compose_body(self) -> ComposeResult:
        yield Label(self.working, id="summary", markup=False)
        with containers.Horizontal(id="sides"):
            yield Options(id="changes", compact=True)
            yield Rows("detail")

    def on_mount(self) -> None:
        if self.made is not None:
            self.show(self.made)

    def help_text(self) -> str:
        """Where there is no plan, what that means."""
        if isinstance(self.made, WizardError):
            return (
                "Something stands in the way, so nothing is written. The text says what and where, and what "
                "to do about it; Esc goes back to the answers."
            )
        return self.HELP_TEXT

    def show(self, made: Plan | WizardError) -> None:
        """Show the plan, or say why there is none."""
        self.made = made
        if isinstance(made, WizardError):
            self._show_refusal(str(made))
        else:
            self._show_plan(made)

    def _show_plan(self, plan: Plan) -> None:
        self.plan = plan
        count = f"{how_many(plan)}, nothing written yet"
        what = count if plan.changed else f"nothing to change, {why_nothing(plan)}"
        self._summary(inert(f"{plan.title}: {what}"))
        changes = self.query_one("#changes", OptionList)
        changes.add_options(Option(change_line(change)) for change in plan.changes)
        changes.add_options(Option(f"= {inert(path.name):<12} stays as it is") for path in plan.kept)
        changes.add_options(Option(title) for title, _ in self._sections(plan))
        # The first text at once, so that one frame shows it all.
        self.query_one(Rows).show(self._detail(plan, 0))
        with changes.prevent(OptionList.OptionHighlighted):
            changes.highlighted = 0
        changes.focus()
        self.refresh_bindings()

    def _show_refusal(self, text: str) -> None:
        self._summary("This cannot be done with certainty, so nothing is done:")
        self.query_one("#changes").display = False
        self.query_one(Rows).show(text_rows(text))
        self.query_one(Rows).focus()

    def show_working(self, text: str) -> None:
        """Say how far the making of the plan is: of all that comes in a short time, the last."""
        if not self._told:
            self.set_timer(PACE, self._say_working)
        self._told = text

    def _say_working(self) -> None:
        if self.made is None:
            self._summary(self._told)
        self._told = ""

    def _summary(self, text: str) -> None:
        self.query_one("#summary", Label).update(text)

    def _sections(self, plan: Plan) -> list[tuple[str, list[Row]]]:
        """What stands below the changes: a title and a text each."""
        sections: list[tuple[str, list[Row]]] = []
        if plan.warnings:
            sections.append((f"! {len(plan.warnings)} to know", list(warning_rows(plan))))
        if plan.validations:
            rows = [*text_rows("After writing, these run; if one fails, everything is restored:"), NOTHING]
            for command in plan.validations:
                rows += text_rows(join(command.arguments), "bold")
            sections.append(("  checks after writing", rows))
        if plan.advice:
            sections.append(("  you do afterwards", list(advice_rows(plan.advice))))
        return sections

    @on(OptionList.OptionHighlighted)
    def _show_detail(self, event: OptionList.OptionHighlighted) -> None:
        assert self.plan is not None
        self.query_one(Rows).show(self._detail(self.plan, event.option_index))

    def _detail(self, plan: Plan, index: int) -> list[Row]:
        if index < len(plan.changes):
            return list(change_rows(plan.changes[index]))
        index -= len(plan.changes)
        if index < len(plan.kept):
            return [*text_rows(f"{plan.kept[index]}\n\nIt is there, it fits, and it stays as it is.")]
        return self._sections(plan)[index - len(plan.kept)][1]

    def action_accept(self) -> None:
        if self.plan is not None:
            self.post_message(self.Accepted(self.plan))

    def action_prove(self) -> None:
        self.action_accept()

    def action_done(self) -> None:
        self.action_accept()

    def action_other_side(self) -> None:
        self.focus_next()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing can be done before there is a plan; one without changes leads on to the proof."""
        needs = {
            "accept": self.plan is not None and self.plan.changed,
            "prove": self.plan is not None and not self.plan.changed and not self.plan.awaits,
            "done": self.plan is not None and not self.plan.changed and bool(self.plan.awaits),
            "copy": self.plan is not None,
            "other_side": self.plan is not None,
            "edit": self.answered and self.made is not None,
        }
        return needs.get(action, True)

    @property
    def _chosen(self) -> Change | None:
        """The change that is looked at."""
        index = self.query_one("#changes", OptionList).highlighted or 0
        return self.plan.changes[index] if self.plan is not None and index < len(self.plan.changes) else None

    def action_edit(self) -> None:
        self.post_message(self.Edit(self._chosen))

    def action_copy(self) -> None:
        """Copy what is looked at: a file's new content, or the text on the right."""
        assert self.plan is not None
        change = self._chosen
        if isinstance(change, File) and hides_all(change):
            self.notify("A secret is not copied.", timeout=3)
        elif isinstance(change, File) and change.after is not None and not change.hidden:
            self.copy(
                change.after.decode("utf-8", errors="replace"), f"the new content of {change.path.name}"
            )
        else:
            self.copy(self.query_one(Rows).plain, "the text shown")
