"""Differences of long files are found in short time, and are true."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard import differences
from wizard.differences import LineMatcher

LINES = st.lists(
    st.sampled_from([b"a", b"b", b"{", b"}", b"unique 1", b"unique 2", b"unique 3"]), max_size=30
)


@given(LINES, LINES)
def test_the_opcodes_lead_from_one_to_the_other(before: list[bytes], after: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(differences, "SHORT", 0)
        opcodes = LineMatcher(before, after).get_opcodes()
    made: list[bytes] = []
    read: list[bytes] = []
    for tag, start, end, new_start, new_end in opcodes:
        made += before[start:end] if tag == "equal" else after[new_start:new_end]
        read += before[start:end]
        assert (before[start:end] == after[new_start:new_end]) is (tag == "equal")
    assert (read, made) == (before, after)


def test_edits_far_apart_in_thousands_of_servers_are_found_at_once() -> None:
    before: list[bytes] = []
    for number in range(5_000):
        before += [b"server {", b"  listen 80;", b"  server_name site%d;" % number, b"  root /x;", b"}"]
    after = [*before[:52], b"  # new", *before[52:24_990], b"  # also", *before[24_992:]]
    begun = time.perf_counter()
    opcodes = [one for one in LineMatcher(before, after).get_opcodes() if one[0] != "equal"]
    assert time.perf_counter() - begun < 2
    assert opcodes == [("insert", 52, 52, 52, 53), ("replace", 24_990, 24_992, 24_991, 24_992)]
