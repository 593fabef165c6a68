"""Counts from a file: the form is strict, the cells are the gate's business."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_ops.adapters.metrics.file import Row, counts_of, read_counts
from incident_ops.canary.counters import Counts, Gap, to_counts
from incident_ops.errors import UserError

HEAD = "t,canary_requests,canary_errors,baseline_requests,baseline_errors\n"


def test_a_row_is_a_tick(tmp_path: Path) -> None:
    """Columns in any order, by their names; blank lines between rows mean nothing."""
    (tmp_path / "a.csv").write_text(HEAD + "15,100,1,900,9\n\n30,100,0,900,8\n")
    rows = read_counts(tmp_path / "a.csv")
    assert rows[0] == Row(15.0, "100", "1", "900", "9")
    assert [row.t for row in rows] == [15, 30]
    turned = "baseline_errors,t,canary_errors,canary_requests,baseline_requests\n9,15,1,100,900\n"
    assert counts_of(turned, "a.csv") == rows[:1]


@pytest.mark.parametrize("cell", ["", "NaN", "null", "-1", "1e400", "x", "Inf", "0x10", "1_000"])
def test_a_cell_without_a_count_is_a_tick_without_data(cell: str) -> None:
    """Passed on as it stands; the gate finds no count in it."""
    row = counts_of(f"{HEAD}15,{cell},0,900,9\n", "a.csv")[0]
    assert isinstance(to_counts(row.canary_errors, row.canary_requests, "canary"), Gap)
    assert to_counts(row.baseline_errors, row.baseline_requests, "baseline") == Counts(9, 900)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("", "a.csv:1", "columns are others"),
        ("t,requests\n", "a.csv:1", "columns are others"),
        (HEAD.replace("t,", "t,t,"), "a.csv:1", "columns are others"),
        (HEAD, "a.csv", "no rows"),
        (HEAD + "15,1,1,1\n", "a.csv:2", "4 cells"),
        (HEAD + "15,1,0,1,0\nsoon,1,0,1,0\n", "a.csv:3", "t is 'soon'"),
        (HEAD + "nan,1,0,1,0\n", "a.csv:2", "t is 'nan'"),
        (HEAD + "30,1,0,1,0\n15,1,0,1,0\n", "a.csv:3", "t goes back from 30 to 15"),
        (HEAD + "1737900000,1,0,1,0\n", "a.csv:2", "seconds since 1970"),
        (HEAD + "1737900000000,1,0,1,0\n", "a.csv:2", "milliseconds since 1970"),
        (HEAD + '15,"1,0,1,0\n', "a.csv:2", "no CSV"),
    ],
)
def test_a_file_of_another_form_is_told_with_its_line(text: str, where: str, message: str) -> None:
    """A usage error: exit code 2, and never a verdict."""
    with pytest.raises(UserError, match=message) as told:
        counts_of(text, "a.csv")
    assert told.value.where == where


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Not there, a folder, no text."""
    (tmp_path / "b").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "b"):
        with pytest.raises(UserError):
            read_counts(path)


def test_what_mends_a_file_is_told() -> None:
    """The columns that were found, and what to take from an instant."""
    for text, words in (
        ("t,requests\n", ("found t,requests", "expected t,canary_requests")),
        ("", ("found none", "expected t,canary_requests")),
        (HEAD + "1737900000,1,0,1,0\n", ("subtract the start of the run", "t - 1737900000")),
        (HEAD + "1737900000000,1,0,1,0\n", ("subtract the start of the run", "(t - 1737900000000) / 1000")),
    ):
        with pytest.raises(UserError) as told:
            counts_of(text, "a.csv")
        assert [word for word in words if word not in f"{told.value} {told.value.hint}"] == []


def test_what_a_spreadsheet_saves_is_taken(tmp_path: Path) -> None:
    """A byte-order mark before the first column."""
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + f"{HEAD}15,100,1,900,9\n".replace("\n", "\r\n").encode())
    assert read_counts(tmp_path / "a.csv") == [Row(15.0, "100", "1", "900", "9")]


def test_an_empty_name_is_told_as_such() -> None:
    """Not as a folder."""
    with pytest.raises(UserError, match="is empty"):
        read_counts("")
