"""Prompts on an ordinary terminal: lines that are said, and lines that are typed."""

from __future__ import annotations

import sys

from wizard.inert import inert, inert_lines
from wizard.reach import within

PASTE_ENDS = "."
_LONGEST_LINE = 4095
"""Bytes of a line that a terminal passes on; what is beyond is lost without a word (termios(3))."""
_A_KEY = "This is a private key. Nothing of it is kept, and no question asks for one: give its file's name."
_CUT_OFF = (
    f"The terminal has cut off a line behind {_LONGEST_LINE} bytes. Give the name of a file, or use an "
    "answers file."
)


class Left(Exception):
    """Somebody has had enough: Ctrl+D at a prompt."""


def say(text: str) -> None:
    """Print a text, its control characters made inert."""
    print(within(inert_lines(text)), flush=True)


def ask(label: str, default: str) -> str:
    """What is typed at a prompt, trimmed. Raises Left at Ctrl+D."""
    shown = "the text that was pasted" if "\n" in default else inert(default)
    prompt = f"{inert(label)}{f' [{shown}]' if shown else ''}: "
    while True:
        line = _read(prompt)
        if len(line) >= _LONGEST_LINE:
            say(f"✗ {_CUT_OFF}")
            continue
        if b"PRIVATE KEY-----" in line:
            while not line.strip().startswith(b"-----END"):
                line = _read("")
            say(f"✗ {_A_KEY}")
            continue
        try:
            return line.decode().strip()
        except UnicodeDecodeError:
            say("✗ This is not text in UTF-8: type it again, or set the terminal to UTF-8.")


def pasted(first: str) -> str:
    """The rest of a text with PEM in it, up to the line that ends it; empty when it cannot be used."""
    lines = [first.encode()]
    while (line := _read("")).strip() != PASTE_ENDS.encode():
        lines.append(line)
    if any(len(line) >= _LONGEST_LINE for line in lines):
        say(f"✗ {_CUT_OFF}")
        return ""
    return b"\n".join(lines).decode("utf-8", "replace")  # what stands around the PEM may be anything


def _read(prompt: str) -> bytes:
    """A line as it comes. Raises Left at Ctrl+D, also where it ends a line that was begun."""
    print(within(prompt), end="", flush=True)
    try:
        line = sys.stdin.buffer.readline()
    except OSError:  # the line has dropped
        raise Left from None
    if not line.endswith(b"\n"):
        raise Left
    return line.rstrip(b"\r\n")
