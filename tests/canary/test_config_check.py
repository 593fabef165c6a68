"""What a gate file may not ask for although it fits the schema; Argo's own checks among it."""

from __future__ import annotations

from typing import Any

import pytest

from incident_ops.canary.config import to_analysis
from incident_ops.canary.config_check import check_gate_file, check_source
from incident_ops.canary.length_check import check_length
from incident_ops.findings import Level
from incident_ops.records.policy import load_policy
from incident_ops.records.schema import fast_validator
from tests.canary.test_config import ERROR_RATE, SIDE, THRESHOLD, gate

FILE: dict[str, Any] = {"file": {}}
ALONE = {"name": "a", "type": "errorRate", "canary": SIDE}
STEPS = [{"weight": 10, "duration": "5m"}, {"weight": 100}]

GOOD: dict[str, dict[str, Any]] = {
    "least": gate(),
    "file": gate({"name": "a", "type": "errorRate"}, FILE),
    "absolute limit alone": gate({**ALONE, "maxErrorRate": "1%"}),
    "no limit, not even the policy's": gate({**ERROR_RATE, "maxErrorRate": "none", "minErrorRate": "1%"}),
    "both conditions": gate({**THRESHOLD, "failureCondition": "result > 1"}),
    "failure condition alone": gate({"name": "a", "type": "threshold", "query": "q", "failureCondition": "result > 1"}),
    "count fits": gate({**THRESHOLD, "interval": "1m", "count": 10}),
    "one read at the end": gate({**THRESHOLD, "initialDelay": "10m", "count": 1}),
    "successes in a row": gate({**THRESHOLD, "failureLimit": -1, "consecutiveSuccessLimit": 3}),
    "steps": gate(steps=STEPS),
    "clumps of the longest": gate({**ERROR_RATE, "clumpSpan": "1m45s"}),
    "clumps that are not asked for": gate({**ERROR_RATE, "clumpSpan": "4m", "dispersion": "none"}),
    "clumps in a run that may be extended": gate(
        {**ERROR_RATE, "clumpSpan": "3m45s"}, onInconclusive={"extend": {"max": "10m"}}
    ),
    "five ticks": gate(interval="105s"),
    "few ticks that may be more": gate(interval="5m", onInconclusive={"extend": {"max": "60m"}}),
    "few ticks where only a limit is judged": gate({**ALONE, "maxErrorRate": "1%"}, interval="4m"),
    "few ticks where errors are independent": gate({**ERROR_RATE, "dispersion": "none"}, interval="4m"),
    "eight ticks without a lookback": gate({**ERROR_RATE, "lookback": "0s"}, interval="65s"),
    "no good rate": gate({**ERROR_RATE, "goodErrorRate": "none"}),
    "a good rate below the limit": gate({**ERROR_RATE, "goodErrorRate": "0.05%", "maxErrorRate": "1%"}),
    "cloudwatch": gate(provider={"cloudwatch": {"datasource": "aws"}}),
    "rate in a threshold": gate({**THRESHOLD, "query": "rate(x[1m])"}),
    "increase elsewhere": gate(
        {**ERROR_RATE, "canary": {"errors": "increase(x)", "requests": "y"}}, {"datadog": {"datasource": "d"}}
    ),
    "arguments": gate({**THRESHOLD, "query": 'x{v="{{args.v}}"}'}, args=[{"name": "v"}]),
    "extended": gate(onInconclusive={"extend": {"max": "60m"}}),
}
BAD: dict[str, tuple[dict[str, Any], tuple[Any, ...], str]] = {
    "timeout too long": (
        gate(provider={"prometheus": {"datasource": "m", "timeout": "11s"}}),
        ("provider", "prometheus", "timeout"),
        "between 1s and 10s",
    ),
    "timeout zero": (
        gate(provider={"prometheus": {"datasource": "m", "timeout": "0s"}}),
        ("provider", "prometheus", "timeout"),
        "between 1s and 10s",
    ),
    "interval zero": (gate(interval="0s"), ("interval",), "0s"),
    "interval too long": (gate(interval="11m", warmup="0s"), ("interval",), "longer than the whole run"),
    "too many ticks": (gate(interval="1s", duration="2d"), ("interval",), "100,000"),
    "four ticks": (gate(interval="2m"), ("interval",), "only 4 ticks count after the warm-up, and a pass needs 5"),
    "one tick": (gate(duration="90s"), ("duration",), "only 2 ticks count"),
    "short steps": (gate(steps=[{"weight": 10, "duration": "2m"}]), ("steps", 0), "only 4 ticks count"),
    "seven ticks without a lookback": (
        gate({**ERROR_RATE, "lookback": "1m"}, interval="75s"),
        ("interval",),
        "a pass needs 8 where no lookback shows",
    ),
    "good rate above the limit": (
        gate({**ERROR_RATE, "goodErrorRate": "1%", "maxErrorRate": "1%"}),
        ("metrics", 0, "goodErrorRate"),
        "cannot be good",
    ),
    "good rate of nothing": (
        gate({**ERROR_RATE, "goodErrorRate": "0%"}),
        ("metrics", 0, "goodErrorRate"),
        "0.0 cannot be used",
    ),
    "good rate without a baseline": (
        gate({**ALONE, "maxErrorRate": "1%", "goodErrorRate": "0.1%"}),
        ("metrics", 0, "goodErrorRate"),
        "there is none",
    ),
    "cloudwatch by seconds": (
        gate(provider={"cloudwatch": {"datasource": "a"}}, interval="90s"),
        ("interval",),
        "by the minute",
    ),
    "nothing measured": (gate(duration="0s"), ("duration",), "0s"),
    "all warm-up": (gate(warmup="10m"), ("warmup",), "leaves nothing"),
    "weights fall": (gate(steps=[{"weight": 50}, {"weight": 10}]), ("steps", 1, "weight"), "10 follows 50"),
    "full at once": (gate(steps=[{"weight": 100}]), ("steps", 0, "weight"), "no baseline"),
    "watch twice": (
        gate(steps=[STEPS[0], {"weight": 100, "duration": "1m"}], watch="2m"),
        ("watch",),
        "has a duration already",
    ),
    "duration means nothing": (
        gate(steps=[{"weight": 10, "duration": "5m"}], duration="7m"),
        ("duration",),
        "means nothing",
    ),
    "name twice": (
        {**gate(), "spec": {**gate()["spec"], "metrics": [ERROR_RATE, {**THRESHOLD, "name": "errors"}]}},
        ("metrics", 1, "name"),
        "is used twice",
    ),
    "argument twice": (gate(args=[{"name": "a"}, {"name": "a"}]), ("args", 1, "name"), "is used twice"),
    "threshold's field": (gate({**ERROR_RATE, "query": "q"}), ("metrics", 0, "query"), "belongs to"),
    "errorRate's field": (gate({**THRESHOLD, "maxRatio": 2}), ("metrics", 0, "maxRatio"), "belongs to"),
    "no canary": (gate({"name": "a", "type": "errorRate", "baseline": SIDE}), ("metrics", 0), "canary's errors"),
    "nothing to compare with": (gate(ALONE), ("metrics", 0), "nothing to compare with"),
    "ratio without a baseline": (
        gate({**ALONE, "maxErrorRate": "1%", "maxRatio": 2}),
        ("metrics", 0, "maxRatio"),
        "there is none",
    ),
    "ratios": (gate({**ERROR_RATE, "maxRatio": 3}), ("metrics", 0), "unacceptableRatio: 2.0 cannot be used"),
    "ratios given": (
        gate({**ERROR_RATE, "maxRatio": 3, "unacceptableRatio": 2}),
        ("metrics", 0, "unacceptableRatio"),
        "cannot be used",
    ),
    "rate of zero": (gate({**ERROR_RATE, "maxErrorRate": "0%"}), ("metrics", 0, "maxErrorRate"), "cannot be used"),
    "floor above the limit": (
        gate({**ERROR_RATE, "minErrorRate": "2%", "maxErrorRate": "1%"}),
        ("metrics", 0, "minErrorRate"),
        "at or above",
    ),
    "clump of zero": (gate({**ERROR_RATE, "clumpSpan": "0s"}), ("metrics", 0, "clumpSpan"), "longer than 0s"),
    "clumps too long": (
        gate({**ERROR_RATE, "clumpSpan": "4m"}),
        ("metrics", 0, "clumpSpan"),
        "only 2 blocks of 4m fit",
    ),
    "lookback too long": (gate({**ERROR_RATE, "lookback": "7d"}), ("metrics", 0, "lookback"), "11,000"),
    "early pass with clumps": (
        gate({**ERROR_RATE, "dispersion": 2}, earlyPass=True),
        ("metrics", 0, "dispersion"),
        "not safe",
    ),
    "threshold on a file": (gate(THRESHOLD, FILE), ("metrics", 0), "needs a query"),
    "no query": (
        gate({"name": "a", "type": "threshold", "successCondition": "result < 1"}),
        ("metrics", 0),
        "query is missing",
    ),
    "no condition": (gate({"name": "a", "type": "threshold", "query": "q"}), ("metrics", 0), "everything would be"),
    "failure borne for ever": (gate({**THRESHOLD, "failureLimit": -1}), ("metrics", 0, "failureLimit"), "never fail"),
    "own interval zero": (gate({**THRESHOLD, "interval": "0s"}), ("metrics", 0, "interval"), "0s"),
    "first too late": (gate({**THRESHOLD, "initialDelay": "11m"}), ("metrics", 0, "initialDelay"), "after the end"),
    "count too high": (gate({**THRESHOLD, "interval": "1m", "count": 11}), ("metrics", 0, "count"), "10 do"),
    "warm-up over the first step": (
        gate(ERROR_RATE, steps=[{"weight": 10, "duration": "1m"}, {"weight": 50, "duration": "9m"}], warmup="60s"),
        ("warmup",),
        "nothing of the first step",
    ),
    "default warm-up over the first step": (
        gate(ERROR_RATE, steps=[{"weight": 10, "duration": "45s"}, {"weight": 50, "duration": "9m"}]),
        ("steps", 0),
        "nothing of the first step",
    ),
    "count below the limits": (
        gate({**THRESHOLD, "failureLimit": 2, "consecutiveSuccessLimit": 2, "count": 3}),
        ("metrics", 0, "count"),
        r"together (4)",
    ),
    "limit above the count": (
        gate({**THRESHOLD, "inconclusiveLimit": 4, "count": 3}),
        ("metrics", 0, "inconclusiveLimit"),
        "number of measurements",
    ),
    "bad condition": (
        gate({**THRESHOLD, "successCondition": "result <"}),
        ("metrics", 0, "successCondition"),
        "column 9",
    ),
    "unknown argument": (
        gate({**THRESHOLD, "query": 'x{v="{{args.v}}"}'}),
        ("metrics", 0, "query"),
        "not in spec.args",
    ),
    "rate of a counter": (
        gate({**ERROR_RATE, "canary": {"errors": "sum(rate(x[1m]))", "requests": "y"}}),
        ("metrics", 0, "canary", "errors"),
        "rate() misses",
    ),
    "increase of a counter": (
        gate({**ERROR_RATE, "baseline": {"errors": "x", "requests": "increase (y[15s])"}}),
        ("metrics", 0, "baseline", "requests"),
        "increase() misses",
    ),
    "every request an error": (
        gate({**ERROR_RATE, "canary": {"errors": "x  ", "requests": "x"}}),
        ("metrics", 0, "canary", "errors"),
        "canary.errors is the same query as canary.requests",
    ),
    "errors copied": (
        gate({**ERROR_RATE, "baseline": {"errors": "e_total", "requests": "y"}}),
        ("metrics", 0, "baseline", "errors"),
        "the same query for errors",
    ),
    "requests copied": (
        gate({**ERROR_RATE, "baseline": {"errors": "y", "requests": " r_total"}}),
        ("metrics", 0, "baseline", "requests"),
        "the same query for requests",
    ),
}


