"""Teams in one repository: each with its own hours, people on call, ladder, channels and clocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from incident_ops.records.yaml_reader import Document, read_yaml
from tests.cli.scene import Folder, as_json, call, ok

POLICY = """\
extends: sev0-3
calendars:
  business: {tz: Etc/UTC}
  emea: {tz: Europe/Berlin, hours: {monday: ["09:00-17:00"], tuesday: ["09:00-17:00"]}}
  apac: {tz: Asia/Tokyo, hours: {monday: ["08:00-16:00"], tuesday: ["08:00-16:00"]}}
escalation:
  tiers:
  - {id: first, tier: 1, notify: [on_call]}
  - {id: second, tier: 2, wait: 30m}
contacts:
  "@ann": {channels: [email], manager: "@mia"}
  "@bob": {channels: [email]}
  "@cy": {channels: [email]}
  "@dee": {channels: [email]}
  "@mia": {channels: [email]}
  "@pat": {channels: [email]}
  roles: {on_call: ["@pat"]}
  tiers: {second: ["@pat"]}
routing: {by_phase: {initial_response: {lead: [on_call]}}}
"""
SERVICES = """\
services:
  pay: {owner: "@ann", team: payments, tier: 1}
  card: {owner: "@ann", team: payments}
  find: {owner: "@bob", team: search, tier: 3}
  misc: {owner: "@pat"}
teams:
  payments:
    calendar: emea
    on_call: ["@ann", "@cy"]
    contacts: {tiers: {second: ["@mia"]}}
    channels: {slack: slack_payments}
    levels: {SEV1: {response: 5m, resolution: 1h}}
  search:
    calendar: apac
    on_call: "@bob"
    contacts: {tiers: {second: ["@cy", "@dee"]}}
    escalation: {tiers: [{id: second, tier: 2, wait: 10m}]}
"""
SUNDAY, SECOND = "2025-01-26T14:00:00Z", "2025-01-26T14:00:01Z"
LATER = "2025-01-26T14:50:00Z"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "it", policy=POLICY, services=SERVICES)


def declare(folder: Folder, services: str, level: str = "SEV1", clock: str = SUNDAY) -> str:
    """The id of an incident declared by a command."""
    named = [word for name in services.split() for word in ("-s", name)]
    done = ok(folder, "declare", f"{services} is down", *named, "--severity", level, "--by", "@pat", clock=clock)
    return done.out.partition(":")[0]


def due(folder: Folder, incident: str, clock: str = "response", at: str = LATER) -> Any:
    """When a clock of an incident is due."""
    every = as_json(folder, "sla", "check", clock=at)["clocks"]
    (found,) = [one["due"] for one in every if (one["incident"], one["clock"]) == (incident, clock)]
    return found


def hears(folder: Folder, incident: str, mark: str, at: str = LATER) -> list[tuple[str, list[str]]]:
    """Who hears of a mark, and over which channels, in the order of the plan."""
    told = [
        (one["fields"]["recipient"], one["fields"]["channels"])
        for one in as_json(folder, "plan", clock=at)["changes"]
        if one["action"] == "notify" and one["key"].startswith(f"{incident}/") and mark in one["key"]
    ]
    return sorted(told)


def written(folder: Folder, incident: str) -> Any:
    """The record."""
    document = read_yaml((folder.path / f"incidents/{incident}/incident.yaml").read_text(), "incident.yaml")
    assert isinstance(document, Document)
    return document.data


def names(told: list[tuple[str, list[str]]]) -> list[str]:
    return [name for name, _ in told if name.startswith("@")]


def test_each_team_has_its_own_hours(folder: Folder) -> None:
    """A SEV3 of a Sunday counts from Monday on, by the hours of the team; SEV1 runs around the clock for all."""
    pay, find = declare(folder, "pay", "SEV3"), declare(folder, "find", "SEV3", SECOND)
    misc = declare(folder, "misc", "SEV3", "2025-01-26T14:00:02Z")
    assert [due(folder, one) for one in (pay, find, misc)] == [
        "2025-01-27T16:00:00Z",  # 17:00 in Berlin
        "2025-01-27T07:00:00Z",  # 16:00 in Tokyo
        "2025-01-27T17:00:00Z",
    ]
    assert due(folder, declare(folder, "find", clock="2025-01-26T14:00:03Z")) == "2025-01-26T14:15:03Z"


def test_each_team_has_its_own_clocks(folder: Folder) -> None:
    """What a team does not say is the policy's, and the record keeps what held at its declaration."""
    pay, find = declare(folder, "pay"), declare(folder, "find", clock=SECOND)
    assert (due(folder, pay), due(folder, pay, "resolution")) == ("2025-01-26T14:05:00Z", "2025-01-26T15:00:00Z")
    assert (due(folder, find), due(folder, find, "resolution")) == ("2025-01-26T14:15:01Z", "2025-01-26T16:00:01Z")
    assert written(folder, pay)["policy"]["targets"] == {"response": "5m", "resolution": "1h"}


