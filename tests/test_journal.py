"""The record of a run: complete before anything else, private, and read again as it was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from wizard import files, journal
from wizard.errors import WizardError
from wizard.files import Entry
from wizard.journal import Run, Status, Step
from wizard.state import State

STEPS = (
    Step(Path("/srv/tls"), None, Entry("directory", "", 0o750, 1, 2)),
    Step(
        Path("/srv/a\udcffb"),  # a name that is not UTF-8
        Entry("file", files.digest(b"old"), 0o600, 0, 0),
        Entry("file", "11", 0o640, 0, 5),
        attributes=(("user.note", b"\x00\xff"),),
        in_place=True,
        about="the key",
        secret=True,
        hidden=(b"\xfepassword",),
    ),
    Step(Path("/srv/link"), Entry("link", "./x"), None),
)


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path / "state")
    state.make()
    return state


def begin(state: State, undoes: str = "") -> Run:
    return journal.begin(
        state, target="hub-rest", title="Secure “Hub”", steps=STEPS, copies={1: b"old"}, undoes=undoes
    )


def applied(state: State, undoes: str = "") -> Run:
    run = begin(state, undoes)
    for status in (Status.PREPARED, Status.COMMITTED, Status.APPLIED):
        run = journal.mark(state, run, status)
    return run


def test_a_record_is_read_as_it_was_written(state: State) -> None:
    run = begin(state)
    assert journal.history(state) == (run,)
    assert journal.kept(state, run, 1) == b"old"
    assert run.time.utcoffset() is not None


def test_runs_stand_in_their_order_and_their_names_never_meet(state: State) -> None:
    runs = [applied(state) for _ in range(3)]
    assert len({run.id for run in runs}) == 3
    assert [run.id for run in journal.history(state)] == [run.id for run in runs]
    assert all(run.id[:8].isdigit() and "-hub-rest" in run.id for run in runs)


def test_secrets_are_not_in_clear_text_in_the_record(state: State) -> None:
    run = begin(state)
    assert b"password" not in (state.runs / run.id / "intended.json").read_bytes()


@pytest.mark.parametrize("status", [Status.INTENDED, Status.PREPARED, Status.COMMITTED])
def test_a_run_without_end_is_interrupted(state: State, status: Status) -> None:
    applied(state)
    run = begin(state)
    if status is not Status.INTENDED:
        run = journal.mark(state, run, status)
    assert journal.interrupted(state) == run
    journal.mark(state, run, Status.ROLLED_BACK)
    assert journal.interrupted(state) is None


def test_who_undoes_an_undo_stands_again(state: State) -> None:
    first = applied(state)
    second = applied(state, undoes=first.id)
    third = applied(state, undoes=second.id)
    assert [run.status for run in journal.history(state)] == [Status.APPLIED, Status.UNDONE, Status.APPLIED]
    applied(state, undoes=third.id)
    assert [run.status for run in journal.history(state)][:2] == [Status.UNDONE, Status.APPLIED]


def test_an_undo_that_was_rolled_back_undoes_nothing(state: State) -> None:
    first = applied(state)
    journal.mark(state, begin(state, undoes=first.id), Status.ROLLED_BACK)
    assert journal.history(state)[0].status is Status.APPLIED


def test_what_was_cut_short_before_its_record_was_complete_is_tidied_away(state: State) -> None:
    run = begin(state)
    unfinished = state.runs / "20990101-000000-hub-rest"
    unfinished.mkdir()
    (unfinished / "before-0").write_bytes(b"")
    (unfinished / "record").write_bytes(b"{")
    assert journal.history(state) == (run,)
    journal.tidy(state)
    assert [folder.name for folder in state.runs.iterdir()] == [run.id]


def test_nothing_but_an_unfinished_run_is_tidied_away(state: State, tmp_path: Path) -> None:
    run = applied(state)
    (state.runs / run.id / "applied.json").rename(state.runs / run.id / "applied.json.damaged")
    precious, foreign = tmp_path / "precious", state.runs / "notes"
    for folder in (precious, foreign, foreign / "before-0"):
        folder.mkdir()
    (precious / "before-0").write_bytes(b"mine")
    (state.runs / "link").symlink_to(precious)
    (state.runs / "file").write_bytes(b"mine")
    before = sorted(tmp_path.rglob("*"))

    journal.tidy(state)

    assert sorted(tmp_path.rglob("*")) == before
    assert journal.kept(state, run, 1) == b"old"
    assert journal.history(state) == ()


@pytest.mark.parametrize(("spoil", "how"), [(Path.unlink, "is gone"), (Path.touch, "has been changed")])
def test_a_copy_that_is_not_what_was_there_is_not_taken_for_it(
    state: State, spoil: Callable[[Path], None], how: str
) -> None:
    run = applied(state)
    copy = state.runs / run.id / "before-1"
    copy.unlink()
    copy.touch()
    spoil(copy)
    with pytest.raises(WizardError, match=f"before-1, {how}"):
        journal.kept(state, run, 1)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[" * 100_000, b'{"format": 2}', b'{"format": 1}'])
def test_a_damaged_record_is_named(state: State, content: bytes) -> None:
    run = begin(state)
    record = state.runs / run.id / "intended.json"
    record.write_bytes(content)
    with pytest.raises(WizardError, match=r"intended\.json: the record of a run cannot be read"):
        journal.history(state)


def test_different_finds_are_kept_side_by_side(state: State) -> None:
    run = begin(state)
    places = {journal.keep(state, run, 1, content) for content in (b"one", b"two", b"one")}
    assert {place.read_bytes() for place in places} == {b"one", b"two"}


def test_each_step_is_told_in_words() -> None:
    made, changed, unlinked = STEPS
    assert made.words.startswith("created folder tls, 0750, owner ")
    assert changed.summary == "changed a\udcffb"
    assert unlinked.words == "removed link link"
    linked = replace(unlinked, before=None, after=Entry("link", "cert.pem"))
    assert linked.words == "created link link to cert.pem"


def test_the_record_is_plain_json(state: State) -> None:
    run = begin(state)
    record = json.loads((state.runs / run.id / "intended.json").read_text())
    assert record["format"] == 1
    assert [step["path"] for step in record["steps"]] == [str(step.path) for step in STEPS]
