"""The way through the steps: what is kept, what goes back, what stops, and what leaves."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from screens.app import WizardApp
from screens.apply import ApplyScreen
from screens.ask import AskScreen
from screens.choose import ChooseScreen
from screens.dialogs import Confirm, Help
from screens.history import HistoryScreen
from screens.journey import Journey
from screens.prove import ProveScreen
from screens.review import ReviewScreen
from screens.widgets.chooser import Chooser
from tests.screens import samples
from tests.screens.sample_targets import OPENS, SampleAuthority, offered
from tests.screens.samples import HOST, Kept, SampleHub
from tests.screens.stage import interrupted_run, opened, paused, settled, text, typed
from wizard import journal, transaction
from wizard.errors import WizardError
from wizard.host import Host
from wizard.journal import Status
from wizard.kinds import Raw
from wizard.plan import Command, Plan, Tell, silent
from wizard.proof import Check, Outcome
from wizard.secret import Secret
from wizard.state import State
from wizard.targets import catalogue


def app(pilot: Pilot[int]) -> WizardApp:
    assert isinstance(pilot.app, WizardApp)
    return pilot.app


def step(pilot: Pilot[int]) -> type[object]:
    """What is on top, step or dialog."""
    return type(pilot.app.screen)


def answers_in(folder: Path) -> Journey:
    """Answers kept from last time, with the files in a folder of the test."""
    return Journey(given={"hub-rest": {"directory": str(folder)}})


async def to_review(pilot: Pilot[int]) -> None:
    await pilot.press("enter", "enter", "enter")
    await settled(pilot)
    assert step(pilot) is ReviewScreen


async def to_applied(pilot: Pilot[int]) -> None:
    await to_review(pilot)
    await pilot.press("enter")
    await pilot.click("#yes")
    await settled(pilot)
    assert step(pilot) is ApplyScreen


async def to_proven(pilot: Pilot[int]) -> None:
    await to_applied(pilot)
    await pilot.press("enter")
    await settled(pilot)
    assert step(pilot) is ProveScreen


def said(pilot: Pilot[int]) -> str:
    """The notes shown for a moment in the corner."""
    return "\n".join(str(note.message) for note in pilot.app._notifications)


# Answers ----------------------------------------------------------------------------------------------------


async def test_back_and_next_never_lose_an_answer(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path)) as pilot:
        await pilot.press("enter", "tab")
        await typed(pilot, str(tmp_path))
        await pilot.press("enter")
        await typed(pilot, "api")
        await pilot.press("tab")
        await typed(pilot, "http://wrong")  # a wrong answer is not lost either
        await pilot.press("escape", "escape")
        assert step(pilot) is ChooseScreen
        await settled(pilot)
        await pilot.press("enter")
        assert pilot.app.screen.query_one("#directory Input", Input).value == str(tmp_path)
        await pilot.press("enter")
        assert pilot.app.screen.query_one("#common_name Input", Input).value == "api"
        assert pilot.app.screen.query_one("#alt_names Input", Input).value == "http://wrong"


async def test_answers_survive_the_way_to_the_proof_and_back(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=answers_in(tmp_path)) as pilot:
        await pilot.press("enter", "enter")
        await typed(pilot, "api")
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("enter")
        await pilot.click("#yes")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert step(pilot) is ProveScreen
        await pilot.press("escape")
        await settled(pilot)
        assert step(pilot) is ReviewScreen
        await pilot.press("escape")
        assert pilot.app.screen.query_one("#common_name Input", Input).value == "api"


# Pages ------------------------------------------------------------------------------------------------------


def sample(**given: Raw) -> Journey:
    """Answers to the target whose pages come and go."""
    return Journey(given={"sample-ca": given})


def page(pilot: Pilot[int]) -> str:
    """Which page this is, by its title."""
    return text(pilot).split("\n")[2].strip().removeprefix("Sample service: ")


async def test_only_pages_on_which_something_is_asked_are_shown_and_counted(tmp_path: Path) -> None:
    world = samples.world(tmp_path, target=SampleAuthority)
    for source, between in (("self-signed", ""), ("own", "your own"), ("request", "the authority's answer")):
        async with opened(world, journey=sample(source=source, passphrase=OPENS)) as pilot:
            count = 3 if between else 2
            await pilot.press("enter")
            assert page(pilot) == f"where the certificate comes from, page 1 of {count}"
            await pilot.press("enter")
            if between:
                assert page(pilot).startswith(between)
                assert page(pilot).endswith("page 2 of 3")
                await pilot.press("enter")
            assert page(pilot) == f"the names, page {count} of {count}"
            await pilot.press("enter")
            await settled(pilot)
            assert step(pilot) is ReviewScreen
            for number in range(count, 0, -1):
                await pilot.press("escape")
                assert page(pilot).endswith(f"page {number} of {count}")
            await pilot.press("escape")
            assert step(pilot) is ChooseScreen


async def test_a_page_comes_and_goes_with_an_answer_before_it(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path, target=SampleAuthority)) as pilot:
        await pilot.press("enter", "tab")
        for count in (3, 3, 2):  # own, request, self-signed
            await pilot.press("right")
            assert page(pilot).endswith(f"page 1 of {count}")
        await pilot.press("enter")
        assert page(pilot) == "the names, page 2 of 2"
        await pilot.press("escape", "tab", "right", "right", "enter")
        assert page(pilot) == "the authority's answer, page 2 of 3"
        await pilot.press(*"/a.pem", "escape", "tab", "right", "enter")
        assert page(pilot) == "the names, page 2 of 2"
        await pilot.press("escape", "tab", "left", "enter")
        assert pilot.app.screen.query_one("#delivered Input", Input).value == "/a.pem", "it is not forgotten"


async def test_a_page_that_vanishes_under_the_feet_leads_on(tmp_path: Path) -> None:
    """The answer before it has become wrong, for instance since its file has gone."""
    gone: list[str] = []

    class Vanishing(SampleAuthority):
        def check_source(self, host: Host, value: str) -> str | None:
            return "It has gone." if gone else None

    world = samples.world(tmp_path, target=Vanishing)
    async with opened(world, journey=sample(source="request")) as pilot:
        await pilot.press("enter", "enter")
        gone.append("source")
        await pilot.press("x")
        await paused(pilot)
        assert page(pilot) == "the authority's answer, page 1 of 2"
        await pilot.press("enter", "enter")
        assert page(pilot).startswith("where the certificate comes from")
        assert "✗ It has gone." in text(pilot)


# Wrong only when used ---------------------------------------------------------------------------------------

WRONG = "✗ This passphrase does not open the authority's key."


async def test_a_wrong_passphrase_leads_back_to_its_field_until_it_is_changed(tmp_path: Path) -> None:
    journey = sample(source="own", authority="example", directory=str(tmp_path))
    world = samples.world(tmp_path / "state", target=SampleAuthority)
    async with opened(world, journey=journey) as pilot:
        await pilot.press("enter", "enter", *"hunter2", "enter", "enter")
        await settled(pilot)
        assert page(pilot) == "your own authority, page 2 of 3"
        assert WRONG in text(pilot)
        assert pilot.app.focused is pilot.app.screen.query_one("#passphrase Input")
        await pilot.press("enter")
        assert WRONG in text(pilot), "it is still the same"
        await pilot.press("escape", "enter")
        assert WRONG in text(pilot), "nor does looking at another page change it"
        await pilot.press("h")
        await paused(pilot)
        assert WRONG not in text(pilot)
        await pilot.press("backspace", *OPENS.reveal(), "enter", "enter")
        await settled(pilot)
        assert step(pilot) is ReviewScreen
        assert "1 change" in text(pilot)


async def test_the_same_answer_typed_again_is_tried_again(tmp_path: Path) -> None:
    journey = sample(source="own", authority="example", passphrase=Secret("hunter2"))
    async with opened(samples.world(tmp_path, target=SampleAuthority), journey=journey) as pilot:
        await pilot.press("enter", "enter", "enter", "enter")
        await settled(pilot)
        assert WRONG in text(pilot)
        await pilot.press(*"hunter2", "enter")
        assert page(pilot) == "the names, page 3 of 3"
        await pilot.press("enter")
        await settled(pilot)
        assert WRONG in text(pilot)


async def test_a_wrong_passphrase_that_takes_long_to_find_out_leads_back_too(tmp_path: Path) -> None:
    go_on = Event()

    class Slow(SampleAuthority):
        def plan(self, host: Host, tell: Tell = silent) -> Plan:
            go_on.wait(10)
            return super().plan(host, tell)

    journey = sample(source="own", authority="example", passphrase=Secret("hunter2"))
    async with opened(samples.world(tmp_path, target=Slow), journey=journey) as pilot:
        await pilot.press("enter", "enter", "enter", "enter")
        while step(pilot) is not ReviewScreen:
            await pilot.pause(0.05)
        go_on.set()
        await settled(pilot)
        assert WRONG in text(pilot)
        assert step(pilot) is AskScreen


# Back -------------------------------------------------------------------------------------------------------


async def test_escape_goes_one_step_back_and_never_quits(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path)) as pilot:
        await to_review(pilot)
        for expected in (AskScreen, AskScreen, ChooseScreen, ChooseScreen):
            await pilot.press("escape")
            await settled(pilot)
            assert step(pilot) is expected
        assert pilot.app.is_running


async def test_escape_goes_back_from_the_earlier_runs(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path)) as pilot:
        await pilot.press("h")
        assert step(pilot) is HistoryScreen
        await pilot.press("escape")
        assert step(pilot) is ChooseScreen


async def test_escape_while_the_plan_is_made_stops_it_with_nothing_changed(tmp_path: Path) -> None:
    started, go_on = Event(), Event()

    class Slow(SampleHub):
        def plan(self, host: Host, tell: Tell = silent) -> Plan:
            started.set()
            go_on.wait(10)
            return super().plan(host, tell)

    async with opened(samples.world(tmp_path / "state", target=Slow), journey=answers_in(tmp_path)) as pilot:
        await pilot.press("enter", "enter", "enter")
        assert started.wait(10)
        await pilot.press("escape")
        assert step(pilot) is AskScreen
        go_on.set()
        await settled(pilot)
        assert step(pilot) is AskScreen
        assert app(pilot).journey.plan is None
        assert not (tmp_path / "key.pem").exists()


async def test_escape_while_the_checks_are_made_stops_them(tmp_path: Path) -> None:
    made: list[str] = []
    started, go_on = Event(), Event()

    def wait(check: Check) -> Outcome:
        made.append(check.title)
        started.set()
        go_on.wait(10)
        return check.run()

    class Slow(SampleHub):
        def proof(self, host: Host) -> tuple[Check, ...]:
            return tuple(
                Check(check.title, check.expect, lambda check=check: wait(check), check.command)  # type: ignore[misc]  # mypy cannot infer a default argument
                for check in samples.CHECKS
            )

    world = samples.world(tmp_path / "state", target=Slow)
    async with opened(world, journey=answers_in(tmp_path)) as pilot:
        await to_applied(pilot)
        await pilot.press("enter")
        assert started.wait(10)
        await pilot.press("escape")
        assert step(pilot) is ProveScreen
        go_on.set()
        await settled(pilot)
        assert "Stopped; R checks again." in text(pilot)
        assert made == [samples.CHECKS[0].title]
        await pilot.press("r")
        await settled(pilot)
        assert "Proven: 4 passed, 1 finding." in text(pilot)


async def test_escape_in_a_dialog_is_no(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=answers_in(tmp_path)) as pilot:
        await to_review(pilot)
        await pilot.press("enter")
        assert step(pilot) is Confirm
        await pilot.press("escape")
        await settled(pilot)
        assert step(pilot) is ReviewScreen
        assert not (tmp_path / "key.pem").exists()


# Write ------------------------------------------------------------------------------------------------------


async def test_a_second_enter_does_not_write(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=answers_in(tmp_path)) as pilot:
        await to_review(pilot)
        await pilot.press("enter", "enter")
        await settled(pilot)
        assert step(pilot) is ReviewScreen
        assert not (tmp_path / "key.pem").exists()


@pytest.mark.parametrize("keys", [("left",), ("right",), ("tab",), ("shift+tab",)], ids=str)
async def test_an_arrow_or_tab_and_enter_write(keys: tuple[str, ...], tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=answers_in(tmp_path)) as pilot:
        await to_review(pilot)
        await pilot.press("enter", *keys, "enter")
        await settled(pilot)
        assert step(pilot) is ApplyScreen
        assert (tmp_path / "cert.pem").read_bytes() == b"the certificate\n"
        assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600


async def test_a_second_run_has_nothing_to_write_and_goes_on_to_the_proof(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=answers_in(tmp_path)) as pilot:
        await to_proven(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert "nothing to change" in text(pilot)
        assert "Enter prove" in text(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert step(pilot) is ProveScreen


async def test_a_failed_run_says_where_things_stand_and_leads_back_to_the_answers(tmp_path: Path) -> None:
    class Failing(SampleHub):
        def plan(self, host: Host, tell: Tell = silent) -> Plan:
            plan = super().plan(host, tell)
            return Plan(
                target=plan.target,
                title=plan.title,
                changes=plan.changes,
                validations=(Command(("/bin/false",)),),
            )

    world = samples.world(tmp_path / "state", target=Failing)
    async with opened(world, journey=answers_in(tmp_path)) as pilot:
        await to_applied(pilot)
        assert "The check `/bin/false` failed with status 1." in text(pilot)
        assert not (tmp_path / "key.pem").exists()
        await pilot.press("escape")
        assert step(pilot) is AskScreen


async def test_a_file_edited_since_the_preview_stops_the_run(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=answers_in(tmp_path)) as pilot:
        await to_review(pilot)
        (tmp_path / "cert.pem").write_text("somebody else's\n")
        await pilot.press("enter")
        await pilot.click("#yes")
        await settled(pilot)
        assert "since the preview" in text(pilot)
        assert not (tmp_path / "key.pem").exists()
        assert (tmp_path / "cert.pem").read_text() == "somebody else's\n"


async def test_the_service_is_restarted_only_after_a_yes(tmp_path: Path) -> None:
    sign = tmp_path / "restarted"

    class Restartable(SampleHub):
        def plan(self, host: Host, tell: Tell = silent) -> Plan:
            plan = super().plan(host, tell)
            return Plan(
                target=plan.target,
                title=plan.title,
                changes=plan.changes,
                restart=Command(("/usr/bin/touch", str(sign))),
            )

    world = samples.world(tmp_path / "state", target=Restartable)
    async with opened(world, journey=answers_in(tmp_path)) as pilot:
        await to_applied(pilot)
        await pilot.press("s", "escape")
        await settled(pilot)
        assert not sign.exists()
        await pilot.press("s")
        await pilot.click("#yes")
        await settled(pilot)
        assert sign.exists()
        assert step(pilot) is ProveScreen  # and what it serves now is looked at at once


# Undo and recover -------------------------------------------------------------------------------------------


async def test_undo_from_the_earlier_runs_brings_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "EVERY", (offered(SampleHub),))
    async with opened(samples.world(tmp_path / "state"), journey=answers_in(tmp_path)) as pilot:
        await to_proven(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("h", "enter")
        await settled(pilot)
        assert "Undo: Secure IOTA Hub" in text(pilot)
        await pilot.press("enter")
        await pilot.click("#yes")
        await settled(pilot)
        assert not (tmp_path / "key.pem").exists()
        assert not (tmp_path / "cert.pem").exists()
        assert "S restart" in text(pilot)
        await pilot.press("s")
        assert step(pilot) is Confirm
        await pilot.press("escape", "enter")
        assert step(pilot) is ChooseScreen
        assert journal.history(State(tmp_path / "state"))[0].status is Status.UNDONE


async def test_back_from_the_preview_of_an_undo_leads_to_the_proof_of_the_run(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=answers_in(tmp_path)) as pilot:
        await to_proven(pilot)
        await pilot.press("u")
        await settled(pilot)
        assert "Undo: Secure IOTA Hub" in text(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert step(pilot) is ProveScreen
        assert "Undo" not in text(pilot)
        assert "S restart" in text(pilot)
        assert "U undo" in text(pilot)
        assert (tmp_path / "key.pem").exists()


async def test_back_at_once_from_the_preview_of_an_undo(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=answers_in(tmp_path)) as pilot:
        await to_proven(pilot)
        await pilot.press("u", "escape")
        await settled(pilot)
        assert step(pilot) is ProveScreen
        assert "Proven: 4 passed, 1 finding." in text(pilot)


async def test_undo_right_after_writing(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=answers_in(tmp_path)) as pilot:
        await to_applied(pilot)
        await pilot.press("u")
        await settled(pilot)
        await pilot.press("enter")
        await pilot.click("#yes")
        await settled(pilot)
        assert not (tmp_path / "key.pem").exists()
        await pilot.press("enter")
        assert step(pilot) is ChooseScreen


async def test_an_undo_that_would_lose_an_edit_is_refused(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=answers_in(tmp_path)) as pilot:
        await to_proven(pilot)
        (tmp_path / "cert.pem").write_text("edited\n")
        await pilot.press("u")
        await settled(pilot)
        assert "edited or removed" in text(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert step(pilot) is ProveScreen


async def test_an_interrupted_run_is_offered_to_be_rolled_back(tmp_path: Path) -> None:
    run = interrupted_run(State(tmp_path))
    async with opened(samples.world(tmp_path)) as pilot:
        assert step(pilot) is Confirm
        assert "An earlier run was interrupted" in text(pilot)
        await pilot.click("#yes")
        await settled(pilot)
        assert "Rolled back" in said(pilot)
    assert transaction.interrupted(State(tmp_path)) is None
    assert [old.status for old in journal.history(State(tmp_path))] == [Status.ROLLED_BACK]
    assert run.status.interrupted


async def test_an_interrupted_run_is_heard_of_before_the_questions_of_an_answers_file(tmp_path: Path) -> None:
    interrupted_run(State(tmp_path))
    journey = Journey(given={"hub-rest": {"common_name": "api"}}, target=SampleHub)
    async with opened(samples.world(tmp_path), journey=journey) as pilot:
        assert step(pilot) is Confirm
        await pilot.press("escape")
        await settled(pilot)
        assert step(pilot) is AskScreen


async def test_an_answers_file_opens_its_questions(tmp_path: Path) -> None:
    journey = Journey(given={"hub-rest": {"common_name": "api"}}, target=SampleHub)
    async with opened(samples.world(tmp_path), journey=journey) as pilot:
        assert step(pilot) is AskScreen


async def test_a_history_that_cannot_be_read_is_told_and_does_not_crash(tmp_path: Path) -> None:
    (tmp_path / "runs" / "20260314-092600-hub-rest").mkdir(parents=True)
    (tmp_path / "runs" / "20260314-092600-hub-rest" / "applied.json").write_text("{ not a record")
    async with opened(samples.world(tmp_path)) as pilot:
        await pilot.press("h")
        await settled(pilot)
        assert "the record of a run cannot be read" in said(pilot)
        assert step(pilot) is ChooseScreen


# Leaving ----------------------------------------------------------------------------------------------------


async def test_ctrl_q_keeps_the_answers_at_every_step(tmp_path: Path) -> None:
    ways = {"ask": ("enter",), "ask again": ("enter", "enter"), "review": ("enter", "enter", "enter")}
    for way, keys in ways.items():
        kept = Kept()
        async with opened(samples.world(tmp_path / way, keep=kept)) as pilot:
            await pilot.press("enter", "tab")
            await typed(pilot, str(tmp_path))
            await pilot.press(*keys[1:])
            await settled(pilot)
            await pilot.press("ctrl+q")
        assert kept == {"hub-rest": {"directory": str(tmp_path)}}, way
        assert pilot.app.return_code == 0


async def test_ctrl_q_leaves_from_the_first_step_and_from_a_dialog(tmp_path: Path) -> None:
    for keys in ((), ("f1",), ("h",)):
        async with opened(samples.world(tmp_path)) as pilot:
            await pilot.press(*keys, "ctrl+q")
            assert not pilot.app.is_running or pilot.app._exit
        assert pilot.app.return_code == 0


async def test_ctrl_q_leaves_after_the_proof(tmp_path: Path) -> None:
    kept = Kept()
    async with opened(samples.world(tmp_path / "state", keep=kept), journey=answers_in(tmp_path)) as pilot:
        await to_proven(pilot)
        await pilot.press("ctrl+q")
    assert pilot.app.return_code == 0
    assert kept == {"hub-rest": {"directory": str(tmp_path)}}


async def test_ctrl_q_waits_while_it_is_written(tmp_path: Path) -> None:
    go_on = tmp_path / "go on"

    class Slow(SampleHub):
        def plan(self, host: Host, tell: Tell = silent) -> Plan:
            plan = super().plan(host, tell)
            wait = Command(("/bin/sh", "-c", f"until [ -e '{go_on}' ]; do sleep 0.01; done"))
            return Plan(target=plan.target, title=plan.title, changes=plan.changes, validations=(wait,))

    world = samples.world(tmp_path / "state", target=Slow)
    async with opened(world, journey=answers_in(tmp_path)) as pilot:
        await to_review(pilot)
        await pilot.press("enter")
        await pilot.click("#yes")
        await pilot.press("ctrl+q", "escape")
        assert step(pilot) is ApplyScreen
        assert "It is being written" in said(pilot)
        go_on.touch()
        await settled(pilot)
        assert "Done: 2 changes." in text(pilot)
        await pilot.press("ctrl+q")
    assert pilot.app.return_code == 0
    assert (tmp_path / "key.pem").exists()


async def test_answers_that_cannot_be_kept_do_not_keep_anybody_from_leaving(tmp_path: Path) -> None:
    def keep(*_: object) -> None:
        raise WizardError("The state folder belongs to somebody else.")

    async with opened(samples.world(tmp_path, keep=keep), journey=answers_in(tmp_path)) as pilot:
        await pilot.press("enter", "ctrl+q")
    assert pilot.app.return_code == 0
    assert not app(pilot).keeping.kept


async def test_a_look_that_takes_long_is_waited_for_with_a_word(tmp_path: Path) -> None:
    seen = Event()

    def look() -> Host:
        seen.wait(10)
        return HOST

    async with WizardApp(samples.world(tmp_path, look=look)).run_test(notifications=True) as pilot:
        await pilot.press("enter")
        assert step(pilot) is ChooseScreen
        assert "Still looking" in said(pilot)
        seen.set()
        await settled(pilot)
        await pilot.press("enter")
        assert step(pilot) is AskScreen


# Help -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["f1", "question_mark"])
async def test_help_can_be_had_at_every_step(key: str, tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path / "state"), journey=answers_in(tmp_path)) as pilot:

        async def helped() -> None:
            await pilot.press(key)
            assert step(pilot) is Help
            await pilot.press(key)
            assert step(pilot) is not Help

        await helped()
        await pilot.press("h")
        await helped()
        await pilot.press("escape", "enter", "enter")
        pilot.app.screen.query_one("#key_type Chooser", Chooser).focus()
        await pilot.pause()
        await helped()
        await pilot.press("enter")
        await settled(pilot)
        await helped()
        await pilot.press("enter")
        await pilot.click("#yes")
        await settled(pilot)
        await helped()
        await pilot.press("enter")
        await settled(pilot)
        await helped()


async def test_a_question_mark_in_a_text_field_is_a_question_mark(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path)) as pilot:
        await pilot.press("enter", "end", "question_mark")
        assert step(pilot) is AskScreen
        assert pilot.app.screen.query_one("#start_script Input", Input).value.endswith("?")
