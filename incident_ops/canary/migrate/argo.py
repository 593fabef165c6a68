"""An AnalysisTemplate of Argo Rollouts: its metrics as threshold metrics of a gate."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import Any

from incident_ops.canary.condition_words import ConditionError
from incident_ops.canary.migrate.notebook import SourcePart
from incident_ops.canary.migrate.providers import ArgoQuestion, asked_of
from incident_ops.canary.migrate.ratios import note_ratio
from incident_ops.canary.migrate.reading import duration_of, spelled, whole_number
from incident_ops.canary.migrate.sources import Migration
from incident_ops.domain.metric_kinds import METRIC_KINDS

_LIMITS = ("failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "consecutiveSuccessLimit")
_CONDITIONS = ("successCondition", "failureCondition")
_DRY_RUN = re.compile(r"[A-Za-z0-9_-]*(?:\.[*+]?[A-Za-z0-9_-]*){0,3}", re.ASCII)

SWITCHED_OFF = "-1 switches failures off, and no consecutiveSuccessLimit decides"


ONE_VALUE = "an argument has one value in a gate, and {name} is {value!r} in another place of this source"
ONE_EACH = "make a gate of each, from one analysis at a time, or give it: --arg {name}=VALUE"


def template_arguments(spec: SourcePart, migration: Migration, filled: Collection[str] = ()) -> None:
    """`args` of a template: a value, none, or one that the cluster has; `filled` are those that its analysis gives."""
    for argument in spec.parts("args"):
        name, value = argument.text("name"), argument.text("value") or None
        given = migration.arguments.values.get(name)
        migration.arguments.add(name, value)
        if value is not None and name not in filled and migration.arguments.is_another(name, value):
            refuse_value(argument, "value", name, migration)
        elif "valueFrom" in argument:
            source = argument.part("valueFrom")
            for key in list(source.data):
                source.whole(key)
            if "secretKeyRef" in source:
                way = "name an environment variable in policy.yaml: token_env, header_env or auth"
                argument.refused("valueFrom", "a gate file holds no secrets and no way to them", way)
            else:
                way = f"give it to the run: --arg {name}=VALUE"
                argument.differs("valueFrom", f"args: {name}", "a gate cannot ask the cluster for it", way)
        elif value is None and given is None and name not in migration.asked_for:
            argument.differs("name", f"args: {name}", "it is required, as there", f"canary run --arg {name}=VALUE")
        else:
            argument.same("name", f"args: {name}")


def refuse_value(argument: SourcePart, key: str, name: str, migration: Migration) -> None:
    """Says that an argument would need a second value."""
    known = migration.arguments.values.get(name)
    argument.refused(key, ONE_VALUE.format(name=name, value=known), ONE_EACH.format(name=name), weakens=True)


def dry_run_names(spec: SourcePart) -> list[re.Pattern[str]]:
    """`dryRun` of a template: expressions for the names of metrics, the plain ones."""
    found = []
    for entry in spec.parts("dryRun"):
        text = entry.text("metricName")
        if text and _DRY_RUN.fullmatch(text):
            found.append(re.compile(text))
            entry.same("metricName", "dryRun: true of each metric that fits")
        else:
            entry.refused("metricName", "this expression is not understood here", "write dryRun: true in the metric")
    return found


def argo_metric(
    metric: SourcePart, migration: Migration, dry: list[re.Pattern[str]], offset: float
) -> dict[str, Any] | None:
    """A metric of a gate; None where it was refused. `offset`: at which second of the run it begins."""
    made = _metric(metric, migration, dry, offset)
    if made is None:
        for key in (*_CONDITIONS, *_LIMITS, "interval", "count", "initialDelay"):
            metric.whole(key)
        migration.notebook.forget(metric)
        return None
    note_ratio(migration, made)
    return metric_in_order(made)


def _metric(
    metric: SourcePart, migration: Migration, dry: list[re.Pattern[str]], offset: float
) -> dict[str, Any] | None:
    name = migration.metric_name(metric)
    asked = asked_of(metric, migration, name)
    if asked is None:
        return None
    made: dict[str, Any] = {"name": name, "type": "threshold", "provider": asked.provider}
    if any(one.search(name) for one in dry):
        made["dryRun"] = True
    if asked.query is not None:
        made["query"] = asked.query
    conditions = _conditions(metric, migration, asked)
    if conditions is None or not _numbers(metric, migration, made):
        return None
    made |= conditions
    return made if _times(metric, migration, made, offset) else None


def metric_in_order(made: Mapping[str, Any]) -> dict[str, Any]:
    """A metric with its keys in the order in which people write them."""
    words = ("name", "type", "provider", "query", "interval", "initialDelay", "count", *_CONDITIONS, *_LIMITS, "dryRun")
    return {key: made[key] for key in words if key in made}


def _conditions(metric: SourcePart, migration: Migration, asked: ArgoQuestion) -> dict[str, str] | None:
    kind = next(iter(asked.provider))
    if kind == "command":
        for key in _CONDITIONS:
            if key in metric:
                metric.refused(key, "of a Job its end decides, there as here", "leave it out")
        return {}
    if not any(metric.data.get(key) for key in _CONDITIONS):
        text = "without a condition every answer is a success, so nothing would be checked"
        metric.refused("", text, "write a successCondition", weakens=True)
        return None
    found = {}
    for key in _CONDITIONS:
        text = metric.text(key)
        if not text:
            continue
        made = condition_in_gate(metric, key, text, migration, asked)
        if made is None:
            return None
        found[key] = made
    return found


def condition_in_gate(metric: SourcePart, key: str, text: str, migration: Migration, asked: ArgoQuestion) -> str | None:
    """A condition of a metric; None, and refused, where it cannot be said here."""
    from incident_ops.canary.migrate.conditions import translate_condition

    known: Mapping[str, object] = migration.arguments.values
    kind = next(iter(asked.provider))
    try:
        made = translate_condition(text, kind, known, is_success=key == _CONDITIONS[0], change=asked.change)
    except ConditionError as error:
        way = error.hint or "write it as comparisons of result"
        metric.refused(key, f"the condition cannot be said here: {error.message}", way, weakens=True)
        return None
    for argument in made.arguments:
        migration.arguments.keep(argument)
    if made.left_out:
        gone = "; ".join(made.left_out)
        text = (
            f"left out: {gone}. Without data a measurement is not a success here, and a failure only where it says so"
        )
        metric.differs(key, made.text, text, _way_to_a_number(gone, kind))
    elif " ".join(text.split()) != made.text:
        metric.differs(key, made.text, "the same, in the words of a gate")
    else:
        metric.same(key, made.text)
    return made.text


def _way_to_a_number(gone: str, kind: str) -> str:
    """How a query gives a number where another tool took nothing, or NaN, for one."""
    if kind == "prometheus" and not re.search(r"\bis(NaN|Inf)\b", gone):
        return "where nothing means 0, add `or vector(0)` to the query"
    return "let the query give a number then, or say by onNoData what no data means"


def _numbers(metric: SourcePart, migration: Migration, made: dict[str, Any]) -> bool:
    """Puts the limits into the metric; False where one of them would let everything pass."""
    for key in _LIMITS:
        found = whole_number(metric, key, migration.arguments)
        if found is not None:
            made[key] = found
            metric.same(key, f"{key}: {found}")
    if made.get("failureLimit") == -1 and not made.get("consecutiveSuccessLimit"):
        metric.refused("failureLimit", SWITCHED_OFF, "set one of the two limits", weakens=True)
        return False
    return True


def _times(metric: SourcePart, migration: Migration, made: dict[str, Any], offset: float) -> bool:
    """Puts interval, count and initial delay into the metric; False where a count cannot be read."""
    interval = duration_of(metric, "interval", migration.arguments)
    count = whole_number(metric, "count", migration.arguments)
    delay = duration_of(metric, "initialDelay", migration.arguments)
    unread = [key for key, found in (("interval", interval), ("count", count)) if key in metric and found is None]
    if unread:
        return False
    if interval:
        grain = METRIC_KINDS[next(iter(made["provider"]))].grain
        whole = math.ceil(interval / grain) * grain if grain else interval
        made["interval"] = spelled(whole)
        if whole != interval:
            metric.differs("interval", f"interval: {spelled(whole)}", "this source counts by whole minutes")
        else:
            _note_seconds(metric, "interval", interval)
    if count:
        made["count"] = count
        metric.same("count", f"count: {count}")
    elif interval is None:
        made["count"] = 1
        metric.differs(
            "",
            "count: 1",
            "without interval and count it is measured once, as in Argo; here that has to be written",
            "",
        )
    if delay is not None:
        _note_seconds(metric, "initialDelay", delay)
    if delay or offset:
        made["initialDelay"] = spelled((delay or 0) + offset)
    return True


def _note_seconds(metric: SourcePart, key: str, found: float) -> None:
    if found == int(found):
        metric.same(key, f"{key}: {spelled(found)}")
    else:
        metric.differs(key, f"{key}: {spelled(found)}", "a gate counts whole seconds")
