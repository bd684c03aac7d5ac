"""The ways in which the wizard stops, each with its exit code and a sentence for a newcomer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class WizardError(Exception):
    """The wizard stops here; the message says what was found, where, why it stops and what to do."""

    exit_code = 1


@dataclass(eq=False)  # not frozen: Python sets an exception's traceback while it passes
class Refusal(WizardError):
    """A file cannot be edited with certainty, so it is not edited at all."""

    exit_code = 3

    path: Path
    reason: str
    """What was found and why it stops, one or two sentences."""
    remedy: str = ""
    """What to do about it."""
    line: int | None = None
    """Line number in the file, from 1."""
    by_hand: str = ""
    """Text to add by hand instead, if that is possible."""

    def __str__(self) -> str:
        where = f"{self.path}, line {self.line}" if self.line else str(self.path)
        parts = [f"{where}: {self.reason}", self.remedy]
        if self.by_hand:
            parts.append(f"To do it by hand, add:\n{self.by_hand}")
        return "\n".join(part for part in parts if part)


class WrongUsage(WizardError):
    """A command was given what does not go together."""

    exit_code = 2


class Drifted(WizardError):
    """A file is no longer as it was in the preview (or, for undo, as it was left)."""

    exit_code = 4


class Locked(WizardError):
    """Another run holds the lock."""

    exit_code = 5


class BadAnswers(WizardError):
    """The answers are incomplete or wrong; each problem names its question."""


@dataclass(eq=False)
class WrongAnswer(BadAnswers):
    """One answer turned out to be wrong only when it was used, such as a passphrase."""

    question: str
    """Its name."""
    sentence: str

    def __str__(self) -> str:
        return self.sentence
