"""The Nano node: what is asked, what is written, and whom the node's own library calls let in afterwards."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.peers.nano.directory import STAND_IN
from tests.peers.nano.parties import (
    CA,
    IN,
    NO_CERTIFICATE,
    UNKNOWN_CA,
    Party,
    client,
    greet,
    party,
)
from tests.peers.nano_node import compiled, missing
from tests.targets.hub_plans import file, names, openssl
from tests.targets.nano_plans import PASSPHRASE, Setup, texts, verdicts
from wizard import preview, review, transaction
from wizard.demo.nano import generated_config
from wizard.demo.nano_config import Build, Era, read_rpc, read_tls
from wizard.errors import Refusal, WizardError
from wizard.kinds import Raw
from wizard.material.certificates import certificate_pem, read_certificates_pem, self_signed_server
from wizard.material.dh import dh_parameters
from wizard.material.key_types import KeyType
from wizard.material.keys import generate, private_pem, read_private_pem
from wizard.material.names import read_name
from wizard.plan import File, Link
from wizard.proof import Proof, Result, Verdict, prove
from wizard.secret import Secret
from wizard.targets.nano import Nano

FINDING = "A stranger's certificate with its own root is refused"
WITHOUT = "A client without a certificate is refused"


@pytest.fixture(scope="module")
def real() -> None:
    """The node's library calls, compiled."""
    if missing():
        pytest.skip(f"NOT RUN: the node's library calls cannot be compiled here; install {missing()}")
    compiled()


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


def of(setup: Setup, name: str) -> Party:
    """A client as it connects with its files."""
    certificate = (setup.tls / "clients" / f"{name}.crt").read_bytes()
    key = (setup.tls / "client-keys" / f"{name}.key").read_bytes()
    return Party(read_certificates_pem(certificate)[0], read_private_pem(key))


def result(proof: Proof, title: str) -> Result:
    return next(one for one in proof.results if one.title == title)


# What is written --------------------------------------------------------------------------------------------


def test_keys_come_before_certificates_and_the_configuration_last(setup: Setup) -> None:
    plan = setup.plan(clients=["alice"])
    assert names(plan.changes) == [
        *("tls", "server.key.pem", "server.cert.pem", "dh2048.pem"),
        *("clients", "client-keys", "alice.key", "alice.crt", "81bf8251.0", "config-tls.toml"),
    ]
    assert [change.path.name for change in plan.changes if isinstance(change, File) and change.secret] == [
        "server.key.pem",
        "alice.key",
    ]
    assert setup.plan().changed
    assert not setup.tls.exists(), "making a plan touches nothing"


def test_the_key_is_under_the_passphrase_that_the_configuration_has(setup: Setup) -> None:
    setup.apply()
    key = setup.tls / "server.key.pem"
    assert key.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    opened = openssl("pkey", "-in", str(key), "-passin", f"pass:{PASSPHRASE.reveal()}", "-pubout")
    assert opened == openssl("x509", "-in", str(setup.tls / "server.cert.pem"), "-noout", "-pubkey")
    said = read_tls(setup.data)
    assert (said.https, said.server_key_passphrase) == (True, PASSPHRASE.reveal())
    assert stat.S_IMODE(setup.node.file("tls").stat().st_mode) == 0o600


def test_only_certificates_are_in_the_folder_that_the_node_reads(setup: Setup) -> None:
    setup.apply(clients=["alice", "bob"], bundle="pkcs12")
    found = sorted(path.name for path in (setup.tls / "clients").iterdir() if not path.is_symlink())
    assert found == ["alice.crt", "bob.crt"]
    assert stat.S_IMODE((setup.tls / "client-keys").stat().st_mode) == 0o700
    kept = sorted(path.name for path in (setup.tls / "client-keys").iterdir())
    assert kept[:3] == ["alice.key", "alice.p12", "alice.p12.password"]


