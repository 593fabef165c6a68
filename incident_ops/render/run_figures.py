"""The pictures of one metric of a canary run, each with its words and its table."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from incident_ops.canary.condition_words import NUMBER
from incident_ops.canary.conditions import nodes_of
from incident_ops.canary.config import EXIT_CODE, ErrorRate, ThresholdMetric
from incident_ops.canary.counters import Counts
from incident_ops.canary.threshold import MeasurementPhase
from incident_ops.canary.trace import WITHOUT_DATA, MetricTick, RunTrace
from incident_ops.canary.verdict import MetricStatus
from incident_ops.deploy_gate.verdict import FAIL
from incident_ops.domain.time import spell_duration
from incident_ops.render.chart import (
    NARROW,
    WIDE,
    Band,
    Drawing,
    LimitLine,
    Line,
    Moment,
    Plot,
    Ribbon,
    draw,
    nice_top,
)
from incident_ops.render.run_series import (
    TickGroup,
    broken_up,
    chunks,
    highest,
    rate_interval,
    tick_groups,
)

MOST_E = 1_000_000.0
"""Evidence above changes nothing any more."""


class Figure(NamedTuple):
    """A picture: its title, what it shows in a sentence (also for who cannot see it), how to read it, what its signs
    mean (sign, words), the drawings for a desk and a phone, and its numbers."""

    title: str
    alternative: str
    caption: str
    legend: tuple[tuple[str, str], ...]
    wide: Drawing
    narrow: Drawing
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Picturing(NamedTuple):
    """What all pictures of a trace share: rows of each table, whether a recording was judged, and the end's label."""

    trace: RunTrace
    rows: int
    is_recording: bool
    end: Moment


def metric_figures(shared: Picturing, status: MetricStatus) -> Iterator[Figure]:
    """The pictures of a metric; none where nothing was measured."""
    trace = shared.trace
    ticks = trace.ticks.get(status.name, [])
    analysis = trace.analysis
    metric = next((one for one in analysis.metrics if one.name == status.name), None) if analysis else None
    if not ticks or analysis is None or metric is None:
        return
    if isinstance(metric, ThresholdMetric):
        yield from _measurements(shared, metric, ticks)
        return
    provider = metric.provider or analysis.provider
    found = tick_groups(trace, ticks, shared.rows, provider, is_recording=shared.is_recording)
    yield _evidence(shared, status, ticks, found)
    counted = [one for one in found if one.canary is not None]
    if counted:
        yield _rates(shared, metric, ticks, found)
        yield _traffic(shared, ticks, found)
    if any(one.weight and one.canary and one.baseline for one in found):
        yield _share(shared, ticks, found)


def spell_second(seconds: float) -> str:
    """A second of the run: `2m 15s`."""
    return spell_duration(round(seconds), exact=True)


def spell_percent(value: float) -> str:
    """`0.52 %`."""
    return f"{value:.3g} %"


def spell_evidence(value: float) -> str:
    """An e-value as it is said everywhere: what is 1 or less is none, and a million is as good as more."""
    if value >= MOST_E:
        return "over 1,000,000"
    return "under 1" if value < 1 else f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"


def _figure(
    shared: Picturing, plot: Plot, words: tuple[str, str, str], legend: Sequence[tuple[str, str]],
    head: tuple[str, ...], rows: Sequence[tuple[str, ...]],
) -> Figure:  # fmt: skip
    signs = [*legend, *_common_signs(shared, plot)]
    return Figure(*words, tuple(signs), draw(plot, WIDE), draw(plot, NARROW), head, tuple(rows))


def _common_signs(shared: Picturing, plot: Plot) -> Iterator[tuple[str, str]]:
    kinds = {band.css for band in plot.bands}
    if "warm" in kinds:
        yield "warm", "warm-up, no evidence"
    if "held" in kinds:
        yield "held", "step held: it looked worse"
    if plot.crosses:
        yield "cross", "no data, or no new sample"
    if shared.trace.looks:
        yield "look", "a look at a pass that led on"


def _plot_of(shared: Picturing, ticks: Sequence[MetricTick], low: float, high: float) -> Plot:
    """An empty picture of the run: its time, steps, warm-ups, holds, ticks without data, and where it decided."""
    trace = shared.trace
    looks = [Moment("look", at, "") for at in trace.looks]
    crosses = {round((tick.at - trace.begin) * 3 * shared.rows / (trace.at - trace.begin or 1)): tick.at
               for tick in ticks if tick.state == WITHOUT_DATA}  # fmt: skip
    return Plot(
        trace.begin,
        trace.at,
        low,
        high,
        bands=tuple(_bands_of(trace)),
        moments=(*looks, shared.end),
        crosses=tuple(crosses.values()),
    )


