"""Bash's own parser as the gate: what it lets through and what not, and that it runs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from wizard.formats.bash import check_edit, check_syntax, is_code
from wizard.formats.splice import CannotEdit, Splice

SCRIPT = b"""#!/bin/bash
# ./hub in a comment
cat <<E
./hub in a here-document
E
ARGS=(--db 'hub')  # ./hub again
./hub --salt "a b" \\
  --db hub $'c\\td'  # the end
"""


def at(text: bytes, occurrence: int = 0) -> int:
    position = SCRIPT.index(text)
    for _ in range(occurrence):
        position = SCRIPT.index(text, position + 1)
    return position


def test_nothing_in_the_script_is_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    check_syntax(f"touch {marker}\n$(touch {marker})\n".encode())
    check_edit(f"touch {marker}\n".encode(), [Splice(5, 5, b" x")])
    assert not marker.exists()


def test_a_syntax_error_is_named_with_its_line() -> None:
    with pytest.raises(CannotEdit) as caught:
        check_syntax(b"echo a\necho (\n")
    assert caught.value.line == 2
    assert "syntax error" in caught.value.reason


@pytest.mark.parametrize(("occurrence", "code"), [(0, False), (1, False), (2, False), (3, True)])
def test_commands_are_told_from_text(occurrence: int, code: bool) -> None:
    assert is_code(SCRIPT, at(b"./hub", occurrence)) is code


def test_whole_words_may_be_inserted_replaced_and_removed() -> None:
    end = at(b"./hub", 3) + len(b"./hub")
    salt, value, tab = at(b"--salt"), at(b'"a b"'), at(b"$'")
    edits = [
        Splice(end, end, b" \\\n  --sslCert '/a b/c'"),
        Splice(value, value + 5, b"'it'\\''s'"),
        Splice(tab, tab + 7, b"plain"),
    ]
    after = check_edit(SCRIPT, edits)
    assert after.endswith(
        b"./hub \\\n  --sslCert '/a b/c' --salt 'it'\\''s' \\\n  --db hub plain  # the end\n"
    )
    assert b"--salt" not in check_edit(SCRIPT, [Splice(salt, value + 6, b"")])


@pytest.mark.parametrize(
    "edit",
    [
        Splice(len(SCRIPT) - 1, len(SCRIPT) - 1, b" --authMode ssl"),
        Splice(at(b"./hub", 3), at(b"./hub", 3), b"--authMode"),
        Splice(at(b"./hub", 3) + 5, at(b"./hub", 3) + 5, b"--authMode"),
        Splice(at(b"\\\n"), at(b"\\\n"), b"--authMode ssl # "),
    ],
    ids=["into a comment", "onto a word", "behind a word", "swallowing the continuation"],
)
def test_an_edit_that_bash_reads_otherwise_is_refused(edit: Splice) -> None:
    with pytest.raises(CannotEdit):
        check_edit(SCRIPT, [edit])


def test_a_value_may_stand_right_behind_the_name_it_is_given_to() -> None:
    after = check_edit(b"MODE=$1\nhub --mode $MODE\n", [Splice(5, 7, b"ssl")])
    assert after == b"MODE=ssl\nhub --mode $MODE\n"