@pytest.mark.parametrize(
    "word", ['it is "so"', "back\\slash", "Zürich ключ", "  blanks  ", "#x = 'y'", "tangerine 4711"]
)
@pytest.mark.parametrize("version", ["22.1", "25.1"])
def test_a_passphrase_is_in_nothing_that_is_shown(tmp_path: Path, word: str, version: str) -> None:
    setup = Setup(tmp_path, version)
    filled = setup.filled(server_passphrase=Secret(word))
    plan = review.prepared(filled, setup.host)
    transaction.apply(plan, setup.state)
    shown = preview.text(plan) + str(preview.as_json(plan)) + repr(plan)
    assert word.strip() not in shown
    assert word.replace("\\", "\\\\").replace('"', '\\"') not in shown
    assert "server_passphrase" not in plan.answers
    said = read_tls(setup.data) if version == "25.1" else read_rpc(setup.data, Era.SECURE_TABLE).tls
    assert said.server_key_passphrase == word
    # A second run finds it there.
    again = setup.sheet(server_passphrase="")
    assert not again["server_passphrase"].applies
    assert again.answers is not None
    assert not again.answers.plan(setup.host).changed


def test_secrets_that_are_there_are_hidden_too(setup: Setup) -> None:
    old = 'server_key_passphrase = "old quartz"'
    commented = '#server_key_passphrase = "older basalt"'
    setup.node.file("rpc").write_text(f"{setup.rpc}\n[secure]\nenable = true\n{old}\n{commented}\n")
    shown = preview.text(setup.plan())
    assert "quartz" not in shown
    assert "basalt" not in shown
    setup.node.file("rpc").write_text('secure = { server_key_passphrase = "in braces granite" }\n')
    assert "granite" not in preview.text(setup.plan())


def test_a_second_plan_changes_nothing_and_undo_leaves_nothing(setup: Setup) -> None:
    before = {path: path.read_bytes() for path in setup.data.rglob("*") if path.is_file()}
    run = setup.apply(clients=["alice"], bundle="pem")
    assert not setup.plan(clients=["alice"], bundle="pem").changed
    transaction.undo(run, setup.state)
    assert {path: path.read_bytes() for path in setup.data.rglob("*") if path.is_file()} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_account_of_the_node_owns_its_files_and_may_write_its_configuration(setup: Setup) -> None:
    setup.node.file("rpc").chmod(0o644)
    plan = setup.plan(account="daemon")
    assert "The node silently ignores this file" in texts(plan)
    transaction.apply(plan, setup.state)
    for path in (setup.node.file("tls"), setup.tls, *setup.tls.rglob("*")):
        assert path.is_symlink() or path.owner() == "daemon"
    setup.node.file("tls").chmod(0o644)
    (change,) = setup.plan(account="daemon").changes
    assert isinstance(change, File)
    assert (change.path, change.mode) == (setup.node.file("tls"), 0o600)


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize("source", ["private-ca", "existing", "request"])
def test_every_source_of_a_server_certificate_is_served(setup: Setup, source: str, tmp_path: Path) -> None:
    more: dict[str, Raw] = {"source": source}
    if source == "private-ca":
        more["passphrase"] = PASSPHRASE
    if source == "existing":
        key = generate(KeyType.RSA_2048)
        listed = tuple(map(read_name, ("localhost", "127.0.0.1", "::1")))
        certificate = self_signed_server(key, "localhost", listed, 90, datetime.now(UTC))
        (tmp_path / "mine.crt").write_bytes(certificate_pem(certificate))
        (tmp_path / "mine.key").write_bytes(private_pem(key, Secret("my own words")))
        more["certificate_file"], more["key_file"] = str(tmp_path / "mine.crt"), str(tmp_path / "mine.key")
        more["key_passphrase"] = Secret("my own words")
        assert not setup.sheet(**more)["unprotected_copy"].applies
    plan = setup.plan(**more)
    if source == "request":
        assert plan.awaits
        assert not setup.sheet(**more)["server_passphrase"].applies
        assert names(plan.changes) == ["tls", "request.key", "request.csr"]
        return
    assert b"BEGIN ENCRYPTED" in (file(plan, "server.key.pem").after or b"")
    transaction.apply(plan, setup.state)
    assert not setup.plan(**more).changed
    with setup.running():
        proof = setup.proven(**more)
    assert proof.passed, proof


