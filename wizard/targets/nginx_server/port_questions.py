"""What is asked about the ports of a server, and how it speaks TLS there."""

from __future__ import annotations

from dataclasses import dataclass

from wizard.host import Host
from wizard.kinds import Choice, Whole, YesNo
from wizard.questions import Page, question
from wizard.targets.nginx_server import install, sites
from wizard.targets.nginx_server.profiles import Profile
from wizard.targets.nginx_server.server_questions import ServerQuestions
from wizard.targets.nginx_server.servers import Server, Socket
from wizard.targets.nginx_server.upstreams import is_free

FIRST_FOR_ALL = 1024
"""Ports below it are root's (ip(7), ip_unprivileged_port_start)."""

USUAL_PORTS = (443, 8443, 9443, 10443)

PORTS_PAGE = Page("ports", "ports and rules")


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class PortQuestions(ServerQuestions):
    """Its ports, what is on them already, and the versions of TLS."""

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

    def sockets(self) -> tuple[Socket, ...]:
        """Where it speaks TLS afterwards."""
        server = self.server
        if server is None:
            return sites.sockets_for(self.servers, self.https_port)
        if server.tls:
            return tuple(at for at, listen in server.sockets.items() if listen.tls or server.old_switch)
        own = dict.fromkeys((address, self.https_port) for address, _ in server.sockets)
        return (*own, *sites.also_by_ipv6(self.servers, own, self.https_port))

    # Rules --------------------------------------------------------------------------------------------------

    def default_https_port(self, host: Host) -> int:
        server = None if self.is_new else self.server
        ports = [at[1] for at in self.sockets()] if server and server.tls else []
        if ports:
            return 443 if 443 in ports else ports[0]
        free = (at for at in USUAL_PORTS if not (self._taken(host, at) or self._may_not_open(host, at)))
        return next(free, USUAL_PORTS[0])

    def check_https_port(self, host: Host, value: int) -> str | None:
        server = None if self.is_new else self.server
        if server and server.tls:
            ports = [at[1] for at in self.sockets()]
            return (
                None if value in ports else f"It speaks TLS on port {' and '.join(map(str, ports))} already."
            )
        if by := self._taken(host, value):
            return f"Port {value} is taken by {by}. Give another one, or stop that program first."
        if problem := self._may_not_open(host, value):
            return problem
        return self._name_is_taken(value) or self._cannot_open(value)

    def caution_https_port(self, host: Host, value: int) -> str | None:
        if not self.is_new or self.server is not None:
            return None
        where = [address for address, _ in self.servers.sockets_on(value)]
        if not where or "*" in where or "[::]" in where:
            return None
        return f"nginx has this port on {', '.join(where)} alone, and so will this server."

    def _cannot_open(self, port: int) -> str | None:
        """Why nginx could not listen there while it goes on serving: on parts of it already."""
        there = self.servers.sockets_on(port)
        server = None if self.is_new else self.server
        for at, listen in server.sockets.items() if server else ():
            if (at[0], port) in there:
                continue
            every = ("*", "[::]") if "ipv6only=off" in listen.options else (at[0],)
            if at[0] in ("*", "[::]") and (parts := [one for one in there if _is_part(one[0], every)]):
                where = f"{parts[0][0]}:{port}"
                return (
                    f"nginx listens on {where} already, and could take the port on all addresses only when "
                    "it is stopped and started. Give another port."
                )
        return None

    def _taken(self, host: Host, port: int) -> str:
        """Which other program has a port, as far as it can be seen."""
        if port in self.servers.ports_of_others:
            return "nginx itself, for stream or mail"
        own = self.running(host)
        for service in host.services:
            # Workers have the ports of their master.
            ours = service.program == "nginx" and (service == own or service not in install.masters(host))
            if not ours and port in {at for _, at in service.listening}:
                return f"{service.program} (pid {service.pid})"
        # What this user may not see, or what is kept out of sight, still holds its port.
        held = own is not None and port in {at for _, at in own.listening}
        return "" if held or self.servers.on_port(port) or is_free(port) else "another program"

    def _may_not_open(self, host: Host, port: int) -> str | None:
        """Why this nginx may not listen there: below 1024 only root's may (unless the system says so)."""
        own = self.running(host)
        user = own.user if own else host.user
        if port >= FIRST_FOR_ALL or user == "root" or (own and port in {at for _, at in own.listening}):
            return None
        return f"nginx runs as {user}, and only root may open ports below {FIRST_FOR_ALL}. Give a higher one."

    def _name_is_taken(self, port: int) -> str | None:
        server = self.server
        names = self.server_name if self.is_new else server.names if server else ()
        for one in self.servers.on_port(port):
            if one is not server and (shared := set(names or ("",)) & set(one.names or ("",))):
                return (
                    f"{', '.join(sorted(shared)) or 'The server without a name'} is served on port {port} "
                    f"already, by {one.block.where}. "
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
        usual = 8080 if self._may_not_open(host, 80) else 80
        return next((port for one in redirecting for _, port in one.sockets), usual)

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
            return f"Port {value} is taken by {by}. Give another one, or answer no to Redirect."
        if problem := self._may_not_open(host, value):
            return problem
        names = self.server_name if self.is_new else server.names if server else ()
        return None if self.servers.redirecting_to(names, value) else self._name_is_taken(value)

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


def _is_part(address: str, every: tuple[str, ...]) -> bool:
    """Whether an address is among those of a socket for all of IPv4, of IPv6, or of both."""
    return ("[::]" if address.startswith("[") else "*") in every
