"""An nginx whose configuration cannot be read, as the lists of what can be secured tell it."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import pytest

from tests.targets.nginx_plans import Setup
from wizard import answers, commands
from wizard.plain import Conversation
from wizard.prompts import Left
from wizard.targets import catalogue
from wizard.world import World


def test_what_is_wrong_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    setup = Setup(
        tmp_path, http="    include sites/*;", files={"sites/api": "server { listen 127.0.0.1:@plain@; }"}
    )
    monkeypatch.setattr("wizard.host.look", setup.box.host)
    monkeypatch.setenv("TLS_WIZARD_STATE", str(setup.box.state.root))
    keep = partial(answers.keep, setup.box.state)
    world = World(setup.box.host, setup.box.state, (catalogue.NGINX,), "", keep)
    with setup.running():
        site = setup.box.root / "sites" / "api"
        site.write_text(site.read_text().replace(";", ""))
        commands.targets(argparse.Namespace(json=False))
        listed = capsys.readouterr().out
        with pytest.raises(Left):  # there is nobody at a terminal
            Conversation(world, {}).held(None)
    for said in (listed, capsys.readouterr().out):
        assert "nginx does not start with it" in said
        assert "\\n" not in said
        warned = [line for line in said.splitlines() if "! " in line]
        assert any('";" is missing. nginx does not start with it' in line for line in warned), said
