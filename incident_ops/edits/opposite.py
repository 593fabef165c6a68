"""The command that does the opposite of an edit which cannot be undone any more."""

from __future__ import annotations

from incident_ops.domain.as_of import corrected_instants
from incident_ops.domain.incident import LABEL_FIELDS, Incident, Roles
from incident_ops.domain.lifecycle import OVER, PENDING

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


def _of_lists(before: Incident, after: Incident) -> str:
    known = {item.id for item in before.action_items}
    for item in after.action_items:
        if item.id not in known:
            return f'incident-ops action drop {after.id}/{item.id} --reason "..."'
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
    if len(after.timeline) > len(before.timeline):
        return f'incident-ops timeline "..." {after.id} --corrects {len(after.timeline)}'
    return ""
