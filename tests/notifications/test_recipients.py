"""Who is told what: recipients by level and routing, stable keys, what is held and why, what never leaves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.services import Service
from incident_ops.notifications.recipients import Notice, Notices, notices, response_phase
from incident_ops.sla.obligations import incident_obligations
from tests.sla.escalating import ITIL, LADDER, START, at, example, incident, note, policy, text

CLIMBING = policy(extra=LADDER)
SERVICES = {"app": Service(owner="@team")}
SIX = {"acknowledged": "10m"}
REACHED = """
contacts:
  "@ann": {manager: "@mona", channels: [ann_mail]}
  "@mona": {channels: [mona_mail]}
  "@cto": {channels: [cto_sms]}
  "@team": {channels: [team_mail]}
  "@dba": {channels: [dba_mail]}
  roles: {cto: ["@cto"], it_director: ["@cto"]}
  executive: ["@cto"]
"""


def told(one: Incident, now: str | datetime, judge: Policy = ITIL, *kinds: str) -> Notices:
    """The notices of one incident, of some kinds of obligations or of all."""
    moment = at(now) if isinstance(now, str) else now
    owed = [each for each in incident_obligations(as_of(one, moment), judge) if not kinds or each.kind in kinds]
    return notices(owed, {one.id: one}, judge, SERVICES, moment)


def recipients(found: Notices) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(one.recipient, one.audience, one.channels) for one in found.notices}


def only(found: Notices) -> Notice:
    (one,) = found.notices
    return one


def test_each_recipient_has_a_key_of_its_own_that_stays() -> None:
    """R66, R125: SEV-1 reaches IT director, CTO and executives; the owner; the team by the level's channels."""
    judge = policy(extra=REACHED)
    one = incident(priority="P1", severity="SEV-1")
    first, later = told(one, "1m", judge, "declared"), told(one, "3h", judge, "declared")
    assert recipients(first) == {
        ("team", "internal", ("pager", "email", "sms", "slack", "ticket")),
        ("@team", "internal", ("team_mail",)),
        ("@cto", "executive", ("cto_sms",)),
    }
    assert {each.key for each in first.notices} == {
        "INC-1/incident/1/declared/team/internal",
        "INC-1/incident/1/declared/@team/internal",
        "INC-1/incident/1/declared/@cto/executive",
    }
    assert {each.key for each in later.notices} == {each.key for each in first.notices}
    assert first.unreachable == ()


@pytest.mark.parametrize(
    ("severity", "channels"),
    [
        ("SEV0", ("slack", "pagerduty", "email", "sms")),
        ("SEV1", ("slack", "pagerduty")),
        ("SEV2", ("slack",)),
        ("SEV3", ()),
    ],
)
def test_channels_by_level(severity: str, channels: tuple[str, ...]) -> None:
    """R128: SEV3 has none, and no notice goes to the team."""
    found = told(incident(priority=None, severity=severity), "1m", policy("sev0-3"), "declared")
    assert [one.channels for one in found.notices if one.recipient == "team"] == ([channels] if channels else [])


def test_who_cannot_be_reached_is_said() -> None:
    """A word nobody is behind, a handle without a channel."""
    found = told(incident(priority="P1", severity="SEV-1"), "1m", ITIL, "declared")
    assert {(one.whom, one.why) for one in found.unreachable} == {
        ("cto", "nobody is behind it in `contacts`"),
        ("it_director", "nobody is behind it in `contacts`"),
        ("executive", "nobody is behind it in `contacts`"),
        ("@team", "has no channel in `contacts`"),
    }


def test_a_warning_reaches_assignee_and_manager() -> None:
    """R54 with the example: one hour to breach, and the offer of the next tier."""
    one = example("INC-2025-04890")
    one = msgspec.convert(
        {**msgspec.to_builtins(one), "assignments": [{"at": "2025-10-21T11:10:00Z", "to": "@ann", "tier": 1}]}, Incident
    )
    now = datetime.fromisoformat("2025-10-21T18:00:00Z")
    found = told(one, now, policy(extra=REACHED), "warning")
    assert {each.recipient for each in found.notices} == {"team", "@ann", "@mona"}
    assert all("1 hour to SLA breach" in each.subject and each.sent for each in found.notices)
    assert any("incident-ops escalate INC-2025-04890" in line for line in found.notices[0].lines)


