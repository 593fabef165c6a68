"""A run that ended inconclusive and that a person carries on, with the evidence that it has."""

from __future__ import annotations

import math

import msgspec

from incident_ops.canary.config import Analysis, ErrorRate, Metric
from incident_ops.canary.evidence import carry_evidence
from incident_ops.canary.pass_test import looks_left
from incident_ops.canary.run import START_ANEW, Run, has_settled
from incident_ops.canary.verdict import MetricHistory
from incident_ops.domain.time import spell_duration
from incident_ops.errors import UserError

_LONGEST = 6 * 3600.0
"""Seconds: no job runs for longer."""


def carried_on(analysis: Analysis, run: Run, seconds: float) -> Run:
    """A run that ended inconclusive, for so many seconds more: its evidence is kept, its next end is another look.

    UserError where more ticks cannot change how it ended.
    """
    if run.at < run.horizon:
        lasted, planned = spell_duration(round(run.at)), spell_duration(round(run.horizon))
        raise UserError(f"the run ended after {lasted} of {planned}, before its time", hint=START_ANEW)
    if not looks_left(run.look):
        problem = (
            f"the run was carried on {run.look - 1} times, and a further look would let bad canaries pass too often"
        )
        raise UserError(problem, hint=f"roll back, or {START_ANEW}")
    metrics = {metric.name: _carried(metric, run.metrics[metric.name], seconds) for metric in analysis.metrics}
    longer = msgspec.structs.replace(run, horizon=run.at + seconds, look=run.look + 1, metrics=metrics)
    if has_settled(analysis, longer):
        raise UserError("a metric of the run has ended, and more ticks cannot change that", hint=START_ANEW)
    return longer


def how_to_carry_on(analysis: Analysis, run: Run, needed: float | None) -> str:
    """How a person carries on an inconclusive run with a state file, for how long and how often; "" where that is not
    possible. `needed`: the seconds that a pass needs still, where that is known.
    """
    left = looks_left(run.look)
    if not left:
        return f"It was carried on as often as it may be: roll back, or {START_ANEW}."
    try:
        carried_on(analysis, run, 1.0)
    except UserError:
        return ""
    often = "once more" if left == 1 else f"{left} more times"
    length = spell_duration(math.ceil(needed / 60) * 60) if needed and needed <= _LONGEST else "10m"
    return (
        f"To go on with this evidence, leave the canary as it is and run the same again with --continue {length}."
        f" That can be done {often}."
    )


def _carried(metric: Metric, history: MetricHistory, seconds: float) -> MetricHistory:
    evidence = history.evidence
    if isinstance(metric, ErrorRate) and evidence is not None:
        evidence = carry_evidence(metric.settings, evidence, seconds)
    return msgspec.structs.replace(history, evidence=evidence, errors=0)
