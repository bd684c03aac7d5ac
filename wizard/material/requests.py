"""Signing requests: what goes to an authority elsewhere (PKCS#10, RFC 2986)."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from wizard.material.keys import PrivateKey
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
