"""A plan together with what stands in its way, found before it is shown."""

from __future__ import annotations

from dataclasses import replace

from wizard.errors import WizardError
from wizard.host import Host
from wizard.plan import Plan, Tell, Warning, silent
from wizard.preflight import preflight, refuse
from wizard.targets import Target


def prepared(target: Target, host: Host, tell: Tell = silent) -> Plan:
    """What the answers come to on this host, examined; it remembers the answers. Raises WizardError."""
    try:
        plan = target.plan(host, tell)
    except OSError as error:  # what was looked at for the answers has changed since
        raise WizardError(f"{error.filename or 'The system'} says: {error.strerror}.") from None
    return examined(replace(plan, answers=target.plain(host)))


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
