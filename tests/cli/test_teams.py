"""Teams in one repository: each with its own hours, people on call, ladder, channels and clocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from incident_ops.domain.tracker import GITHUB, Comment, Issue, Snapshot
from incident_ops.reconcile.observe import save_snapshot
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
    rules = "{when: {tier: 1}, level: SEV1}, {when: {tier: [2, 3]}, level: SEV3}, {when: {}, level: SEV2}"
    folder.write("policy.yaml", f"{POLICY}triage: {{rules: [{rules}]}}\n")
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


def test_a_new_record_has_the_clocks_of_its_team(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or those that the team had until lately; whoever gives another team's clocks is told."""
    for text, at in ((SERVICES, "2025-01-20T09:00:00Z"), (SERVICES.replace("response: 5m", "response: 4m"), SUNDAY)):
        monkeypatch.setenv("GIT_COMMITTER_DATE", at)
        folder.write("services.yaml", text)
        folder.commit()
    folder.git("checkout", "-q", "-b", "change", "HEAD~1")
    pay = declare(folder, "pay")
    done = call("validate", "--base", "main", at=folder.path, clock=LATER)
    assert done.code == 0, done
    path = f"incidents/{pay}/incident.yaml"
    folder.write(path, (folder.path / path).read_text().replace("response: 5m", "response: 15m"))
    done = call("validate", "--base", "main", at=folder.path, clock=LATER)
    assert done.code == 1
    assert "targets.response is 15m; the policy on the default branch gives SEV1 4m" in done.out


WRONG = """\
  nobody:
    calendar: amea
    on_call: ["@zed"]
    channels: {slak: slack_nobody}
    levels: {SEV9: {response: 5m}}
"""


def test_what_a_team_says_is_checked_against_the_policy(folder: Folder) -> None:
    """Names that are not there by `validate`; who cannot be reached by `policy lint`, as for the policy itself."""
    folder.write("services.yaml", SERVICES + WRONG)
    checked, linted = (call(*words, at=folder.path) for words in (["validate"], ["policy", "lint"]))
    assert (checked.code, linted.code) == (1, 1)
    for told in (
        "services.yaml:19:15: error: team 'nobody' has calendar 'amea', which is not in the policy [team-names]\n"
        "    fix: did you mean emea?",
        "team 'nobody' has a channel in place of 'slak', which no level of the policy has [team-names]",
        "team 'nobody' has clocks for 'SEV9', which is not a level of the policy [team-names]",
        "services.yaml:18:3: warning: no service has team 'nobody' [team-unused]",
    ):
        assert told in checked.out
        assert told in linted.out
    assert (
        "services.yaml:20:5: error: team 'nobody': @zed has no channel in contacts [unreachable-person]" in linted.out
    )


def test_a_step_of_a_team_that_reaches_nobody_is_found(folder: Folder) -> None:
    folder.write("services.yaml", SERVICES.replace("wait: 10m}", "wait: 10m}, {id: third, tier: 3}"))
    done = call("policy", "lint", at=folder.path)
    assert "warning: team 'search': tier third has no contact [role-unfilled]" in done.out


def test_two_steps_of_one_id_are_an_error(folder: Folder) -> None:
    folder.write("services.yaml", SERVICES.replace("wait: 10m}", "wait: 10m}, {id: second, tier: 3}"))
    done = call("validate", at=folder.path)
    assert done.code == 1
    assert "'second' appears twice" in done.out


