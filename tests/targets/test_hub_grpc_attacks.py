"""Ways in which a secured gRPC Hub could be left open, or an authority lost, without anybody noticing."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.peers.hub import free_port, wait_until_open
from tests.targets.grpc_plans import filled, grpc_box, host_of, plan_of, proven, sheet_of
from tests.targets.hub_plans import file, names
from wizard import transaction
from wizard.demo.sandbox import Sandbox
from wizard.kinds import Raw
from wizard.plan import Plan
from wizard.proof import Proof, Verdict
from wizard.sheet import fill_in
from wizard.sources.authority_folder import AuthorityFolder
from wizard.targets.hub_rest import HubRest


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return grpc_box(tmp_path / "box")


@pytest.fixture
def foreign(tmp_path: Path) -> bytes:
    """The root of somebody else's authority."""
    other = grpc_box(tmp_path / "other")
    transaction.apply(plan_of(other, protect=False), other.state)
    return (other.hub / "tls" / "ca.crt").read_bytes()


def secured(box: Sandbox, **given: Raw) -> Path:
    transaction.apply(plan_of(box, protect=False, **given), box.state)
    return box.hub / "tls"


def proof_of(box: Sandbox, **given: Raw) -> Proof:
    box.start()
    try:
        return proven(box, protect=False, **given)
    finally:
        box.stop()


def failed(proof: Proof) -> list[str]:
    return [result.title for result in proof.results if result.verdict is Verdict.FAILED]


def test_t11_an_authority_added_to_the_file_is_found_by_proof_and_plan(box: Sandbox, foreign: bytes) -> None:
    root = secured(box) / "ca.crt"
    root.write_bytes(root.read_bytes() + foreign)
    assert "holds 1 certificate besides the authority's own" in sheet_of(box)["authority"].error
    assert sheet_of(box).answers is None, "so neither plan nor proof goes on"


def test_t11_public_authorities_added_to_the_copy_that_hub_reads_are_found(
    box: Sandbox, tmp_path: Path
) -> None:
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    assert bundle.is_file(), "install ca-certificates"
    elsewhere = grpc_box(tmp_path / "elsewhere")
    transaction.apply(plan_of(elsewhere, protect=False), elsewhere.state)
    theirs = elsewhere.hub / "tls"
    client = tmp_path / "client.pem"
    client.write_bytes(b"".join((theirs / "clients" / f"alice.{end}").read_bytes() for end in ("crt", "key")))
    given: dict[str, Raw] = {
        "source": "existing",
        "certificate_file": str(theirs / "server.crt"),
        "key_file": str(theirs / "server.key"),
        "chain_files": [str(theirs / "ca.crt")],
        "client_authority": str(theirs / "ca.crt"),
        "test_client": str(client),
    }
    transaction.apply(plan_of(box, **given), box.state)
    copy = box.hub / "tls" / "clients-ca.crt"
    copy.write_bytes(copy.read_bytes() + bundle.read_bytes())
    box.start()
    try:
        assert "Only your authority is trusted" in failed(proven(box, **given))
    finally:
        box.stop()
    assert names(plan_of(box, **given).changes) == ["clients-ca.crt"]


def test_a_client_whose_files_were_handed_out_is_taken_out_all_the_same(box: Sandbox, tmp_path: Path) -> None:
    clients = secured(box, clients=["alice", "mallory"]) / "clients"
    for path in clients.glob("mallory.*"):
        shutil.move(path, tmp_path)
    assert sheet_of(box, clients=["alice"])["lock_out"].missing, (
        "it has to be said what becomes of the access"
    )
    plan = plan_of(box, clients=["alice"], lock_out="files", protect=False)
    assert names(plan.changes) == ["index.txt"]
    transaction.apply(plan, box.state)
    assert b"R\t" in (box.hub / "tls" / "index.txt").read_bytes()
    assert not sheet_of(box, clients=["alice"])["lock_out"].applies, "it was said"


@pytest.mark.parametrize("stray", ["ca.crt", "notes.crt", "alice.old.crt"])
def test_a_stray_file_among_the_clients_takes_nobody_out(box: Sandbox, stray: str) -> None:
    tls = secured(box, clients=["alice"])
    source = {"ca.crt": tls / "ca.crt", "alice.old.crt": tls / "clients" / "alice.crt"}.get(stray)
    (tls / "clients" / stray).write_bytes(source.read_bytes() if source else b"hi\n")
    assert not plan_of(box, clients=["alice"], protect=False).changed
    assert filled(box, clients=["alice"], protect=False).people.there == ("alice",)


