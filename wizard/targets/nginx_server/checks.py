"""What must be true of an nginx beside what every service with TLS has in common."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from shlex import join, quote

import psutil

from wizard.by_hand import curl
from wizard.checks import NO_CONNECTION, TlsService, connect, failed, passed, reason
from wizard.errors import WizardError
from wizard.plan import Change
from wizard.probe import Endpoint, Handshake, Request, bracketed, plain_http, versions
from wizard.processes import started
from wizard.proof import Check, Expect, Outcome, Verdict
from wizard.targets.nginx_server.diagnosis import in_plain_words
from wizard.targets.nginx_server.edits import HSTS
from wizard.targets.nginx_server.install import Nginx
from wizard.trouble import Kind, Trouble

SECONDS_TO_RELOAD = 5
_TICK = 0.02
"""Seconds; the system counts the starts of processes in hundredths."""
_LOOKED_AT = 16_000
"""Bytes at the end of the error log."""
_NOT_REACHED = (502, 503, 504)
_LABELS = {"TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}

TRIED = Request("POST", "/tls-wizard/redirect?kept=1")
"""What is sent to be redirected: with a method, a path and a query that have to be kept."""


def configured(config: Path, edits: Callable[[], Iterable[Change]]) -> Check:
    """The configuration, read anew, says what was written: it would not be edited again."""

    def run() -> Outcome:
        try:
            changed = [str(change.path) for change in edits()]
        except (OSError, WizardError) as error:
            return failed(str(error), "It was changed since it was written. Mend it, or undo.")
        if changed:
            return failed(
                f"{changed[0]} says something else.",
                "At its next reload nginx runs without what was proven here. Apply the answers again.",
            )
        return passed(str(config))

    command = join(["grep", "-rnE", "ssl_|listen", str(config.parent)])
    return Check("The configuration sets TLS", Expect.HOLDS, run, command)


def reloaded(nginx: Nginx | None, files: Iterable[Path], log: Path | None) -> Check:
    """The workers of nginx are younger than these files, so that they have read them.

    After a reload it takes a moment until they are; a failed one keeps the old, and `log` says why.
    """

    def run() -> Outcome:
        if nginx is None or nginx.service is None:
            return failed("No nginx can be seen that runs with this configuration.", "Start it.")
        written = max((path.stat().st_mtime for path in files if path.exists()), default=0.0)
        deadline = time.monotonic() + SECONDS_TO_RELOAD
        while not (workers := _workers(nginx.service.pid)) or min(workers) < written - _TICK:
            if time.monotonic() > deadline:
                meaning = "It was not reloaded, or the reload has failed: then the old certificate stays."
                return failed(
                    f"nginx (pid {nginx.service.pid}) works with what it read before {_clock(written)}.",
                    f"{meaning} {_last_failure(log)}".rstrip(),
                )
            time.sleep(0.05)
        return passed(f"pid {nginx.service.pid}, workers since {_clock(min(workers))}")

    return Check("nginx has read the new configuration", Expect.HOLDS, run, "ps -C nginx -o pid,lstart,args")


def _workers(master: int) -> list[float]:
    """When those of its workers were started that take connections, in seconds since 1970."""
    found = []
    with suppress(psutil.Error):
        for worker in psutil.Process(master).children():
            with suppress(psutil.Error, OSError):
                if "shutting down" not in " ".join(worker.cmdline()):
                    found.append(started(worker.pid))
    return found


def _last_failure(log: Path | None) -> str:
    """The last reason in the error log for which nginx did not start or reload, if there is one."""
    try:
        with (log or Path(os.devnull)).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOOKED_AT))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    said = (line for line in reversed(lines) if "[emerg]" in line and "still could not bind" not in line)
    return next((f"{log} says: {line} {in_plain_words(line)}".rstrip() for line in said), "")


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%H:%M:%S}"


def versions_offered(service: TlsService, protocols: tuple[str, ...]) -> Check:
    """Exactly these versions of TLS, of 1.2 and 1.3, are offered."""
    wanted = [_LABELS[name] for name in protocols]

    def run() -> Outcome:
        try:
            identity = service.client.read() if service.client else None
        except OSError as error:
            return failed(reason(error))
        found = versions(
            service.endpoint, service.name, tried=_LABELS.values(), request=service.request, client=identity
        )
        for result in found.values():
            if isinstance(result, Trouble) and result.kind in NO_CONNECTION:
                return failed(result.sentence)
        offered = [label for label, result in found.items() if _is_spoken(result)]
        if offered == wanted:
            return passed(f"{' and '.join(offered)}")
        return failed(
            f"{' and '.join(offered) or 'neither TLS 1.2 nor TLS 1.3'} offered",
            "nginx takes the versions of a port from its default server; see ssl_protocols there.",
        )

    options = ("--tlsv1.3",) if wanted == ["TLS 1.3"] else ("--tlsv1.2", "--tls-max", "1.2")
    title = f"{' and '.join(wanted)} {'are' if len(wanted) > 1 else 'alone is'} offered"
    return Check(title, Expect.ACCEPT, run, curl(service, service.client, options=options))


def _is_spoken(result: Handshake | Trouble) -> bool:
    return isinstance(result, Handshake) or result.kind is Kind.CLIENT_CERTIFICATE


def redirected(service: TlsService, port: int) -> Check:
    """Plain HTTP on the other port is sent on to https, to the right port, and with its method."""
    at = Endpoint(service.endpoint.host, port)
    suffix = "" if service.endpoint.port == 443 else f":{service.endpoint.port}"
    expected = f"https://{bracketed(service.name)}{suffix}{TRIED.path}"

    def run() -> Outcome:
        result = plain_http(at, service.name, request=TRIED)
        if isinstance(result, Trouble):
            return failed(result.sentence, "Nobody who leaves https:// out is sent on to it.")
        location = result.header("Location") or ""
        if not location.lower().startswith("https://"):
            return failed(f"answered without TLS: {result.status}", "What is sent can be read on its way.")
        if location != expected:
            return failed(f"sent on to {location}, not to {expected}", "Clients end at the wrong place.")
        if result.code != 308:
            return Outcome(
                verdict=Verdict.FINDING,
                got=f"{result.status}, to {location}",
                meaning="Clients take this for a leave to turn POST into GET; 308 keeps the method.",
            )
        return passed(f"{result.status}, to {location}")

    words = ["curl", "-sSi", "--noproxy", "*", "-X", "POST", "-d", ""]
    if service.name != at.host:
        words += ["--connect-to", f"{bracketed(service.name)}:{port}:{at}"]
    command = join([*words, f"http://{bracketed(service.name)}:{port}{TRIED.path}"])
    return Check(f"Plain HTTP on port {port} is sent on to https", Expect.REFUSE, run, command)


def answers(service: TlsService, upstream: str) -> Check:
    """The service behind it answers, whatever it answers."""

    def run() -> Outcome:
        result = connect(service, service.client)
        if isinstance(result, Trouble):
            return failed(result.sentence)
        if result.answer.code in _NOT_REACHED:
            return failed(
                result.answer.status,
                f"nginx does not reach {upstream or 'the service behind it'}: is it running? See nginx's "
                "error log.",
            )
        if result.answer.code is None:
            return failed("no HTTP answer", "The service behind it may speak something else, such as gRPC.")
        return passed(result.answer.status)

    title = f"{upstream} answers through it" if upstream else "The server answers"
    return Check(title, Expect.ACCEPT, run, curl(service, service.client))


def hsts(service: TlsService, *, wanted: bool) -> Check:
    """Browsers are told to use https alone, or are not told so."""

    def run() -> Outcome:
        result = connect(service, service.client)
        if isinstance(result, Trouble):
            return failed(result.sentence)
        found = result.answer.header(HSTS)
        if (found is not None) is wanted:
            return passed(f"{HSTS}: {found}" if found else f"no {HSTS}")
        if found:
            return Outcome(
                verdict=Verdict.FINDING,
                got=f"{HSTS}: {found}",
                meaning="It was there before, or the service behind it says it.",
            )
        return failed(f"no {HSTS}", "A location with headers of its own does not inherit it.")

    title = "Browsers are told to use https alone" if wanted else "Browsers are not bound to https (no HSTS)"
    command = f"{curl(service, service.client)} | grep -i {quote(HSTS)}"
    return Check(title, Expect.HOLDS, run, command)
