"""SanteDB behind nginx: a real Mono listener that stays on http, and what it tells its clients."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import split
from time import sleep

import pytest

from tests.peers.hub import free_port
from tests.peers.nginx_host import NginxHost, debians, running, service
from tests.targets import santedb_plans
from tests.targets.santedb_plans import Setup
from wizard import answers, transaction
from wizard import service as services
from wizard.connecting.set_up_here import servers
from wizard.host import Host
from wizard.journal import Run
from wizard.kinds import Raw
from wizard.plan import File, Plan
from wizard.probe import Request
from wizard.proof import Proof, Verdict, prove
from wizard.review import prepared
from wizard.sheet import fill_in
from wizard.targets import Target
from wizard.targets.nginx import Nginx
from wizard.targets.santedb_server import behind, processes
from wizard.targets.santedb_server.products import INSTANCE, Product

NAME = "api.example.org"


@dataclass(frozen=True)
class Both:
    """A SanteDB, and an nginx before it."""

    santedb: Setup
    nginx: NginxHost
    https: int
    http: int

    def look(self) -> Host:
        """This host, with nothing on it but the two."""
        here = self.nginx.host()
        return replace(here, services=(*here.services, *self.santedb.look().services))

    def given(self, **more: Raw) -> dict[str, Raw]:
        return {
            "config": str(self.nginx.config),
            "site": "new",
            "server_name": [NAME],
            "upstream": f"127.0.0.1:{self.santedb.there.port}",
            "https_port": self.https,
            "http_port": self.http,
            "source": "self-signed",
            **more,
        }

    def filled(self, **more: Raw) -> Target:
        return answers.complete(Nginx, self.given(**more), self.look())

    def wrong(self, **more: Raw) -> str:
        """What stops these answers."""
        sheet = fill_in(Nginx, self.given(**more), self.look())
        return "\n".join(f"{entry.question.name}: {entry.error}" for entry in sheet.wrong)

    def plan(self, **more: Raw) -> Plan:
        return prepared(self.filled(**more), self.look())

    def secured(self, **more: Raw) -> Run:
        """Written, and nginx reloaded; SanteDB is not restarted yet."""
        plan = self.plan(**more)
        run = transaction.apply(plan, self.nginx.state)
        assert plan.restart is not None
        services.restart(plan.restart)
        return run

    def proven(self, **more: Raw) -> Proof:
        return prove(self.filled(**more).proof(self.look()))


@contextmanager
def both(root: Path, host: str) -> Iterator[Both]:
    with santedb_plans.setup(root, host) as santedb:
        nginx = NginxHost(root / "nginx", debians(), "    include conf.d/*.conf;", {"conf.d/README": ""})
        yield Both(santedb, nginx, free_port(), free_port())


@pytest.fixture(params=["0.0.0.0", "127.0.0.1"], ids=["open", "loopback"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Both]:
    with both(tmp_path, request.param) as made:
        yield made


def verdicts(proof: Proof) -> dict[str, Verdict]:
    return {result.title: result.verdict for result in proof.results}


def test_t31_it_stays_on_this_host_and_tells_the_public_address(there: Both) -> None:
    config, before = there.santedb.config, there.santedb.config.read_bytes()
    with running(there.nginx):
        with there.santedb.there.running():
            run = there.secured()
        text = config.read_text()
        assert f"<baseAddress>https://{NAME}:{there.https}</baseAddress>" in text
        for path in ("hdsi", "ami"):
            assert f"http://127.0.0.1:{there.santedb.there.port}/{path}" in text
        assert f'<!-- <endpoint contract="old" address="http://{there.santedb.there.host}:' in text
        assert "Very-Secret-9" in text
        with there.santedb.there.running():
            assert not there.plan().changed
            proof = there.proven()
        transaction.undo(run, there.nginx.state)
    assert proof.passed
    said = verdicts(proof)
    assert said["SanteDB tells clients the public address"] is Verdict.PASSED
    assert said["/hdsi/ answers over TLS"] is Verdict.PASSED
    assert said["/ami/ answers over TLS"] is Verdict.PASSED
    assert config.read_bytes() == before


def test_t31_without_the_base_address_the_proof_says_so(there: Both) -> None:
    with running(there.nginx), there.santedb.there.running():
        there.secured()
        text = there.santedb.config.read_text()
        there.santedb.config.write_text(text.replace("<baseAddress>https:", "<baseAddress>http:"))
        proof = there.proven()
    assert verdicts(proof)["SanteDB tells clients the public address"] is Verdict.FAILED


def test_t30_by_another_name_than_its_own_it_answers_400(tmp_path: Path) -> None:
    """Were the client's name handed on, an endpoint on 127.0.0.1 would turn everybody away."""
    with both(tmp_path, "127.0.0.1") as there, running(there.nginx):
        with there.santedb.there.running():
            there.secured()
        (made,) = (there.nginx.root / "conf.d").glob("*.conf")
        ours = f"proxy_set_header Host 127.0.0.1:{there.santedb.there.port};"
        assert ours in made.read_text()
        with there.santedb.there.running():
            assert there.proven().passed
            made.write_text(made.read_text().replace(ours, f"proxy_set_header Host $host:{there.https};"))
            restart = there.plan().restart
            assert restart is not None
            services.restart(restart)
            proof = there.proven()
    assert verdicts(proof)["/hdsi/ answers over TLS"] is Verdict.FAILED
    assert "Invalid host" in next(r.got for r in proof.results if r.title == "/hdsi/ answers over TLS")


