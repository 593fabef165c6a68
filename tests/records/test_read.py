"""The reader: the YAML 1.2 core schema, the place of everything, and what is refused because readers differ on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from incident_ops.findings import Finding, Level, Where
from incident_ops.records.yaml_reader import MAX_BYTES, MAX_DEPTH, Document, read_bytes, read_yaml
from tests.support.patience import patience

ROOT = Path(__file__).resolve().parents[2]
RECORDS = sorted([*ROOT.glob("incidents/*/incident.yaml"), *ROOT.glob("examples/*/incidents/*/incident.yaml")])
Route = tuple[str | int, ...]


def data_of(text: str) -> Any:
    """The data of a text that must be readable."""
    document = read_yaml(text, "f.yaml")
    assert isinstance(document, Document), document
    return document.data


def refusal_of(text: str | bytes) -> Finding:
    """The last finding on a text that must be refused."""
    found = read_bytes(text, "f.yaml") if isinstance(text, bytes) else read_yaml(text, "f.yaml")
    assert isinstance(found, list), f"was read as {found.data!r}"
    assert found
    assert all(one.level is Level.ERROR and one.message and one.hint and one.where.file == "f.yaml" for one in found)
    return found[-1]


# ------------------------------------------------------------------ scalars


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None), ("nULL", "nULL"),
        ("true", True), ("True", True), ("FALSE", False), ("tRUE", "tRUE"),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"), ("N", "N"),
        ("0", 0), ("-0", 0), ("12", 12), ("+12", 12), ("-12", -12), ("0o17", 15), ("0x1F", 31),
        ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-1.5E-2", -0.015),
        ("1_000", "1_000"), ("0b1", "0b1"), ("1.2.3", "1.2.3"), ("1e", "1e"), ("+", "+"), (".", "."), ("e3", "e3"),
        ("12:30", "12:30"), ("190:20:30", "190:20:30"), ("2025-01-26", "2025-01-26"),
        ("2025-01-26T12:05:00Z", "2025-01-26T12:05:00Z"), ("2025-01-26 12:05:00", "2025-01-26 12:05:00"),
        ("<<", "<<"), ("=", "="), ("-.5", -0.5), ("-inf", "-inf"), ("nan", "nan"),
        ("'12'", "12"), ('"true"', "true"), ("'null'", "null"), ("''", ""), ("'0123'", "0123"), ('"a\\u00e9"', "aé"),
    ],
)  # fmt: skip
def test_a_plain_value_means_what_the_core_schema_says(written: str, meant: Any) -> None:
    """Words, numbers and instants mean the same as to a YAML 1.2 reader, with the very type."""
    value = data_of(f"a: {written}\n")["a"]
    assert (value, type(value)) == (meant, type(meant))


@pytest.mark.parametrize(
    "written", ["0123", "-0123", "00", ".nan", ".NaN", ".inf", "-.Inf", "+.INF", "1" * 19, "1e999", "9" * 5000]
)
def test_a_number_that_readers_disagree_about_is_refused(written: str) -> None:
    """Octal by some, infinite, not a number, or too long: refused at its place, with a way out."""
    found = refusal_of(f"x: 1\na: {written}\n")
    assert (found.rule, found.where.line, found.where.column) == ("number", 2, 4)


def test_block_scalars_are_text() -> None:
    """Folded and literal blocks are text whatever they look like."""
    assert data_of("a: |\n  12\nb: >-\n  true\n  no\n") == {"a": "12\n", "b": "true no"}


# ------------------------------------------------------------------ refusals

REFUSED = {
    "anchor": ("a: &x 1\n", "yaml-feature", 1, 4),
    "anchor on a mapping": ("a: &x\n  b: 1\n", "yaml-feature", 1, 4),
    "anchor on a key": ("&x a: 1\n", "yaml-feature", 1, 1),
    "alias": ("a: 1\nb: *x\n", "yaml-feature", 2, 4),
    "alias as a key": ("a: 1\n*x : 2\n", "yaml-feature", 2, 1),
    "merge key": ("a: 1\n<<: {b: 1}\n", "yaml-feature", 2, 1),
    "standard tag": ("a: !!str 1\n", "yaml-feature", 1, 4),
    "own tag": ("a: !ours 1\n", "yaml-feature", 1, 4),
    "tag on a list": ("a: !!set [x]\n", "yaml-feature", 1, 4),
    "non-specific tag": ("a: ! 12\n", "yaml-feature", 1, 4),
    "python tag": ("a: !!python/object/apply:os.system ['true']\n", "yaml-feature", 1, 4),
    "second document": ("a: 1\n---\nb: 2\n", "yaml-feature", 2, 1),
    "explicit key": ("? a\n: 1\n", "yaml-feature", 1, 3),
    "explicit key in a flow": ("x: {? a : 1}\n", "yaml-feature", 1, 7),
    "explicit key on the next line": ("?\n  a\n: 1\n", "yaml-feature", 2, 3),
    "block scalar as a key": ("? |\n  a\n: 1\n", "yaml-feature", 1, 3),
    "list as a key": ("[a]: 1\n", "yaml-feature", 1, 1),
    "mapping as a key": ("{a: 1}: 1\n", "yaml-feature", 1, 1),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", "duplicate-key", 3, 1),
    "duplicate key deeper": ("a:\n- b: 1\n  b: 2\n", "duplicate-key", 3, 3),
    "duplicate key in another style": ("a: 1\n'a': 2\n", "duplicate-key", 2, 1),
    "byte-order mark": ("\ufeffa: 1\n", "encoding", 1, 1),
    "control character": ("a: x\x07y\n", "encoding", 1, 5),
    "tab as indentation": ("a:\n\tb: 1\n", "syntax", 2, 1),
    "bare colon": ("a: b: c\n", "syntax", 1, 5),
    "unclosed list": ("a: [1, 2\nb: 3\n", "syntax", 2, 2),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_be_read_differently_is_refused_at_its_place(case: str) -> None:
    """Each construct outside the plain subset is refused, on its line and column."""
    text, rule, line, column = REFUSED[case]
    found = refusal_of(text)
    assert (found.rule, found.where.line, found.where.column) == (rule, line, column)


@pytest.mark.parametrize("text", ["", " \n\n", b"", b"\n"])
def test_an_empty_file_is_no_record(text: str | bytes) -> None:
    """Nothing is not the same as a record with nothing in it."""
    assert refusal_of(text).rule == "file"


def test_bytes_that_are_no_text_are_told_with_their_place() -> None:
    """The first byte that is not UTF-8 is named, with line and column."""
    found = refusal_of(b"a: 1\nb: \xff\xfe\n")
    assert (found.rule, found.where.line, found.where.column) == ("encoding", 2, 4)
    assert "0xff" in found.message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", 1),
        ("x: 0\na:\n- b: 1\n- c: 1\n  b:\n    b: [b]\n    d: 2\n  d: 3\n  c: 4\n", 4),
        ("- [a, {b: 1}]\n- - c\n  - d:\n      e: f\n      g: {e: 1}\n      e: 2\n", 4),
        ("{a: {a: 1},\n b: {a: 2,\n c: 3}, c: {},\n b: 4}\n", 2),
    ],
)
def test_a_duplicate_key_names_the_line_of_the_first(text: str, line: int) -> None:
    """Both places are told, also below lists and beside keys of the same name elsewhere."""
    assert refusal_of(text).message.endswith(f"the first is on line {line}")


def test_a_broken_quote_is_also_reported_where_it_opened() -> None:
    """The place where reading stopped is rarely the place to fix."""
    found = read_yaml('a: 1\nb: "open\nc: 2\nd: 3\n', "f.yaml")
    assert isinstance(found, list)
    assert found[0].where.line == 2
    assert found[0].where.column == 4
    assert "quote" in found[0].message


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        (
            "a: 1\n<<<<<<< ours\nb: 2\n=======\nb: 3\nd: 1\n>>>>>>> theirs\nc: 4\n",
            "ours has line 3, theirs has lines 5-6",
        ),
        (
            "a:\n- b\n<<<<<<< HEAD\n- c\n- e\n||||||| base\n- f\n=======\n>>>>>>> main\n",
            "HEAD has lines 4-5, main has no line here",
        ),
        (
            f"a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> {'e69b8366' * 5}\n",
            "HEAD has line 3, e69b8366e69b has line 5",
        ),
        (
            "a: 1\r\n<<<<<<< HEAD\r\nb: 2\r\n=======\r\nb: 3\r\n>>>>>>> 1a2b3c4 (Login fails for everybody)\r\n",
            "HEAD has line 3, 1a2b3c4 (Login fails for ev... has line 5",
        ),
    ],
)
def test_a_conflict_of_a_merge_is_called_one_with_the_lines_of_its_sides(text: str, sides: str) -> None:
    """Not a fault of the indentation: the marker's own line, and what to do about it."""
    finding = refusal_of(text)
    assert (finding.rule, finding.message) == ("syntax", f"a merge conflict is not resolved: {sides}")
    assert "keep what is right" in finding.hint
    assert text.splitlines()[finding.where.line - 1].startswith("<<<<<<<")


