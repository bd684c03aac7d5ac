"""A record of a run in which something else stands: it is read as it is, or it is named."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.peers.sandboxed import answers_file, cli, furnished
from wizard import journal
from wizard.cli import main
from wizard.demo.sandbox import Sandbox
from wizard.errors import WizardError
from wizard.state import State

ANYTHING: Sequence[object] = (
    None, True, 5, -1, 2**70, 1.5, "", "/nowhere/x", "/\0", "/\ud800", "2026-01-01",
    [], [5], ["a"], [["user.x", 5]], {}, {"kind": "file"},
)  # fmt: skip
COMMANDS = (["history"], ["certificates"], ["undo"], ["targets"])


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """With a run that waits for a certificate."""
    box = furnished(tmp_path / "box")
    assert cli(box, "apply", str(answers_file(box, source='"request"'))).returncode == 0
    monkeypatch.setenv("TLS_WIZARD_STATE", str(box.state.root))
    return box


def places(value: object) -> Iterator[tuple[str | int, ...]]:
    """The way to each value in a record; of a list to the first and the last, of the answers to the first."""
    inside: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inside = list(value.items())
        inside = inside[:1] if "start_script" in value else inside
    elif isinstance(value, list) and value:
        inside = [(0, value[0]), (-1, value[-1])]
    for key, below in inside:
        yield (key,)
        yield from ((key, *rest) for rest in places(below))


def replaced(record: dict[str, Any], place: tuple[str | int, ...], value: object) -> str:
    changed: Any = copy.deepcopy(record)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return json.dumps(changed)


def can_be_read(state: State) -> bool:
    try:
        journal.history(state)
    except WizardError as error:
        assert "applied.json: the record of a run cannot be read (" in str(error)
        return False
    return True


def test_whatever_stands_in_a_record_no_command_fails_over_it(box: Sandbox, tmp_path: Path) -> None:
    (path,) = box.state.runs.glob("*/applied.json")
    record = json.loads(path.read_text())
    shutil.copytree(box.root, kept := tmp_path / "kept", symlinks=True)
    read = 0
    for place in places(record):
        for value in ANYTHING:
            path.write_text(replaced(record, place, value))
            if not can_be_read(box.state):
                continue
            read += 1
            for command in COMMANDS[:-1]:  # the last one looks at the whole host besides, which takes long
                assert main(command) in range(7), (place, value, command)
            shutil.rmtree(box.root)
            shutil.copytree(kept, box.root, symlinks=True)
    assert read > 20


NAMED: Sequence[tuple[tuple[str | int, ...], object]] = (
    (("title",), 5),
    (("number",), "1"),
    (("target",), ["a"]),
    (("target",), "../x"),
    (("answers",), [1, 2]),
    (("answers", "directory"), {}),
    (("awaits",), "/tmp/\0"),
    (("time",), 5),
    (("steps", 0, "path"), "/tmp/\0"),
    (("steps", 0, "path"), "start.sh"),
    (("steps", 0, "after"), None),
    (("steps", 0, "after", "mode"), -1),
    (("steps", 0, "secret"), "no"),
    (("steps", -1, "hidden"), 5),
)


def test_what_no_run_writes_is_named_by_every_command(
    box: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = box.state.runs.glob("*/applied.json")
    record = json.loads(path.read_text())
    for place, value in NAMED:
        path.write_text(replaced(record, place, value))
        for command in (*COMMANDS, ["undo", path.parent.name]):
            main(command)
            said = capsys.readouterr()
            assert "the record of a run cannot be read (" in said.err + said.out, (place, command)
