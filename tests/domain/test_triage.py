"""Severity assignment: the playbooks' own criteria, first match, and caution where answers are missing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.incident import Triage
from incident_ops.domain.triage import cells, decide_level, describe, rule_in_words, unreached, users_answer
from incident_ops.errors import UserError
from incident_ops.resources import preset_names
from tests.support.policies import policy

POLICIES = {name: policy(name) for name in preset_names()}
TAKING = {
    (name, unknown): policy(name, f"triage: {{unknown: {unknown}}}\n")
    for name in preset_names()
    for unknown in ("cautious", "mildest")
}
S0, S1, S2, S3 = "sev0-3", "itil-p1-p4", "sev1-3", "p0-p3"


def triage_answers(**given: Any) -> Triage:
    mild = {"data_risk": "none", "slo": "ok", "sla": "ok", "revenue": False, "reputation": False, "ongoing": True}
    return Triage(**{**mild, **given})


@pytest.mark.parametrize(
    ("preset", "answers", "level"),
    [
        (S0, {"users_percent": 100, "feature": "core"}, "SEV0"),
        (S0, {"users_percent": 99, "feature": "core"}, "SEV0"),
        (S0, {"users_percent": 98.9, "feature": "core"}, "SEV1"),
        (S1, {"users_percent": 99, "feature": "core"}, "P1"),
        (S2, {"users_percent": 99.5, "feature": "core"}, "SEV-1"),
        (S3, {"users_percent": 99, "feature": "core"}, "P0"),
        (S3, {"users_percent": 1, "feature": "secondary", "revenue": True}, "P0"),
        (S3, {"users_percent": 1, "feature": "cosmetic", "revenue": True}, "P3"),
        (S3, {"users_percent": 1, "feature": "secondary", "sla": "imminent"}, "P0"),
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
    """R20; a priority for a single ticket gets none."""
    ticket = decide_level(POLICIES[S1], triage_answers(users_percent=1, feature="secondary"))
    assert (ticket.level, ticket.major) == ("P3", None)
    decision = decide_level(POLICIES[S1], triage_answers(users_percent=100, feature="core"))
    assert (decision.level, decision.major) == ("P1", "SEV-1")
    assert decide_level(POLICIES[S1], triage_answers(users_percent=1, feature="cosmetic")).major is None


def test_an_imminent_sla_violation_never_upgrades_by_itself() -> None:
    """R57, C14: approaching the objective is a P2 criterion; only a person's answer about the SLA makes it a P0."""
    assert (
        decide_level(POLICIES[S3], triage_answers(users_percent=1, feature="secondary", slo="approaching")).level
        == "P2"
    )


def test_the_decision_names_the_rule_that_decided() -> None:
    decision = decide_level(POLICIES[S0], triage_answers(users_percent=60, feature="secondary"))
    assert decision.rule_number == 4
    assert decision.rule_text == "more than 50 % of users -> SEV1 (rule table)"
    assert decision.reason == f"rule 4: {decision.rule_text}"
    assert decision.open == ()


def test_an_unknown_share_keeps_what_is_known_and_says_what_it_may_become() -> None:
    decision = decide_level(POLICIES[S0], triage_answers(users_percent="unknown", feature="core"))
    assert (decision.level, decision.worst, decision.assumed) == ("SEV1", "SEV0", True)
    assert decision.rule_text is not None
    assert decision.rule_text.startswith("core feature")
    assert decision.assumption == "the share of users is not known"
    assert [(one.question, one.answer, one.level) for one in decision.open] == [("users_percent", "all users", "SEV0")]


NOTHING_KNOWN = {S0: ("SEV1", None), S1: ("P2", None), S2: ("SEV-2", None), S3: ("P1", None)}


@pytest.mark.parametrize("preset", NOTHING_KNOWN)
def test_where_nothing_is_known_the_worst_level_counts_but_the_very_worst(preset: str) -> None:
    """And no rule is named whose condition nobody answered."""
    decision = decide_level(POLICIES[preset], Triage())
    assert (decision.level, decision.major) == NOTHING_KNOWN[preset]
    assert (decision.worst, decision.assumed) == (POLICIES[preset].labels[0], True)
    assert (decision.rule_number, decision.rule_text) == (None, None)
    assert decision.reason == (
        "the share of users and the feature are not known, so the worst level that fits counts"
        f" ({POLICIES[preset].labels[0]} only where the answers say so)"
    )


@pytest.mark.parametrize(("preset", "level", "major"), [(S0, "SEV0", None), (S1, "P1", "SEV-1"), (S3, "P0", None)])
def test_a_policy_may_take_the_worst_of_what_is_not_known(preset: str, level: str, major: str | None) -> None:
    decision = decide_level(policy(preset, "triage: {unknown: worst}\n"), Triage())
    assert (decision.level, decision.major, decision.assumed) == (level, major, True)
    assert decision.reason.startswith("the share of users, the feature")
    assert decision.reason.endswith("are not known, so the worst level that fits counts")
    assert decision.open == ()


