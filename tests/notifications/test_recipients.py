"""Who is told what: recipients by level and routing, stable keys, what is held and why, what never leaves."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.notification import Message
from incident_ops.domain.policy import Policy, Service
from incident_ops.notifications.notice_text import spell_instants
from incident_ops.notifications.recipients import Notices, notices
from incident_ops.sla.handover import response_phase
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


def recipients(found: Notices) -> dict[tuple[str, str], set[str]]:
    """The channels by recipient and audience."""
    channels: dict[tuple[str, str], set[str]] = defaultdict(set)
    for message in found.messages:
        channels[message.recipient, message.audience].add(message.channel)
    return channels


def only(found: Notices) -> Message:
    """The one notice there is, over whatever channels: they differ in nothing else."""
    (one,) = {message._replace(channel="") for message in found.messages}
    return one


def test_each_recipient_has_a_key_of_its_own_that_stays() -> None:
    """R66, R125: SEV-1 reaches IT director, CTO and executives; the owner; the team by the level's channels."""
    judge = policy(extra=REACHED)
    one = incident(priority="P1", severity="SEV-1")
    first, later = told(one, "1m", judge, "declared"), told(one, "3h", judge, "declared")
    assert recipients(first) == {
        ("team", "internal"): {"pager", "email", "sms", "slack", "ticket"},
        ("@team", "internal"): {"team_mail"},
        ("@cto", "executive"): {"cto_sms"},
    }
    assert {each.key for each in first.messages} == {
        "INC-1/incident/1/declared/team/internal",
        "INC-1/incident/1/declared/@team/internal",
        "INC-1/incident/1/declared/@cto/executive",
    }
    assert {each.key for each in later.messages} == {each.key for each in first.messages}
    assert {one.whom for one in first.unreachable} == {"on_call"}


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
    judge = policy("sev0-3", "notify: {incident_channel: {create: false}}\n")
    found = told(incident(priority=None, severity=severity), "1m", judge, "declared")
    assert sorted(one.channel for one in found.messages if one.recipient == "team") == sorted(channels)


def test_who_cannot_be_reached_is_said() -> None:
    """A role without a contact, a handle without a channel."""
    found = told(incident(priority="P1", severity="SEV-1"), "1m", ITIL, "declared")
    assert {(one.whom, one.why) for one in found.unreachable} == {
        ("cto", "no contact in `contacts`"),
        ("it_director", "no contact in `contacts`"),
        ("executive", "no contact in `contacts`"),
        ("@team", "no channel in `contacts`"),
        ("on_call", "no contact in `contacts`"),
    }


def test_a_warning_reaches_assignee_and_manager() -> None:
    """R54 with the example: one hour to breach, and the offer of the next tier."""
    one = example("INC-2025-04890")
    one = msgspec.convert(
        {**msgspec.to_builtins(one), "assignments": [{"at": "2025-10-21T11:10:00Z", "to": "@ann", "tier": 1}]}, Incident
    )
    now = datetime.fromisoformat("2025-10-21T18:00:00Z")
    found = told(one, now, policy(extra=REACHED), "warning")
    assert {each.recipient for each in found.messages} == {"team", "@ann", "@mona"}
    assert all("1 hour to SLA breach" in each.subject and not each.held for each in found.messages)
    assert "incident-ops escalate INC-2025-04890" in found.messages[0].text


def test_routing_by_symptom_category_and_phase() -> None:
    """R21, R73, R74."""
    judge = policy("sev1-3", 'contacts:\n  "@dba": {channels: [dba]}\n  roles: {database_admin: ["@dba"]}\n')
    one = incident(priority=None, severity="SEV-2", triage={"category": "database"})
    found = told(one, "1m", judge, "declared")
    assert "@dba" in {each.recipient for each in found.messages}
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
    assert {each.recipient for each in found.messages} == {"team", "@lead", "@mona", "@vera", "@ann"}
    assert "No activity for 4 hours on P2 ticket" in found.messages[0].subject


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
    assert [(each.recipient, each.held) for each in found.messages if each.recipient != "team"] == [("@lead", "")]


def test_observe_plans_and_sends_nothing() -> None:
    """Policy `mode`: all is planned, nothing is sent."""
    found = told(incident(), "1m", policy(extra="mode: observe\n"))
    assert found.messages
    assert {one.held for one in found.messages} == {"the policy's mode is observe"}


def test_a_snooze_holds_reminders_only() -> None:
    """Until it ends; the escalation is told afterwards under the same key."""
    snooze = {"until": text("6h"), "by": "@ann", "reason": "vendor works"}
    one = incident(SIX, state="in_progress", snooze=snooze)
    held = only(told(one, "5h", ITIL, "escalation"))
    assert held.held == (f"snoozed until {text('6h')} by @ann")
    assert not only(told(one, "6h", ITIL, "escalation")).held
    assert only(told(one, "6h", ITIL, "escalation")).key == held.key
    assert not any(each.held for each in told(one, "5h", ITIL, "declared").messages)


def test_low_ranks_are_left_alone_outside_working_hours() -> None:
    """SEV-3 of sev1-3 works by the business calendar; SEV-1 is told at any hour."""
    judge = policy("sev1-3")
    night = "10h"  # 22:00
    low = only(told(incident(priority=None, severity="SEV-3"), night, judge, "declared"))
    assert low.held == "quiet hours until 2025-01-23T09:00:00Z"
    assert not only(told(incident(priority=None, severity="SEV-3"), "1h", judge, "declared")).held
    assert not only(told(incident(priority=None, severity="SEV-1"), night, judge, "declared")).held


