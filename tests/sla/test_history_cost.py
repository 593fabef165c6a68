"""A long history is gone through once: the pages it caused are those that replaying each instant finds, and twice the
history is about twice the work."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from incident_ops.domain.as_of import MOMENT, IncidentAt, as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import FIXED, NEW
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import instant, parse_instant, stamp
from incident_ops.sla.activity import answers
from incident_ops.sla.clocks import AFTERWARDS
from incident_ops.sla.compliance import outcomes
from incident_ops.sla.obligations import PAGES, incident_obligations
from incident_ops.sla.pages import ended_pages, pages
from tests.sla.scene import DECLARED, at, incident, policy
from tests.sla.test_laws import nows, records

ALL_RULES = policy(
    "sev0-3",
    """\
levels:
- id: SEV1
  response_warn_at: 50%
  warn_at: 75%
  escalate_at: 1h
  stagnation: 10m
  defer_if_active_within: 30m
  diagnosis: 20m
- id: SEV2
  response_warn_at: 10m
  escalate_at: 2h
  stagnation: 10m
  update: {internal: 1h, public: 30m, public_max: 40m}
escalation:
  reassignments_gt: 3
  tiers:
  - {id: first, tier: 1, wait: 30m, repeat_max: 1, ack_timeout: 5m}
  - {id: second, tier: 2, wait: 1h}
""",
)
LONGEST = 1_000


def replayed(view: IncidentAt, rules: Policy) -> set[str]:
    """The keys of every page, by looking at the incident just before each of its instants, and now: slow and plain."""
    incident, now = view.incident, view.now
    opened = replace(incident, outcome=FIXED, duplicate_of=None)
    changed = {known for text in view.instants.values() if (known := instant(text)) is not None}
    changed |= {parse_instant(change.at) for change in incident.changes}
    changed |= {parse_instant(update.at) for update in incident.updates}
    before = sorted({one - MOMENT for one in (*changed, *answers(view, rules)) if one <= now})
    has_history = any(change.field == "state" for change in incident.changes)
    earlier = opened if has_history else replace(opened, state=NEW)
    return {
        one.key
        for instant_ in (now, *before)
        for one in incident_obligations(as_of(opened if instant_ == now else earlier, instant_), rules)
        if one.kind in PAGES and one.clock not in AFTERWARDS
    }


@given(records(), nows)
def test_one_pass_finds_every_page_that_replaying_finds(record: Incident, now: datetime) -> None:
    view = as_of(record, now)
    found = {page.key for page in pages(view, ALL_RULES)}
    assert replayed(view, ALL_RULES) <= found


def long(kind: str, count: int) -> Incident:
    """`count` entries of each history that `kind` names."""

    def minute(number: int) -> str:
        return stamp(at(DECLARED) + timedelta(minutes=number))

    fields: dict[str, Any] = {"severity": "SEV1", "state": "in_progress", "changes": [], "cycles": []}
    times = {"acknowledged": minute(3)}
    if kind == "levels":
        pair = ("SEV1", "SEV2")
        fields["changes"] = [
            {"at": minute(5 + number), "field": "severity", "from": pair[number % 2], "to": pair[1 - number % 2]}
            for number in range(count)
        ]
    if kind == "waits":
        pair = ("in_progress", "pending")
        fields["changes"] = [
            {"at": minute(5 + number), "field": "state", "from": pair[number % 2], "to": pair[1 - number % 2]}
            for number in range(count)
        ]
        fields["pauses"] = [
            {"from": minute(5 + number), "to": minute(6 + number), "waiting_for": "vendor"}
            for number in range(0, count, 2)
        ]
    fields["assignments"] = [{"at": minute(5 + number), "to": f"@p{number % 7}"} for number in range(count)]
    fields["updates"] = [
        {"at": minute(4 + 2 * number), "audience": "internal", "status": "investigating", "text": "x"}
        for number in range(count)
    ]
    fields["action_items"] = [{"id": f"AI-{number + 1}", "title": "x"} for number in range(count // 5)]
    return incident(times, **fields)


def work(call: Callable[[], object]) -> int:
    """How many functions a call calls."""
    profile = cProfile.Profile()
    profile.runcall(call)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["levels", "waits"])
@pytest.mark.parametrize(
    "view_of",
    [
        lambda view: incident_obligations(view, ALL_RULES),
        lambda view: list(ended_pages(view, ALL_RULES)),
        lambda view: outcomes(view, ALL_RULES),
    ],
    ids=["obligations", "ended pages", "report"],
)
def test_twice_the_history_is_about_twice_the_work(kind: str, view_of: Callable[[IncidentAt], object]) -> None:
    """Counted in calls, so that no other load on the machine decides it."""
    counted = []
    for count in (LONGEST // 4, LONGEST // 2):
        made = long(kind, count)
        end = at(DECLARED) + timedelta(minutes=2 * count + 120)
        counted.append(work(lambda made=made, end=end: view_of(as_of(made, end))))  # type: ignore[misc]
    assert counted[1] < 2.6 * counted[0], counted
