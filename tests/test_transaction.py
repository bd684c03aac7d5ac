"""Apply, undo and recover on the real file system; tests/crash/ shows that nothing can be lost on the way."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash import scenario
from tests.crash.scenario import (
    COMMIT,
    JAKE,
    KEY,
    SCRIPT,
    SECURED,
    Tree,
    apply_until_killed,
    creation,
    edit,
    plan_for,
    tree,
)
from wizard import files, journal, transaction
from wizard.errors import Drifted, WizardError
from wizard.journal import Status
from wizard.plan import Command, Directory, File, Plan
from wizard.preflight import Problem, preflight
from wizard.state import State
from wizard.transaction import Progress
from wizard.validation import validate

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not run: needs root")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A start script with an owner, a mode and an attribute of its own, and a certificate to be removed."""
    return scenario.make_host(tmp_path)


# Apply and undo ---------------------------------------------------------------------------------------------


def test_a_plan_is_written_to_the_byte_and_undone_to_the_byte(host: Path, state: State) -> None:
    old = tree(host)

    run = transaction.apply(plan_for(host), state)

    new = tree(host)
    assert run.status is Status.APPLIED
    assert new["tls/key.pem"][0] == KEY
    assert new["tls/1234abcd.0"][0] == "./cert.pem"
    assert new["start.sh"][0] == SECURED
    assert "old.pem" not in new
    assert new["start.sh"][1:] == old["start.sh"][1:], "mode, owner and attributes stay"
    assert not [name for name in new if ".tls-wizard-" in name]

    undone = transaction.undo(run, state)

    assert tree(host) == old
    assert undone.undoes == run.id
    assert [entry.status for entry in journal.history(state)] == [Status.UNDONE, Status.APPLIED]

    transaction.undo(undone, state)
    assert tree(host) == new, "an undo can be undone"
    assert [entry.status for entry in journal.history(state)] == [
        Status.APPLIED, Status.UNDONE, Status.APPLIED,
    ]  # fmt: skip


def test_modes_are_exact_whatever_the_umask(host: Path, state: State) -> None:
    for umask in (0o000, 0o077, 0o027):
        before = os.umask(umask)
        try:
            run = transaction.apply(plan_for(host), state)
        finally:
            os.umask(before)
        modes = {name: found[1] for name, found in tree(host).items()}
        assert modes["tls"] == 0o750
        assert modes["tls/key.pem"] == 0o600
        assert modes["tls/cert.pem"] == 0o644
        assert modes["start.sh"] == 0o750
        transaction.undo(run, state)


@needs_root
def test_owner_set_user_id_and_access_list_survive_an_edit(tmp_path: Path, state: State) -> None:
    script = tmp_path / "script"
    script.write_bytes(b"old")
    os.chown(script, JAKE.uid, JAKE.gid)
    os.setxattr(script, "system.posix_acl_access", access_list(0o6, named=1000))
    script.chmod(0o4770)
    before = tree(tmp_path)["script"][1:]

    run = transaction.apply(edit(script), state)
    assert script.read_bytes() == b"new"
    assert tree(tmp_path)["script"][1:] == before
    transaction.undo(run, state)
    assert tree(tmp_path)["script"][1:] == before


@needs_root
def test_a_folders_default_access_list_opens_no_new_key(tmp_path: Path, state: State) -> None:
    folder = tmp_path / "tls"
    folder.mkdir(mode=0o700)
    os.setxattr(folder, "system.posix_acl_default", access_list(0o7, named=1000))

    transaction.apply(creation(folder / "key.pem", secret=True), state)

    assert "system.posix_acl_access" not in os.listxattr(folder / "key.pem")
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600


def access_list(rights: int, *, named: int) -> bytes:
    """A POSIX access control list that gives one more user rights (linux/posix_acl_xattr.h)."""
    none = 0xFFFFFFFF
    entries = [
        (0x01, 0o7, none),
        (0x02, rights, named),
        (0x04, 0o5, none),
        (0x10, 0o7, none),
        (0x20, 0, none),
    ]
    packed = (
        t.to_bytes(2, "little") + p.to_bytes(2, "little") + i.to_bytes(4, "little") for t, p, i in entries
    )
    return (2).to_bytes(4, "little") + b"".join(packed)


