"""The preview: everything that will happen, nothing that is secret, nothing that steers a terminal."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.peers.sandboxed import furnished
from wizard import preview
from wizard.host import Host
from wizard.inert import inert, inert_bytes
from wizard.plan import Advice, Command, Directory, File, Link, Owner, Plan, Warning
from wizard.sheet import fill_in
from wizard.targets.hub_rest import HubRest

SCRIPTS = Path(__file__).parent / "formats" / "scripts"
HOST = Host(name="signer", fqdn="signer.example.org", addresses=(), user="root", root=True)
SECRET = b"S3CRET-salt"
ODD = "/srv/[bold red]x[/]\x1b]0;owned\x07\u202e\udcff/start.sh"


def edited(before: str | bytes, after: str | bytes, hidden: tuple[bytes, ...] = ()) -> File:
    old, new = (text.encode() if isinstance(text, str) else text for text in (before, after))
    return File(path=Path("/srv/hub/start.sh"), before=old, after=new, hidden=hidden)


def plan_of(*changes: File | Directory | Link) -> Plan:
    return Plan(target="hub-rest", title="Secure IOTA Hub", changes=changes)


def lines(change: File) -> list[str]:
    return [str(line) for line in preview.diff(change)]


def everything(plan: Plan) -> str:
    """All that any way of showing a plan says."""
    shown = [preview.text(plan), json.dumps(preview.as_json(plan)), repr(plan)]
    return "\n".join([*shown, *(preview.summary(change) for change in plan.changes)])


# Bytes ------------------------------------------------------------------------------------------------------


def test_a_tab_between_words_is_told_from_blanks_and_takes_as_much_room() -> None:
    index = edited(b"V    261126Z    01\n\tx\n", b"V\t261126Z\t01\n\tx\n")
    assert lines(index)[1:] == ["-V    261126Z    01", "+V→   261126Z→   01", "     x"]


# Secrets ----------------------------------------------------------------------------------------------------


def test_a_secret_file_is_one_line_saying_so() -> None:
    key = File(path=Path("/srv/key.pem"), before=SECRET, after=SECRET * 2, mode=0o600, secret=True)
    assert lines(key) == ["-[hidden]: 11 bytes, never shown", "+[hidden]: 22 bytes, never shown"]
    assert SECRET.decode() not in everything(plan_of(key))


@given(
    secrets=st.lists(st.binary(min_size=4, max_size=12).filter(lambda b: len(set(b)) > 3), min_size=1),
    around=st.lists(st.sampled_from([b"./hub --salt ", b" \\\n", b"\n", b"'", b" --dbPassword=", b"\r\n"])),
    data=st.data(),
)
def test_no_hidden_value_is_in_any_preview(
    secrets: list[bytes], around: list[bytes], data: st.DataObject
) -> None:
    pieces = data.draw(st.permutations([*secrets, *around]))
    change = edited(b" ".join(pieces), b" ".join(reversed(pieces)), hidden=tuple(secrets))
    shown = everything(plan_of(change)).replace(preview.HIDDEN, "\0")
    shown = shown.replace("(no line feed at the end of the file)", "")
    for secret in secrets:
        for line in secret.split(b"\n"):
            if len(line) > 7:
                assert inert_bytes(line) not in shown


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_file_with_a_private_key_in_it_is_secret_as_a_whole(side: str) -> None:
    combined = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n"
    plain = edited("one\n", "two\n")
    change = replace(plain, before=combined) if side == "before" else replace(plain, after=combined)
    shown = everything(plan_of(change))
    assert "c2VjcmV0" not in shown
    assert "never shown" in shown


def test_a_secret_of_several_lines_is_hidden_in_each() -> None:
    change = edited("./hub --salt 'one1\ntwo2'\n", "./hub --x --salt 'one1\ntwo2'\n", hidden=(b"one1\ntwo2",))
    shown = everything(plan_of(change))
    assert "one1" not in shown
    assert "two2" not in shown


def test_a_very_short_secret_is_hidden_as_a_word_only() -> None:
    assert lines(edited("./hub --salt a --data a\n", "./hub\n", hidden=(b"a",))) == [
        "@@ -1,1 +1,1 @@",
        "-./hub --salt [hidden] --data [hidden]",
        "+./hub",
    ]


def test_two_lines_that_differ_only_in_a_secret_are_still_a_change() -> None:
    change = edited("--salt OLDSALT\n", "--salt NEWSALT\n", hidden=(b"OLDSALT", b"NEWSALT"))
    assert lines(change)[1:] == ["---salt [hidden]", "+--salt [hidden]"]


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("guide*.sh")), ids=lambda path: path.stem)
def test_the_plan_for_a_real_script_shows_no_salt_password_or_key(script: Path, tmp_path: Path) -> None:
    copy = tmp_path / "start.sh"
    copy.write_bytes(script.read_bytes())
    sheet = fill_in(HubRest, {"start_script": str(copy), "switch_to_rest": True}, HOST)
    assert sheet.answers is not None, sheet.wrong
    plan = sheet.answers.plan(HOST)
    shown = everything(plan)
    words = copy.read_text().split()
    secrets = [words[words.index(flag) + 1] for flag in ("--salt", "--dbPassword")]
    assert [secret for secret in secrets if secret in shown] == []
    key = next(change for change in plan.changes if change.path.name == "key.pem")
    assert isinstance(key, File)
    assert [line for line in (key.after or b"").decode().splitlines()[1:-1] if line in shown] == []


# Harmless ---------------------------------------------------------------------------------------------------


def odd_plan() -> Plan:
    return Plan(
        target="hub-rest",
        title=f"Secure {ODD}",
        changes=(
            Directory(path=Path(ODD).parent, about=ODD),
            Link(path=Path(ODD), before=ODD, after=ODD + "2", about=ODD),
            File(
                path=Path(ODD), before=ODD.encode("utf-8", "surrogateescape"), after=b"\x1b[2J\n", about=ODD
            ),
            File(path=Path(ODD + "2"), before=None, after=b"x", described=(ODD,)),
        ),
        kept=(Path(ODD),),
        validations=(Command(("bash", "-n", ODD)),),
        warnings=(Warning(f"text {ODD}\nsecond line", Path(ODD), 3),),
        advice=(Advice(f"Do {ODD}", f"run {ODD}\nand {ODD}"),),
    )


def test_no_text_of_a_plan_steers_the_terminal() -> None:
    text = preview.text(odd_plan())
    assert [line for line in text.split("\n") if line != inert(line)] == []
    assert "[bold red]x[/]" in text, "markup means nothing here and is shown"
    text.encode()


def test_summaries_and_diffs_are_harmless_one_by_one() -> None:
    for change in odd_plan().changes:
        shown = [preview.summary(change), *map(str, preview.diff(change)), *preview.described(change)]
        assert shown == [inert(line) for line in shown]


def test_json_can_be_written_and_read_whatever_the_names() -> None:
    data = json.loads(json.dumps(preview.as_json(odd_plan())))
    assert data["changes"][2]["path"] == ODD


# Diffs ------------------------------------------------------------------------------------------------------


def patched(change: File, folder: Path) -> bytes:
    """What patch(1) makes of the old content and the diff as it is shown."""
    copy = folder / "file"
    copy.write_bytes(change.before or b"")
    diff = "\n".join(["--- file", "+++ file", *lines(change), ""])
    subprocess.run(
        ["patch", "--quiet", "--posix", str(copy)], input=diff.encode(), check=True, capture_output=True
    )
    return copy.read_bytes()


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.stem)
def test_the_diff_of_a_real_script_is_one_that_patch_applies(script: Path, tmp_path: Path) -> None:
    # Tabs and carriage returns are shown, not sent, so these scripts have blanks instead.
    before = script.read_bytes().replace(b"\t", b"    ").replace(b"\r", b"").rstrip(b"\n") + b"\n"
    if not before.isascii():
        before = before.decode(errors="replace").encode()
    kept = before.splitlines(keepends=True)
    after = b"".join([*kept[:1], b"# new\n", *kept[2:-1], b"./hub --authMode ssl\n"])
    change = edited(before, after)
    assert patched(change, tmp_path) == after


@settings(max_examples=40)
@given(
    before=st.lists(st.sampled_from("abcdef"), max_size=25),
    after=st.lists(st.sampled_from("abcdef"), max_size=25),
)
def test_any_diff_is_one_that_patch_applies(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], after: list[str]
) -> None:
    old, new = ("".join(f"{line}\n" for line in content) for content in (before, after))
    if old and new and old != new:  # patch(1) removes files that become empty
        assert patched(edited(old, new), tmp_path_factory.mktemp("patch")) == new.encode()


def test_a_last_line_without_line_feed_says_so() -> None:
    note = "  (no line feed at the end of the file)"
    assert lines(edited("a\nb", "a\nb\n"))[1:] == [" a", f"-b{note}", "+b"]
    assert lines(edited("a\nb", "x\nb"))[1:] == ["-a", "+x", f" b{note}"]


def test_carriage_returns_are_shown() -> None:
    assert lines(edited("a\r\n", "a\n"))[1:] == ["-a\\r", "+a"]


def test_numbers_are_those_of_the_file_they_stand_in() -> None:
    change = edited("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\nnew\n6\n8\n9\n")
    assert [(line.mark, line.number) for line in preview.diff(change) if line.mark in "+-"] == [
        ("+", 6),
        ("-", 7),
    ]
    assert str(preview.diff(change)[0]) == "@@ -3,7 +3,7 @@"
    assert preview.counts(change) == (1, 1)


def test_a_change_of_the_mode_alone_is_told() -> None:
    change = replace(edited("same\n", "same\n"), mode=0o600)
    assert preview.summary(change) == "~ /srv/hub/start.sh  (edit, 0600)"
    assert preview.diff(change) == ()


def test_summaries_name_sign_mode_and_owner() -> None:
    owner = Owner(0, 54321)
    made = Directory(path=Path("/srv/tls"), mode=0o750, owner=owner, about="folder for the files")
    assert preview.summary(made) == "+ /srv/tls  (create, 0750, root:54321, folder for the files)"
    gone = File(path=Path("/srv/key.pem"), before=b"x", after=None, secret=True)
    assert preview.summary(gone) == "- /srv/key.pem  (remove, secret, never shown)"
    link = Link(path=Path("/srv/l"), before=None, after="/srv/t")
    assert preview.summary(link) == "+ /srv/l  (link)"


# JSON -------------------------------------------------------------------------------------------------------


def test_the_shape_of_the_json_stays(tmp_path: Path) -> None:
    box = furnished(tmp_path)
    sheet = fill_in(HubRest, {"start_script": str(box.hub / "start.sh")}, HOST)
    assert sheet.answers is not None
    data = preview.as_json(sheet.answers.plan(HOST))
    assert list(data) == [
        "target",
        "title",
        "changed",
        "changes",
        "kept",
        "validations",
        "warnings",
        "advice",
        "restart",
    ]
    changes = data["changes"]
    assert isinstance(changes, list)
    assert [change["path"].rpartition("/")[2] for change in changes] == [
        "key.pem",
        "cert.pem",
        "dh.pem",
        "start.sh",
    ]
    assert changes[0] == {
        "path": str(box.hub / "key.pem"),
        "kind": "file",
        "action": "create",
        "mode": "0600",
        "owner": box.hub.owner(),
        "secret": True,
        "about": "private key, ECDSA P-256",
        "described": [],
        "diff": [changes[0]["diff"][0]],
    }
    assert changes[3]["action"] == "edit"
    assert data["validations"] == [["bash", "-n", str(box.hub / "start.sh")]]


def test_a_plan_without_changes_says_so() -> None:
    plan = Plan(target="hub-rest", title="Secure IOTA Hub", changes=(), kept=(Path("/srv/cert.pem"),))
    assert preview.text(plan).splitlines() == [
        "Secure IOTA Hub",
        "Nothing to change: everything is as it should be.",
        "= /srv/cert.pem  (fits, stays as it is)",
    ]
    assert preview.as_json(plan)["changed"] is False
