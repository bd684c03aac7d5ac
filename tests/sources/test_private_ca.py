"""An authority of one's own: made, used again, renewed, replaced, and judged by strict openssl."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.material.samples import guides_authority
from tests.material.verifiers import run
from tests.sources.setups import (
    PASSPHRASE,
    Setup,
    assert_proven,
    certificates,
    changed,
    ends,
    everything,
    mode,
    write,
)
from tests.targets.hub_plans import names
from wizard import transaction
from wizard.errors import WrongAnswer
from wizard.kinds import Choice, Raw
from wizard.material.key_types import KeyType
from wizard.plan import Change, Plan, silent
from wizard.secret import Secret
from wizard.sources import private_ca
from wizard.sources.authority_folder import AuthorityFolder, known
from wizard.sources.clients import Bundle, Clients, Recipe
from wizard.sources.desk import Desk, NewAuthority
from wizard.sources.pair import Wanted
from wizard.targets.hub_grpc import HubGrpc

PEOPLE = ("alice", "rpc.user.1")
OWN: dict[str, Raw] = {"source": "private-ca", "clients": PEOPLE}
NEW: dict[str, Raw] = {**OWN, "protect": False}
PROTECTED: dict[str, Raw] = {**OWN, "passphrase": PASSPHRASE}
PASS = ("-passin", f"pass:{PASSPHRASE.reveal()}")


@pytest.fixture(params=["rest", "grpc"])
def setup(request: pytest.FixtureRequest) -> Setup:
    """A Hub for each of its APIs."""
    found: Setup = request.getfixturevalue(request.param)
    return found


def authority_of(setup: Setup) -> AuthorityFolder:
    """The authority that serves this Hub alone."""
    return AuthorityFolder(setup.folder / ("tls" if setup.target is HubGrpc else "authority"))


def server_of(setup: Setup) -> Path:
    return setup.folder / ("tls/server.crt" if setup.target is HubGrpc else "cert.pem")


def clients_of(setup: Setup) -> Path:
    return setup.folder / "tls" / "clients"


def openssl(*command: str | Path) -> str:
    done = run("openssl", *command)
    assert done.returncode == 0, done.stdout
    return done.stdout


def verdict(root: Path, certificate: Path, *options: str | Path) -> str:
    """What strict openssl says of a certificate, with the chain in its file; empty when it is content."""
    trusted: list[str | Path] = ["-x509_strict", "-check_ss_sig", "-CAfile", root, "-untrusted", certificate]
    done = run("openssl", "verify", *trusted, *options, certificate)
    return "" if done.returncode == 0 else done.stdout


SERVER = ("-purpose", "sslserver", "-verify_hostname", "hub.example.org")
CLIENT = ("-purpose", "sslclient")


def serial(certificate: Path) -> int:
    return certificates(certificate)[0].serial_number


def status(folder: AuthorityFolder, number: int) -> str:
    """What `openssl ca` finds in the register for a serial number."""
    configuration = folder.path.parent / "ca.cnf"
    configuration.write_text(f"[ca]\ndefault_ca = ours\n[ours]\ndatabase = {folder.register}\n")
    digits = f"{number:X}"
    digits = "0" * (len(digits) % 2) + digits
    return run("openssl", "ca", "-config", configuration, "-status", digits).stdout.partition("=")[2]


def told(plan: Plan) -> str:
    return "\n".join(warning.text for warning in plan.warnings)


# Made -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("two_tiers", "protect"),
    [(False, True), (False, False), (True, True)],
    ids=["one tier", "one tier without a passphrase", "two tiers"],
)
def test_an_authority_is_made_and_strict_openssl_is_content_with_all_it_issues(
    setup: Setup, two_tiers: bool, protect: bool
) -> None:
    done = setup.apply(**(PROTECTED if protect else NEW), two_tiers=two_tiers)
    folder, server = authority_of(setup), server_of(setup)

    files = {"ca.crt": 0o644, "ca.key": 0o600, "index.txt": 0o644, "index.txt.attr": 0o644}
    if two_tiers:
        files |= {"intermediate.crt": 0o644, "intermediate.key": 0o600}
    assert {path.name: mode(path) for path in folder.files} == files
    for key in (path for path in folder.files if path.suffix == ".key"):
        assert (b"ENCRYPTED" in key.read_bytes()) is protect
        public = openssl("pkey", "-in", key, "-pubout", *PASS)
        assert public == openssl("x509", "-in", key.with_suffix(".crt"), "-noout", "-pubkey")

    assert verdict(folder.certificate, folder.issuing[0]) == ""
    assert verdict(folder.certificate, server, *SERVER) == ""
    assert len(certificates(server)) == 1 + two_tiers
    issued = [server]
    if setup.target is HubGrpc:
        clients = [clients_of(setup) / f"{name}.crt" for name in PEOPLE]
        assert [verdict(folder.certificate, client, *CLIENT) for client in clients] == ["", ""]
        assert "unsuitable certificate purpose" in verdict(folder.certificate, clients[0], *SERVER)
        assert mode(clients_of(setup)) == 0o700
        issued += clients
    assert "unsuitable certificate purpose" in verdict(folder.certificate, server, *CLIENT)

    assert [status(folder, serial(path)) for path in issued] == ["Valid (V)\n"] * len(issued)
    assert [entry.file for entry in folder.read_register()] == list(map(str, issued))
    assert not setup.plan(**OWN).changed
    setup.undo(done)
    assert not folder.path.exists()


def test_the_expired_client_fails_by_its_date_alone(grpc: Setup) -> None:
    grpc.apply(**NEW, two_tiers=True)
    root, expired = authority_of(grpc).certificate, grpc.folder / "tls" / "expired-client.pem"
    assert "certificate has expired" in verdict(root, expired, *CLIENT)
    at = int((ends(expired) - timedelta(minutes=1)).timestamp())
    # The authority did not exist then; without looking at dates everything is right.
    assert "not yet valid" in verdict(root, expired, *CLIENT, "-attime", str(at))
    assert verdict(root, expired, *CLIENT, "-no_check_time") == ""


def test_an_authority_of_two_tiers_is_proven_by_connections(setup: Setup) -> None:
    setup.apply(**NEW, two_tiers=True)
    with setup.running():
        assert_proven(setup.prove(**OWN))


@pytest.mark.parametrize("two_tiers", [False, True], ids=["one tier", "two tiers"])
def test_nothing_lasts_longer_than_the_authority_that_issued_it(setup: Setup, two_tiers: bool) -> None:
    setup.apply(**NEW, authority_days=60, two_tiers=two_tiers)
    folder = authority_of(setup)
    assert ends(folder.certificate) == ends(folder.issuing[0]) == ends(server_of(setup))
    assert ends(server_of(setup)) < datetime.now(UTC) + timedelta(days=60)
    assert not setup.plan(**OWN).changed, "it cannot be made to last longer"


# Used again -------------------------------------------------------------------------------------------------


def test_another_target_finds_the_authority_and_has_it_issue(rest: Setup) -> None:
    rest.apply(**NEW)
    folder, other = authority_of(rest), Setup(rest.box, HubGrpc)
    assert known(rest.box.state) == (folder,)
    kind = other.sheet(**NEW)["authority"].question.kind
    assert isinstance(kind, Choice)
    assert kind.options[1:] == ((str(folder.path), folder.words()),)
    assert folder.words().endswith(", has issued 1")

    before = everything(folder.path)
    other.apply(**NEW, authority=str(folder.path))
    assert changed(before, folder.path) == {"index.txt"}
    assert verdict(folder.certificate, server_of(other), *SERVER) == ""
    assert verdict(folder.certificate, clients_of(other) / "alice.crt", *CLIENT) == ""
    assert (rest.folder / "tls" / "clients-ca.crt").read_bytes() == folder.certificate.read_bytes()
    assert folder.words().endswith(", has issued 4")
    assert "serves other services too" in told(other.plan(**OWN, authority=str(folder.path)))
    assert not other.plan(**OWN, authority=str(folder.path)).changed
    assert names(rest.plan(**OWN).changes) == ["start.sh"], "which starts one API at a time"


def test_an_authority_that_was_taken_back_is_not_offered(rest: Setup) -> None:
    done = rest.apply(**NEW)
    rest.undo(done)
    assert known(rest.box.state) == ()


def test_with_the_key_of_its_root_kept_elsewhere_it_goes_on(rest: Setup) -> None:
    rest.apply(**PROTECTED, two_tiers=True)
    folder, other = authority_of(rest), Setup(rest.box, HubGrpc)
    folder.key.unlink()
    assert known(rest.box.state) == (folder,)
    other.apply(**PROTECTED, authority=str(folder.path))
    assert verdict(folder.certificate, server_of(other), *SERVER) == ""
    rest.apply(**PROTECTED, reissue=[str(server_of(rest))])
    assert verdict(folder.certificate, server_of(rest), *SERVER) == ""


def test_whose_certificate_is_in_place_issues_the_next_one(rest: Setup) -> None:
    assert rest.sheet()["source"].text == "self-signed"
    rest.apply(**NEW)
    assert rest.sheet()["source"].text == "private-ca"
    assert rest.sheet()["authority"].text == "own"
    assert not rest.plan(**{name: value for name, value in NEW.items() if name != "source"}).changes
    folder, other = authority_of(rest), Setup(rest.box, HubGrpc)
    other.apply(**NEW, authority=str(folder.path))
    assert other.sheet()["authority"].text == str(folder.path)


def test_a_copy_of_a_root_is_no_authority(rest: Setup) -> None:
    rest.apply(**NEW)
    folder, other = authority_of(rest), Setup(rest.box, HubGrpc)
    other.apply(**NEW, authority=str(folder.path))
    assert not authority_of(other).exists
    kind = other.sheet(**NEW)["authority"].question.kind
    assert isinstance(kind, Choice)
    assert kind.options[0] == ("own", "a new one")
    other.apply(**NEW, authority="own")
    assert authority_of(other).exists
    assert certificates(authority_of(other).certificate) != certificates(folder.certificate)
    assert verdict(authority_of(other).certificate, server_of(other), *SERVER) == ""


def test_a_wrong_passphrase_is_told_at_its_question_and_nothing_written(setup: Setup) -> None:
    setup.apply(**PROTECTED)
    before = everything(setup.box.root)
    again: dict[str, Raw] = {**OWN, "reissue": [str(server_of(setup))]}
    answers = setup.answers(**again, passphrase=Secret("wrong"))
    with pytest.raises(WrongAnswer, match="does not open") as wrong:
        setup.plan_of(answers)
    assert wrong.value.question == "passphrase"
    assert everything(setup.box.root) == before
    setup.apply(**again, passphrase=PASSPHRASE)


def test_without_a_passphrase_nothing_is_issued(rest: Setup) -> None:
    rest.apply(**PROTECTED)
    with pytest.raises(WrongAnswer, match="is protected by a passphrase, which is needed") as wrong:
        _ = Desk(authority_of(rest), None, datetime.now(UTC)).authority
    assert wrong.value.question == "passphrase"


def test_a_passphrase_is_asked_for_only_when_something_is_due(setup: Setup) -> None:
    setup.apply(**PROTECTED)
    sheet = setup.sheet(**OWN)
    assert not sheet["passphrase"].applies
    assert not setup.plan(**OWN).changed
    due = setup.sheet(**{**OWN, "alt_names": ["hub.example.org"]})
    assert [entry.question.name for entry in due.wrong] == ["passphrase"]
    assert due["passphrase"].missing
    assert not due["passphrase"].chosen, "it is the one there, so it is not repeated"


@pytest.mark.parametrize(
    "changed", [{"clients": [*PEOPLE, "bob"]}, {"validity_days": 90}], ids=["more", "days"]
)
def test_a_passphrase_is_asked_for_when_only_clients_are_due(grpc: Setup, changed: dict[str, Raw]) -> None:
    grpc.apply(**PROTECTED)
    due = grpc.sheet(**OWN | changed)
    assert [entry.question.name for entry in due.wrong] == ["passphrase"]


def test_a_new_passphrase_is_chosen_and_repeated(setup: Setup) -> None:
    assert setup.sheet(**OWN)["passphrase"].chosen
    assert not setup.sheet(**OWN, protect=False)["passphrase"].applies


# Renewed ----------------------------------------------------------------------------------------------------


def aged(setup: Setup, days: int, *clients: str, authority_days: int = 3650) -> None:
    """An authority without a passphrase, its server and clients, as a run so many days ago left them."""
    then = datetime.now(UTC) - timedelta(days=days)
    answers = setup.answers(**NEW)
    new = NewAuthority("Old CA", authority_days, KeyType.ECDSA_P256)
    desk = Desk(authority_of(setup), None, then, new=new)
    server = answers.issue(setup.host, then, desk)
    people = issued(setup, desk, *clients)
    write((*desk.changes(), *server.changes, *people))


def issued(setup: Setup, desk: Desk, *clients: str) -> tuple[Change, ...]:
    recipe = Recipe(Wanted("", (), 397, KeyType.ECDSA_P256), ())
    make = partial(private_ca.client, desk)
    return Clients(clients_of(setup), clients).issue(make, recipe, Bundle.NONE, None, silent).changes


@pytest.mark.parametrize("days", [0, 300, 365])
def test_what_lasts_thirty_days_is_kept(setup: Setup, days: int) -> None:
    aged(setup, days, *PEOPLE)
    plan = setup.plan(**OWN)
    assert set(names(plan.changes)) <= {"expired-client.pem", "dh.pem", "start.sh"}
    assert "replaced" not in told(plan)


@pytest.mark.parametrize("days", [369, 500])
def test_what_ends_within_thirty_days_is_made_again_by_the_same_authority(setup: Setup, days: int) -> None:
    aged(setup, days, *PEOPLE)
    plan = setup.plan(**OWN)
    assert "it has ended or soon ends" in told(plan)
    before = {data for path, (_, data) in everything(setup.folder).items() if path.endswith((".key", ".pem"))}
    done = setup.apply(**OWN)
    root, written = authority_of(setup).certificate, {step.path for step in done.steps}
    assert root not in written
    assert server_of(setup) in written
    assert verdict(root, server_of(setup), *SERVER) == ""
    assert ends(server_of(setup)) > datetime.now(UTC) + timedelta(days=390)
    if setup.target is HubGrpc:
        assert "They need their new files: alice, rpc.user.1." in told(plan)
        assert verdict(root, clients_of(setup) / "alice.crt", *CLIENT) == ""
    after = {path.read_bytes() for path in written}
    assert not before & after, "with new keys"
    assert not setup.plan(**OWN).changed


def test_only_those_are_made_again_that_are_due(grpc: Setup) -> None:
    aged(grpc, 380, "alice")
    desk = Desk(authority_of(grpc), None, datetime.now(UTC) - timedelta(days=10))
    write((*issued(grpc, desk, "bob"), *desk.changes()))
    before = everything(clients_of(grpc))
    grpc.apply(**{**OWN, "clients": ["alice", "bob"]})
    assert changed(before, clients_of(grpc)) == {"alice.crt", "alice.key"}
    assert len(authority_of(grpc).read_register()) == 5, "server and alice twice, and bob"


@pytest.mark.parametrize("new_keys", [False, True], ids=["the same key", "a new key"])
@pytest.mark.parametrize("which", ["server", "client"])
def test_what_is_made_anew_keeps_its_key_or_gets_a_new_one_and_nothing_else_changes(
    grpc: Setup, which: str, new_keys: bool
) -> None:
    grpc.apply(**NEW)
    path = server_of(grpc) if which == "server" else clients_of(grpc) / "alice.crt"
    before, number = everything(grpc.folder), serial(path)
    plan = grpc.plan(**NEW, reissue=[str(path)], new_keys=new_keys)
    grpc.apply(**NEW, reissue=[str(path)], new_keys=new_keys)
    files = {path, grpc.folder / "tls" / "index.txt", *([path.with_suffix(".key")] if new_keys else [])}
    assert changed(before, grpc.folder) == {str(file.relative_to(grpc.folder)) for file in files}
    assert serial(path) != number
    assert verdict(authority_of(grpc).certificate, path, *(SERVER if which == "server" else CLIENT)) == ""
    assert status(authority_of(grpc), number) == "Valid (V)\n", "it still is, so it stays in the register"
    said = {
        ("server", False): "The certificate there is replaced, for the same key",
        ("server", True): "The certificate there is replaced, with its key",
    }
    assert said.get((which, new_keys), "They need their new files: alice.") in told(plan)
    public = openssl("x509", "-in", path, "-noout", "-pubkey")
    assert public == openssl("pkey", "-in", path.with_suffix(".key"), "-pubout")


def test_only_what_this_setup_has_made_is_made_anew(setup: Setup) -> None:
    setup.apply(**NEW)
    foreign = str(authority_of(setup).certificate)
    sentence = setup.refusal(**NEW, reissue=[foreign])
    assert sentence.startswith(f"{foreign} is not made by this setup. There are: {server_of(setup)}")


# Clients ----------------------------------------------------------------------------------------------------


def test_a_client_is_added_without_touching_the_others(grpc: Setup) -> None:
    grpc.apply(**NEW)
    before = everything(grpc.folder)
    grpc.apply(**{**NEW, "clients": ["alice", "rpc.user.1", "bob@example.org"]})
    assert changed(before, grpc.folder) == {
        "tls/index.txt",
        "tls/clients/bob@example.org.crt",
        "tls/clients/bob@example.org.key",
    }
    client = clients_of(grpc) / "bob@example.org.crt"
    assert verdict(authority_of(grpc).certificate, client, *CLIENT) == ""
    assert "email:bob@example.org" in openssl("x509", "-in", client, "-noout", "-ext", "subjectAltName")


def test_whoever_is_taken_out_loses_every_file_and_no_passphrase_is_needed(grpc: Setup) -> None:
    grpc.apply(**PROTECTED, bundle="pkcs12")
    grpc.apply(**PROTECTED, bundle="pem")
    assert len(list(clients_of(grpc).glob("alice.*"))) == 5
    before = everything(grpc.folder)
    one: dict[str, Raw] = {**OWN, "clients": ["rpc.user.1"], "bundle": "pem", "lock_out": "files"}
    assert not grpc.sheet(**one)["passphrase"].applies
    done = grpc.apply(**one)
    gone = {f"tls/clients/alice.{ending}" for ending in ("crt", "key", "pem", "p12", "p12.password")}
    assert changed(before, grpc.folder) == gone | {"tls/index.txt"}, "it is noted as taken back"
    assert not list(clients_of(grpc).glob("alice.*"))
    assert not grpc.plan(**one).changed
    grpc.undo(done)
    assert everything(grpc.folder) == before


def test_a_new_authority_locks_out_whoever_kept_a_copy(grpc: Setup) -> None:
    grpc.apply(**NEW, bundle="pkcs12")
    folder = authority_of(grpc)
    old = {path.name: serial(path) for path in (server_of(grpc), *clients_of(grpc).glob("*.crt"))}
    subject = certificates(folder.certificate)[0].subject
    copy = grpc.box.root / "copy.crt"
    copy.write_bytes((clients_of(grpc) / "alice.crt").read_bytes())
    assert verdict(folder.certificate, copy, *CLIENT) == ""

    grpc.apply(**{**NEW, "clients": ["rpc.user.1"], "bundle": "pkcs12", "lock_out": "new-authority"})
    assert "unable to get local issuer certificate" in verdict(folder.certificate, copy, *CLIENT)
    assert certificates(folder.certificate)[0].subject != subject, "clients can tell the two apart"
    for path in (server_of(grpc), clients_of(grpc) / "rpc.user.1.crt"):
        assert serial(path) != old[path.name]
        assert verdict(folder.certificate, path, *(SERVER if "server" in path.name else CLIENT)) == ""
    assert [entry.file for entry in folder.read_register()] == [
        str(server_of(grpc)),
        str(clients_of(grpc) / "rpc.user.1.crt"),
    ]
    assert unpacked(clients_of(grpc), "rpc.user.1")[0] == serial(clients_of(grpc) / "rpc.user.1.crt")
    assert not grpc.plan(**{**OWN, "clients": ["rpc.user.1"], "bundle": "pkcs12"}).changed


def test_one_tier_in_place_of_two_leaves_no_intermediate(grpc: Setup) -> None:
    grpc.apply(**NEW, two_tiers=True)
    grpc.apply(**{**NEW, "clients": ["alice"], "lock_out": "new-authority"})
    assert sorted(path.name for path in authority_of(grpc).files) == [
        *("ca.crt", "ca.key", "index.txt", "index.txt.attr")
    ]
    assert verdict(authority_of(grpc).certificate, clients_of(grpc) / "alice.crt", *CLIENT) == ""


def test_what_others_use_too_is_not_replaced(rest: Setup) -> None:
    rest.apply(**NEW)
    shared, other = str(authority_of(rest).path), Setup(rest.box, HubGrpc)
    other.apply(**NEW, authority=shared)
    fewer: dict[str, Raw] = {
        **NEW,
        "clients": ["alice"],
        "authority": shared,
        "lock_out": "new-authority",
    }
    assert other.refusal(**fewer).startswith("Other services use it too, so it is not replaced here")
    other.apply(**{**fewer, "lock_out": "files"})
    assert not (clients_of(other) / "rpc.user.1.crt").exists()


def unpacked(folder: Path, name: str) -> tuple[int, str]:
    """Serial number of the certificate, and the key, that openssl takes out of a PKCS#12 bundle."""
    bundle = folder / f"{name}.p12"
    password = ("-passin", f"file:{bundle}.password")
    certificate = openssl("pkcs12", "-in", bundle, *password, "-nokeys", "-clcerts")
    shown = run("openssl", "x509", "-noout", "-serial", data=certificate.encode()).stdout
    key = openssl("pkcs12", "-in", bundle, *password, "-nocerts", "-noenc")
    return int(shown.strip().removeprefix("serial="), 16), run("openssl", "pkey", data=key.encode()).stdout


