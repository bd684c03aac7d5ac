"""nginx's configurations of every kind: read as crossplane and nginx read them, edited in a few bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from time import process_time
from typing import Any

import crossplane
import pytest

from tests.formats.nginx_runs import NEW, Nginx, system_nginx
from wizard.formats.nginx import Directive, Document, Editor, New, read, walk, written
from wizard.formats.nginx_scan import DEEPEST
from wizard.formats.splice import CannotEdit

FILES = Path(__file__).parent / "nginx"
# What a file is a part of stands before the first underscore: `main` and `stream` are whole, `http`, `new`
# and `lua` stand in a block of http, and nginx takes them; `scan` are read, but nginx does not take them.
KINDS = {"main": "main", "stream": "main", "http": "http", "new": "http", "lua": "lua"}

# File, line, words of the reason.
REFUSED: dict[str, tuple[int, str]] = {
    "refuse_backslash_at_the_end.conf": (3, "middle of a directive"),
    "refuse_bom.conf": (1, "byte order mark"),
    "refuse_bom_alone.conf": (1, "byte order mark"),
    "refuse_brace_behind_quote.conf": (2, "Behind a closing quotation mark"),
    "refuse_brace_where_a_value_is.conf": (2, '"listen" is not closed'),
    "refuse_closed_first.conf": (1, "closes nothing"),
    "refuse_closed_twice.conf": (4, "closes nothing"),
    "refuse_comment_behind_quote.conf": (2, "Behind a closing quotation mark"),
    "refuse_go_template.conf": (3, "template"),
    "refuse_go_template_first.conf": (1, "template"),
    "refuse_handlebars_block.conf": (2, "template"),
    "refuse_jinja_block.conf": (3, "template"),
    "refuse_jinja_block_in_a_line.conf": (2, "template"),
    "refuse_jinja_comment.conf": (1, "template"),
    "refuse_jinja_in_a_word.conf": (3, "template"),
    "refuse_jinja_value.conf": (3, "template"),
    "refuse_jinja_value_without_blank.conf": (2, "template"),
    "refuse_last_semicolon_missing.conf": (3, '"server_name" is not closed'),
    "refuse_latin1_name.conf": (2, "is not closed"),
    "refuse_lone_brace.conf": (1, '"{" where a directive should begin'),
    "refuse_lone_semicolon.conf": (2, '";" where a directive should begin'),
    "refuse_long_comment.conf": (3, "This comment has more than 4095"),
    "refuse_long_lines_of_cr_only.conf": (1, "This comment has more than 4095"),
    "refuse_long_text.conf": (2, "This word has more than 4095"),
    "refuse_long_word.conf": (2, "This word has more than 4095"),
    "refuse_lua_long_bracket.conf": (3, "long bracket of Lua is not closed"),
    "refuse_lua_open.conf": (6, '"}" is missing'),
    "refuse_lua_open_at_the_end.conf": (2, "inside a block of Lua"),
    "refuse_one_word.conf": (1, '"listen" is not closed'),
    "refuse_open_block.conf": (7, '"}" is missing'),
    "refuse_open_block_at_once.conf": (1, '"}" is missing'),
    "refuse_open_quote.conf": (3, "quotation mark is not closed"),
    "refuse_open_single_quote.conf": (2, "quotation mark is not closed"),
    "refuse_quotes_together.conf": (3, "Behind a closing quotation mark"),
    "refuse_regex_brace.conf": (3, '"4" is not closed'),
    "refuse_semicolon_behind_block.conf": (3, '";" where a directive should begin'),
    "refuse_semicolon_missing_at_the_end.conf": (2, '"server_tokens" is not closed'),
    "refuse_semicolon_missing_before_comment.conf": (2, '"listen" is not closed'),
    "refuse_text_behind_quote.conf": (3, "Behind a closing quotation mark"),
    "refuse_utf16.conf": (1, "byte order mark"),
}
# Where crossplane reads something else than nginx, which takes all but the last two.
CROSSPLANE_IS_WRONG = {
    "http_braces_in_words.conf": "ends a word at }",
    "http_comments_everywhere.conf": "takes a second comment between words for a directive",
    "http_control_characters.conf": "takes vertical tabs for blanks",
    "http_escapes.conf": "undoes no escapes but those of quotes",
    "http_latin1.conf": "replaces what is no UTF-8",
    "http_nbsp_in_text.conf": "takes no-break spaces for blanks",
    "lua_comment_behind_brace.conf": "knows no comments of Lua",
    "lua_long_brackets.conf": "knows no long brackets of Lua",
    "lua_odd_quotes.conf": "looks for the end of a text of Lua in the next lines",
    "lua_one_line.conf": "wants a blank before {",
    "main_cr_only_comment_swallows.conf": "ends comments at CR",
    "scan_nbsp_before_name.conf": "takes no-break spaces for blanks",
    "scan_windows_paths.conf": "undoes no escapes but those of quotes",
}
READ = sorted(path.name for path in FILES.iterdir() if path.name not in REFUSED)
TAKEN = [name for name in READ if name.partition("_")[0] in KINDS]


def data(name: str) -> bytes:
    return (FILES / name).read_bytes()


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Nginx:
    return Nginx.prepared(tmp_path_factory.mktemp("nginx"))


def programs(name: str) -> list[str]:
    """Which nginx is to take a file: Debian's is without `stream`, that of the wheel without Lua."""
    only = {"new": [NEW], "stream": [NEW], "lua": [system_nginx()]}
    return only.get(name.partition("_")[0], [system_nginx(), NEW])


