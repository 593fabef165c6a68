"""The gate's tests over many runs at once, as numpy arrays: volume for the simulation.

The formulas are those of incident_ops/gate; `bench/gate.py` and tests/canary/test_evidence_batch.py hold them to the
product's own code, run by run. Traffic is even: `traffic` = baseline requests per canary request of a tick.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gate_shapes import BASELINE_SHARE, Counts, Runs
from numpy.typing import NDArray
from scipy.special import betainc

from incident_ops.canary.bets import BOLDEST, RESTRAINT, STEP
from incident_ops.canary.counters import FEWEST_PAIRS, LONGEST_SPAN, NORMAL_99, dispersion_limit
from incident_ops.canary.evidence_settings import MULTIPLES
from incident_ops.canary.pass_test import (
    CLUMP_GUARD,
    CLUMPED,
    FEWEST_ALONE,
    FEWEST_COUNTED,
    FIRST_LOOK,
    SELF_LEVEL,
    look_part,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """What the tests are made of: the alternatives, the restraint of stakes, and the step odds are rounded to."""

    grid: Floats
    restraint: float
    step: float | None


OURS = Rule(np.array(MULTIPLES), RESTRAINT, STEP)
PAPER = Rule(1.25 * (128 / 1.25) ** np.linspace(0, 1, 24), 0.0, None)
"""The plain rule: 24 alternatives spaced evenly in their logs, Kelly's first term alone."""


@dataclass(frozen=True)
class Evidence:
    """ln of the evidence after each tick, (runs, ticks): by counts divided by phi, and by shares."""

    counts: Floats
    shares: Floats

    @property
    def both(self) -> Floats:
        """A verdict needs both."""
        return np.minimum(self.counts, self.shares)


def log_mean(logs: Floats) -> Floats:
    """ln of the mean of exp over the last axis."""
    top = logs.max(axis=-1)
    return np.asarray(top + np.log(np.exp(logs - top[..., None]).mean(axis=-1)))


def _by_tick(value: Floats, ticks: int, length: int) -> Floats:
    """What is known at the end of each block, tick by tick; 0 before the first end."""
    return np.concatenate([np.zeros((len(value), 1)), value], axis=1)[:, _ended(ticks, length)]


def _log_counts(canary: Counts, errors: Counts, traffic: float, limit: float, others: Floats, phi: Floats) -> Floats:
    """ln E of counts against `limit`, mixed over the ratios `others`."""
    total, both = np.cumsum(canary, axis=1), np.cumsum(errors, axis=1)
    found = np.empty(total.shape)
    gain, loss = np.log(others / limit), np.log((others + traffic) / (limit + traffic))
    for tick in range(total.shape[1]):
        logs = total[:, tick, None] * gain - both[:, tick, None] * loss
        found[:, tick] = log_mean(logs / phi[:, tick, None])
    return found


def _log_shares(mine: Counts, errors: Counts, allowed: float, rule: Rule) -> Floats:
    """ln E of bets on the share of `mine` among `errors`."""
    odds, grid = allowed / (1 - allowed), rule.grid
    if rule.step is not None:
        odds = math.exp(round(math.log(odds) / rule.step) * rule.step)
    near = odds / (1 + odds)
    edge = grid * odds / (1 + grid * odds) - near
    logs, found = np.zeros((len(mine), len(grid))), np.empty(mine.shape)
    for tick in range(mine.shape[1]):
        k = np.maximum(errors[:, tick, None], 1)
        surplus = np.where(errors[:, tick, None] > 0, mine[:, tick, None] / k - allowed, 0.0)
        spread = near * (1 - near) / k
        stake = np.minimum(BOLDEST / near, edge / (spread + rule.restraint * (1 - 1 / k) * edge**2))
        logs += np.log1p(stake * surplus)
        found[:, tick] = log_mean(logs)
    return found


LEVELS = np.array([1.0, *(dispersion_limit(degrees) for degrees in range(1, 10_000))])
LEVELS_99 = np.array([1.0, *(dispersion_limit(degrees, NORMAL_99) for degrees in range(1, 10_000))])


