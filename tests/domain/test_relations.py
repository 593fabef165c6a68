"""Relations between incidents: both sides of one, and circles."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from incident_ops.domain.incident import CAUSED_BY, CAUSES, DEPENDS_ON, SIMILAR, Relation
from incident_ops.domain.relations import KINDS, circle, inverse, spell_relation


def test_the_other_side_of_the_other_side_is_this_side() -> None:
    """`caused_by` for `causes`; likeness is the same from both."""
    assert inverse(inverse(CAUSES)) == CAUSES
    assert inverse(SIMILAR) == SIMILAR
    assert spell_relation(Relation(id="INC-2", kind=inverse(DEPENDS_ON))) == "needed by INC-2"


@pytest.mark.parametrize("seed", range(40))
def test_a_circle_is_found_where_the_effect_leads_back_to_the_cause(seed: int) -> None:
    """As a walk over every pair of the same sort says; whichever record holds a relation."""
    dice = random.Random(seed)
    names = [f"INC-{number}" for number in range(1, 7)]
    known = {
        name: [Relation(id=dice.choice(names), kind=dice.choice(KINDS)) for _ in range(dice.randint(0, 2))]
        for name in names
    }
    source, relation = dice.choice(names), Relation(id=dice.choice(names), kind=dice.choice(KINDS))
    pairs = {
        (one.id, name) if one.kind == CAUSED_BY else (name, one.id)
        for name, relations in known.items()
        for one in relations
        if one.kind != SIMILAR and (one.kind == DEPENDS_ON) == (relation.kind == DEPENDS_ON)
    }
    start, goal = (source, relation.id) if relation.kind == CAUSED_BY else (relation.id, source)
    reached = {start}
    while more := {end for begin, end in pairs if begin in reached} - reached:
        reached |= more
    way = circle(source, relation, known)
    assert bool(way) == (relation.kind != SIMILAR and goal in reached)
    if way:
        assert (way[0], way[-1]) == (start, goal)
        assert all(step in pairs for step in pairwise(way))
