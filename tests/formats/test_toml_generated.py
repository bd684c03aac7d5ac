"""Generated files: edited, and read by tomllib, by tomlkit and by the rules of the node, as was meant."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st
from tomlkit.exceptions import TOMLKitError

from tests.formats.nano_reader import NanoRefuses, nano_read
from wizard.formats.splice import CannotEdit
from wizard.formats.toml import Document, Value, nano_trouble, read, remove_table, repairs, set_values

Table = tuple[str, ...]
SECURE: Table = ("secure",)

NAMES = ("enable", "server_cert_path", "verbose_logging", "port", "x-1", "7", "größe", "a b", "a.b", "")
TEXTS = ("", "x", "/etc/cert.pem", "it's", 'say "x"', "C:\\nano", "# no", "[secure]", "é☃", "a\tb", "true")


def ways(text: str) -> list[str]:
    """Each way to quote a text in one line."""
    double = '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("é", "\\u00e9") + '"'
    return [double] if "'" in text else [double, f"'{text}'"]


BARE = [name for name in NAMES if name.isascii() and name.replace("_", "").replace("-", "").isalnum()]
KEYS = [(name, key) for name in NAMES for key in ways(name)] + [(name, name) for name in BARE] * 2
QUOTED = [quoted for text in TEXTS for quoted in ways(text)]
UNQUOTED = ("true", "false", "0", "-3", "7076", "1.5")
ODD = ("0x1F", "1_000", "1e5", "nan", "1979-05-27T07:32:00Z", "07:32:00", "9223372036854775808")
TORN = ("'''x\ny'''", '"""x \n\ny"""')
LONG = ('"""\nx\ny"""', '"""x\\\n   y"""', "'''\nx # no\n[secure]\n'''", '"""x"""')
BRACES = (
    *("{}", "{ enable = true }", "{enable=false,'a b'=\"x\"}", "{ server_cert_path = '' , port = 1 }"),
    *("{ a.b = 'x', c = 'y' }", "{ verbose_logging = true, a = { b = 'x' } }", "{ a = ['x'] }"),
)
LISTS = (
    *("[]", "['x',\n  \"y\", # why\n]", "[ # why\n\n'# no' ]", "[['x'], []]"),
    "[{ a = 'x' }, { b = true }]",
)
PAIRS = [
    f"{equals}{value}"
    for value in (*QUOTED, *UNQUOTED * 4, *ODD, *TORN, *LONG, *BRACES, *LISTS)
    for equals in (" = ", "=", "\t=  ")
]
TAILS = ("", "", "", " ", "\t", " # why", "# why", ' # say "x"', " # C:\\P")
LOOSE = (
    *("", "", "", "", "\n", "\n\n", "  \n", "# about\n", "\t# about\n\n", "#[secure]\n", "#\n"),
    *("# enable = false\n", "#enable=false\n", '\t# server_cert_path = ""\n', "# secure.enable = false\n"),
    "# key = value\n# more\n",
)
HEADERS = ("[{}]", "[ {} ]", "\t[{}]", "[{}] # about", "[{}]#x")
TABLES = ("process", "rpc . child_process", "Secure", '"x y"', "process.more", "[peers]", "[lists.'é']")
SECURE_TABLES = ("secure", '"secure"', "'secure'", "secure.more")
BREAKS = (("\n",), ("\n",), ("\r\n",), ("\n", "\r\n"), ("\r\n", "\r\n", "\n"))
ASKED: dict[str, st.SearchStrategy[Value]] = {
    "enable": st.booleans(),
    "verbose_logging": st.booleans(),
    "server_cert_path": st.sampled_from(TEXTS),
    "größe": st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
}
VALUES = st.fixed_dictionaries({}, optional=ASKED)


@st.composite
def sections(draw: st.DrawFn, tidy: bool, prefixes: tuple[str, ...] = ("",)) -> str:
    """What stands under one header: keys, each once, among comments and empty lines."""
    text = draw(st.sampled_from(LOOSE))
    indent = draw(st.sampled_from(("", "", "\t", "  ")))
    used = set[tuple[bool, str]]()
    for name, key in draw(st.lists(st.sampled_from(KEYS), max_size=4)):
        prefix = draw(st.sampled_from(prefixes)) if len(prefixes) > 1 else ""
        if (prefix == "", name) not in used:
            used.add((prefix == "", name))
            pair = draw(st.sampled_from(PAIRS))
            tail = "" if tidy and pair[-1] not in "\"']}" else draw(st.sampled_from(TAILS))
            text += f"{indent}{prefix}{key}{pair}{tail}\n{draw(st.sampled_from(LOOSE))}"
    return text


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A valid file, with the table [secure] written in any way, or not there."""
    tidy = draw(st.booleans())
    way = draw(st.sampled_from(("header", "dotted", "braces", "absent")))
    text = draw(sections(tidy, ("", "secure.", '"secure" . ') if way == "dotted" else ("",)))
    if way == "braces":
        text += f"secure = {draw(st.sampled_from(BRACES))}{draw(st.sampled_from(TAILS))}\n"
    tables = draw(st.lists(st.sampled_from(TABLES), max_size=2, unique=True))
    if way == "header":
        tables.insert(draw(st.integers(0, len(tables))), draw(st.sampled_from(SECURE_TABLES)))
    for table in tables:
        form = "[{}]" if table.startswith("[") else draw(st.sampled_from(HEADERS))
        text += form.format(table) + "\n" + draw(sections(tidy))
    *lines, last = text.removesuffix(draw(st.sampled_from(("\n", "", "")))).split("\n")
    breaks = draw(st.sampled_from(BREAKS))
    return "".join([line + breaks[i % len(breaks)] for i, line in enumerate(lines)] + [last]).encode()


