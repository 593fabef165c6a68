"""The verdict as a status of the deployment on GitHub, for whoever looks there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from incident_ops.cli.remotes import remote_of
from incident_ops.errors import IncidentOpsError
from incident_ops.gate.verdict import FAIL, FROZEN, INCONCLUSIVE, OVERRIDDEN, PASS
from incident_ops.render.findings import inert

if TYPE_CHECKING:
    from incident_ops.cli.opening import Opened
    from incident_ops.gate.outcome import Outcome

STATES = {PASS: "success", FAIL: "failure", INCONCLUSIVE: "error", FROZEN: "error", OVERRIDDEN: "in_progress"}
"""Only a pass is a success: a commit that has one is exempt from the gate later."""


def tell_deployment(opened: Opened, number: int, outcome: Outcome) -> None:
    """Sets the status of deployment `number`. Where GitHub refuses it is told; the verdict stays what it is."""
    from incident_ops.adapters.github.deployments import Deployments

    going_on = outcome.next_weight is not None or (outcome.is_dry and outcome.verdict != PASS)
    state = "in_progress" if going_on else STATES[outcome.verdict]
    remote = remote_of(opened.git)
    try:
        deployments = Deployments.of(os.environ, remote.url if remote else None)
        deployments.tell(number, state, f"canary {outcome.gate}: {outcome.verdict} ({outcome.reason_code})")
    except IncidentOpsError as error:
        click.echo(inert(f"warning: deployment {number} was not told of it: {error}"), err=True)
