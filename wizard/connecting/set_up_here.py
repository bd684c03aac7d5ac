"""The servers that were set up on this host, for a connector that is to call one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from wizard import journal
from wizard.errors import WizardError
from wizard.journal import Run, Status
from wizard.questions import NotAnswered

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.checks import ClientFiles
    from wizard.host import Host
    from wizard.state import State
    from wizard.targets import Offer


@dataclass(frozen=True, slots=True)
class Server:
    """A server that was set up here, as its clients know it."""

    run: str
    """The run that set it up first: it stays the same when the server is set up again."""
    words: str
    offer: Offer

    def authorities(self) -> tuple[Certificate, ...]:
        """What stands above its certificate, up to the root; of a self-signed one the certificate itself.

        Raises OSError or MaterialError.
        """
        from datetime import UTC, datetime

        from wizard.connecting.call import read_certificates
        from wizard.material.chains import path_from

        served = read_certificates(self.offer.service.certificate)
        known = read_certificates(self.offer.service.ca)
        path = path_from(served[0], (*served, *known), datetime.now(UTC))
        return tuple(path[1:]) or tuple(path)

    @property
    def clients(self) -> tuple[ClientFiles, ...]:
        """The files of its clients that are here, those it let in first before the others."""
        return tuple((self.offer.clients or {}).values())

    def key_of(self, certificate: Path) -> Path | None:
        """The key of a client, by its certificate."""
        return next((one.key for one in self.clients if one.certificate == certificate), None)


def servers(host: Host) -> tuple[Server, ...]:
    """Those that are set up and in force, the latest last; one whose record tells too little is left out."""
    try:
        stamp = tuple(sorted((entry.name, entry.stat().st_mtime_ns) for entry in host.state.runs.iterdir()))
        setups = _setups(host.state, stamp)
    except (OSError, WizardError):  # who asks for the history hears why
        return ()
    found = (_server(name, run, host) for name, run in setups)
    return tuple(server for server in found if server)


@lru_cache(maxsize=4)
def _setups(state: State, _stamp: tuple[tuple[str, int], ...]) -> tuple[tuple[str, Run], ...]:
    """The name of each setup's first run, and its latest run. `_stamp` changes with the runs."""
    first: dict[tuple[str, str], str] = {}
    latest: dict[tuple[str, str], Run] = {}
    for run in journal.history(state):
        if run.status is Status.APPLIED and not run.undoes and run.answers:
            setup = run.target, str(run.answers.get("directory", ""))
            first.setdefault(setup, run.id)
            latest.pop(setup, None)
            latest[setup] = run
    return tuple((first[setup], run) for setup, run in latest.items() if not run.awaits)


def _server(name: str, run: Run, host: Host) -> Server | None:
    from wizard import again

    try:
        target = again.recorded(run)
        offer = target.offer(replace(host, root=False))  # whose the files are does not matter
    except (WizardError, NotAnswered, OSError, ValueError):
        return None
    if offer is None or not offer.service.certificate.is_file():
        return None
    # By its name, for one port of nginx has several.
    called = replace(offer.service.endpoint, host=offer.service.name)
    return Server(name, f"{target.title}, {called}", offer)
