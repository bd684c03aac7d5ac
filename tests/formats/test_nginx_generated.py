"""nginx's configurations of random shape and spelling: they are read as meant, and so are their edits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.formats.nginx_runs import NEW, Nginx
from wizard.formats.nginx import Directive, Document, Editor, New, read, walk
from wizard.formats.splice import CannotEdit

ADDED = "added for the test"

# Words that are spelled in a way of their own, and what nginx reads.
SPELLED = (
    *((word, word) for word in ("a", "/b/", "x=1", "a}b", "a#b", 'a"b', "it's", "${host}", "a$host", "é")),
    *((word, word) for word in (r"\d+\.x", r"a\;b", r"\{", r"\#", r"a\ b", "\udcff\udcfe", "a\x0bb")),
    *((r"a\\b", r"a\b"), (r"\"a", '"a'), (r"\ta", "\ta")),
)
TEXTS = (
    *("", " ", "a b", ";", "{", "}", "#", "# no", "a;b", '"', "'", "\"'", "\\", "\\\\", r"\d{2}", "\t"),
    *("a\nb", "a\r\nb", "${host}", "$host;", "\udcff", "\N{NO-BREAK SPACE}", "☃", "location / {", "{}"),
    "x" * 300,
)
BLANKS = (" ", "  ", "\t", "\n", "\n\n", "\n    ", " \n\t", "\n  \n  ")
COMMENTS = ("#\n", "# x\n", "#;\n", "# }\n", "# {\n", "#\"'\n", "# \\\n", "## é \udcff\n", "#server { a; }\n")
LUA = (
    *(" local a = 1 ", "local a = {{1}, {}}", ' local a = "}" ', " local a = '{' -- it's }\n"),
    *("--}\nlocal a = 1", "\n  local a = [[ } ]] --[==[ } ]] ]==]\n", "local t = {} t[t[1]] = [=[}]=]"),
    r""" local a = "\"}" .. '\'}' """,
)


@dataclass
class Node:
    """A directive as it is meant to be."""

    words: tuple[str, ...]
    block: list[Node] | None = None
    lua: str = ""
    first: list[Node] = field(default_factory=list)
    """What an edit puts at the beginning of the block."""
    behind: list[Node] = field(default_factory=list)
    """What edits put behind it."""
    removed: bool = False
    is_set: bool = False
    is_new: bool = False


def text_of(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


SPELLINGS = st.sampled_from(
    [
        *SPELLED,
        *((text_of(text), text) for text in TEXTS),
        *(("'" + text_of(text)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'", text) for text in TEXTS),
    ]
)
GAPS = st.sampled_from(["", "", *map("".join, product((*BLANKS, "", ""), (*COMMENTS, "", "", ""), BLANKS))])
BETWEEN = st.sampled_from([*BLANKS, *map("".join, product(BLANKS, COMMENTS, (*BLANKS, "", "")))])
ENDS = st.sampled_from(["", "", "", *BLANKS, *map("".join, product(BLANKS, COMMENTS))])


class Writer:
    """Writes nodes, each part in a way that is drawn."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.number = 0
        self.tidy = draw(st.booleans())
        self.unit = draw(st.sampled_from(("  ", "    ", "\t", "")))

    def directive(self, node: Node, spelled: list[str], depth: int, inner: str | None = None) -> str:
        """One that has been spelled, its gaps drawn; `inner` is what stands in its braces."""
        if self.tidy:
            before, between, closing = self.unit * depth, " ", ""
            opening, ending, behind = (
                " ",
                self.unit * depth,
                self.draw(st.sampled_from(("\n", "\n", " # x\n"))),
            )
            inner = inner if inner is None or node.lua else f"\n{inner}"
        else:
            before, between, closing = "", self.draw(BETWEEN), self.draw(ENDS)
            opening, ending, behind = closing, "", self.draw(GAPS)
            inner = inner if inner is None or node.lua else self.draw(GAPS) + inner
        words = between.join(spelled)
        if inner is None:
            return f"{before}{words}{closing};{behind}"
        return f"{before}{words}{opening}{{{inner}{'' if node.lua else ending}}}{behind}"

    def nodes(self, context: str, depth: int) -> tuple[list[Node], str]:
        """What may stand in a block of this kind, and its text."""
        found = list[Node]()
        text = ""
        for kind in self.draw(st.lists(st.sampled_from(KINDS[context]), max_size=5)):
            if kind == "lua" and any(node.lua for node in found):
                continue  # once in a block
            node, spelled, inner = self.node(kind, depth)
            found.append(node)
            text += self.directive(node, spelled, depth, inner)
        return found, text

    def node(self, kind: str, depth: int) -> tuple[Node, list[str], str | None]:
        self.number += 1
        if kind == "lua":
            lua = self.draw(st.sampled_from(LUA))
            return Node(("rewrite_by_lua_block",), [], lua), ["rewrite_by_lua_block"], lua
        head = NAMES[kind].format(self.number).split()
        words = tuple(head)
        if kind == "if" and self.draw(st.booleans()):
            head, words = [*head[:-1], '"b")'], (*words[:-1], "b", ")")
        head[0] = self.draw(st.sampled_from(("{}", "{}", '"{}"', "'{}'"))).format(head[0])
        if kind in ("header", "log"):
            count = 1 if kind == "header" else self.draw(st.integers(1, 3))
            more = [self.draw(SPELLINGS) for _ in range(count)]
            return Node((*words, *(text for _, text in more))), [*head, *(each for each, _ in more)], None
        block, inner = self.nodes(kind, depth + 1)
        return Node(words, block), head, inner


