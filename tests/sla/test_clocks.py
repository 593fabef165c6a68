"""The clocks of an incident: targets of the four playbooks, and what stops, stretches and cancels a clock."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Record, Unread
from incident_ops.domain.time import duration, stamp
from incident_ops.errors import UserError
from incident_ops.sla.clocks import AFTERWARDS, ClockState, Risk, clocks
from incident_ops.sla.status import clock_report
from tests.sla.scene import DECLARED, ITIL, SEV, after, at, clock, example, incident, policy, update

# The four playbooks' numbers ------------------------------------------------------------------------------------------

TOMORROW = "2025-01-23T17:00:00Z"
PLAYBOOKS = [
    ("sev0-3", "severity", "SEV0", "5m", None, "15m"),  # R26, R27
    ("sev0-3", "severity", "SEV1", "15m", "2h", "30m"),  # R29-R31
    ("sev0-3", "severity", "SEV2", "1h", "24h", None),  # R32, R33
    ("sev0-3", "severity", "SEV3", TOMORROW, "no due", None),  # R34, R35
    ("itil-p1-p4", "priority", "P1", "15m", "4h", None),  # R36
    ("itil-p1-p4", "priority", "P2", "1h", "8h", None),  # R37
    ("itil-p1-p4", "priority", "P3", "4h", "24h", None),  # R38
    ("itil-p1-p4", "priority", "P4", "8h", "72h", None),  # R39
    ("sev1-3", "severity", "SEV-1", None, None, None),  # C13; R41 is a public cadence
    ("p0-p3", "severity", "P0", "5m", None, "15m"),  # R43
    ("p0-p3", "severity", "P1", "15m", None, "30m"),  # R44
    ("p0-p3", "severity", "P2", "1h", None, "2h"),  # R45
    ("p0-p3", "severity", "P3", TOMORROW, None, None),  # R46
]


@pytest.mark.parametrize(("preset", "field", "label", "response", "resolution", "update"), PLAYBOOKS)
def test_each_level_is_due_as_its_playbook_says(
    preset: str, field: str, label: str, response: str | None, resolution: str | None, update: str | None
) -> None:
    """Due times from a declaration on a Wednesday at noon; a level without a target has no clock (C13)."""
    found = {clock.clock: clock for clock in clocks(as_of(incident(**{field: label}), at(DECLARED)), policy(preset))}
    found.pop("update_public", None)  # in PUBLIC below
    expected = {"response": response, "resolution": resolution, "update_internal": update}
    assert set(found) == {name for name, text in expected.items() if text}
    for name, one in found.items():
        text = expected[name] or ""
        assert one.level == label
        if text == "no due":
            assert (one.state, one.due, one.remaining_seconds) == (ClockState.NO_DUE, None, None)
        else:
            assert one.due == (at(text) if "T" in text else at(after(text)))


PUBLIC = [
    ("sev0-3", "SEV0", None),
    ("sev1-3", "SEV-1", "30m"),  # R41, C11: every 15 minutes, at most 30
    ("p0-p3", "P0", "30m"),  # R47, C12
    ("p0-p3", "P1", "30m"),
    ("p0-p3", "P2", None),
]


@pytest.mark.parametrize(("preset", "label", "limit"), PUBLIC)
def test_public_updates_have_a_cadence_of_their_own(preset: str, label: str, limit: str | None) -> None:
    """C12; of a range the due is the outer limit."""
    found = {clock.clock: clock for clock in clocks(as_of(incident(severity=label), at(DECLARED)), policy(preset))}
    assert (found["update_public"].due if limit else None) == (at(after(limit)) if limit else None)
    assert ("update_public" in found) is (limit is not None)


@pytest.mark.parametrize(("severity", "cadence"), [("SEV-1", "15m"), ("SEV-2", "30m"), ("SEV-3", "1h")])
def test_beside_a_priority_the_severity_gives_the_updates(severity: str, cadence: str) -> None:
    """R40, C2: response and resolution stay those of the priority."""
    record = incident(priority="P2", severity=severity)
    found = clock("update_internal", record, ITIL, DECLARED)
    assert (found.due, found.level) == (at(after(cadence)), severity)
    assert clock("response", record, ITIL, DECLARED).level == "P2"


# worked incidents -----------------------------------------------------------------------------------------------------


def test_04890_is_one_hour_from_its_breach() -> None:
    """INC-2025-04890 of itil-p1-p4, with C9: P2, 7 h of 8 h used."""
    found = clock("resolution", example("itil-p1-p4", "INC-2025-04890"), ITIL, "2025-10-21T18:00:00Z")
    assert (found.state, found.risk) == (ClockState.RUNNING, Risk.AT_RISK)
    assert (found.elapsed_seconds, found.remaining_seconds) == (7 * 3600, 3600)
    assert found.due == at("2025-10-21T19:00:00Z")


def test_04567_is_neither_late_nor_near_it() -> None:
    """INC-2025-04567 of itil-p1-p4, with C8: P2, 5 h of 8 h used, acknowledged after 10 minutes."""
    record = example("itil-p1-p4", "INC-2025-04567")
    found = clock("resolution", record, ITIL, "2025-10-21T18:00:00Z")
    assert (found.state, found.risk, found.remaining_seconds) == (ClockState.RUNNING, Risk.OK, 3 * 3600)
    response = clock("response", record, ITIL, "2025-10-21T18:00:00Z")
    assert (response.state, response.elapsed_seconds) == (ClockState.MET, 600)


def test_the_login_outage_met_its_clocks() -> None:
    """Acknowledged at once, resolved in 40 minutes of 2 hours, updates within 30 minutes."""
    found = clocks(as_of(example("sev0-3", "INC-20250126-120500"), at("2025-01-29T09:00:00Z")), SEV)
    assert [(clock.clock, clock.state, clock.elapsed_seconds) for clock in found] == [
        ("response", ClockState.MET, 0),
        ("resolution", ClockState.MET, 2400),
        ("update_internal", ClockState.MET, 900),
        ("postmortem_meeting", ClockState.MET, duration("25h15m")),
        ("action_item", ClockState.RUNNING, duration("2d20h55m")),
        ("action_item", ClockState.RUNNING, duration("2d20h55m")),
        ("action_item", ClockState.RUNNING, duration("2d20h55m")),
        ("action_item", ClockState.CANCELLED, None),
    ]


def test_the_memory_leaks_unknown_acknowledgement_is_neither_met_nor_missed() -> None:
    """Nobody knows when it was acknowledged; 48 minutes from 14:02 are within 4 hours."""
    found = clocks(as_of(example("itil-p1-p4", "INC-2025-05678"), at("2025-10-20T16:00:00Z")), ITIL)
    response, diagnosis, resolution = found[:3]
    assert (diagnosis.clock, diagnosis.state, diagnosis.elapsed_seconds) == ("diagnosis", ClockState.MET, 8 * 60)  # R51
    assert (response.state, response.risk, response.stopped_at, response.elapsed_seconds) == (
        ClockState.CANCELLED,
        Risk.OK,
        None,
        None,
    )
    assert (resolution.state, resolution.elapsed_seconds) == (ClockState.MET, 48 * 60)


def test_an_acknowledgement_before_the_declaration_is_met() -> None:
    """Acknowledged 10:17, declared 10:20."""
    found = clock("response", example("p0-p3", "INC-20250120-102000"), policy("p0-p3"), "2025-01-22T09:00:00Z")
    assert (found.state, found.elapsed_seconds, found.stopped_at) == (ClockState.MET, 0, at("2025-01-20T10:17:00Z"))


# Ends -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "state"), [(0, ClockState.MET), (1, ClockState.MISSED)])
def test_a_clock_that_stops_on_its_due_instant_is_met(seconds: int, state: ClockState) -> None:
    """C37."""
    stop = stamp(at(after("15m")) + timedelta(seconds=seconds))
    found = clock("response", incident({"acknowledged": stop}, severity="SEV1"), SEV, after("1h"))
    assert (found.state, found.stopped_at) == (state, at(stop))
    assert found.risk is (Risk.OK if state is ClockState.MET else Risk.BREACHED)


@pytest.mark.parametrize(("now", "risk"), [("15m", Risk.OK), ("15m1s", Risk.BREACHED)])
def test_a_clock_past_its_due_still_runs(now: str, risk: Risk) -> None:
    found = clock("response", incident(severity="SEV1"), SEV, after(now))
    assert (found.state, found.risk) == (ClockState.RUNNING, risk)
    assert found.remaining_seconds == 900 - duration(now)


@pytest.mark.parametrize(
    ("now", "risk"), [("6h", Risk.OK), ("6h1s", Risk.AT_RISK), ("8h", Risk.AT_RISK), ("8h1s", Risk.BREACHED)]
)
def test_a_resolution_is_at_risk_strictly_after_its_mark(now: str, risk: Risk) -> None:
    """R58: 75 % of 8 h."""
    assert clock("resolution", incident(priority="P2"), ITIL, after(now)).risk is risk


def test_a_mark_may_be_a_duration() -> None:
    rules = policy("itil-p1-p4", "levels:\n- id: P2\n  warn_at: 30m\n")
    assert clock("resolution", incident(priority="P2"), rules, after("31m")).risk is Risk.AT_RISK


def test_what_happens_later_has_not_happened_yet() -> None:
    record = incident({"acknowledged": after("20m")}, severity="SEV1")
    assert clock("response", record, SEV, after("10m")).state is ClockState.RUNNING


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("new", ClockState.RUNNING),
        ("assigned", ClockState.RUNNING),
        ("pending", ClockState.RUNNING),
        ("in_progress", ClockState.CANCELLED),
        ("resolved", ClockState.CANCELLED),
    ],
)
def test_an_unknown_acknowledgement_ends_the_response_where_the_state_shows_work(
    state: str, expected: ClockState
) -> None:
    record = incident({"acknowledged": "unknown", "resolved": "unknown"}, severity="SEV1", state=state)
    found = clock("response", record, SEV, after("1m"))
    assert found.state is expected
    assert found.stopped_at is None


def test_an_unknown_resolution_is_neither_met_nor_missed() -> None:
    record = incident({"acknowledged": after("1m"), "resolved": "unknown"}, severity="SEV1", state="resolved")
    found = clock("resolution", record, SEV, after("9h"))
    assert (found.state, found.risk, found.remaining_seconds) == (ClockState.CANCELLED, Risk.OK, None)
    assert clock("update_internal", record, SEV, after("9h")).state is ClockState.CANCELLED


def test_resolving_without_an_acknowledgement_answers_too() -> None:
    found = clock("response", incident({"resolved": after("10m")}, severity="SEV1", state="resolved"), SEV, after("1h"))
    assert (found.state, found.stopped_at) == (ClockState.MET, at(after("10m")))


def test_an_instant_left_behind_does_not_stop_a_clock_while_people_work() -> None:
    record = incident({"resolved": after("10m")}, severity="SEV1", state="in_progress")
    assert clock("resolution", record, SEV, after("3h")).risk is Risk.BREACHED


@pytest.mark.parametrize(
    "fields",
    [{"outcome": "false_alarm"}, {"outcome": "withdrawn"}, {"outcome": "duplicate"}, {"duplicate_of": "INC-2"}],
)
def test_what_was_no_incident_of_its_own_cancels_every_clock(fields: dict[str, str]) -> None:
    record = incident({"acknowledged": after("1m")}, severity="SEV1", state="in_progress", **fields)
    found = clocks(as_of(record, at(after("9h"))), SEV)
    assert {clock.state for clock in found} == {ClockState.CANCELLED}
    assert {clock.risk for clock in found} == {Risk.OK}


def test_a_correction_moves_the_clock() -> None:
    """The effective value is the last correction's `to`."""
    fix = {"at": after("1h"), "field": "times.acknowledged", "from": after("20m"), "by": "@a", "reason": "typing"}
    record = incident(
        {"acknowledged": after("20m")},
        severity="SEV1",
        corrections=[fix | {"to": after("18m")}, fix | {"to": after("14m")}],
    )
    assert clock("response", record, SEV, after("1h")).state is ClockState.MET


