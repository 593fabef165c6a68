"""Histograms in the answers of Prometheus: classic ones, a counter for each bucket, and native ones, all in one sample.

Of a native histogram requests are counted exactly or not at all: the bound has to lie between two buckets. With the
usual bases that is so for 1 s, 0.5 s, 0.25 s, 2 s, 4 s and so on, whatever the resolution: the powers of two.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from incident_ops.domain.latency import is_bound
from incident_ops.domain.ports import Latencies, MetricSeries, Sampled

_BOUND = re.compile(r'(?:^|,)le="((?:[^"\\]|\\.)*)"')
_SMALLEST = 2.0**-20


def classic_latencies(series: MetricSeries, bound: float) -> Latencies:
    """Buckets by their labels, with those of the bound (in their own unit) apart from those of all requests."""
    times = series.times if isinstance(series, Sampled) else {}
    requests, within, sampled = dict[str, object](), dict[str, object](), dict[str, float]()
    for labels, value in series.items():
        match = _BOUND.search(labels)
        end = bucket_end(match[1]) if match else None
        if match is None or end is None:
            continue
        name = f"{labels[: match.start()]}{labels[match.end() :]}".strip(",")
        if math.isinf(end):
            requests[name] = value
            sampled |= {name: times[labels]} if labels in times else {}
        elif is_bound(end, bound):
            within[name] = value
    return Latencies(Sampled(requests, sampled), within)


def bucket_end(text: str) -> float | None:
    """The number of a label `le`; None where it is none."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def native_latencies(
    found: Iterable[tuple[str, Mapping[str, Any]]], times: Mapping[str, float], bound: float
) -> Latencies:
    """Histograms by their labels. LookupError, TypeError or ValueError where they are of another shape."""
    requests, within = dict[str, object](), dict[str, object]()
    for name, histogram in found:
        requests[name] = float(histogram["count"])
        counted = _up_to(histogram, bound)
        if counted is not None:
            within[name] = counted
    return Latencies(Sampled(requests, times), within)


def _up_to(histogram: Mapping[str, Any], bound: float) -> float | None:
    """Requests up to the bound; None where it lies within a bucket."""
    counted = 0.0
    for low, high, count in _buckets(histogram):
        if high <= bound or is_bound(high, bound):
            counted += count
        elif low < bound and not is_bound(low, bound):
            return None
    return counted


def _buckets(histogram: Mapping[str, Any]) -> Iterator[tuple[float, float, float]]:
    for _rule, low, high, count in histogram.get("buckets", ()):
        yield float(low), float(high), float(count)


def native_bounds(found: Iterable[Mapping[str, Any]]) -> dict[float, int]:
    """The powers of two that lie between the buckets of any resolution, in the histograms' unit; how many those are."""
    histograms = list(found)
    ends = [high for histogram in histograms for _, high, _ in _buckets(histogram) if high > 0]
    if not ends:
        return {math.inf: len(histograms)}
    first, last = math.floor(math.log2(max(min(ends), _SMALLEST))), math.ceil(math.log2(max(*ends, 2 * _SMALLEST)))
    return {math.inf: len(histograms), **{2.0**power: len(histograms) for power in range(first, last + 1)}}
