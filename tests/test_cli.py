"""The command line as a process: what it prints where, its exit codes, and what it asks on a terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.peers.sandboxed import COMMAND, answers_file, cli, environment, furnished, started
from wizard import transaction
from wizard.demo.sandbox import Sandbox
from wizard.errors import WizardError
from wizard.plan import Command, File, Plan

SECRETS = ("CHANGETHIS", "myrootpassword")


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return furnished(tmp_path / "box")


def one_object(done: subprocess.CompletedProcess[str]) -> Any:
    """Standard output as the one JSON object it has to be."""
    assert done.stdout.startswith("{"), done
    return json.loads(done.stdout)


def contents(box: Sandbox) -> dict[str, tuple[int, bytes]]:
    """Every file of Hub, with its mode."""
    files = [path for path in box.hub.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mode, path.read_bytes()) for path in files}


# Every command, as text and as JSON -------------------------------------------------------------------------


def test_targets(box: Sandbox) -> None:
    done = cli(box, "targets")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("hub-rest    IOTA Hub, REST")
    data = one_object(cli(box, "targets", "--json"))
    assert [row["target"] for row in data["targets"]] == ["hub-rest"]


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
        (["nonsense"], "invalid choice"),
        (["plan"], "ANSWERS"),
        (["plan", "a", "b"], "unrecognized arguments"),
        (["history", "--diff"], "unrecognized arguments"),
    ],
)
def test_wrong_usage_is_2(box: Sandbox, arguments: list[str], said: str) -> None:
    done = cli(box, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_answers_that_cannot_be_used_are_1(box: Sandbox) -> None:
    done = cli(box, "apply", str(answers_file(box, validity_days="0")))
    assert (done.returncode, done.stdout) == (1, "")
    assert "validity_days: Give a number from 1 to 36500." in done.stderr
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
        assert (done.returncode, done.stderr) == (0, ""), redirection


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


# On a terminal ----------------------------------------------------------------------------------------------


def on_terminal(box: Sandbox, typed: bytes, *arguments: str) -> tuple[int, str]:
    """Run on a terminal of its own, type when it asks; returns exit code and what the terminal showed."""
    process, terminal = pty.fork()
    if not process:
        os.chdir(box.root)
        os.execve(sys.executable, [*COMMAND, *arguments], environment(box, COLUMNS="100"))
    shown = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if select.select([terminal], [], [], 0.1)[0]:
                shown += os.read(terminal, 65536)
        except OSError:  # the terminal is gone with its last process
            break
        if b"[yes/no]" in shown and typed:
            os.write(terminal, typed)
            typed = b""
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode(errors="replace")


@pytest.mark.parametrize("typed", [b"no\n", b"\n", b"yess\n", b"ja\n", b"\x04", b"\xff\n", b"\x03"])
def test_nothing_but_yes_writes(box: Sandbox, typed: bytes) -> None:
    before = contents(box)
    code, shown = on_terminal(box, typed, "apply", str(answers_file(box)))
    assert "Write these 4 changes? [yes/no]" in shown
    assert "@@ -" in shown, "the preview comes before the question"
    assert "mistake of its own" not in shown
    assert code == (130 if typed == b"\x03" else 1)
    assert contents(box) == before


def test_yes_writes_and_yes_takes_back(box: Sandbox) -> None:
    before = contents(box)
    code, _ = on_terminal(box, b"yes\n", "apply", str(answers_file(box)))
    assert code == 0
    assert (box.hub / "key.pem").exists()
    code, shown = on_terminal(box, b"no\n", "undo")
    assert (code, "Take back these 4 changes? [yes/no]" in shown) == (1, True)
    assert (box.hub / "key.pem").exists()
    code, _ = on_terminal(box, b"Yes\n", "undo")
    assert code == 0
    assert contents(box) == before


def test_yes_on_the_command_line_is_not_asked_again(box: Sandbox) -> None:
    code, shown = on_terminal(box, b"", "apply", str(answers_file(box)), "--yes")
    assert (code, "[yes/no]" in shown) == (0, False)


# Interrupted ------------------------------------------------------------------------------------------------

SLOW = """\
import sys
from dataclasses import replace
from wizard import cli
from wizard.plan import Command
from wizard.targets.hub_rest import HubRest

