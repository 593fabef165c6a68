"""Conditions are read by hand: what they may say, what is refused and at which column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.canary.conditions import MAX_CONDITION_DEPTH, MAX_LENGTH, MAX_NODES, ConditionError, parse_condition

GOOD = [
    "result < 0.5",
    "result[0] <= 1e-3",
    "result[0] / result[1] < .05 and not isNaN(result[0])",
    "!(isNaN(result[0])) && result[0] > 0.95 || len(result) == 0",
    "all(result, # < 0.5)",
    "all(result, {# < 0.5})",
    "any(result, any(#, # > 1))",
    "result.data['a'][\"b\"].c == 'ok'",
    "default(result, 0) < 5",
    "asInt(result) % 2 == 0",
    "asFloat(result) >= -1.5 + 2 * 3",
    "result != nil",
    "(result > 1) == true",
    "result in [1, 2.5, -3] and result not in ['a']",
    "result < {{args.max}} || result == {{ args.other-name }}",
    "result == 'it\\'s'",
]
BAD = [
    ("", 1, "ends too early"),
    ("result", 1, "not a condition"),
    ("result + 1", 8, "not a condition"),
    ("len(result)", 1, "not a condition"),
    ("true", 1, "never looks at the result"),
    ("1 < 2", 3, "never looks at the result"),
    ("result <", 9, "ends too early"),
    ("result = 1", 8, "not understood"),
    ("result < 1 < 2", 12, "do not chain"),
    ("result[0 < 1", 13, "expected ']'"),
    ("(result < 1", 12, "expected ')'"),
    ("result < 1)", 11, "should end"),
    ("result. < 1", 9, "expected a name"),
    ("resutl < 1", 1, "did you mean result"),
    ("isnan(result)", 1, "did you mean isNaN"),
    ("isNaN", 1, "is a function"),
    ("isNaN(result, 1)", 1, "takes 1 value"),
    ("default(result) < 1", 1, "takes 2 values"),
    ("# < 1", 1, "inside all"),
    ("all(result, # < 1) and # > 2", 24, "inside all"),
    ("result < 0x1f", 10, "not understood"),
    ("result < 1e999", 10, "too large"),
    ("result < 'a", 10, "not understood"),
    ("result ? 1 : 2", 8, "not understood"),
    ("result > 1 ? true : false", 12, "write (a and b) or (not a and c)"),
    ("max(result) < 1", 1, "let the query do it, e.g. max(...)"),
    ("all(result, .value < 1)", 13, "write #.NAME"),
    ("result in []", 12, "not understood"),
    ("result == '{{args.version}}'", 11, "write {{args.NAME}} without them"),
    ("result < {{max}}", 10, "not understood"),
    ("{{args.max}} > 1", 14, "never looks at the result"),
    ("result < 1; result", 11, "not understood"),
    ("result |= 1", 8, "not understood"),
    ("eval(result)", 1, "not known"),
    ("__import__('os').system('x') == result", 1, "not known"),
    ("result.__class__.x(1) == 1", 19, "should end"),
    ("lambda: result", 7, "not understood"),
    ("result\u00a0< 1", 7, "not understood"),
    ("result < \u0661", 10, "not understood"),
]


@pytest.mark.parametrize("text", GOOD)
def test_what_the_language_has_is_read(text: str) -> None:
    """Comparisons, logic in words and signs, arithmetic, functions, elements, quantifiers."""
    assert parse_condition(text).text == text


@pytest.mark.parametrize(("text", "column", "message"), BAD, ids=[text for text, _, _ in BAD])
def test_anything_else_is_refused_at_its_column(text: str, column: int, message: str) -> None:
    """Whatever looks like code is no word of this language."""
    with pytest.raises(ConditionError) as told:
        parse_condition(text)
    assert (told.value.column, message in str(told.value)) == (column, True), str(told.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(" * (MAX_CONDITION_DEPTH + 1) + "result" + ")" * (MAX_CONDITION_DEPTH + 1) + " > 1", "deeper"),
        ("not " * (MAX_CONDITION_DEPTH + 1) + "result > 1", "deeper"),
        ("-" * (MAX_CONDITION_DEPTH + 1) + "result > 1", "deeper"),
        ("result" + "[0" * (MAX_CONDITION_DEPTH + 1), "deeper"),
        ("1" + "+1" * MAX_NODES + " < result", "parts"),
        ("result > 1" + " " * MAX_LENGTH, "characters"),
    ],
    ids=["brackets", "not", "minus", "elements", "sum", "spaces"],
)
def test_length_depth_and_size_are_limited(text: str, message: str) -> None:
    """A gate file cannot exhaust the reader."""
    with pytest.raises(ConditionError, match=message):
        parse_condition(text)


@given(st.text(max_size=60) | st.text(alphabet="result()[]{}<>=!&|#.'\"0123+-*/% anyot", max_size=80))
def test_any_text_is_a_condition_or_an_error(text: str) -> None:
    """Never another exception, whatever is written."""
    try:
        column = parse_condition(text).tree.column
    except ConditionError as error:
        column = error.column
    assert 0 <= column <= len(text) + 1
