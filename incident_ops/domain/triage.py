"""From answers to a level: ordered rules of the policy, the first that matches decides (R10, R11, R20, C3-C6).

What is unknown never makes an incident milder than what is known to be true, and never pages for what nobody reported.
An unknown share of users means every share: the level is the mildest that any share could give, the decision
says what it may yet become, and it is marked as assumed where shares differ. Nothing counts as cosmetic unless
somebody says so. Other questions left open count as the ordinary answer: no data at risk, SLO ok, no revenue or
reputation lost, still happening.
"""

from __future__ import annotations

import itertools
import operator
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from incident_ops.domain.incident import Triage
from incident_ops.domain.policy import Policy, TriageRule, When
from incident_ops.errors import UserError

FEATURES = ("core", "secondary", "cosmetic")
DATA_RISKS = ("none", "loss", "corruption", "breach")
SLOS = ("ok", "approaching", "violated")

_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_COMPARISON = re.compile(r"(<=|>=|<|>) ([0-9.]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Decision:
    """The level given, by which rule (from 1), and why. `worst` is what it may become once the rest is known."""

    level: str
    rule_number: int
    rule_text: str
    assumed: bool
    major: str | None = None
    worst: str | None = None
    note: str = ""


def triage_answers(given: Mapping[str, Any]) -> Triage:
    """Answers by the names of the questions; a whole share of users is a whole number."""
    share = given.get("users_percent")
    return Triage(
        **{**given, "users_percent": int(share)} if isinstance(share, float) and share.is_integer() else given
    )


def decide_level(policy: Policy, answers: Triage) -> Decision:
    """The level for these answers. UserError where no rule matches, or a rule names a foreign level."""
    reached: dict[int, TriageRule] = {}
    for case in _completions(policy, answers):
        number = _first_match(policy, case)
        if number is None:
            raise UserError(
                f"no triage rule matches {describe(case)}",
                hint="run `incident-ops policy lint`, or add a last rule with `when: {}`",
            )
        reached[number] = policy.triage.rules[number - 1]
    ranks = {number: _rank(policy, rule) for number, rule in reached.items()}
    mildest = max(ranks.values())
    number = min((_asks(reached[number].when, answers), number) for number, rank in ranks.items() if rank == mildest)[1]
    rule = reached[number]
    worst = reached[min(ranks, key=lambda one: (ranks[one], one))].level
    return Decision(
        level=rule.level,
        rule_number=number,
        rule_text=rule_in_words(rule),
        assumed=rule.assumed or worst != rule.level,
        major=rule.major,
        worst=worst,
        note=_note(answers, rule.level, worst),
    )


def rule_in_words(rule: TriageRule) -> str:
    """A rule in words, e.g. `all users and core feature -> SEV0 (rule table)`."""
    level = f"{rule.level} and {rule.major}" if rule.major else rule.level
    words = f"{_conditions(rule.when) or 'anything else'} -> {level}"
    remarks = [rule.source or "", "assumed" if rule.assumed else ""]
    text = "; ".join(remark for remark in remarks if remark)
    return f"{words} ({text})" if text else words


def cells(policy: Policy) -> Iterator[Triage]:
    """Every combination of answers, with shares of users on and between the limits of the rules."""
    dimensions = (_shares(policy), FEATURES, DATA_RISKS, SLOS, (False, True), (False, True), (True, False))
    for users, feature, risk, slo, revenue, reputation, ongoing in itertools.product(*dimensions):
        yield Triage(
            users_percent=users,
            feature=feature,
            data_risk=risk,
            slo=slo,
            revenue=revenue,
            reputation=reputation,
            ongoing=ongoing,
        )


def unreached(policy: Policy) -> list[Triage]:
    """The combinations of answers that no rule matches."""
    return [cell for cell in cells(policy) if _first_match(policy, cell) is None]


def describe(answers: Triage) -> str:
    """Answers in words, e.g. `30 % of users, secondary feature, data risk none, SLO ok`."""
    words = [
        f"{answers.users_percent:g} % of users"
        if isinstance(answers.users_percent, int | float)
        else "an unknown share of users"
    ]
    words += [f"{answers.feature} feature", f"data risk {answers.data_risk}", f"SLO {answers.slo}"]
    words += ["revenue lost"] * bool(answers.revenue) + ["reputation hurt"] * bool(answers.reputation)
    return ", ".join(words + ["over"] * (answers.ongoing is False))


def _completions(policy: Policy, answers: Triage) -> Iterator[Triage]:
    users = [answers.users_percent] if isinstance(answers.users_percent, int | float) else _shares(policy)
    features = [answers.feature] if answers.feature else ["core", "secondary"]
    for share, feature in itertools.product(users, features):
        yield msgspec.structs.replace(
            answers,
            users_percent=share,
            feature=feature,
            data_risk=answers.data_risk or "none",
            slo=answers.slo or "ok",
            revenue=bool(answers.revenue),
            reputation=bool(answers.reputation),
            ongoing=answers.ongoing is not False,
        )


def _asks(when: When, answers: Triage) -> bool:
    """True where a rule asks for what was not answered; a rule that holds anyway explains the level better."""
    share_open = not isinstance(answers.users_percent, int | float)
    return (share_open and when.users_pct is not None) or (not answers.feature and when.feature is not None)


def _first_match(policy: Policy, answers: Triage) -> int | None:
    return next((number for number, rule in enumerate(policy.triage.rules, 1) if _matches(rule.when, answers)), None)


def _matches(when: When, answers: Triage) -> bool:
    return (
        _share_matches(when.users_pct, answers.users_percent)
        and all(
            wanted is None or given in ([wanted] if isinstance(wanted, str) else wanted)
            for wanted, given in (
                (when.feature, answers.feature),
                (when.data_risk, answers.data_risk),
                (when.slo, answers.slo),
            )
        )
        and all(
            wanted is None or wanted == given
            for wanted, given in (
                (when.revenue, answers.revenue),
                (when.reputation, answers.reputation),
                (when.ongoing, answers.ongoing),
            )
        )
    )


def _limits(users_pct: str) -> list[tuple[str, float]]:
    """`>= 10 and < 50` -> [(">=", 10), ("<", 50)]; `all` is at least 100."""
    return (
        [(">=", 100.0)]
        if users_pct == "all"
        else [(sign, float(value)) for sign, value in _COMPARISON.findall(users_pct)]
    )


def _share_matches(users_pct: str | None, share: object) -> bool:
    if users_pct is None:
        return True
    if not isinstance(share, int | float):
        return False
    return all(_COMPARE[sign](share, limit) for sign, limit in _limits(users_pct))


def _shares(policy: Policy) -> list[float]:
    """Shares of users on and between all limits of the rules, from 0 to 100."""
    limits = {limit for rule in policy.triage.rules if rule.when.users_pct for _, limit in _limits(rule.when.users_pct)}
    marks = sorted({0.0, 100.0} | limits)
    return sorted({*marks, *((low + high) / 2 for low, high in itertools.pairwise(marks))})


def _rank(policy: Policy, rule: TriageRule) -> int:
    level = policy.level(rule.level)
    if level is None:
        raise UserError(
            f"triage gives {rule.level!r}, which is not a level of scheme {policy.scheme.id}",
            hint="run `incident-ops policy lint`",
        )
    return level.rank


def _note(answers: Triage, level: str, worst: str) -> str:
    open_questions = [
        name
        for name, given in (
            ("users_percent", answers.users_percent),
            ("feature", answers.feature),
            ("data_risk", answers.data_risk),
        )
        if given in (None, "unknown")
    ]
    if not open_questions:
        return ""
    text = f"unknown: {', '.join(open_questions)}; {level} from what is known"
    return f"{text}, and it may be {worst}" if worst != level else text


def _conditions(when: When) -> str:
    words = [_share_words(when.users_pct)] if when.users_pct else []
    if when.feature:
        words.append("cosmetic only" if when.feature == "cosmetic" else f"{_any_of(when.feature)} feature")
    if when.data_risk:
        words.append("no data at risk" if when.data_risk == "none" else f"data {_any_of(when.data_risk)}")
    if when.slo:
        words.append(f"SLO {_any_of(when.slo)}")
    answers = (
        (when.revenue, "revenue lost", "no revenue lost"),
        (when.reputation, "reputation hurt", "reputation not hurt"),
        (when.ongoing, "still happening", "over"),
    )
    return " and ".join(words + [yes if wanted else no for wanted, yes, no in answers if wanted is not None])


def _any_of(words: str | list[str]) -> str:
    if isinstance(words, str):
        return words
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _share_words(users_pct: str) -> str:
    if users_pct == "all":
        return "all users"
    spoken = {">": "more than {} %", ">=": "{} % or more", "<": "fewer than {} %", "<=": "{} % or fewer"}
    return " and ".join(spoken[sign].format(f"{limit:g}") for sign, limit in _limits(users_pct)) + " of users"
