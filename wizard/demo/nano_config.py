"""The configuration of a Nano node, read as the node reads it.

Follows nanocurrency/nano-node, V21 to V27: nano/lib/tomlconfig.cpp, nano/lib/rpcconfig.cpp,
nano/lib/tlsconfig.cpp and nano/node/daemonconfig.cpp. Of config-node.toml only `rpc.enable` is read.

The parser follows cryptocode/cpptoml, include/cpptoml.h, with all values as strings. It differs from TOML: an
unquoted value reaches to the end of its line, comment included, a byte order mark belongs to the first key,
and the line end after the first line of a multi-line string is lost.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TypeAlias

Value: TypeAlias = "str | Table | Tables | list[Value]"
Table: TypeAlias = dict[str, Value]


class Tables(list[Table]):
    """An array of tables, `[[name]]`."""


class ConfigError(Exception):
    """The node cannot use the configuration; the message is the node's."""


class NullPointer(Exception):
    """The node follows a null pointer."""


class Era(Enum):
    """Where a version looks for the settings of TLS."""

    SECURE_TABLE = "[secure] in config-rpc.toml"
    """V21 and V22."""
    TLS_FILE = "config-tls.toml"
    """V23 to V26; `[secure]` in config-rpc.toml stops it."""
    NONE = "nowhere"
    """From V27; what the files say of TLS means nothing."""


@dataclass(frozen=True, slots=True)
class Build:
    """A node's program."""

    version: str = "25.1"
    secure_rpc: bool = True
    """Built with NANO_SECURE_RPC, which the official programs and images are not."""

    @property
    def era(self) -> Era:
        """Where it looks for the settings of TLS. ValueError: older than V21."""
        major = int(self.version.partition(".")[0])
        if major < 21:
            raise ValueError(f"V{self.version} reads other files")
        return Era.SECURE_TABLE if major < 23 else Era.TLS_FILE if major < 27 else Era.NONE


# What the node makes of its files ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tls:
    """The settings of TLS, of either era."""

    https: bool = False
    wss: bool = False
    verbose_logging: bool = False
    server_key_passphrase: str = field(default="", repr=False)
    server_cert_path: str = ""
    server_key_path: str = ""
    server_dh_path: str = ""
    client_certs_path: str = ""


@dataclass(frozen=True, slots=True)
class Rpc:
    """What is read from config-rpc.toml."""

    address: str = "::1"
    """IPv6; `::ffff:127.0.0.1` for IPv4."""
    port: int = 7076
    max_request_size: int = 32 * 1024 * 1024
    tls: Tls = Tls()
    """Always the default but in V21 and V22."""


def rpc_enabled(folder: Path, overrides: Iterable[str] = ()) -> bool:
    """Tell whether config-node.toml in the data directory switches the RPC on.

    `overrides` are the node's options `--config`, each `key=value`. ConfigError, NullPointer.
    """
    table = _child(_read(folder / "config-node.toml", overrides), "rpc")
    return _boolean(table, "enable") if table is not None else False


def read_rpc(folder: Path, era: Era, overrides: Iterable[str] = ()) -> Rpc:
    """Read config-rpc.toml in the data directory; `overrides` are the options `--rpcconfig`.

    ConfigError, NullPointer.
    """
    table = _read(folder / "config-rpc.toml", overrides)
    tls = Tls()
    if era is Era.TLS_FILE and "secure" in table:
        raise ConfigError(
            "The RPC secure configuration has moved to config-tls.toml. Please update the configuration."
        )
    if era is Era.SECURE_TABLE and (secure := _child(table, "secure")) is not None:
        tls = _tls(secure, "enable")
    address, port = _address(table, "address", "::1"), _unsigned(table, "port", 16, 7076)
    _boolean(table, "enable_control")
    _unsigned(table, "max_json_depth", 8)
    size = _unsigned(table, "max_request_size", 64, 32 * 1024 * 1024)
    if (logging := _child(table, "logging")) is not None:
        _boolean(logging, "log_rpc")
    if (process := _child(table, "process")) is not None:
        _unsigned(process, "io_threads", 32)
        _unsigned(process, "ipc_port", 16)
        _address(process, "ipc_address", "::1")
        _unsigned(process, "num_ipc_connections", 32)
    return Rpc(address, port, size, tls)


