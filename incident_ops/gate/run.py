"""A run of a gate: what is known of all its metrics after each tick, and the verdict that this gives.

Pure: who drives it brings the seconds of the run and the answers. Only time that is measured counts, so a run that was
interrupted goes on where it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from incident_ops.gate.config import EXTEND, Analysis, Metric, ThresholdMetric
from incident_ops.gate.counters import Counts, Gap
from incident_ops.gate.joined import Joined, join, stand
from incident_ops.gate.steps import Stage, is_settling, next_horizon, stages
from incident_ops.gate.threshold import End
from incident_ops.gate.tick import Answer, Learnt, is_due, is_settled, is_silent, learn, postponed, unmeasured
from incident_ops.gate.verdict import INCONCLUSIVE, PASS

SPARE_TURNS = 10
"""Turns beyond those that fit into the horizon, before a clock that does not move ends the run."""


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a run knows: seconds measured, turns taken, the step it is in, when it is judged, and its metrics."""

    horizon: float
    metrics: dict[str, Learnt]
    at: float = 0.0
    turns: int = 0
    stage: int = 0


def begin_run(analysis: Analysis, lookbacks: Mapping[str, Sequence[Counts | Gap]]) -> Run:
    """The run before its first tick; `lookbacks` are the baseline's ticks before it, by metric."""
    known = {one.name: unmeasured(one, tuple(lookbacks.get(one.name, ()))) for one in analysis.metrics}
    return Run(analysis.horizon, known)


def stage_of(analysis: Analysis, run: Run) -> Stage:
    """The step that the run is in."""
    return stages(analysis)[run.stage]


def next_at(analysis: Analysis, run: Run) -> float:
    """The second of the run at which something is to be measured next, the horizon at the latest."""
    dues = [run.metrics[one.name].due for one in analysis.metrics if not is_settled(one, run.metrics[one.name])]
    return min([*dues, run.horizon])


def asked(analysis: Analysis, run: Run, at: float) -> list[Metric]:
    """The metrics to be measured at second `at`; at the horizon all that have not settled."""
    return [one for one in analysis.metrics if is_due(one, run.metrics[one.name], at, is_last=at >= run.horizon)]


def advance(analysis: Analysis, run: Run, at: float, answers: Mapping[str, Answer]) -> Run:
    """The run after the answers at second `at`. While a later step settles, nothing is learnt from them."""
    known, settling = dict(run.metrics), is_settling(analysis, stage_of(analysis, run), at)
    for metric in analysis.metrics:
        name = metric.name
        if name in answers:
            before = known[name]
            known[name] = postponed(metric, before, at) if settling else learn(metric, before, at, answers[name])
    return msgspec.structs.replace(run, metrics=known, at=max(at, run.at), turns=run.turns + 1)


def judged(analysis: Analysis, run: Run, end: End | None = None) -> Joined:
    """The verdict now; with `end`, the last one.

    A run whose clock stands still ends early after its turns are used up: an early end is never a success.
    """
    if end is None and run.at >= run.horizon:
        end = End.HORIZON
    if end is None and run.turns >= run.horizon / _shortest_interval(analysis) + SPARE_TURNS:
        end = End.EARLY
    standings = [stand(analysis, one, run.metrics[one.name], run.horizon, end) for one in analysis.metrics]
    return join(standings, end is not None)


def extended(analysis: Analysis, run: Run, joined: Joined) -> Run | None:
    """The run with a later horizon, where its end is inconclusive and more ticks can change that; else None."""
    if analysis.on_inconclusive != EXTEND or joined.verdict != INCONCLUSIVE or run.at < run.horizon:
        return None
    open_ended = join([stand(analysis, one, run.metrics[one.name], math.inf, None) for one in analysis.metrics], False)
    if any(one.is_final and one.verdict != PASS for one in open_ended.deciding):
        return None
    horizon = next_horizon(analysis, run.horizon)
    return None if horizon is None else msgspec.structs.replace(run, horizon=horizon)


def is_step_done(analysis: Analysis, run: Run) -> bool:
    """Whether the time of the run's step is used up."""
    return run.at >= stage_of(analysis, run).end


def is_blind(analysis: Analysis, run: Run) -> bool:
    """Whether a metric that decides had no data at the last tick: then more traffic has to wait for the next one."""
    return any(is_silent(run.metrics[one.name]) for one in analysis.metrics if not one.dry_run)


def next_step(analysis: Analysis, run: Run) -> Run | None:
    """The run in its next step; None after the last one, or where there is no data to go on with.

    A step is never left on silence: what cannot be seen is not given more traffic.
    """
    if run.stage + 1 >= len(stages(analysis)) or step_judged(analysis, run).lacks_data:
        return None
    return msgspec.structs.replace(run, stage=run.stage + 1)


def step_judged(analysis: Analysis, run: Run) -> Joined:
    """The verdict as if the run ended with the step it is in."""
    return judged(analysis, msgspec.structs.replace(run, horizon=stage_of(analysis, run).end))


def _shortest_interval(analysis: Analysis) -> float:
    others = [
        one.threshold.interval or analysis.interval for one in analysis.metrics if isinstance(one, ThresholdMetric)
    ]
    return min([analysis.interval, *others])
