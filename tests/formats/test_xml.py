"""XML: nothing but what is meant changes, to the byte; what cannot be edited with certainty is refused."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.formats.santedb_edits import BASE, endpoints, switched, with_base
from wizard.formats import xml
from wizard.formats.splice import CannotEdit
from wizard.formats.xml import Add, SetAttribute, SetText

FOLDER = Path(__file__).parent / "xml"
FILES = sorted(path for path in FOLDER.glob("*.xml") if not path.name.startswith("refuse_"))
REFUSED = sorted(FOLDER.glob("refuse_*.xml"))

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def changed_lines(before: bytes, after: bytes) -> tuple[int, int]:
    """How many lines of the first are gone, and how many of the second are new."""
    one, other = before.splitlines(keepends=True), after.splitlines(keepends=True)
    codes = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    changes = [code for code in codes if code[0] != "equal"]
    return sum(code[2] - code[1] for code in changes), sum(code[4] - code[3] for code in changes)


def address_at(document: xml.Document, element: xml.Element) -> int:
    address = document.tag(element).attribute("address")
    assert address is not None
    return address.value_start


def tree(data: bytes) -> list[tuple[str, dict[str, str], str]]:
    """The elements as another parser reads them."""
    root = ElementTree.fromstring(data)
    return [(element.tag, dict(element.attrib), (element.text or "").strip()) for element in root.iter()]


def test_there_are_forty_files_and_more() -> None:
    assert len(FILES) >= 40


@each_file
def test_without_an_edit_every_byte_stays(path: Path) -> None:
    data = path.read_bytes()
    assert xml.edited(xml.read(data), []) == data


@each_file
def test_switching_changes_as_many_lines_as_there_are_endpoints(path: Path) -> None:
    before = path.read_bytes()
    document = xml.read(before)
    http = [one for one in endpoints(document) if (one.get("address") or "").startswith("http://")]
    lines = {before.count(b"\n", 0, address_at(document, one)) for one in http}
    after = xml.edited(document, switched(document))
    assert changed_lines(before, after) == (len(lines), len(lines))
    if b"&#" not in before:  # which is written as the character
        assert len(after) == len(before) + len(http)


@each_file
def test_another_parser_sees_only_what_was_meant(path: Path) -> None:
    before = path.read_bytes()
    document = xml.read(before)
    after = tree(xml.edited(document, switched(document)))
    wanted = {one.get("address") for one in endpoints(document)}
    for (tag, old, text), (new_tag, new, new_text) in zip(tree(before), after, strict=True):
        assert (tag, text) == (new_tag, new_text)
        if old != new:
            assert old["address"] in wanted
            assert new == {**old, "address": old["address"].replace("http://", "https://", 1)}


@each_file
def test_a_second_run_changes_nothing(path: Path) -> None:
    document = xml.read(path.read_bytes())
    once = xml.edited(document, with_base(document))
    document = xml.read(once)
    assert xml.edited(document, with_base(document)) == once


@each_file
def test_the_base_address_adds_a_line_or_changes_one(path: Path) -> None:
    before = path.read_bytes()
    document = xml.read(before)
    only_switched = xml.edited(document, switched(document))
    after = xml.edited(document, with_base(document))
    gone, new = changed_lines(only_switched, after)
    assert (gone, new) in ((0, 1), (1, 1))
    assert (gone == 0) == (b"baseAddress" not in before and before.count(b"\n") > 1)
    assert [text for tag, _, text in tree(after) if tag.endswith("}baseAddress")] == [BASE]
    assert (
        after.count(b"\r\n") == after.count(b"\n")
        or b"\r\n" not in after
        or b"\n" in before.replace(b"\r\n", b"")
    )


@each_file
def test_a_certificate_is_filled_in_or_added_behind_the_behaviors(path: Path) -> None:
    document = xml.read(path.read_bytes())
    edits: list[xml.Edit] = []
    for one in endpoints(document):
        there = next(document.children(one, "certificate"), None)
        after = next(document.children(one, "behaviors"), None)
        said = (("findType", "FindByThumbprint"), ("findValue", "AB"))
        edits += (
            [SetAttribute(there, *pair) for pair in said]
            if there
            else [Add(one, "certificate", attributes=said, after=after)]
        )
    new = xml.read(xml.edited(document, edits))
    for one in endpoints(new):
        (certificate,) = new.children(one, "certificate")
        assert certificate.get("findValue") == "AB"


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_what_is_not_followed_is_refused_with_a_reason(path: Path) -> None:
    with pytest.raises(CannotEdit) as refused:
        xml.read(path.read_bytes())
    assert refused.value.reason.endswith(".")


def test_the_reason_names_the_line() -> None:
    with pytest.raises(CannotEdit) as refused:
        xml.read((FOLDER / "refuse_doctype.xml").read_bytes())
    assert refused.value.line == 2
    assert "document type" in refused.value.reason


@pytest.mark.parametrize("value", ["&", "<x>", '"', "'", "]]>", "a&amp;b", "größer ☃", "x\u00a0y"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_values_are_escaped(value: str, quote: str) -> None:
    document = xml.read(f"<a b={quote}1{quote}><c/><d>x</d></a>".encode())
    c, d = document.children(document.root)
    edits: list[xml.Edit] = [
        SetAttribute(document.root, "b", value),
        SetAttribute(c, "new", value),
        SetText(d, value),
    ]
    after = ElementTree.fromstring(xml.edited(document, edits))
    assert after.attrib == {"b": value}
    assert after[0].attrib == {"new": value}
    assert after[1].text == value


def test_a_text_between_elements_is_not_replaced() -> None:
    document = xml.read(b"<a>x<!-- y --></a>")
    with pytest.raises(CannotEdit):
        xml.edited(document, [SetText(document.root, "z")])


def test_a_value_that_would_not_read_back_is_not_written() -> None:
    document = xml.read(b'<a b="1" />')
    with pytest.raises(CannotEdit) as refused:
        xml.edited(document, [SetAttribute(document.root, "b", "x\x01")])
    assert "nothing is written" in refused.value.reason
    with pytest.raises(CannotEdit):
        xml.edited(document, [SetAttribute(document.root, "b", "x\ny")])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<a/>", b"<a><n>t</n></a>"),
        (b"<a />", b"<a><n>t</n></a>"),
        (b"<a></a>", b"<a><n>t</n></a>"),
        (b"<a>\n  <b/>\n</a>", b"<a>\n  <n>t</n>\n  <b/>\n</a>"),
        (b"<a>\r\n\t<b/>\r\n</a>", b"<a>\r\n\t<n>t</n>\r\n\t<b/>\r\n</a>"),
        (b"<a><b/></a>", b"<a><n>t</n><b/></a>"),
        (b"<a> <!-- c -->\n  <b/>\n</a>", b"<a>\n  <n>t</n> <!-- c -->\n  <b/>\n</a>"),
    ],
)
def test_an_element_is_added_as_its_neighbours_stand(before: bytes, after: bytes) -> None:
    document = xml.read(before)
    assert xml.edited(document, [Add(document.root, "n", "t")]) == after


def test_an_element_is_added_to_one_without_children() -> None:
    document = xml.read(b"<r>\n    <a />\n</r>")
    (a,) = document.children(document.root)
    assert xml.edited(document, [Add(a, "n")]) == b"<r>\n    <a>\n      <n />\n    </a>\n</r>"
