"""Several parts in one file: chains, a client's key with its certificates, PKCS#12."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    KeySerializationEncryption,
    PrivateFormat,
    pkcs12,
)

from wizard.material import MaterialError
from wizard.material.certificates import UNREADABLE, certificate_pem
from wizard.material.description import name_words
from wizard.material.encryption import passphrase_bytes
from wizard.material.keys import PrivateKey, private_pem
from wizard.material.passphrases import generated
from wizard.secret import Secret


def chain_pem(chain: Iterable[x509.Certificate]) -> bytes:
    """Write certificates one after another, in the order given: what is presented begins with the leaf."""
    return b"".join(map(certificate_pem, chain))


def single_file_pem(key: PrivateKey, chain: Iterable[x509.Certificate]) -> bytes:
    """Write a client's key, unencrypted, and its chain, leaf first, as one file (`curl --cert FILE`)."""
    return private_pem(key) + chain_pem(chain)


@dataclass(frozen=True, slots=True)
class Pkcs12:
    """A PKCS#12 file and the password that opens it."""

    data: bytes
    password: Secret


def pkcs12_bundle(key: PrivateKey, chain: Iterable[x509.Certificate], *, legacy: bool = False) -> Pkcs12:
    """Put a key and its chain, leaf first, into a PKCS#12 file (RFC 7292), named by the leaf's common name.

    Encrypted with AES-256 (PBES2), or, for a program that reads nothing else (Mono), with 3DES and a
    SHA-1 checksum. Both can be tried fast by who has the file, so the password is made here, never asked for.
    """
    password = generated()
    leaf, *above = chain
    name = name_words(leaf.subject).encode()
    encryption = _encryption(password, legacy=legacy)
    return Pkcs12(pkcs12.serialize_key_and_certificates(name, key, leaf, above, encryption), password)


def _encryption(password: Secret, *, legacy: bool) -> KeySerializationEncryption:
    if not legacy:
        return BestAvailableEncryption(passphrase_bytes(password))
    builder = PrivateFormat.PKCS12.encryption_builder()
    builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
    return builder.hmac_hash(hashes.SHA1()).build(passphrase_bytes(password))  # noqa: S303 - what such programs read


def opens(data: bytes, password: Secret, certificate: x509.Certificate) -> bool:
    """Whether a PKCS#12 file opens with the password and holds this certificate with a key."""
    try:
        key, found, _ = pkcs12.load_key_and_certificates(data, passphrase_bytes(password))
    except (MaterialError, *UNREADABLE):
        return False
    return key is not None and found == certificate
