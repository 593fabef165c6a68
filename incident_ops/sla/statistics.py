"""Lengths of time of many clocks, told so that a few long ones do not hide: never a mean alone."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor
from statistics import fmean, median
from typing import NamedTuple


class Spread(NamedTuple):
    """How many there are, and the median, 90th percentile (nearest rank: one of them) and mean, in whole seconds."""

    n: int
    median: int
    p90: int
    mean: int


def spread(seconds: Iterable[int]) -> Spread | None:
    """None where there is nothing to tell."""
    ordered = sorted(seconds)
    if not ordered:
        return None
    ninth = ordered[ceil(0.9 * len(ordered)) - 1]
    return Spread(len(ordered), round(median(ordered)), ninth, round(fmean(ordered)))


def percent(part: int, whole: int) -> float | None:
    """A share with one decimal, rounded down, so that 94.96 never reads as 95; None of nothing."""
    return floor(1000 * part / whole) / 10 if whole else None
