"""What is wrong with the providers of a gate file, and with what is asked of them, that its schema cannot see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from incident_ops.canary.config import interval_of, query_faults, seconds
from incident_ops.canary.providers import (
    LONGEST_COMMAND,
    LONGEST_WAIT,
    Provider,
    is_recorded,
    metric_kind,
    provider_data,
    to_provider,
)
from incident_ops.domain.metric_kinds import COMMAND, METRIC_KINDS, RECORDING
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import Datasource, ways_to_sign_in
from incident_ops.domain.time import duration_text
from incident_ops.findings import Route, closest

ProviderFault = tuple[Route, str, str]
"""Route below `spec`, what is wrong, how to fix it."""

_SECRET = re.compile(
    r"authorization|cookie|token|secret|password|passwd|credential|session|signature|key$", re.IGNORECASE
)
_OWNED = re.compile(
    r"host|content-length|transfer-encoding|connection|keep-alive|expect|upgrade|te|trailer|proxy-.*", re.IGNORECASE
)


def providers_in(spec: Mapping[str, Any]) -> Iterator[tuple[Route, Mapping[str, Any]]]:
    """Each provider that stands in a gate file, with its route below `spec`."""
    yield ("provider",), spec["provider"]
    for index, metric in enumerate(spec["metrics"]):
        if "provider" in metric:
            yield ("metrics", index, "provider"), metric["provider"]


def kinds_named(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of provider that a gate file names, each once."""
    return tuple(dict.fromkeys(kind for _, data in providers_in(spec) for kind in data))


def provider_faults(spec: Mapping[str, Any]) -> Iterator[ProviderFault]:
    """What is wrong with a provider by itself, and with a recording beside others."""
    known = {argument["name"]: argument for argument in spec.get("args", ())}
    for route, data in providers_in(spec):
        provider = to_provider(data)
        place = (*route, provider.kind)
        longest = LONGEST_COMMAND if provider.kind == COMMAND.name else LONGEST_WAIT
        if not 0 < provider.timeout <= longest:
            message = f"the timeout must be between 1s and {duration_text(int(longest))}"
            yield (*place, "timeout"), message, f"e.g. {duration_text(int(min(longest, 60)))}"
        if len(route) > 1 and (provider.kind == RECORDING.name or is_recorded(spec)):
            hint = "remove it: a replay reads every count from its file"
            yield place, "a recording cannot be mixed with other providers", hint
        for below, message, hint in _sent(provider, known):
            yield (*place, *below), message, hint
    yield from _grain_faults(spec)


def _grain_faults(spec: Mapping[str, Any]) -> Iterator[ProviderFault]:
    """Readings that are taken between the whole intervals by which a source counts."""
    places: dict[Route, str] = {}
    for index, metric in enumerate(spec["metrics"]):
        kind, interval = metric_kind(spec, metric), interval_of(spec)
        own = seconds(metric, "interval", interval) if metric["type"] == "threshold" else interval
        if kind.grain and own > 0 and own % kind.grain:
            places[("interval",) if own == interval else ("metrics", index, "interval")] = kind.service
    for place, service in places.items():
        yield place, f"{service} counts by the minute", "write a multiple of 60s"


def _sent(provider: Provider, known: Mapping[str, object]) -> Iterator[ProviderFault]:
    if provider.body and provider.method != "POST":
        yield ("body",), "a body is sent with POST only", "add method: POST, or remove it"
    for message, hint in query_faults(provider.body, known):
        yield ("body",), message.replace("the query", "the body"), hint
    for name, value in provider.headers:
        if _SECRET.search(name):
            hint = f"name its variable in policy.yaml, at the data source: header_env: {{{name}: VARIABLE}}"
            yield ("headers", name), f"header {name} carries a secret, which no file may hold", hint
        elif _OWNED.fullmatch(name):
            yield ("headers", name), f"header {name} is set by the connection itself", "remove it"
        elif "{{" in value:
            yield (
                ("headers", name),
                "an argument cannot be used in a header",
                "write the value, or put it into the body",
            )


def asked_faults(spec: Mapping[str, Any], metric: Mapping[str, Any]) -> Iterator[ProviderFault]:
    """What is wrong with a metric for the provider that it is asked of; routes are below the metric."""
    kind = metric_kind(spec, metric)
    if kind is COMMAND:
        yield from _commanded(spec, metric)


def _commanded(spec: Mapping[str, Any], metric: Mapping[str, Any]) -> Iterator[ProviderFault]:
    if metric["type"] != "threshold":
        yield (), "an exit code is one measurement and no count", "write type: threshold, or name another provider"
    elif "query" in metric:
        hint = "remove it; the command is given with canary run --command NAME=COMMAND"
        yield ("query",), "a command takes no query", hint
    fields = provider_data(spec, metric)[COMMAND.name]
    if "inconclusiveExitCode" in fields and ("successCondition" in metric or "failureCondition" in metric):
        hint = "remove inconclusiveExitCode, or the conditions"
        yield (), "the conditions say already what each exit code means", hint


def source_faults(spec: Mapping[str, Any], policy: Policy) -> Iterator[ProviderFault]:
    """Data sources that the policy does not have, of another kind, or with settings that do nothing there."""
    for route, data in providers_in(spec):
        provider = to_provider(data)
        if not METRIC_KINDS[provider.kind].is_asked:
            continue
        place, known = (*route, provider.kind, "datasource"), policy.datasources
        if provider.datasource not in known:
            hint = _unknown_source(provider, known)
            yield place, f"data source {provider.datasource!r} is not in policy.yaml", hint
            continue
        source = known[provider.datasource]
        if source.kind != provider.kind:
            message = f"data source {provider.datasource!r} is of kind {source.kind}, not {provider.kind}"
            yield place, message, f"write provider: {{{source.kind}: ...}}, or name another"
        elif len(ways := ways_to_sign_in(source)) > 1:
            message = f"data source {provider.datasource!r} has {' and '.join(ways)}, and only one can sign in"
            yield place, message, "remove one of them from policy.yaml"
        elif idle := idle_settings(source):
            message = f"data source {provider.datasource!r} has {idle[0]}, which does nothing for {source.kind}"
            yield place, message, "remove it from policy.yaml"


def idle_settings(source: Datasource) -> list[str]:
    """Settings of a data source that are made and that its kind does not have."""
    given = [name for name in Datasource.__struct_fields__ if getattr(source, name) not in (None, False, {})]
    return [name for name in given if name != "kind" and name not in METRIC_KINDS[source.kind].settings]


def _unknown_source(provider: Provider, known: Iterable[str]) -> str:
    """A name that is nearly one of ours may be a slip, and may be one that is still to be added."""
    added = _source_to_add(provider.datasource, provider.kind)
    near = closest(provider.datasource, known)
    return f"did you mean {near}? Else {added}" if near else added


def _source_to_add(name: str, kind: str) -> str:
    setting = "url_env: PROMETHEUS_URL" if kind == "prometheus" else "..."
    return f"add it to policy.yaml below datasources: {name}: {{kind: {kind}, {setting}}}"
