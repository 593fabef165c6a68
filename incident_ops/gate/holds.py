"""Planned times that hold deploys: maintenance windows and freezes.

Each function gives what holds now or later, with its begin and end; what is over is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from incident_ops.gate.verdict import DEPLOY_FREEZE, MAINTENANCE_WINDOW, Hold
from incident_ops.model.policy import Policy
from incident_ops.model.time import duration
from incident_ops.model.unread import Unread
from incident_ops.model.window import Freeze, Maintenance
from incident_ops.windows import Planned, Span, moment, planned_change, planned_freeze

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
    names: Sequence[str], changes: Iterable[tuple[str, Maintenance]], policy: Policy, now: datetime
) -> tuple[list[Hold], list[Unread]]:
    """Agreed maintenance windows on one of `names` (the asked service first), and those whose times say nothing.

    One holds from where a deploy that began then would run into the time kept free before it, to the end of the time
    kept free after it (R245); while people work on it, until they are done.
    """
    holds, unknown = [], []
    for path, change in changes:
        on = next((name for name in names if name in change.services), None)
        if on is None or not change.is_agreed:
            continue
        try:
            planned = planned_change(change, policy.maintenance.buffer)
        except ValueError as error:
            unknown.append(Unread(path, str(error)))
            continue
        begin = _before(planned, rollout(policy))
        hold = Hold(
            MAINTENANCE_WINDOW,
            change.id,
            change.title,
            _state(change, planned, now),
            "" if on == names[0] else on,
            begin,
            planned.kept.end,
        )
        holds += [hold] if _is_ahead(hold, now) else []
    return holds, unknown


def freeze_holds(
    service: str, environment: str, freezes: Iterable[tuple[str, Freeze]], now: datetime
) -> tuple[list[Hold], list[Unread]]:
    """The freezes of a service in an environment, and those whose times say nothing. An override holds nothing."""
    holds, unknown = [], []
    for path, freeze in freezes:
        if freeze.is_override or not freeze.concerns(service, environment):
            continue
        try:
            span = planned_freeze(freeze).span
        except ValueError as error:
            unknown.append(Unread(path, str(error)))
            continue
        hold = Hold(DEPLOY_FREEZE, freeze.name, freeze.reason, begin=span.begin, end=span.end)
        holds += [hold] if _is_ahead(hold, now) else []
    return holds, unknown


def _state(change: Maintenance, planned: Planned, now: datetime) -> str:
    """Its status, and when it begins where it holds before that, or when it should have ended."""
    end = moment(change.window.end, change.window.zone, is_end=True)
    if change.is_running:
        return f"{change.status}, late since {_at(end, now)}" if end <= now else change.status
    begin = planned.span.begin
    return f"{change.status}, from {_at(begin, now)}" if begin is not None and begin > now else change.status


def _at(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M} UTC"


def _is_ahead(hold: Hold, now: datetime) -> bool:
    return hold.end is None or hold.end > now


def _before(planned: Planned, lead: timedelta) -> datetime | None:
    begin = planned.kept.begin
    return None if begin is None or begin - datetime.min.replace(tzinfo=begin.tzinfo) < lead else begin - lead
