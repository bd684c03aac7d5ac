"""The register of what an authority has issued: OpenSSL's CA database, usually called `index.txt`.

One line for each certificate, of six fields between tabs (openssl-ca(1); openssl apps/lib/apps.c, load_index,
apps/ca.c, and crypto/txt_db/txt_db.c): V, R or E for valid, revoked and expired; when it ends; when it was
revoked, with the reason after a comma; the serial number in hexadecimal; the file; the subject. Texts are the
bytes of the file, those that are no UTF-8 as in the names of files (PEP 383).

Write `ATTRIBUTES` beside it as `index.txt.attr`. Without them `openssl ca` takes two valid certificates for
one subject, as every renewal makes them, for damage.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from wizard.material import MaterialError
from wizard.material.der import SEQUENCE, elements
from wizard.material.description import tolerance

ATTRIBUTES = b"unique_subject = no\n"
"""The content of `index.txt.attr`."""

UNKNOWN = "unknown"
"""Stands for a file that has no name, or one with a tab, a line end or a backslash at its end."""

REASONS = (
    "unspecified",
    "keyCompromise",
    "CACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "removeFromCRL",
    "holdInstruction",
    "keyTime",
    "CAkeyTime",
)
"""What OpenSSL knows (apps/ca.c, crl_reasons), however it is capitalised. The last three have an argument
behind another comma; those of RFC 5280 that are not here, it refuses together with the whole register."""

_KNOWN_REASONS = {reason.lower() for reason in REASONS}


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that was issued."""

    serial: int
    subject: str
    """As X509_NAME_oneline writes it: "/C=CH/O=Example/CN=hub.example.org"."""
    until: datetime
    """Its last second; an aware time."""
    file: str
    """Where it stands, or "unknown"."""
    revoked: datetime | None = None
    """When it was taken back; an aware time."""
    reason: str = ""
    """Why, by one of `REASONS`; empty where none was given."""
    expired: bool = False
    """Whether it is marked as expired, as `openssl ca -updatedb` does now and then; `until` decides."""

    @classmethod
    def of(cls, certificate: x509.Certificate, file: str) -> Issued:
        """The entry for a certificate that has just been issued, to stand at `file`."""
        with tolerance():
            serial = certificate.serial_number
        return cls(serial, one_line(certificate.subject), certificate.not_valid_after_utc, file)


def read_register(data: bytes) -> tuple[Issued, ...]:
    """Read a register; lines that begin with `#` are passed over.

    MaterialError: the line that is damaged, or that has the serial number of an earlier one.
    """
    *lines, rest = data.split(b"\n")
    if rest:  # OpenSSL passes over it in silence
        raise _damaged(len(lines) + 1, "it breaks off, without a line end")
    found: dict[int, Issued] = {}
    for number, line in enumerate(lines, 1):
        if line.startswith(b"#"):
            continue
        try:
            entry = _read(line)
        except ValueError as error:
            raise _damaged(number, str(error)) from error
        if entry.serial in found:
            raise _damaged(number, f"the serial number {_hexadecimal(entry.serial)} is there twice")
        found[entry.serial] = entry
    return tuple(found.values())


def write_register(entries: Iterable[Issued]) -> bytes:
    """Write a register, in the order given.

    MaterialError: a serial number is there twice, or OpenSSL does not know a reason or could not read a
    subject again.
    """
    lines: dict[int, str] = {}
    for entry in entries:
        if entry.serial in lines:
            raise MaterialError(f"Two certificates have the serial number {_hexadecimal(entry.serial)}.")
        lines[entry.serial] = "\t".join(_fields(entry)) + "\n"
    return os.fsencode("".join(lines.values()))


def one_line(name: x509.Name) -> str:
    r"""Write a subject as X509_NAME_oneline does (openssl crypto/x509/x509_obj.c): "/C=CH/CN=Z\xC3\xBCrich".

    It is of printable ASCII only, and its bytes are those of the certificate, in whatever encoding.
    """
    return "".join(
        f"{'+' if place else '/'}{_TYPES.get(attribute.oid.dotted_string, attribute.oid.dotted_string)}"
        f"={''.join(map(_shown, _content(attribute)))}"
        for rdn in name.rdns
        for place, attribute in enumerate(rdn)
    )


# One line ---------------------------------------------------------------------------------------------------


