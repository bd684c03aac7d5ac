"""The other implementations at hand, each asked the same question: is this certificate good?"""

from __future__ import annotations

import platform
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

import cryptography
from cryptography import x509
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from tests.material import handshake
from tests.material.linter import lint
from tests.material.samples import HOST, Sample
from wizard.material.certificates import certificate_pem, self_signed_server
from wizard.material.key_types import KeyType
from wizard.material.keys import generate

SERVER_AUTH, CLIENT_AUTH = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"


def run(*command: str | Path, data: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run a program to its end; its output in either stream is one text."""
    done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=120)
    return subprocess.CompletedProcess(command, done.returncode, (done.stdout + done.stderr).decode())


@dataclass(frozen=True)
class Verifier:
    """An implementation that can be asked."""

    name: str
    version: Callable[[], str | None]
    """None when it is not installed."""
    verdicts: Callable[[Sequence[Sample]], list[str]]
    """For each certificate the reason for refusing it; empty when it is accepted."""
    own_rule: Callable[[Sample], str] = lambda _: ""
    """A word of the reason where it refuses by a rule of its own, not of RFC 5280; else empty."""


@contextmanager
def folder_of(sample: Sample) -> Iterator[Path]:
    """The sample as files: leaf.pem, chain.pem (leaf first), above.pem, anchor.pem."""
    with TemporaryDirectory() as name:
        yield write(sample, Path(name))


def write(sample: Sample, folder: Path) -> Path:
    leaf, *above = map(certificate_pem, sample.chain)
    (folder / "leaf.pem").write_bytes(leaf)
    (folder / "chain.pem").write_bytes(b"".join((leaf, *above)))
    (folder / "above.pem").write_bytes(b"".join(above))
    (folder / "anchor.pem").write_bytes(certificate_pem(sample.anchor))
    return folder


def _openssl(samples: Sequence[Sample]) -> list[str]:
    verdicts = []
    for sample in samples:
        with folder_of(sample) as folder:
            command: list[str | Path] = ["openssl", "verify", "-x509_strict", "-check_ss_sig"]
            command += ["-CAfile", folder / "anchor.pem"]
            command += ["-purpose", "sslserver" if sample.is_server else "sslclient"]
            command += ["-verify_hostname", HOST] if sample.is_server else []
            command += ["-untrusted", folder / "above.pem"] if len(sample.chain) > 1 else []
            done = run(*command, folder / "leaf.pem")
        verdicts.append("" if done.returncode == 0 else done.stdout)
    return verdicts


def _gnutls(samples: Sequence[Sample]) -> list[str]:
    verdicts = []
    for sample in samples:
        with folder_of(sample) as folder:
            command: list[str | Path] = ["certtool", "--verify", "--infile", folder / "chain.pem"]
            command += ["--load-ca-certificate", folder / "anchor.pem"]
            command += ["--verify-purpose", SERVER_AUTH if sample.is_server else CLIENT_AUTH]
            command += ["--verify-hostname", HOST] if sample.is_server else []
            done = run(*command)
        verdicts.append("" if done.returncode == 0 else done.stdout)
    return verdicts


def _python(version: ssl.TLSVersion, *, strict: bool) -> Callable[[Sequence[Sample]], list[str]]:
    def verdicts(samples: Sequence[Sample]) -> list[str]:
        found = []
        for sample in samples:
            try:
                _shake_hands(sample, version, strict=strict)
            except ssl.SSLError as error:
                found.append(str(error))
            else:
                found.append("")
        return found

    return verdicts


def _shake_hands(sample: Sample, version: ssl.TLSVersion, *, strict: bool) -> None:
    if sample.is_server:
        server = handshake.present(handshake.server(), sample.chain, sample.key)
        for name in (HOST, "127.0.0.1"):
            handshake.connect(handshake.client(sample.anchor, strict=strict), server, name, version)
        return
    key = generate(KeyType.ECDSA_P256)
    plain = self_signed_server(key, HOST, (HOST,), 30, datetime.now(UTC))
    server = handshake.present(handshake.server(sample.anchor, strict=strict), (plain,), key)
    client = handshake.present(handshake.client(plain, strict=strict), sample.chain, sample.key)
    handshake.connect(client, server, HOST, version)


def _cryptography(samples: Sequence[Sample]) -> list[str]:
    verdicts = []
    # Clients without alternative names are what RFC 5280 allows and this library's web profile does not.
    clients = ExtensionPolicy.webpki_defaults_ee().may_be_present(
        x509.SubjectAlternativeName, Criticality.AGNOSTIC, None
    )
    for sample in samples:
        builder = PolicyBuilder().store(Store([sample.anchor])).time(datetime.now(UTC))
        leaf, *above = sample.chain
        try:
            if sample.is_server:
                for name in (x509.DNSName(HOST), x509.IPAddress(ip_address("127.0.0.1"))):
                    builder.build_server_verifier(name).verify(leaf, above)
            else:
                builder = builder.extension_policies(
                    ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=clients
                )
                builder.build_client_verifier().verify(leaf, above)
        except VerificationError as error:
            verdicts.append(str(error))
        else:
            verdicts.append("")
    return verdicts


def _java(samples: Sequence[Sample]) -> list[str]:
    with TemporaryDirectory() as name:
        folders = []
        for number, sample in enumerate(samples):
            folder = Path(name) / str(number)
            folder.mkdir()
            write(sample, folder)
            if sample.is_server:
                (folder / "server").touch()
            folders.append(folder)
        done = run("java", "-Xshare:auto", Path(__file__).with_name("Verify.java"), *folders)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert len(lines) == len(samples), done.stdout
    return ["" if line == "accepted" else line for line in lines]


def _pkilint(samples: Sequence[Sample]) -> list[str]:
    return [
        "; ".join(found for certificate in (*sample.chain, sample.anchor) for found in lint(certificate))
        for sample in samples
    ]


def _version_of(*command: str) -> Callable[[], str | None]:
    def version() -> str | None:
        if shutil.which(command[0]) is None:
            return None
        return run(*command).stdout.splitlines()[0].partition(" (Library")[0]

    return version


def _python_version() -> str:
    return f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}"


VERIFIERS = (
    Verifier("openssl verify -x509_strict", _version_of("openssl", "version"), _openssl),
    Verifier(
        "GnuTLS certtool",
        _version_of("certtool", "--version"),
        _gnutls,
        lambda sample: "is not a CA" if sample.is_self_signed else "",
    ),
    *(
        Verifier(
            f"Python {'strict' if strict else 'lenient'}, {words}",
            _python_version,
            _python(version, strict=strict),
        )
        for strict in (True, False)
        for version, words in ((ssl.TLSVersion.TLSv1_2, "TLS 1.2"), (ssl.TLSVersion.TLSv1_3, "TLS 1.3"))
    ),
    Verifier(
        "cryptography",
        lambda: f"cryptography {cryptography.__version__}",
        _cryptography,
        lambda sample: "" if sample.is_self_signed or sample.key_type is not KeyType.ED25519 else "algorithm",
    ),
    Verifier("Java", _version_of("java", "--version"), _java),
    Verifier("pkilint (RFC 5280)", lambda: f"pkilint {installed('pkilint')}", _pkilint),
)

REQUEST_READERS = {
    "openssl": (("openssl", "req", "-verify", "-noout", "-text"), "self-signature verify OK"),
    "certtool": (("certtool", "--crq-info"), "Self signature: verified"),
    "keytool": (("keytool", "-printcertreq", "-v"), "PKCS #10 Certificate Request"),
}
"""Programs that show a signing request in words, and the words by which they find its signature good."""


def read_request(reader: str, request: bytes) -> str | None:
    """A signing request (PEM) in the words of one of REQUEST_READERS; None when it refuses it."""
    command, words = REQUEST_READERS[reader]
    shown = run(*command, data=request).stdout
    return shown if words in shown else None
