"""Whose certificate it is: the distinguished name, as people fill it in.

Used on every keystroke, so nothing here needs a library for certificates.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, fields

from wizard.material import MaterialError
from wizard.material.names import check_common_name, read_name

_LONGEST = {"organisation": 64, "unit": 64, "locality": 128, "state": 128, "email": 254, "serial": 64}
"""Characters, by the upper bounds of X.520 that RFC 5280 appendix A takes over."""

_PRINTABLE = frozenset(string.ascii_letters + string.digits + " '()+,-./:=?")
"""What a PrintableString may hold (X.680 41.4)."""

_MAILBOX = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~.")


@dataclass(frozen=True, slots=True)
class Subject:
    """A distinguished name; what is left empty is left out of the certificate."""

    common_name: str
    organisation: str = ""
    unit: str = ""
    """Department within the organisation."""
    locality: str = ""
    """Town."""
    state: str = ""
    """State, province or canton."""
    country: str = ""
    """Two capital letters (ISO 3166)."""
    email: str = ""
    serial: str = ""
    """What tells two of one name apart (serialNumber of X.520); not the certificate's own number."""

    def __post_init__(self) -> None:
        """MaterialError: the sentence of the first field that cannot be used."""
        for field in fields(self):
            if problem := check_subject_field(field.name, getattr(self, field.name)):
                raise MaterialError(problem)


def check_subject_field(field: str, text: str) -> str | None:
    """Return a sentence when `text` cannot be that field of a `Subject`, else None."""
    if field == "common_name":
        return check_common_name(text)
    return _check_optional(field, text) if text else None


def _check_optional(field: str, text: str) -> str | None:
    if not text.isprintable() or not text.strip():
        return f"The {field} holds an invisible character or blanks only; type it anew."
    longest = _LONGEST.get(field, len(text))
    if len(text) > longest:
        return f"The {field} has {len(text)} characters; at most {longest} are allowed."
    if field == "country" and not (len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()):
        return f"{text}: give the country as two capital letters, such as CH or DE."
    if field == "email" and not is_email(text):
        return f"{text} is no e-mail address such as admin@example.org."
    if field == "serial" and not frozenset(text) <= _PRINTABLE:
        return f"{text}: give the serial as letters and digits."
    return None


def is_email(text: str) -> bool:
    """Tell whether it is a mailbox that an rfc822Name can hold: ASCII, unquoted, at a real domain."""
    mailbox, at, domain = text.rpartition("@")
    if not at or not frozenset(mailbox) <= _MAILBOX or not all(mailbox.split(".")):
        return False
    return is_full_host_name(domain)


def is_full_host_name(text: str) -> bool:
    """Tell whether it is a DNS name of several labels: neither an address nor a wildcard nor `rpc.user.1`."""
    try:
        name = read_name(text)
    except MaterialError:
        return False
    return isinstance(name, str) and name == text.lower() and "." in name and "*" not in name
