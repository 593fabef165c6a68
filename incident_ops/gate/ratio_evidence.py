"""Evidence on the ratio of the canary's error rate to the baseline's: two e-processes for each verdict.

Counts weigh every tick; bets on the share, and the spread that gives phi, go by blocks of ticks.
"""

from __future__ import annotations

import msgspec

from incident_ops.gate import count_test, share_test
from incident_ops.gate.count_test import Scores, Weights
from incident_ops.gate.counters import Counts, plus
from incident_ops.gate.dispersion import Spread, add_block, phi
from incident_ops.gate.evidence_settings import Settings
from incident_ops.gate.share_test import EVEN, Stakes


class Block(msgspec.Struct, frozen=True, array_like=True):
    """The ticks of a block so far: their sums, and the errors expected on the canary at each of the two limits."""

    ticks: int = 0
    canary: Counts = Counts(0.0, 0.0)
    baseline: Counts = Counts(0.0, 0.0)
    allowed: float = 0.0
    unacceptable: float = 0.0


NO_TICKS = Block()


class RatioEvidence(msgspec.Struct, frozen=True):
    """What was learnt about the ratio. `matched` are the two sums of the Mantel-Haenszel ratio."""

    scores: Scores
    baseline_spread: Spread
    canary_spread: Spread = Spread()
    worse: Stakes = EVEN
    better: Stakes = EVEN
    matched: tuple[float, float] = (0.0, 0.0)
    block: Block = NO_TICKS


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
    settings: Settings, before: RatioEvidence, length: int, canary: Counts, baseline: Counts
) -> RatioEvidence:
    """The evidence after a tick with requests on both sides, where a block has `length` ticks."""
    mine, requests = canary
    theirs, others = baseline
    errors, both, block = mine + theirs, requests + others, before.block
    allowed, unacceptable = settings.max_ratio or 1.0, settings.unacceptable_ratio
    filled = Block(
        block.ticks + 1,
        plus(block.canary, canary) if block.ticks else canary,
        plus(block.baseline, baseline) if block.ticks else baseline,
        block.allowed + errors * allowed * requests / (allowed * requests + others),
        block.unacceptable + errors * unacceptable * requests / (unacceptable * requests + others),
    )
    scores = count_test.add_errors(settings.grid, before.scores, mine, theirs, others / requests)
    matched = (before.matched[0] + mine * others / both, before.matched[1] + theirs * requests / both)
    if filled.ticks >= length:
        return _bet(before, scores, matched, filled)
    spreads = before.baseline_spread, before.canary_spread
    return RatioEvidence(scores, *spreads, before.worse, before.better, matched, filled)


def end_block(before: RatioEvidence) -> RatioEvidence:
    """The evidence with the ticks of the last block bet on and added to the spread."""
    return _bet(before, before.scores, before.matched, before.block) if before.block.ticks else before


def _bet(before: RatioEvidence, scores: Scores, matched: tuple[float, float], block: Block) -> RatioEvidence:
    errors = block.canary.errors + block.baseline.errors
    worse, better = before.worse, before.better
    if errors:
        share = block.canary.errors / errors
        worse = share_test.bet(worse, share, block.allowed / errors, errors)
        better = share_test.bet(better, 1 - share, 1 - block.unacceptable / errors, errors)
    return RatioEvidence(
        scores,
        add_block(before.baseline_spread, *block.baseline),
        add_block(before.canary_spread, *block.canary),
        worse,
        better,
        matched,
        NO_TICKS,
    )


def weigh_ratio(settings: Settings, evidence: RatioEvidence) -> RatioWeight:
    """The evidence for each verdict as it stands.

    phi of a fail is the baseline's; of a pass the larger of the baseline's and the canary's own: a canary
    whose errors come in clumps would else pass by luck.
    """
    grid = settings.grid
    fail_phi, pass_phi = _phis(settings, evidence)
    weights = count_test.weigh(evidence.scores, fail_phi)
    fail_counts = count_test.log_evidence(weights, grid.worse)
    if pass_phi == fail_phi:
        pass_counts = count_test.log_evidence(weights, grid.better)
    else:
        pass_counts = count_test.log_evidence_at(evidence.scores, grid.better, pass_phi)
    fail_shares, pass_shares = fail_counts, pass_counts
    if not settings.is_plain:
        fail_shares, pass_shares = share_test.log_evidence(evidence.worse), share_test.log_evidence(evidence.better)
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


def _phis(settings: Settings, evidence: RatioEvidence) -> tuple[float, float]:
    if not settings.is_measured:
        return settings.given_phi, settings.given_phi
    baseline = phi(evidence.baseline_spread)
    return baseline, max(baseline, phi(evidence.canary_spread))
