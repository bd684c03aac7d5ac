"""What every test stands on: an environment that says nothing, and pictures of screens."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from difflib import unified_diff
from html import escape, unescape
from pathlib import Path
from typing import Any, TypeAlias

# Textual reads these when it is first imported, so this stands above its import.
NOISE = (
    "NO_COLOR",
    "COLORTERM",
    "COLUMNS",
    "LINES",
    "TEXTUAL_THEME",
    "TEXTUAL_FILTERS",
    "SSH_TTY",
    "ACCESSIBLE",
)
for name in NOISE:
    os.environ.pop(name, None)
os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ["TERM"] = "xterm-256color"
# Times of runs are shown as local time.
os.environ["TZ"] = "UTC"
os.environ["LC_ALL"] = "C.UTF-8"
time.tzset()
# A shell has its background jobs ignore Ctrl+C, and what the tests start would ignore it too.
signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest
from hypothesis import settings
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from textual.pilot import Pilot

from wizard.reach import within

# `make test` draws the same examples each time, so that what fails has been changed; `make explore` others.
settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("others", deadline=None, print_blob=True)
settings.load_profile("same")

LooksAsBefore: TypeAlias = Callable[[Pilot[Any]], Awaitable[None]]
SNAPSHOTS = Path(__file__).parent.parent / "snapshots"


class ScreenExtension(SingleFileSnapshotExtension):
    """One SVG for each picture, in the top-level snapshots/ folder."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(SNAPSHOTS / test_location.basename)

    def diff_lines(self, serialized_data: Any, snapshot_data: Any) -> Iterator[str]:
        """Say what changed in words, not in SVG."""
        before, after = (screen_text(svg) for svg in (snapshot_data or "", serialized_data))
        if before == after:
            yield "the text is the same: only colours or styles changed"
        yield from unified_diff(before, after, "snapshot", "now", n=1, lineterm="")


def screen_text(svg: str) -> list[str]:
    """The rows of text of a screenshot."""
    rows: dict[int, str] = {}
    for x, line, text in re.findall(r'<text [^>]*\bx="([\d.]+)"[^>]*line-(\d+)\)"[^>]*>([^<]*)</text>', svg):
        row = rows.get(int(line), "").ljust(round(float(x) / 12.2))
        rows[int(line)] = row + unescape(text).replace("\xa0", " ")
    return [rows.get(line, "").rstrip() for line in range(max(rows, default=-1) + 1)]


@pytest.fixture
def looks_as_before(snapshot: SnapshotAssertion) -> LooksAsBefore:
    """Compares the screen with its picture in snapshots/; the same on every machine."""
    pictures = snapshot.use_extension(ScreenExtension)

    async def compare(pilot: Pilot[Any]) -> None:
        await pilot.wait_for_scheduled_animations()
        await pilot.pause()
        svg = pilot.app.export_screenshot(simplify=True)
        # As screens/line.py sends it: in a locale without more, in characters of ASCII.
        svg = re.sub(r"[^\x00-\x7f]", lambda found: escape(within(found[0])), svg)
        assert re.sub(r"terminal-\d+-", "terminal-", svg) == pictures  # Rich's id is a hash of the content

    return compare
