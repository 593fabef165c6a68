"""From answers to a level: ordered rules of the policy, the first that matches decides (R10, R11, R20, C3-C6).

What a question without an answer counts as is said by `triage.unknown` of the policy. `cautious`: an unknown share
of users means every share, an unknown feature every feature, and the worst level that fits counts; but the worst level
of all (instead of it the second counts), and a major severity, only where a rule holds by what was answered. Other
questions left open count as harmless, and each is named with the level it would lead to. `worst`: every missing answer
takes every value, the worst level counts. `mildest`: shares and features as in `cautious`, nothing is cosmetic, the
mildest level counts.

Nobody is asked for the tier of the service: services.yaml has it. A rule that asks for another one, or for any where no
tier is known, is left out.
"""

from __future__ import annotations

import itertools
import operator
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from incident_ops.domain.incident import Triage
from incident_ops.domain.policy import Policy, Service, TriageRule, When
from incident_ops.errors import UserError

FEATURES = ("core", "secondary", "cosmetic")
DATA_RISKS = ("none", "loss", "corruption", "breach")
SLOS = ("ok", "approaching", "violated")
SLAS = ("ok", "imminent")
CAUTIOUS, WORST, MILDEST = "cautious", "worst", "mildest"
ALL_USERS_FROM = 99.0
"""From this share in percent on, all users are affected: nobody counts the last one."""

_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_COMPARISON = re.compile(r"(<=|>=|<|>) ?([0-9.]+)", re.ASCII)
_ANSWER = re.compile(r"(<=|>=|<|>)?\s*([0-9]+(?:\.[0-9]+)?)\s*%?", re.ASCII)

_CONDITION = {
    "users_percent": "users_pct",
    **{name: name for name in ("feature", "data_risk", "slo", "sla", "revenue", "reputation", "ongoing")},
}
"""Question -> the condition of a rule that asks it, in the order in which people are asked."""
_HARMLESS = {"data_risk": "none", "slo": "ok", "sla": "ok", "revenue": False, "reputation": False, "ongoing": True}
"""What these count as without an answer: no harm, and still happening."""
_VALUES: dict[str, tuple[Any, ...]] = {
    "feature": FEATURES,
    "data_risk": DATA_RISKS,
    "slo": SLOS,
    "sla": SLAS,
    "revenue": (False, True),
    "reputation": (False, True),
    "ongoing": (True, False),
}
_IN_WORDS = {
    "users_percent": "the share of users",
    "feature": "the feature",
    "data_risk": "the risk to data",
    "slo": "the state of the SLO",
    "sla": "the state of the SLA",
    "revenue": "the loss of revenue",
    "reputation": "the harm to the reputation",
    "ongoing": "whether it still happens",
}
_Possible = dict[str, tuple[Any, ...]]
"""Question -> every answer that fits what is known."""
_Test = tuple[str | None, list[tuple[str, list[Any]]]]
"""The share of users that a rule asks for, and the answers to other questions that meet it."""


