"""Who may write where, and the way out for someone who may not."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from wizard.host import Host
from wizard.plan import Owner
from wizard.rights import account_owner, as_root, cannot_write
from wizard.state import State

HOST = Host(
    name="h",
    fqdn="h",
    addresses=(),
    user="jake",
    root=False,
    command=("/opt/my tools/tls-wizard",),
)


def test_a_file_that_is_there_and_one_that_is_not_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    assert cannot_write(tmp_path / "there", HOST, "hub-rest") is None
    assert cannot_write(tmp_path / "new", HOST, "hub-rest") is None
    assert cannot_write(tmp_path / "new" / "folders" / "too", HOST, "hub-rest") is None


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A file system that is mounted read-only, so that root may not write there either."""
    folder = tmp_path / "closed"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode or not folder.is_mount():
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_it_is_the_folder_of_the_file_behind_a_link_that_counts(tmp_path: Path, closed: Path) -> None:
    (tmp_path / "link").symlink_to(closed / "cert.pem")
    said = cannot_write(tmp_path / "link", HOST, "hub-rest")
    assert said is not None
    assert said.startswith(f"jake may not write in {closed}. Leave, then: sudo ")


def test_a_file_on_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "file").chmod(0o777)
    said = cannot_write(tmp_path / "file" / "tls" / "cert.pem", HOST, "hub-rest")
    assert said == f"{tmp_path / 'file'} is a file, so there can be no cert.pem in it."


def test_what_not_even_root_can_write_is_not_sent_to_sudo(closed: Path) -> None:
    root = Host(name="h", fqdn="h", addresses=(), user="root", root=True)
    said = cannot_write(closed / "tls" / "cert.pem", root, "hub-rest")
    assert said == f"{closed} cannot be written, not even by root: is it mounted read-only, or immutable?"


def test_the_screens_are_gone_on_with_as_root_with_the_answers_kept(tmp_path: Path) -> None:
    said = as_root(replace(HOST, state=State(tmp_path / "a state")), "hub-rest")
    assert said.startswith("Leave, then: sudo ")
    assert shlex.split(said.partition(": ")[2]) == [
        "sudo",
        "/opt/my tools/tls-wizard",
        "--answers",
        str(tmp_path / "a state" / "answers" / "hub-rest.toml"),
    ]


def test_an_account_owns_with_its_primary_group() -> None:
    assert account_owner("root") == Owner(0, 0)
    with pytest.raises(KeyError):
        account_owner("no-such-account")
