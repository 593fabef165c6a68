"""Who holds a role, and who works on the incident."""

from __future__ import annotations

import re
import shlex
from datetime import datetime

from incident_ops.doors.moving import move, path, refused, spelled
from incident_ops.doors.step import Step, row, said, words
from incident_ops.errors import UserError
from incident_ops.findings import closest
from incident_ops.lifecycle import ASSIGNED, CLOSED, NEW, TRIAGED
from incident_ops.model.edit import Append, Edit, Set
from incident_ops.model.incident import Incident, Roles
from incident_ops.model.policy import Policy
from incident_ops.model.time import stamp

ROLES = tuple(name for name in Roles.__struct_fields__ if name != "others")
_ROLE = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def assign_role(incident: Incident, now: datetime, by: str | None, role: str, who: str) -> Step:
    """Sets a role (R114); one that is not of the four goes to `roles.others`. UserError where it is no role's name."""
    role = role.lower().replace("-", "_").replace(" ", "_")
    if not _ROLE.fullmatch(role) or role == "others":
        hint = f"{', '.join(ROLES)}, or a word of your own"
        raise UserError(f"{role!r} is no name of a role", hint=hint)
    before = getattr(incident.roles, role) if role in ROLES else incident.roles.others.get(role)
    if before == who:
        return Step((), (f"{who} is {words(role)} already; nothing changed",))
    route = ("roles", role) if role in ROLES else ("roles", "others", role)
    told = f"{who} became {words(role)}" + (f" after {before}" if before else "")
    return Step((Set(route, who), row(now, "status", told, by)), (told,), _nearly(incident, role, who))


def _nearly(incident: Incident, role: str, who: str) -> tuple[str, ...]:
    near = "" if role in ROLES else closest(role, ROLES)
    if not near:
        return ()
    meant = f"incident-ops assign {near} {shlex.quote(who)} {incident.id}"
    return (f"{words(role)} is a role of your own; for the {words(near)}: `{meant}`",)


def assign(incident: Incident, policy: Policy, now: datetime, by: str | None, who: str, tier: int | None) -> Step:
    """Gives the incident to somebody, at a tier of the escalation ladder where one is said (R248).

    New and triaged become assigned; later states stay what they are.
    """
    if incident.state == CLOSED:
        hint = f"`incident-ops reopen {incident.id} --reason TEXT` first; roles can be set at any time"
        raise refused(incident, policy, "assigned", hint)
    last = incident.assignments[-1] if incident.assignments else None
    moves = incident.state in (NEW, TRIAGED)
    if last is not None and (last.to, last.tier) == (who, tier) and not moves:
        return Step((), (f"assigned to {who} already; nothing changed",))
    edits: list[Edit] = [Append(("assignments",), said(at=stamp(now), to=who, tier=tier))]
    told = f"assigned to {who}" + (f" at tier {tier}" if tier else "")
    if moves and path(incident, policy, ASSIGNED):
        edits = [*move(incident, policy, ASSIGNED, now, by), *edits]
        climbed = f" ({spelled(incident, policy, ASSIGNED)})"
    else:
        climbed = ""
    up = tier is not None and tier > ((last.tier if last else None) or 1)
    event = f"Escalated to tier {tier}: {who}" if up else f"{told[0].upper()}{told[1:]}"
    return Step((*edits, row(now, "escalation" if up else "status", event, by)), (told + climbed,))
