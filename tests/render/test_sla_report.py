"""The compliance report and the backtest as people and programs read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Unread
from incident_ops.render import backtest as shown_backtest
from incident_ops.render import sla_report
from incident_ops.render.text import columns
from incident_ops.sla.backtest import Backtest, compare_policies
from incident_ops.sla.compliance import EXCLUSIONS, Compliance, Period, compliance
from tests.sla.escalating import NO_WAITING, START, at, incident, moved, note, policy, record, text
from tests.support.golden import assert_golden

GOLDEN = Path(__file__).parent / "golden"
LOST = Unread("incidents/INC-9/incident.yaml", "incidents/INC-9/incident.yaml: line 3: not YAML")
HOSTILE = "web|<b>@team</b>\x1b[31m"
RULES = policy(
    extra=NO_WAITING + 'levels:\n- {id: P2, update: {internal: 1h}}\ncontacts: {roles: {on_call: ["@ann"]}}\n'
)
OTHER = policy(
    extra=NO_WAITING + "levels:\n- {id: P2, escalate_at: 1h, stagnation: 10h, resolution: 4h}\n"
    'contacts: {roles: {on_call: ["@ann"]}, tiers: {tier-2: ["@lead"]}}\n'
)


def over(name: str, resolved: str, **fields: Any) -> Incident:
    times = {"acknowledged": "5m", "restored": resolved, "resolved": resolved}
    changes = [moved("5m", "new", "in_progress"), moved(resolved, "in_progress", "resolved")]
    return incident(times, **{"id": name, "state": "resolved", "changes": changes, **fields})


def history() -> list[Incident]:
    key = f"INC-1/activity/1/stagnation.{text('5m')}"
    entry = {"at": text("4h5m"), "key": key, "rule": "stagnation", "reason": "r", "noticed_at": text("6h")}
    return [
        over("INC-1", "5h", services=["api"], escalations=[{**entry, "appropriate": False}]),
        over("INC-2", "9h", services=["api", HOSTILE], timeline=[note("3h"), note("6h")]),
        over("INC-3", "30m", drill=True),
        over("INC-4", "3h", priority="P1", timeline=[note("1h")]),
        incident(id="INC-5", action_items=[{"id": "AI-1", "title": "t", "due": "2025-01-22"}]),
    ]


def report(by: str = "service") -> Compliance:
    return compliance(map(record, history()), RULES, at("40h"), Period(START, START + timedelta(days=9)), by, [LOST])


def comparison() -> Backtest:
    return compare_policies(map(record, history()), RULES, OTHER, at("40h"), START, [LOST])


SHAPES: list[tuple[str, Callable[[], str]]] = [
    ("sla_report.txt", lambda: sla_report.to_text(report())),
    ("sla_report.md", lambda: sla_report.to_markdown(report())),
    ("sla_report.json", lambda: sla_report.to_json(report())),
    ("sla_backtest.txt", lambda: shown_backtest.to_text(comparison())),
    ("sla_backtest.json", lambda: shown_backtest.to_json(comparison())),
]


@pytest.mark.parametrize(("name", "made"), SHAPES, ids=[name for name, _ in SHAPES])
def test_the_report_reads_as_approved(name: str, made: Callable[[], str]) -> None:
    """Twice the same bytes, and those of the golden file."""
    shown = made()
    assert shown == made()
    assert_golden(GOLDEN / name, shown)


@pytest.mark.parametrize("name", ["sla_report.txt", "sla_backtest.txt"])
def test_lines_fit_a_terminal_and_cannot_steer_it(name: str) -> None:
    shown = dict(SHAPES)[name]()
    assert max(columns(line) for line in shown.splitlines()) <= 80
    assert "\x1b" not in shown


def test_markdown_pings_nobody() -> None:
    shown = dict(SHAPES)["sla_report.md"]()
    assert "@team" not in shown
    assert "<b>" not in shown
    assert "\x1b" not in shown


def test_markdown_has_the_whole_name_of_a_service() -> None:
    name = "a-service-with-a-long-name"
    made = compliance([record(over("INC-1", "5h", services=[name]))], RULES, at("40h"), Period(None, None), "service")
    assert f"| {name} |" in sla_report.to_markdown(made)


def test_a_mean_never_stands_alone() -> None:
    """Wherever a mean is told, n, median and p90 are told with it."""
    data = json.loads(dict(SHAPES)["sla_report.json"]())
    spreads = [one["seconds"] for group in [{"clocks": data["total"]}, *data["groups"]] for one in group["clocks"]]
    assert [list(one) for one in spreads if one] == [["n", "median", "p90", "mean"]] * sum(map(bool, spreads))
    assert any(spreads)
    head = next(line for line in dict(SHAPES)["sla_report.txt"]().splitlines() if "MEAN" in line)
    assert head.split() == ["CLOCK", "N", "MET", "MISSED", "KEPT", "MEDIAN", "P90", "MEAN"]


def test_an_empty_history_says_so() -> None:
    empty = compliance([], RULES, at("1h"))
    assert "No clock to report on." in sla_report.to_text(empty)
    assert "0 incidents" in sla_report.to_markdown(empty)
    nothing = compare_policies([], RULES, OTHER, at("1h"))
    assert "Breaches: none under either policy." in shown_backtest.to_text(nothing)


def test_long_lists_are_cut_and_the_rest_is_counted() -> None:
    """JSON has them all."""
    many = [record(structs.replace(over("INC-2", "9h"), id=f"INC-{number}")) for number in range(1, 31)]
    late = compliance(many, RULES, at("40h"))
    assert len(late.late) == 60
    assert "and 40 more; --format json lists all" in sla_report.to_text(late)
    assert "and 40 more; --format json lists all" in sla_report.to_markdown(late)
    assert len(json.loads(sla_report.to_json(late))["late"]) == 60
    differs = shown_backtest.to_text(compare_policies(many, RULES, OTHER, at("40h")))
    assert "more; --format json lists all" in differs


def test_the_page_explains_every_reason_and_every_sign() -> None:
    """docs/sla.md names each reason of what does not count, and each sign of the table of differences."""
    page = (Path(__file__).resolve().parents[2] / "docs/sla.md").read_text(encoding="utf-8")
    signs = ("+ breach", "- breach", "+ escalate", "- escalate", "~ moved", "~ people")
    assert [one for one in (*sla_report.REASONS, *signs) if f"`{one}`" not in page] == []


def test_every_reason_has_words() -> None:
    """Each one the outcomes know is told in words."""
    assert set(sla_report.REASONS) == EXCLUSIONS
