"""Earlier runs taken up again: a setup that waits for its certificate, a certificate that is made anew."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import join

from wizard import answers, journal, service, transaction
from wizard.errors import WizardError
from wizard.host import Host
from wizard.journal import Run, Status
from wizard.kinds import Choice, Raw, Text
from wizard.plan import Advice, Command, Plan
from wizard.sheet import fill_in
from wizard.small_files import read_small
from wizard.state import State
from wizard.targets import Target


@dataclass(frozen=True, slots=True)
class Waiting:
    """A setup that waits for a certificate, with its signing request."""

    run: Run
    request: Path
    text: str
    """The request as PEM; empty when its file has gone."""


def waiting(state: State) -> tuple[Run, ...]:
    """The setups that wait for a certificate, the oldest first. Raises WizardError."""
    return journal.waiting(journal.history(state))


def with_request(run: Run) -> Waiting:
    """A setup that waits, with what it has asked for."""
    made = [step.path for step in run.steps if step.path.suffix == ".csr"]
    path = made[0] if made else run.awaits or Path()
    try:
        text = read_small(path).decode("ascii", "replace")
    except OSError:
        text = ""
    return Waiting(run, path, text)


def waiting_run(state: State, name: str | None) -> Run:
    """The setup of this name that waits, or without a name the only one. Raises WizardError."""
    runs = waiting(state)
    if not runs:
        raise WizardError("No setup waits for a certificate here.")
    listed = "\n".join(f"  {run.id}  {run.title}" for run in runs)
    if name is None and len(runs) == 1:
        return runs[0]
    found = next((run for run in runs if run.id == name), None)
    if found is None:
        what = f'No setup "{name}" waits.' if name else "More than one setup waits; name the one."
        raise WizardError(f"{what} These do:\n{listed}")
    return found


def restart_of(complete: Target, host: Host) -> Command | None:
    """How the service that these answers are for is restarted; None: nobody knows."""
    try:
        return complete.restart(host)
    except (WizardError, OSError):  # whoever proves hears what is wrong
        return None


def undone(run: Run, state: State, host: Host) -> Plan:
    """The plan that takes a run back, with the restart that tells the service. Raises WizardError."""
    plan = transaction.undo_plan(run, state)
    try:
        target, given = answers.of_run(run)
    except WizardError:  # of another version
        return plan
    complete = fill_in(target, given, host, secrets=False).answers
    restart = restart_of(complete, host) if complete is not None else None
    if restart is None:
        return plan
    told = f"A running service keeps what it has read until you {service.words(restart)}."
    return replace(plan, restart=restart, advice=(Advice(told, join(restart.arguments)),))


def resumed(run: Run, delivered: Sequence[str]) -> tuple[type[Target], dict[str, Raw]]:
    """The target and answers with which a setup goes on, with what was delivered: files, or PEM text."""
    target, given = answers.of_run(run)
    return target, {**given, "delivered": list(delivered)}


def recorded(run: Run) -> Target:
    """The answers of a run as they were, without looking whether they still can be used.

    One that was not asked is missing. Raises BadAnswers, or ValueError for an answer that is of no kind.
    """
    target, given = answers.of_run(run)
    found = target.__new__(target)
    for asked in target.questions():
        if asked.name in given:
            # What can be chosen depends on the host: a server of nginx, an authority.
            kind = Text() if isinstance(asked.kind, Choice) else asked.kind
            object.__setattr__(found, asked.name, kind.read(given[asked.name]))
        elif asked.kind.optional:
            object.__setattr__(found, asked.name, asked.kind.read(""))
    return found


def reissued(state: State, path: Path, *, new_key: bool) -> tuple[type[Target], dict[str, Raw]]:
    """The target and answers with which the certificate at this path is made anew. Raises WizardError."""
    real = Path(os.path.realpath(path))
    in_force = [run for run in journal.history(state) if run.status is Status.APPLIED and not run.undoes]
    made = [run for run in in_force if real in {step.path for step in run.steps}]
    if not made:
        raise WizardError(f"{path} was not made by the wizard on this host. See: tls-wizard certificates")
    if not made[-1].answers:
        raise WizardError(f"{path}: the run that made it, {made[-1].id}, does not tell how.")
    if "reissue" not in {asked.name for asked in answers.of_run(made[-1])[0].questions()}:
        raise WizardError(
            f"{path} has only been copied there. Make the certificate again where it was made, then apply "
            "the same answers again."
        )
    if _is_authority(real):
        raise WizardError(
            f"{path} is the certificate of an authority, which is not made again: all who trust it would "
            "have to be told. What it has issued can be made again; once it has ended, the next run makes a "
            "new authority."
        )
    # What the setup has come to since, such as another client, is to stay.
    latest = [run for run in in_force if _same_setup(run, made[-1])][-1]
    target, given = answers.of_run(latest)
    return target, {**given, "reissue": [str(real)], "new_keys": new_key}


def _is_authority(path: Path) -> bool:
    from wizard.material import MaterialError
    from wizard.material.authority import may_issue
    from wizard.sources.authority_folder import first_certificate

    try:
        return may_issue(first_certificate(path))
    except (OSError, MaterialError):  # what is wrong with it is told where it is made again
        return False


def _same_setup(run: Run, other: Run) -> bool:
    """Whether two runs were for the same service: the same target, with its files in the same folder."""
    return run.target == other.target and run.answers.get("directory") == other.answers.get("directory")
