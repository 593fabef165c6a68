"""A real Prometheus: filled history, a live exporter, a server that hangs and one that dies in the middle of a run."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_ops.adapters.http import Place
from incident_ops.adapters.metrics.prometheus import Prometheus
from incident_ops.canary.conditions import parse_condition
from incident_ops.canary.config import fill_query
from incident_ops.canary.counters import Counts, Gap, Reading, difference, to_reading
from incident_ops.canary.threshold import (
    MeasurementPhase,
    RunEnd,
    Threshold,
    Totals,
    add_measurement,
    assess,
    measure,
    unanswered,
)
from incident_ops.domain.ports import Tick
from incident_ops.errors import Incomplete
from tests.support.prometheus import Prometheus as Server
from tests.support.prometheus import exporter, need_prometheus, now, open_metrics, prometheus
from tests.support.scripted_server import Reply, scripted_server

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])

BEGIN = (time.time() - 3600) // 15 * 15
ERRORS = 'http_requests_total{code="500",track="canary"}'
REQUESTS = 'http_requests_total{code="200",track="canary"}'


def points(step: float, count: int = 200, reset_at: int = 10**9) -> list[tuple[float, float]]:
    """A counter that grows by `step` every 15 s and begins anew at one point."""
    return [
        (BEGIN + 15 * number, step * (number if number < reset_at else number - reset_at)) for number in range(count)
    ]


HOSTILE = ["it's", 'a"b', "a\\b", "'\"\\'", 'v2"} or vector(1) #', "1.2|.*", "v+", "(a)[b]{c}^$", "grün"]


def labelled(value: str) -> str:
    """A series with this value as its label, as OpenMetrics writes it."""
    escaped = value.replace("\\", r"\\").replace('"', r"\"")
    return f'labelled{{v="{escaped}"}}'


HISTORY = open_metrics(
    [
        *((labelled(value), [(at, number) for at, _ in points(1)]) for number, value in enumerate(HOSTILE, 1)),
        (REQUESTS, points(100)),
        (ERRORS, points(5)),
        ('http_requests_total{code="200",track="stable"}', points(900)),
        ("restarted_total", points(10, reset_at=100)),
        ("zero", [(at, 0) for at, _ in points(1)]),
    ]
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server over an hour of history, for all tests that leave it as it is."""
    need_prometheus()
    with prometheus(tmp_path_factory.mktemp("prometheus"), HISTORY) as running:
        yield running


def source(server: Server, seconds: float = 10.0) -> Prometheus:
    return Prometheus(Place("data source main", server.url, allow_private=True, seconds=seconds))


def tick(number: int) -> Tick:
    """The tick that ends at a point of the history."""
    return Tick(datetime.fromtimestamp(BEGIN + 15 * number, UTC), 15.0)


def read(found: Prometheus, at: Tick) -> Reading | Gap:
    return to_reading(found.counts(ERRORS, at), found.counts(REQUESTS, at), "canary")


def test_filled_history_gives_the_counts_of_a_tick(server: Server) -> None:
    """Two readings of the counters, 15 s apart: 5 errors, 100 requests."""
    before, after = read(source(server), tick(40)), read(source(server), tick(41))
    assert isinstance(before, Reading)
    assert isinstance(after, Reading)
    assert difference(before, after, "canary") == Counts(5, 100)


def test_a_counter_that_began_anew_is_counted_from_zero(server: Server) -> None:
    """At point 100 the counter falls from 990 to 0; nothing negative is ever counted."""
    found = source(server)
    series = [found.counts("restarted_total", tick(number)) for number in (98, 99, 101)]
    readings = [to_reading({}, one, "canary") for one in series]
    assert all(isinstance(one, Reading) for one in readings)
    grown = [difference(one, other, "canary") for one, other in itertools.pairwise(readings)]
    assert grown == [Counts(0, 10), Counts(0, 10)]


def test_no_error_series_yet_is_no_error_but_no_request_series_is_no_data(server: Server) -> None:
    """A new version without a failure has no such series."""
    found = source(server)
    nothing: Mapping[str, object] = found.counts('http_requests_total{code="503"}', tick(40))
    assert nothing == {}
    assert isinstance(to_reading(nothing, found.counts(REQUESTS, tick(40)), "canary"), Reading)
    assert isinstance(to_reading(found.counts(ERRORS, tick(40)), nothing, "canary"), Gap)


def test_the_lookback_is_read_in_one_range(server: Server) -> None:
    """One row more than ticks: their ends, and the begin of the first."""
    rows = source(server).history(REQUESTS, tick(60), 20)
    assert len(rows) == 21
    values = [float(str(value)) for row in rows for value in row.values()]
    assert values == [100.0 * number for number in range(40, 61)]


