"""What is wrong with a gate file that its schema cannot see; Argo Rollouts' own checks of a metric among it.

Every finding is an error: nothing of a gate file is guessed.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from incident_ops.canary.condition_check import inert_parts
from incident_ops.canary.condition_words import ConditionError
from incident_ops.canary.conditions import parse_condition
from incident_ops.canary.config import (
    FULL,
    LOOKBACK,
    NO_LIMIT,
    counted_seconds,
    horizon_of,
    interval_of,
    partial_of,
    query_faults,
    seconds,
    step_seconds,
    to_settings,
    warmup_of,
)
from incident_ops.canary.length_check import too_few_ticks
from incident_ops.canary.pass_test import FEWEST_COUNTED
from incident_ops.canary.provider_check import asked_faults, provider_faults, source_faults
from incident_ops.canary.providers import is_recorded, metric_kind
from incident_ops.canary.slow_rate import SLOW_RATE_TYPE, SLOW_WORDS, as_error_rate, of_slow_requests, slow_faults
from incident_ops.domain.metric_kinds import COMMAND, PATH_HINT, WEB, is_web_path
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import duration_text
from incident_ops.errors import UserError
from incident_ops.findings import Finding, Level, Route, Where

GATE_SETTINGS_RULE, GATE_CONDITION_RULE, GATE_QUERY_RULE = "gate-settings", "gate-condition", "gate-query"
"""Ids of the findings; `records/file_findings.py` explains them."""

MOST_TICKS = 100_000
MOST_POINTS = 11_000
"""What Prometheus gives in one range at most."""

_COUNTED = (
    "canary",
    "baseline",
    "maxRatio",
    "unacceptableRatio",
    "alpha",
    "beta",
    "dispersion",
    "lookback",
    "clumpSpan",
)
_ERRORS = ("minErrorRate", "maxErrorRate", "goodErrorRate")
_SLOW = ("slowerThan", *SLOW_WORDS)
_CONDITIONS = ("successCondition", "failureCondition")
_LIMITS = ("failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "consecutiveSuccessLimit")
_THRESHOLD = ("query", *_CONDITIONS, *_LIMITS, "count", "interval", "initialDelay")
_OWNERS = {
    **dict.fromkeys(_THRESHOLD, ("threshold",)),
    **dict.fromkeys(_ERRORS, ("errorRate",)),
    **dict.fromkeys(_SLOW, (SLOW_RATE_TYPE,)),
    **dict.fromkeys(_COUNTED, ("errorRate", SLOW_RATE_TYPE)),
}
"""The types of metric that each key belongs to."""
_SLOT = re.compile(r"\{\{[^{}]*\}\}")
_RATED = re.compile(r"\b(rate|irate|increase|delta|idelta)\s*\(")

ConfigFault = tuple[Route, str, str]
"""Route below `spec`, what is wrong, how to fix it."""


def check_gate_file(data: Mapping[str, Any], file: str) -> Iterator[Finding]:
    """Findings, with symbolic places, of a gate file that fits its schema."""
    spec = data["spec"]
    for route, message, hint in (
        *provider_faults(spec),
        *_times(spec),
        *_steps(spec),
        *too_few_ticks(spec),
        *_names(spec),
    ):
        yield _finding(GATE_SETTINGS_RULE, file, route, message, hint)
    for index, metric in enumerate(spec["metrics"]):
        route = ("metrics", index)
        for below, message, hint in (*asked_faults(spec, metric), *_metric(spec, metric)):
            yield _finding(GATE_SETTINGS_RULE, file, (*route, *below), message, hint)
        for key in _CONDITIONS:
            if key in metric:
                yield from _condition(spec, file, (*route, key), metric[key])
        for below, message, hint in _queries(spec, metric):
            yield _finding(GATE_QUERY_RULE, file, (*route, *below), message, hint)


def check_source(data: Mapping[str, Any], file: str, policy: Policy) -> Iterator[Finding]:
    """Findings about the data sources a gate file names: the policy must have them, and of that kind."""
    for route, message, hint in source_faults(data["spec"], policy):
        yield _finding(GATE_SETTINGS_RULE, file, route, message, hint)


def _finding(rule: str, file: str, route: Route, message: str, hint: str) -> Finding:
    return Finding(rule, Level.ERROR, Where(file, ("spec", *route)), message, hint)


def _times(spec: Mapping[str, Any]) -> Iterator[ConfigFault]:
    interval, horizon = interval_of(spec), horizon_of(spec)
    if interval <= 0:
        yield ("interval",), "the interval is 0s", "e.g. 15s"
        return
    if horizon <= 0:
        yield ("duration",), "nothing is measured in 0s", "e.g. 10m"
    elif horizon < interval:
        yield ("interval",), "the interval is longer than the whole run", "shorten it, or lengthen duration"
    elif horizon / interval > MOST_TICKS:
        yield ("interval",), f"this asks for more than {MOST_TICKS:,} measurements", "lengthen the interval"
    if horizon > 0 and warmup_of(spec) >= horizon:
        yield ("warmup",), "the warm-up leaves nothing of the run", "shorten it, or lengthen duration"
    elif len(partial := partial_of(spec)) > 1 and warmup_of(spec) >= step_seconds(spec, partial[0]):
        hint = "shorten it, or lengthen the step: without data there is no next one"
        yield ("warmup",) if "warmup" in spec else ("steps", 0), "the warm-up leaves nothing of the first step", hint


def _steps(spec: Mapping[str, Any]) -> Iterator[ConfigFault]:
    steps = spec.get("steps", ())
    weights = [step["weight"] for step in steps]
    for index, (before, after) in enumerate(itertools.pairwise(weights), start=1):
        if after <= before:
            yield ("steps", index, "weight"), f"weight {after} follows {before}", "weights rise"
    if weights == [FULL]:
        yield ("steps", 0, "weight"), "at full traffic there is no baseline left", "begin below 100, e.g. 10"
    if steps and weights[-1] == FULL and "duration" in steps[-1] and "watch" in spec:
        yield ("watch",), "the step of weight 100 has a duration already", "write one of the two"
    if len(steps) > (weights[-1:] == [FULL]) and "duration" in spec and all("duration" in step for step in steps):
        yield ("duration",), "every step has its own duration, so this one means nothing", "remove it"


def _names(spec: Mapping[str, Any]) -> Iterator[ConfigFault]:
    for block in ("metrics", "args"):
        seen: set[str] = set()
        for index, entry in enumerate(spec.get(block, ())):
            if entry["name"] in seen:
                yield (block, index, "name"), f"{entry['name']!r} is used twice in {block}", "give each its own name"
            seen.add(entry["name"])


def _metric(spec: Mapping[str, Any], metric: Mapping[str, Any]) -> Iterator[ConfigFault]:
    for key, owners in _OWNERS.items():
        if key in metric and metric["type"] not in owners:
            mine = next((mine for mine, words in SLOW_WORDS.items() if words == key), "")
            hint = f"write {mine}" if mine and metric["type"] == SLOW_RATE_TYPE else "remove it, or change the type"
            yield (key,), f"{key} belongs to a metric of type {owners[0]}", hint
    if metric["type"] == "threshold":
        yield from _threshold(spec, metric)
    elif metric["type"] == SLOW_RATE_TYPE:
        yield from _slow_rate(spec, metric)
    else:
        yield from _counted_sides(metric)
        yield from _error_rate(spec, metric)


def _counted_sides(metric: Mapping[str, Any]) -> Iterator[ConfigFault]:
    for side in ("canary", "baseline"):
        for key in ("histogram", "slow"):
            if key in metric.get(side, {}):
                yield (
                    (side, key),
                    f"{key} belongs to a metric of type {SLOW_RATE_TYPE}",
                    "remove it, or change the type",
                )
        if side in metric and not {"errors", "requests"} <= metric[side].keys():
            yield (side,), "what it counts is missing", f"write {side}: {{errors: ..., requests: ...}}"


def _slow_rate(spec: Mapping[str, Any], metric: Mapping[str, Any]) -> Iterator[ConfigFault]:
    """What is wrong with what it counts, and what would be wrong with such an error rate, in its own words."""
    kind = metric_kind(spec, metric)
    for side in ("canary", "baseline"):
        if "errors" in metric.get(side, {}):
            yield (side, "errors"), "errors belongs to a metric of type errorRate", "write slow"
    yield from slow_faults(metric, kind)
    written = {words: mine for mine, words in SLOW_WORDS.items()}
    for route, message, hint in _error_rate(spec, as_error_rate(metric)):
        way = of_slow_requests(hint)
        if kind.is_promql:
            way = way.replace("{slow: ..., requests: ...}", "{histogram: ...}")
        yield tuple(written.get(str(key), key) for key in route), of_slow_requests(message), way


def _error_rate(spec: Mapping[str, Any], metric: Mapping[str, Any]) -> Iterator[ConfigFault]:
    is_file = is_recorded(spec)
    if not is_file and "canary" not in metric:
        yield (
            (),
            "the queries for the canary's errors and requests are missing",
            "add canary: {errors: ..., requests: ...}",
        )
    if not is_file and "baseline" not in metric and metric.get("maxErrorRate", NO_LIMIT) == NO_LIMIT:
        yield (), "there is nothing to compare with", "add baseline: {errors: ..., requests: ...}, or maxErrorRate"
        return
    if not is_file and "baseline" not in metric:
        for key in ("maxRatio", "unacceptableRatio", "goodErrorRate"):
            if key in metric:
                yield (key,), f"{key} compares with a baseline, and there is none", "add baseline, or remove it"
    if metric.get("clumpSpan", "auto") != "auto" and seconds(metric, "clumpSpan", 0) <= 0:
        yield ("clumpSpan",), "clumpSpan must be longer than 0s", "write auto or a duration"
        return
    if interval_of(spec) > 0 and seconds(metric, "lookback", LOOKBACK) / interval_of(spec) > MOST_POINTS:
        yield ("lookback",), f"the lookback has more than {MOST_POINTS:,} intervals", "shorten it"
    if spec.get("earlyPass") and isinstance(metric.get("dispersion"), int | float) and metric["dispersion"] > 1:
        yield ("dispersion",), "an early pass is not safe where errors come in clumps", "remove earlyPass"
    limits = (metric.get(key, NO_LIMIT) for key in ("minErrorRate", "maxErrorRate"))
    floor, limit = (math.nan if text == NO_LIMIT else float(text.rstrip("%")) for text in limits)
    if floor >= limit:
        yield ("minErrorRate",), "the floor is at or above maxErrorRate", "lower it"
    if float(metric.get("goodErrorRate", "nan").replace("none", "nan").rstrip("%")) >= limit:
        yield ("goodErrorRate",), "a rate that fails (maxErrorRate) cannot be good", "lower it, or write none"
    if interval_of(spec) > 0 and warmup_of(spec) >= 0:
        yield from _evidence(spec, metric)


def _evidence(spec: Mapping[str, Any], metric: Mapping[str, Any]) -> Iterator[ConfigFault]:
    try:
        to_settings(spec, metric)
    except UserError as error:
        key = _as_written(error.message.partition(":")[0])
        yield (key,) if key in metric else (), _as_written(error.message), _as_written(error.hint)
        return
    yield from _clumps(spec, metric)


def _as_written(text: str) -> str:
    """The text with the names of settings as the file spells them."""
    return re.sub(r"(?<=[a-z])_([a-z])", lambda match: match[1].upper(), text)


def _clumps(spec: Mapping[str, Any], metric: Mapping[str, Any]) -> Iterator[ConfigFault]:
    """A block is one piece of evidence: too few of them decide nothing, however many errors there are."""
    if metric.get("clumpSpan", "auto") == "auto" or metric.get("dispersion") == "none" or any(too_few_ticks(spec)):
        return
    interval = interval_of(spec)
    ticks = int(counted_seconds(spec) / interval + 1e-9)
    length = math.ceil(seconds(metric, "clumpSpan", 0.0) / interval - 1e-9)
    if (blocks := ticks // length) < FEWEST_COUNTED:
        longest = duration_text(int(ticks // FEWEST_COUNTED * interval))
        fit = f"only {blocks} block{'s' * (blocks != 1)} of {metric['clumpSpan']}"
        message = f"{fit} fit{'s' * (blocks == 1)} between the warm-up and the end, and a pass needs {FEWEST_COUNTED}"
        hint = f"write at most {longest}, or lengthen the run" if ticks >= FEWEST_COUNTED else "lengthen the run"
        yield ("clumpSpan",), message, hint


def _threshold(spec: Mapping[str, Any], metric: Mapping[str, Any]) -> Iterator[ConfigFault]:
    is_command = metric_kind(spec, metric) is COMMAND
    if is_recorded(spec):
        yield (), "a file holds counts, and a threshold metric needs a query", "use type errorRate, or another provider"
    elif "query" not in metric and not is_command:
        yield (), "the query is missing", "add query: ..."
    if not is_command and not any(key in metric for key in _CONDITIONS):
        yield (), "without a condition everything would be a success", 'add e.g. successCondition: "result < 0.01"'
    failures, streak = metric.get("failureLimit", 0), metric.get("consecutiveSuccessLimit", 0)
    if failures == -1 and not streak:
        hint = "set consecutiveSuccessLimit, or a failureLimit of 0 or more"
        yield ("failureLimit",), "-1 allows every failure, so the metric could never fail", hint
    yield from _count(spec, metric, max(failures, 0) + streak)


def _count(spec: Mapping[str, Any], metric: Mapping[str, Any], least: int) -> Iterator[ConfigFault]:
    interval, delay = seconds(metric, "interval", interval_of(spec)), seconds(metric, "initialDelay", warmup_of(spec))
    if interval <= 0:
        yield ("interval",) if "interval" in metric else (), "the interval is 0s", "e.g. 1m"
        return
    fits = int((horizon_of(spec) - delay) / interval) + 1 if delay <= horizon_of(spec) else 0
    count = metric.get("count", fits)
    place: Route = ("count",) if "count" in metric else ()
    if fits == 0:
        yield ("initialDelay",), "the first measurement would come after the end", "shorten it, or lengthen duration"
    elif count > fits:
        yield place, f"{count} measurements do not fit into the run, {fits} do", "lower count, or lengthen duration"
    elif count < least:
        message = f"{count} measurements are fewer than failureLimit and consecutiveSuccessLimit together ({least})"
        yield place, message, "raise count, or lower the limits"
    elif count < metric.get("inconclusiveLimit", 0):
        yield ("inconclusiveLimit",), f"the limit is above the number of measurements ({count})", "lower it"


def _condition(spec: Mapping[str, Any], file: str, route: Route, text: str) -> Iterator[Finding]:
    kind = metric_kind(spec, spec["metrics"][route[1]])
    known = {argument["name"]: argument for argument in spec.get("args", ())}
    try:
        parts = list(inert_parts(parse_condition(text), kind, known, is_success=route[-1] == _CONDITIONS[0]))
    except ConditionError as error:
        parts = [(error.column, error.message, error.hint or "e.g. result < 0.01")]
    for column, message, hint in parts:
        place = f"column {column} of the condition: " if column else ""
        yield _finding(GATE_CONDITION_RULE, file, route, f"{place}{message}", hint)


def _queries(spec: Mapping[str, Any], metric: Mapping[str, Any]) -> Iterator[ConfigFault]:
    known = {argument["name"]: argument for argument in spec.get("args", ())}
    kind = metric_kind(spec, metric)
    queries: list[tuple[Route, str]] = [(("query",), metric["query"])] if "query" in metric else []
    sides = [side for side in ("canary", "baseline") if side in metric]
    queries += [((side, key), query) for side in sides for key, query in metric[side].items()]
    yield from _same(metric, sides)
    for route, query in queries:
        for message, hint in query_faults(query, known):
            yield route, message, hint
        if kind is WEB and not is_web_path(_SLOT.sub("x", query)):
            yield route, "the query of a web service is its path, and this is none", PATH_HINT
        if route[-1] not in ("query", "histogram") and kind.is_cumulative and (rated := _RATED.search(query)):
            message = f"{rated[1]}() misses the first errors of a new series and estimates the rest"
            yield route, message, "give the counter itself: it is read every tick, and resets are seen"


def _same(metric: Mapping[str, Any], sides: Sequence[str]) -> Iterator[ConfigFault]:
    """Queries that say the same, so that what they compare is always equal: copied, and not changed."""
    bad, many = ("slow", "requests") if metric["type"] == SLOW_RATE_TYPE else ("errors", "requests")
    asked = {(side, key): " ".join(metric[side].get(key, "").split()) for side in sides for key in (bad, many)}
    for side in sides:
        if asked[side, bad] and asked[side, bad] == asked[side, many]:
            every, only = (
                ("slow", "the slow ones only") if bad == "slow" else ("an error", 'the errors only, e.g. code=~"5.."')
            )
            message = f"{side}.{bad} is the same query as {side}.{many}, so every request would be {every}"
            yield (side, bad), message, f"let it select {only}"
    for key in (bad, many) if len(sides) > 1 else ():
        if asked["canary", key] and asked["canary", key] == asked["baseline", key]:
            message = f"canary and baseline have the same query for {key}, so the two could never differ"
            yield ("baseline", key), message, "let it select the old version only"
