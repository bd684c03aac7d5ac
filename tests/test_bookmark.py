"""Where somebody was: what is kept of it, what is gone on with, and what is passed over."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.screens.sample_targets import SampleAuthority, offered
from tests.screens.samples import HOST, HOSTILE, SampleHub
from tests.screens.stage import interrupted_run
from tests.targets import grpc_plans, nano_plans, nginx_plans
from wizard import bookmark, journal, review, transaction
from wizard.bookmark import Bookmark, Step
from wizard.errors import WizardError
from wizard.host import Host
from wizard.journal import Run, Status
from wizard.kinds import Raw
from wizard.secret import Secret
from wizard.sheet import Sheet, fill_in
from wizard.state import State
from wizard.targets import Target, catalogue
from wizard.targets.connector import Connector

TARGETS = (offered(SampleHub), offered(SampleAuthority))


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


def at(step: Step, question: str = "", run: Run | None = None, **given: Raw) -> Bookmark:
    return Bookmark(SampleHub, step, given, question, run)


def ran(state: State, *, target: str = "hub-rest", undoes: str = "", awaits: Path | None = None) -> Run:
    """A run that has come to its end."""
    state.make()
    answers = {"common_name": "hub.example.org"}
    run = journal.begin(
        state, target=target, title="It", steps=(), copies={}, answers=answers, awaits=awaits, undoes=undoes
    )
    return journal.mark(state, run, Status.APPLIED)


def written(state: State) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(state.bookmark.read_bytes())
    return record


# Kept and found again ---------------------------------------------------------------------------------------


def test_a_place_is_found_again_with_its_answers(state: State) -> None:
    assert bookmark.found(state, TARGETS) is None
    given: dict[str, Raw] = {
        "common_name": "a\ud800b",
        "alt_names": ("a", "b"),
        "validity_days": 30,
        "switch_to_rest": True,
    }
    bookmark.keep(state, Bookmark(SampleHub, Step.ASK, given, "common_name"))
    place = bookmark.found(state, TARGETS)
    assert place is not None
    assert (place.target, place.step, place.question) == (SampleHub, Step.ASK, "common_name")
    assert place.given == {**given, "alt_names": ["a", "b"]}
    assert stat.S_IMODE(state.bookmark.stat().st_mode) == 0o600
    bookmark.forget(state)
    assert bookmark.found(state, TARGETS) is None
    bookmark.forget(state)


def test_a_secret_is_not_kept(state: State) -> None:
    given: dict[str, Raw] = {
        "source": "own",
        "passphrase": Secret("hunter2"),
        "organisation": "-----BEGIN PRIVATE KEY-----MIIB",
    }
    bookmark.keep(state, Bookmark(SampleAuthority, Step.REVIEW, given))
    place = bookmark.found(state, TARGETS)
    assert place is not None
    assert place.given == {"source": "own"}
    content = state.bookmark.read_text()
    assert "hunter2" not in content
    assert "PRIVATE KEY" not in content
    sheet: Sheet[Target] = fill_in(SampleAuthority, place.given, HOST)
    for question in ("", "authority_name", "common_name"):
        missing = bookmark.not_kept(sheet, question)
        assert missing is not None
        assert missing.question == "passphrase"
    assert bookmark.not_kept(sheet, "source") is None, "it has not been asked for yet"


def test_a_secret_that_somebody_has_written_into_it_is_not_taken(state: State) -> None:
    bookmark.keep(state, Bookmark(SampleAuthority, Step.REVIEW, {"source": "own"}))
    record = written(state)
    record["answers"]["passphrase"] = "hunter2"
    state.bookmark.write_text(json.dumps(record))
    place = bookmark.found(state, TARGETS)
    assert place is not None
    assert place.given == {"source": "own"}


# Passed over ------------------------------------------------------------------------------------------------

DAMAGED: dict[str, list[object]] = {
    "format": [2, "1", None],
    "target": ["openiz", None, ["hub-rest"], {}],
    "step": ["Choose", "review", None, 3],
    "answers": [None, [], "x", 1],
    "time": ["yesterday", None, 5],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, every in DAMAGED.items() for value in every]
)
def test_what_is_damaged_or_of_a_newer_version_is_passed_over(key: str, value: object, state: State) -> None:
    bookmark.keep(state, at(Step.REVIEW))
    assert bookmark.found(state, TARGETS)
    state.bookmark.write_text(json.dumps({**written(state), key: value}))
    assert bookmark.found(state, TARGETS) is None
    record = written(state)
    del record[key]
    state.bookmark.write_text(json.dumps(record))
    assert bookmark.found(state, TARGETS) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b"3", b"[" * 100_000, b"9" * 5000, b" " * 2_000_000],
    ids=lambda content: f"{content[:3]!r} {len(content)}",
)
def test_what_is_no_bookmark_is_passed_over(content: bytes, state: State) -> None:
    state.make()
    state.bookmark.write_bytes(content)
    assert bookmark.found(state, TARGETS) is None


def test_what_is_not_ours_is_passed_over(state: State, tmp_path: Path) -> None:
    bookmark.keep(state, at(Step.REVIEW))
    elsewhere = state.bookmark.rename(tmp_path / "elsewhere.json")
    state.bookmark.symlink_to(elsewhere)
    assert bookmark.found(state, TARGETS) is None
    state.bookmark.unlink()
    os.mkfifo(state.bookmark)
    assert bookmark.found(state, TARGETS) is None
    state.bookmark.unlink()
    state.bookmark.mkdir()
    assert bookmark.found(state, TARGETS) is None
    with pytest.raises(OSError, match="directory"):
        bookmark.keep(state, at(Step.REVIEW))
    assert {path.name for path in state.root.iterdir()} == {"bookmark.json", "runs"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_somebody_else_is_passed_over(state: State) -> None:
    bookmark.keep(state, at(Step.REVIEW))
    os.chown(state.bookmark, 65534, 65534)
    assert bookmark.found(state, TARGETS) is None


def test_answers_that_are_none_are_left_out_and_the_others_kept(state: State) -> None:
    bookmark.keep(state, at(Step.REVIEW, common_name="hub"))
    record = written(state)
    record["answers"] |= {"unknown": "x", "alt_names": [1], "validity_days": {}, "directory": None}
    state.bookmark.write_text(json.dumps({**record, "question": "unknown"}))
    place = bookmark.found(state, TARGETS)
    assert place is not None
    assert place.given == {"common_name": "hub"}
    assert not place.question


# The run ----------------------------------------------------------------------------------------------------


def test_who_was_dropped_while_it_wrote_goes_on_with_the_proof_of_that_run(state: State) -> None:
    ran(state)  # an earlier one
    bookmark.keep(state, at(Step.APPLY, common_name="typed"))
    place = bookmark.found(state, TARGETS)
    assert place is not None
    assert place.step is Step.REVIEW, "nothing has been written"
    assert place.given == {"common_name": "typed"}
    ran(state, target="nginx")
    run = ran(state)
    place = bookmark.found(state, TARGETS)
    assert place is not None
    assert (place.step, place.run) == (Step.PROVE, run)
    assert place.given == {"common_name": "hub.example.org"}


def test_a_run_that_waits_or_was_taken_back_is_not_gone_on_with(state: State, tmp_path: Path) -> None:
    bookmark.keep(state, at(Step.APPLY))
    run = ran(state, awaits=tmp_path / "cert.pem")
    assert bookmark.found(state, TARGETS) is None
    bookmark.keep(state, at(Step.PROVE, run=run))
    assert bookmark.found(state, TARGETS) is None
    run = ran(state)
    bookmark.keep(state, at(Step.PROVE, run=run))
    assert bookmark.found(state, TARGETS)
    ran(state, undoes=run.id)
    assert bookmark.found(state, TARGETS) is None


def test_a_run_that_has_gone_is_not_gone_on_with(state: State) -> None:
    run = ran(state)
    bookmark.keep(state, at(Step.PROVE, run=run))
    record = written(state)
    state.bookmark.write_text(json.dumps({**record, "run": "20260101-000000-hub-rest"}))
    assert bookmark.found(state, TARGETS) is None


def test_while_a_run_has_to_be_rolled_back_nothing_else_is_gone_on_with(state: State) -> None:
    bookmark.keep(state, at(Step.REVIEW))
    run = interrupted_run(state)
    assert bookmark.found(state, TARGETS) is None
    journal.mark(state, run, Status.ROLLED_BACK)
    assert bookmark.found(state, TARGETS)


def test_a_history_that_cannot_be_read_is_told_elsewhere(state: State) -> None:
    bookmark.keep(state, at(Step.REVIEW))
    run = ran(state)
    (state.runs / run.id / "applied.json").write_text("{")
    with pytest.raises(WizardError):
        journal.history(state)
    assert bookmark.found(state, TARGETS) is None


def test_what_is_proven_is_the_run_as_it_was(state: State) -> None:
    bookmark.keep(state, at(Step.PROVE, run=ran(state)))
    place = bookmark.found(state, TARGETS)
    assert place is not None
    proving = bookmark.to_prove(place, HOST)
    assert proving is not None
    answers, plan = proving
    assert isinstance(answers, SampleHub)
    assert answers.common_name == "hub.example.org"
    assert plan.restart == answers.restart(HOST)
    assert not plan.changed
    assert plan.title == "It"


def test_without_a_run_or_with_an_answer_that_is_wrong_now_nothing_is_proven(state: State) -> None:
    assert bookmark.to_prove(at(Step.REVIEW), HOST) is None
    assert bookmark.to_prove(at(Step.PROVE, run=ran(state), common_name=""), HOST) is None


def _grpc(root: Path) -> tuple[Sheet[Any], Host, State]:
    box = grpc_plans.grpc_box(root)
    return grpc_plans.sheet_of(box), grpc_plans.host_of(box), box.state


def _nano(root: Path) -> tuple[Sheet[Any], Host, State]:
    node = nano_plans.Setup(root)
    return node.sheet(), node.host, node.state


def _nginx(root: Path) -> tuple[Sheet[Any], Host, State]:
    there = nginx_plans.Setup(root)
    sheet = there.sheet(site="new", server_name="api.example.org", upstream="127.0.0.1:9", redirect=False)
    return sheet, there.box.host(), there.box.state


@pytest.mark.parametrize("setup", [_grpc, _nano, _nginx])
def test_a_run_is_proven_later_as_it_would_have_been_at_once(
    setup: Callable[[Path], tuple[Sheet[Any], Host, State]], tmp_path: Path
) -> None:
    """Though passphrases are missing, and what was asked has been done since."""
    sheet, host, state = setup(tmp_path)
    assert sheet.answers is not None
    plan = review.prepared(sheet.answers, host)
    bookmark.keep(state, Bookmark(sheet.target, Step.APPLY, {}))
    transaction.apply(plan, state)
    place = bookmark.found(state, catalogue.EVERY)
    assert place is not None
    proving = bookmark.to_prove(place, host)
    assert proving is not None
    answers, nothing_to_write = proving
    titles = [check.title for check in answers.proof(host)]
    assert titles == [check.title for check in sheet.answers.proof(host)]
    assert nothing_to_write.restart == plan.restart


# Told -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (at(Step.ASK, "common_name"), "Step 2 of 5 (Ask, page 2 of 2), IOTA Hub, REST, signer."),
        (at(Step.ASK, "switch_to_rest"), "Step 2 of 5 (Ask), IOTA Hub, REST, signer."),
        (
            at(Step.REVIEW, common_name="rpc.example.com"),
            "Step 3 of 5 (Review), IOTA Hub, REST, rpc.example.com.",
        ),
        (at(Step.PROVE), "Step 5 of 5 (Prove), IOTA Hub, REST, signer."),
        (
            Bookmark(Connector, Step.ASK, {"url": "https://api.example.org/"}, "url"),
            "Step 2 of 5 (Ask, page 1 of 2), API connector, https://api.example.org/.",
        ),
        (Bookmark(Connector, Step.ASK, {}, "url"), "Step 2 of 5 (Ask, page 1 of 2), API connector."),
    ],
    ids=lambda value: value.step if isinstance(value, Bookmark) else "",
)
def test_a_place_in_words(place: Bookmark, words: str) -> None:
    assert bookmark.words(place, HOST) == words


def test_a_name_is_harmless_and_cut() -> None:
    words = bookmark.words(at(Step.REVIEW, common_name=HOSTILE * 3), HOST)
    assert words.isprintable()
    assert words.endswith("…")
    assert len(words) < 85


# Two at once ------------------------------------------------------------------------------------------------


def _keep_often(root: Path, name: str) -> None:
    state = State(root)
    for number in range(100):
        bookmark.keep(state, at(Step.REVIEW, common_name=f"{name}{'x' * number * 50}"))
        found = bookmark.found(state, TARGETS)
        assert found is not None
        assert str(found.given["common_name"]).rstrip("x") in ("one", "two")


def test_two_wizards_at_once_do_not_break_each_other(state: State) -> None:
    with ProcessPoolExecutor(2) as pool:
        for done in [pool.submit(_keep_often, state.root, name) for name in ("one", "two")]:
            done.result()
    assert sorted(path.name for path in state.root.iterdir()) == ["bookmark.json", "runs"]


def test_a_clock_that_was_set_back_leads_to_the_review(state: State) -> None:
    bookmark.keep(state, at(Step.APPLY))
    record = written(state)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    state.bookmark.write_text(json.dumps({**record, "time": later}))
    ran(state)
    place = bookmark.found(state, TARGETS)
    assert place is not None
    assert place.step is Step.REVIEW, "where it turns out that nothing is left to be written"