def _bands_of(trace: RunTrace) -> Iterator[Band]:
    """Every other step first: what lies over it comes later."""
    over: list[Band] = []
    for place, span in enumerate(trace.spans.values()):
        begin, end = max(span.begin, trace.begin), min(span.end, trace.at)
        yield Band("other" if place % 2 else "", begin, end, f"{span.weight} %" if span.weight else "")
        if begin < span.counts_from:
            over.append(Band("warm", begin, min(span.counts_from, end)))
        if span.planned < end:
            over.append(Band("held", max(span.planned, begin), end))
    yield from over


def _evidence(
    shared: Picturing, status: MetricStatus, ticks: Sequence[MetricTick], found: Sequence[TickGroup]
) -> Figure:
    needed = status.judgement.e_needed if status.judgement else _USUAL
    points = [(tick.at, min(max(tick.e_value, 1.0), MOST_E)) for tick in ticks if tick.e_value is not None]
    high = max((value for _, value in points), default=1.0)
    top = 10.0 ** math.ceil(math.log10(max(needed * 1.5, high)) - 1e-9)
    reached = next((at for at, value in points if value >= needed), None)
    after = (
        f"; a fail needs {needed:.3g}"
        if reached is None
        else f", past the {needed:.3g} that a fail needs at {spell_second(reached)}"
    )
    words = (
        f"Evidence that the canary is {'worse' if status.lone_limit is None else 'above its limit'}",
        f"The highest was {spell_evidence(high)}{after}." if high > 1 else f"There was none{after}.",
        f"1 or less is none. Each line of the grid is ten times the one below.{_other_way(status, reached)}",
    )
    plot = replace(
        _plot_of(shared, ticks, 1.0, top),
        is_log=True,
        lines=(Line("evidence", (tuple(highest(points, 4 * shared.rows)),)),),
        levels=(LimitLine("limit", needed, f"a fail needs {needed:.3g}"),),
    )
    rows = [(*_when(one), "none" if (one.e_value or 0) <= 1 else spell_evidence(one.e_value or 0)) for one in found]
    return _figure(shared, plot, words, [("evidence", "evidence"), ("limit", "what a fail needs")],
                   (*_WHEN, "highest evidence"), rows)  # fmt: skip


def _other_way(status: MetricStatus, reached: float | None) -> str:
    if status.verdict != FAIL or reached is not None:
        return ""
    return " The fail came another way, not by this comparison."


_USUAL = 100.0
_WHEN = ("time", "share", "ticks")
_SIDES = (("canary", "canary", "dot"), ("baseline", "old version", "square"))


def _when(one: TickGroup) -> tuple[str, str, str]:
    """The first cells of a row: from when to when, at which share, and which ticks."""
    parts = [f"{one.ticks} in the warm-up" if one.is_warm_up else f"{one.ticks}"]
    parts += [f"{one.missing} without data"] if one.missing else []
    parts += [f"{one.waiting} without a new sample"] if one.waiting else []
    share = f"{one.weight} %" if one.weight else "-"
    return f"{spell_second(one.begin)} to {spell_second(one.end)}", share, ", ".join(parts)


def _side(one: TickGroup, side: str) -> Counts | None:
    return one.canary if side == "canary" else one.baseline


def _rate_of(one: TickGroup, side: str) -> tuple[float, float, float, float] | None:
    counts = _side(one, side)
    return None if counts is None else (one.end, *rate_interval(counts))


def _per_second(one: TickGroup, side: str) -> tuple[float, float] | None:
    counts = _side(one, side)
    return None if counts is None or one.seconds <= 0 else (one.end, counts.requests / one.seconds)


def _share_of(one: TickGroup) -> tuple[float, float] | None:
    if one.canary is None or one.baseline is None:
        return None
    return one.end, 100 * one.canary.requests / (one.canary.requests + one.baseline.requests)