@pytest.mark.parametrize("two_tiers", [False, True], ids=["one tier", "two tiers"])
def test_a_pkcs12_bundle_opens_with_its_password_file(grpc: Setup, two_tiers: bool) -> None:
    grpc.apply(**NEW, bundle="pkcs12", two_tiers=two_tiers)
    passwords = set()
    for name in PEOPLE:
        bundle = clients_of(grpc) / f"{name}.p12"
        password = clients_of(grpc) / f"{name}.p12.password"
        assert (mode(bundle), mode(password)) == (0o600, 0o600)
        key = (clients_of(grpc) / f"{name}.key").read_text()
        assert unpacked(clients_of(grpc), name) == (serial(clients_of(grpc) / f"{name}.crt"), key)
        everybody = openssl("pkcs12", "-in", bundle, "-passin", f"file:{password}", "-nokeys")
        assert everybody.count("BEGIN CERTIFICATE") == 1 + two_tiers
        assert run("openssl", "pkcs12", "-in", bundle, "-passin", "pass:", "-noout").returncode != 0
        passwords.add(password.read_text())
    assert len(passwords) == 2
    assert not grpc.plan(**OWN, bundle="pkcs12").changed


def test_a_pem_bundle_holds_key_and_chain(grpc: Setup) -> None:
    grpc.apply(**NEW, bundle="pem", two_tiers=True)
    bundle = clients_of(grpc) / "alice.pem"
    assert mode(bundle) == 0o600
    assert openssl("pkey", "-in", bundle) == (clients_of(grpc) / "alice.key").read_text()
    assert certificates(bundle) == certificates(clients_of(grpc) / "alice.crt")
    assert len(certificates(bundle)) == 2
    assert not grpc.plan(**OWN, bundle="pem").changed


