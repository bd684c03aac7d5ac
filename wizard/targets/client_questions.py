"""The questions about the clients of a service, each of which has a certificate of its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.host import Host
from wizard.kinds import Choice, Several
from wizard.questions import question
from wizard.sources.clients import Bundle, Clients, read_client_name
from wizard.targets.service_files import ServiceFiles

if TYPE_CHECKING:
    from wizard.checks import ClientFiles

PAGE_KEY = "clients"
"""Of the page that each target has for them."""


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class ClientQuestions(ServiceFiles):
    """Who they are, and how each gets its files."""

    clients: tuple[str, ...] = question(
        "Clients",
        Several(read_client_name),
        page=PAGE_KEY,
        help="A name for each program or person, with commas.",
        more="Each gets a certificate and a key of its own, in the folder clients. Add names later to let "
        "more in; take one out to end its access.",
    )
    bundle: str = question(
        "Bundles",
        Choice(tuple((bundle.value, bundle.label) for bundle in Bundle)),
        page=PAGE_KEY,
        help="Certificate and key of each client in one file as well.",
        more="PEM: NAME.pem, as curl and many libraries take it. PKCS#12: NAME.p12, for Java and Windows, "
        "under a password that is made and written to NAME.p12.password.",
    )

    @property
    @abstractmethod
    def people(self) -> Clients:
        """The clients, those there and those wanted."""

    def default_bundle(self, host: Host) -> str:
        return Bundle.NONE.value

    def reissuable(self, host: Host) -> tuple[Path, ...]:
        return (*super().reissuable(host), *self.people.certificates)

    def files_of(self, names: Iterable[str]) -> dict[str, ClientFiles]:
        """With what each of these clients connects, by name."""
        from wizard.checks import ClientFiles

        pairs = {name: self.people.pair(name) for name in names}
        return {name: ClientFiles(pair.certificate, pair.key) for name, pair in pairs.items()}
