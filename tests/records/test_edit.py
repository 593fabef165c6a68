"""Edits of a record's text: what was meant is what is read back, and nothing else moves."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_ops.domain.record import Append, Edit, Insert, Remove, Set
from incident_ops.errors import UserError
from incident_ops.findings import Route
from incident_ops.records.editor import Refused, edit, key_order, same_data
from incident_ops.records.yaml_reader import Document, read_yaml
from tests.records.pages import Writer, any_edit, at
from tests.support.laws import count_of

ROOT = Path(__file__).resolve().parents[2]
ORDER = key_order(json.loads((ROOT / "schemas" / "incident.schema.json").read_text(encoding="utf-8")))
RECORDS = sorted([*ROOT.glob("incidents/*/incident.yaml"), *ROOT.glob("examples/*/incidents/*/incident.yaml")])
WHOLE = 2_000
EXAMPLES = count_of(WHOLE, sample=100)


def edited(text: str, *edits: Edit) -> str:
    """The text after edits in a record's key order."""
    return edit(text, edits, order=ORDER, file="f.yaml")


def document(text: str) -> Document:
    """A text that must be readable."""
    found = read_yaml(text, "f.yaml")
    assert isinstance(found, Document), found
    return found


# ------------------------------------------------------------------ the hard cases, by name


def append(value: Any, *route: str | int) -> list[Edit]:
    return [Append(route, value)]


def put(value: Any, *route: str | int) -> list[Edit]:
    return [Set(route, value)]


def above(value: Any, place: int, *route: str | int) -> list[Edit]:
    return [Insert(route, place, value)]


