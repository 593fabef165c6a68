"""Where the measurements of a gate come from: `spec.provider`, or the provider that a metric names for itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from incident_ops.domain.metric_kinds import COMMAND, METRIC_KINDS, RECORDING, MetricKind
from incident_ops.domain.time import duration

LONGEST_WAIT, LONGEST_COMMAND = 10.0, 600.0
"""Seconds that an answer, and a command, may take at most."""
_COMMAND_WAIT = 60.0


class Provider(NamedTuple):
    """Where measurements come from; `datasource` is a name of policy `datasources`, that of a command, or "" for a
    file. Of the others `web` alone has what is sent with the question."""

    kind: str
    datasource: str = ""
    timeout: float = LONGEST_WAIT
    json_path: str = "$"
    method: str = "GET"
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()


def to_provider(data: Mapping[str, Any]) -> Provider:
    """The one provider of a gate file or a metric."""
    kind, fields = next(iter(data.items()))
    is_command = kind == COMMAND.name
    default = _COMMAND_WAIT if is_command else LONGEST_WAIT
    return Provider(
        kind,
        fields.get("name" if is_command else "datasource", ""),
        float(duration(fields["timeout"])) if "timeout" in fields else default,
        fields.get("jsonPath", "$"),
        fields.get("method", "GET"),
        fields.get("body", ""),
        tuple(fields.get("headers", {}).items()),
    )


def provider_data(spec: Mapping[str, Any], metric: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stands under the provider that a metric is asked of."""
    data: Mapping[str, Any] = metric.get("provider", spec["provider"])
    return data


def metric_kind(spec: Mapping[str, Any], metric: Mapping[str, Any]) -> MetricKind:
    """The kind of source that a metric is asked of."""
    return METRIC_KINDS[next(iter(provider_data(spec, metric)))]


def is_recorded(spec: Mapping[str, Any]) -> bool:
    """Whether the counts of a gate come from a file."""
    return RECORDING.name in spec["provider"]


def grain_of(spec: Mapping[str, Any]) -> float:
    """The longest grain of the sources that a gate asks, in seconds; 0 where all count any interval."""
    return max(metric_kind(spec, metric).grain for metric in spec["metrics"])
