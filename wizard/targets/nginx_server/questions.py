"""What is asked about a server's certificate, its clients and its key, beside what every service asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wizard.host import Host
from wizard.kinds import Choice, Passphrase, YesNo
from wizard.questions import Page, question
from wizard.secret import Secret
from wizard.sources.pair import contents
from wizard.targets.certificate.base import EXISTING, OWN, PRIVATE_CA
from wizard.targets.client_questions import PAGE_KEY
from wizard.targets.nginx_server.port_questions import PORTS_PAGE, PortQuestions
from wizard.targets.nginx_server.server_questions import names_for_certificates
from wizard.targets.nginx_server.servers import Server

NONE, FILE = "none", "file"

CLIENTS_PAGE = Page(
    PAGE_KEY,
    "who may use it",
    "nginx can ask each client for a certificate. It takes the handshake of everybody, and refuses those "
    "without one by an error page (400).",
)
KEY_PAGE = Page("key", "the server's key")


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class NginxQuestions(PortQuestions):
    """All questions about a server, beside those about certificates."""

    client_ca: str = question(
        "Ask clients",
        Choice(((NONE, "no"), (OWN, "own CA"), (FILE, "CA in a file"))),
        page=PORTS_PAGE.key,
        help="For a certificate (mutual TLS), issued by whom.",
        more="own CA: an authority made on this host issues one to each client. CA in a file: yours, from "
        "elsewhere. Public authorities issue no certificates for clients any more.",
    )
    protect_key: bool = question(
        "Protect the key",
        YesNo(),
        page=KEY_PAGE.key,
        help="With a passphrase, which nginx reads from a file beside it.",
        more="The file (ssl_password_file) is readable for root alone, as the key is. It protects copies of "
        "the key alone, such as in a backup.",
    )
    server_passphrase: Secret = question(
        "Key's passphrase", Passphrase(), page=KEY_PAGE.key, help="The server's key is written under it."
    )

    def default_common_name(self, host: Host) -> str:
        return next((name for name in self.server_names() if not name.startswith("*")), host.name)

    def default_alt_names(self, host: Host) -> tuple[str, ...]:
        if self.source == EXISTING:
            return super().default_alt_names(host)
        shared = (name for one in self._answering_with_it() for name in names_for_certificates(one.names))
        found = tuple(dict.fromkeys((*self.server_names(), *shared)))
        return found or super().default_alt_names(host)

    def _answering_with_it(self) -> tuple[Server, ...]:
        """The others that have its certificate too: by a file that they share, or for want of their own."""
        ours, there, server = str(self.files(self.directory)[0]), self.servers, self.server
        lines = server.all("ssl_certificate") if server else ()
        sharing = (one for line in lines for one in there.sharing(line))
        beside = (one for socket in self.sockets() for one in there.on(socket))
        wanting = (one for one in beside if there.certificates(one) <= {ours})
        return tuple(one for one in dict.fromkeys((*sharing, *wanting)) if one is not server)

    @property
    def verifies_now(self) -> tuple[str, str]:
        """How the server checks its clients now, and by which file; empty where it does not."""
        server = self.server
        if server is None:
            return "", ""
        how = next(
            (w for one in self.servers.effective(server, "ssl_verify_client") for w in one.arguments), ""
        )
        by = self.servers.effective(server, "ssl_client_certificate")
        return ("" if how == "off" else how), next((word for one in by for word in one.arguments), "")

    def default_client_ca(self, host: Host) -> str:
        how, by = self.verifies_now
        if not how:
            return NONE
        return OWN if Path(by) == self.client_root and self.people.there else FILE

    def check_client_ca(self, host: Host, value: str) -> str | None:
        how, by = self.verifies_now
        if value != NONE or not how:
            return None
        return (
            f"It asks its clients for certificates now (ssl_verify_client {how}, by {by or 'another file'}). "
            "Keep that; to let everybody in, take the line away by hand."
        )

    def caution_client_ca(self, host: Host, value: str) -> str | None:
        if value != NONE and self.verifies_now[0].startswith("optional"):
            return "Until now it lets in clients without a certificate too (optional); then no more."
        return None

    def default_client_authority(self, host: Host) -> Path | None:
        by = self.verifies_now[1]
        return Path(self.servers.tree.absolute(by)) if by else None

    def applies_reissue(self, host: Host) -> bool:
        return bool(self.reissuable(host))

    def applies_new_keys(self, host: Host) -> bool:
        return bool(self.reissue)

    def reissuable(self, host: Host) -> tuple[Path, ...]:
        found = super().reissuable(host)
        return tuple(path for path in found if self.source != EXISTING or path != self.pair(host).certificate)

    @property
    def issues_to_clients(self) -> bool:
        return self.client_ca == OWN

    @property
    def takes_authority(self) -> bool:
        return self.client_ca == FILE

    @property
    def uses_authority(self) -> bool:
        return self.source == PRIVATE_CA or self.issues_to_clients

    def default_protect_key(self, host: Host) -> bool:
        return self.kept_passphrase is not None

    def applies_server_passphrase(self, host: Host) -> bool:
        return self.protect_key and self.kept_passphrase is None

    def chosen_server_passphrase(self, host: Host) -> bool:
        return True

    def check_server_passphrase(self, host: Host, value: Secret) -> str | None:
        text = value.reveal()
        if text != text.strip() or not text.isprintable():
            return "nginx reads it from a line of a file: no blanks at its ends, no control characters."
        return None

    @property
    def passphrase_file(self) -> Path:
        """The file from which nginx has the passphrase of the key."""
        return self.directory / "key.password"

    @property
    def kept_passphrase(self) -> Secret | None:
        """The one in that file, its first line; None where it holds none, or may not be read."""
        try:
            line = (contents(self.passphrase_file) or b"").split(b"\n")[0].removesuffix(b"\r").decode()
        except (OSError, UnicodeDecodeError):
            return None
        return Secret(line) if line else None
