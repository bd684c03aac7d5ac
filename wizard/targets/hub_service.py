"""A Hub on this host: its process, its start script, how it is restarted, whether it is up to date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING

from wizard.errors import Refusal
from wizard.host import Host, Service
from wizard.plan import Advice, Command, Warning
from wizard.rights import as_root
from wizard.targets import Found

if TYPE_CHECKING:
    from wizard.proof import Check, Outcome
    from wizard.targets.hub import StartScript


def running(host: Host, script: Path | None = None) -> Service | None:
    """The Hub that runs here; among several the one that `script` started, without it the first."""
    services = host.running("hub")
    if script is not None and len(services) > 1:
        services = tuple(service for service in services if _script_of(service).resolve() == script.resolve())
    return next(iter(services), None)


def start_script(host: Host, target: str) -> Path | None:
    """The script that started the running Hub, else a start.sh in its folder or in this one.

    Raises ValueError with the way out when a Hub runs whose folder this user may not see.
    """
    service = running(host)
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
    stat = path.stat()
    return _read(path, (stat.st_ino, stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=8)
def _read(path: Path, _version: tuple[int, int, int]) -> StartScript:
    from wizard.targets import hub

    return hub.read(path, path.read_bytes())


def found(host: Host) -> Found:
    """What is known of a running Hub from its own command line and its script."""
    from wizard.targets import hub

    service = running(host)
    if service is None:
        return Found(False, "not found here")
    flags = hub.running(service.arguments)
    api = "REST" if flags.get("serverType", "grpc") == "http" else "gRPC"
    secured = "with TLS" if flags.get("authMode") == "ssl" else "without TLS"
    where = flags.get("listenAddress", "0.0.0.0:50051")
    status = f"runs here: pid {service.pid}, {api} {secured} on {where}"
    if not service.readable:
        return Found(True, status, (f"It runs as {service.user}; only root can see its folder.",))
    script = _script_of(service)
    since = f"{service.started.astimezone():%Y-%m-%d %H:%M}"
    details = (str(script), f"runs as {service.user} since {since}")
    try:
        said = read(script)
    except (Refusal, OSError) as error:
        return Found(True, status, details, (Warning(str(error)),))
    repairs = [Warning(repair.sentence, script, repair.line) for repair in said.repairs]
    return Found(True, status, details, (*repairs, *said.warnings))


def restart(host: Host, script: Path) -> Command | None:
    """How the supervisor of the Hub that `script` starts restarts it, when there is one."""
    service = running(host, script)
    return Command(service.restart, "restart Hub") if service and service.restart else None


@dataclass(frozen=True)
class Freshness:
    """Why a Hub that does not serve what was written may not do so yet."""

    reason: str
    """Empty when it was started after the files were written."""
    advice: tuple[Advice, ...] = ()

    def explain(self, check: Check) -> Check:
        """The check, with the reason given when it fails: there is no point in going on then."""
        from wizard.proof import Verdict

        def run() -> Outcome:
            outcome = check.run()
            if outcome.verdict is not Verdict.FAILED or not self.reason:
                return outcome
            return replace(outcome, meaning=self.reason, advice=self.advice, stop=True)

        return replace(check, run=run)


def freshness(host: Host, script: Path, files: Iterable[Path]) -> Freshness:
    """Compare when the Hub that `script` starts was started with when these files were written."""
    service = running(host, script)
    if service is None:
        return Freshness("No Hub can be seen on this host: start it, or look into its log.")
    newest = max((path for path in files if path.exists()), key=_written, default=None)
    if newest is None or _written(newest) <= service.started:
        return Freshness("")
    reason = (
        f"Hub (pid {service.pid}) has been running since {service.started.astimezone():%H:%M:%S}, "
        f"{newest.name} was written at {_written(newest).astimezone():%H:%M:%S}: it still runs with its "
        "old settings. Restart it."
    )
    command = restart(host, script)
    return Freshness(reason, (Advice("Restart Hub.", join(command.arguments)),) if command else ())


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
