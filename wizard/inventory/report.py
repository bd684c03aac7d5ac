"""The certificates, and the setups that wait for one, as people and programs read them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from wizard.inert import inert
from wizard.inventory import Listed
from wizard.journal import Run

_COLUMNS = 80
_WIDEST = 36


def text(rows: Sequence[Listed], waiting: Sequence[Run]) -> str:
    """The certificates as `inventory` gives them, and the setups that wait for one, at 80 columns."""
    if not rows and not waiting:
        return "The wizard has not made or installed a certificate on this host yet."
    cells = [(_name(row), row.kind, _days(row.days_left)) for row in rows]
    columns = zip(*cells, strict=True)
    widths = [max((len(cell) for cell in column if len(cell) <= _WIDEST), default=0) for column in columns]
    lines = []
    for row, (name, kind, days) in zip(rows, cells, strict=True):
        said = f"{kind:<{widths[1]}}  {days:>{widths[2]}}"
        lines += [*_heading(f"{name:<{widths[0]}}", said, inert(str(row.path))), *_details(row)]
    return "\n".join([*lines, *_waiting_lines(waiting)])


def as_json(rows: Sequence[Listed], waiting: Sequence[Run]) -> dict[str, object]:
    """The same as plain data."""
    return {
        "certificates": [
            asdict(row)
            | {"path": str(row.path), "not_after": row.not_after.isoformat() if row.not_after else None}
            for row in rows
        ],
        "waiting": [
            {"run": run.id, "target": run.target, "title": run.title}
            | {"since": run.time.isoformat(), "awaits": str(run.awaits)}
            for run in waiting
        ],
    }


def _name(row: Listed) -> str:
    return inert(row.common_name or next(iter(row.names), "(no name)" if row.kind else "(no certificate)"))


def _days(left: int | None) -> str:
    if left is None:
        return ""
    if left < 0:
        return "expired"
    return "ends today" if left == 0 else f"{left:,} day{'' if left == 1 else 's'}"


def _heading(name: str, said: str, path: str) -> Iterator[str]:
    """Name, kind, days and path, on as many lines as they need."""
    line = f"{name}  {said}"
    if len(line) > _COLUMNS:
        yield name.rstrip()
        line = f"    {said}"
    if len(line) + 3 + len(path) <= _COLUMNS:
        yield f"{line}   {path}"
    else:
        yield line.rstrip()
        yield f"    {path}"


def _details(row: Listed) -> Iterator[str]:
    yield from _wrapped("    ", f"used by: {_what(row.title)} ({row.run})")
    if row.issued is not None:
        yield f"    has issued {row.issued:,} certificate{'' if row.issued == 1 else 's'}"
    for sentence in row.wrong:
        yield from _wrapped("    ! ", sentence)


def _waiting_lines(waiting: Sequence[Run]) -> Iterator[str]:
    if waiting:
        yield "Waiting for a certificate; when it has come: tls-wizard resume --run RUN FILES"
    for run in waiting:
        since = f"since {run.time.astimezone():%Y-%m-%d %H:%M}"
        yield from _wrapped("    ", f"{_what(run.title)}, {since} ({run.id})")
        yield f"        to stand at {inert(str(run.awaits))}"


def _what(title: str) -> str:
    return title.removeprefix("Secure ")


def _wrapped(first: str, sentence: str) -> list[str]:
    """Lines of at most 80 columns, unless a path is longer: it is kept whole, to be copied."""
    return textwrap.wrap(
        inert(sentence),
        _COLUMNS,
        initial_indent=first,
        subsequent_indent=" " * (len(first) if first.strip() else 8),
        break_long_words=False,
        break_on_hyphens=False,
    )
