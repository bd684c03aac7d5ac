"""The configuration of a Nano node: where each version looks for the settings of TLS, and what is set there.

After nanocurrency/nano-node, V21 to V27: nano/lib/rpcconfig.cpp and nano/lib/tlsconfig.cpp.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from ipaddress import IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.address import reached_at
from wizard.errors import Refusal
from wizard.formats.splice import CannotEdit
from wizard.plan import Warning
from wizard.small_files import read_small, version

if TYPE_CHECKING:
    from wizard.formats import toml

NODE, RPC, TLS = "config-node.toml", "config-rpc.toml", "config-tls.toml"
SECURE = ("secure",)
DEFAULT_PORT = 7076
"""Of the RPC on the live network."""

_VERSION = re.compile(
    r"(?:Version )?(?:Nano )?V?(?P<number>(?P<major>\d{1,3})(?:\.\d+)*)\S*", re.I | re.ASCII
)
_OF_NODE = ("node", "rpc", "opencl")
"""Tables of config-node.toml that config-rpc.toml does not have."""


class Era(Enum):
    """Where a version looks for the settings of TLS."""

    SECURE_TABLE = RPC
    """V21 and V22: the table `[secure]`."""
    TLS_FILE = TLS
    """V23 to V26: keys at the top. They stop on a `[secure]` that is left in config-rpc.toml."""

    @property
    def table(self) -> tuple[str, ...]:
        """The table of the settings."""
        return SECURE if self is Era.SECURE_TABLE else ()

    @property
    def switch(self) -> str:
        """The key that switches HTTPS on."""
        return "enable" if self is Era.SECURE_TABLE else "enable_https"


def read_version(text: str) -> str:
    """The number in `Version V25.1`, `Nano 25.1`, `v25.1` or `25.1`. ValueError: it is none."""
    found = _VERSION.fullmatch(text.strip())
    if not found:
        raise ValueError("Give the version as `nano_node --version` prints it, such as V25.1.")
    return found["number"]


class WithoutTls(ValueError):
    """A version from which TLS has been taken away."""


def era_of(text: str) -> Era:
    """Where this version looks. ValueError: it is none, or one whose RPC cannot be secured;
    WithoutTls: it has no TLS any more.
    """
    number = read_version(text)
    major = int(number.partition(".")[0])
    if major < 21:
        raise ValueError(
            f"TLS of V{number} is broken or set in other files, so it is not secured here. Update the node."
        )
    if major >= 27:
        raise WithoutTls(
            f"V{number} has no TLS any more: it was removed in V27, and settings of TLS that are left are "
            "ignored without a word. Keep the RPC on [::1] and put nginx with TLS in front of it."
        )
    return Era.SECURE_TABLE if major < 23 else Era.TLS_FILE


# Reading ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Config:
    """One file of the configuration; an absent one is empty."""

    path: Path
    document: toml.Document
    there: bool

    def value(self, *names: str) -> object:
        """What is set there; None if nothing is."""
        return self.document.value(*names)

    def line(self, *names: str) -> int | None:
        """In which line that is."""
        return next((entry.line for entry in self.document.entries if entry.path == names), None)

    def says(self, text: str, *names: str) -> Warning:
        """A warning at the line where that is set."""
        return Warning(text, self.path, self.line(*names))


def read(path: Path) -> Config:
    """Read a file, again only when it has changed. Raises OSError, and Refusal where it cannot be edited."""
    from wizard.formats import toml

    try:
        return _read(path, version(path))
    except FileNotFoundError:
        return Config(path, toml.read(b""), there=False)


@lru_cache(maxsize=16)
def _read(path: Path, _version: tuple[int, int, int]) -> Config:
    from wizard.formats import toml

    try:
        return Config(path, toml.read(read_small(path)), there=True)
    except CannotEdit as error:
        raise refusal(path, error) from None


def refusal(path: Path, error: CannotEdit) -> Refusal:
    """The same about the file at this path."""
    return Refusal(path, error.reason, error.remedy, error.line, error.by_hand)


def read_all(data: Path) -> tuple[Config, Config]:
    """config-rpc.toml and config-tls.toml. Raises OSError, and Refusal as well where one is another's."""
    if not data.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(data))
    rpc, tls = read(data / RPC), read(data / TLS)
    for config in (rpc, tls):
        if other := next((name for name in _OF_NODE if isinstance(config.value(name), dict)), None):
            raise Refusal(
                config.path,
                f"It has a table [{other}], which belongs into {NODE}: it seems to be saved under the wrong "
                "name.",
                f"Move what belongs to the node into {NODE}, and write this file anew.",
                next((header.line for header in config.document.headers if header.path == (other,)), None),
            )
    return rpc, tls


def settings_in(data: Path, era: Era) -> Config:
    """The file where this era has its settings. Raises OSError or Refusal."""
    return read(data / era.value)


def text_in(data: Path, era: Era, name: str) -> str:
    """A setting of TLS as it is, or was before V23; else nothing. Raises OSError or Refusal."""
    for config, table in ((settings_in(data, era), era.table), (read(data / RPC), SECURE)):
        found = config.value(*table, name)
        if isinstance(found, str) and found:
            return found
    return ""


def is_secured(data: Path, era: Era) -> bool:
    """Whether HTTPS is switched on there. Raises OSError or Refusal."""
    return settings_in(data, era).value(*era.table, era.switch) in (True, "true")


# Address ----------------------------------------------------------------------------------------------------


def listening(rpc: Config) -> tuple[str, int]:
    """On which address and port the RPC listens, by its file; what the node would not take is passed over."""
    address, port = rpc.value("address"), rpc.value("port")
    usable = isinstance(address, str) and as_ipv6(address) is not None
    number = int(port) if isinstance(port, str | int) and str(port).isdecimal() else DEFAULT_PORT
    return address if usable and isinstance(address, str) else "::1", number


def listening_by(data: Path) -> tuple[str, int]:
    """The same by the file in the data directory; where that cannot be read, what the node does by itself."""
    try:
        return listening(read(data / RPC))
    except (OSError, Refusal):
        return "::1", DEFAULT_PORT


def as_ipv6(address: str) -> IPv6Address | None:
    """The address as the node takes it; None for one that stops it, as all of IPv4 do."""
    try:
        return IPv6Address(address.partition("%")[0])
    except ValueError:
        return None


def for_clients(address: str) -> str:
    """The address by which a client on this host reaches what listens there, without brackets."""
    return reached_at(address) if as_ipv6(address) else "::1"


def is_open(address: str) -> bool:
    """Whether others than programs of this host can reach what listens there."""
    at = as_ipv6(address)
    return at is not None and not (at.ipv4_mapped or at).is_loopback
