"""What the commands ask on a terminal: passphrases, which it never shows; and that they ask nowhere else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.peers.hub import ROOT
from tests.screens.pty_terminal import Terminal, terminal
from tests.screens.sample_targets import OPENS, fingerprint
from wizard.secret import Secret

EXISTING = "Type it; nothing is shown: "
NEW = "Type a new one, or only Enter to have one made; nothing is shown: "
AGAIN = "Once more: "
MADE = re.compile(r"(?:[a-km-np-z2-9]{5}-){4}[a-km-np-z2-9]{5}")


def answers_file(folder: Path, **given: str) -> str:
    """Answers to the sample target, with an authority of its own."""
    path = folder / "answers.toml"
    keys = {"target": "sample-ca", "source": "own", **given}
    path.write_text("".join(f'{key} = "{value}"\n' for key, value in keys.items()))
    return str(path)


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.screens.rigged", "authority", str(folder), *arguments]


@contextmanager
def asked(folder: Path, *arguments: str) -> Iterator[Terminal]:
    """The command on a terminal of its own."""
    with terminal(*command(folder, *arguments), TLS_WIZARD_STATE=str(folder / "state")) as there:
        yield there


def answer(there: Terminal, prompt: str, *keys: str) -> None:
    """Wait until it asks, which it does in its last line, and type."""
    there.wait_for(prompt.rstrip())
    there.settle()
    assert there.text.endswith(prompt.rstrip())
    there.press(*keys)


def written(folder: Path) -> str:
    path = folder / "key.pem"
    return path.read_text() if path.exists() else ""


def test_the_passphrase_of_an_authority_is_asked_for_and_not_shown(tmp_path: Path) -> None:
    with asked(tmp_path, "apply", answers_file(tmp_path, authority="example")) as there:
        answer(there, EXISTING, OPENS.reveal(), "enter")
        answer(there, "Write 1 change? [yes/no] ", "yes", "enter")
        assert there.end() == 0
        assert there.settings_are_back
        assert "Passphrase: Of the authority's key." in there.text
    assert OPENS.reveal().encode() not in there.output
    assert written(tmp_path) == f"the key under {fingerprint(OPENS)}"


def test_a_wrong_passphrase_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    with asked(tmp_path, "apply", answers_file(tmp_path, authority="example"), "--yes") as there:
        answer(there, EXISTING, "enter")
        there.wait_for("It is needed to go on.")
        answer(there, EXISTING, "hunter2", "enter")
        assert there.end() == 1
        assert "tls-wizard: This passphrase does not open the authority's key." in there.text
    assert b"hunter2" not in there.output
    assert not written(tmp_path)


def test_a_new_passphrase_is_typed_twice(tmp_path: Path) -> None:
    with asked(tmp_path, "apply", answers_file(tmp_path), "--yes") as there:
        answer(there, NEW, "grüße aus wallis", "enter")
        answer(there, AGAIN, "gruesse aus wallis", "enter")
        there.wait_for("The two differ. Begin again.")
        answer(there, NEW, "grüße aus bern", "enter")
        answer(there, AGAIN, "grüße aus bern", "enter")
        assert there.end() == 0
        assert there.settings_are_back
    assert "wallis" not in there.output.decode()
    assert "bern" not in there.output.decode()
    assert written(tmp_path) == f"the key under {fingerprint(Secret('grüße aus bern'))}"


def test_only_enter_makes_one_that_is_shown_once(tmp_path: Path) -> None:
    with asked(tmp_path, "apply", answers_file(tmp_path), "--yes") as there:
        answer(there, NEW, "enter")
        answer(there, "Press Enter when you have it: ", "enter")
        assert there.end() == 0
        assert "Write it down now: it is shown only here." in there.text
    shown = MADE.findall(there.output.decode())
    assert len(shown) == 1
    assert written(tmp_path) == f"the key under {fingerprint(Secret(shown[0]))}"


def test_plan_asks_too(tmp_path: Path) -> None:
    with asked(tmp_path, "plan", answers_file(tmp_path, authority="example")) as there:
        answer(there, EXISTING, OPENS.reveal(), "enter")
        assert there.end() == 0
        assert "1 change, nothing written yet" in there.text
    assert OPENS.reveal().encode() not in there.output


@pytest.mark.parametrize(("key", "code"), [("\x03", 130), ("\x04", 1)], ids=["ctrl+c", "ctrl+d"])
@pytest.mark.parametrize("before", [(), ("hunter2", "enter")], ids=["at once", "before the repeat"])
def test_stopping_there_ends_with_a_sentence(
    tmp_path: Path, key: str, code: int, before: tuple[str, ...]
) -> None:
    with asked(tmp_path, "apply", answers_file(tmp_path)) as there:
        if before:
            answer(there, NEW, *before)
        answer(there, AGAIN if before else NEW, key)
        assert there.end() == code
        assert there.settings_are_back
        last = there.text.split("\n")[-1]
    assert last.startswith("tls-wizard: ")
    assert "mistake of its own" not in last
    assert not written(tmp_path)
    assert not (tmp_path / "state").exists()


def test_what_is_no_text_is_no_passphrase(tmp_path: Path) -> None:
    with asked(tmp_path, "apply", answers_file(tmp_path)) as there:
        answer(there, NEW, "\udcff", "enter")
        assert there.end() == 1
        assert "tls-wizard: This is not text. Nothing was changed." in there.text
        assert there.settings_are_back


def test_a_file_with_the_passphrase_needs_no_asking(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text(f"{OPENS.reveal()}\n")
    answers = answers_file(tmp_path, authority="example", passphrase_file=str(secret))
    with asked(tmp_path, "apply", answers, "--yes") as there:
        assert there.end() == 0
    assert written(tmp_path) == f"the key under {fingerprint(OPENS)}"


def test_while_another_answer_is_wrong_nothing_is_asked(tmp_path: Path) -> None:
    with asked(tmp_path, "plan", answers_file(tmp_path, authority_days="x")) as there:
        assert there.end() == 1
        assert "authority_days (--authority-days): " in there.text
    assert NEW not in there.text


def test_prove_needs_no_passphrase(tmp_path: Path) -> None:
    gone = answers_file(tmp_path, authority="example", passphrase_file="/nowhere")
    for answers in (gone, answers_file(tmp_path, authority="example")):
        with asked(tmp_path, "prove", answers) as there:
            assert there.end() == 0
            assert "Proven: 1 passed" in there.text


@pytest.mark.parametrize("words", [["plan"], ["apply", "--check"]], ids=" ".join)
def test_a_preview_needs_no_passphrase_that_would_be_made_up(tmp_path: Path, words: list[str]) -> None:
    with asked(tmp_path, words[0], answers_file(tmp_path), *words[1:]) as there:
        assert there.end() == 0
    assert NEW not in there.text
    assert "Write it down" not in there.text


def test_a_weak_one_is_called_that(tmp_path: Path) -> None:
    with asked(tmp_path, "apply", answers_file(tmp_path), "--yes") as there:
        answer(there, NEW, "abcd", "enter")
        answer(there, AGAIN, "abcd", "enter")
        assert there.end() == 0, there.text
    assert "! Very weak" in there.text


def test_a_weak_one_from_a_file_is_called_that_too(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("abcd\n")
    with asked(tmp_path, "apply", answers_file(tmp_path, passphrase_file=str(secret)), "--yes") as there:
        assert there.end() == 0, there.text
    assert "! Very weak" in there.text
    assert "abcd" not in there.text


def test_without_a_terminal_the_key_of_the_file_is_named(tmp_path: Path) -> None:
    """Not even the terminal that the process may have besides its standard input is asked."""
    done = subprocess.run(
        command(tmp_path, "apply", answers_file(tmp_path), "--json"),
        input="hunter2\nhunter2\n",
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "TLS_WIZARD_STATE": str(tmp_path / "state")},
    )
    assert done.returncode == 1
    assert "passphrase_file (--passphrase-file): This is needed." in json.loads(done.stdout)["msg"]
    assert NEW not in done.stderr


def test_where_standard_error_is_a_file_nothing_is_asked(tmp_path: Path) -> None:
    """What is asked would not be seen, and a passphrase that is made would stay in the file."""
    line = f"{' '.join(command(tmp_path, 'apply', answers_file(tmp_path)))} 2> {tmp_path}/errors"
    with terminal("sh", "-c", line, TLS_WIZARD_STATE=str(tmp_path / "state")) as there:
        assert there.end() == 1
    assert "passphrase_file (--passphrase-file): This is needed." in (tmp_path / "errors").read_text()


def test_what_is_asked_is_no_output(tmp_path: Path) -> None:
    words = command(tmp_path, "apply", answers_file(tmp_path), "--json", "--yes")
    line = f"{' '.join(words)} > {tmp_path}/output"
    with terminal("sh", "-c", line, TLS_WIZARD_STATE=str(tmp_path / "state")) as there:
        answer(there, NEW, "hunter2", "enter")
        answer(there, AGAIN, "hunter2", "enter")
        assert there.end() == 0
    assert json.loads((tmp_path / "output").read_text())["changed"] is True
