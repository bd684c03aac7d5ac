"""What clients of a server are given that does not send its intermediate certificates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from wizard.sources import trust
from wizard.targets.santedb_server.presented import Presented

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def for_clients(what: Presented, roots: Iterable[Certificate]) -> bytes:
    """Root and intermediates as PEM; the root is one of `roots` or a public authority's.

    Where it is neither, the intermediates alone.
    """
    from wizard.material.bundles import chain_pem
    from wizard.material.chains import was_issued

    last = what.chain[-1]
    root = next((one for one in (*roots, *trust.public()) if was_issued(last, by=one)), None)
    return chain_pem((*((root,) if root else ()), *what.between))
