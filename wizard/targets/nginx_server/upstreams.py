"""What listens on this host and could stand behind nginx."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from ipaddress import ip_address

from wizard.address import reached_at
from wizard.host import Host, Service
from wizard.probe import Endpoint
from wizard.targets.hub import service as hub_service

_APIS = ("hub", "nano_node", "nano_rpc", "mono", "mono-sgen", "dotnet", "java", "node", "python", "gunicorn")
"""Programs that serve HTTP, the ones we know best first."""
_OTHERS = (22, 25, 53, 3306, 5432, 6379, 27017)
"""Ports of services that speak something else."""


def suggestions(host: Host) -> tuple[tuple[Endpoint, str], ...]:
    """Where a client on this host reaches each, and which program it is; the likeliest first."""
    found = {
        str(at): (at, service.program)
        for service in sorted(host.services, key=_likelihood)
        if service.program != "nginx" and _speaks_http(service)
        for at in _endpoints(service)
    }
    return tuple(found.values())


def open_to_others(host: Host, port: int) -> str:
    """The address on which others reach the port without nginx; empty when none is known."""
    for service in host.services:
        for address, at in service.listening:
            if at == port and service.program != "nginx" and not is_loopback(address):
                return str(Endpoint(address, at))
    return ""


def is_free(port: int) -> bool:
    """Whether a program could listen on the port now; one that this user may not open counts as free."""
    with socket.socket(socket.AF_INET) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("", port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def _likelihood(service: Service) -> tuple[int, int]:
    known = next((rank for rank, name in enumerate(_APIS) if service.program.startswith(name)), len(_APIS))
    return known, service.pid


def _speaks_http(service: Service) -> bool:
    if service.program == "hub":  # its other API is gRPC, which is passed on in another way
        return hub_service.flags_in_force(service).get("serverType") == "http"
    return _likelihood(service)[0] < len(_APIS)


def _endpoints(service: Service) -> Iterator[Endpoint]:
    for address, port in service.listening:
        if port not in _OTHERS:
            yield Endpoint(reached_at(address), port)


def is_loopback(address: str) -> bool:
    """Whether only programs of this host reach what listens at an address, with or without brackets."""
    try:
        at = ip_address(address.strip("[]"))
    except ValueError:  # *, or a name
        return False
    mapped = getattr(at, "ipv4_mapped", None)
    return bool((mapped or at).is_loopback)
