"""The stand-in Hub does towards TLS what iotaledger/hub does, and what gRPC does for it."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.peers.grpc_hub import GRPC_HUB, LET_IN, LISTENING, REFUSED, GrpcClient, Parties, serving
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
    with running(*files.flags, "--serverType", "grpc") as port:
        over_tls = tls(at(port), "signer", maximum=ssl.TLSVersion.TLSv1_2)
        assert isinstance(over_tls, Trouble)
        assert over_tls.kind is Kind.CLIENT_CERTIFICATE
        http = plain_http(at(port), request=STATS)
        assert isinstance(http, Trouble)
        assert http.kind is Kind.CLOSED


def test_grpc_says_that_it_listens_even_when_it_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = run("--listenAddress", address)
    assert f"{LISTENING}{address}" in ended.log
    assert ended.code == 139
    for address in ("nowhere.invalid:50051", "127.0.0.1:x", ":50051", "::1:50051", ""):
        assert run("--listenAddress", address).code == 139, address


@pytest.mark.parametrize("api", ["http", "grpc"])
def test_sigterm_ends_it_quickly_even_with_a_connection_open(api: str) -> None:
    port = free_port()
    arguments = [*HUB, f"--serverType={api}", f"--listenAddress=127.0.0.1:{port}"]
    with subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        for _ in range(500):
            try:
                held = socket.create_connection(("127.0.0.1", port), timeout=1)
                break
            except OSError:
                time.sleep(0.02)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()
            held.close()
        assert time.monotonic() - begun < 3


# The gRPC API -----------------------------------------------------------------------------------------------

both = pytest.mark.parametrize("program", [HUB, GRPC_HUB], ids=["stand-in", "real server"])


@pytest.fixture(scope="module")
def parties(tmp_path_factory: pytest.TempPathFactory) -> Parties:
    return Parties(tmp_path_factory.mktemp("grpc"))


def test_grpc_without_tls_knows_no_method_and_says_so(parties: Parties) -> None:
    with serving("--serverType=grpc", program=HUB) as port:
        assert GrpcClient().call(port) == "UNIMPLEMENTED"
        assert parties.client().call(port).startswith("UNAVAILABLE: "), "with TLS"


def test_grpc_takes_many_calls_on_one_connection() -> None:
    with serving(program=HUB) as port, GrpcClient().channel(f"127.0.0.1:{port}") as channel:
        answers = [GrpcClient.status(channel, message=bytes(50_000)) for _ in range(10)]
    assert answers == ["UNIMPLEMENTED"] * 10


def test_grpc_answers_settings_and_pings() -> None:
    with serving(program=HUB) as port, socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000"))
        client.sendall(bytes.fromhex("000008060000000000") + b"12345678")
        client.shutdown(socket.SHUT_WR)
        said = client.makefile("rb").read()
    settings, acknowledged = bytes.fromhex("000000040000000000"), bytes.fromhex("000000040100000000")
    assert said == settings + acknowledged + bytes.fromhex("000008060100000000") + b"12345678"


@both
def test_grpc_without_tls_is_neither_tls_nor_http(program: Sequence[str]) -> None:
    with serving(program=program) as port:
        over_tls = tls(at(port), "localhost")
        assert isinstance(over_tls, Trouble)
        assert over_tls.kind is Kind.NOT_TLS
        http = plain_http(at(port))
        assert isinstance(http, Trouble)
        assert http.kind is Kind.NOT_HTTP


@both
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "[::1]", "[::]"])
def test_grpc_listens_on_sockets_of_both_families(program: Sequence[str], host: str) -> None:
    with serving(program=program, host=host) as port:
        found = {
            connection.laddr.ip
            for process in psutil.Process().children()
            for connection in process.net_connections("tcp")
            if connection.laddr.port == port
        }
        reached = "[::1]" if ":" in host else "127.0.0.1"
        assert GrpcClient().call(port, host=reached) in ("OK", "UNIMPLEMENTED")
    assert found == {{"127.0.0.1": "::ffff:127.0.0.1", "[::1]": "::1"}.get(host, "::")}


def test_grpc_takes_a_name_to_listen_on() -> None:
    with serving(program=HUB, host="localhost") as port:
        assert GrpcClient().call(port) == "UNIMPLEMENTED"


def test_grpc_lets_clients_of_its_authorities_in_and_nobody_else(parties: Parties) -> None:
    with serving(*parties.flags(), program=HUB) as port:
        answers = {who: parties.client(who).call(port) for who in parties.clients}
        assert GrpcClient().call(port).startswith("UNAVAILABLE: "), "without TLS"
    assert {who: answers.pop(who) for who in LET_IN} == dict.fromkeys(LET_IN, "UNIMPLEMENTED")
    assert tuple(answers) == REFUSED
    for who, answer in answers.items():
        assert answer.startswith("UNAVAILABLE: "), who


def test_grpc_does_not_use_dh_parameters(parties: Parties) -> None:
    with serving(*parties.flags(sslDH="/missing"), program=HUB) as port:
        assert parties.client().call(port) == "UNIMPLEMENTED"


def test_t10_grpc_without_authorities_starts_and_refuses_everyone(parties: Parties) -> None:
    with serving(*parties.flags(sslCA="/dev/null"), program=HUB) as port:
        for who in parties.clients:
            assert parties.client(who).call(port).startswith("UNAVAILABLE: "), who


def test_t06_t07_what_grpc_cannot_use_crashes_it_after_it_said_that_it_listens(parties: Parties) -> None:
    for what, flags in parties.unusable().items():
        ended = run(*flags, "--listenAddress=127.0.0.1:0")
        assert f"{LISTENING}127.0.0.1:0" in ended.log, what
        assert ended.code == 139, what


def test_grpc_aborts_without_a_file_or_with_an_unknown_mode(parties: Parties) -> None:
    for flag in ("sslKey", "sslCert", "sslCA"):
        for path in ("/missing", ""):
            ended = run(*parties.flags(**{flag: path}))
            assert f"File: {path} does not exist." in ended.log
            assert ended.code == 134
    ended = run("--authMode=SSL")
    assert "Unknown auth mode: SSL" in ended.log
    assert ended.code == 134


def heard(port: int, client: ssl.SSLContext) -> bytes:
    """The first thing said to a client that says nothing but its handshake; ssl.SSLError: an alert."""
    with (
        suppress(ssl.SSLEOFError, ConnectionResetError),
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        client.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        return secured.recv(65536)
    return b""


@both
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_grpc_over_tls_speaks_first_and_refuses_without_a_word(
    program: Sequence[str], version: ssl.TLSVersion, parties: Parties
) -> None:
    def context(who: str, *protocols: str) -> ssl.SSLContext:
        made = ssl.create_default_context(cadata=parties.ca.decode())
        made.minimum_version = made.maximum_version = version
        made.set_alpn_protocols(protocols)
        if identity := parties.clients[who]:
            path = parties.write("client.pem", identity.certificate + identity.key)
            made.load_cert_chain(path)
        return made

    with serving(*parties.flags(), program=program) as port:
        assert heard(port, context("client", "http/1.1", "h2"))[3] == 4, "a frame of settings (RFC 9113 6.5)"
        for refused in (
            context("client"),
            context("client", "http/1.1"),
            context("none", "h2"),
            context("the server's own", "h2"),
        ):
            assert heard(port, refused) == b""


@both
def test_grpc_has_no_tls_1_1(program: Sequence[str], parties: Parties) -> None:
    with serving(*parties.flags(), program=program) as port:
        (tried,) = versions(at(port), "localhost", tried=["TLS 1.1"]).values()
    assert isinstance(tried, Trouble)
