"""Findings for GitHub: annotations that no text can break out of, and a summary of bounded size."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_ops.findings import Finding, Level, Where
from incident_ops.render.findings import commands, findings_summary, ordered

COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


def finding(line: int = 3, level: Level = Level.ERROR, message: str = "m", hint: str = "", file: str = "f") -> Finding:
    return Finding("label", level, Where(file, (), line, 2 if line else 0), message, hint)


def never(_one: Finding) -> bool:
    return False


def unescaped(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def test_an_annotation_names_file_line_column_and_rule() -> None:
    told = commands([finding(message="no", hint="do")], "ops/", never)
    assert told == "::error file=ops/f,line=3,col=2,title=label::no%0Afix: do\n"
    assert commands([finding(0)], "", never) == "::error file=f,title=label::m\n"
    assert commands([], "", never) == ""


@given(st.text(max_size=60), st.text(max_size=60), st.text(min_size=1, max_size=20))
def test_no_text_breaks_out_of_its_annotation(message: str, hint: str, file: str) -> None:
    """One line, one command, three properties, whatever a record or a file's name holds."""
    told = commands([finding(message=message, hint=hint, file=file)], "", never)
    assert told.count("\n") == 1
    assert told.splitlines() == [told[:-1]]
    parsed = COMMAND.fullmatch(told[:-1])
    assert parsed
    properties = [one.split("=", 1)[0] for one in parsed[2].split(",")]
    assert properties == ["file", "line", "col", "title"]
    assert unescaped(parsed[3]).split("\n")[0].isprintable()


def test_special_characters_are_escaped_once() -> None:
    told = commands([finding(message="100% a,b:c", file="a,b:c%.yaml")], "", never)
    assert told == "::error file=a%2Cb%3Ac%25.yaml,line=3,col=2,title=label::100%25 a,b:c\n"


@pytest.mark.parametrize(
    ("count", "lines", "last"), [(9, 9, "m"), (10, 10, "and 1 error more"), (60, 10, "and 51 errors more")]
)
def test_at_most_ten_annotations_of_a_level(count: int, lines: int, last: str) -> None:
    """GitHub drops the eleventh without a word."""
    told = commands([finding(n + 1) for n in range(count)], "", never).splitlines()
    assert len(told) == lines
    assert last in told[-1]


def test_levels_do_not_take_each_others_room() -> None:
    found = [finding(n + 1, level) for n in range(20) for level in Level]
    told = commands(found, "", never).splitlines()
    assert [line.split(" ")[0] for line in told] == ["::error"] * 10 + ["::warning"] * 10 + ["::notice"] * 10


def test_lines_of_this_change_come_first() -> None:
    """Of twenty errors the one on a changed line is never left out."""
    found = [finding(n + 1) for n in range(20)]
    told = commands(found, "", lambda one: one.where.line == 20)
    assert "line=20," in told.splitlines()[0]
    assert [one.where.line for one in ordered(found, lambda one: one.where.line > 18)][:3] == [19, 20, 1]


def test_the_summary_is_a_table_that_no_text_breaks() -> None:
    text = findings_summary([finding(message="a | b\n<img> @ann `x", hint="c|d")], 3, 2, "ops/", never)
    assert text.startswith(
        "## Incident records: fix the errors before merging\n\n3 files checked: 1 error, 2 suppressed\n"
    )
    (row,) = [line for line in text.splitlines() if line.startswith("| error")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    assert "<img" not in row
    assert "@ann" not in row
    assert "`ops/f:3`" in row
    assert findings_summary([], 3, 0, "", never) == "## Incident records: fine\n\n3 files checked: all fine\n"


def test_warnings_alone_are_fine() -> None:
    assert "records: fine\n" in findings_summary([finding(level=Level.WARNING)], 1, 0, "", never)


@given(st.integers(0, 3000), st.integers(0, 40))
def test_the_summary_keeps_its_size(room: int, count: int) -> None:
    """Over the limit GitHub shows nothing at all; what is left out is counted."""
    found = [finding(n + 1, message="ü" * n) for n in range(count)]
    text = findings_summary(found, 3, 0, "", never, room)
    assert len(text.encode()) <= room
    rows = text.count("| error |")
    if text and rows < count:
        assert f"and {count - rows} finding" in text
