"""What a Nano node with 1,000 clients costs, here and by a loop of its guide's commands.

`python -m tests.bench.bench_nano` prints the time of the plan and of the writing, the number of files and the
peak memory of one run, and the plan of a second run, which changes nothing. The guide makes each client by
three commands (nano-https-configuration.md: req, x509 -subject_hash, ln -s); these run for 50 clients and the
time is scaled. The guide's keys are RSA 2048, which a tenth of the clients get; ECDSA P-256 is the wizard's
default. What is written here is flushed to the disk, file by file; what the commands write is not.
"""

from __future__ import annotations

import resource
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.bench_certificates import ALGORITHMS, milliseconds, openssl
from tests.targets.nano_plans import Setup
from wizard import transaction
from wizard.material.key_types import KeyType
from wizard.plan import File, Link
from wizard.preview import text
from wizard.review import examined

CLIENTS = 1_000
LOOPED = 50
"""Clients that the loop is run for."""


def by_the_guide(folder: Path, key_type: KeyType, clients: int) -> None:
    """The guide's commands for each client."""
    for number in range(clients):
        name = f"rpcuser{number}"
        new = ("req", "-newkey", *ALGORITHMS[key_type], "-nodes", "-keyout", f"{name}.key.pem")
        subject = ("-subj", f"/CN=rpc.user.{number}")
        openssl(folder, *new, "-x509", "-days", "365", "-out", f"{name}.cert.pem", *subject)
        digits = (
            openssl(folder, "x509", "-in", f"{name}.cert.pem", "-noout", "-subject_hash").decode().strip()
        )
        (folder / f"{digits}.0").symlink_to(f"{name}.cert.pem")


def seconds_by_the_guide(key_type: KeyType, clients: int) -> float:
    """Seconds for all clients, from those that the loop is run for."""
    looped = min(clients, LOOPED)
    with TemporaryDirectory() as folder:
        return milliseconds(partial(by_the_guide, Path(folder), key_type, looped)) / 1000 * clients / looped


def run(key_type: KeyType, clients: int) -> tuple[float, float]:
    """Print what a run and a second one cost; seconds of the first: its plan, its writing."""
    names = [f"rpc.user.{number}" for number in range(clients)]
    with TemporaryDirectory() as root:
        setup = Setup(Path(root))
        begun = time.perf_counter()
        plan = examined(setup.plan(clients=names, key_type=key_type.value))
        planned = time.perf_counter()
        preview = text(plan)
        shown = time.perf_counter()
        transaction.apply(plan, setup.state)
        written = time.perf_counter()
        again = examined(setup.plan(clients=names, key_type=key_type.value))
        found = time.perf_counter()
    files, links = (sum(isinstance(change, kind) for change in plan.changes) for kind in (File, Link))
    print(f"  plan made and examined {planned - begun:8.2f} s   {files:,} files, {links:,} links")
    print(f"  shown as text          {shown - planned:8.2f} s   {len(preview) / 1e6:.1f} MB")
    print(f"  written, flushed       {written - shown:8.2f} s")
    print(f"  second run, the plan   {found - written:8.2f} s   {len(again.changes)} changes")
    return planned - begun, written - shown


def main(clients: int = CLIENTS) -> None:
    """Print the table."""
    for key_type in ALGORITHMS:
        if key_type is KeyType.RSA_2048:  # making the keys is all that takes time
            clients = max(1, clients // 10)
        print(f"{clients:,} clients of a Nano node, {key_type.label}")
        planned, written = run(key_type, clients)
        if key_type is KeyType.ECDSA_P256:  # the first run; the peak never falls
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"  peak memory            {peak:8.0f} MB")
        theirs = seconds_by_the_guide(key_type, clients)
        print(f"  the guide's commands   {theirs:8.2f} s   scaled from {min(clients, LOOPED)} clients")
        print(f"  ratio to the plan      {theirs / planned:8.1f}")
        print(f"  ratio to plan, writing {theirs / (planned + written):8.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
