"""Opens the app on a terminal, and says a last word when it has closed."""

from __future__ import annotations

import gc
import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from screens.app import Journey, WizardApp, World
from wizard import answers, host, targets
from wizard.errors import BadAnswers
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
        # Nothing is garbage before the first frame; looking for it would cost a tenth of the start.
        gc.disable()
        app.call_later(gc.enable)
        app.run()
    if app.kept and not demo:
        with suppress(OSError):  # the line may have dropped
            print("Your answers are kept; the wizard fills them in again.", flush=True)
    return app.return_code or 0


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
