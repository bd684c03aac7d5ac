"""What the app's workers tell it. A worker never touches a widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wizard.again import Waiting
    from wizard.errors import WizardError
    from wizard.host import Host
    from wizard.inventory import Listed
    from wizard.journal import Run
    from wizard.kinds import Raw
    from wizard.plan import Plan
    from wizard.proof import Check, Proof, Result
    from wizard.targets import Found
    from wizard.transaction import Progress


@dataclass
class Looked(Message):
    """The host has been looked at."""

    host: Host
    found: Mapping[str, Found]
    waiting: int
    """How many setups wait for a certificate."""
    kept: Mapping[str, Mapping[str, Raw]]
    """The answers kept from the last start, by target key; only the first look reads them."""


@dataclass
class Told(Message):
    """How far the making of a plan has come."""

    text: str

    def can_replace(self, message: Message) -> bool:
        """A newer one makes an older one needless."""
        return isinstance(message, Told)


@dataclass
class Inventoried(Message):
    """The certificates of this host have been looked at."""

    rows: tuple[Listed, ...]
    waiting: tuple[Waiting, ...]


@dataclass
class Made(Message):
    """The plan is made, or there is a reason why there is none."""

    made: Plan | WizardError


@dataclass
class Stopped(Message):
    """The engine stopped with a sentence."""

    text: str


@dataclass
class Progressed(Message):
    """One more change is made."""

    progress: Progress


@dataclass
class Applied(Message):
    """Everything is written."""

    run: Run


@dataclass
class Begun(Message):
    """These checks will be made."""

    checks: tuple[Check, ...]


@dataclass
class Checked(Message):
    """One more check is made."""

    result: Result


@dataclass
class Proven(Message):
    """All checks are made."""

    proof: Proof


@dataclass
class Restarted(Message):
    """What came of restarting the service."""

    text: str
    done: bool = False


@dataclass
class Recovered(Message):
    """What came of rolling an interrupted run back."""

    said: str | WizardError
