"""The servers of a configuration: their names, the sockets they share, and what is set for them.

After nginx's src/http/ngx_http_core_module.c (listen, server_name) and src/http/ngx_http.c (default servers).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from wizard.errors import Refusal
from wizard.targets.nginx_server.tree import Placed, Tree

CERTBOT = "managed by Certbot"
"""The comment by which Certbot knows its lines."""
_EVERY_ADDRESS = ("", "*", "0.0.0.0")  # noqa: S104 -- compared with, not bound

Socket = tuple[str, int]
"""Address ("*" for all of IPv4, IPv6 in brackets) and port, by which nginx groups servers."""


@dataclass(frozen=True, slots=True)
class Listen:
    """One `listen`."""

    sockets: tuple[Socket, ...]
    """More than one for a range of ports; none for a socket of Unix."""
    options: tuple[str, ...]
    placed: Placed | None
    """None: nothing is written, and nginx takes a port of its own accord."""

    @property
    def tls(self) -> bool:
        """Whether TLS is switched on by it."""
        return "ssl" in self.options or "quic" in self.options

    @property
    def is_default(self) -> bool:
        """Whether its server takes what no other has the name for."""
        return "default_server" in self.options or "default" in self.options


@dataclass(frozen=True, eq=False)
class Server:
    """A `server` block of `http`."""

    block: Placed
    settings: tuple[Placed, ...] = field(repr=False)
    """What stands in it, that of included files too."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Its server names; not the empty one."""
        return tuple(name for one in self.all("server_name") for name in one.arguments if name)

    @cached_property
    def listens(self) -> tuple[Listen, ...]:
        """Where it listens."""
        found = tuple(_listen(one) for one in self.all("listen") if one.arguments)
        return found or (Listen((("*", 80),), (), None),)

    @property
    def sockets(self) -> dict[Socket, Listen]:
        """Where it listens, by socket."""
        return {socket: listen for listen in self.listens for socket in listen.sockets}

    @property
    def tls(self) -> bool:
        """Whether it serves TLS somewhere."""
        return any(listen.tls for listen in self.listens) or self.old_switch is not None

    @property
    def old_switch(self) -> Placed | None:
        """`ssl on;`, which was taken away in nginx 1.25.1."""
        return next((one for one in self.all("ssl") if one.arguments == ("on",)), None)

    @property
    def plain(self) -> tuple[Listen, ...]:
        """Where it serves plain HTTP."""
        return tuple(listen for listen in self.listens if not listen.tls) if self.old_switch is None else ()

    @property
    def name(self) -> str:
        """Its first name; "_" for a server that has none."""
        return next(iter(self.names), "_")

    @property
    def label(self) -> str:
        """What people call it: its name and its first port."""
        return f"{self.name}:{next((port for _, port in self.sockets), 0)}"

    @cached_property
    def redirects(self) -> bool:
        """Whether it only sends its visitors on to https://."""
        return not self.tls and any(
            "https://" in word
            for one in (*self.settings, *(inner for block in self._on_its_way for inner in block.inside()))
            if one.name in ("return", "rewrite")
            for word in one.arguments
        )

    @property
    def _on_its_way(self) -> Iterator[Placed]:
        """The blocks through which every request goes."""
        for one in self.settings:
            if one.name == "if" or (one.name == "location" and one.arguments[-1:] == ("/",)):
                yield one

    def all(self, name: str) -> tuple[Placed, ...]:
        """Its directives of this name."""
        return tuple(one for one in self.settings if one.name == name)

    @property
    def by_certbot(self) -> Placed | None:
        """The line by which Certbot manages its certificate."""
        lines = (*self.all("ssl_certificate"), *self.all("ssl_certificate_key"))
        return next((one for one in lines if CERTBOT in one.remark), None)

    def proxied_to(self) -> str:
        """Where it passes requests on, the first such place."""
        return next((one.arguments[0] for one in _deep(self.settings) if one.name == "proxy_pass"), "")


