"""Fixed values to show: a host, a target, plans, runs and results that are the same on every machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.screens.sample_targets import HubQuestions, offered
from wizard.files import Entry
from wizard.host import Host, Service
from wizard.journal import Run, Status, Step
from wizard.kinds import Raw
from wizard.plan import Advice, Change, Command, Directory, File, Link, Owner, Plan, Tell, Warning, silent
from wizard.proof import Check, Expect, Outcome, Proof, Result, Verdict
from wizard.state import State
from wizard.targets import Found, Target
from wizard.world import World

WHO = "root@signer"
HUB = Path("/home/jake/hub")
SCRIPT = HUB / "start.sh"
ROOT = Owner(0, 0)
STARTED = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)

SERVICE = Service(
    pid=4121,
    arguments=("./hub", "--serverType", "http"),
    program="hub",
    directory=HUB,
    user="jake",
    started=STARTED,
    listening=(("0.0.0.0", 50051),),
)
BARE_HOST = Host(
    name="signer",
    fqdn="signer.example.com",
    addresses=("10.0.0.5",),
    user="root",
    root=True,
    command=("/usr/local/bin/tls-wizard",),
)
HOST = Host(
    name="signer",
    fqdn="signer.example.com",
    addresses=("10.0.0.5",),
    user="root",
    root=True,
    services=(SERVICE,),
    command=("/usr/local/bin/tls-wizard",),
)

LOST_BACKSLASH = (
    "There is no backslash at the end of this line, so for bash the command ends here, without "
    "--serverType; the backslash is added."
)
HOSTILE = "[bold red]not bold[/] \x1b]52;c;aGk=\x07 \x1b[2J \u202egnp.exe \x00 [link=x]"
"""Markup, an escape sequence that sets the clipboard, one that clears the screen, and reordered text."""


class SampleHub(HubQuestions):
    """A target that is found, and a plan of two files."""

    @classmethod
    def find(cls, host: Host) -> Found:
        if not host.services:
            return Found(False, "not found here")
        return Found(
            True,
            "runs here: pid 4121, REST without TLS on 0.0.0.0:50051",
            (str(SCRIPT), "runs as jake since 2026-03-14 09:26"),
            (Warning(LOST_BACKSLASH, SCRIPT, 5),),
        )

    def plan(self, host: Host, tell: Tell = silent) -> Plan:
        wanted = {"key.pem": b"the key\n", "cert.pem": b"the certificate\n"}
        changes: list[Change] = []
        for name, content in wanted.items():
            path = self.directory / name
            if not path.exists():
                secret = name == "key.pem"
                mode = 0o600 if secret else 0o644
                changes.append(File(path=path, before=None, after=content, mode=mode, secret=secret))
        kept = tuple(self.directory / name for name in wanted) if not changes else ()
        return Plan(
            target=self.key,
            title=f"Secure {self.title}, at {self.address}",
            changes=tuple(changes),
            kept=kept,
            advice=ADVICE,
            restart=self.restart(host),
        )

    def restart(self, host: Host) -> Command:
        return Command(("/bin/true",))

    def proof(self, host: Host) -> tuple[Check, ...]:
        return CHECKS


ADVICE = (
    Advice("Restart Hub; it reads certificates only when it starts.", "supervisorctl restart hub"),
    Advice(
        "Bind Hub to 127.0.0.1 behind a proxy, or let only those who need it reach the port.",
        "ufw allow from 10.0.0.0/24 to any port 50051 proto tcp",
    ),
)

# Plans ------------------------------------------------------------------------------------------------------

BEFORE = b"""\
#!/bin/bash

./bazel-bin/hub/hub \\
\t--salt CHANGETHIS-and-keep-it-to-yourself \\
\t--dbPassword myrootpassword \\
\t--listenAddress 0.0.0.0:50051
\t--serverType http
"""
AFTER = b"""\
#!/bin/bash

