"""A small host and a plan with one change of each kind, on which the crash tests are run."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NoReturn, TypeAlias

from wizard import files, transaction
from wizard.plan import Change, Command, Directory, File, Link, Owner, Plan
from wizard.state import State
from wizard.transaction import Progress

JAKE = Owner(12345, 23456)
KEY = b"THE SECRET KEY\n" * 100
SCRIPT = b"#!/bin/sh\nexec hub \\\n  --dbUser root\n" + b"# a comment of a careful operator\n" * 200
SECURED = SCRIPT.replace(b"root\n", b"root \\\n  --sslKey tls/key.pem\n", 1)

COMMIT = -1
"""Instead of a number of steps: just after the commit."""

Found: TypeAlias = tuple[bytes | str | None, int | None, int, int, dict[str, bytes]]
Tree: TypeAlias = dict[str, Found]


def make_host(root: Path) -> Path:
    """A folder with a start script that has an owner, a mode and an attribute of its own, and an old file."""
    host = root / "host"
    host.mkdir(parents=True, exist_ok=True)
    script, old = host / "start.sh", host / "old.pem"
    script.write_bytes(SCRIPT)
    old.write_bytes(b"OLD CERTIFICATE\n")
    if os.geteuid() == 0:
        os.chown(script, JAKE.uid, JAKE.gid)
        for path in (script, old):
            os.setxattr(path, "trusted.note", b"kept")
    script.chmod(0o750)
    old.chmod(0o640)
    return host


def plan_for(host: Path, *more: Change, validations: tuple[Command, ...] = ()) -> Plan:
    """A folder, a secret key, a certificate, a link, an edit, a removal."""
    owner = JAKE if os.geteuid() == 0 else None
    return Plan(
        target="hub-rest",
        title="Secure IOTA Hub",
        changes=(
            Directory(path=host / "tls", mode=0o750, owner=owner),
            File(path=host / "tls/key.pem", before=None, after=KEY, mode=0o600, owner=owner, secret=True),
            File(path=host / "tls/cert.pem", before=None, after=b"CERTIFICATE\n", mode=0o644),
            Link(path=host / "tls/1234abcd.0", before=None, after="./cert.pem"),
            File(path=host / "start.sh", before=SCRIPT, after=SECURED, hidden=(b"root",)),
            File(path=host / "old.pem", before=b"OLD CERTIFICATE\n", after=None),
            *more,
        ),
        validations=validations,
    )


def edit(path: Path, after: bytes = b"new") -> Plan:
    """Replace the content of a file."""
    return Plan(target="t", title="Edit", changes=(File(path=path, before=path.read_bytes(), after=after),))


def creation(path: Path, *, secret: bool = False) -> Plan:
    """Make a file."""
    change = File(path=path, before=None, after=b"content", mode=0o600, secret=secret)
    return Plan(target="t", title="Create", changes=(change,))


def tree(root: Path) -> Tree:
    """Everything under a folder by relative name: content, mode, owner, extended attributes."""
    found: Tree = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content: bytes | str | None = None
        if path.is_symlink():
            content = os.readlink(path)  # noqa: PTH115 - a Path would turn "./x" into "x"
        elif path.is_file():
            content = path.read_bytes()
        mode = None if path.is_symlink() else stat.S_IMODE(status.st_mode)
        name = str(path.relative_to(root))
        found[name] = (content, mode, status.st_uid, status.st_gid, files.get_attributes(path))
    return found


class Killed(BaseException):
    """Stands for a kill."""


def apply_until_killed(plan: Plan, state: State, *, after: int, in_place: bool = False) -> None:
    """Apply a plan, and leave the disk as a kill after so many steps would: nothing is given back."""

    def kill(progress: Progress) -> None:
        if progress.done == after:
            raise Killed

    def die(*_: object) -> NoReturn:
        raise Killed

    engine = vars(transaction)
    real = {name: engine[name] for name in ("_give_back", "_complete")}
    engine.update(dict.fromkeys(real, die))
    try:
        transaction.apply(plan, state, kill, in_place=in_place)
    except Killed:
        return
    finally:
        engine.update(real)
