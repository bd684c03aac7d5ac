"""Certificates as OpenSSL, strict verifiers and real connections see them."""

from __future__ import annotations

import socket
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from tests.peers.tls import https, listening, self_signed, server_context
from wizard.material import MaterialError
from wizard.material.certificates import (
    belongs_together,
    certificate_pem,
    describe,
    read_certificates_pem,
    self_signed_server,
)
from wizard.material.key_types import KeyType
from wizard.material.keys import PrivateKey, generate, private_pem, read_private_pem
from wizard.material.names import Name, read_name

NOW = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
NAMES: tuple[Name, ...] = ("signer", "hub.example.org", ip_address("127.0.0.1"), ip_address("::1"))

every_key_type = pytest.mark.parametrize("key_type", KeyType, ids=lambda key_type: key_type.value)


def openssl(*arguments: str, data: bytes = b"") -> str:
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def made(key: PrivateKey, *, days: int = 397, now: datetime = NOW) -> x509.Certificate:
    return self_signed_server(key, "signer", NAMES, days, now)


@every_key_type
def test_openssl_reads_every_field_of_the_recipe(key_type: KeyType) -> None:
    text = openssl("x509", "-noout", "-text", data=certificate_pem(made(generate(key_type))))
    lines = [line.strip() for line in text.splitlines()]

    def after(line: str) -> str:
        return lines[lines.index(line) + 1]

    signature = {
        KeyType.ECDSA_P256: "ecdsa-with-SHA256",
        KeyType.ECDSA_P384: "ecdsa-with-SHA384",
        KeyType.ED25519: "ED25519",
    }.get(key_type, "sha256WithRSAEncryption")
    usage = "Digital Signature" + (", Key Encipherment" if key_type.value.startswith("rsa") else "")

    assert "Version: 3 (0x2)" in lines
    assert f"Signature Algorithm: {signature}" in lines
    assert "Subject: CN = signer" in lines
    assert "Issuer: CN = signer" in lines
    assert "Not Before: Mar  4 04:06:07 2026 GMT" in lines
    assert "Not After : Apr  5 04:06:06 2027 GMT" in lines
    assert after("X509v3 Basic Constraints: critical") == "CA:FALSE"
    assert after("X509v3 Key Usage: critical") == usage
    assert after("X509v3 Extended Key Usage:") == "TLS Web Server Authentication"
    assert after("X509v3 Subject Alternative Name:") == (
        "DNS:signer, DNS:hub.example.org, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1"
    )
    # Only the key identifier, equal to the certificate's own.
    key_id = after("X509v3 Subject Key Identifier:")
    assert after("X509v3 Authority Key Identifier:") == key_id
    assert "DirName" not in text
    assert text.count("X509v3 ") == 6 + 1  # six extensions and their heading


@every_key_type
@pytest.mark.parametrize("check", ["-verify_hostname signer", "-verify_ip 127.0.0.1", "-verify_ip ::1"])
def test_openssl_accepts_it_strictly_for_each_name(key_type: KeyType, check: str, tmp_path: Path) -> None:
    file = tmp_path / "server.crt"
    file.write_bytes(self_signed("signer", "127.0.0.1", "::1", key_type=key_type)[0])
    verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-check_ss_sig", *check.split()]
    openssl(*verify, "-CAfile", str(file), str(file))


@pytest.mark.parametrize("key_type", [KeyType.ECDSA_P256, KeyType.ECDSA_P384, KeyType.RSA_2048])
def test_the_web_profile_of_cryptography_accepts_it(key_type: KeyType) -> None:
    certificate = made(generate(key_type))
    builder = PolicyBuilder().store(Store([certificate])).time(NOW)
    for name in ("signer", "hub.example.org"):
        builder.build_server_verifier(x509.DNSName(name)).verify(certificate, [])
    builder.build_server_verifier(x509.IPAddress(ip_address("127.0.0.1"))).verify(certificate, [])


