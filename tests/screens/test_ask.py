"""Ask: one page of questions, its defaults, and what is said about each answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from screens.ask import AskScreen
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.samples import HOST, WHO, SampleHub
from tests.screens.stage import Size, at_every_size, opened, typed
from wizard.questions import Raw, Sheet, fill_in

SERVICE, CERTIFICATE = SampleHub.pages


def page(key: str, given: Mapping[str, Raw] | None = None) -> AskScreen:
    shown = next(page for page in SampleHub.pages if page.key == key)
    target: type[Target] = SampleHub
    read: Callable[[Mapping[str, Raw]], Sheet[Target]] = partial(fill_in, target, host=HOST)
    return AskScreen(WHO, target, shown, given or {}, read)


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
