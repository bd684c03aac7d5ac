"""A connector: a program that calls an API, such as DronaHQ's REST connector, and what it is to be given.

What its fields mean is read from the maker's guide, "Configure SSL for REST API Connector", and was measured
with nginx as the server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, ClassVar

from wizard.address import Address
from wizard.connecting.modes import Mode
from wizard.errors import WrongAnswer
from wizard.host import Host
from wizard.kinds import NOTHING, Choice, Delivered, Delivery, FilePath, Passphrase, Url
from wizard.material import MaterialError
from wizard.plan import Advice, Change, Directory, File, Plan, Tell, Warning, silent
from wizard.questions import Page, question
from wizard.rights import cannot_write
from wizard.secret import Secret
from wizard.sheet import Missing
from wizard.targets import Found, Target
from wizard.targets.catalogue import CONNECTOR
from wizard.targets.service_files import unchanged

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.connecting.bundle import Presented, Trusted
    from wizard.connecting.call import Call
    from wizard.connecting.set_up_here import Server
    from wizard.material.keys import PrivateKey
    from wizard.proof import Check

ELSEWHERE = "none"
NOTHING_VERIFIED = "NOTHING IS VERIFIED in this mode."
API_PAGE = Page("api", "the API and how it is verified")
FILES_PAGE = Page(
    "files",
    "what the connector is given",
    "They are read, checked and put in order; the texts to paste are written to a folder of their own.",
)


@dataclass(frozen=True, kw_only=True)
class Connector(Target):
    """The answers for a connector."""

    key: ClassVar = CONNECTOR.key
    title: ClassVar = CONNECTOR.title
    summary: ClassVar = CONNECTOR.summary
    pages: ClassVar = (API_PAGE, FILES_PAGE)

    from_run: str = question(
        "Server set up here",
        Choice(((ELSEWHERE, "none"),)),
        page=API_PAGE.key,
        help="Fills in its address, authority and client files.",
        more="A server that this wizard has secured on this host, by the run that did it first. With none "
        "you give the address and the files that you were sent.",
    )
    url: Address = question(
        "Address of the API",
        Url(),
        page=API_PAGE.key,
        help="Such as https://api.example.com/status.",
        more="Without what follows a question mark. Best the path of a request that needs no login.",
    )
    mode: str = question(
        "Verification",
        Choice(((Mode.FULL.value, "full"), (Mode.VERIFY_CA.value, "verify CA"), (Mode.SKIP.value, "skip"))),
        page=API_PAGE.key,
        help="Full also shows the server who calls (mutual TLS).",
        more="full: the chain and the name of the server are verified, and a client certificate is "
        "presented. verify-ca: the same, but no certificate is presented; some programs leave the name out. "
        "skip: nothing is verified, so anybody on the way can read and change everything.",
    )

    ca: Delivery = question(
        "Authority",
        Delivered(),
        page=FILES_PAGE.key,
        help="Who signed the server's certificate, with the root.",
        more="Files, with commas, or the pasted text. For a private authority its own root and the "
        "intermediates below it, in any order and form. Not the server's certificate, unless that signed "
        "itself.",
    )
    client_certificate: Path = question(
        "Client certificate",
        FilePath(),
        page=FILES_PAGE.key,
        help="What the server knows this client by, with its chain.",
    )
    client_key: Path = question(
        "Client key",
        FilePath(),
        page=FILES_PAGE.key,
        help="The private key of that certificate.",
    )
    directory: Path = question(
        "Folder",
        FilePath(),
        page=FILES_PAGE.key,
        help="Where the texts are written, for your account alone.",
    )
    client_key_passphrase: Secret = question(
        "Key's passphrase",
        Passphrase(),
        page=FILES_PAGE.key,
        help="It opens the key, once; a connector takes none.",
    )

    # Rules --------------------------------------------------------------------------------------------

    @classmethod
    def find(cls, host: Host) -> Found:
        from wizard.connecting.set_up_here import servers

        count = len(servers(host))
        if not count:
            return Found(False, "for an API anywhere")
        many = "1 server" if count == 1 else f"{count} servers"
        return Found(False, f"for an API anywhere, or {many} set up here")

    def applies_from_run(self, host: Host) -> bool:
        from wizard.connecting.set_up_here import servers

        return bool(servers(host))

    def options_from_run(self, host: Host) -> tuple[tuple[str, str], ...]:
        from wizard.connecting.set_up_here import servers

        return ((ELSEWHERE, "none"), *((server.run, server.words) for server in servers(host)))

    def default_from_run(self, host: Host) -> str:
        return ELSEWHERE

    def server(self, host: Host) -> Server | None:
        """The server set up here that was chosen."""
        from wizard.connecting.set_up_here import servers

        if self.from_run == ELSEWHERE:
            return None
        return next((server for server in servers(host) if server.run == self.from_run), None)

    def default_url(self, host: Host) -> Address | None:
        from wizard.probe import Request

        if (server := self.server(host)) is None:
            return None
        service = server.offer.service
        path = service.request.path if isinstance(service.request, Request) else "/"
        return Address.parse(f"https://{_bracketed(service.name)}:{service.endpoint.port}{path}")

    def default_mode(self, host: Host) -> str:
        server = self.server(host)
        asks_nobody = server is not None and server.offer.clients is None
        return Mode.VERIFY_CA.value if asks_nobody else Mode.FULL.value

    def caution_mode(self, host: Host, value: str) -> str | None:
        mode = Mode(value)
        if mode is Mode.SKIP:
            return f"{NOTHING_VERIFIED} {mode.exposed}"
        return None if mode is Mode.FULL else mode.exposed

    def _verifies(self, host: Host) -> bool:
        return Mode(self.mode).verifies

    applies_ca = applies_directory = _verifies

    def default_ca(self, host: Host) -> Delivery | None:
        server = self.server(host)
        return Delivery((server.offer.service.ca,)) if server else None

    def check_ca(self, host: Host, value: Delivery) -> str | None:
        if not value:
            raise Missing("This is needed.")
        self._trusted(host, value)
        return None

    def caution_ca(self, host: Host, value: Delivery) -> str | None:
        return "\n".join(warning.text for warning in self._trusted(host, value).warnings) or None

    def _presents(self, host: Host) -> bool:
        return Mode(self.mode).presents

    applies_client_certificate = applies_client_key = _presents

    def default_client_certificate(self, host: Host) -> Path | None:
        server = self.server(host)
        files = next(iter(server.clients), None) if server else None
        return files.certificate if files else None

    def check_client_certificate(self, host: Host, value: Path) -> str | None:
        from wizard.connecting.bundle import check_client, client_leaf
        from wizard.connecting.call import read_certificates

        check_client(client_leaf(read_certificates(value)), datetime.now(UTC))
        return None

    def default_client_key(self, host: Host) -> Path | None:
        server = self.server(host)
        known = server.key_of(self.client_certificate) if server else None
        beside = self.client_certificate.with_suffix(".key")
        return known or (beside if beside.is_file() else None)

    def check_client_key(self, host: Host, value: Path) -> str | None:
        from wizard.material.keys import PassphraseNeeded

        with suppress(PassphraseNeeded):  # it is asked for next
            self._presented(host, value, None)
        return None

    def default_directory(self, host: Host) -> Path:
        return Path.cwd() / f"connector-{self.url.host}"

    def check_directory(self, host: Host, value: Path) -> str | None:
        if os.path.lexists(value) and not value.is_dir():
            return "This is a file; give a folder."
        given = {part for part in vars(self).get("ca", NOTHING).parts if isinstance(part, Path)}
        given |= {vars(self)[name] for name in ("client_certificate", "client_key") if name in vars(self)}
        for path in _texts(value):
            if path in given:
                return f"{path} is one of your own files, and would be overwritten. Give another folder."
            if path.is_symlink() or (os.path.lexists(path) and not path.is_file()):
                return f"{path} is in the way: it is not a plain file. Give another folder."
            if problem := cannot_write(path, host, self.key):
                return problem
        return None

    def applies_client_key_passphrase(self, host: Host) -> bool:
        from wizard.material.keys import PassphraseNeeded

        if not Mode(self.mode).presents or self._written_key() is not None:
            return False
        try:
            self._read_key(self.client_key, None)
        except PassphraseNeeded:
            return True
        return False

    # What is written ----------------------------------------------------------------------------------

    def plan(self, host: Host, tell: Tell = silent) -> Plan:
        mode = Mode(self.mode)
        trusted = self._given_trusted(host) if mode.verifies else None
        presented = self._given_presented(host) if mode.presents else None
        files = tuple(self._files(trusted, presented))
        folder = tuple(self._folder()) if files else ()
        kept = self._paths(mode)
        return Plan(
            target=self.key,
            title=f"Connector for {self.url}, mode {mode.value}",
            changes=(*folder, *files),
            kept=unchanged(kept, files),
            warnings=tuple(self._warnings(host, mode, trusted, presented)),
            advice=tuple(self._advice(mode, trusted, presented)),
        )

    def _folder(self) -> Iterator[Change]:
        missing = [folder for folder in (self.directory, *self.directory.parents) if not folder.exists()]
        for folder in reversed(missing):
            yield Directory(path=folder, mode=0o700, about="folder for the texts, for this account alone")

    def _files(self, trusted: Trusted | None, presented: Presented | None) -> Iterator[File]:
        ca, certificate, key = _texts(self.directory)
        if presented:
            yield from _private(key, presented.key, "the client's key, without a passphrase", secret=True)
            about = f"the client's certificate{_and_others(presented.chain)}"
            yield from _private(certificate, presented.pem, about, described=_described(presented.chain))
        if trusted:
            about = f"whom the connector trusts{_and_others(trusted.certificates)}"
            yield from _private(ca, trusted.pem, about, described=_described(trusted.certificates))

    def _warnings(
        self, host: Host, mode: Mode, trusted: Trusted | None, presented: Presented | None
    ) -> Iterator[Warning]:
        from wizard.probe import Request

        if mode is Mode.SKIP:
            yield Warning(f"{NOTHING_VERIFIED} {mode.exposed} There is no text to paste.")
        elif mode is Mode.VERIFY_CA:
            yield Warning(mode.exposed)
        for made in (trusted, presented):
            yield from made.warnings if made else ()
        if presented:
            yield Warning(
                "The key lies without a passphrase in the folder, and then in the connector: whoever "
                "copies it can call the API as this client. Remove the file once the connector has it."
            )
        server = self.server(host)
        if server and not isinstance(server.offer.service.request, Request):
            yield Warning(
                "This server speaks gRPC only: a connector for REST cannot call it, one for gRPC can."
            )
        if server and self._endpoint_here(server):
            yield Warning(
                f"The proof calls {server.offer.service.endpoint}, on this host. From where the connector "
                f"runs, {self.url.host} has to lead here, and port {self.url.port} has to be open."
            )

    def _advice(self, mode: Mode, trusted: Trusted | None, presented: Presented | None) -> Iterator[Advice]:
        key = _texts(self.directory)[2]
        yield Advice(
            f'In the connector, switch "self signed certificate" on and choose the mode {mode.label}; '
            f"its address is {self.url}."
        )
        if trusted:
            yield Advice(
                "Paste this into the field CA certificate, with its first and last line:",
                trusted.pem.decode(),
            )
        if presented:
            yield Advice(
                f"The client key is in {key}, and is never shown here. This puts it on the terminal, to be "
                "copied into the field Client key where nobody looks on:",
                f"cat {quote(str(key))}",
            )
            yield Advice(
                "Paste this into the field Client certificate:",
                presented.pem.decode(),
            )

    def _paths(self, mode: Mode) -> tuple[Path, ...]:
        """The files of a mode."""
        ca, certificate, key = _texts(self.directory)
        return (*((key, certificate) if mode.presents else ()), *((ca,) if mode.verifies else ()))

    def _trusted(self, host: Host, given: Delivery) -> Trusted:
        """The authority's text. Raises OSError or MaterialError."""
        from wizard.connecting.bundle import trusted

        return trusted(self._authorities(host, given), datetime.now(UTC))

    def _authorities(self, host: Host, given: Delivery) -> tuple[Certificate, ...]:
        from wizard.connecting.call import named
        from wizard.material.delivery import read_delivery
        from wizard.small_files import read_small

        server = self.server(host)
        if server and given.parts == (server.offer.service.ca,):
            return server.authorities()
        found: dict[Certificate, None] = {}
        for part in given.parts:
            if isinstance(part, Path):
                with named(part):
                    found |= dict.fromkeys(read_delivery([read_small(part)]))
            else:
                found |= dict.fromkeys(read_delivery([part.encode()]))
        return tuple(found)

    def _presented(self, host: Host, key: Path, passphrase: Secret | None) -> Presented:
        """The client's texts. Raises OSError or MaterialError, PassphraseNeeded and WrongPassphrase too."""
        from wizard.connecting.bundle import presented
        from wizard.connecting.call import read_certificates

        given = read_certificates(self.client_certificate)
        private = self._read_key(key, passphrase)
        return presented(given, self._authorities(host, self.ca), private, datetime.now(UTC))

    def _given_trusted(self, host: Host) -> Trusted:
        """The same for the plan: the files may have changed since they were asked for. Raises WrongAnswer."""
        try:
            return self._trusted(host, self.ca)
        except MaterialError as error:
            raise WrongAnswer("ca", str(error)) from None

    def _given_presented(self, host: Host) -> Presented:
        from wizard.material.keys import WrongPassphrase

        written, passphrase = self._written_key(), vars(self).get("client_key_passphrase")
        try:
            return self._presented(host, written or self.client_key, passphrase)
        except WrongPassphrase as error:
            raise WrongAnswer("client_key_passphrase", str(error)) from None
        except MaterialError as error:
            raise WrongAnswer("client_certificate", str(error)) from None

    def _read_key(self, path: Path, passphrase: Secret | None) -> PrivateKey:
        from wizard.material.keys import read_private_key
        from wizard.small_files import read_small

        return read_private_key(read_small(path), passphrase)

    def _written_key(self) -> Path | None:
        """The key in the folder, when it is the certificate's: then the one given need not be opened."""
        from wizard.connecting.bundle import client_leaf
        from wizard.connecting.call import read_certificates
        from wizard.material.certificates import belongs_together

        path = _texts(self.directory)[2]
        try:
            leaf = client_leaf(read_certificates(self.client_certificate))
            return path if belongs_together(leaf, self._read_key(path, None)) else None
        except (OSError, MaterialError):
            return None

    # The proof ----------------------------------------------------------------------------------------

    def proof(self, host: Host) -> tuple[Check, ...]:
        from wizard.connecting import trial

        return trial.checks(self._call(host))

    def _call(self, host: Host) -> Call:
        from wizard.connecting.call import Call, Files
        from wizard.probe import Request

        mode, server = Mode(self.mode), self.server(host)
        ca, certificate, key = _texts(self.directory)
        presents = (certificate, key) if mode.presents else (None, None)
        here = server if server and self._endpoint_here(server) else None
        return Call(
            address=self.url,
            endpoint=here.offer.service.endpoint if here else self.url.endpoint,
            files=Files(ca if mode.verifies else None, *presents),
            mode=mode,
            request=here.offer.service.request if here else Request("GET", self.url.path),
            planned=True,
        )

    def _endpoint_here(self, server: Server) -> bool:
        """Whether the address is that of the server, so that it can be called where it listens."""
        service = server.offer.service
        names = (*service.names, service.name)
        return self.url.host in names and self.url.port == service.endpoint.port


def _texts(directory: Path) -> tuple[Path, Path, Path]:
    """The authority's text, the client's certificate and its key."""
    return directory / "ca.pem", directory / "client.crt", directory / "client.key"


def _private(
    path: Path, wanted: bytes, about: str, *, secret: bool = False, described: tuple[str, ...] = ()
) -> Iterator[File]:
    """The change that brings a file to this content, for its owner alone; none when it is so."""
    from wizard.sources.pair import contents

    before = contents(path)
    if before == wanted and not path.stat().st_mode & 0o077:
        return
    yield File(
        path=path, before=before, after=wanted, mode=0o600, secret=secret, about=about, described=described
    )


def _and_others(certificates: tuple[Certificate, ...]) -> str:
    others = len(certificates) - 1
    return f", and {others} more certificate{'s' if others > 1 else ''}" if others else ""


def _described(certificates: tuple[Certificate, ...]) -> tuple[str, ...]:
    from wizard.material.description import describe

    now = datetime.now(UTC)
    lines = [line for one in certificates for line in ("", *describe(one, now).lines())]
    return tuple(lines[1:])


def _bracketed(name: str) -> str:
    from wizard.probe import bracketed

    return bracketed(name)
