"""What a run does not do to the other servers of an nginx, and what the next one does not take over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.targets.nginx_plans import NAME, Setup, with_certificates
from wizard.plan import File
from wizard.targets.nginx import Nginx
from wizard.targets.nginx_server import install

OLD = "server { listen 127.0.0.1:@plain@; server_name old.example.org; return 200 old; }\n"
FILES = {"conf.d/old.conf": OLD}


def written(setup: Setup, **given: str | int | list[str]) -> File:
    """The file of a new server."""
    plan = setup.plan(
        site="new", server_name=["aaa.example.org"], upstream="127.0.0.1:9", **given, source="self-signed"
    )
    (made,) = (c for c in plan.changes if isinstance(c, File) and c.about == "the new server")
    return made


def test_the_default_server_of_a_port_stays_what_it_is(tmp_path: Path) -> None:
    """nginx takes the first that it reads, and aaa would be read before old."""
    setup = Setup(tmp_path, http="    include conf.d/*.conf;", files=FILES)
    made = written(setup, http_port=setup.ports["plain"])
    assert made.path.name == f"zz-aaa.example.org-{setup.ports['tls']}.conf"


def test_one_that_is_marked_needs_no_help(tmp_path: Path) -> None:
    marked = {"conf.d/old.conf": OLD.replace(";", " default_server;", 1)}
    setup = Setup(tmp_path, http="    include conf.d/*.conf;", files=marked)
    assert written(setup, http_port=setup.ports["plain"]).path.name.startswith("aaa.")


def test_where_that_cannot_be_helped_it_is_said(tmp_path: Path) -> None:
    files = {"conf.d/README": "", "sites-enabled/old": OLD}
    setup = Setup(tmp_path, http="    include conf.d/*.conf;\n    include sites-enabled/*;", files=files)
    plan = setup.plan(
        site="new",
        server_name=["aaa.example.org"],
        upstream="127.0.0.1:9",
        http_port=setup.ports["plain"],
        source="self-signed",
    )
    said = "\n".join(warning.text for warning in plan.warnings)
    assert "are answered by old.example.org" in said
    assert "default_server" in said


@pytest.mark.skipif(not install.kernel_has_ipv6(), reason="the kernel has no IPv6")
def test_it_answers_by_ipv6_where_another_one_would(tmp_path: Path) -> None:
    """A server for all of IPv4 beside one that has the port by IPv6 too: its clients would get the other."""
    other = "server { listen @tls@ ssl; listen [::]:@tls@ ssl; server_name other.example.org; "
    other += "ssl_certificate @root@/a.pem; ssl_certificate_key @root@/a.pem; return 200; }"
    plain = f"server {{ listen @plain@; server_name {NAME}; return 200 ours; }}"
    setup = with_certificates(Setup(tmp_path, http=f"{other}\n{plain}"), "a")
    (edited,) = (c for c in setup.plan().changes if isinstance(c, File) and c.path == setup.config)
    assert f"listen [::]:{setup.ports['tls']} ssl" in (edited.after or b"").decode().rpartition(NAME)[0]


def test_a_folder_that_another_server_has_its_certificate_from_is_refused(tmp_path: Path) -> None:
    tls = "server { listen 127.0.0.1:@tls@ ssl; server_name old.example.org; ssl_certificate "
    tls += "@root@/tls/old/cert.pem; ssl_certificate_key @root@/tls/old/key.pem; return 200; }"
    plain = f"server {{ listen 127.0.0.1:@plain@; server_name {NAME}; return 200; }}"
    setup = Setup(tmp_path, http=f"{tls}\n{plain}")
    sheet = setup.sheet(directory=str(setup.box.root / "tls" / "old"), https_port=setup.ports["third"])
    assert "old.example.org" in sheet["directory"].error
    assert "would be exchanged" in sheet["directory"].error


def test_what_was_answered_for_one_server_is_not_answered_for_the_next() -> None:
    assert Nginx.after_run({"site": "a.example.org", "directory": "/etc/nginx/tls/a"}) == {}
