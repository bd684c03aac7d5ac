"""Answers as flags: read as an answers file is, over what stands in one, and never a secret among them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import socket
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.peers.sandboxed import COMMAND, answers_file, cli, contents, environment, furnished, started
from tests.screens.pty_terminal import terminal
from wizard import answers, targets, usage
from wizard import cli as command_line
from wizard.address import Address
from wizard.demo.sandbox import Sandbox
from wizard.errors import BadAnswers, WizardError
from wizard.flags import Setup
from wizard.host import Host
from wizard.kinds import (
    Account,
    Choice,
    Delivered,
    FilePath,
    HostAndPort,
    IPv4Address,
    PerhapsFilePath,
    Raw,
    Several,
    Text,
    Url,
    Whole,
    YesNo,
)
from wizard.questions import Question
from wizard.secret import Secret
from wizard.targets import Target
from wizard.targets.hub_rest import HubRest

HOST = Host(name="signer", fqdn="signer.example.org", addresses=("192.0.2.7",), user="root", root=True)
TARGETS = targets.every()
NAMES = [target.key for target in TARGETS]
QUESTIONS = [(target, asked) for target in TARGETS for asked in target.questions()]
SECRETS = [(target, asked) for target, asked in QUESTIONS if asked.secret]
HIDDEN = "hunter2"

each_target = pytest.mark.parametrize("target", TARGETS, ids=NAMES)


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return furnished(tmp_path / "box")


def setup(*words: str) -> Setup:
    """What is made of the words of a command."""
    about = usage.parsed(words).about
    assert isinstance(about, Setup)
    return about


def refused(*words: str, code: int = 2) -> str:
    """What is said of words that cannot be used."""
    with pytest.raises(WizardError) as caught:
        usage.parsed(words)
    assert caught.value.exit_code == code
    return str(caught.value)


def one_object(done: subprocess.CompletedProcess[str]) -> Any:
    """Standard output as the one JSON object it has to be."""
    assert done.stdout.startswith("{"), done
    return json.loads(done.stdout)


# Read as an answers file is ---------------------------------------------------------------------------------


def outcome(asked: Question, raw: Raw) -> object:
    """The value of an answer, or the sentence that refuses it."""
    try:
        return asked.kind.read(raw)
    except ValueError as error:
        return str(error)


SAMPLES: dict[type[Any], str | bool | list[str]] = {
    YesNo: True,
    Several: ["a.example", "443"],
    Delivered: ["/a.pem", "/b c.pem"],
    FilePath: "/srv/a b/file",
    PerhapsFilePath: "/srv/other",
    Account: "root",
    HostAndPort: "[::1]:8443",
    IPv4Address: "127.0.0.1:8443",
    Url: "https://api.example.com/status",
    Text: "Ä text, of its own",
}


def sample(asked: Question, secret: Path) -> str | int | bool | list[str]:
    """A value for the key of a question."""
    if isinstance(asked.kind, Choice):
        return asked.kind.options[-1][0]
    if isinstance(asked.kind, Whole):
        return asked.kind.high
    return str(secret) if asked.secret else SAMPLES[type(asked.kind)]


def as_flag(asked: Question, value: str | int | bool | list[str]) -> list[str]:
    if isinstance(value, bool):
        return [asked.flag, "yes" if value else "no"]
    return [asked.flag, ",".join(value) if isinstance(value, list) else str(value)]


@each_target
def test_every_question_has_a_flag_that_is_read_as_its_key_is(target: type[Target], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text(f"{HIDDEN}\n")
    values = {asked.key: sample(asked, secret) for asked in target.questions()}
    path = tmp_path / "answers.toml"
    path.write_text(tomlkit.dumps({"target": target.key, **values}), encoding="utf-8")
    words = [word for asked in target.questions() for word in as_flag(asked, values[asked.key])]
    by_flags = setup("plan", target.key, *words)
    assert by_flags.target is target
    from_file = answers.read(path)[1]
    given_ = by_flags.given()
    assert given_.keys() == from_file.keys() == {asked.name for asked in target.questions()}
    for asked in target.questions():
        assert outcome(asked, given_[asked.name]) == outcome(asked, from_file[asked.name]), asked.flag
    assert not [
        asked.name for asked in target.questions() if asked.secret and given_[asked.name] != Secret(HIDDEN)
    ]


@settings(max_examples=150)
@example(next(pair for pair in QUESTIONS if isinstance(pair[1].kind, PerhapsFilePath)), " ")
@given(
    question=st.sampled_from([(target, asked) for target, asked in QUESTIONS if not asked.secret]),
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0,"), max_size=12),
)
def test_whatever_is_typed_is_read_as_an_answers_file_would(
    tmp_path_factory: pytest.TempPathFactory, question: tuple[type[Target], Question], text: str
) -> None:
    target, asked = question
    is_path = isinstance(asked.kind, FilePath | PerhapsFilePath | Delivered)
    typed = f"/{text}" if is_path and text.strip() else text  # from here means something to the one who types
    path = tmp_path_factory.mktemp("answers") / "answers.toml"
    path.write_text(tomlkit.dumps({"target": target.key, asked.key: typed}), encoding="utf-8")
    by_flag = setup("plan", target.key, f"{asked.flag}={typed}").given()[asked.name]
    assert outcome(asked, by_flag) == outcome(asked, answers.read(path)[1][asked.name])


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--alt-names", "a,b"], ["a", "b"]),
        (["--alt-names", "a, b"], ["a", "b"]),
        (["--alt-names", "a", "--alt-names=b,c"], ["a", "b", "c"]),
        (["--alt-names", ""], []),
    ],
)
def test_a_list_has_commas_or_its_flag_is_repeated(words: list[str], names: list[str]) -> None:
    assert setup("plan", "hub-rest", *words).given() == {"alt_names": names}


def test_a_pasted_certificate_is_one_item_whatever_stands_in_it() -> None:
    pem = "Subject: CN=a, O=b\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    given_ = setup("plan", "hub-rest", "--delivered", pem, "--delivered", "/a,/b").given()
    assert given_ == {"delivered": [pem.strip(), "/a", "/b"]}


@pytest.mark.parametrize(
    ("words", "answer"), [(["--redirect"], "yes"), (["--redirect", "no"], "no"), (["--redirect=yes"], "yes")]
)
def test_yes_needs_no_word(words: list[str], answer: str) -> None:
    assert setup("apply", "nginx", *words, "--check").given() == {"redirect": answer}


def test_a_path_begins_where_the_command_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/jake")
    words = ["--directory=tls", "--start-script=~/hub/start.sh", "--chain-files=a.pem,/b.pem", "--key-file="]
    named = setup("plan", "hub-rest", *words)
    assert named.written == {
        "directory": f"{tmp_path}/tls",
        "start_script": "/home/jake/hub/start.sh",
        "chain_files": [f"{tmp_path}/a.pem", "/b.pem"],
        "key_file": "",
    }


def test_the_home_of_nobody_and_the_content_of_a_file_are_told_at_their_question(box: Sandbox) -> None:
    script = ["--start-script", "hub/start.sh"]
    said = cli(box, "plan", "hub-rest", *script, "--directory", "~nobody-there/tls").stderr
    assert 'directory (--directory): "~nobody-there/tls" names a home folder that does not exist.' in said
    said = cli(
        box, "plan", "hub-rest", *script, "--directory", f"-----BEGIN PRIVATE KEY----- {HIDDEN}"
    ).stderr
    assert "directory (--directory): This is the content of a file. Give the name of a file." in said
    assert HIDDEN not in said
    said = cli(box, "apply", "hub-rest", "--passphrase-file", "~nobody-there/secret").stderr
    assert said == 'tls-wizard: "~nobody-there/secret" names a home folder that does not exist.\n'


# What is named, and what goes over it -----------------------------------------------------------------------


def test_a_flag_goes_over_what_stands_in_the_file(box: Sandbox) -> None:
    path = answers_file(box, validity_days="30", key_type='"rsa-2048"')
    for words in ([str(path), "--validity-days", "90"], ["--validity-days", "90", str(path)]):
        given_ = setup("plan", *words).given()
        assert (given_["validity_days"], given_["key_type"]) == ("90", "rsa-2048")
        assert given_["common_name"] == "hub.example.org"
    data = one_object(cli(box, "plan", str(path), "--validity-days", "90", "--json"))
    assert "90 days" in str([change for change in data["changes"] if change["path"].endswith("cert.pem")])


def test_a_secret_of_the_file_that_a_flag_replaces_is_not_looked_for(box: Sandbox) -> None:
    secret = box.root / "secret"
    secret.touch(mode=0o600)
    secret.write_text(HIDDEN)
    path = answers_file(box, passphrase_file='"/nowhere"')
    with pytest.raises(BadAnswers, match="/nowhere, which should hold a passphrase"):
        setup("plan", str(path)).given()
    given_ = setup("plan", str(path), "--passphrase-file", str(secret)).given()
    assert given_["passphrase"] == Secret(HIDDEN)


def test_a_name_is_that_of_a_target_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hub-rest").write_text('target = "nginx"\n')
    assert setup("plan", "hub-rest").target.key == "hub-rest"
    assert setup("plan", "./hub-rest").target.key == "nginx"
    assert setup("plan", "--", "hub-rest").target.key == "hub-rest"


def test_what_is_neither_says_both_and_what_comes_near(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("answers.toml").write_text('target = "nginx"\n')
    Path("pyproject.toml").write_text("[project]\n")
    Path("hub").mkdir()
    neither = "There is no target {0}, and no answers file of that name in this folder. "
    assert refused("plan", "hub-rets", code=1) == neither.format('"hub-rets"') + 'Did you mean "hub-rest"?'
    assert refused("prove", "answer.toml", code=1).endswith('Did you mean "answers.toml"?')
    assert "Did you mean" not in refused("plan", "project.toml", code=1), (
        "what is no answers file is not named"
    )
    assert refused("plan", "hub", code=1).startswith(neither.format('"hub"'))
    assert refused("plan", "zzz", code=1).endswith(f"The targets are: {', '.join(NAMES)}.")
    assert "/nowhere/hub-rest cannot be read" in refused("plan", "/nowhere/hub-rest", code=1)
    assert (
        refused("questions", "hub-rets", code=1) == 'There is no target "hub-rets". Did you mean "hub-rest"?'
    )


def test_what_is_there_and_no_file_is_called_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.toml")
    Path("gone.toml").symlink_to("nowhere")
    assert "It is a device or a pipe, not a file" in refused("plan", "pipe.toml", code=1)
    assert refused("plan", "gone.toml", code=1).endswith(
        "gone.toml cannot be read: No such file or directory."
    )


def test_only_small_files_with_a_name_that_comes_near_are_read_for_a_suggestion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("answerz.toml")
    Path("answers1.toml").write_text(f'target = "nginx"\n{"#" * 100_000}')
    assert "Did you mean" not in refused("plan", "answers.toml", code=1)
    Path("answers2.toml").write_text('target = "nginx"\n')
    assert refused("plan", "answers.toml", code=1).endswith('Did you mean "answers2.toml"?')


@pytest.mark.parametrize("command", ["plan", "apply", "prove", "questions"])
def test_what_it_is_about_is_said_first(command: str) -> None:
    for words in ([], ["--redirect", "nginx"], ["--common-name", "hub-rest"], ["--json"]):
        assert "Say first what it is about, a target" in refused(command, *words)


# An address has options of its own --------------------------------------------------------------------------


def test_an_address_is_proven_with_its_own_options_and_a_target_with_its_flags() -> None:
    options = usage.parsed(["prove", "--ca", "a.pem", "https://api.example.com/", "--mode", "skip"])
    assert isinstance(options.about, Address)
    assert (options.mode, options.ca, options.cert) == ("skip", Path("a.pem"), None)
    flags = ["--url", "https://api.example.com/", "--mode", "skip", "--ca", "/a.pem"]
    assert setup("prove", "connector", *flags).written == {
        "url": "https://api.example.com/",
        "mode": "skip",
        "ca": ["/a.pem"],
    }


def test_the_options_of_an_address_are_no_flags_and_flags_no_options_of_an_address() -> None:
    goes_with = "goes with an address: tls-wizard prove https://api.example.com/"
    for option in ("--mode", "--ca", "--cert", "--key", "--connect"):
        assert refused("prove", "hub-rest", option, "x") == f"{option} {goes_with}"
    for option in ("--cert", "--key", "--connect"):
        assert refused("prove", "connector", option, "x") == f"{option} {goes_with}"
    said = refused("prove", "https://a.example/", "--common-name", "x")
    assert said.startswith("There is no --common-name for `prove https://a.example/`.")


def test_only_prove_takes_an_address() -> None:
    said = refused("plan", f"https://jake:{HIDDEN}@a.example/", code=1)
    assert said.startswith("An address is no target and no answers file.")
    assert HIDDEN not in said + refused("prove", f"https://jake:{HIDDEN}@a.example/")


# What is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["{}", HIDDEN], ["{}=" + HIDDEN], ["{}"], ["{}", "--json"]])
@pytest.mark.parametrize(("target", "asked"), SECRETS, ids=[f"{t.key}-{a.name}" for t, a in SECRETS])
def test_a_secret_is_never_an_argument(target: type[Target], asked: Question, words: list[str]) -> None:
    flag = f"--{asked.name.replace('_', '-')}"
    for command in ("questions", "plan", "apply", "prove"):
        said = refused(command, target.key, *(word.format(flag) for word in words))
        assert said.startswith(f"{flag} is refused: others can read the words of a command while it runs")
        assert f"give: {flag}-file FILE" in said
        assert HIDDEN not in said


@pytest.mark.parametrize("command", ["resume", "reissue"])
def test_nor_is_it_where_an_earlier_setup_goes_on(command: str) -> None:
    said = refused(command, "file.pem", "--passphrase", HIDDEN)
    assert said.startswith("--passphrase is refused: ")
    assert HIDDEN not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--comon-name", HIDDEN],
            "There is no --comon-name for `plan hub-rest`. Did you mean --common-name?",
        ),
        (
            ["--passphrse", HIDDEN],
            "There is no --passphrse for `plan hub-rest`. Did you mean --passphrase-file?",
        ),
        (["--zzz", HIDDEN], "There is no --zzz for `plan hub-rest`. See: tls-wizard plan hub-rest --help"),
        (["--common", HIDDEN], "There is no --common for `plan hub-rest`. Did you mean --common-name?"),
        (["--server-name", "x"], "There is no --server-name for `plan hub-rest`."),
        (["--check"], "There is no --check for `plan hub-rest`."),
        (
            ["--alt-names", "a", "b"],
            '"b" is one word too many: a list has commas, a text with blanks has quotes.',
        ),
        (["--common-name"], "Argument --common-name: expected one argument."),
        (["--common-name", "--json"], "Argument --common-name: expected one argument."),
    ],
)
def test_words_that_it_does_not_take(words: list[str], said: str) -> None:
    refusal = refused("plan", "hub-rest", *words)
    assert said in refusal
    assert "tls-wizard plan hub-rest --help" in refusal
    assert HIDDEN not in refusal


def test_the_command_comes_before_its_options() -> None:
    for word in ("--plain", "--demo", "--answers=a.toml"):
        said = refused(word, "plan", "hub-rest", "--common-name", "x")
        assert said.startswith("The command comes first: tls-wizard plan.")


@pytest.mark.parametrize("word", ["--det", "--js", "--in"])
def test_nothing_is_abbreviated(word: str) -> None:
    assert f"There is no {word} for `apply hub-rest`." in refused("apply", "hub-rest", word)


def test_a_wrong_value_is_refused_in_the_same_words_as_in_a_file(box: Sandbox) -> None:
    in_file = cli(box, "plan", str(answers_file(box, validity_days="0", key_type='"dsa"')))
    path = answers_file(box)
    as_flags = cli(box, "plan", str(path), "--validity-days", "0", "--key-type", "dsa")
    assert (in_file.returncode, as_flags.returncode) == (1, 1)
    assert as_flags.stderr == in_file.stderr
    assert "\n  validity_days (--validity-days): Give a number from 1 to 36500.\n" in as_flags.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["plan"], 2, "Say first what it is about"),
        (["plan", "hub-rets"], 1, 'Did you mean "hub-rest"?'),
        (["plan", "hub-rest", "--comon-name", "x"], 2, "Did you mean --common-name?"),
        (["apply", "hub-rest", "--passphrase", HIDDEN], 2, "--passphrase is refused"),
        (["apply", "connector"], 1, "url (--url): This is needed."),
        (["prove", "connector", "--mode", "all"], 1, 'mode (--mode): "all" is not one of: full, '),
        (["history", "--all"], 2, "There is no --all for `history`."),
    ],
)
def test_every_refusal_is_one_json_object_too(box: Sandbox, words: list[str], code: int, said: str) -> None:
    done = cli(box, *words, "--json")
    assert done.returncode == code
    failed = one_object(done)
    assert failed == {"failed": True, "msg": failed["msg"], "exit_code": code}
    assert said in failed["msg"]
    assert HIDDEN not in done.stdout + done.stderr


# The help ---------------------------------------------------------------------------------------------------


def helped(*words: str) -> str:
    """What a command prints for --help."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as caught:
        command_line.main([*words, "--help"])
    assert caught.value.code == 0
    return printed.getvalue()