def test_what_holds_for_a_service_is_shown_with_its_source(folder: Folder) -> None:
    shown = ok(folder, "policy", "show", "--service", "pay").out
    assert shown.startswith("What holds for incidents of pay: team payments, owner @ann, tier 1\n\n")
    for line in (
        "Working hours team Europe/Berlin: Monday-Tuesday 09:00-17:00",
        "Role on_call team @ann, @cy",
        "Step 2, second team @mia; waits 30m",
        "SEV1 clocks team response 5m, resolution 1h (24x7)",
        "SEV1 updates policy every 30m",
        "SEV1 channels team slack_payments, pagerduty",
        "SEV2 clocks policy response 1h, resolution 24h (24x7)",
    ):
        assert line in [" ".join(one.split()) for one in shown.splitlines()]
    data = as_json(folder, "policy", "show", "--service", "find")
    assert (data["schema"], data["service"], data["team"], data["tier"]) == (1, "find", "search", 3)
    assert {"name": "Role on_call", "holds": "@bob", "source": "team"} in data["holds"]
    assert data["policy"]["contacts"]["roles"]["on_call"] == ["@bob"]
    assert '\n    on_call:\n    - "@bob"\n' in ok(folder, "policy", "show", "-s", "find", "--resolved").out
    assert " team " not in ok(folder, "policy", "show", "--service", "misc").out.partition("\n\n")[2]
    call("policy", "show", "--service", "pya", at=folder.path).told_once(
        2, "service 'pya' is not in services.yaml", "did you mean pay?"
    )


def test_another_policy_is_tried_with_the_teams(folder: Folder) -> None:
    """A back-test of the same policy finds nothing; of one without the team's calendar it says so."""
    declare(folder, "pay", "SEV3")
    folder.write("same.yaml", POLICY)
    assert "0" in ok(folder, "sla", "backtest", "--policy", "same.yaml", clock=LATER).out
    ok(folder, "sla", "report", clock=LATER)


def test_a_schedule_may_be_on_call_for_a_team(folder: Folder) -> None:
    """Whoever has the turn at that hour hears of it, and nobody twice."""
    folder.write("services.yaml", SERVICES.replace('on_call: "@bob"', 'on_call: "oncall:search"'))
    folder.write(
        "oncall/search.yaml",
        "name: search\nzone: Asia/Tokyo\nlayers:\n"
        '- {name: turns, people: ["@dee", "@cy"], start: 2025-01-20, at: "09:00", rotate: 1w}\n',
    )
    assert call("validate", at=folder.path).code == 0
    find, both = declare(folder, "find"), declare(folder, "find pay", clock=SECOND)
    assert names(hears(folder, find, "incident/1/declared", "2025-01-26T14:01:00Z")) == ["@bob", "@dee"]
    assert names(hears(folder, both, "incident/1/declared", "2025-01-26T14:01:00Z")) == ["@ann", "@bob", "@cy", "@dee"]
    assert "oncall:search" in ok(folder, "policy", "show", "-s", "find").out


def test_a_test_of_the_channels_walks_those_of_the_teams(folder: Folder) -> None:
    shown = call("notify", "--test", "--dry-run", at=folder.path)
    assert "slack_payments" in shown.out


def test_a_name_that_is_not_there_keeps_no_team_from_its_clocks(folder: Folder) -> None:
    """The policy's hours hold for that team, every command says so, and the others have their own."""
    folder.write("services.yaml", SERVICES.replace("calendar: apac", "calendar: apax"))
    find, pay = declare(folder, "find", "SEV3"), declare(folder, "pay", "SEV3", SECOND)
    assert [due(folder, one) for one in (find, pay)] == ["2025-01-27T17:00:00Z", "2025-01-27T16:00:00Z"]
    note = "team 'search' has calendar 'apax', which is not in the policy; the policy's own holds instead"
    assert f"services.yaml:14:15: {note}" in ok(folder, "sla", "check").err


ALONE = """\
extends: sev0-3
contacts: {"@dee": {channels: [email]}, "@cy": {channels: [email]}}
"""
TURNS = """\
name: search
zone: Asia/Tokyo
layers:
- {name: turns, people: ["@dee", "@cy"], start: 2025-01-20, at: "09:00", rotate: 1w}
"""


