"""Hub gRPC: from a look at the host to the proof, before a real gRPC server and the stand-in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.formats.hub_stub import argument_lists, flags
from tests.peers.grpc_hub import GrpcClient, real_grpc_hub
from tests.targets.grpc_plans import filled, grpc_box, host_of, plan_of, proven, sheet_of
from tests.targets.hub_plans import file, names, openssl
from wizard import answers, transaction
from wizard.demo.sandbox import Sandbox
from wizard.kinds import Raw
from wizard.plan import Directory, File, Plan
from wizard.proof import Proof, Verdict
from wizard.secret import Secret
from wizard.targets.hub_grpc import HubGrpc


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return grpc_box(tmp_path / "box")


def secured(box: Sandbox, **given: Raw) -> None:
    transaction.apply(plan_of(box, **given), box.state)


def texts(plan: Plan) -> str:
    return "\n".join(warning.text for warning in plan.warnings)


def in_force(box: Sandbox, plan: Plan) -> dict[str, str]:
    """The flags that reach hub when bash runs the script."""
    after = file(plan, "start.sh").after
    assert after is not None
    stub = box.root / "stub"
    stub.mkdir(exist_ok=True)
    (arguments,) = argument_lists(stub, after)
    return dict(flags(arguments))


def verdicts(proof: Proof) -> dict[str, Verdict]:
    return {result.title: result.verdict for result in proof.results}


# The plan ---------------------------------------------------------------------------------------------------


def test_keys_come_before_certificates_and_the_script_last(box: Sandbox) -> None:
    plan = plan_of(box)
    assert names(plan.changes) == [
        *("tls", "ca.key", "ca.crt", "index.txt", "index.txt.attr", "server.key", "server.crt"),
        *("clients", "alice.key", "alice.crt", "rpc.user.1.key", "rpc.user.1.crt"),
        *("expired-client.pem", "start.sh"),
    ]
    secret = {c.path.name for c in plan.changes if isinstance(c, File) and c.secret}
    assert secret == {"ca.key", "server.key", "alice.key", "rpc.user.1.key", "expired-client.pem"}
    assert all(c.mode == 0o600 for c in plan.changes if isinstance(c, File) and c.secret)
    assert (
        next(c for c in plan.changes if isinstance(c, Directory) and c.path.name == "clients").mode == 0o700
    )


def test_making_a_plan_touches_nothing(box: Sandbox) -> None:
    def seen() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in box.root.rglob("*") if path.is_file()}

    before = seen()
    plan_of(box)
    assert seen() == before


def test_the_passphrase_is_in_nothing_that_is_shown_or_kept(box: Sandbox) -> None:
    from wizard import preview, review

    word = "tangerine umbrella 4711 quartz"
    plan = review.prepared(filled(box, passphrase=Secret(word)), host_of(box))
    run = transaction.apply(plan, box.state)
    shown = preview.text(plan) + str(preview.as_json(plan)) + repr(plan) + repr(run)
    assert word not in shown
    assert "passphrase" not in plan.answers
    written = [path.read_bytes() for path in box.root.rglob("*") if path.is_file()]
    assert not [content for content in written if word.encode() in content]
    key = box.hub / "tls" / "ca.key"
    assert key.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert openssl("pkey", "-in", str(key), "-passin", f"pass:{word}", "-noout") == b""


def test_a_second_plan_changes_nothing_and_asks_for_no_passphrase(box: Sandbox) -> None:
    secured(box)
    sheet = sheet_of(box, passphrase="")
    assert not sheet["passphrase"].applies
    assert sheet.answers is not None
    assert not sheet.answers.plan(host_of(box)).changed


def test_undo_leaves_nothing(box: Sandbox) -> None:
    before = set(box.hub.rglob("*"))
    script = (box.hub / "start.sh").read_bytes()
    transaction.undo(transaction.apply(plan_of(box), box.state), box.state)
    assert set(box.hub.rglob("*")) == before
    assert (box.hub / "start.sh").read_bytes() == script


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_account_that_runs_hub_owns_the_files(box: Sandbox, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    box.root.chmod(0o755)
    secured(box, account="daemon", directory=str(tmp_path / "tls"))
    for path in (tmp_path / "tls", *(tmp_path / "tls").rglob("*")):
        assert path.owner() == "daemon"


def test_too_many_clients_are_told_as_they_are_made(box: Sandbox) -> None:
    told: list[str] = []
    filled(box, clients=[f"c{number}" for number in range(5)]).plan(host_of(box), told.append)
    assert told == [f"client {number + 1} of 5: c{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../alice", "letters, digits and . _ - @ + only"),
        ("/etc/passwd", "letters, digits and"),
        (".hidden", "begin with a letter or a digit"),
        ("-rf", "begin with a letter or a digit"),
        ("x" * 65, "has 65 characters; at most 64"),
        ("ü", "letters, digits and"),
    ],
)
def test_a_client_whose_name_is_no_file_name_is_refused(box: Sandbox, name: str, said: str) -> None:
    assert said in sheet_of(box, clients=[name])["clients"].error


# The script -------------------------------------------------------------------------------------------------


def test_t10_the_clients_authority_is_always_set(box: Sandbox) -> None:
    tls = box.hub / "tls"
    assert (
        in_force(box, plan_of(box)).items()
        >= {
            "authMode": "ssl",
            "sslKey": str(tls / "server.key"),
            "sslCert": str(tls / "server.crt"),
            "sslCA": str(tls / "ca.crt"),
        }.items()
    )
    assert "sslDH" not in in_force(box, plan_of(box))


def test_t05_a_script_that_runs_rest_is_not_given_grpc_flags_without_a_yes(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    script.write_text("#!/bin/bash\n./bazel-bin/hub/hub --serverType http --sslDH /d.pem --db hub\n")
    asked = sheet_of(box)["switch_to_grpc"]
    assert asked.applies
    assert "REST API" in asked.error
    plan = plan_of(box, switch_to_grpc=True)
    assert in_force(box, plan)["serverType"] == "grpc"
    assert "sslDH" not in in_force(box, plan), "older builds stop on it"


@pytest.mark.parametrize("flag", ["", " --authMode none", ' --authMode "$MODE"'])
def test_what_ends_with_the_restart_is_told(box: Sandbox, flag: str) -> None:
    script = box.hub / "start.sh"
    script.write_text(f"#!/bin/bash\n./bazel-bin/hub/hub --serverType grpc{flag}\n")
    assert "Programs that use the API now stop working" in texts(plan_of(box))
    secured(box)
    assert "Programs that use the API now stop working" not in texts(plan_of(box))


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("0.0.0.0:50051", "127.0.0.1:50051"),
        ("localhost:50051", "localhost:50051"),
        ("'[::]:50051'", "[::1]:50051"),
        ("'[::1]:7'", "[::1]:7"),
        ("nonsense", "127.0.0.1:50051"),
    ],
)
def test_the_address_follows_the_script(box: Sandbox, listen: str, address: str) -> None:
    (box.hub / "start.sh").write_text(f"./bazel-bin/hub/hub --listenAddress {listen}\n")
    assert sheet_of(box)["address"].text == address


# Clients that come and go -----------------------------------------------------------------------------------


def test_a_client_that_is_added_gets_files_and_nobody_elses_change(box: Sandbox) -> None:
    secured(box)
    plan = plan_of(box, clients=["alice", "bob", "rpc.user.1"])
    assert names(plan.changes) == ["index.txt", "bob.key", "bob.crt"]


def test_a_client_that_is_taken_out_is_locked_out_by_a_new_authority(box: Sandbox) -> None:
    secured(box)
    old = (box.hub / "tls" / "ca.crt").read_bytes()
    asked = sheet_of(box, clients=["alice"])["lock_out"]
    assert asked.missing, "it is never assumed"
    said = str(answers.refusal(HubGrpc, [asked]))
    assert "lock_out (--lock-out): No longer among the clients: rpc.user.1. " in said
    assert said.endswith("One of: new-authority (new authority), files (remove files only).")
    plan = plan_of(box, clients=["alice"], lock_out="new-authority")
    assert {"ca.key", "ca.crt", "server.crt", "alice.crt", "rpc.user.1.crt"} <= set(names(plan.changes))
    assert "rpc.user.1: locked out once Hub is restarted" in texts(plan)
    assert "They need their new files: alice." in texts(plan)
    transaction.apply(plan, box.state)
    assert sorted(path.name for path in (box.hub / "tls" / "clients").iterdir()) == ["alice.crt", "alice.key"]
    assert (box.hub / "tls" / "ca.crt").read_bytes() != old
    assert not plan_of(box, clients=["alice"]).changed


def test_removing_files_only_says_that_a_copy_still_gets_in(box: Sandbox) -> None:
    secured(box)
    plan = plan_of(box, clients=["alice"], lock_out="files")
    assert names(plan.changes) == ["index.txt", "rpc.user.1.crt", "rpc.user.1.key"]
    assert "a copy of the certificate still gets in, until it ends" in texts(plan)
    assert not sheet_of(box, clients=["alice"], lock_out="files", passphrase="")["passphrase"].applies


def test_a_client_is_made_anew_with_the_same_key_or_a_new_one(box: Sandbox) -> None:
    secured(box)
    path = str(box.hub / "tls" / "clients" / "alice.crt")
    assert names(plan_of(box, reissue=[path]).changes) == ["index.txt", "alice.crt"]
    assert names(plan_of(box, reissue=[path], new_keys=True).changes) == [
        *("index.txt", "alice.key", "alice.crt")
    ]
    assert "is not made by this setup" in sheet_of(box, reissue=["/etc/passwd"])["reissue"].error


# The proof --------------------------------------------------------------------------------------------------


@pytest.fixture
def real(box: Sandbox) -> Iterator[Sandbox]:
    """A box whose Hub is a real gRPC server; it is not started yet."""
    real_grpc_hub(box)
    yield box
    box.stop()


@pytest.mark.parametrize("more", [{}, {"two_tiers": True}, {"key_type": "rsa-2048"}], ids=str)
def test_t12_a_real_grpc_server_lets_in_its_clients_and_nobody_else(
    real: Sandbox, more: dict[str, Raw]
) -> None:
    secured(real, **more)
    real.start()
    proof = proven(real, **more)
    assert proof.passed, proof
    assert set(verdicts(proof).values()) == {Verdict.PASSED}
    assert list(verdicts(proof))[-7:] == [
        "All clients are accepted",
        "A client without a certificate is refused",
        "A stranger's certificate is refused",
        "The server's own certificate is refused",
        "An expired certificate is refused",
        "TLS 1.0 and 1.1 are refused",
        "gRPC without TLS is refused on the same port",
    ]
    tls = real.hub / "tls"
    ca = (tls / "ca.crt").read_bytes()
    port = int(re.search(r"127\.0\.0\.1:(\d+)", (real.hub / "start.sh").read_text())[1])  # type: ignore[index]  # it is there
    for name, answer in (("clients/alice", "OK"), ("server", "UNAVAILABLE")):
        certificate, key = (tls / f"{name}.{ending}" for ending in ("crt", "key"))
        client = GrpcClient(ca, certificate.read_bytes(), key.read_bytes())
        assert client.call(port).startswith(answer)


def test_a_server_that_lets_everybody_in_is_found_out(real: Sandbox) -> None:
    secured(real)
    script = real.hub / "start.sh"
    script.write_text(script.read_text().replace("--authMode ssl", "--authMode none"))
    real.start()
    proof = proven(real)
    assert not proof.passed
    assert verdicts(proof)["The start script sets TLS"] is Verdict.FAILED


def test_a_client_taken_out_gets_in_until_the_restart_and_not_afterwards(real: Sandbox) -> None:
    secured(real)
    real.start()
    clients = real.hub / "tls" / "clients"
    left = [(clients / f"rpc.user.1.{ending}").read_bytes() for ending in ("crt", "key")]
    ca = (real.hub / "tls" / "ca.crt").read_bytes()
    port = int(filled(real).address.rpartition(":")[2])
    secured(real, clients=["alice"], lock_out="new-authority")
    assert GrpcClient(ca, *left).call(port) == "OK"
    real.restart()
    new_ca = (real.hub / "tls" / "ca.crt").read_bytes()
    assert GrpcClient(new_ca, *left).call(port).startswith("UNAVAILABLE")
    assert proven(real, clients=["alice"]).passed


def test_hub_that_was_not_restarted_is_told_apart(real: Sandbox) -> None:
    real.start()
    secured(real)
    proof = proven(real)
    assert not proof.passed
    assert verdicts(proof)["Hub runs with these settings"] in (Verdict.FAILED, Verdict.PASSED)
    reach = next(result for result in proof.results if result.title.endswith("answers TLS"))
    assert reach.verdict is Verdict.FAILED


def test_the_stand_in_of_the_demo_is_proven_too(box: Sandbox) -> None:
    secured(box)
    box.start()
    try:
        assert proven(box).passed
    finally:
        box.stop()


def test_with_an_authority_elsewhere_hub_gets_a_copy_of_its_root(real: Sandbox, tmp_path: Path) -> None:
    other = grpc_box(tmp_path / "other")
    answers = filled(other)
    transaction.apply(answers.plan(replace(host_of(other), state=real.state)), real.state)
    folder = str(other.hub / "tls")
    assert folder in [value for value, _ in sheet_of(real)["authority"].question.kind.options]  # type: ignore[attr-defined]  # a Choice
    plan = plan_of(real, authority=folder)
    assert "whoever has a client certificate for one of them" in texts(plan)
    assert file(plan, "clients-ca.crt").after == (other.hub / "tls" / "ca.crt").read_bytes()
    assert {c.path for c in plan.changes if c.path.name == "index.txt"} == {Path(folder) / "index.txt"}
    transaction.apply(plan, real.state)
    real.start()
    assert proven(real, authority=folder).passed
    assert not plan_of(real, authority=folder).changed
