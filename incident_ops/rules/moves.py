"""The history of states is a sequence of allowed transitions that ends at the record's state.

The path is new, triaged, assigned, in_progress, resolved, closed. Any open state may change to pending and back;
resolved and closed may be reopened; with an outcome other than fixed any open state may be closed. For severity and
priority, each change starts from the label before it (`null` = none), and the last one ends at the record's own.

    before: state: resolved
            changes:
            - {at: ..., field: state, from: new, to: resolved}
    after:  state: resolved
            changes:
            - {at: ..., field: state, from: new, to: triaged}
            - {at: ..., field: state, from: triaged, to: assigned}
            - {at: ..., field: state, from: assigned, to: in_progress}
            - {at: ..., field: state, from: in_progress, to: resolved}
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from incident_ops.domain.incident import LABEL_FIELDS, Incident
from incident_ops.domain.lifecycle import (
    CLOSED,
    REOPENED,
    STATES,
    Moves,
    PathFault,
    next_states,
    path_faults,
    shortest_path,
)
from incident_ops.domain.policy_sections import States
from incident_ops.domain.record import Record, World
from incident_ops.domain.time import duration
from incident_ops.findings import Finding, Level, did_you_mean
from incident_ops.rules._support import computed_once, rule_finding, seconds_between

ID = "moves"
LEVEL = Level.ERROR
TIMED = False
NOT_SUPPRESSIBLE = True


def check(record: Record, world: World) -> Iterator[Finding]:
    """States, severity, priority, and how late a closed incident was reopened."""
    incident, edges = record.incident, _edges(world.policy.states)
    misspelt = [
        (index, key, word)
        for index, change in enumerate(incident.changes)
        if change.field == "state"
        for key, word in (("from", change.old or "null"), ("to", change.new or "null"))
        if word not in STATES
    ]
    for index, key, word in misspelt:
        yield rule_finding(ID, LEVEL, ("changes", index, key), f"{word!r} is not a state", did_you_mean(word, STATES))
    if not misspelt:
        for fault in path_faults(incident.changes, incident.state, incident.outcome, edges):
            yield _path_finding(incident, fault, edges)
    for field in LABEL_FIELDS:
        yield from _labels(incident, field)
    if world.policy.states.auto_reopen:
        yield from _late_reopening(incident, world.policy.states.auto_reopen)


@computed_once
def _edges(states: States) -> Moves:
    return states.moves


def _path_finding(incident: Incident, fault: PathFault, edges: Moves) -> Finding:
    steps = " -> ".join((fault.old, *shortest_path(fault.old, fault.new, fault.left, incident.outcome, edges)))
    if fault.entry is None:
        moved = any(change.field == "state" for change in incident.changes)
        last = f"the last change was to {fault.old}" if moved else "changes has no state change"
        message = f"state is {fault.new}, but {last}"
        return rule_finding(ID, LEVEL, ("state",), message, f"add these transitions to changes: {steps}")
    if incident.changes[fault.entry].old != fault.old:
        message = f"this transition starts from {fault.new}, but the incident was {fault.old} then"
        return rule_finding(ID, LEVEL, ("changes", fault.entry, "from"), message, f"missing: {steps}")
    allowed = ", ".join(next_states(fault.old, fault.left, incident.outcome, edges))
    hint = f"from {fault.old}: {allowed}" + (f"; the allowed path is {steps}" if " -> " in steps else "")
    message = f"{fault.old} -> {fault.new} is not an allowed transition"
    return rule_finding(ID, LEVEL, ("changes", fault.entry, "to"), message, hint)


def _labels(incident: Incident, field: str) -> Iterator[Finding]:
    entries = [(index, change) for index, change in enumerate(incident.changes) if change.field == field]
    for (_, before), (index, change) in pairwise(entries):
        if change.old != before.new:
            message = f"this change starts from {change.old or 'null'}, but {field} was {before.new or 'null'} then"
            yield rule_finding(ID, LEVEL, ("changes", index, "from"), message, f"from: {before.new or 'null'}")
    label: str | None = getattr(incident, field)
    last = entries[-1][1].new if entries else label
    if label == last:
        return
    if label is None:
        message, hint = f"{field} is missing, but the last change was to {last}", f"write {field}: {last}"
        yield rule_finding(ID, LEVEL, ("changes", entries[-1][0], "to"), message, hint)
    else:
        or_else = f"write {field}: {last}" if last else f"leave {field} out"
        hint = f"add the change from {last or 'null'} to {label}, or {or_else}"
        message = f"{field} is {label}, but the last change was to {last or 'null'}"
        yield rule_finding(ID, LEVEL, (field,), message, hint)


def _late_reopening(incident: Incident, limit: str) -> Iterator[Finding]:
    closed_at = None
    for index, change in enumerate(incident.changes):
        if change.field != "state":
            continue
        if change.new == REOPENED and closed_at and seconds_between(closed_at, change.at) > duration(limit):
            message = f"reopened more than {limit} after it was closed ({closed_at})"
            yield rule_finding(
                ID, LEVEL, ("changes", index, "at"), message, "declare a new incident and name this one in related"
            )
        closed_at = change.at if change.new == CLOSED else None
