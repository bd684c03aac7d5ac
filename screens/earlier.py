"""What was there before this start, and can be gone on with or taken back: runs, certificates, a place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from screens.choose import ChooseScreen
from screens.messages import Inventoried, Looked, Recovered
from screens.steps import Steps
from wizard.errors import WizardError
from wizard.host import Host
from wizard.inert import inert_lines
from wizard.kinds import Raw
from wizard.targets import Target

if TYPE_CHECKING:
    from screens.apply import ApplyScreen
    from screens.certificates import CertificatesScreen
    from screens.history import HistoryScreen
    from wizard.bookmark import Bookmark
    from wizard.journal import Run

UNDO_WORKING = "Looking at what the run has changed, and at what has been changed since …"


class Earlier(Steps):
    """An interrupted run is heard of first, then a way that was not gone to its end."""

    @on(Looked)
    async def _looked(self, event: Looked) -> None:
        self.journey = replace(self.journey, host=event.host, given={**event.kept, **self.journey.given})
        self.seen = event
        if isinstance(self.step, ChooseScreen):
            self._show_seen(self.step)
        if self.journey.target is not None and isinstance(self.step, ChooseScreen):
            await self._ask(self._sheet().pages[0])
        self._offer_recovery()
        self._offer_place()

    @on(ChooseScreen.Uncovered)
    def _uncovered(self) -> None:
        self._offer_place()

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
            self.push_screen(Continue(asked, "Continue", "First step"), partial(self._go_on, place, host))

    async def _go_on(self, place: Bookmark, host: Host, yes: bool | None) -> None:
        from wizard import bookmark

        if yes is None:
            return
        self.keeping.answered()
        if not yes:
            self.keeping.forget_place()
            return
        if proving := bookmark.to_prove(place, host):
            answers, plan = proving
            self.journey = replace(
                self.journey, target=place.target, answers=answers, plan=plan, run=place.run, earlier=True
            )
            await self._prove()
        else:
            await self._with_answers(place.target, place.given, place.question, taken_up=place.taken_up)

    @on(Recovered)
    def _recovered(self, event: Recovered) -> None:
        if isinstance(event.said, WizardError):
            self._tell(event.said)
        else:
            self.notify(inert_lines(event.said), timeout=10, markup=False)
            self._offer_place()

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

    async def on_history_screen_undo(self, event: HistoryScreen.Undo) -> None:
        await self._preview_undo(event.run)

    async def on_apply_screen_undo(self, event: ApplyScreen.Undo) -> None:
        await self._preview_undo(event.run)

    async def on_prove_screen_undo(self) -> None:
        if self.journey.run is not None:
            await self._preview_undo(self.journey.run)

    async def _preview_undo(self, run: Run) -> None:
        from wizard import again

        host = self.journey.host
        assert host is not None
        self.journey = replace(self.journey, undone=run)
        self._review(lambda _: again.undone(run, self.world.state, host), UNDO_WORKING)

    async def _back_from_undo(self) -> None:
        """To where the undo was asked for."""
        self.journey = replace(self.journey, undone=None)
        if self.journey.target is None:
            await self._history()
        else:
            await self._prove()

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
            await self._with_answers(target, given, question, taken_up=True)

    async def _back_from_taken_up(self) -> None:
        """To the list from which it was taken up, which is made anew."""
        await self._choose()
        self.list_certificates()
