"""The ticks of a metric put together to as many groups as a picture and its table can show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple, TypeVar

from incident_ops.canary.counters import NO_NEW_SAMPLE, Counts, add_counts
from incident_ops.canary.providers import Provider
from incident_ops.canary.trace import COUNTED, WARMING_UP, WITHOUT_DATA, MetricTick, RunTrace, StepSpan
from incident_ops.domain.metric_kinds import METRIC_KINDS

_NORMAL_975 = 1.959963984540054
_NONE = Counts(0.0, 0.0)

_Item = TypeVar("_Item")


class TickGroup(NamedTuple):
    """Some ticks of one step together, after `begin` until `end`.

    `seconds` is the time that the counts cover, `e_value` the highest of it. `ticks` were asked for, `missing` brought
    no data, `waiting` no new sample. A side is None where it counted nothing.
    """

    begin: float
    end: float
    weight: int
    is_warm_up: bool
    ticks: int
    missing: int
    waiting: int
    seconds: float
    canary: Counts | None
    baseline: Counts | None
    e_value: float | None


def tick_groups(
    trace: RunTrace, ticks: Sequence[MetricTick], most: int, provider: Provider, *, is_recording: bool
) -> list[TickGroup]:
    """About `most` groups over all ticks; none crosses a step, nor the end of a warm-up, unless these are more.

    `provider` is the one that the metric was asked of: where its counts are running totals, a count covers the time of
    the ticks before it that brought nothing.
    """
    length = max(1, math.ceil(len(ticks) / most))
    carries = not is_recording and METRIC_KINDS[provider.kind].is_cumulative
    found: list[TickGroup] = []
    before, waited = trace.begin, 0.0

    def part(tick: MetricTick) -> tuple[StepSpan | None, bool]:
        return span_at(trace, tick.at), tick.state == WARMING_UP

    parts = [(key, list(same)) for key, same in groupby(ticks, key=part)]
    if len(parts) > most:
        parts = [((None, False), list(ticks))]
    for (span, is_warm_up), same in parts:
        for some in chunks(same, length):
            begin, seconds = before, 0.0
            for tick in some:
                seconds_now, before = tick.at - before, tick.at
                if tick.canary is not None and tick.state != WITHOUT_DATA:
                    seconds, waited = seconds + waited + seconds_now, 0.0
                elif carries or tick.reason == NO_NEW_SAMPLE:
                    waited += seconds_now
            last = span or span_at(trace, some[-1].at)
            weight = last.weight if last else 0
            found.append(_grouped(some, begin, weight, seconds, is_warm_up=is_warm_up))
    return found


def _grouped(ticks: Sequence[MetricTick], begin: float, weight: int, seconds: float, *, is_warm_up: bool) -> TickGroup:
    usable = [tick for tick in ticks if tick.state == COUNTED or is_warm_up]
    missing = [tick for tick in ticks if tick.state == WITHOUT_DATA]
    waiting = sum(tick.reason == NO_NEW_SAMPLE for tick in missing)
    canary, baseline = _summed([tick.canary for tick in usable]), _summed([tick.baseline for tick in usable])
    e_values = [tick.e_value for tick in ticks if tick.e_value is not None]
    numbers = (len(ticks), len(missing) - waiting, waiting)
    return TickGroup(
        begin, ticks[-1].at, weight, is_warm_up, *numbers, seconds, canary, baseline, max(e_values, default=None)
    )


def _summed(sides: Sequence[Counts | None]) -> Counts | None:
    total = _NONE
    for side in sides:
        total = total if side is None else add_counts(total, side)
    return total if total.requests > 0 else None


def chunks(items: Sequence[_Item], length: int) -> Iterator[Sequence[_Item]]:
    """The items in their order, so many together."""
    for first in range(0, len(items), length):
        yield items[first : first + length]


def span_at(trace: RunTrace, at: float) -> StepSpan | None:
    """The step that a tick at that second belongs to."""
    return next((span for span in trace.spans.values() if span.begin < at <= span.end), None)


def broken_up(found: Sequence[TickGroup], value: Callable[[TickGroup], _Item | None]) -> tuple[tuple[_Item, ...], ...]:
    """The values of groups in unbroken runs: a step that begins, or a value that is missing, ends one."""
    runs: list[list[_Item]] = [[]]
    before: TickGroup | None = None
    for group in found:
        one = value(group)
        if one is None or (before is not None and before.weight != group.weight):
            runs.append([])
        if one is not None:
            runs[-1].append(one)
        before = group
    return tuple(tuple(run) for run in runs if run)


def highest(points: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """At most so many points and the last one: of neighbours the highest, where it was."""
    length = max(1, math.ceil(len(points) / most))
    kept = [max(some, key=lambda point: point[1]) for some in chunks(points, length)]
    return [*kept, points[-1]] if kept and kept[-1] != points[-1] else kept


def rate_interval(side: Counts) -> tuple[float, float, float]:
    """(rate, low, high) in percent of a side with requests: Wilson's interval at 95 %, for the eye and no verdict."""
    errors, number = side
    share, square = errors / number, _NORMAL_975**2 / number
    middle = (share + square / 2) / (1 + square)
    half = _NORMAL_975 / (1 + square) * math.sqrt(share * (1 - share) / number + square / (4 * number))
    return 100 * share, 100 * max(middle - half, 0.0), 100 * min(middle + half, 1.0)


def without_data(ticks: Sequence[MetricTick]) -> list[MetricTick]:
    """The ticks that were no evidence although something was asked, and those whose one side is missing."""
    return [
        tick for tick in ticks if tick.state == WITHOUT_DATA or (tick.state == COUNTED and tick.text and not tick.phase)
    ]
