"""The playbook's checklists of an incident: which lists it has, and which boxes its record fills by itself.

`done_when` of a box names a fact of FACTS; a box is also filled once all below it are. What no record knows is ticked
by people, in the tracking issue.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from incident_ops.domain.as_of import as_of, current_instant
from incident_ops.domain.impact import affected_users
from incident_ops.domain.incident import Incident, Lessons, Users
from incident_ops.domain.lifecycle import FIXED, OVER, RESOLVED
from incident_ops.domain.policy import Policy
from incident_ops.domain.policy_sections import AFTER, Box, Checklist, Step
from incident_ops.domain.public_updates import PUBLIC, last_update_for
from incident_ops.domain.ticket import is_ticket
from incident_ops.domain.time import UNKNOWN, duration, spell_duration


def _first(name: str) -> Callable[[Incident], bool]:
    return lambda incident: getattr(incident.times, name) is not None


def _last(name: str) -> Callable[[Incident], bool]:
    return lambda incident: current_instant(incident, name) is not None


def _role(name: str) -> Callable[[Incident], bool]:
    return lambda incident: bool(getattr(incident.roles, name))


def _updated(audience: str) -> Callable[[Incident], bool]:
    return lambda incident: last_update_for(incident, audience) is not None


def _written(name: str) -> Callable[[Incident], bool]:
    return lambda incident: incident.postmortem is not None and bool(getattr(incident.postmortem, name))


def _published_resolved(incident: Incident) -> bool:
    last = last_update_for(incident, PUBLIC, this_cycle=True)
    return last is not None and last.status == RESOLVED


BRIDGE = "bridge"

FACTS: Mapping[str, Callable[[Incident], bool]] = {
    "declared": lambda _: True,
    "level": lambda incident: bool(incident.severity or incident.priority),
    "started": lambda incident: incident.times.started not in (None, UNKNOWN),
    "acknowledged": _first("acknowledged"),
    "mitigated": lambda incident: bool(incident.times.mitigated or incident.times.restored),
    "restored": _last("restored"),
    "resolved": _last("resolved"),
    "verified": _last("verified"),
    "stood_down": _first("stood_down"),
    "closed": lambda incident: incident.is_closed,
    "commander": _role("commander"),
    "technical_lead": _role("technical_lead"),
    "communications_lead": _role("communications_lead"),
    "scribe": _role("scribe"),
    "channel": lambda incident: bool(incident.links.channel),
    BRIDGE: lambda incident: bool(incident.links.bridge),
    "internal_update": _updated("internal"),
    "public_update": _updated(PUBLIC),
    "public_resolved": _published_resolved,
    "cause": lambda incident: incident.cause is not None and incident.cause.category not in (None, UNKNOWN),
    "action_items": lambda incident: bool(incident.action_items),
    "assembled": _first("assembled"),
    "impact": lambda incident: bool(incident.impact.summary),
    "users": lambda incident: affected_users(incident) != Users(),
    "runbook": lambda incident: any(event.kind == "runbook" for event in incident.timeline),
    "update": lambda incident: bool(incident.updates),
    "postmortem_summary": _written("summary"),
    "went_well": _written("went_well"),
    "went_poorly": _written("went_poorly"),
    "lessons": lambda incident: incident.postmortem is not None and incident.postmortem.lessons != Lessons(),
    "postmortem_reviewed": _written("reviewed_at"),
    "postmortem_meeting": _written("meeting"),
    "postmortem_final": _written("final_at"),
}
"""Word of `done_when` -> whether a record says so, of its present cycle where it was reopened."""


class ShownBox(NamedTuple):
    """A box with its names filled in; `depth` is 1 below another box."""

    key: str
    text: str
    depth: int
    is_done: bool


class ShownList(NamedTuple):
    """A list of boxes; `during` is `open` or `after`, the title says from when to when.

    `start` and `end` are seconds since the declaration, `end` None = as long as it takes.
    """

    title: str
    during: str
    boxes: tuple[ShownBox, ...]
    start: int = 0
    end: int | None = None


def checklists(incident: Incident, policy: Policy) -> list[ShownList]:
    """The lists for an incident's levels, in the policy's order; none for what was no incident."""
    if incident.outcome != FIXED:
        return []
    return [
        ShownList(
            f"{one.title}{f' ({span})' if (span := _span(one)) else ''}",
            one.during,
            tuple(_boxes(one, incident)),
            duration(one.start or "0s"),
            duration(one.end) if one.end is not None else None,
        )
        for one in policy.tracker.checklists
        if one.items and _is_for(one, incident, policy)
    ]


def shown_lists(incident: Incident, policy: Policy) -> list[ShownList]:
    """The lists that are due: those for the response, and before them, once it is resolved, those for afterwards."""
    lists = checklists(incident, policy)
    after = [one for one in lists if one.during == AFTER and incident.state in OVER]
    return [*after, *(one for one in lists if one.during != AFTER)]


def is_of_this_phase(one: ShownList, lists: Sequence[ShownList], incident: Incident, now: datetime) -> bool:
    """Whether a list of `lists` is to be worked through at `now` (aware UTC).

    Lists for afterwards are, from the resolution on, and take the place of all others. One with a stretch of time is
    while that lasts, counted from the declaration or the return; one without, as long as the incident is not closed.
    """
    if one.during == AFTER or incident.is_closed:
        return one.during == AFTER and incident.state in OVER
    if incident.state in OVER and any(other.during == AFTER for other in lists):
        return False
    since = (now - as_of(incident, now).cycle_start).total_seconds()
    return one.start <= since and (one.end is None or since < one.end)


def asks_for_bridge(incident: Incident, policy: Policy) -> bool:
    """Whether a list of the incident has a box for a bridge, so that people are to meet on one."""
    boxes = (box for one in policy.tracker.checklists if _is_for(one, incident, policy) for box in one.items)
    steps = (step for box in boxes for step in (box, *box.items))
    return any(step.done_when == BRIDGE for step in steps)


def _boxes(checklist: Checklist, incident: Incident) -> Iterator[ShownBox]:
    for box in checklist.items:
        key = f"{checklist.id}/{box.id}"
        yield ShownBox(key, _filled(box, incident), 0, is_done(box, incident))
        for part in box.items:
            yield ShownBox(f"{key}/{part.id}", _filled(part, incident), 1, is_done(part, incident))


def is_done(box: Step, incident: Incident) -> bool:
    """Whether the record says that what a box asks for is done."""
    if box.done_when is not None:
        return FACTS[box.done_when](incident)
    parts = box.items if isinstance(box, Box) else []
    return bool(parts) and all(is_done(part, incident) for part in parts)


def _filled(box: Step, incident: Incident) -> str:
    from incident_ops.edits.declare import fill_names  # triage, which `sla check` does not need

    return fill_names(box.text, incident)


def _is_for(checklist: Checklist, incident: Incident, policy: Policy) -> bool:
    """Whether the list is for one of the incident's labels; a severity counts on the scale the policy gives it.

    One that names no level is for every incident, and for no ticket.
    """
    driving = policy.label_of(incident)
    labels = {driving} | ({incident.severity} & set(policy.major_labels))
    return is_for_labels(checklist, labels, is_declared=not is_ticket(incident, policy))


def is_for_labels(checklist: Checklist, labels: Collection[str | None], *, is_declared: bool) -> bool:
    """The same of what carries these labels, and is declared as an incident or is a ticket."""
    return not set(labels).isdisjoint(checklist.levels) if checklist.levels else is_declared


def _span(checklist: Checklist) -> str:
    """When after the declaration: `first 5m`, `from 30m on`, `1h to 2h`; "" where the policy says nothing."""
    if checklist.start is None and checklist.end is None:
        return ""
    begin = duration(checklist.start or "0s")
    if checklist.end is None:
        return f"from {spell_duration(begin)} on"
    finish = spell_duration(duration(checklist.end))
    return f"{spell_duration(begin)} to {finish}" if begin else f"first {finish}"
