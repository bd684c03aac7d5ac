"""Where the certificate comes from, and what a target says of itself."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from wizard.errors import Refusal
from wizard.host import Host
from wizard.kinds import (
    Choice,
)
from wizard.material.key_types import KeyType
from wizard.questions import NotAnswered, Page, Questionnaire, question
from wizard.sources.authority_folder import AuthorityFolder, first_certificate, issuer_among, known
from wizard.sources.pair import Pair

SELF_SIGNED, PRIVATE_CA, REQUEST, EXISTING = "self-signed", "private-ca", "request", "existing"
SOURCES = {
    SELF_SIGNED: "self-signed",
    PRIVATE_CA: "own CA",
    REQUEST: "request",
    EXISTING: "existing",
}
OWN = "own"

CARRIED = (
    *("source", "common_name", "alt_names", "validity_days", "key_type"),
    *("certificate_file", "key_file", "chain_files", "country", "state", "locality", "organisation", "unit"),
)
"""Questions whose answers can be taken along to another target as they are."""

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


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class CertificateQuestions(Questionnaire):
    """The source, which decides what else is asked."""

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

    @abstractmethod
    def pair(self, host: Host) -> Pair:
        """Where certificate and key belong."""

    @property
    @abstractmethod
    def own_authority(self) -> Path:
        """The folder of the authority that serves this target alone."""

    def options_source(self, host: Host) -> tuple[tuple[str, str], ...]:
        return tuple((source, SOURCES[source]) for source in self.sources)

    def default_source(self, host: Host) -> str:
        """That of the certificate which is in place, as far as it shows: none is replaced by one of another
        kind without a word.
        """
        try:
            there = self._source_in_place(host)
        except (NotAnswered, Refusal, ValueError, OSError):  # another question says why
            there = ""
        return there if there in self.sources else self.sources[0]

    def _source_in_place(self, host: Host) -> str:
        from wizard.material.description import is_self_signed
        from wizard.sources.request import Request

        pair = self.pair(host)
        if not pair.certificate.is_file():
            return REQUEST if Request.beside(pair).waits else ""
        certificate = first_certificate(pair.certificate)
        if issuer_among((AuthorityFolder(self.own_authority), *known(host.state)), certificate):
            return PRIVATE_CA
        return SELF_SIGNED if is_self_signed(certificate) else REQUEST
