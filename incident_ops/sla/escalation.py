"""What escalates an incident, and since which instant it is due (R58-R65, R68-R70, C8, C9).

Each rule derives its instants from the times of events alone, so that a late run finds the same ones: a threshold that
work deferred is due at the first instant past it at which the silence had lasted long enough. `>` fires strictly after.
The rules ignore incidents declared after the fact, duplicates, false alarms and withdrawn ones. A state of
`states.stopping` ends them for the cycle, as it ends the resolution clock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import accumulate, pairwise
from typing import NamedTuple

from incident_ops.domain.as_of import IncidentAt
from incident_ops.domain.incident import Escalation, Incident
from incident_ops.domain.lifecycle import OVER, PENDING
from incident_ops.domain.memo import memoised
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import parse_instant, stamp
from incident_ops.errors import UserError
from incident_ops.sla.activity import NOTHING_SEEN, Seen, activity, answers, first_after, last_before
from incident_ops.sla.calendar import MergedPauses, due, elapsed
from incident_ops.sla.escalation_ladder import (
    ACK_TIMEOUT,
    NO_ANSWER,
    EscalationCause,
    LadderInputs,
    climb,
    managers,
    nearest_people,
    next_on_ladder,
    present_tier,
)
from incident_ops.sla.escalation_rules import EscalationCycle, causes, escalation_cycles
from incident_ops.sla.targets import LevelPeriod, calendar_of, level_periods

MANUAL = "manual"


class DueEscalation(NamedTuple):
    """An escalation that is due: by which rule and why, between which tiers, and who is to be notified.

    `due` is the instant of the rule (aware UTC). `superseded` says why nobody is notified of it any more. `unreached`
    are the names in the policy that have no contact. `recorded` is the entry of the record, where it has one. `lap`
    counts how often the ladder has begun again.
    """

    incident: str
    key: str
    rule: str
    reason: str
    due: datetime
    cycle: int
    from_tier: int | None
    to_tier: int | None
    targets: tuple[str, ...]
    unreached: tuple[str, ...] = ()
    superseded: str = ""
    recorded: Escalation | None = None
    lap: int = 0


class _Facts(NamedTuple):
    """What every escalation of an incident is judged by, worked out once."""

    view: IncidentAt
    policy: Policy
    active: tuple[datetime, ...]
    answers: tuple[datetime, ...]
    periods: list[LevelPeriod]
    assigned: tuple[tuple[datetime, str], ...]


def due_escalations(
    view: IncidentAt, policy: Policy, seen: Seen = NOTHING_SEEN, pattern: Sequence[str] = ()
) -> list[DueEscalation]:
    """Every escalation that is due now, in order, including those already in the record.

    `seen` is what the tracker shows of the incident, `pattern` the ids of the incidents similar to it (`similar`).
    Only the highest one is for notification, what people escalated by hand, and of the steps that nobody answered the
    last one to each tier, so that a late run passes over nobody; the others are superseded. UserError as `sla.clocks`.
    """
    return [*_due_escalations(view, policy, seen, pattern or ())]


@memoised
def _due_escalations(view: IncidentAt, policy: Policy, seen: Seen, pattern: Sequence[str]) -> Sequence[DueEscalation]:
    if view.is_cancelled:
        return ()
    facts, found, inputs, recorded = _prepared(view, policy, seen, pattern)
    climbed = climb(found, inputs, view.now)
    is_open = _is_at_work(view), _is_stopped(view, policy)
    return _superseded_by_highest([_due(cause, facts, *is_open, recorded.get(cause.key)) for cause in climbed])


def unanswered_escalations(view: IncidentAt, policy: Policy) -> list[DueEscalation]:
    """The escalations that nobody has answered, in order: those of the record, and while nobody has taken the incident
    also the steps of the ladder that are due. None once it is over, waits or cannot be judged (no such level)."""
    incident, policy = view.incident, policy.for_incident(view.incident)
    answered = last_before(answers(view, policy), view.now)
    since_then = answered is not None and answered > view.cycle_start
    was_taken = since_then or (view.cycle == 1 and view.acknowledged.ended)
    if not _is_at_work(view) or (was_taken and not incident.escalations):
        return []
    try:
        found = [one for one in due_escalations(view, policy) if not one.superseded]
    except UserError:
        return []
    return [
        one
        for one in found
        if (one.rule == NO_ANSWER and not was_taken)
        or (one.recorded and (answered is None or answered <= parse_instant(one.recorded.at)))
    ]


def next_escalation(view: IncidentAt, policy: Policy) -> EscalationCause | None:
    """The step of the ladder that comes next if nobody answers; None where none does. UserError as `sla.clocks`."""
    if view.is_cancelled:
        return None
    _, found, inputs, _ = _prepared(view, policy, NOTHING_SEEN, ())
    return next_on_ladder(found, inputs, view.now)


def tier_called(view: IncidentAt, policy: Policy) -> int | None:
    """The highest tier called since the incident last went to one by assignment: by the record, or by the ladder, whose
    steps stand there later. None without a ladder; UserError as `sla.clocks`."""
    incident, policy = view.incident, policy.for_incident(view.incident)
    present = present_tier(incident, policy)
    if present is None or policy.level_of(incident) is None:
        return present
    assigned = [parse_instant(one.at) for one in incident.assignments if one.tier is not None]
    calls = ((one.due, one.to_tier) for one in due_escalations(view, policy))
    return max([present, *(tier for at, tier in calls if tier and (not assigned or at > max(assigned)))])


def _prepared(
    view: IncidentAt, policy: Policy, seen: Seen, pattern: Sequence[str]
) -> tuple[_Facts, list[EscalationCause], LadderInputs, dict[str, Escalation]]:
    policy = policy.for_incident(view.incident)
    periods = level_periods(view, policy)
    active = activity(view, policy, seen.comments)
    facts = _Facts(view, policy, active, answers(view, policy), periods, _assigned(view.incident))
    cycles = escalation_cycles(view, policy, active, periods)
    recorded = {entry.key: entry for entry in view.incident.escalations if parse_instant(entry.at) <= view.now}
    found = _with_recorded([cause for cycle in cycles for cause in causes(cycle, seen, pattern)], recorded)
    return facts, found, _ladder_inputs(facts, cycles), recorded


def _with_recorded(causes: list[EscalationCause], recorded: Mapping[str, Escalation]) -> list[EscalationCause]:
    """The causes in order, each key once. A recorded one keeps its tier, and stays even if no rule finds it now."""
    by_key: dict[str, EscalationCause] = {}
    for cause in sorted(causes, key=_order):
        entry = recorded.get(cause.key)
        by_key.setdefault(cause.key, cause._replace(to_tier=entry.to_tier) if entry else cause)
    for entry in recorded.values():
        if entry.key not in by_key and entry.rule not in (NO_ANSWER, ACK_TIMEOUT):
            at, cycle = parse_instant(entry.at), _cycle_of(entry.key)
            by_key[entry.key] = EscalationCause(at, entry.rule, entry.key, entry.reason, cycle, to_tier=entry.to_tier)
    return sorted(by_key.values(), key=_order)


def _order(cause: EscalationCause) -> tuple[datetime, str, str]:
    return cause.at, cause.rule, cause.key


def _cycle_of(key: str) -> int:
    """The cycle in one of our keys; 1 for a key that somebody else made up."""
    parts = key.split("/")
    return int(parts[2]) if len(parts) > 2 and parts[2].isdecimal() else 1


def _ladder_inputs(facts: _Facts, cycles: Sequence[EscalationCycle]) -> LadderInputs:
    view, policy = facts.view, facts.policy
    after = _working_time(facts)

    @cache
    def silences(seconds: int) -> list[datetime | None]:
        """For each activity the end of the first silence of that length from it on."""
        found: list[datetime | None] = []
        following: datetime | None = None
        for at in reversed(facts.active):
            silent_until = after(at, seconds)
            is_silent = silent_until and (following is None or silent_until < following)
            found.append(silent_until if is_silent else found[-1] if found else None)
            following = at
        return found[::-1]

    def quiet(since: datetime, seconds: int) -> datetime | None:
        place = bisect_left(facts.active, since)
        return silences(seconds)[place] if place < len(facts.active) else None

    def is_open(at: datetime) -> bool:
        then = view.then(at)
        response = then.acknowledged
        # acknowledged at an unknown time, or before the declaration
        was_taken = response.ended and (response.at is None or response.at <= then.declared)
        return _is_at_work(then) and not _is_stopped(then, policy) and not (then.cycle == 1 and was_taken)

    def worked(since: datetime, until: datetime) -> datetime | None:
        work = first_after(facts.active, since)
        return work if work is not None and work <= until else None

    return LadderInputs(
        incident=view.incident,
        tiers=policy.escalation.tiers,
        repeat=policy.escalation.repeat,
        begins=[cycle.begin for cycle in cycles],
        answers=facts.answers,
        cycle_at=lambda at: view.then(at).cycle,
        is_open=is_open,
        after=after,
        quiet=quiet,
        level_at=lambda at: _period_at(facts, at).label,
        relevelled=[period.since for period in facts.periods[1:]],
        worked=worked,
    )


def _working_time(facts: _Facts) -> Callable[[datetime, int], datetime | None]:
    """Adds working time outside the pauses, each stretch in the calendar of the level that was in force then: what a
    level was changed to later moves no deadline that lay before."""
    spans = facts.view.closed_pauses(facts.policy.states.pausing)
    pauses = MergedPauses(spans)
    changed = [new for old, new in pairwise(facts.periods) if old.level.calendar != new.level.calendar]
    ends = [*(period.since for period in changed), None]
    calendars = [
        (calendar_of(period.level, facts.policy), end)
        for period, end in zip([facts.periods[0], *changed], ends, strict=True)
    ]

    def after(at: datetime, seconds: int) -> datetime | None:
        for calendar, end in calendars:
            if end is not None and end <= at:
                continue
            reached = due(at, seconds, calendar, pauses)
            if end is None or (reached is not None and reached <= end):
                return reached
            at, seconds = end, seconds - elapsed(at, end, calendar, spans)
        return None

    return after


def _is_at_work(view: IncidentAt) -> bool:
    pauses = view.pauses({PENDING})
    paused = any(start <= view.now and (end is None or view.now < end) for start, end in pauses)
    return not paused and view.state != PENDING and not view.resolved.ended


def _is_stopped(view: IncidentAt, policy: Policy) -> bool:
    """True once a state has ended the resolution clock, and in such a state even if it was declared in it."""
    stopping = frozenset(policy.states.stopping)
    return view.stopped(stopping).ended or view.state in stopping - OVER


def _due(
    cause: EscalationCause, facts: _Facts, is_at_work: bool, is_stopped: bool, entry: Escalation | None
) -> DueEscalation:
    """A cause with the people to notify; what the record says of it wins."""
    people, missing = _targets(facts, cause)
    return DueEscalation(
        incident=facts.view.incident.id,
        key=cause.key,
        rule=cause.rule,
        reason=entry.reason if entry else cause.reason,
        due=cause.at,
        cycle=cause.cycle,
        from_tier=cause.from_tier,
        to_tier=cause.to_tier,
        targets=(*entry.notified, *entry.failed) if entry else people,
        unreached=missing,
        superseded=_lapsed(cause, facts, is_at_work, is_stopped),
        recorded=entry,
        lap=cause.lap,
    )


def _superseded_by_highest(found: list[DueEscalation]) -> list[DueEscalation]:
    """The escalations, all but those that stand for the others superseded by the highest."""
    current = [one for one in found if not one.superseded]
    highest = max(current, key=lambda one: (one.lap, one.to_tier or 0, one.due, one.key), default=None)
    if highest is None:
        return found
    stand = {highest.key, *(one.key for one in current if one.rule == MANUAL)}
    if highest.rule in (NO_ANSWER, MANUAL):
        stand |= set({one.to_tier: one.key for one in current if one.rule == NO_ANSWER}.values())
    return [
        one if one.superseded or one.key in stand else one._replace(superseded=f"by {highest.key}") for one in found
    ]


def _lapsed(cause: EscalationCause, facts: _Facts, is_at_work: bool, is_stopped: bool) -> str:
    """Why nobody is notified of a cause any more; "" where it still matters."""
    if cause.cycle != facts.view.cycle:
        return "it was resolved and reopened since"
    if not is_at_work:
        return "nobody is working on it now"
    if cause.rule != MANUAL and is_stopped:  # what a person asks for is sent all the same
        return "its resolution clock has stopped"
    answer = first_after(facts.answers, cause.at) if cause.rule in (NO_ANSWER, MANUAL) else None
    return f"somebody answered at {stamp(answer)}" if answer else cause.lapsed


def _targets(facts: _Facts, cause: EscalationCause) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The people of the tier, then the managers of the assignee, as far up as the rank asks (R63, R64)."""
    people, missing = nearest_people(cause.to_tier, facts.policy, cause.at)
    above = managers(_assignee(facts, cause.at), _period_at(facts, cause.at).level.rank, facts.policy)
    return tuple(dict.fromkeys((*people, *above))), tuple(missing)


def _period_at(facts: _Facts, at: datetime) -> LevelPeriod:
    """The level at an instant; before the declaration that of the declaration."""
    return facts.periods[max(0, bisect_right(facts.periods, at, key=lambda period: period.since) - 1)]


def _assignee(facts: _Facts, at: datetime) -> str | None:
    place = bisect_right(facts.assigned, at, key=lambda entry: entry[0])
    return facts.assigned[place - 1][1] if place else None


def _assigned(incident: Incident) -> tuple[tuple[datetime, str], ...]:
    """Who had the incident from each instant on, in order; of what had begun the record's last entry counts."""
    dated = sorted((parse_instant(entry.at), place) for place, entry in enumerate(incident.assignments))
    last = accumulate((place for _, place in dated), max)
    return tuple((at, incident.assignments[place].to) for (at, _), place in zip(dated, last, strict=True))
