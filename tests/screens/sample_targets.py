"""Sample targets, whose questions look at no file, so that they are the same on every machine.

The screens are tested with these, not with the real targets: what those ask may change.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from wizard.errors import WrongAnswer
from wizard.host import Host
from wizard.kinds import (
    Account,
    Choice,
    Delivered,
    Delivery,
    FilePath,
    IPv4Address,
    Passphrase,
    Several,
    Text,
    Whole,
    YesNo,
)
from wizard.material.names import check_common_name, read_name
from wizard.plan import File, Plan, Tell, silent
from wizard.proof import Check, Expect, Outcome, Verdict
from wizard.questions import Page, question
from wizard.rights import as_root
from wizard.secret import Secret
from wizard.sheet import Elsewhere
from wizard.targets import Found, Target
from wizard.targets.catalogue import Offered


@dataclass(frozen=True, kw_only=True)
class HubQuestions(Target):
    """Every ordinary kind of question, on two pages; what is found and planned is in samples.py."""

    key: ClassVar = "hub-rest"
    title: ClassVar = "IOTA Hub, REST"
    summary: ClassVar = (
        "Afterwards Hub answers https:// with a certificate of its own. Its REST API cannot check clients; "
        "whoever reaches the port can use it."
    )
    pages: ClassVar = (
        Page("service", "the service"),
        Page(
            "certificate",
            "the certificate",
            "No passphrase is asked: Hub cannot read a protected key and would stop. "
            "The key is kept from others by its file mode, 0600.",
        ),
    )

    common_name: str = question(
        "Common Name", Text(), page="certificate", help="The name that people see in the certificate."
    )
    alt_names: tuple[str, ...] = question(
        "Alternative names",
        Several(lambda text: str(read_name(text))),
        page="certificate",
        help="Every name and address clients connect to, with commas.",
    )
    validity_days: int = question(
        "Valid for (days)",
        Whole(1, 36500),
        page="certificate",
        help="Up to 825 days are accepted by every client.",
    )
    start_script: Path = question(
        "Start script",
        FilePath(),
        page="service",
        help="The script that starts Hub; its flags are set here.",
    )
    switch_to_rest: bool = question(
        "Switch to REST",
        YesNo(),
        page="service",
        help="It starts the gRPC API; these settings are for REST.",
    )
    directory: Path = question(
        "Folder for files",
        FilePath(),
        page="service",
        help="cert.pem, key.pem and dh.pem are written here.",
    )
    account: str = question(
        "Hub runs as",
        Account(),
        page="service",
        help="The account that owns the files and so can read the key.",
    )
    address: str = question(
        "Address to test",
        IPv4Address(),
        page="service",
        help="Where Hub answers; the proof connects to it.",
        more="Taken from --listenAddress. Hub's REST server takes an IPv4 address with a port, no name.",
    )
    key_type: str = question(
        "Key",
        Choice(
            (
                ("ecdsa-p256", "ECDSA P-256"),
                ("rsa-2048", "RSA 2048 bits"),
                ("rsa-3072", "RSA 3072 bits"),
                ("rsa-4096", "RSA 4096 bits"),
            )
        ),
        page="certificate",
        help="ECDSA P-256 is fast; take RSA only for very old clients.",
    )
    source: str = question(
        "Source",
        Choice((("self-signed", "self-signed"),)),
        page="certificate",
        help="Signed by its own key; clients get cert.pem to trust.",
    )

    def default_start_script(self, host: Host) -> Path:
        return Path("/home/jake/hub/start.sh")

    def check_start_script(self, host: Host, value: Path) -> str | None:
        if value.name == "old.sh":
            raise Elsewhere("This Hub has no TLS. Put nginx in front of it.", "nginx", {})
        if value.name == "theirs.sh":
            return f"{host.user} may not write in {value.parent}. {as_root(host, self.key)}"
        if value.name.endswith(".sh"):
            return None
        return "There is no such file. Give the script that starts Hub."

    def applies_switch_to_rest(self, host: Host) -> bool:
        return self.start_script.name == "grpc.sh"

    def default_switch_to_rest(self, host: Host) -> bool:
        return False

    def check_switch_to_rest(self, host: Host, value: bool) -> str | None:
        if value:
            return None
        return "This script starts Hub's gRPC API. Say yes to switch it to REST, or go back and leave it."

    def default_directory(self, host: Host) -> Path:
        return self.start_script.parent

    def default_account(self, host: Host) -> str:
        return "root"

    def default_address(self, host: Host) -> str:
        return "127.0.0.1:50051"

    def default_common_name(self, host: Host) -> str:
        return host.name

    def check_common_name(self, host: Host, value: str) -> str | None:
        return check_common_name(value)

    def default_alt_names(self, host: Host) -> tuple[str, ...]:
        names = (self.common_name, host.name, host.fqdn, "localhost", *host.addresses, "127.0.0.1")
        return tuple(dict.fromkeys(names))

    def default_validity_days(self, host: Host) -> int:
        return 397

    def caution_validity_days(self, host: Host, value: int) -> str | None:
        if value <= 825:
            return None
        return (
            "Apple's systems refuse server certificates valid for more than 825 days, "
            "from private authorities too; and a leaked key stays good for as long."
        )

    def default_key_type(self, host: Host) -> str:
        return "ecdsa-p256"

    def default_source(self, host: Host) -> str:
        return "self-signed"


SELF_SIGNED, OWN, REQUEST = "self-signed", "own", "request"
NEW = "new"
AUTHORITIES = {
    "server": (
        (NEW, "a new one"),
        ("example", "Example Hub CA, until 2036-11-24, has issued 3"),
        ("staging", "Staging CA of the department of payments, until 2027-01-31, has issued 12"),
    ),
    "mutual": ((NEW, "a new one"), ("clients", "Clients' CA, until 2031-05-17, has issued 3 [bold]\x1b[2J")),
}
OPENS = Secret("correct horse battery")
"""The passphrase of the authorities that exist."""


@dataclass(frozen=True, kw_only=True)
class SampleAuthority(Target):
    """A passphrase, options and pages that depend on earlier answers, what may be empty, what is pasted."""

    key: ClassVar = "sample-ca"
    title: ClassVar = "Sample service"
    summary: ClassVar = "Its certificate comes from wherever you say."
    pages: ClassVar = (
        Page("source", "where the certificate comes from"),
        Page(
            "authority",
            "your own authority",
            "Whoever has its key and passphrase can make certificates that your clients and servers trust.",
        ),
        Page("answer", "the authority's answer", "Until it comes nothing else changes."),
        Page("names", "the names"),
    )

    checks: str = question(
        "Checks clients",
        Choice((("server", "no"), ("mutual", "yes"))),
        page="source",
        help="Whether clients need certificates too.",
    )
    source: str = question(
        "Source",
        Choice(((SELF_SIGNED, "self-signed"), (OWN, "own CA"), (REQUEST, "request"))),
        page="source",
        help="Who signs it: its own key, a CA made here, one elsewhere.",
    )
    authority: str = question(
        "Authority",
        Choice(((NEW, "a new one"),)),
        page="source",
        help="A new one serves this service alone; one from before serves both.",
    )
    authority_name: str = question(
        "Its name",
        Text(),
        page="authority",
        help="What people see as the issuer; it stays.",
    )
    authority_days: int = question(
        "Valid for (days)", Whole(30, 36500), page="authority", help="What it issues never lasts longer."
    )
    organisation: str = question(
        "Organisation", Text(optional=True), page="authority", help="Its full legal name, if it has one."
    )
    passphrase: Secret = question(
        "Passphrase", Passphrase(), page="authority", help="Of the authority's key."
    )
    delivered: Delivery = question(
        "Certificate",
        Delivered(),
        page="answer",
        help="Files, with commas; or paste the text. Empty: it has not come yet.",
    )
    common_name: str = question(
        "Common Name", Text(), page="names", help="The name that people see in the certificate."
    )
    alt_names: tuple[str, ...] = question(
        "Alternative names",
        Several(lambda text: str(read_name(text)), optional=True),
        page="names",
        help="Every name and address clients connect to, with commas.",
    )
    directory: Path = question(
        "Folder for files", FilePath(), page="names", help="Certificates and keys are written here."
    )

    @classmethod
    def find(cls, host: Host) -> Found:
        return Found(True, "runs here: pid 4122, without TLS")

    def default_checks(self, host: Host) -> str:
        return "server"

    def default_source(self, host: Host) -> str:
        return SELF_SIGNED

    def applies_authority(self, host: Host) -> bool:
        return self.source == OWN

    def options_authority(self, host: Host) -> tuple[tuple[str, str], ...]:
        return AUTHORITIES[self.checks]

    def default_authority(self, host: Host) -> str:
        return NEW

    def applies_authority_name(self, host: Host) -> bool:
        return self.source == OWN and self.authority == NEW

    applies_authority_days = applies_organisation = applies_authority_name

    def default_authority_name(self, host: Host) -> str:
        return f"{host.name} CA"

    def default_authority_days(self, host: Host) -> int:
        return 3650

    def default_organisation(self, host: Host) -> str:
        return ""

    def applies_passphrase(self, host: Host) -> bool:
        return self.source == OWN

    def chosen_passphrase(self, host: Host) -> bool:
        return self.authority == NEW

    def check_passphrase(self, host: Host, value: Secret) -> str | None:
        return "It has to have four characters." if len(value.reveal()) < 4 else None

    def applies_delivered(self, host: Host) -> bool:
        return self.source == REQUEST

    def default_delivered(self, host: Host) -> Delivery:
        return Delivery()

    def default_common_name(self, host: Host) -> str:
        return host.name

    def default_alt_names(self, host: Host) -> tuple[str, ...]:
        return ()

    def default_directory(self, host: Host) -> Path:
        return Path("/home/jake/sample")

    def plan(self, host: Host, tell: Tell = silent) -> Plan:
        """One file; only here it turns out whether the passphrase of an authority is the right one."""
        passphrase: Secret | None = vars(self).get("passphrase")
        if self.source == OWN and self.authority != NEW and passphrase != OPENS:
            raise WrongAnswer("passphrase", "This passphrase does not open the authority's key.")
        content = "the key" if passphrase is None else f"the key under {fingerprint(passphrase)}"
        path = self.directory / "key.pem"
        written = File(path=path, before=None, after=content.encode(), mode=0o600, secret=True)
        return Plan(target=self.key, title=f"Secure {self.title}", changes=(written,))

    def proof(self, host: Host) -> tuple[Check, ...]:
        outcome = Outcome(verdict=Verdict.PASSED, got="accepted")
        return (Check(f"The name {self.common_name} is accepted", Expect.ACCEPT, lambda: outcome, "true"),)


def fingerprint(passphrase: Secret) -> str:
    """Says of a key which passphrase it was written with."""
    return sha256(passphrase.reveal().encode()).hexdigest()


def offered(target: type[Target]) -> Offered:
    """A target of the tests as the first screen lists it."""
    return Offered(target.key, target.title, target.summary, lambda: target)
