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
from collections.abc import Callable, Sequence
from pathlib import Path

from wizard import __version__, commands, terminal
from wizard.address import Address
from wizard.crash import install as install_crash_report
from wizard.errors import BadAnswers, WizardError
from wizard.inert import inert_lines
from wizard.streams import mute, tell

FAILED = 1

EXIT_CODES = """\
exit codes:
  0  done, changed or not
  1  failed, nothing changed
  2  changed (only with --detailed-exitcode), or wrong usage
  3  a file cannot be edited with certainty, so nothing was changed
  4  a file was changed by somebody else meanwhile, so nothing was changed
  5  another run is at work
  6  the proof failed"""

DESCRIPTION = """\
Secure an API with TLS: see every change first, lose nothing, and watch it proven.
Without a command it opens the wizard. Without the screens, begin like this:

  tls-wizard targets
  tls-wizard questions hub-rest > answers.toml
  tls-wizard plan answers.toml"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    install_crash_report()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a letter that the locale lacks is named
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    options.words = tuple((sys.argv if arguments is None else ("", *arguments))[2:])
    code = _run(options)
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


def _run(options: argparse.Namespace) -> int:
    try:
        if options.run not in (_wizard, commands.recover):
            commands.report_interrupted()
        return int(options.run(options))
    except WizardError as error:
        return _failed(options, str(error), error.exit_code)
    except KeyboardInterrupt:
        # The wizard may have written something before.
        return _failed(options, "Stopped. See what was done: tls-wizard history", 128 + signal.SIGINT)
    except BrokenPipeError as error:
        return _unwritten(error)
    except OSError as error:
        return _failed(options, f"{error.filename or 'The system'} says: {error.strerror}.", FAILED)


def _failed(options: argparse.Namespace, message: str, code: int) -> int:
    if getattr(options, "json", False):
        print(json.dumps({"failed": True, "msg": message, "exit_code": code}))
    tell(f"tls-wizard: {inert_lines(message)}")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tls-wizard",
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tls-wizard {__version__}")
    parser.add_argument(
        "--demo", action="store_true", help="try it on sample services, in a throw-away folder"
    )
    parser.add_argument("--answers", type=Path, metavar="FILE", help="open the wizard with these answers")
    parser.add_argument(
        "--plain", action="store_true", help="ask line by line instead: for screen readers and slow lines"
    )
    themes = ("terminal", "dark", "light")
    parser.add_argument("--theme", choices=themes, default=themes[0], help="its colours; F2 changes them too")
    parser.set_defaults(run=_wizard)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = subparsers.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=run)
        if name != "questions":
            added.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
        return added

    def with_answers(added: argparse.ArgumentParser) -> argparse.ArgumentParser:
        made = "a file made with: tls-wizard questions TARGET"
        added.add_argument("answers", type=Path, metavar="ANSWERS", help=made)
        return added

    command("targets", commands.targets, "list what can be secured, and what was found on this host")
    questions = command("questions", commands.questions, "print an answers file to fill in, explained")
    questions.add_argument("target", metavar="TARGET", help="a name that `tls-wizard targets` lists")
    with_answers(command("plan", commands.plan, "show what would be written, to the byte, and write nothing"))
    applies = "write what `plan` shows, all of it or nothing"
    _add_writing(with_answers(command("apply", commands.apply, applies)))
    _add_proving(command("prove", commands.prove, "connect to the service for real and show who gets in"))
    command(
        "certificates", commands.certificates, "list the certificates made here and what is wrong with them"
    )
    resumes = "go on with a setup that waits for its certificate"
    resume = _add_writing(command("resume", commands.resume, resumes))
    resume.add_argument("files", nargs="+", metavar="FILE", help="what the authority sent; - for pasted text")
    _add_passphrase(resume)
    resume.add_argument("--run", dest="run_name", metavar="RUN", help="which one, where several wait")
    again = "make a certificate again, for the same key or a new one"
    reissue = _add_writing(command("reissue", commands.reissue, again))
    reissue.add_argument("certificate", type=Path, metavar="FILE", help="one that `certificates` lists")
    _add_passphrase(reissue)
    reissue.add_argument("--new-key", action="store_true", help="with a new key instead of the same")
    command("history", commands.history, "list what was done on this host")
    undo = command("undo", commands.undo, "take the last run, or the one named, back to the byte")
    undo.add_argument("name", nargs="?", metavar="RUN", help="a name that `tls-wizard history` lists")
    undo.add_argument("--yes", action="store_true", help="do not ask before writing")
    command("recover", commands.recover, "roll back a run that a kill or a power cut interrupted")
    return parser


def _add_proving(added: argparse.ArgumentParser) -> None:
    """What is to be proven: a setup, or any address."""
    what = "a file made with: tls-wizard questions TARGET; or any address that begins with https://"
    added.add_argument("answers", type=_answers_or_address, metavar="ANSWERS|URL", help=what)
    modes = "with an address: full (mutual TLS), verify-ca or skip; the default follows from the files"
    added.add_argument("--mode", choices=("full", "verify-ca", "skip"), help=modes)
    authority = "with an address: the server's authority, instead of the public ones"
    added.add_argument("--ca", type=Path, metavar="FILE", help=authority)
    added.add_argument("--cert", type=Path, metavar="FILE", help="with an address: the client's certificate")
    added.add_argument("--key", type=Path, metavar="FILE", help="with an address: the client's key")
    where = "with an address: where to connect instead of where its name leads, HOST:PORT"
    added.add_argument("--connect", metavar="HOST:PORT", help=where)


def _answers_or_address(text: str) -> Path | Address:
    if "://" not in text:
        return Path(text)
    try:
        return Address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _add_passphrase(added: argparse.ArgumentParser) -> None:
    about = "a file, mode 0600, with the passphrase that is needed, instead of asking for it"
    added.add_argument("--passphrase-file", type=Path, metavar="FILE", help=about)


def _add_writing(added: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The options of a command that writes."""
    added.add_argument("--check", action="store_true", help="only say what would change; write nothing")
    added.add_argument("--diff", action="store_true", help="show what `plan` shows as well")
    added.add_argument("--yes", action="store_true", help="do not ask before writing")
    added.add_argument("--in-place", action="store_true", help="also write files that cannot be replaced")
    added.add_argument("--detailed-exitcode", action="store_true", help="exit with 2 when something changed")
    return added


def _wizard(options: argparse.Namespace) -> int:
    on_terminal = terminal.can_ask() and sys.stdout is not None and sys.stdout.isatty()
    if options.demo and not on_terminal:
        from wizard.demo import walk

        return walk.walk()
    if not on_terminal:
        raise BadAnswers(
            "The wizard needs a terminal, and this is none. Use the commands instead: "
            "tls-wizard questions TARGET > answers.toml, then plan, apply and prove with that file."
        )
    if options.plain or os.environ.get("TERM", "dumb") in ("dumb", "unknown", ""):
        from wizard import plain

        return plain.start(demo=options.demo, answers_file=options.answers)
    # Nothing is garbage before the first frame, and looking for it costs a tenth of the start;
    # the app switches the collector on again behind it.
    gc.disable()
    from screens.start import open_wizard

    return open_wizard(demo=options.demo, answers_file=options.answers, theme=options.theme)


if __name__ == "__main__":
    sys.exit(main())
