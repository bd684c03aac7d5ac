"""What stands in the way is found before the first change, and told with the way out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash import scenario
from tests.crash.scenario import JAKE, SCRIPT, creation, edit, plan_for, tree
from wizard import journal, transaction
from wizard.errors import Drifted, WizardError
from wizard.plan import Directory, File, Plan
from wizard.preflight import Problem
from wizard.review import examined
from wizard.state import State

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not run: needs root")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A start script with an owner, a mode and an attribute of its own, and a certificate to be removed."""
    return scenario.make_host(tmp_path)


def only(problems: tuple[Problem, ...]) -> Problem:
    (problem,) = problems
    return problem


def test_a_plan_that_fits_has_no_problems(host: Path) -> None:
    assert transaction.preflight(plan_for(host)) == ()


def test_what_changed_since_the_preview_is_drift_and_all_of_it_is_named(host: Path, state: State) -> None:
    plan = plan_for(host)
    (host / "start.sh").write_bytes(b"edited")
    (host / "old.pem").unlink()
    (host / "tls").mkdir()
    (host / "tls/cert.pem").write_bytes(b"")
    (host / "tls/1234abcd.0").symlink_to("elsewhere")
    drifted = {problem.path.name for problem in transaction.preflight(plan) if problem.drifted}
    assert drifted == {"start.sh", "old.pem", "cert.pem", "1234abcd.0"}
    before = tree(host)
    with pytest.raises(Drifted) as caught:
        transaction.apply(plan, state)
    assert caught.value.exit_code == 4
    assert all(name in str(caught.value) for name in drifted)
    assert tree(host) == before
    assert journal.history(state) == ()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    problem = only(transaction.preflight(creation(tmp_path / "nowhere/key.pem")))
    assert problem.stops
    assert f"{tmp_path / 'nowhere'} does not exist" in problem.sentence


def test_a_dangling_symbolic_link_stops(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    problem = only(transaction.preflight(creation(tmp_path / "link")))
    assert problem.stops
    assert f"symbolic link to {tmp_path / 'gone'}, which does not exist" in problem.sentence


@needs_root
@pytest.mark.parametrize("more", [{"owner": JAKE}, {"secret": True}, {"mode": 0o644}])
def test_through_a_link_nothing_is_given_away_opened_or_written_unseen(
    tmp_path: Path, state: State, more: dict[str, Any]
) -> None:
    hub, shadow = tmp_path / "hub", tmp_path / "etc/shadow"
    hub.mkdir()
    shadow.parent.mkdir()
    shadow.write_bytes(b"root:hash")
    shadow.chmod(0o640)
    (hub / "key.pem").symlink_to(shadow)
    for path in (hub, hub / "key.pem"):
        os.chown(path, JAKE.uid, JAKE.gid, follow_symlinks=False)
    before = tree(tmp_path)
    change = File(path=hub / "key.pem", before=b"root:hash", after=b"key", **more)
    plan = Plan(target="t", title="t", changes=(change,))

    stops = [problem.sentence for problem in transaction.preflight(plan) if problem.stops]

    assert any(f"is a symbolic link to {shadow}." in sentence for sentence in stops)
    with pytest.raises(WizardError, match="Nothing was changed"):
        transaction.apply(plan, state)
    assert {name: found for name, found in tree(tmp_path).items() if not name.startswith("state")} == before


def test_a_secret_that_is_not_marked_so_is_not_written_through_a_link_either(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"-----BEGIN PRIVATE KEY-----")
    (tmp_path / "link").symlink_to("real")
    assert only(transaction.preflight(edit(tmp_path / "link"))).stops


def test_an_edit_through_a_link_names_the_file_that_changes(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    problem = only(transaction.preflight(edit(tmp_path / "link")))
    assert not problem.stops
    assert f"the file that changes is {tmp_path / 'real'}" in problem.sentence


@needs_root
@pytest.mark.parametrize("more", [{"owner": JAKE}, {"secret": True}])
def test_a_strangers_link_on_the_way_does_not_choose_the_folder(tmp_path: Path, more: dict[str, Any]) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "inner").symlink_to("etc")
    (tmp_path / "tls").symlink_to("inner")
    os.chown(tmp_path / "inner", JAKE.uid, JAKE.gid, follow_symlinks=False)
    change = File(path=tmp_path / "tls/key.pem", before=None, after=b"key", mode=0o600, **more)
    plan = Plan(target="t", title="t", changes=(change,))
    problem = only(transaction.preflight(plan))
    assert problem.stops
    assert f"the symbolic link {tmp_path / 'inner'} belongs to" in problem.sentence
    os.chown(tmp_path / "etc", JAKE.uid, JAKE.gid)
    assert not [at for at in transaction.preflight(plan) if "belongs to" in at.sentence], "it is theirs"


def test_a_loop_of_symbolic_links_stops(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert only(transaction.preflight(creation(tmp_path / "a"))).stops


def test_a_folder_or_pipe_in_the_place_of_a_file_stops(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        assert "not a regular file" in only(transaction.preflight(creation(tmp_path / name))).sentence


def test_hard_links_only_warn(host: Path, state: State) -> None:
    os.link(host / "start.sh", host / "other")
    plan = edit(host / "start.sh")
    problem = only(transaction.preflight(plan))
    assert not problem.stops
    assert "2 names" in problem.sentence
    transaction.apply(plan, state)
    assert (host / "other").read_bytes() == SCRIPT


def test_a_path_named_twice_stops(host: Path) -> None:
    (host / "alias").symlink_to("start.sh")
    plan = Plan(
        target="t", title="t", changes=(*edit(host / "start.sh").changes, *edit(host / "alias").changes)
    )
    assert "twice" in only(tuple(at for at in transaction.preflight(plan) if at.stops)).sentence


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770])
def test_a_secret_is_not_put_where_others_can_write(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    if os.geteuid() == 0:
        os.chown(folder, 0, JAKE.gid)
    problem = only(transaction.preflight(creation(folder / "key.pem", secret=True)))
    assert problem.stops
    assert "others can write" in problem.sentence
    assert transaction.preflight(creation(folder / "cert.pem")) == ()


def test_a_secret_is_not_put_below_a_folder_that_others_can_write_to(tmp_path: Path) -> None:
    folder = tmp_path / "shared/hub/tls"
    folder.mkdir(parents=True)
    (tmp_path / "shared").chmod(0o777)
    problem = only(transaction.preflight(creation(folder / "key.pem", secret=True)))
    assert problem.stops
    assert problem.sentence.endswith(f"chmod go-w {tmp_path / 'shared'}")
    (tmp_path / "shared").chmod(0o1777)
    assert transaction.preflight(creation(folder / "key.pem", secret=True)) == (), "as below /tmp"


@needs_root
def test_the_sticky_bit_keeps_nobody_from_moving_a_folder_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "shared/theirs/tls"
    folder.mkdir(parents=True)
    (tmp_path / "shared").chmod(0o1777)
    os.chown(tmp_path / "shared/theirs", JAKE.uid, JAKE.gid)
    named = [at.sentence.split()[-1] for at in transaction.preflight(creation(folder / "key", secret=True))]
    assert named == [str(tmp_path / "shared/theirs"), str(tmp_path / "shared")]


@needs_root
def test_a_secret_is_not_put_into_a_strangers_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, JAKE.uid, JAKE.gid)
    (change,) = creation(tmp_path / "key.pem", secret=True).changes
    assert isinstance(change, File)
    assert (
        "others can write"
        in only(transaction.preflight(Plan(target="t", title="t", changes=(change,)))).sentence
    )
    jakes = File(path=change.path, before=None, after=b"key", mode=0o600, owner=JAKE, secret=True)
    assert transaction.preflight(Plan(target="t", title="t", changes=(jakes,))) == ()


def test_a_secret_is_not_put_into_a_new_folder_that_others_can_write_to(host: Path) -> None:
    changes = (Directory(path=host / "new", mode=0o777), *creation(host / "new/key", secret=True).changes)
    assert (
        "others can write"
        in only(transaction.preflight(Plan(target="t", title="t", changes=changes))).sentence
    )


@pytest.fixture
def chattr(tmp_path: Path) -> Iterator[Path]:
    """An ext4 disk of our own, since `chattr +i` is not known to every file system."""
    if os.geteuid() != 0:
        pytest.skip("not run: needs root")
    image, place = tmp_path / "image", tmp_path / "disk"
    place.mkdir()
    image.touch()
    os.truncate(image, 4 << 20)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-b", "1024", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, place], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not run: needs e2fsprogs and loop devices")
    yield place
    subprocess.run(["umount", place], check=True)


