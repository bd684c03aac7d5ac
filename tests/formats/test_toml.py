"""The node's TOML files of every kind: edited, then read by tomllib, by tomlkit and by the node's rules."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import SequenceMatcher
from pathlib import Path
from time import perf_counter

import pytest
import tomlkit

from tests.formats.nano_reader import NanoRefuses, Read, nano_read
from wizard.formats.splice import CannotEdit
from wizard.formats.toml import Value, nano_trouble, read, remove_table, repairs, set_values, written
from wizard.formats.toml_refusals import LARGEST
from wizard.secret import Secret

FILES = Path(__file__).parent / "toml"
SECURE = ("secure",)
RPC: dict[str, Value] = {
    "enable": True,
    "verbose_logging": False,
    "server_key_passphrase": Secret('say "no" \\ \t#1 é\x1b'),
    "server_cert_path": "/etc/nano/tls/cert.pem",
    "server_key_path": "/etc/nano/tls/key.pem",
    "server_dh_path": "/etc/nano/tls/dh.pem",
    "client_certs_path": "/etc/nano/tls/clients",
}
TLS: dict[str, Value] = {"enable_https": True, "enable_wss": False, **{k: RPC[k] for k in list(RPC)[1:]}}

# File, line, words of the reason.
REFUSED: dict[str, tuple[int, str]] = {
    "refuse_angle_brackets.toml": (3, "placeholder"),
    "refuse_angle_brackets_bare.toml": (1, "placeholder"),
    "refuse_bom.toml": (1, "byte order mark"),
    "refuse_bom_before_header.toml": (1, "byte order mark"),
    "refuse_capital_true.toml": (2, "neither true, false, a number"),
    "refuse_control_character_in_comment.toml": (2, "control character"),
    "refuse_control_character_in_text.toml": (2, "control character"),
    "refuse_deep.toml": (1, "too deep"),
    "refuse_deep_names.toml": (1, "too deep"),
    "refuse_dotted_and_header.toml": (3, "begins a second time"),
    "refuse_huge_number.toml": (1, "not valid TOML"),
    "refuse_ini.toml": (1, "neither `key = value`"),
    "refuse_jinja_block.toml": (2, "placeholder"),
    "refuse_jinja_quoted.toml": (4, "placeholder"),
    "refuse_jinja_value.toml": (1, "placeholder"),
    "refuse_joined_to_the_last_line.toml": (1, "more in this line"),
    "refuse_json.toml": (1, "JSON"),
    "refuse_json_one_line.toml": (1, "JSON"),
    "refuse_key_twice.toml": (4, "secure.enable stands in line 2 already"),
    "refuse_latin1.toml": (2, "0xf6 here is not UTF-8"),
    "refuse_list_of_numbers.toml": (2, "something else than texts"),
    "refuse_list_of_several_types.toml": (1, "something else than texts"),
    "refuse_lone_carriage_return.toml": (1, "carriage return"),
    "refuse_no_equals.toml": (1, "neither `key = value`"),
    "refuse_nul.toml": (2, "NUL bytes"),
    "refuse_old_mac_line_ends.toml": (1, "carriage return"),
    "refuse_open_braces.toml": (1, "not closed"),
    "refuse_open_header.toml": (2, "not closed"),
    "refuse_open_list.toml": (2, "ends in the middle of a value"),
    "refuse_open_long_text.toml": (2, "quote that begins here has no end"),
    "refuse_open_quote.toml": (2, "quote that begins here has no end"),
    "refuse_placeholder_in_braces.toml": (2, "placeholder"),
    "refuse_quotes_at_the_end_of_a_long_text.toml": (1, "does not load"),
    "refuse_shell_variable.toml": (1, "placeholder"),
    "refuse_shell_variable_quoted.toml": (2, "placeholder"),
    "refuse_table_twice.toml": (7, "secure stands in line 1 already"),
    "refuse_table_without_a_name.toml": (2, "empty table name"),
    "refuse_two_on_a_line.toml": (1, "more in this line"),
    "refuse_unquoted_path.toml": (2, "neither true, false, a number"),
    "refuse_utf16.toml": (1, "UTF-16"),
    "refuse_windows_path.toml": (2, "backslash"),
    "refuse_yaml.toml": (1, "neither `key = value`"),
}
# Only keys of [secure] cannot be set in these.
REFUSED_SECURE: dict[str, tuple[int, str]] = {
    "secure_enable_is_a_list.toml": (2, "secure.enable holds several values"),
    "secure_in_nested_braces.toml": (1, "in braces"),
    "secure_is_a_list_of_tables.toml": (3, "[[secure]] is a list of tables"),
    "secure_is_a_value.toml": (2, "secure is a single value"),
}
# Lines in which the node reads something else than stands there, in files that are edited nevertheless.
TROUBLE: dict[str, list[int]] = {
    "dotted_last_line_no_newline.toml": [2],
    "dotted_with_blanks.toml": [2],
    "guide_with_comments_behind.toml": [3, 4],
    "hand_blank_behind_booleans.toml": [2, 3],
    "hand_long_text_that_the_node_joins.toml": [1, 5],
    "hand_numbers_spelled_oddly.toml": [1, 2, 4],
    "hand_trouble_elsewhere.toml": [1, 2, 5],
    "inline.toml": [2],
    "inline_comment.toml": [1],
    "inline_no_final_newline.toml": [2],
    "secure_in_nested_braces.toml": [1],
    "tls_hand_comments_behind.toml": [1, 2],
}

EDITABLE = sorted(path.name for path in FILES.iterdir() if path.name not in REFUSED)
EDITS = [
    pytest.param(name, table, values, id=f"{name}-{'.'.join(table)}")
    for name in EDITABLE
    for table, values in ((SECURE, RPC), ((), TLS))
    if table == () or name not in REFUSED_SECURE
]


def data(name: str) -> bytes:
    return (FILES / name).read_bytes()


def plain(values: Mapping[str, Value]) -> dict[str, object]:
    return {k: value.reveal() if isinstance(value, Secret) else value for k, value in values.items()}


def as_nano_has_it(values: Mapping[str, Value]) -> dict[str, object]:
    return {k: str(value).lower() if isinstance(value, bool) else value for k, value in plain(values).items()}


def with_values(tree: dict[str, object], table: tuple[str, ...], values: Mapping[str, object]) -> object:
    if table == ():
        return tree | dict(values)
    old = tree.get("secure", {})
    assert isinstance(old, dict)
    return tree | {"secure": old | dict(values)}


def inside(tree: Mapping[str, Read], table: tuple[str, ...]) -> dict[str, Read]:
    found = tree["secure"] if table else tree
    assert isinstance(found, dict)
    return {name: value for name, value in found.items() if not isinstance(value, dict)}


def outside(tree: Mapping[str, Read], table: tuple[str, ...]) -> dict[str, Read]:
    if table:
        return {name: value for name, value in tree.items() if name != "secure"}
    return {name: value for name, value in tree.items() if isinstance(value, dict)}


def changed(old: bytes, new: bytes) -> tuple[list[bytes], list[bytes]]:
    """The lines that went, and those that came."""
    before, after = (text.split(b"\n") for text in (old, new))
    went: list[bytes] = []
    came: list[bytes] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            went += before[a:b]
            came += after[c:d]
    return went, came


def comments(text: bytes) -> list[bytes]:
    """Those in lines of their own."""
    return [line.strip() for line in text.split(b"\n") if line.lstrip().startswith(b"#")]


def test_every_expectation_belongs_to_a_file() -> None:
    names = {path.name for path in FILES.iterdir()}
    assert {*REFUSED, *REFUSED_SECURE, *TROUBLE} <= names
    assert len(names) >= 120


@pytest.mark.parametrize(("name", "table", "values"), EDITS)
def test_the_keys_are_set_and_the_others_stay(
    name: str, table: tuple[str, ...], values: dict[str, Value]
) -> None:
    old = data(name)
    new = set_values(read(old), table, values)
    before, after = tomllib.loads(old.decode()), tomllib.loads(new.decode())
    assert after == with_values(before, table, plain(values))
    assert tomlkit.parse(new).unwrap() == after


@pytest.mark.parametrize(("name", "table", "values"), EDITS)
def test_the_node_reads_what_was_meant(name: str, table: tuple[str, ...], values: dict[str, Value]) -> None:
    old = data(name)
    new = nano_read(set_values(read(old), table, values))
    assert inside(new, table).items() >= as_nano_has_it(values).items()
    assert outside(new, table) == outside(nano_read(old), table)


@pytest.mark.parametrize(("name", "table", "values"), EDITS)
def test_only_lines_of_the_keys_change(name: str, table: tuple[str, ...], values: dict[str, Value]) -> None:
    old = data(name)
    document = read(old)
    new = set_values(document, table, values)
    went, came = changed(old, new)
    repaired = [old.split(b"\n")[line - 1] for line, _ in repairs(document, table, values)]
    of_keys = [key.encode() for key in values]
    replaced = b"cert.pem'''", b"/root/tls/", b"   cert.pem", b"key.pem'''", b'b"""'
    for line in went:
        last = line == old.split(b"\n")[-1]
        known = any(key in line for key in of_keys) or b"u0061ble" in line or line.startswith(replaced)
        assert known or line in repaired or last, line
    for line in came:
        pair = any(line.lstrip(b" \t").partition(b" =")[0].endswith(key) for key in of_keys)
        pair = pair or any(key in line for key in of_keys) or b"u0061ble" in line
        # A comment that moved, a line that lost it, the completed last line, the new header.
        other = line.strip() in (b"", b"[secure]", old.split(b"\n")[-1].strip()) or b"secure.x.y" in line
        assert pair or other or any(line.strip() in before for before in repaired), line


