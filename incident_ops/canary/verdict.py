"""One metric after each tick, and the metrics of a run joined into one verdict.

A verdict is fail before error before inconclusive before pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from incident_ops.canary.config import ACCEPT, FULL, ON_INCONCLUSIVE_FAIL, Analysis, ErrorRate, Metric, ThresholdMetric
from incident_ops.canary.counters import NO_BASELINE, NO_CANARY_TRAFFIC, NO_NEW_SAMPLE, NO_SAMPLES, Counts, Gap
from incident_ops.canary.evidence import NO_COUNTS, Evidence, begin_evidence, observe_tick
from incident_ops.canary.judgement import ERROR_RATE, TOO_FEW_SAMPLES, Judgement, judge_evidence
from incident_ops.canary.leaning import LEANS_WORSE
from incident_ops.canary.needed import Needed, still_needed
from incident_ops.canary.observed import DOUBTFUL_COUNTS, Observed, blind_pass, doubts, observe_counts, paced
from incident_ops.canary.pass_test import BELOW_GOOD_RATE
from incident_ops.canary.slow_rate import SLOW_RATE, of_slow_requests
from incident_ops.canary.threshold import (
    DATASOURCE_ERROR,
    SOURCE_TIMEOUT,
    MeasurementPhase,
    RunEnd,
    Totals,
    add_measurement,
    assess,
    measure,
    next_in,
    unanswered,
)
from incident_ops.deploy_gate.verdict import EXIT, FAIL, INCONCLUSIVE, OK, OVERRIDDEN, PASS
from incident_ops.domain.time import spell_duration
from incident_ops.errors import UserError

NO_TOTALS = Totals()


class SideCounts(NamedTuple):
    """What both sides counted in the tick, or why there is nothing.

    `distance`: seconds between these samples and those of the last tick, 0 where that is not known. Whether each side
    has a series of errors at all: without one it has counted none.
    """

    canary: Counts | Gap
    baseline: Counts | Gap
    distance: float = 0.0
    canary_has_errors: bool = True
    baseline_has_errors: bool = True


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
    `problem` what was wrong with the last tick; state files call it `told`. `observed` is not evidence.
    """

    evidence: Evidence | None = None
    totals: Totals = NO_TOTALS
    due: float = 0.0
    errors: int = 0
    problem: str = ""
    observed: Observed = Observed()


def begin_metric(metric: Metric, lookback: tuple[Counts | Gap, ...] = (), spacing: float = 0.0) -> MetricHistory:
    """What is known before the first tick; `lookback` are the baseline's ticks before the run, and `spacing` the
    seconds between the source's samples, 0 where they are not known."""
    if isinstance(metric, ErrorRate):
        observed = Observed(planned=spacing)
        evidence = begin_evidence(paced(metric.settings, observed), lookback)
        return MetricHistory(evidence=evidence, due=metric.settings.interval, observed=observed)
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


def add_answer(metric: Metric, before: MetricHistory, at: float, answer: TickReading, weight: int = 0) -> MetricHistory:
    """What is known after an answer at second `at`, with `weight` percent of the traffic; 0: nobody says.

    An answer that does not fit the metric counts as no answer.
    """
    if isinstance(metric, ErrorRate):
        return postponed(metric, _counted(metric, before, at, answer, weight), at)
    return postponed(metric, _measured(metric, before, answer), at)


