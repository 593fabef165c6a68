"""A gate file as a value: `gates/*.yaml`, kind CanaryAnalysis (docs/gate-files.md).

Built from data that fits the schema and has no finding of `config_check`; durations become seconds, percentages
rates between 0 and 1. In queries `{{args.NAME}}` is filled in, inside quotes only, escaped as the label value it is; in
conditions outside quotes only, as the number or text that it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from incident_ops.canary.conditions import Condition, fill_condition, parse_condition
from incident_ops.canary.evidence_settings import AUTO, EvidenceSettings
from incident_ops.canary.providers import (
    Provider,
    grain_of,
    is_recorded,
    metric_kind,
    provider_data,
    to_provider,
)
from incident_ops.canary.threshold import Threshold
from incident_ops.domain.metric_kinds import COMMAND
from incident_ops.domain.time import duration
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean

ON_INCONCLUSIVE_FAIL, ACCEPT, EXTEND = "fail", "pass", "extend"
"""Words of `onInconclusive`; without one of them inconclusive stays inconclusive, exit code 3."""

WARMUP, INTERVAL, DURATION, LOOKBACK = 60.0, 15.0, 600.0, 3600.0
"""Seconds where a gate file gives none."""

FULL = 100

GOOD_ERROR_RATE = 0.001
"""The error rate below which a canary is good where neither the gate file nor an objective says less."""

EXIT_CODE = "exit code"
"""How the conditions of a command are spelled where the file has none."""

NO_LIMIT = "none"
"""`maxErrorRate: none`: no absolute limit, whatever the policy says; `goodErrorRate: none`: the comparison alone."""


class RolloutStep(NamedTuple):
    """A part of the rollout: percent of the traffic, and seconds."""

    weight: int
    seconds: float


class Queries(NamedTuple):
    """The queries for one side's counts."""

    errors: str
    requests: str


@dataclass(frozen=True)
class ErrorRate:
    """A metric of type errorRate; queries are None where the counts come from a file.

    `is_unlimited` where the file says `maxErrorRate: none`: then no limit of the policy holds either. `provider` None:
    it is asked of the gate's.
    """

    name: str
    settings: EvidenceSettings
    canary: Queries | None
    baseline: Queries | None
    lookback: float
    dry_run: bool
    is_unlimited: bool = False
    provider: Provider | None = None


@dataclass(frozen=True)
class ThresholdMetric:
    """A metric of type threshold; `query` is "" for a command, `provider` None where it is asked of the gate's."""

    name: str
    threshold: Threshold
    query: str
    dry_run: bool
    provider: Provider | None = None


Metric = ErrorRate | ThresholdMetric


@dataclass(frozen=True)
class Analysis:
    """A gate file, times in seconds: `horizon` is when the verdict is due, `steps` what the rollout does, `watch` how
    long full traffic is watched afterwards.

    `arguments` are the values that queries name; None where the caller has to give one.
    """

    name: str
    provider: Provider
    arguments: Mapping[str, str | None]
    interval: float
    horizon: float
    warmup: float
    steps: tuple[RolloutStep, ...]
    watch: float
    metrics: tuple[Metric, ...]
    dry_run: bool
    on_inconclusive: str | None
    extend_by: float
    no_data_fails: bool

    @property
    def providers(self) -> tuple[Provider, ...]:
        """Every provider that a metric is asked of, once."""
        return tuple(dict.fromkeys(metric.provider or self.provider for metric in self.metrics))

    @property
    def passes_early(self) -> bool:
        """Whether a pass may leave out the steps that are left."""
        return any(isinstance(metric, ErrorRate) and metric.settings.early_pass for metric in self.metrics)


def longest_run(analysis: Analysis, watched: Analysis | None, carried_on: float | None = None) -> float:
    """For how many seconds a run may measure: its steps and their extension, or for how long it is carried on, and the
    watch at full traffic."""
    extension = analysis.extend_by if analysis.on_inconclusive == EXTEND else 0.0
    whole = analysis.horizon + extension if carried_on is None else carried_on
    return whole + (watched.horizon if watched else 0.0)


