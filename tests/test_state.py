"""Where the state lives, who may see it, and that two runs never meet."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from pathlib import Path

import pytest

from tests.crash import scenario
from tests.crash.scenario import JAKE, creation, edit, plan_for
from wizard import files, transaction
from wizard.errors import Locked, WizardError
from wizard.journal import Status
from wizard.state import State
from wizard.transaction import Progress

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not run: needs root")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A start script with an owner, a mode and an attribute of its own, and a certificate to be removed."""
    return scenario.make_host(tmp_path)


def test_an_environment_variable_names_the_folder() -> None:
    assert State.default({"TLS_WIZARD_STATE": "/srv/state"}).root == Path("/srv/state")


@needs_root
def test_root_keeps_its_state_in_var_lib() -> None:
    assert State.default({"XDG_STATE_HOME": "/elsewhere"}).root == Path("/var/lib/tls-wizard")


def test_everything_that_is_kept_is_private_whatever_the_umask(host: Path, state: State) -> None:
    before = os.umask(0)
    try:
        transaction.undo(transaction.apply(plan_for(host), state), state)
    finally:
        os.umask(before)
    for path in (state.root, *state.root.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_an_existing_folder_is_made_private(host: Path, state: State) -> None:
    state.root.mkdir()
    state.root.chmod(0o755)
    transaction.apply(edit(host / "start.sh"), state)
    assert stat.S_IMODE(state.root.stat().st_mode) == 0o700


def test_a_folder_that_others_use_is_not_made_private(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "theirs").touch()
    with pytest.raises(WizardError, match="Name a folder of its own in TLS_WIZARD_STATE"):
        State(shared).make()
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
    assert [path.name for path in shared.iterdir()] == ["theirs"]


def test_a_file_system_of_its_own_is_made_private(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    tmp_path.chmod(0o755)
    State(tmp_path).make()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@needs_root
@pytest.mark.parametrize("name", [".", "runs"])
def test_a_strangers_folder_is_refused(host: Path, state: State, name: str) -> None:
    state.make()
    os.chown(state.root / name, JAKE.uid, JAKE.gid)
    with pytest.raises(WizardError, match=f"belongs to {files.user_name(JAKE.uid)}"):
        transaction.apply(edit(host / "start.sh"), state)


@needs_root
def test_a_strangers_link_to_the_runs_is_refused(host: Path, state: State, tmp_path: Path) -> None:
    state.root.mkdir()
    state.runs.symlink_to(tmp_path)
    os.chown(state.runs, JAKE.uid, JAKE.gid, follow_symlinks=False)
    with pytest.raises(WizardError, match=f"belongs to {files.user_name(JAKE.uid)}"):
        transaction.apply(edit(host / "start.sh"), state)


def test_runs_that_others_could_have_written_are_refused(host: Path, state: State) -> None:
    state.make()
    state.runs.chmod(0o777)
    with pytest.raises(WizardError, match="others can write in"):
        transaction.apply(edit(host / "start.sh"), state)


def test_a_pipe_in_the_place_of_the_lock_is_not_waited_for(host: Path, state: State) -> None:
    state.make()
    os.mkfifo(state.root / "lock")
    with pytest.raises(WizardError, match="lock is in the way"):
        transaction.apply(edit(host / "start.sh"), state)
    with pytest.raises(WizardError, match="lock is in the way"):
        transaction.interrupted(state)


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(host: Path) -> None:
    with pytest.raises(WizardError, match="cannot be written: Not a directory"):
        transaction.apply(edit(host / "start.sh"), State(host / "start.sh/state"))


def test_a_second_run_is_told_who_is_at_work(host: Path, state: State) -> None:
    def second(progress: Progress) -> None:
        del progress
        assert transaction.interrupted(state) is None, "at work is not interrupted"
        with pytest.raises(
            Locked, match=rf"process {os.getpid()} of {files.user_name(os.geteuid())}, since 20"
        ):
            transaction.apply(creation(host / "other"), state)

    assert transaction.apply(edit(host / "start.sh"), state, second).status is Status.APPLIED


def test_a_lock_left_by_a_process_that_ended_blocks_nobody(host: Path, state: State) -> None:
    state.make()
    (state.root / "lock").write_text(json.dumps({"pid": 1, "uid": 0, "since": "yesterday"}))
    assert transaction.apply(edit(host / "start.sh"), state).status is Status.APPLIED


def test_a_lock_without_a_name_in_it_still_locks(host: Path, state: State) -> None:
    state.make()
    with (state.root / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Locked, match=r"Another run is at work\. Wait"):
            transaction.apply(edit(host / "start.sh"), state)
