"""Evidence on the canary's error rate against a fixed rate: the absolute limit, or the floor below which nothing fails.

Two e-processes again: binomial errors, divided by phi, and bounded bets on the error rate of each
block, which hold for clumps of any size. A fail needs both. A pass has the first alone: a bet that nothing is wrong
would gain next to nothing in a block and lose nearly all.
"""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec

from incident_ops.canary import ratio_test
from incident_ops.canary.counters import Counts, add_counts
from incident_ops.canary.dispersion import DispersionSums, add_block, phi
from incident_ops.canary.evidence_settings import MULTIPLES, EvidenceSettings
from incident_ops.canary.ratio_test import EVEN, Stakes


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
    above = ratio_test.bet(before.above, errors / requests, limit, requests)
    return LimitEvidence(before.total, Counts(0.0, 0.0), 0, add_block(before.spread, errors, requests), above)


def log_above(settings: EvidenceSettings, limit: float, evidence: LimitEvidence, baseline_phi: float) -> float:
    """ln of the evidence that the rate is above `limit`; both e-processes, unless errors are taken as independent."""
    counts = _mixed(_terms(limit, True), evidence.total, limit_phi(settings, evidence, baseline_phi))
    return counts if settings.is_plain else min(counts, ratio_test.share_log_evidence(evidence.above))


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