# Pauses and reopening -------------------------------------------------------------------------------------------------

VENDOR = {"from": after("30m"), "to": after("90m"), "waiting_for": "vendor"}


def test_a_pause_stretches_the_resolution_only() -> None:
    record = incident(severity="SEV1", pauses=[VENDOR])
    found = clock("resolution", record, SEV, after("2h"))
    assert (found.due, found.elapsed_seconds, found.paused_seconds) == (at(after("3h")), 3600, 3600)
    assert clock("response", record, SEV, after("2h")).due == at(after("15m"))
    assert clock("update_internal", record, SEV, after("2h")).due == at(after("30m"))


def test_a_pause_that_is_still_on_holds_the_time_left() -> None:
    open_pause = {"from": after("30m"), "waiting_for": "user"}
    record = incident(severity="SEV1", state="pending", pauses=[open_pause])
    early, late = (clock("resolution", record, SEV, after(now)) for now in ("1h", "30h"))
    assert (early.state, early.due, early.risk, early.remaining_seconds) == (ClockState.PAUSED, None, Risk.OK, 5400)
    assert (late.state, late.remaining_seconds, late.paused_seconds) == (ClockState.PAUSED, 5400, duration("29h30m"))


def test_a_pause_after_the_breach_does_not_hide_it() -> None:
    record = incident(severity="SEV1", state="pending", pauses=[{"from": after("3h"), "waiting_for": "user"}])
    found = clock("resolution", record, SEV, after("4h"))
    assert (found.state, found.risk, found.due) == (ClockState.PAUSED, Risk.BREACHED, at(after("2h")))


