"""Conditions: what they may say, what is refused and at which column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.canary.condition_words import MAX_CONDITION_DEPTH, MAX_NODES, ConditionError
from incident_ops.canary.conditions import MAX_LENGTH, ConditionNode, parse_condition

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
    ("1 if result else 2", 3, "should end"),
    ("result if 1 < 2 else 3", 8, "should end"),
    ("None == result", 1, "'None' is not known"),
    ("result == True", 11, "'True' is not known"),
    ("result is nil", 8, "should end"),
    ("len(*result) > 1", 5, "not understood"),
    ("result[*result] > 1", 8, "not understood"),
    ("result ** 2 > 1", 9, "not understood"),
    ("result // 2 > 1", 9, "not understood"),
    ("result << 2 > 1", 9, "not understood"),
    ("len(result,) > 1", 12, "not understood"),
    ("result in [1, ]", 15, "not understood"),
    ("result[1, 2] > 1", 9, "expected ']' after '[' of column 7, found ','"),
    ("(result, 1) > 1", 8, "expected ')' after '(' of column 1, found ','"),
    ("result, 1", 7, "should end"),
    ("() == result", 2, "not understood"),
    ("{} == result", 2, "not understood"),
    ("{result} == 1", 1, "not understood"),
    ("result == 'a' 'b'", 15, "should end"),
    ("result in [1 < 2]", 14, "expected ']'"),
    ("result not 1", 8, "should end"),
    ("result.# < 1", 8, "expected a name"),
    ("(len)(result) > 1", 2, "is a function"),
    ("len(result)(1) > 1", 12, "should end"),
    ("all(result) > 1", 1, "takes 2 values, here are 1"),
    ("foo(result) <", 1, "not known"),
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


WORDS = (
    *("result", "1", "0.5", "007", "'a'", "#", "{{args.x}}", "true", "nil", "foo", "if", "for", "lambda", "is", "None"),
    *("and", "or", "not", "&&", "!", "in", "<", "<=", "==", "!=", "+", "-", "*", "/", "%", ".", ",", "."),
    *("(", ")", "[", "]", "{", "}", "len", "default", "all", "any", "isNaN"),
)
VALUE = st.sampled_from(["result", "1", "0.5", "'a'", "true", "nil", "{{args.x}}", "result[0]", "result.in", "007"])


def _larger(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["and", "||", "<", "!=", "in", "not in", "+", "-", "*", "%"])
    return st.one_of(
        st.builds("({}) {} ({})".format, part, signs, part),
        st.builds("{}({})".format, st.sampled_from(["not ", "-", "len", "isNaN"]), part),
        st.builds("all({}, # == ({}))".format, part, part),
        st.builds("({})[{}] . a".format, part, part),
        st.builds("[({}), ({})]".format, part, part),
    )


@given(st.lists(st.sampled_from(WORDS), max_size=25))
def test_any_words_are_a_condition_or_an_error(words: list[str]) -> None:
    """Words of Python mean nothing here, in whatever order they stand."""
    text = " ".join(words)
    try:
        column = parse_condition(text).tree.column
    except ConditionError as error:
        column = error.column
    assert 0 < column <= len(text) + 1


@given(st.recursive(VALUE, _larger, max_leaves=8))
def test_blanks_and_parentheses_change_no_tree(text: str) -> None:
    """Every part stands where it was written, whatever surrounds it."""
    plain = parse_condition(f"result == 0 and ({text}) == 1").tree
    wider = parse_condition(f"result == 0 and (( {text} )) == 1").tree
    assert _shape(plain) == _shape(wider)
    assert {(wider_column - column) for column, wider_column in zip(_columns(plain), _columns(wider), strict=True)} <= {
        0,
        2,
        4,
    }


def _columns(node: ConditionNode) -> list[int]:
    return [node.column, *(column for part in node.parts for column in _columns(part))]


def _shape(node: ConditionNode) -> object:
    return node.kind, node.text, [_shape(part) for part in node.parts]


@given(st.text(max_size=60) | st.text(alphabet="result()[]{}<>=!&|#.'\"0123+-*/% anyot", max_size=80))
def test_any_text_is_a_condition_or_an_error(text: str) -> None:
    """Never another exception, whatever is written."""
    try:
        column = parse_condition(text).tree.column
    except ConditionError as error:
        column = error.column
    assert 0 <= column <= len(text) + 1
