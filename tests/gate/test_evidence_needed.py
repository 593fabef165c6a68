"""How many requests a conclusion needs: against the table of the paper's measurements."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.gate.needed import OVERHEAD, growth, least_ratio, requests_to_tell


@pytest.mark.parametrize(
    ("rate", "ratio", "bound"),
    [(0.0005, 1.5, 95_984), (0.0005, 2, 27_241), (0.0005, 5, 2_757), (0.0005, 20, 316), (0.005, 2, 2_708)],
)
def test_the_bound_is_that_of_the_measurements(rate: float, ratio: float, bound: float) -> None:
    """Canary requests at power one and alpha 1 %, nine times the traffic on the baseline."""
    assert math.log(100) / growth(ratio * rate, rate, 9.0, 1.0) == pytest.approx(bound, rel=0.02)
    assert requests_to_tell(rate, 9.0, ratio, 1.0, 0.01) == pytest.approx(OVERHEAD * bound, rel=0.02)


@pytest.mark.parametrize(
    ("rate", "rps", "least"),
    [(0.0005, 1, 17.6), (0.0005, 10, 4.3), (0.005, 1, 4.3), (0.005, 100, 1.24), (0.02, 10, 1.39)],
)
def test_the_least_ratio_of_ten_minutes(rate: float, rps: float, least: float) -> None:
    """The table "least regression that ten minutes can find"."""
    assert least_ratio(rate, 9.0, 600 * rps, 1.0, 0.01) == pytest.approx(least, rel=0.03)


def test_too_few_requests_tell_nothing() -> None:
    """Ten requests cannot show anything at 0.05 %... unless nearly all fail."""
    assert least_ratio(0.5, 9.0, 2, 1.0, 0.01) == math.inf


@given(st.floats(1e-4, 0.05), st.floats(0.2, 99), st.floats(1.2, 20), st.floats(1, 30))
def test_phi_multiplies_and_the_inverse_inverts(rate: float, traffic: float, ratio: float, phi: float) -> None:
    """Clumps of five need five times the requests; the least ratio of so many requests is the ratio itself."""
    requests = requests_to_tell(rate, traffic, ratio, 1.0, 0.01)
    assert requests_to_tell(rate, traffic, ratio, 1.0, 0.01, phi) == pytest.approx(phi * requests)
    if ratio * rate < 1:
        assert least_ratio(rate, traffic, requests, 1.0, 0.01) == pytest.approx(ratio, rel=1e-4)
