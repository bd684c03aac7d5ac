"""What a probe says of real servers on loopback, well-behaved and otherwise."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.peers.mutual import Parties, demanding, grpc_server, openssl, parties, speechless
from tests.peers.tls import ANSWER, Handler, https, listening, self_signed, server_context
from wizard.material.key_types import KeyType
from wizard.probe import (
    TIMEOUT,
    VERSIONS,
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
from wizard.trouble import Kind, Trouble

RSA = KeyType.RSA_2048
QUICK = 0.5  # seconds, for servers that never answer


def at(port: int) -> Endpoint:
    return Endpoint("127.0.0.1", port)


def connected(result: Handshake | Trouble) -> Handshake:
    assert isinstance(result, Handshake), result
    return result


def trouble(result: object, kind: Kind) -> str:
    """The sentence of the trouble that was expected."""
    assert isinstance(result, Trouble), result
    assert result.kind is kind, result
    return result.sentence


def test_a_list_of_authorities_may_have_remarks_in_any_language(tmp_path: Path) -> None:
    """As that of Fedora has, above each certificate its name."""
    certificate, key = self_signed("127.0.0.1")
    listed = "# NetLock Arany (Class Gold) F\u0151tan\u00fas\u00edtv\u00e1ny\n".encode() + certificate
    with listening(https(server_context(certificate, key, tmp_path))) as port:
        connected(tls(at(port), ca=listed))


@pytest.mark.parametrize("length", [b"9" * 5000, b"\xb2", b"-1", b""])
def test_a_length_that_is_none_stops_nothing(tmp_path: Path, length: bytes) -> None:
    """Python reads no number of more than 4,300 digits, and says so by an error."""
    certificate, key = self_signed("127.0.0.1")
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\n"
    with listening(https(server_context(certificate, key, tmp_path), answer)) as port:
        assert connected(tls(at(port), timeout=QUICK)).answer.code == 200


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:50051", "127.0.0.1", 50051),
        (" hub.example.org:1 ", "hub.example.org", 1),
        ("[::1]:65535", "::1", 65535),
    ],
)
def test_an_endpoint_is_read_and_shown(text: str, host: str, port: int) -> None:
    endpoint = Endpoint.parse(text)
    assert endpoint == Endpoint(host, port)
    assert str(endpoint) == text.strip()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a host and a port"),
        ("hub", "a host and a port"),
        (":443", "a host and a port"),
        ("hub:", "from 1 to 65535"),
        ("hub:0", "from 1 to 65535"),
        ("hub:65536", "from 1 to 65535"),
        ("hub:https", "from 1 to 65535"),
        ("hub:٤٤٣", "from 1 to 65535"),
        ("::1:443", "in brackets"),
        ("https://hub:443", "leave out blanks, https:// and paths"),
        ("a hub:443", "leave out blanks"),
        ("hub/path:443", "leave out blanks"),
    ],
)
def test_what_is_no_endpoint_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Endpoint.parse(text)


def test_a_good_connection_tells_version_cipher_certificate_and_answer(tmp_path: Path) -> None:
    certificate, key = self_signed("signer", "127.0.0.1")
    with listening(https(server_context(certificate, key, tmp_path))) as port:
        for name in ("signer", "127.0.0.1", ""):
            result = connected(tls(at(port), name, ca=certificate))
            assert result.version == "TLS 1.3"
            assert result.cipher.startswith("TLS_")
            assert result.answer.status == "HTTP/1.1 200 OK"
            assert result.answer.code == 200
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
        input=certificate,
        capture_output=True,
        check=True,
    )
    assert f"={result.fingerprint}\n" in shown.stdout.decode()


def test_a_service_on_ipv6_is_reached(tmp_path: Path) -> None:
    certificate, key = self_signed("::1")
    with listening(https(server_context(certificate, key, tmp_path)), host="::1") as port:
        assert connected(tls(Endpoint("::1", port), ca=certificate)).answer.code == 200


def test_the_request_reaches_the_server_as_given(tmp_path: Path) -> None:
    received = []
    certificate, key = self_signed("signer")
    context = server_context(certificate, key, tmp_path)

    def record(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            received.append(secured.recv(65536))
            secured.sendall(ANSWER)

    request = Request("POST", "/api", (("X-IOTA-API-Version", "1"),), b'{"command":"GetStats"}')
    with listening(record) as port:
        connected(tls(at(port), "signer", ca=certificate, request=request))
    head, _, body = received[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /api HTTP/1.1",
        b"Host: signer",
        b"X-IOTA-API-Version: 1",
        b"Connection: close",
        b"Content-Length: 22",
    ]
    assert body == b'{"command":"GetStats"}'


def test_nothing_listening_is_told_apart_from_no_such_host() -> None:
    port = free_port()
    assert f"127.0.0.1:{port}" in trouble(tls(at(port)), Kind.NOT_LISTENING)
    trouble(plain_http(at(port)), Kind.NOT_LISTENING)
    trouble(tls(Endpoint("no such host", 443)), Kind.UNREACHABLE)
    trouble(tls(Endpoint("a" * 300, 443)), Kind.UNREACHABLE)


def hold(connection: socket.socket) -> None:
    """Say nothing until the other side gives up."""
    while connection.recv(65536):
        pass


def hang_up(connection: socket.socket) -> None:
    connection.recv(65536)


def say(data: bytes) -> Handler:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)

    return handle


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (hold, Kind.SILENT),
        (hang_up, Kind.CLOSED),
        (say(b"220 mail.example ESMTP\r\n"), Kind.NOT_TLS),
        (say(b"\xff\x00garbage" * 100), Kind.NOT_TLS),
        (say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), Kind.PLAIN_HTTP),
        (say(b"\x15\x03\x01\x00\x02\x02\x28"), Kind.HANDSHAKE),
        (say(b"\x15\x03\x01\x00\x02\x02\x46"), Kind.VERSION),
    ],
    ids=["silent", "closes", "mail", "garbage", "plain HTTP", "alert 40", "alert 70"],
)
def test_what_is_not_a_tls_service_is_named(handler: Handler, kind: Kind) -> None:
    with listening(handler) as port:
        assert trouble(tls(at(port), "signer", timeout=QUICK if handler is hold else TIMEOUT), kind)


def test_a_server_that_waits_for_a_whole_line_of_http_is_known_as_plain_http() -> None:
    def patient(connection: socket.socket) -> None:
        data = b""
        while not data.startswith(b"GET "):
            chunk = connection.recv(65536)
            if not chunk:
                return
            data += chunk
        connection.sendall(ANSWER)

    with listening(patient) as port:
        trouble(tls(at(port), timeout=1), Kind.PLAIN_HTTP)


def test_a_probe_ends_in_time_however_slowly_the_server_drips(tmp_path: Path) -> None:
    certificate, key = self_signed("signer")
    context = server_context(certificate, key, tmp_path)

    def drip(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                secured.sendall(b"X")
                time.sleep(0.02)

    with listening(drip) as port:
        begun = time.monotonic()
        result = connected(tls(at(port), "signer", ca=certificate, timeout=1))
        assert time.monotonic() - begun < 4
        assert result.answer.status == "HTTP/1.1 200 OK"


def test_what_the_server_sends_is_unchanged_but_bounded(tmp_path: Path) -> None:
    certificate, key = self_signed("signer")
    answer = b"HTTP/1.1 200 \x1b[31m" + b"A" * 100_000
    with listening(https(server_context(certificate, key, tmp_path), answer)) as port:
        result = connected(tls(at(port), "signer", ca=certificate))
    assert len(result.answer.data) == 16_384
    assert result.answer.data == answer[:16_384]
    assert result.answer.status == answer[:200].decode()


def test_certificates_that_clients_refuse_are_told_apart(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    ours, key = self_signed("signer")
    others, _ = self_signed("signer")
    with listening(https(server_context(ours, key, tmp_path))) as port:
        trouble(tls(at(port), "signer", ca=others), Kind.SELF_SIGNED)
        assert "the name other" in trouble(tls(at(port), "other", ca=ours), Kind.NAME)
        trouble(tls(at(port), "127.0.0.1", ca=ours), Kind.NAME)
        assert connected(tls(at(port), "other")).certificate  # to look only
    for begins, kind in (
        (now - timedelta(days=40), Kind.EXPIRED),
        (now + timedelta(days=2), Kind.NOT_YET_VALID),
    ):
        certificate, key = self_signed("signer", days=30, now=begins)
        with listening(https(server_context(certificate, key, tmp_path))) as port:
            trouble(tls(at(port), "signer", ca=certificate), kind)


def openssl_certificate(directory: Path, name: str, *options: str) -> tuple[bytes, bytes]:
    """A certificate and key made by openssl, as guides do."""
    certificate, key = directory / f"{name}.crt", directory / f"{name}.key"
    base = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-x509"]
    files = ["-keyout", str(key), "-out", str(certificate), "-subj", f"/CN={name}"]
    subprocess.run([*base, *files, *options], check=True, capture_output=True, timeout=60)
    return certificate.read_bytes(), key.read_bytes()


def test_an_unknown_authority_and_a_wrong_purpose_are_told_apart(tmp_path: Path) -> None:
    authority, _ = openssl_certificate(tmp_path, "authority", "-addext", "keyUsage=critical,keyCertSign")
    issued = ("-CA", str(tmp_path / "authority.crt"), "-CAkey", str(tmp_path / "authority.key"))
    names = ("-addext", "subjectAltName=DNS:signer", "-addext", "basicConstraints=critical,CA:FALSE")
    stranger, _ = self_signed("signer")

    leaf, key = openssl_certificate(tmp_path, "signer", *issued, *names)
    with listening(https(server_context(leaf, key, tmp_path))) as port:
        assert connected(tls(at(port), "signer", ca=authority, strict=False)).answer.code == 200
        trouble(tls(at(port), "signer", ca=stranger, strict=False), Kind.UNKNOWN_AUTHORITY)

    client = ("-addext", "extendedKeyUsage=clientAuth")
    leaf, key = openssl_certificate(tmp_path, "signer", *issued, *names, *client)
    with listening(https(server_context(leaf, key, tmp_path))) as port:
        trouble(tls(at(port), "signer", ca=authority, strict=False), Kind.PURPOSE)


def test_t41_a_common_name_alone_is_not_taken_for_a_name(tmp_path: Path) -> None:
    certificate, key = openssl_certificate(tmp_path, "signer")
    with listening(https(server_context(certificate, key, tmp_path))) as port:
        trouble(tls(at(port), "signer", ca=certificate, strict=False), Kind.NAME)


def test_t44_what_only_strict_clients_refuse_is_tried_both_ways(tmp_path: Path) -> None:
    # An authority without key usage, as in the scripts of iotaledger/hub docs/ssl/grpc.
    authority, _ = openssl_certificate(tmp_path, "authority")
    leaf, key = openssl_certificate(
        tmp_path,
        "signer",
        *("-CA", str(tmp_path / "authority.crt"), "-CAkey", str(tmp_path / "authority.key")),
        *("-addext", "subjectAltName=DNS:signer", "-addext", "basicConstraints=critical,CA:FALSE"),
    )
    with listening(https(server_context(leaf, key, tmp_path))) as port:
        sentence = trouble(tls(at(port), "signer", ca=authority, strict=True), Kind.STRICT)
        assert "CA cert does not include key usage extension" in sentence
        assert connected(tls(at(port), "signer", ca=authority, strict=False)).answer.code == 200


both_versions = pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"]
)
anybody = pytest.mark.parametrize("who", ["no certificate", "stranger", "server's own", "expired"])


def identity_of(who: str) -> Identity | None:
    they = parties()
    return {"stranger": they.of_another, "server's own": they.server, "expired": they.expired}.get(who)


@anybody
@both_versions
@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
def test_t43_a_client_is_seen_to_be_refused_by_openssl(
    who: str, version: ssl.TLSVersion, strict: bool
) -> None:
    they = parties()
    with openssl(demanding(they.server, they.ca, version, strict=strict)) as port:
        # Whether the refusal arrives while writing or while reading is a matter of chance.
        for _ in range(10):
            trouble(tls(at(port), "signer", ca=they.ca, client=identity_of(who)), Kind.CLIENT_CERTIFICATE)
        assert connected(tls(at(port), "signer", ca=they.ca, client=they.ours)).answer.code == 200
    with openssl(demanding(they.server, None, version)) as port:
        assert connected(tls(at(port), "signer", ca=they.ca, client=identity_of(who))).answer.code == 200


@pytest.fixture(scope="module")
def grpc_port() -> Iterator[int]:
    """A gRPC server that demands certificates of its clients."""
    with grpc_server(parties().server, parties().ca) as port:
        yield port


@anybody
@both_versions
def test_t43_a_client_is_seen_to_be_refused_by_grpc_which_says_nothing(
    who: str, version: ssl.TLSVersion, grpc_port: int
) -> None:
    def ask(client: Identity | None) -> Handshake | Trouble:
        return tls(
            at(grpc_port),
            "signer",
            ca=parties().ca,
            minimum=version,
            maximum=version,
            request=Http2Preface(),
            client=client,
        )

    for _ in range(10):
        trouble(ask(identity_of(who)), Kind.CLIENT_CERTIFICATE)
    result = connected(ask(parties().ours))
    assert result.answer.is_http2
    assert VERSIONS[result.version] is version


@anybody
def test_a_grpc_server_that_asks_for_no_certificate_lets_everybody_in(who: str) -> None:
    they = parties()
    with grpc_server(they.server) as port:
        request = Http2Preface()
        result = tls(at(port), "signer", ca=they.ca, request=request, client=identity_of(who))
        assert request.succeeded(connected(result).answer)


@both_versions
@pytest.mark.parametrize("reset", [False, True], ids=["closes", "resets"])
def test_t43_a_server_that_hangs_up_has_refused_only_where_it_asked_and_did_not_let_in(
    version: ssl.TLSVersion, reset: bool
) -> None:
    they = parties()
    with listening(speechless(demanding(they.server, they.ca, version), reset=reset)) as port:
        trouble(tls(at(port), "signer", ca=they.ca, client=they.of_another), Kind.CLIENT_CERTIFICATE)
    optional = demanding(they.server, they.ca, version, mode=ssl.CERT_OPTIONAL)
    if version is ssl.TLSVersion.TLSv1_2:  # where the end of a handshake is known without tickets
        optional.options |= ssl.OP_NO_TICKET
    for context in (optional, demanding(they.server, None, version)):
        with listening(speechless(context, reset=reset)) as port:
            result = tls(at(port), "signer", ca=they.ca)
            if isinstance(result, Trouble):
                assert result.kind is Kind.CLOSED
            else:
                assert result.answer == Answer(b"")


@pytest.mark.parametrize(
    ("alert", "kind"),
    [
        (40, Kind.CLIENT_CERTIFICATE),  # handshake_failure
        (49, Kind.CLIENT_CERTIFICATE),  # access_denied, by GnuTLS
        (50, Kind.CLIENT_CERTIFICATE),  # decode_error, by GnuTLS
        (80, Kind.HANDSHAKE),  # internal_error
    ],
)
def test_whatever_alert_answers_a_client_certificate_is_a_refusal_unless_the_server_failed(
    alert: int, kind: Kind
) -> None:
    they = parties()
    # TLS 1.2, where alerts of the handshake are not encrypted yet.
    context = demanding(they.server, they.ca, ssl.TLSVersion.TLSv1_2)
    with listening(speechless(context, bytes([0x15, 3, 3, 0, 2, 2, alert]))) as port:
        trouble(tls(at(port), "signer", ca=they.ca, client=they.of_another), kind)


@pytest.mark.parametrize(
    ("handler", "kind"), [(hang_up, Kind.CLOSED), (None, Kind.NOT_LISTENING)], ids=["hangs up", "down"]
)
def test_a_server_that_is_down_has_refused_nobody(handler: Handler | None, kind: Kind) -> None:
    with listening(handler or hang_up) as port:
        there = at(port if handler else free_port())
        trouble(tls(there, "signer", client=parties().of_another), kind)


def test_a_server_with_another_certificate_is_told_before_any_refusal() -> None:
    they = parties()
    with openssl(demanding(they.server, they.ca)) as port:
        trouble(tls(at(port), "signer", ca=self_signed("signer")[0]), Kind.UNKNOWN_AUTHORITY)


def test_what_a_client_presents_is_shown_without_its_key() -> None:
    ours = parties().ours
    assert "PRIVATE KEY" in ours.key.decode()
    assert "PRIVATE KEY" not in repr(ours)


def encrypted(key: bytes) -> bytes:
    command = ["openssl", "pkcs8", "-topk8", "-v2", "aes256", "-passout", "pass:words"]
    return subprocess.run(command, input=key, capture_output=True, check=True, timeout=60).stdout


@pytest.mark.parametrize(
    ("chain", "key", "words"),
    [
        (lambda they: they.ours.chain, lambda they: they.expired.key, "does not belong to"),
        (lambda they: they.ca + they.ours.chain, lambda they: they.ours.key, "the first certificate"),
        (lambda they: they.ours.chain, lambda _: self_signed("x", key_type=RSA)[1], "does not belong to"),
        (lambda they: they.ours.chain, lambda they: encrypted(they.ours.key), "has a passphrase"),
        (lambda they: they.ours.chain, lambda they: they.ours.key[:99], "damaged"),
        (lambda they: they.ours.chain, lambda _: b"", "damaged"),
        (lambda _: b"-----BEGIN CERTIFICATE-----\nAAAA\n", lambda they: they.ours.key, "damaged"),
        (lambda _: b"", lambda they: they.ours.key, "damaged"),
    ],
    ids=[
        *("another's key", "authority first", "another kind of key", "encrypted key"),
        *("half a key", "no key", "half a certificate", "no certificate"),
    ],
)
def test_what_cannot_be_presented_is_told_in_a_sentence(
    chain: Callable[[Parties], bytes], key: Callable[[Parties], bytes], words: str
) -> None:
    they = parties()
    with openssl(demanding(they.server, they.ca)) as port:
        result = tls(at(port), "signer", ca=they.ca, client=Identity(chain(they), key(they)))
    sentence = trouble(result, Kind.IDENTITY)
    assert words in sentence
    assert "PRIVATE KEY" not in sentence


def as_ours(port: int) -> Handshake | Trouble:
    they = parties()
    return tls(at(port), "signer", ca=they.ca, client=they.ours)


def files_in_memory() -> list[str]:
    """Those that this process has open."""
    found = []
    for opened in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # it may be closed by now
            found.append(str(opened.readlink()))
    return [name for name in found if "memfd:" in name]


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="this system has no files in memory")
def test_a_key_is_never_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    with openssl(demanding(parties().server, parties().ca)) as port:
        monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
        connected(as_ours(port))
        assert not files_in_memory(), "what was opened is closed again"
        monkeypatch.delattr(os, "memfd_create")
        assert "No such file or directory" in trouble(as_ours(port), Kind.IDENTITY)


def test_without_files_in_memory_a_key_is_on_the_disk_for_a_moment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with openssl(demanding(parties().server, parties().ca)) as port:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        monkeypatch.delattr(os, "memfd_create", raising=False)
        connected(as_ours(port))
    assert list(tmp_path.iterdir()) == []


def test_grpc_without_tls_is_found_with_the_preface_of_http_2(grpc_port: int) -> None:
    assert Http2Preface().to_bytes("signer").hex() == (
        "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a" + "000000040000000000"  # RFC 9113 3.4 and 6.5
    )
    with grpc_server(None) as port:
        result = plain_http(at(port), request=Http2Preface())
        assert isinstance(result, Answer)
        assert (result.status, result.code, result.is_http2) == ("HTTP/2", None, True)
        trouble(tls(at(port), request=Http2Preface()), Kind.PLAIN_HTTP)
        trouble(plain_http(at(port)), Kind.NOT_HTTP)
    trouble(plain_http(at(grpc_port), request=Http2Preface()), Kind.CLOSED)


@pytest.mark.parametrize(
    ("data", "is_http2"),
    [
        ("000000 04 00 00000000", True),
        ("000018 04 00 00000000 0000", True),
        ("000000 04 01 00000000", False),
        ("000000 04 00 00000001", False),
        ("000008 07 00 00000000", False),
        ("000000 04 00 000000", False),
        ("485454502f312e3120323030", False),
        ("", False),
    ],
    ids=["settings", "longer", "acknowledged", "of a stream", "goodbye", "cut off", "HTTP/1.1", "nothing"],
)
def test_http_2_is_known_by_its_settings(data: str, is_http2: bool) -> None:
    assert Answer(bytes.fromhex(data)).is_http2 is is_http2


def test_settings_may_come_in_pieces() -> None:
    def hesitate(connection: socket.socket) -> None:
        connection.recv(65536)
        for piece in ("000000", "0400", "00000000"):
            connection.sendall(bytes.fromhex(piece))
            time.sleep(0.05)

    with listening(hesitate) as port:
        result = plain_http(at(port), request=Http2Preface())
    assert isinstance(result, Answer)
    assert result.is_http2


@pytest.mark.parametrize(
    ("answer", "succeeded"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 299 \r\n\r\n", True),
        (b"HTTP/1.1 300 \r\n\r\n", False),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
        (b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", False),
        (b"", False),
    ],
)
def test_a_request_knows_what_is_a_success(answer: bytes, succeeded: bool) -> None:
    assert Request().succeeded(Answer(answer)) is succeeded


def limited(context: ssl.SSLContext, lowest: ssl.TLSVersion, highest: ssl.TLSVersion) -> ssl.SSLContext:
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are the subject of these tests
        context.minimum_version = lowest
        context.maximum_version = highest
    return context


@pytest.mark.parametrize(
    ("lowest", "highest", "accepted"),
    [
        ("TLS 1.2", "TLS 1.2", {"TLS 1.2"}),
        ("TLS 1.2", "TLS 1.3", {"TLS 1.2", "TLS 1.3"}),
        ("TLS 1.0", "TLS 1.2", {"TLS 1.0", "TLS 1.1", "TLS 1.2"}),
    ],
)
def test_each_tls_version_is_tried_by_itself(
    lowest: str, highest: str, accepted: set[str], tmp_path: Path
) -> None:
    certificate, key = self_signed("signer")
    context = limited(server_context(certificate, key, tmp_path), VERSIONS[lowest], VERSIONS[highest])
    with listening(https(context)) as port:
        tried = versions(at(port), "signer")
    assert list(tried) == ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]
    for version, result in tried.items():
        if version in ("TLS 1.0", "TLS 1.1") and not (ssl.HAS_TLSv1 and ssl.HAS_TLSv1_1):
            trouble(result, Kind.UNTRIED)
            continue
        assert isinstance(result, Handshake) is (version in accepted), (version, result)
        if isinstance(result, Handshake):
            assert result.version == version
        else:
            assert result.kind is Kind.VERSION


def test_a_version_the_local_library_cannot_speak_is_not_taken_for_a_refusal(tmp_path: Path) -> None:
    certificate, key = self_signed("signer")
    lowest, highest = ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2  # leaves none
    with listening(https(server_context(certificate, key, tmp_path))) as port:
        result = tls(at(port), "signer", minimum=lowest, maximum=highest)
    assert "TLS library of this machine cannot try" in trouble(result, Kind.UNTRIED)


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (hold, Kind.SILENT),
        (hang_up, Kind.CLOSED),
        (say(b"\x15\x03\x03\x00\x02\x02\x28"), Kind.TLS_ONLY),
        (say(b"SSH-2.0-OpenSSH\r\n"), Kind.NOT_HTTP),
    ],
    ids=["silent", "closes", "alert", "ssh"],
)
def test_plain_http_that_is_not_answered_is_told_as_it_was(handler: Handler, kind: Kind) -> None:
    with listening(handler) as port:
        trouble(plain_http(at(port), timeout=QUICK if handler is hold else TIMEOUT), kind)


def test_plain_http_to_a_tls_server_is_no_answer(tmp_path: Path) -> None:
    certificate, key = self_signed("signer")
    with listening(https(server_context(certificate, key, tmp_path))) as port:
        result = plain_http(at(port))
    assert isinstance(result, Trouble)


def test_plain_http_that_is_answered_tells_the_status_whatever_it_is() -> None:
    with listening(say(b"HTTP/1.0 503 Sorry\r\nX: y\r\n\r\nbody")) as port:
        result = plain_http(at(port))
    assert isinstance(result, Answer)
    assert (result.status, result.code) == ("HTTP/1.0 503 Sorry", 503)


def test_probing_loads_no_library_for_certificates() -> None:
    script = "import sys, wizard.probe, wizard.proof; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
