"""A throw-away folder with sample services in it, running, in which the whole way can be gone."""

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
from secrets import SystemRandom

import psutil

from wizard import host
from wizard.demo import nginx
from wizard.demo.nano import generated_config
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

# The same guide's for the gRPC API, with the port of a second Hub.
GRPC_SCRIPT = """\
#!/bin/bash

./bazel-bin/hub/hub \\
\t--salt CHANGETHIS-and-keep-it-to-yourself \\
\t--db hub \\
\t--dbUser root \\
\t--dbPassword myrootpassword \\
\t--apiAddress 127.0.0.1:14265 \\
\t--minWeightMagnitude 14 \\
\t--listenAddress 127.0.0.1:{port}
"""

NGINX_SCRIPT = "#!/bin/bash\n\n./nginx-service\n"
NANO_SCRIPT = "#!/bin/bash\n\n./nano_node --daemon --data_path Nano\n"

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
RUN_NANO = """\
from pathlib import Path
from wizard.demo import nano, nano_config, owner
owner.end_with_owner(Path({root!r}))
sys.exit(nano.main(sys.argv[1:], nano_config.Build({version!r})))"""
RUN_NGINX = """\
from pathlib import Path
from wizard.demo import nginx, owner
owner.end_with_owner(Path({root!r}))
sys.exit(nginx.main(Path({nginx!r}), Path({folder!r})))"""
RESTART = """\
from pathlib import Path
from wizard.demo.sandbox import Sandbox
here = Path(__file__)
Sandbox(here.parent).restart(here.parent / here.name.removeprefix("restart-"))"""

NODE_VERSION = "25.1"
"""Of the Nano node: the last that has TLS is V26."""
SELDOM_USED = range(20_000, 32_000)
"""Ports that no connection takes for its own end, as it may any from 32768 on (ip_local_port_range)."""
SECONDS_TO_START = 10


