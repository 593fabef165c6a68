"""Golden files: what a program printed when a person approved it. `make goldens` writes all of them anew.

A golden that was copied from a playbook by hand is no output of the program, and is compared by its own test
(`tests/presets/golden`): nothing writes it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

IS_WRITTEN = os.environ.get("INCIDENT_OPS_WRITE_GOLDENS") == "1"


def assert_golden(path: Path, text: str) -> None:
    """The text is that of the golden file, byte for byte; under `make goldens` it is written there first."""
    if IS_WRITTEN:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    assert text == path.read_bytes().decode(), f"{path} differs; if the new text is right, run `make goldens`"


def assert_excerpt(page: Path, mark: str, table: str) -> None:
    """Every row that a page shows between its two marks is a row of the table, in the same order."""
    shown = page.read_text(encoding="utf-8").partition(f"<!-- {mark}: ")[2].partition(f"<!-- {mark}: end -->")[0]
    rows = iter(table.splitlines())
    excerpt = re.findall(r"^\|.*\|$", shown, re.MULTILINE)
    assert len(excerpt) > 4, f"{page} has no table `{mark}`"
    assert [row for row in excerpt if row not in rows] == [], f"{page}: not as it is sent"
