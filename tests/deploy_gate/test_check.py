"""Everything that holds a deploy, what lets it through, and that nothing unknown ever does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident_ops.deploy_gate.check import demand_environment, rolled_back
from incident_ops.deploy_gate.holds import opening_hours
from incident_ops.deploy_gate.release import fix_refused, is_listed
from incident_ops.domain.policy import REQUEST_BUDGET, Objective
from incident_ops.domain.policy_sections import AROUND_THE_CLOCK, Calendar
from incident_ops.domain.record import Unread
from incident_ops.errors import UserError
from tests.deploy_gate.asking import NOW, SERVICES, SHA, ask, change, freeze, known, outcome, override, policy, record

PASSED = ("pass", "ok", 0)
OVERRIDDEN = ("overridden", "override", 0)
LOST = Unread("incidents/INC-9/incident.yaml", "line 3: not YAML")


AT_HALF_PAST = {"zone": "Etc/UTC", "from": "2025-01-22T13:30:00", "until": "2025-01-22T14:00:00"}


def frozen(reason: str) -> tuple[str, str, int]:
    return "frozen", reason, 3


def test_nothing_holds_where_nothing_is_there() -> None:
    assert outcome(ask(known())) == PASSED


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({}, True),
        ({"services": ["auth", "disk"]}, True),
        ({"services": ["database"]}, False),
        ({"environments": ["production"]}, True),
        ({"environments": ["production-canary"]}, False),
        ({"from": "2025-01-22T13:00:00Z"}, True),
        ({"from": "2025-01-22T13:00:01Z"}, False),
        ({"until": "2025-01-22T13:00:00Z"}, False),
        ({"until": "2025-01-22T13:00:01Z"}, True),
        ({"from": "2025-01-22T13:30:00", "zone": "Europe/Berlin"}, True),
        ({"from": "2025-01-22T14:30:00", "zone": "Europe/Berlin"}, False),
    ],
)
def test_a_freeze_holds_its_services_where_and_when_it_says(fields: dict[str, Any], held: bool) -> None:
    """R229: from included, until excluded; without a service every one is held."""
    assert outcome(ask(known(freezes=freeze(**fields)))) == (frozen("deploy_freeze") if held else PASSED)


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({}, True),
        ({"services": ["database"]}, True),
        ({"services": ["disk"]}, False),
        ({"status": "requested"}, False),
        ({"status": "completed"}, False),
        ({"window": {"zone": "Etc/UTC", "from": "2025-01-22T11:00:00", "until": "2025-01-22T12:00:00"}}, False),
        (
            {
                "window": {"zone": "Etc/UTC", "from": "2025-01-22T11:00:00", "until": "2025-01-22T12:00:00"},
                "status": "in_progress",
            },
            True,
        ),
        (
            {
                "window": {"zone": "Etc/UTC", "from": "2025-01-22T11:00:00", "until": "2025-01-22T12:45:00"},
                "buffer": {"after": "30m"},
            },
            True,
        ),
        ({"window": {"zone": "Etc/UTC", "from": "2025-01-22T13:10:00", "until": "2025-01-22T14:00:00"}}, True),
        ({"window": {"zone": "Etc/UTC", "from": "2025-01-22T13:10:01", "until": "2025-01-22T14:00:00"}}, False),
    ],
)
def test_a_maintenance_window_holds_while_it_is_on_and_where_the_rollout_would_run_into_it(
    fields: dict[str, Any], held: bool
) -> None:
    """R245: with its buffer; a rollout of sev0-3 takes ten minutes at 10 %; work that overruns still holds."""
    assert outcome(ask(known(maintenance=change(**fields)))) == (frozen("maintenance_window") if held else PASSED)


@pytest.mark.parametrize(
    ("now", "held"),
    [
        ("2025-01-22T09:00:00", False),
        ("2025-01-22T16:59:59", False),
        ("2025-01-22T17:00:00", True),
        ("2025-01-25T12:00:00", True),
    ],
)
def test_outside_the_hours_of_the_calendar_deploys_are_held(now: str, held: bool) -> None:
    """R229: Monday to Friday 09:00-17:00; the hold ends when it opens."""
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    verdict = ask(known(rules=policy("gate: {deploy_calendar: business}\n")), now=at)
    assert outcome(verdict) == (frozen("off_window") if held else PASSED)
    assert [hold.end is not None and hold.end.hour for hold in verdict.holds] == [9] * held


@pytest.mark.parametrize(
    ("given", "ends", "reason"),
    [
        ({"freezes": freeze(**{"from": "2025-01-22T13:30:00Z"})}, 30, "deploy_freeze"),
        ({"maintenance": change(window=AT_HALF_PAST)}, 30, "maintenance_window"),
        ({"rules": policy("gate: {deploy_calendar: business}\n")}, 240, "off_window"),
    ],
)
def test_a_rollout_of_known_length_must_end_before_what_begins(given: dict[str, Any], ends: int, reason: str) -> None:
    """To the second: what begins when it has ended does not hold it. Its length counts instead of the policy's."""
    long = timedelta(minutes=ends)
    assert outcome(ask(known(**given), lead=long + timedelta(seconds=1))) == frozen(reason)
    assert outcome(ask(known(**given), lead=long - timedelta(seconds=1))) == PASSED
    assert outcome(ask(known(**given), lead=timedelta())) == PASSED
    (hold,) = ask(known(**given), lead=long + timedelta(minutes=1)).holds
    assert ("17:00 UTC" if reason == "off_window" else "13:30 UTC") in hold.state


