"""Texts of the engine as styled rows. Everything that comes from outside is made inert here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual.content import Content

from screens.widgets.marks import mark
from screens.widgets.rows import Row
from wizard.inert import inert
from wizard.plan import Advice, Change, File, Plan
from wizard.preview import DiffLine, described, diff, hides_all, mode_text, owner_text, place, sign

MARK_STYLES = {"+": "$text-success", "-": "$text-error", "@": "$quiet", " ": ""}
NOTHING = Row(Content(""))


def text_rows(text: str, style: str = "") -> Iterator[Row]:
    """A text of the engine, line by line."""
    for line in text.split("\n"):
        yield Row(Content.styled(inert(line), style))


def change_rows(change: Change) -> Iterator[Row]:
    """A change in full: what it is, then what it says in plain words, then its diff."""
    yield Row(Content.styled(inert(str(change.path)), "bold"), code=True)
    if isinstance(change, File):
        details = (
            change.about,
            mode_text(change),
            owner_text(change.owner),
            "secret" if hides_all(change) else "",
        )
        yield from text_rows(", ".join(filter(None, details)), "$quiet")
        if said := described(change):
            yield NOTHING
            yield from (Row(Content(line), code=True) for line in said)
            yield NOTHING
    lines = diff(change)
    # No gap is shown before the first line of a file.
    from_the_top = len(lines) > 1 and lines[0].mark == "@" and lines[1].number == 1
    yield from map(_diff_row, lines[1:] if from_the_top else lines)


def _diff_row(line: DiffLine) -> Row:
    """Line number, mark and text; the mark says what the colour underlines."""
    if line.mark == "@":
        return Row(Content.styled("     ⋯", "$quiet"))
    number = f"{line.number:>4}" if line.number is not None else "    "
    style = MARK_STYLES[line.mark]
    return Row(
        Content.styled(line.text, style),
        Content.assemble((number, "$quiet"), (f" {line.mark} ", style)),
        code=True,
    )


def change_line(change: Change) -> Content:
    """One line for the list of changes: sign, name, mode, owner, secret or not."""
    notes = [mode_text(change)]
    if isinstance(change, File):
        notes += ["secret" if hides_all(change) else "", owner_text(change.owner)]
    name = Content.assemble(mark(sign(change)), inert(change.path.name))
    return Content.assemble(
        name.pad_right(max(0, 14 - len(name))), " ", (" ".join(filter(None, notes)), "$quiet")
    )


def warning_rows(plan: Plan) -> Iterator[Row]:
    """Each warning with its place."""
    for warning in plan.warnings:
        text = inert(place(warning.path, warning.line) + warning.text)
        yield Row(Content(text), mark("!"))
        yield NOTHING


def advice_rows(advice: Iterable[Advice]) -> Iterator[Row]:
    """What the operator does, with the commands."""
    for item in advice:
        yield from text_rows(item.text)
        for line in item.command.splitlines():
            yield Row(Content.styled(inert(line), "bold"), Content("  "), code=True)
        yield NOTHING