@pytest.mark.parametrize(("name", "table", "values"), EDITS)
def test_comments_and_line_breaks_stay(name: str, table: tuple[str, ...], values: dict[str, Value]) -> None:
    old = data(name)
    document = read(old)
    new = set_values(document, table, values)
    left = iter(comments(new))
    assert all(comment in left for comment in comments(old))
    _, came = changed(old, new)
    if b"\r\n" in old and b"mixed" not in name.encode():
        assert b"\n" not in new.replace(b"\r\n", b"")
    if document.newline == b"\n" and b"\r" not in old:
        assert b"\r" not in new
    assert new.endswith(b"\n") or not document.complete
    assert came


@pytest.mark.parametrize(("name", "table", "values"), EDITS)
def test_a_second_edit_changes_nothing(name: str, table: tuple[str, ...], values: dict[str, Value]) -> None:
    once = read(set_values(read(data(name)), table, values))
    assert set_values(once, table, values) == once.data
    assert not repairs(once, table, values)


@pytest.mark.parametrize("name", [name for name in EDITABLE if name not in REFUSED_SECURE])
def test_a_removed_table_is_gone_and_nothing_else(name: str) -> None:
    old = data(name)
    new = remove_table(read(old), SECURE)
    before, after = tomllib.loads(old.decode()), tomllib.loads(new.decode())
    before.pop("secure", None)
    assert after == before
    went, came = changed(old, new)
    assert not [line for line in came if line]
    assert remove_table(read(new), SECURE) == new
    assert new == old or went