SUCCESS, FAILURE = "successCondition", "failureCondition"
INERT = [
    (SUCCESS, "isNaN(result) || result[0] < 1", 1, "isNaN never acts in a successCondition"),
    (SUCCESS, "result < 1 or isInf(result[0] / 2)", 15, "isInf never acts"),
    (SUCCESS, "len(result) == 0 || result[0] < 1", 13, "never sees an empty result"),
    (SUCCESS, "len(result) > 0 && result[0] < 1", 13, "never sees an empty result"),
    (SUCCESS, "1 <= len(result) and result[0] < 1", 3, "never sees an empty result"),
    (SUCCESS, "default(result, 0) < 5", 1, "default never acts"),
    (SUCCESS, "result == nil or result < 5", 8, "a comparison with nil never acts"),
    (FAILURE, "default(result, 9) > 5", 1, "prometheus gives nothing at all where it has no data"),
    (FAILURE, "isNil(result)", 1, "prometheus gives nothing at all where it has no data"),
    (FAILURE, "result > {{args.limit}}", 10, "argument 'limit' is not in spec.args"),
]
ACTING = [
    (SUCCESS, "len(result) > 1 and result[0] < 1"),
    (SUCCESS, "result < {{args.max}} and result in [1, 2]"),
    (FAILURE, "isNaN(result) or result > 1"),
    (FAILURE, "len(result) == 0"),
    (FAILURE, "isInf(result)"),
]


