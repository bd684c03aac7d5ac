"""A Nano node whose RPC makes the node's own library calls.

`tests/peers/nano/nano_node.cpp` is compiled on first use and kept in the cache folder of the user.
`python -m tests.peers.nano_node` is called like the node; how it reads its files and ends is the stand-in's
code, and only the server is another one. Certificates are loaded once all files have been read.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from wizard.demo import nano
from wizard.demo.nano_config import Build, Era, Rpc, Tls

SOURCE = Path(__file__).parent / "nano" / "nano_node.cpp"
INCLUDED = (Path("/usr/include"), Path("/usr/local/include"))
HEADERS = {"libboost-dev": "boost/asio/ssl.hpp", "libssl-dev": "openssl/ssl.h"}
VERSIONS = ("boost/version.hpp", "openssl/opensslv.h")

RUN_NANO_NODE = """\
from pathlib import Path
from tests.peers import nano_node
from wizard.demo import nano_config, owner
owner.end_with_owner(Path({root!r}))
sys.exit(nano_node.main(sys.argv[1:], nano_config.{build!r}))"""
"""The code of a program for a sandbox, as `wizard.demo.sandbox` puts it into one."""


def main(arguments: Sequence[str], build: Build | None = None) -> int:
    """Do what the options say; returns the exit code of the real program."""
    return nano.main(arguments, build, _serve)


def _serve(rpc: Rpc, tls: Tls, era: Era, log: nano.Log) -> int:
    called = sys.argv[0] if Path(sys.argv[0]).name == "nano_node" else "nano_node"
    command = [called, *sys.argv[1:]]
    with subprocess.Popen(command, executable=compiled(), env=_settings(rpc, tls, era, log)) as process:
        try:
            return process.wait()
        finally:
            process.terminate()


def _settings(rpc: Rpc, tls: Tls, era: Era, log: nano.Log) -> dict[str, str]:
    return {
        **os.environ,
        "NANO_LOG": str(log.path),
        "NANO_ADDRESS": rpc.address,
        "NANO_PORT": str(rpc.port),
        "NANO_ENABLE_HTTPS": str(tls.https).lower(),
        "NANO_ENABLE_WSS": str(tls.wss).lower(),
        "NANO_VERBOSE_LOGGING": str(tls.verbose_logging).lower(),
        "NANO_SERVER_KEY_PASSPHRASE": tls.server_key_passphrase,
        "NANO_SERVER_CERT_PATH": tls.server_cert_path,
        "NANO_SERVER_KEY_PATH": tls.server_key_path,
        "NANO_SERVER_DH_PATH": tls.server_dh_path,
        "NANO_CLIENT_CERTS_PATH": tls.client_certs_path,
        "NANO_HINT": nano.HINTS.get(era, ""),
    }


def missing() -> str:
    """Name the packages that it takes to compile the server and that are not here."""
    packages = [] if shutil.which("g++") else ["g++"]
    packages += [package for package, name in HEADERS.items() if not _headers(name)]
    return ", ".join(packages)


def _headers(*names: str) -> list[Path]:
    return [path for folder in INCLUDED for name in names if (path := folder / name).exists()]


@cache
def compiled() -> Path:
    """The server, compiled once for this source, compiler and libraries."""
    compiler = subprocess.check_output(["g++", "--version"], timeout=60)
    ingredients = [compiler, *(path.read_bytes() for path in (SOURCE, *_headers(*VERSIONS)))]
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tls-wizard-tests"
    folder = cached / hashlib.sha256(b"\0".join(ingredients)).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other test processes wait for the first
        if not (folder / "nano_node").exists():
            _compile(folder / "new")
            (folder / "new").rename(folder / "nano_node")
    return folder / "nano_node"


def _compile(program: Path) -> None:
    options = ["-std=c++17", "-O0", "-Wall", "-Wextra", "-o", str(program)]  # -O0: the least time
    libraries = ["-pthread", "-lssl", "-lcrypto"]
    subprocess.run(["g++", *options, str(SOURCE), *libraries], check=True, timeout=300)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
