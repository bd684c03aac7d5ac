"""SanteDB as it is on every machine: the questions are the real ones, the files are not looked at."""

from __future__ import annotations

from pathlib import Path

from tests.peers.santedb import CONFIG
from tests.screens.samples import ROOT
from wizard.formats import xml
from wizard.host import Host
from wizard.plan import Advice, Directory, File, Plan, Tell, Warning, silent
from wizard.targets import Found
from wizard.targets.santedb import SanteDb
from wizard.targets.santedb_server.config import ConfigFile, Configuration, Generation
from wizard.targets.santedb_server.found import config_warnings, described

FOLDER = Path("/opt/santesuite/santedb/www")
MAIN = FOLDER / "instances/default/config/santedb.config"
LISTENER = Path("/root/.config/.mono/httplistener")


def configuration() -> Configuration:
    """That of a dCDR on loopback, of which one endpoint is https already."""
    text = CONFIG.format(host="127.0.0.1", port=9200).replace("'http:", "'https:")
    file = ConfigFile(MAIN, xml.read(text.encode()))
    section = next(one for one in file.document.elements if one.get("name") == "HDSI").parent
    assert section is not None
    return Configuration(MAIN, (file,), Generation.REST, file, section)


class SampleSanteDb(SanteDb):
    """The real questions, without a look at this machine."""

    @classmethod
    def find(cls, host: Host) -> Found:
        there = configuration()
        details = (str(MAIN), "runs as root since 2026-03-14 09:26, on Mono 6.8.0.105")
        listed = tuple(described(endpoint, FOLDER / "listener") for endpoint in there.endpoints)
        status = "runs here: pid 4121, dCDR web, http on 9200"
        return Found(True, status, (*details, *listed), tuple(config_warnings(there)))

    def configuration(self) -> Configuration:
        return configuration()

    def default_way(self, host: Host) -> str:
        return "mono"

    def check_way(self, host: Host, value: str) -> str | None:
        return None

    def default_product(self, host: Host) -> str:
        return "www"

    def default_installation(self, host: Host) -> Path | None:
        return FOLDER

    def check_installation(self, host: Host, value: Path | None) -> str | None:
        return None

    def default_config(self, host: Host) -> Path:
        return MAIN

    def check_config(self, host: Host, value: Path) -> str | None:
        return None

    def caution_config(self, host: Host, value: Path) -> str | None:
        return next(config_warnings(configuration())).text

    def default_service_user(self, host: Host) -> str | None:
        return "root" if self.is_here else None

    def check_service_user(self, host: Host, value: str) -> str | None:
        return None

    def check_directory(self, host: Host, value: Path) -> str | None:
        return None

    def plan(self, host: Host, tell: Tell = silent) -> Plan:
        return PLAN


class OnAnUnknownMono(SampleSanteDb):
    """The same where Mono is not found."""

    def caution_way(self, host: Host, value: str) -> str | None:
        return "Mono is not found here. It has to be 6.8 or later." if value == "mono" else None


class OnMono(SampleSanteDb):
    """The same where it is, whatever is on this machine."""

    def caution_way(self, host: Host, value: str) -> str | None:
        if value != "mono":
            return super().caution_way(host, value)
        return "Mono has TLS up to 1.2 and cannot check clients. For the internet put nginx before it."


_BEFORE = CONFIG.format(host="127.0.0.1", port=9200).encode()
PLAN = Plan(
    target="santedb",
    title="Secure SanteDB REST, at 127.0.0.1:9200",
    changes=(
        Directory(path=LISTENER, mode=0o700, owner=ROOT, about="where Mono looks for certificates"),
        File(
            path=LISTENER / "9200.pvk",
            before=None,
            after=b"key",
            mode=0o600,
            owner=ROOT,
            secret=True,
            about="key that Mono serves port 9200 with; PVK, for which there is no passphrase",
        ),
        File(
            path=LISTENER / "9200.cer",
            before=None,
            after=b"certificate",
            mode=0o644,
            owner=ROOT,
            about="certificate that Mono serves port 9200 with; DER",
            described=("Name         api.example.org", "Key          RSA 2048 bits"),
        ),
        File(
            path=MAIN,
            before=_BEFORE,
            after=_BEFORE.replace(b"address='http://127.0.0.1", b"address='https://0.0.0.0").replace(
                b'address="http://127.0.0.1:9200/hdsi', b'address="https://0.0.0.0:9200/hdsi'
            ),
            hidden=(b"Very-Secret-9",),
            about="the endpoints on https",
        ),
    ),
    warnings=(
        Warning(
            "Mono sends the server's certificate alone, not the 1 intermediate certificate behind it. "
            "Clients that have only the root, as for a public authority, refuse it: give them the bundle "
            "that is written, or put nginx before SanteDB."
        ),
    ),
    advice=(
        Advice(
            "Restart SanteDB; addresses and certificates are read only when it starts.",
            "systemctl restart santedb-www",
        ),
    ),
)
