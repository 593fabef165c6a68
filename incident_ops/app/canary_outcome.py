"""A canary that failed, as an incident: declared with the verdict's table as the first entries of its timeline."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from contextlib import redirect_stdout
from functools import partial

import click

from incident_ops.app.edit_record import perform_edit, who
from incident_ops.app.workspace import Opened
from incident_ops.canary.replay import CanaryOutcome
from incident_ops.cli.declare import declare
from incident_ops.domain.incident import Incident
from incident_ops.edits.communicate import TimelineEntry, add_entry
from incident_ops.edits.step import Step
from incident_ops.errors import UserError
from incident_ops.render.canary import canary_headline, progress


def demand_answers(opened: Opened, service: str | None, severity: str | None, weight: int) -> None:
    """UserError where a failed canary could not be declared: better known before the rollout than after it."""
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
    opened: Opened,
    outcome: CanaryOutcome,
    service: str,
    facts: Mapping[str, str],
    severity: str | None,
) -> str:
    """Declares the incident -> its id. Without a label the share of the traffic answers the triage question."""
    policy = opened.judged_by[0]
    weight = float(facts.get("INCIDENT_OPS_WEIGHT") or 0)
    title = f"Canary of {service} failed"
    given = {policy.drives: severity} if severity else {"users_percent": weight}
    sha = facts.get("INCIDENT_OPS_SHA") or None
    told = io.StringIO()
    said = {"words": (title,), "services": (service,), "source": "alert", "detail": outcome.gate}
    with redirect_stdout(told):
        click.get_current_context().invoke(declare, **said, **given, description=canary_headline(outcome), form="json")
        incident_id = str(json.loads(told.getvalue())["incident"])
        rows = [canary_headline(outcome), *(f"{one.verdict}: {progress(one)}" for one in outcome.metrics)]
        by = who(opened, None)
        for row in rows:
            perform_edit(
                opened,
                incident_id,
                "json",
                partial(_add, opened, by, TimelineEntry(event=row, kind="detection", ref=sha)),
            )
    return incident_id


def _add(opened: Opened, by: str | None, entry: TimelineEntry, incident: Incident) -> Step:
    return add_entry(incident, opened.now, by, entry)
