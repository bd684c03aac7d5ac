"""A Nano node in a folder, the library calls compiled or the stand-in, and plans for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.peers.nano.directory import REAL, DataDirectory
from tests.targets.hub_plans import HOST
from wizard import host as look_at
from wizard import transaction
from wizard.demo.nano_config import Build
from wizard.host import Host
from wizard.journal import Run
from wizard.kinds import Raw
from wizard.material.certificates import read_certificates_pem
from wizard.plan import Plan
from wizard.proof import Proof, Verdict, prove
from wizard.secret import Secret
from wizard.sheet import Sheet, fill_in
from wizard.state import State
from wizard.targets.nano import Nano

PASSPHRASE = Secret("correct horse battery staple 42")
NAMES = ["localhost", "127.0.0.1", "::1"]


@dataclass(frozen=True)
class Setup:
    """A node that can be secured and started; its files are those of a new data directory."""

    root: Path
    version: str = "25.1"
    node: DataDirectory = field(init=False)

    def __post_init__(self) -> None:
        self.root.chmod(0o755)
        object.__setattr__(self, "node", DataDirectory(self.root / "Nano", Build(self.version)))
        self.node.write()
        if self.node.build.era.name == "TLS_FILE":
            self.node.file("tls").unlink()
        else:
            self.node.file("rpc").write_text(self.rpc)

    @property
    def rpc(self) -> str:
        """The text of config-rpc.toml without TLS."""
        return f'address = "{self.node.address}"\nport = {self.node.port}\n'

    @property
    def data(self) -> Path:
        return self.node.path

    @property
    def tls(self) -> Path:
        """The folder of the certificates."""
        return self.data / "tls"

    @property
    def state(self) -> State:
        return State(self.root / "state")

    @property
    def host(self) -> Host:
        """A host on which nothing runs, that remembers here: to look at all processes takes long."""
        return replace(HOST, state=self.state)

    def sheet(self, here: Host | None = None, /, **given: Raw) -> Sheet[Nano]:
        answers: dict[str, Raw] = {
            "data_directory": str(self.data),
            "node_version": f"V{self.version}",
            "common_name": "localhost",
            "alt_names": NAMES,
            "server_passphrase": PASSPHRASE,
            **given,
        }
        return fill_in(Nano, answers, here or self.host)

    def filled(self, here: Host | None = None, /, **given: Raw) -> Nano:
        sheet = self.sheet(here, **given)
        assert sheet.answers is not None, [(entry.question.name, entry.error) for entry in sheet.wrong]
        return sheet.answers

    def plan(self, **given: Raw) -> Plan:
        return self.filled(**given).plan(self.host)

    def apply(self, **given: Raw) -> Run:
        return transaction.apply(self.plan(**given), self.state)

    @contextmanager
    def running(self, program: str = REAL) -> Iterator[None]:
        """The node runs, from its own folder, until the block ends."""
        with self.node.running(program):
            yield

    def proven(self, **given: Raw) -> Proof:
        """The proof of the node that runs; it is seen as what it is, however it was started."""
        here = self.look()
        return prove(self.filled(here, **given).proof(here))

    def look(self) -> Host:
        """This host, the node on it taken for a nano_node."""
        here = look_at.look()
        mine = [
            replace(service, program="nano_node")
            for service in here.services
            if str(self.data) in service.arguments
        ]
        return replace(here, services=tuple(mine), state=self.state)

    def hashes(self) -> dict[str, str]:
        """The links in the folder of the clients, and where they lead."""
        return {
            path.name: str(path.readlink()) for path in (self.tls / "clients").iterdir() if path.is_symlink()
        }

    def subject(self, name: str) -> str:
        """The subject of a client's certificate."""
        (certificate,) = read_certificates_pem((self.tls / "clients" / f"{name}.crt").read_bytes())
        return certificate.subject.rfc4514_string()


def verdicts(proof: Proof) -> dict[str, Verdict]:
    return {result.title: result.verdict for result in proof.results}


def texts(plan: Plan) -> str:
    return "\n".join(warning.text for warning in plan.warnings)
