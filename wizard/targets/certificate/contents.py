"""The questions about what the certificate says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wizard.host import Host
from wizard.kinds import (
    Choice,
    FilePath,
    Several,
    Text,
    Whole,
    YesNo,
)
from wizard.material import MaterialError
from wizard.material.key_types import KeyType
from wizard.material.names import Name, cautions, check_common_name, read_name
from wizard.questions import question
from wizard.sources.existing import Given
from wizard.sources.pair import Wanted
from wizard.targets.certificate.base import (
    EXISTING,
    PAGE,
    PRIVATE_CA,
    SELF_SIGNED,
)
from wizard.targets.certificate.existing import ExistingFiles

APPLE_LIMIT_DAYS = 825
SHORT_DAYS = 30


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Contents(ExistingFiles):
    """Names, time, key, and what is made anew."""

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

    def reissuable(self, host: Host) -> tuple[Path, ...]:
        """Certificates that are there and can be made again."""
        path = self.pair(host).certificate
        return (path,) if path.is_file() else ()

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
