"""What an authority delivers becomes a chain, whatever its form; what is wrong is told apart."""

from __future__ import annotations

import random
import re
import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from tests.material import handshake
from tests.material.samples import HOST, NAMES, key_of, one_tier, samples, two_tiers
from tests.material.verifiers import run
from wizard.material import MaterialError
from wizard.material.authority import new_authority
from wizard.material.bundles import chain_pem, pkcs12_bundle
from wizard.material.certificates import certificate_pem, self_signed_server
from wizard.material.chains import build_chain, covers
from wizard.material.delivery import read_delivery
from wizard.material.key_types import KeyType
from wizard.material.keys import PrivateKey, private_pem, read_private_key
from wizard.material.names import Name, read_name
from wizard.material.requests import request_pem, signing_request
from wizard.material.subject import Subject
from wizard.secret import Secret

P256 = KeyType.ECDSA_P256
NOW = datetime.now(UTC)
KEY = key_of(P256, "leaf")
AUTHORITY = two_tiers(P256, NOW)
LEAF = AUTHORITY.issue_server(KEY.public_key(), Subject(HOST), NAMES, 397, NOW)
assert AUTHORITY.root
ROOT, INTERMEDIATE = AUTHORITY.root, AUTHORITY.certificate
LEAF_PEM, INTERMEDIATE_PEM, ROOT_PEM = map(certificate_pem, (LEAF, INTERMEDIATE, ROOT))


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def pkcs7(*certificates: x509.Certificate, form: str, folder: Path) -> bytes:
    """As `openssl crl2pkcs7` makes it, which authorities use."""
    (folder / "in.pem").write_bytes(chain_pem(certificates))
    command = ["openssl", "crl2pkcs7", "-nocrl", "-certfile", str(folder / "in.pem"), "-outform", form]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def in_ber(der_pkcs7: bytes) -> bytes:
    """The same with the outermost length left open, as programs that stream write it."""
    assert der_pkcs7[:2] == b"\x30\x82"
    return b"\x30\x80" + der_pkcs7[4:] + b"\x00\x00"


DELIVERIES: dict[str, Callable[[Path], list[bytes]]] = {
    "one file in order": lambda _: [chain_pem((LEAF, INTERMEDIATE, ROOT))],
    "the root first": lambda _: [chain_pem((ROOT, INTERMEDIATE, LEAF))],
    "separate files": lambda _: [INTERMEDIATE_PEM, LEAF_PEM],
    "twice the same": lambda _: [LEAF_PEM, chain_pem((INTERMEDIATE, LEAF)), ROOT_PEM, ROOT_PEM],
    "binary": lambda _: [der(LEAF), der(INTERMEDIATE), der(ROOT)],
    "binary and text": lambda _: [der(INTERMEDIATE), LEAF_PEM],
    "lines ending in CR LF": lambda _: [chain_pem((INTERMEDIATE, LEAF)).replace(b"\n", b"\r\n")],
    "lines ending in CR": lambda _: [chain_pem((INTERMEDIATE, LEAF)).replace(b"\n", b"\r")],
    "one long line": lambda _: [chain_pem((INTERMEDIATE, LEAF)).replace(b"\n", b" ")],
    "indented": lambda _: [chain_pem((INTERMEDIATE, LEAF)).replace(b"\n", b"\n    ")],
    "with a BOM": lambda _: [b"\xef\xbb\xbf" + LEAF_PEM, INTERMEDIATE_PEM],
    "UTF-16": lambda _: [chain_pem((LEAF, INTERMEDIATE)).decode().encode("utf-16")],
    "text around": lambda _: [
        b"Dear customer,\nhere it is -----\n"
        + LEAF_PEM
        + "\nGrüße, 京".encode()
        + INTERMEDIATE_PEM
        + b"--\nBye"
    ],
    "as openssl shows it": lambda _: [
        run("openssl", "x509", "-text", data=LEAF_PEM).stdout.encode() + INTERMEDIATE_PEM
    ],
    "with its key and request": lambda _: [
        private_pem(KEY) + LEAF_PEM + request_pem(signing_request(KEY, Subject(HOST), NAMES)),
        INTERMEDIATE_PEM,
    ],
    "PKCS#7 in PEM": lambda folder: [pkcs7(ROOT, INTERMEDIATE, LEAF, form="PEM", folder=folder)],
    "PKCS#7 in DER": lambda folder: [pkcs7(INTERMEDIATE, LEAF, form="DER", folder=folder)],
    "PKCS#7 in BER": lambda folder: [in_ber(pkcs7(INTERMEDIATE, LEAF, form="DER", folder=folder))],
    "PKCS#7 labelled as certificate": lambda folder: [
        pkcs7(INTERMEDIATE, LEAF, form="PEM", folder=folder).replace(b" PKCS7-", b" CERTIFICATE-")
    ],
    "PKCS#7 and the leaf": lambda folder: [
        pkcs7(ROOT, INTERMEDIATE, form="PEM", folder=folder),
        LEAF_PEM,
    ],
    "with others that do not matter": lambda _: [
        LEAF_PEM,
        certificate_pem(samples(P256)[4].chain[0]),
        INTERMEDIATE_PEM,
        ROOT_PEM,
        certificate_pem(one_tier(P256, NOW).certificate),
    ],
}


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_t07_t37_the_chain_is_leaf_first_and_whole_whatever_was_delivered(
    delivery: str, tmp_path: Path
) -> None:
    certificates = read_delivery(DELIVERIES[delivery](tmp_path))
    chain = build_chain(certificates, KEY.public_key(), NAMES, NOW)
    assert chain.certificates == (LEAF, INTERMEDIATE)
    assert chain.leaf == LEAF
    assert chain.root == (ROOT if ROOT in certificates else None)
    assert chain.trusted == "Example Root"

    server = handshake.present(handshake.server(), chain.certificates, KEY)
    handshake.connect(handshake.client(ROOT), server, HOST)


