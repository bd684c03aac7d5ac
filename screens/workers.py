"""The app's threads: whatever takes longer than a frame. They tell what came of it, and touch no widget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from itertools import takewhile
from typing import TYPE_CHECKING

from textual import work
from textual.app import App
from textual.message import Message
from textual.worker import get_current_worker

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
from wizard.errors import WizardError
from wizard.world import World

if TYPE_CHECKING:
    from wizard.journal import Run
    from wizard.plan import Command, Plan, Tell
    from wizard.targets import Target
    from wizard.transaction import Progress

LATER_STEPS = ("screens.ask", "screens.review", "screens.dialogs", "screens.apply", "screens.prove")
"""Loaded behind the first frame, so that it need not wait for them."""


class Workers(App[int]):
    """They run on the app, not on a screen: what goes with its screen would be cut short."""

    world: World

    @work(thread=True, group="look")
    def look(self, *, first: bool = False) -> None:
        """Look at this host; the first time load the later steps meanwhile, and the answers that are kept."""
        from wizard import answers

        host = self.world.look()
        for name in LATER_STEPS:
            import_module(name)
        found = {target.key: target.load().find(host) for target in self.world.targets}
        kept = answers.kept(self.world.state) if first else {}
        self.post_message(Looked(host, found, len(self._waiting()), kept))
        import_module("tomlkit")  # to keep the answers, from the first page on

    @work(thread=True, group="inventory", exclusive=True)
    def list_certificates(self) -> None:
        """Look at the certificates made here, and at the setups that wait for one."""
        from wizard import again
        from wizard.inventory import inventory

        try:
            rows = inventory(self.world.state, datetime.now(UTC))
        except WizardError as error:
            self.post_message(Recovered(error))
        else:
            self.post_message(Inventoried(rows, tuple(map(again.with_request, self._waiting()))))

    def _waiting(self) -> tuple[Run, ...]:
        from wizard import again

        try:
            return again.waiting(self.world.state)
        except WizardError:  # whoever writes, or asks for the history, hears of it
            return ()

    @work(thread=True, group="plan", exclusive=True)
    def make(self, make: Callable[[Tell], Plan]) -> None:
        """Make a plan, or find the reason why there is none."""
        worker = get_current_worker()

        def tell(text: str) -> None:
            if worker.is_cancelled:
                raise WizardError("Stopped; nothing was written.")
            self.post_message(Told(text))

        try:
            made: Plan | WizardError = make(tell)
        except WizardError as error:
            made = error
        if not worker.is_cancelled:
            self.post_message(Made(made))

    @work(thread=True, group="apply")
    def write(self, plan: Plan, undone: Run | None) -> None:
        """Write the plan, or take a run back. Nothing goes to the terminal meanwhile: the line may drop."""
        from wizard import transaction

        def progressed(progress: Progress) -> None:
            self.post_message(Progressed(progress))

        try:
            if undone is None:
                # What is written the weaker way stood among the warnings, and the answer was yes.
                run = transaction.apply(plan, self.world.state, progressed, in_place=True)
            else:
                run = transaction.undo(undone, self.world.state, progressed)
        except WizardError as error:
            self.post_message(Stopped(str(error)))
        else:
            self.post_message(Applied(run))

    @work(thread=True, group="prove", exclusive=True)
    def check(self, answers: Target) -> None:
        """Make the checks, one after the other, until told to stop."""
        from wizard import proof

        worker = get_current_worker()

        def tell(message: Message) -> None:
            if not worker.is_cancelled:
                self.post_message(message)

        # Looked at anew: the service may have been restarted since.
        checks = answers.proof(self.world.look())
        tell(Begun(checks))
        wanted = takewhile(lambda _: not worker.is_cancelled, checks)
        tell(Proven(proof.prove(wanted, lambda result: tell(Checked(result)))))

    @work(thread=True, group="restart", exclusive=True)
    def restart(self, command: Command) -> None:
        """Restart the service."""
        from wizard import service

        try:
            service.restart(command)
        except WizardError as error:
            self.post_message(Restarted(str(error)))
        else:
            self.post_message(Restarted(f"Done: {service.words(command)}.", done=True))

    @work(thread=True, group="recover", exclusive=True)
    def recover(self) -> None:
        """Roll an interrupted run back."""
        from wizard import history, transaction

        try:
            said: str | WizardError = history.recovered(transaction.recover(self.world.state))
        except WizardError as error:
            said = error
        self.post_message(Recovered(said))
