"""How much each person carried in a time: hours on call by the schedules, escalations by the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from incident_ops import resources
from incident_ops.adapters.cache import Cache
from incident_ops.app.oncall import usable_schedules
from incident_ops.app.workspace import Workspace
from incident_ops.domain.oncall import OnCallSchedule
from incident_ops.domain.record import Unread
from incident_ops.domain.time import TimeSpan, parse_instant
from incident_ops.oncall.load import NIGHT, LoadRow, PersonLoad, is_within, person_loads
from incident_ops.records.history import records_from_cache


def load_of_people(workspace: Workspace, period: TimeSpan) -> tuple[list[LoadRow], tuple[Unread, ...]]:
    """Everybody who was on call or whom an escalation reached, the heaviest load first; what cannot be used."""
    found = usable_schedules(workspace)
    schedules = list(found.by_name.values())
    loads = {one.who: one for one in person_loads(schedules, *period)}
    every, nights = Counter[str](), Counter[str]()
    for who, is_night in _escalations(workspace, period, schedules):
        every[who] += 1
        nights[who] += is_night
    rows = [
        LoadRow(loads.get(who, PersonLoad(who, 0, 0, 0)), every[who], nights[who])
        for who in dict.fromkeys((*loads, *sorted(every)))
    ]
    return rows, (*found.unread, *workspace.unread)


def _escalations(workspace: Workspace, period: TimeSpan, schedules: list[OnCallSchedule]) -> Iterator[tuple[str, bool]]:
    """(whom an escalation of the time reached, was that at night by the first schedule that names them)."""
    catalogue = workspace.catalogue
    late = catalogue.settled_after(int(period[0].timestamp()) - 1)
    paths = {*late, *(record.path for record in catalogue.live())}
    cache = Cache(workspace.state / "settled") if workspace.git else None
    homes = {who: one for one in reversed(schedules) for who in one.people}
    for record in records_from_cache(workspace.store, catalogue, cache, resources.resource_stamp(), paths):
        for entry in record.incident.escalations:
            at = parse_instant(entry.at)
            if period[0] <= at < period[1] and not record.incident.drill:
                for who in entry.notified:
                    yield who, who in homes and is_within(at, NIGHT, homes[who])
