"""A terminal for tests: it runs a program in a pty, answers it as terminals do, and reads its screen.

What only a real pty shows: what a key costs in bytes, which modes are left on, what signals do.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TypeAlias

import pyte

Size: TypeAlias = tuple[int, int]
"""Columns and rows."""
SIZE: Size = 80, 24
PATIENCE = 20.0
"""Seconds to wait for what must come; a loaded machine needs some of them."""
QUIET = 0.25
"""Seconds without a byte after which the program has said what it had to say."""

KEYS = {
    "enter": "\r", "tab": "\t", "escape": "\x1b", "backspace": "\x7f", "ctrl+q": "\x11", "f1": "\x1bOP",
    "ctrl+c": "\x03", "ctrl+l": "\x0c", "ctrl+z": "\x1a", "home": "\x1b[H",
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "end": "\x1b[F",
}  # fmt: skip
ON_AT_FIRST = {7, 25}
"""Autowrap and the cursor: the modes that are on in a fresh terminal."""

MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
# What pyte would print instead of obeying: private and intermediate sequences, titles, and strings.
BEYOND_PYTE = re.compile(
    rb"\x1b\[[<=>?][0-9;]*[ -/]*[@-~]|\x1b\[[0-9;]*[ -/]+[@-~]"
    rb"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_].*?\x1b\\",
    re.DOTALL,
)
UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[PX^_][^\x1b]*\x1b?)?\Z")
SYNCHRONIZED_OUTPUT = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
"""The question of a program whether frames may be bracketed, and the answer of a modern terminal."""


def seen(screen: pyte.Screen) -> list[tuple[object, ...]]:
    """Each cell, and where the cursor stands; of a blank no colour or weight that is not seen on it."""
    cells: list[tuple[object, ...]] = [(screen.cursor.x, screen.cursor.y)]
    for row in range(screen.lines):
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            about = cell.bg, cell.reverse, cell.underscore, cell.strikethrough
            cells.append((cell.data, *about, *((cell.fg, cell.bold) if cell.data != " " else ())))
    return cells


class Terminal:
    """The far end of the line: a screen, the modes in force, and the program that draws on it."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], size: Size) -> None:
        self.screen = pyte.Screen(*SIZE)
        self.output = b""
        """Every byte the program has sent."""
        self._stream = pyte.ByteStream(self.screen)
        self._pending = b""
        self._line, far_end = os.openpty()
        self._tell(size)
        self._settings = termios.tcgetattr(far_end)
        # With --ctty the pty is the controlling terminal, so a dropped line is a hangup.
        self.program = subprocess.Popen(
            ["setsid", "--ctty", *arguments], stdin=far_end, stdout=far_end, stderr=far_end, env=environment
        )
        os.close(far_end)

    @property
    def text(self) -> str:
        """What can be read on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    @property
    def last_words(self) -> str:
        """What was printed after the screen was left."""
        return self.output.rpartition(b"\x1b[?1049l")[2].decode()

    @property
    def modes_left(self) -> set[int]:
        """The modes (DEC private) that are not as in a fresh terminal."""
        on = set(ON_AT_FIRST)
        for numbers, letter in MODE.findall(self.output):
            for number in map(int, numbers.split(b";")):
                (on.add if letter == b"h" else on.discard)(number)
        return on ^ ON_AT_FIRST

    @property
    def settings_are_back(self) -> bool:
        """Whether echo, line mode and the like are as they were before the program started."""
        return termios.tcgetattr(self._line) == self._settings

    def press(self, *keys: str) -> None:
        """Send keys by name, or texts as they are; half a surrogate pair is a byte."""
        for key in keys:
            os.write(self._line, KEYS.get(key, key).encode(errors="surrogateescape"))

    def cost(self, *keys: str) -> int:
        """How many bytes the program sends back for these keys."""
        before = len(self.output)
        self.press(*keys)
        self.settle()
        return len(self.output) - before

    def wait_for(self, text: str) -> None:
        """Read until a text stands on the screen."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.text:
            if time.monotonic() > deadline or not self._read(deadline - time.monotonic()):
                raise AssertionError(f"{text!r} does not appear on the screen:\n{self.text}")

    def wait_for_cursor(self, pattern: str) -> None:
        """Read until the cursor stands on what begins like this."""
        deadline = time.monotonic() + PATIENCE
        while not re.match(pattern, self.at_cursor):
            if time.monotonic() > deadline or not self._read(deadline - time.monotonic()):
                raise AssertionError(f"{pattern!r} is not where the cursor stands, but {self.at_cursor!r}")

    def settle(self, quiet: float = QUIET) -> None:
        """Read until the program has been quiet for so many seconds."""
        while self._read(quiet):
            pass

    def listen(self, seconds: float) -> None:
        """Read for so many seconds."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._read(left)

    def end(self) -> int:
        """Read until the program has ended; answers its exit code, as a shell counts signals."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._read(0.05) | (self.program.poll() is None):
            pass
        code = self.program.wait(timeout=PATIENCE)
        return code if code >= 0 else 128 - code

    def resize(self, columns: int, rows: int) -> None:
        """What the program sees when the window gets another size."""
        self.screen.resize(rows, columns)
        self._tell((columns, rows))

    def _tell(self, size: Size) -> None:
        fcntl.ioctl(self._line, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    def garble(self, text: str) -> None:
        """Something else writes to the terminal, as wall(1) does."""
        self._stream.feed(text.encode())

    @property
    def cells(self) -> list[tuple[object, ...]]:
        """Everything that is seen."""
        return seen(self.screen)

    @property
    def at_cursor(self) -> str:
        """The rest of the line from the cursor on."""
        return self.screen.display[self.screen.cursor.y][self.screen.cursor.x :].rstrip()

    def send_signal(self, number: signal.Signals) -> None:
        self.program.send_signal(number)

    def drop_line(self) -> None:
        """What the program sees when the connection breaks."""
        os.close(self._line)
        self._line = -1

    def close(self) -> None:
        """End what may still run."""
        if self._line >= 0:
            self.drop_line()
        if self.program.poll() is None:
            self.program.kill()
        self.program.wait()

    def _read(self, seconds: float) -> bool:
        """Take in what comes next; False when nothing came in time, or the program has closed its end."""
        if self._line < 0 or not select.select([self._line], [], [], max(0.0, seconds))[0]:
            return False
        data = b""
        with suppress(OSError):  # EIO: the program has ended
            data = os.read(self._line, 65536)
        self.output += data
        if SYNCHRONIZED_OUTPUT[0] in data:
            os.write(self._line, SYNCHRONIZED_OUTPUT[1])
        data = self._pending + data
        cut = UNFINISHED.search(data)
        end = cut.start() if cut else len(data)
        self._pending = data[end:]
        self._stream.feed(BEYOND_PYTE.sub(b"", data[:end]))
        return bool(data)


@contextmanager
def terminal(*arguments: str, **environment: str) -> Iterator[Terminal]:
    """A program in a terminal as a login over SSH gives it, with these variables besides."""
    with closing(Terminal(arguments, _login(environment), SIZE)) as there:
        yield there


@contextmanager
def serial_console(*arguments: str, **environment: str) -> Iterator[Terminal]:
    """The same on a line that tells no size."""
    with closing(Terminal(arguments, _login(environment), (0, 0))) as there:
        yield there


def _login(environment: Mapping[str, str]) -> Mapping[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TEXTUAL")}
    return {**plain, "TERM": "xterm-256color", **environment}
