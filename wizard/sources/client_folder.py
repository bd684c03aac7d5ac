"""A folder of certificates that OpenSSL looks up by the hash of their subject (`-CApath`): `HASH.0`.

Whoever has the key of a certificate in it is let in, so what stands there without being a client of ours is
told. The wizard's own names are links, relative to the folder, so that it can be moved.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.material import MaterialError
from wizard.plan import Change, File, Link, Warning
from wizard.small_files import read_small

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+", re.ASCII)
"""A name that OpenSSL looks for."""

_MOST = 10_000
"""Names that are looked at."""


@dataclass(frozen=True, slots=True)
class ClientFolder:
    """The folder, and the files of the clients in it that are ours."""

    path: Path
    ours: frozenset[str]
    """File names of the certificates of clients, those that are taken out included."""

    def subjects(self) -> dict[str, str]:
        """The hash of the subject of each certificate there, by the name of its file."""
        inside = self._leading_inside()
        found = ((name, _read(self.path / name)) for name in self._names() if name not in inside)
        return {name: _hash(certificate) for name, certificate in found if certificate}

    def links(self, changes: Mapping[Path, File]) -> Iterator[Change]:
        """What the names come to when these changes to the files are made: made, led elsewhere, removed.

        Raises OSError when a file cannot be read.
        """
        wanted = self._wanted(changes)
        there = {name for name in self._names() if _HASHED.fullmatch(name)}
        for name in sorted(there | wanted.keys()):
            path = self.path / name
            before, after = _target(path), wanted.get(name)
            if before == after or (before is None and name in there):
                continue  # it is as it should be, or a file of somebody else
            if after is None and not self._is_stale(before, changes):
                continue
            about = f"how the node finds {after}" if after else f"led to {before}"
            yield Link(path=path, before=before, after=after, about=about)

    def strangers(self) -> Iterator[Warning]:
        """What stands there and is not ours: others who get in, and keys that are no business of a server."""
        names = self._names()
        by_hash = _by_hash(self.path / name for name in names)
        for name in names:
            path = self.path / name
            if _HASHED.fullmatch(name) and path.is_symlink():
                continue  # what it leads to is told
            if name not in self.ours and (found := _read(path)):
                is_found = path.resolve() in (one.resolve() for one in by_hash.get(_hash(found), ()))
                yield Warning(_about(name, found, letting_in=is_found), self.path)
            if _holds_key(path):
                yield Warning(
                    f"The private key of a client lies in {name}, where a server has no use for it. Whoever "
                    "breaks in here can use it elsewhere: give it to the client and remove it.",
                    self.path,
                )

    def _wanted(self, changes: Mapping[Path, File]) -> dict[str, str]:
        """The names and where they lead: for our certificates only."""
        from wizard.material.subject_hash import hashed_names

        files = {name: self._after(name, changes) for name in sorted(self.ours)}
        der = {_der(content): name for name, content in files.items() if content is not None}
        return {name: der[certificate] for name, certificate in hashed_names(der).items()}

    def _after(self, name: str, changes: Mapping[Path, File]) -> bytes | None:
        path = self.path / name
        if path in changes:
            return changes[path].after
        try:
            return read_small(path)
        except FileNotFoundError:
            return None

    def _is_stale(self, target: str | None, changes: Mapping[Path, File]) -> bool:
        """Whether a link leads nowhere, or to one of ours by a name that it no longer has."""
        path = self.path / (target or "")
        return target in self.ours or path in changes or not path.exists()

    def _leading_inside(self) -> frozenset[str]:
        """Those that are only other names for files in the folder."""
        here = self.path.resolve()
        targets = ((name, _target(self.path / name)) for name in self._names())
        return frozenset(
            name for name, target in targets if target and (self.path / target).parent.resolve() == here
        )

    def _names(self) -> tuple[str, ...]:
        try:
            return tuple(sorted(os.listdir(self.path))[:_MOST])  # noqa: PTH208 - names are all that is needed
        except OSError:
            return ()


def _target(path: Path) -> str | None:
    return os.readlink(path) if path.is_symlink() else None  # noqa: PTH115 - a Path would turn "./x" into "x"


def _by_hash(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """The paths by what stands before the first dot of their names: where OpenSSL looks, the hash."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        digits, dot, _ = path.name.partition(".")
        if dot:
            found.setdefault(digits, []).append(path)
    return found


def _read(path: Path) -> Certificate | None:
    """The first certificate in a file; None where there is none."""
    from wizard.material.certificates import read_certificates_pem

    try:
        return read_certificates_pem(read_small(path))[0]
    except (OSError, MaterialError):
        return None


def _der(pem: bytes) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    from wizard.material.certificates import read_certificates_pem

    return read_certificates_pem(pem)[0].public_bytes(Encoding.DER)


def _hash(certificate: Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    from wizard.material.subject_hash import subject_hash

    return subject_hash(certificate.public_bytes(Encoding.DER))


def _holds_key(path: Path) -> bool:
    try:
        return b"PRIVATE KEY-----" in read_small(path)
    except OSError:
        return False


def _about(name: str, certificate: Certificate, *, letting_in: bool) -> str:
    from wizard.material.chains import is_authority
    from wizard.material.description import name_words

    who = name_words(certificate.subject)
    if not letting_in:
        return f"{name} ({who}) is in the folder of the clients, but under no name by which it is found."
    if is_authority(certificate):
        return (
            f"{name} ({who}) is let in too, and can issue certificates itself: whoever gets one from it "
            "gets in as well. Add that client here, give it its new files, and remove this one."
        )
    return f"{name} ({who}) is let in too. It is not among these clients; remove it if nobody needs it."
