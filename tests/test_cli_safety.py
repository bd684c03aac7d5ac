"""The command line when it matters: what it asks on a terminal, runs cut short, rights that are missing."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.peers.sandboxed import COMMAND, answers_file, cli, contents, environment, furnished
from wizard import transaction
from wizard.demo.sandbox import Sandbox
from wizard.errors import WizardError
from wizard.plan import Command, File, Plan


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return furnished(tmp_path / "box")


# On a terminal ----------------------------------------------------------------------------------------------


def on_terminal(
    box: Sandbox, typed: bytes, *arguments: str, meanwhile: Callable[[], object] = int
) -> tuple[int, str]:
    """Run on a terminal of its own, type when it asks; returns exit code and what the terminal showed."""
    process, terminal = pty.fork()
    if not process:
        os.chdir(box.root)
        os.execve(sys.executable, [*COMMAND, *arguments], environment(box, COLUMNS="100"))
    shown = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if select.select([terminal], [], [], 0.1)[0]:
                shown += os.read(terminal, 65536)
        except OSError:  # the terminal is gone with its last process
            break
        if b"[yes/no]" in shown and typed:
            meanwhile()
            os.write(terminal, typed)
            typed = b""
    else:
        os.kill(process, signal.SIGKILL)  # a test that fails is better than one that never ends
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode(errors="replace")


@pytest.mark.parametrize("typed", [b"no\n", b"\n", b"yess\n", b"ja\n", b"\x04", b"\xff\n", b"\x03"])
def test_nothing_but_yes_writes(box: Sandbox, typed: bytes) -> None:
    before = contents(box)
    code, shown = on_terminal(box, typed, "apply", str(answers_file(box)))
    assert "Write 4 changes? [yes/no]" in shown
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
    assert (code, "Take back 4 changes? [yes/no]" in shown) == (1, True)
    assert (box.hub / "key.pem").exists()
    code, _ = on_terminal(box, b"Yes\n", "undo")
    assert code == 0
    assert contents(box) == before


def test_a_file_that_is_edited_while_it_asks_is_4_and_keeps_the_edit(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    edited = script.read_bytes() + b"# mine\n"
    code, shown = on_terminal(
        box, b"yes\n", "apply", str(answers_file(box)), meanwhile=lambda: script.write_bytes(edited)
    )
    assert code == 4
    assert f"{script}: " in shown
    assert script.read_bytes() == edited
    assert not (box.hub / "key.pem").exists()


def test_a_no_is_one_json_object_too(box: Sandbox) -> None:
    code, shown = on_terminal(box, b"no\n", "apply", str(answers_file(box)), "--json")
    assert code == 1
    assert '{"failed": true, "msg": "Nothing was changed.", "exit_code": 1}' in shown


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
HubRest.plan = lambda self, *rest: replace(plan(self, *rest), validations=(wait,))
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_ends_and_says_that_it_is_done(box: Sandbox, number: int) -> None:
    with in_the_middle(box) as (process, mark):
        process.send_signal(number)
        mark.unlink()
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert said.startswith("Done: 4 changes. Take it back with: tls-wizard undo ")
    assert "applied" in cli(box, "history").stdout


@pytest.mark.parametrize(
    ("redirection", "said"),
    [("| true", "Done: 4 changes."), (">/dev/full", "Done: 4 changes."), ("2>&1 | true", ""), ("2>&-", "")],
)
def test_what_is_done_is_done_whoever_reads_of_it(box: Sandbox, redirection: str, said: str) -> None:
    command = f"{' '.join(COMMAND)} apply {answers_file(box)} --detailed-exitcode {redirection}"
    line = f"{command}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env=environment(box), cwd=box.root, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "mistake of its own" not in done.stderr
    assert "applied" in cli(box, "history").stdout
    assert (box.hub / "key.pem").exists()


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
    assert f"start_script (--start-script): nobody may not write in {shared.hub}. {again}" in done.stderr


def test_the_sudo_command_repeats_the_flags(shared: Sandbox) -> None:
    script = shared.hub / "start.sh"
    flags = ["--start-script", str(script), "--common-name", "Hub of all", "--alt-names", "hub,10.0.0.5"]
    done = as_nobody(shared, "apply", "hub-rest", "--yes", *flags)
    assert done.returncode == 1
    again = shlex.split(done.stderr.partition("Run it as root: ")[2].splitlines()[0])
    assert again[: len(COMMAND) + 1] == ["sudo", *COMMAND]
    words = [
        f"--start-script={script}",
        "--common-name=Hub of all",
        "--alt-names=hub",
        "--alt-names=10.0.0.5",
    ]
    assert again[len(COMMAND) + 1 :] == ["apply", "hub-rest", "--yes", *words]
    assert cli(shared, *again[len(COMMAND) + 1 :]).returncode == 0


def test_a_key_that_may_not_be_read_is_said_at_its_question(shared: Sandbox) -> None:
    shared.hub.chmod(0o777)
    (shared.hub / "key.pem").write_bytes(b"x")
    (shared.hub / "key.pem").chmod(0o600)
    done = as_nobody(shared, "plan", str(answers_file(shared)))
    assert done.returncode == 1
    assert "mistake of its own" not in done.stderr
    assert "directory (--directory): nobody may not " in done.stderr


def test_a_folder_that_may_not_be_entered_is_said(shared: Sandbox) -> None:
    shared.hub.chmod(0o700)
    done = as_nobody(shared, "plan", str(answers_file(shared)))
    assert done.returncode == 1
    assert "start_script (--start-script): " in done.stderr
    assert "Permission denied" in done.stderr


def test_a_hub_of_another_account_is_seen_but_not_its_folder(shared: Sandbox) -> None:
    shared.start()
    try:
        found = json.loads(as_nobody(shared, "targets", "--json").stdout)["targets"][0]
    finally:
        shared.stop()
    assert found["runs"] is True
    assert found["details"] == ["It runs as root; only root can see its folder."]
