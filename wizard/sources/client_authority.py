"""The authority whose clients a server lets in, where it is given as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from wizard.material import MaterialError
from wizard.small_files import read_small, version
from wizard.sources import trust

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.proof import Check


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


def only_ours(path: Path, expected: Callable[[], Iterable[Certificate]]) -> Check:
    """The file that a server checks its clients against holds these authorities and no other.

    A certificate that somebody has added to it lets in everybody who has one from there.
    """
    from wizard.proof import Check, Expect, Outcome, Verdict

    def run() -> Outcome:
        try:
            there, wanted = read(path), tuple(expected())
            unfit = why_unfit(path)
        except OSError as error:
            got = f"{error.filename} cannot be read: {error.strerror}."
            return Outcome(verdict=Verdict.FAILED, got=got)
        except MaterialError as error:
            return Outcome(verdict=Verdict.FAILED, got=f"{path}: {error}")
        if set(there) != set(wanted):
            return Outcome(
                verdict=Verdict.FAILED,
                got=f"{path} holds other authorities than yours, or more of them.",
                meaning="Whoever has a certificate from one of them gets in, at the latest from the next "
                "start on. Apply the answers again, then restart.",
            )
        if unfit:
            return Outcome(verdict=Verdict.FAILED, got=unfit)
        return Outcome(verdict=Verdict.PASSED, got=str(path))

    command = f"openssl storeutl -noout -text -certs {quote(str(path))} | grep Subject:"
    return Check("Only your authority is trusted", Expect.HOLDS, run, command)