@pytest.mark.parametrize(("preset", "level"), [(S0, "SEV2"), (S1, "P3"), (S2, "SEV-3"), (S3, "P2")])
def test_a_policy_may_take_the_mildest_of_what_is_not_known(preset: str, level: str) -> None:
    decision = decide_level(policy(preset, "triage: {unknown: mildest}\n"), Triage())
    assert (decision.level, decision.rule_number, decision.assumed) == (level, None, True)


def test_open_questions_are_named_with_the_level_that_each_leads_to() -> None:
    """What nobody was asked counts as harmless, and is said."""
    decision = decide_level(POLICIES[S3], Triage(users_percent=60, feature="core"))
    assert (decision.level, decision.worst, decision.assumed) == ("P1", "P0", False)
    assert [(one.question, one.answer, one.level) for one in decision.open] == [
        ("data_risk", "data loss, corruption or breach", "P0"),
        ("sla", "SLA violation imminent", "P0"),
        ("revenue", "revenue lost", "P0"),
    ]


def test_a_share_alone_leads_to_a_level_without_a_rule_that_asks_for_more() -> None:
    decision = decide_level(POLICIES[S3], Triage(users_percent=30))
    assert (decision.level, decision.rule_number, decision.assumed) == ("P1", None, True)
    assert decision.reason.startswith("the feature is not known")


@pytest.mark.parametrize(
    ("said", "kept"),
    [("all", 100), ("60", 60), ("12.5 %", 12.5), (">50%", ">50"), ("< 10", "<10"), (">=99", ">=99"), ("unknown", None)],
)
def test_the_playbooks_own_answers_about_users_are_taken(said: str, kept: object) -> None:
    """R11."""
    assert users_answer(said) == kept


@pytest.mark.parametrize("said", ["many", "101", "-1", ">200", "", "nan", "> <5"])
def test_what_is_no_share_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="all, >50, <10"):
        users_answer(said)


@pytest.mark.parametrize(
    ("preset", "share", "feature", "level", "rule"),
    [
        (S0, ">50", "secondary", "SEV1", 4),
        (S0, ">50", "core", "SEV1", 4),
        (S0, "<10", "secondary", "SEV2", 6),
        (S3, "<10", "secondary", "P2", 10),
        (S3, ">50", "secondary", "P1", 7),
        (S2, "<10", "secondary", "SEV-3", 6),
        (S0, ">=99", "core", "SEV0", 3),
    ],
)
def test_a_range_of_users_decides_by_the_rules_that_hold_for_all_of_it(
    preset: str, share: str, feature: str, level: str, rule: int
) -> None:
    decision = decide_level(POLICIES[preset], triage_answers(users_percent=share, feature=feature))
    assert (decision.level, decision.rule_number) == (level, rule)


def test_a_hurt_reputation_decides_nothing_and_is_said_in_the_reason() -> None:
    plain, hurt = (
        decide_level(POLICIES[S0], triage_answers(users_percent=60, feature="core", reputation=said))
        for said in (False, True)
    )
    assert hurt.level == plain.level
    assert hurt.reason == f"{plain.reason}; the reputation is at risk, which no rule asks for"


def test_an_unknown_share_does_not_page_for_a_typo() -> None:
    decision = decide_level(POLICIES[S0], triage_answers(users_percent="unknown", feature="cosmetic"))
    assert (decision.level, decision.worst, decision.assumed) == ("SEV3", "SEV3", False)


@pytest.mark.parametrize("preset", preset_names())
def test_nothing_is_cosmetic_unless_somebody_says_so(preset: str) -> None:
    cosmetic = decide_level(POLICIES[preset], triage_answers(users_percent=0, feature="cosmetic")).level
    decision = decide_level(POLICIES[preset], Triage())
    assert decision.assumed
    assert "feature" in decision.assumption
    assert decision.level != cosmetic or len(POLICIES[preset].labels) == 3


@given(preset=st.sampled_from(preset_names()), unknown=st.sampled_from(["cautious", "mildest"]), data=st.data())
def test_what_is_not_known_never_hides_a_level(preset: str, unknown: str, data: st.DataObject) -> None:
    """Of all answers that fit, cautious takes the worst level short of the very worst, mildest the mildest."""
    chosen = TAKING[preset, unknown]
    answers = {
        "feature": data.draw(st.sampled_from(["core", "secondary"])),
        "data_risk": data.draw(st.sampled_from(["none", "loss"])),
        "slo": data.draw(st.sampled_from(["ok", "approaching", "violated"])),
        "revenue": data.draw(st.booleans()),
    }
    known = decide_level(
        chosen, triage_answers(**answers, users_percent=data.draw(st.floats(0, 100) | st.integers(0, 100)))
    )
    left = data.draw(st.sampled_from([("users_percent",), ("users_percent", "feature")]))
    partly = decide_level(chosen, triage_answers(**{**answers, "users_percent": None, **dict.fromkeys(left)}))
    ranks = {label: number for number, label in enumerate(chosen.labels)}
    assert partly.worst is not None
    assert ranks[partly.worst] <= ranks[known.level]
    if unknown == "mildest":
        assert ranks[known.level] <= ranks[partly.level]
    else:
        assert ranks[partly.level] <= max(1, ranks[known.level])


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
        "12.5 % of users, core feature, data risk none, SLO ok, SLA ok, revenue lost"
    )
