"""The rule of a fail over many runs at once: evidence from every moment on, and the level test, as numpy arrays.

The formulas are those of incident_ops/canary (start_times, level_test, leaning), written out again for traffic that
moves from step to step; `bench/gate.py` and tests/canary/test_evidence_batch.py hold them to the product's own code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from gate_batch import LEVELS, LEVELS_99, OURS, Evidence, Floats, log_mean, spans
from gate_shapes import BASELINE_SHARE, Rollout, Runs, Setting
from numpy.typing import NDArray

from incident_ops.canary.bets import BOLDEST
from incident_ops.canary.evidence import BROKEN_ERRORS, OBVIOUS_RATE, OBVIOUS_RATIO
from incident_ops.canary.evidence_settings import LATE
from incident_ops.canary.leaning import LEANING

WHOLE, TICKS, STEPS, KEPT, LEVEL_PART = 0.7, 0.1, 0.2, 0.2, 0.05


@dataclass(frozen=True)
class Traffic:
    """Requests a tick of canary and baseline (ticks,), of the baseline before the run, and the steps' first ticks."""

    tick: float
    canary: Floats
    baseline: Floats
    before: float
    begins: tuple[int, ...] = (0,)
    planned: int = 0

    @property
    def ends(self) -> tuple[int, ...]:
        """The last tick of each step."""
        return (*(begin - 1 for begin in self.begins[1:]), len(self.canary) - 1)


def even(setting: Setting) -> Traffic:
    """One step with the setting's traffic."""
    requests = np.full(setting.ticks, setting.requests)
    return Traffic(setting.tick, requests, requests * BASELINE_SHARE, setting.requests * BASELINE_SHARE)


def rollout(setting: Rollout) -> Traffic:
    """The traffic of a rollout."""
    return Traffic(setting.tick, *setting.sides, tuple(range(0, setting.ticks, setting.step_ticks)))


@dataclass(frozen=True)
class Found:
    """ln of the evidence after each tick, (runs, ticks): the rule, and the one it replaces.

    `allowed` is c of each tick's block, `phi` what leaning divides counts by, `lengths` (runs,) are the blocks' ticks.
    """

    rule: Evidence
    before: Evidence
    allowed: Floats
    phi: Floats
    lengths: NDArray[np.int64]


@dataclass
class _Spread:
    """The baseline's blocks so far: number, errors, requests, errors^2 / requests."""

    number: int
    errors: Floats
    requests: float
    squares: Floats

    def add(self, errors: Floats, requests: float) -> None:
        self.number += 1
        self.errors = self.errors + errors
        self.requests += requests
        self.squares = self.squares + errors**2 / requests

    def phi(self, levels: Floats = LEVELS) -> Floats:
        if self.number < 2:
            return np.ones(len(self.errors))
        with np.errstate(divide="ignore", invalid="ignore"):
            index = (self.squares * self.requests / self.errors - self.errors) / (self.number - 1)
        index = np.where(self.errors > 0, index, 1.0)
        return np.where((index > 1) & (index > levels[self.number - 1]), index, 1.0)


def _past(runs: Runs, traffic: Traffic, length: int) -> _Spread:
    whole = runs.lookback.shape[1] // length * length
    blocks = runs.lookback[:, :whole].reshape(len(runs.lookback), -1, length).sum(axis=2).astype(float)
    requests = traffic.before * length
    return _Spread(blocks.shape[1], blocks.sum(axis=1), requests * blocks.shape[1], (blocks**2).sum(axis=1) / requests)


def _stakes(allowed: Floats, number: Floats) -> Floats:
    """Stakes for a share or rate `allowed` (runs,) in blocks of `number` errors or requests (runs,)."""
    odds = np.exp(np.rint(np.log(allowed / (1 - allowed)) / OURS.step) * OURS.step)[:, None]
    near, many = odds / (1 + odds), number[:, None]
    edge = OURS.grid * odds / (1 + OURS.grid * odds) - near
    damping = OURS.restraint * np.maximum(1 - 1 / many, 0.0)
    return np.asarray(np.minimum(BOLDEST / near, edge / (near * (1 - near) / many + damping * edge**2)))


def _share_factors(mine: Floats, errors: Floats, allowed: Floats) -> Floats:
    some = np.maximum(errors, 1)
    surplus = np.where(errors > 0, mine / some - allowed, 0.0)
    return 1 + _stakes(allowed, some) * surplus[:, None]


def _level_factors(mine: Floats, requests: float, allowed: Floats) -> Floats:
    rounded = np.exp(np.rint(np.log(requests) / OURS.step) * OURS.step)
    return 1 + _stakes(allowed, np.full(len(mine), rounded)) * (mine / requests - allowed)[:, None]


def found(runs: Runs, traffic: Traffic, length: int = 1, limit: float = 1.0, unacceptable: float = 2.0) -> Found:
    """The evidence of a fail in blocks of `length` ticks."""
    number, ticks = runs.canary.shape
    rows = [np.empty((number, ticks)) for _name in range(6)]
    walk = _Walk(runs, traffic, length, (limit, unacceptable))
    for tick in range(ticks):
        for row, now in zip(rows, walk.tick(tick), strict=True):
            row[:, tick] = now
    return Found(Evidence(*rows[:2]), Evidence(*rows[2:4]), rows[4], rows[5], np.full(number, length))


