"""Questions: what each kind reads, the sentences when it cannot, and rules that wait for earlier answers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.peers.sandboxed import furnished
from wizard.demo.sandbox import Sandbox
from wizard.host import Host
from wizard.inert import inert
from wizard.kinds import (
    LARGEST_PASTE,
    Account,
    Choice,
    Delivered,
    Delivery,
    FilePath,
    IPv4Address,
    Kind,
    Passphrase,
    PerhapsFilePath,
    Raw,
    Several,
    Text,
    Whole,
    YesNo,
)
from wizard.material.names import read_name
from wizard.questions import Page, Questionnaire, question
from wizard.secret import Secret
from wizard.sheet import fill_in
from wizard.targets.hub_rest import HubRest

HOST = Host(
    name="signer",
    fqdn="signer.example.org",
    addresses=("192.0.2.7", "2001:db8::7"),
    user="root",
    root=True,
)
COLOURS = Choice((("red", "Red"), ("blue", "Blue")))
NAMES = Several(lambda text: str(read_name(text)))
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def is_sentence(text: str) -> bool:
    """For a person: not empty, harmless, of a readable length, no Python in it."""
    lines = text.splitlines()
    ended = text.rstrip().endswith((".", "?", "!", ")")) or ": " in text
    return (
        bool(text.strip())
        and all(line == inert(line) for line in lines)
        and len(text) < 1300
        and ended
        and not any(word in text for word in ("Traceback", "Errno", "sys.", "codec", "object at", "NoneType"))
    )


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Text(), "  hub.example.org ", "hub.example.org"),
        (FilePath(), "/srv/hub/start.sh", Path("/srv/hub/start.sh")),
        (FilePath(), "//srv//hub/", Path("/srv/hub")),
        (FilePath(), "~root/start.sh", Path("~root").expanduser() / "start.sh"),
        (FilePath(), "/srv/hub/../hub/start.sh", Path("/srv/hub/start.sh")),
        (Whole(1, 36500), "397", 397),
        (Whole(1, 36500), 825, 825),
        (COLOURS, "blue", "blue"),
        (YesNo(), "Yes", True),
        (YesNo(), "no", False),
        (YesNo(), True, True),
        (NAMES, "Hub.Example.org, 10.0.0.5  [::1],hub.example.org", ("hub.example.org", "10.0.0.5", "::1")),
        (NAMES, ["bücher.example"], ("xn--bcher-kva.example",)),
        (Account(), "root", "root"),
        (IPv4Address(), "127.0.0.1:050051", "127.0.0.1:50051"),
        (Text(optional=True), "", ""),
        (Text(optional=True), "   ", ""),
        (Text(optional=True), " x ", "x"),
        (PerhapsFilePath(), " ", None),
        (PerhapsFilePath(), " /a.pem ", Path("/a.pem")),
        (Several(str, optional=True), "", ()),
        (Several(str, optional=True), " , ", ()),
        (Several(str, optional=True), [], ()),
        (Delivered(), "", Delivery()),
        (Delivered(), " , ", Delivery()),
        (Delivered(), "/a.pem, ", Delivery((Path("/a.pem"),))),
        (Delivered(), [], Delivery()),
        (
            Delivered(),
            "/srv/a.pem, ~root/b.pem",
            Delivery((Path("/srv/a.pem"), Path("~root/b.pem").expanduser())),
        ),
        (Delivered(), ["/srv/a.pem"], Delivery((Path("/srv/a.pem"),))),
        (Delivered(), f"From us,\nto you:\n{PEM}{PEM}", Delivery((f"From us,\nto you:\n{PEM}{PEM}",))),
    ],
)
def test_a_kind_reads_what_it_takes(kind: Kind[Any], raw: Raw, value: object) -> None:
    assert kind.read(raw) == value
    assert kind.read(kind.plain(kind.read(raw))) == value, "what it writes into an answers file it reads back"
    assert kind.read(kind.show(kind.read(raw))) == value, "and so what it shows in a field"


@pytest.mark.parametrize(
    ("kind", "raw", "sentence"),
    [
        (Text(), "   ", "This is needed."),
        (Text(), "a\x1b[31mb", "There is a control character in it: type it again instead of pasting."),
        (Text(), "a\ud800b", "There is a control character in it: type it again instead of pasting."),
        (Text(), 5, "Give a text in quotes."),
        (Text(), ["a"], "Give a text in quotes."),
        (FilePath(), "start.sh", f"Write the whole path, beginning with /: {Path.cwd() / 'start.sh'}?"),
        (FilePath(), "~no-such-account/x", '"~no-such-account/x" names a home folder that does not exist.'),
        (Whole(1, 36500), "", "This is needed."),
        (Whole(1, 36500), "a year", '"a year" is not a whole number.'),
        (Whole(1, 36500), "\x1b[2J", "There is a control character in it: type it again instead of pasting."),
        (Whole(1, 36500), "0", "Give a number from 1 to 36500."),
        (Whole(1, 36500), "9" * 900, "Give a number from 1 to 36500."),
        (Whole(1, 36500), "9" * 6000, "This has 6000 characters; at most 1000 are allowed."),
        (Whole(1, 36500), True, "Give a number from 1 to 36500."),
        (Whole(1, 36500), ["5"], "Give a number from 1 to 36500."),
        (Whole(1, 36500), "1_0", '"1_0" is not a whole number.'),
        (Whole(1, 36500), "\u0663", '"\u0663" is not a whole number.'),
        (Whole(1, 36500), "3.5", '"3.5" is not a whole number.'),
        (COLOURS, "green", '"green" is not one of: red, blue.'),
        (YesNo(), "perhaps", "Answer yes or no."),
        (YesNo(), 1, "Answer yes or no."),
        (NAMES, "", "This is needed."),
        (NAMES, [], "This is needed."),
        (NAMES, 5, 'Give a list, such as ["api.example.com", "10.0.0.5"].'),
        (NAMES, "hub.example.org:50051", "leave the port out"),
        (Account(), "no-such-account", 'There is no account "no-such-account" on this host.'),
        (IPv4Address(), "127.0.0.1", "Give an address and a port, such as 127.0.0.1:50051."),
        (IPv4Address(), "localhost:50051", '"localhost" is not an IPv4 address such as 127.0.0.1.'),
        (IPv4Address(), "[::1]:50051", '"[::1]" is not an IPv4 address such as 127.0.0.1.'),
        (IPv4Address(), "127.0.0.1:0", '"0" is not a port: give a number from 1 to 65535.'),
        (IPv4Address(), "127.0.0.1:65536", '"65536" is not a port: give a number from 1 to 65535.'),
        (IPv4Address(), "127.0.0.1:" + "9" * 900, "is not a port: give a number from 1 to 65535."),
        (Delivered(), "a.pem", "Write the whole path, beginning with /: "),
        (Delivered(), ["/a.pem", " "], "This is needed."),
        (Delivered(), 5, 'Give a list of files, such as ["/root/certificate.pem", "/root/chain.pem"].'),
        (Delivered(), ["/a.pem", 5], "Give the names of files, in quotes."),
        (Delivered(), PEM + "x" * LARGEST_PASTE, "characters: too much for certificates. Give a file."),
        (Passphrase(), Secret(""), "This is needed."),
    ],
)
def test_a_kind_says_what_would_be_right(kind: Kind[Any], raw: Raw, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        kind.read(raw)
    assert is_sentence(str(caught.value))


@dataclass(frozen=True)
class Trip(Questionnaire):
    """A questionnaire small enough to see every rule."""

    pages: ClassVar = (Page("first", "first"), Page("second", "second"))

    total: int = question("Total", Whole(0, 100), page="second", help="Follows from the count.")
    count: int = question("Count", Whole(1, 10), page="first", help="How many.")
    double: bool = question("Double", YesNo(), page="first", help="Only from two on.")

    def check_count(self, host: Host, value: int) -> str | None:
        return "Seven is taken." if value == 7 else None

    def caution_count(self, host: Host, value: int) -> str | None:
        return "Ten is many." if value == 10 else None

    def applies_double(self, host: Host) -> bool:
        return self.count > 1

    def default_double(self, host: Host) -> bool:
        return False

    def default_total(self, host: Host) -> int:
        return self.count * (2 if self.double else 1)

    def check_total(self, host: Host, value: int) -> str | None:
        return "The total is below the count." if value < self.count else None


def test_questions_come_page_by_page_then_as_declared() -> None:
    assert [asked.name for asked in Trip.questions()] == ["count", "double", "total"]


def test_a_default_waits_for_the_answer_it_follows_from() -> None:
    sheet = fill_in(Trip, {}, HOST)
    assert sheet.answers is None
    assert sheet["count"].error == "This is needed."
    assert sheet["total"].error == 'Its default follows from "Count": answer that first.'
    assert (sheet["count"].missing, sheet["total"].missing) == (True, True)
    assert sheet.wrong == (sheet["count"], sheet["total"])


def test_a_wrong_answer_counts_as_missing_for_the_rules_after_it() -> None:
    sheet = fill_in(Trip, {"count": "7", "total": "3"}, HOST)
    assert sheet["count"].error == "Seven is taken."
    assert not sheet["count"].missing
    assert sheet["total"].error == "", "its check needs the count, so it has nothing to say yet"
    assert not sheet["double"].applies


def test_an_answer_to_a_question_that_does_not_apply_is_not_used() -> None:
    sheet = fill_in(Trip, {"count": "1", "double": "yes"}, HOST)
    assert [entry.question.name for entry in sheet.asked] == ["count", "total"]
    assert sheet.answers is not None
    assert not sheet.answers.double
    assert sheet.answers.total == 1


def test_a_caution_does_not_stop() -> None:
    sheet = fill_in(Trip, {"count": "10", "double": True}, HOST)
    assert sheet["count"].caution == "Ten is many."
    assert sheet.answers == Trip(count=10, double=True, total=20)
    assert sheet.answers.cautions(HOST) == ("Ten is many.",)


def test_what_was_given_is_shown_as_given_and_a_default_as_a_default() -> None:
    sheet = fill_in(Trip, {"count": " 3 "}, HOST)
    assert (sheet["count"].text, sheet["count"].given) == (" 3 ", True)
    assert (sheet["total"].text, sheet["total"].given) == ("3", False)
    assert sheet.page(Trip.pages[1]) == (sheet["total"],)


@dataclass(frozen=True)
class Box(Questionnaire):
    """A questionnaire with a passphrase, options from the host, and what may be empty."""

    pages: ClassVar = (Page("box", "the box"), Page("lock", "the lock"), Page("label", "the label"))

    colour: str = question("Colour", COLOURS, page="box", help="Of the box.")
    shade: str = question("Shade", Choice((("any", "any"),)), page="box", help="Of that colour.")
    locked: bool = question("Locked", YesNo(), page="lock", help="Only a blue one.")
    opens: Secret = question("Opens with", Passphrase(), page="lock", help="What it is locked with.")
    owner: str = question("Owner", Text(optional=True), page="label", help="If there is one.")
    papers: Delivery = question("Papers", Delivered(), page="label", help="If there are any.")

    def options_shade(self, host: Host) -> tuple[tuple[str, str], ...]:
        return tuple((f"{depth} {self.colour}", f"{depth}, on {host.name}") for depth in ("light", "dark"))

    def default_shade(self, host: Host) -> str:
        return f"light {self.colour}"

    def applies_locked(self, host: Host) -> bool:
        return self.colour == "blue"

    def applies_opens(self, host: Host) -> bool:
        return self.colour == "blue" and self.locked

    def chosen_opens(self, host: Host) -> bool:
        return self.shade == "dark blue"

    def check_opens(self, host: Host, value: Secret) -> str | None:
        return "It is too short." if len(value.reveal()) < 3 else None

    def default_owner(self, host: Host) -> str:
        return ""

    def default_papers(self, host: Host) -> Delivery:
        return Delivery()


def test_the_options_of_a_choice_follow_from_the_host_and_from_an_earlier_answer() -> None:
    assert fill_in(Box, {}, HOST)["shade"].question.kind == Box.questions()[1].kind, "until it is given"
    for colour in ("red", "blue"):
        shade = fill_in(Box, {"colour": colour}, HOST)["shade"]
        labels = ((f"light {colour}", "light, on signer"), (f"dark {colour}", "dark, on signer"))
        assert shade.question.kind == Choice(labels)
        assert shade.text == f"light {colour}"
    changed = fill_in(Box, {"colour": "red", "shade": "dark blue"}, HOST)
    assert changed["shade"].error == '"dark blue" is not one of: light red, dark red.'


def test_a_passphrase_is_chosen_where_the_rule_says_so_and_is_never_text() -> None:
    given_: dict[str, Raw] = {"colour": "blue", "locked": True, "opens": Secret("hunter2")}
    existing, new = fill_in(Box, given_, HOST), fill_in(Box, {**given_, "shade": "dark blue"}, HOST)
    assert (existing["opens"].chosen, new["opens"].chosen) == (False, True)
    assert (new["opens"].text, new["opens"].default, new["opens"].given) == ("", "", True)
    assert new.answers is not None
    assert new.answers.opens == Secret("hunter2")
    assert "hunter2" not in repr(new)


def test_a_passphrase_that_is_missing_is_no_obstacle_where_none_is_needed() -> None:
    locked: dict[str, Raw] = {"colour": "blue", "locked": True}
    assert fill_in(Box, locked, HOST).answers is None
    assert fill_in(Box, locked, HOST)["opens"].missing
    without = fill_in(Box, locked, HOST, secrets=False).answers
    assert without is not None
    assert without.opens is None
    assert fill_in(Box, {**locked, "opens": Secret("x")}, HOST, secrets=False).answers is None, "it is wrong"
    assert fill_in(Box, {"locked": True}, HOST, secrets=False).answers is None, "another answer is missing"


def test_pages_on_which_nothing_is_asked_are_left_out() -> None:
    box, lock, label = Box.pages
    assert fill_in(Box, {}, HOST).pages == (box, label)
    assert fill_in(Box, {"colour": "red"}, HOST).pages == (box, label)
    assert fill_in(Box, {"colour": "blue"}, HOST).pages == (box, lock, label)


def test_what_may_be_empty_needs_no_answer() -> None:
    sheet = fill_in(Box, {"colour": "red"}, HOST)
    assert sheet.answers is not None
    assert (sheet.answers.owner, sheet.answers.papers) == ("", Delivery())
    assert not sheet["owner"].missing


# Any text ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return furnished(tmp_path_factory.mktemp("box"))


def odd_texts() -> st.SearchStrategy[str]:
    """What a keyboard, a clipboard or a file may bring."""
    written = st.sampled_from(
        [
            "/" + "x" * 5000,
            "/" + "x/" * 3000,
            "/etc/passwd/start.sh",
            "/dev/zero/..",
            "/proc/self/mem/x",
            "/proc/self/fd/0",
            "~",
            "~\n",
            "..",
            "/" + "../" * 50,
            "[bold red]x[/]",
            "\x1b]0;title\x07",
            "9" * 6000,
            "-1",
            "1e3",
            "٣",
            "²",
            "127.0.0.1:²",
            "127.0.0.1:٣",
            "1.2.3.4:" + "9" * 5000,
            "*.*.example",
            "xn--",
            "a" * 70,
            "\u202ehtap",
            "\ud800",
            "fe80::1%eth0",
            "2001:db8::7",
            "İ.example",
            "ß",
            ".",
            "*.",
            "https://hub/",
        ]
    )
    return st.one_of(written, st.text(max_size=40), st.text(max_size=20).map(lambda text: f"/tmp/{text}"))


@settings(max_examples=150)
@given(data=st.data())
def test_no_typed_text_raises_and_every_error_is_a_sentence(box: Sandbox, data: st.DataObject) -> None:
    names = [asked.name for asked in HubRest.questions()]
    typed = data.draw(st.dictionaries(st.sampled_from(names), odd_texts()))
    sheet = fill_in(HubRest, {"start_script": str(box.hub / "start.sh"), **typed}, HOST)
    for entry in sheet.entries:
        assert not entry.error or is_sentence(entry.error), entry.error
        assert not entry.caution or is_sentence(entry.caution), entry.caution
    assert (sheet.answers is None) == bool(sheet.wrong)


def raw_values() -> st.SearchStrategy[Any]:
    """What an answers file may hold."""
    scalar = st.one_of(st.booleans(), st.integers(), odd_texts())
    return st.one_of(scalar, st.lists(st.one_of(scalar, st.none()), max_size=3))


@settings(max_examples=100)
@given(data=st.data())
def test_no_value_of_an_answers_file_raises(box: Sandbox, data: st.DataObject) -> None:
    names = [asked.name for asked in HubRest.questions()]
    values = data.draw(st.dictionaries(st.sampled_from(names), raw_values()))
    sheet = fill_in(HubRest, {"start_script": str(box.hub / "start.sh"), **values}, HOST)
    for entry in sheet.wrong:
        assert is_sentence(entry.error), entry.error


def box_answers() -> st.SearchStrategy[dict[str, Any]]:
    """Answers to every question of a box, right ones among them."""
    right: dict[str, st.SearchStrategy[Any]] = {
        "colour": st.sampled_from(["red", "blue"]),
        "shade": st.sampled_from(["light red", "dark blue"]),
        "locked": st.booleans(),
        "opens": st.text(max_size=9).map(Secret),
        "owner": st.just(""),
        "papers": st.sampled_from(["", "/a.pem, /b.pem", PEM, ["/a.pem", PEM]]),
    }
    return st.fixed_dictionaries(
        {}, optional={name: st.one_of(way, raw_values()) for name, way in right.items()}
    )


@settings(max_examples=300)
@given(box_answers())
def test_no_answer_raises_and_what_is_written_of_it_is_read_again(typed: dict[str, Any]) -> None:
    sheet = fill_in(Box, typed, HOST)
    for entry in sheet.wrong:
        assert is_sentence(entry.error), entry.error
    assert {page.key for page in sheet.pages} == {entry.question.page for entry in sheet.asked}
    if sheet.answers is not None:
        plain = sheet.answers.plain(HOST)
        assert plain.keys() == {entry.question.name for entry in sheet.asked} - {"opens"}
        secrets = {name: typed[name] for name in ("opens",) if name in typed}
        again = fill_in(Box, {**plain, **secrets}, HOST).answers
        assert vars(again) == vars(sheet.answers)


@given(raw_values())
def test_a_passphrase_that_stands_where_others_may_read_it_is_refused_and_not_repeated(raw: Raw) -> None:
    with pytest.raises(ValueError, match=r"^A passphrase does not belong here") as caught:
        Passphrase().read(raw)
    assert is_sentence(str(caught.value))


@given(st.text(min_size=1))
def test_any_text_is_a_passphrase_and_nothing_shows_or_writes_it(text: str) -> None:
    secret = Passphrase().read(Secret(text))
    assert secret.reveal() == text
    assert Passphrase().show(secret) == ""
    with pytest.raises(TypeError):
        Passphrase().plain(secret)


@given(st.lists(st.one_of(odd_texts(), st.just(PEM)), max_size=4), st.sampled_from([", ", "", "\n"]))
def test_no_delivery_raises_and_one_that_is_read_comes_back(parts: list[str], between: str) -> None:
    for raw in (parts, between.join(parts)):
        try:
            value = Delivered().read(raw)
        except ValueError as error:
            assert is_sentence(str(error)), error
        else:
            assert Delivered().read(Delivered().plain(value)) == value
            assert Delivered.is_pasted(value) == any("-----BEGIN " in part for part in parts)


def test_a_loop_of_symbolic_links_is_no_file(box: Sandbox, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for text in (str(loop), f"{loop}/start.sh", f"{loop}/../start.sh"):
        assert is_sentence(fill_in(HubRest, {"start_script": text}, HOST)["start_script"].error)
    script = str(box.hub / "start.sh")
    sheet = fill_in(HubRest, {"start_script": script, "directory": str(loop)}, HOST)
    assert is_sentence(sheet["directory"].error)


@pytest.fixture
def vanished(tmp_path: Path) -> Iterator[None]:
    """The working directory is removed under the wizard's feet."""
    before = Path.cwd()
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    yield
    os.chdir(before)


