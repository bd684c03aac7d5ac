"""Which mode works at the address of an API, which does not and why, and what each leaves open."""

from __future__ import annotations

from datetime import UTC, datetime
from shlex import join
from typing import TYPE_CHECKING

from wizard.checks import unanswered
from wizard.connecting.bundle import presented, trusted
from wizard.connecting.call import Call
from wizard.connecting.modes import Mode
from wizard.connecting.served import Served
from wizard.material import MaterialError
from wizard.plan import Warning
from wizard.probe import Handshake
from wizard.proof import Check, Expect, Outcome, Verdict
from wizard.trouble import Kind, Trouble

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_MAY_BE_A_REFUSAL = (400, 403, 495, 496)
"""What servers answer to a client whose certificate they do not want; and to much else."""

_NO_ROOT = (
    "Only clients that do without a root connect, such as Python 3.13 and curl; Python before 3.13, OpenSSL "
    "and Node.js refuse. Give the root as the authority: the certificate that signed itself."
)


def checks(call: Call) -> tuple[Check, ...]:
    """All that can be found out: the texts by themselves, what is served, the modes, the chosen one first."""
    served = Served(call)
    modes = sorted(Mode, key=lambda mode: mode is not call.mode)
    return (*_texts(call), *served.checks(), *(_mode(call, served, mode) for mode in modes))


# The texts --------------------------------------------------------------------------------------------------


def _texts(call: Call) -> tuple[Check, ...]:
    """The check that needs no connection, where there are files to look at."""
    files = [path for path in (call.files.ca, call.files.certificate, call.files.key) if path]
    if not files:
        return ()

    def run() -> Outcome:
        try:
            warnings = _examined(call)
        except (OSError, MaterialError) as error:
            return Outcome(verdict=Verdict.FAILED, got=call.why(error))
        told = " ".join(warning.text for warning in warnings)
        verdict = Verdict.FINDING if warnings else Verdict.PASSED
        return Outcome(verdict=verdict, got=told or "they are whole, and valid now")

    command = join(("openssl", "x509", "-noout", "-subject", "-issuer", "-dates", "-in", str(files[0])))
    return (Check("The texts fit together", Expect.HOLDS, run, command),)


def _examined(call: Call) -> tuple[Warning, ...]:
    """What to know about the texts. Raises OSError or MaterialError when they cannot do."""
    from wizard.connecting.call import named, read_certificates, read_key

    now = datetime.now(UTC)
    authorities = call.files.read_authorities()
    warnings: tuple[Warning, ...] = ()
    if call.files.ca:
        with named(call.files.ca):
            warnings += trusted(authorities, now).warnings
    if call.files.certificate and call.files.key:
        given, key = read_certificates(call.files.certificate), read_key(call.files.key)
        with named(call.files.certificate):
            warnings += presented(given, authorities, key, now).warnings
    return warnings


# The modes --------------------------------------------------------------------------------------------------


def _mode(call: Call, served: Served, mode: Mode) -> Check:
    """What becomes of a connection in a mode; of those not chosen too, for comparison."""
    chosen = mode is call.mode
    # Who presents a certificate expects that one is wanted.
    wanted = call.mode.presents and not mode.presents
    run = _refused if wanted else _accepted

    def guarded() -> Outcome:
        try:
            return run(call, served, mode)
        except (OSError, MaterialError) as error:
            return _unusable(call, mode, call.why(error))

    title = f"Mode {mode.value}" if chosen else f"Mode {mode.value}, for comparison"
    return Check(title, Expect.REFUSE if wanted else Expect.ACCEPT, guarded, call.command(mode))


def _accepted(call: Call, served: Served, mode: Mode) -> Outcome:
    if mode.presents and call.files.read_identity() is None:
        return Outcome(verdict=Verdict.SKIPPED, got="no client certificate was given")
    found = call.attempt(mode)
    if isinstance(found, Trouble):
        if mode.verifies and not _is_verified(found) and _is_verified(call.attempt(mode, strict=True)):
            return _unusable(call, mode, found.sentence, _NO_ROOT)
        return _unusable(call, mode, found.sentence, _reason(call, served, mode, found))
    if not found.answer.data:
        return _unusable(call, mode, unanswered(found), "See the log of the server.")
    return _works(call, mode, found)


def _is_verified(found: Handshake | Trouble) -> bool:
    """Whether the client was content with the server, whatever the server thought of it."""
    return isinstance(found, Handshake) or found.kind is Kind.CLIENT_CERTIFICATE


