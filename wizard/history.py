"""What was done on this host, as people and programs read it."""

from __future__ import annotations

from wizard import journal
from wizard.errors import WizardError
from wizard.inert import inert
from wizard.journal import Run, Status
from wizard.state import State


def find(state: State, name: str | None) -> Run:
    """The run with this name; without one, the last that can be undone. Raises WizardError."""
    runs = journal.history(state)
    if name is None:
        in_force = [run for run in runs if run.status is Status.APPLIED and not run.undoes]
        if not in_force:
            raise WizardError("There is no run to undo. See: tls-wizard history")
        return in_force[-1]
    for run in runs:
        if run.id == name:
            return run
    raise WizardError(f'There is no run "{name}". See: tls-wizard history')


def text(runs: tuple[Run, ...]) -> str:
    """The runs, given as they were done, the last one first, each with its files."""
    if not runs:
        return "Nothing has been done on this host yet."
    lines = []
    for run in reversed(runs):
        lines.append(f"{run.id}  {run.time.astimezone():%Y-%m-%d %H:%M}  {run.status}  {inert(run.title)}")
        lines += [f"    {inert(str(path.parent))}: {inert(words)}" for path, words in run.files]
    return "\n".join(lines)


def recovered(run: Run | None) -> str:
    """How an interrupted run has ended, with what was left alone."""
    if run is None:
        return "Nothing to recover."
    if run.status is Status.APPLIED:
        return f"Completed: {run.title}. Every change had been written; only cleaning up was left."
    if not run.remarks:
        return f"Rolled back: {run.title}. Everything is as it was before."
    return "\n".join((f"Rolled back: {run.title}. To be looked at:", *run.remarks))


def as_json(run: Run) -> dict[str, object]:
    """A run as plain data."""
    return {
        "run": run.id,
        "target": run.target,
        "title": run.title,
        "time": run.time.isoformat(),
        "status": str(run.status),
        "undoes": run.undoes or None,
        "files": [{"path": str(path), "what": words} for path, words in run.files],
    }