def complaint(nginx: Nginx, name: str, text: bytes, program: str) -> str:
    return nginx.complaint(text, KINDS[name.partition("_")[0]], program)


# Reading ----------------------------------------------------------------------------------------------


def test_every_expectation_belongs_to_a_file() -> None:
    names = {path.name for path in FILES.iterdir()}
    assert {*REFUSED, *CROSSPLANE_IS_WRONG} <= names
    assert {name.partition("_")[0] for name in names} == {*KINDS, "scan", "refuse"}
    assert len(names) >= 160


@pytest.mark.parametrize("name", READ)
def test_everything_is_found_where_it_stands(name: str) -> None:
    document = read(data(name))
    at = 0
    for directive in walk(document.directives):
        assert directive.start >= at
        for word in directive.words:
            assert word.start >= at
            spelled = document.data[word.start : word.end]
            text = word.text.encode("utf-8", "surrogateescape")
            assert text in (spelled, spelled[1:-1]) or b"\\" in spelled
            at = word.end
        assert document.data[directive.end - 1 : directive.end] == (b";" if directive.block is None else b"}")
        if directive.block is not None:
            start, end = directive.inside
            assert document.data[start - 1 : start] + document.data[end : end + 1] == b"{}"
        assert document.line(directive.start) == document.data[: directive.start].count(b"\n") + 1
    assert Editor(document).finish() == document.data


@pytest.mark.parametrize("name", TAKEN)
def test_nginx_takes_what_is_read(name: str, nginx: Nginx) -> None:
    for program in programs(name):
        assert not complaint(nginx, name, data(name), program)


@pytest.mark.parametrize("name", [name for name in READ if name not in TAKEN])
def test_what_only_nginx_refuses_is_read(name: str, nginx: Nginx) -> None:
    assert nginx.complaint(data(name), "main" if b"events" in data(name) else "http", NEW)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_refused_by_nginx_too(name: str, nginx: Nginx) -> None:
    line, words = REFUSED[name]
    with pytest.raises(CannotEdit) as refusal:
        read(data(name))
    assert words in refusal.value.reason
    assert refusal.value.remedy
    assert refusal.value.line == line
    refusal.value.reason.encode()  # half of a pair cannot be written to a terminal

    kind = "main" if data(name).startswith(b"events") else "lua" if "lua" in name else "http"
    for program in [system_nginx()] if kind == "lua" else [system_nginx(), NEW]:
        said = nginx.complaint(data(name), kind, program)
        where = re.search(r"tried\.conf:(\d+)", said)
        assert where, said
        assert line <= int(where[1]) or kind == "lua"  # nginx names where it gave up