NAMES = {
    "server": "server",
    "location": "location /{}",
    "if": "if ($arg_a = b)",
    "header": "add_header X-{}",
    "log": "log_format f{}",
}
KINDS = {
    "http": ("server", "server", "log", "header"),
    "server": ("location", "location", "header", "header", "lua"),
    "location": ("if", "header", "header", "lua"),
    "if": ("header",),
}


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, list[Node]]:
    """A configuration that nginx takes in a block of http, and what stands in it."""
    nodes, text = Writer(draw).nodes("http", 0)
    text = draw(st.sampled_from(("", "\n", "# x\n", "\n\n"))) + text
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    break_ = draw(st.sampled_from(("\n", "\n", "\r\n"))) if "\n" not in "".join(all_words(nodes)) else "\n"
    return text.replace("\n", break_).encode("utf-8", "surrogateescape"), nodes


def preorder(nodes: list[Node]) -> Iterator[Node]:
    """All that is to stand there, after the edits that were made so far."""
    for node in nodes:
        if not node.removed:
            yield node
            yield from preorder([*node.first, *(node.block or [])])
        yield from preorder(node.behind)


def all_words(nodes: list[Node]) -> list[str]:
    return [word for node in preorder(nodes) for word in (*node.words, node.lua)]


Tree = list[tuple[tuple[str, ...], Any, bytes]]


def meant(nodes: list[Node]) -> Tree:
    """What is to be read."""
    tree: Tree = []
    for node in nodes:
        if not node.removed:
            block = None if node.block is None else meant([*node.first, *node.block])
            tree.append((node.words, block, b"".join(node.lua.encode().split())))
        tree += meant(node.behind)
    return tree


def found(document: Document, directives: tuple[Directive, ...]) -> Tree:
    """What was read; without the blanks of Lua, whose line breaks are those of the file."""
    return [
        (
            each.words_text,
            None if each.block is None else found(document, each.block),
            b"".join(document.data[slice(*each.inside)].split()) if each.holds_lua else b"",
        )
        for each in directives
    ]


WORDS = st.sampled_from([*TEXTS, "a", "b"])


