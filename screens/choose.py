"""Choose: what can be secured, with what was found on this host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from screens.base import COMMON_KEYS, WizardScreen, enter, letter
from screens.widgets.marks import marked
from screens.widgets.options import Options
from wizard.inert import inert
from wizard.reach import may_drop

if TYPE_CHECKING:
    from wizard.targets import Found
    from wizard.targets.catalogue import Offered

LOOKING = "looking at this host …"
NOT_ROOT = (
    "You are {user}, not root. Looking, answering and the preview need no more; to write files of others and "
    "to restart services (steps 4 and 5), R starts again as root: sudo asks for your password."
)
MULTIPLEXER = "Over SSH, better in tmux or screen: there a line that drops does not even end the wizard."


class ChooseScreen(WizardScreen):
    """The first step. The list stands at once; what was found comes in behind it."""

    STEP = "Choose"
    HELP_TEXT = (
        "Choose what to secure. The wizard has looked at what runs on this host; nothing has been "
        "changed, and nothing is changed before you have seen every line of it and said yes."
    )
    BINDINGS = [
        enter("choose", "next"),
        *letter("w", "waiting", "waiting"),
        *letter("c", "certificates", "certificates"),
        *letter("h", "history", "earlier runs"),
        *letter("r", "as_root", "as root"),
        *COMMON_KEYS,
    ]

    @dataclass
    class Chosen(Message):
        """This target shall be secured."""

        target: Offered

    class Uncovered(Message):
        """Nothing lies over it any more."""

    class History(Message):
        """Show the earlier runs."""

    class Certificates(Message):
        """Show the certificates of this host, and what waits for one."""

    def __init__(self, who: str, targets: tuple[Offered, ...], first: str = "") -> None:
        super().__init__(who)
        self.targets = targets
        self.first = first
        """Key of the target that is chosen at first."""
        self.kept: Mapping[str, str] = {}
        """What the answers from before are for, by the key of the target."""
        self.found: Mapping[str, Found] = {}
        self.waiting = 0
        """How many setups wait for a certificate."""
        self.user = ""
        """The user, when he could become root."""

    def compose_body(self) -> ComposeResult:
        yield Label("What shall be secured?", classes="title")
        yield Options(*(Option(self._line(target), target.key) for target in self.targets), compact=True)
        yield Label("", id="about", markup=False)
        yield Label("", id="waiting", markup=False)
        rights = Label("", id="rights", markup=False)
        rights.display = False
        yield rights
        if may_drop() and not self.found:  # once, when the wizard has just begun
            yield Label(MULTIPLEXER, id="multiplexer", markup=False)

    def show_found(
        self, found: Mapping[str, Found], waiting: int, kept: Mapping[str, str], user: str
    ) -> None:
        """Take in what a look at the host has found, by target key; how many setups wait, what answers there
        are, and who could become root.
        """
        self.found, self.waiting, self.kept, self.user = found, waiting, kept, user
        if self.is_mounted and self.query(OptionList):  # an app that closes has none any more
            self._show_found()

    def on_mount(self) -> None:
        keys = [target.key for target in self.targets]
        if self.first in keys:
            self.query_one(OptionList).highlighted = keys.index(self.first)
        if self.found:  # it came before there was anything to show it in
            self._show_found()

    def on_screen_resume(self) -> None:
        self.post_message(self.Uncovered())

    def _show_found(self) -> None:
        targets, waiting = self.query_one(OptionList), self.waiting
        with self.app.batch_update():
            for target in self.targets:
                targets.replace_option_prompt(target.key, self._line(target))
            self._show_about()
            many = f"{waiting} setups wait for their certificates"
            said = "1 setup waits for its certificate" if waiting == 1 else many
            self.query_one("#waiting", Label).update(f"{said}: W goes on with it." if waiting else "")
            if self.user:
                rights = self.query_one("#rights", Label)
                rights.update(inert(NOT_ROOT.format(user=self.user)))
                rights.display = True
        self.refresh_bindings()

    @on(OptionList.OptionHighlighted)
    def _show_about(self) -> None:
        self.query_one("#about", Label).update(Content("\n").join(self._about(self.highlighted)))

    def _line(self, target: Offered) -> Content:
        found = self.found.get(target.key)
        status = inert(found.status) if found else LOOKING
        width = max(len(target.title) for target in self.targets) + 2
        style = "" if found and found.runs else "$quiet"
        return Content.assemble(f"{target.title:<{width}}", (status, style))

    def _about(self, target: Offered) -> list[Content]:
        from wizard.preview import place  # with what was found, behind the first frame

        found = self.found.get(target.key)
        lines = [Content(target.summary)]
        if target.key in self.kept:
            what = f" for {inert(self.kept[target.key])}" if self.kept[target.key] else ""
            lines.append(Content(f"Your answers from last time{what} are filled in."))
        if found is not None:
            lines += [Content(inert(detail)) for detail in found.details]
            for warning in found.warnings:
                lines.append(marked(f"! {place(warning.path, warning.line)}{warning.text}"))
        return lines

    @property
    def highlighted(self) -> Offered:
        """The target that is chosen."""
        return self.targets[self.query_one(OptionList).highlighted or 0]

    def action_choose(self) -> None:
        self.post_message(self.Chosen(self.highlighted))

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        self.action_choose()

    def action_history(self) -> None:
        self.post_message(self.History())

    def action_certificates(self) -> None:
        self.post_message(self.Certificates())

    def action_waiting(self) -> None:
        self.action_certificates()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is no step before this one, and Escape never quits."""
        needs = {"back": False, "waiting": self.waiting > 0, "as_root": bool(self.user)}
        return needs.get(action, True)
