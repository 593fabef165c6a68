"""When an incident escalates, to which tier, whom that concerns, and that a late run finds the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Escalation, Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Append
from incident_ops.domain.time import stamp
from incident_ops.edits.escalate import escalate_due
from incident_ops.sla.activity import NOTHING_SEEN, Seen
from incident_ops.sla.escalation import DueEscalation, due_escalations
from incident_ops.sla.escalation_ladder import managers
from incident_ops.sla.escalation_rules import deferred, neighbours, similar
from tests.sla.escalating import (
    ITIL,
    LADDER,
    NO_WAITING,
    START,
    at,
    comment,
    example,
    incident,
    moved,
    note,
    policy,
    text,
)

CLIMBING = policy(extra=LADDER)
SIX = {"acknowledged": "10m"}


def due(record: Incident, now: str, judge: Policy = ITIL, seen: Seen = NOTHING_SEEN) -> list[tuple[str, str]]:
    """(rule, span in seconds since the declaration) of what stands at `now`."""
    found = due_escalations(as_of(record, at(now)), judge, seen)
    return [(one.rule, f"{(one.due - START).total_seconds():.0f}") for one in found if not one.superseded]


def rules(record: Incident, now: str, judge: Policy = ITIL, seen: Seen = NOTHING_SEEN) -> set[str]:
    """Every rule that was due by `now`, superseded or not."""
    return {one.rule for one in due_escalations(as_of(record, at(now)), judge, seen)}


def hours(*spans: str) -> list[dict[str, Any]]:
    return [note(span) for span in spans]


# worked tickets -------------------------------------------------------------------------------------------------------


def test_the_two_p2_tickets_of_the_example() -> None:
    """04567, silent for 3 h of 4 h, is not escalated yet (C8); 04890 works past its threshold and is not (C9)."""
    now = datetime.fromisoformat("2025-10-21T18:00:00Z")
    assert due_escalations(as_of(example("INC-2025-04567"), now), ITIL) == []
    assert due_escalations(as_of(example("INC-2025-04890"), now), ITIL) == []
    later = due_escalations(as_of(example("INC-2025-04567"), now + timedelta(hours=1, seconds=1)), ITIL)
    hour = now + timedelta(hours=1)  # 4 h of silence and the 6 h mark meet: one tier up, not two
    assert [(one.rule, one.due, one.to_tier) for one in later] == [("stagnation", hour, 2), ("time", hour, 2)]
    assert later[0].reason == "No activity for 4 hours on P2 ticket"  # R64 with the limit of C8
    quiet = due_escalations(as_of(example("INC-2025-04890"), now + timedelta(minutes=30, seconds=1)), ITIL)
    assert [(one.rule, one.due) for one in quiet] == [("time", now + timedelta(minutes=30))]


# Rules ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("priority", "mark", "quiet"), [("P1", "2h", None), ("P2", "6h", "4h"), ("P3", "20h", None), ("P4", "60h", None)]
)
def test_the_threshold_of_each_priority(priority: str, mark: str, quiet: str | None) -> None:
    """R36-R39: strictly after; a silence of its own limit comes first on P2."""
    record = incident(SIX, priority=priority, state="in_progress")
    moment = int((at(mark) - START).total_seconds())
    assert "time" not in rules(record, f"{moment}s")
    assert "time" in rules(record, f"{moment + 1}s")
    assert ("stagnation" in rules(record, f"{moment}s")) == (quiet is not None)


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        (("5h50m",), "6h50m"),  # active 10 min before the threshold: deferred for the rest of the hour
        (("5h",), "6h"),  # an hour of silence is enough
        (("5h50m", "6h30m", "7h10m"), "8h10m"),
        (("5h50m", "6h50m"), "7h50m"),  # an activity at the very instant defers once more
        (("5h50m", "6h50m1s"), "6h50m"),
    ],
)
def test_work_defers_the_threshold_to_an_exact_instant(notes: tuple[str, ...], expected: str) -> None:
    """C9: due at the first t >= threshold with t - last activity(t) >= 1 h."""
    record = incident(SIX, state="in_progress", timeline=hours("2h", "4h", *notes))
    found = [one for one in due_escalations(as_of(record, at("30h")), ITIL) if one.rule == "time"]
    assert [one.due for one in found] == [at(expected)]


def test_a_bot_defers_nothing() -> None:
    """The same notes by the automation leave the threshold where it is."""
    record = incident(SIX, state="in_progress", timeline=[note("5h50m", "incident-ops")])
    assert [one.due for one in due_escalations(as_of(record, at("7h")), ITIL) if one.rule == "time"] == [at("6h")]


@given(
    st.lists(st.integers(0, 300), max_size=12),
    st.integers(0, 200),
    st.integers(1, 60),
)
def test_the_deferred_instant_is_the_first_one_that_a_walk_finds(
    minutes: list[int], threshold: int, limit: int
) -> None:
    """Against stepping minute by minute through the definition."""
    done = sorted({START + timedelta(minutes=one) for one in [0, *minutes]})
    span = timedelta(minutes=limit)
    found = deferred(START + timedelta(minutes=threshold), done, lambda start: start + span)
    walked = next(
        t
        for t in (START + timedelta(minutes=one) for one in range(threshold, 1000))
        if t - max(one for one in done if one <= t) >= span
    )
    assert found == walked


def test_a_pause_stretches_silence_and_threshold() -> None:
    """Waiting for somebody is no stagnation: 4 h of work, two of them before the pause."""
    record = incident(
        SIX,
        state="in_progress",
        pauses=[{"from": text("2h"), "to": text("5h"), "waiting_for": "vendor"}],
        timeline=hours("1h"),
    )
    found = {one.rule: one.due for one in due_escalations(as_of(record, at("20h")), ITIL)}
    assert found == {"stagnation": at("8h"), "time": at("9h")}


def test_a_silence_that_somebody_ended_is_superseded() -> None:
    """Nobody is called for what is over; a late run still lists it."""
    record = incident(SIX, state="in_progress", timeline=hours("5h"))
    (found,) = [one for one in due_escalations(as_of(record, at("5h30m")), ITIL) if one.rule == "stagnation"]
    assert (found.due, found.superseded) == (at("4h10m"), f"work went on at {text('5h')}")


@pytest.mark.parametrize(("count", "fires"), [(4, False), (5, True), (6, True)])
def test_the_fourth_reassignment_is_the_fifth_entry(count: int, fires: bool) -> None:
    """R60; the same handle again hands nothing on."""
    given = [{"at": text(f"{number}m"), "to": f"@p{number}"} for number in range(1, count + 1)]
    again = [{"at": text("30m"), "to": given[-1]["to"]}]
    record = incident(SIX, state="in_progress", assignments=[*given, *again])
    assert ("reassignment" in rules(record, "1h")) == fires
    if fires:
        assert due(record, "1h") == [("reassignment", "300")]


WORDS = policy(extra=f"{NO_WAITING}  keywords: [lawyer, data loss, c++]\n  vip: [Example Bank]\n")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"title": "Our LAWYER calls"}, {"keyword"}),
        ({"title": "The lawyers call"}, set()),  # whole words
        ({"description": "there is data\n  loss"}, {"keyword"}),
        ({"description": "built with c++."}, {"keyword"}),  # literal, no pattern
        ({"title": "built with cc"}, set()),
        ({"customer": {"names": ["example bank"]}}, {"vip"}),
        ({"title": "Example Bank cannot log in"}, {"vip"}),
        ({"customer": {"vip": True}}, {"vip"}),
        ({"customer": {"names": ["Other"]}}, set()),
    ],
)
def test_vip_and_keywords(fields: dict[str, Any], expected: set[str]) -> None:
    """R61: literals, whole words, whatever their case."""
    assert rules(incident(SIX, state="in_progress", **fields), "1h", WORDS) == expected


def test_a_keyword_in_a_persons_comment() -> None:
    """Due at the comment; a bot's words do not count."""
    record = incident(SIX, state="in_progress")
    assert due(record, "2h", WORDS, Seen((comment("1h", "My Lawyer!"),))) == [("keyword", "3600")]
    assert due(record, "2h", WORDS, Seen((comment("1h", "lawyer", is_bot=True),))) == []
    assert due(record, "2h", WORDS, Seen((comment("1h", "lawyer", is_stranger=True),))) == []


