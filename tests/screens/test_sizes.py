"""At 80x24 everything is in view, at 60x20 it can be scrolled to, and no size is too small to survive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from screens.dialogs import Confirm, Help
from screens.widgets.field import Field
from screens.widgets.keys import Keys
from tests.screens import samples
from tests.screens.stage import LARGE, NARROW, NORMAL, Size, opened, settled, text
from tests.screens.test_ask import sample_page
from tests.screens.test_keys import SCENES, Scene, at
from wizard.kinds import Raw

SIZES: tuple[Size, ...] = (
    (60, 20),
    (200, 60),
    (40, 12),
    (20, 5),
    (80, 1),
    (1, 24),
    (2, 2),
    (1, 1),
    (120, 40),
)


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
async def test_any_size_at_any_moment(scene: Scene, tmp_path: Path) -> None:
    async with at(scene, tmp_path, LARGE) as pilot:
        before = text(pilot)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert text(pilot).count("\n") == size[1] - 1
        assert text(pilot) == before


@pytest.mark.parametrize("keys", [("enter",), ("enter", "enter"), ("f1",)], ids=str)
async def test_any_size_while_answering(keys: tuple[str, ...], tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), size=LARGE) as pilot:
        await pilot.press(*keys)
        before = text(pilot)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await pilot.press("tab")
        while text(pilot) != before:
            await pilot.press(
                "tab"
            )  # round to the first field again; the test ends by its time limit if never


async def test_below_forty_by_twelve_a_sentence_takes_the_place_and_the_keys(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path)) as pilot:
        await to_page(pilot, 1)
        before = text(pilot)
        for size in ((39, 24), (80, 11)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert "The wizard needs 40 columns" in " ".join(text(pilot).split())
            await pilot.press("x", "enter", "escape")
            await pilot.resize_terminal(*NORMAL)
            await pilot.pause()
            assert text(pilot) == before


async def to_page(pilot: Pilot[int], number: int) -> None:
    await pilot.press(*["enter"] * number)
    await settled(pilot)


@pytest.mark.parametrize("number", [1, 2])
async def test_every_field_and_key_is_in_view_at_80x24(number: int, tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path)) as pilot:
        await to_page(pilot, number)
        body = pilot.app.screen.query_one("#body")
        assert body.max_scroll_y == 0
        for field in pilot.app.screen.query(Field):
            if field.display:
                assert body.region.contains_region(field.region)
                for part in field.query("Input, Chooser, Label"):
                    assert part.region.height >= 1
        assert pilot.app.screen.query_one(Keys).region.bottom == 24


async def test_every_error_is_in_view_at_80x24(tmp_path: Path) -> None:
    wrong = {"common_name": "x" * 65, "alt_names": "http://signer", "validity_days": "many"}
    world = samples.world(tmp_path)
    async with opened(world) as pilot:
        await pilot.press("enter", "enter")
        for name, answer in wrong.items():
            pilot.app.screen.query_one(f"#{name} Input").value = answer  # type: ignore[attr-defined]  # an Input
        await pilot.press("enter")
        await settled(pilot)
        assert text(pilot).count("✗") == 3
        assert pilot.app.screen.query_one("#body").max_scroll_y == 0


@pytest.mark.parametrize("number", [1, 2])
async def test_every_field_with_its_note_comes_into_view_at_60x20(number: int, tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), size=NARROW) as pilot:
        await to_page(pilot, number)
        screen = pilot.app.screen
        for field in answered(screen.query(Field)):
            focused = screen.focused
            assert focused is not None
            assert field in focused.ancestors
            view = screen.query_one("#body").region
            assert view.contains_region(focused.region)
            assert view.contains_region(field.query_one(".label").region)
            assert view.contains_region(field.query_one(".note").region)
            await pilot.press("tab")
            await pilot.pause()


def answered(fields: Iterable[Field]) -> list[Field]:
    """Those that are shown and in which there is something to answer."""
    return [field for field in fields if field.display and any(w.focusable for w in field.query("*"))]


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("size", [NORMAL, NARROW], ids=str)
async def test_tab_goes_in_reading_order(number: int, size: Size, tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), size=size) as pilot:
        await to_page(pilot, number)
        screen = pilot.app.screen
        shown = answered(screen.query(Field))
        order: list[Widget] = []
        for _ in shown:
            assert screen.focused is not None
            order.append(screen.focused)
            await pilot.press("tab")
        assert [
            next(node for node in widget.ancestors if isinstance(node, Field)) for widget in order
        ] == shown
        places = [widget.virtual_region_with_margin.y for widget in (field for field in shown)]
        assert places == sorted(places)
        assert screen.focused is order[0]  # and round again
        await pilot.press("shift+tab")
        assert screen.focused is order[-1]


OWN_AUTHORITY: Mapping[str, Raw] = {"source": "own", "authority": "staging"}
SAMPLE_PAGES = [
    pytest.param("source", OWN_AUTHORITY, id="long options"),
    pytest.param("authority", {"source": "own"}, id="a new passphrase"),
    pytest.param("authority", OWN_AUTHORITY, id="an existing passphrase"),
    pytest.param("answer", {"source": "request", "delivered": "-----BEGIN CERTIFICATE-----"}, id="pasted"),
]


@pytest.mark.parametrize(("key", "given"), SAMPLE_PAGES)
async def test_any_size_of_the_other_fields(key: str, given: Mapping[str, Raw], tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page(key, **given), size=LARGE) as pilot:
        before = text(pilot)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert text(pilot).count("\n") == size[1] - 1
        assert text(pilot) == before


@pytest.mark.parametrize(("key", "given"), SAMPLE_PAGES)
@pytest.mark.parametrize("size", [NORMAL, NARROW], ids=str)
async def test_whatever_has_the_focus_is_in_view_with_its_label_and_its_note(
    key: str, given: Mapping[str, Raw], size: Size, tmp_path: Path
) -> None:
    async with opened(samples.world(tmp_path), sample_page(key, **given), size=size) as pilot:
        screen = pilot.app.screen
        view = screen.query_one("#body").region
        first = screen.focused
        while True:
            assert screen.focused is not None
            field = next(node for node in screen.focused.ancestors if isinstance(node, Field))
            assert view.contains_region(screen.focused.region)
            for part in (field.query_one(".label"), field.query_one(".note")):
                assert part.region
                assert view.contains_region(part.region)
            await pilot.press("tab")
            await pilot.pause()
            if screen.focused is first:
                break


async def test_a_passphrase_that_is_made_is_in_view_at_60x20(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("authority", source="own"), size=NARROW) as pilot:
        await pilot.press("tab", "tab", "tab", "ctrl+g")
        await pilot.pause()
        assert "Write it down now: it is shown only here." in text(pilot)


@pytest.mark.parametrize("name", ["applied", "review", "proven"])
async def test_everything_can_be_read_at_60x20(name: str, tmp_path: Path) -> None:
    """Each word that a large terminal shows comes into view by the keys a small one has."""
    async with at(SCENES[name], tmp_path, LARGE) as pilot:
        wanted = {word for line in text(pilot).split("\n")[2:-2] for word in line.split()} - {"│"}
    async with at(SCENES[name], tmp_path, NARROW) as pilot:
        seen = ""
        for key in ("tab", "pagedown", "pagedown", "shift+tab", *["down"] * 10):
            # What is folded is put together again, without the scroll bar beside it.
            seen += "".join(line.ljust(60)[:59].strip() for line in text(pilot).split("\n"))
            await pilot.press(key)
            await pilot.pause()
        assert {word for word in wanted if word not in seen} == set()


@pytest.mark.parametrize("size", [NORMAL, NARROW], ids=str)
async def test_a_long_help_can_be_scrolled(size: Size, tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), size=size) as pilot:
        pilot.app.push_screen(Help("Ask", "word " * 600 + "the end"))
        await pilot.pause()
        assert "Esc closes." in text(pilot)
        await pilot.press("end")
        await pilot.pause()
        assert "the end" in text(pilot)


async def test_the_answers_of_a_question_are_in_view_at_60x20(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), size=NARROW) as pilot:
        pilot.app.push_screen(Confirm("word " * 60, "Write"))
        await pilot.pause()
        assert "Write" in text(pilot)
        assert "Back" in text(pilot)