def test_a_symbolic_link_stays_and_its_target_is_edited(tmp_path: Path, state: State) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")

    run = transaction.apply(edit(tmp_path / "link"), state)

    assert (tmp_path / "link").readlink() == Path("real")
    assert (tmp_path / "real").read_bytes() == b"new"
    assert run.files[0][0] == tmp_path / "real"


def test_a_folder_that_was_there_stays_and_one_with_foreign_files_stays(host: Path, state: State) -> None:
    run = transaction.apply(plan_for(host, Directory(path=host, mode=0o700)), state)
    (host / "tls/notes.txt").write_text("mine")

    transaction.undo(run, state)

    assert [path.name for path in (host / "tls").iterdir()] == ["notes.txt"]
    assert stat.S_IMODE(host.stat().st_mode) == 0o755


def test_a_plan_that_is_already_true_changes_nothing(host: Path, state: State) -> None:
    script = host / "start.sh"
    inode = script.stat().st_ino
    run = transaction.apply(edit(script, script.read_bytes()), state)
    assert run.steps == ()
    assert script.stat().st_ino == inode


def test_a_mode_alone_can_be_changed_and_undone(host: Path, state: State) -> None:
    key = host / "old.pem"
    key.chmod(0o644)
    content = key.read_bytes()
    change = File(path=key, before=content, after=content, mode=0o600)
    run = transaction.apply(Plan(target="t", title="Tighten", changes=(change,)), state)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    transaction.undo(run, state)
    assert stat.S_IMODE(key.stat().st_mode) == 0o644


def test_history_says_what_was_done_in_words(host: Path, state: State) -> None:
    run = transaction.apply(plan_for(host), state)
    words = dict(journal.history(state)[0].files)
    owner = files.user_name(JAKE.uid if os.geteuid() == 0 else os.geteuid())
    assert words[host / "tls"] == f"created folder tls, 0750, owner {owner}"
    assert words[host / "tls/key.pem"] == f"created key.pem, 0600, owner {owner}"
    assert words[host / "tls/1234abcd.0"] == "created link 1234abcd.0 to ./cert.pem"
    assert words[host / "start.sh"] == f"changed start.sh, 0750, owner {owner}"
    assert words[host / "old.pem"] == "removed old.pem"
    assert run.id.endswith("-hub-rest")


def test_progress_names_each_step_and_counts_to_the_end(host: Path, state: State) -> None:
    seen: list[Progress] = []
    transaction.apply(plan_for(host, validations=(Command(("true",)),)), state, seen.append)
    assert [entry.done for entry in seen] == [1, 2, 3, 4, 5, 6, 7]
    assert {entry.total for entry in seen} == {7}
    assert seen[1].text == "created key.pem"
    assert seen[-1].text == "checked with true"


# Undo refuses -----------------------------------------------------------------------------------------------


def test_undo_names_every_file_edited_since_and_touches_none(host: Path, state: State) -> None:
    run = transaction.apply(plan_for(host), state)
    (host / "start.sh").write_bytes(b"edited by hand")
    (host / "tls/cert.pem").unlink()
    (host / "tls/1234abcd.0").unlink()
    (host / "tls/1234abcd.0").symlink_to("elsewhere")
    (host / "old.pem").write_bytes(b"there again")
    before = tree(host)

    with pytest.raises(Drifted) as caught:
        transaction.undo(run, state)

    edited = ("tls/cert.pem", "tls/1234abcd.0", "start.sh", "old.pem")
    _, *named, what_to_do = str(caught.value).splitlines()
    assert named == [str(host / name) for name in edited]
    assert what_to_do.startswith("Put them back as the run has left them")
    assert tree(host) == before


def test_undo_does_not_take_a_changed_copy_for_what_was_there(host: Path, state: State) -> None:
    run = transaction.apply(plan_for(host), state)
    for copy in state.runs.rglob("before-*"):
        copy.write_bytes(b"tampered")
    before = tree(host)
    with pytest.raises(WizardError, match="cannot be put back as it was"):
        transaction.undo(run, state)
    assert tree(host) == before


