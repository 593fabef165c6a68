"""Golden files: what a program printed when a person approved it. `make goldens` writes all of them anew.

A golden that was copied from a playbook by hand is no output of the program, and is compared by its own test
(`tests/presets/golden`): nothing writes it.
"""

from __future__ import annotations

import os
from pathlib import Path

IS_WRITTEN = os.environ.get("INCIDENT_OPS_WRITE_GOLDENS") == "1"


def assert_golden(path: Path, text: str) -> None:
    """The text is that of the golden file, byte for byte; under `make goldens` it is written there first."""
    if IS_WRITTEN:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    assert text == path.read_bytes().decode(), f"{path} differs; if the new text is right, run `make goldens`"
