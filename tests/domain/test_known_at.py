"""What was known of an incident at an earlier time: dated facts by then, and by name what is left out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from incident_ops.domain.incident import Incident
from incident_ops.domain.known_at import ALWAYS_SHOWN, UNDATED, KnownIncident, incident_at

DATED = {
    "title", "services", "state", "times", "severity", "priority", "roles", "timeline", "updates", "changes",
    "corrections", "pauses", "cycles", "assignments", "escalations", "snooze", "overrides", "outcome", "action_items",
    "postmortem", "duplicate_of", "deadlines",
}  # fmt: skip
"""Fields of which that part is shown which is dated."""


def at(clock: str) -> datetime:
    return datetime.fromisoformat(text(clock)).astimezone(UTC)


def text(clock: str) -> str:
    return f"2025-01-26T{clock}:00Z"


def incident(**fields: Any) -> Incident:
    times = {"declared": text("12:05"), **fields.pop("times", {})}
    base = {"id": "INC-1", "title": "Login fails", "services": ["api"], "state": "in_progress", "times": times}
    return msgspec.convert({**base, **fields}, Incident)


def change(clock: str, field: str, old: str, new: str) -> dict[str, Any]:
    return {"at": text(clock), "field": field, "from": old, "to": new}


def known(record: Incident, clock: str) -> KnownIncident:
    found = incident_at(record, at(clock))
    assert found is not None
    return found


FIRST = {"at": text("12:10"), "to": "@a"}
NOTE = {"at": text("16:00"), "kind": "note", "event": "Written later"}


def test_every_field_is_dated_undated_or_always_shown() -> None:
    """A new field of the record must say which it is."""
    assert {*ALWAYS_SHOWN, *UNDATED} | DATED == set(Incident.__struct_fields__)
    assert len(ALWAYS_SHOWN) + len(UNDATED) + len(DATED) == len(Incident.__struct_fields__)


@pytest.mark.parametrize("clock", ["16:00", "16:01", "23:59"])
def test_at_the_last_entry_and_after_it_the_record_is_the_view(clock: str) -> None:
    record = incident(timeline=[NOTE], cause={"category": "deploy"}, links={"bridge": "https://b.example"})
    assert known(record, clock).incident is record
    assert known(record, clock).undated == ()


def test_before_its_declaration_an_incident_is_not_there() -> None:
    """As the declaration was known: a correction counts from the time at which it was made."""
    corrected = {"at": text("13:00"), "field": "times.declared", "from": text("12:05"), "to": text("11:30"),
                 "by": "@a", "reason": "r"}  # fmt: skip
    record = incident(corrections=[corrected])
    assert incident_at(record, at("12:04")) is None
    assert known(record, "12:05").incident.corrections == []
    assert known(record, "13:00").incident is record


def test_what_carries_no_date_is_left_out_and_named() -> None:
    record = incident(
        timeline=[NOTE],
        description="d",
        triage={"feature": "core"},
        customer={"vip": True},
        impact={"users": {"count": 5}},
        cause={"category": "deploy"},
        resolution={"immediate": "rolled back"},
        tags=["t"],
        factors={"os": "x"},
        imported={"k": "v"},
        links={"bridge": "https://b.example"},
        related=["INC-2"],
        problem="PRB-2025-0001",
        public_status="monitoring",
        roles={"commander": "@a"},
        snooze={"until": text("18:00"), "by": "@a", "reason": "r"},
        postmortem={"status": "draft", "summary": "s"},
        action_items=[{"id": "AI-1", "title": "t"}],
    )
    view = known(record, "15:59")
    assert view.undated == (
        "description", "roles", "triage", "customer", "impact", "snooze", "cause", "resolution", "tags", "factors",
        "imported", "action_items", "postmortem", "links", "related", "problem", "public_status",
    )  # fmt: skip
    assert view.incident == incident()


def test_lists_end_at_the_time_and_a_correction_is_counted_anew() -> None:
    """The number in `corrects` is a place in the list, and a late entry stands out of order."""
    events = [
        {"at": text("12:10"), "kind": "note", "event": "a"},
        {"at": text("15:00"), "kind": "note", "event": "later"},
        {"at": text("12:20"), "kind": "note", "event": "b"},
        {"at": text("12:30"), "kind": "note", "event": "not b", "corrects": 3},
    ]
    update = {"audience": "public", "status": "identified", "text": "t"}
    person = [FIRST, {"at": text("15:00"), "to": "@b"}]
    record = incident(
        timeline=events,
        updates=[{"at": text("12:10"), **update}, {"at": text("15:00"), **update}],
        assignments=person,
        pauses=[
            {"from": text("12:30"), "to": text("15:00"), "waiting_for": "vendor"},
            {"from": text("15:10"), "waiting_for": "user"},
        ],
    )
    view = known(record, "13:00").incident
    assert [(event.event, event.corrects) for event in view.timeline] == [("a", None), ("b", None), ("not b", 2)]
    assert [one.at for one in view.updates] == [text("12:10")]
    assert [one.to for one in view.assignments] == ["@a"]
    assert [(one.start, one.end) for one in view.pauses] == [(text("12:30"), None)]


def test_a_value_is_what_its_next_change_changed() -> None:
    """Level, title, services, roles. What is restricted now was never for everybody."""
    record = incident(
        severity="SEV0",
        priority="P1",
        title="Everything fails",
        services=["api", "web"],
        visibility="restricted",
        roles={"commander": "@b", "scribe": "@s", "others": {"database": "@e"}},
        changes=[
            change("12:10", "severity", "SEV3", "SEV2"),
            change("12:20", "severity", "SEV2", "SEV0"),
            change("12:20", "title", "Login fails", "Everything fails"),
            change("12:20", "services", "api, cdn", "api, web"),
            change("12:20", "visibility", "internal", "restricted"),
            change("12:15", "roles.commander", "@z", "@a"),
            change("12:20", "roles.commander", "@a", "@b"),
            change("12:20", "roles.database", "@d", "@e"),
        ],
    )
    assert known(record, "12:06").incident.severity == "SEV3"
    view = known(record, "12:19")
    assert (view.incident.severity, view.incident.priority, view.incident.title) == ("SEV2", "P1", "Login fails")
    assert (view.incident.services, view.incident.visibility) == (["api", "cdn"], "restricted")
    assert (view.incident.roles.commander, view.incident.roles.scribe, view.incident.roles.others) == (
        "@a",
        None,
        {"database": "@d"},
    )
    assert view.undated == ("roles",)


def test_an_incident_is_over_only_once_it_was() -> None:
    """State, cycles and outcome come back from the history; an outcome goes with the closing."""
    record = incident(
        state="closed",
        outcome="false_alarm",
        times={"acknowledged": text("12:10"), "restored": text("12:30"), "resolved": text("12:30")},
        cycles=[{"reopened": text("13:00"), "closed": text("14:00")}],
        changes=[
            change("12:10", "state", "new", "in_progress"),
            change("12:30", "state", "in_progress", "resolved"),
            change("13:00", "state", "resolved", "reopened"),
            change("14:00", "state", "reopened", "closed"),
        ],
    )
    seen = {clock: known(record, clock).incident for clock in ("12:05", "12:29", "12:59", "13:59", "14:00")}
    states = {clock: (one.state, len(one.cycles), one.outcome) for clock, one in seen.items()}
    assert states == {
        "12:05": ("new", 0, "fixed"),
        "12:29": ("in_progress", 0, "fixed"),
        "12:59": ("resolved", 0, "fixed"),
        "13:59": ("reopened", 1, "fixed"),
        "14:00": ("closed", 1, "false_alarm"),
    }
    assert seen["12:29"].times == incident(times={"acknowledged": text("12:10")}).times
    assert seen["13:59"].cycles[0].closed is None


@pytest.mark.parametrize(
    ("fields", "clock", "state"),
    [
        ({"state": "closed", "times": {"resolved": text("13:00"), "closed": text("14:00")}}, "13:59", "resolved"),
        ({"state": "closed", "times": {"resolved": text("13:00"), "closed": text("14:00")}}, "12:59", "in_progress"),
        ({"state": "closed", "times": {"closed": text("14:00")}}, "13:59", "in_progress"),
        ({"state": "resolved", "times": {"acknowledged": text("12:10"), "resolved": text("13:00")}}, "12:09", "new"),
        ({"times": {"acknowledged": text("12:30")}, "assignments": [FIRST]}, "12:29", "assigned"),
        ({"state": "pending", "pauses": [{"from": text("13:00"), "waiting_for": "user"}]}, "12:59", "in_progress"),
        ({"cycles": [{"reopened": text("14:00")}], "times": {"resolved": text("13:00")}}, "13:59", "resolved"),
        ({"cycles": [{"reopened": text("14:00")}], "times": {"resolved": text("13:00")}}, "12:59", "in_progress"),
        ({"state": "triaged", "timeline": [NOTE]}, "12:59", "triaged"),
    ],
)  # fmt: skip
def test_without_a_history_of_states_the_instants_decide(fields: dict[str, Any], clock: str, state: str) -> None:
    """A record written by hand: what was resolved later is still open, so that it holds deploys."""
    assert known(incident(**fields), clock).incident.state == state


def test_unknown_is_shown_where_the_state_says_that_it_had_come_about() -> None:
    record = incident(
        state="resolved",
        times={"started": "unknown", "acknowledged": "unknown", "restored": "unknown", "resolved": text("13:00")},
        changes=[change("12:10", "state", "new", "in_progress"), change("13:00", "state", "in_progress", "resolved")],
        timeline=[NOTE],
    )
    times = [known(record, clock).incident.times for clock in ("12:09", "12:59", "13:00")]
    assert [(one.started, one.acknowledged, one.restored) for one in times] == [
        ("unknown", None, None),
        ("unknown", "unknown", None),
        ("unknown", "unknown", "unknown"),
    ]
    assert [known(record, clock).undated for clock in ("12:59", "13:00")] == [("times",), ()]


@pytest.mark.parametrize(
    ("fields", "clock", "status"),
    [
        ({"added": text("12:30")}, "12:29", None),
        ({"added": text("12:30")}, "12:30", "open"),
        ({"added": "2025-01-26"}, "12:30", "open"),
        ({"added": text("12:30"), "status": "done", "done_at": text("13:00"), "evidence": "e"}, "12:59", "open"),
        ({"added": text("12:30"), "status": "done", "done_at": text("13:00"), "evidence": "e"}, "13:00", "done"),
        ({"status": "done", "done_at": text("13:00")}, "13:00", "done"),
        ({"status": "done", "done_at": text("13:00")}, "12:59", None),
        ({"added": text("12:30"), "status": "wont_do", "reason": "r"}, "13:00", "open"),
        ({"added": text("12:30"), "status": "in_progress"}, "13:00", "open"),
        ({}, "13:00", None),
    ],
)
def test_an_action_item_is_there_from_the_day_it_was_added(
    fields: dict[str, Any], clock: str, status: str | None
) -> None:
    """Done from the day it was done; whatever else became of it has no date, and is named."""
    view = known(incident(timeline=[NOTE], action_items=[{"id": "AI-1", "title": "t", **fields}]), clock)
    assert [item.status for item in view.incident.action_items] == ([] if status is None else [status])
    is_dated = "added" in fields and fields.get("status", "open") in ("open", "done")
    is_shown_as_recorded = status == fields.get("status", "open")
    assert view.undated == (() if is_dated or is_shown_as_recorded else ("action_items",))
    assert all(item.evidence is None for item in view.incident.action_items if item.is_open)


def test_escalations_are_known_from_the_run_that_noticed_them_and_overrides_from_their_own_time() -> None:
    late = {"at": text("12:30"), "key": "k", "rule": "time", "reason": "r", "noticed_at": text("12:50")}
    override = {"at": text("12:40"), "by": "@a", "service": "api", "environment": "production", "sha": "abc1234",
                "reason": "r", "expires": text("20:00")}  # fmt: skip
    record = incident(escalations=[late], overrides=[override])
    seen = [known(record, clock).incident for clock in ("12:39", "12:49", "12:50")]
    assert [(len(one.escalations), len(one.overrides)) for one in seen] == [(0, 0), (0, 1), (1, 1)]


def test_the_dated_steps_of_a_postmortem_stay() -> None:
    """Its clocks stop where they did; its text has no date."""
    paper = {"status": "final", "summary": "s", "meeting": text("13:00"), "final_at": text("15:00")}
    record = incident(state="resolved", times={"resolved": text("12:30")}, postmortem=paper)
    seen = [known(record, clock).incident.postmortem for clock in ("12:59", "13:00")]
    assert seen[0] is None
    assert seen[1] is not None
    assert (seen[1].status, seen[1].meeting, seen[1].final_at, seen[1].summary) == ("draft", text("13:00"), None, None)


@pytest.mark.parametrize(("old", "undated"), [("open", ()), ("done", ("action_items",))])
def test_a_status_that_changed_later_hides_an_item_only_where_it_was_opened_again(
    old: str, undated: tuple[str, ...]
) -> None:
    done = {"status": "done", "done_at": text("15:00"), "changes": [change("15:00", "status", old, "done")]}
    view = known(
        incident(timeline=[NOTE], action_items=[{"id": "AI-1", "title": "t", "added": text("12:30"), **done}]), "14:00"
    )
    assert [(item.status, item.changes) for item in view.incident.action_items] == [("open", [])]
    assert view.undated == undated
