"""The history under another policy; and the law that the policy in force tells again what the records hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Escalation, Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import stamp
from incident_ops.errors import UserError
from incident_ops.sla.backtest import Backtest, Reach, compare_policies, replay_escalations
from incident_ops.sla.clocks import RESOLUTION
from incident_ops.sla.escalation import due_escalations
from tests.sla.escalating import ITIL, LADDER, NO_WAITING, START, at, incident, moved, note, policy, record, text
from tests.support.laws import law

STRICT = policy(extra=NO_WAITING + "levels:\n- {id: P2, resolution: 2h, escalate_at: 1h}\n")
CLIMBING = policy(extra=LADDER)
NOW = "20h"


def made(*incidents: Incident, old: Policy = ITIL, new: Policy = STRICT, **options: Any) -> Backtest:
    return compare_policies([record(one) for one in incidents], old, new, at(NOW), **options)


def over(resolved: str = "5h", name: str = "INC-1", **fields: Any) -> Incident:
    """A P2 (resolution 8 h, escalates at 6 h) that somebody had from the fifth minute on."""
    times = {"acknowledged": "5m", "restored": resolved, "resolved": resolved, **fields.pop("times", {})}
    changes = [moved("5m", "new", "in_progress"), moved(resolved, "in_progress", "resolved")]
    return incident(times, **{"id": name, "state": "resolved", "changes": changes, **fields})


def of_rule(found: Backtest, rule: str) -> list[tuple[bool, bool]]:
    return [(one.before is not None, one.after is not None) for one in found.escalations if one.due.rule == rule]


def test_a_shorter_target_makes_breaches_and_escalations() -> None:
    """Five hours were in time under 8 h, and are late under 2 h."""
    found = made(over(timeline=[note("30m"), note("3h")]))
    assert [(one.clock.clock, one.was, one.will_be) for one in found.breaches] == [(RESOLUTION, False, True)]
    assert of_rule(found, "time") == [(False, True)]
    assert (found.incidents, found.replayed, found.left_out, found.unread) == (1, 1, {}, ())


def test_a_record_takes_the_other_policys_targets_in_place_of_those_of_its_declaration() -> None:
    """Under the policy in force they hold, whatever it says today."""
    own = {"scheme": "itil-p1-p4", "targets": {"resolution": "4h"}}
    found = made(over(policy=own), new=policy(extra="targets: {report: 1h}\n"))
    assert [(one.was, one.will_be) for one in found.breaches if one.clock.clock == RESOLUTION] == [(True, False)]


def test_what_the_change_cannot_reach_is_not_replayed() -> None:
    other = over(name="INC-2", priority="P3")
    found = made(over(), other)
    assert (found.incidents, found.replayed) == (2, 1)
    assert {one.due.incident for one in found.escalations} == {"INC-1"}


def test_the_same_policy_reaches_nothing() -> None:
    found = made(over(), new=policy(extra=NO_WAITING))
    assert (found.replayed, found.breaches, found.escalations) == (0, (), ())


def test_drills_and_what_was_no_incident_are_left_out_and_counted() -> None:
    found = made(over(drill=True), over(name="INC-2", outcome="false_alarm"), over(name="INC-3"))
    assert (found.incidents, found.left_out) == (1, {"drill": 1, "false_alarm": 1})


def test_since_takes_its_own_instant_and_what_is_declared_later_is_not_there() -> None:
    assert made(over(), since=at()).incidents == 1
    assert made(over(), since=at("1s")).incidents == 0
    assert compare_policies([record(over())], ITIL, STRICT, at() - timedelta(seconds=1)).incidents == 0


def test_a_level_the_other_policy_does_not_know_is_listed() -> None:
    found = made(over(), new=policy("sev0-3"))
    assert [one.path for one in found.unread] == ["incidents/INC-1/incident.yaml"]
    assert "under the other policy" in found.unread[0].reason


def test_a_policy_without_its_calendar_is_an_error() -> None:
    broken = structs.replace(STRICT, levels=[structs.replace(one, calendar="nowhere") for one in STRICT.levels])
    with pytest.raises(UserError, match="nowhere"):
        made(over(), new=broken)


def recorded(rule: str, key: str, due: str, appropriate: Any) -> dict[str, Any]:
    return {
        "at": text(due),
        "key": key,
        "rule": rule,
        "reason": "r",
        "noticed_at": text(due),
        "appropriate": appropriate,
    }


def test_what_people_judged_stands_beside_what_would_be_no_more() -> None:
    """R205: a stagnation that was judged wrong is spared under a policy that waits longer."""
    key = f"INC-1/activity/1/stagnation.{text('5m')}"
    patient = policy(extra="levels:\n- {id: P2, stagnation: 10h}\n")
    one = over("5h", escalations=[recorded("stagnation", key, "4h5m", False)])
    found = made(one, new=patient)
    assert [(raised.due.key, raised.after, raised.appropriate) for raised in found.escalations] == [(key, None, False)]
    assert found.recorded == (1, (), 0)


def test_what_the_replay_does_not_tell_again_is_named() -> None:
    """A comment escalated it, and comments are not in records."""
    one = over("3h", escalations=[recorded("keyword", "INC-1/customer/1/keyword", "1h", "unknown")])
    assert made(one).recorded.not_found == ("INC-1/customer/1/keyword",)
    early = over("5h", escalations=[recorded("time", "INC-1/resolution/1/escalate.P2", "2h", "unknown")])
    found = made(early)  # the other policy tells it, and that is no reason to call it reproduced
    assert of_rule(found, "time") == [(False, True)]
    assert found.recorded.not_found == ("INC-1/resolution/1/escalate.P2",)


def test_escalations_by_hand_are_peoples_doing_and_no_difference() -> None:
    one = over("3h", escalations=[recorded("manual", "INC-1/escalation/1/manual.x", "1h", True)])
    found = made(one)
    assert "manual" not in {raised.due.rule for raised in found.escalations}
    assert found.recorded.n == 0


def test_a_change_of_contacts_reaches_everybody_and_a_channel_nobody() -> None:
    other = policy(extra=LADDER.replace("ann_mail", "ann_chat"))
    moved_on = policy(extra=LADDER.replace('manager: "@mona"', 'manager: "@vera"'))
    assert not Reach(CLIMBING, other).covers(over())
    assert Reach(CLIMBING, moved_on).covers(over())


def test_a_level_of_the_past_is_reached_too() -> None:
    before = [moved("1h", "P2", "P3", field="priority")]
    assert Reach(ITIL, STRICT).covers(over(priority="P3", changes=before))
    assert not Reach(ITIL, STRICT).covers(over(priority="P3"))


@st.composite
def histories(draw: st.DrawFn) -> Incident:
    """An incident of at most twelve hours; whatever happens, happens at a whole minute."""
    minutes = sorted(draw(st.sets(st.integers(1, 12 * 60), min_size=0, max_size=8)))
    spans = [f"{minute}m" for minute in minutes]
    kinds = draw(st.lists(st.sampled_from(["note", "assign", "level", "move"]), min_size=8, max_size=8))
    done: dict[str, list[dict[str, Any]]] = {"note": [], "assign": [], "level": [], "move": []}
    level, state = "P2", "new"
    for span, kind in zip(spans, kinds, strict=False):
        if kind == "note":
            done[kind].append(note(span))
        elif kind == "assign":
            done[kind].append({"at": text(span), "to": draw(st.sampled_from(["@ann", "@bob"])), "tier": draw(TIERS)})
        elif kind == "level":
            other = "P1" if level == "P2" else "P2"
            done[kind].append(moved(span, level, other, field="priority"))
            level = other
        elif state != "resolved":
            following = "in_progress" if state == "new" else "resolved"
            done[kind].append(moved(span, state, following))
            state = following
    over_at = done["move"][-1]["at"] if state == "resolved" else None
    taken = done["move"][0]["at"] if done["move"] else None
    times = {"declared": stamp(START), "acknowledged": taken, "restored": over_at, "resolved": over_at}
    made = incident(
        None,
        priority=level,
        state=state,
        timeline=done["note"],
        assignments=done["assign"],
        changes=sorted(done["level"] + done["move"], key=lambda one: str(one["at"])),
    )
    return structs.replace(made, times=structs.replace(made.times, **times))


TIERS = st.sampled_from([None, 1, 2])


def run(one: Incident, rules: Policy, now: datetime) -> Incident:
    """What a run of the checker leaves in the record."""
    new = [
        Escalation(
            at=stamp(due.due),
            key=due.key,
            rule=due.rule,
            reason=due.reason,
            from_tier=due.from_tier,
            to_tier=due.to_tier,
            notified=[*due.targets],
            noticed_at=stamp(now),
        )
        for due in due_escalations(as_of(one, now), rules)
        if not due.superseded and due.recorded is None
    ]
    return structs.replace(one, escalations=[*one.escalations, *new])


def keys(one: Incident) -> list[tuple[str, str, int | None, list[str]]]:
    return sorted((entry.key, entry.at, entry.to_tier, entry.notified) for entry in one.escalations)


@law("replays of escalations", whole=20, sample=3)
@given(histories())
def test_replaying_under_the_policy_in_force_tells_what_a_punctual_checker_recorded(one: Incident) -> None:
    """A run every minute, then the replay: same keys, instants, tiers and people.

    Everything happens, and falls due, at whole minutes; the runs are half a minute later, so none is late.
    """
    after = one
    for minute in range(14 * 60):
        after = run(after, CLIMBING, START + timedelta(minutes=minute, seconds=30))
    told = replay_escalations(after, CLIMBING, START + timedelta(hours=14))
    assert sorted((due.key, stamp(due.due), due.to_tier, [*due.targets]) for due in told) == keys(after)


@law("replays of escalations", whole=60, sample=10)
@given(histories(), st.sets(st.integers(0, 14 * 60), max_size=6))
def test_what_late_runs_recorded_is_told_again_and_only_more(one: Incident, minutes: set[int]) -> None:
    """A late run records only the highest that still stands; the replay tells it, and what it superseded."""
    after = one
    for minute in sorted(minutes):
        after = run(after, CLIMBING, START + timedelta(minutes=minute))
    told = {due.key for due in replay_escalations(after, CLIMBING, START + timedelta(hours=14))}
    assert {entry.key for entry in after.escalations} <= told


def test_each_escalation_is_told_once() -> None:
    """Also where one of a higher tier, told before, still stands when one of a lower tier falls due."""
    handed = [{"at": text("1h"), "to": "@ann", "tier": 2}, {"at": text("7h"), "to": "@ann", "tier": 1}]
    told = [due.key for due in replay_escalations(incident(assignments=handed), CLIMBING, at(NOW))]
    assert told
    assert len(told) == len({*told})


def test_the_replay_does_not_depend_on_what_was_recorded() -> None:
    one = over("9h")
    marked = structs.replace(one, escalations=run(one, CLIMBING, at("7h")).escalations)
    assert marked.escalations
    assert replay_escalations(one, CLIMBING, at(NOW)) == replay_escalations(marked, CLIMBING, at(NOW))
