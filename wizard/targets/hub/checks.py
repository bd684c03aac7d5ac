"""What must be true of a Hub beside its connections: what its script says, and which process came of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shlex import join

from wizard.errors import Refusal
from wizard.host import Host, Service
from wizard.probe import Endpoint
from wizard.proof import Check, Expect, Outcome, Verdict
from wizard.rights import can_read
from wizard.targets.hub import script as hub_script
from wizard.targets.hub import service as hub_service
from wizard.targets.hub.script import StartScript


def script_sets(script: Path, flags: Mapping[str, str]) -> Check:
    """The start script, read anew, passes these flags to Hub; so it comes back secured after a restart."""

    def run() -> Outcome:
        try:
            said = hub_service.read_for_plan(script)
            if hub_script.set_flags(said, flags) == said.data:
                return Outcome(verdict=Verdict.PASSED, got=", ".join(f"--{name}" for name in flags))
        except Refusal as error:
            return _failed(str(error), "It was changed since it was written. Mend it, or undo.")
        return _failed(
            _what_differs(said, flags),
            "At its next start Hub runs without what was proven here. Apply these answers, then restart it.",
        )

    command = join(["grep", "-nE", "|".join(flags), str(script)])
    return Check("The start script sets TLS", Expect.HOLDS, run, command)


def _what_differs(said: StartScript, flags: Mapping[str, str]) -> str:
    now = {name: setting.value for name, setting in said.settings.items()}
    if missing := [f"--{name} {value}" for name, value in flags.items() if now.get(name) != value]:
        return f"{said.path} does not set {' '.join(missing)}"
    if said.repairs:
        return f"{said.path}, line {said.repairs[0].line}: here bash ends the command; what follows is lost."
    return f"In {said.path} words known only at run time stand behind these flags and may change them."


def runs(
    host: Host, script: Path, files: tuple[Path, ...], flags: Mapping[str, str], endpoint: Endpoint
) -> Check:
    """The Hub that `script` starts has run since these files were written, with these flags, and it has the
    tested port; and no other one from the same folder is open beside it.
    """

    def run() -> Outcome:
        service = hub_service.running(host, script)
        if service is not None and not service.readable:
            got = f"Hub runs as {service.user} (pid {service.pid}); only root can see from which script."
            return Outcome(verdict=Verdict.SKIPPED, got=got)
        if reason := hub_service.stale(host, script, files):
            advice = hub_service.restart_advice(host, script)
            return Outcome(verdict=Verdict.FAILED, got=reason, advice=(advice,))
        assert service is not None, "else it would be stale"
        if other := _other_flag(service, flags):
            return _failed(f"It (pid {service.pid}) runs with {other}.", "Restart it by its start script.")
        if beside := _open_beside(host, service):
            return Outcome(verdict=Verdict.FINDING, got=beside, meaning="Stop it, or secure it as well.")
        if endpoint.port in {port for _, port in service.listening}:
            return Outcome(verdict=Verdict.PASSED, got=f"pid {service.pid}, as {service.user}")
        where = " and ".join(str(Endpoint(*socket)) for socket in service.listening)
        return _failed(
            f"It (pid {service.pid}) listens on {where}, not on port {endpoint.port}.",
            "So it is another program that is tested here. Give Hub's own address as the one to test.",
        )

    return Check("Hub runs with these settings", Expect.HOLDS, run, "ps -C hub -o pid,user,lstart")


def _other_flag(service: Service, flags: Mapping[str, str]) -> str:
    """The first flag of the process that is not as meant; empty when all are, or none can be read."""
    now = hub_service.flags_in_force(service)
    if not service.arguments or "flagfile" in now:
        return ""
    folder = service.directory or Path("/")
    for name, value in flags.items():
        given = now.get(name)
        if given is None:
            return f"no --{name}"
        if given != value and folder / given != Path(value):
            return f"--{name} {given}"
    return ""


def _open_beside(host: Host, service: Service) -> str:
    """Another Hub of the same folder that answers without TLS; empty when there is none."""
    for other in hub_service.all_running(host):
        if other.pid == service.pid or other.directory is None or other.directory != service.directory:
            continue
        if hub_service.flags_in_force(other).get("authMode") != "ssl":
            return f"Another Hub (pid {other.pid}) runs from the same folder without TLS."
    return ""


def readable(host: Host, account: str | None, files: tuple[Path, ...]) -> tuple[Check, ...]:
    """Hub's account can read what Hub reads at its start; only root can tell for another account."""
    if not host.root or account is None:
        return ()

    def run() -> Outcome:
        closed = [str(path) for path in files if path.exists() and not can_read(path, account)]
        if not closed:
            return Outcome(verdict=Verdict.PASSED, got=f"{len(files)} files, as {account}")
        return _failed(
            f"{account} cannot read {closed[0]}.", "Hub does not come up with it at its next start."
        )

    command = join(["ls", "-l", *map(str, files)])
    return (Check("Hub's account can read its files", Expect.HOLDS, run, command),)


def _failed(got: str, meaning: str) -> Outcome:
    return Outcome(verdict=Verdict.FAILED, got=got, meaning=meaning)
