"""Servers of a real nginx that speak TLS already, or share their port with others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.peers.nginx_host import BOTH
from tests.targets.nginx_plans import NAME, Setup, curl, texts, with_certificates
from wizard.targets.nginx import Nginx

PAIR = "ssl_certificate @root@/old.pem; ssl_certificate_key @root@/old.pem;"
LISTEN = "listen 127.0.0.1:@tls@ ssl; server_name api.example.org;"
REST = "location / { return 200 ok; }"

TLS = {
    "in the block": f"server {{ {LISTEN} {PAIR} {REST} }}",
    "several certificates": f"server {{ {LISTEN} {PAIR} {PAIR} ssl_protocols TLSv1.2; {REST} }}",
    "from http": f"{PAIR} server {{ {LISTEN} {REST} }}",
    "in an include": f"server {{ {LISTEN} include tls.inc; {REST} }}",
    "quoted": f"server {{ {LISTEN} {PAIR} {REST} }}".replace("@root@/old.pem", '"@root@/old.pem"'),
    "no name": f"server {{ listen 127.0.0.1:@tls@ ssl; {PAIR} {REST} }}",
    "plain as well": f"server {{ listen 127.0.0.1:@plain@; {LISTEN} {PAIR} {REST} }}",
    "protocols twice": f"server {{ {LISTEN} {PAIR} ssl_protocols TLSv1.1; ssl_protocols TLSv1.2; {REST} }}",
}


def setup_of(tmp_path: Path, http: str, version: str = "newer", **files: str) -> Setup:
    named = {name.replace("_", "."): text for name, text in files.items()}
    return with_certificates(Setup(tmp_path, version, f"    {http}", named), "old", "other")


@pytest.mark.parametrize(
    ("kind", "version"),
    [*((kind, "debian") for kind in TLS), ("in the block", "newer"), ("from http", "newer")],
)
def test_a_server_with_tls_gets_another_certificate(tmp_path: Path, kind: str, version: str) -> None:
    setup = setup_of(tmp_path, TLS[kind], version, tls_inc=PAIR)
    site = "_" if kind == "no name" else NAME
    names = {"alt_names": [NAME]} if kind == "no name" else {}
    with setup.running(), setup.secured(site=site, redirect=False, **names):
        where = setup.box.root / ("tls.inc" if kind == "in an include" else "nginx.conf")
        assert f"{setup.box.root}/tls/{site}/cert.pem" in where.read_text()
        assert ("old.pem" in where.read_text()) is (kind == "from http")  # others may need that


def test_plain_and_tls_in_one_block_are_parted_for_a_redirect(tmp_path: Path) -> None:
    setup = setup_of(tmp_path, TLS["plain as well"])
    with setup.running(), setup.secured():
        assert "308" in curl(f"http://{NAME}:{setup.ports['plain']}/").splitlines()[0]


def test_ssl_on_becomes_an_option_of_each_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    http = f"server {{ listen 127.0.0.1:@tls@; server_name api.example.org; ssl on; {PAIR} {REST} }}"
    setup = setup_of(tmp_path, http, "debian")
    with setup.running(), setup.secured(redirect=False):
        assert "ssl on" not in setup.config.read_text()
    # The newer one does not start with it, so that nothing is changed there.
    newer = setup_of(tmp_path / "newer", http)
    monkeypatch.setenv("PATH", f"{newer.box.program.parent}:{os.environ['PATH']}")
    assert "The directive ssl was taken away in 1.25.1" in newer.refusal(redirect=False)


def test_an_include_that_others_have_too_is_edited_and_they_are_named(tmp_path: Path) -> None:
    server = "server {{ listen 127.0.0.1:@tls@ ssl; server_name {}; include tls.inc; return 204; }}"
    http = "".join(map(server.format, (NAME, "b.example.org", "c.example.org")))
    setup = setup_of(tmp_path, http, tls_inc=PAIR)
    told = texts(setup.plan(redirect=False))
    assert "This file is included by other servers too" in told
    assert "b.example.org" in told
    assert "c.example.org" in told
    with setup.running(), setup.secured(redirect=False):
        assert "old.pem" not in (setup.box.root / "tls.inc").read_text()


# A shared port ----------------------------------------------------------------------------------------------


def test_others_on_a_plain_port_are_asked_for(tmp_path: Path) -> None:
    other = "server { listen 127.0.0.1:@tls@; server_name b.example.org; return 204; }"
    http = f"server {{ listen 127.0.0.1:@tls@; server_name api.example.org; {REST} }}\n{other}"
    setup = setup_of(tmp_path, http)
    entry = setup.sheet(redirect=False)["with_others"]
    assert entry.error.startswith("b.example.org:")
    assert "all of them would speak TLS only" in entry.error
    with setup.running(), setup.secured(redirect=False, with_others=True) as proof:
        assert "Clients accept it as b.example.org" in [one.title for one in proof.results]
        assert "204" in curl(f"https://b.example.org:{setup.ports['tls']}/")


@pytest.mark.parametrize("version", BOTH)
def test_the_same_port_goes_from_plain_to_tls(tmp_path: Path, version: str) -> None:
    http = f"server {{ listen 127.0.0.1:@tls@; server_name api.example.org; {REST} }}"
    setup = setup_of(tmp_path, http, version)
    tls = setup.ports["tls"]
    with setup.running(), setup.secured(redirect=False):
        said = curl(f"http://{NAME}:{tls}/a?b")
        assert "308" in said.splitlines()[0]
        assert f"https://{NAME}:{tls}/a?b" in said


def test_hsts_reaches_locations_with_headers_of_their_own(tmp_path: Path) -> None:
    inner = "location /own { add_header X-Own 1; return 200 ok; location /own/deep { add_header X-Deep 1; } }"
    http = f"server {{ {LISTEN} {PAIR} add_header X-All 1; {inner} {REST} }}"
    setup = setup_of(tmp_path, http)
    with setup.running(), setup.secured(redirect=False, hsts=True):
        for path in ("/", "/own", "/own/deep/nothing"):
            said = curl(f"https://{NAME}:{setup.ports['tls']}{path}")
            assert "Strict-Transport-Security: max-age=63072000" in said, path


def test_what_certbot_asks_for_is_still_answered_without_tls(tmp_path: Path) -> None:
    acme = "root @root@/acme; location ^~ /.well-known/acme-challenge/ { default_type text/plain; }"
    http = f"server {{ listen 127.0.0.1:@plain@; server_name api.example.org; {acme} {REST} }}"
    setup = setup_of(tmp_path, http)
    token = setup.box.root / "acme/.well-known/acme-challenge/token"
    token.parent.mkdir(parents=True)
    token.write_text("the token")
    with setup.running(), setup.secured():
        url = f"http://{NAME}:{setup.ports['plain']}"
        assert "the token" in curl(f"{url}/.well-known/acme-challenge/token")
        assert "308" in curl(f"{url}/other").splitlines()[0]


# What is left alone -----------------------------------------------------------------------------------------

REFUSED = {
    "certbot's": (
        f"server {{ {LISTEN} {PAIR} # managed by Certbot\n {REST} }}",
        "Certbot looks after the certificate of this server",
    ),
    "a variable": (
        f"server {{ {LISTEN} {PAIR} {REST} }}".replace("old.pem", "$ssl_server_name.pem"),
        "Its certificate is chosen anew for each connection",
    ),
    "proxy protocol": (
        f"server {{ listen 127.0.0.1:@tls@ ssl proxy_protocol; server_name api.example.org; {PAIR} {REST} }}",
        "PROXY protocol",
    ),
    "ends handshakes": (
        f"server {{ {LISTEN} {PAIR} ssl_reject_handshake on; {REST} }}",
        "It ends every handshake (ssl_reject_handshake).",
    ),
    "only Unix": (
        f"server {{ listen unix:@root@/s; server_name api.example.org; {REST} }}",
        "a socket of Unix only",
    ),
    "listens in an include": (
        f"server {{ include listen.inc; server_name api.example.org; {REST} }}",
        "has its listen lines from this file",
    ),
    "a template": (
        "server { listen {{ port }}; server_name api.example.org; }",
        "It is a template with placeholders",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_edited_with_certainty_is_refused(tmp_path: Path, kind: str) -> None:
    http, words = REFUSED[kind]
    setup = setup_of(tmp_path, http, listen_inc="listen 127.0.0.1:@plain@;")
    before = setup.box.tree()
    # Only the listen lines are in the way of a redirect; else it does not matter who has port 80.
    assert words in setup.refusal(redirect=kind == "listens in an include")
    assert setup.box.tree() == before


def test_lua_is_passed_over(tmp_path: Path) -> None:
    lua = "content_by_lua_block { local a = '}' -- { }\n ngx.say([[ } ]]) }"
    http = f"server {{ {LISTEN} {PAIR} location /lua {{ {lua} }} {REST} }}"
    setup = setup_of(tmp_path, http)
    # None of the two programs has Lua: each says so, and nothing is changed.
    assert 'unknown directive "content_by_lua_block"' in setup.refusal(redirect=False)
    assert setup.sheet(redirect=False).answers is not None


LUA = {
    "answers": f"{PAIR} location /.well-known/acme-challenge/ {{ content_by_lua_block {{ x() }} }}",
    "certificates": f"{PAIR} ssl_certificate_by_lua_block {{ x() }}",
}


@pytest.mark.parametrize("kind", LUA)
def test_what_lua_does_for_certificates_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    # As on a host whose nginx has Lua.
    monkeypatch.setattr(Nginx, "_conflicts_now", lambda *_: frozenset())
    http = f"server {{ {LISTEN} listen 127.0.0.1:@plain@; {LUA[kind]} {REST} }}"
    words = {"answers": "is answered by Lua, which is not copied", "certificates": "is chosen anew for each"}
    assert words[kind] in setup_of(tmp_path, http).refusal()


def test_lines_of_certbot_stay_as_they_are(tmp_path: Path) -> None:
    http = f"server {{ {LISTEN} {PAIR}\n ssl_protocols TLSv1.2; # managed by Certbot\n {REST} }}"
    setup = setup_of(tmp_path, http)
    plan = setup.plan(redirect=False)
    assert "Certbot looks after this line (ssl_protocols), so it stays as it is." in texts(plan)


def test_a_default_server_that_ends_handshakes_leaves_the_others_in_need_of_certificates(
    tmp_path: Path,
) -> None:
    default = "server { listen 127.0.0.1:@tls@ default_server; ssl_reject_handshake on; return 444; }"
    other = "server { listen 127.0.0.1:@tls@; server_name b.example.org; return 204; }"
    ours = f"server {{ listen 127.0.0.1:@tls@; server_name api.example.org; {REST} }}"
    setup = setup_of(tmp_path, f"{default} {other} {ours}")
    with setup.running(), setup.secured(redirect=False, with_others=True):
        assert "204" in curl(f"https://b.example.org:{setup.ports['tls']}/").splitlines()[0]
        assert "curl:" in curl(f"https://c.example.org:{setup.ports['tls']}/")
