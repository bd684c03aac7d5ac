"""Real connections that find out what a service answers, with the standard library alone.

A probe never raises for what it meets: it returns what it saw, or a `Trouble` that says in a sentence
what stood in the way. Every wait is bounded; what the peer sends is kept unchanged but bounded in length,
so the one who shows it must make it harmless.

TLS 1.3 reports a refused client certificate only when the client first reads, so after every handshake
one request is written and its answer read. Some servers, gRPC among them, report nothing and hang up: that
is a refusal where the server has asked for a certificate and not yet taken what came.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import ClassVar

from wizard.handshake import Course, present
from wizard.material.fingerprint import fingerprint
from wizard.trouble import Kind, Trouble

TIMEOUT = 5.0
"""Seconds for connecting, and again for the handshake and the answer together."""

_LONGEST_ANSWER = 16_384

_LONGEST_NUMBER = 20
"""Digits of a length; int() raises ValueError at 4,300."""

_SETTINGS = b"\x04\x00\x00\x00\x00\x00"
"""Type, flags and stream of a SETTINGS frame, after its length (RFC 9113 4.1 and 6.5)."""

VERSIONS = {
    "TLS 1.0": ssl.TLSVersion.TLSv1,
    "TLS 1.1": ssl.TLSVersion.TLSv1_1,
    "TLS 1.2": ssl.TLSVersion.TLSv1_2,
    "TLS 1.3": ssl.TLSVersion.TLSv1_3,
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service listens: a host name or an IP address, and a port."""

    host: str
    """Without brackets."""
    port: int

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read `host:port`, an IPv6 address in brackets. ValueError: a sentence says what to change."""
        if any(character.isspace() or character == "/" for character in text.strip()):
            raise ValueError(f"{text}: leave out blanks, https:// and paths; give only a host and a port.")
        host, colon, port = text.strip().rpartition(":")
        if not colon or not host:
            raise ValueError(f"{text}: give a host and a port, such as 127.0.0.1:50051.")
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"{text}: the port must be a number from 1 to 65535.")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise ValueError(f"{text}: write an IPv6 address in brackets, such as [::1]:50051.")
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP/1.1 request, as a probe sends it and as a command for curl describes it."""

    protocols: ClassVar[tuple[str, ...]] = ()
    """What is offered by ALPN (RFC 7301): nothing, as older servers know nothing of it."""

    method: str = "GET"
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def to_bytes(self, host: str) -> bytes:
        """Write the request for `host`; the server is asked to close the connection afterwards."""
        headers = [("Host", bracketed(host)), *self.headers, ("Connection", "close")]
        if self.body or self.method == "POST":
            headers.append(("Content-Length", str(len(self.body))))
        head = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join([*head, "", ""]).encode() + self.body

    def succeeded(self, answer: Answer) -> bool:
        """Tell whether the answer is a success: a status of 200 to 299."""
        return answer.code is not None and 200 <= answer.code < 300


@dataclass(frozen=True, slots=True)
class Http2Preface:
    """The beginning of every HTTP/2 connection (RFC 9113 3.4), to which a gRPC server says its settings."""

    protocols: ClassVar[tuple[str, ...]] = ("h2",)
    """What is offered by ALPN (RFC 7301); gRPC servers hang up without it."""

    def to_bytes(self, host: str) -> bytes:
        """Write the preface and an empty SETTINGS frame; no host is named this early."""
        return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00" + _SETTINGS

    def succeeded(self, answer: Answer) -> bool:
        """Tell whether the answer is the server's half of the preface."""
        return answer.is_http2


@dataclass(frozen=True, slots=True)
class Identity:
    """What a client presents."""

    chain: bytes
    """PEM, leaf first."""
    key: bytes = field(repr=False)
    """PEM, PKCS#8, not encrypted."""
    source: str = ""
    """Where it comes from, to be told when it cannot be used."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The beginning of what a server sent back, unchanged; at most 16 KiB."""

    data: bytes
    timed_out: bool = False
    """Time was up before the answer was complete."""

    @property
    def status(self) -> str:
        """The HTTP status line, such as "HTTP/1.1 200 OK", or just "HTTP/2"; empty when it is not HTTP."""
        if self.is_http2:
            return "HTTP/2"
        line = self.data.split(b"\r\n", 1)[0][:200]
        return line.decode("latin-1") if line.startswith(b"HTTP/") else ""

    @property
    def is_http2(self) -> bool:
        """Whether it begins with a SETTINGS frame, as HTTP/2 servers have to (RFC 9113 3.4 and 6.5)."""
        return self.data[3:9] == _SETTINGS

    @property
    def code(self) -> int | None:
        """The HTTP status code."""
        words = self.status.split(maxsplit=2)
        return int(words[1]) if len(words) > 1 and words[1].isdecimal() else None

    def header(self, name: str) -> str | None:
        """The first value of an HTTP header field; None without one, or while the head is incomplete."""
        head, blank_line, _ = self.data.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n")[1:] if blank_line else ():
            field, _, value = line.partition(b":")
            if field.lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return None


