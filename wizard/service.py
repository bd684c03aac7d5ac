"""A running service: whether it runs with its files as they are, and how it is started again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import join, quote
from tempfile import TemporaryFile

from wizard.errors import WizardError
from wizard.host import Host, Service
from wizard.inert import inert_lines
from wizard.plan import Command

TIME_LIMIT = 60
"""Seconds; service managers wait ten or more for a service to stop."""


def words(command: Command) -> str:
    """What the command that has a service read its files does to it: "reload nginx"."""
    return command.about or "restart the service"


def restart(command: Command) -> None:
    """Run the service manager's own command; raises WizardError with what it said when it fails."""
    line = join(command.arguments)
    # A file takes what it says: a service that it leaves behind would hold a pipe open.
    with TemporaryFile() as output:
        try:
            done = subprocess.run(
                command.arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=TIME_LIMIT,
                start_new_session=True,
                check=False,
            )
        except OSError as error:
            raise WizardError(f"`{line}` cannot be run: {error.strerror}.") from None
        except subprocess.TimeoutExpired:
            raise WizardError(
                f"`{line}` did not end within {TIME_LIMIT} seconds; look at the service."
            ) from None
        if done.returncode:
            output.seek(0)
            said = inert_lines(output.read()[-1000:].decode("utf-8", errors="backslashreplace").strip())
            raise WizardError(f"`{line}` failed with status {done.returncode}: {said}")


# By hand ----------------------------------------------------------------------------------------------------


def start_by_hand(script: Path, folder: Path) -> str:
    """The command line that runs a start script in its folder."""
    return f"cd {quote(str(folder))} && {'' if _may_run(script) else 'bash '}{quote(str(script))}"


def restart_by_hand(service: Service, script: Path, host: Host) -> str:
    """The command line that ends a service and runs its start script, as the account that it has run as."""
    start = start_by_hand(script, service.directory or script.parent)
    if service.user != host.user:
        start = join(("su", "-", service.user, "-s", "/bin/bash", "-c", start))
    return f"kill {service.pid}; {start}"


def _may_run(script: Path) -> bool:
    try:
        return bool(script.stat().st_mode & 0o111)
    except OSError:  # only its account sees it; it has been run before
        return True


# Its files --------------------------------------------------------------------------------------------------


def old_settings(service: Service, what: str, files: Iterable[Path]) -> str:
    """Why `what` does not run with these files as they are; empty when it does."""
    newest = max((path for path in files if path.exists()), key=written, default=None)
    if newest is None or not is_later(newest, service):
        return ""
    return (
        f"{what} (pid {service.pid}) has been running since {service.started.astimezone():%H:%M:%S}, "
        f"{newest.name} was written at {written(newest).astimezone():%H:%M:%S}: it still runs with its "
        "old settings. Restart it."
    )


def is_later(path: Path, service: Service) -> bool:
    """Whether a file or folder has changed since the process was started."""
    # The system counts starts from a boot time in whole seconds, so they may be up to one later than told.
    return written(path) > service.started + timedelta(seconds=1)


def written(path: Path) -> datetime:
    """When it was last changed."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