@pytest.mark.parametrize("bundle", ["none", "pem", "pkcs12"])
def test_no_bundle_keeps_a_certificate_that_was_replaced(grpc: Setup, bundle: str) -> None:
    for before in ("pem", "pkcs12"):
        grpc.apply(**NEW, bundle=before)
    alice = clients_of(grpc) / "alice.crt"
    grpc.apply(**NEW, bundle=bundle, reissue=[str(alice)], new_keys=True)
    there = {path.name for path in clients_of(grpc).glob("alice.*")} - {"alice.crt", "alice.key"}
    endings: dict[str, set[str]] = {"none": set(), "pem": {"pem"}, "pkcs12": {"p12", "p12.password"}}
    assert there == {f"alice.{ending}" for ending in endings[bundle]}
    if bundle == "pem":
        assert certificates(alice.with_suffix(".pem")) == certificates(alice)
    if bundle == "pkcs12":
        assert unpacked(clients_of(grpc), "alice")[0] == serial(alice)
    assert (clients_of(grpc) / "rpc.user.1.p12").exists(), "those of others stay"


@pytest.mark.parametrize(
    ("damage", "content"),
    [
        ("alice.p12", None),
        ("alice.p12", b""),
        ("alice.p12.password", None),
        ("alice.p12.password", b""),
        ("alice.p12.password", b"wrong\n"),
    ],
)
def test_a_bundle_that_does_not_open_is_made_again(grpc: Setup, damage: str, content: bytes | None) -> None:
    grpc.apply(**NEW, bundle="pkcs12")
    path = clients_of(grpc) / damage
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert not grpc.sheet(**OWN, bundle="pkcs12")["passphrase"].applies
    done = grpc.apply(**OWN, bundle="pkcs12")
    assert {step.path.name for step in done.steps} == {"alice.p12", "alice.p12.password"}
    assert unpacked(clients_of(grpc), "alice")[0] == serial(clients_of(grpc) / "alice.crt")


