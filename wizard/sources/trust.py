"""What the other side has to trust, where a certificate comes from an authority elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.material import MaterialError
from wizard.plan import Change, File, Warning
from wizard.small_files import read_small, version
from wizard.sources.pair import Pair, write

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.material.chains import Chain

NAME = "ca.pem"
"""The root that clients are given, beside the certificate; not for a public authority, which they have."""


def root_changes(chain: Chain, pair: Pair) -> Iterator[Change]:
    """Write the root beside the certificate, for clients and for the proof, when it is a private one."""
    from wizard.material.certificates import certificate_pem

    if chain.root and chain.root != chain.leaf and _public_issuer(chain.certificates[-1]) is None:
        about = "the authority's root certificate, for clients to trust"
        yield from write(pair.certificate.with_name(NAME), certificate_pem(chain.root), pair.owner, about)


def root_warnings(chain: Chain) -> Iterator[Warning]:
    """Say so when nobody here knows the root: then clients need it from elsewhere."""
    last = chain.certificates[-1]
    if chain.root is None and _public_issuer(last) is None:
        yield Warning(
            f"The root {chain.trusted} is neither among the files given nor among those that this system "
            "trusts. Clients need it; give it too, and it is checked and written beside the certificate."
        )


def anchor(certificate: Path, changes: Iterable[Change] = ()) -> Path:
    """The PEM file with what a client has to trust to accept the certificate at this path.

    With `changes`, as it is once they are made.
    """
    from wizard.material.certificates import read_certificates_pem
    from wizard.material.public_authorities import BUNDLES

    after = {change.path: change.after for change in changes if isinstance(change, File)}

    def content(path: Path) -> bytes:
        return after[path] or b"" if path in after else read_small(path)

    beside = certificate.with_name(NAME)
    try:
        last = read_certificates_pem(content(certificate))[-1]
    except (OSError, MaterialError):
        return certificate
    with suppress(OSError):
        if _holds_issuer(content(beside), last):
            return beside
    bundle = next((path for path in BUNDLES if path.is_file()), None)
    return bundle if bundle and _public_issuer(last) else certificate


def _holds_issuer(pem: bytes, certificate: Certificate) -> bool:
    """Whether it is the root of this certificate, not that of an authority before."""
    from wizard.material.certificates import read_certificates_pem
    from wizard.material.chains import was_issued

    try:
        return any(was_issued(certificate, by=one) for one in read_certificates_pem(pem))
    except MaterialError:
        return False


def public() -> tuple[Certificate, ...]:
    """The public authorities that this system came with; none where they cannot be read."""
    from wizard.material.public_authorities import BUNDLES

    try:
        return _public(tuple(version(path) for path in BUNDLES if path.is_file()))
    except (OSError, MaterialError):
        return ()


@lru_cache(maxsize=1)
def _public(_versions: tuple[tuple[int, int, int], ...]) -> tuple[Certificate, ...]:
    from wizard.material.public_authorities import public_authorities

    return public_authorities()


def _public_issuer(certificate: Certificate) -> Certificate | None:
    """The public authority that has issued it, or that it is itself."""
    from wizard.material.certificates import same_key
    from wizard.material.chains import was_issued

    for one in public():
        # The oldest sign themselves with SHA-1, which nobody checks any more.
        itself = certificate.subject == one.subject and same_key(certificate.public_key(), one.public_key())
        if itself or (certificate.issuer == one.subject and was_issued(certificate, by=one)):
            return one
    return None
