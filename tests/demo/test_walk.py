"""`tls-wizard --demo` without a terminal: the whole way by itself, and an exit code that tells."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.hub import ROOT
from tests.peers.sandboxed import COMMAND, hubs_port_taken, started
from wizard.demo import walk
from wizard.errors import WizardError
from wizard.targets.hub_rest import HubRest


def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--demo"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        check=False,
        timeout=120,
    )


def test_it_goes_the_whole_way_and_leaves_nothing(tmp_path: Path) -> None:
    with hubs_port_taken():
        done = demo(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    steps = [line.split(" ==")[0] for line in done.stdout.splitlines() if line.startswith("== ")]
    way = ["1 Choose", "2 Ask", "3 Review", "4 Apply", "5 Prove", "A second run", "Undo"]
    assert [step.removeprefix("== ") for step in steps] == way * 5, "both Hubs, two Nano nodes, nginx"
    assert done.stdout.count("\nProven: ") == 5
    assert "V27.1 has no TLS any more" in done.stdout
    assert "@@ -" in done.stdout
    assert done.stdout.endswith("Everything is as it was before, to the byte.\n")
    assert "CHANGETHIS" not in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with no room left."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode or not disk.is_mount():
        pytest.skip("no file system can be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_is_said_and_the_exit_code_tells(small_disk: Path) -> None:
    (small_disk / "fill").write_bytes(bytes(8192))
    done = demo(small_disk)
    assert done.returncode == 1
    assert done.stdout.startswith("This step failed: ")
    assert done.stdout.endswith("No space left on device.\n")
    assert done.stderr == ""


def test_a_hub_that_does_not_come_back_fails_the_walk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with started(tmp_path / "box") as box:
        # The operator's restart works no more, so what runs is the Hub of before.
        (box.root / "restart-hub").write_text("#!/bin/sh\nexit 0\n")
        time.sleep(1.5)  # start times are known to a second
        with pytest.raises(WizardError, match="the proof failed"):
            walk._walk(box, HubRest, {}, box.hub)
    assert "it still runs with its old settings" in capsys.readouterr().out


def test_a_script_that_cannot_be_edited_fails_the_walk(tmp_path: Path) -> None:
    with started(tmp_path / "box") as box:
        script = box.hub / "start.sh"
        script.write_bytes(script.read_bytes().replace(b"\n", b"\r\n"))
        with pytest.raises(WizardError, match="carriage return"):
            walk._walk(box, HubRest, {}, box.hub)
