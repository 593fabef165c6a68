"""The compliance report: how often each target was met, by level, service or month (R55, R56, R204), and why some
clocks do not count.

Durations come with their median and 90th percentile, never as a mean alone: a few long ones must stay visible. Update
clocks count slots: those that were kept and those that passed without an update (R139, R145). The team's goals (R201,
R204, R205) are reported, never enforced; what cannot be judged yet is left out and counted.

The notification lag is taken from the records: an escalation says when it was due and when a run noticed it. No run
looked in between; there may have been more such time in which nothing became due.

An incident belongs to the period and the month (UTC) in which it was declared, so that the report of a month changes
later only by clocks that were still running. One with several services counts for each of them, once in the total.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import reduce
from math import ceil, floor
from statistics import fmean, median
from typing import NamedTuple

from incident_ops.domain.as_of import IncidentAt, as_of, declared_at, each_cycle
from incident_ops.domain.fence import consume, evaluate_each
from incident_ops.domain.incident import Incident
from incident_ops.domain.item_due import is_done_in_time
from incident_ops.domain.lifecycle import DRILL, DUPLICATE, OTHER_OUTCOMES, exclusion
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import AROUND_THE_CLOCK, ResolutionShare
from incident_ops.domain.public_updates import PUBLIC
from incident_ops.domain.record import Record, UndatedFields, Unread
from incident_ops.domain.ticket import INCIDENT, TICKET, kind_of
from incident_ops.domain.time import instant, parse_instant
from incident_ops.sla.calendar import elapsed
from incident_ops.sla.clocks import (
    AFTERWARDS,
    CLOCK_NAMES,
    RESOLUTION,
    RESPONSE,
    UPDATE_INTERNAL,
    UPDATE_PUBLIC,
    Clock,
    ClockState,
    Risk,
    clocks,
)
from incident_ops.sla.escalation import MANUAL
from incident_ops.sla.targets import calendar_of, level_of, level_periods, seconds_of, why_no_level
from incident_ops.sla.update_slots import update_slots


class Percentiles(NamedTuple):
    """How many there are, and the median, 90th percentile (nearest rank: one of them) and mean, in whole seconds."""

    n: int
    median: int
    p90: int
    mean: int


def spread(seconds: Iterable[int]) -> Percentiles | None:
    """None where there are none."""
    ordered = sorted(seconds)
    if not ordered:
        return None
    ninth = ordered[ceil(0.9 * len(ordered)) - 1]
    return Percentiles(len(ordered), round(median(ordered)), ninth, round(fmean(ordered)))


def percent(part: int, whole: int) -> float | None:
    """A share with one decimal, rounded down, so that 94.96 never reads as 95; None of nothing."""
    return floor(1000 * part / whole) / 10 if whole else None


class NotificationLag(NamedTuple):
    """From due to noticed over all escalations by rule; `blind_seconds` is the union of those times.

    `longest` is the key of the one that waited longest, and `longest_seconds` how long.
    """

    lag: Percentiles
    blind_seconds: int
    longest: str
    longest_seconds: int


class _Noticed(NamedTuple):
    """An escalation by rule: when it was due and when a run noticed it (aware UTC)."""

    due: datetime
    seen: datetime
    key: str


def _noticed(incident: Incident, now: datetime) -> Iterator[_Noticed]:
    """The escalations by rule that a run noticed up to `now`."""
    for entry in incident.escalations:
        due, seen = parse_instant(entry.at), instant(entry.noticed_at)
        if entry.rule != MANUAL and seen is not None and due <= seen <= now:
            yield _Noticed(due, seen, entry.key)


def _notification_lag(found: Sequence[_Noticed]) -> NotificationLag | None:
    """None where no record holds an escalation by rule."""
    lag = spread(_seconds(due, seen) for due, seen, _ in found)
    if lag is None:
        return None
    due, seen, key = max(found, key=lambda one: (one[1] - one[0], one[2]))
    first, last = min(begin for begin, _, _ in found), max(end for _, end, _ in found)
    watched = elapsed(first, last, AROUND_THE_CLOCK, [(begin, end) for begin, end, _ in found])
    return NotificationLag(lag, _seconds(first, last) - watched, key, _seconds(due, seen))


def _seconds(begin: datetime, end: datetime) -> int:
    return int((end - begin).total_seconds())


class Slots(NamedTuple):
    """Slots that ended with an update or with the resolution, and slots that passed without one."""

    kept: int = 0
    missed: int = 0


def count_slots(clock: str, view: IncidentAt, policy: Policy) -> Slots:
    """The slots of an update clock over all cycles, up to the instant of `view`.

    A silence of 100 minutes where 30 are allowed is three missed slots, and a kept one if an update ended it. A change
    of level keeps none.
    """
    policy = policy.for_incident(view.incident)
    audience, kept, missed = PUBLIC if clock == UPDATE_PUBLIC else None, 0, 0
    for cycle in each_cycle(view):
        for slot in update_slots(cycle, policy, level_periods(cycle, policy), audience):
            if slot.stop is not None or (cycle is view and not view.resolved.ended):
                kept, missed = kept + slot.has_ended_well, missed + slot.passed(view.now)
    return Slots(kept, missed)


RETROACTIVE, RETARGETED, ITEM_DROPPED = "retroactive", "breached_by_retarget", "dropped"
UNKNOWN_END, STILL_RUNNING, WITHOUT_DUE = "unknown_instant", "running", "no_due"
EXCLUSIONS = frozenset(
    {DRILL, RETROACTIVE, RETARGETED, ITEM_DROPPED, DUPLICATE, UNKNOWN_END, STILL_RUNNING, WITHOUT_DUE}
) | frozenset(OTHER_OUTCOMES)
"""Every reason for which a clock is left out of the statistics."""
NO_SLOTS = Slots()


class ClockOutcome(NamedTuple):
    """One clock for the statistics: `excluded` says why it does not count; where it is "", `late` decides.

    `declared` is aware UTC. `slots` are those of an update clock, whose missed ones make it late. `kind` says whether
    it is the clock of an incident or of a ticket.
    """

    clock: Clock
    declared: datetime
    services: tuple[str, ...]
    excluded: str
    late: bool
    slots: Slots = NO_SLOTS
    kind: str = INCIDENT


def outcomes(view: IncidentAt, policy: Policy) -> list[ClockOutcome]:
    """The clocks of an incident that was declared by now. UserError as `sla.clocks.clocks`.

    A running clock counts as missed from its due instant on: what is late cannot be in time any more.
    """
    incident, kind = view.incident, kind_of(view.incident, policy, view.now)
    statuses = {item.id: item.status for item in incident.action_items}
    found = []
    for clock in clocks(view, policy):
        excluded = exclusion(incident) or _clock_exclusion(clock, view, statuses.get(clock.item or ""))
        is_slots = clock.clock in (UPDATE_INTERNAL, UPDATE_PUBLIC) and excluded in ("", STILL_RUNNING)
        passed = count_slots(clock.clock, view, policy) if is_slots else NO_SLOTS
        if passed.missed:
            excluded = ""
        late = is_late(clock) or passed.missed > 0
        found.append(
            ClockOutcome(clock, view.declared, tuple(dict.fromkeys(incident.services)), excluded, late, passed, kind)
        )
    return found


def is_late(clock: Clock) -> bool:
    """True from the due instant on, whether the clock still runs or not."""
    return clock.risk is Risk.BREACHED


def _clock_exclusion(clock: Clock, view: IncidentAt, item_status: str | None) -> str:
    """Why a clock does not count although its incident does."""
    if view.is_retroactive and clock.clock not in AFTERWARDS:
        return RETROACTIVE
    if clock.state is ClockState.CANCELLED:
        return ITEM_DROPPED if item_status == "wont_do" else UNKNOWN_END
    if clock.breached_by_retarget and is_late(clock):
        return RETARGETED
    if clock.state is ClockState.NO_DUE:
        return WITHOUT_DUE
    return "" if clock.state in (ClockState.MET, ClockState.MISSED) or is_late(clock) else STILL_RUNNING


COMPLIANCE, WITHIN, ACCURACY = "sla_compliance", "resolution_within", "escalation_accuracy"
ITEMS_DONE = "action_items_done"


class Goal(NamedTuple):
    """A goal of the policy's `targets`: `wanted` percent; `good` of `n` reached it, `left_out` cannot be judged.

    `strict`: the share must be greater than `wanted`, not just equal. `level` and `within` (a duration) limit it.
    """

    name: str
    wanted: float
    good: int
    n: int
    left_out: int
    strict: bool
    level: str = ""
    within: str = ""

    @property
    def percent(self) -> float | None:
        """The share reached; None where nothing can be judged."""
        return percent(self.good, self.n)

    @property
    def is_reached(self) -> bool | None:
        """None where nothing can be judged."""
        if not self.n:
            return None
        share, wanted = 100 * self.good, self.wanted * self.n
        return share > wanted if self.strict else share >= wanted


def _goals(
    found: Sequence[ClockOutcome], incidents: Sequence[Incident], policy: Policy, now: datetime
) -> tuple[Goal, ...]:
    """The goals the policy sets, in this order: compliance, resolution by level, accuracy of escalations, items done.

    `found` are the clocks of the incidents at `now` (aware UTC).
    """
    wanted, out = policy.targets, []
    if wanted.sla_compliance_pct is not None:
        main = [one for one in found if one.clock.clock in (RESPONSE, RESOLUTION)]
        counts = [one for one in main if not one.excluded]
        good = sum(not one.late for one in counts)
        out.append(Goal(COMPLIANCE, wanted.sla_compliance_pct, good, len(counts), len(main) - len(counts), True))
    out += [_within(incidents, policy, now, share) for share in wanted.resolution]
    if wanted.escalation_accuracy_pct is not None:
        out.append(_accuracy(incidents, wanted.escalation_accuracy_pct))
    if policy.action_items.metric_days is not None:
        out.append(_items_done(incidents, policy, now, policy.action_items.metric_days))
    return tuple(out)


def _items_done(incidents: Iterable[Incident], policy: Policy, now: datetime, days: int) -> Goal:
    """Action items done within so many days (R193); an older one that is open has failed, a dropped one is left out."""
    known = [
        is_done_in_time(item, incident, policy, now)
        for incident in incidents
        if not exclusion(incident)
        for item in incident.action_items
    ]
    judged = [in_time for in_time in known if in_time is not None]
    return Goal(ITEMS_DONE, 100, sum(judged), len(judged), len(known) - len(judged), strict=False, within=f"{days}d")


def _sum_goals(one: Sequence[Goal], other: Sequence[Goal]) -> tuple[Goal, ...]:
    """The same goals over the incidents of both."""
    return tuple(
        first._replace(good=first.good + more.good, n=first.n + more.n, left_out=first.left_out + more.left_out)
        for first, more in zip(one, other, strict=True)
    )


def _within(incidents: Iterable[Incident], policy: Policy, now: datetime, share: ResolutionShare) -> Goal:
    """By working time from declared to resolved, without pauses; a running incident has failed once past the limit.

    The level need not have a resolution target. An incident declared after the fact is left out.
    """
    limit = seconds_of(share.within)
    good = n = left_out = 0
    for incident in incidents:
        if (level := level_of(incident, policy)).id != share.id:
            continue
        view = as_of(incident, now)
        end = view.resolved
        last = end.at if end.ended else now
        calendar = calendar_of(level, policy.for_incident(incident))
        spent = elapsed(view.declared, last, calendar, view.closed_pauses(policy.states.pausing)) if last else None
        if exclusion(incident) or view.is_retroactive or spent is None or (not end.ended and spent <= limit):
            left_out += 1
        else:
            good, n = good + (spent <= limit), n + 1
    return Goal(WITHIN, share.pct, good, n, left_out, False, share.id, share.within)


def _accuracy(incidents: Iterable[Incident], wanted: float) -> Goal:
    entries = [entry for one in incidents if not exclusion(one) for entry in one.escalations]
    judged = [entry.appropriate for entry in entries if isinstance(entry.appropriate, bool)]
    return Goal(ACCURACY, wanted, sum(judged), len(judged), len(entries) - len(judged), True)


LEVEL, SERVICE, MONTH = "level", "service", "month"


class Period(NamedTuple):
    """From `since` on and before `until` (aware UTC); None = without an end."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


