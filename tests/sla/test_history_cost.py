"""A long history is gone through once: twice the history is about twice the work."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from incident_ops.domain.as_of import IncidentAt, as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.time import stamp
from incident_ops.notifications.alerts import alerts
from incident_ops.sla.compliance import outcomes
from incident_ops.sla.obligations import incident_obligations
from tests.sla.scene import DECLARED, at, incident, policy

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
        lambda view: alerts(view.incident, ALL_RULES, {}, view.now, ["pager"]),
        lambda view: outcomes(view, ALL_RULES),
    ],
    ids=["obligations", "alerts", "report"],
)
def test_twice_the_history_is_about_twice_the_work(kind: str, view_of: Callable[[IncidentAt], object]) -> None:
    """Counted in calls, so that no other load on the machine decides it."""
    counted = []
    for count in (LONGEST // 4, LONGEST // 2):
        made = long(kind, count)
        end = at(DECLARED) + timedelta(minutes=2 * count + 120)
        counted.append(work(lambda made=made, end=end: view_of(as_of(made, end))))  # type: ignore[misc]
    assert counted[1] < 2.6 * counted[0], counted
