"""IOTA Hub's RESTful API: server TLS without client authentication, on Boost.Beast.

What Hub does with its flags is read from iotaledger/hub at 9df503d4: common/flags.cc and
common/http_server_base.cc.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, ClassVar

from wizard.host import Host
from wizard.kinds import Account, Choice, FilePath, IPv4Address, YesNo
from wizard.material.key_types import KeyType
from wizard.plan import Advice, Change, Command, Directory, File, Owner, Plan, Warning
from wizard.questions import Page, question
from wizard.rights import account_owner, cannot_write
from wizard.targets import Found, Target
from wizard.targets.hub import service as hub_service
from wizard.targets.server_certificate import (
    PAGE,
    Pair,
    ServerCertificate,
    contents,
    key_question,
    self_signed,
)

if TYPE_CHECKING:
    from wizard.checks import TlsService
    from wizard.proof import Check
    from wizard.targets.hub.script import StartScript

DEFAULT_ADDRESS = "127.0.0.1:50051"
API_HEADERS = (("Content-Type", "application/json"), ("X-IOTA-API-Version", "1"))
PLAIN_HTTP = "Hub answers plain HTTP beside TLS, on the same port, and has no switch against it."


@dataclass(frozen=True, kw_only=True)
class HubRest(ServerCertificate, Target):
    """The answers for Hub's RESTful API."""

    key: ClassVar = "hub-rest"
    title: ClassVar = "IOTA Hub, REST"
    summary: ClassVar = (
        "Afterwards Hub answers https:// with a certificate of its own. Its REST API cannot check clients; "
        "whoever reaches the port can use it."
    )
    pages: ClassVar = (
        Page("service", "the service"),
        Page(
            PAGE.key,
            PAGE.title,
            "No passphrase is asked: Hub cannot read a protected key and would stop. "
            "The key is kept from others by its file mode, 0600.",
        ),
    )

    start_script: Path = question(
        "Start script",
        FilePath(),
        page="service",
        help="The script that starts Hub; its flags are set here.",
        more="Usually start.sh in Hub's folder. Only Hub's flags in it change, and the review shows how.",
    )
    switch_to_rest: bool = question(
        "Switch to REST",
        YesNo(),
        page="service",
        help="It starts the gRPC API; these settings are for REST.",
        more="Hub serves one API at a time: gRPC, unless --serverType http is set. "
        "Yes adds that flag; programs that use the gRPC API then stop working.",
    )
    directory: Path = question(
        "Folder for files",
        FilePath(),
        page="service",
        help="cert.pem, key.pem and dh.pem are written here.",
    )
    account: str = question(
        "Hub runs as",
        Account(),
        page="service",
        help="The account that owns the files and so can read the key.",
    )
    address: str = question(
        "Address to test",
        IPv4Address(),
        page="service",
        help="Where Hub answers; the proof connects to it.",
        more="Taken from --listenAddress. Hub's REST server takes an IPv4 address with a port, no name.",
    )
    key_type: str = key_question(KeyType.ECDSA_P256, KeyType.RSA_2048, KeyType.RSA_3072, KeyType.RSA_4096)
    source: str = question(
        "Source",
        Choice((("self-signed", "self-signed"),)),
        page=PAGE.key,
        help="Signed by its own key; clients get cert.pem to trust.",
    )

    @classmethod
    def find(cls, host: Host) -> Found:
        return hub_service.found(host)

    def default_start_script(self, host: Host) -> Path | None:
        return hub_service.start_script(host, self.key)

    def check_start_script(self, host: Host, value: Path) -> str | None:
        if value.is_dir():
            return f"This is a folder: {value / 'start.sh'}?"
        if not value.exists():
            return "There is no such file. Give the script that starts Hub, usually start.sh."
        if not value.is_file():
            return "This is a device or a pipe, not a script."
        if problem := cannot_write(value, host, self.key):
            return problem
        try:
            hub_service.read(value)
        except OSError as error:
            return f"It cannot be read: {error.strerror}."
        return None

    def caution_start_script(self, host: Host, value: Path) -> str | None:
        repairs = hub_service.read(value).repairs
        return f"Line {repairs[0].line}: {repairs[0].sentence}" if repairs else None

    def applies_switch_to_rest(self, host: Host) -> bool:
        return hub_service.read(self.start_script).repaired_server_type == "grpc"

    def default_switch_to_rest(self, host: Host) -> bool:
        return False

    def check_switch_to_rest(self, host: Host, value: bool) -> str | None:
        if value:
            return None
        return "This script starts Hub's gRPC API. Say yes to switch it to REST, or go back and leave it."

    def default_directory(self, host: Host) -> Path:
        return self.start_script.parent

    def check_directory(self, host: Host, value: Path) -> str | None:
        if os.path.lexists(value) and not value.is_dir():
            return "This is a file; give a folder."
        for path in self._files(value):
            if path.is_symlink():
                return (
                    f"{path} is a symbolic link: what it leads to would be overwritten. Give another folder."
                )
            if os.path.lexists(path) and not path.is_file():
                return f"{path} is in the way: it is not a file."
            if problem := cannot_write(path, host, self.key):
                return problem
        return None

    def caution_directory(self, host: Host, value: Path) -> str | None:
        return None if value.exists() else "This folder does not exist yet; it will be made."

    def applies_account(self, host: Host) -> bool:
        return host.root

    def default_account(self, host: Host) -> str | None:
        service = hub_service.running(host, self.start_script)
        try:
            return service.user if service else self.start_script.owner()
        except KeyError:  # its account has been removed
            return None

    def caution_account(self, host: Host, value: str) -> str | None:
        service = hub_service.running(host, self.start_script)
        if service is None or service.user == value:
            return None
        return f"Hub runs as {service.user} now (pid {service.pid}); the files will belong to {value}."

    def default_address(self, host: Host) -> str:
        listen = hub_service.read(self.start_script).listen_address or DEFAULT_ADDRESS
        try:
            address = IPv4Address().read(listen)
        except ValueError:
            return DEFAULT_ADDRESS
        # 0.0.0.0 means every address of this host; a client here reaches it by loopback.
        return address.replace("0.0.0.0:", "127.0.0.1:") if address.startswith("0.0.0.0:") else address

    def caution_address(self, host: Host, value: str) -> str | None:
        expected = self.default_address(host)
        return None if value == expected else f"By its start script Hub listens on {expected}."

    def default_key_type(self, host: Host) -> str:
        return KeyType.ECDSA_P256.value

    def default_source(self, host: Host) -> str:
        return "self-signed"

    @staticmethod
    def _files(directory: Path) -> tuple[Path, Path, Path]:
        """Certificate, key and Diffie-Hellman parameters in this folder."""
        return directory / "cert.pem", directory / "key.pem", directory / "dh.pem"

    @property
    def certificate_path(self) -> Path:
        """Where the certificate stands."""
        return self._files(self.directory)[0]

    def _flags(self) -> dict[str, str]:
        """What the start script has to pass to Hub."""
        names = ("sslCert", "sslKey", "sslDH")
        files = dict(zip(names, map(str, self._files(self.directory)), strict=True))
        return {"authMode": "ssl", **files, **({"serverType": "http"} if self.switch_to_rest else {})}

    def plan(self, host: Host) -> Plan:
        from wizard.material.dh import dh_parameters
        from wizard.targets.hub import script as hub_script

        script = hub_service.read_for_plan(self.start_script)
        owner = account_owner(self.account) if host.root else None
        certificate, key, dh = self._files(self.directory)
        pair = Pair(certificate, key, owner, KeyType(self.key_type))
        issue = self_signed(self, pair, datetime.now(UTC))
        changes = (
            *_folder(self.directory, owner),
            *issue.changes,
            *_file(dh, dh_parameters(), owner, "Diffie-Hellman group ffdhe2048 of RFC 7919"),
            *_edit(script, hub_script.set_flags(script, self._flags())),
        )
        stale = hub_service.stale(host, self.start_script, self._written())
        kept = [path for path in (dh, self.start_script) if path not in {change.path for change in changes}]
        return Plan(
            target=self.key,
            title=f"Secure {self.title}, at {self.address}",
            changes=changes,
            kept=(*issue.kept, *kept),
            validations=(Command(("bash", "-n", str(self.start_script)), "the script is still a script"),),
            warnings=(*issue.warnings, *self._warnings(script, host)),
            advice=tuple(self._advice(host, stale=bool(changes or stale))),
            restart=hub_service.restart(host, self.start_script),
        )

    def _warnings(self, script: StartScript, host: Host) -> Iterator[Warning]:
        for repair in script.repairs:
            yield Warning(repair.sentence, script.path, repair.line)
        if script.server_type != script.repaired_server_type:
            yield Warning(
                "Because of this, --serverType http was not in force: Hub has been running its gRPC API. "
                "After the repair and a restart it runs REST.",
                script.path,
            )
        yield from script.warnings
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
        for caution in self.cautions(host):
            if not script.repairs or not caution.startswith("Line "):
                yield Warning(caution)
        yield Warning(
            "Hub keeps answering plain HTTP on the same port; it has no switch for that. See Prove."
        )

    def _advice(self, host: Host, *, stale: bool) -> Iterator[Advice]:
        from wizard.probe import bracketed

        if stale:
            yield hub_service.restart_advice(host, self.start_script)
        yield hub_service.close_port(self.start_script)
        service = self._service()
        url = f"https://{bracketed(service.name)}:{service.endpoint.port}/"
        yield Advice(
            "Give clients cert.pem to trust, instead of switching the check off with -k.",
            join(("curl", "--cacert", str(self.certificate_path), url)),
        )
        yield Advice(
            'If Hub stops with "unknown command line flag", it is older than 1.4.1, '
            "which brought REST over TLS: update it, or undo."
        )

    def _service(self) -> TlsService:
        from wizard.checks import TlsService
        from wizard.probe import Endpoint, Request

        return TlsService(
            endpoint=Endpoint.parse(self.address),
            names=self.alt_names,
            certificate=self.certificate_path,
            ca=self.certificate_path,
            request=Request("POST", "/", API_HEADERS, b'{"command":"GetStats"}'),
        )

    def proof(self, host: Host) -> tuple[Check, ...]:
        from wizard import checks
        from wizard.targets.hub import checks as hub_checks

        service = self._service()
        advice = (hub_service.close_port(self.start_script),)
        return (
            hub_checks.script_sets(self.start_script, self._flags()),
            hub_checks.runs(host, self.start_script, self._written(), service.endpoint),
            checks.reach(service),
            checks.our_certificate(service),
            *checks.names_accepted(service),
            checks.old_versions_refused(service),
            checks.api_answers(service),
            checks.plain_http_refused(service, known_limit=PLAIN_HTTP, advice=advice),
        )

    def _written(self) -> tuple[Path, ...]:
        """What Hub reads when it starts."""
        return self.certificate_path, self.start_script


def _folder(path: Path, owner: Owner | None) -> Iterator[Change]:
    """The folders that are missing, outermost first."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        yield Directory(path=folder, mode=0o755, owner=owner, about="folder for the files")


def _file(path: Path, wanted: bytes, owner: Owner | None, about: str) -> Iterator[Change]:
    before = contents(path)
    if before != wanted:
        yield File(path=path, before=before, after=wanted, mode=0o644, owner=owner, about=about)


def _edit(script: StartScript, after: bytes) -> Iterator[Change]:
    if after != script.data:
        yield File(
            path=script.path, before=script.data, after=after, hidden=script.secrets, about="Hub's flags"
        )