CASES: dict[str, tuple[str, list[Edit], str]] = {
    "an item above the first": ("a:\n- x\n- y\n", above("z", 0, "a"), "a:\n- z\n- x\n- y\n"),
    "an item above the first, deeper": (
        "a:\n  # list\n  - k: x  # of x\n  - k: y\n", above({"k": "z"}, 0, "a"),
        "a:\n  # list\n  - k: z\n  - k: x  # of x\n  - k: y\n",
    ),
    "an item between two leaves each its comments": (
        "a:\n- k: x  # of x\n  # deep\n# of y\n- k: y\nb: 1\n", above({"k": "z"}, 1, "a"),
        "a:\n- k: x  # of x\n  # deep\n- k: z\n# of y\n- k: y\nb: 1\n",
    ),
    "an item into brackets": ("a: [x, y]\n", above("z", 1, "a"), "a: [x, z, y]\n"),
    "an item above the first in brackets": ("a: [x, y]\n", above("z", 0, "a"), "a: [z, x, y]\n"),
    "an empty list keeps its comment": ("a: []  # none yet\n", append("z", "a"), "a:  # none yet\n- z\n"),
    "a null value keeps its comment": ("a:  # none yet\nb: 1\n", append("z", "a"), "a:  # none yet\n- z\nb: 1\n"),
    "a null word gives way": ("a: ~  # none\n", append("z", "a"), "a:  # none\n- z\n"),
    "an empty map is filled": ("a: {}\nb: 1\n", put(1, "a", "k"), "a:\n  k: 1\nb: 1\n"),
    "a null value takes a key": ("m:\n", put(1, "m", "k"), "m:\n  k: 1\n"),
    "a missing list is made": ("a: 1\n", append("z", "tags"), "a: 1\ntags:\n- z\n"),
    "missing mappings on the way are made": ("a: 1\n", put(1, "b", "c", "d"), "a: 1\nb:\n  c:\n    d: 1\n"),
    "an empty list as an item": ("- []\n- x\n", append("z", 0), "- - z\n- x\n"),
    "an empty list inside a flow list": ("a: [[], x]\n", append("z", "a", 0), "a: [[z], x]\n"),
    "a comment after the last item stays below the new one": (
        "a:\n- x\n# the end\nb: 1\n", append("z", "a"), "a:\n- x\n- z\n# the end\nb: 1\n",
    ),
    "a comment deeper than the dash stays with the item above": (
        "a:\n- x\n  # about x\n\n  # more about x\nb: 1\n",
        append("z", "a"),
        "a:\n- x\n  # about x\n\n  # more about x\n- z\nb: 1\n",
    ),
    "a comment on the last item's line": ("a:\n- x  # c\n", append("z", "a"), "a:\n- x  # c\n- z\n"),
    "empty lines stay below the new item": ("a:\n- x\n\nb: 1\n", append("z", "a"), "a:\n- x\n- z\n\nb: 1\n"),
    "an indented list": ("a:\n  - x\nb: 1\n", append("z", "a"), "a:\n  - x\n  - z\nb: 1\n"),
    "new lists are indented as the file's are": (
        "a:\n  - x\nb: []\n", append({"k": ["z"]}, "b"), "a:\n  - x\nb:\n  - k:\n      - z\n",
    ),
    "new mappings are indented as the file's are": (
        "a:\n    x: 1\nb: 1\n", put({"y": {"z": 1}}, "c"), 'a:\n    x: 1\nb: 1\nc:\n    "y":\n        z: 1\n',
    ),
    "a list in a list": ("- - a\n  - b\n- c\n", append("z", 0), "- - a\n  - b\n  - z\n- c\n"),
    "a mapping appended to block mappings is written as they are": (
        "a:\n- id: AI-1\n  title: t\nb: 1\n",
        append({"id": "AI-2", "title": "Look: here", "due": "2025-02-01", "owner": "@a", "done": False}, "a"),
        "a:\n- id: AI-1\n  title: t\n- id: AI-2\n"
        '  title: "Look: here"\n  due: 2025-02-01\n  owner: "@a"\n  done: false\nb: 1\n',
    ),
    "nested values of a new item": (
        "a:\n- x\n",
        append({"k": [{"l": 1, "m": []}, "t"], "o": {}}, "a"),
        "a:\n- x\n- k:\n  - l: 1\n    m: []\n  - t\n  o: {}\n",
    ),
    "a flow list": ("a: [x, 'y']  # c\n", append("z", "a"), "a: [x, 'y', z]  # c\n"),
    "a flow list over several lines": ("a: [\n  x,\n  y\n]\n", append("z", "a"), "a: [\n  x,\n  y,\n  z\n]\n"),
    "text that would end an item of a flow list": ("a: [x]\n", append("y, z", "a"), 'a: [x, "y, z"]\n'),
    "text of several lines in a flow list": ("a: [x]\n", append("y\nz", "a"), 'a: [x, "y\\nz"]\n'),
    "a mapping in a flow list": ("a: [{k: 1}]\n", append({"k": [2, {}]}, "a"), "a: [{k: 1}, {k: [2, {}]}]\n"),
    "a key in a flow mapping": ("a: {k: 1, l: 2}\n", put("x", "a", "m"), "a: {k: 1, l: 2, m: x}\n"),
    "a flow key without a value": ("a: {k: , l: 2}\n", put("x", "a", "k"), "a: {k: x, l: 2}\n"),
    "a JSON record": ('{"a":1,"b":{"c":[]}}', [*put(2, "a"), *append("x", "b", "c")], '{"a":2,"b":{"c":[x]}}'),
    "a block text followed by empty lines": ("a: |\n  one\n  two\n\n\nb: 1\n", put("x", "a"), "a: x\n\n\nb: 1\n"),
    "a block text keeps its header's comment": ("a: >-  # why\n  one\nb: 1\n", put("x", "a"), "a: x  # why\nb: 1\n"),
    "a line below a block text": ("a: |\n  one\n\n# c\n", put(1, "b"), "a: |\n  one\nb: 1\n\n# c\n"),
    "a line below a block text that keeps its empty lines": ("a: |+\n  one\n\n", put(1, "b"), "a: |+\n  one\n\nb: 1\n"),
    "a block text `-` at the end without newline": ("a: |-\n  one", put(1, "b"), "a: |-\n  one\nb: 1"),
    "no final newline": ("a:\n- x", append("z", "a"), "a:\n- x\n- z"),
    "no final newline, CRLF": ("a:\r\n- x", append("z", "a"), "a:\r\n- x\r\n- z"),
    "no final newline after a comment": ("a: 1 # c", put(2, "b"), "a: 1 # c\nb: 2"),
    "CRLF": ("a:\r\n- k: 1\r\nb: 1\r\n", append({"k": 2, "l": "p\nq"}, "a"),
             "a:\r\n- k: 1\r\n- k: 2\r\n  l: |-\r\n    p\r\n    q\r\nb: 1\r\n"),
    "mixed line ends: those of the line above": (
        "a: 1\r\nlist:\n- x\nb: 1\r\n", append("z", "list"), "a: 1\r\nlist:\n- x\n- z\nb: 1\r\n",
    ),
    "U+2028 at the end of a comment": ("a:\n- x # c\u2028\nb: 1\n", append("z", "a"), "a:\n- x # c\u2028\n- z\nb: 1\n"),
    "U+0085 at the end of a comment": ("a:\n- x # c\x85\nb: 1\n", append("z", "a"), "a:\n- x # c\x85\n- z\nb: 1\n"),
    "characters, not bytes": ("é: 日本😀 # ü\nb: 1\n", [*put("😀", "é"), *put("x", "b")], "é: 😀 # ü\nb: x\n"),
    "tabs stay": ("a:\tone\ttwo\t# c\nb: 1\n", put(2, "b"), "a:\tone\ttwo\t# c\nb: 2\n"),
    "the quotes stay": ("a: 'x'\nb: \"y\"\n", [*put("it's", "a"), *put("z", "b")], "a: 'it''s'\nb: \"z\"\n"),
    "text that looks like a number": ("a: 1\n", put("0123", "a"), 'a: "0123"\n'),
    "a number for text": ('a: "1"\n', put(1, "a"), "a: 1\n"),
    "true for 1": ("a: 1\n", put(True, "a"), "a: true\n"),
    "1.0 for 1": ("a: 1\n", put(1.0, "a"), "a: 1.0\n"),
    "the same value changes nothing": ("a: 'x'\n", put("x", "a"), "a: 'x'\n"),
    "a text over two lines": ("a: one\n  two # c\nb: 1\n", put("x", "a"), "a: x # c\nb: 1\n"),
    "a value on the line below": ("a:\n  x # c\nb: 1\n", put("y1", "a"), "a:\n  y1 # c\nb: 1\n"),
    "a mapping for a value on the line below": (
        "a:\n  x # c\nb: 1\n", put({"k": 1, "l": 2}, "a"), "a:\n  k: 1 # c\n  l: 2\nb: 1\n",
    ),
    "a mapping for text": ("a: x  # c\nb: 1\n", put({"k": 1}, "a"), "a:  # c\n  k: 1\nb: 1\n"),
    "text for a mapping": ("a:  # c\n  k: 1\n  l: 2 # d\n# e\nb: 1\n", put("x", "a"), "a: x  # c\n# e\nb: 1\n"),
    "text for a mapping, CRLF": ("a:\r\n  k: 1\r\nb: 1\r\n", put("x", "a"), "a: x\r\nb: 1\r\n"),
    "a mapping for a list at the key's column": ("a:\n- x\nb: 1\n", put({"k": 1}, "a"), "a:\n  k: 1\nb: 1\n"),
    "a list for a mapping": ("a:\n  k: 1\nb: 1\n", put(["x", "z"], "a"), "a:\n  - x\n  - z\nb: 1\n"),
    "an item that stands far from its dash": ("-   k: 1\n    l: 2\n", put({"m": 1, "o": 2}, 0), "-   m: 1\n    o: 2\n"),
    "a null item": ("-\n- x\n", put("y1", 0), "- y1\n- x\n"),
    "text of several lines": ("a: x # c\nb: 1\n", put("p: 1\n\n# q", "a"), "a: |- # c\n  p: 1\n\n  # q\nb: 1\n"),
    "text that ends with a line end": ("a: x\nb: 1\n", put("p\nq\n", "a"), "a: |\n  p\n  q\nb: 1\n"),
    "text that begins with a space": ("a: x\n", put("  p\nq", "a"), "a: |2-\n    p\n  q\n"),
    "a comment below that a block text would swallow": (
        "a: x\n    # c\nb: 1\n", put("p\nq", "a"), 'a: "p\\nq"\n    # c\nb: 1\n',
    ),
    "a block text that needs a last newline where there is none": ("a: x", put("p\nq\n", "a"), 'a: "p\\nq\\n"'),
    "a document end": ("---\na: 1\n...\n", put(2, "b"), "---\na: 1\nb: 2\n...\n"),
    "a key before the first": ("title: t\nstate: s\n", put("INC-1", "id"), "id: INC-1\ntitle: t\nstate: s\n"),
    "a key before the first of an item": (
        "timeline:\n- kind: note\n  event: e\n", put("2025-01-26T12:05:00Z", "timeline", 0, "at"),
        "timeline:\n- at: 2025-01-26T12:05:00Z\n  kind: note\n  event: e\n",
    ),
    "a key lands in the record's order": (
        "id: i\nseverity: S\nservices:\n- a # c\n\ntimes:\n  declared: x\n", put("new", "state"),
        "id: i\nseverity: S\nstate: new\nservices:\n- a # c\n\ntimes:\n  declared: x\n",
    ),
    "a key lands below the value of the one before it": (
        "id: i\nservices:\n- a # c\n  # d\n\ntimes:\n  declared: x\n", put({"source": "alert"}, "detection"),
        "id: i\nservices:\n- a # c\n  # d\ndetection:\n  source: alert\n\ntimes:\n  declared: x\n",
    ),
    "an instant lands in the order of times": (
        "times:\n  detected: a\n  declared: b  # c\n  resolved: d\n",
        put("2025-01-26T12:05:00Z", "times", "acknowledged"),
        "times:\n  detected: a\n  declared: b  # c\n  acknowledged: 2025-01-26T12:05:00Z\n  resolved: d\n",
    ),
    "a key that no order knows lands last": ("id: i\n# c\n", put(1, "mine"), "id: i\nmine: 1\n# c\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_hard_case_changes_only_what_was_meant(name: str) -> None:
    """Comments, quotes, line ends and everything else stay as they were."""
    before, edits, after = CASES[name]
    assert edited(before, *edits) == after


REFUSED: dict[str, tuple[str, Edit, str, str]] = {
    "a byte-order mark": ("\ufeffa: 1\n", Set(("a",), 2), "f.yaml:1:1", "byte-order mark"),
    "an explicit key": ("? a\n: 1\n", Set(("b",), 2), "f.yaml:1:3", "explicit"),
    "text that is no YAML": ("a: [\n", Set(("a",), 2), "f.yaml:2:1", ""),
    "a comma at the end of a flow list": ("b: 1\na: [x,]\n", Append(("a",), "z"), "f.yaml:2:4", "comma"),
    "a comment in a flow list": ("a: [x, # c\n  y]\n", Append(("a",), "z"), "f.yaml:1:4", "comment"),
    "a comment at the end of a flow list": ("a: [x # c\n  ]\n", Append(("a",), "z"), "f.yaml:1:4", "comment"),
    "a comment in an empty flow list": ("a: [[ # c\n ]]\n", Append(("a", 0), "z"), "f.yaml:1:5", "comment"),
    "a bare key in a flow mapping": ("a: {k}\n", Set(("a", "k"), "x"), "f.yaml:1:5", "without `:`"),
    "a mapping without braces in a flow list": ("a: [k: 1]\n", Set(("a", 0, "l"), "x"), "f.yaml:1:5", "braces"),
    "a line below a block text at the end of the file": ("a: |\n  x", Set(("b",), 1), "f.yaml:1:4", "ends inside"),
    "an item below a block text at the end": ("a:\n- k: >+\n    x", Append(("a",), 1), "f.yaml:2:6", "ends inside"),
    "appending to text": ("a: 1\nb: x\n", Append(("b",), "z"), "f.yaml:2:4", "b is not a list"),
    "a key in text": ("a: 1\nb: x\n", Set(("b", "c"), "z"), "f.yaml:2:4", "b is not a mapping"),
    "an item that is not there": ("a:\n- x\n", Set(("a", 1), "z"), "f.yaml:2:1", "no a.1"),
    "a key of a list": ("a:\n- x\n", Set(("a", "k"), "z"), "f.yaml:2:1", "not a mapping"),
    "the whole record": ("a: 1\n", Set((), {"b": 1}), "f.yaml:1:1", "whole record"),
    "a record of comments only": ("# c\n", Set(("a",), 1), "f.yaml:1:1", "whole record"),
    "half a character": ("a: 1\n", Set(("a",), "\ud800"), "f.yaml:1:4", "would be invalid"),
    "a number with too many digits": ("a: 1\n", Set(("a",), 10**20), "f.yaml:1:4", "digits"),
    "no number": ("a: 1\n", Set(("a",), float("nan")), "f.yaml:1:4", ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_edited_is_refused_with_its_place(name: str) -> None:
    """The refusal is a person's error: where, what, and how to mend it."""
    text, wanted, where, message = REFUSED[name]
    with pytest.raises(Refused) as caught:
        edited(text, wanted)
    assert isinstance(caught.value, UserError)
    assert caught.value.where == where
    assert message in caught.value.message
    assert caught.value.hint


def test_a_key_is_removed_with_its_line() -> None:
    """What stands around it stays; one that is not there changes nothing."""
    text = "a: 1\n# about b\nb: x  # two\nc:\n  d: 1\n"
    assert edited(text, Remove(("b",))) == "a: 1\n# about b\nc:\n  d: 1\n"
    assert edited(text, Remove(("e",))) == text
    assert edited("a: 1\nb: |\n  x\n  y\n# about c\nc: 2\n", Remove(("b",))) == "a: 1\n# about c\nc: 2\n"
    assert edited('a: 1\nb: "x\n  y"\n', Remove(("b",))) == "a: 1\n"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a: 1\nb:\n- x\nc: 2\n", "a: 1\nc: 2\n"),
        ("a: 1\nb:\n- k: x  # one\n  l: |\n    y\n\n# about c\nc: 2\n", "a: 1\n\n# about c\nc: 2\n"),
        ("a: 1\nb:\n  k: [x,\n    y]  # two\n  l:\n", "a: 1\n"),
        ("a: 1\nb:\n  k: x\n  # about k\n# about c\nc: 2\n", "a: 1\n# about c\nc: 2\n"),
        ("a: 1\nb: []\nc: 2\n", "a: 1\nc: 2\n"),
        ("a: 1\nb: {k: x}", "a: 1\n"),
        ("a: 1\nb:\n- |+\n  x\n", "a: 1\n"),
    ],
)
def test_a_list_or_a_mapping_is_removed_with_all_its_lines(text: str, left: str) -> None:
    """Comments further right than its key are its own."""
    assert edited(text, Remove(("b",))) == left


def test_a_mapping_whose_only_key_is_removed_is_an_empty_one() -> None:
    """Nothing at all would be another value."""
    assert edited("a:\n  b:\n  - x\nc: 2\n", Remove(("a", "b"))) == "a: {}\nc: 2\n"
    assert edited("a:\n  b: 1\n", Remove(("a", "b"))) == "a: {}\n"


@pytest.mark.parametrize(("text", "route"), [("a: {b: 1, c: 2}\n", ("a", "b")), ("a: [{b: 1, c: 2}]\n", ("a", 0, "b"))])
def test_a_key_without_a_line_of_its_own_is_not_removed(text: str, route: Route) -> None:
    with pytest.raises(Refused, match="line of its own"):
        edited(text, Remove(route))


def test_a_refusal_in_the_middle_leaves_no_edit_made() -> None:
    """Edits are made together or not at all."""
    with pytest.raises(Refused, match="not a list"):
        edited("a: 1\nb: 2\n", Set(("a",), 3), Append(("b",), 4))


def test_edits_see_those_before_them() -> None:
    """Edits are made in turn."""
    made = edited("a: 1\n", Append(("b",), {"k": 1}), Set(("b", 0, "l"), "x"), Append(("b", 0, "m"), 2), Set(("a",), 4))
    assert made == "a: 4\nb:\n- k: 1\n  l: x\n  m:\n  - 2\n"


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.parent.name)
def test_the_shipped_records_take_the_edits_of_an_incident(path: Path) -> None:
    """A new timeline entry, action item and state add their lines and change no other."""
    text = path.read_text(encoding="utf-8")
    entry = {"at": "2025-06-01T12:05:00Z", "kind": "note", "event": "Seen: again", "by": "@a"}
    todo = {"id": "AI-99", "title": "Look", "due": "2025-07-01"}
    made = edited(text, Append(("timeline",), entry), Append(("action_items",), todo), Set(("state",), "reopened"))
    new = made.splitlines()
    gone = [line for line in text.splitlines() if line not in new]
    assert [line.partition(":")[0] for line in gone] in ([], ["state"])
    for line in (
        "- at: 2025-06-01T12:05:00Z",
        '  event: "Seen: again"',
        "- id: AI-99",
        "  due: 2025-07-01",
        "state: reopened",
    ):
        assert line in new
    assert list(document(made).data) == sorted(document(made).data, key=ORDER(()).index)


def test_the_order_of_keys_is_the_schemas() -> None:
    """Through references, list items and choices; no order where the schema names no keys."""
    assert ORDER(())[:3] == ["id", "title", "description"]
    assert ORDER(("times",))[:3] == ["started", "detected", "declared"]
    assert ORDER(("action_items", 4))[:2] == ["id", "title"]
    assert ORDER(("impact", "users")) == ["count", "percent"]
    assert ORDER(("roles", "others")) == ORDER(("nothing", "such")) == []


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (1, True), (0, False), (0.0, -0.0), ("1", 1), (None, False), ([], {}), ([1], [1.0])]
)
def test_values_of_two_types_are_not_the_same(one: Any, other: Any) -> None:
    """Equality as Python has it is not enough."""
    assert not same_data({"a": [one]}, {"a": [other]})
    assert same_data({"a": one, "b": other}, {"b": other, "a": one})


