"""One change of a run: its stage is written, trades names with the file, and trades back if need be.

Each step is one of three, N the new state, O the old one, - nothing:

                   stage, path          afterwards
    create         N      -             -      N
    edit           N      O             O      N
    remove         -      O             O      -

so the two names alone tell whether a step has been done, and doing it twice undoes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wizard import files, journal
from wizard.errors import Drifted, WizardError
from wizard.files import Entry
from wizard.journal import Run, Step
from wizard.plan import Change, Directory, File
from wizard.state import State


def write_stage(run: Run, number: int, change: Change) -> None:
    """Write the new state in full beside its place, on the disk; a new folder is made at once.

    Raises `WizardError` when the file system does not keep it as it was written: it could not be recognised
    later.
    """
    step = run.steps[number]
    if step.after is None or step.in_place:
        return
    with _names(run, number) as (stage, path):
        if isinstance(change, Directory):
            files.make_directory(path, mode=step.after.mode, owner=step.after.owner)
            return
        content = change.after if isinstance(change, File) else None
        _write(stage, step.after, content, _attributes_after(step, change))
        if files.look(stage) != step.after:
            raise WizardError(
                f"{step.path}: this file system does not keep the owner and permissions of a file as they "
                "are set, so a change could not be taken back safely. Choose a folder on a Linux file system."
            )
        files.sync(stage.parent)


def exchange(run: Run, number: int, change: Change) -> None:
    """Put the new state in its place, and make sure that what came out is the old one.

    Raises `Drifted` when somebody has edited, made or removed the file in the meantime; what they wrote is
    back.
    """
    step = run.steps[number]
    if step.kind == "directory":
        return  # made with the stages, or removed after the commit
    with _names(run, number) as (stage, path):
        if step.in_place:
            _write_in_place(step, path, change)
            return
        try:
            _trade(stage, path, at_stage=step.after, at_path=step.before)
        except (FileExistsError, FileNotFoundError) as error:
            raise Drifted(f"{step.path}: was created or removed by somebody else in this instant.") from error
        files.sync(path.parent)
        if files.look(stage) != step.before:
            _trade(stage, path, at_stage=step.before, at_path=step.after)
            files.sync(path.parent)
            raise Drifted(f"{step.path}: was edited by somebody else in this instant; the edit is kept.")


def restore(state: State, run: Run, number: int) -> str:
    """Take a step back if it was done; answers with a remark when somebody has edited the file since.

    A remark too, not an error, when its copy is needed and no longer right: the other steps still go back.
    """
    step = run.steps[number]
    if step.kind == "directory":
        remove_folder(step.path) if step.after else None
        return ""
    try:
        with _names(run, number) as (stage, path):
            if step.in_place:
                return _restore_in_place(state, run, number, path)
            return _restore(state, run, number, stage, path)
    except (FileNotFoundError, NotADirectoryError):
        if step.before or step.path.parent.is_dir():
            raise
        return ""  # the new folder it was to be in has not been made, or is gone
    except WizardError as error:
        return str(error)


def _restore(state: State, run: Run, number: int, stage: Path, path: Path) -> str:
    step = run.steps[number]
    files.settle(stage, path)
    at_stage, at_path = files.look(stage), files.look(path)
    if at_stage is None and step.before and at_path in (step.after, None):  # somebody has tidied up
        at_stage = _stage_copy(state, run, number, stage)
    if at_stage != step.after and at_path == step.after:  # done
        _trade(stage, path, at_stage=at_stage, at_path=at_path)
        files.sync(path.parent)
        at_stage = files.look(stage)
    if at_stage is None:
        return ""
    if at_stage == step.after:
        stage.unlink()
        files.sync(stage.parent)
        return ""
    other = run.stage(number)
    return f"{step.path}: was edited meanwhile, and is left as it is; the other version of it is in {other}."


def remove_stage(run: Run, number: int) -> None:
    """Remove what is left at a stage: after a commit the old state, after a roll back the new one."""
    try:
        with _names(run, number) as (stage, _):
            stage.unlink()
            files.sync(stage.parent)
    except FileNotFoundError:
        return


def remove_folder(folder: Path) -> None:
    """Remove a folder, unless it is gone already or somebody has put something into it."""
    try:
        folder.rmdir()
    except OSError:
        if not folder.exists() or any(folder.iterdir()):
            return
        raise
    files.sync(folder.parent)


@contextmanager
def _names(run: Run, number: int) -> Iterator[tuple[Path, Path]]:
    """Stage and path of a step, by names that stay in the folder even when it is exchanged meanwhile.

    In an error they are the names that people know.
    """
    real = run.steps[number].path.parent
    with files.held(real) as folder:
        try:
            yield folder / run.stage(number).name, folder / run.steps[number].path.name
        except OSError as error:
            if isinstance(error.filename, str) and error.filename.startswith(str(folder)):
                error.filename = str(real) + error.filename.removeprefix(str(folder))
            raise


def _trade(stage: Path, path: Path, *, at_stage: Entry | None, at_path: Entry | None) -> None:
    if at_stage is None:
        files.take(path, stage)
    elif at_path is None:
        files.put(stage, path)
    else:
        files.swap(stage, path)


def _write(path: Path, entry: Entry, content: bytes | None, attributes: files.Attributes) -> None:
    if content is None:
        path.symlink_to(entry.digest)
    else:
        files.create(path, content, mode=entry.mode, owner=entry.owner, attributes=attributes)


def _stage_copy(state: State, run: Run, number: int, stage: Path) -> Entry | None:
    """Write the old state to the stage, from which it should not have vanished; answers with it."""
    step = run.steps[number]
    draft = stage.with_name(stage.name + ".copy")
    draft.unlink(missing_ok=True)
    if step.before:
        content = journal.kept(state, run, number) if step.kind == "file" else None
        _write(draft, step.before, content, dict(step.attributes))
    draft.rename(stage)
    files.sync(stage.parent)
    return step.before


def _attributes_after(step: Step, change: Change) -> files.Attributes:
    attributes = change.attributes if isinstance(change, File) else None
    return dict(step.attributes if attributes is None else attributes)


# In place: the weaker way -----------------------------------------------------------------------------------


def _write_in_place(step: Step, path: Path, change: Change) -> None:
    if files.look(path) != step.before:
        raise Drifted(f"{step.path}: was edited by somebody else in this instant; the edit is kept.")
    if isinstance(change, File) and change.after is not None and step.after is not None:
        attributes = _attributes_after(step, change)
        files.overwrite(
            path, change.after, mode=step.after.mode, owner=step.after.owner, attributes=attributes
        )


def _restore_in_place(state: State, run: Run, number: int, path: Path) -> str:
    """Write the old content back; a torn file and one edited since look alike, so either is kept."""
    step = run.steps[number]
    found = files.look(path)
    if found == step.before or step.before is None:
        return ""
    content = journal.kept(state, run, number)
    kept = journal.keep(state, run, number, files.read(path)) if found != step.after else None
    files.overwrite(
        path,
        content,
        mode=step.before.mode,
        owner=step.before.owner,
        attributes=dict(step.attributes),
    )
    return f"{step.path}: is as before the run; what was found there is in {kept}." if kept else ""
