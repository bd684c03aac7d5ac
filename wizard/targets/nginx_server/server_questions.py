"""What is asked about the server that is secured: one that is there, or a new one before a service."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from wizard.errors import Refusal
from wizard.host import Host
from wizard.kinds import Choice, FilePath, HostAndPort, PerhapsFilePath, Several, YesNo
from wizard.material import MaterialError
from wizard.material.names import read_name
from wizard.probe import bracketed
from wizard.questions import Page, question
from wizard.rights import as_root, cannot_write
from wizard.sheet import Missing
from wizard.targets.checked_clients import CheckedClients
from wizard.targets.nginx_server import install, servers, sites, upstreams
from wizard.targets.nginx_server.install import Nginx
from wizard.targets.nginx_server.servers import Server, Servers, Socket
from wizard.targets.nginx_server.upstreams import is_free
from wizard.targets.santedb_server import behind
from wizard.targets.santedb_server.behind import Behind

if TYPE_CHECKING:
    from wizard.host import Service

NEW = "new"

SITE_PAGE = Page("site", "the server")


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class ServerQuestions(CheckedClients):
    """Which server, and what is known of it."""

    if TYPE_CHECKING:
        https_port: int

    config: Path = question(
        "Main file",
        FilePath(),
        page=SITE_PAGE.key,
        help="nginx.conf; the files that it includes are read too.",
        more="What the running nginx was started with, else what it was built with.",
    )
    site: str = question(
        "Server",
        Choice(((NEW, "a new one"),)),
        page=SITE_PAGE.key,
        help="Secure one that is there, or put a new one before a service.",
        more="A server that is there is edited in place and keeps all that it does. Servers that only "
        "redirect to https are not offered.",
    )
    server_name: tuple[str, ...] = question(
        "Server names",
        Several(lambda text: str(read_name(text))),
        page=SITE_PAGE.key,
        help="The names that clients write in the URL, with commas.",
        more="nginx chooses the server by them.",
    )
    upstream: str = question(
        "Service behind it",
        HostAndPort(),
        page=SITE_PAGE.key,
        help="Where the service listens, without TLS: host and port.",
        more="Requests are passed on there. It should listen on 127.0.0.1 or ::1 alone, or else everybody "
        "goes on reaching it without TLS.",
    )
    santedb_config: Path | None = question(
        "SanteDB's config",
        PerhapsFilePath(),
        page=SITE_PAGE.key,
        help="Only where SanteDB is behind it: it is told its public address.",
        more="As baseAddress; without it SanteDB sends its clients to the address inside, past nginx. It "
        "takes effect when SanteDB is restarted.",
    )
    santedb_loopback: bool = question(
        "For nginx alone",
        YesNo(),
        page=SITE_PAGE.key,
        help="Yes: SanteDB listens on 127.0.0.1, so that nobody gets past nginx.",
        more="Its endpoints on that port then answer to this host alone. No leaves them open to everybody, "
        "without TLS.",
    )
    directory: Path = question(
        "Folder for files", FilePath(), page=SITE_PAGE.key, help="Certificates and keys are written here."
    )

    # What is there ------------------------------------------------------------------------------------------

    def nginx(self, host: Host) -> Nginx:
        """The nginx with this configuration. Raises Refusal when there is none."""
        found = install.find(host, self.config)
        if found is None:
            raise Refusal(self.config, "No nginx can be found on this host.", "Install it first.")
        return found

    @property
    def servers(self) -> Servers:
        """What the configuration holds, kept for these answers: rules ask for it some thirty times.

        Raises OSError or Refusal.
        """
        kept = vars(self)
        if "_servers" not in kept:
            kept["_servers"] = servers.read(self.config)
        found: Servers = kept["_servers"]
        return found

    def anew(self) -> Self:
        """The same answers, for which the configuration is read again: it may have changed since."""
        made = copy(self)
        vars(made).pop("_servers", None)
        return made

    @property
    def is_new(self) -> bool:
        """Whether a server is to be made."""
        return self.site == NEW

    @property
    def server(self) -> Server | None:
        """The server that is secured; None while a new one has not been made."""
        if not self.is_new:
            return self.servers.by_key.get(self.site)
        return next((one for one in self.servers.all if self._is_ours(one) and one.tls), None)

    def _is_ours(self, server: Server) -> bool:
        """Whether a server is one that was made for these answers."""
        if set(server.names) != set(self.server_name) or sites.MADE_BY not in server.block.remark_above:
            return False
        return any(port == self.https_port for _, port in server.sockets)

    @property
    def place(self) -> sites.Place | None:
        """Where a new server belongs; None: into the main file."""
        port = "" if self.https_port == 443 else f"-{self.https_port}"
        name = self.server_name[0].replace("*.", "wildcard.").replace(":", "_")
        found = sites.place(self.servers, f"{name}{port}")
        if found and self.takes_over(found):  # read last, it leaves the default server what it is
            last = sites.place(self.servers, f"zz-{name}{port}")
            return last if last and not self.takes_over(last) else found
        return found

    def takes_over(self, place: sites.Place) -> tuple[Socket, Server] | None:
        """Where the new server would answer for another to names that nginx does not know."""
        ports = [self.https_port, *([vars(self)["http_port"]] if vars(self).get("redirect") else [])]
        sockets = (socket for port in ports for socket in sites.sockets_for(self.servers, port))
        return sites.taken_over(self.servers, place.included, sockets)

    def server_names(self) -> tuple[str, ...]:
        """The names that it answers to, as far as a certificate can have them."""
        if self.is_new:
            return self.server_name
        server = self.server
        return tuple(names_for_certificates(server.names)) if server else ()

    def running(self, host: Host) -> Service | None:
        found = install.find(host, self.config)
        return found.service if found else None

    @property
    def belongings(self) -> Path:
        return self.config

    # Rules --------------------------------------------------------------------------------------------------

    def default_config(self, host: Host) -> Path:
        found = install.find(host)
        if found is None:
            raise Missing("No nginx can be found on this host. Install it first, or give its main file.")
        return found.config

    def check_config(self, host: Host, value: Path) -> str | None:
        try:
            if not value.is_file():
                return "There is no such file. Give nginx's main file, usually /etc/nginx/nginx.conf."
            servers.read(value)
        except PermissionError as error:
            return f"{error.filename} cannot be read. {as_root(host, self.key)}"
        if problem := cannot_write(value, host, self.key):
            return problem
        found = install.find(host, value)
        if found is None:
            return "No nginx can be found on this host. Install it first."
        return None if found.tls else f"{found.program} was built without TLS (http_ssl_module)."

    def options_site(self, host: Host) -> tuple[tuple[str, str], ...]:
        there = (
            (key, f"{server.label}{' with TLS' if server.tls else ''}")
            for key, server in self.servers.by_key.items()
        )
        return ((NEW, "a new one"), *there)

    def default_site(self, host: Host) -> str:
        return NEW

    def check_site(self, host: Host, value: str) -> str | None:
        server = self.servers.by_key.get(value)
        if server is None:
            return None
        if managed := server.by_certbot:
            return (
                f"Certbot looks after the certificate of this server ({managed.where}) and would put its own "
                "back. Leave it to Certbot, or take it away from there first: certbot delete."
            )
        if any("proxy_protocol" in listen.options for listen in server.listens):
            return "It takes the PROXY protocol from a load balancer. Secure the load balancer instead."
        if self.servers.rejects(server):
            return "It ends every handshake (ssl_reject_handshake). Choose another server, or a new one."
        if not server.sockets:
            return "It listens on a socket of Unix only, so no client from elsewhere reaches it."
        return None

    def caution_site(self, host: Host, value: str) -> str | None:
        server = self.servers.by_key.get(value)
        if server is None:
            return None
        twins = [one for one in self.servers.all if one.label == server.label and one is not server]
        where = f"There is another of this name and port. This one stands in {server.block.where}."
        return where if twins else None

    def applies_server_name(self, host: Host) -> bool:
        return self.is_new

    def default_server_name(self, host: Host) -> tuple[str, ...]:
        return (host.fqdn,)

    def applies_upstream(self, host: Host) -> bool:
        return self.is_new

    def default_upstream(self, host: Host) -> str:
        for endpoint, _ in upstreams.suggestions(host):
            return str(endpoint)
        raise Missing("This is needed: where the service listens, such as 127.0.0.1:8080.")

    def check_upstream(self, host: Host, value: str) -> str | None:
        name, _, port = value.rpartition(":")
        if name in ("127.0.0.1", "[::1]", "localhost") and self.servers.on_port(int(port)):
            return f"nginx itself listens on port {port}: requests would go round in a circle."
        return None

    def caution_upstream(self, host: Host, value: str) -> str | None:
        name, _, digits = value.rpartition(":")
        port = int(digits)
        if at := upstreams.open_to_others(host, port):
            main = vars(self).get("santedb_config", self._santedb_on(host, name, port))
            if main and behind.read(host, main, port, "", loopback=True).is_closed:
                return None  # whether it is to be so is asked
            return f"It listens on {at}, where others reach it without TLS. Bind it to 127.0.0.1 or ::1."
        here = name in ("127.0.0.1", "[::1]", "localhost")
        return f"Nothing listens on port {port} of this host now." if here and is_free(port) else None

    def applies_santedb_config(self, host: Host) -> bool:
        return self.is_new and any(True for _ in behind.configurations(host))

    def default_santedb_config(self, host: Host) -> Path | None:
        name, _, port = self.upstream.rpartition(":")
        return self._santedb_on(host, name, int(port))

    def _santedb_on(self, host: Host, name: str, port: int) -> Path | None:
        return behind.on_port(host, port) if behind.is_here(host, name) else None

    def check_santedb_config(self, host: Host, value: Path | None) -> str | None:
        if value is None:
            return None
        there = self.santedb_at(host, value, loopback=False)
        if not there.endpoints:
            return f"It has no endpoint on port {self._upstream_port}, where the service is to be."
        if any(address.scheme == "https" for _, address in there.endpoints):
            return f"Its port {there.port} speaks TLS itself. Set its endpoints back to http first."
        if len(hosts := replace(there, loopback=True).hosts) > 1:
            return (
                f"Its endpoints on port {there.port} listen on several hosts ({', '.join(hosts)}), which the "
                "system does not allow: give all of them the same one first."
            )
        if self._public_name is None:
            return (
                "Clients are told one address, and each of the server names stands for many: add a full one."
            )
        return cannot_write(there.found.file.path, host, self.key)

    def caution_santedb_config(self, host: Host, value: Path | None) -> str | None:
        if value is None:
            return None
        if not behind.is_here(host, self.upstream.rpartition(":")[0]):
            return f"This SanteDB is on this host. Make sure that {self.upstream} leads to it, to no other."
        if other := behind.another_at(host, value, self._upstream_port):
            return (
                f"{other.program} (pid {other.pid}) listens on port {self._upstream_port} now, not a SanteDB "
                "with this configuration."
            )
        return None

    def applies_santedb_loopback(self, host: Host) -> bool:
        if self.santedb_config is None:
            return False
        there = self.santedb_at(host, self.santedb_config, loopback=False)
        return there.is_open or behind.LOOPBACK in there.hosts

    def default_santedb_loopback(self, host: Host) -> bool:
        return True

    def check_santedb_loopback(self, host: Host, value: bool) -> str | None:
        name, _, port = self.upstream.rpartition(":")
        if not value or not self._santedb_is_open(host) or name in (behind.LOOPBACK, "localhost"):
            return None
        return (
            f"Then nginx does not reach it at {self.upstream} any more: give {behind.LOOPBACK}:{port} as the "
            "service behind it."
        )

    def caution_santedb_loopback(self, host: Host, value: bool) -> str | None:
        if value or not self._santedb_is_open(host):
            return None
        return "DANGER: whoever reaches its port goes on using SanteDB without TLS."

    def _santedb_is_open(self, host: Host) -> bool:
        main = self.santedb_config
        return main is not None and self.santedb_at(host, main, loopback=False).is_open

    @property
    def _upstream_port(self) -> int:
        return int(self.upstream.rpartition(":")[2])

    def santedb_at(self, host: Host, main: Path, *, loopback: bool) -> Behind:
        """The SanteDB behind it. Raises OSError or Refusal."""
        port = vars(self).get("https_port", 443)
        url = f"https://{bracketed(self._public_name or '')}{'' if port == 443 else f':{port}'}"
        return behind.read(host, main, self._upstream_port, url, loopback=loopback)

    @property
    def _public_name(self) -> str | None:
        """The first name that clients can call; None where each stands for many."""
        return next((name for name in self.server_name if not name.startswith("*")), None)

    def santedb(self, host: Host) -> Behind | None:
        """The same as it is to be; None where something else is behind it."""
        if not self.is_new or self.santedb_config is None:
            return None
        return self.santedb_at(host, self.santedb_config, loopback=bool(vars(self).get("santedb_loopback")))

    def default_directory(self, host: Host) -> Path:
        name = self.server_name[0] if self.is_new else self.site
        safe = "".join(letter if letter.isalnum() or letter in ".-_" else "_" for letter in name)
        return self.config.parent / "tls" / (safe.strip(".") or "server")

    def check_directory(self, host: Host, value: Path) -> str | None:
        if "$" in str(value):
            return "nginx takes a $ in a path for a variable. Give another folder."
        loaded = next((path for path in self.files(value) if self.servers.tree.loads(path)), None)
        if loaded is not None:
            return f"nginx loads the files of {loaded.parent} as configuration. Give another folder."
        if other := self._served_from(value):
            return (
                f"The server {other.label} has its certificate from this folder, and it would be exchanged. "
                "Give another folder."
            )
        return super().check_directory(host, value)

    def _served_from(self, folder: Path) -> Server | None:
        """Another server with a certificate from this folder."""
        ours, pair = self.server, {str(path) for path in self.files(folder)[:2]}
        mine = set(self.servers.certificates(ours)) if ours else set()
        found = (one for one in self.servers.all if one is not ours)
        return next((one for one in found if pair & set(self.servers.certificates(one)) - mine), None)

    def served_name(self, host: Host) -> str:
        names = (name for name in self.server_names() if not name.startswith("*"))
        return next(names, host.name)


def names_for_certificates(names: tuple[str, ...]) -> Iterator[str]:
    """The names of a server as a certificate has them; not patterns, and not the `_` of a catch-all."""
    for name in names:
        for each in (name[1:], f"*{name}") if name.startswith(".") else (name,):
            try:
                if each != "_":
                    yield str(read_name(each))
            except MaterialError:
                continue