plan = HubRest.plan
wait = Command(("bash", "-c", "touch {mark}; while [ -e {mark} ]; do sleep 0.05; done"))
HubRest.plan = lambda self, host: replace(plan(self, host), validations=(wait,))
sys.exit(cli.main(sys.argv[1:]))
"""


@contextmanager
def in_the_middle(box: Sandbox) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """An apply that has exchanged every file and now waits for a check that ends when the path is removed."""
    mark = box.root / "checking"
    with subprocess.Popen(
        [sys.executable, "-c", SLOW.format(mark=mark), "apply", str(answers_file(box))],
        env=environment(box),
        cwd=box.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 30
        while not mark.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        try:
            yield process, mark
        finally:
            process.kill()
            mark.unlink(missing_ok=True)


def test_a_run_killed_in_the_middle_is_reported_first_and_recovered(box: Sandbox) -> None:
    before = contents(box)
    with in_the_middle(box) as (process, _):
        assert cli(box, "apply", str(answers_file(box)), "--json").returncode == 5, "it is still at work"
        process.kill()
    assert (box.hub / "key.pem").exists()
    answers = str(answers_file(box))
    for command in (
        ["targets"],
        ["questions", "hub-rest"],
        ["plan", answers],
        ["prove", answers],
        ["history"],
    ):
        said = cli(box, *command).stderr
        assert said.startswith("tls-wizard: an earlier run was interrupted: Secure IOTA Hub"), command
        assert "tls-wizard recover" in said
    refused = cli(box, "apply", answers)
    assert refused.returncode == 1
    assert "recover" in refused.stderr
    recovered = cli(box, "recover")
    assert recovered.returncode == 0
    assert recovered.stdout.startswith("Rolled back: Secure IOTA Hub")
    assert contents(box) == before
    assert cli(box, "history").stderr == ""


def test_an_interrupt_in_the_middle_waits_and_does_not_claim_that_nothing_changed(box: Sandbox) -> None:
    with in_the_middle(box) as (process, mark):
        process.send_signal(signal.SIGINT)
        mark.unlink()
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Nothing was changed" not in said
    assert said.splitlines()[-1] == "tls-wizard: Stopped. See what was done: tls-wizard history"
    assert "applied" in cli(box, "history").stdout


def test_a_failing_check_restores_everything(box: Sandbox) -> None:
    before = contents(box)
    target = box.hub / "start.sh"
    change = File(path=target, before=target.read_bytes(), after=b"(\n")
    checked = Command(("bash", "-n", str(target)))
    plan = Plan(target="hub-rest", title="Break it", changes=(change,), validations=(checked,))
    with pytest.raises(WizardError, match="The old state is back"):
        transaction.apply(plan, box.state)
    assert contents(box) == before


# Rights -----------------------------------------------------------------------------------------------------


AS_NOBODY = """\
import contextlib, io, os, sys
from wizard import cli

# The first time brings in every module, which nobody may not be allowed to read.
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    for warming in (["targets"], ["plan", *sys.argv[2:]]):
        with contextlib.suppress(SystemExit):
            cli.main(warming)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(cli.main(sys.argv[1:]))
"""


def as_nobody(box: Sandbox, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as an account that owns nothing."""
    return subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        env=environment(box, TLS_WIZARD_STATE="/nonexistent/state"),
        check=False,
    )


@pytest.fixture
def shared(tmp_path: Path) -> Sandbox:
    """A sandbox that every account may read."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    box = furnished(tmp_path / "box")
    for folder in [*tmp_path.parents[:3], tmp_path]:
        if folder.name.startswith(("pytest-", "popen-")) or folder == tmp_path:
            folder.chmod(0o755)
    return box


def test_who_may_not_write_gets_the_sudo_command_that_goes_on(shared: Sandbox) -> None:
    answers = answers_file(shared)
    done = as_nobody(shared, "apply", str(answers))
    assert done.returncode == 1
    again = f"Run it as root: sudo {sys.executable} -m wizard apply {answers}"
    assert f"start_script: nobody may not write in {shared.hub}. {again}" in done.stderr


def test_a_key_that_may_not_be_read_is_said_at_its_question(shared: Sandbox) -> None:
    shared.hub.chmod(0o777)
    (shared.hub / "key.pem").write_bytes(b"x")
    (shared.hub / "key.pem").chmod(0o600)
    done = as_nobody(shared, "plan", str(answers_file(shared)))
    assert done.returncode == 1
    assert "mistake of its own" not in done.stderr
    assert "directory: nobody may not " in done.stderr


def test_a_folder_that_may_not_be_entered_is_said(shared: Sandbox) -> None:
    shared.hub.chmod(0o700)
    done = as_nobody(shared, "plan", str(answers_file(shared)))
    assert done.returncode == 1
    assert "start_script: " in done.stderr
    assert "Permission denied" in done.stderr


def test_a_hub_of_another_account_is_seen_but_not_its_folder(shared: Sandbox) -> None:
    shared.start()
    try:
        found = one_object(as_nobody(shared, "targets", "--json"))["targets"][0]
    finally:
        shared.stop()
    assert found["runs"] is True
    assert found["details"] == ["It runs as root; only root can see its folder."]
