"""What one incident has to do with another: its kinds, in words and from the other side; when they run in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from incident_ops.domain.incident import CAUSED_BY, CAUSES, DEPENDS_ON, SIMILAR, Relation

KINDS = (CAUSES, CAUSED_BY, DEPENDS_ON, SIMILAR)
"""The kinds that a record may hold."""
NEEDED_BY = "needed_by"
"""What `depends_on` is from the other side; no record holds it."""
_INVERSE = {CAUSES: CAUSED_BY, CAUSED_BY: CAUSES, DEPENDS_ON: NEEDED_BY, SIMILAR: SIMILAR}
_WORDS = {SIMILAR: "similar to"}


def inverse(kind: str) -> str:
    """The kind as the other incident sees it."""
    return _INVERSE[kind]


def spell_relation(relation: Relation) -> str:
    """`causes INC-2`, `similar to INC-3`."""
    return f"{_WORDS.get(relation.kind, relation.kind.replace('_', ' '))} {relation.id}"


def circle(source: str, relation: Relation, known: Mapping[str, Iterable[Relation]]) -> list[str]:
    """The ids along which a new relation of `source` would lead back to itself, itself first; empty where it does not.

    `known` has the relations by the id of the record that holds them. Likeness makes no circle.
    """
    if relation.kind == SIMILAR:
        return []
    ahead: dict[str, list[str]] = {}
    for name, relations in known.items():
        for one in relations:
            begin, end = _directed(name, one)
            if one.kind != SIMILAR and (one.kind == DEPENDS_ON) == (relation.kind == DEPENDS_ON):
                ahead.setdefault(begin, []).append(end)
    begin, goal = reversed(_directed(source, relation))
    ways, seen = [[begin]], {begin}
    for way in ways:
        if way[-1] == goal:
            return way
        fresh = [name for name in ahead.get(way[-1], ()) if name not in seen]
        seen.update(fresh)
        ways += [[*way, name] for name in fresh]
    return []


def _directed(source: str, relation: Relation) -> tuple[str, str]:
    """From the cause to its effect, from what depends to what it needs."""
    return (relation.id, source) if relation.kind == CAUSED_BY else (source, relation.id)