class Figures(NamedTuple):
    """The clocks of one name. `n` = met + missed; `excluded` are the others, by reason.

    `lasted` are the working seconds of those that ended; None for updates, which have slots instead. `unfinished` of
    the missed ones still run and are not in `lasted`.
    """

    clock: str
    met: int
    missed: int
    unfinished: int
    lasted: Percentiles | None
    excluded: Mapping[str, int]
    slots: Slots

    @property
    def n(self) -> int:
        return self.met + self.missed

    @property
    def percent(self) -> float | None:
        """The share that was met; None where none counts."""
        return percent(self.met, self.n)


class Group(NamedTuple):
    """The figures of one level, service or month, by clock in the order of CLOCK_NAMES."""

    name: str
    figures: tuple[Figures, ...]


class Compliance(NamedTuple):
    """The report at an instant (aware UTC) over what was declared in `period`; `late` are the missed clocks.

    `incidents` and `tickets` count records; `total` has the clocks of both, `kinds` those of each, where there are
    tickets. `unread` are records that could not be used; `undated` is what a view of an earlier time leaves out.
    """

    at: datetime
    period: Period
    by: str
    incidents: int
    total: tuple[Figures, ...]
    groups: tuple[Group, ...]
    goals: tuple[Goal, ...]
    late: tuple[Clock, ...]
    noticing: NotificationLag | None
    unread: tuple[Unread, ...] = ()
    tickets: int = 0
    kinds: tuple[Group, ...] = ()
    undated: UndatedFields = ()

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
    """The compliance report; `by` is LEVEL, SERVICE or MONTH. What was declared after `now` does not exist yet.

    A record whose label is not a level of the policy joins `unread`. UserError where the policy itself cannot be used.
    """
    found, counted = list[ClockOutcome](), Counter[str]()
    reached, noticed = list[tuple[Goal, ...]](), list[_Noticed]()
    left_out, undated = list(unread), list[tuple[str, tuple[str, ...]]]()

    def count(record: Record) -> None:
        incident, begin = record.incident, declared_at(record.incident)
        if begin > now or not period.holds(begin):
            return
        if why := why_no_level(incident, policy):
            left_out.append(Unread(record.path, why))
            return
        undated.extend([(incident.id, record.undated)] if record.undated else [])
        its_clocks = outcomes(as_of(incident, now), policy)
        counted[kind_of(incident, policy, now)] += 1
        reached.append(_goals(its_clocks, [incident], policy, now))
        noticed.extend(_noticed(incident, now))
        found.extend(its_clocks)

    consume(evaluate_each(records, count))
    return Compliance(
        now,
        period,
        by,
        counted[INCIDENT],
        _figures(found),
        _groups(found, by, policy),
        reduce(_sum_goals, reached, _goals([], [], policy, now)),
        tuple(_late_clocks(found)),
        _notification_lag(noticed),
        tuple(sorted(left_out)),
        counted[TICKET],
        _kinds(found),
        tuple(sorted(undated)),
    )


