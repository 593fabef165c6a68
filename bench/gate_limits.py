"""Percentages of simulated runs, and how sure they are."""

from __future__ import annotations

import math

import numpy as np


def percent(flags: np.ndarray) -> float:
    """The share of true ones, in percent."""
    return round(100 * float(np.mean(flags)), 3)


def upper(share: float, runs: int) -> float:
    """The 95 % upper limit (Wilson, one-sided) of a percentage seen in so many runs."""
    z, p = 1.6449, share / 100
    middle, half = p + z * z / (2 * runs), z * math.sqrt(p * (1 - p) / runs + z * z / (4 * runs * runs))
    return round(100 * (middle + half) / (1 + z * z / runs), 3)