# What is asked ----------------------------------------------------------------------------------------------


def test_the_loopback_addresses_are_among_the_names(setup: Setup) -> None:
    entry = setup.sheet(alt_names=["node.example.org"])["alt_names"]
    assert entry.error.startswith("Add ::1 and 127.0.0.1")
    assert entry.default.endswith("127.0.0.1, ::1")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("", "[::1]:7076"),
        ('address = "::ffff:127.0.0.1"\nport = 17076', "127.0.0.1:17076"),
        ('address = "::ffff:0.0.0.0"', "127.0.0.1:7076"),
        ('address = "::"', "[::1]:7076"),
        ('address = "2001:db8::7"', "[2001:db8::7]:7076"),
        ('address = "0.0.0.0"', "[::1]:7076"),
    ],
)
def test_the_address_follows_the_configuration(setup: Setup, written: str, address: str) -> None:
    setup.node.file("rpc").write_text(f"{written}\n")
    assert setup.sheet()["address"].text == address


def test_an_address_of_ipv4_and_control_on_a_public_one_are_told(setup: Setup) -> None:
    setup.node.file("rpc").write_text('address = "0.0.0.0"\n')
    assert 'does not start with "0.0.0.0"' in texts(setup.plan())
    setup.node.file("rpc").write_text('address = "::"\n\nenable_control = true\n')
    (warning,) = [one for one in setup.plan().warnings if one.text.startswith("DANGER")]
    assert (warning.line, warning.path) == (3, setup.node.file("rpc"))
    setup.node.file("rpc").write_text("enable_control = true\n")
    assert "DANGER" not in texts(setup.plan())


def test_an_rpc_that_is_switched_off_is_told(setup: Setup) -> None:
    assert "not switched on" not in texts(setup.plan())
    setup.node.file("node").write_text(generated_config("node"))
    assert "The RPC is not switched on in config-node.toml" in texts(setup.plan())


@pytest.mark.usefixtures("real")
def test_without_clients_nobody_is_asked_and_that_is_told_in_red(setup: Setup) -> None:
    setup.apply(clients=["alice"])
    entry = setup.sheet(clients="")["clients"]
    assert entry.caution.startswith("DANGER: nobody is asked for a certificate")
    plan = setup.plan(clients="")
    assert {"alice.crt", "81bf8251.0"} <= set(names(plan.changes))
    transaction.apply(plan, setup.state)
    assert read_tls(setup.data).client_certs_path == ""
    with setup.running():
        assert greet(setup.node.port) == IN
        assert setup.proven(clients="").passed


def test_what_ends_with_the_restart_is_told(setup: Setup) -> None:
    assert "Programs that use it now stop working" in texts(setup.plan())
    rpc = setup.node.file("rpc")
    for path, is_another in (("tls/clients", False), ("other", True), (f"{setup.tls}/clients/", False)):
        rpc.write_text(f'{setup.rpc}\n[secure]\nclient_certs_path = "{path}"\n')
        assert (f"the clients in {path} get in" in texts(setup.plan())) == is_another
    setup.apply()
    said = texts(setup.plan())
    assert "stop working" not in said
    assert "Until now" not in said


def test_a_configuration_of_the_node_under_a_wrong_name_is_refused(setup: Setup) -> None:
    setup.node.file("rpc").write_text(generated_config("node"))
    entry = setup.sheet()["data_directory"]
    assert entry.refusal is not None
    assert "[node], which belongs into config-node.toml" in str(entry.refusal)
    assert entry.refusal.line


