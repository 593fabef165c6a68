"""Laws of every clock of every record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record
from incident_ops.domain.time import duration, stamp
from incident_ops.render.sla import to_json, to_text
from incident_ops.sla.calendar import due
from incident_ops.sla.clocks import RESOLUTION, Clock, ClockState, Risk, clocks
from incident_ops.sla.status import clock_report
from tests.sla.scene import DECLARED, at, incident, policy
from tests.sla.test_calendar import calendars, whole

DAY = 86_400
BEGIN = at(DECLARED)
BERLIN = """\
calendars:
  business:
    tz: Europe/Berlin
    hours: {monday: ["09:00-17:00"], wednesday: ["09:00-12:00", "13:00-17:00"], friday: ["22:00-24:00"]}
    holidays: ["2025-01-27"]
levels:
- {id: SEV1, diagnosis: 1h, update: {public: 20m, public_max: 40m}, postmortem: {final_within: 5d}, warn_at: 75%}
- {id: SEV2, calendar: business, update: {internal: 1h}}
releases: [{name: r, on: "2025-02-01"}]
"""
POLICIES = (policy("sev0-3"), policy("sev0-3", BERLIN))
LEVELS = ("SEV0", "SEV1", "SEV2", "SEV3")
moments = st.integers(-DAY, 6 * DAY).map(lambda seconds: stamp(BEGIN + timedelta(seconds=seconds)))
nows = st.integers(-DAY, 9 * DAY).map(lambda seconds: BEGIN + timedelta(seconds=seconds))
STATES = ("new", "triaged", "assigned", "in_progress", "pending", "resolved", "closed", "reopened")


@st.composite
def pauses(draw: st.DrawFn) -> dict[str, str]:
    found = {"from": draw(moments), "waiting_for": "vendor"}
    return found | ({"to": draw(moments)} if draw(st.booleans()) else {})


@st.composite
def records(draw: st.DrawFn) -> Incident:
    """Any record the schema lets in, sensible or not."""
    ends = ("acknowledged", "diagnosed", "restored", "resolved", "closed")
    times = {name: draw(st.one_of(moments, st.just("unknown"))) for name in ends if draw(st.booleans())}
    label = draw(st.sampled_from(LEVELS))
    updates = [
        {"at": one, "audience": audience, "status": "investigating", "text": "t"}
        for one, audience in draw(st.lists(st.tuples(moments, st.sampled_from(("internal", "public"))), max_size=4))
    ]
    moves: list[dict[str, str]] = []
    for one, old in sorted(draw(st.lists(st.tuples(moments, st.sampled_from(LEVELS)), max_size=3))):
        moves.append({"at": one, "field": "severity", "from": old, "to": label})
    items = draw(st.lists(st.sampled_from(("2025-01-21", "2025-01-25", None)), max_size=2))
    return incident(
        times,
        severity=label,
        state=draw(st.sampled_from(STATES)),
        outcome=draw(st.sampled_from(("fixed", "fixed", "fixed", "false_alarm"))),
        updates=updates,
        pauses=draw(st.lists(pauses(), max_size=3)),
        changes=moves,
        cycles=[{"reopened": one} for one in sorted(draw(st.lists(moments, max_size=2)))],
        action_items=[
            {"id": f"AI-{number}", "title": "t"} | ({"due": day} if day else {}) for number, day in enumerate(items, 1)
        ],
    )


rules = st.sampled_from(POLICIES)


def key(clock: Clock) -> tuple[Any, ...]:
    return clock.clock, clock.cycle, clock.start, clock.item


def wanted(clock: Clock, given_policy: Policy) -> int | None:
    """The target as the policy spells it; a date's is the time up to it; None for a business day or a release."""
    level = given_policy.level(clock.level)
    assert level is not None
    if clock.item:
        return None if clock.due is None else int((clock.due - clock.start).total_seconds())
    text = {
        "response": level.response,
        "diagnosis": level.diagnosis,
        "resolution": level.resolution,
        "update_internal": level.update.internal,
        "update_public": level.update.public_max,
        "postmortem_meeting": level.postmortem.within,
        "postmortem_final": level.postmortem.final_within,
    }[clock.clock]
    return None if text is None or text.startswith("next") else duration(text)


