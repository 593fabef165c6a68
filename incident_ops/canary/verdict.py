"""The metrics of a run joined into one verdict: fail before error before inconclusive before pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from incident_ops.canary.config import ACCEPT, ON_INCONCLUSIVE_FAIL, Analysis, ErrorRate, Metric, ThresholdMetric
from incident_ops.canary.counters import NO_BASELINE, NO_CANARY_TRAFFIC, NO_SAMPLES, Counts
from incident_ops.canary.evidence import NO_COUNTS
from incident_ops.canary.judgement import TOO_FEW_SAMPLES, Judgement, Needed, judge_evidence
from incident_ops.canary.threshold import DATASOURCE_ERROR, SOURCE_TIMEOUT, MeasurementPhase, RunEnd, Totals, assess
from incident_ops.canary.tick import MetricHistory
from incident_ops.deploy_gate.verdict import EXIT, FAIL, INCONCLUSIVE, OK, OVERRIDDEN, PASS
from incident_ops.domain.time import spell_duration
from incident_ops.errors import UserError

INCONCLUSIVE_ACCEPTED = "inconclusive_accepted"
"""Reason code: a person lets an inconclusive result through."""

ERRORS_IN_ROW = 4
"""Errors of the source in a row that an error rate bears, as many as a threshold metric does by default."""

LACKING = (DATASOURCE_ERROR, NO_SAMPLES, NO_CANARY_TRAFFIC, NO_BASELINE)
"""Reasons why there is nothing to judge from; none of them is ever accepted."""

PROVIDER_EXIT = 4


@dataclass(frozen=True, slots=True)
class MetricStatus:
    """Where one metric stands: `is_final` where further ticks change nothing, `text` why, for a person.

    An error rate has a judgement and counts, and where it has no baseline the rate that alone is judged (`lone_limit`);
    a threshold metric has totals. `dry_run`: reported only.
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
    """The verdict over all metrics; `is_final` where the run may end."""

    verdict: str
    reason_code: str
    is_final: bool
    metrics: tuple[MetricStatus, ...]

    @property
    def deciding(self) -> tuple[MetricStatus, ...]:
        """The metrics that are not only reported."""
        return tuple(one for one in self.metrics if not one.dry_run)

    @property
    def lacks_data(self) -> bool:
        """Whether a deciding metric has nothing to judge from."""
        return any(one.reason_code in LACKING for one in self.deciding)

    @property
    def needed(self) -> Needed | None:
        """What the metric that needs most needs still; None where that cannot be told."""
        found = [one.judgement.needed for one in self.deciding if one.judgement and one.judgement.needed]
        return max(found, default=None)


def verdict_exit_code(verdict: str, reason_code: str) -> int:
    """What the process ends with; an error of the source is 4, whatever else it is called."""
    return PROVIDER_EXIT if verdict == INCONCLUSIVE and reason_code == DATASOURCE_ERROR else EXIT[verdict]


def metric_status(
    analysis: Analysis, metric: Metric, learnt: MetricHistory, horizon: float, end: RunEnd | None
) -> MetricStatus:
    """Where a metric stands, in a run that is planned to last `horizon` seconds and ends now where `end` is given."""
    if isinstance(metric, ErrorRate):
        return _rate_stands(analysis, metric, learnt, horizon, end)
    return _threshold_stands(metric, learnt, horizon, end)


def join_metrics(standings: Sequence[MetricStatus], is_over: bool) -> JoinedVerdict:
    """One verdict. UserError where no metric decides: then nothing could ever fail."""
    deciding = [one for one in standings if not one.dry_run]
    if not deciding:
        raise UserError("every metric is a dry run, so nothing decides", hint="take dryRun away from one of them")
    worst = min(deciding, key=lambda one: one.rank)
    stopped = any(one.is_final and one.verdict != PASS for one in deciding)
    is_final = is_over or stopped or all(one.is_final for one in deciding)
    return JoinedVerdict(worst.verdict, worst.reason_code, is_final, tuple(standings))


def accepted(analysis: Analysis, joined: JoinedVerdict) -> JoinedVerdict:
    """What the gate file makes of the end: `onInconclusive`, and a `dryRun` of the whole gate.

    Only a result that was measured is ever let through, as `overridden`: too few samples, or in a dry run a fail. What
    could not be measured stays as it is. `onInconclusive: fail` makes any inconclusive end a fail, but for an error.
    """
    if joined.verdict == PASS or joined.reason_code == DATASOURCE_ERROR:
        return joined
    measured = joined.verdict == FAIL or all(
        one.verdict == PASS or (one.reason_code == TOO_FEW_SAMPLES and _has_answers(one)) for one in joined.deciding
    )
    if measured and not joined.lacks_data and (analysis.dry_run or _may_accept(analysis, joined)):
        return replace(joined, verdict=OVERRIDDEN, reason_code=INCONCLUSIVE_ACCEPTED)
    if joined.verdict == INCONCLUSIVE and analysis.on_inconclusive == ON_INCONCLUSIVE_FAIL:
        return replace(joined, verdict=FAIL)
    return joined


def _may_accept(analysis: Analysis, joined: JoinedVerdict) -> bool:
    return analysis.on_inconclusive == ACCEPT and joined.verdict == INCONCLUSIVE


def _has_answers(one: MetricStatus) -> bool:
    return one.canary.requests > 0 if one.totals is None else one.totals.count > 0


def _rate_stands(
    analysis: Analysis, metric: ErrorRate, learnt: MetricHistory, horizon: float, end: RunEnd | None
) -> MetricStatus:
    if learnt.evidence is None:
        raise ValueError(f"{metric.name}: an error rate without evidence")
    evidence = learnt.evidence
    found = judge_evidence(metric.settings, evidence, horizon)
    verdict, reason, is_final, text = found.verdict, found.reason_code, found.is_final, learnt.told
    if verdict == INCONCLUSIVE:
        if learnt.errors > ERRORS_IN_ROW:
            reason, is_final = DATASOURCE_ERROR, True
        elif end is RunEnd.EARLY and not is_final:
            lasted, planned = spell_duration(round(evidence.at)), spell_duration(round(horizon))
            reason, is_final, text = SOURCE_TIMEOUT, True, f"ended after {lasted} of {planned}"
        if is_final and analysis.no_data_fails and reason in LACKING[1:]:
            verdict = FAIL
    limit = metric.settings.max_error_rate if metric.settings.max_ratio is None else None
    sides = (evidence.canary, evidence.baseline)
    return MetricStatus(metric.name, verdict, reason, is_final, text, metric.dry_run, found, *sides, lone_limit=limit)


def _threshold_stands(
    metric: ThresholdMetric, learnt: MetricHistory, horizon: float, end: RunEnd | None
) -> MetricStatus:
    limits = metric.threshold
    planned = 1
    if end is not None and limits.interval:
        planned = max(1, int((horizon - limits.initial_delay) / limits.interval) + 1)
    status = assess(limits, learnt.totals, end, planned)
    verdict = {MeasurementPhase.FAILED: FAIL, MeasurementPhase.SUCCESSFUL: PASS}.get(status.phase, INCONCLUSIVE)
    reason = OK if verdict == PASS else status.reason_code or TOO_FEW_SAMPLES
    text = "; ".join(filter(None, (status.text, learnt.told)))
    return MetricStatus(metric.name, verdict, reason, status.is_final, text, metric.dry_run, totals=learnt.totals)
