"""The certificates made on this host, and the setups that wait for one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from screens.base import COMMON_KEYS, WizardScreen, enter, letter
from screens.widgets.lines import NOTHING, text_rows
from screens.widgets.marks import mark
from screens.widgets.options import Options
from screens.widgets.rows import Row, Rows
from wizard.inert import inert, inert_lines

if TYPE_CHECKING:
    from wizard.again import Waiting
    from wizard.inventory import Listed
    from wizard.journal import Run


class CertificatesScreen(WizardScreen):
    """What waits first, then what needs attention, then the rest by the days that are left."""

    STEP = "Certificates"
    HELP_TEXT = (
        "Every certificate that the wizard has made or installed on this host, and the setups that wait for "
        "one from an authority elsewhere.\n\n"
        "… waits: Enter goes on with it when the certificate has come, C copies the request. "
        "! needs attention, ✓ is well. R makes a certificate again for the same key, so that whoever pins "
        "the key notices nothing; N with a new key. Both show first what would change, and what the one "
        "before is still good for: where nothing can be revoked, a leaked key gets in "
        "until its certificate ends."
    )
    BINDINGS = [
        enter("resume", "go on"),
        *letter("r", "reissue", "again"),
        *letter("n", "new_key", "with a new key"),
        *letter("c", "copy", "copy"),
        *COMMON_KEYS,
    ]

    @dataclass
    class Resume(Message):
        """Go on with this setup."""

        run: Run

    @dataclass
    class Reissue(Message):
        """Preview making this certificate again."""

        path: Path
        new_key: bool

    def __init__(self, who: str, rows: tuple[Listed, ...], waiting: tuple[Waiting, ...]) -> None:
        super().__init__(who)
        self.rows = rows
        self.waiting = waiting

    def compose_body(self) -> ComposeResult:
        there = self.rows or self.waiting
        title = "Certificates on this host" if there else "The wizard has made no certificate here yet."
        yield Label(title, classes="title")
        lines = (*map(self._waiting_line, self.waiting), *map(self._line, self.rows))
        yield Options(*map(Option, lines), compact=True)
        yield Rows("what")

    @staticmethod
    def _waiting_line(waiting: Waiting) -> Content:
        since = f"{waiting.run.time.astimezone():%Y-%m-%d}"
        what = waiting.run.title.removeprefix("Request a certificate for ")
        return Content.assemble(mark("…"), f"waits since {since}  ", inert(what))

    @staticmethod
    def _line(row: Listed) -> Content:
        left = "" if row.days_left is None else f"{row.days_left:>6,} days"
        name = inert(row.common_name or row.path.name)
        return Content.assemble(mark("!" if row.wrong else "✓"), f"{left:<11}  ", f"{row.kind:<12} ", name)

    @on(OptionList.OptionHighlighted)
    def _show_detail(self, event: OptionList.OptionHighlighted) -> None:
        rows = self._waiting_detail if self._chosen_waiting else self._detail
        self.query_one(Rows).show((NOTHING, *rows()))
        self.refresh_bindings()

    def _waiting_detail(self) -> Iterator[Row]:
        waiting = self._chosen_waiting
        assert waiting is not None
        yield from text_rows("When the authority's answer has come, Enter goes on.", "bold")
        yield NOTHING
        yield from text_rows(f"The request, in {waiting.request}:")
        for line in inert_lines(waiting.text).split("\n"):
            yield Row(Content(line), code=True)

    def _detail(self) -> Iterator[Row]:
        row = self._chosen_row
        assert row is not None
        for sentence in row.wrong:
            yield Row(Content(inert(sentence)), mark("!"))
        if row.wrong:
            yield NOTHING
        until = f"{row.not_after:%Y-%m-%d %H:%M} UTC" if row.not_after else ""
        said = (
            ("File", str(row.path)),
            ("Used by", row.title),
            ("Valid for", ", ".join(row.names)),
            ("Issued by", row.issuer),
            ("Valid until", until),
            ("Has issued", "" if row.issued is None else f"{row.issued:,}"),
            ("SHA-256", row.fingerprint),
        )
        for label, text in said:
            if text:
                yield Row(Content(inert(text)), Content.styled(f"{label:<12} ", "$quiet"), code=True)

    @property
    def _index(self) -> int | None:
        return self.query_one(OptionList).highlighted

    @property
    def _chosen_waiting(self) -> Waiting | None:
        index = self._index
        return self.waiting[index] if index is not None and index < len(self.waiting) else None

    @property
    def _chosen_row(self) -> Listed | None:
        index = self._index
        return None if index is None or self._chosen_waiting else self.rows[index - len(self.waiting)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What waits is gone on with, what is there is made again."""
        if action == "copy":
            return self._index is not None
        if action == "resume":
            return self._chosen_waiting is not None
        if action in ("reissue", "new_key"):
            # An authority is replaced, not made again: all it has issued would have to change with it.
            return self._chosen_row is not None and "authority" not in self._chosen_row.kind
        return True

    def action_resume(self) -> None:
        if waiting := self._chosen_waiting:
            self.post_message(self.Resume(waiting.run))

    def action_reissue(self) -> None:
        self._reissue(new_key=False)

    def action_new_key(self) -> None:
        self._reissue(new_key=True)

    def _reissue(self, *, new_key: bool) -> None:
        if row := self._chosen_row:
            self.post_message(self.Reissue(row.path, new_key))

    def action_copy(self) -> None:
        """Copy the request, or the fingerprint."""
        if waiting := self._chosen_waiting:
            self.copy(waiting.text, "the signing request")
        elif row := self._chosen_row:
            self.copy(row.fingerprint or str(row.path), "the fingerprint")