class _Walk:
    """The runs tick by tick; `limits` are `maxRatio` and `unacceptableRatio`."""

    def __init__(self, runs: Runs, traffic: Traffic, length: int, limits: tuple[float, float]) -> None:
        number = len(runs.canary)
        self._runs, self._traffic, self._length, self._limits = runs, traffic, length, limits
        self._state = _Beginnings(number, len(traffic.begins), traffic.planned or runs.canary.shape[1])
        self._spread, self._own = _past(runs, traffic, length), _Spread(0, np.zeros(number), 0.0, np.zeros(number))
        self._first, self._allowed, self._expected = 0, np.full(number, 0.5), np.zeros(number)
        self._worse, self._mixed = np.zeros((number, len(OURS.grid))), np.zeros((number, len(OURS.grid)))

    def tick(self, tick: int) -> tuple[Floats, ...]:
        """ln of the evidence by counts and shares, the same by the rule before, c, and phi of leaning."""
        n, m, limit = self._traffic.canary[tick], self._traffic.baseline[tick], self._limits[0]
        x = self._runs.canary[:, tick]
        k = x + self._runs.baseline[:, tick]
        self._expected += k * limit * n / (limit * n + m)
        block = slice(self._first, tick + 1)
        is_full, is_last = block.stop - block.start == self._length, tick + 1 == self._runs.canary.shape[1]
        usual = self._spread.errors, self._spread.requests, self._spread.phi()
        if is_full:
            self._add(block)
        phi, ratios = self._spread.phi(), limit * OURS.grid
        gain = x[:, None] * np.log(OURS.grid) - k[:, None] * np.log((n * ratios + m) / (n * limit + m))
        self._worse += gain
        self._state.tick(gain[:, LATE] / phi[:, None], tick in self._traffic.begins)
        if is_full or is_last:
            if not is_full:
                self._add(block)
                phi = self._spread.phi()
            self._end(block, usual)
        whole = log_mean(self._worse / phi[:, None]), log_mean(self._mixed)
        return *self._state.logs(*whole), *whole, self._allowed, np.maximum(phi, self._own.phi(LEVELS_99))

    def _add(self, block: slice) -> None:
        for spread in (self._spread, self._own):
            errors = self._runs.baseline[:, block].sum(axis=1).astype(float)
            spread.add(errors, self._traffic.baseline[block].sum())

    def _end(self, block: slice, usual: tuple[Floats, float, Floats]) -> None:
        """Bet on a block that has ended, where the baseline had errors, requests and phi as `usual` before it."""
        traffic, length = self._traffic, self._length
        mine = self._runs.canary[:, block].sum(axis=1).astype(float)
        errors = mine + self._runs.baseline[:, block].sum(axis=1)
        share = np.where(errors > 0, self._expected / np.maximum(errors, 1), 0.5)
        recent = max(4, int(np.ceil(60 / (traffic.tick * length) - 1e-9))) * length
        first = max(0, block.stop - recent + (length - (block.stop - block.start)))
        self._allowed = _allowed(self._runs, traffic, usual, (first, block.stop), *self._limits)
        factors = _share_factors(mine, errors, share)
        self._mixed += np.log(factors)
        level = _level_factors(mine, traffic.canary[block].sum(), self._allowed)
        self._state.block(factors[:, LATE], level[:, LATE])
        self._first, self._expected = block.stop, np.zeros(len(mine))


def _allowed(
    runs: Runs,
    traffic: Traffic,
    usual: tuple[Floats, float, Floats],
    recent: tuple[int, int],
    limit: float,
    unacceptable: float,
) -> Floats:
    """c of the block that ends now."""
    errors, requests, phi = usual
    if not requests:
        return np.full(len(errors), 0.5)
    past = (np.sqrt(errors + phi) + np.sqrt(phi)) ** 2 / requests
    now = runs.baseline[:, slice(*recent)].sum(axis=1) / traffic.baseline[slice(*recent)].sum()
    return np.clip(max(2.0, unacceptable) * limit * np.maximum(past, now), 0.001, 0.5)


