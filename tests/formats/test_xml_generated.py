"""Generated configurations: edited, and read by another parser as was meant."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats.santedb_edits import endpoints, switched, with_base
from tests.formats.test_xml import tree
from wizard.formats import xml
from wizard.formats.splice import CannotEdit

PROFILE = settings(max_examples=150)
TYPE = 'xsi:type="RestConfigurationSection"'
ROOT = (
    '<SanteDBConfiguration xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns="http://santedb.org/configuration">'
)
LOOSE = (
    *(
        "",
        "",
        "\n",
        "\n\n  ",
        " ",
        "\t",
        "<!-- a -->",
        '<!-- <endpoint address="http://no" /> -->',
        "<?pi x?>",
    ),
    *("<![CDATA[<x>]]>", '<x xmlns="urn:o"><endpoint address="http://no"/></x>', "<behaviors />", "größer"),
)
BLANKS = (" ", "  ", "\n      ", "\t")
EQUALS = ("=", " = ", "\n=")
ADDRESSES = (
    "http://0.0.0.0:8080/a",
    "http://127.0.0.1:9200/",
    "https://x:1/b",
    "http://x/&amp;y",
    "",
    "&#104;ttp://x",
)
OTHERS = ("contract='C, D'", 'contract="a &gt; b"', "contract='x>y'", 'xsi:nil="false"', "")
HEADS = ("", '<?xml version="1.0"?>\n', "<?xml version='1.0' encoding='utf-8'?>", "<!-- top -->\n")


@st.composite
def endpoint(draw: st.DrawFn) -> str:
    """An endpoint in one of the ways to write it."""
    quote = draw(st.sampled_from("\"'"))
    address = f"address{draw(st.sampled_from(EQUALS))}{quote}{draw(st.sampled_from(ADDRESSES))}{quote}"
    parts = [part for part in draw(st.permutations([address, draw(st.sampled_from(OTHERS))])) if part]
    inner = "".join(draw(st.sampled_from(BLANKS)) + part for part in parts)
    end = draw(
        st.sampled_from(
            ("/>", " />", "></endpoint>", ">\n<certificate/>\n</endpoint >", "><!-- e --></endpoint>")
        )
    )
    return f"<endpoint{inner}{end}"


@st.composite
def configuration(draw: st.DrawFn) -> bytes:
    """A file with a REST section, among whatever else there may be."""
    loose = st.sampled_from(LOOSE)
    services = []
    for _ in range(draw(st.integers(1, 3))):
        inside = [draw(loose) + draw(endpoint()) + draw(loose) for _ in range(draw(st.integers(1, 3)))]
        services.append(f"<service name='s'>{''.join(inside)}</service>")
    section = f"<section {TYPE}>{draw(loose)}{draw(loose).join(services)}{draw(loose)}</section>"
    other = "<section xsi:type='Other'><service><endpoint address='http://no'/></service></section>"
    text = draw(st.sampled_from(HEADS)) + ROOT + draw(loose) + other * draw(st.integers(0, 1)) + section
    text += draw(loose) + "</SanteDBConfiguration>" + draw(st.sampled_from(("", "\n", "<!-- end -->")))
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return (b"\xef\xbb\xbf" if draw(st.booleans()) else b"") + text.encode()


@PROFILE
@given(configuration())
def test_an_edit_reads_back_as_meant_and_changes_nothing_else(data: bytes) -> None:
    document = xml.read(data)
    assert xml.edited(document, []) == data
    before, after = tree(data), tree(xml.edited(document, switched(document)))
    meant = [{**one[1]} for one in before]
    own = iter(endpoints(document))
    found = [number for number, one in enumerate(before) if _is_own(before, number)]
    for number, element in zip(found, own, strict=True):
        address = element.get("address") or ""
        meant[number]["address"] = address.replace("http://", "https://", 1)
    assert [one[1] for one in after] == meant
    assert [(one[0], one[2]) for one in after] == [(one[0], one[2]) for one in before]


def _is_own(before: list[tuple[str, dict[str, str], str]], number: int) -> bool:
    """Whether it is an endpoint of the REST section, by the order in which ElementTree tells of elements."""
    if before[number][0] != "{http://santedb.org/configuration}endpoint":
        return False
    above = [said for tag, said, _ in before[:number] if tag.endswith("}section")]
    return "RestConfigurationSection" in above[-1].values()


@PROFILE
@given(configuration())
def test_only_the_addresses_and_one_line_change(data: bytes) -> None:
    document = xml.read(data)
    new = xml.edited(document, with_base(document))
    for element in reversed(endpoints(xml.read(new))):
        tag = xml.read(new).tag(element).attribute("address")
        assert tag is not None
        new = new[: tag.value_start] + b"@" + new[tag.value_end :]
    old = data
    for element in reversed(endpoints(document)):
        tag = document.tag(element).attribute("address")
        assert tag is not None
        old = old[: tag.value_start] + b"@" + old[tag.value_end :]
    start = new.index(b"<baseAddress>")
    end = new.index(b"</baseAddress>") + len(b"</baseAddress>")
    blanks = len(new[:start]) - len(new[:start].rstrip(b" \t\r\n"))
    assert old in (new[: start - cut] + new[end:] for cut in range(blanks + 1))


@PROFILE
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_anything_is_read_or_refused(data: bytes) -> None:
    try:
        document = xml.read(data)
    except CannotEdit:
        return
    assert xml.edited(document, []) == data


@PROFILE
@given(
    configuration(),
    st.floats(0, 1),
    st.sampled_from((b"", b"<", b"&", b'"', b">", b"\0", b"\xff")),
)
def test_a_damaged_file_is_read_or_refused(data: bytes, place: float, instead: bytes) -> None:
    at = round(place * (len(data) - 1))
    damaged = data[:at] + instead + data[at + 1 :]
    try:
        document = xml.read(damaged)
    except CannotEdit:
        return
    after = xml.edited(document, switched(document)).replace(b"https://", b"http://")
    assert after == damaged.replace(b"https://", b"http://") or b"&" in damaged
