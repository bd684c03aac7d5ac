"""A Hub on this host: its process, its start script, how it is restarted, whether it is up to date."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING

from wizard.errors import Refusal
from wizard.host import Host, Service
from wizard.plan import Advice, Command, Warning
from wizard.rights import as_root
from wizard.service import old_settings, restart_by_hand, start_by_hand
from wizard.small_files import read_small, version
from wizard.targets import Found

if TYPE_CHECKING:
    from wizard.targets.hub.script import StartScript


EVERY_ADDRESS = "0.0.0.0:50051"
"""Where Hub listens when it is not told otherwise (common/flags.cc)."""


def api_name(server_type: str) -> str:
    """The API by the value of --serverType."""
    return {"http": "REST", "grpc": "gRPC"}.get(server_type, f'unknown ("{server_type}")')


def running(host: Host, script: Path | None = None, api: str = "") -> Service | None:
    """The Hub that `script` started; without a script the likeliest one meant among those that run here."""
    services = all_running(host, api)
    if script is None:
        return next(iter(services), None)
    # One that a script has started comes before one that was started by hand in the same folder.
    for service in sorted(services, key=lambda one: one.launcher is None):
        if service.readable and _script_of(service).resolve() == script.resolve():
            return service
    for service in services:
        if service.directory == script.parent or (not service.readable and len(services) == 1):
            return service
    return None


def all_running(host: Host, api: str = "") -> tuple[Service, ...]:
    """Every Hub that runs here: those of this API first, of which the folder may be read, of this folder and
    user.
    """
    here = Path.cwd()

    def likely(service: Service) -> tuple[bool, bool, bool, bool]:
        other = bool(api) and _api(service) not in (api, "")
        elsewhere = service.directory is None or not service.directory.is_relative_to(here)
        return (other, not service.readable, elsewhere, service.user != host.user)

    return tuple(sorted(host.running("hub"), key=likely))


def _api(service: Service) -> str:
    """The API that a Hub is meant to serve, by its script once repaired; empty when that is not known."""
    if service.readable:
        try:
            return read(_script_of(service)).repaired_server_type
        except (Refusal, OSError):
            return ""
    # Without the flag it serves gRPC, but the flag may only have been lost.
    return flags_in_force(service).get("serverType", "")


def flags_in_force(service: Service) -> dict[str, str]:
    """The flags of a running Hub."""
    from wizard.targets.hub import script as hub_script

    return hub_script.running(service.arguments)


def start_script(host: Host, target: str, api: str = "") -> Path | None:
    """The script that started the running Hub, else a start.sh in its folder or in this one.

    Raises ValueError with the way out when a Hub runs whose folder this user may not see.
    """
    service = running(host, api=api)
    if service is not None and not service.readable:
        raise ValueError(
            f"Hub runs as {service.user}, and only root can see from which script. "
            f"{as_root(host, target)}   Or give the path here."
        )
    candidates = [_script_of(service)] if service else []
    return next((path for path in (*candidates, Path.cwd() / "start.sh") if path.is_file()), None)


def _script_of(service: Service) -> Path:
    return service.launcher or (service.directory or Path("/")) / "start.sh"


def read(path: Path) -> StartScript:
    """The start script, read again only when it has changed; raises OSError or Refusal."""
    return _read(path, version(path))


@lru_cache(maxsize=8)
def _read(path: Path, _version: tuple[int, int, int]) -> StartScript:
    from wizard.targets.hub import script as hub_script

    return hub_script.read(path, read_small(path))


def read_for_plan(path: Path) -> StartScript:
    """The start script; when it has gone since it was asked for, that is a Refusal as well."""
    try:
        return read(path)
    except OSError as error:
        raise Refusal(
            path, f"It cannot be read: {error.strerror}.", "Give the script that starts Hub."
        ) from None


def _not_running(api: str) -> Found:
    """What is known where no Hub runs: a script in this folder that starts one of this API."""
    script = Path.cwd() / "start.sh"
    try:
        said = read(script) if script.is_file() else None
    except (Refusal, OSError):
        said = None
    if said is None or said.repaired_server_type != api:
        return Found(False, "not found here")
    return Found(False, "does not run; start.sh is in this folder", (str(script),))


def found(host: Host, api: str) -> Found:
    """What is known of a running Hub of this API from its own command line and its script."""
    service = running(host, api=api)
    if service is None:
        return _not_running(api)
    if _api(service) not in (api, ""):
        return Found(False, f"not found here; a Hub with {api_name(_api(service))} runs, pid {service.pid}")
    flags = flags_in_force(service)
    serves = api_name(flags.get("serverType", "grpc"))
    secured = "with TLS" if flags.get("authMode") == "ssl" else "without TLS"
    where = flags.get("listenAddress", EVERY_ADDRESS)
    status = f"runs here: pid {service.pid}, {serves} {secured} on {where}"
    if not service.readable:
        return Found(True, status, (f"It runs as {service.user}; only root can see its folder.",))
    script = _script_of(service)
    since = f"{service.started.astimezone():%Y-%m-%d %H:%M}"
    details = [f"{script}{_of_somebody_else(script, service, host)}", f"runs as {service.user} since {since}"]
    if others := ", ".join(f"pid {other.pid} of {other.user}" for other in all_running(host, api)[1:]):
        details.append(f"More Hubs run here: {others}. The start script you give decides which one is meant.")
    try:
        said = read(script)
    except (Refusal, OSError) as error:
        return Found(True, status, tuple(details), (Warning(str(error)),))
    repairs = [Warning(repair.sentence, script, repair.line) for repair in said.repairs]
    return Found(True, status, tuple(details), (*repairs, *said.warnings))


def _of_somebody_else(script: Path, service: Service, host: Host) -> str:
    """Whose a script is that root has not written and Hub's account neither; root should know."""
    try:
        owner = script.owner()
    except (OSError, KeyError):
        return ""
    return f", owned by {owner}" if host.root and owner not in ("root", service.user) else ""


