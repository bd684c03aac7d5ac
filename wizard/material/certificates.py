"""Certificates that sign themselves, and certificates as PEM files."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wizard.material import MaterialError
from wizard.material.description import Description, describe, tolerance
from wizard.material.keys import PrivateKey
from wizard.material.names import Name
from wizard.material.recipes import (
    CLIENT,
    SERVER,
    client_names,
    issue_self_signed,
    server_names,
    subject_name,
    validity_from,
)
from wizard.material.subject import Subject

__all__ = [
    "Description",
    "belongs_together",
    "certificate_pem",
    "describe",
    "read_certificates_pem",
    "self_signed_client",
    "self_signed_server",
]


UNREADABLE = (
    ValueError,
    TypeError,  # a name with a value of a type that it cannot have
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the `cryptography` package raises on reading a certificate that is damaged."""

DAMAGED = (
    "The file holds a certificate that is damaged or of an unknown kind. "
    "Check it with `openssl x509 -in FILE -noout -text`."
)


def self_signed_server(
    key: PrivateKey, common_name: str, names: tuple[Name, ...], days: int, now: datetime
) -> x509.Certificate:
    """Make a server certificate signed by its own key, valid for `names`, for `days` days from an hour ago.

    `now` is an aware time. The certificate is no authority (CA:FALSE): its key can issue nothing.
    MaterialError: no names, an unusable Common Name, or a number of days out of range.
    """
    return issue_self_signed(
        SERVER,
        key,
        subject=subject_name(Subject(common_name)),
        names=server_names(names),
        validity=validity_from(now, days),
    )


def self_signed_client(key: PrivateKey, subject: Subject, days: int, now: datetime) -> x509.Certificate:
    """Make a client certificate signed by its own key, for a server that keeps a folder of those it lets in.

    As `self_signed_server`; the only name is the subject, unless that is an e-mail address or a host.
    """
    return issue_self_signed(
        CLIENT,
        key,
        subject=subject_name(subject),
        names=client_names(subject.common_name),
        validity=validity_from(now, days),
    )


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """Write a certificate as PEM, ending in a newline, so that a chain is a plain concatenation."""
    return certificate.public_bytes(Encoding.PEM)


def read_certificates_pem(data: bytes) -> tuple[x509.Certificate, ...]:
    """Read all certificates of a PEM file, in the order of the file; other blocks are passed over.

    MaterialError: there is none, or one is damaged.
    """
    if b"-----BEGIN CERTIFICATE-----" not in data:
        raise MaterialError(_not_a_certificate(data))
    try:
        with tolerance():
            return tuple(decoded(certificate) for certificate in x509.load_pem_x509_certificates(data))
    except UNREADABLE as error:
        raise MaterialError(DAMAGED) from error


def decoded(certificate: x509.Certificate) -> x509.Certificate:
    """Return the certificate once all of it is read; one of UNREADABLE when it is damaged.

    The `cryptography` package reads most parts only when they are asked for.
    """
    _ = certificate.subject, certificate.issuer, certificate.extensions, certificate.public_key()
    _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc, certificate.serial_number
    return certificate


def belongs_together(certificate: x509.Certificate, key: PrivateKey) -> bool:
    """Tell whether the certificate was made for this private key."""
    return same_key(certificate.public_key(), key.public_key())


def same_key(one: CertificatePublicKeyTypes, other: CertificatePublicKeyTypes) -> bool:
    """Tell whether two public keys are one."""
    return _public_der(one) == _public_der(other)


def _public_der(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _not_a_certificate(data: bytes) -> str:
    if b"PRIVATE KEY-----" in data:
        return "The file holds a private key but no certificate. Give the file that begins with CERTIFICATE."
    if b"-----BEGIN CERTIFICATE REQUEST-----" in data:
        return "The file holds a signing request. Give the certificate that the authority made from it."
    if data[:1] == b"\x30":
        return (
            "The file is binary (DER, PKCS#7 or PKCS#12), and a PEM text file is needed. "
            "Convert a DER certificate with `openssl x509 -inform DER -in FILE -out FILE.pem`."
        )
    return "The file holds no certificate: the line BEGIN CERTIFICATE is missing. Check the path."
