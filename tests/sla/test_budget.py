"""The error budget: in time and in requests, and how fast it burns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import REQUEST_BUDGET, Objective
from incident_ops.domain.policy_sections import BurnRate
from incident_ops.domain.time import stamp
from incident_ops.records.policy import load_policy
from incident_ops.sla.error_budget import Budget, allowed, burn_rate, burning, request_budget, status_line, time_budget

NOW = datetime(2025, 2, 1, tzinfo=UTC)
DAY = 86_400
MONTHLY = Objective(99.9, 30 * DAY)


def incident(begin: datetime | None = None, minutes: float | None = None, **fields: Any) -> Incident:
    """An incident whose impact began at `begin` and lasted `minutes`; None = it goes on."""
    begin = begin or NOW - timedelta(days=10)
    times = {"declared": stamp(begin), "started": stamp(begin)}
    if minutes is not None:
        times["restored"] = stamp(begin + timedelta(minutes=minutes))
    given = {"id": "INC-1", "title": "t", "services": ["api"], "state": "in_progress", "times": times, **fields}
    return msgspec.convert(given, Incident)


def test_the_playbooks_example_is_exhausted_by_1_8_minutes() -> None:
    """R209, R210: 99.9 % of 30 days = 43.2 min, 45 used, over by 1.8, 100 % consumed."""
    budget = time_budget([incident(minutes=20, impact={"budget_minutes": 45})], MONTHLY, NOW)
    assert (budget.allowed, budget.used, budget.over, budget.left) == (43.2, 45, 1.8, 0)
    assert budget.is_exhausted
    assert status_line(budget).startswith("Monthly budget exhausted")


def test_without_a_told_figure_the_impact_counts() -> None:
    """C18: restored - started, 20 minutes of the same incident."""
    budget = time_budget([incident(minutes=20)], MONTHLY, NOW)
    assert (budget.used, budget.left, budget.is_exhausted, budget.is_running) == (20, 23.2, False, False)
    assert status_line(budget) == "Monthly budget: 23.2 of 43.2 min left"


def hurt(service: str, begin: int, end: int | None) -> dict[str, str]:
    """A service that was hurt, in minutes from when the impact of `incident()` begins."""
    start = NOW - timedelta(days=10)
    window = {"service": service, "degree": "partial", "from": stamp(start + timedelta(minutes=begin))}
    return window if end is None else {**window, "to": stamp(start + timedelta(minutes=end))}


@pytest.mark.parametrize(
    ("service", "windows", "used"),
    [
        ("api", [hurt("api", 5, 10), hurt("api", 20, 25)], 10),
        ("api", [hurt("api", 5, 15), hurt("api", 10, 20)], 15),
        ("api", [hurt("api", 90, None)], 10),
        ("api", [hurt("api", -20, 0)], 20),
        ("web", [hurt("api", 5, 10)], 100),
        (None, [hurt("api", 5, 10)], 100),
    ],
)
def test_a_service_uses_the_time_that_it_was_hurt(service: str | None, windows: list[Any], used: float) -> None:
    """Shared minutes count once; an open entry ends with the incident; who is not named was hurt all along."""
    budget = time_budget([incident(minutes=100, impact={"services": windows})], MONTHLY, NOW, service)
    assert budget.used == used


@pytest.mark.parametrize(
    ("mode", "allowed", "used", "line"),
    [
        ("time", 43.2, 45.016667, "Monthly budget exhausted: 45.1 of 43.2 min, 1.9 over"),
        ("time", 43.2, 45, "Monthly budget exhausted: 45 of 43.2 min, 1.8 over"),
        ("time", 20.16, 20.16, "Monthly budget exhausted: 20.2 of 20.2 min"),
        ("time", 43.2, 43.21, "Monthly budget exhausted: 43.3 of 43.2 min, 0.1 over"),
        ("time", 43.2, 43.19, "Monthly budget: under 0.1 of 43.2 min left"),
        ("time", 43.2, 20.01, "Monthly budget: 23.1 of 43.2 min left"),
        (
            "requests",
            1_000_000.0,
            2_500_000.0,
            "Monthly budget exhausted: 2500000 of 1000000 failed requests, 1500000 over",
        ),
    ],
)
def test_figures_have_one_decimal_and_nothing_spent_looks_unspent(
    mode: str, allowed: float, used: float, line: str
) -> None:
    assert status_line(Budget(mode, 30 * DAY, allowed, used)) == line


@pytest.mark.parametrize(("minutes", "exhausted"), [(43.0, False), (43.2, True), (44.0, True)])
def test_it_is_exhausted_once_all_of_it_is_used(minutes: float, exhausted: bool) -> None:
    assert time_budget([incident(minutes=minutes)], MONTHLY, NOW).is_exhausted is exhausted


def test_shared_minutes_count_once_and_old_ones_not_at_all() -> None:
    begin = NOW - timedelta(days=3)
    pair = [incident(begin, 30), incident(begin + timedelta(minutes=10), 30)]
    assert time_budget(pair, MONTHLY, NOW).used == 40
    across = incident(NOW - timedelta(days=30, minutes=5), 15)
    assert time_budget([across], MONTHLY, NOW).used == 10
    assert time_budget([incident(NOW - timedelta(days=40), 500)], MONTHLY, NOW).used == 0
    assert time_budget([incident(NOW - timedelta(days=40), 5, impact={"budget_minutes": 45})], MONTHLY, NOW).used == 0


def test_impact_that_goes_on_counts_to_now() -> None:
    budget = time_budget([incident(NOW - timedelta(minutes=7))], MONTHLY, NOW)
    assert (budget.used, budget.is_running) == (7, True)


def test_what_is_not_known_is_bounded_by_what_is() -> None:
    """No start: the first sign of it. No restoring: the resolution, the closing."""
    times = {
        "declared": "2025-01-20T10:20:00Z",
        "started": "unknown",
        "detected": "2025-01-20T10:15:00Z",
        "restored": "unknown",
        "resolved": "2025-01-20T10:45:00Z",
    }
    assert time_budget([incident(times=times)], MONTHLY, NOW).used == 30


def test_later_cycles_count_from_the_reopening() -> None:
    cycle = {"reopened": "2025-01-25T10:00:00Z", "restored": "2025-01-25T10:12:00Z"}
    assert time_budget([incident(minutes=20, cycles=[cycle])], MONTHLY, NOW).used == 32


@pytest.mark.parametrize("fields", [{"drill": True}, {"outcome": "false_alarm"}, {"duplicate_of": "INC-2"}])
def test_what_is_no_real_incident_uses_nothing(fields: dict[str, Any]) -> None:
    assert time_budget([incident(minutes=500, **fields)], MONTHLY, NOW).used == 0


@pytest.mark.parametrize(("failed", "exhausted"), [(999, False), (1000, True), (2500, True)])
def test_in_requests_failed_ones_count(failed: int, exhausted: bool) -> None:
    """C19: 0.1 % of 1,000,000 requests may fail."""
    told = incident(minutes=20, impact={"failed_requests": failed})
    budget = request_budget([told], MONTHLY._replace(mode=REQUEST_BUDGET), NOW, 1_000_000)
    assert (budget.allowed, budget.used, budget.is_exhausted) == (1000, failed, exhausted)
    assert budget.unknown == ()


def test_in_requests_an_unknown_count_is_said() -> None:
    budget = request_budget([incident(minutes=20)], MONTHLY._replace(mode=REQUEST_BUDGET), NOW, 1_000_000)
    assert (budget.used, budget.unknown) == (0, ("INC-1",))


def test_an_objective_of_100_percent_allows_nothing() -> None:
    every = Objective(100, 30 * DAY)
    assert not time_budget([], every, NOW).is_exhausted
    assert time_budget([incident(minutes=1)], every, NOW).is_exhausted
    assert burn_rate([incident(NOW - timedelta(minutes=1))], every, NOW, 3600) == float("inf")
    assert burn_rate([], every, NOW, 3600) == 0


def rates() -> list[BurnRate]:
    loaded = load_policy("extends: p0-p3\n")
    assert loaded.policy is not None
    return loaded.policy.gate.burn_rates


def test_the_four_rates_of_the_field_are_in_every_preset() -> None:
    """14.4, 6, 3, 1: 2, 5, 10 and 10 % of a 30-day budget within the long window."""
    assert [(one.rate, one.long, one.short) for one in rates()] == [
        (14.4, "1h", "5m"),
        (6, "6h", "30m"),
        (3, "1d", "2h"),
        (1, "3d", "6h"),
    ]


@pytest.mark.parametrize(
    ("begin", "minutes", "rate"),
    [
        (1, None, 14.4),  # one minute of the last hour is 16.7 times the even pace
        (30, 1, None),  # it was so, and is over: the short window is clean
        (100, 80, 6),  # over for 20 minutes: 80 of 360, and 10 of the last 30
        (0.01, None, None),  # too little for any of them
    ],
)
def test_both_windows_must_burn(begin: float, minutes: float | None, rate: float | None) -> None:
    found = burning([incident(NOW - timedelta(minutes=begin), minutes)], MONTHLY, NOW, rates())
    assert (found.rate if found else None) == rate


@given(st.floats(1, 99.999).map(lambda pct: round(pct, 3)), st.integers(0, 10**9))
def test_what_is_allowed_is_never_more_than_there_is(pct: float, total: int) -> None:
    assert 0 <= allowed(Objective(pct, DAY), total) <= total


@given(st.lists(st.tuples(st.integers(0, 60 * 24 * 40), st.integers(1, 3000)), max_size=6))
def test_more_incidents_never_use_less_and_never_more_than_the_window(given_spans: list[tuple[int, int]]) -> None:
    """A law: the minutes used are at most the window's, and grow with every incident."""
    used = 0.0
    incidents: list[Incident] = []
    for ago, minutes in given_spans:
        incidents.append(incident(NOW - timedelta(minutes=ago), minutes))
        now_used = time_budget(incidents, MONTHLY, NOW).used
        assert used <= now_used <= 30 * 24 * 60
        used = now_used