def test_every_conflict_of_a_file_is_named() -> None:
    hunk = "<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> main\n"
    found = read_yaml(f"a: 1\n{hunk}c: 4\n{hunk}", "f.yaml")
    assert isinstance(found, list)
    assert [one.where.line for one in found] == [2, 8]


def test_a_quote_closed_by_a_later_one_is_reported_where_it_opened() -> None:
    """A forgotten quote swallows lines until the next quote; the opening line is told first."""
    found = read_yaml('a: "open\nb: 2\nc: "x"\n', "f.yaml")
    assert isinstance(found, list)
    assert [one.where.line for one in found] == [1, 3]


def test_a_question_mark_in_a_text_is_no_explicit_key() -> None:
    """Only a `?` that opens a key is refused."""
    assert data_of("why?: because\nb: is it? yes\nc:\n- ?x\n") == {"why?": "because", "b": "is it? yes", "c": ["?x"]}


def test_comments_a_leading_marker_and_windows_line_ends_are_fine() -> None:
    """What editors and people add does not disturb the reading."""
    assert data_of("# c\n---\na: 1 # one\r\nb: [x, y] # two\r\n...\n") == {"a": 1, "b": ["x", "y"]}


# ------------------------------------------------------------------ limits


def test_a_file_over_the_limit_is_refused_before_it_is_read() -> None:
    """256 KiB is the limit, a byte more is a finding; 1 MB costs nothing."""
    just = b"a: " + b"x" * (MAX_BYTES - 4) + b"\n"
    assert isinstance(read_bytes(just, "f.yaml"), Document)
    assert refusal_of(just + b"#").rule == "file"
    assert refusal_of(b"a: 1\n" * 200_000).rule == "file"


