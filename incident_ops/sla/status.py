"""The clocks of all records at an instant, as `sla check` shows them, and the status of each open incident.

The status: ok, at risk or breached, with age and last update (R52, R53), and the phase of the response that the
incident is in (R22, R23, R49, R50), with how far it has overrun.

A phase is planned by the clock and ended by what happened: triage by a person who triages (`domain.triage_window`) or
acknowledges, the search for the cause by `diagnosed`, mitigation by `mitigated`; being restored or resolved ends them
all. A phase with any other name has no event of its own and ends by the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from incident_ops.domain.as_of import IncidentAt, as_of
from incident_ops.domain.automation import is_automation
from incident_ops.domain.commander import commander_due
from incident_ops.domain.fence import consume, evaluate_each
from incident_ops.domain.lifecycle import OVER
from incident_ops.domain.policy import Policy
from incident_ops.domain.record import HIDDEN, Record, UndatedFields, Unread, title_of
from incident_ops.domain.ticket import kind_of
from incident_ops.domain.triage_window import triage_instants
from incident_ops.domain.waits import snoozed_until
from incident_ops.sla.calendar import due, elapsed
from incident_ops.sla.clocks import ACTION_ITEM, AFTERWARDS, DEADLINE, Clock, Risk, clocks
from incident_ops.sla.stagnation import last_activity, stagnates_at
from incident_ops.sla.targets import calendar_of, level_of, seconds_of, why_no_level


class ClockReport(NamedTuple):
    """The clocks at an instant (aware UTC), ordered by incident; `unread` are records that could not be used.

    `statuses` are the incidents that are not resolved, ordered by id; cancelled ones are left out. `undated` names by
    incident what a view of an earlier time leaves out, `titles` holds the titles that may be listed.
    """

    at: datetime
    clocks: tuple[Clock, ...]
    unread: tuple[Unread, ...] = ()
    statuses: tuple[IncidentStatus, ...] = ()
    undated: UndatedFields = ()
    titles: Mapping[str, str] = MappingProxyType({})


def clock_report(
    records: Iterable[Record], policy: Policy, now: datetime, unread: Sequence[Unread] = (), everything: bool = False
) -> ClockReport:
    """The clocks of all incidents that are not closed, and the open work of closed ones; or `everything`.

    A record whose label is not a level of the policy joins `unread`. UserError where the policy itself cannot be used.
    """
    found: list[Clock] = []
    statuses: list[IncidentStatus] = []
    left_out = list(unread)
    undated: list[tuple[str, tuple[str, ...]]] = []
    titles: dict[str, str] = {}

    def add(record: Record) -> None:
        incident = record.incident
        if why := why_no_level(incident, policy):
            if everything or not incident.is_closed or incident.open_items:
                left_out.append(Unread(record.path, why))
            return
        if record.undated:
            undated.append((incident.id, record.undated))
        titles[incident.id] = title_of(incident, policy) or HIDDEN
        view = as_of(incident, now)
        its_clocks = clocks(view, policy)
        found.extend(clock for clock in its_clocks if everything or _is_wanted(clock, incident.is_closed))
        if view.state not in OVER and not view.is_cancelled:
            status = incident_status(view, policy, its_clocks)
            is_known = "roles" not in record.undated  # who commanded at an earlier time may be undated
            statuses.append(status if is_known else status._replace(commander_due=None))

    consume(evaluate_each(records, add))
    statuses.sort(key=lambda one: one.incident)
    found.sort(key=lambda clock: (clock.incident, clock.place))
    return ClockReport(now, tuple(found), tuple(sorted(left_out)), tuple(statuses), tuple(sorted(undated)), titles)


def _is_wanted(clock: Clock, closed: bool) -> bool:
    """Finished items are not shown, and of a closed incident only the work that remains."""
    if clock.clock == ACTION_ITEM:
        return not clock.is_over
    return not closed or (clock.clock in AFTERWARDS and not clock.is_over)


_WORST = (Risk.BREACHED, Risk.AT_RISK, Risk.OK)


class IncidentStatus(NamedTuple):
    """One incident or ticket (`kind`) that is not resolved; `commander_due` as `domain.commander`; `snoozed`: until
    when reminders wait (None: they do not), and who said so.

    `updated_at` is when somebody last did anything for it, `stagnates_at` when doing nothing escalates (None: never).
    `risk` is the worst of its running clocks, `clock` the one that is due next (None: none is due). Instants are aware
    UTC. `lag_seconds` is the time from detection to declaration of an incident declared after the fact.
    """

    incident: str
    kind: str
    level: str
    assignee: str | None
    risk: Risk
    clock: Clock | None
    age_seconds: int
    updated_at: datetime
    phase: PhaseStatus | None
    retroactive: bool
    lag_seconds: int | None
    commander_due: datetime | None = None
    snoozed: tuple[datetime, str] | None = None
    state: str = ""
    stagnates_at: datetime | None = None


def incident_status(view: IncidentAt, policy: Policy, clocks: Sequence[Clock]) -> IncidentStatus:
    """The status of an incident, from its clocks at the same instant. UserError as `sla.clocks.clocks`."""
    incident = view.incident
    running = [one for one in clocks if not one.is_over and (one.clock not in AFTERWARDS or one.clock == DEADLINE)]
    due = [(clock.due, number) for number, clock in enumerate(running) if clock.due is not None]
    late, until = view.is_retroactive, snoozed_until(incident, view.now)
    return IncidentStatus(
        incident=incident.id,
        kind=kind_of(incident, policy, view.now),
        level=policy.label_of(incident) or "",
        assignee=view.assignee,
        risk=min((clock.risk for clock in running), key=_WORST.index, default=Risk.OK),
        clock=running[min(due)[1]] if due else None,
        age_seconds=max(int((view.now - view.cycle_start).total_seconds()), 0),
        updated_at=last_activity(view, policy),
        phase=current_phase(view, policy),
        retroactive=late,
        lag_seconds=view.declaration_lag if late else None,
        commander_due=commander_due(incident, policy, view.now),
        snoozed=(until, incident.snooze.by) if incident.snooze and until else None,
        state=view.state,
        stagnates_at=stagnates_at(view, policy),
    )


TRIAGE = "triage"
_TRIAGE = ("times.acknowledged", "times.diagnosed", "times.mitigated")
_CAUSE = ("times.diagnosed", "times.mitigated")
ENDINGS = {
    TRIAGE: _TRIAGE,
    "investigation": _CAUSE,
    "root_cause": _CAUSE,
    "mitigation": ("times.mitigated",),
}
"""Phase -> instants that end it; each of these is also ended by `restored` and by the resolution."""


class PhaseStatus(NamedTuple):
    """One phase: when it was planned (aware UTC; `due` None = open), when it ended, and by how many seconds it overran.

    Seconds are working seconds of the level's calendar.
    """

    id: str
    start: datetime | None
    due: datetime | None
    ended_at: datetime | None
    over_seconds: int


def phases(view: IncidentAt, policy: Policy) -> list[PhaseStatus]:
    """The phases of the level in force, in the policy's order; [] where it has none. UserError as `level_of`."""
    policy = policy.for_incident(view.incident)
    level = level_of(view.incident, policy)
    calendar = calendar_of(level, policy)
    begin = view.declared
    found = []
    for phase in level.phases:
        start = due(begin, seconds_of(phase.start), calendar)
        planned = due(begin, seconds_of(phase.end), calendar) if phase.end else None
        ended = _ended(view, policy, phase.id, planned)
        over = elapsed(planned, ended or view.now, calendar) if planned else 0
        found.append(PhaseStatus(phase.id, start, planned, ended, over))
    return found


def current_phase(view: IncidentAt, policy: Policy) -> PhaseStatus | None:
    """The present phase: the first that has not ended; None where all have, and after a reopening."""
    if view.cycle > 1:
        return None  # phases are counted from the declaration
    return next((one for one in phases(view, policy) if one.ended_at is None), None)


def _ended(view: IncidentAt, policy: Policy, name: str, planned: datetime | None) -> datetime | None:
    """When a phase ended; None while it lasts."""
    if name not in ENDINGS:
        return planned if planned is not None and planned <= view.now else view.resolved.at
    events = [view.at(field) for field in (*ENDINGS[name], "times.restored")]
    if name == TRIAGE:
        events += triage_instants(view.incident, lambda by: not is_automation(by, policy))
    return min((at for at in (*events, view.resolved.at) if at is not None and at <= view.now), default=None)
