"""Opens the app on a terminal, and says a last word when it has closed."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from screens.app import WizardApp
from screens.journey import Journey, World
from wizard import answers, host, targets
from wizard.errors import BadAnswers
from wizard.rights import as_root
from wizard.state import State


def open_wizard(*, demo: bool, answers_file: Path | None) -> int:
    """Run the wizard; returns the exit code. Raises BadAnswers where the terminal cannot show it."""
    if os.environ.get("TERM", "dumb") in ("dumb", "unknown", ""):
        raise BadAnswers(
            "This terminal cannot show the wizard (TERM is not set, or dumb). Use the commands instead: "
            "tls-wizard questions TARGET > answers.toml, then plan, apply and prove with that file."
        )
    with _demo() if demo else _here() as world:
        app = WizardApp(world, _journey(world, answers_file))
        app.run()
    with suppress(OSError):  # the line may have dropped
        for line in _last_words(app, demo=demo):
            print(line, flush=True)
    return app.return_code or 0


def _last_words(app: WizardApp, *, demo: bool) -> Iterator[str]:
    """What is worth knowing when the screens have gone: they take their texts along."""
    journey = app.journey
    if demo:
        return
    if journey.run is not None:
        yield f"{journey.run.title}: {'proven' if app.proven else 'written, but not proven yet'}."
        yield f"Take it back with: tls-wizard undo {journey.run.id}"
    if app.kept:
        yield "Your answers are kept; the wizard fills them in again."
    if app.kept and journey.host and not journey.host.root and journey.target and journey.run is None:
        yield as_root(journey.host, journey.target.key)


@contextmanager
def _here() -> Iterator[World]:
    """This host as it is."""
    state = State.default()
    who = f"{getpass.getuser()}@{socket.gethostname().split('.')[0]}"
    yield World(host.look, state, targets.every(), who, partial(answers.keep, state))


@contextmanager
def _demo() -> Iterator[World]:
    """The sandbox with its sample Hub."""
    from wizard.demo.sandbox import sandbox

    with sandbox() as box:
        yield World(box.look, box.state, targets.every(), "demo", partial(answers.keep, box.state))


def _journey(world: World, answers_file: Path | None) -> Journey:
    """Where the user goes on: with the answers of a file, or those kept from last time."""
    given = dict(answers.kept(world.state))
    if answers_file is None:
        return Journey(given=given)
    target, chosen = answers.read(answers_file)
    return Journey(given={**given, target.key: chosen}, target=target)
