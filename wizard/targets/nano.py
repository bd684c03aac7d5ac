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
from wizard.kinds import Account, FilePath, HostAndPort, Passphrase, Raw, Several, Text
from wizard.material.key_types import KeyType
from wizard.plan import Advice, Change, Command, Directory, File, Plan, Tell, Warning, silent
from wizard.questions import Page, question
from wizard.rights import cannot_write
from wizard.secret import Secret
from wizard.sheet import Elsewhere, Missing
from wizard.sources import private_ca, self_signed
from wizard.sources.client_folder import ClientFolder
from wizard.sources.clients import Bundle, Clients, enumerated, read_client_name
from wizard.sources.pair import Issue, Pair, Wanted, write
from wizard.targets import Found, Offer
from wizard.targets.catalogue import NANO
from wizard.targets.certificate.base import (
    ANSWER_PAGE,
    AUTHORITY_PAGE,
    CARRIED,
    EXISTING,
    OWN,
    PAGE,
    PRIVATE_CA,
    REQUEST,
    SELF_SIGNED,
    SUBJECT_PAGE,
)
from wizard.targets.client_questions import PAGE_KEY, ClientQuestions
from wizard.targets.nano_node import config
from wizard.targets.nano_node import service as node_service
from wizard.targets.service_files import folders, unchanged

if TYPE_CHECKING:
    from wizard.checks import TlsService
    from wizard.formats.toml import Value
    from wizard.host import Service
    from wizard.plan import Owner
    from wizard.proof import Check

LOOPBACK = ("::1", "127.0.0.1")
SERVICE_PAGE = Page(
    "service",
    "the service",
    "Official builds and images of the node have no TLS; it takes one that was built with "
    "-DNANO_SECURE_RPC=ON. Another one does not start with these settings, and says so.",
)
CLIENTS_PAGE = Page(
    PAGE_KEY,
    "who may use the RPC",
    "The node lets in whoever has one of the certificates in its folder. This can be got round by a crafted "
    "chain of certificates, so keep the RPC off public addresses all the same.",
)
KEY_PAGE = Page(
    "key",
    "the server's key",
    "The passphrase also stands in the node's configuration, in clear, where only its account reads it.",
)
FIRST_CLIENT = "rpc.user.1"
LONGEST_PASSPHRASE = 1023
"""Octets that OpenSSL takes (PEM_BUFSIZE, less one)."""


