"""Lifting a freeze or taking back an override: from now on it counts no more."""

from __future__ import annotations

from datetime import datetime

from incident_ops.doors.step import Step
from incident_ops.model.edit import Set
from incident_ops.model.time import stamp
from incident_ops.model.window import Freeze
from incident_ops.windows import planned_freeze


def unfreeze(freeze: Freeze, now: datetime) -> Step | None:
    """The end of a freeze that has begun is now; one that is over stays as it is.

    None for one that has not begun, and for one whose times say nothing: its file is to be removed.
    """
    try:
        span = planned_freeze(freeze).span
    except ValueError:
        return None
    if span.end is not None and span.end <= now:
        return Step((), (f"{freeze.name} was over at {stamp(span.end)} already; nothing changed",))
    if span.begin is None or span.begin >= now:
        return None
    what = "taken back" if freeze.is_override else "lifted"
    return Step((Set(("until",), stamp(now)),), (f"{freeze.name} {what} at {stamp(now)}",))
