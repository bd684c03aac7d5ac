"""Configurations of any shape: what the wizard writes, a real nginx takes; once is enough; it is undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.targets.nginx_plans import Setup, with_certificates
from wizard import review, transaction
from wizard.errors import Refusal
from wizard.kinds import Raw
from wizard.sheet import fill_in
from wizard.targets.nginx import Nginx

LISTENS = (
    *("@plain@", "127.0.0.1:@plain@", "[::]:@plain@", "@plain@ default_server", "127.0.0.1:@third@"),
    *("@tls@ ssl", "127.0.0.1:@tls@ ssl", "[::]:@tls@ ssl", "@tls@ ssl default_server", "@tls@"),
    *("unix:@root@/socket", "[::]:@plain@ ipv6only=off"),
)
NAMES = ("a.example.org", "b.example.org", "*.example.net", "~^c", '""')
CERTIFICATE = "ssl_certificate @root@/a.pem; ssl_certificate_key @root@/a.pem;"
LINES = (
    *(CERTIFICATE, "include tls.inc;", "ssl_protocols TLSv1.2;", "ssl_protocols TLSv1 TLSv1.1;"),
    *("ssl_ciphers HIGH;", "add_header X-A 1;", "location /x { add_header X-B 1; return 204; }"),
    *("return 301 https://$host$request_uri;", "location / { return 200; }", "ssl_reject_handshake on;"),
    *("location /.well-known/acme-challenge/ { root /tmp; }", "ssl_verify_client optional_no_ca;"),
    *(
        "ssl_session_cache shared:SSL:1m;",
        "gzip off; # x",
        "if ($scheme = http) { return 301 https://$host; }",
    ),
)


@st.composite
def servers(draw: st.DrawFn) -> str:
    """The text of one server, of which nginx may not take everything."""
    listens = draw(st.lists(st.sampled_from(LISTENS), max_size=3, unique=True))
    names = draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True))
    lines = [f"listen {listen};" for listen in listens or ["@plain@"]]
    lines += [f"server_name {' '.join(names)};"] if names else []
    lines += draw(st.lists(st.sampled_from(LINES), max_size=4, unique=True))
    gap = draw(st.sampled_from(["\n    ", " ", "\r\n\t"]))
    return f"server {{{gap}{gap.join(draw(st.permutations(lines)))}{gap}}}"


TEXTS = st.builds(
    lambda http, all_of_them: "\n".join((http, *all_of_them)),
    st.sampled_from(["", CERTIFICATE, "ssl_protocols TLSv1 TLSv1.2;", "http2 on;", "add_header X-H 1;"]),
    st.lists(servers(), min_size=1, max_size=4),
)
GIVEN: st.SearchStrategy[dict[str, Raw]] = st.fixed_dictionaries(
    {
        "redirect": st.booleans(),
        "hsts": st.booleans(),
        "protect_key": st.just(False),
        "client_ca": st.sampled_from(["none", "none", "own"]),
        "clients": st.just(["alice"]),
        "protect": st.just(False),
        "with_others": st.booleans(),
    }
)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(
    TEXTS,
    GIVEN,
    st.integers(0, 4),
    st.sampled_from(["tls", "plain", "third"]),
    st.sampled_from(["debian", "newer"]),
    st.sampled_from(["intermediate", "modern"]),
)
def test_what_is_written_is_taken_by_nginx_and_taken_back(  # noqa: PLR0917 -- each is generated
    home: Path, text: str, given: dict[str, Raw], which: int, port: str, version: str, profile: str
) -> None:
    with TemporaryDirectory(dir=home) as folder, pytest.MonkeyPatch.context() as patch:
        setup = with_certificates(Setup(Path(folder), version, text, {"tls.inc": CERTIFICATE}), "a")
        patch.setenv("PATH", f"{setup.box.program.parent}:/usr/sbin:/usr/bin:/bin")
        assume(setup.test()[0] == 0)
        host = setup.box.host()
        answers: dict[str, Raw] = {"config": str(setup.config), "source": "self-signed", **given}
        sites = [value for value, _ in fill_in(Nginx, answers, host)["site"].question.kind.options]  # type: ignore[attr-defined]  # it is a choice
        site = sites[which % len(sites)]
        answers |= {"site": site, "alt_names": ["a.example.org"], "profile": profile}
        answers |= {"server_name": ["n.example.org"], "upstream": "127.0.0.1:9"} if site == "new" else {}
        if not fill_in(Nginx, answers, host)["https_port"].error:
            answers["https_port"] = setup.ports[port]
        filled = fill_in(Nginx, answers, host)
        if filled.answers is None:
            assert all(entry.error and not entry.missing for entry in filled.wrong[:1]), filled.wrong
            return
        before = setup.box.tree()
        try:
            plan = review.prepared(filled.answers, host)
        except Refusal as refusal:
            assert refusal.reason
            return
        done = transaction.apply(plan, setup.box.state)
        again = fill_in(Nginx, answers, host)
        assert again.answers is not None, again.wrong
        changes = review.prepared(again.answers, host).changes
        assert not changes
        transaction.undo(done, setup.box.state)
        assert setup.box.tree() == before
