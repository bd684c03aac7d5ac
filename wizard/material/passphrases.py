"""Passphrases: how strong one is, in words, and new ones."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from wizard.secret import Secret

_LONGEST_ESTIMATED = 72
"""Characters that zxcvbn estimates; it refuses more."""

_VERDICTS = ((6, "Very weak"), (10, "Weak"), (12, "Fair"), (15, "Good"))
"""Below which number of guesses, as a power of ten. zxcvbn's own scores are for logging in, where a service
limits the guesses; who holds the file is limited by nothing."""

_ENOUGH = 12
"""Years for one graphics card, and days for a hundred: the least for a key that signs."""

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without l and 1, o and 0: 32 letters, 5 bits each."""

_GROUPS, _GROUP = 5, 5


@dataclass(frozen=True, slots=True)
class Strength:
    """What a passphrase is worth to a guesser who has the encrypted key."""

    enough: bool
    words: str
    """A sentence or two: the verdict, and what would help."""


def strength(passphrase: Secret, known: Iterable[str] = ()) -> Strength:
    """Estimate a passphrase by zxcvbn (USENIX Security 2016), which knows words, names and keyboards.

    `known` are things a guesser tries first: host names, the organisation. The time is for 10,000 guesses a
    second, about what one graphics card does at 600,000 rounds of PBKDF2. Takes up to 30 milliseconds.
    """
    from zxcvbn import zxcvbn

    if not passphrase:
        return Strength(enough=False, words="No passphrase.")
    parts = [part for text in known for part in (text, *text.replace("-", ".").split(".")) if part]
    result = zxcvbn(passphrase.reveal()[:_LONGEST_ESTIMATED], user_inputs=parts)
    digits = result["guesses_log10"]
    verdict = next((word for limit, word in _VERDICTS if digits < limit), "Strong")
    time = result["crack_times_display"]["offline_slow_hashing_1e4_per_second"]
    feedback = result["feedback"]
    hints = [hint.rstrip(".") for hint in (feedback["warning"], *feedback["suggestions"]) if hint]
    return Strength(
        enough=digits >= _ENOUGH, words=". ".join((f"{verdict}: guessed in {time}", *hints)) + "."
    )


def generated() -> Secret:
    """Make a passphrase of 125 random bits, in groups that can be copied by hand: `k3m9x-q7w2p-...`."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return Secret("-".join(groups))