def test_hours_that_are_over_soon_are_told_with_the_next_opening() -> None:
    """Open now and closed before the rollout would end: it is held until the next morning."""
    at = datetime(2025, 1, 22, 16, 50, tzinfo=UTC)
    verdict = ask(known(rules=policy("gate: {deploy_calendar: business}\n")), now=at, lead=timedelta(minutes=20))
    assert [(hold.end, hold.state) for hold in verdict.holds] == [
        (datetime(2025, 1, 23, 9, tzinfo=UTC), "closes at 17:00 UTC")
    ]


def test_a_calendar_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(UserError, match="nights"):
        ask(known(rules=policy("gate: {deploy_calendar: nights}\n")))


def test_a_calendar_that_never_opens_holds() -> None:
    rules = policy("gate: {deploy_calendar: never}\ncalendars: {never: {tz: Etc/UTC, hours: {}}}\n")
    verdict = ask(known(rules=rules))
    assert outcome(verdict) == frozen("off_window")
    assert verdict.holds[0].end is None


def test_opening_hours_are_told_as_stretches() -> None:
    """Nights that touch at midnight are one; an open calendar is one stretch, cut at the ends."""
    nights = Calendar(tz="Europe/Berlin", hours={"wednesday": ["22:00-24:00"], "thursday": ["00:00-06:00"]})
    (span,) = opening_hours(nights, NOW, NOW + timedelta(days=6))
    assert span.begin == NOW.replace(hour=21)
    assert span.end == NOW.replace(day=23, hour=5)
    assert opening_hours(AROUND_THE_CLOCK, NOW, NOW + timedelta(hours=3)) == [(NOW, NOW + timedelta(hours=3))]
    assert opening_hours(nights, NOW, NOW + timedelta(hours=1)) == []


def spent(budget: str = "hold", minutes: float = 45, **words: Any) -> Any:
    past = [
        record(state="closed", times={**TIMES, "restored": "2025-01-20T10:35:00Z"}, impact={"budget_minutes": minutes})
    ]
    objective = None if budget == "ignore" else Objective(99.9, 30 * 86_400)
    rules = policy(f"gate: {{budget: {budget}}}\n")
    return known(rules=rules, objective=objective, past=past, **words)


TIMES = {"declared": "2025-01-20T10:20:00Z", "started": "2025-01-20T10:15:00Z"}


@pytest.mark.parametrize(
    ("budget", "minutes", "held"), [("hold", 45, True), ("hold", 43, False), ("ignore", 45, False), ("burn", 45, True)]
)
def test_a_spent_error_budget_holds_where_the_policy_says_so(budget: str, minutes: float, held: bool) -> None:
    """R246."""
    verdict = ask(spent(budget, minutes))
    assert outcome(verdict) == (frozen("error_budget") if held else PASSED)
    assert [hold.text for hold in verdict.holds] == ["Monthly budget exhausted: 45 of 43.2 min, 1.8 over"] * held


def test_a_spent_budget_says_how_much_and_when_it_is_back() -> None:
    """To the minute: until then it is spent, from then on it is not, if nothing more happens."""
    there = known(rules=spent("hold", 45).policy, objective=Objective(99.9, 30 * 86_400), past=[LONG_AGO])
    [hold] = ask(there).holds
    assert hold.spent == (60.0, 43.2)
    assert hold.end is not None
    assert outcome(ask(there, now=hold.end - timedelta(minutes=1))) == frozen("error_budget")
    assert outcome(ask(there, now=hold.end)) == PASSED


LONG_AGO = record(
    severity="SEV3",
    state="closed",
    times={
        "declared": "2025-01-10T10:00:00Z",
        "started": "2025-01-10T10:00:00Z",
        "restored": "2025-01-10T11:00:00Z",
        "resolved": "2025-01-10T11:00:00Z",
        "closed": "2025-01-10T12:00:00Z",
    },
)


