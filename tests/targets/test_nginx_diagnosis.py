"""What a real nginx of both versions says of broken configurations, and the plain words for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.peers.nginx_host import BOTH
from tests.targets.nginx_plans import PASSPHRASE, Setup, with_certificates
from wizard import transaction
from wizard.errors import WizardError
from wizard.material.key_types import KeyType
from wizard.material.keys import generate, private_pem
from wizard.targets.nginx_server import diagnosis

LISTEN = "listen 127.0.0.1:@tls@ ssl;"


def pair(certificate: str = "a.pem", key: str = "a.pem", more: str = "") -> str:
    """A server with TLS."""
    files = f"ssl_certificate @root@/{certificate}; ssl_certificate_key @root@/{key};"
    return f"server {{ {LISTEN} {files} {more} }}"


def plain(more: str) -> str:
    return f"server {{ listen 127.0.0.1:@plain@; {more} }}"


CASES = {
    "certificate missing": (pair("none.pem"), "The file is not there."),
    "key missing": (pair(key="none.pem"), "The file is not there."),
    "another key": (pair(key="b.pem"), "The key is not that of the certificate"),
    "empty": (pair("empty.pem"), "The file holds no certificate or key in PEM"),
    "DER": (pair("a.der"), "The file holds no certificate or key in PEM"),
    "glued": (pair("glued.pem", "a.pem"), "a line break is missing between them"),
    "no key": (pair(key="public.pem"), "That is no private key"),
    "wrong passphrase": (
        pair("locked.crt", "locked.key", "ssl_password_file @root@/wrong.password;"),
        "The passphrase of the key is wrong.",
    ),
    "no passphrase": (pair("locked.crt", "locked.key"), "ssl_password_file does not name it"),
    "short key": (pair("short.pem", "short.pem"), "The key is too short"),
    "SHA-1": (pair("sha1.pem", "sha1.pem"), "signed with SHA-1 or weaker"),
    "no certificate": (f"server {{ {LISTEN} }}", "A server listens with ssl and has no certificate."),
    "no semicolon": (plain("root /tmp"), ""),
    "unknown": (plain("rooot /tmp;"), "This nginx does not know the directive"),
    "duplicate": (plain("root /tmp; root /var;"), "The directive stands twice in one block."),
    "value": (pair(more="ssl_protocols TLSv1.4;"), "The value is none that this directive takes."),
    "cipher": (pair(more="ssl_ciphers NOTHING;"), "None of the ciphers is known to OpenSSL."),
    "two defaults": (
        "server { listen 127.0.0.1:@plain@ default_server; }" * 2,
        "Two servers are the default server",
    ),
    "listens twice": (plain("listen 127.0.0.1:@plain@;"), "A server listens twice"),
    "clients by nobody": (
        pair(more="ssl_verify_client on;"),
        "Clients are to be checked, but by no authority.",
    ),
    "cache": (
        "ssl_session_cache shared:SSL:1m; " + pair(more="ssl_session_cache shared:SSL:2m;"),
        "A cache of that name has another size elsewhere.",
    ),
    "upstream": (
        plain("location / { proxy_pass http://nowhere.invalid; }"),
        "The name of the service behind it cannot be resolved.",
    ),
    "include missing": ("include nothing.conf;", "The file is not there."),
    "dhparam missing": (pair(more="ssl_dhparam @root@/none;"), "The file is not there."),
}


def furnish(setup: Setup) -> Setup:
    """The files that the servers above name."""
    root = setup.box.root
    with_certificates(setup, "a", "b")
    both = (root / "a.pem").read_bytes()
    certificate = both.partition(b"-----BEGIN PRIVATE")[0]
    (root / "empty.pem").touch()
    (root / "glued.pem").write_bytes(certificate.rstrip() + both)
    (root / "locked.crt").write_bytes(certificate)
    (root / "locked.key").write_bytes(private_pem(generate(KeyType.ECDSA_P256), PASSPHRASE))
    (root / "wrong.password").write_text("not this\n")
    _openssl(root, "x509", "-in", "a.pem", "-outform", "DER", "-out", "a.der")
    _openssl(root, "x509", "-in", "a.pem", "-noout", "-pubkey", "-out", "public.pem")
    new = ("req", "-x509", "-nodes", "-subj", "/CN=x", "-newkey")
    _openssl(root, *new, "rsa:1024", "-keyout", "short.key", "-out", "short.crt")
    # The signature of a self-signed one is not looked at.
    _openssl(root, "req", "-new", "-nodes", "-subj", "/CN=x", "-keyout", "sha1.key", "-out", "sha1.csr")
    signed = ("-req", "-in", "sha1.csr", "-CA", "a.pem", "-CAkey", "a.pem", "-sha1", "-out", "sha1.crt")
    _openssl(root, "x509", *signed)
    for name in ("short", "sha1"):
        (root / f"{name}.pem").write_bytes(
            (root / f"{name}.crt").read_bytes() + (root / f"{name}.key").read_bytes()
        )
    return setup


def _openssl(root: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=root, check=True, capture_output=True, timeout=30)


@pytest.mark.parametrize("version", BOTH)
def test_each_failure_is_explained_by_both(tmp_path: Path, version: str) -> None:
    setup = furnish(Setup(tmp_path, version))
    head = setup.config.read_text().rstrip().removesuffix("}")
    unexplained = {}
    for name, (http, words) in CASES.items():
        setup.config.write_text(f"{head} {setup.text(http)} }}\n")
        status, said = setup.test()
        told = "\n".join(diagnosis.explained(said))
        if status == 0 or words not in told or not told:
            unexplained[name] = status, said
    assert not unexplained


# Before and after -------------------------------------------------------------------------------------------

SITE = "server { listen 127.0.0.1:@plain@; server_name api.example.org; location / { return 200 ok; } }"


def test_a_configuration_that_nginx_does_not_take_is_not_touched(tmp_path: Path) -> None:
    setup = Setup(tmp_path, http=f"    {SITE}\n    {plain('rooot /tmp;')}")
    before = setup.box.tree()
    refusal = setup.refusal()
    assert "nginx does not take its configuration as it is now, so nothing is changed." in refusal
    assert "nginx.conf, line 18: This nginx does not know the directive" in refusal
    assert "Mend that first." in refusal
    assert setup.box.tree() == before


@pytest.mark.parametrize("version", BOTH)
def test_what_nginx_does_not_take_afterwards_is_taken_back_to_the_byte(tmp_path: Path, version: str) -> None:
    # Nobody seems to have the port: the other default server is on the same address, spelled in another way.
    other = pair().replace(LISTEN, "listen 127.1:@tls@ ssl default_server;")
    ours = SITE.replace("@plain@;", "@plain@ default_server;")
    setup = with_certificates(Setup(tmp_path, version, f"    {ours}\n    {other}"), "a")
    before = setup.box.tree()
    with pytest.raises(WizardError) as error:
        transaction.apply(setup.plan(), setup.box.state)
    assert "Two servers are the default server of one address and port." in str(error.value)
    assert "The old state is back; nothing was changed." in str(error.value)
    assert setup.box.tree() == before


def test_a_server_that_nginx_would_leave_out_is_a_failure(tmp_path: Path) -> None:
    # nginx itself ends with 0 here, and serves one of the two alone.
    other = pair(more="server_name *.example.org;")
    ours = SITE.replace("api.example.org", ".example.org")
    setup = with_certificates(Setup(tmp_path, http=f"    {ours}\n    {other}"), "a")
    before = setup.box.tree()
    with pytest.raises(WizardError) as error:
        transaction.apply(setup.plan(site=".example.org"), setup.box.state)
    assert 'have the name "*.example.org": nginx leaves one out.' in str(error.value)
    assert setup.box.tree() == before


def test_a_server_that_was_left_out_before_is_no_news(tmp_path: Path) -> None:
    twice = plain("server_name b.example.org; return 204;")
    setup = Setup(tmp_path, http=f"    {SITE}\n    {twice} {twice}")
    with setup.running(), setup.secured():
        pass
