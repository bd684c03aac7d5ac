"""What is asked about an nginx, and the rules of the answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.errors import Refusal
from wizard.host import Host
from wizard.kinds import Choice, FilePath, HostAndPort, Passphrase, Several, Whole, YesNo
from wizard.material import MaterialError
from wizard.material.names import read_name
from wizard.questions import Page, question
from wizard.rights import as_root, cannot_write
from wizard.secret import Secret
from wizard.sheet import Missing
from wizard.targets.certificate.base import EXISTING, OWN, PRIVATE_CA
from wizard.targets.checked_clients import CheckedClients
from wizard.targets.client_questions import PAGE_KEY
from wizard.targets.nginx_server import install, servers, sites, upstreams
from wizard.targets.nginx_server.install import Nginx
from wizard.targets.nginx_server.profiles import Profile
from wizard.targets.nginx_server.servers import Server, Servers, Socket

if TYPE_CHECKING:
    from wizard.host import Service

NEW = "new"
NONE, FILE = "none", "file"

SITE_PAGE = Page("site", "the server")
PORTS_PAGE = Page("ports", "ports and rules")
CLIENTS_PAGE = Page(
    PAGE_KEY,
    "who may use it",
    "nginx can ask each client for a certificate. It takes the handshake of everybody, and refuses those "
    "without one by an error page (400).",
)
KEY_PAGE = Page("key", "the server's key")


@dataclass(frozen=True, kw_only=True)
class NginxQuestions(CheckedClients):
    """The questions about the server, beside those about certificates."""

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
    directory: Path = question(
        "Folder for files", FilePath(), page=SITE_PAGE.key, help="Certificates and keys are written here."
    )
    https_port: int = question(
        "Port for https",
        Whole(1, 65535),
        page=PORTS_PAGE.key,
        help="443, unless another program has it.",
    )
    with_others: bool = question(
        "Others as well",
        YesNo(),
        page=PORTS_PAGE.key,
        help="Other servers listen on this port without TLS; they speak TLS then too.",
        more="nginx switches TLS on for a port, not for a server. The others answer with this certificate "
        "then, and their clients have to write https://.",
    )
    redirect: bool = question(
        "Redirect",
        YesNo(),
        page=PORTS_PAGE.key,
        help="Yes sends plain HTTP on to https, with port and method kept (308).",
        more="The 301 of the guides turns POST into GET, and loses the port. What Certbot and its like "
        "ask for under /.well-known/acme-challenge/ is still answered without TLS.",
    )
    http_port: int = question(
        "Port for HTTP", Whole(1, 65535), page=PORTS_PAGE.key, help="The one from which is redirected."
    )
    profile: str = question(
        "TLS versions",
        Choice(tuple((profile.value, profile.label) for profile in Profile)),
        page=PORTS_PAGE.key,
        help="TLS 1.2 and 1.3 suit every client of the last ten years.",
        more="With the ciphers and curves that Mozilla recommends (guideline 6.0). TLS 1.0 and 1.1 can be "
        "broken.",
    )
    hsts: bool = question(
        "Bind browsers",
        YesNo(),
        page=PORTS_PAGE.key,
        help="Yes tells browsers to use https alone for two years (HSTS).",
        more="It cannot be taken back from a browser that has seen it. Only for a name with a certificate "
        "that every browser trusts; it holds for all ports of the name.",
    )
    client_ca: str = question(
        "Ask clients",
        Choice(((NONE, "no"), (OWN, "own CA"), (FILE, "CA in a file"))),
        page=PORTS_PAGE.key,
        help="For a certificate (mutual TLS), issued by whom.",
        more="own CA: an authority made on this host issues one to each client. CA in a file: yours, from "
        "elsewhere. Public authorities issue no certificates for clients any more.",
    )
    protect_key: bool = question(
        "Protect the key",
        YesNo(),
        page=KEY_PAGE.key,
        help="With a passphrase, which nginx reads from a file beside it.",
        more="The file (ssl_password_file) is readable for root alone, as the key is. It protects copies of "
        "the key alone, such as in a backup.",
    )
    server_passphrase: Secret = question(
        "Key's passphrase", Passphrase(), page=KEY_PAGE.key, help="The server's key is written under it."
    )

    # The host ---------------------------------------------------------------------------------------------

    def nginx(self, host: Host) -> Nginx:
        """The nginx with this configuration. Raises Refusal when there is none."""
        found = install.find(host, self.config)
        if found is None:
            raise Refusal(self.config, "No nginx can be found on this host.", "Install it first.")
        return found

    @property
    def servers(self) -> Servers:
        """What the configuration holds. Raises OSError or Refusal."""
        return servers.read(self.config)

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
        names = set(self.server_name)
        if set(server.names) != names:
            return False
        where = server.block.source.path
        place = self.place
        return where == Path(os.path.realpath(place.file if place else self.config))

    @property
    def place(self) -> sites.Place | None:
        """Where a new server belongs; None: into the main file."""
        port = "" if self.https_port == 443 else f"-{self.https_port}"
        name = self.server_name[0].replace("*.", "wildcard.").replace(":", "_")
        return sites.place(self.servers, f"{name}{port}")

    def sockets(self) -> tuple[Socket, ...]:
        """Where it speaks TLS afterwards."""
        server = self.server
        if server is None:
            return (
                ("*", self.https_port),
                *([("[::]", self.https_port)] if install.kernel_has_ipv6() else []),
            )
        if server.tls:
            return tuple(at for at, listen in server.sockets.items() if listen.tls or server.old_switch)
        return tuple(dict.fromkeys((address, self.https_port) for address, _ in server.sockets))

    def server_names(self) -> tuple[str, ...]:
        """The names that it answers to, as far as a certificate can have them."""
        if self.is_new:
            return self.server_name
        server = self.server
        return tuple(_for_certificates(server.names)) if server else ()

    def running(self, host: Host) -> Service | None:
        found = install.find(host, self.config)
        return found.service if found else None

    @property
    def belongings(self) -> Path:
        return self.config

    # Rules: the server ------------------------------------------------------------------------------------

    def default_config(self, host: Host) -> Path:
        found = install.find(host)
        if found is None:
            raise Missing("No nginx can be found on this host. Install it first, or give its main file.")
        return found.config

    def check_config(self, host: Host, value: Path) -> str | None:
        if not value.is_file():
            return "There is no such file. Give nginx's main file, usually /etc/nginx/nginx.conf."
        if problem := cannot_write(value, host, self.key):
            return problem
        try:
            servers.read(value)
        except PermissionError as error:
            return f"{error.filename} cannot be read. {as_root(host, self.key)}"
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
        if not server.sockets:
            return "It listens on a socket of Unix only, so no client from elsewhere reaches it."
        return None

    def caution_site(self, host: Host, value: str) -> str | None:
        server = self.servers.by_key.get(value)
        if server is None:
            return None
        to = f", passes on to {server.proxied_to()}" if server.proxied_to() else ""
        return f"It stands in {server.block.where}{to}."

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
        port = int(value.rpartition(":")[2])
        if at := upstreams.open_to_others(host, port):
            return f"It listens on {at}, where others reach it without TLS. Bind it to 127.0.0.1 or ::1."
        others = [f"{at} ({program})" for at, program in upstreams.suggestions(host) if str(at) != value]
        return f"Also listening here: {', '.join(others[:3])}." if others else None

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
        return super().check_directory(host, value)

    # Rules: its ports -------------------------------------------------------------------------------------

    def default_https_port(self, host: Host) -> int:
        server = None if self.is_new else self.server
        ports = [at[1] for at in self.sockets()] if server and server.tls else []
        if ports:
            return 443 if 443 in ports else ports[0]
        return 8443 if self._taken(host, 443) else 443

    def check_https_port(self, host: Host, value: int) -> str | None:
        server = None if self.is_new else self.server
        if server and server.tls:
            ports = [at[1] for at in self.sockets()]
            return (
                None if value in ports else f"It speaks TLS on port {' and '.join(map(str, ports))} already."
            )
        if by := self._taken(host, value):
            return f"Port {value} is taken by {by}. Give another one, or stop that program first."
        if self.is_new and self.server is None:
            return self._name_is_taken(value)
        return None

    def _taken(self, host: Host, port: int) -> str:
        """Which other program has a port, as far as it can be seen."""
        for service in host.services:
            if service.program != "nginx" and port in {at for _, at in service.listening}:
                return f"{service.program} (pid {service.pid})"
        return ""

    def _name_is_taken(self, port: int) -> str | None:
        for one in self.servers.on_port(port):
            if shared := set(self.server_name) & set(one.names):
                return (
                    f"{', '.join(sorted(shared))} is served on port {port} already, by {one.block.where}. "
                    "Choose that server, or another port."
                )
        return None

    def others_without_tls(self) -> tuple[Server, ...]:
        """The servers on its sockets that speak no TLS there yet."""
        found = [
            one
            for socket in self.sockets()
            if not self.servers.speaks_tls(socket)
            for one in self.servers.on(socket)
            if one is not self.server
        ]
        return tuple(dict.fromkeys(found))

    def applies_with_others(self, host: Host) -> bool:
        return bool(self.others_without_tls())

    def default_with_others(self, host: Host) -> bool:
        return False

    def check_with_others(self, host: Host, value: bool) -> str | None:
        if value:
            return None
        names = ", ".join(one.label for one in self.others_without_tls()[:5])
        return f"{names}: all of them would speak TLS only. Say yes to that, or give another port above."

    def default_redirect(self, host: Host) -> bool:
        return True

    def applies_http_port(self, host: Host) -> bool:
        return self.redirect

    def default_http_port(self, host: Host) -> int:
        server = self.server
        ports = [port for listen in server.plain for _, port in listen.sockets] if server else []
        ports = [port for port in ports if port != self.https_port]
        if ports:
            return ports[0]
        redirecting = [one for one in self.servers.all if one.redirects and self._has_name_of(one)]
        return next((port for one in redirecting for _, port in one.sockets), 80)

    def _has_name_of(self, server: Server) -> bool:
        names = self.server_name if self.is_new else self.server.names if self.server else ()
        return bool(set(names) & set(server.names)) or not (names or server.names)

    def check_http_port(self, host: Host, value: int) -> str | None:
        if value == self.https_port:
            return "That is the port for https."
        expected = self.default_http_port(host)
        server = self.server
        if server and not self.is_new and server.plain and value != expected:
            return f"It listens on port {expected} without TLS, so that is the one to be redirected."
        if by := self._taken(host, value):
            return f"Port {value} is taken by {by}. Give another one, or answer no above."
        if server is None and self.servers.redirecting_to(self.server_name, value) is None:
            return self._name_is_taken(value)
        return None

    def options_profile(self, host: Host) -> tuple[tuple[str, str], ...]:
        kept = Profile.KEEP if not self.is_new and self.server and self.server.tls else None
        return tuple((one.value, one.label) for one in Profile if one is not Profile.KEEP or one is kept)

    def default_profile(self, host: Host) -> str:
        return Profile.INTERMEDIATE.value

    def caution_profile(self, host: Host, value: str) -> str | None:
        if value == Profile.MODERN.value:
            return "Clients from before 2018, such as Java 8 before its update 261, cannot connect."
        server = self.server
        if value == Profile.KEEP.value and server is not None:
            now = [word for one in self.servers.effective(server, "ssl_protocols") for word in one.arguments]
            return f"It offers {', '.join(now) or 'what nginx offers by itself'}."
        return None

    def default_hsts(self, host: Host) -> bool:
        return False

    def caution_hsts(self, host: Host, value: bool) -> str | None:
        if value and self.https_port != 443:
            return "Browsers then expect https on every port of this name, port 80 included."
        return None

    # Rules: names, clients, key ---------------------------------------------------------------------------

    def default_common_name(self, host: Host) -> str:
        return next((name for name in self.server_names() if not name.startswith("*")), host.name)

    def default_alt_names(self, host: Host) -> tuple[str, ...]:
        if self.source == EXISTING:
            return super().default_alt_names(host)
        others = self.others_without_tls() if self.with_others else ()
        shared = (name for one in others for name in _for_certificates(one.names))
        found = tuple(dict.fromkeys((*self.server_names(), *shared)))
        return found or super().default_alt_names(host)

    @property
    def verifies_now(self) -> tuple[str, str]:
        """How the server checks its clients now, and by which file; empty where it does not."""
        server = self.server
        if server is None:
            return "", ""
        how = next(
            (w for one in self.servers.effective(server, "ssl_verify_client") for w in one.arguments), ""
        )
        by = self.servers.effective(server, "ssl_client_certificate")
        return ("" if how == "off" else how), next((word for one in by for word in one.arguments), "")

    def default_client_ca(self, host: Host) -> str:
        how, by = self.verifies_now
        if not how:
            return NONE
        return OWN if Path(by) == self.client_root and self.people.there else FILE

    def check_client_ca(self, host: Host, value: str) -> str | None:
        how, by = self.verifies_now
        if value != NONE or not how:
            return None
        return (
            f"It asks its clients for certificates now (ssl_verify_client {how}, by {by or 'another file'}). "
            "Keep that; to let everybody in, take the line away by hand."
        )

    def caution_client_ca(self, host: Host, value: str) -> str | None:
        if value != NONE and self.verifies_now[0].startswith("optional"):
            return "Until now it lets in clients without a certificate too (optional); then no more."
        return None

    def default_client_authority(self, host: Host) -> Path | None:
        by = self.verifies_now[1]
        return Path(self.servers.tree.absolute(by)) if by else None

    def applies_reissue(self, host: Host) -> bool:
        return bool(self.reissuable(host))

    def applies_new_keys(self, host: Host) -> bool:
        return bool(self.reissue)

    def reissuable(self, host: Host) -> tuple[Path, ...]:
        found = super().reissuable(host)
        return tuple(path for path in found if self.source != EXISTING or path != self.pair(host).certificate)

    @property
    def issues_to_clients(self) -> bool:
        return self.client_ca == OWN

    @property
    def takes_authority(self) -> bool:
        return self.client_ca == FILE

    @property
    def uses_authority(self) -> bool:
        return self.source == PRIVATE_CA or self.issues_to_clients

    def default_protect_key(self, host: Host) -> bool:
        return self.passphrase_file.exists()

    def applies_server_passphrase(self, host: Host) -> bool:
        return self.protect_key and not self.passphrase_file.exists()

    def chosen_server_passphrase(self, host: Host) -> bool:
        return True

    def check_server_passphrase(self, host: Host, value: Secret) -> str | None:
        text = value.reveal()
        if text != text.strip() or not text.isprintable():
            return "nginx reads it from a line of a file: no blanks at its ends, no control characters."
        return None

    @property
    def passphrase_file(self) -> Path:
        """The file from which nginx has the passphrase of the key."""
        return self.directory / "key.password"


def _for_certificates(names: tuple[str, ...]) -> Iterator[str]:
    """The names of a server as a certificate has them; not patterns, and not the `_` of a catch-all."""
    for name in names:
        for each in (name[1:], f"*{name}") if name.startswith(".") else (name,):
            try:
                if each != "_":
                    yield str(read_name(each))
            except MaterialError:
                continue