def theirs(block: Iterable[dict[str, Any]]) -> list[object]:
    """As crossplane tells it."""
    return [
        (each["directive"], each["args"], each["line"], theirs(each["block"]) if "block" in each else None)
        for each in block
    ]


def ours(document: Document, directives: tuple[Directive, ...]) -> list[object]:
    """As crossplane would tell it: without the parentheses of `if`, and with Lua as an argument."""
    told: list[object] = []
    for each in directives:
        arguments, block = list(each.arguments), each.block
        if each.name == "if":
            arguments[0] = arguments[0].removeprefix("(")
            arguments[-1] = arguments[-1].removesuffix(")")
            arguments = arguments[not arguments[0] : len(arguments) - (not arguments[-1])]
        if each.holds_lua:
            arguments.append(document.data[slice(*each.inside)].decode().replace("\r\n", "\n"))
            block = None
        inner = None if block is None else ours(document, block)
        told.append((each.name, arguments, lines_of_crossplane(document, each.start), inner))
    return told


def lines_of_crossplane(document: Document, offset: int) -> int:
    """It takes a CR for a line break too."""
    return len(re.findall(rb"\r\n?|\n", document.data[:offset])) + 1


@pytest.mark.parametrize("name", READ)
def test_crossplane_reads_the_same(name: str) -> None:
    document = read(data(name))
    found = crossplane.parse(str(FILES / name), single=True, check_ctx=False, check_args=False)
    same = not found["errors"] and theirs(found["config"][0]["parsed"]) == ours(document, document.directives)
    assert same == (name not in CROSSPLANE_IS_WRONG)


WORDS = (
    *(b"a", b"a#b", b"a}b", b'a"b', b"a'b'", b"${a}b", b"${{b", b"a$", b"\\;", b"\\{x", b"\\#", b"a\\\\"),
    *(b"\\ta\\n", b'"a b"', b"'a b'", b'"a\\"b"', b"'it\\'s'", b'"it\\\'s"', b'"\\\\"', b'"a\nb"', b"''"),
    *(b'"\\d\\r\\t"', b'"{;}#"', b"a\\\nb", b"a\xff\xfe", b"m\xc3\xbcller", b"a\x0bb", b"a\xc2\xa0b", b"$"),
    *(b"$$a", b"\\$a", b")", b"(a", b'"a$"'),
)


@pytest.mark.parametrize("program", ["system", "new"])
@pytest.mark.parametrize("word", WORDS)
def test_nginx_reads_the_same_word(word: bytes, program: str, nginx: Nginx) -> None:
    text = read(word + b";").directives[0].name
    said = nginx.complaint(word + b" b;\n", "main", NEW if program == "new" else system_nginx())
    shown = text.encode("utf-8", "surrogateescape").decode(errors="replace")
    assert f'unknown directive "{shown}" in' in said


def test_a_closing_parenthesis_behind_a_quotation_mark_is_a_word() -> None:
    assert read(b'if ($a = "b"){}').directives[0].words_text == ("if", "($a", "=", "b", ")")


def test_blocks_within_each_other_have_a_limit() -> None:
    assert len(list(walk(read(b"a{" * DEEPEST + b"}" * DEEPEST).directives))) == DEEPEST
    with pytest.raises(CannotEdit, match="More than 50 blocks") as refusal:
        read(b"a{\n" * (DEEPEST + 1) + b"}" * (DEEPEST + 1))
    assert refusal.value.line == DEEPEST + 1


