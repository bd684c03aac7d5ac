"""The whole way on ordinary prompts, as somebody with a screen reader goes it, for each target."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.peers.hub import ROOT, free_port
from tests.peers.sandboxed import hubs_port_taken

SECONDS = 60
PROMPT = re.compile(r"(?:^|\n)(?P<prompt>[^\n]*(?:: |\[yes/no\] ))$")


class Talk:
    """A program at a terminal of its own, and what has been said so far."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process = process
        self.terminal = terminal
        self.said = ""
        self.answered = 0
        """How much of it has been answered."""

    def prompt(self) -> str | None:
        """What it asks now; None once it has ended."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            found = PROMPT.search(self.said, self.answered)
            if found and not self._more(0.05):
                self.answered = len(self.said)
                return found["prompt"]
            if not found and not self._more(0.2) and self.process.poll() is not None:
                return None
        raise AssertionError(f"It neither asks nor ends. It said:\n{self.said[-2000:]}")

    def type(self, text: str) -> None:
        os.write(self.terminal, f"{text}\n".encode())

    def go(self, answers: Mapping[str, str]) -> int:
        """Answer each prompt by the first key that it begins with, else with Enter; returns the exit code."""
        while (prompt := self.prompt()) is not None:
            self.type(next((text for begin, text in answers.items() if prompt.startswith(begin)), ""))
        return self.process.wait(SECONDS)

    def _more(self, seconds: float) -> bool:
        """Read what comes within this time; whether anything came."""
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        try:
            data = os.read(self.terminal, 65536) if ready else b""
        except OSError:  # the program has closed it
            data = b""
        self.said += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)


@contextmanager
def talking(folder: Path, *arguments: str, **environment: str) -> Iterator[Talk]:
    """The wizard on a terminal of its own."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "wizard", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        start_new_session=True,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder),
            "TLS_WIZARD_STATE": str(folder / "state"),
            **environment,
        },
    )
    os.close(theirs)
    try:
        yield Talk(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


YES = {"Write ": "yes", "Restart ": "yes", "Reload ": "yes"}


@pytest.mark.parametrize("target", ["hub-rest", "hub-grpc", "nano", "nginx"])
def test_the_whole_way_of_each_target(target: str, tmp_path: Path) -> None:
    ports = {"Port for https": str(free_port()), "Port for HTTP": str(free_port())}
    own = {"Number": target, "Source": "private-ca", "Ask clients": "own CA"} if target == "nginx" else {}
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        code = talk.go({**YES, **ports, "Number": target, **own})
    assert code == 0, talk.said[-3000:]
    assert "\nProven: " in talk.said
    assert "Nothing to change" not in talk.said
    assert "Take it back with: tls-wizard undo" in talk.said
    assert "\x1b" not in talk.said


@pytest.mark.parametrize("term", ["dumb", "unknown", ""])
def test_a_terminal_that_cannot_show_the_screens_is_asked_line_by_line(term: str, tmp_path: Path) -> None:
    with talking(tmp_path, TERM=term) as talk:
        assert talk.prompt() == "Number [1]: "
        talk.type("\x04")
        assert talk.go({"Number": "\x04"}) == 0
    assert "What shall be secured?" in talk.said
    assert "\x1b" not in talk.said


def test_back_help_wrong_answers_and_leaving(tmp_path: Path) -> None:
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        for prompt, answer in (
            ("Number [1]: ", "nonsense"),
            ("Number [1]: ", "nano"),
            ("Data directory [", ""),
            ("Version [25.1]: ", "?"),
            ("Version [25.1]: ", "V12"),
            ("Version [25.1]: ", "<"),
            ("Data directory [", "<"),
            ("Number [1]: ", "nano"),
        ):
            assert (asked := talk.prompt() or "").startswith(prompt), (asked, prompt)
            talk.type(answer)
        assert (talk.prompt() or "").startswith("Data directory")
        os.write(talk.terminal, b"\x04")
        assert talk.prompt() is None
        assert talk.process.wait(SECONDS) == 0
    assert "Give one of the numbers" in talk.said
    assert "Key in an answers file: node_version" in talk.said
    assert "✗ TLS of V12 is broken" in talk.said
    assert talk.said.endswith("Your answers are kept.\n")


def test_no_to_writing_writes_nothing(tmp_path: Path) -> None:
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        assert talk.go({"Number": "hub-rest", "Write ": "no"}) == 0
    assert "Nothing more is done." in talk.said
    assert "✓" not in talk.said


def test_a_node_without_tls_leads_to_nginx(tmp_path: Path) -> None:
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        code = talk.go({"Number": "nano", "Version": "V27.1", "Go on with nginx": "yes", "Write ": "no"})
    assert code == 0
    assert "no TLS any more" in talk.said
    assert "nginx: the server, page 1" in talk.said
    assert "Service behind it" in talk.said
