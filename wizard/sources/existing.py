"""A certificate and a key that the operator has already: checked, put in order, and copied for the service.

The files given are only read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.errors import WrongAnswer
from wizard.kinds import NOTHING, Delivery
from wizard.material import MaterialError
from wizard.material.names import Name
from wizard.plan import Warning
from wizard.secret import Secret
from wizard.small_files import read_small
from wizard.sources.pair import Issue, Pair, ends_soon, keep, look, replaced, unprotected
from wizard.sources.trust import root_changes, root_warnings

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.material.chains import Chain
    from wizard.material.keys import PrivateKey


@dataclass(frozen=True, slots=True)
class Given:
    """The operator's files."""

    certificate: Path
    key: Path
    chain: Delivery = NOTHING
    """What belongs between the certificate and the root, in whatever form and order."""

    def read_certificates(self) -> tuple[Certificate, ...]:
        """All certificates given, those of the first file first. Raises OSError or MaterialError."""
        from wizard.material.certificates import read_certificates_pem
        from wizard.material.delivery import read_delivery

        found = read_certificates_pem(read_small(self.certificate))
        parts = [read_small(part) if isinstance(part, Path) else part.encode() for part in self.chain.parts]
        return tuple(dict.fromkeys((*found, *(read_delivery(parts) if parts else ()))))

    def read_key(self, passphrase: Secret | None = None) -> PrivateKey:
        """The key. Raises OSError or MaterialError."""
        from wizard.material.keys import read_private_pem

        content = read_small(self.key)
        return read_private_pem(content, passphrase) if passphrase else unprotected(content)

    @property
    def leaf(self) -> Certificate:
        """The service's own certificate, wherever it stands in its file. Raises OSError or MaterialError."""
        from wizard.material.certificates import read_certificates_pem
        from wizard.material.chains import is_authority

        found = read_certificates_pem(read_small(self.certificate))
        return next((one for one in found if not is_authority(one)), found[0])

    def build(self, names: tuple[Name, ...], now: datetime, key: PrivateKey | None = None) -> Chain:
        """The chain as it is presented, leaf first; without the key it is not known to belong to it.

        Raises OSError or MaterialError with the sentence of what is wrong.
        """
        from wizard.material.chains import build_chain

        public_key = key.public_key() if key else self.leaf.public_key()
        return build_chain(self.read_certificates(), public_key, names, now)

    def is_in_place(self, names: tuple[Name, ...], pair: Pair, now: datetime) -> bool:
        """Whether the service has them already, so that the key given need not be read."""
        try:
            return look(pair).chain == self.build(names, now).certificates
        except (OSError, MaterialError):
            return False


def issue(
    given: Given, names: tuple[Name, ...], pair: Pair, passphrase: Secret | None, now: datetime
) -> Issue:
    """Copy certificate and key to where the service reads them, in order, the key as the pair has it.

    Raises OSError when a file in the service's folder cannot be read, WrongAnswer when one given is no good.
    """
    from wizard.material.bundles import chain_pem
    from wizard.material.certificates import describe
    from wizard.material.keys import WrongPassphrase, key_words, private_pem

    if given.is_in_place(names, pair, now):
        issue = keep(pair, look(pair))
        # The root may have been given only now.
        return replace(issue, changes=(*issue.changes, *root_changes(given.build(names, now), pair)))
    try:
        key = given.read_key(passphrase)
        chain = given.build(names, now, key)
    except WrongPassphrase as error:
        raise WrongAnswer("key_passphrase", str(error)) from None
    except OSError as error:
        raise WrongAnswer("certificate_file", f"{error.filename} cannot be read: {error.strerror}.") from None
    except MaterialError as error:
        raise WrongAnswer("certificate_file", str(error)) from None
    found = look(pair)
    protected = ", without its passphrase" if passphrase and not pair.passphrase else ""
    changes = (
        *pair.write(
            chain_pem(chain.certificates),
            private_pem(key),
            about=(f"certificate by {chain.issuer}", f"private key, {key_words(key)}{protected}"),
            said=describe(chain.leaf, now).lines(),
        ),
        *root_changes(chain, pair),
    )
    warnings = [*root_warnings(chain), *replaced(pair, found, [f"by one of {chain.issuer}"])]
    if ends_soon(chain.leaf, now):
        warnings.append(Warning(f"It ends on {chain.leaf.not_valid_after_utc:%Y-%m-%d}; a new one is due."))
    return Issue(chain.leaf, changes, warnings=tuple(warnings))