def test_its_clients_are_checked_by_nginx(there: Both) -> None:
    own: dict[str, Raw] = {"client_ca": "own", "clients": ["tablet"], "protect": False}
    with running(there.nginx):
        with there.santedb.there.running():
            there.secured(**own)
        with there.santedb.there.running():
            proof = there.proven(**own)
    assert proof.passed
    assert verdicts(proof)["A client without a certificate is refused"] is Verdict.PASSED
    assert verdicts(proof)["/hdsi/ answers over TLS"] is Verdict.PASSED


def test_other_urls_are_reported(tmp_path: Path) -> None:
    with both(tmp_path, "127.0.0.1") as there, there.santedb.there.running(), running(there.nginx):
        end = "</SanteDBConfiguration>"
        issuer = '<section xsi:type="OAuthConfigurationSection" issuerName="http://h:8080/auth" />'
        text = there.santedb.config.read_text()
        there.santedb.config.write_text(text.replace(end, f"{issuer}{end}"))
        warnings = "\n".join(warning.text for warning in there.plan().warnings)
        assert "The issuer's name stays http://h:8080/auth" in warnings


def test_left_open_to_everybody_it_is_called_a_danger(tmp_path: Path) -> None:
    with both(tmp_path, "0.0.0.0") as there, there.santedb.there.running(), running(there.nginx):
        plan = there.plan(santedb_loopback=False)
        warnings = "\n".join(warning.text for warning in plan.warnings)
        assert "DANGER: whoever reaches its port goes on using SanteDB without TLS." in warnings


def told(plan: Plan) -> str:
    """What is warned of and advised."""
    return "\n".join([*(one.text for one in plan.warnings), *(one.text for one in plan.advice)])


def test_it_is_not_to_be_bound_by_hand_where_the_plan_does_it(tmp_path: Path) -> None:
    with both(tmp_path, "0.0.0.0") as there, running(there.nginx), there.santedb.there.running():
        assert "without TLS" not in fill_in(Nginx, there.given(), there.look())["upstream"].caution
        assert "Bind" not in told(there.plan())
        assert "Bind the service behind it to 127.0.0.1" in told(there.plan(santedb_loopback=False))
        assert "Bind it to 127.0.0.1" in told(there.plan(santedb_config=""))
        there.secured()
        again = told(there.plan())
    assert "Bind" not in again, "it is written already"
    assert "Restart SanteDB" in again, "until then others reach it"


