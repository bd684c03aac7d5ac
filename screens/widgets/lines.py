"""Texts of the engine as styled lines. Everything that comes from outside is made inert here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual.content import Content

from wizard.inert import inert
from wizard.plan import Advice, Change, File, Plan
from wizard.preview import DiffLine, described, diff, mode_text, owner_text, place, sign

MARK_STYLES = {"+": "$text-success", "-": "$text-error", "@": "dim", " ": ""}
SIGN_STYLES = {"+": "$text-success", "-": "$text-error", "~": "$text-warning"}


def diff_lines(change: Change) -> Iterator[Content]:
    """A change in full: what it is, then what it says in plain words or its diff."""
    yield Content.styled(inert(str(change.path)), "bold")
    if isinstance(change, File):
        details = (
            change.about,
            mode_text(change),
            owner_text(change.owner),
            "secret" if change.secret else "",
        )
        yield Content.styled(inert(", ".join(filter(None, details))), "dim")
        if said := described(change):
            yield from map(Content, ("", *said, ""))
    yield from map(diff_line, diff(change))


def diff_line(line: DiffLine) -> Content:
    """Line number, mark and text; the mark says what the colour underlines."""
    if line.mark == "@":
        return Content.styled("     ⋯", "dim")
    number = f"{line.number:>4}" if line.number is not None else "    "
    return Content.assemble((number, "dim"), (f" {line.mark} {line.text}", MARK_STYLES[line.mark]))


def change_row(change: Change) -> Content:
    """One row of the list of changes: sign, name, mode, secret or not."""
    mark = sign(change)
    notes = [mode_text(change)]
    if isinstance(change, File):
        notes += [owner_text(change.owner), "secret" if change.secret else ""]
    row = Content.assemble((f"{mark} ", SIGN_STYLES[mark]), inert(change.path.name))
    return Content.assemble(row.pad_right(max(0, 14 - len(row))), " ", (" ".join(filter(None, notes)), "dim"))


def warning_lines(plan: Plan) -> Iterator[Content]:
    """Each warning with its place."""
    for warning in plan.warnings:
        yield Content.styled(f"! {inert(place(warning.path, warning.line) + warning.text)}", "$text-warning")
        yield Content("")


def advice_lines(advice: Iterable[Advice]) -> Iterator[Content]:
    """What the operator does, with the commands."""
    for item in advice:
        yield Content(inert(item.text))
        if item.command:
            yield Content.styled(f"  {inert(item.command)}", "bold")
        yield Content("")


def joined(lines: Iterable[Content]) -> Content:
    """The lines as one text for a Static."""
    return Content("\n").join(list(lines))
