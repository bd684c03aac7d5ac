"""The wizard in a real terminal: walked by keys, frugal with bytes, and leaving everything as it was."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGTERM, Signals

import pytest

from tests.screens.pty_terminal import Terminal, terminal
from tests.screens.sample_targets import fingerprint
from wizard import journal
from wizard.journal import Status
from wizard.secret import Secret
from wizard.state import State

WIZARD = (sys.executable, "-m", "wizard")
COLOUR = re.compile(rb"\x1b\[([0-9;]*)m")


@contextmanager
def rigged(how: str, folder: Path, **environment: str) -> Iterator[Terminal]:
    """The wizard with a target that writes into a folder of the test."""
    arguments = (sys.executable, "-m", "tests.screens.rigged", how, str(folder))
    with terminal(*arguments, TLS_WIZARD_STATE=str(folder / "state"), **environment) as there:
        there.wait_for("runs here:")
        yield there


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file of a folder with its mode and content."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def is_sane(there: Terminal) -> bool:
    return not there.modes_left and there.settings_are_back


# The way ----------------------------------------------------------------------------------------------------


def test_the_whole_way_by_keys() -> None:
    with terminal(*WIZARD, "--demo") as there:
        there.wait_for("runs here:")
        there.wait_for("There is no backslash")
        found = re.search(r"/\S+/start\.sh", there.text)
        assert found
        hub = Path(found[0]).parent
        before = tree(hub)
        there.press("enter")
        there.wait_for("page 1 of 2")
        there.press("enter")
        there.wait_for("page 2 of 2")
        there.press("enter")
        there.wait_for("4 changes, nothing written yet")
        assert tree(hub) == before
        there.press("enter")
        there.wait_for("Write 4 changes")
        there.press("left", "enter")
        there.wait_for("Done: 4 changes.")
        assert "sslCert" in (hub / "start.sh").read_text()
        there.press("s")
        there.wait_for("Restart Hub now?")
        there.press("left", "enter")
        there.wait_for("Proven:")
        there.press("u")
        there.wait_for("Undo: Secure IOTA Hub")
        there.press("enter")
        there.wait_for("Take back 4 changes?")
        there.press("left", "enter")
        there.wait_for("Done: 4 changes.")
        assert tree(hub) == before
        there.press("enter")
        there.wait_for("What shall be secured?")
        there.press("ctrl+q")
        assert there.end() == 0
        assert is_sane(there)
        assert not hub.exists()


# Frugal -----------------------------------------------------------------------------------------------------


def test_the_bytes_of_each_step_and_key_at_80x24() -> None:
    spent: dict[str, int] = {}

    def measure(what: str, *keys: str, seen: str = "") -> None:
        before = len(there.output)
        there.press(*keys)
        there.wait_for(seen)
        there.settle(quiet=1)
        spent[what] = max(spent.get(what, 0), len(there.output) - before)

    with terminal(*WIZARD, "--demo") as there:
        measure("first screen", seen="There is no backslash")
        measure("next step", "enter", seen="page 1 of 2")
        for _ in range(3):
            measure("field", "tab")
        measure("next step", "enter", seen="page 2 of 2")
        for _ in range(2):  # to the alternative names, of which a letter more says nothing new
            measure("field", "tab")
        there.press("end", ",")
        there.settle(quiet=1)
        for letter in "ab":
            measure("letter", letter)
        measure("letter", "backspace")
        measure("two steps", "enter", seen="nothing written yet")  # first that it is made, then the plan
        measure("idle")
        measure("idle")  # each time more than a second
    budget = {
        "first screen": 13000,  # with what was found of five targets
        "next step": 6000,
        "two steps": 10000,
        "field": 300,
        "letter": 200,
        "idle": 0,
    }
    assert {what: cost for what, cost in spent.items() if cost > budget[what]} == {}


# In order ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("burst", "common_name", "days"),
    [
        ("\x7f" * 9 + "hello", "hello", ""),
        ("\x7f" * 9 + "axc\x1b[D\x7fb", "abc", ""),
        ("\x7f" * 9 + "abc\t\t\x1b[F\x7f\x7f\x7f30", "abc", "30"),
        ("\x7f" * 9 + "abc\r", "abc", ""),
    ],
    ids=["backspaces and letters", "an arrow between", "the next field", "enter"],
)
def test_keys_that_come_in_a_burst_take_effect_in_their_order(
    burst: str, common_name: str, days: str, tmp_path: Path
) -> None:
    with rigged("", tmp_path) as there:
        go(there, TO_THE_ANSWERS[:-1])
        there.press("end", burst)
        there.settle()
        there.press("ctrl+q")
        assert there.end() == 0
    kept = tomllib.loads((tmp_path / "state" / "answers" / "hub-rest.toml").read_text())
    assert kept["common_name"] == common_name
    assert kept.get("validity_days", "") == days


# Unseen -----------------------------------------------------------------------------------------------------

OWN_AUTHORITY = (
    (("enter",), "page 1 of 2"),
    (("tab", "right"), "page 1 of 3"),
    (("enter",), "page 2 of 3"),
    (("tab", "tab", "tab"), "Ctrl+G makes one."),
)


def test_a_passphrase_is_never_sent_to_the_terminal(tmp_path: Path) -> None:
    with rigged("authority", tmp_path) as there:
        go(there, OWN_AUTHORITY)
        there.press(*"hunter2")
        there.wait_for("Very weak")
        there.press("enter", *"hunter2", "\x1b[1;2H", "\x03", "\x18")  # select all of it, copy, cut
        there.settle()
        there.press("f1")
        there.wait_for("It is neither shown nor copied nor kept")
        there.press("escape")
        there.settle()
        there.press("enter")
        there.wait_for("page 3 of 3")
        there.press("enter")
        there.wait_for("nothing written yet")
        there.press("enter")
        there.wait_for("Write 1 change")
        there.press("left", "enter")
        there.wait_for("Done: 1 change.")
        there.press("ctrl+q")
        assert there.end() == 0
    assert (tmp_path / "key.pem").read_text() == f"the key under {fingerprint(Secret('hunter2'))}"
    for trace in (b"hunter2", b64encode(b"hunter2"), b"\x1b]52;"):
        assert trace not in there.output
    for path in (tmp_path / "state").rglob("*"):
        assert path.is_dir() or b"hunter2" not in path.read_bytes(), path


def test_a_passphrase_that_is_made_is_sent_in_answer_to_its_key_and_never_again(tmp_path: Path) -> None:
    with rigged("authority", tmp_path) as there:
        go(there, OWN_AUTHORITY)
        there.press("\x07")
        there.wait_for("Write it down now: it is shown only here.")
        there.settle()
        made = re.findall(r"(?:[a-z2-9]{5}-){4}[a-z2-9]{5}", there.text)
        sent = len(there.output)
        there.press("tab", "tab", "enter")
        there.wait_for("page 3 of 3")
        there.press("escape")
        there.wait_for("given already")
        there.press("enter")
        there.wait_for("page 3 of 3")
        there.press("enter")
        there.wait_for("nothing written yet")
        there.press("ctrl+q")
        assert there.end() == 0
    assert len(made) == 1
    for trace in (made[0].encode(), b64encode(made[0].encode())):
        assert trace not in there.output[sent:]


def test_a_crash_shows_no_passphrase(tmp_path: Path) -> None:
    with rigged("authority-crash", tmp_path) as there:
        go(there, OWN_AUTHORITY)
        there.press(*"hunter2", "enter", *"hunter2", "enter")
        there.wait_for("page 3 of 3")
        there.press("enter")
        assert there.end() == 1
        assert is_sane(there)
        assert "a mistake of its own (RuntimeError)" in there.last_words
    assert b"hunter2" not in there.output


def test_a_certificate_is_pasted_over_the_line(tmp_path: Path) -> None:
    certificate = "-----BEGIN CERTIFICATE-----\r" + "MIIB\r" * 1000 + "-----END CERTIFICATE-----\r"
    with rigged("authority", tmp_path) as there:
        go(there, (*OWN_AUTHORITY[:1], (("tab", "right", "right"), "request"), (("enter",), "page 2 of 3")))
        there.press(f"\x1b[200~{certificate}\x1b[201~")
        there.wait_for("pasted: 1 certificate, 5,054 characters")
        there.press("ctrl+q")
        assert there.end() == 0
    kept = tomllib.loads((tmp_path / "state" / "answers" / "sample-ca.toml").read_text())
    assert kept["delivered"] == certificate.replace("\r", "\n")


# Told to stop -----------------------------------------------------------------------------------------------

TO_THE_ANSWERS = (("enter",), "page 1 of 2"), (("enter",), "page 2 of 2"), (("end", "x"), "")
TO_THE_REVIEW = (*TO_THE_ANSWERS, (("enter",), "nothing written yet"))
TO_THE_PROOF = (
    *TO_THE_REVIEW,
    (("enter",), "Write 2 changes"),
    (("left", "enter"), "Done: 2 changes."),
    (("enter",), "Proven:"),
)
WAYS = {
    "choose": (),
    "ask": TO_THE_ANSWERS,
    "review": TO_THE_REVIEW,
    "apply": TO_THE_PROOF[:-1],
    "prove": TO_THE_PROOF,
}


GONE_ON_WITH = {
    "choose": ("", "page 1 of 2"),
    "ask": ("Step 2 of 5 (Ask, page 2 of 2), IOTA Hub, REST", "page 2 of 2"),
    "review": ("Step 3 of 5 (Review), IOTA Hub, REST", "nothing written yet"),
    "apply": ("Step 5 of 5 (Prove), IOTA Hub, REST", "Proven:"),
    "prove": ("", "page 1 of 2"),
}
"""What the next start offers, and where Enter leads; what has been proven is done."""


def go(there: Terminal, way: tuple[tuple[tuple[str, ...], str], ...]) -> None:
    for keys, seen in way:
        there.press(*keys)
        there.wait_for(seen)
        there.settle()


def is_gone_on_with(way: str, folder: Path, how: str = "") -> None:
    """The next start offers to continue, and leads there."""
    offered, leads_to = GONE_ON_WITH[way]
    with rigged(how, folder) as there:
        there.wait_for(offered)
        there.settle()
        assert ("Continue where you were?" in there.text) == bool(offered)
        there.press("enter")
        there.wait_for(leads_to)


@pytest.mark.parametrize("number", [SIGTERM, SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("way", WAYS)
def test_a_signal_leaves_the_terminal_whole_and_keeps_the_answers(
    way: str, number: Signals, tmp_path: Path
) -> None:
    with rigged("", tmp_path) as there:
        go(there, WAYS[way])
        there.send_signal(number)
        assert there.end() == 128 + number
        assert is_sane(there)
    kept = tmp_path / "state" / "answers" / "hub-rest.toml"
    assert kept.exists() == (way != "choose")
    if kept.exists():
        assert re.search(r'common_name = "\w*x"', kept.read_text())
    is_gone_on_with(way, tmp_path)


@pytest.mark.parametrize("way", WAYS)
def test_a_kill_loses_at_most_what_was_typed_on_the_page(way: str, tmp_path: Path) -> None:
    with rigged("", tmp_path) as there:
        go(there, WAYS[way])
        there.send_signal(SIGKILL)
        assert there.end() == 128 + SIGKILL
    kept = tmp_path / "state" / "answers" / "hub-rest.toml"
    assert kept.exists() == (way != "choose")
    if way not in ("choose", "ask"):
        assert re.search(r'common_name = "\w*x"', kept.read_text())
    is_gone_on_with(way, tmp_path)


@pytest.mark.parametrize("number", [SIGTERM, SIGHUP, SIGKILL], ids=lambda number: number.name)
def test_a_proof_that_has_failed_is_gone_on_with(number: Signals, tmp_path: Path) -> None:
    with rigged("unproven", tmp_path) as there:
        go(there, (*TO_THE_PROOF[:-1], (("enter",), "Hub can be reached with TLS")))
        there.send_signal(number)
        there.end()
    is_gone_on_with("apply", tmp_path)


@pytest.mark.parametrize("number", [SIGTERM, SIGHUP], ids=lambda number: number.name)
def test_a_signal_before_the_first_screen(number: Signals, tmp_path: Path) -> None:
    with terminal(*WIZARD, TLS_WIZARD_STATE=str(tmp_path)) as there:
        while b"?1049h" not in there.output:
            there.settle()
        there.send_signal(number)
        assert there.end() == 128 + number
        assert is_sane(there)


def test_a_dropped_line_does_not_cut_the_writing_short(tmp_path: Path) -> None:
    with rigged("slow", tmp_path) as there:
        go(there, TO_THE_PROOF[:-3])
        there.press("enter")
        there.wait_for("Write 2 changes")
        there.press("left", "enter")
        there.wait_for("Writing 2 changes.")
        there.drop_line()
        (tmp_path / "go-on").touch()
        assert there.end() == 128 + SIGHUP
    assert [run.status for run in journal.history(State(tmp_path / "state"))] == [Status.APPLIED]
    assert (tmp_path / "cert.pem").read_bytes() == b"the certificate\n"
    assert not list(tmp_path.glob(".tls-wizard*"))
    is_gone_on_with("apply", tmp_path)


@pytest.mark.parametrize("way", WAYS)
def test_ctrl_q_leaves_the_terminal_whole(way: str, tmp_path: Path) -> None:
    with rigged("", tmp_path) as there:
        go(there, WAYS[way])
        there.press("ctrl+q")
        assert there.end() == 0
        assert is_sane(there)
        assert ("Your answers are kept" in there.last_words) == (way != "choose")


# Crashes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["crash", "crash-in-worker"])
def test_a_crash_leaves_the_terminal_sane_and_shows_no_values(how: str, tmp_path: Path) -> None:
    with rigged(how, tmp_path) as there:
        there.press("enter")
        there.wait_for("page 1 of 2")
        there.press("enter")
        there.wait_for("page 2 of 2")
        there.settle()
        there.press("end", *["backspace"] * 9, *"crash", "enter")
        assert there.end() == 1
        assert is_sane(there)
        said = there.last_words
    assert "tls-wizard stopped because of a mistake of its own (RuntimeError)." in said
    assert "hunter2" not in there.output.decode()
    assert "passphrase" not in said
    assert said.count("\n") < 40
    is_gone_on_with("ask" if how == "crash" else "review", tmp_path)


# Terminals that cannot --------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["C", "POSIX", "de_DE.ISO-8859-1"])
def test_a_locale_without_more_gets_marks_and_borders_of_ascii(locale: str, tmp_path: Path) -> None:
    where = {"TLS_WIZARD_STATE": str(tmp_path), "LC_ALL": locale}
    with terminal(*WIZARD, **where) as there:
        there.wait_for("What shall be secured?")
        there.wait_for("for an API anywhere")  # it has looked at this host
        there.press("enter")
        there.wait_for("page 1 of")
        there.press("ctrl+q")
        there.end()
    assert there.output.isascii()


@pytest.mark.parametrize(("held", "hinted"), [({}, True), ({"TMUX": "x"}, False), ({"STY": "x"}, False)])
def test_over_ssh_a_multiplexer_is_named_once(held: dict[str, str], hinted: bool, tmp_path: Path) -> None:
    where = {"TLS_WIZARD_STATE": str(tmp_path), "SSH_TTY": "/dev/pts/0", **held}
    with terminal(*WIZARD, **where) as there:
        there.wait_for("What shall be secured?")
        there.settle()
        assert ("better in tmux or screen" in there.text) is hinted


def test_without_a_terminal_no_screen_is_opened() -> None:
    done = subprocess.run(WIZARD, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "The wizard needs a terminal" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def colours(output: bytes) -> set[int]:
    """The numbers of every colour and attribute that was set."""
    return {int(number or 0) for numbers in COLOUR.findall(output) for number in numbers.split(b";")}


def test_no_colour_is_sent_where_none_is_wanted(tmp_path: Path) -> None:
    with rigged("", tmp_path, NO_COLOR="1") as there:
        go(there, TO_THE_REVIEW)
        assert "+ cert.pem" in there.text
        sent = colours(there.output)
    assert not sent & {*range(30, 39), *range(40, 49), *range(90, 108)}
    assert 7 in sent  # what has the focus is still told apart: reversed


@pytest.mark.parametrize("term", ["xterm", "linux", "xterm-256color"])
def test_sixteen_colours_are_enough(term: str, tmp_path: Path) -> None:
    with rigged("", tmp_path, TERM=term) as there:
        go(there, TO_THE_REVIEW)
        sent = colours(there.output)
    assert sent & {*range(30, 38)}
    assert not sent & {38, 48}, "only the terminal's own sixteen colours, which its user has chosen"
