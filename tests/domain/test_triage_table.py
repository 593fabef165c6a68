"""docs/triage.md: the level of every combination of answers, in every preset. `make goldens` writes the page."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_ops.domain.incident import Triage
from incident_ops.domain.policy import Policy
from incident_ops.domain.triage import cells, decide_level
from incident_ops.resources import preset_names
from tests.support.golden import assert_golden
from tests.support.policies import policy

PAGE = Path(__file__).resolve().parents[2] / "docs/triage.md"
HARMLESS = Triage(data_risk="none", slo="ok", sla="ok", revenue=False, reputation=False, ongoing=True)
FEATURES: tuple[str | None, ...] = ("core", "secondary", "cosmetic", None)
OTHERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("data loss, corruption or breach", {"data_risk": "loss"}),
    ("SLO approaching", {"slo": "approaching"}),
    ("SLO violated", {"slo": "violated"}),
    ("SLA violation imminent", {"sla": "imminent"}),
    ("revenue lost", {"revenue": True}),
    ("reputation at risk", {"reputation": True}),
    ("over", {"ongoing": False}),
)
SAME = "no change"
INTRODUCTION = """# Which answers lead to which level

`incident-ops triage` asks, and names the rule that decided. Here is every combination in each preset. A star marks what
is assumed: an answer is missing, or the playbook leaves the case open. Below each table is what one more bad answer
makes of it; one that is not listed changes nothing. Of several the worst level counts. What a missing answer counts as:
`triage.unknown` of [the policy](policy.md#levels-and-triage).
"""


@cache
def spoken(name: str, answers: Triage) -> str:
    """The level for these answers in a preset, with a star where it is assumed."""
    decision = decide_level(policy(name), answers)
    major = f" + {decision.major}" if decision.major else ""
    return f"{decision.level}{major}{'*' if decision.assumed else ''}"


def row_of(name: str, answers: Triage) -> tuple[str, ...]:
    return tuple(spoken(name, msgspec.structs.replace(answers, feature=feature)) for feature in FEATURES)


def shares(judge: Policy) -> list[float]:
    return sorted({float(one.users_percent) for one in cells(judge) if isinstance(one.users_percent, int | float)})


def bands(name: str, answers: Triage) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Shares of users that lead to the same levels, in words, and those levels. Every second share is a limit."""
    every = shares(policy(name))
    known = [
        (number, share, row_of(name, msgspec.structs.replace(answers, users_percent=share)))
        for number, share in enumerate(every)
    ]
    for levels, group in itertools.groupby(known, key=lambda one: one[2]):
        (first, low, _), *_, (last, high, _) = [*(same := list(group)), same[-1]]
        begins = "" if low == 0 else f"{low:g} % or more" if first % 2 == 0 else f"more than {every[first - 1]:g} %"
        ends = "" if high == 100 else f"up to {high:g} %" if last % 2 == 0 else f"under {every[last + 1]:g} %"
        yield ", ".join(filter(None, (begins, ends))) or "any", levels


def table(head: str, rows: list[tuple[str, tuple[str, ...]]]) -> str:
    columns = (head, "core feature", "secondary", "cosmetic only", "not known")
    lines = [columns, ("---",) * len(columns), *((name, *levels) for name, levels in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def changes(name: str, more: dict[str, Any]) -> tuple[str, ...]:
    """What another answer makes of the first table, a feature each."""
    found = []
    for feature in FEATURES:
        places = [{"feature": feature, "users_percent": share} for share in (*shares(policy(name)), None)]
        levels = [spoken(name, msgspec.structs.replace(HARMLESS, **place, **more)) for place in places]
        same = levels == [spoken(name, msgspec.structs.replace(HARMLESS, **place)) for place in places]
        found.append(SAME if same else " or ".join(dict.fromkeys(levels)))
    return tuple(found)


def section(name: str) -> str:
    first = [*bands(name, HARMLESS), ("not known", row_of(name, HARMLESS))]
    second = [(words, changes(name, more)) for words, more in OTHERS]
    alike = [f"- {words}: {levels[0]}\n" for words, levels in second if {*levels} == {levels[0]} != {SAME}]
    others = [(words, levels) for words, levels in second if len({*levels}) > 1]
    more = f"\n{table('and', others)}" if others else ""
    return f"## {name}\n\n{table('users affected', first)}\n{''.join(alike)}{more}"


@pytest.mark.slow
def test_the_page_has_the_level_of_every_combination_of_answers() -> None:
    assert_golden(PAGE, "\n".join([INTRODUCTION, *(section(name) for name in preset_names())]))


@pytest.mark.parametrize("name", preset_names())
def test_of_several_bad_answers_the_worst_counts(name: str) -> None:
    """So the page, which has one at a time, speaks of all cells."""
    judge = policy(name)
    ladder = judge.labels

    @cache
    def place_of(answers: Triage) -> int:
        return ladder.index(decide_level(judge, answers).level)

    for cell in cells(judge):
        place = {"users_percent": cell.users_percent, "feature": cell.feature}
        single = [msgspec.structs.replace(HARMLESS, **place)]
        for field in ("data_risk", "slo", "sla", "revenue", "reputation", "ongoing"):
            single.append(msgspec.structs.replace(single[0], **{field: getattr(cell, field)}))
        assert place_of(cell) == min(place_of(one) for one in single), cell
