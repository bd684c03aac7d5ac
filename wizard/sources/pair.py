"""A certificate and its key: what they should say, where they stand, and whether those there will do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.material import MaterialError
from wizard.material.key_types import KeyType
from wizard.material.names import Name, name_text
from wizard.plan import Advice, Change, File, Owner, Warning
from wizard.secret import Secret
from wizard.small_files import read_small

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.material.keys import PrivateKey


def any_will_do(_: PrivateKey) -> str:
    """What a service says of a key that takes every one."""
    return ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a certificate should say."""

    common_name: str
    names: tuple[Name, ...]
    """Subject alternative names; none for most clients."""
    days: int
    key_type: KeyType
    anew: bool = False
    """Whether it is made again even though the one there fits."""
    new_key: bool = True
    """Whether it gets a new key when it is made again; else the key there is used once more."""
    unfit: Callable[[PrivateKey], str] = any_will_do
    """Says in a few words why the service cannot use a key of that kind; nothing when it can."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Where a certificate and its key stand, and whose they are."""

    certificate: Path
    """PEM: the certificate first, then what is presented with it."""
    key: Path
    owner: Owner | None
    passphrase: Secret | None = None
    """Under which the key stands there, where the service takes one; None: it is not protected."""

    def write(
        self, chain: bytes, key: bytes, *, about: tuple[str, str], said: tuple[str, ...]
    ) -> list[Change]:
        """The changes that bring both files to these contents, the key first; none for what is the same.

        `key` is not encrypted; the passphrase is put on here. `about` says of certificate and key what they
        are, `said` what the certificate says.
        """
        there, what = contents(self.key), about[1]
        if self.passphrase:
            key, what = self._protected(key, there), f"{what}, under its passphrase"
        return [
            *(
                closed_to_others(self, key)
                if there == key
                else write(self.key, key, self.owner, what, secret=True)
            ),
            *write(self.certificate, chain, self.owner, about[0], described=said),
        ]

    def _protected(self, key: bytes, there: bytes | None) -> bytes:
        """The key under the passphrase: as it stands there, if it does, since each encryption is another."""
        from wizard.material.keys import private_pem, read_private_pem

        if there is not None and b"BEGIN ENCRYPTED" in there:
            with suppress(MaterialError):
                if private_pem(_opened(there, self.passphrase)) == key:
                    return there
        return private_pem(read_private_pem(key), self.passphrase)


@dataclass(frozen=True)
class Issue:
    """What becomes of a pair."""

    certificate: Certificate | None
    """None while it has to come from elsewhere."""
    changes: tuple[Change, ...] = ()
    kept: tuple[Path, ...] = ()
    warnings: tuple[Warning, ...] = ()
    advice: tuple[Advice, ...] = ()
    awaits: Path | None = None
    """The certificate that has to come from elsewhere."""


@dataclass(frozen=True)
class Found:
    """What stands where a pair belongs."""

    certificate: bytes | None
    key: bytes | None = field(repr=False)
    chain: tuple[Certificate, ...] = ()
    private_key: PrivateKey | None = field(default=None, repr=False)
    problem: str = ""
    """Why they cannot be read as a pair, in a few words."""

    @property
    def is_pair(self) -> bool:
        """Whether both are there and can be read."""
        return bool(self.chain) and self.private_key is not None


def look(pair: Pair) -> Found:
    """Read what stands there. Raises OSError when a file cannot be read."""
    from wizard.material.certificates import belongs_together, read_certificates_pem

    certificate, key = contents(pair.certificate), contents(pair.key)
    if certificate is None or key is None:
        return Found(certificate, key)
    try:
        chain, private_key = read_certificates_pem(certificate), _opened(key, pair.passphrase)
    except MaterialError as error:
        return Found(certificate, key, problem=str(error))
    if not belongs_together(chain[0], private_key):
        return Found(certificate, key, problem="the key does not belong to the certificate")
    return Found(certificate, key, chain, private_key)


def _opened(key: bytes, passphrase: Secret | None) -> PrivateKey:
    """The private key. Raises MaterialError."""
    return _unlocked(key, passphrase) if passphrase else unprotected(key)


@lru_cache(maxsize=2)
def unprotected(key: bytes) -> PrivateKey:
    """The private key without a passphrase; kept, one that is given and its copy. Raises MaterialError.

    RSA of 8,192 bits takes seconds to be checked, and rules ask at every keystroke.
    """
    from wizard.material.keys import read_private_pem

    return read_private_pem(key)


@lru_cache(maxsize=1)
def _unlocked(key: bytes, passphrase: Secret) -> PrivateKey:
    """The same, kept: a passphrase takes 0.15 seconds, and rules ask at every keystroke."""
    from wizard.material.keys import read_private_pem

    return read_private_pem(key, passphrase)