@dataclass(frozen=True, slots=True)
class Handshake:
    """A TLS connection that came about and was used once."""

    version: str
    """Such as "TLS 1.3"."""
    cipher: str
    certificate: bytes
    """The server's own certificate, DER."""
    answer: Answer
    """Empty when the server said nothing in time or closed the connection."""
    asked: bool = False
    """Whether the server asked for a client certificate; it may let in those without."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate: AB:CD:..."""
        return fingerprint(self.certificate)


def tls(
    endpoint: Endpoint,
    server_name: str = "",
    *,
    ca: bytes | None = None,
    minimum: ssl.TLSVersion | None = None,
    maximum: ssl.TLSVersion | None = None,
    strict: bool = True,
    any_name: bool = False,
    timeout: float = TIMEOUT,
    request: Request | Http2Preface | None = None,
    client: Identity | None = None,
) -> Handshake | Trouble:
    """Connect as a client of `server_name` (else of the host), send a request, read how the answer begins.

    `ca` (PEM) is all that the client trusts; None accepts any certificate, to look at it. `strict` checks
    as Python 3.13 does by default; with `any_name` it does not matter for whom the certificate is. Without
    a request, `GET /` is sent. `timeout` is in seconds. `client` is presented to a server that asks for it.
    ValueError or ssl.SSLError: `ca` is not PEM.
    """
    # What is not ASCII stands in a remark, as in the list of Fedora.
    authority = ca.decode("ascii", "ignore") if ca is not None else None
    context = _client(authority, strict)
    opening = request or Request()
    context.check_hostname = context.check_hostname and not any_name
    if opening.protocols:
        context.set_alpn_protocols(list(opening.protocols))
    try:
        _limit_versions(context, minimum, maximum)
    except (ValueError, ssl.SSLError) as error:
        return Trouble.of(Kind.UNTRIED, endpoint, detail=str(error))
    if client is not None and (problem := present(context, client.chain, client.key)):
        source = f" ({client.source})" if client.source else ""
        return Trouble.of_identity(f"{problem}{source}")
    name = server_name or endpoint.host
    result = _converse(context, endpoint, name, opening.to_bytes(name), timeout)
    if isinstance(result, Trouble) and result.kind in (Kind.NOT_TLS, Kind.SILENT, Kind.CLOSED):
        innocuous = opening if isinstance(opening, Http2Preface) else None  # tells nobody what was to be sent
        in_the_clear = plain_http(endpoint, timeout=timeout, request=innocuous)
        return Trouble.of(Kind.PLAIN_HTTP, endpoint) if isinstance(in_the_clear, Answer) else result
    return result


def sent_certificates(
    endpoint: Endpoint,
    server_name: str = "",
    *,
    timeout: float = TIMEOUT,
) -> tuple[bytes, ...] | Trouble:
    """Return what the server sends, DER, its own certificate first, even if it then refuses the client."""
    context = _client(None, strict=False)
    connection = _connect(endpoint, timeout)
    if isinstance(connection, Trouble):
        return connection
    course, name = Course(context), server_name or endpoint.host
    try:
        with connection, context.wrap_socket(connection, server_hostname=name):
            pass
    except OSError as error:  # ssl.SSLError is one
        if not course.sent:
            return Trouble.in_handshake(error, endpoint, name)
    return course.sent


def plain_http(
    endpoint: Endpoint,
    server_name: str = "",
    *,
    timeout: float = TIMEOUT,
    request: Request | Http2Preface | None = None,
) -> Answer | Trouble:
    """Send a request without TLS and return the beginning of an HTTP answer; any status is an answer.

    With an `Http2Preface` it tells whether HTTP/2, and so gRPC, is served without TLS (RFC 9113 3.3).
    """
    connection = _connect(endpoint, timeout)
    if isinstance(connection, Trouble):
        return connection
    opening = request or Request()
    with connection:
        try:
            with suppress(OSError):  # whoever hangs up before the whole request may have answered
                connection.sendall(opening.to_bytes(server_name or endpoint.host))
            answer = _read_answer(connection, time.monotonic() + timeout)
        except OSError:
            return Trouble.of(Kind.CLOSED, endpoint)
    # A server of HTTP/2 alone says its settings to whoever comes, but has not answered HTTP/1.1 by that.
    if answer.status and not (answer.is_http2 and isinstance(opening, Request)):
        return answer
    if not answer.data:
        return Trouble.of(Kind.SILENT if answer.timed_out else Kind.CLOSED, endpoint)
    is_alert = answer.data.startswith(b"\x15\x03")  # record type alert, RFC 8446 5.1
    return Trouble.of(Kind.TLS_ONLY if is_alert else Kind.NOT_HTTP, endpoint)


