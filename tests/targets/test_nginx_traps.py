"""Traps of the public guides for nginx: each is shown on a real one, then what the wizard makes of it."""

from __future__ import annotations

import os
import pty
import socket
import ssl
import sys
from pathlib import Path

import pytest

from tests.peers.nginx_host import BOTH, service
from tests.sources.elsewhere import Elsewhere
from tests.targets.nginx_plans import NAME, PASSPHRASE, Setup, curl, texts, with_certificates
from wizard import transaction
from wizard.kinds import Raw
from wizard.material.key_types import KeyType
from wizard.material.keys import generate, private_pem
from wizard.probe import VERSIONS, Endpoint, Handshake, versions
from wizard.proof import Verdict
from wizard.service import restart

PAIR = "ssl_certificate @root@/old.pem; ssl_certificate_key @root@/old.pem;"
TLS = f"listen 127.0.0.1:@tls@ ssl; server_name api.example.org; {PAIR}"
PLAIN = "listen 127.0.0.1:@plain@; server_name api.example.org;"
OK = "location / { return 200 ok; }"


def setup_of(tmp_path: Path, http: str, version: str = "debian") -> Setup:
    return with_certificates(Setup(tmp_path, version, f"    {http}"), "old")


def offered(setup: Setup, name: str = NAME) -> list[str]:
    """The versions of TLS that a name is served with."""
    found = versions(Endpoint("127.0.0.1", setup.ports["tls"]), name)
    return [label for label in VERSIONS if isinstance(found[label], Handshake)]


def test_t33_a_redirect_keeps_port_and_method(tmp_path: Path) -> None:
    guide = f"server {{ {TLS} {OK} }} server {{ {PLAIN} return 301 https://$host$request_uri; }}"
    setup = setup_of(tmp_path, guide)
    url = f"http://{NAME}:{setup.ports['plain']}/kept?a=b"
    with setup.running():
        said = curl(url, posted=b"1")
        assert "301" in said.splitlines()[0]
        assert f"Location: https://{NAME}/kept?a=b" in said  # the port is lost
        with_guide = {one.title: one for one in setup.prove(http_port=setup.ports["plain"]).results}
        title = f"Plain HTTP on port {setup.ports['plain']} is sent on to https"
        assert with_guide[title].verdict is Verdict.FAILED
        assert f"sent on to https://{NAME}/tls-wizard" in with_guide[title].got
    with service() as up:
        ours = Setup(
            tmp_path / "ours",
            http=f"    server {{ {PLAIN} location / {{ proxy_pass http://127.0.0.1:{up}; }} }}",
        )
        with ours.running(), ours.secured():
            tls, plain = ours.ports["tls"], ours.ports["plain"]
            said = curl(f"http://{NAME}:{plain}/kept?a=b", posted=b"1")
            assert "308" in said.splitlines()[0]
            assert f"https://{NAME}:{tls}/kept?a=b" in said
            followed = curl(f"http://{NAME}:{plain}/kept?a=b", "-L", posted=b"1")
            assert '"method": "POST"' in followed


def test_t34_a_second_line_of_protocols_adds_to_the_first(tmp_path: Path) -> None:
    twice = f"server {{ {TLS} ssl_ciphers DEFAULT:@SECLEVEL=0; ssl_protocols TLSv1; {{}} {OK} }}"
    guide = setup_of(tmp_path / "guide", twice.replace("{}", "ssl_protocols TLSv1.2 TLSv1.3;"))
    assert guide.test()[0] == 0
    with guide.running():
        assert offered(guide) == ["TLS 1.0", "TLS 1.2", "TLS 1.3"]
        with guide.secured(redirect=False):
            assert offered(guide) == ["TLS 1.2", "TLS 1.3"]
            assert guide.config.read_text().count("ssl_protocols") == 1