def test_resolving_ends_a_pause() -> None:
    record = incident(
        {"resolved": after("9h")},
        severity="SEV1",
        state="resolved",
        pauses=[{"from": after("1h"), "waiting_for": "user"}],
    )
    found = clock("resolution", record, SEV, after("20h"))
    assert (found.state, found.elapsed_seconds, found.paused_seconds) == (ClockState.MET, 3600, duration("8h"))


def test_a_reopened_incident_resumes_its_resolution() -> None:
    """The closed time is a pause, the cycle counts on, the response stays that of the first cycle."""
    record = incident(
        {"acknowledged": after("5m"), "resolved": after("1h"), "closed": after("2h")},
        severity="SEV1",
        state="in_progress",
        cycles=[{"reopened": after("10h")}],
    )
    found = {clock.clock: clock for clock in clocks(as_of(record, at(after("10h20m"))), SEV)}
    resolution = found["resolution"]
    assert (resolution.cycle, resolution.start, resolution.due) == (2, at(DECLARED), at(after("11h")))
    assert (resolution.elapsed_seconds, resolution.paused_seconds) == (duration("1h20m"), duration("9h"))
    assert (found["response"].cycle, found["response"].state) == (1, ClockState.MET)
    assert (found["update_internal"].start, found["update_internal"].cycle) == (at(after("10h")), 2)


