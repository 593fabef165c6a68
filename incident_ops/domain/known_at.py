"""What was known of an incident at an earlier time: `incident_at` is the one place that decides it.

A dated fact is known from its own time on, a correction from the time at which it was made. What carries no date (the
impact, the cause, links) is left out of a view of an earlier time and named: the record does not say since when it
holds. Whoever edits a record reads the record itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace

from incident_ops.domain.as_of import as_of, corrected_instants, current_instant
from incident_ops.domain.incident import (
    ITEM_FIELDS,
    ActionItem,
    Change,
    Cycle,
    Event,
    Incident,
    Postmortem,
    Roles,
    Times,
)
from incident_ops.domain.lifecycle import (
    ASSIGNED,
    CLOSED,
    FIXED,
    IN_PROGRESS,
    INSTANTS_OF_CYCLE,
    NEW,
    OVER,
    PENDING,
    RESOLVED,
    TRIAGED,
)
from incident_ops.domain.time import UNKNOWN, parse_instant

ALWAYS_SHOWN = ("id", "policy", "detection", "source", "visibility", "drill")
"""Fields that are shown at any time; what is restricted now was never for everybody."""
UNDATED = (
    "description",
    "triage",
    "customer",
    "impact",
    "cause",
    "resolution",
    "tags",
    "factors",
    "imported",
    "links",
    "related",
    "problem",
    "public_status",
)
"""Fields without a date, left out whole; of all others that part is shown which is dated."""

_EMPTY = Incident(id="", title="", services=[], state=NEW, times=Times(declared=""))
_STANDARD_ROLES = tuple(name for name in Roles.__struct_fields__ if name != "others")
_NOT_BEGUN = (NEW, TRIAGED, ASSIGNED, PENDING)


class KnownIncident(NamedTuple):
    """An incident as it was known at a time, and the fields left out because the record does not date them."""

    incident: Incident
    undated: tuple[str, ...] = ()


def incident_at(incident: Incident, now: datetime) -> KnownIncident | None:
    """What was known at `now` (aware UTC), None before the declaration.

    It is the incident itself at the last dated entry and after it.
    """
    horizon = _Horizon(now)
    if all(map(horizon.covers, _dates(incident))):
        return KnownIncident(incident)
    corrections = [entry for entry in incident.corrections if horizon.covers(entry.at)]
    instants = corrected_instants(replace(incident, corrections=corrections))
    if not horizon.covers(instants["times.declared"]):
        return None
    reopened = (instants[f"cycles.{number}.reopened"] for number in range(1, len(incident.cycles) + 1))
    cycles = incident.cycles[: sum(map(horizon.covers, reopened))]
    begun = replace(incident, corrections=corrections, cycles=cycles)
    return _known(incident, replace(begun, state=_state(incident, begun, horizon)), horizon)


class _Horizon:
    """How far a view of an earlier time sees."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._today = now.date().isoformat()
        # a zone moves an instant by less than a day, so what is dated before yesterday needs no calculation
        self._yesterday = (now - timedelta(days=1)).date().isoformat()

    def covers(self, text: str) -> bool:
        """True for an instant, or a day, that is not later; false for `unknown`."""
        if text[:10] < self._yesterday:
            return True
        return parse_instant(text) <= self.now if "T" in text else text <= self._today


def last_entry(incident: Incident) -> str:
    """The time of the record's last dated entry, as it stands there."""
    return max(_dates(incident), key=_as_instant)


def _as_instant(text: str) -> datetime:
    return parse_instant(text if "T" in text else f"{text}T00:00:00Z")


def _dates(incident: Incident) -> Iterator[str]:
    """The time of every dated entry, in no order."""
    for part in (incident.times, *incident.cycles):
        yield from (at for name in part.__struct_fields__ if (at := getattr(part, name)) and at != UNKNOWN)
    yield from (event.at for event in incident.timeline)
    yield from (update.at for update in incident.updates)
    yield from (change.at for change in incident.changes)
    yield from (correction.at for correction in incident.corrections)
    yield from (pause.end or pause.start for pause in incident.pauses)
    yield from (assignment.at for assignment in incident.assignments)
    yield from (escalation.noticed_at or escalation.at for escalation in incident.escalations)
    yield from (override.at for override in incident.overrides)
    yield from (report.done_at for report in incident.deadlines)
    for item in incident.action_items:
        yield from (at for at in (item.added, item.done_at) if at and at != UNKNOWN)
        yield from (change.at for change in item.changes)
    if paper := incident.postmortem:
        yield from (at for at in (paper.reviewed_at, paper.final_at) if at and at != UNKNOWN)


