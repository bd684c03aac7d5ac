"""Passphrases on the screen: typed unseen, repeated, judged, made, and gone when the page is left."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from time import monotonic

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, Label

from screens.ask import AskScreen
from screens.journey import Journey
from screens.widgets import secret
from screens.widgets.field import PAUSE, Field
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.sample_targets import OPENS, SampleAuthority, fingerprint
from tests.screens.samples import HOST, WHO, Kept
from tests.screens.stage import NARROW, NORMAL, Size, at_every_size, opened, paused, settled, text
from wizard.errors import WrongAnswer
from wizard.kinds import Raw
from wizard.secret import Secret
from wizard.sheet import fill_in

PAGE = SampleAuthority.pages[1]
FIRST, AGAIN = 0, 1
"""The two rows of the field."""
MADE = "k3m9x-q7w2p-z5t8b-n4r6h-c2v8d"

at_two_sizes = pytest.mark.parametrize("size", [NORMAL, NARROW], ids=["80x24", "60x20"])


def page(given: dict[str, Raw] | None = None, wrong: WrongAnswer | None = None) -> AskScreen:
    read = partial(fill_in, SampleAuthority, host=HOST)
    return AskScreen(WHO, PAGE, {"source": "own", **(given or {})}, read, wrong=wrong, known=(HOST.fqdn,))  # type: ignore[arg-type]  # of a subclass of Target


def existing(**more: Raw) -> dict[str, Raw]:
    return {"authority": "example", **more}


def screen(pilot: Pilot[int]) -> AskScreen:
    assert isinstance(pilot.app.screen, AskScreen)
    return pilot.app.screen


def row(pilot: Pilot[int], which: int) -> Input:
    return list(screen(pilot).query("#passphrase Input").results(Input))[which]


def note(pilot: Pilot[int]) -> str:
    return str(screen(pilot).query_one("#passphrase .note", Label).render())


def given(pilot: Pilot[int]) -> Raw | None:
    return screen(pilot).given.get("passphrase")


async def write(pilot: Pilot[int], which: int, words: str) -> None:
    """Type key by key into a row, in place of what stands there."""
    row(pilot, which).focus()
    await pilot.press("end", *["backspace"] * len(row(pilot, which).value), *words)
    await pilot.pause()


async def judged(pilot: Pilot[int]) -> str:
    """What is said once the passphrase has been judged."""
    deadline = monotonic() + 10
    while "guessed in" not in note(pilot) and monotonic() < deadline:
        await asyncio.sleep(0.05)
    return note(pilot)


# Pictures ---------------------------------------------------------------------------------------------------


@at_every_size
async def test_a_new_one(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), page(), size=size) as pilot:
        await looks_as_before(pilot)


@at_two_sizes
async def test_a_weak_one(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), page(), size=size) as pilot:
        await write(pilot, FIRST, "hunter2")
        await judged(pilot)
        await looks_as_before(pilot)


async def test_a_strong_one(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), page()) as pilot:
        await write(pilot, FIRST, "quaxophon strudel 17")
        await write(pilot, AGAIN, "quaxophon strudel 17")
        await judged(pilot)
        await looks_as_before(pilot)


@at_two_sizes
async def test_two_that_differ(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), page(), size=size) as pilot:
        await write(pilot, FIRST, "hunter2")
        await judged(pilot)
        await write(pilot, AGAIN, "hunger2")
        await pilot.press("enter")
        await looks_as_before(pilot)


@at_two_sizes
async def test_one_that_was_made(
    size: Size, tmp_path: Path, looks_as_before: LooksAsBefore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret, "generated", lambda: Secret(MADE))  # else no two pictures are the same
    async with opened(samples.world(tmp_path), page(), size=size) as pilot:
        row(pilot, FIRST).focus()
        await pilot.press("ctrl+g")
        await looks_as_before(pilot)


async def test_one_that_was_given_before(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), page({"passphrase": OPENS})) as pilot:
        await looks_as_before(pilot)


@at_two_sizes
async def test_an_existing_one(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), page(existing()), size=size) as pilot:
        await pilot.press(*"hunter2")
        await looks_as_before(pilot)


@at_two_sizes
async def test_one_that_turned_out_wrong(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    wrong = WrongAnswer("passphrase", "This passphrase does not open the authority's key.")
    async with opened(samples.world(tmp_path), page(existing(passphrase=OPENS), wrong), size=size) as pilot:
        await looks_as_before(pilot)


# Typing -----------------------------------------------------------------------------------------------------


async def test_a_new_one_counts_only_while_both_rows_agree(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page()) as pilot:
        await write(pilot, FIRST, "horse")
        assert given(pilot) is None
        await write(pilot, AGAIN, "hors")
        assert given(pilot) is None
        assert "✗" not in note(pilot), "it is still being typed"
        await pilot.press("e")
        assert given(pilot) == Secret("horse")
        await pilot.press("s")
        await paused(pilot)
        assert given(pilot) is None
        assert note(pilot) == "✗ The two differ. Type the same in both rows."
        await pilot.press("backspace")
        assert given(pilot) == Secret("horse")
        await write(pilot, FIRST, "")
        assert given(pilot) is None


async def test_enter_goes_to_the_second_row_and_on_from_there_when_both_agree(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page()) as pilot:
        await write(pilot, FIRST, "horse")
        await pilot.press("enter")
        assert screen(pilot).focused is row(pilot, AGAIN)
        assert "✗" not in text(pilot)
        await pilot.press("enter")
        assert screen(pilot).focused is row(pilot, AGAIN)
        assert note(pilot) == "✗ The two differ. Type the same in both rows."
        await pilot.press(*"horse")
        await paused(pilot)
        assert "✗" not in text(pilot)
        assert "Enter next  Tab field  Esc back" in text(pilot)


async def test_after_one_was_made_enter_goes_on_at_once(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page()) as pilot:
        await pilot.press("ctrl+g", "enter")
        assert screen(pilot).focused is row(pilot, FIRST), "not to the second row, which is filled in already"


async def test_nothing_typed_is_missing_once_next_was_tried(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page()) as pilot:
        assert note(pilot) == "Of the authority's key. Ctrl+G makes one."
        await pilot.press("enter")
        assert note(pilot).startswith("✗ This is needed.")
        assert screen(pilot).focused is row(pilot, FIRST)
        await pilot.press("enter", "enter")
        assert screen(pilot).focused is row(pilot, FIRST)


async def test_an_existing_one_is_typed_once_and_neither_judged_nor_made(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page(existing())) as pilot:
        assert screen(pilot).focused is row(pilot, FIRST)
        await pilot.press(*"horse", "ctrl+g")
        assert given(pilot) == Secret("horse")
        assert row(pilot, FIRST).value == "horse"
        await pilot.press("tab")
        assert screen(pilot).focused is row(pilot, FIRST), "there is no second row"
        await asyncio.sleep(2 * PAUSE)
        await settled(pilot)
        assert note(pilot) == "Of the authority's key."


async def test_an_answer_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page()) as pilot:
        await write(pilot, FIRST, "abc")
        await write(pilot, AGAIN, "abc")
        await paused(pilot)
        assert note(pilot) == "✗ It has to have four characters."


# Judging ----------------------------------------------------------------------------------------------------


async def test_the_strength_is_said_in_words_and_a_weak_one_can_be_used(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page()) as pilot:
        await write(pilot, FIRST, "hunter2")
        assert (await judged(pilot)).startswith("! Very weak: guessed in less than a second.")
        assert note(pilot).endswith("Ctrl+G makes a strong one.")
        await pilot.press("x")
        await paused(pilot)
        assert "guessed in" not in note(pilot), "that was said of another one"
        await write(pilot, AGAIN, "hunter2x")
        assert (await judged(pilot)).startswith("! Very weak")
        assert given(pilot) == Secret("hunter2x")


@pytest.mark.parametrize("words", ["signer.example.com", "quaxophon", "quaxophon-signer"])
async def test_the_names_of_the_host_and_among_the_answers_are_guessed_first(
    words: str, tmp_path: Path
) -> None:
    asked = page({"authority_name": "quaxophon"})
    async with opened(samples.world(tmp_path), asked) as pilot:
        await write(pilot, FIRST, words)
        assert "eak" in await judged(pilot)


async def test_keys_are_not_kept_waiting_by_the_judgement(tmp_path: Path) -> None:
    """Only what stands there when the typing pauses is judged."""
    async with opened(samples.world(tmp_path), page()) as pilot:
        row(pilot, FIRST).focus()
        await pilot.press(*"abcabcabc" * 6)
        assert not [worker for worker in pilot.app.workers if worker.group == "default"]
        assert "Repeats" in await judged(pilot)


# Making -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [FIRST, AGAIN])
async def test_ctrl_g_makes_one_and_shows_it_until_the_page_is_left(which: int, tmp_path: Path) -> None:
    world = samples.world(tmp_path / "state", target=SampleAuthority)
    start = {"source": "own", "directory": str(tmp_path)}
    async with opened(world, journey=Journey(given={"sample-ca": start})) as pilot:
        await pilot.press("enter", "enter")
        row(pilot, which).focus()
        await pilot.press(*"typed before", "ctrl+g")
        made = row(pilot, FIRST).value
        assert len(made) == 29
        assert (row(pilot, AGAIN).value, given(pilot)) == (made, Secret(made))
        assert note(pilot) == f"{made}\nWrite it down now: it is shown only here."
        screen(pilot).query_one("#organisation Input").focus()
        await pilot.press("x", "f1", "escape")
        assert made in text(pilot), "until the page is left"
        await pilot.press("enter")
        assert "page 3 of 3" in text(pilot)
        await pilot.press("escape")
        assert "given already; type to replace it" in text(pilot)
        assert made not in text(pilot)
        await pilot.press("enter", "enter")
        await settled(pilot)
        await pilot.press("enter")
        await pilot.click("#yes")
        await settled(pilot)
    assert (tmp_path / "key.pem").read_text() == f"the key under {fingerprint(Secret(made))}"


async def test_typing_over_one_that_was_made_takes_it_from_the_screen(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page()) as pilot:
        row(pilot, AGAIN).focus()
        await pilot.press("ctrl+g")
        made = row(pilot, FIRST).value
        await pilot.press("x")
        assert made not in text(pilot)
        assert given(pilot) is None
        await pilot.press("ctrl+g")
        assert given(pilot) not in (None, Secret(made)), "each time another one"


# Unseen -----------------------------------------------------------------------------------------------------


async def test_only_dots_are_shown(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page()) as pilot:
        await write(pilot, FIRST, "hunter2")
        await write(pilot, AGAIN, "hunter2")
        assert text(pilot).count("•••••••") == 2
        assert "hunter2" not in text(pilot)
        await pilot.press("f1")
        assert "hunter2" not in text(pilot)
        assert "It is neither shown nor copied nor kept" in text(pilot)
        assert "passphrase_file" in text(pilot)


@pytest.mark.parametrize("key", ["ctrl+c", "super+c", "ctrl+x"])
async def test_it_cannot_be_copied(key: str, tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page()) as pilot:
        await write(pilot, FIRST, "hunter2")
        await pilot.press("ctrl+shift+a", key)
        assert pilot.app.clipboard == ""
        assert row(pilot, FIRST).value == "hunter2"
        await pilot.mouse_down("#authority_name .label")
        await pilot.hover("#passphrase .note")
        await pilot.mouse_up("#passphrase .note")
        await pilot.press("ctrl+c")
        assert pilot.app.clipboard == "", "nothing on a screen can be selected but by the terminal itself"


async def test_a_paste_into_it_goes_in_unseen(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page(existing())) as pilot:
        row(pilot, FIRST).post_message(events.Paste("hunter2"))
        await pilot.pause()
        assert given(pilot) == Secret("hunter2")
        assert "hunter2" not in text(pilot)


async def test_the_field_forgets_it_when_the_page_is_left(tmp_path: Path) -> None:
    kept = Kept()
    world = samples.world(tmp_path, target=SampleAuthority, keep=kept)
    async with opened(world, journey=Journey(given={"sample-ca": {"source": "own"}})) as pilot:
        await pilot.press("enter", "enter")
        await write(pilot, FIRST, "hunter2")
        await write(pilot, AGAIN, "hunter2")
        rows = [row(pilot, FIRST), row(pilot, AGAIN)]
        field = screen(pilot).query_one("#passphrase", Field)
        await pilot.press("enter")
        assert "page 3 of 3" in text(pilot)
        assert [line.value for line in rows] == ["", ""]
        assert "hunter2" not in repr(vars(field))
        await pilot.press("escape", "enter")
        assert "page 3 of 3" in text(pilot), "the answer itself is there"
        await pilot.press("ctrl+q")
    assert kept == {"sample-ca": {"source": "own", "passphrase": Secret("hunter2")}}, "which is not written"
    assert "hunter2" not in repr(kept)


async def test_a_given_one_stays_until_something_is_typed(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page({"passphrase": OPENS})) as pilot:
        await pilot.press("tab", "tab", "tab", "tab", "shift+tab")
        assert given(pilot) == OPENS
        await write(pilot, FIRST, "x")
        assert given(pilot) is None
        assert "given already" not in text(pilot)


# One that exists, and a new one -----------------------------------------------------------------------------


async def test_the_passphrase_of_what_exists_is_none_for_something_new(tmp_path: Path) -> None:
    world = samples.world(tmp_path, target=SampleAuthority)
    journey = Journey(given={"sample-ca": {"source": "own", "authority": "example"}})
    async with opened(world, journey=journey) as pilot:
        await pilot.press("enter", "enter")
        await write(pilot, FIRST, "horse")
        await pilot.press("escape", "tab", "tab", "left")  # a new authority
        assert "passphrase" not in screen(pilot).given
        await pilot.press("enter", "enter")
        assert note(pilot).startswith("✗ This is needed.")
        await write(pilot, FIRST, "horse")
        await write(pilot, AGAIN, "horse")
        await pilot.press("escape", "tab", "tab", "right", "enter")
        assert "passphrase" not in screen(pilot).given
