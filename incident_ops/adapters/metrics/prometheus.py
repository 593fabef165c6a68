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
from incident_ops.domain.metric_kinds import PROMETHEUS
from incident_ops.domain.ports import MetricSeries, Sampled, Tick
from incident_ops.errors import Incomplete

if TYPE_CHECKING:
    from incident_ops.adapters.metrics.connect import SourceSettings

_QUERY, _RANGE = "/api/v1/query", "/api/v1/query_range"
_HINTS = {
    "matrix": "a range was given; take one instant, without [5m] at the end",
    "string": "a text was given; give a number",
    "histogram": "a histogram was given; take e.g. histogram_count() or histogram_quantile() of it",
}
_WINDOW = 600
"""Seconds."""
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
        self._untimed, self._large = set[str](), set[str]()

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
        begin = last.shifted(-last.seconds * ticks).end
        words = {"query": query, "start": _epoch(begin), "end": _epoch(last.end), "step": f"{last.seconds:g}"}
        kind, result = self._asked(_RANGE, words)
        if kind != "matrix":
            raise self._refused(kind)
        rows = [Sampled({}, {}, 0 if is_plain_selector(query) else 1) for _ in range(ticks + 1)]
        for one in result:
            labels = _labels(one)
            for at, text in self._points(one):
                row = round((at - begin.timestamp()) / last.seconds)
                if 0 <= row <= ticks:
                    rows[row][labels] = self._number([at, text])
        return rows

    def spacing(self, query: str, at: datetime, /) -> float:
        """By how many samples the series with most of them has in ten minutes."""
        read = selectors(query)
        if not read:
            return 0.0
        try:
            counted = " or ".join(f"max(count_over_time({one}[{_WINDOW}s]))" for one in read)
            _, result = self._instant(f"max({counted})", at)
        except NotUnderstood:
            return 0.0
        most = max((self._sample(one) for one in result), default=0.0)
        return _WINDOW / most if most > 1 else 0.0

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

    def _points(self, one: Mapping[str, Any]) -> Iterator[tuple[float, object]]:
        if "values" not in one:
            raise self._refused("histogram") if "histograms" in one else self._strange()
        for pair in one["values"]:
            if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], int | float):
                raise self._strange()
            yield pair[0], pair[1]

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


def _epoch(at: datetime) -> str:
    return f"{at.timestamp():.3f}"
