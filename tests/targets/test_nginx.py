"""Servers of a real nginx: each kind is secured in place, or a new one made, then proven and undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.nginx_host import BOTH, service
from tests.targets.nginx_plans import NAME, Setup, curl, with_certificates
from wizard.kinds import Raw


@pytest.fixture(scope="module")
def up() -> Iterator[int]:
    with service() as port:
        yield port


# A new one --------------------------------------------------------------------------------------------------

LAYOUTS = {
    "sites": ("include sites-enabled/*;", {"sites-available/old": "", "sites-enabled/.keep": ""}),
    "conf.d": ("include @root@/conf.d/*.conf;", {"conf.d/README": "nothing of nginx"}),
    "single": ("", {}),
}
PLACES = {"sites": "sites-available/{}", "conf.d": "conf.d/{}.conf", "single": "nginx.conf"}


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_new_server_is_put_before_a_service(tmp_path: Path, up: int, layout: str, version: str) -> None:
    http, files = LAYOUTS[layout]
    setup = Setup(tmp_path, version, http, files, up)
    given: dict[str, Raw] = {
        "site": "new",
        "server_name": [NAME, "*.example.net"],
        "upstream": f"127.0.0.1:{up}",
        "http_port": setup.ports["plain"],
    }
    tls = setup.ports["tls"]
    with setup.running(), setup.secured(**given):
        written = setup.box.root / PLACES[layout].format(f"{NAME}-{tls}")
        assert f"proxy_pass http://127.0.0.1:{up};" in written.read_text()
        if layout == "sites":
            assert (setup.box.root / f"sites-enabled/{NAME}-{tls}").readlink() == written
        said = curl(f"https://{NAME}:{tls}/kept?a=b", posted=b"x" * 2_000_000)
        assert '"length": 2000000' in said
        assert '"path": "/kept?a=b"' in said
        for header in (f'"host": "{NAME}:{tls}"', '"x-real-ip": "127.0.0.1"', '"x-forwarded-proto": "https"'):
            assert header in said
        assert "HTTP/2 200" in said
        # Other answers change the server that was made, and make no second one.
        changed = setup.plan(**{**given, "profile": "modern", "hsts": True})
        assert [change.path for change in changed.changes] == [written]
        assert "was made before" not in "".join(warning.text for warning in changed.warnings)
        # So does another service behind it, which takes the place of the first: that is told.
        moved = setup.plan(**{**given, "upstream": "127.0.0.1:1"})
        (told,) = (warning.text for warning in moved.warnings if "was made before" in warning.text)
        assert f"passes requests on to http://127.0.0.1:{up} so far, then to 127.0.0.1:1" in told


def test_a_new_server_takes_the_addresses_on_which_nginx_has_the_port(tmp_path: Path, up: int) -> None:
    # A second socket for all addresses could not be bound while the first is open.
    http = """
    server { listen 127.0.0.1:@plain@; server_name a.example.org; return 204; }
    server {
        listen 127.0.0.1:@tls@ ssl; server_name a.example.org;
        ssl_certificate @root@/a.pem; ssl_certificate_key @root@/a.pem;
    }
    """
    setup = with_certificates(Setup(tmp_path, http=http, up=up), "a")
    given: dict[str, Raw] = {
        "site": "new",
        "server_name": [NAME],
        "upstream": f"127.0.0.1:{up}",
        "http_port": setup.ports["plain"],
    }
    with setup.running(), setup.secured(**given):
        assert f"listen 127.0.0.1:{setup.ports['tls']} ssl" in setup.config.read_text()


# One that is there, without TLS -----------------------------------------------------------------------------

OK = "location / { return 200 ok; }"
PLAIN = {
    "proxied": "listen 127.0.0.1:@plain@; location / { proxy_pass http://127.0.0.1:@up@; }",
    "several listens": f"listen 127.0.0.1:@plain@; listen 127.0.0.1:@third@; {OK}",
    "IPv6": f"listen @plain@ default_server; listen [::]:@plain@ default_server; {OK}",
    "IPv6 for both": f"listen [::]:@plain@ ipv6only=off; {OK}",
    "port alone": f"listen @plain@; server_name .example.net ~^api(\\d+)$; {OK}",
    "Unix too": f"listen unix:@root@/socket; listen 127.0.0.1:@plain@; {OK}",
    "on one line": "listen 127.0.0.1:@plain@;location /{return 200 ok;}",
}


@pytest.mark.parametrize(("version", "redirect"), [("debian", True), ("newer", True), ("newer", False)])
@pytest.mark.parametrize("kind", PLAIN)
def test_a_plain_server_is_secured(tmp_path: Path, up: int, kind: str, redirect: bool, version: str) -> None:
    setup = Setup(tmp_path, version, f"    server {{ server_name api.example.org; {PLAIN[kind]} }}", up=up)
    with setup.running(), setup.secured(redirect=redirect):
        without_tls = curl(f"http://{NAME}:{setup.ports['plain']}/")
        assert ("308" if redirect else "200") in without_tls.splitlines()[0]