def test_names_that_lead_elsewhere_are_told_with_the_way_out(setup: Setup) -> None:
    plan = setup.plan(alt_names=["node.invalid", "localhost", "127.0.0.1", "::1"])
    assert "do not lead to 127.0.0.1, where the RPC listens: node.invalid." in texts(plan)
    assert "/etc/hosts: 127.0.0.1 node.invalid" in texts(plan)


@pytest.mark.parametrize("given", ["20.0", "V19", "27.0", "V28.2", "nonsense", "-25"])
def test_versions_that_cannot_be_secured(setup: Setup, given: str) -> None:
    assert setup.sheet(node_version=given)["node_version"].error


@pytest.mark.parametrize("given", ["21.0", "V22.1", "Version V25.1", "Nano 25.1", "v26.1", "26", "V24.0DB3"])
def test_versions_as_they_are_told(setup: Setup, given: str) -> None:
    assert not setup.sheet(node_version=given)["node_version"].error


# The traps --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("real")
def test_t14_without_dh_parameters_clients_are_not_checked_and_the_proof_finds_it(setup: Setup) -> None:
    setup.apply()
    dh = setup.tls / "dh2048.pem"
    assert dh.read_bytes() == dh_parameters(2048)
    assert read_tls(setup.data).server_dh_path == str(dh)
    dh.unlink()
    with setup.running():
        assert greet(setup.node.port) == IN, "the node fails open"
        proof = setup.proven()
    assert not proof.passed
    assert result(proof, WITHOUT).verdict is Verdict.FAILED
    assert names(setup.plan().changes) == ["dh2048.pem"]


@pytest.mark.parametrize("version", ["27.0", "V27.1", "Version V28.0"])
def test_t15_from_v27_on_nothing_is_written_and_nginx_is_named(setup: Setup, version: str) -> None:
    sheet = setup.sheet(node_version=version)
    error = sheet["node_version"].error
    assert sheet.answers is None
    assert "no TLS any more" in error
    assert "ignored" in error
    assert "nginx" in error


@pytest.mark.usefixtures("real")
def test_t16_a_secure_table_moves_to_the_file_of_its_own(setup: Setup) -> None:
    other = "\n# of the operator\n[logging]\nlog_rpc = false\n"
    moved = '\n[secure]\nenable = true\nserver_key_passphrase = "words of before"\nverbose_logging = true\n'
    rpc = setup.node.file("rpc")
    rpc.write_text(setup.rpc + moved + other)
    assert "The RPC secure configuration has moved" in setup.node.run(STAND_IN).log
    sheet = setup.sheet(server_passphrase="")
    assert not sheet["server_passphrase"].applies, "that of before is taken"
    setup.apply()
    assert rpc.read_text() == setup.rpc + other
    assert read_tls(setup.data).server_key_passphrase == "words of before"
    with setup.running():
        assert setup.proven().passed
    rpc.write_text(setup.rpc + moved)
    with pytest.raises(AssertionError, match="does not listen"), setup.running():
        pass


@pytest.mark.usefixtures("real")
def test_t17_what_stands_behind_a_value_is_found_and_never_written(tmp_path: Path) -> None:
    setup = Setup(tmp_path, "22.1")
    rpc = setup.node.file("rpc")
    rpc.write_text(f"{setup.rpc}\n[secure]\nenable = false # not yet\nverbose_logging = true \n")
    assert "line 5" in setup.sheet()["data_directory"].caution
    assert "not a boolean" in setup.node.run(STAND_IN).log
    plan = setup.plan()
    assert [warning.line for warning in plan.warnings if "for a part of the value" in warning.text] == [5, 6]
    transaction.apply(plan, setup.state)
    assert "# not yet\nenable = true\n" in rpc.read_text()
    with setup.running():
        assert setup.proven().passed
    rpc.write_text(f"port = {setup.node.port} # the port\n")
    (warning,) = [one for one in setup.plan().warnings if "comment behind port" in one.text]
    assert warning.line == 1


