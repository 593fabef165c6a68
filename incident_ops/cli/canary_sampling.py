"""Asking a metric source for a gate's metrics, tick by tick."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

from incident_ops.errors import Incomplete
from incident_ops.gate.config import Analysis, ErrorRate, Metric, Queries, ThresholdMetric
from incident_ops.gate.counters import NO_BASELINE, Counts, Gap, Meter, Reading, difference, read_tick, reading
from incident_ops.gate.query import fill
from incident_ops.gate.tick import Answer, Found, Sides, Unanswered
from incident_ops.model.measured import Tick
from incident_ops.ports import MetricSource

NO_QUERIES = Gap(NO_BASELINE, "no baseline is asked for")
_ZERO = Reading({}, {})


class Sampler:
    """A source, the queries with their values, and the counters as they stood at the last tick."""

    def __init__(self, source: MetricSource, analysis: Analysis, values: Mapping[str, str | None]) -> None:
        """UserError for a value that is missing or cannot stand in a query."""
        self._source, self._meters = source, dict[str, Meter]()
        is_promql = analysis.provider.kind == "prometheus"
        self._filled = {query: fill(query, values, is_promql=is_promql) for query in _queries(analysis)}

    def start(self, analysis: Analysis, at: datetime) -> None:
        """Takes the counters as they stand: the next tick counts from here. What cannot be read begins later."""
        self._meters = {}
        for metric in analysis.metrics:
            if isinstance(metric, ErrorRate) and self._source.is_cumulative:
                self.ask(metric, Tick(at, metric.settings.interval))

    def ask(self, metric: Metric, tick: Tick) -> Answer:
        """What the source says of a metric at a tick; an answer that did not come is none."""
        try:
            if isinstance(metric, ThresholdMetric):
                return Found(self._source.value(self._filled[metric.query], tick))
            canary = self._side(metric.canary, "canary", tick)
            baseline = self._side(metric.baseline, "baseline", tick)
        except Incomplete as error:
            return Unanswered(str(error))
        if not self._source.is_cumulative:
            return Sides(_since_zero(canary, "canary"), _since_zero(baseline, "baseline"))
        before = self._meters.get(metric.name, Meter())
        mine, theirs, self._meters[metric.name] = read_tick(before, canary, baseline)
        return Sides(mine, theirs)

    def lookback(self, metric: ErrorRate, at: datetime) -> list[Counts | Gap]:
        """The baseline's ticks before `at`; none where the source keeps none. Raises Incomplete."""
        queries, interval = metric.baseline, metric.settings.interval
        ticks = int(metric.lookback / interval)
        if queries is None or ticks < 1:
            return []
        last = Tick(at, interval)
        errors = self._source.history(self._filled[queries.errors], last, ticks)
        requests = self._source.history(self._filled[queries.requests], last, ticks)
        readings = [reading(*both, "baseline") for both in zip(errors, requests, strict=False)]
        return [_between(before, after) for before, after in pairwise(readings)]

    def _side(self, queries: Queries | None, side: str, tick: Tick) -> Reading | Gap:
        if queries is None:
            return NO_QUERIES
        requests = self._source.counts(self._filled[queries.requests], tick)
        errors = self._source.counts(self._filled[queries.errors], tick)
        return reading(errors, requests, side)


def _queries(analysis: Analysis) -> list[str]:
    rates = [one for one in analysis.metrics if isinstance(one, ErrorRate)]
    sides = [side for one in rates for side in (one.canary, one.baseline) if side is not None]
    return [
        *(query for side in sides for query in side),
        *(one.query for one in analysis.metrics if isinstance(one, ThresholdMetric)),
    ]


def _since_zero(found: Reading | Gap, side: str) -> Counts | Gap:
    return found if isinstance(found, Gap) else difference(_ZERO, found, side)


def _between(before: Reading | Gap, after: Reading | Gap) -> Counts | Gap:
    if isinstance(before, Gap):
        return before
    return after if isinstance(after, Gap) else difference(before, after, "baseline")
