"""A certificate signed by its own key: quickly made, and every client has to be given it."""

from __future__ import annotations

from datetime import datetime

from wizard.sources.pair import Issue, Pair, Wanted, keep, key_for, look, replaced, what_differs


def issue(wanted: Wanted, pair: Pair, now: datetime) -> Issue:
    """Keep the pair when it serves, else make a new certificate, with a new key unless the same is wanted.

    Raises OSError when an existing file cannot be read.
    """
    from wizard.material.certificates import certificate_pem, describe, self_signed_server
    from wizard.material.keys import private_pem

    found = look(pair)
    reasons = what_differs(found, wanted, now)
    if found.is_pair and (len(found.chain) > 1 or not describe(found.chain[0], now).self_signed):
        reasons.append("it was signed by an authority")
    if not reasons:
        return keep(pair, found)
    key, about = key_for(found, wanted)
    certificate = self_signed_server(key, wanted.common_name, wanted.names, wanted.days, now)
    changes = pair.write(
        certificate_pem(certificate),
        private_pem(key),
        about=(f"self-signed certificate, {wanted.days} days", about),
        said=describe(certificate, now).lines(),
    )
    same = key is found.private_key
    return Issue(certificate, tuple(changes), warnings=tuple(replaced(pair, found, reasons, same_key=same)))