def test_a_second_end_stops_the_resumed_clock() -> None:
    record = incident(
        {"resolved": after("1h")},
        severity="SEV1",
        state="resolved",
        cycles=[{"reopened": after("10h"), "resolved": after("12h")}],
    )
    found = clock("resolution", record, SEV, after("30h"))
    assert (found.state, found.elapsed_seconds, found.stopped_at) == (
        ClockState.MISSED,
        duration("3h"),
        at(after("12h")),
    )


# Updates --------------------------------------------------------------------------------------------------------------


def test_the_next_update_is_due_after_the_last_of_any_audience() -> None:
    """C36; the order in the file does not matter."""
    record = incident(severity="SEV1", updates=[update("40m", "public"), update("20m")])
    found = clock("update_internal", record, SEV, after("50m"))
    assert (found.start, found.due, found.remaining_seconds) == (at(after("40m")), at(after("70m")), 1200)


def test_an_ended_update_clock_shows_the_slot_that_was_missed() -> None:
    record = incident(
        {"resolved": after("70m")},
        severity="SEV1",
        state="resolved",
        updates=[update("10m"), update("55m"), update("65m")],
    )
    found = clock("update_internal", record, SEV, after("3h"))
    assert (found.state, found.start, found.stopped_at) == (ClockState.MISSED, at(after("10m")), at(after("55m")))


