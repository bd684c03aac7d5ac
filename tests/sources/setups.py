"""A setup in a sandbox: filled in, planned as the wizard does it, applied, proven, compared to the byte."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from tests.targets.grpc_plans import PASSPHRASE, host_of
from tests.targets.hub_plans import NAMES
from wizard import journal, proof, review, transaction
from wizard.demo.sandbox import Sandbox
from wizard.errors import WizardError
from wizard.host import Host
from wizard.journal import Run
from wizard.kinds import Raw
from wizard.material.certificates import read_certificates_pem
from wizard.plan import Change, Directory, File, Plan
from wizard.proof import Proof, Verdict
from wizard.sheet import Sheet, fill_in
from wizard.targets import Target
from wizard.targets.hub_rest import HubRest
from wizard.targets.server_certificate import ServerCertificate

__all__ = ["NAMES", "PASSPHRASE"]

Tree = dict[str, tuple[int, bytes]]
"""Mode and content by path."""


@dataclass(frozen=True)
class Setup:
    """A target on the Hub of a sandbox, whichever API its script starts."""

    box: Sandbox
    target: type[Target] = HubRest

    @property
    def folder(self) -> Path:
        """Hub's."""
        return self.box.hub

    @property
    def host(self) -> Host:
        """This host as far as it matters here: to look at all its processes takes long."""
        return self.box.look() if (self.box.root / "hub.pid").exists() else host_of(self.box)

    def sheet(self, **given: Raw) -> Sheet[Target]:
        answers: dict[str, Raw] = {
            "start_script": str(self.folder / "start.sh"),
            "switch_to_grpc": True,
            "switch_to_rest": True,
            "common_name": "hub.example.org",
            "alt_names": NAMES,
            **given,
        }
        return fill_in(self.target, answers, self.host)

    def answers(self, **given: Raw) -> ServerCertificate:
        return complete(self.sheet(**given))

    def plan(self, **given: Raw) -> Plan:
        """The plan as it is reviewed; it remembers the answers."""
        return self.plan_of(self.answers(**given))

    def plan_of(self, answers: ServerCertificate) -> Plan:
        assert isinstance(answers, Target)
        return review.prepared(answers, self.host)

    def apply(self, **given: Raw) -> Run:
        return transaction.apply(self.plan(**given), self.box.state)

    def undo(self, run: Run) -> None:
        transaction.undo(run, self.box.state)

    def refusal(self, **given: Raw) -> str:
        """The sentence by which answers are refused: at their question, else when they are used."""
        sheet = self.sheet(**given)
        if sheet.answers is None:
            return next(entry.error for entry in sheet.wrong if not entry.missing)
        try:
            review.prepared(sheet.answers, self.host)
        except WizardError as error:
            return str(error)
        raise AssertionError("nothing is refused")

    def prove(self, **given: Raw) -> Proof:
        """The proof of the Hub that runs in the box."""
        return self.proof_of(self.answers(**given))

    def proof_of(self, answers: ServerCertificate) -> Proof:
        assert isinstance(answers, Target)
        return proof.prove(answers.proof(self.host))

    def waiting(self) -> tuple[Run, ...]:
        """The runs that wait for a certificate."""
        return journal.waiting(journal.history(self.box.state))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hub runs until the block ends."""
        self.box.start()
        try:
            yield
        finally:
            self.box.stop()

    def served(self) -> bytes:
        """The certificate that the Hub that runs presents now, DER."""
        ((address, port),) = [socket for service in self.host.services for socket in service.listening]
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((address, port)))


def complete(sheet: Sheet[Target]) -> ServerCertificate:
    """The answers, which must all be right."""
    assert sheet.answers is not None, [(entry.question.name, entry.error) for entry in sheet.wrong]
    assert isinstance(sheet.answers, ServerCertificate)
    return sheet.answers


def write(changes: Iterable[Change]) -> None:
    """What a run would write, without one."""
    for change in changes:
        if isinstance(change, Directory):
            change.path.mkdir(parents=True, exist_ok=True)
        elif isinstance(change, File) and change.after is None:
            change.path.unlink()
        elif isinstance(change, File) and change.after is not None:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            change.path.write_bytes(change.after)
            if change.mode is not None:
                change.path.chmod(change.mode)


def everything(folder: Path) -> Tree:
    """Every file and folder below."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def changed(before: Tree, folder: Path) -> set[str]:
    """What has come, gone or changed since."""
    after = everything(folder)
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def restore(before: Tree, folder: Path) -> None:
    """Bring every file back to what it was; those that have come since go."""
    for name in changed(before, folder):
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
        if name in before:
            path.write_bytes(before[name][1])
            path.chmod(before[name][0] & 0o777)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def certificates(path: Path) -> tuple[x509.Certificate, ...]:
    return read_certificates_pem(path.read_bytes())


def ends(path: Path) -> datetime:
    return certificates(path)[0].not_valid_after_utc


def assert_proven(result: Proof) -> None:
    """Everything passed; plain HTTP, which Hub cannot switch off, is the one finding."""
    assert result.passed, proof.text(result)
    assert (result.count(Verdict.FAILED), result.count(Verdict.SKIPPED)) == (0, 0), proof.text(result)
    findings = [one.title for one in result.results if one.verdict is Verdict.FINDING]
    assert findings in ([], ["Plain HTTP is refused on the same port"])
