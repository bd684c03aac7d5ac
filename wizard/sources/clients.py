"""The clients of a service: a certificate, a key and perhaps a bundle for each."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from wizard.material import MaterialError
from wizard.material.names import read_name
from wizard.material.subject import is_full_host_name
from wizard.plan import Change, File, Owner, Warning
from wizard.secret import Secret
from wizard.small_files import read_small
from wizard.sources.pair import Issue, Pair, Wanted, contents, remove, write

if TYPE_CHECKING:
    from wizard.material.bundles import Pkcs12
    from wizard.material.keys import PrivateKey


_CHARACTERS = frozenset(string.ascii_letters + string.digits + "._-@+")


def read_client_name(text: str) -> str:
    """A client's name, which is also that of its files. ValueError: the sentence says what to change."""
    if not frozenset(text) <= _CHARACTERS:
        raise ValueError(f'"{text}": a client is named with letters, digits and . _ - @ + only.')
    if not text[0].isalnum():
        raise ValueError(f'"{text}": begin with a letter or a digit.')
    if len(text) > 64:
        raise ValueError(f'"{text[:20]}…" has {len(text)} characters; at most 64 are allowed.')
    return text


class Bundle(Enum):
    """How a client gets certificate and key in one file; the value is the name used in answers files."""

    NONE = "none"
    PEM = "pem"
    PKCS12 = "pkcs12"

    @property
    def label(self) -> str:
        """The name for people."""
        return {Bundle.NONE: "none", Bundle.PEM: "PEM", Bundle.PKCS12: "PKCS#12"}[self]


Make: TypeAlias = Callable[[Wanted, Pair], Issue]
"""Keeps the pair of one client, or makes another."""


@dataclass(frozen=True, slots=True)
class Clients:
    """A folder with the files of each client, and who should be among them."""

    folder: Path
    names: tuple[str, ...]
    keys: Path | None = None
    """The folder of keys and bundles, where these are kept apart from the certificates."""
    registered: tuple[str, ...] = ()
    """Those that the authority has issued to, wherever their files are now."""

    @property
    def there(self) -> tuple[str, ...]:
        """Those that have a certificate: in the folder, or by the authority's register."""
        try:
            found = _clients_in(self.folder, self.folder.stat().st_mtime_ns)
        except OSError:
            found = ()
        return tuple(sorted({*found, *self.registered}))

    @property
    def taken_out(self) -> tuple[str, ...]:
        """Those that have one and should not."""
        wanted = frozenset(self.names)
        return tuple(name for name in self.there if name not in wanted)

    @property
    def certificates(self) -> tuple[Path, ...]:
        """The certificates that are in the folder."""
        return tuple(path for path in map(self.certificate, self.there) if path.is_file())

    def certificate(self, name: str) -> Path:
        """The certificate of one, with what is presented with it."""
        return self.folder / f"{name}.crt"

    def pair(self, name: str, owner: Owner | None = None) -> Pair:
        """Where certificate and key of one belong."""
        return Pair(self.certificate(name), (self.keys or self.folder) / f"{name}.key", owner)

    def wanted(self, recipe: Recipe) -> Iterator[tuple[Wanted, Pair]]:
        """What the certificate of each should say, and where it belongs."""
        for name in self.names:
            yield recipe.wanted(name, self.certificate(name)), self.pair(name)

    def issue(
        self, make: Make, recipe: Recipe, bundle: Bundle, owner: Owner | None, tell: Callable[[str], None]
    ) -> Issue:
        """What becomes of their files; `make` keeps or makes the pair of one, `tell` is told how far it is.

        Raises OSError when a file cannot be read, and what `make` raises.
        """
        changes: list[Change] = []
        kept: list[Path] = []
        renewed: list[str] = []
        for number, name in enumerate(self.names, 1):
            tell(f"client {number} of {len(self.names)}: {name}")
            pair = self.pair(name, owner)
            one = make(recipe.wanted(name, pair.certificate), pair)
            changes += one.changes
            kept += one.kept
            if one.warnings:
                renewed.append(name)
            changes += _bundle(pair, name, one, bundle)
        for name in self.taken_out:
            changes += self._removed(name)
        return Issue(None, tuple(changes), tuple(kept), tuple(self._warnings(renewed)))

    def _removed(self, name: str) -> Iterator[File]:
        about = f"{name} is taken out"
        yield from remove(self.certificate(name), about)
        for ending in ("key", "pem", "p12", "p12.password"):
            yield from remove((self.keys or self.folder) / f"{name}.{ending}", about, secret=True)

    def _warnings(self, renewed: list[str]) -> Iterator[Warning]:
        if renewed:
            yield Warning(f"They need their new files: {enumerated(renewed)}.", self.folder)
        if self.taken_out:
            yield Warning(f"Taken out, with their files here: {enumerated(list(self.taken_out))}.")


