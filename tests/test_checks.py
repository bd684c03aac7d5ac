"""Checks against real servers, and their commands pasted into a real shell."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import subprocess
import threading
import warnings
from pathlib import Path

import pytest

from tests.peers.hub import free_port, running, secured
from tests.peers.tls import Handler, https, listening, self_signed, server_context
from wizard.checks import (
    TlsService,
    api_answers,
    names_accepted,
    old_versions_refused,
    our_certificate,
    plain_http_refused,
    reach,
)
from wizard.plan import Advice
from wizard.probe import Endpoint, Request
from wizard.proof import Check, Expect, Outcome, Verdict, prove, text

STATS = Request(
    "POST",
    "/",
    (("Content-Type", "application/json"), ("X-IOTA-API-Version", "1")),
    b'{"command": "GetStats"}',
)
NAMES = ("signer", "*.example.org", "127.0.0.1", "::1")


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """Paste a command into a shell, as an operator does, on a machine with a proxy set."""
    environment = {**os.environ, "https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False, env=environment
    )


def service(port: int, certificate: Path, request: Request = STATS, *, host: str = "127.0.0.1") -> TlsService:
    return TlsService(Endpoint(host, port), NAMES, certificate, certificate, request)


def by_python(directory: Path, *names: str) -> tuple[ssl.SSLContext, Path]:
    """A server's context and the file of its certificate."""
    certificate, key = self_signed(*names)
    (directory / "a place").mkdir(exist_ok=True)
    file = directory / "a place" / "cert.pem"
    file.write_bytes(certificate)
    return server_context(certificate, key, directory), file


def outcome(check: Check, verdict: Verdict) -> Outcome:
    result = check.run()
    assert result.verdict is verdict, result
    return result


def test_a_secured_hub_is_proven_and_every_command_agrees_when_pasted(tmp_path: Path) -> None:
    files = secured(tmp_path, *NAMES)
    with running(*files.flags) as port:
        hub = service(port, files.certificate)
        checks = [
            reach(hub),
            our_certificate(hub),
            *names_accepted(hub),
            old_versions_refused(hub),
            api_answers(hub),
        ]
        proof = prove(checks)
        assert proof.passed, text(proof)
        assert proof.count(Verdict.PASSED) == len(checks) == 8
        for result in proof.results:
            pasted = shell(result.command)
            assert (pasted.returncode == 0) is (result.expect is Expect.ACCEPT), (result, pasted)
            if result.command.startswith("curl") and result.expect is Expect.ACCEPT:
                assert pasted.stdout.startswith("HTTP/1.1 200 OK")
                assert "totalBalance" in pasted.stdout
        fingerprint = shell(our_certificate(hub).command).stdout.strip().partition("=")[2]
        assert proof.results[1].got == f"SHA-256 {fingerprint}"


def test_t09_plain_http_on_the_same_port_is_a_finding_with_advice(tmp_path: Path) -> None:
    files = secured(tmp_path, *NAMES)
    advice = Advice("Let nobody but the proxy reach the port.", "ufw deny 50051/tcp")
    with running(*files.flags) as port:
        hub = service(port, files.certificate)
        check = plain_http_refused(hub, known_limit="Hub has no switch for this.", advice=(advice,))
        found = outcome(check, Verdict.FINDING)
        assert found.got == "answered without TLS: HTTP/1.1 200 OK"
        assert found.meaning == "Hub has no switch for this."
        assert found.advice == (advice,)
        assert prove([reach(hub), check]).passed
        assert "To do: Let nobody but the proxy reach the port." in text(prove([check]))
        assert "totalBalance" in shell(check.command).stdout

        strict = plain_http_refused(hub)
        assert "can read and change" in outcome(strict, Verdict.FAILED).meaning
        assert not prove([reach(hub), strict]).passed


def say(data: bytes) -> Handler:
    return lambda connection: connection.sendall(data) if connection.recv(65536) else None


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (b"HTTP/1.1 301 Moved\r\nLocation: https://signer/\r\nContent-Length: 0\r\n\r\n", Verdict.PASSED),
        (
            b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
            b"<center>The plain HTTP request was sent to HTTPS port</center>",
            Verdict.PASSED,
        ),
        (
            b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
            Verdict.PASSED,
        ),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n<p>Reason: You're speaking plain HTTP to an SSL-enabled server "
            b"port.<br />Instead use the HTTPS scheme to access this URL, please.</p>",
            Verdict.PASSED,
        ),
        (b"\x15\x03\x03\x00\x02\x02\x46", Verdict.PASSED),
        (b"", Verdict.PASSED),
        (b"HTTP/1.1 400 Bad Request\r\n\r\nUnknown command", Verdict.FAILED),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", Verdict.FAILED),
        (b"HTTP/1.1 500 Oops\r\n\r\n", Verdict.FAILED),
        (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n", Verdict.FAILED),
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\nhttps://signer/", Verdict.FAILED),
        (b"HTTP/1.1 400 Bad Request\r\n\r\nHTTPS and SSL are spoken of", Verdict.FAILED),
        (b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Verdict.FINDING),
        (b"220 mail.example.org ESMTP\r\n", Verdict.FINDING),
    ],
    ids=[
        *("redirect", "nginx", "Go", "Apache", "alert", "closes", "400 of the API", "401", "500"),
        *("redirect to plain HTTP", "redirect to itself", "400 that speaks of SSL"),
        *("empty line first", "another protocol"),
    ],
)
def test_what_counts_as_serving_plain_http(answer: bytes, verdict: Verdict, tmp_path: Path) -> None:
    with listening(say(answer)) as port:
        outcome(plain_http_refused(service(port, tmp_path / "cert.pem")), verdict)


