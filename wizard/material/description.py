"""What a certificate says, in plain words."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wizard.inert import inert
from wizard.material.fingerprint import fingerprint
from wizard.material.keys import key_words
from wizard.material.names import name_text


@dataclass(frozen=True, slots=True)
class Description:
    """What a certificate says. Texts are as in the certificate: the one who shows them makes them safe."""

    common_name: str
    """Of the subject; empty when it has none."""
    names: tuple[str, ...]
    """Subject alternative names with their kind: "DNS signer", "IP 127.0.0.1"."""
    purposes: tuple[str, ...]
    """What it may be presented for: "servers", "clients", or "issuing certificates"."""
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

    @property
    def serves(self) -> bool:
        """Whether it may be a server's."""
        return not self.purposes or "servers" in self.purposes

    def lines(self) -> tuple[str, ...]:
        """Write it in plain words, for the review; at most 80 columns unless the names are longer."""
        half = len(self.fingerprint) // 2 + 1
        names = self.names or (("no name at all: clients will refuse it",) if self.serves else ())
        rows = (
            ("Name", self.common_name or "none"),
            *(("" if number else "Valid for", name) for number, name in enumerate(names)),
            *((("For", ", ".join(self.purposes)),) if self.purposes else ()),
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
    with tolerance():
        serial = certificate.serial_number
    return Description(
        common_name=str(common_names[0].value) if common_names else "",
        names=names_in(certificate.extensions),
        purposes=_purposes(certificate.extensions),
        issuer=certificate.issuer.rfc4514_string(),
        self_signed=is_self_signed(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        days_left=(certificate.not_valid_after_utc - now).days,
        key=key_words(certificate.public_key()),
        serial=f"{serial:0{len(f'{serial:x}') + len(f'{serial:x}') % 2}x}",
        fingerprint=fingerprint(certificate.public_bytes(Encoding.DER)),
    )


@contextmanager
def tolerance() -> Iterator[None]:
    """Read certificates of others without warnings on what is wrong but harmless.

    Those are serial numbers of zero, which public authorities have, and BER in place of DER.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def name_words(name: x509.Name) -> str:
    """Name a subject or issuer in a sentence, harmless to show: its common name, else all there is."""
    common_names = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return inert(str(common_names[0].value) if common_names else name.rfc4514_string()) or "(no name)"


def names_in(extensions: x509.Extensions) -> tuple[str, ...]:
    """The subject alternative names, of a certificate or a request: "DNS signer", "IP 127.0.0.1"."""
    try:
        extension = extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    dns = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return (*map(name_text, dns), *(f"IP {address}" for address in addresses))


def _purposes(extensions: x509.Extensions) -> tuple[str, ...]:
    """Said by basic constraints and extended key usage (RFC 5280 4.2.1.9 and 4.2.1.12)."""
    found = {extension.oid: extension.value for extension in extensions}
    constraints, usage = found.get(x509.BasicConstraints.oid), found.get(x509.ExtendedKeyUsage.oid)
    purposes = (
        ["issuing certificates"] if isinstance(constraints, x509.BasicConstraints) and constraints.ca else []
    )
    if isinstance(usage, x509.ExtendedKeyUsage):
        purposes += [words for oid, words in _PURPOSES.items() if oid in usage] or ["other uses"]
    return tuple(purposes)


_PURPOSES = {ExtendedKeyUsageOID.SERVER_AUTH: "servers", ExtendedKeyUsageOID.CLIENT_AUTH: "clients"}


@lru_cache(maxsize=1)
def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether it bears the signature of its own key.

    Kept, for a certificate is often described twice in turn, and most of the time goes here.
    """
    try:
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _days_left(days: int) -> str:
    if days < 0:
        return "expired"
    return "expires today" if days == 0 else f"{days:,} day{'' if days == 1 else 's'} left"
