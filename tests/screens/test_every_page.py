"""Every page of every target's questions, in the sandbox: nothing is cut, and Tab goes as one reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest
from textual.content import Content
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, Label

from screens.ask import AskScreen
from screens.widgets.field import Field
from screens.widgets.keys import Keys
from tests.peers.sandboxed import hubs_port_taken
from tests.screens import samples
from tests.screens.samples import WHO
from tests.screens.stage import NARROW, NORMAL, opened, paused
from tests.screens.test_sizes import answered
from wizard import targets
from wizard.demo.sandbox import sandbox
from wizard.host import Host
from wizard.inert import inert_lines
from wizard.kinds import Choice, Raw
from wizard.questions import Page
from wizard.sheet import Sheet, fill_in
from wizard.targets import Target


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with hubs_port_taken(), sandbox() as box:
        yield box.look()


def choices(target: type[Target]) -> Iterator[Mapping[str, Raw]]:
    """The defaults, and then every other choice, one at a time."""
    yield {}
    for question in target.questions():
        options = question.kind.options if isinstance(question.kind, Choice) else ()
        yield from ({question.name: value} for value, _ in options)


def pages(target: type[Target], host: Host) -> Iterator[tuple[Page, Mapping[str, Raw]]]:
    """Each page with as many questions as can be asked on it, and answers that lead there."""
    fullest: dict[Page, tuple[int, Mapping[str, Raw]]] = {}
    for given in choices(target):
        sheet = fill_in(target, given, host)
        for page in sheet.pages:
            asked = len(sheet.page(page))
            if asked > fullest.get(page, (0, {}))[0]:
                fullest[page] = asked, given
    yield from ((page, given) for page, (_, given) in fullest.items())


@pytest.mark.parametrize("target", targets.every(), ids=lambda target: target.key)
async def test_nothing_is_cut_and_tab_goes_as_one_reads(
    target: type[Target], host: Host, tmp_path: Path
) -> None:
    read: Callable[[Mapping[str, Raw]], Sheet[Target]] = partial(fill_in, target, host=host)
    async with opened(samples.world(tmp_path)) as pilot:
        for page, given in pages(target, host):
            screen = AskScreen(WHO, page, given, read)
            await pilot.resize_terminal(*NORMAL)
            await pilot.app.switch_screen(screen)
            await pilot.pause()
            assert screen.query_one("#body").max_scroll_y == 0, (page.key, given)
            assert all(whole(label) for field in screen.query(Field) for label in shown_labels(field))
            for line in screen.query(Input):
                line.value = "/no such: thing!"
            await paused(pilot)
            screen.tried = True  # from now on what is missing is an error too
            screen.refill()
            for size in (NORMAL, NARROW):
                await pilot.resize_terminal(*size)
                await pilot.pause()
                assert screen.query_one(Keys).region.bottom == size[1]
                if answered(screen.query(Field)):
                    await look_at_each_field(pilot, screen)


async def look_at_each_field(pilot: Pilot[int], screen: AskScreen) -> None:
    """In the order of Tab: what has the focus is in view, with its label and all that is said about it."""
    body = screen.query_one("#body")
    order = [widget for widget in screen.focus_chain if body in widget.ancestors]
    assert {field_of(widget) for widget in order} == set(answered(screen.query(Field)))
    places = [(widget.region.y, widget.region.x) for widget in order]
    assert places == sorted(places)
    for widget in order:
        field = field_of(widget)
        if body.max_scroll_y:
            screen.set_focus(widget)
            await pilot.pause()
        for part in (widget, *shown_labels(field)):
            assert body.region.contains_region(part.region), (field.question.name, part, screen.given)
            assert whole(part), (field.question.name, part, screen.given)
        assert str(field.query_one(".note", Label).render()) == inert_lines(field.note()[1])


def field_of(widget: Widget) -> Field:
    return next(node for node in widget.ancestors if isinstance(node, Field))


def shown_labels(field: Field) -> list[Label]:
    return [label for label in field.query(Label) if label.region]


def whole(part: Widget) -> bool:
    """Whether all of a label can be read."""
    if not isinstance(part, Label):
        return True
    text = part.render()
    assert isinstance(text, Content)
    width, height = part.content_size
    lines = text.wrap(width)
    return len(lines) <= height and all(line.cell_length <= width for line in lines)