def _counted(metric: ErrorRate, before: MetricHistory, at: float, answer: TickReading, weight: int) -> MetricHistory:
    if before.evidence is None:
        raise ValueError(f"{metric.name}: an error rate without evidence")
    if isinstance(answer, SideCounts):
        settings = paced(metric.settings, before.observed)
        evidence = observe_tick(settings, before.evidence, at, answer.canary, answer.baseline)
        asked = [answer.canary, answer.baseline] if metric.settings.max_ratio is not None else [answer.canary]
        observed = before.observed
        if evidence.last_data == at and isinstance(answer.canary, Counts):
            has_errors = (answer.canary_has_errors, answer.baseline_has_errors)
            observed = observe_counts(observed, weight, answer.canary, answer.baseline, answer.distance, has_errors)
        problem = _problem(asked) if metric.slower_than is None else of_slow_requests(_problem(asked))
        return MetricHistory(evidence=evidence, problem=problem, observed=observed)
    problem = answer.text if isinstance(answer, NoAnswer) else "a single value where counts were expected"
    gap = Gap(DATASOURCE_ERROR, problem)
    evidence = observe_tick(metric.settings, before.evidence, at, gap, gap)
    return MetricHistory(evidence=evidence, errors=before.errors + 1, problem=problem, observed=before.observed)


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


INCONCLUSIVE_ACCEPTED = "inconclusive_accepted"
"""Reason code: a person lets an inconclusive result through."""
COMMAND_FAILED = "command_failed"
"""Reason code: a command of the caller could not be run, or failed."""

ERRORS_IN_ROW = 4
"""Errors of the source in a row that an error rate bears, as many as a threshold metric does by default."""

LACKING = (DATASOURCE_ERROR, NO_SAMPLES, NO_CANARY_TRAFFIC, NO_BASELINE, NO_NEW_SAMPLE)
"""Reasons why there is nothing to judge from; none of them is ever accepted."""

PROVIDER_EXIT = 4


@dataclass(frozen=True, slots=True)
class MetricStatus:
    """The status of one metric: `is_final` where further ticks change nothing, `text` why, for people.

    An error rate has a judgement and counts, and where it has no baseline the rate that alone is judged (`lone_limit`);
    a threshold metric has totals. `slower_than` where its errors are requests that took longer than so many seconds.
    `dry_run`: reported only. `needed` is what an error rate that did not pass needs
    still; None where that is unknown.
    """

    name: str
    verdict: str
    reason_code: str
    is_final: bool
    text: str = ""
    dry_run: bool = False
    judgement: Judgement | None = None
    canary: Counts = NO_COUNTS
    baseline: Counts = NO_COUNTS
    lone_limit: float | None = None
    totals: Totals | None = None
    needed: Needed | None = None
    slower_than: float | None = None

    @property
    def is_error(self) -> bool:
        """Whether its source gave no answers: worse than inconclusive, and exit code 4."""
        return self.verdict == INCONCLUSIVE and self.reason_code == DATASOURCE_ERROR

    @property
    def rank(self) -> int:
        """Its weight in the joined verdict, the gravest first."""
        return 1 if self.is_error else (FAIL, "", INCONCLUSIVE, PASS).index(self.verdict)


@dataclass(frozen=True, slots=True)
class JoinedVerdict:
    """The verdict over all metrics; `is_final` where the run may end, `is_whole` where all of its time was measured."""

    verdict: str
    reason_code: str
    is_final: bool
    metrics: tuple[MetricStatus, ...]
    is_whole: bool = False

    @property
    def deciding(self) -> tuple[MetricStatus, ...]:
        """The metrics that are not only reported."""
        return tuple(status for status in self.metrics if not status.dry_run)

    @property
    def lacks_data(self) -> bool:
        """Whether a deciding metric has nothing to judge from."""
        return any(status.reason_code in LACKING for status in self.deciding)

    @property
    def needed(self) -> Needed | None:
        """What the metric that needs most needs still; None where that is unknown."""
        return max((status.needed for status in self.deciding if status.needed), default=None)


def verdict_exit_code(verdict: str, reason_code: str) -> int:
    """What the process ends with; an error of the source or of a command is 4, whatever else it is called."""
    from_outside = reason_code in (DATASOURCE_ERROR, COMMAND_FAILED)
    return PROVIDER_EXIT if verdict == INCONCLUSIVE and from_outside else EXIT[verdict]


