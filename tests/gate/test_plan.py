"""What traffic can decide: the figures of canary.md section 6."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.errors import UserError
from incident_ops.gate.plan_traffic import Traffic, Wanted, plan
from incident_ops.model.time import duration

ASKED = Wanted(2.0, 0.01, 0.05, 600.0)


@pytest.mark.parametrize(
    ("rate", "canary_rps", "least"),
    [
        (0.0005, 1, 17.6), (0.0005, 10, 4.3), (0.0005, 100, 1.84), (0.0005, 1000, 1.24),
        (0.005, 1, 4.3), (0.005, 10, 1.83), (0.005, 100, 1.24), (0.005, 1000, 1.07),
        (0.02, 1, 2.4), (0.02, 10, 1.39), (0.02, 100, 1.12), (0.02, 1000, 1.04),
    ],
)  # fmt: skip
def test_the_least_regression_that_ten_minutes_can_find(rate: float, canary_rps: float, least: float) -> None:
    """Within two percent of the reference's table, which is rounded."""
    found = plan(Traffic(rate, canary_rps * 10, 0.1), ASKED)
    (ten,) = [one for one in found.reaches if one.seconds == 600]
    assert ten.least == pytest.approx(least, rel=0.02)


@pytest.mark.parametrize(("rate", "requests"), [(0.0005, 43_600), (0.005, 4_330), (0.02, 1_060)])
def test_the_requests_for_twice_as_bad(rate: float, requests: int) -> None:
    """Never fewer than the reference says, and three percent more at most: errors are taken as rare here."""
    assert 0.999 <= plan(Traffic(rate, 10, 0.1), ASKED).to_fail / requests < 1.03


@given(st.floats(0.0001, 0.1), st.floats(0.1, 1e5), st.floats(0.01, 0.9), st.floats(1.1, 9.0))
def test_more_traffic_never_sees_less(rate: float, rps: float, share: float, ratio: float) -> None:
    """Twice the traffic: the same requests, half the time, and no larger least regression."""
    wanted = Wanted(ratio, 0.01, 0.05, 600.0)
    one, two = plan(Traffic(rate, rps, share), wanted), plan(Traffic(rate, 2 * rps, share), wanted)
    assert two.requests == one.requests
    assert two.seconds == pytest.approx(one.seconds / 2)
    for before, after in zip(one.reaches, two.reaches, strict=True):
        assert after.least <= before.least * (1 + 1e-9) or math.isinf(before.least)


@pytest.mark.parametrize(
    "traffic",
    [Traffic(0, 1, 0.1), Traffic(1, 1, 0.1), Traffic(0.6, 1, 0.1), Traffic(0.1, 0, 0.1), Traffic(0.1, 1, 1.0)],
)
def test_numbers_without_a_plan_are_refused(traffic: Traffic) -> None:
    """Each with the option that has to change."""
    with pytest.raises(UserError):
        plan(traffic, ASKED)


def test_the_table_of_the_docs_is_what_plan_says() -> None:
    """docs/gate.md, "What ten minutes can see"."""
    text = (Path(__file__).resolve().parents[2] / "docs/gate.md").read_text(encoding="utf-8")
    table = text.partition("| errors today |")[2].partition("\n\n")[0].splitlines()[2:]
    assert len(table) == 12
    for row in table:
        rate, rps, least, to_fail, to_pass = [cell.strip() for cell in row.strip("| ").split("|")]
        canary = float(rps.replace(",", "")) / 10
        found = plan(Traffic(float(rate.removesuffix(" %")) / 100, canary * 10, 0.1), ASKED)
        (ten,) = [one for one in found.reaches if one.seconds == 600]
        assert float(least.removesuffix("x")) == pytest.approx(ten.least, rel=0.005)
        for told, requests in ((to_fail, found.to_fail), (to_pass, found.to_pass)):
            assert duration(told) == pytest.approx(requests / canary, abs=60 if requests / canary > 3600 else 1)