def test_t07_a_file_with_the_authority_first_stops_a_service_and_the_rebuilt_one_does_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "server.key").write_bytes(private_pem(KEY))
    file = tmp_path / "server.pem"
    file.write_bytes(chain_pem((INTERMEDIATE, LEAF)))
    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file, tmp_path / "server.key")
    chain = build_chain(read_delivery([file.read_bytes()]), KEY.public_key(), NAMES, NOW)
    file.write_bytes(chain_pem(chain.certificates))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file, tmp_path / "server.key")


def test_t37_the_leaf_alone_is_refused_by_clients_and_here_with_the_issuer_that_is_missing() -> None:
    server = handshake.present(handshake.server(), (LEAF,), KEY)
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        handshake.connect(handshake.client(ROOT), server, HOST)
    for given in ([LEAF], [LEAF, ROOT], [ROOT, LEAF, samples(P256)[4].chain[0]]):
        with pytest.raises(MaterialError, match="issued by Example Intermediate, whose certificate was not"):
            build_chain(given, KEY.public_key(), NAMES, NOW)


def test_a_request_signed_by_an_authority_elsewhere_becomes_a_working_server(tmp_path: Path) -> None:
    (tmp_path / "request.pem").write_bytes(request_pem(signing_request(KEY, Subject(HOST), NAMES)))
    (tmp_path / "issuer.pem").write_bytes(INTERMEDIATE_PEM)
    (tmp_path / "issuer.key").write_bytes(private_pem(AUTHORITY.key))
    command = ["openssl", "x509", "-req", "-in", str(tmp_path / "request.pem"), "-days", "30"]
    command += ["-CA", str(tmp_path / "issuer.pem"), "-CAkey", str(tmp_path / "issuer.key")]
    answer = run_bytes(*command, "-copy_extensions", "copyall", data=b"")
    certificates = read_delivery([INTERMEDIATE_PEM, answer])
    chain = build_chain(certificates, KEY.public_key(), NAMES, datetime.now(UTC))
    server = handshake.present(handshake.server(), chain.certificates, KEY)
    handshake.connect(handshake.client(ROOT), server, HOST)


def test_the_root_is_kept_when_asked_for() -> None:
    chain = build_chain([ROOT, LEAF, INTERMEDIATE], KEY.public_key(), NAMES, NOW, keep_root=True)
    assert chain.certificates == (LEAF, INTERMEDIATE, ROOT)
    server = handshake.present(handshake.server(), chain.certificates, KEY)
    handshake.connect(handshake.client(ROOT), server, HOST)


