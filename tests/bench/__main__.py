"""Prints what the wizard costs: the time to the first frame, memory, the engine. Bytes: bench_wire.py.

Programs to compare run in turn, since the speed of a machine drifts; the medians are shown.
"""

from __future__ import annotations

import compileall
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from tests.screens.pty_terminal import terminal
from wizard.demo.sandbox import furnish
from wizard.host import Host
from wizard.sheet import fill_in
from wizard.targets.hub import script as hub_script
from wizard.targets.hub_rest import HubRest

ROUNDS = 11
HELLO = (sys.executable, "-m", "tests.bench.hello")
WIZARD = (sys.executable, "-m", "wizard")


def table(title: str, rows: list[tuple[str, str]]) -> None:
    """One table: what, and how much."""
    print(f"\n{title}")
    for what, value in rows:
        print(f"  {what:<44}{value:>14}")


def first_frame(command: tuple[str, ...], seen: str) -> float:
    """Milliseconds from the start of a program until its screen shows a text."""
    with tempfile.TemporaryDirectory() as state:
        start = time.perf_counter()
        with terminal(*command, TLS_WIZARD_STATE=state) as there:
            there.wait_for(seen)
            return (time.perf_counter() - start) * 1000


def milliseconds(run: Callable[[], object], rounds: int = ROUNDS) -> str:
    """The median time of a call."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    return f"{median(times):.1f} ms"


def version() -> None:
    """One run of `tls-wizard --version`."""
    subprocess.run([*WIZARD, "--version"], capture_output=True, check=True)


def start_up() -> None:
    """The first frame, side by side with the least there can be."""
    hello, wizard = [], []
    for _ in range(ROUNDS):
        hello.append(first_frame(HELLO, "Hello"))
        wizard.append(first_frame(WIZARD, "What shall be secured?"))
    ratio = median(one / other for one, other in zip(wizard, hello, strict=True))
    rows = [
        ("Textual's hello world", f"{median(hello):.0f} ms"),
        ("tls-wizard", f"{median(wizard):.0f} ms"),
        ("ratio, median of the pairs (goal 1.3)", f"{ratio:.2f}"),
        (
            "tls-wizard --version",
            milliseconds(lambda: subprocess.run([*WIZARD, "--version"], capture_output=True, check=True)),
        ),
    ]
    table(f"First frame, {ROUNDS} runs each in turn", rows)


def memory() -> None:
    """The peak on the whole way."""
    with terminal(*WIZARD, "--demo") as there:
        for keys, seen in (
            ((), "There is no backslash"),
            (("enter",), "page 1 of 2"),
            (("enter",), "page 2 of 2"),
            (("enter",), "nothing written yet"),
            (("enter",), "Write 4 changes"),
            (("left", "enter"), "Done: 4 changes."),
            (("enter",), "roven:"),
        ):
            there.press(*keys)
            there.wait_for(seen)
            there.settle()
        peak = Path(f"/proc/{there.program.pid}/status").read_text().partition("VmHWM:")[2].split()[0]
    table("Memory", [("peak, after the proof", f"{int(peak) / 1024:.0f} MB")])


def engine() -> None:
    """The parts that a user waits for, on the sample Hub."""
    with tempfile.TemporaryDirectory() as folder:
        script = furnish(Path(folder)).hub / "start.sh"
        here = Host(name="signer", fqdn="signer", addresses=("10.0.0.5",), user="root", root=False)
        flags = {"authMode": "ssl", "sslCert": "/c.pem", "sslKey": "/k.pem", "sslDH": "/d.pem"}

        def edit() -> None:
            hub_script.set_flags(hub_script.read(script, script.read_bytes()), flags)

        def answers(key_type: str = "ecdsa-p256") -> HubRest:
            filled = fill_in(HubRest, {"start_script": str(script), "key_type": key_type}, here).answers
            assert filled is not None
            return filled

        rows = [
            ("read and edit a start script", milliseconds(edit)),
            ("fill in the answers (at each letter)", milliseconds(answers)),
        ]
        for key_type in ("ecdsa-p256", "rsa-2048", "rsa-3072", "rsa-4096"):
            plan = partial(answers(key_type).plan, here)
            rows.append((f"plan with {key_type}", milliseconds(plan, 5)))
    table("The engine", rows)


if __name__ == "__main__":
    for package in ("wizard", "screens"):  # as it is once installed
        compileall.compile_dir(package, quiet=1)
    start_up()
    memory()
    engine()