@given(records(), rules, nows)
def test_elapsed_and_remaining_are_the_target(record: Incident, given_policy: Policy, now: datetime) -> None:
    """And a clock is past its due exactly where nothing remains."""
    for one in clocks(as_of(record, now), given_policy):
        target = wanted(one, given_policy)
        if one.remaining_seconds is None:
            assert one.state in (ClockState.CANCELLED, ClockState.NO_DUE)
            continue
        assert one.elapsed_seconds is not None
        assert min(one.elapsed_seconds, one.paused_seconds) >= 0
        assert target is None or one.elapsed_seconds + one.remaining_seconds == target
        if one.state in (ClockState.MET, ClockState.MISSED):
            assert (one.state is ClockState.MET) is (one.stopped_at is not None and one.stopped_at <= one.due)  # type: ignore[operator]
            assert one.state is ClockState.MISSED or one.remaining_seconds >= 0
        if one.state is ClockState.RUNNING:
            assert one.due is not None
            assert (one.risk is Risk.BREACHED) is (now > one.due)


@given(records(), rules, nows, st.integers(0, 5 * DAY))
def test_moving_now_forward_never_unbreaches(record: Incident, given_policy: Policy, now: datetime, later: int) -> None:
    """The same clock of the same cycle; but what was no incident, or ended at an unknown instant, is cancelled."""
    before = {key(one): one for one in clocks(as_of(record, now), given_policy) if one.risk is Risk.BREACHED}
    for one in clocks(as_of(record, now + timedelta(seconds=later)), given_policy):
        if key(one) in before and one.state is not ClockState.CANCELLED:
            assert one.risk is Risk.BREACHED
            assert one.due == before[key(one)].due


@given(records(), rules, nows, pauses())
def test_a_pause_never_makes_a_clock_due_earlier(
    record: Incident, given_policy: Policy, now: datetime, pause: dict[str, str]
) -> None:
    paused = incident(
        {name: text for name in record.times.__struct_fields__ if (text := getattr(record.times, name))},
        severity=record.severity,
        state=record.state,
        pauses=[pause],
    )
    plain = incident(
        {name: text for name in record.times.__struct_fields__ if (text := getattr(record.times, name))},
        severity=record.severity,
        state=record.state,
    )
    without = {key(one): one for one in clocks(as_of(plain, now), given_policy)}
    for one in clocks(as_of(paused, now), given_policy):
        other = without[key(one)]
        assert one.due is None or (other.due is not None and one.due >= other.due)
        assert one.clock == RESOLUTION or one == other


@given(whole, st.integers(0, 20 * DAY), st.integers(0, 20 * DAY), calendars)
def test_a_due_time_is_monotone_in_its_target(start: datetime, first: int, more: int, calendar: Any) -> None:
    earlier, later = due(start, first, calendar), due(start, first + more, calendar)
    assert later is None or (earlier is not None and earlier <= later)


@given(st.integers(1, 2 * DAY), st.integers(1, 2 * DAY), nows)
def test_a_longer_target_in_the_policy_is_never_due_earlier(first: int, second: int, now: datetime) -> None:
    short, long = sorted((first, second))
    found = []
    for seconds in (short, long):
        level = f"levels:\n- {{id: SEV1, resolution: {seconds}s}}\n"
        found.append(
            next(
                one
                for one in clocks(as_of(incident(severity="SEV1"), now), policy("sev0-3", level))
                if one.clock == RESOLUTION
            )
        )
    assert found[0].due is not None
    assert found[1].due is not None
    assert found[0].due <= found[1].due


@given(st.lists(records(), max_size=3), rules, nows)
def test_the_same_input_twice_is_byte_identical(made: list[Incident], given_policy: Policy, now: datetime) -> None:
    """In whatever order the records come."""
    given_records = [Record(f"incidents/INC-{number}/incident.yaml", one, {}) for number, one in enumerate(made)]
    first, again = (clock_report(given_records, given_policy, now, everything=True) for _ in range(2))
    assert to_json(first) == to_json(again)
    assert to_text(first) == to_text(again)
