"""An action item is due, and overdue, alike in every view of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_ops.documents.incident_facts import item_dates
from incident_ops.documents.issue_bodies import IssueBodies
from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.item_due import days_late, item_due
from incident_ops.domain.record import Record, World
from incident_ops.domain.time import stamp
from incident_ops.reconcile.desired import desired_issues
from incident_ops.reconcile.references import leave_places
from incident_ops.render.incident import next_item
from incident_ops.render.lists import item_rows
from incident_ops.rules import item_complete, item_overdue
from incident_ops.sla.clocks import ACTION_ITEM, Risk, clocks
from incident_ops.sla.obligations import obligations
from tests.support.policies import policy

DECLARED = datetime(2025, 3, 1, 12, 5, tzinfo=UTC)
ZONES = ("Etc/UTC", "Europe/Berlin", "America/New_York", "America/Asuncion", "Africa/Cairo", "Pacific/Kiritimati")
RULES = """
action_items: {{due_by_priority: {{P0: {0}, P1: 30d}}, metric_days: {1}}}
calendars: {{business: {{tz: {2}}}}}
"""

moments = st.builds(
    lambda hours, edge: DECLARED.replace(hour=0, minute=0) + timedelta(hours=hours, seconds=edge),
    st.integers(0, 24 * 100),
    st.sampled_from([-1, 0, 1]),
)
policies = st.builds(
    lambda span, days, zone: policy("sev0-3", RULES.format(span, days, zone)),
    st.sampled_from(["7d", "12h", "null"]),
    st.sampled_from(["30", "null"]),
    st.sampled_from(ZONES),
)


@st.composite
def items(draw: st.DrawFn) -> dict[str, Any]:
    """What an item may say of its dates, its priority and its status."""
    day = (DECLARED + timedelta(days=draw(st.integers(0, 60)))).date().isoformat()
    added = draw(st.sampled_from([None, "2025-03-02", "2025-03-29T23:30:00Z", "2025-04-30T23:30:00-03:00"]))
    open_or_not = [{"status": "open"}, {"status": "in_progress"}, {"status": "done", "done_at": day}]
    fields = {
        "due": draw(st.sampled_from([None, day])),
        "priority": draw(st.sampled_from([None, "P0", "P1", "P2"])),
        "added": added,
        "owner": "@alice",
        **draw(st.sampled_from([*open_or_not, {"status": "wont_do"}])),
    }
    return {name: value for name, value in fields.items() if value is not None}


def record_of(fields: dict[str, Any]) -> Record:
    data = {
        "id": "INC-1", "title": "t", "severity": "SEV1", "state": "new", "services": ["api"],
        "times": {"declared": stamp(DECLARED)}, "action_items": [{"id": "AI-1", "title": "Add alerts", **fields}],
    }  # fmt: skip
    return Record("incidents/INC-1/incident.yaml", msgspec.convert(data, Incident), data)


@settings(max_examples=300)
@given(items(), policies, moments)
def test_every_view_agrees_on_when_an_item_is_due_and_whether_it_is_late(
    fields: dict[str, Any], rules: Any, now: datetime
) -> None:
    record = record_of(fields)
    incident = record.incident
    (item,) = incident.action_items
    due, late = item_due(item, incident, rules), days_late(incident, rules, now).get(0, 0)
    (row,) = item_rows([record], rules, now)
    assert (row.due, row.late) == (due, late)
    assert next_item(incident, rules) == ((item, due) if item.is_open else None)
    assert item_dates(incident, rules) == ({"AI-1": str(due)} if due else {})
    world = World(rules, {}, now)
    assert bool(list(item_overdue.check(record, world))) == bool(late)
    assert bool(list(item_complete.check(record, world))) == (due is None and item.status != "wont_do")

    bodies = IssueBodies([record], rules, now)
    issue = desired_issues([record], rules, bodies, now).issues["INC-1/AI-1"]
    assert ("overdue" in issue.labels) == bool(late)
    for text in map(leave_places, (bodies["INC-1"], bodies["INC-1/AI-1"])):
        lines = (line for line in text.splitlines() if "**Due:**" in line or "**AI-1**" in line)
        assert ("**overdue**" in "".join(lines)) == bool(late)
        assert due is None or str(due) in text

    if now < DECLARED:
        return
    (clock,) = (one for one in clocks(as_of(incident, now), rules) if one.clock == ACTION_ITEM)
    assert clock.item_due == due
    assert clock.due == (due.end if due else None)
    if item.is_open:
        assert (clock.risk is Risk.BREACHED) == bool(late)
        told = [one for one in obligations([record], rules, now).obligations if one.kind == ACTION_ITEM]
        assert any(f"was due on {due}" in one.reason for one in told) == bool(late)
