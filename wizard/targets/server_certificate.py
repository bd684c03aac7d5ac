"""A server's certificate, from the answers about it to the files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.host import Host
from wizard.kinds import NOTHING
from wizard.sources.authority_folder import AuthorityFolder, known
from wizard.sources.desk import Desk
from wizard.sources.pair import Issue
from wizard.targets.certificate.answer import Answer
from wizard.targets.certificate.base import (
    EXISTING,
    PRIVATE_CA,
    REQUEST,
    SELF_SIGNED,
)

if TYPE_CHECKING:
    from wizard.plan import Change
    from wizard.proof import Check


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class ServerCertificate(Answer):
    """The questions about a server certificate, and the sources that answer them."""

    def issue(self, host: Host, now: datetime, desk: Desk | None = None) -> Issue:
        """What becomes of the server's pair; with an authority of one's own, by its `desk`.

        Raises OSError when a file cannot be read, WrongAnswer when an answer turns out to be of no use.
        """
        from wizard.sources import existing, private_ca, request, self_signed

        pair = self.pair(host)
        if self.source == EXISTING:
            return existing.issue(self.given, self.names, pair, vars(self).get("key_passphrase"), now)
        wanted = self.wanted(host)
        if self.source == REQUEST:
            delivered = vars(self).get("delivered", NOTHING)
            ours = (AuthorityFolder(self.own_authority), *known(host.state))
            return request.issue(wanted, self.subject, pair, delivered, now, ours=ours)
        if self.source == PRIVATE_CA:
            assert desk is not None
            return private_ca.server(desk, wanted, pair)
        return self_signed.issue(wanted, pair, now)

    def answered(self, host: Host) -> tuple[Check, ...]:
        """For a certificate from elsewhere: the check that it has come."""
        from wizard.sources.request import has_come

        return (has_come(self.pair(host)),) if self.source == REQUEST else ()

    def trusted(self, host: Host, changes: Iterable[Change] = ()) -> Path:
        """The PEM file with what clients have to trust; with `changes`, once they are made."""
        from wizard.sources import trust

        if self.source == PRIVATE_CA:
            return self.authority_folder.certificate
        certificate = self.pair(host).certificate
        return certificate if self.source == SELF_SIGNED else trust.anchor(certificate, changes)
