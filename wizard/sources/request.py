"""A signing request for an authority elsewhere: first the request, later its answer.

The key that waits is not the one in service, so a service that is restarted meanwhile goes on as before. When
the answer comes, certificate and key change places with the old ones together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from wizard.errors import WrongAnswer
from wizard.kinds import Delivery
from wizard.material import MaterialError
from wizard.material.subject import Subject
from wizard.plan import Advice, Change, File, Warning
from wizard.small_files import read_small
from wizard.sources.authority_folder import AuthorityFolder, issuer_among
from wizard.sources.pair import (
    Found,
    Issue,
    Pair,
    Wanted,
    contents,
    ends_soon,
    keep,
    key_for,
    look,
    remove,
    replaced,
    write,
)
from wizard.sources.trust import root_changes, root_warnings

if TYPE_CHECKING:
    from cryptography.x509 import CertificateSigningRequest

    from wizard.material.chains import Chain
    from wizard.material.keys import PrivateKey
    from wizard.proof import Check


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it waits beside the pair."""

    request: Path
    key: Path

    @classmethod
    def beside(cls, pair: Pair) -> Request:
        """Where the request for this pair waits."""
        return cls(pair.certificate.with_name("request.csr"), pair.certificate.with_name("request.key"))

    @property
    def waits(self) -> bool:
        """Whether one has been made: its key is there, even if the request has been moved away to be sent."""
        return self.key.is_file()

    @property
    def files(self) -> tuple[Path, Path]:
        return self.request, self.key


def issue(
    wanted: Wanted,
    subject: Subject,
    pair: Pair,
    delivered: Delivery,
    now: datetime,
    *,
    ours: Iterable[AuthorityFolder],
) -> Issue:
    """Install what was delivered; else keep a pair that serves; else make a request, or leave it waiting.

    `ours` are the authorities of this host: a certificate by one of them is none from elsewhere.
    Raises OSError when a file cannot be read, WrongAnswer when what was delivered cannot be used.
    """
    request = Request.beside(pair)
    if delivered and request.waits:
        return _installed(wanted, pair, request, delivered, now)
    found = look(pair)
    if not request.waits and _serves(found, wanted, now, ours):
        return keep(pair, found)
    return _requested(wanted, subject, pair, request, found)


def examined(delivered: Delivery, key: PrivateKey, wanted: Wanted, now: datetime) -> Chain:
    """The chain for this key in what was delivered, in whatever form and order it came.

    Raises OSError when a file cannot be read, MaterialError with the sentence of what is wrong with it.
    """
    from wizard.material.chains import build_chain
    from wizard.material.delivery import read_delivery

    blobs = [read_small(part) if isinstance(part, Path) else part.encode() for part in delivered.parts]
    return build_chain(read_delivery(blobs), key.public_key(), wanted.names, now)


def waiting_key(request: Request) -> PrivateKey:
    """The key of the request. Raises OSError or MaterialError."""
    from wizard.material.keys import read_private_pem

    return read_private_pem(read_small(request.key))


def _serves(found: Found, wanted: Wanted, now: datetime, ours: Iterable[AuthorityFolder]) -> bool:
    """Whether a certificate of an authority elsewhere is there; for how many days was its own choice."""
    from wizard.material.chains import build_chain

    if not found.is_pair or found.private_key is None:
        return False
    try:
        key = found.private_key.public_key()
        chain = build_chain(found.chain, key, wanted.names, now, top_may_be_missing=True)
    except MaterialError:
        return False
    whole = not chain.unused
    elsewhere = chain.root != chain.leaf and issuer_among(ours, chain.leaf) is None
    return whole and elsewhere and not wanted.anew and not ends_soon(chain.leaf, now)


def _requested(wanted: Wanted, subject: Subject, pair: Pair, request: Request, found: Found) -> Issue:
    """Write a request, unless one that asks for the same waits already."""
    from wizard.material.keys import private_pem
    from wizard.material.requests import request_pem, request_words, signing_request

    # As the record of a run has it, symbolic links followed.
    awaits = pair.certificate.parent.resolve() / pair.certificate.name
    key, about = _key(wanted, request, found)
    asked = signing_request(key, subject, wanted.names)
    if _asks_the_same(request, asked):
        there = contents(request.request) or b""
        return Issue(None, kept=request.files, advice=_advice(request, there), awaits=awaits)
    changes = (
        *write(request.key, private_pem(key), pair.owner, f"{about}, for the request", secret=True),
        *write(
            request.request,
            request_pem(asked),
            pair.owner,
            "signing request, to be sent to the authority",
            described=(*request_words(asked), "", *request_pem(asked).decode().splitlines()),
        ),
    )
    return Issue(
        None,
        changes,
        warnings=tuple(_useless(request, changes)),
        advice=_advice(request, request_pem(asked)),
        awaits=awaits,
    )


