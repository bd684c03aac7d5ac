"""IOTA Hub's gRPC API: TLS with client certificates, which Hub always demands.

What Hub does with its flags is read from iotaledger/hub at 9df503d4: common/grpc_server_base.cc and
hub/server/grpc_server.cc.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, ClassVar

from wizard.errors import WrongAnswer
from wizard.host import Host
from wizard.kinds import Choice, FilePath, HostAndPort, PerhapsFilePath, Several, YesNo
from wizard.material import MaterialError
from wizard.plan import Advice, Change, Directory, File, Plan, Tell, Warning, silent
from wizard.questions import Page, question
from wizard.sources import client_authority, expired_client, private_ca
from wizard.sources.authority_folder import AuthorityFolder
from wizard.sources.clients import Bundle, Clients, enumerated, read_client_name
from wizard.sources.pair import Issue, Pair, write
from wizard.targets import Offer
from wizard.targets.certificate.base import AUTHORITY_PAGE, EXISTING, OWN, PAGE, PRIVATE_CA
from wizard.targets.hub import service as hub_service
from wizard.targets.hub.questions import (
    DEFAULT_ADDRESS,
    HUB_KEY_TYPES,
    SERVICE_PAGE,
    UNPROTECTED_KEY,
    HubTarget,
)
from wizard.targets.service_files import folders, unchanged

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.checks import ClientFiles, TlsService
    from wizard.plan import Owner
    from wizard.proof import Check
    from wizard.sources.desk import Desk
    from wizard.targets.hub.script import StartScript

CLIENTS_PAGE = Page(
    "clients",
    "who may use the API",
    "Hub's gRPC API lets in everybody who has a certificate from the clients' authority, and nobody else.",
)
FILES_ONLY, NEW_AUTHORITY = "files", "new-authority"


@dataclass(frozen=True, kw_only=True)
class HubGrpc(HubTarget):
    """The answers for Hub's gRPC API."""

    key: ClassVar = "hub-grpc"
    api: ClassVar = "grpc"
    title: ClassVar = "IOTA Hub, gRPC"
    summary: ClassVar = (
        "Afterwards Hub's gRPC API speaks TLS only, and lets in only clients with a certificate that your "
        "own authority has issued to them."
    )
    sources: ClassVar = (PRIVATE_CA, EXISTING)
    key_types: ClassVar = HUB_KEY_TYPES
    pages: ClassVar = (SERVICE_PAGE, replace(PAGE, note=UNPROTECTED_KEY), CLIENTS_PAGE, AUTHORITY_PAGE)

    switch_to_grpc: bool = question(
        "Switch to gRPC",
        YesNo(),
        page=SERVICE_PAGE.key,
        help="It starts the REST API; these settings are for gRPC.",
        more="Hub serves one API at a time: gRPC, unless --serverType http is set. Yes sets it to grpc and "
        "takes --sslDH away, which only REST uses; programs that use the REST API then stop working.",
    )
    address: str = question(
        "Address to test",
        HostAndPort(),
        page=SERVICE_PAGE.key,
        help="Where Hub answers; the proof connects to it.",
        more="Taken from --listenAddress.",
    )

    clients: tuple[str, ...] = question(
        "Clients",
        Several(read_client_name),
        page=CLIENTS_PAGE.key,
        help="A name for each program or person, with commas.",
        more="Each gets a certificate and a key of its own, in the folder clients. Add names later to let "
        "more in; take one out to end its access.",
    )
    lock_out: str = question(
        "Those taken out",
        Choice(((NEW_AUTHORITY, "new authority"), (FILES_ONLY, "remove files only"))),
        page=CLIENTS_PAGE.key,
        help="Only a new authority locks them out; all others get new files.",
        more="Hub has no list of revoked certificates: whoever has a certificate from its authority gets in "
        "until it ends. A new authority ends that at once, for the others too, until they have their new "
        "files and ca.crt. Removing the files helps only where nobody has a copy.",
    )
    bundle: str = question(
        "Bundles",
        Choice(tuple((bundle.value, bundle.label) for bundle in Bundle)),
        page=CLIENTS_PAGE.key,
        help="Certificate and key of each client in one file as well.",
        more="PEM: NAME.pem, as curl and many libraries take it. PKCS#12: NAME.p12, for Java and Windows, "
        "under a password that is made and written to NAME.p12.password.",
    )
    client_authority: Path = question(
        "Clients' authority",
        FilePath(),
        page=CLIENTS_PAGE.key,
        help="The root certificate (PEM) whose clients are let in.",
        more="Everybody with a certificate from there gets in, so it must be yours alone: never a public "
        "authority, nor the one that issued your web certificate.",
    )
    test_client: Path | None = question(
        "A client to test",
        PerhapsFilePath(),
        page=CLIENTS_PAGE.key,
        help="PEM with a client's certificate and key; the proof uses it.",
    )

    # Rules --------------------------------------------------------------------------------------------

    def applies_switch_to_grpc(self, host: Host) -> bool:
        return self.starts_other_api()

    def default_switch_to_grpc(self, host: Host) -> bool:
        return False

    def check_switch_to_grpc(self, host: Host, value: bool) -> str | None:
        if value:
            return None
        return "This script starts Hub's REST API. Say yes to switch it to gRPC, or go back and leave it."

    def default_directory(self, host: Host) -> Path:
        return self.start_script.parent / "tls"

    def default_address(self, host: Host) -> str:
        listen = hub_service.read(self.start_script).listen_address or DEFAULT_ADDRESS
        try:
            address = HostAndPort().read(listen)
        except ValueError:
            return DEFAULT_ADDRESS
        host_part, _, port = address.rpartition(":")
        loopback = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 -- every address: here, loopback
        return f"{loopback.get(host_part, host_part)}:{port}"

    def applies_clients(self, host: Host) -> bool:
        return self.source == PRIVATE_CA

    def default_clients(self, host: Host) -> tuple[str, ...]:
        return self.people.there or ("client",)

    def applies_lock_out(self, host: Host) -> bool:
        return self.source == PRIVATE_CA and bool(self.people.taken_out)

    def check_lock_out(self, host: Host, value: str) -> str | None:
        if value == FILES_ONLY:
            return None
        issued = AuthorityFolder(self.own_authority).issued_to(datetime.now(UTC))
        others = [str(path) for path in issued if not path.is_relative_to(self.directory)]
        if not others:
            return None
        return (
            f"The authority has also issued {others[0]}, which nobody would trust any more. Remove only the "
            "client's files, or give that service another authority first."
        )

    def caution_lock_out(self, host: Host, value: str) -> str | None:
        names = ", ".join(self.people.taken_out)
        if value == FILES_ONLY:
            return f"{names}: a copy of the certificate still gets in, until it ends."
        return f"{names}: locked out once Hub is restarted; the others need their new files and ca.crt."

    def applies_bundle(self, host: Host) -> bool:
        return self.source == PRIVATE_CA

    def default_bundle(self, host: Host) -> str:
        return Bundle.NONE.value

    def applies_client_authority(self, host: Host) -> bool:
        return self.source == EXISTING

    def check_client_authority(self, host: Host, value: Path) -> str | None:
        return client_authority.why_unfit(value)

    def applies_test_client(self, host: Host) -> bool:
        return self.source == EXISTING

    @property
    def replaces_authority(self) -> bool:
        if super().replaces_authority:
            return True
        return bool(self.people.taken_out) and self.lock_out == NEW_AUTHORITY and self._has_own_authority

    @property
    def _has_own_authority(self) -> bool:
        return AuthorityFolder(self.own_authority).exists

    def check_authority(self, host: Host, value: str) -> str | None:
        if problem := super().check_authority(host, value):
            return problem
        if value != OWN and self.people.taken_out and self.lock_out == NEW_AUTHORITY:
            return "Other services use it too, so it is not replaced here: remove only the client's files."
        return None

    # What is written ----------------------------------------------------------------------------------

    def files(self, directory: Path) -> tuple[Path, ...]:
        # An authority of its own is not overwritten by the root of another.
        is_own = vars(self).get("source") == PRIVATE_CA and vars(self).get("authority", OWN) == OWN
        root = "ca.crt" if is_own else "clients-ca.crt"
        return directory / "server.crt", directory / "server.key", directory / root

    def pair(self, host: Host) -> Pair:
        certificate, key, _ = self.files(self.directory)
        return Pair(certificate, key, self.owner(host))

    @property
    def own_authority(self) -> Path:
        return self.directory

    @property
    def people(self) -> Clients:
        """The clients, those there and those wanted."""
        folder = self.directory / "clients"
        issued = AuthorityFolder(self.own_authority).issued_to(datetime.now(UTC))
        registered = tuple(path.stem for path in issued if path.parent == folder)
        return Clients(folder, vars(self).get("clients", ()), registered=registered)

    def reissuable(self, host: Host) -> tuple[Path, ...]:
        return (*super().reissuable(host), *self.people.certificates)

    def needs_issuing(self, host: Host) -> bool:
        desk, recipe = self._old_desk(host), self.client_recipe(host)
        return (
            super().needs_issuing(host)
            or any(private_ca.is_due(desk, wanted, pair) for wanted, pair in self.people.wanted(recipe))
            or expired_client.is_due(desk, self.expired_client)
        )

    def flags(self) -> dict[str, str]:
        certificate, key, authority = map(str, self.files(self.directory))
        switch = {"serverType": "grpc"} if self.switch_to_grpc else {}
        return {"authMode": "ssl", "sslKey": key, "sslCert": certificate, "sslCA": authority, **switch}

    @property
    def flags_to_remove(self) -> tuple[str, ...]:
        return ("sslDH",) if self.switch_to_grpc else ()

    @property
    def expired_client(self) -> Path:
        """A client's certificate that has ended, with its key: the proof shows that it is refused."""
        return self.directory / "expired-client.pem"

    def plan(self, host: Host, tell: Tell = silent) -> Plan:
        owner = self.owner(host)
        now = datetime.now(UTC)
        script = hub_service.read_for_plan(self.start_script)
        if self.source == PRIVATE_CA:
            desk = self.desk(host, owner, now)
            issues = [self.issue(host, now, desk), self._issue_to_clients(host, desk, owner, tell)]
            authority = (*desk.changes(), *self._copied_root(desk, owner))
        else:
            issues = [self.issue(host, now)]
            authority = tuple(self._given_authority(owner))
        changes = (
            *folders(self.directory, owner),
            *authority,
            *(change for issue in issues for change in issue.changes),
            *self.edit(script),
        )
        stale = hub_service.stale(host, self.start_script, self._read_at_start)
        kept = [path for issue in issues for path in issue.kept]
        others = (*self.authority_folder_files, self.expired_client, self.start_script)
        return Plan(
            target=self.key,
            title=f"Secure {self.title}, at {self.address}{self._what_for(changes)}",
            changes=changes,
            kept=(*kept, *unchanged(others, changes)),
            validations=self.validations,
            warnings=(
                *(warning for issue in issues for warning in issue.warnings),
                *self.script_warnings(script, host),
                *self._warnings(script),
            ),
            advice=tuple(self._advice(host, stale=bool(stale or self._concerns_hub(changes)))),
            restart=hub_service.restart(host, self.start_script),
        )

    def _concerns_hub(self, changes: tuple[Change, ...]) -> bool:
        """Whether Hub has to be restarted for them: for what it reads at its start, not for its clients."""
        return not {change.path for change in changes}.isdisjoint(self._read_at_start)

    def _what_for(self, changes: tuple[Change, ...]) -> str:
        """What a run does to the clients of a Hub that is secured already, in a few words."""
        if self.source != PRIVATE_CA or not self.people.there:
            return ""
        folder = self.people.folder
        files = [
            c for c in changes if isinstance(c, File) and c.path.parent == folder and c.path.suffix == ".crt"
        ]
        words = {
            "adds": [c.path.stem for c in files if c.before is None],
            "renews": [c.path.stem for c in files if c.before is not None and c.after is not None],
            "takes out": [c.path.stem for c in files if c.after is None],
        }
        said = [f"{what} {enumerated(names, 3)}" for what, names in words.items() if names]
        return f": {'; '.join(said)}" if said else ""

    def _issue_to_clients(self, host: Host, desk: Desk, owner: Owner | None, tell: Tell) -> Issue:
        bundle = Bundle(self.bundle)
        make = partial(private_ca.client, desk)
        if not self.makes_authority:
            desk.take_back(map(self.people.certificate, self.people.taken_out))
        issue = self.people.issue(make, self.client_recipe(host), bundle, owner, tell)
        changes: list[Change] = []
        if not self.people.folder.exists():
            about = "folder of the clients' files"
            changes.append(Directory(path=self.people.folder, mode=0o700, owner=owner, about=about))
        changes += issue.changes
        changes += expired_client.issue(desk, self.expired_client, owner)
        return replace(issue, changes=tuple(changes))

    def _copied_root(self, desk: Desk, owner: Owner | None) -> Iterator[Change]:
        """The authority's root where Hub can read it, when the authority is kept in another folder."""
        from wizard.material.certificates import certificate_pem

        root = self.files(self.directory)[2]
        if desk.folder.certificate != root:
            about = "root of the authority, which Hub checks clients against"
            yield from write(root, certificate_pem(desk.root), owner, about)

    def _given_authority(self, owner: Owner | None) -> Iterator[Change]:
        from wizard.material.bundles import chain_pem

        try:
            roots = client_authority.read(self.client_authority)
        except (OSError, MaterialError) as error:
            raise WrongAnswer("client_authority", f"{self.client_authority}: {error}") from None
        about = "the clients' authority"
        yield from write(self.files(self.directory)[2], chain_pem(roots), owner, about)

    @property
    def authority_folder_files(self) -> tuple[Path, ...]:
        """The files of the authority that are there, and Hub's copy of its root."""
        files = self.authority_folder.files if self.source == PRIVATE_CA else ()
        return tuple(dict.fromkeys((*files, self.files(self.directory)[2])))

    def _warnings(self, script: StartScript) -> Iterator[Warning]:
        if "authMode" not in script.settings:
            yield Warning(
                "From the restart on only clients with a certificate get in. Programs that use the API now "
                "stop working until they have theirs."
            )
        if self.source == PRIVATE_CA and self.new_keys and not self.makes_authority:
            for name in (Path(path).stem for path in self.reissue if Path(path).parent == self.people.folder):
                yield Warning(
                    f"{name}: whoever has a copy of the certificate before and of its key still gets in, "
                    "until that ends. Only a new authority ends it at once: take the client out and give it "
                    "another name."
                )
        if self.source == PRIVATE_CA and self.authority != OWN:
            yield Warning(
                "The authority serves other services too: whoever has a client certificate for one of them "
                "gets in here as well."
            )
        if self.source == PRIVATE_CA and self.makes_authority and self.two_tiers:
            yield Warning(
                f"Take {self.authority_folder.key} off this host when all is proven, to a place that is "
                "safe: nothing here needs the root's key."
            )

    def _advice(self, host: Host, *, stale: bool) -> Iterator[Advice]:
        if stale:
            yield hub_service.restart_advice(host, self.start_script)
        if self.source == PRIVATE_CA:
            service = self._service(host)
            yield Advice(
                f"Give each client its files from {self.people.folder}, and {service.ca}, on a way that "
                "nobody else can read. This is how a client connects:",
                f"openssl s_client -connect {service.endpoint} -alpn h2 -CAfile {quote(str(service.ca))} "
                f"-cert {quote(str(self.people.certificate(self.clients[0])))} "
                f"-key {quote(str(self.people.pair(self.clients[0]).key))}",
            )

    def _service(self, host: Host) -> TlsService:
        from wizard.checks import TlsService
        from wizard.probe import Endpoint, Http2Preface

        return TlsService(
            endpoint=Endpoint.parse(self.address),
            names=self.alt_names,
            certificate=self.pair(host).certificate,
            ca=self.trusted(host),
            request=Http2Preface(),
            client=next(iter(self._clients_with_files().values()), None),
        )

    def offer(self, host: Host) -> Offer:
        return Offer(self._service(host), self._clients_with_files())

    def proof(self, host: Host) -> tuple[Check, ...]:
        from wizard import checks
        from wizard.targets.hub import checks as hub_checks

        service = self._service(host)
        return (
            hub_checks.script_sets(self.start_script, self.flags()),
            hub_checks.runs(host, self.start_script, self._read_at_start, self.flags(), service.endpoint),
            *hub_checks.readable(host, self.account, self._read_at_start),
            client_authority.only_ours(self.files(self.directory)[2], self._expected_roots),
            *self._served(service),
            *self._who_gets_in(service),
            checks.old_versions_refused(service),
            checks.plain_grpc_refused(service),
        )

    def _expected_roots(self) -> tuple[Certificate, ...]:
        """The authorities whose clients are to be let in. Raises OSError or MaterialError."""
        if self.source == PRIVATE_CA:
            return (self.authority_folder.read_certificate(),)
        return client_authority.read(self.client_authority)

    def _served(self, service: TlsService) -> tuple[Check, ...]:
        """What only a client that is let in can find out."""
        from wizard import checks
        from wizard.proof import Check, Expect, Outcome, Verdict

        if service.client is not None:
            return (checks.reach(service), checks.our_certificate(service), *checks.names_accepted(service))

        def untried() -> Outcome:
            got = "No client's certificate was given to test with, so it is not known whether one gets in."
            return Outcome(verdict=Verdict.SKIPPED, got=got)

        return (Check("A client with a certificate is accepted", Expect.ACCEPT, untried, ""),)

    def _who_gets_in(self, service: TlsService) -> Iterator[Check]:
        """By real connections: those who should, and everybody else who might."""
        from wizard import client_checks
        from wizard.checks import ClientFiles

        clients = self._clients_with_files()
        if clients:
            yield client_checks.clients_accepted(service, clients)
        yield client_checks.no_certificate_refused(service)
        root = self.files(self.directory)[2]
        yield client_checks.client_refused(
            service,
            "A stranger's certificate is refused",
            lambda: client_checks.stranger(root.read_bytes(), next(iter(clients), "client")),
            "Whoever makes a certificate with these names gets in: the service does not check who issued it.",
        )
        own = ClientFiles(*self.files(self.directory)[:2])
        yield client_checks.client_refused(
            service,
            "The server's own certificate is refused",
            own.read,
            "Whoever gets hold of the server's key can also use the API as a client.",
            files=own,
        )
        if self.source == PRIVATE_CA:
            expired = ClientFiles(self.expired_client, self.expired_client)
            yield client_checks.client_refused(
                service,
                "An expired certificate is refused",
                lambda: expired_client.identity(expired, self.authority_folder),
                "A client keeps its access for ever: the service does not look at the dates.",
                files=expired,
            )

    def _clients_with_files(self) -> dict[str, ClientFiles]:
        """With what each client connects, by name."""
        from wizard.checks import ClientFiles

        if self.source == PRIVATE_CA:
            pairs = {name: self.people.pair(name) for name in self.clients}
            return {name: ClientFiles(pair.certificate, pair.key) for name, pair in pairs.items()}
        return {"to test": ClientFiles(self.test_client, self.test_client)} if self.test_client else {}

    @property
    def _read_at_start(self) -> tuple[Path, ...]:
        """What Hub reads when it starts."""
        return (*self.files(self.directory), self.start_script)
