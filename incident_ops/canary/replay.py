"""What a canary run, a replay or a freeze ends with: the verdict and everything that is shown of it.

A replay is a run over counts that were recorded: the same steps, evidence and verdict as live, without a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import msgspec

from incident_ops.canary.config import Analysis, ErrorRate
from incident_ops.canary.counters import NO_SAMPLES, Counts, Gap
from incident_ops.canary.needed import Needed
from incident_ops.canary.run import (
    Run,
    advance,
    begin_run,
    extended_run,
    is_step_done,
    judge_run,
    judge_step,
    next_step,
    stages,
)
from incident_ops.canary.threshold import RunEnd
from incident_ops.canary.trace import UNKNOWN_RUN, RunFacts, RunTrace
from incident_ops.canary.verdict import (
    JoinedVerdict,
    MetricStatus,
    SideCounts,
    TickReading,
    accepted,
    verdict_exit_code,
)
from incident_ops.deploy_gate.verdict import FAIL, PASS
from incident_ops.domain.sending import SentRecord
from incident_ops.errors import UserError

ROLLED_BACK, NOT_ROLLED_BACK = "done", "failed"
"""What became of a rollback that was run."""


@dataclass(frozen=True, slots=True)
class CanaryOutcome:
    """A verdict and its reason code. `seconds` is how long was measured, None where nothing was.

    `curves` are the e-values tick by tick of each error rate, `traces` all that was seen, the watch at full traffic
    last, `facts` what was rolled out; `next_weight` the share of the traffic that may be taken
    next, None where none may; `notes` lines for people; `is_dry` where the gate file only reports, `is_held` where the
    verdict is that of what holds deploys. `rollback` is ROLLED_BACK or NOT_ROLLED_BACK where one was run, `sent` what
    became of the incident's record where it was to be sent.
    """

    gate: str
    verdict: str
    reason_code: str
    metrics: tuple[MetricStatus, ...] = ()
    seconds: float | None = None
    needed: Needed | None = None
    incident_ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    next_weight: int | None = None
    is_dry: bool = False
    is_held: bool = False
    rollback: str = ""
    sent: SentRecord | None = None
    traces: tuple[RunTrace, ...] = ()
    facts: RunFacts = UNKNOWN_RUN

    @property
    def exit_code(self) -> int:
        """What the process ends with."""
        return verdict_exit_code(self.verdict, self.reason_code)


def outcome_of(
    gate: str, joined: JoinedVerdict, seconds: float, curves: Mapping[str, tuple[float, ...]]
) -> CanaryOutcome:
    """The outcome of a run whose metrics are joined; what has passed or failed needs nothing more."""
    needed = None if joined.verdict in (PASS, FAIL) else joined.needed
    return CanaryOutcome(gate, joined.verdict, joined.reason_code, joined.metrics, seconds, needed, curves=curves)


class RecordedTick(NamedTuple):
    """A tick that was recorded: the second of the run at which it ended, and both sides' counts, of errors and of slow
    requests; None where the recording has none of them."""

    t: float
    canary: Counts | Gap | None
    baseline: Counts | Gap | None
    slow_canary: Counts | Gap | None = None
    slow_baseline: Counts | Gap | None = None

    def sides(self, metric: ErrorRate) -> SideCounts:
        """What a metric counts."""
        is_slow = metric.slower_than is not None
        canary, baseline = (self.slow_canary, self.slow_baseline) if is_slow else (self.canary, self.baseline)
        return SideCounts(canary or _NOT_RECORDED, baseline or _NOT_RECORDED)


_NOT_RECORDED = Gap(NO_SAMPLES, "the recording has no such counts")


def replay_ticks(analysis: Analysis, lines: Sequence[RecordedTick]) -> CanaryOutcome:
    """The outcome of the gate over recorded ticks.

    Ticks up to second 0 are the baseline before the run; without any, phi comes from the run itself. Lines that end
    before the horizon are an early end, and so no pass. UserError where nothing could be judged by counts.
    """
    if not any(isinstance(metric, ErrorRate) for metric in analysis.metrics):
        hint = "a recording has counts only: add a metric of type errorRate"
        raise UserError(f"gate {analysis.name} has no metric that counts can answer", hint=hint)
    _demand_columns(analysis, lines)
    lines = _ended(lines)
    analysis = _paced(analysis, lines)
    rates = [metric for metric in analysis.metrics if isinstance(metric, ErrorRate)]
    before = {rate.name: [line.sides(rate).baseline for line in lines if line.t <= 0] for rate in rates}
    run = begin_run(analysis, before)
    trace = RunTrace()
    run, joined = _run(analysis, run, (line for line in lines if line.t > 0), trace)
    outcome = outcome_of(analysis.name, accepted(analysis, joined), run.at, trace.curves)
    return replace(outcome, is_dry=analysis.dry_run, traces=(trace,))


def _run(analysis: Analysis, run: Run, lines: Iterable[RecordedTick], trace: RunTrace) -> tuple[Run, JoinedVerdict]:
    for line in lines:
        answers: dict[str, TickReading] = {
            metric.name: line.sides(metric) for metric in analysis.metrics if isinstance(metric, ErrorRate)
        }
        before, run = run, advance(analysis, run, line.t, answers)
        run = msgspec.structs.replace(run, turns=0)  # what bounds them is for clocks that stand still
        joined = judge_run(analysis, run)
        trace.add(analysis, before, run, answers, joined)
        if joined.is_final:
            longer = extended_run(analysis, run, joined)
            if longer is None:
                return run, joined
            run = longer
        while is_step_done(analysis, run) and run.stage + 1 < len(stages(analysis)):
            following = next_step(analysis, run)
            if following is None:
                return run, judge_step(analysis, run)
            if following == run:
                break
            run = following
    return run, judge_run(analysis, run, RunEnd.EARLY)


def _demand_columns(analysis: Analysis, lines: Sequence[RecordedTick]) -> None:
    """UserError where a metric counts what was not recorded, or two of them what one column has."""
    rates = [metric for metric in analysis.metrics if isinstance(metric, ErrorRate)]
    for rate in rates if lines else ():
        is_slow = rate.slower_than is not None
        if (lines[0].slow_canary if is_slow else lines[0].canary) is None:
            what = "slow" if is_slow else "errors"
            problem = f"metric {rate.name} counts what the recording has not: canary_{what} and baseline_{what}"
            raise UserError(problem, hint=f"add these columns, or leave metric {rate.name} out of the gate file")
    if len({rate.slower_than for rate in rates} - {None}) > 1:
        hint = "replay them one by one, each from a gate file and a recording of its own"
        raise UserError(
            "two metrics have another slowerThan, and a recording has one column of slow requests", hint=hint
        )


def _ended(lines: Sequence[RecordedTick]) -> Sequence[RecordedTick]:
    """Lines by the end of their tick. Where one at second 0 has canary traffic, `t` is when a tick began."""
    if not any(line.t == 0 and isinstance(line.canary or line.slow_canary, Counts) for line in lines):
        return lines
    spacing = _spacing(lines)
    return [line._replace(t=line.t + spacing) for line in lines] if spacing else lines


def _spacing(lines: Sequence[RecordedTick]) -> float:
    steps = [after.t - before.t for before, after in pairwise(lines) if after.t > before.t]
    return median(steps) if steps else 0.0


def _paced(analysis: Analysis, lines: Sequence[RecordedTick]) -> Analysis:
    """The gate with the ticks of the recording, whatever interval it would use live."""
    spacing = _spacing(lines)
    if not spacing:
        return analysis
    metrics = tuple(
        replace(metric, settings=replace(metric.settings, interval=spacing))
        if isinstance(metric, ErrorRate)
        else metric
        for metric in analysis.metrics
    )
    return replace(analysis, interval=spacing, metrics=metrics)
