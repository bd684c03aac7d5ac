"""Distinguished Encoding Rules (X.690), as much of them as is written or taken apart by hand here."""

from __future__ import annotations

import base64
from collections.abc import Iterator

INTEGER = 0x02
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
UTF8_STRING = 0x0C
SEQUENCE = 0x30
SET = 0x31


def element(tag: int, *contents: bytes) -> bytes:
    """Write one element: tag, length and the contents joined."""
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def integer(value: int) -> bytes:
    """Write a number that is not negative."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Take a run of elements apart into tag and content, one level deep.

    ValueError: cut off, of indefinite length, or with a tag of several octets.
    """
    position = 0
    while position < len(data):
        header = data[position : position + 2]
        if len(header) < 2 or header[0] & 0x1F == 0x1F or header[1] == 0x80:
            raise ValueError("not DER")
        start, length = position + 2, header[1]
        if length > 0x80:
            start, octets = start + (length & 0x7F), data[start : start + (length & 0x7F)]
            length = int.from_bytes(octets, "big")
        position = start + length
        if position > len(data):
            raise ValueError("DER that is cut off")
        yield header[0], data[start:position]


def sequence(data: bytes) -> tuple[tuple[int, bytes], ...]:
    """Take apart data that is one SEQUENCE; ValueError when it is not."""
    (tag, content), *more = elements(data) if data else [(0, b"")]
    if tag != SEQUENCE or more:
        raise ValueError("not one SEQUENCE")
    return tuple(elements(content))


def pem(label: str, der: bytes) -> bytes:
    """Write DER as PEM (RFC 7468), 64 characters a line."""
    text = base64.b64encode(der).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", "")).encode()
