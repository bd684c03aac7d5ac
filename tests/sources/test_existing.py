"""A certificate and a key that are there already: put in order, copied, served; the originals stay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sources.elsewhere import P256, SUBJECT, Elsewhere
from tests.sources.setups import NAMES, Setup, assert_proven, certificates, changed, everything, mode
from tests.targets.hub_plans import names, openssl
from wizard.kinds import Raw
from wizard.secret import Secret
from wizard.sources.pair import unprotected

RIGHT = Secret("correct horse battery staple")


@pytest.fixture
def mine(elsewhere: Elsewhere, tmp_path: Path) -> Path:
    """The operator's folder: a key, and one file with root, intermediate and certificate, in this order."""
    certificate, key = elsewhere.pair("mine")
    folder = tmp_path / "mine"
    folder.mkdir()
    authorities = elsewhere.root.read_bytes() + elsewhere.intermediate.read_bytes()
    (folder / "everything.pem").write_bytes(authorities + certificate.read_bytes())
    (folder / "leaf.pem").write_bytes(certificate.read_bytes())
    (folder / "key.pem").write_bytes(key.read_bytes())
    return folder


def given(mine: Path, certificate: str = "everything.pem", *chain: Path) -> dict[str, Raw]:
    return {
        "source": "existing",
        "certificate_file": str(mine / certificate),
        "key_file": str(mine / "key.pem"),
        "chain_files": list(map(str, chain)),
    }


def protect(mine: Path, elsewhere: Elsewhere) -> dict[str, Raw]:
    """Put the operator's key under a passphrase; the answers to take a copy without."""
    path = elsewhere.encrypted(mine / "key.pem", "encrypted.key", RIGHT.reveal())
    (mine / "key.pem").write_bytes(path.read_bytes())
    return {"unprotected_copy": True, "key_passphrase": RIGHT}


def test_t07_files_with_the_authority_first_are_copied_leaf_first_and_served(
    rest: Setup, mine: Path, elsewhere: Elsewhere
) -> None:
    before = everything(mine)
    (leaf,), (between,), (root,) = (
        certificates(path) for path in (mine / "leaf.pem", elsewhere.intermediate, elsewhere.root)
    )
    assert certificates(mine / "everything.pem") == (root, between, leaf)
    run = rest.apply(**given(mine))
    assert certificates(rest.folder / "cert.pem") == (leaf, between)
    assert certificates(rest.folder / "ca.pem") == (root,)
    assert mode(rest.folder / "key.pem") == 0o600
    assert [mode(rest.folder / name) for name in ("cert.pem", "ca.pem")] == [0o644, 0o644]
    with rest.running():
        assert_proven(rest.prove(**given(mine)))
    assert not rest.plan(**given(mine)).changed
    assert everything(mine) == before
    rest.undo(run)
    assert not list(rest.folder.glob("*.pem"))


@pytest.mark.parametrize(
    "chain",
    [
        lambda at: (at.intermediate, at.root),
        lambda at: (at.root, at.intermediate),
        lambda at: (at.in_pkcs7("chain.p7b", at.root, at.intermediate),),
        lambda at: (at.in_der(at.root, "root.der"), at.joined("bundle.pem", at.intermediate, at.root)),
    ],
    ids=["in order", "the root first", "PKCS#7", "twice the same"],
)
def test_t37_chain_files_in_any_form_and_order_complete_the_certificate(
    rest: Setup, mine: Path, elsewhere: Elsewhere, chain: Callable[[Elsewhere], tuple[Path, ...]]
) -> None:
    rest.apply(**given(mine, "leaf.pem", *chain(elsewhere)))
    expected = (*certificates(mine / "leaf.pem"), *certificates(elsewhere.intermediate))
    assert certificates(rest.folder / "cert.pem") == expected
    assert certificates(rest.folder / "ca.pem") == certificates(elsewhere.root)


def test_a_key_is_checked_once_however_often_it_is_asked_for(
    rest: Setup, mine: Path, elsewhere: Elsewhere
) -> None:
    unprotected.cache_clear()
    rest.apply(**given(mine))
    assert rest.plan(**given(mine)).changes == ()
    read = unprotected.cache_info()
    assert read.misses == 1
    assert read.hits > 1
    (mine / "key.pem").write_bytes(elsewhere.pair("other")[1].read_bytes())
    assert "belongs to another certificate" in rest.refusal(**given(mine))


def test_without_its_root_it_is_served_all_the_same_and_the_root_asked_for(
    rest: Setup, mine: Path, elsewhere: Elsewhere
) -> None:
    without = given(mine, "leaf.pem", elsewhere.intermediate)
    plan = rest.plan(**without)
    assert any("The root Elsewhere Root is neither" in warning.text for warning in plan.warnings)
    rest.apply(**without)
    with rest.running():
        assert_proven(rest.prove(**without))
        assert not (rest.folder / "ca.pem").exists()
        later = given(mine, "leaf.pem", elsewhere.intermediate, elsewhere.root)
        assert names(rest.plan(**later).changes) == ["ca.pem"]
        rest.apply(**later)
        assert certificates(rest.folder / "ca.pem") == certificates(elsewhere.root)
        assert_proven(rest.prove(**later))