@pytest.mark.parametrize(("open_", "close"), [("[", "]"), ("{a: ", "}")])
def test_nesting_ends_at_the_limit(open_: str, close: str) -> None:
    """20 levels are read, 21 are refused."""
    assert isinstance(read_yaml(open_ * MAX_DEPTH + "1" + close * MAX_DEPTH, "f.yaml"), Document)
    assert refusal_of(open_ * (MAX_DEPTH + 1) + "1" + close * (MAX_DEPTH + 1)).rule == "nesting"


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
HOSTILE = {
    "alias bomb": BOMB,
    "5,000 open brackets": "[" * 5_000,
    "5,000 brackets": "[" * 5_000 + "]" * 5_000,
    "5,000 braces": "{a: " * 5_000,
    "5,000 dashes": "- " * 5_000 + "x",
    "5,000 question marks": "? " * 5_000,
    "one line of many keys": "{" + ", ".join(f"k{n}: 1" for n in range(22_000)) + ', q: "?"}',
    "many keys on many lines": "".join(f"k{n}: ?{n}\n" for n in range(18_000)),
    "many quotes": "a: '" + "''" * 100_000 + "'",
    "unclosed quote": 'a: "' + "x\n" * 100_000,
    "many colons": "a:" * 100_000,
    "many comments": "#\n" * 120_000 + "a: 1\n",
    "a long number": "a: " + "9" * 200_000,
    "a long fraction": "a: 0." + "9" * 200_000,
    "long list": "[" + "1," * 120_000 + "1]",
    "many tags": "!a " * 80_000,
    "many directives": "%A b\n" * 50_000 + "--- a",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_text_neither_crashes_nor_hangs(case: str) -> None:
    """Every text up to the size limit is answered."""
    raw = HOSTILE[case].encode()
    assert len(raw) <= MAX_BYTES
    _answered(raw)


def _answered(raw: bytes) -> None:
    with patience():
        found = read_bytes(raw, "f.yaml")
    assert isinstance(found, Document) or (found and all(isinstance(one, Finding) for one in found))
    if not isinstance(found, Document):
        lines = raw.count(b"\n") + raw.count(b"\r") + raw.decode("utf-8", "replace").count("\u2028") + 2
        assert all(one.rule in ("file", "encoding") or 1 <= one.where.line <= lines for one in found)


@pytest.mark.parametrize(
    "case", ["alias bomb", "5,000 open brackets", "5,000 brackets", "5,000 braces", "5,000 dashes"]
)
def test_bombs_are_refused(case: str) -> None:
    """What would grow or nest without end is a finding."""
    assert refusal_of(HOSTILE[case]).rule in ("yaml-feature", "nesting")


@given(st.text())
@example("\u2028a: \u0085'")
def test_any_text_is_answered(text: str) -> None:
    """Arbitrary text is read or refused, never a crash."""
    _answered(text.encode())


@given(st.text(alphabet="ab01:-?[]{}#&*!|>'\"%@`.,~<= \t\n\r\u00e9\u2028", max_size=200))
def test_any_yaml_like_text_is_answered(text: str) -> None:
    """Text of YAML's own signs is read or refused, never a crash."""
    _answered(text.encode())


@given(st.binary(max_size=400))
def test_any_bytes_are_answered(raw: bytes) -> None:
    """Arbitrary bytes are read or refused, never a crash."""
    _answered(raw)


@given(st.data())
def test_a_damaged_record_is_answered(data: st.DataObject) -> None:
    """A record with a random cut and a random insertion is read or refused, never a crash."""
    raw = data.draw(st.sampled_from(RECORDS)).read_bytes()
    first = data.draw(st.integers(0, len(raw)))
    last = data.draw(st.integers(first, min(len(raw), first + 60)))
    _answered(raw[:first] + data.draw(st.binary(max_size=6) | st.text(max_size=6).map(str.encode)) + raw[last:])


# ------------------------------------------------------------------ data and places

WORDS = st.text(alphabet="abz_09 -.:#'\"?é\u4e2d", max_size=12)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=20
)
MAPS = st.dictionaries(WORDS, TREES, min_size=1, max_size=5)


