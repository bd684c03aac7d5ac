"""A throw-away folder with a sample Hub in it, running, in which the whole way can be gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from wizard import host
from wizard.demo.owner import owning
from wizard.errors import WizardError
from wizard.host import Host
from wizard.state import State

# As the public install guide prints it for the REST API, its missing backslash included.
START_SCRIPT = """\
#!/bin/bash
\t
./bazel-bin/hub/hub \\
\t--salt CHANGETHIS-and-keep-it-to-yourself \\
\t--db hub \\
\t--dbUser root \\
\t--dbPassword myrootpassword \\
\t--apiAddress 127.0.0.1:14265 \\
\t--minWeightMagnitude 14 \\
\t--listenAddress 127.0.0.1:{port}
\t--serverType http
"""

PROGRAM = """\
#!{python}
import sys
sys.path.insert(0, {package!r})
{code}
"""
RUN_HUB = """\
from pathlib import Path
from wizard.demo import hub, owner
owner.end_with_owner(Path({root!r}))
sys.exit(hub.main(sys.argv[1:]))"""
RESTART_HUB = """\
from pathlib import Path
from wizard.demo.sandbox import Sandbox
Sandbox(Path(__file__).parent).restart()"""

SECONDS_TO_START = 10


@dataclass(frozen=True)
class Sandbox:
    """The folder and what is in it."""

    root: Path
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False, compare=False)
    """Kept until they have ended, so that they can be waited for."""

    @property
    def hub(self) -> Path:
        """Hub's folder, with start.sh."""
        return self.root / "hub"

    @property
    def state(self) -> State:
        """The wizard's own state: earlier runs, kept answers."""
        return State(self.root / "state")

    @property
    def restart_command(self) -> tuple[str, ...]:
        """Stands in for `supervisorctl restart hub`."""
        return (str(self.root / "restart-hub"),)

    def look(self) -> Host:
        """This host, with nothing on it but the sample services."""
        here = host.look()
        mine = [s for s in here.services if s.directory and s.directory.is_relative_to(self.root)]
        services = tuple(replace(s, restart=self.restart_command) for s in mine)
        return replace(here, services=services, state=self.state)

    def start(self) -> None:
        """Start Hub as its operator would, and wait until it listens."""
        with (self.root / "hub.log").open("ab") as log:
            process = subprocess.Popen(
                ["/bin/bash", str(self.hub / "start.sh")],
                cwd=self.hub,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started.append(process)
        (self.root / "hub.pid").write_text(str(process.pid))
        deadline = time.monotonic() + SECONDS_TO_START
        while process.poll() is None and time.monotonic() < deadline:
            if any(service.listening for service in self.look().services):
                return
            time.sleep(0.05)
        said = (self.root / "hub.log").read_text(errors="replace")[-500:]
        raise WizardError(f"The sample Hub does not start. It says:\n{said}")

    def stop(self) -> None:
        """Stop Hub with the shell that started it, and wait until both have gone."""
        try:
            shell = psutil.Process(int((self.root / "hub.pid").read_text()))
            processes = [shell, *shell.children(recursive=True)]
            os.killpg(shell.pid, signal.SIGTERM)
        except (FileNotFoundError, psutil.NoSuchProcess, ProcessLookupError):
            return
        deadline = time.monotonic() + SECONDS_TO_START
        while any(map(_alive, processes)) and time.monotonic() < deadline:
            time.sleep(0.02)
        for process in self._started:
            process.poll()

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()


def furnish(root: Path) -> Sandbox:
    """Put the sample Hub into an empty folder."""
    box = Sandbox(root)
    (box.hub / "bazel-bin" / "hub").mkdir(parents=True)
    _executable(box.hub / "bazel-bin" / "hub" / "hub", _program(RUN_HUB.format(root=str(root))))
    _executable(root / "restart-hub", _program(RESTART_HUB))
    _executable(box.hub / "start.sh", START_SCRIPT.format(port=_free_port()))
    return box


def _program(code: str) -> str:
    return PROGRAM.format(python=sys.executable, package=str(Path(__file__).parents[2]), code=code)


def _executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _alive(process: psutil.Process) -> bool:
    # What has ended but was not waited for by its parent is as good as gone.
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """A furnished folder with Hub running; afterwards nothing of it is left."""
    with tempfile.TemporaryDirectory(prefix="tls-wizard-demo-", ignore_cleanup_errors=True) as root:
        box = furnish(Path(root).resolve())
        with owning(box.root):
            box.start()
            try:
                yield box
            finally:
                box.stop()


def _free_port() -> int:
    """Hub's own port when nothing uses it, else any free one."""
    for port in (50051, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise WizardError("There is no free port on 127.0.0.1 for the sample Hub.")
