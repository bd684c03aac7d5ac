"""Answers files: what may stand in them, what is said when it cannot be used, and the way there and back."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.peers.sandboxed import answers_file, furnished
from tests.screens.sample_targets import SampleAuthority, offered
from wizard import answers
from wizard.demo.sandbox import Sandbox
from wizard.errors import BadAnswers, Refusal
from wizard.host import Host
from wizard.kinds import Delivery, Raw
from wizard.secret import Secret
from wizard.sheet import Sheet, fill_in
from wizard.state import State
from wizard.targets import Target, catalogue
from wizard.targets.hub_rest import HubRest

HOST = Host(name="signer", fqdn="signer.example.org", addresses=("192.0.2.7",), user="root", root=True)


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return furnished(tmp_path)


def sheet_of(**given_: Raw) -> Sheet[Target]:
    return fill_in(HubRest, given_, HOST)


def refused(path: Path, text: str) -> str:
    path.write_text(text)
    with pytest.raises(BadAnswers) as caught:
        answers.complete(*answers.read(path), HOST)
    return str(caught.value)


# The contract -----------------------------------------------------------------------------------------


def test_one_answer_is_enough_and_the_others_have_their_defaults(box: Sandbox, tmp_path: Path) -> None:
    script = box.hub / "start.sh"
    path = tmp_path / "answers.toml"
    path.write_text(f'target = "hub-rest"\nstart_script = "{script}"\n')
    filled = answers.complete(*answers.read(path), HOST)
    port = script.read_text().partition("127.0.0.1:")[2].partition("--listenAddress 127.0.0.1:")[2].split()[0]
    expected = {
        "start_script": script,
        "switch_to_rest": False,
        "directory": script.parent,
        "account": script.owner(),
        "common_name": "signer",
        "alt_names": ("signer", "signer.example.org", "localhost", "192.0.2.7", "127.0.0.1"),
        "validity_days": 397,
        "key_type": "ecdsa-p256",
        "source": "self-signed",
        "address": f"127.0.0.1:{port}",
    }
    assert {name: vars(filled)[name] for name in expected} == expected


def test_every_key_can_be_given(box: Sandbox, tmp_path: Path) -> None:
    path = answers_file(
        box,
        directory=f'"{tmp_path / "tls"}"',
        common_name='"hub"',
        alt_names='["hub", "10.0.0.5", "::1"]',
        validity_days="90",
        key_type='"rsa-3072"',
        source='"self-signed"',
        address='"10.0.0.5:14000"',
        account='"daemon"',
    )
    filled = answers.complete(*answers.read(path), HOST)
    assert isinstance(filled, HubRest)
    assert filled.directory == tmp_path / "tls"
    assert (filled.common_name, filled.alt_names) == ("hub", ("hub", "10.0.0.5", "::1"))
    assert (filled.validity_days, filled.key_type) == (90, "rsa-3072")
    assert (filled.address, filled.account) == ("10.0.0.5:14000", "daemon")


def test_without_an_address_in_the_script_it_is_that_of_hub_on_loopback(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    script.write_text("./bazel-bin/hub/hub --serverType http\n")
    assert fill_in(HubRest, {"start_script": str(script)}, HOST)["address"].text == "127.0.0.1:50051"


@pytest.mark.parametrize("key_type", ["ecdsa-p256", "rsa-2048", "rsa-3072", "rsa-4096"])
def test_the_key_types_are_these(box: Sandbox, key_type: str) -> None:
    given_ = {"start_script": str(box.hub / "start.sh"), "key_type": key_type}
    assert fill_in(HubRest, given_, HOST).answers is not None


@pytest.mark.parametrize(("days", "cautioned"), [(397, False), (825, False), (826, True), (9999, True)])
def test_more_than_825_days_name_who_refuses(box: Sandbox, days: int, cautioned: bool) -> None:
    sheet = fill_in(HubRest, {"start_script": str(box.hub / "start.sh"), "validity_days": days}, HOST)
    assert sheet.answers is not None
    assert ("Apple" in sheet["validity_days"].caution) is cautioned
    texts = [warning.text for warning in sheet.answers.plan(HOST).warnings]
    assert any("Apple" in text for text in texts) is cautioned


# What cannot be used ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('target = "hub-rest', "is not TOML"),
        ("common_name = 'x'", 'names no target. Begin it with a line such as: target = "hub-rest"'),
        ("target = 5", "names no target"),
        ('target = "hub-rets"', 'There is no target "hub-rets". Did you mean "hub-rest"?'),
        ('target = "hub-rest"\ncommonname = "x"', '"commonname" is not a question of hub-rest.'),
        ('target = "hub-rest"\ncommonname = "x"', 'Did you mean "common_name"?'),
        ('target = "hub-rest"\nzzz = 1', "The questions are: start_script, "),
        ('target = "hub-rest"\nvalidity_days = 3.5', '"validity_days" must be a text, a number'),
        ('target = "hub-rest"\ndirectory = { a = 1 }', '"directory" must be a text'),
        ('target = "hub-rest"\nvalidity_days = 2026-01-01', '"validity_days" must be a text'),
        (f'target = "hub-rest"\nvalidity_days = {"9" * 5000}', "is not TOML"),
        (
            f'target = "hub-rest"\nvalidity_days = 0x{"f" * 5000}',
            '"validity_days" is a number of thousands',
        ),
        (f'target = "hub-rest"\nvalidity_days = 0x{"f" * 3000}', "validity_days (--validity-days): This has"),
        ('target = "hub-rest"\nalt_names = ["a", 5]', '"alt_names" must be a text, a number'),
        ('target = "hub-rest"\nalt_names = [{ a.a = 1 }]', '"alt_names" must be a text, a number'),
        ('target = "hub-rest"\nkey_type = "dsa"', 'key_type (--key-type): "dsa" is not one of: ecdsa-p256, '),
        (
            'target = "hub-rest"\nstart_script = "/nowhere/start.sh"',
            "start_script (--start-script): There is no such file.",
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_what_would_be_right(
    tmp_path: Path, text: str, sentence: str
) -> None:
    assert sentence in refused(tmp_path / "answers.toml", text)


def test_every_problem_is_listed_with_its_key(tmp_path: Path) -> None:
    said = refused(tmp_path / "a.toml", 'target = "hub-rest"\nstart_script = "x"\nvalidity_days = 0\n')
    assert [line.split()[0] for line in said.splitlines()[1:]] == [
        "start_script",
        "directory",
        "account",
        "address",
        "validity_days",
    ]


def test_a_file_that_is_missing_a_folder_or_not_text_says_so(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(BadAnswers, match="cannot be read: "):
            answers.read(path)
    (tmp_path / "latin.toml").write_bytes(b'target = "h\xfcb"\n')
    with pytest.raises(BadAnswers, match="is not TOML"):
        answers.read(tmp_path / "latin.toml")


def test_what_never_ends_is_refused_at_once(tmp_path: Path) -> None:
    pipe, large, deep, dots = (tmp_path / name for name in ("pipe", "large", "deep", "dots"))
    os.mkfifo(pipe)
    with large.open("wb") as file:
        file.truncate(2_000_000)
    deep.write_text(f"a = {'[' * 5000}{']' * 5000}")
    dots.write_text(f"a{'.a' * 300_000} = 1")
    for path, said in [
        (pipe, "It is a device or a pipe, not a file"),
        (Path("/dev/zero"), "It is a device or a pipe, not a file"),
        (large, "It is larger than 1 MB"),
        (deep, "nests lists hundreds deep"),
        (dots, "a name in it has over 100 dots"),
    ]:
        with pytest.raises(BadAnswers, match=said):
            answers.read(path)


def test_a_script_that_cannot_be_edited_is_a_refusal_not_a_wrong_answer(box: Sandbox) -> None:
    (box.hub / "start.sh").write_bytes(b"./hub --db x\r\n")
    with pytest.raises(Refusal, match="carriage return"):
        answers.complete(*answers.read(answers_file(box)), HOST)


# There and back -----------------------------------------------------------------------------------------


def test_a_template_filled_from_this_host_gives_the_same_answers(box: Sandbox, tmp_path: Path) -> None:
    sheet = sheet_of(start_script=str(box.hub / "start.sh"), validity_days="90")
    path = tmp_path / "answers.toml"
    path.write_text(answers.template(sheet))
    assert answers.complete(*answers.read(path), HOST) == sheet.answers


def test_a_template_is_toml_even_where_answers_are_missing_or_wrong(box: Sandbox) -> None:
    crlf = box.hub / "crlf.sh"
    crlf.write_bytes(b"./hub --db x\r\n")
    odd = sheet_of(start_script="x\x1b[31m", common_name="a\nb")
    for sheet in (sheet_of(), sheet_of(start_script=str(crlf)), odd):
        text = answers.template(sheet)
        assert tomllib.loads(text)["target"] == "hub-rest"
        assert "start_script = ..." in text
        assert "\x1b" not in text


def test_a_template_explains_each_question_and_its_choices(box: Sandbox) -> None:
    text = answers.template(sheet_of(start_script=str(box.hub / "start.sh")))
    for asked in HubRest.questions():
        assert f"# {asked.label}: {asked.help}" in text
    assert "# One of: self-signed, private-ca, request, existing" in text
    assert "# It has no effect here, so it needs no answer.\n# switch_to_rest = ..." in text
    assert all(len(line) < 160 for line in text.splitlines())


@settings(max_examples=60)
@given(
    typed=st.dictionaries(
        st.sampled_from([asked.name for asked in HubRest.questions() if not asked.secret]),
        st.one_of(st.text(st.characters(codec="utf-8"), max_size=30), st.booleans(), st.integers(-9, 9)),
    )
)
def test_what_is_kept_comes_back_as_typed(
    tmp_path_factory: pytest.TempPathFactory, typed: dict[str, str | bool | int]
) -> None:
    state = State(tmp_path_factory.mktemp("state") / "state")
    answers.keep(state, HubRest, typed)
    assert answers.kept(state) == {"hub-rest": HubRest.lasting(typed)}


def test_what_was_asked_for_one_run_only_is_not_kept() -> None:
    given = {"common_name": "api", "reissue": ["/a.crt"], "new_keys": True, "delivered": ["/b.crt"]}
    assert HubRest.lasting(given) == {"common_name": "api"}


def test_a_surrogate_typed_into_a_field_does_not_lose_the_answers(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    answers.keep(state, HubRest, {"common_name": "a\ud800b", "validity_days": "90"})
    assert answers.kept(state)["hub-rest"]["validity_days"] == "90"


def test_kept_answers_that_are_damaged_are_passed_over(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    answers.keep(state, HubRest, {"common_name": "hub"})
    state.kept_answers("hub-rest").write_text("not toml")
    assert answers.kept(state) == {}


def test_kept_answers_are_for_their_owner_only(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    answers.keep(state, HubRest, {"common_name": "hub"})
    kept = state.kept_answers("hub-rest")
    assert [path.stat().st_mode & 0o777 for path in (state.root, kept.parent)] == [0o700, 0o700]


# Secrets ----------------------------------------------------------------------------------------------------

OWN_AUTHORITY = 'target = "sample-ca"\nsource = "own"\n'


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one target is the one that asks for a passphrase."""
    monkeypatch.setattr(catalogue, "EVERY", (offered(SampleAuthority),))


