"""The terminal: what it can show, and whether its line may drop."""

from __future__ import annotations

import os

_MARKS = {"✓": "+", "✗": "x", "…": ".", "⋯": "~", "•": "*", "‹": "<", "›": ">", "←": "<", "→": ">", "�": "?"}
_LINES = {chr(code): "+" for code in range(0x2500, 0x2580)}
_LINES |= dict.fromkeys("─━╌╍┄┅┈┉═╴╶╸╺╼╾", "-") | dict.fromkeys("│┃╎╏┆┇┊┋║╵╷╹╻╽╿", "|")
_BLOCKS = {chr(code): "#" for code in range(0x2580, 0x25A0)}
_INSTEAD = str.maketrans({**_LINES, **_BLOCKS, **_MARKS})
"""One column each, so that nothing moves."""


def only_ascii() -> bool:
    """Whether the locale has no characters beyond ASCII, by the variables that say so (locale(7))."""
    named = (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, named), "C")
    return "utf" not in locale.lower()


def within(text: str) -> str:
    """The text with marks and borders that the terminal can show; what users have typed stays."""
    return text.translate(_INSTEAD) if only_ascii() else text


def held_by_a_shell() -> bool:
    """Whether a program that is stopped can be brought back: by a shell that has started it as a job.

    There is none with `ssh -t HOST tls-wizard`, `tmux new tls-wizard` or in a container of its own.
    """
    import psutil  # behind the first frame

    try:
        above = psutil.Process(os.getpgrp()).ppid()
        return os.getsid(above) == os.getsid(0) and os.getpgid(above) != os.getpgrp()
    except (psutil.Error, OSError):
        return False


def may_drop() -> bool:
    """Whether the terminal is at the far end of a line that may drop, with nothing here to hold it."""
    return "SSH_TTY" in os.environ and not {"TMUX", "STY"} & os.environ.keys()
