"""Where two lists differ, told in a time that no content can stretch."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import takewhile
from typing import NamedTuple

MOST = 1000
"""Of more places than these only what stands the same at both ends is told; the rest counts as different."""


class Block(NamedTuple):
    """`now` stands where `was` stood; `same`: with the same content."""

    was: range
    now: range
    same: bool


def blocks(was: Sequence[Hashable], now: Sequence[Hashable]) -> Iterator[Block]:
    """Both lists from the first place to the last, each in pieces that are the same or differ.

    What repeats very often may count as different where it stands between differences (difflib's `autojunk`): with it
    the longest comparison takes a second, without it minutes.
    """
    head = _common(was, now)
    was_middle, now_middle = was[head:], now[head:]
    tail = _common(was_middle[::-1], now_middle[::-1])
    was_end, now_end = len(was) - tail, len(now) - tail
    if head:
        yield Block(range(head), range(head), same=True)
    if max(was_end, now_end) - head > MOST:
        yield Block(range(head, was_end), range(head, now_end), same=False)
    else:
        matcher = SequenceMatcher(None, was[head:was_end], now[head:now_end])
        for tag, first, last, new_first, new_last in matcher.get_opcodes():
            here, there = range(head + first, head + last), range(head + new_first, head + new_last)
            yield Block(here, there, same=tag == "equal")
    if tail:
        yield Block(range(was_end, len(was)), range(now_end, len(now)), same=True)


def _common(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