def test_an_update_after_the_end_does_not_count() -> None:
    record = incident({"resolved": after("10m")}, severity="SEV1", state="resolved", updates=[update("2h")])
    found = clock("update_internal", record, SEV, after("3h"))
    assert (found.state, found.stopped_at) == (ClockState.MET, at(after("10m")))


# Targets --------------------------------------------------------------------------------------------------------------


def test_targets_of_the_record_win_over_the_policy() -> None:
    record = incident(severity="SEV1", policy={"scheme": "sev0-3", "targets": {"response": "40m"}})
    assert clock("response", record, SEV, DECLARED).due == at(after("40m"))
    assert clock("resolution", record, SEV, DECLARED).due == at(after("2h"))


def test_a_changed_severity_keeps_the_start_and_takes_the_new_target() -> None:
    """The record's targets were written for the level of its declaration."""
    change = {"at": after("30m"), "field": "severity", "from": "SEV2", "to": "SEV1"}
    record = incident(severity="SEV1", changes=[change], policy={"scheme": "sev0-3", "targets": {"resolution": "24h"}})
    assert clock("resolution", record, SEV, after("1h")).due == at(after("2h"))


def test_a_target_of_no_seconds_is_no_clock() -> None:
    rules = policy("sev0-3", "levels:\n- id: SEV1\n  response: 0s\n  update:\n    internal: 0s\n")
    assert [clock.clock for clock in clocks(as_of(incident(severity="SEV1"), at(DECLARED)), rules)] == ["resolution"]


def test_the_next_release_is_due_at_the_end_of_its_day() -> None:
    """R35; a release before the declaration does not count."""
    rules = policy(
        "sev0-3",
        'releases:\n- {name: a, on: "2025-03-01"}\n- {name: b, on: "2025-02-01"}\n- {name: c, on: "2025-01-21"}\n',
    )
    found = clock("resolution", incident(severity="SEV3"), rules, DECLARED)
    assert (found.state, found.due) == (ClockState.RUNNING, at("2025-02-02T00:00:00Z"))


def test_a_level_with_business_hours_waits_for_the_morning() -> None:
    """R34, R48: declared on Friday evening, due on Monday."""
    record = msgspec.structs.replace(
        incident(severity="SEV3"), times=msgspec.convert({"declared": "2025-01-24T20:00:00Z"}, type(incident().times))
    )
    found = clock("response", record, SEV, "2025-01-25T12:00:00Z")
    assert (found.due, found.elapsed_seconds, found.remaining_seconds) == (at("2025-01-27T17:00:00Z"), 0, 8 * 3600)


@pytest.mark.parametrize("fields", [{}, {"severity": "P1"}, {"severity": "SEV-1"}])
def test_a_foreign_or_missing_label_is_told_never_skipped(fields: dict[str, str]) -> None:
    with pytest.raises(UserError, match="scheme sev0-3"):
        clocks(as_of(incident(**fields), at(DECLARED)), SEV)


