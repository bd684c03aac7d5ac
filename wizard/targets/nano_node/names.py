"""Whether names lead to where the node listens."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address

_SECONDS = 2.0
"""For all names together: a resolver without an answer keeps one waiting for long."""


def lead_elsewhere(names: Iterable[str], address: str) -> tuple[str, ...]:
    """Those of the host names by which a client on this host does not get to the address."""
    asked = [name for name in names if not _is_address(name) and "*" not in name]
    if not _is_address(address):
        return ()
    found: dict[str, set[str]] = {}
    threads = [threading.Thread(target=_look_up, args=(name, found), daemon=True) for name in asked]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + _SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return tuple(name for name in asked if address not in found.get(name, ()))


def _look_up(name: str, found: dict[str, set[str]]) -> None:
    with suppress(OSError, UnicodeError):
        found[name] = {str(one[4][0]) for one in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