def alike(count: int, **last: Any) -> list[Incident]:
    made = [
        incident(id=f"INC-{number}", cause={"category": "database"}, state="in_progress", priority="P4")
        for number in range(1, count)
    ]
    return [*made, incident(**{"id": f"INC-{count}", "cause": {"category": "database"}, "priority": "P4", **last})]


@pytest.mark.parametrize(
    ("count", "last", "found"),
    [
        (4, {}, False),
        (5, {}, True),
        (5, {"services": ["other"]}, False),
        (5, {"cause": {"category": "unknown"}}, False),
        (5, {"drill": True}, False),
        (5, {"problem": "PRB-2025-0001"}, False),
        (5, {"related": ["INC-1"]}, False),  # four are left
        (6, {"related": ["INC-1"]}, True),
        (5, {"outcome": "duplicate", "duplicate_of": "INC-1"}, False),
    ],
)
def test_related_incidents_are_a_pattern(count: int, last: dict[str, Any], found: bool) -> None:
    """R62, R69: same service and same cause; drills and what is linked already stay out."""
    records = alike(count, **last)
    ids = similar(records[-1], neighbours(records), ITIL, at("1m"))
    assert bool(ids) == found
    assert (
        "pattern" in {one.rule for one in due_escalations(as_of(records[-1], at("1m")), ITIL, Seen(), ids)}
    ) == found


