"""The way out to a terminal that has gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MORE_THAN_THE_QUEUE_HOLDS = """\
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread
from screens.line import Line

writer = WriterThread(Line())
writer.start()
for _ in range(3 * MAX_QUEUED_WRITES):
    writer.write("x" * 5000)
writer.stop()
"""


def test_output_that_cannot_be_written_is_not_waited_for() -> None:
    with Path("/dev/full").open("w") as gone:
        done = subprocess.run(
            [sys.executable, "-c", MORE_THAN_THE_QUEUE_HOLDS],
            stdin=subprocess.DEVNULL,
            stderr=gone,
            cwd=Path(__file__).parents[2],
            timeout=30,
            check=False,
        )
    # Python's own flush of standard error at the end may fail as well; what counts is that there is an end.
    assert done.returncode in (0, 120)
