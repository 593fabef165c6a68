"""A canary that failed, as an incident: declared with the verdict's table as the first entries of its timeline.

The verdict as a status of the deployment on GitHub, for whoever looks there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial

import click

from incident_ops.app.declare import declare_record
from incident_ops.app.edit_record import edit_record, who
from incident_ops.app.workspace import Workspace, remote_of
from incident_ops.canary.replay import CanaryOutcome
from incident_ops.deploy_gate.verdict import FAIL, FROZEN, INCONCLUSIVE, OVERRIDDEN, PASS
from incident_ops.domain.incident import Incident
from incident_ops.domain.triage import triage_answers
from incident_ops.edits.communicate import TimelineEntry, add_entry
from incident_ops.edits.declare import NO_ANSWERS, Declaration
from incident_ops.edits.step import Step
from incident_ops.errors import IncidentOpsError, UserError
from incident_ops.render.canary import canary_headline, progress
from incident_ops.render.findings import inert


def demand_answers(opened: Workspace, service: str | None, severity: str | None, weight: int) -> None:
    """UserError where a failed canary could not be declared: better told before the rollout than after it."""
    policy, services = opened.judged_by
    if service is None:
        raise UserError("--declare needs the service that is hurt", hint="--service NAME")
    if service not in services:
        from incident_ops.findings import did_you_mean

        raise UserError(f"service {service!r} is not in services.yaml", hint=did_you_mean(service, services))
    if opened.store.revision:
        raise UserError("an old revision cannot be changed", hint="leave out --rev")
    if severity is not None and severity not in policy.labels:
        raise UserError(f"--severity {severity!r} is not in the policy", hint=", ".join(policy.labels))
    if severity is None and not weight:
        raise UserError("how bad is a failed canary? The gate names no steps", hint="--severity LABEL")


def declare_failed(
    opened: Workspace, outcome: CanaryOutcome, service: str, facts: Mapping[str, str], severity: str | None
) -> str:
    """Declares the incident -> its id. Without a label the share of the traffic answers the triage question."""
    weight = float(facts.get("INCIDENT_OPS_WEIGHT") or 0)
    by_priority = opened.judged_by[0].drives == "priority"
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
    by = who(opened, None)
    incident_id = declare_record(opened, declaration, by).record.incident.id
    rows = [canary_headline(outcome), *(f"{one.verdict}: {progress(one)}" for one in outcome.metrics)]
    sha = facts.get("INCIDENT_OPS_SHA") or None
    for row in rows:
        entry = TimelineEntry(event=row, kind="detection", ref=sha)
        edit_record(opened, incident_id, partial(_add, opened, by, entry))
    return incident_id


def _add(opened: Workspace, by: str | None, entry: TimelineEntry, incident: Incident) -> Step:
    return add_entry(incident, opened.now, by, entry)


DEPLOYMENT_STATES = {
    PASS: "success",
    FAIL: "failure",
    INCONCLUSIVE: "error",
    FROZEN: "error",
    OVERRIDDEN: "in_progress",
}
"""Only a pass is a success: a commit that has one is exempt from the gate later."""


def tell_deployment(opened: Workspace, number: int, outcome: CanaryOutcome) -> None:
    """Sets the status of deployment `number`. Where GitHub refuses it is told; the verdict stays what it is."""
    from incident_ops.adapters.github.deployments import Deployments

    going_on = outcome.next_weight is not None or (outcome.is_dry and outcome.verdict != PASS)
    state = "in_progress" if going_on else DEPLOYMENT_STATES[outcome.verdict]
    remote = remote_of(opened.git)
    try:
        deployments = Deployments.of(os.environ, remote.url if remote else None)
        deployments.tell(number, state, f"canary {outcome.gate}: {outcome.verdict} ({outcome.reason_code})")
    except IncidentOpsError as error:
        click.echo(inert(f"warning: deployment {number} was not told of it: {error}"), err=True)
