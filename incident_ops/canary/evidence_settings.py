"""What canary evidence is asked for: limits, error probabilities, and what is assumed about the errors.

The ratios that it is kept for are one grid for the fail test, the pass test and the interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import itemgetter

from incident_ops.errors import UserError

_FIRST, _LAST, _NUMBER = 1.25, 64.0, 16


def _multiples() -> tuple[float, ...]:
    """Spaced evenly in w(w - 1): by their distance from 1 where they are small, by their size where they are large."""
    first, last = (edge * (edge - 1) for edge in (_FIRST, _LAST))
    spaced = (first * (last / first) ** (step / (_NUMBER - 1)) for step in range(_NUMBER))
    return tuple((1 + math.sqrt(1 + 4 * product)) / 2 for product in spaced)


MULTIPLES = _multiples()
"""How many times worse (or better) than a limit an alternative is, with equal weights (docs/decisions/0009)."""

LATE = slice(1, None, 2)
"""Those of them that beginnings within a run are asked about: every other one loses nothing there, and takes half the
time."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A limit and the alternatives to it, by their places in the grid.

    `pick` takes the alternatives out of a row, `pick_late` those that beginnings within a run are asked about.
    """

    limit: int
    places: tuple[int, ...]
    pick: Callable[[tuple[float, ...]], tuple[float, ...]]
    pick_late: Callable[[tuple[float, ...]], tuple[float, ...]]


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
        places = tuple(points.index(ratio) for ratio in alternatives)
        return Side(points.index(limit), places, itemgetter(*places), itemgetter(*places[LATE]))

    return Grid(points, tuple(map(math.log, points)), side(allowed, worse), side(unacceptable, better))


AUTO, NONE = "auto", "none"


@dataclass(frozen=True)
class EvidenceSettings:
    """What the evidence is for: fields of a gate file, durations in seconds, rates between 0 and 1.

    `max_ratio` None: no baseline, only the absolute limit `max_error_rate`. `good_error_rate`: below it a canary passes
    where the comparison cannot decide. `dispersion` "auto", "none" (independent errors are assumed: the plain Poisson
    test) or a number of 1 or more. `clump_span` "auto" or seconds. `steps` and `counted` are the plan of the rollout:
    its steps, and seconds that count in all of them, an extension included.
    """

    interval: float
    max_ratio: float | None = 1.0
    unacceptable_ratio: float = 2.0
    max_error_rate: float | None = None
    min_error_rate: float | None = None
    good_error_rate: float | None = None
    alpha: float = 0.01
    beta: float = 0.05
    dispersion: str | float = AUTO
    clump_span: str | float = AUTO
    warmup: float = 0.0
    min_requests: float = 0.0
    early_pass: bool = False
    steps: int = 1
    counted: float = 600.0

    def __post_init__(self) -> None:
        """UserError for settings that no evidence can be had for."""
        for name, sound, expected in self._demands():
            if not sound:
                raise UserError(f"{name}: {getattr(self, name)!r} cannot be used", hint=f"expected {expected}")

    def _demands(self) -> Iterable[tuple[str, bool, str]]:
        yield "interval", 0 < self.interval < math.inf, "more than 0 s"
        yield "max_ratio", self.max_ratio is None or 0 < self.max_ratio < 1e6, "a ratio above 0"
        if self.max_ratio is not None:
            over = self.max_ratio < self.unacceptable_ratio < 1e6
            yield "unacceptable_ratio", over, f"more than max_ratio ({self.max_ratio:g})"
        for name in ("max_error_rate", "min_error_rate", "good_error_rate"):
            rate = getattr(self, name)
            yield name, rate is None or 0 < rate < 1, "a rate between 0 % and 100 %"
        limited = self.max_ratio is not None or self.max_error_rate is not None
        yield "max_ratio", limited, "max_ratio or max_error_rate: without a limit there is nothing to judge"
        yield "alpha", 0 < self.alpha < 0.5, "a probability between 0 and 0.5"
        yield "beta", 0 < self.beta < 0.5, "a probability between 0 and 0.5"
        number = isinstance(self.dispersion, int | float) and 1 <= self.dispersion < 1e6
        yield "dispersion", self.dispersion in (AUTO, NONE) or number, "auto, none or a number of 1 or more"
        span = isinstance(self.clump_span, int | float) and 0 < self.clump_span < math.inf
        yield "clump_span", self.clump_span == AUTO or span, "auto or a duration"
        yield "warmup", 0 <= self.warmup < math.inf, "0 s or more"
        yield "steps", self.steps >= 1, "1 or more"
        yield "counted", 0 <= self.counted < math.inf, "0 s or more"
        yield "min_requests", 0 <= self.min_requests < math.inf, "0 or more"

    @cached_property
    def grid(self) -> Grid:
        """The ratios that the counts are weighed for."""
        return grid(self.max_ratio or 1.0, self.unacceptable_ratio)

    @cached_property
    def is_split(self) -> bool:
        """Whether a canary may fail for its ratio or for its own rate: each then has half of alpha."""
        return self.max_ratio is not None and self.max_error_rate is not None

    @cached_property
    def planned_ticks(self) -> int:
        """Ticks that are planned to count."""
        return max(1, round(self.counted / self.interval))

    @cached_property
    def level_ratio(self) -> float:
        """How many times the baseline's usual rate, or its rate now, a good canary may have on average."""
        return max(2.0, self.unacceptable_ratio) * (self.max_ratio or 1.0)

    @cached_property
    def fail_level(self) -> float:
        """ln of the evidence that a fail needs."""
        return math.log((2 if self.is_split else 1) / self.alpha)

    @cached_property
    def pass_level(self) -> float:
        """ln of the evidence that a pass needs."""
        return math.log(1 / self.beta)

    @cached_property
    def is_plain(self) -> bool:
        """Whether errors are taken to be independent of each other: counts alone decide."""
        return self.dispersion == NONE

    @cached_property
    def is_measured(self) -> bool:
        """Whether phi is taken from the errors themselves."""
        return self.dispersion == AUTO

    @cached_property
    def given_phi(self) -> float:
        """phi where it is not measured: the number given, or 1."""
        return float(self.dispersion) if isinstance(self.dispersion, int | float) else 1.0
