"""The systems that can be secured: one file each, one class each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

from wizard.errors import BadAnswers
from wizard.plan import Tell, Warning, silent
from wizard.questions import Questionnaire
from wizard.targets import catalogue

if TYPE_CHECKING:
    from wizard.checks import ClientFiles, TlsService
    from wizard.host import Host
    from wizard.plan import Command, Plan
    from wizard.proof import Check


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at the host says about one target."""

    runs: bool
    status: str
    """A few words: "runs here: pid 4121, REST without TLS on 127.0.0.1:50051"."""
    details: tuple[str, ...] = ()
    """Whole lines: the script, the account, since when."""
    warnings: tuple[Warning, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """What the clients of a server that was set up here are given."""

    service: TlsService
    clients: Mapping[str, ClientFiles] | None
    """The files of each client that are here, by name; None: the server asks for no client certificate."""


class Target(Questionnaire, ABC):
    """A system with its questions (its fields), its plan and its proof."""

    key: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    """What securing it means, one or two sentences."""

    @classmethod
    @abstractmethod
    def find(cls, host: Host) -> Found:
        """Say what of this system is on the host."""

    @abstractmethod
    def plan(self, host: Host, tell: Tell = silent) -> Plan:
        """Make the plan in memory; raises Refusal where a file cannot be edited with certainty.

        `tell` is told how far it is, where that takes long; what it raises ends the making.
        """

    @abstractmethod
    def proof(self, host: Host) -> tuple[Check, ...]:
        """The checks that show whether what was promised is true."""

    def restart(self, host: Host) -> Command | None:
        """How the service is restarted, when that is known."""
        return None

    def offer(self, host: Host) -> Offer | None:
        """What its clients are given, once it is secured; None: it is no server."""
        return None


def every() -> tuple[type[Target], ...]:
    """All targets, in the order they are offered."""
    return tuple(offered.load() for offered in catalogue.EVERY)


def named(key: str) -> type[Target]:
    """The target with this key; raises BadAnswers naming the ones there are."""
    offered = {each.key: each for each in catalogue.EVERY}
    if key not in offered:
        near = get_close_matches(key, offered, n=1)
        hint = f'Did you mean "{near[0]}"?' if near else f"There are: {', '.join(offered)}."
        raise BadAnswers(f'There is no target "{key}". {hint}')
    return offered[key].load()
