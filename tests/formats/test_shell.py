"""Start scripts of every kind: edited by the product, then run by bash with a stand-in for hub."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path
from time import perf_counter

import pytest

from tests.formats.hub_stub import argument_lists, flags
from wizard.errors import Refusal
from wizard.targets.hub import script as hub_script

SCRIPTS = Path(__file__).parent / "scripts"
FLAGS = {
    "authMode": "ssl",
    "sslCert": "/etc/hub/tls/cert.pem",
    "sslKey": "/etc/hub/tls/key.pem",
    "sslDH": "/etc/hub/tls/dh.pem",
}
INTENDED = {
    "salt": "CHANGETHIS",
    "db": "hub",
    "dbUser": "root",
    "dbPassword": "myrootpassword",
    "apiAddress": "127.0.0.1:14265",
    "minWeightMagnitude": "14",
    "listenAddress": "127.0.0.1:50051",
    "serverType": "http",
}
"""What the authors of all broken scripts meant, besides the TLS flags."""

# Lines with a broken continuation, by file.
REPAIRED: dict[str, list[int]] = {
    "guide_as_published.sh": [10],
    "guide_rest_block_pasted.sh": [11, 12, 13, 14],
    "guide_grpc_block_in_the_middle.sh": [8],
    "missing_backslash_twice.sh": [3, 6],
    "missing_backslash_before_redirect.sh": [3],
    "missing_backslash_empty_line_between.sh": [5, 9],
    "missing_backslash_after_redirect.sh": [2],
    "missing_backslash_at_the_end_of_the_file.sh": [3],
    "blank_after_backslash.sh": [4],
    "blank_after_backslash_of_the_program.sh": [2],
    "blank_after_attached_backslash.sh": [2, 3],
    "several_blanks_after_backslash.sh": [2, 3, 5],
    "blank_after_backslash_before_redirect.sh": [3],
    "blank_after_backslash_before_value.sh": [3],
    "comment_line_inside.sh": [8],
    "two_comment_lines_inside.sh": [5, 12],
    "commented_out_first_option.sh": [3],
    "commented_out_before_callers_arguments.sh": [5],
    "empty_line_inside.sh": [4, 8],
    "comment_swallows_backslash.sh": [8],
    "comment_without_backslash.sh": [8],
    "comment_behind_backslash.sh": [5, 7],
    "comment_glued_to_backslash.sh": [4],
    "everything_broken.sh": [5, 6, 8, 10, 12, 14],
    "orphan_with_one_dash.sh": [2, 3, 4],
}

# File, line (None: the whole file), words of the reason.
REFUSED: dict[str, tuple[int | None, str]] = {
    "refuse_another_name.sh": (None, "No command in this file starts hub"),
    "refuse_array_used_twice.sh": (2, "used in more than one place"),
    "refuse_bazel_without_dashes.sh": (2, "no -- after the target"),
    "refuse_command_in_array.sh": (3, "kept in the variable CMD"),
    "refuse_command_in_variable.sh": (3, "kept in the variable CMD"),
    "refuse_compose.yml": (2, "docker-compose file"),
    "refuse_compose_command.sh": (2, "starts Hub by docker-compose"),
    "refuse_conditional_array.sh": (4, "under a condition"),
    "refuse_conditional_server_type.sh": (3, "not known before the script runs"),
    "refuse_crlf.sh": (1, "carriage return"),
    "refuse_docker_run.sh": (2, "container"),
    "refuse_dockerfile": (1, "Dockerfile"),
    "refuse_dynamic_server_type.sh": (2, "not known before the script runs"),
    "refuse_eval.sh": (2, "eval"),
    "refuse_eval_variable.sh": (3, "kept in the variable CMD"),
    "refuse_heredoc_before_hub.sh": (None, "No command in this file starts hub"),
    "refuse_no_hub.sh": (None, "No command in this file starts hub"),
    "refuse_one_carriage_return.sh": (3, "carriage return"),
    "refuse_open_quote.sh": (2, "Bash cannot read the script"),
    "refuse_options_after_ampersand.sh": (3, "ended by &"),
    "refuse_orphan_of_another_command.sh": (3, "begins with --directory"),
    "refuse_orphan_with_an_equals_sign.sh": (5, "begins with --sslCert"),
    "refuse_python.sh": (1, "not for bash"),
    "refuse_quoted_command_broken.sh": (3, "begins with --serverType"),
    "refuse_quoted_command_with_expansion.sh": (2, "inside a quoted command"),
    "refuse_rubbish_after_exit.sh": (4, "Bash cannot read the script"),
    "refuse_service_command.sh": (2, "starts Hub by systemctl"),
    "refuse_signing_server.sh": (2, "signing server"),
    "refuse_supervisor.conf": (2, "supervisor configuration"),
    "refuse_supervisorctl.sh": (2, "starts Hub by supervisorctl"),
    "refuse_syntax_error.sh": (4, "Bash cannot read the script"),
    "refuse_systemd.service": (1, "systemd unit"),
    "refuse_two_hubs.sh": (5, "lines 3 and 5"),
    "refuse_zsh.sh": (1, "not for bash"),
}

EDITABLE = sorted(path.name for path in SCRIPTS.iterdir() if path.name not in REFUSED)


def script(name: str) -> bytes:
    return (SCRIPTS / name).read_bytes()


def edited(name: str, data: bytes) -> bytes:
    return hub_script.set_flags(hub_script.read(Path(name), data), FLAGS)


def test_every_expectation_belongs_to_a_script() -> None:
    names = {path.name for path in SCRIPTS.iterdir()}
    assert {*REPAIRED, *REFUSED} <= names
    assert len(names) >= 80


@pytest.mark.parametrize("name", [name for name in EDITABLE if name not in REPAIRED])
def test_bash_passes_the_wanted_flags_and_the_others_as_before(name: str, tmp_path: Path) -> None:
    (before,) = argument_lists(tmp_path, script(name))
    (after,) = argument_lists(tmp_path, edited(name, script(name)))
    settings = flags(after)
    assert sorted(setting for setting in settings if setting[0] in FLAGS) == sorted(FLAGS.items())
    assert others(settings) == others(flags(before))


@pytest.mark.parametrize("name", sorted(REPAIRED))
def test_bash_passes_what_the_author_of_a_broken_script_meant(name: str, tmp_path: Path) -> None:
    (after,) = argument_lists(tmp_path, edited(name, script(name)))
    settings = flags(after)
    assert sorted(setting for setting in settings if setting[0] in FLAGS) == sorted(FLAGS.items())
    callers = {"depth": "5"} if b'"$@"' in script(name) else {}
    assert sorted(others(settings)) == sorted((INTENDED | callers).items())


def others(settings: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in settings if name not in FLAGS]


@pytest.mark.parametrize("name", EDITABLE)
def test_a_second_edit_changes_nothing(name: str) -> None:
    once = edited(name, script(name))
    assert edited(name, once) == once
    assert not hub_script.read(Path(name), once).repairs


@pytest.mark.parametrize("name", EDITABLE)
def test_lines_that_have_nothing_to_do_with_the_flags_stay_to_the_byte(name: str) -> None:
    read = hub_script.read(Path(name), script(name))
    old, new = read.repaired.splitlines(keepends=True), edited(name, script(name)).splitlines(keepends=True)
    for kind, start, end, *_ in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for position in range(start, end):
            if kind in ("replace", "delete"):
                around = b"".join(old[max(position - 1, 0) : position + 1])
                assert any(
                    word in around for word in (b"hub", b"HUB", b"bazel", *(f.encode() for f in FLAGS))
                )


@pytest.mark.parametrize("name", EDITABLE)
def test_broken_lines_are_named_and_others_are_not(name: str) -> None:
    repairs = hub_script.read(Path(name), script(name)).repairs
    assert [repair.line for repair in repairs] == REPAIRED.get(name, [])


@pytest.mark.parametrize("name", sorted(REPAIRED))
def test_repairs_touch_only_the_broken_lines_and_keep_every_comment(name: str) -> None:
    data = script(name)
    old, new = data.splitlines(), hub_script.read(Path(name), data).repaired.splitlines()
    comments = [line[line.index(b"#") :].rstrip(b" \\") for line in old if b"#" in line]
    assert all(any(comment in line for line in new) for comment in comments)
    assert all(line.lstrip().startswith(b"#") for line in new if b"#" in line)
    untouched = [line for line in old if line.endswith(b"\\") and b"#" not in line and line in new]
    assert [line for line in new if line in untouched] == untouched


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_cannot_be_edited_is_refused_with_line_reason_and_remedy(name: str) -> None:
    line, words = REFUSED[name]
    with pytest.raises(Refusal) as caught:
        edited(name, script(name))
    assert (caught.value.line, caught.value.path) == (line, Path(name))
    assert words in caught.value.reason
    assert caught.value.remedy


def test_reading_and_editing_a_script_takes_less_than_60_milliseconds() -> None:
    data = script("plain_tabs.sh")
    edited("start.sh", data)
    times = []
    for _ in range(5):
        start = perf_counter()
        edited("start.sh", data)
        times.append(perf_counter() - start)
    assert min(times) < 0.060
