"""Mono: whether it can serve TLS, and where its HttpListener looks for certificates."""

from __future__ import annotations

from pathlib import Path
from shutil import which

from wizard.host import Host
from wizard.programs import asked
from wizard.targets.santedb_server.processes import Running, config_home

WORKING = (6, 8)
"""The first version whose HttpListener serves TLS again."""
BROKEN = (5, 20)
"""The first whose does not (mono #14152, #14721, #16189)."""


def listener_folder(user: str, running: Running | None) -> Path:
    """Where Mono's HttpListener looks for the certificate and the key of a port; KeyError: no such account.

    Not ~/.mono/httplistener, as httpcfg(1) has it, and in none of Mono's certificate stores.
    """
    environment = running.environment if running and running.service.user == user else {}
    home = config_home(user, environment)
    if home is None:
        raise KeyError(user)
    return home / ".mono" / "httplistener"


def version_of(host: Host, process: Running | None) -> tuple[int, ...]:
    """The version of Mono that runs the service, else of the one that is installed. ValueError: not known."""
    program, user = _mono(process), ""
    if process and host.root:
        user = process.service.user
    if program is None:
        raise ValueError("Mono is not found here.")
    if process and not host.root and process.service.user != host.user:
        raise ValueError(f"Mono runs as {process.service.user}, so it is not asked for its version.")
    try:
        said = asked(program, "--version", user=user)
    except (OSError, KeyError):
        raise ValueError(f"{program} cannot be asked for its version.") from None
    words = (said or "").split()
    number = words[words.index("version") + 1] if "version" in words[:-1] else ""
    parts = number.split(".")
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise ValueError(f"{program} does not tell its version.")
    return tuple(map(int, parts))


def _mono(process: Running | None) -> Path | None:
    if process:
        try:
            return Path(f"/proc/{process.service.pid}/exe").resolve(strict=True)
        except OSError:
            return None
    found = which("mono")
    return Path(found) if found else None


def problem(number: tuple[int, ...]) -> str:
    """Why this version of Mono cannot serve TLS; empty when it can."""
    if not BROKEN <= number < WORKING:
        return ""
    told = ".".join(map(str, number))
    return f"Mono {told} does not serve TLS: of 5.20 to 6.7 it is broken. Install 6.8 or later, or use nginx."


def misplaced(folder: Path) -> Path | None:
    """The folder that httpcfg(1) names in place of this one, where there is something in it."""
    other = folder.parents[2] / ".mono" / "httplistener"
    try:
        return other if other != folder and any(other.iterdir()) else None
    except OSError:
        return None
