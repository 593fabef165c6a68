"""A run that ended inconclusive and that a person carries on, with the evidence that it has."""

from __future__ import annotations

import math

import msgspec

from incident_ops.canary.config import Analysis, ErrorRate, Metric
from incident_ops.canary.evidence import carry_evidence
from incident_ops.canary.pass_test import looks_left
from incident_ops.canary.run import START_ANEW, Run, has_settled, is_step_done
from incident_ops.canary.verdict import MetricHistory
from incident_ops.domain.time import spell_duration
from incident_ops.errors import UserError

_LONGEST = 6 * 3600.0
"""Seconds: no job runs for longer."""


def carried_on(analysis: Analysis, run: Run, seconds: float) -> Run:
    """A run that ended inconclusive, for so many seconds more: its evidence is kept, its next end is another look.

    One that ended before its time goes on to its own end, which nobody has looked at yet; a step that was held as long
    as it may be lasts so much longer. UserError where more ticks cannot change how it ended.
    """
    had_its_time = run.at >= run.horizon
    if had_its_time and not looks_left(run.look):
        problem = (
            f"the run was carried on {run.look - 1} times, and a further look would let bad canaries pass too often"
        )
        raise UserError(problem, hint=f"roll back, or {START_ANEW}")
    metrics = {metric.name: _carried(metric, run.metrics[metric.name], seconds) for metric in analysis.metrics}
    longer = msgspec.structs.replace(run, metrics=metrics)
    if had_its_time:
        longer = msgspec.structs.replace(longer, horizon=run.at + seconds, look=run.look + 1)
    elif is_step_done(analysis, run):
        longer = msgspec.structs.replace(longer, horizon=run.horizon + seconds, held=run.held + seconds)
    else:
        longer = msgspec.structs.replace(longer, horizon=max(run.horizon, run.at + seconds))
    if has_settled(analysis, longer):
        raise UserError("a metric of the run has ended, and more ticks cannot change that", hint=START_ANEW)
    return longer


def how_to_carry_on(analysis: Analysis, run: Run, needed: float | None) -> str:
    """How a person carries on an inconclusive run with a state file, for how long and how often; "" where that is not
    possible. `needed`: the seconds that a pass needs still, where that is known.
    """
    left, had_its_time = looks_left(run.look), run.at >= run.horizon
    if had_its_time and not left:
        return f"It was carried on as often as it may be: roll back, or {START_ANEW}."
    try:
        carried_on(analysis, run, 1.0)
    except UserError:
        return ""
    length = spell_duration(math.ceil(needed / 60) * 60) if needed and needed <= _LONGEST else "10m"
    way = f"To continue with this evidence, leave the canary as it is and run it again with --continue {length}."
    if not had_its_time:
        return way
    return f"{way} That can be done {'once more' if left == 1 else f'{left} more times'}."


def _carried(metric: Metric, history: MetricHistory, seconds: float) -> MetricHistory:
    evidence = history.evidence
    if isinstance(metric, ErrorRate) and evidence is not None:
        evidence = carry_evidence(metric.settings, evidence, seconds)
    totals = msgspec.structs.replace(history.totals, consecutive_error=0)
    return msgspec.structs.replace(history, evidence=evidence, totals=totals, errors=0)
