"""The commands: each step of the way without the screens, as text or as one JSON object."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING

from wizard import terminal
from wizard.address import Address
from wizard.errors import WizardError, WrongUsage
from wizard.inert import inert, inert_line, inert_lines
from wizard.kinds import LARGEST_PASTE
from wizard.state import State
from wizard.streams import mute, tell

if TYPE_CHECKING:
    from wizard.flags import Setup
    from wizard.host import Host
    from wizard.journal import Run
    from wizard.kinds import Raw
    from wizard.plan import Command, Plan
    from wizard.probe import Endpoint
    from wizard.proof import Check
    from wizard.targets import Target
    from wizard.transaction import Progress

DONE, CHANGED, PROOF_FAILED = 0, 2, 6


def targets(options: argparse.Namespace) -> int:
    """List what can be secured, and what was found on this host."""
    from wizard import host, preview, targets

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
        waiting = [{"run": run.id, "title": run.title} for run in _waiting()]
        print(json.dumps({"host": here.name, "targets": rows, "waiting": waiting}, indent=2))
        return DONE
    for target, what in found:
        print(f"{target.key:<12}{target.title:<20}{inert_line(what.status)}")
        for detail in what.details:
            print(f"{'':12}{inert_line(detail)}")
        for warning in what.warnings:
            print(f"{'':12}! {inert_line(preview.place(warning.path, warning.line) + warning.text)}")
    for run in _waiting():
        print(f"waits       {inert(run.title)}: tls-wizard resume --run {run.id} FILES")
    return DONE


def _waiting() -> tuple[Run, ...]:
    """The setups that wait for a certificate; whoever asks for the history hears why it cannot be read."""
    from wizard import again

    try:
        return again.waiting(State.default())
    except WizardError:
        return ()


def questions(options: argparse.Namespace) -> int:
    """Print an answers file to fill in."""
    from wizard import answers, host
    from wizard.sheet import fill_in

    setup: Setup = options.about
    here = replace(host.look(), arguments=options.again)
    sheet = fill_in(setup.target, setup.given(secrets=False), here)
    if wrong := [entry for entry in sheet.wrong if entry.given]:
        raise answers.refusal(setup.target, wrong)
    text = answers.template(sheet, setup.secret_files())
    if sys.stdout is not None:
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))  # as TOML is, whatever the locale
    return DONE


def _read(options: argparse.Namespace, *, secrets: bool = True) -> tuple[Target, Host]:
    """The complete answers to what a command is about, on this host; without `secrets` no passphrases."""
    from wizard import answers, host

    setup: Setup = options.about
    given = setup.given(secrets=secrets)
    here = replace(host.look(), arguments=options.again)
    if secrets:
        given = _with_secrets(options, setup.target, given, here)
    return answers.complete(setup.target, given, here, secrets=secrets), here


def _with_secrets(
    options: argparse.Namespace, target: type[Target], given: dict[str, Raw], here: Host
) -> dict[str, Raw]:
    """The answers with passphrases: those that are only for a preview are not asked for."""
    terminal.judge_new(target, given, here)
    if options.command == "plan" or options.check:
        given = terminal.for_preview(target, given, here)
    return terminal.with_secrets(target, given, here)


def _planned(target: Target, here: Host) -> Plan:
    from wizard import review

    return review.prepared(target, here, terminal.progress())


def plan(options: argparse.Namespace) -> int:
    """Show what would be written."""
    from wizard import preview

    plan = _planned(*_read(options))
    print(json.dumps(preview.as_json(plan), indent=2) if options.json else preview.text(plan))
    return DONE


def apply(options: argparse.Namespace) -> int:
    """Write the plan, after asking when there is somebody to ask."""
    return _apply(options, *_read(options))


def resume(options: argparse.Namespace) -> int:
    """Go on with a setup that waits, now that its certificate has come."""
    from wizard import again

    run = again.waiting_run(State.default(), options.run_name)
    parts = [_delivered(name) for name in options.files]
    return _apply(options, *_taken_up(options, again.resumed(run, parts)))


def _delivered(name: str) -> str:
    """A file by its full path; what comes on standard input as it is."""
    if name != "-":
        return str(Path(name).absolute())
    if sys.stdin is None:
        raise WrongUsage("- reads standard input, but that is closed. Give the names of the files.")
    return sys.stdin.buffer.read(LARGEST_PASTE + 1).decode("ascii", "replace")


def reissue(options: argparse.Namespace) -> int:
    """Make a certificate again."""
    from wizard import again

    found = again.reissued(State.default(), options.certificate, new_key=options.new_key)
    return _apply(options, *_taken_up(options, found))


def _taken_up(
    options: argparse.Namespace, found: tuple[type[Target], Mapping[str, Raw]]
) -> tuple[Target, Host]:
    """The answers of an earlier run, complete, on this host."""
    from wizard import answers, host

    target, given = found[0], dict(found[1])
    here = replace(host.look(), arguments=options.again)
    if options.passphrase_file:
        secret = answers.read_secret(options.passphrase_file)
        given |= {asked.name: secret for asked in target.questions() if asked.secret}
    given = _with_secrets(options, target, given, here)
    return answers.complete(target, given, here, flags=False), here


def certificates(options: argparse.Namespace) -> int:
    """List the certificates made or installed here, and the setups that wait for one."""
    from datetime import UTC, datetime

    from wizard import again
    from wizard.inventory import inventory, report

    state = State.default()
    rows, waiting = inventory(state, datetime.now(UTC)), again.waiting(state)
    _say(options, report.as_json(rows, waiting), report.text(rows, waiting))
    return DONE


def _apply(options: argparse.Namespace, target: Target, here: Host) -> int:
    from wizard import preview, transaction

    if not options.check:
        _refuse_unsettled()
    plan = _planned(target, here)
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
    run = transaction.apply(plan, State.default(), show_progress, in_place=options.in_place)
    _report(options, {**preview.as_json(plan), "run": run.id}, _applied(plan, run.id))
    return code


def _applied(plan: Plan, run: str | None) -> str:
    from wizard import preview

    if not plan.changed:
        return f"Nothing to change: {preview.why_nothing(plan)}."
    how_many = preview.how_many(plan)
    if run is None:
        return f"{how_many} would be written."
    todo = [line for advice in plan.advice for line in preview.advice_lines(advice)]
    lines = [f"Done: {how_many}. Take it back with: tls-wizard undo {run}"]
    return "\n".join([*lines, "You do now:", *todo] if todo else lines)


def prove(options: argparse.Namespace) -> int:
    """Connect to the service and show who gets in, or to any address and say what is there."""
    from wizard import proof
    from wizard.probe import TIMEOUT

    checks = _checks(options)
    if terminal.is_watched():
        tell(f"Real connections; a server that says nothing is given {TIMEOUT:.0f} seconds each time:")
    # A check may wait for seconds, so each is shown as it comes.
    if options.json:
        result = proof.prove(checks, lambda made: tell(proof.result_text(made)))
        print(json.dumps(proof.as_json(result), indent=2))
    else:
        result = proof.prove(checks, lambda made: print(proof.result_text(made), flush=True))
        print(proof.summary(result))
    return DONE if result.passed else PROOF_FAILED


def _checks(options: argparse.Namespace) -> tuple[Check, ...]:
    """What is to be proven: of a setup, by its answers, or of an address with the files that are named."""
    if not isinstance(options.about, Address):
        target, here = _read(options, secrets=False)
        return target.proof(here)
    from wizard.connecting import trial
    from wizard.connecting.call import Call, Files, request_for
    from wizard.connecting.modes import Mode

    ca, certificate, key = (path and path.absolute() for path in (options.ca, options.cert, options.key))
    if (certificate is None) != (key is None):
        raise WrongUsage("--cert and --key go together: the client's certificate and its private key.")
    mode = Mode(options.mode) if options.mode else Mode.FULL if certificate else Mode.VERIFY_CA
    if mode.presents and certificate is None:
        raise WrongUsage("The mode full presents a client certificate: name it with --cert and --key.")
    address, files = options.about, Files(ca, certificate, key)
    endpoint = _endpoint(options.connect) if options.connect is not None else address.endpoint
    return trial.checks(Call(address, endpoint, files, mode, request_for(address, endpoint, files)))


def _endpoint(text: str) -> Endpoint:
    from wizard.kinds import HostAndPort
    from wizard.probe import Endpoint

    try:
        return Endpoint.parse(HostAndPort().read(text))
    except ValueError as error:
        raise WrongUsage(f"--connect {text}: {error}") from None


def history(options: argparse.Namespace) -> int:
    """List what was done on this host."""
    from wizard import history, journal

    runs = journal.history(State.default())
    _say(options, {"runs": [history.as_json(run) for run in runs]}, history.text(runs))
    return DONE


def undo(options: argparse.Namespace) -> int:
    """Take a run back."""
    from wizard import again, history, host, preview, transaction

    state = State.default()
    run = history.find(state, options.name)
    plan = again.undone(run, state, host.look())
    if terminal.can_ask() and not options.yes:
        print(preview.text(plan), file=sys.stderr if options.json else sys.stdout)
        terminal.agree(f"Take back {preview.how_many(plan)}?")
    _from_here_to_the_end()
    undone = transaction.undo(run, state, show_progress)
    result = {**preview.as_json(plan), "run": undone.id, "undone": run.id}
    _report(
        options,
        result,
        f"Undone: {run.title}. Every byte is as it was before. {plan.advice[0].text}{_by(plan.restart)}",
    )
    return DONE


def _by(restart: Command | None) -> str:
    return f"\n  {join(restart.arguments)}" if restart is not None else ""


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


def show_progress(progress: Progress) -> None:
    """Say on standard error what was just done."""
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
