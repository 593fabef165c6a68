"""The canary's own rate against what its baseline usually has, or has now: time as the control.

A bet on the share of errors wins at most ln(1/q) a block where a fraction q of the traffic is the canary's: above one
half no test of shares is fast. The rate of a block lies between 0 and 1 as a share does, so the same bets are fair,
whatever a clump's size, against "the canary's rate is c at most on average". c is `unacceptableRatio` times the
baseline's rate, at least twice: the larger of the rate it had before (the lookback and the run up to this block, with
room for chance and clumps) and that of its last minute, so that an incident that both sides share does not count.
"""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec

from incident_ops.canary.bets import STEP, stakes_held
from incident_ops.canary.counters import Counts, DispersionSums
from incident_ops.canary.evidence_settings import LATE, EvidenceSettings

LEAST_LEVEL, MOST_LEVEL = 0.001, 0.5
"""What c is kept between: a canary below 0.1 % is fine, and a rate above one half cannot double."""

RECENT_SECONDS, FEWEST_RECENT = 60.0, 4
"""How long `now` is, and in how many blocks at least."""


class BlockCounts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A block that has ended: both sides' counts, the share of the errors and the rate that the canary may have."""

    canary: Counts
    baseline: Counts
    share: float
    level: float


def is_minute(settings: EvidenceSettings, length: int, blocks: int) -> bool:
    """Whether so many blocks of `length` ticks are the last minute, or at least four."""
    return blocks >= FEWEST_RECENT and blocks * length * settings.interval >= RECENT_SECONDS - 1e-9


def level_allowed(settings: EvidenceSettings, past: DispersionSums, phi: float, recent: Counts) -> float:
    """c, from the baseline's blocks before this one (their dispersion `phi`) and its last minute with this one."""
    if not past.requests:
        return MOST_LEVEL
    usual = (math.sqrt(past.errors + phi) + math.sqrt(phi)) ** 2 / past.requests
    level = settings.level_ratio * max(usual, recent.errors / recent.requests)
    return min(max(level, LEAST_LEVEL), MOST_LEVEL)


def level_factors(canary: Counts, allowed: float) -> tuple[float, ...]:
    """What each bet that the canary's rate is above `allowed` multiplies by; stakes are for a rounded number."""
    errors, requests = canary
    surplus = errors / requests - allowed
    held = _stakes(round(math.log(allowed / (1 - allowed)) / STEP), round(math.log(requests) / STEP))
    return tuple([1.0 + surplus * stake for stake in held])


@lru_cache(maxsize=4096)
def _stakes(odds: int, requests: int) -> tuple[float, ...]:
    return stakes_held(odds, math.exp(requests * STEP))[LATE]
