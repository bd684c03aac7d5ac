"""Servers that ask for client certificates, of OpenSSL and of gRPC, and those who come to them.

The gRPC server runs as a program of its own, `python -m tests.peers.mutual`, for its threads outlive it.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509

from tests.peers.tls import ANSWER, Handler, https, listening, server_context
from wizard.material.authority import Authority, new_authority
from wizard.material.certificates import certificate_pem
from wizard.material.key_types import KeyType
from wizard.material.keys import generate, private_pem
from wizard.material.names import read_name
from wizard.material.recipes import Issuer, Recipe, issue, server_names, validity_from
from wizard.material.subject import Subject
from wizard.probe import Identity

NAMES = ("signer", "127.0.0.1")
CLIENT = "rpc.user.1"

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Parties:
    """Everybody, with keys and certificates under one authority unless they say otherwise."""

    authority: Authority
    ca: bytes
    """The authority's certificate, PEM."""
    server: Identity
    of_any_use: Identity
    """A server's too, but without extended key usage, as the scripts of public guides make it."""
    ours: Identity
    """A client that is to be let in."""
    of_another: Identity
    """The same client by another authority of the same name."""
    expired: Identity


@cache
def parties() -> Parties:
    """The same in a whole test run."""
    now = datetime.now(UTC)
    authority, another = (
        new_authority(
            generate(KeyType.ECDSA_P256), Subject("Example CA", "Example"), 3650, now - timedelta(days=100)
        )
        for _ in range(2)
    )
    return Parties(
        authority,
        certificate_pem(authority.certificate),
        server=_server(authority, now),
        of_any_use=_of_any_use(authority, now),
        ours=client_of(authority),
        of_another=client_of(another),
        expired=client_of(authority, now=now - timedelta(days=60)),
    )


def client_of(authority: Authority, name: str = CLIENT, now: datetime | None = None) -> Identity:
    """A client of an authority, whose certificate is valid for 30 days."""
    key = generate(KeyType.ECDSA_P256)
    leaf = authority.issue_client(key.public_key(), Subject(name), 30, now or datetime.now(UTC))
    return Identity(b"".join(map(certificate_pem, authority.chain(leaf))), private_pem(key))


def _server(authority: Authority, now: datetime) -> Identity:
    key = generate(KeyType.ECDSA_P256)
    names = [read_name(name) for name in NAMES]
    leaf = authority.issue_server(key.public_key(), Subject("signer"), names, 30, now)
    return Identity(certificate_pem(leaf), private_pem(key))


def _of_any_use(authority: Authority, now: datetime) -> Identity:
    key = generate(KeyType.ECDSA_P256)
    ours = authority.certificate
    key_id = ours.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    leaf = issue(
        Recipe(usages=frozenset({"digital_signature"})),
        public_key=key.public_key(),
        subject=x509.Name.from_rfc4514_string("CN=signer"),
        names=server_names(read_name(name) for name in NAMES),
        validity=validity_from(now, 30),
        issuer=Issuer(ours.subject, authority.key, key_id),
    )
    return Identity(certificate_pem(leaf), private_pem(key))


# OpenSSL ----------------------------------------------------------------------------------------------------


def demanding(
    server: Identity,
    ca: bytes | None,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    *,
    strict: bool = False,
    mode: ssl.VerifyMode = ssl.CERT_REQUIRED,
) -> ssl.SSLContext:
    """A server's context for one TLS version that takes clients of `ca`; None: it asks for no certificate."""
    with TemporaryDirectory() as folder:
        context = server_context(server.chain, server.key, Path(folder))
    context.minimum_version = context.maximum_version = version
    if ca is not None:
        context.load_verify_locations(cadata=ca.decode())
        context.verify_mode = mode
    if strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


@contextmanager
def openssl(context: ssl.SSLContext, answer: bytes = ANSWER) -> Iterator[int]:
    """Answer over TLS until the block ends; yields the port."""
    answering = https(context, answer)

    def handle(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else tickets delay each answer
        answering(connection)

    with listening(handle) as port:
        yield port


def speechless(context: ssl.SSLContext, last_words: bytes = b"", *, reset: bool = False) -> Handler:
    """Shake hands, and when that fails hang up with `last_words` in place of OpenSSL's alert."""

    def handle(connection: socket.socket) -> None:
        received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(received, to_send, server_side=True)
        refused = False
        while not refused:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(to_send.read())
                if not received.write(connection.recv(65536)):
                    return
            except ssl.SSLError:
                refused = True
        connection.sendall(last_words if refused else to_send.read())
        if reset:  # closing with this sends RST instead of FIN
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return handle


# gRPC -------------------------------------------------------------------------------------------------------


@contextmanager
def grpc_server(server: Identity | None, ca: bytes | None = None) -> Iterator[int]:
    """Run a real gRPC server until the block ends; yields the port.

    With a `server` it speaks TLS, and with a `ca` it demands certificates of its clients.
    """
    settings = {
        "chain": server.chain.decode() if server else "",
        "key": server.key.decode() if server else "",
        "ca": ca.decode() if ca else "",
    }
    command = [sys.executable, "-m", "tests.peers.mutual"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            print(json.dumps(settings), file=process.stdin, flush=True)
            yield int(process.stdout.readline())
        finally:
            with suppress(OSError):
                process.stdin.close()
            process.wait(timeout=10)


def _serve() -> None:
    import grpc

    settings = json.loads(sys.stdin.readline())
    key, chain, ca = (settings[name].encode() for name in ("key", "chain", "ca"))
    server = grpc.server(ThreadPoolExecutor(2))
    if chain:
        credentials = grpc.ssl_server_credentials([(key, chain)], ca or None, require_client_auth=bool(ca))
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()  # ends when the other side closes it
    server.stop(None)


if __name__ == "__main__":
    _serve()
