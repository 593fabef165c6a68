"""Evidence on the ratio of the canary's error rate to the baseline's: two e-processes for each verdict.

Counts weigh every tick; bets on the share, and the spread that gives phi, go by blocks of ticks.

The count e-process: Poisson errors of canary and baseline, conditioned on their sum. The conditional share of Lindon
and Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022, with a tolerance and a mixture on one
side.

For a ratio v the score is S(v) = sum over ticks of x ln v - k ln(n v + m), with x canary errors, k errors of both,
n canary and m baseline requests. Then ln E(w; rho) = S(w) - S(rho) is the evidence for "w times the baseline's rate"
against "at most rho times" (w > rho) or "at least rho times" (w < rho): its expectation never exceeds 1, whatever the
baseline's rate is and however it moves. One row of scores answers for every rho of the grid.

The share e-process: bets on the canary's share of each block's errors (`bets`), joined with bets on the canary's own
rate (`level_test`). A fail asks each from the run's begin and from every later moment (`start_times`).
"""

from __future__ import annotations

import math
from functools import lru_cache
from operator import add
from typing import NamedTuple

import msgspec

from incident_ops.canary import level_test, start_times
from incident_ops.canary.bets import EVEN, Stakes, bet, bet_factors, bet_won, share_log_evidence
from incident_ops.canary.counters import Counts, DispersionSums, add_block, add_counts, phi
from incident_ops.canary.evidence_settings import LATE, EvidenceSettings, Grid, Side
from incident_ops.canary.level_test import BlockCounts
from incident_ops.canary.start_times import StartTimes

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


def worse_gains(grid: Grid, canary: float, errors: float, traffic: float) -> list[float] | None:
    """What a tick, or a block, adds to ln E of a fail at each late alternative; None where nothing."""
    if not errors:
        return None
    gains = _gains(grid, canary, errors, traffic)
    allowed = gains[grid.worse.limit]
    return [gain - allowed for gain in grid.worse.pick_late(gains)]


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


class TickBlock(msgspec.Struct, frozen=True, array_like=True):
    """The ticks of a block so far: their sums, and the errors expected on the canary at each of the two limits."""

    ticks: int = 0
    canary: Counts = Counts(0.0, 0.0)
    baseline: Counts = Counts(0.0, 0.0)
    allowed: float = 0.0
    unacceptable: float = 0.0


NO_TICKS = TickBlock()


class RatioEvidence(msgspec.Struct, frozen=True):
    """What is known about the ratio. `matched` are the two sums of the Mantel-Haenszel ratio.

    `fail_phi` is that of `baseline_spread`. `starts` is the evidence from every later moment on, `step_scores` the
    scores where the step began, `recent` the blocks of the last minute and `recent_baseline` their sum.
    """

    scores: Scores
    step_scores: Scores
    baseline_spread: DispersionSums
    fail_phi: float
    canary_spread: DispersionSums = DispersionSums()
    worse: Stakes = EVEN
    better: Stakes = EVEN
    matched: tuple[float, float] = (0.0, 0.0)
    block: TickBlock = NO_TICKS
    starts: StartTimes = StartTimes()
    recent: tuple[BlockCounts, ...] = ()
    recent_baseline: Counts = Counts(0.0, 0.0)


class RatioWeight(msgspec.Struct, frozen=True):
    """ln of the evidence for each verdict, by counts and by shares, and the phi each was divided by.

    That for a fail is mixed over start times, its shares with the level test. A verdict needs both: `log_fail` and
    `log_pass` are the weaker ones, `log_whole` that for a fail by the run as a whole.
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
    log_whole: float


def begin_ratio(settings: EvidenceSettings, lookback: DispersionSums) -> RatioEvidence:
    """The evidence before the first tick; `lookback` is the baseline's spread before the run."""
    scores = no_scores(settings.grid)
    return RatioEvidence(scores, scores, lookback, fail_phi(settings, lookback))


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
    gains = None if settings.is_plain else worse_gains(settings.grid, canary_errors, errors, others / requests)
    if filled.ticks >= length:
        return _bet(settings, before, length, scores, matched, filled, gains)
    starts = before.starts
    if not settings.is_plain:
        starts = start_times.after_tick(settings, starts, gains, before.fail_phi)
    return msgspec.structs.replace(before, scores=scores, matched=matched, block=filled, starts=starts)


def begin_ratio_step(before: RatioEvidence) -> RatioEvidence:
    """The evidence with a step of the rollout that begins now."""
    return msgspec.structs.replace(before, step_scores=before.scores, starts=start_times.begin_steps(before.starts))


def end_block(settings: EvidenceSettings, before: RatioEvidence, length: int) -> RatioEvidence:
    """The evidence with the ticks of the last block bet on and added to the spread."""
    if not before.block.ticks:
        return before
    return _bet(settings, before, length, before.scores, before.matched, before.block, None, is_counted=True)