def test_the_command_for_clients_asks_for_an_endpoint(there: Both) -> None:
    with running(there.nginx):
        with there.santedb.there.running():
            there.secured()
        with there.santedb.there.running():
            (command,) = (one.command for one in there.plan().advice if "how a client connects" in one.text)
            answer = subprocess.run(split(command), capture_output=True, check=True).stdout.decode()
            recorded = servers(there.look())
    assert f"https://{NAME}:{there.https}/hdsi/" in command
    assert answer.split()[1] == "200"
    assert [one.offer.service.request for one in recorded] == [Request("GET", "/hdsi/")]


def test_the_way_leads_to_nginx_with_what_is_known(there: Both) -> None:
    with there.santedb.there.running():
        sheet = there.santedb.sheet(there.look(), way="nginx")
        elsewhere = sheet["way"].elsewhere
        assert elsewhere is not None
        assert elsewhere.target == "nginx"
        given = {**elsewhere.given({"common_name": NAME}), "source": "self-signed", "redirect": False}
        with running(there.nginx):
            filled = answers.complete(Nginx, {**given, "config": str(there.nginx.config)}, there.look())
    assert isinstance(filled, Nginx)
    assert filled.upstream == f"127.0.0.1:{there.santedb.there.port}"
    assert filled.santedb_config == there.santedb.config
    assert filled.common_name == NAME


def test_where_no_santedb_is_found_no_other_service_is_taken_for_it(tmp_path: Path) -> None:
    """As the RPC of a Nano node, which nginx would be put before by itself."""
    with both(tmp_path, "127.0.0.1") as there, running(there.nginx), service() as port:
        (python, *others) = there.nginx.host().services
        node = replace(python, program="nano_node", listening=(("127.0.0.1", port),))
        host = replace(there.nginx.host(), services=(node, *others))
        config = {"config": str(there.nginx.config)}
        assert fill_in(Nginx, config, host)["upstream"].text == f"127.0.0.1:{port}"
        elsewhere = there.santedb.sheet(host, way="nginx")["way"].elsewhere
        assert elsewhere is not None
        asked = fill_in(Nginx, {**config, **elsewhere.given({})}, host)["upstream"]
        assert (asked.text, asked.default, asked.missing) == ("", "", True)
        assert asked.error == "This is needed."


def test_t31_one_that_was_not_restarted_is_not_proven(tmp_path: Path) -> None:
    """It still tells the address inside, and listens for everybody; through nginx it answers all the same."""
    with both(tmp_path, "0.0.0.0") as there, running(there.nginx), there.santedb.there.running():
        sleep(1.1)  # the system tells the start of a process to the second
        there.secured()
        proof = there.proven()
    said = verdicts(proof)
    assert said["/hdsi/ answers over TLS"] is Verdict.PASSED
    assert said["SanteDB runs with these settings"] is Verdict.FAILED
    assert said["Nobody gets past nginx"] is Verdict.FAILED
    assert not proof.passed


def test_left_open_to_everybody_is_a_finding_of_the_proof(tmp_path: Path) -> None:
    with both(tmp_path, "0.0.0.0") as there, running(there.nginx):
        with there.santedb.there.running():
            there.secured(santedb_loopback=False)
        with there.santedb.there.running():
            proof = there.proven(santedb_loopback=False)
    assert verdicts(proof)["Nobody gets past nginx"] is Verdict.FINDING


def test_version_2_knows_no_address_and_nothing_else_is_said(tmp_path: Path) -> None:
    with both(tmp_path, "0.0.0.0") as there, running(there.nginx), there.santedb.there.running():
        config = there.santedb.config
        text = config.read_text().replace("RestConfigurationSection", "AgsConfigurationSection")
        config.write_text(text)
        plan = there.plan()
        checks = [check.title for check in there.filled().proof(there.look())]
    (change,) = (change for change in plan.changes if change.path == config)
    assert "public address" not in change.about
    assert "SanteDB tells clients the public address" not in checks
    assert "SanteDB is configured for nginx" in checks


