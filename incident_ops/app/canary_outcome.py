"""A canary that failed, as an incident: declared with the verdict's table as the first entries of its timeline."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from incident_ops.app.declare import declare_record
from incident_ops.app.edit_record import edit_record, who
from incident_ops.app.workspace import Workspace, demand_work_tree
from incident_ops.canary.replay import CanaryOutcome
from incident_ops.domain.incident import Incident
from incident_ops.domain.triage import triage_answers
from incident_ops.edits.communicate import TimelineEntry, add_entry
from incident_ops.edits.declare import NO_ANSWERS, Declaration
from incident_ops.edits.step import Step
from incident_ops.errors import UserError
from incident_ops.render.canary import canary_headline, progress


def demand_answers(workspace: Workspace, service: str | None, severity: str | None, weight: int) -> None:
    """UserError where a failed canary could not be declared: better known before the rollout than after it."""
    policy, services = workspace.judged_by
    if service is None:
        raise UserError("--declare needs the service that is hurt", hint="--service NAME")
    if service not in services:
        from incident_ops.findings import did_you_mean

        raise UserError(f"service {service!r} is not in services.yaml", hint=did_you_mean(service, services))
    demand_work_tree(workspace)
    if severity is not None and severity not in policy.labels:
        raise UserError(f"--severity {severity!r} is not in the policy", hint=", ".join(policy.labels))
    if severity is None and not weight:
        raise UserError("how bad is a failed canary? The gate names no steps", hint="--severity LABEL")


def declare_failed(
    workspace: Workspace, outcome: CanaryOutcome, service: str, facts: Mapping[str, str], severity: str | None
) -> str:
    """Declares the incident -> its id. Without a label the share of the traffic answers the triage question."""
    weight = float(facts.get("INCIDENT_OPS_WEIGHT") or 0)
    by_priority = workspace.judged_by[0].drives == "priority"
    declaration = Declaration(
        title=f"Canary of {service} failed",
        services=(service,),
        severity=None if by_priority else severity,
        priority=severity if by_priority else None,
        description=canary_headline(outcome),
        source="alert",
        detail=outcome.gate,
        answers=NO_ANSWERS if severity else triage_answers({"users_percent": weight}),
    )
    by = who(workspace, None)
    incident_id = declare_record(workspace, declaration, by).record.incident.id
    rows = [canary_headline(outcome), *(f"{status.verdict}: {progress(status)}" for status in outcome.metrics)]
    sha = facts.get("INCIDENT_OPS_SHA") or None
    for row in rows:
        entry = TimelineEntry(event=row, kind="detection", ref=sha)
        edit_record(workspace, incident_id, partial(_add, workspace, by, entry))
    return incident_id


def _add(workspace: Workspace, by: str | None, entry: TimelineEntry, incident: Incident) -> Step:
    return add_entry(incident, workspace.now, by, entry)
