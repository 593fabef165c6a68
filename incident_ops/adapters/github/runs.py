"""Runs of GitHub Actions: whether one is over."""

from __future__ import annotations

import re

import msgspec

from incident_ops.adapters.github.client import Client
from incident_ops.adapters.github.responses import check
from incident_ops.errors import Incomplete

_RUN = re.compile(r"(\d{1,20})/(\d{1,9})", re.ASCII)


class _Run(msgspec.Struct, frozen=True):
    status: str | None = None
    run_attempt: int = 1


class WorkflowRuns:
    """The runs of one repository."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def is_over(self, run: str) -> bool:
        """True where GitHub says that a run, `ID/ATTEMPT`, has ended; False where it or this token does not tell."""
        found = _RUN.fullmatch(run)
        if found is None:
            return False
        try:
            answer = self._client.ask("GET", f"/actions/runs/{found[1]}")
            if answer.status != 200:
                return False
            seen = check(answer.data, _Run, f"looking up run {found[1]}")
        except Incomplete:
            return False
        return seen.status == "completed" or seen.run_attempt > int(found[2])
