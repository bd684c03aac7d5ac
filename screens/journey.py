"""What the app holds: the world it works in, and how far the user has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wizard.errors import WrongAnswer
    from wizard.host import Host
    from wizard.journal import Run
    from wizard.kinds import Raw
    from wizard.plan import Plan
    from wizard.targets import Target


@dataclass(frozen=True)
class Journey:
    """Everything the user has decided and the wizard has found so far."""

    host: Host | None = None
    given: Mapping[str, Mapping[str, Raw]] = field(default_factory=dict)
    """The answers given, by target key."""
    target: type[Target] | None = None
    before: Mapping[str, Raw] | None = None
    """What had been answered to the target before an earlier run was taken up, until that is written."""
    wrong: WrongAnswer | None = None
    """The answer that turned out wrong when it was used, until it is changed."""
    answers: Target | None = None
    plan: Plan | None = None
    run: Run | None = None
    """The run to prove."""
    earlier: bool = False
    """Whether that run is of an earlier start: of its answers, the passphrases are not known any more."""
    undone: Run | None = None
    """The run that is being taken back."""

    @property
    def ordinary(self) -> Mapping[str, Mapping[str, Raw]]:
        """The answers given, without those of an earlier run that is taken up: they are for that one way."""
        if self.target is None or self.before is None:
            return self.given
        return {**self.given, self.target.key: self.before}
