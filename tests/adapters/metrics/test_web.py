"""A web service that answers with JSON, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from incident_ops.adapters.http import Place
from incident_ops.adapters.metrics.web import Web, steps
from incident_ops.domain.ports import Tick
from incident_ops.errors import Incomplete, UserError
from tests.support.scripted_server import Reply, ScriptedServer

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
TICK = Tick(datetime(2025, 1, 26, 12, 5, tzinfo=UTC), 15.0)


def web(server: ScriptedServer, path: str = "$") -> Web:
    return Web(
        Place("data source main", f"{server.url}/stats", {"Authorization": "Bearer t"}, allow_private=True), path
    )


@pytest.mark.parametrize(
    ("path", "data", "found"),
    [
        ("$", 0.5, 0.5),
        ("$.a.b[1]", {"a": {"b": [1, 2]}}, 2),
        ("{$.a}", {"a": "ok"}, "ok"),
        ("$[\"a b\"]['c']", {"a b": {"c": [1]}}, [1]),
        ("$.a", {"a": None}, None),
        ("$.a", {}, None),
        ("$.a[0]", {"a": {}}, None),
        ("$[0]", 5, None),
    ],
)
def test_the_value_stands_at_the_json_path(server: ScriptedServer, path: str, data: Any, found: Any) -> None:
    """What is not there is no data, and no zero."""
    server.script(Reply(200, data if data is not None else {}), Reply(200, data))
    assert web(server, path).value("/errors?window=1m", TICK) == found
    assert server.asked[0].path == "/stats/errors?window=1m"
    assert server.asked[0].headers["authorization"] == "Bearer t"
    if not isinstance(found, list):
        assert web(server, path).counts("/errors", TICK) == {"": found}


def test_a_list_is_no_count(server: ScriptedServer) -> None:
    """One number is asked for."""
    server.script(Reply(200, [1]))
    with pytest.raises(Incomplete, match="one number"):
        web(server).counts("/x", TICK)


@pytest.mark.parametrize(
    "query",
    ["x", "", "@other.example/x", "//other.example/x", "/../admin", "/%2e%2E/admin", "/a b", "/a\r\nHost: x", "/%0a#"],
)
def test_a_query_is_a_path_below_the_address_and_nothing_else(server: ScriptedServer, query: str) -> None:
    """No other host, no way upward, no line breaks."""
    with pytest.raises(UserError, match="not a path"):
        web(server).value(query, TICK)
    assert not server.asked


@pytest.mark.parametrize("path", ["", "a", "$.", "$a", "$..a", "$[*]", "$[?(@.a)]", "$[-1]", "$.a b"])
def test_a_json_path_of_another_form_is_refused(path: str) -> None:
    """Names and numbers alone: what picks the first of several would hide the others."""
    with pytest.raises(UserError, match="JSON path"):
        steps(path)
