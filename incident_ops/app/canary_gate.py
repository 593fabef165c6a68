"""A gate file as the canary commands take it: read, checked, and refused with its line where anything is wrong.

Recorded counts are judged by one without a metric source.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from incident_ops.app.workspace import Workspace
from incident_ops.canary.config import GOOD_ERROR_RATE, Analysis, limited_by_policy, to_analysis
from incident_ops.canary.config_check import check_gate_file, check_source
from incident_ops.canary.length_check import check_counts, check_length
from incident_ops.canary.provider_check import kinds_named
from incident_ops.canary.replay import CanaryOutcome
from incident_ops.canary.trace import RunFacts
from incident_ops.domain.metric_kinds import METRIC_KINDS
from incident_ops.domain.policy import Policy
from incident_ops.errors import UserError
from incident_ops.findings import Finding
from incident_ops.records.gate_file import gate_findings, load_gate
from incident_ops.records.yaml_reader import MAX_BYTES, Document
from incident_ops.render.gate_draft import GATE_NAME
from incident_ops.rules.policy.not_used_yet import not_used_yet

GATES = "gates"
"""The folder of gate files."""


@dataclass(frozen=True)
class GateFile:
    """A gate file that is fine: its data, what they mean, and the digest of its bytes."""

    path: str
    document: Document
    analysis: Analysis
    digest: str


class CheckedGate(NamedTuple):
    """What was found in a gate file, and the kinds of provider it names (none where it cannot be read)."""

    findings: Sequence[Finding]
    kinds: tuple[str, ...]


def read_gate(path: str) -> GateFile:
    """The gate file. UserError naming the first fault where it cannot be used."""
    raw = _gate_bytes(path)
    document = load_gate(raw, path, check_gate_file)
    if isinstance(document, list):
        raise _refused(document)
    return GateFile(path, document, to_analysis(document.data), sha256(raw).hexdigest())


def gate_of_service(workspace: Workspace, path: str, service: str | None) -> GateFile:
    """The gate file as it judges a service: what its objective allows is the good rate where the file names none.

    UserError as `read_gate`, and where the objective cannot be read.
    """
    gate = read_gate(path)
    policy, services = workspace.judged_by
    own = services[service].slo if service and service in services else None
    if isinstance(own, str):
        from incident_ops.records.openslo import load_objective

        own = load_objective(workspace.store, own).target_pct
    target = policy.slo.target_pct if own is None else own
    rate = GOOD_ERROR_RATE if target is None else min(GOOD_ERROR_RATE, 1 - target / 100)
    return replace(gate, analysis=to_analysis(gate.document.data, rate))


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def gate_name(path: str | None) -> str:
    """What the gate of a new file is called: as the file. UserError for a name that no gate may have."""
    if path is None:
        return GATE_NAME
    stem = Path(path).name.removesuffix(".yaml")
    if not path.endswith(".yaml") or not _NAME.fullmatch(stem):
        raise UserError(f"--output {path!r} names no gate file", hint="e.g. gates/checkout.yaml")
    return stem


def write_gate(path: str, text: str) -> None:
    """Writes a new gate file. UserError where there is one already, or where it cannot be written."""
    try:
        with Path(path).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UserError("the file exists already", where=path, hint="remove it, or choose another name") from None
    except OSError as error:
        raise UserError(
            f"the gate file cannot be written: {error.strerror}", where=path, hint="check the path"
        ) from error


def demand_source(gate: GateFile, policy: Policy) -> None:
    """UserError where the data source that the gate names is not in the policy, or of another kind."""
    if findings := _source_findings(gate.document, policy):
        raise _refused(findings)


def gate_files(workspace: Workspace) -> list[str]:
    """Every gate file of the repository, as it is typed in the current folder."""
    return [Path(os.path.relpath(path)).as_posix() for path in sorted((workspace.root / GATES).glob("*.yaml"))]


def check_gates(workspace: Workspace, paths: Sequence[str]) -> dict[str, CheckedGate]:
    """Every file with its findings. UserError where one cannot be read, or the policy cannot be used."""
    checked = {}
    for path in paths:
        document = load_gate(_gate_bytes(path), path, check_gate_file)
        if isinstance(document, list):
            checked[path] = CheckedGate(document, ())
            continue
        kinds = kinds_named(document.data["spec"])
        asks = any(METRIC_KINDS[kind].is_asked for kind in kinds)
        findings = _source_findings(document, workspace.judged_by[0]) if asks else []
        advice = [
            *check_length(document.data, path),
            *check_counts(document.data, path),
            *not_used_yet("gate", document.data, path),
        ]
        placed = [finding.at(document.locate(finding.where)) for finding in advice]
        checked[path] = CheckedGate([*findings, *placed], kinds)
    return checked


def unproven_providers(checked: Mapping[str, CheckedGate]) -> Iterator[tuple[str, str]]:
    """(provider, what people have to know of it) for each in use that was never run against the real service."""
    for kind in sorted({kind for gate in checked.values() for kind in gate.kinds}):
        if note := METRIC_KINDS[kind].unproven:
            yield kind, note


def replay_recording(workspace: Workspace, csv: str, file: str) -> CanaryOutcome:
    """The outcome of a gate file over the counts of a CSV file. UserError where either cannot be used.

    The policy's limit holds where there is a policy: a recording is judged anywhere.
    """
    from incident_ops.adapters.metrics.file import Row, read_counts
    from incident_ops.canary.counters import to_counts
    from incident_ops.canary.replay import RecordedTick, replay_ticks

    def tick(row: Row) -> RecordedTick:
        errors, slow = (row.canary_errors, row.baseline_errors), (row.canary_slow, row.baseline_slow)
        sides = [
            None if found is None else to_counts(found, requests, side)
            for pair in (errors, slow)
            for found, requests, side in zip(
                pair, (row.canary_requests, row.baseline_requests), ("canary", "baseline"), strict=True
            )
        ]
        return RecordedTick(row.t, *sides)

    gate = read_gate(file)
    limited = limited_by_policy(gate.analysis, _policy_limit(workspace))
    outcome = replay_ticks(limited, [tick(row) for row in read_counts(csv)])
    return replace(outcome, facts=RunFacts(recording=csv))


def _policy_limit(workspace: Workspace) -> float | None:
    try:
        workspace.setting  # noqa: B018 - asked for nothing but whether there is a policy
    except UserError:
        return None
    return workspace.judged_by[0].gate.max_error_pct


def _gate_bytes(path: str) -> bytes:
    if not path:
        raise UserError("the name of the gate file is empty", hint="-f gates/NAME.yaml")
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"the gate file cannot be read: {error.strerror}", where=path, hint="check the path") from error


def _source_findings(document: Document, policy: Policy) -> list[Finding]:
    return gate_findings(document, lambda data, file: check_source(data, file, policy))


def _refused(findings: Sequence[Finding]) -> UserError:
    """The first finding as an error, and how many there are."""
    first = findings[0]
    more = f"; {len(findings) - 1} more: incident-ops canary validate shows all" if len(findings) > 1 else ""
    return UserError(first.message, where=str(first.where), hint=f"{first.hint}{more}")