@pytest.mark.parametrize(
    ("names", "url"),
    [
        (["*.example.org", NAME], f"https://{NAME}:"),
        (["2001:db8::7"], "https://[2001:db8::7]:"),
    ],
)
def test_t31_clients_are_told_a_name_that_they_can_call(names: list[str], url: str, tmp_path: Path) -> None:
    with both(tmp_path, "0.0.0.0") as there, running(there.nginx), there.santedb.there.running():
        (change,) = (c for c in there.plan(server_name=names).changes if c.path == there.santedb.config)
        assert isinstance(change, File)
        assert change.after is not None
        assert f"<baseAddress>{url}{there.https}</baseAddress>" in change.after.decode()
        assert "stands for many" in there.wrong(server_name=["*.example.org"])


def test_a_service_elsewhere_is_not_taken_for_the_santedb_on_this_host(tmp_path: Path) -> None:
    with both(tmp_path, "0.0.0.0") as there, running(there.nginx), there.santedb.there.running():
        at = f"203.0.113.9:{there.santedb.there.port}"
        sheet = fill_in(Nginx, there.given(upstream=at), there.look())
        assert sheet["santedb_config"].text == ""
        named = fill_in(
            Nginx, there.given(upstream=at, santedb_config=str(there.santedb.config)), there.look()
        )
        assert "is on this host" in named["santedb_config"].caution
        assert "does not reach it" in named["santedb_loopback"].error


def test_another_program_on_the_port_is_not_taken_for_it(tmp_path: Path) -> None:
    with both(tmp_path, "127.0.0.1") as there, running(there.nginx), service() as port:
        config = there.santedb.config
        config.write_text(config.read_text().replace(f":{there.santedb.there.port}/", f":{port}/"))
        host = there.look()
        host = replace(host, services=(*host.services, *there.santedb.host.services))
        assert fill_in(Nginx, there.given(upstream=f"127.0.0.1:{port}"), host)["santedb_config"].text == ""
        given = there.given(upstream=f"127.0.0.1:{port}", santedb_config=str(config))
        assert "now, not a SanteDB" in fill_in(Nginx, given, host)["santedb_config"].caution


def test_a_port_with_several_hosts_is_refused(tmp_path: Path) -> None:
    with both(tmp_path, "0.0.0.0") as there, running(there.nginx), there.santedb.there.running():
        config, port = there.santedb.config, there.santedb.there.port
        config.write_text(config.read_text().replace(f"0.0.0.0:{port}/ami", f"192.0.2.7:{port}/ami"))
        assert "several hosts (127.0.0.1, 192.0.2.7)" in there.wrong()


def test_what_is_not_open_is_not_called_a_danger(tmp_path: Path) -> None:
    with both(tmp_path, "127.0.0.1") as there, running(there.nginx), there.santedb.there.running():
        sheet = fill_in(Nginx, there.given(santedb_loopback=False), there.look())
        assert not sheet["santedb_loopback"].caution


def test_an_endpoint_that_has_gone_fails_the_proof_with_a_sentence(tmp_path: Path) -> None:
    with both(tmp_path, "127.0.0.1") as there, running(there.nginx), there.santedb.there.running():
        there.secured()
        target, config = there.filled(), there.santedb.config
        config.write_text(config.read_text().replace(f":{there.santedb.there.port}/", ":1/"))
        moved = prove(target.proof(there.look()))
        config.unlink()
        gone = prove(target.proof(there.look()))
    assert verdicts(moved)["SanteDB tells clients the public address"] is Verdict.FAILED
    assert verdicts(gone)["SanteDB is configured for nginx"] is Verdict.FAILED


def test_a_home_that_cannot_be_looked_into_stops_nothing(tmp_path: Path) -> None:
    closed = tmp_path / ("x" * 300)  # as with one of another account, the system answers by an error
    assert processes.default_config(Product.WWW, tmp_path, INSTANCE, closed).name == "santedb.config"


def test_of_another_account_no_path_is_guessed(tmp_path: Path) -> None:
    """Its working directory may not be seen, so what its command line names from there cannot be found."""
    with both(tmp_path, "0.0.0.0") as there:
        (seen,) = there.santedb.host.services
        unseen = replace(seen, directory=None, arguments=("mono", "SanteDB.exe"))
        host = replace(there.look(), services=(*there.nginx.host().services, unseen))
        assert all(path.is_absolute() for path in behind.configurations(host))
        assert not fill_in(Nginx, there.given(), host)["santedb_config"].error