def test_an_undo_preview_masks_what_the_run_masked(host: Path, state: State) -> None:
    run = transaction.apply(plan_for(host), state)
    undo = {change.path: change for change in transaction.undo_plan(run, state).changes}
    key, script = undo[host / "tls/key.pem"], undo[host / "start.sh"]
    assert isinstance(key, File)
    assert key.secret
    assert (key.before, key.after) == (KEY, None)
    assert isinstance(script, File)
    assert script.hidden == (b"root",)
    assert "SECRET KEY" not in repr(undo)


def test_a_run_cannot_be_undone_twice(host: Path, state: State) -> None:
    transaction.undo(transaction.apply(plan_for(host), state), state)
    with pytest.raises(WizardError, match="is undone, so there is nothing to undo"):
        transaction.undo_plan(journal.history(state)[0], state)


@needs_root
def test_a_secret_goes_back_to_where_it_was_whoever_owns_the_folder_now(tmp_path: Path, state: State) -> None:
    folder = tmp_path / "hub"
    folder.mkdir()
    key = folder / "key.pem"
    key.write_bytes(b"old key")
    os.chown(folder, JAKE.uid, JAKE.gid)
    old = tree(folder)
    change = File(path=key, before=b"old key", after=KEY, mode=0o600, owner=JAKE, secret=True)
    run = transaction.apply(Plan(target="t", title="t", changes=(change,)), state)

    transaction.undo(run, state)

    assert tree(folder) == old


# A failure gives the old state back -------------------------------------------------------------------------


def test_a_failed_validation_gives_the_old_state_back_and_shows_inert_output(
    host: Path, state: State
) -> None:
    old = tree(host)
    script = "import sys; print('bad \\x1b[2Jline 7'); sys.exit(3)"
    command = Command((sys.executable, "-c", script))

    with pytest.raises(WizardError) as caught:
        transaction.apply(plan_for(host, validations=(command,)), state)

    assert "status 3" in str(caught.value)
    assert "line 7" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "The old state is back" in str(caught.value)
    assert tree(host) == old
    assert journal.history(state)[0].status is Status.ROLLED_BACK
    assert not list(state.runs.rglob("before-*"))


def test_a_validation_sees_the_new_state_but_no_terminal_and_no_environment(host: Path, state: State) -> None:
    script = (
        "import os, sys, pathlib\n"
        f"assert pathlib.Path({str(host / 'tls/key.pem')!r}).exists()\n"
        "assert sys.stdin.read() == ''\n"
        "assert os.getsid(0) == os.getpid()\n"
        "assert set(os.environ) == {'PATH', 'LC_ALL', 'HOME'}, os.environ\n"
        "try: open('/dev/tty')\n"
        "except OSError: pass\n"
        "else: sys.exit('has a terminal')\n"
    )
    command = Command((sys.executable, "-I", "-c", script))
    assert transaction.apply(plan_for(host, validations=(command,)), state).status is Status.APPLIED


def test_t36_no_backup_lies_where_a_service_would_load_it(host: Path, state: State) -> None:
    names = [str(host / name) for name in ("start.sh", "tls")]
    loaded = f"import glob; assert sorted(glob.glob({str(host / '*')!r})) == {names}"
    command = Command((sys.executable, "-I", "-c", loaded))

    run = transaction.apply(plan_for(host, validations=(command,)), state)

    assert sorted(map(str, host.iterdir())) == names
    transaction.undo(run, state)
    assert sorted(path.name for path in host.iterdir()) == ["old.pem", "start.sh"]


