"""Asks on the terminal, where somebody sits at one: for a yes, and for passphrases that nothing echoes."""

from __future__ import annotations

import sys
from collections.abc import Collection
from getpass import getpass
from socket import gethostname
from time import monotonic
from typing import TYPE_CHECKING

from wizard.errors import WizardError
from wizard.secret import Secret
from wizard.streams import tell

if TYPE_CHECKING:
    from wizard.host import Host
    from wizard.kinds import Raw
    from wizard.plan import Tell
    from wizard.sheet import Entry
    from wizard.targets import Target

NOTHING_CHANGED = "Nothing was changed."


def can_ask() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty()


def is_watched() -> bool:
    """Whether standard error is seen by somebody, and is no file."""
    return sys.stderr is not None and sys.stderr.isatty()


def agree(text: str) -> None:
    """Ask for a yes; raises WizardError at anything else."""
    if not yes(text):
        raise WizardError(NOTHING_CHANGED)


def yes(text: str) -> bool:
    """Ask for a yes; anything else is a no."""
    print(f"{text} [yes/no] ", end="", file=sys.stderr, flush=True)
    # A line that does not end is none: it may have dropped on the way.
    return sys.stdin.buffer.readline().lower().strip(b" \t\r") in (b"y\n", b"yes\n")


def progress() -> Tell:
    """Tells somebody at a terminal how far the making of a plan is, where that takes more than a second."""
    told = monotonic()

    def tell_slowly(text: str) -> None:
        nonlocal told
        if is_watched() and monotonic() > told + 1:
            told = monotonic()
            tell(f"  … {text}")

    return tell_slowly


def for_preview(target: type[Target], given: dict[str, Raw], host: Host) -> dict[str, Raw]:
    """The answers with a throw-away in the place of each passphrase that would be made up for good."""
    from wizard.material.passphrases import generated
    from wizard.sheet import fill_in

    wrong = fill_in(target, given, host).wrong
    needed = [entry.question.name for entry in wrong if entry.missing and entry.chosen]
    return {**given, **{name: generated() for name in needed}}


def judge_new(target: type[Target], given: dict[str, Raw], host: Host) -> None:
    """Say which of the new passphrases are weak that come from files."""
    from wizard.sheet import fill_in

    secrets = {name: raw for name, raw in given.items() if isinstance(raw, Secret)}
    for entry in fill_in(target, given, host).entries if secrets else ():
        if entry.chosen and entry.question.name in secrets:
            _judge(secrets[entry.question.name])


def with_secrets(target: type[Target], given: dict[str, Raw], host: Host) -> dict[str, Raw]:
    """The answers with the passphrases that are still needed, where somebody can be asked for them.

    While another answer is wrong nothing is asked: the answers are of no use yet. Raises WizardError when
    somebody is asked and does not answer.
    """
    from wizard.sheet import fill_in

    while can_ask() and is_watched():  # one that is made is shown there
        wrong = fill_in(target, given, host).wrong
        if not wrong or not all(entry.missing and entry.question.secret for entry in wrong):
            break
        given = {**given, wrong[0].question.name: passphrase(wrong[0])}
    return given


def passphrase(entry: Entry, at_once: Collection[str] = ()) -> Secret:
    """Ask for one, unseen: the one that something already has, or a new one.

    One of `at_once` is returned as it is: it means something else to the one who asks.
    """
    tell(f"{entry.question.label}: {entry.question.help}")
    return _new(at_once) if entry.chosen else _existing()


def _existing() -> Secret:
    while not (typed := _unseen("Type it; nothing is shown: ")):
        tell("It is needed to go on. Ctrl+C stops.")
    return typed


def _new(at_once: Collection[str]) -> Secret:
    while True:
        typed = _unseen("Type a new one, or only Enter to have one made; nothing is shown: ")
        if not typed:
            return _made()
        if typed.reveal() in at_once:
            return typed
        if typed == _unseen("Once more: "):
            _judge(typed)
            return typed
        tell("The two differ. Begin again.")


def _judge(typed: Secret) -> None:
    """Say so when it is weak; whose it is decides."""
    from wizard.material.passphrases import strength

    judged = strength(typed, (gethostname(),))
    if not judged.enough:
        tell(f"! {judged.words}")


def _made() -> Secret:
    from wizard.material.passphrases import generated

    made = generated()
    tell(f"{made.reveal()}\nWrite it down now: it is shown only here.")
    _unseen("Press Enter when you have it: ")
    return made


def _unseen(prompt: str) -> Secret:
    """A line that is not echoed; raises WizardError when there is none."""
    try:
        return Secret(getpass(prompt, stream=sys.stderr))
    except (EOFError, KeyboardInterrupt, UnicodeDecodeError) as stopped:
        tell("")  # the prompt still stands on the line
        if isinstance(stopped, KeyboardInterrupt):
            raise
        why = "This is not text. " if isinstance(stopped, UnicodeDecodeError) else ""
        raise WizardError(f"{why}{NOTHING_CHANGED}") from None