@lru_cache(maxsize=8)
def _clients_in(folder: Path, _changed: int) -> tuple[str, ...]:
    """The names of files that each hold the certificate of the client of that name; not of a copied root."""
    return tuple(path.stem for path in folder.glob("*.crt") if _is_client(path))


def _is_client(path: Path) -> bool:
    from wizard.material.certificates import read_certificates_pem
    from wizard.material.description import describe

    try:
        said = describe(read_certificates_pem(read_small(path))[0], datetime.now(UTC))
    except (OSError, MaterialError):
        return False
    return said.common_name == path.stem and "clients" in said.purposes


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the certificates of all clients have in common."""

    like: Wanted
    anew: tuple[str, ...]
    """Certificates, by path, that are made again though they fit."""

    def wanted(self, name: str, path: Path) -> Wanted:
        """What the certificate of one client should say."""
        names = (read_name(name),) if is_full_host_name(name) else ()
        return replace(self.like, common_name=name, names=names, anew=str(path) in self.anew)


def enumerated(names: list[str], most: int = 8) -> str:
    """The first few, and how many more."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _bundle(pair: Pair, name: str, issue: Issue, bundle: Bundle) -> Iterator[Change]:
    """The bundle wanted, and away with others that hold an earlier certificate."""
    changed = {change.path: change for change in issue.changes if isinstance(change, File)}
    chain, key = b"", b""
    if bundle is not Bundle.NONE:
        chain, key = (_after(path, changed) for path in (pair.certificate, pair.key))
    pem, p12 = pair.key.with_suffix(".pem"), pair.key.with_suffix(".p12")
    password = pair.key.with_name(f"{name}.p12.password")
    if bundle is Bundle.PEM:
        about = f"key and certificate of {name} in one file"
        yield from write(pem, key + chain, pair.owner, about, secret=True)
    elif pair.certificate in changed:
        yield from remove(pem, "held the certificate before", secret=True)
    if bundle is Bundle.PKCS12:
        if not _opens(p12, password, chain):
            made = _pkcs12(key, chain)
            about = f"key and certificate of {name}, PKCS#12"
            yield from write(p12, made.data, pair.owner, about, secret=True)
            told = f"password of {p12.name}; give it to {name} on another way than the file"
            line = f"{made.password.reveal()}\n".encode()
            yield from write(password, line, pair.owner, told, secret=True)
    elif pair.certificate in changed:
        yield from remove(p12, "held the certificate before", secret=True)
        yield from remove(password, "of the file before", secret=True)


def _after(path: Path, changed: dict[Path, File]) -> bytes:
    return (changed[path].after if path in changed else contents(path)) or b""


def _pkcs12(key: bytes, chain: bytes) -> Pkcs12:
    from wizard.material.bundles import pkcs12_bundle
    from wizard.material.certificates import read_certificates_pem

    return pkcs12_bundle(_key(key), read_certificates_pem(chain))


def _key(pem: bytes) -> PrivateKey:
    from wizard.material.keys import read_private_pem

    return read_private_pem(pem)


def _opens(p12: Path, password: Path, chain: bytes) -> bool:
    """Whether the bundle there opens with the password beside it and holds this certificate."""
    from wizard.material.bundles import opens
    from wizard.material.certificates import read_certificates_pem
    from wizard.material.description import tolerance

    data, said = contents(p12), contents(password)
    if data is None or said is None:
        return False
    try:
        with tolerance():
            return opens(data, Secret(said.decode().strip()), read_certificates_pem(chain)[0])
    except (MaterialError, UnicodeDecodeError):
        return False
