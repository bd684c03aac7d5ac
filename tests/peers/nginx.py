"""A real nginx on loopback that presents given files, in a folder of its own, as whoever runs the tests."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.peers.hub import free_port
from tests.peers.nginx_host import debians

_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 64; }}
http {{
    access_log off;
{temporary}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
{more}
        location / {{ default_type text/plain; return 200 "served\\n"; }}
    }}
}}
"""


@contextmanager
def nginx(folder: Path, certificate: Path, key: Path, *settings: str) -> Iterator[int]:
    """Serve these files until the block ends; yields the port. `settings` are lines of its `server`."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    temporary = "\n".join(f"    {name}_temp_path {folder}/{name};" for name in _temporary_paths())
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            temporary=temporary,
            port=port,
            certificate=certificate,
            key=key,
            more="\n".join(f"        {line}" for line in settings),
        )
    )
    command = [str(debians()), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            _wait(running, port, folder / "error.log")
            yield port
        finally:
            running.terminate()


def _wait(running: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 10
    while running.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"nginx does not start: {log.read_text() if log.exists() else 'it says nothing'}")


@cache
def _temporary_paths() -> tuple[str, ...]:
    """The folders it would else make in the system, by what it was built with."""
    built = subprocess.run([debians(), "-V"], capture_output=True, text=True, check=True).stderr
    return tuple(name for name in _TEMPORARY if f"--without-http_{name}_module" not in built)
