"""The names a certificate is valid for, as people type them.

Used on every keystroke, so nothing here needs a library for certificates.
"""

from __future__ import annotations

import string
from encodings import idna
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias

from wizard.material import MaterialError

Name: TypeAlias = str | IPv4Address | IPv6Address
"""A DNS name as lower-case A-labels, possibly with a leading `*.`; or an IP address."""

_LABEL_CHARACTERS = frozenset(string.ascii_lowercase + string.digits + "-")

# IDNA 2003, which Python has, and IDNA 2008, which registries use, encode these differently.
_AMBIGUOUS = frozenset("ßς\u200c\u200d")


def read_name(text: str) -> Name:
    """Read one subject alternative name: a DNS name, a wildcard or an IP address (IPv6 also in brackets).

    DNS names follow RFC 1123 and RFC 5280 4.2.1.6, wildcards RFC 9525 6.3.
    MaterialError: the sentence says what to change.
    """
    text = text.strip()
    _refuse_parts_of_a_url(text)
    return _ip(text) or _dns(text)


def name_text(name: Name) -> str:
    """Show a name together with its kind: "DNS signer", "IP 127.0.0.1"."""
    return f"DNS {name}" if isinstance(name, str) else f"IP {name}"


def cautions(name: Name) -> tuple[str, ...]:
    """Say what to know about a name that is allowed but seldom wise; nothing for most names."""
    if not isinstance(name, str) or not name.startswith("*."):
        return ()
    base = name[2:]
    if "." not in base:
        return (f"{name} stands for every name under {base}; browsers and many clients refuse it.",)
    return (f"{name} covers one level only: not {base} itself, and not a.b.{base}.",)


def check_common_name(text: str) -> str | None:
    """Return a sentence when `text` cannot be a Common Name (1 to 64 characters, X.520), else None."""
    if not text.strip():
        return "The Common Name is empty; give the host name, for instance."
    if len(text) > 64:
        return f"The Common Name has {len(text)} characters; at most 64 are allowed."
    if not text.isprintable():
        return "The Common Name holds an invisible character; type it anew."
    return None


def _refuse_parts_of_a_url(text: str) -> None:
    if not text:
        raise MaterialError("The name is empty; give a host name such as hub.example.org, or an IP address.")
    if "://" in text:
        raise MaterialError(
            f"{text}: leave {text.partition('://')[0]}:// out; only the host name belongs here."
        )
    if "/" in text:
        raise MaterialError(f"{text}: only the host name belongs here, without a slash and what follows it.")
    if any(character.isspace() for character in text):
        raise MaterialError(f"{text}: a name has no blanks; give several names separately.")
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and (":" not in host or host.endswith("]")):
        raise MaterialError(f"{text}: leave the port out; a certificate is valid for a host, not for a port.")


def _ip(text: str) -> IPv4Address | IPv6Address | None:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ip_address(bare)
    except ValueError:
        if ":" in text or "[" in text:
            raise MaterialError(f"{text} has a colon or brackets, but is not an IPv6 address.") from None
        return None
    if isinstance(address, IPv6Address) and address.scope_id:
        raise MaterialError(
            f"{text}: leave % and what follows it out; it has a meaning on this machine only."
        )
    if address.is_unspecified:
        raise MaterialError(
            f"{text} means every address of this machine; give the name or the address that clients use."
        )
    return address


def _dns(text: str) -> str:
    if text.endswith("."):
        raise MaterialError(f"{text}: leave the final dot out.")
    wildcard = "*." if text.startswith("*.") else ""
    host = text.removeprefix("*.")
    if "*" in host:
        raise MaterialError(f"{text}: a wildcard must be the whole first part, as in *.example.org.")
    labels = [_label(label, text) for label in idna.dots.split(host)]
    if labels[-1].isdecimal():
        raise MaterialError(f"{text} looks like an IP address, but is not one.")
    name = wildcard + ".".join(labels)
    if len(name) > 253:
        raise MaterialError(f"The name has {len(name)} characters; at most 253 are allowed.")
    return name


def _label(label: str, whole: str) -> str:
    if not label:
        raise MaterialError(f"{whole}: there is nothing before, between or after the dots; remove one dot.")
    if _AMBIGUOUS & frozenset(label):
        raise MaterialError(
            f"{whole}: {label} can be encoded in two ways; give its xn-- form, as registered."
        )
    try:
        encoded = idna.ToASCII(label).decode("ascii").lower()
    except UnicodeError:
        if len(label) > 63:
            raise MaterialError(f"{whole}: a part between dots has at most 63 characters.") from None
        raise MaterialError(f"{whole}: {label} cannot be part of a host name.") from None
    wrong = sorted(frozenset(encoded) - _LABEL_CHARACTERS)
    if wrong:
        raise MaterialError(
            f"{whole}: {' '.join(wrong)} cannot be in a host name; letters, digits and hyphens can."
        )
    if encoded.startswith("-") or encoded.endswith("-"):
        raise MaterialError(f"{whole}: a part of a name neither begins nor ends with a hyphen.")
    return encoded