def test_t18_a_byte_order_mark_is_said_and_stops(setup: Setup) -> None:
    for kind in ("rpc", "tls"):
        path = setup.node.file(kind)
        before = path.read_bytes() if path.exists() else b""
        path.write_bytes(b"\xef\xbb\xbf" + before)
        entry = setup.sheet()["data_directory"]
        assert entry.refusal is not None
        assert entry.refusal.path == path
        assert "byte order mark" in entry.error
        path.write_bytes(before)
    assert not setup.sheet()["data_directory"].error


@pytest.mark.usefixtures("real")
def test_t19_a_client_certificate_issues_nothing_and_one_that_could_is_replaced(setup: Setup) -> None:
    setup.apply(clients=["alice"])
    alice = of(setup, "alice").certificate
    assert not alice.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = alice.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    # As the guide makes it, the holder can let others in.
    guide = party("alice", CA)
    (setup.tls / "clients" / "alice.crt").write_bytes(guide.pem)
    (setup.tls / "client-keys" / "alice.key").write_bytes(guide.key_pem)
    with setup.running():
        assert greet(setup.node.port, guide.issue("mallory"), guide) == IN
    plan = setup.plan(clients=["alice"])
    assert "They need their new files: alice." in texts(plan)
    transaction.apply(plan, setup.state)
    with setup.running():
        assert greet(setup.node.port, of(setup, "alice")) == IN
        assert greet(setup.node.port, of(setup, "alice").issue("mallory"), of(setup, "alice")) != IN


def test_t19_a_certificate_of_the_guide_that_is_not_ours_is_told(setup: Setup) -> None:
    folder = setup.tls / "clients"
    folder.mkdir(parents=True)
    guide = party("rpc.user.9", CA)
    (folder / "rpcuser9.cert.pem").write_bytes(guide.pem)
    (folder / "rpcuser9.key.pem").write_bytes(guide.key_pem)
    (folder / f"{guide.hash}.0").symlink_to("rpcuser9.cert.pem")
    said = texts(setup.plan())
    assert "rpcuser9.cert.pem (rpc.user.9) is let in too, and can issue certificates itself" in said
    assert "The private key of a client lies in rpcuser9.key.pem" in said
    setup.apply()
    assert (folder / f"{guide.hash}.0").is_symlink(), "somebody else's stays"


@pytest.mark.usefixtures("real")
def test_t20_the_bypass_is_a_finding_on_the_node_with_what_to_do(setup: Setup) -> None:
    assert "together with its root gets in too" in texts(setup.plan())
    setup.apply()
    with setup.running():
        proof = setup.proven()
        found = result(proof, FINDING)
        assert proof.passed
        assert found.verdict is Verdict.FINDING
        assert found.got.startswith("got in: TLS 1.2")
        assert "tunnel" in found.advice[0].text
        said = subprocess.run(["bash", "-c", found.command], capture_output=True, text=True, check=False)
        assert said.stdout.startswith("HTTP/1.1 200 OK"), said.stderr
    assert list(verdicts(proof).values()).count(Verdict.PASSED) == len(proof.results) - 1


