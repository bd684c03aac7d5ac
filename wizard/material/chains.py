"""From a heap of certificates to the chain that a server or client presents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, PublicKeyAlgorithmOID

from wizard.material import MaterialError
from wizard.material.certificates import same_key
from wizard.material.description import name_words
from wizard.material.keys import key_words
from wizard.material.names import Name, name_text


@dataclass(frozen=True, slots=True)
class Chain:
    """What belongs to one key."""

    certificates: tuple[x509.Certificate, ...]
    """What is presented: the leaf first, then each one's issuer."""
    root: x509.Certificate | None
    """What the other side trusts, where it was among those given; for a self-signed leaf the leaf."""
    unused: tuple[x509.Certificate, ...]
    """Those given that have no part in it."""

    @property
    def leaf(self) -> x509.Certificate:
        return self.certificates[0]

    @property
    def issuer(self) -> str:
        """Who has issued the first of them, by name."""
        return name_words(self.leaf.issuer)

    @property
    def trusted(self) -> str:
        """Whom the other side has to trust, by name, be it among those given or not."""
        return name_words((self.root or self.certificates[-1]).issuer)


def build_chain(
    certificates: Sequence[x509.Certificate],
    key: CertificatePublicKeyTypes,
    names: Iterable[Name],
    now: datetime,
    *,
    keep_root: bool = False,
    top_may_be_missing: bool = False,
) -> Chain:
    """Find the certificate made for the public key `key` and put its issuers behind it, by their signatures.

    The root is left out of what is presented unless `keep_root`. `top_may_be_missing` takes a chain as it is
    presented, where nobody can tell what the other side has. With `names` the certificate must be a
    server's, valid for each of them. `now` is an aware time.
    MaterialError: a sentence each for another key's certificate, one that is an authority's, not valid now,
    without or with other names, for another purpose, with a weak key, and for the issuer that is missing.
    """
    leaf = _leaf(certificates, key, now)
    _check_kind(leaf)
    path = path_from(leaf, certificates, now)
    for certificate in path:
        _check_key(certificate)
        _check_dates(certificate, now)
    if names := tuple(names):
        _check_serves(leaf, names)
    complete = _is_root(path[-1])
    unused = tuple(certificate for certificate in certificates if certificate not in path)
    # An authority delivers its intermediates and often no root. But a chain of the leaf alone, or one that
    # ends while other authorities lie by, lacks a part that clients do not have.
    gap = len(path) == 1 or any(map(is_authority, unused))
    if not complete and gap and not top_may_be_missing:
        raise MaterialError(_gap(path[-1]))
    root = path[-1] if complete else None
    presented = path[:-1] if root and root != leaf and not keep_root else path
    return Chain(tuple(presented), root, unused)


def check_server(leaf: x509.Certificate, names: Iterable[Name], now: datetime) -> None:
    """Raise MaterialError when clients would refuse it from a server, whatever stands behind it."""
    _check_kind(leaf)
    _check_key(leaf)
    _check_dates(leaf, now)
    _check_serves(leaf, tuple(names))


def check_usable(leaf: x509.Certificate) -> None:
    """Raise MaterialError for a key that is bound to RSA-PSS: a copy, written anew, would be so no more."""
    if leaf.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
        raise MaterialError(
            f"The key of {name_words(leaf.subject)} is bound to one kind of signature (RSA-PSS), which many "
            "services and clients cannot use. Have a certificate made for a key without that: ECDSA or RSA."
        )


