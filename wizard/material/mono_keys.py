"""RSA keys for servers that run on Mono: which of them it can use, and the PVK files it reads them from.

Mono hands a key over to BoringSSL as DER and leaves zero bytes in front of its numbers, which BoringSSL
refuses where they are not needed; the listener then resets every connection and says nothing. So a number
must not begin with nine zero bits or more within its width: about one valid key in twenty-five cannot be
used as it is. Found with Mono 6.8.0.105, and held there by tests/material/test_mono_keys.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa

from wizard.material import MaterialError
from wizard.material.keys import PrivateKey, key_words

_PVK_MAGIC = 0xB0B5F11E
_HEADER = 24
"""Bytes before the key itself: magic, reserved, key type, encryption, lengths of the salt and of the key."""
_KEY_EXCHANGE = 1
_BLOB_HEADER = b"\x07\x02\x00\x00" + (0xA400).to_bytes(4, "little")
"""PRIVATEKEYBLOB, version 2, CALG_RSA_KEYX."""
_RSA2 = b"RSA2"


@dataclass(frozen=True, slots=True, repr=False)
class _Numbers:
    """The numbers of an RSA key as a PVK file holds them."""

    n: int
    e: int
    p: int
    q: int
    d: int

    @classmethod
    def of(cls, key: rsa.RSAPrivateKey) -> _Numbers:
        numbers = key.private_numbers()
        return cls(numbers.public_numbers.n, numbers.public_numbers.e, numbers.p, numbers.q, numbers.d)

    @property
    def width(self) -> int:
        """Bytes of n and d; the other numbers have half of it."""
        return self.n.bit_length() // 8

    @property
    def halves(self) -> dict[str, int]:
        """The numbers of half the width, in the order of the file."""
        dp, dq, iq = self.d % (self.p - 1), self.d % (self.q - 1), pow(self.q, -1, self.p)
        return {"p": self.p, "q": self.q, "dp": dp, "dq": dq, "iq": iq}

    @property
    def short(self) -> tuple[str, ...]:
        """Those that begin with so many zeros that Mono cannot use them."""
        halves = (name for name, value in self.halves.items() if _is_short(value, self.width // 2))
        return (*halves, *(("d",) if _is_short(self.d, self.width) else ()))


def why_unfit(key: PrivateKey) -> str:
    """Say in a few words why Mono cannot use the key as it is; empty when it can."""
    if problem := _kind_problem(key):
        return problem
    assert isinstance(key, rsa.RSAPrivateKey)
    short = _Numbers.of(key).short
    return f"Mono cannot load it, since zeros lead its {' and '.join(short)}" if short else ""


def pvk(key: PrivateKey) -> bytes:
    """Write the key as Mono reads it from a .pvk file, without a password, which there could be none.

    One that Mono could not use is written with other numbers that are the same key: another d (RFC 8017 3.2
    takes any that fits), or p and q exchanged. MaterialError: it is no RSA key of a size that Mono takes, or
    one of the few that cannot be written so.
    """
    if problem := _kind_problem(key):
        raise MaterialError(f"{problem[0].upper()}{problem[1:]}. {_NEW_KEY}")
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = next((one for one in _ways(_Numbers.of(key)) if not one.short), None)
    if numbers is None:
        raise MaterialError(
            "This key is valid, but Mono cannot load it: one of its numbers (dp or dq) begins with zeros, "
            f"and the service would hang up on everybody without a word. {_NEW_KEY}"
        )
    return _written(numbers)


def read_pvk(data: bytes) -> rsa.RSAPrivateKey:
    """Read a key from a PVK file without a password. MaterialError: it is none, or one with a password."""
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, _HEADER, 4)]
    if len(data) < _HEADER or words[0] != _PVK_MAGIC:
        raise MaterialError("The file is no PVK file.")
    if words[3]:
        raise MaterialError("The key has a password, which Mono has no way to ask for.")
    blob = data[_HEADER + words[4] :]
    width = int.from_bytes(blob[12:16], "little") // 8
    if blob[:8] != _BLOB_HEADER or blob[8:12] != _RSA2 or len(blob) < 20 + width // 2 * 9:
        raise MaterialError("The PVK file holds no RSA key, or a part of one only.")
    e, at = int.from_bytes(blob[16:20], "little"), 20
    values = []
    for size in (width, *[width // 2] * 5, width):
        values.append(int.from_bytes(blob[at : at + size], "little"))
        at += size
    n, p, q, dp, dq, iq, d = values
    try:
        return rsa.RSAPrivateNumbers(p, q, d, dp, dq, iq, rsa.RSAPublicNumbers(e, n)).private_key()
    except ValueError as error:
        raise MaterialError("The numbers in the PVK file are no RSA key.") from error


_NEW_KEY = (
    "Have a certificate made for a new RSA key of 2048, 3072 or 4096 bits, or put nginx before the service."
)


def _kind_problem(key: PrivateKey) -> str:
    if not isinstance(key, rsa.RSAPrivateKey):
        return f"Mono takes RSA keys only, and this is {key_words(key)}"
    numbers = _Numbers.of(key)
    half = numbers.width // 2 * 8
    if key.key_size % 16 or max(numbers.p.bit_length(), numbers.q.bit_length()) > half or numbers.e >= 2**32:
        return f"Mono cannot load this {key_words(key)} key, whose parts have unusual sizes"
    return ""


def _is_short(value: int, width: int) -> bool:
    return value.bit_length() <= 8 * width - 9


def _ways(numbers: _Numbers) -> Iterator[_Numbers]:
    """The key as it is, then with other numbers."""
    one, other = numbers, _Numbers(numbers.n, numbers.e, numbers.q, numbers.p, numbers.d)
    for way in (one, other):
        yield way
        yield _Numbers(way.n, way.e, way.p, way.q, _longer(way))


def _longer(numbers: _Numbers) -> int:
    """A private exponent that fills its width: d, and the least common multiple of p - 1 and q - 1 to it."""
    step, d = math.lcm(numbers.p - 1, numbers.q - 1), numbers.d
    while _is_short(d, numbers.width) and d + step < numbers.n:
        d += step
    return d


def _written(numbers: _Numbers) -> bytes:
    bits, half = numbers.n.bit_length(), numbers.width // 2
    blob = b"".join(
        (
            _BLOB_HEADER,
            _RSA2,
            bits.to_bytes(4, "little"),
            numbers.e.to_bytes(4, "little"),
            numbers.n.to_bytes(numbers.width, "little"),
            *(value.to_bytes(half, "little") for value in numbers.halves.values()),
            numbers.d.to_bytes(numbers.width, "little"),
        )
    )
    words = (_PVK_MAGIC, 0, _KEY_EXCHANGE, 0, 0, len(blob))
    return b"".join(word.to_bytes(4, "little") for word in words) + blob
