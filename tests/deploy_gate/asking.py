"""Questions and records for the tests of the whole gate check."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from incident_ops.deploy_gate.check import DeployFacts, DeployRequest, check_deploy
from incident_ops.deploy_gate.verdict import Verdict
from incident_ops.domain.incident import Incident
from incident_ops.domain.planned_changes import Freeze, Maintenance
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.record import Record
from tests.support import policies

NOW = datetime(2025, 1, 22, 13, tzinfo=UTC)  # a Wednesday
SHA = "7be19f2" + "0" * 33
SERVICES = {
    "auth": Service(owner="@team", depends_on=["database"]),
    "database": Service(owner="@team", depends_on=["disk"]),
    "disk": Service(owner="@team"),
}


def policy(extra: str = "", preset: str = "sev0-3") -> Policy:
    """A preset with overrides."""
    return policies.policy(preset, extra)


def record(number: int = 1, **fields: Any) -> Record:
    """An open SEV0 on auth."""
    given = {
        "id": f"INC-{number}",
        "title": "Login fails",
        "services": ["auth"],
        "state": "in_progress",
        "times": {"declared": "2025-01-22T12:00:00Z"},
        "severity": "SEV0",
        "roles": {"commander": "@alice"},
        **fields,
    }
    return Record(f"incidents/INC-{number}/incident.yaml", msgspec.convert(given, Incident), given)


def freeze(name: str = "year-end", **fields: Any) -> dict[str, Freeze]:
    """A freeze of everything that began an hour ago, by its path; a None takes a field out."""
    given = {"name": name, "reason": "books", "from": "2025-01-22T12:00:00Z", **fields}
    kept = {key: value for key, value in given.items() if value is not None}
    return {f"freezes/{name}.yaml": msgspec.convert(kept, Freeze)}


def override(**fields: Any) -> dict[str, Freeze]:
    """An override of SHA on auth that ends in an hour."""
    return freeze(
        "override-7be19f2",
        kind="override",
        sha=SHA,
        by="@dana",
        until="2025-01-22T14:00:00Z",
        services=["auth"],
        **fields,
    )


def change(**fields: Any) -> dict[str, Maintenance]:
    """An agreed window on auth, 12:30-13:30 UTC."""
    given = {
        "id": "CHG-2025-0001",
        "title": "Upgrade",
        "status": "approved",
        "services": ["auth"],
        "window": {"zone": "Etc/UTC", "from": "2025-01-22T12:30:00", "until": "2025-01-22T13:30:00"},
        **fields,
    }
    return {"maintenance/CHG-2025-0001.yaml": msgspec.convert(given, Maintenance)}


def known(*records: Record, rules: Policy | None = None, **words: Any) -> DeployFacts:
    """What a repository with these records says."""
    given = {"freezes": {}, "maintenance": {}, **words}
    return DeployFacts(rules or policy(), SERVICES, records, **given)


def ask(there: DeployFacts, **words: Any) -> Verdict:
    """The verdict on a deploy of auth to production at NOW."""
    given = {"service": "auth", "environment": "production", "now": NOW, **words}
    return check_deploy(DeployRequest(**given), there)


def outcome(verdict: Verdict) -> tuple[str, str, int]:
    """Verdict, reason code, exit code."""
    return verdict.verdict, verdict.reason_code, verdict.exit_code
