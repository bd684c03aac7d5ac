"""The command line as a process: what each command prints where, and its exit codes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.peers.hub import ROOT
from tests.peers.sandboxed import COMMAND, answers_file, cli, contents, environment, furnished, started
from tests.peers.tls import listening, self_signed
from wizard import targets
from wizard.demo.sandbox import Sandbox

SECRETS = ("CHANGETHIS", "myrootpassword")


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return furnished(tmp_path / "box")


def one_object(done: subprocess.CompletedProcess[str]) -> Any:
    """Standard output as the one JSON object it has to be."""
    assert done.stdout.startswith("{"), done
    return json.loads(done.stdout)


# Every command, as text and as JSON -------------------------------------------------------------------------


def test_targets(box: Sandbox) -> None:
    done = cli(box, "targets")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("hub-rest    IOTA Hub, REST")
    data = one_object(cli(box, "targets", "--json"))
    assert [row["target"] for row in data["targets"]] == [target.key for target in targets.every()]


def test_questions_give_a_file_that_plan_takes_once_it_is_filled_in(box: Sandbox) -> None:
    done = cli(box, "questions", "hub-rest")
    assert done.returncode == 0
    filled = box.root / "filled.toml"
    lines = [line for line in done.stdout.splitlines() if "start_script" not in line]
    keep = ("#", "target", "common_name", "alt_names", "validity_days", "key_type", "source")
    lines = [line for line in lines if line.startswith(keep)]
    filled.write_text("\n".join([*lines, f'start_script = "{box.hub / "start.sh"}"']))
    plan = one_object(cli(box, "plan", str(filled), "--json"))
    assert plan["changed"] is True


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_letter_that_the_locale_lacks_is_named(box: Sandbox, command: str) -> None:
    (box.root / "ca.pem").write_bytes(self_signed("signer")[0])
    path = box.root / "answers.toml"
    text = f"""target = "connector"