def _rates(shared: Picturing, metric: ErrorRate, ticks: Sequence[MetricTick], found: Sequence[TickGroup]) -> Figure:
    runs = {side: broken_up(found, partial(_rate_of, side=side)) for side, _, _ in _SIDES}
    seen = [point for side in runs.values() for run in side for point in run]
    most = max(point[1] for point in seen)
    limit = 100 * (metric.settings.max_error_rate or 0.0)
    reach = max(most * 1.6, min(limit * 1.1, most * 4), min(point[3] for point in seen))
    top = min(nice_top(reach), 100.0)
    levels = [LimitLine("limit", limit, f"limit {spell_percent(limit)}")] if 0 < limit <= top else []
    plot = replace(
        _plot_of(shared, ticks, 0.0, top),
        unit="%",
        ribbons=tuple(
            Ribbon(side, tuple(tuple((at, low, high) for at, _, low, high in run) for run in runs[side]))
            for side, _, _ in _SIDES
        ),
        lines=tuple(
            Line(side, tuple(tuple((at, share) for at, share, _, _ in run) for run in runs[side]), mark)
            for side, _, mark in _SIDES
        ),
        levels=tuple(levels),
    )
    totals = [f"{name} {_summed(found, side)}" for side, name, _ in _SIDES if runs[side]]
    high = f" The limit, {spell_percent(limit)}, lies above the picture." if limit > top else ""
    words = (
        f"{'Errors' if metric.slower_than is None else 'Slow requests'} of both sides",
        f"{_scope(shared.trace, found)}: {', '.join(totals)}.",
        f"The areas are 95 % intervals of each point alone; the verdict has a test of its own.{high}",
    )
    rows = [(*_when(one), *(_counted_cell(_side(one, side)) for side, _, _ in _SIDES)) for one in found]
    signs = [(side, name) for side, name, _ in _SIDES if runs[side]] + [("limit", "limit")] * bool(levels)
    return _figure(shared, plot, words, signs, (*_WHEN, "canary", "old version"), rows)


def _scope(trace: RunTrace, found: Sequence[TickGroup]) -> str:
    if trace.begin:
        return f"After {spell_second(trace.begin)}"
    return "Without the warm-up" if any(one.is_warm_up for one in found) else "In all"


def _summed(found: Sequence[TickGroup], side: str) -> str:
    counted = [counts for one in found if not one.is_warm_up and (counts := _side(one, side)) is not None]
    errors, requests = (sum(counts[place] for counts in counted) for place in (0, 1))
    return f"{spell_percent(100 * errors / requests)} of {requests:,.0f} requests" if requests else "nothing"


def _counted_cell(counts: Counts | None) -> str:
    if counts is None:
        return "-"
    share, low, high = rate_interval(counts)
    return f"{counts.errors:,.0f} of {counts.requests:,.0f}: {spell_percent(share)} ({low:.2g} to {high:.2g})"


def _traffic(shared: Picturing, ticks: Sequence[MetricTick], found: Sequence[TickGroup]) -> Figure:
    runs = {side: broken_up(found, partial(_per_second, side=side)) for side, _, _ in _SIDES}
    values = {side: [value for run in runs[side] for _, value in run] for side, _, _ in _SIDES}
    plot = replace(
        _plot_of(shared, ticks, 0.0, nice_top(1.05 * max(max(some, default=0.0) for some in values.values()))),
        unit="/s",
        lines=tuple(Line(side, runs[side], mark) for side, _, mark in _SIDES),
    )
    said = [f"{name} {_range(values[side], '{:,.3g}')}" for side, name, _ in _SIDES if values[side]]
    words = ("Requests per second", f"{'; '.join(said)} requests a second.".capitalize(), "")
    rows = []
    for one in found:
        cells = [_per_second(one, side) for side, _, _ in _SIDES]
        rows.append((*_when(one), *("-" if cell is None else f"{cell[1]:,.3g}" for cell in cells)))
    signs = [(side, name) for side, name, _ in _SIDES if values[side]]
    return _figure(shared, plot, words, signs, (*_WHEN, "canary", "old version"), rows)


def _share(shared: Picturing, ticks: Sequence[MetricTick], found: Sequence[TickGroup]) -> Figure:
    runs = broken_up(found, _share_of)
    trace = shared.trace
    declared = tuple(
        ((max(span.begin, trace.begin), float(span.weight)), (min(span.end, trace.at), float(span.weight)))
        for span in trace.spans.values()
    )
    points = [value for run in runs for _, value in run]
    top = nice_top(1.1 * max(*points, *(value for run in declared for _, value in run)))
    plot = replace(
        _plot_of(shared, ticks, 0.0, min(top, 100.0)),
        unit="%",
        lines=(Line("declared", declared), Line("canary", runs, "dot")),
    )
    by_step: dict[int, list[float]] = {}
    for one in found:
        if (point := _share_of(one)) is not None:
            by_step.setdefault(one.weight, []).append(point[1])
    said = [f"{_range(some, '{:.3g} %')} where {weight} % was declared" for weight, some in by_step.items()]
    if len(said) > _MOST_SAID:
        said = [*said[: _MOST_SAID - 1], "and so on", said[-1]]
    words = ("The canary's share of the requests", f"It had {', '.join(said)}.", "")
    rows = [(*_when(one), "-" if (point := _share_of(one)) is None else spell_percent(point[1])) for one in found]
    return _figure(shared, plot, words, [("canary", "counted"), ("declared", "declared by the step")],
                   (*_WHEN, "counted share"), rows)  # fmt: skip