def test_a_hundred_clients_take_a_moment(grpc: Setup) -> None:
    people = [f"client-{number:03}" for number in range(100)]
    begun = time.monotonic()
    plan = grpc.plan(**{**NEW, "clients": people})
    transaction.apply(plan, grpc.box.state)
    assert time.monotonic() - begun < 10, "half a second, on a machine that has nothing else to do"
    files = list(clients_of(grpc).iterdir())
    assert len(files) == 200
    assert {mode(path) for path in files if path.suffix == ".key"} == {0o600}
    assert len([change for change in plan.changes if change.path.parent == clients_of(grpc)]) == 200
    serials = [serial(path) for path in (*clients_of(grpc).glob("*.crt"), server_of(grpc))]
    assert len(set(serials)) == 101
    assert min(map(int.bit_length, serials)) > 120, "random, of 159 bits"
    assert len(authority_of(grpc).read_register()) == 101
    root = authority_of(grpc).certificate
    every = sorted(clients_of(grpc).glob("*.crt"))
    command: list[str | Path] = ["-x509_strict", "-check_ss_sig", "-CAfile", root, *CLIENT, *every]
    assert openssl("verify", *command).count(": OK\n") == 100
    assert not grpc.plan(**{**OWN, "clients": people}).changed


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a/b", "letters, digits and"),
        ("../up", "letters, digits and"),
        ("/etc/passwd", "letters, digits and"),
        (".hidden", "begin with a letter or a digit"),
        ("-option", "begin with a letter or a digit"),
        ("a b", "letters, digits and"),
        ("tab\tbed", "control character"),
        ("zürich", "letters, digits and"),
        ("x" * 65, "has 65 characters; at most 64"),
        ("", "This is needed."),
        ("  ", "This is needed."),
    ],
)
def test_a_name_that_can_be_no_file_or_no_common_name_is_refused(grpc: Setup, name: str, said: str) -> None:
    before = everything(grpc.box.root)
    entry = grpc.sheet(**{**NEW, "clients": ["alice", name]})["clients"]
    assert said in entry.error
    assert everything(grpc.box.root) == before


