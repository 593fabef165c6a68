"""Threshold metrics with Argo Rollouts' field names and counting, but for two of its rules.

Ended before it has settled, a metric is Inconclusive: Argo calls that Successful, so that a cancelled job promotes.
And NaN, an infinity, null or an empty answer counts as no data: it is never a success, whatever the condition says, and
it counts as a failure only where `on_no_data` or the failure condition says so. Only an infinity can be above a limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec

from incident_ops.canary.condition_value import NoData, is_true, why_no_data
from incident_ops.canary.condition_words import ConditionError
from incident_ops.canary.conditions import Condition
from incident_ops.canary.counters import NO_SAMPLES
from incident_ops.canary.judgement import ABSOLUTE_LIMIT, SILENT_TICKS, TOO_FEW_SAMPLES
from incident_ops.deploy_gate.verdict import OK
from incident_ops.errors import UserError

RETRY = 10.0
"""Seconds after which a measurement that ended in an error is repeated, whatever the interval."""

DATASOURCE_ERROR, SOURCE_TIMEOUT = "datasource_error", "timeout"
"""Reason codes: the source does not answer, and the end came too early."""

_SHOWN, _LONGEST = 5, 60


class MeasurementPhase(StrEnum):
    """The phase of a measurement or a metric; the words are Argo's, but for NO_DATA."""

    SUCCESSFUL = "Successful"
    RUNNING = "Running"
    PENDING = "Pending"
    NO_DATA = "NoData"
    INCONCLUSIVE = "Inconclusive"
    ERROR = "Error"
    FAILED = "Failed"


class RunEnd(StrEnum):
    """How a run ended: at its planned end, or before it."""

    HORIZON = "horizon"
    EARLY = "early"


@dataclass(frozen=True)
class Threshold:
    """What a threshold metric asks for: fields of a gate file, durations in seconds.

    `count` None: measured until the run ends; without an interval, once. `failure_limit` -1 allows every failure.
    """

    success: Condition | None = None
    failure: Condition | None = None
    failure_limit: int = 0
    inconclusive_limit: int = 0
    consecutive_error_limit: int = 4
    consecutive_success_limit: int = 0
    interval: float | None = None
    initial_delay: float = 0.0
    count: int | None = None
    no_data_fails: bool = False

    @property
    def effective_count(self) -> int | None:
        """Measurements that settle the metric; None: there is no such number."""
        return self.count or (None if self.interval else 1)


class Measurement(NamedTuple):
    """The result of one measurement, and why, for people."""

    phase: MeasurementPhase
    text: str = ""


class Totals(msgspec.Struct, frozen=True):
    """The sums of a metric's measurements so far; `count` leaves out errors and those without data.

    `last` is the phase of the last one, "" before the first; `silent` counts errors and no data in a row.
    """

    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    errors: int = 0
    no_data: int = 0
    count: int = 0
    consecutive_success: int = 0
    consecutive_error: int = 0
    silent: int = 0
    last: str = ""


class Status(NamedTuple):
    """The status of a metric: its phase, the reason code ("" while it runs), and why, for people."""

    phase: MeasurementPhase
    reason_code: str
    text: str

    @property
    def is_final(self) -> bool:
        """Whether further measurements change nothing."""
        return self.phase not in (MeasurementPhase.PENDING, MeasurementPhase.RUNNING)


def measure(metric: Threshold, result: object) -> Measurement:
    """One answer judged. Failure wins over success; neither is inconclusive; a condition that does not fit is an error.

    UserError for a metric without a condition.
    """
    if metric.success is None and metric.failure is None:
        hint = "add successCondition or failureCondition"
        raise UserError("a threshold metric without a condition would call everything a success", hint=hint)
    why = why_no_data(result)
    try:
        if metric.failure is not None and is_true(metric.failure, result, takes_infinity=True):
            return Measurement(MeasurementPhase.FAILED, f"{metric.failure.text}: {shown_result(result)}")
        if not why and (metric.success is None or is_true(metric.success, result)):
            return Measurement(MeasurementPhase.SUCCESSFUL)
    except NoData as error:
        why = why or str(error)
    except ConditionError as error:
        if not why:
            return Measurement(MeasurementPhase.ERROR, f"{error}: {shown_result(result)}")
    if why:
        return Measurement(
            MeasurementPhase.FAILED if metric.no_data_fails else MeasurementPhase.NO_DATA, f"no data: {why}"
        )
    if metric.failure is None and metric.success is not None:
        return Measurement(MeasurementPhase.FAILED, f"not {metric.success.text}: {shown_result(result)}")
    both = {condition.text for condition in (metric.success, metric.failure) if condition is not None}
    said = both.pop() if len(both) == 1 and metric.success else "neither condition is true"  # one: a command's
    return Measurement(MeasurementPhase.INCONCLUSIVE, f"{said}: {shown_result(result)}")


def unanswered(reason: str) -> Measurement:
    """A measurement that the source gave no answer to."""
    return Measurement(MeasurementPhase.ERROR, reason)


