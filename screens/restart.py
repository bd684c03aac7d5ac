"""The key that has a service read its files: it is named by what it does to that service."""

from __future__ import annotations

from screens.base import letter
from wizard.plan import Plan
from wizard.service import words

RESTART_KEYS = [
    binding for word in ("restart", "reload", "start") for binding in letter("s", f"restart('{word}')", word)
]


def restarts(plan: Plan, parameters: tuple[object, ...]) -> bool:
    """Whether the key of these parameters is the one for this plan; none is where nobody knows how."""
    return plan.restart is not None and parameters == (words(plan.restart).partition(" ")[0],)
