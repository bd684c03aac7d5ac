"""What a terminal may be and do, row by row: its kinds, its sizes, its keys, its signals, its end.

That no screen opens where TERM says that the terminal cannot show it, and that a passphrase is not sent to
it, is tested in test_plain.py and test_terminal.py.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from signal import SIGCONT, SIGHUP, SIGKILL, SIGSTOP, SIGTERM, Signals
from time import sleep

import pytest

from tests.bench.bench_wire import BUDGETS
from tests.screens.pty_terminal import SIZE, Terminal, serial_console, terminal
from tests.screens.ways import (
    BESIDE,
    OWN_AUTHORITY,
    TO_THE_ANSWERS,
    TO_THE_PROOF,
    TO_THE_REVIEW,
    TO_THE_WRITING,
    WAYS,
    WIZARD,
    go,
    is_gone_on_with,
    is_sane,
    rigged,
)
from wizard import journal, reach
from wizard.journal import Status
from wizard.state import State

ROOT = Path(__file__).parents[2]
COLOUR = re.compile(rb"\x1b\[([0-9;]*)m")


# Colours ----------------------------------------------------------------------------------------------------


def colours(output: bytes) -> set[int]:
    """The numbers of every colour and attribute that was set."""
    return {int(number or 0) for numbers in COLOUR.findall(output) for number in numbers.split(b";")}


@pytest.mark.parametrize(
    "kind",
    [
        {"TERM": "xterm-256color"},  # as ssh gives it
        {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
        {"TERM": "xterm"},
        {"TERM": "linux"},
        {"TERM": "vt100"},
    ],
    ids=str,
)
def test_the_terminals_own_sixteen_colours_are_enough(kind: dict[str, str], tmp_path: Path) -> None:
    with rigged("", tmp_path, **kind) as there:
        go(there, BESIDE[:1])
        sent = colours(there.output)
    assert sent & {*range(30, 38)}
    assert not sent & {38, 48}, "its user has chosen them"


def test_no_colour_is_sent_at_any_step_where_none_is_wanted(tmp_path: Path) -> None:
    with rigged("", tmp_path, NO_COLOR="1") as there:
        go(there, (*BESIDE, *TO_THE_PROOF))
        sent = colours(there.output)
    assert not sent & {*range(30, 50), *range(90, 108)}
    assert 7 in sent  # what has the focus is still told apart: reversed


# Characters -------------------------------------------------------------------------------------------------


def test_a_locale_without_more_gets_marks_and_borders_of_ascii_at_every_step(tmp_path: Path) -> None:
    with rigged("", tmp_path, LC_ALL="C") as there:
        go(there, (*BESIDE, *TO_THE_PROOF))
        assert "+ It shows our certificate" in there.text
    assert there.output.isascii()


@pytest.mark.parametrize("locale", ["POSIX", "de_DE.ISO-8859-1"])
def test_so_does_one_of_another_name(locale: str, tmp_path: Path) -> None:
    with rigged("", tmp_path, LC_ALL=locale) as there:
        go(there, BESIDE[:1])
    assert there.output.isascii()


READ_ONLY = set("ßς‘’‚‛\ufeff\u200c\u200d")
"""What the wizard looks for in what others have written, and never writes."""


def written(path: Path) -> Iterator[str]:
    """The texts in a module, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def test_every_glyph_we_write_has_one_of_ascii_in_its_stead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    ours = {
        glyph
        for folder in ("wizard", "screens")
        for path in (ROOT / folder).rglob("*.py")
        for text in written(path)
        for glyph in text
    }
    assert "✓" in ours
    assert {glyph for glyph in ours - READ_ONLY if not reach.within(glyph).isascii()} == set()
    assert all(len(reach.within(glyph)) == 1 for glyph in ours)


# Sizes ------------------------------------------------------------------------------------------------------


def test_a_window_that_is_made_small_and_large_again_shows_what_it_showed(tmp_path: Path) -> None:
    with rigged("", tmp_path) as there:
        go(there, TO_THE_REVIEW)
        before = there.cells
        for columns, rows, seen in ((60, 20, "Enter write"), (1, 1, ""), (*SIZE, "Tab other side")):
            sent = len(there.output)
            there.resize(columns, rows)
            there.wait_for(seen)
            there.settle(1)
            assert len(there.output) - sent <= 1.5 * BUDGETS["resize"]
            assert all(len(line.rstrip()) <= columns for line in there.screen.display)
        assert there.cells == before


