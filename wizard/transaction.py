"""Write a plan all or nothing, take it back, and recover after a kill or a power cut.

How a run goes. Each change has a second name beside the file, its *stage* (files.py), and each line below is
on the disk before the next begins:

    1  record      what is to be done, and a copy of every old content, in the state folder     -> intended
    2  stages      every new content is written beside its file, whole, with owner and mode     -> prepared
    3  exchange    one after the other in the plan's order, stage and file trade names; what
                   comes out must be the old content, or somebody has edited it meanwhile and
                   it goes back
    4  validation  the plan's commands, such as `nginx -t`
    5  commit      the record is renamed: one system call                                       -> committed
    6  cleaning    the stages, which now hold the old content, are removed                      -> applied

Before line 5 every way out, be it an error or a kill, leads to the old state; after it to the new one. To
roll back is to trade names again, so the very files that were there come back. It asks the disk what has
happened so far, not its memory; hence it is the same after an error, a kill and a power cut, can itself be
cut short at any point, and needs no space on a full disk.

An undo is a plan like any other, made from the record and the copies (undo_plan).

Not promised: that another program which reads two of the files in the instant of line 3 sees a matching pair;
and anything on storage that lies about flushing.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from wizard import files, journal
from wizard.errors import Drifted, WizardError
from wizard.exchange import exchange, remove_folder, remove_stage, restore, write_stage
from wizard.files import Entry
from wizard.journal import Run, Status, Step
from wizard.plan import Advice, Change, Directory, File, Link, Owner, Plan
from wizard.preflight import Problem, drifted, preflight, refuse, safe_path
from wizard.state import State
from wizard.validation import validate

__all__ = ["Problem", "Progress", "apply", "interrupted", "preflight", "recover", "undo", "undo_plan"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    done: int
    total: int
    text: str
    """What was just done: "created cert.pem"."""


def _silent(progress: Progress) -> None:
    del progress


# Apply ------------------------------------------------------------------------------------------------------


def apply(
    plan: Plan,
    state: State,
    progress: Callable[[Progress], None] = _silent,
    *,
    in_place: bool = False,
    undoes: str = "",
) -> Run:
    """Apply a plan, all or nothing.

    `in_place` accepts the weaker way of writing for files on which something is mounted; `undoes` names the
    run that the plan takes back. Hangup, interrupt and termination wait until the run has ended, in the
    calling thread; a program with more threads must block or handle them in the others.

    Raises `Drifted` when a file is not as in the preview, `Locked` when another run is at work, `WizardError`
    for everything else that stops it. In each case the old state is back, or the message says that `recover`
    is needed.
    """
    with state.lock(), _signals_held():
        run, work = _begin(plan, state, in_place=in_place, undoes=undoes)
        report = _reporter(progress, len(work) + len(plan.validations))
        try:
            for number, (_, change) in enumerate(work):
                write_stage(run, number, change)
            run = journal.mark(state, run, Status.PREPARED)
            for number, (step, change) in enumerate(work):
                exchange(run, number, change)
                report(step.summary)
            for command in plan.validations:
                validate(command)
                report(command.about or f"checked with {command.arguments[0]}")
            run = journal.mark(state, run, Status.COMMITTED)  # the commit
        except BaseException as error:  # even a mistake of ours: the old state comes back first
            _give_back(state, run, error)
            raise
        try:
            return _complete(state, run)
        except OSError:  # everything is in place; `recover` removes the stages that are left
            return run


def _reporter(progress: Callable[[Progress], None], total: int) -> Callable[[str], None]:
    count = itertools.count(1)
    return lambda text: progress(Progress(next(count), total, text))


def _begin(
    plan: Plan, state: State, *, in_place: bool, undoes: str
) -> tuple[Run, tuple[tuple[Step, Change], ...]]:
    """Do everything that comes before the first change: refuse what cannot be, then write the record."""
    with _told("Nothing was changed."):
        _refuse_after_interruption(state)
        refuse(preflight(plan, in_place=in_place, undo=bool(undoes)), "Nothing was changed.\n")
        work = tuple(_work(plan))
        copies = {
            number: change.before
            for number, (_, change) in enumerate(work)
            if isinstance(change, File) and change.before is not None
        }
        steps = tuple(step for step, _ in work)
        run = journal.begin(
            state,
            target=plan.target,
            title=plan.title,
            steps=steps,
            copies=copies,
            undoes=undoes,
            answers=plan.answers,
            awaits=plan.awaits,
        )
    return run, work


def _refuse_after_interruption(state: State) -> None:
    journal.tidy(state)
    if run := journal.interrupted(state):
        raise WizardError(
            f'The run "{run.title}" of {run.time:%Y-%m-%d %H:%M} UTC was interrupted. '
            "Run `tls-wizard recover` first; then nothing of it is left half done."
        )


def _work(plan: Plan) -> Iterator[tuple[Step, Change]]:
    """What really has to be done, with the state found now as the one to come back to."""
    mounted = files.mount_points()
    for change in plan.changes:
        path = safe_path(change)
        found = files.look(path)
        if isinstance(change, Directory):
            if change.present != (found is not None):
                yield Step(path, found, _folder_after(change), about=change.about), change
            continue
        if drifted(change, found):
            raise Drifted(f"Nothing was changed.\n{change.path}: has changed since the preview.")
        if isinstance(change, Link):
            step = Step(
                path, found, Entry("link", change.after) if change.after else None, about=change.about
            )
        else:
            step = Step(
                path,
                found,
                _file_after(change, found),
                attributes=tuple(files.get_attributes(path).items()) if found else (),
                in_place=path in mounted,
                about=change.about,
                secret=change.secret,
                hidden=change.hidden,
            )
        if step.before != step.after:
            yield step, change


def _folder_after(change: Directory) -> Entry | None:
    owner = change.owner or Owner(os.geteuid(), os.getegid())
    return Entry("directory", "", change.mode, owner.uid, owner.gid) if change.present else None


def _file_after(change: File, found: Entry | None) -> Entry | None:
    if change.after is None:
        return None
    owner = change.owner or (found.owner if found else Owner(os.geteuid(), os.getegid()))
    mode = change.mode if change.mode is not None else found.mode if found else 0o600
    return Entry("file", files.digest(change.after), mode, owner.uid, owner.gid)


def _complete(state: State, run: Run) -> Run:
    """After the commit: remove the stages, which hold the old contents, and the folders that are to go."""
    for number, step in enumerate(run.steps):
        if step.kind == "directory" and step.after is None:
            remove_folder(step.path)
        else:
            remove_stage(run, number)
    return journal.mark(state, run, Status.APPLIED)


# Roll back and recover --------------------------------------------------------------------------------------


def interrupted(state: State) -> Run | None:
    """The run that was killed before its end, if there is one; `recover` ends it."""
    with _told("So it is not known whether a run was interrupted."):
        return None if state.busy() else journal.interrupted(state)


def recover(state: State) -> Run | None:
    """End the interrupted run: roll it back, or complete it when it was committed. None: there is none."""
    again = "The interrupted run has not ended yet. Run `tls-wizard recover` again when this is mended."
    with _told(again):
        if journal.interrupted(state) is None:
            return None
    with state.lock(), _signals_held(), _told(again):
        run = journal.interrupted(state)
        if run is None:
            return None
        return _complete(state, run) if run.status is Status.COMMITTED else _roll_back(state, run)


def _give_back(state: State, run: Run, error: BaseException) -> None:
    """Roll back after an error and raise it again as a sentence that says where things stand."""
    try:
        # The commit itself may have failed half-way: what the disk says counts.
        at = journal.interrupted(state) or run
        if at.status is Status.COMMITTED:
            at = journal.mark(state, at, Status.PREPARED)
        remarks = "\n".join(("The old state is back; nothing was changed.", *_roll_back(state, at).remarks))
    except OSError as second:
        remarks = f"Going back to the old state failed too: {_reason(second)} Run `tls-wizard recover`."
    if isinstance(error, OSError):
        raise WizardError(f"{_reason(error)} {remarks}") from error
    if isinstance(error, WizardError):
        kind = Drifted if isinstance(error, Drifted) else WizardError
        raise kind(f"{error}\n{remarks}") from error


def _roll_back(state: State, run: Run) -> Run:
    remarks = list[str]()
    for number in reversed(range(len(run.steps))):
        if run.status is Status.INTENDED and run.steps[number].kind != "directory":
            remove_stage(run, number)  # perhaps not whole
        else:
            remarks += filter(None, [restore(state, run, number)])
    if not remarks:
        journal.forget_copies(state, run)
    return replace(journal.mark(state, run, Status.ROLLED_BACK), remarks=tuple(remarks))


# Undo -------------------------------------------------------------------------------------------------------


def undo_plan(run: Run, state: State) -> Plan:
    """The plan that takes a run back to the byte, in reverse order, for preview.

    Raises `Drifted`, naming every file, if any was edited since: their edits would be lost.
    """
    if run.status is not Status.APPLIED:
        raise WizardError(f'The run "{run.title}" is {run.status}, so there is nothing to undo.')
    with _told("Nothing was changed."):
        changes = [_reverse(state, run, number) for number in range(len(run.steps))]
    edited = [
        str(change.path)
        for change, step in zip(changes, run.steps, strict=True)
        if not isinstance(change, Directory) and drifted(change, step.after)
    ]
    if edited:
        raise Drifted(_edited_since(run, state, edited))
    return Plan(
        target=run.target,
        title=_undone_title(run.title),
        changes=tuple(reversed(changes)),
        advice=(Advice("A running service keeps what it has read until it is restarted."),),
    )


def _edited_since(run: Run, state: State, edited: list[str]) -> str:
    """Which files are no longer as the run left them, and which later run has changed them, if one has."""
    later: dict[str, str] = {}
    for other in journal.history(state):
        if other.number > run.number and other.status is Status.APPLIED and not other.undoes:
            later |= {str(step.path): other.id for step in other.steps}
    lines = [f"{path} (by the later run {later[path]})" if path in later else path for path in edited]
    if found := sorted({later[path] for path in edited if path in later}, reverse=True):
        lines.append(f"Take the later run back first: tls-wizard undo {found[0]}")
    else:
        lines.append("Put them back as the run has left them, then undo; or go on from here by hand.")
    opening = (
        "Nothing was changed. These files were edited or removed after the run, and the edits would be lost:"
    )
    return "\n".join((opening, *lines))


def _undone_title(title: str) -> str:
    """`Undo: X` for X, and `Redo: X` for that, and again."""
    words, _, what = title.partition(": ")
    return {"Undo": f"Redo: {what}", "Redo": f"Undo: {what}"}.get(words, f"Undo: {title}")


def undo(run: Run, state: State, progress: Callable[[Progress], None] = _silent) -> Run:
    """Take a run back: the same transaction, backwards. Raises what `undo_plan` and `apply` raise."""
    accepted = any(step.in_place for step in run.steps)
    return apply(undo_plan(run, state), state, progress, in_place=accepted, undoes=run.id)


def _reverse(state: State, run: Run, number: int) -> Change:
    """The change from what is there now to what was there before a step."""
    step, before = run.steps[number], run.steps[number].before
    if step.kind == "directory":
        if before is None:
            return Directory(path=step.path, present=False, about=step.about)
        return Directory(path=step.path, mode=before.mode, owner=before.owner, about=step.about)
    now = files.look(step.path)
    there = now is not None and now.kind == step.kind
    if step.kind == "link":
        return Link(
            path=step.path,
            before=now.digest if now and there else None,
            after=before.digest if before else None,
            about=step.about,
        )
    return File(
        path=step.path,
        before=files.read(step.path) if there else None,
        after=journal.kept(state, run, number) if before else None,
        mode=before.mode if before else None,
        owner=before.owner if before else None,
        attributes=step.attributes if before else None,
        secret=step.secret,
        hidden=step.hidden,
        about=step.about,
    )


# Helpers ----------------------------------------------------------------------------------------------------


@contextmanager
def _signals_held() -> Iterator[None]:
    """Let hangup (a dropped SSH connection), interrupt and termination wait until afterwards."""
    before = signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM}
    )
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _told(ending: str) -> Iterator[None]:
    """Turn what the system refuses into a sentence."""
    try:
        yield
    except OSError as error:
        raise WizardError(f"{_reason(error)} {ending}") from error


def _reason(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
