"""The edge cases that the best systems disagree on, one test a row of the table they were decided in.

Origin, retroactive, raised, lowered, pending, its reasons, reopened, duplicate, acknowledged, automation, missing,
equal or reversed, future, clock changes, empty calendar, next business day, holidays; then what else went wrong there.
"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from incident_ops import resources
from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.time import duration
from incident_ops.errors import UserError
from incident_ops.sla.clocks import PAUSABLE, ClockState, Risk, clocks
from incident_ops.sla.obligations import incident_obligations
from incident_ops.sla.status import incident_status
from tests.sla.scene import DECLARED, ITIL, SEV, after, at, change, clock, incident, policy, update

OFFICE = (
    "calendars:\n  office:\n    tz: Europe/Berlin\n    hours: {wednesday: ['09:00-17:00'], thursday: ['09:00-17:00']}\n"
)


# Clock origin ---------------------------------------------------------------------------------------------------------


def test_clocks_begin_at_the_declaration_whenever_the_impact_began() -> None:
    record = incident({"started": "2025-01-22T03:00:00Z", "detected": "2025-01-22T11:00:00Z"}, severity="SEV1")
    assert {one.start for one in clocks(as_of(record, at(after("1m"))), SEV)} == {at(DECLARED)}


def test_before_the_declaration_nothing_has_run() -> None:
    found = clocks(as_of(incident(severity="SEV1"), at(DECLARED) - timedelta(hours=5)), SEV)
    assert {one.elapsed_seconds for one in found} == {0}
    assert {one.risk for one in found} == {Risk.OK}
    assert {one.state for one in found} == {ClockState.RUNNING}


# Retroactive declaration ----------------------------------------------------------------------------------------------


def retroactive(times: dict[str, str], now: str = "1h", **fields: object) -> bool:
    return as_of(incident(times, severity="SEV1", **fields), at(after(now))).is_retroactive


def test_what_is_declared_once_restored_is_retroactive() -> None:
    earlier = "2025-01-22T11:59:59Z"
    assert retroactive({"restored": earlier})
    assert retroactive({"resolved": earlier})
    assert not retroactive({"restored": after("1s")})
    assert not retroactive({"restored": "unknown"})


def test_what_is_declared_long_after_its_detection_is_retroactive_and_tells_the_lag() -> None:
    """A day; its breaches are reported all the same."""
    assert not retroactive({"detected": "2025-01-21T12:00:00Z"})
    late = {"detected": "2025-01-21T11:59:59Z"}
    assert retroactive(late)
    record = incident(late, severity="SEV1")
    assert as_of(record, at(after("1h"))).declaration_lag == 86_401
    assert clock("response", record, SEV, after("1h")).risk is Risk.BREACHED
    told = incident_status(as_of(record, at(after("1h"))), SEV, clocks(as_of(record, at(after("1h"))), SEV))
    assert (told.retroactive, told.lag_seconds) == (True, 86_401)


def test_what_comes_back_is_not_of_the_past() -> None:
    fields = {"state": "reopened", "cycles": [{"reopened": after("3h")}]}
    times = {"restored": "2025-01-22T10:00:00Z", "resolved": after("1h")}
    assert retroactive(times, "2h", **fields)
    assert not retroactive(times, "4h", **fields)


# Severity raised and lowered ------------------------------------------------------------------------------------------


def changed(span: str, old: str, new: str, **fields: object) -> Incident:
    return incident(severity=new, changes=[change(span, "severity", old, new)], **fields)


def test_a_raised_severity_keeps_origin_and_pauses_and_takes_the_new_target() -> None:
    pause = {"from": after("10m"), "to": after("20m"), "waiting_for": "vendor"}
    found = clock("resolution", changed("30m", "SEV2", "SEV1", pauses=[pause]), SEV, after("1h"))
    assert (found.start, found.due, found.level) == (at(DECLARED), at(after("2h10m")), "SEV1")
    assert not found.breached_by_retarget


@pytest.mark.parametrize(("span", "marked"), [("2h", False), ("2h1s", True)])
def test_a_target_that_is_past_when_it_is_set_is_marked(span: str, marked: bool) -> None:
    """SEV2 has 24 h, SEV1 has 2 h: nobody was late before the change."""
    found = clock("resolution", changed(span, "SEV2", "SEV1"), SEV, after("3h"))
    assert (found.risk, found.due) == (Risk.BREACHED, at(after("2h")))
    assert found.retargeted_at == (at(after(span)) if marked else None)
    assert found.breached_by_retarget is marked


def test_before_the_change_the_old_target_holds() -> None:
    """What happens later has not happened yet."""
    found = clock("resolution", changed("5h", "SEV2", "SEV1"), SEV, after("4h"))
    assert (found.level, found.due, found.risk) == ("SEV2", at(after("24h")), Risk.OK)


def test_a_lowered_severity_takes_the_new_target() -> None:
    found = clock("resolution", changed("1h", "SEV1", "SEV2"), SEV, after("3h"))
    assert (found.level, found.due, found.risk) == ("SEV2", at(after("24h")), Risk.OK)


def test_lowering_a_severity_does_not_undo_a_breach() -> None:
    record = changed("2h1s", "SEV1", "SEV2")
    found = clock("resolution", record, SEV, after("3h"))
    assert (found.level, found.due, found.risk) == ("SEV1", at(after("2h")), Risk.BREACHED)
    assert not found.breached_by_retarget
    solved = incident(
        {"resolved": after("5h")}, severity="SEV2", state="resolved", changes=[change("3h", "severity", "SEV1", "SEV2")]
    )
    assert clock("resolution", solved, SEV, after("9h")).state is ClockState.MISSED


def test_lowering_to_a_level_without_a_target_ends_the_clock_but_keeps_a_breach() -> None:
    """SEV0 has updates every 15 minutes, SEV2 none."""
    assert "update_internal" not in {
        one.clock for one in clocks(as_of(changed("10m", "SEV0", "SEV2"), at(after("1h"))), SEV)
    }
    kept = clock("update_internal", changed("16m", "SEV0", "SEV2"), SEV, after("1h"))
    assert (kept.risk, kept.level) == (Risk.BREACHED, "SEV0")


def test_an_ended_clock_is_not_judged_by_a_later_level() -> None:
    record = incident(
        {"acknowledged": after("30m")}, severity="SEV1", changes=[change("40m", "severity", "SEV2", "SEV1")]
    )
    found = clock("response", record, SEV, after("1h"))
    assert (found.state, found.level) == (ClockState.MET, "SEV2")


def test_raised_and_lowered_again_is_as_if_nothing_had_been() -> None:
    """Unless a target was past in between."""
    twice = [change("10m", "severity", "SEV2", "SEV1"), change("20m", "severity", "SEV1", "SEV2")]
    found = clock("resolution", incident(severity="SEV2", changes=twice), SEV, after("3h"))
    assert (found.level, found.due) == ("SEV2", at(after("24h")))


def test_a_priority_change_moves_response_and_resolution_a_severity_change_the_updates() -> None:
    """C2: two scales; the cadence of the new severity starts with it."""
    changes = [change("1h", "priority", "P3", "P2"), change("2h", "severity", "SEV-3", "SEV-1")]
    record = incident(priority="P2", severity="SEV-1", changes=changes, updates=[update("110m")])
    before, after_both = (
        {one.clock: one for one in clocks(as_of(record, at(after(now))), ITIL)} for now in ("90m", "121m")
    )
    assert (before["resolution"].level, before["resolution"].due) == ("P2", at(after("8h")))
    assert (before["update_internal"].level, before["update_internal"].due) == ("SEV-3", at(after("1h")))
    assert (after_both["update_internal"].level, after_both["update_internal"].due) == ("SEV-1", at(after("135m")))


def test_a_label_of_the_past_that_the_policy_does_not_know_had_no_targets() -> None:
    found = clock("resolution", changed("3h", "P9", "SEV1"), SEV, after("1h"))
    assert (found.level, found.due) == ("SEV1", at(after("2h")))


# Pending --------------------------------------------------------------------------------------------------------------


def test_pending_pauses_the_resolution_and_no_other_clock() -> None:
    """Not the answer, not the time box of the diagnosis, not what people inside and outside are told."""
    assert {"resolution"} == PAUSABLE
    rules = policy(
        "sev0-3", "levels:\n- id: SEV1\n  diagnosis: 1h\n  update: {public: 1h}\n  postmortem: {final_within: 5d}\n"
    )
    pause = {"from": after("1m"), "to": after("31m"), "waiting_for": "vendor"}
    at_rest, plain = (
        {one.clock: one for one in clocks(as_of(incident(severity="SEV1", pauses=given), at(after("40m"))), rules)}
        for given in ([pause], [])
    )
    assert set(plain) == {"response", "diagnosis", "resolution", "update_internal", "update_public"}
    assert {name for name, one in at_rest.items() if one != plain[name]} == {"resolution"}
    assert at_rest["resolution"].due == plain["resolution"].due + timedelta(minutes=30)  # type: ignore[operator]


def test_a_record_born_pending_counts_nothing_until_it_leaves_it() -> None:
    pause = {"from": DECLARED, "to": after("3h"), "waiting_for": "approval"}
    found = clock("resolution", incident(severity="SEV1", pauses=[pause]), SEV, after("3h"))
    assert (found.elapsed_seconds, found.due) == (0, at(after("5h")))


def test_only_others_can_be_waited_for() -> None:
    """R82; how long it has been is told with the clock."""
    schema = json.loads(resources.resource_text("schemas/incident.schema.json"))
    reasons = schema["properties"]["pauses"]["items"]["properties"]["waiting_for"]["enum"]
    assert reasons == ["user", "vendor", "approval"]
    forever = incident(severity="SEV1", state="pending", pauses=[{"from": after("1h"), "waiting_for": "user"}])
    found = clock("resolution", forever, SEV, "2035-01-22T12:00:00Z")
    assert (found.state, found.due, found.remaining_seconds) == (ClockState.PAUSED, None, 3600)
    assert found.paused_seconds > 9 * 365 * 86_400


def test_a_pause_that_ends_later_is_still_on() -> None:
    pause = {"from": after("30m"), "to": after("90m"), "waiting_for": "vendor"}
    found = clock("resolution", incident(severity="SEV1", pauses=[pause]), SEV, after("1h"))
    assert (found.state, found.due) == (ClockState.PAUSED, None)


def test_a_pause_that_lies_ahead_has_not_begun() -> None:
    """Looked at from before it, the due time is the one that people saw then."""
    pause = {"from": after("1h"), "to": after("90m"), "waiting_for": "vendor"}
    record = incident(severity="SEV1", pauses=[pause])
    found = clock("resolution", record, SEV, after("30m"))
    assert (found.state, found.due) == (ClockState.RUNNING, at(after("2h")))
    early = policy("sev0-3", "levels:\n- {id: SEV1, warn_at: 25%}\n")
    assert "warning" in {one.kind for one in incident_obligations(as_of(record, at(after("59m"))), early)}
    assert clock("resolution", record, SEV, after("1h")).state is ClockState.PAUSED


# Reopened -------------------------------------------------------------------------------------------------------------


def test_before_it_was_reopened_it_was_over() -> None:
    """Looked at from between the cycles the first one has ended."""
    record = incident(
        {"acknowledged": after("1m"), "resolved": after("1h")},
        severity="SEV1",
        state="in_progress",
        changes=[
            change("1h", "state", "in_progress", "resolved"),
            change("10h", "state", "resolved", "reopened"),
            change("11h", "state", "reopened", "in_progress"),
        ],
        cycles=[{"reopened": after("10h")}],
    )
    between = clock("resolution", record, SEV, after("5h"))
    assert (between.state, between.cycle) == (ClockState.MET, 1)
    again = clock("resolution", record, SEV, after("10h30m"))
    assert (again.state, again.cycle, again.due) == (ClockState.RUNNING, 2, at(after("11h")))


# Duplicate ------------------------------------------------------------------------------------------------------------


def test_a_duplicates_clocks_are_cancelled_its_action_items_are_not() -> None:
    """An item is work of its own."""
    items = [{"id": "AI-1", "title": "t", "due": "2025-01-25"}]
    record = incident(severity="SEV1", state="closed", outcome="duplicate", duplicate_of="INC-2", action_items=items)
    found = {one.clock: one.state for one in clocks(as_of(record, at(after("9h"))), SEV)}
    assert found.pop("action_item") is ClockState.RUNNING
    assert set(found.values()) == {ClockState.CANCELLED}


# Acknowledge, automation ----------------------------------------------------------------------------------------------


def test_only_an_acknowledgement_or_the_end_stops_the_response() -> None:
    """What the automation writes is no answer and no update."""
    noise = {
        "timeline": [{"at": after("5m"), "kind": "note", "event": "seen", "by": "incident-ops"}],
        "escalations": [{"at": after("6m"), "key": "k", "rule": "time", "reason": "r"}],
    }
    record = incident(severity="SEV1", **noise)
    found = {one.clock: one for one in clocks(as_of(record, at(after("40m"))), SEV)}
    assert found["response"].state is ClockState.RUNNING
    assert found["update_internal"].start == at(DECLARED)
    answered = incident({"acknowledged": after("5m")}, severity="SEV1")
    assert clock("response", answered, SEV, after("40m")).stopped_at == at(after("5m"))


# Missing, reversed, future --------------------------------------------------------------------------------------------


def test_a_missing_end_is_no_number() -> None:
    found = clock("resolution", incident({"resolved": "unknown"}, severity="SEV1", state="resolved"), SEV, after("9h"))
    assert (found.stopped_at, found.elapsed_seconds, found.remaining_seconds) == (None, None, None)
    assert (found.state, found.risk) == (ClockState.CANCELLED, Risk.OK)


def test_an_end_before_the_declaration_takes_no_time() -> None:
    found = clock("response", incident({"acknowledged": "2025-01-22T11:00:00Z"}, severity="SEV1"), SEV, after("1h"))
    assert (found.state, found.elapsed_seconds) == (ClockState.MET, 0)


def test_reversed_empty_and_overlapping_pauses_count_once_or_not_at_all() -> None:
    spans = [("50m", "40m"), ("20m", "20m"), ("30m", "60m"), ("45m", "70m"), ("35m", "36m")]
    pauses = [{"from": after(begin), "to": after(end), "waiting_for": "user"} for begin, end in spans]
    found = clock("resolution", incident(severity="SEV1", pauses=pauses), SEV, after("80m"))
    assert (found.paused_seconds, found.due) == (40 * 60, at(after("2h40m")))


def test_a_corrected_instant_holds_from_the_beginning() -> None:
    """The effective value is the last; a clock that was missed by a slip of the pen is met."""
    fix = {
        "at": after("5h"),
        "field": "times.resolved",
        "from": after("3h"),
        "to": after("1h"),
        "by": "@a",
        "reason": "r",
    }
    record = incident({"resolved": after("3h")}, severity="SEV1", state="resolved", corrections=[fix])
    assert clock("resolution", record, SEV, after("9h")).state is ClockState.MET


# Calendars ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "declared", "due"),
    [
        ("America/New_York", "2025-03-09T06:30:00Z", "2025-03-09T07:30:00Z"),  # 01:30 EST + 1 h = 03:30 EDT
        ("America/New_York", "2025-11-02T05:30:00Z", "2025-11-02T06:30:00Z"),  # 01:30 EDT + 1 h = 01:30 EST
    ],
)
def test_an_hour_is_an_hour_on_the_day_the_clocks_change(zone: str, declared: str, due: str) -> None:
    rules = policy(
        "sev0-3",
        f"calendars:\n  night:\n    tz: {zone}\n    hours: {{sunday: ['00:00-24:00']}}\n"
        "levels:\n- {id: SEV2, calendar: night, response: 1h}\n",
    )
    assert clock("response", incident({"declared": declared}, severity="SEV2"), rules, declared).due == at(due)


@pytest.mark.parametrize("zone", ["EST", "CET", "Mars/Base"])
def test_a_zone_that_names_no_place_is_refused(zone: str) -> None:
    """C29: `EST` knows no summer."""
    rules = policy("sev0-3", OFFICE.replace("Europe/Berlin", zone) + "levels:\n- {id: SEV1, calendar: office}\n")
    with pytest.raises(UserError, match=f"{zone} is not the IANA time zone of a place"):
        clocks(as_of(incident(severity="SEV1"), at(DECLARED)), rules)


def test_a_calendar_that_never_opens_leaves_a_clock_without_a_due_and_does_not_hang() -> None:
    rules = policy(
        "sev0-3",
        "calendars:\n  never:\n    tz: Etc/UTC\n    hours: {}\nlevels:\n- {id: SEV1, calendar: never}\n",
    )
    found = {one.clock: one for one in clocks(as_of(incident(severity="SEV1"), at("2035-01-22T12:00:00Z")), rules)}
    assert {one.state for one in found.values()} == {ClockState.NO_DUE}
    assert {one.elapsed_seconds for one in found.values()} == {0}


def test_the_next_business_day_ends_at_its_closing_time() -> None:
    """Wednesday -> Thursday 17:00 in Berlin; a holiday is stepped over."""
    level = "levels:\n- {id: SEV3, calendar: office}\n"
    record = incident(severity="SEV3")
    assert clock("response", record, policy("sev0-3", OFFICE + level), DECLARED).due == at("2025-01-23T16:00:00Z")
    feast = OFFICE + "    holidays: ['2025-01-23']\n" + level
    assert clock("response", record, policy("sev0-3", feast), DECLARED).due == at("2025-01-29T16:00:00Z")


# What else went wrong elsewhere ---------------------------------------------------------------------------------------


def test_ten_years_of_silence_are_one_breach_and_no_overflow() -> None:
    found = {one.clock: one for one in clocks(as_of(incident(severity="SEV1"), at("2035-01-22T12:00:00Z")), SEV)}
    assert {one.risk for one in found.values()} == {Risk.BREACHED}
    assert (
        found["update_internal"].remaining_seconds == 1800 - (at("2035-01-22T12:00:00Z") - at(DECLARED)).total_seconds()
    )


def test_an_incident_of_1970_has_clocks() -> None:
    record = incident({"declared": "1970-01-01T00:00:00Z"}, severity="SEV3")
    found = clock("response", record, SEV, after("1h"))
    assert (found.due, found.risk) == (at("1970-01-02T17:00:00Z"), Risk.BREACHED)


def test_a_longer_target_than_the_calendar_reaches_has_no_due() -> None:
    rules = policy("sev0-3", "levels:\n- {id: SEV3, resolution: 99999d}\n")
    found = clock("resolution", incident(severity="SEV3"), rules, DECLARED)
    assert (found.state, found.due) == (ClockState.NO_DUE, None)
    assert found.remaining_seconds == duration("99999d")
