"""For which incidents the alarm clock is alive, and how many minutes of it they have had. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from incident_ops.domain.as_of import IncidentAt, as_of
from incident_ops.domain.fence import evaluate_each
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.notice_kinds import PAGE
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import AlarmPolicy
from incident_ops.domain.ports import WorkflowRun
from incident_ops.domain.record import Record, World
from incident_ops.domain.time import duration, stamp
from incident_ops.domain.waits import snoozed_until
from incident_ops.notifications.ahead import Ahead

_HELD = frozenset({"waiting", "action_required"})
_BEFORE_IT_RUNS = frozenset({"queued", "pending", "requested", *_HELD})
_LET_GO = timedelta(minutes=5)


class Watched(NamedTuple):
    """An incident that keeps the alarm clock alive, and why; `since` its present cycle began (aware UTC)."""

    incident: str
    rank: int
    cycle: int
    since: datetime
    why: str


class Outlook(NamedTuple):
    """What a run at `at` (aware UTC) leaves to come: when notices go out, in order, and for whom somebody has to be
    awake then; and what the policy says of it."""

    at: datetime
    ahead: tuple[Ahead, ...] = ()
    watched: tuple[Watched, ...] = ()
    alarm: AlarmPolicy = AlarmPolicy()
    ticks: bool = True


def horizon_of(policy: Policy) -> timedelta:
    """How long before a page the alarm clock has to be alive."""
    return timedelta(seconds=duration(policy.watch.horizon))


def watched(records: Sequence[Record], world: World, ahead: Iterable[Ahead]) -> tuple[Watched, ...]:
    """Who keeps the alarm clock alive, the worst first: open incidents of the policy's ranks that are neither snoozed
    nor paused, and those with a page that is due soon. Unusable as `evaluate_each`."""
    soon = world.now + horizon_of(world.policy)
    pages: dict[str, datetime] = {}
    for one in sorted(ahead):
        if one.way == PAGE and one.at <= soon:
            pages.setdefault(one.incident, one.at)

    def of_record(record: Record) -> Watched | None:
        level = world.policy.level_of(record.incident)
        if level is None or world.policy.mode == "observe":
            return None
        view, page = as_of(record.incident, world.now), pages.get(record.incident.id)
        why = "" if page is None else f"a page is due at {stamp(page)}"
        if level.rank in world.policy.watch.ranks and _is_worked_on(view, world.policy):
            why = f"it is open, of rank {level.rank}"
        return Watched(view.incident.id, level.rank, view.cycle, view.cycle_start, why) if why else None

    found = (one for one in evaluate_each(records, of_record) if one is not None)
    return tuple(sorted(found, key=lambda one: (one.rank, one.incident)))


def _is_worked_on(view: IncidentAt, policy: Policy) -> bool:
    """True for an incident that has begun and is neither over nor paused nor snoozed."""
    rests = view.state in OVER or view.state in policy.for_incident(view.incident).states.pausing
    return not (rests or view.is_cancelled or view.now < view.declared or snoozed_until(view.incident, view.now))


def minutes_between(runs: Iterable[WorkflowRun], begin: datetime, end: datetime) -> int:
    """The minutes of these runs within a time, each run's begun one counted whole.

    Only one of them works at a time: one that waits for another, and may be called off, costs nothing meanwhile.
    """
    minutes, free = 0, begin
    for one in sorted((one for one in runs if one.status not in _BEFORE_IT_RUNS), key=lambda one: one.began):
        ended = min(one.ended or end, end)
        minutes += max(ceil((ended - max(one.began, free)).total_seconds() / 60), 0)
        free = max(free, ended)
    return minutes


def month_of_minutes(now: datetime) -> datetime:
    """Since when the minutes of the present month count."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def counted_since(outlook: Outlook, now: datetime) -> datetime:
    """From when on runs of the alarm clock have to be known for `at_limit`."""
    return min(month_of_minutes(now), *(one.since for one in outlook.watched), now)


def at_limit(outlook: Outlook, runs: Sequence[WorkflowRun], now: datetime) -> Mapping[str, str]:
    """The incidents for which the alarm clock may not run any more, each with the limit of the policy that ends it."""
    most = outlook.alarm.minutes
    if minutes_between(runs, month_of_minutes(now), now) >= most.month:
        why = f"its {most.month} minutes of this month (watch.minutes.month)"
        return {one.incident: why for one in outlook.watched}
    why = f"its {most.incident} minutes for one incident (watch.minutes.incident)"
    used = {one.incident: minutes_between(runs, one.since, now) for one in outlook.watched}
    return {incident: why for incident, minutes in used.items() if minutes >= most.incident}


def is_alive(runs: Iterable[WorkflowRun], now: datetime) -> bool:
    """True where a run of the alarm clock goes on, or is about to begin."""
    return any(not one.is_over and not is_held(one, now) for one in runs)


def is_held(run: WorkflowRun, now: datetime) -> bool:
    """True for a run that a person has to let go on, and has not for so long that nobody may count on it."""
    return run.status in _HELD and now - run.began > _LET_GO