def test_a_common_tag_is_enough_and_the_window_ends() -> None:
    """Declared within 24 h before it; the last of the five is told."""
    tagged = [
        incident(id=f"INC-{number}", tags=["vpn"], times={"declared": f"{number}h"}) for number in (1, 2, 3, 4, 24, 30)
    ]
    around = neighbours(tagged)
    assert len(similar(tagged[4], around, ITIL, at("40h"))) == 5
    assert similar(tagged[5], around, ITIL, at("40h")) == []
    assert similar(tagged[3], around, ITIL, at("40h")) == []


@pytest.mark.parametrize(
    ("fields", "other", "found"),
    [
        ({"factors": {"os": "macOS Sonoma"}}, {"factors": {"OS": "macos  sonoma", "vpn": "7"}}, True),
        ({"factors": {"os": "macOS Sonoma"}}, {"factors": {"os": "Windows"}}, False),
        ({"factors": {"os": "macOS Sonoma"}}, {"factors": {"client": "macOS Sonoma"}}, False),
        ({"title": "VPN drops after 10 minutes"}, {"title": "vpn drops: after 25 minutes!"}, True),
        ({"title": "VPN drops for the London office"}, {"title": "VPN drops, London"}, True),
        ({"title": "Login fails for some users"}, {"title": "Search is slow for some users"}, False),
        ({"title": "Outage"}, {"title": "Outage"}, True),
        ({"title": "42"}, {"title": "42"}, False),
        ({"triage": {"category": "database"}}, {"cause": {"category": "database"}}, True),
    ],
)
def test_what_is_known_at_the_beginning_makes_a_pattern(
    fields: dict[str, Any], other: dict[str, Any], found: bool
) -> None:
    """Common factors, like titles and the category of triage, long before anybody knows the cause."""
    records = [incident(id=f"INC-{number}", **(other if number == 3 else fields)) for number in range(1, 6)]
    assert (len(similar(records[-1], neighbours(records), ITIL, at("1m"))) == 5) == found


# Who never escalates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": "duplicate", "duplicate_of": "INC-2"},
        {"outcome": "false_alarm"},
        {"times": {"detected": "0s", "restored": "0s"}},
    ],
)
def test_duplicates_and_retroactive_ones_never_escalate(fields: dict[str, Any]) -> None:
    """Whatever the silence."""
    record = incident(**{"state": "in_progress", "customer": {"vip": True}, **fields})
    assert due_escalations(as_of(record, at("50h")), CLIMBING) == []


