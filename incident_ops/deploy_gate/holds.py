"""What holds deploys of a service: incidents, maintenance windows, freezes, the hours for deploys, its error budget.

Each function gives what holds now or later, with its begin and end; what is over is left out.

An incident holds while people work on it: in every state before resolved, pending included. Once it is resolved the
fix is in and the next deploy may follow; reopened, it holds again. Drills do not hold, nor do duplicates.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from incident_ops.deploy_gate.verdict import (
    DEPLOY_FREEZE,
    ERROR_BUDGET,
    MAINTENANCE_WINDOW,
    OFF_WINDOW,
    OPEN_INCIDENT,
    Hold,
)
from incident_ops.domain.fence import consume, evaluate_each, evaluate_plan
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import DUPLICATE, OVER
from incident_ops.domain.planned_changes import (
    Freeze,
    Maintenance,
    PlannedChangeSpan,
    Span,
    local_instant,
    planned_change,
    planned_freeze,
)
from incident_ops.domain.policy import REQUEST_BUDGET, Objective, Policy, Service
from incident_ops.domain.policy_sections import Calendar
from incident_ops.domain.record import Record, Unread
from incident_ops.domain.ticket import TICKET, is_ticket
from incident_ops.domain.time import LAST, duration, shift
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.sla.calendar import due
from incident_ops.sla.error_budget import Budget, burning, request_budget, status_line, time_budget

_NONE = timedelta()


def incident_holds(names: Sequence[str], records: Iterable[Record], policy: Policy) -> tuple[list[Hold], list[Unread]]:
    """The open incidents of rank `gate.block_on_open_rank` or worse on one of `names` (the asked service first), by
    id; and the records whose level the policy does not know. A policy without a rank holds nothing."""
    worst = policy.gate.block_on_open_rank
    holds: list[Hold] = []
    unknown: list[Unread] = []

    def ask(record: Record) -> None:
        on = next((name for name in names if name in record.incident.services), None)
        if on is None or not is_worked_on(record.incident):
            return
        level = policy.duties(record.incident.severity, record.incident.priority)
        if level is None:
            unknown.append(Unread(record.path, f"its level is not in scheme {policy.scheme.id}"))
        elif worst is not None and level.rank <= worst:
            ticket = f" {TICKET}" if is_ticket(record.incident, policy) else ""
            holds.append(_hold(record.incident, level.id, "" if on == names[0] else on, ticket))

    consume(evaluate_each(records if worst is not None else (), ask))
    return sorted(holds, key=lambda hold: hold.id), unknown


def is_worked_on(incident: Incident) -> bool:
    """True for a real incident before resolved. A false alarm or one that was withdrawn is real until it is closed, a
    duplicate is not: the original holds by itself."""
    is_repeated = incident.outcome == DUPLICATE and incident.duplicate_of is not None
    return incident.state not in OVER and not is_repeated and not incident.drill


def open_drills(names: Sequence[str], records: Iterable[Record], policy: Policy) -> list[str]:
    """The ids of the open drills on `names` that would hold deploys if they were none. Unusable as `evaluate_each`."""
    worst, found = policy.gate.block_on_open_rank, list[str]()

    def ask(record: Record) -> None:
        incident = record.incident
        level = policy.duties(incident.severity, incident.priority)
        is_open = incident.drill and incident.state not in OVER and not set(names).isdisjoint(incident.services)
        if is_open and worst is not None and (level is None or level.rank <= worst):
            found.append(incident.id)

    consume(evaluate_each(records, ask))
    return sorted(found)


def _hold(incident: Incident, level: str, on: str, ticket: str) -> Hold:
    label = f"{level}/{incident.severity}" if incident.severity and incident.severity != level else level
    hidden = incident.visibility == "restricted"
    state = f"{label}{ticket}  {incident.state}"
    title, leads = (None, "") if hidden else (incident.title, incident.roles.commander or "")
    return Hold(OPEN_INCIDENT, incident.id, title, state, on, is_restricted=hidden, by=leads)


BURNING = "burns too fast"
"""State of an error budget that is not spent yet."""

_FULL = 100


def is_on(hold: Hold, now: datetime) -> bool:
    """True where it holds at this instant."""
    return Span(hold.begin, hold.end).covers(now)


def rollout(policy: Policy) -> timedelta:
    """How long a deploy is on its way: the steps below full traffic, each as long as it is watched."""
    partial = sum(step < _FULL for step in policy.gate.steps)
    return timedelta(seconds=partial * duration(policy.gate.observe)) if policy.gate.observe else timedelta()


def window_holds(
    names: Sequence[str],
    changes: Iterable[tuple[str, Maintenance]],
    policy: Policy,
    now: datetime,
    lead: timedelta | None = None,
) -> tuple[list[Hold], list[Unread]]:
    """Agreed maintenance windows on one of `names` (the asked service first), and those whose times cannot be used.

    One holds from where a deploy that began then would run into the time kept free before it, to the end of the time
    kept free after it (R245); while people work on it, until they are done. A deploy takes `lead`, else as long as the
    policy's rollout.
    """
    holds, unknown = [], []
    takes = rollout(policy) if lead is None else lead
    for path, change in changes:
        on = next((name for name in names if name in change.services), None)
        if on is None or not change.is_agreed:
            continue
        needed = "" if on == names[0] else on
        hold = evaluate_plan(path, change.id, partial(_window_hold, change, needed, policy, now, takes))
        if isinstance(hold, Unread):
            unknown.append(hold)
        elif _is_ahead(hold, now):
            holds.append(hold)
    return holds, unknown


def _window_hold(change: Maintenance, needed: str, policy: Policy, now: datetime, lead: timedelta) -> Hold:
    planned = planned_change(change, policy.maintenance.buffer)
    begin, state = shifted_back(planned.kept.begin, lead), _state(change, planned, now)
    owner = change.owner or ""
    return Hold(MAINTENANCE_WINDOW, change.id, change.title, state, needed, begin, planned.kept.end, by=owner)


def freeze_holds(
    service: str, environment: str, freezes: Iterable[tuple[str, Freeze]], now: datetime, lead: timedelta = _NONE
) -> tuple[list[Hold], list[Unread]]:
    """The freezes of a service in an environment, and those whose times cannot be used. An override holds nothing.

    One holds from where a deploy that takes `lead` would run into it.
    """
    holds, unknown = [], []
    for path, freeze in freezes:
        if freeze.is_override or not freeze.concerns(service, environment):
            continue
        planned = evaluate_plan(path, freeze.name, partial(planned_freeze, freeze))
        if isinstance(planned, Unread):
            unknown.append(planned)
            continue
        span, state = planned.span, ""
        if span.begin is not None and span.begin > now:
            state = f"from {_at(span.begin, now)}"
        begin, who = shifted_back(span.begin, lead), freeze.by or ""
        hold = Hold(DEPLOY_FREEZE, freeze.name, freeze.reason, state, begin=begin, end=span.end, by=who)
        holds += [hold] if _is_ahead(hold, now) else []
    return holds, unknown


def _state(change: Maintenance, planned: PlannedChangeSpan, now: datetime) -> str:
    """Its status, and when it begins where it holds before that, or when it should have ended."""
    end = local_instant(change.window.end, change.window.zone, is_end=True)
    if change.is_running:
        return f"{change.status}, late since {_at(end, now)}" if end <= now else change.status
    begin = planned.span.begin
    return f"{change.status}, from {_at(begin, now)}" if begin is not None and begin > now else change.status


def _at(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M} UTC"


def _is_ahead(hold: Hold, now: datetime) -> bool:
    return hold.end is None or hold.end > now


def shifted_back(begin: datetime | None, lead: timedelta) -> datetime | None:
    """So long before a begin; None where there is none, or no such time."""
    return None if begin is None or begin - datetime.min.replace(tzinfo=begin.tzinfo) < lead else begin - lead


HOURS_AHEAD = timedelta(days=31)
"""How far ahead the hours for deploys are published."""

_SECOND = timedelta(seconds=1)


def off_window(policy: Policy, now: datetime, lead: timedelta = _NONE) -> list[Hold]:
    """The time to the next opening of `gate.deploy_calendar` where it is closed now (R229), or before a deploy that
    takes `lead` has ended.

    UserError where the policy has no calendar of that name.
    """
    name, calendar = policy.gate.deploy_calendar, deploy_calendar(policy)
    if name is None or calendar is None:
        return []
    opens, state = _opens(now, calendar), ""
    if opens == now:
        closes = now + _stays_open(now, calendar, seconds := math.ceil(lead / _SECOND)) * _SECOND
        if closes >= now + seconds * _SECOND:
            return []
        opens, state = _opens(closes, calendar), f"closes at {_at(closes, now)}"
    return [Hold(OFF_WINDOW, name, "deploys only in the hours of this calendar", state, begin=now, end=opens)]


def deploy_calendar(policy: Policy) -> Calendar | None:
    """The calendar of the hours for deploys, None = at any time. UserError where the policy does not have it."""
    name = policy.gate.deploy_calendar
    if name is None:
        return None
    calendar = policy.calendar(name)
    if calendar is None:
        hint = "name one of calendars, or null for any time"
        raise UserError(f"calendar {name!r} of gate.deploy_calendar does not exist", where="policy.yaml", hint=hint)
    return calendar


def opening_hours(calendar: Calendar, start: datetime, end: datetime) -> list[Span]:
    """When a calendar is open between two instants, cut at them."""
    spans, at = [], start
    while at < end:
        opens = _opens(at, calendar)
        if opens is None or opens >= end:
            break
        at = opens + _stays_open(opens, calendar, (end - opens) // _SECOND) * _SECOND
        spans.append(Span(opens, at))
    return spans


def _stays_open(opens: datetime, calendar: Calendar, most: int) -> int:
    """For how many seconds, at most `most`, a calendar that opens now stays open."""

    def has_closed(seconds: int) -> bool:  # while it is open, n seconds of working time are over n seconds later
        return due(opens, seconds, calendar) != opens + seconds * _SECOND

    return bisect_left(range(1, most + 1), True, key=has_closed)


def _opens(at: datetime, calendar: Calendar) -> datetime | None:
    """The next instant, from `at` on, at which the calendar is open."""
    first = due(at, 1, calendar)
    return None if first is None or first >= LAST else first - _SECOND


def budget_of(
    service: str, incidents: Sequence[Incident], objective: Objective, now: datetime, requests: int | None
) -> Budget | None:
    """The error budget of a service as the objective counts it; None where the number of requests is not given."""
    if objective.mode != REQUEST_BUDGET:
        return time_budget(incidents, objective, now, service)
    return None if requests is None else request_budget(incidents, objective, now, requests, service)


def budget_holds(
    service: str,
    budget: Budget,
    incidents: Sequence[Incident],
    objective: Objective,
    policy: Policy,
    now: datetime,
) -> list[Hold]:
    """A spent error budget (R246), or the instant at which it will be spent if the impact goes on; with policy
    `gate.budget: burn` also one that burns too fast."""
    status, spent = status_line(budget), (budget.used, budget.allowed)
    if budget.is_exhausted:
        end = _budget_returns(service, budget, incidents, objective, now)
        return [Hold(ERROR_BUDGET, service, status, begin=now, end=end, spent=spent)]
    rates = policy.gate.burn_rates if policy.gate.budget == "burn" else ()
    fast = burning(incidents, objective, now, rates, service)
    if fast is not None:
        text = f"{fast.rate:g} times the even pace or more, in {fast.long} and in {fast.short}"
        return [Hold(ERROR_BUDGET, service, text, BURNING, begin=now, spent=spent)]
    if budget.is_running:
        return [Hold(ERROR_BUDGET, service, status, begin=shift(now, 60 * budget.left), spent=spent)]
    return []


def _budget_returns(
    service: str, budget: Budget, incidents: Sequence[Incident], objective: Objective, now: datetime
) -> datetime | None:
    """The first whole minute at which so much impact has left the window that some of the budget is there again, if
    nothing more happens; None where nobody can tell, as while impact goes on, or for a budget of requests."""
    if budget.is_running or budget.mode == REQUEST_BUDGET:
        return None

    def is_back(minutes: int) -> bool:
        return not time_budget(incidents, objective, shift(now, 60 * minutes), service).is_exhausted

    most = objective.window // 60 + 1
    first = bisect_left(range(1, most + 1), True, key=is_back) + 1
    return shift(now, 60 * first) if first <= most else None


def environments_of(policy: Policy) -> list[str]:
    """The environments of the policy, the production one first."""
    named = (policy.gate.environment, policy.gate.canary_environment, *policy.gate.environments)
    return [*dict.fromkeys(name for name in named if name is not None)]


def needed_services(service: str, services: Mapping[str, Service], depth: int) -> tuple[str, ...]:
    """The service itself and what it needs, the nearest first. UserError for one that services.yaml does not name."""
    if service not in services:
        raise UserError(f"service {service!r} is not in services.yaml", hint=did_you_mean(service, services))
    names, edge = {service: None}, [service]
    for _ in range(depth):
        needing = [services[name] for name in edge if name in services]
        edge = [name for needed in needing for name in needed.depends_on if name not in names]
        names |= dict.fromkeys(edge)
    return tuple(names)
