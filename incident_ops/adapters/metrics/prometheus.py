"""Prometheus, and what speaks its HTTP API: instant queries, and one range for the history.

A sample's value arrives as text, "NaN" and "+Inf" among it. Warnings say that an answer may be partial, and so it is
no answer. Vector and scalar are taken; a range, a text or a histogram is not what was asked for and is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from incident_ops.adapters.http import Place, ask, parsed, refused
from incident_ops.adapters.processes import one_line
from incident_ops.domain.ports import MetricSeries, Tick
from incident_ops.errors import Incomplete

_QUERY, _RANGE = "/api/v1/query", "/api/v1/query_range"
_HINTS = {
    "matrix": "a range was given; take one instant, without [5m] at the end",
    "string": "a text was given; give a number",
    "histogram": "a histogram was given; take e.g. histogram_count() or histogram_quantile() of it",
}


class Prometheus:
    """A Prometheus server; see `domain.ports.MetricSource`."""

    is_cumulative = True
    is_promql = True
    unproven = ""

    def __init__(self, place: Place) -> None:
        self._place = place

    def value(self, query: str, tick: Tick, /) -> object:
        """The number of a scalar, or the list of a vector's numbers in the order of their labels."""
        kind, result = self._instant(query, tick.end)
        if kind == "scalar":
            return self._number(result)
        found = {_labels(one): self._sample(one) for one in result}
        return [found[labels] for labels in sorted(found)]

    def counts(self, query: str, tick: Tick, /) -> MetricSeries:
        """The counters at that instant."""
        kind, result = self._instant(query, tick.end)
        if kind == "scalar":
            return {"": self._number(result)}
        return {_labels(one): self._sample(one) for one in result}

    def history(self, query: str, last: Tick, ticks: int, /) -> Sequence[MetricSeries]:
        """The counters at the ends of `ticks` ticks, and at the begin of the first: one more than ticks."""
        begin = last.shifted(-last.seconds * ticks).end
        words = {"query": query, "start": _epoch(begin), "end": _epoch(last.end), "step": f"{last.seconds:g}"}
        kind, result = self._asked(_RANGE, words)
        if kind != "matrix":
            raise self._refused(kind)
        rows: list[dict[str, object]] = [{} for _ in range(ticks + 1)]
        for one in result:
            labels = _labels(one)
            for at, text in self._points(one):
                row = round((at - begin.timestamp()) / last.seconds)
                if 0 <= row <= ticks:
                    rows[row][labels] = self._number([at, text])
        return rows

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
            raise refused(self._place, answer, _reason(answer.body))
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


def _reason(body: bytes) -> str:
    """`errorType: error` of a refusal, "" where it is of another shape."""
    try:
        found = json.loads(body)
        return one_line(f"{found['errorType']}: {found['error']}", 300)
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""


def _labels(one: Mapping[str, Any]) -> str:
    """A series' labels as text, in their own order."""
    metric = one.get("metric")
    named = metric if isinstance(metric, dict) else {}
    return ",".join(f"{name}={json.dumps(value)}" for name, value in sorted(named.items()))


def _epoch(at: datetime) -> str:
    return f"{at.timestamp():.3f}"
