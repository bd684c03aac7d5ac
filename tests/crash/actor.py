"""The process that is killed: `actor.py STEP ROOT [MUTANT]` does one thing with the engine.

STEP is "apply", "undo", "recover-prepared" (everything exchanged, nothing committed), or "recover-committed"
(nothing cleaned up). What comes before the step itself is done in this process too, so that each system call
has the same ordinal number each time; the call MARKER separates it from the step.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.crash import mutants, scenario
from wizard import transaction
from wizard.errors import WizardError
from wizard.journal import Run
from wizard.plan import Command
from wizard.state import State

MARKER = "/__the_step_begins__"
REFUSED = 3
"""The exit code with a sentence on standard output; any other than this and 0 is a mistake of the engine."""


def prepare(step: str, root: Path, state: State) -> Callable[[], Run | None]:
    """Do what comes before a step, and answer with the step."""
    plan = scenario.plan_for(root / "host", validations=(Command(("true",)),))
    match step:
        case "apply":
            return lambda: transaction.apply(plan, state)
        case "undo":
            run = transaction.apply(plan, state)
            return lambda: transaction.undo(run, state)
        case "recover-prepared":
            scenario.apply_until_killed(plan, state, after=len(plan.changes))
        case "recover-committed":
            scenario.apply_until_killed(plan, state, after=scenario.COMMIT)
    return lambda: transaction.recover(state)


def main() -> int:
    """Run the step."""
    step, root = sys.argv[1], Path(sys.argv[2])
    action = prepare(step, root, State(root / "state"))
    if sys.argv[3:]:
        mutants.ALL[sys.argv[3]]()
    os.access(MARKER, os.F_OK)
    try:
        action()
    except WizardError as error:
        print(error)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