def what_differs(found: Found, wanted: Wanted, now: datetime, last_day: datetime | None = None) -> list[str]:
    """Why a pair that is there does not do, in a few words each; `last_day` is the last its issuer allows."""
    from wizard.material.certificates import describe
    from wizard.material.keys import key_words

    if not found.is_pair:
        return [found.problem or "it is not complete"]
    said = describe(found.chain[0], now)
    days = (said.not_after - said.not_before + timedelta(seconds=1)).days
    cut = last_day is not None and said.not_after == last_day and days < wanted.days
    key = key_words(found.chain[0].public_key())
    reasons = {
        "it is made anew, as you asked": wanted.anew,
        f"its Common Name is {said.common_name}": said.common_name != wanted.common_name,
        "it is valid for other names": set(said.names) != set(map(name_text, wanted.names)),
        f"it was made for {days} days": days != wanted.days and not cut,
        f"its key is {key}": key != wanted.key_type.label,
        "it is not valid yet": said.not_before > now,
        "it has ended or soon ends": ends_soon(found.chain[0], now),
    }
    unfit = wanted.unfit(found.private_key) if found.private_key and key == wanted.key_type.label else ""
    return [*(reason for reason, applies in reasons.items() if applies), *([unfit] if unfit else [])]


def ends_soon(certificate: Certificate, now: datetime) -> bool:
    """Whether it is time to make it again: 30 days before its end, for a short one a third of its life."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return ends - now < min(timedelta(days=30), (ends - begins) / 3)


def key_for(found: Found, wanted: Wanted) -> tuple[PrivateKey, str]:
    """The key for a certificate that is made now, and what it is: a new one, or the one there once more."""
    from wizard.material.keys import key_words

    same = found.private_key
    again = wanted.anew and not wanted.new_key
    if again and same and key_words(same) == wanted.key_type.label and not wanted.unfit(same):
        return same, f"private key, {wanted.key_type.label}, the same as before"
    return _new_key(wanted), f"private key, {wanted.key_type.label}"


def _new_key(wanted: Wanted) -> PrivateKey:
    """A new key that the service can use."""
    from wizard.material.keys import generate

    key = generate(wanted.key_type)
    while wanted.unfit(key):
        key = generate(wanted.key_type)
    return key


def keep(pair: Pair, found: Found) -> Issue:
    """Leave a pair that does as it is, but take its key from others who could read it."""
    changes = tuple(closed_to_others(pair, found.key or b""))
    changed = {change.path for change in changes}
    kept = tuple(path for path in (pair.key, pair.certificate) if path not in changed)
    return Issue(found.chain[0], changes, kept)


def closed_to_others(pair: Pair, key: bytes) -> Iterator[Change]:
    """Take the key away from others when it lies open, and give it to its owner when it is not theirs."""
    status = pair.key.stat()
    open_to_others = status.st_mode & 0o077
    if open_to_others or (pair.owner and pair.owner.uid != status.st_uid):
        about = "others could read the key" if open_to_others else "the key belonged to another account"
        yield File(
            path=pair.key, before=key, after=key, mode=0o600, owner=pair.owner, secret=True, about=about
        )


def replaced(
    pair: Pair, found: Found, reasons: Iterable[str], *, same_key: bool = False, pinned: bool = True
) -> Iterator[Warning]:
    """Say what is replaced and why; undo brings it back.

    `pinned`: clients were given the certificate itself.
    """
    if found.certificate is not None and found.key is not None:
        what = "The certificate there is replaced" + (", for the same key" if same_key else ", with its key")
        told = " Clients that were given the old one need the new one." if pinned else ""
        yield Warning(f"{what}: {', '.join(reasons)}.{told}", pair.certificate)
    elif found.certificate is not None:
        yield Warning("The certificate there is replaced: its key is missing.", pair.certificate)
    elif found.key is not None:
        yield Warning("The key there is replaced: its certificate is missing.", pair.key)


def contents(path: Path) -> bytes | None:
    """The file's bytes; None when there is no such file. Raises OSError."""
    try:
        return read_small(path)
    except FileNotFoundError:
        return None


def write(
    path: Path,
    wanted: bytes,
    owner: Owner | None,
    about: str,
    *,
    secret: bool = False,
    described: tuple[str, ...] = (),
) -> Iterator[File]:
    """The change that brings a file to this content, 0600 when it is secret; none when it has it."""
    before = contents(path)
    if before != wanted:
        mode = 0o600 if secret else 0o644
        yield File(
            path=path,
            before=before,
            after=wanted,
            mode=mode,
            owner=owner,
            secret=secret,
            about=about,
            described=described,
        )


def remove(path: Path, about: str, *, secret: bool = False) -> Iterator[File]:
    """The change that takes a file away; none when there is none."""
    if (before := contents(path)) is not None:
        yield File(path=path, before=before, after=None, secret=secret, about=about)
