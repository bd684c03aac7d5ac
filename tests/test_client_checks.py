"""Checks of whom a service lets in, against real OpenSSL and gRPC servers, and their commands in a shell."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.peers.hub import free_port
from tests.peers.mutual import (
    CLIENT,
    NAMES,
    client_of,
    demanding,
    grpc_server,
    openssl,
    parties,
    speechless,
)
from tests.peers.tls import ANSWER, Handler, listening
from wizard.checks import (
    ClientFiles,
    TlsService,
    api_answers,
    names_accepted,
    old_versions_refused,
    our_certificate,
    plain_grpc_refused,
    reach,
)
from wizard.client_checks import (
    client_refused,
    clients_accepted,
    no_certificate_refused,
    stranger,
)
from wizard.material import MaterialError
from wizard.material.certificates import certificate_pem, read_certificates_pem
from wizard.probe import Endpoint, Handshake, Http2Preface, Identity, Request, tls
from wizard.proof import Check, Expect, Outcome, Verdict, prove, text

GOT_IN = "They can read and spend what is not theirs."
WORDS = "The server refuses this client for its certificate, or for having none."


@dataclass(frozen=True)
class Kind:
    """A kind of server, and how its clients speak to it."""

    name: str
    start: Callable[[Identity, bytes | None], AbstractContextManager[int]]
    """Serves as this, and demands clients of that authority; without one it lets everybody in."""
    request: Request | Http2Preface


def by_openssl(version: ssl.TLSVersion, *, strict: bool = False) -> Kind:
    name = f"OpenSSL, {version.name}{', strict' if strict else ''}"
    return Kind(name, lambda server, ca: openssl(demanding(server, ca, version, strict=strict)), Request())


KINDS = [
    by_openssl(ssl.TLSVersion.TLSv1_2),
    by_openssl(ssl.TLSVersion.TLSv1_3),
    by_openssl(ssl.TLSVersion.TLSv1_3, strict=True),
    Kind("gRPC", grpc_server, Http2Preface()),
]
OPENSSL, GRPC = KINDS[1], KINDS[-1]

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """Paste a command into a shell, as an operator does, on a machine with a proxy set."""
    environment = {**os.environ, "https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    return subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        errors="replace",  # what HTTP/2 says is binary
        timeout=60,
        check=False,
        env=environment,
    )


def write(folder: Path, name: str, identity: Identity) -> ClientFiles:
    files = ClientFiles(folder / f"{name}.crt", folder / f"{name}.key")
    files.certificate.write_bytes(identity.chain)
    files.key.write_bytes(identity.key)
    return files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where everybody's files are; commands have to quote it."""
    place = tmp_path / "a place: ours"
    place.mkdir()
    they = parties()
    (place / "ca.crt").write_bytes(they.ca)
    for name, identity in {
        "server": they.server,
        "of any use": they.of_any_use,
        "ours": they.ours,
        "another": they.of_another,
        "expired": they.expired,
    }.items():
        write(place, name, identity)
    return place


def files_of(folder: Path, name: str) -> ClientFiles:
    return ClientFiles(folder / f"{name}.crt", folder / f"{name}.key")


def service(port: int, folder: Path, kind: Kind = OPENSSL, client: str | None = "ours") -> TlsService:
    return TlsService(
        Endpoint("127.0.0.1", port),
        NAMES,
        folder / "server.crt",
        folder / "ca.crt",
        kind.request,
        files_of(folder, client) if client else None,
    )


def outcome(check: Check, verdict: Verdict) -> Outcome:
    result = check.run()
    assert result.verdict is verdict, result
    return result


def pasted(check: Check, *, succeeds: bool) -> str:
    """Output of the command in a shell, which agrees with the check."""
    done = shell(check.command)
    assert (done.returncode == 0) is succeeds, (check.command, done)
    return done.stdout


def refused(check: Check) -> Outcome:
    """The check passes, and the same by hand fails."""
    assert check.expect is Expect.REFUSE
    pasted(check, succeeds=False)
    return outcome(check, Verdict.PASSED)


