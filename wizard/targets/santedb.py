"""SanteDB's REST services over TLS: by Mono's own listener on Linux, or by http.sys on Windows.

What SanteDB does with its configuration is read from santedb-restsvc and RestSrvr; what Mono does with
certificates and keys was found with Mono 6.8.0.105.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, ClassVar

from wizard.errors import Refusal, WrongAnswer
from wizard.host import Host
from wizard.kinds import Choice
from wizard.material import MaterialError
from wizard.material.key_types import KeyType
from wizard.material.names import read_name
from wizard.plan import Advice, Change, Command, File, Plan, Tell, Warning, silent
from wizard.questions import question
from wizard.sources.pair import Issue, Pair, Wanted, remove, write
from wizard.targets import Found, Offer
from wizard.targets.catalogue import SANTEDB
from wizard.targets.certificate.base import (
    ANSWER_PAGE,
    AUTHORITY_PAGE,
    EXISTING,
    PAGE,
    PRIVATE_CA,
    REQUEST,
    SELF_SIGNED,
    SUBJECT_PAGE,
)
from wizard.targets.santedb_server import found, mono_files, processes, warnings
from wizard.targets.santedb_server.endpoints import ENDPOINTS_PAGE, EndpointQuestions
from wizard.targets.santedb_server.installation import MONO, SERVICE_PAGE, WINDOWS
from wizard.targets.santedb_server.presented import Presented, after, presented
from wizard.targets.santedb_server.products import Product
from wizard.targets.santedb_server.secrets import secrets_in
from wizard.targets.santedb_server.switch import Switch
from wizard.targets.santedb_server.windows import Parcel
from wizard.targets.service_files import folders, unchanged

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.checks import TlsService
    from wizard.material.keys import PrivateKey
    from wizard.plan import Owner
    from wizard.proof import Check
    from wizard.sources.desk import Desk


@dataclass(frozen=True, kw_only=True)
class SanteDb(EndpointQuestions):
    """The answers for SanteDB's REST services."""

    service_name: ClassVar = "SanteDB"
    key: ClassVar = SANTEDB.key
    title: ClassVar = SANTEDB.title
    summary: ClassVar = SANTEDB.summary
    sources: ClassVar = (SELF_SIGNED, PRIVATE_CA, REQUEST, EXISTING)
    key_types: ClassVar = (KeyType.RSA_2048, KeyType.RSA_3072, KeyType.RSA_4096)
    pages: ClassVar = (SERVICE_PAGE, ENDPOINTS_PAGE, PAGE, SUBJECT_PAGE, AUTHORITY_PAGE, ANSWER_PAGE)

    key_type: str = question(
        "Key",
        Choice(tuple((key_type.value, key_type.label) for key_type in key_types)),
        page=PAGE.key,
        help="RSA, since Mono takes no other; 2048 bits will do.",
        more="One valid RSA key in twenty-five cannot be loaded by Mono, which says nothing of it. So keys "
        "are made until one fits.",
    )

    @classmethod
    def find(cls, host: Host) -> Found:
        return found.found(host)

    # Rules: the certificate ---------------------------------------------------------------------------

    def default_common_name(self, host: Host) -> str:
        return self.public_name or host.name

    def default_alt_names(self, host: Host) -> tuple[str, ...]:
        names = super().default_alt_names(host)
        if self.source == EXISTING:
            return names
        hosts = {address.host.strip("[]") for _, address in self.switch().endpoints}
        known = tuple(str(read_name(name)) for name in sorted(hosts) if _is_name(name))
        open_to_all = any(address.answers_every_name for _, address in self.switch().endpoints)
        public = (self.public_name,) if _is_name(self.public_name) else ()
        return tuple(dict.fromkeys((*public, *known, *(names if open_to_all else ()))))

    def caution_alt_names(self, host: Host, value: tuple[str, ...]) -> str | None:
        public = self.public_name
        if _is_name(public) and str(read_name(public)) not in value:
            return f"{public}, the public URL's name, is not in the list: clients will not accept it."
        addresses = [address for _, address in self.switch().endpoints]
        hosts = {address.host.strip("[]") for address in addresses}
        if not any(address.answers_every_name for address in addresses) and (other := set(value) - hosts):
            return (
                f"{sorted(other)[0]} gets 400 Invalid host: the endpoints answer to {sorted(hosts)[0]} only."
            )
        return super().caution_alt_names(host, value)

    def check_certificate_file(self, host: Host, value: Path) -> str | None:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

        if problem := super().check_certificate_file(host, value):
            return problem
        from wizard.material.keys import key_words
        from wizard.sources.existing import Given

        key = Given(value, value).leaf.public_key()
        if self.way == MONO and not isinstance(key, RSAPublicKey):
            return f"Mono takes RSA keys only, and this is {key_words(key)}. Have one made for an RSA key."
        return None

    def check_key_file(self, host: Host, value: Path) -> str | None:
        from wizard.material.keys import PassphraseNeeded
        from wizard.material.mono_keys import pvk
        from wizard.sources.existing import Given

        if problem := super().check_key_file(host, value):
            return problem
        if self.way == MONO:
            with suppress(PassphraseNeeded):
                pvk(Given(self.certificate_file, value).read_key())
        return None

    def caution_two_tiers(self, host: Host, value: bool) -> str | None:
        if value and self.way == MONO:
            return "Mono does not send the authority below the root: clients need both, in clients.pem."
        return None

    # What is there, and what is written ---------------------------------------------------------------

    def files(self, directory: Path) -> tuple[Path, Path, Path]:
        """What is written whoever ends TLS: certificate, key, and what clients are given."""
        return directory / "server.crt", directory / "server.key", directory / "clients.pem"

    def pair(self, host: Host) -> Pair:
        certificate, key, _ = self.files(self.directory)
        return Pair(certificate, key, self.owner(host))

    @property
    def own_authority(self) -> Path:
        return self.directory / "authority"

    def wanted(self, host: Host) -> Wanted:
        return replace(super().wanted(host), unfit=_why_unfit) if self.way == MONO else super().wanted(host)

    def parcel(self) -> Parcel:
        """What is carried over to Windows."""
        return Parcel(self.directory, Product(self.product), self.switch(), self.service_user)

    # The plan -----------------------------------------------------------------------------------------

    def restart(self, host: Host) -> Command | None:
        return processes.restart(host, self.config) if self.way == MONO else None

    def plan(self, host: Host, tell: Tell = silent) -> Plan:
        owner, now = self.owner(host), datetime.now(UTC)
        self._check_files()
        desk = self.desk(host, owner, now) if self.source == PRIVATE_CA else None
        issue = self.issue(host, now, desk)
        if issue.awaits:
            return self.request(issue, owner, "SanteDB and its configuration")
        what = presented(self.pair(host), issue.changes)
        changes = (
            *folders(self.directory, owner),
            *self.authority_folders(owner),
            *(desk.changes() if desk else ()),
            *issue.changes,
            *self._for_clients(what, owner, desk, issue.changes),
        )
        secured = {MONO: self._by_mono, WINDOWS: self._on_windows}[self.way]
        return secured(host, issue, what, changes)

    def _check_files(self) -> None:
        """Raise Refusal when the configuration has changed since it was asked for."""
        try:
            self.switch()
        except OSError as error:
            raise Refusal(
                self.config, f"It cannot be read: {error.strerror}.", "Look what is there."
            ) from None
        except ValueError as error:
            raise WrongAnswer("endpoints", str(error)) from None

    def _by_mono(self, host: Host, issue: Issue, what: Presented, changes: tuple[Change, ...]) -> Plan:
        owner, switch, folder = self.owner(host), self.switch(), self.listener_folder(host)
        ports = switch.ports_afterwards
        try:
            listener = tuple(mono_files.changes(folder, ports, what, owner))
        except MaterialError as error:
            raise WrongAnswer("key_file" if self.source == EXISTING else "key_type", str(error)) from None
        changes = (*changes, *listener, *self._edit(switch))
        there = (*self._read_at_start(host), switch.found.file.path)
        stale = processes.stale(host, self.config, self._read_at_start(host))
        return Plan(
            target=self.key,
            title=f"Secure {self.what}",
            changes=changes,
            kept=(*issue.kept, *unchanged(dict.fromkeys(there), changes)),
            warnings=(
                *issue.warnings,
                *mono_files.replaced(folder, ports, what),
                *warnings.of_mono(what, folder, switch),
                *warnings.of_switch(switch),
                *map(Warning, self.cautions(host)),
            ),
            advice=tuple(
                self._advice(
                    host, bool(changes or stale), self._trusted_file(host, bundled=bool(what.between))
                )
            ),
            restart=self.restart(host),
        )

    def _edit(self, switch: Switch) -> Iterator[File]:
        for file, edited in switch.edited_files():
            before = file.document.data
            if before != edited:
                about = "the endpoints on https" if file is switch.found.file else "the public URL"
                hidden = secrets_in(file.document)
                yield File(path=file.path, before=before, after=edited, hidden=hidden, about=about)

    def _on_windows(self, host: Host, issue: Issue, what: Presented, changes: tuple[Change, ...]) -> Plan:
        parcel = self.parcel()
        changes = (*changes, *parcel.changes(what, self.owner(host)))
        return Plan(
            target=self.key,
            title=f"Make the files that secure {self.title} on Windows",
            changes=changes,
            kept=(*issue.kept, *unchanged(parcel.files, changes)),
            warnings=(
                *issue.warnings,
                *warnings.of_switch(parcel.switch),
                *map(Warning, self.cautions(host)),
            ),
            advice=tuple(self._advice_for_windows(parcel, self.trusted(host, changes), host)),
        )

    def _for_clients(
        self, what: Presented, owner: Owner | None, desk: Desk | None, changes: tuple[Change, ...]
    ) -> Iterator[Change]:
        """Root and intermediates in one file, since Mono sends none of them."""
        bundle = self.files(self.directory)[2]
        if self.way != MONO or not what.between:
            yield from remove(bundle, "there are no intermediates any more")
            return
        from wizard.material.certificates import read_certificates_pem
        from wizard.sources.trust import NAME
        from wizard.targets.santedb_server.trusted import for_clients

        roots: tuple[Certificate, ...] = (desk.root,) if desk else ()
        with suppress(MaterialError):  # there is none, or something else
            roots = (*roots, *read_certificates_pem(after(self.directory / NAME, changes)))
        about = "the root with the intermediates, which Mono does not send: for clients to trust"
        yield from write(bundle, for_clients(what, roots), owner, about)

    # What to do ---------------------------------------------------------------------------------------

    def _advice(self, host: Host, stale: bool, ca: Path) -> Iterator[Advice]:
        from wizard.by_hand import curl

        if stale:
            yield processes.restart_advice(host, self.config)
        service = self._service(host, self._endpoint_port(), ca)
        told = "This is how a client connects:"
        if self.source in (SELF_SIGNED, PRIVATE_CA) or ca != self.trusted(host):
            told = f"Give clients {service.ca} to trust. {told}"
        yield Advice(told, curl(service, None))
        yield Advice(
            "A dCDR that has joined over http keeps that address, and stops synchronising when this port "
            "turns https: join it again, or keep the port for it and put nginx before another one."
        )

    def _advice_for_windows(self, parcel: Parcel, ca: Path, host: Host) -> Iterator[Advice]:
        from wizard.by_hand import prove_address

        yield Advice(
            f"Carry {parcel.bundle.name}, {parcel.config.name} and {parcel.script.name} over, into one "
            f"folder, and the password in {parcel.password.name} on another way. There, as administrator:",
            f"powershell -ExecutionPolicy Bypass -File .\\{parcel.script.name}",
        )
        service = self._service(host, self._endpoint_port(), ca)
        private = self.source in (SELF_SIGNED, PRIVATE_CA)
        yield Advice(
            f"Then prove from here what it serves, if {self.address} can be reached. With the answers of "
            "this run, in a file or as flags, prove also tries every endpoint.",
            prove_address(service, with_ca=private or ca.is_relative_to(self.directory)),
        )
        if private:
            yield Advice(f"Give clients {ca} to trust.")

    # The proof ----------------------------------------------------------------------------------------

    def _endpoint_port(self) -> int:
        return self.switch().ports_afterwards[0]

    def _trusted_file(self, host: Host, *, bundled: bool) -> Path:
        """What clients are given: with intermediates the bundle, where the server does not send them."""
        return self.files(self.directory)[2] if bundled and self.way == MONO else self.trusted(host)

    def _service(self, host: Host, port: int, ca: Path) -> TlsService:
        from wizard.checks import TlsService
        from wizard.probe import Endpoint, Request

        at = Endpoint.parse(self.address)
        return TlsService(
            endpoint=at if port == self._endpoint_port() else Endpoint(at.host, port),
            names=self.alt_names,
            certificate=self.pair(host).certificate,
            ca=ca,
            request=Request("GET", self.switch().on(port)[0].request_path),
        )

    def offer(self, host: Host) -> Offer:
        return Offer(self._service(host, self._endpoint_port(), self._given(host)), None)

    def _given(self, host: Host) -> Path:
        """What clients have been given, by what stands there."""
        return self._trusted_file(host, bundled=self.files(self.directory)[2].is_file())

    def proof(self, host: Host) -> tuple[Check, ...]:
        from wizard.probe import Endpoint
        from wizard.targets.santedb_server import checks as santedb_checks

        pair, configured = self.pair(host), santedb_checks.configured(self.switch)
        if santedb_checks.switch_or_none(self.switch) is None:  # it was changed since it was asked for
            return (*self.answered(host), configured)
        if self.way == WINDOWS:
            ready = santedb_checks.parcel_is_ready(self.parcel, pair)
            return (*self.answered(host), ready, *self._connections(host))
        return (
            *self.answered(host),
            configured,
            santedb_checks.in_mono_folder(self.listener_folder(host), self._ports_proven(), pair),
            santedb_checks.runs(host, self.config, self._read_at_start(host), Endpoint.parse(self.address)),
            *self._connections(host),
        )

    def _ports_proven(self) -> tuple[int, ...]:
        return self.switch().ports_afterwards

    def _connections(self, host: Host) -> Iterator[Check]:
        from wizard import checks
        from wizard.targets.santedb_server import checks as santedb_checks

        ca = self._given(host)
        limit = santedb_checks.OLD_TLS if self.way == MONO else ""
        for port in self._ports_proven():
            service = self._service(host, port, ca)
            yield checks.reach(service)
            yield checks.our_certificate(service)
            yield from checks.names_accepted(service)
            if self.way == MONO:
                yield santedb_checks.root_is_enough(service, self.trusted(host), self._intermediates())
            for address in self.switch().on(port):
                yield santedb_checks.endpoint_answers(service, address.request_path)
            yield santedb_checks.every_name_answers(service)
            yield checks.plain_http_refused(service)
            yield checks.old_versions_refused(service, known_limit=limit)

    def _intermediates(self) -> Advice | None:
        """What helps clients where the server does not send what stands between it and the root."""
        bundle = self.files(self.directory)[2]
        if not bundle.is_file():
            return None
        return Advice(
            f"Give clients {bundle}, the root with the intermediates; or put nginx before SanteDB, which "
            "sends them.",
            join(("openssl", "storeutl", "-noout", "-text", "-certs", str(bundle))),
        )

    def _read_at_start(self, host: Host) -> tuple[Path, ...]:
        """What is read when it starts."""
        folder = self.listener_folder(host)
        pairs = [mono_files.of_port(folder, port) for port in self._ports_proven()]
        files = [path for pair in pairs for path in (pair.certificate, pair.key)]
        return (*files, self.configuration().file.path)


def _why_unfit(key: PrivateKey) -> str:
    from wizard.material.mono_keys import why_unfit

    return why_unfit(key)


def _is_name(text: str) -> bool:
    try:
        read_name(text)
    except MaterialError:
        return False
    return True
