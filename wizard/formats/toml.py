"""Edits of the Nano node's TOML files: keys are set and tables removed by splices, everything else stays.

What is written suits the node's own reader as well: one `key = value` a line, nothing behind a boolean or a
number, no inline tables. An edit is given out only after it was read again, in three ways, as it was meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wizard.formats.splice import CannotEdit, Splice, splice
from wizard.formats.toml_document import Document, entry_trouble, nano_trouble, read, same
from wizard.formats.toml_plan import Plan, Value, line_after, line_before, plain, reach, written
from wizard.formats.toml_refusals import shown
from wizard.formats.toml_scan import Names

__all__ = [
    "Document",
    "Value",
    "nano_trouble",
    "read",
    "remove_table",
    "repairs",
    "set_values",
    "written",
]


def set_values(document: Document, table: Names, values: Mapping[str, Value]) -> bytes:
    """The file with each key set in that table; () is the top level.

    A live value is replaced where it stands; else the key is put under its commented-out default, else behind
    the last key of the table, else into a new table at the end. Raises CannotEdit.
    """
    plan = Plan(document, table, values)
    new = splice(document.data, plan.splices())
    wanted = _with(document.tree, table, {name: plain(value) for name, value in values.items()})
    after = _confirmed(document, new, wanted, plan.by_hand)
    set_now = [entry for entry in after.entries if entry.path[:-1] == table and entry.path[-1] in values]
    if Plan(after, table, values).splices() or any(entry_trouble(after, entry) for entry in set_now):
        raise _doubt(plan.by_hand)
    return new


def repairs(document: Document, table: Names, values: Mapping[str, Value]) -> tuple[tuple[int, str], ...]:
    """What `set_values` changes besides the values, so that the node reads them: line and sentence.

    Raises CannotEdit as `set_values` does.
    """
    return tuple(sorted(Plan(document, table, values).repairs))


def remove_table(document: Document, table: Names) -> bytes:
    """The file without that table, its keys, its inner tables and the comments between them.

    Comments above its header, and those behind it that belong to what follows, stay. Raises CannotEdit when
    it is no table, ValueError for the top level.
    """
    if not table:
        raise ValueError("the top level cannot be removed")
    reach(document, table)
    regions = [*_regions(document, table)]
    if not regions and document.value(*table) is not None:
        line = next(entry.line for entry in document.entries if entry.path == table[: len(entry.path)])
        raise CannotEdit(f"{shown(table)} is written in the braces of another.", "Remove it by hand.", line)
    new = splice(document.data, [Splice(start, end, b"") for start, end in regions])
    _confirmed(document, new, _without(document, table, document.tree), "")
    return new


def _regions(document: Document, table: Names) -> Iterator[tuple[int, int]]:
    """What goes, as spans of whole lines, together with the empty lines that would be left over."""
    data = document.data
    spans: list[tuple[int, int]] = []
    for start, end in sorted(_spans(document, table)):
        near = bool(spans) and not data[spans[-1][1] : start].strip()
        spans.append((spans.pop()[0] if near else start, end))
    for start, end in spans:
        above, below = start, end
        while above and not data[line_before(data, above) : above].strip():
            above = line_before(data, above)
        while below < len(data) and not data[below : line_after(data, below)].strip():
            below = line_after(data, below)
        if below == len(data):
            yield above, below
        else:
            yield start, below if above < start or not start else end


def _spans(document: Document, table: Names) -> Iterator[tuple[int, int]]:
    data = document.data
    gone = {header.section for header in document.headers if header.path[: len(table)] == table}
    for entry in document.entries:
        if entry.path[: len(table)] == table and entry.section not in gone:
            yield entry.start, entry.end
    for section in gone:
        header = document.headers[section - 1]
        next_start = document.headers[section].start if section < len(document.headers) else len(data)
        keys = max([header.end, *(entry.end for entry in document.entries if entry.section == section)])
        attached = next_start  # where the comment begins that stands right above the next header
        while keys < attached < len(data) and data[line_before(data, attached) : attached].strip():
            attached = line_before(data, attached)
        own = (d.end for d in document.defaults if d.section == section and d.live and d.end <= attached)
        end = max([keys, *own])
        while end < attached and data[end : line_after(data, end)].strip():
            end = line_after(data, end)
        yield header.start, next_start if section + 1 in gone else end


def _with(tree: Mapping[str, object], table: Names, values: Mapping[str, object]) -> dict[str, object]:
    """The tree with the keys set."""
    if not table or not values:
        return {**tree, **values}
    inner = tree.get(table[0])
    return {**tree, table[0]: _with(inner if isinstance(inner, dict) else {}, table[1:], values)}


def _without(
    document: Document, table: Names, tree: Mapping[str, object], above: Names = ()
) -> dict[str, object]:
    """The tree without the table, and without those around it that are nothing besides."""
    rest = {name: child for name, child in tree.items() if name != table[0]}
    inner, path = tree.get(table[0]), (*above, table[0])
    if len(table) > 1 and isinstance(inner, dict):
        left = _without(document, table[1:], inner, path)
        if left or any(header.path == path for header in document.headers):
            rest[table[0]] = left
    return rest


def _confirmed(old: Document, new: bytes, wanted: Mapping[str, object], by_hand: str) -> Document:
    """The new file, read again: by the scanner, by tomllib, and by tomlkit where it understands the old one.

    Raises CannotEdit when it is not what was meant.
    """
    try:
        after = read(new)
    except CannotEdit as error:
        raise _doubt(by_hand) from error
    judged = same(_as_tomlkit_reads(old.data), old.tree)
    if not same(after.tree, wanted) or (judged and not same(_as_tomlkit_reads(new), wanted)):
        raise _doubt(by_hand)
    return after


def _as_tomlkit_reads(data: bytes) -> object:
    """The tree, or None for a file that tomlkit refuses; it has known faults."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(data).unwrap()
    except (TOMLKitError, RecursionError):
        return None


def _doubt(by_hand: str) -> CannotEdit:
    reason = "The edited file does not read back as it was meant, so nothing is written."
    return CannotEdit(reason, "Make the change by hand.", by_hand=by_hand)