def let_in(check: Check) -> Outcome:
    """The check fails, since the same by hand succeeds."""
    pasted(check, succeeds=True)
    found = outcome(check, Verdict.FAILED)
    assert found.got.startswith("got in: TLS 1.")
    return found


def presenting(name: str, service: TlsService, folder: Path) -> Check:
    """That whoever has these files is refused."""
    files = files_of(folder, name)
    return client_refused(service, f"{name} is refused", files.read, GOT_IN, files=files)


@each_kind
def test_a_service_that_checks_its_clients_is_proven_and_every_command_agrees(
    kind: Kind, folder: Path
) -> None:
    they = parties()
    with kind.start(they.server, they.ca) as port:
        there = service(port, folder, kind)
        checks = [
            reach(there),
            our_certificate(there),
            *names_accepted(there),
            old_versions_refused(there),
            api_answers(there),
            clients_accepted(there, {CLIENT: files_of(folder, "ours")}),
            no_certificate_refused(there),
            presenting("server", there, folder),
            presenting("another", there, folder),
            presenting("expired", there, folder),
            client_refused(there, "A stranger is refused", lambda: stranger(they.ca, CLIENT), GOT_IN),
            plain_grpc_refused(there),
        ]
        proof = prove(checks)
        assert proof.passed, text(proof)
        assert proof.count(Verdict.PASSED) == len(checks) == 13
        for check in checks:
            shown = pasted(check, succeeds=check.expect is Expect.ACCEPT)
            if check.command.startswith("curl") and check.expect is Expect.ACCEPT:
                assert shown.startswith("HTTP/2 200" if kind is GRPC else "HTTP/1.1 200")


@each_kind
def test_a_service_that_checks_nobody_is_found_out(kind: Kind, folder: Path) -> None:
    they = parties()
    with kind.start(they.server, None) as port:
        there = service(port, folder, kind)
        assert "does not check its clients" in let_in(no_certificate_refused(there)).meaning
        for name in ("server", "another", "expired"):
            assert let_in(presenting(name, there, folder)).meaning == GOT_IN
        check = client_refused(there, "A stranger is refused", lambda: stranger(they.ca), GOT_IN)
        assert let_in(check).meaning == GOT_IN
        outcome(clients_accepted(there, {CLIENT: files_of(folder, "another")}), Verdict.PASSED)


@each_kind
def test_t12_the_servers_own_certificate_gets_in_as_a_client_unless_its_use_is_limited(
    kind: Kind, folder: Path
) -> None:
    they = parties()
    with kind.start(they.server, they.ca) as port:
        assert refused(presenting("server", service(port, folder, kind), folder)).got == WORDS
    with kind.start(they.of_any_use, they.ca) as port:
        found = let_in(presenting("of any use", service(port, folder, kind), folder))
        assert found.meaning == GOT_IN


@each_kind
def test_t43_a_refused_client_is_not_taken_for_an_accepted_one(kind: Kind, folder: Path) -> None:
    they = parties()
    with kind.start(they.server, they.ca) as port:
        there = service(port, folder, kind)
        for name in ("another", "expired", "server"):
            check = clients_accepted(there, {CLIENT: files_of(folder, name)})
            for _ in range(10):
                found = outcome(check, Verdict.FAILED)
                assert found.got == f"1 of 1 not accepted: {CLIENT}"
                assert found.meaning.startswith(f"{CLIENT}: {WORDS} The service may trust other authorities")
            pasted(check, succeeds=False)
        for client in (None, "another"):
            as_nobody = service(port, folder, kind, client)
            for check in (reach(as_nobody), api_answers(as_nobody), names_accepted(as_nobody)[0]):
                assert outcome(check, Verdict.FAILED).got == WORDS