def test_a_resolved_one_owes_nothing_and_lists_what_was_due() -> None:
    """The same rules, superseded."""
    record = incident({**SIX, "resolved": "7h"}, state="resolved", timeline=hours("5h"))
    found = due_escalations(as_of(record, at("9h")), ITIL)
    assert [(one.rule, one.superseded) for one in found] == [
        ("stagnation", "nobody is working on it now"),
        ("time", "nobody is working on it now"),
    ]
    assert [
        one.rule
        for one in due_escalations(as_of(incident({**SIX, "resolved": "4h"}, state="resolved"), at("9h")), ITIL)
    ] == []


STOPS_AT_WORK = policy(extra=f"{LADDER}states: {{stopping: [in_progress, resolved, closed]}}\n")


def test_a_state_that_stops_the_resolution_ends_escalations_and_lists_what_was_due() -> None:
    """Five hours of silence are due under both policies; what comes after the move into the stopping state is not."""
    record = incident(SIX, state="in_progress", changes=[moved("5h", "assigned", "in_progress")])
    assert rules(record, "30h", CLIMBING) > {"stagnation", "time"}
    found = due_escalations(as_of(record, at("30h")), STOPS_AT_WORK)
    assert {one.superseded for one in found} == {"its resolution clock has stopped"}
    assert all(one.due < at("5h") for one in found)
    assert "stagnation" in {one.rule for one in found}
    assert "time" not in {one.rule for one in found}
    assert [one for one in due_escalations(as_of(record, at("4h59m")), STOPS_AT_WORK) if not one.superseded]


def test_nobody_is_notified_again_once_a_state_stops_the_resolution() -> None:
    record = incident(priority="P4", state="in_progress", changes=[moved("45m", "new", "in_progress", "incident-ops")])
    found = due_escalations(as_of(record, at("10h")), STOPS_AT_WORK)
    assert [(one.rule, one.due) for one in found] == [("no_answer", at("30m"))]
    assert len(due_escalations(as_of(record, at("10h")), CLIMBING)) > 1


def test_an_incident_declared_in_a_stopping_state_is_not_escalated() -> None:
    assert due(incident(SIX, state="in_progress", customer={"vip": True}), "30h", STOPS_AT_WORK) == []


def test_an_incident_that_comes_back_is_escalated_again() -> None:
    record = incident(
        {**SIX, "resolved": "2h"},
        state="reopened",
        changes=[
            moved("1h", "assigned", "in_progress"),
            moved("2h", "in_progress", "resolved"),
            moved("3h", "resolved", "reopened"),
        ],
        cycles=[{"reopened": text("3h")}],
    )
    assert "stagnation" in {rule for rule, _ in due(record, "9h", STOPS_AT_WORK)} | rules(record, "9h", STOPS_AT_WORK)
    assert due(record, "9h", STOPS_AT_WORK) != []


def test_what_a_person_escalates_is_notified_in_a_stopping_state_too() -> None:
    entry = {
        "at": text("6h"), "key": "INC-1/escalation/1/manual.x", "rule": "manual", "reason": "stuck", "to_tier": 2,
        "notified": ["@lead"], "noticed_at": text("6h"),
    }  # fmt: skip
    record = incident(SIX, state="in_progress", changes=[moved("5h", "assigned", "in_progress")], escalations=[entry])
    assert [rule for rule, _ in due(record, "7h", STOPS_AT_WORK)] == ["manual"]


# Ladder ---------------------------------------------------------------------------------------------------------------


def climbed(record: Incident, now: str) -> list[tuple[str, int | None, int | None, str]]:
    found = due_escalations(as_of(record, at(now)), CLIMBING)
    return [(one.rule, one.from_tier, one.to_tier, stamp(one.due)) for one in found]


