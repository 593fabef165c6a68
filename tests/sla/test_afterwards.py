"""Postmortem and action items: the clocks of the work that is left when an incident is over."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.sla.clocks import Clock, ClockState, Risk, clocks
from tests.sla.scene import ITIL, SEV, after, at, incident, policy

RULES = policy("sev0-3", "levels:\n- id: SEV1\n  postmortem: {final_within: 5d}\n")
OVER = {"acknowledged": after("1m"), "resolved": after("1h")}
P0 = policy("p0-p3", "calendars:\n  business:\n    tz: America/New_York\n    hours: {monday: ['09:00-17:00']}\n")


def over(**fields: Any) -> Incident:
    return incident(OVER, **{"severity": "SEV1", "state": "resolved"} | fields)


def named(record: Incident, name: str, now: str, rules: Any = RULES) -> Clock | None:
    return next((one for one in clocks(as_of(record, at(after(now))), rules) if one.clock == name), None)


# Postmortem -----------------------------------------------------------------------------------------------------------


def test_a_postmortem_is_owed_from_the_resolution_on() -> None:
    """R171: 48 h; the final text by `final_within`."""
    assert named(incident(severity="SEV1"), "postmortem_meeting", "1h") is None
    meeting, final = (named(over(), name, "2h") for name in ("postmortem_meeting", "postmortem_final"))
    assert meeting is not None
    assert final is not None
    assert (meeting.start, meeting.due, meeting.state) == (at(after("1h")), at(after("49h")), ClockState.RUNNING)
    assert final.due == at(after("121h"))


def test_the_next_day_is_a_shorter_target_of_the_same_clock() -> None:
    """R172: the severity's, in a scheme with two scales."""
    record = over(severity="SEV-1", priority="P1")
    found = named(record, "postmortem_meeting", "2h", ITIL)
    assert found is not None
    assert (found.due, found.level) == (at(after("25h")), "SEV-1")


@pytest.mark.parametrize(
    ("meeting", "now", "state"),
    [
        (None, "50h", ClockState.RUNNING),
        ("49h", "50h", ClockState.MET),
        ("49h1s", "50h", ClockState.MISSED),
        ("60h", "50h", ClockState.RUNNING),  # planned is not held
        ("30m", "50h", ClockState.MET),
    ],
)
def test_a_meeting_stops_its_clock_once_it_has_been(meeting: str | None, now: str, state: ClockState) -> None:
    held = {"status": "draft"} | ({"meeting": after(meeting)} if meeting else {})
    found = named(over(postmortem=held), "postmortem_meeting", now)
    assert found is not None
    assert found.state is state


@pytest.mark.parametrize(("severity", "fields"), [("SEV2", {}), ("SEV1", {"drill": True})])
def test_no_postmortem_is_owed_where_the_level_asks_for_none_or_it_was_a_drill(
    severity: str, fields: dict[str, Any]
) -> None:
    assert named(over(severity=severity, **fields), "postmortem_meeting", "2h") is None


def test_while_people_are_at_work_again_the_postmortem_waits() -> None:
    """One incident, one postmortem: its origin stays the first resolution."""
    back = {"state": "in_progress", "cycles": [{"reopened": after("3h")}]}
    found = named(over(**back), "postmortem_meeting", "10h")
    assert found is not None
    assert (found.state, found.due, found.elapsed_seconds, found.cycle) == (ClockState.PAUSED, None, 2 * 3600, 1)
    again = over(cycles=[{"reopened": after("3h"), "resolved": after("13h")}])
    found = named(again, "postmortem_meeting", "20h")
    assert found is not None
    assert (found.state, found.due) == (ClockState.RUNNING, at(after("59h")))


def test_a_reopening_does_not_undo_a_missed_postmortem() -> None:
    found = named(over(state="in_progress", cycles=[{"reopened": after("60h")}]), "postmortem_meeting", "61h")
    assert found is not None
    assert found.risk is Risk.BREACHED


def test_a_postmortem_owed_since_nobody_knows_when_is_listed_without_a_due() -> None:
    record = incident({"resolved": "unknown"}, severity="SEV1", state="resolved")
    found = named(record, "postmortem_meeting", "99h")
    assert found is not None
    assert (found.state, found.due, found.remaining_seconds) == (ClockState.NO_DUE, None, None)


