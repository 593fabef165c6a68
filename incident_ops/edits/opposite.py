"""The command that does the opposite of an edit which cannot be undone any more."""

from __future__ import annotations

from itertools import zip_longest

from incident_ops.domain.as_of import corrected_instants
from incident_ops.domain.incident import LABEL_FIELDS, Incident, Roles
from incident_ops.domain.lifecycle import OVER, PENDING
from incident_ops.domain.time import parse_instant

_OWN = ("title", "description", "services", "detection", "customer", "tags", "links", "factors", "drill", "visibility")
_ROLES = tuple(name for name in Roles.__struct_fields__ if name != "others")


def opposite_of(before: Incident | None, after: Incident) -> str:
    """The command for what weighs most among the differences; of a declaration (no `before`) the withdrawal."""
    if before is None:
        return f'incident-ops withdraw {after.id} --as false_alarm --reason "..."'
    return (
        _of_state(before, after)
        or _of_level(before, after)
        or _of_people(before, after)
        or _of_waits(before, after)
        or _of_lists(before, after)
        or _of_facts(before, after)
        or f'incident-ops timeline "..." {after.id}'
    )


def _of_state(before: Incident, after: Incident) -> str:
    if before.state == after.state:
        return ""
    if after.state in OVER:
        return f'incident-ops reopen {after.id} --reason "..."'
    if after.state == PENDING:
        return f"incident-ops pause {after.id} --end"
    return f"incident-ops assign @who {after.id}" if before.state not in OVER else f"incident-ops resolve {after.id}"


def _of_level(before: Incident, after: Incident) -> str:
    for name in LABEL_FIELDS:
        was = getattr(before, name)
        if was != getattr(after, name):
            return f'incident-ops update {after.id} --{name} {was or "none"} --reason "..."'
    return ""


def _of_people(before: Incident, after: Incident) -> str:
    was, now = ({name: getattr(one.roles, name) for name in _ROLES} | one.roles.others for one in (before, after))
    for role in {**was, **now}:
        if was.get(role) != now.get(role):
            return f"incident-ops assign {role} {was.get(role) or '-'} {after.id}"
    return f"incident-ops assign @who {after.id}" if before.assignments != after.assignments else ""


def _of_waits(before: Incident, after: Incident) -> str:
    if before.pauses != after.pauses:
        still = next((pause.waiting_for for pause in after.pauses if pause.end is None), None)
        way = f"--waiting-for {before.pauses[-1].waiting_for}" if before.pauses and still is None else "--end"
        return f"incident-ops pause {after.id} {way}"
    if before.snooze != after.snooze:
        was, now = before.snooze, after.snooze
        is_ended = was is not None and now is not None and parse_instant(now.until) < parse_instant(was.until)
        way = f'--until {was.until} --reason "..."' if was is not None and is_ended else "--off"
        return f"incident-ops snooze {after.id} {way}"
    return ""


def _of_lists(before: Incident, after: Incident) -> str:
    known = {item.id: item for item in before.action_items}
    for item in after.action_items:
        if item.id not in known:
            return f'incident-ops action drop {after.id}/{item.id} --reason "..."'
    for item in after.action_items:
        if item != known[item.id]:
            return f"incident-ops action edit {after.id}/{item.id}"
    for relation in after.relations:
        if relation not in before.relations:
            return f"incident-ops relate {after.id} {relation.id} --remove"
    return ""


def _of_facts(before: Incident, after: Incident) -> str:
    was, now = corrected_instants(before), corrected_instants(after)
    for field, at in now.items():
        if was.get(field) != at:
            return f'incident-ops correct {after.id} {field.removeprefix("times.")} WHEN --reason "..."'
    if any(getattr(before, name) != getattr(after, name) for name in _OWN):
        return f"incident-ops edit {after.id}"
    for name, command in (("impact", "impact"), ("cause", "cause"), ("resolution", "cause")):
        if getattr(before, name) != getattr(after, name):
            return f"incident-ops {command} {after.id}"
    if len(after.timeline) > len(before.timeline):
        pairs = zip_longest(before.timeline, after.timeline)
        new = next(number for number, (was_row, row) in enumerate(pairs, 1) if was_row != row)
        return f'incident-ops timeline "..." {after.id} --corrects {new}'
    return ""
