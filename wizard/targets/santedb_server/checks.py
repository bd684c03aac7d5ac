"""What must be true of a SanteDB beside what every service with TLS has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from shlex import join, quote

from wizard.by_hand import curl
from wizard.checks import TlsService, connect, failed, passed, unanswered
from wizard.errors import Refusal
from wizard.host import Host
from wizard.material import MaterialError
from wizard.plan import Advice
from wizard.probe import Endpoint, Handshake, Request
from wizard.proof import Check, Expect, Outcome, Verdict
from wizard.sources.pair import Pair
from wizard.targets.santedb_server import mono_files, processes
from wizard.targets.santedb_server.presented import presented
from wizard.targets.santedb_server.switch import Switch
from wizard.targets.santedb_server.windows import Parcel
from wizard.trouble import Trouble

INVALID_HOST = b"Invalid host"
"""What the listener says to a request for a name or path that no endpoint has."""

OLD_TLS = (
    "Mono has no switch for older versions, and no TLS 1.3. Where that is not enough, put nginx before it."
)


def configured(switch: Callable[[], Switch]) -> Check:
    """The configuration, read anew, has all endpoints of these ports on https; `switch` reads it."""

    def run() -> Outcome:
        try:
            now = switch()
            same = all(after == file.document.data for file, after in now.edited_files())
        except (OSError, ValueError, Refusal) as error:
            return failed(str(error), "It was changed since it was written. Mend it, or undo.")
        if same:
            return passed(", ".join(str(address) for _, address in now.endpoints))
        other = [endpoint.text for endpoint, address in now.endpoints if endpoint.address != address]
        got = f"{now.found.file.path} still has {other[0]}" if other else "The base address is another one"
        return failed(
            f"{got}.", "At its next start SanteDB runs without what was proven here: apply these answers."
        )

    there = switch_or_none(switch)
    path = quote(str(there.found.file.path)) if there else "santedb.config.xml"
    return Check("The configuration has https", Expect.HOLDS, run, f"grep -nE 'address=|baseAddress' {path}")


def switch_or_none(switch: Callable[[], Switch]) -> Switch | None:
    """What `switch` reads, where it can be read."""
    try:
        return switch()
    except (OSError, ValueError, Refusal):
        return None


def in_mono_folder(folder: Path, ports: Iterable[int], pair: Pair) -> Check:
    """Each port has a certificate and a key that Mono can load, where Mono looks for them."""
    served = tuple(ports)

    def run() -> Outcome:
        try:
            what = presented(pair)
            for port in served:
                if problem := mono_files.problem(mono_files.of_port(folder, port, pair.owner), what):
                    return failed(problem, "Every connection would be reset. Apply these answers again.")
        except (OSError, MaterialError) as error:
            return failed(str(error), "Mono finds no certificate, so every connection is reset.")
        return passed(f"{folder}: {', '.join(map(str, served))}")

    return Check("Mono has certificate and key", Expect.HOLDS, run, join(["ls", "-l", str(folder)]))


def runs(host: Host, main: Path, files: tuple[Path, ...], endpoint: Endpoint) -> Check:
    """The SanteDB with this configuration has run since these files were written, and has the tested port."""

    def run() -> Outcome:
        if reason := processes.stale(host, main, files):
            advice = processes.restart_advice(host, main)
            return Outcome(verdict=Verdict.FAILED, got=reason, advice=(advice,))
        process = processes.running(host, main)
        assert process is not None, "else it would be stale"
        sockets = process.service.listening
        if endpoint.port in {port for _, port in sockets}:
            return passed(f"pid {process.service.pid}, as {process.service.user}")
        where = " and ".join(str(Endpoint(*socket)) for socket in sockets)
        return failed(
            f"It (pid {process.service.pid}) listens on {where}, not on port {endpoint.port}.",
            "It may still be starting; look into its log.",
        )

    return Check("SanteDB runs with these settings", Expect.HOLDS, run, "ps -C mono -o pid,user,lstart,args")


def endpoint_answers(service: TlsService, path: str) -> Check:
    """An endpoint answers over TLS, whatever its status, but for that of a name it does not know."""

    def run() -> Outcome:
        return _answered(asking, service.name)

    asking = replace(service, request=Request("GET", path))
    return Check(f"{path} answers over TLS", Expect.ACCEPT, run, curl(asking, asking.client))


def every_name_answers(service: TlsService) -> Check:
    """By each name of the certificate there is an answer, and not that the name is unknown."""

    def run() -> Outcome:
        for name in service.names:
            outcome = _answered(service, name)
            if outcome.verdict is not Verdict.PASSED:
                return replace(outcome, got=f"{name}: {outcome.got}")
        return passed(", ".join(service.names))

    return Check("It answers to every name", Expect.ACCEPT, run, curl(service, None, service.names[-1]))


def _answered(service: TlsService, name: str) -> Outcome:
    result = connect(service, service.client, name)
    if isinstance(result, Trouble):
        return failed(result.sentence)
    answer = result.answer
    if answer.code == 400 and INVALID_HOST in answer.data:
        return failed(
            f"{answer.status} (Invalid host)",
            "The address has a host of its own, such as 127.0.0.1, and every other name is turned away. Give "
            "0.0.0.0 as the host, or the name that clients use.",
        )
    if answer.code is None:
        return failed(unanswered(result), "See SanteDB's log.")
    if answer.code >= 500:
        meaning = "TLS works, but SanteDB fails behind it. See its log."
        return Outcome(verdict=Verdict.FINDING, got=answer.status, meaning=meaning)
    return passed(answer.status)


def root_is_enough(service: TlsService, root: Path, known: Advice | None) -> Check:
    """A client that has only the root accepts it; `known` helps where an intermediate is known to be missing.

    Then that it does not is a finding, else a failure.
    """

    def run() -> Outcome:
        try:
            result = connect(service, None, ca=root.read_bytes())
        except (OSError, ValueError) as error:
            return failed(f"{root} cannot be read: {error}")
        if isinstance(result, Handshake):
            return passed(f"{result.version}, {result.cipher}")
        if known is None:
            return failed(result.sentence)
        return Outcome(
            verdict=Verdict.FINDING,
            got=result.sentence,
            meaning="Mono sends the server's certificate alone, never the intermediate that issued it.",
            advice=(known,),
        )

    command = curl(replace(service, ca=root), None)
    return Check("Clients that have only the root accept it", Expect.ACCEPT, run, command)


def parcel_is_ready(parcel: Callable[[], Parcel], pair: Pair) -> Check:
    """What is carried over to Windows belongs together: certificate, configuration and script."""

    def run() -> Outcome:
        from wizard.targets.santedb_server.windows import script

        try:
            there, what = parcel(), presented(pair)
            wanted = {there.config: there.edited(what), there.script: script(there, what)}
            wrong = [path for path, data in wanted.items() if path.read_bytes() != data]
            if not there.opens(what):
                wrong.append(there.bundle)
        except (OSError, ValueError, Refusal) as error:
            return failed(str(error), "Apply these answers, then carry the files over.", stop=True)
        if wrong:
            return failed(f"{wrong[0]} is not as it should be.", "Apply these answers again.", stop=True)
        return passed(f"{len(there.files)} files in {there.folder}")

    command = join(["ls", "-l", str(pair.certificate.parent)])
    return Check("The files for Windows are ready", Expect.HOLDS, run, command)