def conditioned(key: str, text: str, provider: dict[str, Any] | None = None) -> dict[str, Any]:
    """A gate with one condition."""
    return gate({"name": "a", "type": "threshold", "query": "q", key: text}, provider, args=[{"name": "max"}])


@pytest.mark.parametrize(("key", "text", "column", "message"), INERT)
def test_what_never_acts_is_refused_with_the_way(key: str, text: str, column: int, message: str) -> None:
    """It reads like a rule, and would be none: what Argo's users write most often after `result[0] < x`."""
    (found,) = check_gate_file(conditioned(key, text), "gates/g.yaml")
    assert found.message.startswith(f"column {column} of the condition: ")
    assert message in found.message
    assert found.hint
    if key == SUCCESS:
        assert "or vector(0)" in found.hint


@pytest.mark.parametrize(("key", "text"), ACTING)
def test_what_acts_is_no_finding(key: str, text: str) -> None:
    """A failure may be seen in what is no data; several series may be one too few."""
    assert list(check_gate_file(conditioned(key, text), "g")) == []


def test_a_part_of_a_mapping_may_be_missing() -> None:
    """In JSON of a web service one value may be null while the others are there."""
    web = {"web": {"datasource": "m"}}
    for key, text in (
        (SUCCESS, "default(result.errors, 0) < 5"),
        (SUCCESS, "result.a == nil"),
        (FAILURE, "isNil(result)"),
    ):
        data = conditioned(key, text, web)
        data["spec"]["metrics"][0]["query"] = "/stats"
        assert list(check_gate_file(data, "g")) == []


