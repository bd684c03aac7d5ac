"""Certificates by recipe, and what a certificate says in plain words.

The recipes follow RFC 5280 and RFC 9525 and are what strict clients accept: OpenSSL with X509_STRICT,
Python 3.13 and later, Go, Java, BoringSSL.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wizard.material import MaterialError
from wizard.material.fingerprint import fingerprint
from wizard.material.keys import PrivateKey, key_words
from wizard.material.names import Name, check_common_name, name_text

_CLOCK_SKEW = timedelta(hours=1)
_LONGEST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What a kind of certificate says about the use of its key."""

    usages: frozenset[str]
    """Key usage bits, by the names of `x509.KeyUsage`."""
    rsa_usages: frozenset[str] = frozenset()
    """Bits that RSA keys have in addition. keyEncipherment on another kind of key is an error."""
    purposes: tuple[x509.ObjectIdentifier, ...] = ()
    """Extended key usage: what the certificate may be presented for."""


_SERVER = _Recipe(
    usages=frozenset({"digital_signature"}),
    rsa_usages=frozenset({"key_encipherment"}),
    purposes=(ExtendedKeyUsageOID.SERVER_AUTH,),
)

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
class _Issuer:
    """Who signs; for a self-signed certificate its own subject and key."""

    name: x509.Name
    key: PrivateKey
    key_id: x509.SubjectKeyIdentifier


def self_signed_server(
    key: PrivateKey, common_name: str, names: tuple[Name, ...], days: int, now: datetime
) -> x509.Certificate:
    """Make a server certificate signed by its own key, valid for `names`, for `days` days from an hour ago.

    `now` is an aware time. The certificate is no authority (CA:FALSE): its key can issue nothing.
    MaterialError: no names, an unusable Common Name, or a number of days out of range.
    """
    subject = _subject(common_name)
    itself = _Issuer(subject, key, x509.SubjectKeyIdentifier.from_public_key(key.public_key()))
    return _issue(
        _SERVER,
        public_key=key.public_key(),
        subject=subject,
        names=names,
        validity=_validity(days, now),
        issuer=itself,
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
        certificates = tuple(x509.load_pem_x509_certificates(data))
        for certificate in certificates:
            # These are decoded when first asked for; asking now finds all damage here.
            _ = certificate.subject, certificate.issuer, certificate.extensions, certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise MaterialError(
            "The file holds a certificate that is damaged or of an unknown kind. "
            "Check it with `openssl x509 -in FILE -noout -text`."
        ) from error
    return certificates


def belongs_together(certificate: x509.Certificate, key: PrivateKey) -> bool:
    """Tell whether the certificate was made for this private key."""
    return _public_der(certificate.public_key()) == _public_der(key.public_key())


@dataclass(frozen=True, slots=True)
class Description:
    """What a certificate says. Texts are as in the certificate: the one who shows them makes them safe."""

    common_name: str
    """Of the subject; empty when it has none."""
    names: tuple[str, ...]
    """Subject alternative names with their kind: "DNS signer", "IP 127.0.0.1"."""
    issuer: str
    """The issuer in the notation of RFC 4514: "CN=Example CA,O=Example"."""
    self_signed: bool
    not_before: datetime
    not_after: datetime
    days_left: int
    """Whole days until it expires; negative once it has."""
    key: str
    """Kind of key in words: "ECDSA P-256"."""
    serial: str
    """Serial number in hexadecimal."""
    fingerprint: str
    """SHA-256 of the DER form: AB:CD:..."""

    def lines(self) -> tuple[str, ...]:
        """Write it in plain words, for the review; at most 80 columns unless the names are longer."""
        half = len(self.fingerprint) // 2 + 1
        rows = (
            ("Name", self.common_name or "none"),
            ("Valid for", self.names[0] if self.names else "no name at all: clients will refuse it"),
            *(("", name) for name in self.names[1:]),
            ("Issued by", "itself (self-signed)" if self.self_signed else self.issuer),
            ("Valid from", f"{self.not_before:%Y-%m-%d %H:%M} UTC"),
            ("Valid until", f"{self.not_after:%Y-%m-%d %H:%M} UTC, {_days_left(self.days_left)}"),
            ("Key", self.key),
            ("Serial", self.serial),
            ("SHA-256", self.fingerprint[:half]),
            ("", self.fingerprint[half:]),
        )
        return tuple(f"{label:<13}{value}" for label, value in rows)


def describe(certificate: x509.Certificate, now: datetime) -> Description:
    """Say what a certificate contains; `now` is an aware time."""
    common_names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Description(
        common_name=str(common_names[0].value) if common_names else "",
        names=_names_in(certificate),
        issuer=certificate.issuer.rfc4514_string(),
        self_signed=_is_self_signed(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        days_left=(certificate.not_valid_after_utc - now).days,
        key=key_words(certificate.public_key()),
        serial=f"{certificate.serial_number:x}",
        fingerprint=fingerprint(certificate.public_bytes(Encoding.DER)),
    )


def _issue(
    recipe: _Recipe,
    *,
    public_key: CertificatePublicKeyTypes,
    subject: x509.Name,
    names: tuple[Name, ...],
    validity: tuple[datetime, datetime],
    issuer: _Issuer,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
    )
    for extension, critical in _extensions(recipe, public_key, names):
        builder = builder.add_extension(extension, critical)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    # Key identifier only: strict web verifiers refuse issuer and serial number here.
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer.key_id)
    builder = builder.add_extension(authority, critical=False)
    return builder.sign(issuer.key, _signature_hash(issuer.key))


def _extensions(
    recipe: _Recipe, public_key: CertificatePublicKeyTypes, names: tuple[Name, ...]
) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    """Return each extension a recipe asks for, with whether it is critical."""
    usages = recipe.usages | (recipe.rsa_usages if isinstance(public_key, rsa.RSAPublicKey) else frozenset())
    return (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.KeyUsage(**{usage: usage in usages for usage in _USAGES}), True),
        (x509.ExtendedKeyUsage(recipe.purposes), False),
        (_alternative_names(names), False),
    )


def _alternative_names(names: tuple[Name, ...]) -> x509.SubjectAlternativeName:
    if not names:
        raise MaterialError("A certificate needs at least one name or address that clients connect to.")
    return x509.SubjectAlternativeName(
        x509.IPAddress(name) if isinstance(name, IPv4Address | IPv6Address) else x509.DNSName(name)
        for name in dict.fromkeys(names)
    )


def _subject(common_name: str) -> x509.Name:
    if problem := check_common_name(common_name):
        raise MaterialError(problem)
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _validity(days: int, now: datetime) -> tuple[datetime, datetime]:
    if not 1 <= days <= _LONGEST_DAYS:
        raise MaterialError(f"A certificate can be valid for 1 to {_LONGEST_DAYS:,} days, not for {days:,}.")
    begins = (now.astimezone(UTC) - _CLOCK_SKEW).replace(microsecond=0)
    # Both ends count (RFC 5280 4.1.2.5), so the last second is one less.
    return begins, begins + timedelta(days=days) - timedelta(seconds=1)


def _signature_hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | None:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None  # Ed25519 has its own
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size == 384:
        return hashes.SHA384()
    return hashes.SHA256()


def _names_in(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    dns = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return (*map(name_text, dns), *(f"IP {address}" for address in addresses))


def _is_self_signed(certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _days_left(days: int) -> str:
    if days < 0:
        return "expired"
    return "expires today" if days == 0 else f"{days:,} day{'' if days == 1 else 's'} left"


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
