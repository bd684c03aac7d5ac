"""Where an API is called: an address that begins with https://."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from wizard.material.names import Name, read_name

if TYPE_CHECKING:
    from wizard.probe import Endpoint

_IN_A_PATH = "/%:@!$&'()*+,;=~-._"
"""Characters of RFC 3986 3.3; all others are written as %XX."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host, a port and a path; it holds nothing secret, so it may be shown and kept."""

    name: Name
    port: int = 443
    path: str = "/"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address. ValueError: a sentence says what to change; what may be secret is not in it."""
        text = text.strip()
        if not text.isprintable() or any(map(str.isspace, text)):
            raise ValueError("There is a blank or a control character in the address: type it again.")
        scheme, separator, rest = text.partition("://")
        if not separator or not rest:
            raise ValueError("Give the whole address, such as https://api.example.com:8443/v1/status.")
        if scheme.lower() != "https":
            raise ValueError(
                f"{scheme}:// is without TLS, or no address of an API. Give the one that begins with https://."
            )
        if "@" in rest.partition("/")[0]:
            raise ValueError("Leave the user and the password before the @ out: only TLS is tried.")
        if "?" in rest or "#" in rest:
            raise ValueError(
                "Leave out the ? or # and what follows: it may hold a key, and only TLS is tried."
            )
        return cls(*_host_and_port(text), quote(urlsplit(text).path or "/", safe=_IN_A_PATH))

    @property
    def host(self) -> str:
        """The name or the address, without brackets."""
        return str(self.name)

    @property
    def endpoint(self) -> Endpoint:
        """What to connect to."""
        from wizard.probe import Endpoint

        return Endpoint(self.host, self.port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}{'' if self.port == 443 else f':{self.port}'}{self.path}"


def reached_at(host: str) -> str:
    """The host by which a program here reaches what listens at one: loopback, where that is every address.

    Both without brackets; an IPv4 address that is mapped into IPv6 (RFC 4291 2.5.5.2) is reached as IPv4.
    """
    if host == "*":
        return "127.0.0.1"
    try:
        at = ip_address(host.partition("%")[0])
    except ValueError:  # a name
        return host
    at = getattr(at, "ipv4_mapped", None) or at
    loopback = "127.0.0.1" if at.version == 4 else "::1"
    return loopback if at.is_unspecified else str(at)


def _host_and_port(text: str) -> tuple[Name, int]:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(
            "The host or the port cannot be read. Write an IPv6 address in brackets, and a port from 1 "
            "to 65535."
        ) from None
    if port == 0:
        raise ValueError("0 is not a port: give a number from 1 to 65535.")
    name = read_name(host)
    if str(name).startswith("*."):
        raise ValueError(f"{name} stands for many names; give the one that is called.")
    return name, port or 443
