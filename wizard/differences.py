"""Where two files differ, line by line; also where they are long, as configurations of many servers are.

`difflib` compares each line with all that are equal to it, which for thousands of servers of the same shape
takes minutes. So what is equal at both ends of a long file is put aside, and the rest is parted by the lines
that stand exactly once in both (the "patience diff" of Bram Cohen); difflib has what is between them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import Match, SequenceMatcher

SHORT = 4_000
"""Lines of both together, up to which difflib alone is fast enough."""


class LineMatcher(SequenceMatcher[bytes]):
    """difflib's matcher for lines, none of which is passed over for being frequent."""

    def __init__(self, before: Sequence[bytes], after: Sequence[bytes]) -> None:
        super().__init__(None, before, after, False)
        self._before, self._after = before, after

    def get_matching_blocks(self) -> list[Match]:
        """The runs of equal lines, and at last an empty one at the end of both."""
        if len(self._before) + len(self._after) <= SHORT:
            return super().get_matching_blocks()
        found: list[Match] = []
        for first, second, size in _runs(self._before, self._after):
            last = found[-1] if found else Match(0, 0, 0)
            if found and (last.a + last.size, last.b + last.size) == (first, second):
                found[-1] = Match(last.a, last.b, last.size + size)
            elif size:
                found.append(Match(first, second, size))
        return [*found, Match(len(self._before), len(self._after), 0)]


def _runs(before: Sequence[bytes], after: Sequence[bytes]) -> Iterator[tuple[int, int, int]]:
    """Equal runs in their order, some of them beside each other."""
    shorter = min(len(before), len(after))
    head = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    tail = next((at for at in range(shorter - head) if before[-1 - at] != after[-1 - at]), shorter - head)
    yield 0, 0, head
    begins = head, head
    ends = len(before) - tail, len(after) - tail
    for anchor in (
        *_anchors(before[head : ends[0]], after[head : ends[1]]),
        (ends[0] - head, ends[1] - head),
    ):
        stops = anchor[0] + head, anchor[1] + head
        between = SequenceMatcher(
            None, before[begins[0] : stops[0]], after[begins[1] : stops[1]], autojunk=False
        )
        for run in between.get_matching_blocks():
            yield begins[0] + run.a, begins[1] + run.b, run.size
        begins = stops
    yield ends[0], ends[1], tail


def _anchors(before: Sequence[bytes], after: Sequence[bytes]) -> list[tuple[int, int]]:
    """Where the lines stand that both have once, as many of them as stand in the same order in both."""
    once = {line: at for at, line in enumerate(after)}
    counts, others = Counter(after), Counter(before)
    pairs = [
        (at, once[line]) for at, line in enumerate(before) if others[line] == 1 and counts.get(line, 0) == 1
    ]
    # The longest rising sequence: `lowest` has the smallest end of one of each length.
    lowest: list[int] = []
    chains: list[tuple[int, int, int]] = []  # both places, and the pair before in `chains`
    tops: list[int] = []
    for first, second in pairs:
        length = bisect_left(lowest, second)
        lowest[length : length + 1] = [second]
        tops[length : length + 1] = [len(chains)]
        chains.append((first, second, tops[length - 1] if length else -1))
    found: list[tuple[int, int]] = []
    at = tops[-1] if tops else -1
    while at >= 0:
        first, second, at = chains[at]
        found.append((first, second))
    return found[::-1]