# ------------------------------------------------------------------ random texts, random edits


@pytest.mark.law("edits of records", "any layout", EXAMPLES, WHOLE)
def test_no_random_edit_changes_what_was_not_meant() -> None:
    """Whatever the layout: the text reads as meant, types and all, and every byte outside stays; or it is refused."""
    counts: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES)
    @given(st.integers(0, 2**48))
    def run(seed: int) -> None:
        counts[_try_one(random.Random(seed))] += 1

    run()
    tried = counts["made"] + counts["refused"]
    assert tried > 0.9 * sum(counts.values())
    assert counts["made"] > 0.85 * tried, counts


def _try_one(rnd: random.Random) -> str:
    text = Writer(rnd).document()
    before = read_yaml(text, "f.yaml")
    if not isinstance(before, Document):
        with pytest.raises(Refused):
            edit(text, [Set(("a",), 1)], order=_no_order, file="f.yaml")
        return "unreadable"
    wanted = any_edit(rnd, before.data)
    keys = rnd.sample(["id", "title", "new", "zz", "roles", "state"], 6)
    made = _outcome(text, wanted, keys)
    if isinstance(made, Refused):
        assert made.where.startswith("f.yaml:")
        assert made.hint
        assert "something else" not in made.message, "a construct that is not edited has no name"
        return "refused"
    _check(before, wanted, made)
    if isinstance(wanted, Set):
        assert edit(made, [wanted], order=_no_order) == made
    return "made"


