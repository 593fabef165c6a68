"""How clumped errors are: their variance over what independent errors would have."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

LONGEST_SPAN = 120.0
"""Seconds of the longest block that `clumpSpan: auto` chooses: five blocks in ten minutes."""

FEWEST_PAIRS = 8
"""Pairs of blocks below which a lookback cannot show whether blocks belong together."""

_NORMAL_95 = 1.6448536269514722


class DispersionSums(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Sums over blocks of ticks: number of blocks, errors, requests, and errors^2 / requests."""

    blocks: int = 0
    errors: float = 0.0
    requests: float = 0.0
    squares: float = 0.0


def add_block(spread: DispersionSums, errors: float, requests: float) -> DispersionSums:
    """The sums with one more block; `requests` > 0."""
    return DispersionSums(
        spread.blocks + 1,
        spread.errors + errors,
        spread.requests + requests,
        spread.squares + errors * errors / requests,
    )


def dispersion_index(spread: DispersionSums) -> float:
    """Pearson's dispersion index: variance over mean where traffic is even; 1 where there is too little to tell."""
    if spread.blocks < 2 or spread.errors == 0:
        return 1.0
    return (spread.squares * spread.requests / spread.errors - spread.errors) / (spread.blocks - 1)


def dispersion_limit(degrees: int) -> float:
    """The index that independent errors exceed in one of twenty cases: chi-squared over its degrees of freedom.

    Wilson and Hilferty's cube, within 1 % from 3 degrees on.
    """
    part = 2 / (9 * degrees)
    return float((1 - part + _NORMAL_95 * part**0.5) ** 3)


def phi(spread: DispersionSums) -> float:
    """What to divide the log evidence by: the index where it is significant, else 1."""
    measured = dispersion_index(spread)
    return measured if measured > 1 and measured > dispersion_limit(spread.blocks - 1) else 1.0


def spread_of(ticks: Sequence[tuple[float, float]], length: int) -> DispersionSums:
    """The sums over whole blocks of `length` ticks of (errors, requests); a rest at the end is left out."""
    spread = DispersionSums()
    for first in range(0, len(ticks) - length + 1, length):
        block = ticks[first : first + length]
        requests = sum(tick[1] for tick in block)
        if requests > 0:
            spread = add_block(spread, sum(tick[0] for tick in block), requests)
    return spread


def clump_span(ticks: Sequence[tuple[float, float]], interval: float) -> int:
    """The shortest block, in ticks of `interval` seconds, whose dispersion does not grow when the block is doubled.

    Errors of one cause then end within the block: its neighbours go their own ways. Lengths double from one tick to
    `LONGEST_SPAN`. Growth has to be significant (5 %): among n pairs of independent blocks, the index of the pairs
    over that of the blocks lies within 1 +- 1/sqrt(n) or so.
    """
    length = 1
    while 2 * length * interval <= LONGEST_SPAN:
        pairs = len(ticks) // (2 * length)
        if pairs < FEWEST_PAIRS or not grows(ticks, length, pairs):
            break
        length *= 2
    return length


def grows(ticks: Sequence[tuple[float, float]], length: int, pairs: int) -> bool:
    """Whether blocks of `length` ticks vary more together than each by itself."""
    alone, together = dispersion_index(spread_of(ticks, length)), dispersion_index(spread_of(ticks, 2 * length))
    return together > alone * (1 + _NORMAL_95 / math.sqrt(pairs))
