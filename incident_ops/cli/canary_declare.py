"""A canary that failed, as an incident: declared with the verdict's table as the first entries of its timeline."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from contextlib import redirect_stdout
from functools import partial

import click

from incident_ops.cli.declare import declare
from incident_ops.cli.editing import perform, who
from incident_ops.cli.opening import Opened
from incident_ops.doors.step import Step
from incident_ops.doors.timeline import Entry, timeline
from incident_ops.errors import UserError
from incident_ops.gate.outcome import Outcome
from incident_ops.model.incident import Incident
from incident_ops.render.canary import headline, progress


def demand_answers(opened: Opened, service: str | None, severity: str | None, weight: int) -> None:
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
    ctx: click.Context, opened: Opened, outcome: Outcome, service: str, facts: Mapping[str, str], severity: str | None
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
        ctx.invoke(declare, **said, **given, description=headline(outcome), form="json")
        incident_id = str(json.loads(told.getvalue())["incident"])
        rows = [headline(outcome), *(f"{one.verdict}: {progress(one)}" for one in outcome.metrics)]
        by = who(opened, None)
        for row in rows:
            perform(opened, incident_id, "json", partial(_add, opened, by, Entry(event=row, kind="detection", ref=sha)))
    return incident_id


def _add(opened: Opened, by: str | None, entry: Entry, incident: Incident) -> Step:
    return timeline(incident, opened.now, by, entry)
