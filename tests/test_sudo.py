"""Going on as root by the real sudo, which asks for a real password on the terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwnam

import pytest

from tests.peers.hub import ROOT
from tests.screens.pty_terminal import PATIENCE, Terminal, terminal

USER, PASSWORD = "games", "hunter2"
PREPARE = """
set -e
mount --bind "$BOX/sudoers" /etc/sudoers
mount --bind "$BOX/shadow" /etc/shadow
mount -t tmpfs tmpfs /var/lib
exec setpriv --reuid "$USER" --regid "$USER" --clear-groups "$@"
"""
"""Accounts and root's state folder of the test's own, in a mount namespace that nobody else sees."""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture
def box() -> Iterator[Path]:
    """A folder that all may look into: a start script of root, answers for it, and the state of the user."""
    folder = Path(tempfile.mkdtemp(prefix="tls-wizard-sudo-"))
    folder.chmod(0o755)
    (folder / "sudoers").write_text(f"Defaults passwd_tries=2\n{USER} ALL=(root) ALL\n")
    (folder / "sudoers").chmod(0o440)
    hashed = subprocess.run(["openssl", "passwd", "-6", PASSWORD], capture_output=True, text=True, check=True)
    lines = Path("/etc/shadow").read_text().splitlines()
    mine = f"{USER}:{hashed.stdout.strip()}:19000:0:99999:7:::"
    others = (line for line in lines if not line.startswith(f"{USER}:"))
    (folder / "shadow").write_text("\n".join([*others, mine, ""]))
    (folder / "shadow").chmod(0o600)
    (folder / "hub").mkdir()
    (folder / "hub" / "start.sh").write_text("#!/bin/bash\n./hub --serverType http\n")
    (folder / "state").mkdir(mode=0o700)
    os.chown(folder / "state", getpwnam(USER).pw_uid, getpwnam(USER).pw_gid)
    answers = f'target = "hub-rest"\nstart_script = "{folder}/hub/start.sh"\n'
    (folder / "answers.toml").write_text(answers)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def wizard(box: Path, *arguments: str) -> Iterator[Terminal]:
    """The wizard as a user who is not root."""
    assert shutil.which("sudo"), "install sudo"
    command = (sys.executable, "-m", "wizard", *arguments)
    around = ("unshare", "--mount", "--propagation", "private", "sh", "-c", PREPARE, "sh", *command)
    environment = {"TLS_WIZARD_STATE": str(box / "state"), "BOX": str(box), "USER": USER, "HOME": "/"}
    with terminal(*around, PYTHONPATH=str(ROOT), **environment) as there:
        yield there


def wait_for_another(there: Terminal, text: str, count: int) -> None:
    """Wait until a text has been written so often."""
    deadline = time.monotonic() + PATIENCE
    while there.output.count(text.encode()) < count:
        assert time.monotonic() < deadline, there.text
        there.settle(0.1)


def test_a_key_goes_on_as_root_with_the_answers_and_the_colours(box: Path) -> None:
    with wizard(box, "--answers", str(box / "answers.toml"), "--theme", "dark") as there:
        there.wait_for(f"{USER} may not write in")
        there.wait_for("Ctrl+R does that from here.")
        assert f" {USER}@" in there.text
        there.press("\x12")
        there.wait_for("To go on as root, sudo asks for your password")
        there.wait_for(f"password for {USER}")
        there.press("nonsense", "enter")
        wait_for_another(there, f"password for {USER}", 2)
        there.press(PASSWORD, "enter")
        there.wait_for(" root@")
        there.wait_for(f"{box}/hub/start.sh")
        assert "may not write" not in there.text
        there.press("ctrl+q")
        assert there.end() == 0
    as_root = there.output.rpartition(f"password for {USER}".encode())[2]
    assert b"48;5;234" in as_root, "the background of the dark theme"
    assert PASSWORD.encode() not in there.output
    assert not (box / "state" / "bookmark.json").exists(), "root goes on, and nobody else"


def test_who_is_not_let_in_goes_on_as_before(box: Path) -> None:
    with wizard(box, "--answers", str(box / "answers.toml")) as there:
        there.wait_for("Ctrl+R does that from here.")
        there.press("\x12")
        there.wait_for(f"password for {USER}")
        while "sudo did not agree" not in there.text:  # sudo passes over one that comes with its prompt
            there.press("\x03")
            there.settle()
        there.press("ctrl+q")
        assert there.end() == 0
        assert there.settings_are_back
    assert (box / "state" / "bookmark.json").exists()


def test_who_may_not_run_it_goes_on_as_before(box: Path) -> None:
    (box / "sudoers").chmod(0o640)
    (box / "sudoers").write_text(f"{USER} ALL=(root) /bin/ls\n")
    (box / "sudoers").chmod(0o440)
    with wizard(box, "--answers", str(box / "answers.toml")) as there:
        there.wait_for("Ctrl+R does that from here.")
        there.press("\x12")
        there.wait_for(f"password for {USER}")
        there.press(PASSWORD, "enter")
        there.wait_for("sudo did not agree")
        there.press("ctrl+q")
        assert there.end() == 0
        assert "the next start offers to continue here" in there.last_words


def test_who_would_lose_the_answers_goes_on_as_before(box: Path) -> None:
    os.chown(box / "state", 0, 0)
    with wizard(box, "--answers", str(box / "answers.toml")) as there:
        there.wait_for("Ctrl+R does that from here.")
        there.press("\x12")
        there.wait_for("cannot be kept")
        there.press("ctrl+q")
        assert there.end() == 0


def test_the_first_screen_says_beforehand_what_needs_root(box: Path) -> None:
    with wizard(box) as there:
        there.wait_for(f"You are {USER}, not root.")
        there.wait_for("R as root")
        there.press("r")
        there.wait_for(f"password for {USER}")
        there.press(PASSWORD, "enter")
        there.wait_for(" root@")
        there.wait_for("What shall be secured?")
        there.press("ctrl+q")
        assert there.end() == 0


def test_line_by_line_it_goes_on_as_root_too(box: Path) -> None:
    with wizard(box, "--plain", "--answers", str(box / "answers.toml")) as there:
        there.wait_for("Start script [")
        there.press("enter")
        there.wait_for("Do that now, these answers taken along?")
        there.press("yes", "enter")
        there.wait_for(f"password for {USER}")
        there.press(PASSWORD, "enter")
        wait_for_another(there, "Start script [", 2)
        there.press("\x04")
        assert there.end() == 0
