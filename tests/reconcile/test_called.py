"""An escalation on the issue: a label and those it calls, taken off once somebody answers; what people did stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from incident_ops.documents.issue_bodies import IssueBodies
from incident_ops.domain.incident import Assignment, Incident, Links, Roles, Times
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record
from incident_ops.domain.tracker import Issue
from incident_ops.reconcile.desired import Desired, desired_issues
from incident_ops.reconcile.observe import observe
from incident_ops.reconcile.plan import Plan, make_plan
from tests.reconcile.builders import run
from tests.support.memory_tracker import MemoryTracker
from tests.support.policies import policy

CALLS = """\
contacts:
  "@ann": {channels: [chat]}
  "@bob": {channels: [chat]}
  roles: {on_call: ["@ann"], secondary: ["@bob"], manager: ["@acme/leads", "@mona"]}
"""
POLICY: Policy = policy(extra=CALLS)
NUMBER = 1


def at(time: str) -> datetime:
    return datetime.fromisoformat(f"2025-01-26T{time}:00+00:00").astimezone(UTC)


def declared(**fields: Any) -> Record:
    """A SEV0 of 02:00: bob is called at 02:05, the leads and mona at 02:10."""
    incident = Incident(
        id="INC-1",
        title="Login fails",
        services=["auth"],
        state="triaged",
        severity="SEV0",
        times=Times(declared="2025-01-26T02:00:00Z"),
        roles=Roles(commander="@carol"),
        links=Links(tracking_issue=NUMBER),
        **fields,
    )
    return Record(path="incidents/INC-1/incident.yaml", incident=incident, data={})


def taken(record: Record, time: str, who: str = "@bob") -> Record:
    assigned = [Assignment(at=f"2025-01-26T{time}:00Z", to=who)]
    return record._replace(incident=replace(record.incident, assignments=assigned))


def wanted(records: Sequence[Record], now: datetime) -> Desired:
    return desired_issues(records, POLICY, IssueBodies(records, POLICY, now), now)


def planned(record: Record, tracker: MemoryTracker, time: str) -> Plan:
    desired = wanted([record], at(time))
    return make_plan(desired, observe(tracker, desired))


def look(record: Record, tracker: MemoryTracker, time: str) -> Issue:
    """A run, after which there is nothing left to do."""
    run(planned(record, tracker, time), tracker)
    assert not [change for change in planned(record, tracker, time).changes if change.is_on_tracker]
    return tracker.issues[NUMBER]


def people() -> MemoryTracker:
    return MemoryTracker(can_be_assigned={"ann", "bob", "carol", "dave"})


def test_those_called_are_assigned_and_taken_off_once_somebody_answers() -> None:
    tracker = people()
    issue = look(declared(), tracker, "02:01")
    assert (issue.assignees, "escalated" in issue.labels) == (("carol",), False)
    issue = look(declared(), tracker, "02:07")
    assert (issue.assignees, "escalated" in issue.labels) == (("carol", "bob"), True)
    issue = look(taken(declared(), "02:08", "@dave"), tracker, "02:09")
    assert (issue.assignees, "escalated" in issue.labels) == (("carol",), False)


def test_the_first_run_after_the_step_opens_the_issue_with_them() -> None:
    """mona cannot be assigned there, and a team never can: nobody is asked twice."""
    tracker = people()
    issue = look(declared(), tracker, "02:11")
    assert (issue.assignees, "escalated" in issue.labels) == (("carol", "bob"), True)
    assert (look(taken(declared(), "02:12"), tracker, "02:13").assignees) == ("carol",)


def test_whom_people_assigned_stays_assigned() -> None:
    tracker = people()
    look(declared(), tracker, "02:01")
    tracker.edit(NUMBER, assignees=("carol", "bob", "dave"))
    assert look(declared(), tracker, "02:07").assignees == ("carol", "bob", "dave")
    assert look(taken(declared(), "02:08"), tracker, "02:09").assignees == ("carol", "bob", "dave")


def test_whom_people_took_off_does_not_come_back() -> None:
    tracker = people()
    look(declared(), tracker, "02:07")
    tracker.edit(NUMBER, assignees=("carol",), labels=tuple(_without(tracker.issues[NUMBER].labels, "escalated")))
    issue = look(declared(), tracker, "02:08")
    assert (issue.assignees, "escalated" in issue.labels) == (("carol",), False)
    tracker.edit(NUMBER, assignees=("bob", "carol"))
    assert look(taken(declared(), "02:09"), tracker, "02:10").assignees == ("bob", "carol")


def test_a_label_that_people_set_stays() -> None:
    tracker = people()
    look(declared(), tracker, "02:01")
    tracker.edit(NUMBER, labels=(*tracker.issues[NUMBER].labels, "Escalated"))
    for time, record in (("02:02", declared()), ("02:07", declared()), ("02:09", taken(declared(), "02:08"))):
        assert "Escalated" in look(record, tracker, time).labels


def test_no_more_people_are_assigned_than_an_issue_takes() -> None:
    """Also where somebody has set the label already."""
    ten = ("carol", *(f"p{number}" for number in range(9)))
    for own in ((), ("escalated",)):
        tracker = people()
        look(declared(), tracker, "02:01")
        tracker.edit(NUMBER, assignees=ten, labels=(*tracker.issues[NUMBER].labels, *own))
        issue = look(declared(), tracker, "02:07")
        assert (issue.assignees, "escalated" in issue.labels) == (ten, True)


def test_whoever_takes_a_role_stays_assigned() -> None:
    tracker = people()
    look(declared(), tracker, "02:07")
    record = taken(declared(), "02:08")
    record = record._replace(incident=replace(record.incident, roles=Roles(commander="@carol", scribe="@bob")))
    assert look(record, tracker, "02:09").assignees == ("carol", "bob")


def _without(names: Sequence[str], gone: str) -> list[str]:
    return [name for name in names if name != gone]
