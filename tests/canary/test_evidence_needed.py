"""How many requests a conclusion needs: against the table of the paper's measurements."""

from __future__ import annotations

import math

import pytest

from incident_ops.canary.judgement import growth


@pytest.mark.parametrize(
    ("rate", "ratio", "bound"),
    [(0.0005, 1.5, 95_984), (0.0005, 2, 27_241), (0.0005, 5, 2_757), (0.0005, 20, 316), (0.005, 2, 2_708)],
)
def test_the_bound_is_that_of_the_measurements(rate: float, ratio: float, bound: float) -> None:
    """Canary requests at power one and alpha 1 %, nine times the traffic on the baseline."""
    assert math.log(100) / growth(ratio * rate, rate, 9.0, 1.0) == pytest.approx(bound, rel=0.02)