@pytest.mark.parametrize(
    "text", [b'"' * 200_000, b"a{" * 200_000, b"\\" * 1_000_001, b"x_by_lua_block {" + b"--[[[==[" * 100_000]
)
def test_nonsense_is_refused_at_once(text: bytes) -> None:
    start = process_time()
    with pytest.raises(CannotEdit):
        read(text)
    assert process_time() - start < 2


def test_remarks_are_found() -> None:
    document = read(b"a; # managed\r\nb;\n# c\nd; e; #\xff\nf {} # g")
    assert list(map(document.remark, document.directives)) == ["# managed", "", "", "#\ufffd", "# g"]


# Editing ----------------------------------------------------------------------------------------------


def servers(document: Document) -> list[Directive]:
    return [each for each in walk(document.directives) if each.name == "server" and each.block is not None]


SERVERS = [name for name in READ if servers(read(data(name)))]


def named(document: Document, name: str) -> list[Directive]:
    return [each for server in servers(document) for each in server.block or () if each.name == name]


ONE = New(("error_log", "logs/77.log"))
"""A directive that every server may have."""


def needed(document: Document) -> New:
    """A directive that the last server of this kind needs."""
    outer = {each.name for each in document.directives}
    if "stream" in outer and "http" not in outer:
        return New(("proxy_pass", "127.0.0.1:77"))
    return New(("protocol", "imap")) if "mail" in outer else New(("return", "308", "https://$host$uri"))


def told(document: Document) -> list[tuple[str, ...]]:
    return [each.words_text for each in walk(document.directives)]


def check(nginx: Nginx, name: str, new: bytes) -> Document:
    """What holds for every edit."""
    old = data(name)
    if old.count(b"\n") == old.count(b"\r\n") > 0:
        assert new.count(b"\n") == new.count(b"\r\n")
    assert new.endswith(b"\n") == old.endswith(b"\n")
    if name in TAKEN:
        assert not complaint(nginx, name, new, programs(name)[0])
    return read(new)


def without(new: bytes, added: bytes) -> bytes:
    """Take out what was added: in lines of its own, or in a line, behind a blank."""
    before = rb"(?:(?<=\n)|\A)[ \t]*"
    return re.sub(before + added + rb"\r?\n|\r?\n[ \t]*" + added + rb"\Z| " + added, b"", new)


@pytest.mark.parametrize("name", [name for name in READ if b"server_name " in data(name)])
def test_arguments_are_set(name: str, nginx: Nginx) -> None:
    document = read(data(name))
    editor, expected, shift = Editor(document), document.data, 0
    wanted = ("new.example.com", "~^(a|b){2}\\.example$", "")
    found = named(document, "server_name")
    for each in found:
        editor.set(each, *wanted)
        start, end = each.words[1].start + shift, each.words[-1].end + shift
        text = rb'new.example.com "~^(a|b){2}\\.example$" ""'
        if name == "http_comments_everywhere.conf":
            text += b" # nine\n" + b" " * 16
        expected = expected[:start] + text + expected[end:]
        shift = len(expected) - len(document.data)
    new = editor.finish()
    assert new == expected
    after = check(nginx, name, new)
    assert [each.arguments for each in named(after, "server_name")] == [wanted] * len(found)

    again = Editor(after)
    for each in named(after, "server_name"):
        again.set(each, *wanted)
    assert again.finish() == new

    back = Editor(after)
    for each, before in zip(named(after, "server_name"), found, strict=True):
        back.set(each, *before.arguments)
    assert told(read(back.finish())) == told(document)


@pytest.mark.parametrize("name", READ)
def test_every_directive_can_be_set_and_everything_else_stays(name: str) -> None:
    document = read(data(name))
    rest = iter(told(document))
    editor = Editor(document)
    for each in walk(document.directives):
        if each.name != "location":
            editor.set(each, "a b", *each.arguments)
    for each in walk(read(editor.finish()).directives):
        old = next(rest)
        assert each.words_text == (old if each.name == "location" else (old[0], "a b", *old[1:]))


