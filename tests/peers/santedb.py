"""A SanteDB on Mono: its configuration and its listener are real, its services are not.

`tests/peers/mono/SanteDB.cs` is compiled into the folder of the installation, in 0.2 seconds.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import psutil

from tests.peers.hub import free_port

SOURCE = Path(__file__).parent / "mono" / "SanteDB.cs"
CONFIG = """\
<?xml version="1.0" encoding="utf-8"?>
<SanteDBConfiguration xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0.0" \
xmlns="http://santedb.org/configuration">
  <sections>
    <add type="SanteDB.Rest.Common.Configuration.RestConfigurationSection, SanteDB.Rest.Common" />
  </sections>
  <section xsi:type="DataConfigurationSection">
    <connectionStrings>
      <add name="main" value="server=db; user id=santedb; password=Very-Secret-9; database=santedb" />
    </connectionStrings>
  </section>
  <section xsi:type="RestConfigurationSection">
    <service name="HDSI">
      <behaviors>
        <add type="SanteDB.Rest.Common.Security.TokenAuthorizationAccessBehavior, SanteDB.Rest.Common" />
      </behaviors>
      <endpoint contract="SanteDB.Rest.HDSI.IHdsiServiceContract, SanteDB.Rest.HDSI" \
address="http://{host}:{port}/hdsi">
        <certificate />
        <clientCerts>false</clientCerts>
      </endpoint>
    </service>
    <service name="AMI">
      <!-- <endpoint contract="old" address="http://{host}:{port}/old" /> -->
      <endpoint address='http://{host}:{port}/ami'
                contract='SanteDB.Rest.AMI.IAmiServiceContract, SanteDB.Rest.AMI' />
    </service>
  </section>
</SanteDBConfiguration>
"""


@cache
def compiled() -> Path:
    """The program, compiled once for all tests of this process."""
    folder = Path(mkdtemp(prefix="santedb-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(["mcs", f"-out:{folder / 'SanteDB.exe'}", str(SOURCE)], check=True, capture_output=True)
    return folder / "SanteDB.exe"


@dataclass(frozen=True)
class Installation:
    """The folder of the program with its configuration, and the home of its account."""

    root: Path
    host: str = "0.0.0.0"
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(exist_ok=True)
        shutil.copy(compiled(), self.program)
        self.config.write_text(CONFIG.format(host=self.host, port=self.port))

    @property
    def folder(self) -> Path:
        return self.root / "server"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def program(self) -> Path:
        return self.folder / "SanteDB.exe"

    @property
    def config(self) -> Path:
        return self.folder / "santedb.config.xml"

    @property
    def listener(self) -> Path:
        """Where Mono looks for certificates."""
        return self.home / ".config" / ".mono" / "httplistener"

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.home)

    @contextmanager
    def running(self, user: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """It runs, until the block ends; as another user only when root runs the tests."""
        with subprocess.Popen(
            ["mono", str(self.program), "--console"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == b"ready\n"
                yield process
            finally:
                process.kill()  # Mono may hang when it ends by itself

    @contextmanager
    def seeming_to_run(self) -> Iterator[psutil.Process]:
        """Another process with the same environment, where it does not matter what is served."""
        with subprocess.Popen(["sleep", "600"], env=self.environment) as process:
            deadline = time.monotonic() + 10
            while b"sleep" not in Path(f"/proc/{process.pid}/cmdline").read_bytes():
                assert time.monotonic() < deadline
            try:
                yield psutil.Process(process.pid)
            finally:
                process.kill()


def environment(home: Path) -> dict[str, str]:
    """Of a process whose account has this home."""
    kept = {name: value for name, value in os.environ.items() if name != "XDG_CONFIG_HOME"}
    return {**kept, "HOME": str(home)}


@contextmanager
def listening(home: Path, prefixes: Sequence[str]) -> Iterator[None]:
    """One Mono listens on all of these, until the block ends."""
    with subprocess.Popen(
        ["mono", str(compiled()), *prefixes],
        env=environment(home),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"ready\n"
            yield
        finally:
            process.kill()
