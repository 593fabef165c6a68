"""Answers of Prometheus' API, each taken or refused on purpose; the same against a real one in test_prometheus_real."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from incident_ops.adapters.http import Place
from incident_ops.adapters.metrics.prometheus import Prometheus
from incident_ops.adapters.metrics.promql import SERIES_MARK, added_up, selectors, with_times
from incident_ops.domain.ports import Sampled, Tick
from incident_ops.errors import Incomplete
from tests.support.scripted_server import Reply, ScriptedServer

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
TICK = Tick(datetime(2025, 1, 26, 12, 5, tzinfo=UTC), 15.0)
AT = TICK.end.timestamp()


@pytest.fixture
def source(server: ScriptedServer) -> Prometheus:
    return Prometheus(
        Place("data source main", f"{server.url}/prom/", {"Authorization": "Bearer s3cret"}, allow_private=True)
    )


def answer(kind: str, result: Any, **words: Any) -> Reply:
    return Reply(200, {"status": "success", "data": {"resultType": kind, "result": result}, **words})


def one(value: Any, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [AT, value]}


def test_a_tick_is_one_instant_query_of_the_gates_own_time(server: ScriptedServer, source: Prometheus) -> None:
    """By POST, at the tick's end, with the time the server may take, and with the token."""
    server.script(answer("vector", []))
    source.counts("errors_total", TICK)
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("POST", "/prom/api/v1/query")
    assert asked.body == {"query": with_times("errors_total"), "time": f"{AT:.3f}", "timeout": "10000ms"}
    assert len(server.asked) == 1
    assert asked.headers["authorization"] == "Bearer s3cret"


def test_counters_come_with_the_times_of_their_samples(server: ScriptedServer, source: Prometheus) -> None:
    """Of a plain selector each series has its own; of a sum it is the newest of all that are added up."""
    times = [one(str(AT - ago), pod=pod, **{SERIES_MARK: "time"}) for pod, ago in (("a", 3.5), ("b", 40))]
    values = [one("7", __name__="x", pod="a"), one("9", __name__="x", pod="b")]
    server.script(answer("vector", [*times, *values]))
    found = source.counts("x", TICK)
    assert isinstance(found, Sampled)
    assert (found, found.parts) == ({'__name__="x",pod="a"': 7.0, '__name__="x",pod="b"': 9.0}, 0)
    assert found.times == {'__name__="x",pod="a"': AT - 3.5, '__name__="x",pod="b"': AT - 40}
    newest = [one(str(AT - 3.5), **{SERIES_MARK: "time0"}), one(str(AT - 9), **{SERIES_MARK: "time1"})]
    parts = [one("2", **{SERIES_MARK: "parts0"}), one("3", **{SERIES_MARK: "parts1"})]
    server.script(answer("vector", [*newest, *parts, one("16")]))
    found = source.counts("sum(x) + sum(y)", TICK)
    assert isinstance(found, Sampled)
    assert (found, found.times, found.parts) == ({"": 16.0}, {"": AT - 3.5}, 5)


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("sum(x)", "x"),
        ('sum by (code) (x{a="b)"}) or vector(0)', 'x{a="b)"}'),
        ("(sum(x) without (pod))", "x"),
        ("x or on() vector(0)", "x"),
        ('sum({job="a"})', '{job="a"}'),
        ("max(x)", "max(x)"),
        ("sum(x) + sum(y)", "sum(x) + sum(y)"),
        ("sum(x > 5)", "sum(x > 5)"),
        ("sum(x) or vector(1)", "sum(x) or vector(1)"),
    ],
)
def test_counters_that_are_added_up_are_read_one_by_one(query: str, parts: str) -> None:
    """Only they show which of them began anew, ended or came late; anything else is asked as it stands."""
    assert added_up(query) == parts


def test_a_sum_of_too_many_counters_is_read_as_the_sum(server: ScriptedServer, source: Prometheus) -> None:
    """Their answer would be longer than is read; how many they are shows where their number changes."""
    many = answer("vector", [one("1", pod="x" * 1000) for _ in range(2200)])
    few = answer("vector", [one("2200", **{SERIES_MARK: "parts0"}), one("9")])
    server.script(many, few, few)
    for _ in range(2):
        found = source.counts("sum(x)", TICK)
        assert isinstance(found, Sampled)
        assert (found, found.parts) == ({"": 9.0}, 2200)
    assert [asked.body["query"] for asked in server.asked] == [with_times(query) for query in ("x", "sum(x)", "sum(x)")]


