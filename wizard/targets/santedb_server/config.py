"""SanteDB's configuration: the file, those it includes, and the REST endpoints in them.

What SanteDB does with it is read from santedb-restsvc, SanteDB.Rest.Common/Configuration, and santedb-api,
SanteDB.Core.Api/Configuration/SanteDBConfiguration.cs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, lru_cache
from pathlib import Path

from wizard.errors import Refusal
from wizard.formats import xml
from wizard.formats.splice import CannotEdit
from wizard.small_files import read_small, version
from wizard.targets.santedb_server.address import Address

_SANTEDB = "http://santedb.org/"
"""What the namespaces of its elements begin with."""
_USE_NGINX = "Put nginx before it, which ends TLS and leaves SanteDB as it is."


class Generation(Enum):
    """How the endpoints are configured; the value is the type of their section."""

    REST = "RestConfigurationSection"
    AGS = "AgsConfigurationSection"
    """Version 2 of the disconnected products, which know no base address."""


@dataclass(frozen=True)
class ConfigFile:
    """One file as it was read."""

    path: Path
    document: xml.Document = field(repr=False)


@dataclass(frozen=True)
class RestEndpoint:
    """An endpoint of a REST service."""

    file: ConfigFile = field(repr=False)
    element: xml.Element = field(repr=False)
    service: str
    contract: str
    address: Address | None
    """None for one that is no URL of http or https."""
    text: str
    """The address as it is written."""

    @property
    def interface(self) -> str:
        """The contract's own name: IHdsiServiceContract."""
        return self.contract.partition(",")[0].rpartition(".")[2]

    @property
    def line(self) -> int:
        """Where it begins in its file."""
        return self.element.line

    def words(self) -> str:
        """The endpoint in one line: where, and what."""
        return f"{self.text}  {self.interface or self.service}"


@dataclass(frozen=True)
class Configuration:
    """The file SanteDB is started with, together with those it includes."""

    main: Path
    files: tuple[ConfigFile, ...]
    generation: Generation
    file: ConfigFile
    """The one with the REST section."""
    section: xml.Element = field(repr=False)

    @cached_property
    def endpoints(self) -> tuple[RestEndpoint, ...]:
        """Every endpoint of a REST service, in the order of the file."""
        return tuple(self._endpoints())

    def _endpoints(self) -> Iterator[RestEndpoint]:
        document = self.file.document
        for service in ours(document, self.section, "service"):
            for element in ours(document, service, "endpoint"):
                text = element.get("address") or ""
                try:
                    address = Address.parse(text)
                except ValueError:
                    address = None
                yield RestEndpoint(
                    self.file,
                    element,
                    service.get("name") or "",
                    element.get("contract") or "",
                    address,
                    text,
                )

    @cached_property
    def ports(self) -> dict[int, tuple[RestEndpoint, ...]]:
        """The endpoints by their port; on one port all speak what the first one speaks."""
        found: dict[int, list[RestEndpoint]] = {}
        for endpoint in self.endpoints:
            if endpoint.address:
                found.setdefault(endpoint.address.port, []).append(endpoint)
        return {port: tuple(endpoints) for port, endpoints in found.items()}

    @property
    def base_address(self) -> xml.Element | None:
        """The element with the URL by which clients know this server."""
        return next(ours(self.file.document, self.section, "baseAddress"), None)

    @property
    def base_url(self) -> str:
        """What stands in it; empty without one."""
        return self.file.document.text(self.base_address) if self.base_address else ""

    def certificates(self, endpoint: RestEndpoint) -> Iterator[xml.Element]:
        """The elements of an endpoint that name a certificate, which is read only by a tool on Windows."""
        yield from ours(endpoint.file.document, endpoint.element, "certificate")


def ours(document: xml.Document, parent: xml.Element, name: str) -> Iterator[xml.Element]:
    """The children of this name that are SanteDB's, whatever else stands there."""
    for element in document.children(parent):
        if element.local == name and element.name[0].startswith(_SANTEDB):
            yield element


