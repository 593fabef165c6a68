"""A real Prometheus with native histograms: slow requests are counted exactly, or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from incident_ops.adapters.http import Place
from incident_ops.adapters.metrics.prometheus import Prometheus as Source
from incident_ops.canary.counters import Gap, Reading, difference
from incident_ops.canary.slow_rate import slow_reading
from incident_ops.domain.ports import Tick
from tests.support.native_histogram import NativeExporter
from tests.support.prometheus import exporter, need_prometheus, now, prometheus

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])

OLD = 'http_request_duration_seconds{version="old"}'


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Source, NativeExporter]]:
    need_prometheus()
    with exporter(NativeExporter) as service:
        service.observed = {"old": {0.02: 900, 0.49: 90, 0.51: 7, 3.0: 3}, "new": {0.02: 90, 0.7: 10}}
        flags = ["--enable-feature=native-histograms"]
        folder = tmp_path_factory.mktemp("native")
        with prometheus(folder, targets=[service.target], flags=flags) as server:
            server.wait_for(f"histogram_count({OLD}) > 0")
            yield Source(Place("data source main", server.url, allow_private=True)), service


def slow(source: Source, seconds: float) -> Reading | Gap:
    return slow_reading(source.latencies(OLD, seconds, Tick(now(), 1.0)), "baseline", seconds)


def test_a_power_of_two_parts_slow_from_fast_exactly(scraped: tuple[Source, NativeExporter]) -> None:
    """0.49 s and 0.51 s lie on both sides of 500 ms, whatever the width of their buckets."""
    source, _ = scraped
    for seconds, expected in ((0.5, 10.0), (1.0, 3.0), (2.0, 3.0), (4.0, 0.0), (0.25, 100.0)):
        found = slow(source, seconds)
        assert isinstance(found, Reading), found
        assert (sum(found.errors.values()), sum(found.requests.values())) == (expected, 1000.0)
        assert found.newest == pytest.approx(time.time(), abs=5)


def test_a_time_within_a_bucket_that_has_requests_is_no_data(scraped: tuple[Source, NativeExporter]) -> None:
    source, _ = scraped
    found = slow(source, 0.495)
    assert isinstance(found, Gap)
    assert found.text == "baseline: the histogram has no bucket that ends at 495 ms"


def test_its_bounds_are_the_powers_of_two(scraped: tuple[Source, NativeExporter]) -> None:
    source, _ = scraped
    found = source.bounds(OLD, now())
    assert {0.25, 0.5, 1.0, 2.0, 4.0} <= set(found)
    assert 0.495 not in found


def test_what_was_counted_between_two_readings(scraped: tuple[Source, NativeExporter]) -> None:
    source, service = scraped
    before = slow(source, 0.5)
    service.observed["old"] = {0.02: 1900, 0.49: 90, 0.51: 12, 3.0: 3}
    end = time.monotonic() + 10
    while slow(source, 0.5) == before or not isinstance(after := slow(source, 0.5), Reading):
        assert time.monotonic() < end
        time.sleep(0.1)
    while sum(after.requests.values()) < 2005:
        assert time.monotonic() < end
        after = slow(source, 0.5)
        assert isinstance(after, Reading)
    assert isinstance(before, Reading)
    assert difference(before, after, "baseline") == (5.0, 1005.0)
    rows = source.latency_history(OLD, 0.5, Tick(now(), 1.0), 2)
    assert len(rows) == 3
    assert sum(float(str(value)) for value in rows[-1].requests.values()) == 2005.0
