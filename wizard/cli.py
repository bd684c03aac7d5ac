"""The command line: every step without the screens, and the door to them.

The screens are imported only when they are opened, so that the other commands start fast.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wizard import __version__
from wizard.crash import install as install_crash_report
from wizard.errors import BadAnswers, WizardError
from wizard.inert import inert, inert_lines
from wizard.state import State

if TYPE_CHECKING:
    from wizard.host import Host
    from wizard.plan import Plan
    from wizard.targets import Target
    from wizard.transaction import Progress

DONE, FAILED, CHANGED, PROOF_FAILED = 0, 1, 2, 6

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
    options = _parser().parse_args(arguments)
    code = _run(options)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        code = _unwritten(error)
    return code


def _unwritten(error: OSError) -> int:
    """Output could not be written; whoever only left early needs no complaint, here or at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not isinstance(error, BrokenPipeError):
        print(f"tls-wizard: The output cannot be written: {error.strerror}.", file=sys.stderr)
    return FAILED


def _run(options: argparse.Namespace) -> int:
    try:
        if options.run not in (_wizard, _recover):
            _report_interrupted()
        return int(options.run(options))
    except WizardError as error:
        return _failed(options, str(error), error.exit_code)
    except KeyboardInterrupt:
        # A run that had begun has ended before we hear of it.
        return _failed(options, "Stopped. See what was done: tls-wizard history", 128 + signal.SIGINT)
    except BrokenPipeError as error:
        return _unwritten(error)
    except OSError as error:
        return _failed(options, f"{error.filename or 'The system'} says: {error.strerror}.", FAILED)


def _failed(options: argparse.Namespace, message: str, code: int) -> int:
    if getattr(options, "json", False):
        print(json.dumps({"failed": True, "msg": message, "exit_code": code}))
    print(f"tls-wizard: {inert_lines(message)}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tls-wizard",
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tls-wizard {__version__}")
    parser.add_argument("--demo", action="store_true", help="try it in a throw-away folder with a sample Hub")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="open the wizard with these answers")
    parser.set_defaults(run=_wizard)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
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

    command("targets", _targets, "list what can be secured, and what was found on this host")
    command("questions", _questions, "print an answers file to fill in, with explanations").add_argument(
        "target", metavar="TARGET", help="what is to be secured: a name that `tls-wizard targets` lists"
    )
    with_answers(command("plan", _plan, "show what would be written, to the byte, and write nothing"))
    apply = with_answers(command("apply", _apply, "write what `plan` shows, all of it or nothing"))
    apply.add_argument("--check", action="store_true", help="only say what would change; write nothing")
    apply.add_argument("--diff", action="store_true", help="show what `plan` shows as well")
    apply.add_argument("--yes", action="store_true", help="do not ask before writing")
    apply.add_argument("--in-place", action="store_true", help="also write files that cannot be replaced")
    apply.add_argument("--detailed-exitcode", action="store_true", help="exit with 2 when something changed")
    with_answers(command("prove", _prove, "connect to the service for real and show who gets in"))
    command("history", _history, "list what was done on this host")
    undo = command("undo", _undo, "take the last run, or the one named, back to the byte")
    undo.add_argument("name", nargs="?", metavar="RUN", help="a name that `tls-wizard history` lists")
    undo.add_argument("--yes", action="store_true", help="do not ask before writing")
    command("recover", _recover, "roll back a run that a kill or a power cut interrupted")
    return parser


def _wizard(options: argparse.Namespace) -> int:
    on_terminal = _asks() and sys.stdout is not None and sys.stdout.isatty()
    if options.demo and not on_terminal:
        from wizard.demo import walk

        return walk.walk()
    if not on_terminal:
        raise BadAnswers(
            "The wizard needs a terminal, and this is none. Use the commands instead: "
            "tls-wizard questions TARGET > answers.toml, then plan, apply and prove with that file."
        )
    from screens.start import open_wizard

    return open_wizard(demo=options.demo, answers_file=options.answers)


def _targets(options: argparse.Namespace) -> int:
    from wizard import host, targets

    here = host.look()
    found = [(target, target.find(here)) for target in targets.every()]
    if options.json:
        rows = [
            {
                "target": target.key,
                "title": target.title,
                "runs": what.runs,
                "status": what.status,
                "details": list(what.details),
                "warnings": [warning.text for warning in what.warnings],
            }
            for target, what in found
        ]
        print(json.dumps({"host": here.name, "targets": rows}, indent=2))
        return DONE
    for target, what in found:
        print(f"{target.key:<12}{target.title:<20}{inert(what.status)}")
        for detail in what.details:
            print(f"{'':12}{inert(detail)}")
        for warning in what.warnings:
            print(f"{'':12}! {inert(warning.text)}")
    return DONE


def _questions(options: argparse.Namespace) -> int:
    from wizard import answers, host, targets
    from wizard.sheet import fill_in

    target = targets.named(options.target)
    print(answers.template(fill_in(target, {}, host.look())), end="")
    return DONE


