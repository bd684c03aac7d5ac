"""What every target with a server certificate asks, and the pair of files that answers it.

A pair that is there already, fits the answers and is not near its end is kept, so a second run
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.host import Host
from wizard.kinds import Choice, Several, Text, Whole
from wizard.material import MaterialError
from wizard.material.key_types import KeyType
from wizard.material.names import cautions, check_common_name, name_text, read_name
from wizard.plan import Change, File, Owner, Warning
from wizard.questions import Page, Questionnaire, question

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

APPLE_LIMIT_DAYS = 825
SHORT_DAYS = 30

PAGE = Page("certificate", "the certificate")


def key_question(*offered: KeyType, why: str = "") -> str:
    """The question for the kind of key, with what the target can use; the first one is the default."""
    return question(
        "Key",
        Choice(tuple((key_type.value, key_type.label) for key_type in offered)),
        page=PAGE.key,
        help="ECDSA P-256 is fast; take RSA only for very old clients.",
        more=why,
    )


@dataclass(frozen=True, kw_only=True)
class ServerCertificate(Questionnaire):
    """The questions about a server certificate."""

    common_name: str = question(
        "Common Name",
        Text(),
        page=PAGE.key,
        help="The name that people see in the certificate.",
        more="Clients do not compare it with the name they connect to: the list below decides that.",
    )
    alt_names: tuple[str, ...] = question(
        "Alternative names",
        Several(lambda text: str(read_name(text))),
        page=PAGE.key,
        help="Every name and address clients connect to, with commas.",
        more="Clients compare the name they connect to with this list and refuse when it is not there. "
        "Leave ports and https:// out. Names of this host and its addresses are filled in.",
    )
    validity_days: int = question(
        "Valid for (days)",
        Whole(1, 36500),
        page=PAGE.key,
        help="Up to 825 days are accepted by every client.",
        more="Guides suggest 9999 days. A key that leaks stays good for as long as its certificate.",
    )

    def default_common_name(self, host: Host) -> str:
        return host.name

    def check_common_name(self, host: Host, value: str) -> str | None:
        return check_common_name(value)

    def caution_common_name(self, host: Host, value: str) -> str | None:
        try:
            read_name(value)
        except MaterialError as error:
            return f"It is not among the alternative names, since it is no host name. {error}"
        return None

    def default_alt_names(self, host: Host) -> tuple[str, ...]:
        names: list[str] = []
        for text in (self.common_name, host.name, host.fqdn, "localhost", *host.addresses, "127.0.0.1"):
            try:
                names.append(str(read_name(text)))
            except MaterialError:
                continue
        return tuple(dict.fromkeys(names))

    def caution_alt_names(self, host: Host, value: tuple[str, ...]) -> str | None:
        notes = [note for text in value for note in cautions(read_name(text))]
        try:
            common_name = str(read_name(self.common_name))
        except MaterialError:
            common_name = ""
        if common_name and common_name not in value:
            notes.insert(
                0, f"{common_name}, the Common Name, is not in the list: clients will not accept it."
            )
        return notes[0] if notes else None

    def default_validity_days(self, host: Host) -> int:
        return 397

    def caution_validity_days(self, host: Host, value: int) -> str | None:
        if value < SHORT_DAYS:
            return f"It ends in {value} day{'' if value == 1 else 's'}; run the wizard again before then."
        if value <= APPLE_LIMIT_DAYS:
            return None
        return (
            f"Apple's systems refuse server certificates valid for more than {APPLE_LIMIT_DAYS} days, "
            "from private authorities too; and a leaked key stays good for as long."
        )


@dataclass(frozen=True)
class Pair:
    """Where a certificate and its key stand, and whose they are."""

    certificate: Path
    key: Path
    owner: Owner | None
    key_type: KeyType


@dataclass(frozen=True)
class Issue:
    """What becomes of a pair."""

    certificate: Certificate
    changes: tuple[Change, ...]
    kept: tuple[Path, ...]
    warnings: tuple[Warning, ...]


def self_signed(wanted: ServerCertificate, pair: Pair, now: datetime) -> Issue:
    """Keep the pair when it serves, else make a new key and certificate, the key first.

    Raises OSError when an existing file cannot be read.
    """
    from wizard.material.certificates import certificate_pem, describe, self_signed_server
    from wizard.material.keys import generate, private_pem

    old_certificate, old_key = contents(pair.certificate), contents(pair.key)
    kept = None
    reason = ""
    if old_certificate is not None and old_key is not None:
        kept, reason = _usable(wanted, pair, old_certificate, old_key, now)
    if kept is not None:
        changes = tuple(_closed_to_others(pair, old_key or b""))
        return Issue(kept, changes, _unchanged(pair, changes), ())
    key = generate(pair.key_type)
    names = tuple(read_name(text) for text in wanted.alt_names)
    certificate = self_signed_server(key, wanted.common_name, names, wanted.validity_days, now)
    return Issue(
        certificate,
        (
            File(
                path=pair.key,
                before=old_key,
                after=private_pem(key),
                mode=0o600,
                owner=pair.owner,
                secret=True,
                about=f"private key, {pair.key_type.label}",
            ),
            File(
                path=pair.certificate,
                before=old_certificate,
                after=certificate_pem(certificate),
                mode=0o644,
                owner=pair.owner,
                about=f"self-signed certificate, {wanted.validity_days} days",
                described=describe(certificate, now).lines(),
            ),
        ),
        (),
        tuple(_replaced(pair, old_certificate, old_key, reason)),
    )


def contents(path: Path) -> bytes | None:
    """The file's bytes; None when there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _usable(
    wanted: ServerCertificate, pair: Pair, certificate_pem: bytes, key_pem: bytes, now: datetime
) -> tuple[Certificate | None, str]:
    """The certificate there when it fits, and otherwise why it does not."""
    from wizard.material.certificates import belongs_together, describe, read_certificates_pem
    from wizard.material.keys import key_type_of, read_private_pem

    try:
        certificate, *more = read_certificates_pem(certificate_pem)
        key = read_private_pem(key_pem)
        key_type = key_type_of(key)
    except MaterialError as error:
        return None, str(error)
    said = describe(certificate, now)
    asked = {name_text(read_name(text)) for text in wanted.alt_names}
    days = (said.not_after - said.not_before + timedelta(seconds=1)).days
    reasons = {
        "the key does not belong to the certificate": not belongs_together(certificate, key),
        "it was signed by an authority": bool(more) or not said.self_signed,
        f"its Common Name is {said.common_name}": said.common_name != wanted.common_name,
        "it is valid for other names": set(said.names) != asked,
        f"it was made for {days} days": days != wanted.validity_days,
        f"its key is {key_type.label}": key_type is not pair.key_type,
        "it is not valid yet": said.not_before > now,
        "it has ended or soon ends": said.not_after - now < _renewal_time(days),
    }
    reason = ", ".join(reason for reason, stops in reasons.items() if stops)
    return (None, reason) if reason else (certificate, "")


