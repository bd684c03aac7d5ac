"""The questions about the installation: who ends TLS, and which SanteDB it is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wizard.host import Host
from wizard.kinds import Choice, FilePath, PerhapsFilePath, Raw, Text
from wizard.probe import bracketed
from wizard.questions import Page, question
from wizard.rights import account_owner, as_root, cannot_write
from wizard.sheet import Elsewhere, Missing
from wizard.targets.certificate.base import CARRIED
from wizard.targets.nginx_server import install
from wizard.targets.santedb_server import behind, config, found, mono, processes
from wizard.targets.santedb_server.config import Configuration, Generation
from wizard.targets.santedb_server.products import INSTANCE, Product
from wizard.targets.service_files import ServiceFiles

if TYPE_CHECKING:
    from wizard.host import Service
    from wizard.plan import Owner
    from wizard.targets.santedb_server.processes import Running

NGINX, MONO, WINDOWS = "nginx", "mono", "windows"
WAYS = {NGINX: "behind nginx", MONO: "here, by Mono", WINDOWS: "on Windows"}
"""Who ends TLS."""

SERVICE_PAGE = Page("service", "the installation")


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class InstallationQuestions(ServiceFiles):
    """Way, product, files and account."""

    way: str = question(
        "Way",
        Choice(tuple(WAYS.items())),
        page=SERVICE_PAGE.key,
        help="Who ends TLS: nginx before it (best), Mono on this host, or Windows elsewhere.",
        more="behind nginx: TLS 1.3, certificates with intermediates, and on wish client certificates; "
        "SanteDB stays on this host alone and is told its public address. here, by Mono: certificate and key "
        "are put where Mono's listener looks for them. on Windows: this host makes the files and a script, "
        "which you carry over and run there; here only the files and the script can be checked, and from "
        "afar what the machine then serves.",
    )
    product: str = question(
        "Product",
        Choice(tuple((product.value, product.label) for product in Product)),
        page=SERVICE_PAGE.key,
        help="iCDR is the server; dCDR web and gateway its clients.",
    )
    installation: Path | None = question(
        "Installation",
        PerhapsFilePath(),
        page=SERVICE_PAGE.key,
        help="The program's folder; includes are looked for in it.",
    )
    config: Path = question(
        "Configuration",
        FilePath(),
        page=SERVICE_PAGE.key,
        help="santedb.config.xml; of a dCDR it is santedb.config.",
        more="For Windows give a copy of the file from there, with those it includes beside it in the same "
        "folders. The copy is only read.",
    )
    service_user: str = question(
        "It runs as",
        Text(optional=True),
        page=SERVICE_PAGE.key,
        help="Mono looks in its home. On Windows it may stay empty.",
        more="On Windows the account that needs the reservation of the address; empty: the script looks.",
    )
    directory: Path = question(
        "Folder for files", FilePath(), page=SERVICE_PAGE.key, help="Certificate and key are kept here."
    )

    def default_way(self, host: Host) -> str:
        return MONO if install.find(host) is None else NGINX

    def check_way(self, host: Host, value: str) -> str | None:
        if value == NGINX:
            said = (
                "nginx speaks TLS for it, and SanteDB is told its public address: that is set up with nginx."
            )
            raise Elsewhere(said, "nginx", self._behind_nginx(host), CARRIED)
        if value != MONO:
            return None
        try:
            return mono.problem(mono.version_of(host, processes.running(host))) or None
        except ValueError:
            return None

    def _behind_nginx(self, host: Host) -> dict[str, Raw]:
        """What nginx is asked, as far as it can be told by the SanteDB on this host."""
        answers: dict[str, Raw] = {"site": "new", "upstream": ""}  # no other service is meant
        for there in behind.found(host):
            first = next((one.address for one in there.endpoints if one.address), None)
            if first is not None:
                answers["upstream"] = f"{bracketed(first.to_connect)}:{first.port}"
                answers["santedb_config"] = str(there.main)
                with suppress(ValueError):
                    if name := urlsplit(there.base_url).hostname:
                        answers["server_name"] = [name]
                break
        return answers

    def caution_way(self, host: Host, value: str) -> str | None:
        if value != MONO:
            return "From here only the files can be checked; run the script there, then prove."
        try:
            mono.version_of(host, processes.running(host))
        except ValueError as error:
            return f"{error} It has to be 6.8 or later."
        return "Mono has TLS up to 1.2 and cannot check clients. For the internet put nginx before it."

    def default_product(self, host: Host) -> str:
        if process := processes.running(host):
            return process.product.value
        return next((product for product, _ in processes.installations()), Product.ICDR).value

    def applies_installation(self, host: Host) -> bool:
        return self.is_here

    def default_installation(self, host: Host) -> Path | None:
        process = self._process_of_product(host)
        if process and process.program.is_absolute():
            return process.installation
        folder = Product(self.product).folder
        return folder if folder.is_dir() else None

    def check_installation(self, host: Host, value: Path | None) -> str | None:
        return "There is no such folder." if value and not value.is_dir() else None

    def default_config(self, host: Host) -> Path:
        if not self.is_here:
            raise Missing("Give a copy of the configuration file from there.")
        if process := self._process_of_product(host):
            if process.in_container:
                raise Missing(found.container_words(process))
            return process.config
        if self.installation is None:
            raise Missing("SanteDB is not found here: give its configuration file.")
        home = processes.config_home("root" if host.root else host.user, {})
        return processes.default_config(Product(self.product), self.installation, INSTANCE, home)

    def check_config(self, host: Host, value: Path) -> str | None:
        process = processes.running(host, value) if self.is_here else None
        if process and process.in_container:
            return found.container_words(process)
        read = config.read(value, self.installation if self.is_here else None)
        if not read.ports:
            return f"There is no endpoint with an address of http or https in {read.file.path}."
        return cannot_write(read.file.path, host, self.key) if self.is_here else None

    def caution_config(self, host: Host, value: Path) -> str | None:
        read = config.read(value, self.installation if self.is_here else None)
        said = next((one.text for one in found.config_warnings(read)), None)
        if said is None and read.generation is Generation.AGS:
            return "Version 2 of a disconnected product: it has no base address."
        return said

    def default_service_user(self, host: Host) -> str | None:
        if not self.is_here:
            return None
        process = processes.running(host, self.config)
        if process or not host.root:
            return process.service.user if process else host.user
        try:
            return self.config.owner()
        except KeyError:  # its account has been removed
            return None

    def check_service_user(self, host: Host, value: str) -> str | None:
        if not self.is_here:
            return None
        try:
            folder = mono.listener_folder(value, processes.running(host, self.config))
            account_owner(value)
        except KeyError:
            return f'There is no account "{value}" on this host.' if value else "This is needed."
        if not host.root and value != host.user:
            return f"Only root can give files to {value}. {as_root(host, self.key)}"
        if folder.is_symlink() or not _belongs_to(folder, value):
            return (
                f"Mono looks in {folder}, but what is there does not belong to {value}. Make the folder as "
                f"{value}, or set HOME for the service to a folder of its own."
            )
        return cannot_write(folder / "80.pvk", host, self.key)

    def caution_service_user(self, host: Host, value: str) -> str | None:
        return self.caution_account(host, value) if self.is_here else None

    def default_directory(self, host: Host) -> Path:
        if not self.is_here:
            return self.config.parent / "for-windows"
        return (self.installation or self.config.parent) / "tls"

    # What is there ------------------------------------------------------------------------------------

    @property
    def is_here(self) -> bool:
        """Whether the SanteDB that is meant runs on this host."""
        return self.way != WINDOWS

    def configuration(self) -> Configuration:
        """The configuration as it is now. Raises OSError and Refusal."""
        return config.read(self.config, self.installation if self.is_here else None)

    @property
    def account(self) -> str:
        """The account that the files belong to."""
        return self.service_user

    def owner(self, host: Host) -> Owner | None:
        return super().owner(host) if self.is_here else None

    def _process_of_product(self, host: Host) -> Running | None:
        every = processes.all_running(host)
        return next((one for one in every if one.product.value == self.product), None)

    def running(self, host: Host) -> Service | None:
        process = processes.running(host, self.config)
        return process.service if process else None

    @property
    def belongings(self) -> Path:
        return self.config

    def listener_folder(self, host: Host) -> Path:
        """Where Mono looks for the certificates of this service's account."""
        return mono.listener_folder(self.service_user, processes.running(host, self.config))


def _belongs_to(path: Path, account: str) -> bool:
    """Whether the nearest folder that is there belongs to the account, so that root gives nothing away."""
    owner = account_owner(account)
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    return owner.uid in (0, there.stat().st_uid)