@pytest.mark.parametrize(
    ("query", "phase"),
    [
        (
            "sum(increase(http_requests_total{code='500'}[1m])) / sum(increase(http_requests_total[1m]))",
            MeasurementPhase.SUCCESSFUL,
        ),
        (ERRORS, MeasurementPhase.FAILED),
        ("scalar(zero)", MeasurementPhase.SUCCESSFUL),
        ("nosuch", MeasurementPhase.NO_DATA),
        ("sum(nosuch) / sum(nosuch)", MeasurementPhase.NO_DATA),
        ("zero / zero", MeasurementPhase.NO_DATA),
        ("scalar(nosuch)", MeasurementPhase.NO_DATA),
        ("scalar(zero) / 0", MeasurementPhase.NO_DATA),
        ("1 / scalar(zero)", MeasurementPhase.NO_DATA),
        ("-1 / scalar(zero)", MeasurementPhase.NO_DATA),
        ("http_requests_total", MeasurementPhase.ERROR),
    ],
)
def test_a_threshold_query_ends_in_one_phase(server: Server, query: str, phase: MeasurementPhase) -> None:
    """Vector, scalar, nothing, NaN, both infinities, and several series where one is meant."""
    metric = Threshold(parse_condition("result < 0.5"))
    assert measure(metric, source(server).value(query, tick(100))).phase is phase


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("sum(", "answered 400, bad_data"),
        ("", "answered 400, bad_data"),
        ("http_requests_total[5m]", "gives a matrix"),
        ('"text"', "gives a string"),
        ("http_requests_total / ignoring(code) http_requests_total", "answered 422, execution"),
    ],
)
def test_a_query_that_prometheus_refuses_is_an_error(server: Server, query: str, message: str) -> None:
    """400 and 422 with Prometheus' own words, and what is of another type."""
    for ask in (source(server).value, source(server).counts):
        with pytest.raises(Incomplete, match=message):
            ask(query, tick(100))


def test_another_service_at_that_address_is_an_error(server: Server) -> None:
    """Prometheus' own pages are no answers: an unknown path is plain text."""
    elsewhere = Prometheus(Place("data source main", f"{server.url}/graph", allow_private=True))
    with pytest.raises(Incomplete, match=r"answered 404|no JSON"):
        elsewhere.value("up", tick(100))


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(503, {"status": "error", "errorType": "timeout", "error": "query timed out"}), "503, timeout"),
        (Reply(200, text="<html>sign in</html>"), "not JSON"),
    ],
    ids=["503", "page"],
)
def test_a_proxy_in_between_that_answers_for_it_is_an_error(reply: Reply, message: str) -> None:
    """An overloaded server, and a sign-in page."""
    with scripted_server() as proxy:
        proxy.script(reply)
        with pytest.raises(Incomplete, match=message):
            Prometheus(Place("data source main", proxy.url, allow_private=True)).value("up", tick(100))


def test_a_warning_of_the_server_is_an_error(server: Server) -> None:
    """The real answer, with the warning that a partial one carries."""
    found = {"resultType": "vector", "result": [{"metric": {}, "value": [BEGIN, "0"]}]}
    with scripted_server() as proxy:
        proxy.script(Reply(200, {"status": "success", "data": found, "warnings": ["store unavailable"]}))
        with pytest.raises(Incomplete, match="warns"):
            Prometheus(Place("data source main", proxy.url, allow_private=True)).value("up", tick(100))


def test_a_server_that_hangs_and_one_that_dies_are_errors_and_no_pass(tmp_path: Path) -> None:
    """In the middle of a run: three good answers, then silence. The metric ends in Error, and is no pass before."""
    need_prometheus()
    metric, totals = Threshold(parse_condition("result < 0.5"), interval=15.0, count=5), Totals()
    with prometheus(tmp_path, HISTORY) as server:
        found = source(server, seconds=0.5)
        for number in (100, 101, 102):
            totals = add_measurement(totals, measure(metric, found.value("zero", tick(number))))
        assert (totals.successful, assess(metric, totals).phase) == (3, MeasurementPhase.RUNNING)
        server.freeze()
        with pytest.raises(Incomplete, match="no answer within"):
            found.value("zero", tick(103))
        server.thaw()
        server.stop()
        with pytest.raises(Incomplete, match=r"cannot be reached|connection broke") as told:
            found.value("zero", tick(104))
    for _ in range(5):
        totals = add_measurement(totals, unanswered(str(told.value)))
        assert assess(metric, totals, RunEnd.EARLY).phase is not MeasurementPhase.SUCCESSFUL
        assert assess(metric, totals, RunEnd.HORIZON, 5).phase is not MeasurementPhase.SUCCESSFUL
    assert assess(metric, totals).phase is MeasurementPhase.ERROR


@pytest.mark.slow
def test_a_live_exporter_whose_error_rate_changes_is_followed(tmp_path: Path) -> None:
    """Scraped by the server: 1 % errors, then 20 %; the differences between readings are what the service counted."""
    need_prometheus()
    with exporter() as service, prometheus(tmp_path, targets=[service.target]) as server:
        service.counters = {REQUESTS: 1000, ERRORS: 10}
        server.wait_for(REQUESTS)
        found, seen = source(server), []
        for requests, errors in ((1000, 10), (800, 200)):
            before = read(found, Tick(now(), 1.0))
            service.counters[REQUESTS] += requests
            service.counters[ERRORS] += errors
            target = service.counters[ERRORS]
            server.wait_for(f"{ERRORS} == {target} and on() {REQUESTS} == {service.counters[REQUESTS]}")
            after = read(found, Tick(now(), 1.0))
            assert isinstance(before, Reading)
            assert isinstance(after, Reading)
            seen.append(difference(before, after, "canary"))
    assert seen == [Counts(10, 1000), Counts(200, 800)]


@pytest.mark.parametrize("query", ['labelled{v="{{args.v}}"}', "labelled{v='{{args.v}}'}", 'labelled{v=~"{{args.v}}"}'])
@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_finds_the_series_of_that_label_and_no_other(server: Server, query: str, value: str) -> None:
    """Quotes, backslashes and what a regular expression would read stand for themselves, in either quotes."""
    asked = fill_query(query, {"v": value}, is_promql=True)
    assert source(server).value(asked, Tick(datetime.fromtimestamp(BEGIN + 300, UTC), 15)) == [HOSTILE.index(value) + 1]
