"""A SanteDB behind nginx, which speaks TLS for it: what clients are told, and who reaches it directly.

What SanteDB does with baseAddress is read from santedb-restsvc (AmiServiceBehavior, OAuthServiceBehavior):
without it clients are sent to the address at which the request came in, behind a proxy the one inside.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from shlex import quote

from wizard.checks import TlsService, failed, passed
from wizard.errors import Refusal
from wizard.formats import xml
from wizard.formats.splice import CannotEdit
from wizard.host import Host, Service
from wizard.plan import Advice, File, Warning
from wizard.proof import Check, Expect, Outcome, Verdict
from wizard.targets.nginx_server import upstreams
from wizard.targets.santedb_server import config, processes
from wizard.targets.santedb_server.address import LOOPBACK as LOOPBACKS
from wizard.targets.santedb_server.address import Address
from wizard.targets.santedb_server.checks import endpoint_answers
from wizard.targets.santedb_server.config import Configuration, Generation, RestEndpoint, refusal
from wizard.targets.santedb_server.other_urls import others
from wizard.targets.santedb_server.products import INSTANCE
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
    def is_open(self) -> bool:
        """Whether an endpoint answers to everybody now."""
        return any(one.address.answers_every_name for one, _ in self.endpoints if one.address)

    @property
    def hosts(self) -> tuple[str, ...]:
        """What its endpoints listen on afterwards; the system allows one for a port."""
        return tuple(dict.fromkeys(address.host for _, address in self.endpoints))

    @property
    def is_closed(self) -> bool:
        """Whether only this host reaches all of them afterwards."""
        return set(self.hosts) <= set(LOOPBACKS)

    @property
    def host_header(self) -> str:
        """What it has to be called by; empty where it answers to every name. Raises Refusal."""
        if not self.endpoints:
            raise Refusal(self.found.file.path, f"It has no endpoint on port {self.port} any more.")
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
            told = "SanteDB is told its public address"
            about = told if self._knows_its_address else f"SanteDB listens on {LOOPBACK} alone"
            hidden = secrets_in(self.found.file.document)
            yield File(path=self.found.file.path, before=before, after=after, hidden=hidden, about=about)

    @property
    def _knows_its_address(self) -> bool:
        return self.found.generation is not Generation.AGS

    # What to know, and the proof ----------------------------------------------------------------------

    def warnings(self) -> Iterator[Warning]:
        """What is so from its restart on."""
        opened = [address for endpoint, address in self.endpoints if endpoint.address != address]
        if opened:
            yield Warning(
                f"From its restart on SanteDB answers on {LOOPBACK}:{self.port} only. dCDRs that have joined "
                f"over http stop synchronising: join them again, at {self.base_url}."
            )
        if not self._knows_its_address:
            yield Warning(
                "Version 2 of a disconnected product has no base address: it tells clients the one inside."
            )
        yield from (other.warning() for other in others(self.found))

    def advice(self, host: Host) -> Advice:
        """How it is restarted, which it has to be to read its configuration."""
        return processes.restart_advice(host, self.found.main)

    def checks(self, host: Host, service: TlsService) -> Iterator[Check]:
        """That it says what it should and runs like that, and is reached through nginx and only so."""
        yield self._told()
        yield self._restarted(host)
        yield self._alone(host)
        for _, address in self.endpoints:
            yield endpoint_answers(service, address.request_path)

    def _told(self) -> Check:
        def run() -> Outcome:
            try:
                now = replace(self, found=config.read(self.found.main, self.base))
                there = now.host_header or "every name"  # raises Refusal where there is no endpoint any more
                if now.edited() == now.found.file.document.data:
                    return passed(self.base_url if self._knows_its_address else f"it answers to {there}")
            except (OSError, Refusal) as error:
                return failed(str(error), "It was changed since it was written. Mend it, or undo.")
            return failed(
                f"{self.found.file.path} says something else.",
                "Clients are sent to the address inside, past nginx. Apply the answers again.",
            )

        told = "SanteDB tells clients the public address"
        title = told if self._knows_its_address else "SanteDB is configured for nginx"
        command = f"grep -nE 'address=|baseAddress' {quote(str(self.found.file.path))}"
        return Check(title, Expect.HOLDS, run, command)

    def _restarted(self, host: Host) -> Check:
        """What it has read is what is proven; what it does until its restart tells nothing."""
        main, file = self.found.main, self.found.file.path

        def run() -> Outcome:
            process = processes.running(host, main)
            if process is None:
                return Outcome(
                    verdict=Verdict.FINDING,
                    got=f"no SanteDB can be seen that runs with {main}",
                    meaning="Whether it has been restarted since, nobody can tell from here.",
                )
            if reason := processes.stale(host, main, (file,)):
                advice = (self.advice(host),)
                return Outcome(verdict=Verdict.FAILED, got=reason, advice=advice)
            return passed(f"pid {process.service.pid}, as {process.service.user}")

        return Check(
            "SanteDB runs with these settings", Expect.HOLDS, run, "ps -C mono -o pid,user,lstart,args"
        )

    def _alone(self, host: Host) -> Check:
        """Its port is not reached from elsewhere, where nobody is asked for TLS."""

        def run() -> Outcome:
            if not any(port == self.port for one in host.services for _, port in one.listening):
                return Outcome(verdict=Verdict.SKIPPED, got=f"who listens on port {self.port} cannot be seen")
            at = upstreams.open_to_others(host, self.port)
            if not at:
                return passed("only this host reaches its port")
            meaning = "Whoever reaches that gets past nginx, without TLS."
            if self.is_closed:
                return failed(f"It still listens on {at}.", f"{meaning} Restart SanteDB.")
            return Outcome(verdict=Verdict.FINDING, got=f"it listens on {at}", meaning=meaning)

        return Check("Nobody gets past nginx", Expect.HOLDS, run, f"ss -ltn 'sport = :{self.port}'")


def unreadable(error: OSError | Refusal) -> Check:
    """It cannot be read any more, so nothing that was set up can be proven."""
    words = str(error) if isinstance(error, Refusal) else f"{error.filename}: {error.strerror}."

    def run() -> Outcome:
        return failed(words, "It was changed since it was written. Mend it, or undo.")

    return Check("SanteDB is configured for nginx", Expect.HOLDS, run, "ps -C mono -o pid,args")


def read(host: Host, main: Path, port: int, base_url: str, *, loopback: bool) -> Behind:
    """The SanteDB with this configuration. Raises OSError, and Refusal where it cannot be read."""
    base = _base_of(host, main)
    return Behind(config.read(main, base), base, port, base_url, loopback)


def _base_of(host: Host, main: Path) -> Path:
    return next((base for path, base in _installed(host) if path == main), main.parent)


def configurations(host: Host) -> Iterator[Path]:
    """The configuration files of the SanteDBs on this host: of those that run, then of those installed."""
    return (path for path, _ in _installed(host))


def _installed(host: Host) -> Iterator[tuple[Path, Path]]:
    """The same, each with the folder of its program."""
    for process in processes.all_running(host):
        if not process.in_container and process.config.is_absolute():
            known = process.program.is_absolute()  # not where the working directory may not be seen
            yield process.config, process.installation if known else process.config.parent
    home = processes.config_home("root" if host.root else host.user, {})
    for product, folder in processes.installations():
        path = processes.default_config(product, folder, INSTANCE, home)
        if os.path.lexists(path):
            yield path, folder


def found(host: Host) -> Iterator[Configuration]:
    """Those of them that can be read."""
    for path in configurations(host):
        with suppress(OSError, Refusal):
            yield config.read(path, _base_of(host, path))


def on_port(host: Host, port: int) -> Path | None:
    """The configuration with endpoints on this port; None: no SanteDB that can be read has it.

    Nor has one where another program is seen to listen.
    """
    return next(
        (one.main for one in found(host) if port in one.ports and not another_at(host, one.main, port)), None
    )


def another_at(host: Host, main: Path, port: int) -> Service | None:
    """Another program that listens on the port than the SanteDB with this configuration; None: none seen."""
    there = [service for service in host.services if port in {at for _, at in service.listening}]
    process = processes.running(host, main)
    own = process is not None and any(service.pid == process.service.pid for service in there)
    return None if own else next(iter(there), None)


def is_here(host: Host, name: str) -> bool:
    """Whether a host as it stands in an address is known to be this one."""
    bare = name.strip("[]")
    with suppress(ValueError):
        if ip_address(bare).is_loopback:
            return True
    return bare in ("localhost", host.name, host.fqdn, *host.addresses)