def test_a_server_that_does_not_know_the_times_is_asked_without(server: ScriptedServer, source: Prometheus) -> None:
    """Once for each query: an answer without times is better than none, and a failure is the query's own."""
    refused = Reply(422, {"status": "error", "errorType": "execution", "error": "unknown function timestamp"})
    server.script(refused, answer("vector", [one("2")]), answer("vector", [one("3")]))
    found = source.counts("x", TICK)
    assert isinstance(found, Sampled)
    assert (found, found.times) == ({"": 2.0}, {})
    assert source.counts("x", TICK) == {"": 3.0}
    assert [asked.body["query"] for asked in server.asked] == [with_times("x"), "x", "x"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("x", ["x"]),
        ('(x{a="}"})', ['x{a="}"}']),
        ('{job="a"} # sum(y)', ['{job="a"}']),
        ('sum by (pod) (http:x{a="b"}) or vector(0)', ['http:x{a="b"}']),
        ("sum(x) without (pod, a) - y offset 5m", ["x", "y"]),
        ("a and on (pod) group_left (v) b", ["a", "b"]),
        ('max_over_time(x{c=~"5.."}[5m]) + x{c=~"5.."}', ['x{c=~"5.."}']),
        ("sum(x @ start()) > bool 1e3", ["x"]),
        ('label_replace(x, "a", "$1", "c", "(.*)")', ["x"]),
        ("1 + Inf", []),
        ("", []),
        ("sum(", []),
    ],
)
def test_the_series_that_a_query_reads_are_found(query: str, found: list[str]) -> None:
    """Names, labels and words of the language are told apart; a query that reads none is asked as it stands."""
    assert selectors(query) == found
    assert with_times(query).count("timestamp(") == len(found)
    if not found:
        assert with_times(query) == query


def test_the_distance_of_samples_is_how_many_of_them_there_are(server: ScriptedServer, source: Prometheus) -> None:
    """In ten minutes or a part of them, of the series that has most; 0: there are none, or the server cannot say."""
    server.script(answer("vector", [one("30")]), answer("vector", []), Reply(400, {"status": "error"}))
    assert [source.spacing("sum(x)", TICK.end) for _ in range(3)] == [30.0, 0.0, 0.0]
    asked = server.asked[0].body["query"]
    assert asked.startswith(
        'min(label_replace(600 / (max(max(count_over_time(x[600s]))) > 1), "window", "600", "", "")'
    )
    assert all(f"({seconds} / ((max(max(count_over_time(x[{seconds}s]))) > 3) - 1)" in asked for seconds in (300, 5))
    assert source.spacing("vector(1)", TICK.end) == 0.0


def test_a_vector_is_its_series_by_their_labels(server: ScriptedServer, source: Prometheus) -> None:
    """For counts by name, for conditions as a list in the order of the labels, whatever order they came in."""
    found = answer("vector", [one("2", b="y"), one("1.5", a="x")])
    server.script(found, found)
    assert source.counts("q", TICK) == {'b="y"': 2.0, 'a="x"': 1.5}
    assert source.value("q", TICK) == [1.5, 2.0]


@pytest.mark.parametrize(("text", "number"), [("0.05", 0.05), ("+Inf", math.inf), ("-Inf", -math.inf), ("1e3", 1000.0)])
def test_a_scalar_is_one_number(server: ScriptedServer, source: Prometheus, text: str, number: float) -> None:
    """Infinities are passed on: that they are no data is the gate's rule."""
    server.script(answer("scalar", [AT, text]), answer("scalar", [AT, text]))
    assert source.value("q", TICK) == number
    assert source.counts("q", TICK) == {"": number}


