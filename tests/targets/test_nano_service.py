"""A Nano node that runs: what is seen of it, what it says of its version, and how it is restarted."""

from __future__ import annotations

import os
import pwd
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.peers.nano.directory import DataDirectory, installed
from tests.targets.hub_plans import HOST
from wizard.demo.nano_config import Build
from wizard.demo.sandbox import RUN_NANO
from wizard.host import Host, Service
from wizard.sheet import fill_in
from wizard.targets.nano import Nano
from wizard.targets.nano_node import service as node_service
from wizard.targets.nano_node.config import read_version
from wizard.targets.nano_node.names import lead_elsewhere

STAND_IN = RUN_NANO.replace('"25.1"', '"{version}"')


def node(folder: Path, *arguments: str, user: str = HOST.user, directory: Path | None = None) -> Service:
    """A node as a look at the host shows it; nothing of it runs."""
    return Service(
        pid=2**22 + 1,
        arguments=arguments or ("nano_node", "--daemon", "--data_path", str(folder)),
        program="nano_node",
        directory=directory,
        user=user,
        started=datetime.now(UTC),
        listening=(("::1", 7076),),
    )


def host_of(*services: Service, root: bool = HOST.root) -> Host:
    return replace(HOST, services=services, root=root)


def program(folder: Path, lines: str) -> Path:
    """A node's program of these lines for bash."""
    path = folder / "nano_node"
    path.write_text(f"#!/bin/bash\n{lines}\n")
    path.chmod(0o755)
    return path


# What is seen -----------------------------------------------------------------------------------------------


def test_a_node_that_runs_is_found_with_all_that_is_asked(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "Nano").write()
    with installed(tmp_path, STAND_IN.format(root=str(tmp_path), version="25.1")) as seen:
        here = host_of(seen)
        found = Nano.find(here)
        where = f"[::ffff:127.0.0.1]:{directory.port}"
        assert found.status == f"runs here: pid {seen.pid}, V25.1 on {where}, plain HTTP"
        assert found.details[0] == str(tmp_path / "Nano")
        assert found.warnings[0].text.startswith("Official builds and images of the node have no TLS")
        sheet = fill_in(Nano, {}, here)
        assert sheet["data_directory"].text == str(tmp_path / "Nano")
        assert sheet["node_version"].text == "25.1"
        assert sheet["address"].text == f"127.0.0.1:{directory.port}"
        assert sheet["directory"].text == str(tmp_path / "Nano" / "tls")
        assert "says V25.1" in fill_in(Nano, {"node_version": "22.1"}, here)["node_version"].caution


@pytest.mark.parametrize(("version", "said"), [("27.0", "no TLS any more"), ("26.1", "Official builds")])
def test_the_version_decides_what_is_said(tmp_path: Path, version: str, said: str) -> None:
    DataDirectory(tmp_path / "Nano", Build(version)).write(enable_https=False)
    with installed(tmp_path, STAND_IN.format(root=str(tmp_path), version=version)) as seen:
        found = Nano.find(host_of(seen))
    assert f", V{version} on " in found.status
    assert said in found.warnings[0].text


def test_one_that_has_tls_is_not_told_that_it_may_have_none(tmp_path: Path) -> None:
    path = program(tmp_path, "echo Version V22.1")
    (tmp_path / "config-rpc.toml").write_text("[secure]\nenable = true\n")
    one = node(tmp_path, str(path), "--data_path", str(tmp_path), directory=tmp_path)
    found = Nano.find(host_of(one))
    assert found.status.endswith("V22.1 on [::1]:7076, HTTPS")
    assert not found.warnings
    found = Nano.find(host_of(replace(one, started=one.started - timedelta(minutes=1))))
    assert found.status.endswith(", HTTPS after a restart")
    assert found.warnings


def test_nothing_is_found_where_nothing_runs() -> None:
    assert not Nano.find(host_of()).runs


def test_trouble_in_the_configuration_is_told_beside_the_node(tmp_path: Path) -> None:
    (tmp_path / "config-rpc.toml").write_bytes(b"\xef\xbb\xbfport = 7076\n")
    said = [warning.text for warning in Nano.find(host_of(node(tmp_path))).warnings]
    assert "byte order mark" in said[-1]
    (tmp_path / "config-rpc.toml").write_text("port = 7076 # live\n")
    warning = Nano.find(host_of(node(tmp_path))).warnings[-1]
    assert (warning.line, "comment behind port" in warning.text) == (1, True)


def test_a_data_directory_is_told_by_the_option_or_is_in_the_home_of_the_account(tmp_path: Path) -> None:
    for arguments, found in (
        (("--data_path", "/srv/nano"), Path("/srv/nano")),
        (("--data_path=/srv/nano",), Path("/srv/nano")),
        (("--data_path", "../data"), tmp_path / "data"),
        ((), Path("/root/Nano")),
        (("--network", "beta"), None),
    ):
        one = node(tmp_path, "nano_node", "--daemon", *arguments, user="root", directory=tmp_path / "bin")
        assert node_service.data_directory_of(one) == found


