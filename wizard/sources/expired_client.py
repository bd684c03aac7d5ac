"""A client's certificate that has ended, so that a proof can show that the server refuses it.

Its key stands beside it in one file. Nobody gets in with it; it is not in the authority's register.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.material import MaterialError
from wizard.plan import Change, Owner
from wizard.sources.authority_folder import AuthorityFolder
from wizard.sources.desk import Desk
from wizard.sources.pair import contents, write

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.checks import ClientFiles
    from wizard.probe import Identity


def is_due(desk: Desk, path: Path) -> bool:
    """Whether there is none of this authority."""
    chain = _there(path)
    return not chain or not desk.has_issued(chain)


def issue(desk: Desk, path: Path, owner: Owner | None) -> Iterator[Change]:
    """Make it, where there is none of this authority."""
    from wizard.material.bundles import single_file_pem
    from wizard.material.key_types import KeyType
    from wizard.material.keys import generate

    if is_due(desk, path):
        key = generate(KeyType.ECDSA_P256)
        chain = desk.authority.chain(desk.authority.issue_expired_client(key.public_key(), desk.now))
        about = "an expired client certificate with its key, to prove that it is refused"
        yield from write(path, single_file_pem(key, chain), owner, about, secret=True)


def identity(files: ClientFiles, folder: AuthorityFolder) -> Identity:
    """The certificate with its key. Raises OSError, or ValueError when it proves nothing about its dates."""
    from wizard.material.certificates import read_certificates_pem
    from wizard.material.chains import was_issued

    leaf = read_certificates_pem(contents(files.certificate) or b"")[0]
    if not was_issued(leaf, by=folder.read_issuer()) or leaf.not_valid_after_utc > datetime.now(UTC):
        raise ValueError(
            f"{files.certificate} is no expired certificate of this authority; apply the answers again."
        )
    return files.read()


def _there(path: Path) -> tuple[Certificate, ...]:
    from wizard.material.certificates import read_certificates_pem

    try:
        return read_certificates_pem(contents(path) or b"")
    except (OSError, MaterialError):
        return ()
