"""The Nano node's RPC: server TLS, and a certificate for each client that is let in.

What the node does with its files is read from nanocurrency/nano-node, V21.3 to V27.1: nano/rpc/rpc_secure.cpp
and nano/lib/tlsconfig.cpp.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, ClassVar

from wizard.errors import Refusal
from wizard.host import Host
from wizard.material.key_types import KeyType
from wizard.plan import Advice, Change, Command, Directory, File, Plan, Tell, Warning, silent
from wizard.sources import self_signed
from wizard.sources.client_folder import ClientFolder
from wizard.sources.clients import Bundle, enumerated
from wizard.sources.pair import Issue, Pair, Wanted, write
from wizard.targets import Found, Offer
from wizard.targets.catalogue import NANO
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
from wizard.targets.nano_node import config
from wizard.targets.nano_node import service as node_service
from wizard.targets.nano_node.questions import CLIENTS_PAGE, KEY_PAGE, SERVICE_PAGE, NanoQuestions
from wizard.targets.service_files import folders, unchanged

if TYPE_CHECKING:
    from wizard.checks import TlsService
    from wizard.formats.toml import Value
    from wizard.plan import Owner
    from wizard.proof import Check


@dataclass(frozen=True, kw_only=True)
class Nano(NanoQuestions):
    """The answers for the Nano node's RPC."""

    service_name: ClassVar = "The node"
    restarted: ClassVar = "the node is restarted"
    key: ClassVar = NANO.key
    title: ClassVar = NANO.title
    summary: ClassVar = NANO.summary
    sources: ClassVar = (SELF_SIGNED, PRIVATE_CA, REQUEST, EXISTING)
    key_types: ClassVar = (
        *(KeyType.ECDSA_P256, KeyType.ECDSA_P384),
        *(KeyType.RSA_2048, KeyType.RSA_3072, KeyType.RSA_4096),
    )
    takes_protected_keys: ClassVar = True
    pages: ClassVar = (SERVICE_PAGE, PAGE, SUBJECT_PAGE, AUTHORITY_PAGE, ANSWER_PAGE, CLIENTS_PAGE, KEY_PAGE)

    @classmethod
    def find(cls, host: Host) -> Found:
        return node_service.found(host)

    # The plan -----------------------------------------------------------------------------------------

    def settings(self, host: Host) -> dict[str, Value]:
        """What the configuration has to say; paths in full, since others begin where the node was started."""
        certificate, key, dh = self.files(self.directory)
        values: dict[str, Value] = {
            self.era().switch: True,
            "server_cert_path": str(certificate),
            "server_key_path": str(key),
            "server_dh_path": str(dh),
            "client_certs_path": str(self.people.folder) if self.clients else "",
        }
        passphrase = self.pair(host).passphrase
        return values | ({"server_key_passphrase": passphrase} if passphrase else {})

    def restart(self, host: Host) -> Command | None:
        return node_service.restart(host, self.data_directory)

    def plan(self, host: Host, tell: Tell = silent) -> Plan:
        self._check_files()
        owner, now = self.owner(host), datetime.now(UTC)
        desk = self.desk(host, owner, now) if self.source == PRIVATE_CA else None
        issue = self.issue(host, now, desk)
        if issue.awaits:
            return self.request(issue, owner, "The node and its files")
        authority = (*self.authority_folders(owner), *(desk.changes() if desk else ()))
        return self._secured(host, issue, self._clients(host, now, tell), authority)

    def _secured(self, host: Host, issue: Issue, clients: Issue, authority: tuple[Change, ...]) -> Plan:
        from wizard.material.dh import dh_parameters
        from wizard.targets.nano_node.edits import edits

        owner, dh = self.owner(host), self.files(self.directory)[2]
        edited = tuple(edits(self.data_directory, self.era(), self.settings(host), owner))
        about = "Diffie-Hellman group ffdhe2048 of RFC 7919; without it no client is checked"
        changes = (
            *folders(self.directory, owner),
            *authority,
            *issue.changes,
            *write(dh, dh_parameters(), owner, about),
            *clients.changes,
            *edited,
        )
        stale = node_service.stale(host, self.data_directory, self._read_at_start())
        others = (dh, *(self.data_directory / name for name in (config.RPC, self.era().value)))
        return Plan(
            target=self.key,
            title=f"Secure {self.what}",
            changes=changes,
            kept=(*issue.kept, *clients.kept, *unchanged(dict.fromkeys(others), changes)),
            warnings=(*issue.warnings, *clients.warnings, *self._warnings(host, edited)),
            advice=tuple(self._advice(host, changes, stale=bool(changes or stale))),
            restart=self.restart(host),
        )

    def _check_files(self) -> None:
        """Raise Refusal when the configuration has become unreadable since it was asked for."""
        try:
            config.read_all(self.data_directory)
        except OSError as error:
            path = Path(error.filename or self.data_directory)
            raise Refusal(path, f"It cannot be read: {error.strerror}.", "Look at what is there.") from None

    def _clients(self, host: Host, now: datetime, tell: Tell) -> Issue:
        """Their files, and the names by which the node finds their certificates."""
        owner, people, folder = self.owner(host), self.people, self._client_folder()
        subjects = folder.subjects()
        have = Counter(subjects.values())

        def make(wanted: Wanted, pair: Pair) -> Issue:
            own = subjects.get(pair.certificate.name, "")
            others = have.keys() - {own} if have[own] == 1 else have.keys()
            return self_signed.client(wanted, pair, now, others)

        issue = people.issue(make, self.client_recipe(host), Bundle(self.bundle), owner, tell)
        files = {change.path: change for change in issue.changes if isinstance(change, File)}
        changes = (*self._client_folders(owner), *issue.changes, *folder.links(files))
        warnings = (*issue.warnings, *self._remembered(files), *folder.strangers())
        return replace(issue, changes=changes, warnings=warnings)

    def _client_folder(self) -> ClientFolder:
        people = self.people
        names = {*people.names, *people.there}
        return ClientFolder(people.folder, frozenset(people.certificate(name).name for name in names))

    def _client_folders(self, owner: Owner | None) -> Iterator[Change]:
        people = self.people
        if people.names and not people.folder.exists():
            about = "the certificates of those who get in, and nothing else"
            yield Directory(path=people.folder, mode=0o755, owner=owner, about=about)
        if people.names and people.keys and not people.keys.exists():
            about = "the clients' keys, which the node does not need"
            yield Directory(path=people.keys, mode=0o700, owner=owner, about=about)

    def _remembered(self, files: Mapping[Path, File]) -> Iterator[Warning]:
        """Whom the node goes on to let in, for it keeps the certificates that it has let in."""
        folder = self.people.folder
        before = [file for file in files.values() if file.path.parent == folder and file.before is not None]
        if removed := [file.path.stem for file in before if file.after is None]:
            yield Warning(
                f"{enumerated(removed)}: still gets in until the node is restarted, since it remembers "
                "whom it has let in. Restart it at once."
            )
        if replaced := [file.path.stem for file in before if file.after is not None]:
            yield Warning(
                f"{enumerated(replaced)}: the certificate from before also gets in until the node is "
                "restarted. If its key may have leaked, restart it at once."
            )

    # What to know, and what to do ---------------------------------------------------------------------

    def _warnings(self, host: Host, edited: tuple[File, ...]) -> Iterator[Warning]:
        from wizard.targets.nano_node import edits

        data, era = self.data_directory, self.era()
        rpc, _ = config.read_all(data)
        yield from edits.repairs(config.settings_in(data, era), era, self.settings(host))
        yield from edits.troubles_left(data, era, edited)
        yield from edits.address_warnings(rpc)
        yield from edits.enabled_warnings(data)
        yield from edits.ignored(data, era, edited, self.owner(host))
        yield from node_service.overrides(host, data)
        yield from self._ends_with_the_restart()
        if self.pair(host).passphrase:
            yield Warning(
                f"The passphrase of the server's key stands in clear in {era.value}, since the node needs it "
                "at each start. The file becomes 0600: only the node's account and root can read it."
            )
        if self.clients:
            yield Warning(
                "Whoever presents a certificate of their own making together with its root gets in too: the "
                "node takes that for valid. Keep the RPC on [::1], or off public addresses; see Prove."
            )
        yield from self._unreached()
        told_with_its_line = self.caution_data_directory(host, data)
        for caution in self.cautions(host):
            if caution != told_with_its_line:
                yield Warning(caution)

    def _ends_with_the_restart(self) -> Iterator[Warning]:
        data, era = self.data_directory, self.era()
        if not config.is_secured(data, era):
            yield Warning(node_service.BUILT_WITHOUT)
            only = " with a certificate of their own" if self.clients else ""
            yield Warning(
                f"From the restart on the RPC takes only clients that speak TLS{only}. Programs that use it "
                "now stop working until they are set up for that."
            )
        before = config.text_in(data, era, "client_certs_path")
        if before and os.path.realpath(data / before) != os.path.realpath(self.people.folder):
            yield Warning(
                f"Until now the clients in {before} get in. From the restart on only those in "
                f"{self.people.folder} do, so the others need new files."
            )

    def _unreached(self) -> Iterator[Warning]:
        from wizard.probe import Endpoint, bracketed
        from wizard.targets.nano_node.names import lead_elsewhere

        at = Endpoint.parse(self.address)
        if names := lead_elsewhere(self.alt_names, at.host):
            yield Warning(
                f"From this host these names do not lead to {at.host}, where the RPC listens: "
                f"{', '.join(names)}. To use one here, add a line to /etc/hosts: {at.host} {names[0]}. Or "
                f"connect to https://{bracketed(at.host)}:{at.port}/."
            )

    def _advice(self, host: Host, changes: tuple[Change, ...], *, stale: bool) -> Iterator[Advice]:
        from wizard.by_hand import curl

        if stale:
            yield node_service.restart_advice(host, self.data_directory)
        service = replace(self._service(host), ca=self.trusted(host, changes))
        told = "This is how a client connects:"
        if service.ca.is_relative_to(self.directory):  # else it is a public authority, which they know
            told = f"Give clients {service.ca} to trust. {told}"
        if self.clients:
            told = f"Give each its key from {self.people.keys}, on a way that nobody else reads. {told}"
        yield Advice(told, curl(service, service.client))
        yield self._keep_it_in()
        yield Advice(
            "The node's log tells whether it has taken the files: `TLS: successfully configured` (since "
            "V23), or `Could not load certificate information`.",
            join(("grep", "-rhE", "TLS|certificate", str(self.data_directory / "log"))),
        )

    def _keep_it_in(self) -> Advice:
        """What helps against those who get round the check of clients."""
        address, port = config.listening_by(self.data_directory)
        if not config.is_open(address):
            return Advice(
                f"Only programs on this host reach {address}. Keep it so: let others in by a tunnel, such as "
                "ssh -L or WireGuard, or by a proxy that checks clients."
            )
        return Advice(
            'Set address = "::1" in config-rpc.toml, or let only your clients reach the port (their network '
            "in place of 10.0.0.0/24).",
            f"ufw allow from 10.0.0.0/24 to any port {port} proto tcp && ufw deny {port}/tcp",
        )

    # The proof ----------------------------------------------------------------------------------------

    def _service(self, host: Host) -> TlsService:
        from wizard.checks import TlsService
        from wizard.probe import Endpoint
        from wizard.targets.nano_node.checks import BLOCK_COUNT

        return TlsService(
            endpoint=Endpoint.parse(self.address),
            names=self.alt_names,
            certificate=self.pair(host).certificate,
            ca=self.trusted(host),
            request=BLOCK_COUNT,
            client=next(iter(self.files_of(self.clients).values()), None),
        )

    def offer(self, host: Host) -> Offer:
        return Offer(self._service(host), self.files_of(self.clients) if self.clients else None)

    def proof(self, host: Host) -> tuple[Check, ...]:
        from wizard import checks
        from wizard.targets.nano_node import checks as node_checks

        service, data = self._service(host), self.data_directory
        owner = self.owner(host)
        return (
            *self.answered(host),
            node_checks.configured(data, self.era(), self.settings(host), owner.uid if owner else None),
            node_checks.runs(host, data, self._read_at_start(), service.endpoint),
            checks.reach(service),
            checks.our_certificate(service),
            *checks.names_accepted(service),
            *self._who_gets_in(host, service),
            checks.plain_http_refused(service),
            checks.old_versions_refused(service),
            checks.api_answers(service),
        )

    def _who_gets_in(self, host: Host, service: TlsService) -> Iterator[Check]:
        """By real connections: those who should, and everybody else who might."""
        from wizard import client_checks
        from wizard.targets.nano_node import checks as node_checks

        if not self.clients:
            return
        yield client_checks.clients_accepted(service, self.files_of(self.clients))
        yield client_checks.no_certificate_refused(service)
        yield node_checks.lone_stranger_refused(service)
        yield node_checks.stranger_with_root_refused(service, (self._keep_it_in(),))
        yield node_checks.removed_clients_locked_out(host, self.data_directory, self.people.folder)

    def _read_at_start(self) -> tuple[Path, ...]:
        """What the node reads when it starts."""
        certificate, _, dh = self.files(self.directory)
        return certificate, dh, self.data_directory / self.era().value