def looking_worse(status: MetricStatus) -> MetricStatus:
    """The status of a metric whose evidence leans against the canary although its step lasted as long as it may."""
    return replace(status, verdict=INCONCLUSIVE, reason_code=LEANS_WORSE, is_final=True)


def not_passed_yet(status: MetricStatus) -> MetricStatus:
    """The status of a metric at the end of a step before the last one: it may still fail."""
    if status.verdict != PASS:
        return status
    return replace(status, verdict=INCONCLUSIVE, reason_code=TOO_FEW_SAMPLES)


def metric_status(
    analysis: Analysis, metric: Metric, history: MetricHistory, horizon: float, end: RunEnd | None, look: int = 1
) -> MetricStatus:
    """The status of a metric in a run that is planned to last `horizon` seconds and ends now where `end` is given.

    `look` is the number of the look at a pass that is made at the horizon; 0: none is.
    """
    if isinstance(metric, ErrorRate):
        return _rate_status(analysis, metric, history, horizon, end, look)
    return _threshold_status(analysis, metric, history, horizon, end)


def join_metrics(statuses: Sequence[MetricStatus], is_over: bool) -> JoinedVerdict:
    """One verdict over all metrics. UserError where none decides: then nothing could ever fail."""
    deciding = [status for status in statuses if not status.dry_run]
    if not deciding:
        raise UserError("every metric is a dry run, so nothing decides", hint="take dryRun away from one of them")
    worst = min(deciding, key=lambda status: status.rank)
    stopped = any(status.is_final and status.verdict != PASS for status in deciding)
    is_final = is_over or stopped or all(status.is_final for status in deciding)
    reason = worst.reason_code
    if worst.verdict == PASS and any(status.reason_code == BELOW_GOOD_RATE for status in deciding):
        reason = BELOW_GOOD_RATE
    return JoinedVerdict(worst.verdict, reason, is_final, tuple(statuses))


def accepted(analysis: Analysis, joined: JoinedVerdict) -> JoinedVerdict:
    """What the gate file makes of the end: `onInconclusive`, and a `dryRun` of the whole gate.

    Only a result that was measured is ever let through, as `overridden`: too few samples in the whole of its time, or
    in a dry run a fail, or a canary that looks worse. What could not be measured stays as it is. `onInconclusive: fail`
    makes any inconclusive end a fail, but for an error.
    """
    if joined.verdict == PASS or joined.reason_code == DATASOURCE_ERROR:
        return joined
    is_shown = analysis.dry_run and joined.reason_code == LEANS_WORSE
    reasons = (TOO_FEW_SAMPLES, LEANS_WORSE) if analysis.dry_run else (TOO_FEW_SAMPLES,)
    measured = joined.verdict == FAIL or (
        (joined.is_whole or is_shown)
        and all(
            status.verdict == PASS or (status.reason_code in reasons and _has_answers(status))
            for status in joined.deciding
        )
    )
    if measured and not joined.lacks_data and (analysis.dry_run or _may_accept(analysis, joined)):
        return replace(joined, verdict=OVERRIDDEN, reason_code=INCONCLUSIVE_ACCEPTED)
    if joined.verdict == INCONCLUSIVE and analysis.on_inconclusive == ON_INCONCLUSIVE_FAIL:
        return replace(joined, verdict=FAIL)
    return joined


def _may_accept(analysis: Analysis, joined: JoinedVerdict) -> bool:
    return analysis.on_inconclusive == ACCEPT and joined.verdict == INCONCLUSIVE


def _has_answers(status: MetricStatus) -> bool:
    return status.canary.requests > 0 if status.totals is None else status.totals.count > 0