def test_a_validation_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    script = f"sleep 60 & echo $! > {started}; wait"
    with pytest.raises(WizardError, match=r"did not end within 0\.2 seconds"):
        validate(Command(("sh", "-c", script)), seconds=0.2)
    deadline = time.monotonic() + 10
    while running(int(started.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def running(pid: int) -> bool:
    """Whether a process is there, and not only a zombie that nobody has asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_a_program_that_is_missing_stops_the_run(host: Path, state: State) -> None:
    with pytest.raises(WizardError, match="no-such-program cannot be run"):
        transaction.apply(plan_for(host, validations=(Command(("no-such-program",)),)), state)


def test_a_mistake_of_the_caller_gives_the_old_state_back_too(host: Path, state: State) -> None:
    def faulty(progress: Progress) -> None:
        raise ZeroDivisionError(progress.text)

    old = tree(host)
    with pytest.raises(ZeroDivisionError):
        transaction.apply(plan_for(host), state, faulty)
    assert tree(host) == old
    assert transaction.interrupted(state) is None


def test_a_folder_exchanged_for_a_link_during_the_run_leads_nothing_astray(host: Path, state: State) -> None:
    old, aside, victim = tree(host), host.with_name("aside"), host.with_name("victim")
    victim.mkdir()

    def exchange(progress: Progress) -> None:
        if progress.done == 2:
            host.rename(aside)
            host.symlink_to(victim)

    with pytest.raises(WizardError, match="Run `tls-wizard recover`"):
        transaction.apply(plan_for(host), state, exchange)
    with pytest.raises(WizardError, match="Run `tls-wizard recover` again"):
        transaction.recover(state)
    assert list(victim.iterdir()) == []

    host.unlink()
    aside.rename(host)
    transaction.recover(state)
    assert tree(host) == old


@needs_root
def test_a_strangers_link_laid_after_the_preflight_is_not_followed(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, victim = tmp_path / "hub", tmp_path / "victim"
    hub.mkdir()
    victim.write_bytes(b"the same")
    (hub / "dh.pem").write_bytes(b"the same")
    os.chown(hub, JAKE.uid, JAKE.gid)
    before = tree(tmp_path)["victim"]

    def exchanged(plan: Plan, **more: bool) -> tuple[Problem, ...]:
        problems = preflight(plan, **more)
        (hub / "dh.pem").unlink()
        (hub / "dh.pem").symlink_to(victim)
        os.chown(hub / "dh.pem", JAKE.uid, JAKE.gid, follow_symlinks=False)
        return problems

    monkeypatch.setattr(transaction, "preflight", exchanged)
    change = File(path=hub / "dh.pem", before=b"the same", after=b"new", mode=0o644, owner=JAKE)
    with pytest.raises(WizardError, match=f"leads to, {victim}"):
        transaction.apply(Plan(target="t", title="t", changes=(change,)), state)
    assert tree(tmp_path)["victim"] == before


def test_hangup_and_termination_wait_until_the_run_has_ended(host: Path, state: State) -> None:
    received: list[tuple[int, Status]] = []

    def note(number: int, frame: object) -> None:
        del frame
        received.append((number, journal.history(state)[0].status))

    def send(progress: Progress) -> None:
        del progress
        for number in before:
            signal.raise_signal(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGHUP, signal.SIGTERM)}
    try:
        transaction.apply(plan_for(host), state, send)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert sorted(received) == [(signal.SIGHUP, Status.APPLIED), (signal.SIGTERM, Status.APPLIED)]


# Recover ----------------------------------------------------------------------------------------------------


def test_there_is_nothing_to_recover_at_first(state: State) -> None:
    assert transaction.interrupted(state) is None
    assert transaction.recover(state) is None
    assert journal.history(state) == ()
    assert not state.root.exists(), "looking makes nothing"


@pytest.fixture
def killed(host: Path, state: State) -> Tree:
    """A run was killed when all files were exchanged but nothing committed; this is how it was before."""
    before = tree(host)
    apply_until_killed(plan_for(host), state, after=6)
    return before


def test_a_killed_run_is_rolled_back(host: Path, state: State, killed: Tree) -> None:
    interrupted = transaction.interrupted(state)
    assert interrupted is not None
    assert interrupted.status is Status.PREPARED
    assert tree(host) != killed

    recovered = transaction.recover(state)

    assert recovered is not None
    assert recovered.status is Status.ROLLED_BACK
    assert recovered.remarks == ()
    assert tree(host) == killed
    assert transaction.recover(state) is None


@pytest.mark.usefixtures("killed")
def test_nothing_else_is_applied_before_an_interrupted_run_is_recovered(host: Path, state: State) -> None:
    with pytest.raises(WizardError, match="tls-wizard recover"):
        transaction.apply(creation(host / "other"), state)
    assert not (host / "other").exists()


def test_a_committed_run_is_completed(host: Path, state: State) -> None:
    apply_until_killed(plan_for(host), state, after=COMMIT)
    assert [path for path in host.iterdir() if ".tls-wizard-" in path.name]

    recovered = transaction.recover(state)

    assert recovered is not None
    assert recovered.status is Status.APPLIED
    assert (host / "start.sh").read_bytes() == SECURED
    assert not [path for path in host.rglob("*") if ".tls-wizard-" in path.name]
    transaction.undo(recovered, state)
    assert (host / "start.sh").read_bytes() == SCRIPT


@pytest.mark.usefixtures("killed")
def test_recovery_keeps_what_somebody_wrote_after_the_kill(host: Path, state: State) -> None:
    (host / "start.sh").write_bytes(b"repaired by hand")

    recovered = transaction.recover(state)

    assert recovered is not None
    (remark,) = recovered.remarks
    assert (host / "start.sh").read_bytes() == b"repaired by hand"
    other = Path(remark.split()[-1].rstrip("."))
    assert other.read_bytes() == SCRIPT, "and the old content is where the remark says"


@pytest.mark.usefixtures("killed")
def test_a_remark_keeps_the_copies_too(host: Path, state: State) -> None:
    (host / "start.sh").write_bytes(b"repaired by hand")
    transaction.recover(state)
    assert SCRIPT in [copy.read_bytes() for copy in state.runs.rglob("before-*")]


def test_recovery_gives_back_what_somebody_tidied_away(host: Path, state: State, killed: Tree) -> None:
    stages = [path for path in host.iterdir() if path.name.startswith(".tls-wizard-")]
    assert len(stages) == 2, "the old script and the removed certificate"
    for stage in stages:
        stage.unlink()

    recovered = transaction.recover(state)

    assert recovered is not None
    assert recovered.remarks == ()
    assert tree(host) == killed


def test_recovery_goes_on_where_a_copy_it_needs_was_changed(host: Path, state: State, killed: Tree) -> None:
    for path in (*host.glob(".tls-wizard-*"), *state.runs.rglob("before-*")):
        path.write_bytes(b"tampered") if path.name.startswith("before-") else path.unlink()

    recovered = transaction.recover(state)

    assert recovered is not None
    assert sorted(remark.partition(":")[0] for remark in recovered.remarks) == [
        str(host / "old.pem"), str(host / "start.sh"),
    ]  # fmt: skip
    assert tree(host).keys() == killed.keys() - {"old.pem"}, "the rest has gone back"
    assert transaction.interrupted(state) is None


def test_a_file_system_that_does_not_keep_permissions_is_refused(
    host: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tree(host)
    monkeypatch.setattr(os, "fchmod", lambda *_: None)  # as vfat and some network file systems do
    with pytest.raises(WizardError, match="does not keep the owner and permissions"):
        transaction.apply(plan_for(host), state)
    monkeypatch.undo()
    assert tree(host) == old


# A file something is mounted on -----------------------------------------------------------------------------


@pytest.fixture
def mounted_file(tmp_path: Path) -> Iterator[Path]:
    """A file something is mounted on, as containers do with a single configuration file."""
    if os.geteuid() != 0:
        pytest.skip("not run: needs root")
    inside, outside = tmp_path / "config file", tmp_path / "outside"
    inside.write_bytes(b"covered")
    outside.write_bytes(b"a rather long old content")
    if subprocess.run(["mount", "--bind", outside, inside], check=False).returncode:
        pytest.skip("not run: needs the right to mount")
    yield inside
    subprocess.run(["umount", inside], check=True)


def test_a_mounted_file_is_written_in_place_only_when_that_is_accepted(
    mounted_file: Path, state: State
) -> None:
    before = tree(mounted_file.parent)[mounted_file.name]
    (problem,) = transaction.preflight(edit(mounted_file))
    assert problem.stops
    assert "torn" in problem.sentence
    with pytest.raises(WizardError, match="Nothing was changed"):
        transaction.apply(edit(mounted_file), state)

    run = transaction.apply(edit(mounted_file), state, in_place=True)

    assert mounted_file.read_bytes() == b"new"
    transaction.undo(run, state)
    assert tree(mounted_file.parent)[mounted_file.name] == before


def test_a_mounted_file_comes_back_when_a_later_step_fails(mounted_file: Path, state: State) -> None:
    plan = edit(mounted_file)
    failing = Plan(target="t", title="t", changes=plan.changes, validations=(Command(("false",)),))
    with pytest.raises(WizardError, match="The old state is back"):
        transaction.apply(failing, state, in_place=True)
    assert mounted_file.read_bytes() == b"a rather long old content"


def test_a_torn_mounted_file_is_kept_before_the_old_content_comes_back(
    mounted_file: Path, state: State
) -> None:
    apply_until_killed(edit(mounted_file), state, after=1, in_place=True)
    mounted_file.write_bytes(b"half of")

    recovered = transaction.recover(state)

    assert recovered is not None
    (remark,) = recovered.remarks
    assert mounted_file.read_bytes() == b"a rather long old content"
    assert Path(remark.split()[-1].rstrip(".")).read_bytes() == b"half of"


def test_a_torn_mounted_file_stays_where_the_copy_of_it_was_changed(mounted_file: Path, state: State) -> None:
    apply_until_killed(edit(mounted_file), state, after=1, in_place=True)
    mounted_file.write_bytes(b"half of")
    (copy,) = state.runs.rglob("before-*")
    copy.write_bytes(b"tampered")

    recovered = transaction.recover(state)

    assert recovered is not None
    assert "has been changed" in recovered.remarks[0]
    assert mounted_file.read_bytes() == b"half of"


# As an ordinary user ----------------------------------------------------------------------------------------

AS_NOBODY = """
import os, sys
from pathlib import Path
from wizard import transaction
from wizard.plan import File, Owner, Plan
from wizard.state import State
import fcntl, grp, pwd, _posixsubprocess  # while the interpreter's own folders can still be read
root = Path(sys.argv[1])
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
state = State.default({"XDG_STATE_HOME": str(root / "mine/state")})
def plan(path, **more):
    before = path.read_bytes() if path.exists() else None
    change = File(path=path, before=before, after=b"new", mode=0o600, **more)
    return Plan(target="t", title="t", changes=(change,))
run = transaction.apply(plan(root / "mine/script"), state)
print((root / "mine/script").read_bytes().decode(), oct(state.root.stat().st_mode)[-4:])
transaction.undo(run, state)
print((root / "mine/script").read_bytes().decode())
for problem in (*transaction.preflight(plan(root / "new")), *transaction.preflight(plan(root / "mine/roots")),
                *transaction.preflight(plan(root / "mine/given", owner=Owner(0, 0)))):
    print(problem.stops, problem.sentence)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@needs_root
def test_an_ordinary_user_works_on_own_files_and_is_told_what_needs_root(open_folder: Path) -> None:
    mine = open_folder / "mine"
    mine.mkdir()
    (mine / "script").write_bytes(b"old")
    (mine / "roots").write_bytes(b"root's")
    for path in (mine, mine / "script"):
        os.chown(path, 65534, 65534)
    result = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, open_folder],
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    wrote, undone, place, foreign, given = result.stdout.splitlines()
    assert wrote == "new 0700"
    assert undone == "old"
    assert place.startswith("True nobody may not write in the folder")
    assert foreign == given == "True only root can write a file that belongs to root."


# The engine stays light -------------------------------------------------------------------------------------


def test_the_engine_needs_neither_screens_nor_cryptography() -> None:
    script = (
        "import sys, wizard.transaction\n"
        "ours = {'wizard'}\n"
        "foreign = {name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names) - ours\n"
        "print(sorted(name for name in foreign if not name.startswith('_')))"
    )
    result = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "[]"
