"""The error ratios that evidence is kept for: one grid for the fail test, the pass test and the interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

_FIRST, _LAST, _NUMBER = 1.25, 64.0, 16


def _multiples() -> tuple[float, ...]:
    """Spaced evenly in w(w - 1): by their distance from 1 where they are small, by their size where they are large."""
    first, last = (edge * (edge - 1) for edge in (_FIRST, _LAST))
    spaced = (first * (last / first) ** (step / (_NUMBER - 1)) for step in range(_NUMBER))
    return tuple((1 + math.sqrt(1 + 4 * product)) / 2 for product in spaced)


MULTIPLES = _multiples()
"""How many times worse (or better) than a limit an alternative is, with equal weights (docs/decisions/0009)."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A limit and the alternatives to it, by their places in the grid; `pick` takes the alternatives out of a row."""

    limit: int
    places: tuple[int, ...]
    pick: Callable[[tuple[float, ...]], tuple[float, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Ratios in rising order and their logs; a fail asks the side `worse`, a pass the side `better`."""

    points: tuple[float, ...]
    logs: tuple[float, ...]
    worse: Side
    better: Side


@lru_cache(maxsize=16)
def grid(allowed: float, unacceptable: float) -> Grid:
    """34 ratios: both limits, 16 worse than `allowed` and 16 better than `unacceptable`.

    `allowed` < `unacceptable`, both positive.
    """
    worse = [allowed * multiple for multiple in MULTIPLES]
    better = [unacceptable / multiple for multiple in MULTIPLES]
    points = tuple(sorted({allowed, unacceptable, *worse, *better}))

    def side(limit: float, alternatives: list[float]) -> Side:
        places = tuple(points.index(one) for one in alternatives)
        return Side(points.index(limit), places, itemgetter(*places))

    return Grid(points, tuple(map(math.log, points)), side(allowed, worse), side(unacceptable, better))
