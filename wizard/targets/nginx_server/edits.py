"""Edits of servers: what is set is changed where it stands, what is missing is added, the rest stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wizard.errors import Refusal
from wizard.formats.nginx import Directive, Editor, New
from wizard.formats.splice import CannotEdit
from wizard.plan import File, Warning
from wizard.targets.nginx_server.profiles import HSTS_SECONDS
from wizard.targets.nginx_server.servers import CERTBOT, Server, Servers, Socket, locations
from wizard.targets.nginx_server.tree import Placed, Source

HSTS = "Strict-Transport-Security"
_BEFORE = ("listen", "server_name", "ssl", "http2")
"""Behind what settings of TLS are put, besides others of TLS."""


@dataclass
class Edits:
    """What is changed in the files of one configuration, and what is to know about it."""

    servers: Servers
    notes: list[Warning] = field(default_factory=list)
    _editors: dict[Path, tuple[Source, Editor]] = field(default_factory=dict)
    _done: dict[tuple[Path, int], tuple[str, ...] | None] = field(default_factory=dict)
    """What has become of a directive already; None: it was removed."""
    _news: dict[Server, list[New]] = field(default_factory=dict)
    _behind: dict[Server, list[New]] = field(default_factory=dict)

    def files(self) -> Iterator[File]:
        """The changed files. Raises Refusal where one cannot be edited with certainty."""
        for server, news in self._news.items():
            block = server.block.directive
            self._editor(server.block.source).add(block, news, _anchor(server))
        for server, news in self._behind.items():
            self._editor(server.block.source).add_behind(server.block.directive, news)
        for source, editor in self._editors.values():
            try:
                after = editor.finish()
            except CannotEdit as error:
                raise source.refusal(error) from None
            if after != source.document.data:
                before = source.document.data
                yield File(path=source.path, before=before, after=after, about="nginx's configuration")

    # One setting --------------------------------------------------------------------------------------

    def put(self, server: Server, name: str, *arguments: str) -> None:
        """Have a setting of a server say this; a second one of its name, which nginx may add up, goes."""
        own = server.all(name)
        if not own:
            if not any(one.arguments == arguments for one in self.servers.effective(server, name)):
                self.add(server, New((name, *arguments)))
            return
        if own[0].arguments != arguments and self._may_change(own[0], server):
            self.set(own[0], *arguments)
        for one in own[1:]:
            if self._may_change(one, server):
                self.remove(one)

    def put_header(self, server: Server, name: str, *arguments: str) -> None:
        """The same for a header of the answers, in the server and wherever its headers are not inherited."""
        for block in (server.block, *locations(server)):
            headers = [one for one in block.inside() if one.name == "add_header"]
            there = next((one for one in headers if one.arguments[:1] == (name,)), None)
            if there is not None:
                if there.arguments != (name, *arguments) and self._may_change(there, server):
                    self.set(there, name, *arguments)
            elif block is server.block:
                self.add(server, New(("add_header", name, *arguments)))
            elif headers and self._may_change(headers[-1], server):
                new = New(("add_header", name, *arguments))
                self._editor(headers[-1].source).add_beside(headers[-1].directive, (new,))

    def add(self, server: Server, *news: New) -> None:
        """Add settings to a server."""
        self._news.setdefault(server, []).extend(news)

    def add_behind(self, server: Server, *news: New) -> None:
        """Add servers behind one."""
        self._behind.setdefault(server, []).extend(news)

    def add_to_http(self, news: tuple[New, ...]) -> None:
        """Add servers at the end of the main file's `http`."""
        source = self.servers.tree.sources[self.servers.tree.main]
        block = next(one for one in source.document.directives if one.name == "http")
        self._editor(source).add(block, news, next(reversed(block.block or ()), None))

    def set(self, placed: Placed, *arguments: str) -> None:
        """Give a directive other arguments."""
        if self._is_new(placed, arguments):
            self._editor(placed.source).set(placed.directive, *arguments)

    def remove(self, placed: Placed) -> None:
        """Take a directive away."""
        if self._is_new(placed, None):
            self._editor(placed.source).remove(placed.directive)

    def _is_new(self, placed: Placed, becomes: tuple[str, ...] | None) -> bool:
        """Whether this line has not been edited so yet: a file may be included by several servers."""
        key = placed.source.path, placed.directive.start
        if key not in self._done:
            self._done[key] = becomes
            return True
        if self._done[key] != becomes:
            reason = "Servers that are edited together include it, and need it to say different things."
            raise Refusal(placed.source.path, reason, "Write the line into each of them.", placed.line)
        return False

    def _may_change(self, placed: Placed, server: Server) -> bool:
        """Whether a line may be changed; says who else has a share in it."""
        if CERTBOT in placed.remark or placed.source.path.is_relative_to("/etc/letsencrypt"):
            said = f"Certbot looks after this line ({placed.name}), so it stays as it is."
            self.note(Warning(said, placed.source.path, placed.line))
            return False
        others = [one.label for one in self.servers.sharing(placed) if one is not server]
        if others:
            said = (
                f"This file is included by other servers too, for which it changes as well: {_some(others)}."
            )
            self.note(Warning(said, placed.source.path, placed.line))
        return True

    def note(self, warning: Warning) -> None:
        """Have something said, once."""
        if warning not in self.notes:
            self.notes.append(warning)

    def _editor(self, source: Source) -> Editor:
        if source.path not in self._editors:
            self._editors[source.path] = source, Editor(source.document)
        return self._editors[source.path][1]


