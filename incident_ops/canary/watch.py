"""What is judged at full traffic, after the rollout."""

from __future__ import annotations

from dataclasses import replace

from incident_ops.canary.config import DURATION, Analysis, ErrorRate
from incident_ops.canary.evidence_settings import EvidenceSettings
from incident_ops.errors import UserError

WATCH_LIMIT = 5.0
"""Percent of errors that full traffic may have where neither the gate file nor the policy says how many."""

WATCHED = " at full traffic"


def watch_analysis(analysis: Analysis, percent: float | None = None) -> Analysis:
    """What is judged after full rollout: no baseline is left, so only the absolute limit.

    That is a metric's own, else the policy's `percent` (`gate.after_rollout_pct`), else 5 %.

    A new process with its own alpha, for old evidence would only make it slower. UserError where the gate has no
    error rate to watch.
    """
    seconds = analysis.watch or DURATION
    warmup = min(analysis.warmup, seconds / 2)
    rates = [metric for metric in analysis.metrics if isinstance(metric, ErrorRate) and metric.is_watchable]
    if not rates:
        hint = "leave out --watch; a slowRate metric is watched where it has a maxSlowRate"
        raise UserError(f"gate {analysis.name} has no metric of type errorRate to watch at full traffic", hint=hint)
    watched = tuple(
        replace(rate, name=f"{rate.name}{WATCHED}", baseline=None, settings=_watched(rate.settings, warmup, percent))
        for rate in rates
    )
    return replace(analysis, horizon=seconds, warmup=warmup, steps=(), watch=0.0, metrics=watched, on_inconclusive=None)


def _watched(settings: EvidenceSettings, warmup: float, percent: float | None) -> EvidenceSettings:
    return replace(
        settings,
        max_ratio=None,
        min_error_rate=None,
        max_error_rate=settings.max_error_rate or (percent or WATCH_LIMIT) / 100,
        warmup=warmup,
        early_pass=False,
    )
