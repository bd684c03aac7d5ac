"""What becomes of the server that is chosen, and how a new one is written."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wizard.errors import Refusal
from wizard.formats.nginx import New, walk
from wizard.targets.nginx_server.edits import HSTS, Edits, Tls, copied, put_tls, share_sockets
from wizard.targets.nginx_server.install import Nginx, kernel_has_ipv6
from wizard.targets.nginx_server.profiles import HSTS_SECONDS
from wizard.targets.nginx_server.servers import Listen, Server, Servers, Socket
from wizard.targets.nginx_server.tree import Placed

BODY_SIZE = "64m"
"""Largest request passed on; nginx's own limit of 1 MB is too small for the APIs in question."""
MADE_BY = "Made by tls-wizard"
_KEPT_OPTIONS = ("ipv6only=on", "ipv6only=off")
_ACME = "/.well-known/acme-challenge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a server should be like."""

    nginx: Nginx
    names: tuple[str, ...]
    upstream: str
    """HOST:PORT; empty where the server passes nothing on, or is not new."""
    https_port: int
    called: str
    """What the service behind it has to be called by; empty: the name that the client has used."""
    redirect_port: int | None
    """None: nothing is redirected."""
    tls: Tls

    @property
    def host_header(self) -> str:
        """By what the service behind it is called."""
        return self.called or f"$host{self.suffix}"

    @property
    def suffix(self) -> str:
        """What is put behind a host name in a URL."""
        return "" if self.https_port == 443 else f":{self.https_port}"


# One that is there ------------------------------------------------------------------------------------------


def secure(edits: Edits, server: Server, wish: Wish) -> None:
    """Have an existing server speak TLS as wished. Raises Refusal where its lines cannot be edited."""
    if server.old_switch is not None:
        _modernise(edits, server)
    sockets = tuple(socket for socket, listen in server.sockets.items() if listen.tls)
    plain = server.plain
    if not server.tls:
        sockets = tuple(_listen_with_tls(edits, server, wish))
    elif wish.redirect_port:
        for listen in plain:
            edits.remove(_own(server, listen))
    put_tls(edits, server, wish.tls)
    share_sockets(edits, server, sockets, wish.tls)
    if wish.upstream:
        _pass_on(edits, server, wish)
    if wish.redirect_port and edits.servers.redirecting_to(server.names, wish.redirect_port) is None:
        moved = tuple(listen for listen in plain if not _is_port(listen, wish.https_port))
        edits.add_behind(server, _redirect_of(edits.servers, server, moved, wish))


def _modernise(edits: Edits, server: Server) -> None:
    """`ssl on;`, on which newer ones stop, becomes an option of each listen."""
    assert server.old_switch is not None
    edits.remove(server.old_switch)
    for listen in server.listens:
        if listen.placed is not None and not listen.tls:
            edits.set(_own(server, listen), *listen.placed.arguments, "ssl")


def _listen_with_tls(edits: Edits, server: Server, wish: Wish) -> Iterator[Socket]:
    """Move a plain server to TLS, or add that where nothing is redirected; yields the sockets with TLS."""
    done: set[Socket] = set()
    http2 = _http2(edits.servers, server, wish)
    added: list[New] = []
    for listen in server.listens:
        if not listen.sockets:
            continue  # a socket of Unix: only programs of this host reach it
        socket = listen.sockets[0][0], wish.https_port
        words = _listen_words(edits.servers, listen, socket, http2)
        stays = wish.redirect_port is None and not _is_port(listen, wish.https_port)
        if socket in done:
            if listen.placed is not None and not stays:
                edits.remove(_own(server, listen))
            continue
        done.add(socket)
        yield socket
        if listen.placed is not None and not stays:
            edits.set(_own(server, listen), *words)
        else:
            if stays and listen.placed is None:
                added.append(New(("listen", str(listen.sockets[0][1]))))
            added.append(New(("listen", *words)))
    for socket in also_by_ipv6(edits.servers, done, wish.https_port):
        done.add(socket)
        yield socket
        option = ("http2",) if http2 == "option" else ()
        added.append(New(("listen", f"{socket[0]}:{socket[1]}", "ssl", *option)))
    if http2 == "directive":
        added.append(New(("http2", "on")))
    if any(_is_port(listen, wish.https_port) for listen in server.listens):
        added.append(New(("error_page", "497", "=308", "https://$host:$server_port$request_uri")))
    edits.add(server, *added)


