"""The keys at the bottom: each does something, by key and by mouse; and what is copied is never a secret."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.pilot import Pilot

from screens.app import WizardApp
from screens.apply import ApplyScreen
from screens.ask import AskScreen
from screens.base import WizardScreen
from screens.history import HistoryScreen
from screens.journey import Journey
from screens.prove import ProveScreen
from screens.review import ReviewScreen
from screens.steps import WORKING
from screens.widgets.keys import Keys
from tests.screens import samples
from tests.screens.samples import (
    ADVICE,
    CURL,
    EDIT,
    FAILED,
    HOST,
    HOSTILE_PLAN,
    NOTHING_TO_CHANGE,
    PLAN,
    RUN,
    RUNS,
    WHO,
    WITH_FINDING,
    SampleHub,
)
from tests.screens.stage import NARROW, NORMAL, Size, opened, settled, text
from wizard.errors import WizardError
from wizard.plan import Plan
from wizard.proof import Proof
from wizard.sheet import fill_in


@dataclass(frozen=True)
class Scene:
    """A step in a state, and the keys that are promised there."""

    keys: tuple[str, ...]
    show: Callable[[Pilot[int]], None] = lambda pilot: None
    screen: Callable[[], WizardScreen | None] = lambda: None


def reviewing(plan: Plan) -> Callable[[Pilot[int]], None]:
    def show(pilot: Pilot[int]) -> None:
        assert isinstance(pilot.app.screen, ReviewScreen)
        pilot.app.screen.show(plan)

    return show


def refused(pilot: Pilot[int]) -> None:
    assert isinstance(pilot.app.screen, ReviewScreen)
    pilot.app.screen.show(WizardError("This file is a symbolic link into another system."))


def applied(pilot: Pilot[int]) -> None:
    assert isinstance(pilot.app.screen, ApplyScreen)
    pilot.app.screen.show_done(RUN)


def failed(pilot: Pilot[int]) -> None:
    assert isinstance(pilot.app.screen, ApplyScreen)
    pilot.app.screen.show_failed("The disk is full.")


def proving(proof: Proof, *, ended: bool) -> Callable[[Pilot[int]], None]:
    def show(pilot: Pilot[int]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, ProveScreen)
        screen.begin(samples.checks(proof))
        if ended:
            for result in proof.results:
                screen.show_result(result)
            screen.show_proof(proof)

    return show


def review() -> ReviewScreen:
    return ReviewScreen(WHO, WORKING)


def apply() -> ApplyScreen:
    return ApplyScreen(WHO, PLAN)


def prove() -> ProveScreen:
    return ProveScreen(WHO, PLAN.title, PLAN, can_undo=True)


ALWAYS = ("Esc back", "F1 help", "Ctrl+Q quit")
OF_A_PLAN = ("Tab other side", "C copy", "E answers", *ALWAYS)
SCENES = {
    "choose": Scene(("Enter next", "C certificates", "H earlier runs", *ALWAYS[1:])),
    "making the plan": Scene(ALWAYS, screen=review),
    "review": Scene(("Enter write", *OF_A_PLAN), reviewing(PLAN), review),
    "nothing to change": Scene(("Enter prove", *OF_A_PLAN), reviewing(NOTHING_TO_CHANGE), review),
    "refusal": Scene(("E answers", *ALWAYS), refused, review),
    "writing": Scene(("F1 help", "Ctrl+Q quit"), screen=apply),
    "applied": Scene(
        ("Enter next", "S restart", "U undo", "C copy", "F1 help", "Ctrl+Q quit"), applied, apply
    ),
    "failed": Scene(ALWAYS, failed, apply),
    "proving": Scene(("C copy", *ALWAYS), proving(WITH_FINDING, ended=False), prove),
    "proven": Scene(
        ("R again", "S restart", "C copy", "U undo", "Enter done", *ALWAYS),
        proving(FAILED, ended=True),
        prove,
    ),
    "runs": Scene(("Enter preview undo", *ALWAYS), screen=lambda: HistoryScreen(WHO, RUNS)),
    "no runs": Scene(ALWAYS, screen=lambda: HistoryScreen(WHO, ())),
}
PROMISES = [
    pytest.param(scene, entry, id=f"{name}: {entry}")
    for name, scene in SCENES.items()
    for entry in scene.keys
    if entry not in ALWAYS[1:]  # test_journey.py: help and leaving, at every step
]
NAMES = {"Esc": "escape", "Ctrl+Q": "ctrl+q"}


@asynccontextmanager
async def at(scene: Scene, tmp_path: Path, size: Size = NORMAL) -> AsyncIterator[Pilot[int]]:
    """The scene, in a journey that has got that far."""
    async with opened(samples.world(tmp_path / "state"), scene.screen(), size=size) as pilot:
        assert isinstance(pilot.app, WizardApp)
        answers = fill_in(SampleHub, {}, HOST).answers
        if scene.screen() is not None:
            pilot.app.journey = Journey(HOST, target=SampleHub, answers=answers, plan=PLAN, run=RUN)
        scene.show(pilot)
        await pilot.pause()
        yield pilot


def footer(pilot: Pilot[int]) -> str:
    keys = pilot.app.screen.query_one(Keys)
    return " ".join(text(pilot).split("\n")[keys.region.y :])


def everything(pilot: Pilot[int]) -> tuple[object, ...]:
    """Whatever a key may change: what is shown, said, copied, focused, or whether we are still here."""
    app = pilot.app
    if app._exit:
        return ("left",)
    notes = [str(note.message) for note in app._notifications]
    return (text(pilot), type(app.screen), str(app.focused), app.clipboard, notes)


# Every key --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
async def test_the_keys_that_do_something_are_shown(scene: Scene, tmp_path: Path) -> None:
    async with at(scene, tmp_path) as pilot:
        assert footer(pilot).split() == " ".join(scene.keys).split()


@pytest.mark.parametrize(("scene", "entry"), PROMISES)
async def test_a_key_does_something(scene: Scene, entry: str, tmp_path: Path) -> None:
    key = entry.split(maxsplit=1)[0]
    async with at(scene, tmp_path) as pilot:
        before = everything(pilot)
        await pilot.press(NAMES.get(key, key.lower()))
        await settled(pilot)
        assert everything(pilot) != before


@pytest.mark.parametrize("entry", SCENES["proven"].keys)
async def test_a_click_on_a_key_does_the_same(entry: str, tmp_path: Path) -> None:
    """In a narrow terminal, where the keys take two lines."""
    key = entry.split(maxsplit=1)[0]
    async with at(SCENES["proven"], tmp_path, NARROW) as pilot:
        await pilot.press(NAMES.get(key, key.lower()))
        await settled(pilot)
        pressed = everything(pilot)
    async with at(SCENES["proven"], tmp_path, NARROW) as pilot:
        lines = text(pilot).split("\n")
        row = max(y for y, line in enumerate(lines) if entry in line)
        await pilot.click(offset=(lines[row].index(entry) + 1, row))
        await settled(pilot)
        assert everything(pilot) == pressed


async def test_a_click_between_two_keys_does_nothing(tmp_path: Path) -> None:
    async with at(SCENES["applied"], tmp_path) as pilot:
        before = everything(pilot)
        row = pilot.app.size.height - 1
        for column in (0, text(pilot).split("\n")[row].index("  S restart"), 79):
            await pilot.click(offset=(column, row))
            await settled(pilot)
            assert everything(pilot) == before


async def test_a_click_chooses_what_it_hits(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path)) as pilot:
        await pilot.click("OptionList", offset=(3, 0))
        await settled(pilot)
        assert isinstance(pilot.app.screen, AskScreen)


# Copying ----------------------------------------------------------------------------------------------------


async def test_the_new_content_of_a_file_is_copied(tmp_path: Path) -> None:
    async with at(SCENES["review"], tmp_path) as pilot:
        await pilot.press("down", "c")
        assert pilot.app.clipboard == samples.CERTIFICATE.after.decode()  # type: ignore[union-attr]  # it has one


@pytest.mark.parametrize("row", range(len(PLAN.changes) + 3))
async def test_a_secret_is_never_copied(row: int, tmp_path: Path) -> None:
    async with at(SCENES["review"], tmp_path) as pilot:
        await pilot.press(*["down"] * row, "c")
        copied = pilot.app.clipboard
        for secret in (b"never shown", *EDIT.hidden):
            assert secret.decode() not in copied
        assert bool(copied) == (PLAN.changes[row : row + 1] != (samples.KEY,))


async def test_what_is_copied_of_a_file_with_secrets_says_that_they_are_left_out(tmp_path: Path) -> None:
    async with at(SCENES["review"], tmp_path) as pilot:
        await pilot.press("down", "down", "down", "c")
        assert "--salt [hidden]" in pilot.app.clipboard
        assert "+     --authMode ssl" in pilot.app.clipboard


async def test_a_name_full_of_markup_is_copied_and_told_inert(tmp_path: Path) -> None:
    async with at(Scene((), reviewing(HOSTILE_PLAN), review), tmp_path) as pilot:
        await pilot.press("c")
        await settled(pilot)
        assert "the new content of" in str(next(iter(pilot.app._notifications)).message)
        assert "\x1b" not in text(pilot)


async def test_what_is_copied_is_in_a_file_that_only_the_user_reads_as_well(tmp_path: Path) -> None:
    async with at(SCENES["applied"], tmp_path) as pilot:
        await pilot.press("c")
        await settled(pilot)
        assert isinstance(pilot.app, WizardApp)
        copied = pilot.app.world.state.copied
        assert copied.read_text() == ADVICE[0].command
        assert copied.stat().st_mode & 0o777 == 0o600
        assert f"It is in {copied} too." in str(next(iter(pilot.app._notifications)).message)


async def test_where_nothing_can_be_kept_it_is_copied_all_the_same(tmp_path: Path) -> None:
    async with at(SCENES["applied"], tmp_path) as pilot:
        assert isinstance(pilot.app, WizardApp)
        pilot.app.world.state.copied.mkdir(parents=True)
        await pilot.press("c")
        await settled(pilot)
        assert pilot.app.clipboard == ADVICE[0].command
        assert str(next(iter(pilot.app._notifications)).message).endswith("the first command.")


async def test_the_restart_command_is_copied_after_writing(tmp_path: Path) -> None:
    async with at(SCENES["applied"], tmp_path) as pilot:
        await pilot.press("c")
        assert pilot.app.clipboard == ADVICE[0].command


async def test_the_advice_of_a_check_is_copied_before_its_command(tmp_path: Path) -> None:
    async with at(SCENES["proven"], tmp_path) as pilot:
        await pilot.press("c")
        assert pilot.app.clipboard == ADVICE[0].command
        await pilot.press("down", "c")
        assert pilot.app.clipboard == CURL
