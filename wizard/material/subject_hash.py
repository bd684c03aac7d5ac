"""The names by which OpenSSL finds certificates in a folder (`-CApath`): `HASH.N`.

HASH is that of X509_NAME_hash since OpenSSL 1.0.0 (openssl crypto/x509/x_name.c, x509_name_canon, and
crypto/x509/x509_cmp.c): SHA-1 over the subject in a canonical form. All is done on DER, since certificates
of others hold names that the `cryptography` package does not parse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import count

from wizard.material import MaterialError
from wizard.material.der import SEQUENCE, SET, UTF8_STRING, element, elements, sequence

_ENCODINGS = {
    0x0C: "utf-8",  # UTF8String
    0x13: "latin-1",  # PrintableString
    0x14: "latin-1",  # TeletexString
    0x16: "latin-1",  # IA5String
    0x1A: "latin-1",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}
"""Tags of the text types that are made canonical; values of any other type are taken as they are."""

_LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")


def subject_hash(certificate: bytes) -> str:
    """Return what `openssl x509 -subject_hash` prints for a DER certificate: 8 hexadecimal digits.

    MaterialError: it is no certificate.
    """
    try:
        canonical = b"".join(_canonical_set(content) for _, content in elements(_subject(certificate)))
    except (ValueError, IndexError) as error:
        raise MaterialError("The certificate is damaged: its subject cannot be read.") from error
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return digest[:4][::-1].hex()  # the first four bytes, read as a little-endian number


def hashed_names(certificates: Iterable[bytes]) -> dict[str, bytes]:
    """Return a folder for OpenSSL: file name to DER certificate, each certificate once.

    Certificates of one subject are numbered from 0 in the order given. There is no gap, since OpenSSL stops
    at the first number that is missing: after a removal, make the folder's names anew.
    """
    folder: dict[str, bytes] = {}
    for certificate in dict.fromkeys(certificates):
        digits = subject_hash(certificate)
        folder[next(name for n in count() if (name := f"{digits}.{n}") not in folder)] = certificate
    return folder


def _subject(certificate: bytes) -> bytes:
    """The contents of the subject (RFC 5280 4.1): a run of SETs."""
    tbs = list(elements(sequence(certificate)[0][1]))
    if tbs[0][0] == 0xA0:  # the version, which is left out of version 1
        del tbs[0]
    return tbs[4][1]  # after serial number, signature algorithm, issuer and validity


def _canonical_set(content: bytes) -> bytes:
    attributes = sorted(_canonical_attribute(attribute) for _, attribute in elements(content))
    return element(SET, *attributes) if attributes else b""


def _canonical_attribute(content: bytes) -> bytes:
    (type_tag, type_oid), (tag, value) = elements(content)
    if encoding := _ENCODINGS.get(tag):
        text = value.decode(encoding).encode()
        # bytes.split() knows just the white space that OpenSSL does; only ASCII letters are made lower.
        tag, value = UTF8_STRING, b" ".join(text.split()).translate(_LOWER)
    return element(SEQUENCE, element(type_tag, type_oid), element(tag, value))
