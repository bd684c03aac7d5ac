"""The command line: every step without the screens, and the door to them.

The screens are imported only when they are opened, so that the other commands start fast.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import signal
import sys
from collections.abc import Sequence

from wizard import commands, terminal, usage
from wizard.crash import install as install_crash_report
from wizard.errors import BadAnswers, WizardError
from wizard.inert import inert_lines
from wizard.streams import mute, tell

FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    install_crash_report()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a letter that the locale lacks is named
        sys.stdout.reconfigure(errors="backslashreplace")
    code = _run(sys.argv[1:] if arguments is None else arguments)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        code = _unwritten(error)
    return code


def _unwritten(error: OSError) -> int:
    """Output could not be written; whoever only left early needs no complaint, here or at exit."""
    mute(sys.stdout)
    if not isinstance(error, BrokenPipeError):
        tell(f"tls-wizard: The output cannot be written: {error.strerror}.")
    return FAILED


def _run(words: Sequence[str]) -> int:
    try:
        options = usage.parsed(words)
        if options.run is None:
            return _wizard(options)
        if options.run is not commands.recover:
            commands.report_interrupted()
        return int(options.run(options))
    except WizardError as error:
        return _failed(words, str(error), error.exit_code)
    except KeyboardInterrupt:
        # The wizard may have written something before.
        return _failed(words, "Stopped. See what was done: tls-wizard history", 128 + signal.SIGINT)
    except BrokenPipeError as error:
        return _unwritten(error)
    except OSError as error:
        return _failed(words, f"{error.filename or 'The system'} says: {error.strerror}.", FAILED)


def _failed(words: Sequence[str], message: str, code: int) -> int:
    tell(f"tls-wizard: {inert_lines(message)}")
    try:
        if usage.JSON in words:
            print(json.dumps({"failed": True, "msg": message, "exit_code": code}))
    except OSError as error:
        return _unwritten(error)
    return code


def _wizard(options: argparse.Namespace) -> int:
    on_terminal = terminal.can_ask() and sys.stdout is not None and sys.stdout.isatty()
    if options.demo and not on_terminal:
        from wizard.demo import walk

        return walk.walk()
    if not on_terminal:
        raise BadAnswers(
            "The wizard needs a terminal, and this is none. Use the commands instead: "
            "tls-wizard questions TARGET > answers.toml, then plan, apply and prove with that file; or give "
            "the answers as flags, which tls-wizard plan TARGET --help lists."
        )
    # ACCESSIBLE: what users of a screen reader set for every program that knows it, such as huh and gum.
    cannot_show = os.environ.get("TERM", "dumb") in ("dumb", "unknown", "")
    if options.plain or cannot_show or os.environ.get("ACCESSIBLE"):
        from wizard import plain

        return plain.start(demo=options.demo, answers_file=options.answers)
    # Nothing is garbage before the first frame, and looking for it costs a tenth of the start;
    # the app switches the collector on again behind it.
    gc.disable()
    from screens.start import open_wizard

    return open_wizard(demo=options.demo, answers_file=options.answers, theme=options.theme)


if __name__ == "__main__":
    sys.exit(main())
