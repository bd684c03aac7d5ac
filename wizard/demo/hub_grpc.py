"""What a client sees of a gRPC server on one connection: TLS with client certificates, and HTTP/2.

Follows gRPC core (grpc/grpc src/core/tsi/ssl_transport_security.cc, src/core/ext/transport/chttp2) as far as
TLS and a first call show it. Every call is answered with the status UNIMPLEMENTED.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeVar

T = TypeVar("T")

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What every client says first (RFC 9113 3.4)."""

_LONGEST_FRAME = 16_384
"""Octets of payload that may be sent without asking (RFC 9113 4.2)."""

_ACK = _END_STREAM = 0x1
_END_HEADERS = 0x4


class _Frame(IntEnum):
    """Types of frames (RFC 9113 6)."""

    DATA = 0x0
    HEADERS = 0x1
    SETTINGS = 0x4
    PING = 0x6
    WINDOW_UPDATE = 0x8
    CONTINUATION = 0x9


# `:status: 200` and the name `content-type` by their numbers in the static table, the rest as literals that
# are not indexed (RFC 7541 6.1, 6.2.2 and appendix A). Status 12 is UNIMPLEMENTED (doc/statuscodes.md).
_UNIMPLEMENTED = b"\x88\x0f\x10\x10application/grpc\x00\x0bgrpc-status\x0212"

_ADDRESS = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]]+))(?::([0-9]*))?")


@dataclass(frozen=True)
class Files:
    """Where the PEM files are that a secured server is made of."""

    key: Path
    certificate: Path
    """Leaf first, then its intermediates."""
    authorities: Path
    """Whose clients are let in."""


def credentials(files: Files) -> ssl.SSLContext:
    """Load what the files hold; without any authority every client is refused.

    OSError or ValueError: they cannot be used, for instance since the key is encrypted.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(files.certificate, files.key, password=no_password)
    context.verify_mode = ssl.CERT_REQUIRED
    # What stands among the authorities is trusted, whether it is a root or not.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if files.authorities.read_bytes():
        context.load_verify_locations(files.authorities)
    return context


def no_password() -> NoReturn:
    """Answer OpenSSL's question for a passphrase as a program that has none, so that it asks nobody."""
    raise ValueError("bad password read")


def addresses(text: str) -> list[tuple[Any, ...]]:
    """Look up `host:port` as gRPC does: names and IPv6 are allowed, and the port is 443 where it is left out.

    IPv4 addresses are mapped to IPv6 where the system has it, so one listens on `::ffff:127.0.0.1`, and
    `0.0.0.0` is both. OSError or ValueError: nothing can be found under this.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is no address with a port")
    host, port = match[1] or match[2], match[3] or "443"
    mapped = socket.has_dualstack_ipv6()
    if mapped and host == "0.0.0.0":  # noqa: S104 -- it is compared with, not listened on
        host = "::"
    family = socket.AF_INET6 if mapped else socket.AF_INET
    flags = socket.AI_V4MAPPED | socket.AI_ALL | socket.AI_PASSIVE
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=flags)
    return list(dict.fromkeys(address for *_, address in found))


class _Stream(Protocol):
    def recv(self, size: int, /) -> bytes: ...
    def sendall(self, data: bytes, /) -> None: ...


def converse(connection: socket.socket, context: ssl.SSLContext | None) -> None:
    """Be the server on this connection until the client leaves; without a context there is no TLS.

    OSError: the connection broke, or the client was refused.
    """
    if context is None:
        _answer(connection)
        return
    secured = _Secured(connection, context)
    if secured.protocol == "h2":  # else gRPC closes without a word
        _answer(secured)


class _Secured:
    """TLS, but a client that is refused is not told why.

    Like ssl_handshaker_next, which returns an error and leaves the alert in its buffer.
    """

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        self._connection = connection
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._complete(self._tls.do_handshake)

    @property
    def protocol(self) -> str | None:
        """What was agreed on by ALPN (RFC 7301)."""
        return self._tls.selected_alpn_protocol()

    def recv(self, size: int) -> bytes:
        try:
            return self._complete(lambda: self._tls.read(size))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def sendall(self, data: bytes) -> None:
        self._complete(lambda: self._tls.write(data))

    def _complete(self, step: Callable[[], T]) -> T:
        """Repeat the step, giving it what it waits for, until it is done."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._connection.sendall(self._outgoing.read())
                data = self._connection.recv(_LONGEST_FRAME)
                self._incoming.write(data) if data else self._incoming.write_eof()
            else:
                self._connection.sendall(self._outgoing.read())
                return result


class _Incoming:
    """What the client sends, in pieces of the size asked for."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._data = b""

    def take(self, size: int) -> bytes:
        """Wait for so many octets. EOFError: the client has left."""
        while len(self._data) < size:
            data = self._stream.recv(_LONGEST_FRAME)
            if not data:
                raise EOFError
            self._data += data
        taken, self._data = self._data[:size], self._data[size:]
        return taken


def _answer(stream: _Stream) -> None:
    # gRPC speaks first, so whoever takes the port for another service gets this in answer.
    stream.sendall(_frame(_Frame.SETTINGS))
    incoming = _Incoming(stream)
    try:
        if any(incoming.take(1)[0] != octet for octet in _PREFACE):
            return
        while True:
            head = incoming.take(9)
            size, kind, flags = int.from_bytes(head[:3]), head[3], head[4]
            if size > _LONGEST_FRAME:
                return
            answer = _reply(kind, flags, int.from_bytes(head[5:]), incoming.take(size))
            if answer:
                stream.sendall(answer)
    except EOFError:
        return


def _reply(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return the frame that answers this one; nothing for most."""
    match kind:
        case _Frame.SETTINGS if not flags & _ACK:
            return _frame(_Frame.SETTINGS, _ACK)
        case _Frame.PING if not flags & _ACK:
            return _frame(_Frame.PING, _ACK, payload=payload)
        case _Frame.HEADERS | _Frame.CONTINUATION if flags & _END_HEADERS:
            return _frame(_Frame.HEADERS, _END_HEADERS | _END_STREAM, stream, _UNIMPLEMENTED)
        case _Frame.DATA if payload:  # passed over; the client may send as much again
            return _frame(_Frame.WINDOW_UPDATE, payload=len(payload).to_bytes(4))
    return b""


def _frame(kind: _Frame, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload
