"""A real gRPC server that takes Hub's flags, a real client, and the certificates of both.

The server runs as a program of its own: `python -m tests.peers.grpc_hub --authMode ssl ...`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc

from tests.peers.hub import ROOT, Finished, free_port
from tests.peers.tls import self_signed
from wizard.demo import hub, hub_grpc
from wizard.demo.sandbox import Sandbox, _executable, _program
from wizard.material.authority import Authority, new_authority, new_intermediate, new_root
from wizard.material.certificates import certificate_pem, self_signed_client
from wizard.material.key_types import KeyType
from wizard.material.keys import generate, private_pem
from wizard.material.names import read_name
from wizard.material.subject import Subject

GRPC_HUB = [sys.executable, "-m", "tests.peers.grpc_hub"]
GET_STATS = "/hub.rpc.Hub/GetStats"
STATS = b"\x08\x01"
"""A message whose first field is 1."""

LISTENING = "Server listening on "

LET_IN = ("client", "of the other authority", "with its intermediate", "pinned")
REFUSED = (
    "none",
    "the server's own",
    "stranger",
    "of an unknown authority",
    "expired",
    "without its intermediate",
)

RUN_GRPC_HUB = """\
from pathlib import Path
from tests.peers import grpc_hub
from wizard.demo import owner
owner.end_with_owner(Path({root!r}))
sys.exit(grpc_hub.main(sys.argv[1:]))"""


# The server -------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Run until SIGTERM; reads its flags, logs and ends as the stand-in does."""
    return hub.main(arguments, _build_and_start)


def _build_and_start(address: str, files: hub_grpc.Files | None) -> object:
    server = grpc.server(ThreadPoolExecutor(4))
    stats: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(lambda *_: STATS)
    methods = grpc.method_handlers_generic_handler("hub.rpc.Hub", {"GetStats": stats})
    server.add_generic_rpc_handlers((methods,))
    try:
        if files is None:
            server.add_insecure_port(address)
        else:
            server.add_secure_port(address, _credentials(files))
    except RuntimeError:  # where the C++ API returns no server
        return None
    server.start()
    return server


def _credentials(files: hub_grpc.Files) -> grpc.ServerCredentials:
    pair = files.key.read_bytes(), files.certificate.read_bytes()
    return grpc.ssl_server_credentials([pair], files.authorities.read_bytes(), require_client_auth=True)


def real_grpc_hub(box: Sandbox) -> None:
    """Let the sandbox's start.sh start the real server; a Hub that runs goes on until it is restarted."""
    _executable(box.hub / "bazel-bin" / "hub" / "hub", _program(RUN_GRPC_HUB.format(root=str(box.root))))


@contextmanager
def serving(*flags: str, program: Sequence[str] = GRPC_HUB, host: str = "127.0.0.1") -> Iterator[int]:
    """Run on a free port until the block ends; yields the port. `host` is written as in --listenAddress."""
    port = free_port()
    arguments = [*program, *flags, "--listenAddress", f"{host}:{port}"]
    with subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            log = list(_until_listening(process.stderr))
            assert log and LISTENING in log[-1], "".join(log)
            yield port
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            finally:
                process.kill()


def _until_listening(log: Iterator[str]) -> Iterator[str]:
    for line in log:
        yield line
        if LISTENING in line:
            return


def run(*flags: str) -> Finished:
    """Run until it ends by itself."""
    arguments = [*GRPC_HUB, *flags]
    done = subprocess.run(arguments, capture_output=True, cwd=ROOT, text=True, timeout=60, check=False)
    return Finished(done.returncode, done.stderr)


# The client -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GrpcClient:
    """A client with PEM files: whom it trusts, and who it is. Without the first it does without TLS."""

    ca: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = None

    def call(self, port: int, method: str = GET_STATS, *, host: str = "127.0.0.1") -> str:
        """Make one call on a connection of its own; returns as `status`."""
        with self.channel(f"{host}:{port}") as channel:
            return self.status(channel, method)

    @staticmethod
    def status(channel: grpc.Channel, method: str = GET_STATS, message: bytes = b"") -> str:
        """Make a call of at most ten seconds; returns the name of its status code, such as OK.

        Where there is no connection, that is "UNAVAILABLE: " and what gRPC says of it.
        """
        called: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
        try:
            called(message, timeout=10)
        except grpc.RpcError as error:
            name = error.code().name
            return f"{name}: {error.details()}" if name == "UNAVAILABLE" else name
        return "OK"

    def channel(self, target: str) -> grpc.Channel:
        """Open a channel, to be closed after use."""
        # What was learned of an address in an earlier call must not count, and no proxy is asked.
        options = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0))
        if self.ca is None:
            return grpc.insecure_channel(target, options)
        credentials = grpc.ssl_channel_credentials(self.ca, self.key, self.certificate)
        return grpc.secure_channel(target, credentials, options)