@each_kind
def test_of_many_clients_those_not_accepted_are_told_by_name(kind: Kind, folder: Path) -> None:
    they = parties()
    clients = {
        f"rpc.user.{number}": write(folder, str(number), client_of(they.authority, f"rpc.user.{number}"))
        for number in range(1, 101)
    }
    with kind.start(they.server, they.ca) as port:
        there = service(port, folder, kind)
        check = clients_accepted(there, clients)
        assert outcome(check, Verdict.PASSED).got == "all 100 accepted"
        pasted(check, succeeds=True)
        clients["rpc.user.7"] = files_of(folder, "expired")
        found = outcome(clients_accepted(there, clients), Verdict.FAILED)
        assert found.got == "1 of 100 not accepted: rpc.user.7"
        assert found.meaning.startswith(f"rpc.user.7: {WORDS} ")
        for number in range(41, 47):
            clients[f"rpc.user.{number}"] = files_of(folder, "another")
        found = outcome(clients_accepted(there, clients), Verdict.FAILED)
        names = "rpc.user.7, rpc.user.41, rpc.user.42, rpc.user.43, rpc.user.44"
        assert found.got == f"7 of 100 not accepted: {names} and 2 more"
        only = clients_accepted(there, {CLIENT: files_of(folder, "ours")})
        assert outcome(only, Verdict.PASSED).got == "the only one accepted"
        assert outcome(clients_accepted(there, {}), Verdict.SKIPPED).got == "there are no clients"


def test_many_clients_are_not_waited_for_again_and_again(folder: Path) -> None:
    context = demanding(parties().server, parties().ca)
    answers = [b"HTTP/1.1 200 OK\r\n\r\nthat never ends", b""]

    def slow(connection: socket.socket) -> None:
        connection.settimeout(10)  # longer than the check waits
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(answers.pop(0))
            while secured.recv(65536):
                pass

    clients = {str(number): files_of(folder, "ours") for number in range(100)}
    with listening(slow) as port:
        found = outcome(clients_accepted(service(port, folder), clients), Verdict.FAILED)
    assert found.got == "1 of 100 not accepted: 1; 98 of 100 not tried, since 2 took too long"
    assert found.meaning == "1: It connected, but no answer came within 5 seconds."


def hang_up(connection: socket.socket) -> None:
    connection.recv(65536)


def plain(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(ANSWER)


def refusals(there: TlsService, folder: Path) -> list[Check]:
    they = parties()
    return [
        no_certificate_refused(there),
        presenting("server", there, folder),
        client_refused(there, "A stranger is refused", lambda: stranger(they.ca), GOT_IN),
    ]


@pytest.mark.parametrize("request_", [Request(), Http2Preface()], ids=["HTTP/1.1", "HTTP/2"])
@pytest.mark.parametrize(
    ("handler", "words"),
    [(None, "Nothing listens"), (hang_up, "closed the connection"), (plain, "plain HTTP, not TLS")],
    ids=["down", "hangs up", "plain HTTP"],
)
@pytest.mark.parametrize("client", ["ours", None])
def test_a_service_that_is_down_or_without_tls_has_refused_nobody(
    handler: Handler | None, words: str, request_: Request | Http2Preface, client: str | None, folder: Path
) -> None:
    with listening(handler or hang_up) as port:
        there = service(port if handler else free_port(), folder, client=client)
        there = replace(there, request=request_)
        for check in refusals(there, folder):
            assert words in outcome(check, Verdict.FAILED).got
        many = {str(number): files_of(folder, "ours") for number in range(3)}
        found = outcome(clients_accepted(there, many), Verdict.FAILED)
        assert words in (found.meaning if handler else found.got)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_service_that_hangs_up_on_everybody_has_refused_nobody(
    version: ssl.TLSVersion, folder: Path
) -> None:
    they = parties()
    optional = demanding(they.server, they.ca, version, mode=ssl.CERT_OPTIONAL)
    for context in (optional, demanding(they.server, None, version)):
        with listening(speechless(context)) as port:
            found = outcome(no_certificate_refused(service(port, folder)), Verdict.FAILED)
            assert found.got.startswith(("It connected, but no answer came before", "127.0.0.1:"))
            accepted = clients_accepted(service(port, folder), {CLIENT: files_of(folder, "ours")})
            outcome(accepted, Verdict.FAILED)
    with listening(speechless(demanding(they.server, None, version))) as port:
        for check in refusals(service(port, folder), folder):
            outcome(check, Verdict.FAILED)


def root_of(identity: Identity) -> bytes:
    """The authority that a stranger presents along with its own certificate."""
    return certificate_pem(read_certificates_pem(identity.chain)[1])


@each_kind
def test_t10_a_service_that_refuses_everybody_proves_nothing(kind: Kind, folder: Path) -> None:
    they = parties()
    with kind.start(they.server, root_of(stranger(they.ca))) as port:
        for check in refusals(service(port, folder, kind), folder):
            found = outcome(check, Verdict.FAILED)
            assert found.got == f"Refused, but so is ours.crt, which ought to get in: {WORDS}"
        for check in refusals(service(port, folder, kind, client=None), folder):
            outcome(check, Verdict.PASSED)


@pytest.mark.parametrize("client", ["ours", None])
def test_a_service_with_another_certificate_has_refused_nobody(client: str | None, folder: Path) -> None:
    they = parties()
    with openssl(demanding(they.server, they.ca)) as port:
        there = service(port, folder, client=client)
        there.ca.write_bytes(root_of(stranger(they.ca)))
        for check in refusals(there, folder):
            assert "authority that this client does not trust" in outcome(check, Verdict.FAILED).got


def by_the_guides(folder: Path, name: str, *options: str) -> Identity:
    """Made by openssl as public guides do: the authority, which is made first, has no key usage."""
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    files = ["-subj", f"/CN={name}", "-out", str(certificate), "-keyout", str(key)]
    subprocess.run([*command, *files, *options], check=True, capture_output=True, timeout=60)
    return Identity(certificate.read_bytes(), key.read_bytes())


def test_t44_who_gets_in_is_told_even_where_strict_clients_refuse_the_service(folder: Path) -> None:
    ca = by_the_guides(folder, "ca").chain
    issued = ["-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key")]
    issued += ["-addext", "basicConstraints=critical,CA:FALSE"]
    server = by_the_guides(folder, "server", *issued, "-addext", "subjectAltName=DNS:signer")
    by_the_guides(folder, "ours", *issued)
    with openssl(demanding(server, ca)) as port:
        there = service(port, folder)
        assert "Strict clients" in outcome(names_accepted(there)[0], Verdict.FAILED).got
        outcome(clients_accepted(there, {CLIENT: files_of(folder, "ours")}), Verdict.PASSED)
        outcome(no_certificate_refused(there), Verdict.PASSED)
        check = client_refused(there, "A stranger is refused", lambda: stranger(ca), GOT_IN)
        outcome(check, Verdict.PASSED)


