"""The folder of a private authority: its certificate, its key, and the register of what it has issued."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.errors import WizardError
from wizard.material import MaterialError
from wizard.secret import Secret
from wizard.small_files import read_small, version

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.material.authority import Authority
    from wizard.material.register import Issued
    from wizard.state import State


@dataclass(frozen=True, slots=True)
class AuthorityFolder:
    """Files that belong together; nothing is read before it is asked for."""

    path: Path

    @property
    def certificate(self) -> Path:
        """What everybody who is to trust it gets: the root."""
        return self.path / "ca.crt"

    @property
    def key(self) -> Path:
        """The root's key."""
        return self.path / "ca.key"

    @property
    def intermediate(self) -> Path:
        """The certificate of the authority that issues, where the root only stands above it."""
        return self.path / "intermediate.crt"

    @property
    def intermediate_key(self) -> Path:
        return self.path / "intermediate.key"

    @property
    def register(self) -> Path:
        """What it has issued, in the format of OpenSSL's `index.txt`."""
        return self.path / "index.txt"

    @property
    def register_attributes(self) -> Path:
        """What OpenSSL has to know of the register."""
        return self.path / "index.txt.attr"

    @property
    def exists(self) -> bool:
        """Whether there is an authority here; its key may be elsewhere."""
        return self.certificate.is_file()

    @property
    def issuing(self) -> tuple[Path, Path]:
        """Certificate and key that issue."""
        if self.intermediate.is_file():
            return self.intermediate, self.intermediate_key
        return self.certificate, self.key

    @property
    def files(self) -> tuple[Path, ...]:
        """Its files that are there."""
        every = (
            *(self.certificate, self.key, self.intermediate, self.intermediate_key),
            *(self.register, self.register_attributes),
        )
        return tuple(path for path in every if path.is_file())

    def read_certificate(self) -> Certificate:
        """The root. Raises OSError or MaterialError."""
        return first_certificate(self.certificate)

    def read_issuer(self) -> Certificate:
        """The certificate that issues. Raises OSError or MaterialError."""
        return first_certificate(self.issuing[0])

    def read_register(self) -> tuple[Issued, ...]:
        """What it has issued; nothing where there is no register. Raises OSError or MaterialError."""
        return _register(self.register, version(self.register)) if self.register.is_file() else ()

    @property
    def is_protected(self) -> bool:
        """Whether its key is under a passphrase. Raises OSError."""
        return b"ENCRYPTED" in read_small(self.issuing[1])

    def open(self, passphrase: Secret | None) -> Authority:
        """The authority with its key.

        Raises OSError, PassphraseNeeded or WrongPassphrase, MaterialError when it cannot issue.
        """
        from wizard.material.authority import Authority
        from wizard.material.keys import read_private_pem

        issuer = self.read_issuer()
        key = read_private_pem(read_small(self.issuing[1]), passphrase)
        root = self.read_certificate()
        return Authority(issuer, key, None if root == issuer else root)

    def has_ended(self, now: datetime) -> bool:
        """Whether there is one whose time is over, as far as that can be read."""
        try:
            return self.exists and self.read_issuer().not_valid_after_utc < now
        except (OSError, MaterialError):
            return False

    def why_unfit(self, now: datetime) -> str | None:
        """A sentence when it cannot issue, as far as that can be seen without its key's passphrase.

        Raises OSError when one of its files cannot be read.
        """
        from wizard.material.certificates import read_certificates_pem

        try:
            self.read_certificate()
            issuer = self.read_issuer()
            self.read_register()
            others = len(read_certificates_pem(read_small(self.certificate))) - 1
        except MaterialError as error:
            return f"{self.path}: {error}"
        if others:
            return (
                f"{self.certificate} holds {others} certificate{'s' if others > 1 else ''} besides the "
                "authority's own: whoever has one from there is trusted as well. Take them out of the file."
            )
        if problem := _why_not_now(issuer, now):
            return problem
        if not self.issuing[1].is_file():
            return f"Its key {self.issuing[1]} is not there. Put it back; without it nothing can be issued."
        read_small(self.issuing[1])
        return None

    def issued_to(self, now: datetime) -> tuple[Path, ...]:
        """Where the certificates stand that it has issued, and that are neither over nor taken back."""
        try:
            entries = self.read_register()
        except (OSError, MaterialError):
            return ()
        return tuple(Path(one.file) for one in entries if one.revoked is None and one.until > now)

    def words(self) -> str:
        """Name, end and how much it has issued: "Hub CA, until 2036-11-24, has issued 3"."""
        from wizard.material.description import name_words

        try:
            certificate = self.read_certificate()
            issued = len(self.read_register())
        except (OSError, MaterialError):
            return f"{self.path}, which cannot be read"
        return (
            f"{name_words(certificate.subject)}, until {certificate.not_valid_after_utc:%Y-%m-%d}, "
            f"has issued {issued}"
        )


