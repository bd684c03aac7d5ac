"""The names of a certificate folder as `openssl rehash` gives them."""

from __future__ import annotations

import random
import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.material import handshake
from tests.material.samples import HOST, key_of, samples
from wizard.material import MaterialError
from wizard.material.certificates import self_signed_client
from wizard.material.der import OBJECT_IDENTIFIER, SEQUENCE, SET, element, integer
from wizard.material.key_types import KeyType
from wizard.material.subject import Subject
from wizard.material.subject_hash import hashed_names, subject_hash

TYPES = [bytes.fromhex(f"5504{number:02x}") for number in (3, 6, 7, 8, 10, 11, 12)]
TYPES.append(bytes.fromhex("2a864886f70d010901"))  # emailAddress
WHITE = [" ", "  ", "\t", "\n", "\v\f\r ", "\x1c", "\u00a0", "\u3000", "\u0085"]
LETTERS = ["a", "A", "Z", "z", "0", ".", "İ", "ı", "ß", "É", "é", "Ω", "京", "😀", "ſ"]


def der_with(names: bytes, serial: int) -> bytes:
    """A certificate as far as reading its subject goes: its signature is nothing."""
    algorithm = element(SEQUENCE, element(OBJECT_IDENTIFIER, bytes.fromhex("2b6570")))
    date = element(0x17, b"260101000000Z")
    key = element(SEQUENCE, algorithm, element(0x03, bytes(33)))
    name = element(SEQUENCE, names)
    validity = element(SEQUENCE, date, date)
    body = element(SEQUENCE, integer(serial), algorithm, element(SEQUENCE), validity, name, key)
    return element(SEQUENCE, body, algorithm, element(0x03, bytes(65)))


def text(chance: random.Random, letters: list[str], longest: int = 12) -> str:
    return "".join(
        chance.choice(letters if chance.random() < 0.6 else WHITE) for _ in range(chance.randrange(longest))
    )


def value(chance: random.Random) -> bytes:
    """An attribute's value of any type that OpenSSL loads, with what makes canonical forms hard."""
    latin = [*filter(str.isascii, LETTERS), "É", "é", "ß"]
    ways: list[Callable[[], bytes]] = [
        lambda: element(0x0C, text(chance, LETTERS, 80).encode()),
        lambda: element(0x0C, b"A" * chance.choice([127, 128, 255, 256, 800])),
        lambda: element(0x13, text(chance, latin).encode("latin-1", "ignore")),
        lambda: element(0x14, text(chance, latin).encode("latin-1", "ignore")),
        lambda: element(0x16, text(chance, latin).encode("ascii", "ignore")),
        lambda: element(0x1C, text(chance, LETTERS).encode("utf-32-be")),
        lambda: element(0x1E, text(chance, latin).encode("utf-16-be")),
        lambda: element(0x12, b"12 34"),  # NumericString: taken as it is
        lambda: element(0x03, b"\x00" + chance.randbytes(3)),  # BIT STRING
    ]
    return chance.choice(ways)()


def names(chance: random.Random) -> bytes:
    """Up to five RDNs, some with several attributes in any order."""
    return b"".join(
        element(
            SET,
            *(
                element(SEQUENCE, element(OBJECT_IDENTIFIER, chance.choice(TYPES)), value(chance))
                for _ in range(chance.choice([1, 1, 1, 2, 3]))
            ),
        )
        for _ in range(chance.choice([0, 1, 1, 2, 2, 3, 3, 4, 5, 5]))
    )


def rehashed(folder: Path) -> dict[str, str]:
    """File name to hash, for a folder of certificates.

    `openssl rehash` makes a link HASH.N to each of them, in one run of a second; it has room for 256 of one
    hash. `openssl x509 -subject_hash` takes a run for each certificate.
    """
    done = subprocess.run(["openssl", "rehash", folder], capture_output=True, check=True, timeout=60)
    assert done.stderr == b""
    return {
        link.readlink().name: link.name.partition(".")[0] for link in folder.iterdir() if link.is_symlink()
    }


def test_two_thousand_random_subjects_hash_as_openssl_hashes_them(tmp_path: Path) -> None:
    chance = random.Random(20260304)
    made = {f"{number}.crt": der_with(names(chance), number) for number in range(2000)}
    for name, der in made.items():
        (tmp_path / name).write_text(ssl.DER_cert_to_PEM_cert(der))
    theirs = rehashed(tmp_path)
    assert len(theirs) == 2000  # OpenSSL loads every one
    assert {name: subject_hash(der) for name, der in made.items()} == theirs


def test_certificates_of_one_subject_are_numbered_without_a_gap() -> None:
    first, second, other = (
        self_signed_client(
            key_of(KeyType.ECDSA_P256, "leaf"), Subject(name), 30, datetime.now(UTC)
        ).public_bytes(Encoding.DER)
        for name in ("alice", "Alice ", "bob")
    )
    alice, bob = subject_hash(first), subject_hash(other)
    assert subject_hash(second) == alice != bob
    assert hashed_names([first, other, second, first]) == {
        f"{alice}.0": first,
        f"{bob}.0": other,
        f"{alice}.1": second,
    }
    assert hashed_names([second, other]) == {f"{alice}.0": second, f"{bob}.0": other}
    assert hashed_names([]) == {}


def test_openssl_finds_the_clients_of_a_folder_by_these_names(tmp_path: Path) -> None:
    key, now = key_of(KeyType.ECDSA_P256, "leaf"), datetime.now(UTC)
    server = samples(KeyType.ECDSA_P256)[0]
    clients = [self_signed_client(key, Subject("rpc.user.1"), 30, now) for _ in range(3)]
    for name, der in hashed_names(client.public_bytes(Encoding.DER) for client in clients[:2]).items():
        (tmp_path / name).write_text(ssl.DER_cert_to_PEM_cert(der))
    context = handshake.present(handshake.server(), server.chain, server.key)
    context.load_verify_locations(capath=tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    for client in clients[:2]:
        handshake.connect(handshake.present(handshake.client(server.anchor), (client,), key), context, HOST)
    stranger = handshake.present(handshake.client(server.anchor), (clients[2],), key)
    with pytest.raises(ssl.SSLError):
        handshake.connect(stranger, context, HOST)


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x00", b"\x30\x80\x00\x00", b"text", bytes(100)])
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(MaterialError, match="subject cannot be read"):
        subject_hash(data)


def test_a_certificate_cut_off_anywhere_is_refused() -> None:
    der = samples(KeyType.ED25519)[0].chain[0].public_bytes(Encoding.DER)
    for end in range(len(der)):
        with pytest.raises(MaterialError):
            subject_hash(der[:end])
