"""Text from outside cannot steer a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.inert import inert, inert_bytes


@given(st.text(st.characters(codec=None)))
def test_nothing_that_steers_or_reorders_is_left(text: str) -> None:
    shown = inert(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert inert(shown) == shown, "made inert twice it is the same"
    shown.encode("utf-8")


@given(st.binary())
def test_any_bytes_can_be_shown(data: bytes) -> None:
    inert_bytes(data).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("\tx", "    x"),
        ("user\u202etxt.sh", "user\\u202etxt.sh"),
        ("a\U000e0001b", "a\\U000e0001b"),
        ("line\r", "line\\r"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
        ("naïve [bold]日本[/]", "naïve [bold]日本[/]"),
    ],
)
def test_characters_are_named_instead_of_obeyed(text: str, shown: str) -> None:
    assert inert(text) == shown


def test_foreign_bytes_are_shown_as_numbers() -> None:
    assert inert_bytes(b"caf\xe9 \xc3\xa9") == "caf\\xe9 é"
