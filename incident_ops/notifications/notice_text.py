"""What a notice says: one spelling of times, how late it comes, and the command that does what is due."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from incident_ops.domain.incident import Incident
from incident_ops.domain.policy import LevelPolicy, Policy
from incident_ops.domain.time import instant, spell_clock, spell_duration
from incident_ops.sla.clocks import (
    DIAGNOSIS,
    POSTMORTEM_FINAL,
    POSTMORTEM_MEETING,
    RESOLUTION,
    RESPONSE,
    UPDATE_INTERNAL,
    UPDATE_PUBLIC,
)
from incident_ops.sla.obligations import (
    BREACH,
    DECLARED_NOTICE,
    ESCALATION_NOTICE,
    ITEM_MARK,
    RAISED_NOTICE,
    REOPENED_NOTICE,
    WARNING,
    Obligation,
)

_INSTANT = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9.]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})")
_SOON = 60  # seconds within which nobody calls it late
_BEGINS = (DECLARED_NOTICE, RAISED_NOTICE, REOPENED_NOTICE)
_DUTIES = (WARNING, BREACH, ITEM_MARK)


def spell_instants(text: str, now: datetime) -> str:
    """A sentence with its instants as people read them: `12:20 UTC`, with the day where that is not that of `now`."""

    def spelled(found: re.Match[str]) -> str:
        try:
            at = instant(found[0])
        except ValueError:
            at = None
        return found[0] if at is None else f"{spell_clock(at, dated=at.date() != now.date())} UTC"

    return _INSTANT.sub(spelled, text)


def notice_lines(
    obligation: Obligation, incident: Incident, level: LevelPolicy, policy: Policy, *, is_internal: bool
) -> tuple[str, ...]:
    """The lines of a notice: what is due, in whose words, when and how late, and what to do about it."""
    now = obligation.noticed_at
    lines = [spell_instants(obligation.reason, now), *([obligation.text] if obligation.text else [])]
    lines.append(_when(obligation, now))
    if obligation.kind in _BEGINS and level.team:
        lines.append(f"Team: {level.team}")
    if is_internal:
        lines += _steps(obligation, incident, policy)
    return tuple(lines)


def _when(obligation: Obligation, now: datetime) -> str:
    lag = int((now - obligation.due).total_seconds())
    at = f"{spell_clock(obligation.due, dated=obligation.due.date() != now.date())} UTC"
    word = "Due" if obligation.kind in _DUTIES else "Since" if obligation.kind in _BEGINS else "At"
    if lag < _SOON:
        return f"{word} {at}"
    late = "late" if obligation.kind in _DUTIES else "later"
    return f"{word} {at}, noticed {spell_clock(now)} UTC, {spell_duration(lag, in_words=True)} {late}"


def _steps(obligation: Obligation, incident: Incident, policy: Policy) -> Iterator[str]:
    """The commands that do what an obligation asks for; the next tier only where somebody else could help."""
    name, kind, clock = incident.id, obligation.kind, obligation.clock
    if kind == ITEM_MARK:
        yield f"When it is done: incident-ops action done {obligation.item} {name}"
        yield f'To postpone it: incident-ops action edit {obligation.item} {name} --due DATE --reason "..."'
    elif kind in (*_BEGINS, ESCALATION_NOTICE) or clock == RESPONSE:
        if incident.times.acknowledged is None or kind == REOPENED_NOTICE:
            yield f"To take it: incident-ops ack {name}"
    elif kind in (WARNING, BREACH):
        yield from _step_of_clock(clock, name)
    has_tiers = kind in (WARNING, BREACH) and bool(policy.escalation.tiers)
    if has_tiers and clock in (RESPONSE, DIAGNOSIS, RESOLUTION):
        yield f'To get help from the next tier: incident-ops escalate {name} --reason "..."'


def _step_of_clock(clock: str, name: str) -> Iterator[str]:
    if clock in (UPDATE_INTERNAL, UPDATE_PUBLIC):
        audience = "public" if clock == UPDATE_PUBLIC else "internal"
        yield f'To write it: incident-ops update {name} --{audience} "..."'
    elif clock == DIAGNOSIS:
        yield f'When the cause is found: incident-ops timeline "..." {name} --kind diagnosis --mark diagnosed'
    elif clock == POSTMORTEM_MEETING:
        yield "When it is set: write it to postmortem.meeting of the record"
    elif clock == POSTMORTEM_FINAL:
        yield "When it is finished: set postmortem.status of the record to final, with final_at"
