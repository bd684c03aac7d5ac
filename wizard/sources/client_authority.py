"""The authority whose clients a server lets in, where it is given as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.small_files import read_small, version
from wizard.sources import trust

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def read(path: Path) -> tuple[Certificate, ...]:
    """Its certificates. Raises OSError or MaterialError."""
    return _read(path, version(path))


def why_unfit(path: Path) -> str | None:
    """A sentence when a server must not let in the clients of these; raises OSError or MaterialError."""
    return _why_unfit(path, version(path))


@lru_cache(maxsize=4)
def _read(path: Path, _version: tuple[int, int, int]) -> tuple[Certificate, ...]:
    from wizard.material.certificates import read_certificates_pem

    return read_certificates_pem(read_small(path))


@lru_cache(maxsize=4)
def _why_unfit(path: Path, of: tuple[int, int, int]) -> str | None:
    from wizard.material.authority import may_issue
    from wizard.material.description import name_words
    from wizard.material.public_authorities import why_public

    found = _read(path, of)
    if public := why_public(found, trust.public()):
        return public
    for certificate in found:
        if not may_issue(certificate):
            return (
                f"{name_words(certificate.subject)} is no authority that strict clients accept. "
                "Give the root certificate of the authority that has issued to your clients."
            )
        if certificate.not_valid_after_utc < datetime.now(UTC):
            return (
                f"{name_words(certificate.subject)} has ended on {certificate.not_valid_after_utc:%Y-%m-%d}: "
                "no client of it is let in any more."
            )
    return None