def _useless(request: Request, changes: Iterable[Change]) -> Iterator[Warning]:
    """Say so when the key of a request that may have been sent is replaced."""
    for change in changes:
        if change.path == request.key and isinstance(change, File) and change.before is not None:
            yield Warning(
                "The key of the request before is replaced. If that request has been sent, its certificate "
                "will be of no use: ask for one by the new request.",
                request.key,
            )


def _key(wanted: Wanted, request: Request, found: Found) -> tuple[PrivateKey, str]:
    """The key of the request that waits, if it is of the kind wanted, else one as for any certificate."""
    from wizard.material.keys import key_words

    if request.waits:
        with suppress(MaterialError):
            key = waiting_key(request)
            if key_words(key) == wanted.key_type.label and not wanted.unfit(key):
                return key, f"private key, {wanted.key_type.label}, the one of the request before"
    return key_for(found, wanted)


def _asks_the_same(request: Request, asked: CertificateSigningRequest) -> bool:
    """Whether the request that waits asks for what this one does, for the same key; each is signed anew."""
    from wizard.material.certificates import same_key
    from wizard.material.requests import read_request_pem, request_words

    try:
        there = read_request_pem(contents(request.request) or b"")
    except MaterialError:
        return False
    for_this_key = same_key(there.public_key(), asked.public_key())
    return for_this_key and request_words(there) == request_words(asked)


def _advice(request: Request, pem: bytes) -> tuple[Advice, ...]:
    return (
        Advice(
            f"Send this request to your authority; it stands in {request.request}.",
            pem.decode("ascii", "replace"),
        ),
        Advice(
            "When the certificate has come, start the wizard again: its first screen lists what waits. "
            "Without the screens:",
            "tls-wizard resume FILE ...",
        ),
    )


def _installed(wanted: Wanted, pair: Pair, request: Request, delivered: Delivery, now: datetime) -> Issue:
    """Certificate and key take their places; the request has done its work."""
    from wizard.material.bundles import chain_pem
    from wizard.material.certificates import describe
    from wizard.material.keys import key_words, private_pem

    try:
        key = waiting_key(request)
        chain = examined(delivered, key, wanted, now)
    except OSError as error:
        raise WrongAnswer("delivered", f"{error.filename} cannot be read: {error.strerror}.") from None
    except MaterialError as error:
        raise WrongAnswer("delivered", str(error)) from None
    found = look(pair)
    described = describe(chain.leaf, now)
    changes = (
        *pair.write(
            chain_pem(chain.certificates),
            private_pem(key),
            about=(f"certificate by {chain.issuer}", f"private key, {key_words(key)}, of the request"),
            said=described.lines(),
        ),
        *root_changes(chain, pair),
        *remove(request.key, "now in its place", secret=True),
        *remove(request.request, "answered"),
    )
    warnings = [*root_warnings(chain), *replaced(pair, found, [f"by one of {chain.issuer}"])]
    return Issue(chain.leaf, changes, warnings=tuple(warnings))


def has_come(pair: Pair) -> Check:
    """The authority elsewhere has answered; while it has not, nothing else is worth a check."""
    from wizard.proof import Check, Expect, Outcome, Verdict

    def run() -> Outcome:
        if Request.beside(pair).waits:
            got = f"{Request.beside(pair).request} waits for its certificate."
            meaning = "When it has come, go on with this setup; nothing is changed before."
            return Outcome(verdict=Verdict.FAILED, got=got, meaning=meaning, stop=True)
        if pair.certificate.is_file():
            return Outcome(verdict=Verdict.PASSED, got=str(pair.certificate))
        return Outcome(verdict=Verdict.FAILED, got="Nothing has been requested yet.", stop=True)

    return Check("The certificate has come", Expect.HOLDS, run, f"ls -l {quote(str(pair.certificate))}")
