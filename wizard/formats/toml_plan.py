"""What has to be done to a TOML file so that keys get their values and the Nano node reads them."""

from __future__ import annotations

from collections.abc import Mapping

from wizard.formats.splice import CannotEdit, Splice
from wizard.formats.toml_document import Document, entry_trouble, indent_at
from wizard.formats.toml_refusals import shown
from wizard.formats.toml_scan import Entry, Names
from wizard.secret import Secret

Value = bool | str | Secret
"""What is set; a Secret stands in the file, but in no message and no text to add by hand."""


def plain(value: Value) -> bool | str:
    """The value as it will be read."""
    return value.reveal() if isinstance(value, Secret) else value


def written(table: Names, values: Mapping[str, Value]) -> str:
    """The lines to add by hand, with `"..."` for what is secret."""
    hidden = {name: "..." if isinstance(value, Secret) else value for name, value in values.items()}
    lines = [_header(table)] if table else []
    return "".join(line.decode() + "\n" for line in (*lines, *(_pair(*item) for item in hidden.items())))


def reach(document: Document, table: Names, by_hand: str = "") -> None:
    """Raise CannotEdit where something else than that table has its name."""
    for depth in range(1, len(table) + 1):
        path = table[:depth]
        found = document.value(*path)
        line = next((spot.line for spot in (*document.headers, *document.entries) if spot.path == path), None)
        if isinstance(found, list):
            raise CannotEdit(
                f"[[{shown(path)}]] is a list of tables; the node expects one table there, and may crash.",
                f"Write [{shown(path)}] in single brackets, once.",
                line,
                by_hand,
            )
        if found is not None and not isinstance(found, dict):
            raise CannotEdit(
                f"{shown(path)} is a single value; the node expects a table there, and may crash.",
                "Remove the line.",
                line,
                by_hand,
            )


