"""Apply: short, honest, and what to do afterwards."""

from __future__ import annotations

from pathlib import Path

from screens.apply import ApplyScreen
from screens.base import PACE
from screens.widgets.rows import Rows
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.samples import PLAN, RUN, UNDO, WHO
from tests.screens.stage import Size, at_every_size, opened
from wizard.transaction import Progress

STEPS = (
    "created key.pem",
    "created cert.pem",
    "created dh.pem",
    "changed start.sh",
    "the script is still a script",
)


def applying(done: int, screen: ApplyScreen) -> ApplyScreen:
    for number, text in enumerate(STEPS[:done], 1):
        screen.show_progress(Progress(number, len(STEPS), text))
    return screen


# Pictures ---------------------------------------------------------------------------------------------------


async def test_in_progress(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = ApplyScreen(WHO, PLAN)
    async with opened(samples.world(tmp_path), screen) as pilot:
        applying(2, screen)
        await pilot.pause(2 * PACE)
        await looks_as_before(pilot)


@at_every_size
async def test_done(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = ApplyScreen(WHO, PLAN)
    async with opened(samples.world(tmp_path), screen, size=size) as pilot:
        applying(5, screen)
        screen.show_done(RUN)
        await looks_as_before(pilot)


async def test_failed(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = ApplyScreen(WHO, PLAN)
    async with opened(samples.world(tmp_path), screen) as pilot:
        applying(4, screen)
        screen.show_failed(
            "The check `bash -n /home/jake/hub/start.sh` failed with status 2.\n"
            "start.sh: line 14: syntax error: unexpected end of file\n"
            "The old state is back; nothing was changed."
        )
        await looks_as_before(pilot)


async def test_restarted(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = ApplyScreen(WHO, PLAN)
    async with opened(samples.world(tmp_path), screen) as pilot:
        applying(5, screen)
        screen.show_done(RUN)
        screen.say("Restarted.")
        await looks_as_before(pilot)


async def test_undone(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    screen = ApplyScreen(WHO, UNDO)
    async with opened(samples.world(tmp_path), screen) as pilot:
        screen.show_done(samples.run(15, title=UNDO.title, undoes=RUN.id))
        await looks_as_before(pilot)


# Many changes -----------------------------------------------------------------------------------------------


async def test_what_is_shown_bit_by_bit_is_all_there_once_and_the_view_stays(tmp_path: Path) -> None:
    screen = ApplyScreen(WHO, PLAN)
    async with opened(samples.world(tmp_path), screen) as pilot:
        rows = screen.query_one(Rows)
        words = "and some more words, so that it takes two rows"
        texts = [f"created rpc.user.{number}.key {words} {words}" for number in range(200)]
        for number, text in enumerate(texts, 1):
            screen.show_progress(Progress(number, len(texts), text))
            if number % 80 == 0:
                await pilot.pause(2 * PACE)
                rows.scroll_to(y=20, animate=False)
        await pilot.pause(2 * PACE)
        assert rows.plain.split("\n")[-201:] == [*(f"✓ {text}" for text in texts), "…"]
        assert rows.virtual_size.height == 2 + 2 * 200 + 1
        assert rows.scroll_offset.y == 20
        screen.show_done(RUN)
        assert rows.plain.count("✓ ") == 200
