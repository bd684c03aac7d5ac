"""The address of an endpoint: where it listens, and which names it answers to."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address

EVERY_NAME = ("0.0.0.0", "+", "*")  # noqa: S104 -- what an address is compared with
"""Hosts with which an endpoint answers to every name; SanteDB makes the second of the first."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A URL in its parts; what stands behind the port is kept as it is."""

    scheme: str
    host: str
    """As it is written; an IPv6 address in brackets."""
    port: int
    path: str
    """From its slash on; empty without one."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read a URL of http or https. ValueError: it is none."""
        scheme, separator, rest = text.strip().partition("://")
        authority, slash, path = rest.partition("/")
        if not separator or scheme.lower() not in PORTS:
            raise ValueError(f"{text} is no address that begins with http:// or https://.")
        host, colon, port = authority.rpartition(":")
        if not colon or port.endswith("]"):
            host, port = authority, str(PORTS[scheme.lower()])
        if not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 65536:
            raise ValueError(f"{text} has no port from 1 to 65535.")
        return cls(scheme.lower(), read_host(host), int(port), slash + path)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}{self.path}"

    @property
    def answers_every_name(self) -> bool:
        """Whether clients may call it by any name."""
        return self.host in EVERY_NAME

    @property
    def request_path(self) -> str:
        """The path as a client asks for it; SanteDB puts a slash behind it where there is none."""
        return self.path if self.path.endswith("/") else f"{self.path}/"

    @property
    def to_connect(self) -> str:
        """The host by which a client here reaches it, without brackets."""
        return "127.0.0.1" if self.answers_every_name else self.host.strip("[]")


def read_host(text: str) -> str:
    """The host of an address as it is written there. ValueError: it is none."""
    host = text.strip()
    if host.startswith("[") and host.endswith("]"):
        try:
            IPv6Address(host[1:-1])
        except ValueError:
            raise ValueError(f'"{host}" is not an IPv6 address such as [::1].') from None
        return host
    if (
        not host
        or ":" in host
        or any(c in "/@?#&<>\"'{}\\" or c.isspace() or not c.isprintable() for c in host)
    ):
        raise ValueError(f'"{host}" is no host; give a name, an address, or 0.0.0.0 for every one.')
    return host
