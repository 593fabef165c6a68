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

from incident_ops.errors import UserError
from incident_ops.gate.expression import parse
from incident_ops.gate.threshold import (
    RETRY,
    End,
    Measurement,
    Phase,
    Status,
    Threshold,
    Totals,
    add,
    assess,
    measure,
    next_in,
    unanswered,
)

GOOD, BAD = parse("result < 0.5"), parse("result > 0.9")
S, F, I, E, N = Phase.SUCCESSFUL, Phase.FAILED, Phase.INCONCLUSIVE, Phase.ERROR, Phase.NO_DATA  # noqa: E741
NO_DATA = [None, math.nan, math.inf, -math.inf, [], [0.1, math.nan], [math.inf], {}, ""]


def totals(phases: Iterable[Phase]) -> Totals:
    found = Totals()
    for phase in phases:
        found = add(found, Measurement(phase))
    return found


def standing(phases: Iterable[Phase], end: End | None = None, planned: int = 1, **words: Any) -> Status:
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
        (parse("result < 2"), BAD, 0.95, F),
        (GOOD, None, [0.1, 0.2], E),
        (GOOD, None, "0.1", E),
        (GOOD, None, {"a": 1}, E),
    ],
)
def test_one_measurement_is_judged_as_argo_does(success: Any, failure: Any, result: Any, expected: Phase) -> None:
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
    """Not even where the condition asks for just that; Argo would promote."""
    for failure in (None, BAD):
        assert measure(Threshold(parse(condition), failure), result).phase is N
        assert measure(Threshold(parse(condition), failure, no_data_fails=True), result).phase is F
    assert measure(Threshold(None, BAD), result).phase is N


def test_a_failure_condition_may_call_no_data_a_failure() -> None:
    """That is strict, so it is taken."""
    assert measure(Threshold(GOOD, parse("isNaN(result) or result > 1")), math.nan).phase is F
    assert measure(Threshold(None, parse("len(result) == 0")), []).phase is F


def test_a_metric_without_a_condition_is_refused() -> None:
    """Argo calls every measurement of such a one Successful."""
    with pytest.raises(UserError, match="without a condition"):
        measure(Threshold(), 1)


def test_what_was_found_is_told_shortly() -> None:
    """The verdict shows the condition and the value, however large the result is."""
    assert measure(Threshold(GOOD), 0.75).text == "not result < 0.5: 0.75"
    long = measure(Threshold(parse("all(result, # < 1)")), [2.0] * 50).text
    assert "50 in all" in long
    assert len(long) < 100
    assert "\n" not in measure(Threshold(GOOD), "a\nb" * 100).text


@pytest.mark.parametrize(
    ("phases", "words", "expected"),
    [
        ([], {}, Phase.PENDING),
        ([S], {}, Phase.RUNNING),
        ([S], {"interval": None}, S),
        ([F], {"failure_limit": 1}, Phase.RUNNING),
        ([F, F], {"failure_limit": 1}, F),
        ([F] * 50, {"failure_limit": -1, "consecutive_success_limit": 2}, Phase.RUNNING),
        ([I], {}, I),
        ([I, I], {"inconclusive_limit": 2}, Phase.RUNNING),
        ([E] * 4, {}, Phase.RUNNING),
        ([E] * 5, {}, E),
        ([E, E, S, E, E, E, E], {}, Phase.RUNNING),
        ([E, E, E, E, N, E], {}, Phase.RUNNING),
        ([S, E, S, E, S], {"count": 3}, S),
        ([S, E, S, E], {"count": 3}, Phase.RUNNING),
        ([S, N, S], {"count": 3}, Phase.RUNNING),
        ([S, S], {"consecutive_success_limit": 2}, S),
        ([S, F, S], {"consecutive_success_limit": 2, "failure_limit": 3}, Phase.RUNNING),
        ([S, N, S], {"consecutive_success_limit": 2}, Phase.RUNNING),
        ([S, F, S, F], {"consecutive_success_limit": 2, "failure_limit": 3, "count": 4}, I),
        ([S, F, S, F], {"consecutive_success_limit": 2, "failure_limit": -1, "count": 4}, F),
        ([S, F, S], {"failure_limit": 1, "count": 3}, S),
    ],
)
def test_limits_and_counts_are_argos(phases: list[Phase], words: dict[str, Any], expected: Phase) -> None:
    """A limit bears what it says; errors and missing data do not count; a success in between ends a row of errors."""
    assert standing(phases, **words).phase is expected


ENDINGS = [p for length in range(4) for p in itertools.product((S, F, I, E, N), repeat=length)]


@pytest.mark.parametrize("words", [{}, {"count": 9}, {"consecutive_success_limit": 5}, {"failure_limit": 9}], ids=str)
def test_an_early_end_is_never_success(words: dict[str, Any]) -> None:
    """Whatever was measured before a job was cancelled: a metric that had not settled has not passed."""
    for phases in ENDINGS:
        found = standing(phases, End.EARLY, **words)
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
    phases: list[Phase], words: dict[str, Any], expected: tuple[Phase, str]
) -> None:
    """Of ten planned measurements five must have an answer, and one of the last three; else it is inconclusive."""
    assert standing(phases, End.HORIZON, 10, **words)[:2] == expected


def test_an_error_is_retried_after_ten_seconds() -> None:
    """Whatever the interval; the first measurement waits for the initial delay."""
    metric = Threshold(GOOD, interval=300.0, initial_delay=60.0)
    assert next_in(metric, Totals()) == 60
    assert next_in(metric, totals([S])) == 300
    assert next_in(metric, totals([N])) == 300
    assert next_in(metric, add(Totals(), unanswered("no answer"))) == RETRY == 10


@given(st.lists(st.sampled_from([S, F, I, E, N]), max_size=40))
def test_totals_go_on_after_a_restart(phases: list[Phase]) -> None:
    """They are kept as JSON and come back the same; every measurement is in one count."""
    found = totals(phases)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Totals) == found
    assert found.count + found.errors + found.no_data == len(phases)
    assert found.successful + found.failed + found.inconclusive == found.count