def _kinds(found: Sequence[ClockOutcome]) -> tuple[Group, ...]:
    """Tickets on lines of their own, below those of incidents; () where there are none."""
    by_kind = {kind: [outcome for outcome in found if outcome.kind == kind] for kind in (INCIDENT, TICKET)}
    return tuple(Group(f"{kind}s", _figures(by_kind[kind])) for kind in by_kind) if by_kind[TICKET] else ()


def _late_clocks(found: Iterable[ClockOutcome]) -> list[Clock]:
    """The missed clocks that count, the latest first."""
    late = [outcome.clock for outcome in found if outcome.late and not outcome.excluded]
    return sorted(late, key=lambda clock: (clock.remaining_seconds or 0, clock.incident, clock.place, clock.item or ""))


def _groups(found: Iterable[ClockOutcome], by: str, policy: Policy) -> tuple[Group, ...]:
    groups: dict[str, list[ClockOutcome]] = defaultdict(list)
    for outcome in found:
        for name in _group_names(outcome, by):
            groups[name].append(outcome)
    order = [*policy.labels, *policy.major_labels]
    ranked = sorted(groups, key=lambda name: (order.index(name) if name in order else len(order), name))
    return tuple(Group(name, _figures(groups[name])) for name in (ranked if by == LEVEL else sorted(groups)))


def _group_names(outcome: ClockOutcome, by: str) -> tuple[str, ...]:
    if by == SERVICE:
        return outcome.services
    return (outcome.clock.level,) if by == LEVEL else (f"{outcome.declared:%Y-%m}",)


def _figures(found: Iterable[ClockOutcome]) -> tuple[Figures, ...]:
    by_clock: dict[str, list[ClockOutcome]] = defaultdict(list)
    for outcome in found:
        by_clock[outcome.clock.clock].append(outcome)
    return tuple(_of_clock(name, by_clock[name]) for name in CLOCK_NAMES if name in by_clock)


def _of_clock(name: str, found: Sequence[ClockOutcome]) -> Figures:
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
