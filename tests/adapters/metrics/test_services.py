"""Datadog, New Relic, CloudWatch: asked and read by their published shapes; none was run against the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from incident_ops.adapters.http import Place
from incident_ops.adapters.metrics.cloudwatch import CloudWatch, Credentials
from incident_ops.adapters.metrics.datadog import Datadog
from incident_ops.adapters.metrics.newrelic import NewRelic
from incident_ops.domain.ports import MetricSource, Tick
from incident_ops.errors import Incomplete
from tests.support.scripted_server import Reply, ScriptedServer

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
TICK = Tick(datetime(2025, 1, 26, 12, 5, 30, tzinfo=UTC), 60.0)
MOMENT = round(TICK.end.timestamp())
WHO = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session")


def place(server: ScriptedServer, path: str = "", **headers: str) -> Place:
    return Place("data source main", f"{server.url}{path}", headers, allow_private=True)


def datadog(server: ScriptedServer) -> Datadog:
    return Datadog(place(server, **{"DD-API-KEY": "k1", "DD-APPLICATION-KEY": "k2"}))


def new_relic(server: ScriptedServer) -> NewRelic:
    return NewRelic(place(server, "/graphql", **{"API-Key": "k"}), 42)


def cloudwatch(server: ScriptedServer) -> CloudWatch:
    return CloudWatch(place(server), "eu-central-1", WHO)


def columns(*values: Any, kind: str = "number") -> Reply:
    found = [{"name": "service", "type": "group", "values": [["a"]]}, {"name": "a", "type": kind, "values": [*values]}]
    return Reply(200, {"data": {"id": "0", "type": "scalar_response", "attributes": {"columns": found}}})


def rows(*results: Any) -> Reply:
    return Reply(200, {"data": {"actor": {"account": {"nrql": {"results": [*results]}}}}})


def periods(*values: Any, status: str = "Complete", **words: Any) -> Reply:
    result = {"Id": "a", "Label": "errors", "Timestamps": [], "Values": [*values], "StatusCode": status}
    return Reply(200, {"MetricDataResults": [result], "Messages": [], **words})


MAKERS: list[Callable[[ScriptedServer], MetricSource]] = [datadog, new_relic, cloudwatch]


@pytest.mark.parametrize("make", MAKERS)
def test_it_says_that_it_was_never_run_against_the_service(
    server: ScriptedServer, make: Callable[[ScriptedServer], MetricSource]
) -> None:
    """`canary validate` prints it; its counts are those of the interval, and it keeps no history for us."""
    source = make(server)
    assert source.unproven.startswith("not run against the service")
    assert not source.is_cumulative
    assert source.history("q", TICK, 5) == ()


def test_datadog_is_asked_for_the_sum_of_an_interval_that_is_over(server: ScriptedServer) -> None:
    """Milliseconds, the interval shifted by half a minute, both keys; `last` for a threshold."""
    server.script(columns(3.0), columns(0.5))
    source = datadog(server)
    assert source.counts("sum:errors{*}.as_count()", TICK) == {"": 3.0}
    assert source.value("avg:p99{*}", TICK) == [0.5]
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("POST", "/api/v2/query/scalar")
    assert (asked.headers["dd-api-key"], asked.headers["dd-application-key"]) == ("k1", "k2")
    attributes = asked.body["data"]["attributes"]
    assert (attributes["from"], attributes["to"]) == ((MOMENT - 90) * 1000, (MOMENT - 30) * 1000)
    assert attributes["queries"][0]["aggregator"] == "sum"
    assert server.asked[1].body["data"]["attributes"]["queries"][0]["aggregator"] == "last"


def test_datadogs_null_is_no_zero(server: ScriptedServer) -> None:
    """Other tools read it as no errors."""
    server.script(columns(None), columns(1.0, None), columns())
    source = datadog(server)
    assert source.counts("q", TICK) == {"": None}
    assert source.counts("q", TICK) == {"0": 1.0, "1": None}
    assert source.counts("q", TICK) == {}


def test_new_relic_is_asked_over_graphql(server: ScriptedServer) -> None:
    """One account, one NRQL with the interval at its end."""
    server.script(rows({"count": 7}), rows({"percentile": 0.2}), rows({"a": 1, "b": 2}), rows())
    source = new_relic(server)
    assert source.counts("SELECT count(*) FROM Transaction", TICK) == {"": 7}
    assert source.value("SELECT percentile(duration, 99) FROM Transaction", TICK) == [0.2]
    assert source.value("q", TICK) == [{"a": 1, "b": 2}]
    assert source.counts("q", TICK) == {}
    asked = server.asked[0]
    assert (asked.path, asked.headers["api-key"]) == ("/graphql", "k")
    since, until = (MOMENT - 90) * 1000, (MOMENT - 30) * 1000
    assert asked.body["variables"] == {
        "account": 42,
        "nrql": f"SELECT count(*) FROM Transaction SINCE {since} UNTIL {until}",
    }


def test_cloudwatch_is_asked_for_one_whole_period(server: ScriptedServer) -> None:
    """The last interval that ended two minutes ago, aligned, so that no minute is counted twice; signed."""
    server.script(periods(12.0), periods(0.5), periods())
    source = cloudwatch(server)
    assert source.counts("SUM(errors)", TICK) == {"0 errors": 12.0}
    assert source.value("q", TICK) == [0.5]
    assert source.counts("q", TICK) == {}
    asked = server.asked[0]
    assert asked.headers["x-amz-target"] == "GraniteServiceVersion20100801.GetMetricData"
    assert asked.headers["x-amz-security-token"] == "session"
    assert "Credential=AKIDEXAMPLE/20250126/eu-central-1/monitoring/aws4_request" in asked.headers["authorization"]
    end = (MOMENT - 120) // 60 * 60
    assert asked.body == {
        "MetricDataQueries": [{"Id": "a", "Expression": "SUM(errors)", "Period": 60, "ReturnData": True}],
        "StartTime": end - 60,
        "EndTime": end,
    }


def test_ticks_that_follow_each_other_read_periods_that_do(server: ScriptedServer) -> None:
    """No minute twice, none left out."""
    server.script(*[periods(1.0)] * 5)
    for number in range(5):
        cloudwatch(server).counts("q", TICK.shifted(60 * number))
    spans = [(one.body["StartTime"], one.body["EndTime"]) for one in server.asked]
    assert [end for _, end in spans[:-1]] == [begin for begin, _ in spans[1:]]


BROKEN = [Reply(200, []), Reply(200, {}), Reply(200, {"data": None}), Reply(200, text="x"), Reply(403, {"e": 1})]
FOREIGN: list[tuple[Callable[[ScriptedServer], MetricSource], Reply]] = [
    *[(make, reply) for make in MAKERS for reply in BROKEN],
    (datadog, Reply(200, {"errors": ["x"], "data": {"attributes": {"columns": []}}})),
    (datadog, Reply(200, {"data": {"attributes": {"columns": [1]}}})),
    (new_relic, Reply(200, {"errors": [{"message": "NRQL Syntax Error"}], "data": None})),
    (new_relic, Reply(200, {**rows({"count": 1}).data, "errors": [{"message": "partial"}]})),
    (new_relic, rows(1)),
    (new_relic, rows({})),
    (new_relic, rows({"a": 1}, {"a": 2})),
    (cloudwatch, periods(1.0, status="PartialData")),
    (cloudwatch, periods(1.0, status="InternalError")),
    (cloudwatch, periods(1.0, 2.0)),
    (cloudwatch, periods(1.0, NextToken="t")),
    (cloudwatch, periods(1.0, Messages=[{"Code": "x", "Value": "y"}])),
]


@pytest.mark.parametrize(("make", "reply"), FOREIGN)
def test_any_other_answer_is_an_error(
    server: ScriptedServer, make: Callable[[ScriptedServer], MetricSource], reply: Reply
) -> None:
    """Partial data, errors beside data, another shape: never a count."""
    server.script(reply)
    with pytest.raises(Incomplete) as told:
        make(server).counts("q", TICK)
    assert "wJalrXUtnFEMI" not in str(told.value)
    assert json.dumps(str(told.value)).count("\\n") == 0