@pytest.mark.parametrize("name", SERVERS)
def test_a_directive_is_removed_with_its_line(name: str, nginx: Nginx) -> None:
    document = read(data(name))
    for what in ("server_name", "listen"):
        editor, expected = Editor(document), document.data
        for each in reversed(named(document, what)):
            editor.remove(each)
            start, end = each.start, each.end
            begin = document.data.rfind(b"\n", 0, start) + 1
            rest = re.compile(rb"[ \t]*\r?\n").match(document.data, end)
            if rest and not document.data[begin:start].strip():
                start, end = begin, rest.end()
            expected = expected[:start] + expected[end:]
        new = editor.finish()
        assert new == expected
        after = read(new)
        assert not named(after, what)
        if what == "server_name":
            check(nginx, name, new)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("remark", ["", "to be seen"])
def test_directives_are_added_at_the_beginning_of_a_block(name: str, remark: str, nginx: Nginx) -> None:
    document = read(data(name))
    editor = Editor(document)
    for server in servers(document):
        editor.add(server, [New(ONE.words, remark=remark)])
    new = editor.finish()
    after = check(nginx, name, new)
    for before, server in zip(servers(document), servers(after), strict=True):
        assert server.block
        assert [each.words_text for each in server.block] == [
            ONE.words,
            *(each.words_text for each in before.block or ()),
        ]
        if remark:
            line = new[new.rfind(b"\n", 0, server.block[0].start) + 1 : server.block[0].start]
            assert new[: server.block[0].start - len(line)].rstrip().endswith(line + b"# to be seen")
    text = " ".join(ONE.words).encode() + b";"
    if not remark:
        assert without(new, text) == document.data
    assert new.count(text) == len(servers(document))


@pytest.mark.parametrize("name", [name for name in SERVERS if named(read(data(name)), "listen")])
def test_directives_are_added_behind_another(name: str, nginx: Nginx) -> None:
    document = read(data(name))
    editor = Editor(document)
    for server in servers(document):
        for each in [each for each in server.block or () if each.name == "listen"][:1]:
            editor.add(server, [ONE], after=each)
    new = editor.finish()
    after = check(nginx, name, new)
    for server in servers(after):
        names = [each.name for each in server.block or ()]
        assert "listen" not in names or names[names.index("listen") + 1] == ONE.words[0]
    assert without(new, " ".join(ONE.words).encode() + b";") == document.data
    for server in servers(after):
        lines = [new[new.rfind(b"\n", 0, each.start) + 1 : each.start] for each in server.block or ()]
        for each, line, next_line in zip(server.block or (), lines, lines[1:], strict=False):
            if each.name == "listen" and not line.strip() and not next_line.strip():
                assert next_line == line


@pytest.mark.parametrize("name", SERVERS)
def test_blocks_are_added_behind_another(name: str, nginx: Nginx) -> None:
    document = read(data(name))
    last = servers(document)[-1]
    added = New(("server",), (New(("listen", "9977")), needed(document)), remark="added")
    editor = Editor(document)
    editor.add_behind(last, [added])
    new = editor.finish()
    after = check(nginx, name, new)
    at = sum(each.start < last.end for each in walk(document.directives))
    assert added.block
    expected = told(document)
    expected[at:at] = [added.words, *(each.words for each in added.block)]
    assert told(after) == expected

    block = list(walk(after.directives))[at]
    start = new.rindex(b"# added", 0, block.start)
    assert b"".join((new[:start] + new[block.end :]).split()) == b"".join(document.data.split())
    assert new.startswith(document.data[: last.end])
    _, _, below = document.data[last.end :].partition(b"\n")
    assert new.endswith(below)


