"""A mistake of the wizard's own: where it is, never with what values."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wizard import crash
from wizard.kinds import Whole

ROOT = Path(__file__).parents[1]
SECRET = "CHANGETHIS-and-keep-it-to-yourself"


def test_it_names_the_lines_of_our_own_code_and_no_values() -> None:
    with pytest.raises(ValueError, match=SECRET) as caught:
        Whole(1, 2).read(SECRET)
    text = crash.message(caught.type, caught.value, caught.tb)
    assert "(ValueError)" in text
    assert "wizard/kinds.py, line " in text
    assert "tests/" not in text
    assert SECRET not in text


def test_a_program_that_fails_prints_it_instead_of_a_traceback() -> None:
    code = f"from wizard import crash, kinds\ncrash.install()\nkinds.Whole(1, 2).read({SECRET!r})\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert "tls-wizard stopped because of a mistake of its own (ValueError)." in done.stderr
    assert "tls-wizard recover" in done.stderr
    assert SECRET not in done.stderr
    assert "Traceback" not in done.stderr