# The certificates -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Identity:
    """A certificate with its chain, leaf first, and its key, both PEM."""

    certificate: bytes
    key: bytes


class Parties:
    """A server with its files in a folder, and whoever may want in.

    The file of its authorities holds two of them, a root over an intermediate, and one client's own
    certificate.
    """

    def __init__(self, folder: Path) -> None:
        now = datetime.now(UTC)
        self.folder = folder
        ours, other = _authority("Hub", now), _authority("Hub of before", now)
        root = new_root(generate(KeyType.ECDSA_P256), Subject("root"), 3650, now)
        below = new_intermediate(root, generate(KeyType.ECDSA_P256), Subject("below"), 365, now)
        pinned_key = generate(KeyType.ECDSA_P256)
        pinned = self_signed_client(pinned_key, Subject("pinned"), 30, now)
        self.ca = certificate_pem(ours.certificate)
        """What clients trust."""
        self.server = _server(ours, now)
        self.clients: dict[str, Identity | None] = {
            "client": _client(ours, now),
            "of the other authority": _client(other, now),
            "with its intermediate": _client(below, now),
            "pinned": Identity(certificate_pem(pinned), private_pem(pinned_key)),
            "none": None,
            "the server's own": self.server,
            "stranger": Identity(*self_signed("stranger")),
            "of an unknown authority": _client(_authority("Hub", now), now),
            "expired": _client(ours, now - timedelta(days=60)),
            "without its intermediate": _client(below, now, chain=False),
        }
        trusted = (ours.certificate, other.certificate, root.certificate, pinned)
        self.write("ca.crt", b"".join(map(certificate_pem, trusted)))
        self.write("server.crt", self.server.certificate)
        self.write("server.key", self.server.key)

    def flags(self, **changed: Path | str) -> list[str]:
        """The flags of a Hub with these files, some of them changed."""
        files: dict[str, Path | str] = {
            "sslKey": self.folder / "server.key",
            "sslCert": self.folder / "server.crt",
            "sslCA": self.folder / "ca.crt",
            **changed,
        }
        return ["--authMode=ssl", *(f"--{flag}={path}" for flag, path in files.items())]

    def unusable(self) -> dict[str, list[str]]:
        """Flags with which gRPC builds no server, by what is wrong with them."""
        chain = self.write("chain.crt", self.ca + self.server.certificate)
        other = self.write("other.key", self_signed("other")[1])
        return {
            "an encrypted key": self.flags(sslKey=self._encrypted()),
            "the authority first": self.flags(sslCert=chain),
            "no certificate": self.flags(sslCert="/dev/null"),
            "no key": self.flags(sslKey="/dev/null"),
            "the key of another": self.flags(sslKey=other),
            "authorities that are none": self.flags(sslCA=self.folder / "server.key"),
        }

    def client(self, who: str = "client") -> GrpcClient:
        """One of `clients`; it trusts the server."""
        identity = self.clients[who]
        if identity is None:
            return GrpcClient(self.ca)
        return GrpcClient(self.ca, identity.certificate, identity.key)

    def write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def _encrypted(self) -> Path:
        path = self.folder / "encrypted.key"
        source = ["openssl", "pkey", "-in", str(self.folder / "server.key"), "-aes256", "-passout"]
        subprocess.run([*source, "pass:words", "-out", str(path)], check=True, timeout=60)
        return path


def _authority(name: str, now: datetime) -> Authority:
    return new_authority(generate(KeyType.ECDSA_P256), Subject(name), 3650, now - timedelta(days=100))


def _server(authority: Authority, now: datetime) -> Identity:
    key = generate(KeyType.ECDSA_P256)
    names = [read_name(name) for name in ("localhost", "127.0.0.1", "::1")]
    issued = authority.issue_server(key.public_key(), Subject("localhost"), names, 30, now)
    return Identity(certificate_pem(issued), private_pem(key))


def _client(authority: Authority, now: datetime, *, chain: bool = True) -> Identity:
    key = generate(KeyType.ECDSA_P256)
    issued = authority.issue_client(key.public_key(), Subject("wallet"), 30, now)
    sent = authority.chain(issued) if chain else (issued,)
    return Identity(b"".join(map(certificate_pem, sent)), private_pem(key))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