def to_analysis(data: Mapping[str, Any], good_rate: float = GOOD_ERROR_RATE) -> Analysis:
    """Checked data -> the value; `good_rate` where a metric has no `goodErrorRate`.

    UserError or ConditionError only for what `config_check` reports.
    """
    spec = data["spec"]
    steps = tuple(RolloutStep(step["weight"], step_seconds(spec, step)) for step in spec.get("steps", ()))
    accept = spec.get("onInconclusive")
    return Analysis(
        name=data["metadata"]["name"],
        provider=to_provider(spec["provider"]),
        arguments=MappingProxyType({argument["name"]: argument.get("value") for argument in spec.get("args", ())}),
        interval=interval_of(spec),
        horizon=horizon_of(spec),
        warmup=warmup_of(spec),
        steps=steps,
        watch=watch_seconds(spec),
        metrics=tuple(_metric(spec, metric, good_rate) for metric in spec["metrics"]),
        dry_run=spec.get("dryRun", False),
        on_inconclusive=EXTEND if isinstance(accept, dict) else accept,
        extend_by=seconds(accept["extend"], "max", 0.0) if isinstance(accept, dict) else 0.0,
        no_data_fails=spec.get("onNoData") == ON_INCONCLUSIVE_FAIL,
    )


def limited_by_policy(analysis: Analysis, percent: float | None) -> Analysis:
    """The gate with the policy's limit (`gate.max_error_pct`) on every error rate for which it says none of its own.

    A `minErrorRate` at or above the limit stays what it is: below it nothing fails.
    """
    if percent is None:
        return analysis
    limit = percent / 100

    def limited(metric: Metric) -> Metric:
        if not isinstance(metric, ErrorRate) or metric.is_unlimited or metric.settings.max_error_rate is not None:
            return metric
        if (metric.settings.min_error_rate or 0.0) >= limit:
            return metric
        return replace(metric, settings=replace(metric.settings, max_error_rate=limit))

    return replace(analysis, metrics=tuple(map(limited, analysis.metrics)))


def with_values(analysis: Analysis, values: Mapping[str, str | None]) -> Analysis:
    """The gate with the values of its arguments in its conditions. UserError for a missing one."""

    def filled(metric: Metric) -> Metric:
        if isinstance(metric, ErrorRate):
            return metric
        limits = metric.threshold
        success, failure = (
            None if one is None else fill_condition(one, values) for one in (limits.success, limits.failure)
        )
        return replace(metric, threshold=replace(limits, success=success, failure=failure))

    return replace(analysis, metrics=tuple(filled(metric) for metric in analysis.metrics))


def seconds(data: Mapping[str, Any], key: str, default: float) -> float:
    """A duration of the file in seconds."""
    return float(duration(data[key])) if key in data else default


def interval_of(spec: Mapping[str, Any]) -> float:
    """Seconds between two ticks; some sources count by the minute only."""
    return seconds(spec, "interval", max(INTERVAL, grain_of(spec)))


def warmup_of(spec: Mapping[str, Any]) -> float:
    """Seconds at the start that do not count; none are taken from a file, whose rows are all there is."""
    return seconds(spec, "warmup", 0.0 if is_recorded(spec) else WARMUP)


def horizon_of(spec: Mapping[str, Any]) -> float:
    """Seconds until the verdict is due: those of all steps below full traffic, else `duration`."""
    return sum(step_seconds(spec, step) for step in partial_of(spec)) or seconds(spec, "duration", DURATION)


