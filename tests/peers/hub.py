"""The stand-in Hub as a process of its own, as an operator would have it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.tls import self_signed
from wizard.material.dh import dh_parameters

HUB = [sys.executable, "-m", "wizard.demo.hub"]
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Finished:
    """How the program ended by itself."""

    code: int
    log: str


def free_port() -> int:
    """A port of loopback that nothing used a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def run(*flags: str) -> Finished:
    """Run until it ends by itself."""
    done = subprocess.run([*HUB, *flags], capture_output=True, cwd=ROOT, text=True, timeout=60, check=False)
    return Finished(done.returncode, done.stderr)


@contextmanager
def running(*flags: str) -> Iterator[int]:
    """Run on a free port of loopback until the block ends; yields the port."""
    port = free_port()
    arguments = [*HUB, *flags, "--listenAddress", f"127.0.0.1:{port}"]
    with subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_open(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=10)


def wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a program that was started takes connections on a port of loopback."""
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"the stand-in does not listen; exit code {process.poll()}")


@dataclass(frozen=True)
class Secured:
    """Files and flags as they stand after Hub was secured."""

    certificate: Path
    flags: tuple[str, ...]


def secured(directory: Path, *names: str) -> Secured:
    """Write a certificate for `names`, its key and DH parameters, and name the flags that use them."""
    certificate, key = self_signed(*names)
    contents = {"cert.pem": certificate, "key.pem": key, "dh.pem": dh_parameters()}
    for name, data in contents.items():
        (directory / name).write_bytes(data)
    files = {"sslCert": "cert.pem", "sslKey": "key.pem", "sslDH": "dh.pem"}
    flags = [word for flag, name in files.items() for word in (f"--{flag}", str(directory / name))]
    return Secured(directory / "cert.pem", ("--serverType", "http", "--authMode", "ssl", *flags))