class Edits:
    """Draws edits, and makes them both in the file and in what is meant."""

    def __init__(self, draw: st.DrawFn, document: Document, nodes: list[Node]) -> None:
        self.draw = draw
        self.document = document
        self.editor = Editor(document)
        self.pairs = list(zip(walk(document.directives), list(preorder(nodes)), strict=True))
        self.changed: set[int] = set()
        """Lines of the file that an edit may change."""
        self.cut: list[tuple[int, int]] = []
        """What is taken away."""
        self.number = 0

    def make(self) -> bytes:
        for directive, node in self.pairs:
            edit = self.draw(st.sampled_from(("", "", "set", "remove", "first", "inside", "behind")))
            if node.block is None:
                if edit == "set":
                    self.set(directive, node)
                elif edit == "remove":
                    self.remove(directive, node)
            elif edit in ("first", "inside") and not node.lua:
                self.add(directive, node, first=edit == "first")
            elif edit == "behind" and node.words[0] in ("server", "location"):
                self.add_behind(directive, node)
        return self.editor.finish()

    def set(self, directive: Directive, node: Node) -> None:
        count = 1 if node.words[0] == "add_header" else self.draw(st.integers(1, 4))
        node.words = (*node.words[:2], *(self.draw(WORDS) for _ in range(count)))
        node.is_set = node.words != directive.words_text
        self.editor.set(directive, *node.words[1:])
        if node.is_set:
            self.cut += [(word.start, word.end) for word in directive.words[1:]]
            self.touch(directive.start, directive.end)

    def remove(self, directive: Directive, node: Node) -> None:
        node.removed = True
        self.editor.remove(directive)
        self.cut.append((directive.start, directive.end))
        self.touch(directive.start, directive.end)

    def add(self, directive: Directive, node: Node, *, first: bool) -> None:
        news = [self.header() for _ in range(self.draw(st.integers(1, 2)))]
        children = list(zip(directive.block or (), node.block or (), strict=True))
        if first or not children:
            self.editor.add(directive, news)
            node.first += map(node_of, news)
            self.touch(directive.inside[0], directive.inside[0])
        else:
            child, child_node = self.draw(st.sampled_from(children))
            self.editor.add(directive, news, after=child)
            child_node.behind += map(node_of, news)
            self.touch(child.end, child.end)

    def add_behind(self, directive: Directive, node: Node) -> None:
        self.number += 1
        name = ("server",) if node.words == ("server",) else ("location", f"/new{self.number}")
        new = New(name, (self.header(),), remark=self.draw(st.sampled_from(("", ADDED))))
        self.editor.add_behind(directive, [new])
        node.behind.append(node_of(new))
        self.touch(directive.end, directive.end)

    def header(self) -> New:
        return New(
            ("add_header", "X-Added", self.draw(WORDS)), remark=self.draw(st.sampled_from(("", "", ADDED)))
        )

    def touch(self, start: int, end: int) -> None:
        self.changed.update(range(self.document.line(start), self.document.line(end) + 1))


def node_of(new: New) -> Node:
    return Node(new.words, None if new.block is None else list(map(node_of, new.block)), is_new=True)


@dataclass
class Case:
    """A file before and after some edits."""

    old: bytes
    new: bytes
    nodes: list[Node]
    """What is to be read afterwards."""
    edits: Edits


@st.composite
def cases(draw: st.DrawFn) -> Case:
    old, nodes = draw(files())
    edits = Edits(draw, read(old), nodes)
    return Case(old, edits.make(), nodes, edits)


def rest(data: bytes, cut: list[tuple[int, int]]) -> bytes:
    """What is left without these spans, without blanks, and without the comments of the edits."""
    pieces, at = list[bytes](), 0
    for start, end in [*sorted(cut), (len(data), len(data))]:
        pieces.append(data[at:start])
        at = max(at, end)
    return b"".join(b"".join(pieces).split()).replace(b"#" + ADDED.replace(" ", "").encode(), b"")


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Nginx:
    return Nginx.prepared(tmp_path_factory.mktemp("nginx"))


@settings(max_examples=250)
@given(files())
def test_what_was_meant_is_read(file: tuple[bytes, list[Node]]) -> None:
    data, nodes = file
    document = read(data)
    assert found(document, document.directives) == meant(nodes)
    assert Editor(document).finish() == data