def test_of_several_that_fit_the_valid_one_that_lasts_longest_is_taken() -> None:
    old = two_tiers(P256, NOW - timedelta(days=4000))
    expired = old.issue_server(KEY.public_key(), Subject(HOST), NAMES, 397, NOW - timedelta(days=4000))
    short = AUTHORITY.issue_server(KEY.public_key(), Subject(HOST), NAMES, 30, NOW)
    assert old.root
    given = [expired, old.certificate, old.root, short, LEAF, INTERMEDIATE, ROOT]
    chain = build_chain(given, KEY.public_key(), NAMES, NOW)
    assert chain.certificates == (LEAF, INTERMEDIATE)
    assert chain.root == ROOT
    assert set(chain.unused) == {expired, old.certificate, old.root, short}


def test_a_self_signed_certificate_is_a_chain_of_itself() -> None:
    certificate = self_signed_server(KEY, HOST, NAMES, 30, NOW)
    chain = build_chain([certificate], KEY.public_key(), NAMES, NOW)
    assert chain.certificates == (certificate,)
    assert chain.root == certificate
    assert chain.trusted == HOST


def test_a_client_s_chain_asks_for_no_names() -> None:
    client = AUTHORITY.issue_client(KEY.public_key(), Subject("rpc.user.1"), 30, NOW)
    assert build_chain([INTERMEDIATE, client], KEY.public_key(), (), NOW).leaf == client
    with pytest.raises(MaterialError, match="has no subject alternative names"):
        build_chain([INTERMEDIATE, client], KEY.public_key(), NAMES, NOW)
    named = AUTHORITY.issue_client(KEY.public_key(), Subject(HOST), 30, NOW)
    with pytest.raises(MaterialError, match="not made for servers"):
        build_chain([INTERMEDIATE, named], KEY.public_key(), (HOST,), NOW)


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("hub.example.org", True),
        ("a.wild.example", True),
        ("*.wild.example", True),
        ("wild.example", False),
        ("a.b.wild.example", False),
        ("other.example.org", False),
        ("127.0.0.1", True),
        ("127.0.0.2", False),
        ("::1", True),
    ],
)
def test_a_name_is_covered_as_openssl_covers_it(name: str, covered: bool, tmp_path: Path) -> None:
    names = tuple(map(read_name, ("hub.example.org", "*.wild.example", "127.0.0.1", "::1")))
    certificate = self_signed_server(KEY, "x", names, 30, NOW)
    assert covers(certificate, read_name(name)) is covered
    if not name.startswith("*"):
        (tmp_path / "x.pem").write_bytes(certificate_pem(certificate))
        check = "-verify_ip" if ":" in name or name[0].isdigit() else "-verify_hostname"
        done = run("openssl", "verify", check, name, "-CAfile", tmp_path / "x.pem", tmp_path / "x.pem")
        assert (done.returncode == 0) is covered


def common_name_only() -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    builder = x509.CertificateBuilder(INTERMEDIATE.subject, subject, KEY.public_key(), 77)
    builder = builder.not_valid_before(NOW - timedelta(hours=1)).not_valid_after(NOW + timedelta(days=30))
    return builder.sign(AUTHORITY.key, hashes.SHA256())


def chain_of(*given: x509.Certificate, names: tuple[Name, ...] = (HOST,)) -> object:
    return build_chain([*given, INTERMEDIATE, ROOT], KEY.public_key(), names, NOW)


def expired() -> x509.Certificate:
    past = NOW - timedelta(days=100)
    return two_tiers(P256, past).issue_server(KEY.public_key(), Subject(HOST), NAMES, 30, past)


def issued(key: PrivateKey, now: datetime = NOW) -> x509.Certificate:
    return AUTHORITY.issue_server(key.public_key(), Subject(HOST), NAMES, 30, now)


def with_weak_key() -> object:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # meant to be weak
    return build_chain([issued(key), INTERMEDIATE, ROOT], key.public_key(), NAMES, NOW)


def encrypted() -> bytes:
    return private_pem(KEY, Secret("right"))


