"""What a canary leaves on the page of a workflow's run."""

from __future__ import annotations

from incident_ops.canary.replay import NOT_ROLLED_BACK, ROLLED_BACK, CanaryOutcome
from incident_ops.deploy_gate.verdict import FAIL
from incident_ops.render.canary import canary_headline
from incident_ops.render.findings import command


def annotation(outcome: CanaryOutcome) -> str:
    """One workflow command that shows the verdict on the run's page; "" for a pass."""
    if not outcome.exit_code:
        return ""
    title = _FAILED[outcome.rollback] if outcome.verdict == FAIL else f"Canary {outcome.verdict}"
    sent = outcome.sent
    left = f"; incident {sent.incident} was not sent: {sent.problem}" if sent and sent.problem else ""
    return command("error", {"title": title}, f"{canary_headline(outcome)}{left}") + "\n"


_FAILED = {
    "": "Canary failed",
    ROLLED_BACK: "Canary failed and was rolled back",
    NOT_ROLLED_BACK: "Canary and rollback failed",
}
