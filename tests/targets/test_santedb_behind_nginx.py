"""SanteDB behind nginx: a real Mono listener that stays on http, and what it tells its clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.peers.hub import free_port
from tests.peers.nginx_host import NginxHost, debians, running
from tests.targets import santedb_plans
from tests.targets.santedb_plans import Setup
from wizard import answers, service, transaction
from wizard.host import Host
from wizard.journal import Run
from wizard.kinds import Raw
from wizard.plan import Plan
from wizard.proof import Proof, Verdict, prove
from wizard.review import prepared
from wizard.targets import Target
from wizard.targets.nginx import Nginx

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

    def plan(self, **more: Raw) -> Plan:
        return prepared(self.filled(**more), self.look())

    def secured(self, **more: Raw) -> Run:
        """Written, and nginx reloaded; SanteDB is not restarted yet."""
        plan = self.plan(**more)
        run = transaction.apply(plan, self.nginx.state)
        assert plan.restart is not None
        service.restart(plan.restart)
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
            service.restart(restart)
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


def test_left_open_to_everybody_it_is_called_a_danger(tmp_path: Path) -> None:
    with both(tmp_path, "0.0.0.0") as there, there.santedb.there.running(), running(there.nginx):
        plan = there.plan(santedb_loopback=False)
        warnings = "\n".join(warning.text for warning in plan.warnings)
        assert "DANGER: whoever reaches its port goes on using SanteDB without TLS." in warnings


def test_the_way_leads_to_nginx_with_what_is_known(there: Both) -> None:
    with there.santedb.there.running():
        sheet = there.santedb.sheet(there.look(), way="nginx")
        elsewhere = sheet["way"].elsewhere
        assert elsewhere is not None
        assert elsewhere.target == "nginx"
        given = {**elsewhere.given({"common_name": NAME}), "config": str(there.nginx.config)}
        with running(there.nginx):
            filled = answers.complete(Nginx, {**given, "source": "self-signed"}, there.look())
    assert isinstance(filled, Nginx)
    assert filled.upstream == f"127.0.0.1:{there.santedb.there.port}"
    assert filled.santedb_config == there.santedb.config
    assert filled.common_name == NAME
