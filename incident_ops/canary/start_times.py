"""Evidence from every moment on: so that a canary that breaks late is not excused by its good past.

A product of factors from the begin of a run has to work off what was won by being good. So each e-process is begun
anew at every tick, with a part of 1 given out beforehand: pi_t for the beginnings at tick t. With f_t the factor of a
tick, one number for each alternative (every other one: `LATE`) holds all beginnings: A <- (A + pi_t) f_t. What has not
been given out yet counts as itself. M = 0.7 E + A + rest is one non-negative supermartingale that begins at 1, so alpha
holds once over the whole rollout, however many beginnings there are: Shiryaev's and Roberts' sums with a prior. Shin,
Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", NEJSDS 2024.

Counts (`counts`) and shares (`shares`) keep 0.7 for the run as a whole, 0.2 for the first counted ticks of its steps
and 0.1 for all ticks. The level test (`levels`, see `level_test`) has no evidence of the whole: half and half.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul

import msgspec

from incident_ops.canary.evidence_settings import LATE, MULTIPLES, EvidenceSettings

WHOLE, OF_STEPS, OF_TICKS = 0.7, 0.2, 0.1
LEVEL_OF_STEPS, LEVEL_OF_TICKS = 0.5, 0.5
FOR_LATER = 0.2
"""Part of what the ticks get that is kept for a run that a person carries on."""

LEVEL_PART = 0.05
"""Weight of the level test beside the shares: more costs canaries that are twice as bad, less finds dead ones later."""

_MOST, _LARGEST_LOG, _SURE = 1e250, 130.0, 600.0
"""Rows end at 1e250; a tick multiplies by e^130 at most; ln E beyond 600 needs no company."""

PerRatio = tuple[float, ...]
UNBEGUN: PerRatio = (0.0,) * len(MULTIPLES[LATE])
UNTOUCHED: PerRatio = (1.0,) * len(UNBEGUN)


class StartTimes(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The beginnings of the three e-processes, one number for each of the `LATE` MULTIPLES, and the step by itself.

    `unspent` and `level_unspent` have not been given out yet, `waiting` and `level_waiting` are of the ticks of a block
    that has not ended. `begins`: the next tick is the first of a step; `step_shares` and `step_levels` are the bets of
    its `step_blocks` blocks. A run that was carried on `carried` times gives `each` and `level_each` to its ticks, up
    to number `until`.
    """

    counts: PerRatio = UNBEGUN
    shares: PerRatio = UNBEGUN
    levels: PerRatio = UNBEGUN
    unspent: float = OF_STEPS + OF_TICKS
    level_unspent: float = LEVEL_OF_STEPS + LEVEL_OF_TICKS
    waiting: float = 0.0
    level_waiting: float = 0.0
    ticks: int = 0
    steps: int = 0
    begins: bool = True
    step_shares: PerRatio = UNTOUCHED
    step_levels: PerRatio = UNTOUCHED
    step_blocks: int = 0
    carried: int = 0
    until: int = 0
    each: float = 0.0
    level_each: float = 0.0


def carry_starts(before: StartTimes, ticks: int) -> StartTimes:
    """Where a run that ended inconclusive goes on for so many ticks: they get half of what is still kept for that."""
    part = FOR_LATER * 0.5 ** (before.carried + 1) / ticks
    return msgspec.structs.replace(
        before,
        carried=before.carried + 1,
        until=before.ticks + ticks,
        each=OF_TICKS * part,
        level_each=LEVEL_OF_TICKS * part,
    )


def begin_steps(before: StartTimes) -> StartTimes:
    """Where a step of the rollout begins."""
    return msgspec.structs.replace(before, begins=True, step_shares=UNTOUCHED, step_levels=UNTOUCHED, step_blocks=0)


def after_tick(
    settings: EvidenceSettings,
    before: StartTimes,
    gains: Sequence[float] | None,
    phi: float,
    shares: PerRatio | None = None,
    levels: PerRatio | None = None,
) -> StartTimes:
    """After a tick's counts: `gains` are ln of its factors before they are divided by `phi`, None where all are 0.

    `shares` and `levels` where it ends a block: the factors of that block's bets on the share of errors (None where it
    had none), and on the level.
    """
    part, level = _parts(settings, before)
    counts = _grown_by_counts(before.counts, part, gains, phi)
    return _after(before, counts, before.ticks + 1, part, level, shares, levels)


