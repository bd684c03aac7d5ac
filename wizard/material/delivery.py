"""What an authority delivers: certificates in whatever form and order."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from wizard.material import MaterialError
from wizard.material.certificates import DAMAGED, UNREADABLE, decoded
from wizard.material.description import tolerance

_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "PKCS7", "PKCS #7 SIGNED DATA", "CMS")

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
"""The type that a PKCS#7 file begins with, 1.2.840.113549.1.7.2."""


def read_delivery(blobs: Iterable[bytes]) -> tuple[x509.Certificate, ...]:
    """Read all certificates of some files or pasted texts, each once, in the order they stand.

    Each blob is PEM, DER or PKCS#7 (DER, BER or PEM), whatever its name or label says. Around PEM there may
    be any text; its lines may end in any way, be indented, or run into one.
    MaterialError: a blob is empty, holds no certificate, or holds one that is damaged.
    """
    found = dict.fromkeys(certificate for blob in blobs for certificate in _certificates(blob))
    if not found:
        raise MaterialError("No certificate was given.")
    return tuple(found)


def _certificates(blob: bytes) -> Iterator[x509.Certificate]:
    if blob[:1] == b"\x30":
        yield from _from_der(blob)
        return
    text = _as_ascii(blob)
    if not text.strip():
        raise MaterialError("The file is empty, or nothing was pasted. Give the authority's answer.")
    blocks = [(label, body) for label, body in _pem_blocks(text) if label in _LABELS]
    if not blocks:
        raise MaterialError(_no_certificate(text))
    for _, body in blocks:
        try:
            der = base64.b64decode("".join(body.split()), validate=True)
        except ValueError as error:
            raise MaterialError(DAMAGED) from error
        yield from _from_der(der)


def _as_ascii(blob: bytes) -> str:
    """PEM is ASCII; Windows programs may save it as UTF-16."""
    encoding = "utf-16" if blob[:2] in (b"\xff\xfe", b"\xfe\xff") else "ascii"
    return blob.decode(encoding, "replace")


def _pem_blocks(text: str) -> Iterator[tuple[str, str]]:
    """Label and body of each block (RFC 7468)."""
    _, *rest = text.split("-----BEGIN ")
    for block in rest:
        label, _, after = block.partition("-----")
        body, end, _ = after.partition(f"-----END {label}-----")
        if not end and label in _LABELS:
            raise MaterialError(
                "The text breaks off within a certificate: its last line, END, is missing. Copy all of it."
            )
        yield label, body


def _from_der(der: bytes) -> list[x509.Certificate]:
    try:
        with tolerance():
            is_pkcs7 = _SIGNED_DATA in der[:32]
            found = (
                pkcs7.load_der_pkcs7_certificates(der) if is_pkcs7 else [x509.load_der_x509_certificate(der)]
            )
            return [decoded(certificate) for certificate in found]
    except UNREADABLE as error:
        if der[4:7] == b"\x02\x01\x03":  # PFX begins with version 3 (RFC 7292 4)
            raise MaterialError(
                "The file is PKCS#12 (.p12, .pfx). "
                "Take its parts out with `openssl pkcs12 -in FILE -nodes -out NEW.pem` and give that file."
            ) from error
        raise MaterialError(DAMAGED) from error


def _no_certificate(text: str) -> str:
    if "-----BEGIN CERTIFICATE REQUEST-----" in text or "-----BEGIN NEW CERTIFICATE REQUEST-----" in text:
        return "This is the signing request. Give the certificate that the authority made from it."
    if "PRIVATE KEY-----" in text:
        return "This is a private key. Give the authority's answer, which begins with BEGIN CERTIFICATE."
    return "No certificate was found: a line with BEGIN CERTIFICATE is missing. Give all of the answer."
