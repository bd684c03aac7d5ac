"""Certificates signed by their own key: quickly made, and the other side has to be given each of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from wizard.material import MaterialError
from wizard.material.subject import Subject
from wizard.sources.pair import (
    Found,
    Issue,
    Pair,
    Wanted,
    keep,
    key_for,
    look,
    replaced,
    what_differs,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.material.keys import PrivateKey


def issue(wanted: Wanted, pair: Pair, now: datetime) -> Issue:
    """Keep a server's pair when it serves, else make a new certificate.

    It gets a new key unless the same is wanted. Raises OSError when an existing file cannot be read.
    """
    from wizard.material.certificates import self_signed_server

    found = look(pair)
    reasons = _reasons(found, wanted, now)
    if not reasons:
        return keep(pair, found)
    key, about = key_for(found, wanted)
    certificate = self_signed_server(key, wanted.common_name, wanted.names, wanted.days, now)
    what = f"self-signed certificate, {wanted.days} days"
    return _made(certificate, key, pair, found, reasons, about=(what, about), now=now)


def client(wanted: Wanted, pair: Pair, now: datetime, taken: Collection[str]) -> Issue:
    """The same for a client of a server that looks its clients' certificates up by the hash of the subject.

    `taken` are the hashes of all others: of two with one subject such a server knows the first only. It also
    remembers one that has been taken away, so what is made again gets another subject than before.
    Raises OSError when an existing file cannot be read.
    """
    found = look(pair)
    reasons = _reasons(found, wanted, now)
    if found.is_pair and _may_issue(found.chain[0]):
        reasons.append("it can issue certificates itself")
    if found.is_pair and _hash(found.chain[0]) in taken:
        reasons.append("another certificate there has the same subject")
    if not reasons:
        return keep(pair, found)
    key, about = key_for(found, wanted)
    certificate = _of_its_own(key, wanted, now, _next_serial(found), taken)
    what = f"client certificate for {wanted.common_name}, {wanted.days} days"
    return _made(certificate, key, pair, found, reasons, about=(what, about), now=now)


def is_due(wanted: Wanted, pair: Pair, now: datetime) -> bool:
    """Whether the server's pair would be made. Raises OSError when an existing file cannot be read."""
    return bool(_reasons(look(pair), wanted, now))


def _reasons(found: Found, wanted: Wanted, now: datetime) -> list[str]:
    from wizard.material.certificates import describe

    reasons = what_differs(found, wanted, now)
    if found.is_pair and (len(found.chain) > 1 or not describe(found.chain[0], now).self_signed):
        reasons.append("it was signed by an authority")
    return reasons


def _made(
    certificate: Certificate,
    key: PrivateKey,
    pair: Pair,
    found: Found,
    reasons: list[str],
    *,
    about: tuple[str, str],
    now: datetime,
) -> Issue:
    from wizard.material.certificates import certificate_pem, describe
    from wizard.material.keys import private_pem

    said = describe(certificate, now).lines()
    changes = pair.write(certificate_pem(certificate), private_pem(key), about=about, said=said)
    same = key is found.private_key
    return Issue(certificate, tuple(changes), warnings=tuple(replaced(pair, found, reasons, same_key=same)))


def _may_issue(certificate: Certificate) -> bool:
    from wizard.material.chains import is_authority

    return is_authority(certificate)


def _hash(certificate: Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    from wizard.material.subject_hash import subject_hash

    return subject_hash(certificate.public_bytes(Encoding.DER))


def _next_serial(found: Found) -> int:
    """The number that tells a certificate from the one there; 0, which stands for none, for the first."""
    from cryptography.x509.oid import NameOID

    from wizard.material.certificates import read_certificates_pem

    try:
        before = read_certificates_pem(found.certificate or b"")[0]
    except MaterialError:
        return 0
    serials = before.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    text = str(serials[0].value) if serials else ""
    return int(text) + 1 if text.isascii() and text.isdecimal() else 1


def _of_its_own(
    key: PrivateKey, wanted: Wanted, now: datetime, serial: int, taken: Collection[str]
) -> Certificate:
    """A certificate whose subject has a hash that is not taken; the number is counted up until then."""
    from wizard.material.certificates import self_signed_client

    while True:
        subject = Subject(wanted.common_name, serial=str(serial) if serial else "")
        certificate = self_signed_client(key, subject, wanted.days, now)
        if _hash(certificate) not in taken:
            return certificate
        serial += 1
