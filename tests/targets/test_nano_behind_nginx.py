"""A node without TLS, V27: the answers go on to nginx, which then speaks TLS for its RPC."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from screens.ask import AskScreen
from screens.journey import Journey
from tests.peers.hub import free_port
from tests.peers.nano.directory import STAND_IN
from tests.peers.nginx_host import NginxHost, debians, running
from tests.screens.stage import opened, settled, text
from tests.targets.nano_plans import Setup
from wizard import answers, service, transaction
from wizard.errors import BadAnswers
from wizard.proof import Verdict, prove
from wizard.review import prepared
from wizard.secret import Secret
from wizard.targets import catalogue
from wizard.targets.nano import Nano
from wizard.targets.nginx import Nginx
from wizard.world import World


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path, "27.1")


@pytest.fixture
def box(tmp_path: Path) -> NginxHost:
    return NginxHost(tmp_path / "nginx", debians(), "    include conf.d/*.conf;", {"conf.d/README": ""})


def test_t15_nginx_speaks_tls_for_a_node_that_has_none(setup: Setup, box: NginxHost) -> None:
    elsewhere = setup.sheet()["node_version"].elsewhere
    assert elsewhere is not None
    assert elsewhere.target == "nginx"
    carried = elsewhere.given(
        {"common_name": "rpc.example.org", "clients": ["wallet", "shop"], "bundle": "pem"}
    )
    given = {
        **carried,
        "config": str(box.config),
        "server_name": ["rpc.example.org"],
        "https_port": free_port(),
        "http_port": free_port(),
        "source": "self-signed",
        "passphrase": Secret("correct horse battery staple 42"),
    }
    with running(box), setup.running(STAND_IN):
        filled = answers.complete(Nginx, given, box.host())
        plan = prepared(filled, box.host())
        run = transaction.apply(plan, box.state)
        assert plan.restart is not None
        service.restart(plan.restart)
        proof = prove(filled.proof(box.host()))
    transaction.undo(run, box.state)

    assert proof.passed
    verdicts = {result.title: result.verdict for result in proof.results}
    assert verdicts["A client without a certificate is refused"] is Verdict.PASSED
    assert verdicts["All clients are accepted"] is Verdict.PASSED
    assert proof.results[7].got == "all 2 accepted"
    assert verdicts[f"127.0.0.1:{setup.node.port} answers through it"] is Verdict.PASSED
    assert [path.name for path in (box.root / "tls").glob("*")] == []


def test_the_answers_file_for_nginx_is_begun(setup: Setup) -> None:
    with pytest.raises(BadAnswers) as caught:
        answers.complete(Nano, {"data_directory": str(setup.data), "node_version": "V27.1"}, setup.host)
    said = str(caught.value)
    assert 'target = "nginx"' in said
    assert f'upstream = "127.0.0.1:{setup.node.port}"' in said
    assert 'clients = ["rpc.user.1"]' in said


async def test_a_key_goes_on_with_nginx_and_takes_the_answers_along(setup: Setup, box: NginxHost) -> None:
    world = World(
        look=lambda: replace(box.host(), services=()),
        state=setup.state,
        targets=(catalogue.NANO, catalogue.NGINX),
        who="root@signer",
        keep=lambda target, given: None,
    )
    given = {
        "nano": {
            "data_directory": str(setup.data),
            "node_version": "V27.1",
            "common_name": "rpc.example.org",
        },
        "nginx": {"config": str(box.config), "upstream": "127.0.0.1:1"},
    }
    async with opened(world, journey=Journey(given=given, target=Nano)) as pilot:
        assert isinstance(pilot.app.screen, AskScreen)
        await pilot.press("enter")
        assert "Ctrl+N goes on with nginx." in text(pilot)
        await pilot.press("ctrl+n")
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, AskScreen)
        assert screen.sheet.target is Nginx
        assert screen.given["upstream"] == f"127.0.0.1:{setup.node.port}"
        assert screen.given["common_name"] == "rpc.example.org"
