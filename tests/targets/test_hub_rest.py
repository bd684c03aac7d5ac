"""Hub REST: from a look at the host to the plan, on real scripts, keys and certificates."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.formats.hub_stub import argument_lists, flags
from tests.peers.sandboxed import furnished
from tests.targets.hub_plans import HOST, file, filled, names, openssl, plan_of, sheet_of
from wizard import transaction
from wizard.demo.sandbox import Sandbox
from wizard.errors import Refusal
from wizard.kinds import Raw
from wizard.material.certificates import describe, read_certificates_pem
from wizard.plan import Directory, File, Plan
from wizard.sheet import fill_in
from wizard.targets.hub_rest import HubRest

SCRIPTS = Path(__file__).parents[1] / "formats" / "scripts"
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return furnished(tmp_path / "box")


def secured(box: Sandbox, **given: Raw) -> None:
    transaction.apply(plan_of(box, **given), box.state)


def texts(plan: Plan) -> list[str]:
    return [warning.text for warning in plan.warnings]


def in_force(folder: Path, script: bytes) -> dict[str, str]:
    """The flags that reach hub when bash runs the script."""
    (arguments,) = argument_lists(folder, script)
    return dict(flags(arguments))


# The first plan ---------------------------------------------------------------------------------------------


def test_files_come_before_the_script_that_names_them(box: Sandbox, tmp_path: Path) -> None:
    plan = plan_of(box, directory=str(tmp_path / "tls" / "hub"))
    assert names(plan.changes) == ["tls", "hub", "key.pem", "cert.pem", "dh.pem", "start.sh"]
    assert [type(change) for change in plan.changes[:2]] == [Directory, Directory]
    assert [change.mode for change in plan.changes if isinstance(change, File)] == [0o600, 0o644, 0o644, None]
    assert [change.secret for change in plan.changes if isinstance(change, File)] == [
        True,
        False,
        False,
        False,
    ]
    transaction.apply(plan, box.state)
    key = tmp_path / "tls" / "hub" / "key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (box.hub / "start.sh").stat().st_mode & 0o777 == 0o755


@only_root
def test_the_account_that_runs_hub_owns_the_files(box: Sandbox, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    secured(box, account="daemon", directory=str(tmp_path / "tls"))
    for path in (tmp_path / "tls", *(tmp_path / "tls").iterdir()):
        assert path.owner() == "daemon"
    assert (box.hub / "start.sh").owner() == "root", "the script stays whose it was"


def test_the_diffie_hellman_file_is_the_one_openssl_writes(box: Sandbox) -> None:
    made = openssl("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048")
    assert file(plan_of(box), "dh.pem").after == made


@pytest.mark.parametrize(
    ("key_type", "said"), [("ecdsa-p256", "prime256v1"), ("rsa-2048", "2048 bit"), ("rsa-3072", "3072 bit")]
)
def test_openssl_reads_key_and_certificate(box: Sandbox, key_type: str, said: str) -> None:
    secured(box, key_type=key_type, validity_days="90")
    key, certificate = box.hub / "key.pem", box.hub / "cert.pem"
    assert key.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n"), "PKCS #8, not encrypted"
    text = openssl("x509", "-in", str(certificate), "-noout", "-text").decode()
    assert said in text
    assert "DNS:hub.example.org, IP Address:127.0.0.1" in text
    assert "CA:FALSE" in text
    assert "Version: 3" in text
    assert openssl("pkey", "-in", str(key), "-pubout") == openssl(
        "x509", "-in", str(certificate), "-noout", "-pubkey"
    )
    assert openssl("verify", "-CAfile", str(certificate), str(certificate)).endswith(b"OK\n")


def test_making_a_plan_touches_nothing(box: Sandbox) -> None:
    def seen() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in box.root.rglob("*") if path.is_file()}

    before = seen()
    plan_of(box)
    assert seen() == before


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.stem)
def test_every_script_is_secured_for_hub_or_refused_with_a_reason(script: Path, tmp_path: Path) -> None:
    copy = tmp_path / "start.sh"
    copy.write_bytes(script.read_bytes())
    copy.chmod(0o755)
    sheet = sheet_of(copy, switch_to_rest=True)
    if sheet.answers is None:
        assert sheet.wrong[0].question.name == "start_script"
        return
    try:
        after = next(c for c in sheet.answers.plan(HOST).changes if c.path == copy)
    except Refusal as refusal:
        assert refusal.reason
        assert refusal.by_hand.startswith("--authMode ssl")
        return
    assert isinstance(after, File)
    done = subprocess.run(["bash", "-n"], input=after.after, capture_output=True, check=False)
    assert done.returncode == 0


def test_a_path_with_blanks_reaches_hub_whole(box: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "it's here $HOME"
    after = file(plan_of(box, directory=str(folder)), "start.sh").after
    assert after is not None
    assert in_force(tmp_path, after)["sslCert"] == str(folder / "cert.pem")


# A second plan ----------------------------------------------------------------------------------------------


def test_a_second_plan_changes_nothing(box: Sandbox) -> None:
    secured(box)
    plan = plan_of(box)
    assert not plan.changed
    assert sorted(path.name for path in plan.kept) == ["cert.pem", "dh.pem", "key.pem", "start.sh"]
    assert not [text for text in texts(plan) if "replaced" in text]


def test_a_weak_diffie_hellman_file_is_replaced(box: Sandbox) -> None:
    secured(box)
    (box.hub / "dh.pem").write_bytes(b"-----BEGIN X9.42 DH PARAMETERS-----\n")
    assert names(plan_of(box).changes) == ["dh.pem"]


# Folders ----------------------------------------------------------------------------------------------------


def test_a_folder_on_a_path_that_is_a_file_is_refused_at_its_question(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    assert sheet_of(script, directory=str(script))["directory"].error == "This is a file; give a folder."
    inside = sheet_of(script, directory=str(script / "tls"))["directory"].error
    assert inside == f"{script} is a file, so there can be no cert.pem in it."


@pytest.mark.parametrize("name", ["cert.pem", "key.pem", "dh.pem"])
def test_a_folder_where_a_file_belongs_is_refused_at_its_question(box: Sandbox, name: str) -> None:
    (box.hub / name).mkdir()
    error = sheet_of(box.hub / "start.sh")["directory"].error
    assert error == f"{box.hub / name} is in the way: it is not a file."


@pytest.mark.parametrize("name", ["cert.pem", "key.pem", "dh.pem"])
def test_a_link_where_a_file_belongs_is_refused_since_it_may_lead_to_any_file(
    box: Sandbox, name: str
) -> None:
    precious = box.root / "precious"
    precious.write_text("mine")
    (box.hub / name).symlink_to(precious)
    error = sheet_of(box.hub / "start.sh")["directory"].error
    assert error.startswith(f"{box.hub / name} is a symbolic link")


# Traps ------------------------------------------------------------------------------------------------------


def test_t05_a_script_that_runs_grpc_is_not_given_rest_flags_without_a_yes(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    script.write_text("#!/bin/bash\n./bazel-bin/hub/hub --db hub\n")
    asked = sheet_of(script)["switch_to_rest"]
    assert asked.applies
    assert "gRPC API" in asked.error
    assert sheet_of(script).answers is None
    assert sheet_of(script, switch_to_rest="no").answers is None


def test_t05_with_a_yes_the_script_runs_rest(box: Sandbox, tmp_path: Path) -> None:
    script = box.hub / "start.sh"
    script.write_text("#!/bin/bash\n./bazel-bin/hub/hub --serverType grpc --db hub\n")
    after = file(filled(script, switch_to_rest=True).plan(HOST), "start.sh").after
    assert after is not None
    assert in_force(tmp_path, after) == {
        "serverType": "http",
        "authMode": "ssl",
        "sslCert": str(box.hub / "cert.pem"),
        "sslKey": str(box.hub / "key.pem"),
        "sslDH": str(box.hub / "dh.pem"),
        "db": "hub",
    }


def test_t05_a_script_that_runs_rest_is_not_asked(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    script.write_text("#!/bin/bash\n./bazel-bin/hub/hub --serverType http\n")
    assert not sheet_of(script)["switch_to_rest"].applies
    after = file(filled(script, switch_to_rest=True).plan(HOST), "start.sh").after or b""
    assert after.count(b"--serverType") == 1


def test_t05_an_orphaned_server_type_says_that_grpc_ran_until_now(tmp_path: Path) -> None:
    script = tmp_path / "start.sh"
    shutil.copy(SCRIPTS / "guide_as_published.sh", script)
    plan = filled(script).plan(HOST)
    assert [text for text in texts(plan) if "Hub has been running its gRPC API" in text]
    (repair,) = [warning for warning in plan.warnings if "no backslash" in warning.text]
    assert (repair.path, repair.line) == (script, 10)
    assert in_force(tmp_path, file(plan, "start.sh").after or b"")["serverType"] == "http"


def test_t13_what_overrides_the_flags_is_told_with_its_line(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    script.write_text(
        '#!/bin/bash\n./bazel-bin/hub/hub --serverType http --authMode none \\\n  --authMode ssl "$@"\n'
    )
    told = {(warning.line, warning.text) for warning in filled(script).plan(HOST).warnings if warning.line}
    assert {line for line, _ in told} == {3}
    assert any('"$@" is only known at run time' in text for _, text in told)
    assert any("--authMode is set 2 times" in text for _, text in told)


@pytest.mark.parametrize("setting", ["", "MODE=$1\n"])
def test_a_flag_that_came_from_a_variable_is_told_with_what_it_becomes(box: Sandbox, setting: str) -> None:
    script = box.hub / "start.sh"
    script.write_text(f"#!/bin/bash\n{setting}./bazel-bin/hub/hub --serverType http --authMode $MODE\n")
    told = [(one.line, one.text) for one in filled(script).plan(HOST).warnings if "run time" in one.text]
    line = 3 if setting else 2
    assert told == [(line, "--authMode was only known at run time. From now on it is always ssl.")]


def test_t13_a_flag_file_before_the_new_flags_does_not_win(box: Sandbox, tmp_path: Path) -> None:
    overriding = tmp_path / "hub.flags"
    overriding.write_text("--authMode=none\n--sslCert=/old\n")
    script = box.hub / "start.sh"
    script.write_text(
        f"#!/bin/bash\n./bazel-bin/hub/hub --serverType http --flagfile={overriding} --db hub\n"
    )
    plan = filled(script).plan(HOST)
    assert [text for text in texts(plan) if "--flagfile" in text]
    (arguments,) = argument_lists(tmp_path, file(plan, "start.sh").after or b"")
    order = [name for name, _ in flags(arguments)]
    assert order.index("flagfile") < min(order.index("authMode"), order.index("sslCert"))


def test_t41_the_certificate_names_every_name_clients_use(box: Sandbox) -> None:
    sheet = fill_in(HubRest, {"start_script": str(box.hub / "start.sh")}, HOST)
    assert sheet.answers is not None
    certificate = read_certificates_pem(file(sheet.answers.plan(HOST), "cert.pem").after or b"")[0]
    said = describe(certificate, datetime.now(UTC))
    expected = {"DNS signer", "DNS signer.example.org", "DNS localhost", "IP 192.0.2.7", "IP 127.0.0.1"}
    assert set(said.names) == expected


# The address ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listen", "address", "warned"),
    [
        ("127.0.0.1:14000", "127.0.0.1:14000", False),
        ("0.0.0.0:14000", "127.0.0.1:14000", False),
        ("10.0.0.5:50051", "10.0.0.5:50051", False),
        ("localhost:14000", "127.0.0.1:50051", True),
        ("'[::1]:14000'", "127.0.0.1:50051", True),
        ("hub.example.org", "127.0.0.1:50051", True),
        ("'$HOST:1'", "127.0.0.1:50051", True),
    ],
)
def test_the_address_follows_the_script_and_what_stops_hub_is_told(
    box: Sandbox, listen: str, address: str, warned: bool
) -> None:
    script = box.hub / "start.sh"
    script.write_text(f"./bazel-bin/hub/hub --serverType http \\\n  --listenAddress {listen}\n")
    sheet = sheet_of(script)
    assert sheet["address"].text == address
    assert sheet.answers is not None
    told = [w for w in sheet.answers.plan(HOST).warnings if "not an IPv4 address with a port" in w.text]
    assert [warning.line for warning in told] == ([2] if warned else [])


def test_an_address_only_known_at_run_time_is_not_guessed_at(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    script.write_text('./bazel-bin/hub/hub --serverType http --listenAddress "$1"\n')
    assert sheet_of(script)["address"].text == "127.0.0.1:50051"


# Advice -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alt_names", "url"),
    [
        (["hub.example.org"], "https://hub.example.org:14000/"),
        (["::1", "hub"], "'https://[::1]:14000/'"),
        (["*.example.org"], "https://www.example.org:14000/"),
    ],
)
def test_the_curl_command_for_clients_can_be_pasted(box: Sandbox, alt_names: list[str], url: str) -> None:
    plan = plan_of(box, alt_names=alt_names, address="127.0.0.1:14000")
    (command,) = [advice.command for advice in plan.advice if "--cacert" in advice.command]
    assert command == f"curl --cacert {box.hub / 'cert.pem'} {url}"


def test_advice_names_restart_firewall_and_the_oldest_hub_that_can(box: Sandbox) -> None:
    advice = plan_of(box).advice
    said = " ".join(one.text for one in advice)
    assert "Start Hub as you usually do" in said
    assert f"cd {box.hub} && {box.hub}/start.sh" in [one.command for one in advice]
    assert "1.4.1" in said
    assert "Only programs on this host reach 127.0.0.1" in said


def test_a_script_that_may_not_be_run_is_given_to_bash(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    script.chmod(0o644)
    assert f"cd {box.hub} && bash {script}" in [one.command for one in plan_of(box).advice]


def test_where_others_reach_the_port_the_firewall_is_named(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    script.write_text(re.sub(r"127\.0\.0\.1:\d+(?=\n)", "0.0.0.0:14000", script.read_text()))
    commands = [advice.command for advice in plan_of(box).advice]
    assert "ufw allow from 10.0.0.0/24 to any port 14000 proto tcp && ufw deny 14000/tcp" in commands
