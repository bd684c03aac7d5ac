"""What the service presents: its certificate with what stands behind it, and the key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.plan import Change, File
from wizard.sources.pair import Pair, contents

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.material.keys import PrivateKey


@dataclass(frozen=True)
class Presented:
    """A pair as it will be once a plan is written."""

    chain: tuple[Certificate, ...]
    """Leaf first, without the root."""
    key: PrivateKey = field(repr=False)

    @property
    def leaf(self) -> Certificate:
        return self.chain[0]

    @property
    def between(self) -> tuple[Certificate, ...]:
        """The intermediate certificates."""
        return self.chain[1:]

    @property
    def thumbprint(self) -> str:
        """How Windows names a certificate: SHA-1 of its DER form, 40 hexadecimal digits."""
        from cryptography.hazmat.primitives import hashes

        return self.leaf.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 -- it is a name there


def presented(pair: Pair, changes: Iterable[Change] = ()) -> Presented:
    """Read the pair as these changes leave it. Raises OSError or MaterialError."""
    from wizard.material.certificates import read_certificates_pem
    from wizard.material.keys import read_private_pem

    certificate, key = (after(path, changes) for path in (pair.certificate, pair.key))
    return Presented(read_certificates_pem(certificate), read_private_pem(key))


def after(path: Path, changes: Iterable[Change]) -> bytes:
    """A file's content as these changes leave it; nothing when there is none. Raises OSError."""
    for change in changes:
        if isinstance(change, File) and change.path == path:
            return change.after or b""
    return contents(path) or b""
