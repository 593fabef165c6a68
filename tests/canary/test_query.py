"""Values in queries: inside quotes only, and never more than the label value they stand for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.canary.config import fill_query, query_faults
from incident_ops.errors import UserError

QUERY = 'errors{version="{{args.version}}",code=~"5.."}'


@pytest.mark.parametrize(
    ("query", "value", "expected"),
    [
        (QUERY, "v2", 'errors{version="v2",code=~"5.."}'),
        (QUERY, 'v"} or vector(0) #', 'errors{version="v\\"} or vector(0) #",code=~"5.."}'),
        (QUERY, "a\\", 'errors{version="a\\\\",code=~"5.."}'),
        ("a{b='{{ args.version }}'}", "it's", "a{b='it\\'s'}"),
        ('a{b=~"app-{{args.version}}-.*"}', "1.2|.*", 'a{b=~"app-1\\\\.2\\\\|\\\\.\\\\*-.*"}'),
        ('a{b !~ "{{args.version}}"}', "x+", 'a{b !~ "x\\\\+"}'),
        ('a{c="\\"",b="{{args.version}}"}', "v2", 'a{c="\\"",b="v2"}'),
        ("up", "v2", "up"),
    ],
)
def test_a_value_is_escaped_as_the_label_it_stands_for(query: str, value: str, expected: str) -> None:
    """Quotes and backslashes are escaped, and after =~ what a regular expression would read."""
    assert fill_query(query, {"version": value}, is_promql=True) == expected


@pytest.mark.parametrize("query", ["a[{{args.version}}]", "a{b=`{{args.version}}`}", 'a{b=""} + {{args.version}}'])
def test_outside_quotes_no_value_is_filled_in(query: str) -> None:
    """There it could be anything; a backtick knows no escapes."""
    with pytest.raises(UserError, match="outside quotes"):
        fill_query(query, {"version": "5m"}, is_promql=True)
    assert any("outside quotes" in message for message, _ in query_faults(query, {"version": ""}))


@pytest.mark.parametrize("value", ["a\nb", "a\x00", "x" * 201])
def test_a_value_of_another_kind_is_refused(value: str) -> None:
    """Line breaks, control characters, and very long ones."""
    with pytest.raises(UserError, match="not allowed"):
        fill_query(QUERY, {"version": value}, is_promql=True)


@pytest.mark.parametrize("value", ["a b", "a'b", "{x}", "", "-rf"])
def test_elsewhere_only_plain_words_are_taken(value: str) -> None:
    """Other languages escape in other ways."""
    with pytest.raises(UserError):
        fill_query("SELECT count(*) FROM T WHERE v = '{{args.version}}'", {"version": value}, is_promql=False)


def test_a_value_that_nobody_gave_is_asked_for() -> None:
    """The error names the option."""
    with pytest.raises(UserError, match="--arg version=VALUE"):
        fill_query(QUERY, {"version": None}, is_promql=True)


def test_unknown_arguments_and_other_braces_are_found() -> None:
    """A slip of the pen would ask for a series that is not there."""
    told = [message for message, _ in query_faults('a{b="{{args.vresion}}",c="{{inputs.x}}"}', {"version": ""})]
    assert told == ["a {{ }} in the query is not an argument", "argument 'vresion' is not in spec.args"]
    assert not list(query_faults(QUERY, {"version": ""}))


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_no_value_leaves_its_quotes(value: str) -> None:
    """Whatever a value holds: the text after it is still outside, as one string of the query's own reading."""
    try:
        filled = fill_query('a{b="{{args.v}}"}', {"v": value}, is_promql=True)
    except UserError:
        return
    found = re.fullmatch(r'a\{b="((?:[^"\\\n]|\\["\'\\n])*)"\}', filled)
    assert found
    assert re.sub(r"\\(.)", r"\1", found[1]) == value
