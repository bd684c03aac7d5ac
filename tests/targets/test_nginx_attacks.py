"""An nginx attacked: odd names and paths, broken trees, nonsense for answers, kills, drift."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.targets.nginx_plans import NAME, Setup, curl, with_certificates
from wizard import preview, transaction
from wizard.errors import Drifted, WizardError
from wizard.inert import inert_lines
from wizard.kinds import Raw
from wizard.secret import Secret
from wizard.sheet import fill_in
from wizard.targets.nginx import Nginx

SITE = "server { listen 127.0.0.1:@plain@; server_name api.example.org; location / { return 200 ok; } }"

# Names and paths --------------------------------------------------------------------------------------------

NAMES = {
    "a regular expression": ("~^(?<sub>.+)\\.example\\.org$", "~^(?<sub>.+)\\.example\\.org$"),
    "quoted": ('"~^[a-z]{2,}\\.example\\.org$"', "~^[a-z]{2,}\\.example\\.org$"),
    "a wildcard": ("*.example.org", "*.example.org"),
    "with a dot before it": (".example.org", ".example.org"),
    "an end left open": ("www.example.*", "www.example.*"),
    "blanks and quotes": ("'~^a b\"c'", '~^a b"c'),
    "markup": ('"[bold]x[/bold]"', "[bold]x[/bold]"),
    "not ASCII": ("zürich.example.org", "zürich.example.org"),
    "none": ('""', "_"),
    "a slash": ("../../etc/passwd", "../../etc/passwd"),
}


@pytest.mark.parametrize("kind", NAMES)
def test_servers_of_odd_names_are_secured(tmp_path: Path, kind: str) -> None:
    written, site = NAMES[kind]
    setup = Setup(tmp_path, http=f"    {SITE.replace(NAME, written)}")
    given: dict[str, Raw] = {"site": site, "alt_names": [NAME, "127.0.0.1"]}
    folder = setup.filled(**given).directory
    assert folder.parent == setup.box.root / "tls"
    assert not folder.name.startswith(".")
    with setup.running(), setup.secured(**given):
        assert curl(f"https://{NAME}:{setup.ports['tls']}/").splitlines()[0].split()[1] == "200"


def test_a_path_with_blanks_quotes_and_braces_is_written_so_that_nginx_reads_it(tmp_path: Path) -> None:
    setup = Setup(tmp_path, http=f"    {SITE}")
    with setup.running(), setup.secured(directory=f"""{setup.box.root}/a "b" 'c' {{d}}; #e \\ü"""):
        pass
    assert "takes a $ in a path for a variable" in setup.refusal(directory=f"{setup.box.root}/$host")


def test_a_folder_of_the_configuration_with_a_blank_is_no_hindrance(tmp_path: Path) -> None:
    setup = Setup(tmp_path / "with a blank", http=f"    {SITE}")
    with setup.running(), setup.secured():
        assert f'ssl_certificate "{setup.folder}/cert.pem";' in setup.config.read_text()


def test_control_characters_reach_no_screen(tmp_path: Path) -> None:
    evil = '"a\x1b[31m\u202eb.example.org"'
    setup = Setup(tmp_path, http=f"    {SITE} {SITE.replace(NAME, evil)} # \x1b]0;title\x07")
    sheet = setup.sheet()
    shown = [entry.error + entry.caution for entry in sheet.entries]
    labels = [label for _, label in sheet["site"].question.kind.options]  # type: ignore[attr-defined]  # a choice
    key = "a\\x1b[31m\\u202eb.example.org"
    assert setup.filled(site=key).server is not None
    for text in (*shown, *labels, preview.text(setup.plan()), str(Nginx.find(setup.box.host()))):
        assert inert_lines(text) == text, text


# Trees ------------------------------------------------------------------------------------------------------


def broken(setup: Setup, what: str) -> None:
    root = setup.box.root
    match what:
        case "a circle":
            (root / "extra.inc").write_text("include extra.inc;")
        case "a folder":
            (root / "extra.inc").mkdir()
        case "a link in a circle":
            (root / "extra.inc").symlink_to(root / "other.inc")
            (root / "other.inc").symlink_to(root / "extra.inc")
        case "a link to nowhere":
            (root / "extra.inc").symlink_to(root / "nowhere")
        case "a pipe":
            os.mkfifo(root / "extra.inc")
        case "a device":
            (root / "extra.inc").symlink_to("/dev/zero")
        case "not UTF-8":
            (root / "extra.inc").write_bytes(b"server { listen \xff\xfe; \xa0 }")
        case "a byte order mark":
            (root / "extra.inc").write_bytes(b"\xef\xbb\xbfserver { listen 127.0.0.1:1; }")
        case "too deep":
            (root / "extra.inc").write_text("server { location / { " * 200)
        case "missing":
            pass


