"""What the alarm clock would do, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from incident_ops.domain.time import stamp
from incident_ops.notifications.ahead import DAY
from incident_ops.notifications.alarm import Outlook

_MOST_SHOWN = 10


def awake_until(outlook: Outlook) -> datetime | None:
    """Until when the limits let the alarm clock live if it began now and had had no minutes yet; None where nobody has
    to be awake, or the policy gives it no minutes."""
    most = outlook.alarm.minutes
    minutes = min(most.incident, most.month) if outlook.watched else 0
    return outlook.at + timedelta(minutes=minutes) if minutes else None


def outlook_lines(outlook: Outlook) -> Iterator[str]:
    """Who keeps the alarm clock awake, what the tick is, and what goes out next."""
    until = awake_until(outlook)
    for one in outlook.watched:
        end = f"until {stamp(until)} at the latest" if until else "but the policy gives it no minutes"
        yield f"Awake for {one.incident}: {one.why}; {end}"
    if not outlook.watched:
        yield "Nobody has to be awake."
    if not outlook.ticks:
        yield "The tick is off: the policy says automation.tick: false."
    elif is_ticking(outlook):
        yield "The tick is on: something goes out within a day."
    else:
        yield "The tick is off: nothing goes out within a day."
    for one_ahead in outlook.ahead[:_MOST_SHOWN]:
        yield f"  {stamp(one_ahead.at)}  {one_ahead.incident}  rank {one_ahead.rank}  {one_ahead.way}"
    if len(outlook.ahead) > _MOST_SHOWN:
        yield f"  ... and {len(outlook.ahead) - _MOST_SHOWN} more"


def is_ticking(outlook: Outlook) -> bool:
    """True where a run would leave `tick.yml` switched on."""
    is_due = any(one.at <= outlook.at + DAY for one in outlook.ahead)
    return outlook.ticks and (is_due or bool(outlook.watched))


def outlook_json(outlook: Outlook) -> str:
    """The same as JSON."""
    until = awake_until(outlook)
    data: dict[str, Any] = {
        "schema": 1,
        "at": stamp(outlook.at),
        "awake": until is not None,
        "until": stamp(until) if until else None,
        "tick": is_ticking(outlook),
        "watched": [{"incident": one.incident, "rank": one.rank, "why": one.why} for one in outlook.watched],
        "next": [
            {"at": stamp(one.at), "incident": one.incident, "rank": one.rank, "way": one.way} for one in outlook.ahead
        ],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
