"""A Nano node's data directory, and a node running on it: the stand-in, or that of the library calls."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.peers.hub import ROOT, Finished, free_port
from tests.peers.nano_node import compiled
from wizard import host
from wizard.demo.nano_config import Build, Era
from wizard.demo.sandbox import _executable, _program
from wizard.host import Service

REAL = "tests.peers.nano_node"
STAND_IN = "wizard.demo.nano"


@dataclass(frozen=True)
class DataDirectory:
    """A node's files, for a build that looks for them there."""

    path: Path
    build: Build = field(default_factory=Build)
    port: int = field(default_factory=free_port)
    address: str = "::ffff:127.0.0.1"

    def write(self, **tls: str | bool) -> DataDirectory:
        """Switch the RPC on, and TLS with these settings, each by its name in config-tls.toml."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.file("node").write_text("[rpc]\nenable = true\n")
        rpc = toml({"address": self.address, "port": self.port})
        if self.build.era is Era.SECURE_TABLE:
            names = {"enable_https": "enable"}
            rpc += "\n[secure]\n" + toml({names.get(name, name): value for name, value in tls.items()})
        else:
            self.file("tls").write_text(toml(tls))
        self.file("rpc").write_text(rpc)
        return self

    def file(self, kind: str) -> Path:
        """The path of the configuration of a kind: node, rpc or tls."""
        return self.path / f"config-{kind}.toml"

    @property
    def log(self) -> str:
        """What the node has logged since its last start."""
        return max((self.path / "log").iterdir()).read_text()

    @property
    def console(self) -> str:
        """What the node has printed since its last start."""
        return self.path.with_suffix(".console").read_text()

    def command(self, program: str, *options: str) -> list[str]:
        code = f"""\
import sys
from {program} import main
from wizard.demo.nano_config import Build
sys.exit(main(sys.argv[1:], {self.build!r}))"""
        return [sys.executable, "-c", code, "--daemon", "--data_path", str(self.path), *options]

    def run(self, program: str = STAND_IN, *options: str) -> Finished:
        """Run until it ends by itself; standard output comes before standard error."""
        command = self.command(program, *options)
        done = subprocess.run(command, capture_output=True, cwd=ROOT, text=True, timeout=60, check=False)
        return Finished(done.returncode, done.stdout + done.stderr)

    @contextmanager
    def running(
        self, program: str = REAL, *, cwd: Path = ROOT, environment: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run until the block ends."""
        if program == REAL:
            compiled()  # before the time runs in which it must listen
        with (
            self.path.with_suffix(".console").open("wb") as console,
            subprocess.Popen(
                self.command(program),
                cwd=cwd,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
                stdout=console,
                stderr=console,
            ) as process,
        ):
            try:
                self._wait(process)
                yield process
            finally:
                process.terminate()
                process.wait(timeout=10)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            if self.port in _ports(process.pid):
                return
            time.sleep(0.01)
        raise AssertionError(f"it does not listen; exit code {process.poll()}: {self.console}")


def _ports(pid: int) -> set[int]:
    """On what the process and its children listen. Whoever connects instead may meet another's server."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return {
            connection.laddr.port
            for one in (process, *process.children())
            for connection in one.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
    return set()


@contextmanager
def installed(folder: Path, code: str) -> Iterator[Service]:
    """A sandbox's node of this code, with its data in `Nano`, as a look at the host shows it."""
    _executable(folder / "nano_node", _program(code))
    _executable(folder / "start.sh", "#!/bin/bash\n./nano_node --daemon --data_path Nano\n")
    with subprocess.Popen(["/bin/bash", "start.sh"], cwd=folder, start_new_session=True) as shell:
        try:
            deadline = time.monotonic() + 20
            while not (seen := [one for one in host.look().running("nano_node") if one.directory == folder]):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield seen[0]
        finally:
            os.killpg(shell.pid, signal.SIGTERM)


def toml(settings: Mapping[str, str | bool | int]) -> str:
    """Write settings as both TOML and the node read them."""
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in settings.items())
