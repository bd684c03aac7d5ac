"""The earlier runs on this host, each of which can be looked at and taken back."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from screens.base import COMMON_KEYS, WizardScreen, enter
from screens.widgets.lines import text_rows
from screens.widgets.options import Options
from screens.widgets.rows import Rows
from wizard.inert import inert
from wizard.journal import Run, Status


class HistoryScreen(WizardScreen):
    """A list of runs, newest first, and what the one looked at did."""

    STEP = "Earlier runs"
    HELP_TEXT = (
        "Every run on this host, the newest first. Enter shows what taking it back would change, and asks "
        "before it does so. A file that was edited since is never overwritten: the undo says which."
    )
    BINDINGS = [
        enter("undo", "preview undo"),
        *COMMON_KEYS,
    ]

    @dataclass
    class Undo(Message):
        """Preview taking this run back."""

        run: Run

    def __init__(self, who: str, runs: tuple[Run, ...]) -> None:
        super().__init__(who)
        self.runs = tuple(sorted(runs, key=lambda run: run.id, reverse=True))

    def compose_body(self) -> ComposeResult:
        yield Label(
            "Earlier runs" if self.runs else "Nothing has been done on this host yet.", classes="title"
        )
        yield Options(*(Option(self._line(run)) for run in self.runs), compact=True)
        yield Rows("what")

    @staticmethod
    def _line(run: Run) -> Content:
        when = f"{run.time.astimezone():%Y-%m-%d %H:%M}"
        return Content.assemble(f"{when}  ", (f"{run.status:<12}", "$quiet"), inert(run.title))

    @on(OptionList.OptionHighlighted)
    def _show_run(self, event: OptionList.OptionHighlighted) -> None:
        run = self.runs[event.option_index]
        lines = [
            "",
            *(f"{path.parent}: {words}" for path, words in run.files),
            "",
            f"tls-wizard undo {run.id}",
        ]
        self.query_one(Rows).show(text_rows("\n".join(lines)))
        self.refresh_bindings()

    @property
    def _highlighted(self) -> Run | None:
        index = self.query_one(OptionList).highlighted
        return None if index is None else self.runs[index]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is in force can be taken back."""
        if action != "undo":
            return True
        run = self._highlighted
        return run is not None and run.status is Status.APPLIED

    def action_undo(self) -> None:
        run = self._highlighted
        if run is not None and run.status is Status.APPLIED:
            self.post_message(self.Undo(run))
