"""A run over counts that were recorded: the same steps, evidence and verdict as live, without a clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from incident_ops.errors import UserError
from incident_ops.gate.config import Analysis, ErrorRate
from incident_ops.gate.counters import Counts, Gap
from incident_ops.gate.joined import Joined, accepted
from incident_ops.gate.outcome import Curves, Outcome, outcome_of
from incident_ops.gate.run import (
    Run,
    advance,
    begin_run,
    extended,
    is_blind,
    is_step_done,
    judged,
    next_step,
    step_judged,
)
from incident_ops.gate.steps import stages
from incident_ops.gate.threshold import End
from incident_ops.gate.tick import Answer, Sides


class Line(NamedTuple):
    """A tick that was recorded: the second of the run at which it ended, and both sides' counts."""

    t: float
    canary: Counts | Gap
    baseline: Counts | Gap


def replay(analysis: Analysis, lines: Sequence[Line]) -> Outcome:
    """The outcome of the gate over recorded ticks.

    Ticks up to second 0 are the baseline before the run; without any, phi comes from the run itself. Lines that end
    before the horizon are an early end, and so no pass. UserError where nothing could be judged by counts.
    """
    if not any(isinstance(one, ErrorRate) for one in analysis.metrics):
        hint = "a recording has counts only: add a metric of type errorRate"
        raise UserError(f"gate {analysis.name} has no metric that counts can answer", hint=hint)
    lines = _ended(lines)
    analysis = _paced(analysis, lines)
    before = [line.baseline for line in lines if line.t <= 0]
    run = begin_run(analysis, {one.name: before for one in analysis.metrics})
    curves = Curves()
    run, joined = _run(analysis, run, (line for line in lines if line.t > 0), curves)
    outcome = outcome_of(analysis.name, accepted(analysis, joined), run.at, curves.whole)
    return replace(outcome, is_dry=analysis.dry_run)


def _run(analysis: Analysis, run: Run, lines: Iterable[Line], curves: Curves) -> tuple[Run, Joined]:
    for line in lines:
        answer: Answer = Sides(line.canary, line.baseline)
        run = advance(
            analysis, run, line.t, {one.name: answer for one in analysis.metrics if isinstance(one, ErrorRate)}
        )
        joined = judged(analysis, run)
        curves.add(joined)
        if joined.is_final:
            longer = extended(analysis, run, joined)
            if longer is None:
                return run, joined
            run = longer
        while is_step_done(analysis, run) and run.stage + 1 < len(stages(analysis)):
            following = next_step(analysis, run)
            if following is None:
                return run, step_judged(analysis, run)
            if is_blind(analysis, run):
                break
            run = following
    return run, judged(analysis, run, End.EARLY)


def _ended(lines: Sequence[Line]) -> Sequence[Line]:
    """Lines by the end of their tick. Where one at second 0 has canary traffic, `t` told when a tick began."""
    if not any(line.t == 0 and isinstance(line.canary, Counts) for line in lines):
        return lines
    spacing = _spacing(lines)
    return [line._replace(t=line.t + spacing) for line in lines] if spacing else lines


def _spacing(lines: Sequence[Line]) -> float:
    steps = [after.t - before.t for before, after in pairwise(lines) if after.t > before.t]
    return median(steps) if steps else 0.0


def _paced(analysis: Analysis, lines: Sequence[Line]) -> Analysis:
    """The gate with the ticks of the recording, whatever interval it would use live."""
    spacing = _spacing(lines)
    if not spacing:
        return analysis
    shortest = min(after.t - before.t for before, after in pairwise(lines) if after.t > before.t)
    metrics = tuple(
        replace(one, settings=replace(one.settings, interval=spacing)) if isinstance(one, ErrorRate) else one
        for one in analysis.metrics
    )
    return replace(analysis, interval=min(shortest, spacing), metrics=metrics)