@pytest.mark.parametrize("name", [name for name in EDITABLE if name not in REFUSED_SECURE])
def test_a_table_put_at_the_end_and_removed_leaves_the_file_as_it_was(name: str) -> None:
    old = data(name)
    if read(old).value("secure") is not None or not old.endswith(b"\n") or not old.split(b"\n")[-2].strip():
        return
    assert remove_table(read(set_values(read(old), SECURE, RPC)), SECURE) == old


@pytest.mark.parametrize("name", EDITABLE)
def test_setting_what_is_set_changes_no_byte(name: str) -> None:
    document = read(data(name))
    if nano_trouble(document):
        return
    for table in ((), *document.tables):
        found = document.value(*table) if table else document.tree
        if isinstance(found, dict):
            values = {k: value for k, value in found.items() if isinstance(value, bool | str)}
            assert set_values(document, table, values) == document.data
            assert not repairs(document, table, values)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_cannot_be_edited_is_refused_with_line_reason_and_remedy(name: str) -> None:
    line, words = REFUSED[name]
    with pytest.raises(CannotEdit) as caught:
        read(data(name))
    assert caught.value.line == line
    assert words in caught.value.reason
    assert caught.value.remedy


@pytest.mark.parametrize("name", sorted(REFUSED_SECURE))
def test_what_is_no_table_of_single_values_is_refused_with_the_lines_to_add(name: str) -> None:
    line, words = REFUSED_SECURE[name]
    with pytest.raises(CannotEdit) as caught:
        set_values(read(data(name)), SECURE, RPC)
    assert caught.value.line == line
    assert words in caught.value.reason
    assert caught.value.remedy
    assert caught.value.by_hand == written(SECURE, RPC)


