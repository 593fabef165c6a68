"""A canary as it is measured: the metric source asked tick by tick, the steps of the rollout taken by the clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from incident_ops.adapters.environment import Ticking
from incident_ops.app.canary_sources import GateSources, cumulative_rates
from incident_ops.canary.config import Analysis, ErrorRate, Metric, Queries, ThresholdMetric, fill_query
from incident_ops.canary.counters import (
    NO_BASELINE,
    NO_SAMPLES,
    OLDEST_SAMPLE,
    Counts,
    Gap,
    Meter,
    Reading,
    difference,
    read_tick,
    sample_distance,
    to_reading,
)
from incident_ops.canary.observed import Observed, paced
from incident_ops.canary.run import (
    Run,
    advance,
    begin_run,
    due_metrics,
    extended_run,
    is_step_done,
    judge_run,
    judge_step,
    lacks_fresh_data,
    next_measurement,
    next_step,
    stage_of,
    stages,
)
from incident_ops.canary.slow_rate import slow_reading
from incident_ops.canary.trace import RunTrace
from incident_ops.canary.verdict import JoinedVerdict, NoAnswer, QueryResult, SideCounts, TickReading
from incident_ops.domain.latency import is_bound, nearest_bounds, spell_latency
from incident_ops.domain.metric_kinds import METRIC_KINDS, PATH_HINT, WEB, is_web_path
from incident_ops.domain.ports import HistogramSource, MetricSeries, Sampled, Tick
from incident_ops.domain.time import spell_duration
from incident_ops.errors import Incomplete, UserError


def query_values(analysis: Analysis, assignments: Sequence[str]) -> dict[str, str | None]:
    """The values that queries name: those of `--arg NAME=VALUE` over those of the file. UserError for others."""
    values: dict[str, Any] = dict(analysis.arguments)
    for text in assignments:
        name, sign, value = text.partition("=")
        if not sign or name not in values:
            known = ", ".join(values) or "the gate file has none under spec.args"
            raise UserError(f"--arg {text!r} gives no value to an argument of the gate", hint=f"NAME=VALUE; {known}")
        values[name] = value
    return values


NO_QUERIES = Gap(NO_BASELINE, "no baseline is asked for")
_ZERO = Reading({}, {})


class Sampler:
    """The sources, the queries with their values, and the counters at the last tick."""

    def __init__(self, sources: GateSources, analysis: Analysis, values: Mapping[str, str | None]) -> None:
        """UserError for a value that is missing or not allowed in a query."""
        self._sources, self._meters = sources, dict[str, Meter]()
        self._filled = {
            (sources.provider(metric), query): fill_query(query, values, is_promql=sources.of(metric).is_promql)
            for metric in analysis.metrics
            for query in _queries(metric)
        }
        for (provider, _), filled in self._filled.items():
            if provider.kind == WEB.name and not is_web_path(filled):
                raise UserError(f"with its arguments the query {filled!r} is not a path", hint=PATH_HINT)

    def _query(self, metric: Metric, query: str) -> str:
        return self._filled[self._sources.provider(metric), query]

    def _window(self, metric: ThresholdMetric, tick: Tick) -> Tick:
        """What a source that counts by time is asked for: a whole interval at least, also by the first measurement and
        by one that is repeated a moment after an error; and whole grains of the source."""
        grain = METRIC_KINDS[self._sources.provider(metric).kind].grain or 1.0
        seconds = max(tick.seconds, metric.threshold.interval or 0.0)
        return tick._replace(seconds=math.ceil(seconds / grain - 1e-9) * grain)

    def start(self, analysis: Analysis, at: datetime) -> None:
        """Reads the counters: the next tick counts from here. What cannot be read begins later."""
        self._meters = {}
        for metric in cumulative_rates(analysis, self._sources):
            self.ask(metric, Tick(at, metric.settings.interval))

    def ask(self, metric: Metric, tick: Tick) -> TickReading:
        """What the source says of a metric at a tick, or that it gave no answer."""
        try:
            if isinstance(metric, ThresholdMetric):
                asked = self._query(metric, metric.query), self._window(metric, tick)
                return QueryResult(self._sources.of(metric).value(*asked))
            canary = self._side(metric, metric.canary, "canary", tick)
            baseline = self._side(metric, metric.baseline, "baseline", tick)
        except Incomplete as error:
            return NoAnswer(str(error))
        if not self._sources.of(metric).is_cumulative:
            return SideCounts(_since_zero(canary, "canary"), _since_zero(baseline, "baseline"))
        before = self._meters.get(metric.name, Meter())
        of_canary, of_baseline, after = read_tick(before, canary, baseline)
        self._meters[metric.name] = after
        return SideCounts(of_canary, of_baseline, sample_distance(before, after), *_with_errors(canary, baseline))

    def lookback(self, metric: ErrorRate, at: datetime, spacing: float) -> list[Counts | Gap]:
        """The baseline's ticks before `at`, as long as those of the run will be where samples lie `spacing` apart.

        None where the source keeps none. Raises Incomplete.
        """
        queries, interval = metric.baseline, paced(metric.settings, Observed(planned=spacing)).interval
        ticks = int(metric.lookback / interval)
        if queries is None or ticks < 1:
            return []
        last = Tick(at, interval)
        if queries.histogram:
            asked = (self._query(metric, queries.histogram), metric.slower_than or 0.0)
            rows = self._histograms(metric).latency_history(*asked, last, ticks)
            slow = [slow_reading(row, "baseline", asked[1]) for row in rows]
            return [_between(before, after) for before, after in pairwise(slow)]
        source = self._sources.of(metric)
        errors = source.history(self._query(metric, queries.errors), last, ticks)
        requests = source.history(self._query(metric, queries.requests), last, ticks)
        readings = [_named(*both) for both in zip(errors, requests, strict=False)]
        return [_between(before, after) for before, after in pairwise(readings)]

    def spacing(self, metric: ErrorRate, at: datetime) -> float:
        """Seconds between two samples of the side that is known before the run; 0 where the source does not say.

        Raises Incomplete.
        """
        queries = metric.baseline or metric.canary
        if queries is None:
            return 0.0
        if queries.histogram:
            filled = self._query(metric, queries.histogram)
            return self._histograms(metric).latency_spacing(filled, metric.slower_than or 0.0, at)
        return self._sources.of(metric).spacing(self._query(metric, queries.requests), at)

    def demand_buckets(self, metric: ErrorRate, at: datetime) -> None:
        """UserError where no histogram of a side that is there has the bucket that the metric asks for.

        Raises Incomplete.
        """
        for queries in (metric.canary, metric.baseline):
            if queries is None or not queries.histogram or metric.slower_than is None:
                continue
            known = self._histograms(metric).bounds(self._query(metric, queries.histogram), at)
            if known and not any(is_bound(end, metric.slower_than) for end in known):
                ends = [end for end in known if not math.isinf(end)]
                problem = f"{metric.name}: no bucket ends at {spell_latency(metric.slower_than)}"
                raise UserError(problem, hint=nearest_bounds(metric.slower_than, ends) if ends else "it has no buckets")

    def _histograms(self, metric: ErrorRate) -> HistogramSource:
        source = self._sources.of(metric)
        if not isinstance(source, HistogramSource):
            raise Incomplete("the data source keeps no histograms")
        return source

    def _side(self, metric: ErrorRate, queries: Queries | None, side: str, tick: Tick) -> Reading | Gap:
        if queries is None:
            return NO_QUERIES
        if queries.histogram:
            bound, filled = metric.slower_than or 0.0, self._query(metric, queries.histogram)
            found = slow_reading(self._histograms(metric).latencies(filled, bound, tick), side, bound)
            return found if isinstance(found, Gap) else _current(found, side, tick)
        source = self._sources.of(metric)
        requests = source.counts(self._query(metric, queries.requests), tick)
        errors = source.counts(self._query(metric, queries.errors), tick)
        reading = to_reading(errors, requests, side)
        if not isinstance(requests, Sampled) or isinstance(reading, Gap):
            return reading
        failed = errors if isinstance(errors, Sampled) else Sampled({}, {})
        timed = reading._replace(times={**requests.times, **failed.times}, parts=requests.parts + failed.parts)
        return _current(timed, side, tick)


def _queries(metric: Metric) -> list[str]:
    if isinstance(metric, ThresholdMetric):
        return [metric.query]
    sides = [side for side in (metric.canary, metric.baseline) if side is not None]
    return [query for side in sides for query in side if query]


def _current(reading: Reading, side: str, tick: Tick) -> Reading | Gap:
    """The reading, unless its newest sample is too old to be of now."""
    age = tick.end.timestamp() - (reading.newest or tick.end.timestamp())
    if age <= OLDEST_SAMPLE:
        return reading
    text = f"{side}: the newest sample is {spell_duration(round(age))} old"
    return Gap(NO_BASELINE if side == "baseline" else NO_SAMPLES, text)


def _named(errors: MetricSeries, requests: MetricSeries) -> Reading | Gap:
    reading = to_reading(errors, requests, "baseline")
    parts = requests.parts if isinstance(requests, Sampled) else 0
    return reading if isinstance(reading, Gap) else reading._replace(parts=parts)


def _with_errors(*sides: Reading | Gap) -> tuple[bool, ...]:
    """Of each side whether it has a series of errors at all; True where it cannot be read."""
    return tuple(isinstance(side, Gap) or bool(side.errors) for side in sides)


def _since_zero(counted: Reading | Gap, side: str) -> Counts | Gap:
    return counted if isinstance(counted, Gap) else difference(_ZERO, counted, side)


def _between(before: Reading | Gap, after: Reading | Gap) -> Counts | Gap:
    if isinstance(before, Gap):
        return before
    return after if isinstance(after, Gap) else difference(before, after, "baseline")


class Ended(NamedTuple):
    """Where a run ended; `next_weight` where only a step did, and the next one may be taken."""

    run: Run
    joined: JoinedVerdict
    next_weight: int | None = None


@dataclass
class LiveRun:
    """What a live run is driven with: the clock, the source, and who is called on the way.

    `on_step` is called with the weight of each step before it is measured, `keep` after every tick with what is known,
    `show` with the status of everything. `one_step`: end with the step, for pipelines with a job for each.
    """

    ticking: Ticking
    sampler: Sampler
    on_step: Callable[[int], None]
    keep: Callable[[Run], None]
    show: Callable[[Run, JoinedVerdict], None]
    one_step: bool = False
    trace: RunTrace = field(default_factory=RunTrace)
    _since: datetime | None = None
    _from: float = 0.0
    _asked: dict[str, float] = field(default_factory=dict)

    def begin(self, analysis: Analysis, note: Callable[[str], None]) -> Run:
        """A new run with the baseline's errors of before; `note` is called with what of it could not be read.

        UserError for a bucket that there is not.
        """
        lookbacks: dict[str, list[Counts | Gap]] = {}
        spacings: dict[str, float] = {}
        for metric in analysis.metrics:
            if isinstance(metric, ErrorRate):
                try:
                    self.sampler.demand_buckets(metric, self.ticking.now())
                    spacings[metric.name] = self.sampler.spacing(metric, self.ticking.now())
                    spacing = spacings[metric.name]
                    lookbacks[metric.name] = self.sampler.lookback(metric, self.ticking.now(), spacing)
                except Incomplete as error:
                    note(f"{metric.name}: the baseline before the run could not be read: {error}")
        return begin_run(analysis, lookbacks, spacings)

    def measure(self, analysis: Analysis, run: Run) -> Ended:
        """Drives a run to its verdict, or with `one_step` to the end of its step."""
        self._enter(analysis, run)
        while True:
            joined = judge_run(analysis, run)
            self.show(run, joined)
            if joined.is_final:
                longer = extended_run(analysis, run, joined)
                if longer is None:
                    return Ended(run, joined)
                run = longer
                continue
            if is_step_done(analysis, run) and run.stage + 1 < len(stages(analysis)):
                following = next_step(analysis, run)
                if following is None:
                    return Ended(run, judge_step(analysis, run))
                if following.stage == run.stage:
                    run = following
                elif not lacks_fresh_data(analysis, run):
                    if self.one_step:
                        self.keep(following)
                        return Ended(following, judge_step(analysis, run), stage_of(analysis, following).weight)
                    run = following
                    self._enter(analysis, run)
            before = run
            run, answers = self._tick(analysis, run)
            self.keep(run)
            self.trace.add(analysis, before, run, answers, judge_run(analysis, run))

    def _enter(self, analysis: Analysis, run: Run) -> None:
        """Gives a step its traffic and counts from there: what is waited for is not measured."""
        weight = stage_of(analysis, run).weight
        if weight:
            self.on_step(weight)
        self._since, self._from = self.ticking.now(), run.at
        self._asked = {}
        self.sampler.start(analysis, self._since)

    def _tick(self, analysis: Analysis, run: Run) -> tuple[Run, Mapping[str, TickReading]]:
        """The run after its next tick, and the answers that came."""
        target = next_measurement(analysis, run)
        at = self._reach(run, target, analysis.interval)
        due = max(at, target)
        end = (self._since or self.ticking.now()) + timedelta(seconds=due - self._from)
        answers: dict[str, TickReading] = {}
        for metric in due_metrics(analysis, run, due):
            seconds = due - self._asked.get(metric.name, self._from)
            answers[metric.name] = self.sampler.ask(metric, Tick(end, max(seconds, 1.0)))
            self._asked[metric.name] = due
        return advance(analysis, run, at, answers), answers

    def _reach(self, run: Run, target: float, interval: float) -> float:
        """Waits for second `target` of the run -> the second it is then.

        An earlier one where the clock stood still or was put back: that is a turn, too, so that the run ends.
        """
        at = self._second()
        while at < target:
            self.ticking.wait(min(target - at, interval))
            before, at = at, self._second()
            if at <= max(before, run.at) and at < target:
                return at
        return target if at - target < interval else at

    def _second(self) -> float:
        now = self.ticking.now()
        return self._from + (now - (self._since or now)).total_seconds()
