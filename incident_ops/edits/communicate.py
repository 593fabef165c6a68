"""Updates for an audience, changes of severity and priority (R25), and timeline entries (R253)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from incident_ops.domain.as_of import corrected_instants, known_status
from incident_ops.domain.incident import Incident
from incident_ops.domain.lifecycle import OVER, RESOLVED
from incident_ops.domain.policy import Policy
from incident_ops.domain.public_updates import PUBLIC, STATUSES, has_status_page, last_update_for
from incident_ops.domain.record import Append, Edit, Set
from incident_ops.domain.time import instant, parse_instant, stamp
from incident_ops.edits.step import Step, given_fields, instant_edit, quote, route_of, state_words, timeline_row
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


def relabel(
    incident: Incident, policy: Policy, now: datetime, by: str | None, field: str, label: str, reason: str | None
) -> Step:
    """A new severity or priority, and its entry of `changes`.

    UserError for an unknown label, or one lowered without a reason.
    """
    allowed = policy.labels if field == policy.drives else policy.major_labels if field == "severity" else []
    if not allowed:
        hint = f"its level is the {policy.drives}: {', '.join(policy.labels)}"
        raise UserError(f"scheme {policy.scheme.id} has no {field}", hint=hint)
    if label not in allowed:
        raise UserError(f"{label!r} is not a {field} of scheme {policy.scheme.id}", hint=did_you_mean(label, allowed))
    before: str | None = getattr(incident, field)
    if before == label:
        return Step((), (f"{field} is {label} already; nothing changed",))
    if before is None:
        message = f"{field} set to {label}"
        return Step(
            (
                Set((field,), label),
                timeline_row(now, "decision", f"{message[0].upper()}{message[1:]}", by, result=reason),
            ),
            (message,),
        )
    lowered = before in allowed and allowed.index(label) > allowed.index(before)
    if lowered and not reason:
        raise UserError(f"{field} {label} is lower than {before}: say why", hint="--reason TEXT")
    message = f"{field} {'lowered' if lowered else 'raised'} from {before} to {label}"
    fields = given_fields(at=stamp(now), field=field, from_=before, to=label, by=by, reason=reason)
    edits = (Set((field,), label), Append(("changes",), fields))
    return Step(
        (*edits, timeline_row(now, "decision", f"{message[0].upper()}{message[1:]}", by, result=reason)), (message,)
    )


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
    """Appends an entry; each of `marks` also becomes the instant of that name. UserError where it is set already."""
    if entry.corrects is not None and not 1 <= entry.corrects <= len(incident.timeline):
        hint = f"entries are counted from 1; there are {len(incident.timeline)}"
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
    return Step((*edits, Append(("timeline",), fields)), tuple(messages), _late(incident, at, entry.corrects))


def _mark(incident: Incident, name: str, at: str) -> Edit:
    edit = instant_edit(incident, name, at)
    if incident.cycles and edit.route == route_of(f"times.{name}"):
        hint = "after a reopening only restored and verified can be marked; describe the rest in the text"
        raise UserError(f"{incident.id} was reopened: {name} belongs to the first outage", hint=hint)
    return edit


def _late(incident: Incident, at: str, corrects: int | None) -> tuple[str, ...]:
    messages = []
    others = [event.at for event in incident.timeline if event.corrects is None]
    if corrects is None and others and parse_instant(at) < parse_instant(others[-1]):
        messages.append(
            f"it happened before the previous entry ({others[-1]}); the order of the timeline is not changed"
        )
    started = instant(corrected_instants(incident).get("times.started"))
    if started is not None and parse_instant(at) < started:
        messages.append("it happened before times.started")
    return tuple(messages)
