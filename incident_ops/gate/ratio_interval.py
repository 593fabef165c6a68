"""The ratios of canary to baseline that the counts do not rule out."""

from __future__ import annotations

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
    peak, number = values.index(1.0), len(values)
    before, place = sum(values[: peak + 1]), peak + 1
    while place < number and before * alpha < values[place] * number:
        before += values[place]
        place += 1
    nearest = place
    while place > peak + 1:
        place -= 1
        before -= values[place]
        if before * alpha < values[place] * place:
            break
        nearest = place
    return points[nearest] if nearest < number else None
