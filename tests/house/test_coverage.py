"""docs/coverage.md names only files and tests that exist, and each row of the records once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/coverage.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if re.match(r"\| R[0-9]", line)]
NAMED = sorted(set(re.findall(r"`([\w./-]+/[\w./-]*(?:::\w+)?)`", TEXT)))
OF_RECORDS = (
    *range(1, 22),
    *range(75, 79),
    *range(82, 87),
    *range(92, 96),
    *(97, 99),
    *range(103, 119),
    *(122, 185),
    *range(188, 193),
    247,
)


def _numbers(row: str) -> list[int]:
    found: list[int] = []
    for first, last in re.findall(r"R([0-9]+)(?:-R([0-9]+))?", row.split("|")[1]):
        found += range(int(first), int(last or first) + 1)
    return found


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_exists(name: str) -> None:
    """Each path is there, and each test function is defined in its file."""
    path, _, function = name.partition("::")
    assert (ROOT / path).exists()
    if function:
        assert re.search(rf"^(?:async )?def {function}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_row_names_a_place_and_a_test(row: str) -> None:
    """A row without a test is a claim."""
    _, _, what, where, tests, _ = row.split("|")
    assert what.strip()
    assert "`" in where
    assert re.search(r"`tests/[\w/]+\.py::test_\w+`", tests)


def test_the_rows_of_the_records_stand_here_once_each() -> None:
    """None is missing, none is there twice."""
    numbers = [number for row in ROWS for number in _numbers(row)]
    assert sorted(number for number in numbers if number in OF_RECORDS) == sorted(OF_RECORDS)
    assert len(numbers) == len(set(numbers))
