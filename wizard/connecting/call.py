"""An API as a connector calls it: where, with which texts, in which mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING

from wizard.address import Address
from wizard.by_hand import before_passphrase, request_words
from wizard.checks import reason
from wizard.client_checks import judged
from wizard.connecting.modes import Mode
from wizard.material import MaterialError
from wizard.probe import Endpoint, Handshake, Http2Preface, Identity, Request, bracketed, tls
from wizard.small_files import read_small
from wizard.trouble import Kind, Trouble

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.material.keys import PrivateKey


@dataclass(frozen=True, slots=True)
class Files:
    """The files with what a connector is given, read whenever a check needs them."""

    ca: Path | None = None
    """None: the public authorities that this system trusts."""
    certificate: Path | None = None
    key: Path | None = None

    def read_authorities(self) -> tuple[Certificate, ...]:
        """Whom it trusts, as given. Raises OSError or MaterialError."""
        return read_certificates(self.ca) if self.ca else ()

    def read_trust(self) -> bytes:
        """The same as PEM, or what this system trusts. Raises OSError or MaterialError."""
        from wizard.material.bundles import chain_pem
        from wizard.material.public_authorities import BUNDLES

        if self.ca:
            return chain_pem(self.read_authorities())
        bundle = next((path for path in BUNDLES if path.is_file()), None)
        if bundle is None:
            raise MaterialError("This system has no list of public authorities; give the server's authority.")
        return bundle.read_bytes()

    def read_identity(self) -> Identity | None:
        """What it presents, in the order given; None: nothing. Raises OSError or MaterialError."""
        from wizard.material.bundles import chain_pem

        if self.certificate is None or self.key is None:
            return None
        source = f"{self.certificate} and {self.key}"
        return Identity(chain_pem(read_certificates(self.certificate)), read_small(self.key), source)


@dataclass(frozen=True, slots=True)
class Call:
    """One API, and how a connector is to call it."""

    address: Address
    endpoint: Endpoint
    """Where it is reached from here: that of the address, unless it is known better."""
    files: Files
    mode: Mode
    request: Request | Http2Preface
    planned: bool = False
    """Whether its files are those that a plan writes, and so may not be there yet."""

    def attempt(self, mode: Mode, *, strict: bool = False, any_name: bool = False) -> Handshake | Trouble:
        """Call it in a mode; a refusal by an answer is one. Raises OSError or MaterialError of the files."""
        ca = self.files.read_trust() if mode.verifies else None
        client = self.files.read_identity() if mode.presents else None
        found = tls(
            self.endpoint,
            self.address.host,
            ca=ca,
            strict=strict,
            any_name=any_name,
            request=self.request,
            client=client,
        )
        return judged(found)

    def command(self, mode: Mode, *options: str) -> str:
        """The same call for a shell, by curl."""
        words = ["curl", "-sSi", "--noproxy", "*", *options]
        if isinstance(self.request, Http2Preface):
            words.append("--http2")
        if not mode.verifies:
            words.append("--insecure")
        elif self.files.ca:
            words += ["--cacert", str(self.files.ca)]
        if mode.presents and self.files.certificate and self.files.key:
            words += ["--cert", before_passphrase(self.files.certificate), "--key", str(self.files.key)]
        if self.endpoint != self.address.endpoint:
            words += ["--connect-to", f"{bracketed(self.address.host)}:{self.address.port}:{self.endpoint}"]
        if isinstance(self.request, Request):
            words += request_words(self.request)
        return join([*words, str(self.address)])

    def s_client(self, *options: str) -> str:
        """A look at what is served, for a shell, by openssl."""
        name = self.address.name
        server_name = ("-servername", name) if isinstance(name, str) else ("-noservername",)
        words = ("openssl", "s_client", "-connect", str(self.endpoint), *server_name, *options)
        return f"{join(words)} </dev/null"

    def why(self, error: OSError | MaterialError) -> str:
        """Say why its files cannot be used."""
        if isinstance(error, FileNotFoundError):
            mend = "Apply what is planned first, or check the path." if self.planned else "Check the path."
            return f"{error.filename} is not there. {mend}"
        return reason(error) if isinstance(error, OSError) else str(error)


def request_for(address: Address, endpoint: Endpoint, files: Files) -> Request | Http2Preface:
    """What the API answers: a request of HTTP/1.1, or else the preface of HTTP/2, as gRPC does.

    It is tried, whoever the server's certificate is from; what cannot be told is called by HTTP/1.1.
    """
    plain, preface = Request("GET", address.path), Http2Preface()
    try:
        client = files.read_identity()
    except (OSError, MaterialError):
        client = None
    found = tls(endpoint, address.host, request=plain, client=client)
    if not _hung_up(found):
        return plain
    second = tls(endpoint, address.host, request=preface, client=client)
    return preface if isinstance(second, Handshake) and second.answer.is_http2 else plain


def _hung_up(found: Handshake | Trouble) -> bool:
    """Whether the server ended the connection without an answer, as gRPC does where HTTP/2 is not offered."""
    if isinstance(found, Trouble):
        return found.kind in (Kind.CLOSED, Kind.CLIENT_CERTIFICATE)
    return not found.answer.data


def read_certificates(path: Path) -> tuple[Certificate, ...]:
    """All certificates of a file in whatever form, each once. Raises OSError or MaterialError."""
    from wizard.material.delivery import read_delivery

    with named(path):
        return read_delivery([read_small(path)])


def read_key(path: Path) -> PrivateKey:
    """The key, as a connector has to be given it. Raises OSError or MaterialError."""
    from wizard.material.keys import PassphraseNeeded, read_private_key

    with named(path):
        try:
            return read_private_key(read_small(path))
        except PassphraseNeeded:
            raise MaterialError(
                "The key is protected by a passphrase, and a connector has no field for one. Give it a copy "
                f"without: openssl pkey -in {path.name} -out NEW"
            ) from None


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Let a MaterialError that is raised say which file it is about."""
    try:
        yield
    except MaterialError as error:
        raise MaterialError(f"{path}: {error}") from error