def _known(incident: Incident, begun: Incident, horizon: _Horizon) -> KnownIncident:
    """`begun` is the incident with the state, the corrections and the cycles of that time."""
    title, severity, priority, services = (
        _value(incident, name, horizon) for name in ("title", "severity", "priority", "services")
    )
    was_closed = begun.state == CLOSED and len(begun.cycles) == len(incident.cycles)
    known = replace(
        begun,
        **{name: getattr(_EMPTY, name) for name in UNDATED},
        title=title,
        services=services.split(", ") if isinstance(services, str) else services,
        severity=severity,
        priority=priority,
        times=_times(begun, horizon),
        cycles=[_cycle(begun, number, horizon) for number in range(len(begun.cycles))],
        roles=_roles(incident, horizon),
        timeline=_timeline(incident.timeline, horizon),
        updates=[entry for entry in incident.updates if horizon.covers(entry.at)],
        changes=[entry for entry in incident.changes if horizon.covers(entry.at)],
        assignments=[entry for entry in incident.assignments if horizon.covers(entry.at)],
        overrides=[entry for entry in incident.overrides if horizon.covers(entry.at)],
        deadlines=[report for report in incident.deadlines if horizon.covers(report.done_at)],
        escalations=[entry for entry in incident.escalations if horizon.covers(entry.noticed_at or entry.at)],
        pauses=[
            pause if pause.end is None or horizon.covers(pause.end) else replace(pause, end=None)
            for pause in incident.pauses
            if horizon.covers(pause.start)
        ],
        action_items=[item for each in incident.action_items if (item := _item(each, horizon)) is not None],
        snooze=incident.snooze if incident.snooze and horizon.covers(incident.snooze.until) else None,
        postmortem=_postmortem(incident.postmortem, horizon),
        outcome=incident.outcome if was_closed else FIXED,
        duplicate_of=incident.duplicate_of if was_closed else None,
    )
    return KnownIncident(known, _left_out(incident, known, horizon))


def _undone(changes: Sequence[Change], field: str, horizon: _Horizon) -> Change | None:
    """The first change of a field that lies ahead: what it changed held until then."""
    later = (change for change in changes if change.field == field and not horizon.covers(change.at))
    return min(later, key=lambda change: parse_instant(change.at), default=None)


def _value(incident: Incident, field: str, horizon: _Horizon) -> Any:
    change = _undone(incident.changes, field, horizon)
    return change.old if change else getattr(incident, field)


def _state(incident: Incident, begun: Incident, horizon: _Horizon) -> str:
    """The state by its changes; that of a record without any by the instants that it names."""
    if any(change.field == "state" for change in incident.changes):
        return as_of(incident, horizon.now).state

    def is_ahead(text: str | None) -> bool:
        return text is not None and text != UNKNOWN and not horizon.covers(text)

    resolved, closed = (current_instant(begun, name) for name in (RESOLVED, CLOSED))
    before = RESOLVED if resolved is not None and not is_ahead(resolved) else IN_PROGRESS
    state = incident.state
    if len(begun.cycles) < len(incident.cycles):
        state = before if closed is None or is_ahead(closed) else CLOSED
    elif (state == CLOSED and is_ahead(closed)) or (state == RESOLVED and is_ahead(resolved)):
        state = before
    elif state == PENDING and begun.pauses and is_ahead(begun.pauses[-1].start):
        state = IN_PROGRESS
    if state == IN_PROGRESS and not begun.cycles and is_ahead(corrected_instants(begun).get("times.acknowledged")):
        return ASSIGNED if any(horizon.covers(entry.at) for entry in begun.assignments) else NEW
    return state


def _times(begun: Incident, horizon: _Horizon) -> Times:
    """The instants of the first cycle; `unknown` where it had come about by then."""
    shown = {"started", "detected"}
    if begun.cycles or _was_over(begun, begun.times, horizon):
        shown.update(name for name in Times.__struct_fields__ if name != CLOSED)
    elif _was_begun(begun, horizon):
        shown.add("acknowledged")
    if begun.cycles or begun.state == CLOSED:
        shown.add(CLOSED)
    return replace(begun.times, **_later(begun.times, shown, horizon) | {"declared": begun.times.declared})


def _cycle(begun: Incident, number: int, horizon: _Horizon) -> Cycle:
    """The same for a later cycle, counted from 0."""
    cycle, is_past = begun.cycles[number], number + 1 < len(begun.cycles)
    shown = set(INSTANTS_OF_CYCLE) if is_past or _was_over(begun, cycle, horizon) else set()
    if not is_past and begun.state != CLOSED:
        shown.discard(CLOSED)
    return replace(cycle, **_later(cycle, shown, horizon) | {"reopened": cycle.reopened})


def _was_over(begun: Incident, instants: Times | Cycle, horizon: _Horizon) -> bool:
    """True once the last cycle was resolved or closed, even where the incident waits again."""
    return begun.state in OVER or any(at and horizon.covers(at) for at in (instants.resolved, instants.closed))


def _was_begun(begun: Incident, horizon: _Horizon) -> bool:
    """True once somebody worked on the incident, even where it waits again."""
    moves = (change for change in begun.changes if change.field == "state" and horizon.covers(change.at))
    return begun.state not in _NOT_BEGUN or any(move.new == IN_PROGRESS for move in moves)