url = "https://127.0.0.1:1/"
mode = "verify-ca"
ca = ["{box.root}/ca.pem"]
directory = "{box.root}/\u00e9"
"""
    path.write_text(text, encoding="utf-8")
    done = cli(box, command, str(path), "--diff" if command == "apply" else "--", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done
    assert f"{box.root}/\\xe9" in done.stdout


def test_plan_shows_the_diff_and_writes_nothing(box: Sandbox) -> None:
    before = contents(box)
    answers = str(answers_file(box))
    done = cli(box, "plan", answers)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"+\t--sslCert {box.hub}/cert.pem \\".replace("\t", "    ") in done.stdout
    data = one_object(cli(box, "plan", answers, "--json"))
    assert [Path(change["path"]).name for change in data["changes"]] == [
        "key.pem",
        "cert.pem",
        "dh.pem",
        "start.sh",
    ]
    assert contents(box) == before
    assert not box.state.root.exists(), "nor is anything remembered"


def test_apply_check_writes_nothing(box: Sandbox) -> None:
    before = contents(box)
    answers = str(answers_file(box))
    done = cli(box, "apply", answers, "--check", "--diff")
    assert done.returncode == 0
    assert "4 changes would be written." in done.stdout
    assert "@@ -" in done.stdout
    assert cli(box, "apply", answers, "--check", "--detailed-exitcode").returncode == 2
    data = one_object(cli(box, "apply", answers, "--check", "--json"))
    assert (data["changed"], data["run"]) == (True, None)
    assert contents(box) == before


def test_apply_history_and_undo_as_text(box: Sandbox) -> None:
    before = contents(box)
    answers = str(answers_file(box))
    done = cli(box, "apply", answers, "--detailed-exitcode")
    assert done.returncode == 2
    assert "created key.pem" in done.stderr, "progress is no output"
    assert "You do now:" in done.stdout
    again = cli(box, "apply", answers, "--detailed-exitcode")
    assert (again.returncode, again.stdout) == (0, "Nothing to change: everything is as it should be.\n")
    history = cli(box, "history")
    assert "applied  Secure IOTA Hub, REST" in history.stdout
    name = history.stdout.split()[0]
    assert f"tls-wizard undo {name}" in done.stdout
    undone = cli(box, "undo", name)
    assert undone.returncode == 0
    assert undone.stdout.startswith("Undone: Secure IOTA Hub, REST")
    assert contents(box) == before
    assert cli(box, "undo").returncode == 1
    assert "undone" in cli(box, "history").stdout


def test_apply_history_and_undo_as_json(box: Sandbox) -> None:
    before = contents(box)
    applied = one_object(cli(box, "apply", str(answers_file(box)), "--json", "--diff"))
    assert applied["changed"] is True
    history = one_object(cli(box, "history", "--json"))
    assert [(run["run"], run["status"]) for run in history["runs"]] == [(applied["run"], "applied")]
    undone = one_object(cli(box, "undo", "--json"))
    assert undone["undone"] == applied["run"]
    assert contents(box) == before
    again = one_object(cli(box, "undo", "--json"))
    assert again == {"failed": True, "msg": again["msg"], "exit_code": 1}


@pytest.mark.parametrize("more", [[], ["--check"], ["--json"]])
def test_apply_warns_of_what_the_plan_warns_of(box: Sandbox, more: list[str]) -> None:
    script = box.hub / "start.sh"
    script.write_bytes(script.read_bytes().replace(b"--db hub", b"$EXTRA --db hub"))
    done = cli(box, "apply", str(answers_file(box)), *more)
    assert done.returncode == 0
    assert "! start.sh, line 5: $EXTRA is only known at run time; a flag in it wins" in done.stderr
    assert "! Hub keeps answering plain HTTP on the same port" in done.stderr


def test_recover_with_nothing_to_do(box: Sandbox) -> None:
    done = cli(box, "recover")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing to recover.\n", "")
    assert one_object(cli(box, "recover", "--json")) == {"recovered": None, "status": None}


def test_prove_before_and_after(tmp_path: Path) -> None:
    with started(tmp_path / "box") as box:
        answers = str(answers_file(box))
        assert cli(box, "apply", answers).returncode == 0
        early = cli(box, "prove", answers)
        assert early.returncode == 6
        assert "Not proven: " in early.stdout
        box.restart()
        data = one_object(cli(box, "prove", answers, "--json"))
        assert data["passed"] is True
        assert data["counts"] == {"passed": len(data["results"]) - 1, "finding": 1, "failed": 0, "skipped": 0}
        assert cli(box, "prove", answers).returncode == 0


def test_prove_shows_each_result_as_it_comes(tmp_path: Path) -> None:
    def silent(connection: socket.socket) -> None:
        connection.recv(1)
        over.wait(20)

    over = threading.Event()
    box = furnished(tmp_path / "box")
    with listening(silent) as port:
        answers = str(answers_file(box, address=f'"127.0.0.1:{port}"'))
        arguments = [*COMMAND, "prove", answers, "--json"]
        with subprocess.Popen(
            arguments, env=environment(box), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            assert process.stderr.readline() == "failed   The start script sets TLS\n"
            assert process.poll() is None, "it waits for the server meanwhile"
            over.set()
            output, said = process.communicate(timeout=60)
    assert json.loads(output)["passed"] is False
    assert "skipped  The API answers over TLS: not tried" in said


def test_no_output_holds_a_secret(box: Sandbox) -> None:
    answers = str(answers_file(box))
    commands = [["plan", answers, "--json"], ["apply", answers, "--diff"], ["history", "--json"], ["undo"]]
    for command in commands:
        done = cli(box, *command)
        assert done.returncode == 0
        said = done.stdout + done.stderr
        assert [secret for secret in (*SECRETS, "PRIVATE KEY") if secret in said] == [], command


# Exit codes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["plan"], "Say first what it is about, a target or an answers file. See: tls-wizard plan --help"),
        (["plan", "hub-rest", "b"], '"b" is one word too many'),
        (["history", "--diff"], "There is no --diff for `history`. See: tls-wizard history --help"),
    ],
)
def test_wrong_usage_is_2(box: Sandbox, arguments: list[str], said: str) -> None:
    done = cli(box, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_answers_that_cannot_be_used_are_1(box: Sandbox) -> None:
    done = cli(box, "apply", str(answers_file(box, validity_days="0")))
    assert (done.returncode, done.stdout) == (1, "")
    assert "validity_days (--validity-days): Give a number from 1 to 36500." in done.stderr
    failed = one_object(cli(box, "plan", "/nowhere.toml", "--json"))
    assert failed["exit_code"] == 1
    assert cli(box, "questions", "hub-rets").stderr.endswith('Did you mean "hub-rest"?\n')


def test_no_command_and_no_terminal_says_what_to_use_instead(box: Sandbox) -> None:
    done = cli(box)
    assert done.returncode == 1
    assert "needs a terminal" in done.stderr
    assert "tls-wizard questions" in done.stderr


def test_a_script_that_cannot_be_edited_is_3(box: Sandbox) -> None:
    (box.hub / "start.sh").write_bytes(b"#!/bin/bash\r\n./bazel-bin/hub/hub --db x\r\n")
    for command in ("plan", "apply"):
        done = cli(box, command, str(answers_file(box)))
        assert done.returncode == 3
        assert "line 1" in done.stderr
        assert "carriage return" in done.stderr


def test_an_undo_after_a_later_edit_is_4_and_touches_nothing(box: Sandbox) -> None:
    assert cli(box, "apply", str(answers_file(box))).returncode == 0
    script = box.hub / "start.sh"
    script.write_bytes(script.read_bytes() + b"# mine\n")
    before = contents(box)
    done = cli(box, "undo")
    assert done.returncode == 4
    assert str(script) in done.stderr
    assert one_object(cli(box, "undo", "--json"))["exit_code"] == 4
    assert contents(box) == before


def test_another_run_at_work_is_5(box: Sandbox) -> None:
    before = contents(box)
    with box.state.lock():
        done = cli(box, "apply", str(answers_file(box)))
    assert done.returncode == 5
    assert f"process {os.getpid()}" in done.stderr
    assert contents(box) == before


def test_messages_cannot_steer_the_terminal(box: Sandbox) -> None:
    answers = box.root / "odd.toml"
    answers.write_text('target = "hub-rest"\n"\\u001b]0;x\\u0007" = 1\n')
    done = cli(box, "plan", str(answers))
    assert done.returncode == 1
    assert "\x1b" not in done.stderr
    assert "\\x1b]0;x\\x07" in done.stderr


# Streams ----------------------------------------------------------------------------------------------------


def test_a_reader_that_leaves_early_is_no_complaint(box: Sandbox) -> None:
    line = f"{' '.join(COMMAND)} plan {answers_file(box)} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env=environment(box), cwd=box.root, check=False
    )
    assert done.stderr == ""
    assert done.returncode in (0, 1)


def test_closed_streams_are_no_mistake_of_ours(box: Sandbox) -> None:
    for redirection in ("<&-", ">&-", "<&- >&-"):
        line = f"{' '.join(COMMAND)} apply {answers_file(box)} --check {redirection}"
        done = subprocess.run(
            ["bash", "-c", line],
            capture_output=True,
            text=True,
            env=environment(box),
            cwd=box.root,
            check=False,
        )
        assert done.returncode == 0, redirection
        assert all(line.startswith("! ") for line in done.stderr.splitlines()), redirection


def test_output_that_cannot_be_written_is_said(box: Sandbox) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "targets"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(box),
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("tls-wizard: ")
    assert done.stderr.endswith(" No space left on device.\n")


def test_an_answers_file_is_utf_8_in_any_locale(tmp_path: Path) -> None:
    folder = tmp_path / "élan"
    folder.mkdir()
    (folder / "start.sh").write_text("./hub --serverType http\n")
    done = subprocess.run(
        [*COMMAND, "questions", "hub-rest", "--start-script", "start.sh"],
        capture_output=True,
        check=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1", "LC_ALL": "C"},
    )
    assert tomllib.loads(done.stdout.decode("utf-8"))["start_script"] == str(folder / "start.sh")
