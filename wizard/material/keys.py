"""Private keys: made in memory, written and read as PEM, with a passphrase or without."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from wizard.material import MaterialError
from wizard.material.encryption import encrypted_pem, passphrase_bytes
from wizard.material.key_types import KeyType
from wizard.secret import Secret

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


def generate(key_type: KeyType) -> PrivateKey:
    """Make a new key. RSA takes up to a second or two of one core; the others take no time."""
    match key_type:
        case KeyType.ECDSA_P256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyType.ECDSA_P384:
            return ec.generate_private_key(ec.SECP384R1())
        case KeyType.ED25519:
            return ed25519.Ed25519PrivateKey.generate()
        case KeyType.RSA_2048 | KeyType.RSA_3072 | KeyType.RSA_4096:
            return rsa.generate_private_key(public_exponent=65537, key_size=int(key_type.value[4:]))


def key_type_of(key: PrivateKeyTypes | PublicKeyTypes) -> KeyType:
    """Tell which of our types a private or public key is.

    MaterialError: it is none of them, for instance RSA of 1024 bits.
    """
    words = key_words(key)
    for key_type in KeyType:
        if words == key_type.label:
            return key_type
    ours = ", ".join(key_type.label for key_type in KeyType)
    raise MaterialError(f"The key is of the kind {words}, which is not supported here. Use one of: {ours}.")


def key_words(key: PrivateKeyTypes | PublicKeyTypes) -> str:
    """Name any kind of key in a few words: "ECDSA P-256", "RSA 1024 bits", "DSA"."""
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return f"RSA {key.key_size} bits"
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return f"ECDSA {_CURVES.get(key.curve.name, key.curve.name)}"
    return type(key).__name__.removesuffix("PrivateKey").removesuffix("PublicKey")


def private_pem(key: PrivateKey, passphrase: Secret | None = None) -> bytes:
    """Write a private key as PKCS#8 PEM: `PRIVATE KEY`, which every service reads, or encrypted.

    A passphrase takes 0.15 seconds of one core; see `wizard.material.encryption`.
    """
    if passphrase is None:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return encrypted_pem(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), passphrase)


class PassphraseNeeded(MaterialError):
    """The key is encrypted and no passphrase was given: ask for it."""


class WrongPassphrase(MaterialError):
    """The key is encrypted with another passphrase: ask again."""


def read_private_pem(data: bytes, passphrase: Secret | None = None) -> PrivateKey:
    """Read the first private key of a PEM file: PKCS#8, PKCS#1 or SEC 1, encrypted or not.

    A passphrase that is not needed does no harm.
    MaterialError: damaged, of an unsupported kind, or something other than a private key;
    PassphraseNeeded and WrongPassphrase as they say.
    """
    if b"PRIVATE KEY-----" not in data:
        raise MaterialError(_not_a_key(data))
    return _read(load_pem_private_key, data, passphrase)


def read_private_key(data: bytes, passphrase: Secret | None = None) -> PrivateKey:
    """Read a private key from PEM, as `read_private_pem`, or from DER, whatever the file's name says."""
    if data[:1] != b"\x30":
        return read_private_pem(data, passphrase)
    try:
        return _read(load_der_private_key, data, passphrase)
    except _Damaged as error:
        raise MaterialError(
            "The file is binary, but holds no private key in DER that can be read. "
            "A PKCS#12 file (.p12, .pfx) becomes PEM with `openssl pkcs12 -in FILE -nodes -out NEW.pem`."
        ) from error


class _Damaged(MaterialError):
    """Nothing in it can be read as a key."""


def _read(
    load: Callable[[bytes, bytes | None], PrivateKeyTypes], data: bytes, passphrase: Secret | None
) -> PrivateKey:
    try:
        key = load(data, None)
    except TypeError as error:  # what cryptography raises when a password would be needed
        if passphrase is None:
            raise PassphraseNeeded(
                "The private key is protected by a passphrase, so a service cannot read it when it starts. "
                "Write an unprotected copy with `openssl pkey -in KEY -out NEW` and give that file."
            ) from error
        key = _decrypted(load, data, passphrase)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _Damaged(
            "The file holds a private key, but it is damaged or of an unknown kind. "
            "Check it with `openssl pkey -in KEY -check -noout`, or have a new one made."
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise MaterialError(
            f"The private key is of the kind {key_words(key)}, which TLS servers cannot use. "
            "Give an ECDSA, RSA or Ed25519 key."
        )
    return key


def _decrypted(
    load: Callable[[bytes, bytes | None], PrivateKeyTypes], data: bytes, passphrase: Secret
) -> PrivateKeyTypes:
    try:
        return load(data, passphrase_bytes(passphrase))
    except MaterialError:  # a ValueError too, but about the passphrase
        raise
    except UnsupportedAlgorithm as error:
        raise MaterialError(
            "The private key is encrypted in a way that is not supported here. "
            "Write a copy with `openssl pkcs8 -topk8 -in KEY -out NEW` and give that file."
        ) from error
    except ValueError as error:
        # A wrong passphrase decrypts to nonsense, and so does a right one from damaged contents.
        raise WrongPassphrase(
            "The private key cannot be decrypted with this passphrase. Try again, minding capitals and the "
            "keyboard layout; if it is surely the right one, the file is damaged."
        ) from error


def _not_a_key(data: bytes) -> str:
    if b"-----BEGIN CERTIFICATE" in data:
        return "The file holds a certificate but no private key. Give the file that begins with PRIVATE KEY."
    if b"PUBLIC KEY-----" in data:
        return "The file holds a public key, not a private one. Give the file that begins with PRIVATE KEY."
    if data[:1] == b"\x30":
        return (
            "The file is binary (DER or PKCS#12), and a PEM text file is needed. "
            "Convert a DER key with `openssl pkey -inform DER -in KEY -out KEY.pem`."
        )
    return "The file holds no private key: a line with BEGIN ... PRIVATE KEY is missing. Check the path."
