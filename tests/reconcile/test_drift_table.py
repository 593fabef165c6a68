"""The tables of docs/reconcile.md and their tests are the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reconcile.md"


def named_in(file: str) -> set[str]:
    """The names of the tests in a module, by its place from here."""
    return set(re.findall(r"^def (test_\w+)", (HERE / file).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize(
    ("title", "file", "others"),
    [
        (
            "## What people do on the tracker",
            "test_drift.py",
            ("test_outcomes.py", "test_called.py", "../cli/test_ack_box.py"),
        ),
        ("## When an issue and its record contradict each other", "test_conflicts.py", ()),
    ],
)
def test_every_row_is_a_test_and_every_test_is_a_row(title: str, file: str, others: tuple[str, ...]) -> None:
    """A row without a test is a promise; a test without a row is a secret. The names stand in a comment of each row."""
    part = PAGE.read_text(encoding="utf-8").partition(f"{title}\n")[2].partition("\n## ")[0]
    rows = part.partition("| --- |")[2].splitlines()[1:]
    cells = [re.search(r"<!--(test_\w+(?:,test_\w+)*)--> \|$", row) for row in rows if row.startswith("|")]
    assert None not in cells
    named = [name for cell in cells if cell for name in cell[1].split(",")]
    assert len(named) == len(set(named))
    assert set(named) <= set().union(*map(named_in, (file, *others)))
    assert named_in(file) <= set(named)
