"""Opens the app on a terminal, and says a last word when it has closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shlex import join

from screens.app import WizardApp
from screens.journey import Journey
from wizard import world
from wizard.rights import again_as_root, become_root


def open_wizard(*, demo: bool, answers_file: Path | None, theme: str) -> int:
    """Run the wizard; returns the exit code."""
    with world.opened(demo=demo) as around:
        given, target = world.given(answers_file)
        app = WizardApp(around, Journey(given=given, target=target), theme)
        app.run()
    if app.successor and app.journey.host:
        become_root(app.journey.host, app.successor)
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
    if app.keeping.has_place:
        yield "Your answers are kept; the next start offers to continue here."
    elif app.keeping.kept:
        yield "Your answers are kept; the wizard fills them in again."
    if app.keeping.kept and journey.host and not journey.host.root and journey.target and journey.run is None:
        yield f"To go on as root: {join(again_as_root(journey.host, journey.target.key))}"
