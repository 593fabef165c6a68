"""Threshold metrics count as Argo Rollouts does, and never take an early end or missing data for a success."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.canary.conditions import parse_condition
from incident_ops.canary.threshold import (
    RETRY,
    Measurement,
    MeasurementPhase,
    RunEnd,
    Status,
    Threshold,
    Totals,
    add_measurement,
    assess,
    measure,
    next_in,
    unanswered,
)
from incident_ops.errors import UserError

GOOD, BAD = parse_condition("result < 0.5"), parse_condition("result > 0.9")
S, F, I, E, N = (  # noqa: E741
    MeasurementPhase.SUCCESSFUL,
    MeasurementPhase.FAILED,
    MeasurementPhase.INCONCLUSIVE,
    MeasurementPhase.ERROR,
    MeasurementPhase.NO_DATA,
)
NO_DATA = [None, math.nan, math.inf, -math.inf, [], [0.1, math.nan], [math.inf], {}, ""]


def totals(phases: Iterable[MeasurementPhase]) -> Totals:
    found = Totals()
    for phase in phases:
        found = add_measurement(found, Measurement(phase))
    return found


def standing(phases: Iterable[MeasurementPhase], end: RunEnd | None = None, planned: int = 1, **words: Any) -> Status:
    return assess(Threshold(GOOD, **{"interval": 60.0, **words}), totals(phases), end, planned)


@pytest.mark.parametrize(
    ("success", "failure", "result", "expected"),
    [
        (GOOD, None, 0.1, S),
        (GOOD, None, 0.7, F),
        (None, BAD, 0.7, S),
        (None, BAD, 0.95, F),
        (GOOD, BAD, 0.1, S),
        (GOOD, BAD, 0.7, I),
        (GOOD, BAD, 0.95, F),
        (parse_condition("result < 2"), BAD, 0.95, F),
        (GOOD, None, [0.1, 0.2], E),
        (GOOD, None, "0.1", E),
        (GOOD, None, {"a": 1}, E),
    ],
)
def test_one_measurement_is_judged_as_argo_does(
    success: Any, failure: Any, result: Any, expected: MeasurementPhase
) -> None:
    """Failure wins over success; neither is inconclusive; a result that does not fit is an error."""
    assert measure(Threshold(success, failure), result).phase is expected


@pytest.mark.parametrize("result", NO_DATA, ids=repr)
@pytest.mark.parametrize(
    "condition",
    [
        "result < 0.5",
        "result > 0.5",
        "isNaN(result) or result < 0.5",
        "len(result) == 0 or result[0] < 0.5",
        "default(result, 0) < 1",
        "not (result > 1)",
        "result == nil or result < 1",
    ],
)
def test_no_data_is_never_a_success(condition: str, result: Any) -> None:
    """Not even where the condition asks for just that; Argo would promote. An infinity is above every limit."""
    is_above = result == math.inf or result == [math.inf]
    for failure in (None, BAD):
        assert measure(Threshold(parse_condition(condition), failure), result).phase is (
            F if failure and is_above else N
        )
        assert measure(Threshold(parse_condition(condition), failure, no_data_fails=True), result).phase is F
    assert measure(Threshold(None, BAD), result).phase is (F if is_above else N)


def test_a_failure_condition_may_call_no_data_a_failure() -> None:
    """That is strict, so it is taken."""
    assert measure(Threshold(GOOD, parse_condition("isNaN(result) or result > 1")), math.nan).phase is F
    assert measure(Threshold(None, parse_condition("len(result) == 0")), []).phase is F


def test_a_metric_without_a_condition_is_refused() -> None:
    """Argo calls every measurement of such a one Successful."""
    with pytest.raises(UserError, match="without a condition"):
        measure(Threshold(), 1)


def test_what_was_found_is_told_shortly() -> None:
    """The verdict shows the condition and the value, however large the result is."""
    assert measure(Threshold(GOOD), 0.75).text == "not result < 0.5: 0.75"
    long = measure(Threshold(parse_condition("all(result, # < 1)")), [2.0] * 50).text
    assert "50 in all" in long
    assert len(long) < 100
    assert "\n" not in measure(Threshold(GOOD), "a\nb" * 100).text


@pytest.mark.parametrize(
    ("phases", "words", "expected"),
    [
        ([], {}, MeasurementPhase.PENDING),
        ([S], {}, MeasurementPhase.RUNNING),
        ([S], {"interval": None}, S),
        ([F], {"failure_limit": 1}, MeasurementPhase.RUNNING),
        ([F, F], {"failure_limit": 1}, F),
        ([F] * 50, {"failure_limit": -1, "consecutive_success_limit": 2}, MeasurementPhase.RUNNING),
        ([I], {}, I),
        ([I, I], {"inconclusive_limit": 2}, MeasurementPhase.RUNNING),
        ([E] * 4, {}, MeasurementPhase.RUNNING),
        ([E] * 5, {}, E),
        ([E, E, S, E, E, E, E], {}, MeasurementPhase.RUNNING),
        ([E, E, E, E, N, E], {}, MeasurementPhase.RUNNING),
        ([S, E, S, E, S], {"count": 3}, S),
        ([S, E, S, E], {"count": 3}, MeasurementPhase.RUNNING),
        ([S, N, S], {"count": 3}, MeasurementPhase.RUNNING),
        ([S, S], {"consecutive_success_limit": 2}, S),
        ([S, F, S], {"consecutive_success_limit": 2, "failure_limit": 3}, MeasurementPhase.RUNNING),
        ([S, N, S], {"consecutive_success_limit": 2}, MeasurementPhase.RUNNING),
        ([S, F, S, F], {"consecutive_success_limit": 2, "failure_limit": 3, "count": 4}, I),
        ([S, F, S, F], {"consecutive_success_limit": 2, "failure_limit": -1, "count": 4}, F),
        ([S, F, S], {"failure_limit": 1, "count": 3}, S),
    ],
)
def test_limits_and_counts_are_argos(
    phases: list[MeasurementPhase], words: dict[str, Any], expected: MeasurementPhase
) -> None:
    """A limit bears what it says; errors and missing data do not count; a success in between ends a row of errors."""
    assert standing(phases, **words).phase is expected


ENDINGS = [p for length in range(4) for p in itertools.product((S, F, I, E, N), repeat=length)]


@pytest.mark.parametrize("words", [{}, {"count": 9}, {"consecutive_success_limit": 5}, {"failure_limit": 9}], ids=str)
def test_an_early_end_is_never_success(words: dict[str, Any]) -> None:
    """Whatever was measured before a job was cancelled: a metric that had not settled has not passed."""
    for phases in ENDINGS:
        found = standing(phases, RunEnd.EARLY, **words)
        assert found.is_final
        assert found.phase is not S, phases
        assert found.reason_code


@pytest.mark.parametrize(
    ("phases", "words", "expected"),
    [
        ([S] * 10, {}, (S, "ok")),
        ([S] * 5, {}, (S, "ok")),
        ([S] * 4, {}, (I, "too_few_samples")),
        ([], {}, (I, "too_few_samples")),
        ([N] * 10, {}, (I, "no_data")),
        ([S] * 7 + [N] * 3, {}, (I, "no_data")),
        ([S] * 7 + [N] * 2, {}, (S, "ok")),
        ([S] * 7 + [E] * 3, {}, (I, "datasource_error")),
        ([S] * 4 + [N] * 6, {}, (I, "no_data")),
        ([S] * 9, {"count": 10}, (I, "too_few_samples")),
        ([S] * 5 + [F] + [S] * 4, {}, (F, "absolute_limit")),
        ([S, F] * 5, {"failure_limit": 9, "consecutive_success_limit": 2}, (I, "too_few_samples")),
    ],
)
def test_at_the_horizon_half_must_be_measured_and_the_end_heard(
    phases: list[MeasurementPhase], words: dict[str, Any], expected: tuple[MeasurementPhase, str]
) -> None:
    """Of ten planned measurements five must have an answer, and one of the last three; else it is inconclusive."""
    assert standing(phases, RunEnd.HORIZON, 10, **words)[:2] == expected


def test_an_error_is_retried_after_ten_seconds() -> None:
    """Whatever the interval; the first measurement waits for the initial delay."""
    metric = Threshold(GOOD, interval=300.0, initial_delay=60.0)
    assert next_in(metric, Totals()) == 60
    assert next_in(metric, totals([S])) == 300
    assert next_in(metric, totals([N])) == 300
    assert next_in(metric, add_measurement(Totals(), unanswered("no answer"))) == RETRY == 10


@given(st.lists(st.sampled_from([S, F, I, E, N]), max_size=40))
def test_totals_go_on_after_a_restart(phases: list[MeasurementPhase]) -> None:
    """They are kept as JSON and come back the same; every measurement is in one count."""
    found = totals(phases)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Totals) == found
    assert found.count + found.errors + found.no_data == len(phases)
    assert found.successful + found.failed + found.inconclusive == found.count
