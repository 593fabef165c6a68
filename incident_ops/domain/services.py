"""A service of services.yaml: who owns it and what it needs (docs/contract.md#files).

A service level objective as a value.
"""

from __future__ import annotations

from typing import NamedTuple

from incident_ops.domain.incident import Value


class Service(Value, frozen=True):
    """One service. `slo` in percent, or the path of an OpenSLO file; `pager_key_env` names an environment variable,
    never a key."""

    owner: str
    tier: int | None = None
    slo: float | str | None = None
    paths: list[str] = []
    runbook: str | None = None
    depends_on: list[str] = []
    labels: dict[str, str] = {}
    public_name: str | None = None
    pager_key_env: str | None = None


Services = dict[str, Service]
"""Services by name, in the file's order."""


TIME_BUDGET, REQUEST_BUDGET = "time", "requests"


class Objective(NamedTuple):
    """`target_pct` in percent over a rolling `window` (seconds); `mode` TIME or REQUESTS (C19)."""

    target_pct: float
    window: int
    mode: str = TIME_BUDGET
