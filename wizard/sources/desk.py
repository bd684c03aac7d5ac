"""Where certificates are issued for one plan: by an authority made now, or one that is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.errors import WrongAnswer
from wizard.material import MaterialError
from wizard.material.key_types import KeyType
from wizard.material.subject import Subject
from wizard.plan import Change, Owner
from wizard.secret import Secret
from wizard.sources.authority_folder import AuthorityFolder
from wizard.sources.pair import Wanted, remove, write

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.material.authority import Authority
    from wizard.material.keys import PrivateKey
    from wizard.material.register import Issued


@dataclass(frozen=True, slots=True)
class NewAuthority:
    """What an authority that is made now should be."""

    name: str
    days: int
    key_type: KeyType
    two_tiers: bool = False
    """Whether a root stands above the authority that issues, so that the root's key can be kept elsewhere."""


@dataclass
class Desk:
    """Issues for one plan. The authority's key is read only when something has to be signed.

    The one thing here that changes: the register grows by each certificate. `changes` says what the folder
    comes to.
    """

    folder: AuthorityFolder
    owner: Owner | None
    now: datetime
    passphrase: Secret | None = None
    new: NewAuthority | None = None
    """None: the authority in the folder issues."""
    _authority: Authority | None = field(default=None, repr=False)
    _root: Authority | None = field(default=None, repr=False)
    _issued: list[tuple[Certificate, Path]] = field(default_factory=list)
    _taken_back: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.new is not None:
            self._make(self.new)

    @property
    def issuer(self) -> Certificate:
        """The certificate that issues. Raises OSError or MaterialError."""
        return self._authority.certificate if self._authority else self.folder.read_issuer()

    @property
    def root(self) -> Certificate:
        """What everybody trusts. Raises OSError or MaterialError."""
        return self._authority.anchor if self._authority else self.folder.read_certificate()

    @property
    def authority(self) -> Authority:
        """The authority with its key; raises WrongAnswer for a passphrase that does not open it."""
        if self._authority is None:
            from wizard.material.keys import PassphraseNeeded, WrongPassphrase

            try:
                self._authority = self.folder.open(self.passphrase)
            except (PassphraseNeeded, WrongPassphrase) as error:
                raise WrongAnswer("passphrase", _not_opened(self.folder, error)) from None
            except (OSError, MaterialError) as error:
                raise WrongAnswer("authority", f"{self.folder.path}: {error}") from None
        return self._authority

    def server(self, wanted: Wanted, key: PrivateKey, path: Path) -> tuple[Certificate, ...]:
        """Issue a server's certificate, to stand at `path`: the chain, leaf first."""
        subject = Subject(wanted.common_name)
        leaf = self.authority.issue_server(key.public_key(), subject, wanted.names, wanted.days, self.now)
        return self._issue(leaf, path)

    def client(self, wanted: Wanted, key: PrivateKey, path: Path) -> tuple[Certificate, ...]:
        """Issue a client's certificate, to stand at `path`: the chain, leaf first."""
        subject = Subject(wanted.common_name)
        leaf = self.authority.issue_client(key.public_key(), subject, wanted.days, self.now)
        return self._issue(leaf, path)

    def take_back(self, paths: Iterable[Path]) -> None:
        """Note in the register that these are taken back; whether anybody looks there is another matter."""
        self._taken_back |= set(paths)

    def has_issued(self, chain: tuple[Certificate, ...]) -> bool:
        """Whether this authority has issued the first of them, and the others lead to it."""
        from wizard.material.chains import was_issued

        issuer = self.issuer
        between = (issuer,) if issuer != self.root else ()
        return was_issued(chain[0], by=issuer) and chain[1:] == between

    def changes(self) -> Iterator[Change]:
        """What its folder comes to: the authority, when it is made now, and the register."""
        from wizard.material.register import ATTRIBUTES, Issued, write_register

        if self.new is not None:
            yield from self._files(self.new)
        before = tuple(map(self._noted, () if self.new is not None else self.folder.read_register()))
        if self._issued or self._taken_back or self.new is not None:
            entries = (*before, *(Issued.of(one, str(path)) for one, path in self._issued))
            about = f"register of what the authority has issued, {len(entries)} so far"
            # Somebody else's register stays theirs.
            owner = self.owner if self.new is not None else None
            yield from write(self.folder.register, write_register(entries), owner, about)
        if self.new is not None:
            about = "for openssl: the register may hold several certificates of one name"
            yield from write(self.folder.register_attributes, ATTRIBUTES, self.owner, about)

    def _noted(self, entry: Issued) -> Issued:
        if entry.revoked is None and Path(entry.file) in self._taken_back:
            return replace(entry, revoked=self.now.replace(microsecond=0), reason="cessationOfOperation")
        return entry

    def _issue(self, leaf: Certificate, path: Path) -> tuple[Certificate, ...]:
        self._issued.append((leaf, path))
        return self.authority.chain(leaf)

    def _make(self, new: NewAuthority) -> None:
        from wizard.material.authority import new_authority, new_intermediate, new_root
        from wizard.material.keys import generate

        key = generate(new.key_type)
        if not new.two_tiers:
            self._authority = new_authority(key, Subject(new.name), new.days, self.now)
            return
        self._root = new_root(key, Subject(new.name), new.days, self.now)
        self._authority = new_intermediate(
            self._root, generate(new.key_type), Subject(f"{new.name}, issuing"), new.days, self.now
        )

    def _files(self, new: NewAuthority) -> Iterator[Change]:
        assert self._authority is not None
        folder, top = self.folder, self._root or self._authority
        what = "root authority" if self._root else "authority"
        yield from self._pair(top, folder.certificate, folder.key, f"{what} {new.name}")
        places = folder.intermediate, folder.intermediate_key
        if self._root:
            yield from self._pair(self._authority, *places, "authority that issues, under the root")
        else:
            for path in places:
                yield from remove(path, "of the authority that was here before", secret=path == places[1])

    def _pair(self, authority: Authority, certificate: Path, key: Path, about: str) -> Iterator[Change]:
        from wizard.material.certificates import certificate_pem, describe
        from wizard.material.keys import private_pem

        protected = "under its passphrase" if self.passphrase else "not protected by a passphrase"
        pem = private_pem(authority.key, self.passphrase)
        yield from write(key, pem, self.owner, f"key of the {about}, {protected}", secret=True)
        said = describe(authority.certificate, self.now).lines()
        yield from write(
            certificate, certificate_pem(authority.certificate), self.owner, about, described=said
        )


def _not_opened(folder: AuthorityFolder, error: MaterialError) -> str:
    from wizard.material.keys import WrongPassphrase

    if isinstance(error, WrongPassphrase):
        return (
            f"This passphrase does not open {folder.issuing[1]}. Try again, minding capitals and the "
            "keyboard layout."
        )
    return f"{folder.issuing[1]} is protected by a passphrase, which is needed to issue certificates."
