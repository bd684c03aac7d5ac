"""All sweeps by what they show, and what a machine must have to run them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from tests.crash import disks, mutants, sweep
from tests.crash.sweep import Tally, Trial

PROOFS: dict[str, Callable[[], Iterable[Trial]]] = {
    "killed at every call while applying": lambda: sweep.kills("apply"),
    "killed at every call while undoing": lambda: sweep.kills("undo"),
    "killed at every call while rolling back": lambda: sweep.kills("recover-prepared"),
    "killed at every call while completing": lambda: sweep.kills("recover-committed"),
    "killed at every call, hard links only": lambda: sweep.kills_without_exchange("apply"),
    "the same while rolling back": lambda: sweep.kills_without_exchange("recover-prepared"),
    "killed at every call, a mounted file": lambda: sweep.kills_in_place("apply"),
    "the same while rolling back over an edit": sweep.kills_of_recovery_over_an_edit,
    "killed while rolling back, stages removed": sweep.kills_of_recovery_without_stages,
    "hangup and termination while applying": lambda: sweep.signals("apply"),
    "hangup and termination while undoing": lambda: sweep.signals("undo"),
    "six errors at every call while applying": lambda: sweep.errors("apply"),
    "six errors at every sixth call while undoing": lambda: sweep.errors("undo", every=6),
    "six errors at every call while rolling back": lambda: sweep.errors("recover-prepared"),
    "errors that stay while applying": lambda: sweep.lasting_errors("apply"),
    "errors that stay while rolling back": lambda: sweep.lasting_errors("recover-prepared"),
    "power cut while applying": lambda: disks.power_cuts("apply"),
    "power cut while undoing": lambda: disks.power_cuts("undo"),
    "power cut while rolling back": lambda: disks.power_cuts("recover-prepared"),
    "power cut while completing": lambda: disks.power_cuts("recover-committed"),
    "a nearly full disk": disks.nearly_full,
    "recovery on a full disk": disks.recoveries_on_a_full_disk,
}


def mutant_found(name: str) -> Tally:
    """Sweep an engine with one thing wrong until a failure shows it."""
    cuts = name.startswith("no_fsync")
    trials = disks.power_cuts("apply", mutant=name) if cuts else sweep.kills("apply", mutant=name)
    return sweep.sweep(name, trials, until_failure=True)


MUTANTS = tuple(mutants.ALL)


@cache
def missing() -> str:
    """What this machine lacks, in words, or nothing."""
    if os.geteuid() != 0:
        return "root"
    programs = {"strace": "strace", "mkfs.ext4": "e2fsprogs", "mount": "mount"}
    if lacking := [package for program, package in programs.items() if shutil.which(program) is None]:
        return ", ".join(lacking)
    traced = ["strace", "-o", os.devnull, "-e", "trace=none", "true"]
    if subprocess.run(traced, capture_output=True, check=False).returncode:
        return "the right to trace processes (ptrace)"
    return "" if Path("/dev/loop-control").exists() else "loop devices"