def after_block(before: StartTimes, shares: PerRatio | None, levels: PerRatio) -> StartTimes:
    """After a block that ends with a tick that has been counted."""
    return _after(before, before.counts, before.ticks, 0.0, 0.0, shares, levels)


def _after(
    before: StartTimes,
    counts: PerRatio,
    ticks: int,
    part: float,
    level: float,
    shares: PerRatio | None,
    levels: PerRatio | None,
) -> StartTimes:
    """After so many ticks, the last of which gave `part` and `level`; `levels` where a block ends."""
    waiting, level_waiting, blocks = before.waiting + part, before.level_waiting + level, before.step_blocks
    grown, grown_levels, step_shares, step_levels = before.shares, before.levels, before.step_shares, before.step_levels
    if levels is not None:
        if shares:
            grown, step_shares = _grown(grown, waiting, shares), _kept_finite(tuple(map(mul, step_shares, shares)))
        else:
            grown = tuple([one + waiting for one in grown])
        grown_levels = _grown(grown_levels, level_waiting, levels)
        step_levels = _kept_finite(tuple(map(mul, step_levels, levels)))
        waiting, level_waiting, blocks = 0.0, 0.0, blocks + 1
    is_ticked = ticks != before.ticks
    return StartTimes(
        counts,
        grown,
        grown_levels,
        before.unspent - part,
        before.level_unspent - level,
        waiting,
        level_waiting,
        ticks,
        before.steps + (before.begins and is_ticked),
        before.begins and not is_ticked,
        step_shares,
        step_levels,
        blocks,
        before.carried,
        before.until,
        before.each,
        before.level_each,
    )


def _grown_by_counts(row: PerRatio, part: float, gains: Sequence[float] | None, phi: float) -> PerRatio:
    if gains is None:
        return tuple([one + part for one in row])
    exp = math.exp
    if max(gains) > _LARGEST_LOG * phi:
        return _grown(row, part, [exp(min(gain / phi, _LARGEST_LOG)) for gain in gains])
    grown = tuple([(one + part) * exp(gain / phi) for one, gain in zip(row, gains)])  # noqa: B905 - strict is slow
    return _kept_finite(grown)


def _grown(row: PerRatio, part: float, factors: Sequence[float]) -> PerRatio:
    """A row with what its beginnings at this moment get, multiplied."""
    return _kept_finite(tuple([(one + part) * factor for one, factor in zip(row, factors)]))  # noqa: B905 - strict is slow


def _kept_finite(row: PerRatio) -> PerRatio:
    """The row, never beyond what a number can hold."""
    return row if sum(row) < _MOST else tuple([min(one, _MOST) for one in row])


def _parts(settings: EvidenceSettings, before: StartTimes) -> tuple[float, float]:
    """What the beginnings at this tick get, of counts and shares and of the level test."""
    part = level = 0.0
    if before.ticks < settings.planned_ticks:
        part = OF_TICKS * (1 - FOR_LATER) / settings.planned_ticks
        level = LEVEL_OF_TICKS * (1 - FOR_LATER) / settings.planned_ticks
    elif before.ticks < before.until:
        part, level = before.each, before.level_each
    if before.begins and before.steps < settings.steps:
        part += OF_STEPS / settings.steps
        level += LEVEL_OF_STEPS / settings.steps
    return part, level


def log_counts(starts: StartTimes, whole: float) -> float:
    """ln M of the counts, where ln E of the whole run is `whole`."""
    return _log_sum(whole, sum(starts.counts) / len(starts.counts) + starts.unspent)


def log_bets(starts: StartTimes, whole: float) -> float:
    """ln M of the shares, joined with the level test, where ln E of the shares of the whole run is `whole`."""
    levels = sum(starts.levels) / len(starts.levels) + starts.level_unspent + starts.level_waiting
    shares = sum(starts.shares) / len(starts.shares) + starts.unspent + starts.waiting
    return _log_sum(whole + _LOG_SHARES, (1 - LEVEL_PART) * shares + LEVEL_PART * levels)


_LOG_WHOLE, _LOG_SHARES = math.log(WHOLE), math.log(1 - LEVEL_PART)


_LEAST = 1e-300
"""No sum is less: after many requests of a good canary both parts are smaller than a float can be."""


def _log_sum(log_whole: float, rest: float) -> float:
    """ln (0.7 e^log_whole + rest)."""
    if log_whole > _SURE:
        return log_whole + _LOG_WHOLE
    return math.log(max(WHOLE * math.exp(log_whole) + rest, _LEAST))
