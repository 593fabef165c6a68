"""What escalates an incident, and since which instant it is due (R58-R65, R68-R70, C8, C9).

Each rule finds its instants from the times of events alone, so that a late run finds the same ones: a threshold that
work deferred is due at the first instant past it at which the silence had lasted long enough. `>` fires strictly after.
The rules are silent about what was declared after the fact, and about duplicates, false alarms and what was withdrawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.as_of import IncidentAt, as_of, assignee_at
from incident_ops.domain.incident import Escalation
from incident_ops.domain.lifecycle import PENDING
from incident_ops.domain.policy import Policy
from incident_ops.domain.time import parse_instant, stamp
from incident_ops.sla.activity import NOTHING_SEEN, Seen, activity, answers, first_after
from incident_ops.sla.calendar import due
from incident_ops.sla.escalation_ladder import (
    ACK_TIMEOUT,
    NO_ANSWER,
    EscalationCause,
    EscalationStep,
    LadderInputs,
    climb,
    managers,
    nearest_people,
)
from incident_ops.sla.escalation_rules import EscalationCycle, causes, escalation_cycles
from incident_ops.sla.targets import calendar_of, level_periods

MANUAL = "manual"


class DueEscalation(NamedTuple):
    """An escalation that is due: by which rule and why, between which tiers, who is to be told.

    `due` is the instant of the rule (aware UTC). `superseded` says why nobody is to be told any more. `unreached` are
    the words of the policy that nobody is behind. `recorded` is the entry of the record, where it has one.
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
    """Every escalation that is due at `now` (aware UTC), in order, those in the record among them.

    `seen` is what the tracker shows of the incident, `pattern` the ids that make one with it (`similar`). Of those that
    nobody was told about yet only the highest is to be told; the others are superseded. UserError as `sla.clocks`.
    """
    if view.is_cancelled:
        return []
    done = activity(view, policy, seen.comments)
    cycles = escalation_cycles(view, policy, done)
    known = {entry.key: entry for entry in view.incident.escalations if parse_instant(entry.at) <= view.now}
    found = _with_recorded([cause for case in cycles for cause in causes(case, seen, pattern)], known)
    return _told(view, policy, climb(found, _road(view, policy, done, cycles), view.now), known)


def _with_recorded(causes: list[EscalationCause], known: Mapping[str, Escalation]) -> list[EscalationCause]:
    """The causes in order, each key once; what the record holds keeps its tier, and stays though no rule says it."""
    found: dict[str, EscalationCause] = {}
    for cause in sorted(causes, key=lambda one: (one.at, one.rule, one.key)):
        entry = known.get(cause.key)
        found.setdefault(cause.key, cause._replace(to_tier=entry.to_tier) if entry else cause)
    for entry in known.values():
        if entry.key not in found and entry.rule not in (NO_ANSWER, ACK_TIMEOUT):
            at, cycle = parse_instant(entry.at), _cycle_of(entry.key)
            found[entry.key] = EscalationCause(at, entry.rule, entry.key, entry.reason, cycle, to_tier=entry.to_tier)
    return sorted(found.values(), key=lambda one: (one.at, one.rule, one.key))


def _cycle_of(key: str) -> int:
    """The cycle a key of ours names; 1 for a key of somebody else's making."""
    parts = key.split("/")
    return int(parts[2]) if len(parts) > 2 and parts[2].isdecimal() else 1


def _road(
    view: IncidentAt, policy: Policy, done: tuple[datetime, ...], cycles: Sequence[EscalationCycle]
) -> LadderInputs:
    rests, calendar = view.closed_pauses, calendar_of(level_periods(view, policy)[-1].level, policy)
    incident = view.incident

    def quiet(since: datetime, seconds: int) -> datetime | None:
        for index, at in enumerate(done):
            free = due(at, seconds, calendar, rests)
            following = done[index + 1] if index + 1 < len(done) else None
            if at >= since and free and (following is None or free < following):
                return free
        return None

    def is_open(at: datetime) -> bool:
        view = as_of(incident, at)
        taken = view.acknowledged
        # somebody has it since nobody knows when, or had it before it was declared
        taken_early = taken.ended and (taken.at is None or taken.at <= view.declared)
        return _is_at_work(view) and not (view.cycle == 1 and taken_early)

    return LadderInputs(
        incident=incident,
        tiers=policy.escalation.tiers,
        begins=[case.begin for case in cycles],
        answers=answers(view, policy),
        cycle_at=lambda at: as_of(incident, at).cycle,
        is_open=is_open,
        after=lambda at, seconds: due(at, seconds, calendar, rests),
        quiet=quiet,
    )


def _is_at_work(view: IncidentAt) -> bool:
    rests = any(start <= view.now and (end is None or view.now < end) for start, end in view.pauses)
    return not rests and view.state != PENDING and not view.resolved.ended


def _told(
    view: IncidentAt, policy: Policy, rungs: Sequence[EscalationStep], known: Mapping[str, Escalation]
) -> list[DueEscalation]:
    """The rungs with who is to be told; all but the highest that still stands are superseded."""
    at_work, answered = _is_at_work(view), answers(view, policy)
    found = []
    for rung in rungs:
        cause, entry = rung.cause, known.get(rung.cause.key)
        told, nobody = _targets(view, policy, cause, rung.to_tier)
        found.append(
            DueEscalation(
                incident=view.incident.id,
                key=cause.key,
                rule=cause.rule,
                reason=entry.reason if entry else cause.reason,
                due=cause.at,
                cycle=cause.cycle,
                from_tier=rung.from_tier,
                to_tier=rung.to_tier,
                targets=tuple(entry.notified) if entry else told,
                unreached=nobody,
                superseded=_lapsed(cause, view, answered, at_work),
                recorded=entry,
            )
        )
    standing = [one for one in found if not one.superseded]
    highest = max(standing, key=lambda one: (one.to_tier or 0, one.due, one.key), default=None)
    return [
        one if one.superseded or one is highest or highest is None else one._replace(superseded=f"by {highest.key}")
        for one in found
    ]


def _lapsed(cause: EscalationCause, view: IncidentAt, answered: Sequence[datetime], at_work: bool) -> str:
    """Why nobody is to be told of a cause any more; "" where it still stands."""
    if cause.cycle != view.cycle:
        return "it was resolved and reopened since"
    if not at_work:
        return "nobody is working on it now"
    answer = first_after(answered, cause.at) if cause.rule == NO_ANSWER else None
    return f"somebody answered at {stamp(answer)}" if answer else cause.lapsed


def _targets(
    view: IncidentAt, policy: Policy, cause: EscalationCause, tier: int | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The people of the tier, then the managers of whoever has the incident, as far up as its rank asks (R63, R64)."""
    level = max(
        (leg for leg in level_periods(view, policy) if leg.since <= cause.at), key=lambda leg: leg.since, default=None
    )
    rank = level.level.rank if level else 4
    told, nobody = nearest_people(tier, policy)
    above = managers(assignee_at(view.incident, cause.at), rank, policy)
    return tuple(dict.fromkeys((*told, *above))), tuple(nobody)
