"""Evidence on the ratio of the canary's error rate to the baseline's: two e-processes for each verdict.

Counts weigh every tick; bets on the share, and the spread that gives phi, go by blocks of ticks.

The count e-process: Poisson errors of canary and baseline, conditioned on their sum. The conditional share of Lindon
and Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022, with a tolerance and a mixture on one
side.

For a ratio v the score is S(v) = sum over ticks of x ln v - k ln(n v + m), with x canary errors, k errors of both,
n canary and m baseline requests. Then ln E(w; rho) = S(w) - S(rho) is the evidence for "w times the baseline's rate"
against "at most rho times" (w > rho) or "at least rho times" (w < rho): its expectation never exceeds 1, whatever the
baseline's rate is and however it moves. One row of scores answers for every rho of the grid.

The share e-process: bounded bets on the canary's share of each tick's errors. Waudby-Smith and Ramdas, "Estimating
means of bounded random variables by betting", JRSS B 86 (2024), with the share conditioned on the number of errors.

With q the share that the limit allows, a bet multiplies its capital by 1 + stake (share - q). If each clump of errors
falls on a side in proportion to traffic, the expected share is at most q exactly, for every law of clump sizes, and
the expected factor at most 1. A stake is at most 0.95/q: one tick multiplies by about 1/q at most, however large the
clump, and never ruins. The stake may depend on the number of errors, which is conditioned on.

The stake follows Kelly's rule for a share theta: edge / (q(1-q)/k + c (1 - 1/k) edge^2), edge = theta - q. Without its
second term (c = 0) a stake overshoots where several errors share a tick. Any stake that is fixed
before the share is seen is fair, so it is taken for a q with rounded odds (2.5 % off at most): stakes then repeat from
tick to tick although traffic never does. What is won or lost is counted with the true q.
"""

from __future__ import annotations

import math
from functools import lru_cache
from operator import add
from typing import NamedTuple

import msgspec

from incident_ops.canary.counters import Counts, DispersionSums, add_block, add_counts, phi
from incident_ops.canary.evidence_settings import MULTIPLES, EvidenceSettings, Grid, Side

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


def scaled_weights(scores: Scores, phi: float) -> Weights:
    """The scores as weights, each difference divided by `phi` >= 1."""
    top = max(scores)
    return Weights(scores, _relative(scores, top, phi), top, phi)


def _relative(scores: Scores, top: float, phi: float) -> tuple[float, ...]:
    exp = math.exp
    if phi == 1:
        return tuple([exp(score - top) for score in scores])
    return tuple([exp((score - top) / phi) for score in scores])


def count_log_evidence(weights: Weights, side: Side) -> float:
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


BOLDEST = 0.95
"""Part of the capital that a bet may lose at most, but for the rounding of the odds."""

RESTRAINT = 0.3
"""c above: chosen by simulation (bench/gate.py shows both)."""

STEP = 0.05
"""What ln of the odds is rounded to a multiple of, for the stakes."""

_SMALLEST, _LARGEST = 1e-100, 1e100


