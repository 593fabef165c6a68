"""What GitHub Actions gives a step: the files its summary and its outputs are written to."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from incident_ops.errors import WriteFailed

SUMMARY, OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)


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


def set_outputs(values: Mapping[str, str]) -> None:
    """Writes outputs of this step; nothing outside GitHub Actions. The last value of a name counts.

    Each stands between random delimiters that no value can hold. WriteFailed where the system refuses.
    """
    path = os.environ.get(OUTPUT)
    if not path:
        return
    blocks = []
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of an output")
        mark = f"incident-ops-{secrets.token_hex(16)}"
        blocks.append(f"{name}<<{mark}\n{value}\n{mark}\n")
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write("".join(blocks))
    except OSError as error:
        raise WriteFailed(f"the outputs of the step cannot be written: {error.strerror}", where=path) from error