@dataclass(frozen=True, eq=False)
class Servers:
    """All servers of a configuration, in its order."""

    tree: Tree = field(repr=False)
    http: tuple[Placed, ...] = field(repr=False)
    """What is set for all of them."""
    all: tuple[Server, ...]
    patterns: tuple[str, ...] = ()
    """What its includes with a pattern look like, in full."""

    @property
    def error_log(self) -> Path | None:
        """Where nginx writes its failures, as far as the configuration says so."""
        said = [one.arguments[0] for one in self.tree.top() if one.name == "error_log" and one.arguments]
        files = [Path(self.tree.absolute(word)) for word in said if word != "stderr" and ":" not in word]
        return files[-1] if files else None

    @cached_property
    def by_key(self) -> dict[str, Server]:
        """Those that do more than redirect, by what answers call them: the name, with a number if taken.

        It stays the same when a server gets other ports, and another server that redirects to it.
        """
        found: dict[str, Server] = {}
        counts: dict[str, int] = {}
        for server in self.all:
            if not server.redirects:
                counts[server.name] = number = counts.get(server.name, 0) + 1
                found[f"{server.name}#{number}" if number > 1 else server.name] = server
        return found

    def redirecting_to(self, names: Iterable[str], port: int) -> Server | None:
        """The server that sends visitors of one of these names on this port on to https://."""
        wanted = set(names)
        for one in self.on_port(port):
            if one.redirects and (wanted & set(one.names) or not (wanted or one.names)):
                return one
        return None

    @cached_property
    def _on(self) -> dict[Socket, tuple[Server, ...]]:
        found: dict[Socket, list[Server]] = {}
        for server in self.all:
            for socket in server.sockets:
                found.setdefault(socket, []).append(server)
        return {socket: tuple(servers) for socket, servers in found.items()}

    def on(self, socket: Socket) -> tuple[Server, ...]:
        """The servers that share a socket."""
        return self._on.get(socket, ())

    def on_port(self, port: int) -> tuple[Server, ...]:
        """The servers that listen on a port, at whichever address."""
        return tuple(
            dict.fromkeys(one for at, servers in self._on.items() if at[1] == port for one in servers)
        )

    def default(self, socket: Socket) -> Server | None:
        """The server that takes what no other on this socket has the name for."""
        servers = self.on(socket)
        return next((one for one in servers if one.sockets[socket].is_default), next(iter(servers), None))

    def speaks_tls(self, socket: Socket) -> bool:
        """Whether there is TLS on a socket, which then all its servers speak."""
        return any(one.sockets[socket].tls or one.old_switch for one in self.on(socket))

    def effective(self, server: Server, name: str) -> tuple[Placed, ...]:
        """The directives of this name that hold for a server: its own, else those for all."""
        return server.all(name) or tuple(one for one in self.http if one.name == name)

    def sharing(self, placed: Placed) -> tuple[Server, ...]:
        """The servers in which this very line is in force."""
        directive, source = placed.directive, placed.source
        return tuple(
            server
            for server in self.all
            if any(one.directive is directive and one.source is source for one in server.settings)
        )


def read(main: Path) -> Servers:
    """Read a configuration, again only when one of its files has changed.

    Raises OSError when the main file cannot be read, Refusal where nginx would stop.
    """
    global _last  # noqa: PLW0603 -- what was read last, kept until it changes
    if _last is None or _last.tree.main != main or not _last.tree.is_current():
        _last = _read(main)
    return _last


_last: Servers | None = None


def _read(main: Path) -> Servers:
    tree = Tree(main)
    blocks = [one for one in tree.top() if one.name == "http"]
    if not blocks:
        raise Refusal(main, "It has no http block, so it is not nginx's main file.", "Give nginx.conf.")
    http = tuple(inner for block in blocks for inner in block.inside())
    includes = (one for block in blocks for one in block.directive.block or () if one.name == "include")
    patterns = (tree.absolute(word) for one in includes for word in one.arguments)
    return Servers(
        tree,
        tuple(one for one in http if one.directive.block is None),
        tuple(Server(one, one.inside()) for one in http if one.name == "server"),
        tuple(pattern for pattern in patterns if pattern in tree.patterns),
    )


def _listen(placed: Placed) -> Listen:
    where, *options = placed.arguments
    return Listen(tuple(_sockets(where)), tuple(options), placed)


def _sockets(where: str) -> Iterator[Socket]:
    if where.startswith("unix:"):
        return
    address, colon, ports = where.rpartition(":") if not where.endswith("]") else (where, "", "")
    if not colon:
        address, ports = ("", where) if where.replace("-", "").isdecimal() else (where, "80")
    first, _, last = ports.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal():
        return  # nginx stops on it
    for port in range(int(first), min(int(last or first), 65535) + 1):
        yield "*" if address in _EVERY_ADDRESS else address, port


def _deep(settings: Iterable[Placed]) -> Iterator[Placed]:
    for one in settings:
        yield one
        if one.directive.block:
            yield from _deep(one.inside())


def locations(server: Server) -> Iterator[Placed]:
    """Its locations, and what other blocks stand in it, inner ones too."""
    return (one for one in _deep(server.settings) if one.directive.block is not None)
