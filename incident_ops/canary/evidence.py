"""Evidence on a canary: one state that grows tick by tick; `judgement` gives its verdict.

A tick brings four counts: errors and requests of the canary and of the baseline. Nothing here knows where they come
from or what time it is. One state serves all steps of a rollout, so alpha holds once for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from incident_ops.canary.bets import EVEN, Stakes, bet, share_log_evidence
from incident_ops.canary.counters import (
    CLOCK,
    Counts,
    DispersionSums,
    Gap,
    add_block,
    add_counts,
    clump_span,
    phi,
    spread_of,
)
from incident_ops.canary.evidence_settings import AUTO, MULTIPLES, EvidenceSettings
from incident_ops.canary.pass_test import PassEvidence, begin_pass_step, observe_shares
from incident_ops.canary.ratio_test import RatioEvidence, begin_ratio, begin_ratio_step, end_block, observe_ratio
from incident_ops.canary.start_times import carry_starts


class LimitEvidence(msgspec.Struct, frozen=True):
    """What is known about the canary's rate: all counts, those of the block so far, the spread, and the bets."""

    total: Counts = Counts(0.0, 0.0)
    block: Counts = Counts(0.0, 0.0)
    ticks: int = 0
    spread: DispersionSums = DispersionSums()
    above: Stakes = EVEN


def observe_limit(limit: float, before: LimitEvidence, length: int, canary: Counts) -> LimitEvidence:
    """The evidence against "at most `limit`" after a tick with canary requests, in blocks of `length` ticks."""
    after = LimitEvidence(
        add_counts(before.total, canary),
        add_counts(before.block, canary),
        before.ticks + 1,
        before.spread,
        before.above,
    )
    return end_limit_block(limit, after) if after.ticks >= length else after


def end_limit_block(limit: float, before: LimitEvidence) -> LimitEvidence:
    """The evidence with the ticks of the last block bet on and added to the spread."""
    errors, requests = before.block
    if not before.ticks:
        return before
    above = bet(before.above, errors / requests, limit, requests)
    return LimitEvidence(before.total, Counts(0.0, 0.0), 0, add_block(before.spread, errors, requests), above)


def log_above(settings: EvidenceSettings, limit: float, evidence: LimitEvidence, baseline_phi: float) -> float:
    """ln of the evidence that the rate is above `limit`; both e-processes, unless errors are taken as independent."""
    counts = _mixed(_terms(limit, True), evidence.total, limit_phi(settings, evidence, baseline_phi))
    return counts if settings.is_plain else min(counts, share_log_evidence(evidence.above))


def log_below(settings: EvidenceSettings, limit: float, evidence: LimitEvidence, baseline_phi: float) -> float:
    """ln of the evidence that the rate is below `limit`."""
    return _mixed(_terms(limit, False), evidence.total, limit_phi(settings, evidence, baseline_phi))


def limit_phi(settings: EvidenceSettings, evidence: LimitEvidence, baseline_phi: float) -> float:
    """The larger of the baseline's phi and the canary's own, where the errors themselves are asked."""
    return max(baseline_phi, phi(evidence.spread)) if settings.is_measured else baseline_phi


@lru_cache(maxsize=16)
def _terms(limit: float, is_above: bool) -> tuple[tuple[float, float], ...]:
    """What an error and a success add to ln E, at each multiple of the limit's odds (so that rates stay below 1)."""
    odds = limit / (1 - limit)
    rates = [odds * (multiple if is_above else 1 / multiple) for multiple in MULTIPLES]
    return tuple([(math.log(rate / (1 + rate) / limit), -math.log1p(rate) - math.log1p(-limit)) for rate in rates])


def _mixed(terms: tuple[tuple[float, float], ...], total: Counts, phi: float) -> float:
    successes = total.requests - total.errors
    logs = [(total.errors * error + successes * success) / phi for error, success in terms]
    top = max(logs)
    return top + math.log(sum([math.exp(one - top) for one in logs]) / len(logs))


NO_COUNTS = Counts(0.0, 0.0)


OBVIOUS_TICKS, OBVIOUS_ERRORS, OBVIOUS_RATE, OBVIOUS_RATIO = 2, 50, 0.5, 5.0
"""Two ticks running with 50 errors, every second request one, and five times the baseline's rate need no test."""


BROKEN_ERRORS = 25
"""So many errors of a tick show that it is broken, where half of its requests fail and five times the baseline's."""


class Evidence(msgspec.Struct, frozen=True):
    """Everything that is known so far. `at` and `last_data` are seconds since the run began.

    `block_ticks` is the length of a block, `lookback_ticks` the baseline's ticks before the run that it was chosen
    from; `gaps` are the ticks without data by reason code; `obvious` is how many ticks running the canary was broken
    for anyone to see, `is_broken` whether the last one looks so. `passing` is what a pass compares; `has_error_series`
    is False where the canary's requests are counted and a series of its errors was never seen.
    """

    block_ticks: int
    lookback_ticks: int
    ratio: RatioEvidence | None
    limit: LimitEvidence | None
    floor: LimitEvidence | None
    canary: Counts = NO_COUNTS
    baseline: Counts = NO_COUNTS
    at: float = 0.0
    last_data: float = 0.0
    ticks: int = 0
    gaps: dict[str, int] = {}
    obvious: int = 0
    passing: PassEvidence | None = None
    has_error_series: bool = True
    is_broken: bool = False

    @property
    def is_obvious(self) -> bool:
        """Whether nobody needs a test to see that the canary is broken."""
        return self.obvious >= OBVIOUS_TICKS