@pytest.mark.parametrize("version", BOTH)
def test_t35_ssl_on_one_listen_is_ssl_for_all_on_the_port(tmp_path: Path, version: str) -> None:
    other = "server { listen 127.0.0.1:@tls@; server_name b.example.org; return 204; }"
    guide = setup_of(tmp_path / "guide", f"server {{ {TLS} {OK} }} {other}", version)
    assert guide.test()[0] == 0
    with guide.running():
        port = guide.ports["tls"]
        assert "400 Bad Request" in curl(f"http://b.example.org:{port}/").splitlines()[0]
        assert "204" in curl(f"https://b.example.org:{port}/").splitlines()[0]
    # The other one stands first, and so is the default server: without a certificate nginx would not start.
    ours = setup_of(
        tmp_path / "ours",
        f"{other} server {{ listen 127.0.0.1:@tls@; server_name api.example.org; {OK} }}",
        version,
    )
    entry = ours.sheet(redirect=False)["with_others"]
    assert entry.error.startswith("b.example.org:")
    plan = ours.plan(redirect=False, with_others=True)
    assert "TLS is switched on for the port, so for these servers too: b.example.org:" in texts(plan)
    with ours.running(), ours.secured(redirect=False, with_others=True) as result:
        assert "Clients accept it as b.example.org" in [one.title for one in result.results]
        assert "204" in curl(f"https://b.example.org:{ours.ports['tls']}/").splitlines()[0]


def test_t36_a_backup_beside_the_file_would_be_loaded(tmp_path: Path) -> None:
    site = f"server {{ listen 127.0.0.1:@plain@ default_server; server_name api.example.org; {OK} }}"
    setup = Setup(tmp_path, http="    include sites-enabled/*;", files={"sites-enabled/api": site})
    backup = setup.box.root / "sites-enabled/api.bak"
    backup.write_bytes((setup.box.root / "sites-enabled/api").read_bytes())
    status, said = setup.test()
    assert (status, "a duplicate default server" in said) == (1, True)
    backup.unlink()
    with setup.running(), setup.secured():
        assert [path.name for path in (setup.box.root / "sites-enabled").iterdir()] == ["api"]
        # Nor may its own files go where nginx would load them.
        inside = setup.sheet(directory=str(setup.box.root / "sites-enabled"))["directory"]
        assert "nginx loads the files of" in inside.error


def test_t37_a_chain_without_its_intermediate_passes_nginx_and_not_the_proof(tmp_path: Path) -> None:
    elsewhere = Elsewhere(tmp_path / "elsewhere")
    leaf, key = elsewhere.pair("web")
    given: dict[str, Raw] = {"source": "existing", "certificate_file": str(leaf), "key_file": str(key)}
    given |= {"alt_names": ["hub.example.org"], "redirect": False}
    wrong = elsewhere.joined("wrong.pem", elsewhere.intermediate, leaf)
    guide = "server {{ listen 127.0.0.1:@tls@ ssl; server_name api.example.org; {} }}"
    files = "ssl_certificate {}; ssl_certificate_key {};"
    setup = Setup(tmp_path / "leaf", http=f"    {guide.format(files.format(leaf, key))}")
    assert setup.test()[0] == 0
    assert (
        "key values mismatch"
        in Setup(tmp_path / "wrong", http=f"    {guide.format(files.format(wrong, key))}").test()[1]
    )
    # The leaf alone is refused, with the name of what is missing; with the intermediate it is proven.
    assert "Elsewhere Issuing" in setup.refusal(**given)
    with setup.running(), setup.secured(**given, chain_files=str(elsewhere.intermediate)):
        served = (setup.folder / "cert.pem").read_bytes()
        assert served == leaf.read_bytes() + elsewhere.intermediate.read_bytes()


def test_t38_a_failed_reload_keeps_the_old_certificate_and_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wizard.targets.nginx_server.checks.SECONDS_TO_RELOAD", 0.3)
    setup = setup_of(tmp_path, f"server {{ {TLS} {OK} }}")
    with setup.running(), socket.create_server(("127.0.0.1", 0)) as taken:
        before = ssl.get_server_certificate(("127.0.0.1", setup.ports["tls"]))
        plan = setup.plan(redirect=False)
        transaction.apply(plan, setup.box.state)
        # Somebody adds a server on a port that another program has: `nginx -t` is content.
        text = setup.config.read_text().rstrip().removesuffix("}")
        setup.config.write_text(f"{text} server {{ listen 127.0.0.1:{taken.getsockname()[1]}; }} }}\n")
        assert setup.test()[0] == 0
        assert plan.restart is not None
        restart(plan.restart)
        assert ssl.get_server_certificate(("127.0.0.1", setup.ports["tls"])) == before
        result = setup.prove(redirect=False)
        failed = {one.title: one for one in result.results if one.verdict is Verdict.FAILED}
        reloaded = failed["nginx has read the new configuration"]
        assert "the old certificate stays" in reloaded.meaning
        assert "still could not bind()" in reloaded.meaning or "bind() to" in reloaded.meaning
        assert "stop nginx and start it again" in reloaded.meaning
        assert "It serves cert.pem" in failed


