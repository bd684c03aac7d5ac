"""What every target with a server certificate asks about it, and the sources that answer it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from wizard.host import Host
from wizard.kinds import (
    NOTHING,
    Choice,
    Delivered,
    Delivery,
    FilePath,
    Passphrase,
    Several,
    Text,
    Whole,
    YesNo,
)
from wizard.material import MaterialError
from wizard.material.key_types import KeyType
from wizard.material.names import Name, cautions, check_common_name, read_name
from wizard.material.subject import Subject, check_subject_field
from wizard.questions import Page, Questionnaire, question
from wizard.secret import Secret
from wizard.sources.authority_folder import AuthorityFolder, known
from wizard.sources.desk import Desk, NewAuthority
from wizard.sources.existing import Given
from wizard.sources.pair import Issue, Pair, Wanted
from wizard.sources.request import Request

if TYPE_CHECKING:
    from wizard.plan import Owner
    from wizard.proof import Check

APPLE_LIMIT_DAYS = 825
SHORT_DAYS = 30

SELF_SIGNED, PRIVATE_CA, REQUEST, EXISTING = "self-signed", "private-ca", "request", "existing"
SOURCES = {
    SELF_SIGNED: "self-signed",
    PRIVATE_CA: "own CA",
    REQUEST: "request",
    EXISTING: "existing",
}
OWN = "own"

PAGE = Page("certificate", "the certificate")
SUBJECT_PAGE = Page(
    "subject",
    "who asks for the certificate",
    "Public authorities take from this only what they have checked; what is left empty is left out.",
)
AUTHORITY_PAGE = Page(
    "authority",
    "your own certificate authority",
    "Whoever has its key and passphrase can make certificates that your clients and servers trust.",
)
ANSWER_PAGE = Page(
    "answer",
    "the authority's answer",
    "The request has been written and waits for its certificate. Until it comes nothing else changes.",
)


@dataclass(frozen=True, kw_only=True)
class ServerCertificate(Questionnaire):
    """The questions about a server certificate."""

    sources: ClassVar[tuple[str, ...]]
    """What the target can use, the default first."""
    key_types: ClassVar[tuple[KeyType, ...]]
    """What the target can use, the default first."""
    takes_protected_keys: ClassVar[bool] = False
    """Whether the service can be told the passphrase of its key."""

    source: str = question(
        "Source",
        Choice(tuple(SOURCES.items())),
        page=PAGE.key,
        help="Who signs it: its own key, a CA made here, one elsewhere; or you have it.",
        more="self-signed: for testing; clients are given the certificate itself. own CA: an authority made "
        "on this host; clients trust it once, and certificates can be made again without telling them. "
        "request: a signing request for an authority elsewhere; the setup goes on when its answer comes. "
        "existing: certificate and key that you have already.",
    )
    certificate_file: Path = question(
        "Certificate file", FilePath(), page=PAGE.key, help="PEM. It is read, checked and copied."
    )
    key_file: Path = question(
        "Key file", FilePath(), page=PAGE.key, help="The certificate's private key, PEM."
    )
    chain_files: Delivery = question(
        "Chain files",
        Delivered(),
        page=PAGE.key,
        help="Intermediate certificates, if they are in files of their own.",
        more="Authorities offer them as intermediate, chain or CA bundle. Any order and form will do.",
    )
    unprotected_copy: bool = question(
        "Unprotected copy",
        YesNo(),
        page=PAGE.key,
        help="The key has a passphrase, which the service cannot take.",
        more="Yes writes a copy without it, which only the service's account can read. Your own file stays "
        "as it is.",
    )
    key_passphrase: Secret = question(
        "Key's passphrase", Passphrase(), page=PAGE.key, help="It opens the key file, once."
    )
    common_name: str = question(
        "Common Name",
        Text(),
        page=PAGE.key,
        help="The name that people see in the certificate.",
        more="Clients do not compare it with the name they connect to: the list below decides that.",
    )
    alt_names: tuple[str, ...] = question(
        "Alternative names",
        Several(lambda text: str(read_name(text))),
        page=PAGE.key,
        help="Every name and address clients connect to, with commas.",
        more="Clients compare the name they connect to with this list and refuse when it is not there. "
        "Leave ports and https:// out. Names of this host and its addresses are filled in.",
    )
    validity_days: int = question(
        "Valid for (days)",
        Whole(1, 36500),
        page=PAGE.key,
        help="Up to 825 days are accepted by every client.",
        more="Guides suggest 9999 days. A key that leaks stays good for as long as its certificate.",
    )
    key_type: str = question(
        "Key",
        Choice(tuple((key_type.value, key_type.label) for key_type in KeyType)),
        page=PAGE.key,
        help="ECDSA P-256 is fast; take RSA only for very old clients.",
        more="Ed25519 is offered only where the service's TLS library takes it; Hub's, BoringSSL, does not.",
    )
    reissue: tuple[str, ...] = question(
        "Make anew",
        Several(lambda text: str(FilePath().read(text)), optional=True),
        page=PAGE.key,
        help="Certificate files to make again though they fit; else leave it empty.",
        more="What ends soon or does not fit is made again in any case.",
        once=True,
    )
    new_keys: bool = question(
        "With new keys",
        YesNo(),
        page=PAGE.key,
        help="No: the same keys once more. Yes, when a key may have leaked.",
        once=True,
    )

    country: str = question(
        "Country", Text(optional=True), page=SUBJECT_PAGE.key, help="Two capital letters, such as CH."
    )
    state: str = question("State", Text(optional=True), page=SUBJECT_PAGE.key, help="Or province, canton.")
    locality: str = question("Locality", Text(optional=True), page=SUBJECT_PAGE.key, help="The town.")
    organisation: str = question(
        "Organisation", Text(optional=True), page=SUBJECT_PAGE.key, help="Its full legal name."
    )
    unit: str = question("Unit", Text(optional=True), page=SUBJECT_PAGE.key, help="Department, if any.")
    email: str = question(
        "E-mail", Text(optional=True), page=SUBJECT_PAGE.key, help="Of whoever is in charge; seldom needed."
    )

    authority: str = question(
        "Authority",
        Choice(((OWN, "own"),)),
        page=AUTHORITY_PAGE.key,
        help="A new one serves this service alone; one from before serves both.",
        more="Services that share an authority also trust each other's clients, where they check clients.",
    )
    authority_name: str = question(
        "Its name",
        Text(),
        page=AUTHORITY_PAGE.key,
        help="What people see as the issuer; it cannot be changed later.",
    )
    authority_days: int = question(
        "Valid for (days)",
        Whole(30, 36500),
        page=AUTHORITY_PAGE.key,
        help="What it issues never lasts longer than it does itself.",
    )
    two_tiers: bool = question(
        "Root above it",
        YesNo(),
        page=AUTHORITY_PAGE.key,
        help="Yes makes a root as well, whose key you then keep elsewhere.",
        more="Clients trust the root. Should this host be broken into, a new authority can be made under the "
        "same root, and the clients need nothing new.",
    )
    protect: bool = question(
        "Protect its key",
        YesNo(),
        page=AUTHORITY_PAGE.key,
        help="With a passphrase, asked whenever something is issued.",
    )
    passphrase: Secret = question(
        "Passphrase", Passphrase(), page=AUTHORITY_PAGE.key, help="Of the authority's key."
    )

    delivered: Delivery = question(
        "Certificate",
        Delivered(),
        page=ANSWER_PAGE.key,
        help="Files, with commas; or paste the text. Empty: it has not come yet.",
        more="All that the authority sent, in any order and form: certificate, intermediates, root; PEM, DER "
        "or PKCS#7. What does not belong to the key is left out.",
        once=True,
    )

    # What a target says about itself ------------------------------------------------------------------

    @abstractmethod
    def pair(self, host: Host) -> Pair:
        """Where certificate and key belong."""

    @property
    @abstractmethod
    def own_authority(self) -> Path:
        """The folder of the authority that serves this target alone."""

    def reissuable(self, host: Host) -> tuple[Path, ...]:
        """Certificates that are there and can be made again."""
        path = self.pair(host).certificate
        return (path,) if path.is_file() else ()

    def needs_issuing(self, host: Host) -> bool:
        """Whether the authority that is there has to sign something."""
        from wizard.sources import private_ca

        return private_ca.is_due(self._old_desk(host), self.wanted(host), self.pair(host))

    # Source -------------------------------------------------------------------------------------------

    def options_source(self, host: Host) -> tuple[tuple[str, str], ...]:
        return tuple((source, SOURCES[source]) for source in self.sources)

    def default_source(self, host: Host) -> str:
        return self.sources[0]

    # A certificate that is there ----------------------------------------------------------------------

    @property
    def given(self) -> Given:
        """The operator's own files."""
        return Given(self.certificate_file, self.key_file, self.chain_files)

    def applies_certificate_file(self, host: Host) -> bool:
        return self.source == EXISTING

    def check_certificate_file(self, host: Host, value: Path) -> str | None:
        from wizard.material.chains import check_server
        from wizard.material.keys import key_words

        leaf = Given(value, value).leaf
        check_server(leaf, (), datetime.now(UTC))
        kind = key_words(leaf.public_key())
        if kind == KeyType.ED25519.label and KeyType.ED25519 not in self.key_types:
            return f"The service cannot use a key of the kind {kind}. Give one for ECDSA or RSA."
        return None

    def applies_key_file(self, host: Host) -> bool:
        return self.source == EXISTING

    def check_key_file(self, host: Host, value: Path) -> str | None:
        from wizard.material.certificates import belongs_together
        from wizard.material.keys import PassphraseNeeded

        given = Given(self.certificate_file, value)
        try:
            key = given.read_key()
        except PassphraseNeeded:
            return None
        return None if belongs_together(given.leaf, key) else "It belongs to another certificate than that."

    def applies_chain_files(self, host: Host) -> bool:
        return self.source == EXISTING

    def check_chain_files(self, host: Host, value: Delivery) -> str | None:
        Given(self.certificate_file, self.key_file, value).build((), datetime.now(UTC))
        return None

    def applies_unprotected_copy(self, host: Host) -> bool:
        return self.applies_key_passphrase(host) and not self.takes_protected_keys

    def default_unprotected_copy(self, host: Host) -> bool:
        return False

    def check_unprotected_copy(self, host: Host, value: bool) -> str | None:
        if not value:
            return "The service cannot start with a protected key. Say yes to a copy without its passphrase."
        if self.key_file == self.pair(host).key:
            return "The copy would take the place of your key file. Choose another folder for the files."
        return None

    def applies_key_passphrase(self, host: Host) -> bool:
        return self.source == EXISTING and self._key_has_passphrase(host)

    def _key_has_passphrase(self, host: Host) -> bool:
        from wizard.material.keys import PassphraseNeeded

        if self.given.is_in_place((), self.pair(host), datetime.now(UTC)):
            return False
        try:
            self.given.read_key()
        except PassphraseNeeded:
            return True
        return False

    # What it says -------------------------------------------------------------------------------------

    def applies_common_name(self, host: Host) -> bool:
        return self.source != EXISTING

    def default_common_name(self, host: Host) -> str:
        return host.name

    def check_common_name(self, host: Host, value: str) -> str | None:
        return check_common_name(value)

    def caution_common_name(self, host: Host, value: str) -> str | None:
        try:
            read_name(value)
        except MaterialError as error:
            return f"It is not among the alternative names, since it is no host name. {error}"
        return None

    def default_alt_names(self, host: Host) -> tuple[str, ...]:
        if self.source == EXISTING:
            return self._names_of_given()
        names: list[str] = []
        for text in (self.common_name, host.name, host.fqdn, "localhost", *host.addresses, "127.0.0.1"):
            try:
                names.append(str(read_name(text)))
            except MaterialError:
                continue
        return tuple(dict.fromkeys(names))

    def _names_of_given(self) -> tuple[str, ...]:
        from wizard.material.description import names_in

        leaf = Given(self.certificate_file, self.certificate_file).leaf
        return tuple(name.partition(" ")[2] for name in names_in(leaf.extensions))

    def check_alt_names(self, host: Host, value: tuple[str, ...]) -> str | None:
        if self.source != EXISTING:
            return None
        from wizard.material.chains import check_server

        check_server(self.given.leaf, tuple(map(read_name, value)), datetime.now(UTC))
        return None

    def caution_alt_names(self, host: Host, value: tuple[str, ...]) -> str | None:
        notes = [note for text in value for note in cautions(read_name(text))]
        if self.source == EXISTING:
            return None
        try:
            common_name = str(read_name(self.common_name))
        except MaterialError:
            common_name = ""
        if common_name and common_name not in value:
            notes.insert(
                0, f"{common_name}, the Common Name, is not in the list: clients will not accept it."
            )
        return notes[0] if notes else None

    def applies_validity_days(self, host: Host) -> bool:
        return self.source in (SELF_SIGNED, PRIVATE_CA)

    def default_validity_days(self, host: Host) -> int:
        return 397

    def caution_validity_days(self, host: Host, value: int) -> str | None:
        if value < SHORT_DAYS:
            return f"It ends in {value} day{'' if value == 1 else 's'}; run the wizard again before then."
        if value <= APPLE_LIMIT_DAYS:
            return None
        return (
            f"Apple's systems refuse server certificates valid for more than {APPLE_LIMIT_DAYS} days, "
            "from private authorities too; and a leaked key stays good for as long."
        )

    def applies_key_type(self, host: Host) -> bool:
        return self.source != EXISTING

    def options_key_type(self, host: Host) -> tuple[tuple[str, str], ...]:
        return tuple((key_type.value, key_type.label) for key_type in self.key_types)

    def default_key_type(self, host: Host) -> str:
        return self.key_types[0].value

    def applies_reissue(self, host: Host) -> bool:
        return self.source != EXISTING and bool(self.reissuable(host))

    def check_reissue(self, host: Host, value: tuple[str, ...]) -> str | None:
        there = tuple(map(str, self.reissuable(host)))
        for path in value:
            if path not in there:
                return f"{path} is not made by this setup. There are: {', '.join(there)}."
        return None

    def applies_new_keys(self, host: Host) -> bool:
        return self.source != EXISTING and bool(self.reissue)

    def default_new_keys(self, host: Host) -> bool:
        return False

    # Who asks for it ----------------------------------------------------------------------------------

    def _applies_subject(self, host: Host) -> bool:
        return self.source == REQUEST

    applies_country = applies_state = applies_locality = _applies_subject
    applies_organisation = applies_unit = applies_email = _applies_subject

    def check_country(self, host: Host, value: str) -> str | None:
        return check_subject_field("country", value)

    def check_state(self, host: Host, value: str) -> str | None:
        return check_subject_field("state", value)

    def check_locality(self, host: Host, value: str) -> str | None:
        return check_subject_field("locality", value)

    def check_organisation(self, host: Host, value: str) -> str | None:
        return check_subject_field("organisation", value)

    def check_unit(self, host: Host, value: str) -> str | None:
        return check_subject_field("unit", value)

    def check_email(self, host: Host, value: str) -> str | None:
        return check_subject_field("email", value)

    # Your own authority -------------------------------------------------------------------------------

    @property
    def replaces_authority(self) -> bool:
        """Whether a new authority takes the place of the one that serves this target alone: it has ended."""
        return AuthorityFolder(self.own_authority).has_ended(datetime.now(UTC))

    @property
    def authority_folder(self) -> AuthorityFolder:
        """The folder of the authority that issues."""
        return AuthorityFolder(self.own_authority if self.authority == OWN else Path(self.authority))

    @property
    def makes_authority(self) -> bool:
        """Whether an authority is made now."""
        return self.replaces_authority or not self.authority_folder.exists

    def applies_authority(self, host: Host) -> bool:
        return self.source == PRIVATE_CA

    def options_authority(self, host: Host) -> tuple[tuple[str, str], ...]:
        own = AuthorityFolder(self.own_authority)
        if self.replaces_authority:
            return ((OWN, "a new one, in place of the one there"),)
        label = own.words() if own.exists else "a new one"
        others = (folder for folder in known(host.state) if folder.path != own.path)
        return ((OWN, label), *((str(folder.path), folder.words()) for folder in others))

    def default_authority(self, host: Host) -> str:
        return OWN

    def check_authority(self, host: Host, value: str) -> str | None:
        folder = AuthorityFolder(self.own_authority if value == OWN else Path(value))
        if self.replaces_authority:
            return None
        if folder.exists:
            return folder.why_unfit(datetime.now(UTC))
        if folder.key.exists():
            return (
                f"{folder.key} is there, but {folder.certificate.name} is not. Put the certificate back, or "
                "move the key away: a new authority would overwrite it."
            )
        return None

    def _applies_new_authority(self, host: Host) -> bool:
        return self.source == PRIVATE_CA and self.makes_authority

    applies_authority_name = applies_authority_days = _applies_new_authority
    applies_two_tiers = applies_protect = _applies_new_authority

    def default_authority_name(self, host: Host) -> str:
        name = f"{host.name[:40]} CA"
        if not self.replaces_authority:
            return name
        # Clients that still trust the one before could not tell the two apart.
        return f"{name} {datetime.now(UTC):%Y-%m-%d %H:%M}"

    def check_authority_name(self, host: Host, value: str) -> str | None:
        return check_common_name(value)

    def default_authority_days(self, host: Host) -> int:
        return 3650

    def default_two_tiers(self, host: Host) -> bool:
        return False

    def default_protect(self, host: Host) -> bool:
        return True

    def caution_protect(self, host: Host, value: bool) -> str | None:
        return None if value else "Whoever can read its key file can make certificates that everybody trusts."

    def applies_passphrase(self, host: Host) -> bool:
        if self.source != PRIVATE_CA:
            return False
        if self.makes_authority:
            return self.protect
        return self.authority_folder.is_protected and self.needs_issuing(host)

    def chosen_passphrase(self, host: Host) -> bool:
        return self.makes_authority

    # The answer to a request --------------------------------------------------------------------------

    def applies_delivered(self, host: Host) -> bool:
        return self.source == REQUEST and Request.beside(self.pair(host)).waits

    def check_delivered(self, host: Host, value: Delivery) -> str | None:
        if not value:
            return None
        from wizard.sources import request

        waiting = Request.beside(self.pair(host))
        request.examined(value, request.waiting_key(waiting), self.wanted(host), datetime.now(UTC))
        return None

    # From the answers to the pair ---------------------------------------------------------------------

    @property
    def names(self) -> tuple[Name, ...]:
        """The subject alternative names."""
        return tuple(map(read_name, self.alt_names))

    def wanted(self, host: Host) -> Wanted:
        """What the server's certificate should say."""
        path = str(self.pair(host).certificate)
        days = self.validity_days
        return Wanted(
            self.common_name, self.names, days, KeyType(self.key_type), path in self.reissue, self.new_keys
        )

    def desk(self, host: Host, owner: Owner | None, now: datetime) -> Desk:
        """Where the authority issues."""
        passphrase = vars(self).get("passphrase")
        if not self.makes_authority:
            return Desk(self.authority_folder, owner, now, passphrase)
        new = NewAuthority(self.authority_name, self.authority_days, KeyType(self.key_type), self.two_tiers)
        return Desk(self.authority_folder, owner, now, passphrase if self.protect else None, new)

    def _old_desk(self, host: Host) -> Desk:
        """The same for an authority that is there, to look at what it has to issue."""
        return Desk(self.authority_folder, None, datetime.now(UTC))

    def issue(self, host: Host, now: datetime, desk: Desk | None = None) -> Issue:
        """What becomes of the server's pair; with an authority of one's own, by its `desk`.

        Raises OSError when a file cannot be read, WrongAnswer when an answer turns out to be of no use.
        """
        from wizard.sources import existing, private_ca, request, self_signed

        pair = self.pair(host)
        if self.source == EXISTING:
            return existing.issue(self.given, self.names, pair, vars(self).get("key_passphrase"), now)
        wanted = self.wanted(host)
        if self.source == REQUEST:
            delivered = vars(self).get("delivered", NOTHING)
            ours = (AuthorityFolder(self.own_authority), *known(host.state))
            return request.issue(wanted, self.subject, pair, delivered, now, ours=ours)
        if self.source == PRIVATE_CA:
            assert desk is not None
            return private_ca.server(desk, wanted, pair)
        return self_signed.issue(wanted, pair, now)

    def answered(self, host: Host) -> tuple[Check, ...]:
        """For a certificate from elsewhere: the check that it has come."""
        from wizard.sources.request import has_come

        return (has_come(self.pair(host)),) if self.source == REQUEST else ()

    @property
    def subject(self) -> Subject:
        """Who asks for the certificate."""
        return Subject(
            self.common_name,
            organisation=self.organisation,
            unit=self.unit,
            locality=self.locality,
            state=self.state,
            country=self.country,
            email=self.email,
        )

    def trusted(self, host: Host) -> Path:
        """The PEM file with what clients have to trust."""
        from wizard.sources import trust

        if self.source == PRIVATE_CA:
            return self.authority_folder.certificate
        certificate = self.pair(host).certificate
        return certificate if self.source == SELF_SIGNED else trust.anchor(certificate)