def test_nobody_answers() -> None:
    """Told, told once more, then the next tier, then the last; specialists and vendors are passed over."""
    record = incident(priority="P4")
    assert climbed(record, "10h") == [
        ("no_answer", 1, 1, text("30m")),
        ("no_answer", 1, 2, text("1h")),
        ("no_answer", 2, 5, text("2h")),
    ]
    standing = [one for one in due_escalations(as_of(record, at("10h")), CLIMBING) if not one.superseded]
    told = [(one.to_tier, one.targets) for one in standing]  # the last step to each tier
    assert told == [(1, ("@ann",)), (2, ("@lead",)), (5, ("@mona",))]


ROUND = """
escalation:
  repeat: 1
  tiers:
  - {id: tier-1, wait: {P1: 5m}}
  - {id: tier-2, wait: {P1: 10m}}
  - {id: management, wait: {P1: 15m}}
"""


def test_at_the_end_the_ladder_begins_again_and_then_its_last_step_goes_on() -> None:
    """Once more from the first step; then the last one after 15 min, 30 min, 1 h, ..., at most a day."""
    judge = policy(extra=ROUND)
    found = due_escalations(as_of(incident(priority="P1"), at("1h55m")), judge)
    assert [(one.from_tier, one.to_tier, one.lap, stamp(one.due)) for one in found] == [
        (1, 2, 0, text("5m")),
        (2, 5, 0, text("15m")),
        (5, 1, 1, text("30m")),
        (1, 2, 1, text("35m")),
        (2, 5, 1, text("45m")),
        (5, 5, 1, text("1h")),
        (5, 5, 1, text("1h30m")),
    ]
    assert found[2].reason == "Nobody answered within 15m; the ladder begins again"
    assert found[-1].reason == "Nobody answered within 30m"


def test_the_last_step_goes_on_once_a_day_in_the_end() -> None:
    """Months without an answer cost as many steps as days."""
    found = due_escalations(as_of(incident(priority="P1"), at("90d")), policy(extra=ROUND))
    days = [one.due for one in found if one.rule == "no_answer"][-3:]
    assert {after - before for before, after in pairwise(days)} == {timedelta(days=1)}
    assert len(found) < 110


def test_a_level_that_gets_worse_begins_to_wait() -> None:
    """Nobody waits for an answer to a P3; raised to P1 it has five minutes, unless somebody has it by then."""
    judge, raised = policy(extra=ROUND), moved("1h", "P3", "P1", field="priority")
    record = incident(priority="P1", changes=[raised])
    steps = [one for one in due_escalations(as_of(record, at("1h6m")), judge) if one.rule == "no_answer"]
    assert [(one.to_tier, stamp(one.due)) for one in steps] == [(2, text("1h5m"))]
    answered = incident({"acknowledged": "30m"}, priority="P1", changes=[raised])
    assert [one for one in due_escalations(as_of(answered, at("2h")), judge) if one.rule == "no_answer"] == []


def test_a_level_that_gets_better_ends_the_waiting() -> None:
    """Lowered to a level that no step waits for."""
    record = incident(priority="P3", changes=[moved("4m", "P1", "P3", field="priority")])
    assert [
        one for one in due_escalations(as_of(record, at("2h")), policy(extra=ROUND)) if one.rule == "no_answer"
    ] == []


@pytest.mark.parametrize(("answer", "rungs"), [("30m", 0), ("31m", 1), ("59m", 1), ("1h", 1), ("61m", 2)])
def test_an_acknowledgement_stops_it(answer: str, rungs: int) -> None:
    """At the very instant is in time (C37)."""
    record = incident({"acknowledged": answer}, priority="P4", state="in_progress")
    assert len([one for one in climbed(record, "90m") if one[0] == "no_answer"]) == rungs


def test_after_an_answer_silence_begins_it_again() -> None:
    """ack_timeout: 2 h after the last activity that follows the answer; then the wait of the tier."""
    record = incident({"acknowledged": "10m"}, priority="P4", state="in_progress", timeline=hours("1h"))
    assert climbed(record, "4h15m") == [
        ("ack_timeout", 1, 1, text("3h")),
        ("no_answer", 1, 1, text("3h30m")),
        ("no_answer", 1, 2, text("4h")),
    ]


