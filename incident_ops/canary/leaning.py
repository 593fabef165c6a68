"""Whether the evidence of late leans against the canary: then it gets no more traffic yet.

No promise of alpha is made here: it holds a step for a tick or two, it never fails anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import accumulate
from operator import add, mul

from incident_ops.canary.bets import bet_factors
from incident_ops.canary.counters import NORMAL_99, phi, spread_since
from incident_ops.canary.evidence import Evidence, end_blocks
from incident_ops.canary.evidence_settings import LATE, EvidenceSettings
from incident_ops.canary.level_test import BlockCounts, level_factors
from incident_ops.canary.ratio_test import RatioEvidence, worse_gains
from incident_ops.canary.start_times import UNTOUCHED, PerRatio

LEANING = 3.0
"""Evidence from which on it leans: in good rollouts that holds a step in 2 to 7 of 100 (bench/gate.py)."""

LEANS_WORSE = "leans_worse"
"""Reason code: it looks worse, too little for a fail and too much for more traffic."""

_LARGEST_LOG = 575.0


def is_leaning(settings: EvidenceSettings, evidence: Evidence) -> bool:
    """Whether the evidence since the step began, or of the last minute, leans against the canary.

    And where its last tick is broken: that tick alone is little evidence where ticks are short.
    """
    return evidence.is_broken or lean(settings, evidence) >= LEANING


def lean(settings: EvidenceSettings, evidence: Evidence) -> float:
    """The weaker of two evidences against the canary: by counts, and by its share and its level in equal parts.

    Each is the mean over the beginnings of the last minute's blocks and of the step. 1 where nothing is compared.
    """
    if evidence.ratio is None:
        return 1.0
    ratio = end_blocks(settings, evidence).ratio
    if ratio is None or not ratio.starts.step_blocks:
        return 1.0
    late = ratio.recent[-ratio.starts.step_blocks :]
    divisor = _divisor(settings, evidence, ratio)
    counts = _mean([_since_step(settings, ratio, divisor), *_count_starts(settings, late, divisor)])
    if settings.is_plain:
        return counts
    shares = _mean([_average(ratio.starts.step_shares), *_starts(_share_rows(late))])
    levels = _mean([_average(ratio.starts.step_levels), *_starts(level_factors(one.canary, one.level) for one in late)])
    return min(counts, (shares + levels) / 2)


def _divisor(settings: EvidenceSettings, evidence: Evidence, ratio: RatioEvidence) -> float:
    """phi of the baseline: with its lookback, or in the run alone where its errors began to come in clumps."""
    if evidence.passing is None or not settings.is_measured:
        return ratio.fail_phi
    return max(ratio.fail_phi, phi(spread_since(ratio.baseline_spread, evidence.passing.lookback), NORMAL_99))


def _since_step(settings: EvidenceSettings, ratio: RatioEvidence, divisor: float) -> float:
    """By counts, since the step began."""
    side, begin = settings.grid.worse, ratio.step_scores
    allowed = ratio.scores[side.limit] - begin[side.limit]
    grown = zip(side.pick_late(ratio.scores), side.pick_late(begin), strict=True)
    return _average([_exp((now - before - allowed) / divisor) for now, before in grown])


def _count_starts(settings: EvidenceSettings, late: Iterable[BlockCounts], divisor: float) -> Iterator[float]:
    rows = []
    for (errors, requests), (others, traffic) in ((one.canary, one.baseline) for one in late):
        gains = worse_gains(settings.grid, errors, errors + others, traffic / requests)
        rows.append(gains or [0.0] * len(UNTOUCHED))
    for sums in accumulate(reversed(rows), lambda total, row: list(map(add, total, row))):
        yield _average([_exp(one / divisor) for one in sums])


def _share_rows(late: Iterable[BlockCounts]) -> Iterator[PerRatio]:
    for one in late:
        errors = one.canary.errors + one.baseline.errors
        yield bet_factors(one.canary.errors / errors, one.share, errors)[LATE] if errors else ()


def _starts(rows: Iterable[PerRatio]) -> Iterator[float]:
    """The evidence from each block on, the last block's first; () is a block without errors."""
    known = list(rows)
    product: PerRatio | None = None
    for row in reversed(known):
        if row:
            product = row if product is None else tuple(map(mul, product, row))
        yield 1.0 if product is None else _average(product)


def _exp(log: float) -> float:
    return math.exp(min(log, _LARGEST_LOG))


def _average(row: Iterable[float]) -> float:
    return _mean([*row])


def _mean(row: list[float]) -> float:
    return sum(row) / len(row)
