"""pkilint's rules of RFC 5280, in this process: a few milliseconds for a certificate."""

from __future__ import annotations

from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pkilint import pkix
from pkilint.loader import RFC5280CertificateDocumentLoader, RFC5280CertificateListDocumentLoader
from pkilint.pkix import certificate, crl, extension, name
from pkilint.validation import ValidationFindingSeverity

from tests.material.samples import NAMES

_SINGLE_LABELS = {
    f'pkix.invalid_domain_name_syntax: Invalid domain name syntax: "{single}"'
    for single in NAMES
    if isinstance(single, str) and "." not in single
}


def lint(checked: x509.Certificate) -> list[str]:
    """What there is to say against a certificate, in pkilint's words, at NOTICE or above.

    But for one thing: it calls a host name of a single label, such as `signer`, no domain name. Services in
    one network are often called so, and no client refuses it.
    """
    der = checked.public_bytes(Encoding.DER)
    found = _findings(
        _certificate_rules().validate(RFC5280CertificateDocumentLoader().load_der_document(der).root)
    )
    return [finding for finding in found if finding not in _SINGLE_LABELS]


def lint_revocation_list(checked: x509.CertificateRevocationList) -> list[str]:
    """The same of a revocation list."""
    der = checked.public_bytes(Encoding.DER)
    rules = crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )
    return _findings(rules.validate(RFC5280CertificateListDocumentLoader().load_der_document(der).root))


@cache
def _certificate_rules() -> Any:
    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


def _findings(results: Any) -> list[str]:
    # The enumeration counts downwards: the gravest is the smallest.
    return [
        f"{described.finding.code}: {described.message or ''}"
        for result in results
        for described in result.finding_descriptions
        if described.finding.severity <= ValidationFindingSeverity.NOTICE
    ]
