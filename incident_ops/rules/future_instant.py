"""Nothing that has already happened is in the future.

A wrong clock or a typo in a date would stop clocks too late, or never. Two minutes are allowed for clocks that
disagree. Planned times (due, meeting, follow-up, snooze, expiry, estimate) may be in the future.

    before: restored: 2052-01-26T12:30:00Z
    after:  restored: 2025-01-26T12:30:00Z
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from incident_ops.domain.incident import Incident
from incident_ops.domain.record import Record, World
from incident_ops.domain.time import LATEST, SKEW, UNKNOWN, stamp
from incident_ops.findings import Finding, Level, Route
from incident_ops.rules._support import effective_instants, instant_route, later, rule_finding

ID = "future-instant"
LEVEL = Level.ERROR
TIMED = True

EASTERNMOST = timedelta(hours=14)
"""Where the day begins first: a date is not in the future while it is today somewhere."""


def check(record: Record, world: World) -> Iterator[Finding]:
    """Every instant and date of a past event, against now."""
    limit = stamp(min(world.now + SKEW, LATEST).replace(microsecond=0))
    today = (world.now + EASTERNMOST).date().isoformat()
    for route, text in past_instants(record.incident):
        if text is None or text == UNKNOWN:
            continue
        if (text > today) if len(text) == len("2025-01-26") else later(text, limit):
            message = f"{text} is in the future (it is now {stamp(world.now)})"
            yield rule_finding(ID, LEVEL, route, message, "check year, month and zone; only past events belong here")


def past_instants(incident: Incident) -> Iterator[tuple[Route, str | None]]:
    """Route and text of every instant or date of a past event; corrected ones by their last value."""
    for field, text in effective_instants(incident).items():
        yield instant_route(incident, field), text
    for index, pause in enumerate(incident.pauses):
        yield ("pauses", index, "from"), pause.start
        yield ("pauses", index, "to"), pause.end
    for block in ("timeline", "updates", "changes", "corrections", "assignments", "escalations", "overrides"):
        for index, entry in enumerate(getattr(incident, block)):
            yield (block, index, "at"), entry.at
    for index, escalation in enumerate(incident.escalations):
        yield ("escalations", index, "noticed_at"), escalation.noticed_at
    for index, report in enumerate(incident.deadlines):
        yield ("deadlines", index, "done_at"), report.done_at
    for index, series in enumerate(incident.impact.series):
        for number, point in enumerate(series.points):
            yield ("impact", "series", index, "points", number, "from"), point.start
            yield ("impact", "series", index, "points", number, "to"), point.end
    for index, hurt in enumerate(incident.impact.services):
        yield ("impact", "services", index, "from"), hurt.start
        yield ("impact", "services", index, "to"), hurt.end
    for index, item in enumerate(incident.action_items):
        yield ("action_items", index, "added"), item.added
        yield ("action_items", index, "done_at"), item.done_at
        for number, change in enumerate(item.changes):
            yield ("action_items", index, "changes", number, "at"), change.at
    if incident.postmortem:
        for key in ("reviewed_at", "final_at"):
            yield ("postmortem", key), getattr(incident.postmortem, key)
        for horizon in ("short", "medium", "long"):
            for index, measure in enumerate(getattr(incident.postmortem.prevention, horizon)):
                yield ("postmortem", "prevention", horizon, index, "done_at"), measure.done_at
    yield ("links", "runbook_updated"), incident.links.runbook_updated
