"""Prometheus, and what speaks its HTTP API: instant queries, and one range for the history.

With the counters the times are asked at which they were sampled (`promql`), in one query, so that they belong together.

A sample's value arrives as text, "NaN" and "+Inf" among it. Warnings say that an answer may be partial, and so it is
no answer. Vector and scalar are taken; a range, a text or a histogram is not what was asked for and is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from incident_ops.adapters.http import Place, TooLarge, ask, parsed, refused
from incident_ops.adapters.metrics.histograms import bucket_end, classic_latencies, native_bounds, native_latencies
from incident_ops.adapters.metrics.promql import (
    PARTS,
    SERIES_MARK,
    TIME,
    added_up,
    is_plain_selector,
    selectors,
    with_times,
)
from incident_ops.adapters.processes import one_line
from incident_ops.domain.latency import HistogramName, histogram_name
from incident_ops.domain.metric_kinds import PROMETHEUS
from incident_ops.domain.ports import Latencies, MetricSeries, Sampled, Tick
from incident_ops.errors import Incomplete

if TYPE_CHECKING:
    from incident_ops.adapters.metrics.connect import SourceSettings

_QUERY, _RANGE = "/api/v1/query", "/api/v1/query_range"
_HINTS = {
    "matrix": "a range was given; take one instant, without [5m] at the end",
    "string": "a text was given; give a number",
    "histogram": "a histogram was given; take e.g. histogram_count() or histogram_quantile() of it",
}
_WINDOW, _PARTS_OF_IT = 600, (300, 150, 60, 30, 15, 5)
"""Seconds in which samples are counted, and the latest parts of them for a series that has not been there so long."""
_NOT_UNDERSTOOD = (400, 422)
"""Statuses of a query that cannot be read, or cannot be carried out."""


Answered = TypeVar("Answered")
KIND = PROMETHEUS


class NotUnderstood(Incomplete):
    """The server does not understand the query."""


class Prometheus:
    """A Prometheus server; see `domain.ports.MetricSource`."""

    is_cumulative, is_promql, unproven = KIND.is_cumulative, KIND.is_promql, KIND.unproven

    def __init__(self, place: Place) -> None:
        self._place = place
        self._untimed, self._large, self._native = set[str](), set[str](), set[str]()

    def value(self, query: str, tick: Tick, /) -> object:
        """The number of a scalar, or the list of a vector's numbers in the order of their labels."""
        kind, result = self._instant(query, tick.end)
        if kind == "scalar":
            return self._number(result)
        found = {_labels(one): self._sample(one) for one in result}
        return [found[labels] for labels in sorted(found)]

    def counts(self, query: str, tick: Tick, /) -> MetricSeries:
        """The counters at that instant, and when each was sampled; without that where the server cannot say.

        Those that a query adds up are read one by one, unless they are too many.
        """
        return self._by_parts(query, lambda asked: self._sampled(asked, tick))

    def _by_parts(self, query: str, ask: Callable[[str], Answered]) -> Answered:
        parts = added_up(query)
        if parts != query and query not in self._large:
            try:
                return ask(parts)
            except TooLarge:
                self._large.add(query)
        return ask(query)

    def _sampled(self, query: str, tick: Tick) -> Sampled:
        if query not in self._untimed:
            try:
                return self._timed(query, *self._instant(with_times(query), tick.end))
            except NotUnderstood:
                pass
        found = self._timed(query, *self._instant(query, tick.end))
        self._untimed.add(query)
        return found

    def _timed(self, query: str, kind: str, result: Any) -> Sampled:
        if kind == "scalar":
            return Sampled({"": self._number(result)}, {}, parts=1)
        values = [one for one in result if not _mark(one)]
        series = {_labels(one): self._sample(one) for one in values}
        more = [(_mark(one), one) for one in result if _mark(one)]
        if is_plain_selector(query):
            by_labels = {_labels(one, SERIES_MARK, "__name__"): self._sample(one) for _, one in more}
            times = {_labels(one): by_labels.get(_labels(one, "__name__")) for one in values}
            return Sampled(series, {name: at for name, at in times.items() if at is not None})
        newest = [self._sample(one) for mark, one in more if mark.startswith(TIME)]
        parts = sum(self._sample(one) for mark, one in more if mark.startswith(PARTS))
        return Sampled(series, dict.fromkeys(series, max(newest)) if newest else {}, parts or 1)

    def history(self, query: str, last: Tick, ticks: int, /) -> Sequence[MetricSeries]:
        """The counters at the ends of `ticks` ticks, and at the begin of the first: one more than ticks."""
        return self._by_parts(query, lambda asked: self._range(asked, last, ticks))

    def _range(self, query: str, last: Tick, ticks: int) -> Sequence[Sampled]:
        rows = [Sampled({}, {}, 0 if is_plain_selector(query) else 1) for _ in range(ticks + 1)]
        for row, labels, point in self._ranged(query, last, ticks):
            rows[row][labels] = self._number(point)
        return rows

    def _ranged(self, query: str, last: Tick, ticks: int, what: str = "values") -> Iterator[tuple[int, str, list[Any]]]:
        """(number of the instant, labels, [instant, value]) of a range of `values`, or of `histograms`."""
        begin = last.shifted(-last.seconds * ticks).end
        words = {"query": query, "start": _epoch(begin), "end": _epoch(last.end), "step": f"{last.seconds:g}"}
        kind, result = self._asked(_RANGE, words)
        if kind != "matrix":
            raise self._refused(kind)
        for one in result:
            labels = _labels(one)
            for point in self._points(one, what):
                row = round((point[0] - begin.timestamp()) / last.seconds)
                if 0 <= row <= ticks:
                    yield row, labels, point

    def spacing(self, query: str, at: datetime, /) -> float:
        """By how many samples the series with most of them has in ten minutes, or, where it is younger than that, in
        the latest part of them.
        """
        read = selectors(query)
        if not read:
            return 0.0
        try:
            _, result = self._instant(_spacing_query(read), at)
        except NotUnderstood:
            return 0.0
        return max((self._sample(one) for one in result), default=0.0)

    def latencies(self, histogram: str, bound: float, tick: Tick, /) -> Latencies:
        """The buckets at that instant, in one query, so that they belong together; else the native histograms."""
        named = _histogram(histogram)
        if histogram not in self._native:
            series = self.counts(named.buckets(bound), tick)
            if series:
                return classic_latencies(series, bound * named.units)
        found = self._instant(with_times(named.whole), tick.end)[1]
        times = {_labels(one, SERIES_MARK, "__name__"): self._sample(one) for one in found if _mark(one)}
        histograms = [(_labels(one, "__name__"), self._histogram(one)) for one in found if not _mark(one)]
        if histograms:
            self._native.add(histogram)
        return self._native_latencies(histograms, times, bound * named.units)

    def latency_history(self, histogram: str, bound: float, last: Tick, ticks: int, /) -> Sequence[Latencies]:
        """The same at the ends of `ticks` ticks, and at the begin of the first."""
        named = _histogram(histogram)
        rows = self.history(named.buckets(bound), last, ticks)
        if any(rows):
            return [classic_latencies(row, bound * named.units) for row in rows]
        found: list[list[tuple[str, Mapping[str, Any]]]] = [[] for _ in rows]
        for row, labels, point in self._ranged(named.whole, last, ticks, "histograms"):
            found[row].append((labels, self._histogram({"histogram": point})))
        return [self._native_latencies(histograms, {}, bound * named.units) for histograms in found]

    def latency_spacing(self, histogram: str, bound: float, at: datetime, /) -> float:
        """The same of its buckets, or of a native histogram."""
        named = _histogram(histogram)
        return self.spacing(named.buckets(bound), at) or self.spacing(named.whole, at)

    def bounds(self, histogram: str, at: datetime, /) -> Mapping[float, int]:
        """The ends of the buckets by how many series have them; of native ones those that never lie within one."""
        named = _histogram(histogram)
        found = self._instant(f"count by (le) ({named.every_bucket})", at)[1]
        ends = [(bucket_end(str(one.get("metric", {}).get("le"))), self._sample(one)) for one in found]
        known = {end / named.units: round(number) for end, number in ends if end is not None}
        if known:
            return known
        native = [self._histogram(one) for one in self._instant(named.whole, at)[1]]
        return {end / named.units: number for end, number in native_bounds(native).items()} if native else {}

    def _histogram(self, one: Mapping[str, Any]) -> Mapping[str, Any]:
        """The histogram of [instant, histogram]."""
        pair = one.get("histogram")
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], dict):
            return pair[1]
        hint = "name a histogram, without _bucket; a summary has no buckets"
        raise Incomplete(f"{self._place.name}: the query gives a number, and no histogram", hint=hint)

    def _native_latencies(
        self, found: Sequence[tuple[str, Mapping[str, Any]]], times: Mapping[str, float], bound: float
    ) -> Latencies:
        try:
            return native_latencies(found, times, bound)
        except (LookupError, TypeError, ValueError):
            raise self._strange() from None

    def _instant(self, query: str, at: datetime) -> tuple[str, Any]:
        kind, result = self._asked(_QUERY, {"query": query, "time": _epoch(at)})
        if kind not in ("vector", "scalar"):
            raise self._refused(kind)
        return kind, result

    def _asked(self, path: str, words: Mapping[str, str]) -> tuple[str, Any]:
        """(resultType, result) of a successful answer without warnings."""
        form = {**words, "timeout": f"{round(self._place.seconds * 1000)}ms"}
        answer = ask(self._place, "POST", path, data=form)
        if answer.status != 200:
            error = refused(self._place, answer, _reason(answer.body))
            raise NotUnderstood(error.message, hint=error.hint) if answer.status in _NOT_UNDERSTOOD else error
        body = parsed(self._place, answer)
        if not isinstance(body, dict) or body.get("status") != "success" or not isinstance(body.get("data"), dict):
            raise self._strange()
        if warnings := body.get("warnings"):
            hint = "the answer may be partial; a part of the sources behind it may be down"
            raise Incomplete(f"{self._place.name} warns: {one_line(str(warnings), 200)}", hint=hint)
        data = body["data"]
        kind, result = data.get("resultType"), data.get("result")
        if not isinstance(kind, str) or not isinstance(result, list):
            raise self._strange()
        if kind in ("vector", "matrix") and not all(isinstance(one, dict) for one in result):
            raise self._strange()
        return kind, result

    def _sample(self, one: Mapping[str, Any]) -> float:
        if "value" not in one:
            raise self._refused("histogram") if "histogram" in one else self._strange()
        return self._number(one["value"])

    def _points(self, one: Mapping[str, Any], what: str) -> Iterator[list[Any]]:
        if not isinstance(points := one.get(what), list):
            raise self._refused("histogram") if "histograms" in one else self._strange()
        for pair in points:
            if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], int | float):
                raise self._strange()
            yield pair

    def _number(self, pair: object) -> float:
        """The number of [instant, text]; NaN and the infinities are passed on as such."""
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[1], str) or "_" in pair[1]:
            raise self._strange()
        try:
            return float(pair[1])
        except ValueError:
            raise self._strange() from None

    def _refused(self, kind: str) -> Incomplete:
        hint = _HINTS.get(kind, "expected a vector or a scalar")
        return Incomplete(f"{self._place.name}: the query gives a {one_line(kind, 20)}", hint=hint)

    def _strange(self) -> Incomplete:
        return Incomplete(f"{self._place.name}: the answer is not of Prometheus' shape", hint="is it another service?")