@dataclass(frozen=True, kw_only=True)
class Nano(ClientQuestions):
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
    pages: ClassVar = (
        SERVICE_PAGE,
        PAGE,
        SUBJECT_PAGE,
        AUTHORITY_PAGE,
        ANSWER_PAGE,
        CLIENTS_PAGE,
        KEY_PAGE,
    )

    data_directory: Path = question(
        "Data directory",
        FilePath(),
        page=SERVICE_PAGE.key,
        help="Where the node has its config files and its ledger.",
        more="What the node is started with as --data_path; else Nano in the home of its account.",
    )
    node_version: str = question(
        "Version",
        Text(),
        page=SERVICE_PAGE.key,
        help="As `nano_node --version` prints it, such as V25.1.",
        more="V21 and V22 have their settings in config-rpc.toml, V23 to V26 in config-tls.toml; each stops, "
        "or stays without TLS, when they are in the other file. From V27 on there is no TLS.",
    )
    directory: Path = question(
        "Folder for files", FilePath(), page=SERVICE_PAGE.key, help="Certificates and keys are written here."
    )
    account: str = question(
        "The node runs as",
        Account(),
        page=SERVICE_PAGE.key,
        help="The account that owns the files and so can read the key.",
    )
    address: str = question(
        "Address to test",
        HostAndPort(),
        page=SERVICE_PAGE.key,
        help="Where the RPC answers; the proof connects to it.",
        more="Taken from config-rpc.toml. The node's ::ffff:127.0.0.1 is 127.0.0.1 for clients.",
    )
    clients: tuple[str, ...] = question(
        "Clients",
        Several(read_client_name, optional=True),
        page=CLIENTS_PAGE.key,
        help="A name for each program or person, with commas.",
        more="Each gets a certificate of its own, signed by itself, and a key. Add names later to let more "
        "in; take one out to end its access. With no name at all nobody is asked for a certificate.",
    )
    server_passphrase: Secret = question(
        "Key's passphrase",
        Passphrase(),
        page=KEY_PAGE.key,
        help="The server's key is written under it.",
        more="The node needs it at each start, so it is written into its configuration too. It protects "
        "copies of the key alone, such as in a backup.",
    )

    @classmethod
    def find(cls, host: Host) -> Found:
        return node_service.found(host)

    # Rules --------------------------------------------------------------------------------------------

    def default_data_directory(self, host: Host) -> Path | None:
        return node_service.data_directory(host, self.key)

    def check_data_directory(self, host: Host, value: Path) -> str | None:
        if not value.is_dir():
            return "There is no such folder. Give the node's data directory, usually Nano in a home folder."
        for name in (config.RPC, config.TLS):
            if problem := cannot_write(value / name, host, self.key):
                return problem
        config.read_all(value)
        return None

    def caution_data_directory(self, host: Host, value: Path) -> str | None:
        from wizard.targets.nano_node.edits import troubles

        for said in (one for file in config.read_all(value) for one in troubles(file)):
            return f"{said.path.name if said.path else ''}, line {said.line}: {said.text}"
        names = (config.NODE, config.RPC, "data.ldb")
        return None if any((value / name).exists() for name in names) else "No node has run with it yet."

    def default_node_version(self, host: Host) -> str:
        try:
            return node_service.version_of(host, self.data_directory)
        except ValueError as error:  # nothing has been done wrong yet
            raise Missing(str(error)) from None

    def check_node_version(self, host: Host, value: str) -> str | None:
        try:
            config.era_of(value)
        except config.WithoutTls as error:
            raise Elsewhere(
                str(error), "nginx", self._behind_nginx(host), (*CARRIED, "clients", "bundle")
            ) from None
        return None

    def _behind_nginx(self, host: Host) -> dict[str, Raw]:
        """What nginx is asked, where it speaks TLS for the RPC and lets in only known clients."""
        clients = self.people_in(self.data_directory / "tls").there
        return {
            "site": "new",
            "upstream": self.default_address(host),
            "client_ca": OWN,
            "clients": list(clients or (FIRST_CLIENT,)),
        }

    def caution_node_version(self, host: Host, value: str) -> str | None:
        try:
            runs = node_service.version_of(host, self.data_directory)
        except ValueError:
            return None
        return None if runs == config.read_version(value) else f"The node that runs here says V{runs}."

    def default_directory(self, host: Host) -> Path:
        return self.data_directory / "tls"

    def default_address(self, host: Host) -> str:
        from wizard.probe import bracketed

        address, port = config.listening_by(self.data_directory)
        return f"{bracketed(config.for_clients(address))}:{port}"

    def caution_address(self, host: Host, value: str) -> str | None:
        expected = self.default_address(host)
        return None if value == expected else f"By {config.RPC} the RPC listens on {expected}."

    def default_alt_names(self, host: Host) -> tuple[str, ...]:
        names = super().default_alt_names(host)
        return names if self.source == EXISTING else tuple(dict.fromkeys((*names, *LOOPBACK)))

    def check_alt_names(self, host: Host, value: tuple[str, ...]) -> str | None:
        missing = [name for name in LOOPBACK if name not in value]
        if missing and self.source in (SELF_SIGNED, PRIVATE_CA):
            return f"Add {' and '.join(missing)}: programs on this host, and the proof, connect by them."
        return super().check_alt_names(host, value)

    def applies_reissue(self, host: Host) -> bool:
        return bool(self.reissuable(host))

    def applies_new_keys(self, host: Host) -> bool:
        return bool(self.reissue)

    def default_clients(self, host: Host) -> tuple[str, ...]:
        return self.people.there or (FIRST_CLIENT,)

    def check_clients(self, host: Host, value: tuple[str, ...]) -> str | None:
        seen: dict[str, str] = {}
        for name in value:
            other = seen.setdefault(name.lower(), name)
            if other != name:
                return f"{other} and {name} differ in capitals only, which the node does not tell apart."
        return None

    def caution_clients(self, host: Host, value: tuple[str, ...]) -> str | None:
        if value:
            return None
        return "DANGER: nobody is asked for a certificate; whoever reaches the port can use the RPC."

    def applies_bundle(self, host: Host) -> bool:
        return bool(self.clients)

    def applies_server_passphrase(self, host: Host) -> bool:
        return self._configured_passphrase() is None and self._key_is_due(host)

    def chosen_server_passphrase(self, host: Host) -> bool:
        return True

    def check_server_passphrase(self, host: Host, value: Secret) -> str | None:
        text = value.reveal()
        if len(text.encode("utf-8", "replace")) > LONGEST_PASSPHRASE:
            return f"OpenSSL takes a passphrase of at most {LONGEST_PASSPHRASE} bytes; give a shorter one."
        return None if text.isprintable() else "There is a control character in it; type it anew."

    # What is there, and what is written ---------------------------------------------------------------

    def era(self) -> config.Era:
        """Where the node looks for its settings."""
        return config.era_of(self.node_version)

    def running(self, host: Host) -> Service | None:
        return node_service.running(host, self.data_directory)

    @property
    def belongings(self) -> Path:
        return self.data_directory

    def files(self, directory: Path) -> tuple[Path, Path, Path]:
        """What is written for the node itself: certificate, key, Diffie-Hellman parameters."""
        return directory / "server.cert.pem", directory / "server.key.pem", directory / "dh2048.pem"

    def _configured_passphrase(self) -> Secret | None:
        try:
            found = config.text_in(self.data_directory, self.era(), "server_key_passphrase")
        except (OSError, Refusal):  # the question about the data directory says why
            return None
        return Secret(found) if found else None

    def pair(self, host: Host) -> Pair:
        certificate, key, _ = self.files(self.directory)
        passphrase = self._configured_passphrase() or vars(self).get("server_passphrase")
        return Pair(certificate, key, self.owner(host), passphrase)

    def _key_is_due(self, host: Host) -> bool:
        """Whether the server's key has to be written."""
        now, pair = datetime.now(UTC), self.pair(host)
        if self.source == EXISTING:
            return not self.given.is_in_place(self.names, pair, now)
        if self.source == REQUEST:
            return bool(vars(self).get("delivered"))
        if self.source == PRIVATE_CA:
            return private_ca.is_due(self._old_desk(host), self.wanted(host), pair)
        return self_signed.is_due(self.wanted(host), pair, now)

    @property
    def own_authority(self) -> Path:
        return self.directory / "authority"

    @property
    def people(self) -> Clients:
        return self.people_in(self.directory)

    def people_in(self, directory: Path) -> Clients:
        """The clients with files in this folder, those there and those wanted."""
        return Clients(directory / "clients", vars(self).get("clients", ()), directory / "client-keys")

    def reissuable(self, host: Host) -> tuple[Path, ...]:
        return self.people.certificates if self.source == EXISTING else super().reissuable(host)

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

    # The plan -----------------------------------------------------------------------------------------

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
        return Offer(self._service(host), self.files_of(self.clients))

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