def _renewal_time(days: int) -> timedelta:
    """How long before its end a certificate is made again: 30 days, for short ones a third of their life."""
    return min(timedelta(days=30), timedelta(days=days) / 3)


def _closed_to_others(pair: Pair, key: bytes) -> Iterator[Change]:
    """Take the key away from others when it lies open, and give it to its owner when it is not theirs."""
    status = pair.key.stat()
    open_to_others = status.st_mode & 0o077
    if open_to_others or (pair.owner and pair.owner.uid != status.st_uid):
        about = "others could read the key" if open_to_others else "the key belonged to another account"
        yield File(
            path=pair.key, before=key, after=key, mode=0o600, owner=pair.owner, secret=True, about=about
        )


def _unchanged(pair: Pair, changes: tuple[Change, ...]) -> tuple[Path, ...]:
    changed = {change.path for change in changes}
    return tuple(path for path in (pair.key, pair.certificate) if path not in changed)


def _replaced(pair: Pair, certificate: bytes | None, key: bytes | None, reason: str) -> Iterator[Warning]:
    """Say what is replaced and why; undo brings it back."""
    if certificate is not None and key is not None:
        yield Warning(
            f"The certificate there is replaced, with its key: {reason}. "
            "Clients that were given the old one need the new one.",
            pair.certificate,
        )
    elif certificate is not None:
        yield Warning("The certificate there is replaced: its key is missing.", pair.certificate)
    elif key is not None:
        yield Warning("The key there is replaced: its certificate is missing.", pair.key)
