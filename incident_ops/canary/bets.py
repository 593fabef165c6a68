"""Bounded bets on a share: what each alternative's stake makes of 1, block by block.

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
from operator import mul

import msgspec

from incident_ops.canary.evidence_settings import MULTIPLES

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
    surplus, held = share - allowed, _held(allowed, errors, restraint)
    rows = zip(stakes.capitals, held)  # noqa: B905 - strict is slow
    return _in_range(tuple([capital * (1.0 + surplus * stake) for capital, stake in rows]), stakes.log_scale)


def bet_factors(share: float, allowed: float, errors: float, restraint: float = RESTRAINT) -> tuple[float, ...]:
    """What each bet multiplies its capital by; the arguments are those of `bet`."""
    surplus = share - allowed
    return tuple([1.0 + surplus * stake for stake in _held(allowed, errors, restraint)])


def bet_won(stakes: Stakes, factors: tuple[float, ...]) -> Stakes:
    """The capitals multiplied, and kept in range."""
    return _in_range(tuple(map(mul, stakes.capitals, factors)), stakes.log_scale)


def _held(allowed: float, errors: float, restraint: float) -> tuple[float, ...]:
    return stakes_held(round(math.log(allowed / (1 - allowed)) / STEP), errors, restraint)


def _in_range(capitals: tuple[float, ...], log_scale: float) -> Stakes:
    total = sum(capitals)
    if _SMALLEST < total < _LARGEST:
        return Stakes(capitals, log_scale)
    return Stakes(tuple([capital / total for capital in capitals]), log_scale + math.log(total))


def share_log_evidence(stakes: Stakes) -> float:
    """ln of the mean capital."""
    return stakes.log_scale + math.log(sum(stakes.capitals) / len(stakes.capitals))


@lru_cache(maxsize=4096)
def stakes_held(step: int, errors: float, restraint: float = RESTRAINT) -> tuple[float, ...]:
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
