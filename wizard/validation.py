"""Commands that check what was written, such as `nginx -t`: detached, they can neither ask nor hang."""

from __future__ import annotations

import os
import signal
import subprocess
from shlex import join

from wizard.errors import WizardError
from wizard.inert import inert_lines
from wizard.plan import Command

_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/",
}
_SHOWN = 4000  # bytes at the end of the output


def validate(command: Command, seconds: float = 30) -> None:
    """Run a command without terminal, input, or more of an environment than a search path.

    Raises `WizardError` with its output when it fails, cannot be started, or runs longer than `seconds`.
    """
    status, said = ran(command, seconds)
    if command.judge is not None:
        why = command.judge(status, said)
        failed = f".\n{why}" if why else ""
    else:
        failed = f" with status {status}.\n{said}" if status else ""
    if failed:
        raise WizardError(f"The check `{join(command.arguments)}` failed{failed}".rstrip())


def ran(command: Command, seconds: float = 30) -> tuple[int, str]:
    """Its status and what it said. Raises `WizardError` when it cannot be run.

    It has its own session, so that it and what it started end together.
    """
    try:
        process = subprocess.Popen(
            command.arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_ENVIRONMENT,
            start_new_session=True,
        )
    except OSError as error:
        raise WizardError(f"The check {command.arguments[0]} cannot be run: {error.strerror}.") from error
    with process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            line = join(command.arguments)
            late = f"The check `{line}` did not end within {seconds:g} seconds.\n{_said(output)}"
            raise WizardError(late.rstrip()) from None
    return process.returncode, _said(output)


def _said(output: bytes) -> str:
    return inert_lines(output[-_SHOWN:].decode("utf-8", errors="backslashreplace"))