def _rate_status(
    analysis: Analysis, metric: ErrorRate, history: MetricHistory, horizon: float, end: RunEnd | None, look: int
) -> MetricStatus:
    if history.evidence is None:
        raise ValueError(f"{metric.name}: an error rate without evidence")
    evidence = history.evidence
    settings = paced(metric.settings, history.observed)
    seen = msgspec.structs.replace(evidence, has_error_series="canary" not in history.observed.blind)
    judgement, needed = judge_evidence(settings, seen, horizon, look), None
    verdict, reason, is_final, text = judgement.verdict, judgement.reason_code, judgement.is_final, history.problem
    sides = (evidence.canary, evidence.baseline)
    found = list(doubts(history.observed, judgement.ratio, judgement.interval.high, *sides))
    if verdict == PASS and any(doubt.decides for doubt in found):
        verdict, reason, is_final = INCONCLUSIVE, DOUBTFUL_COUNTS, evidence.at >= horizon
    if verdict == INCONCLUSIVE:
        if history.errors > ERRORS_IN_ROW:
            reason, is_final = DATASOURCE_ERROR, True
        elif end is RunEnd.EARLY and not is_final:
            lasted, planned = spell_duration(round(evidence.at)), spell_duration(round(horizon))
            reason, is_final, text = SOURCE_TIMEOUT, True, f"ended after {lasted} of {planned}"
        if is_final and analysis.no_data_fails and reason in LACKING[1:]:
            verdict = FAIL
        needed = still_needed(settings, seen, look + (evidence.at >= horizon))
    if is_final:
        blind = blind_pass(history.observed, evidence.canary) if verdict == PASS else ""
        said = [doubt.text for doubt in found] + [blind] * bool(blind)
        if metric.slower_than is not None:
            said = list(map(of_slow_requests, said))
        text = " ".join(filter(None, (text, *said)))
    limit = metric.settings.max_error_rate if metric.settings.max_ratio is None else None
    status = MetricStatus(
        metric.name, verdict, reason, is_final, text, metric.dry_run, judgement, *sides, lone_limit=limit, needed=needed
    )
    return status if metric.slower_than is None else _of_slow(status, judgement, metric.slower_than)


def _of_slow(status: MetricStatus, judgement: Judgement, slower_than: float) -> MetricStatus:
    """The status of an error rate whose errors are slow requests, in words about those."""
    passing = judgement.passing
    in_words = passing and msgspec.structs.replace(passing, lacks=of_slow_requests(passing.lacks))
    spoken = msgspec.structs.replace(judgement, passing=in_words)
    reason = SLOW_RATE if status.reason_code == ERROR_RATE else status.reason_code
    return replace(status, reason_code=reason, judgement=spoken, slower_than=slower_than)


def _threshold_status(
    analysis: Analysis, metric: ThresholdMetric, history: MetricHistory, horizon: float, end: RunEnd | None
) -> MetricStatus:
    limits = metric.threshold
    planned = 1
    if end is not None and limits.interval:
        planned = max(1, int((horizon - limits.initial_delay) / limits.interval) + 1)
    status = assess(limits, history.totals, end, planned)
    verdict = {MeasurementPhase.FAILED: FAIL, MeasurementPhase.SUCCESSFUL: PASS}.get(status.phase, INCONCLUSIVE)
    reason = OK if verdict == PASS else status.reason_code or TOO_FEW_SAMPLES
    later = _unmeasured(analysis, metric, history, horizon) if verdict == PASS else ""
    text = "; ".join(filter(None, (f"{status.text}{later}", history.problem)))
    return MetricStatus(metric.name, verdict, reason, status.is_final, text, metric.dry_run, totals=history.totals)


def _unmeasured(analysis: Analysis, metric: ThresholdMetric, history: MetricHistory, horizon: float) -> str:
    """Since when a metric that has settled is not measured, where a further step of the rollout runs without it."""
    last = history.due - next_in(metric.threshold, history.totals)
    partial = [step.seconds for step in analysis.steps if step.weight < FULL]
    if len(partial) < 2 or not is_metric_settled(metric, history) or last >= horizon - partial[-1]:
        return ""
    return f", and not measured after {spell_duration(round(last))}"