@settings(max_examples=350)
@given(cases())
def test_edits_are_read_as_meant_and_everything_else_stays(case: Case) -> None:
    after = read(case.new)
    assert found(after, after.directives) == meant(case.nodes)

    cut = list[tuple[int, int]]()
    for directive, node in zip(walk(after.directives), preorder(case.nodes), strict=True):
        if node.is_new:
            cut.append((directive.start, directive.end))
        elif node.is_set:
            cut += [(word.start, word.end) for word in directive.words[1:]]
    assert rest(case.new, cut) == rest(case.old, case.edits.cut)

    left = iter(case.new.split(b"\n"))
    for number, line in enumerate(case.old.split(b"\n"), 1):
        assert number in case.edits.changed or line in left
    if case.old.count(b"\n") == case.old.count(b"\r\n") > 0 and not any(
        "\n" in word for word in all_words(case.nodes)
    ):
        assert case.new.count(b"\n") == case.new.count(b"\r\n")

    again = Editor(after)
    for directive in walk(after.directives):
        again.set(directive, *directive.arguments)
    assert again.finish() == case.new


@settings(max_examples=100)
@given(case=cases())
def test_nginx_takes_the_files_and_their_edits(case: Case, nginx: Nginx) -> None:
    kind, program = ("lua", None) if "rewrite_by_lua_block" in all_words(case.nodes) else ("http", NEW)
    assert not nginx.complaint(case.old, kind, program)
    assert not nginx.complaint(case.new, kind, program)


SNIPPETS = (
    *(b"{", b"}", b";", b"#", b'"', b"'", b"\\", b"$", b"${", b" ", b"\n", b"\r", b"\0", b"\xff", b"{{"),
    *(b"{#", b")", b"a_by_lua_block {", b"--[[", b"]]", b"[=[", b"--", b"\xef\xbb\xbf"),
)


def changed_everywhere(data: bytes) -> bytes:
    """Other arguments for each directive, and another one in each block."""
    document = read(data)
    editor = Editor(document)
    for directive in walk(document.directives):
        if directive.block is None:
            editor.set(directive, "a b")
        elif not directive.holds_lua:
            editor.add(directive, [New(("x",), remark=ADDED)])
    return editor.finish()


@settings(max_examples=200)
@example((b"server { }", []), 0.0, 0, [b'""', b")"])
@given(files(), st.floats(0, 1), st.integers(0, 4), st.lists(st.sampled_from(SNIPPETS), max_size=3))
def test_a_damaged_file_is_edited_or_refused(
    file: tuple[bytes, list[Node]], place: float, gone: int, snippets: list[bytes]
) -> None:
    whole, _ = file
    at = round(place * len(whole))
    damaged = whole[:at] + b"".join(snippets) + whole[at + gone :]
    try:
        after = read(changed_everywhere(damaged))
    except CannotEdit as refusal:
        assert refusal.reason.isprintable()
        assert refusal.remedy
        assert refusal.line
        return
    for directive in walk(after.directives):
        assert directive.arguments == ("a b",) or directive.block is not None or directive.name == "x"


@settings(max_examples=200)
@given(st.lists(st.sampled_from(SNIPPETS) | st.sampled_from((b"a", b"b;", b"c {", b"\t", b"n")), max_size=12))
def test_nginx_stops_where_the_scanner_does(nginx: Nginx, pieces: list[bytes]) -> None:
    """It knows none of the words, so it stops at the first directive, if that can be read."""
    data = b"".join(pieces)
    try:
        first = next(iter(read(data).directives), None)
    except CannotEdit:
        assert nginx.complaint(data, "main", NEW)
        return
    said = nginx.complaint(data, "main", NEW)
    if first is None:
        assert not said or 'no "events" section' in said
    else:
        name = first.name.encode("utf-8", "surrogateescape").partition(b"\0")[0].decode(errors="replace")
        assert f'unknown directive "{name}' in said