class _Beginnings:
    """Sums over beginnings, (runs, alternatives), and what has not been given out."""

    def __init__(self, runs: int, steps: int, ticks: int) -> None:
        self._counts, self._shares, self._levels = (np.zeros((runs, len(OURS.grid[LATE]))) for _row in range(3))
        self._of_tick, self._of_step = (1 - KEPT) / ticks, 1 / steps
        self._left, self._spent, self._waiting = ticks, [0.0, 0.0], [0.0, 0.0]

    def tick(self, logs: Floats, begins: bool) -> None:
        of_tick = self._of_tick if self._left > 0 else 0.0
        of_step = self._of_step if begins else 0.0
        self._left -= 1
        for place, part in enumerate((TICKS * of_tick + STEPS * of_step, 0.5 * of_tick + 0.5 * of_step)):
            self._spent[place] += part
            self._waiting[place] += part
        part = TICKS * of_tick + STEPS * of_step
        self._counts = np.minimum((self._counts + part) * np.exp(np.minimum(logs, 130.0)), 1e250)

    def block(self, shares: Floats, levels: Floats) -> None:
        self._shares = np.minimum((self._shares + self._waiting[0]) * shares, 1e250)
        self._levels = np.minimum((self._levels + self._waiting[1]) * levels, 1e250)
        self._waiting = [0.0, 0.0]

    def logs(self, counts: Floats, shares: Floats) -> tuple[Floats, Floats]:
        rest = 1 - WHOLE - self._spent[0]
        by_counts = np.logaddexp(np.log(WHOLE) + counts, np.log(self._counts.mean(axis=1) + rest))
        level = self._levels.mean(axis=1) + 1 - self._spent[1] + self._waiting[1]
        late = (1 - LEVEL_PART) * (self._shares.mean(axis=1) + rest + self._waiting[0]) + LEVEL_PART * level
        return by_counts, np.logaddexp(np.log(WHOLE * (1 - LEVEL_PART)) + shares, np.log(late))


def by_own_span(runs: Runs, traffic: Traffic) -> Found:
    """`clumpSpan: auto`: each run in blocks of the length that its own lookback chooses."""
    lengths = spans(runs.lookback, traffic.tick)
    whole = Found(*(Evidence(*(np.empty(runs.canary.shape) for _row in range(2))) for _rule in range(2)),
                  *(np.empty(runs.canary.shape) for _row in range(2)), lengths)  # fmt: skip
    for length in np.unique(lengths):
        chosen = lengths == length
        part = found(picked(runs, chosen), traffic, int(length))
        for mine, other in ((whole.rule, part.rule), (whole.before, part.before)):
            mine.counts[chosen], mine.shares[chosen] = other.counts, other.shares
        whole.allowed[chosen], whole.phi[chosen] = part.allowed, part.phi
    return whole


def picked(runs: Runs, chosen: NDArray[np.bool_]) -> Runs:
    """Some of the runs."""
    return Runs(runs.canary[chosen], runs.baseline[chosen], runs.lookback[chosen])


def held(runs: Runs, traffic: Traffic, seen: Found, end: int) -> NDArray[np.bool_]:
    """Whether the step whose last tick is `end` is held: its evidence leans, or that tick is broken."""
    x, y, n, m = runs.canary[:, end], runs.baseline[:, end], traffic.canary[end], traffic.baseline[end]
    is_broken = (x >= BROKEN_ERRORS) & (x / n >= OBVIOUS_RATE) & (x / n * m >= OBVIOUS_RATIO * y)
    return is_broken | (leans(runs, traffic, seen, end) >= LEANING)


def leans(runs: Runs, traffic: Traffic, seen: Found, end: int, limit: float = 1.0) -> Floats:
    """The evidence that leans against the canary at the end of the step whose last tick is `end`."""
    lean = np.empty(len(runs.canary))
    for length in np.unique(seen.lengths):
        chosen = seen.lengths == length
        phi, allowed = seen.phi[chosen, end], seen.allowed[chosen]
        lean[chosen] = _lean(picked(runs, chosen), traffic, phi, allowed, (end, int(length)), limit)
    return lean


def _lean(runs: Runs, traffic: Traffic, phi: Floats, allowed: Floats, block: tuple[int, int], limit: float) -> Floats:
    end, length = block
    begin = max(first for first in traffic.begins if first <= end)
    late = max(4, int(np.ceil(60 / (traffic.tick * length) - 1e-9)))
    rows = [np.zeros((len(runs.canary), len(OURS.grid[LATE]))) for _row in range(3)]
    means: list[list[Floats]] = [[], [], []]
    firsts = list(range(begin, end + 1, length))
    for number, first in enumerate(reversed(firsts)):
        ticks = slice(first, min(first + length, end + 1))
        for row, part in zip(rows, _logs(runs, traffic, allowed[:, ticks.stop - 1], ticks, limit), strict=True):
            row += part[:, LATE]
        for times in (number < late, first == begin):
            if times:
                for mean, log in zip(means, (rows[0] / phi[:, None], rows[1], rows[2]), strict=True):
                    mean.append(np.exp(np.minimum(log_mean(log), 575.0)))
    counts, shares, levels = (np.mean(mean, axis=0) for mean in means)
    return np.asarray(np.minimum(counts, (shares + levels) / 2))


def _logs(runs: Runs, traffic: Traffic, allowed: Floats, block: slice, limit: float) -> Iterator[Floats]:
    n, m = float(traffic.canary[block].sum()), float(traffic.baseline[block].sum())
    x, y = (side[:, block].sum(axis=1) for side in (runs.canary, runs.baseline))
    k, ratios = x + y, limit * OURS.grid
    yield x[:, None] * np.log(OURS.grid) - k[:, None] * np.log((n * ratios + m) / (n * limit + m))
    yield np.log(_share_factors(x, k, np.full(len(x), limit * n / (limit * n + m))))
    yield np.log(_level_factors(x, n, allowed))