def test_a_team_has_its_own_fallback_which_may_be_a_schedule(folder: Folder) -> None:
    """Where nobody is on the ladder, whoever has the turn is called; a schedule that is not there is an error."""
    folder.write("policy.yaml", ALONE)
    of_search = '{find: {owner: "@x", team: search}, misc: {owner: "@x"}}'
    folder.write(
        "services.yaml", f"services: {of_search}\nteams: {{search: {{escalation: {{fallback: 'oncall:search'}}}}}}\n"
    )
    assert "oncall:search" in call("validate", at=folder.path).out
    folder.write("oncall/search.yaml", TURNS)
    assert call("validate", at=folder.path).code == 0
    find, misc = declare(folder, "find", "SEV0"), declare(folder, "misc", "SEV0", clock=SECOND)
    called = [
        (one["fields"]["recipient"], one["key"].split("/")[0])
        for one in as_json(folder, "plan", clock="2025-01-26T14:06:00Z")["changes"]
        if one["action"] == "notify" and "/ladder/" in one["key"]
    ]
    assert ("@dee", find) in called
    assert [who for who, incident in called if incident == misc and who.startswith("@")] == []
    folder.write("policy.yaml", f'{ALONE}escalation: {{fallback: "oncall:search"}}\n')
    assert call("validate", at=folder.path).code == 0
    assert "Fallback policy oncall:search" in rows(folder, "misc")


def test_what_else_a_team_says_of_escalation(folder: Folder) -> None:
    """How often its ladder begins again, and the words of its customers; of two teams all words, and the more often."""
    own = "escalation: {repeat: 2, keywords: [refund], tiers: ["
    of_payments = 'contacts: {tiers: {second: ["@mia"]}}\n    escalation: {repeat: 1, keywords: [chargeback]}'
    text = SERVICES.replace("escalation: {tiers: [", own).replace('contacts: {tiers: {second: ["@mia"]}}', of_payments)
    folder.write("services.yaml", text)
    folder.write("policy.yaml", POLICY.replace("escalation:\n", "escalation:\n  repeat: 0\n  keywords: [lawyer]\n"))
    assert {"Ladder again team 2 times", "Keywords team refund"} <= rows(folder, "find")
    assert {"Ladder again team once", "Keywords team chargeback"} <= rows(folder, "pay")
    assert {"Ladder again policy never", "Keywords policy lawyer", "Fallback policy nobody"} <= rows(folder, "misc")
    find, misc = declare(folder, "find"), declare(folder, "misc", clock=SECOND)
    said = [Comment(issue=number, by="ann", at=LATER, body="a refund, or my lawyer") for number in (7, 8)]
    issues = tuple(
        Issue(number, "t", "x", ("incident",), author="github-actions[bot]", key=name)
        for number, name in ((7, find), (8, misc))
    )
    folder.commit()
    folder.write("seen.json", save_snapshot(Snapshot(source=GITHUB, issues=issues, comments=tuple(said))))
    due_now = as_json(folder, "sla", "check", "--observed", "seen.json", clock=LATER)["obligations"]
    reasons = {one["incident"]: one["reason"] for one in due_now if one["key"].endswith("/keyword")}
    assert "refund" in reasons[find]
    assert "lawyer" in reasons[misc]


def rows(folder: Folder, service: str) -> set[str]:
    """What holds for a service, a line each, with its source."""
    shown = as_json(folder, "policy", "show", "--service", service)["holds"]
    return {f"{one['name']} {one['source']} {one['holds']}" for one in shown}


def test_list_and_show_name_the_team(folder: Folder) -> None:
    """Where services have teams; of several services each team once, in their order."""
    both, misc = declare(folder, "find pay card"), declare(folder, "misc", clock=SECOND)
    lines = {line.split()[0]: line.split() for line in ok(folder, "list", clock=LATER).out.splitlines() if line}
    assert "TEAM" in lines["INCIDENT"]
    assert "search,payments" in lines[both]
    assert "-" in lines[misc]
    data = {one["id"]: one for one in as_json(folder, "list", clock=LATER)["incidents"]}
    assert (data[both]["teams"], data[misc]["teams"]) == (["search", "payments"], [])
    assert "find (team search), pay (team payments), card (team payments)" in ok(folder, "show", both, clock=LATER).out
    assert as_json(folder, "show", both, clock=LATER)["teams"] == ["search", "payments"]
    folder.write(
        "services.yaml", SERVICES.partition("teams:")[0].replace(", team: payments", "").replace(", team: search", "")
    )
    shown = ok(folder, "list", clock=LATER).out
    assert "TEAM" not in shown
    assert "teams" not in as_json(folder, "list", clock=LATER)["incidents"][0]
    assert "team" not in ok(folder, "show", misc, clock=LATER).out
