"""Waiting until a service may be deployed, for pipelines that may wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from incident_ops.adapters.environment import Ticking
from incident_ops.app.gate_check import GateRequest, check_gate
from incident_ops.app.workspace import Workspace, at_present
from incident_ops.deploy_gate.verdict import Verdict

SECONDS_APART = 30.0
"""Seconds between two questions."""

ShowHeld = Callable[[Verdict, datetime], None]
"""Shown the verdict that is waited out, and until when, whenever it is another one."""


def wait_for_gate(
    workspace: Workspace, request: GateRequest, seconds: int, ticking: Ticking, show: ShowHeld
) -> Verdict:
    """Asks until the service may be deployed, for so many seconds at most -> the last verdict.

    What cannot be reached is asked again, too. UserError where the question cannot be asked.
    """
    until, seen = ticking.now() + timedelta(seconds=seconds), None
    while True:
        now = ticking.now()
        verdict = check_gate(at_present(workspace, now), request)
        left = (until - now).total_seconds()
        if not verdict.exit_code or left <= 0:
            return verdict
        named = [(hold.reason_code, hold.id) for hold in verdict.holds]  # their begin may be this very moment
        said = (verdict.verdict, verdict.reason_code, named)
        if said != seen:
            show(verdict, until)
            seen = said
        ticking.wait(min(SECONDS_APART, left))
