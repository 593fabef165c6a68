"""Phases: which one an incident is in, and whether it has run over."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.domain.as_of import as_of
from incident_ops.sla.status import current_phase, phases
from tests.sla.scene import DECLARED, ITIL, SEV, after, at, change, incident, policy

S2 = policy("sev1-3")


@pytest.mark.parametrize(
    ("preset", "label", "planned"),
    [
        ("sev0-3", "SEV0", [("triage", "0s", "10m"), ("investigation", "10m", "30m"), ("mitigation", "30m", "1h")]),
        ("sev1-3", "SEV-1", [("triage", "0s", "15m"), ("root_cause", "15m", "45m")]),
        ("p0-p3", "P0", []),
    ],
)
def test_phases_are_planned_as_the_playbook_says(preset: str, label: str, planned: list[tuple[str, str, str]]) -> None:
    """R22, R23, R49, R50."""
    found = phases(as_of(incident(severity=label), at(DECLARED)), policy(preset))
    assert [(one.id, one.start, one.due) for one in found] == [
        (name, at(after(begin)), at(after(end))) for name, begin, end in planned
    ]


MOVED = [change("4m", "state", "new", "triaged")]


@pytest.mark.parametrize(
    ("times", "fields", "now", "name", "over"),
    [
        ({}, {}, "5m", "triage", 0),
        ({}, {}, "10m", "triage", 0),
        ({}, {}, "12m", "triage", 120),
        ({"acknowledged": "4m"}, {}, "5m", "investigation", 0),
        ({}, {"changes": MOVED, "state": "triaged"}, "5m", "investigation", 0),
        ({}, {"changes": MOVED, "state": "triaged"}, "3m", "triage", 0),
        ({"acknowledged": "4m"}, {}, "45m", "investigation", 900),
        ({"acknowledged": "4m", "diagnosed": "20m"}, {}, "45m", "mitigation", 0),
        ({"diagnosed": "20m"}, {}, "21m", "mitigation", 0),
        ({"mitigated": "20m"}, {}, "21m", None, 0),
        ({"restored": "20m"}, {}, "21m", None, 0),
        ({"resolved": "20m"}, {"state": "resolved"}, "21m", None, 0),
        ({"acknowledged": "4m", "diagnosed": "unknown"}, {}, "20m", "investigation", 0),
    ],
)
def test_a_phase_ends_by_what_happened_not_by_the_clock(
    times: dict[str, str], fields: dict[str, Any], now: str, name: str | None, over: int
) -> None:
    spelled = {field: text if text == "unknown" else after(text) for field, text in times.items()}
    found = current_phase(as_of(incident(spelled, severity="SEV1", **fields), at(after(now))), SEV)
    assert ((found.id, found.over_seconds) if found else None) == ((name, over) if name else None)


def test_an_ended_phase_says_how_much_too_long_it_took() -> None:
    record = incident({"acknowledged": after("25m")}, severity="SEV1")
    first = phases(as_of(record, at(after("9h"))), SEV)[0]
    assert (first.ended_at, first.over_seconds) == (at(after("25m")), 900)


def test_a_phase_under_a_name_of_its_own_ends_by_the_clock() -> None:
    own = "[{id: gather, from: 0m, to: 10m}, {id: rest, from: 10m, to: null}]"
    rules = policy("sev0-3", f"levels:\n- {{id: SEV3, calendar: 24x7, phases: {own}}}\n")
    names = [current_phase(as_of(incident(severity="SEV3"), at(after(now))), rules) for now in ("9m", "10m", "99h")]
    assert [one.id if one else None for one in names] == ["gather", "rest", "rest"]
    assert {one.over_seconds for one in names if one} == {0}


def test_what_came_back_is_in_no_planned_phase() -> None:
    record = incident({"resolved": after("1h")}, severity="SEV1", state="reopened", cycles=[{"reopened": after("9h")}])
    assert current_phase(as_of(record, at(after("10h"))), SEV) is None


def test_the_phases_of_a_two_scale_scheme_are_those_of_the_severity() -> None:
    assert phases(as_of(incident(priority="P1", severity="SEV-1"), at(DECLARED)), ITIL) == []


def test_business_hours_stretch_phases_too() -> None:
    """R48: SEV-3 of the third playbook works in business hours."""
    record = incident({"declared": "2025-01-24T16:50:00Z"}, severity="SEV-3")
    found = phases(as_of(record, at("2025-01-24T17:00:00Z")), S2)
    assert [one.due for one in found][:1] == [at("2025-01-27T09:05:00Z")]
