"""Files that mention Hub but are no start script, and what to do instead."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from wizard.formats.launch import find_launches
from wizard.formats.shell import Script
from wizard.formats.splice import CannotEdit, line_of

_SHELLS = ("sh", "bash", "dash", "ash")
_MOST_BYTES = 1_000_000
_INTO_SCRIPT = (
    "Put the command into a script, start.sh, let this file run that script, and give the script here."
)
_CONTAINER = (
    "Set the flags behind the image's name, and mount the folder of the PEM files with -v: "
    "the paths in the flags are those inside the container."
)


def refuse_other_files(path: Path, data: bytes) -> None:
    """Raise CannotEdit when the file is no shell script, or has line ends that bash does not know."""
    if len(data) > _MOST_BYTES:
        raise CannotEdit(
            f"This file has {len(data) / 1e6:.1f} MB; a start script has less than 1 MB.",
            "Give the script that starts Hub.",
        )
    if b"\0" in data:
        raise CannotEdit("This is a program or other data, not a script.", "Give the script that starts Hub.")
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()]
    first = lines[0] if lines else ""
    if first.startswith("#!"):
        names = [word.rpartition("/")[2] for word in first[2:].split()]
        if not any(name in _SHELLS for name in names[:3]):
            raise CannotEdit(f"This is a script for {' '.join(names)}, not for bash.", _INTO_SCRIPT, 1)
    else:
        _refuse_kinds(lines)
    if b"\r" in data:
        raise CannotEdit(
            "The line ends with a carriage return, as on Windows. Bash takes it for part of the last word, "
            "and a backslash before it does not continue the line.",
            f"Remove them all with: sed -i 's/\\r$//' {path} (or dos2unix), then come back.",
            line_of(data, data.index(b"\r")),
        )


def _refuse_kinds(lines: list[str]) -> None:
    significant = [(number, line) for number, line in enumerate(lines, 1) if line and line[0] not in "#;"]
    for number, line in significant:
        if line.startswith(("[program:", "[supervisord]")):
            raise CannotEdit("This is a supervisor configuration, not a start script.", _INTO_SCRIPT, number)
        if line in ("[Unit]", "[Service]"):
            raise CannotEdit("This is a systemd unit, not a start script.", _INTO_SCRIPT, number)
        if line == "services:" or line.startswith("image: "):
            raise CannotEdit("This is a docker-compose file, not a start script.", _CONTAINER, number)
    for number, line in significant[:1]:
        if line.split()[0] in ("FROM", "ARG"):
            raise CannotEdit("This is a Dockerfile, not a start script.", _CONTAINER, number)


def refuse_without_launch(script: Script) -> NoReturn:
    """Raise CannotEdit, saying what starts Hub instead, as far as that can be seen."""
    for command in script.commands:
        texts = [word.text for word in command.words]
        names = [text.rpartition("/")[2] for text in texts]
        line = line_of(script.data, command.start)
        if {"docker", "podman", "nerdctl"} & set(names) and any("hub" in name for name in names):
            raise CannotEdit("Hub runs in a container here.", _CONTAINER, line)
        for starter in ("docker-compose", "supervisorctl", "systemctl", "service"):
            if starter in names:
                raise CannotEdit(
                    f"This starts Hub by {starter}; its flags stand elsewhere.", _INTO_SCRIPT, line
                )
    if servers := find_launches(script, "signing_server"):
        raise CannotEdit(
            "This starts the signing server, not Hub. Its flags have the same names, but its certificate is "
            "another and its clients are hubs.",
            "Give the script that starts hub itself.",
            line_of(script.data, servers[0].program.start),
        )
    raise CannotEdit(
        "No command in this file starts hub in a way that can be read.",
        "Give the script with the line that starts hub, such as ./bazel-bin/hub/hub --salt ...",
    )