def test_a_rule_climbs_from_the_tier_it_was_assigned_to() -> None:
    """R64: tier 1 -> tier 2, its lead and the assignee's manager are told; each further rule climbs on."""
    record = incident(
        SIX, state="assigned", assignments=[{"at": text("10m"), "to": "@ann", "tier": 1}], timeline=hours("1h", "90m")
    )
    quiet = policy(extra=LADDER.replace("wait: 30m, repeat_max: 1, ack_timeout: 2h", "").replace(", wait: 1h", ""))
    found = due_escalations(as_of(record, at("7h")), quiet)
    assert [(one.rule, one.from_tier, one.to_tier) for one in found] == [("stagnation", 1, 2), ("time", 2, 3)]
    assert found[0].targets == ("@lead", "@mona", "@vera")  # rank 2: two managers up
    assert found[0].superseded == f"by {found[1].key}"


def test_words_that_nobody_is_behind_are_named() -> None:
    """The preset's ladder without contacts: unreachable, said."""
    (found,) = due_escalations(as_of(incident(SIX, state="in_progress"), at("5h")), ITIL)
    assert (found.targets, found.unreached, found.to_tier) == ((), ("tier_2_lead", "tier-2"), 2)


def test_a_tier_without_people_does_not_swallow_the_call() -> None:
    """Nobody is behind `specialists`: the lead of tier 2 is told, and the gap is said."""
    judge = policy(extra=f'{NO_WAITING}contacts: {{roles: {{tier_2_lead: ["@lead"]}}}}\n')
    record = incident(SIX, state="in_progress", timeline=hours("1h"))
    (found,) = [one for one in due_escalations(as_of(record, at("9h")), judge) if not one.superseded]
    assert (found.to_tier, found.targets, found.unreached) == (3, ("@lead",), ("specialists",))


def test_management_chains_end() -> None:
    """By rank: all, two, one; a chain that leads back ends."""
    assert managers("@ann", 1, CLIMBING) == ["@mona", "@vera", "@ann"]
    assert managers("@ann", 2, CLIMBING) == ["@mona", "@vera"]
    assert managers("@ann", 4, CLIMBING) == ["@mona"]
    assert managers("@nobody", 1, CLIMBING) == []
    assert managers(None, 1, CLIMBING) == []


def test_after_a_reopening_thresholds_fire_again() -> None:
    """Cycle 2 has keys of its own; those of the first are of the past."""
    record = incident(
        {**SIX, "resolved": "7h"},
        state="reopened",
        timeline=hours("2h", "4h", "5h"),
        changes=[moved("7h", "in_progress", "resolved"), moved("9h", "resolved", "reopened")],
        cycles=[{"reopened": text("9h")}],
    )
    found = [one for one in due_escalations(as_of(record, at("11h")), ITIL) if one.rule == "time"]
    assert [(one.cycle, one.key, bool(one.superseded)) for one in found] == [
        (1, "INC-1/resolution/1/escalate.P2", True),
        (2, "INC-1/resolution/2/escalate.P2", False),
    ]


def test_a_raised_priority_past_its_mark_is_due_at_the_change() -> None:
    """P3 for 3 h, then P1: its 2 h mark lies in the past."""
    changes = [moved("3h", "P3", "P1", field="priority")]
    record = incident(SIX, priority="P1", state="in_progress", changes=changes)
    assert [one.due for one in due_escalations(as_of(record, at("4h")), ITIL) if one.rule == "time"] == [at("3h")]


