"""What a secret lets out: nothing."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from dataclasses import dataclass

import pytest

from wizard.secret import Secret

WORDS = "correct horse"


@dataclass(frozen=True)
class Answers:
    passphrase: Secret


def test_no_way_of_showing_a_secret_shows_it() -> None:
    secret = Secret(WORDS)
    shown = (repr(secret), str(secret), f"{secret}", f"{secret!r}", repr([secret]))
    in_dataclass = (repr(Answers(secret)), str(Answers(secret)))
    for text in shown + in_dataclass:
        assert "[hidden]" in text
        assert WORDS not in text
    assert not hasattr(secret, "__dict__")


def test_a_crash_report_with_locals_does_not_show_it() -> None:
    def crash(passphrase: Secret) -> None:
        raise RuntimeError(len(passphrase.reveal()))

    try:
        crash(Secret(WORDS))
    except RuntimeError as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        text = "".join(report.format())
    assert "passphrase = [hidden]" in text
    assert WORDS not in text


@pytest.mark.parametrize("store", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_a_secret_is_not_stored(store: object) -> None:
    assert callable(store)
    with pytest.raises(TypeError):
        store(Secret(WORDS))


def test_secrets_compare_by_their_text_and_with_nothing_else() -> None:
    assert Secret(WORDS) == Secret(WORDS)
    assert Secret("ü") == Secret("ü")
    assert Secret("\udc80") != Secret(WORDS)
    assert Secret(WORDS) != Secret(WORDS + " ")
    assert Secret(WORDS) != WORDS
    assert len({Secret(WORDS), Secret(WORDS)}) == 1
    assert Secret(WORDS).reveal() == WORDS
    assert Secret("x")
    assert not Secret("")
