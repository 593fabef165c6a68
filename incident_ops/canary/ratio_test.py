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
from typing import NamedTuple

import msgspec

from incident_ops.canary import level_test, start_times
from incident_ops.canary.bets import EVEN, Stakes, bet, bet_factors, bet_won, share_log_evidence
from incident_ops.canary.counters import Counts, DispersionSums, add_block, add_counts, phi
from incident_ops.canary.evidence_settings import LATE, EvidenceSettings, Grid, Side
from incident_ops.canary.level_test import BlockCounts
from incident_ops.canary.start_times import StartTimes

Scores = tuple[float, ...]


def no_scores(grid: Grid) -> Scores:
    """The scores before any tick."""
    return (0.0,) * len(grid.points)


def add_errors(grid: Grid, scores: Scores, canary: float, baseline: float, traffic: float) -> Scores:
    """Scores after a tick with these errors; `traffic` = baseline requests per canary request of the tick."""
    errors = canary + baseline
    if errors == 0:
        return scores
    rows = zip(scores, grid.logs, _log_loads(grid, traffic))  # noqa: B905 - strict is slow
    return tuple([score + (canary * own - errors * load) for score, own, load in rows])


@lru_cache(maxsize=16)
def _log_loads(grid: Grid, traffic: float) -> tuple[float, ...]:
    """ln of all traffic in units of the canary's, were each of its requests `point` times as likely to fail.

    Less ln of both sides' requests; even traffic repeats.
    """
    rest = traffic - 1
    return tuple(map(math.log1p, [point + rest for point in grid.points]))  # in CPython twice as fast as log


def worse_gains(grid: Grid, canary: float, errors: float, traffic: float) -> list[float] | None:
    """What a tick, or a block, adds to ln E of a fail at each late alternative; None where nothing."""
    if not errors:
        return None
    side, loads = grid.worse, _log_loads(grid, traffic)
    allowed = canary * grid.logs[side.limit] - errors * loads[side.limit]
    late = zip(side.pick_late(grid.logs), side.pick_late(loads))  # noqa: B905 - strict is slow
    return [canary * own - errors * load - allowed for own, load in late]


def scaled_weights(scores: Scores, phi: float) -> tuple[float, ...]:
    """The scores divided by `phi` >= 1, as weights relative to the largest: exp((score - top) / phi)."""
    return _relative(scores, max(scores), phi)


def _relative(scores: Scores, top: float, phi: float) -> tuple[float, ...]:
    if phi == 1:
        return tuple(map(math.exp, [score - top for score in scores]))
    return tuple(map(math.exp, [(score - top) / phi for score in scores]))


def count_log_evidence(scores: Scores, side: Side, phi: float) -> float:
    """ln E against the limit of a side of the grid, mixed over its alternatives, each difference divided by `phi`."""
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


class RatioWeight(NamedTuple):
    """ln of the evidence for a fail, by counts (divided by `fail_phi`) and by shares, mixed over start times.

    The shares are joined with the level test. A fail needs both: `log_fail` is the weaker one, `log_whole` that of the
    run as a whole. `pass_phi` is what a pass divides its counts by.
    """

    fail_counts: float
    fail_shares: float
    fail_phi: float
    pass_phi: float
    log_fail: float
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
    errors, both, traffic = canary_errors + baseline_errors, requests + others, others / requests
    allowed = errors / (1 + traffic / (settings.max_ratio or 1.0))
    unacceptable = errors / (1 + traffic / settings.unacceptable_ratio)
    block = before.block
    if block.ticks:
        filled = TickBlock(
            block.ticks + 1,
            add_counts(block.canary, canary),
            add_counts(block.baseline, baseline),
            block.allowed + allowed,
            block.unacceptable + unacceptable,
        )
    else:
        filled = TickBlock(1, canary, baseline, allowed, unacceptable)
    scores = add_errors(settings.grid, before.scores, canary_errors, baseline_errors, traffic)
    one, other = before.matched
    matched = (one + canary_errors * others / both, other + baseline_errors * requests / both)
    gains = None if settings.is_plain else worse_gains(settings.grid, canary_errors, errors, traffic)
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
    spread = add_block(before.baseline_spread, block.baseline.errors, block.baseline.requests)
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
        add_block(before.canary_spread, block.canary.errors, block.canary.requests),
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
    """The evidence for a fail now.

    phi of a fail is the baseline's; of a pass the larger of the baseline's and the canary's own: a canary
    whose errors come in clumps would else pass by luck.
    """
    base_phi = evidence.fail_phi
    pass_phi = max(base_phi, phi(evidence.canary_spread)) if settings.is_measured else base_phi
    counts = log_whole = count_log_evidence(evidence.scores, settings.grid.worse, base_phi)
    if settings.is_plain:
        return RatioWeight(counts, counts, base_phi, pass_phi, counts, counts)
    whole_shares = share_log_evidence(evidence.worse)
    log_whole = min(counts, whole_shares)
    shares = start_times.log_bets(evidence.starts, whole_shares)
    counts = start_times.log_counts(evidence.starts, counts)
    return RatioWeight(counts, shares, base_phi, pass_phi, min(counts, shares), log_whole)


def pass_log_evidence(settings: EvidenceSettings, evidence: RatioEvidence, phi: float) -> float:
    """ln of the evidence for a pass at every look: the weaker one of counts, divided by `phi`, and shares."""
    counts = count_log_evidence(evidence.scores, settings.grid.better, phi)
    return counts if settings.is_plain else min(counts, share_log_evidence(evidence.better))


def fail_phi(settings: EvidenceSettings, baseline: DispersionSums) -> float:
    """phi of a fail, from the baseline's blocks."""
    return phi(baseline) if settings.is_measured else settings.given_phi


class RatioInterval(NamedTuple):
    """The nearest ratios that are ruled out on each side; None where the counts rule out none."""

    low: float | None
    high: float | None


def interval(grid: Grid, weights: tuple[float, ...], alpha: float) -> RatioInterval:
    """The ratios not ruled out, each side at level `alpha`, valid at every look.

    The low limit is the largest ratio of the grid for which "at most this" is rejected by the mixture of all ratios
    above it; the high limit mirrors it. Limits are rounded outward to the grid, by 22 % at most.
    """
    return RatioInterval(
        _nearest_rejected(weights[::-1], grid.points[::-1], alpha),
        _nearest_rejected(weights, grid.points, alpha),
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
