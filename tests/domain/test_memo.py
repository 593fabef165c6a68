"""What a pure function gave is given again to whoever asks about the very same things."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain import memo
from incident_ops.domain.memo import memoised


class Thing:
    """Equal to every other one, and without a hash, as what holds lists."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: int) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=60), st.integers(1, 12))
def test_it_is_the_function_whatever_is_asked_and_however_little_is_kept(
    asked: list[tuple[int, int, bool]], most: int
) -> None:
    before, memo._MOST = memo._MOST, most
    try:
        function = memoised(lambda one, other: (one.name, other.name))
        lasting = [Thing(number) for number in range(10)]
        for one, other, is_new in asked:  # a new thing may come to be where another one was
            things = (Thing(one), Thing(other)) if is_new else (lasting[one], lasting[other])
            assert function(*things) == (one, other)
    finally:
        memo._MOST = before


def test_the_same_is_worked_out_once_and_what_is_equal_is_not_the_same() -> None:
    done: list[Any] = []
    function = memoised(lambda one: done.append(one.name))
    one, other = Thing(1), Thing(2)
    for thing in (one, one, other, one, other):
        function(thing)
    assert done == [1, 2]


@pytest.mark.slow
def test_what_is_kept_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(memo, "_MOST", 10)
    function = memoised(lambda one: one.name)
    for number in range(1_000):
        function(Thing(number))
    gc.collect()
    assert sum(isinstance(one, Thing) for one in gc.get_objects()) <= 20 + 1
