"""Splices: the only way in which a file is edited."""

from __future__ import annotations

import pytest

from wizard.formats.splice import Splice, line_of, origin, splice


def test_splices_refer_to_the_original_whatever_their_order() -> None:
    assert (
        splice(b"0123456789", [Splice(8, 9, b"eight"), Splice(0, 0, b"<"), Splice(2, 5, b"")])
        == b"<01567eight9"
    )


def test_insertions_at_one_place_keep_their_order() -> None:
    assert splice(b"ac", [Splice(1, 1, b"b"), Splice(1, 1, b"B")]) == b"abBc"


@pytest.mark.parametrize(
    "wrong", [[Splice(0, 3, b""), Splice(2, 4, b"")], [Splice(2, 9, b"")], [Splice(3, 2, b"")]]
)
def test_splices_that_overlap_or_lie_outside_are_a_mistake(wrong: list[Splice]) -> None:
    with pytest.raises(ValueError, match="overlaps another or lies outside"):
        splice(b"01234", wrong)


def test_positions_lead_back_to_the_original() -> None:
    old = b"one\ntwo\nthree\n"
    splices = [Splice(0, 0, b"# new\n"), Splice(4, 8, b"")]
    new = splice(old, splices)
    assert [origin(new.index(word), splices) for word in (b"# new", b"one", b"three")] == [0, 0, 8]


def test_lines_are_counted_from_one() -> None:
    assert [line_of(b"a\nb\n", offset) for offset in range(4)] == [1, 1, 2, 2]
