"""Error counts of a canary and its baseline, tick by tick, in the shapes that mislead a test of counts.

Every shape has the same mean rate; the baseline has nine times the canary's traffic. All draws come from the generator
that is given, so that a seed fixes a whole table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Means = float | NDArray[np.float64]
Rng = np.random.Generator

BASELINE_SHARE = 9
HEAVY_SIZES = np.arange(1, 201)
HEAVY = HEAVY_SIZES**-1.5 / np.sum(HEAVY_SIZES**-1.5)


@dataclass(frozen=True)
class Setting:
    """A service and how it is polled: error rate, canary requests a second, tick and lookback in seconds."""

    rate: float
    rps: float
    tick: float
    horizon: float = 600.0
    lookback: float = 3600.0
    ratio: float = 1.0

    @property
    def ticks(self) -> int:
        """Ticks until the horizon."""
        return round(self.horizon / self.tick)

    @property
    def lookback_ticks(self) -> int:
        """Ticks of baseline before the run."""
        return round(self.lookback / self.tick)

    @property
    def requests(self) -> float:
        """Canary requests a tick."""
        return self.rps * self.tick

    @property
    def means(self) -> tuple[Means, Means, Means]:
        """Errors a tick that the canary, the baseline and the baseline before the run have on average."""
        mine, theirs = self.requests * self.rate * self.ratio, self.requests * BASELINE_SHARE * self.rate
        return mine, theirs, theirs

    def clipped(self, canary: Counts, baseline: Counts, lookback: Counts) -> Runs:
        """As runs; ticks of a few requests are left as they are drawn."""
        return Runs(canary, baseline, lookback)


@dataclass(frozen=True)
class Rollout(Setting):
    """Steps of equal length; `rps` is of the whole service, `shares` the canary's part of it in each step.

    Only ticks after each step's warm-up are drawn. `worse` multiplies the canary's mean, (runs, ticks).
    """

    shares: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75)
    counted: float = 240.0
    worse: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)

    @property
    def step_ticks(self) -> int:
        """Counted ticks of a step."""
        return round(self.counted / self.tick)

    @property
    def ticks(self) -> int:
        """Counted ticks of all steps."""
        return self.step_ticks * len(self.shares)

    @property
    def sides(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Requests a tick: canary and baseline (ticks,), and the baseline's before the run."""
        canary = np.repeat(np.array(self.shares), self.step_ticks) * self.requests
        return canary, self.requests - canary, self.requests

    @property
    def means(self) -> tuple[Means, Means, Means]:
        """As of a setting, tick by tick."""
        canary, baseline, before = (side * self.rate for side in self.sides)
        return canary * (self.ratio if self.worse is None else self.worse), baseline, before

    def clipped(self, canary: Counts, baseline: Counts, lookback: Counts) -> Runs:
        """As runs, with no more errors than requests."""
        return Runs(
            *(np.minimum(*both).astype(np.int64) for both in zip((canary, baseline, lookback), self.sides, strict=True))
        )


@dataclass(frozen=True)
class Runs:
    """Errors of many runs: canary and baseline (runs, ticks), baseline before the run (runs, lookback ticks)."""

    canary: Counts
    baseline: Counts
    lookback: Counts


Shape = Callable[[Rng, Setting, int], Runs]


def _early(mean: Means, early: int) -> Means:
    """Means with those of the ticks before the first."""
    return mean if np.ndim(mean) == 0 else np.pad(mean, [(0, 0)] * (np.ndim(mean) - 1) + [(early, 0)], mode="edge")


def clumped(rng: Rng, mean: Means, size: int, shape: tuple[int, int]) -> Counts:
    """Errors that come in clumps of `size`, `mean` errors a tick."""
    return size * rng.poisson(np.asarray(mean) / size, shape)


def heavy(rng: Rng, mean: Means, shape: tuple[int, int]) -> Counts:
    """Clumps of 1 to 200 errors, sizes as size^-1.5."""
    clumps = rng.poisson(mean / float(HEAVY @ HEAVY_SIZES), shape)
    sizes = rng.choice(HEAVY_SIZES, size=int(clumps.sum()), p=HEAVY)
    owner = np.repeat(np.arange(clumps.size), clumps.ravel())
    return np.bincount(owner, weights=sizes, minlength=clumps.size).astype(np.int64).reshape(shape)


def _sides(canary: int, baseline: int, early: int | None = None) -> Shape:
    """Clumps of these sizes on each side; `early` in the lookback, the baseline's own where not told."""

    def draw(rng: Rng, setting: Setting, runs: int) -> Runs:
        mine, theirs, before = setting.means
        return setting.clipped(
            clumped(rng, mine, canary, (runs, setting.ticks)),
            clumped(rng, theirs, baseline, (runs, setting.ticks)),
            clumped(rng, before, early or baseline, (runs, setting.lookback_ticks)),
        )

    return draw


def _heavy(rng: Rng, setting: Setting, runs: int) -> Runs:
    mine, theirs, before = setting.means
    return setting.clipped(
        heavy(rng, mine, (runs, setting.ticks)),
        heavy(rng, theirs, (runs, setting.ticks)),
        heavy(rng, before, (runs, setting.lookback_ticks)),
    )


