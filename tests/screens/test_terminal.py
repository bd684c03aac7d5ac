"""The wizard in a real terminal: walked by keys, in their order, with nothing secret on the line."""

from __future__ import annotations

import re
import subprocess
import tomllib
from base64 import b64encode
from pathlib import Path

import pytest

from tests.screens.pty_terminal import terminal
from tests.screens.sample_targets import fingerprint
from tests.screens.ways import OWN_AUTHORITY, TO_THE_ANSWERS, WIZARD, go, is_gone_on_with, is_sane, rigged
from wizard.secret import Secret


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file of a folder with its mode and content."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


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


def test_no_byte_ends_the_wizard(tmp_path: Path) -> None:
    with rigged("", tmp_path) as there:
        go(there, TO_THE_ANSWERS[:-1])
        there.press("end", *["backspace"] * 9)
        stands = "-"
        for sent, shown in [
            ("-", ""),
            ("\udce9r", "�r"),
            ("x\udcff", "x�"),
            ("\xe4", "ä"),
            ("\x1b[200~(\udce9)\x1b[201~", "(�)"),
            ("\x1b[1202648u", ""),  # a key that there is not
            ("z", "z"),
        ]:
            there.press(sent)
            stands += shown
            there.wait_for(stands)
            there.settle()
        there.press("ctrl+q")
        assert there.end() == 0
        assert is_sane(there)


# Unseen -----------------------------------------------------------------------------------------------------


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


def test_a_passphrase_with_a_byte_that_is_no_text_is_refused_since_nobody_sees_it(tmp_path: Path) -> None:
    with rigged("authority", tmp_path) as there:
        go(there, OWN_AUTHORITY)
        there.press("caf\udce9!", "enter", "caf\udce9!", "enter")
        there.wait_for("has not come as text in UTF-8")
        assert "page 2 of 3" in there.text


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


# Crashes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["crash", "crash-in-worker", "crash-at-a-key"])
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
    is_gone_on_with("review" if how == "crash-in-worker" else "ask", tmp_path)


# Terminals that cannot --------------------------------------------------------------------------------------


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