@given(MAPS)
def test_json_text_is_read_as_json(tree: dict[str, Any]) -> None:
    """Quoted flow text comes back as the very values, with their types."""
    text = json.dumps(tree, ensure_ascii=False)
    assert repr(data_of(text)) == repr(json.loads(text))


def _places(node: yaml.Node, route: Route, values: dict[Route, Any], keys: dict[Route, Any]) -> None:
    values[route] = (node.start_mark.line, node.start_mark.column, node.start_mark.index)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            keys[*route, key.value] = (key.start_mark.line, key.start_mark.column, key.start_mark.index)
            _places(value, (*route, key.value), values, keys)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _places(value, (*route, index), values, keys)


def _assert_places_agree(text: str) -> None:
    document = read_yaml(text, "f.yaml")
    if not isinstance(document, Document):
        return
    values: dict[Route, Any] = {}
    keys: dict[Route, Any] = {}
    _places(yaml.compose(text, Loader=yaml.SafeLoader), (), values, keys)
    assert {route: (one.line, one.column, one.index) for route, one in document.values.items()} == values
    assert {route: (one.line, one.column, one.index) for route, one in document.keys.items()} == keys


@given(
    MAPS,
    st.sampled_from([None, False, True]),
    st.sampled_from([2, 4, 7]),
    st.sampled_from([10, 80, 10_000]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_every_key_and_value_has_the_place_that_the_node_tree_gives(
    tree: dict[str, Any], flow: bool | None, indent: int, width: int, line_end: str
) -> None:
    """Line, column and index of all keys and values are those of PyYAML's composed nodes."""
    text = yaml.safe_dump(
        tree,
        default_flow_style=flow,
        indent=indent,
        width=width,
        allow_unicode=True,
        explicit_start=indent == 7,
        line_break=line_end,
    )
    _assert_places_agree(text)


@given(st.lists(WORDS, min_size=1, max_size=5), st.sampled_from(["'", '"', "|", ">"]))
def test_every_scalar_style_has_its_place(words: list[str], style: str) -> None:
    """Quoted and block scalars begin where the node tree says."""
    _assert_places_agree(yaml.safe_dump({"a": words, "b": {"c": words}}, default_style=style, allow_unicode=True))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.parent.name)
def test_shipped_records_have_the_places_of_the_node_tree(path: Path) -> None:
    """Real records, with comments and folded text, too."""
    text = path.read_text(encoding="utf-8")
    assert isinstance(read_yaml(text, "f.yaml"), Document)
    _assert_places_agree(text)


def test_a_place_is_found_by_route_and_falls_back_to_its_parent() -> None:
    """A finding about something absent points at what should hold it."""
    document = read_yaml("a:\n  b: 1\nc:\n- d: 2\n", "f.yaml")
    assert isinstance(document, Document)

    def place(*route: str | int, on_key: bool = False) -> tuple[int, int]:
        where = document.locate(Where("f.yaml", route, on_key=on_key))
        return where.line, where.column

    assert place("a", "b") == (2, 6)
    assert place("a", "b", on_key=True) == (2, 3)
    assert place("c", 0, "d") == (4, 6)
    assert place("a", "gone") == (2, 3)
    assert place("gone", "further") == (1, 1)