def test_a_node_that_only_root_can_see_is_told_with_the_way_out() -> None:
    hidden = node(Path(), "nano_node", "--daemon", "--data_path", "Nano", user="jake")
    here = replace(host_of(hidden, root=False), user="nobody")
    error = fill_in(Nano, {}, here)["data_directory"].error
    assert error.startswith("The node runs as jake, and only root can see with which data.")
    assert "sudo" in error


def test_options_that_win_over_the_files_are_told(tmp_path: Path) -> None:
    one = node(tmp_path, "nano_node", "--data_path", str(tmp_path), "--rpcconfig", "port=1")
    (warning,) = node_service.overrides(host_of(one), tmp_path)
    assert "--rpcconfig" in warning.text


# Its version ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Version V25.1", "25.1"),
        ("Version 20.0", "20.0"),
        ("Nano 25.1", "25.1"),
        ("v26.1", "26.1"),
        ("V24.0DB3", "24.0"),
    ],
)
def test_versions_in_all_their_spellings(text: str, number: str) -> None:
    assert read_version(text) == number


@pytest.mark.parametrize("text", ["", "Build Info 0000000", "V", "twenty", "Version Vx", "25 1"])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="as `nano_node --version` prints it"):
        read_version(text)


def asked(folder: Path, user: str = HOST.user) -> str:
    one = node(folder, str(folder / "nano_node"), "--data_path", str(folder), user=user, directory=folder)
    return node_service.version_of(host_of(one))


def test_a_program_is_asked_once_until_it_changes(tmp_path: Path) -> None:
    program(tmp_path, 'echo asked >>"$(dirname "$0")/log"; echo "Version V22.1"; echo "Build Info 1"')
    (tmp_path / "log").touch()
    (tmp_path / "log").chmod(0o666)
    assert [asked(tmp_path), asked(tmp_path)] == ["22.1", "22.1"]
    assert (tmp_path / "log").read_text() == "asked\n"
    program(tmp_path, "echo Version V23.0")
    assert asked(tmp_path) == "23.0"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as somebody else")
def test_root_asks_with_the_rights_of_the_account_alone() -> None:
    daemon = pwd.getpwnam("daemon")
    with TemporaryDirectory() as folder:  # the folders of tests are root's alone
        Path(folder).chmod(0o755)
        program(Path(folder), 'echo "Version V$(id -u).$(id -g).$(id -G | wc -w)"')
        assert asked(Path(folder), "daemon") == f"{daemon.pw_uid}.{daemon.pw_gid}.1"


def test_another_account_s_program_is_not_run_by_who_is_not_root(tmp_path: Path) -> None:
    path = program(tmp_path, 'touch "$(dirname "$0")/ran"; echo Version V25.1')
    one = node(tmp_path, str(path), user="daemon", directory=tmp_path)
    with pytest.raises(ValueError, match="runs as daemon, so it is not asked"):
        node_service.version_of(replace(host_of(one, root=False), user="somebody"))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("sleep 60", "did not tell its version in time"),
        ("read line && echo Version V25.1", "does not tell its version"),
        ("exit 1", "does not tell its version"),
        ("echo Version unknown", "does not tell its version"),
        ("yes | head -c 100000", "does not tell its version"),
    ],
)
def test_a_program_that_does_not_say_leaves_the_question_open(
    tmp_path: Path, lines: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wizard.programs.SECONDS", 1)
    program(tmp_path, lines)
    begun = time.monotonic()
    with pytest.raises(ValueError, match=said) as raised:
        asked(tmp_path)
    with pytest.raises(ValueError, match=said):
        asked(tmp_path)  # it is not asked again
    assert time.monotonic() - begun < 1.9
    assert "`nano_node --version` tells it" in str(raised.value)


def test_without_a_node_the_version_has_no_default(tmp_path: Path) -> None:
    entry = fill_in(Nano, {"data_directory": str(tmp_path)}, host_of())["node_version"]
    assert not entry.text
    assert entry.missing, "nothing has been done wrong yet"
    assert "tag of its image" in entry.error


# Its restart, and names -------------------------------------------------------------------------------------


def test_the_advice_follows_how_it_was_started(tmp_path: Path) -> None:
    plain = node(tmp_path, directory=tmp_path)
    advice = node_service.restart_advice(host_of(plain), tmp_path)
    assert advice.command == f"kill {plain.pid}"
    launched = replace(plain, launcher=tmp_path / "start.sh", user="jake")
    command = node_service.restart_advice(host_of(launched), tmp_path).command
    assert command.startswith(f"kill {plain.pid}; su - jake -s /bin/bash -c")
    unit = replace(plain, restart=("systemctl", "restart", "nano.service"))
    assert node_service.restart_advice(host_of(unit), tmp_path).command == "systemctl restart nano.service"
    assert node_service.restart_advice(host_of(), tmp_path).text.startswith("Start the node")


def test_names_that_lead_elsewhere_are_found_in_bounded_time() -> None:
    begun = time.monotonic()
    found = lead_elsewhere(["localhost", "127.0.0.1", "*.example.org", "nowhere.invalid"], "127.0.0.1")
    assert found == ("nowhere.invalid",)
    assert time.monotonic() - begun < 4
    assert lead_elsewhere(["localhost"], "192.0.2.1") == ("localhost",)
    assert lead_elsewhere(["localhost"], "a.host.name") == ()
