"""Incidents that escalate, for tests: short hands for records, policies and instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record
from incident_ops.domain.time import duration, stamp
from incident_ops.domain.tracker import Comment
from incident_ops.records.yaml_reader import read_yaml
from tests.support import policies

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2025, 1, 22, 12, tzinfo=UTC)  # a Wednesday

LADDER = """
escalation:
  tiers:
  - {id: tier-1, notify: [on_call], wait: 30m, repeat_max: 1, ack_timeout: 2h}
  - {id: tier-2, notify: [tier_2_lead], wait: 1h}
  - {id: specialists, notify: ["@dba"]}
  - {id: vendors}
  - {id: management, wait: null}
contacts:
  "@ann": {manager: "@mona", channels: [ann_mail]}
  "@mona": {manager: "@vera", channels: [mona_mail]}
  "@vera": {manager: "@ann", channels: [vera_mail]}
  "@lead": {channels: [lead_mail]}
  roles: {on_call: ["@ann"], tier_2_lead: ["@lead"], manager: ["@mona"]}
"""


NO_WAITING = """
escalation:
  tiers:
  - {id: tier-1, wait: null}
  - {id: tier-2, wait: null}
  - {id: management, wait: null}
"""


def policy(preset: str = "itil-p1-p4", extra: str = "") -> Policy:
    """A preset with overrides."""
    return policies.policy(preset, extra)


ITIL = policy(extra=NO_WAITING)
"""The rules alone: nobody waits for an answer."""


def at(span: str = "0s") -> datetime:
    """So long after the declaration."""
    return START + timedelta(seconds=duration(span))


def text(span: str) -> str:
    return stamp(at(span))


def incident(times: dict[str, str] | None = None, **fields: Any) -> Incident:
    """A P2 on `app` that was declared at START; `times` are spans after it, or words."""
    given = {"id": "INC-1", "title": "t", "services": ["app"], "state": "new", "priority": "P2", **fields}
    known = {name: text(span) if span[0].isdigit() else span for name, span in (times or {}).items()}
    given["times"] = {"declared": stamp(START), **known}
    return msgspec.convert({key: value for key, value in given.items() if value is not None}, Incident)


def note(span: str, by: str | None = "@ann") -> dict[str, Any]:
    """An entry of the timeline."""
    entry = {"at": text(span), "kind": "note", "event": "x"}
    return entry if by is None else {**entry, "by": by}


def moved(span: str, old: str, new: str, by: str | None = "@ann", field: str = "state") -> dict[str, Any]:
    entry = {"at": text(span), "field": field, "from": old, "to": new}
    return entry if by is None else {**entry, "by": by}


def comment(span: str, body: str = "x", by: str = "user", is_bot: bool = False, is_stranger: bool = False) -> Comment:
    return Comment(issue=7, by=by, at=text(span), body=body, is_bot=is_bot, is_stranger=is_stranger)


def record(one: Incident) -> Record:
    return Record(f"incidents/{one.id}/incident.yaml", one, {})


def example(name: str) -> Incident:
    """A record of the shipped repository itil-p1-p4."""
    path = ROOT / "examples/itil-p1-p4/incidents" / name / "incident.yaml"
    document = read_yaml(path.read_text(encoding="utf-8"), str(path))
    assert not isinstance(document, list), document
    return msgspec.convert(document.data, Incident)
