"""Where two lists differ: every place of both is told of once, and no content makes it slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.record import MOST_ITEMS, blocks
from tests.support.patience import patience

LINES = st.lists(st.sampled_from("abc"), max_size=12)


@given(LINES, LINES)
def test_blocks_cover_both_lists_and_the_same_is_the_same(was: list[str], now: list[str]) -> None:
    left, right = 0, 0
    for block in blocks(was, now):
        assert (block.was.start, block.now.start) == (left, right)
        assert block.same == (was[left : block.was.stop] == now[right : block.now.stop])
        left, right = block.was.stop, block.now.stop
    assert (left, right) == (len(was), len(now))


def test_an_insertion_among_lines_that_repeat_is_one_block() -> None:
    """However long the lists are: what is the same at both ends is not compared."""
    was = ["kind: note"] * 5000
    assert [(one.was, one.now) for one in blocks(was, [*was[:2000], "x", "y", *was[2000:]]) if not one.same] == [
        (range(2000, 2000), range(2000, 2002))
    ]


@pytest.mark.parametrize("size", [199, MOST_ITEMS, 5000])
def test_lines_that_repeat_are_compared_to_the_end(size: int) -> None:
    """The worst for a search of longest matches: it took four minutes for 3,000 lines."""
    kinds = [str(number) for number in range(max(1, size // 100))]
    with patience():
        list(blocks(["p", *["x"] * size, "p"], ["q", *["x", "y"] * (size // 2), "q"]))
        list(blocks(["p", *kinds * (size // len(kinds)), "p"], ["q", *reversed(kinds * (size // len(kinds))), "q"]))
