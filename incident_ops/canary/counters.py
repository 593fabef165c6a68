"""From what a metric source answers to the counts of one tick: resets are safe, and a bad value counts as no data.

A bad value is never counted, neither as success nor as failure: the tick has no data, for a reason with a name.

And how clumped the errors that were counted are: their variance over what independent errors would have.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

NO_SAMPLES, NO_CANARY_TRAFFIC, NO_BASELINE = "no_data", "no_canary_traffic", "no_baseline"
"""Reason codes for ticks without data."""

NO_NEW_SAMPLE = "no_new_sample"
"""Reason code of a reading that brought nothing new: no tick at all, the next one covers its time too."""

OLDEST_SAMPLE = 150.0
"""Seconds after which a sample is not current any more: two and a half of the longest usual scrape interval."""

_KNOWN = 10.0
"""A new series may have counted so many times what the known ones have; with more it is older than the tick."""

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LARGEST = 2.0**53


class Gap(NamedTuple):
    """A tick without data: its reason code, and what was wrong, for people."""

    reason: str
    text: str


CLOCK = Gap(NO_SAMPLES, "the clock went backwards")


class Counts(NamedTuple):
    """Errors and requests of one side in one tick."""

    errors: float
    requests: float


def add_counts(first: Counts, second: Counts) -> Counts:
    """Both together."""
    return Counts(first.errors + second.errors, first.requests + second.requests)


class Reading(NamedTuple):
    """The raw counters of one side at one instant, each series by its own name (its labels).

    `times` are the instants at which series were sampled, in unix seconds, where that is known. `parts`: of how many
    counters the values are made, where they are sums; 0 where each is one counter.
    """

    errors: Mapping[str, float]
    requests: Mapping[str, float]
    times: Mapping[str, float] = {}
    parts: float = 0

    @property
    def newest(self) -> float | None:
        """When the newest sample was taken; None where that is not known."""
        return max(self.times.values(), default=None)


class Meter(NamedTuple):
    """The counters of both sides as they stood at the same instant; None where that side could not be read then."""

    canary: Reading | None = None
    baseline: Reading | None = None


def to_count(value: object) -> float | str:
    """The value as a count, or what is wrong with it. Text is read as plain decimal, as Prometheus writes it."""
    if value is None:
        return "missing"
    if isinstance(value, str):
        return to_count(float(value)) if _NUMBER.fullmatch(value) else f"not a number: {value[:20]!r}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"not a number: {type(value).__name__}"
    if not math.isfinite(value):
        return "not a number: NaN" if math.isnan(value) else "infinite"
    if value < 0:
        return f"negative: {value:g}"
    return float(value) if value <= _LARGEST else f"too large for a count: {value:g}"


def to_counts(errors: object, requests: object, side: str) -> Counts | Gap:
    """Errors and requests of `side` ("canary", "baseline") in one tick, or why there are none.

    Zero requests and more errors than requests are no data either.
    """
    missing = NO_BASELINE if side == "baseline" else NO_SAMPLES
    failed, all_of = to_count(errors), to_count(requests)
    if isinstance(all_of, str):
        return Gap(missing, f"{side} requests: {all_of}")
    if isinstance(failed, str):
        return Gap(missing, f"{side} errors: {failed}")
    return _sound(Counts(failed, all_of), side)


def to_reading(errors: Mapping[str, object], requests: Mapping[str, object], side: str) -> Reading | Gap:
    """The raw counters of `side` at one instant; no request series, or one bad value: then it counts as no data.

    Errors without a series have not happened yet: zero, where requests are there.
    """
    missing = NO_BASELINE if side == "baseline" else NO_SAMPLES
    if not requests:
        return Gap(missing, f"{side} requests: no series")
    sound: dict[str, dict[str, float]] = {"errors": {}, "requests": {}}
    for name, series in (("errors", errors), ("requests", requests)):
        for key, value in series.items():
            number = to_count(value)
            if isinstance(number, str):
                return Gap(missing, f"{side} {name}{f' of {key}' if key else ''}: {number}")
            sound[name][key] = number
    return Reading(sound["errors"], sound["requests"])


def difference(before: Reading, after: Reading, side: str) -> Counts | Gap:
    """What was counted between two readings. A counter that fell was reset: its new value is what was counted since.

    A series that is new began at zero; one that is gone has counted nothing more. Where a fall can be no reset, or a
    new series is older than the tick, nothing is known of the time between.
    """
    if unclear := _unclear(before, after, side):
        return Gap(NO_BASELINE if side == "baseline" else NO_SAMPLES, f"{side}: {unclear}; it counts from here")
    return _sound(Counts(_grown(before.errors, after.errors), _grown(before.requests, after.requests)), side)


def read_tick(
    before: Meter, canary: Reading | Gap, baseline: Reading | Gap
) -> tuple[Counts | Gap, Counts | Gap, Meter]:
    """What both sides counted since `before`, and the meter for the next tick.

    Both sides always cover the same time. Where the canary cannot be read, or either side has no new sample, the next
    tick covers this one's time too. Where only the baseline cannot be read, it begins anew with its next reading.
    """
    if isinstance(canary, Gap):
        return canary, baseline if isinstance(baseline, Gap) else canary, before
    waiting = _waiting(before.canary, canary, "canary")
    if waiting is None and not isinstance(baseline, Gap):
        waiting = _waiting(before.baseline, baseline, "baseline")
    if waiting is not None:
        return waiting, baseline if isinstance(baseline, Gap) else waiting, before
    counted = _since(before.canary, canary, "canary")
    if isinstance(baseline, Gap):
        return counted, baseline, Meter(_remember(before.canary, canary), None)
    after = Meter(_remember(before.canary, canary), _remember(before.baseline, baseline))
    return counted, _since(before.baseline, baseline, "baseline"), after


def sample_distance(before: Meter, after: Meter) -> float:
    """Seconds between the newest samples of two meters, of the slower side; 0 where they are not known."""
    sides = ((before.canary, after.canary), (before.baseline, after.baseline))
    known = [(one.newest, other.newest) for one, other in sides if one is not None and other is not None]
    return max((later - earlier for earlier, later in known if earlier is not None and later is not None), default=0.0)


def _waiting(before: Reading | None, after: Reading, side: str) -> Gap | None:
    """Why a reading says nothing new: its newest sample is known already, or a series is older than it was.

    The latter is a replica that lies behind the one that answered before.
    """
    if before is None or (newest := after.newest) is None or (known := before.newest) is None:
        return None
    if newest <= known:
        return Gap(NO_NEW_SAMPLE, f"{side}: no new sample yet")
    if any(at < before.times.get(name, at) for name, at in after.times.items()):
        return Gap(NO_NEW_SAMPLE, f"{side}: older samples than before, of a replica that lags behind")
    return None


def _since(before: Reading | None, after: Reading, side: str) -> Counts | Gap:
    if before is None:
        return Gap(NO_BASELINE if side == "baseline" else NO_SAMPLES, f"{side}: the first reading counts from here")
    return difference(before, after, side)


def _remember(before: Reading | None, after: Reading) -> Reading:
    """The newest value of every series seen, so that one that comes back is not taken for a new one."""
    if before is None:
        return after
    return Reading(
        {**before.errors, **after.errors},
        {**before.requests, **after.requests},
        {**before.times, **after.times},
        after.parts,
    )


def _unclear(before: Reading, after: Reading, side: str) -> str:
    """Why nothing is known of the time between two readings, "" where it is.

    A counter that began anew falls far, and a sum never says whether it did: one of its parts may have ended. A series
    that was there before, but not read, comes with all its life; only a canary whose instances all crash looks alike.
    """
    if before.parts != after.parts:
        return f"the sum has {after.parts:,.0f} parts and had {before.parts:,.0f}"
    fallen = {name: value for name, value in after.requests.items() if value < before.requests.get(name, 0.0)}
    for name, value in fallen.items():
        if after.parts or value >= before.requests[name] / 2:
            return f"the requests fell from {before.requests[name]:,.0f} to {value:,.0f}, which is not a restart"
    if not fallen or after.parts:
        for name, value in after.errors.items():
            if value < (last := before.errors.get(name, 0.0)):
                return f"the errors fell from {last:,.0f} to {value:,.0f}, which is not a restart"
    known = {name: value for name, value in after.requests.items() if name in before.requests}
    grown = _grown(before.requests, known)
    late = sum(value for name, value in after.requests.items() if name not in known)
    if late > _KNOWN * grown and (grown or side != "canary") and before.requests:
        return f"a series came late, with {late:,.0f} requests of its whole life"
    return ""


def _grown(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    total = 0.0
    for key, value in after.items():
        last = before.get(key, 0.0)
        total += value - last if value >= last else value
    return total


def _sound(counted: Counts, side: str) -> Counts | Gap:
    if counted.errors > counted.requests:
        missing = NO_BASELINE if side == "baseline" else NO_SAMPLES
        return Gap(missing, f"{side}: {counted.errors:g} errors are more than {counted.requests:g} requests")
    if counted.requests == 0:
        return Gap(NO_BASELINE if side == "baseline" else NO_CANARY_TRAFFIC, f"{side}: no requests")
    return counted


LONGEST_SPAN = 120.0
"""Seconds of the longest block that `clumpSpan: auto` chooses: five blocks in ten minutes."""

FEWEST_PAIRS = 8
"""Pairs of blocks below which a lookback cannot show whether blocks belong together."""

_NORMAL_95 = 1.6448536269514722
NORMAL_99 = 2.3263478740408408
"""Quantile of the normal law for `phi` of few blocks."""


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


def spread_since(whole: DispersionSums, before: DispersionSums) -> DispersionSums:
    """The sums of the blocks that came after those of `before`."""
    return DispersionSums(
        whole.blocks - before.blocks,
        whole.errors - before.errors,
        whole.requests - before.requests,
        whole.squares - before.squares,
    )


def dispersion_limit(degrees: int, quantile: float = _NORMAL_95) -> float:
    """The index that independent errors exceed in one of twenty cases: chi-squared over its degrees of freedom.

    Wilson and Hilferty's cube, within 1 % from 3 degrees on.
    """
    part = 2 / (9 * degrees)
    return float((1 - part + quantile * part**0.5) ** 3)


def phi(spread: DispersionSums, quantile: float = _NORMAL_95) -> float:
    """What to divide the log evidence by: the index where it is significant, else 1."""
    measured = dispersion_index(spread)
    return measured if measured > 1 and measured > dispersion_limit(spread.blocks - 1, quantile) else 1.0


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