def test_an_answer_cut_short_by_a_reset_was_still_an_answer(tmp_path: Path) -> None:
    def answer_and_reset(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n{")
        # Closing with this sends RST instead of FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with listening(answer_and_reset) as port:
        found = outcome(plain_http_refused(service(port, tmp_path / "cert.pem")), Verdict.FAILED)
    assert found.got == "answered without TLS: HTTP/1.1 200 OK"


def test_a_server_that_is_silent_to_plain_http_has_not_refused_it(tmp_path: Path) -> None:
    over = threading.Event()

    def hold(_: socket.socket) -> None:
        over.wait(10)

    with listening(hold) as port:
        found = outcome(plain_http_refused(service(port, tmp_path / "cert.pem")), Verdict.FINDING)
        over.set()
    assert "neither serves nor refuses" in found.meaning


def test_when_nothing_listens_the_rest_is_skipped(tmp_path: Path) -> None:
    nothing = service(free_port(), tmp_path / "cert.pem")
    proof = prove([reach(nothing), our_certificate(nothing), plain_http_refused(nothing)])
    assert [result.verdict for result in proof.results] == [Verdict.FAILED, Verdict.SKIPPED, Verdict.SKIPPED]
    assert "Nothing listens at 127.0.0.1" in proof.results[0].got
    assert not proof.passed
    outcome(plain_http_refused(nothing), Verdict.FAILED)
    outcome(old_versions_refused(nothing), Verdict.FAILED)


def test_a_hub_that_still_runs_without_tls_is_told_to_be_restarted(tmp_path: Path) -> None:
    with running("--serverType", "http") as port:
        found = outcome(reach(service(port, tmp_path / "cert.pem")), Verdict.FAILED)
    assert found.stop
    assert "restart it" in found.meaning


def test_t38_a_service_that_still_serves_the_old_certificate_is_found(tmp_path: Path) -> None:
    context, file = by_python(tmp_path, "signer")
    file.write_bytes(self_signed("signer")[0])
    with listening(https(context)) as port:
        found = outcome(our_certificate(service(port, file)), Verdict.FAILED)
    assert "another certificate" in found.got
    assert "restart it" in found.meaning
    assert found.stop


def test_names_are_tried_one_by_one_and_the_missing_one_is_named(tmp_path: Path) -> None:
    context, file = by_python(tmp_path, "signer", "*.example.org", "127.0.0.1")
    with listening(https(context)) as port:
        checks = names_accepted(service(port, file))
        assert [check.title.rpartition(" ")[2] for check in checks] == [
            "signer",
            "www.example.org",
            "127.0.0.1",
            "::1",
        ]
        for check in checks[:3]:
            outcome(check, Verdict.PASSED)
            assert shell(check.command).stdout.startswith("HTTP/1.1 200 OK"), check.command
        assert "not valid for the name ::1" in outcome(checks[3], Verdict.FAILED).got
        assert shell(checks[3].command).returncode == 60  # CURLE_PEER_FAILED_VERIFICATION


def test_names_are_not_waited_for_again_and_again(tmp_path: Path) -> None:
    """A server that says nothing after the handshake costs two time limits, not one for each name."""
    context, file = by_python(tmp_path, *NAMES)
    over = threading.Event()

    def silent(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True):
            over.wait(10)

    with listening(silent) as port:
        first, second, *others = prove(names_accepted(service(port, file))).results
        over.set()
    for result in (first, second):
        assert result.verdict is Verdict.FAILED
        assert result.got == "It connected, but no answer came within 5 seconds."
    assert [result.verdict for result in others] == [Verdict.SKIPPED] * 2
    assert others[0].got == "not tried: signer and www.example.org took too long"


def test_a_service_on_ipv6_has_commands_that_work(tmp_path: Path) -> None:
    context, file = by_python(tmp_path, *NAMES)
    with listening(https(context), host="::1") as port:
        there = service(port, file, host="::1")
        for check in (reach(there), our_certificate(there), *names_accepted(there), api_answers(there)):
            outcome(check, Verdict.PASSED)
            assert shell(check.command).returncode == 0, check.command


def test_old_versions_are_found_when_a_server_accepts_them(tmp_path: Path) -> None:
    context, file = by_python(tmp_path, "signer")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what is to be found
        context.minimum_version = ssl.TLSVersion.TLSv1
    with listening(https(context)) as port:
        check = old_versions_refused(service(port, file))
        assert outcome(check, Verdict.FAILED).got == "TLS 1.0 and TLS 1.1 accepted"
        assert shell(check.command).returncode == 0


@pytest.mark.parametrize(
    ("answer", "got"),
    [(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 503 Busy"), (b"", "no HTTP answer")],
)
def test_an_api_that_does_not_answer_as_it_should_is_told(answer: bytes, got: str, tmp_path: Path) -> None:
    context, file = by_python(tmp_path, "signer")
    with listening(https(context, answer)) as port:
        found = outcome(api_answers(service(port, file)), Verdict.FAILED)
    assert found.got == got
    assert "connection is secured" in found.meaning


def test_a_certificate_file_that_is_missing_or_damaged_fails_with_a_sentence(tmp_path: Path) -> None:
    context, file = by_python(tmp_path, "signer")
    with listening(https(context)) as port:
        for content in (
            None,
            b"",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            b"\xff",
        ):
            file.unlink(missing_ok=True)
            if content is not None:
                file.write_bytes(content)
            for check in (api_answers(service(port, file)), names_accepted(service(port, file))[0]):
                assert f"No certificate can be read from {file}: " in outcome(check, Verdict.FAILED).got
        file.write_bytes(b"")
        assert outcome(our_certificate(service(port, file)), Verdict.FAILED).got.endswith(": it holds none")
