"""The count e-process: Poisson errors of canary and baseline, conditioned on their sum.

The conditional share of Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022, with a
tolerance and a mixture on one side.

For a ratio v the score is S(v) = sum over ticks of x ln v - k ln(n v + m), with x canary errors, k errors of both,
n canary and m baseline requests. Then ln E(w; rho) = S(w) - S(rho) is the evidence for "w times the baseline's rate"
against "at most rho times" (w > rho) or "at least rho times" (w < rho): its expectation never exceeds 1, whatever the
baseline's rate is and however it moves. One row of scores answers for every rho of the grid.
"""

from __future__ import annotations

import math
from functools import lru_cache
from operator import add

import msgspec

from incident_ops.gate.ratio_grid import Grid, Side

Scores = tuple[float, ...]

_VANISHING = 1e-200
"""Below this the alternatives' weights may have been lost to rounding; they are then weighed among themselves."""


class Weights(msgspec.Struct, frozen=True):
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
    return tuple(map(add, scores, _gains(grid, canary, errors, traffic)))


@lru_cache(maxsize=64)
def _gains(grid: Grid, canary: float, errors: float, traffic: float) -> Scores:
    """What a tick adds to each score; ticks of even traffic repeat."""
    log1p, rest = math.log1p, traffic - 1  # in CPython twice as fast as log
    pairs = zip(grid.points, grid.logs, strict=True)
    return tuple([canary * own - errors * log1p(point + rest) for point, own in pairs])


def weigh(scores: Scores, phi: float) -> Weights:
    """The scores as weights, each difference divided by `phi` >= 1."""
    top = max(scores)
    return Weights(scores, _relative(scores, top, phi), top, phi)


def _relative(scores: Scores, top: float, phi: float) -> tuple[float, ...]:
    exp = math.exp
    if phi == 1:
        return tuple([exp(score - top) for score in scores])
    return tuple([exp((score - top) / phi) for score in scores])


def log_evidence(weights: Weights, side: Side) -> float:
    """ln E against the limit of a side of the grid, mixed over its alternatives."""
    total = sum(side.pick(weights.values))
    if total < _VANISHING:
        return log_evidence_at(weights.scores, side, weights.phi)
    return math.log(total / len(side.places)) + (weights.top - weights.scores[side.limit]) / weights.phi


def log_evidence_at(scores: Scores, side: Side, phi: float) -> float:
    """The same where the scores have not been weighed for this `phi`."""
    own = side.pick(scores)
    top = max(own)
    return math.log(sum(_relative(own, top, phi)) / len(own)) + (top - scores[side.limit]) / phi
