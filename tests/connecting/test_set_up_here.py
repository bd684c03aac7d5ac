"""A connector for a server that was set up here: what is known of it need not be asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.connecting.servers import Parties, result
from tests.peers.hub import free_port
from tests.peers.nano.directory import STAND_IN
from tests.peers.nginx_host import NginxHost, debians, running, service
from tests.peers.sandboxed import furnished
from tests.sources.elsewhere import Elsewhere
from tests.sources.setups import Setup as HubSetup
from tests.targets.grpc_plans import PASSPHRASE, filled, grpc_box
from tests.targets.nano_plans import Setup as NanoSetup
from tests.targets.nginx_plans import Setup as NginxSetup
from wizard import answers, history, journal, review, transaction
from wizard.connecting.set_up_here import servers
from wizard.host import Host
from wizard.journal import Run
from wizard.kinds import Raw
from wizard.material.certificates import read_certificates_pem
from wizard.material.description import name_words
from wizard.plan import Plan
from wizard.proof import Verdict, prove
from wizard.service import restart
from wizard.sheet import Sheet, fill_in
from wizard.targets.connector import Connector
from wizard.targets.nginx import Nginx

IN_PLACE = "hub.example.org"
PLAIN = f"    server {{ listen 127.0.0.1:@plain@; server_name {IN_PLACE}; location / {{ return 200 ok; }} }}"


def secured(node: NanoSetup, **given: Raw) -> Run:
    """The node is set up as the wizard does it, with a record of the answers."""
    answers = node.filled(source="private-ca", passphrase=PASSPHRASE, clients=["alice", "bob"], **given)
    return transaction.apply(review.prepared(answers, node.host), node.state)


def sheet_of(host: Host, **given: Raw) -> Sheet[Connector]:
    return fill_in(Connector, given, host)


def texts(sheet: Sheet[Connector]) -> dict[str, str]:
    return {entry.question.name: entry.text for entry in sheet.asked}


def planned(sheet: Sheet[Connector], host: Host) -> Plan:
    assert sheet.answers is not None, [(entry.question.name, entry.error) for entry in sheet.wrong]
    return review.prepared(sheet.answers, host)


@pytest.fixture
def node(tmp_path: Path) -> NanoSetup:
    return NanoSetup(tmp_path)


def test_address_authority_and_client_are_taken_from_it_and_proven(node: NanoSetup) -> None:
    run = secured(node)
    sheet = sheet_of(node.host, from_run=run.id, directory=str(node.root / "texts"))
    assert texts(sheet) == {
        "from_run": run.id,
        "url": f"https://localhost:{node.node.port}/",
        "mode": "full",
        "ca": str(node.tls / "authority" / "ca.crt"),
        "client_certificate": str(node.tls / "clients" / "alice.crt"),
        "client_key": str(node.tls / "client-keys" / "alice.key"),
        "directory": str(node.root / "texts"),
    }
    plan = planned(sheet, node.host)
    assert any("The proof calls" in warning.text for warning in plan.warnings)
    transaction.apply(plan, node.state)
    assert sheet.answers is not None
    with node.running(STAND_IN):
        proof = prove(sheet.answers.proof(node.host))
    assert proof.passed, proof
    assert result(proof, "Mode full").got == "it works: TLS 1.2, HTTP/1.1 200 OK"
    assert result(proof, "Mode verify-ca").verdict is Verdict.PASSED


def test_the_key_follows_the_client_that_is_chosen(node: NanoSetup) -> None:
    run = secured(node)
    sheet = sheet_of(node.host, from_run=run.id, client_certificate=str(node.tls / "clients" / "bob.crt"))
    assert sheet["client_key"].text == str(node.tls / "client-keys" / "bob.key")


def test_it_keeps_its_name_when_it_is_set_up_again(node: NanoSetup) -> None:
    first = secured(node)
    again = secured(node, validity_days=200)
    assert again.id != first.id
    (server,) = servers(node.host)
    assert server.run == first.id
    assert sheet_of(node.host, from_run=first.id)["url"].error == ""


def test_what_was_taken_back_is_not_offered(node: NanoSetup) -> None:
    assert sheet_of(node.host)["from_run"].applies is False
    run = secured(node)
    assert sheet_of(node.host)["from_run"].applies
    transaction.undo(history.find(node.state, run.id), node.state)
    assert servers(node.host) == ()
    assert sheet_of(node.host)["from_run"].applies is False


def test_what_waits_for_its_certificate_is_not_offered(tmp_path: Path) -> None:
    hub = HubSetup(furnished(tmp_path / "box"))
    hub.apply(source="request")
    assert journal.waiting(journal.history(hub.host.state))
    assert servers(hub.host) == ()


def test_a_server_that_asks_for_no_client_certificate_is_verified_only(tmp_path: Path) -> None:
    hub = HubSetup(furnished(tmp_path / "box"))
    run = hub.apply(source="private-ca", two_tiers=True, passphrase=PASSPHRASE)
    sheet = sheet_of(hub.host, from_run=run.id, directory=str(tmp_path / "texts"))
    assert sheet["mode"].text == "verify-ca"
    transaction.apply(planned(sheet, hub.host), hub.host.state)
    (ca,) = (tmp_path / "texts").iterdir()
    said = [name_words(one.subject) for one in read_certificates_pem(ca.read_bytes())]
    assert len(said) == 2, "the intermediate too, for a server that does not send it"
    assert (
        read_certificates_pem(ca.read_bytes())[-1]
        == read_certificates_pem((hub.folder / "authority" / "ca.crt").read_bytes())[0]
    )


def test_a_server_that_signed_itself_is_its_own_authority(tmp_path: Path) -> None:
    hub = HubSetup(furnished(tmp_path / "box"))
    run = hub.apply()
    sheet = sheet_of(hub.host, from_run=run.id, directory=str(tmp_path / "texts"))
    transaction.apply(planned(sheet, hub.host), hub.host.state)
    assert (tmp_path / "texts" / "ca.pem").read_bytes() == (hub.folder / "cert.pem").read_bytes()


def test_a_grpc_server_is_offered_with_what_that_means(tmp_path: Path) -> None:
    box = grpc_box(tmp_path / "box")
    host = replace(box.look(), services=())
    run = transaction.apply(review.prepared(filled(box), host), box.state)
    sheet = sheet_of(host, from_run=run.id, directory=str(tmp_path / "texts"))
    warnings = [warning.text for warning in planned(sheet, host).warnings]
    assert any("speaks gRPC only" in text for text in warnings)


@pytest.mark.parametrize("client_ca", ["own", "none"])
def test_nginx_before_a_service(tmp_path: Path, client_ca: str) -> None:
    """By the address that its clients write, whatever port it has, and with the client it let in first."""
    box = NginxHost(tmp_path / "nginx", debians(), "    include conf.d/*.conf;", {"conf.d/README": ""})
    with running(box), service() as behind:
        given: dict[str, Raw] = {
            "config": str(box.config),
            "upstream": f"127.0.0.1:{behind}",
            "server_name": ["api.example.org"],
            "https_port": free_port(),
            "redirect": False,
            "source": "private-ca",
            "client_ca": client_ca,
            "clients": ["shop"],
            "passphrase": PASSPHRASE,
        }
        plan = review.prepared(answers.complete(Nginx, given, box.host()), box.host())
        run = transaction.apply(plan, box.state)
        assert plan.restart is not None
        restart(plan.restart)
        sheet = sheet_of(box.host(), from_run=run.id, directory=str(tmp_path / "texts"))
        assert sheet["url"].text == f"https://api.example.org:{given['https_port']}/"
        assert sheet["mode"].text == ("full" if client_ca == "own" else "verify-ca")
        transaction.apply(planned(sheet, box.host()), box.state)
        assert sheet.answers is not None
        proof = prove(sheet.answers.proof(box.host()))
    assert proof.passed, proof
    asked = result(proof, "Mode skip")
    assert asked.got.startswith("refused" if client_ca == "own" else "it works")


@pytest.mark.parametrize("source", ["self-signed", "private-ca", "existing"])
@pytest.mark.parametrize("redirect", [True, False], ids=["redirected", "alone"])
def test_nginx_secured_in_place(tmp_path: Path, source: str, redirect: bool) -> None:
    """By the name of the server that was edited, which is no answer that the question lists by itself."""
    setup = NginxSetup(tmp_path, http=PLAIN)
    given: dict[str, Raw] = {"site": IN_PLACE, "source": source, "redirect": redirect}
    if source == "existing":
        elsewhere = Elsewhere(tmp_path / "elsewhere")
        certificate, key = elsewhere.pair("server")
        chain = elsewhere.joined("chain.pem", certificate, elsewhere.intermediate, elsewhere.root)
        given |= {"certificate_file": str(chain), "key_file": str(key)}
    elif source == "private-ca":
        given["passphrase"] = PASSPHRASE
    with setup.running():
        plan = setup.plan(**given)
        run = transaction.apply(plan, setup.box.state)
        assert plan.restart is not None
        restart(plan.restart)
        host = setup.box.host()
        sheet = sheet_of(host, from_run=run.id, directory=str(tmp_path / "texts"))
        assert [one.words for one in servers(host)] == [f"nginx, {IN_PLACE}:{setup.ports['tls']}"]
        assert sheet["url"].text == f"https://{IN_PLACE}:{setup.ports['tls']}/"
        transaction.apply(planned(sheet, host), setup.box.state)
        assert sheet.answers is not None
        proof = prove(sheet.answers.proof(host))
    assert proof.passed, proof
    assert result(proof, "Mode verify-ca").got.startswith("it works")


@pytest.mark.parametrize("tested", [False, True], ids=["untested", "tested"])
def test_clients_of_an_authority_elsewhere_are_asked_for_their_files(
    tmp_path: Path, parties: Parties, tested: bool
) -> None:
    """Nobody here has issued them, so the server has none of their files, but for one to test with."""
    setup = NginxSetup(tmp_path, http=PLAIN)
    both = tmp_path / "client.pem"
    both.write_bytes(parties.client.read_bytes() + parties.client_key.read_bytes())
    authority = {"client_ca": "file", "client_authority": str(parties.root)}
    given: dict[str, Raw] = {"site": IN_PLACE, **authority, "redirect": False}
    with setup.running():
        plan = setup.plan(**given, **({"test_client": str(both)} if tested else {}))
        run = transaction.apply(plan, setup.box.state)
        assert plan.restart is not None
        restart(plan.restart)
        host = setup.box.host()
        sheet = sheet_of(host, from_run=run.id, directory=str(tmp_path / "texts"))
        assert sheet["mode"].text == "full"
        if not tested:
            assert [entry.question.name for entry in sheet.wrong] == ["client_certificate", "client_key"]
            sheet = sheet_of(
                host,
                from_run=run.id,
                directory=str(tmp_path / "texts"),
                client_certificate=str(parties.client),
                client_key=str(parties.client_key),
            )
        transaction.apply(planned(sheet, host), setup.box.state)
        assert sheet.answers is not None
        proof = prove(sheet.answers.proof(host))
    assert proof.passed, proof
    assert result(proof, "Mode full").got.startswith("it works")


def test_a_record_that_tells_too_little_is_passed_over(node: NanoSetup) -> None:
    plan = node.plan()  # as by an earlier version, which kept no answers
    transaction.apply(plan, node.state)
    assert servers(node.host) == ()
