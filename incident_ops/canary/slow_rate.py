"""A metric of type slowRate: requests slower than a bucket of a histogram, counted and compared as errors are.

In a gate file it has words of its own; everything behind it is that of an error rate, and speaks of slow requests again
where people read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from incident_ops.canary.counters import NO_BASELINE, NO_SAMPLES, Gap, Reading, to_count, to_reading
from incident_ops.domain.latency import histogram_name, spell_latency, to_latency
from incident_ops.domain.metric_kinds import CLOUDWATCH, RECORDING, MetricKind
from incident_ops.domain.ports import Latencies

SLOW_RATE_TYPE = "slowRate"
SLOW_RATE = "slow_rate"
"""Reason code: more of the canary's requests are slow than of the baseline's."""

_NONE = "none"
SLOW_WORDS = {"maxSlowRate": "maxErrorRate", "minSlowRate": "minErrorRate", "goodSlowRate": "goodErrorRate"}
"""Keys of such a metric, and those of an error rate that mean the same."""


def as_error_rate(metric: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data of a metric in the words of an error rate; of any other metric as they are.

    No limit of the policy holds for it, and no objective: both are about errors.
    """
    if metric["type"] != SLOW_RATE_TYPE:
        return metric
    words = {SLOW_WORDS.get(key, key): value for key, value in metric.items()}
    for side in ("canary", "baseline"):
        if side in words:
            words[side] = {"errors" if key == "slow" else key: query for key, query in words[side].items()}
    return {"maxErrorRate": _NONE, "goodErrorRate": _NONE, **words}


def slower_than(metric: Mapping[str, Any]) -> float | None:
    """Seconds above which a request is slow; None for a metric that counts errors."""
    return to_latency(metric["slowerThan"]) if metric["type"] == SLOW_RATE_TYPE else None


_WORDS = re.compile(
    r"""(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<key>max|min|good)ErrorRate|(?P<query>\{errors:)"""
    r"""|\berrorRate\b|\berror[ ]rate\b|\b[eE]rrors\b|\berror\b"""
)
_SPOKEN = {
    "error rate": "share of slow requests",
    "errors": "slow requests",
    "Errors": "Slow requests",
    "error": "slow request",
}


def of_slow_requests(text: str) -> str:
    """A text about errors as one about slow requests, with the words of the gate file; what is quoted stays."""

    def spoken(match: re.Match[str]) -> str:
        if match["key"]:
            return f"{match['key']}SlowRate"
        if match["query"]:
            return "{slow:"
        return match[0] if match["quoted"] else _SPOKEN.get(match[0], SLOW_RATE_TYPE)

    return _WORDS.sub(spoken, text)


def slow_reading(latencies: Latencies, side: str, seconds: float) -> Reading | Gap:
    """The counters of slow requests and of all, series by series; a gap where a series cannot say which are slow."""
    counted = latencies.requests
    missing = NO_BASELINE if side == "baseline" else NO_SAMPLES
    unknown = [name for name in counted if name not in latencies.within]
    if unknown:
        some = f"{len(unknown)} of {len(counted)} series have" if len(unknown) < len(counted) else "the histogram has"
        return Gap(missing, f"{side}: {some} no bucket that ends at {spell_latency(seconds)}")
    slow = {name: _difference(counted[name], within) for name, within in latencies.within.items() if name in counted}
    reading = to_reading(slow, counted, side)
    return reading if isinstance(reading, Gap) else reading._replace(times=counted.times)


def _difference(requests: object, within: object) -> object:
    """Slow requests, or what stands in the place of a number."""
    for value in (requests, within):
        if isinstance(to_count(value), str):
            return value
    return float(str(requests)) - float(str(within))


SlowFault = tuple[tuple[str, ...], str, str]
"""Route below the metric, what is wrong, how to fix it."""


def slow_faults(metric: Mapping[str, Any], kind: MetricKind) -> Iterator[SlowFault]:
    """What is wrong with what a slowRate metric counts; `kind` is that of its provider."""
    if "slowerThan" not in metric:
        yield (), "slowRate needs to know from when on a request is slow", "add slowerThan: 500ms"
    elif to_latency(metric["slowerThan"]) <= 0:
        yield ("slowerThan",), "every request is slower than 0", "e.g. 500ms"
    for side in ("canary", "baseline"):
        given = metric.get(side, {})
        if "histogram" in given and not kind.is_promql and kind is not RECORDING:
            yield (
                (side, "histogram"),
                f"{kind.name} has no histogram that can be read bucket by bucket",
                _way(kind, side),
            )
        elif "histogram" in given and len(given) > 1:
            other = next(key for key in given if key != "histogram")
            yield (side, other), "the histogram counts both already", f"remove {other}, or histogram"
        elif "histogram" in given and histogram_name(given["histogram"]) is None:
            hint = 'its name and its labels, e.g. http_request_duration_seconds{track="canary"}: pods are added up'
            yield (side, "histogram"), "this is not a histogram by itself", hint
        elif given and "histogram" not in given and not {"slow", "requests"} <= given.keys():
            yield (side,), "what it counts is missing", _way(kind, side)
    sides = [metric[side].get("histogram", "").split() for side in ("canary", "baseline") if side in metric]
    if len(sides) == 2 and sides[0] == sides[1] != []:
        message = "canary and baseline have the same histogram, so the two could never differ"
        yield ("baseline", "histogram"), message, "let it select the old version only"


def _way(kind: MetricKind, side: str) -> str:
    if kind.is_promql:
        return f"write {side}: {{histogram: ...}}, or {side}: {{slow: ..., requests: ...}}"
    if kind is CLOUDWATCH:
        return f"write {side}: {{slow: ..., requests: ...}}, slow as (100 - PR(:0.5)) / 100 * SampleCount"
    return f"write {side}: {{slow: ..., requests: ...}}, each a count"