def is_authority(certificate: x509.Certificate) -> bool:
    """Tell whether it says of itself that it may issue others (RFC 5280 4.2.1.9)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def was_issued(certificate: x509.Certificate, *, by: x509.Certificate) -> bool:
    """Tell whether it names `by` as its issuer and bears its signature."""
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def path_from(
    leaf: x509.Certificate, certificates: Sequence[x509.Certificate], now: datetime
) -> list[x509.Certificate]:
    """The leaf, its issuer, the issuer of that, as far as they are among the certificates."""
    path = [leaf]
    while not _is_root(path[-1]):
        issuers = [one for one in certificates if one not in path and was_issued(path[-1], by=one)]
        if not issuers:
            break
        # Of several the valid one, and the shortest way to a root.
        path.append(
            max(issuers, key=lambda one: (_is_valid(one, now), _is_root(one), one.not_valid_after_utc))
        )
    return path


def is_weak(certificate: x509.Certificate) -> bool:
    """Tell whether its key is of a kind or size that clients refuse."""
    key = certificate.public_key()
    return not (
        isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)
        or (isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048)
        or (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= 256)
    )


def covers(certificate: x509.Certificate, name: Name) -> bool:
    """Tell whether a client that connects to `name` accepts it (RFC 9525 6.3): no Common Name counts."""
    try:
        given = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    if isinstance(name, IPv4Address | IPv6Address):
        return name in given.get_values_for_type(x509.IPAddress)
    known = {known.lower() for known in given.get_values_for_type(x509.DNSName)}
    _, dot, parent = name.partition(".")
    return name in known or (bool(dot) and f"*.{parent}" in known)


def _leaf(
    certificates: Sequence[x509.Certificate], key: CertificatePublicKeyTypes, now: datetime
) -> x509.Certificate:
    mine = [certificate for certificate in certificates if same_key(certificate.public_key(), key)]
    if mine:
        return max(mine, key=lambda one: (_is_valid(one, now), not _is_root(one), one.not_valid_after_utc))
    others = [certificate for certificate in certificates if not is_authority(certificate)]
    if not others:
        raise MaterialError(
            "Only certificates of authorities were given. "
            "The one that was made for this private key is missing; give it too."
        )
    raise MaterialError(
        f"The certificate for {name_words(others[0].subject)} was made for another private key. "
        "Give the key it was made for, or have a certificate made from this key's signing request."
    )


def _is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _is_root(certificate: x509.Certificate) -> bool:
    # By name: nobody checks a root's signature, and the oldest sign with SHA-1, which cannot be checked here.
    return certificate.subject == certificate.issuer


def _check_kind(leaf: x509.Certificate) -> None:
    if is_authority(leaf):
        raise MaterialError(
            f"The certificate {name_words(leaf.subject)} is an authority's (CA:TRUE): it may issue others, "
            "and clients refuse it from a server. Have a server certificate made."
        )
    check_usable(leaf)


def _check_key(certificate: x509.Certificate) -> None:
    if is_weak(certificate):
        raise MaterialError(
            f"The key of {name_words(certificate.subject)} is too weak "
            f"({key_words(certificate.public_key())}): clients refuse it. RSA needs 2,048 bits, ECDSA 256. "
            "Have a certificate made for a new key."
        )


def _check_dates(certificate: x509.Certificate, now: datetime) -> None:
    if now > certificate.not_valid_after_utc:
        raise MaterialError(
            f"The certificate of {name_words(certificate.subject)} has expired "
            f"on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC. Ask for a new one."
        )
    if now < certificate.not_valid_before_utc:
        raise MaterialError(
            f"The certificate of {name_words(certificate.subject)} is not yet valid: it begins "
            f"on {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC. Wait, or check this machine's clock."
        )


def _check_serves(leaf: x509.Certificate, names: tuple[Name, ...]) -> None:
    extensions = {extension.oid: extension.value for extension in leaf.extensions}
    if x509.SubjectAlternativeName.oid not in extensions:
        raise MaterialError(
            f"The certificate for {name_words(leaf.subject)} has no subject alternative names, only a Common "
            "Name, which clients no longer look at. Have one made that lists its names."
        )
    missing = [name_text(name) for name in names if not covers(leaf, name)]
    if missing:
        raise MaterialError(
            f"The certificate for {name_words(leaf.subject)} is not valid for {', '.join(missing)}. "
            "Have one made with all the names, or leave out those that clients do not use."
        )
    purposes = extensions.get(x509.ExtendedKeyUsage.oid)
    serving = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if isinstance(purposes, x509.ExtendedKeyUsage) and serving.isdisjoint(purposes):
        raise MaterialError(
            f"The certificate for {name_words(leaf.subject)} is not made for servers, by its extended key "
            "usage. Have a server certificate made."
        )


def _gap(last: x509.Certificate) -> str:
    return (
        f"The chain has a gap: {name_words(last.subject)} was issued by {name_words(last.issuer)}, "
        "whose certificate was not given. Give it too; authorities offer it as intermediate, chain or CA "
        "certificate."
    )
