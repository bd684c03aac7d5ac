"""What the operator has to know before saying yes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wizard.plan import Warning
from wizard.targets.santedb_server import mono
from wizard.targets.santedb_server.found import named_certificate
from wizard.targets.santedb_server.other_urls import others
from wizard.targets.santedb_server.presented import Presented
from wizard.targets.santedb_server.switch import Switch


def of_mono(what: Presented, folder: Path, switch: Switch) -> Iterator[Warning]:
    """What is so because Mono ends TLS."""
    if what.between:
        several = f"{len(what.between)} intermediate certificate{'s' if len(what.between) > 1 else ''}"
        yield Warning(
            f"Mono sends the server's certificate alone, not the {several} behind it. Clients that have only "
            "the root, as for a public authority, refuse it: give them the bundle that is written, or put "
            "nginx before SanteDB."
        )
    yield from named_certificate(switch.found)
    if other := mono.misplaced(folder):
        yield Warning(f"Mono does not look in {other}; what is there has no effect, and stays.", other)
    yield Warning(
        "Mono asks every client for a certificate, though it can use none: browsers may show a choice. Who "
        "may do what is up to SanteDB's own accounts."
    )


def of_switch(switch: Switch) -> Iterator[Warning]:
    """What is so for clients from then on, and what else names the addresses."""
    if switch.turned:
        yield Warning(
            "From the restart on these ports speak TLS only. Whoever uses http:// there now, dCDRs that have "
            "joined among them, stops working until it is given the new address."
        )
    if not switch.others:
        yield from (other.warning() for other in others(switch.found))
