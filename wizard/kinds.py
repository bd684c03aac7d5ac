"""The kinds of answer a question takes, and how each is read and shown."""

from __future__ import annotations

import ipaddress
import os
import pwd
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar, Generic, NoReturn, Protocol, TypeAlias, TypeGuard, TypeVar

from wizard.address import Address
from wizard.secret import Secret

Raw: TypeAlias = str | int | bool | Sequence[str] | Secret
"""An answer as given: typed into a field, or a value of an answers file; a secret is in none."""

Plain: TypeAlias = str | int | bool | list[str]
"""An answer as an answers file holds it."""

LONGEST = 1000
"""Characters of an answer, or of one item of a list."""

MOST_OPTIONS = 10
"""How many options an error names."""


def is_plain(raw: object) -> TypeGuard[Plain]:
    """Whether a value that was read from a file can be an answer."""
    return isinstance(raw, str | int) or (isinstance(raw, list) and all(isinstance(one, str) for one in raw))


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Kind(Protocol[T]):
    """What sort of answer a question takes."""

    @property
    def optional(self) -> bool:
        """Whether it may be left empty."""

    def read(self, raw: Raw) -> T:
        """The answer as a value; ValueError with a sentence for the user when it is not one."""

    def show(self, value: T) -> str:
        """The value as the text of a field."""

    def plain(self, value: T) -> Plain:
        """The value as an answers file holds it."""


class _Written(Generic[T]):
    """A kind whose values stand as text in an answers file."""

    optional: bool = False

    def show(self, value: T) -> str:
        return str(value)

    def plain(self, value: T) -> Plain:
        return self.show(value)


@dataclass(frozen=True)
class Text(_Written[str]):
    """One line of text."""

    optional: bool = False
    """Whether it may be left empty."""

    def read(self, raw: Raw) -> str:
        return "" if self.optional and _is_blank(raw) else _line(raw)


@dataclass(frozen=True)
class FilePath(_Written[Path]):
    """The full path of a file or folder; `~` is the user's home."""

    def read(self, raw: Raw) -> Path:
        text = _line(raw)
        if text.startswith("-----BEGIN"):
            raise ValueError("This is the content of a file. Give the name of a file.")
        try:
            path = Path(text).expanduser()
        except RuntimeError:
            raise ValueError(f'"{text}" names a home folder that does not exist.') from None
        if not path.is_absolute():
            raise ValueError(f"Write the whole path, beginning with /: {Path.cwd() / path}?")
        # Without .. and doubled slashes, but with symbolic links as they are: the user knows that name.
        return Path(re.sub("//+", "/", str(path)) if ".." not in path.parts else os.path.realpath(path))


@dataclass(frozen=True)
class PerhapsFilePath:
    """The same; left empty it is None."""

    optional: ClassVar[bool] = True

    def read(self, raw: Raw) -> Path | None:
        return None if _is_blank(raw) else FilePath().read(raw)

    def show(self, value: Path | None) -> str:
        return str(value or "")

    def plain(self, value: Path | None) -> str:
        return self.show(value)


@dataclass(frozen=True)
class Whole(_Written[int]):
    """A whole number within limits, both included."""

    low: int
    high: int

    def read(self, raw: Raw) -> int:
        limits = f"Give a number from {self.low} to {self.high}."
        if isinstance(raw, bool) or not isinstance(raw, str | int):
            raise ValueError(limits)
        text = _line(str(raw))
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError(f'"{text}" is not a whole number. {limits}')
        number = int(text)
        if not self.low <= number <= self.high:
            raise ValueError(limits)
        return number

    def plain(self, value: int) -> int:
        return value


@dataclass(frozen=True)
class Choice(_Written[str]):
    """One of a few, each with a label for people."""

    options: tuple[tuple[str, str], ...]
    """(value, label) in the order shown."""

    def read(self, raw: Raw) -> str:
        text = _line(raw)
        values = [value for value, _ in self.options]
        if text not in values:
            near = get_close_matches(text, values, MOST_OPTIONS) if len(values) > MOST_OPTIONS else values
            named = near or values[:MOST_OPTIONS]
            more = f" and {len(values) - len(named)} others" if len(values) > len(named) else ""
            raise ValueError(f'"{text}" is not one of: {", ".join(named)}{more}.')
        return text


@dataclass(frozen=True)
class YesNo(_Written[bool]):
    """Yes or no."""

    def read(self, raw: Raw) -> bool:
        if isinstance(raw, bool):
            return raw
        text = raw.strip().lower() if isinstance(raw, str) else ""
        if text not in ("yes", "y", "no", "n"):
            raise ValueError("Answer yes or no.")
        return text.startswith("y")

    def show(self, value: bool) -> str:
        return "yes" if value else "no"

    def plain(self, value: bool) -> bool:
        return value


@dataclass(frozen=True)
class Several(_Written[tuple[str, ...]]):
    """A list, with commas or blanks between; each item is read by `item`, which may raise ValueError."""

    item: Callable[[str], str]
    optional: bool = False
    """Whether it may be left empty."""

    def items(self, text: str) -> list[str]:
        """The items of a list that is typed."""
        return [part for part in re.split(r"[,\s]+", text) if part]

    def read(self, raw: Raw) -> tuple[str, ...]:
        if isinstance(raw, str):
            items: Sequence[str] = self.items(raw)
        elif isinstance(raw, Sequence):
            items = raw
        else:
            raise ValueError('Give a list, such as ["api.example.com", "10.0.0.5"].')
        if not items and not self.optional:
            raise ValueError("This is needed.")
        return tuple(dict.fromkeys(self.item(_line(item)) for item in items))

    def show(self, value: tuple[str, ...]) -> str:
        return ", ".join(value)

    def plain(self, value: tuple[str, ...]) -> list[str]:
        return list(value)


