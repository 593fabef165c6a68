"""What holds for every kind of metric source, whoever adds one: this walks the registry, and has a scene for each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from incident_ops.adapters.metrics.command import CommandSource
from incident_ops.adapters.metrics.connect import connect, source_modules
from incident_ops.domain.metric_kinds import METRIC_KINDS, RECORDING
from incident_ops.domain.policy_sections import Datasource
from incident_ops.domain.ports import MetricSource, Tick
from incident_ops.errors import Incomplete, UserError
from incident_ops.records.schema import schema
from tests.support.scripted_server import CUT, DROP, HANG, Reply, ScriptedServer, scripted_server

pytestmark = pytest.mark.allow_hosts(["localhost", "127.0.0.1"])
DOCS = Path(__file__).resolve().parents[3] / "docs"
TICK = Tick(datetime(2025, 1, 26, 12, 5, 30, tzinfo=UTC), 60.0)
SECRETS = {
    "TOKEN": "t0ken-of-the-source",
    "APP": "application-key-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENG",
}


class Scene(NamedTuple):
    """A data source of a kind, a query, and what a stand-in answers: one count of 7, and nothing at all."""

    settings: Mapping[str, Any]
    query: str
    seven: Any
    nothing: Any


def _vector(*values: str) -> Any:
    result = [{"metric": {"job": "x"}, "value": [TICK.end.timestamp(), value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def _columns(*values: float) -> Any:
    return {"data": {"attributes": {"columns": [{"name": "a", "type": "number", "values": [*values]}]}}}


def _rows(*rows: Any) -> Any:
    return {"data": {"actor": {"account": {"nrql": {"results": [*rows]}}}}}


def _periods(*results: Any) -> Any:
    return {"MetricDataResults": [{"Label": "e", "Values": [*results], "StatusCode": "Complete"}], "Messages": []}


SCENES = {
    "prometheus": Scene({"token_env": "TOKEN"}, "max(x)", _vector("7"), _vector()),
    "web": Scene({"token_env": "TOKEN"}, "/x", 7, None),
    "datadog": Scene({"token_env": "TOKEN", "application_key_env": "APP"}, "q", _columns(7), _columns()),
    "newRelic": Scene({"token_env": "TOKEN", "account": 42}, "q", _rows({"count": 7}), _rows()),
    "cloudwatch": Scene({"region": "eu-central-1"}, "q", _periods(7), _periods()),
}
ASKED = [name for name, kind in METRIC_KINDS.items() if kind.is_asked]


@pytest.fixture(scope="module")
def stand_in() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


def source(name: str, server: ScriptedServer, **more: Any) -> MetricSource:
    """The source of a kind, set up as a policy does it, over the stand-in."""
    server.replies.clear()
    server.asked.clear()
    made = Datasource(kind=name, url=server.url, allow_private=True, **SCENES[name].settings, **more)
    return connect("main", made, SECRETS, 0.5)


def test_a_kind_stands_once_and_everything_else_agrees_with_it() -> None:
    """A row, a module that makes it, the schemas that editors read, a row of the page, and a scene here."""
    assert set(source_modules()) == set(ASKED) == set(SCENES)
    for name, module in source_modules().items():
        assert module.KIND is METRIC_KINDS[name]
    kinds = schema("policy")["$defs"]["datasource"]["properties"]["kind"]["enum"]
    assert sorted(kinds) == sorted([*ASKED, RECORDING.name])
    assert sorted(schema("gate")["$defs"]["provider"]["properties"]) == sorted(METRIC_KINDS)
    table = re.findall(r"^\| `(\w+)` \|.*$", (DOCS / "gate-files.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(METRIC_KINDS) <= set(table)


def test_every_setting_of_a_data_source_acts_on_a_kind() -> None:
    """And no kind has one that a policy cannot hold."""
    known = {setting for kind in METRIC_KINDS.values() for setting in kind.settings}
    assert known == set(Datasource.__struct_fields__) - {"kind"}


@pytest.mark.parametrize("name", ASKED)
def test_a_source_is_what_its_row_says(stand_in: ScriptedServer, name: str) -> None:
    """Gates are judged by the row, and measured by the source."""
    made, kind = source(name, stand_in), METRIC_KINDS[name]
    assert (made.is_cumulative, made.is_promql, made.unproven) == (kind.is_cumulative, kind.is_promql, kind.unproven)
    assert bool(made.unproven) is not kind.is_proven


@pytest.mark.parametrize("name", ASKED)
def test_a_count_is_a_count_and_nothing_is_no_zero(stand_in: ScriptedServer, name: str) -> None:
    """One series of 7; and without data no series, or one without a number."""
    made, scene = source(name, stand_in), SCENES[name]
    stand_in.script(Reply(200, scene.seven))
    assert list(made.counts(scene.query, TICK).values()) == [7]
    stand_in.script(Reply(200, text=json.dumps(scene.nothing)))
    assert [one for one in made.counts(scene.query, TICK).values() if one is not None] == []


BAD = {
    "not found": Reply(404, {"e": 1}),
    "not let in": Reply(401, {"e": 1}),
    "forbidden": Reply(403, text="<html>sign in</html>"),
    "too often": Reply(429, {"e": 1}, {"Retry-After": "60"}),
    "broken": Reply(500, text="oops"),
    "down": Reply(503, text="try later"),
    "empty with another status": Reply(204),
    "moved": Reply(302, None, {"Location": "{url}/elsewhere"}),
    "moved for good": Reply(308, None, {"Location": "{url}/elsewhere"}),
    "nothing at all": Reply(200, text=""),
    "a page": Reply(200, text="<html>sign in</html>", headers={"Content-Type": "text/html"}),
    "half of it": Reply(200, {"status": "success", "data": {"a": "b" * 200}}, fault=CUT),
    "the line dropped": Reply(fault=DROP),
    "slow": Reply(fault=HANG),
    "huge": Reply(200, text='"' + "x" * (2 * 1024 * 1024 + 10) + '"'),
    "deep": Reply(200, text="[" * 100_000),
    "no JSON's number": Reply(200, text="NaN"),
    "two documents": Reply(200, text="{} {}"),
}
FOREIGN = {
    "a list": Reply(200, []),
    "an empty object": Reply(200, {}),
    "an error of its own": Reply(200, {"status": "error", "errors": ["x"], "data": None}),
    "another service": Reply(200, {"data": {"result": "ok"}, "MetricDataResults": 5}),
}


ANY_JSON = ("an empty object", "an error of its own", "another service")
"""What a web service may well answer with."""


@pytest.mark.parametrize(
    ("name", "what"),
    [(name, what) for name in ASKED for what in (*BAD, *FOREIGN) if name != "web" or what not in ANY_JSON],
)
def test_every_other_answer_is_an_error_in_one_line(stand_in: ScriptedServer, name: str, what: str) -> None:
    """Never a count, asked once, nothing followed, and no secret in what people see."""
    made, scene = source(name, stand_in), SCENES[name]
    reply = {**BAD, **FOREIGN}[what]
    stand_in.script(reply)
    with pytest.raises(Incomplete) as refused:
        made.counts(scene.query, TICK)
    text = str(refused.value)
    assert "data source main" in text
    assert "\n" not in text
    assert len(text) < 500
    assert not any(secret in text for secret in SECRETS.values())
    assert [one.path for one in stand_in.asked if "elsewhere" in one.path] == []


@pytest.mark.parametrize("name", ASKED)
def test_a_source_keeps_to_the_guard(stand_in: ScriptedServer, name: str) -> None:
    """http and this machine only where the reviewed policy says so."""
    settings = SCENES[name].settings
    with pytest.raises(UserError, match="over http"):
        connect("main", Datasource(kind=name, url=stand_in.url, **settings), SECRETS)
    inside = Datasource(kind=name, url=stand_in.url.replace("http:", "https:"), **settings)
    with pytest.raises(UserError, match="an address of this machine, which is refused"):
        connect("main", inside, SECRETS, is_checked=True)


@pytest.mark.parametrize("name", [name for name in ASKED if "auth" in METRIC_KINDS[name].settings])
def test_further_headers_come_from_the_environment(stand_in: ScriptedServer, name: str) -> None:
    """Beside the token; what is not set is named, and nothing secret is shown."""
    made = Datasource(
        kind=name, url=stand_in.url, allow_private=True, token_env="TOKEN", header_env={"X-Tenant": "APP"}
    )
    stand_in.replies.clear()
    stand_in.asked.clear()
    stand_in.script(Reply(200, SCENES[name].seven))
    connect("main", made, SECRETS).counts(SCENES[name].query, TICK)
    assert stand_in.asked[0].headers["x-tenant"] == SECRETS["APP"]
    assert stand_in.asked[0].headers["authorization"] == f"Bearer {SECRETS['TOKEN']}"
    with pytest.raises(UserError, match="header X-Tenant is missing, APP is not set") as refused:
        connect("main", made, {"TOKEN": "t0ken"})
    assert "t0ken" not in str(refused.value)


def test_a_command_counts_nothing() -> None:
    """It has one result."""
    made = CommandSource("smoke", "true", 5.0, dict, lambda text: None)
    assert made.value("", TICK) == 0
    assert (made.history("", TICK, 3), made.spacing("", TICK.end)) == ((), 0.0)
    with pytest.raises(Incomplete, match="no counts"):
        made.counts("", TICK)