@pytest.mark.usefixtures("vanished")
def test_a_working_directory_that_is_gone_does_not_matter() -> None:
    assert is_sentence(fill_in(HubRest, {}, HOST)["start_script"].error)
    assert is_sentence(fill_in(HubRest, {"start_script": "start.sh"}, HOST)["start_script"].error)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/tty"])
def test_a_device_is_not_read_as_a_script(path: str) -> None:
    error = fill_in(HubRest, {"start_script": path}, HOST)["start_script"].error
    assert error == "This is a device or a pipe, not a script."


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_script_whose_account_was_removed_needs_one_named(tmp_path: Path) -> None:
    script = furnished(tmp_path).hub / "start.sh"
    os.chown(script, 54321, 54321)
    sheet = fill_in(HubRest, {"start_script": str(script)}, HOST)
    assert sheet["account"].error == "This is needed."
    assert fill_in(HubRest, {"start_script": str(script), "account": "daemon"}, HOST).answers is not None


def test_an_odd_name_found_on_the_host_is_no_default(tmp_path: Path) -> None:
    script = furnished(tmp_path / "two\nlines").hub / "start.sh"
    moved = tmp_path / "start.sh"
    moved.symlink_to(script)
    sheet = fill_in(HubRest, {"start_script": str(moved), "directory": str(script.parent)}, HOST)
    assert "control character" in sheet["directory"].error