@pytest.mark.parametrize(
    "listed", ["['x', ['y']]", "[['x'], 'y']", "[['x'], [1]]", "[{ a = [true] }]", "[1.5]"]
)
def test_a_list_that_the_node_cannot_read_is_refused(listed: str) -> None:
    with pytest.raises(CannotEdit, match="a is a list of something else than texts"):
        read(f"a = {listed}\n".encode())


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(CannotEdit, match="smaller than 1 MB"):
        read(b"#" * (LARGEST + 1))


@pytest.mark.parametrize("name", EDITABLE)
def test_trouble_of_the_node_is_named_by_its_line(name: str) -> None:
    document = read(data(name))
    assert [line for line, _ in nano_trouble(document)] == TROUBLE.get(name, [])


def edit(old: str, table: tuple[str, ...] = SECURE, **values: Value) -> str:
    return set_values(read(old.encode()), table, values or {"enable": True}).decode()


def test_t16_secure_is_taken_out_of_config_rpc_with_its_keys_alone() -> None:
    above, below = "# RPC\nport = 7076\n\n", "# about the process\n[process]\nio_threads = 4\n"
    old, new = f"{above}[secure]\nenable = true\n# off in May\n\n{below}", above + below
    assert remove_table(read(old.encode()), SECURE).decode() == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("secure.enable = true\nport = 7076\nsecure.server_cert_path = 'x' # y\n", "port = 7076\n"),
        ("port = 7076\nsecure = { enable = true }\n", "port = 7076\n"),
        ("[ 'secure' ]\r\nenable=true", ""),
        ("port = 7076\n\n[secure.more]\nx = 'y'\n\n[secure]\nenable = true", "port = 7076\n"),
        ("[secure]\n\n[process]\nx = 'y'\n", "[process]\nx = 'y'\n"),
        ("[secure]\nenable = true\n# about the log\n[logging]\n", "# about the log\n[logging]\n"),
        ("[secure]\n# enable = false\n\n# else\n\n[logging]\n", "# else\n\n[logging]\n"),
        ("[secure]\n\n# doc\n# enable = false\n\n[logging]\n", "[logging]\n"),
        ("[secure]\nx = 'y'\n# about more\n[secure.more]\n\n[logging]\n", "[logging]\n"),
        ("[[peers]]\nx = 'y'\n[secure]\nenable = true\n[[peers]]\n", "[[peers]]\nx = 'y'\n[[peers]]\n"),
        ("#[secure]\n#enable = true\n", "#[secure]\n#enable = true\n"),
    ],
)
def test_t16_whatever_way_secure_is_written(old: str, new: str) -> None:
    assert remove_table(read(old.encode()), SECURE).decode() == new
    assert "secure" not in nano_read(new.encode())


def test_t16_what_is_no_table_is_not_taken_out() -> None:
    for name in ("secure_is_a_value.toml", "secure_is_a_list_of_tables.toml"):
        with pytest.raises(CannotEdit):
            remove_table(read(data(name)), SECURE)
    with pytest.raises(CannotEdit, match="in the braces of another"):
        remove_table(read(b"rpc = { secure = { enable = true } }\n"), ("rpc", "secure"))
    with pytest.raises(ValueError, match="top level"):
        remove_table(read(b""), ())


