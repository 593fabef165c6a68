"""What is owed to others: which reports an incident asks for by the policy's `deadlines`, from when and until when.

The time runs around the clock and never pauses. What is counted from an instant that nobody wrote down is counted from
the next one that shows it: a detection from the declaration, a mitigation from the restoration or the resolution. What
is counted from another report begins once that is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from incident_ops.domain.incident import DeadlineReport, Incident, Triage
from incident_ops.domain.lifecycle import is_cancelled
from incident_ops.domain.policy import AfterReport, Deadline, Policy
from incident_ops.domain.time import duration, instant, months_after, parse_instant, shift

STARTS = {
    "detected": ("detected", "declared"),
    "declared": ("declared",),
    "mitigated": ("mitigated", "restored", "resolved"),
    "resolved": ("resolved",),
}
"""What `from` may name -> the times of the record, of which the first that is known counts."""
_MONTHS = re.compile(r"([1-9][0-9]?) months?", re.ASCII)


class Duty(NamedTuple):
    """A report that is owed: since when and until when (aware UTC, None = not known yet, or no time is set), and the
    entry of the record that says it was made."""

    deadline: Deadline
    start: datetime | None
    due: datetime | None
    report: DeadlineReport | None

    @property
    def done_at(self) -> datetime | None:
        """When it was made."""
        return parse_instant(self.report.done_at) if self.report else None


def deadlines_of(incident: Incident, policy: Policy) -> tuple[Deadline, ...]:
    """The deadlines that hold for an incident with what its record says now; none for a drill."""
    if not policy.deadlines or incident.drill:
        return ()
    return tuple(one for one in policy.deadlines if _holds_for(one, incident, policy))


def reports_due(incident: Incident, policy: Policy) -> Iterator[Deadline]:
    """The deadlines whose report is still to be made, however late."""
    made = {one.id for one in incident.deadlines}
    if not is_cancelled(incident):
        yield from (one for one in deadlines_of(incident, policy) if one.id not in made)


def duties_at(incident: Incident, policy: Policy, instants: Mapping[str, str], now: datetime) -> list[Duty]:
    """The duties of an incident as they stood at `now`, in the order of the policy. `instants` are its times after
    corrections, by `times.NAME`."""
    policy = policy.for_incident(incident)
    return [_duty(one, incident, policy, instants, now) for one in deadlines_of(incident, policy)]


def duties_ever(
    incident: Incident, policy: Policy, readings: Iterable[Mapping[str, str]], now: datetime
) -> Iterator[Duty]:
    """What each deadline of the policy would ask of an incident, whether it holds or not, under several readings of its
    times."""
    for instants in readings:
        yield from (_duty(one, incident, policy, instants, now) for one in policy.deadlines)


def start_of(deadline: Deadline, incident: Incident, instants: Mapping[str, str], now: datetime) -> datetime | None:
    """From when on a deadline runs; None where that has not happened by `now`."""
    if isinstance(deadline.start, AfterReport):
        report = _report(deadline.start.deadline, incident, now)
        return parse_instant(report.done_at) if report else None
    known = (instant(instants.get(f"times.{name}")) for name in STARTS[deadline.start])
    return next((at for at in known if at is not None and at <= now), None)


def _duty(deadline: Deadline, incident: Incident, policy: Policy, instants: Mapping[str, str], now: datetime) -> Duty:
    start = start_of(deadline, incident, instants, now)
    due = _due(start, deadline.within, policy) if start and deadline.within else None
    return Duty(deadline, start, due, _report(deadline.id, incident, now))


def _due(start: datetime, within: str, policy: Policy) -> datetime:
    months = _MONTHS.fullmatch(within)
    return months_after(start, int(months[1]), policy.day_zone) if months else shift(start, duration(within))


def _report(name: str, incident: Incident, now: datetime) -> DeadlineReport | None:
    return next((one for one in incident.deadlines if one.id == name and parse_instant(one.done_at) <= now), None)


def _holds_for(deadline: Deadline, incident: Incident, policy: Policy) -> bool:
    tags = set(incident.tags)
    if not tags.isdisjoint(deadline.unless):
        return False
    if deadline.since is not None and incident.times.declared[:10] < deadline.since:
        return False
    if deadline.when is None:
        return not deadline.tags or not tags.isdisjoint(deadline.tags)
    return not tags.isdisjoint(deadline.tags) or _meets(deadline, incident, policy)


def _meets(deadline: Deadline, incident: Incident, policy: Policy) -> bool:
    when, level = deadline.when, policy.level_of(incident)
    if when is None:
        return False
    ranks = when.rank if isinstance(when.rank, list) else [when.rank]
    if when.rank is not None and (level is None or level.rank not in ranks):
        return False
    tiers = when.tier if isinstance(when.tier, list) else [when.tier]
    known = [policy.tier_of[name] for name in incident.services if name in policy.tier_of]
    if when.tier is not None and (not known or min(known) not in tiers):
        return False
    from incident_ops.domain.triage import answers_meet  # what no command needs that judges no deadline

    return answers_meet(policy, replace(when, tier=None), incident.triage or Triage())