def _range(values: Sequence[float], form: str) -> str:
    """`8.1 to 9.3`, or one number where both are shown alike."""
    least, most = form.format(min(values)), form.format(max(values))
    return least if least == most else f"{least} to {most}"


_LIMIT = re.compile(r"\s*result(?:\[0\])?\s*[<>]=?\s*(\d+(?:\.\d+)?)\s*")
_GRAVEST = (
    MeasurementPhase.FAILED,
    MeasurementPhase.ERROR,
    MeasurementPhase.NO_DATA,
    MeasurementPhase.INCONCLUSIVE,
    MeasurementPhase.SUCCESSFUL,
)
_PHASES = {
    MeasurementPhase.FAILED: "failed",
    MeasurementPhase.ERROR: "no answer",
    MeasurementPhase.NO_DATA: "no data",
    MeasurementPhase.INCONCLUSIVE: "neither",
    MeasurementPhase.SUCCESSFUL: "good",
    "": "in the warm-up",
}


def conditions(metric: ThresholdMetric) -> list[str]:
    """The conditions of a threshold metric in words."""
    limits = metric.threshold
    if limits.failure is not None and limits.failure.text == EXIT_CODE:
        neither = [node.text for node in nodes_of(limits.failure) if node.kind == NUMBER and node.text != "0"]
        other = f"any other but {neither[0]}" if neither else "any other"
        return ["good where the exit code is 0", f"failed where it is {other}"]
    both = (("good where", limits.success), ("failed where", limits.failure))
    return [f"{word} {condition.text}" for word, condition in both if condition is not None]


def _measurements(shared: Picturing, metric: ThresholdMetric, ticks: Sequence[MetricTick]) -> Iterator[Figure]:
    length = max(1, math.ceil(len(ticks) / (2 * shared.rows)))
    kept = [min(some, key=_gravity) for some in chunks(ticks, length)]
    valued = [(tick, tick.value) for tick in kept if tick.value is not None]
    limits = [
        (f"{word} {condition.text}", float(found[1]))
        for word, condition in (("good where", metric.threshold.success), ("failed where", metric.threshold.failure))
        if condition is not None and (found := _LIMIT.fullmatch(condition.text))
    ]
    failed = [(tick.at, value) for tick, value in valued if tick.phase == MeasurementPhase.FAILED]
    others = [(tick.at, value) for tick, value in valued if tick.phase != MeasurementPhase.FAILED]
    low = min([0.0, *(value for _, value in valued)])
    most = max([*(value for _, value in valued), *(value for _, value in limits)], default=0.0)
    plot = replace(
        _plot_of(shared, ticks, -nice_top(-low) if low < 0 else 0.0, nice_top(1.1 * most)),
        lines=(
            Line("measured", (tuple((tick.at, value) for tick, value in valued),)),
            *(Line("good", (point,), "dot") for point in ((one,) for one in others)),
            *(Line("failed", (point,), "square") for point in ((one,) for one in failed)),
        ),
        levels=tuple(LimitLine("limit", value, text) for text, value in limits),
    )
    counts = [(name, sum(tick.phase == phase for tick in ticks)) for phase, name in _PHASES.items()]
    said = ", ".join(f"{count} {name}" for name, count in counts if count)
    more = "" if length == 1 else f" Of {length} in a row the worst is shown."
    words = ("Measurements", f"{len(ticks)} measured: {said}.", f"{'; '.join(conditions(metric))}.{more}")
    rows = [
        (
            spell_second(tick.at),
            f"{tick.value:.6g}" if tick.value is not None else "-",
            _PHASES.get(tick.phase, tick.phase),
            tick.text[:_CUT],
        )
        for tick in kept
    ]
    signs = [("good", "good, or neither"), ("failed", "failed"), *([("limit", "condition")] if limits else [])]
    yield _figure(shared, plot, words, signs, ("time", "value", "result", "why"), rows)


_CUT, _MOST_SAID = 160, 6


def _gravity(tick: MetricTick) -> int:
    places = {phase: place for place, phase in enumerate(_GRAVEST)}
    return next((place for phase, place in places.items() if phase == tick.phase), len(places))
