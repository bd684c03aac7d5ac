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
from pathlib import Path
from typing import TYPE_CHECKING

from wizard import __version__
from wizard.crash import install as install_crash_report
from wizard.errors import BadAnswers, WizardError
from wizard.state import State

if TYPE_CHECKING:
    from wizard.host import Host
    from wizard.plan import Plan
    from wizard.targets import Target
    from wizard.transaction import Progress

DONE, FAILED, CHANGED, PROOF_FAILED = 0, 1, 2, 6

EXIT_CODES = """\
exit codes: 0 done (changed or not); 1 failed, nothing changed; 2 changed (with --detailed-exitcode),
or wrong usage; 3 an edit was refused; 4 a file changed since the preview; 5 another run holds the
lock; 6 the proof failed"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    install_crash_report()
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except WizardError as error:
        return _failed(options, str(error), error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has left; a second complaint at exit would be noise.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return _failed(options, "Stopped. Nothing was changed.", 128 + signal.SIGINT)


def _failed(options: argparse.Namespace, message: str, code: int) -> int:
    if getattr(options, "json", False):
        print(json.dumps({"failed": True, "msg": message, "exit_code": code}))
    print(f"tls-wizard: {message}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tls-wizard",
        description="Secure an API with TLS: see every change first, lose nothing, and watch it proven. "
        "Without a command it opens the wizard.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tls-wizard {__version__}")
    parser.add_argument("--demo", action="store_true", help="try it in a throw-away folder with a sample Hub")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="open the wizard with these answers")
    parser.set_defaults(run=_wizard)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, epilog=EXIT_CODES)
        added.set_defaults(run=run)
        if name != "questions":
            added.add_argument("--json", action="store_true", help="one JSON object on standard output")
        return added

    command("targets", _targets, "what can be secured, and what was found on this host")
    command("questions", _questions, "a commented answers file to fill in").add_argument("target")
    command("plan", _plan, "the preview: what would be written, to the byte").add_argument(
        "answers", type=Path
    )
    apply = command("apply", _apply, "write the plan, all or nothing")
    apply.add_argument("answers", type=Path)
    apply.add_argument("--check", action="store_true", help="say what would change, write nothing")
    apply.add_argument("--diff", action="store_true", help="show the preview")
    apply.add_argument("--yes", action="store_true", help="do not ask")
    apply.add_argument("--detailed-exitcode", action="store_true", help="exit with 2 when something changed")
    command("prove", _prove, "connect for real and show who gets in").add_argument("answers", type=Path)
    command("history", _history, "what was done on this host")
    undo = command("undo", _undo, "take the last (or the named) run back, to the byte")
    undo.add_argument("name", nargs="?", metavar="RUN", help="a run of `history`; the last one if left out")
    undo.add_argument("--yes", action="store_true", help="do not ask")
    command("recover", _recover, "finish rolling back an interrupted run")
    return parser


def _wizard(options: argparse.Namespace) -> int:
    from wizard.demo import walk

    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if options.demo and not on_terminal:
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
    from wizard.inert import inert

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
    from wizard.questions import fill_in

    target = targets.named(options.target)
    print(answers.template(fill_in(target, {}, host.look())), end="")
    return DONE


def _read(path: Path) -> tuple[Target, Host]:
    """The complete answers of a file, on this host."""
    from wizard import answers, host

    target, given = answers.read(path)
    here = host.look()
    return answers.complete(target, given, here), here


def _planned(path: Path) -> Plan:
    from wizard import review

    target, here = _read(path)
    return review.examined(target.plan(here))


def _plan(options: argparse.Namespace) -> int:
    from wizard import preview

    _report_interrupted()
    plan = _planned(options.answers)
    print(json.dumps(preview.as_json(plan), indent=2) if options.json else preview.text(plan))
    return DONE


def _apply(options: argparse.Namespace) -> int:
    from wizard import preview, transaction

    _report_interrupted()
    plan = _planned(options.answers)
    asks = sys.stdin.isatty() and not options.yes and not options.check and plan.changed
    if options.diff or asks:
        print(preview.text(plan), file=sys.stderr if options.json else sys.stdout)
    run = None
    if plan.changed and not options.check:
        if asks and not _agreed(f"Write these {len(plan.changes)} changes?"):
            return FAILED
        run = transaction.apply(plan, State.default(), _show_progress)
    result = {**preview.as_json(plan), "run": run.id if run else None}
    _say(options, result, _applied(plan, run.id if run else None))
    return CHANGED if options.detailed_exitcode and plan.changed else DONE


def _applied(plan: Plan, run: str | None) -> str:
    if not plan.changed:
        return "Nothing to change: everything is as it should be."
    if run is None:
        return f"{len(plan.changes)} changes would be written."
    todo = [
        f"  {advice.text}" + (f"\n    {advice.command}" if advice.command else "") for advice in plan.advice
    ]
    lines = [f"Done: {len(plan.changes)} changes. Take it back with: tls-wizard undo {run}"]
    return "\n".join([*lines, "You do now:", *todo] if todo else lines)


def _prove(options: argparse.Namespace) -> int:
    from wizard import proof

    target, here = _read(options.answers)
    result = proof.prove(target.proof(here))
    _say(options, proof.as_json(result), proof.text(result))
    return DONE if result.passed else PROOF_FAILED


def _history(options: argparse.Namespace) -> int:
    from wizard import history, journal

    _report_interrupted()
    runs = journal.history(State.default())
    _say(options, {"runs": [history.as_json(run) for run in runs]}, history.text(runs))
    return DONE


def _undo(options: argparse.Namespace) -> int:
    from wizard import history, preview, transaction

    _report_interrupted()
    state = State.default()
    run = history.find(state, options.name)
    plan = transaction.undo_plan(run, state)
    if sys.stdin.isatty() and not options.yes:
        print(preview.text(plan), file=sys.stderr if options.json else sys.stdout)
        if not _agreed(f"Take back these {len(plan.changes)} changes?"):
            return FAILED
    undone = transaction.undo(run, state, _show_progress)
    result = {**preview.as_json(plan), "run": undone.id, "undone": run.id}
    _say(
        options,
        result,
        f"Undone: {run.title}. Every byte is as it was before. A running service keeps "
        "what it has read until it is restarted.",
    )
    return DONE


def _recover(options: argparse.Namespace) -> int:
    from wizard import transaction

    run = transaction.recover(State.default())
    text = f"Rolled back: {run.title}. Everything is as it was before." if run else "Nothing to recover."
    _say(options, {"recovered": run.id if run else None}, text)
    return DONE


def _report_interrupted() -> None:
    from wizard import transaction

    run = transaction.interrupted(State.default())
    if run is not None:
        print(
            f"tls-wizard: an earlier run was interrupted: {run.title}. Roll it back with: tls-wizard recover",
            file=sys.stderr,
        )


def _show_progress(progress: Progress) -> None:
    print(f"  ✓ {progress.text}", file=sys.stderr)


def _agreed(text: str) -> bool:
    """Ask on the terminal; only a plain yes is one."""
    print(f"{text} [yes/no] ", end="", file=sys.stderr, flush=True)
    agreed = sys.stdin.readline().strip().lower() in ("y", "yes")
    if not agreed:
        print("Nothing was changed.", file=sys.stderr)
    return agreed


def _say(options: argparse.Namespace, result: dict[str, object], text: str) -> None:
    print(json.dumps(result, indent=2) if options.json else text)


if __name__ == "__main__":
    sys.exit(main())