@pytest.mark.parametrize(("budget", "held"), [("hold", False), ("burn", True)])
def test_a_budget_that_burns_too_fast_holds_where_the_policy_says_so(budget: str, held: bool) -> None:
    """Five minutes of a SEV3 that goes on: far from spent, and 83 times the even pace."""
    going_on = record(severity="SEV3", times={"declared": "2025-01-22T12:55:00Z", "started": "2025-01-22T12:55:00Z"})
    rules = policy(f"gate: {{budget: {budget}}}\n")
    there = known(going_on, rules=rules, objective=Objective(99.9, 30 * 86_400), past=[going_on])
    assert outcome(ask(there)) == (frozen("error_budget") if held else PASSED)


def test_a_budget_in_requests_needs_their_number_and_the_failed_ones() -> None:
    """C19: what is not known is never a pass."""
    past = [record(severity="SEV3", impact={"failed_requests": 2000})]
    objective = Objective(99.9, 30 * 86_400, REQUEST_BUDGET)
    rules = policy("gate: {budget: hold}\n")
    there = known(rules=rules, objective=objective, past=past)
    assert outcome(ask(there)) == ("inconclusive", "no_data", 3)
    assert outcome(ask(there, requests=1_000_000)) == frozen("error_budget")
    assert outcome(ask(there, requests=10_000_000)) == PASSED
    unsaid = known(rules=rules, objective=objective, past=[record(severity="SEV3")])
    assert outcome(ask(unsaid, requests=10_000_000)) == ("inconclusive", "no_data", 3)
    assert "INC-1" in ask(unsaid, requests=10_000_000).notes[0]


def test_the_gravest_reason_comes_first_and_all_are_listed() -> None:
    there = known(record(), freezes=freeze(), maintenance=change(), rules=policy("gate: {deploy_calendar: business}\n"))
    verdict = ask(there, now=NOW.replace(hour=13, minute=5))
    assert outcome(verdict) == frozen("open_incident")
    reasons = [hold.reason_code for hold in verdict.holds]
    assert reasons == ["open_incident", "maintenance_window", "deploy_freeze"]
    assert verdict.incident_ids == ["INC-1"]


@pytest.mark.parametrize(
    "there",
    [
        known(unread=[LOST]),
        known(record(severity="P1")),
        known(freezes=freeze(until="2025-01-21T00:00:00Z")),
        known(freezes=freeze(**{"from": "2025-01-22T14:00:00"})),
        known(freezes=freeze(**{"from": "2025-01-22T14:00:00"}, zone="EST")),
        known(
            maintenance=change(
                window={"zone": "Mars/Olympus", "from": "2025-01-22T12:30:00", "until": "2025-01-22T13:30:00"}
            )
        ),
        known(
            maintenance=change(
                window={"zone": "Etc/UTC", "from": "2025-01-22T12:30:00", "until": "2025-01-22T12:30:00"}
            )
        ),
    ],
)
def test_what_cannot_be_read_or_judged_is_inconclusive(there: Any) -> None:
    verdict = ask(there)
    assert outcome(verdict) == ("inconclusive", "unreadable_record", 3)
    assert len(verdict.unread) == 1


def entry(**fields: str) -> dict[str, str]:
    return {
        "at": "2025-01-22T12:30:00Z", "by": "@alice", "service": "auth", "environment": "production",
        "sha": SHA, "reason": "the fix", "expires": "2025-01-22T14:00:00Z", **fields,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "released"),
    [
        ({}, True),
        ({"sha": SHA[:7]}, True),
        ({"sha": "7be19f3"}, False),
        ({"service": "disk"}, False),
        ({"environment": "production-canary"}, False),
        ({"expires": "2025-01-22T13:00:00Z"}, False),
        ({"at": "2025-01-22T13:00:01Z"}, False),
    ],
)
def test_an_override_in_a_record_lets_its_commit_through(fields: dict[str, str], released: bool) -> None:
    """R243: this service, environment and commit, until it expires."""
    verdict = ask(known(record(overrides=[entry(**fields)])), sha=SHA)
    assert outcome(verdict) == (OVERRIDDEN if released else frozen("open_incident"))
    assert verdict.incident_ids == ["INC-1"]
    assert (verdict.release is not None) is released


def test_an_override_needs_the_commit_and_is_not_taken_from_a_drill() -> None:
    there = known(record(overrides=[entry()]))
    assert outcome(ask(there)) == frozen("open_incident")
    assert outcome(ask(there, sha=SHA[:7])) == frozen("open_incident")
    drill = record(2, drill=True, overrides=[entry()])
    assert outcome(ask(known(record(), drill), sha=SHA)) == frozen("open_incident")


