"""What each kind of certificate says, and how one is signed.

The recipes follow RFC 5280 and RFC 9525 and are what strict clients accept: OpenSSL with X509_STRICT,
Python 3.13 and later, Go, Java, BoringSSL.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wizard.material import MaterialError
from wizard.material.keys import PrivateKey
from wizard.material.names import Name
from wizard.material.subject import Subject, is_email, is_full_host_name

Extensions: TypeAlias = tuple[tuple[x509.ExtensionType, bool], ...]
"""Each extension with whether it is critical."""

_CLOCK_SKEW = timedelta(hours=1)
_LONGEST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a kind of certificate says about the use of its key."""

    usages: frozenset[str]
    """Key usage bits, by the names of `x509.KeyUsage`."""
    rsa_usages: frozenset[str] = frozenset()
    """Bits that RSA keys have in addition. keyEncipherment on another kind of key is an error."""
    purposes: tuple[x509.ObjectIdentifier, ...] = ()
    """Extended key usage: what the certificate may be presented for."""
    path_length: int | None = None
    """For authorities: how many authorities may stand below it. None: it is no authority (CA:FALSE)."""


ROOT = Recipe(usages=frozenset({"key_cert_sign", "crl_sign"}), path_length=1)
AUTHORITY = Recipe(usages=ROOT.usages, path_length=0)
SERVER = Recipe(
    usages=frozenset({"digital_signature"}),
    rsa_usages=frozenset({"key_encipherment"}),
    purposes=(ExtendedKeyUsageOID.SERVER_AUTH,),
)
CLIENT = Recipe(usages=frozenset({"digital_signature"}), purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,))

_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs; for a self-signed certificate its own subject and key."""

    name: x509.Name
    key: PrivateKey
    key_id: x509.SubjectKeyIdentifier


def issue(
    recipe: Recipe,
    *,
    public_key: CertificatePublicKeyTypes,
    subject: x509.Name,
    names: tuple[x509.GeneralName, ...],
    validity: tuple[datetime, datetime],
    issuer: Issuer,
) -> x509.Certificate:
    """Make and sign a certificate with a random serial number of 159 bits."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
    )
    for extension, critical in extensions(recipe, public_key, names):
        builder = builder.add_extension(extension, critical)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    builder = builder.add_extension(authority_key_id(issuer.key_id), critical=False)
    return builder.sign(issuer.key, signature_hash(issuer.key))


def issue_self_signed(
    recipe: Recipe,
    key: PrivateKey,
    *,
    subject: x509.Name,
    names: tuple[x509.GeneralName, ...],
    validity: tuple[datetime, datetime],
) -> x509.Certificate:
    """Make a certificate signed by its own key."""
    itself = Issuer(subject, key, x509.SubjectKeyIdentifier.from_public_key(key.public_key()))
    return issue(
        recipe, public_key=key.public_key(), subject=subject, names=names, validity=validity, issuer=itself
    )


def extensions(
    recipe: Recipe, public_key: CertificatePublicKeyTypes, names: tuple[x509.GeneralName, ...]
) -> Extensions:
    """Return what a recipe asks for, but for the key identifiers, which depend on the issuer."""
    usages = recipe.usages | (recipe.rsa_usages if isinstance(public_key, rsa.RSAPublicKey) else frozenset())
    is_authority = recipe.path_length is not None
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=is_authority, path_length=recipe.path_length), True),
        (x509.KeyUsage(**{usage: usage in usages for usage in _USAGES}), True),
    ]
    if recipe.purposes:
        found.append((x509.ExtendedKeyUsage(recipe.purposes), False))
    if names:
        found.append((x509.SubjectAlternativeName(names), False))
    return tuple(found)


def authority_key_id(key_id: x509.SubjectKeyIdentifier) -> x509.AuthorityKeyIdentifier:
    """Point to the issuer by key identifier only: strict web verifiers refuse its name and serial number."""
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id)


def server_names(names: Iterable[Name]) -> tuple[x509.GeneralName, ...]:
    """Return the subject alternative names of a server, each once; MaterialError when there is none."""
    distinct = tuple(dict.fromkeys(names))
    if not distinct:
        raise MaterialError("A certificate needs at least one name or address that clients connect to.")
    return tuple(
        x509.IPAddress(name) if isinstance(name, IPv4Address | IPv6Address) else x509.DNSName(name)
        for name in distinct
    )


def client_names(common_name: str) -> tuple[x509.GeneralName, ...]:
    """Return the subject alternative name of a client: its e-mail address or full host name, else none.

    Most clients are called like `rpc.user.1`, which RFC 5280 4.2.1.6 does not allow as a DNS name.
    """
    if is_email(common_name):
        return (x509.RFC822Name(common_name),)
    if is_full_host_name(common_name):
        return (x509.DNSName(common_name.lower()),)
    return ()


def subject_name(subject: Subject) -> x509.Name:
    """Write a subject as X.509 does, from the country down to the person."""
    parts = (
        (NameOID.COUNTRY_NAME, subject.country),
        (NameOID.STATE_OR_PROVINCE_NAME, subject.state),
        (NameOID.LOCALITY_NAME, subject.locality),
        (NameOID.ORGANIZATION_NAME, subject.organisation),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, subject.unit),
        (NameOID.COMMON_NAME, subject.common_name),
        (NameOID.SERIAL_NUMBER, subject.serial),
        (NameOID.EMAIL_ADDRESS, subject.email),
    )
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts if text])


def validity_from(now: datetime, days: int) -> tuple[datetime, datetime]:
    """Return the first and last second of `days` days that began an hour before `now`, an aware time.

    MaterialError: a number of days out of range.
    """
    if not 1 <= days <= _LONGEST_DAYS:
        raise MaterialError(f"A certificate can be valid for 1 to {_LONGEST_DAYS:,} days, not for {days:,}.")
    begins = (now.astimezone(UTC) - _CLOCK_SKEW).replace(microsecond=0)
    # Both ends count (RFC 5280 4.1.2.5), so the last second is one less.
    return begins, begins + timedelta(days=days) - timedelta(seconds=1)


def signature_hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | None:
    """Return the hash that fits the strength of the key that signs."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None  # Ed25519 has its own
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size == 384:
        return hashes.SHA384()
    return hashes.SHA256()
