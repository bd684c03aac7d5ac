"""IOTA Hub's RESTful API: server TLS without client authentication, on Boost.Beast.

What Hub does with its flags is read from iotaledger/hub at 9df503d4: common/flags.cc and
common/http_server_base.cc.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, ClassVar

from wizard.address import reached_at
from wizard.host import Host
from wizard.kinds import IPv4Address, YesNo
from wizard.plan import Advice, Change, Plan, Tell, Warning, silent
from wizard.questions import question
from wizard.sources.pair import Issue, Pair, write
from wizard.targets import Offer
from wizard.targets.catalogue import HUB_REST
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
    from wizard.plan import Owner
    from wizard.proof import Check
    from wizard.targets.hub.script import StartScript

API_HEADERS = (("Content-Type", "application/json"), ("X-IOTA-API-Version", "1"))
PLAIN_HTTP = "Hub answers plain HTTP beside TLS, on the same port, and has no switch against it."


@dataclass(frozen=True, kw_only=True)
class HubRest(HubTarget):
    """The answers for Hub's RESTful API."""

    key: ClassVar = HUB_REST.key
    api: ClassVar = "http"
    title: ClassVar = HUB_REST.title
    summary: ClassVar = HUB_REST.summary
    sources: ClassVar = (SELF_SIGNED, PRIVATE_CA, REQUEST, EXISTING)
    key_types: ClassVar = HUB_KEY_TYPES
    pages: ClassVar = (
        SERVICE_PAGE,
        replace(PAGE, note=UNPROTECTED_KEY),
        SUBJECT_PAGE,
        AUTHORITY_PAGE,
        ANSWER_PAGE,
    )

    switch_to_rest: bool = question(
        "Switch to REST",
        YesNo(),
        page=SERVICE_PAGE.key,
        help="It starts the gRPC API; these settings are for REST.",
        more="Hub serves one API at a time: gRPC, unless --serverType http is set. Yes adds that flag and "
        "takes --sslCA away, which only gRPC uses; programs that use the gRPC API then stop working.",
    )
    address: str = question(
        "Address to test",
        IPv4Address(),
        page=SERVICE_PAGE.key,
        help="Where Hub answers; the proof connects to it.",
        more="Taken from --listenAddress. Hub's REST server takes an IPv4 address with a port, no name.",
    )

    def applies_switch_to_rest(self, host: Host) -> bool:
        return self.starts_other_api()

    def default_switch_to_rest(self, host: Host) -> bool:
        return False

    def check_switch_to_rest(self, host: Host, value: bool) -> str | None:
        if value:
            return None
        return "This script starts Hub's gRPC API. Say yes to switch it to REST, or go back and leave it."

    def default_directory(self, host: Host) -> Path:
        return self.start_script.parent

    def default_address(self, host: Host) -> str:
        listen = hub_service.read(self.start_script).listen_address or DEFAULT_ADDRESS
        try:
            host_part, _, port = IPv4Address().read(listen).rpartition(":")
        except ValueError:
            return DEFAULT_ADDRESS
        return f"{reached_at(host_part)}:{port}"

    def files(self, directory: Path) -> tuple[Path, ...]:
        return directory / "cert.pem", directory / "key.pem", directory / "dh.pem"

    def pair(self, host: Host) -> Pair:
        certificate, key, _ = self.files(self.directory)
        return Pair(certificate, key, self.owner(host))

    @property
    def own_authority(self) -> Path:
        return self.directory / "authority"

    def flags(self) -> dict[str, str]:
        names = ("sslCert", "sslKey", "sslDH")
        files = dict(zip(names, map(str, self.files(self.directory)), strict=True))
        return {"authMode": "ssl", **files, **({"serverType": "http"} if self.switch_to_rest else {})}

    @property
    def flags_to_remove(self) -> tuple[str, ...]:
        return ("sslCA",) if self.switch_to_rest else ()

    def plan(self, host: Host, tell: Tell = silent) -> Plan:
        owner = self.owner(host)
        now = datetime.now(UTC)
        desk = self.desk(host, owner, now) if self.source == PRIVATE_CA else None
        issue = self.issue(host, now, desk)
        if issue.awaits:
            return self.request(issue, owner, "Hub and its start script")
        return self._secured(host, issue, owner, tuple(desk.changes()) if desk else ())

    def _secured(self, host: Host, issue: Issue, owner: Owner | None, authority: tuple[Change, ...]) -> Plan:
        from wizard.material.dh import dh_parameters

        script = hub_service.read_for_plan(self.start_script)
        dh = self.files(self.directory)[2]
        changes = (
            *folders(self.directory, owner),
            *self.authority_folders(owner),
            *authority,
            *issue.changes,
            *write(dh, dh_parameters(), owner, "Diffie-Hellman group ffdhe2048 of RFC 7919"),
            *self.edit(script),
        )
        stale = hub_service.stale(host, self.start_script, self._read_at_start(host))
        return Plan(
            target=self.key,
            title=f"Secure {self.what}",
            changes=changes,
            kept=(*issue.kept, *unchanged((dh, self.start_script), changes)),
            validations=self.validations,
            warnings=(*issue.warnings, *self._warnings(script, host)),
            advice=tuple(self._advice(host, stale=bool(changes or stale))),
            restart=self.restart(host),
        )

    def _warnings(self, script: StartScript, host: Host) -> Iterator[Warning]:
        yield from self.script_warnings(script, host)
        if script.listen_address is not None:
            try:
                IPv4Address().read(script.listen_address)
            except ValueError:
                yield Warning(
                    f"--listenAddress {script.listen_address} is not an IPv4 address with a port: "
                    "Hub's REST server stops on it. Give it as a.b.c.d:port.",
                    script.path,
                    script.settings["listenAddress"].line,
                )
        yield Warning(
            "Hub keeps answering plain HTTP on the same port; it has no switch for that. See Prove."
        )

    def _advice(self, host: Host, *, stale: bool) -> Iterator[Advice]:
        from wizard.probe import bracketed

        if stale:
            yield hub_service.restart_advice(host, self.start_script)
        yield hub_service.close_port(self.start_script)
        service = self._service(host)
        url = f"https://{bracketed(service.name)}:{service.endpoint.port}/"
        if self.source in (SELF_SIGNED, PRIVATE_CA):
            yield Advice(
                f"Give clients {service.ca.name} to trust, instead of switching the check off with -k.",
                join(("curl", "--cacert", str(service.ca), url)),
            )
        yield Advice(
            'If Hub stops with "unknown command line flag", it is older than 1.4.1, '
            "which brought REST over TLS: update it, or undo."
        )

    def _service(self, host: Host) -> TlsService:
        from wizard.checks import TlsService
        from wizard.probe import Endpoint, Request

        return TlsService(
            endpoint=Endpoint.parse(self.address),
            names=self.alt_names,
            certificate=self.pair(host).certificate,
            ca=self.trusted(host),
            request=Request("POST", "/", API_HEADERS, b'{"command":"GetStats"}'),
        )

    def offer(self, host: Host) -> Offer:
        return Offer(self._service(host), None)

    def proof(self, host: Host) -> tuple[Check, ...]:
        from wizard import checks
        from wizard.targets.hub import checks as hub_checks

        service = self._service(host)
        advice = (hub_service.close_port(self.start_script),)
        return (
            *self.answered(host),
            hub_checks.script_sets(self.start_script, self.flags()),
            hub_checks.runs(
                host, self.start_script, self._read_at_start(host), self.flags(), service.endpoint
            ),
            *hub_checks.readable(host, self.account, self.files(self.directory)),
            checks.reach(service),
            checks.our_certificate(service),
            *checks.names_accepted(service),
            checks.old_versions_refused(service),
            checks.api_answers(service),
            checks.plain_http_refused(service, known_limit=PLAIN_HTTP, advice=advice),
        )

    def _read_at_start(self, host: Host) -> tuple[Path, ...]:
        """What Hub reads when it starts."""
        return self.pair(host).certificate, self.start_script
