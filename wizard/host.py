"""Look: what is true on this host, read once and never changed.

Everything comes from psutil and the standard library; what cannot be read for want of rights is
said, never guessed.
"""

from __future__ import annotations

import os
import pwd
import socket
import sys
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from shutil import which

from wizard.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running program, with what an operator would look up about it."""

    pid: int
    arguments: tuple[str, ...] = field(repr=False)
    """The command line, program word included; empty when it may not be read. It may hold secrets."""
    program: str
    """Base name of what runs: the script's name when an interpreter runs one."""
    directory: Path | None
    """Working directory; None when it may not be read."""
    user: str
    started: datetime
    listening: tuple[tuple[str, int], ...]
    """(address, port) of each TCP socket it listens on, as far as it may be read."""
    launcher: Path | None = None
    """The script that started it, when an ancestor is a shell running one."""
    restart: tuple[str, ...] = ()
    """The command by which its supervisor restarts it, when there is one."""

    @property
    def readable(self) -> bool:
        """Whether this user may see the working directory of the process."""
        return self.directory is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One look at this host."""

    name: str
    """Host name without domain, as `hostname` prints it."""
    fqdn: str
    addresses: tuple[str, ...]
    """Addresses of this host that others can use: no loopback, link-local or container bridges."""
    user: str
    root: bool
    services: tuple[Service, ...] = ()
    sudo: str = ""
    """The full path of sudo(8), where there is one and the user is not root already; else empty."""
    command: tuple[str, ...] = ()
    """The full command that starts the wizard again, for "run this with sudo"."""
    arguments: tuple[str, ...] = ()
    """The words that give this command again; empty in the screens."""
    state: State = field(default_factory=State.default, repr=False)
    """Where the wizard remembers what it has done here."""

    def running(self, *programs: str) -> tuple[Service, ...]:
        """The services whose program has one of these base names."""
        return tuple(service for service in self.services if service.program in programs)


def look() -> Host:
    """Read this host. Takes tens of milliseconds; processes that end meanwhile are left out."""
    from wizard import processes

    name = socket.gethostname() or "localhost"
    return Host(
        name=name.split(".")[0],
        fqdn=_fqdn(name),
        addresses=processes.addresses(),
        user=_user_name(os.geteuid()),
        root=os.geteuid() == 0,
        sudo=(which("sudo") or "") if os.geteuid() else "",
        services=processes.services(),
        command=own_command(),
    )


def own_command() -> tuple[str, ...]:
    """How this program was started, with full paths: sudo does not keep the user's PATH."""
    started = Path(sys.argv[0])
    if started.name == "tls-wizard":
        return (str(started.resolve()),)
    return (sys.executable, "-m", "wizard")


def _fqdn(name: str) -> str:
    """The name with its domain, from the kernel or /etc/hosts; a resolver could hang for seconds."""
    if "." in name:
        return name
    try:
        lines = Path("/etc/hosts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return name
    for line in lines:
        names = line.partition("#")[0].split()[1:]
        if name in names and "." in names[0]:
            return names[0]
    return name


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