def test_the_root_of_an_authority_before_is_not_taken_for_that_of_the_new_one(
    rest: Setup, mine: Path, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    another = Elsewhere(tmp_path / "another", "Another")
    certificate, key = another.pair("another")
    rest.apply(
        source="existing",
        certificate_file=str(certificate),
        key_file=str(key),
        chain_files=[str(another.intermediate), str(another.root)],
    )
    now = given(mine, "leaf.pem", elsewhere.intermediate)
    rest.apply(**now)
    with rest.running():
        assert_proven(rest.prove(**now))


def test_names_are_those_of_the_certificate_unless_others_are_given(rest: Setup, mine: Path) -> None:
    sheet = rest.sheet(**given(mine), alt_names=["hub.example.org"])
    assert sheet["alt_names"].default == ", ".join(NAMES)
    assert not sheet.wrong
    assert not sheet["common_name"].applies


def test_names_stay_unknown_while_the_certificate_cannot_be_read(rest: Setup, mine: Path) -> None:
    (mine / "everything.pem").write_bytes(b"")
    sheet = rest.sheet(**given(mine))
    assert [entry.question.name for entry in sheet.wrong] == ["certificate_file"]
    assert sheet["alt_names"].default == ""


def test_t06_a_protected_key_is_copied_without_its_passphrase_only_with_consent(
    rest: Setup, mine: Path, elsewhere: Elsewhere
) -> None:
    consent = protect(mine, elsewhere)
    before = everything(mine)
    asked = rest.sheet(**given(mine))
    wrong = {entry.question.name: entry.error for entry in asked.wrong}
    assert wrong.keys() == {"unprotected_copy", "key_passphrase"}
    assert asked["key_passphrase"].question.secret
    assert not asked["key_passphrase"].chosen, "nothing is made up, so it is not repeated"
    no = rest.sheet(**given(mine) | consent | {"unprotected_copy": False})
    assert [entry.question.name for entry in no.wrong] == ["unprotected_copy"]

    run = rest.apply(**given(mine) | consent)
    key = rest.folder / "key.pem"
    assert key.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert mode(key) == 0o600
    public = openssl("x509", "-in", str(mine / "leaf.pem"), "-noout", "-pubkey")
    assert openssl("pkey", "-in", str(key), "-pubout") == public
    assert everything(mine) == before
    assert b"ENCRYPTED" in (mine / "key.pem").read_bytes()
    with rest.running():
        assert_proven(rest.prove(**given(mine)))

    rest.undo(run)
    assert not key.exists()
    assert everything(mine) == before


def test_a_second_run_changes_nothing_and_asks_for_no_passphrase(
    rest: Setup, mine: Path, elsewhere: Elsewhere
) -> None:
    consent = protect(mine, elsewhere)
    rest.apply(**given(mine) | consent)
    sheet = rest.sheet(**given(mine))
    assert not sheet.wrong
    assert not sheet["unprotected_copy"].applies
    assert not sheet["key_passphrase"].applies
    plan = rest.plan(**given(mine))
    assert not plan.changed
    assert {"cert.pem", "key.pem"} <= {path.name for path in plan.kept}


def test_the_passphrase_is_in_nothing_that_is_written_or_told(
    rest: Setup, mine: Path, elsewhere: Elsewhere
) -> None:
    consent = protect(mine, elsewhere)
    plan = rest.plan(**given(mine) | consent)
    run = rest.apply(**given(mine) | consent)
    assert RIGHT.reveal() not in f"{plan} {run} {run.answers}"
    written = everything(rest.box.root)
    assert not [path for path, (_, data) in written.items() if RIGHT.reveal().encode() in data]


def test_the_copy_never_takes_the_place_of_the_key_that_is_protected(
    rest: Setup, mine: Path, elsewhere: Elsewhere
) -> None:
    consent = protect(mine, elsewhere)
    sentence = rest.refusal(**given(mine) | consent | {"directory": str(mine)})
    assert sentence == "The copy would take the place of your key file. Choose another folder for the files."


@pytest.mark.parametrize("damage", ["cert.pem", "key.pem"])
def test_a_copy_that_was_damaged_is_made_again(rest: Setup, mine: Path, damage: str) -> None:
    rest.apply(**given(mine))
    before = everything(rest.folder)
    (rest.folder / damage).write_bytes(b"-----BEGIN")
    assert names(rest.plan(**given(mine)).changes) == [damage]
    rest.apply(**given(mine))
    assert changed(before, rest.folder) == set()


def test_a_certificate_that_soon_ends_is_copied_and_that_told(rest: Setup, elsewhere: Elsewhere) -> None:
    certificate, key = elsewhere.pair("old", begins=timedelta(days=-80))
    plan = rest.plan(
        source="existing",
        certificate_file=str(certificate),
        key_file=str(key),
        chain_files=[str(elsewhere.intermediate)],
    )
    assert "cert.pem" in names(plan.changes)
    assert [warning for warning in plan.warnings if "a new one is due" in warning.text]


def test_a_self_signed_certificate_needs_nothing_above_it(rest: Setup, elsewhere: Elsewhere) -> None:
    elsewhere.openssl(
        *("req", "-x509", "-config", "openssl.cnf", "-extensions", "server", *P256, "-nodes"),
        *("-subj", SUBJECT, "-days", "90", "-keyout", "alone.key", "-out", "alone.pem"),
    )
    alone = elsewhere.folder / "alone.pem"
    files = {"certificate_file": str(alone), "key_file": str(alone.with_suffix(".key"))}
    rest.apply(source="existing", **files)
    assert not (rest.folder / "ca.pem").exists()
    with rest.running():
        assert_proven(rest.prove(source="existing", **files))
