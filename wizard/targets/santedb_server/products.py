"""The programs of SanteDB that serve REST, and where their configuration lies.

Read from santedb-server, santedb-www and santedb-dcg: Program.cs and the installers of each.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

INSTANCE = "default"
"""The name of an instance that was given none."""


class Product(Enum):
    """A product; the value is the name used in answers files."""

    ICDR = "icdr"
    WWW = "www"
    GATEWAY = "gateway"

    @property
    def label(self) -> str:
        """The name for people."""
        return _LABELS[self]

    @property
    def program(self) -> str:
        """The file that is started."""
        return _PROGRAMS[self]

    @property
    def folder(self) -> Path:
        """Where the installer for Linux puts it."""
        return Path("/opt/santesuite/santedb") / _FOLDERS[self]

    @property
    def application_id(self) -> str:
        """The product's own identifier, which Windows notes beside a certificate."""
        return _APPLICATION_IDS[self]

    def config(self, installation: Path, instance: str = INSTANCE) -> Path:
        """The configuration file when the program is told of no other one."""
        if self is Product.ICDR:
            return installation / "santedb.config.xml"
        # Mono has no Windows folder, and every path contains its empty name: so it is always this one.
        return installation / "instances" / instance / "config" / "santedb.config"

    def old_configs(self, config_home: Path, instance: str = INSTANCE) -> tuple[Path, ...]:
        """Where version 2 of the disconnected products has it."""
        if self is Product.ICDR:
            return ()
        short = "www" if self is Product.WWW else "dcg"
        names = (f"{short}-{instance}", instance)
        return tuple(config_home / "SanteDB" / name / "SanteDB.config" for name in names)


_LABELS = {Product.ICDR: "iCDR", Product.WWW: "dCDR web", Product.GATEWAY: "dCDR gateway"}
_PROGRAMS = {
    Product.ICDR: "SanteDB.exe",
    Product.WWW: "santedb-www.exe",
    Product.GATEWAY: "santedb-dcg.exe",
}
_FOLDERS = {Product.ICDR: "server", Product.WWW: "www", Product.GATEWAY: "dcg"}
_APPLICATION_IDS = {
    Product.ICDR: "{21F35B18-E417-4F8E-B9C7-73E98B7C71B8}",  # of its configuration tool
    Product.WWW: "{A97FB5DE-7627-401C-8E70-5B96C1A0073B}",
    Product.GATEWAY: "{E65AB546-1345-42E7-82D2-0914336CD71E}",
}

BY_PROGRAM = {
    **{product.program.lower(): product for product in Product},
    "santedb.docker.server.exe": Product.ICDR,
}
