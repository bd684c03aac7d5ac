"""What an endpoint serves, in plain words: by whom it is signed, until when, and which clients refuse it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from wizard.checks import OLD_VERSIONS, failed, passed
from wizard.connecting.call import Call
from wizard.connecting.modes import Mode
from wizard.handshake import present
from wizard.material import MaterialError
from wizard.probe import Handshake, Identity, sent_certificates, tls, versions
from wizard.proof import Check, Expect, Outcome, Verdict
from wizard.trouble import Kind, Trouble

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

APPLE_DAYS = 825
"""The longest that Apple's systems take, from private authorities too (support.apple.com/103769)."""


class Served:
    """One look at an endpoint, made when the first check needs it, whoever its certificate is from."""

    def __init__(self, call: Call) -> None:
        self.call = call

    @cached_property
    def identity(self) -> Identity | None:
        """What the looks present where they are asked; nothing where it cannot be presented."""
        try:
            identity = self.call.files.read_identity()
        except (OSError, MaterialError):
            return None
        tried = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return None if identity is None or present(tried, identity.chain, identity.key) else identity

    @cached_property
    def seen(self) -> Handshake | Trouble:
        """What it answers."""
        call = self.call
        return tls(call.endpoint, call.address.host, request=call.request, client=self.identity)

    @cached_property
    def sent(self) -> tuple[Certificate, ...]:
        """The certificates it sends, its own first. Raises MaterialError."""
        from cryptography import x509

        from wizard.material.certificates import DAMAGED, UNREADABLE, decoded
        from wizard.material.description import tolerance

        found = sent_certificates(self.call.endpoint, self.call.address.host)
        if isinstance(found, Trouble):
            raise MaterialError(found.sentence)
        if not found:
            raise MaterialError("The server sends no certificate at all.")
        try:
            with tolerance():
                return tuple(decoded(x509.load_der_x509_certificate(der)) for der in found)
        except UNREADABLE as error:
            raise MaterialError(DAMAGED) from error

    @property
    def spoken(self) -> dict[str, Handshake | Trouble]:
        """What it answers to each version of TLS."""
        call = self.call
        return versions(call.endpoint, call.address.host, request=call.request, client=self.identity)

    def checks(self) -> tuple[Check, ...]:
        """All checks of what it serves, the one that reaches it first."""
        look = f"{self.call.s_client()} 2>/dev/null | openssl x509 -noout"
        dates = f"{look} -subject -issuer -dates"
        names = f"{look} -ext subjectAltName"
        return (
            Check(f"{self.call.endpoint} answers TLS", Expect.ACCEPT, self._reached, self.call.s_client()),
            Check("Its certificate is valid now", Expect.HOLDS, _readable(self._valid), dates),
            Check(f"It is for {self.call.address.host}", Expect.HOLDS, _readable(self._named), names),
            Check(
                "It comes with what stands above it",
                Expect.HOLDS,
                _readable(self._complete),
                self.call.s_client("-showcerts"),
            ),
            Check("Apple's systems take its length", Expect.HOLDS, _readable(self._short_enough), dates),
            *self._strict_check(),
            Check("It speaks TLS 1.2 or 1.3 alone", Expect.HOLDS, self._modern, self._old_command()),
        )

    # Checks -------------------------------------------------------------------------------------------

    def _reached(self) -> Outcome:
        if isinstance(self.seen, Handshake):
            return passed(f"{self.seen.version}, {self.seen.cipher}")
        if self.seen.kind is Kind.CLIENT_CERTIFICATE:
            return passed("it speaks TLS, and wants to know its clients by certificates")
        if self.seen.kind in (Kind.VERSION, Kind.HANDSHAKE) and (old := self._spoken_of(OLD_VERSIONS)):
            return failed(
                f"It speaks {' and '.join(old)} only, which today's clients refuse.",
                "Nothing on the client's side helps: the server has to be updated.",
                stop=True,
            )
        return failed(self.seen.sentence, stop=True)

    def _valid(self) -> Outcome:
        from wizard.material.description import describe

        now = datetime.now(UTC)
        said = describe(self.sent[0], now)
        signed = "itself" if said.self_signed else said.issuer
        told = (
            f"It is signed by {signed}, for {', '.join(said.names) or 'no name'}; its key is {said.key}, its "
            f"SHA-256 fingerprint {said.fingerprint}."
        )
        if said.not_after < now:
            return self._refused(f"expired on {said.not_after:%Y-%m-%d}: every client refuses it", told)
        if said.not_before > now:
            return self._refused(f"not valid before {said.not_before:%Y-%m-%d %H:%M} UTC", told)
        until = f"until {said.not_after:%Y-%m-%d}, {said.days_left:,} days left, signed by {signed}"
        return Outcome(verdict=Verdict.PASSED, got=until, meaning=told)

    def _named(self) -> Outcome:
        from wizard.material.chains import covers
        from wizard.material.description import names_in

        leaf, name = self.sent[0], self.call.address.name
        if covers(leaf, name):
            return passed("among its names")
        if not (names := names_in(leaf.extensions)):
            return self._refused(
                "It has no subject alternative names.",
                "It has at most a Common Name, which clients have not looked at for years. The server "
                "needs a certificate that lists its names.",
            )
        return self._refused(
            f"It is for {', '.join(names)}.",
            "Call the server by one of these names, or have a certificate made with the name that is called.",
        )

    def _complete(self) -> Outcome:
        from wizard.material.chains import path_from
        from wizard.material.description import name_words

        now = datetime.now(UTC)
        path = path_from(self.sent[0], self.sent, now)
        top = path[-1]
        if len(path) > 1 or top.subject == top.issuer or self._is_issued_by_a_root(top):
            return passed(" < ".join(name_words(one.subject) for one in path))
        if self.call.files.ca is None:  # whether that is a root cannot be told
            return Outcome(
                verdict=Verdict.FINDING,
                got=f"only its own certificate, issued by {name_words(top.issuer)}",
                meaning="If that is a root, it is complete: give the root with --ca. If it is an "
                "intermediate, clients that know the root alone refuse it: the server should send it along.",
            )
        return Outcome(
            verdict=Verdict.FINDING,
            got=f"only its own certificate; that of {name_words(top.issuer)} is missing",
            meaning="Clients that know the root alone refuse it. The server should send its chain; until it "
            "does, put the intermediate into the authority's text, before the root.",
        )

    def _is_issued_by_a_root(self, certificate: Certificate) -> bool:
        """Whether nothing stands between it and a root that this client was given."""
        from wizard.material.chains import was_issued
        from wizard.sources.trust import public

        try:
            known = self.call.files.read_authorities() or public()
        except (OSError, MaterialError):
            return False
        return any(one.subject == one.issuer and was_issued(certificate, by=one) for one in known)

    def _short_enough(self) -> Outcome:
        leaf = self.sent[0]
        days = (leaf.not_valid_after_utc - leaf.not_valid_before_utc + timedelta(seconds=1)).days
        if days <= APPLE_DAYS:
            return passed(f"it was made for {days:,} days, {APPLE_DAYS} are allowed")
        return Outcome(
            verdict=Verdict.FINDING,
            got=f"it was made for {days:,} days: macOS and iOS refuse more than {APPLE_DAYS}",
            meaning="Other systems take it from a private authority. Have the next one made for 397 days.",
        )

    def _strict_check(self) -> Iterator[Check]:
        if self.call.mode.verifies or self.call.files.ca:
            ca = ("-CAfile", str(self.call.files.ca)) if self.call.files.ca else ()
            command = self.call.s_client(*ca, "-x509_strict", "-partial_chain")
            yield Check("Python 3.13 takes its chain", Expect.ACCEPT, self._strict, command)

    def _strict(self) -> Outcome:
        try:
            # Whoever calls, and by whatever name: what the server thinks of the client comes after this.
            strict = self.call.attempt(Mode.VERIFY_CA, strict=True, any_name=True)
            if not isinstance(strict, Trouble) or strict.kind is Kind.CLIENT_CERTIFICATE:
                return passed("it does, and so do other strict clients")
            if strict.kind is not Kind.STRICT:
                return Outcome(verdict=Verdict.SKIPPED, got="no client that verifies takes it, strict or not")
        except (OSError, MaterialError) as error:
            return Outcome(verdict=Verdict.SKIPPED, got=self.call.why(error))
        return Outcome(
            verdict=Verdict.FINDING,
            got=strict.sentence,
            meaning="Other clients, such as curl, take it. Only whoever runs the authority can change that.",
        )

    def _modern(self) -> Outcome:
        spoken = [label for label, found in self.spoken.items() if _is_spoken(found)]
        old = [label for label in spoken if label in OLD_VERSIONS]
        if old:
            return Outcome(
                verdict=Verdict.FINDING,
                got=f"it speaks {' and '.join(spoken)}",
                meaning=f"{' and '.join(old)} can be broken (RFC 8996); a connector uses the newest, but "
                "they should be switched off in the server.",
            )
        return passed(f"it speaks {' and '.join(spoken)}") if spoken else failed("it speaks no version known")

    def _spoken_of(self, labels: tuple[str, ...]) -> list[str]:
        return [label for label, found in self.spoken.items() if label in labels and _is_spoken(found)]

    def _old_command(self) -> str:
        options = ("--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT:@SECLEVEL=0")
        return self.call.command(Mode.SKIP, *options)

    def _refused(self, got: str, meaning: str) -> Outcome:
        """What clients that verify refuse; a finding where the connector does not look."""
        verdict = Verdict.FAILED if self.call.mode.verifies else Verdict.FINDING
        return Outcome(verdict=verdict, got=got, meaning=meaning)


def _readable(run: Callable[[], Outcome]) -> Callable[[], Outcome]:
    """Run a check of the certificates; it fails with a sentence where they cannot be read."""

    def guarded() -> Outcome:
        try:
            return run()
        except MaterialError as error:
            return failed(str(error))

    return guarded


def _is_spoken(found: Handshake | Trouble) -> bool:
    return isinstance(found, Handshake) or found.kind is Kind.CLIENT_CERTIFICATE
