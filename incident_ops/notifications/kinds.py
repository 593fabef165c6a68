"""Of which kind a notice is, and how people hear of it now. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from incident_ops.domain.as_of import as_of, each_cycle
from incident_ops.domain.incident import Incident
from incident_ops.domain.memo import memoised
from incident_ops.domain.notice_kinds import (
    AUTO_STATE,
    CALLS,
    DEADLINE_DUE,
    DECLARED,
    DIAGNOSIS_DUE,
    ESCALATED,
    HANDOVER,
    ITEM_DUE,
    NEWS,
    PAGE,
    POSTMORTEM_DUE,
    RAISED,
    REOPENED_KIND,
    RESOLUTION_AT_RISK,
    RESOLUTION_DUE,
    RESOLVED_KIND,
    RESPONSE_DUE,
    TELL,
    UPDATE_DUE,
)
from incident_ops.domain.policy import Policy
from incident_ops.sla.activity import answers, first_after
from incident_ops.sla.clocks import (
    ACTION_ITEM,
    DEADLINE,
    DIAGNOSIS,
    POSTMORTEM_FINAL,
    POSTMORTEM_MEETING,
    RESOLUTION,
    RESPONSE,
    UPDATE_INTERNAL,
    UPDATE_PUBLIC,
)
from incident_ops.sla.obligations import (
    AHEAD_MARK,
    BREACH,
    DECLARED_NOTICE,
    ESCALATION_NOTICE,
    HANDOVER_NOTICE,
    ITEM_MARK,
    ITEM_MARKS,
    NEWS_NOTICE,
    RAISED_NOTICE,
    REOPENED_NOTICE,
    RESOLVED_NOTICE,
    SNOOZE_NOTICE,
    STATE_NOTICE,
    WARNING,
    Obligation,
)

_LATE = {
    RESPONSE: RESPONSE_DUE,
    DIAGNOSIS: DIAGNOSIS_DUE,
    RESOLUTION: RESOLUTION_DUE,
    UPDATE_INTERNAL: UPDATE_DUE,
    UPDATE_PUBLIC: UPDATE_DUE,
    POSTMORTEM_MEETING: POSTMORTEM_DUE,
    POSTMORTEM_FINAL: POSTMORTEM_DUE,
    ACTION_ITEM: ITEM_DUE,
    DEADLINE: DEADLINE_DUE,
}
_OTHERS = {
    DECLARED_NOTICE: DECLARED,
    RAISED_NOTICE: RAISED,
    REOPENED_NOTICE: REOPENED_KIND,
    RESOLVED_NOTICE: RESOLVED_KIND,
    ESCALATION_NOTICE: ESCALATED,
    HANDOVER_NOTICE: HANDOVER,
    NEWS_NOTICE: NEWS,
    STATE_NOTICE: AUTO_STATE,
    ITEM_MARK: ITEM_DUE,
    DEADLINE: DEADLINE_DUE,
    SNOOZE_NOTICE: DECLARED,  # people hear again of what was declared
}
_AHEAD = (*(f".{mark}" for mark, days in ITEM_MARKS if days < 0), f".{AHEAD_MARK}")


def notice_kind(obligation: Obligation) -> str:
    """The kind of notice that an obligation makes, one of `domain.notice_kinds.NOTICE_KINDS`."""
    if obligation.kind == WARNING:
        return UPDATE_DUE if obligation.clock in (UPDATE_INTERNAL, UPDATE_PUBLIC) else RESOLUTION_AT_RISK
    return _LATE[obligation.clock] if obligation.kind == BREACH else _OTHERS[obligation.kind]


def way_now(obligation: Obligation, policy: Policy, answered: Sequence[datetime]) -> str:
    """How people hear of an obligation: what somebody has taken since (`answered`, in order) rings nobody any more."""
    kind = notice_kind(obligation)
    is_ahead = obligation.kind in (ITEM_MARK, DEADLINE) and obligation.mark.endswith(_AHEAD)
    way = policy.way(kind, obligation.rank, is_ahead=is_ahead)
    return TELL if way == PAGE and kind in CALLS and is_answered(obligation, answered) else way


def is_answered(obligation: Obligation, answered: Sequence[datetime]) -> bool:
    """True where somebody took the incident when this was due, or since."""
    return obligation.due in answered or first_after(answered, obligation.due) is not None


@memoised
def answer_times(incident: Incident, policy: Policy, now: datetime) -> tuple[datetime, ...]:
    """When somebody took an incident, in order (aware UTC): answers, and for an acknowledgement at an unknown time or
    before the declaration the declaration itself. Whoever reopens it has not answer_times it."""
    view = as_of(incident, now)
    first, found = view.acknowledged, set(answers(view, policy))
    found -= {cycle.cycle_start for cycle in each_cycle(view) if cycle.cycle > 1}
    if first.ended:
        found.add(view.declared if first.at is None else max(first.at, view.declared))
    return tuple(sorted(found))
