"""The steps of a rollout: 10 -> 50 -> 100 percent, with one process of evidence over all of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import NamedTuple

from incident_ops.errors import UserError
from incident_ops.gate.config import DURATION, EXTEND, FULL, Analysis, ErrorRate
from incident_ops.gate.evidence_settings import Settings

WATCH_LIMIT = 0.05
"""The error rate that full traffic may have where a metric names no maxErrorRate (R241)."""

WATCHED = " at full traffic"


class Stage(NamedTuple):
    """A step with its place in the run: `begin` and `end` in seconds of the run; weight 0 = the file names no steps."""

    number: int
    weight: int
    begin: float
    end: float


def stages(analysis: Analysis) -> tuple[Stage, ...]:
    """The steps below full traffic; one without a weight where there are none."""
    partial = [one for one in analysis.steps if one.weight < FULL]
    if not partial:
        return (Stage(0, 0, 0.0, analysis.horizon),)
    ends = list(accumulate(one.seconds for one in partial))
    return tuple(Stage(n, one.weight, ends[n] - one.seconds, ends[n]) for n, one in enumerate(partial))


def is_settling(analysis: Analysis, stage: Stage, at: float) -> bool:
    """Whether the new traffic of a later step is still warming up; the first step's warm-up is the evidence's own.

    At most half of a step is left out.
    """
    if stage.number == 0:
        return False
    return at - stage.begin <= min(analysis.warmup, (stage.end - stage.begin) / 2)


def next_horizon(analysis: Analysis, horizon: float) -> float | None:
    """When an inconclusive run is looked at again with `onInconclusive: {extend: {max: ...}}`; None: it ends here.

    It goes on for as long as it was planned, again and again until `max` is used up. Few looks keep a pass honest
    where errors come in clumps.
    """
    if analysis.on_inconclusive != EXTEND:
        return None
    longest = analysis.horizon + analysis.extend_by
    return min(horizon + analysis.horizon, longest) if horizon < longest else None


def goes_full(analysis: Analysis) -> bool:
    """Whether the last step takes all traffic."""
    return any(one.weight == FULL for one in analysis.steps)


def watch_of(analysis: Analysis) -> Analysis:
    """What is judged after full rollout: no baseline is left, so only the absolute limit (R241).

    A new process with its own alpha, for old evidence would only make it slower. UserError where the gate has no
    error rate to watch.
    """
    seconds = analysis.watch or DURATION
    warmup = min(analysis.warmup, seconds / 2)
    rates = [one for one in analysis.metrics if isinstance(one, ErrorRate)]
    if not rates:
        raise UserError(
            f"gate {analysis.name} has no metric of type errorRate to watch at full traffic", hint="leave out --watch"
        )
    watched = tuple(
        replace(one, name=f"{one.name}{WATCHED}", baseline=None, settings=_limited(one.settings, warmup))
        for one in rates
    )
    return replace(analysis, horizon=seconds, warmup=warmup, steps=(), watch=0.0, metrics=watched, on_inconclusive=None)


def _limited(settings: Settings, warmup: float) -> Settings:
    return replace(
        settings,
        max_ratio=None,
        min_error_rate=None,
        max_error_rate=settings.max_error_rate or WATCH_LIMIT,
        warmup=warmup,
        early_pass=False,
    )