def test_nothing_and_nan_are_passed_on_as_they_are(server: ScriptedServer, source: Prometheus) -> None:
    """No series is no error, and never a zero."""
    server.script(answer("vector", []), answer("vector", []), answer("vector", [one("NaN")]))
    assert source.counts("q", TICK) == {}
    assert source.value("q", TICK) == []
    found = source.value("q", TICK)
    assert isinstance(found, list)
    assert math.isnan(found[0])


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (answer("matrix", []), "gives a matrix.*without .5m."),
        (answer("string", [AT, "x"]), "gives a string"),
        (answer("vector", [{"metric": {}, "histogram": [AT, {}]}]), "gives a histogram"),
        (answer("streams", []), "gives a streams"),
        (answer("vector", [one("1")], warnings=["one store is down"]), "warns: .*one store is down"),
        (Reply(200, {"status": "error", "errorType": "internal", "error": "x"}), "not of Prometheus' shape"),
        (Reply(200, {"status": "success"}), "not of Prometheus' shape"),
        (Reply(200, {"status": "success", "data": {"resultType": "vector", "result": None}}), "not of Prometheus'"),
        (Reply(200, []), "not of Prometheus' shape"),
        (answer("vector", [1]), "not of Prometheus' shape"),
        (answer("vector", [{"metric": {}}]), "not of Prometheus' shape"),
        (answer("vector", [one(1)]), "not of Prometheus' shape"),
        (answer("vector", [one("x")]), "not of Prometheus' shape"),
        (answer("vector", [one(None)]), "not of Prometheus' shape"),
        (answer("vector", [one("1_0")]), "not of Prometheus' shape"),
        (answer("scalar", ["1"]), "not of Prometheus' shape"),
        (Reply(400, {"status": "error", "errorType": "bad_data", "error": "1:5: parse\nerror"}), "400, bad_data: 1:5"),
        (Reply(422, {"status": "error", "errorType": "execution", "error": "too many"}), "422, execution: too many"),
        (Reply(503, {"status": "error", "errorType": "timeout", "error": "late"}), "503, timeout: late"),
        (Reply(503, text="upstream connect error"), "503, upstream connect error"),
        (Reply(502, text="<html>bad gateway</html>"), "answered 502$"),
        (Reply(200, text="<html>sign in</html>"), "not JSON"),
    ],
)
def test_everything_else_is_an_error_with_its_reason(
    server: ScriptedServer, source: Prometheus, reply: Reply, message: str
) -> None:
    """For counts and for conditions alike; the reason is one line."""
    server.script(reply, reply, reply)
    for ask in (source.counts, source.value):
        with pytest.raises(Incomplete, match=message) as told:
            ask("q", TICK)
        assert "\n" not in str(told.value)


def test_infos_are_no_warnings(server: ScriptedServer, source: Prometheus) -> None:
    """Remarks on the query's style do not make an answer partial."""
    server.script(answer("vector", [one("1")], infos=["metric might not be a counter"]))
    assert source.counts("q", TICK) == {"": 1.0}


def test_history_is_one_range_with_a_row_for_each_tick_end(server: ScriptedServer, source: Prometheus) -> None:
    """And one before them; a gap in a series stays a gap."""
    points = [[AT - 30, "1"], [AT, "4"]]
    server.script(answer("matrix", [{"metric": {"a": "x"}, "values": points}, {"metric": {}, "values": [[AT, "9"]]}]))
    assert source.history("q", TICK, 2) == [{'a="x"': 1.0}, {}, {'a="x"': 4.0, "": 9.0}]
    asked = server.asked[0]
    assert asked.path == "/prom/api/v1/query_range"
    assert asked.body["start"] == f"{AT - 30:.3f}"
    assert (asked.body["end"], asked.body["step"]) == (f"{AT:.3f}", "15")


@pytest.mark.parametrize(
    "result", [[{"metric": {}}], [{"metric": {}, "histograms": []}], [{"metric": {}, "values": [[AT]]}], [3]]
)
def test_a_history_of_another_shape_is_an_error(server: ScriptedServer, source: Prometheus, result: Any) -> None:
    """Histograms and broken points."""
    server.script(answer("matrix", result), answer("vector", []))
    with pytest.raises(Incomplete):
        source.history("q", TICK, 2)
    with pytest.raises(Incomplete, match="gives a vector"):
        source.history("q", TICK, 2)
