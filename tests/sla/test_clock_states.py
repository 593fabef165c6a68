"""In which states the resolution clock rests, and in which it stops: `states.pausing` and `states.stopping`."""

from __future__ import annotations

from incident_ops.domain.incident import Incident
from incident_ops.sla.clocks import ClockState
from tests.sla.scene import after, at, clock, incident, policy

RESTS_AT_WORK = policy("sev0-3", "states: {pausing: [assigned, pending]}\n")
NEVER_RESTS = policy("sev0-3", "states: {pausing: []}\n")
STOPS_WHEN_CLOSED = policy("sev0-3", "states: {stopping: [closed]}\n")
STOPS_AT_WORK = policy("sev0-3", "states: {stopping: [in_progress, resolved, closed]}\n")


def moved(*moves: tuple[str, str, str], **fields: object) -> Incident:
    """A SEV1 after moves (span since the declaration, from, to)."""
    changes = [{"at": after(span), "field": "state", "from": old, "to": new} for span, old, new in moves]
    return incident(severity="SEV1", state=moves[-1][2], changes=changes, **fields)


def test_the_clock_rests_in_each_state_that_pauses_it() -> None:
    record = moved(("10m", "new", "assigned"), ("30m", "assigned", "in_progress"))
    found = clock("resolution", record, RESTS_AT_WORK, after("1h"))
    assert (found.paused_seconds, found.due) == (20 * 60, at(after("2h20m")))


def test_the_clock_is_paused_while_the_incident_is_in_such_a_state() -> None:
    record = moved(("10m", "new", "assigned"))
    assert clock("resolution", record, RESTS_AT_WORK, after("1h")).state is ClockState.PAUSED
    assert clock("resolution", record, policy("sev0-3"), after("1h")).state is ClockState.RUNNING


def test_a_state_that_was_never_moved_into_counts_from_the_declaration() -> None:
    record = moved(("10m", "assigned", "in_progress"))
    assert clock("resolution", record, RESTS_AT_WORK, after("1h")).paused_seconds == 10 * 60


def test_a_policy_whose_clocks_never_rest_does_not_count_the_pauses_of_the_record() -> None:
    pauses = [{"from": after("10m"), "to": after("30m"), "waiting_for": "vendor"}]
    record = incident(severity="SEV1", state="in_progress", pauses=pauses)
    assert clock("resolution", record, NEVER_RESTS, after("1h")).paused_seconds == 0
    assert clock("resolution", record, policy("sev0-3"), after("1h")).paused_seconds == 20 * 60


def test_a_clock_that_stops_when_closed_goes_on_after_the_resolution() -> None:
    times = {"resolved": after("1h"), "closed": after("3h")}
    resolved = moved(("1h", "in_progress", "resolved"), times=times | {"closed": after("3h")})
    assert clock("resolution", resolved, STOPS_WHEN_CLOSED, after("2h")).state is ClockState.RUNNING
    closed = moved(("1h", "in_progress", "resolved"), ("3h", "resolved", "closed"), times=times)
    found = clock("resolution", closed, STOPS_WHEN_CLOSED, after("4h"))
    assert (found.state, found.stopped_at) == (ClockState.MISSED, at(after("3h")))
    assert clock("resolution", closed, policy("sev0-3"), after("4h")).state is ClockState.MET


def test_a_clock_stops_at_the_first_move_into_a_state_that_stops_it() -> None:
    record = moved(("10m", "new", "assigned"), ("30m", "assigned", "in_progress"), ("40m", "in_progress", "assigned"))
    found = clock("resolution", record, STOPS_AT_WORK, after("1h"))
    assert (found.state, found.stopped_at) == (ClockState.MET, at(after("30m")))


def test_what_stopped_the_clock_before_a_reopening_does_not_stop_the_next_cycle() -> None:
    record = moved(
        ("10m", "assigned", "in_progress"), ("1h", "in_progress", "resolved"), ("2h", "resolved", "reopened"),
        times={"resolved": after("1h")}, cycles=[{"reopened": after("2h")}],
    )  # fmt: skip
    assert clock("resolution", record, STOPS_AT_WORK, after("2h10m")).stopped_at is None
