"""The throw-away folder: what is in it, started and stopped for real, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.peers.hub import ROOT
from tests.peers.sandboxed import furnished, hubs_port_taken, started
from wizard import service
from wizard.demo.sandbox import furnish, sandbox
from wizard.errors import WizardError
from wizard.plan import Command


def alive(folder: Path) -> list[int]:
    """Processes that work in this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def test_it_holds_the_script_of_the_guide_and_a_program_that_can_run(tmp_path: Path) -> None:
    box = furnish(tmp_path)
    script = (box.hub / "start.sh").read_text()
    assert "--listenAddress 127.0.0.1:" in script
    assert not script.splitlines()[-2].endswith("\\"), "the backslash that the guide forgot"
    for path in (box.hub / "start.sh", box.hub / "bazel-bin" / "hub" / "hub", tmp_path / "restart-hub"):
        assert path.stat().st_mode & 0o111


def test_only_its_own_services_are_seen(tmp_path: Path) -> None:
    with started(tmp_path / "one") as one, started(tmp_path / "two") as two:
        for box in (one, two):
            (seen,) = box.look().services
            assert seen.directory == box.hub
            assert seen.launcher == box.hub / "start.sh"
            assert seen.restart == (str(box.root / "restart-hub"),)


def test_a_port_that_is_taken_is_not_given_to_hub(tmp_path: Path) -> None:
    with hubs_port_taken():
        assert "127.0.0.1:50051\n" not in (furnish(tmp_path).hub / "start.sh").read_text()


def test_the_restart_command_starts_a_new_process(tmp_path: Path) -> None:
    with started(tmp_path / "box") as box:
        (before,) = box.look().services
        service.restart(Command((str(box.root / "restart-hub"),)))
        (after,) = box.look().services
        assert after.pid != before.pid
        assert after.listening == before.listening
    assert alive(box.root) == []


def test_it_says_what_hub_said_when_it_does_not_start(tmp_path: Path) -> None:
    box = furnished(tmp_path / "box")
    (box.hub / "start.sh").write_text("#!/bin/bash\n./bazel-bin/hub/hub --unheard-of x\n")
    with pytest.raises(WizardError, match="unknown command line flag 'unheard-of'"):
        box.start()


def test_afterwards_nothing_is_left() -> None:
    with hubs_port_taken(), sandbox() as box:
        assert alive(box.root)
        assert box.root.stat().st_mode & 0o077 == 0, "nobody else looks in"
    assert not box.root.exists()
    assert alive(box.root) == []


OWNER = """\
from wizard.demo.sandbox import sandbox
with sandbox() as box:
    print(box.root, flush=True)
    input()
"""


def test_a_demo_that_is_killed_leaves_nothing_either(tmp_path: Path) -> None:
    with (
        hubs_port_taken(),
        subprocess.Popen(
            [sys.executable, "-c", OWNER],
            env={**os.environ, "TMPDIR": str(tmp_path)},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        assert alive(folder)
        service.restart(Command((str(folder / "restart-hub"),)))
        assert alive(folder), "a restart does not end it"
        process.kill()
        deadline = time.monotonic() + 10
        while (folder.exists() or alive(folder)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert (list(tmp_path.iterdir()), alive(folder)) == ([], [])


def test_stopping_what_does_not_run_is_no_mistake(tmp_path: Path) -> None:
    furnished(tmp_path / "box").stop()
