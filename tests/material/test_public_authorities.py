"""Public authorities as the clients' root: refused, since they issue to everybody."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.material.samples import HOST, NAMES, key_of, one_tier, two_tiers
from wizard.material.authority import new_authority
from wizard.material.bundles import chain_pem
from wizard.material.certificates import certificate_pem, read_certificates_pem
from wizard.material.key_types import KeyType
from wizard.material.public_authorities import BUNDLES, public_authorities, why_public
from wizard.material.subject import Subject

P256 = KeyType.ECDSA_P256
NOW = datetime.now(UTC)


def test_t11_a_public_bundle_or_any_part_of_it_is_refused_as_the_clients_root() -> None:
    bundle = next((path for path in BUNDLES if path.is_file()), None)
    if bundle is None:
        pytest.skip("this system has no bundle of public authorities: refusing it is NOT tested here")
    public = public_authorities()
    whole = read_certificates_pem(bundle.read_bytes())
    assert len(whole) >= len(public) > 50
    assert f"holds {len({one.subject for one in whole})} authorities" in (why_public(whole, ()) or "")
    for root in public:
        assert "is a public authority that this system came with" in (why_public([root], public) or "")
    ours = one_tier(P256, NOW).certificate
    assert why_public([ours, public[-1]], public)
    assert why_public([ours], public) is None


def test_t11_what_a_public_authority_issued_or_renewed_is_refused_too() -> None:
    authority = two_tiers(P256, NOW)
    assert authority.root
    public = [authority.root]
    assert "Example Intermediate is issued by Example Root" in (
        why_public([authority.certificate], public) or ""
    )
    renewed = two_tiers(P256, NOW).root
    assert renewed
    assert renewed != authority.root
    assert "Example Root is a public authority" in (why_public([renewed], public) or "")


def test_a_name_alone_makes_no_public_authority() -> None:
    authority = two_tiers(P256, NOW)
    assert authority.root
    namesake = new_authority(key_of(P256, "leaf"), Subject("Example Root"), 30, NOW)
    client = namesake.issue_client(key_of(P256, "intermediate").public_key(), Subject("a"), 30, NOW)
    assert why_public([namesake.certificate, client], [authority.root]) is None


def test_a_few_private_authorities_are_let_through() -> None:
    some = [new_authority(key_of(P256, str(n)), Subject(f"CA {n}"), 30, NOW) for n in range(11)]
    ten = [authority.certificate for authority in some[:10]]
    leaf = some[0].issue_server(key_of(P256, "leaf").public_key(), Subject(HOST), NAMES, 30, NOW)
    assert why_public([*ten, *ten, leaf], ()) is None
    assert "holds 11 authorities" in (why_public([*ten, some[10].certificate], ()) or "")


def test_an_authority_that_the_operator_added_to_the_system_is_no_public_one(tmp_path: Path) -> None:
    ours, public = one_tier(P256, NOW).certificate, two_tiers(P256, NOW).root
    assert public
    bundle, local = tmp_path / "bundle.crt", tmp_path / "local"
    bundle.write_bytes(chain_pem((public, ours)))
    (local / "own").mkdir(parents=True)
    (local / "README").write_text("not a certificate")
    assert public_authorities([tmp_path / "none", bundle], [local, tmp_path / "none"]) == (public, ours)
    (local / "own" / "ours.crt").write_bytes(certificate_pem(ours))
    assert public_authorities([bundle], [local]) == (public,)
    assert public_authorities([tmp_path / "none"], [local]) == ()
