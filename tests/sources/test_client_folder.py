"""The names by which OpenSSL finds clients' certificates, and the certificates that are made for it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.peers.nano.parties import CA, client, party
from wizard.material import MaterialError
from wizard.material.certificates import read_certificates_pem
from wizard.material.key_types import KeyType
from wizard.material.subject import Subject
from wizard.plan import File, Link
from wizard.sources import self_signed
from wizard.sources.client_folder import ClientFolder
from wizard.sources.pair import Issue, Pair, Wanted

NOW = datetime.now(UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "clients"
    path.mkdir()
    return path


def links(folder: Path, *ours: str, changes: dict[str, bytes | None] | None = None) -> dict[str, str | None]:
    """What the links come to, by name."""
    files = {
        folder / name: File(path=folder / name, before=None, after=content)
        for name, content in (changes or {}).items()
    }
    found = ClientFolder(folder, frozenset(ours)).links(files)
    return {change.path.name: change.after for change in found if isinstance(change, Link)}


def strangers(folder: Path, *ours: str) -> str:
    return "\n".join(warning.text for warning in ClientFolder(folder, frozenset(ours)).strangers())


# Links ------------------------------------------------------------------------------------------------------


def test_openssl_finds_what_is_linked_and_nothing_is_left_to_do(folder: Path) -> None:
    alice, bob = client("alice"), client("bob")
    for name, one in (("alice.crt", alice), ("bob.crt", bob)):
        (folder / name).write_bytes(one.pem)
    made = links(folder, "alice.crt", "bob.crt")
    assert made == {f"{alice.hash}.0": "alice.crt", f"{bob.hash}.0": "bob.crt"}
    for name, target in made.items():
        (folder / name).symlink_to(target or "")
    assert links(folder, "alice.crt", "bob.crt") == {}
    command = ["openssl", "verify", "-CApath", str(folder), "-no-CAfile", "-no-CAstore", "-partial_chain"]
    done = subprocess.run([*command, str(folder / "bob.crt")], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("bob.crt: OK\n")


def test_links_follow_what_is_written_and_removed(folder: Path) -> None:
    before, after, gone = client("alice"), client("alice 2"), client("gone")
    (folder / "alice.crt").write_bytes(before.pem)
    (folder / "gone.crt").write_bytes(gone.pem)
    for one, name in ((before, "alice.crt"), (gone, "gone.crt")):
        (folder / f"{one.hash}.0").symlink_to(name)
    changes = {"alice.crt": after.pem, "gone.crt": None}
    assert links(folder, "alice.crt", "gone.crt", changes=changes) == {
        f"{before.hash}.0": None,
        f"{after.hash}.0": "alice.crt",
        f"{gone.hash}.0": None,
    }


def test_only_links_that_are_ours_or_lead_nowhere_are_touched(folder: Path) -> None:
    alice, other = client("alice"), client("other")
    (folder / "alice.crt").write_bytes(alice.pem)
    (folder / "other.pem").write_bytes(other.pem)
    (folder / f"{other.hash}.0").symlink_to("other.pem")
    (folder / "00000000.0").write_bytes(other.pem)
    (folder / "11111111.0").symlink_to("nowhere")
    (folder / "22222222.0").symlink_to("alice.crt")
    (folder / f"{alice.hash}.0").symlink_to(folder / "alice.crt")
    (folder / "readme").symlink_to("nowhere")
    assert links(folder, "alice.crt") == {
        "11111111.0": None,
        "22222222.0": None,
        f"{alice.hash}.0": "alice.crt",
    }


def test_who_else_gets_in_is_told(folder: Path) -> None:
    ours, other, guide, lost = client("alice"), client("other"), party("rpc.user.1", CA), client("lost")
    (folder / "alice.crt").write_bytes(ours.pem)
    other.install(folder)
    (folder / "guide.pem").write_bytes(guide.pem + guide.key_pem)
    (folder / f"{guide.hash}.0").symlink_to("guide.pem")
    (folder / "lost.pem").write_bytes(lost.pem)
    (folder / "notes.txt").write_text("not a certificate")
    said = strangers(folder, "alice.crt")
    assert f"{other.hash}.0 (other) is let in too. It is not among these clients" in said
    assert "guide.pem (rpc.user.1) is let in too, and can issue certificates itself" in said
    assert "The private key of a client lies in guide.pem" in said
    assert "lost.pem (lost) is in the folder of the clients, but under no name" in said
    assert "alice" not in said
    assert "notes" not in said


def test_a_folder_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    folder = ClientFolder(tmp_path / "none", frozenset())
    assert (folder.subjects(), list(folder.links({})), list(folder.strangers())) == ({}, [], [])


def test_a_file_that_is_only_linked_counts_once_and_one_from_outside_does(
    folder: Path, tmp_path: Path
) -> None:
    inside, outside = client("inside"), client("outside")
    (folder / "inside.crt").write_bytes(inside.pem)
    (folder / f"{inside.hash}.0").symlink_to("inside.crt")
    (tmp_path / "outside.pem").write_bytes(outside.pem)
    (folder / f"{outside.hash}.0").symlink_to("../outside.pem")
    subjects = ClientFolder(folder, frozenset()).subjects()
    assert subjects == {"inside.crt": inside.hash, f"{outside.hash}.0": outside.hash}


# Certificates -----------------------------------------------------------------------------------------------


def wanted(name: str = "alice", *, anew: bool = False, new_key: bool = True) -> Wanted:
    return Wanted(name, (), 30, KeyType.ECDSA_P256, anew, new_key)


def pair_in(folder: Path) -> Pair:
    return Pair(folder / "alice.crt", folder / "alice.key", None)


def written(issue: Issue) -> Issue:
    for change in issue.changes:
        assert isinstance(change, File)
        change.path.write_bytes(change.after or b"")
        change.path.chmod(change.mode or 0o644)
    return issue


def subject_of(issue: Issue) -> str:
    assert issue.certificate is not None
    return issue.certificate.subject.rfc4514_string()


def test_a_client_s_certificate_is_kept_until_it_is_asked_for_anew(folder: Path) -> None:
    pair = pair_in(folder)
    made = written(self_signed.client(wanted(), pair, NOW, ()))
    assert subject_of(made) == "CN=alice"
    assert not self_signed.client(wanted(), pair, NOW, ()).changes
    key = pair.key.read_bytes()
    for number in (1, 2, 3):
        again = written(self_signed.client(wanted(anew=True, new_key=False), pair, NOW, ()))
        assert subject_of(again) == f"2.5.4.5={number},CN=alice"
    assert pair.key.read_bytes() == key
    pair.key.unlink()
    assert subject_of(self_signed.client(wanted(), pair, NOW, ())) == "2.5.4.5=4,CN=alice"


def test_a_subject_that_is_taken_is_passed_over(folder: Path) -> None:
    pair = pair_in(folder)
    taken = {client("alice").hash}
    assert subject_of(written(self_signed.client(wanted(), pair, NOW, taken))) == "2.5.4.5=1,CN=alice"
    assert not self_signed.client(wanted(), pair, NOW, taken).changes
    (here,) = ClientFolder(folder, frozenset()).subjects().values()
    assert subject_of(self_signed.client(wanted(), pair, NOW, {here})) == "2.5.4.5=2,CN=alice"


@pytest.mark.parametrize("what", ["CA", "issued"])
def test_a_certificate_that_does_not_do_is_replaced(folder: Path, what: str) -> None:
    pair = pair_in(folder)
    there = party("alice", CA) if what == "CA" else party("authority", CA).issue("alice")
    pair.certificate.write_bytes(there.pem)
    pair.key.write_bytes(there.key_pem)
    pair.key.chmod(0o600)
    issue = self_signed.client(wanted(), pair, NOW, ())
    said = issue.warnings[0].text
    assert ("it can issue certificates itself" if what == "CA" else "signed by an authority") in said


def test_the_serial_of_a_subject_is_what_x_520_allows(folder: Path) -> None:
    written(self_signed.client(wanted(), pair_in(folder), NOW, {client("alice").hash}))
    (certificate,) = read_certificates_pem((folder / "alice.crt").read_bytes())
    assert bytes.fromhex("0603550405" + "1301" + "31") in certificate.subject.public_bytes()
    for wrong in ("ü", "1\n2", "x" * 65, "a*b"):
        with pytest.raises(MaterialError):
            Subject("alice", serial=wrong)
