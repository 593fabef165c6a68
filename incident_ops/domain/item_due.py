"""When an action item is due: one rule for every view.

By its own date; else by its priority; else by the number of days in which the policy wants items done. The latter two
are counted from when it was added, and where that is not known from the declaration.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from incident_ops.domain.as_of import declared_at
from incident_ops.domain.incident import ActionItem, Incident
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import UNKNOWN, duration, parse_date, parse_instant, to_utc

OWN_DATE, BY_PRIORITY, BY_GOAL = "date", "priority", "metric_days"
SOURCE_SIGNS = {OWN_DATE: "", BY_PRIORITY: "*", BY_GOAL: "+"}


class ItemDue(NamedTuple):
    """The last day of an action item, what gives it (OWN_DATE, BY_PRIORITY, BY_GOAL), and `source` in words, "" for a
    date of its own.

    It is late after `end` (aware UTC): midnight at the end of that day, in the zone of calendar `business`.
    """

    day: date
    by: str
    source: str
    end: datetime

    def __str__(self) -> str:
        return f"{self.day} ({self.source})" if self.source else str(self.day)

    @property
    def marked(self) -> str:
        """The day for a narrow column; what its mark stands for is `note`."""
        return f"{self.day}{SOURCE_SIGNS[self.by]}"

    @property
    def note(self) -> str:
        """`* by priority`; "" for a date of its own."""
        return f"{SOURCE_SIGNS[self.by]} {self.source}" if self.source else ""

    def days_late(self, now: datetime, policy: Policy) -> int:
        """For how many days it is late at `now` (aware UTC); 0 up to the end of its day."""
        return max((now.astimezone(policy.day_zone).date() - self.day).days, 1) if now > self.end else 0


def item_due(item: ActionItem, incident: Incident, policy: Policy) -> ItemDue | None:
    """When an item is due; None where neither the item nor the policy says so."""
    zone, rules = policy.for_incident(incident).day_zone, policy.action_items
    if item.due:
        return ItemDue(parse_date(item.due), OWN_DATE, "", _end_of(parse_date(item.due), zone))
    if span := rules.due_by_priority.get(item.priority or ""):
        return _after(item, incident, timedelta(seconds=duration(span)), (BY_PRIORITY, "by priority"), zone)
    if rules.metric_days is not None:
        goal = (BY_GOAL, f"{rules.metric_days}-day goal")
        return _after(item, incident, timedelta(days=rules.metric_days), goal, zone)
    return None


def counted_from(item: ActionItem, incident: Incident, policy: Policy) -> datetime:
    """Since when an item is to be done: added, else the declaration of its incident (aware UTC)."""
    zone = policy.for_incident(incident).day_zone
    return to_utc(_begin(item, incident, zone), zone)


def is_done_in_time(item: ActionItem, incident: Incident, policy: Policy, now: datetime) -> bool | None:
    """Whether an item was done within the policy's `metric_days`; None where that cannot be said (yet)."""
    zone, days = policy.for_incident(incident).day_zone, policy.action_items.metric_days
    goal = None if days is None else _after(item, incident, timedelta(days=days), (BY_GOAL, ""), zone)
    if goal is None or item.status == "wont_do":
        return None
    if item.is_open:
        return False if now > goal.end else None
    if item.done_at in (None, UNKNOWN):
        return None
    done = parse_instant(item.done_at).astimezone(zone).date() if "T" in item.done_at else parse_date(item.done_at)
    return done <= goal.day


def days_late(incident: Incident, policy: Policy, now: datetime) -> dict[int, int]:
    """Index of each late action item -> for how many days; `now` is aware UTC."""
    policy = policy.for_incident(incident)
    dated = (
        (index, item_due(item, incident, policy)) for index, item in enumerate(incident.action_items) if item.is_open
    )
    late = ((index, due.days_late(now, policy)) for index, due in dated if due is not None)
    return {index: days for index, days in late if days}


def _after(
    item: ActionItem, incident: Incident, span: timedelta, source: tuple[str, str], zone: ZoneInfo
) -> ItemDue | None:
    """The day that lies so far behind the one from which the item counts, by the clock on the wall."""
    try:
        day = (_begin(item, incident, zone) + span).date()
        return ItemDue(day, *source, _end_of(day, zone))
    except OverflowError:  # a span of thousands of years is no limit
        return None


def _begin(item: ActionItem, incident: Incident, zone: ZoneInfo) -> datetime:
    """The same as `counted_from`, as the clock on the wall showed it (naive)."""
    if item.added is not None and "T" not in item.added:
        return datetime.combine(parse_date(item.added), time())
    at = declared_at(incident) if item.added is None else parse_instant(item.added)
    return at.astimezone(zone).replace(tzinfo=None)


@lru_cache(maxsize=512)
def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return to_utc(datetime.combine(day + timedelta(days=1), time()), zone)
