"""What a client certificate costs, here and by a loop of the openssl commands, side by side.

`python -m tests.bench.bench_certificates` makes keys and certificates for 100 clients under one authority, in
memory here, in a temporary folder by openssl, and prints milliseconds for each client.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from tests.targets.grpc_plans import grpc_box, plan_of
from wizard import transaction
from wizard.material.authority import Authority, new_authority
from wizard.material.certificates import certificate_pem
from wizard.material.key_types import KeyType
from wizard.material.keys import generate, private_pem
from wizard.material.subject import Subject
from wizard.secret import Secret

CLIENTS = 100

_EXTENSIONS = """\
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""

ALGORITHMS = {
    KeyType.ECDSA_P256: ("EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    KeyType.RSA_2048: ("RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
}


def here(authority: Authority, key_type: KeyType, passphrase: Secret | None = None) -> None:
    """One client by the library."""
    key = generate(key_type)
    leaf = authority.issue_client(key.public_key(), Subject("rpc.user.1"), 397, datetime.now(UTC))
    assert private_pem(key, passphrase)
    assert certificate_pem(leaf)


def by_openssl(folder: Path, key_type: KeyType) -> None:
    """One client by three commands, of the same recipe."""
    algorithm, *options = ALGORITHMS[key_type]
    openssl(folder, "genpkey", "-algorithm", algorithm, *options, "-out", "client.key")
    openssl(folder, "req", "-new", "-key", "client.key", "-subj", "/CN=rpc.user.1", "-out", "client.csr")
    signing = ["-in", "client.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "397"]
    openssl(folder, "x509", "-req", *signing, "-extfile", "client.cnf", "-out", "client.crt")


def openssl(folder: Path, *arguments: str) -> bytes:
    """One command in a folder, and what it prints."""
    command = ["openssl", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60).stdout


def milliseconds(make: Callable[[], None]) -> float:
    """The time of one call."""
    begun = time.perf_counter()
    make()
    return (time.perf_counter() - begun) * 1000


def compare(key_type: KeyType, clients: int) -> tuple[float, float]:
    """Milliseconds for a client here and by openssl: the means, since those are what a batch takes.

    The two run in turn, since the speed of a machine drifts.
    """
    authority = new_authority(generate(key_type), Subject("Example CA"), 3650, datetime.now(UTC))
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ca.crt").write_bytes(certificate_pem(authority.certificate))
        (folder / "ca.key").write_bytes(private_pem(authority.key))
        (folder / "client.cnf").write_text(_EXTENSIONS)
        pairs = [
            (
                milliseconds(partial(here, authority, key_type)),
                milliseconds(partial(by_openssl, folder, key_type)),
            )
            for _ in range(clients)
        ]
    ours, theirs = zip(*pairs, strict=True)
    return mean(ours), mean(theirs)


def whole_run(clients: int) -> tuple[float, float]:
    """Milliseconds for the plan of a Hub with that many clients, and for writing it, flushed to the disk."""
    with TemporaryDirectory() as name:
        box = grpc_box(Path(name) / "box")
        names = [f"client.{number}" for number in range(clients)]
        begun = time.perf_counter()
        plan = plan_of(box, clients=names, protect=False)
        planned = time.perf_counter()
        transaction.apply(plan, box.state)
        return (planned - begun) * 1000, (time.perf_counter() - planned) * 1000


def main(clients: int = CLIENTS) -> None:
    """Print the table."""
    print(f"{clients} clients, milliseconds each")
    print(f"{'':34}{'here':>10}{'openssl':>10}{'ratio':>10}")
    for key_type in ALGORITHMS:
        ours, theirs = compare(key_type, clients)
        print(f"{key_type.label:34}{ours:10.2f}{theirs:10.2f}{theirs / ours:9.0f}x")
    authority = new_authority(generate(KeyType.ECDSA_P256), Subject("Example CA"), 3650, datetime.now(UTC))
    protected = partial(here, authority, KeyType.ECDSA_P256, Secret("a passphrase"))
    times = [milliseconds(protected) for _ in range(min(clients, 10))]
    print(f"{'ECDSA P-256, with a passphrase':34}{mean(times):10.2f}")
    planned, written = whole_run(clients)
    print(f"the whole run for {clients} clients: plan {planned:.0f} ms, written {written:.0f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