def _bursts(size: int) -> Shape:
    """One tick in twenty is ten times as bad, for both sides; mean rate kept."""

    def draw(rng: Rng, setting: Setting, runs: int) -> Runs:
        mine, theirs, before = setting.means

        def level(ticks: int) -> NDArray[np.float64]:
            return np.where(rng.random((runs, ticks)) < 0.05, 10.0, 1.0) / 1.45

        now = level(setting.ticks)
        return setting.clipped(
            clumped(rng, mine * now, size, now.shape),
            clumped(rng, theirs * now, size, now.shape),
            clumped(rng, before * level(setting.lookback_ticks), size, (runs, setting.lookback_ticks)),
        )

    return draw


def _pods(cv: float) -> Shape:
    """The canary is one pod, the baseline nine; each pod's rate varies by itself each tick."""

    def draw(rng: Rng, setting: Setting, runs: int) -> Runs:
        mine, theirs, before = setting.means

        def level(pods: int, ticks: int) -> NDArray[np.float64]:
            return rng.gamma(pods / cv**2, cv**2 / pods, (runs, ticks))

        return setting.clipped(
            rng.poisson(mine * level(1, setting.ticks)),
            rng.poisson(theirs * level(BASELINE_SHARE, setting.ticks)),
            rng.poisson(before * level(BASELINE_SHARE, setting.lookback_ticks)),
        )

    return draw


def _spanning(size: int, seconds: float) -> Shape:
    """One cause's `size` errors come spread over time, each after an exponential delay of mean `seconds`."""

    def side(rng: Rng, mean: Means, tick: float, shape: tuple[int, int]) -> Counts:
        runs, ticks = shape
        early = int(np.ceil(8 * seconds / tick))  # causes before the first tick whose errors are still coming
        causes = rng.poisson(_early(mean, early) / size, (runs, ticks + early))
        owner = np.repeat(np.arange(causes.size), causes.ravel())
        run, at = np.divmod(owner, ticks + early)
        begin = (at - early + rng.random(owner.size)) * tick
        when = begin[:, None] + rng.exponential(seconds, (owner.size, size))
        place = np.floor(when / tick).astype(np.int64)
        kept = (place >= 0) & (place < ticks)
        flat = (run[:, None] * ticks + place)[kept]
        return np.bincount(flat, minlength=runs * ticks).reshape(shape)

    def draw(rng: Rng, setting: Setting, runs: int) -> Runs:
        mine, theirs, before = setting.means
        return setting.clipped(
            side(rng, mine, setting.tick, (runs, setting.ticks)),
            side(rng, theirs, setting.tick, (runs, setting.ticks)),
            side(rng, before, setting.tick, (runs, setting.lookback_ticks)),
        )

    return draw


def _blips(chance: float) -> Shape:
    """Each pod is 20 times worse for 60 s now and then: `chance` to begin in 15 s. The mean is higher for it."""

    def level(rng: Rng, runs: int, pods: int, setting: Setting, ticks: int) -> NDArray[np.float64]:
        length = max(1, round(60 / setting.tick))
        total = np.zeros((runs, ticks))
        for _pod in range(pods):
            begins = rng.random((runs, ticks + length - 1)) < chance * setting.tick / 15
            seen = np.cumsum(np.pad(begins, ((0, 0), (1, 0))), axis=1)
            total += np.where(seen[:, length:] > seen[:, :-length], 20.0, 1.0)
        return total / pods

    def draw(rng: Rng, setting: Setting, runs: int) -> Runs:
        mine, theirs, before = setting.means
        return setting.clipped(
            rng.poisson(mine * level(rng, runs, 1, setting, setting.ticks)),
            rng.poisson(theirs * level(rng, runs, BASELINE_SHARE, setting, setting.ticks)),
            rng.poisson(before * level(rng, runs, BASELINE_SHARE, setting, setting.lookback_ticks)),
        )

    return draw


SHAPES: Mapping[str, Shape] = {
    "ideal": _sides(1, 1),
    "clumps of 2, both": _sides(2, 2),
    "clumps of 5, both": _sides(5, 5),
    "clumps of 20, both": _sides(20, 20),
    "heavy-tailed clumps, both": _heavy,
    "clumps of 5, canary only": _sides(5, 1),
    "clumps of 20, canary only": _sides(20, 1),
    "clumps of 5, baseline only": _sides(1, 5),
    "clumps of 20, baseline only": _sides(1, 20),
    "clumps of 5, new with the run": _sides(5, 5, early=1),
    "clumps of 20, new with the run": _sides(20, 20, early=1),
    "bursts common to both": _bursts(1),
    "bursts in clumps of 5": _bursts(5),
    "noisy pods, cv 1": _pods(1),
    "noisy pods, cv 2": _pods(2),
}

SPANNING: Mapping[str, Shape] = {
    "5 errors over 15 s": _spanning(5, 15),
    "20 errors over 30 s": _spanning(20, 30),
    "20 errors over 60 s": _spanning(20, 60),
    "pods 20x worse for 60 s, 0.002": _blips(0.002),
    "pods 20x worse for 60 s, 0.01": _blips(0.01),
}
