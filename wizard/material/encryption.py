"""Private keys under a passphrase: PKCS#8 (RFC 5958) encrypted by PBES2 (RFC 8018).

Written here since the `cryptography` package derives with 2,048 rounds of PBKDF2 and offers no other
number for PKCS#8. OWASP's Password Storage Cheat Sheet asks for 600,000 with SHA-256, 0.15 seconds for
each guess on one core. scrypt would be harder to guess, but GnuTLS cannot read it and OpenSSL by
default only its weak settings.
"""

from __future__ import annotations

import os

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from wizard.material import MaterialError
from wizard.material.der import NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, element, integer, pem
from wizard.secret import Secret

ROUNDS = 600_000

_PBES2 = element(OBJECT_IDENTIFIER, bytes.fromhex("2a864886f70d01050d"))  # 1.2.840.113549.1.5.13
_PBKDF2 = element(OBJECT_IDENTIFIER, bytes.fromhex("2a864886f70d01050c"))  # 1.2.840.113549.1.5.12
_HMAC_SHA256 = element(OBJECT_IDENTIFIER, bytes.fromhex("2a864886f70d0209"))  # 1.2.840.113549.2.9
_AES256_CBC = element(OBJECT_IDENTIFIER, bytes.fromhex("60864801650304012a"))  # 2.16.840.1.101.3.4.1.42


def encrypted_pem(pkcs8: bytes, passphrase: Secret) -> bytes:
    """Encrypt a PKCS#8 key given as DER; the result is PEM (`ENCRYPTED PRIVATE KEY`).

    AES-256-CBC, PBKDF2 with HMAC-SHA-256 and 600,000 rounds; takes 0.15 seconds of one core.
    MaterialError: the passphrase is empty or cannot be encoded.
    """
    salt, iv = os.urandom(16), os.urandom(16)
    derive = PBKDF2HMAC(hashes.SHA256(), length=32, salt=salt, iterations=ROUNDS)
    key = derive.derive(passphrase_bytes(passphrase))
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES256(key), modes.CBC(iv)).encryptor()
    ciphertext = encryptor.update(padder.update(pkcs8) + padder.finalize()) + encryptor.finalize()

    function = element(SEQUENCE, _HMAC_SHA256, element(NULL))
    derivation = element(SEQUENCE, element(OCTET_STRING, salt), integer(ROUNDS), function)
    scheme = element(SEQUENCE, _AES256_CBC, element(OCTET_STRING, iv))
    parameters = element(SEQUENCE, element(SEQUENCE, _PBKDF2, derivation), scheme)
    algorithm = element(SEQUENCE, _PBES2, parameters)
    return pem("ENCRYPTED PRIVATE KEY", element(SEQUENCE, algorithm, element(OCTET_STRING, ciphertext)))


def passphrase_bytes(passphrase: Secret) -> bytes:
    """Encode a passphrase as UTF-8, as terminals send it and OpenSSL takes it."""
    if not passphrase:
        raise MaterialError("The passphrase is empty.")
    try:
        return passphrase.reveal().encode()
    except UnicodeEncodeError:
        # From None: the error would carry the text.
        raise MaterialError("The passphrase holds a character that is no text; type it anew.") from None
