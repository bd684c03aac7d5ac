"""Certificates on the command line: what was made, what waits, and both taken up again; as a process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.peers.sandboxed import answers_file, cli, furnished
from tests.sources.elsewhere import Elsewhere
from wizard.demo.sandbox import Sandbox
from wizard.material.certificates import read_certificates_pem, same_key


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return furnished(tmp_path / "box")


@pytest.fixture
def waiting(box: Sandbox) -> Sandbox:
    """A setup that waits for its certificate."""
    done = cli(box, "apply", str(answers_file(box, source='"request"', organisation='"Example Ltd"')))
    assert done.returncode == 0, done.stderr
    assert "BEGIN CERTIFICATE REQUEST" in done.stdout
    return box


def listed(box: Sandbox) -> dict[str, list[dict[str, object]]]:
    done = cli(box, "certificates", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return found


def test_nothing_is_listed_before_anything_is_made(box: Sandbox) -> None:
    assert listed(box) == {"certificates": [], "waiting": []}
    done = cli(box, "certificates")
    assert done.stdout == "The wizard has not made or installed a certificate on this host yet.\n"


def test_what_was_made_is_listed_with_where_it_is_used(box: Sandbox) -> None:
    cli(box, "apply", str(answers_file(box)))
    (row,) = listed(box)["certificates"]
    assert (row["path"], row["days_left"], row["wrong"]) == (str(box.hub / "cert.pem"), 396, [])
    assert str(row["title"]).startswith("Secure IOTA Hub, REST, at 127.0.0.1:")
    (box.hub / "key.pem").chmod(0o644)
    assert "Others can read its key" in cli(box, "certificates").stdout


def test_what_waits_is_told_by_every_list(waiting: Sandbox) -> None:
    (run,) = listed(waiting)["waiting"]
    assert run["awaits"] == str(waiting.hub / "cert.pem")
    for command in ("targets", "certificates"):
        done = cli(waiting, command)
        assert "Request a certificate for IOTA Hub, REST" in done.stdout
        assert str(run["run"]) in done.stdout
    again = cli(waiting, "apply", str(waiting.root / "answers.toml"))
    assert again.stdout.startswith("Nothing to change: it waits for its certificate.")


def test_the_answer_is_taken_from_files_and_the_setup_goes_on(waiting: Sandbox, tmp_path: Path) -> None:
    elsewhere = Elsewhere(tmp_path / "elsewhere")
    leaf = elsewhere.sign(waiting.hub / "request.csr")
    script = (waiting.hub / "start.sh").read_bytes()
    checked = cli(waiting, "resume", "--check", str(leaf), str(elsewhere.intermediate), str(elsewhere.root))
    assert checked.returncode == 0, checked.stderr
    assert (waiting.hub / "start.sh").read_bytes() == script, "only looked at"
    done = cli(waiting, "resume", str(leaf), str(elsewhere.intermediate), str(elsewhere.root))
    assert done.returncode == 0, done.stderr
    assert len(read_certificates_pem((waiting.hub / "cert.pem").read_bytes())) == 2
    assert b"--authMode ssl" in (waiting.hub / "start.sh").read_bytes()
    assert listed(waiting)["waiting"] == []
    nothing = cli(waiting, "resume", str(leaf))
    assert (nothing.returncode, nothing.stderr) == (
        1,
        "tls-wizard: No setup waits for a certificate here.\n",
    )


def test_an_answer_that_lacks_a_part_says_which_and_changes_nothing(waiting: Sandbox, tmp_path: Path) -> None:
    leaf = Elsewhere(tmp_path / "elsewhere").sign(waiting.hub / "request.csr")
    before = {path: path.read_bytes() for path in waiting.hub.rglob("*") if path.is_file()}
    done = cli(waiting, "resume", str(leaf))
    assert done.returncode == 1
    assert "delivered: The chain has a gap" in done.stderr
    assert {path: path.read_bytes() for path in waiting.hub.rglob("*") if path.is_file()} == before


def test_a_certificate_is_made_again_with_the_same_key_or_a_new_one(box: Sandbox) -> None:
    cli(box, "apply", str(answers_file(box)))
    path = box.hub / "cert.pem"
    first = read_certificates_pem(path.read_bytes())[0]
    assert cli(box, "reissue", str(path)).returncode == 0
    second = read_certificates_pem(path.read_bytes())[0]
    assert second != first
    assert same_key(first.public_key(), second.public_key())
    assert cli(box, "reissue", "--new-key", "hub/cert.pem").returncode == 0, "relative to this folder"
    assert not same_key(read_certificates_pem(path.read_bytes())[0].public_key(), second.public_key())
    kept = cli(box, "plan", str(box.root / "answers.toml"))
    assert "Nothing to change" in kept.stdout, "it was for that one run"


def test_what_the_wizard_has_not_made_is_not_made_again(box: Sandbox) -> None:
    done = cli(box, "reissue", "/etc/hostname")
    assert done.returncode == 1
    assert "was not made by the wizard on this host" in done.stderr


def test_making_one_again_leaves_what_the_setup_has_come_to_since(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    script.write_text(script.read_text().replace("http", "grpc"))
    grpc = {"target": '"hub-grpc"', "protect": "false"}
    cli(box, "apply", str(answers_file(box, **grpc, clients='["alice", "bob"]')))
    cli(box, "apply", str(answers_file(box, **grpc, clients='["alice", "bob", "carol"]')))
    done = cli(box, "reissue", str(box.hub / "tls" / "clients" / "alice.crt"), "--json")
    assert done.returncode == 0, done.stderr
    changed = [Path(change["path"]).name for change in json.loads(done.stdout)["changes"]]
    assert changed == ["index.txt", "alice.crt"], "carol stays, and so does the authority"
    refused = cli(box, "reissue", str(box.hub / "tls" / "ca.crt"))
    assert (refused.returncode, "is the certificate of an authority" in refused.stderr) == (1, True)
    last = cli(box, "history").stdout.splitlines()[0]
    assert last.endswith(": renews alice")


def test_a_protected_authority_issues_with_a_file_that_holds_its_passphrase(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    script.write_text(script.read_text().replace("http", "grpc"))
    secret = box.root / "secret"
    secret.write_text("correct horse battery staple 42\n")
    secret.chmod(0o600)
    answers = answers_file(box, target='"hub-grpc"', passphrase_file=f'"{secret}"')
    assert cli(box, "apply", str(answers)).returncode == 0
    path = str(box.hub / "tls" / "server.crt")
    assert "passphrase_file: This is needed" in cli(box, "reissue", path).stderr
    assert cli(box, "reissue", path, "--passphrase-file", str(secret)).returncode == 0