TREES = [
    *("a circle", "a folder", "a link in a circle", "a link to nowhere", "a pipe", "a device"),
    *("not UTF-8", "a byte order mark", "too deep", "missing"),
]


@pytest.mark.parametrize("what", TREES)
def test_a_broken_tree_is_refused_in_a_sentence(tmp_path: Path, what: str) -> None:
    setup = Setup(tmp_path, http=f"    include extra.inc; {SITE}")
    broken(setup, what)
    before = time.monotonic()
    refusal = setup.refusal()
    assert "extra.inc" in refusal
    assert time.monotonic() - before < 2
    assert Nginx.find(setup.box.host()) is not None


def test_an_include_with_a_pattern_takes_no_folder_for_a_file(tmp_path: Path) -> None:
    setup = Setup(tmp_path, http=f"    include conf.d/*; {SITE}", files={"conf.d/folder/x": "nothing"})
    assert "conf.d/folder" in setup.refusal()
    assert setup.test()[0] != 0


def test_a_file_that_is_included_twice_is_edited_once(tmp_path: Path) -> None:
    http = "    include site.inc;\n    include site.inc;"
    site = "server { listen 127.0.0.1:@plain@; include names.inc; return 204; }"
    setup = Setup(tmp_path, http=http, files={"site.inc": site, "names.inc": "server_name api.example.org;"})
    plan = setup.plan(redirect=False)
    assert len({change.path for change in plan.changes}) == len(plan.changes)


def test_links_are_followed_and_stay_links(tmp_path: Path) -> None:
    setup = Setup(tmp_path, http="    include sites-enabled/*;", files={"sites-available/api": SITE})
    (setup.box.root / "sites-enabled").mkdir()
    (setup.box.root / "sites-enabled/api").symlink_to("../sites-available/api")
    with setup.running(), setup.secured():
        assert (setup.box.root / "sites-enabled/api").is_symlink()
        assert "ssl_certificate" in (setup.box.root / "sites-available/api").read_text()


@pytest.mark.parametrize("text", ["", "events {}", "stream { server { listen 1; } }", "# nothing\n", "http"])
def test_what_is_no_main_file_is_told(tmp_path: Path, text: str) -> None:
    setup = Setup(tmp_path, http=SITE)
    setup.config.write_text(text)
    assert str(setup.config) in setup.refusal()


# Answers ----------------------------------------------------------------------------------------------------

_WORDS = (
    "new own file none yes no existing request private-ca self-signed keep modern api.example.org "
    "b.example.org u 443 0 70000 -1 127.0.0.1:80 [::1]:80 ::1 / /dev/null /proc/1/mem ~ "
    "~nobody-there *.* _ $x"
)
_TEXTS = st.text(max_size=30) | st.sampled_from(
    ["", "a b", "-----BEGIN CERTIFICATE-----", "\x00", "\udcff", *_WORDS.split()]
)
_ANSWERS: st.SearchStrategy[Raw] = st.one_of(
    _TEXTS,
    st.booleans(),
    st.integers(-5, 70000),
    st.lists(_TEXTS, max_size=3),
    st.builds(Secret, st.text(max_size=20)),
)
_NAMES = [question.name for question in Nginx.questions()]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    other = "server { listen 127.0.0.1:@tls@ ssl; server_name b.example.org; ssl_certificate @root@/b.pem; "
    other += (
        "ssl_certificate_key @root@/b.pem; ssl_verify_client optional; ssl_client_certificate @root@/b.pem; }"
    )
    beside = "server { listen unix:@root@/s; server_name u; } "
    beside += "server { listen [::1]:@third@-65535; listen nonsense:x; }"
    yield with_certificates(Setup(tmp_path_factory.mktemp("odd"), http=f"{SITE} {other} {beside}"), "b")


@given(st.dictionaries(st.sampled_from(_NAMES), _ANSWERS, max_size=12), st.booleans())
@settings(max_examples=80, suppress_health_check=list(HealthCheck))
def test_nonsense_for_answers_is_told_in_a_sentence(odd: Setup, given: dict[str, Raw], known: bool) -> None:
    host = odd.box.host()
    answers: dict[str, Raw] = {"config": str(odd.config), **given} if known else dict(given)
    sheet = fill_in(Nginx, answers, host)
    for entry in sheet.wrong:
        assert entry.error.strip()
        assert "Traceback" not in entry.error
    if sheet.answers is not None:
        with pytest.MonkeyPatch.context() as patch:
            # What nginx says of it is another matter.
            patch.setattr(Nginx, "_conflicts_now", lambda *_: frozenset())
            try:
                preview.text(sheet.answers.plan(host))
            except (WizardError, OSError) as error:
                assert str(error)


