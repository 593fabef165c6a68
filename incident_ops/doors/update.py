"""News for an audience, and a change of the level with its reason (R25)."""

from __future__ import annotations

from datetime import datetime

from incident_ops.doors.step import Step, quote, row, said
from incident_ops.errors import UserError
from incident_ops.findings import did_you_mean
from incident_ops.lifecycle import public_status
from incident_ops.model.edit import Append, Edit, Set
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.time import parse_instant, stamp

AUDIENCES = ("internal", "executive", "public")
STATUSES = ("investigating", "identified", "monitoring", "resolved")


def update(
    incident: Incident, now: datetime, by: str | None, texts: dict[str, str], status: str | None, eta: str | None
) -> Step:
    """An entry of `updates` for each audience of `texts`; without a status the derived one holds (R83, C15)."""
    status = status or public_status(incident)
    edits: list[Edit] = []
    told = []
    for audience in AUDIENCES:
        if audience not in texts:
            continue
        text = texts[audience]
        fields = said(at=stamp(now), audience=audience, status=status, text=text, eta=eta)
        edits += [Append(("updates",), fields), row(now, "communication", f"Update ({audience}): {quote(text)}", by)]
        told.append(f"{audience} update ({status}): {quote(text)}")
    return Step(tuple(edits), tuple(told), _passed(now, eta))


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

    UserError for a foreign label, or one lowered without a reason.
    """
    allowed = policy.labels if field == policy.drives else policy.major_labels if field == "severity" else []
    if not allowed:
        hint = f"its level is the {policy.drives}: {', '.join(policy.labels)}"
        raise UserError(f"scheme {policy.scheme.id} has no {field}", hint=hint)
    if label not in allowed:
        raise UserError(f"{label!r} is no {field} of scheme {policy.scheme.id}", hint=did_you_mean(label, allowed))
    before: str | None = getattr(incident, field)
    if before == label:
        return Step((), (f"{field} is {label} already; nothing changed",))
    if before is None:
        told = f"{field} set to {label}"
        return Step(
            (Set((field,), label), row(now, "decision", f"{told[0].upper()}{told[1:]}", by, result=reason)), (told,)
        )
    lowered = before in allowed and allowed.index(label) > allowed.index(before)
    if lowered and not reason:
        raise UserError(f"{field} {label} is lower than {before}: say why", hint="--reason TEXT")
    told = f"{field} {'lowered' if lowered else 'raised'} from {before} to {label}"
    fields = said(at=stamp(now), field=field, from_=before, to=label, by=by, reason=reason)
    edits = (Set((field,), label), Append(("changes",), fields))
    return Step((*edits, row(now, "decision", f"{told[0].upper()}{told[1:]}", by, result=reason)), (told,))
