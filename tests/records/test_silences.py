"""Comments that silence a rule: found where YAML sees a comment, nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.records.suppressions import find_suppressions
from incident_ops.records.yaml_reader import Document, read_yaml
from tests.support.patience import patience

MARK = "# incident-ops: ignore[label] because"


def lines(text: str) -> list[tuple[int, int]]:
    """(line of the comment, line it silences) of each."""
    assert isinstance(read_yaml(text, "f"), Document), text
    return [(one.line, one.on) for one in find_suppressions(text, "f")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"a: b {MARK}\n", [(1, 1)]),
        (f"{MARK}\na: b\n", [(1, 2)]),
        (f"x: y\n  {MARK}\na: b\n", [(2, 3)]),
        (f"{MARK}\n# more\na: b\n", [(1, 3)]),
        (f"a:\n- b {MARK}\n- c\n", [(2, 2)]),
        (f"a: [b, # one\n  c] {MARK}\n", [(2, 2)]),
        (f"a: | {MARK}\n  text\nb: c\n", [(1, 1)]),
        (f"a: |\n  text\n{MARK}\nb: c\n", [(3, 4)]),
        (f"a: |+\n  text\n\n{MARK}\nb: c\n", [(4, 5)]),
        (f"a: >-\n  text\n  {MARK}\nb: c\n", []),
        (f"a: |\n  {MARK}\n", []),
        (f"a: '{MARK}'\n", []),
        (f'a: "x\n  {MARK}"\n', []),
        (f'a: "it\\"s" {MARK}\n', [(1, 1)]),
        (f'"{MARK}": b\n', []),
        (f"a: b\r\n{MARK}\r\nc: d\r\n", [(2, 3)]),
        (f"a: b {MARK}", [(1, 1)]),
        (f"a: b {MARK}\nc: |", [(1, 1)]),
        (f"{MARK}\nc: |", [(1, 2)]),
        (f"a: b\nc: | {MARK}", [(2, 2)]),
        (f"a: b # see above {MARK}\n", [(1, 1)]),
        ("a: b # incident-ops: ignored\n", []),
        (f"ä: 'ü' {MARK}\n", [(1, 1)]),
    ],
)
def test_a_comment_is_one_only_where_yaml_says_so(text: str, found: list[tuple[int, int]]) -> None:
    assert lines(text) == found


def test_rules_and_reason_are_taken_apart() -> None:
    (one,) = find_suppressions("a: b  #incident-ops: ignore[ label , moves ]   was agreed on \r\n", "f")
    assert (one.rules, one.reason, one.column) == (("label", "moves"), "was agreed on", 7)
    (two,) = find_suppressions("a: b # incident-ops: ignore[label", "f")
    assert (two.rules, two.reason) == (("label",), "")


@given(st.text(alphabet="ab \n#'\"|:-", max_size=30))
def test_no_text_of_a_record_silences_anything(text: str) -> None:
    """A quoted value is never a comment, whatever it holds."""
    quoted = "'" + text.replace("'", "''") + MARK + "'"
    whole = f"a: {quoted}\n"
    if isinstance(read_yaml(whole, "f"), Document):
        assert find_suppressions(whole, "f") == []


@pytest.mark.parametrize("line", ["# incident-ops: ignore[x] y\n", "- 'x' # incident-ops: ignore[x] y\n"])
def test_many_comments_cost_no_more_than_their_number(line: str) -> None:
    """As many as a file can hold."""
    text = "a:\n- z\n" + line * 8000
    with patience():
        found = find_suppressions(text, "f")
    assert [one.line for one in found] == list(range(3, 8003))
    assert {one.on for one in found} == ({8003} if line[0] == "#" else {one.line for one in found})
