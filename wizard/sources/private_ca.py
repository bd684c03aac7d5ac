"""Certificates by an authority of one's own: for the server, and for each client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wizard.material import MaterialError
from wizard.sources.desk import Desk
from wizard.sources.pair import (
    Found,
    Issue,
    Pair,
    Wanted,
    keep,
    key_for,
    look,
    replaced,
    what_differs,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def server(desk: Desk, wanted: Wanted, pair: Pair) -> Issue:
    """Keep the pair when it serves and comes from this authority, else have a new one issued.

    Raises OSError when a file cannot be read, WrongAnswer when the authority cannot be opened.
    """
    return _issued(desk, wanted, pair, client=False)


def client(desk: Desk, wanted: Wanted, pair: Pair) -> Issue:
    """The same for a client."""
    return _issued(desk, wanted, pair, client=True)


def is_due(desk: Desk, wanted: Wanted, pair: Pair) -> bool:
    """Whether something would have to be issued, which needs the authority's key."""
    try:
        return bool(_reasons(desk, wanted, look(pair)))
    except (OSError, MaterialError):
        return True


def _issued(desk: Desk, wanted: Wanted, pair: Pair, *, client: bool) -> Issue:
    from wizard.material.bundles import chain_pem
    from wizard.material.certificates import describe
    from wizard.material.keys import private_pem

    found = look(pair)
    reasons = _reasons(desk, wanted, found)
    if not reasons:
        return keep(pair, found)
    key, about = key_for(found, wanted)
    issue = desk.client if client else desk.server
    chain = issue(wanted, key, pair.certificate)
    whose = f"client certificate for {wanted.common_name}" if client else "server certificate"
    changes = pair.write(
        chain_pem(chain),
        private_pem(key),
        about=(f"{whose}, {_days(chain[0])} days", about),
        said=describe(chain[0], desk.now).lines(),
    )
    same = key is found.private_key
    warnings = replaced(pair, found, reasons, same_key=same, pinned=False)
    return Issue(chain[0], tuple(changes), warnings=tuple(warnings))


def _reasons(desk: Desk, wanted: Wanted, found: Found) -> list[str]:
    issuer = desk.issuer
    reasons = what_differs(found, wanted, desk.now, issuer.not_valid_after_utc)
    if found.is_pair and not desk.has_issued(found.chain):
        reasons.append("it was issued by another authority")
    return reasons


def _days(certificate: Certificate) -> int:
    """Whole days it is valid, which may be fewer than wanted: it ends no later than its authority."""
    return round((certificate.not_valid_after_utc - certificate.not_valid_before_utc).total_seconds() / 86400)