@pytest.mark.usefixtures("real")
def test_t21_a_certificate_that_is_made_again_has_a_subject_of_its_own(setup: Setup) -> None:
    setup.apply(clients=["alice", "bob"])
    path = str(setup.tls / "clients" / "alice.crt")
    subjects = [setup.subject("alice")]
    with setup.running():
        assert greet(setup.node.port, of(setup, "alice")) == IN
        for new_keys in (False, True):
            said = texts(setup.plan(clients=["alice", "bob"], reissue=[path], new_keys=new_keys))
            assert "alice: the certificate from before also gets in until the node is restarted" in said
            setup.apply(clients=["alice", "bob"], reissue=[path], new_keys=new_keys)
            assert greet(setup.node.port, of(setup, "alice")) == IN, "without a restart"
            assert greet(setup.node.port, of(setup, "bob")) == IN
            subjects.append(setup.subject("alice"))
    assert subjects == ["CN=alice", "2.5.4.5=1,CN=alice", "2.5.4.5=2,CN=alice"]
    assert len(setup.hashes()) == 2
    assert not setup.plan(clients=["alice", "bob"]).changed
    assert "differ in capitals only" in setup.sheet(clients=["alice", "Alice"])["clients"].error


@pytest.mark.usefixtures("real")
def test_t21_a_subject_that_somebody_else_has_is_not_used_again(setup: Setup) -> None:
    folder = setup.tls / "clients"
    folder.mkdir(parents=True)
    other = client("alice")
    other.install(folder)
    setup.apply(clients=["alice"])
    with setup.running():
        assert greet(setup.node.port, of(setup, "alice")) == IN
        assert greet(setup.node.port, other) == IN


@pytest.mark.usefixtures("real")
def test_t22_certificates_are_found_by_links_and_those_that_lead_nowhere_go(setup: Setup) -> None:
    setup.apply(clients=["alice", "bob"])
    folder = setup.tls / "clients"
    hashes = setup.hashes()
    assert sorted(hashes.values()) == ["alice.crt", "bob.crt"]
    assert set(hashes) == {f"{of(setup, name).hash}.0" for name in ("alice", "bob")}
    alice = folder / f"{of(setup, 'alice').hash}.0"
    alice.unlink()
    with setup.running():
        assert greet(setup.node.port, of(setup, "alice")) == UNKNOWN_CA
        (folder / "deadbeef.0").symlink_to("nobody.crt")
        (folder / "deadbeef.1").symlink_to("alice.crt")
        plan = setup.plan(clients=["alice", "bob"])
        assert {(one.path.name, one.after) for one in plan.changes if isinstance(one, Link)} == {
            (alice.name, "alice.crt"),
            ("deadbeef.0", None),
            ("deadbeef.1", None),
        }
        transaction.apply(plan, setup.state)
        assert greet(setup.node.port, of(setup, "alice")) == IN
    shutil.move(setup.data, setup.root / "moved")
    assert (setup.root / "moved" / "tls" / "clients" / alice.name).exists(), "the links are relative"


@pytest.mark.usefixtures("real")
def test_t23_who_is_taken_out_gets_in_until_the_restart_and_the_proof_says_so(setup: Setup) -> None:
    setup.apply(clients=["alice", "bob"])
    bob = of(setup, "bob")
    title = "Clients taken out are locked out"
    with setup.running():
        assert greet(setup.node.port, bob) == IN
        assert verdicts(setup.proven(clients=["alice", "bob"]))[title] is Verdict.PASSED
        plan = setup.plan(clients=["alice"])
        assert "bob: still gets in until the node is restarted" in texts(plan)
        assert plan.advice[0].text.startswith(("Restart", "Start"))
        assert {"bob.crt", "bob.key", f"{bob.hash}.0"} == set(names(plan.changes))
        transaction.apply(plan, setup.state)
        later = (setup.tls / "clients").stat().st_mtime + 5
        os.utime(setup.tls / "clients", (later, later))
        assert greet(setup.node.port, bob) == IN, "the node remembers"
        found = result(setup.proven(clients=["alice"]), title)
        assert found.verdict is Verdict.FINDING
        assert "until it is restarted" in found.meaning
    os.utime(setup.tls / "clients")
    with setup.running():
        assert greet(setup.node.port, bob) == UNKNOWN_CA
        assert setup.proven(clients=["alice"]).passed