def read_tls(folder: Path) -> Tls:
    """Read config-tls.toml in the data directory. ConfigError."""
    return _tls(_read(folder / "config-tls.toml"), "enable_https")


def _tls(table: Table, enable: str) -> Tls:
    return Tls(
        https=_boolean(table, enable),
        wss=_boolean(table, "enable_wss") if enable == "enable_https" else False,
        verbose_logging=_boolean(table, "verbose_logging"),
        server_key_passphrase=_text(table, "server_key_passphrase"),
        server_cert_path=_text(table, "server_cert_path"),
        server_key_path=_text(table, "server_key_path"),
        server_dh_path=_text(table, "server_dh_path"),
        client_certs_path=_text(table, "client_certs_path"),
    )


def _read(path: Path, overrides: Iterable[str] = ()) -> Table:
    lines = []
    for override in overrides:
        key, _, value = override.partition("=")
        lines.append(f"{key}={value}" if '"' in value else f'{key}="{value}"')
    first = parse("\n".join(lines))
    try:
        # The node opens its files for reading and writing, and takes one that it may only read for empty.
        with path.open("r+b") as file:
            text = file.read().decode(errors="surrogateescape")
    except OSError:
        return first
    return _merged(first, parse(text))


def _merged(first: Table, second: Table) -> Table:
    result = {**second, **first}
    for key in first.keys() & second.keys():
        one, other = first[key], second[key]
        if isinstance(one, dict) and isinstance(other, dict):
            result[key] = _merged(one, other)
    return result


def _child(table: Table, key: str) -> Table | None:
    child = table.get(key)
    if child is not None and not isinstance(child, dict):
        raise NullPointer
    return child


def _text(table: Table, key: str) -> str:
    value = table.get(key, "")
    return value if isinstance(value, str) else ""


def _boolean(table: Table, key: str) -> bool:
    text = _text(table, key)
    if key in table and text not in ("true", "false"):
        raise ConfigError(f"{key} is not a boolean")
    return text == "true"


def _unsigned(table: Table, key: str, bits: int, default: int = 0) -> int:
    if key not in table:
        return default
    most = (1 << bits) - 1
    text = _text(table, key)
    number = int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else most + 1
    # boost::lexical_cast takes negative numbers modulo the range, except for 8 bits, read with a larger type.
    if abs(number) > most or (number < 0 and bits == 8):
        what = f"an integer between 0 and {most}" if bits < 32 else f"a {bits}-bit unsigned integer"
        raise ConfigError(f"{key} is not {what}")
    return number & most


def _address(table: Table, key: str, default: str) -> str:
    text = _text(table, key) if key in table else default
    try:
        socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
    except (OSError, ValueError) as error:
        raise ConfigError(f"{key} is not an IP address") from error
    return text


# The parser -------------------------------------------------------------------------------------------------


def parse(text: str) -> Table:
    """Read a file's text; every value that is no array or table is a string. ConfigError."""
    return _Parser(text).parse()


_TIME = r"\d\d:\d\d:\d\d(?:\.\d+)?"
_DIGITS = r"\d+(?:_\d+)*"
_WHOLE = r"(?:0(?![eE])|[1-9]\d*(?:_\d+)*)"
_UNQUOTED = re.compile(
    rf"{_TIME}"
    rf"|\d{{4}}-\d\d-\d\d(?:[T ]{_TIME}(?:Z|[+-]\d\d:\d\d)?)?"
    r"|0x[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0o[0-7]+(?:_[0-7]+)*|0b[01]+(?:_[01]+)*"
    rf"|[+-]?(?:inf|nan|{_WHOLE}(?:\.{_DIGITS})?(?:[eE][+-]?{_WHOLE})?)"
    r"|true|false",
    re.ASCII,
)
"""A value without quotes; what follows it on the line belongs to it too."""