@dataclass(frozen=True)
class Account(_Written[str]):
    """The name of an account of this host."""

    def read(self, raw: Raw) -> str:
        text = _line(raw)
        try:
            return pwd.getpwnam(text).pw_name
        except KeyError:
            raise ValueError(f'There is no account "{text}" on this host.') from None


@dataclass(frozen=True)
class IPv4Address(_Written[str]):
    """An address as `a.b.c.d:port`."""

    def read(self, raw: Raw) -> str:
        address, port = _host_and_port(_line(raw))
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            raise ValueError(f'"{address}" is not an IPv4 address such as 127.0.0.1.') from None
        return f"{address}:{port}"


@dataclass(frozen=True)
class HostAndPort(_Written[str]):
    """A host name or an address, an IPv6 one in brackets, with a port."""

    def read(self, raw: Raw) -> str:
        host, port = _host_and_port(_line(raw))
        if host.startswith("[") and host.endswith("]"):
            try:
                ipaddress.IPv6Address(host[1:-1])
            except ValueError:
                raise ValueError(f'"{host}" is not an IPv6 address such as [::1].') from None
        elif ":" in host:
            raise ValueError(f"Write an IPv6 address in brackets: [{host}]:{port}?")
        elif "/" in host or any(map(str.isspace, host)):
            raise ValueError("Leave blanks, https:// and paths out; give only a host and a port.")
        return f"{host}:{port}"


@dataclass(frozen=True)
class Url(_Written[Address]):
    """The address of an API, beginning with https://."""

    def read(self, raw: Raw) -> Address:
        return Address.parse(_line(raw))


def _host_and_port(text: str) -> tuple[str, int]:
    if "/" in text:
        raise ValueError("Leave blanks, https:// and paths out; give only a host and a port.")
    host, colon, port = text.rpartition(":")
    if not colon or not host:
        raise ValueError("Give an address and a port, such as 127.0.0.1:50051.")
    if not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 65536:
        raise ValueError(f'"{port}" is not a port: give a number from 1 to 65535.')
    return host, int(port)


@dataclass(frozen=True)
class Passphrase:
    """A passphrase; no answers file holds it, only the name of a file that does."""

    optional: ClassVar[bool] = False

    def read(self, raw: Raw) -> Secret:
        if isinstance(raw, Secret):
            if not raw:
                raise ValueError("This is needed.")
            if "\ufffd" in raw.reveal():  # what stands for a byte that is no text, unseen here
                raise ValueError(
                    "One of these letters has not come as text in UTF-8: set the terminal to UTF-8, or use "
                    "other letters."
                )
            return raw
        raise ValueError(
            "A passphrase does not belong here, where others may read it. Put it into a file of its own "
            "that only you can read, and name that file."
        )

    def show(self, value: Secret) -> str:
        return ""

    def plain(self, value: Secret) -> NoReturn:
        raise TypeError("A secret is not written.")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What an authority has delivered: files, or their pasted content."""

    parts: tuple[Path | str, ...] = ()
    """Paths, and texts with PEM in them."""

    def __bool__(self) -> bool:
        return bool(self.parts)


NOTHING = Delivery()
"""Nothing has been delivered."""

PEM_BEGINS = "-----BEGIN "


@dataclass(frozen=True)
class Delivered:
    """One or more files, with commas between, or a pasted text with PEM in it; it may be left empty."""

    optional: ClassVar[bool] = True

    def items(self, text: str) -> list[str]:
        """The files of a list that is typed; a pasted text is one item."""
        return [text] if PEM_BEGINS in text else [part for part in text.split(",") if part.strip()]

    def read(self, raw: Raw) -> Delivery:
        if isinstance(raw, str):
            given: Sequence[str] = self.items(raw)
        elif isinstance(raw, Sequence):
            given = raw
        else:
            raise ValueError('Give a list of files, such as ["/root/certificate.pem", "/root/chain.pem"].')
        return Delivery(tuple(self._part(part) for part in given))

    def _part(self, text: str) -> Path | str:
        if not isinstance(text, str):
            raise ValueError("Give the names of files, in quotes.")
        if PEM_BEGINS not in text:
            return FilePath().read(text)
        if len(text) > LARGEST_PASTE:
            raise ValueError(f"This has {len(text):,} characters: too much for certificates. Give a file.")
        return text

    def show(self, value: Delivery) -> str:
        return "\n".join(map(str, value.parts)) if self.is_pasted(value) else ", ".join(map(str, value.parts))

    def plain(self, value: Delivery) -> list[str]:
        return [str(part) for part in value.parts]

    @staticmethod
    def is_pasted(value: Delivery) -> bool:
        """Whether a text is among the parts."""
        return any(isinstance(part, str) for part in value.parts)


LARGEST_PASTE = 200_000
"""Characters."""


def _is_blank(raw: Raw) -> bool:
    """Whether nothing is given, or only blanks."""
    return isinstance(raw, str) and not raw.strip()


def _line(raw: Raw) -> str:
    """One trimmed, printable, non-empty line."""
    if not isinstance(raw, str):
        raise ValueError("Give a text in quotes.")
    text = raw.strip()
    if not text:
        raise ValueError("This is needed.")
    if len(text) > LONGEST:
        raise ValueError(f"This has {len(text)} characters; at most {LONGEST} are allowed.")
    if not text.isprintable():
        raise ValueError("There is a control character in it: type it again instead of pasting.")
    return text
