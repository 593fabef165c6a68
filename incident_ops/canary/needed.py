"""How much more an inconclusive canary needs before it can pass, if it goes on as good as it has to be."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from incident_ops.canary.counters import Counts, phi
from incident_ops.canary.evidence import Evidence, end_blocks, limit_phi, log_below
from incident_ops.canary.evidence_settings import EvidenceSettings
from incident_ops.canary.pass_test import (
    NO_SHARES,
    PassEvidence,
    ShareSums,
    add_shares,
    add_tick,
    fewest_blocks,
    good_chance,
    look_levels,
    looks_left,
    pass_phi,
    unacceptable_chance,
)

OVERHEAD = 1.6
"""Requests needed over the information bound, where an absolute limit alone is judged (bench/gate.py)."""

_MOST = 1e12
_CLOSE = 1.01


class Needed(NamedTuple):
    """What is needed still at the traffic seen last: canary requests, ticks with data, and their seconds."""

    requests: float
    ticks: float
    seconds: float


def still_needed(settings: EvidenceSettings, evidence: Evidence, look: int) -> Needed | None:
    """What a pass at look number `look` needs still; None where that is unknown, will not come, or no look is left."""
    if looks_left(look) < 0:
        return None
    ended = end_blocks(settings, evidence)
    passing = ended.passing
    of_limit = _requests_below_limit(settings, ended)
    if passing is None:
        requests, a_tick = of_limit, ended.canary.requests / ended.ticks if ended.ticks else 0.0
    else:
        recent = passing.step if passing.step.ticks else passing.earlier
        a_tick = recent.canary_requests / recent.ticks if recent.ticks else 0.0
        requests = max(of_limit, a_tick * _ticks_of_comparison(settings, ended, passing, recent, look)) if a_tick else 0
    requests = max(requests, settings.min_requests - ended.canary.requests)
    if not a_tick or not requests < _MOST:
        return None
    ticks = math.ceil(requests / a_tick - 1e-6)
    return Needed(requests, ticks, ticks * settings.interval)


def _ticks_of_comparison(
    settings: EvidenceSettings, ended: Evidence, passing: PassEvidence, recent: ShareSums, look: int
) -> float:
    if ended.ratio is None:
        return math.inf
    whole, spreads = passing.whole, (ended.ratio.baseline_spread, ended.ratio.canary_spread)
    divisor = pass_phi(settings, passing.lookback, *spreads)
    level, good_level = look_levels(settings, look, divisor)
    usual = max(whole.baseline_errors, 0.5) / whole.baseline_requests
    mine, theirs = recent.canary_requests / recent.ticks, recent.baseline_requests / recent.ticks
    good = Counts(mine * min(usual * (settings.max_ratio or 1.0), 1.0), mine)
    tick = add_tick(settings, NO_SHARES, good, Counts(theirs * usual, theirs))

    def is_enough(ticks: float) -> bool:
        sums = add_shares(whole, times(tick, ticks))
        if unacceptable_chance(sums, divisor) <= level:
            return True
        own = good_chance(settings.good_error_rate, sums, divisor) if ended.has_error_series else None
        return own is not None and own <= good_level

    blocks = fewest_blocks(settings, passing.lookback.blocks) - ended.ratio.canary_spread.blocks
    return max(blocks * ended.block_ticks, least_enough(is_enough, _MOST / mine))


def least_enough(is_enough: Callable[[float], bool], most: float) -> float:
    """The least number that is enough, to one percent or one half; infinite beyond `most`."""
    if is_enough(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while not is_enough(high):
        low, high = high, 2 * high
        if high > most:
            return math.inf
    while high > _CLOSE * low and high - low > 0.5:
        middle = (low + high) / 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def times(tick: ShareSums, number: float) -> ShareSums:
    """The sums of so many ticks like this one."""
    return ShareSums(
        tick.ticks,
        tick.canary_errors * number,
        tick.canary_requests * number,
        tick.baseline_errors * number,
        tick.baseline_requests * number,
        tick.allowed * number,
        tick.unacceptable * number,
    )


def _requests_below_limit(settings: EvidenceSettings, ended: Evidence) -> float:
    """Canary requests until its rate is known to be below `max_error_rate`; 0 without one, infinite where it is not."""
    limit, kept = settings.max_error_rate, ended.limit
    if limit is None or kept is None:
        return 0.0
    rate = (ended.canary.errors + 0.5) / (ended.canary.requests + 1)
    speed = limit - rate + rate * math.log(rate / limit)  # nats per request: the divergence of two Poisson laws
    if rate >= limit or speed <= 0:
        return math.inf
    base = phi(ended.ratio.baseline_spread) if ended.ratio and settings.is_measured else settings.given_phi
    lack = settings.pass_level - log_below(settings, limit, kept, base)
    return OVERHEAD * max(lack, 0.0) * limit_phi(settings, kept, base) / speed
