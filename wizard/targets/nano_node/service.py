"""A Nano node on this host: its process, its data directory, its version, how it is restarted."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from shlex import join

from wizard.errors import Refusal
from wizard.host import Host, Service
from wizard.plan import Advice, Command, Warning
from wizard.programs import asked
from wizard.rights import as_root
from wizard.service import is_later, old_settings, restart_by_hand
from wizard.targets import Found
from wizard.targets.nano_node import config

PROGRAMS = ("nano_node", "nano_rpc")
"""The RPC is served by the node itself, or by the second program, which the node starts."""

HTTPS = "HTTPS"

BUILT_WITHOUT = (
    "Official builds and images of the node have no TLS; it takes one that was built with "
    "-DNANO_SECURE_RPC=ON. Another one does not start with these settings: it says that it is not built "
    "with NANO_SECURE_RPC (V21 and V22: not compiled with TLS support). Undo then."
)

_NO_VERSION = "Give the version: `nano_node --version` tells it, and of a container the tag of its image."


# Which one --------------------------------------------------------------------------------------------------


def all_running(host: Host, data: Path | None = None) -> tuple[Service, ...]:
    """The processes of nodes that run here, those with this data directory; the node before its RPC's.

    First those that this user may look into.
    """
    found = [
        service
        for service in host.running(*PROGRAMS)
        if data is None or _same(data_directory_of(service), data)
    ]
    return tuple(
        sorted(found, key=lambda one: (not one.readable, one.user != host.user, one.program != "nano_node"))
    )


def running(host: Host, data: Path | None = None) -> Service | None:
    """The node with this data directory; without one the likeliest to be meant."""
    return next(iter(all_running(host, data)), None)


def data_directory_of(service: Service) -> Path | None:
    """Where a running node has its files; None when that cannot be told."""
    given = _option(service.arguments, "--data_path")
    if given is not None:
        path = Path(given)
        if path.is_absolute():
            return path
        return Path(os.path.normpath(service.directory / path)) if service.directory else None
    if _option(service.arguments, "--network") not in (None, "live"):
        return None
    try:
        return Path(pwd.getpwnam(service.user).pw_dir) / "Nano"
    except KeyError:
        return None


def _option(arguments: Sequence[str], name: str) -> str | None:
    for word, after in zip(arguments, [*arguments[1:], ""], strict=True):
        if word == name:
            return after
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def _same(one: Path | None, other: Path) -> bool:
    return one is not None and os.path.realpath(one) == os.path.realpath(other)


def data_directory(host: Host, target: str) -> Path | None:
    """That of the running node, else ~/Nano where there is one.

    Raises ValueError with the way out when a node runs of which this user may not see it.
    """
    service = running(host)
    if service is not None:
        found = data_directory_of(service)
        if found is None and not service.readable:
            raise ValueError(
                f"The node runs as {service.user}, and only root can see with which data. "
                f"{as_root(host, target)}   Or give the folder here."
            )
        return found
    home = Path.home() / "Nano"
    return home if home.is_dir() else None


# Its version ------------------------------------------------------------------------------------------------


def version_of(host: Host, data: Path | None = None) -> str:
    """The version of the node that runs here, such as "25.1"; it is asked. ValueError: it is not known."""
    node = next((one for one in all_running(host, data) if one.program == "nano_node"), None)
    program = _program(node) if node else None
    if node is None or program is None:
        raise ValueError(_NO_VERSION)
    if not host.root and node.user != host.user:
        raise ValueError(f"The node runs as {node.user}, so it is not asked. {_NO_VERSION}")
    try:
        return _version_in(asked(program, "--version", user=node.user if host.root else ""), program)
    except OSError as error:
        raise ValueError(f"{program} cannot be asked: {error.strerror}. {_NO_VERSION}") from None
    except KeyError:
        raise ValueError(f"The account {node.user} is not known here. {_NO_VERSION}") from None


def _program(service: Service) -> Path | None:
    """The file of the program that runs, or that a start would run now, if it has been replaced."""
    try:
        running = Path(os.readlink(f"/proc/{service.pid}/exe").removesuffix(" (deleted)"))  # noqa: PTH115 -- the suffix is not part of the path
    except OSError:
        running = Path()
    if running.name == service.program:
        return running
    word = next((word for word in service.arguments if Path(word).name == service.program), "")
    if "/" in word and service.directory:
        return service.directory / word
    from shutil import which

    found = which(word) if word else None
    return Path(found) if found else None


def _version_in(said: str | None, program: Path) -> str:
    if said is None:
        raise ValueError(f"{program} did not tell its version in time. {_NO_VERSION}")
    for line in said.splitlines():
        with suppress(ValueError):
            return config.read_version(line)
    raise ValueError(f"{program} does not tell its version. {_NO_VERSION}")


# What is known of it ----------------------------------------------------------------------------------------


def found(host: Host) -> Found:
    """What is known of a running node from its process and its files."""
    from wizard.probe import Endpoint
    from wizard.targets.nano_node import edits

    service = running(host)
    if service is None:
        return Found(False, "not found here")
    data = data_directory_of(service)
    told, era, warnings = _version(host, data)
    since = f"{service.started.astimezone():%Y-%m-%d %H:%M}"
    details = [str(data or "data directory unknown"), f"runs as {service.user} since {since}"]
    others = [f"pid {one.pid} of {one.user}" for one in all_running(host) if not _is_of(one, data)]
    if others:
        details.append(
            f"More nodes run here: {', '.join(others)}. The data directory decides which is meant."
        )
    status = f"runs here: pid {service.pid}{told}"
    if data is None:
        return Found(True, status, tuple(details), tuple(warnings))
    try:
        rpc, tls = config.read_all(data)
        how = _how(service, data, era)
        status += f" on {Endpoint(*config.listening(rpc))}, {how}"
        if how == HTTPS:  # so it was built with TLS
            warnings = []
        warnings += [*edits.address_warnings(rpc), *edits.troubles(rpc), *edits.troubles(tls)]
    except PermissionError:
        details.append(f"It runs as {service.user}; only root can see its files.")
    except (OSError, Refusal) as error:
        warnings.append(Warning(str(error)))
    return Found(True, status, tuple(details), tuple(warnings))


def _is_of(service: Service, data: Path | None) -> bool:
    return data is not None and _same(data_directory_of(service), data)


def _version(host: Host, data: Path | None) -> tuple[str, config.Era | None, list[Warning]]:
    """The version in words, where it looks for the settings of TLS, and what that means."""
    try:
        number = version_of(host, data)
    except ValueError as error:
        return ", version unknown", None, [Warning(str(error)), Warning(BUILT_WITHOUT)]
    try:
        return f", V{number}", config.era_of(number), [Warning(BUILT_WITHOUT)]
    except ValueError as error:
        return f", V{number}", None, [Warning(str(error))]


def _how(service: Service, data: Path, era: config.Era | None) -> str:
    """What the RPC speaks, by the configuration that was there when the node was started."""
    if era is None or not config.is_secured(data, era):
        return "plain HTTP"
    return f"{HTTPS} after a restart" if is_later(data / era.value, service) else HTTPS


def overrides(host: Host, data: Path) -> Iterator[Warning]:
    """Options of the running node that win over its files."""
    for service in all_running(host, data):
        names = [word.partition("=")[0] for word in service.arguments if word.startswith("--")]
        for name in ("--config", "--rpcconfig"):
            if name in names:
                yield Warning(f"{service.program} is started with {name}, which wins over the files.")


# Its restart ------------------------------------------------------------------------------------------------


def restart(host: Host, data: Path) -> Command | None:
    """How the supervisor of the node restarts it, when there is one."""
    service = running(host, data)
    return Command(service.restart, "restart the node") if service and service.restart else None


def restart_advice(host: Host, data: Path) -> Advice:
    """How the operator restarts the node: by its supervisor, or as it was started."""
    text = "Restart the node; it reads its settings and certificates only when it starts."
    if command := restart(host, data):
        return Advice(text, join(command.arguments))
    service = running(host, data)
    if service is None:
        return Advice(
            "Start the node as you usually do; for instance:", f"nano_node --daemon --data_path {data}"
        )
    if service.launcher is None or not service.readable:
        return Advice(f"{text} Stop it like this, and start it as you usually do:", f"kill {service.pid}")
    again = restart_by_hand(service, service.launcher, host)
    return Advice(f"{text} Start it as you usually do; for instance:", again)


def stale(host: Host, data: Path, files: Iterable[Path]) -> str:
    """Why the node does not run with these files as they are; empty when it does."""
    service = running(host, data)
    if service is None:
        return f"No node can be seen that runs with {data}. Start it, or look into its log."
    return old_settings(service, "The node", files)
