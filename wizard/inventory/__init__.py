"""The certificates that the wizard made or installed here: how long they last, where they are used, and what
is wrong with them.

Told from the record of the runs and from what stands on the disk now. Nothing is changed, and of secret files
only those are opened that hold a certificate's key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from wizard import journal
from wizard.inventory.authorities import authorities
from wizard.inventory.faults import faults
from wizard.inventory.keys import key_faults, key_of
from wizard.inventory.places import places, written
from wizard.material.description import Description, describe, name_words
from wizard.state import State


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of certificates. Texts are as in the certificate: the one who shows them makes them safe."""

    path: Path
    run: str
    """The newest run that wrote it, and so where it is used."""
    target: str
    title: str
    """What that run did."""
    wrong: tuple[str, ...] = ()
    """What is wrong with it and what to do, a sentence or two each; nothing where all is well."""
    common_name: str = ""
    """All that follows is of the service's own certificate, wherever it stands in the file; empty when there
    is none that can be read."""
    names: tuple[str, ...] = ()
    """Subject alternative names with their kind: "DNS signer", "IP 127.0.0.1"."""
    issuer: str = ""
    """Who issued it, in words."""
    kind: str = ""
    """What it is for, in a few words: "authority", "server", "self-signed client"."""
    not_after: datetime | None = None
    days_left: int | None = None
    """Whole days until it expires; negative once it has."""
    fingerprint: str = ""
    """SHA-256 of its DER form: AB:CD:..."""
    issued: int | None = None
    """For an authority with a register: how many certificates it has issued."""


def inventory(state: State, now: datetime) -> tuple[Listed, ...]:
    """List the files of certificates that runs in force have written; what is wrong first, then by its end.

    `now` is an aware time. Files that a run was to write and that are gone, overwritten or unreadable are
    listed too. Raises WizardError when the history cannot be read.
    """
    rows = _rows(state, now)
    return tuple(sorted(rows, key=lambda row: (not row.wrong, row.days_left or 0, str(row.path))))


def _rows(state: State, now: datetime) -> Iterator[Listed]:
    files = written(journal.history(state))
    found = places(files)
    known = authorities(found)
    for place in found:
        row = Listed(place.path, place.run.id, place.run.target, place.run.title)
        if not place.certificates:
            yield replace(row, wrong=(place.problem,))
            continue
        leaf, key, authority = place.leaf, key_of(place.path), known.get(place.path)
        said = describe(leaf, now)
        wrong = [*faults(place, said, known.values(), now)]
        if key in files:
            # A client's may have been handed out, an authority's be kept elsewhere.
            wrong += key_faults(key, leaf, is_needed=said.serves and not authority)
        if authority and authority.problem:
            wrong.append(authority.problem)
        yield replace(
            row,
            wrong=tuple(wrong),
            common_name=said.common_name,
            names=said.names,
            issuer="itself (self-signed)" if said.self_signed else name_words(leaf.issuer),
            kind=_kind(said, is_authority=authority is not None),
            not_after=said.not_after,
            days_left=said.days_left,
            fingerprint=said.fingerprint,
            issued=len(authority.issued) if authority and authority.issued is not None else None,
        )


def _kind(said: Description, *, is_authority: bool) -> str:
    if is_authority:
        return "authority" if said.self_signed else "intermediate authority"
    words = " and ".join(purpose.removesuffix("s") for purpose in said.purposes or ("servers", "clients"))
    return f"self-signed {words}" if said.self_signed else words
