"""The policy's checklists as task lists of an incident's issue (R119-R121, R125-R127, R153-R155)."""

from __future__ import annotations

from collections.abc import Iterator

from incident_ops.lifecycle import FIXED, OVER
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.policy_blocks import AFTER, Checklist
from incident_ops.model.time import duration, spell_duration
from incident_ops.reconcile import boxes
from incident_ops.render.safe import inline

_FOLDED = "<details><summary>Checklists of the response</summary>"


def task_lists(incident: Incident, policy: Policy) -> str:
    """The lists for an incident's level and state, those for afterwards first; "" where it has none.

    Lists of the response stay until the incident is closed, since standing down and the last words to everybody come
    after the resolution; then they are folded and keep their ticks. What was no incident has no list.
    """
    if incident.outcome != FIXED:
        return ""
    meant = [one for one in policy.tracker.checklists if one.items and _is_for(one, incident, policy)]
    after = [_shown(one) for one in meant if one.during == AFTER and incident.state in OVER]
    response = [_shown(one) for one in meant if one.during != AFTER]
    if incident.is_closed and response:
        response = [_FOLDED, *response, "</details>"]
    return "\n\n".join([*after, *response])


def _is_for(checklist: Checklist, incident: Incident, policy: Policy) -> bool:
    """Whether one of the incident's labels is meant; a severity counts on the scale the policy gives it (C2)."""
    driving = incident.priority if policy.drives == "priority" else incident.severity
    labels = {driving} | ({incident.severity} & set(policy.major_labels))
    return not checklist.levels or not labels.isdisjoint(checklist.levels)


def _shown(checklist: Checklist) -> str:
    span = _span(checklist)
    return "\n".join([f"### {inline(checklist.title)}{f' ({span})' if span else ''}\n", *_lines(checklist)])


def _lines(checklist: Checklist) -> Iterator[str]:
    for box in checklist.items:
        key = f"{checklist.id}/{box.id}"
        yield boxes.line(inline(box.text), key)
        yield from (boxes.line(inline(part.text), f"{key}/{part.id}", depth=1) for part in box.items)


def _span(checklist: Checklist) -> str:
    """When after the declaration: `first 5m`, `from 30m on`, `1h to 2h`; "" where the policy says nothing."""
    if checklist.start is None and checklist.end is None:
        return ""
    begin = duration(checklist.start or "0s")
    if checklist.end is None:
        return f"from {spell_duration(begin)} on"
    finish = spell_duration(duration(checklist.end))
    return f"{spell_duration(begin)} to {finish}" if begin else f"first {finish}"
