"""What is asked about a Nano node, and what is there of its files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.errors import Refusal
from wizard.host import Host
from wizard.kinds import Account, FilePath, HostAndPort, Passphrase, Raw, Several, Text
from wizard.questions import Page, question
from wizard.rights import cannot_write
from wizard.secret import Secret
from wizard.sheet import Elsewhere, Missing
from wizard.sources import private_ca, self_signed
from wizard.sources.clients import Clients, read_client_name
from wizard.sources.pair import Pair
from wizard.targets.certificate.base import CARRIED, EXISTING, OWN, PRIVATE_CA, REQUEST, SELF_SIGNED
from wizard.targets.client_questions import PAGE_KEY, ClientQuestions
from wizard.targets.nano_node import config
from wizard.targets.nano_node import service as node_service

if TYPE_CHECKING:
    from wizard.host import Service

LOOPBACK = ("::1", "127.0.0.1")
SERVICE_PAGE = Page(
    "service",
    "the service",
    "Official builds and images of the node have no TLS; it takes one that was built with "
    "-DNANO_SECURE_RPC=ON. Another one does not start with these settings, and says so.",
)
CLIENTS_PAGE = Page(
    PAGE_KEY,
    "who may use the RPC",
    "The node lets in whoever has one of the certificates in its folder. This can be got round by a crafted "
    "chain of certificates, so keep the RPC off public addresses all the same.",
)
KEY_PAGE = Page(
    "key",
    "the server's key",
    "The passphrase also stands in the node's configuration, in clear, where only its account reads it.",
)
FIRST_CLIENT = "rpc.user.1"
LONGEST_PASSPHRASE = 1023
"""Octets that OpenSSL takes (PEM_BUFSIZE, less one)."""


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class NanoQuestions(ClientQuestions):
    """All questions about a node, beside those about certificates."""

    data_directory: Path = question(
        "Data directory",
        FilePath(),
        page=SERVICE_PAGE.key,
        help="Where the node has its config files and its ledger.",
        more="What the node is started with as --data_path; else Nano in the home of its account.",
    )
    node_version: str = question(
        "Version",
        Text(),
        page=SERVICE_PAGE.key,
        help="As `nano_node --version` prints it, such as V25.1.",
        more="V21 and V22 have their settings in config-rpc.toml, V23 to V26 in config-tls.toml; each stops, "
        "or stays without TLS, when they are in the other file. From V27 on there is no TLS.",
    )
    directory: Path = question(
        "Folder for files", FilePath(), page=SERVICE_PAGE.key, help="Certificates and keys are written here."
    )
    account: str = question(
        "The node runs as",
        Account(),
        page=SERVICE_PAGE.key,
        help="The account that owns the files and so can read the key.",
    )
    address: str = question(
        "Address to test",
        HostAndPort(),
        page=SERVICE_PAGE.key,
        help="Where the RPC answers; the proof connects to it.",
        more="Taken from config-rpc.toml. The node's ::ffff:127.0.0.1 is 127.0.0.1 for clients.",
    )
    clients: tuple[str, ...] = question(
        "Clients",
        Several(read_client_name, optional=True),
        page=CLIENTS_PAGE.key,
        help="A name for each program or person, with commas.",
        more="Each gets a certificate of its own, signed by itself, and a key. Add names later to let more "
        "in; take one out to end its access. With no name at all nobody is asked for a certificate.",
    )
    server_passphrase: Secret = question(
        "Key's passphrase",
        Passphrase(),
        page=KEY_PAGE.key,
        help="The server's key is written under it.",
        more="The node needs it at each start, so it is written into its configuration too. It protects "
        "copies of the key alone, such as in a backup.",
    )

    # Rules --------------------------------------------------------------------------------------------

    def default_data_directory(self, host: Host) -> Path | None:
        return node_service.data_directory(host, self.key)

    def check_data_directory(self, host: Host, value: Path) -> str | None:
        if not value.is_dir():
            return "There is no such folder. Give the node's data directory, usually Nano in a home folder."
        for name in (config.RPC, config.TLS):
            if problem := cannot_write(value / name, host, self.key):
                return problem
        config.read_all(value)
        return None

    def caution_data_directory(self, host: Host, value: Path) -> str | None:
        from wizard.targets.nano_node.edits import troubles

        for said in (one for file in config.read_all(value) for one in troubles(file)):
            return f"{said.path.name if said.path else ''}, line {said.line}: {said.text}"
        names = (config.NODE, config.RPC, "data.ldb")
        return None if any((value / name).exists() for name in names) else "No node has run with it yet."

    def default_node_version(self, host: Host) -> str:
        try:
            return node_service.version_of(host, self.data_directory)
        except ValueError as error:  # nothing has been done wrong yet
            raise Missing(str(error)) from None

    def check_node_version(self, host: Host, value: str) -> str | None:
        try:
            config.era_of(value)
        except config.WithoutTls as error:
            raise Elsewhere(
                str(error), "nginx", self._behind_nginx(host), (*CARRIED, "clients", "bundle")
            ) from None
        return None

    def _behind_nginx(self, host: Host) -> dict[str, Raw]:
        """What nginx is asked, where it speaks TLS for the RPC and lets in only known clients."""
        clients = self.people_in(self.data_directory / "tls").there
        return {
            "site": "new",
            "upstream": self.default_address(host),
            "client_ca": OWN,
            "clients": list(clients or (FIRST_CLIENT,)),
        }

    def caution_node_version(self, host: Host, value: str) -> str | None:
        try:
            runs = node_service.version_of(host, self.data_directory)
        except ValueError:
            return None
        return None if runs == config.read_version(value) else f"The node that runs here says V{runs}."

    def default_directory(self, host: Host) -> Path:
        return self.data_directory / "tls"

    def default_address(self, host: Host) -> str:
        from wizard.probe import bracketed

        address, port = config.listening_by(self.data_directory)
        return f"{bracketed(config.for_clients(address))}:{port}"

    def caution_address(self, host: Host, value: str) -> str | None:
        expected = self.default_address(host)
        return None if value == expected else f"By {config.RPC} the RPC listens on {expected}."

    def default_alt_names(self, host: Host) -> tuple[str, ...]:
        names = super().default_alt_names(host)
        return names if self.source == EXISTING else tuple(dict.fromkeys((*names, *LOOPBACK)))

    def check_alt_names(self, host: Host, value: tuple[str, ...]) -> str | None:
        missing = [name for name in LOOPBACK if name not in value]
        if missing and self.source in (SELF_SIGNED, PRIVATE_CA):
            return f"Add {' and '.join(missing)}: programs on this host, and the proof, connect by them."
        return super().check_alt_names(host, value)

    def applies_reissue(self, host: Host) -> bool:
        return bool(self.reissuable(host))

    def applies_new_keys(self, host: Host) -> bool:
        return bool(self.reissue)

    def default_clients(self, host: Host) -> tuple[str, ...]:
        return self.people.there or (FIRST_CLIENT,)

    def check_clients(self, host: Host, value: tuple[str, ...]) -> str | None:
        seen: dict[str, str] = {}
        for name in value:
            other = seen.setdefault(name.lower(), name)
            if other != name:
                return f"{other} and {name} differ in capitals only, which the node does not tell apart."
        return None

    def caution_clients(self, host: Host, value: tuple[str, ...]) -> str | None:
        if value:
            return None
        return "DANGER: nobody is asked for a certificate; whoever reaches the port can use the RPC."

    def applies_bundle(self, host: Host) -> bool:
        return bool(self.clients)

    def applies_server_passphrase(self, host: Host) -> bool:
        return self._configured_passphrase() is None and self._key_is_due(host)

    def chosen_server_passphrase(self, host: Host) -> bool:
        return True

    def check_server_passphrase(self, host: Host, value: Secret) -> str | None:
        text = value.reveal()
        if len(text.encode("utf-8", "replace")) > LONGEST_PASSPHRASE:
            return f"OpenSSL takes a passphrase of at most {LONGEST_PASSPHRASE} bytes; give a shorter one."
        return None if text.isprintable() else "There is a control character in it; type it anew."

    # What is there, and what is written ---------------------------------------------------------------

    def era(self) -> config.Era:
        """Where the node looks for its settings."""
        return config.era_of(self.node_version)

    def running(self, host: Host) -> Service | None:
        return node_service.running(host, self.data_directory)

    @property
    def belongings(self) -> Path:
        return self.data_directory

    def files(self, directory: Path) -> tuple[Path, Path, Path]:
        """What is written for the node itself: certificate, key, Diffie-Hellman parameters."""
        return directory / "server.cert.pem", directory / "server.key.pem", directory / "dh2048.pem"

    def _configured_passphrase(self) -> Secret | None:
        try:
            found = config.text_in(self.data_directory, self.era(), "server_key_passphrase")
        except (OSError, Refusal):  # the question about the data directory says why
            return None
        return Secret(found) if found else None

    def pair(self, host: Host) -> Pair:
        certificate, key, _ = self.files(self.directory)
        passphrase = self._configured_passphrase() or vars(self).get("server_passphrase")
        return Pair(certificate, key, self.owner(host), passphrase)

    def _key_is_due(self, host: Host) -> bool:
        """Whether the server's key has to be written."""
        now, pair = datetime.now(UTC), self.pair(host)
        if self.source == EXISTING:
            return not self.given.is_in_place(self.names, pair, now)
        if self.source == REQUEST:
            return bool(vars(self).get("delivered"))
        if self.source == PRIVATE_CA:
            return private_ca.is_due(self._old_desk(host), self.wanted(host), pair)
        return self_signed.is_due(self.wanted(host), pair, now)

    @property
    def own_authority(self) -> Path:
        return self.directory / "authority"

    @property
    def people(self) -> Clients:
        return self.people_in(self.directory)

    def people_in(self, directory: Path) -> Clients:
        """The clients with files in this folder, those there and those wanted."""
        return Clients(directory / "clients", vars(self).get("clients", ()), directory / "client-keys")

    def reissuable(self, host: Host) -> tuple[Path, ...]:
        return self.people.certificates if self.source == EXISTING else super().reissuable(host)
