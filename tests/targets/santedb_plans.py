"""A SanteDB in a folder, and plans for it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tests.peers.santedb import Installation
from tests.targets.hub_plans import HOST
from wizard import host as look_at
from wizard import transaction
from wizard.host import Host, Service
from wizard.journal import Run
from wizard.kinds import Raw
from wizard.plan import Plan
from wizard.proof import Proof, prove
from wizard.sheet import Sheet, fill_in
from wizard.state import State
from wizard.targets.santedb import SanteDb

NAMES = ["localhost", "127.0.0.1"]
USER = pwd.getpwuid(os.geteuid()).pw_name


@dataclass(frozen=True)
class Setup:
    """An installation that can be secured; `host` is one on which it seems to run."""

    there: Installation
    host: Host

    @property
    def config(self) -> Path:
        return self.there.config

    @property
    def tls(self) -> Path:
        """The folder of the certificates."""
        return self.there.folder / "tls"

    def sheet(self, here: Host | None = None, /, **given: Raw) -> Sheet[SanteDb]:
        answers: dict[str, Raw] = {
            "way": "mono",
            "config": str(self.config),
            "installation": str(self.there.folder),
            "common_name": "localhost",
            "alt_names": NAMES,
            **given,
        }
        return fill_in(SanteDb, answers, here or self.host)

    def filled(self, here: Host | None = None, /, **given: Raw) -> SanteDb:
        sheet = self.sheet(here, **given)
        assert sheet.answers is not None, [(entry.question.name, entry.error) for entry in sheet.wrong]
        return sheet.answers

    def plan(self, **given: Raw) -> Plan:
        return self.filled(**given).plan(self.host)

    def apply(self, **given: Raw) -> Run:
        return transaction.apply(self.plan(**given), self.host.state)

    def look(self) -> Host:
        """This host, with nothing on it but this installation."""
        here = look_at.look()
        mine = [one for one in here.services if one.directory == self.there.folder]
        return replace(here, services=tuple(mine), state=self.host.state)

    def proven(self, **given: Raw) -> Proof:
        """The proof of the one that really runs."""
        here = self.look()
        return prove(self.filled(here, **given).proof(here))


@contextmanager
def setup(root: Path, host: str = "0.0.0.0") -> Iterator[Setup]:
    """An installation in the folder; it seems to run, as the account that runs the tests."""
    root.chmod(0o755)
    there = Installation(root, host)
    with there.seeming_to_run() as process:
        service = Service(
            pid=process.pid,
            arguments=("mono", str(there.program), "--console"),
            program="mono",
            directory=there.folder,
            user=USER,
            started=datetime.now(UTC),
            listening=((host, there.port),),
        )
        yield Setup(there, replace(HOST, user=USER, services=(service,), state=State(root / "state")))


def texts(plan: Plan) -> str:
    return "\n".join(warning.text for warning in plan.warnings)
