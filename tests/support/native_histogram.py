"""A service with a native histogram: Prometheus scrapes those as protocol buffers only, written here by hand."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

from tests.support.prometheus import Exporter

FACTOR = 3
"""The resolution: eight buckets between one power of two and the next, each 9 % wide."""


class NativeExporter(Exporter):
    """`observed` by version: how many requests took so many seconds. The name is that of the real thing."""

    kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.observed: dict[str, dict[float, int]] = {}

    def exposed(self) -> bytes:
        """One family with a histogram for each version."""
        metrics = b"".join(_field(4, _metric(version, seen)) for version, seen in list(self.observed.items()))
        family = _field(1, b"http_request_duration_seconds") + _number(3, 4) + metrics
        return _varint(len(family)) + family


def _metric(version: str, seen: Mapping[float, int]) -> bytes:
    label = _field(1, b"version") + _field(2, version.encode())
    counts: dict[int, int] = {}
    for seconds, number in seen.items():
        place = math.ceil(math.log2(seconds) * 2**FACTOR - 1e-9)
        counts[place] = counts.get(place, 0) + number
    places = list(range(min(counts), max(counts) + 1))
    deltas, before = b"", 0
    for place in places:
        deltas += _varint(_zigzag(counts.get(place, 0) - before))
        before = counts.get(place, 0)
    total = sum(seconds * number for seconds, number in seen.items())
    histogram = _number(1, sum(counts.values())) + _double(2, total) + _number(5, _zigzag(FACTOR)) + _double(6, 1e-9)
    span = _number(1, _zigzag(places[0])) + _number(2, len(places))
    return _field(1, label) + _field(7, histogram + _field(12, span) + _field(13, deltas))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _zigzag(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])
