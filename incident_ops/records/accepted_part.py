"""What of a record can still be judged when the schema refuses it: the parts that it accepts.

A key that the schema refuses is left out; where the record needs one, a value that says nothing stands in for it. Rules
then see the rest. What they would say of a part that is not there, or because of one, is not said.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from incident_ops.findings import Finding, Route
from incident_ops.records.schema import check_document
from incident_ops.records.yaml_reader import Document

_MOST_ROUNDS = 10
"""How often the rest is looked at again; a key that is left out may leave the one above it without what it needs."""

COURSE = frozenset(
    ("state", "times", "changes", "corrections", "cycles", "outcome", "pauses", "cause", "postmortem", "roles")
)
"""Keys by which rules judge others: without one of these only rules that look at single values are asked."""


class AcceptedPart(NamedTuple):
    """The data that the schema accepts, and the routes of what was left out or stood in for."""

    data: dict[str, Any]
    left_out: frozenset[Route]

    @property
    def has_course(self) -> bool:
        """True where nothing is missing by which rules judge other parts."""
        return not any(route[0] in COURSE for route in self.left_out)

    def concerns(self, route: Route) -> bool:
        """True where a finding at this route is about something that is there."""
        return bool(route) and not any(_related(route, other) for other in self.left_out)


def accepted_part(document: Document, findings: Iterable[Finding], stand_ins: Mapping[str, Any]) -> AcceptedPart | None:
    """The accepted part of a record with these findings of the schema; None where it has none.

    `stand_ins` has a value for each key that every record needs.
    """
    if not isinstance(document.data, dict):
        return None
    data, left_out = copy.deepcopy(document.data), set[Route]()
    for _ in range(_MOST_ROUNDS):
        for finding in findings:
            left_out.add(_without(data, finding.where.route, stand_ins))
        findings = check_document(replace(document, data=data), "incident")
        if not findings:
            return AcceptedPart(data, frozenset(left_out))
    return None


def _without(data: dict[str, Any], route: Route, stand_ins: Mapping[str, Any]) -> Route:
    """Takes out the key at a route, or the one below the top that a list lies in -> what was taken out."""
    first, *rest = route or ("",)
    inner = data.get(str(first))
    if isinstance(inner, dict) and rest and rest[0] in inner:
        del inner[rest[0]]
        return (first, rest[0])
    data.pop(str(first), None)
    if first in stand_ins:
        data[str(first)] = copy.deepcopy(stand_ins[str(first)])
    return (first,)


def _related(route: Route, other: Route) -> bool:
    shared = min(len(route), len(other))
    return route[:shared] == other[:shared]
