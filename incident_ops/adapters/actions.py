"""What GitHub Actions gives a step: the file its summary is written to."""

from __future__ import annotations

import os
from pathlib import Path

from incident_ops.errors import WriteFailed

SUMMARY = "GITHUB_STEP_SUMMARY"


def summary_size() -> int | None:
    """The bytes the summary of this step has already; None where there is no summary to write."""
    path = os.environ.get(SUMMARY)
    if not path:
        return None
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def add_to_summary(text: str) -> None:
    """Appends to the summary of this step. WriteFailed where the system refuses."""
    path = Path(os.environ[SUMMARY])
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise WriteFailed(f"the summary of the step cannot be written: {error.strerror}", where=str(path)) from error