class OpenQuestion(NamedTuple):
    """A question nobody answered: the answer that would make it worse, in words, and the level it would lead to."""

    question: str
    answer: str
    level: str
    major: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The level given, and the rule that gave it (from 1); None where no rule holds by the answers alone.

    `assumption` says what the level takes for granted, "" where nothing. `reason` is the whole reason in words.
    `worst` is what the level may become once the rest is known, `open` which answers lead to a worse one.
    """

    level: str
    major: str | None
    rule_number: int | None
    rule_text: str | None
    assumption: str
    reason: str
    worst: str
    open: tuple[OpenQuestion, ...]

    @property
    def assumed(self) -> bool:
        """True where an answer that the level rests on is missing, or the playbook leaves the case open."""
        return bool(self.assumption)


class _Outcome(NamedTuple):
    """What answers lead to. `rule` is the one that counts; `holds` where it does so by the answers alone."""

    rule: TriageRule
    holds: bool
    rank: int
    major: str | None
    worst: TriageRule
    differs: bool


def triage_answers(given: Mapping[str, Any]) -> Triage:
    """Answers by the names of the questions; a whole share of users is a whole number."""
    share = given.get("users_percent")
    return Triage(
        **{**given, "users_percent": int(share)} if isinstance(share, float) and share.is_integer() else given
    )


def users_answer(text: str) -> float | int | str | None:
    """A share of users as people say it: `all`, `60`, `60 %`, `>50%`, `<10`; None for `unknown`.

    ValueError for anything else.
    """
    said = text.strip().lower()
    if said in ("all", "unknown"):
        return 100 if said == "all" else None
    matched = _ANSWER.fullmatch(said)
    if matched is None or not 0 <= float(matched[2]) <= 100:
        raise ValueError(f"{text!r} is not a share of users: all, >50, <10, or a number from 0 to 100")
    share = float(matched[2])
    number = int(share) if share.is_integer() else share
    return f"{matched[1]}{number:g}" if matched[1] else number


def is_any_answered(answers: Triage) -> bool:
    """True where a question that may decide has an answer; the category of a symptom decides nothing."""
    return any(_is_answered(answers, name) for name in _CONDITION)


def questions(policy: Policy) -> tuple[str, ...]:
    """The questions to ask people: those of every playbook, and those that the rules of this policy ask."""
    asked_of_all = {*_CONDITION} - {"slo", "sla"}
    return tuple(name for name in _CONDITION if name in asked_of_all or _can_decide(policy, name))


def worst_tier(names: Iterable[str], services: Mapping[str, Service]) -> int | None:
    """The tier of the most critical of these services; None where none of them has one."""
    known = (services[name].tier for name in names if name in services)
    return min((tier for tier in known if tier is not None), default=None)


def rules_by_tier(policy: Policy) -> tuple[int, ...]:
    """The rules that ask for the tier of the service, counted from 1."""
    return tuple(number for number, rule in enumerate(policy.triage.rules, 1) if rule.when.tier is not None)


def decide_level(asked: Policy, answers: Triage, tier: int | None = None) -> Decision:
    """The level for these answers, of a service of this tier. UserError where no rule matches, or a rule names a
    foreign level."""
    policy = _of_tier(asked, tier)
    found = _outcome(policy, answers)
    number = asked.triage.rules.index(found.rule) + 1 if found.holds else None
    unknown = _not_known(policy, answers, found) if found.differs or not found.holds else ""
    assumption = unknown or ("the playbook leaves this case open" if found.rule.assumed else "")
    text = rule_in_words(found.rule)
    reason = f"rule {number}: {text}" if found.holds else _without_a_rule(policy, unknown)
    if answers.reputation and not _can_decide(policy, "reputation"):
        reason += "; the reputation is at risk, which no rule asks for"
    questions = tuple(_open_questions(policy, answers, found)) if policy.triage.unknown != WORST else ()
    return Decision(
        level=found.rule.level,
        major=found.major,
        rule_number=number,
        rule_text=text if found.holds else None,
        assumption=assumption,
        reason=reason,
        worst=_worst(policy, answers, found).level,
        open=questions,
    )


def answers_meet(policy: Policy, when: When, answers: Triage) -> bool:
    """True where all that a condition asks was answered, and every answer meets it; what is not answered meets none."""
    alone = msgspec.structs.replace(policy.triage, rules=[TriageRule(when=when, level="")])
    asking = msgspec.structs.replace(policy, triage=alone)
    (_, wanted), *_ = _tests(asking)
    is_met = all(getattr(answers, name) in values for name, values in wanted)
    return is_met and (not _asked(when) or _holds(asking, when, answers, is_only_one=False))


def rule_in_words(rule: TriageRule) -> str:
    """A rule in words, e.g. `all users and core feature -> SEV0 (rule table)`."""
    level = f"{rule.level} and {rule.major}" if rule.major else rule.level
    words = f"{conditions_in_words(rule.when) or 'anything else'} -> {level}"
    remarks = [rule.source or "", "assumed" if rule.assumed else ""]
    text = "; ".join(remark for remark in remarks if remark)
    return f"{words} ({text})" if text else words


def cells(policy: Policy) -> Iterator[Triage]:
    """Every combination of answers, with shares of users on and between the limits of the rules."""
    names = [name for name in _CONDITION if name != "users_percent"]
    for share, *values in itertools.product(_shares(policy), *(_VALUES[name] for name in names)):
        yield Triage(users_percent=share, **dict(zip(names, values, strict=True)))


def unreached(policy: Policy) -> list[Triage]:
    """The combinations of answers that no rule matches where no tier is known."""
    tests = _tests(_of_tier(policy, None))
    return [cell for cell in cells(policy) if _first_match(tests, cell) is None]


def describe(answers: Triage) -> str:
    """Answers in words, e.g. `30 % of users, secondary feature, data risk none, SLO ok, SLA ok`."""
    words = [share_in_words(answers.users_percent)]
    words += [f"{answers.feature} feature", f"data risk {answers.data_risk}", f"SLO {answers.slo}"]
    words += [f"SLA {answers.sla}"]
    words += ["revenue lost"] * bool(answers.revenue) + ["reputation hurt"] * bool(answers.reputation)
    return ", ".join(words + ["over"] * (answers.ongoing is False))


def share_in_words(share: object) -> str:
    """An answer about users in words: `30 % of users`, `more than 50 % of users`, `an unknown share of users`."""
    if isinstance(share, int | float):
        return f"{share:g} % of users"
    return _share_words(share) if isinstance(share, str) and _limits(share) else "an unknown share of users"


def _of_tier(policy: Policy, tier: int | None) -> Policy:
    """The policy with the rules alone that hold for a service of this tier."""
    if not rules_by_tier(policy):
        return policy
    rules = [rule for rule in policy.triage.rules if rule.when.tier is None or tier in _tiers(rule.when)]
    return msgspec.structs.replace(policy, triage=msgspec.structs.replace(policy.triage, rules=rules))


def _tiers(when: When) -> list[int]:
    return when.tier if isinstance(when.tier, list) else [] if when.tier is None else [when.tier]


def _outcome(policy: Policy, answers: Triage) -> _Outcome:
    """The rule that counts for these answers, by what the policy says of those that are missing."""
    reached = _reached(policy, answers)
    ranks = {number: _rank(policy, rule) for number, rule in reached.items()}
    cautious = policy.triage.unknown == CAUTIOUS
    holds = {number: _holds(policy, rule.when, answers, len(reached) == 1) for number, rule in reached.items()}
    wanted = (max if policy.triage.unknown == MILDEST else min)(ranks.values())
    certain = {*ranks.values()} == {wanted} or any(holds[number] for number in reached if ranks[number] == wanted)
    below = sorted(level.rank for level in policy.levels)[:2]
    if cautious and wanted == below[0] and not certain:
        wanted = below[-1]
    number = min(((not holds[number], number) for number in reached if ranks[number] == wanted), default=(True, 0))[1]
    rule = reached.get(number) or TriageRule(when=When(), level=policy.labels[1])
    worst = reached[min(ranks, key=lambda one: (ranks[one], one))]
    differs = len({one.level for one in reached.values()}) > 1
    return _Outcome(
        rule=rule,
        holds=holds.get(number, False),
        rank=wanted,
        major=rule.major if holds.get(number) or not cautious else None,
        worst=worst,
        differs=differs,
    )


def _reached(policy: Policy, answers: Triage) -> dict[int, TriageRule]:
    """Every rule that decides for some answers that fit, by number."""
    reached: dict[int, TriageRule] = {}
    tests = _tests(policy)
    for case in _cases(_possible(policy, answers)):
        number = _first_match(tests, case)
        if number is None:
            raise UserError(
                f"no triage rule matches {describe(case)}",
                hint="run `incident-ops policy lint`, or add a last rule with `when: {}`",
            )
        reached[number] = policy.triage.rules[number - 1]
    return reached


def _possible(policy: Policy, answers: Triage) -> _Possible:
    """The answers that fit; a question that no rule asks has one."""
    possible: _Possible = {"users_percent": _fitting_shares(policy, answers.users_percent)}
    for name, values in _VALUES.items():
        given = getattr(answers, name)
        if given is not None:
            possible[name] = (given,)
        elif name not in _varied_questions(policy):
            possible[name] = (_HARMLESS[name],)
        elif not _can_decide(policy, name):
            possible[name] = (values[0],)
        else:
            possible[name] = FEATURES[:2] if name == "feature" and policy.triage.unknown == MILDEST else values
    return possible


def _varied_questions(policy: Policy) -> tuple[str, ...]:
    """The questions that take every value where nobody answered them."""
    return tuple(_CONDITION) if policy.triage.unknown == WORST else ("users_percent", "feature")


def _cases(possible: _Possible) -> Iterator[Triage]:
    for values in itertools.product(*possible.values()):
        yield Triage(**dict(zip(possible, values, strict=True)))


def _is_answered(answers: Triage, question: str) -> bool:
    return getattr(answers, question) not in (None, "unknown")


def _can_decide(policy: Policy, question: str) -> bool:
    """True where a rule asks this question."""
    return any(getattr(rule.when, _CONDITION[question]) is not None for rule in policy.triage.rules)


def _asked(when: When) -> list[str]:
    """The questions that a rule asks."""
    return [name for name, condition in _CONDITION.items() if getattr(when, condition) is not None]


def _holds(policy: Policy, when: When, answers: Triage, is_only_one: bool) -> bool:
    """True where all that a rule asks was answered, and the answers meet it; or where no other rule can decide,
    whatever the answers to what it asks are. A rule that asks nothing needs the second."""
    unanswered = [name for name in _asked(when) if not _is_answered(answers, name)]
    if is_only_one:
        return all(name in _varied_questions(policy) for name in unanswered)
    shares = _fitting_shares(policy, answers.users_percent)
    return bool(_asked(when)) and not unanswered and all(_share_matches(when.users_pct, share) for share in shares)


def _open_questions(policy: Policy, answers: Triage, found: _Outcome) -> Iterator[OpenQuestion]:
    """The questions of which one answer alone leads to a worse level, or makes it a major incident."""
    for name in _CONDITION:
        values = _fitting_shares(policy, answers.users_percent) if name == "users_percent" else _VALUES[name]
        is_open = not _is_answered(answers, name) or (name == "users_percent" and len(values) > 1)
        if not is_open or not _can_decide(policy, name):
            continue
        said = ((value, _outcome(policy, msgspec.structs.replace(answers, **{name: value}))) for value in values)
        worse = [(one.rank, value, one) for value, one in said if _is_worse(policy, one, found)]
        if worse:
            _, value, one = min(worse, key=lambda case: case[0])
            yield OpenQuestion(name, _answer_in_words(name, value, one), one.rule.level, one.major)


def _is_worse(policy: Policy, one: _Outcome, other: _Outcome) -> bool:
    majors = [*policy.major_labels, None]
    return (one.rank, majors.index(one.major)) < (other.rank, majors.index(other.major))


def _answer_in_words(question: str, value: Any, found: _Outcome) -> str:
    """An answer as the rule that then decides asks for it, e.g. `all users` for 100."""
    condition = _CONDITION[question]
    asked = getattr(found.rule.when, condition)
    if asked is not None:
        return conditions_in_words(When(**{condition: asked}))
    return share_in_words(value) if question == "users_percent" else conditions_in_words(When(**{condition: value}))


def _worst(policy: Policy, answers: Triage, found: _Outcome) -> TriageRule:
    """The rule that decides in the worst case, whatever the missing answers are."""
    if policy.triage.unknown == WORST:
        return found.worst
    everything = msgspec.structs.replace(policy.triage, unknown=WORST)
    return _outcome(msgspec.structs.replace(policy, triage=everything), answers).worst


def _without_a_rule(policy: Policy, unknown: str) -> str:
    """The reason where no rule holds by the answers alone."""
    if policy.triage.unknown == MILDEST:
        return f"{unknown}, so the mildest level that fits counts"
    limit = f" ({policy.labels[0]} only where the answers say so)" if policy.triage.unknown == CAUTIOUS else ""
    return f"{unknown}, so the worst level that fits counts{limit}"


def _not_known(policy: Policy, answers: Triage, found: _Outcome) -> str:
    """What the level takes for granted, e.g. `the share of users and the feature are not known`."""
    deciding = {name for name in _varied_questions(policy) if _can_decide(policy, name)} | {*_asked(found.rule.when)}
    words = [_IN_WORDS[name] for name in _CONDITION if name in deciding and not _is_answered(answers, name)]
    if _is_answered(answers, "users_percent") and len(_fitting_shares(policy, answers.users_percent)) > 1:
        words = ["the exact share of users", *words]
    if not words:
        return ""
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"{listed} {'is' if len(words) == 1 else 'are'} not known"


def _tests(policy: Policy) -> list[_Test]:
    """What each rule of a policy asks, found out once for many answers."""
    tests: list[_Test] = []
    for rule in policy.triage.rules:
        asked = [(name, getattr(rule.when, name)) for name in _asked(rule.when) if name in _VALUES]
        wanted = [(name, value if isinstance(value, list) else [value]) for name, value in asked]
        tests.append((rule.when.users_pct, wanted))
    return tests


def _first_match(tests: list[_Test], answers: Triage) -> int | None:
    for number, (users_pct, wanted) in enumerate(tests, 1):
        if all(getattr(answers, name) in values for name, values in wanted) and _share_matches(
            users_pct, answers.users_percent
        ):
            return number
    return None


def _limits(users_pct: str) -> list[tuple[str, float]]:
    """`>= 10 and < 50` -> [(">=", 10), ("<", 50)]; for `all`, almost all are enough."""
    return (
        [(">=", ALL_USERS_FROM)]
        if users_pct == "all"
        else [(sign, float(value)) for sign, value in _COMPARISON.findall(users_pct)]
    )


def _share_matches(users_pct: str | None, share: object) -> bool:
    if users_pct is None:
        return True
    if not isinstance(share, int | float):
        return False
    return all(_COMPARE[sign](share, limit) for sign, limit in _limits(users_pct))


def _fitting_shares(policy: Policy, answer: object) -> tuple[float, ...]:
    """The shares of users that fit an answer: that very number, those of a range such as `>50`, or all."""
    if isinstance(answer, int | float):
        return (answer,)
    if not isinstance(answer, str) or not _limits(answer):
        return tuple(_shares(policy))
    return tuple(share for share in _shares(policy, answer) if _share_matches(answer, share))


def _shares(policy: Policy, answer: str = "") -> list[float]:
    """Shares of users on and between all limits of the rules, and of an answer, from 0 to 100."""
    conditions = [rule.when.users_pct for rule in policy.triage.rules if rule.when.users_pct]
    limits = {limit for text in (*conditions, answer) for _, limit in _limits(text)}
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


def conditions_in_words(when: When) -> str:
    """What a rule asks for, e.g. `all users and core feature`; "" where it asks nothing."""
    words = [_share_words(when.users_pct)] if when.users_pct else []
    if when.feature:
        words.append("cosmetic only" if when.feature == "cosmetic" else f"{_any_of(when.feature)} feature")
    if when.data_risk:
        words.append("no data at risk" if when.data_risk == "none" else f"data {_any_of(when.data_risk)}")
    if when.slo:
        words.append(f"SLO {_any_of(when.slo)}")
    if when.sla:
        words.append("SLA violation imminent" if when.sla == "imminent" else f"SLA {_any_of(when.sla)}")
    answers = (
        (when.revenue, "revenue lost", "no revenue lost"),
        (when.reputation, "reputation hurt", "reputation not hurt"),
        (when.ongoing, "still happening", "over"),
    )
    words += [yes if wanted else no for wanted, yes, no in answers if wanted is not None]
    if when.tier is not None:
        words.append(f"a service of tier {_any_of([*map(str, _tiers(when))])}")
    return " and ".join(words)


def _any_of(words: str | list[str]) -> str:
    if isinstance(words, str):
        return words
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _share_words(users_pct: str) -> str:
    if users_pct == "all":
        return "all users"
    spoken = {">": "more than {} %", ">=": "{} % or more", "<": "fewer than {} %", "<=": "{} % or fewer"}
    return " and ".join(spoken[sign].format(f"{limit:g}") for sign, limit in _limits(users_pct)) + " of users"
