"""What is wrong with a certificate, its chain and its issuers: a sentence or two each, with what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from cryptography.x509 import Certificate

from wizard.inventory.authorities import Authority
from wizard.inventory.places import AGAIN, Place
from wizard.material.chains import is_authority, is_weak, path_from, was_issued
from wizard.material.description import Description, name_words
from wizard.sources.pair import ends_soon


def faults(place: Place, said: Description, known: Collection[Authority], now: datetime) -> Iterator[str]:
    """What is wrong with the certificates of a file; `said` is of its leaf, `known` are all authorities."""
    leaf = place.leaf
    issuers = [one for one in known if one.issued is not None and was_issued(leaf, by=one.certificate)]
    yield from _dates(leaf, said, now, is_ours=bool(issuers))
    yield from _contents(leaf, said)
    yield from _chain(place, [one.certificate for one in known], now)
    yield from _revocations(said, issuers)


def _dates(leaf: Certificate, said: Description, now: datetime, *, is_ours: bool) -> Iterator[str]:
    if is_authority(leaf):
        renewal = "Make a new one: what it has issued ends with it."
    elif said.self_signed or is_ours:
        renewal = "Run tls-wizard again with the same answers: it makes a new one."
    else:
        renewal = f"Ask {name_words(leaf.issuer)} for a new one, and install it with tls-wizard."
    if now > said.not_after:
        yield f"It has expired on {said.not_after:%Y-%m-%d}: nobody accepts it. {renewal}"
    elif now < said.not_before:
        yield (
            f"It is not valid before {said.not_before:%Y-%m-%d %H:%M} UTC: nobody accepts it until then. "
            "Wait, or check this machine's clock."
        )
    elif ends_soon(leaf, now):
        days = {0: "within a day", 1: "in 1 day"}.get(said.days_left, f"in {said.days_left} days")
        yield f"It ends {days}, on {said.not_after:%Y-%m-%d}. {renewal}"


def _contents(leaf: Certificate, said: Description) -> Iterator[str]:
    if said.serves and not said.names and not is_authority(leaf):
        yield (
            "It has no subject alternative names, only a Common Name, which clients no longer look at: they "
            "refuse it from a server. Have one made that lists its names."
        )
    if is_weak(leaf):
        yield (
            f"Its key is too weak ({said.key}): clients refuse it. RSA needs 2,048 bits, ECDSA 256. "
            "Have a certificate made for a new key."
        )


def _chain(place: Place, known: Sequence[Certificate], now: datetime) -> Iterator[str]:
    path = path_from(place.leaf, place.certificates, now)
    if not is_authority(place.leaf):  # several authorities are a list of whom to trust
        yield from _order(place, path)
    for certificate in path[1:]:
        if now > certificate.not_valid_after_utc:
            yield (
                f"In its chain, {name_words(certificate.subject)} has expired on "
                f"{certificate.not_valid_after_utc:%Y-%m-%d}: nobody accepts the chain. "
                "Ask the authority for its new certificate."
            )
    for certificate in path_from(path[-1], known, now)[1:]:
        if now > certificate.not_valid_after_utc:
            yield (
                f"{name_words(certificate.subject)}, which issued it, has expired on "
                f"{certificate.not_valid_after_utc:%Y-%m-%d}: nobody accepts what it has issued. "
                "Make a new authority, and have it issue this one anew."
            )


def _order(place: Place, path: Sequence[Certificate]) -> Iterator[str]:
    top = path[-1]
    unused = [one for one in place.certificates if one not in path]
    if any(map(is_authority, unused)) and not was_issued(top, by=top):
        yield (
            f"Its chain has a gap: {name_words(top.subject)} was issued by {name_words(top.issuer)}, whose "
            "certificate is not in the file. Add it; authorities offer it as intermediate or chain "
            "certificate."
        )
    elif tuple(path) != place.certificates[: len(path)]:
        yield (
            "Its chain is out of order, and some clients refuse that. The service's own certificate has to "
            f"stand first, then its issuer, and so on. Put them in this order, {AGAIN}"
        )


def _revocations(said: Description, issuers: Iterable[Authority]) -> Iterator[str]:
    for issuer in issuers:
        for entry in issuer.issued or ():
            if entry.revoked and entry.serial == int(said.serial, 16):
                reason = f" ({entry.reason})" if entry.reason else ""
                yield (
                    f"{name_words(issuer.certificate.subject)} has revoked it on {entry.revoked:%Y-%m-%d}"
                    f"{reason}: who checks that refuses it. Run tls-wizard again for a new one."
                )
