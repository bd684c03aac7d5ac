"""nginx: TLS in front of a service, or for a server that is there, on the operator's own configuration."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import join
from shutil import which
from typing import TYPE_CHECKING, ClassVar, TypeVar

from wizard import validation
from wizard.address import reached_at
from wizard.errors import Refusal
from wizard.formats.nginx import written
from wizard.host import Host
from wizard.material.key_types import KeyType
from wizard.plan import Advice, Change, Command, File, Link, Plan, Tell, Warning, silent
from wizard.rights import account_owner
from wizard.secret import Secret
from wizard.sources import client_authority
from wizard.sources.pair import Issue, Pair, write
from wizard.targets import Found, Offer
from wizard.targets.catalogue import NGINX
from wizard.targets.certificate.base import (
    ANSWER_PAGE,
    AUTHORITY_PAGE,
    EXISTING,
    PAGE,
    PRIVATE_CA,
    REQUEST,
    SELF_SIGNED,
    SUBJECT_PAGE,
)
from wizard.targets.nginx_server import diagnosis, install, sites, status, upstreams
from wizard.targets.nginx_server.edits import Edits, Tls, share_sockets
from wizard.targets.nginx_server.port_questions import PORTS_PAGE
from wizard.targets.nginx_server.profiles import Profile, settings
from wizard.targets.nginx_server.questions import CLIENTS_PAGE, KEY_PAGE, NONE, NginxQuestions
from wizard.targets.nginx_server.server_questions import SITE_PAGE
from wizard.targets.santedb_server import behind as santedb
from wizard.targets.service_files import folders, unchanged

if TYPE_CHECKING:
    from wizard.checks import TlsService
    from wizard.plan import Owner
    from wizard.probe import Endpoint
    from wizard.proof import Check
    from wizard.sources.desk import Desk

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Nginx(NginxQuestions):
    """The answers for a server of nginx."""

    service_name: ClassVar = "nginx"
    restarted: ClassVar = "nginx is reloaded"
    key: ClassVar = NGINX.key
    title: ClassVar = NGINX.title
    summary: ClassVar = NGINX.summary
    sources: ClassVar = (REQUEST, PRIVATE_CA, SELF_SIGNED, EXISTING)
    key_types: ClassVar = (
        *(KeyType.ECDSA_P256, KeyType.ECDSA_P384),
        *(KeyType.RSA_2048, KeyType.RSA_3072, KeyType.RSA_4096),
    )
    takes_protected_keys: ClassVar = True
    pages: ClassVar = (
        SITE_PAGE,
        PORTS_PAGE,
        PAGE,
        SUBJECT_PAGE,
        ANSWER_PAGE,
        CLIENTS_PAGE,
        AUTHORITY_PAGE,
        KEY_PAGE,
    )

    @classmethod
    def after_run(cls, given: Mapping[str, T]) -> dict[str, T]:
        """Nothing: the next run may be for another server, and what this one has its configuration says."""
        return {}

    @classmethod
    def find(cls, host: Host) -> Found:
        return status.found(host)

    # Its files --------------------------------------------------------------------------------------------

    def files(self, directory: Path) -> tuple[Path, ...]:
        return tuple(directory / name for name in ("cert.pem", "key.pem", "key.password", "clients-ca.pem"))

    @property
    def client_root(self) -> Path:
        return self.files(self.directory)[3]

    @property
    def own_authority(self) -> Path:
        return self.directory / "authority"

    def owner(self, host: Host) -> Owner | None:
        """Whose the files are: of the master process, which is root's unless somebody runs their own."""
        service = self.running(host)
        return account_owner(service.user) if host.root and service and service.user != "root" else None

    def pair(self, host: Host) -> Pair:
        certificate, key, *_ = self.files(self.directory)
        protected = vars(self).get("protect_key", self.kept_passphrase is not None)
        return Pair(certificate, key, self.owner(host), self._passphrase() if protected else None)

    def _passphrase(self) -> Secret | None:
        return self.kept_passphrase or vars(self).get("server_passphrase")

    # The plan ---------------------------------------------------------------------------------------------

    def restart(self, host: Host) -> Command:
        return self.nginx(host).reload

    def plan(self, host: Host, tell: Tell = silent) -> Plan:
        return self.anew()._planned(host, tell)  # what its files hold may have changed since they were read

    def _planned(self, host: Host, tell: Tell) -> Plan:
        owner, now = self.owner(host), datetime.now(UTC)
        desk = self.desk(host, owner, now) if self.uses_authority else None
        issue = self.issue(host, now, desk if self.source == PRIVATE_CA else None)
        if issue.awaits:
            untouched = "nginx and its configuration"
            return self.request(issue, owner, untouched, *self._passphrase_changes(owner))
        return self._secured(host, issue, desk, tell)

    def _secured(self, host: Host, issue: Issue, desk: Desk | None, tell: Tell) -> Plan:
        owner, nginx = self.owner(host), self.nginx(host)
        known = self._conflicts_now(nginx)
        clients = self.issue_to_clients(host, desk, owner, tell) if desk and self.issues_to_clients else None
        edits, configuration = self._configuration(host)
        behind = self.santedb(host)
        changes = (
            *folders(self.directory, owner),
            *self.authority_folders(owner),
            *(desk.changes() if desk else ()),
            *(self.root_changes(desk, owner) if self.client_ca != NONE else ()),
            *self._passphrase_changes(owner),
            *issue.changes,
            *(clients.changes if clients else ()),
            *(behind.changes() if behind else ()),
            *configuration,
        )
        kept = (*issue.kept, *(clients.kept if clients else ()))
        return Plan(
            target=self.key,
            title=f"Secure {self.what}{self.what_for(changes)}",
            changes=changes,
            kept=tuple(dict.fromkeys((*kept, *unchanged(self._read_by_nginx, changes)))),
            validations=(diagnosis.command(nginx, known),),
            warnings=(
                *issue.warnings,
                *(clients.warnings if clients else ()),
                *self._warnings(host, edits),
            ),
            advice=tuple(self._advice(host, nginx, changes)),
            restart=self.restart(host),
        )

    @property
    def what(self) -> str:
        server = self.server
        return f"nginx, {server.label if server else self.server_name[0]}, at {self.address}"

    def _conflicts_now(self, nginx: install.Nginx) -> frozenset[str]:
        """The servers that are left out already. Raises Refusal when nginx stops on its configuration."""
        status_, said = validation.ran(Command(nginx.test))
        if status_:
            why = "\n".join(diagnosis.explained(said)) or said
            raise Refusal(
                self.config,
                f"nginx does not take its configuration as it is now, so nothing is changed.\n{why}",
                "Mend that first.",
            )
        return diagnosis.conflicts(said)

    def _passphrase_changes(self, owner: Owner | None) -> Iterator[File]:
        passphrase = self._passphrase() if self.protect_key else None
        if passphrase and self.kept_passphrase is None:
            line = f"{passphrase.reveal()}\n".encode()
            about = "passphrase of the server's key, for nginx"
            yield from write(self.passphrase_file, line, owner, about, secret=True)
        elif passphrase and self.passphrase_file.stat().st_mode & 0o077:
            there = self.passphrase_file.read_bytes()
            about = "others could read the passphrase"
            yield File(
                path=self.passphrase_file, before=there, after=there, mode=0o600, secret=True, about=about
            )

    def _configuration(self, host: Host) -> tuple[Edits, tuple[Change, ...]]:
        """What becomes of nginx's own files. Raises OSError or Refusal."""
        there, wish = self.servers, self._wish(host)
        edits = Edits(there)
        server = self.server
        if server is not None:
            sites.secure(edits, server, wish)
            return edits, tuple(edits.files())
        made = sites.new(there, wish)
        share_sockets(edits, None, self.sockets(), wish.tls)
        place = self.place
        if place is None:
            edits.add_to_http(made)
            return edits, tuple(edits.files())
        return edits, (*edits.files(), *self._new_file(place, "\n".join(written((each,)) for each in made)))

    def _new_file(self, place: sites.Place, text: str) -> Iterator[Change]:
        if place.in_the_way:
            raise Refusal(
                place.in_the_way,
                "This file is there, and nginx does not load it or it holds other servers.",
                "Move it away, or choose one of its servers.",
            )
        after = text.encode("utf-8", "surrogateescape")
        yield File(path=place.file, before=None, after=after, mode=0o644, about="the new server")
        if place.link and not os.path.lexists(place.link):
            yield Link(path=place.link, before=None, after=str(place.file), about="switches it on")

    def _wish(self, host: Host) -> sites.Wish:
        certificate, key, *_ = self.files(self.directory)
        nginx, behind = self.nginx(host), self.santedb(host)
        return sites.Wish(
            nginx=nginx,
            names=self.server_name if self.is_new else (),
            upstream=self.upstream if self.is_new else "",
            https_port=self.https_port,
            called=behind.host_header if behind else "",
            redirect_port=self.http_port if self.redirect else None,
            tls=Tls(
                certificate=certificate,
                key=key,
                passphrase_file=self.passphrase_file if self.protect_key else None,
                settings=settings(Profile(self.profile), nginx),
                client_root=self.client_root if self.client_ca != NONE else None,
                hsts=self.hsts,
            ),
        )

    def _warnings(self, host: Host, edits: Edits) -> Iterator[Warning]:
        yield from edits.notes
        if self.client_ca != NONE:
            yield from self.authority_warnings()
            if not self.verifies_now[0]:
                yield Warning("From the reload on, only clients with a certificate are let in.")
        if self.with_others and (others := self.others_without_tls()):
            labels = ", ".join(one.label for one in others[:5])
            yield Warning(f"TLS is switched on for the port, so for these servers too: {labels}.")
        if self.hsts and self.source == SELF_SIGNED:
            yield Warning(
                "Browsers that see this bind themselves to https for two years, and let nobody click a "
                "warning about this certificate away."
            )
        if self.server is None and self.place and (taken := self.takes_over(self.place)):
            (_, port), other = taken
            yield Warning(
                f"Calls on port {port} by a name that nginx does not know are answered by {other.label} now, "
                "and by the new server then, since nginx reads it first. To keep that, write default_server "
                f"behind its listen, in {other.block.where}."
            )
        if behind := self.santedb(host):
            yield from behind.warnings()
        server = self.server if self.is_new else None
        if server and (so_far := server.proxied_to()) != f"http://{self.upstream}":
            yield Warning(
                f"{server.label} was made before, for another service: it passes requests on to {so_far} so "
                f"far, then to {self.upstream}. For a server beside it give another name or port."
            )
        for caution in self.cautions(host):
            yield Warning(caution)

    def _advice(self, host: Host, nginx: install.Nginx, changes: tuple[Change, ...]) -> Iterator[Advice]:
        from wizard.by_hand import curl

        if changes:
            said = "Reload nginx" if nginx.service else "Start nginx"
            yield Advice(f"{said}; until then it works with what it has read.", join(nginx.reload.arguments))
        behind = self.santedb(host)
        at = upstreams.open_to_others(host, self._upstream_port) if self.is_new else ""
        closed = behind is not None and behind.is_closed
        if behind and (any(behind.changes()) or (at and closed)):
            yield behind.advice(host)
        if not all(upstreams.is_loopback(address) for address, _ in self.sockets()):
            yield _open((self.https_port, *((self.http_port,) if self.redirect else ())))
        if at and not closed:
            yield Advice(
                f"Bind the service behind it to 127.0.0.1 or ::1: on {at} others reach it without TLS."
            )
        service = replace(self._service(host), ca=self.trusted(host, changes))
        if self.client_ca != NONE and self.issues_to_clients:
            yield Advice(f"Give each client its files from {self.people.folder}, unseen by others.")
        told = "This is how a client connects:"
        own: tuple[str, ...] = ()
        if self.client_ca != NONE and service.client is None:
            told = "This is how a client connects, with its own files in place of client.crt and client.key:"
            own = ("--cert", "client.crt", "--key", "client.key")
        if service.ca.is_relative_to(self.directory):  # else it is a public authority, which they know
            told = f"Give clients {service.ca} to trust. {told}"
        yield Advice(told, curl(service, service.client, options=own))

    # The proof --------------------------------------------------------------------------------------------

    @property
    def address(self) -> str:
        """Where programs of this host reach it."""
        return str(self._endpoint)

    @property
    def _endpoint(self) -> Endpoint:
        from wizard.probe import Endpoint

        at = next((socket for socket in self.sockets() if socket[1] == self.https_port), self.sockets()[0])
        return Endpoint(reached_at(at[0].strip("[]")), at[1])

    def _service(self, host: Host) -> TlsService:
        from wizard.checks import TlsService
        from wizard.probe import Request

        return TlsService(
            endpoint=self._endpoint,
            names=self.alt_names,
            certificate=self.pair(host).certificate,
            ca=self.trusted(host),
            request=Request("GET", self._path(host)),
            client=next(iter(self.clients_with_files().values()), None) if self.client_ca != NONE else None,
        )

    def _path(self, host: Host) -> str:
        """What clients ask for: of a SanteDB an endpoint, since it knows nothing above them."""
        try:
            behind = self.santedb(host)
        except (OSError, Refusal):  # the proof says so
            return "/"
        return behind.endpoints[0][1].request_path if behind and behind.endpoints else "/"

    def offer(self, host: Host) -> Offer:
        now = self.anew()  # what its files hold may have changed since they were read
        clients = now.clients_with_files() if now.client_ca != NONE else None
        return Offer(now._service(host), clients)

    def proof(self, host: Host) -> tuple[Check, ...]:
        return self.anew()._proven(host)

    def _proven(self, host: Host) -> tuple[Check, ...]:
        from wizard import checks
        from wizard.targets.nginx_server import checks as nginx_checks

        service = self._service(host)
        protocols = Profile(self.profile).protocols
        return (
            *self.answered(host),
            nginx_checks.configured(self.config, lambda: self._edited(host)),
            nginx_checks.reloaded(
                install.find(host, self.config), self._read_by_nginx, self.servers.error_log
            ),
            *self._served(host, service),
            checks.plain_http_refused(service),
            checks.old_versions_refused(service),
            *((nginx_checks.versions_offered(service, protocols),) if protocols else ()),
            *((nginx_checks.redirected(service, self.http_port),) if self.redirect else ()),
            nginx_checks.hsts(service, wanted=self.hsts),
        )

    def _served(self, host: Host, service: TlsService) -> Iterator[Check]:
        from wizard import checks
        from wizard.checks import ClientFiles

        if self.client_ca == NONE:
            yield from (checks.reach(service), checks.our_certificate(service))
            yield from checks.names_accepted(service)
            yield from self._reached(host, service)
            return
        certificate, key, *_ = self.files(self.directory)
        yield client_authority.only_ours(self.client_root, self.expected_roots)
        yield from self.served(service)
        if service.client is not None:
            yield from self._reached(host, service)
        own = None if self.protect_key else ClientFiles(certificate, key)
        yield from self.who_gets_in(service, own)

    def _reached(self, host: Host, service: TlsService) -> Iterator[Check]:
        """What stands behind it answers."""
        from wizard.targets.nginx_server import checks as nginx_checks

        try:
            behind = self.santedb(host)
        except (OSError, Refusal) as error:  # it was there when it was asked for
            yield santedb.unreadable(error)
            return
        if behind:
            yield from behind.checks(host, service)
            return
        server = self.server
        to = self.upstream if self.is_new else server.proxied_to() if server else ""
        yield nginx_checks.answers(service, to)

    def _edited(self, host: Host) -> tuple[Change, ...]:
        """What would be changed in nginx's files now; nothing when they say what they should."""
        return self.anew()._configuration(host)[1]

    @property
    def _read_by_nginx(self) -> tuple[Path, ...]:
        """What nginx reads when it is reloaded, as far as it is written here."""
        server = self.server
        where = (server.block.source.path,) if server else ()
        return (*self.files(self.directory), *where)


def _open(ports: tuple[int, ...]) -> Advice:
    """How the ports are opened; it is never done here, for a firewall that is switched on may cut SSH."""
    told = "If a firewall is active, let clients through."
    if which("firewall-cmd"):
        words = [f"--add-port={port}/tcp" for port in ports]
        return Advice(told, f"{join(('firewall-cmd', '--permanent', *words))} && firewall-cmd --reload")
    return Advice(told, " && ".join(f"ufw allow {port}/tcp" for port in ports))
