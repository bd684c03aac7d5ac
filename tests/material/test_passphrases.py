"""Passphrases judged and made."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wizard.material.passphrases import generated, strength
from wizard.secret import Secret


@pytest.mark.parametrize(
    ("text", "enough", "words"),
    [
        ("", False, "No passphrase."),
        ("password", False, "Very weak: guessed in less than a second. This is a top-10 common password."),
        ("Tr0ub4dour&3", False, "Weak: guessed in 32 minutes."),
        ("qwertzuiop", False, "Very weak"),
        ("a" * 300, False, 'Repeats like "aaa" are easy to guess.'),
        ("hX7qpL2v9", False, "Weak: guessed in 1 day."),
        ("correct horse battery staple", True, "Strong: guessed in centuries."),
        ("Grüße aus dem schönen Wallis", True, "Strong"),
    ],
)
def test_strength_is_said_in_words(text: str, enough: bool, words: str) -> None:
    judged = strength(Secret(text))
    assert judged.enough is enough
    assert words in judged.words


def test_what_a_guesser_knows_is_worth_nothing() -> None:
    text = "quaxophon-signer"
    alone = strength(Secret(text))
    known = strength(Secret(text), ["signer.quaxophon.example"])
    assert not known.enough
    assert alone.enough


def test_a_passphrase_longer_than_the_estimator_takes_is_judged_by_its_beginning() -> None:
    assert strength(Secret("a" * 72 + "correct horse battery staple")) == strength(Secret("a" * 72))
    assert strength(Secret("correct horse battery staple" * 100)).enough


def test_a_generated_passphrase_is_strong_readable_and_never_the_same() -> None:
    made = {generated() for _ in range(1000)}
    assert len(made) == 1000
    for secret in made:
        text = secret.reveal()
        assert [len(group) for group in text.split("-")] == [5] * 5
        assert not frozenset(text) & frozenset("l1o0")
    letters = "".join(secret.reveal() for secret in made).replace("-", "")
    counts = [letters.count(letter) for letter in sorted(frozenset(letters))]
    assert len(counts) == 32  # 5 bits for each of 25 letters
    assert min(counts) > 600 < max(counts) < 960  # 781 on average, and 6 standard deviations either way
    assert strength(generated()).words == "Strong: guessed in centuries."


def test_the_estimator_is_loaded_only_when_it_is_asked() -> None:
    script = "import sys, wizard.material.passphrases; sys.exit('zxcvbn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
