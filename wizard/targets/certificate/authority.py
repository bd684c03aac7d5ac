"""The questions about an authority of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.host import Host
from wizard.kinds import (
    Choice,
    Passphrase,
    Text,
    Whole,
    YesNo,
)
from wizard.material import MaterialError
from wizard.material.key_types import KeyType
from wizard.material.names import check_common_name
from wizard.questions import question
from wizard.secret import Secret
from wizard.sources.authority_folder import AuthorityFolder, first_certificate, issuer_among, known
from wizard.sources.desk import Desk, NewAuthority
from wizard.targets.certificate.base import (
    AUTHORITY_PAGE,
    OWN,
    PRIVATE_CA,
)
from wizard.targets.certificate.requester import Requester

if TYPE_CHECKING:
    from wizard.plan import Owner


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class OwnAuthority(Requester):
    """Which authority issues, and the passphrase of its key."""

    authority: str = question(
        "Authority",
        Choice(((OWN, "own"),)),
        page=AUTHORITY_PAGE.key,
        help="A new one serves this service alone; one from before serves both.",
        more="Services that share an authority also trust each other's clients, where they check clients.",
    )
    authority_name: str = question(
        "Its name",
        Text(),
        page=AUTHORITY_PAGE.key,
        help="What people see as the issuer; it cannot be changed later.",
    )
    authority_days: int = question(
        "Valid for (days)",
        Whole(30, 36500),
        page=AUTHORITY_PAGE.key,
        help="What it issues never lasts longer than it does itself.",
    )
    two_tiers: bool = question(
        "Root above it",
        YesNo(),
        page=AUTHORITY_PAGE.key,
        help="Yes makes a root as well, whose key you then keep elsewhere.",
        more="Clients trust the root; whoever breaks into this host then has only the key of the authority "
        "below it.",
    )
    protect: bool = question(
        "Protect its key",
        YesNo(),
        page=AUTHORITY_PAGE.key,
        help="With a passphrase, asked whenever something is issued.",
    )
    passphrase: Secret = question(
        "Passphrase", Passphrase(), page=AUTHORITY_PAGE.key, help="Of the authority's key."
    )

    @property
    def uses_authority(self) -> bool:
        """Whether an authority of one's own issues something here."""
        return self.source == PRIVATE_CA

    @property
    def replaces_authority(self) -> bool:
        """Whether a new authority takes the place of the one that serves this target alone: it has ended."""
        return AuthorityFolder(self.own_authority).has_ended(datetime.now(UTC))

    @property
    def authority_folder(self) -> AuthorityFolder:
        """The folder of the authority that issues."""
        return AuthorityFolder(self.own_authority if self.authority == OWN else Path(self.authority))

    @property
    def makes_authority(self) -> bool:
        """Whether an authority is made now."""
        return self.replaces_authority or not self.authority_folder.exists

    def applies_authority(self, host: Host) -> bool:
        return self.uses_authority

    def options_authority(self, host: Host) -> tuple[tuple[str, str], ...]:
        own = AuthorityFolder(self.own_authority)
        if self.replaces_authority:
            return ((OWN, "a new one, in place of the one there"),)
        label = own.words() if own.exists else "a new one"
        others = (folder for folder in known(host.state) if folder.path != own.path)
        return ((OWN, label), *((str(folder.path), folder.words()) for folder in others))

    def default_authority(self, host: Host) -> str:
        """The one that has issued what is in place."""
        own, pair = AuthorityFolder(self.own_authority), self.pair(host)
        if own.exists or not pair.certificate.is_file():
            return OWN
        try:
            other = issuer_among(known(host.state), first_certificate(pair.certificate))
        except (OSError, MaterialError):
            return OWN
        return str(other.path) if other else OWN

    def check_authority(self, host: Host, value: str) -> str | None:
        folder = AuthorityFolder(self.own_authority if value == OWN else Path(value))
        if self.replaces_authority:
            return None
        if folder.exists:
            return folder.why_unfit(datetime.now(UTC))
        if folder.key.exists():
            return (
                f"{folder.key} is there, but {folder.certificate.name} is not. Put the certificate back, or "
                "move the key away: a new authority would overwrite it."
            )
        return None

    def _applies_new_authority(self, host: Host) -> bool:
        return self.uses_authority and self.makes_authority

    applies_authority_name = applies_authority_days = _applies_new_authority
    applies_two_tiers = applies_protect = _applies_new_authority

    def served_name(self, host: Host) -> str:
        """What a new authority is called after."""
        return host.name

    def default_authority_name(self, host: Host) -> str:
        name = f"{self.served_name(host)[:40]} CA"
        if not self.replaces_authority:
            return name
        # Clients that still trust the one before could not tell the two apart.
        return f"{name} {datetime.now(UTC):%Y-%m-%d %H:%M}"

    def caution_authority_name(self, host: Host, value: str) -> str | None:
        if self._new_name() == value:
            return None
        return "The one there has this name too; the date is put behind it, so that clients tell them apart."

    def _new_name(self) -> str:
        """The name of the new authority, which is not that of the one it replaces."""
        name = self.authority_name
        if self.replaces_authority and self.authority_folder.words().startswith(f"{name}, "):
            return f"{name[:47]} {datetime.now(UTC):%Y-%m-%d %H:%M}"
        return name

    def check_authority_name(self, host: Host, value: str) -> str | None:
        return check_common_name(value)

    def default_authority_days(self, host: Host) -> int:
        return 3650

    def default_two_tiers(self, host: Host) -> bool:
        return False

    def default_protect(self, host: Host) -> bool:
        return True

    def caution_protect(self, host: Host, value: bool) -> str | None:
        return None if value else "Whoever can read its key file can make certificates that everybody trusts."

    def applies_passphrase(self, host: Host) -> bool:
        if not self.uses_authority:
            return False
        if self.makes_authority:
            return self.protect
        return self.authority_folder.is_protected and self.needs_issuing(host)

    def chosen_passphrase(self, host: Host) -> bool:
        return self.makes_authority

    def needs_issuing(self, host: Host) -> bool:
        """Whether the authority that is there has to sign something."""
        from wizard.sources import private_ca

        if self.source != PRIVATE_CA:
            return False
        return private_ca.is_due(self._old_desk(host), self.wanted(host), self.pair(host))

    def desk(self, host: Host, owner: Owner | None, now: datetime) -> Desk:
        """Where the authority issues."""
        passphrase = vars(self).get("passphrase")
        if not self.makes_authority:
            return Desk(self.authority_folder, owner, now, passphrase)
        new = NewAuthority(self._new_name(), self.authority_days, KeyType(self.key_type), self.two_tiers)
        return Desk(self.authority_folder, owner, now, passphrase if self.protect else None, new)

    def _old_desk(self, host: Host) -> Desk:
        """The same for an authority that is there, to look at what it has to issue."""
        return Desk(self.authority_folder, None, datetime.now(UTC))