@pytest.mark.parametrize("version", BOTH)
def test_t39_nginx_t_neither_sees_a_taken_port_nor_asks_for_a_passphrase_here(
    tmp_path: Path, version: str
) -> None:
    setup = setup_of(tmp_path, f"server {{ {PLAIN} {OK} }}", version)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        copy = setup.config.read_text()
        setup.config.write_text(copy.replace(str(setup.ports["plain"]), str(port)))
        assert setup.test()[0] == 0
        setup.config.write_text(copy)
        with setup.running():
            # This very program listens there, and is on the host that is looked at.
            assert f"Port {port} is taken by" in setup.sheet(https_port=port)["https_port"].error
            new: dict[str, Raw] = {"site": "new", "server_name": ["b.example.org"], "upstream": "127.0.0.1:9"}
            assert f"Port {port} is taken by" in setup.sheet(**new, http_port=port)["http_port"].error


@pytest.mark.parametrize("version", BOTH)
def test_t39_nothing_is_asked_on_the_terminal(tmp_path: Path, version: str) -> None:
    setup = setup_of(tmp_path, f"server {{ {TLS} {OK} }}", version)
    old = setup.box.root / "old.pem"
    old.write_bytes(old.read_bytes().partition(b"-----BEGIN PRIVATE")[0] + protected_key())
    command = (str(setup.box.program), "-c", str(setup.config), "-p", str(setup.box.root), "-t")
    assert b"Enter PEM pass phrase" in on_a_terminal(*command)
    # The same as the wizard has it checked, in a program that has the terminal.
    check = f"print(ran(Command({command}))[0])"
    imports = "from wizard.plan import Command; from wizard.validation import ran"
    assert on_a_terminal(sys.executable, "-c", f"{imports}; {check}").split() == [b"1"]


def protected_key() -> bytes:
    return private_pem(generate(KeyType.ECDSA_P256), PASSPHRASE)


def on_a_terminal(*command: str) -> bytes:
    """What a command says on a terminal of its own, at which nobody types anything but Enter."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    os.write(terminal, b"\n\n")  # it is echoed
    said = b""
    try:
        while data := os.read(terminal, 4096):
            said += data
    except OSError:  # it has ended
        pass
    os.waitpid(pid, 0)
    os.close(terminal)
    return said


def test_t40_without_protocols_the_older_has_no_tls_1_3_and_debians_http_has_1_0(tmp_path: Path) -> None:
    setup = setup_of(tmp_path / "bare", f"server {{ {TLS} {OK} }}")
    with setup.running():
        assert "TLS 1.3" not in offered(setup)
        with setup.secured(redirect=False):
            assert offered(setup) == ["TLS 1.2", "TLS 1.3"]
    debians = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers DEFAULT:@SECLEVEL=0;"
    setup = setup_of(tmp_path / "debian", f"{debians} server {{ {TLS} {OK} }}")
    with setup.running():
        assert "TLS 1.0" in offered(setup)
        with setup.secured(redirect=False):
            assert offered(setup) == ["TLS 1.2", "TLS 1.3"]


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("new", [True, False])
def test_t40_protocols_are_set_where_the_port_takes_them_from(
    tmp_path: Path, new: bool, version: str
) -> None:
    old = "ssl_ciphers DEFAULT:@SECLEVEL=0; ssl_protocols TLSv1 TLSv1.2;"
    first = f"server {{ listen 127.0.0.1:@tls@ ssl default_server; {PAIR} {old} return 204; }}"
    second = f"server {{ {TLS} ssl_protocols TLSv1.3; {OK} }}"
    setup = setup_of(tmp_path, f"{first} {'' if new else second}", version)
    given: dict[str, Raw] = {"redirect": False}
    with service() as up, setup.running():
        if new:
            given |= {"site": "new", "server_name": [NAME], "upstream": f"127.0.0.1:{up}"}
        elif version == "debian":
            assert offered(setup) == ["TLS 1.2"]  # its own line was not heard
        assert "nginx takes the TLS versions of port" in texts(setup.plan(**given))
        with setup.secured(**given):
            assert offered(setup) == offered(setup, "other.example.org") == ["TLS 1.2", "TLS 1.3"]
