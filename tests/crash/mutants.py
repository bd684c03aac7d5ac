"""Engines with one thing wrong, which the sweeps must find: they show that the sweeps can fail."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from wizard import files, journal, transaction
from wizard.files import Entry
from wizard.journal import Run, Status
from wizard.plan import File
from wizard.state import State


def no_fsync() -> None:
    """Nothing is brought to the disk."""
    vars(os)["fsync"] = lambda _: None


def no_fsync_beside() -> None:
    """The state folder reaches the disk, the names of the host's files do not."""
    sync = files.sync

    def only_state(folder: Path) -> None:
        if "runs" in folder.parts:
            sync(folder)

    files.sync = only_state


def no_chown() -> None:
    """New contents belong to whoever runs the wizard."""
    after = transaction._file_after

    def ours(change: File, found: Entry | None) -> Entry | None:
        entry = after(change, found)
        return entry and replace(entry, uid=os.geteuid(), gid=os.getegid())

    transaction._file_after = ours


def in_place() -> None:
    """A file is truncated and written again."""

    def swap(stage: Path, path: Path) -> None:
        new, old = stage.read_bytes(), path.read_bytes()
        path.write_bytes(new)
        stage.write_bytes(old)

    files.swap = swap


def rename_away() -> None:
    """The old file is renamed away before the new one takes its place, as augeas does for its .augsave."""

    def swap(stage: Path, path: Path) -> None:
        aside = stage.with_name(stage.name + ".old")
        path.rename(aside)
        stage.rename(path)
        aside.rename(stage)

    files.swap = swap


def journal_late() -> None:
    """That files may have changed is written down only after they have."""
    mark = journal.mark

    def late(state: State, run: Run, status: Status) -> Run:
        return run if status is Status.PREPARED else mark(state, run, status)

    journal.mark = late


ALL: dict[str, Callable[[], None]] = {
    mutant.__name__: mutant
    for mutant in (no_fsync, no_fsync_beside, no_chown, in_place, rename_away, journal_late)
}
