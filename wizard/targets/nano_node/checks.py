"""What must be true of a Nano node beside what every service with TLS has in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import join, quote

from wizard import client_checks
from wizard.by_hand import curl
from wizard.checks import TlsService, failed, passed
from wizard.errors import Refusal
from wizard.files import user_name
from wizard.formats import toml
from wizard.formats.splice import CannotEdit
from wizard.formats.toml_plan import plain
from wizard.host import Host
from wizard.plan import Advice
from wizard.probe import Answer, Endpoint, Identity, Request
from wizard.proof import Check, Expect, Outcome, Verdict
from wizard.service import is_later
from wizard.targets.nano_node import config
from wizard.targets.nano_node import service as node_service
from wizard.targets.nano_node.config import Era

_AGAIN = "At its next start the node runs without what was proven here. Apply these answers, then restart it."

BYPASSED = "Anybody can make such a pair: from there on it is only the network that keeps people out."


@dataclass(frozen=True)
class RpcRequest(Request):
    """A request to the node's RPC, which answers in JSON, whatever it was asked."""

    def succeeded(self, answer: Answer) -> bool:
        """Tell whether the answer is a success with JSON in it."""
        try:
            json.loads(answer.data.partition(b"\r\n\r\n")[2])
        except ValueError:
            return False
        return super().succeeded(answer)


BLOCK_COUNT = RpcRequest("POST", "/", (("Content-Type", "application/json"),), b'{"action": "block_count"}')


def configured(data: Path, era: Era, values: Mapping[str, toml.Value], owner: int | None) -> Check:
    """The configuration, read anew, has these settings, and the account `owner` may read and write it."""

    def run() -> Outcome:
        try:
            if wrong := _what_differs(data, era, values):
                return failed(wrong, _AGAIN)
        except (OSError, Refusal) as error:
            return failed(str(error), "It was changed since it was written. Mend it, or undo.")
        path = data / era.value
        if owner is not None and path.stat().st_uid != owner:
            return failed(
                f"{path} belongs to {user_name(path.stat().st_uid)}.",
                "The node takes a file it may not write for empty.",
            )
        return passed(", ".join(values))

    command = join(["grep", "-nE", f"^{era.switch}|_path|secure", *map(str, _files(data))])
    return Check("The configuration sets TLS", Expect.HOLDS, run, command)


def _files(data: Path) -> list[Path]:
    return [path for path in (data / config.RPC, data / config.TLS) if path.exists()]


def _what_differs(data: Path, era: Era, values: Mapping[str, toml.Value]) -> str:
    if era is Era.TLS_FILE and config.read(data / config.RPC).value(*config.SECURE) is not None:
        return f"{data / config.RPC} has a [secure] again, on which the node stops."
    said = config.settings_in(data, era)
    try:
        if toml.set_values(said.document, era.table, values) == said.document.data:
            return ""
    except CannotEdit as error:
        raise config.refusal(said.path, error) from None
    now = {name: said.value(*era.table, name) for name in values}
    wrong = [name for name, value in values.items() if now[name] != plain(value)]
    return f"{said.path} does not set {', '.join(wrong) or 'them in a way that the node reads'}."


def runs(host: Host, data: Path, files: tuple[Path, ...], endpoint: Endpoint) -> Check:
    """The node with these data has run since these files were written, and it has the tested port."""

    def run() -> Outcome:
        if reason := node_service.stale(host, data, files):
            advice = node_service.restart_advice(host, data)
            return Outcome(verdict=Verdict.FAILED, got=reason, advice=(advice,))
        services = node_service.all_running(host, data)
        sockets = [socket for service in services for socket in service.listening]
        if endpoint.port in {port for _, port in sockets}:
            return passed(f"pid {services[0].pid}, as {services[0].user}")
        where = " and ".join(str(Endpoint(*socket)) for socket in sockets)
        return failed(
            f"It (pid {services[0].pid}) listens on {where}, not on port {endpoint.port}.",
            "The RPC may be switched off in config-node.toml, or it is another program that is tested here.",
        )

    return Check("The node runs with these settings", Expect.HOLDS, run, "ps -C nano_node -o pid,user,lstart")


def removed_clients_locked_out(host: Host, data: Path, folder: Path) -> Check:
    """No client was changed since the start: the node remembers those that it has let in."""

    def run() -> Outcome:
        service = node_service.running(host, data)
        if service is None or not folder.exists() or not is_later(folder, service):
            return passed("no client has changed since the node was started")
        return Outcome(
            verdict=Verdict.FINDING,
            got=f"{folder.name} has changed since the node was started",
            meaning="Whoever has been taken out since then may still get in: the node remembers whom it has "
            "let in, until it is restarted.",
            advice=(node_service.restart_advice(host, data),),
        )

    return Check("Clients taken out are locked out", Expect.HOLDS, run, f"ls -ld {quote(str(folder))}")


def lone_stranger_refused(service: TlsService) -> Check:
    """A certificate that signs itself, and that nobody has installed, is refused."""

    def make() -> Identity:
        from wizard.material.certificates import certificate_pem, self_signed_client
        from wizard.material.key_types import KeyType
        from wizard.material.keys import generate, private_pem
        from wizard.material.subject import Subject

        key = generate(KeyType.ECDSA_P256)
        certificate = self_signed_client(key, Subject("stranger"), 1, datetime.now(UTC))
        return Identity(certificate_pem(certificate), private_pem(key))

    meaning = "Anybody gets in with any certificate: the node does not look whether it is installed."
    return client_checks.client_refused(service, "A stranger's certificate is refused", make, meaning)


def stranger_with_root_refused(service: TlsService, advice: tuple[Advice, ...]) -> Check:
    """A stranger who presents an authority of its own along with its certificate is refused.

    The node is known not to: it makes a success of X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN
    (nano/lib/tlsconfig.cpp, on_verify_certificate). So that is a finding.
    """
    check = client_checks.client_refused(
        service,
        "A stranger's certificate with its own root is refused",
        lambda: client_checks.stranger(service.certificate.read_bytes(), "stranger"),
        BYPASSED,
    )
    return replace(check, run=_known(check.run, BYPASSED, advice), command=_curl_with_root(service))


def _known(run: Callable[[], Outcome], meaning: str, advice: tuple[Advice, ...]) -> Callable[[], Outcome]:
    """The same check, but a failure of this meaning is a known limit of the service."""

    def judged() -> Outcome:
        outcome = run()
        if outcome.verdict is Verdict.FAILED and outcome.meaning == meaning:
            return replace(outcome, verdict=Verdict.FINDING, advice=advice)
        return outcome

    return judged


def _curl_with_root(service: TlsService) -> str:
    """The request for curl with a certificate and its root, made first in a folder that is removed."""
    key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    root = f"openssl req -x509 {key} -subj /CN=root -keyout root.key -out root"
    request = f"openssl req {key} -subj /CN=stranger -keyout key -out request"
    sign = "openssl x509 -req -in request -CA root -CAkey root.key -CAcreateserial -out cert"
    make = f'cd "$made" && {root} && {request} && {sign} && cat root >>cert'
    present = f"{curl(service, None)} --cert ./cert --key ./key"
    return f"""(made=$(mktemp -d); trap 'rm -r "$made"' EXIT; {make} && {present})"""