@dataclass(frozen=True)
class Sandbox:
    """The folder and what is in it."""

    root: Path
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False, compare=False)
    """Kept until they have ended, so that they can be waited for."""

    @property
    def hub(self) -> Path:
        """The folder of the Hub for REST, with start.sh."""
        return self.root / "hub"

    @property
    def grpc_hub(self) -> Path:
        """The folder of the one for gRPC; only the demo has it."""
        return self.root / "grpc-hub"

    @property
    def nano(self) -> Path:
        """The folder of the Nano node, with its data in Nano; only the demo has it."""
        return self.root / "nano"

    @property
    def nginx(self) -> Path:
        """The folder of nginx, with nginx.conf; only the demo has it, where there is an nginx."""
        return self.root / "nginx"

    @property
    def hubs_address(self) -> str:
        """Where the Hub for REST listens."""
        words = (self.hub / "start.sh").read_text().split()
        return words[words.index("--listenAddress") + 1]

    @property
    def services(self) -> tuple[Path, ...]:
        """The folders of the services that are here."""
        # nginx first: it is ready at once, so nobody else takes the port that was free a moment ago.
        every = (self.nginx, self.hub, self.grpc_hub, self.nano)
        return tuple(folder for folder in every if folder.is_dir())

    @property
    def state(self) -> State:
        """The wizard's own state: earlier runs, kept answers."""
        return State(self.root / "state")

    def look(self) -> Host:
        """This host, with nothing on it but the sample services."""
        here = host.look()
        mine = [
            replace(service, restart=(f"{folder.parent}/restart-{folder.name}",))
            for service in here.services
            for folder in self.services
            if service.directory and service.directory.is_relative_to(folder)
        ]
        return replace(here, services=tuple(mine), state=self.state, sudo="")

    def start(self) -> None:
        """Start each service as its operator would, and wait until all listen."""
        for folder in self.services:
            self._start(folder)

    def _start(self, folder: Path) -> None:
        with self._beside(folder, "log").open("ab") as log:
            process = subprocess.Popen(
                ["/bin/bash", str(folder / "start.sh")],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started.append(process)
        self._beside(folder, "pid").write_text(str(process.pid))
        deadline = time.monotonic() + SECONDS_TO_START
        while process.poll() is None and time.monotonic() < deadline:
            if any(one.listening for one in self.look().services if one.directory == folder):
                return
            time.sleep(0.05)
        said = self._beside(folder, "log").read_text(errors="replace")[-500:]
        raise WizardError(f"The sample {folder.name} does not start. It says:\n{said}")

    def stop(self) -> None:
        """Stop each service with the shell that started it, and wait until all have gone."""
        for folder in self.services:
            self._stop(folder)

    def _stop(self, folder: Path) -> None:
        try:
            shell = psutil.Process(int(self._beside(folder, "pid").read_text()))
            processes = [shell, *shell.children(recursive=True)]
            os.killpg(shell.pid, signal.SIGTERM)
        except (FileNotFoundError, psutil.NoSuchProcess, ProcessLookupError):
            return
        deadline = time.monotonic() + SECONDS_TO_START
        while any(map(_alive, processes)) and time.monotonic() < deadline:
            time.sleep(0.02)
        for process in self._started:
            process.poll()

    def restart(self, folder: Path | None = None) -> None:
        """Stop and start one service, or all."""
        for one in (folder,) if folder else self.services:
            self._stop(one)
            self._start(one)

    def exchange_node(self, version: str) -> None:
        """Have the Nano node be of another version, as after an update or a step back."""
        self._stop(self.nano)
        _executable(self.nano / "nano_node", _node(self.nano, version))
        self._start(self.nano)

    def _beside(self, folder: Path, ending: str) -> Path:
        return self.root / f"{folder.name}.{ending}"


def furnish(root: Path) -> Sandbox:
    """Put a sample Hub for REST into an empty folder."""
    box = Sandbox(root)
    _put_hub(box.hub, START_SCRIPT.format(port=free_port(50051)))
    return box


def furnish_all(root: Path) -> Sandbox:
    """The same with a second Hub, for gRPC, a Nano node and an nginx before the Hub."""
    box = furnish(root)
    _put_hub(box.grpc_hub, GRPC_SCRIPT.format(port=free_port(50061)))
    _put_nano(box.nano, free_port(7076))
    if program := nginx.program():
        _put_nginx(box.nginx, program, free_port(8080), box.hubs_address)
    return box


def _put_hub(folder: Path, script: str) -> None:
    (folder / "bazel-bin" / "hub").mkdir(parents=True)
    _executable(folder / "bazel-bin" / "hub" / "hub", _program(RUN_HUB.format(root=str(folder.parent))))
    _executable(folder.parent / f"restart-{folder.name}", _program(RESTART))
    _executable(folder / "start.sh", script)


def _put_nano(folder: Path, port: int) -> None:
    (folder / "Nano").mkdir(parents=True)
    _executable(folder / "nano_node", _node(folder, NODE_VERSION))
    _executable(folder.parent / f"restart-{folder.name}", _program(RESTART))
    _executable(folder / "start.sh", NANO_SCRIPT)
    node, rpc = generated_config("node"), generated_config("rpc")
    listens = f'address = "::ffff:127.0.0.1"\nport = {port}\n'
    (folder / "Nano" / "config-node.toml").write_text(node.replace("\n[rpc]\n", "\n[rpc]\nenable = true\n"))
    (folder / "Nano" / "config-rpc.toml").write_text(rpc.replace("\n[logging]", f"\n{listens}\n[logging]"))


def _node(folder: Path, version: str) -> str:
    return _program(RUN_NANO.format(root=str(folder.parent), version=version))


def _put_nginx(folder: Path, program: Path, port: int, upstream: str) -> None:
    nginx.furnish(folder, port, upstream)
    code = RUN_NGINX.format(root=str(folder.parent), nginx=str(program), folder=str(folder))
    _executable(folder / "nginx-service", _program(code))
    _executable(folder.parent / f"restart-{folder.name}", _program(RESTART))
    _executable(folder / "start.sh", NGINX_SCRIPT)


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
    """A furnished folder with all services running; afterwards nothing of it is left."""
    with tempfile.TemporaryDirectory(prefix="tls-wizard-demo-", ignore_cleanup_errors=True) as root:
        box = furnish_all(Path(root).resolve())
        with owning(box.root):
            box.start()
            try:
                yield box
            finally:
                box.stop()


def free_port(wanted: int) -> int:
    """This port when nothing uses it, else any free one."""
    for port in (wanted, *SystemRandom().sample(SELDOM_USED, 100)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise WizardError("There is no free port on 127.0.0.1 for a sample service.")
