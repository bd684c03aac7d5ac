"""Going on where a dropped line, a kill or Ctrl+Q has ended the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from threading import Event

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from screens.app import WizardApp
from screens.apply import ApplyScreen
from screens.ask import AskScreen
from screens.choose import ChooseScreen
from screens.dialogs import Confirm, Continue, Help
from screens.journey import Journey
from screens.prove import ProveScreen
from screens.review import ReviewScreen
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.sample_targets import OPENS, SampleAuthority, offered
from tests.screens.samples import HOST, HOSTILE, SampleHub
from tests.screens.stage import NARROW, NORMAL, Size, interrupted_run, opened, settled, text, typed
from wizard import answers, bookmark, journal
from wizard.bookmark import Step
from wizard.errors import WizardError
from wizard.host import Host
from wizard.journal import Status
from wizard.kinds import Raw
from wizard.plan import Plan, Tell, silent
from wizard.proof import Check
from wizard.state import State
from wizard.targets import Target, catalogue


class Unproven(SampleHub):
    """Its service still runs with its old settings."""

    def proof(self, host: Host) -> tuple[Check, ...]:
        return samples.checks(samples.FAILED)


@asynccontextmanager
async def started(
    folder: Path, target: type[Target] = SampleHub, size: Size = NORMAL, **given: Raw
) -> AsyncIterator[Pilot[int]]:
    """The wizard in a folder; it ends with the block without a word, as at a kill."""
    begun = Journey(given={target.key: {"directory": str(folder), **given}})
    world = samples.world(folder / "state", target=target)
    async with opened(world, size=size, journey=begun) as pilot:
        yield pilot


def step(pilot: Pilot[int]) -> type[object]:
    return type(pilot.app.screen)


def place(folder: Path, target: type[Target] = SampleHub) -> Step | None:
    found = bookmark.found(State(folder / "state"), (offered(target),))
    return found.step if found else None


async def write(pilot: Pilot[int]) -> None:
    await pilot.press("enter")
    await pilot.click("#yes")
    await settled(pilot)
    assert step(pilot) is ApplyScreen


async def is_asked(pilot: Pilot[int], words: str) -> None:
    assert step(pilot) is Continue
    assert "Continue where you were?" in text(pilot)
    assert words in " ".join(text(pilot).replace("│", " ").split())


async def go_on(pilot: Pilot[int], words: str) -> None:
    await is_asked(pilot, words)
    await pilot.press("enter")
    await settled(pilot)


# Pictures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [NORMAL, NARROW], ids=["80x24", "60x20"])
async def test_the_question(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with started(tmp_path, common_name="rpc.the-department-of-payments.example.com") as pilot:
        await pilot.press("enter", "enter")
    async with started(tmp_path, size=size) as pilot:
        await looks_as_before(pilot)


async def test_a_name_is_harmless(tmp_path: Path) -> None:
    async with started(tmp_path, common_name=HOSTILE) as pilot:
        await pilot.press("enter", "enter")
    async with started(tmp_path, size=NARROW) as pilot:
        await is_asked(pilot, "IOTA Hub, REST, [bold red]not bold[/] \\x1b]52;c;aGk=")
        assert "\x1b" not in text(pilot)


# To each step -----------------------------------------------------------------------------------------------


async def test_to_the_very_page(tmp_path: Path) -> None:
    async with started(tmp_path) as pilot:
        await pilot.press("enter", "tab", "tab")
        await typed(pilot, "daemon")
        await pilot.press("enter", *"unseen")
    async with started(tmp_path) as pilot:
        await go_on(pilot, "Step 2 of 5 (Ask, page 2 of 2), IOTA Hub, REST, signer.")
        assert "page 2 of 2" in text(pilot)
        await pilot.press("escape")
        assert pilot.app.screen.query_one("#account Input", Input).value == "daemon"


@pytest.mark.parametrize("leave", ["ctrl+q", "signal"])
async def test_whoever_leaves_loses_nothing_that_was_typed(leave: str, tmp_path: Path) -> None:
    async with started(tmp_path) as pilot:
        await pilot.press("enter", "enter", "tab")
        await typed(pilot, "http://wrong")
        if leave == "signal":
            assert isinstance(pilot.app, WizardApp)
            pilot.app._told_to_stop(15)
        else:
            await pilot.press("ctrl+q")
    async with started(tmp_path) as pilot:
        await go_on(pilot, "(Ask, page 2 of 2)")
        assert pilot.app.screen.query_one("#alt_names Input", Input).value == "http://wrong"


async def test_to_the_review_by_a_plan_made_again(tmp_path: Path) -> None:
    async with started(tmp_path, common_name="rpc.example.com") as pilot:
        await pilot.press("enter", "enter", "enter")
        await settled(pilot)
        assert step(pilot) is ReviewScreen
    async with started(tmp_path) as pilot:
        await go_on(pilot, "Step 3 of 5 (Review), IOTA Hub, REST, rpc.example.com.")
        assert step(pilot) is ReviewScreen
        assert "2 changes, nothing written yet" in text(pilot)
        await write(pilot)


async def test_a_kill_while_the_plan_is_made_leads_to_the_review(tmp_path: Path) -> None:
    class Broken(SampleHub):
        def plan(self, host: Host, tell: Tell = silent) -> Plan:
            raise WizardError("Not now.")

    async with started(tmp_path, Broken) as pilot:
        await pilot.press("enter", "enter", "enter")
        await settled(pilot)
        assert "Not now." in text(pilot)
    async with started(tmp_path) as pilot:
        await go_on(pilot, "(Review)")
        assert step(pilot) is ReviewScreen


async def test_to_the_proof_of_what_is_written(tmp_path: Path) -> None:
    async with started(tmp_path, Unproven) as pilot:
        await pilot.press("enter", "enter", "enter")
        await settled(pilot)
        await write(pilot)
        await pilot.pause()
    async with started(tmp_path, Unproven) as pilot:
        await go_on(pilot, "Step 5 of 5 (Prove), IOTA Hub, REST, signer.")
        assert step(pilot) is ProveScreen
        assert "Hub can be reached with TLS" in text(pilot)
        assert "Secure IOTA Hub, REST, at 127.0.0.1:50051" in text(pilot)
        await pilot.press("s")
        assert step(pilot) is Confirm, "the service still has to be restarted"
        await pilot.press("escape", "escape")
        await settled(pilot)
        assert step(pilot) is ReviewScreen
        assert "nothing to change" in text(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert step(pilot) is ProveScreen
    async with started(tmp_path, Unproven) as pilot:
        await is_asked(pilot, "(Review)")


async def test_what_is_proven_after_all_can_be_taken_back(tmp_path: Path) -> None:
    async with started(tmp_path, Unproven) as pilot:
        await pilot.press("enter", "enter", "enter")
        await settled(pilot)
        await write(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert step(pilot) is ProveScreen
    async with started(tmp_path, Unproven) as pilot:
        await go_on(pilot, "(Prove)")
        await pilot.press("u")
        await settled(pilot)
        assert "Undo: Secure IOTA Hub" in text(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert step(pilot) is ProveScreen
        await pilot.press("u")
        await settled(pilot)
        await write(pilot)
    assert not (tmp_path / "key.pem").exists()
    async with started(tmp_path, Unproven) as pilot:
        assert step(pilot) is ChooseScreen, "it was taken back"


# Passphrases ------------------------------------------------------------------------------------------------


def secrets_in(folder: Path) -> list[Path]:
    """The files of the state that hold the passphrase."""
    passphrase = OPENS.reveal().encode()
    return [path for path in folder.rglob("*") if path.is_file() and passphrase in path.read_bytes()]


@pytest.mark.parametrize(
    ("keys", "words", "page"),
    [
        ((), "(Ask, page 2 of 3)", 2),
        (("enter",), "(Ask, page 3 of 3)", 3),
        (("enter", "enter"), "(Review)", 2),
    ],
    ids=["its page", "the page behind", "review"],
)
async def test_a_passphrase_is_never_kept_and_asked_for_again(
    keys: tuple[str, ...], words: str, page: int, tmp_path: Path
) -> None:
    async with started(tmp_path, SampleAuthority, source="own", authority="example") as pilot:
        await pilot.press("enter", "enter", *OPENS.reveal(), *keys)
        await settled(pilot)
        assert secrets_in(tmp_path / "state") == []
        await pilot.press("ctrl+q")
    assert secrets_in(tmp_path / "state") == []
    async with started(tmp_path, SampleAuthority, source="own", authority="example") as pilot:
        await go_on(pilot, words)
        assert f"page {page} of 3" in text(pilot)
        if page == 3:
            await pilot.press("enter")
        assert "page 2 of 3" in text(pilot)
        assert f"✗ {bookmark.NEVER_KEPT}" in text(pilot)
        assert pilot.app.focused is pilot.app.screen.query_one("#passphrase Input")
        await pilot.press(*OPENS.reveal(), "enter", "enter")
        await settled(pilot)
        assert step(pilot) is ReviewScreen
        assert "1 change" in text(pilot)


async def test_a_passphrase_that_was_not_asked_for_yet_is_not_asked_for_again(tmp_path: Path) -> None:
    async with started(tmp_path, SampleAuthority, source="own", authority="example") as pilot:
        await pilot.press("enter")
    async with started(tmp_path, SampleAuthority, source="own", authority="example") as pilot:
        await go_on(pilot, "(Ask, page 1 of 3)")
        await pilot.press("enter")
        assert "page 2 of 3" in text(pilot)
        assert "✗" not in text(pilot)


# Yes, no, later ---------------------------------------------------------------------------------------------


async def test_to_begin_anew_forgets_the_place_and_no_answer(tmp_path: Path) -> None:
    async with started(tmp_path) as pilot:
        await pilot.press("enter", "enter")
    async with started(tmp_path) as pilot:
        await is_asked(pilot, "(Ask, page 2 of 2)")
        await pilot.press("right", "enter")
        await settled(pilot)
        assert step(pilot) is ChooseScreen
        assert place(tmp_path) is None
        await pilot.press("enter")
        assert pilot.app.screen.query_one("#directory Input", Input).value == str(tmp_path)


async def test_later_is_asked_at_the_next_start_and_not_before(tmp_path: Path) -> None:
    async with started(tmp_path) as pilot:
        await pilot.press("enter", "enter")
    async with started(tmp_path) as pilot:
        await is_asked(pilot, "(Ask, page 2 of 2)")
        await pilot.press("escape", "h")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert step(pilot) is ChooseScreen
    async with started(tmp_path) as pilot:
        await is_asked(pilot, "(Ask, page 2 of 2)")


async def test_what_is_put_off_outlives_another_way(tmp_path: Path) -> None:
    async with started(tmp_path) as pilot:
        await pilot.press("enter", "enter")
    async with started(tmp_path) as pilot:
        await is_asked(pilot, "(Ask, page 2 of 2)")
        await pilot.press("escape", "enter", "escape")
        await settled(pilot)
        assert step(pilot) is ChooseScreen
    async with started(tmp_path) as pilot:
        await is_asked(pilot, "(Ask, page 2 of 2)")


async def test_it_is_asked_when_what_lies_over_the_first_screen_has_gone(tmp_path: Path) -> None:
    async with started(tmp_path) as pilot:
        await pilot.press("enter", "enter")
    seen = Event()

    def look() -> Host:
        seen.wait()
        return HOST

    async with WizardApp(samples.world(tmp_path / "state", look=look)).run_test(size=NORMAL) as pilot:
        await pilot.press("f1")
        seen.set()
        await settled(pilot)
        assert step(pilot) is Help
        await pilot.press("escape")
        await settled(pilot)
        await is_asked(pilot, "(Ask, page 2 of 2)")


async def test_where_nothing_more_could_be_kept_the_next_start_is_not_promised(tmp_path: Path) -> None:
    async with started(tmp_path) as pilot:
        await pilot.press("enter", "enter")
    async with started(tmp_path) as pilot:
        assert isinstance(pilot.app, WizardApp)
        await pilot.press("enter")
        assert pilot.app.keeping.has_place
        kept = State(tmp_path / "state").bookmark
        kept.unlink()
        kept.mkdir()
        await pilot.press("escape")
        assert not pilot.app.keeping.has_place


async def test_enter_is_yes_for_it_loses_nothing(tmp_path: Path) -> None:
    async with started(tmp_path) as pilot:
        await pilot.press("enter")
    async with started(tmp_path) as pilot:
        focused = pilot.app.focused
        assert isinstance(focused, Button)
        assert str(focused.label) == "Continue"


# Nothing to go on with --------------------------------------------------------------------------------------


async def test_what_was_proven_is_done(tmp_path: Path) -> None:
    async with started(tmp_path) as pilot:
        await pilot.press("enter", "enter", "enter")
        await settled(pilot)
        await write(pilot)
        assert place(tmp_path) is Step.PROVE
        await pilot.press("enter")
        await settled(pilot)
        assert "Proven:" in text(pilot)
        await pilot.press("ctrl+q")
    assert place(tmp_path) is None


async def test_whoever_went_back_to_the_first_step_is_done(tmp_path: Path) -> None:
    for keys in (("escape",), ("enter", "escape", "escape")):
        async with started(tmp_path) as pilot:
            await pilot.press("enter")
            assert place(tmp_path) is Step.ASK
            await pilot.press(*keys)
            await settled(pilot)
            assert step(pilot) is ChooseScreen
            assert place(tmp_path) is None


async def test_a_run_that_waits_for_its_certificate_is_done(tmp_path: Path) -> None:
    class Waiting(SampleHub):
        def plan(self, host: Host, tell: Tell = silent) -> Plan:
            plan = super().plan(host, tell)
            return Plan(target=plan.target, title=plan.title, changes=plan.changes, awaits=tmp_path / "x.pem")

    async with started(tmp_path, Waiting) as pilot:
        await pilot.press("enter", "enter", "enter")
        await settled(pilot)
        await write(pilot)
        await pilot.pause()
        assert not (tmp_path / "state" / "bookmark.json").exists()


async def test_with_answers_from_a_file_nothing_is_asked(tmp_path: Path) -> None:
    async with started(tmp_path) as pilot:
        await pilot.press("enter", "enter")
    world = samples.world(tmp_path / "state")
    async with opened(world, journey=Journey(target=SampleHub)) as pilot:
        assert step(pilot) is AskScreen
        assert "page 1 of 2" in text(pilot)


async def test_what_can_be_kept_nowhere_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    async with started(tmp_path) as pilot:
        await pilot.press("enter", "enter", "enter")
        await settled(pilot)
        assert step(pilot) is ReviewScreen


# With the other dialog --------------------------------------------------------------------------------------


async def test_first_what_was_interrupted_is_rolled_back(tmp_path: Path) -> None:
    async with started(tmp_path) as pilot:
        await pilot.press("enter", "enter", "enter")
        await settled(pilot)
    state = State(tmp_path / "state")
    interrupted_run(state)
    async with started(tmp_path) as pilot:
        assert step(pilot) is Confirm
        await pilot.press("escape")
        await settled(pilot)
        assert step(pilot) is ChooseScreen, "it has not been rolled back yet"
    async with started(tmp_path) as pilot:
        assert step(pilot) is Confirm
        await pilot.press("left", "enter")
        await settled(pilot)
        assert [run.status for run in journal.history(state)] == [Status.ROLLED_BACK]
        await go_on(pilot, "(Review)")
        assert step(pilot) is ReviewScreen


# The cost ---------------------------------------------------------------------------------------------------


def written(folder: Path) -> dict[Path, tuple[int, int]]:
    """Which file stands where, and since when."""
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*")}


async def test_a_letter_writes_nothing(tmp_path: Path) -> None:
    async with started(tmp_path) as pilot:
        await pilot.press("enter", "enter")
        before = written(tmp_path / "state")
        await pilot.press(*"letters", "tab", *"more", "down", "left", "shift+tab")
        await settled(pilot)
        assert written(tmp_path / "state") == before


async def test_each_page_keeps_the_answers_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "EVERY", (offered(SampleHub),))
    state = State(tmp_path / "state")
    world = samples.world(state.root, keep=partial(answers.keep, state))
    async with opened(world) as pilot:
        await pilot.press("enter", "tab")
        await typed(pilot, str(tmp_path))
        assert answers.kept(state) == {"hub-rest": {}}
        await pilot.press("enter")
        assert answers.kept(state) == {"hub-rest": {"directory": str(tmp_path)}}
        await pilot.press("escape", "tab", "tab")
        await typed(pilot, "daemon")
        await pilot.press("escape")
        await settled(pilot)
        assert step(pilot) is ChooseScreen
        assert answers.kept(state) == {"hub-rest": {"directory": str(tmp_path), "account": "daemon"}}
