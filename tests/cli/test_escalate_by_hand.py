"""`escalate` in a night in which nobody answers: whom it calls, and until when."""

from __future__ import annotations

import pytest

from tests.cli.scene import Folder, as_json, call, ok

POLICY = """extends: sev0-3
escalation:
  tiers:
  - {id: first, tier: 1, notify: ["@bob"], wait: 5m}
  - {id: second, tier: 2, notify: ["@ann"], wait: 3m}
  - {id: third, tier: 3, notify: ["@cho"], wait: 30m}
  - {id: fourth, tier: 4, notify: ["@dan"]}
notify: {incident_channel: {create: false}, channels: [chat]}
contacts:
  "@bob": {channels: [chat]}
  "@ann": {channels: [chat]}
  "@cho": {channels: [chat]}
  "@dan": {channels: [chat]}
"""
BY_HAND = "nobody answers"


@pytest.fixture
def night(folder: Folder) -> Folder:
    """Declared at 02:00; at 02:05 and 02:08 the ladder climbed, and nobody has written that down."""
    folder.write("policy.yaml", POLICY)
    folder.put(severity="SEV0", times="{declared: 2025-01-26T02:00:00Z}")
    return folder


def escalate(folder: Folder, *words: str) -> str:
    words = ("escalate", "INC-1", "--reason", BY_HAND, "--by", "@eve", *words)
    return ok(folder, *words, clock="2025-01-26T02:13:00Z").out


def told(folder: Folder, clock: str) -> list[str]:
    """Whom a plan notifies of what a person escalated."""
    changes = as_json(folder, "plan", "--format", "json", clock=clock)["changes"]
    keys = [one["key"].split("/") for one in changes if "/escalation/1/manual." in one["key"]]
    return sorted(parts[4] for parts in keys if parts[4].startswith("@"))


def test_it_goes_above_the_tier_that_the_ladder_has_reached(night: Folder) -> None:
    """Tier 3 was due at 02:08, whatever the record says: the next one is tier 4."""
    assert "escalated to tier 4 (fourth); to be notified: @dan" in escalate(night)
    assert told(night, "2025-01-26T02:14:00Z") == ["@dan"]


def test_a_step_of_the_ladder_supersedes_nobody_whom_a_person_calls(night: Folder) -> None:
    """Tier 2 again, by hand, below the tier that the ladder is at; and the ladder's own steps are not passed over."""
    assert "escalated to tier 2 (second); to be notified: @ann" in escalate(night, "--to", "2")
    assert told(night, "2025-01-26T02:14:00Z") == ["@ann"]
    checked = ok(night, "sla", "check", clock="2025-01-26T02:14:00Z").out
    assert BY_HAND in checked


def test_once_somebody_has_answered_nobody_is_called_any_more(night: Folder) -> None:
    """What was not sent by then is not sent to the one who has just answered."""
    escalate(night, "--to", "2")
    ok(night, "ack", "INC-1", "--by", "@ann", clock="2025-01-26T02:15:00Z")
    assert told(night, "2025-01-26T02:16:00Z") == []


def test_at_the_top_it_says_how_to_call_somebody(night: Folder) -> None:
    """All tiers were called: one of them again, or somebody by name."""
    escalate(night)
    words = ("escalate", "INC-1", "--reason", BY_HAND, "--by", "@eve")
    done = call(*words, at=night.path, clock="2025-01-26T02:20:00Z")
    done.told_once(2, "no tier above tier 4 (fourth)", "--to first", "--notify @who")
