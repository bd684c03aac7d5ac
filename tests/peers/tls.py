"""Servers on loopback to connect to: real sockets, free ports, one thread each."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from wizard.material.certificates import certificate_pem, self_signed_server
from wizard.material.key_types import KeyType
from wizard.material.keys import generate, private_pem
from wizard.material.names import read_name

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

Handler = Callable[[socket.socket], None]


@contextmanager
def listening(handler: Handler, host: str = "127.0.0.1") -> Iterator[int]:
    """Give each connection to `handler`, one after another, until the block ends; yields the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        thread = threading.Thread(target=_serve, args=(listener, handler), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
            thread.join(timeout=10)


def _serve(listener: socket.socket, handler: Handler) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(OSError):  # refused handshakes are what many tests want
            connection.settimeout(5)
            handler(connection)


def https(context: ssl.SSLContext, answer: bytes = ANSWER) -> Handler:
    """Answer one request over TLS."""

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(65536)
            tls.sendall(answer)
            with suppress(OSError):
                tls.unwrap()

    return handle


def server_context(certificate: bytes, key: bytes, directory: Path) -> ssl.SSLContext:
    """A server's context from PEM bytes, which `directory` holds meanwhile."""
    (directory / "server.crt").write_bytes(certificate)
    (directory / "server.key").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.crt", directory / "server.key")
    return context


def self_signed(
    *names: str,
    key_type: KeyType = KeyType.ECDSA_P256,
    days: int = 30,
    now: datetime | None = None,
) -> tuple[bytes, bytes]:
    """Certificate and key as PEM, made by the wizard for `names`."""
    key = generate(key_type)
    read = tuple(read_name(name) for name in names)
    certificate = self_signed_server(key, names[0], read, days, now or datetime.now(UTC))
    return certificate_pem(certificate), private_pem(key)
