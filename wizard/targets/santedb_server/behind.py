"""A SanteDB behind nginx, which speaks TLS for it: what clients are told, and who reaches it directly.

What SanteDB does with baseAddress is read from santedb-restsvc (AmiServiceBehavior, OAuthServiceBehavior):
without it clients are sent to the address at which the request came in, behind a proxy the one inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from wizard.checks import TlsService, failed, passed
from wizard.errors import Refusal
from wizard.formats import xml
from wizard.formats.splice import CannotEdit
from wizard.host import Host
from wizard.plan import Advice, File, Warning
from wizard.proof import Check, Expect, Outcome
from wizard.targets.santedb_server import config, processes
from wizard.targets.santedb_server.address import Address
from wizard.targets.santedb_server.checks import endpoint_answers
from wizard.targets.santedb_server.config import Configuration, Generation, RestEndpoint, refusal
from wizard.targets.santedb_server.secrets import secrets_in
from wizard.targets.santedb_server.switch import base_address

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Behind:
    """The endpoints of one port, which stay on http."""

    found: Configuration
    base: Path
    """The folder of the program, in which it looks for what the configuration includes."""
    port: int
    base_url: str
    """The URL by which clients know it."""
    loopback: bool
    """Whether endpoints that answer to everybody are to answer to this host alone."""

    @property
    def endpoints(self) -> tuple[tuple[RestEndpoint, Address], ...]:
        """Each with its address afterwards."""
        return tuple(
            (endpoint, self._afterwards(endpoint.address))
            for endpoint in self.found.ports.get(self.port, ())
            if endpoint.address
        )

    def _afterwards(self, address: Address) -> Address:
        return replace(address, host=LOOPBACK) if self.loopback and address.answers_every_name else address

    @property
    def host_header(self) -> str:
        """What it has to be called by; empty where it answers to every name."""
        first = self.endpoints[0][1]
        return "" if first.answers_every_name else f"{first.host}:{self.port}"

    def edited(self) -> bytes:
        """The file with the section, as it is to be. Raises Refusal where an edit is not certain."""
        try:
            return xml.edited(self.found.file.document, self._edits())
        except CannotEdit as error:
            raise refusal(self.found.file.path, error) from None

    def _edits(self) -> Iterator[xml.Edit]:
        for endpoint, address in self.endpoints:
            if endpoint.address != address:
                yield xml.SetAttribute(endpoint.element, "address", str(address))
        yield from base_address(self.found, self.base_url)

    def changes(self) -> Iterator[File]:
        """The changed file; nothing when it is as it is to be. Raises Refusal."""
        before, after = self.found.file.document.data, self.edited()
        if before != after:
            about = "SanteDB is told its public address"
            hidden = secrets_in(self.found.file.document)
            yield File(path=self.found.file.path, before=before, after=after, hidden=hidden, about=about)

    # What to know, and the proof ----------------------------------------------------------------------

    def warnings(self) -> Iterator[Warning]:
        """What is so from its restart on."""
        opened = [address for endpoint, address in self.endpoints if endpoint.address != address]
        if opened:
            yield Warning(
                f"From its restart on SanteDB answers on {LOOPBACK}:{self.port} only. dCDRs that have joined "
                f"over http stop synchronising: join them again, at {self.base_url}."
            )
        if self.found.generation is Generation.AGS:
            yield Warning(
                "Version 2 of a disconnected product has no base address: it tells clients the one inside."
            )

    def advice(self, host: Host) -> Advice:
        """How it is restarted, which it has to be to read its configuration."""
        return processes.restart_advice(host, self.found.main)

    def checks(self, service: TlsService) -> Iterator[Check]:
        """That it says what it should, and that what is asked of it reaches it."""
        yield self._told()
        for _, address in self.endpoints:
            yield endpoint_answers(service, address.request_path)

    def _told(self) -> Check:
        def run() -> Outcome:
            try:
                now = replace(self, found=config.read(self.found.main, self.base))
                if now.edited() == now.found.file.document.data:
                    return passed(self.base_url)
            except (OSError, Refusal) as error:
                return failed(str(error), "It was changed since it was written. Mend it, or undo.")
            return failed(
                f"{self.found.file.path} says something else.",
                "Clients are sent to the address inside, past nginx. Apply the answers again.",
            )

        command = f"grep -n baseAddress {self.found.file.path}"
        return Check("SanteDB tells clients the public address", Expect.HOLDS, run, command)


def read(host: Host, main: Path, port: int, base_url: str, *, loopback: bool) -> Behind:
    """The SanteDB with this configuration. Raises OSError, and Refusal where it cannot be read."""
    base = _base_of(host, main)
    return Behind(config.read(main, base), base, port, base_url, loopback)


def _base_of(host: Host, main: Path) -> Path:
    process = processes.running(host, main)
    return process.installation if process else main.parent


def configurations(host: Host) -> Iterator[Path]:
    """The configuration files of the SanteDBs on this host: of those that run, then of those installed."""
    for process in processes.all_running(host):
        if not process.in_container:
            yield process.config
    home = processes.config_home("root" if host.root else host.user, {})
    for product, folder in processes.installations():
        path = processes.default_config(product, folder, "default", home)
        if path.is_file():
            yield path


def found(host: Host) -> Iterator[Configuration]:
    """Those of them that can be read."""
    for path in configurations(host):
        with suppress(OSError, Refusal):
            yield config.read(path, _base_of(host, path))


def on_port(host: Host, port: int) -> Path | None:
    """The configuration with endpoints on this port; None: no SanteDB that can be read has it."""
    return next((one.main for one in found(host) if port in one.ports), None)