def also_by_ipv6(servers: Servers, sockets: Collection[Socket], port: int) -> tuple[Socket, ...]:
    """All of IPv6, where the server takes all of IPv4 and another one would answer for it by IPv6."""
    every = "[::]", port
    missing = ("*", port) in sockets and every not in sockets and servers.speaks_tls(every)
    return (every,) if missing else ()


def _own(server: Server, listen: Listen) -> Placed:
    """The line of a listen, which must be the server's own."""
    placed = listen.placed
    assert placed is not None
    if placed.source is not server.block.source:
        raise Refusal(
            placed.source.path,
            f"{server.label} has its listen lines from this file, which others may include as well.",
            "Write them into the server block itself, then try again.",
            placed.line,
        )
    return placed


def _listen_words(servers: Servers, listen: Listen, socket: Socket, http2: str) -> tuple[str, ...]:
    address = "" if socket[0] == "*" else f"{socket[0]}:"
    others_default = any(one.sockets[socket].is_default for one in servers.on(socket))
    default = ("default_server",) if listen.is_default and not others_default else ()
    kept = tuple(option for option in listen.options if option in _KEPT_OPTIONS)
    return (f"{address}{socket[1]}", "ssl", *(("http2",) if http2 == "option" else ()), *default, *kept)


def _http2(servers: Servers, server: Server | None, wish: Wish) -> str:
    """How HTTP/2 is switched on: by a "directive", as an "option" of listen, or not at all ("")."""
    if not wish.nginx.http2:
        return ""
    if wish.nginx.version >= (1, 25, 1):
        there = server is not None and servers.effective(server, "http2")
        return "" if there else "directive"
    # As an option it would hold for the servers that are there already.
    return "" if servers.on_port(wish.https_port) else "option"


def _is_port(listen: Listen, port: int) -> bool:
    return any(at == port for _, at in listen.sockets)


def _pass_on(edits: Edits, server: Server, wish: Wish) -> None:
    """Have one that was made here pass its requests on to where is wished now."""
    for location in server.all("location"):
        for one in location.inside() if location.arguments == ("/",) else ():
            if one.name == "proxy_pass":
                edits.set(one, f"http://{wish.upstream}")
            if one.name == "proxy_set_header" and one.arguments[:1] == ("Host",):
                edits.set(one, "Host", wish.host_header)


def _redirect_of(servers: Servers, server: Server, plain: tuple[Listen, ...], wish: Wish) -> New:
    """The server that takes over the plain sockets of one, with what Certbot and its like ask for there."""
    listens = [
        New(("listen", *(listen.placed.arguments if listen.placed else (str(listen.sockets[0][1]),))))
        for listen in plain
    ]
    acme = tuple(_acme(server))
    roots = server.all("root") if acme else ()
    return New(
        ("server",),
        (
            *(listens or _listens(servers, wish.redirect_port or 80)),
            *copied(one.directive for one in server.all("server_name")),
            *copied(one.directive for one in (*roots, *acme)),
            _redirect(wish),
        ),
        f"{MADE_BY}: sends plain HTTP on to https, with port and method",
    )


def _acme(server: Server) -> Iterator[Placed]:
    """The locations by which authorities see that the name is ours. Raises Refusal where one is Lua."""
    for one in server.all("location"):
        if not any(_ACME in word for word in one.arguments):
            continue
        if any(inner.name.endswith("_by_lua_block") for inner in walk((one.directive,))):
            raise Refusal(
                one.source.path,
                f"What is asked for under {_ACME}/ is answered by Lua, which is not copied to the redirect.",
                "Answer no to the redirect, and write it by hand.",
                one.line,
            )
        yield one


def _redirect(wish: Wish) -> New:
    url = f"https://$host{wish.suffix}$request_uri"
    # In a location of its own, so that others beside it are still reached.
    return New(("location", "/"), (New(("return", "308", url)),))


# A new one --------------------------------------------------------------------------------------------------


def new(servers: Servers, wish: Wish) -> tuple[New, ...]:
    """A server with TLS that passes its requests on, and one that redirects to it."""
    names = New(("server_name", *wish.names))
    http2 = _http2(servers, None, wish)
    tls = New(
        ("server",),
        (
            *_listens(servers, wish.https_port, "ssl", *(("http2",) if http2 == "option" else ())),
            *((New(("http2", "on")),) if http2 == "directive" else ()),
            names,
            *_tls(wish.tls),
            New(("client_max_body_size", BODY_SIZE)),
            New(("location", "/"), tuple(_proxied(wish))),
        ),
        f"{MADE_BY}: TLS in front of {wish.upstream}",
    )
    if wish.redirect_port is None or servers.redirecting_to(wish.names, wish.redirect_port):
        return (tls,)
    remark = f"{MADE_BY}: sends plain HTTP on to https, with port and method"
    return tls, New(("server",), (*_listens(servers, wish.redirect_port), names, _redirect(wish)), remark)


