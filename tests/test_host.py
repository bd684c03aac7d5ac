"""A look at this host: real processes, real sockets, nothing changed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from wizard import host
from wizard.host import Service

LISTEN = (
    "import socket, sys, time\n"
    "listener = socket.create_server(('127.0.0.1', 0))\n"
    "print(listener.getsockname()[1], flush=True)\n"
    "time.sleep(60)\n"
)


@contextmanager
def running(arguments: list[str], folder: Path) -> Iterator[tuple[int, int]]:
    """The pid of a process that listens, and its port."""
    with subprocess.Popen(arguments, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.pid, int(process.stdout.readline())
        finally:
            process.kill()


def seen_on(port: int) -> Service:
    (found,) = [s for s in host.look().services if ("127.0.0.1", port) in s.listening]
    return found


def program(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{LISTEN}")
    path.chmod(0o755)
    return path


def test_a_service_is_seen_with_folder_port_account_and_start(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    with running([str(program(tmp_path, "hub")), "--db", "x"], tmp_path) as (pid, port):
        seen = seen_on(port)
    assert (seen.pid, seen.program, seen.directory) == (pid, "hub", tmp_path)
    assert seen.arguments[-2:] == ("--db", "x")
    assert seen.user == host.look().user
    # The kernel counts from a boot time in whole seconds.
    assert abs(seen.started - before) < timedelta(seconds=3)
    assert seen.launcher is None or seen.launcher != tmp_path / "hub"


def test_a_script_that_started_it_is_its_launcher(tmp_path: Path) -> None:
    program(tmp_path, "hub")
    (tmp_path / "start.sh").write_text("#!/bin/bash\n./hub --db x\necho ended\n")
    process = subprocess.Popen(
        ["bash", "start.sh"], cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        seen = seen_on(int(process.stdout.readline()))
        assert seen.launcher == tmp_path / "start.sh"
    finally:
        os.killpg(process.pid, 9)
        process.communicate()


@pytest.mark.parametrize("name", ["envoy", "shibd", "pythonista"])
def test_a_program_that_begins_like_an_interpreter_is_itself(tmp_path: Path, name: str) -> None:
    link = tmp_path / name
    link.symlink_to(sys.executable)
    script = program(tmp_path, "hub")
    with running([str(link), str(script)], tmp_path) as (_, port):
        assert seen_on(port).program == name


def test_the_script_of_an_interpreter_is_the_program(tmp_path: Path) -> None:
    script = program(tmp_path, "hub")
    with running([sys.executable, "-u", str(script)], tmp_path) as (_, port):
        assert seen_on(port).program == "hub"


SUPERVISE = """import os, subprocess, sys
names = dict(zip(("SUPERVISOR_PROCESS_NAME", "SUPERVISOR_GROUP_NAME"), sys.argv[2:]))
subprocess.run([sys.argv[1]], env={**os.environ, **names})
"""


@contextmanager
def supervised(folder: Path, *names: str, by: str = "supervisord") -> Iterator[Service]:
    """A program that has a supervisor, under these names, as it is seen."""
    path = folder / by
    path.write_text(f"#!{sys.executable}\n{SUPERVISE}")
    path.chmod(0o755)
    process = subprocess.Popen(
        [str(path), str(program(folder, "hub")), *names],
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        yield seen_on(int(process.stdout.readline()))
    finally:
        os.killpg(process.pid, 9)
        process.communicate()


def test_its_supervisor_is_known_from_its_environment(tmp_path: Path) -> None:
    with supervised(tmp_path, "hub", "iota") as seen:
        assert seen.restart == ("supervisorctl", "restart", "iota:hub")
    with supervised(tmp_path, "hub") as seen:
        assert seen.restart == ("supervisorctl", "restart", "hub")


@pytest.mark.parametrize("name", ["all", "-c", "hub nginx", "a:b", "", "$(id)", "hub\n"])
def test_a_name_that_supervisorctl_would_take_for_more_is_not_used(tmp_path: Path, name: str) -> None:
    with supervised(tmp_path, name, "iota") as seen:
        assert seen.restart[:1] != ("supervisorctl",)


def test_whoever_only_says_that_it_is_supervised_is_not_believed(tmp_path: Path) -> None:
    with supervised(tmp_path, "nginx", by="launcher") as seen:
        assert seen.restart[:1] != ("supervisorctl",)


def test_programs_that_listen_nowhere_are_left_out(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "30"], cwd=tmp_path) as process:
        try:
            assert process.pid not in [service.pid for service in host.look().services]
        finally:
            process.kill()


def test_secrets_of_command_lines_are_not_in_its_repr(tmp_path: Path) -> None:
    with running([str(program(tmp_path, "hub")), "--dbPassword", "S3CRET"], tmp_path) as (_, port):
        seen = seen_on(port)
    assert "S3CRET" in seen.arguments
    assert "S3CRET" not in repr(seen)


def test_name_and_addresses_are_those_of_this_host() -> None:
    here = host.look()
    assert here.name == socket.gethostname().split(".")[0]
    assert here.fqdn.split(".")[0] == here.name
    for text in here.addresses:
        address = ip_address(text)
        assert not address.is_loopback
        assert not address.is_link_local
    assert here.root == (os.geteuid() == 0)


def test_a_look_is_quick() -> None:
    begun = time.monotonic()
    host.look()
    assert time.monotonic() - begun < 5


def test_it_knows_the_command_that_starts_it_again() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "tls-wizard", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("tls-wizard ")
    assert host.own_command() == (sys.executable, "-m", "wizard"), "pytest is not the wizard"
