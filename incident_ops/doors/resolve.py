"""Service is back for good and the cause is named, or said to be unknown (R87)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from incident_ops.doors.moving import instant_edit, move, refused, spelled
from incident_ops.doors.step import Step, row, said
from incident_ops.errors import UserError
from incident_ops.lifecycle import CLOSED, RESOLVED, current
from incident_ops.model.edit import Edit, Set
from incident_ops.model.incident import Incident
from incident_ops.model.policy import Policy
from incident_ops.model.time import duration, instant, spell_duration

CATEGORIES = ("deploy", "database", "third_party", "infrastructure", "configuration", "security", "unknown")


@dataclass(frozen=True, slots=True)
class Resolution:
    """`restored`: RFC 3339 text or `unknown`, when service was back; the cause by category, and what and why it was."""

    restored: str | None = None
    cause: str | None = None
    what: str | None = None
    why: str | None = None


def lacking(incident: Incident, given: Resolution) -> tuple[str, ...]:
    """What must still be said before the incident can be resolved: `restored`, `cause`."""
    no_instant = given.restored is None and current(incident, "restored") is None
    return ("restored",) * no_instant + ("cause",) * (given.cause is None and incident.cause is None)


def resolve(incident: Incident, policy: Policy, now: datetime, by: str | None, given: Resolution) -> Step:
    """Moves to resolved, by way of every state skipped. UserError where restored or cause were never said."""
    if incident.state == RESOLVED:
        return Step((), (f"was resolved already, at {current(incident, 'resolved')}; nothing changed",))
    if incident.state == CLOSED:
        raise refused(incident, policy, "resolved", f"`incident-ops reopen {incident.id} --reason TEXT` first")
    if missing := lacking(incident, given):
        options = " and ".join(f"--{name}" for name in missing)
        hint = "--restored now, 10m (ago), an instant or unknown; --cause " + "|".join(CATEGORIES)
        raise UserError(f"{incident.id} cannot be resolved without {options}", hint=hint)
    edits: list[Edit] = []
    if given.restored is not None:
        edits.append(instant_edit(incident, "restored", given.restored))
    moved = move(incident, policy, RESOLVED, now, by)
    told = [f"resolved ({spelled(incident, policy, RESOLVED)})"]
    if any(isinstance(one, Set) and one.route == ("times", "acknowledged") for one in moved):
        told.append("nobody had acknowledged it: times.acknowledged is now")
    edits += [*moved, *_cause(incident, given), row(now, "status", "Resolved", by)]
    restored = given.restored or current(incident, "restored")
    return Step(tuple(edits), tuple(told), _unstable(policy, now, restored))


def _cause(incident: Incident, given: Resolution) -> list[Edit]:
    fields = said(category=given.cause, what=given.what, why=given.why)
    if incident.cause is None:
        return [Set(("cause",), fields)]
    return [Set(("cause", name), value) for name, value in fields.items()]


def _unstable(policy: Policy, now: datetime, restored: str | None) -> tuple[str, ...]:
    stable_for, since = policy.states.stable_for, instant(restored)
    if stable_for is None or since is None:
        return ()
    seconds = int((now - since).total_seconds())
    if not 0 <= seconds < duration(stable_for):
        return ()
    return (f"service is back for {spell_duration(seconds)} only; watch it for {stable_for}, `reopen` if it fails",)