def connect(given: SourceSettings) -> Prometheus:
    """See `connect`."""
    return Prometheus(given.signed_in())


def _histogram(selector: str) -> HistogramName:
    named = histogram_name(selector)
    if named is None:
        raise Incomplete(f"{selector!r} is not a histogram by itself", hint="give its name and its labels")
    return named


def _reason(body: bytes) -> str:
    """`errorType: error` of a refusal, "" where it is of another shape."""
    try:
        found = json.loads(body)
        return one_line(f"{found['errorType']}: {found['error']}", 300)
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""


def _mark(one: Mapping[str, Any]) -> str:
    """What a part of an answer is beside the values, "" for a value."""
    metric = one.get("metric")
    return str(metric.get(SERIES_MARK, "")) if isinstance(metric, dict) else ""


def _labels(one: Mapping[str, Any], *but: str) -> str:
    """A series' labels as text, in their own order; some of them may be left out."""
    metric = one.get("metric")
    named = metric if isinstance(metric, dict) else {}
    return ",".join(f"{name}={json.dumps(value)}" for name, value in sorted(named.items()) if name not in but)


def _spacing_query(read: Sequence[str]) -> str:
    """The least distance that any window shows. A part counts with four samples or more, and only where it lies below
    what all of them show: so many samples are at most that far apart.
    """

    def shown(window: int, distance: str) -> str:
        counted = " or ".join(f"max(count_over_time({one}[{window}s]))" for one in read)
        return f'label_replace({window} / ({distance.format(f"max({counted})")}), "window", "{window}", "", "")'

    parts = " or ".join(shown(window, "({} > 3) - 1") for window in _PARTS_OF_IT)
    return f"min({shown(_WINDOW, '{} > 1')} or {parts})"


def _epoch(at: datetime) -> str:
    return f"{at.timestamp():.3f}"