# Action items ---------------------------------------------------------------------------------------------------------


def item(rules: Any = SEV, now: str = "2h", record: Incident | None = None, **fields: Any) -> Clock:
    """The clock of the one item of a resolved record."""
    given = record or over(
        severity="P0" if rules is P0 else "SEV1", action_items=[{"id": "AI-1", "title": "t", **fields}]
    )
    found = named(given, "action_item", now, rules)
    assert found is not None
    return found


def test_an_item_is_due_at_the_end_of_its_day_in_the_business_calendars_zone() -> None:
    found = item(due="2025-01-25")
    assert (found.due, found.state, found.item) == (at("2025-01-26T00:00:00Z"), ClockState.RUNNING, "AI-1")
    assert item(P0, due="2025-01-25").due == at("2025-01-26T05:00:00Z")


@pytest.mark.parametrize(("now", "risk"), [("84h", Risk.OK), ("84h1s", Risk.BREACHED)])
def test_an_item_is_late_after_the_end_of_its_day(now: str, risk: Risk) -> None:
    assert item(now=now, due="2025-01-25").risk is risk


@pytest.mark.parametrize(
    ("priority", "due"),
    [("P0", "2025-01-30"), ("P1", "2025-02-22"), ("P2", "2025-04-23"), ("P3", None), (None, None)],
)
def test_without_a_date_an_item_is_due_by_its_priority_after_it_was_added(
    priority: str | None, due: str | None
) -> None:
    """R194: a week, a month, a quarter from 2025-01-22 13:00 UTC; the day ends at midnight in New York."""
    found = item(P0, added="2025-01-22T13:00:00Z", **({"priority": priority} if priority else {}))
    wanted = None if due is None else at(f"{due}T{'04' if due > '2025-03-09' else '05'}:00:00Z")
    assert (found.due, found.state) == (wanted, ClockState.NO_DUE if due is None else ClockState.RUNNING)


def test_an_item_that_nobody_dated_is_counted_from_the_declaration() -> None:
    record = incident(severity="P0", action_items=[{"id": "AI-1", "title": "t", "priority": "P0"}])
    assert item(P0, record=record).due == at("2025-01-30T05:00:00Z")


def test_an_item_without_a_date_or_a_limit_is_due_within_the_goal_of_the_policy() -> None:
    """R193: 30 days, from a day as from an instant."""
    assert item(added="2025-01-22").due == item(added="2025-01-22T23:59:00Z").due == at("2025-02-22T00:00:00Z")


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"status": "done", "done_at": "2025-01-25"}, ClockState.MET),
        ({"status": "done", "done_at": "2025-01-26"}, ClockState.MISSED),
        ({"status": "done", "done_at": "2025-01-25T23:59:59Z"}, ClockState.MET),
        ({"status": "done", "done_at": "2025-01-26T00:00:01Z"}, ClockState.MISSED),
        ({"status": "done", "done_at": "unknown"}, ClockState.CANCELLED),
        ({"status": "done"}, ClockState.CANCELLED),
        ({"status": "wont_do"}, ClockState.CANCELLED),
        ({"status": "in_progress"}, ClockState.RUNNING),
    ],
)
def test_an_item_that_was_done_on_its_day_was_in_time(fields: dict[str, str], state: ClockState) -> None:
    """Where only a day is known, any of its hours will do."""
    assert item(now="999h", due="2025-01-25", **fields).state is state


def test_what_is_done_tomorrow_is_open_today() -> None:
    assert item(now="2h", due="2025-01-25", status="done", done_at="2025-01-23").state is ClockState.RUNNING


def test_an_item_due_before_its_incident_tells_how_late_it_is() -> None:
    found = item(now="12h", due="2025-01-21")
    assert (found.remaining_seconds, found.risk) == (-24 * 3600, Risk.BREACHED)


def test_an_item_of_a_duplicate_or_of_a_drill_runs_on() -> None:
    items = [{"id": "AI-1", "title": "t", "due": "2025-01-25"}]
    for fields in ({"outcome": "false_alarm"}, {"drill": True}):
        assert item(record=over(action_items=items, **fields)).state is ClockState.RUNNING