def _outcome(text: str, wanted: Edit, keys: list[str]) -> str | Refused:
    try:
        return edit(text, [wanted], order=lambda route: keys, file="f.yaml")
    except Refused as refusal:
        return refusal


def _no_order(route: Route) -> list[str]:
    return []


def _check(before: Document, wanted: Edit, made: str) -> None:
    after = document(made)
    assert _lone_returns(made) <= _lone_returns(before.text), "a CRLF was torn apart"
    target = wanted.route
    while target and not _is_there(before.data, target):
        target = target[:-1]
    meant = _apply(before.data, wanted)
    assert _typed(after.data) == _typed(meant)
    if _typed(before.data) == _typed(meant):
        assert made == before.text
        return
    old = at(before.data, target)
    if old and isinstance(old, dict | list) and (isinstance(wanted, Append) or target != wanted.route):
        kept = _alike(before.text, made) + _alike(before.text[::-1], made[::-1])
        assert kept >= len(before.text), "more than an insertion"
        outside = before.text
    else:
        start, end = _span(before, target)
        assert made.startswith(before.text[:start])
        assert made.endswith(before.text[end:])
        outside = before.text[:start] + before.text[end:] if old and isinstance(old, dict | list) else before.text
    written = iter(re.findall("#~[0-9]+~", made))
    swallowed = set(re.findall("#~[0-9]+~", repr(before.data)))  # by a block text: no comments
    comments = [one for one in re.findall("#~[0-9]+~", outside) if one not in swallowed]
    assert all(one in written for one in comments), "a comment was lost or moved"


