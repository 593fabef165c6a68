"""How often each promise was kept: by level, service or month (R55, R56, R204), with what does not count and why.

An incident belongs to the period and the month (UTC) in which it was declared, so that a report of a month says the
same again later but for clocks that still ran. One with several services counts for each of them, once in the total.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.model.fence import each, run
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.record import Record
from incident_ops.model.unread import Unread
from incident_ops.sla.clock import NAMES, UPDATE_INTERNAL, UPDATE_PUBLIC, Clock
from incident_ops.sla.facts import declared_at
from incident_ops.sla.goals import Goal, goals
from incident_ops.sla.noticing import Noticing, noticing
from incident_ops.sla.outcomes import Outcome, outcomes
from incident_ops.sla.slots import Slots
from incident_ops.sla.statistics import Spread, percent, spread
from incident_ops.sla.targets import no_level

LEVEL, SERVICE, MONTH = "level", "service", "month"
AXES = (LEVEL, SERVICE, MONTH)


class Period(NamedTuple):
    """From `since` on and before `until` (aware UTC); None = without an end."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


class Figures(NamedTuple):
    """The clocks of one name. `n` = met + missed; `excluded` are the others, by reason.

    `lasted` are the working seconds of those that ended, None for updates, which have slots instead. `unfinished` of
    the missed ones still run and are not in `lasted`.
    """

    clock: str
    met: int
    missed: int
    unfinished: int
    lasted: Spread | None
    excluded: Mapping[str, int]
    slots: Slots

    @property
    def n(self) -> int:
        return self.met + self.missed

    @property
    def percent(self) -> float | None:
        """Kept promises; None where none counts."""
        return percent(self.met, self.n)


class Group(NamedTuple):
    """The figures of one level, service or month, by clock in the order of NAMES."""

    name: str
    figures: tuple[Figures, ...]


class Compliance(NamedTuple):
    """The report at an instant (aware UTC) over the incidents declared in `period`; `late` are the missed clocks.

    `unread` are records that could not be used.
    """

    at: datetime
    period: Period
    by: str
    incidents: int
    total: tuple[Figures, ...]
    groups: tuple[Group, ...]
    goals: tuple[Goal, ...]
    late: tuple[Clock, ...]
    noticing: Noticing | None
    unread: tuple[Unread, ...] = ()

    @property
    def has_missed(self) -> bool:
        return any(one.missed for one in self.total)


def compliance(
    records: Iterable[Record],
    policy: Policy,
    now: datetime,
    period: Period = Period(),  # noqa: B008
    by: str = LEVEL,
    unread: Sequence[Unread] = (),
) -> Compliance:
    """The compliance report; `by` is one of AXES. What was declared after `now` is not there yet.

    A record whose label is no level of the policy joins `unread`. UserError where the policy itself cannot be used.
    """
    found: list[Outcome] = []
    counted: list[Incident] = []
    left_out = list(unread)

    def count(record: Record) -> None:
        incident = record.incident
        begin = declared_at(incident)
        if begin > now or not period.holds(begin):
            return
        if why := no_level(incident, policy):
            left_out.append(Unread(record.path, why))
            return
        found.extend(outcomes(incident, policy, now))
        counted.append(incident)

    run(each(records, count))
    late = [one.clock for one in found if one.late and not one.excluded]
    late.sort(key=lambda one: (one.remaining_seconds or 0, one.incident, NAMES.index(one.clock), one.item or ""))
    return Compliance(
        now,
        period,
        by,
        len(counted),
        _figures(found),
        _groups(found, by, policy),
        goals(found, counted, policy, now),
        tuple(late),
        noticing(counted, now),
        tuple(sorted(left_out)),
    )


def _groups(found: Iterable[Outcome], by: str, policy: Policy) -> tuple[Group, ...]:
    of: dict[str, list[Outcome]] = defaultdict(list)
    for one in found:
        for name in _names(one, by):
            of[name].append(one)
    order = [*policy.labels, *policy.major_labels]
    ranked = sorted(of, key=lambda name: (order.index(name) if name in order else len(order), name))
    return tuple(Group(name, _figures(of[name])) for name in (ranked if by == LEVEL else sorted(of)))


def _names(one: Outcome, by: str) -> tuple[str, ...]:
    if by == SERVICE:
        return one.services
    return (one.clock.level,) if by == LEVEL else (f"{one.declared:%Y-%m}",)


def _figures(found: Iterable[Outcome]) -> tuple[Figures, ...]:
    of: dict[str, list[Outcome]] = defaultdict(list)
    for one in found:
        of[one.clock.clock].append(one)
    return tuple(_of_clock(name, of[name]) for name in NAMES if name in of)


def _of_clock(name: str, found: Sequence[Outcome]) -> Figures:
    counts = [one for one in found if not one.excluded]
    missed = [one for one in counts if one.late]
    ended = [one.clock.elapsed_seconds for one in counts if one.clock.is_over]
    return Figures(
        clock=name,
        met=len(counts) - len(missed),
        missed=len(missed),
        unfinished=sum(not one.clock.is_over for one in missed),
        lasted=None if name in (UPDATE_INTERNAL, UPDATE_PUBLIC) else spread(one for one in ended if one is not None),
        excluded=dict(sorted(Counter(one.excluded for one in found if one.excluded).items())),
        slots=Slots(sum(one.slots.kept for one in found), sum(one.slots.missed for one in found)),
    )
