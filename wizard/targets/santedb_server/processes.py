"""A SanteDB on this host: its process, its installation, and how it is restarted."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shlex import join

from wizard.host import Host, Service
from wizard.plan import Advice, Command
from wizard.service import old_settings
from wizard.targets.santedb_server.products import BY_PROGRAM, INSTANCE, Product

RUNTIMES = ("mono", "mono-sgen", "mono-sgen64", "mono-sgen32", "cli")


@dataclass(frozen=True)
class Running:
    """A process of Mono that runs SanteDB."""

    service: Service
    product: Product
    program: Path
    """The .exe; a bare name where the working directory may not be seen."""
    given_config: Path | None
    instance: str
    environment: Mapping[str, str] = field(repr=False)
    """Empty when it may not be read; it may hold secrets."""

    @property
    def installation(self) -> Path:
        """The folder of the program."""
        return self.program.parent

    @property
    def in_container(self) -> bool:
        """Whether it sees another file system than this program, or takes its addresses as in a container."""
        if self.listen_variables:
            return True
        try:
            theirs = os.stat(f"/proc/{self.service.pid}/root/")  # noqa: PTH116 -- pathlib drops the slash
        except OSError:
            return False
        ours = Path("/").stat()
        return (theirs.st_dev, theirs.st_ino) != (ours.st_dev, ours.st_ino)

    @property
    def listen_variables(self) -> dict[str, str]:
        """The addresses that a container is given by its environment, which win over the configuration."""
        return {
            name: value
            for name, value in self.environment.items()
            if name.startswith(("SDB_", "WWW_")) and name.endswith("LISTEN")
        }

    @property
    def config(self) -> Path:
        """The configuration it was started with."""
        if self.given_config is not None:
            return self.given_config
        return default_config(
            self.product, self.installation, self.instance, config_home(self.service.user, self.environment)
        )


def all_running(host: Host) -> tuple[Running, ...]:
    """The processes that run SanteDB here, first those that this user may look into."""
    found = [one for service in host.running(*RUNTIMES) if (one := _running(service))]
    return tuple(sorted(found, key=lambda one: (not one.service.readable, one.service.user != host.user)))


def running(host: Host, main: Path | None = None) -> Running | None:
    """The one with this configuration; without one the likeliest to be meant."""
    every = all_running(host)
    return next((one for one in every if main is None or _same(one.config, main)), None)


def _running(service: Service) -> Running | None:
    words = service.arguments[1:]
    word = next((word for word in words if Path(word).name.lower() in BY_PROGRAM), None)
    if word is None:
        return None
    given = _option(words, "config")
    folder = service.directory or Path()
    return Running(
        service,
        BY_PROGRAM[Path(word).name.lower()],
        Path(os.path.normpath(folder / word)),
        folder / given.replace("\\", "/") if given else None,
        _option(words, "name") or INSTANCE,
        _environment(service.pid),
    )


def _option(words: tuple[str, ...], name: str) -> str:
    found = (word.partition("=")[2] for word in words if word.startswith(f"--{name}="))
    return next(found, "").strip('"')


def _environment(pid: int) -> dict[str, str]:
    try:
        data = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return {}
    pairs = (os.fsdecode(entry).partition("=") for entry in data.split(b"\0"))
    return {name: value for name, equals, value in pairs if equals}


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def installations() -> Iterator[tuple[Product, Path]]:
    """What the installer for Linux has put here."""
    for product in Product:
        if _is_file(product.folder / product.program):
            yield product, product.folder


def default_config(product: Product, installation: Path, instance: str, home: Path | None) -> Path:
    """The configuration file that is there; else the one that would be looked for."""
    newer = product.config(installation, instance)
    older = product.old_configs(home, instance) if home else ()
    return next((path for path in (newer, *older) if _is_file(path)), newer)


def _is_file(path: Path) -> bool:
    """Whether a file is there, as far as this user may see: not where the home of another is closed."""
    return os.path.isfile(path)  # noqa: PTH113 -- that of pathlib raises PermissionError


def config_home(user: str, environment: Mapping[str, str]) -> Path | None:
    """Mono's folder for application data: XDG_CONFIG_HOME, else .config in the home.

    None: there is no such account.
    """
    if given := environment.get("XDG_CONFIG_HOME"):
        return Path(given)
    if home := environment.get("HOME"):
        return Path(home) / ".config"
    try:
        return Path(pwd.getpwnam(user).pw_dir) / ".config"
    except KeyError:
        return None


# Its restart ----------------------------------------------------------------------------------------------


def restart(host: Host, main: Path) -> Command | None:
    """How its supervisor restarts it, when there is one."""
    process = running(host, main)
    if process is None or not process.service.restart:
        return None
    return Command(process.service.restart, "restart SanteDB")


def restart_advice(host: Host, main: Path) -> Advice:
    """How the operator restarts it: by its supervisor, or as it was started."""
    text = "Restart SanteDB; addresses and certificates are read only when it starts."
    if command := restart(host, main):
        return Advice(text, join(command.arguments))
    process = running(host, main)
    if process is None:
        return Advice(
            "Start SanteDB as you usually do; with the installer's unit for the iCDR:",
            "systemctl restart santedb",
        )
    # How it was started is not shown: the secret of the application may stand there.
    return Advice(f"{text} Stop it like this, and start it as you usually do:", f"kill {process.service.pid}")


def stale(host: Host, main: Path, files: tuple[Path, ...]) -> str:
    """Why it does not run with these files as they are; empty when it does."""
    process = running(host, main)
    if process is None:
        return f"No SanteDB can be seen that runs with {main}. Start it, or look into its log."
    return old_settings(process.service, "SanteDB", files)
