"""What a run saw, tick by tick, for the picture of it. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from incident_ops.canary.config import Analysis, ErrorRate, Metric
from incident_ops.canary.counters import NO_SAMPLES, Counts
from incident_ops.canary.run import Run, Stage, stage_of, stages, warm_from
from incident_ops.canary.threshold import DATASOURCE_ERROR, MeasurementPhase
from incident_ops.canary.verdict import (
    JoinedVerdict,
    MetricHistory,
    MetricStatus,
    NoAnswer,
    QueryResult,
    SideCounts,
    TickReading,
)

COUNTED, WARMING_UP, WITHOUT_DATA = "counted", "warm-up", "no data"
"""What became of a tick."""


class RunFacts(NamedTuple):
    """What was rolled out where, by whom and when; "" where nobody says. `recording` is the file of a replay."""

    service: str = ""
    environment: str = ""
    sha: str = ""
    by: str = ""
    started_at: str = ""
    recording: str = ""


UNKNOWN_RUN = RunFacts()


class MetricTick(NamedTuple):
    """One metric at second `at` of the run.

    `state` is one of the three above, `reason` the reason code of a tick without data, `text` what was wrong or found.
    The sides are what was counted since the tick before, None where that is unknown. A threshold metric has a `phase`,
    and a `value` where its answer is one number.
    """

    at: float
    state: str
    reason: str = ""
    text: str = ""
    canary: Counts | None = None
    baseline: Counts | None = None
    e_value: float | None = None
    phase: str = ""
    value: float | None = None


class StepSpan(NamedTuple):
    """A step as it was taken, in seconds of the run: it counts from `counts_from` on, was planned to end at `planned`,
    and lasted until `end`. `weight` 0: the gate file names no steps."""

    weight: int
    begin: float
    counts_from: float
    planned: float
    end: float


@dataclass
class RunTrace:
    """The ticks of each metric, the steps, and the looks at a pass that led on, from second `begin` of the run.

    A run that goes on from a state file begins later than 0; `earlier` is what each metric had counted until then.
    """

    analysis: Analysis | None = None
    begin: float = 0.0
    at: float = 0.0
    horizon: float = 0.0
    ticks: dict[str, list[MetricTick]] = field(default_factory=dict)
    spans: dict[int, StepSpan] = field(default_factory=dict)
    looks: list[float] = field(default_factory=list)
    earlier: dict[str, tuple[Counts, Counts]] = field(default_factory=dict)
    _look: int = 0

    def add(
        self, analysis: Analysis, before: Run, after: Run, answers: Mapping[str, TickReading], joined: JoinedVerdict
    ) -> None:
        """One tick: the run before and after it, the answers that it brought, and the verdict then."""
        if self.analysis is None:
            self._start(analysis, before)
        elif before.look > self._look:
            self.looks.append(self.at)
        self._look, self.at, self.horizon = before.look, after.at, after.horizon
        self._keep_span(analysis, before)
        statuses = {status.name: status for status in joined.metrics}
        for metric in analysis.metrics:
            if metric.name in answers:
                histories = (before.metrics[metric.name], after.metrics[metric.name])
                tick = _tick(metric, *histories, answers[metric.name], after.at, statuses[metric.name])
                self.ticks[metric.name].append(tick)

    def _start(self, analysis: Analysis, run: Run) -> None:
        self.analysis, self.begin = analysis, run.at
        self.ticks = {metric.name: [] for metric in analysis.metrics}
        for name, history in run.metrics.items():
            if run.at and history.evidence is not None:
                self.earlier[name] = (history.evidence.canary, history.evidence.baseline)

    def _keep_span(self, analysis: Analysis, run: Run) -> None:
        stage = stage_of(analysis, run)
        is_last = stage.number + 1 == len(stages(analysis))
        end = run.horizon if is_last else stage.end
        planned = end - run.held
        self.spans[stage.number] = StepSpan(stage.weight, stage.begin, _counts_from(analysis, stage), planned, end)

    @property
    def curves(self) -> Mapping[str, tuple[float, ...]]:
        """The e-values of each error rate, tick by tick."""
        found = {
            name: tuple(tick.e_value for tick in ticks if tick.e_value is not None)
            for name, ticks in self.ticks.items()
        }
        return {name: values for name, values in found.items() if values}


def _counts_from(analysis: Analysis, stage: Stage) -> float:
    return min(analysis.warmup, stage.end) if stage.number == 0 else warm_from(analysis, stage)


def _tick(
    metric: Metric, before: MetricHistory, after: MetricHistory, answer: TickReading, at: float, status: MetricStatus
) -> MetricTick:
    if not isinstance(metric, ErrorRate):
        return _measurement_tick(before, after, answer, at)
    was, now = before.evidence, after.evidence
    state, reason = WARMING_UP, ""
    if was is not None and now is not None:
        grown = [code for code, count in now.gaps.items() if count > was.gaps.get(code, 0)]
        if now.ticks > was.ticks:
            state = COUNTED
        elif grown:
            state, reason = WITHOUT_DATA, grown[0]
    canary = answer.canary if isinstance(answer, SideCounts) and isinstance(answer.canary, Counts) else None
    baseline = answer.baseline if isinstance(answer, SideCounts) and isinstance(answer.baseline, Counts) else None
    text = "" if state == WARMING_UP else after.problem
    e_value = status.judgement.e_value if status.judgement else None
    return MetricTick(at, state, reason, text, canary, baseline, e_value)


def _measurement_tick(before: MetricHistory, after: MetricHistory, answer: TickReading, at: float) -> MetricTick:
    value = _number_of(answer.result) if isinstance(answer, QueryResult) else None
    if after.totals == before.totals:
        return MetricTick(at, WARMING_UP, value=value)
    phase, text = after.totals.last, after.problem
    reason = DATASOURCE_ERROR if isinstance(answer, NoAnswer) or phase == MeasurementPhase.ERROR else ""
    if phase == MeasurementPhase.NO_DATA:
        reason = NO_SAMPLES
    return MetricTick(at, WITHOUT_DATA if reason else COUNTED, reason, text, phase=phase, value=value)


def _number_of(result: object) -> float | None:
    if isinstance(result, list | tuple) and len(result) == 1:
        result = result[0]
    if isinstance(result, bool) or not isinstance(result, int | float):
        return None
    return float(result) if abs(result) <= _LARGEST else None


_LARGEST = 1e300
