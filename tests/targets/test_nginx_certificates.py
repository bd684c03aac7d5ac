"""The certificates of a real nginx and of its clients: each source, keys under a passphrase, mutual TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.sources.elsewhere import Elsewhere
from tests.targets.nginx_plans import NAME, PASSPHRASE, Setup, curl, texts
from wizard import preview, proof, transaction
from wizard.kinds import Raw
from wizard.material.certificates import read_certificates_pem
from wizard.proof import Verdict
from wizard.secret import Secret
from wizard.service import restart

HTTP = "    server { listen 127.0.0.1:@plain@; server_name api.example.org; location / { return 200 ok; } }"
OWN_CA: dict[str, Raw] = {"client_ca": "own", "clients": ["alice", "bob"], "passphrase": PASSPHRASE}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    return Elsewhere(tmp_path_factory.mktemp("authority") / "elsewhere")


@pytest.mark.parametrize("kind", ["ecdsa-p384", "rsa-2048"])
def test_each_kind_of_key_is_served_by_an_authority_of_ones_own(tmp_path: Path, kind: str) -> None:
    setup = Setup(tmp_path, "debian", HTTP)
    with setup.running(), setup.secured(source="private-ca", key_type=kind, protect=False):
        assert (setup.folder / "authority/ca.crt").is_file()


@pytest.mark.parametrize(("version", "source"), [("debian", "private-ca"), ("newer", "self-signed")])
def test_a_key_under_a_passphrase_is_read_by_nginx(tmp_path: Path, source: str, version: str) -> None:
    setup = Setup(tmp_path, version, HTTP)
    given: dict[str, Raw] = {"protect_key": True, "server_passphrase": PASSPHRASE, "source": source}
    if source == "private-ca":
        given["protect"] = False
    plan = setup.plan(**given)
    assert PASSPHRASE.reveal() not in preview.text(plan) + str(preview.as_json(plan)) + repr(plan)
    with setup.running(), setup.secured(**given):
        assert b"BEGIN ENCRYPTED" in (setup.folder / "key.pem").read_bytes()
        assert (setup.folder / "key.password").stat().st_mode & 0o777 == 0o600
        # It is found there by the next run.
        assert not setup.sheet(**{**given, "server_passphrase": ""})["server_passphrase"].applies


def test_a_protected_key_that_is_there_is_taken_over(tmp_path: Path, elsewhere: Elsewhere) -> None:
    certificate, key = elsewhere.pair("protected")
    given: dict[str, Raw] = {
        "source": "existing",
        "certificate_file": str(elsewhere.joined("protected.chain.pem", certificate, elsewhere.intermediate)),
        "key_file": str(elsewhere.encrypted(key, "protected.enc.key", "my own words")),
        "key_passphrase": Secret("my own words"),
        "alt_names": ["hub.example.org", "127.0.0.1"],
        "protect_key": True,
        "server_passphrase": PASSPHRASE,
    }
    setup = Setup(tmp_path, http=HTTP)
    with setup.running(), setup.secured(**given):
        said = (setup.folder / "key.pem").read_bytes()
        assert b"BEGIN ENCRYPTED" in said
        assert said != Path(str(given["key_file"])).read_bytes()


@pytest.mark.parametrize("mutual", [False, True])
def test_a_request_goes_on_when_its_answer_comes(tmp_path: Path, elsewhere: Elsewhere, mutual: bool) -> None:
    setup = Setup(tmp_path, http=HTTP)
    given: dict[str, Raw] = {"source": "request", **(OWN_CA if mutual else {})}
    with setup.running():
        plan = setup.plan(**given)
        assert plan.awaits == setup.folder / "cert.pem"
        assert plan.restart is None
        first = transaction.apply(plan, setup.box.state)
        assert "200" in curl(f"http://{NAME}:{setup.ports['plain']}/").splitlines()[0]
        leaf = elsewhere.sign(setup.folder / "request.csr")
        # The leaf alone would pass `nginx -t` and be refused by clients.
        alone = setup.sheet(**given, delivered=str(leaf))["delivered"]
        assert "Elsewhere Issuing" in alone.error
        answer = f"{elsewhere.intermediate},{leaf},{elsewhere.root}"
        with setup.secured(**given, delivered=answer):
            served = read_certificates_pem((setup.folder / "cert.pem").read_bytes())
            expected = [leaf, elsewhere.intermediate]
            assert served == tuple(read_certificates_pem(path.read_bytes())[0] for path in expected)
        transaction.undo(first, setup.box.state)


def test_the_passphrase_of_a_key_is_asked_before_its_request(tmp_path: Path, elsewhere: Elsewhere) -> None:
    setup = Setup(tmp_path, http=HTTP)
    given: dict[str, Raw] = {
        "source": "request",
        "protect_key": True,
        "server_passphrase": PASSPHRASE,
    }
    with setup.running():
        transaction.apply(setup.plan(**given), setup.box.state)
        leaf = elsewhere.sign(setup.folder / "request.csr")
        with setup.secured(**given, delivered=f"{leaf},{elsewhere.intermediate}"):
            assert b"BEGIN ENCRYPTED" in (setup.folder / "key.pem").read_bytes()


# Mutual TLS -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "source"), [("debian", "private-ca"), ("newer", "self-signed")])
def test_only_clients_of_ones_own_authority_get_in(tmp_path: Path, source: str, version: str) -> None:
    setup = Setup(tmp_path, version, HTTP)
    tls = setup.ports["tls"]
    with setup.running(), setup.secured(source=source, **OWN_CA) as result:
        titles = [one.title for one in result.results]
        for title in (
            "All clients are accepted",
            "A stranger's certificate is refused",
            "The server's own certificate is refused",
            "An expired certificate is refused",
        ):
            assert title in titles, titles
        url, clients = f"https://{NAME}:{tls}/", setup.folder / "clients"
        assert "400 No required SSL certificate" in curl(url)
        alice = ("--cert", str(clients / "alice.crt"), "--key", str(clients / "alice.key"))
        assert "HTTP/2 200" in curl(url, *alice)
        # A client that is taken out is locked out by a new authority.
        plan = setup.plan(source=source, **{**OWN_CA, "clients": ["bob"], "lock_out": "new-authority"})
        assert "takes out alice" in plan.title


def test_clients_of_an_authority_in_a_file_get_in(tmp_path: Path, elsewhere: Elsewhere) -> None:
    setup = Setup(tmp_path, "debian", HTTP)
    certificate, key = elsewhere.pair("client", "client")
    test_client = elsewhere.joined("client.all.pem", certificate, elsewhere.intermediate, key)
    given: dict[str, Raw] = {
        "client_ca": "file",
        "client_authority": str(elsewhere.root),
        "test_client": str(test_client),
    }
    with setup.running(), setup.secured(**given):
        assert (setup.folder / "clients-ca.pem").read_bytes() == elsewhere.root.read_bytes()
        # Without a client to test with, what cannot be known is said.
        untried = setup.prove(**{**given, "test_client": ""})
        assert untried.count(Verdict.FAILED) == 0, proof.text(untried)
        skipped = {one.title: one.got for one in untried.results if one.verdict is Verdict.SKIPPED}
        said = skipped["A client with a certificate is accepted"]
        assert 'Name one at "A client to test" (test_client, or --test-client).' in said
        commands = " ".join(one.command for one in setup.plan(**{**given, "test_client": ""}).advice)
        assert "--cert client.crt --key client.key" in commands


def test_a_server_that_asks_its_clients_already_goes_on_doing_so(
    tmp_path: Path, elsewhere: Elsewhere
) -> None:
    certificate, key = elsewhere.pair("web")
    both = elsewhere.joined("web.pem", certificate, elsewhere.intermediate, key)
    tls = f"ssl_certificate {both}; ssl_certificate_key {both}; ssl_client_certificate {elsewhere.root};"
    how = "listen 127.0.0.1:@tls@ ssl; server_name api.example.org; ssl_verify_client optional; "
    setup = Setup(tmp_path, http=f"    server {{ {how} {tls} location / {{ return 200 ok; }} }}")
    sheet = setup.sheet(redirect=False)
    assert (sheet["client_ca"].text, sheet["client_authority"].text) == ("file", str(elsewhere.root))
    assert "Until now it lets in clients without a certificate too" in sheet["client_ca"].caution
    assert "It asks its clients for certificates now" in setup.sheet(client_ca="none")["client_ca"].error
    assert "only clients with a certificate" not in texts(setup.plan(redirect=False))


def test_a_certificate_that_nginx_does_not_reload_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wizard.targets.nginx_server.checks.SECONDS_TO_RELOAD", 0.2)
    setup = Setup(tmp_path, http=HTTP)
    with setup.running():
        plan = setup.plan()
        transaction.apply(plan, setup.box.state)
        assert plan.restart is not None
        restart(plan.restart)
        assert setup.prove().passed
        again = setup.plan(reissue=[str(setup.folder / "cert.pem")])
        transaction.apply(again, setup.box.state)
        old = ssl.get_server_certificate(("127.0.0.1", setup.ports["tls"]))
        result = setup.prove()
        said = {one.title: one.verdict for one in result.results}
        assert said["nginx has read the new configuration"] is Verdict.FAILED
        assert said["It serves cert.pem"] is Verdict.FAILED
        assert old != (setup.folder / "cert.pem").read_text()


@pytest.mark.parametrize("there", [b"", b"\n", b"\xff\xfe\n", b"quartz and basalt\r\nanother\n"])
def test_a_file_for_the_passphrase_that_is_there_already(tmp_path: Path, there: bytes) -> None:
    setup = Setup(tmp_path, http=HTTP)
    setup.folder.mkdir(parents=True)
    (setup.folder / "key.password").write_bytes(there)
    given: dict[str, Raw] = {"protect_key": True}
    if not there.startswith(b"quartz"):
        assert setup.sheet(**given)["server_passphrase"].missing
        given["server_passphrase"] = PASSPHRASE
    with setup.running(), setup.secured(**given):
        assert b"BEGIN ENCRYPTED" in (setup.folder / "key.pem").read_bytes()
        assert (setup.folder / "key.password").stat().st_mode & 0o777 == 0o600