def _read(line: bytes) -> Issued:
    """Read a line; ValueError says in a few words why that cannot be."""
    if b"\0" in line:
        raise ValueError("it holds a null byte")
    # A tab behind a backslash belongs to the field (txt_db.c).
    fields = [field.replace("\\\t", "\t") for field in re.split(r"(?<!\\)\t", os.fsdecode(line))]
    if len(fields) != 6:
        raise ValueError(f"it has {len(fields)} fields between tabs, not 6")
    status, until, revocation, serial, file, subject = fields
    if status not in ("V", "R", "E"):
        raise ValueError("it begins with neither V, R nor E")
    if (status == "R") != bool(revocation):
        raise ValueError("it has a time of revocation and is not marked R, or the other way round")
    if not re.fullmatch(r"-?([0-9A-Fa-f]{2})+", serial):
        raise ValueError("its serial number is not hexadecimal, of an even number of digits")
    when, comma, reason = revocation.partition(",")
    if comma and not _is_known(reason):
        raise ValueError("its reason of revocation is unknown")
    return Issued(
        int(serial, 16),
        subject,
        _read_time(until),
        file,
        _read_time(when) if revocation else None,
        reason,
        status == "E",
    )


def _fields(entry: Issued) -> Iterator[str]:
    if not _can_be_written(entry.subject):
        raise MaterialError("A subject with a tab, a line end or a null byte cannot stand in the register.")
    if entry.reason and not _is_known(entry.reason):
        raise MaterialError(f"OpenSSL does not know the reason of revocation {entry.reason}.")
    yield "R" if entry.revoked else "E" if entry.expired else "V"
    yield _time(entry.until)
    reason = f",{entry.reason}" if entry.reason else ""
    yield f"{_time(entry.revoked)}{reason}" if entry.revoked else ""
    yield _hexadecimal(entry.serial)
    # A backslash at the end would make the tab behind it part of the field.
    writable = entry.file and _can_be_written(entry.file) and not entry.file.endswith("\\")
    yield entry.file if writable else UNKNOWN
    yield entry.subject


def _can_be_written(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return not set("\t\n\0") & set(text)


def _is_known(reason: str) -> bool:
    name, _, argument = reason.partition(",")
    return name.lower() in _KNOWN_REASONS and _can_be_written(argument)


def _damaged(number: int, why: str) -> MaterialError:
    return MaterialError(
        f"The register is damaged in line {number}: {why}. Mend the line, or take the file from a backup."
    )


# Times and numbers ------------------------------------------------------------------------------------------


def _time(when: datetime) -> str:
    """UTCTime where that can say the year (RFC 5280 4.1.2.5), else GeneralizedTime."""
    when = when.astimezone(UTC)
    year = f"{when.year % 100:02}" if 1950 <= when.year < 2050 else f"{when.year:04}"
    return f"{year}{when:%m%d%H%M%S}Z"


def _read_time(text: str) -> datetime:
    if not re.fullmatch(r"(\d\d)?\d{12}Z", text, re.ASCII):
        raise ValueError("a time is not of the form YYMMDDHHMMSSZ")
    if len(text) == 13:
        text = f"{'19' if text[0] >= '5' else '20'}{text}"
    month, day, hour, minute, second = (int(text[place : place + 2]) for place in range(4, 14, 2))
    try:
        return datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise ValueError("a time is not in the calendar") from None


def _hexadecimal(number: int) -> str:
    """Digits in pairs, as BN_bn2hex writes them; 00 for zero."""
    digits = f"{abs(number):X}"
    return f"{'-' if number < 0 else ''}{'0' * (len(digits) % 2)}{digits}"


# Subjects ---------------------------------------------------------------------------------------------------

_TYPES = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.15": "businessCategory",
    "2.5.4.17": "postalCode",
    "2.5.4.42": "GN",
    "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier",
    "2.5.4.46": "dnQualifier",
    "2.5.4.65": "pseudonym",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
    "1.2.840.113549.1.9.2": "unstructuredName",
}
"""OpenSSL's short names (crypto/objects/objects.txt); a type that is missing here is written in numbers."""


def _content(attribute: x509.NameAttribute[str | bytes]) -> bytes:
    """The bytes of the value, without its tag."""
    ((_, rdns),) = elements(x509.Name([attribute]).public_bytes())
    ((_, rdn),) = elements(rdns)
    ((tag, pair),) = elements(rdn)
    assert tag == SEQUENCE
    _, (_, value) = elements(pair)
    return value


def _shown(byte: int) -> str:
    if not 0x20 <= byte <= 0x7E:
        return f"\\x{byte:02X}"
    return f"\\{byte:c}" if byte in b"/+" else f"{byte:c}"
