"""The whole way on ordinary prompts, line by line: for screen readers, dumb terminals, slow lines.

It asks the same questions as the screens, from the same declarations and with the same checks.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from wizard import bookmark, terminal
from wizard.bookmark import Bookmark, Step
from wizard.errors import WizardError, WrongAnswer
from wizard.inert import inert, inert_line
from wizard.kinds import PEM_BEGINS, Choice, Delivered
from wizard.prompts import Left, ask, pasted, say

if TYPE_CHECKING:
    from wizard.host import Host
    from wizard.journal import Run
    from wizard.kinds import Raw
    from wizard.plan import Plan
    from wizard.questions import Page
    from wizard.sheet import Entry, Sheet
    from wizard.targets import Target
    from wizard.world import World

DONE, FAILED, PROOF_FAILED = 0, 1, 6

KEYS = (
    "Enter takes what stands in brackets, - leaves empty what may be; < goes back, ? explains, Ctrl+D leaves"
)
WHICH = (
    "It says what shall be secured: one of the list above, by its number or by a name such as nginx. The "
    "questions about it come then, and everything is shown before it is written."
)
FIRST = "This is the first step; Ctrl+D leaves."
BACK, EXPLAIN, EMPTY = "<", "?", "-"
_ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
"""What is sent to a program to end it: when the line drops, by Ctrl+C and Ctrl+\\, by the system."""


class Back(Exception):
    """One step back."""


class Unchanged(Exception):
    """Back to the review: the answer that was named there stays."""


def start(*, demo: bool, answers_file: Path | None) -> int:
    """Go the way on this host, or in a sandbox; returns the exit code. Raises WizardError or OSError."""
    from wizard import answers, world

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, _told_to_stop)
    with world.opened(demo=demo) as around:
        given, target = world.given(answers_file)
        conversation = Conversation(around, {**answers.kept(around.state), **given}, demo=demo)
        try:
            return conversation.held(target)
        except Left:
            kept = "Your answers are kept." if conversation.keep() else "Your answers could not be kept."
            say("\nNothing more is done." if demo else f"\nNothing more is done. {kept}")
            return DONE
        finally:
            conversation.keep()


def _told_to_stop(number: int, _frame: object) -> None:
    """End as at any other error: the answers are kept, and nothing of a sandbox is left."""
    sys.exit(128 + number)


@contextmanager
def _to_the_end() -> Iterator[None]:
    """Let nothing stop the program in the middle of what it does, such as writing, which takes a moment.

    Who was told to stop meanwhile stops behind it.
    """
    heard: list[int] = []
    # Heard: what is ignored would be ignored by a service that is started here, too.
    before = {number: signal.signal(number, lambda told, _: heard.append(told)) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for told in heard:
        if told in (signal.SIGHUP, signal.SIGTERM):
            _told_to_stop(told, None)


@dataclass
class Conversation:
    """What has been answered so far; each step asks until it can go on, or goes back."""

    world: World
    given: dict[str, dict[str, Raw]]
    target: type[Target] | None = None
    host: Host | None = None
    demo: bool = False
    """Whether this is a sandbox, of which nothing is left in the end."""
    _asked: list[str] = field(default_factory=list)
    """The questions that have been asked, in order, to go back to."""
    _named: str = ""
    """The one that is asked again since it was named at the review."""

    def held(self, target: type[Target] | None) -> int:
        """Go all the steps; returns the exit code."""
        self.host = self.world.look()
        self._offer_recovery()
        say(f"{KEYS}." if self.demo else f"{KEYS}, and the answers are kept.")
        place = None if target else self._offered_place()
        before = dict(self.given)
        while True:
            try:
                if place is not None:
                    return self._gone_on(place)
                self.target = target or self._chosen()
                self._asked.clear()
                return self._secured()
            except Back:
                if place is not None and place.taken_up:  # it was for that one way
                    self.given[place.target.key] = before.get(place.target.key, {})
                target = place = None
                self._forget_place()

    def keep(self) -> bool:
        """Keep the answers for the next start; returns whether that worked."""
        try:
            for target in self.world.targets:
                if target.key in self.given:
                    self.world.keep(target.load(), self.given[target.key])
        except (WizardError, OSError):  # that must not keep anybody from leaving
            return False
        return True

    # The place to go on from --------------------------------------------------------------------------

    def _keep_place(self, step: Step, question: str = "", run: Run | None = None) -> None:
        """Keep where this is, with the answers so far, for the next start: the line may drop."""
        assert self.target is not None
        with suppress(WizardError, OSError):  # that must not stop anything
            self.world.keep(self.target, self._answers)
            bookmark.keep(self.world.state, Bookmark(self.target, step, self._answers, question, run))

    def _forget_place(self) -> None:
        with suppress(OSError):
            bookmark.forget(self.world.state)

    def _offered_place(self) -> Bookmark | None:
        """Where the last way ended, when somebody wants to go on there."""
        place = bookmark.found(self.world.state, self.world.targets)
        if place is None:
            return None
        while True:
            where = bookmark.words(place, self._host)
            typed = ask(f"Continue where you were? {where} yes or no", "yes").lower()
            if typed in ("", "yes", "y"):
                return place
            if typed in ("no", "n"):
                self._forget_place()
                return None

    def _gone_on(self, place: Bookmark) -> int:
        """Prove what is written, or go on with the question; what was answered before is not asked again."""
        self.target = place.target
        if proving := bookmark.to_prove(place, self._host):
            answers, plan = proving
            self._restarted(plan)
            return self._proven(answers)
        self.given[place.target.key] = dict(place.given)
        sheet = self._sheet()
        names = [entry.question.name for entry in sheet.entries]
        before = names[: names.index(place.question)] if place.question else names
        self._asked = [name for name in before if sheet[name].applies and not sheet[name].error]
        wrong = [entry for entry in sheet.wrong if entry.question.name in before]
        for entry in wrong:
            if not entry.missing:
                say(f"✗ {entry.question.label}: {entry.error}")
        if any(entry.missing and entry.question.secret for entry in wrong):
            say(f"! {bookmark.NEVER_KEPT}")
        return self._secured()

    # Choose -------------------------------------------------------------------------------------------

    def _offer_recovery(self) -> None:
        """An interrupted run is the first thing to hear of; rolling it back is the first answer."""
        from wizard import history, transaction

        try:
            run = transaction.interrupted(self.world.state)
            if run is None:
                return
            say(f"An earlier run was interrupted: {inert(run.title)}.")
            if terminal.yes("Finish rolling it back, to how it was before?"):
                with _to_the_end():
                    say(history.recovered(transaction.recover(self.world.state)))
        except WizardError as error:
            say(f"✗ {error}")

    def _chosen(self) -> type[Target]:
        host = self._host
        say("\nWhat shall be secured?")
        for number, target in enumerate(self.world.targets, 1):
            found = target.load().find(host)
            say(f"  {number}  {target.title}: {inert_line(found.status)}")
            for warning in found.warnings:
                say(f"     ! {inert_line(warning.text)}")
        self._name_those_that_wait()
        options = {str(number): target for number, target in enumerate(self.world.targets, 1)}
        options |= {target.key: target for target in self.world.targets}
        while True:
            typed = ask("Number", "1") or "1"
            if typed in options:
                say(options[typed].summary)
                return options[typed].load()
            say({EXPLAIN: WHICH, BACK: FIRST}.get(typed, "Give one of the numbers, or a name such as nginx."))

    def _name_those_that_wait(self) -> None:
        from wizard import again

        with suppress(WizardError):  # who asks for the history hears why it cannot be read
            for run in again.waiting(self.world.state):
                say(
                    f"  waits for its certificate: {inert(run.title)}: tls-wizard resume --run {run.id} FILES"
                )

    # Ask ----------------------------------------------------------------------------------------------

    @property
    def _host(self) -> Host:
        assert self.host is not None
        return self.host

    @property
    def _answers(self) -> dict[str, Raw]:
        assert self.target is not None
        return self.given.setdefault(self.target.key, {})

    def _sheet(self) -> Sheet[Target]:
        from wizard.sheet import fill_in

        assert self.target is not None
        return fill_in(self.target, self._answers, self._host)

    def _secured(self) -> int:
        """Ask what has not been asked, then review, apply and prove; Back leads to the question before."""
        while True:
            try:
                while (entry := self._next()) is not None:
                    self._ask(entry)
                planned = self._planned()
                if planned is not None:
                    return self._written(*planned)
            except Unchanged:
                continue
            except Back:
                if not self._asked:
                    raise
                self._asked.pop()

    def _next(self) -> Entry | None:
        """The next question that applies and has not been asked; its page is named when it begins one."""
        sheet = self._sheet()
        for number, page in enumerate(sheet.pages, 1):
            entries = [entry for entry in sheet.page(page) if entry.question.name not in self._asked]
            if entries:
                if len(entries) == len(sheet.page(page)):
                    self._begin(page, number, len(sheet.pages))
                return entries[0]
        wrong = sheet.wrong  # an answer from before has become wrong since
        if wrong:
            self._asked.remove(wrong[0].question.name)
            return wrong[0]
        return None

    def _begin(self, page: Page, number: int, count: int) -> None:
        assert self.target is not None
        say(f"\n{self.target.title}: {page.title}, page {number} of {count}")
        if page.note:
            say(page.note)

    def _ask(self, entry: Entry) -> None:
        """Ask one question until its answer can be used."""
        name = entry.question.name
        before = self._answers.get(name) if not entry.error or entry.missing else None
        self._asked.append(name)
        self._keep_place(Step.ASK, name)
        while True:
            self._take(entry)
            entry = self._sheet()[name]
            if entry.elsewhere is not None:
                say(f"✗ {entry.error}")
                if terminal.yes(f"Go on with {entry.elsewhere.target}, these answers taken along?"):
                    self._go_elsewhere(entry)
                    return
            elif entry.error:
                say(f"✗ {entry.error}")
                if entry.needs_root:
                    self._offer_root()
                self._answers.pop(name, None)  # so that the one before is offered again, or the default
                if before is not None:
                    self._answers[name] = before
                entry = self._sheet()[name]
            else:
                if entry.caution:
                    say(f"! {entry.caution}")
                return

    def _offer_root(self) -> None:
        """Have sudo start the wizard anew with the answers; secrets are not taken along."""
        from wizard import rights

        assert self.target is not None
        if not terminal.yes("Do that now, these answers taken along?"):
            return
        if not self.keep():
            say("✗ Your answers cannot be kept, so they could not be taken along.")
            return
        command = (*rights.again_as_root(self._host, self.target.key), "--plain")
        if rights.asked_sudo(self._host, command):
            self._forget_place()  # root's own wizard keeps it from now on
            rights.become_root(self._host, command)

    def _take(self, entry: Entry) -> None:
        """Read what is typed and keep it; an empty line takes the default, or what was given before."""
        asked = entry.question
        if asked.secret:
            self._take_secret(entry)
            return
        say(f"{asked.label}: {asked.help}")
        options = _options(entry)
        for number, (_, label) in enumerate(options, 1):
            say(f"  {number}  {inert(label)}")
        pastes = isinstance(asked.kind, Delivered)
        if pastes:
            say("Behind a pasted text give a line with only a full stop.")
        shown = dict(options).get(entry.text, entry.text)
        typed = ask(asked.label, shown)
        while typed == EXPLAIN:
            _explain(entry)
            typed = ask(asked.label, shown)
        if typed == BACK:
            self._go_back()
        if pastes and PEM_BEGINS in typed and not (typed := pasted(typed)):
            self._take(entry)
            return
        if typed == EMPTY and asked.kind.optional:
            self._answers[asked.name] = ""
        elif typed:
            self._answers[asked.name] = _meant(typed, options)

    def _take_secret(self, entry: Entry) -> None:
        """The same for a passphrase; that of one letter which leads back or is explained is none."""
        try:
            while (typed := terminal.passphrase(entry, at_once=(BACK, EXPLAIN))).reveal() == EXPLAIN:
                _explain(entry)
        except WizardError as error:
            say(f"✗ {error}")
            raise Left from None
        if typed.reveal() == BACK:
            self._go_back()
        self._answers[entry.question.name] = typed

    def _go_back(self) -> NoReturn:
        """To the question before the one that is asked, or to the review that it was named at."""
        if self._named == self._asked[-1]:
            self._named = ""
            raise Unchanged
        self._asked.pop()
        raise Back

    def _go_elsewhere(self, entry: Entry) -> None:
        """Begin with the questions of the other target."""
        from wizard import targets

        assert entry.elsewhere is not None
        there = targets.named(entry.elsewhere.target)
        taken = entry.elsewhere.given(self._answers)
        self.given[there.key] = {**self.given.get(there.key, {}), **taken}
        self.target = there
        self._asked.clear()

    # Review, apply, prove -----------------------------------------------------------------------------

    def _planned(self) -> tuple[Target, Plan] | None:
        """The answers and their plan, once it is agreed to; None when an answer has to be given again."""
        from wizard import preview, review

        answers = self._sheet().answers
        if answers is None:  # what the answers were checked against has changed just now
            return None
        self._keep_place(Step.REVIEW)
        try:
            plan = review.prepared(answers, self._host, terminal.progress())
        except WrongAnswer as error:
            say(f"✗ {error.sentence}")
            self._answers.pop(error.question, None)
            if error.question not in self._asked:
                raise Back from None
            self._asked.remove(error.question)
            return None
        except WizardError as error:
            say(f"✗ {error}")
            raise Back from None
        say("")
        say(preview.text(plan))
        if plan.changed and not self._agreed(f"Write {preview.how_many(plan)}?"):
            return None
        return answers, plan

    def _agreed(self, text: str) -> bool:
        """Whether there was a yes; else an answer was named, and is asked again. Raises Back or Left."""
        sheet = self._sheet()
        answers = {entry.question.key: entry for entry in sheet.asked}
        order = [entry.question.name for entry in sheet.entries]
        self._asked.sort(key=order.index)  # one that was named before is no longer the last
        while True:
            choices = f"yes, no, {BACK} to go back, {EXPLAIN} to change an answer"
            typed = ask(f"{text} {choices}", "no").lower()
            if typed in ("yes", "y"):
                return True
            if typed in ("", "no", "n"):
                raise Left
            if typed == BACK:
                raise Back
            if typed in answers:
                self._named = answers[typed].question.name
                self._asked.remove(self._named)
                return False
            say("Type the name of the answer that shall be changed:")
            for key, entry in answers.items():
                shown = "" if entry.question.secret else f": {inert(entry.text)}"
                say(f"  {key}  {entry.question.label}{shown}")

    def _written(self, answers: Target, plan: Plan) -> int:
        from wizard import transaction
        from wizard.commands import show_progress
        from wizard.preview import advice_lines

        if plan.changed:
            self._keep_place(Step.APPLY)
            with _to_the_end():
                run = transaction.apply(plan, self.world.state, show_progress, in_place=True)
                assert self.target is not None
                self.given[self.target.key] = self.target.after_run(self._answers)
                self._keep_place(Step.PROVE, run=run)
                say(f"Done. Take it back with: tls-wizard undo {run.id}")
        for text in (text for advice in plan.advice for text in advice_lines(advice)):
            say(text)
        if plan.awaits:
            self._forget_place()
            return DONE
        self._restarted(plan)
        return self._proven(answers)

    def _restarted(self, plan: Plan) -> None:
        from wizard import service

        what = service.words(plan.restart) if plan.restart else ""
        if plan.restart and terminal.yes(f"{what[0].upper()}{what[1:]} now?"):
            try:
                with _to_the_end():
                    service.restart(plan.restart)
            except WizardError as error:
                say(f"✗ {error}")
        ask("Enter goes on to the proof, when all of that is done", "")

    def _proven(self, answers: Target) -> int:
        """Prove what was written, by the very answers that it was made from."""
        from wizard import proof

        while True:
            say("\nReal connections, each with what ought to happen:")
            checks = answers.proof(self.world.look())
            result = proof.prove(checks, lambda made: say(proof.result_text(made)))
            say(proof.summary(result))
            if result.passed:
                self._forget_place()
                return DONE
            if not terminal.yes("Mend what it says, then: once more?"):
                return PROOF_FAILED


def _options(entry: Entry) -> tuple[tuple[str, str], ...]:
    kind = entry.question.kind
    return kind.options if isinstance(kind, Choice) else ()


def _explain(entry: Entry) -> None:
    asked = entry.question
    say(f"{asked.more or asked.help} Key in an answers file: {asked.key}; flag: {asked.flag}")


def _meant(typed: str, options: tuple[tuple[str, str], ...]) -> str:
    """The value of the option that was named: by its number, or by how only its name or label begins."""
    values = [value for value, _ in options]
    if typed in values:
        return typed
    if typed in map(str, range(1, len(values) + 1)):
        return values[int(typed) - 1]
    low = typed.lower()
    named = [value for value, label in options if low in (value.lower(), label.lower())]
    begun = [
        value for value, label in options if value.lower().startswith(low) or label.lower().startswith(low)
    ]
    return next((found[0] for found in (named, begun) if len(found) == 1), typed)
