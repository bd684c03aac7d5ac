"""The questions about a certificate that is there already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wizard.host import Host
from wizard.kinds import (
    Delivered,
    Delivery,
    FilePath,
    Passphrase,
    YesNo,
)
from wizard.material.key_types import KeyType
from wizard.questions import question
from wizard.secret import Secret
from wizard.sources.existing import Given
from wizard.targets.certificate.base import (
    EXISTING,
    PAGE,
    CertificateQuestions,
)


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class ExistingFiles(CertificateQuestions):
    """The operator's own files."""

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
        if belongs_together(given.leaf, key):
            return None
        return f"This key belongs to another certificate than the one in {self.certificate_file}."

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
