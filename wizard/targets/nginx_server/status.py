"""What the first screen says of the nginx on this host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from wizard.errors import Refusal
from wizard.host import Host
from wizard.material import MaterialError
from wizard.plan import Warning
from wizard.small_files import read_small
from wizard.targets import Found
from wizard.targets.nginx_server import install, servers
from wizard.targets.nginx_server.servers import Server, Servers

_SHOWN = 4
_NAMES = 3
_READ = 500
"""Certificates; of a host with more, none is read before the first frame."""


def found(host: Host) -> Found:
    """What is known of it from its process and its files."""
    nginx = install.find(host)
    if nginx is None:
        return Found(False, "not found here")
    runs = nginx.service is not None
    state = f"runs here: {nginx.number}" if runs else f"{nginx.number} is installed, does not run"
    details = [str(nginx.config)]
    others = [one for one in install.masters(host) if nginx.service is None or one.pid != nginx.service.pid]
    if others:
        pids = ", ".join(f"pid {one.pid} of {one.user}" for one in others)
        details.append(f"More of them run here: {pids}. The main file decides which is meant.")
    try:
        there = servers.read(nginx.config)
    except PermissionError:
        return Found(runs, state, (*details, "Only root can read its configuration."))
    except OSError as error:
        said = f"{error.filename or nginx.config} cannot be read: {error.strerror}."
        return Found(runs, state, tuple(details), (Warning(said),))
    except Refusal as error:
        return Found(runs, state, tuple(details), (Warning(str(error)),))
    with_tls = [one for one in there.all if one.tls]
    state += f", {_count(len(there.all), 'server')}, {len(with_tls)} with TLS"
    files = {path for one in with_tls for path in there.certificates(one)}
    if ends := list(_ends(files)) if len(files) <= _READ else []:
        state += f", {(min(ends) - datetime.now(UTC)).days} days left"
    details += [_words(there, one) for one in there.all[:_SHOWN]]
    if len(there.all) > _SHOWN:
        details.append(f"and {_count(len(there.all) - _SHOWN, 'more server')}")
    return Found(runs, state, tuple(details))


def _words(there: Servers, server: Server) -> str:
    """A server in a line: names, where it listens, what it speaks, what it passes on to, its file."""
    names = " ".join(server.names[:_NAMES]) + (" …" if len(server.names) > _NAMES else "")
    where = ", ".join(f"{'' if address == '*' else f'{address}:'}{port}" for address, port in server.sockets)
    to = f", to {server.proxied_to()}" if server.proxied_to() else ""
    return f"{names or '(no name)'} on {where}: {_how(there, server)}{to}; {server.block.source.path.name}"


def _how(there: Servers, server: Server) -> str:
    if not server.tls:
        return "redirects to https" if server.redirects else "plain HTTP"
    ends = min(_ends(there.certificates(server)), default=None)
    return f"TLS until {ends:%Y-%m-%d}" if ends else "TLS"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _ends(files: Iterable[str]) -> Iterator[datetime]:
    """When these certificates end, as far as they can be read."""
    from wizard.material.certificates import read_certificates_pem

    for file in files:
        try:
            yield read_certificates_pem(read_small(Path(file)))[0].not_valid_after_utc
        except (OSError, MaterialError, IndexError):
            continue
