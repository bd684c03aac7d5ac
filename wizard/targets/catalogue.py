"""What can be secured, by name: all that the first screen says of a target before its module is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wizard.targets import Target


@dataclass(frozen=True, slots=True)
class Offered:
    """A target as it is offered. Loading all of them takes as long as a fifth of the start."""

    key: str
    """Its name in an answers file: "hub-rest"."""
    title: str
    summary: str
    """What securing it means, one or two sentences."""
    load: Callable[[], type[Target]]


def _at(module: str, name: str) -> Callable[[], type[Target]]:
    return partial(_loaded, module, name)


def _loaded(module: str, name: str) -> type[Target]:
    target: type[Target] = getattr(import_module(f"wizard.targets.{module}"), name)
    return target


HUB_REST = Offered(
    "hub-rest",
    "IOTA Hub, REST",
    "Afterwards Hub answers https:// with a certificate of its own. Its REST API cannot check clients; "
    "whoever reaches the port can use it.",
    _at("hub_rest", "HubRest"),
)
HUB_GRPC = Offered(
    "hub-grpc",
    "IOTA Hub, gRPC",
    "Afterwards Hub's gRPC API speaks TLS only, and lets in only clients with a certificate that your "
    "own authority has issued to them.",
    _at("hub_grpc", "HubGrpc"),
)
NANO = Offered(
    "nano",
    "Nano node RPC",
    "Afterwards the node's RPC speaks TLS only, and asks its clients for a certificate. It takes a node "
    "of V21 to V26 that was built with TLS.",
    _at("nano", "Nano"),
)
SANTEDB = Offered(
    "santedb",
    "SanteDB REST",
    "Afterwards the endpoints of the iCDR or dCDR answer https:// only, with a certificate of their own. "
    "It takes versions 2 and 3.",
    _at("santedb", "SanteDb"),
)
NGINX = Offered(
    "nginx",
    "nginx",
    "Afterwards a server of nginx speaks TLS: one that is there, or a new one in front of a service "
    "that has none. On wish it asks its clients for certificates.",
    _at("nginx", "Nginx"),
)
CONNECTOR = Offered(
    "connector",
    "API connector",
    "Makes the three texts that a connector such as DronaHQ's takes: the authority, the client's "
    "certificate and its key. The proof calls the API in each mode and says which one works.",
    _at("connector", "Connector"),
)

EVERY: tuple[Offered, ...] = (HUB_REST, HUB_GRPC, NANO, SANTEDB, NGINX, CONNECTOR)
"""In the order in which they are offered."""
