"""One certificate of every kind, with what is needed to present and to trust it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509

from wizard.material.authority import Authority, new_authority, new_intermediate, new_root
from wizard.material.certificates import read_certificates_pem, self_signed_client, self_signed_server
from wizard.material.key_types import KeyType
from wizard.material.keys import PrivateKey, generate, private_pem
from wizard.material.names import Name
from wizard.material.subject import Subject

NAMES: tuple[Name, ...] = ("signer", "hub.example.org", ip_address("127.0.0.1"), ip_address("::1"))
HOST = "hub.example.org"


@dataclass(frozen=True)
class Sample:
    """A certificate as it is used."""

    kind: str
    key_type: KeyType
    key: PrivateKey
    chain: tuple[x509.Certificate, ...]
    """What its owner presents, leaf first."""
    anchor: x509.Certificate
    """What the other side trusts."""

    @property
    def is_server(self) -> bool:
        return "server" in self.kind

    @property
    def is_self_signed(self) -> bool:
        return self.chain[0] == self.anchor


@cache
def key_of(key_type: KeyType, owner: str) -> PrivateKey:
    """A key for `owner`, made once in a test run, since RSA takes long."""
    assert owner
    return generate(key_type)


def one_tier(key_type: KeyType, now: datetime) -> Authority:
    subject = Subject("Example CA", organisation="Example")
    return new_authority(key_of(key_type, "authority"), subject, 3650, now)


def two_tiers(key_type: KeyType, now: datetime) -> Authority:
    """A root that is not used below, and the intermediate authority that is."""
    root = new_root(key_of(key_type, "authority"), Subject("Example Root"), 7300, now)
    return new_intermediate(
        root, key_of(key_type, "intermediate"), Subject("Example Intermediate"), 3650, now
    )


def samples(key_type: KeyType, now: datetime | None = None) -> tuple[Sample, ...]:
    """Every kind with keys of one type throughout."""
    now = now or datetime.now(UTC)
    key = key_of(key_type, "leaf")
    server, client = Subject(HOST), Subject("rpc.user.1")
    found = []
    for tiers, authority in (("1 tier", one_tier(key_type, now)), ("2 tiers", two_tiers(key_type, now))):
        for kind, leaf in (
            ("server", authority.issue_server(key.public_key(), server, NAMES, 397, now)),
            ("client", authority.issue_client(key.public_key(), client, 397, now)),
        ):
            chain = authority.chain(leaf)
            found.append(Sample(f"{kind}, {tiers}", key_type, key, chain, authority.anchor))
    for kind, leaf in (
        ("self-signed server", self_signed_server(key, HOST, NAMES, 397, now)),
        ("self-signed client", self_signed_client(key, client, 397, now)),
    ):
        found.append(Sample(kind, key_type, key, (leaf,), leaf))
    return tuple(found)


def guides_authority(folder: Path) -> tuple[x509.Certificate, x509.Certificate]:
    """An authority and a leaf by the commands of public guides: no key usage, no version 3, serial 01."""
    for name, subject in (("ca", "/CN=guide"), ("server", f"/CN={HOST}")):
        (folder / f"{name}.key").write_bytes(private_pem(key_of(KeyType.ECDSA_P256, name)))
        command: list[str | Path] = [
            "openssl",
            "req",
            "-new",
            "-key",
            folder / f"{name}.key",
            "-subj",
            subject,
        ]
        command += ["-x509", "-days", "9999"] if name == "ca" else []
        _done(*command, "-out", folder / f"{name}.pem")
    signing: list[str | Path] = [
        "openssl",
        "x509",
        "-req",
        "-in",
        folder / "server.pem",
        "-CA",
        folder / "ca.pem",
    ]
    signing += ["-CAkey", folder / "ca.key", "-set_serial", "01", "-out", folder / "server.crt"]
    _done(*signing)
    both = (folder / "ca.pem").read_bytes() + (folder / "server.crt").read_bytes()
    authority, leaf = read_certificates_pem(both)
    return authority, leaf


def _done(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)