def test_a_lowered_level_keeps_the_rungs_of_before_and_tells_nothing_anew() -> None:
    """Nobody answers a P1 in the night; on a level of office hours it stays where it had climbed to."""
    office = "calendars: {business: {tz: Etc/UTC, hours: {thursday: ['09:00-17:00']}}}\n"
    judge = policy(
        extra="levels:\n- {id: P1, escalate_at: 45m, stagnation: null}\n- {id: P3, calendar: business}\n"
        + office
        + LADDER
    )
    lowered = {"changes": [moved("3h", "P1", "P3", field="priority")], "priority": "P3"}
    first = due_escalations(as_of(incident(priority="P1"), at("3h")), judge)
    before = [(one.key, one.due, one.to_tier) for one in first]
    after = due_escalations(as_of(incident(**lowered), at("3h1m")), judge)
    assert [(one.key, one.due, one.to_tier) for one in after] == before
    assert [tier for _, _, tier in before] == [1, 2, 5]
    told, _, _ = run(incident(**lowered), judge, [at(span) for span in ("31m", "46m", "2h1m", "3h1m", "20h")])
    assert [entry.to_tier for entry in told.escalations] == [1, 2, 5]


def test_a_level_raised_at_night_counts_the_wait_around_the_clock_from_then_on() -> None:
    """15 of its 30 minutes passed in office hours at noon; the rest is counted from the change at 22:00."""
    office = "calendars: {business: {tz: Etc/UTC, hours: {wednesday: ['09:00-12:15']}}}\n"
    quiet = "{id: P1, escalate_at: null, stagnation: null}"
    judge = policy(extra=f"levels:\n- {quiet}\n- {{id: P3, calendar: business}}\n{office}{LADDER}")
    raised = incident(priority="P1", changes=[moved("10h", "P3", "P1", field="priority")])
    assert [one.due for one in due_escalations(as_of(raised, at("10h16m")), judge)][:1] == [at("10h15m")]


# A late run -----------------------------------------------------------------------------------------------------------


def written(record: Incident, one: DueEscalation, judge: Policy, now: datetime) -> Incident:
    """The record with what the automation appends for an escalation."""
    step = escalate_due(record, one, judge, now)
    fields = [edit.value for edit in step.edits if isinstance(edit, Append) and edit.route == ("escalations",)]
    lines = [edit.value for edit in step.edits if isinstance(edit, Append) and edit.route == ("timeline",)]
    data = msgspec.to_builtins(record)
    data["escalations"] = [*data.get("escalations", []), *fields]
    data["timeline"] = [*data.get("timeline", []), *lines]
    return msgspec.convert(data, Incident)


def run(record: Incident, judge: Policy, times: list[datetime]) -> tuple[Incident, set[str], set[str]]:
    """The record after checks at these instants, the keys written, and those that some check listed as superseded."""
    keys: set[str] = set()
    passed: set[str] = set()
    for now in times:
        found = due_escalations(as_of(record, now), judge)
        passed |= {one.key for one in found if one.superseded}
        for one in found:
            if not one.superseded and one.recorded is None:
                assert one.key not in keys
                keys.add(one.key)
                record = written(record, one, judge, now)
    return record, keys, passed


@st.composite
def lives(draw: st.DrawFn) -> Incident:
    """Two days of an incident: notes, moves, assignments, pauses, a change of priority, perhaps an end."""
    spans = sorted(draw(st.lists(st.integers(1, 2800), max_size=14, unique=True)))
    fields: dict[str, list[dict[str, Any]]] = {"timeline": [], "assignments": [], "changes": [], "pauses": []}
    priority = first = draw(st.sampled_from(["P1", "P2", "P3"]))
    for minute in spans:
        span = f"{minute}m"
        kind = draw(st.sampled_from(["note", "bot", "assign", "pause", "label"]))
        if kind == "note":
            fields["timeline"].append(note(span))
        elif kind == "bot":
            fields["timeline"].append(note(span, "incident-ops"))
        elif kind == "assign":
            who, tier = draw(st.sampled_from(["@ann", "@bob", "@cem"])), draw(st.sampled_from([None, 1, 2]))
            entry = {"at": text(span), "to": who}
            fields["assignments"].append(entry if tier is None else {**entry, "tier": tier})
        elif kind == "pause":
            end = text(f"{minute + draw(st.integers(1, 300))}m")
            fields["pauses"].append({"from": text(span), "to": end, "waiting_for": "vendor"})
        else:
            label = draw(st.sampled_from(["P1", "P2", "P3"]))
            if label != priority:
                fields["changes"].append(moved(span, priority, label, field="priority"))
                priority = label
    times = {"acknowledged": f"{minutes}m"} if (minutes := draw(st.none() | st.integers(1, 600))) else {}
    assert first
    end = draw(st.none() | st.integers(600, 2900))
    if end:
        times["resolved"] = f"{end}m"
    return incident(times, priority=priority, state="resolved" if end else "in_progress", **fields)