_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


class _Parser:
    """A place in the text. Each method of a part takes it, and leaves the place behind it."""

    def __init__(self, text: str) -> None:
        self._lines = iter(text.replace("\r\n", "\n").split("\n"))
        self._number = 0
        self._line = ""
        self._place = 0

    def parse(self) -> Table:
        root: Table = {}
        table = root
        while self._next_line():
            self._skip_blanks()
            if self._next in ("", "#"):
                continue
            if self._next == "[":
                table = self._header(root)
            else:
                self._key_value(table)
            self._skip_blanks()
            if self._next not in ("", "#"):
                raise self._error(f"Unidentified trailing character '{self._next}'---did you forget a '#'?")
        return root

    def _error(self, message: str) -> ConfigError:
        return ConfigError(f"{message} at line {self._number}")

    # Characters and lines

    @property
    def _next(self) -> str:
        """The next character of the line; empty at its end."""
        return self._line[self._place : self._place + 1]

    def _take(self) -> str:
        character = self._next
        self._place += 1
        return character

    def _next_line(self) -> bool:
        line = next(self._lines, None)
        if line is not None:
            self._line, self._place = line, 0
            self._number += 1
        return line is not None

    def _skip_blanks(self) -> None:
        while self._next in (" ", "\t"):
            self._place += 1

    def _skip_lines(self) -> None:
        """Go to the next thing in an array, on whatever line it is."""
        self._skip_blanks()
        while self._next in ("", "#"):
            if not self._next_line():
                raise self._error("Unclosed array")
            self._skip_blanks()

    # Tables and keys

    def _header(self, root: Table) -> Table:
        """Take `[name]`; returns the table, made where it is not there yet."""
        self._place += 1
        if self._next == "[":
            return self._array_header(root)
        names = self._key("]")
        table, is_new = root, False
        for name in names:
            is_new |= name not in table
            table = self._inner(table, name)
        if self._take() != "]":
            raise self._error("Unterminated table declaration; did you forget a ']'?")
        # One without values was made by the header of a table inside it.
        if not is_new and (not table or any(isinstance(value, str) for value in table.values())):
            raise self._error(f"Redefinition of table {'.'.join(names)}")
        return table

    def _array_header(self, root: Table) -> Table:
        self._place += 1
        *names, last = self._key("]")
        table = root
        for name in names:
            table = self._inner(table, name)
        array = table.setdefault(last, Tables())
        if not isinstance(array, Tables):
            raise self._error(f"Key {last} is not a table array")
        if (self._take(), self._take()) != ("]", "]"):
            raise self._error("Unterminated table array name")
        array.append({})
        return array[-1]

    def _inner(self, table: Table, name: str) -> Table:
        if not name:
            raise self._error("Empty component of table name")
        inner = table.setdefault(name, {})
        if isinstance(inner, Tables):
            inner = inner[-1]
        if not isinstance(inner, dict):
            raise self._error(f"Key {name} already exists as a value")
        return inner

    def _key_value(self, table: Table) -> None:
        *names, last = self._key("=")
        for name in names:
            inner = table.setdefault(name, {})
            if not isinstance(inner, dict):
                raise self._error(f"Key {name} already exists as a value")
            table = inner
        if last in table:
            raise self._error(f"Key {last} already present")
        if self._take() != "=":
            raise self._error("Value must follow after a '='")
        self._skip_blanks()
        table[last] = self._value()
        self._skip_blanks()

    def _key(self, end: str) -> list[str]:
        """Take the parts of a key, with points between them, up to the character `end` or the line's end."""
        parts: list[str] = []
        while self._next not in ("", end):
            self._skip_blanks()
            parts.append(self._string() if self._next in ("'", '"') else self._bare_key())
            self._skip_blanks()
            if self._next in ("", end):
                return parts
            if self._take() != ".":
                raise self._error("Unexpected character in key")
        raise self._error("Unexpected end of key")

    def _bare_key(self) -> str:
        text = re.split(r"[.=\]]", self._line[self._place :], maxsplit=1)[0]
        self._place += len(text)
        name = text.rstrip(" \t")
        if not name:
            raise self._error("Bare key missing name")
        if re.search(r"[# \t\[]", name):
            raise self._error(f"Bare key {name} cannot contain #, whitespace, '[' or ']'")
        return name

    # Values

    def _value(self) -> Value:
        match self._next:
            case "'" | '"' as quote:
                is_long = self._line.startswith(quote * 3, self._place)
                return self._long_string(quote) if is_long else self._string()
            case "[":
                return self._array()
            case "{":
                return self._inline_table()
        found = _UNQUOTED.match(self._line, self._place)
        if found is None:
            raise self._error("Failed to parse value type")
        if re.fullmatch(r"[+-]?\d[\d_]*", found[0]) and not -(2**63) <= int(found[0]) < 2**63:
            raise self._error("Malformed number (out of range: stoll)")
        text = _Parser("")
        text._line, text._number = f'"{self._line[self._place :]}"', self._number
        self._place = found.end()
        return text._string()

    def _string(self) -> str:
        quote = self._take()
        text = ""
        while character := self._take():
            if character == quote:
                self._skip_blanks()
                return text
            text += self._escape() if (quote, character) == ('"', "\\") else character
        raise self._error("Unterminated string literal")

    def _escape(self) -> str:
        """Take what stands behind a backslash."""
        letter = self._take()
        if letter in ("u", "U"):
            size = 4 if letter == "u" else 8
            digits = self._line[self._place : self._place + size]
            self._place += size
            number = int(digits, 16) if re.fullmatch(rf"[0-9a-fA-F]{{{size}}}", digits) else -1
            if not (0 <= number < 0xD800 or 0xE000 <= number <= 0x10FFFF):
                raise self._error("Invalid unicode escape sequence")
            return chr(number)
        if letter not in _ESCAPES:
            raise self._error("Invalid escape sequence")
        return _ESCAPES[letter]

    def _long_string(self, quote: str) -> str:
        self._place += 3
        text, is_first, joins = "", True, False
        while True:
            if joins:
                self._skip_blanks()
            joins = joins and not self._next
            while self._next:
                if self._line.startswith(quote * 3, self._place):
                    self._place += 3
                    return text
                character = self._take()
                if (quote, character) != ('"', "\\"):
                    text += character
                elif self._line[self._place :].strip(" \t"):
                    text += self._escape()
                else:
                    joins = True
                    break
            text += "" if is_first or joins else "\n"
            is_first = False
            if not self._next_line():
                raise self._error("Unterminated multi-line basic string")

    def _array(self) -> list[Value]:
        self._place += 1
        self._skip_lines()
        first, values = self._next, list[Value]()
        while self._next != "]":
            # Values that are neither strings, arrays nor tables became strings, which is held against them.
            if first not in ("'", '"', "[", "{") or (first in ("[", "{") and self._next != first):
                raise self._error("Arrays must be homogeneous")
            value = self._value()
            if first in ("'", '"') and not isinstance(value, str):
                raise self._error("Arrays must be homogeneous")
            values.append(value)
            self._skip_lines()
            if self._next != ",":
                break
            self._place += 1
            self._skip_lines()
        if self._take() != "]" and first in ("[", "{"):
            raise self._error("Unterminated array")
        return values

    def _inline_table(self) -> Table:
        table: Table = {}
        end = ","
        while end == ",":
            self._place += 1
            self._skip_blanks()
            if self._next not in ("", "}"):
                self._key_value(table)
            end = self._next
        if self._take() != "}":
            raise self._error("Unterminated inline table")
        self._skip_blanks()
        return table