def _lone_returns(text: str) -> int:
    return len(re.findall("\r(?!\n)", text))


def _alike(one: str, other: str) -> int:
    """How many characters at the start are the same."""
    return next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))


def _span(before: Document, route: Route) -> tuple[int, int]:
    """From the key (or item) to the line of the next one, or to the next one itself where they share a line."""
    start = before.keys[route].index if route in before.keys else before.values[route].index
    marks = [
        mark
        for table in (before.keys, before.values)
        for other, mark in table.items()
        if other[: len(route)] != route and mark.index > start
    ]
    if not marks:
        return start, len(before.text)
    following = min(marks, key=lambda mark: mark.index)
    line = following.index - following.column
    alone = not before.text[line : following.index].strip(" -")
    return start, line if alone and line > start else following.index


def _is_there(data: Any, route: Route) -> bool:
    try:
        at(data, route)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _apply(data: Any, wanted: Edit) -> Any:
    """The edit on data alone, from the top down, written unlike the code under test."""
    if not wanted.route:
        return [*(data or []), wanted.value] if isinstance(wanted, Append) else wanted.value
    step, below = wanted.route[0], type(wanted)(wanted.route[1:], wanted.value)
    if isinstance(data, list):
        return [_apply(one, below) if place == step else one for place, one in enumerate(data)]
    return {**(data or {}), step: _apply((data or {}).get(step), below)}


def _typed(value: Any) -> Any:
    """A value that equals another only when all types do."""
    if isinstance(value, dict):
        return {name: _typed(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_typed(one) for one in value]
    return type(value).__name__, repr(value)
