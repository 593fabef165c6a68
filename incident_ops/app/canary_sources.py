"""The metric sources of a gate: one for each provider that a metric is asked of."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence

from incident_ops.adapters.metrics.command import CommandSource
from incident_ops.adapters.metrics.connect import WebQuestion, connect
from incident_ops.canary.config import Analysis, ErrorRate, Metric, fill_query
from incident_ops.canary.providers import Provider
from incident_ops.domain.metric_kinds import COMMAND
from incident_ops.domain.policy import Policy
from incident_ops.domain.ports import MetricSource
from incident_ops.errors import UserError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class GateSources:
    """The sources of a gate by provider."""

    def __init__(self, analysis: Analysis, sources: Mapping[Provider, MetricSource]) -> None:
        self._default, self._sources = analysis.provider, sources

    def provider(self, metric: Metric) -> Provider:
        """The provider that a metric is asked of."""
        return metric.provider or self._default

    def of(self, metric: Metric) -> MetricSource:
        """The source that a metric is asked of."""
        return self._sources[self.provider(metric)]

    @property
    def notes(self) -> list[str]:
        """What people have to know of sources that were never run against the real service."""
        return list(dict.fromkeys(source.unproven for source in self._sources.values() if source.unproven))


def connect_sources(
    analysis: Analysis,
    policy: Policy,
    values: Mapping[str, str | None],
    commands: Sequence[str],
    facts: Callable[[], Mapping[str, str]],
    say: Callable[[str], None],
) -> GateSources:
    """The sources of a gate whose data sources the policy has. `commands` are NAME=COMMAND, and run with `facts` in
    their environment; `say` is given what people should see of them.

    UserError for a variable that is not set, a command that is missing or that no metric asks for, and a value that
    cannot stand in a body.
    """
    given = commands_by_name(analysis, commands)

    def source(provider: Provider) -> MetricSource:
        if provider.kind == COMMAND.name:
            return CommandSource(provider.datasource, given[provider.datasource], provider.timeout, facts, say)
        named = policy.datasources[provider.datasource]
        body = fill_query(provider.body, values, is_promql=False)
        question = WebQuestion(provider.json_path, provider.method, body, provider.headers)
        return connect(provider.datasource, named, os.environ, provider.timeout, question, is_checked=True)

    return GateSources(analysis, {provider: source(provider) for provider in analysis.providers})


def commands_by_name(analysis: Analysis, commands: Sequence[str]) -> dict[str, str]:
    """The commands of `--command NAME=COMMAND` by name. UserError where they are not those that the gate asks for."""
    wanted = [provider.datasource for provider in analysis.providers if provider.kind == COMMAND.name]
    given: dict[str, str] = {}
    for text in commands:
        name, sign, command = text.partition("=")
        if not _NAME.fullmatch(name) or not sign:
            raise UserError("--command has no name before its command", hint="NAME=COMMAND, on one line")
        if not command.strip() or name not in wanted:
            known = ", ".join(wanted) or "the gate file has no provider: {command: {name: ...}}"
            raise UserError(f"--command {name!r} is none that the gate asks for", hint=f"NAME=COMMAND; {known}")
        if name in given:
            raise UserError(f"--command {name} is given twice", hint="join them in one script")
        given[name] = command
    if missing := [name for name in wanted if name not in given]:
        hint = f"give it: --command {missing[0]}='./{missing[0]}.sh'"
        raise UserError(f"the gate asks for the command {missing[0]!r}, and it is not given", hint=hint)
    return given


def cumulative_rates(analysis: Analysis, sources: GateSources) -> list[ErrorRate]:
    """The error rates whose counts are running totals."""
    return [one for one in analysis.metrics if isinstance(one, ErrorRate) and sources.of(one).is_cumulative]
