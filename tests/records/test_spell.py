"""How new values are written: plain only where YAML 1.1 and YAML 1.2 readers both see the same value."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from incident_ops.records.yaml_reader import Document, read_yaml
from incident_ops.records.yaml_writer import LayoutStyle, flow, scalar, yaml_block
from tests.records.pages import TEXTS

INSTANTS = ["2025-01-26T12:05:00Z", "2025-01-26T12:05:00.5Z", "2025-01-26T12:05:00+02:00", "2025-01-26"]


def data_of(text: str) -> Any:
    """What the record's reader makes of a text."""
    found = read_yaml(text, "f.yaml")
    assert isinstance(found, Document), found
    return found.data


@pytest.mark.parametrize(
    "text",
    [*INSTANTS, "x", "two words", "a:b", "a#b", "it's", 'say "hi"', "-x", "1.2.3", "2025-1-2", "2.3.1-rc1", "http://x.y/z?a=b#c",
     "100 %", "é日本😀", "12 o'clock", "auth-service", "nobody", "w" * 500, "a, b", "a {b}", "\\n", "1e3x"],
)  # fmt: skip
def test_text_stays_plain_where_every_reader_sees_text(text: str) -> None:
    """No needless quotes."""
    assert scalar(text) == text


@pytest.mark.parametrize(
    "text",
    ["", " a", "a ", "no", "NO", "Yes", "on", "off", "y", "N", "true", "False", "null", "NULL", "~", "=", "<<", "0123",
     "12", "-1", "+1", "1.5", ".5", "1e3", "1E-3", "0x1F", "0o17", "0b1", "1_000", "12:30", "190:20:30.5", ".inf",
     "-.INF", ".nan", "2025-01-26 12:05:00", "@a", "`a", "%a", "#a", "- a", "-", "---", "...", "{a", "[a", "*a", "&a",
     "!a", "|a", ">a", "'a", '"a', "?a", ":a", ",a", "a: b", "a:", "a #b", "a\tb"],
)  # fmt: skip
def test_text_that_some_reader_takes_for_something_else_is_quoted(text: str) -> None:
    """YAML 1.1 has yes and no, sexagesimal numbers, octal 0123; indicators begin something else."""
    assert scalar(text).startswith('"')


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "null"),
        (True, "true"),
        (0, "0"),
        (1.0, "1.0"),
        (1e21, "1.0e+21"),
        (1.5e-7, "1.5e-07"),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_what_is_not_text_is_written_plain(value: Any, written: str) -> None:
    """Numbers have a form that YAML 1.1 readers take for numbers too."""
    assert scalar(value) == written
    again = yaml.safe_load(written)
    assert (again, type(again)) == (value, type(value))


def test_what_a_record_cannot_hold_is_the_callers_fault() -> None:
    """A tuple or a date is no JSON value."""
    with pytest.raises(TypeError, match="tuple"):
        scalar(("a",))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('a\\"\n', '"a\\\\\\"\\n"'),
        ("\x00\x07\x7f\x85", '"\\0\\x07\\x7f\\x85"'),
        ("\u2028\u202e\ufeff", '"\\u2028\\u202e\\ufeff"'),
    ],
)
def test_what_nobody_can_see_is_escaped(text: str, written: str) -> None:
    """Control characters, odd line ends and marks that turn the text around are visible in the diff."""
    assert scalar(text) == written


def test_the_quotes_of_the_old_text_are_kept_where_they_can_hold_the_new() -> None:
    """Single quotes cannot hold a line end."""
    assert scalar("it's", like="'") == "'it''s'"
    assert scalar("a\nb", like="'") == '"a\\nb"'
    assert scalar("x", like='"') == '"x"'
    assert scalar(1, like="'") == "1"


def test_long_and_nested_values_take_the_layout_of_the_file() -> None:
    """Keys and dashes at the file's columns, several lines as a `|` block."""
    value = {"a": ["x", {"b": "p\nq", "c": [[1], {}]}]}
    narrow = ["a:", "- x", "- b: |-", "    p", "    q", "  c:", "  - - 1", "  - {}"]
    wide = [
        "a:",
        "    - x",
        "    - b: |-",
        "          p",
        "          q",
        "      c:",
        "          - - 1",
        "          - {}",
    ]
    assert yaml_block(value, 0, LayoutStyle()) == narrow
    assert yaml_block(value, 0, LayoutStyle(step=4, dash=4)) == wide


CHARACTERS = st.characters(exclude_categories=["Cs"])
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**17), 10**17),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(CHARACTERS, max_size=20),
        st.sampled_from(TEXTS),
    ),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(CHARACTERS, max_size=8), below, max_size=3),
    max_leaves=8,
)


@given(JSON, st.sampled_from([LayoutStyle(), LayoutStyle(step=4, dash=2), LayoutStyle(literal=False)]))
@example({"a": "\n\n x\n", "b": "\tx\ny"}, LayoutStyle())
@example([{"0?": None}], LayoutStyle())
def test_every_value_is_read_back_by_readers_of_both_yamls(value: Any, style: LayoutStyle) -> None:
    """In block and in flow form; only instants differ, which YAML 1.1 readers take for dates."""
    for text in ("\n".join(yaml_block({"k": value}, 0, style)) + "\n", f"[{flow(value)}]"):
        held = {"k": value} if text[0] == "k" else [value]
        assert repr(data_of(text)) == repr(held)
        if not any(one in text for one in INSTANTS):
            assert repr(yaml.safe_load(text)) == repr(held)
