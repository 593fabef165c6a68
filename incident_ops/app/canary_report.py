"""A canary's verdict where GitHub shows it: a deployment's status, a workflow step's outputs and summary."""

from __future__ import annotations

import os

from incident_ops.adapters.environment import add_to_summary, set_outputs, summary_size
from incident_ops.app.workspace import Workspace, remote_of
from incident_ops.canary.replay import CanaryOutcome
from incident_ops.deploy_gate.verdict import FAIL, FROZEN, INCONCLUSIVE, OVERRIDDEN, PASS
from incident_ops.errors import IncidentOpsError
from incident_ops.render.canary import canary_summary, to_outputs

DEPLOYMENT_STATES = {
    PASS: "success",
    FAIL: "failure",
    INCONCLUSIVE: "error",
    FROZEN: "error",
    OVERRIDDEN: "in_progress",
}
"""Only a pass is a success: a commit that has one is exempt from the gate later."""


def update_deployment(workspace: Workspace, number: int, outcome: CanaryOutcome) -> str | None:
    """Sets the status of deployment `number` -> why GitHub refused it, else None; the verdict stays what it is."""
    from incident_ops.adapters.github.deployments import Deployments

    is_unfinished = outcome.next_weight is not None or (outcome.is_dry and outcome.verdict != PASS)
    state = "in_progress" if is_unfinished else DEPLOYMENT_STATES[outcome.verdict]
    remote = remote_of(workspace.git)
    try:
        deployments = Deployments.of(os.environ, remote.url if remote else None)
        deployments.tell(number, state, f"canary {outcome.gate}: {outcome.verdict} ({outcome.reason_code})")
    except IncidentOpsError as error:
        return str(error)
    return None


def write_outputs(verdict: str, reason_code: str) -> None:
    """Outputs of a workflow's step where there is no outcome; the last ones count. Nothing outside GitHub Actions."""
    set_outputs({"verdict": verdict, "reason-code": reason_code})


def report_to_workflow(outcome: CanaryOutcome) -> bool:
    """The outputs and the summary of a workflow's step; False where there is no summary to write."""
    set_outputs(to_outputs(outcome))
    if summary_size() is None:
        return False
    add_to_summary(canary_summary(outcome))
    return True
