"""edit: lists as people type them."""

from __future__ import annotations

import random

import pytest

from incident_ops.edits.details import new_list
from incident_ops.errors import UserError


@pytest.mark.parametrize("seed", range(30))
def test_what_is_added_is_there_once_and_what_is_taken_away_is_not(seed: int) -> None:
    """All others stay, in their order."""
    dice = random.Random(seed)
    before = dice.sample("abcdef", dice.randint(1, 5))
    gone = dice.sample(before, dice.randint(0, len(before)))
    added = [name for name in dice.sample("abcdefgh", 3) if name not in gone]
    words = [*(f"+{name}" for name in added), *(f"-{name}" for name in gone)]
    dice.shuffle(words)
    after = new_list("tags", before, words) if words else before
    assert [name for name in after if name in before] == [name for name in before if name not in gone]
    assert set(after) == (set(before) | set(added)) - set(gone)
    assert len(after) == len(set(after))


def test_a_whole_list_replaces_and_a_hyphen_empties() -> None:
    """In the order typed, each once."""
    assert new_list("tags", ["a"], ["c", "b", "c"]) == ["c", "b"]
    assert new_list("tags", ["a"], ["-"]) == []


@pytest.mark.parametrize("words", [("+a", "b"), ("-z",), ("-a", "-a")])
def test_what_is_meant_must_be_clear(words: tuple[str, ...]) -> None:
    """Both forms at once; a value that is not there, or not any more."""
    with pytest.raises(UserError):
        new_list("tags", ["a"], words)
