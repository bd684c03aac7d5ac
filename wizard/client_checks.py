"""Checks of whom a service lets in by client certificates, each with the command that does the same by hand.

A refusal counts only from a service that speaks TLS, and, where one of its clients is known, only when it
lets that one in at the same time: a service that is down refuses everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from wizard.by_hand import curl, curl_as_stranger
from wizard.checks import (
    NO_CONNECTION,
    ClientFiles,
    TlsService,
    connect,
    failed,
    passed,
    reading,
    reason,
    unanswered,
)
from wizard.probe import Handshake, Identity, tls
from wizard.proof import Check, Expect, Outcome, Verdict
from wizard.trouble import Kind, Trouble

_HANDFUL = 5
"""How many clients are told by name."""

_PATIENCE = 2
"""How many clients may take too long before the others are not tried."""

_REFUSED_BY_PAGE = ("No required SSL certificate was sent", "The SSL certificate error")
"""How nginx refuses: after the handshake, by an answer (src/http/ngx_http_special_response.c)."""

_NOT_ACCEPTED = (
    "The service may trust other authorities, or still run with old settings: restart it, then prove again."
)


def clients_accepted(service: TlsService, clients: Mapping[str, ClientFiles]) -> Check:
    """Each of these clients, by name, is accepted; the command tries the first.

    Without a connection, or after two that took too long, the others are not tried.
    """

    def run() -> Outcome:
        problems: dict[str, str] = {}
        slow = tried = 0
        for name, files in clients.items():
            if slow >= _PATIENCE:
                break
            result = _as_client(service, files)
            if isinstance(result, Trouble) and result.kind in NO_CONNECTION:
                return failed(result.sentence)
            if problem := _problem(result):
                judges = isinstance(result, Trouble) and result.kind is Kind.CLIENT_CERTIFICATE
                problems[name] = f"{problem.rstrip('.')}. {_NOT_ACCEPTED}" if judges else problem
            slow += _took_too_long(result)
            tried += 1
        return _all_in_all(problems, tried, len(clients))

    guarded = reading(service.ca, run)
    first = next(iter(clients.values()), None)
    return Check("All clients are accepted", Expect.ACCEPT, guarded, curl(service, first))


def no_certificate_refused(service: TlsService) -> Check:
    """Whoever connects without a certificate is refused."""

    def run() -> Outcome:
        meaning = "Anybody who reaches the port can use the API: the service does not check its clients."
        return _refusal(service, None, meaning)

    guarded = reading(service.ca, run)
    return Check("A client without a certificate is refused", Expect.REFUSE, guarded, curl(service, None))


def client_refused(
    service: TlsService,
    title: str,
    identity: Callable[[], Identity],
    meaning: str,
    *,
    files: ClientFiles | None = None,
) -> Check:
    """Whoever presents this identity is refused; `meaning` is what it means when it gets in.

    `identity` is called when the check runs, and may raise OSError or ValueError to say why there is none.
    The command presents `files`, else a stranger's certificate made on the spot.
    """

    def run() -> Outcome:
        try:
            presented = identity()
        except (OSError, ValueError) as error:
            return failed(f"There is no certificate to try: {reason(error)}")
        return _refusal(service, presented, meaning)

    guarded = reading(service.ca, run)
    command = curl(service, files) if files is not None else curl_as_stranger(service)
    return Check(title, Expect.REFUSE, guarded, command)


def stranger(like: bytes, name: str = "client") -> Identity:
    """Make what somebody would who knows the names but not the keys, in memory.

    That is a certificate for the client `name`, issued by a new authority with the subject of the authority
    `like` (PEM), which is presented along with it.
    MaterialError: `like` holds no certificate, or `name` cannot be a name.
    """
    from wizard.material.authority import Authority
    from wizard.material.certificates import certificate_pem, read_certificates_pem
    from wizard.material.key_types import KeyType
    from wizard.material.keys import generate, private_pem
    from wizard.material.recipes import AUTHORITY, issue_self_signed, validity_from
    from wizard.material.subject import Subject

    now = datetime.now(UTC)
    authority_key, key = generate(KeyType.ECDSA_P256), generate(KeyType.ECDSA_P256)
    root = issue_self_signed(
        AUTHORITY,
        authority_key,
        subject=read_certificates_pem(like)[0].subject,
        names=(),
        validity=validity_from(now, 1),
    )
    leaf = Authority(root, authority_key).issue_client(key.public_key(), Subject(name), 1, now)
    return Identity(certificate_pem(leaf) + certificate_pem(root), private_pem(key))


def _as_client(service: TlsService, files: ClientFiles) -> Handshake | Trouble:
    # Whether strict clients accept the service is another check.
    return judged(connect(service, files, ca=service.ca.read_bytes(), strict=False))


def _refusal(service: TlsService, client: Identity | None, meaning: str) -> Outcome:
    ca = service.ca.read_bytes()
    result = judged(
        tls(service.endpoint, service.name, ca=ca, strict=False, request=service.request, client=client)
    )
    if isinstance(result, Handshake):
        if result.answer.data:
            return failed(f"got in: {_seen(result)}", meaning)
        return failed(unanswered(result), "That is no refusal; whether this client gets in cannot be told.")
    if result.kind is not Kind.CLIENT_CERTIFICATE:
        return failed(result.sentence)
    if service.client is not None and (problem := _problem(_as_client(service, service.client))):
        got = f"Refused, but so is {service.client.certificate.name}, which ought to get in: {problem}"
        return failed(got, "A service that lets nobody in proves nothing. See its log.")
    return passed(result.sentence)


def judged(result: Handshake | Trouble) -> Handshake | Trouble:
    """Take the page by which nginx refuses a client, after the handshake, for the refusal that it is."""
    if isinstance(result, Handshake) and result.answer.code == 400:
        for words in _REFUSED_BY_PAGE:
            if words.encode() in result.answer.data:
                return Trouble(Kind.CLIENT_CERTIFICATE, f"{result.answer.status}: {words}")
    return result


def _problem(result: Handshake | Trouble) -> str:
    """Why a client was not served; empty when it was."""
    if isinstance(result, Trouble):
        return result.sentence
    return "" if result.answer.data else unanswered(result)


def _seen(result: Handshake) -> str:
    return f"{result.version}, {result.answer.status or 'an answer that is not HTTP'}"


def _took_too_long(result: Handshake | Trouble) -> bool:
    return result.answer.timed_out if isinstance(result, Handshake) else result.kind is Kind.SILENT


def _all_in_all(problems: Mapping[str, str], tried: int, count: int) -> Outcome:
    """Tell of many clients in a sentence, and why the first of those was not accepted that were not."""
    if not count:
        return Outcome(verdict=Verdict.SKIPPED, got="there are no clients")
    got = []
    if problems:
        names = list(problems)
        more = f" and {len(names) - _HANDFUL} more" if len(names) > _HANDFUL else ""
        got.append(f"{len(names)} of {count} not accepted: {', '.join(names[:_HANDFUL])}{more}")
    if tried < count:
        got.append(f"{count - tried} of {count} not tried, since {_PATIENCE} took too long")
    if not got:
        return passed(f"all {count} accepted" if count > 1 else "the only one accepted")
    return failed("; ".join(got), "".join(f"{name}: {why}" for name, why in list(problems.items())[:1]))