def running_phi(before: Counts, during: Counts, length: int, levels: Floats = LEVELS) -> Floats:
    """phi after each tick of the run, from whole blocks of the lookback and the blocks of the run so far."""
    past = _blocks(before[:, : before.shape[1] // length * length], length).astype(float)
    now = _blocks(during, length).astype(float)
    starts = np.arange(0, during.shape[1], length)
    sizes = np.minimum(length, during.shape[1] - starts) / length  # the last block may be short

    def grown(past_part: Floats, now_part: Floats) -> Floats:
        first = past_part.sum(axis=-1, keepdims=True)
        return np.concatenate([first, first + np.cumsum(now_part, axis=-1)], axis=-1)

    number = past.shape[1] + np.arange(now.shape[1] + 1)
    sums = grown(past, now), grown(past**2, now**2 / sizes), grown(np.ones(past.shape[1]), sizes)
    phi = _phi(number, *sums, levels)
    return np.asarray(phi[:, _ended(during.shape[1], length)])


def _phi(number: NDArray[np.int64], errors: Floats, squares: Floats, requests: Floats, levels: Floats) -> Floats:
    """The dispersion index where it is significant, else 1."""
    index = _index(number, errors, squares, requests)
    return np.where((index > 1) & (index > levels[np.maximum(number - 1, 0)]), index, 1.0)


def _index(number: NDArray[np.int64], errors: Floats, squares: Floats, requests: Floats) -> Floats:
    """The dispersion index of blocks of even traffic; `requests` in those of one whole block."""
    with np.errstate(divide="ignore", invalid="ignore"):
        index = (squares * requests / errors - errors) / (number - 1)
    return np.where((errors > 0) & (number >= 2), index, 1.0)


def _ended(ticks: int, length: int) -> NDArray[np.int64]:
    """Blocks that have ended after each tick; the last tick ends the last."""
    ended = (np.arange(ticks) + 1) // length
    ended[-1] = -(-ticks // length)
    return ended


def _blocks(counts: Counts, length: int) -> Counts:
    """Sums over blocks of `length` ticks; the last may be short."""
    if not counts.shape[1]:
        return counts
    return np.add.reduceat(counts, np.arange(0, counts.shape[1], length), axis=1)


def spans(before: Counts, tick: float) -> NDArray[np.int64]:
    """The block length that each run's lookback chooses."""
    chosen, length, growing = np.ones(len(before), dtype=np.int64), 1, np.ones(len(before), dtype=bool)
    while 2 * length * tick <= LONGEST_SPAN:
        pairs = before.shape[1] // (2 * length)
        if pairs < FEWEST_PAIRS:
            break
        together, alone = _whole_index(before, 2 * length), _whole_index(before, length)
        growing &= together > alone * (1 + 1.6448536269514722 / pairs**0.5)
        length *= 2
        chosen[growing] = length
    return chosen


def _whole_phi(before: Counts, length: int) -> Floats:
    number = before.shape[1] // length
    index = _whole_index(before, length)
    return np.where((index > 1) & (index > LEVELS[max(number - 1, 0)]), index, 1.0)


def _whole_index(before: Counts, length: int) -> Floats:
    blocks = _blocks(before[:, : before.shape[1] // length * length], length).astype(float)
    number = blocks.shape[1]
    return _index(np.array(number), blocks.sum(axis=1), (blocks**2).sum(axis=1), np.array(float(number)))


def plain_fails(runs: Runs, limit: float = 1.0, rule: Rule = OURS) -> Floats:
    """`dispersion: none`: evidence that the canary is worse than `limit` times the baseline."""
    phi = np.ones(runs.canary.shape)
    return _log_counts(runs.canary, runs.canary + runs.baseline, float(BASELINE_SHARE), limit, limit * rule.grid, phi)


def plain_passes(runs: Runs, limit: float = 2.0) -> Floats:
    """`dispersion: none`: evidence that the canary is better than `limit` times the baseline."""
    phi = np.ones(runs.canary.shape)
    return _log_counts(runs.canary, runs.canary + runs.baseline, float(BASELINE_SHARE), limit, limit / OURS.grid, phi)


def fails(runs: Runs, length: int, limit: float = 1.0, rule: Rule = OURS) -> Evidence:
    """Evidence that the canary is worse than `limit` times the baseline, in blocks of `length` ticks."""
    traffic, errors = float(BASELINE_SHARE), runs.canary + runs.baseline
    phi = running_phi(runs.lookback, runs.baseline, length)
    counts = _log_counts(runs.canary, errors, traffic, limit, limit * rule.grid, phi)
    allowed = limit / (limit + traffic)
    shares = _log_shares(_blocks(runs.canary, length), _blocks(errors, length), allowed, rule)
    return Evidence(counts, _by_tick(shares, errors.shape[1], length))


def passes(runs: Runs, length: int, limit: float = 2.0, rule: Rule = OURS, traffic: float = BASELINE_SHARE) -> Evidence:
    """Evidence that the canary is better than `limit` times the baseline; phi the larger of both sides'."""
    errors = runs.canary + runs.baseline
    own = running_phi(runs.lookback[:, :0], runs.canary, length)
    phi = np.maximum(running_phi(runs.lookback, runs.baseline, length), own)
    counts = _log_counts(runs.canary, errors, traffic, limit, limit / rule.grid, phi)
    allowed = traffic / (limit + traffic)
    shares = _log_shares(_blocks(runs.baseline, length), _blocks(errors, length), allowed, rule)
    return Evidence(counts, _by_tick(shares, errors.shape[1], length))


@dataclass(frozen=True)
class Look:
    """What a look at the end of every run sees: chances of so few errors, phi, and whether the run is long enough.

    `unacceptable`: were the canary as bad as the limit; `own`: of so many, were it as good as its baseline.
    """

    unacceptable: Floats
    own: Floats
    phi: Floats
    errors: Floats
    is_long: bool

    def passes(self, beta: float, look: int = 1) -> NDArray[np.bool_]:
        """Whether the comparison lets it pass at look number `look`."""
        part = beta * look_part(look)
        return self.is_long & (self.unacceptable <= np.where(self.phi > 1, CLUMPED, 1.0) * part)

    def is_low(self, rate: float, requests: float, beta: float, guard: float = CLUMP_GUARD) -> NDArray[np.bool_]:
        """Whether the canary's own rate is below `rate`, and no worse than its baseline's."""
        divisor = np.maximum(self.phi, guard)
        chance = at_most(self.errors / divisor, requests / divisor, rate)
        return self.is_long & (chance <= FIRST_LOOK * beta) & (self.own >= SELF_LEVEL)


def at_most(errors: Floats, trials: Floats, share: float | Floats) -> Floats:
    """The chance of at most `errors` of `trials`, not only of whole numbers; 1 without any."""
    others = trials - errors
    return np.where(others > 0, betainc(np.maximum(others, 1e-300), errors + 1, 1 - share), 1.0)


def at_least(errors: Floats, trials: Floats, share: float | Floats) -> Floats:
    """The chance of at least `errors` of `trials`."""
    return np.where(errors > 0, betainc(np.maximum(errors, 1e-300), trials - errors + 1, share), 1.0)


def look(runs: Runs, length: int, limit: float = 2.0, traffic: float = BASELINE_SHARE, plain: bool = False) -> Look:
    """What is seen at the end of the runs, in blocks of `length` ticks; `plain`: errors are taken as independent."""
    canary, both = runs.canary.sum(axis=1).astype(float), (runs.canary + runs.baseline).sum(axis=1).astype(float)
    phi = np.ones(len(canary)) if plain else pass_phi(runs, length)
    unacceptable = at_most(canary / phi, both / phi, limit / (limit + traffic))
    own = at_least(canary / phi, both / phi, 1 / (1 + traffic))
    fewest = FEWEST_COUNTED if runs.lookback.shape[1] // length >= FEWEST_ALONE else FEWEST_ALONE
    return Look(unacceptable, own, phi, canary, plain or -(-runs.canary.shape[1] // length) >= fewest)


def pass_phi(runs: Runs, length: int) -> Floats:
    """phi of a pass: the largest of the baseline's, before and with the run, and of each side's in the run alone."""
    none = runs.lookback[:, :0]
    parts = [running_phi(runs.lookback, runs.baseline, length)[:, -1], _whole_phi(runs.lookback, length)]
    parts += [running_phi(none, side, length, LEVELS_99)[:, -1] for side in (runs.baseline, runs.canary)]
    return np.asarray(np.maximum.reduce(parts))


def look_by_own_span(runs: Runs, tick: float, limit: float = 2.0, traffic: float = BASELINE_SHARE) -> Look:
    """The same with `clumpSpan: auto`: each run in blocks of the length that its own lookback chooses.

    `is_long` is that of the shortest blocks; a run whose blocks are too few has the chance 1.
    """
    lengths, whole = spans(runs.lookback, tick), np.ones((4, len(runs.canary)))
    for length in np.unique(lengths):
        chosen = lengths == length
        part = look(
            Runs(runs.canary[chosen], runs.baseline[chosen], runs.lookback[chosen]), int(length), limit, traffic
        )
        whole[2:, chosen] = part.phi, part.errors
        if part.is_long:
            whole[:2, chosen] = part.unacceptable, part.own
    return Look(whole[0], whole[1], whole[2], whole[3], is_long=True)


def by_own_span(judged: Callable[[Runs, int], Evidence], runs: Runs, tick: float) -> Evidence:
    """`clumpSpan: auto`: each run in blocks of the length that its own lookback chooses."""
    lengths, whole = spans(runs.lookback, tick), Evidence(np.empty(runs.canary.shape), np.empty(runs.canary.shape))
    for length in np.unique(lengths):
        chosen = lengths == length
        part = judged(Runs(runs.canary[chosen], runs.baseline[chosen], runs.lookback[chosen]), int(length))
        whole.counts[chosen], whole.shares[chosen] = part.counts, part.shares
    return whole