def test_a_calendar_the_policy_does_not_have_is_told() -> None:
    rules = policy("sev0-3", "levels:\n- id: SEV1\n  calendar: nights\n")
    with pytest.raises(UserError, match="calendar nights"):
        clocks(as_of(incident(severity="SEV1"), at(DECLARED)), rules)


# The time of the run --------------------------------------------------------------------------------------------------


@given(st.integers(0, 30 * 86_400), st.sampled_from(["SEV0", "SEV1", "SEV2", "SEV3"]), st.booleans())
def test_a_late_run_finds_the_same_dues(seconds: int, label: str, over: bool) -> None:
    """Only what counts up to `now` depends on when the run happens; an ended clock depends on nothing."""
    times = {"acknowledged": after("5m"), "resolved": after("3h")} if over else {}
    record = incident(
        times, severity=label, state="resolved" if over else "new", pauses=[VENDOR], updates=[update("20m")]
    )
    now = at(after("4h"))
    first, later = (
        [one for one in clocks(as_of(record, moment), SEV) if one.clock not in AFTERWARDS]
        for moment in (now, now + timedelta(seconds=seconds))
    )
    if over:
        assert first == later
    else:
        fixed = ("incident", "clock", "cycle", "level", "start", "due", "state", "stopped_at")
        assert [[asdict(clock)[name] for name in fixed] for clock in first] == [
            [asdict(clock)[name] for name in fixed] for clock in later
        ]


# The report -----------------------------------------------------------------------------------------------------------


def record(made: Incident) -> Record:
    return Record(path=f"incidents/{made.id}/incident.yaml", incident=made, data={})


def test_a_report_lists_what_is_not_closed_in_order_and_everything_on_demand() -> None:
    """Of a closed incident the work that is left, and with `everything` its clocks of before."""
    items = [{"id": "AI-1", "title": "a"}, {"id": "AI-2", "title": "b", "status": "done"}]
    held = {"status": "draft", "meeting": after("2h")}
    over = {"closed": after("1h"), "resolved": after("1h")}
    closed = record(incident(over, id="INC-1", severity="SEV0", state="closed", action_items=items))
    met = record(incident(over, id="INC-4", severity="SEV0", state="closed", postmortem=held))
    second, third = (record(incident(id=name, severity="SEV0")) for name in ("INC-3", "INC-2"))
    found = clock_report([closed, second, met, third], SEV, at(after("2h")))
    assert [(clock.incident, clock.item or clock.clock) for clock in found.clocks] == [
        ("INC-1", "postmortem_meeting"),
        ("INC-1", "AI-1"),
        ("INC-2", "response"),
        ("INC-2", "update_internal"),
        ("INC-3", "response"),
        ("INC-3", "update_internal"),
    ]
    assert [one.incident for one in found.statuses] == ["INC-2", "INC-3"]
    everything = clock_report([closed, second, met, third], SEV, at(after("2h")), everything=True)
    assert {(clock.incident, clock.item or clock.clock) for clock in everything.clocks} >= {
        ("INC-1", "response"),
        ("INC-1", "AI-2"),
        ("INC-4", "postmortem_meeting"),
    }


def test_a_record_without_a_level_is_unread_and_hides_no_other() -> None:
    broken = Unread("incidents/INC-9/incident.yaml", "not YAML")
    found = clock_report([record(incident(id="INC-2")), record(incident(severity="SEV0"))], SEV, at(DECLARED), [broken])
    assert {clock.incident for clock in found.clocks} == {"INC-1"}
    assert [unread.path for unread in found.unread] == ["incidents/INC-2/incident.yaml", broken.path]
    assert "without a severity it has no level of scheme sev0-3" in found.unread[0].reason
