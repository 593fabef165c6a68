"""Compliance: what was met, what was missed, what does not count and why (R55, R56, R145, R204; goals R201, R205)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Record, Unread
from incident_ops.sla.clocks import RESOLUTION, RESPONSE, UPDATE_INTERNAL
from incident_ops.sla.compliance import (
    Compliance,
    Figures,
    Goal,
    Percentiles,
    Period,
    compliance,
    outcomes,
    percent,
    spread,
)
from tests.sla.scene import SEV, after, at, change, incident, policy, update

NOW = after("30d")
GOALS = policy("sev0-3", "targets: {sla_compliance_pct: 50, escalation_accuracy_pct: 50}\n")


def record(one: Incident) -> Record:
    return Record(f"incidents/{one.id}/incident.yaml", one, {})


def over(resolved: str, name: str = "INC-1", acknowledged: str = "5m", **fields: Any) -> Incident:
    """A SEV1 that was resolved: response 15 min, resolution 2 h."""
    times = {"acknowledged": after(acknowledged), "resolved": after(resolved), **fields.pop("times", {})}
    return incident(times, id=name, state="resolved", **{"severity": "SEV1", **fields})


def made(*incidents: Incident, rules: Any = SEV, now: str = NOW, **options: Any) -> Compliance:
    return compliance([record(one) for one in incidents], rules, at(now), **options)


def figures(report: Compliance, clock: str = RESOLUTION) -> Figures:
    return next(one for one in report.total if one.clock == clock)


def test_met_missed_percent_and_lengths() -> None:
    """Three in time, one late: 75 %, and never a mean without n, median and p90."""
    spans = ["10m", "20m", "30m", "3h"]
    found = figures(made(*[over(span, f"INC-{number}") for number, span in enumerate(spans, 1)]))
    assert (found.n, found.met, found.missed, found.unfinished, found.percent) == (4, 3, 1, 0, 75.0)
    assert found.lasted == Percentiles(4, 25 * 60, 3 * 3600, 60 * 60)
    assert found.excluded == {}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"drill": True}, "drill"),
        ({"duplicate_of": "INC-2"}, "duplicate"),
        ({"outcome": "false_alarm"}, "false_alarm"),
        ({"outcome": "withdrawn"}, "withdrawn"),
        ({"times": {"resolved": "unknown"}}, "unknown_instant"),
        ({"times": {"detected": "2025-01-20T12:00:00Z"}}, "retroactive"),
        ({"severity": "SEV1", "changes": [change("2h30m", "severity", "SEV2", "SEV1")]}, "breached_by_retarget"),
    ],
)
def test_what_does_not_count_is_counted_with_its_reason(fields: dict[str, Any], reason: str) -> None:
    """And is neither met nor missed, nor in any length."""
    found = figures(made(over("3h", **fields)))
    assert (found.n, found.excluded, found.lasted, found.percent) == (0, {reason: 1}, None, None)


def test_what_still_runs_counts_from_its_due_instant_on() -> None:
    """Before it is nothing; after it is missed, and has no length yet."""
    alive = incident({"acknowledged": after("5m")}, severity="SEV1", state="in_progress")
    before, later = (figures(made(alive, now=after(span))) for span in ("2h", "2h1s"))
    assert (before.n, before.excluded) == (0, {"running": 1})
    assert (later.n, later.missed, later.unfinished, later.lasted) == (1, 1, 1, None)


def test_an_item_that_was_dropped_and_one_without_a_date_do_not_count() -> None:
    items = [
        {"id": "AI-1", "title": "t", "status": "wont_do", "due": "2025-01-23"},
        {"id": "AI-2", "title": "t", "status": "open"},
        {"id": "AI-3", "title": "t", "status": "done", "due": "2025-01-25", "done_at": after("1d")},
    ]
    rules = policy("sev0-3", "action_items: {metric_days: null}\n")
    found = figures(made(over("1h", action_items=items), rules=rules), "action_item")
    assert (found.n, found.met, found.excluded) == (1, 1, {"dropped": 1, "no_due": 1})


def test_items_done_within_the_policys_days_are_a_goal() -> None:
    """R193: counted from when each was added; what is open and older has failed, what is younger is not judged yet."""
    items = [
        {"id": "AI-1", "title": "t", "status": "done", "added": "2025-01-22", "done_at": "2025-02-21"},
        {"id": "AI-2", "title": "t", "status": "done", "added": "2025-01-22", "done_at": "2025-02-22T00:00:01Z"},
        {"id": "AI-3", "title": "t", "status": "open", "added": "2025-01-22", "due": "2026-01-01"},
        {"id": "AI-4", "title": "t", "status": "open", "added": "2025-03-01"},
        {"id": "AI-5", "title": "t", "status": "wont_do", "added": "2025-01-22"},
        {"id": "AI-6", "title": "t", "status": "done", "added": "2025-01-22", "done_at": "unknown"},
    ]
    (goal,) = (
        one for one in made(over("1h", action_items=items), now="2025-03-10T12:00:00Z").goals if one.within == "30d"
    )
    assert (goal.good, goal.n, goal.left_out, goal.is_reached) == (1, 3, 3, False)


def test_the_postmortem_of_what_was_declared_after_the_fact_counts() -> None:
    """It is work that is left, whenever the incident was declared."""
    late = over("1h", times={"detected": "2025-01-20T12:00:00Z"})
    assert figures(made(late), "postmortem_meeting").missed == 1


def test_missed_slots_make_the_update_clock_late_whatever_its_present_slot_is() -> None:
    """R145: the slots are counted, and have no lengths."""
    alive = incident({"acknowledged": after("5m")}, severity="SEV1", state="in_progress", updates=[update("100m")])
    found = figures(made(alive, now=after("101m")), UPDATE_INTERNAL)
    assert (found.missed, found.slots, found.lasted) == (1, (1, 3), None)
    kept = figures(made(over("59m", updates=[update("29m")])), UPDATE_INTERNAL)
    assert (kept.met, kept.slots) == (1, (2, 0))


def test_groups_by_level_service_and_month() -> None:
    """An incident with two services counts for both, once in the total; a month is that of the declaration."""
    one = over("1h", services=["app", "web"])
    two = over("1h", "INC-2", severity="SEV2", times={"declared": "2025-02-03T00:00:00Z", "resolved": "unknown"})
    names = {by: [group.name for group in made(one, two, by=by).groups] for by in ("level", "service", "month")}
    assert names == {"level": ["SEV1", "SEV2"], "service": ["app", "web"], "month": ["2025-01", "2025-02"]}
    by_service = made(one, two, by="service")
    assert figures(by_service).n == 1
    assert [group.figures[1].n for group in by_service.groups] == [1, 1]


def test_the_period_takes_its_first_instant_and_not_its_last() -> None:
    one = over("1h")
    first, second = at(after("0s")), at(after("1s"))
    assert made(one, period=Period(first, second)).incidents == 1
    assert made(one, period=Period(None, first)).incidents == 0
    assert made(one, period=Period(second)).incidents == 0


def test_what_is_declared_later_is_not_there_yet() -> None:
    assert made(over("1h"), now="2025-01-22T11:59:59Z").incidents == 0


def test_a_foreign_level_is_listed_never_left_out_in_silence() -> None:
    report = made(over("1h", severity="P1"))
    assert [one.path for one in report.unread] == ["incidents/INC-1/incident.yaml"]
    assert made(unread=[Unread("x", "y")]).unread == (Unread("x", "y"),)


def test_missed_clocks_come_the_latest_first() -> None:
    report = made(over("3h"), over("9h", "INC-2"), over("1h", "INC-3"))
    late = [(one.incident, one.clock) for one in report.late if one.clock == RESOLUTION]
    assert late == [("INC-2", RESOLUTION), ("INC-1", RESOLUTION)]
    assert report.has_missed


def goal(report: Compliance, name: str) -> Goal:
    return next(one for one in report.goals if one.name == name)


def test_the_goal_asks_for_more_than_its_share() -> None:
    """R204 says `> 95 %`: half of the clocks is not more than 50 %."""
    half = made(over("3h"), rules=GOALS)
    found = goal(half, "sla_compliance")
    assert (found.n, found.percent, found.is_reached) == (2, 50.0, False)
    assert goal(made(over("3h"), over("1h", "INC-2"), rules=GOALS), "sla_compliance").is_reached
    assert goal(made(rules=GOALS), "sla_compliance").is_reached is None


def test_the_share_of_a_level_resolved_in_time() -> None:
    """R201: 90 % of SEV0 within an hour, judged by working time; one that runs longer has failed already."""
    ten = [over("1h", f"INC-{number}", severity="SEV0") for number in range(9)]
    reached = goal(made(*ten, over("61m", "INC-9", severity="SEV0")), "resolution_within")
    assert (reached.n, reached.percent, reached.is_reached) == (10, 90.0, True)
    waiting = [{"from": after("10m"), "to": after("40m"), "waiting_for": "vendor"}]
    assert goal(made(over("80m", severity="SEV0", pauses=waiting)), "resolution_within").good == 1
    afterwards = over("1h", severity="SEV0", times={"restored": after("0s")})
    assert goal(made(afterwards), "resolution_within")[3:5] == (0, 1)
    alive = incident(severity="SEV0", state="in_progress")
    early, late = (goal(made(alive, now=after(span)), "resolution_within") for span in ("59m", "61m"))
    assert (early.n, early.left_out, late.n, late.good) == (0, 1, 1, 0)


def entry(key: str, appropriate: Any, due: str = "1h", noticed: str = "2h", rule: str = "time") -> dict[str, Any]:
    told = {"rule": rule, "reason": "r", "appropriate": appropriate}
    return {"at": after(due), "key": key, "noticed_at": after(noticed), **told}


def test_accuracy_counts_judged_escalations_only() -> None:
    """R205; drills are no history."""
    found = over("3h", escalations=[entry("a", True), entry("b", False), entry("c", "unknown")])
    drilled = over("3h", "INC-2", drill=True, escalations=[entry("d", False)])
    one = goal(made(found, drilled, rules=GOALS), "escalation_accuracy")
    assert (one.n, one.good, one.left_out, one.is_reached) == (2, 1, 1, False)


def test_how_late_runs_noticed_and_how_long_nobody_looked() -> None:
    """Stretches that overlap are told once; what was done by hand was noticed by whoever did it."""
    entries = [
        entry("a", "unknown", "1h", "2h"),
        entry("b", "unknown", "90m", "2h"),
        entry("c", "unknown", "5h", "5h10m"),
        entry("d", "unknown", "6h", "9h", rule="manual"),
    ]
    found = made(over("9h", escalations=entries)).noticing
    assert found is not None
    assert found.lag == Percentiles(3, 1800, 3600, 2000)
    assert (found.blind_seconds, found.longest, found.longest_seconds) == (4200, "a", 3600)
    assert made(over("9h")).noticing is None
    assert made(over("9h", escalations=entries), now=after("1h")).noticing is None


@given(st.lists(st.integers(0, 10**7), min_size=1))
def test_a_spread_is_made_of_what_there_is(seconds: list[int]) -> None:
    """The p90 is one of the values, at least 90 % are at or below it, and the median lies between the ends."""
    found = spread(seconds)
    assert found is not None
    assert found.p90 in seconds
    assert sum(one <= found.p90 for one in seconds) * 10 >= 9 * len(seconds)
    assert min(seconds) <= found.median <= found.p90 <= max(seconds)
    assert found.n == len(seconds)


@pytest.mark.parametrize(("part", "whole", "told"), [(0, 0, None), (9496, 10_000, 94.9), (1, 3, 33.3), (7, 7, 100.0)])
def test_a_percentage_is_rounded_down(part: int, whole: int, told: float | None) -> None:
    assert percent(part, whole) == told


@given(st.integers(0, 400))
def test_every_clock_is_met_missed_or_excluded_at_any_instant(minutes: int) -> None:
    """None is lost, and none is counted twice."""
    one = over("3h", updates=[update("20m"), update("95m", "public")], drill=False)
    now = after(f"{minutes}m")
    report = made(one, now=now)
    counted = {name.clock: name.n + sum(name.excluded.values()) for name in report.total}
    expected: dict[str, int] = {}
    for outcome in outcomes(as_of(one, at(now)), SEV):
        expected[outcome.clock.clock] = expected.get(outcome.clock.clock, 0) + 1
    assert counted == expected
    assert RESPONSE in counted
