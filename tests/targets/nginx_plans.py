"""A real nginx in a folder, and the whole way of the wizard with it: answers, plan, reload, proof, undo."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.peers.nginx_host import BOTH, NginxHost
from tests.peers.nginx_host import running as run
from tests.peers.tls import self_signed
from wizard import proof, review, transaction
from wizard.again import undone
from wizard.errors import WizardError
from wizard.kinds import Raw
from wizard.plan import Command, Plan
from wizard.proof import Proof, Verdict
from wizard.secret import Secret
from wizard.service import restart
from wizard.sheet import Sheet, fill_in
from wizard.targets.nginx import Nginx
from wizard.validation import ran

PASSPHRASE = Secret("correct horse battery staple 42")
NAME = "api.example.org"
PORTS = ("plain", "tls", "third")


@cache
def program(version: str) -> Path:
    """That of `BOTH`."""
    return BOTH[version]()


@dataclass
class Setup:
    """An nginx with what stands in its http block, and in other files beside its main file.

    In the texts @plain@, @tls@ and @third@ stand for free ports, @up@ for that of the service behind it, and
    @root@ for the folder.
    """

    root: Path
    version: str = "newer"
    http: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    up: int = 9
    box: NginxHost = field(init=False)
    ports: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        files = {name: self.text(content) for name, content in self.files.items()}
        self.box = NginxHost(self.root / "nginx", program(self.version), self.text(self.http), files)

    def text(self, template: str) -> str:
        """The same with ports and folder filled in."""
        known = {**self.ports, "up": self.up, "root": self.root / "nginx"}
        return re.sub("@([a-z]+)@", lambda found: str(known[found[1]]), template)

    @property
    def config(self) -> Path:
        return self.box.config

    @property
    def folder(self) -> Path:
        """Where the wizard writes certificates for `NAME`."""
        return self.box.root / "tls" / NAME

    def sheet(self, **given: Raw) -> Sheet[Nginx]:
        answers: dict[str, Raw] = {
            "config": str(self.config),
            "site": NAME,
            "https_port": self.ports["tls"],
            "source": "self-signed",
            **given,
        }
        return fill_in(Nginx, answers, self.box.host())

    def filled(self, **given: Raw) -> Nginx:
        sheet = self.sheet(**given)
        assert sheet.answers is not None, [(entry.question.name, entry.error) for entry in sheet.wrong]
        return sheet.answers

    def plan(self, **given: Raw) -> Plan:
        """The plan as it is reviewed."""
        return review.prepared(self.filled(**given), self.box.host())

    def refusal(self, **given: Raw) -> str:
        """The sentence by which answers are refused: at their question, else when they are used."""
        sheet = self.sheet(**given)
        if sheet.answers is None:
            return next(entry.error for entry in sheet.wrong)
        try:
            review.prepared(sheet.answers, self.box.host())
        except WizardError as error:
            return str(error)
        raise AssertionError("nothing is refused")

    def prove(self, **given: Raw) -> Proof:
        return proof.prove(self.filled(**given).proof(self.box.host()))

    @contextmanager
    def secured(self, **given: Raw) -> Iterator[Proof]:
        """Written, reloaded and proven while the block lasts; then nothing is left to do, and it is undone.

        A file in `given` that is delivered is not delivered a second time.
        """
        before = self.box.tree()
        plan = self.plan(**given)
        done = transaction.apply(plan, self.box.state)
        assert plan.restart is not None
        restart(plan.restart)
        again = {name: raw for name, raw in given.items() if name != "delivered"}
        result = self.prove(**again)
        assert_proven(result)
        yield result
        assert not self.plan(**again).changes
        assert undone(done, self.box.state, self.box.host()).restart == plan.restart
        transaction.undo(done, self.box.state)
        assert self.box.tree() == before

    @contextmanager
    def running(self) -> Iterator[None]:
        with run(self.box):
            yield

    def test(self) -> tuple[int, str]:
        """What nginx says of its configuration, and how it ends."""
        command = [str(self.box.program), "-c", str(self.config), "-p", str(self.box.root), "-t"]
        status, said = ran(Command(tuple(command)))
        return status, said


def free_ports(number: int) -> list[int]:
    """As many ports of loopback that nothing uses, no two the same."""
    with ExitStack() as held:
        listeners = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [int(listener.getsockname()[1]) for listener in listeners]


def assert_proven(result: Proof) -> None:
    """Everything has passed; a finding is none of a configuration that the wizard has written."""
    assert result.passed, proof.text(result)
    assert result.count(Verdict.PASSED) == len(result.results), proof.text(result)


def texts(plan: Plan) -> str:
    return "\n".join(warning.text for warning in plan.warnings)


def curl(url: str, *options: str, posted: bytes = b"") -> str:
    """What curl says to a URL, head and body, whoever signed the certificate; all names lead to loopback."""
    command = ["curl", "-sSik", "--noproxy", "*", "--max-time", "10", *options]
    command += ["--connect-to", "::127.0.0.1:", url]
    command += ["--data-binary", "@-"] if posted else []
    done = subprocess.run(command, input=posted, capture_output=True, check=False)
    return (done.stdout or done.stderr).decode(errors="replace")


def with_certificates(setup: Setup, *names: str) -> Setup:
    """The same, with NAME.pem in its folder for each: a self-signed certificate, and its key."""
    for name in names:
        certificate, key = self_signed(f"{name}.example.org")
        (setup.box.root / f"{name}.pem").write_bytes(certificate + key)
    return setup
