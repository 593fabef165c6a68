"""A Canary of Flagger: its steps and metrics as a gate, the metric templates of the same file among them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from incident_ops.canary.config import FULL
from incident_ops.canary.migrate.argo import metric_in_order
from incident_ops.canary.migrate.cloudwatch import cloudwatch_query
from incident_ops.canary.migrate.meshes import MESHES, old_counters, request_duration, success_rate
from incident_ops.canary.migrate.notebook import SourcePart
from incident_ops.canary.migrate.providers import ASK_BY_COMMAND, refuse_insecure
from incident_ops.canary.migrate.ratios import RatioSides, note_ratio
from incident_ops.canary.migrate.reading import RENDER_FIRST, duration_of, query_text, spelled, whole_number
from incident_ops.canary.migrate.rollout import steps_of
from incident_ops.canary.migrate.sources import Migration
from incident_ops.domain.metric_kinds import METRIC_KINDS

MetricTemplates = Mapping[tuple[str, str], SourcePart]
"""Namespace ("" where none is given) and name -> the template."""

SHORTEST_CHECK, CHECK = 10.0, 60.0
"""Seconds between two checks: the least that Flagger takes, and what it does where nothing is given."""

_VARIABLE = re.compile(r"\{\{-?\s*(variables\.)?([A-Za-z_][A-Za-z0-9_-]*)\s*-?\}\}", re.ASCII)
_MOST_CHECKS = 2000
_KINDS = {"prometheus": "prometheus", "datadog": "datadog", "cloudwatch": "cloudwatch", "newrelic": "newRelic"}
_ROUTING = "traffic is the pipeline's: --on-step CMD, with $INCIDENT_OPS_WEIGHT"
_ELSEWHERE = {
    "stepWeightPromotion": "full traffic follows in one step here; let --on-pass CMD move it in parts",
    "match": _ROUTING,
    "mirror": _ROUTING,
    "mirrorWeight": _ROUTING,
    "sessionAffinity": _ROUTING,
    "primaryReadyThreshold": "let the pipeline wait until the pods are ready, before canary run",
    "canaryReadyThreshold": "let the pipeline wait until the pods are ready, before canary run",
}


@dataclass(frozen=True)
class CanaryPlan:
    """What a Canary says of the whole run, in seconds."""

    interval: float
    steps: list[dict[str, Any]]
    duration: float
    failures: int


def canary_analysis(spec: SourcePart) -> SourcePart:
    """The analysis of a Canary, under its present or its former name."""
    return spec.part("analysis" if "analysis" in spec else "canaryAnalysis")


def canary_plan(spec: SourcePart, migration: Migration) -> CanaryPlan:
    """Interval, steps, length and how many checks may fail."""
    if spec.text("skipAnalysis") == "true":
        spec.refused("skipAnalysis", "a gate always measures", "leave the gate out of the pipeline to skip it")
    analysis = canary_analysis(spec)
    interval = max(duration_of(analysis, "interval", migration.arguments) or CHECK, SHORTEST_CHECK)
    analysis.same("interval", f"interval: {spelled(interval)}")
    failures = max(whole_number(analysis, "threshold", migration.arguments) or 1, 1) - 1
    weights = _weights(analysis, migration)
    iterations = whole_number(analysis, "iterations", migration.arguments) or 0
    longer = failures * interval
    if iterations > 0 or not weights:
        checks = min(max(iterations, 1), _MOST_CHECKS)
        analysis.same("iterations", f"duration: {spelled(checks * interval + longer)}")
        steps, duration = [], checks * interval + longer
    else:
        checks = len(weights)
        timed = [(weight, interval) for weight in weights]
        timed[-1] = (timed[-1][0], interval + longer)
        steps, duration = steps_of(analysis, "stepWeight", timed), 0.0
    _note_threshold(analysis, failures, checks, longer)
    for key, way in _ELSEWHERE.items():
        if key in analysis:
            analysis.refused(key, "a gate moves no traffic, and judges what it gets", way)
    for key in list(spec.data):
        if key not in ("analysis", "canaryAnalysis", "skipAnalysis"):
            spec.whole(key)  # what runs and how it is reached, not how it is judged
    return CanaryPlan(interval, steps, duration, failures)


def _note_threshold(analysis: SourcePart, failures: int, checks: int, longer: float) -> None:
    text = "each metric counts its own failures; Flagger counts those of all metrics and webhooks together"
    if failures:
        text += f". Flagger repeats a step whose check failed: here the last one is {spelled(longer)} longer, so that "
        text += f"{failures} may fail and a pass still needs {checks} good checks"
    analysis.differs("threshold", f"failureLimit: {failures}", text)


def _weights(analysis: SourcePart, migration: Migration) -> list[int]:
    most = whole_number(analysis, "maxWeight", migration.arguments)
    given = analysis.whole("stepWeights")
    step = whole_number(analysis, "stepWeight", migration.arguments)
    if isinstance(given, list) and given:
        found = [one for one in given if isinstance(one, int) and 0 < one < FULL]
        rising = [one for at, one in enumerate(found) if all(one > before for before in found[:at])]
        if len(rising) < len([one for one in given if one != FULL]):
            analysis.differs("stepWeights", "steps", f"only rising whole numbers below 100 are steps: {rising}")
        else:
            analysis.same("stepWeights", f"steps: {rising}, then 100")
        return rising
    if not step or step < 1:
        return []
    found, weight = [], 0
    while weight < min(most or FULL, FULL) and weight + step < FULL:
        weight += step
        found.append(weight)
    shown = f"{', '.join(map(str, found[:6]))}{', ...' if len(found) > 6 else ''}"
    analysis.same("stepWeight", f"steps: {shown or 'none'}, then 100")
    if most:
        analysis.same("maxWeight", f"the last of the steps: {found[-1] if found else 100}")
    return found


@dataclass(frozen=True)
class CanaryNames:
    """What the queries of a Canary call it by."""

    values: Mapping[str, str]
    mesh: str

    @staticmethod
    def of(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> CanaryNames:
        """The names of a Canary; those that it does not give are what Flagger takes."""

        def text(data: Any, *keys: str) -> str:
            for key in keys:
                data = data.get(key) if isinstance(data, Mapping) else None
            return str(data) if isinstance(data, str | int) and not isinstance(data, bool) else ""

        target = text(spec, "targetRef", "name") or text(metadata, "name")
        values = {
            "name": text(metadata, "name"),
            "namespace": text(metadata, "namespace") or "default",
            "target": target,
            "service": text(spec, "service", "name") or target,
            "ingress": text(spec, "ingressRef", "name") or target,
            "route": text(spec, "routeRef", "name") or target,
        }
        return CanaryNames(values, text(spec, "provider") or "istio")


def canary_metric(
    metric: SourcePart, migration: Migration, names: CanaryNames, templates: MetricTemplates, plan: CanaryPlan
) -> dict[str, Any] | None:
    """A metric of a gate; None where it was refused."""
    made = _metric(metric, migration, names, templates, plan)
    if made is None:
        migration.notebook.forget(metric)
    return made


def _metric(
    metric: SourcePart, migration: Migration, names: CanaryNames, templates: MetricTemplates, plan: CanaryPlan
) -> dict[str, Any] | None:
    label = metric.text("name")
    name = migration.metric_name(metric)
    window = metric.text("interval") or "1m"
    values = {**names.values, "interval": window}
    variables = metric.part("templateVariables")
    values |= {f"variables.{key}": variables.text(key) for key in list(variables.data)}
    made: dict[str, Any] = {"name": name, "type": "threshold"}
    asked, baseline = None, None
    if "templateRef" in metric:
        asked = _of_template(metric, migration, templates, values)
    elif "query" in metric:
        query = _written_out(metric, "query", metric.text("query"), values)
        asked = None if query is None else ({"prometheus": {"datasource": _server(migration)}}, query)
    elif label in ("request-success-rate", "request-duration"):
        asked, baseline = _builtin(metric, migration, label, names.mesh, values)
    else:
        metric.refused(
            "name", "it has no templateRef, and Flagger brings no metric of this name", "name one", weakens=True
        )
    condition = _range(metric, label)
    if asked is None or condition is None:
        return None
    made |= {"provider": asked[0], "query": asked[1], "failureCondition": condition}
    made |= {"failureLimit": plan.failures} if plan.failures else {}
    made["initialDelay"] = spelled(plan.interval)
    grain = METRIC_KINDS[next(iter(asked[0]))].grain
    if grain and plan.interval % grain:
        made["interval"] = spelled(math.ceil(plan.interval / grain) * grain)
        metric.differs("name", f"interval: {made['interval']}", "this source counts by whole minutes")
    note_ratio(migration, made, baseline)
    return metric_in_order(made)


def _server(migration: Migration) -> str:
    return migration.sources.name("prometheus", None, {})


def _range(metric: SourcePart, label: str) -> str | None:
    """The condition under which a check fails; None, and refused, where every value is fine."""
    limits = metric.part("thresholdRange")
    parts = []
    for key, sign in (("min", "<"), ("max", ">")):
        value = limits.text(key)
        if value and not re.fullmatch(r"-?[0-9.]+(?:e[-+]?[0-9]+)?", value, re.ASCII):
            limits.refused(key, "a number is expected here", "write it in digits", weakens=True)
            return None
        if value:
            parts.append(f"result {sign} {value}")
            limits.same(key, f"failureCondition: result {sign} {value}")
    old = metric.text("threshold")
    if not parts and re.fullmatch(r"[0-9.]+", old, re.ASCII):
        sign = "<" if label == "request-success-rate" else ">"
        parts.append(f"result {sign} {old}")
        metric.same("threshold", f"failureCondition: result {sign} {old}")
    if not parts:
        metric.refused(
            "thresholdRange" if "thresholdRange" in metric else "",
            "without min and max every value is fine",
            "write one of them",
            weakens=True,
        )
        return None
    return " or ".join(parts)


def _written_out(part: SourcePart, key: str, text: str, values: Mapping[str, str]) -> str | None:
    """A query with the names of the Canary written out; None, and refused, where one is not known."""
    unknown: list[str] = []

    def value(found: re.Match[str]) -> str:
        name = f"{found[1] or ''}{found[2]}"
        if not values.get(name):
            unknown.append(name)
        return values.get(name, "")

    query = _VARIABLE.sub(value, text)
    if unknown or "{{" in query:
        text = f"{{{{ {unknown[0]} }}}} is not known" if unknown else "a {{ }} in the query is not understood"
        way = "add it to templateVariables of the metric" if unknown else RENDER_FIRST
        part.refused(key, text, way, weakens=True)
        return None
    return query


def _builtin(
    metric: SourcePart, migration: Migration, label: str, provider: str, values: Mapping[str, str]
) -> tuple[tuple[dict[str, Any], str] | None, RatioSides | None]:
    mesh = MESHES.get(provider.partition(":")[0])
    if mesh is None:
        text = f"what Flagger asks for this with provider {provider} is not known here"
        metric.refused("name", text, "write its query as a MetricTemplate, and import again", weakens=True)
        return None, None

    def with_names(query: str) -> str:
        return re.sub(r"%([a-z]+)%", lambda found: values[found[1]], query)

    query = with_names(success_rate(mesh) if label == "request-success-rate" else request_duration(mesh))
    metric.differs("name", "query", f"the counters of {provider}, for {values['target']} in {values['namespace']}", "")
    old = old_counters(mesh)
    baseline = None if old is None else RatioSides(*map(with_names, old))
    return ({"prometheus": {"datasource": _server(migration)}}, query), baseline


def _of_template(
    metric: SourcePart, migration: Migration, templates: MetricTemplates, values: Mapping[str, str]
) -> tuple[dict[str, Any], str] | None:
    reference = metric.part("templateRef")
    name = reference.text("name")
    for key in ("apiVersion", "kind"):
        reference.whole(key)
    known = [part for (_, other), part in templates.items() if other == name]
    template = templates.get((reference.text("namespace") or values["namespace"], name))
    template = known[0] if template is None and len(known) == 1 else template
    if template is None:
        why = f"there are {len(known)}, of other namespaces" if known else "it is not in this file"
        way = f"append it to this file: kubectl get metrictemplate {name} -o yaml"
        metric.refused("templateRef", f"MetricTemplate {name!r}: {why}", way, weakens=True)
        return None
    provider = template.part("provider")
    kind = provider.text("type")
    if kind not in _KINDS:
        way = ASK_BY_COMMAND
        provider.refused("type", f"{kind or 'no type'} cannot be asked by a gate", way, weakens=True)
        for key in ("address", "secretRef", "region", "insecureSkipVerify"):
            provider.whole(key)
        template.whole("query")
        return None
    refuse_insecure(provider, "insecureSkipVerify")
    asked = _template_query(template, migration, kind, values)
    if asked is None:
        return None
    return {_KINDS[kind]: {"datasource": _template_source(provider, migration, kind)}}, asked


def _template_query(template: SourcePart, migration: Migration, kind: str, values: Mapping[str, str]) -> str | None:
    text = _written_out(template, "query", template.text("query"), values)
    if text is None:
        return None
    if kind != "cloudwatch":
        return query_text(template, "query", migration.arguments, text.strip())
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        template.refused(
            "query", "this is not JSON", "write the list of queries that GetMetricData takes", weakens=True
        )
        return None
    queries = data if isinstance(data, list) else []
    inner = [SourcePart(template.notebook, template.document, (*template.route, "query"), one) for one in queries]
    return cloudwatch_query(template, "query", inner, migration)


def _template_source(provider: SourcePart, migration: Migration, kind: str) -> str:
    settings: dict[str, Any] = {}
    region = provider.text("region")
    if kind == "cloudwatch":
        settings = {"region": region} if region else {}
    elif kind == "datadog":
        settings = {"token_env": "DD_API_KEY", "application_key_env": "DD_APP_KEY"}
    elif kind == "newrelic":
        settings = {"token_env": "NEW_RELIC_API_KEY"}
    elif "secretRef" in provider:
        settings = {"auth": {"basic": {"user_env": "PROMETHEUS_USER", "password_env": "PROMETHEUS_PASSWORD"}}}
    address = provider.text("address").rstrip("/") if kind == "prometheus" else (provider.text("address") and "")
    name = migration.sources.name(_KINDS[kind], address, settings)
    if "address" in provider:
        provider.differs(
            "address", f"datasource: {name}", "addresses are kept in policy.yaml", f"let {name} there be this one"
        )
    if "secretRef" in provider:
        provider.whole("secretRef")
        provider.differs("secretRef", "", "secrets are environment variables of the gate", "see the lines to add")
    return name
