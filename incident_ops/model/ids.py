"""Ids of incidents, action items, changes and problems (R92-R95)."""

from __future__ import annotations

import re

INCIDENT = re.compile(r"INC-(?:[0-9]{8}-[0-9]{6}|[0-9]{4}-[0-9]{5}|[0-9]{1,12})", re.ASCII)
ACTION_ITEM = re.compile(r"AI-[1-9][0-9]{0,5}", re.ASCII)


def is_incident_id(text: str) -> bool:
    """True for every form an incident id may take: by time, by year and number, by number."""
    return INCIDENT.fullmatch(text) is not None


def item_key(incident_id: str, item_id: str) -> str:
    """The key that owns an action item's issue: `INC-.../AI-2` (docs/decisions/0001)."""
    return f"{incident_id}/{item_id}"