@pytest.mark.usefixtures("real")
def test_t24_paths_are_absolute_so_the_node_may_be_started_anywhere(setup: Setup) -> None:
    setup.apply()
    said = read_tls(setup.data)
    paths = (said.server_cert_path, said.server_key_path, said.server_dh_path, said.client_certs_path)
    assert all(Path(path).is_absolute() for path in paths)
    with setup.node.running(cwd=Path("/")):
        assert greet(setup.node.port) == NO_CERTIFICATE
        assert setup.proven().passed


@pytest.mark.parametrize("version", ["22.1", "25.1"])
def test_t25_a_build_without_tls_is_named_before_the_questions(tmp_path: Path, version: str) -> None:
    note = Nano.pages[0].note
    assert "Official builds and images of the node have no TLS" in note
    setup = Setup(tmp_path, version)
    told = texts(setup.plan())
    setup.apply()
    node = replace(setup.node, build=Build(version, secure_rpc=False))
    said = node.run(STAND_IN).log
    words = "not built with NANO_SECURE_RPC" if version == "25.1" else "not compiled with TLS support"
    assert words in said
    assert words in told


# The proof --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize("version", ["21.3", "22.1", "23.0", "26.1"])
def test_every_version_that_has_tls_is_proven(tmp_path: Path, version: str) -> None:
    setup = Setup(tmp_path, version)
    setup.apply(clients=["alice", "bob@example.org", "billing.example.com"], key_type="rsa-2048")
    with setup.running():
        proof = setup.proven(clients=["alice", "bob@example.org", "billing.example.com"], key_type="rsa-2048")
    assert proof.passed, proof
    assert [title for title, verdict in verdicts(proof).items() if verdict is not Verdict.PASSED] == [FINDING]
    assert result(proof, "All clients are accepted").got == "all 3 accepted"


@pytest.mark.parametrize("version", ["22.1", "25.1"])
def test_the_stand_in_of_the_demo_is_proven_too(tmp_path: Path, version: str) -> None:
    setup = Setup(tmp_path, version)
    setup.apply()
    with setup.running(STAND_IN):
        assert set(verdicts(setup.proven()).values()) == {Verdict.PASSED}


@pytest.mark.usefixtures("real")
def test_a_node_that_was_not_restarted_is_told_apart(setup: Setup) -> None:
    with setup.running():
        setup.apply()
        later = setup.node.file("tls").stat().st_mtime + 5
        os.utime(setup.node.file("tls"), (later, later))
        proof = setup.proven()
    assert not proof.passed
    found = result(proof, "The node runs with these settings")
    assert "it still runs with its old settings" in found.got
    assert found.advice[0].text.startswith("Restart the node")


@pytest.mark.usefixtures("real")
def test_a_configuration_that_was_changed_again_is_found(setup: Setup) -> None:
    setup.apply()
    tls, filled = setup.node.file("tls"), setup.filled()
    with setup.running():
        for before, after, said in (
            ("enable_https = true", "enable_https = false", "does not set enable_https"),
            ("enable_https = true", "enable_https = true # on", "in a way that the node reads"),
            ("enable_https", "\ufeffenable_https", "byte order mark"),
        ):
            text = tls.read_text()
            tls.write_text(text.replace(before, after, 1))
            found = result(prove(filled.proof(setup.look())), "The configuration sets TLS")
            assert found.verdict is Verdict.FAILED
            assert said in found.got
            tls.write_text(text)
        assert result(setup.proven(), "The configuration sets TLS").verdict is Verdict.PASSED


def test_a_file_that_goes_between_the_questions_and_the_plan_is_a_refusal(setup: Setup) -> None:
    filled = setup.filled()
    setup.node.file("rpc").write_bytes(b"\xef\xbb\xbf")
    with pytest.raises(Refusal, match="byte order mark"):
        filled.plan(setup.host)
    shutil.rmtree(setup.data)
    with pytest.raises(WizardError):
        review.prepared(filled, setup.host)
