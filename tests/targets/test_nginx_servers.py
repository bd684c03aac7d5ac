"""What is understood of an nginx: its files, its servers and sockets, and the program itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.peers.nginx_host import BOTH
from tests.targets.hub_plans import HOST
from tests.targets.nginx_plans import NAME, Setup, program, with_certificates
from wizard.host import Service
from wizard.kinds import Raw
from wizard.material.certificates import read_certificates_pem
from wizard.sheet import fill_in
from wizard.targets.nginx import Nginx
from wizard.targets.nginx_server import install, servers, sites
from wizard.targets.nginx_server.servers import Servers

SITE = "server { listen 127.0.0.1:@plain@; server_name api.example.org; return 204; }"
ANOTHER = Service(
    pid=2**22 + 1,
    arguments=(),
    program="another",
    directory=None,
    user="root",
    started=datetime.now(UTC),
    listening=(),
)
"""A program that runs beside it; no process has that number."""


def read(folder: Path, http: str, **files: str) -> Servers:
    """What a configuration holds that is made of these texts."""
    main = folder / "nginx.conf"
    main.write_text(f"events {{}}\nhttp {{\n{http}\n}}\n")
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return servers.read(main)


# Files ------------------------------------------------------------------------------------------------------


def test_includes_begin_at_the_folder_of_the_main_file_and_patterns_are_in_order(tmp_path: Path) -> None:
    inner = "include parts/deep.conf; server { server_name second; }"
    found = read(
        tmp_path,
        "include conf/*.conf; include nothing/*.conf;",
        conf__b_conf=inner,
        conf__a_conf="server { server_name first; }",
        parts__deep_conf="server { server_name deep; }",
    )
    assert [server.name for server in found.all] == ["first", "deep", "second"]
    assert found.patterns == (f"{tmp_path}/conf/*.conf", f"{tmp_path}/nothing/*.conf")
    assert found.tree.loads(tmp_path / "nothing/new.conf")
    assert not found.tree.loads(tmp_path / "nothing/deeper/new.conf")


def test_what_has_changed_is_read_again_and_nothing_else(tmp_path: Path) -> None:
    found = read(tmp_path, "include conf/*.conf;", conf__a_conf="server { server_name first; }")
    assert servers.read(tmp_path / "nginx.conf") is found
    (tmp_path / "conf/b.conf").write_text("server { server_name second; }")
    again = servers.read(tmp_path / "nginx.conf")
    assert [server.name for server in again.all] == ["first", "second"]
    assert again.all[0].block.source is found.all[0].block.source
    (tmp_path / "conf/a.conf").unlink()
    assert [server.name for server in servers.read(tmp_path / "nginx.conf").all] == ["second"]


@pytest.mark.parametrize("version", BOTH)
def test_a_block_of_http_in_another_file_takes_a_new_server(tmp_path: Path, version: str) -> None:
    setup = Setup(tmp_path, version)
    text = setup.config.read_text()
    http = text[text.index("http {") :]
    (setup.box.root / "http.conf").write_text(http)
    setup.config.write_text(text.replace(http, "include http.conf;\n"))
    given: dict[str, Raw] = {
        "site": "new",
        "server_name": [NAME],
        "upstream": "127.0.0.1:9",
        "redirect": False,
    }
    plan = setup.plan(**given)
    assert plan.changes[-1].path == setup.box.root / "http.conf"


# Servers ----------------------------------------------------------------------------------------------------

SOCKETS = {
    "80": ["*:80"],
    "*:80": ["*:80"],
    "0.0.0.0:80": ["*:80"],
    "[::]:80": ["[::]:80"],
    "[::1]": ["[::1]:80"],
    "10.0.0.5": ["10.0.0.5:80"],
    "localhost:8080": ["localhost:8080"],
    "8000-8002": ["*:8000", "*:8001", "*:8002"],
    "unix:/run/x.sock": [],
}


@pytest.mark.parametrize("where", SOCKETS)
def test_where_a_server_listens(tmp_path: Path, where: str) -> None:
    (server,) = read(tmp_path, f"server {{ listen {where}; }}").all
    assert [f"{address}:{port}" for address, port in server.sockets] == SOCKETS[where]


def test_a_server_without_listen_has_port_80(tmp_path: Path) -> None:
    (server,) = read(tmp_path, "server { }").all
    assert (server.label, list(server.sockets)) == ("_:80", [("*", 80)])


def test_the_default_server_of_a_socket(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "server { listen 80; server_name a; } server { listen 80 default_server; listen 81; server_name b; }"
        "server { listen 81; server_name c; }",
    )
    assert [found.default(("*", port)).name for port in (80, 81)] == ["b", "b"]  # type: ignore[union-attr]  # there is one
    assert found.default(("*", 82)) is None
    assert [server.name for server in found.on_port(80)] == ["a", "b"]


REDIRECTS = {
    "return 301 https://$host$request_uri;": True,
    "location / { return 308 https://$host$request_uri; }": True,
    "rewrite ^ https://$host$request_uri permanent;": True,
    "if ($scheme = http) { return 301 https://$host; }": True,
    "if ($host = a) { return 301 https://$host$request_uri; } return 404;": True,
    "return 301 http://other.example.org;": False,
    "location /old { return 301 https://other.example.org; }": False,
    "return 204;": False,
}


@pytest.mark.parametrize("text", REDIRECTS)
def test_servers_that_only_redirect_are_known(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, f"server {{ listen 80; server_name a; {text} }}")
    assert found.all[0].redirects is REDIRECTS[text]
    assert list(found.by_key) == ([] if REDIRECTS[text] else ["a"])
    assert (found.redirecting_to(("a", "b"), 80) is found.all[0]) is REDIRECTS[text]
    assert found.redirecting_to(("b",), 80) is None


def test_servers_of_one_name_are_told_apart(tmp_path: Path) -> None:
    same = "server { server_name a; } " * 3 + "server { } " + "server { server_name ''; }"
    assert list(read(tmp_path, same).by_key) == ["a", "a#2", "a#3", "_", "_#2"]


def test_a_new_server_goes_where_this_host_has_them(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "include conf.d/*.conf; include sites-enabled/*.conf;",
        conf_d__x="",
        **{"sites-available__x": "", "sites-enabled__x": ""},
    )
    place = sites.place(found, "api")
    assert place is not None
    assert place.link is not None
    assert (place.file, place.link) == (
        tmp_path / "sites-available/api.conf",
        tmp_path / "sites-enabled/api.conf",
    )
    assert place.in_the_way is None
    place.link.write_text("another")
    assert place.in_the_way == place.link
    place.file.write_text("another")
    assert place.in_the_way == place.file


# What is told before ----------------------------------------------------------------------------------------


def test_a_new_server_is_no_other_that_has_its_name(tmp_path: Path) -> None:
    mine = "server { listen 127.0.0.1:@tls@ ssl; server_name api.example.org; "
    mine += "ssl_certificate @root@/a.pem; ssl_certificate_key @root@/a.pem; location / { return 204; } }"
    setup = with_certificates(Setup(tmp_path, http=f"    {mine}"), "a")
    given: dict[str, Raw] = {
        "site": "new",
        "server_name": [NAME],
        "upstream": "127.0.0.1:9",
        "redirect": False,
    }
    assert "api.example.org is served on port" in setup.sheet(**given)["https_port"].error
    # On another port it is a server of its own.
    plan = setup.plan(**given, directory=str(setup.box.root / "new"), https_port=setup.ports["third"])
    assert plan.changed


def test_a_name_that_is_served_on_the_port_is_told_for_one_that_is_there_too(tmp_path: Path) -> None:
    other = SITE.replace("@plain@", "@tls@")
    setup = Setup(tmp_path, http=f"    {SITE} {other}")
    assert "api.example.org is served on port" in setup.sheet()["https_port"].error


def test_a_redirect_from_a_port_on_which_the_name_is_served_is_told(tmp_path: Path) -> None:
    tls = "server { listen 127.0.0.1:@tls@ ssl; server_name api.example.org; "
    tls += "ssl_certificate @root@/a.pem; ssl_certificate_key @root@/a.pem; }"
    setup = with_certificates(Setup(tmp_path, http=f"    {SITE} {tls}"), "a")
    plain = setup.ports["plain"]
    entry = setup.sheet(site=f"{NAME}#2", http_port=plain)["http_port"]
    assert f"{NAME} is served on port {plain} already" in entry.error


def test_where_a_new_server_is_reached_alone_is_told(tmp_path: Path) -> None:
    setup = Setup(tmp_path, http=f"    {SITE}")
    given: dict[str, Raw] = {"site": "new", "server_name": ["n.example.org"], "upstream": "127.0.0.1:9"}
    entry = setup.sheet(**given, https_port=setup.ports["plain"])["https_port"]
    assert entry.caution == "nginx has this port on 127.0.0.1 alone, and so will this server."
    assert not setup.sheet(**given)["https_port"].caution


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("@plain@", "127.0.0.1:@tls@"), ("[::]:@plain@", "[::1]:@tls@"), ("[::]:@plain@ ipv6only=off", "@tls@")],
)
def test_a_port_of_which_nginx_has_a_part_is_told(tmp_path: Path, ours: str, theirs: str) -> None:
    both = f"server {{ listen {ours}; server_name api.example.org; }} server {{ listen {theirs}; }}"
    setup = Setup(tmp_path, http=both)
    assert "only when it is stopped and started" in setup.sheet(redirect=False)["https_port"].error


def test_what_stands_in_the_place_of_a_new_server_is_not_overwritten(tmp_path: Path) -> None:
    files = {"sites-available/.keep": "", "sites-enabled/.keep": ""}
    setup = Setup(tmp_path, http="    include sites-enabled/*;", files=files)
    port = setup.ports["tls"]
    (setup.box.root / f"sites-available/{NAME}-{port}").write_text("# mine\n")
    given: dict[str, Raw] = {
        "site": "new",
        "server_name": [NAME],
        "upstream": "127.0.0.1:9",
        "redirect": False,
    }
    assert "This file is there, and nginx does not load it" in setup.refusal(**given)


# The program ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "number"), [("debian", (1, 22, 1)), ("newer", (1, 31, 3))])
def test_the_nginx_that_runs_is_known(tmp_path: Path, version: str, number: tuple[int, int, int]) -> None:
    setup = Setup(tmp_path, version, SITE)
    with setup.running():
        found = install.find(setup.box.host(), setup.config)
        assert found is not None
        assert (found.program, found.version) == (program(version).resolve(), number)
        assert found.openssl >= (3, 0, 0)
        assert found.config == setup.config
        assert (found.tls, found.http2) == (True, True)
        assert found.service is not None
        assert found.reload.arguments[-2:] == ("-s", "reload")
        systemd = replace(found.service, restart=("systemctl", "restart", "nginx.service"))
        assert replace(found, service=systemd).reload.arguments == ("systemctl", "reload", "nginx.service")
    stopped = install.find(setup.box.host(), setup.config)
    assert stopped is not None
    assert stopped.service is None
    assert stopped.config == setup.config


def test_a_title_with_blanks_is_taken_apart() -> None:
    title = "nginx: master process /usr/sbin/nginx -c /etc/my conf/nginx.conf -p/srv/x -g daemon off;"
    service = replace(ANOTHER, arguments=tuple(title.split()), program="nginx")
    assert install._options(title.removeprefix("nginx: master process ")) == {
        "-c": "/etc/my conf/nginx.conf",
        "-p": "/srv/x",
        "-g": "daemon off;",
    }
    # One that has ended meanwhile is passed over.
    assert install._running(replace(HOST, services=(service,)), service) is None


# Ports of others --------------------------------------------------------------------------------------------


def test_a_port_of_another_nginx_is_taken(tmp_path: Path) -> None:
    setup, other = Setup(tmp_path / "ours", http=SITE), Setup(tmp_path / "other", http=SITE)
    with setup.running(), other.running():
        port = other.ports["plain"]
        alone = setup.box.host()
        both = replace(alone, services=(*alone.services, *other.box.host().services))
        given: dict[str, Raw] = {"config": str(setup.config), "site": NAME, "https_port": port}
        assert f"Port {port} is taken by nginx" in fill_in(Nginx, given, both)["https_port"].error
        # Its own is none of another.
        assert not fill_in(Nginx, {**given, "https_port": setup.ports["plain"]}, both)["https_port"].error


def test_the_port_that_is_offered_is_one_that_nobody_has(tmp_path: Path) -> None:
    setup = Setup(tmp_path, http=SITE)
    others = replace(ANOTHER, program="apache2", listening=(("0.0.0.0", 443), ("::", 8443)))
    host = replace(setup.box.host(), services=(*setup.box.host().services, others))
    offered = fill_in(Nginx, {"config": str(setup.config), "site": NAME}, host)["https_port"]
    assert not offered.error
    assert offered.text not in ("443", "8443")


def test_the_firewall_is_named_where_others_are_to_reach_it(tmp_path: Path) -> None:
    setup = Setup(tmp_path, http=SITE)

    def told(**given: Raw) -> list[str]:
        advice = setup.plan(redirect=False, **given).advice
        return [one.command for one in advice if one.text.startswith("If a firewall")]

    (command,) = told(site="new", server_name=["b.example.org"], upstream="127.0.0.1:9")
    assert str(setup.ports["tls"]) in command
    assert not told(), "it listens on 127.0.0.1 alone"


def test_a_port_that_nginx_has_for_streams_is_taken(tmp_path: Path) -> None:
    setup = Setup(tmp_path, http=SITE)
    with setup.config.open("a") as file:
        file.write(setup.text("stream { server { listen 127.0.0.1:@third@; proxy_pass 127.0.0.1:9; } }"))
    assert "is taken by nginx itself" in setup.sheet(https_port=setup.ports["third"])["https_port"].error


# The first screen -------------------------------------------------------------------------------------------


def test_what_is_there_is_said_on_the_first_screen(tmp_path: Path) -> None:
    tls = "server { listen 127.0.0.1:@tls@ ssl; server_name b.example.org; "
    proxied = "location / { proxy_pass http://127.0.0.1:9; }"
    http = f"    ssl_certificate @root@/a.pem; ssl_certificate_key @root@/a.pem; {SITE} {tls} {proxied} }}"
    http += "server { listen 127.0.0.1:@plain@; server_name b.example.org; return 301 https://$host; }"
    setup = with_certificates(Setup(tmp_path, http=http), "a")
    with setup.running():
        found = Nginx.find(setup.box.host())
    assert found.runs
    assert found.status == "runs here: 1.31.3, 3 servers, 1 with TLS, 29 days left"
    plain, secure = setup.ports["plain"], setup.ports["tls"]
    ends = read_certificates_pem((setup.config.parent / "a.pem").read_bytes())[0].not_valid_after_utc
    assert found.details == (
        str(setup.config),
        f"api.example.org on 127.0.0.1:{plain}: plain HTTP; nginx.conf",
        f"b.example.org on 127.0.0.1:{secure}: TLS until {ends:%Y-%m-%d}, to http://127.0.0.1:9; nginx.conf",
        f"b.example.org on 127.0.0.1:{plain}: redirects to https; nginx.conf",
    )


def test_a_configuration_that_cannot_be_read_is_said_there(tmp_path: Path) -> None:
    setup = Setup(tmp_path, http=SITE)
    with setup.running():
        setup.config.write_text("http {")
        (warning,) = Nginx.find(setup.box.host()).warnings
    assert "nginx.conf, line 1:" in warning.text


def test_without_listen_a_server_is_on_port_80(tmp_path: Path) -> None:
    setup = Setup(tmp_path, http=f"    server {{ server_name {NAME}; return 204; }}")
    plan = setup.plan()
    text = (plan.changes[-1].after or b"").decode()  # type: ignore[union-attr]  # it is a file
    assert f"listen {setup.ports['tls']} ssl" in text
    assert text.count("listen 80;") == 1
    # Without a redirect it goes on listening there.
    kept = (setup.plan(redirect=False).changes[-1].after or b"").decode()  # type: ignore[union-attr]  # the same
    assert kept.count("listen 80;") == 1