def _works(call: Call, mode: Mode, found: Handshake) -> Outcome:
    """It connects; what is still to be known about that."""
    got = f"it works: {found.version}, {found.answer.status or 'an answer that is not HTTP'}"
    if mode is Mode.SKIP:
        verdict = Verdict.FINDING if call.mode is Mode.SKIP else Verdict.PASSED
        return Outcome(verdict=verdict, got=f"{got}; but who answers is not known", meaning=mode.exposed)
    if found.asked and found.answer.code in _MAY_BE_A_REFUSAL:
        return Outcome(
            verdict=Verdict.FINDING,
            got=f"it connects: {found.version}, {found.answer.status}",
            meaning="The server has asked for a client certificate, and this answer may be how it refuses "
            "one, or none. It may also mean the request. See its log, or give the path of a request that "
            "ought to succeed.",
        )
    if mode.presents and not found.asked:
        return Outcome(
            verdict=Verdict.FINDING,
            got=f"{got}; but the server asks for no client certificate",
            meaning=f"It tells nobody apart by certificates; {Mode.VERIFY_CA.value} does the same here. If "
            "it should, that has to be switched on in the server.",
        )
    unsuccessful = "" if call.request.succeeded(found.answer) else _UNSUCCESSFUL
    return Outcome(verdict=Verdict.PASSED, got=got, meaning=f"{unsuccessful}{mode.exposed}")


_UNSUCCESSFUL = "TLS is as it should be; what is answered is between the API and its request. "


def _refused(call: Call, served: Served, mode: Mode) -> Outcome:
    """A server that knows its clients by certificates lets in nobody without one."""
    found = call.attempt(mode)
    if isinstance(found, Trouble):
        if found.kind is Kind.CLIENT_CERTIFICATE:
            got = "refused, as it should be: the server wants a client certificate"
            return Outcome(verdict=Verdict.PASSED, got=got, meaning=mode.exposed)
        return _unusable(call, mode, found.sentence, _reason(call, served, mode, found))
    if not found.answer.data:
        return _unusable(call, mode, unanswered(found), "See the log of the server.")
    if found.asked and found.answer.code in _MAY_BE_A_REFUSAL:
        got = f"answered {found.answer.status}, which may be how it refuses"
        return Outcome(verdict=Verdict.PASSED, got=got, meaning=mode.exposed)
    return Outcome(
        verdict=Verdict.FINDING,
        got=f"let in without a certificate: {found.answer.status or 'an answer that is not HTTP'}",
        meaning="The server does not insist on a client certificate, so it protects nothing by it. "
        "That has to be changed in the server.",
    )


def _unusable(call: Call, mode: Mode, got: str, meaning: str = "") -> Outcome:
    """It does not work: a failure of the mode chosen, worth knowing of the others."""
    verdict = Verdict.FAILED if mode is call.mode else Verdict.FINDING
    return Outcome(verdict=verdict, got=got, meaning=meaning)


def _reason(call: Call, served: Served, mode: Mode, trouble: Trouble) -> str:
    """What lies behind, as far as it can be told by what is served and what was given."""
    if trouble.kind is Kind.CLIENT_CERTIFICATE:
        if not mode.presents:
            return f"The server knows its clients by certificates: choose {Mode.FULL.value}, with yours."
        return (
            "The server does not know this client: it may trust another authority for clients, or the "
            "certificate was made for another purpose, has ended, or was revoked. Whoever runs it can tell."
        )
    if trouble.kind is Kind.NAME:
        return _about_the_name(call, mode)
    if trouble.kind in (Kind.UNKNOWN_AUTHORITY, Kind.SELF_SIGNED):
        return _about_the_authority(call, served)
    return ""


def _about_the_name(call: Call, mode: Mode) -> str:
    connects = isinstance(call.attempt(mode, any_name=True), Handshake)
    if mode is Mode.VERIFY_CA and connects:
        return (
            "The chain is right. A program that leaves the name unchecked in this mode connects; one that "
            "checks it, as it should, does not. Call the server by a name of its certificate."
        )
    return "Call the server by a name of its certificate, or have one made for the name that is called."


def _about_the_authority(call: Call, served: Served) -> str:
    from wizard.material.chains import is_authority, path_from
    from wizard.material.description import name_words

    given, sent = call.files.read_authorities(), served.sent
    top = path_from(sent[0], sent, datetime.now(UTC))[-1]
    if top.subject == top.issuer and len(sent) == 1:
        return "It signed itself. If it is the right one, it is itself what has to be given as the authority."
    if given and not any(one.subject == one.issuer for one in given):
        return "What was given as the authority holds no root: give the certificate that signed itself too."
    if len(sent) == 1 and not _knows(given, top):
        return (
            f"The server sends its own certificate alone, which {name_words(top.issuer)} has issued. If that "
            "is an intermediate, add it to the authority's text, before the root; or have the server send it."
        )
    names = ", ".join(name_words(one.subject) for one in given if is_authority(one)) or "no authority"
    known = names if given else "the public authorities of this system"
    return (
        f"The server's chain leads to {name_words(top.issuer)}; trusted here: {known}. Ask whoever runs it."
    )


def _knows(given: tuple[Certificate, ...], certificate: Certificate) -> bool:
    return any(one.subject == certificate.issuer for one in given)
