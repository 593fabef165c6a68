"""The interval for the ratio: where it lies, and that it holds at every look."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.canary.evidence_settings import Grid, grid
from incident_ops.canary.ratio_test import Scores, add_errors, interval, no_scores, scaled_weights


def _slowly(among: Grid, weights: Scores, alpha: float) -> tuple[float | None, float | None]:
    """The definition: from each end, as long as the mean weight of all other-sided points rejects."""
    values, points, number = weights, among.points, len(among.points)
    low = high = None
    for place in range(number - 1):
        if sum(values[place + 1 :]) / (number - 1 - place) * alpha < values[place]:
            break
        low = points[place]
    for place in range(number - 1, 0, -1):
        if sum(values[:place]) / place * alpha < values[place]:
            break
        high = points[place]
    return low, high


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300), st.floats(0.1, 99)), max_size=6),
    st.floats(0.001, 0.4),
    st.sampled_from([(1.0, 2.0), (1.0, 1.1), (0.3, 30.0)]),
)
def test_the_walk_finds_what_the_definition_says(
    ticks: list[tuple[int, int, float]], alpha: float, limits: tuple[float, float]
) -> None:
    """For every row of scores that ticks can make."""
    among = grid(*limits)
    scores = no_scores(among)
    for canary, baseline, traffic in ticks:
        scores = add_errors(among, scores, canary, baseline, traffic)
    weights = scaled_weights(scores, 1.0)
    found = interval(among, weights, alpha)
    assert found == pytest.approx(_slowly(among, weights, alpha))
    assert found.low is None or found.high is None or found.low < found.high


def test_many_errors_narrow_it_around_the_ratio() -> None:
    """3,000 canary errors at a ratio of 1.5: within one or two steps of the grid."""
    among = grid(1.0, 2.0)
    found = interval(among, scaled_weights(add_errors(among, no_scores(among), 3000.0, 18_000.0, 9.0), 1.0), 0.01)
    assert found.low is not None
    assert found.high is not None
    assert 1.15 < found.low < 1.5 < found.high < 1.9


@pytest.mark.parametrize("ratio", [0.4, 1.0, 3.0])
def test_it_holds_the_true_ratio_at_every_look(ratio: float) -> None:
    """Of 400 runs of 40 looks fewer than 2 % ever exclude the true ratio, at alpha 1 % a side."""
    rng, among, excluded = random.Random(7), grid(1.0, 2.0), 0
    for _run in range(400):
        scores = no_scores(among)
        for _tick in range(40):
            x = sum(rng.random() < ratio * 0.01 for _ in range(60))
            y = sum(rng.random() < 0.05 for _ in range(60))
            scores = add_errors(among, scores, float(x), float(y), 5.0)
            low, high = interval(among, scaled_weights(scores, 1.0), 0.01)
            if (low or 0.0) >= ratio or (high or math.inf) <= ratio:
                excluded += 1
                break
    assert excluded < 8
