"""Severity assignment: the playbooks' own criteria, first match, and caution where answers are missing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.incident import Triage
from incident_ops.domain.triage import cells, decide_level, describe, rule_in_words, unreached
from incident_ops.errors import UserError
from incident_ops.resources import preset_names
from tests.support.policies import policy

POLICIES = {name: policy(name) for name in preset_names()}
S0, S1, S2, S3 = "sev0-3", "itil-p1-p4", "sev1-3", "p0-p3"


def triage_answers(**given: Any) -> Triage:
    return Triage(**{"data_risk": "none", "slo": "ok", "revenue": False, "reputation": False, "ongoing": True, **given})


@pytest.mark.parametrize(
    ("preset", "answers", "level"),
    [
        (S0, {"users_percent": 100, "feature": "core"}, "SEV0"),
        (S0, {"users_percent": 99, "feature": "core"}, "SEV1"),
        (S0, {"users_percent": 50.5, "feature": "secondary"}, "SEV1"),
        (S0, {"users_percent": 50, "feature": "secondary"}, "SEV2"),
        (S0, {"users_percent": 1, "feature": "core"}, "SEV1"),
        (S0, {"users_percent": 9, "feature": "secondary"}, "SEV2"),
        (S0, {"users_percent": 0, "feature": "cosmetic"}, "SEV3"),
        (S0, {"users_percent": 0, "feature": "cosmetic", "data_risk": "breach"}, "SEV0"),
        (S1, {"users_percent": 100, "feature": "core"}, "P1"),
        (S1, {"users_percent": 40, "feature": "core"}, "P2"),
        (S1, {"users_percent": 40, "feature": "secondary"}, "P3"),
        (S1, {"users_percent": 40, "feature": "cosmetic"}, "P4"),
        (S2, {"users_percent": 100, "feature": "core"}, "SEV-1"),
        (S2, {"users_percent": 25, "feature": "secondary"}, "SEV-2"),
        (S2, {"users_percent": 24.9, "feature": "secondary"}, "SEV-3"),
        (S2, {"users_percent": 1, "feature": "core"}, "SEV-2"),
        (S3, {"users_percent": 1, "feature": "core", "revenue": True}, "P0"),
        (S3, {"users_percent": 30, "feature": "core"}, "P1"),
        (S3, {"users_percent": 10, "feature": "secondary"}, "P1"),
        (S3, {"users_percent": 9.9, "feature": "secondary"}, "P2"),
        (S3, {"users_percent": 1, "feature": "secondary", "slo": "violated"}, "P1"),
        (S3, {"users_percent": 1, "feature": "cosmetic", "slo": "approaching"}, "P2"),
        (S3, {"users_percent": 1, "feature": "cosmetic"}, "P3"),
    ],
)
def test_a_case_of_the_playbook_gets_the_playbooks_level(preset: str, answers: dict[str, Any], level: str) -> None:
    """R10, R13-R18, C3, C5."""
    assert decide_level(POLICIES[preset], triage_answers(**answers)).level == level


@pytest.mark.parametrize("preset", preset_names())
@pytest.mark.parametrize("risk", ["loss", "corruption", "breach"])
def test_data_at_risk_is_the_worst_level_whatever_else_is_said(preset: str, risk: str) -> None:
    """C6: it is the first rule of every preset."""
    mild = triage_answers(users_percent=0, feature="cosmetic", data_risk=risk)
    decision = decide_level(POLICIES[preset], mild)
    assert (decision.level, decision.rule_number) == (POLICIES[preset].labels[0], 1)


@pytest.mark.parametrize("preset", preset_names())
def test_every_combination_of_answers_reaches_a_level(preset: str) -> None:
    """C4, C5."""
    assert unreached(POLICIES[preset]) == []
    assert len(list(cells(POLICIES[preset]))) >= 3 * 4 * 3 * 8


def test_ten_to_fifty_percent_with_a_secondary_feature_is_an_assumption() -> None:
    """C4: the rule table of the playbook leaves it open."""
    assert decide_level(POLICIES[S0], triage_answers(users_percent=30, feature="secondary")).assumed
    assert not decide_level(POLICIES[S0], triage_answers(users_percent=9, feature="secondary")).assumed


def test_a_priority_that_meets_a_major_definition_gets_its_severity_too() -> None:
    """R20."""
    decision = decide_level(POLICIES[S1], triage_answers(users_percent=100, feature="core"))
    assert (decision.level, decision.major) == ("P1", "SEV-1")
    assert decide_level(POLICIES[S1], triage_answers(users_percent=1, feature="cosmetic")).major is None


def test_an_imminent_sla_violation_never_upgrades_by_itself() -> None:
    """C14: approaching the objective is a P2 criterion, no P0 one."""
    assert (
        decide_level(POLICIES[S3], triage_answers(users_percent=1, feature="secondary", slo="approaching")).level
        == "P2"
    )


def test_the_decision_names_the_rule_that_decided() -> None:
    decision = decide_level(POLICIES[S0], triage_answers(users_percent=60, feature="secondary"))
    assert decision.rule_number == 4
    assert decision.rule_text == "more than 50 % of users -> SEV1 (rule table)"
    assert decision.note == ""


def test_an_unknown_share_keeps_what_is_known_and_says_what_it_may_become() -> None:
    decision = decide_level(POLICIES[S0], triage_answers(users_percent="unknown", feature="core"))
    assert (decision.level, decision.worst, decision.assumed) == ("SEV1", "SEV0", True)
    assert decision.rule_text.startswith("core feature")
    assert "users_percent" in decision.note
    assert "may be SEV0" in decision.note


def test_an_unknown_share_does_not_page_for_a_typo() -> None:
    decision = decide_level(POLICIES[S0], triage_answers(users_percent="unknown", feature="cosmetic"))
    assert (decision.level, decision.worst, decision.assumed) == ("SEV3", "SEV3", False)


@pytest.mark.parametrize("preset", preset_names())
def test_nothing_is_cosmetic_unless_somebody_says_so(preset: str) -> None:
    cosmetic = decide_level(POLICIES[preset], triage_answers(users_percent=0, feature="cosmetic")).level
    decision = decide_level(POLICIES[preset], Triage())
    assert decision.assumed
    assert "feature" in decision.note
    assert decision.level != cosmetic or len(POLICIES[preset].labels) == 3


@given(preset=st.sampled_from(preset_names()), data=st.data())
def test_not_knowing_the_share_is_never_milder_than_the_mildest_share(preset: str, data: st.DataObject) -> None:
    """The level for an unknown share lies within the levels that known shares give."""
    chosen = POLICIES[preset]
    answers = {
        "feature": data.draw(st.sampled_from(["core", "secondary", "cosmetic"])),
        "data_risk": data.draw(st.sampled_from(["none", "loss"])),
        "slo": data.draw(st.sampled_from(["ok", "approaching", "violated"])),
        "revenue": data.draw(st.booleans()),
    }
    share = data.draw(st.floats(0, 100) | st.integers(0, 100))
    open_share = decide_level(chosen, triage_answers(users_percent="unknown", **answers))
    known = decide_level(chosen, triage_answers(users_percent=share, **answers))
    ranks = {label: number for number, label in enumerate(chosen.labels)}
    assert open_share.worst is not None
    assert ranks[open_share.worst] <= ranks[known.level] <= ranks[open_share.level]


def test_a_policy_with_a_gap_is_an_error_and_never_a_guess() -> None:
    gap = policy(S2, 'triage:\n  rules:\n  - when:\n      users_pct: ">= 10 and < 50"\n    level: SEV-2\n')
    assert decide_level(gap, triage_answers(users_percent=10, feature="core")).level == "SEV-2"
    with pytest.raises(UserError, match="no triage rule matches 50 % of users"):
        decide_level(gap, triage_answers(users_percent=50, feature="core"))
    assert {cell.users_percent for cell in unreached(gap)} == {0.0, 5.0, 50.0, 75.0, 100.0}


def test_a_foreign_level_in_a_rule_is_an_error() -> None:
    foreign = policy(S2, "triage:\n  rules:\n  - when: {}\n    level: SEV1\n")
    with pytest.raises(UserError, match="not a level of scheme sev1-3"):
        decide_level(foreign, triage_answers(users_percent=10, feature="core"))


def test_rules_are_explained_in_words() -> None:
    rules = policy(
        S3,
        "triage:\n  rules:\n  - when:\n      users_pct: '>= 10 and < 50'\n      feature: [core, secondary]\n"
        "      slo: violated\n      revenue: false\n      ongoing: true\n    level: P1\n"
        "  - when: {}\n    level: P2\n    assumed: true\n",
    ).triage.rules
    assert rule_in_words(rules[0]) == (
        "10 % or more and fewer than 50 % of users and core or secondary feature and SLO violated"
        " and no revenue lost and still happening -> P1"
    )
    assert rule_in_words(rules[1]) == "anything else -> P2 (assumed)"


def test_answers_are_described_in_words() -> None:
    assert describe(triage_answers(users_percent=12.5, feature="core", revenue=True)) == (
        "12.5 % of users, core feature, data risk none, SLO ok, revenue lost"
    )