./bazel-bin/hub/hub \\
\t--salt CHANGETHIS-and-keep-it-to-yourself \\
\t--dbPassword myrootpassword \\
\t--listenAddress 0.0.0.0:50051 \\
\t--serverType http \\
\t--authMode ssl \\
\t--sslCert /home/jake/hub/cert.pem \\
\t--sslKey /home/jake/hub/key.pem \\
\t--sslDH /home/jake/hub/dh.pem
"""
EDIT = File(
    path=SCRIPT,
    before=BEFORE,
    after=AFTER,
    hidden=(b"CHANGETHIS-and-keep-it-to-yourself", b"myrootpassword"),
    about="Hub's flags",
)
KEY = File(
    path=HUB / "key.pem",
    before=None,
    after=b"-----BEGIN PRIVATE KEY-----\nnever shown\n-----END PRIVATE KEY-----\n",
    mode=0o600,
    owner=ROOT,
    secret=True,
    about="private key, ECDSA P-256",
)
CERTIFICATE = File(
    path=HUB / "cert.pem",
    before=None,
    after=b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    mode=0o644,
    owner=ROOT,
    about="certificate for clients to trust",
    described=(
        "Subject        CN=signer",
        "Names          signer, signer.example.com, 10.0.0.5",
        "Valid          2026-03-14 to 2027-04-15 (397 days)",
        "Key            ECDSA P-256",
    ),
)
DH = File(
    path=HUB / "dh.pem",
    before=None,
    after=b"-----BEGIN DH PARAMETERS-----\nMIIB\n-----END DH PARAMETERS-----\n",
    mode=0o644,
    owner=ROOT,
    about="Diffie-Hellman group ffdhe2048 of RFC 7919",
)
TITLE = "Secure IOTA Hub, REST, at 127.0.0.1:50051"
WARNINGS = (
    Warning(LOST_BACKSLASH, SCRIPT, 6),
    Warning("Hub keeps answering plain HTTP on the same port; it has no switch for that. See Prove."),
)
PLAN = Plan(
    target="hub-rest",
    title=TITLE,
    changes=(KEY, CERTIFICATE, DH, EDIT),
    validations=(Command(("bash", "-n", str(SCRIPT)), "the script is still a script"),),
    warnings=WARNINGS,
    advice=ADVICE,
    restart=Command(("supervisorctl", "restart", "hub"), "restart Hub"),
)
NOTHING_TO_CHANGE = Plan(
    target="hub-rest", title=TITLE, changes=(), kept=(HUB / "key.pem", HUB / "cert.pem", SCRIPT)
)
EVERY_KIND = Plan(
    target="hub-rest",
    title="Secure a service with every kind of change",
    changes=(
        Directory(path=HUB / "tls", mode=0o755, owner=ROOT, about="folder for the files"),
        CERTIFICATE,
        EDIT,
        File(path=HUB / "old.pem", before=b"old\n", after=None, about="no longer used"),
        Link(path=HUB / "d0b7f2ab.0", before=None, after="cert.pem", about="found by its subject"),
        Link(path=HUB / "current", before="old", after="new"),
        Directory(path=HUB / "spare", present=False),
    ),
    kept=(HUB / "key.pem",),
)
UNDO = Plan(
    target="hub-rest",
    title=f"Undo: {TITLE}",
    changes=(
        File(path=SCRIPT, before=AFTER, after=BEFORE, hidden=EDIT.hidden, about="Hub's flags"),
        File(path=DH.path, before=DH.after, after=None),
        File(path=CERTIFICATE.path, before=CERTIFICATE.after, after=None),
        File(path=KEY.path, before=KEY.after, after=None, secret=True),
    ),
)
HOSTILE_PLAN = Plan(
    target="hub-rest",
    title=f"Secure {HOSTILE}",
    changes=(
        File(
            path=HUB / f"{HOSTILE}.sh",
            before=b"hub --salt [red]x[/]\n",
            after=b"hub --salt [red]x[/]\n# " + HOSTILE.encode() + b" " + b"long " * 30 + b"\n",
            about=HOSTILE,
        ),
    ),
    warnings=(Warning(HOSTILE),),
    advice=(Advice(HOSTILE, f"echo {HOSTILE}"),),
)

# Runs -------------------------------------------------------------------------------------------------------


def run(
    number: int, title: str = TITLE, status: Status = Status.APPLIED, undoes: str = "", folder: Path = HUB
) -> Run:
    """A run of two files, made at a fixed time that grows with its number."""
    made = Step(folder / "cert.pem", None, Entry("file", "00", 0o644, 0, 0))
    changed = Step(folder / "start.sh", Entry("file", "00", 0o755, 0, 0), Entry("file", "11", 0o755, 0, 0))
    return Run(
        id=f"202603{number:02}-092600-hub-rest",
        target="hub-rest",
        title=title,
        time=STARTED.replace(day=number),
        steps=(made, changed),
        status=status,
        undoes=undoes,
    )


RUN = run(14)
RUNS = (run(12, status=Status.ROLLED_BACK), run(13, status=Status.UNDONE), RUN)

# Checks -----------------------------------------------------------------------------------------------------

CURL = "curl --cacert /home/jake/hub/cert.pem https://signer:50051/"


def _result(title: str, expect: Expect, verdict: Verdict, got: str, **more: object) -> Result:
    parts: dict[str, object] = {"meaning": "", "advice": (), "command": CURL, **more}
    return Result(title=title, expect=expect, verdict=verdict, got=got, **parts)  # type: ignore[arg-type]  # a shorthand


PASSED = (
    _result("Hub can be reached with TLS", Expect.ACCEPT, Verdict.PASSED, "TLS 1.3"),
    _result("It shows our certificate", Expect.ACCEPT, Verdict.PASSED, "the one in cert.pem"),
    _result('The name "signer" is accepted', Expect.ACCEPT, Verdict.PASSED, "accepted"),
    _result("TLS 1.0 and 1.1", Expect.REFUSE, Verdict.PASSED, "refused"),
)
FINDING = _result(
    "Plain HTTP on the same port",
    Expect.REFUSE,
    Verdict.FINDING,
    "answered",
    meaning="Hub answers plain HTTP beside TLS, on the same port, and has no switch against it.",
    advice=ADVICE[1:],
)
STILL_OLD = _result(
    "Hub can be reached with TLS",
    Expect.ACCEPT,
    Verdict.FAILED,
    "127.0.0.1:50051 answers, but not with TLS.",
    meaning="Hub (pid 4121) has been running since 09:26:00, start.sh was written at 10:02:11: "
    "it still runs with its old settings. Restart it.",
    advice=ADVICE[:1],
)
NOT_TRIED = tuple(
    _result(result.title, result.expect, Verdict.SKIPPED, "not tried", meaning=STILL_OLD.got)
    for result in (*PASSED[1:], FINDING)
)
ALL_PASSED = Proof(PASSED)
WITH_FINDING = Proof((*PASSED, FINDING))
FAILED = Proof((STILL_OLD, *NOT_TRIED))
HOSTILE_PROOF = Proof(
    (
        _result(
            "It answers", Expect.ACCEPT, Verdict.FAILED, HOSTILE, meaning=HOSTILE, command=f"echo {HOSTILE}"
        ),
    )
)


def checks(proof: Proof) -> tuple[Check, ...]:
    """Checks that come out as in a proof."""
    return tuple(Check(r.title, r.expect, partial(_outcome, r), r.command) for r in proof.results)


def _outcome(result: Result) -> Outcome:
    return Outcome(verdict=result.verdict, got=result.got, meaning=result.meaning, advice=result.advice)


CHECKS = checks(WITH_FINDING)

# The world --------------------------------------------------------------------------------------------------


class Kept(dict[str, dict[str, Raw]]):
    """Remembers the answers it was asked to keep, by target key."""

    def __call__(self, target: type[Target], given: Mapping[str, Raw]) -> None:
        self[target.key] = dict(given)


def world(
    state: Path,
    *,
    look: Callable[[], Host] = lambda: HOST,
    target: type[Target] = SampleHub,
    keep: Callable[[type[Target], Mapping[str, Raw]], None] | None = None,
) -> World:
    """What the app needs from outside, the same everywhere."""
    return World(look, State(state), (offered(target),), WHO, Kept() if keep is None else keep)
