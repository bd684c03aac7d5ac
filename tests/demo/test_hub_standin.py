"""The stand-in Hub does towards TLS what iotaledger/hub does in common/http_server_base.cc."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from tests.peers.hub import HUB, ROOT, Secured, free_port, run, running, secured
from tests.peers.tls import self_signed
from wizard.probe import Answer, Endpoint, Handshake, Request, plain_http, tls, versions
from wizard.trouble import Kind, Trouble

STATS = Request("POST", "/", (("X-IOTA-API-Version", "1"),), b'{"command": "GetStats"}')


def at(port: int) -> Endpoint:
    return Endpoint("127.0.0.1", port)


def test_the_rest_api_answers_over_tls_1_2_only(tmp_path: Path) -> None:
    files = secured(tmp_path, "signer")
    with running(*files.flags) as port:
        result = tls(at(port), "signer", ca=files.certificate.read_bytes(), request=STATS)
        assert isinstance(result, Handshake), result
        assert result.answer.status == "HTTP/1.1 200 OK"
        assert b'"totalBalance": "0"' in result.answer.data
        tried = versions(at(port), "signer")
        assert [version for version, got in tried.items() if isinstance(got, Handshake)] == ["TLS 1.2"]


def post(body: bytes) -> Request:
    return Request("POST", "/", (), body)


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        (STATS, 200, b"totalBalance"),
        (Request(), 400, b"Unknown HTTP-method"),
        (Request("PUT", "/", (), b"{}"), 400, b"Unknown HTTP-method"),
        (post(b""), 500, b"Empty request"),
        (post(b'{"command": "Fly"}'), 400, b"Unknown command: Fly"),
        (post(b"not JSON"), 400, b"JSON"),
        (post(b"[]"), 400, b"JSON"),
    ],
    ids=["GetStats", "GET", "PUT", "empty", "unknown", "not JSON", "no object"],
)
def test_requests_are_answered_as_hub_answers_them(request_: Request, code: int, text: bytes) -> None:
    with running("--serverType", "http") as port:
        answer = plain_http(at(port), request=request_)
    assert isinstance(answer, Answer), answer
    assert answer.code == code
    assert text in answer.data


@pytest.mark.parametrize("mode", ["none", "ssl", "SSL"])
def test_plain_http_is_answered_on_the_same_port_whatever_the_auth_mode(mode: str, tmp_path: Path) -> None:
    files = secured(tmp_path, "signer")
    with running(*files.flags, "--authMode", mode) as port:
        answer = plain_http(at(port), request=STATS)
        assert isinstance(answer, Answer), answer
        assert answer.code == 200
        over_tls = tls(at(port), "signer")
        assert isinstance(over_tls, Handshake) is (mode == "ssl")


def test_a_client_that_presents_a_certificate_is_refused_and_one_without_is_not(tmp_path: Path) -> None:
    files = secured(tmp_path, "signer")
    certificate, key = self_signed("client")
    (tmp_path / "client.pem").write_bytes(certificate + key)
    context = ssl.create_default_context(cafile=files.certificate)
    with running(*files.flags) as port:
        assert isinstance(tls(at(port), "signer", ca=files.certificate.read_bytes()), Handshake)
        context.load_cert_chain(tmp_path / "client.pem")
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            pytest.raises(ssl.SSLError, match=r"(?i)alert"),
            context.wrap_socket(plain, server_hostname="signer") as refused,
        ):
            refused.recv(1)


def changed(files: Secured, **paths: Path | str) -> list[str]:
    return [
        *files.flags,
        *(f"--{flag}={path}" for flag, path in paths.items()),
        "--listenAddress=127.0.0.1:1",
    ]


def test_files_are_loaded_in_hubs_order_and_each_failure_ends_it_with_its_name(tmp_path: Path) -> None:
    files = secured(tmp_path, "signer")
    other = tmp_path / "other.pem"
    other.write_bytes(self_signed("other")[1])
    damaged = tmp_path / "damaged.pem"
    damaged.write_bytes((tmp_path / "dh.pem").read_bytes()[:200] + b"\n-----END DH PARAMETERS-----\n")
    broken = {"sslCert": "/dev/null", "sslKey": "/missing", "sslDH": "/dev/null"}
    for expected, flags in (
        ("certificate chain file with error: no certificate or crl found", broken),
        ("private key file with error: No such file or directory", {**broken, "sslCert": files.certificate}),
        ("private key file with error: key values mismatch", {"sslKey": other, "sslDH": "/dev/null"}),
        ("DH file with error: no start line", {"sslDH": "/dev/null"}),
        ("DH file with error: ", {"sslDH": damaged}),
        ("DH file with error: No such file or directory", {"sslDH": "/missing"}),
    ):
        ended = run(*changed(files, **flags))
        assert f"Failed setting {expected}" in ended.log
        assert ended.code == 134


def test_t06_an_encrypted_key_ends_it_at_once_without_a_prompt(tmp_path: Path) -> None:
    files = secured(tmp_path, "signer")
    encrypted = tmp_path / "encrypted.pem"
    source = ["openssl", "pkey", "-in", str(tmp_path / "key.pem"), "-aes256", "-passout", "pass:words"]
    subprocess.run([*source, "-out", str(encrypted)], check=True, timeout=60)
    ended = run(*changed(files, sslKey=encrypted))
    assert "Failed setting private key file with error: bad password read" in ended.log
    assert ended.code == 134


def test_t07_a_chain_with_the_authority_first_ends_it(tmp_path: Path) -> None:
    files = secured(tmp_path, "signer")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(self_signed("authority")[0] + files.certificate.read_bytes())
    assert "key values mismatch" in run(*changed(files, sslCert=chain)).log


def test_t08_a_dh_file_with_the_x9_42_header_ends_it(tmp_path: Path) -> None:
    files = secured(tmp_path, "signer")
    wrong = tmp_path / "x942.pem"
    ours = (tmp_path / "dh.pem").read_bytes()
    wrong.write_bytes(ours.replace(b"DH PARAMETERS", b"X9.42 DH PARAMETERS"))
    assert "Failed setting DH file" in run(*changed(files, sslDH=wrong)).log


@pytest.mark.parametrize("address", ["localhost:50051", "[::1]:50051", "127.0.0.1", "127.0.0.1:x", ":50051"])
def test_the_rest_server_takes_an_ipv4_address_with_a_port_and_nothing_else(address: str) -> None:
    ended = run("--serverType", "http", "--listenAddress", address)
    assert "Failed initializing http server" in ended.log
    assert ended.code == 1


def test_an_unknown_flag_ends_it_with_the_words_of_gflags() -> None:
    ended = run("--sslDhParam", "x", "--serverType", "http")
    assert ended.log == "ERROR: unknown command line flag 'sslDhParam'\n"
    assert ended.code == 1


def test_t05_without_server_type_it_is_grpc_and_the_rest_flags_mean_nothing(tmp_path: Path) -> None:
    files = secured(tmp_path, "signer")
    with running(*files.flags, "--serverType", "grpc", "--sslCA", str(files.certificate)) as port:
        result = tls(at(port), "signer", timeout=2)
    assert isinstance(result, Trouble)
    assert result.kind is Kind.CLOSED


def test_grpc_says_that_it_listens_even_when_it_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = run("--listenAddress", address)
    assert f"Server listening on {address}" in ended.log
    assert ended.code == 139
    assert "File: /missing does not exist." in run("--authMode=ssl", "--sslKey=/missing").log
    assert "Unknown auth mode: SSL" in run("--authMode=SSL").log


def test_sigterm_ends_it_quickly_even_with_a_connection_open() -> None:
    port = free_port()
    arguments = [*HUB, "--serverType=http", f"--listenAddress=127.0.0.1:{port}"]
    with subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        for _ in range(500):
            try:
                held = socket.create_connection(("127.0.0.1", port), timeout=1)
                break
            except OSError:
                time.sleep(0.02)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - begun < 3
        held.close()