def read(main: Path, installation: Path | None) -> Configuration:
    """Read the configuration and what it includes, which is looked for in the folder of the program.

    Raises OSError for the file itself; Refusal with the reason where it is none, or of a generation that
    cannot be secured like this, or where SanteDB itself could not load it.
    """
    files = tuple(_files(main, installation or main.parent, ()))
    found = [(file, section, kind) for file in files for section, kind in _sections(file)]
    if not found:
        raise Refusal(
            main,
            "There is no section with REST services in it (RestConfigurationSection), nor in what it "
            "includes. In a container the addresses come from its environment instead.",
            "Give the file that has it. In a container set SDB_AMI_LISTEN and the like, or use nginx.",
        )
    if len(found) > 1:
        file, section, _ = found[1]
        raise Refusal(
            file.path,
            "This is a second section with REST services; SanteDB reads one of them only.",
            "Take one out, and come back.",
            section.line,
        )
    file, section, generation = found[0]
    return Configuration(main, files, generation, file, section)


def _files(path: Path, base: Path, above: tuple[Path, ...]) -> Iterator[ConfigFile]:
    file = _file(path)
    yield file
    for element in ours(file.document, file.document.root, "include"):
        named = file.document.text(element).replace("\\", "/")
        included = base / named
        if included in (path, *above):
            raise Refusal(path, f"It includes {named}, which includes it again.", "", element.line)
        try:
            yield from _files(included, base, (path, *above))
        except OSError as error:
            raise Refusal(
                path,
                f"It includes {named}, which cannot be read in {base}: {error.strerror}. SanteDB does not "
                "start then, either.",
                "Put the file there, or give the folder of the installation.",
                element.line,
            ) from None


def _file(path: Path) -> ConfigFile:
    return _parsed(path, version(path))


@lru_cache(maxsize=16)
def _parsed(path: Path, _version: tuple[int, int, int]) -> ConfigFile:
    """The file, kept until it changes: rules ask at every keystroke."""
    try:
        document = xml.read(read_small(path))
    except CannotEdit as error:
        raise refusal(path, error) from None
    _check_root(path, document)
    return ConfigFile(path, document)


def _check_root(path: Path, document: xml.Document) -> None:
    root = document.root
    if root.local == "SanteDBConfiguration" and root.name[0].startswith(_SANTEDB):
        return
    names = {element.local for element in document.elements}
    if "system.serviceModel" in names or (root.local == "configuration" and "SanteDB.exe" in path.name):
        raise Refusal(
            path,
            "This is the configuration of version 1, whose services run on WCF; its endpoints are secured in "
            "another way, which the wizard does not know.",
            f"Update SanteDB to version 2 or 3. {_USE_NGINX}",
            root.line,
        )
    if "openiz" in f"{path.name} {root.local} {root.name[0]}".lower():
        raise Refusal(
            path,
            "This is the configuration of OpenIZ, which SanteDB has come from; its services run on WCF.",
            f"Move to SanteDB. {_USE_NGINX}",
            root.line,
        )
    raise Refusal(
        path,
        f"This is no configuration of SanteDB: it begins with <{root.local}> of the namespace "
        f'"{root.name[0]}", not with <SanteDBConfiguration> of {_SANTEDB}configuration.',
        "Give santedb.config.xml, or for the disconnected products santedb.config.",
        root.line,
    )


def _sections(file: ConfigFile) -> Iterator[tuple[xml.Element, Generation]]:
    kinds = {generation.value: generation for generation in Generation}
    for section in ours(file.document, file.document.root, "section"):
        said = section.attributes.get(xml.TYPE, "").rpartition(":")[2]
        if said in kinds:
            yield section, kinds[said]


def refusal(path: Path, error: CannotEdit) -> Refusal:
    """The same, naming the file."""
    return Refusal(path, error.reason, error.remedy, error.line, error.by_hand)
