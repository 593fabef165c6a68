"""What conditions say: plain values, no data, and what does not fit."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.canary.condition_value import NoData, is_true, why_no_data
from incident_ops.canary.condition_words import ConditionError
from incident_ops.canary.conditions import fill_condition, parse_condition
from incident_ops.errors import UserError
from tests.support.patience import patience

NAN, INF = math.nan, math.inf
DECIDED = [
    ("result < 0.5", 0.4, True),
    ("result < 0.5", 0.5, False),
    ("result <= 0.5", 0.5, True),
    ("result < 0.5", [0.4], True),
    ("result[0] < 0.5", [0.4], True),
    ("result[0] / result[1] < 0.05", [1, 100], True),
    ("all(result, # < 0.5)", [0.1, 0.6], False),
    ("any(result, # > 0.5)", [0.1, 0.6], True),
    ("all(result, {any(#, # == 1)})", [[1, 2], [3, 1]], True),
    ("result.a['b'][1] == 'x'", {"a": {"b": ["y", "x"]}}, True),
    ("result.ok", {"ok": True}, True),
    ("len(result) == 3", [1, 2, 3], True),
    ("len(result) == 2", "ab", True),
    ("asInt('12') + asInt(result) == 15", 3.9, True),
    ("asFloat(result) == 1.5", "1.5", True),
    ("default(result.a, 7) == 7", {"a": None}, True),
    ("result.a == nil and isNil(result.a)", {"a": None}, True),
    ("'a' < result", "b", True),
    ("1 + 2 * 3 - -1 == result", 8, True),
    ("7 % 4 == result", 3, True),
    ("result == 1 or result == 2 and false", 1, True),
    ("not result == 1", 2, True),
    ("!isNaN(result) && result > 1", 2.0, True),
    ("result == 10000000000000000000000001", 10**25, True),
    ("isNaN(result) or result > 1", NAN, True),
    ("result > 1 or isNaN(result)", NAN, True),
    ("result > 1 and isNil(result)", NAN, False),
    ("isInf(result)", INF, True),
    ("isInf(result)", 3, False),
    ("isNaN(result)", [NAN], True),
    ("result in [1, 2]", 2.0, True),
    ("result in ['a', \"b\"]", "c", False),
    ("result not in [1, 2]", [3], True),
    ("not (result[0] in [1, 2]) or false", [1], False),
    ("any(result, # in [2])", [1, 2], True),
    ("len(result) == 0", [], True),
    ("any(result, # > 1)", [NAN, 2], True),
    ("all(result, # > 1)", [NAN, 0], False),
]
WITHOUT_DATA = [
    ("result < 1", NAN),
    ("result > 1", INF),
    ("result < 1", None),
    ("result in [1, 2]", NAN),
    ("isInf(result)", None),
    ("isNaN(result)", []),
    ("result < 1", []),
    ("result[0] < 1", []),
    ("all(result, # < 1)", []),
    ("all(result, # < 1)", [0, NAN]),
    ("any(result, # > 1)", [0, NAN]),
    ("result[0] / result[1] > 5", [1, 0]),
    ("result % 0 == 0", 1),
    ("not (result < 1)", NAN),
    ("result * 1e300 > 1", 1e300),
    ("-result < 1", NAN),
]
MISFITS = [
    ("result < 1", "0.5", "cannot be compared"),
    ("result < 1", True, "cannot be compared"),
    ("result < 1", [1, 2], "list of 2"),
    ("result + 1 < 2", "a", "not a number"),
    ("result + 1 < 3", True, "not a number"),
    ("result[2] < 1", [1], "no element 2"),
    ("result[-1] < 1", [1], "no element -1"),
    ("result[0.5] < 1", [1], "no element 0.5"),
    ("result.b < 1", {"a": 1}, "no 'b'"),
    ("result.a < 1", 5, "has no element"),
    ("result[0]", [1], "not a condition"),
    ("result and true", 1, "not a condition"),
    ("all(result, # < 1)", 5, "needs a list"),
    ("len(result) == 0", 5, "no length"),
    ("asInt(result) == 0", "x", "not a number"),
    ("asInt(result) == 1", "1.1", "not a whole number.*asFloat takes it"),
    ("isInf(result)", "ok", "text is not a number"),
    ("isNaN(result)", {"a": 1}, "a mapping is not a number"),
    ("isInf(result)", [1, 2], "list of 2"),
    ("result in 5", 5, "in needs a list"),
    ("result in [1, 'a']", 1, "cannot be compared"),
    ("result == true", 1, "cannot be compared"),
]


@pytest.mark.parametrize(("text", "result", "expected"), DECIDED)
def test_a_condition_is_true_or_false(text: str, result: Any, expected: bool) -> None:
    """Plain results; and those without data where the rest decides."""
    assert is_true(parse_condition(text), result) is expected


@pytest.mark.parametrize(
    ("text", "result", "expected"),
    [
        ("result > 3", INF, True),
        ("result[0] > 3 or result[1] > 3", [0, INF], True),
        ("any(result, # > 3)", [0, INF], True),
        ("result < 3", -INF, True),
        ("result < 3", INF, False),
    ],
)
def test_a_failure_is_seen_in_an_infinity(text: str, result: Any, expected: bool) -> None:
    """The canary's latency over that of an old version that has none: above every limit. NaN is above none."""
    assert is_true(parse_condition(text), result, takes_infinity=True) is expected
    for value in (NAN, None, []):
        with pytest.raises(NoData):
            is_true(parse_condition("result > 3"), value, takes_infinity=True)


