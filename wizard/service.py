"""Restart a service, after the operator has said yes."""

from __future__ import annotations

import subprocess

from wizard.errors import WizardError
from wizard.plan import Command

TIME_LIMIT = 60
"""Seconds; service managers wait ten or more for a service to stop."""


def restart(command: Command) -> None:
    """Run the service manager's own command; raises WizardError with what it said when it fails."""
    words = " ".join(command.arguments)
    try:
        done = subprocess.run(
            command.arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIME_LIMIT,
            start_new_session=True,
            check=False,
        )
    except OSError as error:
        raise WizardError(f"`{words}` cannot be run: {error.strerror}.") from None
    except subprocess.TimeoutExpired:
        raise WizardError(
            f"`{words}` did not end within {TIME_LIMIT} seconds; look at the service."
        ) from None
    if done.returncode:
        said = done.stdout.decode(errors="replace").strip()[-1000:]
        raise WizardError(f"`{words}` failed with status {done.returncode}: {said}")