def test_an_authority_that_another_service_uses_is_not_replaced(box: Sandbox, tmp_path: Path) -> None:
    tls = secured(box)
    script = tmp_path / "rest" / "start.sh"
    script.parent.mkdir()
    script.write_text("#!/bin/bash\n./hub --serverType http\n")
    given: dict[str, Raw] = {"start_script": str(script), "source": "private-ca", "authority": str(tls)}
    rest = fill_in(HubRest, given, host_of(box))
    assert rest.answers is not None, rest.wrong
    transaction.apply(rest.answers.plan(host_of(box)), box.state)
    error = sheet_of(box, clients=["alice"], lock_out="new-authority")["lock_out"].error
    assert f"has also issued {script.parent / 'cert.pem'}" in error
    assert not sheet_of(box, clients=["alice"], lock_out="files")["lock_out"].error


def test_the_own_authority_outlives_a_change_to_another_one(box: Sandbox, tmp_path: Path) -> None:
    tls = secured(box)
    before = {path: path.read_bytes() for path in tls.glob("ca.*")}
    other = grpc_box(tmp_path / "other")
    transaction.apply(plan_of(other, protect=False), box.state)
    shared = str(other.hub / "tls")
    transaction.apply(plan_of(box, authority=shared, protect=False), box.state)
    assert {path: path.read_bytes() for path in tls.glob("ca.*")} == before
    secured(box)
    secured(box, clients=["alice", "bob", "rpc.user.1"])
    assert AuthorityFolder(tls).why_unfit(datetime.now(UTC)) is None


def test_a_hub_that_runs_with_other_files_than_its_script_says_is_found(
    box: Sandbox, foreign: bytes, tmp_path: Path
) -> None:
    tls = secured(box)
    both = tmp_path / "both.crt"
    both.write_bytes((tls / "ca.crt").read_bytes() + foreign)
    script = box.hub / "start.sh"
    meant = script.read_text()
    script.write_text(meant.replace(str(tls / "ca.crt"), str(both)))
    box.start()
    try:
        stat = script.stat()
        script.write_text(meant)
        os.utime(script, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        proof = proven(box, protect=False)
    finally:
        box.stop()
    assert "Hub runs with these settings" in failed(proof)
    assert any(f"--sslCA {both}" in result.got for result in proof.results)


def test_a_second_hub_without_tls_from_the_same_folder_is_told(box: Sandbox) -> None:
    secured(box)
    port = free_port()
    command = ["./bazel-bin/hub/hub", "--listenAddress", f"127.0.0.1:{port}"]
    box.start()
    with subprocess.Popen(command, cwd=box.hub, stderr=subprocess.DEVNULL) as beside:
        try:
            wait_until_open(port, beside)
            proof = proven(box, protect=False)
        finally:
            beside.terminate()
            box.stop()
    assert any("runs from the same folder without TLS" in result.got for result in proof.results)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root looks for another account")
def test_files_that_hubs_account_could_not_read_after_a_restart_are_found(box: Sandbox) -> None:
    for folder in (box.hub, *box.hub.parents):
        if folder.stat().st_uid == 0 and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    tls = secured(box, account="daemon")
    assert "Hub's account can read its files" not in failed(proof_of(box, account="daemon"))
    (tls / "server.key").chmod(0o600)
    os.chown(tls / "server.key", 0, 0)
    assert "Hub's account can read its files" in failed(proof_of(box, account="daemon"))


def test_an_expired_certificate_of_somebody_else_proves_nothing(box: Sandbox, tmp_path: Path) -> None:
    tls = secured(box)
    other = grpc_box(tmp_path / "other")
    theirs = secured(other) / "expired-client.pem"
    shutil.copy(theirs, tls / "expired-client.pem")
    assert failed(proof_of(box)) == ["An expired certificate is refused"]


def test_a_request_that_was_sent_is_not_made_useless_without_a_word(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    script.write_text(script.read_text().replace("--db hub", "--serverType http"))

    def plan_for(key_type: str) -> Plan:
        given: dict[str, Raw] = {"start_script": str(script), "source": "request", "key_type": key_type}
        sheet = fill_in(HubRest, given, host_of(box))
        assert sheet.answers is not None
        return sheet.answers.plan(host_of(box))

    transaction.apply(plan_for("ecdsa-p256"), box.state)
    plan = plan_for("rsa-2048")
    assert file(plan, "request.key").before is not None
    assert "The key of the request before is replaced" in "\n".join(w.text for w in plan.warnings)
