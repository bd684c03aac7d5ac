"""Bash's own parser as the gate of an edit: it reads scripts and runs nothing.

`bash -n` checks the syntax (bash manual, 4.3.1). `--pretty-print` reads each command and prints it
(bash eval.c, pretty_print_loop); it is not documented, so it is tried out once before it is relied on.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Sequence
from functools import cache
from shutil import which

from wizard.formats.splice import CannotEdit, Splice, splice

_SECONDS = 20
_OPERATORS = bytes.maketrans(b"'\"()<>|&;\t\n", b" " * 11)
_SAMPLE = (b"a  b \\\n c; echo $(d)\n", b"a b c")


def check_syntax(data: bytes) -> None:
    """Raise CannotEdit when bash cannot read the script; a machine without bash has to be refused, too."""
    done = _bash("-n", data)
    message = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode or "syntax error" in message or "unexpected EOF" in message:
        first = message.splitlines()[0] if message else "bash gives no reason"
        _, _, where = first.partition("line ")
        number, _, what = where.partition(": ")
        raise CannotEdit(
            f"Bash cannot read the script as it is: {what or first}.",
            "Correct the script first; bash -n FILE names the place.",
            int(number) if number.isdecimal() else None,
        )


def is_code(data: bytes, position: int) -> bool:
    """Whether bash reads what stands at `position` as part of a command, not of a here-document or a comment:
    a parenthesis that closes nothing is an error in a command only."""
    try:
        check_syntax(splice(data, [Splice(position, position, b") ")]))
    except CannotEdit:
        return True
    return False


def check_edit(before: bytes, splices: Sequence[Splice]) -> bytes:
    """Apply splices of whole words, and let bash confirm that nothing else changes.

    Raises CannotEdit when bash reads the result in any other way than meant.
    """
    after = splice(before, splices)
    check_syntax(after)
    if not _pretty_print_works():
        return after
    begins = [_begin(before, edit.start) for edit in splices]
    removed = _words([before[begin : edit.end] for begin, edit in zip(begins, splices, strict=True)])
    added = _words(
        [before[begin : edit.start] + edit.new for begin, edit in zip(begins, splices, strict=True)]
    )
    old, new = _tokens(_pretty(before)), _tokens(_pretty(after))
    if (old - new, new - old) == (removed - added, added - removed):
        return after
    raise CannotEdit(
        "Bash would read the edited script otherwise than meant, so nothing is changed.",
        "Simplify the command that starts the program: one option with its value on each line.",
    )


def _begin(data: bytes, position: int) -> int:
    """Where the token of a value begins, which may stand right behind its NAME=."""
    return (
        data[:position].translate(_OPERATORS).rfind(b" ") + 1 if data[:position].endswith(b"=") else position
    )


def _words(texts: Sequence[bytes]) -> Counter[bytes]:
    joined = b" ".join(texts)
    # Bash prints $'...' in plain quotes, so it is asked how.
    return _tokens(_pretty(b": " + joined)) - Counter([b":"]) if b"$'" in joined else _tokens(joined)


def _tokens(text: bytes) -> Counter[bytes]:
    # Quotes and operators count as blanks: the last word of an array or of a quoted script touches them.
    unfolded = text.replace(b"\\\\", b"//").replace(b"\\\n", b"")
    return Counter(token for token in unfolded.translate(_OPERATORS).split(b" ") if token)


def _pretty(data: bytes) -> bytes:
    return _bash("--pretty-print", data).stdout


@cache
def _pretty_print_works() -> bool:
    script, printed = _SAMPLE
    done = _bash("--pretty-print", script)
    return done.returncode == 0 and done.stdout.strip().startswith(printed)


def _bash(option: str, script: bytes) -> subprocess.CompletedProcess[bytes]:
    """Let bash read a script from standard input, without start files and without an environment."""
    bash = which("bash") or "/bin/bash"
    order = [bash, "--norc", "--noprofile", option, "/dev/stdin"]  # named, so that messages have line numbers
    try:
        return subprocess.run(order, input=script, capture_output=True, env={}, timeout=_SECONDS, check=False)
    except FileNotFoundError:
        raise CannotEdit(
            "There is no bash on this machine to check the script with.", "Install bash."
        ) from None
    except subprocess.TimeoutExpired:
        raise CannotEdit(f"Bash did not finish reading the script in {_SECONDS} seconds.") from None
