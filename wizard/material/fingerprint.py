"""The fingerprint by which a certificate is recognised; needs no library for certificates."""

from __future__ import annotations

import hashlib


def fingerprint(der: bytes) -> str:
    """Return the SHA-256 of a DER certificate as `openssl x509 -fingerprint -sha256` shows it: AB:CD:..."""
    return hashlib.sha256(der).digest().hex(":").upper()