@pytest.mark.parametrize("command", ["plan", "apply", "prove", "questions"])
@each_target
def test_the_help_lists_the_flags_of_the_target_and_no_others(target: type[Target], command: str) -> None:
    about, _, flags = helped(command, target.key).partition(f"answers for {target.title}:")
    assert f"usage: tls-wizard {command} {target.key} [OPTION ...]" in about
    listed = re.findall(r"^  (--\S+)", flags, re.MULTILINE)
    assert listed == [asked.flag for asked in target.questions()]


def test_the_help_has_the_line_under_the_field_and_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    text = helped("plan", "hub-rest")
    key_types = "ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072, rsa-4096."
    source = next(asked for asked in HubRest.questions() if asked.name == "source")
    assert re.search(f"--key-type CHOICE +ECDSA P-256 is fast; .* One of: {key_types}\n", text)
    assert f"{source.help} One of: self-signed, private-ca, request, existing.\n" in text
    assert re.search("--passphrase-file FILE\n +Of the authority's key. In a file, mode 0600.\n", text)
    assert "--passphrase " not in text
    monkeypatch.setenv("COLUMNS", "80")
    assert {"self-signed,", "private-ca,"} <= set(helped("plan", "nginx").split()), "in one piece"


def test_the_help_of_a_file_is_that_of_its_target(box: Sandbox) -> None:
    text = helped("apply", str(answers_file(box)))
    assert "answers for IOTA Hub, REST:" in text
    assert "--in-place" in text