def add_measurement(totals: Totals, measurement: Measurement) -> Totals:
    """The totals with one more measurement."""
    phase = measurement.phase
    is_answer = phase not in (MeasurementPhase.ERROR, MeasurementPhase.NO_DATA)
    return Totals(
        successful=totals.successful + (phase is MeasurementPhase.SUCCESSFUL),
        failed=totals.failed + (phase is MeasurementPhase.FAILED),
        inconclusive=totals.inconclusive + (phase is MeasurementPhase.INCONCLUSIVE),
        errors=totals.errors + (phase is MeasurementPhase.ERROR),
        no_data=totals.no_data + (phase is MeasurementPhase.NO_DATA),
        count=totals.count + is_answer,
        consecutive_success=totals.consecutive_success + 1 if phase is MeasurementPhase.SUCCESSFUL else 0,
        consecutive_error=totals.consecutive_error + 1 if phase is MeasurementPhase.ERROR else 0,
        silent=0 if is_answer else totals.silent + 1,
        last=phase.value,
    )


def assess(metric: Threshold, totals: Totals, end: RunEnd | None = None, planned: int = 1) -> Status:
    """The status of the metric; with `end`, its last one. Failed before Error before Inconclusive before Successful.

    At the horizon a metric without a count of its own settles where at least half of the `planned` measurements gave an
    answer, the last ones among them. Any other end that it has not reached by itself is Inconclusive, never Successful.
    """
    if totals.last == MeasurementPhase.RUNNING:
        status = Status(MeasurementPhase.RUNNING, "", "a measurement is under way")
    elif not totals.last:
        status = Status(MeasurementPhase.PENDING, "", "not measured yet")
    else:
        status = _exceeded(metric, totals) or _settled(metric, totals, metric.effective_count)
    if end is None or status.is_final:
        return status
    if end is RunEnd.HORIZON and metric.effective_count is None and totals.last != MeasurementPhase.RUNNING:
        answered = totals.count > 0 and 2 * totals.count >= planned and totals.silent < SILENT_TICKS
        if answered:
            return _settled(metric, totals, totals.count)
    return _unsettled(metric, totals, end, planned)


def next_in(metric: Threshold, totals: Totals) -> float:
    """Seconds until the next measurement: the initial delay, 10 s after an error, else the interval."""
    if not totals.last:
        return metric.initial_delay
    return RETRY if totals.last == MeasurementPhase.ERROR else metric.interval or RETRY


def _exceeded(metric: Threshold, totals: Totals) -> Status | None:
    """Argo's three limits, in its order. Each allows what it says: a failureLimit of 1 fails with the second."""
    errors, inconclusive, failed = totals.consecutive_error, totals.inconclusive, totals.failed
    if errors > metric.consecutive_error_limit:
        text = f"consecutiveErrors ({errors}) > consecutiveErrorLimit ({metric.consecutive_error_limit})"
        return Status(MeasurementPhase.ERROR, DATASOURCE_ERROR, text)
    if inconclusive > metric.inconclusive_limit:
        text = f"inconclusive ({inconclusive}) > inconclusiveLimit ({metric.inconclusive_limit})"
        return Status(MeasurementPhase.INCONCLUSIVE, TOO_FEW_SAMPLES, text)
    if failed > metric.failure_limit >= 0:
        return Status(
            MeasurementPhase.FAILED, ABSOLUTE_LIMIT, f"failed ({failed}) > failureLimit ({metric.failure_limit})"
        )
    return None


def _settled(metric: Threshold, totals: Totals, wanted: int | None) -> Status:
    """The status by successes in a row and by the number of measurements."""
    streak, needed = totals.consecutive_success, metric.consecutive_success_limit
    if needed and streak >= needed:
        return Status(MeasurementPhase.SUCCESSFUL, OK, f"{streak} successes in a row")
    if wanted is None or totals.count < wanted:
        return Status(MeasurementPhase.RUNNING, "", f"{totals.count} measured, {totals.failed} failed")
    text = f"{totals.count} measured, never {needed} successes in a row"
    if needed and metric.failure_limit >= 0:
        return Status(MeasurementPhase.INCONCLUSIVE, TOO_FEW_SAMPLES, text)
    if needed:
        return Status(MeasurementPhase.FAILED, ABSOLUTE_LIMIT, text)
    return Status(MeasurementPhase.SUCCESSFUL, OK, f"{totals.count} measured, {totals.failed} failed")


def _unsettled(metric: Threshold, totals: Totals, end: RunEnd, planned: int) -> Status:
    """The end of a metric that has not settled: Inconclusive, for the reason that weighs most."""
    wanted = metric.effective_count or planned
    text = f"ended with {totals.count} of {wanted} measurements"
    reason = SOURCE_TIMEOUT if end is RunEnd.EARLY else TOO_FEW_SAMPLES
    if end is RunEnd.HORIZON and (totals.errors or totals.no_data):
        reason = DATASOURCE_ERROR if totals.errors > totals.no_data else NO_SAMPLES
        text += f"; {totals.errors} errors, {totals.no_data} without data"
    return Status(MeasurementPhase.INCONCLUSIVE, reason, text)


def shown_result(result: object) -> str:
    """A result as it may stand in a verdict: numbers to 6 digits, at most five of a list, text cut and on one line."""
    if isinstance(result, float):
        return f"{result:.6g}"
    if isinstance(result, list | tuple):
        more = f", ... {len(result)} in all" if len(result) > _SHOWN else ""
        return f"[{', '.join(shown_result(one) for one in result[:_SHOWN])}{more}]"
    if isinstance(result, Mapping):
        return f"a mapping with {len(result)} keys"
    return repr(result)[:_LONGEST]
