"""A plan together with what stands in its way, found before it is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from wizard.errors import WizardError
from wizard.host import Host
from wizard.kinds import FilePath, PerhapsFilePath
from wizard.plan import Change, File, Plan, Tell, Warning, silent
from wizard.preflight import preflight, refuse
from wizard.sheet import Q, Sheet
from wizard.targets import Target


def prepared(target: Target, host: Host, tell: Tell = silent) -> Plan:
    """What the answers come to on this host, examined; it remembers the answers. Raises WizardError."""
    try:
        plan = target.plan(host, tell)
    except OSError as error:  # what was looked at for the answers has changed since
        raise WizardError(f"{error.filename or 'The system'} says: {error.strerror}.") from None
    return examined(replace(plan, answers=target.plain(host)))


def answer_behind(change: Change, sheet: Sheet[Q]) -> str:
    """The question whose answer decides most of a change: where a file that is edited stands, what is made
    for a name or as a key, else the folder it goes into. Empty where no answer does.
    """
    places = {
        Path(entry.text): entry.question.name
        for entry in sheet.asked
        if isinstance(entry.question.kind, FilePath | PerhapsFilePath) and entry.text
    }
    if change.path in places:
        return places[change.path]
    asked = {entry.question.name for entry in sheet.asked}
    if isinstance(change, File) and change.described and "common_name" in asked:
        return "common_name"
    if isinstance(change, File) and change.secret and "key_type" in asked:
        return "key_type"
    return next((places[folder] for folder in change.path.parents if folder in places), "")


def examined(plan: Plan) -> Plan:
    """The plan with what the operator should know of its places on the disk among its warnings.

    The weaker way of writing, for a file on which something is mounted, is one of them: who applies the plan
    has to accept it. Raises WizardError naming everything that would stop it, Drifted when a file has changed
    since the plan was made.
    """
    problems = preflight(plan, in_place=True)
    refuse(problems)
    known = [Warning(problem.sentence, problem.path) for problem in problems]
    return replace(plan, warnings=(*plan.warnings, *known))
