"""The authorities among the certificates, and what they have issued."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.x509 import Certificate

from wizard.inventory.places import Place, unreadable
from wizard.material import MaterialError
from wizard.material.chains import is_authority
from wizard.material.register import Issued
from wizard.sources.authority_folder import AuthorityFolder


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority, with its register if it issues here."""

    certificate: Certificate
    issued: tuple[Issued, ...] | None = None
    """None without a register that can be read."""
    problem: str = ""
    """Why it cannot: a sentence."""


def authorities(places: Iterable[Place]) -> dict[Path, Authority]:
    """Those that there are, by the files of their certificates."""
    return {
        place.path: _authority(place.path, place.leaf)
        for place in places
        if place.certificates and is_authority(place.leaf)
    }


def _authority(path: Path, certificate: Certificate) -> Authority:
    folder = AuthorityFolder(path.parent)
    # Below a root the register is that of the authority that issues; a copy for others to trust has none.
    if path != folder.issuing[0] or not folder.register.is_file():
        return Authority(certificate)
    try:
        return Authority(certificate, folder.read_register())
    except MaterialError as error:
        return Authority(certificate, problem=f"{folder.register}: {error}")
    except OSError as error:
        problem = unreadable(f"Its register {folder.register}", folder.register, error)
        return Authority(certificate, problem=problem)
