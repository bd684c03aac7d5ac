"""A signing request: made, waiting while the service goes on as before, answered in whatever form."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from textwrap import indent

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from tests.sources.elsewhere import Elsewhere
from tests.sources.setups import (
    NAMES,
    PASSPHRASE,
    Setup,
    assert_proven,
    certificates,
    changed,
    complete,
    everything,
    mode,
)
from tests.targets.hub_plans import file, names, openssl
from wizard import answers, transaction
from wizard.journal import Run
from wizard.kinds import Raw
from wizard.material.bundles import chain_pem
from wizard.sheet import fill_in
from wizard.targets.server_certificate import ServerCertificate

SUBJECT: dict[str, Raw] = {
    "country": "CH",
    "state": "Zürich",
    "locality": "Winterthur",
    "organisation": "Example AG",
    "unit": "Ledgers",
    "email": "admin@example.org",
}
REQUEST: dict[str, Raw] = {"source": "request", **SUBJECT}


def taken_up(setup: Setup, run: Run, *delivered: str | Path) -> ServerCertificate:
    """The answers of an earlier run on this host, with what was delivered since."""
    target, given = answers.of_run(run)
    came: dict[str, Raw] = {"delivered": list(map(str, delivered))} if delivered else {}
    return complete(fill_in(target, {**given, **came}, setup.host))


def install(setup: Setup, run: Run, *delivered: str | Path) -> Run:
    return transaction.apply(setup.plan_of(taken_up(setup, run, *delivered)), setup.box.state)


# Asking -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [False, True], ids=["nothing there", "a pair in service"])
def test_the_first_run_writes_key_and_request_and_touches_nothing_else(rest: Setup, there: bool) -> None:
    if there:
        rest.apply()
    before = everything(rest.folder)
    run = rest.apply(**REQUEST)
    assert changed(before, rest.folder) == {"request.key", "request.csr"}
    assert (mode(rest.folder / "request.key"), mode(rest.folder / "request.csr")) == (0o600, 0o644)
    assert rest.waiting() == (run,)
    assert run.awaits == rest.folder / "cert.pem"
    rest.undo(run)
    assert everything(rest.folder) == before
    assert rest.waiting() == ()


def test_openssl_reads_the_request_with_every_field_and_name(rest: Setup) -> None:
    rest.apply(**REQUEST)
    request, key = str(rest.folder / "request.csr"), str(rest.folder / "request.key")
    shown = openssl(
        "req", "-in", request, "-verify", "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb,utf8"
    )
    assert shown.decode().strip() == (
        "subject=emailAddress=admin@example.org,CN=hub.example.org,OU=Ledgers,O=Example AG,"
        "L=Winterthur,ST=Zürich,C=CH"
    )
    text = openssl("req", "-in", request, "-noout", "-text").decode()
    assert "DNS:hub.example.org, IP Address:127.0.0.1" in text
    assert "TLS Web Server Authentication" in text
    assert openssl("req", "-in", request, "-noout", "-pubkey") == openssl("pkey", "-in", key, "-pubout")


def test_what_is_left_empty_is_left_out(rest: Setup) -> None:
    rest.apply(source="request")
    shown = openssl(
        "req", "-in", str(rest.folder / "request.csr"), "-noout", "-subject", "-nameopt", "RFC2253"
    )
    assert shown == b"subject=CN=hub.example.org\n"


def test_a_second_plan_changes_nothing_and_goes_on_waiting(rest: Setup) -> None:
    run = rest.apply(**REQUEST)
    plan = rest.plan(**REQUEST)
    assert not plan.changed
    assert sorted(path.name for path in plan.kept) == ["request.csr", "request.key"]
    assert plan.awaits == run.awaits


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"alt_names": ["other.example.org"]}, "DNS:other.example.org\n"),
        ({"organisation": "Another AG"}, "O = Another AG"),
        ({"unit": ""}, "O = Example AG, CN = hub"),
    ],
    ids=["names", "organisation", "no unit"],
)
def test_another_wish_makes_another_request_for_the_same_key(
    rest: Setup, given: dict[str, Raw], said: str
) -> None:
    rest.apply(**REQUEST)
    key = (rest.folder / "request.key").read_bytes()
    run = rest.apply(**{**REQUEST, **given})
    assert [step.path.name for step in run.steps] == ["request.csr"]
    assert (rest.folder / "request.key").read_bytes() == key
    assert said in openssl("req", "-in", str(rest.folder / "request.csr"), "-noout", "-text").decode()
    assert rest.waiting() == (run,)
    assert not rest.plan(**{**REQUEST, **given}).changed


def test_another_kind_of_key_makes_another_key(rest: Setup) -> None:
    rest.apply(**REQUEST)
    run = rest.apply(**REQUEST, key_type="rsa-2048")
    assert [step.path.name for step in run.steps] == ["request.key", "request.csr"]
    assert b"2048 bit" in openssl("req", "-in", str(rest.folder / "request.csr"), "-noout", "-text")


def test_a_request_that_was_moved_away_to_be_sent_costs_no_key(rest: Setup) -> None:
    run = rest.apply(**REQUEST)
    (rest.folder / "request.csr").rename(rest.box.root / "sent.csr")
    assert names(rest.plan(**REQUEST).changes) == ["request.csr"]
    assert rest.sheet(**REQUEST)["delivered"].applies
    assert rest.waiting() == (run,)


@pytest.mark.parametrize("lost", ["request.key", "request.csr"])
def test_a_key_and_a_request_that_do_not_belong_together_do_not_wait(
    rest: Setup, elsewhere: Elsewhere, lost: str
) -> None:
    another = elsewhere.request("another")
    rest.apply(source="request")
    source = another if lost == "request.csr" else another.with_suffix(".key")
    (rest.folder / lost).write_bytes(source.read_bytes())
    assert "request.csr" in names(rest.plan(source="request").changes)
    rest.apply(source="request")
    request, key = str(rest.folder / "request.csr"), str(rest.folder / "request.key")
    assert openssl("req", "-in", request, "-noout", "-pubkey") == openssl("pkey", "-in", key, "-pubout")


def test_a_request_without_its_key_is_made_again(rest: Setup) -> None:
    rest.apply(**REQUEST)
    (rest.folder / "request.key").unlink()
    plan = rest.plan(**REQUEST)
    assert names(plan.changes) == ["request.key", "request.csr"]


def test_a_certificate_of_this_host_is_none_from_elsewhere(rest: Setup) -> None:
    rest.apply(source="private-ca", passphrase=PASSPHRASE)
    plan = rest.plan(**REQUEST)
    assert names(plan.changes) == ["request.key", "request.csr"]


def test_a_folder_reached_by_a_link_waits_no_longer_than_any_other(rest: Setup, elsewhere: Elsewhere) -> None:
    (rest.box.root / "real").mkdir()
    (rest.box.root / "link").symlink_to(rest.box.root / "real")
    given: dict[str, Raw] = {**REQUEST, "directory": str(rest.box.root / "link")}
    run = rest.apply(**given)
    assert rest.waiting() == (run,)
    leaf = elsewhere.sign(rest.box.root / "real" / "request.csr")
    install(rest, run, leaf, elsewhere.intermediate)
    assert rest.waiting() == ()


# The answer -------------------------------------------------------------------------------------------------


def separate_files(elsewhere: Elsewhere, leaf: Path) -> list[str]:
    return [str(elsewhere.intermediate), str(leaf)]


def one_bundle_with_the_root_in_front(elsewhere: Elsewhere, leaf: Path) -> list[str]:
    return [str(elsewhere.joined("bundle.pem", elsewhere.root, elsewhere.intermediate, leaf))]


def pkcs7(elsewhere: Elsewhere, leaf: Path) -> list[str]:
    return [str(elsewhere.in_pkcs7("answer.p7b", elsewhere.root, leaf, elsewhere.intermediate))]


def binary_though_it_is_called_pem(elsewhere: Elsewhere, leaf: Path) -> list[str]:
    return [
        str(elsewhere.in_der(leaf, "certificate.pem")),
        str(elsewhere.in_der(elsewhere.intermediate, "intermediate.cer")),
    ]


def pasted_from_a_letter(elsewhere: Elsewhere, leaf: Path) -> list[str]:
    quoted = indent(elsewhere.joined("all.pem", leaf, elsewhere.root).read_text(), "    ")
    between = elsewhere.intermediate.read_text()
    text = (
        f"Dear customer,\n\nyour certificate -- and our root:\n\n{quoted}\nThis belongs between:\n{between}"
    )
    return [f"{text}\nKind regards,\nElsewhere -----\n".replace("\n", "\r\n")]


@pytest.mark.parametrize(
    ("delivery", "with_root"),
    [
        (separate_files, False),
        (one_bundle_with_the_root_in_front, True),
        (pkcs7, True),
        (binary_though_it_is_called_pem, False),
        (pasted_from_a_letter, True),
    ],
)
def test_t07_t37_in_whatever_form_it_comes_the_answer_becomes_a_working_server(
    rest: Setup,
    elsewhere: Elsewhere,
    delivery: Callable[[Elsewhere, Path], list[str]],
    with_root: bool,
) -> None:
    asked = rest.apply(**REQUEST)
    before = everything(rest.folder)
    key = (rest.folder / "request.key").read_bytes()
    leaf = elsewhere.sign(rest.folder / "request.csr")

    resumed = taken_up(rest, asked, *delivery(elsewhere, leaf))
    plan = rest.plan_of(resumed)
    assert any("give it too" in warning.text for warning in plan.warnings) is not with_root
    installed = transaction.apply(plan, rest.box.state)

    ours, between, root = (certificates(path)[0] for path in (leaf, elsewhere.intermediate, elsewhere.root))
    assert certificates(rest.folder / "cert.pem") == (ours, between)
    assert (rest.folder / "key.pem").read_bytes() == key
    assert mode(rest.folder / "key.pem") == 0o600
    assert (rest.folder / "ca.pem").exists() is with_root
    if with_root:
        assert certificates(rest.folder / "ca.pem") == (root,)
    assert not list(rest.folder.glob("request.*"))
    assert rest.waiting() == ()
    with rest.running():
        assert_proven(rest.proof_of(resumed))
        for again in (taken_up(rest, installed), taken_up(rest, asked)):
            assert not rest.plan_of(again).changed

    rest.undo(installed)
    assert everything(rest.folder) == before
    assert rest.waiting() == (asked,)


def test_names_that_the_authority_left_out_can_be_given_up(rest: Setup, elsewhere: Elsewhere) -> None:
    wish: dict[str, Raw] = {**REQUEST, "alt_names": [*NAMES, "other.example.org"]}
    asked = rest.apply(**wish)
    bare = elsewhere.folder / "bare.csr"
    elsewhere.openssl(
        *("req", "-new", "-config", "openssl.cnf", "-key", str(rest.folder / "request.key")),
        *("-subj", "/CN=hub.example.org", "-out", str(bare)),
    )
    leaf = elsewhere.sign(bare, "server")
    target, given = answers.of_run(asked)
    delivered: dict[str, Raw] = {"delivered": [str(leaf), str(elsewhere.intermediate)]}
    refused = fill_in(target, {**given, **delivered}, rest.host)
    assert "is not valid for DNS other.example.org" in refused["delivered"].error
    assert names(rest.plan(**{**REQUEST, **delivered, "alt_names": NAMES}).changes)[:2] == [
        "key.pem",
        "cert.pem",
    ]


def test_what_ends_soon_is_requested_again_with_a_new_key(rest: Setup, elsewhere: Elsewhere) -> None:
    asked = rest.apply(**REQUEST)
    leaf = elsewhere.sign(rest.folder / "request.csr", begins=timedelta(days=-80))
    install(rest, asked, leaf, elsewhere.intermediate)
    plan = rest.plan(**REQUEST)
    assert names(plan.changes) == ["request.key", "request.csr"]
    assert file(plan, "request.key").after != (rest.folder / "key.pem").read_bytes()


def test_other_names_than_the_certificate_has_are_requested(rest: Setup, elsewhere: Elsewhere) -> None:
    asked = rest.apply(**REQUEST)
    install(rest, asked, elsewhere.sign(rest.folder / "request.csr"), elsewhere.intermediate)
    assert not rest.plan(**REQUEST, alt_names=["hub.example.org"]).changed, "fewer do no harm"
    plan = rest.plan(**REQUEST, alt_names=[*NAMES, "other.example.org"])
    assert names(plan.changes) == ["request.key", "request.csr"]


def test_an_answer_that_was_damaged_since_is_requested_again(rest: Setup, elsewhere: Elsewhere) -> None:
    asked = rest.apply(**REQUEST)
    install(rest, asked, elsewhere.sign(rest.folder / "request.csr"), elsewhere.intermediate)
    assert not rest.plan(**REQUEST).changed
    leaf, between = certificates(rest.folder / "cert.pem")
    der = bytearray(leaf.public_bytes(Encoding.DER))
    der[-1] ^= 1  # within the signature
    broken = load_der_x509_certificate(bytes(der))
    (rest.folder / "cert.pem").write_bytes(chain_pem((broken, between)))
    assert names(rest.plan(**REQUEST).changes) == ["request.key", "request.csr"]


@pytest.mark.parametrize("new_keys", [False, True])
def test_what_is_made_anew_is_requested_for_the_same_key_or_a_new_one(
    rest: Setup, elsewhere: Elsewhere, new_keys: bool
) -> None:
    asked = rest.apply(**REQUEST)
    leaf = elsewhere.sign(rest.folder / "request.csr")
    install(rest, asked, leaf, elsewhere.intermediate)
    before = certificates(rest.folder / "cert.pem")
    plan = rest.plan(**REQUEST, reissue=[str(rest.folder / "cert.pem")], new_keys=new_keys)
    assert names(plan.changes) == ["request.key", "request.csr"]
    same = file(plan, "request.key").after == (rest.folder / "key.pem").read_bytes()
    assert same is not new_keys
    asked = transaction.apply(plan, rest.box.state)
    install(rest, asked, elsewhere.sign(rest.folder / "request.csr"), elsewhere.intermediate)
    assert certificates(rest.folder / "cert.pem") != before


# Meanwhile --------------------------------------------------------------------------------------------------


def test_a_pair_in_service_goes_on_serving_while_the_request_waits(rest: Setup, elsewhere: Elsewhere) -> None:
    rest.apply()
    with rest.running():
        assert_proven(rest.prove())
        before = rest.served()

        asked = rest.apply(**REQUEST)
        assert rest.served() == before
        rest.box.restart()
        assert rest.served() == before
        assert_proven(rest.prove())
        first, *others = rest.prove(**REQUEST).results
        assert first.title == "The certificate has come"
        assert "request.csr waits for its certificate" in first.got
        assert {result.got for result in others} == {"not tried"}

        leaf = elsewhere.sign(rest.folder / "request.csr")
        bundle = elsewhere.joined("bundle.pem", leaf, elsewhere.intermediate, elsewhere.root)
        resumed = taken_up(rest, asked, str(bundle))
        run = transaction.apply(rest.plan_of(resumed), rest.box.state)
        assert rest.served() == before, "until the restart"
        rest.box.restart()
        assert rest.served() == ssl.PEM_cert_to_DER_cert(leaf.read_text())
        assert_proven(rest.proof_of(resumed))

        rest.undo(run)
        rest.box.restart()
        assert rest.served() == before


def test_before_anything_was_requested_the_proof_says_so(rest: Setup) -> None:
    result = rest.prove(**REQUEST)
    assert result.results[0].got == "Nothing has been requested yet."
    assert not result.passed
