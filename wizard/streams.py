"""Standard output and error, whose readers may have left: that must not change what a command has done."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from wizard.reach import within


def tell(text: str) -> None:
    """Print a line on standard error. When nobody reads it any more, that stops nothing."""
    if sys.stderr is None:  # closed from the start; `print` would take standard output instead
        return
    try:
        print(within(text), file=sys.stderr, flush=True)
    except OSError:
        mute(sys.stderr)


def mute(stream: TextIO) -> None:
    """Send what else is written nowhere, so that no complaint follows at the end of the program."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