HEADER = New(("add_header", "X-A", 'say "x"; {}'), remark="why")
ROOT = New(("location", "/"), (New(("return", "200")),))
# What stands in the file, and with a directive, a header and a location at the beginning of its first server.
STYLES = {
    "four spaces": (
        "server {\n    listen 1;\n}\n",
        """server {
    charset utf-8;
    # why
    add_header X-A "say \\"x\\"; {}";
    location / {
        return 200;
    }
    listen 1;
}
""",
    ),
    "two spaces": (
        "http {\n  server {\n  }\n}",
        """http {
  server {
    charset utf-8;
    # why
    add_header X-A "say \\"x\\"; {}";
    location / {
      return 200;
    }
  }
}""",
    ),
    "tabs": (
        "http\n{\n\tserver # {\n\t{\n\n\t\tlisten 1;\n\t}\n}\n",
        """http
{
\tserver # {
\t{
\t\tcharset utf-8;
\t\t# why
\t\tadd_header X-A "say \\"x\\"; {}";
\t\tlocation / {
\t\t\treturn 200;
\t\t}

\t\tlisten 1;
\t}
}
""",
    ),
    "CRLF": (
        "server { # first\r\n  listen 1;\r\n}",
        "server { # first\r\n  charset utf-8;\r\n  # why\r\n"
        '  add_header X-A "say \\"x\\"; {}";\r\n  location / {\r\n    return 200;\r\n  }\r\n  listen 1;\r\n}',
    ),
    "flat": (
        "http {\nserver {\nlisten 1;\n}\n}\n",
        """http {
server {
charset utf-8;
# why
add_header X-A "say \\"x\\"; {}";
location / {
    return 200;
}
listen 1;
}
}
""",
    ),
    "one line": (
        "server { listen 1; }\n",
        """server { charset utf-8;
    # why
    add_header X-A "say \\"x\\"; {}";
    location / {
        return 200;
    }
     listen 1; }
""",
    ),
}


@pytest.mark.parametrize("style", STYLES)
def test_what_is_added_looks_like_the_rest(style: str) -> None:
    before, expected = (text.encode() for text in STYLES[style])
    document = read(before)
    editor = Editor(document)
    editor.add(servers(document)[0], [New(("charset", "utf-8"))])
    editor.add(servers(document)[0], [HEADER, ROOT])
    assert editor.finish() == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("server {\n}\n", "server {\n}\n\n# why\na {\n}\n"),
        ("server {\n}", "server {\n}\n\n# why\na {\n}"),
        ("server {\n} # x", "server {\n} # x\n\n# why\na {\n}"),
        ("server {\r\n} # x\r\n\r\nb;", "server {\r\n} # x\r\n\r\n# why\r\na {\r\n}\r\n\r\nb;"),
        ("  server {\n  }\n  b;", "  server {\n  }\n\n  # why\n  a {\n  }\n  b;"),
        ("server {} b;", "server {}\n# why\na {\n}\n b;"),
        ("h { server {} }", "h { server {}\n# why\na {\n}\n }"),
    ],
)
def test_what_is_added_behind_a_block_looks_like_the_rest(before: str, expected: str) -> None:
    document = read(before.encode())
    editor = Editor(document)
    editor.add_behind(servers(document)[0], [New(("a",), (), remark="why")])
    assert editor.finish() == expected.encode()


