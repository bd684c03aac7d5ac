"""The three texts that a connector takes: the authority's certificates, the client's certificate, its key.

They are checked without a connection: whatever is wrong here would be told by the connector, if at all, only
as a connection that fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from wizard.material import MaterialError
from wizard.plan import Warning

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.material.keys import PrivateKey


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whom the connector trusts."""

    certificates: tuple[Certificate, ...]
    """Intermediates first, then the roots above them."""
    warnings: tuple[Warning, ...] = ()

    @property
    def pem(self) -> bytes:
        """The text for the connector."""
        from wizard.material.bundles import chain_pem

        return chain_pem(self.certificates)


@dataclass(frozen=True, slots=True)
class Presented:
    """What the connector presents."""

    chain: tuple[Certificate, ...]
    """The client's certificate first, then the ones between it and its root."""
    key: bytes = field(repr=False)
    """PEM, PKCS#8, not encrypted."""
    warnings: tuple[Warning, ...] = ()

    @property
    def pem(self) -> bytes:
        """The text of the certificate for the connector."""
        from wizard.material.bundles import chain_pem

        return chain_pem(self.chain)


def trusted(given: Sequence[Certificate], now: datetime) -> Trusted:
    """Put what was given as the authority in order. `now` is an aware time.

    MaterialError: there is no root among them, or it has expired; with what the given one is instead.
    """
    from wizard.material.chains import is_authority
    from wizard.material.description import name_words

    roots = [one for one in given if _is_root(one)]
    if not roots:
        raise MaterialError(_no_root(given))
    if all(root.not_valid_after_utc < now for root in roots):
        raise MaterialError(
            f"The root {name_words(roots[0].subject)} has expired on "
            f"{roots[0].not_valid_after_utc:%Y-%m-%d}. Ask whoever runs the server for the one it uses now."
        )
    between = [one for one in given if one not in roots and is_authority(one)]
    kept = tuple(one for one in (*between, *roots) if one.not_valid_after_utc >= now)
    if len(roots) > _MANY:
        return Trusted(kept, (Warning(_TOO_MANY.format(count=len(roots))),))
    return Trusted(kept, tuple(map(Warning, _about_the_trusted(given, kept, now))))


_MANY = 10
"""Roots; a private authority has one, and perhaps the one before it."""

_TOO_MANY = (
    "{count} roots were given, as a system's list of public authorities has them: each of them can vouch for "
    "a server that poses as this one. Give only the one above this server's certificate."
)


def _about_the_trusted(
    given: Sequence[Certificate], kept: Sequence[Certificate], now: datetime
) -> Iterator[str]:
    """What to know about the authorities given, a sentence or two each."""
    from wizard.material.chains import is_authority, path_from
    from wizard.material.description import name_words

    for one in given:
        name = name_words(one.subject)
        if not (_is_root(one) or is_authority(one)):
            yield f"{name} is left out: it is a server's or a client's, no authority."
        elif one not in kept:
            yield f"{name} is left out: it has expired on {one.not_valid_after_utc:%Y-%m-%d}."
    for one in kept:
        if not _is_root(path_from(one, given, now)[-1]):
            yield (
                f"{name_words(one.subject)} leads to no root that was given: clients that ask for one refuse "
                f"the servers below it. Add the certificate of {name_words(one.issuer)}, if they are used."
            )
        yield from filter(None, (strict_problem(one), _ends_soon(one, now)))


def presented(
    given: Sequence[Certificate], authorities: Sequence[Certificate], key: PrivateKey, now: datetime
) -> Presented:
    """Put the client's certificate in front of its issuers, which may be among the authorities given.

    MaterialError: it belongs to another key, is not valid now, is an authority's or a server's, or is weak.
    """
    from wizard.material.certificates import same_key
    from wizard.material.chains import path_from
    from wizard.material.description import name_words
    from wizard.material.keys import private_pem

    mine = [one for one in given if same_key(one.public_key(), key.public_key())]
    if not mine:
        raise MaterialError(
            f"The key belongs to another certificate than {name_words(given[0].subject)}. Give the two that "
            "were made for each other."
        )
    leaf = max(mine, key=lambda one: one.not_valid_after_utc)
    check_client(leaf, now)
    path = path_from(leaf, (*given, *authorities), now)
    chain = path[:-1] if len(path) > 1 and _is_root(path[-1]) else path
    warnings = []
    if not _is_root(path[-1]):
        warnings.append(
            Warning(
                f"The client's certificate was issued by {name_words(path[-1].issuer)}, which is not among "
                "the files: whether the server takes it shows only when it is tried."
            )
        )
    warnings += [Warning(sentence) for one in chain if (sentence := _ends_soon(one, now))]
    return Presented(tuple(chain), private_pem(key), tuple(warnings))


