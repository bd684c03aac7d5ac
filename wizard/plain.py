"""The whole way on ordinary prompts, line by line: for screen readers, dumb terminals, slow lines.

It asks the same questions as the screens, from the same declarations and with the same checks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wizard import terminal
from wizard.errors import WizardError, WrongAnswer
from wizard.inert import inert, inert_lines
from wizard.kinds import PEM_BEGINS, Choice, Delivered
from wizard.reach import within

if TYPE_CHECKING:
    from wizard.host import Host
    from wizard.kinds import Raw
    from wizard.plan import Plan
    from wizard.questions import Page
    from wizard.sheet import Entry, Sheet
    from wizard.targets import Target
    from wizard.world import World

DONE, FAILED, PROOF_FAILED = 0, 1, 6

KEYS = (
    "Enter takes what stands in brackets; < goes back, ? explains, Ctrl+D leaves, and the answers are kept."
)
_PEM_ENDS = "-----END "


class Left(Exception):
    """Somebody has had enough: Ctrl+D at a prompt."""


class Back(Exception):
    """One step back."""


def start(*, demo: bool, answers_file: Path | None) -> int:
    """Go the way on this host, or in a sandbox; returns the exit code. Raises WizardError or OSError."""
    from wizard import world

    with world.opened(demo=demo) as around:
        given, target = world.given(around, answers_file)
        conversation = Conversation(around, given)
        try:
            return conversation.held(target)
        except Left:
            conversation.keep()
            _say("\nNothing more is done. Your answers are kept.")
            return DONE


@dataclass
class Conversation:
    """What has been answered so far; each step asks until it can go on, or goes back."""

    world: World
    given: dict[str, dict[str, Raw]]
    target: type[Target] | None = None
    host: Host | None = None
    _asked: list[str] = field(default_factory=list)
    """The questions that have been asked, in order, to go back to."""

    def held(self, target: type[Target] | None) -> int:
        """Go all the steps; returns the exit code."""
        self.host = self.world.look()
        _say(KEYS)
        while True:
            self.target = target or self._chosen()
            target = None
            self._asked.clear()
            try:
                return self._secured()
            except Back:
                continue

    def keep(self) -> None:
        """Keep the answers for the next start."""
        if self.target is not None:
            self.world.keep(self.target, self.given.get(self.target.key, {}))

    # Choose -------------------------------------------------------------------------------------------

    def _chosen(self) -> type[Target]:
        host = self._host
        _say("\nWhat shall be secured?")
        for number, target in enumerate(self.world.targets, 1):
            found = target.find(host)
            _say(f"  {number}  {target.title}: {found.status}")
            for warning in found.warnings:
                _say(f"     ! {warning.text}")
        options = {str(number): target for number, target in enumerate(self.world.targets, 1)}
        options |= {target.key: target for target in self.world.targets}
        while True:
            typed = _line("Number", "1") or "1"
            if typed in options:
                _say(options[typed].summary)
                return options[typed]
            _say("Give one of the numbers, or a name such as nginx.")

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
                plan = self._planned()
                if plan is not None:
                    return self._written(plan)
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
        _say(f"\n{self.target.title}: {page.title}, page {number} of {count}")
        if page.note:
            _say(page.note)

    def _ask(self, entry: Entry) -> None:
        """Ask one question until its answer can be used."""
        name = entry.question.name
        self._asked.append(name)
        while True:
            self._take(entry)
            entry = self._sheet()[name]
            if entry.elsewhere is not None:
                _say(f"✗ {entry.error}")
                if terminal.yes(f"Go on with {entry.elsewhere.target}, these answers taken along?"):
                    self._go_elsewhere(entry)
                    return
            elif entry.error:
                _say(f"✗ {entry.error}")
                self._answers.pop(name, None)  # so that the default is offered again
                entry = self._sheet()[name]
            else:
                if entry.caution:
                    _say(f"! {entry.caution}")
                return

    def _take(self, entry: Entry) -> None:
        """Read what is typed and keep it; an empty line takes the default, or what was given before."""
        asked = entry.question
        if asked.secret:
            try:
                self._answers[asked.name] = terminal.passphrase(entry)
            except WizardError:
                raise Left from None
            return
        _say(f"{asked.label}: {asked.help}")
        options = _options(entry)
        for number, (_, label) in enumerate(options, 1):
            _say(f"  {number}  {label}")
        typed = _line(asked.label, entry.text)
        while typed == "?":
            _say(f"{asked.more or asked.help} Key in an answers file: {asked.key}")
            typed = _line(asked.label, entry.text)
        if typed == "<":
            self._asked.pop()
            raise Back
        if isinstance(asked.kind, Delivered) and PEM_BEGINS in typed:
            typed = _pasted(typed)
        if typed:
            self._answers[asked.name] = _meant(typed, options)

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

    def _planned(self) -> Plan | None:
        """The plan, once it is agreed to; None when an answer has turned out wrong and is asked again."""
        from wizard import preview, review

        answers = self._sheet().answers
        assert answers is not None
        try:
            plan = review.prepared(answers, self._host, terminal.progress())
        except WrongAnswer as error:
            _say(f"✗ {error.sentence}")
            self._answers.pop(error.question, None)
            if error.question not in self._asked:
                raise Back from None
            self._asked.remove(error.question)
            return None
        except WizardError as error:
            _say(f"✗ {error}")
            raise Back from None
        _say("")
        _say(preview.text(plan))
        if plan.changed and not self._agreed(f"Write {preview.how_many(plan)}?"):
            raise Back
        return plan

    def _agreed(self, text: str) -> bool:
        while True:
            typed = _line(f"{text} yes, no, or < to go back", "no").lower()
            if typed in ("yes", "y"):
                return True
            if typed in ("", "no", "n"):
                raise Left
            if typed == "<":
                return False

    def _written(self, plan: Plan) -> int:
        from wizard import transaction
        from wizard.commands import show_progress
        from wizard.preview import advice_lines

        self.keep()
        if plan.changed:
            run = transaction.apply(plan, self.world.state, show_progress, in_place=True)
            _say(f"Done. Take it back with: tls-wizard undo {run.id}")
        if plan.awaits:
            _lines(line for advice in plan.advice for line in advice_lines(advice))
            return DONE
        self._restarted(plan)
        return self._proven()

    def _restarted(self, plan: Plan) -> None:
        from wizard import service
        from wizard.preview import advice_lines

        what = plan.restart.about if plan.restart else ""
        if plan.restart and terminal.yes(f"{(what or 'restart the service').capitalize()} now?"):
            try:
                service.restart(plan.restart)
            except WizardError as error:
                _say(f"✗ {error}")
            return
        _lines(line for advice in plan.advice for line in advice_lines(advice))
        _line("Enter goes on to the proof, when that is done", "")

    def _proven(self) -> int:
        from wizard import proof

        self.host = self.world.look()
        answers = self._sheet().answers
        if answers is None:
            raise WizardError(
                "The answers are no longer complete; look at what has changed, then begin anew."
            )
        _say("\nReal connections, each with what ought to happen:")
        result = proof.prove(answers.proof(self.host), lambda made: _say(proof.result_text(made)))
        _say(proof.summary(result))
        return DONE if result.passed else PROOF_FAILED


def _options(entry: Entry) -> tuple[tuple[str, str], ...]:
    kind = entry.question.kind
    return kind.options if isinstance(kind, Choice) else ()


def _meant(typed: str, options: tuple[tuple[str, str], ...]) -> str:
    """The value of an option that was named by its number or its label."""
    for number, (value, label) in enumerate(options, 1):
        if typed.lower() in (str(number), value.lower(), label.lower()):
            return value
    return typed


def _pasted(first: str) -> str:
    """The rest of a text with PEM in it: up to an empty line behind its last end."""
    lines = [first]
    while lines[-1].strip() or _PEM_ENDS not in "".join(lines):
        lines.append(_read(""))
    return "\n".join(lines)


def _line(label: str, default: str) -> str:
    """What is typed at a prompt, trimmed. Raises Left at Ctrl+D."""
    shown = f" [{inert(default)}]" if default else ""
    return _read(f"{inert(label)}{shown}: ").strip()


def _read(prompt: str) -> str:
    print(prompt, end="", flush=True)
    line = sys.stdin.buffer.readline()
    if not line:
        raise Left
    return line.decode("utf-8", "replace").rstrip("\r\n")


def _say(text: str) -> None:
    print(within(inert_lines(text)), flush=True)


def _lines(lines: Iterable[str]) -> None:
    for line in lines:
        _say(line)
