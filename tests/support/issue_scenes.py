"""The issues of the four examples at the moments when people open them: what goldens and pictures show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from incident_ops.app.edit_record import record_of
from incident_ops.domain.incident import Impact, Roles
from incident_ops.domain.known_at import incident_at
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import Record
from incident_ops.domain.time import parse_instant
from tests.support.policies import policy

EXAMPLES = Path(__file__).parents[2] / "examples"
ADDRESS = "https://github.com/acme/records/blob/HEAD/"
NUMBERS = 41
"""The number of the tracking issue; the items come after it, in order."""


class Scene(NamedTuple):
    """An issue at a moment: of which record (`key` names the item, too), under which policy, at which instant."""

    name: str
    record: Record
    key: str
    policy: Policy
    now: datetime

    @property
    def numbers(self) -> Mapping[str, int]:
        """What the tracker knows: the number of each issue of the incident."""
        incident = self.record.incident
        keys = [incident.id, *(f"{incident.id}/{item.id}" for item in incident.action_items)]
        return {key: NUMBERS + place for place, key in enumerate(keys)}


LOGIN = {"impact": Impact(summary="Most users cannot log in: every login token counts as expired."), "roles": Roles()}
LEAK = {
    "impact": Impact(summary="The app is down for everybody; no orders are processed."),
    "roles": Roles(commander="@alice", technical_lead="@bob", communications_lead="@carol"),
}
POOL = {"impact": Impact(summary="The API answers some logins with an error 500."), "roles": Roles()}
LOCKED = {"impact": Impact(summary="The API fails for everybody."), "roles": Roles(commander="@sre-lead")}
OPEN = (  # what a record without dates does not say of that moment is made up here
    ("sev0-open", "sev0-3", "INC-20250126-120500", "2025-01-26T12:17:00Z", LOGIN),
    ("itil-open", "itil-p1-p4", "INC-2025-05678", "2025-10-20T14:20:00Z", LEAK),
    ("itil-ticket", "itil-p1-p4", "INC-12", "2025-09-16T14:20:00Z", {}),
    ("sev1-open", "sev1-3", "INC-1", "2025-01-22T14:40:00Z", POOL),
    ("p0-open", "p0-p3", "INC-20250120-102000", "2025-01-20T10:28:00Z", LOCKED),
)
LATER = (
    ("sev0-resolved", "sev0-3", "INC-20250126-120500", "2025-01-26T15:00:00Z"),
    ("sev0-item", "sev0-3", "INC-20250126-120500/AI-2", "2025-01-30T09:00:00Z"),
    ("itil-resolved", "itil-p1-p4", "INC-2025-05678", "2025-10-22T12:00:00Z"),
    ("sev1-resolved", "sev1-3", "INC-1", "2025-01-22T16:00:00Z"),
    ("p0-closed", "p0-p3", "INC-20250120-102000", "2025-02-08T12:00:00Z"),
    ("p0-item", "p0-p3", "INC-20250120-102000/AI-7", "2025-02-20T12:00:00Z"),
)


def issue_scenes() -> Iterator[Scene]:
    """Every kind of issue: open, resolved and closed incidents, a ticket, an item in time and one that is late."""
    for name, preset, key, at, fields in OPEN:
        record, now = _example(preset, key), parse_instant(at)
        known = incident_at(record.incident, now)
        assert known is not None
        more: dict[str, Any] = {"cause": record.incident.cause if known.incident.times.diagnosed else None, **fields}
        yield Scene(name, record._replace(incident=replace(known.incident, **more)), key, policy(preset), now)
    for name, preset, key, at in LATER:
        yield Scene(name, _example(preset, key), key, policy(preset), parse_instant(at))


def _example(preset: str, key: str) -> Record:
    path = f"incidents/{key.partition('/')[0]}/incident.yaml"
    return record_of(path, (EXAMPLES / preset / path).read_bytes())