def test_t16_a_table_within_a_table_goes_alone() -> None:
    document = read(b"[rpc]\nenable = true\n\n[rpc.child_process]\nenable = true\n\n[node]\n")
    new = remove_table(document, ("rpc", "child_process"))
    assert new == b"[rpc]\nenable = true\n\n[node]\n"


def test_t17_the_node_does_not_start_with_a_comment_or_blank_behind_a_value() -> None:
    for old in (b"enable = true # on\n", b"enable = true \n", b"enable = true\t\r\n"):
        assert nano_read(old)["enable"] not in ("true", "false")
        assert len(nano_trouble(read(old))) == 1
    assert nano_read(b"port = 7076 # default\n") == {"port": "7076 # default"}


def test_t17_comments_behind_values_move_to_a_line_above() -> None:
    old = "[secure]\n  enable = false# off\n  retries = 3 # more\n  server_cert_path = 'x' # y\n"
    new = edit(old, enable=True, server_cert_path="x")
    assert new == (
        "[secure]\n  # off\n  enable = true\n  # more\n  retries = 3\n  server_cert_path = 'x' # y\n"
    )
    said = repairs(read(old.encode()), SECURE, {"enable": True})
    assert [line for line, _ in said] == [2, 3]
    assert "secure.enable moves to a line of its own" in said[0][1]


def test_t17_a_comment_that_moves_stays_above_its_key_and_below_new_ones() -> None:
    old = "# enable = false\nwss = true # on"
    assert edit(old, (), enable=True, other=True) == (
        "# enable = false\nenable = true\n# on\nwss = true\nother = true\n"
    )


def test_t17_nothing_is_moved_in_tables_of_others() -> None:
    old = "port = 7076 # default\n"
    assert edit(old) == f"{old}\n[secure]\nenable = true\n"
    assert [line for line, _ in nano_trouble(read(old.encode()))] == [1]


def test_t18_a_byte_order_mark_is_refused_with_the_command_that_removes_it() -> None:
    old = b"\xef\xbb\xbfaddress = '::1'\nport = 7076\n"
    assert "address" not in nano_read(old)
    with pytest.raises(NanoRefuses):
        nano_read(b"\xef\xbb\xbf# comment\n")
    with pytest.raises(CannotEdit) as caught:
        read(old)
    assert "loses the setting in the first line, or refuses the file" in caught.value.reason
    assert r"sed -i '1s/^\xEF\xBB\xBF//' FILE" in caught.value.remedy


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # Under the commented-out default, with its indentation.
        ("[secure]\n\t# enable = false\n\n\t# x", "[secure]\n\t# enable = false\n\tenable = true\n\n\t# x"),
        ("[secure]\n#enable = false", "[secure]\n#enable = false\nenable = true\n"),
        # Behind the last key, with its indentation.
        ("[secure]\n  a = 'x'\n\n[b]\n", "[secure]\n  a = 'x'\n  enable = true\n\n[b]\n"),
        ("[secure]\na = '''\nx\n'''\n# c\n", "[secure]\na = '''\nx\n'''\nenable = true\n# c\n"),
        # A new table, after a blank line, and with the line break that was missing.
        ("a = 'x'", "a = 'x'\n\n[secure]\nenable = true\n"),
        ("a = 'x'\r\n\r\n", "a = 'x'\r\n\r\n[secure]\r\nenable = true\r\n"),
        ("\ta = 'x'\n", "\ta = 'x'\n\n[secure]\n\tenable = true\n"),
        ("", "[secure]\nenable = true\n"),
        # A default under a commented-out header, or in another table, is none of this table.
        ("#[secure]\n#enable = false\n", "#[secure]\n#enable = false\n\n[secure]\nenable = true\n"),
        ("[a]\n#enable = false\n", "[a]\n#enable = false\n\n[secure]\nenable = true\n"),
        (
            "#[a]\n#b = 1\n[secure]\n#enable = false\n#c = 1\n",
            "#[a]\n#b = 1\n[secure]\n#enable = false\nenable = true\n#c = 1\n",
        ),
        # Dotted, inline.
        ("secure.a = 'x'\nb = 'y'\n", "secure.a = 'x'\nsecure.enable = true\nb = 'y'\n"),
        ("secure = {}\n", "secure.enable = true\n"),
        (" secure={'a b'='x',enable=false} # c", " # c\n secure.'a b' = 'x'\n secure.enable = true"),
    ],
)
def test_where_a_key_is_put(old: str, new: str) -> None:
    assert edit(old) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "enable = true\n"),
        ("# about this file\n", "# about this file\n\nenable = true\n"),
        ("[a]\nx = 'y'\n", "enable = true\n\n[a]\nx = 'y'\n"),
        ("# about a\n[a]\n", "enable = true\n\n# about a\n[a]\n"),
        ("# file\n\n# about a\n[a]\n", "# file\n\nenable = true\n\n# about a\n[a]\n"),
        ("x = 'y'\n[a]\n", "x = 'y'\nenable = true\n[a]\n"),
        ("# x = 'y'\n\n[a]\n", "# x = 'y'\nenable = true\n\n[a]\n"),
        ("#[b]\n#x = 'y'\n\n[a]\n", "#[b]\n#x = 'y'\n\nenable = true\n\n[a]\n"),
    ],
)
def test_where_a_top_level_key_is_put(old: str, new: str) -> None:
    assert edit(old, ()) == new


