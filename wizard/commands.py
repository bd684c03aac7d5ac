"""The commands: each step of the way without the screens, as text or as one JSON object."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from wizard import terminal
from wizard.errors import WizardError
from wizard.inert import inert, inert_lines
from wizard.state import State
from wizard.streams import mute, tell

if TYPE_CHECKING:
    from wizard.host import Host
    from wizard.plan import Plan
    from wizard.targets import Target
    from wizard.transaction import Progress

DONE, CHANGED, PROOF_FAILED = 0, 2, 6


def targets(options: argparse.Namespace) -> int:
    """List what can be secured, and what was found on this host."""
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


def questions(options: argparse.Namespace) -> int:
    """Print an answers file to fill in."""
    from wizard import answers, host, targets
    from wizard.sheet import fill_in

    target = targets.named(options.target)
    print(answers.template(fill_in(target, {}, host.look())), end="")
    return DONE


def _read(options: argparse.Namespace, *, secrets: bool = True) -> tuple[Target, Host]:
    """The complete answers of a file, on this host; without `secrets` passphrases are left out."""
    from wizard import answers, host

    target, given = answers.read(options.answers, secrets=secrets)
    here = replace(host.look(), arguments=(options.command, str(options.answers.absolute())))
    if secrets:
        given = terminal.with_secrets(target, given, here)
    return answers.complete(target, given, here, secrets=secrets), here


def _planned(options: argparse.Namespace) -> Plan:
    from wizard import review

    target, here = _read(options)
    return review.prepared(target, here)


def plan(options: argparse.Namespace) -> int:
    """Show what would be written."""
    from wizard import preview

    plan = _planned(options)
    print(json.dumps(preview.as_json(plan), indent=2) if options.json else preview.text(plan))
    return DONE


def apply(options: argparse.Namespace) -> int:
    """Write the plan, after asking when there is somebody to ask."""
    from wizard import preview, transaction

    if not options.check:
        _refuse_unsettled()
    plan = _planned(options)
    asks = terminal.can_ask() and not options.yes and not options.check and plan.changed
    if options.diff or asks:
        print(preview.text(plan), file=sys.stderr if options.json else sys.stdout)
    else:
        for warning in plan.warnings:
            tell(f"! {preview.place(warning.path, warning.line)}{inert(warning.text)}")
    code = CHANGED if options.detailed_exitcode and plan.changed else DONE
    if options.check or not plan.changed:
        _say(options, {**preview.as_json(plan), "run": None}, _applied(plan, None))
        return code
    if asks:
        terminal.agree(f"Write {preview.how_many(plan)}?")
    _from_here_to_the_end()
    run = transaction.apply(plan, State.default(), _show_progress, in_place=options.in_place)
    _report(options, {**preview.as_json(plan), "run": run.id}, _applied(plan, run.id))
    return code


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


def prove(options: argparse.Namespace) -> int:
    """Connect to the service and show who gets in."""
    from wizard import proof

    target, here = _read(options, secrets=False)
    # A check may wait for seconds, so each is shown as it comes.
    if options.json:
        result = proof.prove(target.proof(here), lambda made: tell(proof.result_text(made)))
        print(json.dumps(proof.as_json(result), indent=2))
    else:
        result = proof.prove(target.proof(here), lambda made: print(proof.result_text(made), flush=True))
        print(proof.summary(result))
    return DONE if result.passed else PROOF_FAILED


def history(options: argparse.Namespace) -> int:
    """List what was done on this host."""
    from wizard import history, journal

    runs = journal.history(State.default())
    _say(options, {"runs": [history.as_json(run) for run in runs]}, history.text(runs))
    return DONE


def undo(options: argparse.Namespace) -> int:
    """Take a run back."""
    from wizard import history, preview, transaction

    state = State.default()
    run = history.find(state, options.name)
    plan = transaction.undo_plan(run, state)
    if terminal.can_ask() and not options.yes:
        print(preview.text(plan), file=sys.stderr if options.json else sys.stdout)
        terminal.agree(f"Take back {preview.how_many(plan)}?")
    _from_here_to_the_end()
    undone = transaction.undo(run, state, _show_progress)
    result = {**preview.as_json(plan), "run": undone.id, "undone": run.id}
    _report(
        options,
        result,
        f"Undone: {run.title}. Every byte is as it was before. {plan.advice[0].text}",
    )
    return DONE


def recover(options: argparse.Namespace) -> int:
    """End an interrupted run."""
    from wizard import history, transaction

    _from_here_to_the_end()
    run = transaction.recover(State.default())
    result: dict[str, object] = {
        "recovered": run.id if run else None,
        "status": str(run.status) if run else None,
    }
    _report(options, result, history.recovered(run))
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


def report_interrupted() -> None:
    """Say on standard error that an earlier run was interrupted, if one was."""
    from wizard import transaction

    try:
        run = transaction.interrupted(State.default())
    except WizardError as error:  # who writes hears of it again, as a refusal
        text = str(error)
    else:
        if run is None:
            return
        text = f"an earlier run was interrupted: {run.title}. Roll it back with: tls-wizard recover"
    tell(f"tls-wizard: {inert_lines(text)}")


def _show_progress(progress: Progress) -> None:
    tell(f"  ✓ {inert(progress.text)}")


def _say(options: argparse.Namespace, result: dict[str, object], text: str) -> None:
    print(json.dumps(result, indent=2) if options.json else inert_lines(text))


def _report(options: argparse.Namespace, result: dict[str, object], text: str) -> None:
    """Say what a run has done; should that fail, it is done all the same."""
    try:
        _say(options, result, text)
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        mute(sys.stdout)
        tell(inert_lines(text))


def _from_here_to_the_end() -> None:
    """Ignore what would stop the program: a run takes a moment, and then it is said what it did."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