def test_each_team_has_its_own_people_and_channels(folder: Folder) -> None:
    pay, find = declare(folder, "pay"), declare(folder, "find", clock=SECOND)
    misc = declare(folder, "misc", clock="2025-01-26T14:00:02Z")
    assert hears(folder, pay, "incident/1/declared", "2025-01-26T14:01:00Z") == [
        ("@ann", ["email"]),
        ("@cy", ["email"]),
        ("team", ["incident_channel", "slack_payments"]),
    ]
    assert hears(folder, find, "incident/1/declared", "2025-01-26T14:01:00Z") == [
        ("@bob", ["email"]),
        ("team", ["incident_channel", "slack"]),
    ]
    assert names(hears(folder, misc, "incident/1/declared", "2025-01-26T14:01:00Z")) == ["@pat"]


def test_each_team_has_its_own_ladder(folder: Folder) -> None:
    """Whom an escalation reaches, by hand and by rule, and how long a step has."""
    pay, find = declare(folder, "pay"), declare(folder, "find", clock=SECOND)
    ok(folder, "escalate", pay, "--reason", "stuck", "--to", "second", "--by", "@pat", clock="2025-01-26T14:10:00Z")
    (entry,) = written(folder, pay)["escalations"]
    assert entry["failed"] == ["@mia"]
    ok(folder, "escalate", find, "--reason", "stuck", "--to", "second", "--by", "@pat", clock="2025-01-26T14:10:00Z")
    (entry,) = written(folder, find)["escalations"]
    assert entry["failed"] == ["@cy", "@dee"]


def test_an_incident_of_two_teams_reaches_the_people_of_both_once(folder: Folder) -> None:
    """Clocks are those of the first service; a channel of each team hears of it."""
    both = declare(folder, "pay find card")
    assert due(folder, both) == "2025-01-26T14:05:00Z"
    assert hears(folder, both, "incident/1/declared", "2025-01-26T14:01:00Z") == [
        ("@ann", ["email"]),
        ("@bob", ["email"]),
        ("@cy", ["email"]),
        ("team", ["incident_channel", "slack", "slack_payments"]),
    ]
    ok(folder, "escalate", both, "--reason", "stuck", "--to", "second", "--by", "@pat", clock="2025-01-26T14:10:00Z")
    (entry,) = written(folder, both)["escalations"]
    assert sorted(entry["failed"]) == ["@cy", "@dee", "@mia"]


def test_a_later_change_of_services_moves_people_and_no_clock(folder: Folder) -> None:
    urgent, slow = declare(folder, "pay"), declare(folder, "pay", "SEV3", SECOND)
    for one in (urgent, slow):
        ok(folder, "edit", one, "-s", "find", "--by", "@pat", clock="2025-01-26T14:02:00Z")
    assert due(folder, urgent) == "2025-01-26T14:05:00Z"
    assert due(folder, slow) == "2025-01-27T16:00:00Z"
    assert names(hears(folder, urgent, "/response/")) == ["@bob"]


def test_a_level_that_is_raised_later_takes_the_clocks_of_the_team(folder: Folder) -> None:
    """The record carries the targets of its first level only."""
    pay = declare(folder, "pay", "SEV2")
    ok(folder, "update", pay, "--severity", "SEV1", "--by", "@pat", clock="2025-01-26T14:10:00Z")
    assert due(folder, pay, "resolution") == "2025-01-26T15:00:00Z"


def test_the_tier_of_a_service_decides_a_level(folder: Folder) -> None:
    rules = "triage: {rules: [{when: {tier: 1}, level: SEV1}, {when: {tier: [2, 3]}, level: SEV3}, {when: {}, level: SEV2}]}\n"
    folder.write("policy.yaml", POLICY + rules)
    for service, level in (("pay", "SEV1"), ("find", "SEV3"), ("misc", "SEV2")):
        assert as_json(folder, "triage", "-s", service, "--users", "5")["level"] == level


def test_what_one_team_changes_leaves_the_others_alone(folder: Folder) -> None:
    """Without the teams an incident of `misc` is told the same."""
    misc = declare(folder, "misc")
    shown = [ok(folder, *words, clock=LATER).out for words in (("sla", "check"), ("plan",), ("show", misc))]
    folder.write("services.yaml", 'services: {misc: {owner: "@pat"}}\n')
    assert [ok(folder, *words, clock=LATER).out for words in (("sla", "check"), ("plan",), ("show", misc))] == shown


def test_a_team_that_is_not_there_is_an_error_at_its_line(folder: Folder) -> None:
    folder.write("services.yaml", SERVICES.replace("team: search", "team: serch"))
    done = call("validate", at=folder.path)
    assert done.code == 1
    assert "services.yaml:4:" in done.out
    assert "service 'find' has team 'serch', which is not in `teams`" in done.out
    assert "did you mean search?" in done.out
