"""IOTA Hub's gRPC API: TLS with client certificates, which Hub always demands.

What Hub does with its flags is read from iotaledger/hub at 9df503d4: common/grpc_server_base.cc and
hub/server/grpc_server.cc.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, ClassVar

from wizard.address import reached_at
from wizard.host import Host
from wizard.kinds import HostAndPort, YesNo
from wizard.plan import Advice, Change, Plan, Tell, Warning, silent
from wizard.questions import Page, question
from wizard.sources import client_authority
from wizard.sources.pair import Pair
from wizard.targets import Offer
from wizard.targets.catalogue import HUB_GRPC
from wizard.targets.certificate.base import AUTHORITY_PAGE, EXISTING, OWN, PAGE, PRIVATE_CA
from wizard.targets.checked_clients import CheckedClients
from wizard.targets.client_questions import PAGE_KEY
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
    from wizard.checks import TlsService
    from wizard.proof import Check
    from wizard.targets.hub.script import StartScript

CLIENTS_PAGE = Page(
    PAGE_KEY,
    "who may use the API",
    "Hub's gRPC API lets in everybody who has a certificate from the clients' authority, and nobody else.",
)


@dataclass(frozen=True, kw_only=True)
class HubGrpc(CheckedClients, HubTarget):
    """The answers for Hub's gRPC API."""

    key: ClassVar = HUB_GRPC.key
    api: ClassVar = "grpc"
    title: ClassVar = HUB_GRPC.title
    summary: ClassVar = HUB_GRPC.summary
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
        from wizard.probe import Endpoint

        listen = hub_service.read(self.start_script).listen_address or DEFAULT_ADDRESS
        try:
            at = Endpoint.parse(HostAndPort().read(listen))
        except ValueError:
            return DEFAULT_ADDRESS
        return str(Endpoint(reached_at(at.host), at.port))

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
    def issues_to_clients(self) -> bool:
        return self.source == PRIVATE_CA

    @property
    def takes_authority(self) -> bool:
        return self.source == EXISTING

    @property
    def client_root(self) -> Path:
        return self.files(self.directory)[2]

    def flags(self) -> dict[str, str]:
        certificate, key, authority = map(str, self.files(self.directory))
        switch = {"serverType": "grpc"} if self.switch_to_grpc else {}
        return {"authMode": "ssl", "sslKey": key, "sslCert": certificate, "sslCA": authority, **switch}

    @property
    def flags_to_remove(self) -> tuple[str, ...]:
        return ("sslDH",) if self.switch_to_grpc else ()

    def plan(self, host: Host, tell: Tell = silent) -> Plan:
        owner = self.owner(host)
        now = datetime.now(UTC)
        script = hub_service.read_for_plan(self.start_script)
        desk = self.desk(host, owner, now) if self.source == PRIVATE_CA else None
        issues = [self.issue(host, now, desk)]
        if desk:
            issues.append(self.issue_to_clients(host, desk, owner, tell))
        authority = (*(desk.changes() if desk else ()), *self.root_changes(desk, owner))
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
            title=f"Secure {self.what}{self.what_for(changes)}",
            changes=changes,
            kept=(*kept, *unchanged(others, changes)),
            validations=self.validations,
            warnings=(
                *(warning for issue in issues for warning in issue.warnings),
                *self.script_warnings(script, host),
                *self._warnings(script),
            ),
            advice=tuple(self._advice(host, stale=bool(stale or self._concerns_hub(changes)))),
            restart=self.restart(host),
        )

    def _concerns_hub(self, changes: tuple[Change, ...]) -> bool:
        """Whether Hub has to be restarted for them: for what it reads at its start, not for its clients."""
        return not {change.path for change in changes}.isdisjoint(self._read_at_start)

    def _warnings(self, script: StartScript) -> Iterator[Warning]:
        mode = script.settings.get("authMode")
        if mode is None or mode.value != "ssl":
            yield Warning(
                "From the restart on only clients with a certificate get in. Programs that use the API now "
                "stop working until they have theirs."
            )
        yield from self.authority_warnings()

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
            client=next(iter(self.clients_with_files().values()), None),
        )

    def offer(self, host: Host) -> Offer:
        return Offer(self._service(host), self.clients_with_files())

    def proof(self, host: Host) -> tuple[Check, ...]:
        from wizard import checks
        from wizard.checks import ClientFiles
        from wizard.targets.hub import checks as hub_checks

        service = self._service(host)
        return (
            hub_checks.script_sets(self.start_script, self.flags()),
            hub_checks.runs(host, self.start_script, self._read_at_start, self.flags(), service.endpoint),
            *hub_checks.readable(host, self.account, self._read_at_start),
            client_authority.only_ours(self.client_root, self.expected_roots),
            *self.served(service),
            *self.who_gets_in(service, ClientFiles(*self.files(self.directory)[:2])),
            checks.old_versions_refused(service),
            checks.plain_grpc_refused(service),
        )

    @property
    def _read_at_start(self) -> tuple[Path, ...]:
        """What Hub reads when it starts."""
        return (*self.files(self.directory), self.start_script)