@pytest.mark.parametrize(
    "text",
    [
        *("", '"', "\\", "C:\\Program Files\\nano", "a\nb\r\tc", "\x00\x07\x1b\x7f", "é☃\u2028😀"),
        *("#[x] = {y}", "'''", '"' * 3, "true", " "),
    ],
)
def test_texts_are_quoted_for_both_readers(text: str) -> None:
    new = edit("", SECURE, server_cert_path=text).encode()
    assert tomllib.loads(new.decode()) == nano_read(new) == {"secure": {"server_cert_path": text}}
    assert new.count(b"\n") == 2


def test_what_utf_8_cannot_hold_is_refused() -> None:
    with pytest.raises(CannotEdit, match="not UTF-8"):
        edit("", SECURE, server_cert_path=b"/etc/\xff".decode("utf-8", "surrogateescape"))


def test_a_secret_is_written_but_never_shown() -> None:
    values: dict[str, Value] = {"enable": True, "server_key_passphrase": Secret("hunter2")}
    assert b'"hunter2"' in set_values(read(b""), SECURE, values)
    assert written(SECURE, values) == '[secure]\nenable = true\nserver_key_passphrase = "..."\n'
    document = read(b'[secure]\nserver_key_passphrase = "hunter2"\n')
    assert "hunter2" not in repr(document)
    with pytest.raises(CannotEdit) as caught:
        set_values(read(data("secure_is_a_value.toml")), SECURE, values)
    assert "hunter2" not in caught.value.reason + caught.value.remedy + caught.value.by_hand


def test_a_document_says_what_stands_in_it() -> None:
    document = read(
        b"\tport = 7076\r\n\t# address = '::1'\r\nsecure.enable = true\n[ 'process' ]\r\n\t#x = 1\r\n"
        b"#[other]\r\n#y = 1\r\n[[p]]\r\nq = 'r'\r\n[p.s]\r\nt = 1.5"
    )
    assert document.tables == (("secure",), ("process",), ("p",), ("p", "s"))
    assert [(entry.path, entry.line, entry.value) for entry in document.entries] == [
        (("port",), 1, 7076),
        (("secure", "enable"), 3, True),
        (("p", "q"), 9, "r"),
        (("p", "s", "t"), 11, 1.5),
    ]
    assert [(default.path, default.line, default.live) for default in document.defaults] == [
        (("address",), 2, True),
        (("process", "x"), 5, True),
        (("other", "y"), 7, False),
    ]
    assert [(header.path, header.array, header.line) for header in document.headers] == [
        (("process",), False, 4),
        (("p",), True, 8),
        (("p", "s"), False, 10),
    ]
    assert (document.newline, document.indent, document.complete) == (b"\r\n", b"", False)
    assert document.value("secure", "enable") is True
    assert document.value("secure", "enable", "x") is None