def _bet(
    settings: EvidenceSettings,
    before: RatioEvidence,
    length: int,
    scores: Scores,
    matched: tuple[float, float],
    block: TickBlock,
    gains: list[float] | None,
    *,
    is_counted: bool = False,
) -> RatioEvidence:
    """The evidence with a block ended; `gains` are its last tick's, unless that `is_counted` already."""
    starts, errors, now = before.starts, block.canary.errors + block.baseline.errors, before.fail_phi
    worse, better, factors = before.worse, before.better, None
    allowed = block.allowed / errors if errors else 0.0
    if errors:
        share = block.canary.errors / errors
        won = bet_factors(share, allowed, errors)
        worse, factors = bet_won(worse, won), won[LATE]
        better = bet(better, 1 - share, 1 - block.unacceptable / errors, errors)
    blocks, recent = before.recent, add_counts(before.recent_baseline, block.baseline)
    if level_test.is_minute(settings, length, len(blocks)):
        gone, blocks = blocks[0].baseline, blocks[1:]
        recent = Counts(recent.errors - gone.errors, recent.requests - gone.requests)
    level = level_test.level_allowed(settings, before.baseline_spread, now, recent)
    spread = add_block(before.baseline_spread, *block.baseline)
    now = fail_phi(settings, spread)
    if settings.is_plain:
        starts = msgspec.structs.replace(starts, step_blocks=starts.step_blocks + 1)
    else:
        level_factors = level_test.level_factors(block.canary, level)
        if is_counted:
            starts = start_times.after_block(starts, factors, level_factors)
        else:
            starts = start_times.after_tick(settings, starts, gains, now, factors, level_factors)
    return RatioEvidence(
        scores,
        before.step_scores,
        spread,
        now,
        add_block(before.canary_spread, *block.canary),
        worse,
        better,
        matched,
        NO_TICKS,
        starts,
        (*blocks, BlockCounts(block.canary, block.baseline, allowed, level)),
        recent,
    )


def is_sound_ratio(settings: EvidenceSettings, evidence: RatioEvidence) -> bool:
    """Whether evidence that was read from a file has the form of these settings."""
    grid, starts = settings.grid, evidence.starts
    rows = [starts.counts, starts.shares, starts.levels, starts.step_shares, starts.step_levels]
    is_sound = len(evidence.scores) == len(evidence.step_scores) == len(grid.points) and evidence.fail_phi >= 1
    is_sound &= all(len(row) == len(start_times.UNTOUCHED) and min(row) >= 0 for row in rows)
    is_sound &= min(starts.unspent, starts.level_unspent) > 0 and min(starts.waiting, starts.level_waiting) >= 0
    blocks = evidence.recent
    is_sound &= all(min(one.canary.requests, one.baseline.requests) > 0 and 0 < one.level < 1 for one in blocks)
    return is_sound and all(0 < one.share < 1 or not one.canary.errors + one.baseline.errors for one in blocks)


def weigh_ratio(settings: EvidenceSettings, evidence: RatioEvidence) -> RatioWeight:
    """The evidence for each verdict now.

    phi of a fail is the baseline's; of a pass the larger of the baseline's and the canary's own: a canary
    whose errors come in clumps would else pass by luck.
    """
    grid = settings.grid
    base_phi = evidence.fail_phi
    pass_phi = max(base_phi, phi(evidence.canary_spread)) if settings.is_measured else base_phi
    weights = scaled_weights(evidence.scores, base_phi)
    fail_counts = count_log_evidence(weights, grid.worse)
    if pass_phi == base_phi:
        pass_counts = count_log_evidence(weights, grid.better)
    else:
        pass_counts = log_evidence_at(evidence.scores, grid.better, pass_phi)
    fail_shares, pass_shares, log_whole = fail_counts, pass_counts, fail_counts
    if not settings.is_plain:
        pass_shares, whole_shares = share_log_evidence(evidence.better), share_log_evidence(evidence.worse)
        log_whole = min(fail_counts, whole_shares)
        fail_shares = start_times.log_bets(evidence.starts, whole_shares)
        fail_counts = start_times.log_counts(evidence.starts, fail_counts)
    return RatioWeight(
        fail_counts,
        fail_shares,
        pass_counts,
        pass_shares,
        base_phi,
        pass_phi,
        weights,
        min(fail_counts, fail_shares),
        min(pass_counts, pass_shares),
        log_whole,
    )


def fail_phi(settings: EvidenceSettings, baseline: DispersionSums) -> float:
    """phi of a fail, from the baseline's blocks."""
    return phi(baseline) if settings.is_measured else settings.given_phi


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
