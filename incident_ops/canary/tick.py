"""One tick of one metric: what its source answered, and what is known of the metric afterwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from incident_ops.canary.config import ErrorRate, Metric, ThresholdMetric
from incident_ops.canary.counters import Counts, Gap
from incident_ops.canary.evidence import Evidence, begin_evidence, observe_tick
from incident_ops.canary.threshold import (
    DATASOURCE_ERROR,
    Totals,
    add_measurement,
    assess,
    measure,
    next_in,
    unanswered,
)

NO_TOTALS = Totals()


class SideCounts(NamedTuple):
    """What both sides counted in the tick, or why there is nothing."""

    canary: Counts | Gap
    baseline: Counts | Gap


class QueryResult(NamedTuple):
    """The result of a threshold metric's query."""

    result: object


class NoAnswer(NamedTuple):
    """The source gave no answer that can be used; `text` says why, for people."""

    text: str


TickReading = SideCounts | QueryResult | NoAnswer


class MetricHistory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"problem": "told"}):
    """What is known of one metric: the evidence of an error rate, or the totals of a threshold metric.

    `due` is the second of the run at which it is measured next, `errors` how often in a row the source gave no answer,
    `problem` what was wrong with the last tick; state files call it `told`.
    """

    evidence: Evidence | None = None
    totals: Totals = NO_TOTALS
    due: float = 0.0
    errors: int = 0
    problem: str = ""


def begin_metric(metric: Metric, lookback: tuple[Counts | Gap, ...] = ()) -> MetricHistory:
    """What is known before the first tick; `lookback` are the baseline's ticks before the run."""
    if isinstance(metric, ErrorRate):
        return MetricHistory(evidence=begin_evidence(metric.settings, lookback), due=metric.settings.interval)
    return MetricHistory(due=metric.threshold.initial_delay)


def is_due(metric: Metric, history: MetricHistory, at: float, *, is_last: bool = False) -> bool:
    """Whether the metric is to be measured at second `at`; counts at the last one, too, so that none is left out.

    A threshold metric that has settled is never due.
    """
    is_late = is_last and isinstance(metric, ErrorRate)
    return (is_late or at >= history.due) and not is_metric_settled(metric, history)


def is_metric_settled(metric: Metric, history: MetricHistory) -> bool:
    """Whether further measurements change nothing."""
    return isinstance(metric, ThresholdMetric) and assess(metric.threshold, history.totals).is_final


def is_silent(history: MetricHistory) -> bool:
    """Whether the last tick brought no data."""
    evidence = history.evidence
    return history.totals.silent > 0 if evidence is None else evidence.last_data < evidence.at


def postponed(metric: Metric, history: MetricHistory, at: float) -> MetricHistory:
    """The same, measured next one interval after second `at`; error rates keep to the multiples of theirs."""
    if isinstance(metric, ErrorRate):
        interval = metric.settings.interval
        # 1e-9: seconds are floats, and a tick that is due now must not be asked for once more
        return msgspec.structs.replace(history, due=interval * (math.floor(at / interval + 1e-9) + 1))
    return msgspec.structs.replace(history, due=at + next_in(metric.threshold, history.totals))


def add_answer(metric: Metric, before: MetricHistory, at: float, answer: TickReading) -> MetricHistory:
    """What is known after an answer at second `at`. An answer that does not fit the metric counts as no answer."""
    if isinstance(metric, ErrorRate):
        return postponed(metric, _counted(metric, before, at, answer), at)
    return postponed(metric, _measured(metric, before, answer), at)


def _counted(metric: ErrorRate, before: MetricHistory, at: float, answer: TickReading) -> MetricHistory:
    if before.evidence is None:
        raise ValueError(f"{metric.name}: an error rate without evidence")
    if isinstance(answer, SideCounts):
        evidence = observe_tick(metric.settings, before.evidence, at, answer.canary, answer.baseline)
        asked = answer if metric.settings.max_ratio is not None else answer[:1]  # no baseline was asked for
        return MetricHistory(evidence=evidence, problem=_problem(asked))
    problem = answer.text if isinstance(answer, NoAnswer) else "a single value where counts were expected"
    gap = Gap(DATASOURCE_ERROR, problem)
    evidence = observe_tick(metric.settings, before.evidence, at, gap, gap)
    return MetricHistory(evidence=evidence, errors=before.errors + 1, problem=problem)


def _problem(sides: Sequence[Counts | Gap]) -> str:
    gaps = [side.text for side in sides if isinstance(side, Gap)]
    return gaps[0] if gaps else ""


def _measured(metric: ThresholdMetric, before: MetricHistory, answer: TickReading) -> MetricHistory:
    if isinstance(answer, QueryResult):
        measurement = measure(metric.threshold, answer.result)
    else:
        measurement = unanswered(answer.text if isinstance(answer, NoAnswer) else "counts where a value was expected")
    totals = add_measurement(before.totals, measurement)
    return MetricHistory(totals=totals, errors=totals.consecutive_error, problem=measurement.text)
