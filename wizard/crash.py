"""What is shown when the wizard itself is at fault: where, never with what values."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parent.parent
OURS = ("wizard", "screens")
"""The packages of this program; when installed, others stand beside them."""


def install() -> None:
    """Let uncaught exceptions end in a short message; local variables may hold secrets."""
    sys.excepthook = report


def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Write the message to standard error. The exception's own text is left out: it may quote a secret."""
    print(message(kind, error, trace), file=sys.stderr)


def message(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> str:
    """The kind of error and the lines of our own code that led to it."""
    del error
    lines = []
    for frame in traceback.extract_tb(trace):
        path = Path(frame.filename)
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in OURS:
            lines.append(f"  {path.relative_to(ROOT)}, line {frame.lineno}, in {frame.name}")
    return "\n".join(
        [
            f"tls-wizard stopped because of a mistake of its own ({kind.__name__}).",
            "Files are as before or as previewed, never in between; if a run was interrupted,",
            "tls-wizard recover rolls it back. To report the mistake, these lines say where it is:",
            *lines,
        ]
    )
