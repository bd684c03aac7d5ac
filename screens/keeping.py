"""Keeps the answers and the place where somebody is, so that a line that drops loses neither."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from wizard.errors import WizardError

if TYPE_CHECKING:
    from screens.journey import Journey
    from wizard.bookmark import Bookmark, Step
    from wizard.journal import Run
    from wizard.kinds import Raw
    from wizard.world import World


class Keeping:
    """What can be kept is kept; what cannot keeps nobody from going on, nor from leaving."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kept = False
        """Whether there were answers to keep when the wizard ended, and all of them are kept."""
        self._offered = False
        self._later: Bookmark | None = None
        """Where another start has ended; kept while nobody has said what becomes of it."""
        self.failed = False
        """Whether the last place, or the answers at the end, could not be kept."""

    def page(self, journey: Journey, question: str) -> None:
        """A page is entered, whose first question this is."""
        from wizard.bookmark import Step

        self._place(journey, Step.ASK, question)

    def review(self, journey: Journey) -> None:
        """The answers are complete, and their plan is made."""
        from wizard.bookmark import Step

        self._place(journey, Step.REVIEW)

    def writing(self, journey: Journey) -> None:
        """A plan is written from now on."""
        from wizard.bookmark import Step

        self._place(journey, Step.APPLY)

    def written(self, journey: Journey, run: Run) -> None:
        """It is written; what waits for its certificate is at its end for now."""
        from wizard.bookmark import Step

        self._place(journey, Step.PROVE, run=run)
        if run.awaits:
            self.forget_place()

    def _place(self, journey: Journey, step: Step, question: str = "", run: Run | None = None) -> None:
        from wizard import bookmark

        if (target := journey.target) is None:
            return
        given = journey.given.get(target.key, {})
        self.failed = True
        place = bookmark.Bookmark(target, step, given, question, run, taken_up=journey.before is not None)
        with suppress(WizardError, OSError):
            self.world.keep(target, journey.ordinary.get(target.key, {}))
            bookmark.keep(self.world.state, place)
            self.failed = False

    def ended(self, journey: Journey) -> None:
        """Another way begins: keep what was answered on this one, and forget how far it went."""
        if (target := journey.target) is not None:
            with suppress(WizardError, OSError):
                self.world.keep(target, journey.ordinary.get(target.key, {}))
            self.forget_place()

    def forget_place(self) -> None:
        """Nothing is left to go on with, but what was put off."""
        from wizard import bookmark

        with suppress(WizardError, OSError):
            if self._later is not None:
                bookmark.keep(self.world.state, self._later)
            else:
                bookmark.forget(self.world.state)

    @property
    def has_place(self) -> bool:
        """Whether the next start finds the place where this one ends."""
        from wizard import bookmark

        return not self.failed and bookmark.found(self.world.state, self.world.targets) is not None

    def left_at(self) -> Bookmark | None:
        """Where the last start ended, the first time that this is asked; it stays until it is `answered`."""
        from wizard import bookmark

        if self._offered:
            return None
        self._later = bookmark.found(self.world.state, self.world.targets)
        self._offered = self._later is not None  # one behind a run that is rolled back first comes later
        return self._later

    def answered(self) -> None:
        """It is gone on with, or not wanted any more."""
        self._later = None

    def answers(self, given: Mapping[str, Mapping[str, Raw]]) -> None:
        """The wizard ends: keep the answers to every target."""
        mine = [target for target in self.world.targets if target.key in given]
        try:
            for target in mine:
                self.world.keep(target.load(), given[target.key])
        except (WizardError, OSError):
            self.kept, self.failed = False, True
        else:
            self.kept = any(given[target.key] for target in mine)