def versions(
    endpoint: Endpoint,
    server_name: str = "",
    *,
    tried: Iterable[str] = tuple(VERSIONS),
    timeout: float = TIMEOUT,
    request: Request | Http2Preface | None = None,
    client: Identity | None = None,
) -> dict[str, Handshake | Trouble]:
    """Try TLS versions each by itself, whatever the certificate; keys are those of `VERSIONS`.

    A `Trouble` of the kind UNTRIED tells that the local library cannot speak that version.
    """
    return {
        label: tls(
            endpoint,
            server_name,
            minimum=VERSIONS[label],
            maximum=VERSIONS[label],
            timeout=timeout,
            request=request,
            client=client,
        )
        for label in tried
    }


def bracketed(host: str) -> str:
    """Write a host as URLs have it: an IPv6 address in brackets."""
    try:
        return f"[{host}]" if isinstance(ip_address(host), IPv6Address) else host
    except ValueError:
        return host


def _client(authority: str | None, strict: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = False  # RFC 9525: the Common Name is not consulted
    if authority is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=authority)
    if strict:  # by hand, for Python before 3.13
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


_changing_warnings = threading.Lock()


def _limit_versions(
    context: ssl.SSLContext, minimum: ssl.TLSVersion | None, maximum: ssl.TLSVersion | None
) -> None:
    """Set the versions. ValueError or ssl.SSLError: the local library does not have them."""
    if minimum in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        # OpenSSL 3 has no signatures for these at its usual security level.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    # Python warns that TLS 1.0 and 1.1 are deprecated, which is why we ask whether they are refused.
    with _changing_warnings, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if minimum is not None:
            context.minimum_version = minimum
        if maximum is not None:
            context.maximum_version = maximum


def _connect(endpoint: Endpoint, timeout: float) -> socket.socket | Trouble:
    """Connect within `timeout` seconds for each address; looking the name up has limits of its own."""
    try:
        return socket.create_connection((endpoint.host, endpoint.port), timeout)
    except ConnectionRefusedError:
        return Trouble.of(Kind.NOT_LISTENING, endpoint)
    except TimeoutError:
        return Trouble.of(Kind.TIMEOUT, endpoint)
    except (OSError, UnicodeError) as error:  # UnicodeError: the resolver cannot encode the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "no such name"
        return Trouble.of(Kind.UNREACHABLE, endpoint, detail=reason)


def _converse(
    context: ssl.SSLContext, endpoint: Endpoint, name: str, sent: bytes, timeout: float
) -> Handshake | Trouble:
    """Connect, shake hands, send, and read how the answer begins."""
    connection = _connect(endpoint, timeout)
    if isinstance(connection, Trouble):
        return connection
    course = Course(context)
    try:
        with connection, context.wrap_socket(connection, server_hostname=name) as secured:
            result = _use(secured, course, sent, time.monotonic() + timeout)
    except OSError as error:  # ssl.SSLError is one
        return Trouble.in_handshake(error, endpoint, name, undecided=course.undecided)
    hung_up = not result.answer.data and not result.answer.timed_out
    return Trouble.of(Kind.CLIENT_CERTIFICATE, endpoint) if hung_up and course.undecided else result


def _use(secured: ssl.SSLSocket, course: Course, sent: bytes, deadline: float) -> Handshake:
    # Asked at once: a connection that broke forgets its handshake.
    cipher = secured.cipher()
    version = _version_label(secured.version() or "")
    certificate = secured.getpeercert(binary_form=True) or b""
    with suppress(OSError):  # a peer that has hung up by now may have said why, which the read tells
        secured.sendall(sent)
    answer = _read_answer(secured, deadline)
    return Handshake(version, cipher[0] if cipher else "", certificate, answer, course.asked)


def _read_answer(connection: socket.socket, deadline: float) -> Answer:
    """Read until the answer is complete, the peer closes, or time or room runs out.

    OSError: the connection broke before a single byte came.
    """
    data = b""
    while len(data) < _LONGEST_ANSWER and not _is_enough(data):
        left = deadline - time.monotonic()
        if left <= 0:
            return Answer(data, timed_out=True)
        try:
            connection.settimeout(left)
            chunk = connection.recv(_LONGEST_ANSWER - len(data))
        except TimeoutError:
            return Answer(data, timed_out=True)
        except OSError:
            if data:  # it was said, however the connection ended
                break
            raise
        if not chunk:
            break
        data += chunk
    return Answer(data)


def _is_enough(data: bytes) -> bool:
    if len(data) >= 5 and not data.startswith(b"HTTP/"):
        return len(data) >= 9 or not _SETTINGS.startswith(data[3:])  # the header of a frame has 9
    length = Answer(data).header("Content-Length")
    if length is None or not (length.isascii() and length.isdigit()) or len(length) > _LONGEST_NUMBER:
        return False
    return len(data.partition(b"\r\n\r\n")[2]) >= int(length)


def _version_label(version: str) -> str:
    """Turn the names of Python, "TLSv1" and "TLSv1.2", into those people use."""
    return "TLS 1.0" if version == "TLSv1" else version.replace("TLSv", "TLS ")
