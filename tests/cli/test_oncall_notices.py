"""`oncall:NAME` in the policy and the services: who is notified, and what the record says."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.scene import Folder, as_json, call, ok

WEEK = """name: primary
zone: Europe/Berlin
layers:
- name: week
  people: ["@alice", "@ben"]
  start: 2025-01-20
  rotate: 1w
  at: "09:00"
"""
POLICY = """extends: sev0-3
levels:
- {id: SEV1, audiences: [on_call]}
escalation:
  tiers:
  - {id: tier-1, tier: 1, wait: 10m}
  - {id: tier-2, tier: 2, notify: ["oncall:primary"]}
notify: {channels: [chat]}
contacts:
  "@alice": {channels: [chat]}
  "@ben": {channels: [chat]}
  roles:
    on_call: ["oncall:primary"]
"""
DECLARED, AFTER = "2025-01-27T07:55:00Z", "2025-01-27T08:30:00Z"
"""Five minutes before the hand-over of Monday 09:00 in Berlin, and half an hour after it."""


@pytest.fixture
def rota(folder: Folder) -> Folder:
    """An incident five minutes before a hand-over."""
    folder.write("policy.yaml", POLICY)
    folder.write("services.yaml", 'services:\n  api: {owner: "oncall:primary"}\n')
    folder.write("oncall/primary.yaml", WEEK)
    folder.put(times=f"{{declared: {DECLARED}}}")
    return folder


def notices(folder: Folder, clock: str) -> dict[str, set[str]]:
    """Handle -> what a plan notifies them of, without the level and the title."""
    told: dict[str, set[str]] = {}
    for who, what in re.findall(r"notify (@\w+) by chat: .* - (.*)", ok(folder, "plan", clock=clock).out):
        told.setdefault(who, set()).add(what.partition(" was due")[0].partition(" (INC-1)")[0])
    return told


def test_whoever_was_on_call_when_it_was_due_is_notified(rota: Folder) -> None:
    """A late run wakes the one whose incident it was, and for what came due later the one who took over."""
    told = notices(rota, AFTER)
    assert told["@alice"] == {"Declared"}
    assert any(said.startswith("Nobody answered within 10m: calling ben (") for said in told["@ben"])
    assert "Declared" not in told["@ben"]
    assert notices(rota, "2025-01-27T07:56:00Z") == {"@alice": {"Declared"}}


def test_whoever_comes_on_call_hears_of_what_is_open(rota: Folder) -> None:
    """Who has it stays; they hear of it once, at the handover and not before, and nobody does of what is over."""
    ok(rota, "ack", "INC-1", "--by", "@alice", clock="2025-01-27T07:57:00Z")
    assert "handover" not in ok(rota, "sla", "check", clock="2025-01-27T07:59:00Z").out
    assert notices(rota, AFTER)["@ben"] == {"@ben is on call now; still open, @alice has it"}
    assert "INC-1/handover/1/on_call.2025-01-27T08:00:00Z.@ben" in json.dumps(
        as_json(rota, "sla", "check", clock=AFTER)
    )
    assert "@ben is on call now" not in ok(rota, "plan", clock="2025-02-03T08:30:00Z").out
    ok(rota, "resolve", "INC-1", "--restored", "now", "--cause", "deploy", clock=AFTER)
    assert "is on call now" not in ok(rota, "plan", clock=AFTER).out


def test_a_mild_incident_waits_for_nobody_who_comes_on_call(rota: Folder) -> None:
    """Nor does whoever has it already hear that they are on call."""
    rota.put(severity="SEV2", times=f"{{declared: {DECLARED}}}")
    assert "is on call now" not in ok(rota, "plan", clock=AFTER).out
    rota.put(severity="SEV1", times=f"{{declared: {DECLARED}}}")
    assert "@ben is on call now; still open, nobody has it" in ok(rota, "plan", clock=AFTER).out
    ok(rota, "assign", "@ben", "INC-1", clock="2025-01-27T07:57:00Z")
    assert "is on call now" not in ok(rota, "plan", clock=AFTER).out


def test_nobody_on_call_is_said_and_nobody_else_is_guessed(rota: Folder) -> None:
    """Before the schedule begins, with a broken schedule, and without the file."""
    for text in (WEEK.replace("2025-01-20", "2025-02-20"), WEEK.replace("1w", "0w"), "name: x\n"):
        rota.write("oncall/primary.yaml", text)
        told = ok(rota, "plan", clock=AFTER).out
        assert "nobody is on call by oncall:primary" in told
        assert not re.search(r"notify @\w+ by chat", told)
    (rota.path / "oncall/primary.yaml").unlink()
    assert "nobody is on call by oncall:primary" in ok(rota, "plan", clock=AFTER).out


def test_an_override_is_followed(rota: Folder) -> None:
    """The swap of that morning decides."""
    over = 'overrides:\n- from: 2025-01-27T07:50:00Z\n  to: 2025-01-27T09:00:00Z\n  who: "@ben"\n'
    rota.write("oncall/primary.yaml", WEEK + over)
    assert set(notices(rota, AFTER)) == {"@ben"}


def test_an_escalation_by_hand_writes_who_it_was(rota: Folder) -> None:
    """The record has the person, never the schedule."""
    ok(rota, "escalate", "INC-1", "--reason", "stuck", "--notify", "oncall:primary", clock=AFTER)
    assert rota.data()["escalations"][0]["failed"] == ["@ben"]  # the ledger has not confirmed it yet
    assert "oncall:" not in (rota.path / "incidents/INC-1/incident.yaml").read_text()


def test_assigning_whoever_is_on_call_writes_who_it_is(rota: Folder) -> None:
    """A role or the incident; where nobody is on call nothing is written."""
    ok(rota, "assign", "commander", "oncall:primary", "INC-1", clock=DECLARED)
    ok(rota, "assign", "oncall:primary", "INC-1", clock=AFTER)
    data = rota.data()
    assert (data["roles"]["commander"], data["assignments"][0]["to"]) == ("@alice", "@ben")
    call("assign", "oncall:nope", "INC-1", at=rota.path, clock=AFTER).told_once(2, "nobody is on call by oncall:nope")


def test_a_schedule_is_never_written_into_a_record(rota: Folder) -> None:
    """Other commands refuse it, and say how to find the person."""
    done = call("action", "add", "Mend it", "INC-1", "--owner", "oncall:primary", at=rota.path, clock=AFTER)
    done.told_once(2, "is a schedule")
    assert "oncall who primary" in done.err


def test_the_lint_of_the_policy_takes_a_schedule_for_people(rota: Folder) -> None:
    """A role that a schedule fills is filled."""
    told = call("policy", "lint", at=rota.path, clock=AFTER)
    assert "on_call" not in told.out
    assert "unreachable-person" not in told.out


def test_a_schedule_of_people_without_a_channel_reaches_nobody(rota: Folder) -> None:
    """The ladder does not end in a schedule, it ends in a person who hears of it."""
    rota.write("policy.yaml", POLICY.replace('  "@alice": {channels: [chat]}\n  "@ben": {channels: [chat]}\n', ""))
    told = call("policy", "lint", at=rota.path, clock=AFTER).out
    assert "the ladder does not end in a person: steps tier-1 and tier-2 reach nobody" in told
    found = call("validate", at=rota.path, clock=AFTER).out
    assert "@alice is not in the policy's contacts, so a page reaches nobody in their turn" in found


def test_one_channel_in_a_schedule_is_enough_for_the_ladder(rota: Folder) -> None:
    """Who else of it has none is said at the schedule."""
    rota.write("policy.yaml", POLICY.replace('  "@ben": {channels: [chat]}\n', ""))
    told = call("policy", "lint", at=rota.path, clock=AFTER).out
    assert "tier-2" not in told


def test_the_alert_of_a_pager_goes_to_whoever_is_on_call(rota: Folder) -> None:
    """Only where somebody is on call who is paged; the alert is one, whoever that is."""
    rota.write("policy.yaml", POLICY.replace("channels: [chat]}", "channels: [pagerduty]}"))
    told = ok(rota, "plan", clock="2025-01-27T07:56:00Z").out
    assert len(re.findall(r"by (?:\w+, )*pagerduty", told)) == 1