def test_immutable_files_and_folders_are_named_with_the_way_out(chattr: Path, state: State) -> None:
    (chattr / "folder").mkdir()
    (chattr / "file").write_bytes(b"old")
    for name in ("folder", "file"):
        subprocess.run(["chattr", "+i", chattr / name], check=True)
    for plan in (creation(chattr / "folder/new"), edit(chattr / "file")):
        problem = only(transaction.preflight(plan))
        assert problem.stops
        assert "immutable" in problem.sentence
        assert "chattr -i" in problem.sentence
        with pytest.raises(WizardError, match="Nothing was changed"):
            transaction.apply(plan, state)


def test_a_full_disk_is_known_before(chattr: Path) -> None:
    plan = Plan(
        target="t",
        title="t",
        changes=(File(path=chattr / "big", before=None, after=bytes(8 << 20), mode=0o600),),
    )
    assert "disk is full" in only(transaction.preflight(plan)).sentence


def test_a_disk_without_inodes_is_known_before(chattr: Path) -> None:
    for number in range(os.statvfs(chattr).f_ffree):
        (chattr / str(number)).touch()
    problem = only(transaction.preflight(creation(chattr / "new")))
    assert "no room for more files: inodes needed 1, free 0" in problem.sentence


def test_a_file_that_changes_while_the_plan_is_made_is_drift(host: Path) -> None:
    plan = plan_for(host)
    (host / "start.sh").write_bytes(b"edited")
    with pytest.raises(Drifted, match=r"start\.sh: has changed"):
        examined(plan)


def test_a_read_only_mount_is_named(chattr: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", chattr], check=True)
    assert "read-only" in only(transaction.preflight(creation(chattr / "new"))).sentence


def test_only_a_folder_is_removed_as_a_folder(host: Path) -> None:
    (host / "link").symlink_to(host)
    for name in ("link", "start.sh"):
        plan = Plan(target="t", title="t", changes=(Directory(path=host / name, present=False),))
        assert "not a folder" in only(transaction.preflight(plan)).sentence


def test_a_file_in_the_place_of_a_folder_stops(host: Path) -> None:
    plan = Plan(target="t", title="t", changes=(Directory(path=host / "start.sh"),))
    assert "a folder should be there" in only(transaction.preflight(plan)).sentence
