"""A private authority: what it issues, to whom, until when, and what it takes back."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.material import handshake
from tests.material.linter import lint_revocation_list
from tests.material.samples import HOST, NAMES, Sample, guides_authority, key_of, one_tier, samples, two_tiers
from tests.material.verifiers import run
from tests.peers.tls import https, listening
from wizard.material import MaterialError
from wizard.material.authority import (
    Authority,
    Revoked,
    new_authority,
    new_intermediate,
    new_root,
    revocation_list_pem,
)
from wizard.material.certificates import certificate_pem, describe, read_certificates_pem
from wizard.material.key_types import KeyType
from wizard.material.keys import private_pem, read_private_pem
from wizard.material.subject import Subject

NOW = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
P256 = KeyType.ECDSA_P256


def text_of(certificate: x509.Certificate) -> list[str]:
    shown = run("openssl", "x509", "-noout", "-text", data=certificate_pem(certificate)).stdout
    return [line.strip() for line in shown.splitlines()]


def test_an_authority_says_what_the_recipe_says() -> None:
    lines = text_of(one_tier(P256, NOW).certificate)
    assert "Subject: O = Example, CN = Example CA" in lines
    assert lines[lines.index("X509v3 Basic Constraints: critical") + 1] == "CA:TRUE, pathlen:0"
    assert lines[lines.index("X509v3 Key Usage: critical") + 1] == "Certificate Sign, CRL Sign"
    assert [line for line in lines if line.startswith("X509v3")] == [
        "X509v3 extensions:",
        "X509v3 Basic Constraints: critical",
        "X509v3 Key Usage: critical",
        "X509v3 Subject Key Identifier:",
        "X509v3 Authority Key Identifier:",
    ]


def test_an_intermediate_authority_stands_below_a_root_and_above_nothing_but_leaves() -> None:
    authority = two_tiers(P256, NOW)
    assert authority.root is not None
    root, below = text_of(authority.root), text_of(authority.certificate)
    assert "CA:TRUE, pathlen:1" in root
    assert "CA:TRUE, pathlen:0" in below
    root_id = root[root.index("X509v3 Subject Key Identifier:") + 1]
    assert below[below.index("X509v3 Authority Key Identifier:") + 1] == root_id
    third = new_intermediate(authority, key_of(P256, "leaf"), Subject("Third"), 30, NOW)
    leaf = third.issue_server(key_of(P256, "authority").public_key(), Subject(HOST), NAMES, 30, NOW)
    sample = Sample(
        "server",
        P256,
        key_of(P256, "authority"),
        (leaf, third.certificate, authority.certificate),
        authority.root,
    )
    server = handshake.present(handshake.server(), sample.chain, sample.key)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake.connect(handshake.client(authority.root), server, HOST)


@pytest.mark.parametrize(
    ("common_name", "names"),
    [
        ("rpc.user.1", ()),  # its last label is a number: no DNS name
        ("rpc-user", ()),
        ("Jane Doe", ()),
        ("10.0.0.1", ()),
        ("*.example.org", ()),
        ("Client.Example.org", ("client.example.org",)),
        ("jane.doe@example.org", ("jane.doe@example.org",)),
        ("jane@localhost", ()),
    ],
)
def test_a_client_has_an_alternative_name_only_if_it_is_called_by_one(
    common_name: str, names: tuple[str, ...]
) -> None:
    authority = one_tier(P256, NOW)
    leaf = authority.issue_client(key_of(P256, "leaf").public_key(), Subject(common_name), 30, NOW)
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        assert names == ()
    else:
        assert tuple(name.value for name in found) == names
    assert "Digital Signature" in text_of(leaf)
    assert "TLS Web Client Authentication" in text_of(leaf)


def test_nothing_outlives_its_authority() -> None:
    root = new_root(key_of(P256, "authority"), Subject("Root"), 100, NOW)
    below = new_intermediate(root, key_of(P256, "intermediate"), Subject("Below"), 3650, NOW)
    later = NOW + timedelta(days=90)
    leaf = below.issue_server(key_of(P256, "leaf").public_key(), Subject(HOST), NAMES, 397, later)
    end = root.certificate.not_valid_after_utc
    assert end == datetime(2026, 6, 12, 4, 6, 6, tzinfo=UTC)
    assert below.certificate.not_valid_after_utc == leaf.not_valid_after_utc == end
    short = below.issue_client(key_of(P256, "leaf").public_key(), Subject("a"), 1, later)
    assert short.not_valid_after_utc < end


@pytest.mark.parametrize("when", [NOW - timedelta(days=2), NOW + timedelta(days=40)])
def test_an_authority_issues_only_while_it_is_valid(when: datetime) -> None:
    authority = new_authority(key_of(P256, "authority"), Subject("Short"), 30, NOW)
    with pytest.raises(MaterialError, match=r"Short is valid from 2026-03-04 to 2026-04-03 only"):
        authority.issue_client(key_of(P256, "leaf").public_key(), Subject("a"), 1, when)


def test_serial_numbers_are_distinct_random_and_within_bounds() -> None:
    authority = one_tier(P256, NOW)
    public_key = key_of(P256, "leaf").public_key()
    serials = {authority.issue_client(public_key, Subject("a"), 30, NOW).serial_number for _ in range(200)}
    assert len(serials) == 200
    assert all(0 < serial < 2**159 for serial in serials)
    assert min(serial.bit_length() for serial in serials) > 120  # random, not counted


def test_an_authority_renewed_with_its_key_vouches_for_what_it_issued() -> None:
    authority = one_tier(P256, datetime.now(UTC) - timedelta(days=100))
    leaf = authority.issue_server(
        key_of(P256, "leaf").public_key(), Subject(HOST), NAMES, 397, datetime.now(UTC)
    )
    renewed = one_tier(P256, datetime.now(UTC))
    assert renewed.certificate != authority.certificate
    server = handshake.present(handshake.server(), (leaf,), key_of(P256, "leaf"))
    handshake.connect(handshake.client(renewed.anchor), server, HOST)


def test_an_authority_is_read_again_from_its_files_and_a_wrong_pair_is_refused() -> None:
    authority = one_tier(P256, NOW)
    (certificate,) = read_certificates_pem(certificate_pem(authority.certificate))
    assert Authority(certificate, read_private_pem(private_pem(authority.key))).chain(certificate)
    with pytest.raises(MaterialError, match="does not belong to its certificate"):
        Authority(certificate, key_of(P256, "leaf"))
    leaf = samples(P256)[0]
    with pytest.raises(MaterialError, match=f"{HOST} is no authority"):
        Authority(leaf.chain[0], leaf.key)
    assert "key" not in repr(authority)


def test_revoked_certificates_are_refused_and_the_others_are_not(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    authority = one_tier(P256, now)
    good, gone, stolen = (
        authority.issue_client(key_of(P256, "leaf").public_key(), Subject(common_name), 30, now)
        for common_name in ("good", "gone", "stolen")
    )
    revoked = (
        Revoked(gone.serial_number, now),
        Revoked(stolen.serial_number, now, x509.ReasonFlags.key_compromise),
    )
    signed = authority.revocation_list(revoked, 7, now)

    (tmp_path / "ca.pem").write_bytes(certificate_pem(authority.certificate))
    (tmp_path / "crl.pem").write_bytes(revocation_list_pem(signed))
    verify = ["openssl", "verify", "-x509_strict", "-crl_check", "-CAfile", str(tmp_path / "ca.pem")]
    verify += ["-CRLfile", str(tmp_path / "crl.pem")]
    assert run(*verify, data=certificate_pem(good)).returncode == 0
    for certificate in (gone, stolen):
        done = run(*verify, data=certificate_pem(certificate))
        assert "error 23 at 0 depth lookup: certificate revoked" in done.stdout
    shown = run("openssl", "crl", "-noout", "-text", data=revocation_list_pem(signed)).stdout
    assert "X509v3 CRL Number: \n                7\n" in shown
    assert shown.count("Key Compromise") == shown.count("X509v3 CRL Reason Code") == 1
    assert signed.next_update_utc is not None
    assert signed.next_update_utc - signed.last_update_utc == timedelta(days=30)
    assert lint_revocation_list(signed) == []


@pytest.mark.parametrize("key_type", KeyType, ids=lambda key_type: key_type.value)
def test_gnutls_finds_a_revocation_list_well_signed(key_type: KeyType, tmp_path: Path) -> None:
    authority = two_tiers(key_type, datetime.now(UTC))
    (tmp_path / "ca.pem").write_bytes(certificate_pem(authority.certificate))
    signed = revocation_list_pem(authority.revocation_list((), 1, datetime.now(UTC)))
    command = ("certtool", "--verify-crl", "--load-ca-certificate", tmp_path / "ca.pem")
    done = run(*command, data=signed)
    assert done.returncode == 0, done.stdout
    assert "Verified" in done.stdout


@contextmanager
def connected(client: ssl.SSLContext, port: int) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        client.wrap_socket(plain, server_hostname=HOST) as tls,
    ):
        yield tls


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("key_type", [P256, KeyType.RSA_2048], ids=lambda key_type: key_type.value)
def test_t12_a_server_certificate_does_not_work_as_a_client_certificate(
    key_type: KeyType, version: ssl.TLSVersion
) -> None:
    server, client, *_ = samples(key_type)
    assert (server.kind, client.kind) == ("server, 1 tier", "client, 1 tier")
    assert server.anchor.subject == client.anchor.subject

    demanding = handshake.present(handshake.server(server.anchor), server.chain, server.key)
    with listening(https(demanding)) as port:
        for sample, accepted in ((client, True), (server, False)):
            presenting = handshake.present(handshake.client(server.anchor), sample.chain, sample.key)
            presenting.minimum_version = presenting.maximum_version = version
            if accepted:
                with connected(presenting, port) as tls:
                    tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    assert tls.recv(65536).startswith(b"HTTP/1.1 200")
                continue
            # TLS 1.2 refuses within the handshake, TLS 1.3 is told of it at the first read.
            with (
                pytest.raises(ssl.SSLError, match=r"(?i)unsupported.certificate"),
                connected(presenting, port) as tls,
            ):
                tls.recv(1)
    # And the other way round: a client cannot pose as the server.
    posing = handshake.present(handshake.server(), client.chain, client.key)
    with pytest.raises(ssl.SSLCertVerificationError, match="unsuitable certificate purpose"):
        handshake.connect(handshake.client(client.anchor), posing, HOST, version)


def test_t44_our_authority_is_accepted_by_strict_and_lenient_and_a_guides_by_lenient_only(
    tmp_path: Path,
) -> None:
    for sample in samples(P256)[:4:2]:
        server = handshake.present(handshake.server(), sample.chain, sample.key)
        for strict in (True, False):
            handshake.connect(handshake.client(sample.anchor, strict=strict), server, HOST)

    authority, leaf = guides_authority(tmp_path)
    server = handshake.present(handshake.server(), (leaf,), key_of(P256, "server"))
    handshake.connect(handshake.client(authority, strict=False), server, HOST)
    strictly = handshake.client(authority)
    with pytest.raises(ssl.SSLCertVerificationError, match="CA cert does not include key usage"):
        handshake.connect(strictly, server, HOST)
    with pytest.raises(MaterialError, match="guide is no authority that strict clients accept"):
        Authority(authority, key_of(P256, "ca"))


def test_what_an_authority_issues_is_described_with_its_issuer() -> None:
    leaf = one_tier(P256, NOW).issue_server(key_of(P256, "leaf").public_key(), Subject(HOST), NAMES, 397, NOW)
    lines = describe(leaf, NOW).lines()
    assert "Issued by    CN=Example CA,O=Example" in lines
    assert "Valid for    DNS signer" in lines