def sample_of(**given_: Raw) -> Sheet[Target]:
    return fill_in(SampleAuthority, given_, HOST)


def holding(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.usefixtures("sample")
def test_a_passphrase_comes_from_the_file_that_is_named(tmp_path: Path) -> None:
    secret = holding(tmp_path / "secret", b"  hunter2 \r\nand what else one notes down\n", 0o400)
    path = tmp_path / "answers.toml"
    path.write_text(f'{OWN_AUTHORITY}passphrase_file = "{secret}"\n')
    target, given_ = answers.read(path)
    assert given_ == {"source": "own", "passphrase": Secret("  hunter2 ")}
    filled = answers.complete(target, given_, HOST)
    assert isinstance(filled, SampleAuthority)
    assert filled.passphrase == Secret("  hunter2 ")


@settings(max_examples=60)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0\ufeff"), min_size=1))
def test_any_line_is_a_passphrase(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("secret") / "secret"
    for end in ("", "\n", "\r\n", "\n\n"):
        assert answers.read_secret(holding(path, (text + end).encode())) == Secret(text)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o660, 0o666, 0o777])
def test_what_others_may_touch_is_no_secret(tmp_path: Path, mode: int) -> None:
    path = holding(tmp_path / "secret", b"hunter2\n", mode)
    with pytest.raises(BadAnswers, match=f"First: chmod 600 {path}") as caught:
        answers.read_secret(path)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "should hold a passphrase in its first line, but that is empty."),
        (b"\nhunter2\n", "should hold a passphrase in its first line, but that is empty."),
        (b"\r\n", "should hold a passphrase in its first line, but that is empty."),
        (b"h\xfcnter2\n", "is not text in UTF-8."),
        (b"\xff\xfeh\x00u\x00", "is not text in UTF-8."),
        (b"hu\0nter2\n", "holds a NUL."),
        (b"\xef\xbb\xbfhunter2\n", "begins with a byte order mark"),
        (b"x" * 1_000_001, "cannot be read: It is larger than 1 MB."),
    ],
)
def test_a_file_that_holds_no_passphrase_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = holding(tmp_path / "secret", content)
    with pytest.raises(BadAnswers) as caught:
        answers.read_secret(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    assert "nter2" not in str(caught.value)


def test_what_is_no_file_holds_no_passphrase(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (tmp_path / "none", tmp_path, Path("/tmp"), Path(), pipe):
        with pytest.raises(BadAnswers, match=f"{path}, which should hold a passphrase, cannot be read: "):
            answers.read_secret(path)


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('passphrase = "hunter2"', '"passphrase" must not stand here, where others may read it.'),
        ('passphrase = "hunter2"', 'write: passphrase_file = "/path/of/that/file"'),
        ("passphrase = ''", '"passphrase" must not stand here'),
        ("passphrase_file = 5", '"passphrase_file" must be the name of a file, in quotes.'),
        ('passphrase_file = ["a"]', '"passphrase_file" must be the name of a file, in quotes.'),
        ('passphrase_file = "/\\u0000"', "is no file: there is a NUL in its name."),
        ('passphrase_fil = "a"', 'Did you mean "passphrase_file"?'),
        ("", "passphrase_file (--passphrase-file): This is needed. Write it into a file that only you can "),
    ],
)
def test_a_passphrase_that_is_given_otherwise_is_refused(tmp_path: Path, line: str, sentence: str) -> None:
    said = refused(tmp_path / "answers.toml", f"{OWN_AUTHORITY}{line}\n")
    assert sentence in said
    assert "hunter2" not in said


