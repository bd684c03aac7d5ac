"""Whom a Nano node lets in, and when it fails open: tried with the node's own library calls."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from tests.peers.nano.directory import DataDirectory, installed
from tests.peers.nano.parties import (
    CA,
    IN,
    NO_CA,
    NO_CERTIFICATE,
    UNKNOWN_CA,
    client,
    greet,
    party,
    presenting,
    trials,
    write_server,
)
from tests.peers.nano_node import RUN_NANO_NODE, compiled, missing
from wizard.demo.nano_config import Build
from wizard.material.dh import dh_parameters
from wizard.material.keys import private_pem, read_private_pem
from wizard.probe import Answer, Endpoint, Handshake, Request, plain_http, versions
from wizard.secret import Secret
from wizard.trouble import Kind, Trouble

BLOCK_COUNT = Request("POST", "/", (), b'{"action": "block_count"}')
NOT_LOADED = "Could not load certificate information: "
NO_SHARED_CIPHER = "SSLV3_ALERT_HANDSHAKE_FAILURE"


@pytest.fixture(scope="module", autouse=True)
def _compiler() -> None:
    if missing():
        pytest.skip(f"NOT RUN: the node's library calls cannot be compiled here; install {missing()}")
    compiled()


@pytest.fixture
def clients(tmp_path: Path) -> Path:
    """The folder of the clients that are let in."""
    folder = tmp_path / "clients"
    folder.mkdir()
    return folder


def secured(folder: Path, clients: Path | str = "", version: str = "25.1", **changed: str) -> DataDirectory:
    """A node with TLS, some of its settings changed; it does not run yet."""
    settings = {**write_server(folder), "client_certs_path": str(clients), **changed}
    node = DataDirectory(folder / "Nano", Build(version))
    return node.write(enable_https=True, verbose_logging=True, **settings)


def last_error(node: DataDirectory) -> str:
    """What OpenSSL said last of a client."""
    said = [line.partition("TLS: Error: ")[2] for line in node.log.splitlines()]
    return next(filter(None, reversed(said)), "")


# The server -------------------------------------------------------------------------------------------------


def test_it_answers_over_tls_1_2_only(tmp_path: Path) -> None:
    node = secured(tmp_path)
    with node.running():
        tried = versions(Endpoint("127.0.0.1", node.port), "localhost", request=BLOCK_COUNT)
    assert [version for version, got in tried.items() if isinstance(got, Handshake)] == ["TLS 1.2"]
    assert isinstance(answered := tried["TLS 1.2"], Handshake)
    assert answered.answer.status == "HTTP/1.1 200 OK"
    assert b'"count": "1"' in answered.answer.data
    assert "TLS: successfully configured" in node.log


def test_plain_http_is_refused_where_tls_is_switched_on_and_answered_where_it_is_not(tmp_path: Path) -> None:
    node = secured(tmp_path)
    with node.running():
        answer = plain_http(Endpoint("127.0.0.1", node.port), request=BLOCK_COUNT)
    assert isinstance(answer, Trouble)
    assert answer.kind is Kind.CLOSED
    assert "TLS: Handshake error: http request" in node.log
    with node.write().running():
        answer = plain_http(Endpoint("127.0.0.1", node.port), request=BLOCK_COUNT)
        assert greet(node.port) == "WRONG_VERSION_NUMBER"
    assert isinstance(answer, Answer)
    assert answer.code == 200


def test_other_requests_are_answered_with_an_error(tmp_path: Path) -> None:
    node = DataDirectory(tmp_path / "Nano").write()
    with node.running():
        for request, said in (
            (Request(), b"Can only POST requests"),
            (Request("POST", "/", (), b'{"action": "fly"}'), b"Unknown command"),
            (Request("POST", "/", (), b"not JSON"), b"Unable to parse JSON"),
        ):
            answer = plain_http(Endpoint("127.0.0.1", node.port), request=request)
            assert isinstance(answer, Answer)
            assert said in answer.data


def test_sessions_are_not_resumed(tmp_path: Path) -> None:
    node, context, session = secured(tmp_path), presenting(None), None
    with node.running():
        for _ in range(2):
            with (
                socket.create_connection(("127.0.0.1", node.port), timeout=5) as plain,
                context.wrap_socket(plain, server_hostname="localhost", session=session) as connection,
            ):
                session = connection.session
                assert not connection.session_reused
                assert session is None or (not session.has_ticket and not session.id)


def test_it_listens_on_ipv6_and_leaves_nothing_behind(tmp_path: Path) -> None:
    node = secured(tmp_path)
    node.file("rpc").write_text(f"port = {node.port}\n")
    with node.running() as process:
        assert greet(node.port, host="::1") == IN
        (seen,) = psutil.Process(process.pid).children()
        assert [connection.laddr for connection in seen.net_connections("tcp")] == [("::1", node.port)]
        process.kill()
        seen.wait(timeout=10)


def test_a_look_at_the_host_sees_it_as_the_node(tmp_path: Path) -> None:
    node = DataDirectory(tmp_path / "Nano").write()
    with installed(tmp_path, RUN_NANO_NODE.format(root=str(tmp_path), build=Build())) as seen:
        assert seen.listening == (("::ffff:127.0.0.1", node.port),)
        assert seen.arguments == ("./nano_node", "--daemon", "--data_path", "Nano")
        assert seen.launcher == tmp_path / "start.sh"


@pytest.mark.parametrize(("version", "file"), [("22.1", "rpc"), ("25.1", "tls")])
def test_the_settings_stand_where_the_version_looks_for_them(
    version: str, file: str, tmp_path: Path, clients: Path
) -> None:
    node, known = secured(tmp_path, clients, version), client("known")
    known.install(clients)
    assert "server_dh_path" in node.file(file).read_text()
    with node.running():
        assert greet(node.port, known) == IN
        assert greet(node.port) == NO_CERTIFICATE


def test_paths_are_those_of_the_working_directory(tmp_path: Path) -> None:
    node = secured(tmp_path, server_key_path="key.pem")
    with node.running(cwd=tmp_path):
        assert greet(node.port) == IN
    with node.running(cwd=node.path):
        assert greet(node.port) == NO_SHARED_CIPHER


def test_a_tilde_is_not_the_home_directory(tmp_path: Path) -> None:
    node = secured(tmp_path, server_key_path="~/key.pem")
    kept = {"XDG_CACHE_HOME": str(compiled().parents[2])}
    with node.running(environment={"HOME": str(tmp_path), **kept}):
        assert NOT_LOADED in node.console


# Client certificates ----------------------------------------------------------------------------------------


def test_which_installed_certificates_are_accepted(tmp_path: Path, clients: Path) -> None:
    node, tried, found = secured(tmp_path, clients), trials(tmp_path), {}
    for trial in tried.values():
        trial.party.install(clients)
    with node.running():
        for what, trial in tried.items():
            found[what] = said = greet(node.port, trial.party)
            assert said == IN or last_error(node) == trial.error, what
        assert greet(node.port) == NO_CERTIFICATE
    assert found == {what: trial.said for what, trial in tried.items()}


def test_an_installed_authority_lets_in_whom_it_has_signed(tmp_path: Path, clients: Path) -> None:
    node = secured(tmp_path, clients)
    authority, no_authority = party("as the guide makes it", CA), party("no authority", NO_CA)
    for one in (authority, no_authority):
        one.install(clients)
    with node.running():
        assert greet(node.port, authority.issue("friend of a friend")) == IN
        assert greet(node.port, no_authority.issue("friend of nobody")) == UNKNOWN_CA
        assert last_error(node) == "invalid CA certificate"


def test_a_stranger_who_brings_a_root_along_gets_in(tmp_path: Path, clients: Path) -> None:
    node, root = secured(tmp_path, clients), party("a root of my own", CA)
    client("known").install(clients)
    stranger = root.issue("stranger")
    with node.running():
        assert greet(node.port, client("self-signed")) == UNKNOWN_CA
        assert last_error(node) in ("self-signed certificate", "self signed certificate")
        assert greet(node.port, stranger) == UNKNOWN_CA
        assert last_error(node) == "unable to get local issuer certificate"
        assert greet(node.port, stranger, root) == IN
        assert "TLS: Self-signed certificate in chain" in node.log


# The folder of clients --------------------------------------------------------------------------------------


def test_what_is_found_in_the_folder(tmp_path: Path, clients: Path) -> None:
    node = secured(tmp_path, clients)
    found = {what: client(what) for what in ("symlink", "line ends of Windows", "key behind", "key before")}
    symlink, windows, behind, before = found.values()
    (clients / f"{symlink.hash}.0").symlink_to(symlink.install(clients, "symlink.crt").name)
    windows.install(clients).write_bytes(windows.pem.replace(b"\n", b"\r\n"))
    behind.install(clients).write_bytes(behind.pem + behind.key_pem)
    before.install(clients).write_bytes(before.key_pem + before.pem)
    with node.running():
        assert {what: greet(node.port, one) for what, one in found.items()} == dict.fromkeys(found, IN)


def test_what_is_not_found_in_the_folder(tmp_path: Path, clients: Path) -> None:
    node, found = secured(tmp_path, clients), {}
    for what in ("no number", "number 1 alone", "old hash", "DER"):
        found[what] = client(what)
    found["no number"].install(clients, found["no number"].hash)
    found["number 1 alone"].install(clients, f"{found['number 1 alone'].hash}.1")
    path = found["old hash"].install(clients, "old.crt")
    command = ["openssl", "x509", "-in", str(path), "-noout", "-subject_hash_old"]
    old = subprocess.check_output(command, text=True, timeout=60).strip()
    path.rename(clients / f"{old}.0")
    der = found["DER"]
    der.install(clients).write_bytes(der.certificate.public_bytes(Encoding.DER))
    with node.running():
        said = {what: greet(node.port, one) for what, one in found.items()}
    assert said == dict.fromkeys(found, UNKNOWN_CA)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_with_one_subject_the_second_needs_key_identifiers(
    order: tuple[int, int], tmp_path: Path, clients: Path
) -> None:
    # By them OpenSSL passes over the first, which is not the issuer. Without, it looks no further.
    node, with_identifiers = secured(tmp_path, clients), (client("the same"), client("the same"))
    without = (party("another", NO_CA), party("another", NO_CA))
    for both in (with_identifiers, without):
        for number, one in enumerate(both):
            one.install(clients, f"{one.hash}.{number}")
    with node.running():
        assert {number: greet(node.port, with_identifiers[number]) for number in order} == {0: IN, 1: IN}
        assert {number: greet(node.port, without[number]) for number in order} == {0: IN, 1: UNKNOWN_CA}


def test_a_client_is_added_at_once_and_removed_by_a_restart(tmp_path: Path, clients: Path) -> None:
    node, used, unused = secured(tmp_path, clients), client("used"), client("unused")
    with node.running():
        assert greet(node.port, used) == UNKNOWN_CA
        paths = [one.install(clients) for one in (used, unused)]
        assert greet(node.port, used) == IN
        for path in paths:
            path.unlink()
        assert greet(node.port, used) == IN, "it is remembered"
        assert greet(node.port, unused) == UNKNOWN_CA
    with node.running():
        assert greet(node.port, used) == UNKNOWN_CA


@pytest.mark.parametrize("what", ["missing", "empty", "a file"])
def test_a_folder_that_is_none_lets_nobody_in_and_nobody_is_told(what: str, tmp_path: Path) -> None:
    known, path = client("known"), tmp_path / "clients"
    if what == "empty":
        path.mkdir()
    elif what == "a file":
        path.write_bytes(known.pem)
    node = secured(tmp_path, path)
    with node.running():
        assert greet(node.port, known) == UNKNOWN_CA
        assert greet(node.port) == NO_CERTIFICATE
    assert "TLS: successfully configured" in node.log
    assert NOT_LOADED not in node.console


# Diffie-Hellman parameters ----------------------------------------------------------------------------------


def small_parameters() -> bytes:
    """As the guide has them made, but for `-dsaparam`, which takes no time."""
    return subprocess.check_output(
        ["openssl", "dhparam", "-dsaparam", "1024"], timeout=60, stderr=subprocess.DEVNULL
    )


@pytest.mark.parametrize("what", ["no path", "no file", "1024 bits", "no parameters"])
def test_without_usable_dh_parameters_nobody_is_checked(what: str, tmp_path: Path, clients: Path) -> None:
    path = tmp_path / "other.pem"
    if what == "1024 bits":
        path.write_bytes(small_parameters())
    elif what == "no parameters":
        path.write_bytes(b"none\n")
    node = secured(tmp_path, clients, server_dh_path="" if what == "no path" else str(path))
    with node.running():
        assert f"{NOT_LOADED}use_tmp_dh_file: " in node.console
        assert "config-tls.toml" in node.console
        assert NOT_LOADED in node.log
        assert greet(node.port) == IN
        assert greet(node.port, client("stranger")) == IN


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_with_larger_dh_parameters_clients_are_checked(bits: int, tmp_path: Path, clients: Path) -> None:
    path = tmp_path / "other.pem"
    path.write_bytes(dh_parameters(bits))
    node = secured(tmp_path, clients, server_dh_path=str(path))
    with node.running():
        assert greet(node.port) == NO_CERTIFICATE


@pytest.mark.parametrize(
    ("level", "bits", "checked"),
    [(0, 1024, True), (1, 1024, True), (2, 1024, False), (2, 2048, True), (3, 2048, False), (3, 3072, True)],
)
def test_how_large_they_must_be_depends_on_the_security_level(
    level: int, bits: int, checked: bool, tmp_path: Path, clients: Path
) -> None:
    path, configuration = tmp_path / "other.pem", tmp_path / "openssl.cnf"
    path.write_bytes(small_parameters() if bits == 1024 else dh_parameters(bits))
    configuration.write_text(
        "openssl_conf = all\n[all]\nssl_conf = tls\n[tls]\nsystem_default = default\n"
        f"[default]\nCipherString = DEFAULT@SECLEVEL={level}\n"
    )
    node = secured(tmp_path, clients, server_dh_path=str(path))
    with node.running(environment={"OPENSSL_CONF": str(configuration)}):
        assert greet(node.port) == (NO_CERTIFICATE if checked else IN)


# The server's certificate and key ---------------------------------------------------------------------------

PKCS8 = ("pkcs8", "-topk8", "-passout", "pass:words")
TRADITIONAL = ("pkey", "-traditional", "-passout", "pass:words")
LEGACY = ("-provider", "legacy", "-provider", "default")


def as_written_by(command: tuple[str, ...], folder: Path) -> DataDirectory:
    """A node whose key `openssl` has written anew, with the passphrase that stands in the settings."""
    node, path = secured(folder, server_key_passphrase="words"), folder / "key.pem"
    key = path.read_bytes()
    made = subprocess.run(["openssl", *command], input=key, check=True, capture_output=True, timeout=60)
    path.write_bytes(made.stdout)
    return node


def encrypted(folder: Path, passphrase: str, given: str) -> DataDirectory:
    """A node whose key the wizard has encrypted; the settings give this or another passphrase."""
    node, path = secured(folder, server_key_passphrase=given), folder / "key.pem"
    path.write_bytes(private_pem(read_private_pem(path.read_bytes()), Secret(passphrase)))
    return node


def why_not_loaded(node: DataDirectory) -> str:
    """Why the certificate or the key cannot be used; nobody gets in then."""
    with node.running():
        assert greet(node.port) == NO_SHARED_CIPHER
    assert "TLS: Handshake error: no shared cipher" in node.log
    return node.console.partition(NOT_LOADED)[2].partition(". Make sure")[0]


@pytest.mark.parametrize(
    "command",
    [
        ("pkey",),
        ("pkey", "-traditional"),
        (*PKCS8, "-v2", "aes-256-cbc"),
        (*PKCS8, "-v2", "des3"),
        (*PKCS8, "-scrypt"),
        (*PKCS8, "-v1", "PBE-SHA1-3DES"),
        (*TRADITIONAL, "-des3"),
        (*TRADITIONAL, "-aes256"),
    ],
    ids=" ".join,
)
def test_keys_that_are_read(command: tuple[str, ...], tmp_path: Path) -> None:
    node = as_written_by(command, tmp_path)
    with node.running():
        assert greet(node.port) == IN


@pytest.mark.parametrize(
    "command",
    [(*PKCS8, "-v1", "PBE-MD5-DES", *LEGACY), (*TRADITIONAL, "-des", *LEGACY), ("pkey", "-outform", "DER")],
    ids=" ".join,
)
def test_keys_that_are_not_read(command: tuple[str, ...], tmp_path: Path) -> None:
    assert why_not_loaded(as_written_by(command, tmp_path)) == "use_private_key_file: unsupported"


@pytest.mark.parametrize("passphrase", ['it is "so"', "back\\slash", "Zürich ключ", "  blanks", "#x = 'y'"])
def test_passphrases_that_are_taken(passphrase: str, tmp_path: Path) -> None:
    node = encrypted(tmp_path, passphrase, passphrase)
    with node.running():
        assert greet(node.port) == IN


@pytest.mark.parametrize(
    ("passphrase", "given"), [("words", "other words"), ("words", ""), ("1" * 1100, "1" * 1100)]
)
def test_passphrases_that_are_not(passphrase: str, given: str, tmp_path: Path) -> None:
    assert why_not_loaded(encrypted(tmp_path, passphrase, given)) == "use_private_key_file: bad decrypt"


def test_files_with_the_line_ends_of_windows_are_read(tmp_path: Path, clients: Path) -> None:
    node = secured(tmp_path, clients)
    for path in tmp_path.glob("*.pem"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with node.running():
        assert greet(node.port) == NO_CERTIFICATE


def test_a_weak_certificate_is_not_loaded(tmp_path: Path) -> None:
    node, weak = secured(tmp_path), party("localhost", key=rsa.generate_private_key(65537, 1024))
    (tmp_path / "cert.pem").write_bytes(weak.pem)
    (tmp_path / "key.pem").write_bytes(weak.key_pem)
    assert why_not_loaded(node) == "use_certificate_chain_file: ee key too small"


def test_the_key_of_another_is_not_loaded(tmp_path: Path) -> None:
    node = secured(tmp_path)
    (tmp_path / "key.pem").write_bytes(client("another").key_pem)
    assert why_not_loaded(node) == "use_private_key_file: key values mismatch"


def test_a_missing_file_is_told_by_its_step(tmp_path: Path) -> None:
    for setting, step in (
        ("server_cert_path", "use_certificate_chain_file"),
        ("server_key_path", "use_private_key_file"),
    ):
        assert why_not_loaded(secured(tmp_path, **{setting: "/missing"})).startswith(step)