class Plan:
    """The edits of one file. Raises CannotEdit when they are not certain."""

    def __init__(self, document: Document, table: Names, values: Mapping[str, Value]) -> None:
        self.document = document
        self.table = table
        self.values = values
        self.by_hand = written(table, values)
        self.repairs: list[tuple[int, str]] = []
        """What is changed besides the values: line and sentence."""
        self._splices: list[Splice] = []
        self._lines: dict[int, list[bytes]] = {}
        """New lines, without their line breaks, by where they are put."""
        reach(document, table, self.by_hand)
        for entry in document.entries:
            if entry.members is not None and entry.path == table[: len(entry.path)]:
                self._write_out(entry)
                return
        inside = {entry.path[-1]: entry for entry in document.entries if entry.path[:-1] == table}
        for name in values:
            if name in inside:
                self._replace(inside[name])
        self._insert([name for name in values if name not in inside])
        for entry in inside.values():  # last, so that a comment that moves stays right above its key
            self._tidy(entry)

    def splices(self) -> list[Splice]:
        """The edits, over the bytes of the document."""
        data, line_break = self.document.data, self.document.newline
        new = {at: b"".join(line + line_break for line in lines) for at, lines in self._lines.items()}
        if len(data) in new and not self.document.complete:
            new[len(data)] = line_break + new[len(data)]
        return self._splices + [Splice(at, at, text) for at, text in new.items()]

    def _put(self, at: int, lines: list[bytes]) -> None:
        self._lines.setdefault(at, []).extend(lines)

    def _pairs(self, names: list[str], indent: bytes, prefix: bytes) -> list[bytes]:
        return [indent + prefix + _pair(name, self.values[name]) for name in names]

    def _replace(self, entry: Entry) -> None:
        if isinstance(entry.value, list | dict):
            raise CannotEdit(
                f"{shown(entry.path)} holds several values; the node expects a single one.",
                "Remove the line.",
                entry.line,
                self.by_hand,
            )
        value = self.values[entry.path[-1]]
        if not _holds(entry, value) or self.document.is_torn(entry):
            self._splices.append(Splice(entry.value_start, entry.value_end, _text(value)))

    def _tidy(self, entry: Entry) -> None:
        """Take away what stands behind a boolean or a number: the node reads it as part of the value."""
        tail = self.document.data[entry.value_end : entry.text_end]
        value = self.values.get(entry.path[-1])
        if not tail or not (entry.unquoted if value is None else isinstance(value, bool)):
            return
        self._splices.append(Splice(entry.value_end, entry.text_end, b""))
        comment = tail.lstrip()
        said = f"The blank behind {shown(entry.path)} is removed"
        if comment:
            self._put(entry.start, [indent_at(self.document.data, entry.start) + comment])
            said = f"The comment behind {shown(entry.path)} moves to a line of its own"
        self.repairs.append((entry.line, f"{said}: the node would take it for a part of the value."))

    def _insert(self, names: list[str]) -> None:
        """Put keys that are not live where they belong."""
        document, rest = self.document, []
        section, prefix = self._place()
        defaults = [default for default in document.defaults if default.section == section and default.live]
        for name in names:
            own = [default for default in defaults if default.path == (*self.table, name)]
            if own:
                indent = indent_at(document.data, own[-1].start)
                self._put(own[-1].end, self._pairs([name], indent, prefix))
            else:
                rest.append(name)
        if not rest:
            return
        within = self.table if prefix else ()
        entries = [e for e in document.entries if e.section == section and e.path[: len(within)] == within]
        if anchors := entries or defaults:
            indent = indent_at(document.data, anchors[-1].start)
            self._put(anchors[-1].end, self._pairs(rest, indent, prefix))
        elif section:
            self._put_behind_header(section, rest)
        else:
            self._put_on_top(self._pairs(rest, document.indent, b""))

    def _place(self) -> tuple[int, bytes]:
        """The section where the table's keys stand, and what is written before each of them."""
        tables: list[Names] = [(), *(header.path for header in self.document.headers)]
        if self.table in tables:
            return tables.index(self.table), b""
        depth = len(self.table)
        for entry in reversed(self.document.entries):
            outer = len(tables[entry.section])
            if entry.path[:depth] == self.table and outer < depth:
                return entry.section, self.document.data[entry.names[0] : entry.names[depth - outer]]
        return len(tables), b""

    def _put_behind_header(self, section: int, names: list[str]) -> None:
        """Into a table without keys; one that does not exist yet begins at the end of the file."""
        headers, pairs = self.document.headers, self._pairs(names, self.document.indent, b"")
        if section <= len(headers):
            self._put(headers[section - 1].end, pairs)
        else:
            self._put_at_end([_header(self.table), *pairs])

    def _put_on_top(self, lines: list[bytes]) -> None:
        """Above the first header, and above the comment that belongs to it."""
        data, headers = self.document.data, self.document.headers
        if not headers:
            self._put_at_end(lines)
            return
        at = headers[0].start
        while at and data[line_before(data, at) : at].strip():
            at = line_before(data, at)
        self._put(at, [*lines, b""])

    def _put_at_end(self, lines: list[bytes]) -> None:
        data = self.document.data
        gap = [b""] if data[line_before(data, len(data)) :].strip() else []
        self._put(len(data), gap + lines)

    def _write_out(self, braces: Entry) -> None:
        """Write an inline table as dotted keys in its place: the node cannot read booleans in braces."""
        data, members = self.document.data, {member.path: member for member in braces.members or ()}
        new = {(*self.table, name): value for name, value in self.values.items()}
        kept = all(path in members and _holds(members[path], value) for path, value in new.items())
        if kept and not entry_trouble(self.document, braces):
            return
        if braces.path != self.table or any(isinstance(m.value, list | dict) for m in members.values()):
            raise CannotEdit(
                f"{shown(braces.path)} is written in braces, with more than single values in them.",
                "Remove the line.",
                braces.line,
                self.by_hand,
            )
        indent, prefix = indent_at(data, braces.start), data[braces.names[0] : braces.key_end] + b"."
        comment = data[braces.value_end : braces.text_end].lstrip()
        lines = [indent + comment] if comment else []
        for path, member in members.items():
            value = _text(new[path]) if path in new else data[member.value_start : member.value_end]
            lines.append(indent + prefix + data[member.names[0] : member.key_end] + b" = " + value)
        lines += self._pairs([path[-1] for path in new if path not in members], indent, prefix)
        self._splices.append(Splice(braces.start, braces.text_end, self.document.newline.join(lines)))
        said = f"{shown(self.table)} gets a line for each key: the node misreads what stands in braces."
        self.repairs.append((braces.line, said))


def line_before(data: bytes, at: int) -> int:
    """Where the line begins that ends at `at`, which is behind a line break or the end of the file."""
    return data.rfind(b"\n", 0, max(at - 1, 0)) + 1


def line_after(data: bytes, at: int) -> int:
    """Where the line behind the one at `at` begins, or the file ends."""
    return data.find(b"\n", at) + 1 or len(data)


def _holds(entry: Entry, value: Value) -> bool:
    wanted = plain(value)
    return entry.value == wanted and type(entry.value) is type(wanted)


def _header(table: Names) -> bytes:
    return b"[" + b".".join(map(_name, table)) + b"]"


def _pair(name: str, value: Value) -> bytes:
    return _name(name) + b" = " + _text(value)


def _name(name: str) -> bytes:
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name.encode() if bare else _text(name)


def _text(value: Value) -> bytes:
    """The value as it stands in the file. Raises CannotEdit where UTF-8 has no character for a part of it."""
    wanted = plain(value)
    if isinstance(wanted, bool):
        return b"true" if wanted else b"false"
    import tomlkit

    try:
        return tomlkit.string(wanted).as_string().encode()
    except UnicodeEncodeError:
        raise CannotEdit(
            "A value to be set holds bytes that are not UTF-8; TOML knows no others.",
            "Rename the file, if it is a path.",
        ) from None