def _read(options: argparse.Namespace) -> tuple[Target, Host]:
    """The complete answers of a file, on this host."""
    from wizard import answers, host

    target, given = answers.read(options.answers)
    here = replace(host.look(), arguments=(options.command, str(options.answers.absolute())))
    return answers.complete(target, given, here), here


def _planned(options: argparse.Namespace) -> Plan:
    from wizard import review

    target, here = _read(options)
    return review.examined(target.plan(here))


def _plan(options: argparse.Namespace) -> int:
    from wizard import preview

    plan = _planned(options)
    print(json.dumps(preview.as_json(plan), indent=2) if options.json else preview.text(plan))
    return DONE


def _apply(options: argparse.Namespace) -> int:
    from wizard import preview, transaction

    if not options.check:
        _refuse_unsettled()
    plan = _planned(options)
    asks = _asks() and not options.yes and not options.check and plan.changed
    if options.diff or asks:
        print(preview.text(plan), file=sys.stderr if options.json else sys.stdout)
    run = None
    if plan.changed and not options.check:
        if asks:
            _agree(f"Write {preview.how_many(plan)}?")
        run = transaction.apply(plan, State.default(), _show_progress, in_place=options.in_place)
    result = {**preview.as_json(plan), "run": run.id if run else None}
    _say(options, result, _applied(plan, run.id if run else None))
    return CHANGED if options.detailed_exitcode and plan.changed else DONE


def _applied(plan: Plan, run: str | None) -> str:
    from wizard import preview

    if not plan.changed:
        return "Nothing to change: everything is as it should be."
    how_many = preview.how_many(plan)
    if run is None:
        return f"{how_many} would be written."
    todo = [
        f"  {advice.text}" + (f"\n    {advice.command}" if advice.command else "") for advice in plan.advice
    ]
    lines = [f"Done: {how_many}. Take it back with: tls-wizard undo {run}"]
    return "\n".join([*lines, "You do now:", *todo] if todo else lines)


def _prove(options: argparse.Namespace) -> int:
    from wizard import proof

    target, here = _read(options)
    result = proof.prove(target.proof(here))
    _say(options, proof.as_json(result), proof.text(result))
    return DONE if result.passed else PROOF_FAILED


def _history(options: argparse.Namespace) -> int:
    from wizard import history, journal

    runs = journal.history(State.default())
    _say(options, {"runs": [history.as_json(run) for run in runs]}, history.text(runs))
    return DONE


def _undo(options: argparse.Namespace) -> int:
    from wizard import history, preview, transaction

    state = State.default()
    run = history.find(state, options.name)
    plan = transaction.undo_plan(run, state)
    if _asks() and not options.yes:
        print(preview.text(plan), file=sys.stderr if options.json else sys.stdout)
        _agree(f"Take back {preview.how_many(plan)}?")
    undone = transaction.undo(run, state, _show_progress)
    result = {**preview.as_json(plan), "run": undone.id, "undone": run.id}
    _say(
        options,
        result,
        f"Undone: {run.title}. Every byte is as it was before. {plan.advice[0].text}",
    )
    return DONE


def _recover(options: argparse.Namespace) -> int:
    from wizard import history, transaction

    run = transaction.recover(State.default())
    result: dict[str, object] = {
        "recovered": run.id if run else None,
        "status": str(run.status) if run else None,
    }
    _say(options, result, history.recovered(run))
    return DONE


def _refuse_unsettled() -> None:
    """Raise Locked or WizardError when a run has not ended: what it may yet take back looks like done."""
    from wizard import transaction

    state = State.default()
    if state.root.exists():
        with state.lock():
            pass
    if transaction.interrupted(state):
        raise WizardError("The interrupted run comes first: tls-wizard recover")


def _report_interrupted() -> None:
    from wizard import transaction

    try:
        run = transaction.interrupted(State.default())
    except WizardError as error:  # who writes hears of it again, as a refusal
        text = str(error)
    else:
        if run is None:
            return
        text = f"an earlier run was interrupted: {run.title}. Roll it back with: tls-wizard recover"
    print(f"tls-wizard: {inert_lines(text)}", file=sys.stderr)


def _show_progress(progress: Progress) -> None:
    print(f"  ✓ {inert(progress.text)}", file=sys.stderr)


def _asks() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty()


def _agree(text: str) -> None:
    """Ask on the terminal; raises WizardError at anything but a plain yes."""
    print(f"{text} [yes/no] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.buffer.readline().strip().lower() not in (b"y", b"yes"):
        raise WizardError("Nothing was changed.")


def _say(options: argparse.Namespace, result: dict[str, object], text: str) -> None:
    print(json.dumps(result, indent=2) if options.json else inert_lines(text))


if __name__ == "__main__":
    sys.exit(main())
