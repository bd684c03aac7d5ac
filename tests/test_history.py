"""What was done here, told from real runs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

import pytest

from wizard import history, journal, transaction
from wizard.errors import WizardError
from wizard.inert import inert
from wizard.journal import Run, Status
from wizard.plan import Directory, File, Plan
from wizard.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


def run(state: State, path: Path, title: str = "Secure IOTA Hub", after: bytes = b"new\n") -> Run:
    before = path.read_bytes() if path.exists() else None
    change = File(path=path, before=before, after=after, mode=0o600, secret=True)
    return transaction.apply(Plan(target="hub-rest", title=title, changes=(change,)), state)


def test_a_host_without_runs_says_so(state: State) -> None:
    assert history.text(journal.history(state)) == "Nothing has been done on this host yet."
    with pytest.raises(WizardError, match="There is no run to undo"):
        history.find(state, None)


def test_the_last_run_stands_first_with_its_files(state: State, tmp_path: Path) -> None:
    first = run(state, tmp_path / "a.pem", "First")
    second = run(state, tmp_path / "b.pem", "Second")
    lines = history.text(journal.history(state)).splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    assert [line.split()[0] for line in heads] == [second.id, first.id]
    assert heads[0].endswith("applied  Second")
    assert any("created b.pem, 0600, owner " in line for line in lines)


def test_the_last_run_in_force_is_the_one_to_undo(state: State, tmp_path: Path) -> None:
    first, second = run(state, tmp_path / "a.pem"), run(state, tmp_path / "b.pem")
    assert history.find(state, None).id == second.id
    transaction.undo(second, state)
    assert history.find(state, None).id == first.id
    transaction.undo(first, state)
    with pytest.raises(WizardError, match="There is no run to undo"):
        history.find(state, None)


def test_a_clock_that_was_set_back_does_not_change_the_order(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(days=1)

    monkeypatch.setattr(journal, "datetime", Tomorrow)
    early = run(state, tmp_path / "a.pem")
    monkeypatch.undo()
    late = run(state, tmp_path / "a.pem", after=b"newer\n")
    assert early.id > late.id
    assert [line.split()[0] for line in history.text(journal.history(state)).splitlines()[::2]] == [
        late.id, early.id,
    ]  # fmt: skip

    transaction.undo(history.find(state, None), state)
    assert history.find(state, None).id == early.id
    transaction.undo(history.find(state, None), state)
    assert not (tmp_path / "a.pem").exists()


def test_a_run_is_found_by_its_name(state: State, tmp_path: Path) -> None:
    first, _ = run(state, tmp_path / "a.pem"), run(state, tmp_path / "b.pem")
    assert history.find(state, first.id).steps == first.steps
    with pytest.raises(WizardError, match=r'There is no run "yesterday"\. See: tls-wizard history'):
        history.find(state, "yesterday")


def test_what_was_undone_cannot_be_undone_again(state: State, tmp_path: Path) -> None:
    done = run(state, tmp_path / "a.pem")
    transaction.undo(done, state)
    with pytest.raises(WizardError, match="is undone, so there is nothing to undo"):
        transaction.undo_plan(history.find(state, done.id), state)


def test_an_undo_can_be_undone_by_its_name(state: State, tmp_path: Path) -> None:
    path = tmp_path / "a.pem"
    undone = transaction.undo(run(state, path), state)
    transaction.undo(history.find(state, undone.id), state)
    assert path.read_bytes() == b"new\n"


def test_names_of_files_cannot_steer_the_terminal_and_json_keeps_them(state: State, tmp_path: Path) -> None:
    odd = tmp_path / "x\x1b[31m\udcff"
    change = Directory(path=odd)
    transaction.apply(Plan(target="hub-rest", title="odd \x1b[31m", changes=(change,)), state)
    (done,) = journal.history(state)
    text = history.text((done,))
    assert [line for line in text.splitlines() if line != inert(line)] == []
    data = json.loads(json.dumps(history.as_json(done)))
    assert data["files"][0]["path"] == str(odd)
    assert list(data) == ["run", "target", "title", "time", "status", "undoes", "files"]


def test_no_content_of_a_secret_file_is_told(state: State, tmp_path: Path) -> None:
    run(state, tmp_path / "key.pem", after=b"S3CRET")
    runs = journal.history(state)
    assert "S3CRET" not in history.text(runs) + json.dumps([history.as_json(one) for one in runs]) + repr(
        runs
    )


def test_how_a_recovery_ended_is_told(state: State, tmp_path: Path) -> None:
    done = run(state, tmp_path / "a.pem")
    assert history.recovered(None) == "Nothing to recover."
    assert history.recovered(done).startswith("Completed: Secure IOTA Hub.")
    back = replace(done, status=Status.ROLLED_BACK)
    assert history.recovered(back).endswith("Everything is as it was before.")
    assert history.recovered(replace(back, remarks=("a.pem: is left.",))).splitlines() == [
        "Rolled back: Secure IOTA Hub. To be looked at:",
        "a.pem: is left.",
    ]