def begin_evidence(settings: EvidenceSettings, lookback: Sequence[Counts | Gap] = ()) -> Evidence:
    """The evidence before the first tick. `lookback`: the baseline's ticks before the run, best an hour of them."""
    ticks = [tick for tick in lookback if isinstance(tick, Counts)]
    length = block_ticks(settings, ticks)
    spread = spread_of(ticks, length)
    return Evidence(
        length,
        len(ticks),
        None if settings.max_ratio is None else begin_ratio(settings, spread),
        None if settings.max_error_rate is None else LimitEvidence(),
        None if settings.min_error_rate is None else LimitEvidence(),
        passing=None if settings.max_ratio is None else PassEvidence(spread),
    )


def block_ticks(settings: EvidenceSettings, lookback: Sequence[Counts]) -> int:
    """Ticks of a block: `clump_span` rounded up, or what the lookback shows."""
    if settings.is_plain:
        return 1
    if settings.clump_span == AUTO:
        return clump_span(lookback, settings.interval)
    # 1e-9: in floats 2.1 / 0.7 is a little more than 3
    return math.ceil(float(settings.clump_span) / settings.interval - 1e-9)


def observe_tick(
    settings: EvidenceSettings, before: Evidence, at: float, canary: Counts | Gap, baseline: Counts | Gap
) -> Evidence:
    """The evidence after the tick that ended `at` seconds after the run began.

    A tick without data adds nothing to either side; nor does one of the warm-up, nor one that does not come after
    the last. Without a baseline the absolute limit still counts it.
    """
    if not before.at < at < math.inf:
        return _without(before, before.at, CLOCK)
    if at <= settings.warmup:
        return msgspec.structs.replace(before, at=at)
    if isinstance(canary, Gap):
        return _without(before, at, canary)
    gaps, ratio, passing, compared = before.gaps, before.ratio, before.passing, NO_COUNTS
    if ratio is not None and passing is not None:
        if isinstance(baseline, Gap):
            if before.limit is None:
                return _without(before, at, baseline)
            gaps = _counted(gaps, baseline)
        else:
            ratio, compared = observe_ratio(settings, ratio, before.block_ticks, canary, baseline), baseline
            passing = observe_shares(settings, passing, canary, baseline)
    is_broken = _is_broken(canary, compared)
    return Evidence(
        before.block_ticks,
        before.lookback_ticks,
        ratio,
        _add_counts(settings.max_error_rate, before.limit, before.block_ticks, canary),
        _add_counts(settings.min_error_rate, before.floor, before.block_ticks, canary),
        add_counts(before.canary, canary),
        add_counts(before.baseline, compared),
        at,
        at,
        before.ticks + 1,
        gaps,
        before.obvious + 1 if is_broken and canary.errors >= OBVIOUS_ERRORS else 0,
        passing,
        before.has_error_series,
        is_broken,
    )


def _is_broken(canary: Counts, baseline: Counts) -> bool:
    """Whether a tick with data on both sides shows a canary that is broken."""
    rate = canary.errors / canary.requests
    if canary.errors < BROKEN_ERRORS or rate < OBVIOUS_RATE or not baseline.requests:
        return False
    return rate * baseline.requests >= OBVIOUS_RATIO * baseline.errors


def begin_step(evidence: Evidence) -> Evidence:
    """The evidence where a step of the rollout begins: from here it is also asked by itself."""
    ratio, passing = evidence.ratio, evidence.passing
    return msgspec.structs.replace(
        evidence,
        ratio=begin_ratio_step(ratio) if ratio else None,
        passing=begin_pass_step(passing) if passing else None,
    )


def carry_evidence(settings: EvidenceSettings, evidence: Evidence, seconds: float) -> Evidence:
    """The evidence where a run that ended inconclusive goes on for so long: a canary may break in that time, too."""
    ratio = evidence.ratio
    if ratio is None:
        return evidence
    starts = carry_starts(ratio.starts, max(1, round(seconds / settings.interval)))
    return msgspec.structs.replace(evidence, ratio=msgspec.structs.replace(ratio, starts=starts))


def end_blocks(settings: EvidenceSettings, evidence: Evidence) -> Evidence:
    """The evidence with a block that is not full counted as it is; for the verdict at the horizon."""
    limit, floor = evidence.limit, evidence.floor
    return msgspec.structs.replace(
        evidence,
        ratio=end_block(settings, evidence.ratio, evidence.block_ticks) if evidence.ratio else None,
        limit=end_limit_block(settings.max_error_rate or 0.0, limit) if limit else None,
        floor=end_limit_block(settings.min_error_rate or 0.0, floor) if floor else None,
    )


def _add_counts(rate: float | None, before: LimitEvidence | None, length: int, canary: Counts) -> LimitEvidence | None:
    return None if rate is None or before is None else observe_limit(rate, before, length, canary)


def _without(before: Evidence, at: float, gap: Gap) -> Evidence:
    return msgspec.structs.replace(before, at=at, gaps=_counted(before.gaps, gap))


def _counted(gaps: dict[str, int], gap: Gap) -> dict[str, int]:
    return {**gaps, gap.reason: gaps.get(gap.reason, 0) + 1}