@pytest.mark.parametrize(
    ("before", "arguments", "expected"),
    [
        ("a 1;", ("2",), "a 2;"),
        ("a;", ("1", "2"), "a 1 2;"),
        ("a 1 2 3;", ("2",), "a 2;"),
        ("a 1\n  2\n  3\n  ;", ("2", "3"), "a 2 3\n  ;"),
        ("a 1 # x\n 2 # y\n 3; # z", ("4",), "a 4 # x\n  # y\n ; # z"),
        ('a "1" "2";', ("2",), "a 2;"),
        ('a "1")x;', ("2",), "a 2;"),
        ("a /b { c 1; }", ("/d e",), 'a "/d e" { c 1; }'),
        ("a;", ("", "a;b", "a#b", "#", "\\d", "$a", "${a}", "it's", "}"), None),
        ("a;", ("two\nlines", "tab\tand \u00a0", "\udcff", "~^\\d{2}$"), None),
    ],
)
def test_arguments_are_set_in_place(before: str, arguments: tuple[str, ...], expected: str | None) -> None:
    document = read(before.encode())
    editor = Editor(document)
    editor.set(document.directives[0], *arguments)
    new = editor.finish()
    assert read(new).directives[0].arguments == arguments
    assert expected is None or new == expected.encode()


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("a;\nb;\nc;\n", "a;\nc;\n"),
        ("a;\nb\n  1\n  2;\nc;\n", "a;\nc;\n"),
        ("a;\n  b; # why\nc;\n", "a;\n   # why\nc;\n"),
        ("a; b; c;\n", "a;  c;\n"),
        ("x {b;#c\n}", "x {#c\n}"),
        ("a;\r\n\tb ;  \r\nc;", "a;\r\nc;"),
        ("a;\n  b;", "a;\n"),
        ("b;", ""),
    ],
)
def test_what_is_removed_leaves_no_line(before: str, expected: str) -> None:
    document = read(before.encode())
    editor = Editor(document)
    for each in walk(document.directives):
        if each.name == "b":
            editor.remove(each)
    assert editor.finish() == expected.encode()


def test_several_edits_are_made_at_once() -> None:
    document = read(b"server {\n    listen 80;\n    server_name a; # why\n    root /a;\n}\n")
    (server,) = document.directives
    listen, name, root = server.block or ()
    editor = Editor(document)
    editor.remove(listen)
    editor.add(server, [New(("listen", "443", "ssl"))], after=listen)
    editor.set(name, "b", "c")
    editor.add(server, [New(("ssl_certificate", "/a b.pem"))], after=name)
    editor.remove(root)
    assert editor.finish() == (
        b'server {\n    listen 443 ssl;\n    server_name b c; # why\n    ssl_certificate "/a b.pem";\n}\n'
    )


def test_an_edit_that_would_read_differently_is_refused() -> None:
    document = read(b"a;\n\nb { c; }\nd { e; }\n")
    a, b, d = document.directives

    def refused(edit: Callable[[Editor], None]) -> int | None:
        editor = Editor(document)
        edit(editor)
        with pytest.raises(CannotEdit, match="cannot be edited with certainty") as refusal:
            editor.finish()
        return refusal.value.line

    assert refused(lambda editor: editor.remove(b)) == 3
    assert refused(lambda editor: editor.add(b, [New(("x",), remark="one\ny;")])) == 3
    assert refused(lambda editor: editor.set(a, "x" * 5000)) == 1
    assert refused(lambda editor: editor.add_behind(d, [New(())])) == 5


def test_lua_stays_to_the_byte() -> None:
    lua = b"content_by_lua_block { local a = [[ } ]] -- }\n }"
    document = read(b"server {\n  " + lua + b"\n  a 1;\n}\n")
    (server,) = document.directives
    content, a = server.block or ()
    assert content.holds_lua
    assert not server.holds_lua
    editor = Editor(document)
    editor.set(a, "2")
    editor.add(server, [New(("b",))], after=content)
    assert editor.finish() == b"server {\n  " + lua + b"\n  b;\n  a 2;\n}\n"


def test_directives_are_written() -> None:
    news = [New(("a", "b c")), New(("d",), (New(("e", ""), remark="f"), New(("g",), ())), remark="h")]
    assert written(news, "  ", "\t", "\r\n").splitlines() == [
        *('  a "b c";', "  # h", "  d {", "  \t# f", '  \te "";', "  \tg {", "  \t}", "  }"),
    ]
    assert written([New(("a",), (New(("b",)),))]) == "a {\n    b;\n}\n"