def _anchor(server: Server) -> Directive | None:
    """The setting in the block itself behind which others are put."""
    own = [
        one
        for one in server.block.directive.block or ()
        if one.block is None and (one.name in _BEFORE or one.name.startswith("ssl_"))
    ]
    tls = [one for one in own if one.name.startswith("ssl_")]
    return next(reversed(tls or own), None)


def _some(labels: list[str]) -> str:
    from wizard.sources.clients import enumerated

    return enumerated(labels, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """What a server is given."""

    certificate: Path
    key: Path
    passphrase_file: Path | None
    settings: Mapping[str, tuple[str, ...]]
    client_root: Path | None
    """The authorities whose clients get in; None: that is left as it is."""
    hsts: bool


def put_tls(edits: Edits, server: Server, tls: Tls) -> None:
    """Give a server its certificate, and what goes with it."""
    _check_certificate(server)
    if len(server.all("ssl_certificate")) > 1:
        said = (
            f"{server.label} has several certificates now, one for each kind of key. The new one takes the "
        )
        edits.note(
            Warning(f"{said}place of all; their files stay.", server.block.source.path, server.block.line)
        )
    edits.put(server, "ssl_certificate", str(tls.certificate))
    edits.put(server, "ssl_certificate_key", str(tls.key))
    if tls.passphrase_file:
        edits.put(server, "ssl_password_file", str(tls.passphrase_file))
    for name, arguments in tls.settings.items():
        edits.put(server, name, *arguments)
    if tls.client_root:
        edits.put(server, "ssl_client_certificate", str(tls.client_root))
        edits.put(server, "ssl_verify_client", "on")
    if tls.hsts:
        edits.put_header(server, HSTS, f"max-age={HSTS_SECONDS}", "always")


def put_protocols(
    edits: Edits, server: Server | None, sockets: Iterable[Socket], protocols: tuple[str, ...]
) -> None:
    """Set the protocols where nginx looks for them: in the default server of each of these sockets as well.

    Until nginx 1.27 they were taken from there for all servers of a socket.
    """
    for socket in sockets:
        default = edits.servers.default(socket)
        if default is None or default is server:
            continue
        effective = edits.servers.effective(default, "ssl_protocols")
        if effective and {word for one in effective for word in one.arguments} == set(protocols):
            continue
        edits.put(default, "ssl_protocols", *protocols)
        others = [one.label for one in edits.servers.on(socket) if one is not server]
        said = (
            f"nginx takes the TLS versions of port {socket[1]} from {default.label}, so they are set there "
            f"as well. They hold for all servers on it: {_some(others)}."
        )
        edits.note(Warning(said))


def _check_certificate(server: Server) -> None:
    for one in (*server.all("ssl_certificate"), *server.all("ssl_certificate_key")):
        if any("$" in word for word in one.arguments) or one.arguments[0].startswith(("data:", "engine:")):
            raise Refusal(
                one.source.path,
                "Its certificate is chosen anew for each connection, or comes from elsewhere than a file.",
                "Give ssl_certificate and ssl_certificate_key plain paths, or choose another server.",
                one.line,
            )


def copied(directives: Iterable[Directive]) -> tuple[New, ...]:
    """Directives to be written once more."""
    return tuple(
        New(one.words_text, copied(one.block) if one.block is not None else None) for one in directives
    )