def test_routing_by_symptom_category_and_phase() -> None:
    """R21, R73, R74."""
    judge = policy("sev1-3", 'contacts:\n  "@dba": {channels: [dba]}\n  roles: {database_admin: ["@dba"]}\n')
    one = incident(priority=None, severity="SEV-2", triage={"category": "database"})
    found = told(one, "1m", judge, "declared")
    assert "@dba" in {each.recipient for each in found.notices}
    assert {"on_call", "communications"} <= {each.whom for each in found.unreachable}  # the first response leads


@pytest.mark.parametrize(
    ("state", "times", "expected"),
    [
        ("new", {}, "initial_response"),
        ("in_progress", {}, "investigation"),
        ("in_progress", {"diagnosed": "1h"}, "fix"),
        ("in_progress", {"diagnosed": "1h", "mitigated": "2h"}, "deployment"),
        ("resolved", {"resolved": "3h"}, "documentation"),
    ],
)
def test_the_phase_of_the_routing(state: str, times: dict[str, str], expected: str) -> None:
    """R74: five phases."""
    assert response_phase(incident(times, state=state)) == expected


def test_an_escalation_reaches_its_tier_and_the_managers() -> None:
    """R63, R64."""
    one = incident(
        SIX,
        state="in_progress",
        assignments=[{"at": text("10m"), "to": "@ann", "tier": 1}],
        timeline=[note("1h")],
    )
    quiet = policy(extra=LADDER.replace(", wait: 30m, repeat_max: 1, ack_timeout: 2h", "").replace(", wait: 1h", ""))
    found = told(one, "5h30m", quiet, "escalation")
    assert {each.recipient for each in found.notices} == {"team", "@lead", "@mona", "@vera", "@ann"}
    assert "No activity for 4 hours on P2 ticket" in found.notices[0].subject


def test_an_escalation_by_hand_reaches_those_it_names_even_after_the_fact() -> None:
    """What a person decided is told, snooze and working hours or not."""
    entry = {"at": text("1h"), "key": f"INC-1/escalation/1/manual.{text('1h')}", "rule": "manual", "reason": "call"}
    one = incident(
        {"detected": "0s", "restored": "0s"},
        state="in_progress",
        escalations=[{**entry, "notified": ["@lead"]}],
        snooze={"until": text("9h"), "by": "@ann", "reason": "x"},
    )
    found = told(one, "2h", CLIMBING, "escalation")
    assert [(each.recipient, each.sent) for each in found.notices if each.recipient != "team"] == [("@lead", True)]


def test_observe_plans_and_sends_nothing() -> None:
    """Policy `mode`: all is planned, nothing is sent."""
    found = told(incident(), "1m", policy(extra="mode: observe\n"))
    assert found.notices
    assert {(one.sent, one.held) for one in found.notices} == {(False, "the policy's mode is observe")}


def test_a_snooze_holds_reminders_only() -> None:
    """Until it ends; the escalation is told afterwards under the same key."""
    snooze = {"until": text("6h"), "by": "@ann", "reason": "vendor works"}
    one = incident(SIX, state="in_progress", snooze=snooze)
    held = only(told(one, "5h", ITIL, "escalation"))
    assert (held.sent, held.held) == (False, f"snoozed until {text('6h')} by @ann")
    assert only(told(one, "6h", ITIL, "escalation")).sent
    assert only(told(one, "6h", ITIL, "escalation")).key == held.key
    assert all(each.sent for each in told(one, "5h", ITIL, "declared").notices)


def test_low_ranks_are_left_alone_outside_working_hours() -> None:
    """SEV-3 of sev1-3 works by the business calendar; SEV-1 is told at any hour."""
    judge = policy("sev1-3")
    night = "10h"  # 22:00
    (low,) = told(incident(priority=None, severity="SEV-3"), night, judge, "declared").notices
    assert (low.sent, low.held) == (False, "quiet hours until 2025-01-23T09:00:00Z")
    assert only(told(incident(priority=None, severity="SEV-3"), "1h", judge, "declared")).sent
    assert only(told(incident(priority=None, severity="SEV-1"), night, judge, "declared")).sent