@pytest.mark.usefixtures("sample")
def test_without_secrets_no_file_is_looked_at_and_none_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    for line in ("", 'passphrase_file = "/nowhere"\n'):
        path.write_text(OWN_AUTHORITY + line)
        target, given_ = answers.read(path, secrets=False)
        assert given_ == {"source": "own"}
        assert isinstance(answers.complete(target, given_, HOST, secrets=False), SampleAuthority)
    with pytest.raises(BadAnswers, match="authority_days ") as caught:
        answers.complete(SampleAuthority, {"source": "own", "authority_days": "x"}, HOST, secrets=False)
    assert "passphrase" not in str(caught.value)


@pytest.mark.usefixtures("sample")
def test_a_secret_is_in_nothing_that_is_written(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    given_: dict[str, Raw] = {"source": "own", "passphrase": Secret("hunter2")}
    sheet = sample_of(**given_)
    assert sheet.answers is not None
    answers.keep(state, SampleAuthority, given_)
    assert answers.kept(state) == {"sample-ca": {"source": "own"}}
    text = answers.template(sheet)
    assert "# A file, mode 0600, with the passphrase as its first line; without one" in text
    assert "# passphrase_file = ..." in text
    plain = sheet.answers.plain(HOST)
    assert "passphrase" not in plain
    for written in (state.kept_answers("sample-ca").read_text(), text, str(plain), repr(sheet)):
        assert "hunter2" not in written


@pytest.mark.usefixtures("sample")
def test_a_template_with_what_may_be_empty_and_what_was_pasted_gives_the_same_answers(tmp_path: Path) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    path = tmp_path / "answers.toml"
    for delivered, value in (("", Delivery()), ("/a.pem, /b.pem", None), (pem, Delivery((pem,)))):
        sheet = sample_of(source="request", delivered=delivered)
        path.write_text(answers.template(sheet))
        filled = answers.complete(*answers.read(path), HOST)
        assert vars(filled) == vars(sheet.answers)
        assert value in (None, vars(filled)["delivered"])