def tree(data: bytes) -> dict[str, object]:
    """As tomllib reads it; numbers with a point as text, since nan is not equal to itself."""
    return tomllib.loads(data.decode(), parse_float=str)


def tomlkit_reads(data: bytes) -> bool:
    """Whether tomlkit has no fault with it."""
    try:
        read_by_tomlkit = tomlkit.parse(data).unwrap()
    except TOMLKitError:
        return False
    return repr(typed(read_by_tomlkit)) == repr(typed(tomllib.loads(data.decode())))


def typed(value: object) -> object:
    """To Python, True is equal to 1."""
    if isinstance(value, dict):
        return {key: typed(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [typed(inner) for inner in value]
    return type(value), value


def with_values(old: Mapping[str, object], table: Table, new: Mapping[str, object]) -> dict[str, object]:
    if not table or not new:
        return {**old, **new}
    inner = old.get(table[0], {})
    assert isinstance(inner, dict)
    return {**old, table[0]: with_values(inner, table[1:], new)}


def understood(read_by_node: object, meant: object) -> bool:
    """Whether the node gets from its texts what TOML means."""
    if isinstance(meant, dict):
        return (
            isinstance(read_by_node, dict)
            and read_by_node.keys() == meant.keys()
            and all(understood(read_by_node[key], meant[key]) for key in meant)
        )
    if isinstance(meant, list):
        return (
            isinstance(read_by_node, list)
            and len(read_by_node) == len(meant)
            and all(map(understood, read_by_node, meant))
        )
    if isinstance(meant, bool):
        return read_by_node == str(meant).lower()
    if isinstance(meant, int):
        return (
            isinstance(read_by_node, str)
            and read_by_node.removeprefix("-").isdecimal()
            and int(read_by_node) == meant
        )
    return read_by_node == meant


def loads(data: bytes) -> object:
    """What the node reads, None if it does not load the file."""
    try:
        return nano_read(data)
    except NanoRefuses:
        return None


def others(document: Document, table: Table, from_braces: bool) -> list[bytes]:
    """The lines that neither set a key of the table nor begin it; keys from braces may be dotted ones."""
    depth = len(table)
    spots = [
        entry
        for entry in document.entries
        if table in (entry.path, entry.path[:-1]) or (from_braces and entry.path[:depth] == table)
    ]
    spans = [(spot.start, spot.end) for spot in spots]
    spans += [(header.start, header.end) for header in document.headers if header.path == table]
    lines, at = list[bytes](), 0
    for start, end in [*sorted(spans), (len(document.data), 0)]:
        lines += document.data[at:start].splitlines(keepends=True)
        at = end
    return lines


def tables_of(document: Document) -> list[Table]:
    """Those that are no lists."""
    return [(), *(table for table in document.tables if isinstance(document.value(*table), dict))]


@settings(max_examples=1_400)
@given(files(), st.sampled_from((SECURE, SECURE, (), ("process", "more"))), VALUES)
def test_only_what_was_meant_changes(old: bytes, table: Table, wanted: dict[str, Value]) -> None:
    document = read(old)
    try:
        new = set_values(document, table, wanted)
    except CannotEdit as refusal:
        assert "several values" in refusal.reason or "more than single values" in refusal.reason
        return
    after = read(new)
    assert typed(tree(new)) == typed(with_values(tree(old), table, wanted))
    assert tomlkit_reads(new) or not tomlkit_reads(old)
    if not nano_trouble(document):
        assert understood(loads(new), tree(new))
    lines_of_table = {entry.line for entry in after.entries if entry.path[:-1] == table}
    troubled = {line for line, _ in nano_trouble(after)}
    set_now = {e.line for e in after.entries if e.path[:-1] == table and e.path[-1] in wanted}
    assert not troubled & set_now
    assert lines_of_table >= set_now

    repaired = {line for line, _ in repairs(document, table, wanted)}
    tails = [old[entry.value_end : entry.text_end] for entry in document.entries if entry.line in repaired]
    from_braces = any(entry.path == table for entry in document.entries)
    left, blank = others(document, table, from_braces), 0
    for line in others(after, table, from_braces):
        if left and line in (left[0], left[0] + document.newline):
            left.pop(0)
        elif not line.strip():
            blank += 1
        else:
            assert line.endswith(document.newline)
            assert line.strip(b" \t\r\n") in [tail.strip(b" \t") for tail in tails]
    assert not left
    assert blank <= 1
    assert set_values(after, table, wanted) == new


@settings(max_examples=600)
@given(files())
def test_trouble_is_named_if_and_only_if_the_node_reads_something_else(old: bytes) -> None:
    trouble = [sentence for _, sentence in nano_trouble(read(old))]
    if not understood(loads(old), tree(old)):
        assert trouble
    elif trouble:
        assert all("may not understand" in sentence for sentence in trouble)


@settings(max_examples=600)
@given(files(), st.sampled_from((SECURE, SECURE, ("process",), ("rpc", "child_process"), ("x y",))))
def test_a_removed_table_is_gone_and_everything_else_stays(old: bytes, table: Table) -> None:
    new = remove_table(read(old), table)
    meant = tree(old)
    meant.pop(table[0], None)
    assert typed(tree(new)) == typed(meant)
    left = iter(old.splitlines(keepends=True))
    assert all(line in left for line in new.splitlines(keepends=True))
    assert remove_table(read(new), table) == new


@settings(max_examples=400)
@given(files())
def test_setting_what_is_set_changes_no_byte(old: bytes) -> None:
    document = read(old)
    for table in tables_of(document):
        inner = document.value(*table) if table else document.tree
        assert isinstance(inner, dict)
        present = {name: value for name, value in inner.items() if isinstance(value, bool | str)}
        try:
            assert set_values(document, table, present) == old or nano_trouble(document)
        except CannotEdit as refusal:
            assert "more than single values" in refusal.reason and nano_trouble(document)


FILES = sorted((Path(__file__).parent / "toml").iterdir())
SNIPPETS = (
    *(
        b'"',
        b"'",
        b'"""',
        b"\\",
        b"\n",
        b"\r",
        b"\r\n",
        b"#",
        b"=",
        b".",
        b",",
        b"[",
        b"]",
        b"[[",
        b"{",
        b"}",
    ),
    *(
        b"\xff",
        b"\0",
        b"\xef\xbb\xbf",
        b"\x1b",
        b"[secure]\n",
        b"secure.",
        b"true",
        b"<x>",
        b"\xc3",
        b"0x",
        b"- ",
    ),
)


@settings(max_examples=1_000)
@given(
    st.sampled_from(FILES).map(Path.read_bytes) | files(),
    st.floats(0, 1),
    st.integers(0, 4) | st.just(1_000_000),
    st.lists(st.sampled_from(SNIPPETS), max_size=3) | st.lists(st.binary(max_size=4), max_size=2),
)
def test_a_damaged_file_is_edited_or_refused(
    whole: bytes, place: float, gone: int, snippets: list[bytes]
) -> None:
    at = round(place * len(whole))
    try:
        document = read(whole[:at] + b"".join(snippets) + whole[at + gone :])
        new = set_values(document, SECURE, {"enable": True, "server_cert_path": "/etc/cert.pem"})
        remove_table(document, SECURE)
    except CannotEdit as refusal:
        assert refusal.reason
        assert refusal.remedy
    else:
        assert set_values(read(new), SECURE, {"enable": True}) == new
