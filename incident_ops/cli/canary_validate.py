"""Gate files checked, all of them, and what has to be known of their providers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from incident_ops.adapters.metrics.cloudwatch import CloudWatch
from incident_ops.adapters.metrics.datadog import Datadog
from incident_ops.adapters.metrics.newrelic import NewRelic
from incident_ops.app.canary_samples import gate_bytes, source_findings
from incident_ops.app.workspace import Opened
from incident_ops.canary.config import to_provider
from incident_ops.canary.config_check import check_gate_file
from incident_ops.findings import Finding
from incident_ops.records.gate_file import load_gate
from incident_ops.rules.policy.not_used_yet import not_used_yet

_UNPROVEN = {"cloudwatch": CloudWatch.unproven, "datadog": Datadog.unproven, "newRelic": NewRelic.unproven}


class Checked(NamedTuple):
    """What was found in a gate file, and the provider it names ("" where it cannot be read)."""

    findings: Sequence[Finding]
    provider: str


def check_files(opened: Opened, paths: Sequence[str]) -> dict[str, Checked]:
    """Every file with its findings. UserError where one cannot be read, or the policy cannot be used."""
    found = {}
    for path in paths:
        document = load_gate(gate_bytes(path), path, check_gate_file)
        if isinstance(document, list):
            found[path] = Checked(document, "")
            continue
        provider = to_provider(document.data["spec"]["provider"])
        strange = source_findings(document, opened.judged_by[0]) if provider.datasource else []
        unused = [one.at(document.locate(one.where)) for one in not_used_yet("gate", document.data, path)]
        found[path] = Checked([*strange, *unused], provider.kind)
    return found


def unproven(checked: Mapping[str, Checked]) -> Iterator[str]:
    """A line for each provider in use that was never run against the real service."""
    for kind in sorted({one.provider for one in checked.values()}):
        if told := _UNPROVEN.get(kind):
            yield f"note: provider {kind}: {told}"