@given(st.sampled_from(_NAMES), _ANSWERS)
@settings(max_examples=80, suppress_health_check=list(HealthCheck))
def test_one_wrong_answer_among_right_ones_is_told_in_a_sentence(odd: Setup, name: str, raw: Raw) -> None:
    right: dict[str, Raw] = {
        "config": str(odd.config),
        "site": NAME,
        "https_port": 9443,
        "source": "self-signed",
    }
    sheet = fill_in(Nginx, {**right, name: raw}, odd.box.host())
    for entry in sheet.wrong:
        assert entry.error.strip()


# Runs -------------------------------------------------------------------------------------------------------


def test_what_changes_between_preview_and_apply_is_not_overwritten(tmp_path: Path) -> None:
    setup = Setup(tmp_path, http=f"    {SITE}")
    plan = setup.plan()
    setup.config.write_text(setup.config.read_text() + "# mine\n")
    before = setup.box.tree()
    with pytest.raises(Drifted, match="has changed since the preview"):
        transaction.apply(plan, setup.box.state)
    assert setup.box.tree() == before
    # What is read again for the next plan is the new text.
    assert setup.plan().changed


def test_a_kill_in_the_middle_leaves_nothing_half_done(tmp_path: Path) -> None:
    setup = Setup(tmp_path, http=f"    {SITE}")
    before = setup.box.tree()
    with setup.running():
        for step in range(1, len(setup.plan().changes) + 1):
            plan = setup.plan()
            if (child := os.fork()) == 0:
                with suppress(BaseException):
                    transaction.apply(plan, setup.box.state, partial(_killed_at, step))
                os._exit(1)  # it was to be killed
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
            assert transaction.interrupted(setup.box.state) is not None
            assert transaction.recover(setup.box.state) is not None
            assert setup.box.tree() == before
        with setup.secured():
            pass


def _killed_at(step: int, progress: transaction.Progress) -> None:
    if progress.done == step:
        os.kill(os.getpid(), signal.SIGKILL)


# Rights -----------------------------------------------------------------------------------------------------


def as_nobody(setup: Setup) -> dict[str, str]:
    """What is wrong with the answers, by question, when they are given by an account that owns nothing."""
    host = replace(setup.box.host(), root=False, user="nobody")
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        said: object = "an exception"
        with suppress(BaseException):  # it must not come back as a second run of the tests
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            sheet = fill_in(Nginx, {"config": str(setup.config), "site": NAME}, host)
            said = {entry.question.name: entry.error for entry in sheet.wrong}
        os.write(writer, json.dumps(said).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = json.loads(pipe.read())
    os.waitpid(child, 0)
    assert isinstance(answer, dict), answer
    return answer


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes nobody")
def test_without_rights_the_way_out_is_told() -> None:
    with TemporaryDirectory() as folder:
        setup = Setup(Path(folder), http=f"    include secret.inc; {SITE}", files={"secret.inc": ""})
        setup.sheet()  # what is imported when it is needed
        Path(folder).chmod(0o700)
        said = as_nobody(setup)["config"]
        assert f"{setup.config} cannot be read." in said
        assert "sudo" in said
        Path(folder).chmod(0o755)
        said = as_nobody(setup)["config"]
        assert "nobody may not write in" in said
        assert "sudo" in said
        setup.box.root.chmod(0o777)
        (setup.box.root / "secret.inc").write_text("# not read yet\n")
        (setup.box.root / "secret.inc").chmod(0o600)
        said = as_nobody(setup)["config"]
        assert "secret.inc cannot be read." in said
        assert "sudo" in said


# Directives that lack something -----------------------------------------------------------------------------

_LACKING = (
    *(
        "proxy_pass",
        "listen",
        "server_name",
        "ssl_certificate",
        "ssl_certificate_key",
        "ssl",
        "return",
        "root",
    ),
    *("location", "include", "ssl_protocols", "ssl_verify_client", "ssl_client_certificate", "add_header"),
    *("ssl_reject_handshake", "http2", "error_log", "if", "rewrite", "ssl_password_file"),
)


@pytest.mark.parametrize("name", _LACKING)
def test_a_directive_without_arguments_is_no_mistake_of_ours(tmp_path: Path, name: str) -> None:
    end = "{ }" if name in ("location", "if") else ";"
    inner = f"location / {{ {name}; }}" if name == "proxy_pass" else f"{name} {end}"
    http = f"    {name} {end} server {{ listen 127.0.0.1:@tls@ ssl; server_name api.example.org; {inner} }}"
    setup = Setup(tmp_path, http=http)
    with setup.config.open("a") as file:
        file.write(f"{name} {end} stream {{ server {{ {name} {end} }} }}")
    assert setup.refusal(redirect=False)
    assert Nginx.find(setup.box.host())
    with pytest.MonkeyPatch.context() as patch, suppress(WizardError, AssertionError):
        patch.setattr(Nginx, "_conflicts_now", lambda *_: frozenset())
        setup.plan(redirect=False, hsts=True, client_ca="own", clients=["alice"], protect=False)
