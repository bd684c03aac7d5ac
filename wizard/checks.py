"""Checks that every service with TLS can use, each with the command that does the same by hand."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from wizard.by_hand import curl, s_client
from wizard.material.fingerprint import fingerprint
from wizard.plan import Advice
from wizard.probe import (
    TIMEOUT,
    Answer,
    Endpoint,
    Handshake,
    Http2Preface,
    Identity,
    Request,
    plain_http,
    tls,
    versions,
)
from wizard.proof import Check, Expect, Outcome, Verdict
from wizard.small_files import read_small
from wizard.trouble import Kind, Trouble

OLD_VERSIONS = ("TLS 1.0", "TLS 1.1")

_PATIENCE = 2
"""How many names may take too long before the others are not tried."""

_EXPOSED = "Whoever listens on the network can read and change what is sent."

NO_CONNECTION = (Kind.NOT_LISTENING, Kind.UNREACHABLE, Kind.TIMEOUT)


@dataclass(frozen=True, slots=True)
class ClientFiles:
    """What a client presents, as it has it in files."""

    certificate: Path
    """PEM, leaf first."""
    key: Path
    """PEM, not encrypted."""

    def read(self) -> Identity:
        """Read both. OSError: one cannot be read; its `filename` tells which."""
        source = f"{self.certificate} and {self.key}"
        return Identity(read_small(self.certificate), read_small(self.key), source)


@dataclass(frozen=True, slots=True)
class TlsService:
    """A service with TLS as its clients know it. The files are read when a check runs."""

    endpoint: Endpoint
    names: tuple[str, ...]
    """Names and addresses its certificate is valid for; the first is used where one is enough."""
    certificate: Path
    """PEM; its first certificate is the one to be served."""
    ca: Path
    """PEM that clients are given to trust; for a self-signed certificate the certificate itself."""
    request: Request | Http2Preface
    """What it answers with a success when all is well."""
    client: ClientFiles | None = None
    """With what the checks connect where the service asks for client certificates."""

    @property
    def name(self) -> str:
        """The name used where one is enough."""
        return _one_of(self.names[0])


def connect(
    service: TlsService,
    client: ClientFiles | None,
    name: str = "",
    *,
    ca: bytes | None = None,
    strict: bool = True,
) -> Handshake | Trouble:
    """Send the service its request as this client, or as one without a certificate; see `tls`."""
    identity = _identity(client)
    if isinstance(identity, Trouble):
        return identity
    name = name or service.name
    return tls(service.endpoint, name, ca=ca, strict=strict, request=service.request, client=identity)


def _identity(client: ClientFiles | None) -> Identity | Trouble | None:
    try:
        return client.read() if client is not None else None
    except OSError as error:
        return Trouble.of_identity(reason(error))


def reach(service: TlsService) -> Check:
    """Something answers TLS; if not, the checks after this one are of no use."""

    def run() -> Outcome:
        result = connect(service, service.client)
        if isinstance(result, Handshake):
            return passed(f"{result.version}, {result.cipher}")
        meaning = "The service may still run with its old settings: restart it, then prove again."
        clear = result.kind in (Kind.NOT_LISTENING, Kind.IDENTITY)
        return failed(result.sentence, "" if clear else meaning, stop=True)

    command = f"{s_client(service)} -brief </dev/null"
    return Check(f"{service.endpoint} answers TLS", Expect.ACCEPT, run, command)


def our_certificate(service: TlsService) -> Check:
    """The certificate served is the one in the file, not an earlier one still held in memory."""

    def run() -> Outcome:
        result = connect(service, service.client)
        if isinstance(result, Trouble):
            return failed(result.sentence)
        expected = fingerprint(_first_certificate(service.certificate))
        if result.fingerprint == expected:
            return passed(f"SHA-256 {expected}")
        return failed(
            f"another certificate, SHA-256 {result.fingerprint}",
            "Services read certificates when they start: restart it. Or another service has this port.",
            stop=True,
        )

    command = f"{s_client(service)} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256"
    guarded = reading(service.certificate, run)
    return Check(f"It serves {service.certificate.name}", Expect.ACCEPT, guarded, command)


def names_accepted(service: TlsService) -> tuple[Check, ...]:
    """A strict client that trusts `ca` accepts every name of the certificate.

    After two that took too long the others are skipped.
    """
    slow: list[str] = []
    return tuple(_name_accepted(service, _one_of(name), slow) for name in service.names)


def old_versions_refused(service: TlsService, *, known_limit: str = "") -> Check:
    """TLS 1.0 and 1.1, deprecated by RFC 8996, are refused.

    `known_limit` says why the service cannot help accepting them; then that is a finding, else a failure.
    """

    def run() -> Outcome:
        identity = _identity(service.client)
        if isinstance(identity, Trouble):
            return failed(identity.sentence)
        results = versions(
            service.endpoint, service.name, tried=OLD_VERSIONS, request=service.request, client=identity
        )
        accepted = [label for label, result in results.items() if _is_spoken(result)]
        troubles = [result for result in results.values() if isinstance(result, Trouble)]
        if accepted:
            return Outcome(
                verdict=Verdict.FINDING if known_limit else Verdict.FAILED,
                got=f"{' and '.join(accepted)} accepted",
                meaning=known_limit or "These versions can be broken; switch them off.",
            )
        for trouble in troubles:
            if trouble.kind in (*NO_CONNECTION, Kind.IDENTITY):
                return failed(trouble.sentence)
            if trouble.kind is Kind.UNTRIED:
                return Outcome(verdict=Verdict.SKIPPED, got=trouble.sentence)
        return passed(f"{' and '.join(results)} refused")

    old = ("--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT:@SECLEVEL=0")
    command = curl(service, service.client, options=old)
    return Check("TLS 1.0 and 1.1 are refused", Expect.REFUSE, run, command)


def _is_spoken(result: Handshake | Trouble) -> bool:
    """Tell whether the server spoke the version: one that judges a client certificate already does."""
    return isinstance(result, Handshake) or result.kind is Kind.CLIENT_CERTIFICATE


def plain_http_refused(
    service: TlsService, *, known_limit: str = "", advice: tuple[Advice, ...] = ()
) -> Check:
    """A request without TLS is not served on the same port.

    `known_limit` says why the service cannot help serving it; then that is a finding, else a failure.
    """

    def run() -> Outcome:
        result = plain_http(service.endpoint, service.name, request=service.request)
        if isinstance(result, Answer) and _turned_away(result):
            return passed(result.status)
        if isinstance(result, Trouble):
            return _without_answer(result)
        return Outcome(
            verdict=Verdict.FINDING if known_limit else Verdict.FAILED,
            got=f"answered without TLS: {result.status}",
            meaning=known_limit or _EXPOSED,
            advice=advice,
        )

    command = curl(service, None, scheme="http")
    return Check("Plain HTTP is refused on the same port", Expect.REFUSE, run, command)


def plain_grpc_refused(service: TlsService) -> Check:
    """HTTP/2 without TLS, and so gRPC, is not served on the port, on which TLS is."""

    def run() -> Outcome:
        result = plain_http(service.endpoint, service.name, request=Http2Preface())
        if isinstance(result, Answer) and not _turned_away(result):
            return failed(f"answered without TLS: {result.status}", _EXPOSED)
        # Whoever hangs up, or says something else, refuses nothing unless TLS is what is missing.
        with_tls = connect(service, service.client)
        if isinstance(with_tls, Trouble) and with_tls.kind is not Kind.CLIENT_CERTIFICATE:
            return failed(with_tls.sentence)
        return passed(result.status) if isinstance(result, Answer) else _without_answer(result)

    in_the_clear = replace(service, request=Http2Preface())
    command = curl(in_the_clear, None, scheme="http")
    return Check("gRPC without TLS is refused on the same port", Expect.REFUSE, run, command)


def api_answers(service: TlsService) -> Check:
    """The API itself answers a request over TLS with a success (status 2xx, or settings of HTTP/2)."""

    def run() -> Outcome:
        result = connect(service, service.client, ca=service.ca.read_bytes())
        if isinstance(result, Trouble):
            return failed(result.sentence)
        if service.request.succeeded(result.answer):
            return passed(result.answer.status)
        return failed(
            result.answer.status or "no HTTP answer",
            "The connection is secured, but the API does not answer as it should. See the service's log.",
        )

    guarded = reading(service.ca, run)
    return Check("The API answers over TLS", Expect.ACCEPT, guarded, curl(service, service.client))


def _name_accepted(service: TlsService, name: str, slow: list[str]) -> Check:
    def run() -> Outcome:
        if len(slow) >= _PATIENCE:
            return Outcome(verdict=Verdict.SKIPPED, got=f"not tried: {' and '.join(slow)} took too long")
        result = _as_client(name, strict=True)
        if isinstance(result, Trouble):
            if result.kind in (Kind.TIMEOUT, Kind.SILENT):
                slow.append(name)
            lenient = result.kind is Kind.STRICT and isinstance(_as_client(name, strict=False), Handshake)
            return failed(result.sentence, "Other clients, such as curl, accept it." if lenient else "")
        if result.answer.timed_out:
            slow.append(name)
        if not result.answer.data:
            return failed(unanswered(result), "See the service's log.")
        return passed(f"{result.version}, {result.cipher}")

    def _as_client(name: str, *, strict: bool) -> Handshake | Trouble:
        return connect(service, service.client, name, ca=service.ca.read_bytes(), strict=strict)

    guarded = reading(service.ca, run)
    return Check(f"Clients accept it as {name}", Expect.ACCEPT, guarded, curl(service, service.client, name))


def unanswered(result: Handshake) -> str:
    """Say that nothing came after the handshake."""
    in_time = f"within {TIMEOUT:g} seconds" if result.answer.timed_out else "before it was closed"
    return f"It connected, but no answer came {in_time}."


def _without_answer(trouble: Trouble) -> Outcome:
    """What it means that a request without TLS got no HTTP answer."""
    if trouble.kind is Kind.CLOSED:
        return passed("the connection was closed without an answer")
    if trouble.kind is Kind.TLS_ONLY:
        return passed(trouble.sentence)
    if trouble.kind in NO_CONNECTION:
        return failed(trouble.sentence)
    meaning = "It neither serves nor refuses plain HTTP; look into its log, then try again."
    return Outcome(verdict=Verdict.FINDING, got=trouble.sentence, meaning=meaning)


_SPOKEN_TO_WITHOUT_TLS = (
    b"The plain HTTP request was sent to HTTPS port",  # nginx, src/http/ngx_http_special_response.c
    b"speaking plain HTTP to an SSL-enabled server port",  # Apache, modules/ssl/ssl_engine_kernel.c
    b"Client sent an HTTP request to an HTTPS server",  # Go, net/http/server.go
)


def _turned_away(answer: Answer) -> bool:
    """Tell a server that only says where TLS is: by a redirect, or by the 400 of nginx, Apache and Go."""
    if answer.code == 400:
        return any(sentence in answer.data for sentence in _SPOKEN_TO_WITHOUT_TLS)
    location = answer.header("Location") or ""
    return answer.code in (301, 302, 303, 307, 308) and location.lower().startswith("https://")


def _one_of(name: str) -> str:
    """Choose a name that a wildcard stands for."""
    return f"www.{name[2:]}" if name.startswith("*.") else name


def _first_certificate(path: Path) -> bytes:
    """Return the first certificate of a PEM file as DER. ValueError: there is none."""
    pem = path.read_text(encoding="ascii", errors="replace")
    begins, ends = pem.find(ssl.PEM_HEADER), pem.find(ssl.PEM_FOOTER)
    if not 0 <= begins < ends:
        raise ValueError("it holds none")
    return ssl.PEM_cert_to_DER_cert(pem[begins : ends + len(ssl.PEM_FOOTER)])


def reading(file: Path, run: Callable[[], Outcome]) -> Callable[[], Outcome]:
    """Run a check that reads certificates from `file`; it fails with a sentence when that cannot be done."""

    def guarded() -> Outcome:
        try:
            return run()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return failed(f"No certificate can be read from {file}: {why}", "Check the path and the file.")

    return guarded


def reason(error: OSError | ValueError) -> str:
    """Say what went wrong, and with which file where there was one."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


def passed(got: str) -> Outcome:
    """The outcome of a check that passed."""
    return Outcome(verdict=Verdict.PASSED, got=got)


def failed(got: str, meaning: str = "", *, stop: bool = False) -> Outcome:
    """The outcome of a check that failed."""
    return Outcome(verdict=Verdict.FAILED, got=got, meaning=meaning, stop=stop)
