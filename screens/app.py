"""The app: it owns the state and the order of the steps. Screens show and ask; here it is decided."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import events, on
from textual.binding import Binding
from textual.geometry import Offset
from textual.worker import WorkerFailed

from screens import cursor
from screens.base import WizardScreen
from screens.choose import ChooseScreen
from screens.journey import Journey
from screens.keeping import Keeping
from screens.line import SteadyDriver
from screens.messages import (
    Applied,
    Begun,
    Checked,
    Inventoried,
    Looked,
    Made,
    Progressed,
    Proven,
    Recovered,
    Restarted,
    Stopped,
    Told,
)
from screens.themes import BAREST_STYLES, MORE_COLOURS, PLAIN_STYLES, TERMINAL, THEMES
from screens.workers import Workers
from wizard import crash, targets
from wizard.errors import WizardError, WrongAnswer
from wizard.host import Host
from wizard.inert import inert, inert_lines
from wizard.kinds import Raw
from wizard.plan import Plan, Tell
from wizard.questions import Page
from wizard.reach import held_by_a_shell
from wizard.sheet import Sheet, fill_in
from wizard.targets import Target
from wizard.world import World

if TYPE_CHECKING:
    from screens.apply import ApplyScreen
    from screens.ask import AskScreen
    from screens.certificates import CertificatesScreen
    from screens.history import HistoryScreen
    from screens.review import ReviewScreen
    from wizard.bookmark import Bookmark
    from wizard.journal import Run

PATIENCE = 0.25
"""Seconds that a step may take before it is said that it takes a while."""
WRITING = "It is being written; that takes a moment."
NO_SHELL = "No shell holds the wizard, so none could bring it back. Ctrl+Q leaves; your answers are kept."
WORKING = "Making keys, certificate and preview … Esc stops it; nothing is written."
UNDO_WORKING = "Looking at what the run has changed, and at what has been changed since …"


class WizardApp(Workers):
    """Five steps, one after the other, and the way back."""

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
        # With this NO_COLOR means that none is sent; otherwise Textual would send greys.
        super().__init__(SteadyDriver, ansi_color=True)
        for each in THEMES:
            self.register_theme(each)
        self.may_change = self._has_more_colours and not self.no_color
        """Whether the themes of ours can be shown, and may."""
        if self.may_change:
            self.set_reactive(WizardApp.ansi_color, None)  # as the theme has it
        self.theme = theme if self.may_change else TERMINAL
        self.world = world
        self.journey = journey or Journey()
        self.writing = False
        self.planning = False
        self.proven = False
        """Whether the last proof passed."""
        self.keeping = Keeping(world)
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

    def _first_screen(self) -> ChooseScreen:
        return ChooseScreen(self.world.who, self.world.targets)

    @property
    def _answered(self) -> frozenset[str]:
        """The keys of the targets with answers."""
        return frozenset(key for key, given in self.journey.given.items() if given)

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

    @property
    def step(self) -> WizardScreen | None:
        """The step that is shown, under any dialog; None before the first one."""
        steps = (screen for screen in reversed(self.screen_stack) if isinstance(screen, WizardScreen))
        return next(steps, None)

    async def _show(self, screen: WizardScreen) -> None:
        """Change to another step, in one frame."""
        with self.batch_update():
            if len(self.screen_stack) == 1:
                await self.push_screen(screen)
            else:
                await self.switch_screen(screen)

    # Choose ---------------------------------------------------------------------------------------

    @on(Looked)
    async def _looked(self, event: Looked) -> None:
        self.journey = replace(self.journey, host=event.host, given={**event.kept, **self.journey.given})
        if isinstance(self.step, ChooseScreen):
            user = event.host.user if event.host.sudo else ""
            self.step.show_found(event.found, event.waiting, self._answered, user)
        if self.journey.target is not None and isinstance(self.step, ChooseScreen):
            await self._ask(self._sheet().pages[0])
        self._offer_recovery()
        self._offer_place()

    @on(ChooseScreen.Chosen)
    async def _chosen(self, event: ChooseScreen.Chosen) -> None:
        if self.journey.host is None:
            self.notify("Still looking at this host; a moment.", timeout=2)
            return
        self.journey = replace(self.journey, target=event.target.load())
        await self._ask(self._sheet().pages[0])

    async def _choose(self) -> None:
        self.keeping.ended(self.journey)
        self.journey = Journey(host=self.journey.host, given=self.journey.given, wrong=self.journey.wrong)
        await self._show(self._first_screen())
        self.look()

    # Ask ------------------------------------------------------------------------------------------

    def _sheet(self) -> Sheet[Target]:
        """The target's questions with the answers so far."""
        target, host = self.journey.target, self.journey.host
        assert target is not None and host is not None
        return fill_in(target, self.journey.given.get(target.key, {}), host)

    async def _ask(self, page: Page, begin: str = "") -> None:
        from screens.ask import AskScreen

        target, host = self.journey.target, self.journey.host
        assert target is not None and host is not None
        given = self.journey.given.get(target.key, {})
        read: Callable[[Mapping[str, Raw]], Sheet[Target]] = partial(fill_in, target, host=host)
        known = (host.name, host.fqdn)
        wrong = self.journey.wrong
        screen = AskScreen(self.world.who, page, given, read, wrong=wrong, begin=begin, known=known)
        self._keep_page(screen)
        await self._show(screen)

    def _keep_page(self, screen: AskScreen) -> None:
        asked = screen.sheet.page(screen.page)
        self.keeping.page(self.journey, asked[0].question.name if asked else "")

    async def on_ask_screen_answered(self, event: AskScreen.Answered) -> None:
        self._take(event.screen)
        sheet, host = self._sheet(), self.journey.host
        assert host is not None
        following = _beside(event.screen.page, sheet)[1]
        if following and not (event.screen.begin and sheet.answers):
            await self._ask(following[0])
        elif sheet.answers is None:
            # An answer on an earlier page has become wrong, for instance since a file has gone.
            await self._ask(_page_of(sheet.wrong[0].question.name, sheet))
        else:
            self.journey = replace(self.journey, answers=sheet.answers, undone=None)
            self.keeping.review(self.journey)
            self._plan(sheet.answers, host)

    def on_review_screen_edit(self, event: ReviewScreen.Edit) -> None:
        from screens.dialogs import Answers
        from wizard.review import answer_behind

        self._stop_planning()
        sheet = self._sheet()

        async def chosen(question: str | None) -> None:
            if question is not None:
                await self._ask(_page_of(question, sheet), begin=question)

        behind = answer_behind(event.change, sheet) if event.change is not None else ""
        self.push_screen(Answers(sheet.asked, behind), chosen)

    async def on_ask_screen_went_elsewhere(self, event: AskScreen.WentElsewhere) -> None:
        self._take(event.screen)
        self.keeping.ended(self.journey)
        target = targets.named(event.elsewhere.target)
        before = self.journey.given.get(target.key, {})
        there = {**before, **event.elsewhere.given(event.screen.given)}
        given = {**self.journey.given, target.key: there}
        self.journey = replace(self.journey, target=target, given=given)
        await self._ask(self._sheet().pages[0])

    async def on_ask_screen_kept(self, event: AskScreen.Kept) -> None:
        self._stop_planning()
        self._take(event.screen)
        if before := _beside(event.screen.page, self._sheet())[0]:
            await self._ask(before[-1])
        else:
            await self._choose()

    def _take(self, screen: AskScreen) -> None:
        """Keep what was answered on a page."""
        screen.catch_up()
        given = {**self.journey.given, screen.sheet.target.key: dict(screen.given)}
        self.journey = replace(self.journey, given=given, wrong=screen.wrong)

    # Review ---------------------------------------------------------------------------------------

    def _plan(self, answers: Target, host: Host) -> None:
        from wizard import review

        self._review(partial(review.prepared, answers, host), WORKING)

    def _review(self, make: Callable[[Tell], Plan], working: str) -> None:
        """Show the plan as soon as it is made; when that takes long, first that it is being made."""
        self.planning = True
        self.make(make)
        self.set_timer(PATIENCE, partial(self._ask_for_patience, working))

    async def _ask_for_patience(self, working: str) -> None:
        from screens.review import ReviewScreen

        if self.planning and not isinstance(self.step, ReviewScreen):
            await self._show(ReviewScreen(self.world.who, working, answered=self.journey.undone is None))

    @on(Told)
    def _told(self, event: Told) -> None:
        from screens.review import ReviewScreen

        if self.planning and isinstance(self.step, ReviewScreen):
            self.step.show_working(f"{WORKING}\n{event.text}")

    @on(Made)
    async def _made(self, event: Made) -> None:
        from screens.review import ReviewScreen

        if not self.planning:
            return
        self.planning = False
        made = self._planned(event.made)
        if isinstance(made, WrongAnswer) and self._sheet()[made.question].applies:
            self.journey = replace(self.journey, wrong=made)
            await self._ask(_page_of(made.question, self._sheet()))
        elif isinstance(self.step, ReviewScreen):
            self.step.show(made)
        else:
            answered = self.journey.undone is None
            await self._show(ReviewScreen(self.world.who, made=made, answered=answered))

    def _stop_planning(self) -> None:
        self.planning = False
        self.workers.cancel_group(self, "plan")

    def _planned(self, made: Plan | WizardError) -> Plan | WizardError:
        """Keep the plan; one that takes a run back also restarts what that run was for."""
        earlier = self.journey.plan
        if isinstance(made, WizardError):
            return made
        if self.journey.undone is None:
            self.journey = replace(self.journey, plan=made)
        elif earlier is not None and earlier.target == made.target:
            return replace(made, restart=earlier.restart)  # the service has to hear of an undo too
        return made

    @on(Stopped)
    def _stopped(self, event: Stopped) -> None:
        from screens.apply import ApplyScreen

        self.writing = False
        if isinstance(self.step, ApplyScreen):
            self.step.show_failed(event.text)

    async def on_review_screen_accepted(self, event: ReviewScreen.Accepted) -> None:
        from screens.dialogs import Confirm
        from wizard.preview import how_many

        plan = event.plan
        if not plan.changed:
            await self._after(plan)
            return
        count = how_many(plan)
        what = f"Take back {count}?" if self.journey.undone else f"Write {count} to this host?"

        async def answered(yes: bool | None) -> None:
            if yes:
                await self._apply(plan)

        self.push_screen(
            Confirm(f"{what}\nAll or nothing, and undo brings every byte back.", "Write"), answered
        )

    # Apply ----------------------------------------------------------------------------------------

    async def _apply(self, plan: Plan) -> None:
        from screens.apply import ApplyScreen

        self.writing = True
        if self.journey.undone is None:
            self.keeping.writing(self.journey)
        await self._show(ApplyScreen(self.world.who, plan))
        self.write(plan, self.journey.undone)

    @on(Progressed)
    def _progressed(self, event: Progressed) -> None:
        from screens.apply import ApplyScreen

        if isinstance(self.step, ApplyScreen):
            self.step.show_progress(event.progress)

    @on(Applied)
    def _applied(self, event: Applied) -> None:
        from screens.apply import ApplyScreen

        self.writing = False
        if self.journey.undone is None:
            self.journey = replace(self.journey, run=event.run)
            self._forget_what_is_done()
            self.keeping.written(self.journey, event.run)
        if isinstance(self.step, ApplyScreen):
            self.step.show_done(event.run)

    def _forget_what_is_done(self) -> None:
        """What was asked for one run only is not asked for again by the next."""
        if (target := self.journey.target) is not None:
            left = target.after_run(self.journey.given.get(target.key, {}))
            given = {**self.journey.given, target.key: left}
            self.journey = replace(self.journey, given=given)

    # Prove ----------------------------------------------------------------------------------------

    async def on_apply_screen_next(self) -> None:
        await self._after(self.journey.plan)

    async def _after(self, plan: Plan | None) -> None:
        """A plan that is written is proven; but not one that took a run back, or waits for a certificate."""
        if self.journey.undone or plan is None or plan.awaits:
            await self._choose()
        else:
            await self._prove()

    async def _prove(self) -> None:
        from screens.prove import ProveScreen

        journey = self.journey
        assert journey.answers is not None and journey.plan is not None
        await self._show(
            ProveScreen(self.world.who, journey.plan.title, journey.plan, journey.run is not None)
        )
        self.check(journey.answers)

    def on_prove_screen_again(self) -> None:
        if self.journey.answers is not None:
            self.check(self.journey.answers)

    @on(Begun)
    def _begun(self, event: Begun) -> None:
        from screens.prove import ProveScreen

        if isinstance(self.step, ProveScreen):
            self.step.begin(event.checks)

    @on(Checked)
    def _checked(self, event: Checked) -> None:
        from screens.prove import ProveScreen

        if isinstance(self.step, ProveScreen):
            self.step.show_result(event.result)

    @on(Proven)
    def _proven(self, event: Proven) -> None:
        from screens.prove import ProveScreen

        self.proven = event.proof.passed
        if self.proven:
            self.keeping.forget_place()
        if isinstance(self.step, ProveScreen):
            self.step.show_proof(event.proof)

    def on_prove_screen_stop(self) -> None:
        from screens.prove import ProveScreen

        self.workers.cancel_group(self, "prove")
        if isinstance(self.step, ProveScreen):
            self.step.show_stopped()

    async def on_prove_screen_done(self) -> None:
        await self._choose()

    # Restart --------------------------------------------------------------------------------------

    def on_apply_screen_restart(self) -> None:
        self._offer_restart()

    def on_prove_screen_restart(self) -> None:
        self._offer_restart()

    def _offer_restart(self) -> None:
        from screens.dialogs import Confirm

        plan = self.journey.plan
        if plan is None or plan.restart is None:
            return
        command = plan.restart

        def answered(yes: bool | None) -> None:
            if yes:
                self.restart(command)

        # "Reload nginx now?", where the target has words for it.
        what = command.about or "restart the service"
        asked = f"{what[0].upper()}{what[1:]} now?\n{' '.join(command.arguments)}"
        self.push_screen(Confirm(asked, what.split()[0].capitalize()), answered)

    @on(Restarted)
    async def _restarted(self, event: Restarted) -> None:
        from screens.apply import ApplyScreen
        from screens.prove import ProveScreen

        if isinstance(self.step, ApplyScreen) and event.done and not self.journey.undone:
            await self._prove()
        elif isinstance(self.step, ApplyScreen):
            self.step.say(event.text)
        elif isinstance(self.step, ProveScreen):
            self.step.say(event.text)
            self.on_prove_screen_again()

    # Earlier runs ---------------------------------------------------------------------------------

    @on(ChooseScreen.History)
    async def _history(self) -> None:
        from screens.history import HistoryScreen
        from wizard import journal

        try:
            runs = journal.history(self.world.state)
        except WizardError as error:
            self._tell(error)
        else:
            await self._show(HistoryScreen(self.world.who, runs))

    # Certificates ---------------------------------------------------------------------------------

    @on(ChooseScreen.Certificates)
    def _certificates(self) -> None:
        self.list_certificates()

    @on(Inventoried)
    async def _inventoried(self, event: Inventoried) -> None:
        from screens.certificates import CertificatesScreen

        if isinstance(self.step, ChooseScreen):
            await self._show(CertificatesScreen(self.world.who, event.rows, event.waiting))

    async def on_certificates_screen_resume(self, event: CertificatesScreen.Resume) -> None:
        from wizard import again

        await self._take_up(partial(again.resumed, event.run, ()), "delivered")

    async def on_certificates_screen_reissue(self, event: CertificatesScreen.Reissue) -> None:
        from wizard import again

        await self._take_up(partial(again.reissued, self.world.state, event.path, new_key=event.new_key))

    async def _take_up(
        self, find: Callable[[], tuple[type[Target], dict[str, Raw]]], question: str = ""
    ) -> None:
        """Go on with the answers of an earlier run, at a question where one is named."""
        if self.journey.host is None:
            self.notify("Still looking at this host; a moment.", timeout=2)
            return
        try:
            target, given = find()
        except WizardError as error:
            self._tell(error)
        else:
            await self._with_answers(target, given, question)

    async def _with_answers(self, target: type[Target], given: Mapping[str, Raw], question: str = "") -> None:
        """Go on with these answers: at a question, or at once as far as they are complete."""
        from wizard import bookmark

        host = self.journey.host
        assert host is not None
        answered = {**self.journey.given, target.key: given}
        self.journey = replace(self.journey, target=target, given=answered, undone=None, earlier=False)
        sheet = self._sheet()
        self.journey = replace(self.journey, wrong=bookmark.not_kept(sheet, question))
        if question and sheet[question].applies:
            await self._ask(_page_of(question, sheet))
        elif sheet.answers is None:
            await self._ask(_page_of(sheet.wrong[0].question.name, sheet))
        else:
            self.journey = replace(self.journey, answers=sheet.answers)
            self.keeping.review(self.journey)
            self._plan(sheet.answers, host)

    async def on_history_screen_undo(self, event: HistoryScreen.Undo) -> None:
        await self._preview_undo(event.run)

    async def on_apply_screen_undo(self, event: ApplyScreen.Undo) -> None:
        await self._preview_undo(event.run)

    async def on_prove_screen_undo(self) -> None:
        if self.journey.run is not None:
            await self._preview_undo(self.journey.run)

    async def _preview_undo(self, run: Run) -> None:
        from wizard import transaction

        self.journey = replace(self.journey, undone=run)
        self._review(lambda _: transaction.undo_plan(run, self.world.state), UNDO_WORKING)

    def _offer_recovery(self) -> None:
        """An interrupted run is the first thing to hear of; rolling it back is the first answer."""
        from screens.dialogs import Confirm
        from wizard import transaction

        try:
            run = transaction.interrupted(self.world.state)
        except WizardError as error:
            self._tell(error)
            return
        if run is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.recover()

        text = f"An earlier run was interrupted: {run.title}.\nFinish rolling it back, to how it was before?"
        self.push_screen(Confirm(text, "Roll back", "Later"), answered)

    def _offer_place(self) -> None:
        """The next thing to hear of is a way that was not gone to its end."""
        from screens.dialogs import Continue
        from wizard import bookmark

        host = self.journey.host
        if host is None or not isinstance(self.screen, ChooseScreen):  # something else has begun, or is asked
            return
        if place := self.keeping.left_at():
            asked = f"Continue where you were?\n{bookmark.words(place, host)}"
            self.push_screen(Continue(asked, "Continue", "Begin anew"), partial(self._go_on, place, host))

    async def _go_on(self, place: Bookmark, host: Host, yes: bool | None) -> None:
        from wizard import bookmark

        if yes is False:
            self.keeping.forget_place()
        if not yes:
            return
        if proving := bookmark.to_prove(place, host):
            answers, plan = proving
            self.journey = replace(
                self.journey, target=place.target, answers=answers, plan=plan, run=place.run, earlier=True
            )
            await self._prove()
        else:
            await self._with_answers(place.target, place.given, place.question)

    @on(Recovered)
    def _recovered(self, event: Recovered) -> None:
        if isinstance(event.said, WizardError):
            self._tell(event.said)
        else:
            self.notify(inert_lines(event.said), timeout=10, markup=False)
            self._offer_place()

    def _tell(self, error: WizardError) -> None:
        """What stands in the way, over whatever is shown."""
        self.notify(inert_lines(str(error)), severity="error", timeout=30, markup=False)

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
        elif isinstance(step, ReviewScreen | ApplyScreen) and not journey.undone and journey.target:
            await self._ask(self._sheet().pages[-1])
        elif isinstance(step, ProveScreen) and journey.target and journey.run and journey.earlier:
            await self._with_answers(journey.target, journey.run.answers)
        elif isinstance(step, ProveScreen) and journey.target and journey.answers and journey.host:
            self._plan(journey.answers, journey.host)
        else:
            await self._choose()

    async def _back_from_undo(self) -> None:
        """To where the undo was asked for."""
        self.journey = replace(self.journey, undone=None)
        if self.journey.target is None:
            await self._history()
        else:
            await self._prove()

    @on(WizardScreen.Copied)
    def _copied(self, event: WizardScreen.Copied) -> None:
        """By OSC 52, which many a terminal takes for nothing; so it is in a file as well."""
        self.copy_to_clipboard(event.text)
        said = f"Sent to your terminal's clipboard: {event.what}."
        path = self.world.state.copied
        with suppress(WizardError, OSError):
            self.world.state.make()
            path.write_text(event.text, encoding="utf-8", errors="replace")
            path.chmod(0o600)
            said += f" It is in {path} too."
        self.notify(inert(said), timeout=6, markup=False)

    @on(WizardScreen.AsRoot)
    def _as_root(self) -> None:
        """End, and have sudo start the wizard anew with the answers; secrets are not taken along."""
        from wizard import rights

        host, target = self.journey.host, self.journey.target
        assert host is not None
        self._keep_answers()
        with self.suspend():
            agreed = rights.asked_sudo(host)
        if agreed:
            self.keeping.forget_place()  # root's own wizard keeps it from now on
            self.successor = rights.again_as_root(host, target.key if target else None)
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

    def _keep_answers(self) -> None:
        from screens.ask import AskScreen

        if isinstance(self.step, AskScreen):
            self._take(self.step)
            self._keep_page(self.step)
        self.keeping.answers(self.journey.given)

    def _fatal_error(self) -> None:
        """Overrides Textual's display of a crash, which prints local variables: they may hold secrets."""
        failed = self._exception
        error = failed.error if isinstance(failed, WorkerFailed) else failed
        if error is not None:
            self.panic(crash.message(type(error), error, error.__traceback__))


def _beside(page: Page, sheet: Sheet[Target]) -> tuple[tuple[Page, ...], tuple[Page, ...]]:
    """The pages on which something is asked, before this one and after it."""
    place = sheet.target.pages.index
    before = tuple(other for other in sheet.pages if place(other) < place(page))
    return before, tuple(other for other in sheet.pages if place(other) > place(page))


def _page_of(question: str, sheet: Sheet[Target]) -> Page:
    """The page on which a question stands."""
    return next(page for page in sheet.target.pages if page.key == sheet[question].question.page)
