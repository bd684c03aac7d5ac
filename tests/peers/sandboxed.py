"""The sample Hub of the demo on a free port of its own, and the command line as a process."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.peers.hub import ROOT, free_port
from wizard.demo.sandbox import Sandbox, furnish

COMMAND = [sys.executable, "-m", "wizard"]


def furnished(root: Path) -> Sandbox:
    """A sample Hub that does not run; its port is free, so that tests can run side by side."""
    root.mkdir(parents=True, exist_ok=True)
    box = furnish(root.resolve())
    script = box.hub / "start.sh"
    script.write_text(re.sub(r"127\.0\.0\.1:\d+\n", f"127.0.0.1:{free_port()}\n", script.read_text()))
    return box


@contextmanager
def started(root: Path) -> Iterator[Sandbox]:
    """The same, running until the block ends."""
    box = furnished(root)
    box.start()
    try:
        yield box
    finally:
        box.stop()


@contextmanager
def hubs_port_taken() -> Iterator[None]:
    """The usual ports are in use, so that each demo takes some of its own and they can run side by side."""
    with ExitStack() as stack:
        for port in (50051, 50061, 7076, 8080, 8081, 8443):
            taken = stack.enter_context(socket.socket())
            # Also while connections of an earlier user of the port are still being closed.
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):  # somebody else has taken it, which is as good
                taken.bind(("127.0.0.1", port))
                taken.listen()
        yield


def environment(box: Sandbox, **more: str) -> dict[str, str]:
    """What the command line finds: the wizard's package, and a state folder inside the sandbox."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "TLS_WIZARD_STATE": str(box.state.root), **more}


def cli(box: Sandbox, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, without a terminal."""
    return subprocess.run(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=box.root,
        env=environment(box, **more),
    )


def answers_file(box: Sandbox, **given: str) -> Path:
    """An answers file for the sample Hub; the values of `given` are written as TOML."""
    keys = {
        "target": '"hub-rest"',
        "start_script": f'"{box.hub / "start.sh"}"',
        "common_name": '"hub.example.org"',
        "alt_names": '["hub.example.org", "127.0.0.1"]',
        **given,
    }
    path = box.root / "answers.toml"
    path.write_text("".join(f"{key} = {value}\n" for key, value in keys.items()))
    return path


def contents(box: Sandbox) -> dict[str, tuple[int, bytes]]:
    """Every file of Hub, with its mode."""
    files = [path for path in box.hub.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mode, path.read_bytes()) for path in files}