def test_reminders_wait_for_the_morning_and_reach_the_manager_when_late() -> None:
    """Nobody is told at midnight that an item is due."""
    item = {"id": "AI-1", "title": "x", "owner": "@ann", "due": "2025-01-23"}
    one = incident({"resolved": "1h"}, state="resolved", action_items=[item])
    judge = policy(extra=REACHED)
    midnight = told(one, datetime.fromisoformat("2025-01-24T00:00:01Z"), judge, "action_item")
    assert [(each.recipient, each.held) for each in midnight.notices] == [
        ("@ann", "quiet hours until 2025-01-24T09:00:00Z")
    ]
    morning = told(one, datetime.fromisoformat("2025-01-24T09:00:00Z"), judge, "action_item")
    assert [(each.recipient, each.sent) for each in morning.notices] == [("@ann", True)]
    week = told(one, datetime.fromisoformat("2025-01-31T09:00:00Z"), judge, "action_item")
    assert {each.recipient for each in week.notices} == {"@ann", "@mona"}


def test_what_was_due_long_ago_is_reported_not_sent() -> None:
    """A first run over old records must not call everybody."""
    found = told(incident(SIX, state="in_progress"), "30d", ITIL, "breach")
    assert {(each.sent, each.held) for each in found.notices} == {(False, "it was due more than 1d ago")}


def test_retroactive_ones_page_nobody() -> None:
    """Planned, said, not sent."""
    one = incident({"detected": "0s", "restored": "0s"}, state="in_progress")
    found = told(one, "20h")
    assert found.notices
    assert not any(each.sent for each in found.notices)
    assert {each.held for each in found.notices} == {"It was declared after the fact"}


def everything(**fields: Any) -> Incident:
    update = {"at": text("1m"), "audience": "executive", "status": "investigating", "text": "secret words"}
    return incident(
        SIX, title="secret title", state="in_progress", updates=[update], customer={"names": ["Secret Bank"]}, **fields
    )


def test_nothing_of_a_restricted_record_leaves_but_its_id() -> None:
    """Subject and lines."""
    judge = policy(extra=REACHED + "escalation: {vip: [Secret Bank]}\naccess: {private: true}\n")
    found = told(everything(visibility="restricted"), "9h", judge)
    assert {one.kind for one in found.notices} >= {"escalation", "breach", "update"}
    assert {(one.subject, one.lines) for one in found.notices} == {("INC-1", ())}


def test_a_drill_is_marked_everywhere() -> None:
    """Every subject, and the notice itself."""
    found = told(everything(drill=True), "9h", policy(extra=REACHED))
    assert found.notices
    assert all(one.subject.startswith("[DRILL] ") and one.drill for one in found.notices)


def test_public_news_are_left_to_the_status_page() -> None:
    """Planned and said, never silent."""
    update = {"at": text("1m"), "audience": "public", "status": "investigating", "text": "We look into it"}
    one = only(told(incident(updates=[update]), "2m", ITIL, "update"))
    assert (one.recipient, one.audience, one.sent, one.held) == ("public", "public", False, "the status page shows it")
    assert one.lines == ("We look into it",)


def test_the_same_input_gives_the_same_notices() -> None:
    """Ordered by rank, due instant and key; twice the same."""
    found = told(everything(), "9h", policy(extra=REACHED))
    assert found == told(everything(), "9h", policy(extra=REACHED))
    assert [(one.rank, one.due, one.key) for one in found.notices] == sorted(
        (one.rank, one.due, one.key) for one in found.notices
    )
    assert len({one.key for one in found.notices}) == len(found.notices)


def test_both_instants_and_the_lag_are_told() -> None:
    """A late run says how late it is."""
    found = told(incident(SIX, state="in_progress"), START + timedelta(hours=9), ITIL, "breach")
    assert any(", 1h later" in line for line in found.notices[0].lines)
