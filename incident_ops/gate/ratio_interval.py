"""The ratios of canary to baseline that the counts do not rule out."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

from incident_ops.gate.count_test import Weights
from incident_ops.gate.ratio_grid import Grid


class Interval(NamedTuple):
    """The nearest ratios that are ruled out on each side; None where the counts rule out none."""

    low: float | None
    high: float | None


def interval(grid: Grid, weights: Weights, alpha: float) -> Interval:
    """The ratios not ruled out, each side at level `alpha`, valid at every look.

    The low limit is the largest ratio of the grid for which "at most this" is rejected by the mixture of all ratios
    above it; the high limit mirrors it. Limits are rounded outward to the grid, by 22 % at most.
    """
    return Interval(
        _nearest_rejected(weights.values[::-1], grid.points[::-1], alpha),
        _nearest_rejected(weights.values, grid.points, alpha),
    )


def _nearest_rejected(values: tuple[float, ...], points: tuple[float, ...], alpha: float) -> float | None:
    """The first point from which on every point is rejected by the mean weight of all points before it.

    Weights fall on both sides of the likeliest point, so where the sum before a point is large enough for a mean over
    all points, every later one is rejected too; from there the walk goes back.
    """
    sums, number = list(accumulate(values)), len(values)
    place = values.index(1.0) + 1
    while place < number and sums[place - 1] * alpha < values[place] * number:
        place += 1
    while place > 1 and sums[place - 2] * alpha >= values[place - 1] * (place - 1):
        place -= 1
    return points[place] if place < number else None