@pytest.mark.parametrize(
    ("fields", "released"),
    [
        ({}, True),
        ({"environments": ["production-canary"]}, False),
        ({"sha": "abcdef0"}, False),
        ({"until": "2025-01-22T12:59:59Z"}, False),
        ({"until": "2025-01-22T14:00:00"}, False),
    ],
)
def test_an_override_without_an_incident_is_a_file(fields: dict[str, Any], released: bool) -> None:
    """It releases from a freeze, too; one whose times cannot be read releases nothing."""
    given = {"sha": SHA, "until": "2025-01-22T14:00:00Z", **fields}
    file = freeze("override-7be19f2", kind="override", by="@dana", services=["auth"], **given)
    verdict = ask(known(freezes={**freeze(), **file}), sha=SHA)
    assert outcome(verdict) == (OVERRIDDEN if released else frozen("deploy_freeze"))


def test_an_override_holds_nothing_and_hides_nothing() -> None:
    assert outcome(ask(known(freezes=override()), sha=SHA)) == PASSED
    verdict = ask(known(freezes=override(), unread=[LOST]), sha=SHA)
    assert outcome(verdict) == OVERRIDDEN
    assert verdict.unread == (LOST,)


def test_a_commit_that_passed_before_is_never_held() -> None:
    verdict = rolled_back(ask(known(record())))
    assert outcome(verdict) == ("pass", "rollback_allowed", 0)
    assert verdict.incident_ids == ["INC-1"]


@pytest.mark.parametrize(
    ("line", "listed"),
    [
        (SHA, True),
        (SHA[:7], True),
        (f"{SHA} auth production  # last Tuesday", True),
        (f"{SHA} auth staging", False),
        (f"{SHA} disk production", False),
        ("abcdef0", False),
        ("# nothing", False),
    ],
)
def test_a_list_of_commits_that_passed(line: str, listed: bool) -> None:
    assert is_listed(f"\n{line}\n", "auth", "production", SHA, "passed.txt") is listed


@pytest.mark.parametrize("line", ["7be19f", "main", f"{SHA} auth", f"{SHA} auth production x", "*", '{"sha": 1}'])
def test_a_damaged_list_is_no_list(line: str) -> None:
    """Even where the commit stands in it, too."""
    with pytest.raises(UserError) as caught:
        is_listed(f"{SHA}\n{line}\n", "auth", "production", SHA, "passed.txt")
    assert caught.value.where == "passed.txt:2"


@pytest.mark.parametrize(
    ("fields", "by", "refused"),
    [
        ({}, "@alice", None),
        ({}, "@Alice", None),
        ({}, "@bob", "not @bob"),
        ({}, None, "unknown"),
        ({"roles": {}}, "@alice", "has no commander"),
        ({"services": ["disk"]}, "@alice", "is not on auth"),
        ({"state": "resolved"}, "@alice", "is not open"),
        ({"drill": True}, "@alice", "is not open"),
    ],
)
def test_only_the_commander_of_an_open_incident_on_the_service_says_that_it_fixes_it(
    fields: dict[str, Any], by: str | None, refused: str | None
) -> None:
    """Anybody else, and an incident elsewhere or over, gives no leave (docs/contract.md#gate)."""
    said = fix_refused(record(**fields).incident, "auth", by)
    assert (said is None) if refused is None else (said is not None and refused in said)


def test_wrong_names_are_mistakes_with_a_hint() -> None:
    with pytest.raises(UserError, match="'aut'") as caught:
        ask(known(), service="aut")
    assert "auth" in caught.value.hint
    with pytest.raises(UserError, match="'prod'") as caught:
        ask(known(), environment="prod")
    assert "production" in caught.value.hint
    demand_environment("production-canary", policy())
    assert set(SERVICES) == {"auth", "database", "disk"}


FIX = {"overrides": [entry()]}


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        ({}, OVERRIDDEN),
        ({"freezes": freeze()}, frozen("deploy_freeze")),
        ({"maintenance": change()}, frozen("maintenance_window")),
        ({"others": [record(2)]}, frozen("open_incident")),
        ({"unread": [LOST]}, ("inconclusive", "unreadable_record", 3)),
        ({"freezes": {**freeze(), **override()}}, OVERRIDDEN),
        ({"maintenance": change(), "freezes": override()}, OVERRIDDEN),
        ({"others": [record(2, **FIX)]}, OVERRIDDEN),
    ],
)
def test_an_override_in_a_record_releases_from_that_incident_alone(more: dict[str, Any], answer: Any) -> None:
    """A commander is nobody's second person: what others hold needs an override that others review."""
    others = more.pop("others", [])
    verdict = ask(known(record(**FIX), *others, **more), sha=SHA)
    assert outcome(verdict) == answer
    assert any("does not release from" in note for note in verdict.notes) is (answer != OVERRIDDEN)


def test_an_override_in_a_record_releases_from_the_hours_for_deploys() -> None:
    night = NOW.replace(hour=3)
    rules = policy("gate: {deploy_calendar: business}")
    there = known(record(overrides=[entry(at="2025-01-22T02:00:00Z")]), rules=rules)
    assert outcome(ask(there, sha=SHA, now=night)) == OVERRIDDEN