@pytest.mark.parametrize("words", ["No required SSL certificate was sent", "The SSL certificate error"])
def test_nginx_refuses_with_a_page_after_the_handshake(words: str, folder: Path) -> None:
    page = f"<html><head><title>400 {words}</title></head></html>".encode()
    context = demanding(parties().server, None)
    with openssl(context, b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n" + page) as port:
        there = service(port, folder, client=None)
        for check in refusals(there, folder):
            assert outcome(check, Verdict.PASSED).got == f"HTTP/1.1 400 Bad Request: {words}"
        check = clients_accepted(there, {CLIENT: files_of(folder, "ours")})
        assert f"{CLIENT}: HTTP/1.1 400 Bad Request: {words}. " in outcome(check, Verdict.FAILED).meaning
    with openssl(context, b"HTTP/1.1 400 Bad Request\r\n\r\nUnknown command") as port:
        for check in refusals(service(port, folder, client=None), folder):
            assert outcome(check, Verdict.FAILED).got == "got in: TLS 1.3, HTTP/1.1 400 Bad Request"


def test_files_that_cannot_be_read_or_used_fail_every_check_with_a_sentence(folder: Path) -> None:
    they = parties()
    missing, mixed = files_of(folder, "missing"), ClientFiles(folder / "ours.crt", folder / "expired.key")
    pipe = ClientFiles(folder / "ours.crt", folder / "pipe")
    os.mkfifo(pipe.key)
    with openssl(demanding(they.server, they.ca)) as port:
        for files, words in (
            (missing, f"{missing.certificate}: No such file or directory"),
            (mixed, f"belong to the first certificate ({mixed.certificate} and {mixed.key})."),
            (pipe, f"{pipe.key}: It is a device or a pipe"),
        ):
            there = replace(service(port, folder), client=files)
            for check in (
                reach(there),
                our_certificate(there),
                *names_accepted(there),
                old_versions_refused(there),
                api_answers(there),
                no_certificate_refused(there),
            ):
                assert words in outcome(check, Verdict.FAILED).got, check.title
            found = outcome(clients_accepted(service(port, folder), {CLIENT: files}), Verdict.FAILED)
            assert words in found.meaning
        for check in refusals(replace(service(port, folder), ca=folder / "none"), folder):
            assert f"No certificate can be read from {folder / 'none'}" in outcome(check, Verdict.FAILED).got


def fail(error: Exception) -> Identity:
    raise error


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        (lambda: ClientFiles(Path("/no/cert"), Path("/no/key")).read(), "/no/cert: No such file"),
        (lambda: stranger(b""), "holds no certificate"),
        (lambda: fail(MaterialError("There is no such client.")), "There is no such client."),
        (lambda: Identity(b"", b""), "has no certificate to present"),
    ],
    ids=["missing", "no authority", "by its maker", "empty"],
)
def test_an_identity_that_cannot_be_made_has_not_been_refused(
    identity: Callable[[], Identity], words: str, folder: Path
) -> None:
    with openssl(demanding(parties().server, parties().ca)) as port:
        check = client_refused(service(port, folder), "A stranger is refused", identity, GOT_IN)
        assert words in outcome(check, Verdict.FAILED).got