def test_the_value_of_an_argument_is_a_number_or_else_a_text() -> None:
    """As Argo fills it in; what was judged is shown with its value."""
    limit = parse_condition("result < {{args.max}}")
    filled = fill_condition(limit, {"max": "0.5"})
    assert (filled.text, is_true(filled, 0.4), is_true(filled, 0.6)) == ("result < 0.5", True, False)
    name = fill_condition(parse_condition("result == {{ args.version }}"), {"version": 'v"1\\'})
    assert is_true(name, 'v"1\\')
    with pytest.raises(UserError, match=r"'max' has no value.*--arg max=VALUE"):
        fill_condition(limit, {"max": None})
    assert fill_condition(parse_condition("result < 1"), {}).text == "result < 1"


@pytest.mark.parametrize(("text", "result"), WITHOUT_DATA)
def test_without_data_a_condition_is_neither(text: str, result: Any) -> None:
    """NaN, infinities, null, nothing, and divisions by zero."""
    with pytest.raises(NoData):
        is_true(parse_condition(text), result)


@pytest.mark.parametrize(("text", "result", "message"), MISFITS)
def test_what_does_not_fit_is_an_error_and_no_answer(text: str, result: Any, message: str) -> None:
    """Kinds are not mixed, and elements that are not there are not guessed."""
    with pytest.raises(ConditionError, match=message):
        is_true(parse_condition(text), result)


@pytest.mark.parametrize("result", [None, NAN, INF, -INF, [], {}, "", [1, NAN], [None], [[]]], ids=repr)
def test_no_data_has_a_name(result: Any) -> None:
    """What a source gives where it has nothing."""
    assert why_no_data(result)


@pytest.mark.parametrize("result", [0, 0.0, False, [0], {"a": None}, "x"], ids=repr)
def test_a_zero_is_data(result: Any) -> None:
    """Zero and false are answers."""
    assert why_no_data(result) == ""


def test_a_large_result_does_not_keep_the_run_busy() -> None:
    """Two nested loops over ten thousand values are stopped."""
    with patience(), pytest.raises(ConditionError, match="too large"):
        is_true(parse_condition("all(result, any(result, # > 2) or # > 0)"), [1.0] * 10_000)


@given(st.floats() | st.lists(st.floats(), max_size=3) | st.none() | st.text(max_size=3))
def test_a_comparison_never_holds_without_data(result: Any) -> None:
    """Whichever way it is written: no comparison and no negation of one is true of no data."""
    for text in ("result < 1", "result >= 1", "not (result < 1)", "all(result, # < 1)", "result * 0 == 0"):
        try:
            found = is_true(parse_condition(text), result)
        except (NoData, ConditionError):
            continue
        assert not (found and why_no_data(result))