def test_the_longest_name_is_let_through_to_the_certificate(grpc: Setup) -> None:
    name = "x" * 64
    grpc.apply(**{**NEW, "clients": [name]})
    assert verdict(authority_of(grpc).certificate, clients_of(grpc) / f"{name}.crt", *CLIENT) == ""
    assert f"CN = {name}" in openssl("x509", "-in", clients_of(grpc) / f"{name}.crt", "-noout", "-subject")


# Unfit ------------------------------------------------------------------------------------------------------


def expired(setup: Setup) -> None:
    aged(setup, 100, authority_days=60)


def not_yet_valid(setup: Setup) -> None:
    aged(setup, -5)


def without_key(setup: Setup) -> None:
    setup.apply(**NEW)
    authority_of(setup).key.unlink()


def without_certificate(setup: Setup) -> None:
    setup.apply(**NEW)
    authority_of(setup).certificate.unlink()


def by_a_guide(setup: Setup) -> None:
    folder = authority_of(setup).path
    folder.mkdir()
    guides_authority(folder)
    (folder / "ca.pem").rename(folder / "ca.crt")


def damaged_register(setup: Setup) -> None:
    setup.apply(**NEW)
    register = authority_of(setup).register
    register.write_bytes(register.read_bytes()[:-1])


def key_of_another(setup: Setup) -> None:
    setup.apply(**OWN, protect=False)
    openssl(
        *("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
        "-out",
        authority_of(setup).key,
    )


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (not_yet_valid, "The authority Old CA is not valid before 20"),
        (without_key, "ca.key is not there. Put it back"),
        (without_certificate, "ca.key is there, but ca.crt is not"),
        (by_a_guide, "is no authority that strict clients accept"),
        (damaged_register, "The register is damaged in line 1: it breaks off"),
        (key_of_another, "key does not belong to its certificate; one was exchanged"),
    ],
)
def test_an_authority_that_cannot_issue_is_told_with_the_reason(
    rest: Setup, there: Callable[[Setup], None], said: str
) -> None:
    there(rest)
    before = everything(rest.box.root)
    assert said in rest.refusal(**NEW, reissue=[str(server_of(rest))] if server_of(rest).exists() else [])
    assert everything(rest.box.root) == before


def test_an_authority_that_has_ended_is_replaced_by_a_new_one(rest: Setup) -> None:
    expired(rest)
    plan = rest.plan(**NEW)
    (root,) = [change for change in plan.changes if change.path.name == "ca.crt"]
    assert root.about.startswith("authority signer CA 20"), "clients can tell it from the one before"
    rest.apply(**NEW)
    assert not rest.plan(**NEW).changed


def test_a_register_that_was_lost_begins_anew(rest: Setup) -> None:
    rest.apply(**NEW)
    folder = authority_of(rest)
    folder.register.unlink()
    assert not rest.plan(**OWN).changed
    rest.apply(**NEW, reissue=[str(server_of(rest))])
    assert len(folder.read_register()) == 1