def client_leaf(given: Sequence[Certificate]) -> Certificate:
    """The client's own certificate, wherever it stands among its issuers."""
    from wizard.material.chains import is_authority

    return next((one for one in given if not is_authority(one)), given[0])


def check_client(leaf: Certificate, now: datetime) -> None:
    """Raise MaterialError when servers refuse it from a client, whatever stands behind it."""
    from wizard.material.chains import check_usable, is_authority, is_weak
    from wizard.material.description import describe, name_words
    from wizard.material.keys import key_words

    name = name_words(leaf.subject)
    if is_authority(leaf):
        raise MaterialError(
            f"{name} is the certificate of an authority (CA:TRUE), not of a client. Give the client's own."
        )
    check_usable(leaf)
    if not _is_for_clients(leaf):
        raise MaterialError(
            f"{name} was not made for clients, by its extended key usage, but for "
            f"{' and '.join(describe(leaf, now).purposes)}: servers refuse it, nginx with status 400 after "
            "the handshake. Have one made for clients (clientAuth)."
        )
    if now > leaf.not_valid_after_utc:
        raise MaterialError(
            f"{name} has expired on {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC. Ask for a new one."
        )
    if now < leaf.not_valid_before_utc:
        raise MaterialError(
            f"{name} is not valid before {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC. Wait, or check this "
            "machine's clock."
        )
    if is_weak(leaf):
        raise MaterialError(
            f"The key of {name} is too weak ({key_words(leaf.public_key())}): servers refuse it. Have one "
            "made for a new key."
        )


def _is_for_clients(leaf: Certificate) -> bool:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return not {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}.isdisjoint(usage)


def strict_problem(certificate: Certificate) -> str:
    """Why strict clients refuse what this authority has issued (RFC 5280 4.2.1); empty when they do not.

    What OpenSSL's X509_V_FLAG_X509_STRICT looks at is not looked at in a chain of one.
    """
    from cryptography import x509

    from wizard.material.chains import is_authority
    from wizard.material.description import name_words

    found = {extension.oid: extension for extension in certificate.extensions}
    if not is_authority(certificate):
        return ""
    usage = found.get(x509.KeyUsage.oid)
    lacks = []
    if usage is None:
        lacks.append("has no key usage")
    if not found[x509.BasicConstraints.oid].critical:
        lacks.append("has basic constraints that are not critical")
    if x509.SubjectKeyIdentifier.oid not in found:
        lacks.append("has no subject key identifier")
    if not lacks:
        return ""
    return (
        f"The authority {name_words(certificate.subject)} {' and '.join(lacks)}: Python 3.13 and later "
        "refuse the servers that it has issued certificates to, though not one that serves this certificate "
        "itself; older clients do not. Only whoever runs the authority can change that."
    )


def _is_root(certificate: Certificate) -> bool:
    # By name: a root's own signature tells nothing, and old ones cannot be checked.
    return certificate.subject == certificate.issuer


def _no_root(given: Sequence[Certificate]) -> str:
    from wizard.material.chains import is_authority
    from wizard.material.description import name_words

    top = next((one for one in given if is_authority(one)), given[0])
    what = (
        f"{name_words(top.subject)} is an intermediate authority, issued by"
        if is_authority(top)
        else f"{name_words(top.subject)} is the certificate of a server itself, issued by"
    )
    return (
        f"The root is missing: {what} {name_words(top.issuer)}, whose certificate is not there. Some clients "
        "would do without it (Python 3.13, curl), others refuse every connection (Python before 3.13, "
        f"OpenSSL, Node.js). Add the certificate of {name_words(top.issuer)}, and so on up to the one that "
        "signed itself; whoever runs the server or the authority has it."
    )


def _ends_soon(certificate: Certificate, now: datetime) -> str:
    from wizard.material.description import name_words
    from wizard.sources.pair import ends_soon

    if not ends_soon(certificate, now):
        return ""
    days = (certificate.not_valid_after_utc - now).days
    when = "within a day" if days == 0 else f"in {days} day{'' if days == 1 else 's'}"
    return (
        f"{name_words(certificate.subject)} ends {when}, on {certificate.not_valid_after_utc:%Y-%m-%d}: the "
        "connector needs the next one before."
    )
