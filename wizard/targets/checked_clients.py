"""Services that let in whoever has a certificate from one authority: their clients, from asking to proof."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from wizard.errors import WrongAnswer
from wizard.host import Host
from wizard.kinds import Choice, FilePath, PerhapsFilePath
from wizard.material import MaterialError
from wizard.plan import Change, Directory, File, Tell, Warning
from wizard.questions import question
from wizard.sheet import Missing
from wizard.sources import client_authority, expired_client, private_ca
from wizard.sources.authority_folder import AuthorityFolder
from wizard.sources.clients import Bundle, Clients, enumerated
from wizard.sources.pair import Issue, write
from wizard.targets.certificate.base import OWN
from wizard.targets.client_questions import PAGE_KEY, ClientQuestions

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from wizard.checks import ClientFiles, TlsService
    from wizard.plan import Owner
    from wizard.proof import Check
    from wizard.sources.desk import Desk

FILES_ONLY, NEW_AUTHORITY = "files", "new-authority"


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class CheckedClients(ClientQuestions):
    """Either an authority of one's own issues to the clients, or a file holds the authority that does."""

    lock_out: str = question(
        "Those taken out",
        Choice(((NEW_AUTHORITY, "new authority"), (FILES_ONLY, "remove files only"))),
        page=PAGE_KEY,
        help="Only a new authority locks them out; all others get new files.",
        more="No list of revoked certificates is kept: whoever has a certificate from the authority gets in "
        "until it ends. A new authority ends that at once, for the others too, until they have their new "
        "files and ca.crt. Removing the files helps only where nobody has a copy.",
    )
    client_authority: Path = question(
        "Clients' authority",
        FilePath(),
        page=PAGE_KEY,
        help="The root certificate (PEM) whose clients are let in.",
        more="Everybody with a certificate from there gets in, so it must be yours alone: never a public "
        "authority, nor the one that issued your web certificate.",
    )
    test_client: Path | None = question(
        "A client to test",
        PerhapsFilePath(),
        page=PAGE_KEY,
        help="PEM with a client's certificate and key; the proof uses it.",
    )

    @property
    @abstractmethod
    def issues_to_clients(self) -> bool:
        """Whether an authority of one's own issues to them."""

    @property
    @abstractmethod
    def takes_authority(self) -> bool:
        """Whether a file is given with the authority that does."""

    @property
    @abstractmethod
    def client_root(self) -> Path:
        """The file that the service checks its clients against."""

    def applies_clients(self, host: Host) -> bool:
        return self.issues_to_clients

    def default_clients(self, host: Host) -> tuple[str, ...]:
        return self.people.there or ("client",)

    def applies_lock_out(self, host: Host) -> bool:
        return self.issues_to_clients and bool(self.people.taken_out)

    def default_lock_out(self, host: Host) -> NoReturn:
        """Whose access ends and how is not for the wizard to decide."""
        out = ", ".join(self.people.taken_out)
        raise Missing(f"No longer among the clients: {out}. Say what becomes of the certificates they have.")

    def check_lock_out(self, host: Host, value: str) -> str | None:
        if value == FILES_ONLY:
            return None
        issued = AuthorityFolder(self.own_authority).issued_to(datetime.now(UTC))
        others = [str(path) for path in issued if not path.is_relative_to(self.directory)]
        if not others:
            return None
        return (
            f"The authority has also issued {others[0]}, which nobody would trust any more. Remove only the "
            "client's files, or give that service another authority first."
        )

    def caution_lock_out(self, host: Host, value: str) -> str | None:
        names = ", ".join(self.people.taken_out)
        if value == FILES_ONLY:
            return f"{names}: a copy of the certificate still gets in, until it ends."
        return (
            f"{names}: locked out once {self.restarted}; the others need their new files and "
            f"{self.authority_folder.certificate.name}."
        )

    def applies_bundle(self, host: Host) -> bool:
        return self.issues_to_clients

    def applies_client_authority(self, host: Host) -> bool:
        return self.takes_authority

    def check_client_authority(self, host: Host, value: Path) -> str | None:
        return client_authority.why_unfit(value)

    def applies_test_client(self, host: Host) -> bool:
        return self.takes_authority

    @property
    def replaces_authority(self) -> bool:
        if super().replaces_authority:
            return True
        return bool(self.people.taken_out) and self.lock_out == NEW_AUTHORITY and self._has_own_authority

    @property
    def _has_own_authority(self) -> bool:
        return AuthorityFolder(self.own_authority).exists

    def check_authority(self, host: Host, value: str) -> str | None:
        if problem := super().check_authority(host, value):
            return problem
        if value != OWN and self.people.taken_out and self.lock_out == NEW_AUTHORITY:
            return "Other services use it too, so it is not replaced here: remove only the client's files."
        return None

    @property
    def people(self) -> Clients:
        """The clients, those there and those wanted."""
        folder = self.directory / "clients"
        issued = AuthorityFolder(self.own_authority).issued_to(datetime.now(UTC))
        registered = tuple(path.stem for path in issued if path.parent == folder)
        return Clients(folder, vars(self).get("clients", ()), registered=registered)

    def needs_issuing(self, host: Host) -> bool:
        if not self.issues_to_clients:
            return super().needs_issuing(host)
        desk, recipe = self._old_desk(host), self.client_recipe(host)
        return (
            super().needs_issuing(host)
            or any(private_ca.is_due(desk, wanted, pair) for wanted, pair in self.people.wanted(recipe))
            or expired_client.is_due(desk, self.expired_client)
        )

    @property
    def expired_client(self) -> Path:
        """A client's certificate that has ended, with its key: the proof shows that it is refused."""
        return self.directory / "expired-client.pem"

    def what_for(self, changes: tuple[Change, ...]) -> str:
        """What a run does to the clients of a service that is secured already, in a few words."""
        if not self.issues_to_clients or not self.people.there:
            return ""
        folder = self.people.folder
        files = [
            c for c in changes if isinstance(c, File) and c.path.parent == folder and c.path.suffix == ".crt"
        ]
        words = {
            "adds": [c.path.stem for c in files if c.before is None],
            "renews": [c.path.stem for c in files if c.before is not None and c.after is not None],
            "takes out": [c.path.stem for c in files if c.after is None],
        }
        said = [f"{what} {enumerated(names, 3)}" for what, names in words.items() if names]
        return f": {'; '.join(said)}" if said else ""

    def issue_to_clients(self, host: Host, desk: Desk, owner: Owner | None, tell: Tell) -> Issue:
        """What becomes of the clients' files, by the `desk` of the authority."""
        bundle = Bundle(self.bundle)
        make = partial(private_ca.client, desk)
        if not self.makes_authority:
            desk.take_back(map(self.people.certificate, self.people.taken_out))
        issue = self.people.issue(make, self.client_recipe(host), bundle, owner, tell)
        changes: list[Change] = []
        if not self.people.folder.exists():
            about = "folder of the clients' files"
            changes.append(Directory(path=self.people.folder, mode=0o700, owner=owner, about=about))
        changes += issue.changes
        changes += expired_client.issue(desk, self.expired_client, owner)
        return replace(issue, changes=tuple(changes))

    def root_changes(self, desk: Desk | None, owner: Owner | None) -> Iterator[Change]:
        """The authority's root where the service reads it, unless its own folder is that place.

        Raises WrongAnswer when the file given cannot be read.
        """
        from wizard.material.bundles import chain_pem
        from wizard.material.certificates import certificate_pem

        about = "the authority that clients are checked against"
        if self.issues_to_clients and desk is not None:
            if desk.folder.certificate != self.client_root:
                yield from write(self.client_root, certificate_pem(desk.root), owner, about)
            return
        try:
            roots = client_authority.read(self.client_authority)
        except (OSError, MaterialError) as error:
            raise WrongAnswer("client_authority", f"{self.client_authority}: {error}") from None
        yield from write(self.client_root, chain_pem(roots), owner, about)

    @property
    def authority_folder_files(self) -> tuple[Path, ...]:
        """The files of the authority that are there, and the copy of its root that the service reads."""
        files = self.authority_folder.files if self.issues_to_clients else ()
        return tuple(dict.fromkeys((*files, self.client_root)))

    def authority_warnings(self) -> Iterator[Warning]:
        """What to know about who gets in by the authority."""
        if not self.issues_to_clients:
            return
        if self.new_keys and not self.makes_authority:
            for name in (Path(path).stem for path in self.reissue if Path(path).parent == self.people.folder):
                yield Warning(
                    f"{name}: whoever has a copy of the certificate before and of its key still gets in, "
                    "until that ends. Only a new authority ends it at once: take the client out and give it "
                    "another name."
                )
        if self.authority != OWN:
            yield Warning(
                "The authority serves other services too: whoever has a client certificate for one of them "
                "gets in here as well."
            )
        if self.makes_authority and self.two_tiers:
            yield Warning(
                f"Take {self.authority_folder.key} off this host when all is proven, to a place that is "
                "safe: nothing here needs the root's key."
            )

    def expected_roots(self) -> tuple[Certificate, ...]:
        """The authorities whose clients are to be let in. Raises OSError or MaterialError."""
        if self.issues_to_clients:
            return (self.authority_folder.read_certificate(),)
        return client_authority.read(self.client_authority)

    def served(self, service: TlsService) -> tuple[Check, ...]:
        """What only a client that is let in can find out."""
        from wizard import checks
        from wizard.proof import Check, Expect, Outcome, Verdict

        if service.client is not None:
            return (checks.reach(service), checks.our_certificate(service), *checks.names_accepted(service))

        def untried() -> Outcome:
            asked = next(one for one in self.questions() if one.name == "test_client")
            got = (
                "No client's certificate was given to test with, so it is not known whether one gets in. "
                f'Name one at "{asked.label}" ({asked.key}, or {asked.flag}).'
            )
            return Outcome(verdict=Verdict.SKIPPED, got=got)

        return (Check("A client with a certificate is accepted", Expect.ACCEPT, untried, ""),)

    def who_gets_in(self, service: TlsService, own: ClientFiles | None) -> Iterator[Check]:
        """By real connections: those who should, and everybody else who might.

        `own` is the server's pair, where its key can be used.
        """
        from wizard import client_checks
        from wizard.checks import ClientFiles

        clients = self.clients_with_files()
        if clients:
            yield client_checks.clients_accepted(service, clients)
        yield client_checks.no_certificate_refused(service)
        root = self.client_root
        yield client_checks.client_refused(
            service,
            "A stranger's certificate is refused",
            lambda: client_checks.stranger(root.read_bytes(), next(iter(clients), "client")),
            "Whoever makes a certificate with these names gets in: the service does not check who issued it.",
        )
        if own is not None:
            yield client_checks.client_refused(
                service,
                "The server's own certificate is refused",
                own.read,
                "Whoever gets hold of the server's key can also use the API as a client.",
                files=own,
            )
        if self.issues_to_clients:
            expired = ClientFiles(self.expired_client, self.expired_client)
            yield client_checks.client_refused(
                service,
                "An expired certificate is refused",
                lambda: expired_client.identity(expired, self.authority_folder),
                "A client keeps its access for ever: the service does not look at the dates.",
                files=expired,
            )

    def clients_with_files(self) -> dict[str, ClientFiles]:
        """With what each client connects, by name."""
        from wizard.checks import ClientFiles

        if self.issues_to_clients:
            return self.files_of(self.clients)
        return {"to test": ClientFiles(self.test_client, self.test_client)} if self.test_client else {}
