"""Runs start scripts with real bash in an empty folder, where hub and the wrappers are harmless stand-ins."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

BOOLEANS = {"useHttpsIRI", "dbDebug", "fetchTransactionMessages", "logtostderr"}
CALLERS_ARGUMENTS = ("--depth", "5")

_HUB = """#!/bin/bash
printf '%s\\0' "$#" "$@" >> {record}
"""
_SHIFT_OPTIONS = """#!/bin/bash
while [ $# -gt 0 ]; do
  case "$1" in
    {valued}) shift 2 ;;
    --) shift; break ;;
    -*|*=*{operands}) shift ;;
    *) break ;;
  esac
done
"""
_SU = """#!/bin/bash
while [ "$1" != -c ]; do shift; done
exec bash -c "$2"
"""
_WRAPPERS = {
    "sudo": ("-u|-g", "", '"$@"'),
    "runuser": ("-u|-g", "", '"$@"'),
    "gosu": ("-u", "|hub", '"$@"'),
    "screen": ("-S|-dmS", "", '"$@"'),
    "tmux": ("-s", "|new-session", 'bash -c "$*"'),
    "bazel": ("-c", "|run|//hub:hub", '{hub} "$@"'),
}


def argument_lists(folder: Path, script: bytes) -> list[list[str]]:
    """The argument lists with which the script, run by bash, starts hub, in order."""
    record = _prepare(folder)
    record.unlink(missing_ok=True)
    path = folder / "start.sh"
    path.write_bytes(script)
    environment = {"PATH": f"{folder / 'stand-ins'}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    # Background jobs keep the pipe open, so its end says that all of them are done.
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe:
        process = subprocess.Popen(
            ["/bin/bash", str(path), *CALLERS_ARGUMENTS],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(writing,),
        )
        os.close(writing)
        process.wait(timeout=20)
        pipe.read()
    return _lists(record.read_bytes()) if record.exists() else []


def flags(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """What gflags makes of the arguments, in order; written apart from the product's own reader."""
    found: list[tuple[str, str]] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            continue
        name, equals, value = word.removeprefix("-").removeprefix("-").partition("=")
        if not name and not equals:
            break
        if equals:
            found.append((name, value))
        elif name in BOOLEANS or name.removeprefix("no") in BOOLEANS:
            found.append((name.removeprefix("no"), str(name in BOOLEANS)))
        else:
            found.append((name, rest.pop(0) if rest else "<missing>"))
    return found


def _prepare(folder: Path) -> Path:
    record = folder / "record"
    tools = folder / "stand-ins"
    if not tools.exists():
        hub = _HUB.format(record=record)
        for place in (folder / "bazel-bin" / "hub" / "hub", folder / "hub"):
            _program(place, hub)
        for name, (valued, operands, order) in _WRAPPERS.items():
            options = _SHIFT_OPTIONS.format(valued=valued, operands=operands)
            _program(tools / name, f"{options}exec {order.format(hub=folder / 'hub')}\n")
        _program(tools / "su", _SU)
        _program(tools / "sleep", "#!/bin/bash\nkill -TERM $PPID\n")
    return record


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def _lists(record: bytes) -> list[list[str]]:
    words = [word.decode("utf-8", "surrogateescape") for word in record.split(b"\0")[:-1]]
    lists: list[list[str]] = []
    while words:
        count = int(words.pop(0))
        lists.append(words[:count])
        words = words[count:]
    return lists
