"""SanteDB on Mono: what is asked, what is written, and what Mono's own listener then serves."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.material.test_mono_keys import fitting, short_of
from tests.peers.santedb import CONFIG, Installation
from tests.sources.elsewhere import Elsewhere
from tests.targets.hub_plans import file, names
from tests.targets.santedb_plans import NAMES, Setup, setup, texts
from wizard import preview, review, transaction
from wizard.connecting.set_up_here import servers
from wizard.errors import BadAnswers, Refusal, WizardError
from wizard.kinds import Raw
from wizard.material import keys as material_keys
from wizard.material.certificates import certificate_pem, self_signed_server
from wizard.material.key_types import KeyType
from wizard.material.keys import PrivateKey, generate, private_pem
from wizard.material.mono_keys import read_pvk, why_unfit
from wizard.material.names import read_name
from wizard.plan import Directory
from wizard.probe import Endpoint, Handshake, plain_http, tls
from wizard.proof import Proof, Result, Verdict, prove
from wizard.secret import Secret
from wizard.targets import named
from wizard.targets.santedb import SanteDb

ROOT_ONLY = "Clients that have only the root accept it"
OLD_TLS = "TLS 1.0 and 1.1 are refused"
EVERY_NAME = "It answers to every name"


@pytest.fixture
def santedb(tmp_path: Path) -> Iterator[Setup]:
    with setup(tmp_path) as there:
        yield there


@pytest.fixture
def loopback(tmp_path: Path) -> Iterator[Setup]:
    with setup(tmp_path, "127.0.0.1") as there:
        yield there


def result(proof: Proof, title: str) -> Result:
    (found,) = [one for one in proof.results if one.title == title]
    return found


@contextmanager
def running(santedb: Setup) -> Iterator[None]:
    with santedb.there.running():
        yield


def handed_over(key: PrivateKey, folder: Path, passphrase: Secret | None = None) -> dict[str, Raw]:
    """The answers that give a certificate for this key."""
    certificate = self_signed_server(key, "localhost", tuple(map(read_name, NAMES)), 300, datetime.now(UTC))
    (folder / "given.crt").write_bytes(certificate_pem(certificate))
    (folder / "given.key").write_bytes(private_pem(key, passphrase))
    return {
        "source": "existing",
        "certificate_file": str(folder / "given.crt"),
        "key_file": str(folder / "given.key"),
    }


# From the answers to the proof ------------------------------------------------------------------------------


@pytest.mark.parametrize("key_type", ["rsa-2048", "rsa-3072", "rsa-4096"])
def test_what_is_written_is_served_and_proven(santedb: Setup, key_type: str) -> None:
    santedb.apply(key_type=key_type)
    with running(santedb):
        proof = santedb.proven(key_type=key_type)
    assert proof.passed
    assert proof.count(Verdict.FAILED) == proof.count(Verdict.SKIPPED) == 0
    assert [one.title for one in proof.results if one.verdict is Verdict.FINDING] == [OLD_TLS]
    assert "nginx" in result(proof, OLD_TLS).meaning


def test_without_a_restart_the_proof_says_so(santedb: Setup) -> None:
    with running(santedb):
        santedb.apply()
        os.utime(santedb.config, (datetime.now(UTC).timestamp() + 5,) * 2)
        proof = santedb.proven()
    assert not proof.passed
    assert "Restart it." in result(proof, "SanteDB runs with these settings").got


def test_an_address_without_the_files_is_a_failure_with_the_reason(santedb: Setup) -> None:
    santedb.apply()
    for path in santedb.there.listener.glob("*.pvk"):
        path.unlink()
    with running(santedb):
        proof = santedb.proven()
        found = SanteDb.find(santedb.look())
    assert not proof.passed
    assert "every connection is reset" in result(proof, "Mono has certificate and key").meaning
    assert any("every connection is reset" in warning.text for warning in found.warnings)


def test_a_second_run_changes_nothing(santedb: Setup) -> None:
    santedb.apply()
    again = santedb.plan()
    assert again.changes == ()
    assert santedb.config in again.kept
    assert santedb.there.listener / f"{santedb.there.port}.pvk" in again.kept


def test_undo_brings_everything_back(santedb: Setup) -> None:
    before = santedb.config.read_bytes()
    run = santedb.apply()
    assert santedb.config.read_bytes() != before
    transaction.undo(run, santedb.host.state)
    assert santedb.config.read_bytes() == before
    assert not (santedb.there.home / ".config").exists()
    assert not santedb.tls.exists()


def test_as_many_lines_change_as_there_are_endpoints_and_one_for_the_base_address(santedb: Setup) -> None:
    before = santedb.config.read_text().splitlines()
    santedb.apply()
    after = santedb.config.read_text().splitlines()
    assert len(after) == len(before) + 1
    assert len([line for line in after if line not in before]) == 3
    assert (
        f'<!-- <endpoint contract="old" address="http://0.0.0.0:{santedb.there.port}/old" /> -->'
        in "".join(after)
    )


def test_keys_come_before_certificates_before_the_configuration(santedb: Setup) -> None:
    written = [name for name in names(santedb.plan().changes) if "." in name.strip(".")]
    port = santedb.there.port
    assert written == ["server.key", "server.crt", f"{port}.pvk", f"{port}.cer", "santedb.config.xml"]


def test_the_key_is_the_accounts_alone(santedb: Setup) -> None:
    santedb.apply()
    pvk = santedb.there.listener / f"{santedb.there.port}.pvk"
    assert stat.S_IMODE(pvk.stat().st_mode) == 0o600
    assert stat.S_IMODE(santedb.there.listener.stat().st_mode) == 0o700
    pvk.chmod(0o644)
    plan = santedb.plan()
    assert names(plan.changes) == [pvk.name]
    assert file(plan, pvk.name).mode == 0o600


def test_passwords_in_the_configuration_and_keys_are_not_shown(santedb: Setup) -> None:
    config = santedb.config.read_text()
    santedb.config.write_text(
        config.replace('<section xsi:type="RestC', '<x hmacKey="S3" /><section xsi:type="RestC')
    )
    plan = santedb.plan()
    said = preview.text(plan) + str(preview.as_json(plan)) + repr(plan)
    assert "Very-Secret-9" not in said
    assert "PRIVATE KEY" not in said
    assert all(change.secret for change in plan.changes if change.path.suffix in (".key", ".pvk"))  # type: ignore[union-attr]  # they are files


def test_another_certificate_there_is_replaced_with_a_word(santedb: Setup) -> None:
    santedb.there.listener.mkdir(parents=True)
    certificate = santedb.there.listener / f"{santedb.there.port}.cer"
    certificate.write_bytes(b"other")
    assert "there is replaced: its key is missing." in texts(santedb.plan())
    certificate.with_suffix(".pvk").write_bytes(b"other")
    assert "there is replaced, with its key." in texts(santedb.plan())


@pytest.mark.parametrize("new_keys", [False, True], ids=["same key", "new key"])
def test_a_certificate_made_anew_says_whether_its_key_is(santedb: Setup, new_keys: bool) -> None:
    santedb.apply()
    port, key = santedb.there.port, santedb.there.listener / f"{santedb.there.port}.pvk"
    before = key.read_bytes()
    plan = santedb.plan(reissue=[str(santedb.tls / "server.crt")], new_keys=new_keys)
    (said,) = (one.text for one in plan.warnings if one.path == key.with_suffix(".cer"))
    how = "with its key" if new_keys else "for the same key"
    assert said == f"The certificate of port {port} there is replaced, {how}."
    transaction.apply(plan, santedb.host.state)
    assert (key.read_bytes() == before) is not new_keys


def test_certificates_from_an_own_authority_are_served(santedb: Setup) -> None:
    answers: dict[str, Raw] = {"source": "private-ca", "protect": False}
    plan = santedb.plan(**answers)
    assert "clients.pem" not in names(plan.changes)
    transaction.apply(plan, santedb.host.state)
    with running(santedb):
        proof = santedb.proven(**answers)
    assert proof.passed
    assert result(proof, ROOT_ONLY).verdict is Verdict.PASSED


def test_a_connector_is_offered_what_its_clients_are_given(santedb: Setup) -> None:
    answers = santedb.filled(source="private-ca", protect=False, two_tiers=True)
    transaction.apply(review.prepared(answers, santedb.host), santedb.host.state)
    (server,) = servers(santedb.host)
    assert server.offer.service.endpoint == Endpoint("127.0.0.1", santedb.there.port)
    assert server.offer.service.ca == santedb.tls / "clients.pem"
    assert len(server.authorities()) == 2


def test_a_request_leaves_everything_else_as_it_is_and_its_key_fits_mono(santedb: Setup) -> None:
    plan = santedb.plan(source="request")
    assert plan.awaits == santedb.tls / "server.crt"
    assert {"request.key", "request.csr"} == {*names(plan.changes)} - {"tls"}
    key = material_keys.read_private_pem(file(plan, "request.key").after or b"")
    assert not why_unfit(key)


def test_the_way_is_walked_by_the_headless_functions(santedb: Setup) -> None:
    assert named("santedb") is SanteDb
    assert review.prepared(santedb.filled(), santedb.host, lambda _: None).changed


# The endpoints ----------------------------------------------------------------------------------------------


def test_another_port_is_taken_and_the_same_answers_serve_again(santedb: Setup) -> None:
    new = Installation(santedb.there.root / "other").port
    answers: dict[str, Raw] = {"port": new, "endpoints": [str(santedb.there.port)]}
    santedb.apply(**answers)
    assert (santedb.there.listener / f"{new}.pvk").exists()
    assert f"https://0.0.0.0:{new}/hdsi" in santedb.config.read_text()
    with running(santedb):
        assert santedb.proven(**answers).passed
    assert santedb.plan(**answers).changes == ()
    assert f"All endpoints are on port {new} now" in santedb.sheet(**answers)["endpoints"].caution


def test_a_port_that_is_taken_is_refused(santedb: Setup) -> None:
    other = replace(santedb.host.services[0], pid=1, program="nginx", listening=(("0.0.0.0", 8443),))
    here = replace(santedb.host, services=(*santedb.host.services, other))
    assert "nginx (pid 1) listens on port 8443 already" in santedb.sheet(here, port=8443)["port"].error


@pytest.mark.parametrize(
    "named", ["/hdsi", "hdsi", "HDSI", "IHdsiServiceContract", "http://0.0.0.0:{port}/hdsi"]
)
def test_an_endpoint_may_be_named_in_several_ways(santedb: Setup, named: str) -> None:
    entry = santedb.sheet(endpoints=[named.format(port=santedb.there.port)])["endpoints"]
    assert not entry.error
    assert "/hdsi, /ami" in entry.caution


def test_what_is_not_there_is_told_with_what_is(santedb: Setup) -> None:
    error = santedb.sheet(endpoints=["/nothing"])["endpoints"].error
    assert 'no endpoint "/nothing"' in error
    assert str(santedb.there.port) in error


@pytest.mark.parametrize(
    "given", ["http://x", "https://", "https://a/b", "https://a:x", "nonsense", "https://u@h"]
)
def test_a_public_url_that_is_none_is_refused(santedb: Setup, given: str) -> None:
    assert "https://" in santedb.sheet(public_url=given)["public_url"].error


@pytest.mark.parametrize("given", ["a b", "x/y", "[::x]", "a:1", '"'])
def test_a_host_that_is_none_is_refused(santedb: Setup, given: str) -> None:
    assert santedb.sheet(host=given)["host"].error


def test_an_account_that_there_is_not_is_refused(santedb: Setup) -> None:
    assert "no account" in santedb.sheet(service_user="no-such-account")["service_user"].error
    assert santedb.sheet(service_user="")["service_user"].error


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: only root can give files to another account")
def test_root_writes_nothing_where_the_account_may_not(santedb: Setup) -> None:
    santedb.there.home.mkdir(exist_ok=True)
    service = replace(santedb.host.services[0], user="nobody")
    here = replace(santedb.host, services=(service,))
    entry = santedb.sheet(here)["service_user"]
    assert entry.text == "nobody"
    assert "does not belong to nobody" in entry.error
    os.chown(santedb.there.home, 65534, 65534)
    plan = santedb.filled(here).plan(here)
    assert file(plan, f"{santedb.there.port}.pvk").owner is not None
    folders = [
        one for one in plan.changes if isinstance(one, Directory) and one.path == santedb.there.listener
    ]
    assert folders[0].owner is not None and folders[0].owner.uid == 65534


# The traps --------------------------------------------------------------------------------------------------


def test_t26_a_certificate_in_the_configuration_is_of_no_effect_and_the_real_place_is_written(
    santedb: Setup,
) -> None:
    filled = '<certificate findType="FindByThumbprint" storeName="My" findValue="AB" />'
    assert "never reads" not in texts(santedb.plan()), "an empty one says nothing"
    config = santedb.config.read_text().replace("<certificate />", filled)
    santedb.config.write_text(config.replace("http://0.0.0.0", "https://0.0.0.0"))
    with running(santedb):
        endpoint = Endpoint("127.0.0.1", santedb.there.port)
        assert not isinstance(tls(endpoint, "localhost"), Handshake), (
            "named, https, and every handshake is reset"
        )
    plan = santedb.plan()
    assert "which SanteDB never reads when it runs" in texts(plan)
    transaction.apply(plan, santedb.host.state)
    assert filled in santedb.config.read_text()
    with running(santedb):
        assert santedb.proven().passed


def test_t27_the_folder_is_that_of_mono_for_the_account_of_the_service(santedb: Setup) -> None:
    lore = santedb.there.home / ".mono" / "httplistener"
    lore.mkdir(parents=True)
    (lore / f"{santedb.there.port}.cer").write_bytes(b"by the manual")
    plan = santedb.plan()
    assert f"Mono does not look in {lore}" in texts(plan)
    transaction.apply(plan, santedb.host.state)
    assert {path.suffix for path in santedb.there.listener.iterdir()} == {".cer", ".pvk"}
    with running(santedb):
        assert santedb.proven().passed


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: only root can run it as another account")
def test_t27_another_account_finds_its_files_in_its_own_home() -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    with TemporaryDirectory() as folder, setup(Path(folder)) as santedb:
        os.chown(santedb.there.home, nobody, nobody)
        with santedb.there.running(nobody):
            here = santedb.look()
            answers = santedb.filled(here)
            plan = answers.plan(here)
        assert answers.service_user == "nobody"
        transaction.apply(plan, here.state)
        assert {path.stat().st_uid for path in santedb.there.listener.iterdir()} == {nobody}
        assert {
            path.stat().st_mode & 0o077
            for path in (santedb.there.listener, *santedb.there.listener.glob("*.pvk"))
        } == {0}
        with santedb.there.running(nobody):
            assert santedb.proven().passed


def test_t28_keys_are_generated_until_mono_can_load_one(
    santedb: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = fitting()
    made: list[PrivateKey] = [short_of("d"), short_of("dp"), good]
    monkeypatch.setattr(material_keys, "generate", lambda _: made.pop(0))
    plan = santedb.plan()
    assert made == []
    written = read_pvk(file(plan, f"{santedb.there.port}.pvk").after or b"")
    assert written.public_key() == good.public_key()


def test_t28_a_key_that_is_there_is_repaired_and_served(santedb: Setup, tmp_path: Path) -> None:
    answers = handed_over(short_of("d"), tmp_path)
    santedb.apply(**answers)
    with running(santedb):
        assert santedb.proven(**answers).passed


def test_t28_a_key_beyond_repair_is_explained(santedb: Setup, tmp_path: Path) -> None:
    error = santedb.sheet(**handed_over(short_of("dp"), tmp_path))["key_file"].error
    assert "valid, but Mono cannot load it" in error
    assert "nginx" in error


def test_t28_so_is_one_under_a_passphrase(santedb: Setup, tmp_path: Path) -> None:
    secret = Secret("correct horse battery staple")
    answers = handed_over(short_of("dp"), tmp_path, secret)
    with pytest.raises(BadAnswers, match="Mono cannot load it"):
        santedb.plan(**answers, key_passphrase=secret, unprotected_copy=True)
    assert not santedb.tls.exists()


def test_t28_only_rsa_keys_are_taken(santedb: Setup, tmp_path: Path) -> None:
    error = santedb.sheet(**handed_over(generate(KeyType.ECDSA_P256), tmp_path))["certificate_file"].error
    assert error.startswith("Mono takes RSA keys only, and this is ECDSA P-256")


def test_t29_all_endpoints_of_a_port_go_together(santedb: Setup) -> None:
    santedb.apply(endpoints=["/hdsi"])
    text = santedb.config.read_text()
    assert f"https://0.0.0.0:{santedb.there.port}/ami" in text
    assert text.count("https://0.0.0.0") == 2


def test_t29_where_they_differ_the_first_wins_and_that_is_found_and_mended(santedb: Setup) -> None:
    santedb.apply()
    config = santedb.config.read_text()
    santedb.config.write_text(config.replace("https://0.0.0.0", "http://0.0.0.0", 1))
    endpoint = Endpoint("127.0.0.1", santedb.there.port)
    with running(santedb):
        assert not isinstance(tls(endpoint, "localhost"), Handshake), "https is configured second, and lost"
        assert plain_http(endpoint, "localhost")
        found = SanteDb.find(santedb.look())
        assert not santedb.proven().passed
    assert any("some endpoints are http and others https" in warning.text for warning in found.warnings)
    santedb.apply()
    assert santedb.config.read_text() == config


def test_t30_loopback_answers_to_no_other_name(loopback: Setup) -> None:
    entry = loopback.sheet()["host"]
    assert entry.text == "127.0.0.1"
    assert "Only programs on this host reach it" in entry.caution
    assert "400 Invalid host" in loopback.sheet(alt_names=NAMES)["alt_names"].caution
    loopback.apply(alt_names=NAMES)
    with running(loopback):
        proof = loopback.proven(alt_names=NAMES)
    assert not proof.passed
    assert "Invalid host" in result(proof, EVERY_NAME).got
    assert "0.0.0.0" in result(proof, EVERY_NAME).meaning


def test_t30_every_name_is_answered_once_the_host_is_another(loopback: Setup) -> None:
    assert "opened to others" in loopback.sheet(host="0.0.0.0")["host"].caution
    loopback.apply(host="0.0.0.0")
    with running(loopback):
        assert loopback.proven(host="0.0.0.0").passed


def test_t30_by_default_the_names_are_those_that_are_answered(loopback: Setup) -> None:
    answers = loopback.sheet(alt_names=[]).entries
    assert next(one.default for one in answers if one.question.name == "alt_names") == "127.0.0.1"


@pytest.mark.parametrize(
    ("there", "given", "then"),
    [
        ("", "https://api.example.org:8443", "https://api.example.org:8443"),
        (
            "<baseAddress>http://old.example.org:1</baseAddress>",
            "https://n.example.org",
            "https://n.example.org",
        ),
        ("<baseAddress />", "https://n.example.org", "https://n.example.org"),
        ("<baseAddress>http://old.example.org</baseAddress>", "", "http://old.example.org"),
    ],
)
def test_t31_the_base_address_is_set_or_updated(santedb: Setup, there: str, given: str, then: str) -> None:
    start = '<section xsi:type="RestConfigurationSection">'
    santedb.config.write_text(santedb.config.read_text().replace(start, f"{start}\n    {there}"))
    santedb.apply(public_url=given)
    text = santedb.config.read_text()
    assert text.count("<baseAddress") == 1
    assert f"<baseAddress>{then}</baseAddress>" in text


def test_t31_it_is_asked_with_the_name_that_is_there(santedb: Setup) -> None:
    start = '<section xsi:type="RestConfigurationSection">'
    there = f"<baseAddress>http://api.example.org:{santedb.there.port}</baseAddress>"
    santedb.config.write_text(santedb.config.read_text().replace(start, f"{start}{there}"))
    entry = santedb.sheet()["public_url"]
    assert entry.default == f"https://api.example.org:{santedb.there.port}"
    assert "api.example.org" in santedb.sheet()["alt_names"].caution


def test_t32_intermediates_are_said_and_bundled_and_the_proof_finds_who_lacks_them(santedb: Setup) -> None:
    answers: dict[str, Raw] = {"source": "private-ca", "protect": False, "two_tiers": True}
    assert "clients.pem" in santedb.sheet(**answers)["two_tiers"].caution
    plan = santedb.plan(**answers)
    assert "not the 1 intermediate certificate behind it" in texts(plan)
    assert "nginx" in texts(plan)
    assert any(f"Give clients {santedb.tls / 'clients.pem'} to trust" in one.text for one in plan.advice)
    bundle = file(plan, "clients.pem").after or b""
    assert bundle.count(b"BEGIN CERTIFICATE") == 2
    transaction.apply(plan, santedb.host.state)
    with running(santedb):
        proof = santedb.proven(**answers)
    assert proof.passed, "with the bundle clients accept it"
    finding = result(proof, ROOT_ONLY)
    assert finding.verdict is Verdict.FINDING
    assert str(santedb.tls / "clients.pem") in finding.advice[0].text


def test_t32_so_for_a_certificate_from_elsewhere(santedb: Setup, tmp_path: Path) -> None:
    elsewhere = Elsewhere(tmp_path / "elsewhere")
    santedb.apply(source="request")
    leaf = elsewhere.sign(santedb.tls / "request.csr", "as_requested")
    came = [str(leaf), str(elsewhere.intermediate), str(elsewhere.root)]
    plan = santedb.plan(source="request", delivered=came)
    assert "1 intermediate certificate behind it" in texts(plan)
    transaction.apply(plan, santedb.host.state)
    with running(santedb):
        proof = santedb.proven(source="request")
    assert proof.passed
    assert result(proof, ROOT_ONLY).verdict is Verdict.FINDING


def test_t32_a_bundle_that_is_not_needed_any_more_goes(santedb: Setup) -> None:
    santedb.apply(source="private-ca", protect=False, two_tiers=True)
    plan = santedb.plan(source="self-signed")
    assert file(plan, "clients.pem").after is None
    transaction.apply(plan, santedb.host.state)
    with running(santedb):
        assert santedb.proven().passed


# What is in the way -----------------------------------------------------------------------------------------


def test_a_link_where_mono_looks_is_not_followed(santedb: Setup) -> None:
    santedb.there.listener.mkdir(parents=True)
    link = santedb.there.listener / f"{santedb.there.port}.pvk"
    link.symlink_to(santedb.config)
    with pytest.raises(Refusal, match="symbolic link"):
        santedb.plan()


def test_a_configuration_that_was_broken_since_is_a_failed_proof(santedb: Setup) -> None:
    answers = santedb.filled()
    for content in (b"<broken", b""):
        santedb.config.write_bytes(content)
        (only,) = prove(answers.proof(santedb.host)).results
        assert only.verdict is Verdict.FAILED
        assert "well-formed" in only.got
    santedb.config.unlink()
    assert not prove(answers.proof(santedb.host)).passed
    with pytest.raises(WizardError):
        review.prepared(answers, santedb.host, lambda _: None)


# What is not known ------------------------------------------------------------------------------------------


def test_how_it_was_started_is_not_shown(santedb: Setup) -> None:
    service = replace(
        santedb.host.services[0], arguments=(*santedb.host.services[0].arguments, "--appsecret=S3CRET")
    )
    here = replace(santedb.host, services=(service,))
    assert "S3CRET" not in repr(santedb.filled(here).plan(here)) + repr(SanteDb.find(here))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe<\0", b"<a>", b"<a/>", b"{}", b"\x00" * 50])
def test_no_file_gives_a_traceback(santedb: Setup, content: bytes) -> None:
    santedb.config.write_bytes(content)
    assert santedb.sheet()["config"].error
    assert SanteDb.find(santedb.host).warnings


def test_a_configuration_without_an_endpoint_is_told(santedb: Setup) -> None:
    text = (
        CONFIG.format(host="0.0.0.0", port=1).replace("<endpoint", "<other").replace("</endpoint", "</other")
    )
    santedb.config.write_text(text)
    assert "no endpoint" in santedb.sheet()["config"].error
