"""What the first screen says of the nginx on this host."""

from __future__ import annotations

from collections.abc import Iterator
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


def found(host: Host) -> Found:
    """What is known of it from its process and its files."""
    nginx = install.find(host)
    if nginx is None:
        return Found(False, "not found here")
    runs = nginx.service is not None
    state = f"runs here: {nginx.number}" if runs else f"{nginx.number} is installed, does not run"
    details = [str(nginx.config)]
    try:
        there = servers.read(nginx.config)
    except PermissionError:
        return Found(runs, state, (*details, "Only root can read its configuration."))
    except (OSError, Refusal) as error:
        return Found(runs, state, tuple(details), (Warning(str(error)),))
    with_tls = [one for one in there.all if one.tls]
    state += f", {_count(len(there.all), 'server')}, {len(with_tls)} with TLS"
    ends = [end for one in with_tls for end in _ends(there, one)]
    if ends:
        state += f", {(min(ends) - datetime.now(UTC)).days} days left"
    details += [_words(one) for one in there.all[:_SHOWN]]
    if len(there.all) > _SHOWN:
        details.append(f"and {_count(len(there.all) - _SHOWN, 'more server')}")
    return Found(runs, state, tuple(details))


def _words(server: Server) -> str:
    to = f" -> {server.proxied_to()}" if server.proxied_to() else ""
    how = "TLS" if server.tls else "to https" if server.redirects else "plain HTTP"
    return f"{server.label}, {how}{to}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _ends(there: Servers, server: Server) -> Iterator[datetime]:
    """When its certificates end, as far as they can be read."""
    from wizard.material.certificates import read_certificates_pem

    for one in there.effective(server, "ssl_certificate"):
        try:
            pem = read_small(Path(there.tree.absolute(one.arguments[0])))
            yield read_certificates_pem(pem)[0].not_valid_after_utc
        except (OSError, MaterialError, IndexError):
            continue
