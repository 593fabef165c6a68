"""The table of docs/reconcile.md and its tests are the same."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reconcile.md"


def test_every_row_is_a_test_and_every_test_of_drift_is_a_row() -> None:
    """A row without a test is a promise; a test without a row is a secret."""
    part = PAGE.read_text(encoding="utf-8").partition("## What people do on the tracker")[2].partition("\n## ")[0]
    named = re.findall(r"^\| .* \| `(test_\w+)` \|$", part, re.MULTILINE)
    drift = set(re.findall(r"^def (test_\w+)", (HERE / "test_drift.py").read_text(encoding="utf-8"), re.MULTILINE))
    others = set(re.findall(r"^def (test_\w+)", (HERE / "test_outcomes.py").read_text(encoding="utf-8"), re.MULTILINE))
    assert len(named) == len(set(named))
    assert set(named) <= drift | others
    assert drift <= set(named)