def restart_advice(host: Host, script: Path) -> Advice:
    """How the operator restarts the Hub that `script` starts: by its supervisor, or as it was started."""
    text = "Restart Hub; it reads certificates only when it starts."
    if command := restart(host, script):
        return Advice(text, join(command.arguments))
    service = running(host, script)
    if service is None:
        start = start_by_hand(script, script.parent)
        return Advice("Start Hub as you usually do; for instance:", start)
    again = restart_by_hand(service, script, host)
    return Advice(f"{text} Start it as you usually do; for instance:", again)


def close_port(script: Path) -> Advice:
    """What helps against plain HTTP on Hub's port."""
    try:
        listen = read(script).listen_address
    except (Refusal, OSError):  # it was changed since; then what Hub does by itself is the best guess
        listen = None
    address, _, port = (listen or EVERY_ADDRESS).rpartition(":")
    if address.startswith("127."):
        return Advice(
            f"Only programs on this host reach {address}. Keep it so: let others in by a proxy with TLS."
        )
    return Advice(
        "Bind Hub to 127.0.0.1 behind a proxy, or let only your clients reach the port "
        "(their network in place of 10.0.0.0/24).",
        f"ufw allow from 10.0.0.0/24 to any port {port} proto tcp && ufw deny {port}/tcp",
    )


def restart(host: Host, script: Path) -> Command | None:
    """How the supervisor of the Hub that `script` starts restarts it, when there is one."""
    service = running(host, script)
    return Command(service.restart, "restart Hub") if service and service.restart else None


def stale(host: Host, script: Path, files: Iterable[Path]) -> str:
    """Why the Hub that `script` starts does not run with these files as they are; empty when it does."""
    service = running(host, script)
    if service is None:
        return f"No Hub can be seen that {script} has started. Start it, or look into its log."
    return old_settings(service, "Hub", files)