def test_a_stranger_has_all_the_names_and_none_of_the_keys() -> None:
    they = parties()
    leaf, root = read_certificates_pem(stranger(they.ca, CLIENT).chain)
    ours, ca = read_certificates_pem(they.ours.chain + they.ca)
    assert (leaf.subject, leaf.issuer) == (ours.subject, ours.issuer)
    assert (root.subject, root.issuer) == (ca.subject, ca.issuer)
    assert root.public_key() != ca.public_key()
    leaf.verify_directly_issued_by(root)
    itself = stranger(they.ca)
    assert itself.key != stranger(they.ca).key
    with openssl(demanding(they.server, root_of(itself), strict=True)) as port:
        assert isinstance(tls(Endpoint("127.0.0.1", port), client=itself), Handshake), "it is a real one"


def test_grpc_without_tls_is_found_and_the_command_agrees(folder: Path) -> None:
    with grpc_server(None) as port:
        check = plain_grpc_refused(service(port, folder, GRPC))
        found = outcome(check, Verdict.FAILED)
        assert found.got == "answered without TLS: HTTP/2"
        assert "can read and change" in found.meaning
        assert pasted(check, succeeds=True).startswith("HTTP/2 200")
        assert "speaks plain HTTP, not TLS" in outcome(reach(service(port, folder, GRPC)), Verdict.FAILED).got


@pytest.mark.parametrize("client", ["ours", None])
@each_kind
def test_grpc_without_tls_is_refused_by_whoever_speaks_tls(
    kind: Kind, client: str | None, folder: Path
) -> None:
    for ca in (parties().ca, None):
        with kind.start(parties().server, ca) as port:
            check = plain_grpc_refused(service(port, folder, kind, client))
            outcome(check, Verdict.PASSED)
            pasted(check, succeeds=False)


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (None, "Nothing listens"),
        (hang_up, "closed the connection"),
        (plain, "answered without TLS: HTTP/1.1 200 OK"),
    ],
    ids=["down", "hangs up", "plain HTTP"],
)
def test_a_service_without_tls_has_not_refused_grpc_without_tls(
    handler: Handler | None, words: str, folder: Path
) -> None:
    with listening(handler or hang_up) as port:
        check = plain_grpc_refused(service(port if handler else free_port(), folder, GRPC))
        assert words in outcome(check, Verdict.FAILED).got


@pytest.mark.parametrize("client", ["ours", None])
def test_old_versions_are_found_on_a_server_that_asks_for_certificates(
    client: str | None, folder: Path
) -> None:
    context = demanding(parties().server, parties().ca, ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what is to be found
        context.minimum_version = ssl.TLSVersion.TLSv1
    with openssl(context) as port:
        check = old_versions_refused(service(port, folder, client=client))
        assert outcome(check, Verdict.FAILED).got == "TLS 1.0 and TLS 1.1 accepted"
        pasted(check, succeeds=client is not None)
