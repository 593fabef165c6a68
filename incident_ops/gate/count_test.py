"""The count e-process: Poisson errors of canary and baseline, conditioned on their sum (canary.md section 5).

For a ratio v the score is S(v) = sum over ticks of x ln v - k ln(n v + m), with x canary errors, k errors of both,
n canary and m baseline requests. Then ln E(w; rho) = S(w) - S(rho) is the evidence for "w times the baseline's rate"
against "at most rho times" (w > rho) or "at least rho times" (w < rho): its expectation never exceeds 1, whatever the
baseline's rate is and however it moves. One row of scores answers for every rho of the grid.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from incident_ops.gate.ratio_grid import Grid, Side, mixed_logs

Scores = tuple[float, ...]

_VANISHING = 1e-200
"""Below this the alternatives' weights may have been lost to rounding; they are then weighed among themselves."""


class Weights(NamedTuple):
    """Scores divided by the dispersion, as weights relative to the largest: exp((score - top) / phi)."""

    scores: Scores
    values: tuple[float, ...]
    top: float
    phi: float


def no_scores(grid: Grid) -> Scores:
    """The scores before any tick."""
    return (0.0,) * len(grid.points)


def add_errors(grid: Grid, scores: Scores, canary: float, baseline: float, traffic: float) -> Scores:
    """Scores after a tick with these errors; `traffic` = baseline requests per canary request of the tick."""
    errors = canary + baseline
    if errors == 0:
        return scores
    mixed = mixed_logs(grid, traffic)
    return tuple(
        [score + canary * own - errors * both for score, own, both in zip(scores, grid.logs, mixed, strict=True)]
    )


def weigh(scores: Scores, phi: float) -> Weights:
    """The scores as weights, each difference divided by `phi` >= 1 (evidence.md section 1)."""
    top = max(scores)
    exp = math.exp
    return Weights(scores, tuple([exp((score - top) / phi) for score in scores]), top, phi)


def log_evidence(weights: Weights, side: Side) -> float:
    """ln E against the limit of a side of the grid, mixed over its alternatives."""
    total, top = sum(side.pick(weights.values)), weights.top
    if total < _VANISHING:
        own = side.pick(weights.scores)
        top = max(own)
        total = sum([math.exp((score - top) / weights.phi) for score in own])
    return math.log(total / len(side.places)) + (top - weights.scores[side.limit]) / weights.phi
