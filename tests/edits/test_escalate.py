"""Escalating by hand and by rule: what is written, and what is refused."""

from __future__ import annotations

import pytest
from msgspec import structs

from incident_ops.domain.as_of import as_of
from incident_ops.domain.policy_sections import EscalationPolicy
from incident_ops.edits.escalate import escalate_due, escalate_incident, review_escalation
from incident_ops.errors import UserError
from incident_ops.sla.escalation import due_escalations
from tests.edits.scene import SEV, Page, after, policy
from tests.edits.steps import go

LADDER = policy(
    "extends: itil-p1-p4\n"
    'contacts:\n  "@ann": {manager: "@mona", channels: [x]}\n'
    '  roles: {tier_2_lead: ["@lead"]}\n  tiers: {tier-2: ["@lead"]}\n'
)


WITHOUT = structs.replace(SEV, escalation=EscalationPolicy())
"""A policy without a ladder."""


def page(**changes: object) -> Page:
    return Page(judge=LADDER, severity=None, priority="P2", **changes)


def test_by_hand_to_the_next_tier_and_on() -> None:
    """The record holds rule, reason, tiers, whom it concerns and a key; the timeline a line."""
    one = page(assignments=[{"at": "2025-01-26T12:05:00Z", "to": "@ann"}])
    step = one.take(30, lambda incident, now: escalate_incident(incident, LADDER, now, "@ann", "needs a DBA"))
    (entry,) = one.incident.escalations
    assert (entry.rule, entry.reason, entry.from_tier, entry.to_tier) == ("manual", "needs a DBA", 1, 2)
    assert (entry.notified, entry.failed, entry.appropriate) == ([], ["@lead", "@mona"], "unknown")
    assert (entry.at, entry.noticed_at) == ("2025-01-26T12:35:00Z",) * 2
    assert entry.key == "INC-1/escalation/1/manual.2025-01-26T12:35:00Z.ann"
    assert one.events[-1] == "Escalated to tier 2 (Tier 2): needs a DBA"
    assert step.messages == ("escalated to tier 2 (Tier 2); to be notified: @lead, @mona",)
    one.take(40, lambda incident, now: escalate_incident(incident, LADDER, now, "@ann", "again"))
    assert one.incident.escalations[-1].to_tier == 3


def test_two_escalations_of_one_second_have_two_keys() -> None:
    """Of two people in two clones, which a merge joins, and of one person twice."""
    ann, bob = page(), page()
    for one, who in ((ann, "@ann"), (bob, "@bob"), (ann, "@ann")):
        one.take(5, lambda incident, now, who=who: escalate_incident(incident, LADDER, now, who, "x"))
    keys = [entry.key for one in (ann, bob) for entry in one.incident.escalations]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(("to", "tier"), [("vendors", 4), ("3", 3), ("specialists", 3)])
def test_the_three_kinds_of_target(to: str, tier: int) -> None:
    """R65: tiers, specialists, vendors; who is not there is said."""
    one = page()
    step = one.take(5, lambda incident, now: escalate_incident(incident, LADDER, now, "@ann", "x", to, ("@zoe",)))
    assert one.incident.escalations[0].to_tier == tier
    assert one.incident.escalations[0].failed == ["@zoe"], "no notice has gone out yet"
    assert any("has no contact" in line for line in step.warnings)


def test_it_is_refused_where_it_makes_no_sense() -> None:
    """Over, no such tier, nothing above."""
    over = page()
    go(over, 5, "withdraw")
    with pytest.raises(UserError, match="cannot be escalated"):
        escalate_incident(over.incident, LADDER, after(90), "@ann", "x")
    with pytest.raises(UserError, match="unknown tier 'tier-9'"):
        escalate_incident(page().incident, LADDER, after(5), "@ann", "x", "tier-9")
    with pytest.raises(UserError, match="cannot go higher"):
        escalate_incident(Page().incident, WITHOUT, after(5), "@ann", "x")


def test_without_a_ladder_people_are_named() -> None:
    """`--notify` is enough."""
    one = Page()
    one.take(5, lambda incident, now: escalate_incident(incident, WITHOUT, now, "@ann", "x", None, ("@zoe",)))
    (entry,) = one.incident.escalations
    assert (entry.from_tier, entry.to_tier, entry.failed) == (None, None, ["@zoe"])


def test_what_a_rule_found_is_written_once() -> None:
    """`at` is the due instant, `noticed_at` the run's; the automation signs its line."""
    one = page()
    go(one, 5, "ack")
    found = [due for due in due_escalations(as_of(one.incident, after(600)), LADDER) if not due.superseded]
    step = one.take(600, lambda incident, now: escalate_due(incident, found[0], LADDER, now, {"@lead"}))
    (entry,) = one.incident.escalations
    assert (entry.at, entry.noticed_at) == ("2025-01-26T18:05:00Z", "2025-01-26T22:05:00Z")
    assert (entry.rule, entry.notified) == ("time", ["@lead"])
    assert one.incident.timeline[-1].by == "incident-ops"
    assert "Threshold of 6h" in step.messages[0]
    assert escalate_due(one.incident, found[0], LADDER, after(700)).edits == ()
    assert entry in [
        due.recorded for due in due_escalations(as_of(one.incident, after(700)), LADDER) if not due.superseded
    ]


def test_a_snoozed_incident_climbs_afterwards() -> None:
    """Nothing is written until the snooze ends."""
    one = page(snooze={"until": "2025-01-26T22:00:00Z", "by": "@ann", "reason": "the vendor works on it"})
    go(one, 5, "ack")
    (found,) = [due for due in due_escalations(as_of(one.incident, after(594)), LADDER) if not due.superseded]
    assert escalate_due(one.incident, found, LADDER, after(594)).edits == ()
    assert escalate_due(one.incident, found, LADDER, after(595)).edits


def test_a_review_changes_nothing_but_the_judgement() -> None:
    """The only one not judged is meant; twice is no error; afterwards a number is asked for."""
    one = page()
    one.take(5, lambda incident, now: escalate_incident(incident, LADDER, now, "@ann", "x"))
    before = one.incident.escalations[0]
    step = one.take(6, lambda incident, now: review_escalation(incident, None, "yes"))
    assert [edit.route for edit in step.edits] == [("escalations", 0, "appropriate")]
    assert one.incident.escalations[0].appropriate is True
    assert one.incident.escalations[0].key == before.key
    assert review_escalation(one.incident, 1, "yes").edits == ()
    one.take(7, lambda incident, now: review_escalation(incident, 1, "no"))
    assert one.incident.escalations[0].appropriate is False
    with pytest.raises(UserError, match="every one is judged"):
        review_escalation(one.incident, None, "yes")
    with pytest.raises(UserError, match="no escalation 2"):
        review_escalation(one.incident, 2, "yes")
    with pytest.raises(UserError, match="no escalations"):
        review_escalation(page().incident, None, "yes")