def _later(instants: Times | Cycle, shown: Collection[str], horizon: _Horizon) -> dict[str, None]:
    """The instants that are taken away: those that lie ahead, and `unknown` ones that are not among `shown`."""
    known = ((name, getattr(instants, name)) for name in instants.__struct_fields__)
    return {name: None for name, at in known if at and not (name in shown if at == UNKNOWN else horizon.covers(at))}


def _roles(incident: Incident, horizon: _Horizon) -> Roles:
    """The roles whose changes are on record; since when anybody has another one is not known."""
    holders = {}
    for role in _dated_roles(incident):
        change = _undone(incident.changes, f"roles.{role}", horizon)
        holders[role] = change.old if change else _holders(incident.roles).get(role)
    standard = {role: holders.pop(role, None) for role in _STANDARD_ROLES}
    return Roles(**standard, others={role: who for role, who in holders.items() if who is not None})


def _dated_roles(incident: Incident) -> list[str]:
    fields = dict.fromkeys(change.field for change in incident.changes)
    return [field.removeprefix("roles.") for field in fields if field.startswith("roles.")]


def _holders(roles: Roles) -> dict[str, str]:
    standard = {role: who for role in _STANDARD_ROLES if (who := getattr(roles, role)) is not None}
    return standard | roles.others


def _timeline(timeline: list[Event], horizon: _Horizon) -> list[Event]:
    """The entries by then; what one corrects is counted among them."""
    numbers = [number for number, event in enumerate(timeline, 1) if horizon.covers(event.at)]
    places = {number: place for place, number in enumerate(numbers, 1)}
    events = (timeline[number - 1] for number in numbers)
    return [replace(event, corrects=places.get(event.corrects)) if event.corrects else event for event in events]


def _item(item: ActionItem, horizon: _Horizon) -> ActionItem | None:
    """An action item as it was: open until the day it was done; None where it was not there, or not surely."""
    undone = ((name, _undone(item.changes, name, horizon)) for name in ITEM_FIELDS)
    earlier = {name: change.old for name, change in undone if change is not None}
    item = replace(item, changes=[one for one in item.changes if horizon.covers(one.at)], **earlier)
    is_done = item.status == "done" and item.done_at is not None and horizon.covers(item.done_at)
    if is_done:
        return item
    if item.added is None or not horizon.covers(item.added):
        return None
    return replace(item, status="open", done_at=None, done_by=None, evidence=None, reason=None)


def _postmortem(paper: Postmortem | None, horizon: _Horizon) -> Postmortem | None:
    """The dated steps of a postmortem: its meeting, its review and its end."""
    if paper is None:
        return None
    steps = {name: getattr(paper, name) for name in ("meeting", "reviewed_at", "final_at")}
    passed = {name: at for name, at in steps.items() if at is not None and horizon.covers(at)}
    return Postmortem(status="final" if "final_at" in passed else "draft", **passed) if passed else None


def _left_out(incident: Incident, known: Incident, horizon: _Horizon) -> tuple[str, ...]:
    """The fields of which something is not shown although it may have been so, in the order of the record."""
    missing = {name for name in UNDATED if getattr(incident, name) != getattr(_EMPTY, name)}
    shown = {item.id: item for item in known.action_items}
    is_missing = {
        "roles": not set(_holders(incident.roles)).issubset(_dated_roles(incident)),
        "action_items": any(
            shown.get(item.id) != item and _lacks_date(item, horizon) for item in incident.action_items
        ),
        "postmortem": incident.postmortem is not None,
        "snooze": incident.snooze is not None and known.snooze is None,
        "outcome": incident.outcome != known.outcome and (known.state == CLOSED or incident.state != CLOSED),
        "times": _hides_unknown(incident.times, known.times),
        "cycles": any(map(_hides_unknown, incident.cycles, known.cycles)),
    }
    missing |= {name for name, is_so in is_missing.items() if is_so}
    return tuple(name for name in Incident.__struct_fields__ if name in missing)


def _lacks_date(item: ActionItem, horizon: _Horizon) -> bool:
    """True where the record does not say since when an item is there, or since when it has its status."""
    opened_again = (one for one in item.changes if one.field == "status" and one.old in ("done", "wont_do"))
    was_opened_again = any(not horizon.covers(one.at) for one in opened_again)
    if item.added is None or item.added == UNKNOWN or was_opened_again:
        return True
    is_status_dated = item.status == "open" or (item.status == "done" and item.done_at not in (None, UNKNOWN))
    return horizon.covers(item.added) and not is_status_dated


def _hides_unknown(recorded: Times | Cycle, known: Times | Cycle) -> bool:
    names = recorded.__struct_fields__
    return any(getattr(recorded, name) == UNKNOWN and getattr(known, name) is None for name in names)
