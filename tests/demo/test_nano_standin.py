"""The stand-in Nano node reads its files and treats clients as nanocurrency/nano-node does."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.peers.hub import ROOT
from tests.peers.nano.directory import STAND_IN, DataDirectory, installed
from tests.peers.nano.parties import (
    CA,
    IN,
    NO_CERTIFICATE,
    UNKNOWN_CA,
    client,
    greet,
    party,
    trials,
    write_server,
)
from wizard.demo.nano import generated_config, main
from wizard.demo.nano_config import (
    Build,
    ConfigError,
    Era,
    NullPointer,
    Rpc,
    Tls,
    parse,
    read_rpc,
    read_tls,
    rpc_enabled,
)
from wizard.probe import Answer, Endpoint, Handshake, Request, plain_http, versions
from wizard.trouble import Kind, Trouble

BLOCK_COUNT = Request("POST", "/", (), b'{"action": "block_count"}')
MOVED = "The RPC secure configuration has moved to config-tls.toml. Please update the configuration."
NO_SHARED_CIPHER = "SSLV3_ALERT_HANDSHAKE_FAILURE"


# The files --------------------------------------------------------------------------------------------------


def read(folder: Path, text: str, era: Era = Era.SECURE_TABLE) -> Rpc:
    """What is read from this text in config-rpc.toml."""
    (folder / "config-rpc.toml").write_bytes(text.encode())
    return read_rpc(folder, era)


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    for era in Era:
        assert read_rpc(tmp_path, era) == read(tmp_path, "", era) == Rpc("::1", 7076)
        (tmp_path / "config-rpc.toml").unlink()
    assert read_tls(tmp_path) == Tls()
    assert not rpc_enabled(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "[secure]\nenable = true\n",
        "[secure]\r\nenable = true\r\n",
        "address = '::1'\r\n[secure]\nenable = true\r\n",
        "[secure]\nenable = true",
        "  [secure]\n\tenable=true\n",
        "[ secure ]\nenable = true\n",
        '["secure"]\nenable = true\n',
        "[secure] # of the node\nenable = true\n",
        '[secure]\nenable = "true"\n',
        '[secure]\nenable = "true"  # quoted\n',
        "secure.enable = true\n",
        "# a comment\n\n[secure]\nunknown = 1\nenable = true\n[other]\nenable = false\n",
    ],
)
def test_tls_is_switched_on_by(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text).tls == Tls(https=True)


@pytest.mark.parametrize(
    "text",
    [
        "[Secure]\nenable = true\n",
        "[process]\n#[secure]\nenable = true\n",
        "[process]\nsecure.enable = true\n",
        "\ufeffsecure.enable = true\n",
        "[secure]\nenable_https = true\n",
    ],
)
def test_tls_is_not_switched_on_by(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text) == Rpc()


NOT_BOOLEAN = "enable is not a boolean"
NO_PORT = "port is not an integer between 0 and 65535"
NO_ADDRESS = "address is not an IP address"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[secure]\nenable=true # on\n", NOT_BOOLEAN),
        ("[secure]\nenable=true \n", NOT_BOOLEAN),
        ("[secure]\nenable = true\t\n", NOT_BOOLEAN),
        ("[secure]\nenable = 1\n", NOT_BOOLEAN),
        ("[secure]\nenable = []\n", NOT_BOOLEAN),
        ('secure = { enable = true, server_cert_path = "x" }\n', NOT_BOOLEAN),
        ("port = 7076 # x\n", NO_PORT),
        ("port = 7_076\n", NO_PORT),
        ("port = 70760\n", NO_PORT),
        ("max_json_depth = 256\n", "max_json_depth is not an integer between 0 and 255"),
        ("[process]\nio_threads = x4\n", "Failed to parse value type at line 2"),
        ("[process]\nio_threads = 4 # x\n", "io_threads is not a 32-bit unsigned integer"),
        ('address = "0.0.0.0"\n', NO_ADDRESS),
        ('address = ""\n', NO_ADDRESS),
        ("[secure]\nenable = true\n[secure]\n", "Redefinition of table secure at line 3"),
        ("port = 1\nport = 2\n", "Key port already present at line 2"),
        ("port = 1[secure]\nenable = true\n", "Unidentified trailing character '['"),
        ("\ufeff# comment\n", "cannot contain #"),
        ("\ufeff[secure]\n", "cannot contain"),
        ("[secure]\nenable = TRUE\n", "Failed to parse value type at line 2"),
        ("[secure]\nserver_cert_path = /tls/cert.pem\n", "Failed to parse value type at line 2"),
        ("[secure]\nserver_cert_path = tls/cert.pem\n", "Failed to parse value type at line 2"),
        ('[secure]\nserver_cert_path = "C:\\Program"\n', "Invalid escape sequence at line 2"),
        ('[secure]\nserver_cert_path = "x\n', "Unterminated string literal at line 2"),
        ("[secure\n", "Unterminated table declaration"),
        ("garbage\n", "Value must follow after a '=' at line 1"),
    ],
)
def test_the_node_does_not_start_with(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["[[secure]]\nenable = true\n", "secure = true\n", "process = 1\n"])
def test_the_node_crashes_with(text: str, tmp_path: Path) -> None:
    with pytest.raises(NullPointer):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r'"say \"so\""', 'say "so"'),
        (r'"back\\slash"', "back\\slash"),
        (r'"\u00e9\U0001F511"', "é🔑"),
        ('"Zürich ключ"', "Zürich ключ"),
        (r"'C:\nano \"'", r"C:\nano \""),
        (r'"C:\nano"', "C:\nano"),
        ('"  blanks "  # outside', "  blanks "),
        ('"# no comment"', "# no comment"),
        ("12345", "12345"),
        ("12345 # no comment", "12345 # no comment"),
        ('true # "quoted"', "true # "),
        ('"""a\nb\nc"""', "ab\nc"),
        ("2022-01-17", "2022-01-17"),
    ],
)
def test_strings(written: str, meant: str) -> None:
    assert parse(f"key = {written}\n") == {"key": meant}


def test_arrays_and_tables() -> None:
    text = (
        "peers = ['a', # one\n  'b',\n]\n[[list]]\nx = 1\n[[list]]\n[list.y]\n[a.b]\nc.d = { e = 'f' }\n[a]\n"
    )
    assert parse(text) == {
        "peers": ["a", "b"],
        "list": [{"x": "1"}, {"y": {}}],
        "a": {"b": {"c": {"d": {"e": "f"}}}},
    }
    for wrong in ("[1, 2]", "['a'", "{ a = 'b'", "[[1]]"):
        with pytest.raises(ConfigError):
            parse(f"key = {wrong}\n")


def test_options_win_over_the_files(tmp_path: Path) -> None:
    (tmp_path / "config-node.toml").write_text("[rpc]\nenable = false\n")
    assert rpc_enabled(tmp_path, ["rpc.enable=true"])
    (tmp_path / "config-rpc.toml").write_text("port = 1\n[secure]\nenable = false\nserver_dh_path = 'x'\n")
    given = read_rpc(tmp_path, Era.SECURE_TABLE, ["secure.enable=true", "port=2", 'address="::"'])
    assert given == Rpc("::", 2, tls=Tls(https=True, server_dh_path="x"))


def test_the_passphrase_is_not_shown() -> None:
    assert "words" not in repr(Tls(server_key_passphrase="words"))


@contextmanager
def _as_nobody() -> Iterator[None]:
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_only_be_read_is_passed_over() -> None:
    # std::fstream opens it for reading and writing, and the node does not look whether that went well.
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "config-tls.toml").write_text("enable_https = true\n")
        assert read_tls(folder).https
        (folder / "config-tls.toml").chmod(0o444)
        with _as_nobody():
            assert not read_tls(folder).https


@pytest.mark.parametrize(
    ("version", "era"),
    [("21.3", "rpc"), ("22.1", "rpc"), ("23.0", "tls"), ("26.1", "tls"), ("27.0", ""), ("28.2", "")],
)
def test_eras(version: str, era: str) -> None:
    kinds = {Era.SECURE_TABLE: "rpc", Era.TLS_FILE: "tls", Era.NONE: ""}
    assert kinds[Build(version).era] == era


def test_older_versions_are_not_imitated() -> None:
    with pytest.raises(ValueError, match="V20"):
        _ = Build("20.0").era


# The program ------------------------------------------------------------------------------------------------


def test_it_prints_its_version_and_documented_files(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["--version"], Build("22.1")) == 0
    assert capsys.readouterr().out.startswith("Version V22.1\nBuild Info ")
    for kind in ("node", "rpc", "tls"):
        assert main(["--generate_config", kind]) == 0
        (tmp_path / f"config-{kind}.toml").write_text(capsys.readouterr().out)
    assert read_rpc(tmp_path, Era.TLS_FILE) == Rpc()
    assert read_tls(tmp_path) == Tls()
    assert not rpc_enabled(tmp_path)
    assert main(["--generate_config", "tls"], Build("27.0")) == 1
    assert main(["--unheard-of"]) == 1
    assert main([]) == 255


def test_every_key_of_a_generated_file_can_be_switched_on(tmp_path: Path) -> None:
    live = re.sub(r"(?m)^#(?=\w)", "", generated_config("rpc"))
    assert parse(live)["logging"] == {"log_rpc": "true"}
    assert read(tmp_path, live) == Rpc(port=45000)


TLS_ON = "enable_https = true\n"
SECURE_ON = "[secure]\nenable = true\n"
NOT_BUILT = (
    "https or wss is enabled in the TLS configuration, but the node is not built with NANO_SECURE_RPC\n"
)


@pytest.mark.parametrize(
    ("build", "files", "code", "said"),
    [
        (Build("25.1"), {"rpc": SECURE_ON}, 1, MOVED),
        (Build("25.1"), {"rpc": "secure = true\n"}, 1, MOVED),
        (Build("25.1"), {"rpc": "port = 7076 # x\n"}, 1, NO_PORT),
        (Build("25.1"), {"tls": "enable_https = TRUE\n"}, 1, "Failed to parse value type at line 1"),
        (Build("25.1", secure_rpc=False), {"tls": TLS_ON}, 1, NOT_BUILT),
        (Build("25.1", secure_rpc=False), {"tls": "enable_wss = true\n"}, 1, NOT_BUILT),
        (Build("22.1"), {"rpc": SECURE_ON + SECURE_ON}, 1, "Redefinition of table secure"),
        (Build("22.1"), {"rpc": "secure = true\n"}, 139, ""),
        (Build("22.1", secure_rpc=False), {"rpc": SECURE_ON}, 139, "not compiled with TLS support"),
        (Build("25.1"), {"node": "[rpc]\nenable = yes\n"}, 0, "Error deserializing config: Failed to parse"),
    ],
)
def test_what_ends_it(build: Build, files: dict[str, str], code: int, said: str, tmp_path: Path) -> None:
    node = DataDirectory(tmp_path / "Nano", build).write()
    for kind, text in files.items():
        node.file(kind).write_text(text)
    ended = node.run()
    assert ended.code == code
    assert said in ended.log
    assert node.path.stat().st_mode & 0o777 == 0o700


def test_it_ends_where_its_port_is_taken(tmp_path: Path) -> None:
    node = DataDirectory(tmp_path / "Nano").write()
    with socket.create_server(("127.0.0.1", node.port)):
        ended = node.run()
    assert "Error while running node (Address already in use)" in ended.log
    assert ended.code == 0


@pytest.mark.parametrize(
    ("build", "files"),
    [
        (Build("22.1"), {"tls": TLS_ON}),
        (Build("22.1", secure_rpc=False), {}),
        (Build("25.1", secure_rpc=False), {}),
        (Build("27.0"), {"tls": TLS_ON, "rpc": SECURE_ON}),
        (Build("27.0", secure_rpc=False), {"tls": TLS_ON, "rpc": SECURE_ON}),
    ],
)
def test_it_answers_plain_http_whatever_other_versions_would_read(
    build: Build, files: dict[str, str], tmp_path: Path
) -> None:
    node = DataDirectory(tmp_path / "Nano", build).write()
    for kind, text in files.items():
        node.file(kind).write_text(f"{node.file(kind).read_text() if kind == 'rpc' else ''}{text}")
    with node.running(STAND_IN):
        answer = plain_http(Endpoint("127.0.0.1", node.port), request=BLOCK_COUNT)
        assert isinstance(answer, Answer)
        assert answer.code == 200
        assert b'"count": "1"' in answer.data
        assert greet(node.port) == "WRONG_VERSION_NUMBER"


def test_without_the_rpc_it_runs_and_listens_nowhere(tmp_path: Path) -> None:
    node = DataDirectory(tmp_path / "Nano").write()
    node.file("node").unlink()
    with subprocess.Popen(node.command(STAND_IN), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "Starting up Nano node...\n"
            assert "version: V25.1" in process.stdout.readline()
            with pytest.raises(ConnectionRefusedError):
                greet(node.port)
        finally:
            process.terminate()
        assert process.wait(timeout=10) == 0


def test_sigterm_ends_it_quickly_even_with_a_connection_open(tmp_path: Path) -> None:
    node = DataDirectory(tmp_path / "Nano").write(enable_https=True, **write_server(tmp_path))
    with node.running(STAND_IN) as process, socket.create_connection(("127.0.0.1", node.port), timeout=5):
        begun = time.monotonic()
        process.terminate()
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - begun < 3


RUN_NANO = """\
from wizard.demo import nano, nano_config
sys.exit(nano.main(sys.argv[1:], nano_config.Build("25.1")))"""


def test_a_look_at_the_host_sees_it_as_the_node(tmp_path: Path) -> None:
    node = DataDirectory(tmp_path / "Nano").write()
    with installed(tmp_path, RUN_NANO) as seen:
        assert seen.listening == (("::ffff:127.0.0.1", node.port),)
        assert seen.arguments[-3:] == ("--daemon", "--data_path", "Nano")
        assert seen.launcher == tmp_path / "start.sh"
    asked = subprocess.check_output([tmp_path / "nano_node", "--version"], text=True, timeout=60)
    assert asked.startswith("Version V25.1\n")


# The server -------------------------------------------------------------------------------------------------


@pytest.fixture
def clients(tmp_path: Path) -> Path:
    """The folder of the clients that are let in."""
    folder = tmp_path / "clients"
    folder.mkdir()
    return folder


def secured(folder: Path, clients: Path | str = "", version: str = "25.1", **changed: str) -> DataDirectory:
    """A node with TLS, some of its settings changed; it does not run yet."""
    settings = {**write_server(folder), "client_certs_path": str(clients), **changed}
    return DataDirectory(folder / "Nano", Build(version)).write(enable_https=True, **settings)


@pytest.mark.parametrize("version", ["22.1", "25.1"])
def test_it_answers_over_tls_1_2_only_and_never_in_the_clear(version: str, tmp_path: Path) -> None:
    node = secured(tmp_path, version=version)
    with node.running(STAND_IN):
        at = Endpoint("127.0.0.1", node.port)
        tried, in_the_clear = versions(at, "localhost", request=BLOCK_COUNT), plain_http(at)
    assert [version for version, got in tried.items() if isinstance(got, Handshake)] == ["TLS 1.2"]
    assert isinstance(answered := tried["TLS 1.2"], Handshake)
    assert answered.answer.status == "HTTP/1.1 200 OK"
    assert isinstance(in_the_clear, Trouble)
    assert in_the_clear.kind is Kind.CLOSED
    assert "TLS: successfully configured" in node.log


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request(), b"Can only POST requests"),
        (Request("POST", "/", (), b'{"action": "fly"}'), b"Unknown command"),
        (Request("POST", "/", (), b"not JSON"), b"Unable to parse JSON"),
        (Request("POST", "/", (), b"[]"), b"Unable to parse JSON"),
        (Request("OPTIONS"), b"Allow: POST, OPTIONS"),
    ],
    ids=["GET", "unknown", "not JSON", "no object", "OPTIONS"],
)
def test_other_requests_are_answered_too(request_: Request, said: bytes, tmp_path: Path) -> None:
    node = DataDirectory(tmp_path / "Nano").write()
    with node.running(STAND_IN):
        answer = plain_http(Endpoint("127.0.0.1", node.port), request=request_)
    assert isinstance(answer, Answer)
    assert answer.code == 200
    assert said in answer.data


def test_clients_are_treated_as_the_node_treats_them(tmp_path: Path, clients: Path) -> None:
    node, tried = secured(tmp_path, clients), trials(tmp_path)
    authority, root = party("as the guide makes it", CA), party("a root of my own", CA)
    for one in (*(trial.party for trial in tried.values()), authority):
        one.install(clients)
    stranger = root.issue("stranger")
    with node.running(STAND_IN):
        assert greet(node.port) == NO_CERTIFICATE
        found = {what: greet(node.port, trial.party) for what, trial in tried.items()}
        assert greet(node.port, authority.issue("friend of a friend")) == IN
        assert greet(node.port, client("self-signed")) == UNKNOWN_CA
        assert greet(node.port, stranger) == UNKNOWN_CA
        assert greet(node.port, stranger, root) == UNKNOWN_CA, "here it differs from the node"
    assert found == {what: trial.said for what, trial in tried.items()}
    assert "TLS: Handshake error: unsuitable certificate purpose" in node.log


def test_a_client_is_added_at_once_and_removed_by_a_restart(tmp_path: Path, clients: Path) -> None:
    node, used = secured(tmp_path, clients), client("used")
    with node.running(STAND_IN):
        assert greet(node.port, used) == UNKNOWN_CA
        path = used.install(clients)
        assert greet(node.port, used) == IN
        path.unlink()
        assert greet(node.port, used) == IN, "it is remembered"
    with node.running(STAND_IN):
        assert greet(node.port, used) == UNKNOWN_CA


@pytest.mark.parametrize("version", ["22.1", "25.1"])
@pytest.mark.parametrize("what", ["no path", "no file", "1024 bits"])
def test_without_usable_dh_parameters_nobody_is_checked(
    what: str, version: str, tmp_path: Path, clients: Path
) -> None:
    path = tmp_path / "other.pem"
    if what == "1024 bits":
        small = ["openssl", "dhparam", "-dsaparam", "-out", str(path), "1024"]
        subprocess.run(small, check=True, timeout=60, capture_output=True)
    node = secured(tmp_path, clients, version, server_dh_path="" if what == "no path" else str(path))
    with node.running(STAND_IN):
        assert greet(node.port) == IN
    assert "Could not load certificate information: " in node.console
    assert ("config-tls.toml" in node.console) is (version == "25.1")


@pytest.mark.parametrize("setting", ["server_cert_path", "server_key_path"])
@pytest.mark.parametrize("path", ["", "/missing", "/dev/null"])
def test_without_a_usable_key_nobody_gets_in(setting: str, path: str, tmp_path: Path) -> None:
    node = secured(tmp_path, **{setting: path})
    with node.running(STAND_IN):
        assert greet(node.port) == NO_SHARED_CIPHER
    assert "Could not load certificate information: " in node.console


def test_a_folder_of_clients_that_is_missing_lets_nobody_in(tmp_path: Path) -> None:
    node = secured(tmp_path, tmp_path / "missing")
    with node.running(STAND_IN):
        assert greet(node.port) == NO_CERTIFICATE
        assert greet(node.port, client("known")) == UNKNOWN_CA
    assert "TLS: successfully configured" in node.log


def test_no_more_is_read_than_the_configuration_allows(tmp_path: Path) -> None:
    node = DataDirectory(tmp_path / "Nano").write()
    with node.file("rpc").open("a") as file:
        file.write("max_request_size = 10\n")
    with node.running(STAND_IN):
        answer = plain_http(Endpoint("127.0.0.1", node.port), request=BLOCK_COUNT)
    assert isinstance(answer, Trouble)
    assert answer.kind is Kind.CLOSED