class Stakes(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What each bet, one for each of MULTIPLES, has made of its 1, over e^log_scale."""

    capitals: tuple[float, ...]
    log_scale: float


EVEN = Stakes((1.0,) * len(MULTIPLES), 0.0)
"""Before any tick."""


def bet(stakes: Stakes, share: float, allowed: float, errors: float, restraint: float = RESTRAINT) -> Stakes:
    """The capitals after `errors` (> 0) of which `share` (0 to 1) were the canary's, where `allowed` was expected.

    `allowed` lies between 0 and 1, both excluded. A fail bets that the share is larger; a pass gives the baseline's
    share, and so bets that the canary's is smaller.
    """
    surplus = share - allowed
    held = _held(round(math.log(allowed / (1 - allowed)) / STEP), errors, restraint)
    capitals = [capital * (1 + surplus * stake) for capital, stake in zip(stakes.capitals, held, strict=True)]
    total = sum(capitals)
    if _SMALLEST < total < _LARGEST:
        return Stakes(tuple(capitals), stakes.log_scale)
    return Stakes(tuple([capital / total for capital in capitals]), stakes.log_scale + math.log(total))


def share_log_evidence(stakes: Stakes) -> float:
    """ln of the mean capital."""
    return stakes.log_scale + math.log(sum(stakes.capitals) / len(stakes.capitals))


@lru_cache(maxsize=4096)
def _held(step: int, errors: float, restraint: float) -> tuple[float, ...]:
    """The stakes for so many errors, for each multiple of the rate, where the odds allowed are so many steps."""
    allowed, edges = _edges(step)
    spread, most = allowed * (1 - allowed) / errors, BOLDEST / allowed
    damping = restraint * (1 - 1 / errors) if errors > 1 else 0.0
    return tuple([most if (stake := edge / (spread + damping * edge * edge)) > most else stake for edge in edges])


@lru_cache(maxsize=256)
def _edges(step: int) -> tuple[float, tuple[float, ...]]:
    """The share allowed, and how far above it the share would be at each multiple of the rate."""
    odds = math.exp(step * STEP)
    allowed = odds / (1 + odds)
    return allowed, tuple([multiple * odds / (1 + multiple * odds) - allowed for multiple in MULTIPLES])


class TickBlock(msgspec.Struct, frozen=True, array_like=True):
    """The ticks of a block so far: their sums, and the errors expected on the canary at each of the two limits."""

    ticks: int = 0
    canary: Counts = Counts(0.0, 0.0)
    baseline: Counts = Counts(0.0, 0.0)
    allowed: float = 0.0
    unacceptable: float = 0.0


NO_TICKS = TickBlock()


class RatioEvidence(msgspec.Struct, frozen=True):
    """What is known about the ratio. `matched` are the two sums of the Mantel-Haenszel ratio."""

    scores: Scores
    baseline_spread: DispersionSums
    canary_spread: DispersionSums = DispersionSums()
    worse: Stakes = EVEN
    better: Stakes = EVEN
    matched: tuple[float, float] = (0.0, 0.0)
    block: TickBlock = NO_TICKS


class RatioWeight(msgspec.Struct, frozen=True):
    """ln of the evidence for each verdict, by counts and by shares, and the phi each was divided by.

    A verdict needs both: `log_fail` and `log_pass` are the weaker ones.
    """

    fail_counts: float
    fail_shares: float
    pass_counts: float
    pass_shares: float
    fail_phi: float
    pass_phi: float
    weights: Weights
    log_fail: float
    log_pass: float


def observe_ratio(
    settings: EvidenceSettings, before: RatioEvidence, length: int, canary: Counts, baseline: Counts
) -> RatioEvidence:
    """The evidence after a tick with requests on both sides, where a block has `length` ticks."""
    canary_errors, requests = canary
    baseline_errors, others = baseline
    errors, both, block = canary_errors + baseline_errors, requests + others, before.block
    allowed, unacceptable = settings.max_ratio or 1.0, settings.unacceptable_ratio
    filled = TickBlock(
        block.ticks + 1,
        add_counts(block.canary, canary) if block.ticks else canary,
        add_counts(block.baseline, baseline) if block.ticks else baseline,
        block.allowed + errors * allowed * requests / (allowed * requests + others),
        block.unacceptable + errors * unacceptable * requests / (unacceptable * requests + others),
    )
    scores = add_errors(settings.grid, before.scores, canary_errors, baseline_errors, others / requests)
    matched = (before.matched[0] + canary_errors * others / both, before.matched[1] + baseline_errors * requests / both)
    if filled.ticks >= length:
        return _bet(before, scores, matched, filled)
    spreads = before.baseline_spread, before.canary_spread
    return RatioEvidence(scores, *spreads, before.worse, before.better, matched, filled)


def end_block(before: RatioEvidence) -> RatioEvidence:
    """The evidence with the ticks of the last block bet on and added to the spread."""
    return _bet(before, before.scores, before.matched, before.block) if before.block.ticks else before


def _bet(before: RatioEvidence, scores: Scores, matched: tuple[float, float], block: TickBlock) -> RatioEvidence:
    errors = block.canary.errors + block.baseline.errors
    worse, better = before.worse, before.better
    if errors:
        share = block.canary.errors / errors
        worse = bet(worse, share, block.allowed / errors, errors)
        better = bet(better, 1 - share, 1 - block.unacceptable / errors, errors)
    return RatioEvidence(
        scores,
        add_block(before.baseline_spread, *block.baseline),
        add_block(before.canary_spread, *block.canary),
        worse,
        better,
        matched,
        NO_TICKS,
    )


def weigh_ratio(settings: EvidenceSettings, evidence: RatioEvidence) -> RatioWeight:
    """The evidence for each verdict now.

    phi of a fail is the baseline's; of a pass the larger of the baseline's and the canary's own: a canary
    whose errors come in clumps would else pass by luck.
    """
    grid = settings.grid
    fail_phi, pass_phi = _phis(settings, evidence)
    weights = scaled_weights(evidence.scores, fail_phi)
    fail_counts = count_log_evidence(weights, grid.worse)
    if pass_phi == fail_phi:
        pass_counts = count_log_evidence(weights, grid.better)
    else:
        pass_counts = log_evidence_at(evidence.scores, grid.better, pass_phi)
    fail_shares, pass_shares = fail_counts, pass_counts
    if not settings.is_plain:
        fail_shares, pass_shares = share_log_evidence(evidence.worse), share_log_evidence(evidence.better)
    return RatioWeight(
        fail_counts,
        fail_shares,
        pass_counts,
        pass_shares,
        fail_phi,
        pass_phi,
        weights,
        min(fail_counts, fail_shares),
        min(pass_counts, pass_shares),
    )


def _phis(settings: EvidenceSettings, evidence: RatioEvidence) -> tuple[float, float]:
    if not settings.is_measured:
        return settings.given_phi, settings.given_phi
    baseline = phi(evidence.baseline_spread)
    return baseline, max(baseline, phi(evidence.canary_spread))


class RatioInterval(NamedTuple):
    """The nearest ratios that are ruled out on each side; None where the counts rule out none."""

    low: float | None
    high: float | None


def interval(grid: Grid, weights: Weights, alpha: float) -> RatioInterval:
    """The ratios not ruled out, each side at level `alpha`, valid at every look.

    The low limit is the largest ratio of the grid for which "at most this" is rejected by the mixture of all ratios
    above it; the high limit mirrors it. Limits are rounded outward to the grid, by 22 % at most.
    """
    return RatioInterval(
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