WRONG: dict[str, tuple[str, Callable[[], object]]] = {
    "another key's certificate": (
        r"hub\.example\.org was made for another private key",
        lambda: chain_of(issued(key_of(P256, "authority"))),
    ),
    "expired": ("has expired on", lambda: chain_of(expired())),
    "not yet valid": ("not yet valid", lambda: chain_of(issued(KEY, NOW + timedelta(days=100)))),
    "no names": ("only a Common Name", lambda: chain_of(common_name_only())),
    "other names": (
        r"not valid for DNS a\.example, DNS b\.example\. ",
        lambda: chain_of(LEAF, names=(HOST, "a.example", "b.example")),
    ),
    "an authority as leaf": (
        r"is an authority's \(CA:TRUE\)",
        lambda: chain_of(new_authority(KEY, Subject(HOST), 30, NOW).certificate),
    ),
    "authorities only": ("Only certificates of authorities were given", chain_of),
    "a gap in the chain": (
        "issued by Example Intermediate, whose certificate was not given",
        lambda: build_chain([LEAF, ROOT], KEY.public_key(), (HOST,), NOW),
    ),
    "1024 bits": (r"too weak \(RSA 1024 bits\)", with_weak_key),
    "no passphrase": ("protected by a passphrase", lambda: read_private_key(encrypted())),
    "wrong passphrase": (
        "cannot be decrypted with this passphrase",
        lambda: read_private_key(encrypted(), Secret("wrong")),
    ),
    "empty": ("file is empty", lambda: read_delivery([LEAF_PEM, b" \r\n"])),
}


@pytest.mark.parametrize("kind", WRONG)
def test_each_kind_of_wrong_material_is_refused_with_a_sentence_of_its_own(kind: str) -> None:
    words, give = WRONG[kind]
    with pytest.raises(MaterialError, match=words) as refusal:
        give()
    others = (other for name, (other, _) in WRONG.items() if name != kind)
    assert not any(re.search(other, str(refusal.value)) for other in others)


def test_what_is_binary_is_read_though_it_is_called_pem() -> None:
    assert read_delivery([der(LEAF)]) == (LEAF,)
    binary_key = run_bytes("openssl", "pkey", "-outform", "DER", data=private_pem(KEY))
    assert private_pem(read_private_key(binary_key)) == private_pem(KEY)


def run_bytes(*command: str, data: bytes) -> bytes:
    return subprocess.run(command, input=data, check=True, capture_output=True, timeout=60).stdout


def test_what_holds_no_certificate_is_named_for_what_it_is(tmp_path: Path) -> None:
    lines = LEAF_PEM.splitlines(keepends=True)
    broken = pkcs7(LEAF, form="DER", folder=tmp_path)[:-9]
    for blob, words in (
        (b"", "is empty"),
        (b"\xff\xfe", "is empty"),
        (b"hello", "BEGIN CERTIFICATE is missing"),
        (private_pem(KEY), "is a private key"),
        (request_pem(signing_request(KEY, Subject(HOST), NAMES)), "is the signing request"),
        (pkcs12_bundle(KEY, (LEAF,)).data, r"PKCS#12.*openssl pkcs12 -in FILE"),
        (LEAF_PEM[:300], "breaks off"),
        (b"".join([*lines[:3], *lines[5:]]), "damaged"),
        (LEAF_PEM.replace(lines[3][:4], b"!!!!"), "damaged"),
        (der(LEAF)[:-1], "damaged"),
        (der(LEAF) + b"x", "damaged"),
        (b"\x30", "damaged"),
        (broken, "damaged"),
        (in_ber(broken), "damaged"),
    ):
        with pytest.raises(MaterialError, match=words):
            read_delivery([blob])
    with pytest.raises(MaterialError, match="No certificate was given"):
        read_delivery([])


def test_a_hostile_name_is_shown_harmlessly() -> None:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x\x1b[2J\u202e")])
    builder = x509.CertificateBuilder(subject, subject, key_of(P256, "authority").public_key(), 77)
    builder = builder.not_valid_before(NOW - timedelta(hours=1)).not_valid_after(NOW + timedelta(days=30))
    certificate = builder.sign(key_of(P256, "authority"), hashes.SHA256())
    with pytest.raises(MaterialError, match=r"x\\x1b\[2J\\u202e") as refusal:
        build_chain([certificate], KEY.public_key(), (), NOW)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize("binary", [True, False])
def test_damage_anywhere_ends_in_a_sentence_or_in_a_chain(binary: bool) -> None:
    chance = random.Random(7)
    whole = der(LEAF) if binary else LEAF_PEM
    refused = 0
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(chance.choice([1, 1, 2, 5])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            certificates = read_delivery([bytes(damaged)])
            build_chain([*certificates, INTERMEDIATE, ROOT], KEY.public_key(), NAMES, NOW)
        except MaterialError as refusal:
            refused += 1
            assert str(refusal).isprintable()
    assert refused > 2900  # a signature covers nearly all of it
