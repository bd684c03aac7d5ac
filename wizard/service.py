"""Restart a service, after the operator has said yes."""

from __future__ import annotations

import subprocess
from tempfile import TemporaryFile

from wizard.errors import WizardError
from wizard.inert import inert_lines
from wizard.plan import Command

TIME_LIMIT = 60
"""Seconds; service managers wait ten or more for a service to stop."""


def restart(command: Command) -> None:
    """Run the service manager's own command; raises WizardError with what it said when it fails."""
    words = " ".join(command.arguments)
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
            raise WizardError(f"`{words}` cannot be run: {error.strerror}.") from None
        except subprocess.TimeoutExpired:
            raise WizardError(
                f"`{words}` did not end within {TIME_LIMIT} seconds; look at the service."
            ) from None
        if done.returncode:
            output.seek(0)
            said = inert_lines(output.read()[-1000:].decode("utf-8", errors="backslashreplace").strip())
            raise WizardError(f"`{words}` failed with status {done.returncode}: {said}")
