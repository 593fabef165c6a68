"""Records to walk through doors with: the policy of a preset, a text, and what a step makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from incident_ops import rules
from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import Policy, Service
from incident_ops.domain.record import Record, World
from incident_ops.edits.step import Step
from incident_ops.findings import Finding, Level
from incident_ops.records.editor import edit, key_order
from incident_ops.records.index import to_record
from incident_ops.records.policy import load_policy
from incident_ops.records.schema import check_document
from incident_ops.records.yaml_reader import Document, read_yaml
from incident_ops.records.yaml_writer import to_yaml

ORDER = key_order(
    json.loads((Path(__file__).resolve().parents[2] / "schemas/incident.schema.json").read_text(encoding="utf-8"))
)
START = datetime(2025, 1, 26, 12, 5, tzinfo=UTC)
SERVICES = {"api": Service(owner="@team"), "web": Service(owner="@team")}


def policy(text: str = "extends: sev0-3\n") -> Policy:
    """A policy by its text."""
    found = load_policy(text).policy
    assert found is not None
    return found


SEV = policy()
ITIL = policy("extends: itil-p1-p4\n")


def after(minutes: float) -> datetime:
    """So many minutes after the declaration."""
    return START + timedelta(minutes=minutes)


class Page:
    """A record's text, which steps are made on; every step must leave it without an error."""

    def __init__(self, text: str | None = None, /, judge: Policy = SEV, **changes: Any) -> None:
        data = {
            "id": "INC-1",
            "title": "Login fails",
            "severity": "SEV1",
            "state": "new",
            "services": ["api"],
            "times": {"declared": "2025-01-26T12:05:00Z"},
            **changes,
        }
        self.policy = judge
        self.text = text or to_yaml({name: value for name, value in data.items() if value is not None})
        self.now = START
        assert self.errors() == []

    @property
    def record(self) -> Record:
        found = read_yaml(self.text, "incidents/INC-1/incident.yaml")
        assert isinstance(found, Document), found
        assert check_document(found, "incident") == []
        return to_record(found.file, found.data)

    @property
    def incident(self) -> Incident:
        return self.record.incident

    def findings(self) -> list[Finding]:
        """What the rules say of the record now."""
        world = World(self.policy, SERVICES, self.now)
        return [one for timed in (False, True) for one in rules.run(self.record, world, timed=timed)]

    def errors(self) -> list[str]:
        """The messages of the errors among them."""
        return [one.message for one in self.findings() if one.level is Level.ERROR]

    def take(self, minutes: float, door: Callable[[Incident, datetime], Step]) -> Step:
        """Makes a step at a minute after the declaration."""
        self.now = after(minutes)
        step = door(self.incident, self.now)
        self.text = edit(self.text, step.edits, order=ORDER, file="incident.yaml")
        assert self.errors() == []
        return step

    @property
    def states(self) -> list[str]:
        """The path of states that `changes` tell."""
        moves = [change for change in self.incident.changes if change.field == "state"]
        return [moves[0].old, *(change.new for change in moves)] if moves else []

    @property
    def events(self) -> list[str]:
        """The texts of the timeline."""
        return [event.event for event in self.incident.timeline]
