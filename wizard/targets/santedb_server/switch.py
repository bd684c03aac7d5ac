"""What becomes of the endpoints: which ports are switched to https, and what their addresses are then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from wizard.formats import xml
from wizard.formats.splice import CannotEdit
from wizard.targets.santedb_server.address import EVERY_NAME, Address
from wizard.targets.santedb_server.config import (
    ConfigFile,
    Configuration,
    Generation,
    RestEndpoint,
    ours,
    refusal,
)
from wizard.targets.santedb_server.other_urls import others

CERTIFICATE = ("findType", "storeName", "storeLocation", "findValue")


def selected_ports(found: Configuration, items: Iterable[str]) -> tuple[int, ...]:
    """The ports that are named, each by its number or by an endpoint on it: its address, path or service.

    ValueError: there is no such endpoint.
    """
    ports: list[int] = []
    for item in items:
        named = [
            one.address.port for one in found.endpoints if one.address and item in _names(one, one.address)
        ]
        if not named:
            there = ", ".join(map(str, found.ports))
            raise ValueError(f'There is no endpoint "{item}". Give ports, of which there are: {there}.')
        ports += named
    return tuple(dict.fromkeys(ports))


def _names(endpoint: RestEndpoint, address: Address) -> set[str]:
    path = address.path.strip("/")
    return {str(address.port), endpoint.text, endpoint.service, endpoint.interface, path, f"/{path}"} - {
        "",
        "/",
    }


def base_address(found: Configuration, url: str) -> Iterator[xml.Edit]:
    """Have clients be told this URL; nothing without one, nor where the generation knows none."""
    if not url or found.generation is Generation.AGS:
        return
    if found.base_address is not None:
        yield xml.SetText(found.base_address, url)
    else:
        yield xml.Add(found.section, "baseAddress", url)


@dataclass(frozen=True)
class Switch:
    """The endpoints of whole ports, since on one port all speak what the first of them speaks."""

    found: Configuration
    ports: tuple[int, ...]
    host: str = ""
    """What they listen on afterwards; empty: each what it listens on now."""
    port: int | None = None
    """Another port, for the endpoints of one."""
    others: bool = False
    """Whether the issuer of tokens and the base of FHIR follow the base URL too."""
    base_url: str = ""
    """The URL by which clients know this server; empty: it is left as it is."""

    @cached_property
    def endpoints(self) -> tuple[tuple[RestEndpoint, Address], ...]:
        """Each endpoint with its address afterwards."""
        return tuple(self._endpoints())

    def _endpoints(self) -> Iterator[tuple[RestEndpoint, Address]]:
        for endpoint in self.found.endpoints:
            if endpoint.address and endpoint.address.port in self.ports:
                host, port = self.host or endpoint.address.host, self.port or endpoint.address.port
                yield endpoint, replace(endpoint.address, scheme="https", host=host, port=port)

    @property
    def ports_afterwards(self) -> tuple[int, ...]:
        """The ports on which TLS is served."""
        return tuple(dict.fromkeys(address.port for _, address in self.endpoints))

    def on(self, port: int) -> tuple[Address, ...]:
        """The addresses on a port afterwards."""
        return tuple(address for _, address in self.endpoints if address.port == port)

    @property
    def host_now(self) -> str:
        """The host that all listen on; every one where those of a port differ; empty where only ports do."""
        hosts = [{one.host for one in self._now(port)} for port in self.ports]
        if any(len(same) > 1 for same in hosts):
            return EVERY_NAME[0]
        every = set().union(*hosts)
        return every.pop() if len(every) == 1 else ""

    def _now(self, port: int) -> Iterator[Address]:
        return (one.address for one in self.found.ports.get(port, ()) if one.address)

    @property
    def split_port(self) -> int | None:
        """A port whose endpoints would listen on several hosts, which the system does not allow."""
        ports = self.ports_afterwards
        return next((port for port in ports if len({one.host for one in self.on(port)}) > 1), None)

    @property
    def opened(self) -> tuple[int, ...]:
        """The ports that only some names reached so far, and that answer to every one afterwards."""
        return tuple(
            dict.fromkeys(
                address.port
                for endpoint, address in self.endpoints
                if endpoint.address and address.answers_every_name and not endpoint.address.answers_every_name
            )
        )

    @property
    def turned(self) -> bool:
        """Whether an endpoint is http so far."""
        return any(endpoint.address and endpoint.address.scheme == "http" for endpoint, _ in self.endpoints)

    def edited(self, thumbprint: str = "") -> bytes:
        """The file with the section, switched; for Windows also with the thumbprint of the certificate.

        Raises Refusal where an edit is not certain.
        """
        return self._edited(self.found.file, self._edits(thumbprint))

    def edited_files(self) -> Iterator[tuple[ConfigFile, bytes]]:
        """The files that are edited, the one with the section first. Raises Refusal."""
        edits = {self.found.file.path: list(self._edits(""))}
        for other in others(self.found) if self.others and self.base_url else ():
            edits.setdefault(other.file.path, []).append(other.edit(self.base_url))
        for file in (self.found.file, *self.found.files):
            if file.path in edits:
                yield file, self._edited(file, edits.pop(file.path))

    def _edited(self, file: ConfigFile, edits: Iterable[xml.Edit]) -> bytes:
        try:
            return xml.edited(file.document, edits)
        except CannotEdit as error:
            raise refusal(file.path, error) from None

    def _edits(self, thumbprint: str) -> Iterator[xml.Edit]:
        for endpoint, address in self.endpoints:
            if endpoint.address != address:
                yield xml.SetAttribute(endpoint.element, "address", str(address))
            if thumbprint and self.found.generation is Generation.REST:
                yield from self._certificate(endpoint, thumbprint)
        yield from base_address(self.found, self.base_url)

    def _certificate(self, endpoint: RestEndpoint, thumbprint: str) -> Iterator[xml.Edit]:
        """SanteDB writes an empty element into each endpoint; a second one would stop it."""
        document = endpoint.file.document
        wanted = tuple(zip(CERTIFICATE, ("FindByThumbprint", "My", "LocalMachine", thumbprint), strict=True))
        there = next(self.found.certificates(endpoint), None)
        if there is None:
            after = next(ours(document, endpoint.element, "behaviors"), None)
            yield xml.Add(endpoint.element, "certificate", attributes=wanted, after=after)
            return
        for name, value in wanted:
            yield xml.SetAttribute(there, name, value)