def test_the_name_of_a_file_cannot_steer_the_terminal(box: Sandbox) -> None:
    path = answers_file(box).rename(box.root / "\x1b]0;x\x07.toml")
    assert "\\x1b]0;x\\x07.toml' [OPTION ...]" in helped("apply", str(path))
    assert "\x1b" not in helped("apply", str(path))


def test_without_a_name_the_help_tells_how_to_get_at_the_flags() -> None:
    for command in ("plan", "apply", "prove", "questions"):
        assert "TARGET --help lists" in " ".join(helped(command).split())
    assert "--connect HOST:PORT" in helped("prove")


# An answers file to fill in ---------------------------------------------------------------------------------


def test_questions_fills_in_what_is_given(box: Sandbox) -> None:
    words = ["--start-script", "hub/start.sh", "--common-name", "hub", "--alt-names", "hub,10.0.0.5"]
    words += ["--source", "private-ca", "--two-tiers", "--passphrase-file", "secret"]
    done = cli(box, "questions", "hub-rest", *words)
    assert (done.returncode, done.stderr) == (0, "")
    filled = tomllib.loads(done.stdout)
    expected = {
        "start_script": str(box.hub / "start.sh"),
        "common_name": "hub",
        "alt_names": ["hub", "10.0.0.5"],
        "source": "private-ca",
        "two_tiers": True,
        "passphrase_file": str(box.root / "secret"),
        "validity_days": 397,
    }
    assert {key: filled[key] for key in expected} == expected
    head = done.stdout.splitlines()[:3]
    assert (
        head[1] == "# Each key is a flag as well, which goes over this file: --start-script for start_script"
    )
    assert done.stdout.count("--") == 1, "it is said once"