def test_a_serial_console_that_tells_no_size_is_taken_as_80x24(tmp_path: Path) -> None:
    with serial_console(*WIZARD, TLS_WIZARD_STATE=str(tmp_path)) as there:
        go(there, ((("f1",), "Esc closes"),))
        assert "Ctrl+Q quit" in there.screen.display[SIZE[1] - 1]
        assert "5 Prove" in there.screen.display[0]


# Keys -------------------------------------------------------------------------------------------------------

LEAVES = "Ctrl+Q leaves; your answers"


@pytest.mark.parametrize("way", ["choose", "ask", "review", "passphrase"])
def test_ctrl_c_says_how_to_leave_and_copies_nothing(way: str, tmp_path: Path) -> None:
    with rigged("authority" if way == "passphrase" else "", tmp_path) as there:
        go(there, (*OWN_AUTHORITY, (tuple("hunter2"), "")) if way == "passphrase" else WAYS[way])
        there.press("\x18", "ctrl+c")  # and nothing is cut
        there.wait_for(LEAVES)
        assert there.program.poll() is None
    assert b"\x1b]52;" not in there.output


def test_ctrl_c_copies_the_text_that_is_selected_in_a_field(tmp_path: Path) -> None:
    with rigged("", tmp_path) as there:
        go(there, TO_THE_ANSWERS[:-1])
        there.press("end", "\x1b[1;2H", "ctrl+c")  # with Shift and Home
        there.settle()
        assert LEAVES not in there.text
        name = re.findall(r"Common Name +(\S+)", there.text)[0]
    assert b"\x1b]52;c;" + b64encode(name.encode()) + b"\x07" in there.output


def paste(there: Terminal, text: str) -> None:
    there.press(f"\x1b[200~{text}\x1b[201~")


def test_of_several_lines_that_are_pasted_none_is_lost_in_silence(tmp_path: Path) -> None:
    with rigged("", tmp_path) as there:
        go(there, TO_THE_ANSWERS[:-1])
        paste(there, "one.example.org\rtwo.example.org\r")
        there.wait_for("✗ 2 lines were pasted, and here goes one.")
        there.press("tab", "home", "\x0b")  # to the names, and the line emptied
        paste(there, "one.example.org\r\r  two.example.org\r")
        there.wait_for("one.example.org, two.example.org")
        there.press("tab", "home", "\x0b")
        paste(there, "\r30\r")
        there.wait_for("Valid for (days)    30")
        there.press("ctrl+q")
        assert there.end() == 0
    kept = tomllib.loads((tmp_path / "state" / "answers" / "hub-rest.toml").read_text())
    assert kept == {
        "target": "hub-rest", "alt_names": "one.example.org, two.example.org", "validity_days": "30"
    }  # fmt: skip


def test_of_a_passphrase_too(tmp_path: Path) -> None:
    with rigged("authority", tmp_path) as there:
        go(there, OWN_AUTHORITY)
        paste(there, "correct\rhorse\r")
        there.wait_for("✗ 2 lines were pasted, and here goes one.")
        paste(there, "correct horse\r")
        there.wait_for("•" * len("correct horse"))
    assert b"horse" not in there.output


def test_ctrl_l_paints_what_was_garbled(tmp_path: Path) -> None:
    with rigged("", tmp_path) as there:
        for way in ((), BESIDE[:1], ((("escape",), ""), *TO_THE_PROOF)):
            go(there, way)
            before = there.cells
            there.garble("\x1b[2J\x1b[H\x1b[41mBroadcast message from root@signer")
            assert there.cells != before
            there.press("ctrl+l")
            there.settle()
            assert there.cells == before


