"""The questions about the endpoints: which of them, and where they listen afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from wizard.host import Host
from wizard.kinds import HostAndPort, Several, Text, Whole, YesNo
from wizard.questions import Page, question
from wizard.targets.santedb_server.address import LOOPBACK, read_host
from wizard.targets.santedb_server.config import Generation
from wizard.targets.santedb_server.installation import InstallationQuestions
from wizard.targets.santedb_server.other_urls import others
from wizard.targets.santedb_server.switch import Switch, selected_ports

ENDPOINTS_PAGE = Page(
    "endpoints",
    "the endpoints",
    "All endpoints of a port are switched together: on one port all of them speak what the first one speaks, "
    "and nothing tells when they differ.",
)


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class EndpointQuestions(InstallationQuestions):
    """Ports, hosts and the URL by which clients know the server."""

    port: int = question(
        "Port",
        Whole(1, 65535),
        page=ENDPOINTS_PAGE.key,
        help="As now, or another: 8443 is usual in place of 8080.",
    )
    endpoints: tuple[str, ...] = question(
        "Endpoints",
        Several(str),
        page=ENDPOINTS_PAGE.key,
        help="Ports, with commas; /hdsi stands for the port it is on.",
    )
    host: str = question(
        "Host",
        Text(optional=True),
        page=ENDPOINTS_PAGE.key,
        help="0.0.0.0 answers to every name, another to that alone.",
        more="With 127.0.0.1 only programs on this host reach it, and every other name is answered with "
        "400 Invalid host. Empty: each endpoint keeps the one it has.",
    )
    public_url: str = question(
        "Public URL",
        Text(optional=True),
        page=ENDPOINTS_PAGE.key,
        help="What clients are told; it is written as baseAddress.",
        more="Without it SanteDB takes it from each request, and behind a proxy sends clients to the address "
        "inside. Empty: what the configuration has stays.",
    )
    other_urls: bool = question(
        "Other URLs as well",
        YesNo(),
        page=ENDPOINTS_PAGE.key,
        help="Yes: the issuer of tokens and the base of FHIR become the public URL.",
        more="They still say http. Tokens are checked by the issuer's name, so whoever has been told the old "
        "one has to be told the new one.",
    )
    address: str = question(
        "Address to test",
        HostAndPort(),
        page=ENDPOINTS_PAGE.key,
        help="Where the endpoints answer; the proof connects to it.",
    )

    def applies_port(self, host: Host) -> bool:
        return len(self.configuration().ports) == 1

    def default_port(self, host: Host) -> int:
        return next(iter(self.configuration().ports))

    def check_port(self, host: Host, value: int) -> str | None:
        taken = [one for one in host.services if value in {port for _, port in one.listening}]
        if taken and self.is_here and value not in self.configuration().ports:
            return f"{taken[0].program} (pid {taken[0].pid}) listens on port {value} already."
        return None

    def default_endpoints(self, host: Host) -> tuple[str, ...]:
        return tuple(map(str, self.configuration().ports))

    def check_endpoints(self, host: Host, value: tuple[str, ...]) -> str | None:
        self._selected(value)
        return None

    def caution_endpoints(self, host: Host, value: tuple[str, ...]) -> str | None:
        there = self.configuration().ports
        if any(name.isdecimal() and int(name) not in there for name in value):
            return f"All endpoints are on port {next(iter(there))} now."
        along = [
            endpoint.address.path or endpoint.text
            for port in self._selected(value)
            if str(port) not in value
            for endpoint in there[port]
            if endpoint.address
        ]
        return f"With it go all of its port: {', '.join(along)}." if len(along) > 1 else None

    def default_host(self, host: Host) -> str | None:
        return Switch(self.configuration(), self._selected(self.endpoints)).host_now or None

    def check_host(self, host: Host, value: str) -> str | None:
        if value:
            read_host(value)
        if port := Switch(self.configuration(), self._selected(self.endpoints), value).split_port:
            return f"On port {port} some endpoints have another host than others: give one for all of them."
        return None

    def caution_host(self, host: Host, value: str) -> str | None:
        switch = Switch(self.configuration(), self._selected(self.endpoints), value)
        hosts = {address.host for _, address in switch.endpoints}
        if hosts & set(LOOPBACK):
            return "Only programs on this host reach it, by that name alone. 0.0.0.0 lets others in."
        if switch.opened:
            return (
                f"Port {switch.opened[0]} is opened to others: so far it answers to {switch.host_now} only."
            )
        return None

    def applies_public_url(self, host: Host) -> bool:
        return self.configuration().generation is Generation.REST

    def default_public_url(self, host: Host) -> str:
        from wizard.probe import bracketed

        switch = self.switch()
        port = switch.ports_afterwards[0]
        try:
            there = urlsplit(switch.found.base_url)
            name = there.hostname
            port = there.port if there.port and there.port not in switch.ports else port
        except ValueError:
            name = None
        first = switch.on(switch.ports_afterwards[0])[0]
        if name is None and not first.answers_every_name:
            name = first.host.strip("[]")
        return f"https://{bracketed(name or host.fqdn)}:{port}"

    def check_public_url(self, host: Host, value: str) -> str | None:
        if not value:
            return None
        try:
            said = urlsplit(value)
            wrong = said.scheme != "https" or not said.hostname or said.port == 0
            wrong = wrong or bool(said.path.strip("/") or said.query or said.fragment or said.username)
        except ValueError:
            wrong = True
        return "Give https://, a name and perhaps a port: https://api.example.com:8443." if wrong else None

    def applies_other_urls(self, host: Host) -> bool:
        return self.is_here and bool(self.public_url) and any(others(self.configuration()))

    def default_other_urls(self, host: Host) -> bool:
        return False

    def caution_other_urls(self, host: Host, value: bool) -> str | None:
        return "Tokens under the issuer's old name are no longer valid." if value else None

    def default_address(self, host: Host) -> str:
        from wizard.probe import bracketed

        first = self.switch().on(self.switch().ports_afterwards[0])[0]
        if not self.is_here:
            said = urlsplit(vars(self).get("public_url") or "")
            return f"{bracketed(said.hostname or 'localhost')}:{said.port or first.port}"
        return f"{bracketed(first.to_connect)}:{first.port}"

    # What becomes of them -----------------------------------------------------------------------------

    def _selected(self, named: tuple[str, ...]) -> tuple[int, ...]:
        """The ports that are meant, also by what they were before all moved. ValueError: there is none."""
        found = self.configuration()
        moved = tuple(found.ports) == (vars(self).get("port"),)
        try:
            return selected_ports(found, named)
        except ValueError:
            if moved and all(map(str.isdecimal, named)):
                return tuple(found.ports)
            raise

    def switch(self) -> Switch:
        """What becomes of the endpoints. Raises OSError, Refusal; ValueError for one that has gone."""
        answers = vars(self)
        port = answers.get("port") if len(self.configuration().ports) == 1 else None
        base_url = answers.get("public_url") or ""
        too, ports = bool(answers.get("other_urls")), self._selected(self.endpoints)
        return Switch(self.configuration(), ports, self.host, port, too, base_url)

    @property
    def public_name(self) -> str:
        """The name in the public URL; empty without one."""
        return urlsplit(vars(self).get("public_url") or "").hostname or ""
