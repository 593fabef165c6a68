"""Updates for an audience, changes of severity and priority (R25), and timeline entries (R253)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from incident_ops.domain.as_of import corrected_instants, known_status
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER, RESOLVED
from incident_ops.domain.policy import Policy
from incident_ops.domain.public_updates import PUBLIC, STATUSES, has_status_page, last_update_for
from incident_ops.domain.record import Append, Edit, Remove, Set
from incident_ops.domain.ticket import BECOMES_INCIDENT, is_ticket
from incident_ops.domain.time import instant, parse_instant, spell_minute, stamp
from incident_ops.domain.waits import snoozed_until
from incident_ops.edits.step import (
    Step,
    change_row,
    given_fields,
    instant_edit,
    join_steps,
    quote,
    route_of,
    state_words,
    timeline_row,
)
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean

AUDIENCES = ("internal", "executive", PUBLIC)


def publish_update(
    incident: Incident, now: datetime, by: str | None, texts: dict[str, str], status: str | None, eta: str | None
) -> Step:
    """An entry of `updates` for each audience of `texts`; without a status as `next_status` says (R83, C15)."""
    edits: list[Edit] = []
    messages = []
    for audience in AUDIENCES:
        if audience not in texts:
            continue
        text, said = texts[audience], status or next_status(incident, audience)
        fields = given_fields(at=stamp(now), audience=audience, status=said, text=text, eta=eta)
        edits += [
            Append(("updates",), fields),
            timeline_row(now, "communication", f"Update ({audience}): {quote(text)}", by),
        ]
        messages.append(f"{audience} update ({said}): {quote(text)}")
    return Step(tuple(edits), tuple(messages), _passed(now, eta))


def next_status(incident: Incident, audience: str) -> str:
    """The status of an update that names none: that of the last one for its audience, resolved once it is over.

    The public status moves only by an update that says so; for the others it follows from the record, too.
    """
    if incident.state in OVER:
        return RESOLVED
    last = last_update_for(incident, audience, this_cycle=True)
    if audience == PUBLIC and (incident.public_status or last):
        return incident.public_status or (last.status if last else "")
    known = known_status(incident)
    return max(known, last.status, key=STATUSES.index) if last else known


def public_doubts(incident: Incident, policy: Policy, texts: dict[str, str], status: str | None) -> Step:
    """What should give pause before it is published: the incident is not resolved, or has no status page."""
    if PUBLIC not in texts:
        return Step((), ())
    doubts = []
    if (status or next_status(incident, PUBLIC)) == RESOLVED and incident.state not in OVER:
        doubts.append(f"the public update says resolved, and the incident is {state_words(incident.state)}")
    if not has_status_page(incident, policy):
        doubts.append(f"{policy.driving_label(incident.severity, incident.priority)} has no status page")
    return Step((), (), tuple(doubts))


def _passed(now: datetime, eta: str | None) -> tuple[str, ...]:
    try:
        passed = eta is not None and parse_instant(eta) < now
    except ValueError:  # a duration, or a word: the schema says whether it may stand there
        passed = False
    return (f"--eta {eta} has passed; it is {stamp(now)} now",) if passed else ()


NO_LABEL = "none"
"""The word that takes a severity away."""


def relabel_all(
    incident: Incident, policy: Policy, now: datetime, by: str | None, labels: Mapping[str, str], reason: str | None
) -> Step:
    """New labels by field. UserError as `relabel`, and for a severity beside a priority that nobody has given."""
    missing = getattr(incident, policy.drives) is None and policy.drives not in labels
    if missing and "severity" in labels and policy.drives == "priority":
        message = f"{incident.id} has no priority, and a severity goes with one"
        raise UserError(message, hint=f"give both: --priority {policy.labels[0]} --severity {labels['severity']}")
    step = relabel_each(incident, policy, now, by, labels, reason)
    return join_steps(step, Step((), (), tuple(_too_mild(incident, policy, labels))))


def _too_mild(incident: Incident, policy: Policy, labels: Mapping[str, str]) -> Iterator[str]:
    """That the clocks stay those of a priority milder than the triage rules give beside the severity."""
    severity, priority = labels.get("severity", incident.severity), labels.get("priority", incident.priority)
    if labels and (wanted := policy.wanted_priority(severity, priority)):
        way = f"incident-ops update {incident.id} --priority {wanted}"
        yield f"response and resolution stay those of {priority}; the triage rules give {severity} a {wanted}: `{way}`"


def relabel_each(
    incident: Incident, policy: Policy, now: datetime, by: str | None, labels: Mapping[str, str], reason: str | None
) -> Step:
    """New labels by field. One that is worse ends a snooze. UserError as `_relabel`."""
    made = [_relabel(incident, policy, now, by, field, label, reason) for field, label in labels.items()]
    awake = [_awake(incident, now)] if any(one.is_worse for one in made) else []
    return join_steps(*(one.step for one in made), *awake)


class _Relabelled(NamedTuple):
    """A step that gives a label, and whether it is a worse one."""

    step: Step
    is_worse: bool


def _relabel(
    incident: Incident, policy: Policy, now: datetime, by: str | None, field: str, label: str, reason: str | None
) -> _Relabelled:
    """A new severity or priority, and its entry of `changes`; NO_LABEL takes a severity beside a priority away.

    UserError for an unknown label, or one lowered or taken away without a reason.
    """
    allowed = policy.labels if field == policy.drives else policy.major_labels if field == "severity" else []
    if not allowed:
        hint = f"its level is the {policy.drives}: {', '.join(policy.labels)}"
        raise UserError(f"scheme {policy.scheme.id} has no {field}", hint=hint)
    before: str | None = getattr(incident, field)
    after = _label_of(incident, policy, field, label, allowed)
    if before == after:
        is_now = f"is {label} already" if after else "is not set"
        return _Relabelled(Step((), (f"{field} {is_now}; nothing changed",)), is_worse=False)
    lowered = after is None or (before in allowed and allowed.index(after) > allowed.index(before))
    if lowered and not reason:
        worse = f"{field} {label} is lower than {before}" if after else f"{field} {before} is taken away"
        raise UserError(f"{worse}: say why", hint="--reason TEXT")
    message = _spelled_change(policy, field, before, after, lowered)
    edits = (Set((field,), after) if after else Remove((field,)), change_row(now, field, before, after, by, reason))
    event = timeline_row(now, "decision", f"{message[0].upper()}{message[1:]}", by, result=reason)
    step = Step((*edits, event), (message, *_over_the_line(incident, policy, field, after)))
    return _Relabelled(step, is_worse=not lowered)


def _awake(incident: Incident, now: datetime) -> Step:
    """The end of a snooze that still lasts: the incident got worse."""
    until = snoozed_until(incident, now)
    if until is None:
        return Step((), ())
    return Step(
        (Set(("snooze", "until"), stamp(now)),),
        (f"the snooze until {spell_minute(until)} ends: it got worse",),
    )


def _label_of(incident: Incident, policy: Policy, field: str, label: str, allowed: Sequence[str]) -> str | None:
    """The label that is meant, None for NO_LABEL. UserError where it is not one of the scheme, or is needed."""
    if label in allowed:
        return label
    if label.casefold() != NO_LABEL:
        raise UserError(f"{label!r} is not a {field} of scheme {policy.scheme.id}", hint=did_you_mean(label, allowed))
    if field == policy.drives:
        hint = f"lower it: --{field} {allowed[-1]}; if it is not an incident: `incident-ops withdraw {incident.id}`"
        raise UserError(f"the {field} gives {incident.id} its level: it cannot be taken away", hint=hint)
    return None


def _spelled_change(policy: Policy, field: str, before: str | None, after: str | None, lowered: bool) -> str:
    if after is None:
        return f"{field} {before} taken away"
    if before is None:
        return f"major incident {after} declared" if field != policy.drives else f"{field} set to {after}"
    return f"{field} {'lowered' if lowered else 'raised'} from {before} to {after}"


def _over_the_line(incident: Incident, policy: Policy, field: str, label: str | None) -> Iterator[str]:
    """What a new level does to a record that crosses the line between tickets and incidents."""
    after = replace(incident, severity=label) if field == "severity" else replace(incident, priority=label)
    old, new = policy.level_of(incident), policy.level_of(after)
    if old is None or new is None or old.declare == new.declare:
        return
    if not new.declare:
        yield f"it stays an incident; {policy.label_of(after)} asks for no roles or postmortem"
    elif is_ticket(incident, policy):
        yield BECOMES_INCIDENT


TIMELINE_KINDS = (
    "detection",
    "change",
    "diagnosis",
    "decision",
    "action",
    "communication",
    "escalation",
    "status",
    "note",
    "runbook",
)
MARKS = ("started", "detected", "assembled", "diagnosed", "mitigated", "restored", "verified", "stood_down")


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """What happened, as somebody reports it; `at` is RFC 3339 text, None = now."""

    event: str
    kind: str = "note"
    action: str | None = None
    result: str | None = None
    ref: str | None = None
    at: str | None = None
    corrects: int | None = None
    marks: tuple[str, ...] = ()


def add_entry(incident: Incident, now: datetime, by: str | None, entry: TimelineEntry) -> Step:
    """A new entry; each of `marks` also becomes the instant of that name. UserError where it is set already."""
    if entry.corrects is not None and not 1 <= entry.corrects <= len(incident.timeline):
        hint = f"there are {len(incident.timeline)}; `incident-ops timeline --list` numbers them"
        raise UserError(f"{incident.id} has no timeline entry {entry.corrects}", hint=hint)
    at = stamp(now) if entry.at is None else entry.at
    fields = given_fields(
        at=at,
        kind=entry.kind,
        event=entry.event,
        action=entry.action,
        result=entry.result,
        by=by,
        ref=entry.ref,
        corrects=entry.corrects,
    )
    edits: list[Edit] = [_mark(incident, name, at) for name in entry.marks]
    when = f", {at}" if entry.at is not None else ""
    messages = [f"timeline: {quote(entry.event)} ({entry.kind}{when})", *(f"{name} at {at}" for name in entry.marks)]
    return Step((*edits, Append(("timeline",), fields)), tuple(messages), _before_start(incident, at))


def _mark(incident: Incident, name: str, at: str) -> Edit:
    edit = instant_edit(incident, name, at)
    if incident.cycles and edit.route == route_of(f"times.{name}"):
        hint = "after a reopening only restored and verified can be marked; describe the rest in the text"
        raise UserError(f"{incident.id} was reopened: {name} belongs to the first outage", hint=hint)
    return edit


def _before_start(incident: Incident, at: str) -> tuple[str, ...]:
    started = instant(corrected_instants(incident).get("times.started"))
    return ("it happened before times.started",) if started is not None and parse_instant(at) < started else ()