@pytest.mark.slow
@given(lives(), st.sampled_from([ITIL, CLIMBING]))
def test_every_20_minutes_and_once_a_day_end_with_the_same_escalations(record: Incident, judge: Policy) -> None:
    """Superseded ones apart: the daily run never finds one that the other did not, and misses none that stands."""
    marks = [START + timedelta(minutes=one, seconds=30) for one in range(0, 2880, 20)]
    days = [marks[0], marks[72], marks[-1]]
    often, all_keys, _ = run(record, judge, marks)
    seldom, few_keys, passed = run(record, judge, days)
    listed = {one.key for one in due_escalations(as_of(seldom, days[-1]), judge)}
    assert few_keys <= all_keys
    assert all_keys - few_keys <= passed
    assert all_keys <= listed  # what was due stays known
    assert {one.key for one in due_escalations(as_of(often, days[-1]), judge)} == listed


def test_a_run_every_minute_for_six_hours_and_one_at_the_end_tell_the_same_marks() -> None:
    """The first writes all of them; the late one writes what stands, and lists the others at the same instants."""
    record = incident(
        {"acknowledged": "50m"},
        state="in_progress",
        timeline=hours("1h", "90m"),
        assignments=[{"at": text("10m"), "to": "@ann", "tier": 1}],
    )
    minutes = [START + timedelta(minutes=one) for one in range(6 * 60 + 1)]
    often, told, _ = run(record, CLIMBING, minutes)
    late, last, passed = run(record, CLIMBING, minutes[-1:])
    marks = [
        ("ack_timeout", text("3h30m")),
        ("no_answer", text("4h")),
        ("no_answer", text("4h30m")),
        ("stagnation", text("5h30m")),
    ]
    assert [(one.rule, one.at) for one in often.escalations] == marks
    assert [(one.rule, one.at) for one in late.escalations] == marks[-1:]
    assert last | passed == told
    for after in (record, often, late):
        assert [(one.rule, stamp(one.due)) for one in due_escalations(as_of(after, minutes[-1]), CLIMBING)] == marks


@given(lives(), st.integers(0, 2880), st.integers(0, 2880))
def test_what_was_due_stays_due_and_the_answer_is_always_the_same(record: Incident, one: int, other: int) -> None:
    """Moving `now` forward loses no key and moves no instant; the same input twice is byte-identical."""
    early, late = sorted((START + timedelta(minutes=one), START + timedelta(minutes=other)))
    first, then = (due_escalations(as_of(record, now), CLIMBING) for now in (early, late))
    assert {(due.key, due.due) for due in first} <= {(due.key, due.due) for due in then}
    again = due_escalations(as_of(record, late), CLIMBING)
    assert msgspec.json.encode([tuple(due) for due in then]) == msgspec.json.encode([tuple(due) for due in again])


def test_what_stands_in_the_record_is_never_repeated_and_keeps_its_tier() -> None:
    """By key, whatever the automation would say now."""
    key = "INC-1/resolution/1/escalate.P2"
    entry = Escalation(at=text("6h"), key=key, rule="time", reason="old words", to_tier=3, notified=["@x"])
    record = msgspec.structs.replace(
        incident(SIX, state="in_progress", timeline=hours("2h", "5h")), escalations=[entry]
    )
    (found,) = [one for one in due_escalations(as_of(record, at("8h")), ITIL) if one.rule == "time"]
    assert (found.recorded, found.to_tier, found.targets, found.reason) == (entry, 3, ("@x",), "old words")
    assert escalate_due(record, found, ITIL, at("8h")).edits == ()
