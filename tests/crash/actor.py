"""The processes that are killed. This one forks them, so that none has to start Python first.

It reads requests from standard input, "STEP ROOT OUTPUT [MUTANT]". For each it forks a child, which does what
comes before the step, answers with its process number, waits for the word to go (by then strace has
attached), does the step with the engine, and writes what the wizard has to say to the file OUTPUT. When the
child has ended its exit code is answered, negative for a signal.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.crash import mutants, scenario
from wizard import transaction
from wizard.errors import WizardError
from wizard.journal import Run
from wizard.plan import Command
from wizard.state import State

REFUSED = 3
"""The exit code when the wizard stopped with a sentence; all others but 0 are mistakes of the engine."""


def prepare(step: str, root: Path) -> Callable[[], Run | None]:
    """Do what comes before a step, and answer with the step."""
    state = State(root / "state")
    plan = scenario.plan_for(root / "host", validations=(Command(("true",)),))
    match step:
        case "apply":
            return lambda: transaction.apply(plan, state, in_place=True)
        case "undo":
            run = transaction.apply(plan, state)
            return lambda: transaction.undo(run, state)
        case "recover-prepared":
            scenario.apply_until_killed(plan, state, after=len(plan.changes), in_place=True)
        case "recover-committed":
            scenario.apply_until_killed(plan, state, after=scenario.COMMIT)
    return lambda: transaction.recover(state)


def perform(step: str, root: str, output: str, mutant: str = "") -> NoReturn:
    """The life of a child."""
    action = prepare(step, Path(root))
    if mutant:
        mutants.ALL[mutant]()
    said = os.open(output, os.O_WRONLY)
    answer(os.getpid())
    os.readv(0, [bytearray(len("go\n"))])  # no other call is readv, so it spoils nobody's count
    code = 1
    try:
        action()
        code = 0
    except WizardError as error:
        os.writev(said, [str(error).encode()])
        code = REFUSED
    except BaseException:  # whatever it is, the judge hears of it
        os.writev(said, [traceback.format_exc().encode()])
    finally:
        os._exit(code)


def answer(number: int) -> None:
    """Write one line, past any buffer."""
    os.write(1, f"{number}\n".encode())


if __name__ == "__main__":
    for request in sys.stdin:
        child = os.fork()
        if child == 0:
            perform(*request.split())
        answer(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