def partial_of(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The steps below full traffic."""
    return [step for step in spec.get("steps", ()) if step["weight"] < FULL]


def watch_seconds(spec: Mapping[str, Any]) -> float:
    """Seconds that full traffic is watched for: `watch`, else what a step of weight 100 gives."""
    full = [seconds(step, "duration", 0.0) for step in spec.get("steps", ()) if step["weight"] == FULL]
    return seconds(spec, "watch", sum(full))


def step_seconds(spec: Mapping[str, Any], step: Mapping[str, Any]) -> float:
    """Seconds of a step."""
    return seconds(step, "duration", seconds(spec, "duration", DURATION))


def counted_seconds(spec: Mapping[str, Any]) -> float:
    """Seconds that count: all steps less their warm-up (at most half of a later step), and the longest extension."""
    whole, warmup = [step_seconds(spec, step) for step in partial_of(spec)] or [horizon_of(spec)], warmup_of(spec)
    counted = max(whole[0] - warmup, 0.0) + sum(length - min(warmup, length / 2) for length in whole[1:])
    accept = spec.get("onInconclusive")
    return counted + (seconds(accept["extend"], "max", 0.0) if isinstance(accept, dict) else 0.0)


def _metric(spec: Mapping[str, Any], data: Mapping[str, Any], good_rate: float) -> Metric:
    own = to_provider(data["provider"]) if "provider" in data else None
    if data["type"] == "threshold":
        limits = _threshold(spec, data)
        return ThresholdMetric(data["name"], limits, data.get("query", ""), data.get("dryRun", False), own)
    canary, baseline = _queries(data, "canary"), _queries(data, "baseline")
    lookback = seconds(data, "lookback", LOOKBACK)
    settings = to_settings(spec, data, good_rate)
    is_unlimited = data.get("maxErrorRate") == NO_LIMIT
    return ErrorRate(data["name"], settings, canary, baseline, lookback, data.get("dryRun", False), is_unlimited, own)


def _queries(data: Mapping[str, Any], side: str) -> Queries | None:
    return Queries(data[side]["errors"], data[side]["requests"]) if side in data else None


def to_settings(
    spec: Mapping[str, Any], data: Mapping[str, Any], good_rate: float = GOOD_ERROR_RATE
) -> EvidenceSettings:
    """What the evidence of an errorRate metric is for. UserError where the numbers do not go together.

    Without a baseline there is no ratio: only the absolute limit is judged.
    """
    has_baseline = "baseline" in data or is_recorded(spec)
    span = data.get("clumpSpan", AUTO)
    return EvidenceSettings(
        interval=interval_of(spec),
        max_ratio=float(data.get("maxRatio", 1.0)) if has_baseline else None,
        unacceptable_ratio=float(data.get("unacceptableRatio", 2.0)),
        max_error_rate=_rate(data, "maxErrorRate"),
        min_error_rate=_rate(data, "minErrorRate"),
        good_error_rate=_good_rate(data, good_rate) if has_baseline else None,
        alpha=float(data.get("alpha", 0.01)),
        beta=float(data.get("beta", 0.05)),
        dispersion=data.get("dispersion", AUTO),
        clump_span=span if span == AUTO else float(duration(span)),
        warmup=warmup_of(spec),
        min_requests=float(spec.get("minRequests", 0)),
        early_pass=spec.get("earlyPass", False),
        steps=max(1, len(partial_of(spec))),
        counted=counted_seconds(spec),
    )


def _rate(data: Mapping[str, Any], key: str) -> float | None:
    return float(data[key].removesuffix("%")) / 100 if data.get(key, NO_LIMIT) != NO_LIMIT else None


def _good_rate(data: Mapping[str, Any], default: float) -> float | None:
    if data.get("goodErrorRate") == NO_LIMIT:
        return None
    return _rate(data, "goodErrorRate") if "goodErrorRate" in data else default or None  # 0: an objective of 100 %


def _threshold(spec: Mapping[str, Any], data: Mapping[str, Any]) -> Threshold:
    success, failure = _conditions(spec, data)
    return Threshold(
        success=success,
        failure=failure,
        failure_limit=data.get("failureLimit", 0),
        inconclusive_limit=data.get("inconclusiveLimit", 0),
        consecutive_error_limit=data.get("consecutiveErrorLimit", 4),
        consecutive_success_limit=data.get("consecutiveSuccessLimit", 0),
        interval=seconds(data, "interval", interval_of(spec)),
        initial_delay=seconds(data, "initialDelay", warmup_of(spec)),
        count=data.get("count"),
        no_data_fails=spec.get("onNoData") == ON_INCONCLUSIVE_FAIL,
    )


def _conditions(spec: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[Condition | None, Condition | None]:
    """When a measurement succeeds, and when it fails; an exit code needs no words where the file has none."""
    given = [parse_condition(data[key]) if key in data else None for key in ("successCondition", "failureCondition")]
    if any(given) or metric_kind(spec, data) is not COMMAND:
        return given[0], given[1]
    neither = provider_data(spec, data)[COMMAND.name].get("inconclusiveExitCode")
    failed = "result != 0" if neither is None else f"result != 0 and result != {neither}"
    succeeded, failing = (parse_condition(one)._replace(text=EXIT_CODE) for one in ("result == 0", failed))
    return succeeded, failing


_ARGUMENT = re.compile(r"\{\{\s*args\.([A-Za-z0-9._-]+)\s*\}\}", re.ASCII)
_OPENING = re.compile(r"\{\{")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}", re.ASCII)
_REGEX = re.compile(r"([\\.+*?()|\[\]{}^$])")
_LONGEST = 200


class Slot(NamedTuple):
    """A place for a value in a query: where it begins and ends, its argument, and what is around it.

    `quote` is "" outside quotes; `is_regex` after =~ or !~.
    """

    start: int
    end: int
    name: str
    quote: str
    is_regex: bool


def query_slots(query: str) -> Iterator[Slot]:
    """The places for values in a query."""
    for match in _ARGUMENT.finditer(query):
        opened = _open_quote(query, match.start())
        before = query[:opened].rstrip() if opened >= 0 else ""
        quote = query[opened] if opened >= 0 else ""
        yield Slot(match.start(), match.end(), match[1], quote, before.endswith(("=~", "!~")))


def query_faults(query: str, known: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """(what is wrong, how to fix it) with the places for values in a query; `known` are the arguments of the file."""
    places = list(query_slots(query))
    if len(_OPENING.findall(query)) != len(places):
        yield "a {{ }} in the query is not an argument", "write {{args.NAME}}"
    for slot in places:
        if slot.name not in known:
            yield (
                f"argument {slot.name!r} is not in spec.args",
                did_you_mean(slot.name, known) or f"add it there: name: {slot.name}",
            )
        if slot.quote not in ('"', "'"):
            yield (
                f"{{{{args.{slot.name}}}}} is outside quotes",
                'a value may only be a label\'s, e.g. version="..."',
            )


def fill_query(query: str, arguments: Mapping[str, str | None], *, is_promql: bool) -> str:
    """The query with its values. For PromQL each is escaped as a string, after =~ as a regular expression first.

    UserError for a value that is missing or not allowed there; elsewhere than in PromQL only plain words can.
    """
    filled, at = "", 0
    for slot in query_slots(query):
        value = arguments.get(slot.name)
        if value is None:
            raise UserError(f"argument {slot.name!r} has no value", hint=f"give it: --arg {slot.name}=VALUE")
        filled += query[at : slot.start] + _escaped(slot, value, is_promql)
        at = slot.end
    return filled + query[at:]


def _escaped(slot: Slot, value: str, is_promql: bool) -> str:
    if slot.quote not in ('"', "'"):
        raise UserError(f"{{{{args.{slot.name}}}}} is outside quotes", hint="a value may only be a label's")
    if _PLAIN.fullmatch(value) and not slot.is_regex:
        return value
    if not is_promql or len(value) > _LONGEST or not value.isprintable():
        hint = "letters, digits and . _ : / @ + - are, at most 128 of them"
        raise UserError(f"the value of argument {slot.name!r} is not allowed in a query", hint=hint)
    literal = _REGEX.sub(r"\\\1", value) if slot.is_regex else value
    return literal.replace("\\", r"\\").replace(slot.quote, f"\\{slot.quote}")  # PromQL knows no \' within ""


def _open_quote(query: str, at: int) -> int:
    """Where the quote opens that is still open at a place, -1 outside quotes. A backtick takes no escapes."""
    opened, place = -1, 0
    while place < at:
        char = query[place]
        if opened < 0:
            opened = place if char in "\"'`" else -1
        elif char == "\\" and query[opened] != "`":
            place += 1
        elif char == query[opened]:
            opened = -1
        place += 1
    return opened