def sockets_for(servers: Servers, port: int) -> tuple[Socket, ...]:
    """Where a new server listens: wherever nginx has the port already, else on all addresses.

    nginx could not open a second socket for all addresses while it goes on serving on the first.
    """
    every = ("*", port), *([("[::]", port)] if kernel_has_ipv6() else [])
    return servers.sockets_on(port) or every


def _listens(servers: Servers, port: int, *options: str) -> Iterator[New]:
    for address, _ in sockets_for(servers, port):
        yield New(("listen", str(port) if address == "*" else f"{address}:{port}", *options))


def _tls(tls: Tls) -> Iterator[New]:
    yield New(("ssl_certificate", str(tls.certificate)))
    yield New(("ssl_certificate_key", str(tls.key)))
    if tls.passphrase_file:
        yield New(("ssl_password_file", str(tls.passphrase_file)))
    yield from (New((name, *arguments)) for name, arguments in tls.settings.items())
    if tls.client_root:
        yield New(("ssl_client_certificate", str(tls.client_root)))
        yield New(("ssl_verify_client", "on"))
    if tls.hsts:
        yield New(("add_header", HSTS, f"max-age={HSTS_SECONDS}", "always"))


def _proxied(wish: Wish) -> Iterator[New]:
    yield New(("proxy_pass", f"http://{wish.upstream}"))
    yield New(("proxy_http_version", "1.1"))
    # Without these the service takes the proxy for its client, and http for what clients speak.
    yield New(("proxy_set_header", "Host", wish.host_header))
    yield New(("proxy_set_header", "X-Real-IP", "$remote_addr"))
    yield New(("proxy_set_header", "X-Forwarded-For", "$proxy_add_x_forwarded_for"))
    yield New(("proxy_set_header", "X-Forwarded-Proto", "$scheme"))


# Where it goes ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A file of its own for a new server, as this host has them."""

    file: Path
    link: Path | None
    """The symbolic link by which it is switched on, where the host does that."""

    @property
    def included(self) -> Path:
        """The path by which nginx includes it."""
        return self.link or self.file

    @property
    def in_the_way(self) -> Path | None:
        """What has taken its place."""
        if os.path.lexists(self.file):
            return self.file
        leads_elsewhere = self.link and os.path.realpath(self.link) != os.path.realpath(self.file)
        return self.link if self.link and leads_elsewhere and os.path.lexists(self.link) else None


def place(servers: Servers, name: str) -> Place | None:
    """Where a new server belongs; None: into the main file, for that includes no others.

    After the layouts of Debian (sites-available with links in sites-enabled) and of nginx.org, Red Hat and
    Alpine (conf.d or http.d).
    """
    patterns = [pattern for pattern in servers.patterns if Path(pattern).parent.is_dir()]
    for pattern in patterns:
        folder = Path(pattern).parent
        available = folder.with_name("sites-available")
        if folder.name == "sites-enabled" and available.is_dir():
            file = name if Path(pattern).name == "*" else f"{name}.conf"
            return Place(available / file, folder / file)
    conf = [Path(pattern).parent for pattern in patterns if Path(pattern).name in ("*.conf", "*")]
    return Place(conf[0] / f"{name}.conf", None) if conf else None


def taken_over(servers: Servers, at: Path, sockets: Iterable[Socket]) -> tuple[Socket, Server] | None:
    """Where a new server at this path would become the default one, which answers to unknown names.

    nginx takes the first that it reads, unless one is marked; files of a pattern are read in their order.
    """
    for socket in sockets:
        default = servers.default(socket)
        if default is None or default.sockets[socket].is_default:
            continue
        read = (path for path, source in servers.tree.sources.items() if source is default.block.source)
        if any(_order(servers, at) < _order(servers, path) for path in read):
            return socket, default
    return None


def _order(servers: Servers, path: Path) -> tuple[int, str]:
    """By which pattern a file is included, and its place there; the main file is taken to come first."""
    for number, pattern in enumerate(servers.patterns, 1):
        if Path(pattern).parent == path.parent:
            return number, str(path)
    return 0, ""