def test_reminders_wait_for_the_morning_and_reach_the_manager_when_late() -> None:
    """Nobody is told at midnight that an item is due."""
    item = {"id": "AI-1", "title": "x", "owner": "@ann", "due": "2025-01-23"}
    one = incident({"resolved": "1h"}, state="resolved", action_items=[item])
    judge = policy(extra=REACHED)
    midnight = told(one, datetime.fromisoformat("2025-01-24T00:00:01Z"), judge, "action_item")
    assert [(each.recipient, each.held) for each in midnight.messages] == [
        ("@ann", "quiet hours until 2025-01-24T09:00:00Z")
    ]
    morning = told(one, datetime.fromisoformat("2025-01-24T09:00:00Z"), judge, "action_item")
    assert [(each.recipient, each.held) for each in morning.messages] == [("@ann", "")]
    week = told(one, datetime.fromisoformat("2025-01-31T09:00:00Z"), judge, "action_item")
    assert {each.recipient for each in week.messages} == {"@ann", "@mona"}


def test_what_still_stands_is_told_however_late_and_what_is_over_is_not() -> None:
    """A breach of an open incident with its true lateness; an old update and an old resolution are in the report."""
    found = told(incident(SIX, state="in_progress"), "30d", ITIL, "breach")
    assert {each.held for each in found.messages} == {""}
    assert re.search("noticed .* days .* late", found.messages[0].text)
    over = told(everything(), "30d", ITIL, "update")
    assert {each.held for each in over.messages} <= {"it is over, and older than 1d"}
    late = told(incident({**SIX, "resolved": "1h"}, state="resolved"), "30d", ITIL, "resolved")
    assert {each.held for each in late.messages} == {"it is over, and older than 1d"}


def test_retroactive_ones_page_nobody() -> None:
    """Planned, said, not sent."""
    one = incident({"detected": "0s", "restored": "0s"}, state="in_progress")
    found = told(one, "20h")
    assert found.messages
    assert {each.held for each in found.messages} == {"It was declared after the fact"}


def everything(**fields: Any) -> Incident:
    update = {"at": text("1m"), "audience": "executive", "status": "investigating", "text": "secret words"}
    return incident(
        SIX, title="secret title", state="in_progress", updates=[update], customer={"names": ["Secret Bank"]}, **fields
    )


def test_nothing_of_a_restricted_record_leaves_but_its_id() -> None:
    """Subject and lines."""
    judge = policy(extra=REACHED + "escalation: {vip: [Secret Bank]}\naccess: {private: true}\n")
    found = told(everything(visibility="restricted"), "9h", judge)
    assert {one.kind for one in found.messages} >= {"escalation", "breach", "update"}
    assert {(one.subject, one.text, one.restricted) for one in found.messages} == {("INC-1", "", True)}


def test_a_drill_is_marked_everywhere() -> None:
    """Every subject, and the notice itself."""
    found = told(everything(drill=True), "9h", policy(extra=REACHED))
    assert found.messages
    assert all(one.subject.startswith("[DRILL] ") and one.drill for one in found.messages)


def test_public_news_are_left_to_the_status_page() -> None:
    """Planned and said, never silent."""
    update = {"at": text("1m"), "audience": "public", "status": "investigating", "text": "We look into it"}
    found = told(incident(updates=[update]), "2m", ITIL, "update")
    one = only(found)
    assert (one.recipient, one.audience, one.held) == ("public", "public", "the status page shows it")
    assert one.text == "We look into it"
    assert found.deliverable == ()


def test_the_same_input_gives_the_same_notices() -> None:
    """Ordered by rank, key and channel; twice the same."""
    found = told(everything(), "9h", policy(extra=REACHED))
    assert found == told(everything(), "9h", policy(extra=REACHED))
    assert [(one.rank, one.key, one.channel) for one in found.messages] == sorted(
        (one.rank, one.key, one.channel) for one in found.messages
    )
    assert len({(one.key, one.channel) for one in found.messages}) == len(found.messages)


def test_both_instants_and_the_lag_are_told() -> None:
    """A late run says how late it is, as people say it, with times as the issue spells them."""
    found = told(incident(SIX, state="in_progress"), START + timedelta(hours=9), ITIL, "breach")
    (said,) = {message.text for message in found.messages}
    assert re.match(r"Resolution of P2 was due at [0-9:]{5} UTC\nDue [0-9:]{5} UTC, noticed .*, 1 hour late\n", said)
    assert not re.search(r"[0-9]T[0-9]|[0-9]s late", said)


def test_an_instant_on_another_day_has_its_day() -> None:
    """An overdue meeting is told the next day."""
    now = datetime(2025, 10, 22, 12, tzinfo=UTC)
    assert spell_instants("it was due at 2025-10-21T14:50:00Z", now) == "it was due at 2025-10-21 14:50 UTC"
    assert spell_instants("it was due at 2025-10-22T09:30:00+02:00", now) == "it was due at 07:30 UTC"
    assert spell_instants("2025-99-99T99:99:99Z", now) == "2025-99-99T99:99:99Z"


def test_the_next_step_fits_what_is_due() -> None:
    """Nobody escalates a postmortem meeting; an update is written, an item is done or postponed."""
    late = told(everything(), "9h", policy(extra=REACHED))
    texts = {message.obligation.split("/")[1]: message.text for message in late.messages if "breach" in message.kind}
    assert texts, "something is late"
    for clock, said in texts.items():
        helps = "incident-ops escalate" in said
        assert helps == (clock in ("response", "diagnosis", "resolution")), (clock, said)
        assert ("incident-ops update" in said) == clock.startswith("update_")
