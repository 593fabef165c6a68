"""The error ratios that evidence is kept for: one grid for the fail test, the pass test and the interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

MULTIPLES: tuple[float, ...] = tuple(1.25 * (128 / 1.25) ** (step / 23) for step in range(24))
"""How many times worse (or better) than a limit an alternative is; equal weights in every mixture."""

_BETWEEN = 10


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
    """About 60 ratios: both limits, 24 worse than `allowed`, 24 better than `unacceptable`, and some between.

    `allowed` < `unacceptable`, both positive.
    """
    worse = [allowed * multiple for multiple in MULTIPLES]
    better = [unacceptable / multiple for multiple in MULTIPLES]
    low, high = allowed / 2, unacceptable * 2
    between = [low * (high / low) ** (step / (_BETWEEN - 1)) for step in range(_BETWEEN)]
    points = tuple(sorted({allowed, unacceptable, *worse, *better, *between}))

    def side(limit: float, alternatives: list[float]) -> Side:
        places = tuple(points.index(one) for one in alternatives)
        return Side(points.index(limit), places, itemgetter(*places))

    return Grid(points, tuple(map(math.log, points)), side(allowed, worse), side(unacceptable, better))


@lru_cache(maxsize=256)
def mixed_logs(among: Grid, traffic: float) -> tuple[float, ...]:
    """ln(v + traffic) of each ratio v; `traffic` = baseline requests per canary request of a tick."""
    log = math.log
    return tuple([log(point + traffic) for point in among.points])
