"""Open incidents hold deploys of their service, and what cannot be read never lets one pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from incident_ops.deploy_gate.check import DeployFacts, DeployRequest, check_deploy
from incident_ops.deploy_gate.verdict import EXIT, Verdict
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.record import Record, Unread
from incident_ops.errors import UserError
from tests.deploy_gate.asking import NOW, outcome, policy, record

SERVICES = {"auth": Service(owner="@team"), "checkout": Service(owner="@team", depends_on=["auth"])}
LOST = Unread("incidents/INC-9/incident.yaml", "line 3: not YAML")


def ask(
    *records: Record,
    service: str = "auth",
    rules: Policy | None = None,
    unread: tuple[Unread, ...] = (),
    services: Mapping[str, Service] = SERVICES,
) -> Verdict:
    known = DeployFacts(rules or policy(), services, records, {}, {}, unread)
    return check_deploy(DeployRequest(service, "production", NOW), known)


HELD = ("frozen", "open_incident", 3)
PASSED = ("pass", "ok", 0)
UNKNOWN = ("inconclusive", "unreadable_record", 3)


def test_exit_codes_are_those_of_the_contract() -> None:
    assert dict(EXIT) == {"pass": 0, "fail": 1, "frozen": 3, "inconclusive": 3, "overridden": 0}


def test_without_incidents_deploys_pass() -> None:
    assert outcome(ask()) == PASSED


@pytest.mark.parametrize(("severity", "expected"), [("SEV0", HELD), ("SEV1", HELD), ("SEV2", PASSED), ("SEV3", PASSED)])
def test_the_two_worst_levels_hold(severity: str, expected: tuple[str, str, int]) -> None:
    """R245: `block_on_open_rank: 2`."""
    assert outcome(ask(record(severity=severity))) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        *((state, HELD) for state in ("new", "triaged", "assigned", "in_progress", "pending", "reopened")),
        ("resolved", PASSED),
        ("closed", PASSED),
    ],
)
def test_an_incident_holds_until_it_is_resolved(state: str, expected: tuple[str, str, int]) -> None:
    assert outcome(ask(record(state=state))) == expected


@pytest.mark.parametrize("fields", [{"drill": True}, {"outcome": "duplicate", "duplicate_of": "INC-7"}])
def test_what_is_no_real_incident_does_not_hold(fields: dict[str, Any]) -> None:
    assert outcome(ask(record(**fields))) == PASSED


@pytest.mark.parametrize("name", ["false_alarm", "withdrawn", "duplicate"])
def test_what_turned_out_to_be_none_holds_until_it_is_closed(name: str) -> None:
    """One word in an open record does not let deploys through; a duplicate names the incident that holds instead."""
    assert outcome(ask(record(outcome=name))) == HELD
    assert outcome(ask(record(outcome=name, state="closed"))) == PASSED


def test_only_the_services_of_the_incident_and_what_needs_them_are_held() -> None:
    assert outcome(ask(record(services=["checkout"]), service="auth")) == PASSED
    assert outcome(ask(record(services=["auth", "checkout"]), service="checkout")) == HELD
    held = ask(record(), service="checkout")
    assert outcome(held) == HELD
    assert held.holds[0].needed == "auth"


@pytest.mark.parametrize(("depth", "expected"), [(0, PASSED), (1, PASSED), (2, HELD)])
def test_depends_on_is_followed_as_far_as_the_policy_says(depth: int, expected: tuple[str, str, int]) -> None:
    """web needs checkout, which needs auth; a circle ends."""
    services = {**SERVICES, "web": Service(owner="@team", depends_on=["checkout", "web"])}
    rules = policy(extra=f"gate:\n  dependency_depth: {depth}\n")
    assert outcome(ask(record(), service="web", rules=rules, services=services)) == expected


def test_all_holding_incidents_are_listed_in_order() -> None:
    assert ask(record(3), record(2, severity="SEV3"), record(1)).incident_ids == ["INC-1", "INC-3"]


def test_a_pending_record_holds_before_its_merge() -> None:
    assert outcome(ask(record()._replace(pending=True))) == HELD


def test_in_a_scheme_with_two_scales_the_worse_rank_counts() -> None:
    """C2: a P3 that is a SEV-1 holds, a P3 alone does not."""
    rules = policy(preset="itil-p1-p4")
    assert outcome(ask(record(severity=None, priority="P3"), rules=rules)) == PASSED
    held = ask(record(severity="SEV-1", priority="P3"), rules=rules)
    assert outcome(held) == HELD
    assert held.holds[0].state == "P3/SEV-1  in_progress"


def test_a_policy_may_hold_nothing_or_more() -> None:
    assert outcome(ask(record(), rules=policy(extra="gate:\n  block_on_open_rank: null\n"))) == PASSED
    assert outcome(ask(record(severity="SEV3"), rules=policy(extra="gate:\n  block_on_open_rank: 4\n"))) == HELD


def test_an_unreadable_record_never_passes() -> None:
    verdict = ask(record(state="resolved"), unread=(LOST,))
    assert outcome(verdict) == UNKNOWN
    assert verdict.unread == (LOST,)
    assert verdict.incident_ids == []


@pytest.mark.parametrize("severity", ["P1", "SEV-1", None])
def test_a_level_the_policy_does_not_know_never_passes(severity: str | None) -> None:
    assert outcome(ask(record(severity=severity))) == UNKNOWN
    assert outcome(ask(record(severity=severity, services=["checkout"]))) == PASSED


def test_an_open_incident_holds_whatever_else_is_unreadable() -> None:
    verdict = ask(record(), unread=(LOST,))
    assert outcome(verdict) == HELD
    assert verdict.unread == (LOST,)


def test_a_restricted_incident_holds_and_keeps_its_title() -> None:
    holds = ask(record(visibility="restricted")).holds
    assert [(hold.id, hold.text, hold.is_restricted) for hold in holds] == [("INC-1", None, True)]


def test_a_service_nobody_knows_is_a_mistake_with_a_hint() -> None:
    with pytest.raises(UserError) as caught:
        ask(service="aut")
    assert caught.value.exit_code == 2
    assert "did you mean auth?" in caught.value.hint