def first_certificate(path: Path) -> Certificate:
    """The one that a PEM file begins with, read again only when the file has changed.

    Raises OSError or MaterialError.
    """
    return _certificate(path, version(path))


@lru_cache(maxsize=64)
def _certificate(path: Path, _version: tuple[int, int, int]) -> Certificate:
    from wizard.material.certificates import read_certificates_pem

    return read_certificates_pem(read_small(path))[0]


@lru_cache(maxsize=64)
def _register(path: Path, _version: tuple[int, int, int]) -> tuple[Issued, ...]:
    from wizard.material.register import read_register

    return read_register(read_small(path))


def known(state: State) -> tuple[AuthorityFolder, ...]:
    """The authorities made on this host that are still there, the newest first."""
    try:
        stamp = tuple(sorted((entry.name, entry.stat().st_mtime_ns) for entry in state.runs.iterdir()))
        folders = _made(state, stamp)
        # The root's key may be kept elsewhere; the one that issues is needed.
        return tuple(folder for folder in folders if folder.exists and folder.issuing[1].is_file())
    except (OSError, WizardError):  # whoever writes hears of it
        return ()


def issuer_among(folders: Iterable[AuthorityFolder], certificate: Certificate) -> AuthorityFolder | None:
    """Which of these authorities has issued the certificate, as far as they can be read."""
    from wizard.material.chains import was_issued

    for folder in folders:
        with suppress(OSError, MaterialError):
            if was_issued(certificate, by=folder.read_issuer()):
                return folder
    return None


@lru_cache(maxsize=4)
def _made(state: State, _stamp: Iterable[tuple[str, int]]) -> tuple[AuthorityFolder, ...]:
    """Where runs that are in force have written authorities. `_stamp` changes with the runs."""
    from wizard import journal
    from wizard.journal import Status

    folders = [
        AuthorityFolder(step.path.parent)
        for run in reversed(journal.history(state))
        for step in run.steps
        if run.status is Status.APPLIED and step.path.name == "ca.key" and step.after is not None
    ]
    return tuple(dict.fromkeys(folders))


def _why_not_now(issuer: Certificate, now: datetime) -> str | None:
    """A sentence when a certificate cannot issue others at this time."""
    from wizard.material.authority import may_issue
    from wizard.material.description import name_words

    if not may_issue(issuer):
        return f"{name_words(issuer.subject)} is no authority that strict clients accept. Make a new one."
    if now < issuer.not_valid_before_utc:
        return (
            f"The authority {name_words(issuer.subject)} is not valid before "
            f"{issuer.not_valid_before_utc:%Y-%m-%d %H:%M} UTC. Check this machine's clock."
        )
    if now > issuer.not_valid_after_utc:
        return (
            f"The authority {name_words(issuer.subject)} has ended on "
            f"{issuer.not_valid_after_utc:%Y-%m-%d}: nothing that it has issued is accepted any more. "
            "Make a new one."
        )
    return None
