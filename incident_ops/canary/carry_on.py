"""A run that ended inconclusive and that a person carries on, with the evidence that it has."""

from __future__ import annotations

import msgspec

from incident_ops.canary.config import Analysis, ErrorRate, Metric
from incident_ops.canary.evidence import carry_evidence
from incident_ops.canary.run import START_ANEW, Run, has_settled
from incident_ops.canary.verdict import MetricHistory
from incident_ops.domain.time import spell_duration
from incident_ops.errors import UserError


def carried_on(analysis: Analysis, run: Run, seconds: float) -> Run:
    """A run that ended inconclusive, for so many seconds more: its evidence is kept, its next end is another look.

    UserError where more ticks cannot change how it ended.
    """
    if run.at < run.horizon:
        lasted, planned = spell_duration(round(run.at)), spell_duration(round(run.horizon))
        raise UserError(f"the run ended after {lasted} of {planned}, before its time", hint=START_ANEW)
    metrics = {metric.name: _carried(metric, run.metrics[metric.name], seconds) for metric in analysis.metrics}
    longer = msgspec.structs.replace(run, horizon=run.at + seconds, look=run.look + 1, metrics=metrics)
    if has_settled(analysis, longer):
        raise UserError("a metric of the run has ended, and more ticks cannot change that", hint=START_ANEW)
    return longer


def _carried(metric: Metric, history: MetricHistory, seconds: float) -> MetricHistory:
    evidence = history.evidence
    if isinstance(metric, ErrorRate) and evidence is not None:
        evidence = carry_evidence(metric.settings, evidence, seconds)
    return msgspec.structs.replace(history, evidence=evidence, errors=0)
