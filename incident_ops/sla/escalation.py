"""What escalates an incident, and since which instant it is due (R58-R65, R68-R70, C8, C9).

Each rule derives its instants from the times of events alone, so that a late run finds the same ones: a threshold that
work deferred is due at the first instant past it at which the silence had lasted long enough. `>` fires strictly after.
The rules ignore incidents declared after the fact, duplicates, false alarms and withdrawn ones. A state of
`states.stopping` ends them for the cycle, as it ends the resolution clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.as_of import IncidentAt, as_of, assignee_at
from incident_ops.domain.incident import Escalation
from incident_ops.domain.lifecycle import OVER, PENDING
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import parse_instant, stamp
from incident_ops.sla.activity import NOTHING_SEEN, Seen, activity, answers, first_after
from incident_ops.sla.calendar import due
from incident_ops.sla.escalation_ladder import (
    ACK_TIMEOUT,
    NO_ANSWER,
    EscalationCause,
    LadderInputs,
    climb,
    managers,
    nearest_people,
)
from incident_ops.sla.escalation_rules import EscalationCycle, causes, escalation_cycles
from incident_ops.sla.targets import calendar_of, level_periods

MANUAL = "manual"


class DueEscalation(NamedTuple):
    """An escalation that is due: by which rule and why, between which tiers, and who is to be notified.

    `due` is the instant of the rule (aware UTC). `superseded` says why nobody is notified of it any more. `unreached`
    are the names in the policy that have no contact. `recorded` is the entry of the record, where it has one.
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


def due_escalations(
    view: IncidentAt, policy: Policy, seen: Seen = NOTHING_SEEN, pattern: Sequence[str] = ()
) -> list[DueEscalation]:
    """Every escalation that is due now, in order, including those already in the record.

    `seen` is what the tracker shows of the incident, `pattern` the ids of the incidents similar to it (`similar`).
    Only the highest one is for notification; the others are superseded. UserError as `sla.clocks`.
    """
    if view.is_cancelled:
        return []
    active = activity(view, policy, seen.comments)
    cycles = escalation_cycles(view, policy, active)
    recorded = {entry.key: entry for entry in view.incident.escalations if parse_instant(entry.at) <= view.now}
    found = _with_recorded([cause for cycle in cycles for cause in causes(cycle, seen, pattern)], recorded)
    climbed = climb(found, _ladder_inputs(view, policy, active, cycles), view.now)
    return _superseded_by_highest([_due(cause, view, policy, recorded.get(cause.key)) for cause in climbed])


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


def _ladder_inputs(
    view: IncidentAt, policy: Policy, active: tuple[datetime, ...], cycles: Sequence[EscalationCycle]
) -> LadderInputs:
    pauses = view.closed_pauses(policy.states.pausing)
    calendar = calendar_of(level_periods(view, policy)[-1].level, policy)
    incident = view.incident

    def quiet(since: datetime, seconds: int) -> datetime | None:
        for index, at in enumerate(active):
            silent_until = due(at, seconds, calendar, pauses)
            following = active[index + 1] if index + 1 < len(active) else None
            if at >= since and silent_until and (following is None or silent_until < following):
                return silent_until
        return None

    def is_open(at: datetime) -> bool:
        then = as_of(incident, at)
        response = then.acknowledged
        # acknowledged at an unknown time, or before the declaration
        was_taken = response.ended and (response.at is None or response.at <= then.declared)
        return _is_at_work(then) and not _is_stopped(then, policy) and not (then.cycle == 1 and was_taken)

    return LadderInputs(
        incident=incident,
        tiers=policy.escalation.tiers,
        begins=[cycle.begin for cycle in cycles],
        answers=answers(view, policy),
        cycle_at=lambda at: as_of(incident, at).cycle,
        is_open=is_open,
        after=lambda at, seconds: due(at, seconds, calendar, pauses),
        quiet=quiet,
    )


def _is_at_work(view: IncidentAt) -> bool:
    pauses = view.pauses({PENDING})
    paused = any(start <= view.now and (end is None or view.now < end) for start, end in pauses)
    return not paused and view.state != PENDING and not view.resolved.ended


def _is_stopped(view: IncidentAt, policy: Policy) -> bool:
    """True once a state has ended the resolution clock, and in such a state even if it was declared in it."""
    stopping = frozenset(policy.states.stopping)
    return view.stopped(stopping).ended or view.state in stopping - OVER


def _due(cause: EscalationCause, view: IncidentAt, policy: Policy, entry: Escalation | None) -> DueEscalation:
    """A cause with the people to notify; what the record says of it wins."""
    people, missing = _targets(view, policy, cause)
    return DueEscalation(
        incident=view.incident.id,
        key=cause.key,
        rule=cause.rule,
        reason=entry.reason if entry else cause.reason,
        due=cause.at,
        cycle=cause.cycle,
        from_tier=cause.from_tier,
        to_tier=cause.to_tier,
        targets=tuple(entry.notified) if entry else people,
        unreached=missing,
        superseded=_lapsed(cause, view, policy),
        recorded=entry,
    )


def _superseded_by_highest(found: list[DueEscalation]) -> list[DueEscalation]:
    """The escalations, all but the highest of those that still matter superseded by it."""
    current = [one for one in found if not one.superseded]
    highest = max(current, key=lambda one: (one.to_tier or 0, one.due, one.key), default=None)
    return [
        one if one.superseded or one is highest or highest is None else one._replace(superseded=f"by {highest.key}")
        for one in found
    ]


def _lapsed(cause: EscalationCause, view: IncidentAt, policy: Policy) -> str:
    """Why nobody is notified of a cause any more; "" where it still matters."""
    if cause.cycle != view.cycle:
        return "it was resolved and reopened since"
    if not _is_at_work(view):
        return "nobody is working on it now"
    if cause.rule != MANUAL and _is_stopped(view, policy):  # what a person asks for is sent all the same
        return "its resolution clock has stopped"
    answer = first_after(answers(view, policy), cause.at) if cause.rule == NO_ANSWER else None
    return f"somebody answered at {stamp(answer)}" if answer else cause.lapsed


def _targets(view: IncidentAt, policy: Policy, cause: EscalationCause) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The people of the tier, then the managers of the assignee, as far up as the rank asks (R63, R64)."""
    earlier = [period for period in level_periods(view, policy) if period.since <= cause.at]
    rank = max(earlier, key=lambda period: period.since).level.rank if earlier else 4
    people, missing = nearest_people(cause.to_tier, policy)
    above = managers(assignee_at(view.incident, cause.at), rank, policy)
    return tuple(dict.fromkeys((*people, *above))), tuple(missing)