@pytest.mark.parametrize("name", GOOD)
def test_a_sound_file_has_no_findings_and_becomes_a_value(name: str) -> None:
    """What may be asked for."""
    data = GOOD[name]
    assert fast_validator("gate").is_valid(data)
    assert list(check_gate_file(data, "gates/g.yaml")) == []
    assert to_analysis(data).name == "g"


@pytest.mark.parametrize("name", BAD)
def test_a_senseless_setting_is_found_at_its_place(name: str) -> None:
    """One error, at the field that is to be changed; the schema alone would take it."""
    data, route, message = BAD[name]
    assert fast_validator("gate").is_valid(data)
    found = list(check_gate_file(data, "gates/g.yaml"))
    assert [one.where.route for one in found] == [("spec", *route)], found
    assert message in found[0].message
    assert (found[0].level, bool(found[0].hint)) == (Level.ERROR, True)


def test_the_data_source_must_be_one_of_the_policy() -> None:
    """By name and kind; a file needs none."""
    text = "extends: sev0-3\ndatasources:\n  main:\n    kind: prometheus\n    url_env: PROMETHEUS_URL\n"
    policy = load_policy(text).policy
    assert policy is not None

    def told(data: dict[str, Any]) -> list[str]:
        return [f"{one.message} ({one.hint})" for one in check_source(data, "g", policy)]

    assert told(gate()) == []
    assert told(gate({"name": "a", "type": "errorRate"}, FILE)) == []
    assert told(gate(provider={"prometheus": {"datasource": "mian"}})) == [
        "data source 'mian' is not in policy.yaml (did you mean main? Else add it to policy.yaml below datasources:"
        " mian: {kind: prometheus, url_env: PROMETHEUS_URL})"
    ]
    bare = load_policy("extends: sev0-3\n").policy
    assert bare is not None
    (unnamed,) = check_source(gate(), "gates/g.yaml", bare)
    assert unnamed.hint == (
        "add it to policy.yaml below datasources: main: {kind: prometheus, url_env: PROMETHEUS_URL}"
    )
    assert "is of kind prometheus, not web" in told(gate(provider={"web": {"datasource": "main"}}))[0]


def test_a_hint_names_the_field_as_the_file_does_and_what_would_work() -> None:
    """maxRatio, not max_ratio; the longest clump that leaves five blocks, also where steps warm up again."""

    def hint(data: dict[str, Any]) -> str:
        (one,) = check_gate_file(data, "g")
        return one.hint

    assert hint(gate({**ERROR_RATE, "maxRatio": 3})) == "expected more than maxRatio (3)"
    clumps = {**ERROR_RATE, "clumpSpan": "10m"}
    assert hint(gate(clumps)) == "write at most 1m45s, or lengthen the run"
    steps = [{"weight": 10, "duration": "5m"}, {"weight": 50, "duration": "5m"}]
    assert hint(gate(clumps, steps=steps)) == "write at most 1m30s, or lengthen the run"
    assert hint(gate(clumps, interval="4m")) == "write interval: 1m if the source is that fine, or write duration: 33m"


@pytest.mark.parametrize(
    ("interval", "said"), [("60s", None), ("70s", "only 7 ticks count"), ("105s", "only 5 ticks"), ("2m", None)]
)
def test_few_ticks_are_a_warning(interval: str, said: str | None) -> None:
    """Five to seven; fewer are an error elsewhere. What would do stands in the hint."""
    found = list(check_length(gate(interval=interval), "gates/g.yaml"))
    assert len(found) == (said is not None)
    for one in found:
        assert (one.level, one.rule) == (Level.WARNING, "gate-length")
        assert said is not None
        assert said in one.message
        assert "write interval: 1m if" in one.hint