def strict_client(authority: bytes) -> ssl.SSLContext:
    """A client as Python 3.13 makes it by default, which never looks at the Common Name."""
    context = ssl.create_default_context(cadata=authority.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.hostname_checks_common_name = False
    return context


def handshake(client: ssl.SSLContext, port: int, name: str) -> bytes | None:
    """Connect as `name`; returns the certificate the server presented."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        client.wrap_socket(plain, server_hostname=name) as tls,
    ):
        return tls.getpeercert(binary_form=True)


@every_key_type
def test_a_strict_client_connects_by_every_name(key_type: KeyType, tmp_path: Path) -> None:
    certificate, key = self_signed("signer", "127.0.0.1", key_type=key_type)
    client = strict_client(certificate)
    with listening(https(server_context(certificate, key, tmp_path))) as port:
        for name in ("signer", "127.0.0.1"):
            assert handshake(client, port, name) == ssl.PEM_cert_to_DER_cert(certificate.decode())
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            handshake(client, port, "other")


def common_name_only(key: ec.EllipticCurvePrivateKey, name: str) -> bytes:
    """A certificate as the public guides make it: a Common Name and no subject alternative name."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=30))
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(key_id, critical=False)
    return certificate_pem(builder.sign(key, hashes.SHA256()))


def test_t41_names_are_always_there_and_a_common_name_alone_is_refused(tmp_path: Path) -> None:
    key = generate(KeyType.ECDSA_P256)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    with pytest.raises(MaterialError, match="at least one name"):
        self_signed_server(key, "signer", (), 397, NOW)

    guide = common_name_only(key, "signer")
    with listening(https(server_context(guide, private_pem(key), tmp_path))) as port:
        lenient = ssl.create_default_context(cadata=guide.decode())
        lenient.verify_flags &= ~ssl.VERIFY_X509_STRICT
        lenient.hostname_checks_common_name = True
        assert handshake(lenient, port, "signer")
        lenient.hostname_checks_common_name = False
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            handshake(lenient, port, "signer")

    ours, our_key = self_signed("signer")
    with listening(https(server_context(ours, our_key, tmp_path))) as port:
        assert handshake(strict_client(ours), port, "signer")


def test_serial_numbers_are_random() -> None:
    key = generate(KeyType.ED25519)
    serials = {made(key).serial_number for _ in range(20)}
    assert len(serials) == 20
    assert all(0 < serial < 2**160 for serial in serials)


def test_a_name_given_twice_is_written_once() -> None:
    certificate = self_signed_server(generate(KeyType.ED25519), "a", ("a", "b", "a"), 1, NOW)
    assert describe(certificate, NOW).names == ("DNS a", "DNS b")


def test_times_are_kept_whatever_the_zone_and_the_century() -> None:
    elsewhere = NOW.astimezone(datetime.strptime("+0530", "%z").tzinfo)
    key = generate(KeyType.ED25519)
    assert made(key, now=elsewhere).not_valid_before_utc == made(key).not_valid_before_utc
    long = made(key, days=9999)  # past 2049, where X.509 changes the form of dates
    assert long.not_valid_after_utc == datetime(2053, 7, 19, 4, 6, 6, tzinfo=UTC)
    assert "2053 GMT" in openssl("x509", "-noout", "-enddate", data=certificate_pem(long))


@pytest.mark.parametrize("days", [0, -1, 36_501, 10**9])
def test_a_senseless_number_of_days_is_refused(days: int) -> None:
    with pytest.raises(MaterialError, match="1 to 36,500 days"):
        made(generate(KeyType.ED25519), days=days)


def test_a_common_name_too_long_for_a_certificate_is_refused() -> None:
    with pytest.raises(MaterialError, match="65 characters; at most 64"):
        self_signed_server(generate(KeyType.ED25519), "x" * 65, ("a",), 1, NOW)


def test_a_certificate_belongs_to_its_key_only() -> None:
    key, other = generate(KeyType.ECDSA_P256), generate(KeyType.ECDSA_P256)
    assert belongs_together(made(key), read_private_pem(private_pem(key)))
    assert not belongs_together(made(key), other)
    assert not belongs_together(made(key), generate(KeyType.RSA_2048))


def test_a_description_says_in_plain_words_what_openssl_says() -> None:
    certificate = made(generate(KeyType.ECDSA_P256))
    description = describe(certificate, NOW)
    openssl_says = openssl(
        "x509", "-noout", "-serial", "-fingerprint", "-sha256", data=certificate_pem(certificate)
    )
    assert f"serial={int(description.serial, 16):040X}"[-30:] in openssl_says
    assert f"Fingerprint={description.fingerprint}" in openssl_says
    assert description.self_signed
    assert description.days_left == 396
    lines = description.lines()
    assert lines[:9] == (
        "Name         signer",
        "Valid for    DNS signer",
        "             DNS hub.example.org",
        "             IP 127.0.0.1",
        "             IP ::1",
        "For          servers",
        "Issued by    itself (self-signed)",
        "Valid from   2026-03-04 04:06 UTC",
        "Valid until  2027-04-05 04:06 UTC, 396 days left",
    )
    assert all(len(line) <= 80 for line in lines)
    shown = "".join(line[13:] for line in lines[-2:])
    assert shown == description.fingerprint


@pytest.mark.parametrize(
    ("after", "words"), [(0, "1 day left"), (1, "expires today"), (2, "expired"), (400, "expired")]
)
def test_a_description_says_how_long_it_is_still_valid(after: int, words: str) -> None:
    certificate = made(generate(KeyType.ED25519), days=2)
    lines = describe(certificate, NOW + timedelta(days=after)).lines()
    assert any(line.startswith("Valid until") and line.endswith(words) for line in lines)


def test_a_certificate_without_names_is_described_as_one_that_clients_refuse() -> None:
    key = generate(KeyType.ECDSA_P256)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    (certificate,) = read_certificates_pem(common_name_only(key, "signer"))
    assert "no name at all: clients will refuse it" in "\n".join(describe(certificate, NOW).lines())


def test_all_certificates_of_a_file_are_read_in_their_order() -> None:
    first, second = made(generate(KeyType.ED25519)), made(generate(KeyType.ECDSA_P256))
    key = private_pem(generate(KeyType.ECDSA_P256))
    file = b"a comment\n" + certificate_pem(first) + key + certificate_pem(second)
    assert read_certificates_pem(file) == (first, second)
    assert read_certificates_pem(file.replace(b"\n", b"\r\n")) == (first, second)


def test_what_is_not_a_certificate_is_named_for_what_it_is() -> None:
    key = private_pem(generate(KeyType.ECDSA_P256))
    pem = certificate_pem(made(generate(KeyType.ECDSA_P256)))
    lines = pem.splitlines(keepends=True)
    for data, words in (
        (key, "holds a private key but no certificate"),
        (ssl.PEM_cert_to_DER_cert(pem.decode()), "is binary"),
        (b"", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\n", "holds a signing request"),
        (b"".join([*lines[:3], *lines[5:]]), "damaged or of an unknown kind"),
        (pem[:200], "damaged or of an unknown kind"),
    ):
        with pytest.raises(MaterialError, match=words):
            read_certificates_pem(data)


def test_an_issuer_that_is_not_the_subject_is_named() -> None:
    key = generate(KeyType.ECDSA_P256)
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example CA")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
    builder = x509.CertificateBuilder(authority, subject, generate(KeyType.ED25519).public_key(), 77)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=3))
    description = describe(builder.sign(key, hashes.SHA256()), NOW)
    assert not description.self_signed
    assert "Issued by    CN=Example CA" in description.lines()
    assert description.serial == "4d"


def test_names_typed_by_people_reach_the_certificate() -> None:
    names = tuple(read_name(text) for text in ("bücher.example", "[::1]", "*.Example.org"))
    certificate = self_signed_server(generate(KeyType.ED25519), "x", names, 1, NOW)
    assert describe(certificate, NOW).names == ("DNS xn--bcher-kva.example", "DNS *.example.org", "IP ::1")
