"""The tables of docs/reconcile.md, and of its decision for what is seldom met, and their tests are the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
PAGES = DOCS / "reconcile.md", DOCS / "decisions/0007-reconcile.md"


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
    parts = [page.read_text(encoding="utf-8").partition(f"{title}\n")[2].partition("\n## ")[0] for page in PAGES]
    rows = [row for part in parts for row in part.partition("| --- |")[2].splitlines()[1:] if row.startswith("|")]
    cells = [re.search(r"<!--(test_\w+(?:,test_\w+)*)--> \|$", row) for row in rows]
    assert None not in cells
    named = [name for cell in cells if cell for name in cell[1].split(",")]
    assert len(named) == len(set(named))
    assert set(named) <= set().union(*map(named_in, (file, *others)))
    assert named_in(file) <= set(named)