def test_a_config_node_under_the_wrong_name_is_known_by_its_tables() -> None:
    for name in ("node_under_the_wrong_name.toml", "node_generated_v25.toml"):
        assert {("node",), ("rpc",), ("opencl",)} <= {*read(data(name)).tables}


# What the node's own reader makes of a file; None: it does not load it.
RECORDED: tuple[tuple[bytes, dict[str, Read] | None], ...] = (
    (b"enable=true # comment\n", {"enable": "true # comment"}),
    (b"enable=true \n", {"enable": "true "}),
    (b'port = 7076 # the "default"', {"port": "7076 # the "}),
    (b"a = true # C:\\P\n", None),
    (b"\xef\xbb\xbfa=1\nb=2\n", {"\ufeffa": "1", "b": "2"}),
    (b"\xef\xbb\xbf# a\nb=2\n", None),
    (b"\xef\xbb\xbf[a]\nb=2\n", None),
    (b"[secure]\na=1\n[secure]\nb=2\n", None),
    (b"[secure]\na=1\na=2\n", None),
    (b"a=1[secure]\n", None),
    (b"a = TRUE\n", None),
    (b"a = /etc/x\n", None),
    (b'a = "true"\n', {"a": "true"}),
    (b"a = 'x' # c\n", {"a": "x"}),
    (b"secure = { enable = true, p = 'x' }\n", {"secure": {"enable": "true, p = 'x' }", "p": "x"}}),
    (b'secure = { p = "x", enable = true }\n', {"secure": {"p": "x", "enable": "true }"}}),
    (b"secure = { p = 'x' } # c\n", {"secure": {"p": "x"}}),
    (b"secure.enable = true\r\n", {"secure": {"enable": "true"}}),
    (b"\t[ 'secure' ] # c\r\n\tenable = true", {"secure": {"enable": "true"}}),
    (b"[[secure]]\nenable = true\n", {"secure": [{"enable": "true"}]}),
    (b"[a.b]\nx = 'y'\n[a]\nz = 1\n", {"a": {"b": {"x": "y"}, "z": "1"}}),
    (b'[""]\na = 1\n', None),
    (b"a = [1, 2]\n", None),
    (b"a = ['x', 1]\n", {"a": ["x", "1]"]}),
    (b"a = [ 'x', # c\n \"y\",\n]\n", {"a": ["x", "y"]}),
    (b"a = [['x'], ['y', 'z']]\n", {"a": [["x"], ["y", "z"]]}),
    (b"a = [{b = 'x'}, {b = true}]\n", {"a": [{"b": "x"}, {"b": "true}]"}]}),
    (b'a = "\\"\\\\\\u00e9\\t"\n', {"a": '"\\é\t'}),
    (b'a = "C:\\nano"\n', {"a": "C:\nano"}),
    (b'a = "C:\\Program"\n', None),
    (b"a = 'C:\\Program'\n", {"a": "C:\\Program"}),
    (b"a = '''x\ny'''\n", {"a": "xy"}),
    (b"a = '''\nx\ny'''\n", {"a": "x\ny"}),
    (b'a = """x\\\n  y"""\n', {"a": "xy"}),
    (b'a = """x""""\n', None),
    (b"a = 0x1F\nb = 1_000\n", {"a": "0x1F", "b": "1_000"}),
    (b"a = 1e06\n", None),
    (b"a = 9223372036854775808\n", None),
    (b"a = 2020-06-01T00:00:00Z\n", {"a": "2020-06-01T00:00:00Z"}),
)


@pytest.mark.parametrize(("text", "recorded"), RECORDED)
def test_the_rules_of_the_node_are_those_of_its_own_reader(
    text: bytes, recorded: dict[str, Read] | None
) -> None:
    try:
        assert nano_read(text) == recorded
    except NanoRefuses:
        assert recorded is None


def test_reading_and_editing_a_file_takes_less_than_50_milliseconds() -> None:
    old = data("rpc_generated_v21.toml")
    set_values(read(old), SECURE, RPC)
    times = []
    for _ in range(5):
        start = perf_counter()
        set_values(read(old), SECURE, RPC)
        times.append(perf_counter() - start)
    assert min(times) < 0.050
