"""Signing requests: what goes to an authority elsewhere (PKCS#10, RFC 2986)."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from wizard.inert import inert
from wizard.material import MaterialError
from wizard.material.certificates import UNREADABLE
from wizard.material.description import names_in
from wizard.material.keys import PrivateKey, key_words
from wizard.material.names import Name
from wizard.material.recipes import SERVER, extensions, server_names, signature_hash, subject_name
from wizard.material.subject import Subject


def signing_request(
    key: PrivateKey, subject: Subject, names: Iterable[Name]
) -> x509.CertificateSigningRequest:
    """Ask for a server certificate for `names`; authorities are free to change all but the key.

    MaterialError: no names.
    """
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject_name(subject))
    for extension, critical in extensions(SERVER, key.public_key(), server_names(names)):
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, signature_hash(key))


def request_pem(request: x509.CertificateSigningRequest) -> bytes:
    """Write a request as PEM (`CERTIFICATE REQUEST`), to be copied into an authority's form."""
    return request.public_bytes(Encoding.PEM)


def read_request_pem(data: bytes) -> x509.CertificateSigningRequest:
    """Read a request. MaterialError: it is none, or damaged."""
    try:
        request = x509.load_pem_x509_csr(data)
        _ = request.subject, request.extensions, request.public_key()
    except UNREADABLE as error:
        raise MaterialError("The file holds no signing request that can be read.") from error
    return request


def request_words(request: x509.CertificateSigningRequest) -> tuple[str, ...]:
    """What it asks for, in plain words, a line each."""
    parts = [
        (_FIELDS.get(part.oid, part.oid.dotted_string), inert(str(part.value))) for part in request.subject
    ]
    names = names_in(request.extensions)
    rows = [
        *parts,
        *((("Valid for", names[0]), *(("", name) for name in names[1:])) if names else ()),
        ("Key", key_words(request.public_key())),
    ]
    return tuple(f"{label:<13}{value}" for label, value in rows)


_FIELDS = {
    NameOID.COUNTRY_NAME: "Country",
    NameOID.STATE_OR_PROVINCE_NAME: "State",
    NameOID.LOCALITY_NAME: "Locality",
    NameOID.ORGANIZATION_NAME: "Organisation",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "Unit",
    NameOID.COMMON_NAME: "Common Name",
    NameOID.EMAIL_ADDRESS: "E-mail",
}