def test_questions_refuses_what_it_would_have_to_leave_out(box: Sandbox) -> None:
    done = cli(box, "questions", "hub-rest", "--start-script", "hub/start.sh", "--validity-days", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert "validity_days (--validity-days): Give a number from 1 to 36500." in done.stderr
    assert len(done.stderr.splitlines()) == 2, "what is only missing is to be filled in"


# The whole way, by flags alone ------------------------------------------------------------------------------


def test_hub_is_secured_and_proven_by_flags_alone(tmp_path: Path) -> None:
    with started(tmp_path / "box") as box:
        before = contents(box)
        words = ["hub-rest", "--start-script", "hub/start.sh", "--common-name", "hub.example.org"]
        words += ["--alt-names", "hub.example.org,127.0.0.1", "--validity-days", "90"]
        plan = one_object(cli(box, "plan", *words, "--json"))
        names = [Path(change["path"]).name for change in plan["changes"]]
        assert names == ["key.pem", "cert.pem", "dh.pem", "start.sh"]
        assert contents(box) == before
        applied = one_object(cli(box, "apply", *words, "--json"))
        assert [Path(change["path"]).name for change in applied["changes"]] == names
        again = cli(box, "apply", *words, "--detailed-exitcode")
        assert (again.returncode, again.stdout) == (0, "Nothing to change: everything is as it should be.\n")
        box.restart()
        proof = one_object(cli(box, "prove", *words, "--json"))
        assert proof["passed"] is True
        assert cli(box, "undo").returncode == 0
        assert contents(box) == before


def test_the_words_are_those_that_give_the_command_again_in_any_folder(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(box.root)
    answers_file(box)
    words = ["apply", "--yes", "answers.toml", "--directory", "tls", "--alt-names", "a,b", "--in-place"]
    again = usage.parsed([*words, "--common-name=-Hub of Jake", "--two-tiers", "--reissue="]).again
    assert again[:4] == ("apply", f"{box.root}/answers.toml", "--yes", "--in-place")
    monkeypatch.chdir("/")
    there = setup(*again)
    assert there.name == f"{box.root}/answers.toml"
    changed = {
        "directory": f"{box.root}/tls",
        "alt_names": ["a", "b"],
        "common_name": "-Hub of Jake",
        "two_tiers": "yes",
        "reissue": [],
    }
    assert {key: there.written[key] for key in changed} == changed
    assert usage.parsed(again).again == again


# Nobody there to answer -------------------------------------------------------------------------------------


@pytest.fixture
def silence(tmp_path: Path) -> Iterator[Path]:
    """A pipe through which nothing comes, and which never ends."""
    path = tmp_path / "silence"
    os.mkfifo(path)
    held = os.open(path, os.O_RDWR)
    yield path
    os.close(held)


UNATTENDED = [
    ([], "The wizard needs a terminal"),
    (["--plain"], "The wizard needs a terminal"),
    (["--answers", "answers.toml"], "The wizard needs a terminal"),
    (["questions"], "Say first what it is about"),
    (["plan"], "Say first what it is about"),
    (["apply"], "Say first what it is about"),
    (["prove"], "Say first what it is about"),
    (["plan", "connector"], "url (--url): This is needed."),
    (["apply", "connector"], "url (--url): This is needed."),
    (["apply", "connector", "--yes"], "url (--url): This is needed."),
    (["apply", "connector", "--check"], "url (--url): This is needed."),
    (["prove", "connector"], "url (--url): This is needed."),
    (["apply", "hub-rest", "--source", "private-ca"], "passphrase_file (--passphrase-file): This is needed."),
    (
        ["apply", "answers.toml", "--source=private-ca"],
        "passphrase_file (--passphrase-file): This is needed.",
    ),
    (["resume", "answer.pem"], "waits for a certificate"),
    (["reissue", "cert.pem"], "was not made by the wizard on this host"),
    (["undo"], "There is no run to undo."),
]


@pytest.mark.parametrize(("words", "said"), UNATTENDED, ids=[" ".join(words) for words, _ in UNATTENDED])
def test_where_nobody_can_answer_nothing_is_asked_and_no_screen_opens(
    box: Sandbox, silence: Path, words: list[str], said: str
) -> None:
    """Not even at the terminal that standard output and the process have."""
    answers_file(box)
    if "hub-rest" in words:
        words = [*words, "--start-script", str(box.hub / "start.sh")]
    line = 'cd "$0" && exec "$@" <"$SILENCE"'
    with terminal(
        "sh", "-c", line, str(box.root), *COMMAND, *words, **environment(box), SILENCE=str(silence)
    ) as there:
        code = there.end()
    shown = " ".join(there.output.decode().split())
    assert code in (1, 2), shown
    assert said in shown
    assert b"\x1b" not in there.output


def test_who_waits_at_a_terminal_is_told_how_long(box: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with terminal(*COMMAND, "prove", address, **environment(box)) as there:
            there.wait_for("a server that says nothing is given 5 seconds each time:")
            assert "failed" not in there.text
    assert "each time" not in cli(box, "prove", address).stderr, "a file waits for nothing"
