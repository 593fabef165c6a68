"""What rules find out once for a record is never told of another one."""

from __future__ import annotations

from incident_ops.rules._support import computed_once


def test_only_the_very_same_object_is_answered_from_memory() -> None:
    """An equal one is asked about again, and so is one that was asked about before the last."""
    asked: list[list[int]] = []

    @computed_once
    def total(numbers: list[int]) -> int:
        """The sum."""
        asked.append(numbers)
        return sum(numbers)

    one, equal, other = [1, 2], [1, 2], [3]
    assert [total(one), total(one), total(equal), total(other), total(one)] == [3, 3, 3, 3, 3]
    assert [id(numbers) for numbers in asked] == [id(one), id(equal), id(other), id(one)]
    assert total.__doc__ == "The sum."


def test_what_failed_is_asked_again() -> None:
    """An error is no answer, and does not take the place of one."""
    calls: list[object] = []

    @computed_once
    def refusing(asked: object) -> bool:
        calls.append(asked)
        if len(calls) == 1:
            raise ValueError
        return True

    thing = object()
    try:
        refusing(thing)
    except ValueError:
        assert refusing(thing)
    assert calls == [thing, thing]
