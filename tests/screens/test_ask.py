"""Ask: one page of questions, its defaults, and what is said about each answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import combinations, product
from pathlib import Path
from textwrap import wrap

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Label

from screens.ask import AskScreen
from screens.journey import Journey
from screens.widgets.chooser import Chooser
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.sample_targets import AUTHORITIES, SampleAuthority
from tests.screens.samples import HOST, WHO, SampleHub
from tests.screens.stage import LARGE, NARROW, NORMAL, Size, at_every_size, opened, paused, text, typed
from wizard import targets
from wizard.host import Host
from wizard.kinds import Choice, Raw, YesNo
from wizard.questions import Page, Question
from wizard.sheet import Sheet, fill_in
from wizard.targets import Target
from wizard.targets.hub_rest import HubRest

SERVICE, CERTIFICATE = SampleHub.pages


def page(key: str, given: Mapping[str, Raw] | None = None) -> AskScreen:
    shown = next(page for page in SampleHub.pages if page.key == key)
    target: type[Target] = SampleHub
    read: Callable[[Mapping[str, Raw]], Sheet[Target]] = partial(fill_in, target, host=HOST)
    return AskScreen(WHO, shown, given or {}, read)


# Pictures ---------------------------------------------------------------------------------------------------


@at_every_size
async def test_service_defaults(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), page("service"), size=size) as pilot:
        await looks_as_before(pilot)


@at_every_size
async def test_certificate_defaults(size: Size, tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), page("certificate"), size=size) as pilot:
        await looks_as_before(pilot)


async def test_error_while_typing(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), page("certificate")) as pilot:
        await pilot.press("tab")
        await typed(pilot, "signer, 10.0.0.5:50051")
        await looks_as_before(pilot)


async def test_caution(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), page("certificate", {"validity_days": "9999"})) as pilot:
        await looks_as_before(pilot)


async def test_next_with_wrong_answers(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    given = {"common_name": "", "alt_names": "http://signer", "validity_days": "many"}
    async with opened(samples.world(tmp_path), page("certificate", given)) as pilot:
        await pilot.press("enter")
        await looks_as_before(pilot)


async def test_long_answers(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    deep = "/home/jake/" + "a-folder-with-a-long-name/" * 8
    given = {"start_script": f"{deep}start.sh", "directory": f"{deep}[bold]certificates[/bold]"}
    async with opened(samples.world(tmp_path), page("service", given)) as pilot:
        await looks_as_before(pilot)


async def test_question_that_follows_from_an_answer(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), page("service", {"start_script": "/opt/grpc.sh"})) as pilot:
        await pilot.press("enter")
        await looks_as_before(pilot)


async def test_an_answer_that_leads_to_another_target(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), page("service")) as pilot:
        await type_into(pilot, "start_script", "/opt/old.sh")
        await looks_as_before(pilot)


# Answers ----------------------------------------------------------------------------------------------------


def screen(pilot: Pilot[int]) -> AskScreen:
    assert isinstance(pilot.app.screen, AskScreen)
    return pilot.app.screen


def shown(pilot: Pilot[int], name: str) -> str:
    """What stands in a field."""
    return screen(pilot).query_one(f"#{name} Input", Input).value


def note(pilot: Pilot[int], name: str) -> str:
    """What is said under a field."""
    return str(screen(pilot).query_one(f"#{name} .note", Label).render())


async def type_into(pilot: Pilot[int], name: str, text: str) -> None:
    screen(pilot).query_one(f"#{name} Input", Input).focus()
    await pilot.pause()
    await typed(pilot, text)


async def test_an_emptied_field_takes_its_default_again(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page("certificate")) as pilot:
        await type_into(pilot, "validity_days", "30")
        assert screen(pilot).given == {"validity_days": "30"}
        await type_into(pilot, "validity_days", "")
        assert screen(pilot).given == {}
        assert screen(pilot).sheet["validity_days"].text == "397"
        assert "✗" not in note(pilot, "validity_days")


async def test_an_emptied_answer_from_last_time_takes_its_default_again(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page("certificate", {"validity_days": "30"})) as pilot:
        await type_into(pilot, "validity_days", "")
        assert screen(pilot).given == {}
        assert screen(pilot).sheet["validity_days"].text == "397"


async def test_a_default_follows_an_earlier_answer(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page("service")) as pilot:
        await type_into(pilot, "start_script", "/opt/iota/start.sh")
        assert shown(pilot, "directory") == "/opt/iota"
        assert screen(pilot).given == {"start_script": "/opt/iota/start.sh"}


async def test_what_was_typed_over_a_default_stays(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page("service")) as pilot:
        await type_into(pilot, "directory", "/etc/hub")
        await type_into(pilot, "start_script", "/opt/iota/start.sh")
        assert shown(pilot, "directory") == "/etc/hub"
        await type_into(pilot, "directory", "")
        assert screen(pilot).sheet["directory"].text == "/opt/iota"


async def test_a_default_follows_on_the_next_page_too(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page("certificate")) as pilot:
        await type_into(pilot, "common_name", "api")
        assert shown(pilot, "alt_names").startswith("api, signer, ")


async def test_what_has_no_answer_yet_is_no_error_before_next_was_tried(tmp_path: Path) -> None:
    class NoScript(SampleHub):
        def default_start_script(self, host: Host) -> None:  # type: ignore[override]  # as where no Hub is found
            return None

    async with opened(samples.world(tmp_path, target=NoScript)) as pilot:
        await pilot.press("enter")
        assert "✗" not in text(pilot)
        await pilot.press("enter")
        assert note(pilot, "start_script") == "✗ This is needed."
        assert screen(pilot).focused is screen(pilot).query_one("#start_script Input")


async def test_what_follows_from_a_wrong_answer_is_not_called_wrong_too(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page("service")) as pilot:
        await type_into(pilot, "start_script", "/opt/nothing")
        assert "There is no such file" in note(pilot, "start_script")
        assert text(pilot).count("✗") == 1


async def test_an_error_shows_while_typing_and_goes_when_it_is_put_right(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page("certificate")) as pilot:
        screen(pilot).query_one("#validity_days Input", Input).focus()
        await pilot.press("end", "x")
        await paused(pilot)
        assert '"397x" is not a whole number' in note(pilot, "validity_days")
        await pilot.press("backspace")
        await paused(pilot)
        assert note(pilot, "validity_days") == screen(pilot).sheet["validity_days"].question.help


async def test_what_follows_from_letters_is_shown_after_a_pause(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page("certificate")) as pilot:
        await pilot.press("end", "x")
        async with asyncio.timeout(20):
            while not shown(pilot, "alt_names").startswith("signerx, signer,"):
                await pilot.pause(0.05)


async def test_next_goes_to_the_first_wrong_field(tmp_path: Path) -> None:
    given = {"alt_names": "http://signer", "validity_days": "many"}
    async with opened(samples.world(tmp_path), page("certificate", given)) as pilot:
        await pilot.press("enter")
        focused = pilot.app.screen.focused
        assert focused is screen(pilot).query_one("#alt_names Input")


async def test_a_question_appears_when_an_answer_makes_it_apply(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page("service")) as pilot:
        assert "Switch to REST" not in text(pilot)
        await type_into(pilot, "start_script", "/opt/grpc.sh")
        assert "Switch to REST" in text(pilot)
        await pilot.press("enter")
        assert pilot.app.screen.focused is screen(pilot).query_one("#switch_to_rest Chooser")
        await pilot.press("left")
        assert screen(pilot).given["switch_to_rest"] == "yes"
        assert "✗" not in text(pilot)


async def test_a_choice_is_changed_by_arrows_blank_and_mouse(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page("certificate"), size=LARGE) as pilot:
        key = screen(pilot).query_one("#key_type Chooser", Chooser)
        key.focus()
        await pilot.press("right", "space", "left")
        assert screen(pilot).given["key_type"] == "rsa-2048"
        await pilot.click(key, offset=(str(key.render()).index("RSA 4096"), 0))
        assert screen(pilot).given["key_type"] == "rsa-4096"
        await pilot.click(key, offset=(1, 0))
        assert "key_type" not in screen(pilot).given  # the default again


async def test_a_click_goes_into_a_field(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), page("service")) as pilot:
        await pilot.click("#address Input")
        assert pilot.app.screen.focused is screen(pilot).query_one("#address Input")


@pytest.mark.parametrize("path", ["/" + "x" * 300 + "/start.sh", "~nobody-of-that-name/start.sh", "start.sh"])
async def test_any_path_can_be_typed(path: str, tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text("hub --serverType http\n")
    world = samples.world(tmp_path / "state", target=HubRest)
    given = {"start_script": str(tmp_path / "start.sh")}
    async with opened(world, journey=Journey(given={"hub-rest": given})) as pilot:
        await pilot.press("enter")
        for name in ("start_script", "directory"):
            await type_into(pilot, name, path)
            assert note(pilot, name).startswith("✗")


# Choices that follow ----------------------------------------------------------------------------------------


def sample_page(key: str, **given: Raw) -> AskScreen:
    """A page of the target whose questions depend on each other."""
    shown = next(page for page in SampleAuthority.pages if page.key == key)
    target: type[Target] = SampleAuthority
    read: Callable[[Mapping[str, Raw]], Sheet[Target]] = partial(fill_in, target, host=HOST)
    return AskScreen(WHO, shown, given, read)


@at_every_size
@pytest.mark.parametrize("authority", ["example", "staging"])
async def test_long_options(
    authority: str, size: Size, tmp_path: Path, looks_as_before: LooksAsBefore
) -> None:
    asked = sample_page("source", source="own", authority=authority)
    async with opened(samples.world(tmp_path), asked, size=size) as pilot:
        screen(pilot).query_one("#authority Chooser").focus()
        await looks_as_before(pilot)


@pytest.mark.parametrize("size", [NORMAL, NARROW, LARGE, (40, 24)], ids=str)
async def test_every_option_can_be_read_in_full(size: Size, tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("source", source="own"), size=size) as pilot:
        chooser = screen(pilot).query_one("#authority Chooser", Chooser)
        chooser.focus()
        for value, label in (*AUTHORITIES["server"], AUTHORITIES["server"][0]):
            assert chooser.value == value
            assert label in " ".join(text(pilot).split())
            assert screen(pilot).query_one("#body").region.contains_region(chooser.region)
            await pilot.press("right")


async def test_the_options_follow_an_earlier_answer(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("source", source="own")) as pilot:
        chooser = screen(pilot).query_one("#authority Chooser", Chooser)
        chooser.focus()
        await pilot.press("right")
        assert screen(pilot).given["authority"] == "example"
        await pilot.press("tab", "right")  # round to the first question
        assert chooser.options == AUTHORITIES["mutual"]
        assert note(pilot, "authority") == '✗ "example" is not one of: new, clients.'
        assert "‹ … ›" in text(pilot)
        await pilot.press("enter")
        assert screen(pilot).focused is chooser
        await pilot.press("right", "right")
        assert screen(pilot).given["authority"] == "clients"
        assert "✗" not in text(pilot)
        shown = " ".join(text(pilot).split())
        assert "has issued 3 [bold]\\x1b[2J ›" in shown, "inert, since it comes from a certificate"


async def test_a_default_among_other_options_follows_too(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("source", source="own")) as pilot:
        await pilot.press("right")
        assert screen(pilot).query_one("#authority Chooser", Chooser).value == "new"
        assert "✗" not in text(pilot)


async def test_a_click_on_a_long_option_goes_to_the_next_and_on_its_left_end_back(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("source", source="own")) as pilot:
        chooser = screen(pilot).query_one("#authority Chooser", Chooser)
        await pilot.click(chooser, offset=(5, 0))
        assert chooser.value == "example"
        await pilot.click(chooser, offset=(0, 0))
        assert chooser.value == "new"


async def test_keys_in_a_burst_choose_one_after_the_other(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("source")) as pilot:
        chooser = screen(pilot).query_one("#source Chooser", Chooser)
        chooser.focus()
        await pilot.pause()
        for _ in range(4):
            chooser.action_move(1)
        await pilot.pause()
        assert chooser.value == "own"
        assert screen(pilot).given["source"] == "own"


# What may be empty ------------------------------------------------------------------------------------------


async def test_an_optional_field_that_is_left_empty_is_fine(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), sample_page("authority", source="own")) as pilot:
        await pilot.press("enter")
        assert note(pilot, "organisation") == "Its full legal name, if it has one."
        await type_into(pilot, "organisation", "Example AG")
        await type_into(pilot, "organisation", "")
        assert "organisation" not in screen(pilot).given
        assert note(pilot, "organisation") == "Its full legal name, if it has one."


async def test_the_first_question_that_is_asked_has_the_focus(tmp_path: Path) -> None:
    asked = sample_page("authority", source="own", authority="example")
    async with opened(samples.world(tmp_path), asked) as pilot:
        assert screen(pilot).focused is screen(pilot).query_one("#passphrase Input")


# Texts ------------------------------------------------------------------------------------------------------

QUESTIONS = [
    pytest.param(question, id=f"{target.key}.{question.name}")
    for target in targets.every()
    for question in target.questions()
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_texts_of_a_question_fit_beside_and_under_its_field(question: Question) -> None:
    assert len(question.label) <= 18
    assert lines(question.help, 58) <= 2


def lines(text: str, width: int) -> int:
    """How many lines a text takes."""
    return len(wrap(text, width))


def height(sheet: Sheet[Target], shown: Page) -> int:
    """How many lines a page takes at 80x24, between the lines at the top and at the bottom."""
    fields = sum(
        1 + entry.chosen + lines(f"{entry.question.help}{' Ctrl+G makes one.' * entry.chosen}", 58)
        for entry in sheet.page(shown)
    )
    return 2 + fields + (1 + lines(shown.note, 78) if shown.note else 0)


def ways(target: type[Target]) -> Iterator[Mapping[str, Raw]]:
    """Ways through the questions by which each two choices meet in every way, the others by default."""
    choices: dict[str, tuple[str, ...]] = {}
    for question in target.questions():
        if isinstance(question.kind, Choice):
            choices[question.name] = tuple(value for value, _ in question.kind.options)
        elif isinstance(question.kind, YesNo):
            choices[question.name] = ("yes", "no")
    for one, other in combinations(choices, 2):
        yield from ({one: a, other: b} for a, b in product(choices[one], choices[other]))


@pytest.mark.parametrize("target", targets.every(), ids=lambda target: target.key)
def test_at_most_seven_questions_are_asked_on_a_page_and_all_are_in_view(target: type[Target]) -> None:
    for given in ways(target):
        sheet = fill_in(target, given, HOST)
        for shown_page in sheet.pages:
            assert len(sheet.page(shown_page)) <= 7, (shown_page.key, given)
            assert height(sheet, shown_page) <= 20, (shown_page.key, given)
