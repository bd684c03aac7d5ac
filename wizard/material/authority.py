"""A private authority: what it is, what it issues, and what it takes back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from wizard.material import MaterialError
from wizard.material.certificates import belongs_together
from wizard.material.description import name_words
from wizard.material.keys import PrivateKey
from wizard.material.names import Name
from wizard.material.recipes import (
    AUTHORITY,
    CLIENT,
    ROOT,
    SERVER,
    Issuer,
    Recipe,
    authority_key_id,
    client_names,
    issue,
    issue_self_signed,
    server_names,
    signature_hash,
    subject_name,
    validity_from,
)
from wizard.material.subject import Subject

REVOCATION_LIST_DAYS = 30
"""How long a revocation list is good for; a server that checks one refuses everybody afterwards."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate taken back."""

    serial: int
    when: datetime
    reason: x509.ReasonFlags = x509.ReasonFlags.unspecified


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate with the right to issue others, and its key.

    MaterialError on making one: the key is not the certificate's, or strict clients would refuse what it
    issues, as they do with the authorities that public guides make (no key usage, RFC 5280 4.2.1.3).
    """

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)
    root: x509.Certificate | None = None
    """What clients trust, where this is an intermediate authority; None where it is the root itself."""

    def __post_init__(self) -> None:
        if not belongs_together(self.certificate, self.key):
            raise MaterialError("The authority's key does not belong to its certificate; one was exchanged.")
        if not may_issue(self.certificate):
            raise MaterialError(
                f"{name_words(self.certificate.subject)} is no authority that strict clients accept: "
                "it needs critical basic constraints (CA:TRUE), and a key usage with keyCertSign. "
                "Create an authority anew."
            )

    @property
    def anchor(self) -> x509.Certificate:
        """The certificate that the other side has to trust."""
        return self.root or self.certificate

    def chain(self, leaf: x509.Certificate) -> tuple[x509.Certificate, ...]:
        """What a server or client presents with `leaf`: leaf first, and never the root."""
        return (leaf, self.certificate) if self.root else (leaf,)

    def issue_server(
        self,
        public_key: CertificatePublicKeyTypes,
        subject: Subject,
        names: Iterable[Name],
        days: int,
        now: datetime,
    ) -> x509.Certificate:
        """Issue a server's certificate for `names`; it ends no later than the authority does.

        MaterialError: no names, days out of range, or the authority is not valid at `now` (aware).
        """
        return self._issue(
            SERVER, public_key=public_key, subject=subject, names=server_names(names), days=days, now=now
        )

    def issue_client(
        self, public_key: CertificatePublicKeyTypes, subject: Subject, days: int, now: datetime
    ) -> x509.Certificate:
        """Issue a client's certificate; as `issue_server`."""
        return self._issue(
            CLIENT,
            public_key=public_key,
            subject=subject,
            names=client_names(subject.common_name),
            days=days,
            now=now,
        )

    def issue_expired_client(self, public_key: CertificatePublicKeyTypes, now: datetime) -> x509.Certificate:
        """Issue a client's certificate that was good for an hour and ended a day ago: to be refused.

        `now` is an aware time.
        """
        ended = now.astimezone(UTC).replace(microsecond=0) - timedelta(days=1)
        return issue(
            CLIENT,
            public_key=public_key,
            subject=subject_name(Subject("expired client")),
            names=(),
            validity=(ended - timedelta(hours=1), ended),
            issuer=Issuer(self.certificate.subject, self.key, _key_id(self.certificate)),
        )

    def revocation_list(
        self, revoked: Iterable[Revoked], number: int, now: datetime
    ) -> x509.CertificateRevocationList:
        """Sign the list of everything taken back (RFC 5280 5), good for 30 days.

        `number` must be greater than that of each earlier list; `now` is an aware time.
        """
        issued = now.astimezone(UTC).replace(microsecond=0)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(issued)
            .next_update(issued + timedelta(days=REVOCATION_LIST_DAYS))
            .add_extension(authority_key_id(_key_id(self.certificate)), critical=False)
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        for entry in revoked:
            builder = builder.add_revoked_certificate(_revoked(entry))
        return builder.sign(self.key, signature_hash(self.key))

    def _issue(
        self,
        recipe: Recipe,
        *,
        public_key: CertificatePublicKeyTypes,
        subject: Subject,
        names: tuple[x509.GeneralName, ...],
        days: int,
        now: datetime,
    ) -> x509.Certificate:
        begins, ends = validity_from(now, days)
        ours = self.certificate
        first, last = ours.not_valid_before_utc, ours.not_valid_after_utc
        if not first <= now <= last:
            raise MaterialError(
                f"The authority {name_words(ours.subject)} is valid from {first:%Y-%m-%d} to {last:%Y-%m-%d} "
                "only and cannot issue now. Renew it, or set the clock."
            )
        validity = max(begins, first), min(ends, last)
        issuer = Issuer(ours.subject, self.key, _key_id(ours))
        return issue(
            recipe,
            public_key=public_key,
            subject=subject_name(subject),
            names=names,
            validity=validity,
            issuer=issuer,
        )


def new_authority(key: PrivateKey, subject: Subject, days: int, now: datetime) -> Authority:
    """Make a root that issues to servers and clients directly.

    With the same key and subject as before, what was issued stays valid. With a new key, take a new common
    name: clients could not tell the two apart. `now` is an aware time.
    """
    return Authority(_self_signed(AUTHORITY, key, subject, days, now), key)


def new_root(key: PrivateKey, subject: Subject, days: int, now: datetime) -> Authority:
    """Make a root for intermediate authorities only; its key can then be kept elsewhere."""
    return Authority(_self_signed(ROOT, key, subject, days, now), key)


def new_intermediate(
    root: Authority, key: PrivateKey, subject: Subject, days: int, now: datetime
) -> Authority:
    """Make an authority under a root of `new_root`; it ends no later than the root does."""
    certificate = root._issue(
        AUTHORITY, public_key=key.public_key(), subject=subject, names=(), days=days, now=now
    )
    return Authority(certificate, key, root.certificate)


def may_issue(certificate: x509.Certificate) -> bool:
    """Tell whether strict clients take it for an authority (RFC 5280 4.2.1.3 and 4.2.1.9)."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    except x509.ExtensionNotFound:
        return False
    return constraints.critical and constraints.value.ca and usage.value.key_cert_sign


def revocation_list_pem(revoked: x509.CertificateRevocationList) -> bytes:
    """Write a revocation list as PEM (`X509 CRL`), as nginx and OpenSSL read it."""
    return revoked.public_bytes(Encoding.PEM)


def _self_signed(
    recipe: Recipe, key: PrivateKey, subject: Subject, days: int, now: datetime
) -> x509.Certificate:
    return issue_self_signed(
        recipe, key, subject=subject_name(subject), names=(), validity=validity_from(now, days)
    )


def _key_id(certificate: x509.Certificate) -> x509.SubjectKeyIdentifier:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())


def _revoked(entry: Revoked) -> x509.RevokedCertificate:
    builder = (
        x509.RevokedCertificateBuilder()
        .serial_number(entry.serial)
        .revocation_date(entry.when.astimezone(UTC).replace(microsecond=0))
    )
    if entry.reason is not x509.ReasonFlags.unspecified:  # to be left out then (RFC 5280 5.3.1)
        builder = builder.add_extension(x509.CRLReason(entry.reason), critical=False)
    return builder.build()
