"""The five steps, one after the other. Screens show and ask; here it is decided where that leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from shlex import join
from typing import TYPE_CHECKING

from textual import on

from screens.base import WizardScreen
from screens.choose import ChooseScreen
from screens.journey import Journey
from screens.keeping import Keeping
from screens.line import SteadyDriver
from screens.messages import (
    Applied,
    Begun,
    Checked,
    Looked,
    Made,
    Progressed,
    Proven,
    Restarted,
    Stopped,
    Told,
)
from screens.workers import Workers
from wizard import targets
from wizard.errors import WizardError, WrongAnswer
from wizard.host import Host
from wizard.inert import inert, inert_lines
from wizard.kinds import Raw
from wizard.plan import Plan, Tell
from wizard.questions import Page
from wizard.sheet import Sheet, fill_in
from wizard.targets import Target
from wizard.world import World

if TYPE_CHECKING:
    from screens.ask import AskScreen
    from screens.review import ReviewScreen

PATIENCE = 0.25
"""Seconds that a step may take before it is said that it takes a while."""
WORKING = "Making keys, certificate and preview … Esc stops it; nothing is written."


class Steps(Workers):
    """It owns the state, and the order of the steps."""

    def __init__(self, world: World, journey: Journey) -> None:
        # With this NO_COLOR means that none is sent; otherwise Textual would send greys.
        super().__init__(SteadyDriver, ansi_color=True)
        self.world = world
        self.journey = journey
        self.writing = False
        self.planning = False
        self.proven = False
        """Whether the last proof passed."""
        self.keeping = Keeping(world)
        self.pointed_at = ""
        """Key of the target that was chosen on the first screen last."""
        self.seen: Looked | None = None
        """What the last look has found; the next one says what has changed since."""

    @property
    def step(self) -> WizardScreen | None:
        """The step that is shown, under any dialog; None before the first one."""
        steps = (screen for screen in reversed(self.screen_stack) if isinstance(screen, WizardScreen))
        return next(steps, None)

    async def _show(self, screen: WizardScreen) -> None:
        """Change to another step, in one frame."""
        if isinstance(self.step, ChooseScreen):
            self.pointed_at = self.step.highlighted.key
        with self.batch_update():
            if len(self.screen_stack) == 1:
                await self.push_screen(screen)
            else:
                await self.switch_screen(screen)

    def _tell(self, error: WizardError) -> None:
        """What stands in the way, over whatever is shown."""
        self.notify(inert_lines(str(error)), severity="error", timeout=30, markup=False)

    # Choose ---------------------------------------------------------------------------------------

    def _first_screen(self) -> ChooseScreen:
        screen = ChooseScreen(self.world.who, self.world.targets, self.pointed_at)
        self._show_seen(screen)
        return screen

    def _show_seen(self, screen: ChooseScreen) -> None:
        if self.seen is not None:
            host = self.seen.host
            given = self.journey.given
            answered = {
                target.key: _about(target.load(), given[target.key])
                for target in self.world.targets
                if given.get(target.key)
            }
            screen.show_found(self.seen.found, self.seen.waiting, answered, host.user if host.sudo else "")

    @on(ChooseScreen.Chosen)
    async def _chosen(self, event: ChooseScreen.Chosen) -> None:
        if self.journey.host is None:
            self.notify("Still looking at this host; a moment.", timeout=2)
            return
        self.journey = replace(self.journey, target=event.target.load())
        await self._ask(self._sheet().pages[0])

    async def _choose(self) -> None:
        journey = self.journey
        self.keeping.ended(journey)
        wrong = journey.wrong if journey.before is None else None
        self.journey = Journey(host=journey.host, given=journey.ordinary, wrong=wrong)
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
            await self._ask(page_of(sheet.wrong[0].question.name, sheet))
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
                await self._ask(page_of(question, sheet), begin=question)

        behind = answer_behind(event.change, sheet) if event.change is not None else ""
        self.push_screen(Answers(sheet.asked, behind), chosen)

    async def on_ask_screen_went_elsewhere(self, event: AskScreen.WentElsewhere) -> None:
        self._take(event.screen)
        self.keeping.ended(self.journey)
        target = targets.named(event.elsewhere.target)
        before = self.journey.given.get(target.key, {})
        there = {**before, **event.elsewhere.given(event.screen.given)}
        given = {**self.journey.ordinary, target.key: there}
        self.journey = replace(self.journey, target=target, given=given, before=None)
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

    async def _with_answers(
        self, target: type[Target], given: Mapping[str, Raw], question: str = "", *, taken_up: bool = False
    ) -> None:
        """Go on with these answers: at a question, or at once as far as they are complete.

        Those of an earlier run that is taken up are for this one way.
        """
        from wizard import bookmark

        host = self.journey.host
        assert host is not None
        ordinary = self.journey.ordinary
        self.journey = replace(
            self.journey,
            target=target,
            given={**ordinary, target.key: given},
            before=ordinary.get(target.key, {}) if taken_up else None,
            undone=None,
            earlier=False,
        )
        sheet = self._sheet()
        self.journey = replace(self.journey, wrong=bookmark.not_kept(sheet, question))
        if question and sheet[question].applies:
            await self._ask(page_of(question, sheet))
        elif sheet.answers is None:
            await self._ask(page_of(sheet.wrong[0].question.name, sheet))
        else:
            self.journey = replace(self.journey, answers=sheet.answers)
            self.keeping.review(self.journey)
            self._plan(sheet.answers, host)

    def _keep_answers(self) -> None:
        from screens.ask import AskScreen

        if isinstance(self.step, AskScreen):
            self._take(self.step)
            self._keep_page(self.step)
        self.keeping.answers(self.journey.ordinary)

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
        made = event.made
        if isinstance(made, Plan) and self.journey.undone is None:
            self.journey = replace(self.journey, plan=made)
        if isinstance(made, WrongAnswer) and self._sheet()[made.question].applies:
            self.journey = replace(self.journey, wrong=made)
            await self._ask(page_of(made.question, self._sheet()))
        elif isinstance(self.step, ReviewScreen):
            self.step.show(made)
        else:
            answered = self.journey.undone is None
            await self._show(ReviewScreen(self.world.who, made=made, answered=answered))

    def _stop_planning(self) -> None:
        self.planning = False
        self.workers.cancel_group(self, "plan")

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
        if self.journey.undone:
            confirm = Confirm(f"Take back {count}?\nAll or nothing, to how it was before.", "Take back")
        else:
            question = f"Write {count} to this host?\nAll or nothing, and undo brings every byte back."
            confirm = Confirm(question, "Write")

        async def answered(yes: bool | None) -> None:
            if yes:
                await self._apply(plan)

        self.push_screen(confirm, answered)

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
        """What was asked for one run only is not asked for again by the next, nor on the way back to it."""
        target, host = self.journey.target, self.journey.host
        if target is None or host is None:
            return
        done = self.journey.given.get(target.key, {})
        given = {**self.journey.given, target.key: target.after_run(done)}
        answers = fill_in(target, target.lasting(done), host).answers or self.journey.answers
        self.journey = replace(self.journey, given=given, before=None, answers=answers)

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
        from screens.apply import ApplyScreen
        from screens.dialogs import Confirm
        from screens.prove import ProveScreen
        from wizard import service

        if not isinstance(self.step, ApplyScreen | ProveScreen) or self.step.plan.restart is None:
            return
        command = self.step.plan.restart

        def answered(yes: bool | None) -> None:
            if yes:
                self.restart(command)

        what = service.words(command)  # "Reload nginx now?"
        asked = f"{what[0].upper()}{what[1:]} now?\n{inert(join(command.arguments))}"
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


def _beside(page: Page, sheet: Sheet[Target]) -> tuple[tuple[Page, ...], tuple[Page, ...]]:
    """The pages on which something is asked, before this one and after it."""
    place = sheet.target.pages.index
    before = tuple(other for other in sheet.pages if place(other) < place(page))
    return before, tuple(other for other in sheet.pages if place(other) > place(page))


def _about(target: type[Target], given: Mapping[str, Raw]) -> str:
    """What answers are for, in a word: the first file or folder among them that is not for one run only."""
    answered = target.lasting(given)
    in_order = (answered.get(asked.name) for asked in target.questions())
    return next((raw for raw in in_order if isinstance(raw, str) and raw.startswith("/")), "")


def page_of(question: str, sheet: Sheet[Target]) -> Page:
    """The page on which a question stands."""
    return next(page for page in sheet.target.pages if page.key == sheet[question].question.page)