def test_ctrl_z_goes_to_the_shell_and_fg_comes_back_whole(tmp_path: Path) -> None:
    command = f"{sys.executable} -m tests.screens.rigged '' {tmp_path}"
    where = {"TLS_WIZARD_STATE": str(tmp_path / "state"), "PS1": "ready> "}
    with terminal("bash", "--norc", "--noprofile", "-i", **where) as there:
        there.wait_for("ready>")
        there.press(f"{command}\r")
        there.wait_for("runs here:")
        go(there, (*TO_THE_ANSWERS, (("y",), "xy, ")))
        shown, modes = there.cells, there.modes_left
        there.press("ctrl+z")
        there.wait_for("Stopped")
        there.wait_for("ready>")
        there.press("stty -a | tr ';' '\\n'\r")
        there.wait_for(" icanon")
        there.wait_for(" echo ")
        assert there.modes_left <= {2004}  # of bash itself
        there.press("fg\r")
        there.wait_for("page 2 of 2")
        there.settle(1)
        assert (there.cells, there.modes_left) == (shown, modes)
        there.press("z")
        there.wait_for("xyz")
        there.press("ctrl+q")
        there.wait_for("Your answers are kept")
        there.press("echo its-code-$?\r")
        there.wait_for("its-code-0")
    assert 'xyz"' in (tmp_path / "state" / "answers" / "hub-rest.toml").read_text()


def test_ctrl_z_says_so_where_no_shell_could_bring_it_back(tmp_path: Path) -> None:
    with rigged("", tmp_path) as there:
        there.press("ctrl+z")
        there.wait_for("No shell holds the wizard")
        there.press("ctrl+q")
        assert there.end() == 0


def test_ctrl_z_waits_until_it_is_written(tmp_path: Path) -> None:
    with rigged("slow", tmp_path) as there:
        go(there, TO_THE_WRITING)
        there.press("ctrl+z")
        there.wait_for("It is being written;")
        (tmp_path / "go-on").touch()
        there.wait_for("Done: 2 changes.")


def test_a_stop_from_outside_comes_back_whole_too(tmp_path: Path) -> None:
    with rigged("", tmp_path) as there:
        there.settle()
        before, modes = there.cells, there.modes_left
        there.send_signal(SIGSTOP)
        while Path(f"/proc/{there.program.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            sleep(0.01)
        there.garble("\x1b[2J")
        there.send_signal(SIGCONT)
        there.wait_for("runs here:")
        there.settle()
        assert (there.cells, there.modes_left) == (before, modes)
        there.press("ctrl+q")
        assert there.end() == 0
        assert is_sane(there)


# The cursor, which screen readers and braille lines follow --------------------------------------------------


def test_the_cursor_stands_on_what_has_the_focus(tmp_path: Path) -> None:
    with rigged("", tmp_path) as there:
        there.wait_for_cursor("IOTA Hub, REST")
        for keys, where in CURSORS:
            there.settle()
            there.press(*keys)
            there.wait_for_cursor(where)


CURSORS = (
    (("f1",), "Choose what to secure"),
    (("escape",), "IOTA Hub, REST"),
    (("enter",), "$"),  # behind the script's name
    (("home",), "/home/jake/hub/start.sh"),
    (("right",), "home/jake"),
    (("tab", "home"), "/"),
    (("enter",), "$"),  # behind the name
    (("left",), r"\S$"),
    (("tab", "home"), r"\S+, "),
    (("tab", "tab"), "‹ ECDSA P-256 ›"),
    (("right",), "‹ RSA 2048 bits ›"),
    (("enter",), r"\+ key.pem"),
    (("down",), r"\+ cert.pem"),
    (("tab",), "/tmp/"),
    (("tab",), r"\+ cert.pem"),
    (("enter",), " Back"),
    (("left",), " Write    Back"),
)
"""Keys, and what stands at the cursor then."""


def test_of_options_on_one_line_it_stands_on_the_chosen_one(tmp_path: Path) -> None:
    with rigged("authority", tmp_path) as there:
        go(there, OWN_AUTHORITY[:1])
        there.wait_for_cursor(r"\(•\) no")
        there.press("tab", "right", "right")
        there.wait_for_cursor(r"\(•\) request")


# Signals ----------------------------------------------------------------------------------------------------


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
        go(there, TO_THE_WRITING)
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
