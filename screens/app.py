"""The app on its terminal: what is the same at every step."""

from __future__ import annotations

import asyncio
import gc
import signal
from contextlib import suppress

from textual import events, on
from textual.binding import Binding
from textual.geometry import Offset
from textual.worker import WorkerFailed

from screens import cursor
from screens.base import WizardScreen
from screens.earlier import Earlier
from screens.journey import Journey
from screens.line import SteadyDriver
from screens.themes import BAREST_STYLES, MORE_COLOURS, PLAIN_STYLES, TERMINAL, THEMES
from wizard import crash
from wizard.errors import WizardError
from wizard.inert import inert
from wizard.reach import held_by_a_shell
from wizard.small_files import write_small
from wizard.world import World

WRITING = "It is being written; that takes a moment."
NO_SHELL = "No shell holds the wizard, so none could bring it back. Ctrl+Q leaves; your answers are kept."


class WizardApp(Earlier):
    """The steps on a terminal: its keys, its colours, and leaving it whole."""

    CSS_PATH = "wizard.tcss"
    ENABLE_COMMAND_PALETTE = False
    TITLE = "tls-wizard"
    BINDINGS = [
        Binding(
            "ctrl+q", "leave", "quit", key_display="Ctrl+Q", tooltip="The answers are kept", priority=True
        ),
        # Two keys: byobu takes F2 and a serial line swallows it, nothing takes Ctrl+Y.
        Binding("f2,ctrl+y", "other_colours", "colours", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "to the shell", show=False, priority=True),
        Binding("ctrl+l", "redraw", "redraw", show=False, priority=True),
    ]
    ALLOW_SELECT = False  # the terminal's own selection, with Shift, sends nothing over the line

    def __init__(self, world: World, journey: Journey | None = None, theme: str = TERMINAL) -> None:
        super().__init__(world, journey or Journey())
        for each in THEMES:
            self.register_theme(each)
        self.may_change = self._has_more_colours and not self.no_color
        """Whether the themes of ours can be shown, and may."""
        if self.may_change:
            self.set_reactive(WizardApp.ansi_color, None)  # as the theme has it
        self.theme = theme if self.may_change else TERMINAL
        self.successor: tuple[str, ...] = ()
        """The command that goes on in place of this one."""

    @property
    def cursor_position(self) -> Offset:
        """Asked for at each frame, when everything is in its place."""
        return cursor.place(self.focused)

    @cursor_position.setter
    def cursor_position(self, told: Offset) -> None:
        """Textual's fields tell theirs too early: before what they stand in has been scrolled."""

    async def on_load(self) -> None:
        """Leave the terminal whole when told to stop or when the line drops."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._told_to_stop, number)

    async def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())
        await self._show(self._first_screen())
        self.call_after_refresh(self._begin)

    def on_resize(self, event: events.Resize) -> None:
        """Cover what would be cut, and uncover it when there is room again."""
        from screens.dialogs import TooSmall

        self._forget_what_is_shown()
        if TooSmall.is_so(event.size):
            if not isinstance(self.screen, TooSmall):
                self.push_screen(TooSmall())
        elif isinstance(self.screen, TooSmall):
            self.pop_screen()

    def _begin(self) -> None:
        """What the first frame need not wait for: garbage (cli.py holds it back), and a look at the host."""
        gc.enable()
        self.look(first=True)

    def _told_to_stop(self, number: int) -> None:
        self._keep_answers()
        self.exit(return_code=128 + number)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What the stylesheet and the widgets name besides Textual's own variables."""
        return PLAIN_STYLES if self._has_more_colours else BAREST_STYLES

    @property
    def _has_more_colours(self) -> bool:
        """Whether the terminal has more than sixteen."""
        return self.console.color_system in MORE_COLOURS

    def action_other_colours(self) -> None:
        """Go on to the next theme, for whoever cannot read what this one shows."""
        if self.may_change:
            names = [each.name for each in THEMES]
            self.theme = names[(names.index(self.theme) + 1) % len(names)]
        else:
            self.notify("Only its own colours can be used in this terminal.", timeout=3)

    # Back, help, leaving --------------------------------------------------------------------------

    @on(WizardScreen.Back)
    async def _back(self) -> None:
        """One step back from where it is not the page's own business; it never quits."""
        from screens.apply import ApplyScreen
        from screens.prove import ProveScreen
        from screens.review import ReviewScreen

        self._stop_planning()
        step, journey = self.step, self.journey
        if journey.undone and isinstance(step, ReviewScreen):
            await self._back_from_undo()
        elif journey.before is not None and isinstance(step, ReviewScreen):
            await self._back_from_taken_up()
        elif isinstance(step, ReviewScreen | ApplyScreen) and not journey.undone and journey.target:
            await self._ask(self._sheet().pages[-1])
        elif isinstance(step, ProveScreen) and journey.target and journey.run and journey.earlier:
            await self._with_answers(journey.target, journey.run.answers)
        elif isinstance(step, ProveScreen) and journey.target and journey.answers and journey.host:
            self._plan(journey.answers, journey.host)
        else:
            await self._choose()

    @on(WizardScreen.Copied)
    def _copied(self, event: WizardScreen.Copied) -> None:
        """By OSC 52, which many a terminal takes for nothing; so it is in a file as well."""
        self.copy_to_clipboard(event.text)
        said = f"Sent to your terminal's clipboard: {event.what}."
        path = self.world.state.copied
        with suppress(WizardError, OSError):
            self.world.state.make()
            write_small(path, event.text.encode(errors="replace"))
            said += f" It is in {path} too."
        self.notify(inert(said), timeout=6, markup=False)

    @on(WizardScreen.AsRoot)
    def _as_root(self) -> None:
        """End, and have sudo start the wizard anew with the answers; secrets are not taken along."""
        from wizard import rights

        host, target = self.journey.host, self.journey.target
        assert host is not None
        self._keep_answers()
        self.keeping.answers(self.journey.given)  # there, also those of a run that was taken up
        if target is not None and self.keeping.failed:
            self.notify("Your answers cannot be kept, so they could not be taken along.", severity="error")
            return
        theme = ("--theme", self.theme) if self.theme != TERMINAL else ()
        command = (*rights.again_as_root(host, target.key if target else None), *theme)
        with self.suspend():
            agreed = rights.asked_sudo(host, command)
        if agreed:
            self.keeping.forget_place()  # root's own wizard keeps it from now on
            self.successor = command
            self.exit(0)
        else:
            self.notify("sudo did not agree, so you go on as before.", severity="warning", timeout=6)

    @on(WizardScreen.Help)
    def _help(self, event: WizardScreen.Help) -> None:
        from screens.dialogs import Help

        self.push_screen(Help(event.title, event.text))

    def action_leave(self) -> None:
        """Quit; never in the middle of writing."""
        if self.writing:
            self.notify(WRITING, timeout=2)
            return
        self._keep_answers()
        self.exit(0)

    def action_help_quit(self) -> None:
        """Ctrl+C, where no text of a field is selected."""
        self.notify("Ctrl+Q leaves; your answers are kept.", timeout=5)

    def action_suspend_process(self) -> None:
        """Ctrl+Z: to the shell, until its `fg`; never in the middle of writing."""
        if self.writing:
            self.notify(WRITING, timeout=2)
        elif not held_by_a_shell():
            self.notify(NO_SHELL, timeout=10)
        else:
            super().action_suspend_process()

    def action_redraw(self) -> None:
        """Paint everything, whatever the terminal may show by now."""
        self._forget_what_is_shown()
        self.screen.refresh()

    def _forget_what_is_shown(self) -> None:
        if isinstance(self._driver, SteadyDriver):  # in tests there may be no terminal
            self._driver.thrift.forget()

    def _fatal_error(self) -> None:
        """Overrides Textual's display of a crash, which prints local variables: they may hold secrets."""
        failed = self._exception
        error = failed.error if isinstance(failed, WorkerFailed) else failed
        if error is not None:
            self.panic(crash.message(type(error), error, error.__traceback__))
