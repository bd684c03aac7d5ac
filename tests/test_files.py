"""The file primitives, each on the real file system."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from wizard import files
from wizard.files import Entry
from wizard.plan import Owner


@pytest.fixture
def no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """A C library without renameat2, so that hard links do its work."""
    monkeypatch.setattr(files, "_renameat2", None)


@pytest.fixture(params=["renameat2", "hard links"])
def _both_ways(request: pytest.FixtureRequest) -> None:
    if request.param == "hard links":
        request.getfixturevalue("no_exchange")


def test_what_is_at_a_name_is_told_without_following_links(tmp_path: Path) -> None:
    file, link, folder, pipe = (tmp_path / name for name in ("file", "link", "folder", "pipe"))
    file.write_bytes(b"abc")
    file.chmod(0o640)
    link.symlink_to("./file")
    folder.mkdir(mode=0o711)
    os.mkfifo(pipe)
    ba7816bf = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    assert files.look(file) == Entry("file", ba7816bf, 0o640, os.geteuid(), os.getegid())
    assert files.look(link) == Entry("link", "./file")
    found = files.look(folder), files.look(pipe)
    assert [entry.kind for entry in found if entry] == ["directory", "other"]
    assert files.look(tmp_path / "nothing") is None
    assert files.look(file / "nothing") is None


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_a_new_file_has_exactly_its_mode_and_is_private_before(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        files.create(tmp_path / "key", b"secret")
        files.create(tmp_path / "cert", b"public", mode=0o644, owner=Owner(os.geteuid(), os.getegid()))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "cert").stat().st_mode) == 0o644


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"theirs")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("file", "dangling"):
        with pytest.raises(FileExistsError):
            files.create(tmp_path / name, b"ours")
    assert (tmp_path / "file").read_bytes() == b"theirs"
    assert not (tmp_path / "nowhere").exists()


def test_neither_reading_nor_writing_in_place_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to("file")
    owner = Owner(os.geteuid(), os.getegid())
    with pytest.raises(OSError, match="symbolic links"):
        files.read(tmp_path / "link")
    with pytest.raises(OSError, match="symbolic links"):
        files.overwrite(tmp_path / "link", b"ours", mode=0o600, owner=owner, attributes={})
    assert (tmp_path / "file").read_bytes() == b"theirs"


def test_a_shorter_content_in_place_leaves_nothing_of_the_longer_one(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a long old content")
    inode = file.stat().st_ino
    files.overwrite(file, b"new", mode=0o640, owner=Owner(os.geteuid(), os.getegid()), attributes={})
    assert file.read_bytes() == b"new"
    assert (file.stat().st_ino, stat.S_IMODE(file.stat().st_mode)) == (inode, 0o640)


def test_a_write_that_fails_names_the_file() -> None:
    owner = Owner(os.geteuid(), os.getegid())
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        files.overwrite(Path("/dev/full"), b"x", mode=0o666, owner=owner, attributes={})


def test_attributes_become_exactly_those_wanted(tmp_path: Path) -> None:
    files.create(tmp_path / "file", b"", attributes={"user.a": b"1", "user.b": b"2"})
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    files.set_attributes(descriptor, {"user.b": b"3", "user.c": b""})
    os.close(descriptor)
    assert files.get_attributes(tmp_path / "file") == {"user.b": b"3", "user.c": b""}


@pytest.mark.usefixtures("_both_ways")
def test_two_names_trade_places(tmp_path: Path) -> None:
    stage, path = tmp_path / "stage", tmp_path / "path"
    stage.write_bytes(b"new")
    path.write_bytes(b"old")
    old = path.stat().st_ino
    files.swap(stage, path)
    assert (stage.read_bytes(), path.read_bytes()) == (b"old", b"new")
    assert stage.stat().st_ino == old, "it is the old file itself, not a copy"
    assert sorted(tmp_path.iterdir()) == [path, stage]


@pytest.mark.usefixtures("_both_ways")
def test_symbolic_links_trade_places_as_they_are(tmp_path: Path) -> None:
    stage, path = tmp_path / "stage", tmp_path / "path"
    stage.symlink_to("new")
    path.symlink_to("old")
    files.swap(stage, path)
    assert (stage.readlink(), path.readlink()) == (Path("old"), Path("new"))
    stage.unlink()
    files.take(path, stage)
    files.put(stage, path)
    assert path.readlink() == Path("new")


@pytest.mark.usefixtures("_both_ways")
def test_a_file_is_put_only_where_nothing_is(tmp_path: Path) -> None:
    stage, path = tmp_path / "stage", tmp_path / "path"
    stage.write_bytes(b"ours")
    path.write_bytes(b"theirs")
    with pytest.raises(FileExistsError):
        files.put(stage, path)
    assert (stage.read_bytes(), path.read_bytes()) == (b"ours", b"theirs")
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        files.put(stage, path)
    path.unlink()
    files.put(stage, path)
    assert path.read_bytes() == b"ours"
    assert not stage.exists()


@pytest.mark.usefixtures("_both_ways")
def test_nothing_is_swapped_with_a_free_name(tmp_path: Path) -> None:
    stage, path = tmp_path / "stage", tmp_path / "path"
    stage.write_bytes(b"ours")
    with pytest.raises(FileNotFoundError):
        files.swap(stage, path)
    assert stage.read_bytes() == b"ours"


def test_frozen_is_said_of_no_ordinary_file_or_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not files.frozen(tmp_path / "file")
    assert not files.frozen(tmp_path)
    assert not files.frozen(Path("/proc/self/status"))


def test_mount_points_are_read_as_the_kernel_escapes_them(tmp_path: Path) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_bytes(
        b"22 27 0:21 / /proc rw,relatime - proc proc rw\n"
        b"23 27 0:22 /x /srv/a\\040b\\134c\\011d rw shared:1 - ext4 /dev/vda rw\n"
    )
    assert files.mount_points(mountinfo) == {Path("/proc"), Path("/srv/a b\\c\td")}
    assert Path("/proc") in files.mount_points()


def test_an_account_without_a_name_is_called_by_its_number() -> None:
    assert files.user_name(0) == "root"
    assert files.user_name(4_123_456_789) == "4123456789"
