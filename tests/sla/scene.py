"""Records and policies for tests of the clocks: declared on a Wednesday at noon, everything else counted from there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from incident_ops.domain.as_of import as_of
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import duration, stamp
from incident_ops.records.yaml_reader import read_yaml
from incident_ops.sla.clocks import Clock, clocks
from tests.support.policies import policy

ROOT = Path(__file__).resolve().parents[2]
DECLARED = "2025-01-22T12:00:00Z"  # a Wednesday


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def after(span: str) -> str:
    """An instant so long after the declaration."""
    return stamp(at(DECLARED) + timedelta(seconds=duration(span)))


SEV = policy("sev0-3")
ITIL = policy("itil-p1-p4")


def incident(times: dict[str, str] | None = None, **fields: Any) -> Incident:
    given = {"id": "INC-1", "title": "t", "services": ["app"], "state": "new", **fields}
    given["times"] = {"declared": DECLARED, **(times or {})}
    return msgspec.convert(given, Incident)


def clock(name: str, record: Incident, rules: Policy, now: str) -> Clock:
    return next(found for found in clocks(as_of(record, at(now)), rules) if found.clock == name)


def example(preset: str, incident_id: str) -> Incident:
    path = ROOT / "examples" / preset / "incidents" / incident_id / "incident.yaml"
    document = read_yaml(path.read_text(encoding="utf-8"), str(path))
    assert not isinstance(document, list), document
    return msgspec.convert(document.data, Incident)


def update(span: str, audience: str = "internal") -> dict[str, str]:
    return {"at": after(span), "audience": audience, "status": "investigating", "text": "t"}


def change(span: str, field: str, old: str, new: str) -> dict[str, str]:
    return {"at": after(span), "field": field, "from": old, "to": new}
